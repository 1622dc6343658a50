package scheduling

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// Change is what becomes of a booking; what is left empty stays as it is.
type Change struct {
	Start        time.Time
	Mode         Mode
	PersonZone   string
	Where        id.Note
	Place        string       // what follows is for staff
	Interviewers []id.Account // one or two
	Message      id.Note      // of this change; the former one goes in any case
	Seen         int64        // the version that whoever asks was shown; 0 is not asked
}

// Change gives a booking another start of the same length, another way of meeting, place or interviewers. Participants change
// start and way, of their own, until the deadline, to what is offered, and may get another interviewer; staff change any open
// booking to a time at which its interviewers are free. A change to what it is already changes nothing.
//
// It returns Invalid with the fields "start", "mode", "place", "where" or "interviewers", ErrNotFound (also for another's
// booking), ErrChanged, ErrNotOpen, ErrTooLate, ErrOutside, ErrTaken or ErrNotAllowed.
func (s *Scheduling) Change(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, c Change, byStaff bool) (Booking, error) {
	seen, err := s.own(ctx, s.db, actor, study, booking, byStaff)
	if err != nil {
		return Booking{}, err
	}
	kind, err := s.TypeOf(ctx, study, seen.Audience)
	if err != nil {
		return Booking{}, err
	}
	if kind = kind.as(seen); byStaff && len(c.Interviewers) > 0 {
		kind.Interviewers = len(sorted(c.Interviewers))
	}
	if err := c.check(seen, kind, byStaff, s.now()); err != nil {
		return Booking{}, err
	}
	from, err := s.recast(ctx, kind, seen, c, byStaff)
	if err != nil {
		return Booking{}, err
	}
	var changed Booking
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		changed, err = s.change(ctx, tx, actor, kind, seen, from, c, byStaff)
		return err
	})
	return changed, err
}

// as is what is offered, for a booking that there is: as long, and with as many interviewers.
func (t Type) as(b Booking) Type {
	if b.Mode != Email {
		t.Minutes = int((b.EndsAt - b.StartsAt) / minute)
	}
	t.Interviewers = len(b.Interviewers)
	return t
}

// check holds a change to what a booking may be.
func (c Change) check(b Booking, kind Type, byStaff bool, now time.Time) error {
	if err := b.shownAs(c.Seen); err != nil {
		return err
	}
	after := c.applied(b, kind, byStaff)
	r := Request{Mode: after.Mode, Start: time.UnixMilli(after.StartsAt), PersonZone: c.PersonZone, Where: after.Where, Place: c.Place,
		Interviewers: c.Interviewers, ByStaff: byStaff}
	if c.Start.IsZero() && (after.Mode == Email) != (b.Mode == Email) {
		r.Start = time.Time{} // an hour is no day, and a day no hour
	}
	return r.check(Type{Modes: append([]Mode{b.Mode}, kind.Modes...)}, now)
}

// applied is the booking as it would be, but for its end and interviewers.
func (c Change) applied(b Booking, kind Type, byStaff bool) Booking {
	if c.Mode != "" && c.Mode != b.Mode {
		b.Mode, b.Place, b.Where, b.PersonZone = c.Mode, kind.where(c.Mode), "", ""
	}
	b.Where, b.Message = cmp.Or(c.Where, b.Where), ""
	if !c.Start.IsZero() {
		b.StartsAt = c.Start.UnixMilli()
	}
	if b.Mode == Email {
		b.StartsAt = dueDay(b.Start(), b.Zone).UnixMilli()
	}
	if b.Mode.Call() && c.PersonZone != "" {
		if b.PersonZone = c.PersonZone; c.PersonZone == b.Zone {
			b.PersonZone = ""
		}
	}
	if byStaff {
		b.Place, b.Message = cmp.Or(ownRoom(c.Place), b.Place), c.Message
	}
	return b
}

// recast is from whom the changed booking takes its interviewers: those that it has, for staff, or those whom they name; for a
// participant who takes another time whoever offers it, its own first. Who is busy is asked in the transaction alone: only there
// is it certain which booking is this person's.
func (s *Scheduling) recast(ctx context.Context, kind Type, b Booking, c Change, byStaff bool) (cast, error) {
	after := c.applied(b, kind, byStaff)
	if len(c.Interviewers) > 0 && byStaff {
		return cast{accounts: sorted(c.Interviewers), want: kind.Interviewers}, nil
	}
	if byStaff || after.StartsAt == b.StartsAt {
		return cast{accounts: b.Interviewers, want: len(b.Interviewers)}, nil
	}
	if err := s.open(b, kind, false); err != nil {
		return cast{}, err
	}
	start := time.UnixMilli(after.StartsAt)
	p, err := s.plan(ctx, kind, b.ID, start, start)
	if err != nil {
		return cast{}, err
	}
	from, err := s.offered(p, after)
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

func (s *Scheduling) change(ctx context.Context, tx *database.Tx, actor audit.Actor, kind Type, seen Booking, from cast, c Change, byStaff bool) (Booking, error) {
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
	if before.Version != seen.Version {
		return Booking{}, ErrChanged
	}
	after := c.applied(before, kind, byStaff)
	first, end := kind.cells(after.StartsAt, after.StartsAt+kind.length())
	stays := after.StartsAt == before.StartsAt && (after.Mode == Email) == (before.Mode == Email) && slices.Equal(sorted(from.accounts), before.Interviewers)
	if !stays { // what stays keeps its cells, also if buffers have grown since
		if err := seat(ctx, tx, &after, from, first, end); err != nil {
			return Booking{}, err
		}
		after.ends(kind)
	}
	if after.same(before) {
		return before, nil
	}
	after.Sequence++
	after.ChangedAt = s.now().UnixMilli()
	if after.StartsAt != before.StartsAt {
		after.Moves, after.MovedAt = after.Moves+1, after.ChangedAt
	}
	if err := write(ctx, tx, &after); err != nil {
		return Booking{}, err
	}
	if !stays {
		if err := release(ctx, tx, after); err != nil {
			return Booking{}, err
		}
		if err := take(ctx, tx, after, first, end); err != nil {
			return Booking{}, err
		}
	}
	if err := s.tellMove(ctx, tx, before, after); err != nil {
		return Booking{}, err
	}
	if err := s.remind(ctx, tx, kind, after); err != nil {
		return Booking{}, err
	}
	return after, s.note(ctx, tx, actor, "booking.moved", after)
}

// same says whether nothing that anybody need hear of is another.
func (b Booking) same(other Booking) bool {
	return b.StartsAt == other.StartsAt && b.EndsAt == other.EndsAt && b.Mode == other.Mode && b.Place == other.Place && b.Where == other.Where &&
		b.PersonZone == other.PersonZone && b.Message == "" && slices.Equal(b.Interviewers, other.Interviewers)
}

// Cancel gives a booking's time back. Participants cancel their own until the deadline. seen is the version that whoever asks was
// shown, 0 is not asked; message is what staff write to the participant, in the vault.
//
// It returns ErrNotFound (also for another's booking), ErrChanged, ErrNotOpen or ErrTooLate.
func (s *Scheduling) Cancel(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, seen int64, message id.Note, byStaff bool) error {
	return s.close(ctx, actor, study, booking, seen, byStaff, func(tx *database.Tx, b Booking) error {
		b.Message = message
		by := "self"
		if byStaff {
			by = "team"
		}
		if err := s.cancel(ctx, tx, actor, b, "by", by); err != nil {
			return err
		}
		return s.unbook(ctx, tx, b, actor)
	})
}

// Missed notes that a participant did not turn up. again asks them to choose another time, if the gate lets that leave.
//
// It returns ErrNotFound, ErrChanged, ErrNotOpen, or ErrNotBegun before the start.
func (s *Scheduling) Missed(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, seen int64, again bool) error {
	return s.close(ctx, actor, study, booking, seen, true, func(tx *database.Tx, b Booking) error {
		if b.StartsAt > s.now().UnixMilli() {
			return ErrNotBegun
		}
		b.State, b.ChangedAt = NoShow, s.now().UnixMilli()
		if err := write(ctx, tx, &b); err != nil {
			return err
		}
		if err := s.unbook(ctx, tx, b, actor); err != nil {
			return err
		}
		if again {
			if err := s.enqueue(ctx, tx, MailAgain, b, mail.Mail{Person: b.Person}); err != nil {
				return err
			}
		}
		return s.note(ctx, tx, actor, "booking.missed", b)
	})
}

// Again asks somebody who did not turn up to choose another time, as often as staff ask.
//
// It returns ErrNotFound, ErrChanged, or ErrNotOpen for a booking that is not known to have been missed.
func (s *Scheduling) Again(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, seen int64) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		b, err := get(ctx, tx, study, booking)
		if err != nil {
			return err
		}
		if b.State != NoShow {
			return ErrNotOpen
		}
		if err := b.shownAs(seen); err != nil {
			return err
		}
		if err := write(ctx, tx, &b); err != nil {
			return err
		}
		if err := s.enqueue(ctx, tx, MailAgain, b, mail.Mail{Person: b.Person}); err != nil {
			return err
		}
		return s.note(ctx, tx, actor, "booking.asked_again", b)
	})
}

// close runs what ends an open booking, in its person's turn. Whoever has no appointment any more falls back to where they stood
// at their consent, so the person's place and consent are held first, as in admit.
func (s *Scheduling) close(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, seen int64, byStaff bool, end func(*database.Tx, Booking) error) error {
	now, err := s.own(ctx, s.db, actor, study, booking, byStaff)
	if err != nil {
		return err
	}
	kind, err := s.TypeOf(ctx, study, now.Audience)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		if err := s.hold(ctx, tx, study, now.Person); err != nil {
			return err
		}
		b, err := s.own(ctx, tx, actor, study, booking, byStaff)
		if err != nil {
			return err
		}
		if err := s.open(b, kind, byStaff); err != nil {
			return err
		}
		if err := b.shownAs(seen); err != nil {
			return err
		}
		return end(tx, b)
	})
}

// shownAs is ErrChanged where a booking was changed since somebody was shown a version of it; 0 is not asked.
func (b Booking) shownAs(version int64) error {
	if version != 0 && version != b.Version {
		return ErrChanged
	}
	return nil
}

// hold holds a person's place and consent, whatever they said, and takes their turn.
func (s *Scheduling) hold(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	if err := s.present(ctx, tx, study, person); err != nil {
		return err
	}
	return s.consentAndTurn(ctx, tx, study, person)
}

// unbook tells the owner of the person's state that they have no appointment any more, if that is so.
func (s *Scheduling) unbook(ctx context.Context, tx *database.Tx, b Booking, actor audit.Actor) error {
	var other bool
	err := tx.QueryRow(ctx, "select exists (select 1 from booking where person_id = $1 and state = 'booked')", b.Person).Scan(&other)
	if err != nil {
		return fmt.Errorf("ask for other appointments: %w", err)
	}
	if other {
		return nil
	}
	return s.retreat(ctx, tx, b.Study, b.Person, actor)
}

// Retitle sets what a participant's own calendar shows of their booking, and sends it anew.
//
// It is Invalid with the field "title", ErrNotFound, ErrChanged or ErrNotOpen.
func (s *Scheduling) Retitle(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, title Title, seen int64) error {
	if !slices.Contains(Titles, title) {
		var check errs.Check
		check.Add("title", "scheduling.title")
		return check.Err()
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		b, err := s.own(ctx, tx, actor, study, booking, false)
		if err != nil {
			return err
		}
		if b.State != Booked {
			return ErrNotOpen
		}
		if err := b.shownAs(seen); err != nil {
			return err
		}
		if b.Title == title {
			return nil
		}
		b.Title = title
		b.Retitled++
		if err := write(ctx, tx, &b); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, MailRetitled, b, mail.Mail{Person: b.Person})
	})
}

// CancelAllTx cancels all of a person's open bookings, whatever the deadline, when they withdraw or are erased. Call it
// first in that transaction, after holding the person's place: it holds their consent and takes their turn, and a booking
// made beside it waits and then finds the place or the consent gone.
func (s *Scheduling) CancelAllTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) error {
	if err := s.consentAndTurn(ctx, tx, study, person); err != nil {
		return err
	}
	open, err := database.All(ctx, tx, scanBooking,
		"select "+bookingColumns+" from booking where study_id = $1 and person_id = $2 and state = 'booked'"+byTime, study, person)
	if err != nil {
		return fmt.Errorf("list open bookings: %w", err)
	}
	for _, b := range open {
		b.Message = "" // that was of another change
		if err := s.cancel(ctx, tx, actor, b); err != nil {
			return err
		}
	}
	return nil
}

// consentAndTurn holds a person's consent and takes their turn, in the order in which booking does. Asking holds it, whatever the
// answer.
func (s *Scheduling) consentAndTurn(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	if err := s.gate.May(ctx, tx, study, person, purpose); err != nil && errs.KindOf(err) != errs.Forbidden {
		return fmt.Errorf("hold consent: %w", err)
	}
	return personTurn(ctx, tx, study, person)
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

func (s *Scheduling) cancel(ctx context.Context, tx *database.Tx, actor audit.Actor, b Booking, further ...string) error {
	b.State, b.Where = Cancelled, ""
	b.Sequence++
	b.ChangedAt = s.now().UnixMilli()
	if err := write(ctx, tx, &b); err != nil {
		return err
	}
	if err := release(ctx, tx, b); err != nil {
		return err
	}
	if b.EndsAt > s.now().UnixMilli() { // nobody needs to hear that the past is cancelled
		if err := s.tell(ctx, tx, MailCancelled, b, further...); err != nil {
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
