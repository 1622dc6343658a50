package handlers

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/scheduling/ical"
)

// appointment is a booking in words, on the participant's clocks.
type appointment struct {
	scheduling.Booking
	Kind          scheduling.Type
	Weekday, Date string // torsdag, 11. april
	From, To      string // clock times; none in writing
	When          string // torsdag 11. april kl. 10:30
	ISO           string
	ZoneOf        string
	Both          string // its clocks where the participant is and at the place, where the two differ
	Deadline      string // until when it can be moved or cancelled, in words
	Changeable    bool
	Over          bool
}

func (s *Server) appointment(v *visit, b scheduling.Booking) (*appointment, error) {
	kind, err := s.Scheduling.TypeOf(v.ctx(), v.study.ID, b.Audience)
	if err != nil {
		return nil, err
	}
	return v.appointment(b, kind), nil
}

func (v *visit) appointment(b scheduling.Booking, kind scheduling.Type) *appointment {
	start, end, deadline := b.Start(), b.End(), kind.Deadline(b)
	a := &appointment{Booking: b, Kind: kind, Changeable: b.State == scheduling.Booked && !v.now().After(deadline), Over: v.now().After(end)}
	zone := b.Zone
	if own, elsewhere := ownClock(b, start); elsewhere {
		a.Both, zone = v.bothClocks(own, start), b.PersonZone
		start, end, deadline = own, end.In(own.Location()), deadline.In(own.Location())
	}
	a.Weekday, a.Date = v.splitDay(start)
	a.ISO, a.ZoneOf, a.Deadline = start.Format(time.RFC3339), v.text.Zone(zone), v.text.Date(deadline, i18n.WeekdayTime)
	if a.When = v.text.Date(start, i18n.Weekday); b.Mode != scheduling.Email {
		a.When, a.From, a.To = v.text.Date(start, i18n.WeekdayTime), v.text.Date(start, i18n.Clock), v.text.Date(end, i18n.Clock)
	}
	return a
}

// appointments asks once for all of an audience.
func (s *Server) appointments(v *visit, bookings []scheduling.Booking) (all []*appointment, err error) {
	kinds := map[string]scheduling.Type{}
	for _, b := range bookings {
		kind, known := kinds[b.Audience]
		if !known {
			if kind, err = s.Scheduling.TypeOf(v.ctx(), v.study.ID, b.Audience); err != nil {
				return nil, err
			}
			kinds[b.Audience] = kind
		}
		all = append(all, v.appointment(b, kind))
	}
	return all, nil
}

// bothClocks says a moment where the participant is and at the place, with the days where they are not the same.
func (v *visit) bothClocks(here, there time.Time) string {
	style := i18n.At
	if here.Format(time.DateOnly) != there.Format(time.DateOnly) {
		style = i18n.WeekdayTime
	}
	return v.text.T("choosing.both", "Here", v.text.Date(here, style), "There", v.text.Date(there, style), "Zone", v.text.Zone(there.Location().String()))
}

// At is an address about this appointment: a participant may have several.
func (a appointment) At(path string) string { return withQuery(path, "booking", string(a.ID)) }

// How is the way of meeting, after "my.how.".
func (a appointment) How() string {
	if a.OurNumber() != "" {
		return "phone_us"
	}
	return string(a.Mode)
}

// Directions are how to find the study's own place.
func (a appointment) Directions() string { return a.told("").directions() }

// OurNumber is what the participant rings, "" where they are rung or talk otherwise.
func (a appointment) OurNumber() string {
	if a.Mode != scheduling.Phone || !a.told("").theyRing() {
		return ""
	}
	return a.Kind.OurNumber
}

// AsksWhere says whether the participant tells where, or on which number.
func (a appointment) AsksWhere() bool {
	return a.Mode == scheduling.Visit || a.Mode == scheduling.Phone && a.OurNumber() == ""
}

// meant is the appointment that the address names, without a name the next one, and whether it is open. What is not theirs does
// not exist.
func (o own) meant(v *visit) (b scheduling.Booking, open bool, err error) {
	asked := id.Booking(v.Query("booking"))
	if asked == "" {
		all := o.open()
		if len(all) == 0 {
			return b, false, nil
		}
		return all[0], true, nil
	}
	i := slices.IndexFunc(o.bookings, func(b scheduling.Booking) bool { return b.ID == asked })
	if i < 0 {
		return b, false, scheduling.ErrNotFound
	}
	return o.bookings[i], o.bookings[i].State == scheduling.Booked, nil
}

// myBookingPage is what was agreed.
type myBookingPage struct {
	base
	Appointment *appointment
	Changed     bool   // it is not what it was when the form was shown
	Where       string // what they said: where to come to, or which number to ring
	Recording   string // what they answered to being recorded
	Contact     []part // for when the deadline has passed
}

// Titles are what the participant's own calendar may show.
func (p myBookingPage) Titles() field {
	var choices []choice
	for _, title := range scheduling.Titles {
		choices = append(choices, choice{Value: string(title), Label: p.T("scheduling.title." + string(title))})
	}
	return p.Radio("title", choices, "label=my.booking.own_title", "hint=my.booking.own_title_hint")
}

func (s *Server) myBooking(v *visit) error {
	a, err := s.agreed(v)
	if err != nil || a == nil {
		return err
	}
	return s.showBooking(v, a, nil)
}

// agreed returns an appointment that is open, also after its deadline; without one it has led elsewhere.
func (s *Server) agreed(v *visit) (*appointment, error) {
	o, err := s.own(v)
	if err != nil {
		return nil, err
	}
	b, open, err := o.meant(v)
	if err != nil {
		return nil, err
	}
	if !open {
		return nil, v.seeOther("/my", "")
	}
	return s.appointment(v, b)
}

// showBooking shows what was agreed. cause is why the form on it is shown again, nil the first time.
func (s *Server) showBooking(v *visit, a *appointment, cause error) error {
	state, err := s.Consents.State(v.ctx(), v.study.ID, v.session.Person)
	if err != nil {
		return err
	}
	p := myBookingPage{base: v.page("my.booking.title"), Appointment: a, Contact: parts(v.study.ProjectContact),
		Changed: errors.Is(cause, errChangedMeanwhile), Recording: cmp.Or(state.ByPurpose[consents.Recording], consents.Unasked)}
	if p.Where, err = s.said(v, a.Booking); err != nil {
		return err
	}
	p.Path, p.Status, p.Form = a.At("/my/booking"), v.text.T("my.status.booked"), v.newForm(url.Values{"title": {string(a.Title)}})
	if a.Over {
		p.Status = v.text.T("my.status.over")
	}
	if cause == nil {
		return v.show("participant/booking", p)
	}
	p.Form = v.againForm(cause)
	return v.again(cause, "participant/booking", p)
}

// myTitle changes what the participant's own calendar shows.
func (s *Server) myTitle(v *visit) error {
	a, err := s.agreed(v)
	if err != nil || a == nil {
		return err
	}
	title := scheduling.Title(v.value("title"))
	err = s.Scheduling.Retitle(v.ctx(), v.actor(), v.study.ID, a.ID, title, v.seen())
	switch {
	case err == nil && title == a.Title:
		return v.seeOther(a.At("/my/booking"), "")
	case err == nil:
		return v.seeOther(a.At("/my/booking"), "my_titled")
	case mendable(err):
		return s.changeAgain(v, a, err, s.agreed, s.showBooking)
	}
	return err
}

// myCalendar is a copy for the participant's own calendar.
func (s *Server) myCalendar(v *visit) error {
	a, err := s.agreed(v)
	if err != nil || a == nil {
		return err
	}
	where, err := s.said(v, a.Booking)
	if err != nil {
		return err
	}
	texts := ownCopy(v.text, a.told(where))
	texts.Sequence = a.OwnSequence()
	data, err := scheduling.Invite(a.Booking, ical.Publish, s.organizer(v.study), ical.Address{}, texts)
	if err != nil {
		return err
	}
	v.download("avtale.ics", "text/calendar; charset=utf-8", data)
	return nil
}

// told is the appointment as mails tell of it, with what the vault says about where it is.
func (a appointment) told(where string) told {
	return told{Booking: a.Booking, kind: a.Kind, where: where}
}

func (v *visit) download(name, kind string, data []byte) {
	v.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	v.Data(200, kind, data)
}

// myChoicePage asks for one choice of several, after saying what each leads to.
type myChoicePage struct {
	base
	Appointment *appointment
	Changed     bool // it is not what it was when the form was shown
	Choices     []choice
}

var cancelChoices = []string{"cancel", "keep"}

func (s *Server) myCancel(v *visit) error {
	a, err := s.movable(v)
	if err != nil || a == nil {
		return err
	}
	return s.showCancel(v, a, nil)
}

func (s *Server) showCancel(v *visit, a *appointment, cause error) error {
	p := myChoicePage{base: v.page("my.cancel.title"), Appointment: a, Choices: v.myChoices("my.cancel.", cancelChoices),
		Changed: errors.Is(cause, errChangedMeanwhile)}
	p.Path, p.Status = a.At("/my/cancel"), v.text.T("my.status.nothing_yet")
	if cause == nil {
		return v.show("participant/cancel", p)
	}
	p.Form = v.againForm(cause)
	return v.again(cause, "participant/cancel", p)
}

// myChoices are radio buttons whose labels are the translations of prefix and value.
func (v *visit) myChoices(prefix string, values []string) (all []choice) {
	for _, value := range values {
		all = append(all, choice{Value: value, Label: v.text.T(prefix + value)})
	}
	return all
}

// myChoice reads one of the values on offer.
func (v *visit) myChoice(offered []string) (string, error) {
	chosen := v.value("choice")
	if !slices.Contains(offered, chosen) {
		var check errs.Check
		check.Add("choice", "my_choice")
		return "", check.Err()
	}
	return chosen, nil
}

func (s *Server) myCancelDo(v *visit) error {
	a, err := s.movable(v)
	if err != nil || a == nil {
		return err
	}
	chosen, err := v.myChoice(cancelChoices)
	if chosen == "keep" {
		return v.seeOther(a.At("/my/booking"), "")
	}
	if err == nil {
		err = s.People.CancelBooking(v.ctx(), v.actor(), v.study.ID, a.ID, v.seen(), Words{}, false)
	}
	if mendable(err) {
		return s.changeAgain(v, a, err, s.movable, s.showCancel)
	}
	if err != nil {
		return err
	}
	return v.seeOther("/my", "my_cancelled")
}
