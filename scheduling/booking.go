package scheduling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// State is where a booking stands.
type State string

const (
	Booked    State = "booked"
	Cancelled State = "cancelled"
	Done      State = "done"
	NoShow    State = "no_show"
)

// Booking is one interview appointment.
type Booking struct {
	ID               id.Booking
	Study            id.Study
	Person           id.Person
	Audience         string
	Language         string // the participant's when they booked; empty where staff did
	Mode             Mode
	StartsAt, EndsAt int64 // UTC milliseconds; in writing the day on which the answers are due
	Zone             string
	PersonZone       string  // in which the participant chose; empty: Zone
	Place            string  // the room or the video address; never a participant's own address
	Where            id.Note // in the vault: where to come to, or which number to ring; empty where nothing was said
	Message          id.Note // in the vault: what the team wrote to the participant about the latest change
	Title            Title
	Retitled         int // how often the title was changed
	Interviewers     []id.Account
	State            State
	FollowUp         bool   // beside another open booking of the same person
	UID              string // the calendar object's
	Sequence         int    // 0 at first; rises with every change that concerns both sides and with the cancellation
	Moves            int    // how often its time was changed
	MovedAt          int64  // when it got the time that it has, UTC milliseconds
	Version          int64  // rises with everything
	MadeBy           audit.Actor
	CreatedAt        int64 // UTC milliseconds
	ChangedAt        int64
}

// Title is what the participant's calendar shows: a code whose word stands in the catalogue after "scheduling.title.".
type Title string

// Titles are those to choose from, the usual one first. None says what it is about.
var Titles = []Title{"appointment", "talk", "meeting"}

// OwnSequence is the SEQUENCE of the participant's copy. A new title is nothing to the interviewers, so theirs is Sequence.
func (b Booking) OwnSequence() int { return b.Sequence + b.Retitled }

// Start returns the start in the booking's zone.
func (b Booking) Start() time.Time { return b.in(b.StartsAt) }

// End returns the end in the booking's zone.
func (b Booking) End() time.Time { return b.in(b.EndsAt) }

func (b Booking) in(ms int64) time.Time {
	loc, err := zone(b.Zone)
	if err != nil {
		loc = time.UTC // a zone that this machine has forgotten must not hide the booking
	}
	return time.UnixMilli(ms).In(loc)
}

const bookingColumns = `id, study_id, person_id, audience, language, mode, starts_at, ends_at, zone, person_zone, place, where_note, message_note,
	title, retitled, interviewers, state, follow_up, uid, sequence, moves, moved_at, version, made_by, created_at, changed_at`

func scanBooking(row database.Scanner) (b Booking, err error) {
	var interviewers string
	err = row.Scan(&b.ID, &b.Study, &b.Person, &b.Audience, &b.Language, &b.Mode, &b.StartsAt, &b.EndsAt, &b.Zone, &b.PersonZone, &b.Place,
		&b.Where, &b.Message, &b.Title, &b.Retitled, &interviewers, &b.State, &b.FollowUp, &b.UID, &b.Sequence, &b.Moves, &b.MovedAt,
		&b.Version, &b.MadeBy, &b.CreatedAt, &b.ChangedAt)
	if err == nil {
		err = json.Unmarshal([]byte(interviewers), &b.Interviewers)
	}
	return b, err
}

// Get returns one booking. ErrNotFound: the study has none of this id.
func (s *Scheduling) Get(ctx context.Context, study id.Study, booking id.Booking) (Booking, error) {
	return get(ctx, s.db, study, booking)
}

func get(ctx context.Context, q database.Querier, study id.Study, booking id.Booking) (Booking, error) {
	b, err := scanBooking(q.QueryRow(ctx, "select "+bookingColumns+" from booking where study_id = $1 and id = $2", study, booking))
	if errors.Is(err, database.ErrNoRows) {
		return Booking{}, ErrNotFound
	}
	if err != nil {
		return Booking{}, fmt.Errorf("read booking: %w", err)
	}
	return b, nil
}

const byTime = " order by starts_at, id"

// Of returns a person's bookings in every state, by time.
func (s *Scheduling) Of(ctx context.Context, study id.Study, person id.Person) ([]Booking, error) {
	return s.bookings(ctx, "study_id = $1 and person_id = $2", study, person)
}

// Between returns the study's bookings in every state that start in [from, to), by time.
func (s *Scheduling) Between(ctx context.Context, study id.Study, from, to time.Time) ([]Booking, error) {
	return s.bookings(ctx, "study_id = $1 and starts_at >= $2 and starts_at < $3", study, from.UnixMilli(), to.UnixMilli())
}

// NextOf returns when each of some persons has their next appointment after an instant, in UTC milliseconds; who has none is
// not in it.
func (s *Scheduling) NextOf(ctx context.Context, study id.Study, after time.Time, persons []id.Person) (map[id.Person]int64, error) {
	next := map[id.Person]int64{}
	for some := range database.Chunks(persons) {
		list, args := database.In(some, study, after.UnixMilli(), Booked)
		err := database.Each(ctx, s.db, func(row database.Scanner) error {
			var person id.Person
			var at int64
			err := row.Scan(&person, &at)
			next[person] = at
			return err
		}, `select person_id, min(starts_at) from booking where study_id = $1 and starts_at >= $2 and state = $3 and person_id in `+list+`
			group by person_id`, args...)
		if err != nil {
			return nil, fmt.Errorf("read next appointments: %w", err)
		}
	}
	return next, nil
}

// All returns the study's bookings in every state, by time.
func (s *Scheduling) All(ctx context.Context, study id.Study) ([]Booking, error) {
	return s.bookings(ctx, "study_id = $1", study)
}

func (s *Scheduling) bookings(ctx context.Context, where string, args ...any) ([]Booking, error) {
	all, err := database.All(ctx, s.db, scanBooking, "select "+bookingColumns+" from booking where "+where+byTime, args...)
	if err != nil {
		return nil, fmt.Errorf("list bookings: %w", err)
	}
	return all, nil
}

// insert writes a new booking. The partial unique index keeps a second open one of the same person out.
func insert(ctx context.Context, tx *database.Tx, b Booking) error {
	interviewers, err := json.Marshal(b.Interviewers)
	if err != nil {
		return fmt.Errorf("insert booking: %w", err)
	}
	n, err := tx.Insert(ctx, "booking ("+bookingColumns+")", [][]any{{b.ID, b.Study, b.Person, b.Audience, b.Language, b.Mode, b.StartsAt, b.EndsAt,
		b.Zone, b.PersonZone, b.Place, b.Where, b.Message, b.Title, b.Retitled, string(interviewers), b.State, b.FollowUp, b.UID, b.Sequence,
		b.Moves, b.MovedAt, b.Version, b.MadeBy, b.CreatedAt, b.ChangedAt}}, "on conflict do nothing")
	if err != nil {
		return fmt.Errorf("insert booking: %w", err)
	}
	if n == 0 {
		return ErrHasBooking
	}
	return nil
}

// write writes what may change of a booking, and raises its version: b has the one that was read. Whoever comes second does
// not write over the first.
func write(ctx context.Context, tx *database.Tx, b *Booking) error {
	interviewers, err := json.Marshal(b.Interviewers)
	if err != nil {
		return fmt.Errorf("change booking: %w", err)
	}
	n, err := tx.Exec(ctx, `update booking set mode = $4, starts_at = $5, ends_at = $6, place = $7, where_note = $8, message_note = $9, title = $10,
		retitled = $11, interviewers = $12, state = $13, sequence = $14, moves = $15, moved_at = $16, changed_at = $17, person_zone = $18,
		version = version + 1 where study_id = $1 and id = $2 and version = $3`,
		b.Study, b.ID, b.Version, b.Mode, b.StartsAt, b.EndsAt, b.Place, b.Where, b.Message, b.Title, b.Retitled, string(interviewers), b.State,
		b.Sequence, b.Moves, b.MovedAt, b.ChangedAt, b.PersonZone)
	if err != nil {
		return fmt.Errorf("change booking: %w", err)
	}
	if n == 0 {
		return ErrChanged
	}
	b.Version++
	return nil
}

// DoneTx says how an appointment went: Done or NoShow. Saying it again, or otherwise, is no error; ErrNotOpen: it was
// cancelled, never was, or is somebody else's.
func (s *Scheduling) DoneTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, booking id.Booking, state State) error {
	if state != Done && state != NoShow {
		return fmt.Errorf("a booking cannot end as %q", state)
	}
	n, err := tx.Exec(ctx, `update booking set state = $3, changed_at = $4, version = version + 1
		where study_id = $1 and id = $2 and person_id = $5 and state <> 'cancelled'`, study, booking, state, s.now().UnixMilli(), person)
	if err != nil {
		return fmt.Errorf("end booking: %w", err)
	}
	if n == 0 {
		return ErrNotOpen
	}
	return nil
}

// Stand is a time that a booking had, for as long as it had it. Instants are UTC milliseconds.
type Stand struct {
	Starts      int64 // 0: it was moved since, and the former time is not kept
	From, Until int64 // Until is 0 while the booking is open
}

// Stands tells how a booking stood, oldest first. Only the time that it has is known: before a move it stood somewhere else.
func (b Booking) Stands() []Stand {
	switch {
	case b.Moves == 0 && b.State == Booked:
		return []Stand{{b.StartsAt, b.CreatedAt, 0}}
	case b.Moves == 0:
		return []Stand{{b.StartsAt, b.CreatedAt, b.ChangedAt}}
	case b.State == Booked:
		return []Stand{{0, b.CreatedAt, b.MovedAt}, {b.StartsAt, b.MovedAt, 0}}
	}
	return []Stand{{0, b.CreatedAt, b.ChangedAt}}
}
