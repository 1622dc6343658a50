package recruitment_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"

	"github.com/google/go-cmp/cmp"
)

func TestParseRange(t *testing.T) {
	for _, tc := range []struct{ typed, want string }{
		{"", ""}, {"0", ""}, {" 1 ", "1"}, {"1–3", "1–3"}, {"1-3", "1–3"}, {"1 — 3", "1–3"}, {"2–", "2–"}, {"2-2", "2"}, {"0-4", "0–4"},
		{"1000", "1000"}, {"0–", ""},
		{"1001", "refused"}, {"3–1", "refused"}, {"1–0", "refused"}, {"0-0", "refused"}, {"-1", "refused"}, {"–3", "refused"}, {"en", "refused"},
		{"1–2–3", "refused"}, {"1,5", "refused"}, {"99999", "refused"}, {"1–1001", "refused"}, {"1 2", "refused"},
	} {
		r, ok := recruitment.ParseRange(tc.typed)
		got := r.String()
		if !ok {
			got = "refused"
		}
		if got != tc.want {
			t.Errorf("%q is %q, want %q", tc.typed, got, tc.want)
		}
	}
}

func (f *field) quotas(caseID id.Case, wanted map[recruitment.Kind]recruitment.Range) {
	f.t.Helper()
	if err := f.SetQuotas(f.t.Context(), researcher, f.study, caseID, wanted); err != nil {
		f.t.Fatal(err)
	}
}

func (f *field) kind(p recruitment.Profile) recruitment.Kind {
	f.t.Helper()
	kind, err := f.AddKind(f.t.Context(), researcher, f.study, p)
	if err != nil {
		f.t.Fatal(err)
	}
	return kind
}

// line of business is a study's own attribute; it returns its key.
func (f *field) business() string {
	f.t.Helper()
	if err := f.SetAttributes(f.t.Context(), researcher, f.study, []recruitment.Attribute{{Name: "Bransje", Values: []string{"Energi", "Helse"}}}); err != nil {
		f.t.Fatal(err)
	}
	all, err := f.Attributes(f.t.Context(), f.study)
	if err != nil {
		f.t.Fatal(err)
	}
	return all[0].Key
}

// shown is the quotas in a line: who is in each cell, and the figures.
func (f *field) shown(names map[recruitment.Kind]string) string {
	f.t.Helper()
	cells, err := f.Quotas(f.t.Context(), f.study, f.pilots)
	if err != nil {
		f.t.Fatal(err)
	}
	var parts []string
	for _, c := range cells {
		var codes []string
		for _, p := range c.Persons {
			codes = append(codes, p.Code)
		}
		name := string(c.Kind)
		if names[c.Kind] != "" {
			name = names[c.Kind]
		}
		parts = append(parts, fmt.Sprintf("%s [%s] %d/%d/%d/%d %d missing", name, strings.Join(codes, " "), c.Asked, c.Yes, c.Booked, c.Done, c.Missing()))
	}
	return strings.Join(parts, "; ")
}

func TestOwnKinds(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		business := f.business()
		energy := f.kind(recruitment.Profile{Name: "  Energi  først ", Relation: recruitment.Member, Attributes: map[string]string{business: "Energi"}})
		micro := f.kind(recruitment.Profile{Size: "micro"})
		all, err := f.Profiles(ctx, f.study)
		if err != nil || len(all) != 6 || all[4].Kind != energy || all[4].Name != "Energi først" || !all[4].Own() || all[3].Own() || all[5].Kind != micro {
			t.Fatalf("profiles %+v, %v", all, err)
		}
		for name, tc := range map[string]struct {
			profile recruitment.Profile
			want    string
		}{
			"nothing asked":    {recruitment.Profile{Name: "Alle"}, "relation recruitment.kind_empty"},
			"twice":            {recruitment.Profile{Size: "micro", Attributes: map[string]string{business: ""}}, "relation recruitment.kind_twice"},
			"a built-in again": {recruitment.Profile{Relation: recruitment.Member, Size: "SMB"}, "relation recruitment.kind_twice"},
			"no such values": {recruitment.Profile{Name: strings.Repeat("ø", 41), Audience: "respondent", Relation: "friend", Size: "huge"},
				"name too_long, audience recruitment.choose, relation recruitment.choose, size recruitment.choose"},
			"no such attribute": {recruitment.Profile{Attributes: map[string]string{"nothing": "Energi"}}, "attribute_nothing recruitment.choose"},
			"no such value":     {recruitment.Profile{Attributes: map[string]string{business: "Fisk"}}, "attribute_" + business + " recruitment.choose"},
		} {
			if _, err := f.AddKind(ctx, researcher, f.study, tc.profile); faults(err) != tc.want {
				t.Errorf("%s: %v, want %s", name, err, tc.want)
			}
		}
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{energy: {1, 1}, micro: {0, 1}, recruitment.QuotaAny: {1, 0}})
		add := func(code string, size recruitment.Size, in string) {
			p := f.participant(code)
			p.Size, p.Attributes = size, map[string]string{business: in}
			f.advance(f.add(p), recruitment.Contacted)
		}
		add("A1", recruitment.Micro, "Energi")
		add("A2", recruitment.Small, "Energi")
		add("A3", recruitment.Micro, "")
		add("A4", recruitment.Micro, "Helse")
		names := map[recruitment.Kind]string{energy: "energy", micro: "micro"}
		want := "any [A2 A4] 2/0/0/0 0 missing; energy [A1] 1/0/0/0 0 missing; micro [A3] 1/0/0/0 0 missing"
		if got := f.shown(names); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if err := f.SetAttributes(ctx, researcher, f.study, []recruitment.Attribute{{Name: "Bransje", Values: []string{"Helse"}}}); !errors.Is(err, recruitment.ErrAttributeUsed) {
			t.Errorf("a value that somebody has goes: %v", err)
		}
		if err := f.RemoveKind(ctx, researcher, f.study, micro); err != nil {
			t.Fatal(err)
		}
		if got, want := f.shown(names), "any [A2 A3 A4] 3/0/0/0 0 missing; energy [A1] 1/0/0/0 0 missing"; got != want {
			t.Errorf("after a kind went: %s\nwant %s", got, want)
		}
		for _, kind := range []recruitment.Kind{micro, recruitment.QuotaAny} {
			if err := f.RemoveKind(ctx, researcher, f.study, kind); !errors.Is(err, recruitment.ErrKind) {
				t.Errorf("removing %s = %v, want ErrKind", kind, err)
			}
		}
		if err := f.RemoveKind(ctx, researcher, id.New[id.Study](), energy); !errors.Is(err, recruitment.ErrKind) {
			t.Errorf("through another study = %v, want ErrKind", err)
		}
	})
}

// Somebody removes a kind while another reads the quotas.
func TestACellWithoutItsKindIsNone(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaAny: {1, 1}})
		err := f.db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "insert into quota_cell (study_id, case_id, kind, least, most) values ($1, $2, 'gone', 1, 1)", f.study, f.a)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := f.shown(nil), "any [] 0/0/0/0 1 missing"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestKindsKeepTheirAttributes(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		business := f.business()
		f.kind(recruitment.Profile{Attributes: map[string]string{business: "Energi"}})
		for name, wanted := range map[string][]recruitment.Attribute{"the value goes": {{Name: "Bransje", Values: []string{"Helse"}}}, "the attribute goes": nil} {
			if err := f.SetAttributes(t.Context(), researcher, f.study, wanted); !errors.Is(err, recruitment.ErrAttributeWanted) {
				t.Errorf("%s: %v, want ErrAttributeWanted", name, err)
			}
		}
		if err := f.SetAttributes(t.Context(), researcher, f.study, []recruitment.Attribute{{Name: "Bransje", Values: []string{"Energi"}}}); err != nil {
			t.Errorf("another value goes: %v", err)
		}
	})
}

func TestSetQuotas(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {1, 3}, recruitment.QuotaAny: {2, 0}})
		f.quotas(f.c, map[recruitment.Kind]recruitment.Range{recruitment.QuotaAny: {1, 1}})
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {1, 3}, recruitment.QuotaAny: {}, recruitment.QuotaLarge: {0, 2}})
		cells, err := f.Goals(ctx, f.study)
		got := map[recruitment.Place]string{}
		for _, c := range cells {
			got[recruitment.Place{Case: c.Case, Kind: c.Kind}] = c.Wanted().String()
		}
		want := map[recruitment.Place]string{{Case: f.a, Kind: "sme"}: "1–3", {Case: f.a, Kind: "large"}: "0–2", {Case: f.c, Kind: "any"}: "1"}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("goals %v, -want +got:\n%s", err, diff)
		}
		entries, err := f.log.Newest(ctx, f.study, 10)
		if err != nil || len(entries) != 5 || entries[0].Detail != string(f.a)+" large 0–2" || entries[1].Detail != string(f.a)+" any 0" {
			t.Errorf("entries %+v, %v", entries, err)
		}
		err = f.SetQuotas(ctx, researcher, f.study, f.a, map[recruitment.Kind]recruitment.Range{"sme": {3, 2}, recruitment.QuotaAny: {1, 1}})
		if got := faults(err); got != "sme recruitment.goal" {
			t.Errorf("three at least and two at most: %s", got)
		}
		stranger, err := f.AddKind(ctx, researcher, id.New[id.Study](), recruitment.Profile{Size: "micro"})
		if err != nil {
			t.Fatal(err)
		}
		err = f.SetQuotas(ctx, researcher, f.study, f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaAny: {1, 1}, stranger: {1, 1}})
		if got := faults(err); got != string(stranger)+" recruitment.choose" {
			t.Errorf("another study's kind: %s", got)
		}
		if after, _ := f.Goals(ctx, f.study); len(after) != 3 {
			t.Errorf("a refused form left %d goals, want 3", len(after))
		}
	})
}

// The figures follow every way back: a correction, a no, a withdrawal, an erasure.
func TestFiguresFollowPeople(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {2, 3}})
		var persons []id.Person
		for i, to := range []recruitment.State{recruitment.Interviewed, recruitment.Booked, recruitment.Informed, recruitment.Contacted} {
			p := f.add(f.participant(fmt.Sprint("A", i+1)))
			f.advance(p, recruitment.Interested, to)
			persons = append(persons, p)
		}
		set := func(i int, to recruitment.State) {
			t.Helper()
			if err := f.SetState(ctx, researcher, f.study, persons[i], to, true); err != nil {
				t.Fatal(err)
			}
		}
		see := func(after, want string) {
			t.Helper()
			if got := f.shown(nil); got != want {
				t.Errorf("%s: %s\nwant %s", after, got, want)
			}
		}
		see("at first", "sme [A1 A2 A3] 3/3/2/1 0 missing; outside [A4] 1/1/0/0 0 missing")
		set(1, recruitment.Interested)
		see("back without a date", "sme [A1 A3 A2] 3/3/1/1 0 missing; outside [A4] 1/1/0/0 0 missing")
		set(1, recruitment.Contacted)
		see("never said yes", "sme [A1 A3 A4] 3/3/1/1 0 missing; outside [A2] 1/0/0/0 0 missing")
		set(2, recruitment.Declined)
		see("a no", "sme [A1 A4 A2] 3/2/1/1 0 missing")
		f.advance(persons[0], recruitment.Withdrawn)
		see("a withdrawal", "sme [A4 A2] 2/1/0/0 0 missing")
		f.erase(persons[3])
		see("an erasure", "sme [A2] 1/0/0/0 1 missing")
		set(1, recruitment.Candidate)
		see("not asked after all", "sme [] 0/0/0/0 2 missing")
		waiting, err := f.Waiting(ctx, f.study)
		if diff := cmp.Diff(map[recruitment.Place]int{{Case: f.a, Kind: "sme"}: 1}, waiting); err != nil || diff != "" {
			t.Errorf("waiting %v, -want +got:\n%s", err, diff)
		}
	})
}

func (f *field) room(persons ...id.Person) (full []id.Person) {
	f.t.Helper()
	err := f.db.Tx(f.t.Context(), func(tx *database.Tx) (err error) {
		full, err = f.Room(f.t.Context(), tx, f.study, persons)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return full
}

func TestRoom(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		business := f.business()
		energy := f.kind(recruitment.Profile{Attributes: map[string]string{business: "Energi"}})
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{energy: {1, 1}, recruitment.QuotaSME: {1, 2}, recruitment.QuotaLarge: {0, 1}})
		f.pilots = []id.Case{f.c}
		f.quotas(f.c, map[recruitment.Kind]recruitment.Range{recruitment.QuotaAny: {1, 1}})
		add := func(code string, c id.Case, size recruitment.Size, in string, states ...recruitment.State) id.Person {
			p := f.participant(code)
			p.Case, p.Size, p.Attributes = c, size, map[string]string{business: in}
			person := f.add(p)
			f.advance(person, states...)
			return person
		}
		held := add("A1", f.a, recruitment.Small, "Energi", recruitment.Contacted) // can give way to another SME
		small, small2, small3 := add("A2", f.a, recruitment.Small, ""), add("A3", f.a, recruitment.Micro, ""), add("A4", f.a, recruitment.Medium, "")
		large, large2 := add("A5", f.a, recruitment.Large, ""), add("A6", f.a, recruitment.Large, "")
		pilot, pilot2 := add("X1", f.c, recruitment.Small, "", recruitment.Booked), add("X2", f.c, recruitment.Small, "")
		lost := add("A7", f.a, recruitment.Small, "Helse", recruitment.Declined)
		erased := add("A8", f.a, recruitment.Small, "")
		f.erase(erased)
		everybody := []id.Person{pilot2, erased, large2, small, held, small2, large, small3, pilot, id.New[id.Person](), lost, small}
		if diff := cmp.Diff([]id.Person{large, small3, lost}, f.room(everybody...)); diff != "" {
			t.Errorf("in this order -want +got:\n%s", diff)
		}
		if got, err := f.FullInOrder(t.Context(), f.study, everybody); err != nil || cmp.Diff([]id.Person{large, small3, lost}, got) != "" {
			t.Errorf("at a first look %v are full, %v", got, err)
		}
		if got, err := f.Full(t.Context(), f.study, everybody...); err != nil || slices.Contains(slices.Collect(maps.Values(got)), true) {
			t.Errorf("each alone %v, %v; want room for all", got, err)
		}
		f.advance(small, recruitment.Contacted)
		f.advance(small2, recruitment.Contacted)
		for person, want := range map[id.Person]bool{small3: true, lost: true, large: false, held: false} {
			if got, err := f.Full(t.Context(), f.study, person); got[person] != want || err != nil {
				t.Errorf("Full = %v, %v; want %v", got, err, want)
			}
		}
	})
}

func TestAskingForAFullCell(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {1, 1}})
		f.advance(f.add(f.participant("A1")), recruitment.Contacted)
		person := f.add(f.participant("A2"))
		call := func(outcome recruitment.Outcome, anyway bool) error {
			return f.LogContact(ctx, researcher, f.study, person, recruitment.Contact{Channel: recruitment.Phone, Direction: recruitment.Out, Outcome: outcome, Anyway: anyway})
		}
		set := func(to recruitment.State, anyway bool) error {
			return f.SetState(ctx, researcher, f.study, person, to, anyway)
		}
		for _, step := range []struct {
			name string
			act  func() error
			want error
		}{
			{"ring", func() error { return call(recruitment.NotReached, false) }, recruitment.ErrFull},
			{"set contacted", func() error { return set(recruitment.Contacted, false) }, recruitment.ErrFull},
			{"set ineligible", func() error { return set(recruitment.Ineligible, false) }, nil},
			{"post something to who was given up", func() error { return call(recruitment.LetterSent, false) }, nil},
			{"ask again who was given up", func() error { return call(recruitment.CallBack, false) }, nil}, // ineligible stays so
			{"set candidate", func() error { return set(recruitment.Candidate, false) }, nil},
			{"a no needs no place", func() error { return call(recruitment.SaidNo, false) }, nil},
			{"a yes after all", func() error { return call(recruitment.SaidYes, false) }, recruitment.ErrFull},
			{"a yes anyway", func() error { return call(recruitment.SaidYes, true) }, nil},
			{"further", func() error { return set(recruitment.Informed, false) }, nil},
			{"ring again", func() error { return call(recruitment.NotReached, false) }, nil},
		} {
			if err := step.act(); !errors.Is(err, step.want) {
				t.Errorf("%s: %v, want %v", step.name, err, step.want)
			}
		}
		contacts, err := f.Contacts(ctx, f.study, person)
		if err != nil || len(contacts) != 5 {
			t.Errorf("%d contacts, %v; a refused one is not noted", len(contacts), err)
		}
	})
}

// Of 20 who are asked at once for the last place, one gets it.
func TestTheLastPlaceIsTakenOnce(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := context.Background()
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {1, 2}})
		f.advance(f.add(f.participant("A100")), recruitment.Contacted)
		var persons []id.Person
		for i := range 20 {
			persons = append(persons, f.add(f.participant(fmt.Sprint("A", i+1))))
		}
		var wg sync.WaitGroup
		var passed, full atomic.Int32
		start := make(chan struct{})
		for i, person := range persons {
			wg.Go(func() {
				<-start
				var err error
				switch i % 3 {
				case 0:
					err = f.SetState(ctx, researcher, f.study, person, recruitment.Contacted, false)
				case 1:
					err = f.LogContact(ctx, researcher, f.study, person, recruitment.Contact{Channel: recruitment.Phone, Direction: recruitment.Out, Outcome: recruitment.SaidYes})
				case 2: // as a batch does
					err = f.db.Tx(ctx, func(tx *database.Tx) error {
						refused, err := f.Room(ctx, tx, f.study, []id.Person{person})
						if err == nil && len(refused) > 0 {
							err = recruitment.ErrFull
						}
						if err != nil {
							return err
						}
						return f.Advance(ctx, tx, f.study, person, recruitment.Informed, researcher)
					})
				}
				switch {
				case err == nil:
					passed.Add(1)
				case errors.Is(err, recruitment.ErrFull):
					full.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		if passed.Load() != 1 || full.Load() != 19 {
			t.Errorf("%d passed, %d were told that it is full; want 1 and 19", passed.Load(), full.Load())
		}
		if got := f.shown(nil); !strings.Contains(got, "] 2/") || strings.Contains(got, "outside") {
			t.Errorf("quotas %s", got)
		}
	})
}

// Whoever asks while somebody else has seen the last place and not taken it yet waits, and is told that it is full.
func TestAskingWaitsForWhoAsksAlready(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := context.Background()
		f.quotas(f.a, map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {1, 1}})
		first, second := f.add(f.participant("A1")), f.add(f.participant("A2"))
		told := make(chan error, 1)
		err := f.db.Tx(ctx, func(tx *database.Tx) error {
			full, err := f.Room(ctx, tx, f.study, []id.Person{first})
			if err != nil || len(full) > 0 {
				return fmt.Errorf("%v are full: %w", full, err)
			}
			go func() { told <- f.SetState(ctx, researcher, f.study, second, recruitment.Contacted, false) }()
			time.Sleep(200 * time.Millisecond) // as far as the other comes
			return f.Advance(ctx, tx, f.study, first, recruitment.Informed, researcher)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-told; !errors.Is(err, recruitment.ErrFull) {
			t.Errorf("the second one: %v, want ErrFull", err)
		}
	})
}

// Cases and the erased add up to the whole.
func TestFunnels(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		f.pilots = []id.Case{id.New[id.Case]()}
		add := func(code string, c id.Case, states ...recruitment.State) id.Person {
			p := f.participant(code)
			p.Case = c
			person := f.add(p)
			f.advance(person, states...)
			return person
		}
		add("A1", f.a, recruitment.Interviewed)
		add("A2", f.a, recruitment.Contacted, recruitment.NoAnswer)
		add("A3", f.a)
		add("C1", f.c, recruitment.Booked)
		add("C2", f.c, recruitment.Interested, recruitment.Cancelled)
		f.erase(add("C3", f.c, recruitment.Interviewed))
		add("X1", f.pilots[0], recruitment.Interviewed)
		all, err := f.Funnels(ctx, f.study)
		loss := func(after recruitment.Stage, reason recruitment.State) []recruitment.Loss {
			return []recruitment.Loss{{After: after, Reason: reason, Count: 1}}
		}
		want := map[id.Case]recruitment.Funnel{
			f.a:         {NotAsked: 1, Asked: 2, Yes: 1, Booked: 1, Done: 1, Losses: loss(recruitment.StageAsked, recruitment.NoAnswer)},
			f.c:         {Asked: 2, Yes: 2, Booked: 1, Losses: loss(recruitment.StageYes, recruitment.Cancelled)},
			"":          {Asked: 1, Yes: 1, Booked: 1, Done: 1, Losses: loss(recruitment.StageDone, recruitment.Withdrawn)},
			f.pilots[0]: {Asked: 1, Yes: 1, Booked: 1, Done: 1},
		}
		if diff := cmp.Diff(want, all); err != nil || diff != "" {
			t.Errorf("by case %v, -want +got:\n%s", err, diff)
		}
		whole, err := f.Funnel(ctx, f.study, f.pilots)
		if whole.Asked != 5 || whole.Yes != 4 || whole.Booked != 3 || whole.Done != 2 || whole.NotAsked != 1 || whole.Lost() != 3 || err != nil {
			t.Errorf("in all %+v, %v", whole, err)
		}
	})
}
