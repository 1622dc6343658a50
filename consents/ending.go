package consents

import (
	"context"
	"maps"
	"slices"

	"example.org/feltbok/internal/id"
)

// Acts counts the acts of consent and of withdrawal that a study has kept.
func (c *Consents) Acts(ctx context.Context, study id.Study) (n int64, err error) {
	err = c.db.QueryRow(ctx, "select count(*) from consent_act where study_id = $1", study).Scan(&n)
	return n, err
}

// SaidYes lists those of a study who have said yes to something and stand by it, in the order of their ids.
func (c *Consents) SaidYes(ctx context.Context, study id.Study) ([]id.Person, error) {
	states, err := c.StatesOf(ctx, study)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(states, func(_ id.Person, state map[string]string) bool {
		return !slices.Contains(slices.Collect(maps.Values(state)), Yes)
	})
	return slices.Sorted(maps.Keys(states)), nil
}

// Agrees says whether somebody has said yes to something and stands by it.
func (s State) Agrees() bool { return slices.Contains(slices.Collect(maps.Values(s.ByPurpose)), Yes) }
