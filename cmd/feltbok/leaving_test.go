package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// staffAct is something that the team does about a person.
type staffAct struct {
	name string
	do   func(study id.Study, person id.Person) error
}

// staffActs are all that write a row about a person.
func (c *crowd) staffActs() []staffAct {
	c.t.Helper()
	ctx, by := c.t.Context(), audit.Staff(c.owner)
	c.must(c.Interviews.SetThemes(ctx, by, c.study.ID, []interviews.Theme{{Key: "time", Category: "barrier", Label: "Tid"}}))
	letter, answers := c.letter(consents.Company), map[string]bool{}
	for _, item := range letter.Items {
		answers[item.Purpose] = true
	}
	start := c.clock.now().Add(24 * time.Hour)
	var turn sync.Mutex
	return []staffAct{
		{"book", func(study id.Study, p id.Person) error {
			turn.Lock()
			start = start.Add(3 * time.Hour)
			at := start
			turn.Unlock()
			_, err := c.Scheduling.Book(ctx, by, scheduling.Request{Study: study, Person: p, Audience: consents.Company,
				Mode: scheduling.Phone, Start: at, ByStaff: true, Zone: "Europe/Oslo", Interviewers: []id.Account{c.owner}})
			return err
		}},
		{"record an interview", func(study id.Study, p id.Person) error {
			_, err := c.Interviews.Record(ctx, by, interviews.Held{Study: study, Person: p, Mode: "phone", HeldOn: "2019-02-03", Minutes: 30})
			return err
		}},
		{"mark a theme", func(study id.Study, p id.Person) error {
			return c.Interviews.Mark(ctx, by, study, p, "time", interviews.Mentioned)
		}},
		{"enter a consent", func(study id.Study, p id.Person) error {
			return c.people.ChangeConsent(ctx, by, consents.Act{Study: study, Person: p, Letter: letter.ID, Means: consents.Oral, Answers: answers})
		}},
		{"record a consent", func(study id.Study, p id.Person) error {
			return c.Consents.Record(ctx, by, consents.Act{Study: study, Person: p, Letter: letter.ID, Means: consents.Oral, Answers: answers})
		}},
		{"take a consent back", func(study id.Study, p id.Person) error {
			return c.people.WithdrawPurposes(ctx, by, study, p, consents.Interview)
		}},
		{"log a contact", func(study id.Study, p id.Person) error {
			return c.people.LogContact(ctx, by, study, p, recruitment.Contact{Channel: recruitment.Phone, Direction: recruitment.Out, Outcome: recruitment.SaidYes}, "Et notat")
		}},
		{"put a contact off", func(study id.Study, p id.Person) error {
			return c.Recruitment.Postpone(ctx, by, study, p, 0, c.clock.now().Add(time.Hour).UnixMilli())
		}},
		{"set the state", func(study id.Study, p id.Person) error {
			return c.Recruitment.SetState(ctx, by, study, p, recruitment.Interested, false)
		}},
		{"edit", func(study id.Study, p id.Person) error {
			return c.Recruitment.Edit(ctx, by, study, p, recruitment.Details{Code: "A99", Case: c.study.Cases[0].ID, Audience: consents.Company,
				Relation: recruitment.Member, Title: "Leder", Source: recruitment.Website})
		}},
		{"send the letter", func(study id.Study, p id.Person) error { return c.people.SendLetter(ctx, by, study, p, false) }},
		{"add to the survey", func(study id.Study, p id.Person) error {
			return c.Surveys.AddInformant(ctx, by, surveys.Respondent{Study: study, Survey: c.survey, Person: p, Code: "A98"})
		}},
	}
}

// What the team does about somebody who was erased, or who is in another study, is refused and leaves no row.
func TestNobodyActsOnWhoIsNotThere(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 0, noMark)
		ctx, by := t.Context(), audit.Staff(c.owner)
		other, err := s.Studies.Create(ctx, by, c.owner, studies.Study{Title: "En annen", Purpose: "Å prøve", Questions: "Virker det?",
			Institution: "Nordfjord universitet", ProjectContact: "klynger@example.org", Supervisor: "Vera", SupervisorContact: "vera@example.org",
			Officer: "Per", OfficerContact: "per@example.org", Assessment: "Prøve 2", LegalBasis: studies.Consent, Languages: []string{"nb"},
			Zone: "Europe/Oslo", StartsOn: "2019-01-01", EndsOn: "2019-12-31", Duration: 60})
		s.must(err)
		acts := c.staffActs()
		s.must(s.people.Withdraw(ctx, by, c.study.ID, c.persons[0]))
		before := dump(t, s.stores[database.Study])
		for _, who := range []struct {
			name   string
			study  id.Study
			person id.Person
		}{{"an erased person", c.study.ID, c.persons[0]}, {"another study's person", other, c.persons[1]}} {
			for _, act := range acts {
				err := act.do(who.study, who.person)
				if kind := errs.KindOf(err); err == nil || kind != errs.NotFound && kind != errs.Forbidden {
					t.Errorf("%s: %s: %v", who.name, act.name, err)
				}
			}
		}
		if after := dump(t, s.stores[database.Study]); after != before {
			t.Errorf("the study store changed:\n%s", difference(before, after))
		}
	})
}

// A withdrawal beside each of those acts leaves nothing behind, whichever of the two comes first, and neither is told that
// the store is away: they wait for each other in one order.
func TestActsBesideAWithdrawalLeaveNothing(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		const rounds = 3
		c := newCrowd(s, 0, 0, noMark)
		s.sender = nil
		acts := c.staffActs()
		for i := range rounds * len(acts) {
			act, person := acts[i%len(acts)], c.enrol(i, func(i int) string { return fmt.Sprint("p", i) })
			if i/len(acts) > 0 { // at first somebody whom the gate knows nothing of
				c.consent(person)
			}
			var done sync.WaitGroup
			done.Go(func() {
				if err := s.people.Withdraw(t.Context(), audit.Staff(c.owner), c.study.ID, person); err != nil {
					t.Errorf("withdraw beside %s: %v", act.name, err)
				}
			})
			done.Go(func() {
				switch err := act.do(c.study.ID, person); errs.KindOf(err) {
				case errs.Internal, errs.Unavailable:
					if err != nil {
						t.Errorf("%s beside a withdrawal: %v", act.name, err)
					}
				}
			})
			done.Wait()
			for _, line := range strings.Split(dump(t, s.stores[database.Study], append(slices.Clone(outliving), "participant")...), "\n") {
				if strings.Contains(line, string(person)) {
					t.Errorf("%s beside a withdrawal left behind: %s", act.name, line)
				}
			}
			if strings.Contains(dump(t, s.stores[database.Identity]), string(person)) {
				t.Errorf("%s beside a withdrawal left something in the vault", act.name)
			}
		}
	})
}

// A second click while a withdrawal runs, and the same form handed in once more afterwards, by a browser that has no
// session left, end on the page that says what was done.
func TestLeavingTwiceIsLeavingOnce(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 1, noMark)
		people := "/studies/" + string(c.study.ID)
		for _, tc := range []struct {
			name, page, choice, end string
			enter                   func() *browser.Browser
			strangers               bool // whoever has the form need not be known any more
		}{
			{"informant", "/my/withdraw", "all", "/my/left", func() *browser.Browser { return c.enter(c.persons[0], links.Participant) }, true},
			{"respondent", "/survey/withdraw", "all", "/survey/left", func() *browser.Browser { return c.enter(c.asked[0], links.Survey) }, true},
			{"team", people + "/people/" + string(c.persons[1]) + "/withdraw", "withdraw", people + "/candidates", func() *browser.Browser { return c.staff(c.owner) }, false},
		} {
			b := tc.enter()
			s.must(b.Get(tc.page))
			values := b.Form("main form").Set("choice", tc.choice).Values()
			s.sendMail()
			clicked := false
			s.deliver(func(mail.Message) error {
				if clicked {
					return nil
				}
				clicked = true
				status, err := b.Try("POST", tc.page, values)
				if to := b.Header.Get("Location"); err != nil || status != http.StatusSeeOther || !strings.HasPrefix(to, tc.end) {
					t.Errorf("%s: a second click meanwhile leads to %q with status %d (%v)", tc.name, to, status, err)
				}
				return nil
			})
			again := []*browser.Browser{b, b}
			if tc.strangers {
				again = append(again, s.browser())
			}
			for i, b := range again {
				if err := b.Post(tc.page, values); err != nil || !strings.HasPrefix(b.Address(), tc.end) {
					t.Errorf("%s: time %d ends at %s (%v)", tc.name, i, b.Address(), err)
				}
			}
			if !clicked {
				t.Errorf("%s: nothing was sent during the withdrawal", tc.name)
			}
		}
		if n := strings.Count(dump(t, s.stores[database.Study]), "person.withdrawn"); n != 3 {
			t.Errorf("%d withdrawals, want 3", n)
		}
	})
}

// Whoever goes back after taking one yes back, and chooses to leave on the same form, leaves.
func TestChoosingAgainOnTheSameForm(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	c.consent(c.persons[0])
	b := c.enter(c.persons[0], links.Participant)
	s.must(b.Get("/my/withdraw"))
	values := b.Form("main form").Values()
	for _, choice := range []string{consents.Recording, consents.Quotation, "all"} {
		values.Set("choice", choice)
		s.must(b.Post("/my/withdraw", values))
		if choice == "all" {
			continue
		}
		if got, err := s.Consents.Standing(t.Context(), s.stores[database.Study], c.study.ID, c.persons[0], choice); err != nil || got != consents.No {
			t.Errorf("%s stands at %q (%v)", choice, got, err)
		}
	}
	if known, err := s.Vault.Exists(t.Context(), c.persons[0]); known || err != nil {
		t.Errorf("said to have left, and still in the vault (%v)", err)
	}
}
