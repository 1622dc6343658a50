package scheduling_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/scheduling"
)

// world is a study whose clock stands on Monday 1 April 2019 at 09:00 in Oslo.
type world struct {
	*scheduling.Scheduling
	db       *database.DB
	log      *audit.Log
	study    id.Study
	mu       sync.Mutex
	at       time.Time
	standing map[id.Person]string // "yes" where nothing is said
	asked    func()               // called when the gate is asked
	looked   func()               // called when the clock is looked at
	states   map[id.Person]string
	gone     map[id.Person]bool // who has left the study
	mails    []mail.Mail
	reminded bool // reminders are kept too

	elsewhere *elsewhere // the calendar that an interviewer has there
}

const staff = audit.Actor("account:staff")

func newWorld(db *database.DB) *world {
	w := &world{db: db, study: id.New[id.Study](), at: at("2019-04-01T09:00"), elsewhere: &elsewhere{}, standing: map[id.Person]string{}, states: map[id.Person]string{}}
	now := func() time.Time {
		if w.looked != nil {
			w.looked()
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.at
	}
	w.log = audit.New(db, now)
	w.Scheduling = scheduling.New(db, w.log, scheduling.Needs{Present: w.present, Gate: w, Advance: w.advance, Retreat: w.retreat, Outbox: w,
		Elsewhere: w.elsewhere, Sealer: sealer{}, Now: now})
	return w
}

// each runs a test in a new world on each engine.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) { fn(t, newWorld(db)) })
}

var errGone = errs.New(errs.NotFound, "gone")

func (w *world) present(_ context.Context, _ *database.Tx, _ id.Study, p id.Person) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone[p] {
		return errGone
	}
	return nil
}

// errStopped is the gate's no.
var errStopped = errs.New(errs.Forbidden, "stopped")

func (w *world) May(ctx context.Context, q database.Querier, study id.Study, p id.Person, purpose string) error {
	standing, err := w.ask(ctx, q, study, p, purpose)
	if err == nil && standing != "yes" {
		return errStopped
	}
	return err
}

func (w *world) MayBeforeYes(ctx context.Context, q database.Querier, study id.Study, p id.Person, purpose string) error {
	standing, err := w.ask(ctx, q, study, p, purpose)
	if err == nil && standing == "no" {
		return errStopped
	}
	return err
}

// ask, advance and Enqueue stand in for consents, recruitment and mail. Like consents, ask holds a row of the person's
// until the transaction ends.
func (w *world) ask(ctx context.Context, q database.Querier, study id.Study, p id.Person, purpose string) (string, error) {
	if tx, ok := q.(*database.Tx); ok {
		if _, err := tx.Exec(ctx, `insert into person_turn (person_id, study_id, turn) values ($1, $2, 1)
			on conflict (person_id) do update set turn = person_turn.turn + 1`, "consent of "+p, study); err != nil {
			return "", err
		}
	}
	if asked := w.asked; asked != nil {
		w.asked = nil
		asked()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if standing, ok := w.standing[p]; ok || purpose != "interview" {
		return standing, nil
	}
	return "yes", nil
}

func (w *world) advance(_ context.Context, _ *database.Tx, _ id.Study, p id.Person, state string, _ audit.Actor) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states[p] = state
	return nil
}

func (w *world) retreat(_ context.Context, _ *database.Tx, _ id.Study, p id.Person, _ audit.Actor) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states[p] = "consented"
	return nil
}

func (w *world) Enqueue(_ context.Context, _ *database.Tx, m mail.Mail) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reminded || m.Kind != scheduling.MailReminder {
		w.mails = append(w.mails, m)
	}
	return nil
}

// sent returns and forgets what was enqueued, as "kind to sequence".
func (w *world) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, m := range w.mails {
		to := string(m.Account)
		if m.Person != "" {
			to = "person"
		}
		all = append(all, fmt.Sprintf("%s %s %s", m.Kind, to, m.Params["sequence"]))
	}
	w.mails = nil
	return all
}

func (w *world) set(wall string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = at(wall)
}

// at reads a wall time in Oslo.
func at(wall string) time.Time {
	instants, err := scheduling.Instants(wall, "Europe/Oslo")
	if err != nil || len(instants) == 0 {
		panic(fmt.Sprint(wall, err))
	}
	return instants[0]
}

// workdays are the hours of an ordinary week.
func workdays(from, to int) []scheduling.Window {
	var windows []scheduling.Window
	for day := time.Monday; day <= time.Friday; day++ {
		windows = append(windows, scheduling.Window{Weekday: day, From: from * 60, To: to * 60})
	}
	return windows
}

// version is that of an interviewer's week, 0 before there is one.
func (w *world) version(t testing.TB, account id.Account) int64 {
	t.Helper()
	week, err := w.Week(t.Context(), w.study, account)
	if err != nil && !errors.Is(err, scheduling.ErrNotFound) {
		t.Fatal(err)
	}
	return week.Version
}

func (w *world) week(t testing.TB, account id.Account, windows ...scheduling.Window) {
	t.Helper()
	if err := w.SetWeek(t.Context(), staff, w.study, scheduling.Week{Account: account, Zone: "Europe/Oslo", Windows: windows, Version: w.version(t, account)}); err != nil {
		t.Fatal(err)
	}
}

// offer saves a type after change has had its way with an hourly one without buffers or notice.
func (w *world) offer(t testing.TB, change func(*scheduling.Type)) {
	t.Helper()
	kind := scheduling.Type{Study: w.study, Audience: "company", Minutes: 60, Grid: 60, HorizonDays: 60, DeadlineHours: 24,
		Modes: []scheduling.Mode{scheduling.Phone, scheduling.InPerson}, Interviewers: 1, Place: "Rom 4.12"}
	now, err := w.TypeOf(t.Context(), w.study, "company")
	if err != nil {
		t.Fatal(err)
	}
	kind.Version = now.Version
	if change != nil {
		change(&kind)
	}
	if err := w.SaveType(t.Context(), staff, kind); err != nil {
		t.Fatal(err)
	}
}

func (w *world) own(ctx context.Context, p id.Person, start time.Time) (scheduling.Booking, error) {
	return w.Book(ctx, audit.Participant(p), scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Phone, Start: start, Language: "nb"})
}

func (w *world) mustOwn(t testing.TB, p id.Person, wall string) scheduling.Booking {
	t.Helper()
	b, err := w.own(t.Context(), p, at(wall))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) byStaff(ctx context.Context, p id.Person, start time.Time, interviewers ...id.Account) (scheduling.Booking, error) {
	return w.Book(ctx, staff, scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Phone, Start: start, ByStaff: true, Interviewers: interviewers})
}

func (w *world) search(mode scheduling.Mode) scheduling.Search {
	return scheduling.Search{Study: w.study, Audience: "company", Mode: mode}
}

func (w *world) freeOn(t testing.TB, day string) []string {
	t.Helper()
	from := at(day + "T00:00")
	slots, err := w.Free(t.Context(), w.search(""), from, from.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	var walls []string
	for _, s := range slots {
		walls = append(walls, s.Start.Format("15:04"))
	}
	return walls
}

func (w *world) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	if err := w.db.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func person() id.Person { return id.New[id.Person]() }

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func is(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// faults lists what an Invalid says, as "field: code".
func faults(err error) []string {
	var all []string
	for _, f := range errs.FieldsOf(err) {
		all = append(all, f.Name+": "+f.Code)
	}
	slices.Sort(all)
	return all
}

type failingOutbox struct{ err error }

func (f failingOutbox) Enqueue(context.Context, *database.Tx, mail.Mail) error { return f.err }
