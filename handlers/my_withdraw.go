package handlers

import "example.org/feltbok/consents"

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

func (s *Server) myWithdrawPage(v *visit, o own, f form) (p myChoicePage, err error) {
	p = myChoicePage{base: v.page("my.withdraw.title"), Choices: v.myChoices("my.withdraw.choice.", o.withdrawable())}
	p.Form, p.Status = f, v.text.T("my.status.nothing_yet")
	if b, ok := o.open(); ok {
		p.Appointment, err = s.appointment(v, b)
	}
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
	if err := s.People.Withdraw(v.apart(leave), v.actor(), v.study.ID, v.session.Person); err != nil {
		return err
	}
	v.forgetSession()
	return v.seeOther("/my/left?lang="+v.text.Lang(), "")
}

// myLeft lists what was done. It is the same for everybody: whoever reads it is no longer known here.
func (s *Server) myLeft(v *visit) error { return v.show("participant/left", v.page("my.left.title")) }
