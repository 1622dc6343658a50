package handlers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// kind is a row of the quotas with its name in the reader's language.
type kind struct {
	recruitment.Profile
	Label string
}

// Input is the name of the field for the kind's goal.
func (k kind) Input() string {
	if k.Own() {
		return "kind_" + string(k.Kind)
	}
	return string(k.Kind)
}

// kinds returns the rows of a study's quotas.
func (s *Server) kinds(ctx context.Context, study id.Study, text i18n.Text) ([]kind, error) {
	profiles, err := s.Recruitment.Profiles(ctx, study)
	if err != nil {
		return nil, err
	}
	var attributes []recruitment.Attribute
	if slices.ContainsFunc(profiles, func(p recruitment.Profile) bool { return len(p.Attributes) > 0 }) {
		if attributes, err = s.Recruitment.Attributes(ctx, study); err != nil {
			return nil, err
		}
	}
	kinds := make([]kind, len(profiles))
	for i, p := range profiles {
		kinds[i] = kind{p, kindName(text, p, attributes)}
	}
	return kinds, nil
}

// kindName is the team's own name for a kind, or else its conditions in words.
func kindName(text i18n.Text, p recruitment.Profile, attributes []recruitment.Attribute) string {
	if !p.Own() {
		return text.T("recruitment.cell." + string(p.Kind))
	}
	if p.Name != "" {
		return p.Name
	}
	var parts []string
	if p.Relation != "" {
		parts = append(parts, text.T("recruitment.relation."+string(p.Relation)))
	}
	switch {
	case slices.Contains(recruitment.Groups(), p.Size):
		parts = append(parts, text.T("recruitment.group."+p.Size))
	case p.Size != "":
		parts = append(parts, text.T("recruitment.size."+p.Size))
	}
	if p.Audience != "" {
		parts = append(parts, text.T("quotas.letter", "Audience", lowered(text.T("consents.audience."+p.Audience))))
	}
	for _, a := range attributes {
		if value := p.Attributes[a.Key]; value != "" {
			parts = append(parts, a.Name+": "+value)
		}
	}
	for i := range parts[1:] {
		parts[i+1] = lowered(parts[i+1])
	}
	return strings.Join(parts, ", ")
}

// labelOf is a kind's name.
func labelOf(kinds []kind, wanted recruitment.Kind) string {
	for _, k := range kinds {
		if k.Kind == wanted {
			return k.Label
		}
	}
	return string(wanted)
}

// fullInWords says which goals are reached where somebody cannot be asked for that alone, at the field with which they are
// asked anyway. Other errors are returned as they are.
func (s *Server) fullInWords(v *visit, one recruitment.Participant, err error) error {
	if !errors.Is(err, recruitment.ErrFull) {
		return err
	}
	kinds, failed := s.kinds(v.ctx(), v.study.ID, v.text)
	if failed != nil {
		return failed
	}
	cells, failed := s.Recruitment.Goals(v.ctx(), v.study.ID)
	if failed != nil {
		return failed
	}
	var reached []string
	for _, k := range kinds {
		here := func(c recruitment.Cell) bool { return c.Case == one.Case && c.Kind == k.Kind }
		if k.Fits(one) && slices.ContainsFunc(cells, here) {
			reached = append(reached, k.Label)
		}
	}
	unit, _ := v.study.Case(one.Case)
	fault := errs.Field{Name: "anyway", Code: "recruitment.full", Args: map[string]any{"Kinds": listed(v.text, reached), "Case": unit.Code, "Code": one.Code}}
	if len(reached) == 0 {
		fault.Code = "recruitment.full_for_others"
	}
	return &errs.Error{Kind: errs.Conflict, Code: "invalid", Fields: []errs.Field{fault}}
}

// listed puts words in a row: a, b and c.
func listed(text i18n.Text, words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return text.T("quotas.and", "Some", strings.Join(words[:last], ", "), "Last", words[last])
}

// AnywayBox asks somebody though no goal has room for them.
func (a asking) AnywayBox() field {
	return a.Ring("anyway", []choice{{Value: "yes", Label: a.T("people.anyway")}}, "type=checkbox")
}

// anyway says whether the form asks somebody though no goal has room for them.
func (v *visit) anyway() bool { return v.value("anyway") == "yes" }

// kindPage is what goes with a row of the quotas.
type kindPage struct {
	subject
	Kind  kind
	Cells []kindCell
}

type kindCell struct {
	studies.Case
	Goal  recruitment.Range
	Asked int // who counts there now
}

// Choices stand side by side; neither is chosen beforehand.
func (p kindPage) Choices() []choice { return p.worded("kind", "remove", "keep") }

// kindAdd adds a row to the quotas.
func (s *Server) kindAdd(v *visit) error {
	p := recruitment.Profile{Name: v.value("kind_name"), Audience: v.value("audience"), Relation: recruitment.Relation(v.value("relation")),
		Size: v.value("size"), Attributes: v.typedAttributes()}
	_, err := s.Recruitment.AddKind(v.ctx(), v.actor(), v.study.ID, p)
	if mendable(err) {
		return s.sampleAgain(v, renamed(err, map[string]string{"name": "kind_name"}))
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/sample"), "kind_added")
}

// kindRemove shows what goes with a row of the study's own, and takes it out.
func (s *Server) kindRemove(v *visit) error {
	p, err := s.kindPage(v)
	if err != nil {
		return err
	}
	if v.form == nil {
		return v.show("staff/kind", p)
	}
	switch v.value("choice") {
	case "keep":
		return v.seeOther(v.studyPath("/sample"), "")
	case "remove":
		if err = s.Recruitment.RemoveKind(v.ctx(), v.actor(), v.study.ID, p.Kind.Kind); err == nil {
			return v.seeOther(v.studyPath("/sample"), "kind_removed")
		}
	default:
		err = faultAt(errs.Invalid, "choice", "quotas.choice")
	}
	if !mendable(err) {
		return err
	}
	p.Form = v.againForm(err)
	return v.again(err, "staff/kind", p)
}

func (s *Server) kindPage(v *visit) (p kindPage, err error) {
	kinds, err := s.kinds(v.ctx(), v.study.ID, v.text)
	if err != nil {
		return p, err
	}
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.Own() && string(k.Kind) == v.Param("kind") })
	if i < 0 { // or gone since the first click
		return p, cmp.Or(s.Repeated(v.ctx()), error(recruitment.ErrKind))
	}
	p = kindPage{subject: v.subject("kind", "kind.title", "Kind", kinds[i].Label), Kind: kinds[i]}
	p.Here = "settings"
	p.Cells, err = s.kindCells(v, p.Kind)
	return p, err
}

// kindCells are the cells of a row, in the order of the cases.
func (s *Server) kindCells(v *visit, k kind) (cells []kindCell, err error) {
	all, err := s.Recruitment.Goals(v.ctx(), v.study.ID) // with those of pre-studies
	if err != nil {
		return nil, err
	}
	filled, err := s.Recruitment.Quotas(v.ctx(), v.study.ID, v.study.Pilots())
	for _, unit := range v.study.Cases {
		here := func(c recruitment.Cell) bool { return c.Case == unit.ID && c.Kind == k.Kind }
		i := slices.IndexFunc(all, here)
		if i < 0 {
			continue
		}
		cell := kindCell{Case: unit, Goal: all[i].Wanted()}
		if i := slices.IndexFunc(filled, here); i >= 0 {
			cell.Asked = filled[i].Asked
		}
		cells = append(cells, cell)
	}
	return cells, err
}
