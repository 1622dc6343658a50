package recruitment

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// course is one person's way through the study, with its times, so that it can be asked how it stood earlier.
type course struct {
	Participant
	first   State    // where they stood when they were added
	logged  int64    // first entry of the contact log, UTC milliseconds; 0 without one
	changes []Change // oldest first
	erased  bool     // a tombstone: how far they came, and no time
}

// stood is where a person stood at an instant. Times are UTC milliseconds, 0 for what had not happened.
type stood struct {
	state, reached    State
	asked, done, lost int64
	everBooked        bool
}

// at looks no further than an instant; ok is false for somebody who had not been asked by then, or only by mistake.
func (c course) at(instant int64) (s stood, ok bool) {
	s = stood{state: c.first, reached: c.first}
	if c.first.rank() >= Contacted.rank() && c.CreatedAt <= instant {
		s.asked = c.CreatedAt
	}
	s.askedAt(c.logged, instant)
	for _, change := range c.changes {
		if change.At > instant {
			break
		}
		s.take(change)
	}
	return s, s.asked > 0 && s.state != Candidate
}

func (s *stood) askedAt(when, instant int64) {
	if when > 0 && when <= instant && (s.asked == 0 || when < s.asked) {
		s.asked = when
	}
}

func (s *stood) take(change Change) {
	s.state = change.Now
	if change.Now.rank() >= Contacted.rank() || slices.Contains([]State{NoAnswer, Declined, Cancelled}, change.Now) {
		s.askedAt(change.At, change.At)
	}
	if change.Now.rank() > s.reached.rank() {
		s.reached = change.Now
	}
	s.everBooked = s.everBooked || change.Now == Booked
	if s.done == 0 && change.Now.rank() >= Interviewed.rank() {
		s.done = change.At
	}
	s.lost = 0
	if change.Now.Lost() {
		s.lost = change.At
	}
}

// Each is answered from an index of its own (00017_milestones.sql).
const (
	askedQuery    = "select " + columns + " from participant where study_id = $1 and (events > 0 or state <> 'candidate')"
	changesQuery  = "select person_id, at, was, became from participant_change where study_id = $1 order by person_id, seq"
	contactsQuery = "select person_id, min(at) from contact_log where study_id = $1 group by person_id"
)

// courses reads everybody to whom something has happened, in three queries; the candidates who wait are not touched,
// however many they are.
func (r *Recruitment) courses(ctx context.Context, study id.Study) ([]course, error) {
	people, err := database.All(ctx, r.db, scan, askedQuery, study)
	if err != nil {
		return nil, fmt.Errorf("read who was asked: %w", err)
	}
	if err := r.withValues(ctx, study, people); err != nil {
		return nil, err
	}
	// By what they are to people: the order decides which random number is whose, and identifiers are random themselves.
	slices.SortFunc(people, func(a, b Participant) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), natural.Compare(a.Code, b.Code), cmp.Compare(a.ID, b.ID))
	})
	all := make([]course, len(people))
	at := make(map[id.Person]int, len(people))
	for i, p := range people {
		all[i], at[p.ID] = course{Participant: p, first: p.State, erased: p.Code == ""}, i
	}
	if err := r.changes(ctx, study, all, at); err != nil {
		return nil, fmt.Errorf("read ways: %w", err)
	}
	err = database.Each(ctx, r.db, func(row database.Scanner) error {
		var person id.Person
		var first int64
		err := row.Scan(&person, &first)
		if i, ok := at[person]; ok {
			all[i].logged = first
		}
		return err
	}, contactsQuery, study)
	if err != nil {
		return nil, fmt.Errorf("read first contacts: %w", err)
	}
	return all, nil
}

func (r *Recruitment) changes(ctx context.Context, study id.Study, all []course, at map[id.Person]int) error {
	return database.Each(ctx, r.db, func(row database.Scanner) error {
		var person id.Person
		var c Change
		if err := row.Scan(&person, &c.At, &c.Was, &c.Now); err != nil {
			return err
		}
		i, ok := at[person]
		if !ok {
			return nil // joined between the queries
		}
		if len(all[i].changes) == 0 {
			all[i].first = c.Was
		}
		all[i].changes = append(all[i].changes, c)
		return nil
	}, changesQuery, study)
}

// Arranged is a date in the calendar, for as long as it stood there. It is another's business: whoever keeps the
// calendar hands it in. Times are UTC milliseconds.
type Arranged struct {
	Person      id.Person
	Starts      int64 // 0 where it is not known any more
	From, Until int64 // when it was made or moved to there, and when that ended; 0 is not yet
}

// Meeting is an interview that took place, for those who were entered later than they were held.
type Meeting struct {
	Person id.Person
	At     int64 // UTC milliseconds
}
