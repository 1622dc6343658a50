package consents_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// sides puts the two versions together again.
func sides(lines []consents.Line) (before, after string) {
	var gone, came []string
	for _, line := range lines {
		var a, b strings.Builder
		hasA, hasB := len(line) == 0, len(line) == 0
		for _, piece := range line {
			if piece.Op != consents.Added {
				a.WriteString(piece.Text)
				hasA = true
			}
			if piece.Op != consents.Removed {
				b.WriteString(piece.Text)
				hasB = true
			}
		}
		if hasA {
			gone = append(gone, a.String())
		}
		if hasB {
			came = append(came, b.String())
		}
	}
	return strings.Join(gone, "\n"), strings.Join(came, "\n")
}

func TestDifferenceProposes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		title, body, _ := consents.Starter(consents.Company, "nb", consents.Consent)
		before := w.publish(t, consents.Company)
		for _, test := range []struct {
			name     string
			change   func(f *consents.Fields, d *consents.Draft)
			proposal string
			reason   string
		}{
			{"nothing", func(*consents.Fields, *consents.Draft) {}, consents.Leave, ""},
			{"a slip", func(_ *consents.Fields, d *consents.Draft) {
				d.Body = strings.Replace(d.Body, "bestemme", "bestemmme", 1)
			}, consents.Leave, "spelling"},
			{"a comma", func(_ *consents.Fields, d *consents.Draft) {
				d.Body = strings.Replace(d.Body, "når som helst,", "når som helst", 1)
			}, consents.Leave, "spelling"},
			{"a word more", func(_ *consents.Fields, d *consents.Draft) {
				d.Body = strings.Replace(d.Body, "Du kan si nei", "Du kan ikke si nei", 1)
			}, consents.InformAgain, "text"},
			{"another date", func(f *consents.Fields, _ *consents.Draft) { f.EndsOn = "5. juni 2019" }, consents.InformAgain, "text"},
			{"another access", func(f *consents.Fields, _ *consents.Draft) { f.Own = map[string]string{"access": "Bare vi to."} }, consents.InformAgain, "text"},
			{"another purpose", func(f *consents.Fields, _ *consents.Draft) { f.Purpose = "Vi vil selge data." }, consents.AskAgain, "purpose"},
			{"another question", func(f *consents.Fields, _ *consents.Draft) { f.Questions = append(f.Questions, "Hva tjener dere?") }, consents.AskAgain, "purpose"},
			{"other uses", func(f *consents.Fields, _ *consents.Draft) {
				f.Own = map[string]string{"uses": "Vi gir opplysningene til andre."}
			}, consents.AskAgain, "uses"},
			{"no recording", func(f *consents.Fields, _ *consents.Draft) { f.Setting.Unrecorded = true }, consents.AskAgain, "items"},
			{"special", func(f *consents.Fields, _ *consents.Draft) { f.Setting.Special = true }, consents.AskAgain, "special"},
		} {
			f := fields()
			d := consents.Draft{Audience: consents.Company, Language: "nb", Basis: consents.Consent, Title: title, Body: body}
			test.change(&f, &d)
			if err := w.SaveDraft(t.Context(), staff, w.study, d); err != nil {
				t.Fatal(err)
			}
			letters, err := w.Publish(t.Context(), researcher, w.study, consents.Company, consents.Consent, map[string]consents.Fields{"nb": f})
			if err != nil {
				t.Fatal(test.name, err)
			}
			got, err := w.Compare(t.Context(), w.study, before, letters[0])
			if err != nil {
				t.Fatal(err)
			}
			if got.Proposal != test.proposal || test.reason != "" && !slices.Contains(got.Reasons, test.reason) {
				t.Errorf("%s: proposes %q for %q, want %q for %q", test.name, got.Proposal, got.Reasons, test.proposal, test.reason)
			}
			if was, is := sides(got.Body); was != before.Body || is != letters[0].Body {
				t.Errorf("%s: the pieces do not make up the two letters", test.name)
			}
			if changed := slices.ContainsFunc(got.Body, consents.Line.Changed); changed != (before.Body != letters[0].Body) {
				t.Errorf("%s: changed %v", test.name, changed)
			}
		}
		// A letter from before the words were kept is one to look at oneself.
		if err := w.db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "delete from letter_words where letter_id = $1", before.ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		current, err := w.Current(t.Context(), w.study, consents.Company, "nb")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.Compare(t.Context(), w.study, before, current); err != nil || !slices.Contains(got.Reasons, "untold") {
			t.Errorf("without kept words: %q, %v", got.Reasons, err)
		}
		_, err = w.Compare(t.Context(), "other", before, current)
		wantErr(t, err, consents.ErrUnknown)
	})
}

func TestCompareMarksWords(t *testing.T) {
	for _, test := range []struct{ before, after, want string }{
		{"Vi tar opptak av samtalen.", "Vi tar ikke opptak av samtalen.", "Vi tar +[ikke ]opptak av samtalen."},
		{"en\nto\ntre", "en\ntre", "en/-[to]/tre"},
		{"en", "en\nto", "en/+[to]"},
		{"a b c", "x y z", "-[a b c]+[x y z]"},
		{"", "", ""},
	} {
		var lines []string
		for _, line := range consents.CompareTexts(test.before, test.after) {
			var all string
			for _, piece := range line {
				switch piece.Op {
				case consents.Same:
					all += piece.Text
				case consents.Removed:
					all += "-[" + piece.Text + "]"
				case consents.Added:
					all += "+[" + piece.Text + "]"
				}
			}
			lines = append(lines, all)
		}
		if got := strings.Join(lines, "/"); got != test.want {
			t.Errorf("%q to %q: %q, want %q", test.before, test.after, got, test.want)
		}
	}
	long := strings.Repeat("ord ", 5000)
	if lines := consents.CompareTexts(long+"slutt", "x "+long); len(lines) != 1 {
		t.Errorf("a long line is %d lines", len(lines))
	}
}

// What changes the sense is never taken for a slip.
func TestOnlySpellingIsNarrow(t *testing.T) {
	for _, test := range []struct {
		before, after string
		want          bool
	}{
		{"Vi sletter opptaket.", "vi sletter opptaket", true},
		{"undersøkelsen", "undersøklesen", true},
		{"Det er legalt.", "Det er illegalt.", false},
		{"med navn", "uten navn", false},
		{"fram mot slutten", "fra mot slutten", false},
		{"Vi kan ringe.", "Du kan ringe.", false},
		{"12 måneder", "13 måneder", false},
		{"Vi gir det videre.", "Vi gir det ikke videre.", false},
		{"Vi sletter.\nAlt.", "Vi sletter.", false},
		{"huset", "ruset", false},
		{"tekst", "test", true},
		{strings.Repeat("teksten ", 11), strings.Repeat("tekstan ", 11), false},
	} {
		if got := consents.OnlySpelling(test.before, test.after); got != test.want {
			t.Errorf("%q to %q: only spelling %v, want %v", test.before, test.after, got, test.want)
		}
	}
}

func TestRoundsReachThoseAtYes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first := w.publish(t, consents.Company)
		administration := w.publish(t, consents.Administration)
		want := map[id.Person]bool{}
		for range 3 {
			act := w.act(first, yesToAll(first))
			w.record(t, act)
			want[act.Person] = true
		}
		no := yesToAll(first)
		no[consents.Interview] = false
		w.record(t, w.act(first, no))
		left, restricted, renewed := w.act(first, yesToAll(first)), w.act(first, yesToAll(first)), w.act(first, yesToAll(first))
		w.record(t, left)
		w.record(t, restricted)
		w.record(t, renewed)
		w.record(t, w.act(administration, yesToAll(administration)))
		if err := w.withdraw(ctx, audit.Participant(left.Person), left.Person, nil); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Tx(ctx, func(tx *database.Tx) error {
			return w.RestrictTx(ctx, tx, staff, w.study, restricted.Person, consents.Object)
		}); err != nil {
			t.Fatal(err)
		}
		// Whoever took back one purpose is still in.
		some := w.act(first, yesToAll(first))
		w.record(t, some)
		if err := w.withdraw(ctx, audit.Participant(some.Person), some.Person, []string{consents.Recording}); err != nil {
			t.Fatal(err)
		}
		want[some.Person] = true
		// A restriction that has ended keeps nobody out.
		freed := w.act(first, yesToAll(first))
		w.record(t, freed)
		w.restrict(t, freed.Person, consents.Restrict)
		w.inTx(t, func(tx *database.Tx) error {
			_, err := w.ReleaseTx(ctx, tx, staff, w.study, freed.Person)
			return err
		})

		_, err := w.Tell(ctx, staff, w.study, consents.Company, 1, true)
		wantErr(t, err, consents.ErrNobody)
		second := w.publish(t, consents.Company)
		renewed.Letter = second.ID
		w.record(t, renewed)
		_, err = w.Tell(ctx, staff, w.study, consents.Company, 1, true)
		wantErr(t, err, consents.ErrLetterChanged)
		_, err = w.Tell(ctx, staff, w.study, consents.Respondent, 1, true)
		wantErr(t, err, consents.ErrUnknown)
		_, err = w.Tell(ctx, staff, "other", consents.Company, 1, true)
		wantErr(t, err, consents.ErrNoLetter)

		w.mails = nil
		later := w.later(consents.Notice + time.Minute)
		if n, err := later.Outdated(ctx, w.study, consents.Company, 2); err != nil || n != len(want)+1 {
			t.Errorf("%d outdated after a restriction has ended, want %d, %v", n, len(want)+1, err)
		}
		n, err := w.Outdated(ctx, w.study, consents.Company, 2)
		if err != nil || n != len(want) {
			t.Errorf("%d outdated, want %d, %v", n, len(want), err)
		}
		round, err := w.Tell(ctx, staff, w.study, consents.Company, 2, true)
		if err != nil || round.Size != len(want) {
			t.Fatalf("round %+v, %v", round, err)
		}
		for _, m := range w.mails {
			if !want[m.Person] || m.Kind != consents.ChangedKind || m.Batch != round.ID || m.Params["version"] != "2" || m.Params["ask"] != "ask" {
				t.Errorf("mail %+v", m)
			}
			delete(want, m.Person)
		}
		if len(want) > 0 {
			t.Errorf("no mail for %d", len(want))
		}
		for person, untold := range map[id.Person]bool{some.Person: true, renewed.Person: false, left.Person: false, restricted.Person: false, "nobody": false} {
			if got, err := w.Untold(ctx, w.study, person, 2); err != nil || got != untold {
				t.Errorf("untold %v, want %v, %v", got, untold, err)
			}
		}
		rounds, err := w.Rounds(ctx, w.study)
		if err != nil || len(rounds) != 1 || rounds[0] != round {
			t.Errorf("rounds %+v, want %+v, %v", rounds, round, err)
		}
	})
}

// More than one portion of people is told, each once.
func TestRoundsReachEverybody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const people = 1203
		first := w.publish(t, consents.Company)
		if err := w.db.Tx(t.Context(), func(tx *database.Tx) error {
			var acts, items [][]any
			for range people {
				person := id.New[id.Person]()
				acts = append(acts, []any{id.New[id.Consent](), w.study, person, 1, first.ID, first.Hash, "nb", "own_link", "", false, audit.Participant(person), 1})
				items = append(items, []any{person, 1, consents.Interview, w.study, "", "", true, false})
			}
			if _, err := tx.Insert(t.Context(), "consent_act (id, study_id, person_id, number, letter_id, letter_hash, language, means, reference, withdrawal, actor, at)", acts, ""); err != nil {
				return err
			}
			_, err := tx.Insert(t.Context(), "consent_item (person_id, number, purpose, study_id, text, hint, answer, implied)", items, "")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		w.publish(t, consents.Company)
		w.mails = nil
		round, err := w.Tell(t.Context(), staff, w.study, consents.Company, 2, false)
		told := map[id.Person]bool{}
		for _, m := range w.mails {
			told[m.Person] = true
		}
		if err != nil || round.Size != people || len(told) != people || len(w.mails) != people {
			t.Errorf("size %d, %d mails to %d people, want %d, %v", round.Size, len(w.mails), len(told), people, err)
		}
	})
}

func TestRecordStandings(t *testing.T) {
	r := consents.Record{Basis: consents.Consent, Languages: []string{"nb", "en"}, Audiences: []string{consents.Company},
		Main:  map[string]string{"title": "T", "purpose": "P"},
		Texts: map[string]map[string]string{"nb": {"uses": "Bok."}, "en": {"title": "T-en", "why_company": "Because."}}}
	find := func(key string) consents.Entry {
		i := slices.IndexFunc(r.Entries(), func(e consents.Entry) bool { return e.Key == key })
		if i < 0 {
			t.Fatalf("no entry %s", key)
		}
		return r.Entries()[i]
	}
	check := func(key, nb, en string) {
		t.Helper()
		if got := r.Standing("nb", find(key)); got != nb {
			t.Errorf("%s in nb is %s, want %s", key, got, nb)
		}
		if got := r.Standing("en", find(key)); got != en {
			t.Errorf("%s in en is %s, want %s", key, got, en)
		}
	}
	check("title", consents.InPlace, consents.InPlace)
	check("purpose", consents.InPlace, consents.Untranslated)
	check("questions", consents.Gap, consents.Gap)
	check("officer", consents.Gap, consents.Gap)
	check("uses", consents.InPlace, consents.Untranslated)
	check("why_company", consents.Proposed, consents.InPlace)
	check("access", consents.Proposed, consents.Proposed)
	check("rights", consents.InPlace, consents.InPlace)
	r.Texts["nb"][consents.Confirmed] = r.Confirm([]string{"access", "recording", "nonsense"})
	check("access", consents.InPlace, consents.InPlace)
	check("recording", consents.InPlace, consents.InPlace)
	r.Setting.Unrecorded = true
	check("recording", consents.Proposed, consents.Proposed)
	check("access", consents.InPlace, consents.InPlace)
	// What the team wrote in the main language is never contradicted by our words in another.
	if own := r.Own(consents.Company, "en"); own["uses"] != "Bok." || own["why"] != "Because." || own["access"] != "" {
		t.Errorf("the English letter takes %q", own)
	}
}
