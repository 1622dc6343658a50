package handlers

import (
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// leavePage explains what happens when the team takes somebody out at their word.
type leavePage struct {
	asking
	Person recruitment.Participant
	Open   []scheduling.Booking
	Left   farewell
}

func (s *Server) newLeavePage(v *visit) (leavePage, error) {
	one, err := s.askedPerson(v)
	if err != nil {
		return leavePage{}, err
	}
	p := leavePage{asking: asking{v.page("people.leave.title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	parting, err := s.People.Parting(v.Request.Context(), v.study.ID, one.ID)
	if err != nil {
		return leavePage{}, err
	}
	p.Left = farewellOf(v.text, v.zone(), parting)
	p.Open, err = s.bookingsOf(v, one.ID, scheduling.Booked)
	return p, err
}

// Todo is what the team gets to do.
func (p leavePage) Todo() (tasks []string) {
	for _, kind := range p.Left.ByHand {
		tasks = append(tasks, p.T("leaving.todo."+kind))
	}
	return tasks
}

func (s *Server) personWithdraw(v *visit) error {
	p, err := s.newLeavePage(v)
	if err != nil {
		return err
	}
	return v.show("staff/person_withdraw", p)
}

func (s *Server) personWithdrawn(v *visit) error {
	p, err := s.newLeavePage(v)
	if err != nil {
		if s.left(v) {
			return v.seeOther(v.studyPath("/candidates"), "person_left")
		}
		return err
	}
	switch v.value("choice") {
	case "keep":
		return v.seeOther(v.onePath(p.Person.ID), "person_kept")
	case "withdraw":
		if err = settled(s.People.Withdraw(v.apart(leave), v.actor(), v.study.ID, p.Person.ID)); err == nil {
			return v.seeOther(v.studyPath("/candidates"), "person_left")
		}
	default:
		err = faultAt(errs.Invalid, "choice", "people.choose_leave")
	}
	if !mendable(err) {
		return err
	}
	p.Form = v.againForm(err)
	return v.again(err, "staff/person_withdraw", p)
}

// Choices stand side by side; neither is chosen beforehand.
func (p leavePage) Choices() []choice {
	yes := p.T("people.leave.yes")
	if p.Left.Keeps() {
		yes = p.T("leaving.staff.yes.anonymise")
	}
	return []choice{{Value: "withdraw", Label: yes}, {Value: "keep", Label: p.T("people.leave.no")}}
}
