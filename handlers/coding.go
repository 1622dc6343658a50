package handlers

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
)

// themesPage edits the study's themes as lines of text: what a researcher has in a table can be pasted.
type themesPage struct {
	base
	Count int
}

func (s *Server) themes(v *visit) error {
	current, err := s.Interviews.Themes(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p := themesPage{base: v.page("themes.title"), Count: len(current)}
	p.Here, p.Form = "coding", v.newForm(url.Values{"themes": {themeLines(current)}})
	if v.form == nil {
		return v.show("staff/themes", p)
	}
	themes, err := v.readThemes(v.form.Get("themes"))
	if err == nil {
		err = v.atLines(s.Interviews.SetThemes(v.ctx(), v.actor(), v.study.ID, themes.list), themes.lines)
	}
	if mendable(err) {
		p.Form = v.againForm(err)
		return v.again(err, "staff/themes", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/coding"), "themes_saved")
}

func themeLines(themes []interviews.Theme) string {
	var text strings.Builder
	for _, t := range themes {
		fmt.Fprintf(&text, "%s; %s; %s\n", t.Category, t.Key, t.Label)
	}
	return text.String()
}

// readThemes reads one theme a line and remembers which line it was: "driver; networking; Nettverksbygging".
type themeList struct {
	list  []interviews.Theme
	lines []int // from 1, in step with list
}

func (v *visit) readThemes(text string) (themeList, error) {
	var themes themeList
	var faults []errs.Field
	line := 0
	for part := range strings.Lines(text) {
		line++
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		parts := strings.SplitN(part, ";", 3)
		if len(parts) < 3 {
			faults = append(faults, v.atLine(line, errs.Field{Code: "field_work.three_parts"}))
			continue
		}
		themes.list = append(themes.list, interviews.Theme{Category: strings.TrimSpace(parts[0]), Key: strings.TrimSpace(parts[1]), Label: strings.TrimSpace(parts[2])})
		themes.lines = append(themes.lines, line)
	}
	if len(faults) > 0 {
		return themes, &errs.Error{Kind: errs.Invalid, Code: "invalid", Fields: faults}
	}
	return themes, nil
}

// atLine says what is wrong with one line of the list.
func (v *visit) atLine(line int, f errs.Field) errs.Field {
	return errs.Field{Name: "themes", Code: "field_work.on_line", Args: map[string]any{"Line": line, "What": v.fieldText(errs.Field{Code: f.Code, Args: f.Args})}}
}

// atLines turns faults of the themes by number, such as key_3, into faults of their lines.
func (v *visit) atLines(err error, lines []int) error {
	return eachField(err, func(f errs.Field) errs.Field {
		_, number, _ := strings.Cut(f.Name, "_")
		if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(lines) {
			return v.atLine(lines[i], f)
		}
		return f
	})
}

// codingPage is the matrix of themes and informants.
type codingPage struct {
	base
	Cases     []codingCase
	Groups    []codingGroup
	Themes    int
	People    int
	Columns   int // of the whole table
	Disagreed []string
	Uncoded   []codingColumn // interviewed, and no mark at all
	Pilots    []codingColumn // interviewed in a pre-study, and not in the matrix
}

type codingCase struct {
	Code    string
	Columns []codingColumn
}

type codingColumn struct {
	Person id.Person
	Code   string
	Cut    bool // first of its case
	Gone   bool // nobody's any more: nothing to open or change
}

type codingGroup struct {
	Label string
	Rows  []codingRow
}

type codingRow struct {
	Label                string
	Cells                []codingCell
	Mentioned, Disagreed int
}

type codingCell struct {
	Mark string // "x", "o" or ""
	Cut  bool
}

func (s *Server) coding(v *visit) error {
	matrix, err := s.Interviews.Matrix(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	held, err := s.Interviews.List(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	people, err := s.register(v)
	if err != nil {
		return err
	}
	kept, err := s.Consents.Restricted(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	held = slices.DeleteFunc(held, func(h interviews.Held) bool { return kept[h.Person].Kind != "" })
	for _, marks := range matrix.Marks {
		maps.DeleteFunc(marks, func(person id.Person, _ interviews.Mark) bool { return kept[person].Kind != "" })
	}
	if err := s.addAnonymous(v, people); err != nil {
		return err
	}
	p := codingPage{base: v.page("coding.title"), Themes: len(matrix.Themes)}
	p.Here = "coding"
	p.addPeople(v, matrix, held, people)
	p.addThemes(matrix)
	return v.show("staff/coding", p)
}

// addPeople lays out the columns: whoever was interviewed, and whoever is marked. Somebody of a pre-study is there only
// once they are marked.
func (p *codingPage) addPeople(v *visit, matrix interviews.Matrix, held []interviews.Held, people map[id.Person]recruitment.Participant) {
	marked := map[id.Person]bool{}
	for _, marks := range matrix.Marks {
		for person := range marks {
			marked[person] = true
		}
	}
	all := maps.Clone(marked)
	for _, h := range held {
		all[h.Person] = true
	}
	for _, person := range slices.SortedFunc(maps.Keys(all), v.caseOrder(people)) {
		who, known := people[person]
		of, _ := v.study.Case(who.Case)
		column := codingColumn{Person: person, Code: who.Code, Gone: who.State == recruitment.Withdrawn && who.Audience == ""}
		switch {
		case !known: // erased since the first query
			continue
		case of.Pilot && !marked[person] && column.Gone:
			continue
		case of.Pilot && !marked[person]:
			p.Pilots = append(p.Pilots, column)
			continue
		case !marked[person] && !column.Gone:
			p.Uncoded = append(p.Uncoded, column)
		}
		if n := len(p.Cases); n == 0 || p.Cases[n-1].Code != of.Code {
			p.Cases = append(p.Cases, codingCase{Code: of.Code})
			column.Cut = true
		}
		last := &p.Cases[len(p.Cases)-1]
		last.Columns = append(last.Columns, column)
		p.People++
	}
	p.Columns = p.People + 3 // the theme, and two sums
}

func (p *codingPage) addThemes(matrix interviews.Matrix) {
	category := ""
	for i, theme := range matrix.Themes {
		if i == 0 || theme.Category != category {
			category = theme.Category
			p.Groups = append(p.Groups, codingGroup{Label: categoryLabel(p.base, category)})
		}
		row := codingRow{Label: theme.Label}
		for _, c := range p.Cases {
			for _, column := range c.Columns {
				mark := matrix.Marks[theme.Key][column.Person]
				row.Cells = append(row.Cells, codingCell{string(mark), column.Cut})
				switch mark {
				case interviews.Mentioned:
					row.Mentioned++
				case interviews.Disagreed:
					row.Disagreed++
				}
			}
		}
		if row.Disagreed > 0 {
			p.Disagreed = append(p.Disagreed, theme.Label)
		}
		group := &p.Groups[len(p.Groups)-1]
		group.Rows = append(group.Rows, row)
	}
}

// Summary says what the matrix holds.
func (p codingPage) Summary() string {
	text := p.N("coding.themes", p.Themes) + ", " + p.N("coding.people", p.People) + ". "
	switch len(p.Disagreed) {
	case 0:
		return text + p.T("coding.none_disagreed")
	case 1:
		return text + p.T("coding.one_disagreed", "Theme", p.Disagreed[0])
	}
	return text + p.N("coding.some_disagreed", len(p.Disagreed))
}

// categoryLabel is the interface's word for the usual categories, and the study's own for others.
func categoryLabel(b base, category string) string {
	if key := "coding.category." + category; b.Has(key) {
		return b.T(key)
	}
	return capital(strings.ReplaceAll(category, "_", " "))
}

// codingOnePage marks what one person said, theme by theme.
type codingOnePage struct {
	base
	Person id.Person
	Code   string
	Groups []markGroup
}

type markGroup struct {
	Label  string
	Fields []markField
}

// markField is the question for one theme. Was is what stood when the page was shown: only what was changed is saved, so
// that two who code the same interview do not undo each other.
type markField struct {
	field
	Was, WasName string
}

// noMark is the value of the button for a theme that was not mentioned.
const noMark = "none"

func (s *Server) codingOne(v *visit) error {
	person, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	matrix, err := s.Interviews.Matrix(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p := codingOnePage{base: v.page("coding.one_title", "Code", person.Code), Person: person.ID, Code: person.Code}
	p.Here = "coding"
	if v.form == nil {
		values := url.Values{}
		for _, theme := range matrix.Themes {
			mark := markValue(matrix.Marks[theme.Key][person.ID])
			values.Set("mark_"+theme.Key, mark)
			values.Set("was_"+theme.Key, mark)
		}
		p.Form = v.newForm(values)
		p.addGroups(matrix.Themes)
		return v.show("staff/coding_one", p)
	}
	marks, err := v.changedMarks(matrix.Themes)
	if err == nil && len(marks) > 0 {
		err = s.Interviews.MarkAll(v.ctx(), v.actor(), v.study.ID, person.ID, marks)
	}
	if mendable(err) {
		p.Form = v.againForm(err)
		p.addGroups(matrix.Themes)
		return v.again(err, "staff/coding_one", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/coding"), "coding_saved")
}

func markValue(m interviews.Mark) string {
	if m == interviews.None {
		return noMark
	}
	return string(m)
}

// changedMarks reads the marks that differ from what the page showed.
func (v *visit) changedMarks(themes []interviews.Theme) (map[string]interviews.Mark, error) {
	var check errs.Check
	marks := map[string]interviews.Mark{}
	for _, theme := range themes {
		value := v.value("mark_" + theme.Key)
		switch value {
		case v.value("was_" + theme.Key):
		case noMark:
			marks[theme.Key] = interviews.None
		case string(interviews.Mentioned), string(interviews.Disagreed):
			marks[theme.Key] = interviews.Mark(value)
		default:
			check.Add("mark_"+theme.Key, "interviews.mark")
		}
	}
	return marks, check.Err()
}

func (p *codingOnePage) addGroups(themes []interviews.Theme) {
	choices := []choice{{Value: string(interviews.Mentioned), Label: p.T("coding.mentioned")}, {Value: string(interviews.Disagreed), Label: p.T("coding.disagreed")},
		{Value: noMark, Label: p.T("coding.not_mentioned")}}
	category := ""
	for i, theme := range themes {
		if i == 0 || theme.Category != category {
			category = theme.Category
			p.Groups = append(p.Groups, markGroup{Label: categoryLabel(p.base, category)})
		}
		f := markField{field: p.Radio("mark_"+theme.Key, choices), WasName: "was_" + theme.Key, Was: p.Form.Values.Get("was_" + theme.Key)}
		f.Label = theme.Label
		group := &p.Groups[len(p.Groups)-1]
		group.Fields = append(group.Fields, f)
	}
}
