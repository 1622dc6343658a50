package recruitment_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// call is what most contacts are.
func call(outcome recruitment.Outcome, next int64) recruitment.Contact {
	return recruitment.Contact{Channel: recruitment.Phone, Direction: recruitment.Out, Outcome: outcome, NextAt: next}
}

func (f *field) ring(person id.Person, c recruitment.Contact) {
	f.t.Helper()
	f.now = f.now.Add(time.Second)
	if err := f.LogContact(f.t.Context(), researcher, f.study, person, c); err != nil {
		f.t.Fatal(err)
	}
}

func (f *field) get(person id.Person) recruitment.Participant {
	f.t.Helper()
	p, err := f.Get(f.t.Context(), f.study, person)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// Every state and every other: what a researcher may set by hand, written out.
func TestEveryTransition(t *testing.T) {
	const early = "candidate contacted interested"
	const lost = "no_answer declined cancelled ineligible"
	may := map[recruitment.State]string{
		recruitment.Candidate:   "contacted interested no_answer declined ineligible",
		recruitment.Contacted:   "candidate interested informed " + lost,
		recruitment.Interested:  "contacted informed " + lost,
		recruitment.Informed:    "interested " + lost,
		recruitment.Consented:   "no_answer cancelled ineligible",
		recruitment.Booked:      "interested consented no_answer cancelled ineligible",
		recruitment.Interviewed: "",
		recruitment.Surveyed:    "",
		recruitment.NoAnswer:    early + " " + lost,
		recruitment.Declined:    early + " " + lost,
		recruitment.Cancelled:   early + " " + lost,
		recruitment.Ineligible:  early + " " + lost,
		recruitment.Withdrawn:   "",
	}
	each(t, func(t *testing.T, f *field) {
		for i, from := range recruitment.States() {
			for k, to := range recruitment.States() {
				p := f.participant(fmt.Sprintf("A%d", i*100+k))
				person := f.add(p)
				if from == recruitment.Surveyed {
					f.advance(person, recruitment.Interviewed)
				}
				f.advance(person, from)
				if got := f.state(person); got != from {
					t.Fatalf("stands at %s, want %s", got, from)
				}
				err := f.SetState(t.Context(), researcher, f.study, person, to, false)
				allowed := from == to || slices.Contains(strings.Fields(may[from]), string(to))
				switch got := f.state(person); {
				case allowed && (err != nil || got != to):
					t.Errorf("%s to %s: at %s, %v; want it done", from, to, got, err)
				case !allowed && (!errors.Is(err, recruitment.ErrTransition) || got != from):
					t.Errorf("%s to %s: at %s, %v; want ErrTransition", from, to, got, err)
				}
			}
		}
	})
}

// Two who log the same person at once: one is told, and nothing of theirs is written.
func TestContactsSeeEachOther(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx, person := t.Context(), f.add(f.participant("A1"))
		var wg sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			c := call(recruitment.NotReached, 0)
			c.Seen = 1
			wg.Go(func() { results[i] = f.LogContact(ctx, researcher, f.study, person, c) })
		}
		wg.Wait()
		logged := 0
		for _, err := range results {
			switch {
			case err == nil:
				logged++
			case !errors.Is(err, recruitment.ErrChanged):
				t.Errorf("told %v, want ErrChanged", err)
			}
		}
		contacts, err := f.Contacts(ctx, f.study, person)
		if logged != 1 || len(contacts) != 1 || err != nil {
			t.Errorf("%d logged, %d stored, %v; want one", logged, len(contacts), err)
		}
		// Also what is no contact counts as something that happened: a consent by the person's own hand.
		seen := f.get(person).Version
		f.advance(person, recruitment.Consented)
		for name, err := range map[string]error{
			"log":      f.LogContact(ctx, researcher, f.study, person, recruitment.Contact{Channel: "phone", Direction: "out", Outcome: "other", Seen: seen}),
			"postpone": f.Postpone(ctx, researcher, f.study, person, seen, f.now.UnixMilli()+1),
		} {
			if !errors.Is(err, recruitment.ErrChanged) {
				t.Errorf("%s on an old page = %v, want ErrChanged", name, err)
			}
		}
		f.ring(person, recruitment.Contact{Channel: "phone", Direction: "out", Outcome: "other", Seen: f.get(person).Version})
	})
}

func TestPostpone(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx, person := t.Context(), f.add(f.participant("A1"))
		now := f.now.UnixMilli()
		postpone := func(next int64) error { return f.Postpone(ctx, researcher, f.study, person, 0, next) }
		lost := f.add(f.participant("A2"))
		f.advance(lost, recruitment.Declined)
		if err := f.Postpone(ctx, researcher, f.study, lost, 0, now+10_000); !errors.Is(err, recruitment.ErrChanged) {
			t.Errorf("a try of somebody who said no = %v, want ErrChanged", err)
		}
		planned := f.add(f.participant("A3")) // a first try is planned as one that is put off
		if err := f.Postpone(ctx, researcher, f.study, planned, 0, now+10_000); err != nil || f.get(planned).NextAt != now+10_000 {
			t.Errorf("a first try: %v", err)
		}
		f.ring(person, call(recruitment.NotReached, now+5_000))
		before := f.get(person)
		for next, want := range map[int64]string{0: "next required", now: "next recruitment.past"} {
			if got := faults(postpone(next)); got != want {
				t.Errorf("to %d: %s, want %s", next, got, want)
			}
		}
		if err := postpone(now + 50_000); err != nil {
			t.Fatal(err)
		}
		want := before
		want.NextAt, want.Version = now+50_000, before.Version+1
		if diff := cmp.Diff(want, f.get(person)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		plans, err := f.Plans(ctx, f.study, person)
		if diff := cmp.Diff([]recruitment.Plan{{At: f.now.UnixMilli(), NextAt: now + 50_000, Actor: researcher}}, plans); diff != "" || err != nil {
			t.Errorf("plans %v, -want +got:\n%s", err, diff)
		}
		if contacts, _ := f.Contacts(ctx, f.study, person); len(contacts) != 1 {
			t.Errorf("%d contacts: putting off is none", len(contacts))
		}
		entries, err := f.log.Newest(ctx, f.study, 1)
		if err != nil || entries[0].Action != "contact.postponed" || entries[0].Person != person {
			t.Errorf("audit %+v, %v", entries, err)
		}
		if err := f.Postpone(ctx, researcher, id.New[id.Study](), person, 0, now+60_000); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("through another study = %v", err)
		}
	})
}

func TestTries(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		var people []recruitment.Participant
		for i, way := range []string{"", "no_answer", "no_answer no_answer no_answer", "no_answer no_answer no_answer call_back",
			"call_back no_answer no_answer no_answer", "no_answer in:interested no_answer no_answer"} {
			p := f.participant(fmt.Sprint("A", i))
			people = append(people, p)
			f.add(p)
			for _, step := range strings.Fields(way) {
				outcome, in := strings.CutPrefix(step, "in:")
				c := call(recruitment.Outcome(outcome), 0)
				if in {
					c.Direction = recruitment.In
				}
				f.ring(p.ID, c)
			}
		}
		persons := make([]id.Person, len(people))
		for i, p := range people {
			persons[i] = p.ID
		}
		got, err := f.Tries(t.Context(), f.study, persons...)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"{0 0 } false", "{1 1 no_answer} false", "{3 3 no_answer} true", "{4 0 call_back} false",
			"{4 3 no_answer} true", "{3 2 no_answer} false"} {
			tries := got[people[i].ID]
			if text := fmt.Sprintf("{%d %d %s} %v", tries.Made, tries.InVain, tries.Last, tries.Enough()); text != want {
				t.Errorf("A%d: %s, want %s", i, text, want)
			}
		}
		if other, err := f.Tries(t.Context(), id.New[id.Study](), persons...); len(other) != 0 || err != nil {
			t.Errorf("another study sees %v, %v", other, err)
		}
	})
}

func TestNextTry(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ now, want string }{
		{"2019-04-10 09:30", "2019-04-11 13:00"}, // Wednesday morning: Thursday afternoon
		{"2019-04-10 12:00", "2019-04-11 09:00"},
		{"2019-04-12 15:00", "2019-04-15 09:00"}, // over the weekend
		{"2019-04-13 10:00", "2019-04-15 13:00"},
		{"2019-04-14 23:59", "2019-04-15 09:00"},
		{"2019-03-29 10:00", "2019-04-01 13:00"}, // over a change of the clocks
		{"2019-12-31 14:00", "2020-01-01 09:00"},
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", tc.now, oslo)
		if err != nil {
			t.Fatal(err)
		}
		if got := recruitment.NextTry(now).Format("2006-01-02 15:04"); got != tc.want {
			t.Errorf("after %s: %s, want %s", tc.now, got, tc.want)
		}
	}
}

// A contact that was a slip leaves no trace but in the audit chain.
func TestUndoContact(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		for i, tc := range []struct {
			name    string
			before  []recruitment.State
			earlier []recruitment.Outcome
			slip    recruitment.Outcome
		}{
			{"first call", nil, nil, recruitment.NotReached},
			{"first call, no thanks", nil, nil, recruitment.SaidNo},
			{"no change of state", nil, []recruitment.Outcome{recruitment.NotReached}, recruitment.NotReached},
			{"a yes", nil, []recruitment.Outcome{recruitment.CallBack}, recruitment.SaidYes},
			{"a no instead of a yes", []recruitment.State{recruitment.Interested, recruitment.Informed}, []recruitment.Outcome{recruitment.LetterSent}, recruitment.SaidNo},
			{"a yes from somebody given up", []recruitment.State{recruitment.Contacted, recruitment.NoAnswer}, nil, recruitment.SaidYes},
			{"a yes from who was asked only by letter", []recruitment.State{recruitment.Informed}, nil, recruitment.SaidYes},
		} {
			person := f.add(f.participant(fmt.Sprint("A", i)))
			f.now = f.now.Add(time.Second)
			f.advance(person, tc.before...)
			for _, outcome := range tc.earlier {
				f.ring(person, call(outcome, 9_000_000_000))
			}
			before, history := f.get(person), f.history(person)
			contacts, _ := f.Contacts(ctx, f.study, person)
			c := call(tc.slip, 8_000_000_000)
			c.Note = id.New[id.Note]()
			f.ring(person, c)
			logged := f.get(person).Version

			got, ok, err := f.Slip(ctx, researcher, f.study, person)
			if err != nil || !ok || got.Outcome != tc.slip {
				t.Fatalf("%s: Slip = %+v, %v, %v", tc.name, got, ok, err)
			}
			note, err := f.UndoContact(ctx, researcher, f.study, person, got.Seq)
			if err != nil || note != c.Note {
				t.Errorf("%s: note %q, %v; want %q", tc.name, note, err, c.Note)
			}
			if diff := cmp.Diff(before, f.get(person), cmpopts.IgnoreFields(recruitment.Participant{}, "Version")); diff != "" {
				t.Errorf("%s: -before +after:\n%s", tc.name, diff)
			}
			if f.get(person).Version <= logged {
				t.Errorf("%s: version went from %d to %d: a page from between passes for new", tc.name, logged, f.get(person).Version)
			}
			if diff := cmp.Diff(history, f.history(person)); diff != "" {
				t.Errorf("%s: history -before +after:\n%s", tc.name, diff)
			}
			if now, _ := f.Contacts(ctx, f.study, person); !cmp.Equal(contacts, now) {
				t.Errorf("%s: contacts %+v, want %+v", tc.name, now, contacts)
			}
			if _, ok, _ := f.Slip(ctx, researcher, f.study, person); ok {
				t.Errorf("%s: the contact before can be taken back too", tc.name)
			}
			entries, err := f.log.Newest(ctx, f.study, 1)
			if err != nil || entries[0].Action != "contact.undone" || entries[0].Detail != string(tc.slip) {
				t.Errorf("%s: audit %+v, %v", tc.name, entries, err)
			}
			f.ring(person, call(recruitment.CallBack, 0)) // its numbers are free
		}
	})
}

func (f *field) history(person id.Person) []recruitment.Change {
	f.t.Helper()
	history, err := f.History(f.t.Context(), f.study, person)
	if err != nil {
		f.t.Fatal(err)
	}
	return history
}

func TestUndoContactRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		other := audit.Actor("account:other")
		for i, tc := range []struct {
			name  string
			actor audit.Actor
			since func(person id.Person)
		}{
			{"too late", researcher, func(id.Person) { f.now = f.now.Add(10*time.Minute + time.Millisecond) }},
			{"somebody else's", other, func(id.Person) {}},
			{"another contact since", researcher, func(p id.Person) { f.ring(p, call(recruitment.NotReached, 0)) }},
			{"a change since", researcher, func(p id.Person) { f.advance(p, recruitment.Informed) }},
			{"another plan since", researcher, func(p id.Person) { _ = f.Postpone(ctx, other, f.study, p, 0, 9_000_000_000) }},
			{"erased since", researcher, func(p id.Person) { f.erase(p) }},
		} {
			person := f.add(f.participant(fmt.Sprint("A", i)))
			f.ring(person, call(recruitment.SaidYes, 8_000_000_000))
			c, ok, err := f.Slip(ctx, researcher, f.study, person)
			if err != nil || !ok {
				t.Fatalf("%s: Slip = %v, %v", tc.name, ok, err)
			}
			tc.since(person)
			_, err = f.UndoContact(ctx, tc.actor, f.study, person, c.Seq)
			if want := recruitment.ErrTooLate; !errors.Is(err, want) && !errors.Is(err, recruitment.ErrUnknown) {
				t.Errorf("%s: %v, want %v", tc.name, err, want)
			}
			if again, ok, err := f.Slip(ctx, tc.actor, f.study, person); err != nil || ok && again.Seq == c.Seq {
				t.Errorf("%s: still offered: %v, %v", tc.name, ok, err)
			}
		}
		person := f.add(f.participant("A99"))
		f.ring(person, call(recruitment.NotReached, 0))
		if _, err := f.UndoContact(ctx, researcher, f.study, person, 7); !errors.Is(err, recruitment.ErrTooLate) {
			t.Errorf("a contact that is not the latest: %v", err)
		}
	})
}
