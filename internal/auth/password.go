package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/secret"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	leastPassword = 12  // characters
	mostPassword  = 256 // characters; a sentence fits

	mostTries = 10 // passwords per address
	tryWindow = time.Hour
)

// SignIn returns the account that has this address and password. Anything else is ErrSignIn, after the same work
// whether or not the address is known; after ten of those within an hour it is ErrTooMany, also for the right password.
// A failed try is written down and so uses the form's key up (database.WithOnce): the form is shown again with a fresh
// one. A blank field is Invalid and counts as no try.
func (a *Auth) SignIn(ctx context.Context, email, password string) (id.Account, error) {
	address := emailKey(email)
	var check errs.Check
	check.Require("email", address, mostEmail)
	check.Require("password", password, mostPassword)
	if err := check.Err(); err != nil {
		return "", err
	}
	// Counted before it is tried, so that a thousand at once are not tried before the first is counted.
	if err := a.countTry(ctx, address); err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	var account id.Account
	var hash string
	err := a.db.QueryRow(ctx, "select id, password from account where email_key = $1", address).Scan(&account, &hash)
	if err != nil && !errors.Is(err, database.ErrNoRows) {
		return "", fmt.Errorf("sign in: %w", err)
	}
	right, err := a.hasher.verify(ctx, password, hash)
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	if !right {
		return "", ErrSignIn
	}
	err = a.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "delete from sign_in_try where address = $1", secret.Hash(address)); err != nil {
			return err
		}
		return a.note(ctx, tx, audit.Staff(account), "account.signed_in", account)
	})
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return account, nil
}

// countTry takes one of the address's tries, or returns ErrTooMany. What is stored is a hash, gone after the next
// Sweep: people type passwords into the wrong field.
func (a *Auth) countTry(ctx context.Context, address string) error {
	now := a.now()
	return a.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `insert into sign_in_try (address, since, tries) values ($1, $2, 1)
			on conflict (address) do update set
				tries = case when sign_in_try.since <= $3 then 1 else sign_in_try.tries + 1 end,
				since = case when sign_in_try.since <= $3 then excluded.since else sign_in_try.since end
			where sign_in_try.since <= $3 or sign_in_try.tries < $4`,
			secret.Hash(address), now.UnixMilli(), now.Add(-tryWindow).UnixMilli(), mostTries)
		if err == nil && n == 0 {
			return ErrTooMany
		}
		return err
	})
}

// cost is what a guess costs.
type cost struct {
	memory uint32 // KiB
	passes uint32
}

// hasher hashes passwords, few at a time because each takes 64 MiB.
type hasher struct {
	cost  cost
	slots chan struct{} // one per password being hashed
	queue chan struct{} // one per password being hashed or waiting
}

const (
	atATime     = 2
	mostWaiting = 512
	lanes       = 1
	saltBytes   = 16
	hashBytes   = 32
)

// full is what a password costs wherever people sign in.
var full = cost{memory: 64 << 10, passes: 3}

// HashCheaply is for tests that make many accounts and are about something else. No method, and called from tests only
// (internal/guard): the linker leaves it out of the program.
func HashCheaply(a *Auth) { a.hasher.cost = cost{memory: 8, passes: 1} }

func newHasher() *hasher {
	return &hasher{
		cost:  full,
		slots: make(chan struct{}, atATime),
		queue: make(chan struct{}, atATime+mostWaiting),
	}
}

// hash returns a password's hash in PHC form: $argon2id$v=19$m=65536,t=3,p=1$salt$hash.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	sum, err := h.sum(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return phc(h.cost, salt, sum), nil
}

// verify says whether hash was made from password. An empty hash is one that no password fits, at the same cost.
func (h *hasher) verify(ctx context.Context, password, hash string) (bool, error) {
	if hash == "" {
		var nobody [saltBytes + hashBytes]byte
		rand.Read(nobody[:])
		hash = phc(h.cost, nobody[:saltBytes], nobody[saltBytes:])
	}
	c, salt, want, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	got, err := h.sum(ctx, password, salt, c)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// sum waits for its turn and hashes. NFC because one keyboard's å is not another's.
func (h *hasher) sum(ctx context.Context, password string, salt []byte, c cost) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	sum := argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.passes, c.memory, lanes, hashBytes)
	if c.memory >= full.memory {
		// Left to itself the collector lets dead blocks gather: 262 MiB in use instead of 134 with thirty waiting.
		runtime.GC()
	}
	return sum, nil
}

func phc(c cost, salt, sum []byte) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, lanes, encode(salt), encode(sum))
}

func parsePHC(text string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errors.New("stored password hash is of an unknown kind")
	}
	var p int
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &p); err != nil || p != lanes {
		return c, nil, nil, errors.New("stored password hash has unknown parameters")
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	sum, sumErr := base64.RawStdEncoding.DecodeString(parts[5])
	return c, salt, sum, errors.Join(saltErr, sumErr)
}
