package handlers

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/scheduling"
)

// myTimePage offers the times that are free: some days of them, and a way to more. It serves choosing and moving.
type myTimePage struct {
	base
	Kind        scheduling.Type
	Mode        scheduling.Mode
	Action      string // where the form goes, with all that the address says
	Modes       []modeTab
	ZoneOf      string // the zone of the times, in words
	Shown       string // its name
	Zones       []zoneLink
	Appointment *appointment // that is moved
	Changed     bool         // it is not what it was when the form was shown
	Same        *slotChoice  // the time that it has, where something else may change
	Nearest     []slotChoice // to a time that was taken meanwhile
	Days        []slotDay
	Rest        string // why there is nothing between the last of them and the next
	More        string // address of later days, "" where there are none
	First       string // address of the first days, "" where these are they
	needs       need
}

type modeTab struct {
	Mode    scheduling.Mode
	Address string
	Current bool
}

type slotDay struct {
	Rest          string // why there is nothing between the day before and this
	Weekday, Date string
	Slots         []slotChoice
}

// slotChoice is one time. When is the whole of it, for those who only hear the label.
type slotChoice struct {
	Value, ID, Clock, When string
	Chosen                 bool
	day                    string
}

const (
	daysShown    = 5
	dueDaysShown = 10 // of those on which answers in writing may be due: two weeks
	nearestShown = 3
)

// elsewhere is the page for whoever has no time to choose: somebody who has not answered, said no, has an appointment or
// has had the conversation. For others it is "".
func (o own) elsewhere() string {
	switch standing := o.standing(consents.Interview); {
	case standing == consents.Unasked:
		return "/my/letter"
	case len(o.open()) > 0:
		return "/my/booking"
	case standing != consents.Yes || o.interviewed() || o.kept:
		return "/my"
	}
	return ""
}

func (s *Server) myTime(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	if other := o.elsewhere(); other != "" {
		return v.seeOther(other, "")
	}
	c, err := s.choosing(v, o.Audience, nil)
	if err != nil {
		return err
	}
	return s.showTimes(v, c, nil)
}

// myTimeTake books the chosen time. One that was taken meanwhile leads to the nearest that are free.
func (s *Server) myTimeTake(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	if other := o.elsewhere(); other != "" {
		return v.seeOther(other, "")
	}
	c, err := s.choosing(v, o.Audience, nil)
	if err != nil {
		return err
	}
	start, words, err := c.chosen(v)
	if err == nil {
		_, err = s.People.Book(v.ctx(), v.actor(), scheduling.Request{Study: v.study.ID, Person: v.session.Person, Audience: o.Audience,
			Mode: c.mode, Start: start, PersonZone: c.shown().String(), Language: v.text.Lang()}, words)
	}
	if err == nil || errors.Is(err, scheduling.ErrHasBooking) {
		return v.seeOther("/my/booking", "")
	}
	if !mendable(err) {
		return err
	}
	return s.showTimes(v, c, err)
}

// movable is agreed for what can still be changed.
func (s *Server) movable(v *visit) (*appointment, error) {
	a, err := s.agreed(v)
	if err == nil && a != nil && !a.Changeable {
		return nil, v.seeOther(a.At("/my/booking"), "")
	}
	return a, err
}

func (s *Server) myMove(v *visit) error {
	a, err := s.movable(v)
	if err != nil || a == nil {
		return err
	}
	return s.showMove(v, a, nil)
}

func (s *Server) showMove(v *visit, a *appointment, cause error) error {
	c, err := s.choosing(v, a.Audience, a)
	if err != nil {
		return err
	}
	return s.showTimes(v, c, cause)
}

func (s *Server) myMoveTo(v *visit) error {
	a, err := s.movable(v)
	if err != nil || a == nil {
		return err
	}
	c, err := s.choosing(v, a.Audience, a)
	if err != nil {
		return err
	}
	start, words, err := c.chosen(v)
	if err == nil {
		err = s.People.ChangeBooking(v.ctx(), v.actor(), v.study.ID, a.ID,
			scheduling.Change{Start: start, Mode: c.mode, PersonZone: c.shown().String(), Seen: v.seen()}, words, false)
	}
	switch {
	case err == nil && start.UnixMilli() == a.StartsAt:
		return v.seeOther(a.At("/my/booking"), "my_changed")
	case err == nil:
		return v.seeOther(a.At("/my/booking"), "my_moved")
	case mendable(err):
		return s.changeAgain(v, a, err, s.movable, s.showMove)
	}
	return err
}

// changeAgain shows a form about an appointment once more: as it is now if it was changed meanwhile, or where things stand if it can
// be changed no longer.
func (s *Server) changeAgain(v *visit, a *appointment, cause error, find func(*visit) (*appointment, error),
	show func(*visit, *appointment, error) error) error {
	switch {
	case errors.Is(cause, scheduling.ErrNotOpen):
		return v.seeOther("/my", "")
	case errors.Is(cause, scheduling.ErrTooLate):
		return v.seeOther(a.At("/my/booking"), "")
	case errors.Is(cause, scheduling.ErrChanged):
		now, err := find(v)
		if err != nil || now == nil {
			return err
		}
		return show(v, now, errs.Wrap(cause, errs.Conflict, errChangedMeanwhile.Code))
	}
	return show(v, a, cause)
}

// errChangedMeanwhile is scheduling's ErrChanged, said to whoever has the appointment.
var errChangedMeanwhile = errs.New(errs.Conflict, "my_changed")

// slot reads the chosen time, UTC milliseconds in decimal.
func (v *visit) slot() (time.Time, error) {
	ms, err := strconv.ParseInt(v.value("slot"), 10, 64)
	if err != nil {
		return time.Time{}, faultAt(errs.Invalid, "slot", "my_slot")
	}
	return time.UnixMilli(ms), nil
}

// showTimes shows what is offered. cause is why the form is shown again, nil the first time.
func (s *Server) showTimes(v *visit, c choosing, cause error) error {
	p := myTimePage{base: v.page("my.time.title"), Kind: c.kind, Mode: c.mode, Action: c.address(), Modes: c.tabs(), Appointment: c.moving,
		Shown: c.shown().String(), ZoneOf: v.text.Zone(c.shown().String()), Zones: c.zones(v), needs: c.needs}
	p.Path, p.Status = p.Action, v.text.T("my.status.yes")
	if c.moving != nil {
		p.base.Title, p.Status = v.text.T("my.move.title"), v.text.T("my.status.booked")
	}
	if c.from != "" {
		p.First = c.starting("").address()
	}
	if cause != nil {
		p.Form, p.Changed = v.againTimes(cause), errors.Is(cause, errChangedMeanwhile)
	}
	if err := s.offer(v, c, &p, cause); err != nil {
		return err
	}
	if cause != nil {
		return v.again(cause, "participant/time", p)
	}
	return v.show("participant/time", p)
}

// againTimes puts what is wrong with the chosen time beside the times.
func (v *visit) againTimes(cause error) form {
	f := v.againForm(eachField(cause, func(field errs.Field) errs.Field {
		if field.Name == "start" {
			return errs.Field{Name: "slot", Code: "my_slot"}
		}
		return field
	}))
	if !errors.Is(cause, errChangedMeanwhile) {
		f = f.about("slot")
	}
	return f
}

// offer fills in the times, on the clocks of the zone that stands beside them.
func (s *Server) offer(v *visit, c choosing, p *myTimePage, cause error) error {
	if start, err := v.slot(); err == nil && (errors.Is(cause, scheduling.ErrTaken) || errors.Is(cause, scheduling.ErrOutside)) {
		near, err := s.Scheduling.Nearest(v.ctx(), c.search(), start, nearestShown)
		if err != nil {
			return err
		}
		for _, slot := range near {
			p.Nearest = append(p.Nearest, c.choice(v, slot.Start))
		}
	}
	if c.keepsTime() {
		same := c.choice(v, c.moving.Start())
		p.Same = &same
	}
	// Free knows its own horizon; this only has to lie beyond it.
	slots, err := s.Scheduling.Free(v.ctx(), c.search(), c.begin(v.now()), v.now().AddDate(10, 0, 0))
	if err != nil {
		return err
	}
	if later := p.list(v, c, slots); later != "" {
		p.More = c.starting(later).address()
	}
	p.name()
	return nil
}

// list groups times by their days, and returns the day on which those begin that have no room on the page, "" if all have.
func (p *myTimePage) list(v *visit, c choosing, slots []scheduling.Slot) (later string) {
	most, shown, last := daysShown, 0, time.Time{}
	if c.mode == scheduling.Email {
		most = dueDaysShown
	}
	for _, slot := range slots {
		choice, day := c.choice(v, slot.Start), slot.Start.In(c.shown())
		if p.stands(choice.Value) || c.moving != nil && slot.Start.Equal(c.moving.Start()) {
			continue // one time, one button; and none for moving to where it is
		}
		if shown == 0 || choice.day != last.Format(time.DateOnly) {
			rest := c.rest(v, last, day)
			if shown == most {
				p.Rest = rest
				return choice.day
			}
			if shown++; shown == 1 || c.mode != scheduling.Email {
				p.Days = append(p.Days, c.day(v, day, rest))
			}
			last = day
		}
		now := &p.Days[len(p.Days)-1]
		now.Slots = append(now.Slots, choice)
	}
	return ""
}

// stands says whether a time stands on the page before the days.
func (p *myTimePage) stands(value string) bool {
	return p.Same != nil && p.Same.Value == value || slices.ContainsFunc(p.Nearest, func(near slotChoice) bool { return near.Value == value })
}

// name gives the first time the address that the error summary points to.
func (p *myTimePage) name() {
	switch {
	case len(p.Nearest) > 0:
		p.Nearest[0].ID = "f-slot"
	case p.Same != nil:
		p.Same.ID = "f-slot"
	case len(p.Days) > 0:
		p.Days[0].Slots[0].ID = "f-slot"
	default: // nothing to point to
		for i := range p.Form.Errors {
			p.Form.Errors[i].Name = ""
		}
	}
}

// choice is one time on the clocks shown; in writing it is a day.
func (c choosing) choice(v *visit, start time.Time) slotChoice {
	local := start.In(c.shown())
	value := strconv.FormatInt(start.UnixMilli(), 10)
	choice := slotChoice{Value: value, Chosen: value == v.value("slot"), day: local.Format(time.DateOnly),
		Clock: v.text.Date(local, i18n.Clock), When: v.text.Date(local, i18n.WeekdayTime)}
	if c.mode == scheduling.Email {
		choice.When = v.text.Date(local, i18n.Weekday)
	}
	return choice
}

// day begins a group of times: a day, or in writing all the days.
func (c choosing) day(v *visit, day time.Time, rest string) slotDay {
	if c.mode == scheduling.Email {
		return slotDay{Date: v.text.T("choosing.due")}
	}
	weekday, date := v.splitDay(day)
	return slotDay{Rest: rest, Weekday: weekday, Date: date}
}

// splitDay says a day as its weekday and the rest, where the language begins with the weekday.
func (v *visit) splitDay(day time.Time) (weekday, date string) {
	weekday = v.text.Weekday(day.Weekday())
	date, found := strings.CutPrefix(v.text.Date(day, i18n.Weekday), weekday)
	if !found {
		weekday = ""
	}
	return weekday, strings.TrimLeft(date, ", ")
}

// rest says that there are no times between two days because of a holiday; "" where that is not why, or there are some.
func (c choosing) rest(v *visit, before, day time.Time) string {
	if !c.holidays || before.IsZero() {
		return ""
	}
	first, last, names := idle(before, day)
	if len(names) == 0 {
		return ""
	}
	for i, name := range names {
		names[i] = v.text.T("scheduling.holiday." + name)
	}
	key := "choosing.rest.months"
	switch {
	case first.Equal(last):
		key = "choosing.rest.day"
	case first.Month() == last.Month():
		key = "choosing.rest.days"
	}
	return v.text.T(key, "Day", first.Day(), "Month", v.text.Month(first.Month()), "LastDay", last.Day(), "LastMonth", v.text.Month(last.Month()),
		"Why", capital(strings.Join(names, ", ")))
}

// idle is the run from the first to the last working day between two days, both left out, and which holidays are working days of
// it. Without any there is nothing to say.
func idle(before, day time.Time) (first, last time.Time, holidays []string) {
	end := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
	for date := time.Date(before.Year(), before.Month(), before.Day()+1, 0, 0, 0, 0, time.UTC); date.Before(end); date = date.AddDate(0, 0, 1) {
		if date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
			continue
		}
		if first, last = cmp.Or(first, date), date; scheduling.HolidayOn(date.Date()) == "" {
			continue
		}
		if name := string(scheduling.HolidayOn(date.Date())); !slices.Contains(holidays, name) {
			holidays = append(holidays, name)
		}
	}
	return first, last, holidays
}
