package handlers

import (
	"errors"
	"io"
	"net/http"
	"slices"

	"example.org/feltbok/exports"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

// exportPage says what the workbook holds and what not, before it is downloaded.
type exportPage struct {
	base
	People, Interviews, Themes, Informants, Referrals, Answers int
	Survey                                                     string // its title; "" where none has been open
	Left                                                       []leftLine
	Surveys                                                    []choice // to choose from, where there are several
	Langs                                                      []choice
	File                                                       string // its name
}

// leftLine is one thing that is left out, and why.
type leftLine struct {
	What, Code, Reason string
	N                  int
}

func (s *Server) exportShow(v *visit) error {
	p, err := s.exportPage(v)
	if err != nil {
		return err
	}
	return v.show("staff/export", p)
}

func (s *Server) exportPage(v *visit) (exportPage, error) {
	p := exportPage{base: v.page("export.page.title")}
	p.Here, p.File = "export", v.exportName()
	src, err := s.exportSource(v.ctx(), v.study.ID, "", v.text)
	if err != nil {
		return p, err
	}
	src = src.Kept()
	p.People, p.Interviews, p.Themes, p.Informants = len(src.Participants), len(src.Interviews), len(src.Themes), len(src.Informants())
	for _, one := range src.Participants {
		if one.Recruiter != "" {
			p.Referrals++
		}
	}
	if src.Survey != nil {
		p.Survey = src.Survey.Title
	}
	p.Left = v.leftLines(src)
	for _, lang := range i18n.Languages {
		p.Langs = append(p.Langs, choice{Value: lang, Label: v.text.T("language." + lang)})
	}
	return p, s.exportSurveys(v, &p)
}

// exportSurveys counts the answers, and offers the surveys where there are several.
func (s *Server) exportSurveys(v *visit, p *exportPage) error {
	all, err := s.Surveys.List(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	opened := slices.DeleteFunc(all, func(survey surveys.Survey) bool { return survey.OpenedAt == 0 })
	if len(opened) == 0 {
		return nil
	}
	counts, err := s.Surveys.Counts(v.ctx(), v.study.ID, opened[len(opened)-1].ID)
	p.Answers = counts[surveys.Answered]
	if len(opened) > 1 {
		for _, survey := range slices.Backward(opened) {
			p.Surveys = append(p.Surveys, choice{Value: string(survey.ID), Label: survey.Title})
		}
	}
	return err
}

// leftLines begin with what never leaves the house.
func (v *visit) leftLines(src exports.Source) []leftLine {
	lines := []leftLine{{What: v.text.T("export.page.names"), N: len(src.Participants), Reason: v.text.T("export.page.names_why")}}
	for _, l := range src.Left {
		lines = append(lines, leftLine{What: v.text.T("export.left." + l.What), Code: l.Code, Reason: v.text.T("export.reason." + l.Reason), N: max(l.N, 1)})
	}
	return lines
}

// exportDownload sends the workbook. It does not use the form's key: a download leaves its page on the screen, and
// pressing the button again shall download again. Each time is an entry in the chain, written before a byte leaves.
func (s *Server) exportDownload(v *visit) error {
	watch, err := s.watchLeaving(v.Request.Context(), v.study.ID)
	if err != nil {
		return err
	}
	src, err := s.exportWanted(v)
	file := &download{v.Writer, v.exportName(), workbookType, false}
	if err == nil {
		err = watch.workbook(file, src)
	}
	if file.begun && errors.Is(err, errLeft) {
		panic(http.ErrAbortHandler) // what is on its way breaks off, so that nobody takes it for whole
	}
	if mendable(err) {
		p, broken := s.exportPage(v)
		if broken != nil {
			return broken
		}
		p.Form = v.againForm(err)
		return v.again(err, "staff/export", p)
	}
	return err
}

func (v *visit) exportName() string {
	return "feltbok-" + v.now().In(v.zone()).Format("2006-01-02") + ".xlsx"
}

func (s *Server) exportWanted(v *visit) (exports.Source, error) {
	lang := v.value("lang")
	if !slices.Contains(i18n.Languages, lang) {
		var check errs.Check
		check.Add("lang", "surveys.choose_headings")
		return exports.Source{}, check.Err()
	}
	if err := s.exportMade(v); err != nil {
		return exports.Source{}, err
	}
	return s.exportSource(v.Request.Context(), v.study.ID, id.Survey(v.value("survey")), s.languages.Text(lang))
}

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// download sets its headers with the first byte, so that a fault before it is still an error page.
type download struct {
	http.ResponseWriter
	name  string
	kind  string // the file's media type
	begun bool
}

var _ io.Writer = (*download)(nil)

func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.Header().Set("Content-Type", d.kind)
		d.Header().Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
	}
	return d.ResponseWriter.Write(p)
}
