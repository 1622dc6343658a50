// Package interviews owns the interviews that were held and the coding matrix: which themes a study looks for and who
// mentioned them. It knows pseudonyms; whose they are, what was agreed to and when somebody has time it leaves to others.
package interviews

import (
	"context"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// PresentFunc holds a person's place in a study until the transaction ends, so that a withdrawal waits, and is a NotFound
// where they have none (any more). It is asked before any other row of that person is touched.
type PresentFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error

// Gate says whether a purpose may go ahead for a person now: nil, or a Forbidden that says why not. Nobody has to have
// answered yet: what was agreed to on the telephone is entered afterwards.
type Gate interface {
	MayBeforeYes(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) error
}

// purpose is what a conversation rests on.
const purpose = "interview"

// AdvanceFunc tells the owner of a person's state, in the caller's transaction, how far that person has come.
type AdvanceFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, state string, actor audit.Actor) error

// DoneFunc tells the owner of bookings, in the caller's transaction, that an appointment of this person was kept.
// It refuses a booking that is not this person's in this study.
type DoneFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, booking id.Booking) error

// KeepCasesFunc keeps, in the caller's transaction, of people who are about to be erased no more than their case, each under
// the id that nobodies gives for them and that leads to nobody.
type KeepCasesFunc func(ctx context.Context, tx *database.Tx, study id.Study, nobodies map[id.Person]id.Person) error

// Interviews is the package's store.
type Interviews struct {
	db      *database.DB
	log     *audit.Log
	present PresentFunc
	gate    Gate
	advance AdvanceFunc
	done    DoneFunc
	keep    KeepCasesFunc
	now     func() time.Time
}

// New returns the interviews kept in the study store.
func New(db *database.DB, log *audit.Log, present PresentFunc, gate Gate, advance AdvanceFunc, done DoneFunc, keep KeepCasesFunc, now func() time.Time) *Interviews {
	return &Interviews{db, log, present, gate, advance, done, keep, now}
}

// Tables names the tables that Erase empties of a person.
func (*Interviews) Tables() []string { return []string{"interview", "coding_mark"} }

// Erase deletes a person's interviews and marks. A second time is no error.
func (*Interviews) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	if _, err := tx.Exec(ctx, "delete from interview where person_id = $1", person); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "delete from coding_mark where person_id = $1", person)
	return err
}
