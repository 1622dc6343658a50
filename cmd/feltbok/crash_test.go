//go:build crashpoints && unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

const childVariable = "FELTBOK_TEST_CHILD"

// TestCrashChild is the process that is killed: it enrols, books, takes a refusal and takes people out, until its crash
// point comes.
func TestCrashChild(t *testing.T) {
	place := os.Getenv(childVariable)
	if place == "" {
		t.Skip("only as a child of TestCrashPointsLeaveWholePeople")
	}
	parts := strings.Split(place, "|")
	a, c := openChild(t, parts)
	defer a.close()
	ctx := t.Context()
	for i := range 3 {
		code, err := a.Recruitment.NextCode(ctx, c.study.ID, c.study.Cases[0].ID, "A")
		if err != nil {
			t.Fatal(err)
		}
		person, err := a.people.Enrol(ctx, audit.Staff(c.owner), identity(100+i, noMark), recruitment.Participant{Study: c.study.ID,
			Case: c.study.Cases[0].ID, Code: code, Audience: "company", Relation: recruitment.Member, Title: "Leder", Source: recruitment.MemberList})
		if err != nil {
			t.Fatal(err)
		}
		c.persons = append(c.persons, person)
	}
	if _, err := a.people.EnrolRespondent(ctx, audit.Staff(c.owner), identity(200, noMark), surveys.Respondent{Study: c.study.ID, Survey: c.survey, Role: "Leder"}); err != nil {
		t.Fatal(err)
	}
	earlier, err := a.Scheduling.All(ctx, c.study.ID)
	if err != nil {
		t.Fatal(err)
	}
	free := c.clock.now().AddDate(0, 0, 1)
	for _, b := range earlier { // of people whom an earlier round left in the study
		if b.EndsAt >= free.UnixMilli() {
			free = b.Start().UTC().Add(2 * time.Hour)
		}
	}
	for i, person := range c.persons[len(c.persons)-2:] {
		_, err := a.Scheduling.Book(ctx, audit.Staff(c.owner), scheduling.Request{Study: c.study.ID, Person: person, Audience: "company",
			Mode: scheduling.Phone, Start: free.Add(time.Duration(2*i) * time.Hour), ByStaff: true})
		if err != nil {
			t.Fatal(err)
		}
	}
	c.interviewed(c.persons[len(c.persons)-1]) // leaves a proof, tasks, and in every other round what is kept without them
	if err := a.Vault.SweepProofs(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.people.Refuse(ctx, audit.Participant(c.persons[0]), c.study.ID, c.persons[0]); err != nil {
		t.Fatal(err)
	}
	for _, person := range slices.Backward(c.persons) { // who leaves a proof first: the points are counted from there
		if err := a.people.Withdraw(ctx, audit.Staff(c.owner), c.study.ID, person); err != nil {
			t.Fatal(err)
		}
	}
}

// openChild opens the installation that the parent made: folder, three addresses, study, survey, owner.
func openChild(t *testing.T, parts []string) (*app, *crowd) {
	t.Helper()
	clock := &clock{}
	clock.set(time.Date(2019, 2, 4, 8, 0, 0, 0, time.UTC))
	if len(parts) > 7 && strings.Contains(parts[7], "T") { // the parent's time
		at, err := time.Parse(time.RFC3339, parts[7])
		if err != nil {
			t.Fatal(err)
		}
		clock.set(at)
	}
	transport, err := mail.NewFolder(filepath.Join(parts[0], "mail"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), options{transport: transport, from: demoMailbox, pages: handlers.Config{BaseURL: testBase, Now: clock.now, Unlimited: true},
		storage: storage{Data: filepath.Join(parts[0], "stores"), MasterKey: filepath.Join(parts[0], "master.key"),
			StudyDSN: parts[1], IdentityDSN: parts[2], KeysDSN: parts[3]}}, stdio{os.Stdout, os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	study, err := a.Studies.Get(t.Context(), id.Study(parts[4]))
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{stage: &stage{app: a, t: t, clock: clock}, owner: id.Account(parts[6]), study: study, survey: id.Survey(parts[5])}
	list, err := a.Recruitment.List(t.Context(), study.ID, recruitment.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.State != recruitment.Withdrawn {
			c.persons = append(c.persons, p.ID)
		}
	}
	return a, c
}

// Promise 3: the process is killed at 25 points inside enrol, book, refuse, withdraw and erase; after reconciliation the three
// stores agree about everybody.
func TestCrashPointsLeaveWholePeople(t *testing.T) {
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		addresses := map[database.Store]string{}
		s := newStage(t, func(store database.Store) string {
			addresses[store] = dsn(store)
			return addresses[store]
		})
		c := newCrowd(s, 2, 1, noMark)
		place := strings.Join([]string{s.folder, addresses[database.Study], addresses[database.Identity], addresses[database.Keys],
			string(c.study.ID), string(c.survey), string(c.owner)}, "|")
		// The first intents' points, then ever later ones: 25 in all, across every kind of act.
		killed := 0
		for round := range 25 {
			c.policy([]studies.Fate{studies.Delete, studies.Anonymise}[round%2], 1)
			s.clock.set(s.clock.now().AddDate(0, 0, 3)) // so that later children's sweeps end earlier proofs
			point := fmt.Sprintf("*:%d", 1+round*3)
			if s.stores[database.Study].Postgres() {
				point = fmt.Sprintf("*:%d", 1+round) // commits are no points here, so there are fewer
			}
			child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
			child.Env = append(os.Environ(), childVariable+"="+place+"|"+s.clock.now().Format(time.RFC3339), crash.Variable+"="+point)
			output, err := child.CombinedOutput()
			status, _ := child.ProcessState.Sys().(syscall.WaitStatus)
			if status.Signaled() && status.Signal() == syscall.SIGKILL {
				killed++
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", point, err, output)
			}
			if _, err := s.Intents.Reconcile(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			if err := agree(t.Context(), s.app, c); err != nil {
				t.Fatalf("after a kill at %s: %v\n%s", point, err, output)
			}
		}
		if killed < 20 {
			t.Errorf("only %d of 25 rounds were killed: the points are not reached", killed)
		}
	})
}

// agree says what the stores disagree about: whoever has a key has an identity and is in the study, and nobody else.
func agree(ctx context.Context, a *app, c *crowd) error {
	if open, err := a.Intents.Count(ctx); err != nil || open != 0 {
		return fmt.Errorf("%d acts are still open (%v)", open, err)
	}
	keyed, err := a.keys.Persons(ctx)
	if err != nil {
		return err
	}
	proofs, err := a.Vault.Proofs(ctx)
	if err != nil {
		return err
	}
	keyed, proven := apart(keyed, proofs)
	if proven != len(proofs) { // one being swept has a row still, until the next sweep
		if err := a.Vault.SweepProofs(ctx); err != nil {
			return err
		}
		if proofs, err = a.Vault.Proofs(ctx); err != nil || proven != len(proofs) {
			return fmt.Errorf("%d proofs have a key, and there are %d (%v)", proven, len(proofs), err)
		}
	}
	if err := proofsOpen(ctx, a, c, len(proofs)); err != nil {
		return err
	}
	known, err := a.Vault.Persons(ctx)
	if err != nil {
		return err
	}
	var present []id.Person
	list, err := a.Recruitment.List(ctx, c.study.ID, recruitment.Filter{})
	if err != nil {
		return err
	}
	for _, p := range list {
		reach, err := a.Vault.Reach(ctx, c.study.ID, p.ID)
		if p.State == recruitment.Declined && !reach[p.ID].Barred {
			return fmt.Errorf("somebody refused, and the vault does not know (%v)", err)
		}
		if p.State != recruitment.Withdrawn {
			present = append(present, p.ID)
		} else if bookings, err := a.Scheduling.Of(ctx, c.study.ID, p.ID); err != nil || len(bookings) > 0 {
			return fmt.Errorf("an erased person has %d bookings (%v)", len(bookings), err)
		}
	}
	respondents, err := a.Surveys.Respondents(ctx, c.study.ID, c.survey)
	if err != nil {
		return err
	}
	for _, r := range respondents {
		present = append(present, r.Person)
	}
	for _, list := range [][]id.Person{keyed, known, present} {
		slices.Sort(list)
	}
	if !slices.Equal(keyed, known) || !slices.Equal(known, present) {
		return fmt.Errorf("keys %v, vault %v, study %v", keyed, known, present)
	}
	if _, err := a.Audit.Verify(ctx); err != nil {
		return err
	}
	return nil
}

// proofsOpen says which proof does not open, or that somebody has two: all were of one kind of person.
func proofsOpen(ctx context.Context, a *app, c *crowd, want int) error {
	found := 0
	for i := range 3 {
		opened, err := a.Vault.OpenProofs(ctx, audit.System, "dispute", c.study.ID, identity(100+i, noMark).Email)
		if err != nil && !errors.Is(err, identities.ErrNoProof) {
			return err
		}
		found += len(opened)
	}
	if found != want {
		return fmt.Errorf("%d proofs open, and there are %d", found, want)
	}
	return nil
}

const importChild = "FELTBOK_TEST_IMPORT_CHILD"

// TestImportCrashChild is the process that is killed while it takes a list in.
func TestImportCrashChild(t *testing.T) {
	place := os.Getenv(importChild)
	if place == "" {
		t.Skip("only as a child of TestCrashedImportIsAllOrNothing")
	}
	parts := strings.Split(place, "|")
	a, c := openChild(t, parts)
	defer a.close()
	in, err := a.Imports.Get(t.Context(), c.study.ID, id.Import(parts[7]))
	if err != nil {
		t.Fatal(err)
	}
	c.takeIn(in)
}

// Promise 3 for a list: wherever the process is killed, afterwards everybody on it is in the study, once, or nobody.
func TestCrashedImportIsAllOrNothing(t *testing.T) {
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		addresses := map[database.Store]string{}
		s := newStage(t, func(store database.Store) string {
			addresses[store] = dsn(store)
			return addresses[store]
		})
		c := newCrowd(s, 0, 0, noMark)
		const people = atOnce + 100 // two parts
		all := 0
		for round, point := range []string{"import.0:1", "import.keys:1", "import.part:1", "import.keys:2", "import.part:2", "import.0.done:1",
			"import.1:1", "import.1.done:1", "import.2:1", "import.2.done:1"} {
			in := c.upload(strings.ReplaceAll(memberList(people, fmt.Sprintf("r%dx", round)), "+4722", fmt.Sprintf("+46%d", 22+round)), "")
			child := exec.Command(os.Args[0], "-test.run=^TestImportCrashChild$")
			child.Env = append(os.Environ(), crash.Variable+"="+point, importChild+"="+strings.Join([]string{s.folder, addresses[database.Study],
				addresses[database.Identity], addresses[database.Keys], string(c.study.ID), string(c.survey), string(c.owner), string(in.ID)}, "|"))
			output, err := child.CombinedOutput()
			if status, _ := child.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
				t.Fatalf("%s: not killed: %v\n%s", point, err, output)
			}
			before, err := s.Recruitment.List(t.Context(), c.study.ID, recruitment.Filter{})
			if err != nil || len(before) != all && len(before) != all+people {
				t.Errorf("%s: %d are seen after the kill, %v, want %d or %d", point, len(before), err, all, all+people)
			}
			if _, err := s.Intents.Reconcile(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			all += people
			if in, err = s.Imports.Get(t.Context(), c.study.ID, in.ID); err != nil || in.State != imports.Done || in.Taken != people || in.Rows != people {
				t.Errorf("%s: ended %+v, %v", point, in, err)
			}
			if err := errors.Join(agree(t.Context(), s.app, c), c.whole()); err != nil {
				t.Fatalf("after a kill at %s: %v\n%s", point, err, output)
			}
		}
		if known, err := s.Vault.Persons(t.Context()); err != nil || len(known) != all {
			t.Errorf("%d in the vault, %v, want %d", len(known), err, all)
		}
	})
}
