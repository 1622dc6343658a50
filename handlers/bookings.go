package handlers

import (
	"errors"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/consents"
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
	Clock     string // empty in writing, which takes the day
	ISO       string
	How       string
	Who       string // the interviewers
	Recording string // "yes", "no", "unasked" or "restricted"
	Mark      string // the badge: half, missing, full or cross
	Says      string
	Begun     bool    // it can have been held, or missed
	Acts      []offer // where to say so
	Clashes   []clash
}

// Written tells answers in writing from a meeting.
func (l bookingLine) Written() string { return inWriting(l.Mode) }

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
	Days    []agendaDay   // what is to come
	Coming  int
	Past    []bookingLine // newest first
	Several bool          // more than one interviewer, so that names tell something
	Mine    bool          // only one's own
	NoHours bool          // nobody offers any time
}

// agendaDay is one day of the agenda.
type agendaDay struct {
	ISO   string
	Name  string // "i dag", "i morgen" or the day of the week
	Date  string
	Lines []bookingLine
}

// diaries is what lines about appointments need of the study: asked once for all of them.
type diaries struct {
	people map[id.Person]recruitment.Participant
	said   consents.Answers
	names  map[id.Account]string

	clashes map[id.Booking][]clash // where they are shown
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
	return s.accountNames(v.ctx(), slices.Compact(ids)...)
}

// personsOf are whom appointments are with.
func personsOf(bookings []scheduling.Booking) (persons []id.Person) {
	for _, b := range bookings {
		persons = append(persons, b.Person)
	}
	return persons
}

// standing is what the gate says: yes, no, unasked or restricted.
func (d diaries) standing(person id.Person, purpose string) string {
	return gateWord(d.said.May(person, purpose))
}

func (v *visit) bookingLine(d diaries, b scheduling.Booking) bookingLine {
	line := bookingLine{Booking: b, Code: d.people[b.Person].Code, Date: v.text.Date(b.Start(), i18n.Weekday), Clock: v.text.Date(b.Start(), i18n.Clock),
		ISO: b.Start().Format(wallLayout), How: v.text.T("field_work.mode." + string(b.Mode)), Recording: d.standing(b.Person, consents.Recording),
		Begun: b.StartsAt <= v.now().UnixMilli(), Clashes: d.clashes[b.ID]}
	if b.Start().Year() != v.now().In(b.Start().Location()).Year() {
		line.Date = v.text.Date(b.Start(), i18n.Full)
	}
	if b.Mode == scheduling.Email {
		line.Clock, line.ISO = "", b.Start().Format(time.DateOnly)
	}
	var who []string
	for _, a := range b.Interviewers {
		who = append(who, d.names[a])
	}
	line.Who = strings.Join(who, ", ")
	if line.Begun {
		line.Acts = begun(base{Text: v.text, Study: v.study}, b)
	}
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
	if d.clashes, err = s.clashes(v, ""); err != nil {
		return err
	}
	p := staffBookingsPage{base: v.page("bookings.title"), Mine: v.Query("mine") != "", Several: len(d.names) > 1,
		NoHours: !slices.ContainsFunc(weeks, func(w scheduling.Week) bool { return len(w.Windows)+len(w.Ranges) > 0 })}
	p.Here = "bookings"
	for _, b := range all {
		if p.Mine && !slices.Contains(b.Interviewers, v.session.Account) {
			continue
		}
		p.add(v.bookingLine(d, b))
	}
	slices.Reverse(p.Past)
	return v.show("staff/bookings", p)
}

// add puts a line where it stands; lines come by time.
func (p *staffBookingsPage) add(line bookingLine) {
	switch line.Mark {
	case "missing":
		p.Waiting = append(p.Waiting, line)
	case "half":
		day := p.agendaDay(line.Start())
		if last := len(p.Days) - 1; last < 0 || p.Days[last].ISO != day.ISO {
			p.Days = append(p.Days, day)
		}
		today := &p.Days[len(p.Days)-1]
		today.Lines = append(today.Lines, line)
		p.Coming++
	default:
		p.Past = append(p.Past, line)
	}
}

// agendaDay names the day of a moment as one says it today.
func (p *staffBookingsPage) agendaDay(at time.Time) agendaDay {
	day := agendaDay{ISO: at.Format(time.DateOnly), Name: capital(p.Weekday(at.Weekday())), Date: plainDay(p.base, at)}
	switch daysBetween(p.Now.In(at.Location()), at) {
	case 0:
		day.Name = capital(p.T("home.today"))
	case 1:
		day.Name = capital(p.T("appointments.tomorrow"))
	}
	return day
}

// clash is what speaks against an appointment to come and does not stop it.
type clash struct {
	Text    string
	Outside bool // only that somebody is not at work then
}

// clashes are those of the study's appointments, in words; with who only that interviewer's.
func (s *Server) clashes(v *visit, who id.Account) (map[id.Booking][]clash, error) {
	found, err := s.Scheduling.Clashes(v.ctx(), v.study.ID)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var accounts []id.Account
	for _, c := range found {
		accounts = append(accounts, c.Account)
	}
	names, err := s.accountNames(v.ctx(), accounts...)
	of := map[id.Booking][]clash{}
	for _, c := range found {
		if who != "" && c.Account != who {
			continue
		}
		what := "busy"
		if c.Outside {
			what = "outside"
		}
		text := v.text.T("appointments."+what, "Name", names[c.Account])
		if c.Account == v.session.Account {
			text = v.text.T("appointments." + what + "_you")
		}
		of[c.Booking] = append(of[c.Booking], clash{text, c.Outside})
	}
	return of, err
}

// inWords are clashes in one text.
func inWords(clashes []clash) string {
	var texts []string
	for _, c := range clashes {
		texts = append(texts, c.Text)
	}
	return strings.Join(texts, " ")
}
