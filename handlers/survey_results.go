package handlers

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

// surveyResultsPage is what was answered, page by page, and the joint display.
type surveyResultsPage struct {
	base
	Survey   surveys.Survey
	Counts   surveyCounts
	Few      bool // too few have answered to show anything
	Sections []resultSection
	Joint    *jointDisplay
}

// Sub is an address below the survey's own.
func (p surveyResultsPage) Sub(rest string) string {
	return p.At("/surveys/" + string(p.Survey.ID) + rest)
}

// resultSection is one page of the survey.
type resultSection struct {
	Title, ID string
	Likert    *likertBlock
	Tables    []countTable
}

// likertBlock is a page's items on one scale: drawn, and as a table.
type likertBlock struct {
	Finding string
	Heads   []label
	Caption string // names the columns on a narrow screen where Heads have no room
	Bars    []bar
	Columns []string
	Rows    []likertRow
}

// likertRow is an item in figures. Without cells it has too few answers.
type likertRow struct {
	Wording        string
	Cells          []string
	N              int
	Mean, SD       string
	Unanswered     int
	mean           float64
	label          string
	hasMean, isFew bool
}

// Few says whether the row has too few answers to be shown.
func (r likertRow) Few() bool { return r.isFew }

// countTable is a question that is no scale: its choices counted, its numbers summed up, or how many wrote something.
type countTable struct {
	Label, Kind      string
	N, Unanswered    int
	Few              bool
	Lines            []countLine
	Mean, SD, Median string
}

type countLine struct {
	Label   string
	N       int
	Percent int
}

func (s *Server) surveyResults(v *visit) error {
	survey, err := s.Surveys.Get(v.ctx(), v.study.ID, id.Survey(v.Param("survey")))
	if err != nil {
		return err
	}
	p := surveyResultsPage{base: v.surveyBase("surveys.results.title"), Survey: survey}
	p.Status = v.text.T("surveys.state." + string(survey.State))
	counts, err := s.Surveys.Counts(v.ctx(), v.study.ID, survey.ID)
	if err != nil {
		return err
	}
	p.Counts = countsOf(counts)
	if p.Few = survey.OpenedAt == 0 || p.Counts.Answered < enough; p.Few {
		return v.show("staff/results", p)
	}
	if err := s.results(v, &p); err != nil {
		return err
	}
	return v.show("staff/results", p)
}

// results reads the answers once, and for the joint display what a workbook would hold of the interviews.
func (s *Server) results(v *visit, p *surveyResultsPage) error {
	form, err := s.Surveys.FormAt(v.ctx(), v.study.ID, p.Survey.ID, p.Survey.Version)
	if err != nil {
		return err
	}
	kept, err := s.Consents.Restricted(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	frequencies, err := s.Surveys.Frequencies(v.ctx(), v.study.ID, p.Survey.ID, slices.Collect(maps.Keys(kept))...)
	if err != nil {
		return err
	}
	src, err := s.exportSource(v.ctx(), v.study.ID, p.Survey.ID, v.text)
	if err != nil {
		return err
	}
	src = src.Kept()
	t := &telling{base: p.base, form: form, byTheme: map[string][]item{}}
	for _, theme := range src.Themes {
		t.themes = append(t.themes, theme.Key)
		t.labels = append(t.labels, theme.Label)
	}
	t.gather(frequencies)
	p.Sections = t.sections()
	p.Joint = t.joint(src)
	return nil
}

// telling turns figures into pages, in the visitor's language.
type telling struct {
	base
	form    surveys.Form
	themes  []string // keys, and their labels beside them
	labels  []string
	items   map[string]item // questions on a scale, by name
	others  map[string]surveys.Frequency
	old     []string // questions that only an older version asked
	byTheme map[string][]item
	axis    axis
}

func (t *telling) in(text surveys.Text) string { return text.In(t.Lang(), t.form.Languages...) }

func (t *telling) gather(frequencies []surveys.Frequency) {
	t.items, t.others = map[string]item{}, map[string]surveys.Frequency{}
	asked := map[string]bool{}
	for _, q := range t.form.Questions() {
		asked[q.Name] = true
	}
	var all []item
	for _, f := range frequencies {
		q := f.Question
		if !asked[q.Name] {
			t.old = append(t.old, q.Name)
		}
		if q.Type != surveys.Likert {
			t.others[q.Name] = f
			continue
		}
		i := item{shares: sharesOf(f), scale: scaleOf(t.form.Lists[q.Scale]), Wording: t.in(q.Label), Label: t.in(q.Label), figures: f}
		if at := slices.Index(t.themes, q.Theme); q.Theme != "" && at >= 0 {
			i.Label = t.labels[at]
			t.byTheme[q.Theme] = append(t.byTheme[q.Theme], i)
		}
		t.items[q.Name] = i
		all = append(all, i)
	}
	t.axis = axisFor(all)
}

// sections follow the form's pages; questions of older versions come last.
func (t *telling) sections() []resultSection {
	var sections []resultSection
	add := func(title, id string, names []string) {
		section := resultSection{Title: title, ID: id}
		var items []item
		for _, name := range names {
			if i, ok := t.items[name]; ok {
				items = append(items, i)
			} else if f, ok := t.others[name]; ok {
				section.Tables = append(section.Tables, t.table(f))
			}
		}
		if len(items) > 0 {
			section.Likert = t.block(items)
		}
		if len(items) > 0 || len(section.Tables) > 0 {
			sections = append(sections, section)
		}
	}
	for i, page := range t.form.Pages {
		var names []string
		for _, q := range page.Questions {
			names = append(names, q.Name)
		}
		add(t.in(page.Title), "page-"+strconv.Itoa(i+1), names)
	}
	add(t.T("surveys.results.older"), "older", t.old)
	return sections
}

func (t *telling) block(items []item) *likertBlock {
	b := &likertBlock{Heads: items[0].heads(t.axis, t.in)}
	b.Caption = caption(b.Heads)
	list := t.form.Lists[items[0].figures.Question.Scale]
	for _, c := range list {
		b.Columns = append(b.Columns, t.in(c.Label))
	}
	for _, i := range items {
		b.Bars = append(b.Bars, i.bar(t.axis, t.in, t.T("surveys.results.percent")))
		b.Rows = append(b.Rows, t.row(i, list))
	}
	b.Finding = t.finding(b.Rows)
	return b
}

func (t *telling) row(i item, list []surveys.Choice) likertRow {
	r := likertRow{Wording: i.Wording, label: i.Label, N: i.of, Unanswered: i.figures.Unanswered, isFew: i.few()}
	if r.isFew {
		return r
	}
	for _, c := range list {
		r.Cells = append(r.Cells, whole(i.percent(c)))
	}
	r.Mean, r.SD = t.number(i.figures.Mean, 1), t.number(i.figures.SD, 1)
	if i.figures.Mean != nil {
		r.mean, r.hasMean = *i.figures.Mean, true
	}
	return r
}

func (t *telling) number(x *float64, digits int) string {
	if x == nil {
		return ""
	}
	return t.Decimal(*x, digits)
}

// finding names the highest and the lowest mean of a block; "" where they cannot be told apart.
func (t *telling) finding(rows []likertRow) string {
	var shown []likertRow
	for _, r := range rows {
		if r.hasMean {
			shown = append(shown, r)
		}
	}
	if len(shown) < 2 {
		return ""
	}
	top := slices.MaxFunc(shown, func(a, b likertRow) int { return sign(a.mean - b.mean) })
	low := slices.MinFunc(shown, func(a, b likertRow) int { return sign(a.mean - b.mean) })
	if top.Mean == low.Mean {
		return ""
	}
	return t.T("surveys.results.finding", "Top", top.label, "TopMean", top.Mean, "Low", low.label, "LowMean", low.Mean)
}

func sign(x float64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

func (t *telling) table(f surveys.Frequency) countTable {
	q := f.Question
	c := countTable{Label: t.in(q.Label), Kind: string(q.Type), N: f.N + f.Missing, Unanswered: f.Unanswered}
	if c.Few = c.N < enough; c.Few {
		return c
	}
	if q.Type == surveys.Integer {
		c.Mean, c.SD, c.Median = t.number(f.Mean, 1), t.number(f.SD, 1), t.number(f.Median, 1)
		return c
	}
	for _, choice := range t.choices(f) {
		n := f.Counts[choice.Value]
		c.Lines = append(c.Lines, countLine{t.in(choice.Label), n, percentOf(n, c.N)})
	}
	return c
}

// choices are a question's list, and what was answered by a list that has changed since.
func (t *telling) choices(f surveys.Frequency) []surveys.Choice {
	if !f.Question.Type.HasChoices() {
		return nil
	}
	list := slices.Clone(t.form.Lists[f.Question.Scale])
	var gone []string
	for value := range f.Counts {
		if !slices.ContainsFunc(list, func(c surveys.Choice) bool { return c.Value == value }) {
			gone = append(gone, value)
		}
	}
	slices.SortFunc(gone, strings.Compare)
	for _, value := range gone {
		list = append(list, surveys.Choice{Value: value, Label: surveys.Text{t.form.Languages[0]: value}})
	}
	return list
}
