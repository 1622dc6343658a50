package handlers

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

// staffBookingPage is one appointment and what the team can do about it.
type staffBookingPage struct {
	arranging
	Line     bookingLine
	Until    string // the end, as a time of day
	ZoneName string
	Theirs   string // the start as the participant's clocks show it, where those differ
	Made     string
	Last     string // what was done to it last, as a label
	LastBy   string
	Asked    string // when they were asked last for another time
	Deadline string // until when the participant changes it alone; empty once that has passed
	Open     bool
	Over     bool
	Missed   bool
	Cautions []string
	Opened   []opened // what the vault holds of it, for this one showing
}

// opened is a text that was sealed, with what it is.
type opened struct{ Label, Text string }

// Sealed says whether the vault holds anything of the appointment.
func (p staffBookingPage) Sealed() bool { return p.Line.Where != "" || p.Line.Message != "" }

// Was is what the form to change it is filled in with, for when somebody else changes it meanwhile.
func (p staffBookingPage) Was() string { return bookingValues(p.Line.Booking).Encode() }

// Choices are what the cancellation asks.
func (p staffBookingPage) Choices() field {
	return p.Radio("choice", []choice{{Value: "cancel", Label: p.T("booking.cancel_yes")}, {Value: "keep", Label: p.T("booking.cancel_keep")}}, "label=booking.cancel_question")
}

func (s *Server) staffBooking(v *visit) error {
	p, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	return v.show("staff/booking", p)
}

func (s *Server) staffBookingPage(v *visit) (p staffBookingPage, err error) {
	b, err := s.Scheduling.Get(v.ctx(), v.study.ID, id.Booking(v.Param("booking")))
	if err != nil {
		return p, err
	}
	d, err := s.diaryOf(v, b)
	if err != nil {
		return p, err
	}
	kind, err := s.Scheduling.TypeOf(v.ctx(), v.study.ID, b.Audience)
	if err != nil {
		return p, err
	}
	line := v.bookingLine(d, b)
	p = staffBookingPage{arranging: arranging{base: v.page("booking.title", "Code", line.Code)}, Line: line, ZoneName: v.text.Zone(b.Zone),
		Open: b.State == scheduling.Booked, Missed: b.State == scheduling.NoShow, Over: b.EndsAt <= v.now().UnixMilli()}
	p.Here, p.Zone = "bookings", b.Start().Location() // the clocks at the appointment
	if b.Mode != scheduling.Email {
		p.Until, p.Theirs = v.text.Date(b.End(), i18n.Clock), theirClock(v, b)
		if reading := wallValues(b.Start()).Get("which"); reading != "" {
			p.ZoneName += ", " + v.text.T("appointments.reading."+reading)
		}
	}
	if deadline := kind.Deadline(b); p.Open && v.now().Before(deadline) {
		p.Deadline = v.text.Date(deadline, i18n.WeekdayTime)
	}
	if err := s.madeAndChanged(v, &p); err != nil {
		return p, err
	}
	if p.Missed {
		if p.Asked, err = s.askedAgain(v, b); err != nil {
			return p, err
		}
	}
	if p.Open && !p.Over {
		if p.Cautions, err = s.cautions(v, kind, b, d.names); err != nil {
			return p, err
		}
	}
	p.Team, err = s.interviewers(v, b.Interviewers...)
	p.Form, p.Stands = v.newForm(bookingValues(b)), b
	return p, err
}

// theirClock is when a call begins where the participant is, if that is another time of day; "" elsewhere.
func theirClock(v *visit, b scheduling.Booking) string {
	at, elsewhere := ownClock(b, b.Start())
	if !elsewhere {
		return ""
	}
	return v.text.T("appointments.theirs", "When", v.text.Date(at, i18n.WeekdayTime), "Zone", v.text.Zone(b.PersonZone))
}

// madeAndChanged says who made the appointment and who did something to it last, and when.
func (s *Server) madeAndChanged(v *visit, p *staffBookingPage) error {
	b := p.Line.Booking
	entries, err := s.Audit.About(v.ctx(), v.study.ID, b.Person)
	if err != nil {
		return err
	}
	last := audit.Entry{}
	for _, e := range entries {
		if e.Detail == string(b.ID) && v.text.Has("appointments.last."+e.Action) {
			last = e
		}
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsOf(b.MadeBy, last.Actor), nil)
	if err != nil {
		return err
	}
	by := func(at int64, who audit.Actor) string {
		when := v.text.Date(inZoneOf(b, at), i18n.PlainTime)
		if who == audit.Participant(b.Person) {
			return v.text.T("booking.by_participant", "When", when)
		}
		return v.text.T("appointments.by", "When", when, "Who", actorName(v.text, who, names))
	}
	p.Made = by(b.CreatedAt, b.MadeBy)
	if last.Action != "" {
		p.Last, p.LastBy = v.text.T("appointments.last."+last.Action), by(last.At, last.Actor)
	}
	return nil
}

// askedAgain is when somebody who did not turn up was asked last for another time, "" where they were not.
func (s *Server) askedAgain(v *visit, b scheduling.Booking) (when string, err error) {
	mails, err := s.Outbox.To(v.ctx(), v.study.ID, b.Person)
	var last int64
	for _, m := range mails {
		if m.Kind == scheduling.MailAgain && m.Params["booking"] == string(b.ID) && m.CreatedAt > last {
			last, when = m.CreatedAt, v.text.Date(inZoneOf(b, m.CreatedAt), i18n.PlainTime)
		}
	}
	return when, err
}

// inZoneOf shows a moment as the clocks at the appointment do.
func inZoneOf(b scheduling.Booking, ms int64) time.Time {
	return time.UnixMilli(ms).In(b.Start().Location())
}

// cautions are what speaks against an appointment to come: staff may book all the same.
func (s *Server) cautions(v *visit, kind scheduling.Type, b scheduling.Booking, names map[id.Account]string) (said []string, err error) {
	clashes, err := s.clashes(v, "")
	if err != nil {
		return nil, err
	}
	for _, c := range clashes[b.ID] {
		said = append(said, c.Text)
	}
	if holiday := scheduling.HolidayOn(b.Start().Date()); holiday != "" {
		said = append(said, v.text.T("appointments.holiday", "Holiday", v.text.T("scheduling.holiday."+string(holiday))))
	}
	if kind.DailyMost == 0 || b.Mode == scheduling.Email {
		return said, nil
	}
	from := startOfDay(b.Start())
	day, err := s.Scheduling.Between(v.ctx(), v.study.ID, from, startOfDay(from.AddDate(0, 0, 1)))
	for _, account := range b.Interviewers {
		held := 0
		for _, other := range day {
			if other.Mode != scheduling.Email && (other.State == scheduling.Booked || other.State == scheduling.Done) && slices.Contains(other.Interviewers, account) {
				held++
			}
		}
		if held > kind.DailyMost {
			said = append(said, v.text.N("appointments.full_day", held, "Name", names[account], "Most", kind.DailyMost))
		}
	}
	return said, err
}

func (v *visit) bookingPath(b id.Booking) string { return v.studyPath("/bookings/" + string(b)) }

// staffMove changes an appointment.
func (s *Server) staffMove(v *visit) error {
	p, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	b := p.Line.Booking
	t, err := v.terms(p.arranging)
	if err == nil {
		err = s.People.ChangeBooking(v.ctx(), v.actor(), v.study.ID, b.ID, t.change(b, v.seen()), t.Words, true)
	}
	if err == nil {
		return v.seeOther(v.bookingPath(b.ID), "appointment_changed")
	}
	return s.staffBookingAgain(v, err, func(p *staffBookingPage) error {
		if errors.Is(err, scheduling.ErrChanged) {
			keepOwn(v.form, bookingValues(p.Line.Booking))
		}
		return s.arrangeAgain(v, &p.arranging, p.Line.Audience, t, err)
	})
}

// keepOwn takes from a form what only stood there, and puts in its place how things are now: a second try shall not undo what a
// colleague did meanwhile.
func keepOwn(form, now url.Values) {
	was, err := url.ParseQuery(form.Get("was"))
	if err != nil {
		return
	}
	for name := range now {
		// Boxes come in the order of the page.
		if slices.Equal(slices.Sorted(slices.Values(form[name])), slices.Sorted(slices.Values(was[name]))) {
			form[name] = now[name]
		}
	}
}

// staffBookingAgain shows the appointment as it is now, with the form that was refused. fill puts what was typed into it.
func (s *Server) staffBookingAgain(v *visit, refused error, fill func(*staffBookingPage) error) error {
	if !mendable(refused) && !errors.Is(refused, scheduling.ErrNotAllowed) {
		return refused
	}
	p, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	if err := fill(&p); err != nil {
		return err
	}
	if errors.Is(refused, scheduling.ErrChanged) {
		p.Form.Errors = []fieldError{{"", v.text.T("appointments.changed")}}
	}
	return v.again(refused, "staff/booking", p)
}

func (s *Server) staffCancel(v *visit) error {
	booking := id.Booking(v.Param("booking"))
	words := Words{Message: v.value("farewell")}
	var err error
	switch v.value("choice") {
	case "keep":
		return v.seeOther(v.bookingPath(booking), "")
	case "cancel":
		if err = identities.CheckNote("message", words.Message); err == nil {
			err = s.People.CancelBooking(v.ctx(), v.actor(), v.study.ID, booking, v.seen(), words, true)
		}
	default:
		err = faultAt(errs.Invalid, "choice", "field_work.choose")
	}
	if err == nil {
		return v.seeOther(v.bookingPath(booking), "appointment_cancelled")
	}
	return s.staffBookingAgain(v, err, func(p *staffBookingPage) error {
		values := p.Form.Values // of the other form on the page
		p.Form = v.againForm(renamed(err, map[string]string{"message": "farewell"}))
		values["choice"], values["farewell"] = v.form["choice"], v.form["farewell"]
		p.Form.Values = values
		return nil
	})
}

// staffMissedPage asks what follows where somebody did not turn up.
type staffMissedPage struct {
	base
	Line bookingLine
}

// Choices are what may follow; none is chosen beforehand.
func (p staffMissedPage) Choices() field {
	return p.Radio("again", []choice{{Value: "yes", Label: p.T("appointments.again_yes")}, {Value: "no", Label: p.T("appointments.again_no")}}, "label=appointments.again")
}

// staffMissed is the page and its form.
func (s *Server) staffMissed(v *visit) error {
	shown, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	p := staffMissedPage{shown.base, shown.Line}
	p.Title, p.Form = v.text.T("appointments.missed_title."+p.Line.Written(), "Code", p.Line.Code), v.newForm(nil)
	if v.form == nil {
		return v.show("staff/missed", p)
	}
	again := v.value("again")
	if err = v.chosen("again", p.Choices().Choices); err == nil {
		err = s.Scheduling.Missed(v.ctx(), v.actor(), v.study.ID, p.Line.ID, v.seen(), again == "yes")
	}
	switch {
	case err == nil:
		return v.seeOther(v.bookingPath(p.Line.ID), "appointment_missed_"+again)
	case !mendable(err):
		return err
	}
	p.Form = v.againForm(err)
	if errors.Is(err, scheduling.ErrChanged) {
		p.Form.Errors = []fieldError{{"", v.text.T("appointments.changed")}}
	}
	return v.again(err, "staff/missed", p)
}

// staffAgain asks somebody who did not turn up to choose another time.
func (s *Server) staffAgain(v *visit) error {
	booking := id.Booking(v.Param("booking"))
	err := s.Scheduling.Again(v.ctx(), v.actor(), v.study.ID, booking, v.seen())
	if err == nil {
		return v.seeOther(v.bookingPath(booking), "appointment_again")
	}
	return s.staffBookingAgain(v, err, func(p *staffBookingPage) error {
		p.Form.Errors = v.againForm(err).Errors
		return nil
	})
}

// staffWords opens where the appointment is and what the team wrote about it, for this one showing. It is noted, as every opening
// is; who it is about stays closed.
func (s *Server) staffWords(v *visit) error {
	p, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	for _, sealed := range []struct {
		label string
		note  id.Note
	}{{"appointments.where", p.Line.Where}, {"appointments.message", p.Line.Message}} {
		text, err := s.words(v.ctx(), v.actor(), "appointment", p.Line.Booking, sealed.note)
		if err != nil {
			return err
		}
		if text != "" {
			p.Opened = append(p.Opened, opened{v.text.T(sealed.label), text})
		}
	}
	// Without a script: the browser leaves this page by itself, and the words with it.
	v.Header("Refresh", fmt.Sprintf("%d; url=%s", nameOpen, v.bookingPath(p.Line.ID)))
	return v.show("staff/booking", p)
}
