// Package auth owns who is at the other end: staff accounts and their passwords, links that work once, and sessions of
// both kinds. It shows no pages and knows no roles: what an account may do in a study is a matter of studies, and
// participants' own links are a matter of links.
package auth

import (
	"context"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrSignIn is Unauthenticated: no such address, no password yet or a wrong one. The answer is the same for all.
	ErrSignIn = errs.New(errs.Unauthenticated, "auth.sign_in")
	// ErrTooMany is TooMany: ten passwords were tried on this address within an hour.
	ErrTooMany = errs.New(errs.TooMany, "auth.too_many")
	// ErrBusy is Unavailable: too many people are signing in at this moment.
	ErrBusy = errs.New(errs.Unavailable, "auth.busy")
	// ErrEmailTaken is a Conflict: an account has this address.
	ErrEmailTaken = errs.New(errs.Conflict, "auth.email_taken")
	// ErrNoAccount is a NotFound.
	ErrNoAccount = errs.New(errs.NotFound, "auth.no_account")
	// ErrLinkDead is a NotFound: the link is unknown, used, expired or of another kind.
	ErrLinkDead = errs.New(errs.NotFound, "auth.link_dead")
	// ErrSetUp is a Conflict: there is an account already, so nothing is left to set up.
	ErrSetUp = errs.New(errs.Conflict, "auth.set_up")
	// ErrNoSession is Unauthenticated: the session is unknown, ended or has expired.
	ErrNoSession = errs.New(errs.Unauthenticated, "auth.no_session")
)

// Auth keeps accounts, one-time links and sessions in the study store.
type Auth struct {
	db     *database.DB
	log    *audit.Log
	hasher *hasher
	now    func() time.Time
}

// New returns what is kept in db, which is the study store.
func New(db *database.DB, log *audit.Log, now func() time.Time) *Auth {
	return &Auth{db: db, log: log, hasher: newHasher(), now: now}
}

// Sweep deletes what has expired: sessions, one-time links and counts of tried passwords. Any number of replicas may
// call it at any time.
func (a *Auth) Sweep(ctx context.Context) error {
	now := a.now()
	return a.db.Tx(ctx, func(tx *database.Tx) error {
		for kind, limit := range limits {
			if _, err := tx.Exec(ctx, "delete from session where kind = $1 and (seen_at <= $2 or created_at <= $3)",
				kind, now.Add(-limit.idle).UnixMilli(), now.Add(-limit.whole).UnixMilli()); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "delete from one_time_link where expires_at <= $1", now.UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "delete from sign_in_try where since <= $1", now.Add(-tryWindow).UnixMilli())
		return err
	})
}

// Erase ends a participant's sessions.
func (a *Auth) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	_, err := tx.Exec(ctx, "delete from session where person_id = $1", person)
	return err
}

// Tables names what Erase erases from.
func (a *Auth) Tables() []string { return []string{"session"} }

// EndStudyTx ends every session of a study's participants in the caller's transaction.
func (a *Auth) EndStudyTx(ctx context.Context, tx *database.Tx, study id.Study) error {
	_, err := tx.Exec(ctx, "delete from session where study_id = $1 and kind = 'participant'", study)
	return err
}
