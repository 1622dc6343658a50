package handlers

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// bookingLine is one appointment in a list. People stand there by code.
type bookingLine struct {
	scheduling.Booking
	Code      string // empty for somebody who is in the study no longer
	Date      string
	Clock     string
	ISO       string
	How       string
	Who       string // the interviewers
	Recording string // "yes", "no", "unasked" or "restricted"
	Mark      string // the badge: half, missing, full or cross
	Says      string
}

// Cancelled says so for the template.
func (l bookingLine) Cancelled() bool { return l.State == scheduling.Cancelled }

// RecordingMark is the shape beside what the person said to being recorded.
func (l bookingLine) RecordingMark() string {
	switch l.Recording {
	case consents.Yes:
		return "yes"
	case consents.No, onlyKept:
		return "cross"
	}
	return "missing"
}

// staffBookingsPage lists the study's appointments.
type staffBookingsPage struct {
	base
	Waiting []bookingLine // over, and no interview written down
	Coming  []bookingLine
	Past    []bookingLine // newest first
	Several bool          // more than one interviewer, so that names tell something
	NoHours bool          // nobody offers any time
}

// diaries is what lines about appointments need of the study: asked once for all of them.
type diaries struct {
	people map[id.Person]recruitment.Participant
	said   consents.Answers
	names  map[id.Account]string
}

func (s *Server) diaries(v *visit, bookings ...scheduling.Booking) (d diaries, err error) {
	if d.people, err = s.register(v); err != nil {
		return d, err
	}
	if d.said, err = s.Consents.AnswersOf(v.ctx(), v.study.ID); err != nil {
		return d, err
	}
	d.names, err = s.interviewerNames(v, bookings...)
	return d, err
}

// diaryOf is diaries for one appointment.
func (s *Server) diaryOf(v *visit, b scheduling.Booking) (d diaries, err error) {
	person, err := s.Recruitment.Get(v.ctx(), v.study.ID, b.Person)
	if err != nil && !errors.Is(err, recruitment.ErrUnknown) {
		return d, err
	}
	state, err := s.Consents.State(v.ctx(), v.study.ID, b.Person)
	if err != nil {
		return d, err
	}
	d.people = map[id.Person]recruitment.Participant{b.Person: person}
	if d.said, err = s.answersOne(v, b.Person, state); err != nil {
		return d, err
	}
	d.names, err = s.interviewerNames(v, b)
	return d, err
}

// register is everybody who was asked or may be, by pseudonym.
func (s *Server) register(v *visit) (map[id.Person]recruitment.Participant, error) {
	list, err := s.Recruitment.List(v.ctx(), v.study.ID, recruitment.Filter{})
	if err != nil {
		return nil, err
	}
	people := map[id.Person]recruitment.Participant{}
	for _, p := range list {
		people[p.ID] = p
	}
	return people, nil
}

// addAnonymous adds those who left what they said without themselves: they have a case and an invented code.
func (s *Server) addAnonymous(v *visit, people map[id.Person]recruitment.Participant) error {
	gone, err := s.Recruitment.Anonymous(v.ctx(), v.study.ID)
	for _, a := range gone {
		people[a.ID] = recruitment.Participant{ID: a.ID, Code: a.Code, Case: a.Case, State: recruitment.Withdrawn}
	}
	return err
}

// interviewerNames names those who hold bookings, for a page.
func (s *Server) interviewerNames(v *visit, bookings ...scheduling.Booking) (map[id.Account]string, error) {
	var ids []id.Account
	for _, b := range bookings {
		ids = append(ids, b.Interviewers...)
	}
	slices.Sort(ids)
	accounts, err := s.Auth.Accounts(v.ctx(), slices.Compact(ids)...)
	if err != nil {
		return nil, err
	}
	names := map[id.Account]string{}
	for account, a := range accounts {
		names[account] = a.Name
	}
	return names, nil
}

// standing is what the gate says: yes, no, unasked or restricted.
func (d diaries) standing(person id.Person, purpose string) string {
	return gateWord(d.said.May(person, purpose))
}

func (v *visit) bookingLine(d diaries, b scheduling.Booking) bookingLine {
	line := bookingLine{Booking: b, Code: d.people[b.Person].Code, Date: v.text.Date(b.Start(), i18n.Weekday), Clock: v.text.Date(b.Start(), i18n.Clock),
		ISO: b.Start().Format(wallLayout), How: v.text.T("field_work.mode." + string(b.Mode)), Recording: d.standing(b.Person, consents.Recording)}
	if b.Start().Year() != v.now().In(b.Start().Location()).Year() {
		line.Date = v.text.Date(b.Start(), i18n.Full)
	}
	var who []string
	for _, a := range b.Interviewers {
		who = append(who, d.names[a])
	}
	line.Who = strings.Join(who, ", ")
	line.Mark, line.Says = v.bookingState(b)
	return line
}

// bookingState is where an appointment stands, in shape and words. One that is over and not written down asks for that.
func (v *visit) bookingState(b scheduling.Booking) (mark, says string) {
	switch {
	case b.State == scheduling.Booked && b.EndsAt <= v.now().UnixMilli():
		return "missing", v.text.T("booking.not_recorded")
	case b.State == scheduling.Booked:
		mark = "half"
	case b.State == scheduling.Done:
		mark = "full"
	default:
		mark = "cross"
	}
	return mark, v.text.T("scheduling.state." + string(b.State))
}

func (s *Server) staffBookings(v *visit) error {
	all, err := s.Scheduling.All(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	d, err := s.diaries(v, all...)
	if err != nil {
		return err
	}
	weeks, err := s.Scheduling.Weeks(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p := staffBookingsPage{base: v.page("bookings.title"), Several: len(weeks) > 1,
		NoHours: !slices.ContainsFunc(weeks, func(w scheduling.Week) bool { return len(w.Windows)+len(w.Ranges) > 0 })}
	p.Here = "bookings"
	for _, b := range all {
		line := v.bookingLine(d, b)
		switch line.Mark {
		case "half":
			p.Coming = append(p.Coming, line)
		case "missing":
			p.Waiting = append(p.Waiting, line)
		default:
			p.Past = append(p.Past, line)
		}
	}
	slices.Reverse(p.Past)
	return v.show("staff/bookings", p)
}

// staffBookingPage is one appointment and what the team can do about it.
type staffBookingPage struct {
	base
	Line     bookingLine
	Until    string // the end, as a time of day
	ZoneName string
	Made     string
	Changed  string
	Deadline string // until when the participant changes it alone; empty once that has passed
	Open     bool
	Over     bool
	Offers   []offer // after a time that was taken
	Taken    bool
}

// Choices are what the cancellation asks.
func (p staffBookingPage) Choices() field {
	return p.Radio("choice", []choice{{Value: "cancel", Label: p.T("booking.cancel_yes")}, {Value: "keep", Label: p.T("booking.cancel_keep")}}, "label=booking.cancel_question")
}

// offer is a free time that fills in a form: a link, so that looking changes nothing.
type offer struct{ Label, Address string }

func (s *Server) staffBooking(v *visit) error {
	p, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	if day, clock := v.Query("day"), v.Query("time"); day != "" {
		p.Form.Values.Set("day", day)
		p.Form.Values.Set("time", clock)
	}
	return v.show("staff/booking", p)
}

func (s *Server) staffBookingPage(v *visit) (staffBookingPage, error) {
	b, err := s.Scheduling.Get(v.ctx(), v.study.ID, id.Booking(v.Param("booking")))
	if err != nil {
		return staffBookingPage{}, err
	}
	d, err := s.diaryOf(v, b)
	if err != nil {
		return staffBookingPage{}, err
	}
	kind, err := s.Scheduling.TypeOf(v.ctx(), v.study.ID, b.Audience)
	if err != nil {
		return staffBookingPage{}, err
	}
	line := v.bookingLine(d, b)
	p := staffBookingPage{base: v.page("booking.title", "Code", line.Code), Line: line, Until: v.text.Date(b.End(), i18n.Clock), ZoneName: v.text.Zone(b.Zone),
		Made: v.text.T("booking.by_team", "When", v.text.Date(inZoneOf(b, b.CreatedAt), i18n.PlainTime)),
		Open: b.State == scheduling.Booked, Over: b.EndsAt <= v.now().UnixMilli()}
	if b.MadeBy == audit.Participant(b.Person) {
		p.Made = v.text.T("booking.by_participant", "When", v.text.Date(inZoneOf(b, b.CreatedAt), i18n.PlainTime))
	}
	if b.ChangedAt != b.CreatedAt {
		p.Changed = v.text.Date(inZoneOf(b, b.ChangedAt), i18n.PlainTime)
	}
	if deadline := kind.Deadline(b); p.Open && v.now().Before(deadline) {
		p.Deadline = v.text.Date(deadline, i18n.WeekdayTime)
	}
	p.Here = "bookings"
	p.Form = v.newForm(url.Values{"day": {b.Start().Format(time.DateOnly)}, "time": {b.Start().Format(clockLayout)}})
	return p, nil
}

// inZoneOf shows a moment as the clocks at the appointment do.
func inZoneOf(b scheduling.Booking, ms int64) time.Time {
	return time.UnixMilli(ms).In(b.Start().Location())
}

func (v *visit) bookingPath(b id.Booking) string { return v.studyPath("/bookings/" + string(b)) }

// atTime is where the page asks for what scheduling calls the start.
var atTime = map[string]string{"start": "time"}

func (s *Server) staffMove(v *visit) error {
	p, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	b := p.Line.Booking
	var check errs.Check
	start := v.formMoment(&check, b.Zone)
	if err = check.Err(); err == nil {
		_, err = s.Scheduling.Move(v.ctx(), v.actor(), v.study.ID, b.ID, start, true)
	}
	if mendable(err) {
		return s.staffMoveAgain(v, p, start, err)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.bookingPath(b.ID), "appointment_moved")
}

// staffMoveAgain shows the page with what was typed, and after a time that was taken the nearest free ones.
func (s *Server) staffMoveAgain(v *visit, p staffBookingPage, start time.Time, refused error) error {
	p.Form = v.againForm(renamed(refused, atTime))
	if b := p.Line.Booking; errors.Is(refused, scheduling.ErrTaken) {
		offers, err := s.offers(v, b.Audience, start, b.Start().Location(), v.bookingPath(b.ID))
		if err != nil {
			return err
		}
		p.Offers, p.Taken = offers, true
	}
	return v.again(refused, "staff/booking", p)
}

func (s *Server) staffCancel(v *visit) error {
	p, err := s.staffBookingPage(v)
	if err != nil {
		return err
	}
	b := p.Line.Booking
	switch v.value("choice") {
	case "keep":
		return v.seeOther(v.bookingPath(b.ID), "")
	case "cancel":
		err = s.Scheduling.Cancel(v.ctx(), v.actor(), v.study.ID, b.ID, true)
	default:
		var check errs.Check
		check.Add("choice", "field_work.choose")
		err = check.Err()
	}
	if mendable(err) {
		form := v.againForm(err)
		form.Values = url.Values{"day": p.Form.Values["day"], "time": p.Form.Values["time"], "choice": v.form["choice"]}
		p.Form = form
		return v.again(err, "staff/booking", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.bookingPath(b.ID), "appointment_cancelled")
}

const (
	fewOffers = 3 // after a time that was taken
	someTimes = 6 // where nobody has asked for one yet
)

// offers are the free times nearest to a moment, as links that fill in the form at path; it reads times as in zone.
func (s *Server) offers(v *visit, audience string, around time.Time, zone *time.Location, path string, keep ...string) ([]offer, error) {
	n := fewOffers
	if !around.After(v.now()) {
		n = someTimes
	}
	slots, err := s.Scheduling.Nearest(v.ctx(), v.study.ID, audience, around, n)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(slots, func(a, b scheduling.Slot) int { return a.Start.Compare(b.Start) })
	var offers []offer
	for _, slot := range slots {
		start := slot.Start.In(zone)
		pairs := append([]string{"day", start.Format(time.DateOnly), "time", start.Format(clockLayout)}, keep...)
		offers = append(offers, offer{v.text.Date(start, i18n.WeekdayTime), withQuery(path, pairs...)})
	}
	return offers, nil
}
