package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
)

// place is an installation that commands are run on.
type place struct {
	t           *testing.T
	folder, key string
	dsns        []string // flags
}

func newPlace(t *testing.T, dsn func(database.Store) string) *place {
	p := &place{t: t, folder: filepath.Join(t.TempDir(), "data"), key: filepath.Join(t.TempDir(), "master.key")}
	for _, store := range database.Stores {
		if address := dsn(store); database.IsPostgres(address) {
			p.dsns = append(p.dsns, "--"+string(store)+"-dsn", address)
		}
	}
	return p
}

// try runs a command and returns what it wrote.
func (p *place) try(args ...string) (string, error) {
	p.t.Helper()
	var out bytes.Buffer
	err := run(p.t.Context(), append(append(args, "--data", p.folder, "--master-key", p.key), p.dsns...), stdio{&out, &out})
	return out.String(), err
}

func (p *place) must(args ...string) string {
	p.t.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.t.Fatalf("%s: %v", args, err)
	}
	return out
}

// refused runs a command that must fail and say each of the words.
func (p *place) refused(args []string, words ...string) {
	p.t.Helper()
	_, err := p.try(args...)
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			p.t.Errorf("%s: error %v, want one that says %q", args, err, word)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "wrong_master") || strings.Contains(err.Error(), "postgres://")) {
		p.t.Errorf("%s: %v holds a code or a sign-in", args, err)
	}
}

func (p *place) readers() [][]string {
	return [][]string{{"verify"}, {"user"}, {"export", "--out", filepath.Join(p.t.TempDir(), "study.xlsx")}}
}

func eachPlace(t *testing.T, fn func(t *testing.T, p *place)) {
	t.Helper()
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) { fn(t, newPlace(t, dsn)) })
}

func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// What reads beside a server makes nothing where there is no installation.
func TestReadersMakeNoInstallation(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *place) {
		for _, args := range p.readers() {
			p.refused(args, "there is no key store", "--data")
		}
		if !isMissing(p.folder) || !isMissing(p.key) {
			t.Error("a folder or a key was made")
		}
		out := p.must("migrate")
		if !strings.Contains(out, p.key) || !strings.Contains(out, "study store") {
			t.Errorf("the first start does not say where things are: %s", out)
		}
		if out := p.must("migrate"); strings.Contains(out, p.key) {
			t.Errorf("the second start says that it is the first: %s", out)
		}
		p.must("verify")
		p.must("user")
	})
}

// Migrations need the folder's lock, which what reads beside a server cannot have.
func TestReadersDoNotMigrate(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *place) {
		p.must("migrate")
		address := filepath.Join(p.folder, "keys.db")
		if len(p.dsns) > 0 {
			address = p.dsns[1]
		}
		older := func() {
			db := dbtest.Open(t, address, database.Keys)
			err := db.Tx(t.Context(), func(tx *database.Tx) error {
				_, err := tx.Exec(t.Context(), "delete from goose_db_version where version_id > 0")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		older()
		for _, args := range p.readers() {
			p.refused(args, "older than this program", "feltbok migrate")
		}
	})
}

// A lost key must not be replaced in silence: the next start would look like a fresh one.
func TestALostMasterKeyIsNotMadeAnew(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *place) {
		p.must("migrate")
		aside := p.key + ".aside"
		if err := os.Rename(p.key, aside); err != nil {
			t.Fatal(err)
		}
		for _, args := range append(p.readers(), []string{"migrate"}, []string{"serve", "--addr", "127.0.0.1:0"}) {
			p.refused(args, "the master key is missing", p.key, "no new key can take its place")
		}
		if !isMissing(p.key) {
			t.Error("a key was made")
		}
		other := newPlace(t, func(database.Store) string { return "" })
		other.must("migrate")
		text, err := os.ReadFile(other.key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.key, text, 0o600); err != nil {
			t.Fatal(err)
		}
		p.refused([]string{"verify"}, "is not the one", p.key)
		if isMissing(p.key) {
			t.Error("a wrong key was removed, which may be right elsewhere")
		}
		if err := os.Rename(aside, p.key); err != nil {
			t.Fatal(err)
		}
		p.must("verify")
	})
}

// An empty store in the place of a lost one would hide the loss.
func TestALostStoreIsNotMadeAnew(t *testing.T) {
	p := newPlace(t, func(database.Store) string { return "" })
	p.must("migrate")
	for _, store := range []string{"keys.db", "identity.db"} {
		path := filepath.Join(p.folder, store)
		if err := os.Rename(path, path+".aside"); err != nil {
			t.Fatal(err)
		}
		p.refused([]string{"migrate"}, "is missing", path)
		if !isMissing(path) {
			t.Errorf("%s was made", store)
		}
		if err := os.Rename(path+".aside", path); err != nil {
			t.Fatal(err)
		}
	}
	p.must("verify")
}

// A start that was cut short goes on where it was.
func TestAnInterruptedFirstStartGoesOn(t *testing.T) {
	p := newPlace(t, func(database.Store) string { return "" })
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	dbtest.Open(t, filepath.Join(p.folder, "keys.db"), database.Keys)
	if err := os.WriteFile(filepath.Join(p.folder, "identity.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.refused([]string{"verify"}, "no identity store")
	p.must("migrate")
	p.must("verify")
}
