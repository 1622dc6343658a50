package handlers

import (
	"cmp"
	"errors"
	"net/url"
	"slices"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// samplePage is which cases a study has, and how many it wants from each.
type samplePage struct {
	subject
	Kinds      []kind
	Attributes []recruitment.Attribute
	Rows       []goalRow
	Total      int // of the minima

	KindRefused bool
}

// goalRow is one case with its goals, in the order of the kinds.
type goalRow struct {
	studies.Case
	Goals []recruitment.Range
	Sum   recruitment.Range
}

// CaseChoices lists the cases by code.
func (p samplePage) CaseChoices() []choice {
	var choices []choice
	for _, c := range p.Study.Cases {
		choices = append(choices, choice{Value: string(c.ID), Label: c.Code + ", " + c.Name})
	}
	return choices
}

// samplePageOf reads the page anew: a form that was refused may have been handed in to an old state of it.
func (s *Server) samplePageOf(v *visit) (p samplePage, err error) {
	p = samplePage{subject: v.subject("sample", "sample.title")}
	p.Here, p.Path = "settings", p.At("/sample") // a refused form may have another address
	if p.Kinds, err = s.kinds(v.ctx(), v.study.ID, v.text); err != nil {
		return p, err
	}
	if p.Attributes, err = s.Recruitment.Attributes(v.ctx(), v.study.ID); err != nil {
		return p, err
	}
	goals, err := s.goals(v)
	for _, c := range v.study.Cases {
		row := goalRow{Case: c}
		for _, k := range p.Kinds {
			goal := goals[recruitment.Place{Case: c.ID, Kind: k.Kind}]
			row.Goals, row.Sum = append(row.Goals, goal), row.Sum.Plus(goal)
		}
		p.Rows = append(p.Rows, row)
		if !c.Pilot {
			p.Total += row.Sum.Least
		}
	}
	return p, err
}

// Own are the kinds that the study added.
func (p samplePage) Own() []kind { return p.Kinds[len(recruitment.Kinds()):] }

// GoalInputs are the fields for the goals of one case.
func (p samplePage) GoalInputs() (inputs []field) {
	for _, k := range p.Kinds {
		f := p.Ask(k.Input(), "autocomplete=off")
		f.Label = k.Label
		inputs = append(inputs, f)
	}
	return inputs
}

// Conditions are the fields for what a new kind asks for.
func (p samplePage) Conditions() []field {
	sizes := append(p.worded("recruitment.group", recruitment.Groups()...), worded(asking{p.base}, "recruitment.size.", recruitment.Sizes())...)
	inputs := []field{
		p.Pick("relation", asking{p.base}.Relations(), "optional"),
		p.Pick("size", sizes, "optional"),
		p.Pick("audience", asking{p.base}.Audiences(), "optional"),
	}
	return append(inputs, asking{p.base}.Own(p.Attributes)...)
}

// PilotBox is ticked for a case that is a pre-study.
func (p samplePage) PilotBox() field {
	return p.Choose("pilot", []choice{{Value: "yes", Label: p.T("sample.pilot_yes")}}, "type=checkbox", "optional")
}

func (s *Server) goals(v *visit) (map[recruitment.Place]recruitment.Range, error) {
	cells, err := s.Recruitment.Goals(v.ctx(), v.study.ID)
	goals := map[recruitment.Place]recruitment.Range{}
	for _, cell := range cells {
		goals[recruitment.Place{Case: cell.Case, Kind: cell.Kind}] = cell.Wanted()
	}
	return goals, err
}

func (s *Server) sample(v *visit) error {
	p, err := s.samplePageOf(v)
	if err != nil {
		return err
	}
	// A case named in the address has its goals filled in, to be changed.
	i := slices.IndexFunc(p.Rows, func(r goalRow) bool { return string(r.ID) == v.Query("case") })
	if i < 0 && len(p.Rows) == 1 {
		i = 0 // there is nothing to choose between
	}
	if i >= 0 {
		values := url.Values{"case": {string(p.Rows[i].ID)}}
		for n, k := range p.Kinds {
			if goal := p.Rows[i].Goals[n].String(); p.Rows[i].Sum != (recruitment.Range{}) {
				values.Set(k.Input(), cmp.Or(goal, "0"))
			}
		}
		if p.Rows[i].Pilot {
			values.Set("pilot", "yes")
		}
		p.Form = v.newForm(values)
	}
	return v.show("staff/sample", p)
}

func (s *Server) caseAdd(v *visit) error {
	_, err := s.Studies.AddCase(v.ctx(), v.actor(), v.study.ID, v.value("code"), v.value("name"))
	if mendable(err) {
		return s.sampleAgain(v, err)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/sample"), "case_added")
}

func (s *Server) sampleAgain(v *visit, refused error) error {
	p, err := s.samplePageOf(v)
	if err != nil {
		return err
	}
	p.Form, p.KindRefused = v.refused("sample", refused), v.form.Has("kind_name")
	for i, e := range p.Form.Errors {
		for _, f := range append(p.GoalInputs(), p.Conditions()...) {
			if f.Name == e.Name && !v.text.Has("sample."+e.Name) { // a name that the team gave
				p.Form.Errors[i].Text = aboutField(f.Label, e.Text)
			}
		}
	}
	if errors.Is(refused, studies.ErrCaseTaken) {
		p.Form = p.Form.about("code")
	}
	return v.again(refused, "staff/sample", p)
}

func (s *Server) quotaSet(v *visit) error {
	kinds, err := s.kinds(v.ctx(), v.study.ID, v.text)
	if err != nil {
		return err
	}
	wanted, err := v.readGoals(kinds)
	if err != nil {
		return s.sampleAgain(v, err)
	}
	unit, _ := v.study.Case(id.Case(v.value("case"))) // readGoals knows that it is the study's
	if pilot := v.value("pilot") == "yes"; pilot != unit.Pilot {
		unit.Pilot = pilot
		if err := s.Studies.EditCase(v.ctx(), v.actor(), v.study.ID, unit); err != nil {
			return err
		}
	}
	if err := s.Recruitment.SetQuotas(v.ctx(), v.actor(), v.study.ID, unit.ID, wanted); err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/sample"), "quotas_set")
}

// readGoals reads a goal for every kind that the form had; an empty field is none.
func (v *visit) readGoals(kinds []kind) (map[recruitment.Kind]recruitment.Range, error) {
	var check errs.Check
	goals := map[recruitment.Kind]recruitment.Range{}
	for _, k := range kinds {
		if !v.form.Has(k.Input()) {
			continue // added since the form was shown
		}
		goal, ok := recruitment.ParseRange(v.value(k.Input()))
		if !ok {
			check.Add(k.Input(), "sample.goal")
		}
		goals[k.Kind] = goal
	}
	return goals, gatherFaults(v.chosen("case", samplePage{subject: v.subject("sample", "sample.title")}.CaseChoices()), check.Err())
}
