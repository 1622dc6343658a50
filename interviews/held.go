package interviews

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrNotFound is a NotFound: no such interview in this study.
	ErrNotFound = errs.New(errs.NotFound, "interviews.not_found")
	// ErrRecorded is a Conflict: the appointment's interview is written down already.
	ErrRecorded = errs.New(errs.Conflict, "interviews.recorded")
)

// NoMinutes is the duration of what has none, such as an interview by e-mail.
const NoMinutes = -1

// mostMinutes catches a slip of the hand; an hour is usual.
const mostMinutes = 12 * 60

// Modes are the ways of talking. Where the two met is nothing to an interview that was held.
var Modes = []string{"in_person", "phone", "video", "email"}

// Held is one interview that took place.
type Held struct {
	ID        id.Interview
	Study     id.Study
	Person    id.Person
	Booking   id.Booking // the appointment that was kept; empty where there was none
	Mode      string     // one of Modes
	HeldOn    string     // date where it was held, 2006-01-02; "" of somebody who is anonymous now
	StartedAt int64      // UTC milliseconds; 0 where nobody noted it
	Minutes   int        // whole minutes, or NoMinutes
}

// Record writes down an interview and moves its person on to "interviewed". A booking, if named, is marked as kept; its
// second interview is ErrRecorded; a person who is not in the study a NotFound. The gate's Forbidden comes back for somebody
// who said no, or whose data are only kept. What is wrong with the input comes back as one Invalid, with the fields mode,
// held_on, started_at and minutes.
func (s *Interviews) Record(ctx context.Context, actor audit.Actor, h Held) (id.Interview, error) {
	if err := s.check(h); err != nil {
		return "", err
	}
	if !id.Valid(h.Person) {
		return "", ErrNotFound
	}
	h.ID = id.New[id.Interview]()
	err := s.db.Tx(ctx, func(tx *database.Tx) error { return s.record(ctx, tx, actor, h) })
	if err != nil {
		return "", fmt.Errorf("record interview: %w", err)
	}
	return h.ID, nil
}

func (s *Interviews) record(ctx context.Context, tx *database.Tx, actor audit.Actor, h Held) error {
	if err := s.present(ctx, tx, h.Study, h.Person); err != nil {
		return err
	}
	if err := s.gate.MayBeforeYes(ctx, tx, h.Study, h.Person, purpose); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `insert into interview (id, study_id, person_id, booking_id, mode, held_on, started_at, minutes, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
		h.ID, h.Study, h.Person, h.Booking, h.Mode, h.HeldOn, h.StartedAt, h.Minutes, s.now().UnixMilli())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrRecorded
	}
	if h.Booking != "" {
		if err := s.done(ctx, tx, h.Study, h.Person, h.Booking); err != nil {
			return err
		}
	}
	if err := s.advance(ctx, tx, h.Study, h.Person, "interviewed", actor); err != nil {
		return err
	}
	return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "interview.recorded", Study: h.Study, Person: h.Person})
}

// Edit corrects mode, date, start and duration of an interview; whose it is and which appointment it was stay. It
// returns ErrNotFound for one that is not in h.Study.
func (s *Interviews) Edit(ctx context.Context, actor audit.Actor, h Held) error {
	if err := s.check(h); err != nil {
		return err
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		var person id.Person
		err := tx.QueryRow(ctx, `update interview set mode = $3, held_on = $4, started_at = $5, minutes = $6
			where study_id = $1 and id = $2 returning person_id`, h.Study, h.ID, h.Mode, h.HeldOn, h.StartedAt, h.Minutes).Scan(&person)
		if err != nil {
			return notFound(err)
		}
		return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "interview.edited", Study: h.Study, Person: person})
	})
	if err != nil {
		return fmt.Errorf("edit interview: %w", err)
	}
	return nil
}

// easternmost is how far ahead of UTC a local date can be, so that today is today everywhere.
const easternmost = 14 * time.Hour

func (s *Interviews) check(h Held) error {
	var c errs.Check
	if !slices.Contains(Modes, h.Mode) {
		c.Add("mode", "interviews.mode")
	}
	latest := s.now().UTC().Add(easternmost)
	switch day, err := time.Parse(time.DateOnly, h.HeldOn); {
	case h.HeldOn == "":
		c.Add("held_on", "required")
	case err != nil:
		c.Add("held_on", "interviews.date")
	case day.After(latest):
		c.Add("held_on", "interviews.in_future")
	}
	if h.StartedAt < 0 || h.StartedAt > latest.UnixMilli() {
		c.Add("started_at", "interviews.in_future")
	}
	if h.Minutes != NoMinutes && (h.Minutes < 1 || h.Minutes > mostMinutes) {
		c.Add("minutes", "interviews.minutes")
	}
	return c.Err()
}

const columns = "id, study_id, person_id, booking_id, mode, held_on, started_at, minutes"

func scan(row database.Scanner) (h Held, err error) {
	err = row.Scan(&h.ID, &h.Study, &h.Person, &h.Booking, &h.Mode, &h.HeldOn, &h.StartedAt, &h.Minutes)
	if h.HeldOn == undated {
		h.HeldOn = ""
	}
	return h, err
}

// Get returns one interview, or ErrNotFound.
func (s *Interviews) Get(ctx context.Context, study id.Study, interview id.Interview) (Held, error) {
	h, err := scan(s.db.QueryRow(ctx, "select "+columns+" from interview where study_id = $1 and id = $2", study, interview))
	if err != nil {
		return Held{}, fmt.Errorf("get interview: %w", notFound(err))
	}
	return h, nil
}

// List returns a study's interviews in the order in which they were held.
func (s *Interviews) List(ctx context.Context, study id.Study) ([]Held, error) {
	return database.All(ctx, s.db, scan, "select "+columns+" from interview where study_id = $1"+inOrder, study)
}

// Of returns one person's interviews in the order in which they were held.
func (s *Interviews) Of(ctx context.Context, study id.Study, person id.Person) ([]Held, error) {
	return database.All(ctx, s.db, scan, "select "+columns+" from interview where study_id = $1 and person_id = $2"+inOrder, study, person)
}

const inOrder = " order by held_on, started_at, created_at, id"

func notFound(err error) error {
	if errors.Is(err, database.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
