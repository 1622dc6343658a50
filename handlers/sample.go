package handlers

import (
	"errors"
	"net/url"
	"slices"
	"strconv"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// samplePage is which cases a study has, and how many it wants from each.
type samplePage struct {
	subject
	Kinds []recruitment.Kind
	Rows  []goalRow
	Total int
}

// goalRow is one case with its goals, in the order of the kinds.
type goalRow struct {
	studies.Case
	Goals []int
	Sum   int
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
func (s *Server) samplePageOf(v *visit) (samplePage, error) {
	p := samplePage{subject: v.subject("sample", "sample.title"), Kinds: recruitment.Kinds()}
	p.Here = "settings"
	goals, err := s.goals(v)
	for _, c := range v.study.Cases {
		row := goalRow{Case: c}
		for _, kind := range p.Kinds {
			goal := goals[goalOf{c.ID, kind}]
			row.Goals, row.Sum = append(row.Goals, goal), row.Sum+goal
		}
		p.Rows = append(p.Rows, row)
		if !c.Pilot {
			p.Total += row.Sum
		}
	}
	return p, err
}

// PilotBox is ticked for a case that is a pre-study.
func (p samplePage) PilotBox() field {
	return p.Choose("pilot", []choice{{Value: "yes", Label: p.T("sample.pilot_yes")}}, "type=checkbox", "optional")
}

type goalOf struct {
	Case id.Case
	Kind recruitment.Kind
}

func (s *Server) goals(v *visit) (map[goalOf]int, error) {
	cells, err := s.Recruitment.Goals(v.ctx(), v.study.ID)
	goals := map[goalOf]int{}
	for _, cell := range cells {
		goals[goalOf{cell.Case, cell.Kind}] = cell.Goal
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
		for k, kind := range p.Kinds {
			if p.Rows[i].Sum > 0 {
				values.Set(string(kind), strconv.Itoa(p.Rows[i].Goals[k]))
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
	p.Form = v.refused("sample", refused)
	if errors.Is(refused, studies.ErrCaseTaken) {
		p.Form = p.Form.about("code")
	}
	return v.again(refused, "staff/sample", p)
}

const mostGoal = 1000

func (s *Server) quotaSet(v *visit) error {
	wanted, err := v.readGoals()
	if err != nil {
		return s.sampleAgain(v, err)
	}
	known, err := s.goals(v)
	if err != nil {
		return err
	}
	unit, _ := v.study.Case(id.Case(v.value("case"))) // readGoals knows that it is the study's
	if pilot := v.value("pilot") == "yes"; pilot != unit.Pilot {
		unit.Pilot = pilot
		if err := s.Studies.EditCase(v.ctx(), v.actor(), v.study.ID, unit); err != nil {
			return err
		}
	}
	for _, kind := range recruitment.Kinds() {
		if wanted[kind] == known[goalOf{unit.ID, kind}] {
			continue
		}
		if err := s.Recruitment.SetQuota(v.ctx(), v.actor(), v.study.ID, unit.ID, kind, wanted[kind]); err != nil {
			return err
		}
	}
	return v.seeOther(v.studyPath("/sample"), "quotas_set")
}

// readGoals reads a number for every kind; an empty field is none.
func (v *visit) readGoals() (map[recruitment.Kind]int, error) {
	var check errs.Check
	goals := map[recruitment.Kind]int{}
	for _, kind := range recruitment.Kinds() {
		typed := v.value(string(kind))
		if typed == "" {
			continue
		}
		n, err := strconv.Atoi(typed)
		if err != nil || n < 0 || n > mostGoal {
			check.Add(string(kind), "sample.goal")
		}
		goals[kind] = n
	}
	return goals, gatherFaults(v.chosen("case", samplePage{subject: v.subject("sample", "sample.title")}.CaseChoices()), check.Err())
}
