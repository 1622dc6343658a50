package handlers

import (
	"errors"
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// staffBookPage enters an appointment that was agreed on outside the pages, such as on the telephone.
type staffBookPage struct {
	base
	Person   recruitment.Participant
	Standing string // of the interview: "yes", "no", "unasked" or "restricted"
	Other    string // the open appointment there is already
	OtherAt  string
	Usual    string // where the audience's interviews are held
	NoHours  bool
	Offers   []offer
	Taken    bool // the time that was asked for: the offers are the nearest to it
}

// Modes are the ways of talking.
func (p staffBookPage) Modes() field {
	return p.Radio("mode", modeChoices(p.base), "label=booking.mode")
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
		if p.Offers, err = s.offers(v, p.Person.Audience, v.now(), v.zone(), p.Path); err != nil {
			return err
		}
		return v.show("staff/book", p)
	}
	r, err := v.bookRequest(p.Person)
	var made scheduling.Booking
	if err == nil {
		made, err = s.Scheduling.Book(v.ctx(), v.actor(), r)
	}
	if mendable(err) || errors.Is(err, scheduling.ErrNotAllowed) {
		return s.staffBookAgain(v, p, r.Start, err)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.bookingPath(made.ID), "appointment_made")
}

// staffBookAgain shows the form with what was typed, and after a time that was taken the nearest free ones first.
func (s *Server) staffBookAgain(v *visit, p staffBookPage, start time.Time, refused error) error {
	if errors.Is(refused, consents.ErrRestricted) {
		refused = consents.ErrRestricted // what lies behind it helps the team more
	}
	p.Form = v.againForm(renamed(refused, atTime))
	around := v.now()
	if errors.Is(refused, scheduling.ErrTaken) {
		around, p.Taken = start, true
	}
	offers, err := s.offers(v, p.Person.Audience, around, v.zone(), p.Path, "mode", v.value("mode"))
	if err != nil {
		return err
	}
	p.Offers = offers
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
	p := staffBookPage{base: v.page("book.title", "Code", person.Code), Person: person, Standing: gateWord(answers.May(person.ID, consents.Interview)),
		Usual: kind.Place, NoHours: len(weeks) == 0}
	p.Here = "candidates"
	open, err := s.openBookings(v, person.ID)
	if err == nil && len(open) > 0 {
		p.Other, p.OtherAt = v.text.Date(open[0].Start(), i18n.WeekdayTime), v.bookingPath(open[0].ID)
	}
	return p, err
}

// openBookings are a person's appointments that are neither cancelled nor held.
func (s *Server) openBookings(v *visit, person id.Person) ([]scheduling.Booking, error) {
	all, err := s.Scheduling.Of(v.ctx(), v.study.ID, person)
	return slices.DeleteFunc(all, func(b scheduling.Booking) bool { return b.State != scheduling.Booked }), err
}

// bookRequest reads the form. What is missing is said all at once, before anything is asked of the domain.
func (v *visit) bookRequest(person recruitment.Participant) (scheduling.Request, error) {
	var check errs.Check
	r := scheduling.Request{Study: v.study.ID, Person: person.ID, Audience: person.Audience, Mode: scheduling.Mode(v.value("mode")), ByStaff: true,
		Zone: v.study.Zone, Place: v.value("place"), FollowUp: v.value("follow_up") == "yes", Start: v.formMoment(&check, v.study.Zone)}
	if !slices.Contains(scheduling.Modes, r.Mode) {
		check.Add("mode", "scheduling.mode")
	}
	return r, check.Err()
}
