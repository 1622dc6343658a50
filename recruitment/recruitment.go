// Package recruitment owns who may take part in a study, by pseudonym: the candidates and how far each has come, the log
// of contacts, the quotas, the funnel and who led to whom. It is the one place that changes a person's state; what happens
// elsewhere is reported through Advance. It leaves names, addresses, exact titles and notes about people to identities.
package recruitment

import (
	"context"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrUnknown is a NotFound: no such participant in this study, or one who was erased.
	ErrUnknown = errs.New(errs.NotFound, "recruitment.unknown")
	// ErrCodeTaken is a Conflict: another participant of the study has this code.
	ErrCodeTaken = errs.New(errs.Conflict, "recruitment.code_taken")
	// ErrCodeFixed is a Conflict: the code stands in interview material and cannot change any more.
	ErrCodeFixed = errs.New(errs.Conflict, "recruitment.code_fixed")
	// ErrTransition is a Conflict: that state does not follow from the present one.
	ErrTransition = errs.New(errs.Conflict, "recruitment.transition")
	// ErrChanged is a Conflict: something happened to this participant since the page was shown.
	ErrChanged = errs.New(errs.Conflict, "recruitment.changed")
	// ErrTooLate is a Conflict: that contact cannot be taken back, or not any more.
	ErrTooLate = errs.New(errs.Conflict, "recruitment.too_late")
)

// Recruitment is the register of participants in the study store.
type Recruitment struct {
	db     *database.DB
	log    *audit.Log
	pilots Pilots
	now    func() time.Time

	forecasts forecasts
}

// Pilots tells the cases of a study that are pre-studies: nobody is counted or limited there.
type Pilots func(ctx context.Context, q database.Querier, study id.Study) ([]id.Case, error)

// New returns the register kept in db.
func New(db *database.DB, log *audit.Log, pilots Pilots, now func() time.Time) *Recruitment {
	return &Recruitment{db: db, log: log, pilots: pilots, now: now}
}

// Erase leaves a tombstone of a person: the study, the state Withdrawn and the stage reached, so that the funnel still
// adds up. Everything else goes, also that they led to somebody. Doing it twice is doing it once.
func (r *Recruitment) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	for _, statement := range []string{
		// First the row that every other writer touches first: on PostgreSQL those who come later find the tombstone.
		`update participant set code = '', case_id = '', audience = '', relation = '', size = '', title = '', source = '',
			recruiter_id = '', state = 'withdrawn', state_at = 0, created_at = 0, contacted_at = 0, next_at = 0, events = 0,
			code_order = '', stage = '', last_at = 0, title_fold = '', network_size = -1, coupon = 0
			where person_id = $1`,
		"delete from participant_change where person_id = $1",
		"delete from contact_log where person_id = $1",
		"delete from contact_plan where person_id = $1",
		"delete from participant_attribute where person_id = $1",
		"update participant set recruiter_id = '', coupon = 0 where recruiter_id = $1",
		"update referral_coupon set friend_person_id = '', answered_at = 0, language = '', consent = '' where friend_person_id = $1",
		// What a friend said yes to is theirs, and stays as long as they do.
		"delete from referral_coupon where person_id in ('', $1) and friend_person_id = ''",
		"update referral_coupon set person_id = '', number = 0 where person_id = $1",
		"delete from anonymous where person_id = $1",
	} {
		if _, err := tx.Exec(ctx, statement, person); err != nil {
			return fmt.Errorf("erase participant: %w", err)
		}
	}
	return nil
}

// Tables names the tables that Erase cleans.
func (r *Recruitment) Tables() []string {
	return []string{"participant", "participant_change", "contact_log", "contact_plan", "participant_attribute", "referral_coupon", "anonymous"}
}
