package identities_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"

	"github.com/google/go-cmp/cmp"
)

const researcher = audit.Actor("account:test")

type safe struct {
	*identities.Vault
	t     *testing.T
	dsn   func(database.Store) string
	db    *database.DB
	keys  *keys.Store
	log   *audit.Log
	study id.Study
}

func each(t *testing.T, fn func(t *testing.T, s *safe)) {
	t.Helper()
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		s := &safe{t: t, study: id.New[id.Study](), dsn: dsn}
		s.db = dbtest.Open(t, dsn(database.Identity), database.Identity)
		s.log = audit.New(dbtest.Open(t, dsn(database.Study), database.Study), time.Now)
		var err error
		s.keys, err = keys.New(t.Context(), dbtest.Open(t, dsn(database.Keys), database.Keys), keys.Master{1}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		s.Vault = identities.New(s.db, s.keys, s.log, time.Now)
		fn(t, s)
	})
}

func (s *safe) person() id.Person {
	s.t.Helper()
	person := id.New[id.Person]()
	if err := s.keys.Create(s.t.Context(), person); err != nil {
		s.t.Fatal(err)
	}
	return person
}

func (s *safe) put(person id.Person, who identities.Identity) {
	s.t.Helper()
	if err := s.Put(s.t.Context(), researcher, "enrol", s.study, person, who); err != nil {
		s.t.Fatal(err)
	}
}

// trail returns the study's audit entries, oldest first.
func (s *safe) trail() string {
	s.t.Helper()
	entries, err := s.log.Newest(s.t.Context(), s.study, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, e := range slices.Backward(entries) {
		all = append(all, e.Action+":"+e.Detail)
	}
	return strings.Join(all, " ")
}

var ola = identities.Identity{
	Name: "Ola Eksempel", Email: "Ola.Eksempel@example.org", Phone: "22 22 22 01", Organisation: "Blåbær AS",
	Title: "Førstekonsulent", Note: "Ring etter ti.", Language: "nn",
}

func TestPutAndOpen(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person := t.Context(), s.person()
		s.put(person, ola)
		want := ola
		want.Phone = "+4722222201"
		for range 2 {
			got, err := s.Open(ctx, researcher, "call", s.study, person)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("Open: %v, -want +got:\n%s", err, diff)
			}
			want = identities.Identity{Name: "Ola Ny"}
			if err := s.Put(ctx, researcher, "correction", s.study, person, want); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.trail(); got != "identity.written:enrol identity.opened:call identity.written:correction identity.opened:call identity.written:correction" {
			t.Errorf("audit: %s", got)
		}
		if known, err := s.Exists(ctx, person); err != nil || !known {
			t.Errorf("Exists = %v, %v", known, err)
		}
	})
}

func TestVaultRefuses(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person, other := t.Context(), s.person(), id.New[id.Study]()
		s.put(person, ola)
		before := s.trail()
		for _, purpose := range []string{"", "curiosity"} {
			if _, err := s.Open(ctx, researcher, purpose, s.study, person); errs.KindOf(err) != errs.Invalid {
				t.Errorf("purpose %q: Open = %v", purpose, err)
			}
			if err := s.Put(ctx, researcher, purpose, s.study, person, ola); errs.KindOf(err) != errs.Invalid {
				t.Errorf("purpose %q: Put = %v", purpose, err)
			}
		}
		if _, err := s.Open(ctx, researcher, "call", other, person); !errors.Is(err, identities.ErrUnknown) {
			t.Errorf("through another study: Open = %v", err)
		}
		if got := s.trail(); got != before {
			t.Errorf("a refusal left %s", got)
		}
		if err := s.Put(ctx, researcher, "enrol", other, person, ola); !errors.Is(err, identities.ErrUnknown) {
			t.Errorf("into another study: Put = %v", err)
		}
		if err := s.Put(ctx, researcher, "enrol", s.study, id.New[id.Person](), ola); !errors.Is(err, keys.ErrErased) {
			t.Errorf("without a key: Put = %v", err)
		}
		if got, err := s.Open(ctx, researcher, "call", s.study, person); err != nil || got.Name != ola.Name {
			t.Errorf("afterwards: %+v, %v", got, err)
		}
	})
}

// Nothing is opened where the entry cannot be written.
func TestOpeningNeedsTheAuditEntry(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		person := s.person()
		s.put(person, ola)
		study, err := database.Open(t.Context(), s.dsn(database.Study), database.Study)
		if err != nil {
			t.Fatal(err)
		}
		blind := identities.New(s.db, s.keys, audit.New(study, time.Now), time.Now)
		if err := study.Close(); err != nil {
			t.Fatal(err)
		}
		if who, err := blind.Open(t.Context(), researcher, "call", s.study, person); err == nil || who != (identities.Identity{}) {
			t.Errorf("Open = %+v, %v; want nothing and an error", who, err)
		}
		s.note(person, "Et notat")
		if _, notes, err := blind.OpenNoted(t.Context(), researcher, "call", s.study, person); err == nil || notes != nil {
			t.Errorf("OpenNoted = %+v, %v; want nothing and an error", notes, err)
		}
		if note, err := blind.AddNote(t.Context(), researcher, s.study, person, "x"); err == nil || note != "" {
			t.Errorf("AddNote = %q, %v; want an error", note, err)
		}
		if err := blind.Put(t.Context(), researcher, "correction", s.study, person, identities.Identity{Name: "X"}); err == nil {
			t.Error("Put wrote without an entry")
		}
	})
}

func TestCheck(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(i *identities.Identity)
		want  string
	}{
		"as it is":         {func(*identities.Identity) {}, ""},
		"name only":        {func(i *identities.Identity) { *i = identities.Identity{Name: "Ola"} }, ""},
		"no name":          {func(i *identities.Identity) { i.Name = " \t" }, "name required"},
		"long name":        {func(i *identities.Identity) { i.Name = strings.Repeat("ø", 201) }, "name too_long"},
		"header in name":   {func(i *identities.Identity) { i.Name = "Ola\r\nBcc: x@example.org" }, "name identities.characters"},
		"header in e-mail": {func(i *identities.Identity) { i.Email = "a@example.org\r\nBcc: x@example.org" }, "email identities.email"},
		"e-mail with name": {func(i *identities.Identity) { i.Email = "Ola <a@example.org>" }, "email identities.email"},
		"two addresses":    {func(i *identities.Identity) { i.Email = "a@example.org, b@example.org" }, "email identities.email"},
		"half a domain":    {func(i *identities.Identity) { i.Email = "a@example" }, "email identities.email"},
		"letters in phone": {func(i *identities.Identity) { i.Phone = "ring meg" }, "phone identities.phone"},
		"short phone":      {func(i *identities.Identity) { i.Phone = "2222" }, "phone identities.phone"},
		"foreign phone":    {func(i *identities.Identity) { i.Phone = "+46 8 123 456 78" }, ""},
		"language":         {func(i *identities.Identity) { i.Language = "da" }, "language identities.choose"},
		"long note":        {func(i *identities.Identity) { i.Note = strings.Repeat("n", 4001) }, "note too_long"},
		"lines in note":    {func(i *identities.Identity) { i.Note = "en\nto" }, ""},
	} {
		who := ola
		tc.spoil(&who)
		var got []string
		for _, f := range errs.FieldsOf(who.Check()) {
			got = append(got, f.Name+" "+f.Code)
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%s: %v, want %s", name, got, tc.want)
		}
	}
}

func TestOpenAll(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx := t.Context()
		var people []id.Person
		for i := range 4 {
			people = append(people, s.person())
			s.put(people[i], identities.Identity{Name: fmt.Sprint("Ola ", i)})
		}
		if err := s.keys.Destroy(ctx, people[3]); err != nil {
			t.Fatal(err)
		}
		got, err := s.OpenAll(ctx, audit.System, "mail", s.study, append(people, people[0], id.New[id.Person]()))
		if err != nil || len(got) != 3 || got[people[1]].Name != "Ola 1" {
			t.Errorf("OpenAll = %v, %v", slices.Collect(maps.Values(got)), err)
		}
		if n := strings.Count(s.trail(), "identity.opened:mail"); n != 4 {
			t.Errorf("%d entries, want one for each of the 4 who were tried", n)
		}
		if got, err := s.OpenAll(ctx, audit.System, "mail", s.study, nil); err != nil || len(got) != 0 {
			t.Errorf("nobody: %v, %v", got, err)
		}
	})
}

func TestDuplicates(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person := t.Context(), s.person()
		s.put(person, ola)
		find := func(email, phone string, want ...id.Person) {
			t.Helper()
			got, err := s.Duplicates(ctx, s.study, email, phone)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("Duplicates(%q, %q) = %v, %v; want %v", email, phone, got, err, want)
			}
		}
		find(" OLA.eksempel@EXAMPLE.org", "", person)
		find("", "+47 22222201", person)
		find("ola.eksempel@example.org", "0047 22 22 22 01", person)
		find("kari@example.org", "22222202")
		find("", "")
		find("not an address", "nor a number")
		if got, _ := s.Duplicates(ctx, id.New[id.Study](), ola.Email, ola.Phone); len(got) != 0 {
			t.Errorf("another study sees %v", got)
		}
		s.put(person, identities.Identity{Name: "Ola", Email: "ny@example.org"})
		find(ola.Email, ola.Phone) // the old ones are forgotten
		find("ny@example.org", "", person)
	})
}

// The version is part of what is sealed: eight who write at once must neither lose the row nor make it unreadable.
func TestConcurrentPuts(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		person := s.person()
		var wg sync.WaitGroup
		var written atomic.Int64
		for i := range 8 {
			wg.Go(func() {
				who := identities.Identity{Name: fmt.Sprint("Ola ", i), Email: fmt.Sprintf("ola%d@example.org", i)}
				err := s.Put(context.Background(), researcher, "enrol", s.study, person, who)
				switch {
				case err == nil:
					written.Add(1)
				case !errors.Is(err, identities.ErrChanged):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		who, err := s.Open(t.Context(), researcher, "call", s.study, person)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Duplicates(t.Context(), s.study, who.Email, ""); err != nil || len(got) != 1 {
			t.Errorf("the look-up of %s finds %v, %v", who.Email, got, err)
		}
		var lookups, version int64
		if err := s.db.QueryRow(t.Context(), "select count(*), max(version) from identity join identity_lookup using (person_id)").
			Scan(&lookups, &version); err != nil || lookups != 1 || version != written.Load() {
			t.Errorf("%d look-ups, version %d, %v; want 1 and a version for each of %d writes", lookups, version, err, written.Load())
		}
	})
}

func TestErase(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person, other := t.Context(), s.person(), s.person()
		s.put(person, ola)
		s.put(other, identities.Identity{Name: "Kari", Email: "kari@example.org"})
		if err := s.keys.Destroy(ctx, person); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Erase(ctx, person); err != nil {
				t.Fatal(err)
			}
		}
		if known, err := s.Exists(ctx, person); err != nil || known {
			t.Errorf("Exists = %v, %v", known, err)
		}
		if got, err := s.Duplicates(ctx, s.study, ola.Email, ola.Phone); err != nil || len(got) != 0 {
			t.Errorf("Duplicates = %v, %v", got, err)
		}
		if _, err := s.Open(ctx, researcher, "call", s.study, person); !errors.Is(err, identities.ErrUnknown) {
			t.Errorf("Open = %v", err)
		}
		if got, err := s.Persons(ctx); err != nil || !slices.Equal(got, []id.Person{other}) {
			t.Errorf("Persons = %v, %v; want %v", got, err, other)
		}
	})
}

// An erasure that overtakes an enrolment leaves nobody in the vault.
func TestPutAgainstErase(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		for range 15 {
			person := s.person()
			var wg sync.WaitGroup
			wg.Go(func() {
				err := s.Put(context.Background(), researcher, "enrol", s.study, person, ola)
				if err != nil && !errors.Is(err, keys.ErrErased) {
					t.Errorf("Put: %v", err)
				}
			})
			wg.Go(func() {
				for _, step := range []func(context.Context, ...id.Person) error{s.keys.Destroy, s.Erase} {
					for err := step(context.Background(), person); err != nil; err = step(context.Background(), person) {
						if errs.KindOf(err) != errs.Unavailable { // a reader holds the log: again
							t.Errorf("erase: %v", err)
							return
						}
					}
				}
			})
			wg.Wait()
			if known, err := s.Exists(t.Context(), person); err != nil || known {
				t.Fatalf("Exists = %v, %v after an erasure", known, err)
			}
		}
	})
}

// Promise 10 and 11, this store's part: the files hold no name in the clear.
func TestFilesHoldNoName(t *testing.T) {
	folder := t.TempDir()
	dsn := func(store database.Store) string { return filepath.Join(folder, string(store)+".db") }
	store, err := keys.New(t.Context(), dbtest.Open(t, dsn(database.Keys), database.Keys), keys.Master{1}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	log := audit.New(dbtest.Open(t, dsn(database.Study), database.Study), time.Now)
	vault := identities.New(dbtest.Open(t, dsn(database.Identity), database.Identity), store, log, time.Now)
	study, person := id.New[id.Study](), id.New[id.Person]()
	if err := store.Create(t.Context(), person); err != nil {
		t.Fatal(err)
	}
	if err := vault.Put(t.Context(), researcher, "enrol", study, person, ola); err != nil {
		t.Fatal(err)
	}
	// Reading a live file drops SQLite's locks; here nothing writes any more.
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		bytes, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"Eksempel", "eksempel", "22222201", "22 22 22 01", "Blåbær", "Førstekonsulent"} {
			if strings.Contains(string(bytes), secret) {
				t.Errorf("%s holds %q", filepath.Base(file), secret)
			}
		}
	}
}
