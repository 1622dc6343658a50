package handlers

import (
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/recruitment"
)

// refusePage lets the team enter that somebody said, such as on the telephone, that they want to hear no more.
type refusePage struct {
	asking
	Person recruitment.Participant
}

// personRefuse is the page and its form.
func (s *Server) personRefuse(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	p := refusePage{asking: asking{v.page("people.refuse.title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	if v.form == nil {
		return v.show("staff/person_refuse", p)
	}
	switch v.value("choice") {
	case "keep":
		return v.seeOther(v.onePath(one.ID), "")
	case "refuse":
		if err = s.People.Refuse(v.ctx(), v.actor(), v.study.ID, one.ID); err == nil {
			return v.seeOther(v.onePath(one.ID), "person_refused")
		}
	default:
		err = faultAt(errs.Invalid, "choice", "people.choose_refuse")
	}
	if !mendable(err) {
		return err
	}
	p.Form = v.againForm(err)
	return v.again(err, "staff/person_refuse", p)
}

// Choices stand side by side; neither is chosen beforehand.
func (p refusePage) Choices() field {
	choices := []choice{{Value: "refuse", Label: p.T("people.refuse.yes")}, {Value: "keep", Label: p.T("people.refuse.no")}}
	return p.Radio("choice", choices, "label=people.refuse.question", "hint=")
}
