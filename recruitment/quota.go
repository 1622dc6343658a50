package recruitment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// Kind is a cell of the quotas of one case.
type Kind string

const (
	QuotaAdministration Kind = "administration"
	QuotaSME            Kind = "sme"
	QuotaLarge          Kind = "large"
	QuotaAny            Kind = "any"
	// Outside is no cell that a goal can be set for: who found no place in the others.
	Outside Kind = "outside"
)

// Kinds lists the cells that a goal can be set for, in order.
func Kinds() []Kind { return []Kind{QuotaAdministration, QuotaSME, QuotaLarge, QuotaAny} }

const mostGoal = 1000

// SetQuota sets how many of a kind a case shall have; none removes the cell.
func (r *Recruitment) SetQuota(ctx context.Context, actor audit.Actor, study id.Study, caseID id.Case, cell Kind, goal int) error {
	var c errs.Check
	if !slices.Contains(Kinds(), cell) {
		c.Add("cell", "recruitment.choose")
	}
	if !id.Valid(caseID) {
		c.Add("case", "recruitment.choose")
	}
	if goal < 0 || goal > mostGoal {
		c.Add("goal", "recruitment.goal")
	}
	if err := c.Err(); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		if err := setQuota(ctx, tx, study, caseID, cell, goal); err != nil {
			return fmt.Errorf("set quota: %w", err)
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "quota.set", Study: study, Detail: fmt.Sprintf("%s %s %d", caseID, cell, goal)})
	})
}

func setQuota(ctx context.Context, tx *database.Tx, study id.Study, caseID id.Case, cell Kind, goal int) error {
	if goal == 0 {
		_, err := tx.Exec(ctx, "delete from quota where study_id = $1 and case_id = $2 and cell = $3", study, caseID, cell)
		return err
	}
	_, err := tx.Exec(ctx, `insert into quota (study_id, case_id, cell, goal) values ($1, $2, $3, $4)
		on conflict (study_id, case_id, cell) do update set goal = excluded.goal`, study, caseID, cell, goal)
	return err
}

// Cell is one cell with who is in it. The figures count those who came so far or further and are still in.
type Cell struct {
	Case                     id.Case
	Kind                     Kind
	Goal                     int // 0 for Outside
	Asked, Yes, Booked, Done int
	Persons                  []Participant // furthest first
}

// Missing is how many more must be asked.
func (c Cell) Missing() int { return max(0, c.Goal-c.Asked) }

// Goals returns the cells that have a goal, with nobody in them.
func (r *Recruitment) Goals(ctx context.Context, study id.Study) ([]Cell, error) {
	cells, err := database.All(ctx, r.db, func(row database.Scanner) (c Cell, err error) {
		err = row.Scan(&c.Case, &c.Kind, &c.Goal)
		return c, err
	}, "select case_id, cell, goal from quota where study_id = $1", study)
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	return cells, nil
}

// Quotas returns the cells of every case that has quotas and is no pre-study, with an Outside cell where somebody found no
// place. Candidates not asked yet and those who were lost hold no place.
func (r *Recruitment) Quotas(ctx context.Context, study id.Study, pilots []id.Case) ([]Cell, error) {
	cells, err := r.Goals(ctx, study)
	if err != nil {
		return nil, err
	}
	cells = slices.DeleteFunc(cells, func(c Cell) bool { return slices.Contains(pilots, c.Case) })
	everybody, err := r.List(ctx, study, Filter{})
	if err != nil {
		return nil, err
	}
	return fill(cells, everybody), nil
}

// fill seats people: the furthest choose first, each the cell of their own kind, then any, then outside.
func fill(cells []Cell, people []Participant) []Cell {
	slices.SortStableFunc(people, func(a, b Participant) int {
		return cmp.Or(cmp.Compare(b.State.rank(), a.State.rank()), natural.Compare(a.Code, b.Code))
	})
	at := func(caseID id.Case, kind Kind) int {
		return slices.IndexFunc(cells, func(c Cell) bool { return c.Case == caseID && c.Kind == kind })
	}
	for _, p := range people {
		stage := p.Stage()
		if stage == StageLost || stage == StageNotAsked || !slices.ContainsFunc(cells, func(c Cell) bool { return c.Case == p.Case }) {
			continue
		}
		i := place(cells, p)
		if i < 0 {
			i = at(p.Case, Outside)
		}
		if i < 0 {
			cells = append(cells, Cell{Case: p.Case, Kind: Outside})
			i = len(cells) - 1
		}
		cells[i].seat(p)
	}
	order := append(Kinds(), Outside)
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Case, b.Case), cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)))
	})
	return cells
}

// place returns the index of a cell with room for p, or -1.
func place(cells []Cell, p Participant) int {
	for _, kind := range []Kind{kindOf(p), QuotaAny} {
		for i, c := range cells {
			if c.Case == p.Case && c.Kind == kind && len(c.Persons) < c.Goal {
				return i
			}
		}
	}
	return -1
}

// kindOf is the cell of a participant's own kind. Somebody on the board runs nothing and stands for no company: they fit
// no cell but any.
func kindOf(p Participant) Kind {
	switch {
	case p.Relation == Administration:
		return QuotaAdministration
	case p.Relation == Member && p.Size.Group() == "SMB":
		return QuotaSME
	case p.Relation == Member && p.Size.Group() == "STOR":
		return QuotaLarge
	}
	return QuotaAny
}

func (c *Cell) seat(p Participant) {
	c.Persons = append(c.Persons, p)
	c.Asked++
	if p.Stage() != StageAsked {
		c.Yes++
	}
	if p.State.rank() >= Booked.rank() {
		c.Booked++
	}
	if p.State.rank() >= Interviewed.rank() {
		c.Done++
	}
}

// Full says, before somebody is asked, whether their case has quotas and none has room for them.
func Full(cells []Cell, p Participant) bool {
	return slices.ContainsFunc(cells, func(c Cell) bool { return c.Case == p.Case && c.Goal > 0 }) && place(cells, p) < 0
}
