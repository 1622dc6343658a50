package handlers

import (
	"net/url"
	"slices"

	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// quotasPage is every cell with its figures, and how far the people of each case came. It shows nobody.
type quotasPage struct {
	subject
	Cells   []quotaRow
	Missing int // in all cells
	Whole   recruitment.Funnel
	Funnels []caseFunnel
	Pilots  []caseFunnel
}

// quotaRow is one cell.
type quotaRow struct {
	recruitment.Cell
	Unit    studies.Case
	Label   string
	Outside bool
	Waiting int    // not asked yet, and would count here
	List    string // the address of the list of them
}

// caseFunnel is how far the people of one case came, or those who were erased.
type caseFunnel struct {
	recruitment.Funnel
	Label string
	Drawn funnel
}

func (s *Server) quotas(v *visit) error {
	p := quotasPage{subject: v.subject("quotas", "quotas.title")}
	p.Here = "candidates"
	if err := s.quotaRows(v, &p); err != nil {
		return err
	}
	all, err := s.Recruitment.Funnels(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p.Whole = recruitment.Total(all, v.study.Pilots())
	for _, c := range v.study.Cases {
		one := caseFunnel{all[c.ID], c.Code + ", " + c.Name, drawFunnel(p.base, all[c.ID])}
		switch {
		case one.Asked+one.NotAsked == 0:
		case c.Pilot:
			p.Pilots = append(p.Pilots, one)
		default:
			p.Funnels = append(p.Funnels, one)
		}
	}
	if erased := all[""]; erased.Asked > 0 {
		p.Funnels = append(p.Funnels, caseFunnel{erased, p.T("quotas.erased"), drawFunnel(p.base, erased)})
	}
	return v.show("staff/quotas", p)
}

// quotaRows fills in the cells, in the order of the cases.
func (s *Server) quotaRows(v *visit, p *quotasPage) error {
	kinds, err := s.kinds(v.ctx(), v.study.ID, v.text)
	if err != nil {
		return err
	}
	cells, err := s.Recruitment.Quotas(v.ctx(), v.study.ID, v.study.Pilots())
	if err != nil {
		return err
	}
	waiting, err := s.Recruitment.Waiting(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	for _, c := range v.study.Cases {
		for _, cell := range cells {
			if cell.Case != c.ID {
				continue
			}
			row := quotaRow{Cell: cell, Unit: c, Outside: cell.Kind == recruitment.Outside, Waiting: waiting[recruitment.Place{Case: c.ID, Kind: cell.Kind}]}
			if i := slices.IndexFunc(kinds, func(k kind) bool { return k.Kind == cell.Kind }); i >= 0 {
				row.Label, row.List = kinds[i].Label, v.studyPath("/candidates?"+listOf(c, kinds[i].Profile))
			} else {
				row.Label = p.T("recruitment.cell.outside")
			}
			p.Missing += cell.Missing()
			p.Cells = append(p.Cells, row)
		}
	}
	return nil
}

// listOf is the filter of the list of candidates for those not asked yet who fit a kind.
func listOf(c studies.Case, p recruitment.Profile) string {
	query := url.Values{"case": {c.Code}, "state": {string(recruitment.StageNotAsked)}}
	for name, value := range map[string]string{"audience": p.Audience, "relation": string(p.Relation), "size": p.Size} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for key, value := range p.Attributes {
		query.Set(attributeField+key, value)
	}
	return query.Encode()
}
