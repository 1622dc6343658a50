package consents_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
)

// later is a world whose clock moves on with every look, so that acts have an order.
func later(t *testing.T, fn func(t *testing.T, w *world)) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		at := noon
		now := func() time.Time { at = at.Add(time.Second); return at }
		w := &world{db: db, log: audit.New(db, now), study: id.New[id.Study]()}
		w.Consents = consents.New(db, w.log, w.present, w.advance, w, now)
		fn(t, w)
	})
}

func (w *world) register(t *testing.T, q consents.RegisterQuery) (persons []id.Person) {
	t.Helper()
	for {
		page, err := w.Register(t.Context(), w.study, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > q.Limit {
			t.Fatalf("%d on a page of %d", len(page), q.Limit)
		}
		for _, r := range page {
			persons = append(persons, r.Person)
			q.After = r.Cursor()
		}
		if len(page) < q.Limit {
			return persons
		}
	}
}

func TestRegister(t *testing.T) {
	later(t, func(t *testing.T, w *world) {
		first := w.publish(t, consents.Company)
		yes, no, back := w.act(first, yesToAll(first)), w.act(first, yesToAll(first)), w.act(first, yesToAll(first))
		no.Answers[consents.Recording] = false
		w.record(t, yes)
		w.record(t, no)
		w.record(t, back)
		if err := w.withdraw(t.Context(), audit.Participant(back.Person), back.Person, []string{consents.Recording}); err != nil {
			t.Fatal(err)
		}
		second := w.publish(t, consents.Company)
		again := w.act(second, yesToAll(second))
		again.Person = yes.Person
		w.record(t, again)
		respondents := w.publish(t, consents.Respondent)
		respondent := w.act(respondents, yesToAll(respondents))
		w.record(t, respondent)
		// A withdrawal that changes nothing takes a turn and leaves no act.
		if err := w.withdraw(t.Context(), staff, no.Person, []string{consents.Recording}); err != nil {
			t.Fatal(err)
		}
		gone := w.act(second, yesToAll(second))
		w.record(t, gone)
		err := w.db.Tx(t.Context(), func(tx *database.Tx) error { return w.Erase(context.Background(), tx, gone.Person) })
		if err != nil {
			t.Fatal(err)
		}
		other := &world{Consents: w.Consents, db: w.db, log: w.log, study: id.New[id.Study]()}
		elsewhere := other.publish(t, consents.Company)
		other.record(t, other.act(elsewhere, yesToAll(elsewhere)))

		order := []id.Person{respondent.Person, yes.Person, back.Person, no.Person}
		for limit := 1; limit <= 5; limit++ {
			if got := w.register(t, consents.RegisterQuery{Limit: limit}); !slices.Equal(got, order) {
				t.Errorf("pages of %d: %v, want %v: whoever answered last first", limit, got, order)
			}
		}
		for name, tc := range map[string]struct {
			q    consents.RegisterQuery
			want []id.Person
		}{
			"yes":        {consents.RegisterQuery{Purpose: consents.Recording, Standing: consents.Yes}, order[1:2]},
			"no":         {consents.RegisterQuery{Purpose: consents.Recording, Standing: consents.No}, order[2:]},
			"unasked":    {consents.RegisterQuery{Purpose: consents.Recording, Standing: consents.Unasked}, order[:1]},
			"letter 1":   {consents.RegisterQuery{Audience: consents.Company, Version: 1}, order[2:]},
			"letter 2":   {consents.RegisterQuery{Audience: consents.Company, Version: 2}, order[1:2]},
			"both":       {consents.RegisterQuery{Audience: consents.Company, Version: 2, Purpose: consents.Recording, Standing: consents.No}, nil},
			"bad cursor": {consents.RegisterQuery{After: "%%"}, order},
		} {
			for _, limit := range []int{1, 10} {
				tc.q.Limit = limit
				if got := w.register(t, tc.q); !slices.Equal(got, tc.want) {
					t.Errorf("%s: %v, want %v", name, got, tc.want)
				}
			}
		}
		page, err := w.Register(t.Context(), w.study, consents.RegisterQuery{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if r := page[2]; r.Standings[consents.Recording] != consents.No || r.Standings[consents.Interview] != consents.Yes || !r.Withdrawal ||
			!r.Outdated() || r.Hash != first.Hash || r.Language != "nb" || r.Acts != 2 || r.Letter != first.ID {
			t.Errorf("who took a yes back: %+v", r)
		}
		if page[1].Outdated() || page[1].Hash != second.Hash || page[0].Means != consents.OwnLink {
			t.Errorf("who answered anew: %+v", page[1])
		}
		counts, err := w.Counts(t.Context(), w.study)
		if want := (consents.Count{Yes: 1, No: 2}); err != nil || counts[consents.Recording] != want || counts[consents.Survey].Yes != 1 {
			t.Errorf("counts %v, %v, want %v", counts, err, want)
		}
		answered, err := w.Answered(t.Context(), w.study)
		if err != nil || answered[first.ID] != 3 || answered[second.ID] != 1 || answered[respondents.ID] != 1 {
			t.Errorf("answered %v, %v", answered, err)
		}
	})
}

// Promise 15: every consent names the hash of the exact text, and who edits a letter together with its hash is found too: the
// chain says what was published.
func TestCheckComparesWithTheChain(t *testing.T) {
	later(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		forged := w.publish(t, consents.Company)
		w.record(t, w.act(forged, yesToAll(forged)))
		found, err := w.VerifyStudy(t.Context(), w.study)
		if err != nil || !found.OK() || found.Letters != 6 || found.Acts != 1 {
			t.Fatalf("%+v, %v", found, err)
		}
		page, err := w.Register(t.Context(), w.study, consents.RegisterQuery{Limit: 1})
		if err != nil || page[0].Hash != forged.Hash {
			t.Errorf("the consent names %+v, %v, want %s", page, err, forged.Hash)
		}
		w.set(t, "letter", "title", "En annen overskrift", "id = '"+string(l.ID)+"'")
		read, err := w.Letter(t.Context(), w.study, l.ID)
		if err != nil || read.Holds() {
			t.Fatalf("a changed letter holds (%v)", err)
		}
		w.set(t, "letter", "hash", hashOf(read), "id = '"+string(l.ID)+"'")
		if read, err = w.Letter(t.Context(), w.study, l.ID); err != nil || !read.Holds() {
			t.Fatalf("the forger's own hash does not hold (%v): the test forges badly", err)
		}
		found, err = w.VerifyStudy(t.Context(), w.study)
		if err != nil || found.Letter(l.ID) || !found.Letter(forged.ID) || len(found.AlteredLetters) != 1 || len(found.AlteredActs) != 0 {
			t.Errorf("%+v, %v, want letter %s alone", found, err, l.ID)
		}
		w.set(t, "consent_item", "text", "Noe annet", "purpose = 'recording'")
		if found, err = w.VerifyStudy(t.Context(), w.study); err != nil || len(found.AlteredActs) != 1 || found.OK() {
			t.Errorf("%+v, %v, want the act too", found, err)
		}
	})
}
