package handlers

import (
	"cmp"
	"errors"
	"net/url"
	"slices"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// candidatesPage is one page of the list of everybody who may take part.
type candidatesPage struct {
	asking
	recruitment.Page
	Query      recruitment.Query
	Rows       []candidateRow
	Any        bool // somebody is in the study, whatever the filter says
	Attributes []recruitment.Attribute
	Views      []viewLink
	Log        *logPanel
}

type candidateRow struct {
	recruitment.Participant
	Source string
	Last   int64 // what happened last
	Next   int64 // an appointment, or else the next try
	Own    []string
	Here   bool // whose log stands beside the list
}

// logPanel is the contact log of one person beside the list.
type logPanel struct {
	recruitment.Participant
	Full     bool // no quota of the case has room for them
	Contacts []recruitment.Contact
}

func (s *Server) candidates(v *visit) error {
	p, err := s.candidatesPageOf(v, queryOf(v, v.Request.URL.Query()), id.Person(v.Query("log")))
	if err != nil {
		return err
	}
	return v.show("staff/candidates", p)
}

// candidatesPageOf reads a page of the list, with the log of one person beside it.
func (s *Server) candidatesPageOf(v *visit, q recruitment.Query, log id.Person) (p candidatesPage, err error) {
	p = candidatesPage{asking: asking{v.page("people.title")}, Query: q}
	p.Here, p.Form.Values = "candidates", p.values(q)
	if p.Page, err = s.Recruitment.Page(v.ctx(), v.study.ID, q); err != nil {
		return p, err
	}
	if p.Any = len(p.People) > 0; !p.Any {
		first, err := s.Recruitment.Page(v.ctx(), v.study.ID, recruitment.Query{})
		if err != nil {
			return p, err
		}
		p.Any = len(first.People) > 0
	}
	if p.Attributes, err = s.Recruitment.Attributes(v.ctx(), v.study.ID); err != nil {
		return p, err
	}
	views, err := s.Recruitment.Views(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	p.link(views)
	if err := s.fillRows(v, &p); err != nil || !p.Writes() {
		return p, err
	}
	p.Log, err = s.logPanel(v, log)
	p.mark()
	return p, err
}

// fillRows looks up what else a page shows of its people: appointments, and the codes of who led to them.
func (s *Server) fillRows(v *visit, p *candidatesPage) error {
	var persons, led []id.Person
	for _, one := range p.People {
		persons = append(persons, one.ID)
		if one.Recruiter != "" {
			led = append(led, one.Recruiter)
		}
	}
	next, err := s.Scheduling.NextOf(v.ctx(), v.study.ID, v.now(), persons)
	if err != nil {
		return err
	}
	codes, err := s.Recruitment.Codes(v.ctx(), v.study.ID, led)
	if err != nil {
		return err
	}
	for _, one := range p.People {
		row := candidateRow{Participant: one, Source: p.SourceOf(one, codes[one.Recruiter]), Last: one.LastAt,
			Next: cmp.Or(next[one.ID], one.NextAt), Own: p.ownOf(one, p.Attributes)}
		p.Rows = append(p.Rows, row)
	}
	return nil
}

// mark shows in the list whose log stands beside it.
func (p *candidatesPage) mark() {
	for i := range p.Rows {
		p.Rows[i].Here = p.Log != nil && p.Rows[i].ID == p.Log.ID
	}
}

// logPanel is for a wanted person, or else for whoever is to be tried today.
func (s *Server) logPanel(v *visit, wanted id.Person) (*logPanel, error) {
	var one recruitment.Participant
	var err error
	switch {
	case wanted == "":
		tonight := startOfDay(v.now().In(v.zone())).AddDate(0, 0, 1)
		one, err = s.Recruitment.NextDue(v.ctx(), v.study.ID, tonight.UnixMilli()-1)
		if errors.Is(err, recruitment.ErrUnknown) {
			return nil, nil
		}
	case !id.Valid(wanted):
		return nil, recruitment.ErrUnknown
	default:
		one, err = s.Recruitment.Get(v.ctx(), v.study.ID, wanted)
	}
	if err != nil {
		return nil, err
	}
	panel := &logPanel{Participant: one}
	if panel.Contacts, err = s.Recruitment.Contacts(v.ctx(), v.study.ID, one.ID); err != nil {
		return nil, err
	}
	panel.Full, err = s.noRoom(v, one)
	return panel, err
}

// noRoom says, before somebody is asked, that no quota of their case has room for them.
func (s *Server) noRoom(v *visit, p recruitment.Participant) (bool, error) {
	if p.Stage() != recruitment.StageNotAsked {
		return false, nil
	}
	full, err := s.Recruitment.Full(v.ctx(), v.study.ID, p.ID)
	return full[p.ID], err
}

// Asked is how many of the study were asked, "" where that is not counted or a filter leaves some out.
func (p candidatesPage) Asked() string {
	if p.Count.Over || p.Count.N == 0 || !p.Query.Empty() {
		return ""
	}
	return p.N("people.asked", p.Count.N-p.Waiting)
}

// Counted says how many there are.
func (p candidatesPage) Counted() string {
	switch {
	case !p.Count.Over:
		return p.N("people.count", p.Count.N)
	case p.Count.N == recruitment.MostCounted:
		return p.T("list.over", "N", p.Count.N)
	}
	return p.T("list.at_least", "N", max(p.Count.N, len(p.Rows)))
}

// Parts says how many of them were asked, where all are counted.
func (p candidatesPage) Parts() string {
	if p.Count.Over {
		return ""
	}
	return p.T("people.of_them", "Asked", p.Count.N-p.Waiting, "Waiting", p.Waiting)
}

// Seen is the version of the participant that the form in the panel is shown with.
func (p candidatesPage) Seen() int64 { return p.Log.Version }

// filterField is a list to filter by, in groups; the first may have no name.
type filterField struct {
	Name, ID, Label, All string
	Groups               []choiceGroup
}

type choiceGroup struct {
	Label   string
	Choices []choice
}

func (p candidatesPage) filterBy(name, label string, groups ...choiceGroup) filterField {
	return p.filter(name, label, p.T("people.filter.all"), groups...)
}

// filter is a list to filter by; what the address says is chosen.
func (b base) filter(name, label, all string, groups ...choiceGroup) filterField {
	f := filterField{Name: name, ID: "f-" + name, Label: label, All: all, Groups: groups}
	for _, group := range groups {
		for i := range group.Choices {
			group.Choices[i].Chosen = group.Choices[i].Value == b.Form.Values.Get(name)
		}
	}
	return f
}

// Main are the filters that are always in sight.
func (p candidatesPage) Main() []filterField {
	var sizes []choice
	for _, size := range p.Sizes() {
		if recruitment.Size(size.Value) != recruitment.Large { // which is all of its group
			sizes = append(sizes, size)
		}
	}
	stages := worded(p.asking, "recruitment.stage.", recruitment.Stages())
	states := worded(p.asking, "recruitment.state.", recruitment.States())
	return []filterField{
		p.filterBy("case", p.T("people.filter.case"), choiceGroup{Choices: p.Cases()}),
		p.filterBy("size", p.T("people.filter.size"), choiceGroup{Choices: worded(p.asking, "recruitment.group.", recruitment.Groups())},
			choiceGroup{p.T("list.sizes"), sizes}),
		p.filterBy("state", p.T("people.filter.state"), choiceGroup{Choices: stages}, choiceGroup{p.T("list.states"), states}),
	}
}

// More are the other filters.
func (p candidatesPage) More() []filterField {
	fields := []filterField{
		p.filterBy("audience", p.T("list.audience"), choiceGroup{Choices: p.Audiences()}),
		p.filterBy("relation", p.T("list.relation"), choiceGroup{Choices: p.Relations()}),
		p.filterBy("source", p.T("list.source"), choiceGroup{Choices: worded(p.asking, "people.source.", recruitment.Sources())}),
	}
	for _, f := range p.Own(p.Attributes) {
		fields = append(fields, p.filterBy(f.Name, f.Label, choiceGroup{Choices: f.Choices}))
	}
	return fields
}

// MoreUsed says whether one of them narrows the list.
func (p candidatesPage) MoreUsed() bool {
	return p.Query.Recruiter != "" || slices.ContainsFunc(p.More(), func(f filterField) bool { return p.Form.Values.Get(f.Name) != "" })
}

// head is the heading of a column that sorts.
type head struct{ Label, Address, Sorted string }

// Head sorts by an order, or turns it about. What happened last begins with the latest.
func (p candidatesPage) Head(order, label string) head {
	q, h := p.Query, head{Label: p.T(label)}
	by := recruitment.Order(order)
	if cmp.Or(q.Order, recruitment.ByCode) == by {
		h.Sorted = map[bool]string{false: "ascending", true: "descending"}[q.Down]
		q.Down = !q.Down
	} else {
		q.Order, q.Down = by, by == recruitment.ByLast
	}
	h.Address = p.list(q)
	return h
}

// list is the address of the list as a query asks for it.
func (p candidatesPage) list(q recruitment.Query) string { return listPath(p.base, p.values(q)) }

func listPath(b base, values url.Values) string { return withValues(b.At("/candidates"), values) }

func withValues(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// NextPage and PreviousPage are the addresses of the pages beside this one, "" where there is none.
func (p candidatesPage) NextPage() string { return p.beside("after", p.Next) }

func (p candidatesPage) PreviousPage() string { return p.beside("before", p.Previous) }

func (p candidatesPage) beside(name, cursor string) string {
	if cursor == "" {
		return ""
	}
	values := p.values(p.Query)
	values.Set(name, cursor)
	return listPath(p.base, values)
}

// Place is this page of the list, for forms that lead back to it.
func (p candidatesPage) Place() string { return p.here().Encode() }

func (p candidatesPage) here() url.Values {
	values := p.values(p.Query)
	if p.Query.After != "" {
		values.Set("after", p.Query.After)
	}
	if p.Query.Before != "" {
		values.Set("before", p.Query.Before)
	}
	return values
}

// LogOf is the address of this page of the list with somebody's log beside it.
func (p candidatesPage) LogOf(person id.Person) string {
	values := p.here()
	values.Set("log", string(person))
	return listPath(p.base, values) + "#log"
}

// InviteAll is where everybody whom the filter takes is invited.
func (p candidatesPage) InviteAll() string {
	return withValues(p.At("/invitations/new"), p.values(recruitment.Query{Filter: p.Query.Filter}))
}

// One is the address of a person's page.
func (a asking) One(person id.Person) string { return a.At("/people/" + string(person)) }

// askedPerson returns whom the address is about: a person of this study, or ErrUnknown.
func (s *Server) askedPerson(v *visit) (recruitment.Participant, error) {
	person := id.Person(v.Param("person"))
	if !id.Valid(person) {
		return recruitment.Participant{}, recruitment.ErrUnknown
	}
	return s.Recruitment.Get(v.ctx(), v.study.ID, person)
}

func (v *visit) onePath(person id.Person) string { return v.studyPath("/people/" + string(person)) }

// checkCase says whether a case is the study's.
func (v *visit) checkCase(c id.Case) error {
	if _, known := v.study.Case(c); known {
		return nil
	}
	return faultAt(errs.Invalid, "case", "recruitment.choose")
}
