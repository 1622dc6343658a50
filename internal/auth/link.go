package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/secret"
)

// LinkKind is what a one-time link does.
type LinkKind string

const (
	Setup  LinkKind = "setup"   // makes the first account; at most one at a time
	Invite LinkKind = "invite"  // gives an account its first password
	SignIn LinkKind = "sign_in" // signs an account in without its password
)

// OneTime is a link that works once.
type OneTime struct {
	Kind      LinkKind
	Account   id.Account // empty for Setup
	ExpiresAt int64      // UTC milliseconds
}

// NewLink makes a one-time link and returns its token, which is stored nowhere. A new set-up link replaces the one
// before it; ErrSetUp once there is an account. An unknown account is ErrNoAccount.
func (a *Auth) NewLink(ctx context.Context, kind LinkKind, account id.Account, lifetime time.Duration) (token string, err error) {
	token, expires := secret.New(), a.now().Add(lifetime).UnixMilli()
	err = a.db.Tx(ctx, func(tx *database.Tx) error {
		if kind == Setup {
			return insertSetup(ctx, tx, token, expires)
		}
		_, err := tx.Exec(ctx, "insert into one_time_link (hash, kind, account_id, expires_at) values ($1, $2, $3, $4)",
			secret.Hash(token), kind, account, expires)
		if errors.Is(err, database.ErrReferenced) {
			return ErrNoAccount
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make %s link: %w", kind, err)
	}
	return token, nil
}

func insertSetup(ctx context.Context, tx *database.Tx, token string, expires int64) error {
	n, err := tx.Exec(ctx, `insert into one_time_link (hash, kind, expires_at)
		select cast($1 as text), 'setup', cast($2 as bigint) where not exists (select 1 from account)
		on conflict (kind) where kind = 'setup' do update set hash = excluded.hash, expires_at = excluded.expires_at`,
		secret.Hash(token), expires)
	if err == nil && n == 0 {
		return ErrSetUp
	}
	return err
}

// PeekLink reads a one-time link without using it, for the page with its button; otherwise ErrLinkDead.
func (a *Auth) PeekLink(ctx context.Context, token string) (link OneTime, err error) {
	err = a.db.QueryRow(ctx, "select kind, coalesce(account_id, ''), expires_at from one_time_link where hash = $1 and expires_at > $2",
		secret.Hash(token), a.now().UnixMilli()).Scan(&link.Kind, &link.Account, &link.ExpiresAt)
	if errors.Is(err, database.ErrNoRows) {
		return OneTime{}, ErrLinkDead
	}
	return link, err
}

// UseLink uses up a sign-in link. The other kinds are used by Setup and Accept, where a password comes with them: here
// they are ErrLinkDead and stay unused.
func (a *Auth) UseLink(ctx context.Context, token string) (link OneTime, err error) {
	err = a.db.Tx(ctx, func(tx *database.Tx) error {
		if link, err = a.use(ctx, tx, token, SignIn); err != nil {
			return err
		}
		return a.note(ctx, tx, audit.Staff(link.Account), "account.signed_in_by_link", link.Account)
	})
	if err != nil {
		return OneTime{}, fmt.Errorf("use link: %w", err)
	}
	return link, nil
}

// use deletes a live link of the kind. One statement, so that of two who come at once one finds nothing.
func (a *Auth) use(ctx context.Context, tx *database.Tx, token string, kind LinkKind) (link OneTime, err error) {
	err = tx.QueryRow(ctx, `delete from one_time_link where hash = $1 and kind = $2 and expires_at > $3
		returning kind, coalesce(account_id, ''), expires_at`,
		secret.Hash(token), kind, a.now().UnixMilli()).Scan(&link.Kind, &link.Account, &link.ExpiresAt)
	if errors.Is(err, database.ErrNoRows) {
		return OneTime{}, ErrLinkDead
	}
	return link, err
}
