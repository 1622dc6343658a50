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

// Funnel returns the figures of a study. Where some cases have quotas, a case without any is a pre-study and outside.
func (r *Recruitment) Funnel(ctx context.Context, study id.Study) (Funnel, error) {
	var f Funnel
	err := database.Each(ctx, r.db, func(row database.Scanner) error {
		var state, reached State
		var count int
		if err := row.Scan(&state, &reached, &count); err != nil {
			return err
		}
		f.add(state, reached, count)
		return nil
	}, `select state, reached, count(*) from participant where study_id = $1 and (case_id = ''
		or case_id in (select case_id from quota where study_id = $1)
		or not exists (select 1 from quota where study_id = $1)) group by state, reached`, study)
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
