package handlers

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/exports"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

// importBase is what the pages of an import share. They serve candidates and the frame of a survey alike.
type importBase struct {
	asking
	Survey surveys.Survey // whose frame the list goes into; zero for candidates
	For    string         // the last word of the keys of texts that differ: "candidates" or "respondents"
	List   string         // the address of those who are in already
	Upload string         // the address where a list is handed in
}

func (s *Server) importBase(v *visit, survey id.Survey, title string) (importBase, error) {
	p := importBase{asking: asking{v.page(title)}, For: "candidates", List: v.studyPath("/candidates"), Upload: v.studyPath("/import")}
	p.Here = "candidates"
	if survey == "" {
		return p, nil
	}
	found, err := s.Surveys.Get(v.ctx(), v.study.ID, survey)
	p.Survey, p.For, p.Here = found, "respondents", "surveys"
	p.List, p.Upload = v.surveyPath(survey, "/respondents"), v.surveyPath(survey, "/import")
	return p, err
}

// Own is a text that differs between candidates and respondents.
func (p importBase) Own(key string, args ...any) string { return p.T(key+"."+p.For, args...) }

// OwnN is Own in the plural form for n.
func (p importBase) OwnN(key string, n int) string { return p.N(key+"."+p.For, n) }

// Of is an address of one import.
func (p importBase) Of(in imports.Import, rest string) string {
	return p.At("/imports/" + string(in.ID) + rest)
}

// importCount is one figure.
type importCount struct {
	Label string
	N     int
}

// CountLines are what became of a list's rows, or what would.
func (p importBase) CountLines(c imports.Counts) []importCount {
	return []importCount{{p.T("import.count.rows"), c.Rows}, {p.T("import.count.taken"), c.Taken}, {p.T("import.count.duplicates"), c.Duplicates},
		{p.T("import.count.barred"), c.Barred}, {p.T("import.count.refused"), c.Refused}}
}

// Column is what a field is called.
func (p importBase) Column(frame imports.Frame, field imports.Field) string {
	for _, a := range frame.Attributes {
		if field == a.Field() {
			return a.Name
		}
	}
	return p.T("import.field." + string(field))
}

// importStartPage takes a file, and shows the lists that were taken in before.
type importStartPage struct {
	importBase
	Earlier []imports.Import
}

const mostEarlier = 10

func (s *Server) importStart(v *visit) error {
	survey := id.Survey(v.Param("survey"))
	p, err := s.importStartPage(v, survey)
	if err != nil {
		return err
	}
	if v.Request.Method != http.MethodPost {
		return v.show("staff/import", p)
	}
	draft, err := s.importUpload(v, survey)
	if mendable(err) || errs.KindOf(err) == errs.TooLarge {
		p.Form = v.againForm(err)
		p.Form.Errors[0].Name = "file" // it is the only field
		return v.again(err, "staff/import", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/imports/"+string(draft)), "")
}

func (s *Server) importStartPage(v *visit, survey id.Survey) (p importStartPage, err error) {
	if p.importBase, err = s.importBase(v, survey, "import.title"); err != nil {
		return p, err
	}
	p.Earlier, err = s.Imports.Newest(v.ctx(), v.study.ID, survey, mostEarlier)
	return p, err
}

func (s *Server) importUpload(v *visit, survey id.Survey) (id.Import, error) {
	header, err := v.FormFile("file")
	if err != nil || header.Size == 0 && header.Filename == "" {
		return "", faultAt(errs.Invalid, "file", "import.no_file")
	}
	file, err := header.Open()
	if err != nil {
		return "", err
	}
	defer file.Close()
	return s.People.Upload(v.ctx(), v.actor(), v.study.ID, survey, header.Filename, file, header.Size)
}

// importOne is the page of one import, whatever stands on it now.
func (s *Server) importOne(v *visit) error {
	in, err := s.Imports.Get(v.ctx(), v.study.ID, id.Import(v.Param("import")))
	if err != nil {
		return err
	}
	switch {
	case v.Request.Method == http.MethodPost:
		return s.importMapped(v, in)
	case in.State != imports.Draft:
		return s.importResult(v, in)
	case !in.Mapped || v.Query("columns") != "":
		return s.importColumns(v, in)
	}
	return s.importReview(v, in)
}

// values are the choices of a field in words.
func (p importBase) values(field imports.Field, values []string) []choice {
	choices := make([]choice, len(values))
	for i, value := range values {
		choices[i] = choice{Value: value, Label: p.word(field, value)}
	}
	return choices
}

var importWords = map[imports.Field]string{imports.Relation: "recruitment.relation.", imports.Audience: "consents.audience.",
	imports.Source: "recruitment.source.", imports.Language: "language.", imports.Size: "recruitment.size."}

func (p importBase) word(field imports.Field, value string) string {
	if field == imports.Case {
		c, _ := p.Study.Case(id.Case(value))
		return p.T("people.case", "Code", c.Code, "Name", c.Name)
	}
	if prefix := importWords[field]; prefix != "" && value != "" {
		return p.T(prefix + value)
	}
	return value
}

// importReviewPage says what would become of the list.
type importReviewPage struct {
	importBase
	Import imports.Import
	imports.Review
	Frame  imports.Frame
	Fields []imports.Field // that the list says something of
	Lines  []importLine    // of which something is to be said
	More   int             // such lines that are not shown
}

// importLine is the report of one row in words.
type importLine struct {
	Row       int
	What, Why string
}

const mostLines = 100

func (s *Server) importReview(v *visit, in imports.Import) error {
	p, err := s.importReviewPage(v, in)
	if err != nil {
		return err
	}
	return v.show("staff/import_review", p)
}

func (s *Server) importReviewPage(v *visit, in imports.Import) (p importReviewPage, err error) {
	p.Import = in
	if p.importBase, err = s.importBase(v, in.Survey, "import.review.title"); err != nil {
		return p, err
	}
	// The rows that are shown hold names: opening the list is logged.
	if _, err = s.People.List(v.Request.Context(), v.actor(), in); err != nil {
		return p, err
	}
	if p.Frame, err = s.People.Frame(v.ctx(), v.study.ID, in.Survey); err != nil {
		return p, err
	}
	p.Fields = shownFields(p.Frame, in.Mapping)
	p.Review, err = s.People.Review(v.ctx(), in, func(l imports.Line) error {
		switch {
		case l.Outcome == imports.Fresh || l.Barred: // of the barred there is a count, and nothing here
		case len(p.Lines) < mostLines:
			p.Lines = append(p.Lines, v.importLine(p.importBase, p.Frame, l))
		default:
			p.More++
		}
		return nil
	})
	return p, err
}

// shownFields are those in which people of a list differ, a surname with the name and employees as the size.
func shownFields(frame imports.Frame, m imports.Mapping) (shown []imports.Field) {
	for _, f := range slices.Concat(frame.Vault(), frame.Study()) {
		_, mapped := m.Columns[f]
		if _, counted := m.Columns[imports.Employees]; f == imports.Size && counted {
			mapped = true
		}
		if mapped && f != imports.Surname && f != imports.Employees {
			shown = append(shown, f)
		}
	}
	return shown
}

func (v *visit) importLine(p importBase, frame imports.Frame, l imports.Line) importLine {
	var why []string
	for _, f := range l.Faults {
		why = append(why, p.T("import.fault", "Field", p.Column(frame, imports.Field(f.Name)), "Why", v.fieldText(f)))
	}
	return importLine{l.Row, p.T("import.outcome."+string(l.Outcome), "Code", l.Code, "Other", l.Other), strings.Join(why, " ")}
}

// Cell is what somebody gets in a field.
func (p importReviewPage) Cell(row imports.Row, field imports.Field) string {
	values := map[imports.Field]string{imports.Name: row.Name, imports.Email: row.Email, imports.Phone: row.Phone, imports.Organisation: row.Organisation,
		imports.ExactTitle: row.ExactTitle, imports.Language: row.Language, imports.Case: string(row.Case), imports.Code: row.Code,
		imports.Relation: row.Relation, imports.Audience: row.Audience, imports.Title: row.Title, imports.Size: row.Size, imports.Source: row.Source}
	for _, a := range p.Frame.Attributes {
		values[a.Field()] = row.Attributes[a.Key]
	}
	return p.word(field, values[field])
}

// importReport is the review of every row as a file. It holds row numbers, codes and our own words, and nobody's name.
func (s *Server) importReport(v *visit) error {
	in, err := s.draftOf(v)
	if err != nil {
		return err
	}
	base, err := s.importBase(v, in.Survey, "import.review.title")
	if err != nil {
		return err
	}
	frame, err := s.People.Frame(v.ctx(), v.study.ID, in.Survey)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	out, err := exports.NewCSV(&file)
	if err != nil {
		return err
	}
	if err := out.Row(v.text.T("import.row"), v.text.T("import.what"), v.text.T("import.why")); err != nil {
		return err
	}
	_, err = s.People.Review(v.ctx(), in, func(l imports.Line) error {
		line := v.importLine(base, frame, l)
		return out.Row(strconv.Itoa(line.Row), line.What, line.Why)
	})
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	v.download(v.text.T("import.report_file"), "text/csv; charset=utf-8", file.Bytes())
	return nil
}

// draftOf is the import of the address, if it is one that somebody has said what stands where of.
func (s *Server) draftOf(v *visit) (imports.Import, error) {
	in, err := s.Imports.Get(v.ctx(), v.study.ID, id.Import(v.Param("import")))
	if err == nil && (in.State != imports.Draft || !in.Mapped) {
		err = imports.ErrUnknown
	}
	return in, err
}

// importTakeIn begins to take the list in. Where that cannot be now, the review says why.
func (s *Server) importTakeIn(v *visit) error {
	in, err := s.Imports.Get(v.ctx(), v.study.ID, id.Import(v.Param("import")))
	if err != nil {
		return err
	}
	err = s.People.TakeIn(v.ctx(), v.actor(), v.study.ID, in.ID)
	if errors.Is(err, imports.ErrBusy) {
		p, failed := s.importReviewPage(v, in)
		if failed != nil {
			return failed
		}
		p.Form = v.againForm(err)
		return v.again(err, "staff/import_review", p)
	}
	if err != nil && !errors.Is(err, imports.ErrStarted) {
		return err
	}
	return v.seeOther(v.studyPath("/imports/"+string(in.ID)), "")
}

// importDiscard forgets the list.
func (s *Server) importDiscard(v *visit) error {
	in, err := s.Imports.Get(v.ctx(), v.study.ID, id.Import(v.Param("import")))
	if err != nil {
		return err
	}
	if err := s.People.Discard(v.ctx(), v.actor(), v.study.ID, in.ID); err != nil {
		return err
	}
	to := v.studyPath("/import")
	if in.Survey != "" {
		to = v.surveyPath(in.Survey, "/import")
	}
	return v.seeOther(to, "import_discarded")
}

// importResultPage says how far it has come, and how it ended.
type importResultPage struct {
	importBase
	Import imports.Import
}

// lookAgain is after how many seconds a page asks anew how far an import has come.
const lookAgain = "2"

func (s *Server) importResult(v *visit, in imports.Import) error {
	base, err := s.importBase(v, in.Survey, "import.result."+string(in.State))
	if err != nil {
		return err
	}
	if in.State == imports.Running {
		v.Header("Refresh", lookAgain)
	}
	return v.show("staff/import_result", importResultPage{base, in})
}

// Reason is why nobody was taken in.
func (p importResultPage) Reason() string {
	if key := "error." + p.Import.Reason; p.Has(key) {
		return p.T(key)
	}
	return p.T("error.internal")
}
