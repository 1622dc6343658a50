package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/heap"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/recruitment"
)

// memberList is a list of n invented people, one a row, with a mark in each cell.
func memberList(n int, mark string) string {
	var list strings.Builder
	list.WriteString("Navn;E-post;Telefon;Bedrift;Stilling;Ansatte\n")
	for i := range n {
		fmt.Fprintf(&list, "%s Nr %d;%s%d@example.org;+4722%06d;%s firma;%s tittel;%d\n", mark, i, mark, i, 100_000+i, mark, mark, i%200)
	}
	return list.String()
}

// upload hands a list in and says what stands where, as the page guesses it.
func (c *crowd) upload(list string, survey id.Survey) imports.Import {
	c.t.Helper()
	ctx := c.t.Context()
	draft, err := c.people.Upload(ctx, audit.Staff(c.owner), c.study.ID, survey, "liste.csv", strings.NewReader(list), int64(len(list)))
	c.must(err)
	in, err := c.Imports.Get(ctx, c.study.ID, draft)
	c.must(err)
	described, err := c.people.List(ctx, audit.Staff(c.owner), in)
	c.must(err)
	frame, err := c.people.Frame(ctx, c.study.ID, survey)
	c.must(err)
	m := frame.Guess(described.Sheets[0].First)
	m.All[imports.Language] = "nb"
	if survey == "" {
		m.All[imports.Relation], m.All[imports.Audience] = "member", "company"
	}
	c.must(frame.Check(m, described.Sheets[0].Columns))
	c.must(c.Imports.SetMapping(ctx, in, m, described.Sheets[0].Behind(m.Header)))
	in, err = c.Imports.Get(ctx, c.study.ID, draft)
	c.must(err)
	return in
}

// begin notes that a list is being taken in, and leaves it there.
func (c *crowd) begin(in imports.Import) (intent id.Intent) {
	c.t.Helper()
	c.must(c.stores[database.Study].Tx(c.t.Context(), func(tx *database.Tx) (err error) {
		if err = c.Imports.StartTx(c.t.Context(), tx, audit.Staff(c.owner), in); err == nil {
			intent, err = c.Intents.Begin(c.t.Context(), tx, c.study.ID, id.Person(in.ID), takeIn, taking{audit.Staff(c.owner)})
		}
		return err
	}))
	return intent
}

// takeIn takes a list in and waits for its end.
func (c *crowd) takeIn(in imports.Import) imports.Import {
	c.t.Helper()
	c.must(c.people.TakeIn(c.t.Context(), audit.Staff(c.owner), c.study.ID, in.ID))
	c.people.works.Wait()
	in, err := c.Imports.Get(c.t.Context(), c.study.ID, in.ID)
	c.must(err)
	return in
}

// whole says what the stores disagree about after an import.
func (c *crowd) whole() error {
	var out strings.Builder
	err := c.verify(c.t.Context(), stdio{&out, &out})
	if open, _ := c.Intents.Count(c.t.Context()); err == nil && open > 0 {
		err = errors.New("acts are open")
	}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out.String())
	}
	return err
}

func TestImportOfCandidates(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 1, noMark)
		ctx := t.Context()
		refuser := c.persons[1]
		s.must(s.Vault.Bar(ctx, audit.Staff(c.owner), c.study.ID, refuser))
		s.must(s.people.Withdraw(ctx, audit.Staff(c.owner), c.study.ID, refuser))
		list := "Medlemsliste 2019\n\nNavn;E-post;Telefon;Ansatte\n" +
			"Ny Oppdiktet;ny@example.org;22 00 01 01;12\n" + // row 4
			"Kjent Oppdiktet;PA@example.org;;\n" + // 5: the first informant's address
			"I Utvalget;pc@example.org;;\n" + // 6: the respondent's
			"Sa Nei;pb@example.org;;\n" + // 7: asked not to be contacted again
			"Samme Igjen;;+47 22000101;\n" + // 8: the number of row 4
			";uten@example.org;;\n" + // 9
			"To Adresser;a@example.org, b@example.org;;\n" + // 10
			"=HYPERLINK(\"x\");f@example.org;;mange\n" + // 11
			strings.Repeat("x", 40_000) + ";lang@example.org;;\n" + // 12
			"Tegn Oppdiktet;t\x07@example.org;;\n" + // 13
			"Bare Navn;;;\n" // 14
		in := c.upload(list, "")
		var lines []string
		review, err := s.people.Review(ctx, in, func(l imports.Line) error {
			faults := ""
			for _, f := range l.Faults {
				faults += " " + f.Name + ":" + f.Code
			}
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%d %s %s%d%s", l.Row, l.Outcome, l.Code, l.Other, faults)))
			return nil
		})
		want := []string{"4 new 0", "5 duplicate A10", "6 sampled 0", "7 left_out 0", "8 same_list 4", "9 refused 0 name:required",
			"10 refused 0 email:import.several_emails", "11 refused 0 name:import.formula employees:import.employees", "12 refused 0 name:too_long",
			"13 refused 0 email:import.characters", "14 new 0"}
		if err != nil || !slices.Equal(lines, want) {
			t.Errorf("report %q, %v,\nwant %q", lines, err, want)
		}
		counts := imports.Counts{Rows: 11, Taken: 2, Duplicates: 3, Barred: 1, Refused: 5}
		if review.Counts != counts || len(review.First) != 2 || review.First[0].Name != "Ny Oppdiktet" {
			t.Errorf("review %+v, want %+v", review, counts)
		}
		// Before the button is pressed a colleague takes one of them in by hand.
		_, err = s.people.Enrol(ctx, audit.Staff(c.owner), identities.Identity{Name: "Ny Oppdiktet", Email: "ny@example.org"}, recruitment.Participant{
			Study: c.study.ID, Code: "A7", Case: c.study.Cases[0].ID, Audience: "company", Relation: recruitment.Member, Source: recruitment.Website})
		s.must(err)
		// Row 8 is then nobody's duplicate: row 4 had the number, and who was taken in by hand has not.
		counts = imports.Counts{Rows: 11, Taken: 2, Duplicates: 3, Barred: 1, Refused: 5}
		if in = c.takeIn(in); in.State != imports.Done || in.Counts != counts {
			t.Fatalf("ended %+v, want %+v", in, counts)
		}
		got, err := s.Recruitment.List(ctx, c.study.ID, recruitment.Filter{})
		var codes []string
		for _, p := range got {
			codes = append(codes, p.Code)
		}
		if err != nil || !slices.Equal(codes, []string{"A1", "A7", "A8", "A9"}) {
			t.Errorf("codes %q, %v", codes, err)
		}
		who, err := s.Vault.Open(ctx, audit.Staff(c.owner), "call", c.study.ID, got[3].ID)
		if err != nil || who.Name != "Bare Navn" || got[3].State != recruitment.Candidate || got[3].ContactedAt != 0 {
			t.Errorf("last is %+v, %+v, %v", who, got[3], err)
		}
		if next, err := s.Recruitment.NextCode(ctx, c.study.ID, c.study.Cases[0].ID, "A"); next != "A10" || err != nil {
			t.Errorf("next code %s, %v", next, err)
		}
		if err := c.whole(); err != nil {
			t.Error(err)
		}
		if drafts, err := s.Vault.Drafts(ctx, s.clock.now().AddDate(1, 0, 0)); err != nil || len(drafts) != 0 {
			t.Errorf("%d lists are left, %v", len(drafts), err)
		}
	})
}

func TestImportOfRespondents(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 1, noMark)
		in := c.upload("Name,Surname,E-mail,Role,Size\nNy,Oppdiktet,ny@example.org,Leder,stor\nUten,Adresse,,,\nKjent,Oppdiktet,pa@example.org,,\n"+
			"Lang,Oppdiktet,lang@example.org,"+strings.Repeat("x", 100)+",\n", c.survey)
		_, err := s.people.Review(t.Context(), in, func(l imports.Line) error {
			if l.Row == 5 && (len(l.Faults) != 1 || l.Faults[0].Name != "title" || l.Faults[0].Code != "too_long") {
				t.Errorf("a role that is too long: %+v", l.Faults)
			}
			return nil
		})
		s.must(err)
		in = c.takeIn(in)
		if want := (imports.Counts{Rows: 4, Taken: 1, Duplicates: 1, Refused: 2}); in.State != imports.Done || in.Counts != want {
			t.Fatalf("ended %+v, want %+v", in, want)
		}
		all, err := s.Surveys.Respondents(t.Context(), c.study.ID, c.survey)
		if err != nil || len(all) != 2 || all[1].Code != "R2" || all[1].Role != "Leder" || all[1].Size != "large" || all[1].Case != c.study.Cases[0].ID {
			t.Errorf("respondents %+v, %v", all, err)
		}
		if err := c.whole(); err != nil {
			t.Error(err)
		}
	})
}

// An import that can never end takes everything back and says why.
func TestAnImportThatCannotBeIsUndone(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 0, 0, noMark)
		ctx := t.Context()
		in := c.upload("Navn;Kode\nNy Oppdiktet;A5\nFlere Oppdiktet;\n", "")
		intent := c.begin(in)
		s.must(s.people.sealList(ctx, intents.Intent{ID: intent, Study: c.study.ID, Person: id.Person(in.ID), Params: []byte("{}")}))
		// A colleague takes the code when the import has looked.
		_, err := s.people.Enrol(ctx, audit.Staff(c.owner), identities.Identity{Name: "Rask Oppdiktet"}, recruitment.Participant{
			Study: c.study.ID, Code: "A5", Case: c.study.Cases[0].ID, Audience: "company", Relation: recruitment.Member, Source: recruitment.Website})
		s.must(err)
		s.must(s.Intents.Finish(ctx, intent))
		in, err = s.Imports.Get(ctx, c.study.ID, in.ID)
		if err != nil || in.State != imports.Failed || in.Reason != "recruitment.code_taken" || in.Taken != 2 {
			t.Errorf("ended %+v, %v, want failed, since the code is taken", in, err)
		}
		if known, err := s.Vault.Persons(ctx); err != nil || len(known) != 1 {
			t.Errorf("%d in the vault, %v, want the colleague's alone", len(known), err)
		}
		if err := c.whole(); err != nil {
			t.Error(err)
		}
	})
}

// Two imports of the same list at the same moment: nobody comes in twice.
func TestTwoImportsOfOneList(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 0, 0, noMark)
		ctx := t.Context()
		const people = 700
		all := []imports.Import{c.upload(memberList(people, "a"), ""), c.upload(memberList(people, "a"), "")}
		var clicks sync.WaitGroup
		var busy atomic.Int32
		for range 3 {
			for _, in := range all {
				clicks.Go(func() {
					for {
						err := s.people.TakeIn(ctx, audit.Staff(c.owner), c.study.ID, in.ID)
						if !errors.Is(err, imports.ErrBusy) {
							if err != nil && !errors.Is(err, imports.ErrStarted) {
								t.Error(err)
							}
							return
						}
						busy.Add(1)
						time.Sleep(10 * time.Millisecond)
					}
				})
			}
		}
		clicks.Wait()
		s.people.works.Wait()
		taken := 0
		for _, in := range all {
			in, err := s.Imports.Get(ctx, c.study.ID, in.ID)
			if err != nil || in.State != imports.Done || in.Taken+in.Duplicates != people {
				t.Errorf("ended %+v, %v", in, err)
			}
			taken += in.Taken
		}
		if known, err := s.Vault.Persons(ctx); err != nil || len(known) != people || taken != people {
			t.Errorf("%d in the vault and %d taken in, %v, want %d", len(known), taken, err, people)
		}
		if busy.Load() == 0 {
			t.Error("they never met: the list is too short for this test")
		}
		if err := c.whole(); err != nil {
			t.Error(err)
		}
	})
}

// A list that nobody takes in is gone after a day, and one that is discarded at once.
func TestListsExpire(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 0, 0, noMark)
		ctx := t.Context()
		old, thrown := c.upload(memberList(3, "a"), ""), c.upload(memberList(3, "b"), "")
		s.must(s.people.Discard(ctx, audit.Staff(c.owner), c.study.ID, thrown.ID))
		s.must(s.people.sweepDrafts(ctx, s.clock.now()))
		if _, err := s.people.List(ctx, audit.Staff(c.owner), old); err != nil {
			t.Errorf("before a day: %v", err)
		}
		s.must(s.people.sweepDrafts(ctx, s.clock.now().Add(identities.DraftLifetime+time.Minute)))
		for _, in := range []imports.Import{old, thrown} {
			if _, err := s.people.List(ctx, audit.Staff(c.owner), in); !errors.Is(err, imports.ErrUnknown) {
				t.Errorf("the list: %v, want ErrUnknown", err)
			}
			if err := s.people.TakeIn(ctx, audit.Staff(c.owner), c.study.ID, in.ID); errs.KindOf(err) != errs.NotFound {
				t.Errorf("taking it in: %v", err)
			}
		}
		if kept, err := s.keys.Persons(ctx); err != nil || len(kept) != 0 {
			t.Errorf("%d keys are left, %v", len(kept), err)
		}
	})
}

// BenchmarkImport takes lists in and reports the peak of the heap: with ten times the rows it is to stay nearly the same.
func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		c := newCrowd(newStage(b, nil), 0, 0, noMark)
		importPeak(b, c, 10, "+4621") // what is made once: tables of telephone numbers, statements
		small, took := importPeak(b, c, 1_000, "+4622")
		b.ReportMetric(took.Seconds(), "s/1000")
		large, took := importPeak(b, c, 10_000, "+4623")
		b.ReportMetric(took.Seconds(), "s/10000")
		b.ReportMetric(small, "MiB/1000")
		b.ReportMetric(large, "MiB/10000")
		b.ReportMetric(large/small, "ratio")
	}
}

func importPeak(b *testing.B, c *crowd, n int, series string) (mib float64, took time.Duration) {
	b.Helper()
	in := c.upload(strings.ReplaceAll(memberList(n, "m"+series[1:]+"x"), "+4722", series), "")
	_, most, took := heap.Peak(func() { in = c.takeIn(in) })
	if in.Taken != n {
		b.Fatalf("%d of %d taken in", in.Taken, n)
	}
	return float64(most) / (1 << 20), took
}
