package identities_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

func newcomers(n int) (people []identities.Newcomer, persons []id.Person) {
	for i := range n {
		p := identities.Newcomer{Person: id.New[id.Person](), Who: identities.Identity{Name: fmt.Sprintf("Nr %d", i),
			Email: fmt.Sprintf("Nr%d@example.org", i), Phone: fmt.Sprintf("+47 22 00 %02d %02d", i/100, i%100)}}
		people, persons = append(people, p), append(persons, p.Person)
	}
	return people, persons
}

func TestAddWritesManyAndEachOnce(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx := t.Context()
		people, persons := newcomers(700)
		if err := s.Add(ctx, researcher, s.study, people); !errors.Is(err, keys.ErrErased) {
			t.Fatalf("without keys: %v, want ErrErased", err)
		}
		if held, err := s.Held(ctx, s.study, persons); err != nil || len(held) != 0 {
			t.Fatalf("%d held, %v", len(held), err)
		}
		if err := s.keys.Create(ctx, persons...); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Add(ctx, researcher, s.study, people); err != nil {
				t.Fatal(err)
			}
		}
		if held, err := s.Held(ctx, s.study, persons); err != nil || len(held) != 700 {
			t.Errorf("%d held, %v", len(held), err)
		}
		who, err := s.Open(ctx, researcher, "call", s.study, persons[650])
		if err != nil || who.Name != "Nr 650" || who.Phone != "+4722000650" {
			t.Errorf("opened %+v, %v", who, err)
		}
		known, err := s.Known(ctx, s.study, s.Marks(identities.Identity{Email: "NR3@example.org"}), nil,
			s.Marks(identities.Identity{Email: "nr1@example.org", Phone: "22000002"}), s.Marks(identities.Identity{Email: "x@example.org"}))
		want := [][]id.Person{{persons[3]}, nil, slices.Sorted(slices.Values(persons[1:3])), nil}
		if err != nil || !slices.EqualFunc(known, want, slices.Equal) {
			t.Errorf("known %v, %v, want %v", known, err, want)
		}
		if elsewhere, err := s.Known(ctx, id.New[id.Study](), s.Marks(people[3].Who)); err != nil || len(elsewhere[0]) != 0 {
			t.Errorf("in another study %v, %v", elsewhere, err)
		}
	})
}

// Of persons whose keys are destroyed meanwhile nothing stays.
func TestAddKeepsOnlyWhoHasAKey(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		people, persons := newcomers(3)
		if err := s.keys.Create(t.Context(), persons...); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Add(t.Context(), researcher, s.study, people), s.keys.Destroy(t.Context(), persons[:2]...),
			s.Erase(t.Context(), persons[:2]...)); err != nil {
			t.Fatal(err)
		}
		if err := s.keys.Create(t.Context(), persons...); !errors.Is(err, keys.ErrErased) {
			t.Errorf("keys for the erased: %v, want ErrErased", err)
		}
		if all, err := s.Persons(t.Context()); err != nil || !slices.Equal(all, persons[2:]) {
			t.Errorf("left %v, %v, want %v", all, err, persons[2:])
		}
	})
}

func TestADraftIsSealedAndEnds(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, draft := t.Context(), id.New[id.Import]()
		rows := []string{"kanarifugl", "kari@example.org"}
		if err := errors.Join(s.NewDraft(ctx, researcher, s.study, draft), s.DescribeDraft(ctx, s.study, draft, "Liste kanarifugl"),
			s.PutDraft(ctx, s.study, draft, 0, 0, rows)); err != nil {
			t.Fatal(err)
		}
		var about string
		var got []string
		if err := s.OpenDraft(ctx, researcher, s.study, draft, &about); err != nil || about != "Liste kanarifugl" {
			t.Errorf("opened %q, %v", about, err)
		}
		if known, err := s.DraftPart(ctx, s.study, draft, 0, 0, &got); err != nil || !known || !slices.Equal(got, rows) {
			t.Errorf("part %q, %v, %v", got, known, err)
		}
		if known, err := s.DraftPart(ctx, s.study, draft, 0, 1, &got); err != nil || known {
			t.Errorf("a part that is not there: %v, %v", known, err)
		}
		if err := s.OpenDraft(ctx, researcher, id.New[id.Study](), draft, &about); !errors.Is(err, identities.ErrUnknown) {
			t.Errorf("from another study: %v, want ErrUnknown", err)
		}
		if s.holds("kanarifugl") {
			t.Error("the draft lies readable")
		}
		for _, at := range []struct {
			when time.Time
			want int
		}{{time.Now(), 0}, {time.Now().Add(identities.DraftLifetime + time.Minute), 1}} {
			if old, err := s.Drafts(ctx, at.when); err != nil || len(old) != at.want {
				t.Errorf("%d expired at %s, %v", len(old), at.when, err)
			}
		}
		for range 2 {
			for err := s.DropDraft(ctx, draft); err != nil; err = s.DropDraft(ctx, draft) {
				if errs.KindOf(err) != errs.Unavailable {
					t.Fatal(err)
				}
			}
		}
		if err := s.OpenDraft(ctx, researcher, s.study, draft, &about); !errors.Is(err, identities.ErrUnknown) {
			t.Errorf("after its end: %v, want ErrUnknown", err)
		}
		if all, err := s.keys.Persons(ctx); err != nil || len(all) != 0 {
			t.Errorf("keys left %v, %v", all, err)
		}
	})
}

// holds says whether a text lies readable in the vault's rows.
func (s *safe) holds(text string) bool {
	s.t.Helper()
	found := false
	rows, err := s.db.Query(s.t.Context(), "select sealed from draft_part union all select sealed from identity")
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var bytes []byte
		if err := rows.Scan(&bytes); err != nil {
			s.t.Fatal(err)
		}
		found = found || strings.Contains(string(bytes), text)
	}
	return found
}
