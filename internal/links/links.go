// Package links owns capabilities: addresses that let one person do one thing until a date. It decides who holds one
// and whether it lives; what it opens is a matter of whoever asks.
//
// A token is an HMAC of the link's id under the person's data key. So a repeated mail carries the same link although
// only a hash is stored, and destroying the key kills every link of that person, in restored copies too.
package links

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/secret"
)

// Purpose is the one thing a link is for. A token of one purpose is dead for every other.
type Purpose string

const (
	Participant Purpose = "participant" // their own pages
	Survey      Purpose = "survey"      // answering the survey that is the link's subject
	Referral    Purpose = "referral"    // an informant's invitation to pass on; the subject is the coupon
	Refusal     Purpose = "refusal"     // asking not to be contacted again
)

// ErrDead is a NotFound, the same for a link that is unknown, malformed, expired, revoked or for another purpose.
var ErrDead = errs.New(errs.NotFound, "links.dead")

// Link is one capability.
type Link struct {
	ID        id.Link
	Study     id.Study
	Person    id.Person
	Purpose   Purpose
	Subject   string // such as a survey's id; empty where a person has only one of the purpose
	ExpiresAt int64  // UTC milliseconds
}

// Links keeps capabilities in the study store.
type Links struct {
	db   *database.DB
	keys *keys.Store
	now  func() time.Time
}

// New returns the links kept in db, which is the study store.
func New(db *database.DB, keys *keys.Store, now func() time.Time) *Links {
	return &Links{db: db, keys: keys, now: now}
}

const columns = "id, study_id, person_id, purpose, subject, expires_at"

func scan(row database.Scanner) (x Link, err error) {
	err = row.Scan(&x.ID, &x.Study, &x.Person, &x.Purpose, &x.Subject, &x.ExpiresAt)
	return x, err
}

// Ensure returns the person's one live link for a purpose and subject, and makes it where there is none. It lives until
// expires, as asked for last. A date that has passed is ErrDead; an erased person keys.ErrErased.
func (l *Links) Ensure(ctx context.Context, study id.Study, person id.Person, purpose Purpose, subject string, expires time.Time) (Link, error) {
	now, until := l.now().UnixMilli(), expires.UnixMilli()
	if until <= now {
		return Link{}, fmt.Errorf("ensure link: %w", ErrDead)
	}
	link, err := l.find(ctx, l.db, study, person, purpose, subject)
	if err == nil && link.ExpiresAt == until { // as for every mail but the first
		return link, nil
	}
	if err != nil && !errors.Is(err, database.ErrNoRows) {
		return Link{}, fmt.Errorf("ensure link: %w", err)
	}
	fresh := Link{ID: id.New[id.Link](), Study: study, Person: person, Purpose: purpose, Subject: subject, ExpiresAt: until}
	token, err := l.Token(ctx, fresh)
	if err != nil {
		return Link{}, fmt.Errorf("ensure link: %w", err)
	}
	err = l.db.Tx(ctx, func(tx *database.Tx) error {
		// Of several at once, one inserts and the others keep its row; only an expired link gives way to a fresh one.
		_, err := tx.Exec(ctx, `insert into link (id, study_id, person_id, purpose, subject, token_hash, expires_at)
			values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (person_id, purpose, subject) do update set
				id = case when link.expires_at <= $8 then excluded.id else link.id end,
				token_hash = case when link.expires_at <= $8 then excluded.token_hash else link.token_hash end,
				expires_at = excluded.expires_at
			where link.study_id = excluded.study_id`,
			fresh.ID, study, person, purpose, subject, secret.Hash(token), until, now)
		if err != nil {
			return err
		}
		link, err = l.find(ctx, tx, study, person, purpose, subject)
		return err
	})
	if err != nil {
		return Link{}, fmt.Errorf("ensure link: %w", err)
	}
	return link, nil
}

// find returns a person's link, dead or alive.
func (l *Links) find(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose Purpose, subject string) (Link, error) {
	return scan(q.QueryRow(ctx, "select "+columns+` from link
		where study_id = $1 and person_id = $2 and purpose = $3 and subject = $4`, study, person, purpose, subject))
}

// Token returns the secret part of a link's address: 43 characters, the same each time. An erased person's link has
// none: keys.ErrErased.
func (l *Links) Token(ctx context.Context, link Link) (string, error) {
	mac, err := l.keys.MAC(ctx, link.Person, "link", string(link.ID))
	if err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(mac), nil
}

// Resolve returns the live link that a token opens, or ErrDead.
func (l *Links) Resolve(ctx context.Context, token string, purpose Purpose) (Link, error) {
	link, err := scan(l.db.QueryRow(ctx, "select "+columns+" from link where token_hash = $1 and purpose = $2 and expires_at > $3",
		secret.Hash(token), purpose, l.now().UnixMilli()))
	if errors.Is(err, database.ErrNoRows) {
		return Link{}, ErrDead
	}
	if err != nil {
		return Link{}, fmt.Errorf("resolve link: %w", err)
	}
	// Made again from the key: a row alone, restored or forged in the study store, opens nothing.
	own, err := l.Token(ctx, link)
	if errors.Is(err, keys.ErrErased) {
		return Link{}, ErrDead
	}
	if err != nil {
		return Link{}, fmt.Errorf("resolve link: %w", err)
	}
	if !hmac.Equal([]byte(own), []byte(token)) {
		return Link{}, ErrDead
	}
	return link, nil
}

// Get returns a link that still opens something, and ErrDead otherwise; a session that began with it asks at each
// request.
func (l *Links) Get(ctx context.Context, link id.Link) (Link, error) {
	found, err := scan(l.db.QueryRow(ctx, "select "+columns+" from link where id = $1 and expires_at > $2", link, l.now().UnixMilli()))
	if errors.Is(err, database.ErrNoRows) {
		return Link{}, ErrDead
	}
	return found, err
}

// Of lists a person's links in a study, those of one purpose together.
func (l *Links) Of(ctx context.Context, study id.Study, person id.Person) ([]Link, error) {
	return database.All(ctx, l.db, scan, "select "+columns+" from link where study_id = $1 and person_id = $2 order by purpose, id", study, person)
}

// Revoke ends every link of a person in the caller's transaction. Ensure then makes another with another token.
func (l *Links) Revoke(ctx context.Context, tx *database.Tx, person id.Person) error {
	_, err := tx.Exec(ctx, "delete from link where person_id = $1", person)
	return err
}

// Erase deletes a person's links.
func (l *Links) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	return l.Revoke(ctx, tx, person)
}

// Tables names what Erase erases from.
func (l *Links) Tables() []string { return []string{"link"} }

// ErrBroken is what Verify returns where a link was not made with its person's key.
var ErrBroken = errs.New(errs.Internal, "links.broken")

// Verify makes every link's token again from its person's key, and returns how many links there are. ErrBroken where what is
// stored belongs to another token: whoever has that link in a mail could not open it.
func (l *Links) Verify(ctx context.Context) (n int, err error) {
	after := id.Link("")
	for {
		var hashes []string
		var messages []keys.Message
		err := database.Each(ctx, l.db, func(row database.Scanner) error {
			var hash string
			m := keys.Message{}
			err := row.Scan(&after, &m.Person, &hash)
			m.Text = string(after)
			hashes, messages = append(hashes, hash), append(messages, m)
			return err
		}, "select id, person_id, token_hash from link where id > $1 order by id limit 500", after)
		if err != nil || len(hashes) == 0 {
			return n, err
		}
		macs, err := l.keys.MACs(ctx, "link", messages)
		if err != nil {
			return n, err
		}
		for i, mac := range macs {
			if secret.Hash(base64.RawURLEncoding.EncodeToString(mac)) != hashes[i] {
				return n, fmt.Errorf("link %s: %w", messages[i].Text, ErrBroken)
			}
			n++
		}
	}
}

// RevokeStudy ends every link of a study in the caller's transaction.
func (l *Links) RevokeStudy(ctx context.Context, tx *database.Tx, study id.Study) error {
	if _, err := tx.Exec(ctx, "delete from link where study_id = $1", study); err != nil {
		return fmt.Errorf("revoke links: %w", err)
	}
	return nil
}

// MoveTx lets the links of a study that live until one day live until another, and none longer than that.
func (l *Links) MoveTx(ctx context.Context, tx *database.Tx, study id.Study, was, becomes time.Time) error {
	_, err := tx.Exec(ctx, "update link set expires_at = $3 where study_id = $1 and (expires_at = $2 or expires_at > $3)", study, was.UnixMilli(), becomes.UnixMilli())
	if err != nil {
		return fmt.Errorf("move links: %w", err)
	}
	return nil
}
