package consents

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Latest is how and when somebody answered last.
type Latest struct {
	Means string
	At    int64 // UTC milliseconds
}

// LatestOf returns the latest act of everybody in a study who has answered.
func (c *Consents) LatestOf(ctx context.Context, study id.Study) (map[id.Person]Latest, error) {
	latest := map[id.Person]Latest{}
	err := database.Each(ctx, c.db, func(row database.Scanner) error {
		var person id.Person
		var l Latest
		err := row.Scan(&person, &l.Means, &l.At)
		latest[person] = l
		return err
	}, "select person_id, means, at from consent_act where study_id = $1 order by person_id, number", study)
	if err != nil {
		return nil, fmt.Errorf("read latest acts: %w", err)
	}
	return latest, nil
}
