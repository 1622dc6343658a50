// Package surveys owns questionnaires: their forms by version, who is asked, drafts, answers and their figures. It
// knows at most a pseudonym. Whether somebody may be asked or may answer is the gate's to say, at the moment of
// acting; names and addresses, letters and the pages people see are others'.
package surveys

import (
	"context"
	"sync"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

var (
	// ErrNotFound is also what another study's survey is.
	ErrNotFound = errs.New(errs.NotFound, "surveys.not_found")
	// ErrNotRespondent is a NotFound: this person is not asked in this survey.
	ErrNotRespondent = errs.New(errs.NotFound, "surveys.not_respondent")
	// ErrClosed is a Conflict: the survey takes no answers, not yet or no longer.
	ErrClosed = errs.New(errs.Conflict, "surveys.closed")
	// ErrAnswered is a Conflict: this person has answered.
	ErrAnswered = errs.New(errs.Conflict, "surveys.answered")
	// ErrNoConsent is Forbidden: the gate does not say yes to answering, or to being asked. It wraps the gate's reason.
	ErrNoConsent = errs.New(errs.Forbidden, "surveys.no_consent")
	// ErrEmpty is Invalid: nothing was answered, so there is nothing to send.
	ErrEmpty = errs.New(errs.Invalid, "surveys.empty")
	// ErrOtherVersion is a Conflict: the page is of another version than the one this person began on.
	ErrOtherVersion = errs.New(errs.Conflict, "surveys.other_version")
	// ErrChanged is a Conflict: the draft kept changing while it was being sent.
	ErrChanged = errs.New(errs.Conflict, "surveys.changed")
	// ErrCodeTaken is a Conflict: another respondent of the survey has that code.
	ErrCodeTaken = errs.New(errs.Conflict, "surveys.code_taken")
)

// Purposes that the gate is asked about.
const (
	purposeAnswer  = "survey"
	purposeContact = "survey_contact"
)

// Gate says whether a purpose may go ahead for a person now: nil, or a Forbidden that says why not. Asked within a
// transaction the answer holds until its end.
type Gate interface {
	May(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) error
	// Stopped returns whom of some people a no or a restriction stops.
	Stopped(ctx context.Context, q database.Querier, study id.Study, purpose string, persons []id.Person) (map[id.Person]error, error)
}

// Outbox takes a mail in the transaction that makes it necessary.
type Outbox interface {
	Enqueue(ctx context.Context, tx *database.Tx, m mail.Mail) error
}

// AdvanceFunc moves an informant forward in the study.
type AdvanceFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, state string, actor audit.Actor) error

// Surveys keeps the surveys of all studies.
type Surveys struct {
	db      *database.DB
	log     *audit.Log
	gate    Gate
	advance AdvanceFunc
	outbox  Outbox
	now     func() time.Time

	mu    sync.Mutex
	forms map[formKey]*Form // read from survey_form; only versions that can no longer change
}

// New returns the surveys kept in db.
func New(db *database.DB, log *audit.Log, gate Gate, advance AdvanceFunc, outbox Outbox, now func() time.Time) *Surveys {
	return &Surveys{db: db, log: log, gate: gate, advance: advance, outbox: outbox, now: now, forms: map[formKey]*Form{}}
}

// allowed asks the gate, and returns ErrNoConsent where it refuses.
func (s *Surveys) allowed(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) error {
	err := s.gate.May(ctx, q, study, person, purpose)
	if errs.KindOf(err) == errs.Forbidden {
		return errs.Wrap(err, ErrNoConsent.Kind, ErrNoConsent.Code)
	}
	return err
}

// Erase deletes everything about a person: being asked, drafts and answers.
func (s *Surveys) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	_, err := tx.Exec(ctx, "delete from survey_respondent where person_id = $1", person)
	return err
}

// Tables names the tables that Erase empties of a person.
func (s *Surveys) Tables() []string {
	return []string{"survey_respondent", "survey_response"}
}
