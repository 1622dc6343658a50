package handlers

import (
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/id"
)

const (
	withdrawAll = "all"
	withdrawNot = "stay"
)

// withdrawable lists what can be chosen: everything, each yes, and to stay.
func (o own) withdrawable() []string {
	offered := []string{withdrawAll}
	for _, purpose := range consents.Purposes {
		if o.standing(purpose) == consents.Yes {
			offered = append(offered, purpose)
		}
	}
	return append(offered, withdrawNot)
}

// myWithdraw says what leaving leads to before anything is chosen. No reason is asked.
func (s *Server) myWithdraw(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	p, err := s.myWithdrawPage(v, o, v.newForm(nil))
	if err != nil {
		return err
	}
	return v.show("participant/withdraw", p)
}

// myWithdrawPage says what leaving leads to, by the study's policy.
type myWithdrawPage struct {
	base
	Appointments []*appointment // that are cancelled
	Choices      []choice
	Left         farewell
}

func (s *Server) myWithdrawPage(v *visit, o own, f form) (p myWithdrawPage, err error) {
	p = myWithdrawPage{base: v.page("my.withdraw.title"), Choices: v.myChoices("my.withdraw.choice.", o.withdrawable())}
	p.Form, p.Status = f, v.text.T("my.status.nothing_yet")
	parting, err := s.People.Parting(v.Request.Context(), v.study.ID, o.ID)
	if err != nil {
		return p, err
	}
	p.Left = farewellOf(v.text, v.zone(), parting)
	p.Appointments, err = s.appointments(v, o.open())
	return p, err
}

func (s *Server) myWithdrawDo(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	chosen, err := v.myChoice(o.withdrawable())
	switch {
	case err != nil:
	case chosen == withdrawNot:
		return v.seeOther("/my", "")
	case chosen == withdrawAll:
		return s.withdrawWhole(v)
	default:
		err = s.People.WithdrawPurposes(v.apart(chosen), v.actor(), v.study.ID, v.session.Person, chosen)
	}
	if mendable(err) {
		p, shown := s.myWithdrawPage(v, o, v.againForm(err))
		if shown != nil {
			return shown
		}
		return v.again(err, "participant/withdraw", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther("/my", "my_withdrawn")
}

func (s *Server) withdrawWhole(v *visit) error {
	to, err := s.leave(v, v.session.Person, "/my/left")
	if err != nil {
		return err
	}
	return v.seeOther(to, "")
}

// leave takes a person out and ends their session. What was promised stands in the address of the page that says what was done:
// whoever reads that is no longer known here.
func (s *Server) leave(v *visit, person id.Person, to string) (string, error) {
	parting, err := s.People.Parting(v.Request.Context(), v.study.ID, person)
	if err != nil {
		return "", err
	}
	if err := s.People.Withdraw(v.apart(leave), v.actor(), v.study.ID, person); err != nil {
		return "", err
	}
	v.forgetSession()
	query := parting.Query(v.zone())
	query.Set("lang", v.text.Lang())
	return to + "?" + query.Encode(), nil
}

// leftPage lists what was done, as far as the address tells.
type leftPage struct {
	base
	Left farewell
}

func (v *visit) left() farewell { return farewellOf(v.text, time.UTC, partingOf(v.Query)) }

func (s *Server) myLeft(v *visit) error {
	return v.show("participant/left", leftPage{v.page("my.left.title"), v.left()})
}
