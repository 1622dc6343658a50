package consents_test

import (
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
)

// last is the newest act of a person.
func (w *world) last(t *testing.T, person id.Person) consents.Given {
	t.Helper()
	state, err := w.State(t.Context(), w.study, person)
	if err != nil || len(state.Acts) == 0 {
		t.Fatalf("no act: %v", err)
	}
	return state.Acts[len(state.Acts)-1]
}

const sentence = "Jeg samtykker uttrykkelig."

func TestWhatAStudyDemandsOfAYes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		all := consents.Demands{Signature: consents.Typed, Explicit: true, MinimumAge: 15, Zone: time.UTC}
		no := map[string]bool{consents.Interview: false}
		for _, c := range []struct {
			name   string
			change func(*consents.Act)
			want   error
			fields []string
		}{
			{"everything", func(*consents.Act) {}, nil, nil},
			{"no age", func(a *consents.Act) { a.Age = "" }, nil, []string{"age consent_age"}},
			{"no name", func(a *consents.Act) { a.Signed = "" }, nil, []string{"signature consent_signature"}},
			{"said once", func(a *consents.Act) { a.Explicit = "" }, consents.ErrNotExplicit, nil},
			{"nothing", func(a *consents.Act) { a.Age, a.Signed, a.Explicit = "", "", "" }, nil, []string{"age consent_age", "signature consent_signature"}},
			{"of a no nothing", func(a *consents.Act) { a.Age, a.Signed, a.Explicit, a.Answers = "", "", "", no }, nil, nil},
			{"a name without its act", func(a *consents.Act) { a.ID = "" }, consents.ErrMeans, nil},
			{"a day of one's own", func(a *consents.Act) { a.GivenOn = "2019-03-01" }, consents.ErrMeans, nil},
		} {
			act := w.act(l, yesToAll(l))
			act.ID, act.Demands, act.Age, act.Signed, act.Explicit = consents.NewID(), all, consents.Yes, consents.Typed, sentence
			c.change(&act)
			mails := len(w.mails)
			checked, err := w.Check(t.Context(), audit.Participant(act.Person), act), w.Record(t.Context(), audit.Participant(act.Person), act)
			for _, err := range []error{checked, err} {
				t.Run(c.name, func(t *testing.T) {
					switch {
					case c.fields != nil:
						wantFields(t, err, c.fields...)
					case c.want != nil:
						wantErr(t, err, c.want)
					case err != nil:
						t.Error(err)
					}
				})
			}
			if refused := c.want != nil || c.fields != nil; refused && (len(w.mails) > mails || w.standing(t, act.Person, consents.Interview) != consents.Unasked) {
				t.Errorf("%s: something was kept", c.name)
			}
		}
	})
}

func TestActSaysHowItWasGiven(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		act.ID, act.Age, act.Signed, act.Explicit = consents.NewID(), consents.Yes, consents.Drawn, sentence
		act.Demands = consents.Demands{Signature: consents.Drawn, Explicit: true, MinimumAge: 15}
		w.record(t, act)
		given := w.last(t, act.Person)
		if given.ID != act.ID || given.Signed != consents.Drawn || given.Explicit != sentence || given.OfAge != 15 || given.GivenOn != "" {
			t.Errorf("kept %+v", given)
		}
		again := act
		again.ID, again.Age = consents.NewID(), "" // nobody gets younger
		w.record(t, again)
		if got := w.last(t, act.Person); got.OfAge != 15 {
			t.Errorf("asked again: of age %d", got.OfAge)
		}
		again.ID, again.Demands.MinimumAge = consents.NewID(), 18
		wantFields(t, w.Record(t.Context(), audit.Participant(act.Person), again), "age consent_age")
		if err := w.withdraw(t.Context(), audit.Participant(act.Person), act.Person, nil); err != nil {
			t.Fatal(err)
		}
		if got := w.last(t, act.Person); !got.Withdrawal || got.ID == act.ID || got.Signed+got.Explicit != "" || got.OfAge != 0 {
			t.Errorf("the withdrawal is kept as %+v", got)
		}
		if _, err := w.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Whoever is too young cannot say yes, whatever else they chose; what is kept is a no that says nothing of an age.
func TestTooYoungIsAPlainNo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		act := w.act(l, yesToAll(l))
		act.Age, act.Demands = consents.No, consents.Demands{MinimumAge: 15, Explicit: true, Signature: consents.Typed}
		if !act.Refuses(consents.Interview) {
			t.Error("it is no refusal")
		}
		w.record(t, act)
		given := w.last(t, act.Person)
		for _, item := range given.Items {
			if item.Yes || !item.Implied {
				t.Errorf("%s is kept as %+v", item.Purpose, item)
			}
		}
		if given.OfAge != 0 || given.Explicit != "" || w.states[len(w.states)-1] != "declined" {
			t.Errorf("kept %+v, state %v", given, w.states)
		}
	})
}

func TestDayOfWhatStaffEnter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		oslo, err := time.LoadLocation("Europe/Oslo")
		if err != nil {
			t.Fatal(err)
		}
		today := noon.In(oslo).Format(time.DateOnly)
		day := func(n int) string { return noon.In(oslo).AddDate(0, 0, n).Format(time.DateOnly) }
		act := w.act(l, yesToAll(l))
		act.Means, act.Reference, act.Demands = consents.Paper, "perm-2/14", consents.Demands{Zone: oslo}
		record := func(on string) error {
			act.GivenOn = on
			return w.Record(t.Context(), staff, act)
		}
		wantFields(t, record("i går"), "given_on consent_day")
		wantFields(t, record(day(1)), "given_on consent_future")
		for _, c := range []struct{ on, kept string }{{day(-7), day(-7)}, {day(-3), day(-3)}, {today, ""}} {
			if err := record(c.on); err != nil {
				t.Fatalf("%s: %v", c.on, err)
			}
			if got := w.last(t, act.Person); got.GivenOn != c.kept || got.At != noon.UnixMilli() {
				t.Errorf("%s was kept as %q at %d", c.on, got.GivenOn, got.At)
			}
		}
		// The person has answered today: a paper from last week undoes nothing.
		wantFields(t, record(day(-7)), "given_on consent_overtaken")
	})
}
