package consents_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"

	"github.com/google/go-cmp/cmp"
)

func TestRecordKeepsWhatWasShown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		answers := yesToAll(l)
		answers[consents.Recording] = false
		act := w.act(l, answers)
		w.record(t, act)
		state, err := w.State(ctx, w.study, act.Person)
		if err != nil || len(state.Acts) != 1 {
			t.Fatalf("state %+v, %v", state, err)
		}
		given := state.Acts[0]
		if given.Hash != l.Hash || given.Letter != l.ID || given.Language != "nb" || given.Means != consents.OwnLink ||
			given.Actor != audit.Participant(act.Person) || given.At != noon.UnixMilli() || state.InformedAt != given.At || state.Letter != l.ID {
			t.Errorf("act %+v", given)
		}
		for i, item := range l.Items {
			want := consents.Answer{Purpose: item.Purpose, Text: item.Text, Hint: item.Hint, Yes: item.Purpose != consents.Recording}
			if given.Items[i] != want {
				t.Errorf("item %+v, want %+v", given.Items[i], want)
			}
		}
		want := map[string]string{"interview": "yes", "recording": "no", "quotation": "yes", "job_title": "yes", "follow_up": "yes", "survey_contact": "yes"}
		if diff := cmp.Diff(want, state.ByPurpose); diff != "" {
			t.Errorf("state (-want +got):\n%s", diff)
		}
		if len(w.mails) != 1 || w.mails[0].Kind != consents.ReceiptKind || w.mails[0].Params["act"] != string(given.ID) || w.mails[0].Person != act.Person {
			t.Errorf("mails %+v", w.mails)
		}
		if got := strings.Join(w.states, " "); got != "consented" {
			t.Errorf("states %q", got)
		}
		again, err := w.Act(ctx, w.study, given.ID)
		if diff := cmp.Diff(given, again); err != nil || diff != "" {
			t.Errorf("Act: %v\n%s", err, diff)
		}
		_, err = w.Act(ctx, "other", given.ID)
		wantErr(t, err, consents.ErrNoAct)
	})
}

func TestRecordWantsEveryAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		answers := yesToAll(l)
		delete(answers, consents.Recording)
		delete(answers, consents.SurveyContact)
		act := w.act(l, answers)
		err := w.Record(t.Context(), audit.Participant(act.Person), act)
		wantFields(t, err, "consent_recording choose_recording", "consent_survey_contact choose_survey_contact")
		act.Answers = nil
		if err := w.Record(t.Context(), audit.Participant(act.Person), act); err == nil {
			t.Error("no answers at all were kept")
		}
		act.Answers = yesToAll(l)
		act.Answers["marketing"] = true
		wantErr(t, w.Record(t.Context(), audit.Participant(act.Person), act), consents.ErrLetterChanged)
		if len(w.mails)+len(w.states) > 0 || w.standing(t, act.Person, consents.Interview) != consents.Unasked {
			t.Errorf("refused answers left %v %v", w.mails, w.states)
		}
	})
}

func TestNoToTheConversationEndsPolitely(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Administration)
		act := w.act(l, map[string]bool{consents.Interview: false, consents.FollowUp: true})
		w.record(t, act)
		for purpose, want := range map[string]string{consents.Interview: "no", consents.Recording: "no", consents.SurveyContact: "no", consents.FollowUp: "yes"} {
			if got := w.standing(t, act.Person, purpose); got != want {
				t.Errorf("%s stands at %q, want %q", purpose, got, want)
			}
		}
		state, err := w.State(t.Context(), w.study, act.Person)
		if err != nil || state.Acts[0].Items[0].Implied || !state.Acts[0].Items[1].Implied || state.Acts[0].Items[4].Implied {
			t.Errorf("what was left open is not told apart: %+v, %v", state.Acts, err)
		}
		if got := strings.Join(w.states, " "); got != "declined" {
			t.Errorf("states %q", got)
		}
	})
}

func TestRespondentsAnswerTheSurveyAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		act := w.act(w.publish(t, consents.Respondent), map[string]bool{consents.Survey: true})
		act.Means = consents.BySurvey
		w.record(t, act)
		if w.standing(t, act.Person, consents.Survey) != "yes" || w.standing(t, act.Person, consents.Interview) != "unasked" || len(w.states) > 0 {
			t.Errorf("states %q", w.states)
		}
	})
}

func TestMeansFitTheActor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		self, other := audit.Participant(act.Person), audit.Participant(id.New[id.Person]())
		for _, c := range []struct {
			name, means, reference string
			actor                  audit.Actor
			want                   error
			fields                 []string
		}{
			{"staff by own link", consents.OwnLink, "", staff, consents.ErrMeans, nil},
			{"another person", consents.OwnLink, "", other, consents.ErrMeans, nil},
			{"another person orally", consents.Oral, "", other, consents.ErrMeans, nil},
			{"self on paper", consents.Paper, "1", self, consents.ErrMeans, nil},
			{"staff by survey", consents.BySurvey, "", staff, consents.ErrMeans, nil},
			{"paper without a place", consents.Paper, "", staff, nil, []string{"reference required"}},
			{"paper by name", consents.Paper, "Kari", staff, nil, []string{"reference consent_reference"}},
			{"paper in words", consents.Paper, "Kari 2", staff, nil, []string{"reference consent_reference"}},
			{"oral with a reference", consents.Oral, "a1", staff, nil, []string{"reference too_long"}},
			{"no means", "", "", staff, nil, []string{"means required"}},
		} {
			act.Means, act.Reference = c.means, c.reference
			err := w.Record(t.Context(), c.actor, act)
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.name, err, c.want)
			}
			if c.fields != nil {
				t.Run(c.name, func(t *testing.T) { wantFields(t, err, c.fields...) })
			}
		}
		for means, reference := range map[string]string{consents.Oral: "", consents.Paper: "perm-2/14", consents.Elsewhere: "2019.77"} {
			act.Means, act.Reference = means, reference
			if err := w.Record(t.Context(), staff, act); err != nil {
				t.Errorf("%s: %v", means, err)
			}
		}
	})
}

// Nobody's act brings back the rows of somebody who has left.
func TestNothingIsKeptOfWhoHasLeft(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		w.gone = act.Person
		wantErr(t, w.Record(t.Context(), audit.Participant(act.Person), act), errGone)
		act.Means = consents.Oral
		wantErr(t, w.Record(t.Context(), staff, act), errGone)
		for _, table := range w.Tables() {
			var rows int
			if err := w.db.QueryRow(t.Context(), "select count(*) from "+table).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("%s has %d rows (%v)", table, rows, err)
			}
		}
	})
}

func TestLetterChangedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		old := w.publish(t, consents.Company)
		w.publish(t, consents.Administration) // another letter changes nothing
		w.record(t, w.act(old, yesToAll(old)))
		w.publish(t, consents.Company)
		act := w.act(old, yesToAll(old))
		wantErr(t, w.Record(t.Context(), audit.Participant(act.Person), act), consents.ErrLetterChanged)
		act.Means, act.Reference = consents.Paper, "7"
		if err := w.Record(t.Context(), staff, act); err != nil {
			t.Errorf("a paper signed under the older version: %v", err)
		}
	})
}

func TestStudiesAreApart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		w.record(t, act)
		foreign := &world{Consents: w.Consents, db: w.db, study: id.New[id.Study]()}
		if got := foreign.standing(t, act.Person, consents.Interview); got != consents.Unasked {
			t.Errorf("another study's gate says %q", got)
		}
		if err := foreign.withdraw(ctx, staff, act.Person, nil); err != nil {
			t.Error(err)
		}
		if got := w.standing(t, act.Person, consents.Interview); got != consents.Yes {
			t.Errorf("another study withdrew it: %q", got)
		}
		stranger := act
		stranger.Study, stranger.Person = foreign.study, id.New[id.Person]()
		wantErr(t, w.Record(ctx, audit.Participant(stranger.Person), stranger), consents.ErrNoLetter)
		own := foreign.publish(t, consents.Company)
		moved := act
		moved.Study, moved.Letter = foreign.study, own.ID
		wantErr(t, w.Record(ctx, audit.Participant(act.Person), moved), consents.ErrNoAct)
		states, err := w.StatesOf(ctx, foreign.study)
		if err != nil || len(states) > 0 {
			t.Errorf("another study lists %v, %v", states, err)
		}
	})
}

func TestWithdraw(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		answers := yesToAll(l)
		answers[consents.Quotation] = false
		act := w.act(l, answers)
		if err := w.withdraw(ctx, staff, act.Person, nil); err != nil {
			t.Fatalf("nothing to withdraw: %v", err)
		}
		w.record(t, act)
		self := audit.Participant(act.Person)
		steps := []struct {
			actor    audit.Actor
			purposes []string
			taken    string
			means    string
		}{
			{self, []string{consents.Recording, consents.Quotation}, "recording", consents.OwnLink},
			{staff, nil, "interview job_title follow_up survey_contact", consents.Oral},
		}
		for i, step := range steps {
			for range 2 { // the second time is no second act
				if err := w.withdraw(ctx, step.actor, act.Person, step.purposes); err != nil {
					t.Fatal(err)
				}
			}
			state, err := w.State(ctx, w.study, act.Person)
			if err != nil || len(state.Acts) != i+2 {
				t.Fatalf("%d acts, want %d, %v", len(state.Acts), i+2, err)
			}
			last := state.Acts[i+1]
			var taken []string
			for _, item := range last.Items {
				taken = append(taken, item.Purpose)
				if item.Yes || item.Text == "" {
					t.Errorf("item %+v", item)
				}
			}
			if got := strings.Join(taken, " "); got != step.taken || last.Means != step.means || !last.Withdrawal || last.Hash != l.Hash {
				t.Errorf("took back %q by %s, want %q by %s", got, last.Means, step.taken, step.means)
			}
		}
		for _, purpose := range consents.Purposes[:6] {
			if got := w.standing(t, act.Person, purpose); got != consents.No {
				t.Errorf("%s stands at %q", purpose, got)
			}
		}
		if got := strings.Join(w.states, " "); got != "consented withdrawn" || len(w.mails) != 3 {
			t.Errorf("states %q, %d mails, want three receipts", got, len(w.mails))
		}
	})
}

func TestReceiptSaysWhatEnded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		w.record(t, act)
		act.Answers = map[string]bool{consents.Interview: false, consents.FollowUp: true}
		var receipt consents.Receipt
		err := w.db.Tx(ctx, func(tx *database.Tx) (err error) {
			receipt, err = w.RecordTx(ctx, tx, audit.Participant(act.Person), act)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{consents.Interview, consents.Recording, consents.Quotation, consents.JobTitle, consents.SurveyContact}
		if diff := cmp.Diff(want, receipt.Ended); diff != "" || w.states[1] != "withdrawn" {
			t.Errorf("states %q, ended (-want +got):\n%s", w.states, diff)
		}
	})
}

func TestListsAgreeWithTheGate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		var people []id.Person
		for i := range 6 {
			answers := yesToAll(l)
			answers[consents.Recording] = i%2 == 0
			act := w.act(l, answers)
			w.record(t, act)
			people = append(people, act.Person)
		}
		if err := w.withdraw(ctx, staff, people[0], []string{consents.Recording}); err != nil {
			t.Fatal(err)
		}
		states, err := w.StatesOf(ctx, w.study)
		if err != nil || len(states) != len(people) {
			t.Fatalf("%d states, %v", len(states), err)
		}
		for _, person := range people {
			for _, purpose := range consents.Purposes[:6] {
				if got, want := states[person][purpose], w.standing(t, person, purpose); got != want {
					t.Errorf("list says %q of %s, gate %q", got, purpose, want)
				}
			}
		}
		counts, err := w.Counts(ctx, w.study)
		if err != nil || counts[consents.Recording] != (consents.Count{Yes: 2, No: 4}) || counts[consents.Interview] != (consents.Count{Yes: 6}) {
			t.Errorf("counts %v, %v", counts, err)
		}
	})
}

func TestErase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		gone, stays := w.act(l, yesToAll(l)), w.act(l, yesToAll(l))
		w.record(t, gone)
		w.record(t, stays)
		for range 2 {
			if err := w.db.Tx(ctx, func(tx *database.Tx) error { return w.Erase(ctx, tx, gone.Person) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range []string{"consent_turn", "consent_act", "consent_item"} {
			var left, others int
			if err := w.db.QueryRow(ctx, "select count(*) filter (where person_id = $1), count(*) from "+table, gone.Person).Scan(&left, &others); err != nil {
				t.Fatal(err)
			}
			if left != 0 || others == 0 {
				t.Errorf("%s: %d rows of the erased, %d in all", table, left, others)
			}
		}
		if n, err := w.Verify(ctx); n != 3 || err != nil {
			t.Errorf("Verify = %d, %v", n, err)
		}
	})
}

func TestOnePersonInManyPlaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		const times = 12
		var wg sync.WaitGroup
		for i := range times {
			wg.Go(func() {
				mine := act
				mine.Answers = yesToAll(l)
				mine.Answers[consents.Recording] = i%2 == 0
				if err := w.Record(ctx, audit.Participant(act.Person), mine); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		state, err := w.State(ctx, w.study, act.Person)
		if err != nil || len(state.Acts) != times {
			t.Fatalf("%d acts, want %d, %v", len(state.Acts), times, err)
		}
		last := state.Acts[times-1].Items[1]
		if got := w.standing(t, act.Person, consents.Recording); (got == consents.Yes) != last.Yes {
			t.Errorf("gate says %q, the last act %v", got, last.Yes)
		}
	})
}

// A booking that has asked the gate must be seen by a withdrawal that comes at the same moment: the withdrawal waits.
func TestGateHoldsUntilTheEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		w.record(t, act)
		var late error
		withdrawn := make(chan struct{})
		err := w.db.Tx(ctx, func(tx *database.Tx) error {
			standing, err := w.Standing(ctx, tx, w.study, act.Person, consents.Interview)
			if err != nil || standing != consents.Yes {
				t.Errorf("standing %q, %v", standing, err)
			}
			go func() {
				late = w.withdraw(ctx, staff, act.Person, nil)
				close(withdrawn)
			}()
			select {
			case <-withdrawn:
				t.Error("the withdrawal did not wait")
			case <-time.After(150 * time.Millisecond):
			}
			return nil
		})
		<-withdrawn
		if err := errors.Join(err, late); err != nil {
			t.Fatal(err)
		}
		if got := w.standing(t, act.Person, consents.Interview); got != consents.No {
			t.Errorf("stands at %q", got)
		}
	})
}
