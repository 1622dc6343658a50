// Package keys owns the key store: one data key per person, wrapped by the installation's master key. It seals and
// opens for others and gives no meaning to what it seals. Destroying a person's key makes everything sealed for that
// person unreadable, in old copies of the other stores too.
package keys

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"

	"golang.org/x/crypto/chacha20poly1305"
)

var (
	// ErrErased is a NotFound: the person's key was destroyed, or never made.
	ErrErased = errs.New(errs.NotFound, "keys.erased")
	// ErrForged is Internal: the sealed bytes were changed, or belong to another place.
	ErrForged = errs.New(errs.Internal, "keys.forged")
	// ErrWrongMaster is Internal: this store was made under another master key.
	ErrWrongMaster = errs.New(errs.Internal, "keys.wrong_master")
)

// Place is where a sealed value belongs. Opened in any other place it is refused.
type Place struct {
	Study   id.Study
	Person  id.Person
	Field   string
	Version int64
}

// Store is the key store.
type Store struct {
	db    *database.DB
	wrap  cipher.AEAD
	blind []byte
	now   func() time.Time
}

// New returns the key store kept in db, under master. It returns ErrWrongMaster if db was made under another one.
func New(ctx context.Context, db *database.DB, master Master, now func() time.Time) (*Store, error) {
	wrap, err := chacha20poly1305.NewX(derive(master[:], "wrap data keys"))
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, wrap: wrap, blind: master.blindKey(), now: now}
	return s, s.checkMaster(ctx)
}

// Fresh says that a key store was never used with any master key.
func Fresh(ctx context.Context, db *database.DB) (fresh bool, err error) {
	err = db.QueryRow(ctx, `select not exists (select 1 from key_check) and not exists (select 1 from data_key)
		and not exists (select 1 from erased)`).Scan(&fresh)
	return fresh, err
}

const checkText = "feltbok key check"

func (s *Store) checkMaster(ctx context.Context) error {
	var sealed []byte
	err := s.db.QueryRow(ctx, "select sealed from key_check").Scan(&sealed)
	if errors.Is(err, database.ErrNoRows) {
		sealed, err = s.addCheck(ctx)
	}
	if err != nil {
		return err
	}
	if _, err := open(s.wrap, sealed, nil); err != nil {
		return ErrWrongMaster
	}
	return nil
}

// addCheck binds a new store to this master key, and returns what another replica bound it to a moment before.
func (s *Store) addCheck(ctx context.Context) (sealed []byte, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "insert into key_check (one, sealed) values (true, $1) on conflict do nothing",
			seal(s.wrap, []byte(checkText), nil)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "select sealed from key_check").Scan(&sealed)
	})
	return sealed, err
}

// Create gives each of some persons a data key. Doing it twice is doing it once; where one of them is erased nobody gets
// one, and it is ErrErased.
func (s *Store) Create(ctx context.Context, persons ...id.Person) error {
	wrapped := make(map[id.Person][]byte, len(persons))
	for _, person := range persons {
		var key [chacha20poly1305.KeySize]byte
		rand.Read(key[:])
		wrapped[person] = seal(s.wrap, key[:], []byte(person))
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		if err := s.insert(ctx, tx, persons, wrapped); err != nil {
			return err
		}
		for some := range database.Chunks(persons) {
			// Asked after the insert, which has waited for a Destroy under way: on PostgreSQL a statement does not see what
			// was committed while it waited.
			list, args := database.In(some)
			var erased bool
			err := tx.QueryRow(ctx, "select exists (select 1 from erased where person_id in "+list+")", args...).Scan(&erased)
			if err != nil {
				return err
			}
			if erased {
				return ErrErased
			}
		}
		return nil
	})
}

// insert inserts in one order, so that of two at once one waits and neither for the other.
func (s *Store) insert(ctx context.Context, tx *database.Tx, persons []id.Person, wrapped map[id.Person][]byte) error {
	rows := make([][]any, len(persons))
	for i, person := range slices.Sorted(slices.Values(persons)) {
		key := wrapped[person]
		if key == nil {
			key = []byte{}
		}
		rows[i] = []any{person, key, s.now().UnixMilli()}
	}
	_, err := tx.Insert(ctx, "data_key (person_id, wrapped, created_at)", rows, "on conflict do nothing")
	return err
}

// Destroy ends some persons' keys for good and removes their bytes from the files. Doing it twice is doing it once.
func (s *Store) Destroy(ctx context.Context, persons ...id.Person) error {
	if len(persons) == 0 {
		return nil
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		rows := make([][]any, len(persons))
		for i, person := range persons {
			rows[i] = []any{person, s.now().UnixMilli()}
		}
		if _, err := tx.Insert(ctx, "erased (person_id, erased_at)", rows, "on conflict do nothing"); err != nil {
			return err
		}
		// The empty key waits for a Create under way and keeps later ones waiting; without it the delete would miss a key
		// that is committed a moment later.
		if err := s.insert(ctx, tx, persons, nil); err != nil {
			return err
		}
		for some := range database.Chunks(persons) {
			list, args := database.In(some)
			if _, err := tx.Exec(ctx, "delete from data_key where person_id in "+list, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	return s.db.Scrub(ctx, "data_key")
}

// Have returns which of some persons have a key.
func (s *Store) Have(ctx context.Context, persons []id.Person) ([]id.Person, error) {
	wrapped, err := s.wrapped(ctx, persons)
	return slices.Collect(maps.Keys(wrapped)), err
}

// Persons lists everybody who has a key.
func (s *Store) Persons(ctx context.Context) ([]id.Person, error) {
	return database.Values[id.Person](ctx, s.db, "select person_id from data_key order by person_id")
}

// Erased calls visit with everybody whose key was destroyed for good.
func (s *Store) Erased(ctx context.Context, visit func(id.Person) error) error {
	return database.Each(ctx, s.db, func(row database.Scanner) error {
		var p id.Person
		if err := row.Scan(&p); err != nil {
			return err
		}
		return visit(p)
	}, "select person_id from erased")
}

// Seal encrypts text for one place.
func (s *Store) Seal(ctx context.Context, at Place, text []byte) ([]byte, error) {
	aead, err := s.aead(ctx, at.Person)
	if err != nil {
		return nil, err
	}
	return seal(aead, text, at.bytes()), nil
}

// Open decrypts what Seal made for the same place. Anything else is ErrForged; without the person's key, ErrErased.
func (s *Store) Open(ctx context.Context, at Place, sealed []byte) ([]byte, error) {
	aead, err := s.aead(ctx, at.Person)
	if err != nil {
		return nil, err
	}
	return open(aead, sealed, at.bytes())
}

// SealAll encrypts texts, each for its own place, and asks for all keys at once. A person without one is ErrErased.
func (s *Store) SealAll(ctx context.Context, places []Place, texts [][]byte) ([][]byte, error) {
	persons := make([]id.Person, len(places))
	for i, at := range places {
		persons[i] = at.Person
	}
	wrapped, err := s.wrapped(ctx, persons)
	if err != nil {
		return nil, err
	}
	sealed := make([][]byte, len(places))
	for i, at := range places {
		aead, err := s.unwrap(at.Person, wrapped[at.Person])
		if err != nil {
			return nil, err
		}
		sealed[i] = seal(aead, texts[i], at.bytes())
	}
	return sealed, nil
}

// SealOwn seals what is the installation's and nobody's in a study, such as the address of a colleague's calendar. It can be
// opened for as long as there is this master key, for the same use alone.
func (s *Store) SealOwn(use string, text []byte) []byte {
	return seal(s.wrap, text, []byte("own "+use))
}

// OpenOwn opens what SealOwn sealed. ErrForged: it was changed, or is of another use or another installation.
func (s *Store) OpenOwn(use string, sealed []byte) ([]byte, error) {
	return open(s.wrap, sealed, []byte("own "+use))
}

// wrapped reads the keys of those who have one.
func (s *Store) wrapped(ctx context.Context, persons []id.Person) (map[id.Person][]byte, error) {
	found := make(map[id.Person][]byte, len(persons))
	for some := range database.Chunks(persons) {
		list, args := database.In(some)
		err := database.Each(ctx, s.db, func(row database.Scanner) error {
			var person id.Person
			var wrapped []byte
			err := row.Scan(&person, &wrapped)
			found[person] = wrapped
			return err
		}, "select person_id, wrapped from data_key where person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("read data keys: %w", err)
		}
	}
	return found, nil
}

func (s *Store) unwrap(person id.Person, wrapped []byte) (cipher.AEAD, error) {
	if wrapped == nil {
		return nil, ErrErased
	}
	key, err := open(s.wrap, wrapped, []byte(person))
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(derive(key, "seal"))
}

// MAC returns 256 bits that only somebody with the person's key can make: the same bits for the same use and message.
// The secret in a person's link is one.
func (s *Store) MAC(ctx context.Context, person id.Person, use, message string) ([]byte, error) {
	key, err := s.dataKey(ctx, person)
	if err != nil {
		return nil, err
	}
	return mac(derive(key, "mac "+use), message), nil
}

// Message is what MACs makes bits of, under a person's key.
type Message struct {
	Person id.Person
	Text   string
}

// MACs is MAC for many, and asks for all keys at once. Who has no key has nil.
func (s *Store) MACs(ctx context.Context, use string, messages []Message) ([][]byte, error) {
	persons := make([]id.Person, len(messages))
	for i, m := range messages {
		persons[i] = m.Person
	}
	wrapped, err := s.wrapped(ctx, persons)
	if err != nil {
		return nil, err
	}
	macs := make([][]byte, len(messages))
	for i, m := range messages {
		if wrapped[m.Person] == nil {
			continue
		}
		key, err := open(s.wrap, wrapped[m.Person], []byte(m.Person))
		if err != nil {
			return nil, err
		}
		macs[i] = mac(derive(key, "mac "+use), m.Text)
	}
	return macs, nil
}

// Blind returns a keyed hash of a value, for finding it again without storing it: the same for the whole installation.
func (s *Store) Blind(use, value string) string { return blind(s.blind, use, value) }

// Blind is the Blind of every store under this master key.
func (m Master) Blind(use, value string) string { return blind(m.blindKey(), use, value) }

func (m Master) blindKey() []byte { return derive(m[:], "blind look-ups") }

func blind(key []byte, use, value string) string {
	return base64.RawURLEncoding.EncodeToString(mac(key, use+"\x00"+value))
}

func (s *Store) aead(ctx context.Context, person id.Person) (cipher.AEAD, error) {
	key, err := s.dataKey(ctx, person)
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(derive(key, "seal"))
}

// dataKey reads the key each time: a copy in memory would outlive its destruction on another replica.
func (s *Store) dataKey(ctx context.Context, person id.Person) ([]byte, error) {
	var wrapped []byte
	err := s.db.QueryRow(ctx, "select wrapped from data_key where person_id = $1", person).Scan(&wrapped)
	if errors.Is(err, database.ErrNoRows) {
		return nil, ErrErased
	}
	if err != nil {
		return nil, fmt.Errorf("read data key: %w", err)
	}
	return open(s.wrap, wrapped, []byte(person))
}

// bytes is the associated data; lengths keep one field's end from passing as the next one's start.
func (p Place) bytes() []byte {
	var b []byte
	for _, field := range []string{string(p.Study), string(p.Person), p.Field} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(p.Version))
}

func seal(aead cipher.AEAD, text, associated []byte) []byte {
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, text, associated)
}

func open(aead cipher.AEAD, sealed, associated []byte) ([]byte, error) {
	if len(sealed) < aead.NonceSize() {
		return nil, ErrForged
	}
	text, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], associated)
	if err != nil {
		return nil, ErrForged
	}
	return text, nil
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

func derive(key []byte, use string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, "feltbok "+use, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // only for lengths that no constant here asks for
	}
	return out
}

// Gone returns which of some persons had a key that was destroyed, as a set.
func (s *Store) Gone(ctx context.Context, persons []id.Person) (map[id.Person]bool, error) {
	gone := make(map[id.Person]bool, len(persons))
	for some := range database.Chunks(persons) {
		list, args := database.In(some)
		err := database.Each(ctx, s.db, func(row database.Scanner) error {
			var p id.Person
			err := row.Scan(&p)
			gone[p] = true
			return err
		}, "select person_id from erased where person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("ask whose keys are gone: %w", err)
		}
	}
	return gone, nil
}
