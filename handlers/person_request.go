package handlers

import (
	"example.org/feltbok/consents"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// personRequestPage lets the team enter what somebody asked for, such as on the telephone: the month runs from then.
type personRequestPage struct {
	asking
	Person recruitment.Participant
}

// personRequest is the page and its form.
func (s *Server) personRequest(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	p := personRequestPage{asking: asking{v.page("rights.entered.title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	if v.form == nil {
		return v.show("staff/person_request", p)
	}
	if err = s.request(v, one.ID); err == nil {
		return v.seeOther(v.onePath(one.ID), "person_request")
	}
	if !mendable(err) {
		return err
	}
	p.Form = v.againForm(err)
	return v.again(err, "staff/person_request", p)
}

// Kinds are what can be asked for, with what takes effect at once; none is chosen beforehand.
func (p personRequestPage) Kinds() field {
	choices := worded(p.asking, "rights.asked.", consents.Requests)
	for i, c := range choices {
		key := "rights.entered." + c.Value
		if c.Value == consents.AnswerObject && p.Study.LegalBasis == studies.PublicInterest {
			key += "_interest"
		}
		if p.Has(key) {
			choices[i].Hint = p.T(key)
		}
	}
	return p.Radio("kind", choices, "label=rights.entered.kind", "hint=")
}
