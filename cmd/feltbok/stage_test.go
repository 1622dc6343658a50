package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/fetch"
	"example.org/feltbok/internal/mail"
)

const testBase = "http://127.0.0.1:8080"

// stage is a whole installation for a test: real stores, real pages, mail in a folder, and a clock to turn.
type stage struct {
	*app
	t      testing.TB
	clock  *clock
	folder string                    // the data folder's parent: stores/, mail/, master.key
	files  map[database.Store]string // where a store's file lies; nothing on PostgreSQL
	// elsewhere is where calendars are read.
	elsewhere *elsewhere
}

// elsewhere answers for the calendars that interviewers have elsewhere, as a test says.
type elsewhere struct {
	get func(address string) (fetch.Answer, error)
}

func (e *elsewhere) Check(address string) (string, error) {
	if !strings.HasPrefix(address, "https://") {
		return "", errs.New(errs.Invalid, "fetch.refused")
	}
	return address, nil
}

func (e *elsewhere) Get(_ context.Context, address, _, _ string) (fetch.Answer, error) {
	return e.get(address)
}

// eachStage runs fn on an empty installation of each engine, on both at once, and returns when both are done.
func eachStage(t *testing.T, fn func(t *testing.T, s *stage)) {
	t.Helper()
	t.Run("on", func(t *testing.T) {
		dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
			t.Parallel()
			fn(t, newStage(t, dsn))
		})
	})
}

// eachStageInTurn is eachStage for a test that changes what all of a process share, such as its environment.
func eachStageInTurn(t *testing.T, fn func(t *testing.T, s *stage)) {
	t.Helper()
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) { fn(t, newStage(t, dsn)) })
}

// newStage opens an empty installation at the given addresses; at nil, in files.
func newStage(t testing.TB, dsn func(database.Store) string) *stage {
	t.Helper()
	s := &stage{t: t, clock: &clock{}, folder: t.TempDir(), elsewhere: &elsewhere{}}
	s.elsewhere.get = func(string) (fetch.Answer, error) {
		return fetch.Answer{}, errs.New(errs.Unavailable, "fetch.unreachable")
	}
	s.clock.set(time.Date(2019, 2, 4, 8, 0, 0, 0, time.UTC))
	transport, err := mail.NewFolder(filepath.Join(s.folder, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	store := storage{Data: filepath.Join(s.folder, "stores"), MasterKey: filepath.Join(s.folder, "master.key")}
	if err := os.MkdirAll(store.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if dsn == nil {
		for _, one := range database.Stores {
			dbtest.File(t, store.Data, one)
		}
	} else {
		store.StudyDSN, store.IdentityDSN, store.KeysDSN = dsn(database.Study), dsn(database.Identity), dsn(database.Keys)
	}
	s.files = map[database.Store]string{database.Study: store.StudyDSN, database.Identity: store.IdentityDSN, database.Keys: store.KeysDSN}
	for name, file := range s.files {
		if file == "" {
			s.files[name] = filepath.Join(store.Data, string(name)+".db")
		}
	}
	s.app, err = openApp(t.Context(), options{storage: store, transport: transport, from: demoMailbox, elsewhere: s.elsewhere,
		pages: handlers.Config{BaseURL: testBase, Now: s.clock.now, Unlimited: true}}, stdio{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	auth.HashCheaply(s.Auth)
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// browser opens a browser of somebody's own.
func (s *stage) browser() *browser.Browser {
	s.t.Helper()
	b, err := browser.New(s.server, testBase)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// setupToken makes the link for the first account.
func (s *stage) setupToken() string {
	s.t.Helper()
	token, err := s.Auth.NewLink(context.Background(), auth.Setup, "", time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// owner signs in the first account, making it if need be, and returns its browser.
func (s *stage) owner() *browser.Browser {
	s.t.Helper()
	b := s.browser()
	s.must(b.Get("/setup/" + s.setupToken()))
	s.must(b.Form("main form").Set("email", "eier@example.org").Set("name", "Eier Oppdiktet").
		Set("password", "et langt nok passord").Set("language", "nb").Submit())
	return b
}

// study makes a study with case A and returns its path.
func (s *stage) study(b *browser.Browser) string {
	s.t.Helper()
	s.must(b.Get("/studies/new"))
	f := b.Form("main form")
	for name, value := range map[string]string{"title": "Prøvestudie", "purpose": "Å prøve", "questions": "Virker det?",
		"institution": "Nordfjord universitet", "contact": "Eier, eier@example.org", "supervisor": "Vera Veileder",
		"supervisor_contact": "vera@example.org", "officer": "Per Personvern", "officer_contact": "per@example.org",
		"assessment": "Prøve 1", "legal_basis": "consent", "zone": "Europe/Oslo", "starts_on": "2019-02-01",
		"ends_on": "2019-12-31", "duration": "60", "recording": "yes"} {
		f.Set(name, value)
	}
	s.must(f.Submit())
	path, _, _ := strings.Cut(b.Address(), "?")
	s.must(b.Get(path + "/sample"))
	s.must(b.Form(`form[action$="/cases"]`).Set("code", "A").Set("name", "Klynge A").Submit())
	return path
}

// sendMail sends what is due.
func (s *stage) sendMail() {
	s.t.Helper()
	if _, err := s.sender.SendDue(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// post is a mail server under the test's control.
type post struct{ send func(mail.Message) error }

func (p post) Name() string { return "post" }
func (p post) Close() error { return nil }

func (p post) Send(_ context.Context, m mail.Message, _ string) error { return p.send(m) }

// deliver hands every mail to fn instead of writing it into the folder.
func (s *stage) deliver(fn func(mail.Message) error) {
	s.sender = mail.NewSender(s.Outbox, s.server, post{fn}, demoMailbox)
}
