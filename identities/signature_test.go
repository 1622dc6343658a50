package identities_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"

	"github.com/google/go-cmp/cmp"
)

const drawing = "M10,20L12,24L15,30L20,33L26,35M40,20L44,60L48,80L60,90"

func TestSignatureCheck(t *testing.T) {
	for _, c := range []struct {
		name      string
		signature identities.Signature
		want      string
	}{
		{"typed", identities.Signature{Typed: " Ola Nordmann "}, ""},
		{"with marks", identities.Signature{Typed: "Áile-Máret O’Brien jr. Åsnes"}, ""},
		{"decomposed", identities.Signature{Typed: "A\u030ase"}, ""},
		{"nothing", identities.Signature{}, "required"},
		{"blank", identities.Signature{Typed: " \t\n"}, "required"},
		{"digits", identities.Signature{Typed: "Ola 2"}, "identities.signature_letters"},
		{"no letters", identities.Signature{Typed: "-.-"}, "identities.signature_letters"},
		{"markup", identities.Signature{Typed: "<b>Ola</b>"}, "identities.signature_letters"},
		{"two lines", identities.Signature{Typed: "Ola\nNordmann"}, "identities.signature_letters"},
		{"long", identities.Signature{Typed: strings.Repeat("å", 100)}, ""},
		{"too long", identities.Signature{Typed: strings.Repeat("å", 101)}, "too_long"},
		{"drawn", identities.Signature{Drawn: drawing}, ""},
		{"a dot", identities.Signature{Drawn: "M1,1L2,2"}, "identities.signature_short"},
		{"outside", identities.Signature{Drawn: strings.Replace(drawing, "M10,20", "M601,20", 1)}, "identities.signature_drawing"},
		{"below", identities.Signature{Drawn: strings.Replace(drawing, "M10,20", "M10,201", 1)}, "identities.signature_drawing"},
		{"four digits", identities.Signature{Drawn: strings.Replace(drawing, "10", "1000", 1)}, "identities.signature_drawing"},
		{"another command", identities.Signature{Drawn: drawing + "C1,1,2,2,3,3"}, "identities.signature_drawing"},
		{"markup in it", identities.Signature{Drawn: drawing + `"/><script>`}, "identities.signature_drawing"},
		{"a line after it", identities.Signature{Drawn: drawing + "\n"}, "identities.signature_drawing"},
		{"too much", identities.Signature{Drawn: strings.Repeat(drawing, 200)}, "identities.signature_drawing"},
	} {
		got := ""
		for _, f := range errs.FieldsOf(c.signature.Check()) {
			got = f.Code
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func (s *safe) sign(person id.Person, act id.Consent, name identities.Signature) {
	s.t.Helper()
	if err := s.Sign(s.t.Context(), researcher, s.study, person, act, name); err != nil {
		s.t.Fatal(err)
	}
}

func (s *safe) names(person id.Person) map[id.Consent]identities.Signature {
	s.t.Helper()
	names, err := s.Signatures(s.t.Context(), researcher, "support", s.study, person)
	if err != nil {
		s.t.Fatal(err)
	}
	return names
}

func TestSignatures(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person, other := t.Context(), s.person(), s.person()
		s.put(person, ola)
		s.put(other, identities.Identity{Name: "Kari"})
		if names := s.names(person); names != nil {
			t.Errorf("nothing was signed, and yet %v", names)
		}
		s.sign(person, "a1", identities.Signature{Typed: " Ola Nordmann"})
		s.sign(person, "a2", identities.Signature{Drawn: drawing, Typed: "aldri vist"})
		s.sign(other, "b1", identities.Signature{Typed: "Kari"})
		want := map[id.Consent]identities.Signature{"a1": {Typed: "Ola Nordmann"}, "a2": {Drawn: drawing}}
		if diff := cmp.Diff(want, s.names(person)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if got, want := s.trail(), "identity.written:enrol identity.written:enrol signature.written:typed signature.written:drawn signature.written:typed signature.opened:support"; got != want {
			t.Errorf("audit: %s, want %s", got, want)
		}
		if err := s.Sign(ctx, researcher, s.study, person, "a3", identities.Signature{}); errs.KindOf(err) != errs.Invalid {
			t.Errorf("no name was sealed: %v", err)
		}
		if err := s.Sign(ctx, researcher, s.study, s.person(), "c1", identities.Signature{Typed: "Ingen"}); !errors.Is(err, identities.ErrUnknown) {
			t.Errorf("somebody unknown signed: %v", err)
		}
		if _, err := s.Signatures(ctx, researcher, "gossip", s.study, person); errs.KindOf(err) != errs.Invalid {
			t.Errorf("opened without a purpose: %v", err)
		}
		for range 2 {
			if err := s.DropSignature(ctx, s.study, person, "a1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.DropSignature(ctx, s.study, person, "b1"); err != nil { // not theirs
			t.Fatal(err)
		}
		if len(s.names(person)) != 1 || len(s.names(other)) != 1 {
			t.Errorf("left %v and %v", s.names(person), s.names(other))
		}
	})
}

// What a crash left is deleted once nobody can be about to keep its act; what is under an act stays.
func TestPruneSignatures(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		person, other := s.person(), s.person()
		s.put(person, ola)
		s.put(other, identities.Identity{Name: "Kari"})
		for _, act := range []id.Consent{"kept", "lost"} {
			s.sign(person, act, identities.Signature{Typed: "Ola"})
		}
		s.sign(other, "theirs", identities.Signature{Typed: "Kari"})
		at := s.signedAt("lost")
		for _, c := range []struct {
			before time.Time
			want   int
		}{{at, 2}, {at.Add(time.Millisecond), 1}} {
			if err := s.PruneSignatures(t.Context(), s.study, person, []id.Consent{"kept"}, c.before); err != nil {
				t.Fatal(err)
			}
			if got := s.names(person); len(got) != c.want || got["kept"].Typed != "Ola" {
				t.Errorf("before %v: %v, want %d", c.before, got, c.want)
			}
		}
		if len(s.names(other)) != 1 {
			t.Error("somebody else's name went too")
		}
	})
}

func (s *safe) signedAt(act id.Consent) time.Time {
	s.t.Helper()
	var at int64
	if err := s.db.QueryRow(s.t.Context(), "select signed_at from signature where act_id = $1", act).Scan(&at); err != nil {
		s.t.Fatal(err)
	}
	return time.UnixMilli(at)
}

// A name is bound to its act, is unreadable without the key, and goes with the person.
func TestSignaturesAreSealedAndErased(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person := t.Context(), s.person()
		s.put(person, ola)
		s.sign(person, "a1", identities.Signature{Typed: "kanarifugl"})
		s.sign(person, "a2", identities.Signature{Typed: "Ola"})
		exchange := func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, `update signature set sealed = (select sealed from signature where act_id = 'a1') where act_id = 'a2'`)
			return err
		}
		if err := s.db.Tx(ctx, exchange); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Signatures(ctx, researcher, "support", s.study, person); !errors.Is(err, keys.ErrForged) {
			t.Errorf("a name under another act opens: %v", err)
		}
		if err := s.Vault.Erase(ctx, person); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := s.db.QueryRow(ctx, "select count(*) from signature").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d are left (%v)", left, err)
		}
	})
}
