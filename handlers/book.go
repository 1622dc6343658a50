package handlers

import (
	"errors"
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// staffBookPage enters an appointment that was agreed on outside the pages, such as on the telephone.
type staffBookPage struct {
	arranging
	Person   recruitment.Participant
	Standing string // of the interview: "yes", "no", "unasked" or "restricted"
	Other    string // the open appointment there is already
	OtherAt  string
	NoHours  bool
	Offers   []offer // while nothing is typed yet
}

// FollowUp is a box to tick where the person has an open appointment.
func (p staffBookPage) FollowUp() field {
	return p.Radio("follow_up", []choice{{Value: "yes", Label: p.T("book.follow_up_yes")}}, "type=checkbox", "label=book.follow_up", "optional")
}

func (s *Server) staffBook(v *visit) error {
	p, err := s.staffBookPage(v)
	if err != nil {
		return err
	}
	if v.form == nil {
		for _, name := range []string{"day", "time", "mode"} {
			p.Form.Values.Set(name, v.Query(name))
		}
		if p.Offers, err = s.offers(v, p); err != nil {
			return err
		}
		return v.show("staff/book", p)
	}
	t, err := v.terms(p.arranging)
	var made scheduling.Booking
	if err == nil {
		made, err = s.People.Book(v.ctx(), v.actor(), v.bookRequest(p.Person, t), t.Words)
	}
	if mendable(err) || errors.Is(err, scheduling.ErrNotAllowed) {
		return s.staffBookAgain(v, p, t, err)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.bookingPath(made.ID), "appointment_made")
}

func (v *visit) bookRequest(person recruitment.Participant, t terms) scheduling.Request {
	return scheduling.Request{Study: v.study.ID, Person: person.ID, Audience: person.Audience, Mode: t.Mode, Start: t.Start, ByStaff: true,
		Interviewers: t.Interviewers, Place: t.Place, Zone: v.study.Zone, FollowUp: v.value("follow_up") == "yes"}
}

func (s *Server) staffBookAgain(v *visit, p staffBookPage, t terms, refused error) error {
	if errors.Is(refused, consents.ErrRestricted) {
		refused = consents.ErrRestricted // what lies behind it helps the team more
	}
	if err := s.arrangeAgain(v, &p.arranging, p.Person.Audience, t, refused); err != nil {
		return err
	}
	return v.again(refused, "staff/book", p)
}

func (s *Server) staffBookPage(v *visit) (staffBookPage, error) {
	person, err := s.askedPerson(v)
	if err != nil {
		return staffBookPage{}, err
	}
	state, err := s.Consents.State(v.ctx(), v.study.ID, person.ID)
	if err != nil {
		return staffBookPage{}, err
	}
	answers, err := s.answersOne(v, person.ID, state)
	if err != nil {
		return staffBookPage{}, err
	}
	kind, err := s.Scheduling.TypeOf(v.ctx(), v.study.ID, person.Audience)
	if err != nil {
		return staffBookPage{}, err
	}
	weeks, err := s.Scheduling.Weeks(v.ctx(), v.study.ID)
	if err != nil {
		return staffBookPage{}, err
	}
	p := staffBookPage{arranging: arranging{base: v.page("book.title", "Code", person.Code), Usual: kind.Place}, Person: person,
		Standing: gateWord(answers.May(person.ID, consents.Interview)), NoHours: len(weeks) == 0}
	p.Here = "candidates"
	if p.Team, err = s.interviewers(v); err != nil {
		return p, err
	}
	open, err := s.bookingsOf(v, person.ID, scheduling.Booked)
	if err == nil && len(open) > 0 {
		p.Other, p.OtherAt = whenOf(p.base, open[0]), v.bookingPath(open[0].ID)
	}
	return p, err
}

// bookingsOf are a person's appointments that stand so.
func (s *Server) bookingsOf(v *visit, person id.Person, states ...scheduling.State) ([]scheduling.Booking, error) {
	all, err := s.Scheduling.Of(v.ctx(), v.study.ID, person)
	return slices.DeleteFunc(all, func(b scheduling.Booking) bool { return !slices.Contains(states, b.State) }), err
}

// offer is a link with words of its own.
type offer struct{ Label, Address string }

// offers are the first free times, as links that fill in the form: looking changes nothing.
func (s *Server) offers(v *visit, p staffBookPage) (offers []offer, err error) {
	mode := scheduling.Mode(v.Query("mode"))
	slots, err := s.nearest(v, p.Person.Audience, mode, v.now(), someTimes)
	for _, slot := range slots {
		start := slot.Start.In(p.Zone)
		label, pairs := v.text.Date(start, i18n.WeekdayTime), []string{"mode", string(mode), "day", start.Format(time.DateOnly), "time", start.Format(clockLayout)}
		if mode == scheduling.Email {
			label, pairs = v.text.Date(start, i18n.Weekday), pairs[:4]
		}
		offers = append(offers, offer{label, withQuery(p.Path, pairs...)})
	}
	return offers, err
}
