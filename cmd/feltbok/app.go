package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/fetch"
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

// app is the opened installation: stores, domains, pages, and the tasks in the background.
type app struct {
	handlers.Services
	stores map[database.Store]*database.DB
	keys   *keys.Store
	server *handlers.Server
	sender *mail.Sender
	people *people
	// ballast is room on the disk for erasing; nil where no store is in the data folder, or another process holds it.
	ballast *database.Ballast
	alone   bool // no other process can be at work on these stores
}

// options are what differs between serving, replaying and exporting.
type options struct {
	storage   storage
	pages     handlers.Config
	transport mail.Transport       // nil: mail waits
	from      mail.Address         // the installation's mailbox
	elsewhere scheduling.Elsewhere // where calendars are read; nil: the internet
	unlimited bool                 // no rate limits: for tests that come from one address
	opening   opening
}

func openApp(ctx context.Context, o options, std stdio) (_ *app, err error) {
	a := &app{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	var fresh bool
	if a.stores, fresh, err = o.storage.openStores(ctx, o.opening); err != nil {
		return nil, err
	}
	a.alone = o.opening != beside
	for _, db := range a.stores {
		a.alone = a.alone && (!db.Postgres() || o.opening == restoring)
	}
	if a.keys, err = o.storage.openKeys(ctx, a.stores[database.Keys], o.opening, o.pages.Now); err != nil {
		return nil, err
	}
	if fresh {
		o.storage.welcome(std)
	}
	if o.opening == alone && o.storage.inFolder() {
		a.ballast = database.NewBallast(o.storage.Data)
		a.fillBallast(ctx)
	}
	if o.elsewhere == nil {
		o.elsewhere = fetch.New(fetch.Options{})
	}
	a.wire(o)
	return a, a.servePages(o)
}

// wire gives each domain what it needs of the others.
func (a *app) wire(o options) {
	db, now := a.stores[database.Study], o.pages.Now
	log := audit.New(db, now)
	outbox := mail.New(db, now)
	stu := studies.New(db, log, now)
	rec := recruitment.New(db, log, stu.Pilots, now)
	advance := func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, state string, actor audit.Actor) error {
		return rec.Advance(ctx, tx, study, person, recruitment.State(state), actor)
	}
	present := func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
		return a.people.present(ctx, tx, study, person)
	}
	con := consents.New(db, log, present, advance, outbox, now)
	// Who agreed on a time before they consented stands at the consent now.
	retreat := func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, actor audit.Actor) error {
		if err := rec.Unbook(ctx, tx, study, person, actor); err != nil {
			return err
		}
		said, err := con.Standing(ctx, tx, study, person, consents.Interview)
		if err != nil || said != consents.Yes {
			return err
		}
		return rec.Advance(ctx, tx, study, person, recruitment.Consented, actor)
	}
	var sched *scheduling.Scheduling
	done := func(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, booking id.Booking) error {
		return sched.DoneTx(ctx, tx, study, person, booking, scheduling.Done)
	}
	sched = scheduling.New(db, log, scheduling.Needs{Present: present, Gate: con, Advance: advance, Retreat: retreat, Outbox: outbox,
		Elsewhere: o.elsewhere, Sealer: a.keys, Now: now})
	a.Services = handlers.Services{
		Auth: auth.New(db, log, now), Links: links.New(db, a.keys, now), Audit: log, Intents: intents.New(db, now),
		Studies: stu, Recruitment: rec, Vault: identities.New(a.stores[database.Identity], a.keys, log, now),
		Consents: con, Scheduling: sched, Interviews: interviews.New(db, log, present, con, advance, done, rec.KeepCasesTx, now),
		Surveys: surveys.New(db, log, con, advance, outbox, now), Imports: imports.New(db, log, now), Outbox: outbox,
		Ready: a.ready, Repeated: db.Repeated,
	}
	a.people = newPeople(a, db, now)
	a.People = a.people
}

func (a *app) servePages(o options) (err error) {
	// Derived, not stored: the same on every replica and after a restart.
	o.pages.FormSecret = []byte(a.keys.Blind("form secret", ""))
	o.pages.MailWaits, o.pages.MailFrom = o.transport == nil, o.from.Email
	if a.server, err = handlers.New(o.pages, a.Services); err != nil {
		return err
	}
	if o.transport != nil {
		a.sender = mail.NewSender(a.Outbox, a.server, o.transport, o.from)
	}
	return nil
}

// recover finishes what a crash left: acts under way, and mail that was being sent. With several processes on one store
// the others' leases have to run out first.
func (a *app) recover(ctx context.Context) error {
	if a.alone {
		if err := a.Outbox.Reclaim(ctx); err != nil {
			return err
		}
	}
	_, err := a.Intents.Reconcile(ctx, a.alone)
	return err
}

// erasers are all packages that keep rows about persons in the study store. A person's place in the study comes first:
// see people.present.
func (a *app) erasers() []studies.Eraser {
	return []studies.Eraser{a.Recruitment, a.Surveys, a.Auth, a.Links, a.Outbox, a.Consents, a.Scheduling, a.Interviews}
}

func (a *app) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, store := range database.Stores {
		if err := a.stores[store].Ping(ctx); err != nil {
			return fmt.Errorf("%s store: %w", store, err)
		}
	}
	return nil
}

// background runs what goes on by itself until ctx ends, and waits for it.
func (a *app) background(ctx context.Context) (wait func()) {
	var tasks sync.WaitGroup
	tasks.Go(func() { a.Intents.Run(ctx) })
	if a.sender != nil {
		tasks.Go(func() { a.sender.Run(ctx) })
	}
	tasks.Go(func() { a.sweep(ctx) })
	tasks.Go(func() { a.watch(ctx) })
	tasks.Go(func() { a.readCalendars(ctx) })
	return tasks.Wait
}

const sweepEvery = time.Hour

// sweep forgets what has served its time: sessions, the keys of forms, lists that nobody took in, tips, and proofs of
// consent. It tells owners the audit chain's newest hash too, once a day.
func (a *app) sweep(ctx context.Context) {
	for {
		err := errors.Join(a.Auth.Sweep(ctx), a.stores[database.Study].ForgetForms(ctx, a.server.Now().Add(-2*handlers.FormLifetime)),
			a.people.sweepDrafts(ctx, a.server.Now()), a.people.sweepTips(ctx), a.people.sweepFormer(ctx, a.server.Now()),
			a.Vault.SweepProofs(ctx), a.people.tellHash(ctx, a.server.Now()))
		if err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "sweep", "err", err)
		}
		a.fillBallast(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery):
		}
	}
}

const readCalendarsEvery = time.Minute

// readCalendars asks the calendars of interviewers elsewhere when they are busy.
func (a *app) readCalendars(ctx context.Context) {
	for {
		if err := a.Scheduling.ReadCalendars(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "read calendars", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(readCalendarsEvery):
		}
	}
}

// fillBallast keeps room for erasing. Without it the service goes on; only a full disk then stops erasures too.
func (a *app) fillBallast(ctx context.Context) {
	if err := a.ballast.Fill(); err != nil {
		slog.WarnContext(ctx, "no room is kept for erasing", "err", err)
	}
}

func (a *app) close() error {
	if a.people != nil {
		a.people.close()
	}
	var err error
	for _, db := range a.stores {
		err = errors.Join(err, db.Close())
	}
	return err
}
