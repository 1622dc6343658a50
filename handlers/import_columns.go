package handlers

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/imports"
	"example.org/feltbok/internal/tabular"
)

// importColumnsPage asks what stands where.
type importColumnsPage struct {
	importBase
	Import  imports.Import
	File    imports.List
	Sheet   imports.Sheet
	Mapping imports.Mapping
	Frame   imports.Frame
	Sheets  []choice
	Headers []choice
}

func (s *Server) importColumns(v *visit, in imports.Import) error {
	p, err := s.importColumnsPage(v, in)
	if err != nil {
		return err
	}
	p.Form.Values = mappingValues(p.Mapping)
	return v.show("staff/import_columns", p)
}

func (s *Server) importColumnsPage(v *visit, in imports.Import) (p importColumnsPage, err error) {
	if p.importBase, err = s.importBase(v, in.Survey, "import.columns.title"); err != nil {
		return p, err
	}
	p.Import = in
	if p.File, err = s.People.List(v.Request.Context(), v.actor(), in); err != nil {
		return p, err
	}
	if p.Frame, err = s.People.Frame(v.ctx(), v.study.ID, in.Survey); err != nil {
		return p, err
	}
	for i, sheet := range p.File.Sheets {
		if sheet.Rows > 0 {
			p.Sheets = append(p.Sheets, choice{Value: strconv.Itoa(i), Label: sheet.Name})
		}
	}
	p.choose(v, in)
	return p, nil
}

// choose settles on a sheet and its row of headings: as chosen in the address or the form, as before, or as guessed.
func (p *importColumnsPage) choose(v *visit, in imports.Import) {
	asked := func(name string) string {
		if v.form != nil {
			return v.value(name)
		}
		return v.Query(name)
	}
	number, _ := strconv.Atoi(p.Sheets[0].Value)
	if in.Mapped {
		number = in.Mapping.Sheet
	}
	if n, err := strconv.Atoi(asked("sheet")); err == nil && n >= 0 && n < len(p.File.Sheets) && p.File.Sheets[n].Rows > 0 {
		number = n
	}
	p.Sheet = p.File.Sheets[number]
	p.Mapping = p.Frame.Guess(p.Sheet.First)
	if in.Mapped && in.Mapping.Sheet == number {
		p.Mapping = in.Mapping
	}
	if n, err := strconv.Atoi(asked("header")); err == nil && n >= 0 && n != p.Mapping.Header {
		p.Mapping = p.Frame.GuessAt(p.Sheet.First, n)
	}
	p.Mapping.Sheet = number
	if len(p.Study.Languages) > 0 && !in.Mapped {
		p.Mapping.All[imports.Language] = p.Study.Languages[0]
	}
	p.Headers = []choice{{Value: "0", Label: v.text.T("import.no_header")}}
	for _, row := range p.Sheet.First {
		p.Headers = append(p.Headers, choice{Value: strconv.Itoa(row.Number), Label: v.text.T("import.header", "Row", row.Number, "Cells", firstCells(row))})
	}
}

const mostHeading = 40

// firstCells are the beginnings of a row, to know it by.
func firstCells(row tabular.Row) string {
	text := ""
	for _, cell := range row.Cells {
		if cell == "" {
			continue
		}
		if text != "" {
			text += ", "
		}
		if text += cell; len([]rune(text)) > mostHeading {
			break
		}
	}
	return shortened(text)
}

func shortened(text string) string {
	if r := []rune(text); len(r) > mostHeading {
		return string(r[:mostHeading]) + "…"
	}
	return text
}

// mappingValues is a mapping as it stands in the form.
func mappingValues(m imports.Mapping) url.Values {
	values := url.Values{}
	for field, column := range m.Columns {
		values.Set("column_"+string(field), strconv.Itoa(column))
	}
	for field, value := range m.All {
		values.Set("all_"+string(field), value)
	}
	return values
}

// typedMapping reads the form. A column that is no number is no column.
func (p importColumnsPage) typedMapping(v *visit) imports.Mapping {
	m := imports.Mapping{Sheet: p.Mapping.Sheet, Header: p.Mapping.Header, Columns: map[imports.Field]int{}, All: map[imports.Field]string{}}
	for _, field := range slices.Concat(p.Frame.Vault(), p.Frame.Study()) {
		if typed := v.value("column_" + string(field)); typed != "" {
			m.Columns[field] = -1
			if n, err := strconv.Atoi(typed); err == nil {
				m.Columns[field] = n
			}
		}
		if all := v.value("all_" + string(field)); all != "" {
			m.All[field] = all
		}
	}
	return m
}

// importMapped keeps what somebody says stands where.
func (s *Server) importMapped(v *visit, in imports.Import) error {
	p, err := s.importColumnsPage(v, in)
	if err != nil {
		return err
	}
	m := p.typedMapping(v)
	err = p.Frame.Check(m, p.Sheet.Columns)
	if err == nil {
		err = s.Imports.SetMapping(v.ctx(), in, m, p.Sheet.Behind(m.Header))
	}
	if mendable(err) {
		p.Form = v.againForm(err)
		for i, e := range p.Form.Errors { // the summary has to say of which of many like fields it speaks
			if _, name, ok := strings.Cut(e.Name, "_"); ok {
				p.Form.Errors[i].Text = p.T("import.fault", "Field", p.Column(p.Frame, imports.Field(name)), "Why", e.Text)
			}
		}
		return v.again(err, "staff/import_columns", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/imports/"+string(in.ID)), "")
}

// Chosen is a list in which something is chosen already.
func (p importColumnsPage) Chosen(name string, value int, choices []choice) field {
	f := p.Select(name, choices, "label=import.choose."+name)
	for i, c := range f.Choices {
		f.Choices[i].Chosen = c.Value == strconv.Itoa(value)
	}
	return f
}

// importField is what a column is chosen for, with what all rows get otherwise.
type importField struct {
	Column field
	All    *field
}

// VaultFields are those that only the vault keeps.
func (p importColumnsPage) VaultFields() []importField { return p.importFields(p.Frame.Vault()) }

// StudyFields are those that the study keeps.
func (p importColumnsPage) StudyFields() []importField { return p.importFields(p.Frame.Study()) }

func (p importColumnsPage) importFields(fields []imports.Field) []importField {
	columns := p.columns()
	var all []importField
	for _, f := range fields {
		options := []string{"hint=import.hint." + string(f)}
		if !p.Frame.Needs(f) {
			options = append(options, "optional")
		}
		one := importField{Column: p.Select("column_"+string(f), columns, options...)}
		one.Column.Label = p.Column(p.Frame, f)
		if values := p.Frame.Values(f); values != nil {
			same := p.Select("all_"+string(f), p.values(f, values), "optional")
			same.Label = p.T("import.all", "Field", one.Column.Label)
			one.All = &same
		}
		all = append(all, one)
	}
	return all
}

// columns are the sheet's, by letter and heading.
func (p importColumnsPage) columns() []choice {
	var headings []string
	for _, row := range p.Sheet.First {
		if row.Number == p.Mapping.Header || p.Mapping.Header == 0 && headings == nil {
			headings = row.Cells
		}
	}
	var choices []choice
	for i := range p.Sheet.Columns {
		label := letters(i)
		if i < len(headings) && headings[i] != "" {
			label = p.T("import.column", "Letter", label, "Heading", shortened(headings[i]))
		}
		choices = append(choices, choice{Value: strconv.Itoa(i), Label: label})
	}
	return choices
}

// letters is a column's name in a spreadsheet.
func letters(column int) string {
	if column < 26 {
		return string(rune('A' + column))
	}
	return letters(column/26-1) + string(rune('A'+column%26))
}
