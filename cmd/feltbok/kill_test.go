//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/surveys"
)

const servingChild = "FELTBOK_TEST_SERVE"

// TestServingChild is the server that is killed. It says its address and serves until it dies.
func TestServingChild(t *testing.T) {
	folder := os.Getenv(servingChild)
	if folder == "" {
		t.Skip("only as a child of TestAcknowledgedSurvivesAKill")
	}
	o := options{storage: storage{Data: filepath.Join(folder, "stores"), MasterKey: filepath.Join(folder, "master.key")},
		unlimited: true, from: demoMailbox}
	err := serve(t.Context(), o, address{Addr: "127.0.0.1:0"}, stdio{os.Stdout, os.Stderr}, func(_ context.Context, _ *app, base string, _ stdio) error {
		fmt.Printf("\nSERVING %s\n", base)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// acknowledged is what the server has said yes to.
type acknowledged struct {
	mu       sync.Mutex
	consents map[id.Person]bool
	bookings map[id.Person]bool
	answers  map[id.Person]bool
}

func (a *acknowledged) note(where map[id.Person]bool, person id.Person) {
	a.mu.Lock()
	defer a.mu.Unlock()
	where[person] = true
}

// wait returns when n more have been noted, or nobody is left to say anything.
func (a *acknowledged) wait(n int, idle chan struct{}) {
	count := func() int {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.consents) + len(a.bookings) + len(a.answers)
	}
	for until := count() + n; count() < until; {
		select {
		case <-idle:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

const (
	killPoints  = 25
	killClients = 50
	killPeople  = 100 // informants, and as many respondents
)

// Promise 1: kill -9 at 25 random points under 50 clients; whatever was acknowledged is there afterwards, and the server
// is back within 3 seconds.
func TestAcknowledgedSurvivesAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts 25 servers")
	}
	s := newStage(t, nil)
	s.clock.runFrom(time.Date(2019, 2, 4, 8, 0, 0, 0, time.UTC))
	s.must(s.clock.save(filepath.Join(s.folder, "stores")))
	c := newCrowd(s, killPeople, killPeople, func(i int) string { return fmt.Sprintf("p%d", i) })
	paths := map[id.Person]string{}
	for _, person := range c.persons {
		paths[person] = c.path(person, links.Participant)
	}
	for _, person := range c.asked {
		paths[person] = c.path(person, links.Survey)
	}
	s.must(s.app.close())
	said := &acknowledged{consents: map[id.Person]bool{}, bookings: map[id.Person]bool{}, answers: map[id.Person]bool{}}
	informants, asked := make(chan id.Person, killPeople), make(chan id.Person, killPeople)
	for i := range killPeople {
		informants <- c.persons[i]
		asked <- c.asked[i]
	}
	for range killPoints {
		server, base := startChild(t, s.folder)
		var clients sync.WaitGroup
		stop, cancel := context.WithCancel(t.Context())
		for i := range killClients {
			clients.Go(func() { client(stop, base, i, informants, asked, paths, said) })
		}
		idle := make(chan struct{})
		go func() { clients.Wait(); close(idle) }()
		said.wait(1+rand.IntN(30), idle)
		server.Process.Kill()
		server.Wait()
		cancel()
		<-idle
	}
	checkAcknowledged(t, s, c, said)
}

// startChild starts a server on the folder and waits until it answers.
func startChild(t *testing.T, folder string) (*exec.Cmd, string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestServingChild$")
	child.Env = append(os.Environ(), servingChild+"="+folder)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if base, ok := strings.CutPrefix(lines.Text(), "SERVING "); ok {
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("back after %s, want within 3 s", took)
			}
			return child, base
		}
	}
	t.Fatal("the server did not start")
	return nil, ""
}

// client works through people until the server is gone.
func client(ctx context.Context, base string, i int, informants, asked chan id.Person, paths map[id.Person]string, said *acknowledged) {
	for ctx.Err() == nil {
		work, from := takePart, informants
		if i%2 == 1 {
			work, from = answer, asked
		}
		select {
		case person := <-from:
			b, err := browser.NewOverNetwork(base)
			if err == nil {
				err = work(b, paths[person], person, said)
			}
			if err != nil {
				from <- person // goes on with the next server
				return
			}
		default:
			return
		}
	}
}

// takePart consents and books, and notes each yes.
func takePart(b *browser.Browser, path string, person id.Person, said *acknowledged) error {
	if err := errors.Join(b.Get(path), b.Form("main form").Submit(), b.Get("/my/consent")); err != nil {
		return err
	}
	form := b.Form("main form")
	for _, name := range b.FieldNames("main form") {
		form.Set(name, "yes")
	}
	if err := form.Submit(); err != nil {
		return err
	}
	said.note(said.consents, person)
	if err := b.Get("/my/time?mode=phone"); err != nil {
		return err
	}
	form = b.Form("main form")
	slots := form.Options("slot")
	if len(slots) == 0 {
		return nil // booked already, by an answer that the kill swallowed
	}
	if err := form.Set("slot", slots[rand.IntN(len(slots))]).Submit(); err != nil {
		return err
	}
	said.note(said.bookings, person)
	return nil
}

// answer consents and answers the survey.
func answer(b *browser.Browser, path string, person id.Person, said *acknowledged) error {
	if err := errors.Join(b.Get(path), b.Form("main form").Submit()); err != nil {
		return err
	}
	if b.Has(`form[action="/survey/consent"]`) { // not when going on after a kill
		if err := b.Form(`form[action="/survey/consent"]`).Set("consent_survey", "yes").Submit(); err != nil {
			return err
		}
		said.note(said.consents, person)
	}
	for strings.HasPrefix(b.Address(), "/survey/page/") {
		form := b.Form("main form")
		for _, name := range b.FieldNames("main form") {
			if offered := form.Options(name); len(offered) > 0 {
				form.Set(name, offered[0])
			}
		}
		if err := form.Press("to", "next"); err != nil {
			return err
		}
	}
	if !b.Has(`form[action="/survey/submit"]`) {
		return nil // sent already, as above
	}
	if err := b.Form(`form[action="/survey/submit"]`).Submit(); err != nil {
		return err
	}
	said.note(said.answers, person)
	return nil
}

// checkAcknowledged opens the stores as the last kill left them.
func checkAcknowledged(t *testing.T, s *stage, c *crowd, said *acknowledged) {
	t.Helper()
	again, err := openApp(t.Context(), options{storage: storage{Data: filepath.Join(s.folder, "stores"), MasterKey: filepath.Join(s.folder, "master.key")},
		pages: handlers.Config{Now: s.clock.now}}, stdio{os.Stdout, os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	defer again.close()
	purpose := func(person id.Person) string {
		if said.answers[person] || !slices.Contains(c.persons, person) {
			return consents.Survey
		}
		return consents.Interview
	}
	for person := range said.consents {
		if got, err := again.Consents.Standing(t.Context(), again.stores[database.Study], c.study.ID, person, purpose(person)); err != nil || got != consents.Yes {
			t.Errorf("an acknowledged consent is %q (%v)", got, err)
		}
	}
	for person := range said.bookings {
		bookings, err := again.Scheduling.Of(t.Context(), c.study.ID, person)
		if err != nil || len(bookings) == 0 || bookings[0].State != scheduling.Booked {
			t.Errorf("an acknowledged booking is gone: %v, %v", bookings, err)
		}
	}
	for person := range said.answers {
		r, err := again.Surveys.RespondentOf(t.Context(), c.study.ID, c.survey, person)
		if err != nil || r.State != surveys.Answered {
			t.Errorf("an acknowledged answer is gone: %v, %v", r.State, err)
		}
	}
	if len(said.consents) < 20 || len(said.bookings) < 5 || len(said.answers) < 5 {
		t.Errorf("only %d consents, %d bookings and %d answers were acknowledged: the kills came too early", len(said.consents), len(said.bookings), len(said.answers))
	}
	if _, err := again.Audit.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
