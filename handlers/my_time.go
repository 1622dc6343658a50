package handlers

import (
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

// myTimePage offers the times that are free: five days of them, and a way to more. It serves choosing and moving.
type myTimePage struct {
	base
	Action  string // where the form goes, with the days that are shown
	Modes   []modeTab
	Mode    scheduling.Mode
	Place   string
	Minutes int
	ZoneOf  string // the zone's name in words
	Moving  *appointment
	Nearest []slotChoice // to a time that was taken meanwhile
	Days    []slotDay
	More    string // address of later days, "" where there are none
	First   string // address of the first days, "" where these are they
}

type modeTab struct {
	Mode    scheduling.Mode
	Address string
	Current bool
}

type slotDay struct {
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
	nearestShown = 3
)

// elsewhere is the page for whoever has no time to choose: somebody who has not answered, said no, has an appointment or
// has had the conversation. For others it is "".
func (o own) elsewhere() string {
	_, booked := o.open()
	switch standing := o.standing(consents.Interview); {
	case standing == consents.Unasked:
		return "/my/letter"
	case booked:
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
	p, err := s.myTimePage(v, o.Audience, v.Query("mode"), nil)
	if err != nil {
		return err
	}
	p.Status = v.text.T("my.status.yes")
	return v.show("participant/time", p)
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
	start, err := v.slot()
	if err == nil {
		_, err = s.Scheduling.Book(v.ctx(), v.actor(), scheduling.Request{Study: v.study.ID, Person: v.session.Person, Audience: o.Audience,
			Mode: scheduling.Mode(v.value("mode")), Start: start, Language: v.text.Lang()})
	}
	if err == nil || errors.Is(err, scheduling.ErrHasBooking) {
		return v.seeOther("/my/booking", "")
	}
	if !mendable(err) {
		return err
	}
	p, shown := s.myTimePage(v, o.Audience, v.value("mode"), err)
	if shown != nil {
		return shown
	}
	p.Status = v.text.T("my.status.yes")
	return v.again(err, "participant/time", p)
}

func (s *Server) myMove(v *visit) error {
	o, b, err := s.movable(v)
	if err != nil || b == nil {
		return err
	}
	return s.showMove(v, o, b, nil)
}

// movable returns the appointment that can still be moved; without one it has led elsewhere.
func (s *Server) movable(v *visit) (o own, a *appointment, err error) {
	if o, err = s.own(v); err != nil {
		return o, nil, err
	}
	b, ok := o.open()
	if !ok {
		return o, nil, v.seeOther("/my", "")
	}
	if a, err = s.appointment(v, b); err != nil {
		return o, nil, err
	}
	if !a.Changeable {
		return o, nil, v.seeOther("/my/booking", "")
	}
	return o, a, nil
}

func (s *Server) showMove(v *visit, o own, a *appointment, cause error) error {
	p, err := s.myTimePage(v, a.Audience, string(a.Mode), cause)
	if err != nil {
		return err
	}
	p.base.Title, p.Moving, p.Modes, p.Status = v.text.T("my.move.title"), a, nil, v.text.T("my.status.booked")
	p.Place = a.Place
	p.Minutes = int((a.EndsAt - a.StartsAt) / time.Minute.Milliseconds())
	if cause != nil {
		return v.again(cause, "participant/time", p)
	}
	return v.show("participant/time", p)
}

func (s *Server) myMoveTo(v *visit) error {
	o, a, err := s.movable(v)
	if err != nil || a == nil {
		return err
	}
	start, err := v.slot()
	if err == nil {
		_, err = s.Scheduling.Move(v.ctx(), v.actor(), v.study.ID, a.ID, start, false)
	}
	if err == nil {
		return v.seeOther("/my/booking", "my_moved")
	}
	if mendable(err) {
		return s.showMove(v, o, a, err)
	}
	return err
}

// slot reads the chosen time, UTC milliseconds in decimal.
func (v *visit) slot() (time.Time, error) {
	ms, err := strconv.ParseInt(v.value("slot"), 10, 64)
	if err != nil {
		var check errs.Check
		check.Add("slot", "my_slot")
		return time.Time{}, check.Err()
	}
	return time.UnixMilli(ms), nil
}

// myTimePage gathers what is offered for a mode, or the first one. cause is why the form is shown again, nil the first
// time.
func (s *Server) myTimePage(v *visit, audience, mode string, cause error) (p myTimePage, err error) {
	kind, err := s.Scheduling.TypeOf(v.ctx(), v.study.ID, audience)
	if err != nil {
		return p, err
	}
	from := v.fromDay()
	p = myTimePage{base: v.page("my.time.title"), Mode: kind.Modes[0], Minutes: kind.Minutes, ZoneOf: v.text.Zone(v.study.Zone)}
	for _, m := range kind.Modes {
		if string(m) == mode {
			p.Mode = m
		}
	}
	for _, m := range kind.Modes {
		p.Modes = append(p.Modes, modeTab{m, timeAddress("/my/time", m, from), m == p.Mode})
	}
	if p.Mode == scheduling.InPerson {
		p.Place = kind.Place
	}
	path := v.Request.URL.Path
	p.Action = timeAddress(path, p.Mode, from)
	if !from.IsZero() {
		p.First = timeAddress(path, p.Mode, time.Time{})
	}
	later, err := s.offer(v, audience, from, cause, &p)
	if !later.IsZero() {
		p.More = timeAddress(path, p.Mode, later)
	}
	return p, err
}

// fromDay is the first day to show; zero is today, as is a day that cannot be read.
func (v *visit) fromDay() time.Time {
	day, err := time.ParseInLocation(time.DateOnly, v.Query("from"), v.zone())
	if err != nil {
		return time.Time{}
	}
	return day
}

func timeAddress(path string, mode scheduling.Mode, from time.Time) string {
	pairs := []string{"mode", string(mode)}
	if path == "/my/move" {
		pairs = nil
	}
	if !from.IsZero() {
		pairs = append(pairs, "from", from.Format(time.DateOnly))
	}
	if len(pairs) == 0 {
		return path
	}
	return withQuery(path, pairs...)
}

// offer fills in the free times and returns the day on which further ones begin, if there are any. Clocks are those of the
// study's zone, which stands beside them.
func (s *Server) offer(v *visit, audience string, from time.Time, cause error, p *myTimePage) (later time.Time, err error) {
	wanted := v.value("slot")
	if cause != nil {
		p.Form = v.againForm(cause)
		for i, e := range p.Form.Errors {
			if e.Name == "start" || e.Name == "" {
				p.Form.Errors[i].Name = "slot"
			}
		}
	}
	gone := errors.Is(cause, scheduling.ErrTaken) || errors.Is(cause, scheduling.ErrOutside)
	if start, err := v.slot(); gone && err == nil {
		near, err := s.Scheduling.Nearest(v.ctx(), v.study.ID, audience, start, nearestShown)
		if err != nil {
			return later, err
		}
		for _, slot := range near {
			p.Nearest = append(p.Nearest, v.slotChoice(slot, ""))
		}
	}
	begin := v.now()
	if from.After(begin) {
		begin = from
	}
	// Free knows its own horizon; this only has to lie beyond it.
	slots, err := s.Scheduling.Free(v.ctx(), v.study.ID, audience, begin, v.now().AddDate(10, 0, 0))
	for _, slot := range slots {
		choice := v.slotChoice(slot, wanted)
		if slices.ContainsFunc(p.Nearest, func(near slotChoice) bool { return near.Value == choice.Value }) {
			continue // one time, one button
		}
		if last := len(p.Days) - 1; last < 0 || p.Days[last].Slots[0].day != choice.day {
			if len(p.Days) == daysShown {
				later = slot.Start.In(v.zone())
				break
			}
			p.Days = append(p.Days, v.slotDay(slot))
		}
		day := &p.Days[len(p.Days)-1]
		day.Slots = append(day.Slots, choice)
	}
	p.name()
	return later, err
}

// name gives the first time the address that the error summary points to.
func (p *myTimePage) name() {
	switch {
	case len(p.Nearest) > 0:
		p.Nearest[0].ID = "f-slot"
	case len(p.Days) > 0:
		p.Days[0].Slots[0].ID = "f-slot"
	default: // nothing to point to
		for i := range p.Form.Errors {
			p.Form.Errors[i].Name = ""
		}
	}
}

func (v *visit) slotChoice(slot scheduling.Slot, wanted string) slotChoice {
	local := slot.Start.In(v.zone())
	value := strconv.FormatInt(slot.Start.UnixMilli(), 10)
	return slotChoice{Value: value, Clock: v.text.Date(local, i18n.Clock), When: v.text.Date(local, i18n.WeekdayTime),
		Chosen: value == wanted, day: local.Format(time.DateOnly)}
}

func (v *visit) slotDay(slot scheduling.Slot) slotDay {
	local := slot.Start.In(v.zone())
	weekday, date := v.splitDay(local)
	return slotDay{Weekday: weekday, Date: date}
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
