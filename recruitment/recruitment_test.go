package recruitment_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"

	"github.com/google/go-cmp/cmp"
)

const researcher = audit.Actor("account:test")

// field is one study with a clock that the test sets.
type field struct {
	*recruitment.Recruitment
	t     *testing.T
	db    *database.DB
	log   *audit.Log
	study id.Study
	a, c  id.Case
	now   time.Time

	pilots []id.Case
}

func each(t *testing.T, fn func(t *testing.T, f *field)) {
	t.Helper()
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) { fn(t, newField(t, db)) })
}

func newField(t *testing.T, db *database.DB) *field {
	f := &field{t: t, db: db, study: id.New[id.Study](), a: id.New[id.Case](), c: id.New[id.Case](), now: time.UnixMilli(1_000_000)}
	now := func() time.Time { return f.now }
	f.log = audit.New(db, now)
	f.Recruitment = recruitment.New(db, f.log, func(context.Context, database.Querier, id.Study) ([]id.Case, error) { return f.pilots, nil }, now)
	return f
}

func (f *field) participant(code string) recruitment.Participant {
	return recruitment.Participant{
		ID: id.New[id.Person](), Study: f.study, Code: code, Case: f.a, Audience: "company", Relation: recruitment.Member,
		Size: recruitment.Small, Title: "Prosjektleder", Source: recruitment.MemberList,
	}
}

func (f *field) insert(p recruitment.Participant) error {
	return f.db.Tx(f.t.Context(), func(tx *database.Tx) error { return f.InsertTx(f.t.Context(), tx, p) })
}

func (f *field) add(p recruitment.Participant) id.Person {
	f.t.Helper()
	if err := f.insert(p); err != nil {
		f.t.Fatal(err)
	}
	return p.ID
}

func (f *field) advance(person id.Person, states ...recruitment.State) {
	f.t.Helper()
	for _, to := range states {
		if err := f.db.Tx(f.t.Context(), func(tx *database.Tx) error {
			return f.Advance(f.t.Context(), tx, f.study, person, to, researcher)
		}); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *field) state(person id.Person) recruitment.State {
	f.t.Helper()
	p, err := f.Get(f.t.Context(), f.study, person)
	if err != nil {
		f.t.Fatal(err)
	}
	return p.State
}

func (f *field) erase(person id.Person) {
	f.t.Helper()
	if err := f.db.Tx(f.t.Context(), func(tx *database.Tx) error { return f.Erase(f.t.Context(), tx, person) }); err != nil {
		f.t.Fatal(err)
	}
}

func faults(err error) string {
	var all []string
	for _, f := range errs.FieldsOf(err) {
		all = append(all, f.Name+" "+f.Code)
	}
	return strings.Join(all, ", ")
}

func TestSizeOf(t *testing.T) {
	// thesis, table 1
	const table = "-1,,\n0,micro,SMB\n10,micro,SMB\n11,small,SMB\n50,small,SMB\n51,medium,SMB\n100,medium,SMB\n101,large,STOR\n5000,large,STOR\n"
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		employees, _ := strconv.Atoi(row[0])
		size := recruitment.Schemes()[0].SizeOf(employees)
		if string(size) != row[1] || size.Group() != row[2] {
			t.Errorf("SizeOf(%d) = %q, %q; want %q, %q", employees, size, size.Group(), row[1], row[2])
		}
	}
}

func TestInsertIsIdempotentAndCodesAreUnique(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		first := f.participant(" a3 ")
		f.add(first)
		f.add(first)
		got, err := f.ByCode(t.Context(), f.study, "a3")
		first.Code, first.State, first.Reached, first.StateAt, first.CreatedAt, first.Version = "A3", "candidate", "candidate", 1_000_000, 1_000_000, 1
		first.NetworkSize = recruitment.UnknownNetwork
		if diff := cmp.Diff(first, got); err != nil || diff != "" {
			t.Errorf("ByCode: %v, -want +got:\n%s", err, diff)
		}
		second := f.participant("A3")
		if err := f.Check(t.Context(), second); !errors.Is(err, recruitment.ErrCodeTaken) {
			t.Errorf("Check of a taken code = %v", err)
		}
		if err := f.Check(t.Context(), first); err != nil {
			t.Errorf("Check of one's own code = %v", err)
		}
		if err := f.insert(second); !errors.Is(err, recruitment.ErrCodeTaken) {
			t.Errorf("second A3 = %v, want ErrCodeTaken", err)
		}
		second.Study = id.New[id.Study]()
		f.add(second) // another study has its own codes
		if _, err := f.Get(t.Context(), f.study, second.ID); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("another study's person = %v, want ErrUnknown", err)
		}
		if _, err := f.ByCode(t.Context(), f.study, ""); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("no code = %v, want ErrUnknown", err)
		}
	})
}

func TestInsertRefusesBadInput(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		stranger := f.participant("Z1")
		stranger.Study = id.New[id.Study]()
		f.add(stranger)
		for name, tc := range map[string]struct {
			spoil func(p *recruitment.Participant)
			want  string
		}{
			"everything": {func(p *recruitment.Participant) {
				*p = recruitment.Participant{ID: p.ID, Study: p.Study, Size: "huge", Title: strings.Repeat("ø", 81)}
			}, "code required, case recruitment.choose, audience recruitment.choose, relation recruitment.choose, size recruitment.choose, source recruitment.choose, title too_long"},
			"spaces in code":      {func(p *recruitment.Participant) { p.Code = "A 3" }, "code recruitment.code_shape"},
			"long code":           {func(p *recruitment.Participant) { p.Code = "ABCDEFGHIJKLM" }, "code too_long"},
			"respondent":          {func(p *recruitment.Participant) { p.Audience = "respondent" }, "audience recruitment.choose"},
			"own recruiter":       {func(p *recruitment.Participant) { p.Recruiter = p.ID }, "recruiter recruitment.choose"},
			"recruiter unknown":   {func(p *recruitment.Participant) { p.Recruiter = id.New[id.Person]() }, "recruiter recruitment.choose"},
			"recruiter elsewhere": {func(p *recruitment.Participant) { p.Recruiter = stranger.ID }, "recruiter recruitment.choose"},
		} {
			p := f.participant("A1")
			tc.spoil(&p)
			if got := faults(f.insert(p)); got != tc.want {
				t.Errorf("%s: insert: %s; want %s", name, got, tc.want)
			}
			if got := faults(f.Check(t.Context(), p)); got != tc.want {
				t.Errorf("%s: check: %s; want %s", name, got, tc.want)
			}
		}
		booked := f.participant("A1")
		booked.State = recruitment.Booked
		if err := f.insert(booked); err == nil {
			t.Error("somebody began as booked")
		}
	})
}

func TestCodes(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		next := func(want string) {
			t.Helper()
			if got, err := f.NextCode(t.Context(), f.study, f.a, "A"); got != want || err != nil {
				t.Errorf("NextCode = %q, %v; want %q", got, err, want)
			}
		}
		next("A1")
		for _, code := range []string{"A10", "A2", "B1", "PILOT"} {
			f.add(f.participant(code))
		}
		next("A11")
		last := f.add(f.participant("A11"))
		f.erase(last)
		next("A12") // an earlier workbook knows the erased one as A11
		var codes []string
		all, err := f.List(t.Context(), f.study, recruitment.Filter{})
		for _, p := range all {
			codes = append(codes, p.Code)
		}
		if got := strings.Join(codes, " "); got != "A2 A10 B1 PILOT" || err != nil {
			t.Errorf("List = %s, %v", got, err)
		}
	})
}

func TestListFilters(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		large := f.participant("C7")
		large.Case, large.Size, large.Title = f.c, recruitment.Large, "Økonomisjef"
		f.advance(f.add(large), recruitment.Booked)
		f.advance(f.add(f.participant("A1")), recruitment.Declined)
		f.add(f.participant("A2"))
		for name, tc := range map[string]struct {
			filter recruitment.Filter
			want   string
		}{
			"case":     {recruitment.Filter{Case: f.c}, "C7"},
			"group":    {recruitment.Filter{Group: "SMB"}, "A1 A2"},
			"lost":     {recruitment.Filter{Stage: recruitment.StageLost}, "A1"},
			"not yet":  {recruitment.Filter{Stage: recruitment.StageNotAsked}, "A2"},
			"state":    {recruitment.Filter{State: recruitment.Booked}, "C7"},
			"title":    {recruitment.Filter{Text: "øKO"}, "C7"},
			"code":     {recruitment.Filter{Text: "a2"}, "A2"},
			"audience": {recruitment.Filter{Audience: "administration"}, ""},
		} {
			all, err := f.List(t.Context(), f.study, tc.filter)
			var codes []string
			for _, p := range all {
				codes = append(codes, p.Code)
			}
			if got := strings.Join(codes, " "); got != tc.want || err != nil {
				t.Errorf("%s: %q, %v; want %q", name, got, err, tc.want)
			}
		}
	})
}

func TestAdvance(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		for i, tc := range []struct{ way, want string }{
			{"contacted interested informed consented booked interviewed surveyed", "surveyed"},
			{"booked consented informed", "booked"}, // late news changes nothing
			{"consented", "consented"},
			{"surveyed", "candidate"}, // an answer alone is no interview
			{"contacted no_answer contacted", "contacted"},
			{"contacted no_answer booked", "booked"},
			{"interested informed cancelled contacted", "cancelled"},
			{"informed cancelled interested", "interested"},
			{"booked declined consented", "consented"}, // the form a second time, now with yes
			{"no_answer declined", "declined"},
			{"interviewed declined", "interviewed"},
			{"interviewed withdrawn", "withdrawn"},
			{"booked withdrawn booked interviewed cancelled", "withdrawn"},
			{"booked withdrawn consented", "consented"},
			{"ineligible booked", "ineligible"},
		} {
			person := f.add(f.participant(fmt.Sprint("A", i)))
			for _, to := range strings.Fields(tc.way) {
				f.advance(person, recruitment.State(to))
			}
			if got := f.state(person); string(got) != tc.want {
				t.Errorf("%s: %s, want %s", tc.way, got, tc.want)
			}
		}
		f.advance(id.New[id.Person](), recruitment.Surveyed) // a respondent is no participant
		err := f.db.Tx(t.Context(), func(tx *database.Tx) error {
			return f.Advance(t.Context(), tx, f.study, id.New[id.Person](), "happy", researcher)
		})
		if err == nil {
			t.Error("an unknown state was taken")
		}
	})
}

// Who has no appointment any more stands where they stood before it.
func TestUnbook(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		for i, tc := range []struct{ way, want string }{
			{"contacted interested informed consented booked", "consented"},
			{"contacted interested booked", "interested"},
			{"contacted booked", "interested"}, // who agreed on a time has said that much
			{"no_answer booked", "interested"},
			{"informed booked consented", "informed"}, // whoever knows of the yes says so
			{"consented booked interviewed", "interviewed"},
			{"consented booked withdrawn", "withdrawn"},
			{"consented", "consented"},
		} {
			person := f.add(f.participant(fmt.Sprint("A", i)))
			for _, to := range strings.Fields(tc.way) {
				f.advance(person, recruitment.State(to))
			}
			for range 2 {
				if err := f.db.Tx(t.Context(), func(tx *database.Tx) error { return f.Unbook(t.Context(), tx, f.study, person, researcher) }); err != nil {
					t.Fatal(err)
				}
			}
			if got := f.state(person); string(got) != tc.want {
				t.Errorf("%s: %s, want %s", tc.way, got, tc.want)
			}
			f.advance(person, recruitment.Booked)
			if got := f.state(person); tc.want == "consented" && got != recruitment.Booked {
				t.Errorf("%s, booked again: %s", tc.way, got)
			}
		}
		if err := f.db.Tx(t.Context(), func(tx *database.Tx) error {
			return f.Unbook(t.Context(), tx, f.study, id.New[id.Person](), researcher)
		}); err != nil {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestSetStateFollowsItsTable(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		person := f.add(f.participant("A1"))
		set := func(to recruitment.State) error { return f.SetState(ctx, researcher, f.study, person, to, false) }
		for _, to := range []recruitment.State{"contacted", "interested", "cancelled", "contacted", "contacted"} {
			if err := set(to); err != nil {
				t.Errorf("to %s: %v", to, err)
			}
		}
		for _, to := range []recruitment.State{"consented", "booked", "interviewed", "surveyed", "withdrawn", "happy"} {
			if err := set(to); !errors.Is(err, recruitment.ErrTransition) {
				t.Errorf("to %s = %v, want ErrTransition", to, err)
			}
		}
		if err := f.SetState(ctx, researcher, id.New[id.Study](), person, "interested", false); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("through another study = %v, want ErrUnknown", err)
		}
		history, err := f.History(ctx, f.study, person)
		var way []string
		for _, c := range history {
			way = append(way, string(c.Was)+">"+string(c.Now))
		}
		want := "candidate>contacted contacted>interested interested>cancelled cancelled>contacted"
		if got := strings.Join(way, " "); got != want || err != nil {
			t.Errorf("history %s, %v; want %s", got, err, want)
		}
		entries, err := f.log.Newest(ctx, f.study, 10)
		if err != nil || len(entries) != 4 || entries[0].Action != "participant.state_set" || entries[0].Person != person {
			t.Errorf("audit %+v, %v", entries, err)
		}
	})
}

// The transition table must know every state, and lead only to states.
func TestNextListsStates(t *testing.T) {
	for _, s := range recruitment.States() {
		for _, to := range s.Next() {
			if !slices.Contains(recruitment.States(), to) {
				t.Errorf("%s leads to %q", s, to)
			}
		}
	}
}

func TestConcurrentAdvancesKeepOneHistory(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		person := f.add(f.participant("A1"))
		var wg sync.WaitGroup
		for i := range 30 {
			to := recruitment.States()[1+i%6] // contacted to interviewed
			wg.Go(func() {
				err := f.db.Tx(context.Background(), func(tx *database.Tx) error {
					return f.Advance(context.Background(), tx, f.study, person, to, researcher)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		history, err := f.History(t.Context(), f.study, person)
		if err != nil || f.state(person) != recruitment.Interviewed {
			t.Fatalf("%s, %v", f.state(person), err)
		}
		was := recruitment.Candidate
		for _, c := range history {
			if c.Was != was {
				t.Fatalf("history breaks: %+v", history)
			}
			was = c.Now
		}
	})
}

func TestEdit(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		f.add(f.participant("A2"))
		person := f.add(f.participant("A1"))
		d := recruitment.Details{Code: "a5", Case: f.c, Audience: "administration", Relation: recruitment.Board, Title: " Representant  x ", Source: recruitment.Website}
		if err := f.Edit(ctx, researcher, f.study, person, d); err != nil {
			t.Fatal(err)
		}
		p, _ := f.Get(ctx, f.study, person)
		if p.Code != "A5" || p.Case != f.c || p.Relation != recruitment.Board || p.Size != "" || p.Title != "Representant x" {
			t.Errorf("edited to %+v", p)
		}
		taken := d
		taken.Code = "A2"
		if err := f.Edit(ctx, researcher, f.study, person, taken); !errors.Is(err, recruitment.ErrCodeTaken) {
			t.Errorf("taken code = %v", err)
		}
		f.advance(person, recruitment.Interviewed, recruitment.Withdrawn)
		d.Title = "Rådgiver"
		if err := f.Edit(ctx, researcher, f.study, person, d); err != nil {
			t.Errorf("the same code after the interview: %v", err)
		}
		d.Code = "A6"
		if err := f.Edit(ctx, researcher, f.study, person, d); !errors.Is(err, recruitment.ErrCodeFixed) {
			t.Errorf("another code after the interview = %v, want ErrCodeFixed", err)
		}
		if err := f.Edit(ctx, researcher, f.study, id.New[id.Person](), d); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("unknown person = %v", err)
		}
	})
}

func TestContacts(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		person := f.add(f.participant("A1"))
		log := func(outcome recruitment.Outcome, next int64) {
			t.Helper()
			f.now = f.now.Add(time.Second)
			if err := f.LogContact(ctx, researcher, f.study, person, call(outcome, next)); err != nil {
				t.Fatal(err)
			}
		}
		due := func(want int) {
			t.Helper()
			if got, err := f.Due(ctx, f.study, 2_000_000); len(got) != want || err != nil {
				t.Errorf("Due = %v, %v; want %d", got, err, want)
			}
		}
		for _, step := range []struct {
			outcome recruitment.Outcome
			next    int64
			want    recruitment.State
			due     int
		}{
			{recruitment.NotReached, 1_900_000, recruitment.Contacted, 1},
			{recruitment.CallBack, 3_000_000, recruitment.Contacted, 0}, // replaces the try before
			{recruitment.SaidYes, 2_000_000, recruitment.Interested, 1},
			{recruitment.SaidNo, 2_000_000, recruitment.Declined, 0}, // nobody rings who said no
			{recruitment.SaidNo, 2_000_000, recruitment.Declined, 0}, // nor who says it again
			{recruitment.NotReached, 0, recruitment.Declined, 0},
			{recruitment.SaidYes, 0, recruitment.Interested, 0},
			{recruitment.LetterSent, 1_950_000, recruitment.Interested, 1},
		} {
			log(step.outcome, step.next)
			if got := f.state(person); got != step.want {
				t.Errorf("after %s: %s, want %s", step.outcome, got, step.want)
			}
			due(step.due)
		}
		f.advance(person, recruitment.Booked)
		due(0)
		contacts, err := f.Contacts(ctx, f.study, person)
		if err != nil || len(contacts) != 8 || contacts[0].Outcome != recruitment.LetterSent || contacts[0].At != f.now.UnixMilli() || contacts[0].Actor != researcher {
			t.Errorf("contacts %+v, %v", contacts, err)
		}
		err = f.LogContact(ctx, researcher, f.study, person, recruitment.Contact{NextAt: 5})
		if got := faults(err); got != "channel recruitment.choose, direction recruitment.choose, outcome recruitment.choose, next recruitment.past" {
			t.Errorf("bad contact: %s", got)
		}
	})
}

// The study of the thesis, week by week's end: 14 asked, one never answered, one cancelled before a date, 12 done.
func TestFunnelAndQuotasOfTheThesis(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		for _, kind := range recruitment.Kinds() {
			if err := f.SetQuota(ctx, researcher, f.study, f.c, kind, 1); err != nil {
				t.Fatal(err)
			}
		}
		add := func(code string, relation recruitment.Relation, size recruitment.Size, states ...recruitment.State) recruitment.Participant {
			p := f.participant(code)
			p.Case, p.Relation, p.Size = f.c, relation, size
			f.advance(f.add(p), states...)
			return p
		}
		c1 := add("C1", recruitment.Administration, "", "booked")
		add("C4", recruitment.Board, "", "interviewed")
		add("C3", recruitment.Member, recruitment.Small, "interviewed")
		add("C2", recruitment.Member, recruitment.Micro, "interviewed")
		add("C5", recruitment.Member, recruitment.Large, "contacted", "no_answer", "informed", "no_answer")
		add("C6", recruitment.Member, recruitment.Large, "interested", "informed", "cancelled")
		c7 := add("C7", recruitment.Member, recruitment.Large)
		another := add("C8", recruitment.Administration, "")
		a1 := f.add(f.participant("A1")) // a case without quotas
		f.pilots = []id.Case{id.New[id.Case]()}
		x1, x2 := f.participant("X1"), f.participant("X2")
		x1.Case, x2.Case = f.pilots[0], f.pilots[0]
		f.advance(f.add(x1), recruitment.Interviewed)
		f.add(x2)
		if err := f.SetQuota(ctx, researcher, f.study, f.pilots[0], recruitment.QuotaAny, 1); err != nil {
			t.Fatal(err)
		}

		cells, err := f.Quotas(ctx, f.study, f.pilots)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range cells {
			var codes []string
			for _, p := range c.Persons {
				codes = append(codes, p.Code)
			}
			got = append(got, fmt.Sprintf("%s %d/%d/%d/%d of %d: %s, %d missing", c.Kind, c.Asked, c.Yes, c.Booked, c.Done, c.Goal, strings.Join(codes, " "), c.Missing()))
		}
		want := []string{
			"administration 1/1/1/0 of 1: C1, 0 missing",
			"sme 1/1/1/1 of 1: C2, 0 missing",
			"large 0/0/0/0 of 1: , 1 missing",
			"any 1/1/1/1 of 1: C3, 0 missing",
			"outside 1/1/1/1 of 0: C4, 0 missing",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("quotas -want +got:\n%s", diff)
		}
		for person, want := range map[id.Person]bool{c7.ID: false, another.ID: true, a1: false, x2.ID: false, c1.ID: false} {
			if got, err := f.Full(ctx, f.study, person); got[person] != want || err != nil {
				t.Error("Full: want room for a large company, none for a second administration, and no limit without quotas, in a pre-study and for who has a place")
			}
		}

		f.erase(c1.ID)
		funnel, err := f.Funnel(ctx, f.study, f.pilots)
		wantFunnel := recruitment.Funnel{NotAsked: 3, Asked: 6, Yes: 5, Booked: 4, Done: 3, Losses: []recruitment.Loss{
			{After: recruitment.StageAsked, Reason: recruitment.NoAnswer, Count: 1},
			{After: recruitment.StageYes, Reason: recruitment.Cancelled, Count: 1},
			{After: recruitment.StageBooked, Reason: recruitment.Withdrawn, Count: 1},
		}}
		if diff := cmp.Diff(wantFunnel, funnel); err != nil || diff != "" {
			t.Errorf("funnel %v, -want +got:\n%s", err, diff)
		}
	})
}

func TestSetQuota(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		for _, goal := range []int{1, 3, 3, 0, 0, 2} {
			if err := f.SetQuota(ctx, researcher, f.study, f.a, recruitment.QuotaLarge, goal); err != nil {
				t.Fatal(err)
			}
			cells, err := f.Quotas(ctx, f.study, nil)
			if err != nil || (goal > 0) != (len(cells) == 1) || goal > 0 && cells[0].Goal != goal {
				t.Errorf("goal %d: %+v, %v", goal, cells, err)
			}
		}
		err := f.SetQuota(ctx, researcher, f.study, "", recruitment.Outside, -1)
		if got := faults(err); got != "case recruitment.choose, outside recruitment.goal" {
			t.Errorf("bad quota: %s", got)
		}
	})
}

func TestEraseLeavesATombstone(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		p := f.participant("A1")
		person := f.add(p)
		f.advance(person, recruitment.Contacted, recruitment.Interviewed)
		if err := f.LogContact(ctx, researcher, f.study, person, recruitment.Contact{
			Channel: recruitment.Email, Direction: recruitment.In, Outcome: recruitment.OtherOutcome, NextAt: 9_000_000}); err != nil {
			t.Fatal(err)
		}
		if err := f.Postpone(ctx, researcher, f.study, person, 0, 9_500_000); err != nil {
			t.Fatal(err)
		}
		led := f.participant("A2")
		led.Recruiter, led.Source = person, recruitment.Referral
		f.add(led)
		f.erase(person)
		f.erase(person)
		f.add(p)                                                          // a late enrolment must not bring them back
		f.advance(person, recruitment.Consented, recruitment.Interviewed) // nor a late event
		if _, err := f.Get(ctx, f.study, person); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("Get = %v, want ErrUnknown", err)
		}
		var left string
		err := f.db.QueryRow(ctx, `select code || case_id || audience || relation || size || title || source || recruiter_id || ' '
			|| state || ' ' || reached || ' ' || cast(state_at + created_at + contacted_at + next_at + events as text)
			from participant where person_id = $1 and study_id = $2`, person, f.study).Scan(&left)
		if err != nil || left != " withdrawn interviewed 0" {
			t.Errorf("tombstone %q, %v", left, err)
		}
		for _, table := range f.Tables()[1:] {
			var n int
			if err := f.db.QueryRow(ctx, "select count(*) from "+table+" where person_id = $1", person).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %d rows, %v", table, n, err)
			}
		}
		if got, err := f.Get(ctx, f.study, led.ID); err != nil || got.Recruiter != "" || got.Source != recruitment.Referral {
			t.Errorf("who was led here: %+v, %v", got, err)
		}
	})
}

// noPilots is a study without a pre-study.
func noPilots(context.Context, database.Querier, id.Study) ([]id.Case, error) { return nil, nil }
