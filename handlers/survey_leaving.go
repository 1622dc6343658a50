package handlers

import (
	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
)

// surveyThanksPage tells what happens now.
type surveyThanksPage struct{ base }

func (s *Server) surveyThanks(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	if a.place() != atThanks {
		return v.seeOther("/survey", "")
	}
	p := surveyThanksPage{base: v.page("answering.thanks.title")}
	p.Status = v.text.T("answering.thanks.status")
	return v.show("participant/survey_thanks", p)
}

// surveyDone ends the session on this device.
func (s *Server) surveyDone(v *visit) error {
	if err := v.endSession(); err != nil {
		return err
	}
	return v.seeOther("/survey/bye", "")
}

func (s *Server) surveyBye(v *visit) error { return v.farewell("bye") }

// surveyLater is where «continue later» ends: the link in the mail opens the same page again.
func (s *Server) surveyLater(v *visit) error { return v.farewell("later") }

// surveyLeft says what was done. Whoever sees it has no session any more, and maybe no row.
func (s *Server) surveyLeft(v *visit) error { return v.farewell("left") }

func (v *visit) farewell(place string) error {
	return v.show("participant/survey_note", surveyNote{base: v.page("answering." + place + ".title"), Place: place, Left: v.left()})
}

// surveyWithdrawPage explains what withdrawing does before it is done.
type surveyWithdrawPage struct {
	base
	Informant bool // took part in a conversation too, which stays
	Sent      bool
	Left      farewell
}

// Choices are equal: neither stands out, and nothing is chosen beforehand.
func (p surveyWithdrawPage) Choices() field {
	return p.Radio("choice", []choice{
		{Value: "all", Label: p.T("answering.withdraw.all")},
		{Value: "stay", Label: p.T("answering.withdraw.stay")},
	}, "label=answering.withdraw.legend", "hint=answering.withdraw.no_hint")
}

func (s *Server) surveyWithdraw(v *visit) error {
	p, err := s.leavingPage(v)
	if err != nil {
		return err
	}
	return v.show("participant/survey_withdraw", p)
}

func (s *Server) leavingPage(v *visit) (surveyWithdrawPage, error) {
	a, err := s.answering(v)
	p := surveyWithdrawPage{base: v.page("answering.withdraw.title"), Informant: a.respondent.Informant, Sent: a.place() == atThanks}
	p.Status = v.text.T("answering.withdraw.status")
	if err != nil {
		return p, err
	}
	parting, err := s.People.Parting(v.Request.Context(), v.study.ID, v.link.Person)
	p.Left = farewellOf(v.text, v.zone(), parting)
	return p, err
}

// surveyLeave takes the respondent out. Somebody who was interviewed too leaves the survey only: their conversation has
// a link and a withdrawal of its own.
func (s *Server) surveyLeave(v *visit) error {
	p, err := s.leavingPage(v)
	if err != nil {
		return err
	}
	switch v.value("choice") {
	case "stay":
		return v.seeOther("/survey", "")
	case "all":
	default:
		var check errs.Check
		check.Add("choice", "answering_choose")
		p.Form = v.againForm(check.Err())
		return v.again(check.Err(), "participant/survey_withdraw", p)
	}
	if p.Informant {
		err := s.People.WithdrawPurposes(v.ctx(), v.actor(), v.study.ID, v.link.Person, consents.Survey, consents.SurveyContact)
		if err := settled(err); err != nil {
			return err
		}
		return v.seeOther("/survey", "")
	}
	to, err := s.leave(v, v.link.Person, "/survey/left")
	if err != nil {
		return err
	}
	return v.seeOther(to, "")
}
