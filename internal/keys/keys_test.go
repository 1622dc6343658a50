package keys_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

func each(t *testing.T, fn func(t *testing.T, db *database.DB, store *keys.Store)) {
	t.Helper()
	dbtest.Each(t, database.Keys, func(t *testing.T, db *database.DB) { fn(t, db, open(t, db, keys.Master{1})) })
}

func open(t *testing.T, db *database.DB, master keys.Master) *keys.Store {
	t.Helper()
	store, err := keys.New(t.Context(), db, master, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func create(t *testing.T, store *keys.Store) id.Person {
	t.Helper()
	person := id.New[id.Person]()
	if err := store.Create(t.Context(), person); err != nil {
		t.Fatal(err)
	}
	return person
}

func sealAt(t *testing.T, store *keys.Store, at keys.Place, text string) []byte {
	t.Helper()
	sealed, err := store.Seal(t.Context(), at, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, store *keys.Store) {
		at := keys.Place{Study: "s", Person: create(t, store), Field: "note", Version: 1}
		for _, text := range []string{"", "blåbær", string(make([]byte, 100_000))} {
			first, second := sealAt(t, store, at, text), sealAt(t, store, at, text)
			if bytes.Equal(first, second) {
				t.Error("the same text sealed twice is the same bytes")
			}
			got, err := open(t, db, keys.Master{1}).Open(t.Context(), at, first) // after a restart
			if err != nil || string(got) != text {
				t.Errorf("Open = %d bytes, %v; want %d", len(got), err, len(text))
			}
		}
	})
}

// Promise 11: 100 flipped bits, all refused.
func TestFlippedBitsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, store *keys.Store) {
		at := keys.Place{Study: "s", Person: create(t, store), Field: "identity", Version: 7}
		sealed := sealAt(t, store, at, "Ola Eksempel")
		random := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			bit := random.IntN(len(sealed) * 8)
			forged := bytes.Clone(sealed)
			forged[bit/8] ^= 1 << (bit % 8)
			if text, err := store.Open(t.Context(), at, forged); !errors.Is(err, keys.ErrForged) || text != nil {
				t.Errorf("bit %d flipped: %q, %v; want ErrForged", bit, text, err)
			}
		}
		for _, length := range []int{0, 1, 23, 24, len(sealed) - 1} {
			if _, err := store.Open(t.Context(), at, sealed[:length]); !errors.Is(err, keys.ErrForged) {
				t.Errorf("cut to %d bytes: %v, want ErrForged", length, err)
			}
		}
	})
}

// Promise 11: 100 ciphertexts put in each other's place, all refused. Each pair differs in one part of the place.
func TestSwappedCiphertextsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, store *keys.Store) {
		one, two := create(t, store), create(t, store)
		for i := range 50 {
			here := keys.Place{Study: "study", Person: one, Field: "identity", Version: int64(i)}
			there := here
			switch i % 5 {
			case 0:
				there.Study = "other"
			case 1:
				there.Person = two
			case 2:
				there.Field = "note"
			case 3:
				there.Version++
			case 4: // the same letters, parted elsewhere
				here.Field = string(one) + "identity"
				there.Study += id.Study(one)
			}
			sealedHere, sealedThere := sealAt(t, store, here, "a"), sealAt(t, store, there, "b")
			if text, err := store.Open(t.Context(), here, sealedThere); !errors.Is(err, keys.ErrForged) {
				t.Errorf("%+v opened in %+v: %q, %v", there, here, text, err)
			}
			if text, err := store.Open(t.Context(), there, sealedHere); !errors.Is(err, keys.ErrForged) {
				t.Errorf("%+v opened in %+v: %q, %v", here, there, text, err)
			}
		}
	})
}

// Two wrapped keys put in each other's row open nothing either.
func TestSwappedKeysAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, store *keys.Store) {
		one, two := create(t, store), create(t, store)
		err := db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), `update data_key set wrapped = (select wrapped from data_key where person_id = $1)
				where person_id = $2`, one, two)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Seal(t.Context(), keys.Place{Person: two}, nil); !errors.Is(err, keys.ErrForged) {
			t.Errorf("Seal with another's key = %v, want ErrForged", err)
		}
	})
}

func TestWrongMasterIsRefused(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, _ *keys.Store) {
		if _, err := keys.New(t.Context(), db, keys.Master{2}, time.Now); !errors.Is(err, keys.ErrWrongMaster) {
			t.Errorf("New = %v, want ErrWrongMaster", err)
		}
		open(t, db, keys.Master{1})
	})
}

// A new master key may be made for a fresh store only; whatever is in a store was sealed with some key.
func TestFresh(t *testing.T) {
	dbtest.Each(t, database.Keys, func(t *testing.T, db *database.DB) {
		fresh := func(want bool, when string) {
			t.Helper()
			if got, err := keys.Fresh(t.Context(), db); err != nil || got != want {
				t.Errorf("Fresh %s = %v, %v; want %v", when, got, err, want)
			}
		}
		fresh(true, "at first")
		store := open(t, db, keys.Master{1})
		fresh(false, "with a master key's check")
		person := create(t, store)
		err := db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "delete from key_check")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		fresh(false, "with somebody's key")
		if err := store.Destroy(t.Context(), person); err != nil {
			t.Fatal(err)
		}
		fresh(false, "with an erasure")
	})
}

func TestErasedPersonNeverGetsAKeyAgain(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, store *keys.Store) {
		ctx, person, other := t.Context(), create(t, store), create(t, store)
		at := keys.Place{Study: "s", Person: person, Field: "note", Version: 1}
		sealed := sealAt(t, store, at, "text")
		for range 2 {
			if err := store.Destroy(ctx, person); err != nil {
				t.Fatal(err)
			}
		}
		never := id.New[id.Person]() // erased before they had a key
		if err := store.Destroy(ctx, never); err != nil {
			t.Fatal(err)
		}
		for _, p := range []id.Person{person, never} {
			if err := store.Create(ctx, p); !errors.Is(err, keys.ErrErased) {
				t.Errorf("Create = %v, want ErrErased", err)
			}
			if _, err := store.MAC(ctx, p, "link", "x"); !errors.Is(err, keys.ErrErased) {
				t.Errorf("MAC = %v, want ErrErased", err)
			}
		}
		if _, err := store.Open(ctx, at, sealed); !errors.Is(err, keys.ErrErased) {
			t.Errorf("Open = %v, want ErrErased", err)
		}
		if got, err := store.Persons(ctx); err != nil || len(got) != 1 || got[0] != other {
			t.Errorf("Persons = %v, %v; want %v", got, err, other)
		}
	})
}

func TestConcurrentCreatesMakeOneKey(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, store *keys.Store) {
		person := id.New[id.Person]()
		macs := make([]string, 20)
		var wg sync.WaitGroup
		for i := range macs {
			wg.Go(func() {
				if err := store.Create(context.Background(), person); err != nil {
					t.Error(err)
					return
				}
				mac, err := store.MAC(context.Background(), person, "link", "x")
				if err != nil {
					t.Error(err)
				}
				macs[i] = string(mac)
			})
		}
		wg.Wait()
		for _, mac := range macs {
			if mac != macs[0] || len(mac) != 32 {
				t.Fatal("somebody saw another key")
			}
		}
	})
}

// Whichever comes first, after an erasure there is no key.
func TestCreateAgainstDestroy(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, store *keys.Store) {
		for i := range 40 {
			person := id.New[id.Person]()
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					if err := store.Create(context.Background(), person); err != nil && !errors.Is(err, keys.ErrErased) {
						t.Errorf("Create: %v", err)
					}
				})
			}
			wg.Go(func() {
				if err := store.Destroy(context.Background(), person); err != nil {
					t.Errorf("Destroy: %v", err)
				}
			})
			wg.Wait()
			if _, err := store.MAC(t.Context(), person, "link", "x"); !errors.Is(err, keys.ErrErased) {
				t.Fatalf("round %d: an erased person has a key (%v)", i, err)
			}
		}
	})
}

func TestMACAndBlindKeepUsesApart(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, store *keys.Store) {
		one, two := create(t, store), create(t, store)
		seen := map[string]string{}
		for _, person := range []id.Person{one, two} {
			for _, use := range []string{"link", "form"} {
				for _, message := range []string{"x", "y"} {
					mac, err := store.MAC(t.Context(), person, use, message)
					if err != nil {
						t.Fatal(err)
					}
					name := fmt.Sprint(person, use, message)
					if other, ok := seen[string(mac)]; ok {
						t.Errorf("%s has the MAC of %s", name, other)
					}
					seen[string(mac)] = name
				}
			}
		}
		if err := store.Destroy(t.Context(), two); err != nil {
			t.Fatal(err)
		}
		macs, err := store.MACs(t.Context(), "link", []keys.Message{{Person: one, Text: "y"}, {Person: two, Text: "x"}, {Person: one, Text: "x"}})
		if err != nil || len(macs) != 3 || seen[string(macs[0])] != fmt.Sprint(one, "link", "y") || macs[1] != nil || seen[string(macs[2])] != fmt.Sprint(one, "link", "x") {
			t.Errorf("MACs are not those of MAC: %x, %v", macs, err)
		}
		if master := (keys.Master{1}); master.Blind("email", "a") != store.Blind("email", "a") {
			t.Error("the master key's Blind is another")
		}
		blind := store.Blind("email", "a")
		again := open(t, db, keys.Master{1}).Blind("email", "a")
		if again != blind || store.Blind("phone", "a") == blind || store.Blind("email", "b") == blind {
			t.Error("Blind is not one hash per use and value")
		}
	})
}

func TestLoadMaster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "here", "master.key")
	if _, err := keys.LoadMaster(path); !errors.Is(err, keys.ErrNoMaster) {
		t.Errorf("before it was made: %v, want ErrNoMaster", err)
	}
	first, err := keys.MakeMaster(path)
	if err != nil || first == (keys.Master{}) {
		t.Fatalf("make: %v", err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want readable by its owner only", info.Mode(), err)
	}
	if _, err := keys.MakeMaster(path); err == nil {
		t.Error("a key was made in the place of another")
	}
	if again, err := keys.LoadMaster(path); err != nil || again != first {
		t.Errorf("second start: same %v, %v", again == first, err)
	}
	for name, text := range map[string]string{
		"empty": "", "comment": "# nothing else\n", "short": "AAAA\n", "no base64": "Ola Eksempel\n",
		"33 bytes": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := keys.LoadMaster(path); err == nil || errors.Is(err, keys.ErrNoMaster) {
			t.Errorf("%s: %v, %v; want an error and the file as it was", name, m, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%s: the file became %q, %v", name, got, err)
		}
	}
}

// What is the installation's own opens for its use alone, under the same master key alone.
func TestOwnSealsAreOfOneUse(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, store *keys.Store) {
		sealed := store.SealOwn("calendar a", []byte("https://example.org/secret.ics"))
		if text, err := store.OpenOwn("calendar a", sealed); err != nil || string(text) != "https://example.org/secret.ics" {
			t.Errorf("opened %q, %v", text, err)
		}
		if bytes.Contains(sealed, []byte("secret")) {
			t.Errorf("in the clear: %q", sealed)
		}
		changed := bytes.Clone(sealed)
		changed[len(changed)/2] ^= 1
		for name, c := range map[string]struct {
			use    string
			sealed []byte
		}{"another use": {"calendar b", sealed}, "a flipped bit": {"calendar a", changed}, "nothing": {"calendar a", nil}} {
			if _, err := store.OpenOwn(c.use, c.sealed); !errors.Is(err, keys.ErrForged) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestOwnSealsAreOfOneInstallation(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		mine := open(t, dbtest.Open(t, dsn(database.Keys), database.Keys), keys.Master{1})
		yours := open(t, dbtest.Open(t, dbtest.File(t, t.TempDir(), database.Keys), database.Keys), keys.Master{2})
		if _, err := yours.OpenOwn("calendar a", mine.SealOwn("calendar a", nil)); !errors.Is(err, keys.ErrForged) {
			t.Error(err)
		}
	})
}
