package identities_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"

	"github.com/google/go-cmp/cmp"
)

func (s *safe) note(person id.Person, text string) id.Note {
	s.t.Helper()
	note, err := s.AddNote(s.t.Context(), researcher, s.study, person, text)
	if err != nil {
		s.t.Fatal(err)
	}
	return note
}

func (s *safe) notes(person id.Person) (texts []string) {
	s.t.Helper()
	_, notes, err := s.OpenNoted(s.t.Context(), researcher, "call", s.study, person)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	return texts
}

func TestNotes(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person, other := t.Context(), s.person(), s.person()
		s.put(person, ola)
		s.put(other, identities.Identity{Name: "Kari"})
		first, second := s.note(person, "Ring etter ti."), s.note(person, "Snakket med Eva i resepsjonen.")
		s.note(other, "Om en annen.")
		if note := s.note(person, " \n\t"); note != "" {
			t.Errorf("a blank note was kept as %q", note)
		}
		who, notes, err := s.OpenNoted(ctx, researcher, "call", s.study, person)
		if err != nil || who.Name != ola.Name || len(notes) != 2 || notes[0].At == 0 {
			t.Errorf("OpenNoted = %v, %+v, %v", who.Name, notes, err)
		}
		for _, n := range notes {
			if want := map[id.Note]string{first: "Ring etter ti.", second: "Snakket med Eva i resepsjonen."}[n.ID]; n.Text != want {
				t.Errorf("note %q, want %q", n.Text, want)
			}
		}
		if got, want := s.trail(), "identity.written:enrol identity.written:enrol note.written: note.written: note.written: identity.opened:call"; got != want {
			t.Errorf("audit: %s, want %s", got, want)
		}
		for range 2 {
			if err := s.DropNote(ctx, s.study, person, first); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.DropNote(ctx, s.study, other, second); err != nil { // not theirs
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Snakket med Eva i resepsjonen."}, s.notes(person)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestNotesAreCleanedAndChecked(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		for name, tc := range map[string]struct{ typed, want string }{
			"control characters": {"a\x00b\x1b[31mc\u0085d", "ab[31mcd"},
			"line breaks":        {" to\r\nlinjer\rtre\n\tmed innrykk ", "to\nlinjer\ntre\n\tmed innrykk"},
			"emoji":              {"Blid 👩🏽‍💻 i dag", "Blid 👩🏽‍💻 i dag"},
			"no UTF-8":           {"bl\xe5", "bl�"},
			"two ways to write":  {"bla\u030a", "blå"},
			"as much as goes":    {strings.Repeat("å\r\n", 1000), strings.TrimSpace(strings.Repeat("å\n", 1000))},
		} {
			person := s.person()
			s.put(person, ola)
			s.note(person, tc.typed)
			if diff := cmp.Diff([]string{tc.want}, s.notes(person)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", name, diff)
			}
		}
		person := s.person()
		s.put(person, ola)
		_, err := s.AddNote(t.Context(), researcher, s.study, person, strings.Repeat("å", 2001))
		if f := errs.FieldsOf(err); len(f) != 1 || f[0].Name != "note" || f[0].Code != "too_long" || identities.CheckNote("note", strings.Repeat("å", 2000)) != nil {
			t.Errorf("2,001 characters: %v", err)
		}
		for name, err := range map[string]error{
			"another study": s.addElsewhere(id.New[id.Study](), person),
			"a stranger":    s.addElsewhere(s.study, s.person()),
		} {
			if !errors.Is(err, identities.ErrUnknown) {
				t.Errorf("%s: %v, want ErrUnknown", name, err)
			}
		}
		if got := s.notes(person); len(got) != 0 {
			t.Errorf("refused notes were kept: %q", got)
		}
	})
}

func (s *safe) addElsewhere(study id.Study, person id.Person) error {
	_, err := s.AddNote(s.t.Context(), researcher, study, person, "x")
	return err
}

// Promise 11: a note opens nowhere but in its own place, and shows nothing without the key.
func TestNotesAreBoundAndSealed(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person, other := t.Context(), s.person(), s.person()
		s.put(person, ola)
		s.put(other, identities.Identity{Name: "Kari"})
		first, second := s.note(person, "Hemmelig en"), s.note(other, "Hemmelig to")
		sealed := func(note id.Note) (bytes []byte) {
			if err := s.db.QueryRow(ctx, "select sealed from note where note_id = $1", note).Scan(&bytes); err != nil {
				t.Fatal(err)
			}
			return bytes
		}
		one, two := sealed(first), sealed(second)
		if strings.Contains(string(one), "Hemmelig") {
			t.Error("the note lies open")
		}
		third := s.note(person, "Hemmelig tre")
		replace := func(bytes []byte) {
			if err := s.db.Tx(ctx, func(tx *database.Tx) error {
				_, err := tx.Exec(ctx, "update note set sealed = $1 where note_id = $2", bytes, third)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		for name, bytes := range map[string][]byte{"another person's": two, "another note of the same person": one, "a flipped bit": flip(sealed(third))} {
			was := sealed(third)
			replace(bytes)
			if _, notes, err := s.OpenNoted(ctx, researcher, "call", s.study, person); !errors.Is(err, keys.ErrForged) {
				t.Errorf("%s: %+v, %v; want ErrForged", name, notes, err)
			}
			replace(was)
		}
		if got := s.notes(person); len(got) != 2 {
			t.Errorf("put back: %q", got)
		}
	})
}

func flip(bytes []byte) []byte {
	bytes[len(bytes)/2] ^= 1
	return bytes
}

// An erasure that passes between sealing and writing is not undone by the write.
func TestNoteAfterErase(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person := t.Context(), s.person()
		s.put(person, ola)
		overtaken := func() time.Time { // asked for the time of the note, once it is sealed
			if err := errors.Join(s.keys.Destroy(ctx, person), s.Erase(ctx, person)); err != nil {
				t.Error(err)
			}
			return time.Now()
		}
		_, err := identities.New(s.db, s.keys, s.log, overtaken).AddNote(ctx, researcher, s.study, person, "Kom for sent.")
		if !errors.Is(err, keys.ErrErased) {
			t.Errorf("AddNote = %v, want ErrErased", err)
		}
		var left int
		if err := s.db.QueryRow(ctx, "select count(*) from note").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d notes, %v", left, err)
		}
	})
}

// An erasure that overtakes a note leaves none, and none is left of one that came before it.
func TestNotesAgainstErase(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		for range 10 {
			person := s.person()
			s.put(person, ola)
			s.note(person, "Kom først.")
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := s.AddNote(context.Background(), researcher, s.study, person, "Kom samtidig.")
				if err != nil && errs.KindOf(err) != errs.NotFound {
					t.Errorf("AddNote: %v", err)
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
			var left int
			if err := s.db.QueryRow(t.Context(), "select count(*) from note where person_id = $1", person).Scan(&left); err != nil || left != 0 {
				t.Fatalf("%d notes after an erasure, %v", left, err)
			}
		}
	})
}
