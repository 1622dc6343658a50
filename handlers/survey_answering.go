package handlers

import (
	"errors"
	"html/template"
	"strconv"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

// answering is how things stand between a respondent and their survey.
type answering struct {
	survey     surveys.Survey
	respondent surveys.Respondent
	said       consents.State
	standing   string // to the purpose of answering
	kept       bool   // what they gave is only kept for now
	takes      bool   // the survey takes answers now
	saved      surveys.Saved
	form       surveys.Form // the version they are on
}

// The places that a respondent can be at; all but answers have a page of their own.
const (
	atThanks   = "thanks"
	atOut      = "out"
	atClosed   = "closed"
	atDeclined = "declined"
	atKept     = "kept"
	atLetter   = "letter"
	atAnswers  = "answers"
)

// answering reads how things stand. The survey is the link's, whatever the address says.
func (s *Server) answering(v *visit) (a answering, err error) {
	ctx, study, survey, person := v.ctx(), v.study.ID, id.Survey(v.link.Subject), v.link.Person
	if a.survey, err = s.Surveys.Get(ctx, study, survey); err != nil {
		return a, err
	}
	if a.respondent, err = s.Surveys.RespondentOf(ctx, study, survey, person); err != nil {
		return a, err
	}
	if a.said, err = s.Consents.State(ctx, study, person); err != nil {
		return a, err
	}
	a.standing, a.takes = a.said.ByPurpose[consents.Survey], a.survey.Takes(v.now())
	kept, err := s.Consents.RestrictionOf(ctx, person)
	if err != nil {
		return a, err
	}
	a.kept = kept.Kind != ""
	if a.saved, err = s.Surveys.SavedOf(ctx, study, survey, person); err != nil {
		return a, err
	}
	a.form, err = s.Surveys.FormAt(ctx, study, survey, a.saved.Version)
	return a, err
}

// place is where the respondent belongs.
func (a answering) place() string {
	switch {
	case a.respondent.State == surveys.Answered:
		return atThanks
	case a.respondent.State == surveys.Out:
		return atOut
	case a.kept:
		return atKept
	case !a.takes:
		return atClosed
	case a.standing == consents.No:
		return atDeclined
	case a.standing != consents.Yes:
		return atLetter
	}
	return atAnswers
}

// next is the page to go on with: the one after the page saved last, or the review after the last one.
func (a answering) next() string {
	n := a.saved.Page + 1
	if a.saved.SavedAt == 0 {
		n = 0
	}
	return a.page(n)
}

// page is the address of a page, counted from 0; beyond the last one comes the review.
func (a answering) page(n int) string {
	if n >= len(a.form.Pages) {
		return "/survey/review"
	}
	return "/survey/page/" + strconv.Itoa(n+1)
}

// surveyHere leads to where the respondent belongs, and shows the places that are only a few words.
func (s *Server) surveyHere(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	switch place := a.place(); place {
	case atThanks, atLetter:
		return v.seeOther("/survey/"+place, "")
	case atAnswers:
		return v.seeOther(a.next(), "")
	default:
		return v.show("participant/survey_note", surveyNote{base: v.page("answering." + place + ".title"), Place: place, Change: place == atDeclined, Mine: true})
	}
}

// surveyNote is a page of a title and a few words.
type surveyNote struct {
	base
	Place  string
	Change bool // offers to read the letter again and answer anew
	Mine   bool // leads to their own page: not once they are no longer known here
	Left   farewell
}

// surveyLetterPage is the information letter with what it asks.
type surveyLetterPage struct {
	base
	Letter consents.Letter
	Asks   []consents.Item // what is asked; nothing of whoever has said yes
	OfAge  bool            // they have said before that they are old enough
}

// Demands are what else the study asks.
func (p surveyLetterPage) Demands() demands { return p.demands(p.OfAge) }

// LetterLang is the letter's language where it is not the page's.
func (p surveyLetterPage) LetterLang() string {
	if p.Letter.Language == p.Lang() {
		return ""
	}
	return p.Letter.Language
}

// Fingerprint is the beginning of the letter's hash, in groups that can be read aloud.
func (p surveyLetterPage) Fingerprint() string { return fingerprint(p.Letter) }

func (s *Server) surveyLetter(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	p, err := s.askingPage(v, a)
	if err != nil {
		return err
	}
	return v.show("participant/survey_letter", p)
}

// askingPage shows the newest letter. Whoever has said yes reads it without being asked again.
func (s *Server) askingPage(v *visit, a answering) (surveyLetterPage, error) {
	letter, err := s.Consents.Current(v.ctx(), v.study.ID, consents.Respondent, v.text.Lang())
	if err != nil {
		return surveyLetterPage{}, err
	}
	p := surveyLetterPage{base: v.page("answering.letter.title"), Letter: letter, OfAge: a.said.AgeKnown(v.study.MinimumAge)}
	p.Title = letter.Title
	p.Status = v.text.T("answering.letter.status_" + answeredWord(a.standing))
	if place := a.place(); place == atLetter || place == atDeclined {
		p.Asks = letter.Items
	}
	return p, nil
}

func answeredWord(standing string) string {
	if standing == consents.Yes || standing == consents.No {
		return standing
	}
	return consents.Unasked
}

// Fields are the letter's questions as fields. They are made when the page is shown, when the form's errors are known.
func (p surveyLetterPage) Fields() []field {
	fields := make([]field, len(p.Asks))
	for i, item := range p.Asks {
		f := p.Radio("consent_"+item.Purpose, []choice{{Value: "yes", Label: p.T("form.yes")}, {Value: "no", Label: p.T("form.no")}})
		f.Label, f.Hint, f.Optional = item.Text, item.Hint, p.T("act.required")
		fields[i] = f
	}
	return fields
}

func (s *Server) surveyConsent(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	if place := a.place(); place != atLetter && place != atDeclined {
		return v.seeOther("/survey", "")
	}
	letter, err := s.letterOfForm(v, consents.Respondent)
	if err != nil {
		return s.surveyAsksAgain(v, a, err)
	}
	f := v.consentForm(letter)
	if v.value("change") != "" { // back from the second step, with what was answered
		p, err := s.askingPage(v, a)
		if err != nil {
			return err
		}
		p.Form = v.newForm(v.form)
		return v.show("participant/survey_letter", p)
	}
	yes, err := s.giveConsent(v, f, consents.Act{Person: v.link.Person, Means: consents.BySurvey, Survey: a.survey.ID})
	if asked, shown := v.askTwice(err, f, "/survey/consent"); asked {
		return shown
	}
	if err != nil {
		return s.surveyAsksAgain(v, a, err)
	}
	if !yes {
		if err := s.Surveys.Decline(v.ctx(), v.study.ID, a.survey.ID, v.link.Person); err != nil {
			return err
		}
	}
	return v.seeOther("/survey", "")
}

// surveyAsksAgain shows the newest letter with what is wrong. Answers to one that was replaced are not chosen in advance.
func (s *Server) surveyAsksAgain(v *visit, a answering, cause error) error {
	if !mendable(cause) {
		return cause
	}
	p, err := s.askingPage(v, a)
	if err != nil {
		return err
	}
	p.Form = v.againForm(cause)
	if errors.Is(cause, consents.ErrLetterChanged) {
		p.Form.unchoose()
	}
	return v.again(cause, "participant/survey_letter", p)
}

// Body is the whole letter.
func (p surveyLetterPage) Body() template.HTML { return consents.HTML(p.Letter.Body) }
