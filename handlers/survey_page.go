package handlers

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/surveys"
)

// surveyPagePage is one page to answer.
type surveyPagePage struct {
	base
	View       pageView
	Number, Of int // from 1
	Version    int
}

func (s *Server) surveyPage(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	if a.place() != atAnswers {
		return v.seeOther("/survey", "")
	}
	n, err := a.pageNumber(v)
	if err != nil {
		return err
	}
	return v.show("participant/survey_page", v.answeringPage(a, n, v.newForm(url.Values(a.saved.Answers.Raw()))))
}

// pageNumber is the page in the address, counted from 0.
func (a answering) pageNumber(v *visit) (int, error) {
	n, err := strconv.Atoi(v.Param("n"))
	if err != nil || n < 1 || n > len(a.form.Pages) {
		return 0, errNoPage
	}
	return n - 1, nil
}

func (v *visit) answeringPage(a answering, n int, f form) surveyPagePage {
	p := surveyPagePage{base: v.page("answering.page.title"), Number: n + 1, Of: len(a.form.Pages), Version: a.saved.Version}
	p.Form = f
	p.View = p.surveyPageView(&a.form, n)
	p.Title = cmp.Or(p.View.Title, a.form.Title.In(v.text.Lang(), a.form.Languages...))
	p.Status = v.text.T("answering.page.status", "N", p.Number, "Of", p.Of)
	if a.saved.SavedAt > 0 {
		p.Status = v.text.T("answering.page.status_saved", "N", p.Number, "Of", p.Of)
	}
	return p
}

// surveySave keeps a page and goes on, back or away. Only going on asks for what is required; but nobody leaves a page
// that holds something we could not keep.
func (s *Server) surveySave(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	// A survey closed meanwhile is not among these: saving refuses then, and what was typed stays in sight.
	if place := a.place(); place != atAnswers && place != atClosed {
		return v.seeOther("/survey", "")
	}
	n, err := a.pageNumber(v)
	if err != nil {
		return err
	}
	to := v.value("to")
	answers, err := surveys.Validate(&a.form, n, v.form)
	if onlyMissing(err) && (to == "back" || to == "later") {
		err = nil
	}
	if err == nil {
		err = s.savePage(v, a, n, answers)
	}
	if mendable(err) {
		return v.again(err, "participant/survey_page", v.answeringPage(a, n, v.againForm(err)))
	}
	if err != nil {
		return err
	}
	return s.goOn(v, a, n, to)
}

// savePage does not use the form's key: saving a page again is saving it once, and a page that the browser kept and
// shows again, with answers changed, must be saved as it stands.
func (s *Server) savePage(v *visit, a answering, n int, answers surveys.Answers) error {
	version, err := strconv.Atoi(v.value("version"))
	if err != nil || version != a.saved.Version {
		return surveys.ErrOtherVersion
	}
	return s.Surveys.SavePage(v.Request.Context(), v.study.ID, a.survey.ID, v.link.Person, version, n, answers)
}

func (s *Server) goOn(v *visit, a answering, n int, to string) error {
	switch to {
	case "back":
		return v.seeOther(a.page(max(n-1, 0)), "")
	case "later":
		if err := v.endSession(); err != nil {
			return err
		}
		return v.seeOther("/survey/later", "")
	}
	return v.seeOther(a.page(n+1), "")
}

// onlyMissing says whether all that is wrong is that something was not answered.
func onlyMissing(err error) bool {
	fields := errs.FieldsOf(err)
	for _, f := range fields {
		switch f.Code {
		case "required", "surveys.choose", "surveys.choose_some":
		default:
			return false
		}
	}
	return len(fields) > 0
}

// surveyReviewPage is everything that was answered, before it is sent.
type surveyReviewPage struct {
	base
	Wordings string // their language, where it is not the page's
	Lines    []reviewLine
	Open     int // questions without an answer
}

// reviewLine is one question with its answer.
type reviewLine struct {
	Question, Answer string
	Address          string // where to change it
	ID               string
	Error            string
}

func (s *Server) surveyReview(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	if a.place() != atAnswers {
		return v.seeOther("/survey", "")
	}
	return v.show("participant/survey_review", v.reviewPage(a, v.newForm(nil)))
}

func (v *visit) reviewPage(a answering, f form) surveyReviewPage {
	p := surveyReviewPage{base: v.page("answering.review.title")}
	p.Form = f
	lang := a.form.Language(v.text.Lang())
	if lang != v.text.Lang() {
		p.Wordings = lang
	}
	for page, q := range a.form.Questions() {
		if q.Type == surveys.Note {
			continue
		}
		line := reviewLine{Question: q.Label.In(lang, a.form.Languages...), Answer: answerText(&a.form, q, a.saved.Answers[q.Name], lang),
			Address: a.page(page) + "#f-" + q.Input(), ID: "f-" + q.Input(), Error: f.ErrorOf(q.Input())}
		if line.Answer == "" {
			p.Open++
		}
		p.Lines = append(p.Lines, line)
	}
	p.Status = v.text.T("answering.review.status")
	return p
}

// surveySubmit sends the answers. Whoever sent them from another device meanwhile is where they wanted to be.
func (s *Server) surveySubmit(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	if place := a.place(); place != atAnswers && place != atClosed {
		return v.seeOther("/survey", "")
	}
	err = s.Surveys.Submit(v.ctx(), v.actor(), v.study.ID, a.survey.ID, v.link.Person, v.text.Lang())
	if errors.Is(err, surveys.ErrAnswered) {
		return v.seeOther("/survey/thanks", "")
	}
	if mendable(err) {
		return v.again(err, "participant/survey_review", v.reviewPage(a, v.againForm(err)))
	}
	if err != nil {
		return err
	}
	return v.seeOther("/survey/thanks", "")
}
