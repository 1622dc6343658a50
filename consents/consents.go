// Package consents owns information letters and what people answered to them: drafts, published versions with a hash,
// one row per act of consent or withdrawal, and the gate that others ask before they act. It knows pseudonyms only and
// leaves to others what follows from an answer: bookings, mails' texts, erasure of other tables.
package consents

import (
	"context"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// Purposes that a person can say yes or no to, one at a time.
const (
	Interview     = "interview"      // taking part in a conversation
	Recording     = "recording"      // recording it
	Quotation     = "quotation"      // quoting from it under the code
	JobTitle      = "job_title"      // publishing the generalised job title
	FollowUp      = "follow_up"      // being contacted again to check facts
	SurveyContact = "survey_contact" // being sent a survey later
	Survey        = "survey"         // answering the survey
)

// Purposes lists them in the order in which people meet them.
var Purposes = []string{Interview, Recording, Quotation, JobTitle, FollowUp, SurveyContact, Survey}

// Audiences that letters are written for.
const (
	Company        = "company"
	Administration = "administration"
	Respondent     = "respondent" // of a linked survey: an anonymous one needs other words
)

// Legal bases of a study. The basis changes the letter, never the list of items: nobody takes part without a yes.
const (
	Consent        = "consent"
	PublicInterest = "public_interest"
)

// Languages that starters exist in; the first is what a reader gets where theirs is missing.
var Languages = []string{"nb", "nn", "en"}

var audiences = []string{Company, Administration, Respondent}

var (
	// ErrNoLetter is a NotFound: nothing is published for that audience, or the letter is another study's.
	ErrNoLetter = errs.New(errs.NotFound, "consents.no_letter")
	// ErrNoAct is a NotFound: there is no such act, or it is another study's.
	ErrNoAct = errs.New(errs.NotFound, "consents.no_act")
	// ErrUnknown is a NotFound: no such audience, language or legal basis.
	ErrUnknown = errs.New(errs.NotFound, "consents.unknown")
	// ErrPublished is a Conflict: somebody published a version of this letter at the same moment.
	ErrPublished = errs.New(errs.Conflict, "consents.published_meanwhile")
	// ErrLetterChanged is a Conflict: a newer version was published after the person opened this one.
	ErrLetterChanged = errs.New(errs.Conflict, "consents.letter_changed")
	// ErrMeans is Forbidden: only the person answers through the own link or the survey, and only staff enter the rest.
	ErrMeans = errs.New(errs.Forbidden, "consents.means")
	// ErrAltered is Internal: a stored letter, or what an act says was shown, is not what was published.
	ErrAltered = errs.New(errs.Internal, "consents.altered")
)

// PresentFunc holds a person's place in a study until the transaction ends, so that a withdrawal waits, and is a NotFound
// where they have none (any more). It is asked before any other row of that person is touched.
type PresentFunc func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error

// Advance reports a person's state in the study to recruitment: "consented", "declined" or "withdrawn". For a person
// whom recruitment does not know, such as a respondent, it does nothing.
type Advance func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, state string, actor audit.Actor) error

// Outbox takes the receipt of an act.
type Outbox interface {
	Enqueue(ctx context.Context, tx *database.Tx, m mail.Mail) error
}

// Consents is the letters and acts of the study store.
type Consents struct {
	db      *database.DB
	log     *audit.Log
	present PresentFunc
	advance Advance
	outbox  Outbox
	now     func() time.Time
}

// New returns the letters and acts kept in db.
func New(db *database.DB, log *audit.Log, present PresentFunc, advance Advance, outbox Outbox, now func() time.Time) *Consents {
	return &Consents{db, log, present, advance, outbox, now}
}

// Tables names the tables that Erase empties of a person.
func (c *Consents) Tables() []string {
	return []string{"consent_item", "consent_act", "consent_turn", "restriction", "task"}
}

// Erase deletes what a person answered. Doing it twice is doing it once. The letters stay: they name nobody. So does what
// the team still has to do by hand, by code; what was done loses the code.
func (c *Consents) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	for _, table := range []string{"consent_item", "consent_act", "consent_turn", "restriction"} {
		if _, err := tx.Exec(ctx, "delete from "+table+" where person_id = $1", person); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "update task set person_id = '', note = '', code = case when done_at > 0 then '' else code end where person_id = $1", person)
	return err
}

func known(audience, language, basis string) bool {
	return slices.Contains(audiences, audience) && slices.Contains(Languages, language) &&
		(basis == Consent || basis == PublicInterest)
}
