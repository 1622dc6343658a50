package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/secret"
)

// Kinds of session.
const (
	Staff       = "staff"
	Participant = "participant"
)

// Session is one browser that has proved who it is. Sessions are rows of our own and not those of a session library:
// a person's sessions must be found to end and erase them, and such libraries keep everything in one opaque value.
type Session struct {
	Token     string // for the cookie; set by the two Start methods only
	Kind      string
	Account   id.Account // of staff
	Study     id.Study   // this and the next two of a participant
	Person    id.Person
	Link      id.Link // the session is worth nothing once this link is dead: ask links.Get
	Form      []byte  // 32 secret bytes that form keys are made with
	ExpiresAt int64   // UTC milliseconds, if nothing more happens
}

type limit struct{ idle, whole time.Duration }

var limits = map[string]limit{
	Staff:       {idle: 30 * time.Minute, whole: 12 * time.Hour},
	Participant: {idle: time.Hour, whole: 4 * time.Hour},
}

// touchEvery is how exactly idleness is measured: a page view must not cost a write.
const touchEvery = time.Minute

// StartStaff starts a session for an account that has signed in. An unknown account is ErrNoAccount.
func (a *Auth) StartStaff(ctx context.Context, account id.Account) (Session, error) {
	return a.start(ctx, Session{Kind: Staff, Account: account})
}

// StartParticipant starts a session for a person whose link was resolved.
func (a *Auth) StartParticipant(ctx context.Context, study id.Study, person id.Person, link id.Link) (Session, error) {
	return a.start(ctx, Session{Kind: Participant, Study: study, Person: person, Link: link})
}

// Visit is one time a participant opened their link.
type Visit struct{ StartedAt, SeenAt int64 } // UTC milliseconds

// Visits lists a participant's sessions that are remembered still, oldest first.
func (a *Auth) Visits(ctx context.Context, study id.Study, person id.Person) ([]Visit, error) {
	return database.All(ctx, a.db, func(row database.Scanner) (v Visit, err error) {
		err = row.Scan(&v.StartedAt, &v.SeenAt)
		return v, err
	}, "select created_at, seen_at from session where kind = 'participant' and study_id = $1 and person_id = $2 order by created_at, hash", study, person)
}

func (a *Auth) start(ctx context.Context, s Session) (Session, error) {
	s.Token = secret.New()
	now := a.now().UnixMilli()
	err := a.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `insert into session (hash, kind, account_id, study_id, person_id, link_id, created_at, seen_at)
			values ($1, $2, nullif(cast($3 as text), ''), $4, $5, $6, $7, $7)`,
			secret.Hash(s.Token), s.Kind, s.Account, s.Study, s.Person, s.Link, now)
		if errors.Is(err, database.ErrReferenced) {
			return ErrNoAccount
		}
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("start session: %w", err)
	}
	s.finish(s.Token, now, now)
	return s, nil
}

// finish fills in what is not stored. The form secret comes from the token, so that the store alone gives nobody one.
func (s *Session) finish(token string, created, seen int64) {
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte("feltbok form keys"))
	s.Form = h.Sum(nil)
	l := limits[s.Kind]
	s.ExpiresAt = min(seen+l.idle.Milliseconds(), created+l.whole.Milliseconds())
}

// Session returns the session a cookie names, or ErrNoSession, and notes at most once a minute that it is in use. Call
// it before database.WithOnce: that note is no form's act.
func (a *Auth) Session(ctx context.Context, token string) (s Session, err error) {
	var created, seen int64
	err = a.db.QueryRow(ctx, `select kind, coalesce(account_id, ''), study_id, person_id, link_id, created_at, seen_at
		from session where hash = $1`, secret.Hash(token)).Scan(&s.Kind, &s.Account, &s.Study, &s.Person, &s.Link, &created, &seen)
	if errors.Is(err, database.ErrNoRows) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	s.finish(token, created, seen)
	now := a.now()
	if now.UnixMilli() >= s.ExpiresAt {
		return Session{}, ErrNoSession
	}
	if seen <= now.Add(-touchEvery).UnixMilli() {
		seen = a.touch(ctx, token, now, seen)
		s.finish(token, created, seen)
	}
	return s, nil
}

// touch notes that a session is in use. Where that cannot be written, as on a full disk, reading must still go on.
func (a *Auth) touch(ctx context.Context, token string, now time.Time, before int64) (seen int64) {
	err := a.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update session set seen_at = $2 where hash = $1 and seen_at < $2", secret.Hash(token), now.UnixMilli())
		return err
	})
	if err != nil {
		slog.WarnContext(ctx, "session in use is not noted", "err", err)
		return before
	}
	return now.UnixMilli()
}

// End ends one session. One that has ended is no error.
func (a *Auth) End(ctx context.Context, token string) error {
	return a.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "delete from session where hash = $1", secret.Hash(token))
		return err
	})
}

// EndEverything ends all sessions and one-time links, of whomever: after a restore those of the copy's time would live again.
func (a *Auth) EndEverything(ctx context.Context) error {
	return a.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "delete from session"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "delete from one_time_link")
		return err
	})
}

// EndAll ends every session of an account.
func (a *Auth) EndAll(ctx context.Context, account id.Account) error {
	return a.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "delete from session where account_id = $1", account)
		return err
	})
}
