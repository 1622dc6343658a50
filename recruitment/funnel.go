package recruitment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Funnel counts how far a study's people came. Each figure counts those who came so far or further, also those who were
// lost later and those who were erased.
type Funnel struct {
	NotAsked                 int // candidates, outside the funnel
	Asked, Yes, Booked, Done int
	Losses                   []Loss
}

// Loss counts those who left after a stage for one reason.
type Loss struct {
	After  Stage
	Reason State
	Count  int
}

// Funnel returns the figures of a study without its pre-studies. Whoever was erased has no case any more, and counts.
func (r *Recruitment) Funnel(ctx context.Context, study id.Study, pilots []id.Case) (Funnel, error) {
	var f Funnel
	err := database.Each(ctx, r.db, func(row database.Scanner) error {
		var state, reached State
		var in id.Case
		var count int
		if err := row.Scan(&state, &reached, &in, &count); err != nil {
			return err
		}
		if !slices.Contains(pilots, in) {
			f.add(state, reached, count)
		}
		return nil
	}, "select state, reached, case_id, count(*) from participant where study_id = $1 group by state, reached, case_id", study)
	if err != nil {
		return Funnel{}, fmt.Errorf("count funnel: %w", err)
	}
	slices.SortFunc(f.Losses, func(a, b Loss) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Stages(), a.After), slices.Index(Stages(), b.After)),
			cmp.Compare(slices.Index(losses, a.Reason), slices.Index(losses, b.Reason)))
	})
	return f, nil
}

func (f *Funnel) add(state, reached State, count int) {
	after := reached.Stage()
	switch after {
	case StageDone:
		f.Done += count
		fallthrough
	case StageBooked:
		f.Booked += count
		fallthrough
	case StageYes:
		f.Yes += count
		fallthrough
	case StageAsked:
		f.Asked += count
	case StageNotAsked:
		if !state.Lost() {
			f.NotAsked += count
		}
		return
	}
	if !state.Lost() {
		return
	}
	for i, l := range f.Losses {
		if l.After == after && l.Reason == state {
			f.Losses[i].Count += count // reached differs, the stage does not
			return
		}
	}
	f.Losses = append(f.Losses, Loss{after, state, count})
}
