package scheduling

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Move gives a booking another start of the same length. Participants move their own, until the deadline, to a time
// that is offered, and may get another interviewer; staff move any open booking to a time at which its interviewers are
// free. Moving to where it is changes nothing.
//
// It returns Invalid with the field "start", ErrNotFound (also for another's booking), ErrNotOpen, ErrTooLate,
// ErrOutside, ErrTaken or ErrNotAllowed.
func (s *Scheduling) Move(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, start time.Time, byStaff bool) (Booking, error) {
	now, err := s.own(ctx, s.db, actor, study, booking, byStaff)
	if err != nil {
		return Booking{}, err
	}
	kind, err := s.TypeOf(ctx, study, now.Audience)
	if err != nil {
		return Booking{}, err
	}
	kind.Minutes, kind.Interviewers = int((now.EndsAt-now.StartsAt)/minute), len(now.Interviewers)
	if err := (Request{Start: start, Mode: now.Mode, ByStaff: byStaff}).check(Type{Modes: Modes}, s.now()); err != nil {
		return Booking{}, err
	}
	if start.UnixMilli() == now.StartsAt && now.State == Booked {
		return now, nil
	}
	from := cast{now.Interviewers, len(now.Interviewers)}
	if !byStaff {
		if from, err = s.offeredInstead(ctx, kind, now, start); err != nil {
			return Booking{}, err
		}
	}
	var moved Booking
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		moved, err = s.move(ctx, tx, actor, kind, now, from, start.UnixMilli(), byStaff)
		return err
	})
	return moved, err
}

// offeredInstead finds who could take a participant's booking at another time, its own interviewers first. Who is busy
// is asked in the transaction alone: only there is it certain which booking is this person's.
func (s *Scheduling) offeredInstead(ctx context.Context, kind Type, b Booking, start time.Time) (cast, error) {
	if err := s.open(b, kind, false); err != nil {
		return cast{}, err
	}
	p, err := s.plan(ctx, kind, start, start)
	if err != nil {
		return cast{}, err
	}
	from, err := s.offered(p, start.UnixMilli())
	slices.SortStableFunc(from.accounts, func(x, y id.Account) int {
		return place(b.Interviewers, x) - place(b.Interviewers, y)
	})
	return from, err
}

// place is 0 for those who have the booking and 1 for the others.
func place(holders []id.Account, a id.Account) int {
	if slices.Contains(holders, a) {
		return 0
	}
	return 1
}

func (s *Scheduling) move(ctx context.Context, tx *database.Tx, actor audit.Actor, kind Type, seen Booking, from cast, start int64, byStaff bool) (Booking, error) {
	if err := s.admit(ctx, tx, seen.Study, seen.Person, byStaff); err != nil {
		return Booking{}, err
	}
	before, err := s.own(ctx, tx, actor, seen.Study, seen.ID, byStaff)
	if err != nil {
		return Booking{}, err
	}
	if err := s.open(before, kind, byStaff); err != nil {
		return Booking{}, err
	}
	moved := before
	moved.StartsAt, moved.EndsAt = start, start+kind.length()
	moved.Sequence++
	moved.ChangedAt = s.now().UnixMilli()
	first, after := kind.cells(moved.StartsAt, moved.EndsAt)
	if err := seat(ctx, tx, &moved, from, first, after); err != nil {
		return Booking{}, err
	}
	if err := change(ctx, tx, moved); err != nil {
		return Booking{}, err
	}
	if err := release(ctx, tx, moved); err != nil {
		return Booking{}, err
	}
	if err := take(ctx, tx, moved, first, after); err != nil {
		return Booking{}, err
	}
	if err := s.tellMove(ctx, tx, before, moved); err != nil {
		return Booking{}, err
	}
	return moved, s.note(ctx, tx, actor, "booking.moved", moved)
}

// Cancel gives a booking's time back. Participants cancel their own until the deadline.
//
// It returns ErrNotFound (also for another's booking), ErrNotOpen or ErrTooLate.
func (s *Scheduling) Cancel(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, byStaff bool) error {
	seen, err := s.own(ctx, s.db, actor, study, booking, byStaff)
	if err != nil {
		return err
	}
	kind, err := s.TypeOf(ctx, study, seen.Audience)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		if err := personTurn(ctx, tx, study, seen.Person); err != nil {
			return err
		}
		b, err := s.own(ctx, tx, actor, study, booking, byStaff)
		if err != nil {
			return err
		}
		if err := s.open(b, kind, byStaff); err != nil {
			return err
		}
		return s.cancel(ctx, tx, actor, b)
	})
}

// CancelAllTx cancels all of a person's open bookings, whatever the deadline, when they withdraw or are erased. Call it
// first in that transaction, after holding the person's place: it holds their consent and takes their turn, and a booking
// made beside it waits and then finds the place or the consent gone.
func (s *Scheduling) CancelAllTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) error {
	// Whatever the answer: asking holds the person's consent, and booking takes the two in the same order.
	if err := s.gate.May(ctx, tx, study, person, purpose); err != nil && errs.KindOf(err) != errs.Forbidden {
		return fmt.Errorf("hold consent: %w", err)
	}
	if err := personTurn(ctx, tx, study, person); err != nil {
		return err
	}
	open, err := database.All(ctx, tx, scanBooking,
		"select "+bookingColumns+" from booking where study_id = $1 and person_id = $2 and state = 'booked'"+byTime, study, person)
	if err != nil {
		return fmt.Errorf("list open bookings: %w", err)
	}
	for _, b := range open {
		if err := s.cancel(ctx, tx, actor, b); err != nil {
			return err
		}
	}
	return nil
}

// Awaited says whether somebody has an appointment that is not over yet.
func (s *Scheduling) Awaited(ctx context.Context, q database.Querier, study id.Study, person id.Person) (awaited bool, err error) {
	err = q.QueryRow(ctx, "select exists (select 1 from booking where study_id = $1 and person_id = $2 and state = $3 and ends_at > $4)",
		study, person, Booked, s.now().UnixMilli()).Scan(&awaited)
	if err != nil {
		return false, fmt.Errorf("ask for appointments: %w", err)
	}
	return awaited, nil
}

func (s *Scheduling) cancel(ctx context.Context, tx *database.Tx, actor audit.Actor, b Booking) error {
	b.State = Cancelled
	b.Sequence++
	b.ChangedAt = s.now().UnixMilli()
	if err := change(ctx, tx, b); err != nil {
		return err
	}
	if err := release(ctx, tx, b); err != nil {
		return err
	}
	if b.EndsAt > s.now().UnixMilli() { // nobody needs to hear that the past is cancelled
		if err := s.tell(ctx, tx, MailCancelled, b); err != nil {
			return err
		}
	}
	return s.note(ctx, tx, actor, "booking.cancelled", b)
}

// own reads a booking; for participants another's does not exist.
func (s *Scheduling) own(ctx context.Context, q database.Querier, actor audit.Actor, study id.Study, booking id.Booking, byStaff bool) (Booking, error) {
	b, err := get(ctx, q, study, booking)
	if err == nil && !byStaff && actor != audit.Participant(b.Person) {
		return Booking{}, ErrNotFound
	}
	return b, err
}

// open says whether a booking may be moved or cancelled by those who ask.
func (s *Scheduling) open(b Booking, kind Type, byStaff bool) error {
	if b.State != Booked {
		return ErrNotOpen
	}
	if !byStaff && s.now().After(kind.Deadline(b)) {
		return ErrTooLate
	}
	return nil
}

// Deadline is until when a participant may move or cancel a booking.
func (t Type) Deadline(b Booking) time.Time {
	return b.Start().Add(-time.Duration(t.DeadlineHours) * time.Hour)
}
