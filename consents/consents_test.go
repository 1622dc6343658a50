package consents_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// world is the consents of one study, with what they reported to recruitment and the outbox.
type world struct {
	*consents.Consents
	db     *database.DB
	log    *audit.Log
	study  id.Study
	mu     sync.Mutex
	states []string
	mails  []mail.Mail
	gone   id.Person // has left the study
}

var errGone = errs.New(errs.NotFound, "gone")

func (w *world) present(_ context.Context, _ *database.Tx, _ id.Study, person id.Person) error {
	if person == w.gone {
		return errGone
	}
	return nil
}

func (w *world) Enqueue(_ context.Context, _ *database.Tx, m mail.Mail) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mails = append(w.mails, m)
	return nil
}

func (w *world) advance(_ context.Context, _ *database.Tx, _ id.Study, _ id.Person, state string, _ audit.Actor) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states = append(w.states, state)
	return nil
}

var noon = time.Date(2019, 3, 1, 11, 0, 0, 0, time.UTC)

func each(t *testing.T, fn func(t *testing.T, w *world)) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		now := func() time.Time { return noon }
		w := &world{db: db, log: audit.New(db, now), study: id.New[id.Study]()}
		w.Consents = consents.New(db, w.log, w.present, w.advance, w, now)
		fn(t, w)
		if _, err := w.log.Verify(t.Context()); err != nil {
			t.Errorf("audit chain: %v", err)
		}
	})
}

var (
	researcher = id.New[id.Account]()
	staff      = audit.Staff(researcher)
)

func fields() consents.Fields {
	return consents.Fields{Title: "Samskaping", Purpose: "Vi vil forstå samskaping.", Questions: []string{"Hva driver?", "Hva hindrer?"},
		Institution: "Nordfjord universitet", ProjectContact: "prosjekt@example.org", Supervisor: "Veileder Veiledersen",
		SupervisorContact: "veileder@example.org", Officer: "Ombudet", OfficerContact: "personvern@example.org",
		Assessment: "Personverntjenesten, referanse 12345", EndsOn: "4. juni 2019", Duration: "60 minutter"}
}

func allLanguages() map[string]consents.Fields {
	return map[string]consents.Fields{"nb": fields(), "nn": fields(), "en": fields()}
}

func (w *world) publish(t *testing.T, audience string) consents.Letter {
	t.Helper()
	letters, err := w.Publish(t.Context(), researcher, w.study, audience, consents.Consent, allLanguages())
	if err != nil {
		t.Fatal(err)
	}
	return letters[0]
}

func yesToAll(l consents.Letter) map[string]bool {
	answers := map[string]bool{}
	for _, item := range l.Items {
		answers[item.Purpose] = true
	}
	return answers
}

func (w *world) act(l consents.Letter, answers map[string]bool) consents.Act {
	return consents.Act{Study: w.study, Person: id.New[id.Person](), Letter: l.ID, Means: consents.OwnLink, Answers: answers}
}

func (w *world) record(t *testing.T, act consents.Act) {
	t.Helper()
	if err := w.Record(t.Context(), audit.Participant(act.Person), act); err != nil {
		t.Fatal(err)
	}
}

func (w *world) withdraw(ctx context.Context, actor audit.Actor, person id.Person, purposes []string) error {
	return w.db.Tx(ctx, func(tx *database.Tx) error { return w.WithdrawTx(ctx, tx, actor, w.study, person, purposes) })
}

func (w *world) standing(t *testing.T, person id.Person, purpose string) string {
	t.Helper()
	standing, err := w.Standing(t.Context(), w.db, w.study, person, purpose)
	if err != nil {
		t.Fatal(err)
	}
	return standing
}

func wantFields(t *testing.T, err error, want ...string) {
	t.Helper()
	got := map[string]bool{}
	for _, f := range errs.FieldsOf(err) {
		got[f.Name+" "+f.Code] = true
	}
	if errs.KindOf(err) != errs.Invalid || len(got) != len(want) {
		t.Fatalf("got %v, want Invalid with %q", err, want)
	}
	for _, field := range want {
		if !got[field] {
			t.Errorf("got %v, want %q among the fields", err, field)
		}
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
