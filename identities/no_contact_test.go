package identities_test

import (
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/id"

	"github.com/google/go-cmp/cmp"
)

// Who asked not to be contacted again is recognised however the address is written, after erasure too, and by nothing
// that tells duplicates.
func TestBarred(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, person := t.Context(), s.person()
		s.put(person, identities.Identity{Name: "Navn Oppdiktet", Email: "Navn@example.org", Phone: "22 00 00 01"})
		asks := []identities.Identity{{Email: "NAVN@example.org"}, {Phone: "+47 22000001"}, {Email: "annen@example.org", Phone: "22000002"}, {},
			{Email: "ikke en adresse", Phone: "x"}}
		barred := func(study id.Study) []bool {
			t.Helper()
			got, err := s.Barred(ctx, study, asks...)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := barred(s.study); slices.Contains(got, true) {
			t.Errorf("before anybody asked: %v", got)
		}
		for range 2 {
			if err := s.Bar(ctx, researcher, s.study, person); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Erase(ctx, person); err != nil {
			t.Fatal(err)
		}
		if got, want := barred(s.study), []bool{true, true, false, false, false}; !slices.Equal(got, want) {
			t.Errorf("barred %v, want %v", got, want)
		}
		if got := barred(id.New[id.Study]()); slices.Contains(got, true) {
			t.Errorf("another study: %v", got)
		}
		if err := s.Bar(ctx, researcher, s.study, person); err == nil {
			t.Error("somebody unknown was barred")
		}
		if !strings.Contains(s.trail(), "identity.barred") {
			t.Errorf("the chain does not tell: %s", s.trail())
		}
		again := s.person()
		s.put(again, identities.Identity{Name: "Navn Oppdiktet", Email: "navn@example.org"})
		var shared int
		err := s.db.QueryRow(ctx, "select count(*) from no_contact n join identity_lookup l on l.hash = n.hash").Scan(&shared)
		if err != nil || shared != 0 {
			t.Errorf("%d hashes stand in both tables, %v", shared, err)
		}
	})
}

// Whether somebody can be written to is told without opening them, and follows what is known of their address.
func TestReach(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx := t.Context()
		one, same, mute, moved := s.person(), s.person(), s.person(), s.person()
		s.put(one, identities.Identity{Name: "En Oppdiktet", Email: "en@example.org"})
		s.put(same, identities.Identity{Name: "Samme Oppdiktet", Email: "EN@example.org"})
		s.put(mute, identities.Identity{Name: "Uten Oppdiktet", Phone: "22 00 00 02"})
		s.put(moved, identities.Identity{Name: "Flyttet Oppdiktet", Email: "flyttet@example.org"})
		stranger := id.New[id.Person]()
		wants := func(want map[id.Person]identities.Reach) {
			t.Helper()
			got, err := s.Reach(ctx, s.study, one, same, mute, moved, stranger)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("reach, %v (-want +got):\n%s", err, diff)
			}
		}
		open := identities.Reach{Email: true}
		wants(map[id.Person]identities.Reach{one: open, same: open, mute: {}, moved: open})
		before := s.trail()
		if err := s.Bar(ctx, researcher, s.study, one); err != nil {
			t.Fatal(err)
		}
		if err := s.Bar(ctx, researcher, s.study, mute); err != nil {
			t.Fatal(err)
		}
		barred := identities.Reach{Email: true, Barred: true}
		wants(map[id.Person]identities.Reach{one: barred, same: barred, mute: {Barred: true}, moved: open})
		s.put(moved, identities.Identity{Name: "Flyttet Oppdiktet", Email: "en@example.org"})
		s.put(same, identities.Identity{Name: "Samme Oppdiktet", Email: "annen@example.org"})
		wants(map[id.Person]identities.Reach{one: barred, same: open, mute: {Barred: true}, moved: barred})
		got, err := s.BarredPersons(ctx, s.study)
		want := slices.Sorted(slices.Values([]id.Person{one, mute, moved}))
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("barred %v, %v, want %v", got, err, want)
		}
		if elsewhere, err := s.Reach(ctx, id.New[id.Study](), one); len(elsewhere) != 0 || err != nil {
			t.Errorf("another study: %v, %v", elsewhere, err)
		}
		if strings.Contains(strings.TrimPrefix(s.trail(), before), "identity.opened") {
			t.Error("somebody was opened")
		}
	})
}
