// Package identities is the vault: who a pseudonym is and how to reach them, sealed with the person's own key in a store
// of its own. Every opening names an actor and a purpose, and its audit entry is on disk before anything is opened. It
// holds no study data, and only cmd and handlers may import it.
package identities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

var (
	// ErrUnknown is a NotFound: the vault knows nobody by this pseudonym in this study.
	ErrUnknown = errs.New(errs.NotFound, "identities.unknown")
	// ErrChanged is a Conflict: others kept changing this identity at the same time. Nothing was written.
	ErrChanged = errs.New(errs.Conflict, "identities.changed")
)

// purposes are why an identity may be written or opened. They are codes, since they stand in the audit chain.
var purposes = []string{"mail", "own_data", "call", "support", "correction", "enrol", "tip", "referral", "own_correction", "request", "end_check", "appointment"}

// Purposes lists why an identity may be opened.
func Purposes() []string { return slices.Clone(purposes) }

func checkPurpose(purpose string) error {
	var c errs.Check
	switch {
	case purpose == "":
		c.Add("purpose", "required")
	case !slices.Contains(purposes, purpose):
		c.Add("purpose", "identities.choose")
	}
	return c.Err()
}

// Vault holds the identities of all studies.
type Vault struct {
	db   *database.DB // the identity store
	keys *keys.Store
	log  *audit.Log // in the study store
	now  func() time.Time
}

// New returns the vault kept in db.
func New(db *database.DB, keys *keys.Store, log *audit.Log, now func() time.Time) *Vault {
	return &Vault{db, keys, log, now}
}

// sealed is an identity as it lies in the store.
type sealed struct {
	study   id.Study
	person  id.Person
	version int64
	bytes   []byte
	email   bool // the identity has an e-mail address; written, not read
}

func (s sealed) place() keys.Place {
	return keys.Place{Study: s.study, Person: s.person, Field: "identity", Version: s.version}
}

const columns = "study_id, person_id, version, sealed"

func scan(row database.Scanner) (s sealed, err error) {
	err = row.Scan(&s.study, &s.person, &s.version, &s.bytes)
	return s, err
}

// Put writes who a person is, in place of what stood there. The person must have a key already: without one it is
// keys.ErrErased. A person of another study is ErrUnknown.
func (v *Vault) Put(ctx context.Context, actor audit.Actor, purpose string, study id.Study, person id.Person, who Identity) error {
	return v.put(ctx, actor, purpose, study, person, who, func(*database.Tx) error { return nil })
}

// put is Put with what else is written in the same transaction.
func (v *Vault) put(ctx context.Context, actor audit.Actor, purpose string, study id.Study, person id.Person, who Identity, also func(*database.Tx) error) error {
	if err := checkPurpose(purpose); err != nil {
		return err
	}
	who, err := who.clean()
	if err != nil {
		return err
	}
	text, err := json.Marshal(who)
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	entry := audit.Entry{Actor: actor, Action: "identity.written", Study: study, Person: person, Detail: purpose}
	if err := v.log.Record(ctx, entry); err != nil {
		return fmt.Errorf("write identity: %w", err)
	}
	return v.write(ctx, study, person, text, who, also)
}

const mostTries = 10

// write seals text, which is who as JSON, for the version after the present one, which somebody else may reach first.
func (v *Vault) write(ctx context.Context, study id.Study, person id.Person, text []byte, who Identity, also func(*database.Tx) error) error {
	for range mostTries {
		was, err := v.read(ctx, study, person)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
		next := sealed{study: study, person: person, version: was.version + 1, email: who.Email != ""}
		if next.bytes, err = v.keys.Seal(ctx, next.place(), text); err != nil {
			return fmt.Errorf("seal identity: %w", err)
		}
		written, err := v.replace(ctx, next, v.hashes(who.Email, who.Phone), v.refusals(who), also)
		if err != nil {
			return fmt.Errorf("write identity: %w", err)
		}
		if written {
			return v.keepOnlyIfKeyed(ctx, next.place(), next.bytes)
		}
		if err := v.elsewhere(ctx, study, person); err != nil {
			return err
		}
	}
	return ErrChanged
}

// elsewhere is ErrUnknown where the person belongs to another study.
func (v *Vault) elsewhere(ctx context.Context, study id.Study, person id.Person) error {
	var one int
	err := v.db.QueryRow(ctx, "select 1 from identity where person_id = $1 and study_id <> $2", person, study).Scan(&one)
	if errors.Is(err, database.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrUnknown
}

// replace writes a version, its look-up hashes, and whether one of its refusal hashes is known. It says false where the
// version before is not the present one.
func (v *Vault) replace(ctx context.Context, next sealed, hashes, refusals []string, also func(*database.Tx) error) (written bool, err error) {
	err = v.db.Tx(ctx, func(tx *database.Tx) error {
		barred, err := anyRefused(ctx, tx, next.study, refusals)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `insert into identity (person_id, study_id, version, sealed, updated_at, has_email, barred) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (person_id) do update set version = excluded.version, sealed = excluded.sealed, updated_at = excluded.updated_at,
				has_email = excluded.has_email, barred = excluded.barred
			where identity.study_id = excluded.study_id and identity.version = excluded.version - 1`,
			next.person, next.study, next.version, next.bytes, v.now().UnixMilli(), next.email, barred)
		written = n == 1
		if err != nil || !written {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from identity_lookup where person_id = $1", next.person); err != nil {
			return err
		}
		for _, hash := range hashes {
			if _, err := tx.Exec(ctx, "insert into identity_lookup (study_id, hash, person_id) values ($1, $2, $3)",
				next.study, hash, next.person); err != nil {
				return err
			}
		}
		return also(tx)
	})
	return written, err
}

// keepOnlyIfKeyed takes a write back that an erasure overtook. Erasing destroys the key first and empties the vault
// then: whichever of the two looks last finds the row.
func (v *Vault) keepOnlyIfKeyed(ctx context.Context, at keys.Place, sealed []byte) error {
	_, err := v.keys.Open(ctx, at, sealed)
	if errors.Is(err, keys.ErrErased) {
		return errors.Join(keys.ErrErased, v.Erase(ctx, at.Person))
	}
	return err
}

func (v *Vault) read(ctx context.Context, study id.Study, person id.Person) (sealed, error) {
	s, err := scan(v.db.QueryRow(ctx, "select "+columns+" from identity where study_id = $1 and person_id = $2", study, person))
	if errors.Is(err, database.ErrNoRows) {
		return sealed{}, ErrUnknown
	}
	if err != nil {
		return sealed{}, fmt.Errorf("read identity: %w", err)
	}
	return s, nil
}

// Open returns who a person is. That it was opened, by whom and why is on disk first; where that fails, nothing is
// opened.
func (v *Vault) Open(ctx context.Context, actor audit.Actor, purpose string, study id.Study, person id.Person) (Identity, error) {
	opened, err := v.OpenAll(ctx, actor, purpose, study, []id.Person{person})
	if err != nil {
		return Identity{}, err
	}
	who, ok := opened[person]
	if !ok {
		return Identity{}, ErrUnknown
	}
	return who, nil
}

// OpenAll returns who several people are, with an audit entry for each. Whom the vault does not know in this study, or
// who was erased, is left out.
func (v *Vault) OpenAll(ctx context.Context, actor audit.Actor, purpose string, study id.Study, people []id.Person) (map[id.Person]Identity, error) {
	if err := checkPurpose(purpose); err != nil {
		return nil, err
	}
	found, err := v.find(ctx, study, people)
	if err != nil {
		return nil, err
	}
	entries := make([]audit.Entry, len(found))
	for i, s := range found {
		entries[i] = audit.Entry{Actor: actor, Action: "identity.opened", Study: study, Person: s.person, Detail: purpose}
	}
	if err := v.log.Record(ctx, entries...); err != nil {
		return nil, fmt.Errorf("open identities: %w", err)
	}
	opened := make(map[id.Person]Identity, len(found))
	for _, s := range found {
		who, err := v.unseal(ctx, s)
		if errors.Is(err, keys.ErrErased) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open identity of %s: %w", s.person, err)
		}
		opened[s.person] = who
	}
	return opened, nil
}

// find reads the sealed rows of those whom the vault knows, each once.
func (v *Vault) find(ctx context.Context, study id.Study, people []id.Person) ([]sealed, error) {
	people = slices.Compact(slices.Sorted(slices.Values(people)))
	var found []sealed
	for some := range database.Chunks(people) {
		list, args := database.In(some, study)
		rows, err := database.All(ctx, v.db, scan,
			"select "+columns+" from identity where study_id = $1 and person_id in "+list+" order by person_id", args...)
		if err != nil {
			return nil, fmt.Errorf("find identities: %w", err)
		}
		found = append(found, rows...)
	}
	return found, nil
}

func (v *Vault) unseal(ctx context.Context, s sealed) (who Identity, err error) {
	text, err := v.keys.Open(ctx, s.place(), s.bytes)
	if err != nil {
		return who, err
	}
	err = json.Unmarshal(text, &who)
	return who, err
}

// Exists says whether the vault knows a person, in whichever study.
func (v *Vault) Exists(ctx context.Context, person id.Person) (bool, error) {
	var one int
	err := v.db.QueryRow(ctx, "select 1 from identity where person_id = $1", person).Scan(&one)
	if errors.Is(err, database.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// hashes are how an identity can be found again without being opened: for one installation, blind without its key.
func (v *Vault) hashes(email, phone string) []string { return v.blind("", email, true, phone, true) }

// blind hashes an address and a number for one use. What is empty or not right has no hash.
func (v *Vault) blind(use, email string, okEmail bool, phone string, okPhone bool) []string {
	var all []string
	if email != "" && okEmail {
		all = append(all, v.keys.Blind(use+"email", strings.ToLower(email)))
	}
	if phone != "" && okPhone {
		all = append(all, v.keys.Blind(use+"phone", phone))
	}
	return all
}

// Duplicates returns who in a study has this e-mail address or telephone number, in whatever way it is written. What is
// neither finds nobody.
func (v *Vault) Duplicates(ctx context.Context, study id.Study, email, phone string) ([]id.Person, error) {
	known, err := v.Known(ctx, study, v.Marks(Identity{Email: email, Phone: phone}))
	if err != nil {
		return nil, err
	}
	return known[0], nil
}

// Marks are by what an identity is recognised as a duplicate: a keyed hash of each, the e-mail address and the telephone
// number, in whatever way it is written. What is neither has none.
func (v *Vault) Marks(who Identity) []string {
	email, okEmail := address(who.Email)
	phone, okPhone := number(who.Phone)
	return v.blind("", email, okEmail, phone, okPhone)
}

// Known returns, for the marks of each of several people, who in a study has one of them.
func (v *Vault) Known(ctx context.Context, study id.Study, marks ...[]string) ([][]id.Person, error) {
	holders := map[string][]id.Person{}
	for some := range database.Chunks(slices.Concat(marks...)) {
		list, args := database.In(some, study)
		err := database.Each(ctx, v.db, func(row database.Scanner) error {
			var hash string
			var person id.Person
			err := row.Scan(&hash, &person)
			holders[hash] = append(holders[hash], person)
			return err
		}, "select hash, person_id from identity_lookup where study_id = $1 and hash in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("look for duplicates: %w", err)
		}
	}
	known := make([][]id.Person, len(marks))
	for i, hashes := range marks {
		for _, hash := range hashes {
			known[i] = append(known[i], holders[hash]...)
		}
		slices.Sort(known[i])
		known[i] = slices.Compact(known[i])
	}
	return known, nil
}

// Persons lists everybody whom the vault knows.
func (v *Vault) Persons(ctx context.Context) ([]id.Person, error) {
	return database.Values[id.Person](ctx, v.db, "select person_id from identity order by person_id")
}

// Erase forgets persons and removes their bytes from the files, also that a tip came from them. Doing it twice is doing it
// once. Their keys are to be destroyed before, so that a Put on its way finds them gone.
func (v *Vault) Erase(ctx context.Context, persons ...id.Person) error {
	err := v.erase(ctx, persons)
	for range mostTries {
		// Somebody's first Put came in between on PostgreSQL: its look-ups are there now.
		if !errors.Is(err, database.ErrReferenced) {
			break
		}
		err = v.erase(ctx, persons)
	}
	if err != nil {
		return fmt.Errorf("erase identity: %w", err)
	}
	return v.db.Scrub(ctx, "tip", "note", "signature", "former_address", "identity_lookup", "identity")
}

func (v *Vault) erase(ctx context.Context, persons []id.Person) error {
	return v.db.Tx(ctx, func(tx *database.Tx) error {
		for some := range database.Chunks(persons) {
			list, args := database.In(some)
			for _, statement := range []string{"delete from tip where person_id in ", "update tip set from_person_id = '' where from_person_id in ",
				"delete from note where person_id in ", "delete from signature where person_id in ", "delete from former_address where person_id in ", "delete from identity_lookup where person_id in ", "delete from identity where person_id in "} {
				if _, err := tx.Exec(ctx, statement+list, args...); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
