package handlers

import (
	"errors"
	"strings"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// surveyListPage lists a study's surveys.
type surveyListPage struct {
	base
	Lines  []surveyLine
	Themes int // in the coding matrix, to draft from
}

type surveyLine struct {
	surveys.Survey
	Counts surveyCounts
}

// surveyCounts is how many came how far.
type surveyCounts struct{ Listed, Asked, Started, Answered, Declined, Out int }

func countsOf(by map[surveys.Progress]int) surveyCounts {
	c := surveyCounts{Listed: by[surveys.Listed], Started: by[surveys.Started], Answered: by[surveys.Answered],
		Declined: by[surveys.Declined], Out: by[surveys.Out]}
	c.Asked = by[surveys.Invited] + c.Started + c.Answered + c.Declined + c.Out
	return c
}

// Rate is the percentage of those asked who answered.
func (c surveyCounts) Rate() int {
	if c.Asked == 0 {
		return 0
	}
	return percentOf(c.Answered, c.Asked)
}

func percentOf(n, of int) int { return (200*n + of) / (2 * of) }

func (v *visit) surveyPath(survey id.Survey, rest string) string {
	return v.studyPath("/surveys/" + string(survey) + rest)
}

func (v *visit) surveyBase(title string, args ...any) base {
	b := v.page(title, args...)
	b.Here = "surveys"
	return b
}

func (s *Server) surveyList(v *visit) error {
	p, err := s.surveyIndex(v)
	if err != nil {
		return err
	}
	return v.show("staff/surveys", p)
}

func (s *Server) surveyIndex(v *visit) (surveyListPage, error) {
	p := surveyListPage{base: v.surveyBase("surveys.title")}
	all, err := s.Surveys.List(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	for _, survey := range all { // a study has a handful
		counts, err := s.Surveys.Counts(v.ctx(), v.study.ID, survey.ID)
		if err != nil {
			return p, err
		}
		p.Lines = append(p.Lines, surveyLine{survey, countsOf(counts)})
	}
	themes, err := s.Interviews.Themes(v.ctx(), v.study.ID)
	p.Themes = len(themes)
	return p, err
}

// surveyDraft makes a survey from the coding matrix.
func (s *Server) surveyDraft(v *visit) error {
	survey, err := s.draftSurvey(v)
	if mendable(err) {
		p, broken := s.surveyIndex(v)
		if broken != nil {
			return broken
		}
		p.Form = v.againForm(err)
		return v.again(err, "staff/surveys", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.surveyPath(survey, ""), "survey_drafted")
}

func (s *Server) draftSurvey(v *visit) (id.Survey, error) {
	coded, err := s.Interviews.Themes(v.ctx(), v.study.ID)
	if err != nil {
		return "", err
	}
	themes := make([]surveys.Theme, len(coded))
	for i, t := range coded {
		themes[i] = surveys.Theme{Key: t.Key, Category: t.Category, Label: s.themeLabel(t)}
	}
	title := surveys.Text{}
	for _, lang := range i18n.Languages {
		title[lang] = s.languages.Text(lang).T("surveys.draft_title", "Study", v.study.Title)
	}
	form := surveys.Draft(title, themes, surveys.Background{Cases: caseChoices(v.study)})
	return s.Surveys.Create(v.ctx(), v.actor(), v.study.ID, form)
}

// themeLabel is a theme's label in every language that is known: where the researchers use one of the common words for
// it, the others follow.
func (s *Server) themeLabel(t interviews.Theme) surveys.Text {
	label := surveys.Text{}
	key, known := "surveys.theme."+t.Key, false
	for _, lang := range i18n.Languages {
		text := s.languages.Text(lang)
		if text.Has(key) {
			label[lang] = text.T(key)
			known = known || strings.EqualFold(label[lang], t.Label)
		}
	}
	if known {
		return label
	}
	return surveys.Text{i18n.Languages[0]: t.Label}
}

// caseChoices are the study's cases without the pre-studies.
func caseChoices(study studies.Study) []surveys.Choice {
	var choices []surveys.Choice
	for _, c := range study.Cases {
		if c.Pilot {
			continue
		}
		label := surveys.Text{}
		for _, lang := range i18n.Languages {
			label[lang] = c.Name
		}
		choices = append(choices, surveys.Choice{Value: strings.ToLower(c.Code), Label: label})
	}
	return choices
}

// surveyShowPage is one survey: where it stands, what comes next, and how it looks to those who answer.
type surveyShowPage struct {
	base
	Survey  surveys.Survey
	Counts  surveyCounts
	Barred  int  // listed, and asked not to be contacted again: they get nothing
	Letter  bool // the respondents' letter is published
	Expired bool // it is open, and its last day has passed
	Pages   []pageView
	Asked   int // questions
}

// Sub is an address below the survey's own.
func (p surveyShowPage) Sub(rest string) string {
	return p.At("/surveys/" + string(p.Survey.ID) + rest)
}

// Next is the step that comes now: letter, open, respondents, invite, wait or results.
func (p surveyShowPage) Next() string {
	switch {
	case p.Survey.State == surveys.StateClosed:
		return "results"
	case !p.Letter:
		return "letter"
	case p.Survey.State == surveys.StateDraft:
		return "open"
	case p.Invitable() > 0:
		return "invite"
	case p.Counts.Asked == 0:
		return "respondents"
	}
	return "wait"
}

// Invitable is how many are listed and may be written to.
func (p surveyShowPage) Invitable() int { return p.Counts.Listed - p.Barred }

func (s *Server) surveyShow(v *visit) error {
	p, err := s.surveyOverview(v)
	if err != nil {
		return err
	}
	return v.show("staff/survey", p)
}

func (s *Server) surveyOverview(v *visit) (surveyShowPage, error) {
	survey, err := s.Surveys.Get(v.ctx(), v.study.ID, id.Survey(v.Param("survey")))
	if err != nil {
		return surveyShowPage{}, err
	}
	p := surveyShowPage{base: v.surveyBase("surveys.title"), Survey: survey}
	p.Expired = survey.State == surveys.StateOpen && !survey.Takes(v.now())
	p.Status = v.text.T("surveys.state." + string(survey.State))
	counts, err := s.Surveys.Counts(v.ctx(), v.study.ID, survey.ID)
	if err != nil {
		return p, err
	}
	p.Counts = countsOf(counts)
	if p.Counts.Listed > 0 {
		barred, err := s.Vault.BarredPersons(v.ctx(), v.study.ID)
		if err != nil {
			return p, err
		}
		if p.Barred, err = s.Surveys.ListedAmong(v.ctx(), v.study.ID, survey.ID, barred); err != nil {
			return p, err
		}
	}
	if p.Letter, err = s.respondentLetter(v); err != nil {
		return p, err
	}
	form, err := s.Surveys.FormAt(v.ctx(), v.study.ID, survey.ID, survey.Version)
	if err != nil {
		return p, err
	}
	p.Title = form.Title.In(v.text.Lang(), form.Languages...)
	for i := range form.Pages {
		p.Pages = append(p.Pages, p.surveyPageView(&form, i))
	}
	for _, q := range form.Questions() {
		if q.Type != surveys.Note {
			p.Asked++
		}
	}
	return p, nil
}

// respondentLetter says whether respondents have a letter to read: without one nobody can say yes.
func (s *Server) respondentLetter(v *visit) (bool, error) {
	_, err := s.Consents.Current(v.ctx(), v.study.ID, consents.Respondent, v.text.Lang())
	if errors.Is(err, consents.ErrNoLetter) {
		return false, nil
	}
	return err == nil, err
}

func (s *Server) surveyOpen(v *visit) error {
	survey := id.Survey(v.Param("survey"))
	return s.surveyAct(v, s.Surveys.Open(v.ctx(), v.actor(), v.study.ID, survey), "survey_opened")
}

func (s *Server) surveyClose(v *visit) error {
	survey := id.Survey(v.Param("survey"))
	return s.surveyAct(v, s.Surveys.Close(v.ctx(), v.actor(), v.study.ID, survey), "survey_closed")
}

// surveyInvite writes to everybody who is listed and has not been written to.
func (s *Server) surveyInvite(v *visit) error {
	published, err := s.respondentLetter(v)
	if err != nil {
		return err
	}
	if !published {
		return s.surveyAct(v, errNoRespondentLetter, "")
	}
	_, err = s.Surveys.InviteAll(v.ctx(), v.actor(), v.study.ID, id.Survey(v.Param("survey")))
	return s.surveyAct(v, err, "survey_invited")
}

// surveyAct ends an act on a survey: back to its page, or the page again with what was wrong.
func (s *Server) surveyAct(v *visit, err error, done string) error {
	if mendable(err) {
		p, broken := s.surveyOverview(v)
		if broken != nil {
			return broken
		}
		p.Form = v.againForm(err)
		return v.again(err, "staff/survey", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.surveyPath(id.Survey(v.Param("survey")), ""), done)
}
