package surveys_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/surveys"

	"github.com/google/go-cmp/cmp"
)

const study id.Study = "study"

var staff = audit.Staff("kari")

// doors is a gate with answers by person and purpose; yes where nothing is set.
type doors struct {
	mu      sync.Mutex
	answers map[string]string
}

func (d *doors) set(person id.Person, purpose, answer string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[string(person)+" "+purpose] = answer
}

// errStopped is the gate's no.
var errStopped = errs.New(errs.Forbidden, "stopped")

func (d *doors) May(_ context.Context, _ database.Querier, _ id.Study, person id.Person, purpose string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if answer, ok := d.answers[string(person)+" "+purpose]; ok && answer != "yes" {
		return errStopped
	}
	return nil
}

func (d *doors) Stopped(_ context.Context, _ database.Querier, _ id.Study, purpose string, persons []id.Person) (map[id.Person]error, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	stopped := map[id.Person]error{}
	for _, person := range persons {
		if d.answers[string(person)+" "+purpose] == "no" {
			stopped[person] = errStopped
		}
	}
	return stopped, nil
}

// letterbox keeps mails in a table, so that a transaction that fails takes its mail along.
type letterbox struct{}

func (letterbox) Enqueue(ctx context.Context, tx *database.Tx, m mail.Mail) error {
	_, err := tx.Exec(ctx, "insert into test_mail (kind, person, survey) values ($1, $2, $3)", m.Kind, m.Person, m.Params["survey"])
	return err
}

// field is a study with one survey, on one engine.
type field struct {
	*surveys.Surveys
	db       *database.DB
	log      *audit.Log
	gate     *doors
	clock    time.Time
	glance   func() // called once, when somebody next looks at the clock: between reading and writing
	survey   id.Survey
	advanced []id.Person
}

func newField(t testing.TB, db *database.DB) *field {
	t.Helper()
	ctx := t.Context()
	f := &field{db: db, gate: &doors{answers: map[string]string{}}, clock: time.UnixMilli(1_557_730_800_000)}
	now := func() time.Time {
		if glance := f.glance; glance != nil {
			f.glance = nil
			glance()
		}
		return f.clock
	}
	f.log = audit.New(db, now)
	advance := func(_ context.Context, _ *database.Tx, _ id.Study, p id.Person, state string, _ audit.Actor) error {
		if state != "surveyed" {
			t.Errorf("advanced to %q", state)
		}
		f.advanced = append(f.advanced, p)
		return nil
	}
	f.Surveys = surveys.New(db, f.log, f.gate, advance, letterbox{}, now)
	must(t, db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "create table test_mail (kind text not null, person text not null, survey text not null)")
		return err
	}))
	survey, err := f.Create(ctx, staff, study, form())
	must(t, err)
	f.survey = survey
	return f
}

// open is a field whose survey takes answers from the given persons.
func open(t testing.TB, db *database.DB, persons ...id.Person) *field {
	t.Helper()
	f := newField(t, db)
	must(t, f.Open(t.Context(), staff, study, f.survey))
	f.list(t, persons...)
	return f
}

func (f *field) list(t testing.TB, persons ...id.Person) {
	t.Helper()
	must(t, f.db.Tx(t.Context(), func(tx *database.Tx) error {
		for _, p := range persons {
			r := surveys.Respondent{Person: p, Survey: f.survey, Study: study, Case: "a", Role: "leder", Size: "small"}
			if err := f.InsertRespondentTx(t.Context(), tx, r); err != nil {
				return err
			}
		}
		return nil
	}))
}

// answer saves both pages of a person's draft.
func (f *field) answer(t testing.TB, p id.Person, importance, years string) {
	t.Helper()
	raw := map[string][]string{"q_importance": {importance}, "q_arenas": {"lab", "course"}, "q_years": {years}}
	v := form()
	for page := range v.Pages {
		answers, err := surveys.Validate(&v, page, raw)
		must(t, err)
		must(t, f.SavePage(t.Context(), study, f.survey, p, 1, page, answers))
	}
}

func (f *field) submit(t testing.TB, p id.Person) error {
	t.Helper()
	return f.Submit(t.Context(), audit.Participant(p), study, f.survey, p, "nn")
}

func (f *field) mails(t testing.TB) (mails []string) {
	t.Helper()
	mails, err := database.All(t.Context(), f.db, func(row database.Scanner) (string, error) {
		var kind, person, survey string
		err := row.Scan(&kind, &person, &survey)
		return kind + " " + person, err
	}, "select kind, person, survey from test_mail")
	must(t, err)
	slices.Sort(mails)
	return mails
}

func (f *field) state(t testing.TB, p id.Person) surveys.Progress {
	t.Helper()
	r, err := f.RespondentOf(t.Context(), study, f.survey, p)
	must(t, err)
	return r.State
}

func (f *field) responses(t testing.TB) (all []surveys.Response) {
	t.Helper()
	for r, err := range f.Responses(t.Context(), study, f.survey) {
		must(t, err)
		all = append(all, r)
	}
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func text(nb string) surveys.Text { return surveys.Text{"nb": nb, "nn": nb, "en": nb} }

// form has a scale, a list and a number on two pages.
func form() surveys.Form {
	least, most := 0, 60
	return surveys.Form{
		Title:     text("Klyngen og vi"),
		Languages: []string{"nb", "nn", "en"},
		Pages: []surveys.Page{
			{Questions: []surveys.Question{
				{Name: "intro", Type: surveys.Note, Label: text("Om dette")},
				{Name: "importance", Type: surveys.Likert, Scale: "importance", Required: true, Label: text("Hvor mye?"), Theme: "time"},
				{Name: "arenas", Type: surveys.Multiple, Scale: "arenas", Label: text("Hvilke?")},
			}},
			{Questions: []surveys.Question{
				{Name: "years", Type: surveys.Integer, Min: &least, Max: &most, Label: text("Hvor lenge?")},
				{Name: "title", Type: surveys.ShortText, MaxLength: 10, Label: text("Med to ord?")},
				{Name: "more", Type: surveys.LongText, Label: text("Mer?")},
			}},
		},
		Lists: map[string][]surveys.Choice{
			"importance": {
				{Value: "1", Label: text("Ingenting")}, {Value: "2", Label: text("Lite")}, {Value: "3", Label: text("Noe")},
				{Value: "4", Label: text("Mye")}, {Value: "5", Label: text("Svært mye")}, {Value: "dk", Label: text("Vet ikke"), Missing: true},
				{Value: "9", Label: text("Ikke aktuelt"), Missing: true},
			},
			"arenas": {{Value: "course", Label: text("Kurs")}, {Value: "lab", Label: text("Lab")}, {Value: "dk", Label: text("Vet ikke"), Missing: true}},
		},
	}
}

func TestAnswerFromInvitationToFigures(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), open(t, db, "p1", "p2", "p3")
		n, err := f.Invite(ctx, staff, study, f.survey, []id.Person{"p1", "p2", "p1", "stranger"})
		must(t, err)
		again, err := f.Invite(ctx, staff, study, f.survey, []id.Person{"p1", "p2"})
		must(t, err)
		rest, err := f.InviteAll(ctx, staff, study, f.survey)
		must(t, err)
		if n != 2 || again != 0 || rest != 1 {
			t.Errorf("invited %d, %d, %d; want 2, 0, 1", n, again, rest)
		}
		f.answer(t, "p1", "4", "12")
		f.answer(t, "p2", "dk", "3")
		must(t, f.submit(t, "p1"))
		must(t, f.submit(t, "p2"))
		want := []string{"survey_invitation p1", "survey_invitation p2", "survey_invitation p3", "survey_thanks p1", "survey_thanks p2"}
		if diff := cmp.Diff(want, f.mails(t)); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
		at := f.clock.UnixMilli()
		arenas := []string{"course", "lab"}
		wantAll := []surveys.Response{
			{Code: "R1", Person: "p1", Version: 1, Lang: "nn", SubmittedAt: at, Answers: surveys.Answers{"importance": "4", "arenas": arenas, "years": int64(12)}},
			{Code: "R2", Person: "p2", Version: 1, Lang: "nn", SubmittedAt: at, Answers: surveys.Answers{"importance": "dk", "arenas": arenas, "years": int64(3)}},
		}
		if diff := cmp.Diff(wantAll, f.responses(t)); diff != "" {
			t.Errorf("responses (-want +got):\n%s", diff)
		}
		counts, err := f.Counts(ctx, study, f.survey)
		must(t, err)
		if want := map[surveys.Progress]int{surveys.Invited: 1, surveys.Answered: 2}; !maps.Equal(counts, want) {
			t.Errorf("counts = %v, want %v", counts, want)
		}
		if _, err := f.log.Verify(ctx); err != nil {
			t.Errorf("audit: %v", err)
		}
	})
}

func TestSubmitRefuses(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), open(t, db, "p1", "p2", "p3", "p4")
		wantError(t, "nothing answered", f.submit(t, "p1"), surveys.ErrEmpty)
		wantError(t, "a stranger", f.submit(t, "stranger"), surveys.ErrNotRespondent)
		wantError(t, "another study", f.Submit(ctx, staff, "other", f.survey, "p1", "nb"), surveys.ErrNotRespondent)

		must(t, f.SavePage(ctx, study, f.survey, "p1", 1, 1, surveys.Answers{"years": int64(99), "importance": "4"}))
		fields := errs.FieldsOf(f.submit(t, "p1"))
		want := []errs.Field{{Name: "q_importance", Code: "surveys.choose"}, {Name: "q_years", Code: "surveys.at_most", Args: map[string]any{"Most": 60}}}
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Errorf("a forged draft with a gap (-want +got):\n%s", diff)
		}

		f.answer(t, "p2", "2", "1")
		must(t, f.submit(t, "p2"))
		wantError(t, "a second time", f.submit(t, "p2"), surveys.ErrAnswered)
		wantError(t, "saving after sending", f.SavePage(ctx, study, f.survey, "p2", 1, 0, nil), surveys.ErrAnswered)

		f.answer(t, "p3", "2", "1")
		for _, standing := range []string{"no", "unasked"} {
			f.gate.set("p3", "survey", standing)
			wantError(t, standing, f.submit(t, "p3"), surveys.ErrNoConsent)
			wantError(t, standing+", saving", f.SavePage(ctx, study, f.survey, "p3", 1, 0, nil), surveys.ErrNoConsent)
		}
		f.answer(t, "p4", "2", "1")
		must(t, f.SetClosing(ctx, staff, study, f.survey, f.clock))
		wantError(t, "past the last day", f.submit(t, "p4"), surveys.ErrClosed)
		must(t, f.SetClosing(ctx, staff, study, f.survey, time.Time{}))
		must(t, f.Close(ctx, staff, study, f.survey))
		wantError(t, "closed", f.submit(t, "p4"), surveys.ErrClosed)
		wantError(t, "closed, saving", f.SavePage(ctx, study, f.survey, "p4", 1, 0, nil), surveys.ErrClosed)
		_, err := f.Invite(ctx, staff, study, f.survey, []id.Person{"p1"})
		wantError(t, "closed, inviting", err, surveys.ErrClosed)
		if got := len(f.responses(t)); got != 1 {
			t.Errorf("%d responses, want 1", got)
		}
		if diff := cmp.Diff([]string{"survey_thanks p2"}, f.mails(t)); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
		if f.state(t, "p3") != surveys.Started || f.state(t, "p4") != surveys.Started {
			t.Error("a refused submission changed somebody's state")
		}
	})
}

// A double click, a replay and two devices at once are one answer, and it is one that was checked.
func TestSubmitRaces(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		var persons []id.Person
		for i := range 10 {
			persons = append(persons, id.Person(fmt.Sprint("p", i)))
		}
		f := open(t, db, persons...)
		var mu sync.Mutex
		sent, acknowledged := map[id.Person]int{}, map[id.Person]surveys.Response{}
		var wg sync.WaitGroup
		for _, p := range persons {
			f.answer(t, p, "3", "7")
			for range 4 {
				wg.Go(func() {
					switch err := f.submit(t, p); {
					case err == nil:
						responses := f.responses(t)
						at := slices.IndexFunc(responses, func(r surveys.Response) bool { return r.Person == p })
						mu.Lock()
						sent[p]++
						acknowledged[p] = responses[at]
						mu.Unlock()
					case !errors.Is(err, surveys.ErrAnswered):
						t.Errorf("%s: %v", p, err)
					}
				})
				wg.Go(func() { // the other device
					err := f.SavePage(t.Context(), study, f.survey, p, 1, 1, surveys.Answers{"years": int64(60)})
					if err != nil && !errors.Is(err, surveys.ErrAnswered) {
						t.Errorf("%s saves: %v", p, err)
					}
				})
			}
		}
		wg.Wait()
		for _, p := range persons {
			if sent[p] != 1 {
				t.Errorf("%s was told %d times that it is sent, want once", p, sent[p])
			}
		}
		got := f.responses(t)
		if len(got) != len(persons) {
			t.Errorf("%d responses, want %d", len(got), len(persons))
		}
		for _, r := range got {
			if diff := cmp.Diff(acknowledged[r.Person], r); diff != "" {
				t.Errorf("%s changed after it was sent (-then +now):\n%s", r.Person, diff)
			}
		}
		if got := len(f.mails(t)); got != len(persons) {
			t.Errorf("%d thanks, want %d", got, len(persons))
		}
	})
}

// What happens between checking a draft and sending it is not lost: a page saved meanwhile is sent too, after checking,
// and a survey closed meanwhile takes nothing.
func TestSubmitSeesWhatChanges(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), open(t, db, "p1", "p2", "p3")
		for _, p := range []id.Person{"p1", "p2", "p3"} {
			f.answer(t, p, "3", "7")
		}
		f.glance = func() { must(t, f.SavePage(ctx, study, f.survey, "p1", 1, 1, surveys.Answers{"years": int64(60)})) }
		must(t, f.submit(t, "p1"))
		if got := f.responses(t)[0].Answers["years"]; got != int64(60) {
			t.Errorf("sent %v years, want those saved last", got)
		}
		f.glance = func() { must(t, f.SavePage(ctx, study, f.survey, "p2", 1, 1, surveys.Answers{"years": int64(61)})) }
		if err := f.submit(t, "p2"); errs.KindOf(err) != errs.Invalid {
			t.Errorf("a fault saved meanwhile: %v", err)
		}
		f.glance = func() { must(t, f.Close(ctx, staff, study, f.survey)) }
		wantError(t, "closed meanwhile", f.submit(t, "p3"), surveys.ErrClosed)
	})
}

// Withdrawal and sending at once leave nothing behind, whichever comes first.
func TestWithdrawalRacesSubmission(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		var persons []id.Person
		for i := range 20 {
			persons = append(persons, id.Person(fmt.Sprint("p", i)))
		}
		f := open(t, db, persons...)
		var wg sync.WaitGroup
		for _, p := range persons {
			f.answer(t, p, "3", "7")
			wg.Go(func() { f.submit(t, p) })
			wg.Go(func() {
				f.gate.set(p, "survey", "no")
				if err := db.Tx(ctx, func(tx *database.Tx) error { return f.WithdrawTx(ctx, tx, study, p) }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if left := f.responses(t); len(left) != 0 {
			t.Errorf("%d responses of people who have withdrawn", len(left))
		}
		for _, p := range persons {
			if got := f.state(t, p); got != surveys.Out {
				t.Errorf("%s is %s, want out", p, got)
			}
		}
	})
}

func TestDraftIsResumed(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), open(t, db, "p1", "p2")
		saved, err := f.SavedOf(ctx, study, f.survey, "p1")
		must(t, err)
		if diff := cmp.Diff(surveys.Saved{Version: 1, Answers: surveys.Answers{}}, saved); diff != "" {
			t.Errorf("before anything is saved (-want +got):\n%s", diff)
		}
		f.answer(t, "p1", "4", "12")
		must(t, f.SavePage(ctx, study, f.survey, "p1", 1, 0, surveys.Answers{"arenas": []string{"lab"}, "years": int64(1), "nonsense": "x"}))
		saved, err = f.SavedOf(ctx, study, f.survey, "p1")
		must(t, err)
		want := surveys.Saved{Version: 1, Page: 0, SavedAt: f.clock.UnixMilli(), Answers: surveys.Answers{"arenas": []string{"lab"}, "years": int64(12)}}
		if diff := cmp.Diff(want, saved); diff != "" {
			t.Errorf("a page takes the place of itself alone (-want +got):\n%s", diff)
		}
		if f.state(t, "p1") != surveys.Started {
			t.Error("who has a draft has started")
		}

		changed := form()
		changed.Pages[1].Questions = changed.Pages[1].Questions[:1]
		version, err := f.SaveForm(ctx, staff, study, f.survey, changed)
		must(t, err)
		if version != 2 {
			t.Errorf("a form that was open is saved as version %d, want 2", version)
		}
		wantError(t, "a page of the new form", f.SavePage(ctx, study, f.survey, "p1", 2, 0, nil), surveys.ErrOtherVersion)
		wantError(t, "a page that is not there", f.SavePage(ctx, study, f.survey, "p1", 1, 2, nil), surveys.ErrNotFound)
		wantError(t, "a form that is not there", f.SavePage(ctx, study, f.survey, "p2", 3, 0, nil), surveys.ErrNotFound)
		f.answer(t, "p1", "5", "12")
		must(t, f.submit(t, "p1"))
		if got := f.responses(t); got[0].Version != 1 {
			t.Errorf("answered version %d, want the one begun on", got[0].Version)
		}
		if saved, err = f.SavedOf(ctx, study, f.survey, "p1"); err != nil || saved.SavedAt != 0 {
			t.Errorf("draft after sending: %v, %v", saved, err)
		}
		must(t, f.SavePage(ctx, study, f.survey, "p2", 2, 0, surveys.Answers{"importance": "1"}))
	})
}

func TestFormStates(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), newField(t, db)
		f.list(t, "p1")
		wantError(t, "saving before opening", f.SavePage(ctx, study, f.survey, "p1", 1, 0, nil), surveys.ErrClosed)
		wantError(t, "closing before opening", f.Close(ctx, staff, study, f.survey), surveys.ErrClosed)

		half := form()
		half.Title = surveys.Text{"nb": "Ny tittel"}
		version, err := f.SaveForm(ctx, staff, study, f.survey, half)
		must(t, err)
		wantError(t, "opening a form without all wordings", f.Open(ctx, staff, study, f.survey), &errs.Error{Kind: errs.Invalid, Code: "invalid"})
		v, err := f.Get(ctx, study, f.survey)
		must(t, err)
		if version != 1 || v.Title != "Ny tittel" || v.State != surveys.StateDraft || v.OpenedAt != 0 {
			t.Errorf("version %d, survey %+v: want a changed draft", version, v)
		}
		_, err = f.SaveForm(ctx, staff, study, f.survey, form())
		must(t, err)
		must(t, f.Open(ctx, staff, study, f.survey))
		_, err = f.SaveForm(ctx, staff, study, f.survey, half)
		wantError(t, "changing an open form to one without all wordings", err, &errs.Error{Kind: errs.Invalid, Code: "invalid"})
		opened, err := f.FormAt(ctx, study, f.survey, 1)
		must(t, err)
		if diff := cmp.Diff(form(), opened); diff != "" {
			t.Errorf("form read back (-want +got):\n%s", diff)
		}
		for what, err := range map[string]error{
			"open":  f.Open(ctx, staff, "other", f.survey),
			"close": f.Close(ctx, staff, "other", f.survey),
			"date":  f.SetClosing(ctx, staff, "other", f.survey, f.clock),
			"get":   second(f.Get(ctx, "other", f.survey)),
			"form":  second(f.FormAt(ctx, "other", f.survey, 1)),
			"save":  second(f.SaveForm(ctx, staff, "other", f.survey, form())),
			"count": second(f.Frequencies(ctx, "other", f.survey)),
		} {
			wantError(t, what+" from another study", err, surveys.ErrNotFound)
		}
		list, err := f.List(ctx, study)
		must(t, err)
		if len(list) != 1 || list[0].State != surveys.StateOpen || list[0].Title != "Klyngen og vi" {
			t.Errorf("list = %+v", list)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestRespondents(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), open(t, db)
		insert := func(r surveys.Respondent) error {
			r.Survey, r.Study = f.survey, study
			return db.Tx(ctx, func(tx *database.Tx) error { return f.InsertRespondentTx(ctx, tx, r) })
		}
		for _, r := range []surveys.Respondent{{Person: "a", Code: "A10"}, {Person: "b", Code: "A2"}, {Person: "c"}, {Person: "c"}, {Person: "d"}, {Person: "b", Code: "A3"}} {
			must(t, insert(r))
		}
		wantError(t, "a code that is taken", insert(surveys.Respondent{Person: "e", Code: "A2"}), surveys.ErrCodeTaken)
		f.gate.set("x", "survey_contact", "unasked")
		wantError(t, "an informant who was not asked", f.AddInformant(ctx, staff, surveys.Respondent{Person: "x", Code: "B1", Survey: f.survey, Study: study}), surveys.ErrNoConsent)
		must(t, f.AddInformant(ctx, staff, surveys.Respondent{Person: "y", Code: "B2", Survey: f.survey, Study: study}))
		must(t, f.AddInformant(ctx, staff, surveys.Respondent{Person: "z", Code: "B3", Survey: f.survey, Study: study}))
		all, err := f.Respondents(ctx, study, f.survey)
		must(t, err)
		var codes []string
		for _, r := range all {
			codes = append(codes, r.Code)
		}
		if got := strings.Join(codes, " "); got != "A2 A10 B2 B3 R1 R2" {
			t.Errorf("codes %s", got)
		}
		some, err := f.Codes(ctx, study, []id.Person{"a", "z", "nobody"})
		if diff := cmp.Diff(map[id.Person]string{"a": "A10", "z": "B3"}, some); err != nil || diff != "" {
			t.Errorf("codes of some: %v\n%s", err, diff)
		}
		if others, err := f.Codes(ctx, "another", []id.Person{"a"}); err != nil || len(others) != 0 {
			t.Errorf("codes through another study: %v, %v", others, err)
		}

		f.gate.set("y", "survey_contact", "no")
		f.gate.set("c", "survey", "no")
		must(t, f.Decline(ctx, study, f.survey, "d"))
		n, err := f.InviteAll(ctx, staff, study, f.survey)
		must(t, err)
		if n != 3 || f.state(t, "y") != surveys.Out || f.state(t, "z") != surveys.Invited || f.state(t, "d") != surveys.Declined || f.state(t, "c") != surveys.Listed {
			t.Errorf("%d invited, y %s, z %s, d %s, c %s", n, f.state(t, "y"), f.state(t, "z"), f.state(t, "d"), f.state(t, "c"))
		}
		f.gate.set("c", "survey", "unasked")
		if n, err = f.InviteAll(ctx, staff, study, f.survey); err != nil || n != 1 || f.state(t, "c") != surveys.Invited {
			t.Errorf("%d invited when the restriction is lifted, c %s: %v", n, f.state(t, "c"), err)
		}
		f.answer(t, "z", "1", "1")
		f.answer(t, "a", "1", "1")
		must(t, f.submit(t, "z"))
		must(t, f.submit(t, "a"))
		if !slices.Equal(f.advanced, []id.Person{"z"}) {
			t.Errorf("advanced %v, want the informant alone", f.advanced)
		}
	})
}

// Erasing leaves nothing of a person in any table that the package names, and everything of the others.
func TestErase(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), open(t, db, "p1", "p2", "p3")
		for _, p := range []id.Person{"p1", "p2", "p3"} {
			f.answer(t, p, "4", "12")
		}
		must(t, f.submit(t, "p1"))
		must(t, f.submit(t, "p2"))
		for _, p := range []id.Person{"p1", "p3", "p1"} {
			must(t, db.Tx(ctx, func(tx *database.Tx) error { return f.Erase(ctx, tx, p) }))
		}
		for table, want := range map[string]int{"survey_respondent": 1, "survey_response": 1} {
			if !slices.Contains(f.Tables(), table) {
				t.Errorf("%s is not among Tables", table)
			}
			var n, others int
			must(t, db.QueryRow(ctx, "select count(*), count(*) filter (where person_id = 'p2') from "+table).Scan(&n, &others))
			if n != want || others != want {
				t.Errorf("%s: %d rows, %d of p2; want %d", table, n, others, want)
			}
		}
		wantError(t, "sending after erasure", f.submit(t, "p3"), surveys.ErrNotRespondent)
	})
}

// Inviting more than one transaction holds reaches everybody once, and a reader that stops early is let go.
func TestManyRespondents(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, f := t.Context(), open(t, db)
		var persons []id.Person
		for range 600 {
			persons = append(persons, id.New[id.Person]())
		}
		f.list(t, persons...)
		n, err := f.InviteAll(ctx, staff, study, f.survey)
		must(t, err)
		mails := f.mails(t)
		if n != len(persons) || len(slices.Compact(mails)) != len(persons) {
			t.Errorf("%d invited, %d mails; want %d", n, len(mails), len(persons))
		}
		for _, p := range persons[:3] {
			f.answer(t, p, "2", "2")
			must(t, f.submit(t, p))
		}
		for r, err := range f.Responses(ctx, study, f.survey) {
			must(t, err)
			if r.Code != "R1" {
				t.Errorf("first response is %s's, want R1's", r.Code)
			}
			break
		}
	})
}

func TestFrequencies(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		given := []struct{ importance, years string }{{"1", "0"}, {"4", "10"}, {"5", ""}, {"9", "3"}, {"4", "60"}}
		var persons []id.Person
		for i := range given {
			persons = append(persons, id.Person(fmt.Sprint("p", i)))
		}
		f := open(t, db, append(persons, "new")...)
		for i, p := range persons {
			f.answer(t, p, given[i].importance, given[i].years)
			must(t, f.submit(t, p))
		}
		changed := form() // the new version drops a question and asks another
		changed.Pages[1].Questions[1] = surveys.Question{Name: "added", Type: surveys.ShortText, Label: text("Ny")}
		_, err := f.SaveForm(ctx, staff, study, f.survey, changed)
		must(t, err)
		must(t, f.SavePage(ctx, study, f.survey, "new", 2, 0, surveys.Answers{"importance": "2", "arenas": []string{"dk"}}))
		must(t, f.submit(t, "new"))

		got, err := f.Frequencies(ctx, study, f.survey)
		must(t, err)
		type row struct {
			Name                   string
			N, Missing, Unanswered int
			Counts                 map[string]int
			Figures                string
		}
		var rows []row
		for _, q := range got {
			rows = append(rows, row{q.Question.Name, q.N, q.Missing, q.Unanswered, q.Counts, figures(q)})
		}
		want := []row{
			{"importance", 5, 1, 0, map[string]int{"1": 1, "2": 1, "4": 2, "5": 1, "9": 1}, "3.200 1.643 4.000"},
			{"arenas", 5, 1, 0, map[string]int{"course": 5, "lab": 5, "dk": 1}, "- - -"},
			{"years", 4, 0, 2, map[string]int{"0": 1, "3": 1, "10": 1, "60": 1}, "18.250 28.147 6.500"},
			{"added", 0, 0, 1, nil, "- - -"},
			{"more", 0, 0, 6, nil, "- - -"},
			{"title", 0, 0, 5, nil, "- - -"},
		}
		if diff := cmp.Diff(want, rows); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
	})
}

// figures prints mean, standard deviation and median; R: mean(x), sd(x), median(x).
func figures(f surveys.Frequency) string {
	var parts []string
	for _, x := range []*float64{f.Mean, f.SD, f.Median} {
		if x == nil {
			parts = append(parts, "-")
			continue
		}
		parts = append(parts, fmt.Sprintf("%.3f", *x))
	}
	return strings.Join(parts, " ")
}

func TestFrequenciesOfNothing(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		f := open(t, db, "p1", "p2")
		empty, err := f.Frequencies(t.Context(), study, f.survey)
		must(t, err)
		for _, q := range empty {
			if q.N+q.Missing+q.Unanswered != 0 || figures(q) != "- - -" {
				t.Errorf("%s without responses: %+v", q.Question.Name, q)
			}
		}
		f.answer(t, "p1", "dk", "5")
		must(t, f.submit(t, "p1"))
		one, err := f.Frequencies(t.Context(), study, f.survey)
		must(t, err)
		if one[0].Missing != 1 || figures(one[0]) != "- - -" || figures(one[2]) != "5.000 - 5.000" {
			t.Errorf("one response: %+v, %s", one[0], figures(one[2]))
		}
		without, err := f.Frequencies(t.Context(), study, f.survey, "p1")
		must(t, err)
		if without[0].Missing != 0 || figures(without[2]) != "- - -" {
			t.Errorf("without the one who answered: %+v, %s", without[0], figures(without[2]))
		}
	})
}
