package links_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/links"
)

const study = id.Study("study")

type fixture struct {
	*links.Links
	db   *database.DB
	keys *keys.Store
	at   time.Time
}

func each(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		f := &fixture{at: time.Date(2019, 4, 11, 8, 0, 0, 0, time.UTC)}
		now := func() time.Time { return f.at }
		f.db = dbtest.Open(t, dsn(database.Study), database.Study)
		var err error
		f.keys, err = keys.New(t.Context(), dbtest.Open(t, dsn(database.Keys), database.Keys), keys.Master{1}, now)
		if err != nil {
			t.Fatal(err)
		}
		f.Links = links.New(f.db, f.keys, now)
		fn(t, f)
	})
}

func (f *fixture) person(t *testing.T) id.Person {
	t.Helper()
	person := id.New[id.Person]()
	if err := f.keys.Create(t.Context(), person); err != nil {
		t.Fatal(err)
	}
	return person
}

func (f *fixture) ensure(t *testing.T, person id.Person, purpose links.Purpose, subject string) (links.Link, string) {
	t.Helper()
	link, err := f.Ensure(t.Context(), study, person, purpose, subject, f.at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	token, err := f.Token(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	return link, token
}

func (f *fixture) wantDead(t *testing.T, what, token string, purpose links.Purpose) {
	t.Helper()
	link, err := f.Resolve(t.Context(), token, purpose)
	if err != links.ErrDead || link != (links.Link{}) { // the very same, whatever was wrong
		t.Errorf("%s: %+v, %v; want ErrDead", what, link, err)
	}
}

func TestALinkIsForOnePersonPurposeAndSubject(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		one, other := f.person(t), f.person(t)
		seen := map[string]bool{}
		for _, x := range []struct {
			person  id.Person
			purpose links.Purpose
			subject string
		}{{one, links.Participant, ""}, {other, links.Participant, ""}, {one, links.Survey, "s1"}, {one, links.Survey, "s2"}} {
			link, token := f.ensure(t, x.person, x.purpose, x.subject)
			again, same := f.ensure(t, x.person, x.purpose, x.subject)
			if again != link || same != token || len(token) != 43 || seen[token] {
				t.Errorf("repeated: %+v %q, first %+v %q", again, same, link, token)
			}
			seen[token] = true
			got, err := f.Resolve(t.Context(), token, x.purpose)
			if err != nil || got != link || got.Person != x.person || got.Subject != x.subject || got.Study != study {
				t.Errorf("Resolve = %+v, %v; want %+v", got, err, link)
			}
			foreign := links.Survey
			if x.purpose == links.Survey {
				foreign = links.Participant
			}
			f.wantDead(t, "foreign purpose", token, foreign)
		}
	})
}

// Promise 8 at 10,000 forged tokens. Only a hash is stored, and it opens nothing.
func TestForgedTokensOpenNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		link, token := f.ensure(t, f.person(t), links.Participant, "")
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(token))
		for _, forged := range []string{"", string(link.ID), string(link.Person), token[:42], token + "A", token + "=", " " + token,
			strings.ToLower(token), strings.ToUpper(token), hex.EncodeToString(sum[:]), base64.RawURLEncoding.EncodeToString(sum[:]),
			"' or 1=1 --", "\x00", strings.Repeat("A", 1<<16), token[:42] + string(token[42]+1)} {
			f.wantDead(t, forged, forged, links.Participant)
		}
		forged := make([]byte, len(raw))
		for n := range 10_000 {
			rand.Read(forged)
			if n%2 == 0 { // half of them one bit away from the real one
				copy(forged, raw)
				forged[n/2%len(raw)] ^= 1 << (n / 2 / len(raw) % 8)
			}
			if _, err := f.Resolve(t.Context(), base64.RawURLEncoding.EncodeToString(forged), links.Participant); err != links.ErrDead {
				t.Fatalf("forged token %d: %v", n, err)
			}
		}
	})
}

func TestALinkEnds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		person, other := f.person(t), f.person(t)
		first, token := f.ensure(t, person, links.Participant, "")
		_, others := f.ensure(t, other, links.Participant, "")
		alive := func(link links.Link, want bool) {
			t.Helper()
			if got, err := f.Get(ctx, link.ID); want && (err != nil || got.ID != link.ID) || !want && !errors.Is(err, links.ErrDead) {
				t.Errorf("Get = %v, %v; want it alive: %v", got, err, want)
			}
		}
		alive(first, true)
		f.at = f.at.Add(time.Hour)
		f.wantDead(t, "expired", token, links.Participant)
		alive(first, false)
		second, fresh := f.ensure(t, person, links.Participant, "")
		if second.ID == first.ID || fresh == token {
			t.Error("an expired link came back to life")
		}
		f.wantDead(t, "expired and replaced", token, links.Participant)
		if got, err := f.Resolve(ctx, fresh, links.Participant); err != nil || got != second {
			t.Errorf("link after the expired one: %+v, %v", got, err)
		}
		alive(second, true)

		if err := f.db.Tx(ctx, func(tx *database.Tx) error { return f.Revoke(ctx, tx, person) }); err != nil {
			t.Fatal(err)
		}
		f.wantDead(t, "revoked", fresh, links.Participant)
		alive(second, false)
		if _, again := f.ensure(t, person, links.Participant, ""); again == fresh {
			t.Error("a revoked token came back")
		}
		if _, err := f.Ensure(ctx, study, person, links.Participant, "", f.at); !errors.Is(err, links.ErrDead) {
			t.Errorf("link until now: %v, want ErrDead", err)
		}

		f.ensure(t, other, links.Participant, "")
		if _, err := f.Resolve(ctx, others, links.Participant); err == nil {
			t.Error("an expired link of another person lives")
		}
	})
}

func TestALinkMovesWithItsDate(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		person := f.person(t)
		link, token := f.ensure(t, person, links.Participant, "")
		for _, until := range []time.Duration{3 * time.Hour, time.Minute} {
			moved, err := f.Ensure(t.Context(), study, person, links.Participant, "", f.at.Add(until))
			if err != nil || moved.ID != link.ID || moved.ExpiresAt != f.at.Add(until).UnixMilli() {
				t.Errorf("until %v: %+v, %v; want the same link until then", until, moved, err)
			}
		}
		f.at = f.at.Add(time.Minute)
		f.wantDead(t, "shortened", token, links.Participant)
	})
}

func TestErasingAPersonKillsTheirLinks(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		person, other := f.person(t), f.person(t)
		link, token := f.ensure(t, person, links.Participant, "")
		_, others := f.ensure(t, other, links.Participant, "")
		if err := f.keys.Destroy(ctx, person); err != nil {
			t.Fatal(err)
		}
		f.wantDead(t, "a row without its key", token, links.Participant)
		if _, err := f.Token(ctx, link); !errors.Is(err, keys.ErrErased) {
			t.Errorf("Token = %v, want ErrErased", err)
		}
		if _, err := f.Ensure(ctx, study, person, links.Survey, "s", f.at.Add(time.Hour)); !errors.Is(err, keys.ErrErased) {
			t.Errorf("Ensure = %v, want ErrErased", err)
		}
		for range 2 {
			if err := f.db.Tx(ctx, func(tx *database.Tx) error { return f.Erase(ctx, tx, person) }); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.Get(ctx, link.ID); !errors.Is(err, links.ErrDead) {
			t.Errorf("Get after Erase: %v, want ErrDead", err)
		}
		if _, err := f.Resolve(ctx, others, links.Participant); err != nil {
			t.Errorf("another person's link: %v", err)
		}
	})
}

// A row that somebody writes into the study store, with the hash of a token they chose, must not become a link.
func TestARowAloneIsNoLink(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx := context.WithoutCancel(t.Context())
		link, _ := f.ensure(t, f.person(t), links.Participant, "")
		token := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		sum := sha256.Sum256([]byte(token))
		if err := f.db.Tx(ctx, func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "update link set token_hash = $2 where id = $1", link.ID, hex.EncodeToString(sum[:]))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		f.wantDead(t, "planted hash", token, links.Participant)
	})
}

func TestManyAtOnceGetOneLink(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		person := f.person(t)
		for range 2 { // once where there is none, once where the one there is has expired
			var mu sync.Mutex
			got := map[links.Link]bool{}
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					link, err := f.Ensure(t.Context(), study, person, links.Participant, "", f.at.Add(time.Hour))
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					got[link] = true
				})
			}
			wg.Wait()
			if len(got) != 1 {
				t.Errorf("%d links, want one: %v", len(got), got)
			}
			f.at = f.at.Add(2 * time.Hour)
		}
	})
}
