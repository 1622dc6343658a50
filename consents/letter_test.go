package consents_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPublishedLettersStay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.Current(ctx, w.study, consents.Company, "nb")
		wantErr(t, err, consents.ErrNoLetter)
		first := w.publish(t, consents.Company)
		if err := w.SaveDraft(ctx, staff, w.study, consents.Draft{Audience: consents.Company, Language: "nb", Basis: consents.Consent,
			Title: "Nytt", Body: "Nytt om {{title}}", Told: consents.Needed(consents.Company, consents.Setting{})}); err != nil {
			t.Fatal(err)
		}
		second := w.publish(t, consents.Company)
		if first.Version != 1 || second.Version != 2 || first.Hash == second.Hash || second.Body != "Nytt om Samskaping" {
			t.Errorf("versions %d and %d, body %q", first.Version, second.Version, second.Body)
		}
		kept, err := w.Letter(ctx, w.study, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, kept, cmpopts.IgnoreUnexported(consents.Letter{})); diff != "" {
			t.Errorf("letter changed (-published +kept):\n%s", diff)
		}
		if _, err := w.Letter(ctx, "other", first.ID); err == nil {
			t.Error("another study reads the letter")
		}
		versions, err := w.Versions(ctx, w.study)
		var order string
		for _, l := range versions {
			order += fmt.Sprint(l.Version, l.Language, " ")
		}
		if want := "2nb 2nn 2en 1nb 1nn 1en "; order != want || err != nil {
			t.Errorf("versions %q, want %q, %v", order, want, err)
		}
	})
}

func TestCurrentFallsBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, step := range []struct {
			published []string
			ask, want string
		}{
			{[]string{"en", "nn"}, "nb", "en"}, {[]string{"en", "nn"}, "nn", "nn"}, {[]string{"nb", "en"}, "nn", "nb"},
		} {
			values := map[string]consents.Fields{}
			for _, language := range step.published {
				values[language] = fields()
			}
			if _, err := w.Publish(t.Context(), researcher, w.study, consents.Respondent, consents.Consent, values); err != nil {
				t.Fatal(err)
			}
			got, err := w.Current(t.Context(), w.study, consents.Respondent, step.ask)
			if err != nil || got.Language != step.want {
				t.Errorf("%q of %q: got %q, want %q, %v", step.ask, step.published, got.Language, step.want, err)
			}
		}
	})
}

func TestPublishAtTheSameMoment(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const publishers = 6
		failures := make(chan error, publishers)
		for range publishers {
			go func() {
				_, err := w.Publish(t.Context(), researcher, w.study, consents.Company, consents.Consent, allLanguages())
				failures <- err
			}()
		}
		published := 0
		for range publishers {
			if err := <-failures; err == nil {
				published++
			} else {
				wantErr(t, err, consents.ErrPublished)
			}
		}
		versions, err := w.Versions(t.Context(), w.study)
		if err != nil || published == 0 || len(versions) != 3*published || versions[0].Version != published {
			t.Errorf("%d published, %d letters, %v", published, len(versions), err)
		}
	})
}

// size is a promise's figure on every change, or at full size where FELTBOK_TEST_FULL is set.
func size(everyChange, full int) int {
	if os.Getenv("FELTBOK_TEST_FULL") != "" {
		return full
	}
	return everyChange
}

func hashOf(l consents.Letter) string {
	sum := sha256.Sum256(l.Hashed())
	return hex.EncodeToString(sum[:])
}

// Promise 15: one changed byte of any letter is found, and so is an act that names another text than the letter's.
func TestVerifyFindsOneChangedByte(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		l := w.publish(t, consents.Company)
		person := w.act(l, yesToAll(l))
		w.record(t, person)
		if err := w.withdraw(ctx, staff, person.Person, nil); err != nil {
			t.Fatal(err)
		}
		w.publish(t, consents.Respondent)
		if n, err := w.Verify(ctx); n != 6 || err != nil {
			t.Fatalf("Verify = %d, %v; want 6 letters in order", n, err)
		}
		columns := []string{"title", "brief", "body", "items", "hash", "audience", "language", "study_id"}
		random := rand.New(rand.NewPCG(1, 2))
		versions, err := w.Versions(ctx, w.study)
		if err != nil {
			t.Fatal(err)
		}
		for range size(2, 100) {
			for _, column := range columns {
				for _, any := range versions {
					w.tamper(t, random, "letter", column, "id = '"+string(any.ID)+"'")
				}
			}
		}
		for _, column := range []string{"text", "hint", "purpose"} {
			w.tamper(t, random, "consent_item", column, "purpose = 'recording' and number = 1")
		}
		w.tamper(t, random, "consent_act", "letter_hash", "number = 1")
		for _, basis := range []string{consents.PublicInterest, consents.Consent} {
			w.set(t, "letter", "basis", basis, "id = '"+string(l.ID)+"'")
			if _, err := w.Verify(ctx); (err == nil) != (basis == consents.Consent) {
				t.Errorf("Verify = %v with the legal basis %s", err, basis)
			}
		}
		if n, err := w.Verify(ctx); n != 6 || err != nil {
			t.Errorf("Verify = %d, %v after all was mended", n, err)
		}
	})
}

// tamper changes one byte of one column, expects Verify to see it, and mends it.
func (w *world) tamper(t *testing.T, random *rand.Rand, table, column, where string) {
	t.Helper()
	ctx := t.Context()
	var text string
	if err := w.db.QueryRow(ctx, "select "+column+" from "+table+" where "+where).Scan(&text); err != nil {
		t.Fatal(err)
	}
	changed := []byte(text)
	at := random.IntN(len(changed))
	for changed[at] >= 0x80 { // keep it a text that PostgreSQL takes
		at = (at + 1) % len(changed)
	}
	changed[at] ^= 1
	if changed[at] == 0x7f || changed[at] < 0x20 {
		changed[at] = '~'
	}
	w.set(t, table, column, string(changed), where)
	_, err := w.Verify(ctx)
	if err == nil {
		t.Errorf("%s.%s: byte %d changed from %q to %q was not found", table, column, at, text[at], changed[at])
	} else {
		wantErr(t, err, consents.ErrAltered)
	}
	if column == "purpose" {
		where = "purpose = '" + string(changed) + "' and number = 1"
	}
	w.set(t, table, column, text, where)
}

func (w *world) set(t *testing.T, table, column, value, where string) {
	t.Helper()
	ctx := t.Context()
	err := w.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update "+table+" set "+column+" = $1 where "+where, value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPublishingStandsInTheChain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		l := w.publish(t, consents.Company)
		entries, err := w.log.Newest(t.Context(), w.study, 3)
		if err != nil || len(entries) != 3 {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		if got, want := entries[2].Detail, "company 1 nb "+l.Hash; got != want || entries[2].Actor != audit.Staff(researcher) {
			t.Errorf("entry %+v, want detail %q", entries[2], want)
		}
	})
}
