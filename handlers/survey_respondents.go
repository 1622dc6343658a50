package handlers

import (
	"errors"
	"slices"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/surveys"
)

// errNoRespondentLetter: whoever is invited first reads a letter, so there has to be one.
var errNoRespondentLetter = errs.New(errs.Conflict, "surveys.no_letter")

// respondentListPage is who is asked, by code.
type respondentListPage struct {
	base
	Survey   surveys.Survey
	Lines    []respondentLine
	Counts   surveyCounts
	Agreed   int // informants who said yes to a survey and are not listed yet
	Refused  int // informants who were not asked, or said no
	Informed int // informants on the list
}

type respondentLine struct {
	surveys.Respondent
	CaseName, SizeName string
}

// Sub is an address below the survey's own.
func (p respondentListPage) Sub(rest string) string {
	return p.At("/surveys/" + string(p.Survey.ID) + rest)
}

func (s *Server) respondentList(v *visit) error {
	survey, err := s.Surveys.Get(v.ctx(), v.study.ID, id.Survey(v.Param("survey")))
	if err != nil {
		return err
	}
	p := respondentListPage{base: v.surveyBase("surveys.respondents.title"), Survey: survey}
	all, err := s.Surveys.Respondents(v.ctx(), v.study.ID, survey.ID)
	if err != nil {
		return err
	}
	agreed, refused, err := s.informants(v, all)
	if err != nil {
		return err
	}
	p.Agreed, p.Refused = len(agreed), refused
	by := map[surveys.Progress]int{}
	for _, r := range all {
		by[r.State]++
		if r.Informant {
			p.Informed++
		}
		of, _ := v.study.Case(r.Case)
		p.Lines = append(p.Lines, respondentLine{r, of.Code, v.sizeName(r.Size)})
	}
	p.Counts = countsOf(by)
	return v.show("staff/respondents", p)
}

func (v *visit) sizeName(size string) string {
	if size == "" {
		return ""
	}
	return v.text.T("export.size." + size)
}

// informants are those interviewed who agreed to being sent a survey and are not on its list, and how many others there
// are. The survey's own package asks the gate again for each.
func (s *Server) informants(v *visit, listed []surveys.Respondent) (agreed []recruitment.Participant, refused int, err error) {
	done, err := s.Recruitment.List(v.ctx(), v.study.ID, recruitment.Filter{Stage: recruitment.StageDone})
	if err != nil {
		return nil, 0, err
	}
	answers, err := s.Consents.AnswersOf(v.ctx(), v.study.ID)
	if err != nil {
		return nil, 0, err
	}
	for _, p := range done {
		switch {
		case slices.ContainsFunc(listed, func(r surveys.Respondent) bool { return r.Person == p.ID }):
		case answers.May(p.ID, consents.SurveyContact) == nil:
			if answers.May(p.ID, consents.JobTitle) != nil {
				p.Title = "" // said no to its use
			}
			agreed = append(agreed, p)
		default:
			refused++
		}
	}
	return agreed, refused, nil
}

// informantsAdd lists the informants who agreed. One who takes it back at this very moment is passed over.
func (s *Server) informantsAdd(v *visit) error {
	survey := id.Survey(v.Param("survey"))
	if _, err := s.Surveys.Get(v.ctx(), v.study.ID, survey); err != nil {
		return err
	}
	listed, err := s.Surveys.Respondents(v.ctx(), v.study.ID, survey)
	if err != nil {
		return err
	}
	agreed, _, err := s.informants(v, listed)
	if err != nil {
		return err
	}
	for _, p := range agreed {
		err := s.Surveys.AddInformant(v.ctx(), v.actor(), surveys.Respondent{Person: p.ID, Survey: survey, Study: v.study.ID,
			Code: p.Code, Case: p.Case, Role: p.Title, Size: string(p.Size)})
		if err != nil && !errors.Is(err, surveys.ErrNoConsent) {
			return err
		}
	}
	return v.seeOther(v.surveyPath(survey, "/respondents"), "informants_added")
}

// respondentNewPage takes one person into the survey's own frame.
type respondentNewPage struct {
	base
	Survey surveys.Survey
	Listed int
	Cases  []choice
	Sizes  []choice
	Langs  []choice
	Barred bool // see candidatePage
}

// Sub is an address below the survey's own.
func (p respondentNewPage) Sub(rest string) string {
	return p.At("/surveys/" + string(p.Survey.ID) + rest)
}

func (s *Server) respondentNew(v *visit) error {
	p, err := s.respondentForm(v)
	if err != nil {
		return err
	}
	return v.show("staff/respondent_new", p)
}

func (s *Server) respondentForm(v *visit) (respondentNewPage, error) {
	survey, err := s.Surveys.Get(v.ctx(), v.study.ID, id.Survey(v.Param("survey")))
	if err != nil {
		return respondentNewPage{}, err
	}
	p := respondentNewPage{base: v.surveyBase("surveys.respondent.title"), Survey: survey}
	counts, err := s.Surveys.Counts(v.ctx(), v.study.ID, survey.ID)
	for _, n := range counts {
		p.Listed += n
	}
	p.Status = v.text.N("surveys.respondent.listed", p.Listed)
	for _, c := range v.study.Cases {
		p.Cases = append(p.Cases, choice{Value: string(c.ID), Label: c.Code + ", " + c.Name})
	}
	for _, size := range recruitment.Sizes() {
		p.Sizes = append(p.Sizes, choice{Value: string(size), Label: v.sizeName(string(size))})
	}
	for _, lang := range i18n.Languages {
		p.Langs = append(p.Langs, choice{Value: lang, Label: v.text.T("language." + lang)})
	}
	return p, err
}

func (s *Server) respondentAdd(v *visit) error {
	p, err := s.respondentForm(v)
	if err != nil {
		return err
	}
	err = s.enrolRespondent(v, p.Survey)
	if mendable(err) {
		p.Form, p.Barred = v.againForm(err), v.barred(err)
		return v.again(err, "staff/respondent_new", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.surveyPath(p.Survey.ID, "/respondents/new"), "respondent_added")
}

func (s *Server) enrolRespondent(v *visit, survey surveys.Survey) error {
	who := identities.Identity{Name: v.value("name"), Email: v.value("email"), Organisation: v.value("organisation"), Language: v.value("language")}
	r := surveys.Respondent{Survey: survey.ID, Study: v.study.ID, Case: id.Case(v.value("case")), Role: v.value("role"), Size: v.value("size")}
	var check errs.Check
	if _, known := v.study.Case(r.Case); !known {
		check.Add("case", "surveys.choose_case")
	}
	if r.Size != "" && !slices.Contains(recruitment.Sizes(), recruitment.Size(r.Size)) {
		check.Add("size", "surveys.choose_size")
	}
	if who.Email == "" {
		check.Add("email", "surveys.write_email")
	}
	if !slices.Contains(i18n.Languages, who.Language) {
		check.Add("language", "surveys.choose_language")
	}
	if err := inOrder(respondentInputs, check.Err(), r.Check(), who.Check()); err != nil {
		return err
	}
	if err := s.notBarred(v, who); err != nil {
		return err
	}
	if err := s.unknownYet(v, who.Email); err != nil {
		return err
	}
	if err := s.comesBack(v, who); err != nil {
		return err
	}
	_, err := s.People.EnrolRespondent(v.ctx(), v.actor(), who, r)
	return err
}

// unknownYet refuses an address that somebody in the study has: they would be asked twice, or as informant and stranger
// at once.
func (s *Server) unknownYet(v *visit, email string) error {
	same, err := s.Vault.Duplicates(v.ctx(), v.study.ID, email, "")
	if err != nil || len(same) == 0 {
		return err
	}
	var check errs.Check
	check.Add("email", "surveys.known")
	return check.Err()
}

// respondentInputs is the form's order, which the error summary keeps.
var respondentInputs = []string{"name", "email", "organisation", "language", "case", "role", "size"}

// inOrder gathers what several checks found into one error, in the order of a form's inputs and each input once.
func inOrder(inputs []string, all ...error) error {
	faults := map[string]errs.Field{}
	for _, err := range all {
		fields := errs.FieldsOf(err)
		if err != nil && fields == nil {
			return err
		}
		for _, f := range fields {
			if _, known := faults[f.Name]; !known {
				faults[f.Name] = f
			}
		}
	}
	var fields []errs.Field
	for _, name := range inputs {
		if f, wrong := faults[name]; wrong {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return &errs.Error{Kind: errs.Invalid, Code: "invalid", Fields: fields}
}
