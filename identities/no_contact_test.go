package identities_test

import (
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/id"
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
