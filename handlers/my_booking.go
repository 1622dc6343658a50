package handlers

import (
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/scheduling/ical"
)

// appointment is a booking in words, on the clocks of its own zone.
type appointment struct {
	scheduling.Booking
	Weekday, Date string // torsdag, 11. april
	From, To      string // clock times
	When          string // torsdag 11. april kl. 10:30
	ISO           string
	ZoneOf        string
	Deadline      string // until when it can be moved or cancelled, in words
	Changeable    bool
	Over          bool
}

func (s *Server) appointment(v *visit, b scheduling.Booking) (*appointment, error) {
	kind, err := s.Scheduling.TypeOf(v.ctx(), v.study.ID, b.Audience)
	if err != nil {
		return nil, err
	}
	start, deadline := b.Start(), kind.Deadline(b)
	a := &appointment{Booking: b, From: v.text.Date(start, i18n.Clock), To: v.text.Date(b.End(), i18n.Clock),
		When: v.text.Date(start, i18n.WeekdayTime), ISO: start.Format(time.RFC3339), ZoneOf: v.text.Zone(b.Zone),
		Deadline:   v.text.Date(deadline, i18n.WeekdayTime),
		Changeable: b.State == scheduling.Booked && !v.now().After(deadline), Over: v.now().After(b.End())}
	a.Weekday, a.Date = v.splitDay(start)
	return a, nil
}

// myBookingPage is what was agreed.
type myBookingPage struct {
	base
	Appointment *appointment
	Recording   string // what they answered to being recorded
	Contact     []part // for when the deadline has passed
}

func (s *Server) myBooking(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	b, ok := o.open()
	if !ok {
		return v.seeOther("/my", "")
	}
	p := myBookingPage{base: v.page("my.booking.title"), Recording: o.standing(consents.Recording), Contact: parts(v.study.ProjectContact)}
	if p.Appointment, err = s.appointment(v, b); err != nil {
		return err
	}
	p.Status = v.text.T("my.status.booked")
	if p.Appointment.Over {
		p.Status = v.text.T("my.status.over")
	}
	return v.show("participant/booking", p)
}

const maxCalendarTitle = 80 // characters

// myCalendar is a copy for the participant's own calendar. What it says there is theirs to choose, and is kept nowhere.
func (s *Server) myCalendar(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	b, ok := o.open()
	if !ok {
		return scheduling.ErrNotFound
	}
	texts := scheduling.Texts{Summary: v.text.T("scheduling.appointment")}
	if title := []rune(v.Query("title")); len(title) > 0 {
		texts.Summary = string(title[:min(len(title), maxCalendarTitle)])
	}
	data, err := scheduling.Invite(b, ical.Publish, s.organizer(v.study), ical.Address{}, texts)
	if err != nil {
		return err
	}
	v.download("avtale.ics", "text/calendar; charset=utf-8", data)
	return nil
}

func (v *visit) download(name, kind string, data []byte) {
	v.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	v.Data(200, kind, data)
}

// myChoicePage asks for one choice of several, after saying what each leads to.
type myChoicePage struct {
	base
	Appointment *appointment // nil where none is agreed
	Choices     []choice
}

var cancelChoices = []string{"cancel", "keep"}

func (s *Server) myCancel(v *visit) error {
	_, a, err := s.movable(v)
	if err != nil || a == nil {
		return err
	}
	return v.show("participant/cancel", v.myCancelPage(a, v.newForm(nil)))
}

func (v *visit) myCancelPage(a *appointment, f form) myChoicePage {
	p := myChoicePage{base: v.page("my.cancel.title"), Appointment: a, Choices: v.myChoices("my.cancel.", cancelChoices)}
	p.Form, p.Status = f, v.text.T("my.status.nothing_yet")
	return p
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
	_, a, err := s.movable(v)
	if err != nil || a == nil {
		return err
	}
	chosen, err := v.myChoice(cancelChoices)
	if chosen == "keep" {
		return v.seeOther("/my/booking", "")
	}
	if err == nil {
		err = s.Scheduling.Cancel(v.ctx(), v.actor(), v.study.ID, a.ID, false)
	}
	if mendable(err) {
		return v.again(err, "participant/cancel", v.myCancelPage(a, v.againForm(err)))
	}
	if err != nil {
		return err
	}
	return v.seeOther("/my", "my_cancelled")
}
