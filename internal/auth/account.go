package auth

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"

	"golang.org/x/text/unicode/norm"
)

// Account is one member of staff.
type Account struct {
	ID        id.Account
	Email     string // as typed
	Name      string // may be empty until an invitation is accepted
	Language  string // of pages and mails: "nb", "nn" or "en"
	Accepted  bool   // has a password: an invitation is not pending
	CreatedAt int64  // UTC milliseconds
}

const (
	mostEmail = 254 // RFC 5321 §4.5.3.1.3, without its angle brackets
	mostName  = 200
)

// Empty says whether there is no account yet, as at the first start.
func (a *Auth) Empty(ctx context.Context) (empty bool, err error) {
	err = a.db.QueryRow(ctx, "select not exists (select 1 from account)").Scan(&empty)
	return empty, err
}

// CreateAccount makes an account that can sign in. Invalid input is named by field; a known address is ErrEmailTaken.
func (a *Auth) CreateAccount(ctx context.Context, actor audit.Actor, email, name, password, language string) (id.Account, error) {
	var check errs.Check
	account := newAccount(&check, email, name, language)
	checkOwner(&check, name, password)
	if err := check.Err(); err != nil {
		return "", err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("create account: %w", err)
	}
	err = a.db.Tx(ctx, func(tx *database.Tx) error {
		made, err := a.insert(ctx, tx, account, hash)
		if err != nil {
			return err
		}
		if !made {
			return ErrEmailTaken
		}
		return a.note(ctx, tx, actor, "account.created", account.ID)
	})
	if err != nil {
		return "", fmt.Errorf("create account: %w", err)
	}
	return account.ID, nil
}

// Invite makes an account without a password, or returns the one that has the address already. The name may be empty:
// whoever accepts gives it.
func (a *Auth) Invite(ctx context.Context, actor audit.Actor, email, name, language string) (id.Account, error) {
	var check errs.Check
	account := newAccount(&check, email, name, language)
	check.AtMost("name", name, mostName)
	if err := check.Err(); err != nil {
		return "", err
	}
	invited := account.ID
	err := a.db.Tx(ctx, func(tx *database.Tx) error {
		made, err := a.insert(ctx, tx, account, "")
		if err != nil {
			return err
		}
		if !made {
			return tx.QueryRow(ctx, "select id from account where email_key = $1", emailKey(account.Email)).Scan(&invited)
		}
		return a.note(ctx, tx, actor, "account.invited", account.ID)
	})
	if err != nil {
		return "", fmt.Errorf("invite: %w", err)
	}
	return invited, nil
}

// CheckInvited says what Invite would refuse, for a form that has more to say.
func CheckInvited(email, name, language string) error {
	var check errs.Check
	newAccount(&check, email, name, language)
	check.AtMost("name", name, mostName)
	return check.Err()
}

// Setup uses the set-up link to make the first account, which is signed in afterwards like any other. A dead link, or
// one that somebody was faster with, is ErrLinkDead.
func (a *Auth) Setup(ctx context.Context, token, email, name, password, language string) (id.Account, error) {
	var check errs.Check
	account := newAccount(&check, email, name, language)
	checkOwner(&check, name, password)
	if err := check.Err(); err != nil {
		return "", err
	}
	hash, err := a.hashFor(ctx, token, Setup, password)
	if err != nil {
		return "", fmt.Errorf("set up: %w", err)
	}
	err = a.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := a.use(ctx, tx, token, Setup); err != nil {
			return err
		}
		var peopled bool
		if err := tx.QueryRow(ctx, "select exists (select 1 from account)").Scan(&peopled); err != nil {
			return err
		}
		if peopled { // made while the link was
			return ErrLinkDead
		}
		if _, err := a.insert(ctx, tx, account, hash); err != nil {
			return err
		}
		return a.note(ctx, tx, audit.Staff(account.ID), "account.created", account.ID)
	})
	if err != nil {
		return "", fmt.Errorf("set up: %w", err)
	}
	return account.ID, nil
}

// Accept uses an invitation: the invited gives a name and a first password. An account that has a password is never
// given another this way.
func (a *Auth) Accept(ctx context.Context, token, name, password string) (account id.Account, err error) {
	var check errs.Check
	checkOwner(&check, name, password)
	if err := check.Err(); err != nil {
		return "", err
	}
	hash, err := a.hashFor(ctx, token, Invite, password)
	if err != nil {
		return "", fmt.Errorf("accept invitation: %w", err)
	}
	err = a.db.Tx(ctx, func(tx *database.Tx) error {
		account, err = a.accept(ctx, tx, token, strings.TrimSpace(name), hash)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("accept invitation: %w", err)
	}
	return account, nil
}

func (a *Auth) accept(ctx context.Context, tx *database.Tx, token, name, hash string) (id.Account, error) {
	link, err := a.use(ctx, tx, token, Invite)
	if err != nil {
		return "", err
	}
	n, err := tx.Exec(ctx, "update account set name = $2, password = $3 where id = $1 and password = ''", link.Account, name, hash)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", ErrLinkDead
	}
	_, err = tx.Exec(ctx, "delete from one_time_link where account_id = $1 and kind = $2", link.Account, Invite)
	if err != nil {
		return "", err
	}
	return link.Account, a.note(ctx, tx, audit.Staff(link.Account), "account.accepted", link.Account)
}

// hashFor hashes a password for whoever holds a link, before the transaction, since every writer would wait; and only
// for a live link, since a stranger with an invented one should cost nothing.
func (a *Auth) hashFor(ctx context.Context, token string, kind LinkKind, password string) (string, error) {
	link, err := a.PeekLink(ctx, token)
	if err != nil {
		return "", err
	}
	if link.Kind != kind {
		return "", ErrLinkDead
	}
	return a.hasher.hash(ctx, password)
}

// newAccount gives an account an id and checks what every account needs.
func newAccount(check *errs.Check, email, name, language string) Account {
	email = strings.TrimSpace(norm.NFC.String(email))
	check.Require("email", email, mostEmail)
	if parsed, err := mail.ParseAddress(email); email != "" && (err != nil || parsed.Address != email) {
		check.Add("email", "auth.email")
	}
	if !slices.Contains([]string{"nb", "nn", "en"}, language) {
		check.Add("language", "auth.language")
	}
	return Account{ID: id.New[id.Account](), Email: email, Name: strings.TrimSpace(name), Language: language}
}

// checkOwner checks what comes with the person who will use the account.
func checkOwner(check *errs.Check, name, password string) {
	check.Require("name", name, mostName)
	if len([]rune(password)) < leastPassword {
		check.Add("password", "auth.password_short")
	}
	check.AtMost("password", password, mostPassword)
}

// insert adds an account and reports whether the address was free. From then on nobody can set up.
func (a *Auth) insert(ctx context.Context, tx *database.Tx, account Account, hash string) (made bool, err error) {
	n, err := tx.Exec(ctx, `insert into account (id, email, email_key, name, language, password, created_at)
		values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
		account.ID, account.Email, emailKey(account.Email), account.Name, account.Language, hash, a.now().UnixMilli())
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, "delete from one_time_link where kind = $1", Setup)
	return true, err
}

func (a *Auth) note(ctx context.Context, tx *database.Tx, actor audit.Actor, action string, account id.Account) error {
	return a.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Detail: string(account)})
}

// emailKey folds an address, so that the same one typed otherwise is recognised.
func emailKey(email string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSpace(email)))
}

const accountColumns = "id, email, name, language, password <> '', created_at"

func scanAccount(row database.Scanner) (x Account, err error) {
	err = row.Scan(&x.ID, &x.Email, &x.Name, &x.Language, &x.Accepted, &x.CreatedAt)
	return x, err
}

// Account returns one account, or ErrNoAccount.
func (a *Auth) Account(ctx context.Context, account id.Account) (Account, error) {
	found, err := scanAccount(a.db.QueryRow(ctx, "select "+accountColumns+" from account where id = $1", account))
	if errors.Is(err, database.ErrNoRows) {
		return found, ErrNoAccount
	}
	return found, err
}

// ByEmail returns the account with an address, or ErrNoAccount.
func (a *Auth) ByEmail(ctx context.Context, email string) (Account, error) {
	found, err := scanAccount(a.db.QueryRow(ctx, "select "+accountColumns+" from account where email_key = $1", emailKey(email)))
	if errors.Is(err, database.ErrNoRows) {
		return found, ErrNoAccount
	}
	return found, err
}

// Accounts returns those of the accounts that exist, in one query.
func (a *Auth) Accounts(ctx context.Context, accounts ...id.Account) (map[id.Account]Account, error) {
	found := make(map[id.Account]Account, len(accounts))
	if len(accounts) == 0 {
		return found, nil
	}
	list, args := database.In(accounts)
	err := database.Each(ctx, a.db, func(row database.Scanner) error {
		account, err := scanAccount(row)
		found[account.ID] = account
		return err
	}, "select "+accountColumns+" from account where id in "+list, args...)
	return found, err
}
