package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// policy sets what the study does when somebody leaves.
func (c *crowd) policy(fate studies.Fate, months int) {
	c.t.Helper()
	c.study.OnWithdrawal, c.study.ProofMonths = fate, months
	c.must(c.Studies.Update(c.t.Context(), audit.Staff(c.owner), c.study))
}

// interviewed holds an interview with somebody who said yes to everything, and codes it.
func (c *crowd) interviewed(person id.Person) {
	c.t.Helper()
	ctx, by := c.t.Context(), audit.Staff(c.owner)
	c.consent(person)
	_, err := c.Interviews.Record(ctx, by, interviews.Held{Study: c.study.ID, Person: person, Mode: "phone", HeldOn: "2019-02-03", Minutes: 53})
	c.must(err)
	c.must(c.Interviews.SetThemes(ctx, by, c.study.ID, []interviews.Theme{{Key: "time", Category: "barrier", Label: "Tid"}, {Key: "cost", Category: "barrier", Label: "Kostnad"}}))
	c.must(c.Interviews.MarkAll(ctx, by, c.study.ID, person, map[string]interviews.Mark{"time": interviews.Mentioned, "cost": interviews.Disagreed}))
}

// answered lets a respondent say yes, tick the scale and write with their own words.
func (c *crowd) answered(person id.Person, words string) {
	c.t.Helper()
	ctx, letter := c.t.Context(), c.letter(consents.Respondent)
	said := map[string]bool{}
	for _, item := range letter.Items {
		said[item.Purpose] = true
	}
	c.must(c.Consents.Record(ctx, audit.Participant(person), consents.Act{Study: c.study.ID, Person: person, Letter: letter.ID, Means: consents.BySurvey, Answers: said}))
	form, err := c.Surveys.FormAt(ctx, c.study.ID, c.survey, 1)
	c.must(err)
	for page, p := range form.Pages {
		all := surveys.Answers{}
		for _, q := range p.Questions {
			switch {
			case q.Type == surveys.Multiple:
				all[q.Name] = []string{form.Lists[q.Scale][0].Value}
			case q.Type.HasChoices():
				all[q.Name] = form.Lists[q.Scale][0].Value
			case q.Type == surveys.Integer:
				all[q.Name] = int64(7)
			case q.Type != surveys.Note:
				all[q.Name] = words
			}
		}
		c.must(c.Surveys.SavePage(ctx, c.study.ID, c.survey, person, 1, page, all))
	}
	c.must(c.Surveys.Submit(ctx, audit.Participant(person), c.study.ID, c.survey, person, "nb"))
}

// figures are those that a publication rests on.
func (c *crowd) figures() string {
	c.t.Helper()
	frequencies, err := c.Surveys.Frequencies(c.t.Context(), c.study.ID, c.survey)
	c.must(err)
	var text strings.Builder
	for _, f := range frequencies {
		if f.Question.Type.HasChoices() {
			fmt.Fprintln(&text, f.Question.Name, f.N, f.Missing, f.Counts)
		}
	}
	matrix, err := c.Interviews.Matrix(c.t.Context(), c.study.ID)
	c.must(err)
	for _, theme := range matrix.Themes {
		counts := map[interviews.Mark]int{}
		for _, mark := range matrix.Marks[theme.Key] {
			counts[mark]++
		}
		fmt.Fprintln(&text, theme.Key, counts)
	}
	held, err := c.Interviews.List(c.t.Context(), c.study.ID)
	c.must(err)
	fmt.Fprintln(&text, "held", len(held))
	funnel, err := c.Recruitment.Funnel(c.t.Context(), c.study.ID, nil)
	c.must(err)
	fmt.Fprintln(&text, "funnel", funnel.Asked, funnel.Yes, funnel.Done)
	return text.String()
}

// Where a study anonymises, the figures stay as they were and nothing of the person does; where it deletes, the answers and marks
// are gone with them.
func TestLeavingByPolicy(t *testing.T) {
	for _, fate := range []studies.Fate{studies.Anonymise, studies.Delete} {
		t.Run(string(fate), func(t *testing.T) {
			eachStage(t, func(t *testing.T, s *stage) {
				c := newCrowd(s, 2, 2, func(i int) string { return "kanarifugl" + string(rune('a'+i)) })
				c.policy(fate, 0)
				for i := range 2 {
					c.interviewed(c.persons[i])
					c.answered(c.asked[i], "Skrevet av "+[]string{"den første", "den andre"}[i])
				}
				s.sendMail()
				before := c.figures()
				person, respondent := c.persons[0], c.asked[0]
				list, err := s.Surveys.Respondents(t.Context(), c.study.ID, c.survey)
				s.must(err)
				code := list[slices.IndexFunc(list, func(r surveys.Respondent) bool { return r.Person == respondent })].Code

				for _, who := range []id.Person{person, respondent} {
					s.must(s.people.Withdraw(t.Context(), audit.Participant(who), c.study.ID, who))
				}

				if after := c.figures(); (after == before) != (fate == studies.Anonymise) {
					t.Errorf("figures before:\n%safter:\n%s", before, after)
				}
				for _, line := range strings.Split(dump(t, s.stores[database.Study], append(slices.Clone(outliving), "participant")...), "\n") {
					if strings.Contains(line, string(person)) || strings.Contains(line, string(respondent)) {
						t.Errorf("left behind: %s", line)
					}
				}
				var coded int
				s.must(s.stores[database.Study].QueryRow(t.Context(), `select (select count(*) from survey_respondent where code = $1)
					+ (select count(*) from participant where code = 'A1') + (select count(*) from anonymous where code in ($1, 'A1'))`, code).Scan(&coded))
				if coded != 0 {
					t.Errorf("%d rows have a code that was theirs", coded)
				}
				for _, store := range []database.Store{database.Study, database.Identity} {
					text := dump(t, s.stores[store]) + s.bytesOf(store)
					if strings.Contains(text, "Skrevet av den første") || strings.Contains(text, "kanarifugla") {
						t.Errorf("what they wrote, or who they are, is still in the %s store", store)
					}
				}
				if !strings.Contains(dump(t, s.stores[database.Study]), "Skrevet av den andre") {
					t.Error("what the other one wrote is gone")
				}
				var workbook bytes.Buffer
				s.must(s.server.ExportWorkbook(t.Context(), &workbook, c.study.ID, "nb"))
				if shown := strings.Contains(unzip(t, workbook.Bytes()), id.Invented); shown != (fate == studies.Anonymise) {
					t.Errorf("the workbook shows somebody under an invented code: %v", shown)
				}
			})
		})
	}
}

// What is kept without somebody tells no time, no order and no way back: its rows have ids and codes of their own, and stand in the
// order of random numbers wherever their owners stood.
func TestAnonymousRowsLeadNowhere(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		const people = 6
		c := newCrowd(s, people, people, noMark)
		c.policy(studies.Anonymise, 0)
		for i := range people {
			c.interviewed(c.persons[i])
			c.answered(c.asked[i], "ord")
		}
		for i := range people {
			s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.persons[i]))
			s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.asked[i]))
		}
		inRandomOrder(t, s, people)
		held, err := s.Interviews.List(t.Context(), c.study.ID)
		s.must(err)
		for _, h := range held {
			if h.HeldOn != "" || h.StartedAt != 0 || h.Booking != "" || h.Minutes != 60 {
				t.Errorf("an interview tells of its time: %+v", h)
			}
		}
		for r, err := range s.Surveys.Responses(t.Context(), c.study.ID, c.survey) {
			if err != nil || r.SubmittedAt != 0 || r.Lang != "" || !strings.HasPrefix(r.Code, id.Invented) {
				t.Errorf("a response tells who sent it, or when: %+v, %v", r, err)
			}
		}
		var saved, anonymous int
		db := s.stores[database.Study]
		s.must(db.QueryRow(t.Context(), "select coalesce(sum(saved_at + page + revision), 0) from survey_response").Scan(&saved))
		s.must(db.QueryRow(t.Context(), "select count(*) from anonymous where person_id in (select person_id from survey_respondent)").Scan(&anonymous))
		if saved != 0 || anonymous != 0 {
			t.Errorf("drafts leave %d, and %d are known in both interviews and survey", saved, anonymous)
		}
		list, err := s.Recruitment.List(t.Context(), c.study.ID, recruitment.Filter{})
		if err != nil || len(list) != 0 {
			t.Errorf("on the list of candidates: %+v, %v", list, err)
		}
		b := c.staff(c.owner)
		for _, page := range []string{"/coding", "/interviews", "/candidates", "/export", "/surveys/" + string(c.survey) + "/respondents", "/surveys/" + string(c.survey) + "/results", "", "/forecast"} {
			s.must(b.Get("/studies/" + string(c.study.ID) + page))
		}
		gone, err := s.Recruitment.Anonymous(t.Context(), c.study.ID)
		if err != nil || len(gone) != people {
			t.Fatalf("%d are anonymous, %v", len(gone), err)
		}
		for _, page := range []string{"/people/", "/coding/"} {
			if b.Get("/studies/" + string(c.study.ID) + page + string(gone[0].ID)); b.Status != http.StatusNotFound {
				t.Errorf("%s of nobody answers %d", page, b.Status)
			}
		}
	})
}

// inRandomOrder looks at how the rows that are kept without people lie in the file.
func inRandomOrder(t *testing.T, s *stage, people int) {
	t.Helper()
	db, order := s.stores[database.Study], "rowid"
	if db.Postgres() {
		order = "ctid"
	}
	for _, q := range []string{"select id from interview order by ", "select person_id from anonymous order by ",
		"select person_id from survey_respondent order by ", "select person_id from survey_response order by "} {
		ids, err := database.Values[string](t.Context(), db, q+order)
		if err != nil || len(ids) != people || !slices.IsSorted(ids) {
			t.Errorf("%s: %v (%v), want the order of random ids", q, ids, err)
		}
	}
}

// Those who leave at the same moment are kept without themselves beside each other.
func TestAnonymousAtTheSameMoment(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		const people = 6
		c := newCrowd(s, people, people, noMark)
		c.policy(studies.Anonymise, 0)
		for i := range people {
			c.interviewed(c.persons[i])
			c.answered(c.asked[i], "ord")
		}
		before := c.figures()
		var wg sync.WaitGroup
		for _, person := range slices.Concat(c.persons, c.asked) {
			wg.Go(func() {
				if err := s.people.Withdraw(context.Background(), audit.System, c.study.ID, person); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if after := c.figures(); after != before {
			t.Errorf("figures before:\n%safter:\n%s", before, after)
		}
		inRandomOrder(t, s, people)
	})
}

// What somebody had taken back before they left is not kept without them.
func TestWhatWasTakenBackIsNotKept(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	c.policy(studies.Anonymise, 0)
	c.interviewed(c.persons[0])
	s.must(s.people.WithdrawPurposes(t.Context(), audit.Participant(c.persons[0]), c.study.ID, c.persons[0], consents.Interview))
	s.must(s.people.Withdraw(t.Context(), audit.Participant(c.persons[0]), c.study.ID, c.persons[0]))
	held, err := s.Interviews.List(t.Context(), c.study.ID)
	matrix, failed := s.Interviews.Matrix(t.Context(), c.study.ID)
	gone, asked := s.Recruitment.Anonymous(t.Context(), c.study.ID)
	if errors.Join(err, failed, asked) != nil || len(held) != 0 || len(matrix.Marks) != 0 || len(gone) != 0 {
		t.Errorf("kept %v, %v, %v (%v)", held, matrix.Marks, gone, errors.Join(err, failed, asked))
	}
}

// The policy that was promised holds, whatever becomes of the setting before the erasure is done.
func TestPromisedFateHolds(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	c.policy(studies.Anonymise, 0)
	c.interviewed(c.persons[0])
	s.sendMail()
	s.must(s.Outbox.Send(t.Context(), mail.Mail{Study: c.study.ID, Person: c.persons[0], Kind: "letter"}))
	changed := false
	s.deliver(func(mail.Message) error {
		if !changed {
			changed = true
			c.policy(studies.Delete, 0)
		}
		return nil
	})
	s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.persons[0]))
	if held, err := s.Interviews.List(t.Context(), c.study.ID); err != nil || len(held) != 1 || !changed {
		t.Errorf("held %v, %v; changed meanwhile: %v", held, err, changed)
	}
}

// contact is what a person is found by.
const canaryMail, canaryPhone = "kanarifugla@example.org", "22 00 00 00"

// Promise 15's second half: the proof of a consent outlives the person for as long as the study says, opens to owner and officer
// who know whom they look for, and is gone then, with its key.
func TestProofIsKeptAndGoes(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 3, 1, func(i int) string { return "kanarifugl" + string(rune('a'+i)) })
		c.policy(studies.Delete, 12)
		person := c.persons[0]
		c.consent(person)
		letter := c.letter(consents.Company)
		for _, who := range []id.Person{person, c.persons[1]} { // the second never answered
			s.must(s.people.Withdraw(t.Context(), audit.Participant(who), c.study.ID, who))
		}
		n, next, err := s.Vault.ProofCount(t.Context(), c.study.ID)
		if want := time.Date(2020, 2, 4, 8, 0, 0, 0, time.UTC); err != nil || n != 1 || time.UnixMilli(next).Sub(want).Abs() > time.Hour {
			t.Fatalf("%d proofs until %s, %v", n, time.UnixMilli(next).UTC(), err)
		}
		for _, store := range []database.Store{database.Identity, database.Study, database.Keys} {
			for encoding, text := range encodings("kanarifugla") {
				if strings.Contains(s.bytesOf(store), text) {
					t.Errorf("the %s store holds the name in %s", store, encoding)
				}
			}
		}
		s.must(s.app.verify(t.Context(), stdio{io.Discard, io.Discard}))

		page := "/studies/" + string(c.study.ID) + "/proofs"
		officer := c.account("ombud@example.org")
		s.must(s.Studies.SetMember(t.Context(), audit.Staff(c.owner), c.study.ID, officer, studies.Officer))
		for _, account := range []id.Account{c.owner, officer} {
			for _, contact := range []string{"  KANARIFUGLA@example.org ", canaryPhone} {
				b := c.staff(account)
				s.must(b.Get(page))
				s.must(b.Form("main form").Set("contact", contact).Set("purpose", "dispute").Submit())
				for _, want := range []string{"Navn kanarifugla", letter.Hash, letter.Items[0].Text, canaryMail} {
					if !strings.Contains(string(b.Body), want) {
						t.Errorf("an opened proof lacks %q", want)
					}
				}
				if b.Header.Get("Refresh") == "" {
					t.Error("an opened proof stays on the screen")
				}
			}
		}
		entries, err := s.Audit.Newest(t.Context(), c.study.ID, 2)
		if err != nil || entries[0].Action != "proof.opened" || entries[1].Action != "proof.sought" || entries[0].Detail != "dispute" || entries[0].Actor != audit.Staff(officer) {
			t.Errorf("the log says %+v, %v", entries, err)
		}
		b := c.staff(c.owner)
		s.must(b.Get(page))
		for _, tc := range []struct{ contact, purpose string }{{"kanarifuglb@example.org", "dispute"}, {"kanarifuglc@example.org", "dispute"}, {canaryMail, ""}, {"", "dispute"}} {
			b.Get(page)
			form := b.Form("main form").Set("contact", tc.contact)
			if tc.purpose != "" {
				form.Set("purpose", tc.purpose)
			}
			form.Submit()
			if b.Status != http.StatusUnprocessableEntity || strings.Contains(string(b.Body), "Navn kanarifugl") {
				t.Errorf("%q for %q answers %d", tc.contact, tc.purpose, b.Status)
			}
		}

		s.clock.set(time.UnixMilli(next).Add(-time.Minute))
		s.must(s.Vault.SweepProofs(t.Context()))
		if n, _, _ := s.Vault.ProofCount(t.Context(), c.study.ID); n != 1 {
			t.Error("a proof went before its time")
		}
		s.clock.set(time.UnixMilli(next).Add(time.Minute))
		if _, err := s.Vault.OpenProofs(t.Context(), audit.Staff(c.owner), "dispute", c.study.ID, canaryMail); !errors.Is(err, identities.ErrNoProof) {
			t.Errorf("opens after its time, before it is swept: %v", err)
		}
		proofs, err := s.Vault.Proofs(t.Context())
		s.must(err)
		s.must(s.Vault.SweepProofs(t.Context()))
		if keyed, err := s.keys.Have(t.Context(), []id.Person{id.Person(proofs[0])}); err != nil || len(keyed) != 0 {
			t.Errorf("the key stays: %v, %v", keyed, err)
		}
		if text := dump(t, s.stores[database.Identity]); strings.Contains(text, string(proofs[0])) {
			t.Errorf("a proof leaves rows:\n%s", text)
		}
		s.must(s.app.verify(t.Context(), stdio{io.Discard, io.Discard}))
	})
}

// Zero months keep nothing.
func TestNoProofWhereNoneIsKept(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	c.policy(studies.Delete, 0)
	c.consent(c.persons[0])
	s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.persons[0]))
	if proofs, err := s.Vault.Proofs(t.Context()); err != nil || len(proofs) != 0 {
		t.Errorf("kept %v, %v", proofs, err)
	}
}

// A step that is done twice keeps one proof, the first time or the second.
func TestProofIsKeptOnce(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		c.consent(c.persons[0])
		params, err := json.Marshal(acted{By: audit.System, Proof: id.New[id.Proof](), Until: s.clock.now().Add(time.Hour).UnixMilli()})
		s.must(err)
		in := intents.Intent{Study: c.study.ID, Person: c.persons[0], Kind: withdraw, Params: params}
		for range 2 {
			s.must(s.people.keepProof(t.Context(), in))
		}
		s.must(s.keys.Destroy(t.Context(), c.persons[0]))
		s.must(s.people.keepProof(t.Context(), in)) // the key is gone: it was done
		opened, err := s.Vault.OpenProofs(t.Context(), audit.System, "dispute", c.study.ID, "pa@example.org")
		if err != nil || len(opened) != 1 {
			t.Errorf("%d proofs, %v", len(opened), err)
		}
	})
}

// Promise 11 for proofs: flipped, or moved to another's row or study, none opens.
func TestForgedProofsDoNotOpen(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 2, 0, noMark)
	c.policy(studies.Delete, 12)
	for _, person := range c.persons {
		c.consent(person)
		s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, person))
	}
	db := s.stores[database.Identity]
	proofs, err := s.Vault.Proofs(t.Context())
	s.must(err)
	sealed := map[id.Proof][]byte{}
	for _, proof := range proofs {
		var raw []byte
		s.must(db.QueryRow(t.Context(), "select sealed from proof where id = $1", proof).Scan(&raw))
		sealed[proof] = raw
	}
	open := func() error {
		_, first := s.Vault.OpenProofs(t.Context(), audit.System, "dispute", c.study.ID, "pa@example.org")
		_, second := s.Vault.OpenProofs(t.Context(), audit.System, "dispute", c.study.ID, "pb@example.org")
		return errors.Join(first, second)
	}
	s.must(open())
	write := func(proof id.Proof, raw []byte) {
		s.must(db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "update proof set sealed = $2 where id = $1", proof, raw)
			return err
		}))
	}
	write(proofs[0], sealed[proofs[1]])
	if err := open(); !errors.Is(err, keys.ErrForged) {
		t.Errorf("a swapped proof opens: %v", err)
	}
	for i := range 100 {
		raw := bytes.Clone(sealed[proofs[0]])
		raw[(i*37)%len(raw)] ^= 1 << (i % 8)
		write(proofs[0], raw)
		if err := open(); !errors.Is(err, keys.ErrForged) {
			t.Fatalf("flip %d opens: %v", i, err)
		}
	}
}

// tasks are the kinds of what is open, with the codes they are about.
func (c *crowd) tasks() (kinds []string) {
	c.t.Helper()
	open, err := c.Consents.OpenTasks(c.t.Context(), c.study.ID)
	c.must(err)
	for _, task := range open {
		kinds = append(kinds, task.Code+" "+task.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

// What no program can delete becomes a task for the team, by code, and a mail that says so; the page had said it beforehand.
func TestWhatIsLeftToTheTeam(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 3, 0, noMark)
		c.policy(studies.Delete, 6)
		ctx := t.Context()
		c.interviewed(c.persons[0])
		c.consent(c.persons[1])
		slots, err := s.Scheduling.Free(ctx, scheduling.Search{Study: c.study.ID, Audience: consents.Company}, s.clock.now(), s.clock.now().AddDate(0, 0, 7))
		s.must(err)
		_, err = s.Scheduling.Book(ctx, audit.Participant(c.persons[1]), scheduling.Request{Study: c.study.ID, Person: c.persons[1], Audience: consents.Company,
			Mode: scheduling.Phone, Start: slots[0].Start, Language: "nb"})
		s.must(err)
		own := c.enter(c.persons[0], links.Participant)
		s.must(own.Get("/my/withdraw"))
		for _, want := range []string{"innen 6. mars 2019", "sletter lydopptaket", "sletter utskrifter", "forseglet til 4. august 2019", "innen 14 dager"} {
			if !strings.Contains(own.Text("main"), want) {
				t.Errorf("the page does not say %q beforehand", want)
			}
		}
		s.must(own.Form("main form").Set("choice", consents.Recording).Submit())
		if got, want := c.tasks(), []string{"A1 delete_recording"}; !slices.Equal(got, want) {
			t.Errorf("after taking the recording back: %q, want %q", got, want)
		}
		s.sendMail()
		s.must(own.Get("/my/withdraw"))
		s.must(own.Form("main form").Set("choice", "all").Submit())
		for _, want := range []string{"innen 6. mars 2019", "sletter utskrifter", "forseglet til 4. august 2019", "innen 14 dager"} {
			if !strings.Contains(own.Text("main"), want) {
				t.Errorf("the last page does not say %q: %s", want, own.Address())
			}
		}
		s.must(s.people.Withdraw(ctx, audit.Staff(c.owner), c.study.ID, c.persons[1]))
		s.must(s.people.Withdraw(ctx, audit.Staff(c.owner), c.study.ID, c.persons[2]))
		if got, want := c.tasks(), []string{"A1 delete_files", "A1 delete_recording", "A2 check_calendar"}; !slices.Equal(got, want) {
			t.Errorf("tasks %q, want %q", got, want)
		}
		if text := dump(t, s.stores[database.Study], "audit_entry", "erasure", "participant"); strings.Contains(text, string(c.persons[0])) {
			t.Error("a task names the person")
		}
		s.sendMail()
		told, receipts := 0, 0
		for name, text := range s.mails() {
			if strings.HasSuffix(name, "by_hand.eml") {
				told++
			}
			if strings.HasSuffix(name, "withdrawn.eml") {
				receipts++
				if strings.Contains(text, "To: \"Navn pa\"") && (!strings.Contains(text, "4. august 2019") || !strings.Contains(text, "6. mars 2019")) {
					t.Errorf("the receipt lacks a day:\n%s", text)
				}
			}
		}
		if told != 3 || receipts != 3 {
			t.Errorf("%d mails to the team and %d receipts, want 3 and 3", told, receipts)
		}
	})
}

// Files that were handed out before somebody came hold nothing of them.
func TestFilesFromBeforeAreNoTask(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	s.clock.set(s.clock.now().Add(-time.Hour))
	s.must(s.Audit.Record(t.Context(), audit.Entry{Actor: audit.System, Action: "export.made", Study: c.study.ID}))
	s.clock.set(s.clock.now().Add(2 * time.Hour))
	s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.persons[0]))
	if got := c.tasks(); len(got) != 0 {
		t.Errorf("tasks %q", got)
	}
	person := c.enrol(7, noMark)
	s.must(s.Audit.Record(t.Context(), audit.Entry{Actor: audit.System, Action: "export.made", Study: c.study.ID}))
	s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, person))
	if got, want := c.tasks(), []string{"A8 delete_files"}; !slices.Equal(got, want) {
		t.Errorf("tasks %q, want %q", got, want)
	}
}

// Whoever left and asks to take part again is taken in anew, once the team says that they asked: with another code and nothing of
// what was.
func TestComingBackIsANewBeginning(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		c.policy(studies.Delete, 12)
		c.consent(c.persons[0])
		s.must(s.people.Withdraw(t.Context(), audit.Participant(c.persons[0]), c.study.ID, c.persons[0]))
		b := c.staff(c.owner)
		list := "/studies/" + string(c.study.ID) + "/candidates"
		s.must(b.Get(list + "/new"))
		fill := func() *browser.Form {
			return b.Form("main form").Set("name", "Navn pa").Set("email", "pa@example.org").Set("relation", "member").Set("audience", "company").
				Set("source", "other").Set("language", "nb")
		}
		if strings.Contains(string(b.Body), `name="again"`) {
			t.Error("the way back is offered before anybody asked")
		}
		fill().Submit()
		if b.Status != http.StatusConflict || !strings.Contains(string(b.Body), `name="again"`) {
			t.Fatalf("entering somebody who left answers %d, and shows no way back", b.Status)
		}
		s.must(fill().Set("again", "yes").Submit())
		found, err := s.Recruitment.List(t.Context(), c.study.ID, recruitment.Filter{})
		if err != nil || len(found) != 1 || found[0].Code != "A2" || found[0].State != recruitment.Candidate || found[0].ID == c.persons[0] {
			t.Fatalf("came back as %+v, %v", found, err)
		}
		state, err := s.Consents.State(t.Context(), c.study.ID, found[0].ID)
		if err != nil || len(state.Acts) != 0 {
			t.Errorf("a consent came back: %+v, %v", state, err)
		}
		s.must(s.people.SendLetter(t.Context(), audit.Staff(c.owner), c.study.ID, found[0].ID, false))
		s.sendMail()
		if !slices.ContainsFunc(fileNames(s), func(name string) bool { return strings.HasSuffix(name, "-letter.eml") }) {
			t.Error("they get no letter")
		}
		if !strings.Contains(dump(t, s.stores[database.Study]), "identity.unbarred") {
			t.Error("the log does not say that they asked")
		}
	})
}

func fileNames(s *stage) (names []string) {
	for name := range s.mails() {
		names = append(names, name)
	}
	return names
}

// pausing lets something happen when the nth piece of a file leaves.
type pausing struct {
	pieces int
	at     int
	do     func()
	size   int
}

func (p *pausing) Write(b []byte) (int, error) {
	p.pieces++
	p.size += len(b)
	if p.pieces == p.at {
		p.do()
	}
	return len(b), nil
}

// Promise 12: an export that runs while somebody of the study leaves breaks off, wherever it is, and says why.
func TestExportBreaksOffWhenSomebodyLeaves(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 0, noMark)
		c.interviewed(c.persons[0])
		leave := func() { s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.persons[1])) }
		whole := &pausing{}
		s.must(s.server.ExportWorkbook(t.Context(), whole, c.study.ID, "nb"))
		if whole.pieces < 3 {
			t.Fatalf("a workbook of %d pieces", whole.pieces)
		}
		out := &pausing{at: 1, do: leave}
		err := s.server.ExportWorkbook(t.Context(), out, c.study.ID, "nb")
		if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "exports.left") {
			t.Errorf("an export during which somebody left: %v", err)
		}
		if out.size >= whole.size {
			t.Errorf("all %d bytes left", out.size)
		}
		if err := s.server.ExportWorkbook(t.Context(), &pausing{}, c.study.ID, "nb"); err != nil {
			t.Errorf("the next one: %v", err)
		}
	})
}

// The command line leaves no file then.
func TestExportCommandLeavesNoFile(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	path := filepath.Join(s.folder, "ut.xlsx")
	err := writeFile(path, func(w io.Writer) error {
		return s.server.ExportWorkbook(t.Context(), &pausing{at: 1, do: func() {
			s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.persons[0]))
		}}, c.study.ID, "nb")
	})
	if left := readFile(t, path); err == nil || !strings.Contains(err.Error(), "somebody left the study") || left != "" {
		t.Errorf("left %d bytes, %v", len(left), err)
	}
}

// Promise 15: withdrawing takes no more steps than consenting: one page and one form each.
func TestWithdrawingIsOneStep(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	b := c.enter(c.persons[0], links.Participant)
	s.must(b.Get("/my/consent"))
	form := b.Form("main form")
	for _, name := range b.FieldNames("main form") {
		if strings.HasPrefix(name, "consent_") {
			form.Set(name, "yes")
		}
	}
	s.must(form.Submit())
	if standing, err := s.Consents.Standing(t.Context(), s.stores[database.Study], c.study.ID, c.persons[0], consents.Interview); err != nil || standing != consents.Yes {
		t.Fatalf("stands at %s, %v", standing, err)
	}
	s.must(b.Get("/my/withdraw"))
	s.must(b.Form("main form").Set("choice", "all").Submit())
	if known, err := s.Vault.Exists(t.Context(), c.persons[0]); known || err != nil {
		t.Errorf("one step, and still there: %v, %v", known, err)
	}
}

// tearing lets something happen when the first byte of an answer leaves.
type tearing struct {
	http.ResponseWriter
	do func()
}

func (w *tearing) Write(p []byte) (int, error) {
	if do := w.do; do != nil && len(p) > 0 {
		w.do = nil
		do()
	}
	return w.ResponseWriter.Write(p)
}

// A download that has begun has no end then, so that no browser takes it for a whole file.
func TestDownloadBreaksOff(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	var during func()
	var cause any
	b, err := browser.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { cause = recover() }()
		if r.Method == http.MethodPost {
			w = &tearing{w, during}
		}
		s.server.ServeHTTP(w, r)
	}), testBase)
	s.must(err)
	token, err := s.Auth.NewLink(t.Context(), auth.SignIn, c.owner, time.Hour)
	s.must(err)
	s.must(b.Get("/sign-in/" + token))
	s.must(b.Form("main form").Submit())
	for _, leaves := range []bool{false, true} {
		s.must(b.Get("/studies/" + string(c.study.ID) + "/export"))
		if leaves {
			during = func() { s.must(s.people.Withdraw(t.Context(), audit.System, c.study.ID, c.persons[0])) }
		}
		b.Form("main form").Set("lang", "nb").Submit()
		if broken := cause == http.ErrAbortHandler; broken != leaves || !leaves && cause != nil {
			t.Errorf("somebody left: %v; ended with %v", leaves, cause)
		}
	}
}
