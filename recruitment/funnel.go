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
	all, err := r.Funnels(ctx, study)
	return Total(all, pilots), err
}

// figures are the columns of the index participant_figures, in its order: people are counted along it.
const figures = "stage, case_id, audience, relation, size, state, reached"

// Funnels returns the figures of each case in which somebody is. Those of "" are of people who were erased.
func (r *Recruitment) Funnels(ctx context.Context, study id.Study) (map[id.Case]Funnel, error) {
	all := map[id.Case]Funnel{}
	err := database.Each(ctx, r.db, func(row database.Scanner) error {
		var state, reached State
		var in id.Case
		var count int
		if err := row.Scan(&state, &reached, &in, &count); err != nil {
			return err
		}
		f := all[in]
		f.add(state, reached, count)
		all[in] = f
		return nil
	}, "select state, reached, case_id, count(*) from participant where study_id = $1 group by "+figures+" order by "+figures, study)
	if err != nil {
		return nil, fmt.Errorf("count funnel: %w", err)
	}
	for _, f := range all {
		f.sort()
	}
	return all, nil
}

// Total adds up the funnels of all cases but the pre-studies.
func Total(all map[id.Case]Funnel, pilots []id.Case) (sum Funnel) {
	for in, f := range all {
		if slices.Contains(pilots, in) {
			continue
		}
		sum.NotAsked += f.NotAsked
		sum.Asked += f.Asked
		sum.Yes += f.Yes
		sum.Booked += f.Booked
		sum.Done += f.Done
		for _, l := range f.Losses {
			sum.lose(l)
		}
	}
	sum.sort()
	return sum
}

// Lost is how many left, after whichever stage.
func (f Funnel) Lost() (n int) {
	for _, l := range f.Losses {
		n += l.Count
	}
	return n
}

// sort puts the losses in the order of stages, then of reasons.
func (f Funnel) sort() {
	slices.SortFunc(f.Losses, func(a, b Loss) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Stages(), a.After), slices.Index(Stages(), b.After)),
			cmp.Compare(slices.Index(losses, a.Reason), slices.Index(losses, b.Reason)))
	})
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
	if state.Lost() {
		f.lose(Loss{after, state, count})
	}
}

func (f *Funnel) lose(lost Loss) {
	for i, l := range f.Losses {
		if l.After == lost.After && l.Reason == lost.Reason {
			f.Losses[i].Count += lost.Count // another way to the same stage
			return
		}
	}
	f.Losses = append(f.Losses, lost)
}
