package recruitment_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
	"example.org/feltbok/recruitment"
)

// crowd fills a study with people of every kind and returns them as they stand. The attribute is the study's own.
func (f *field) crowd(many int) (everybody []recruitment.Participant, attribute string) {
	f.t.Helper()
	ctx, dice := f.t.Context(), rand.New(rand.NewPCG(1, 2))
	must := func(err error) {
		f.t.Helper()
		if err != nil {
			f.t.Fatal(err)
		}
	}
	must(f.SetAttributes(ctx, researcher, f.study, []recruitment.Attribute{{Name: "Region", Values: []string{"Vest", "Øst"}}}))
	own, err := f.Attributes(ctx, f.study)
	must(err)
	attribute = own[0].Key
	titles := []string{"Daglig leder", "Prosjektleder", "Økonomisjef", "50% stilling", "Rådgiver_HR", "ÅPEN post", ""}
	sources, relations := recruitment.Sources(), recruitment.Relations()
	var led id.Person
	must(f.db.Tx(ctx, func(tx *database.Tx) error {
		for i := range many {
			p := f.participant(fmt.Sprintf("%c%d", 'A'+rune(i%3), i/3+1))
			p.Case = []id.Case{f.a, f.a, f.c}[i%3]
			p.Audience = []string{"company", "administration"}[min(i%50, 1)]
			p.Relation, p.Source = relations[i%7%3], sources[dice.IntN(len(sources))]
			p.Size = []recruitment.Size{"micro", "small", "medium", "large", "large", ""}[dice.IntN(6)]
			p.Title, p.Recruiter = titles[dice.IntN(len(titles))], led
			if i%4 > 0 {
				p.Attributes = map[string]string{attribute: []string{"Vest", "Øst"}[i%2]}
			}
			if err := f.InsertTx(ctx, tx, p); err != nil {
				return err
			}
			if led = ""; i%5 == 0 {
				led = p.ID
			}
			everybody = append(everybody, p)
		}
		return nil
	}))
	for i, p := range everybody[:len(everybody)/4] {
		f.now = f.now.Add(1000)
		c := recruitment.Contact{Channel: recruitment.Phone, Direction: recruitment.Out, Outcome: recruitment.Outcomes()[i%5]}
		if i%3 > 0 {
			c.NextAt = f.now.UnixMilli() + int64(1+dice.IntN(20))
		}
		must(f.LogContact(ctx, researcher, f.study, p.ID, c))
	}
	everybody, err = f.List(ctx, f.study, recruitment.Filter{})
	must(err)
	return everybody, attribute
}

// sorted is the list as it is promised, by the plainest means.
func sorted(everybody []recruitment.Participant, takes func(recruitment.Participant) bool, order recruitment.Order, down bool) (codes []string) {
	list := slices.DeleteFunc(slices.Clone(everybody), func(p recruitment.Participant) bool { return !takes(p) })
	slices.SortFunc(list, func(a, b recruitment.Participant) int {
		one, other := map[recruitment.Order]int64{"last": a.LastAt, "next": a.NextAt}[order], map[recruitment.Order]int64{"last": b.LastAt, "next": b.NextAt}[order]
		up, undated := 1, one == 0 && other == 0 && order != "code"
		if down && !undated {
			up = -1
		}
		switch {
		case one == other:
			return up * natural.Compare(a.Code, b.Code)
		case one == 0:
			return 1
		case other == 0:
			return -1
		case one < other:
			return -up
		}
		return up
	})
	for _, p := range list {
		codes = append(codes, p.Code)
	}
	return codes
}

func (f *field) page(q recruitment.Query) recruitment.Page {
	f.t.Helper()
	p, err := f.Page(f.t.Context(), f.study, q)
	if err != nil {
		f.t.Fatalf("%+v: %v", q, err)
	}
	return p
}

func codesOf(people []recruitment.Participant) (codes []string) {
	for _, p := range people {
		codes = append(codes, p.Code)
	}
	return codes
}

// Every filter in every order, from the first page to the last and back, whether those who meet the rarest condition are read
// or walked along.
func TestPagesOfEveryFilterAndOrder(t *testing.T) {
	t.Cleanup(func() { recruitment.ReadRather(2500) })
	each(t, func(t *testing.T, f *field) {
		everybody, region := f.crowd(260)
		for _, most := range []int64{2500, 15} {
			recruitment.ReadRather(most)
			f.everyPage(everybody, region)
		}
	})
}

// PostgreSQL joins as it sees fit, and the pages must not show it.
func TestPagesWhateverTheJoin(t *testing.T) {
	t.Cleanup(func() { recruitment.ReadRather(2500) })
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		address := dsn(database.Study)
		if !database.IsPostgres(address) {
			t.Skip("SQLite knows one kind of join")
		}
		recruitment.ReadRather(15)
		f := newField(t, dbtest.Open(t, address+"&enable_nestloop=off", database.Study))
		f.everyPage(f.crowd(260))
	})
}

func (f *field) everyPage(everybody []recruitment.Participant, region string) {
	t := f.t
	led := everybody[0]
	has := func(text string) func(recruitment.Participant) bool {
		return func(p recruitment.Participant) bool { return strings.Contains(strings.ToLower(p.Title), text) }
	}
	type participant = recruitment.Participant
	for name, tc := range map[string]struct {
		filter recruitment.Filter
		takes  func(participant) bool
	}{
		"everybody":  {recruitment.Filter{}, func(participant) bool { return true }},
		"case":       {recruitment.Filter{Case: f.c}, func(p participant) bool { return p.Case == f.c }},
		"audience":   {recruitment.Filter{Audience: "administration"}, func(p participant) bool { return p.Audience == "administration" }},
		"relation":   {recruitment.Filter{Relation: recruitment.Board}, func(p participant) bool { return p.Relation == recruitment.Board }},
		"source":     {recruitment.Filter{Source: recruitment.Website}, func(p participant) bool { return p.Source == recruitment.Website }},
		"recruiter":  {recruitment.Filter{Recruiter: strings.ToLower(led.Code)}, func(p participant) bool { return p.Recruiter == led.ID }},
		"size":       {recruitment.Filter{Size: recruitment.Micro}, func(p participant) bool { return p.Size == recruitment.Micro }},
		"SMB":        {recruitment.Filter{Group: "SMB"}, func(p participant) bool { return p.Size.Group() == "SMB" }},
		"STOR":       {recruitment.Filter{Group: "STOR"}, func(p participant) bool { return p.Size.Group() == "STOR" }},
		"state":      {recruitment.Filter{State: recruitment.Declined}, func(p participant) bool { return p.State == recruitment.Declined }},
		"stage":      {recruitment.Filter{Stage: recruitment.StageNotAsked}, func(p participant) bool { return p.Stage() == recruitment.StageNotAsked }},
		"attribute":  {recruitment.Filter{Attributes: map[string]string{region: "Øst"}}, func(p participant) bool { return p.Attributes[region] == "Øst" }},
		"text":       {recruitment.Filter{Text: "LEDER"}, has("leder")},
		"Ø and Å":    {recruitment.Filter{Text: " øKonomi"}, has("økonomi")},
		"Å":          {recruitment.Filter{Text: "åpen  POST"}, has("åpen post")},
		"percent":    {recruitment.Filter{Text: "%"}, has("%")},
		"underscore": {recruitment.Filter{Text: "r_h"}, has("r_h")},
		"code":       {recruitment.Filter{Text: "b1"}, func(p participant) bool { return strings.HasPrefix(p.Code, "B1") }},
		"zero":       {recruitment.Filter{Text: "A0"}, func(participant) bool { return false }},
		"several": {recruitment.Filter{Case: f.a, Group: "SMB", Text: "leder", Attributes: map[string]string{region: "Vest"}}, func(p participant) bool {
			return p.Case == f.a && p.Size.Group() == "SMB" && has("leder")(p) && p.Attributes[region] == "Vest"
		}},
		"many meet both": {recruitment.Filter{Audience: "administration", State: recruitment.Candidate}, func(p participant) bool {
			return p.Audience == "administration" && p.State == recruitment.Candidate
		}},
	} {
		for _, order := range recruitment.Orders() {
			for _, down := range []bool{false, true} {
				want := sorted(everybody, tc.takes, order, down)
				q := recruitment.Query{Filter: tc.filter, Order: order, Down: down}
				page := f.page(q)
				if n := page.Count; !n.Over && n.N != len(want) || n.Over && len(want) <= n.N {
					t.Errorf("%s by %s: counted %+v, want %d", name, order, n, len(want))
				}
				got := codesOf(page.People)
				for q.After = page.Next; q.After != ""; q.After = page.Next {
					page = f.page(q)
					got = append(got, codesOf(page.People)...)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s by %s, down %v:\ngot  %d %.300q\nwant %d %.300q", name, order, down, len(got), got, len(want), want)
				}
				got = codesOf(page.People)
				for q.Before = page.Previous; q.Before != ""; q.Before = page.Previous {
					q.After = ""
					page = f.page(q)
					got = append(codesOf(page.People), got...)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s by %s, down %v, backwards:\ngot  %d %.300q\nwant %d %.300q", name, order, down, len(got), got, len(want), want)
				}
			}
		}
	}
}

// Going on from a page gives what follows it, also where people came in between, and nobody twice.
func TestPagesWhilePeopleComeIn(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		for i := range 120 {
			f.add(f.participant(fmt.Sprint("B", 2*i)))
		}
		first := f.page(recruitment.Query{})
		f.add(f.participant("A1"))  // in front
		f.add(f.participant("B97")) // at the end of the first page
		f.erase(first.People[49].ID)
		f.add(f.participant("B101"))
		second := f.page(recruitment.Query{After: first.Next})
		if got := codesOf(second.People); got[0] != "B100" || got[1] != "B101" || len(got) != 50 {
			t.Errorf("behind %s: %q", first.People[49].Code, got)
		}
		back := f.page(recruitment.Query{Before: second.Previous})
		if got := codesOf(back.People); got[49] != "B97" || got[0] != "B0" || back.Previous == "" || back.Next == "" {
			t.Errorf("in front of B100: %q", got)
		}
		// In front of that is only A1: the first page, and full.
		if got := f.page(recruitment.Query{Before: back.Previous}); got.Previous != "" || len(got.People) != 50 || got.People[0].Code != "A1" {
			t.Errorf("first page: %q", codesOf(got.People))
		}
	})
}

func TestNobodyMeetsWhatIsNone(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		person := f.add(f.participant("A1"))
		for name, filter := range map[string]recruitment.Filter{
			"case": {Case: "B"}, "audience": {Audience: "x"}, "relation": {Relation: "x"}, "source": {Source: "x"}, "recruiter": {Recruiter: "A3"}, "no code": {Recruiter: "A\x00"},
			"size": {Size: "x"}, "group": {Group: "x"}, "state": {State: "x"}, "stage": {Stage: "x"},
			"long text": {Text: strings.Repeat("å", 10_000)}, "NUL": {Text: "a\x00"}, "no UTF-8": {Text: "\xff"}, "a quote": {Text: `' or 1=1 --`},
			"attribute": {Attributes: map[string]string{"' or": "x"}}, "value": {Attributes: map[string]string{string(person): "\x00"}},
		} {
			if got, err := f.Page(t.Context(), f.study, recruitment.Query{Filter: filter}); err != nil || len(got.People) != 0 || got.Count.N != 0 {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			if got, err := f.List(t.Context(), f.study, filter); err != nil || len(got) != 0 {
				t.Errorf("%s: listed %d, %v", name, len(got), err)
			}
		}
		for _, odd := range []recruitment.Query{{Order: "x"}, {After: "x"}, {After: "1.\x00"}, {After: "-1.A1"}, {Before: strings.Repeat("9", 30) + ".A1"},
			{Before: "0." + strings.Repeat("A", 10_000)}, {After: "0.Z9"}, {Order: "last", After: "9223372036854775807.A1"}} {
			if got, err := f.Page(t.Context(), f.study, odd); err != nil || len(got.People) != 1 {
				t.Errorf("%.60s: %d people, %v; want the first page", fmt.Sprint(odd), len(got.People), err)
			}
		}
		other := id.New[id.Study]()
		if got, err := f.Page(t.Context(), other, recruitment.Query{}); err != nil || len(got.People) != 0 {
			t.Errorf("another study has %d, %v", len(got.People), err)
		}
		f.erase(person)
		if got := f.page(recruitment.Query{Filter: recruitment.Filter{Text: "prosjekt"}}); len(got.People) != 0 {
			t.Errorf("who was erased is found: %+v", got.People)
		}
	})
}

func TestCounts(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		everybody, _ := f.crowd(1001)
		if got := f.page(recruitment.Query{}).Count; got != (recruitment.Count{N: 1000, Over: true}) {
			t.Errorf("counted %+v, want over 1000", got)
		}
		f.erase(everybody[0].ID)
		page := f.page(recruitment.Query{})
		waiting := sorted(everybody[1:], func(p recruitment.Participant) bool { return p.State == recruitment.Candidate }, "code", false)
		if page.Count != (recruitment.Count{N: 1000}) || page.Waiting != len(waiting) {
			t.Errorf("counted %+v, %d waiting; want 1000, %d", page.Count, page.Waiting, len(waiting))
		}
	})
}

// Some reads those who are asked for and nobody else: each once, by code.
func TestSome(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		everybody, attribute := f.crowd(12)
		other := f.participant("X1")
		other.Study = id.New[id.Study]()
		f.add(other)
		gone := f.add(f.participant("B9"))
		f.erase(gone)
		last, first := everybody[11], everybody[2]
		asked := []id.Person{last.ID, other.ID, gone, "x\x00", first.ID}
		for range 1000 { // more than one statement asks for
			asked = append(asked, id.New[id.Person]())
		}
		got, err := f.Some(t.Context(), f.study, append(asked, last.ID))
		if err != nil || len(got) != 2 || got[0].Code != first.Code || got[1].Code != last.Code {
			t.Fatalf("got %+v, %v, want %s and %s", got, err, first.Code, last.Code)
		}
		if got[0].Attributes[attribute] != first.Attributes[attribute] || got[1].Attributes[attribute] != last.Attributes[attribute] {
			t.Error("the study's own attributes are missing")
		}
	})
}
