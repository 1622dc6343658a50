// Package scheduling owns when interviewers have time (their week, holidays, and when calendars elsewhere say that they are busy),
// what is offered to participants, and the bookings: making, changing, cancelling and missing them so that no time is given twice,
// with the mails and reminders that follow. It owns the secrets at which interviewers' calendar programs read their appointments
// too. Calendar objects are written and read by its subpackage ical. It knows pseudonyms and accounts, no names and nobody's postal
// or e-mail address; addresses of calendars are sealed, and what is said about a booking is an id in the vault. Mail renders and
// sends what it enqueues, consents says whether a person may be booked, recruitment keeps the person's state.
//
// An interviewer's time is a set of five-minute cells under a primary key over interviewer and cell, so two bookings
// that overlap cannot both commit. Locks are taken in one order everywhere: the person's place in the study, their
// consent, the person's turn, the interviewers' turns, the cells, other packages' rows, the audit head.
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
	"example.org/feltbok/internal/mail"
)

var (
	// ErrTaken is a Conflict: the time was given to somebody else, or the chosen interviewer is busy.
	ErrTaken = errs.New(errs.Conflict, "scheduling.taken")
	// ErrOutside is a Conflict: the time is not among those offered. Staff may book outside them.
	ErrOutside = errs.New(errs.Conflict, "scheduling.outside")
	// ErrNotAllowed is Forbidden: the gate does not let the person be booked, whose reason it wraps, or they act for somebody
	// else.
	ErrNotAllowed = errs.New(errs.Forbidden, "scheduling.not_allowed")
	// ErrHasBooking is a Conflict: the person has an open booking; only staff may add a follow-up.
	ErrHasBooking = errs.New(errs.Conflict, "scheduling.has_booking")
	// ErrTooLate is a Conflict: the deadline for moving and cancelling oneself has passed.
	ErrTooLate = errs.New(errs.Conflict, "scheduling.too_late")
	// ErrNotOpen is a Conflict: the booking is cancelled or the interview held.
	ErrNotOpen = errs.New(errs.Conflict, "scheduling.not_open")
	// ErrNobody is a Conflict: the study has fewer interviewers with a week than the interview needs.
	ErrNobody = errs.New(errs.Conflict, "scheduling.nobody")
	// ErrChanged is a Conflict: somebody changed it since it was shown.
	ErrChanged = errs.New(errs.Conflict, "scheduling.changed")
	// ErrNotBegun is a Conflict: nobody can have missed what is still to come.
	ErrNotBegun = errs.New(errs.Conflict, "scheduling.not_begun")
	// ErrCalendars is a Conflict: the account has as many calendars as are read for one.
	ErrCalendars = errs.New(errs.Conflict, "scheduling.calendars")
	// ErrNotFound is a NotFound: there is no such booking, range or interviewer in this study, or it is another's.
	ErrNotFound = errs.New(errs.NotFound, "scheduling.not_found")
)

// Gate says whether a purpose may go ahead for a person now: nil, or a Forbidden that says why not. Asked within a
// transaction the answer holds until its end.
type Gate interface {
	May(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) error
	// MayBeforeYes is May for an appointment that staff make before the person has answered a letter.
	MayBeforeYes(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) error
}

// PresentFunc holds a person's place in a study until the transaction ends, so that a withdrawal waits, and is a NotFound
// where they have none (any more). It is asked before any other row of that person is touched.
type PresentFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error

// AdvanceFunc tells the owner of a person's state that it has reached this one.
type AdvanceFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, state string, actor audit.Actor) error

// RetreatFunc tells the owner of a person's state that they have no appointment any more.
type RetreatFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, actor audit.Actor) error

// Outbox takes mails in the transaction that makes them necessary.
type Outbox interface {
	Enqueue(ctx context.Context, tx *database.Tx, m mail.Mail) error
}

// Needs is what scheduling asks of others.
type Needs struct {
	Present   PresentFunc
	Gate      Gate
	Advance   AdvanceFunc
	Retreat   RetreatFunc
	Outbox    Outbox
	Elsewhere Elsewhere
	Sealer    Sealer
	Now       func() time.Time
}

// Scheduling keeps the availability and the bookings of all studies.
type Scheduling struct {
	db        *database.DB
	log       *audit.Log
	present   PresentFunc
	gate      Gate
	advance   AdvanceFunc
	retreat   RetreatFunc
	outbox    Outbox
	elsewhere Elsewhere
	sealer    Sealer
	now       func() time.Time
}

// New returns the scheduling kept in the study store db.
func New(db *database.DB, log *audit.Log, n Needs) *Scheduling {
	return &Scheduling{db, log, n.Present, n.Gate, n.Advance, n.Retreat, n.Outbox, n.Elsewhere, n.Sealer, n.Now}
}

// Tables names the tables that Erase empties of a person.
func (s *Scheduling) Tables() []string { return []string{"booking", "booking_cell", "person_turn"} }

// Erase deletes the person's bookings and frees the time they held. Calendars elsewhere are told by CancelAllTx before.
func (s *Scheduling) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	for _, statement := range []string{
		"delete from booking_cell where booking_id in (select id from booking where person_id = $1)",
		"delete from booking where person_id = $1",
		"delete from person_turn where person_id = $1",
	} {
		if _, err := tx.Exec(ctx, statement, person); err != nil {
			return fmt.Errorf("erase bookings: %w", err)
		}
	}
	return nil
}

// record notes in the chain what was set up; bookings note themselves.
func (s *Scheduling) record(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, action, detail string) error {
	return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Study: study, Detail: detail})
}

func sorted(accounts []id.Account) []id.Account {
	return slices.Compact(slices.Sorted(slices.Values(accounts)))
}
