package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/heap"
	"example.org/feltbok/internal/id"

	"filippo.io/age"
)

// mark stands for the keyed hash of an installation.
func mark(hash string) string { return "ours " + hash[:8] }

func newKey(t testing.TB) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// write archives stores as of now.
func write(t testing.TB, w io.Writer, to age.Recipient, m backup.Manifest, stores ...*database.DB) []backup.Content {
	t.Helper()
	var snapshots []*database.Snapshot
	for _, db := range stores {
		snapshot, err := db.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close()
		snapshots = append(snapshots, snapshot)
	}
	contents, err := backup.Write(t.Context(), w, []age.Recipient{to}, m, mark, snapshots...)
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// check reads an archive to its end.
func check(archive []byte, with age.Identity) ([]backup.Content, error) {
	r, err := backup.Open(bytes.NewReader(archive), with)
	if err != nil {
		return nil, err
	}
	return r.Check(mark)
}

// fill puts rows of every type into tables that refer to each other, with what engines and encodings stumble over.
func fill(t testing.TB, db *database.DB) {
	t.Helper()
	texts := []string{"", "æøå 𝄞", "line\nline\ttab", "'\"\\%_", strings.Repeat("x", 70_000)}
	err := db.Tx(t.Context(), func(tx *database.Tx) error {
		for i, text := range texts {
			key := fmt.Sprint(i)
			for _, insert := range []struct {
				into string
				row  []any
			}{
				{"account (id, email, email_key, name, language, password, created_at)", []any{key, text, key, text, "nb", "", int64(i) - 1<<62}},
				{"one_time_link (hash, kind, account_id, expires_at)", []any{key, "invite", key, int64(i)}},
			} {
				if _, err := tx.Insert(t.Context(), insert.into, [][]any{insert.row}, ""); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(t.Context(), "insert into one_time_link (hash, kind, account_id, expires_at) values ('s', 'setup', null, 9223372036854775807)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fillKeys puts bytes into the key store: none at all, and every one.
func fillKeys(t testing.TB, db *database.DB) {
	t.Helper()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	err := db.Tx(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Insert(t.Context(), "data_key (person_id, wrapped, created_at)", [][]any{{"a", []byte{}, int64(1)}, {"b", every, int64(-1)}, {"c", []byte{0}, int64(0)}}, "")
		if err != nil {
			return err
		}
		_, err = tx.Insert(t.Context(), "key_check (one, sealed)", [][]any{{true, every}}, "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What is restored is what was backed up, to the byte, on whichever engine.
func TestRestoredIsWhatWasBackedUp(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, from func(database.Store) string) {
		key := newKey(t)
		study, identity, keys := dbtest.Open(t, from(database.Study), database.Study), dbtest.Open(t, from(database.Identity), database.Identity),
			dbtest.Open(t, from(database.Keys), database.Keys)
		fill(t, study)
		fillKeys(t, keys)
		for kind, stores := range map[backup.Kind][]*database.DB{backup.Data: {study, identity}, backup.Keys: {keys}} {
			var archive bytes.Buffer
			want := write(t, &archive, key.Recipient(), backup.Manifest{Kind: kind, MadeAt: 7}, stores...)
			if rows := rowsOf(want); rows < 4 {
				t.Errorf("%s: only %d rows were backed up", kind, rows)
			}
			t.Run(string(kind), func(t *testing.T) {
				dbtest.Engines(t, func(t *testing.T, to func(database.Store) string) { restored(t, archive.Bytes(), key, kind, to, want) })
			})
		}
	})
}

func restored(t *testing.T, archive []byte, key *age.X25519Identity, kind backup.Kind, to func(database.Store) string, want []backup.Content) {
	r, err := backup.Open(bytes.NewReader(archive), key)
	if err != nil {
		t.Fatal(err)
	}
	if r.Manifest.Kind != kind || r.Manifest.MadeAt != 7 {
		t.Errorf("the archive says that it is %+v", r.Manifest)
	}
	into := map[database.Store]*database.DB{}
	var dbs []*database.DB
	for _, store := range kind.Stores() {
		db, err := database.BeginRestore(t.Context(), to(store), store, r.Manifest.Versions[store])
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		into[store], dbs = db, append(dbs, db)
	}
	loaded, err := r.Load(t.Context(), into, mark)
	if err != nil {
		t.Fatal(err)
	}
	got := write(t, io.Discard, key.Recipient(), backup.Manifest{Kind: kind}, dbs...)
	if !slices.Equal(got, want) || !slices.Equal(loaded, want) {
		t.Errorf("%s: want %v\nloaded %v\nrestored %v", kind, want, loaded, got)
	}
}

func rowsOf(contents []backup.Content) (rows int64) {
	for _, c := range contents {
		rows += c.Rows
	}
	return rows
}

// One changed value is another content; another order of rows is not.
func TestContentIsTheRowsAndNotTheirOrder(t *testing.T) {
	key := newKey(t)
	hash := func(name string, rows ...[]any) string {
		db := dbtest.Open(t, filepath.Join(t.TempDir(), name), database.Keys)
		err := db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Insert(t.Context(), "erased (person_id, erased_at)", rows, "")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range write(t, io.Discard, key.Recipient(), backup.Manifest{Kind: backup.Keys}, db) {
			if c.Table == "erased" {
				return c.Hash
			}
		}
		t.Fatal("no such table")
		return ""
	}
	a, b := []any{"a", int64(1)}, []any{"b", int64(2)}
	if hash("one", a, b) != hash("two", b, a) {
		t.Error("the order of rows changes the content")
	}
	if hash("one", a, b) == hash("two", a, []any{"b", int64(3)}) || hash("one", a, b) == hash("two", a) {
		t.Error("other rows have the same content")
	}
}

// small is an archive to damage.
func small(t *testing.T, key *age.X25519Identity) []byte {
	t.Helper()
	keys := dbtest.Open(t, filepath.Join(t.TempDir(), "keys.db"), database.Keys)
	fillKeys(t, keys)
	var archive bytes.Buffer
	write(t, &archive, key.Recipient(), backup.Manifest{Kind: backup.Keys}, keys)
	if _, err := check(archive.Bytes(), key); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// Promises 11 and 17: an archive that is cut short anywhere, or has one bit flipped anywhere, is refused in words.
func TestDamagedArchivesAreRefused(t *testing.T) {
	key := newKey(t)
	whole := small(t, key)
	refused := func(archive []byte, what string) {
		t.Helper()
		if _, err := check(archive, key); !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrLocked) {
			t.Errorf("%s: %v, want that it is damaged", what, err)
		}
	}
	for cut := range whole {
		refused(whole[:cut], fmt.Sprintf("cut to %d of %d bytes", cut, len(whole)))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		bit := random.IntN(len(whole) * 8)
		flipped := bytes.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		refused(flipped, fmt.Sprintf("bit %d flipped", bit))
	}
	refused(append(bytes.Clone(whole), 0), "a byte behind the end")
	refused(nil, "an empty file")
	refused([]byte("PK\x03\x04 something else"), "another file")
}

// Somebody who has the public key can encrypt, too. What was lost or changed before that is found by counts and hashes, and
// what was made elsewhere by its mark.
func TestForgedArchivesAreRefused(t *testing.T) {
	key := newKey(t)
	plain := unlock(t, small(t, key), key)
	if _, err := check(relock(t, plain, key), key); err != nil {
		t.Fatalf("unchanged: %v", err)
	}
	for cut := range plain {
		if _, err := check(relock(t, plain[:cut], key), key); !errors.Is(err, backup.ErrDamaged) {
			t.Fatalf("cut to %d of %d bytes: %v", cut, len(plain), err)
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		bit := random.IntN(len(plain) * 8)
		forged := bytes.Clone(plain)
		forged[bit/8] ^= 1 << (bit % 8)
		_, err := check(relock(t, forged, key), key)
		if !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrForeign) && !errors.Is(err, backup.ErrNewer) {
			t.Errorf("bit %d flipped: %v", bit, err)
		}
	}
	if _, err := check(relock(t, append(bytes.Clone(plain), 'x'), key), key); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("something behind the end: %v", err)
	}
	r, err := backup.Open(bytes.NewReader(small(t, key)), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(func(hash string) string { return "theirs " + hash[:8] }); !errors.Is(err, backup.ErrForeign) {
		t.Errorf("under another master key: %v, want ErrForeign", err)
	}
}

func TestNobodyElseOpensIt(t *testing.T) {
	key := newKey(t)
	archive := small(t, key)
	if _, err := check(archive, newKey(t)); !errors.Is(err, backup.ErrLocked) {
		t.Errorf("another key: %v, want ErrLocked", err)
	}
	word, err := age.NewScryptIdentity("en helt annen passordfrase")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := check(archive, word); !errors.Is(err, backup.ErrLocked) {
		t.Errorf("a passphrase: %v, want ErrLocked", err)
	}
}

func TestAPassphraseOpensItsOwn(t *testing.T) {
	keys := dbtest.Open(t, filepath.Join(t.TempDir(), "keys.db"), database.Keys)
	to, err := age.NewScryptRecipient("ni bjørner i en furuskog")
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(8)
	var archive bytes.Buffer
	write(t, &archive, to, backup.Manifest{Kind: backup.Keys}, keys)
	for word, want := range map[string]error{"ni bjørner i en furuskog": nil, "ti bjørner i en furuskog": backup.ErrLocked} {
		with, err := age.NewScryptIdentity(word)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := check(archive.Bytes(), with); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", word, err, want)
		}
	}
}

// A store that is written to while it is read gives one state: every pair of rows that was written together, or neither.
func TestASnapshotIsOneState(t *testing.T) {
	dbtest.Each(t, database.Keys, func(t *testing.T, db *database.DB) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			var err error
			for ctx.Err() == nil && err == nil {
				person := id.New[id.Person]()
				err = db.Tx(context.Background(), func(tx *database.Tx) error {
					if _, err := tx.Exec(ctx, "insert into data_key (person_id, wrapped, created_at) values ($1, $2, 0)", person, []byte{1}); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, "insert into erased (person_id, erased_at) values ($1, 0)", person)
					return err
				})
			}
			done <- err
		}()
		key, before := newKey(t), int64(-1)
		for round := 0; round < 20 || before <= 0 && round < 10_000; round++ { // until the other has come to write
			rows := map[string]int64{}
			for _, c := range write(t, io.Discard, key.Recipient(), backup.Manifest{Kind: backup.Keys}, db) {
				rows[c.Table] = c.Rows
			}
			if rows["data_key"] != rows["erased"] || rows["data_key"] < before {
				t.Errorf("round %d: %d keys and %d erasures after %d", round, rows["data_key"], rows["erased"], before)
			}
			before = rows["data_key"]
		}
		stop()
		if err := <-done; err != nil || before == 0 {
			t.Errorf("%v; %d rows were written meanwhile", err, before)
		}
	})
}

// Memory does not grow with what is backed up.
func TestMemoryStaysFlat(t *testing.T) {
	db := dbtest.Open(t, filepath.Join(t.TempDir(), "keys.db"), database.Keys)
	key, more := newKey(t), func(rows int) {
		err := db.Tx(t.Context(), func(tx *database.Tx) error {
			all := make([][]any, rows)
			for i := range all {
				all[i] = []any{id.New[id.Person](), make([]byte, 1000), int64(i)}
			}
			_, err := tx.Insert(t.Context(), "data_key (person_id, wrapped, created_at)", all, "")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	more(20_000) // 20 MB
	before, most, took := heap.Peak(func() { write(t, io.Discard, key.Recipient(), backup.Manifest{Kind: backup.Keys}, db) })
	if grown := int64(most) - int64(before); grown > 8<<20 {
		t.Errorf("backing 20 MB up took %d MiB (%v)", grown>>20, took)
	}
}

func TestArchivesOfKeysRotate(t *testing.T) {
	folder, now := t.TempDir(), time.Date(2019, 5, 9, 3, 0, 0, 0, time.UTC)
	for day := range 12 {
		for _, kind := range []backup.Kind{backup.Data, backup.Keys} {
			touch(t, filepath.Join(folder, backup.Name(kind, now.AddDate(0, 0, -day))))
		}
	}
	for _, other := range []string{"feltbok-20180101T000000Z-keys.age.part", "notes.txt", "feltbok-old-keys.age", "feltbok-20180101T000000Z-keys"} {
		touch(t, filepath.Join(folder, other))
	}
	for name, age := range map[string]time.Duration{"killed": 25 * time.Hour, "under-way": time.Minute} {
		half := filepath.Join(folder, backup.Half+name)
		touch(t, half)
		if err := os.Chtimes(half, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := backup.Rotate(folder, now.Add(-time.Minute)) // today's began a little early
	if err != nil || len(gone) != 5 {
		t.Errorf("deleted %v, %v; want the five of seven days and more", gone, err)
	}
	left, err := backup.Find(backup.Keys, folder)
	if err != nil || len(left) != 7 || filepath.Base(left[0]) != "feltbok-20190509T030000Z-keys.age" || filepath.Base(left[6]) != "feltbok-20190503T030000Z-keys.age" {
		t.Errorf("left %v, %v", left, err)
	}
	if data, err := backup.Find(backup.Data, folder); err != nil || len(data) != 12 {
		t.Errorf("%d archives of data are left, %v: keys alone rotate", len(data), err)
	}
	if gone, err := backup.Prune(folder, 3); err != nil || len(gone) != 9 {
		t.Errorf("pruned %d, %v; want 9", len(gone), err)
	}
	newest, err := backup.Newest(backup.Data, folder)
	if err != nil || filepath.Base(newest) != "feltbok-20190509T030000Z-data.age" {
		t.Errorf("newest %s, %v", newest, err)
	}
	entries, err := os.ReadDir(folder)
	if _, missing := os.Stat(filepath.Join(folder, backup.Half+"under-way")); err != nil || len(entries) != 7+3+4+1 || missing != nil {
		t.Errorf("%d files are left, %v: others' files are nobody's business", len(entries), err)
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsWrittenUnencrypted(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public := newKey(t).Recipient().String()
	for name, c := range map[string]struct {
		keys             []string
		file, passphrase string
		want             int // recipients; 0 is refused
	}{
		"nothing":            {},
		"key":                {keys: []string{public}, want: 1},
		"file":               {file: file("keys", "# two\n"+public+"\n"+public+"\n"), want: 2},
		"key and file":       {keys: []string{public}, file: file("one", public+"\n"), want: 2},
		"empty file":         {file: file("none", "\n")},
		"no key":             {keys: []string{"age1nothing"}},
		"passphrase":         {passphrase: file("word", "en lang nok passordfrase\r\nog mer\n"), want: 1},
		"short passphrase":   {passphrase: file("short", "hemmelig\n")},
		"empty passphrase":   {passphrase: file("empty", "\n")},
		"passphrase and key": {passphrase: file("word2", "en lang nok passordfrase\n"), keys: []string{public}},
		"missing file":       {file: filepath.Join(folder, "nowhere")},
	} {
		got, err := backup.Recipients(c.keys, c.file, c.passphrase)
		if len(got) != c.want && (err == nil || c.want > 0) || (err == nil) != (c.want > 0) {
			t.Errorf("%s: %d recipients, %v; want %d", name, len(got), err, c.want)
		}
	}
}
