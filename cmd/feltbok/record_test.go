package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"
)

// boxes are the values of the boxes of one name.
func boxes(b *browser.Browser, name string) (values []string) {
	b.Page.Find(`main input[type="checkbox"][name="` + name + `"]`).Each(func(_ int, box *browser.Selection) {
		values = append(values, box.AttrOr("value", ""))
	})
	return values
}

func TestSettingsSayWhatTheStudyChose(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/settings"))
		s.kept(b, "main form", "special", "no", "minimum_age", "", "signature", "act", "on_withdrawal", "delete", "at_end", "delete", "proof_months", "12")
		f := b.Form("main form").Set("minimum_age", "seksten").Set("proof_months", "lenge")
		s.refused(b, f, 422, "minimum_age", "proof_months")
		s.kept(b, "main form", "minimum_age", "seksten", "proof_months", "lenge")
		s.refused(b, b.Form("main form").Set("minimum_age", "16").Set("proof_months", "6"), 422, "age_reason")
		s.must(b.Form("main form").Set("age_reason", "Vi spør om arbeid.").Set("special", "yes").Set("signature", "typed").
			Set("on_withdrawal", "anonymise").Set("at_end", "anonymise").Submit())
		study, err := s.Studies.Get(t.Context(), id.Study(strings.TrimPrefix(path, "/studies/")))
		s.must(err)
		if !study.Special || study.MinimumAge != 16 || study.Signature != studies.ByName || study.OnWithdrawal != studies.Anonymise ||
			study.AtEnd != studies.Anonymise || study.ProofMonths != 6 {
			t.Errorf("the study chose %+v", study)
		}
		s.must(b.Get(path + "/letters/company/nb/preview"))
		for _, want := range []string{"fylt 16 år", "Vi spør om arbeid.", "skriver navnet ditt", "artikkel 9", "i 6 måneder"} {
			if !strings.Contains(b.Text(".letter"), want) {
				t.Errorf("the letter does not say %q: %s", want, b.Text(".letter"))
			}
		}
	})
}

func TestRecordSaysWhatIsMissingAndWhere(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/settings"))
		s.must(b.Form("main form").Set("officer", "").Submit())
		s.must(b.Get(path + "/record"))
		for _, want := range []string{"/settings#f-officer", "/record/en#f-purpose", "/record/nb#f-uses", "/record/nb#f-why_company", "/settings#f-on_withdrawal"} {
			if !b.Has(`td a[href="` + path + want + `"]`) {
				t.Errorf("nothing leads to %s", want)
			}
		}
		if !says(b, ".intro", "Én opplysning mangler.") || !says(b, ".intro", "6 tekster er ikke oversatt.") || !says(b, ".intro", "22 forslag") {
			t.Errorf("the page counts %q", b.Text(".intro"))
		}
		for _, page := range []string{"/record", "/record/nb", "/record/en"} {
			s.speaks(b, path+page)
		}
		// What is linked to is an input.
		for _, lang := range []string{"nb", "en"} {
			s.must(b.Get(path + "/record"))
			var keys []string
			b.Page.Find(`td a[href*="/record/` + lang + `#"]`).Each(func(_ int, a *browser.Selection) {
				_, key, _ := strings.Cut(a.AttrOr("href", ""), "#")
				keys = append(keys, key)
			})
			s.must(b.Get(path + "/record/" + lang))
			for _, key := range keys {
				if !b.Has("main #" + key) {
					t.Errorf("%s has no input %s", lang, key)
				}
			}
		}
		s.must(b.Get(path))
		if !says(b, "main", "Studiens opplysninger: én opplysning mangler.") {
			t.Errorf("the home page says %q", b.Text("main"))
		}
		s.must(b.Get(path + "/settings"))
		s.must(b.Form("main form").Set("officer", "Per Personvern").Submit())
		s.must(b.Get(path + "/record/nb"))
		s.must(b.Form("main form").Set("uses", "Vi skriver en bok.").Only("confirmed", boxes(b, "confirmed")...).Submit())
		for _, lang := range []string{"nn", "en"} {
			s.must(b.Get(path + "/record/" + lang))
			if !says(b, "main", "Vi skriver en bok.") {
				t.Errorf("%s does not show what stands in the main language", lang)
			}
			s.must(b.Form("main form").Set("title", "A study").Set("purpose", "To try").Set("questions", "Does it work?").Set("uses", "We write a book.").Submit())
		}
		if !says(b, ".intro", "Alt er på plass.") || b.Has("td .badge a[href*='#f-uses']") && says(b, "table", "Forslag") {
			t.Errorf("with everything written the page says %q", b.Text("main"))
		}
		s.must(b.Get(path + "/letters/company/en/preview"))
		if text := b.Text("main .beside"); !strings.Contains(text, "To try") || !strings.Contains(text, "We write a book.") || strings.Contains(text, "Å prøve") {
			t.Errorf("the English letter reads %q", text)
		}
		// Another choice says something else, which nobody has confirmed.
		s.must(b.Get(path + "/settings"))
		s.must(b.Form("main form").Set("recording", "no").Submit())
		s.must(b.Get(path + "/record"))
		if !says(b, ".intro", "Ett forslag") {
			t.Errorf("after another choice the page says %q", b.Text(".intro"))
		}
	})
}

func TestRecordTextsAreKeptWhenRefused(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/record/nb"))
		long := strings.Repeat("å", 10_001)
		s.refused(b, b.Form("main form").Set("uses", long).Set("access", "Bare vi."), 422, "uses")
		s.kept(b, "main form", "uses", long, "access", "Bare vi.")
		for _, page := range []string{"/record/de", "/record/confirmed"} {
			if err := b.Get(path + page); err == nil || b.Status != http.StatusNotFound {
				t.Errorf("%s answers with %d, want 404", page, b.Status)
			}
		}
		vera := s.colleague(id.Study(strings.TrimPrefix(path, "/studies/")), studies.Supervisor)
		s.must(vera.Get(path + "/record"))
		if vera.Has("td a") {
			t.Error("a supervisor is led to inputs")
		}
		if err := vera.Get(path + "/record/nb"); err == nil || vera.Status != http.StatusForbidden {
			t.Errorf("a supervisor at the texts: %d, want 403", vera.Status)
		}
	})
}

func TestDraftSaysWhatWasRemoved(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/letters/company/nb"))
		body := b.Form("main form").Values().Get("body")
		s.must(b.Form("main form").Set("body", "<b>Hei</b>\n\n<script>alert(1)</script>\n\n[her](javascript:x)\n\n"+body).Submit())
		if text := b.Text(".notice"); !strings.Contains(text, "<b>") || !strings.Contains(b.Text(".notice code"), "<script>") && !says(b, "main", "<script>") || !says(b, "main", "javascript:") {
			t.Errorf("the page says %q", text)
		}
		if kept := b.Form("main form").Values().Get("body"); strings.ContainsAny(kept, "<>") || !strings.HasPrefix(kept, "Hei") || strings.Contains(kept, "alert") {
			t.Errorf("the draft is kept as %.80q", kept)
		}
		s.must(b.Form("main form").Set("body", body).Submit())
		if says(b, "main", "Vi fjernet") {
			t.Error("the notice outlives what it is about")
		}
	})
}

// renew publishes the letter with another purpose, or with a word mended.
func (f *participation) renew(purpose string) consents.Letter {
	f.t.Helper()
	f.study.Purpose = purpose
	f.publish("nb", "nn", "en")
	letter, err := f.Consents.Current(f.t.Context(), f.study.ID, "company", "nb")
	f.must(err)
	return letter
}

// agree answers yes to everything, at the newest letter.
func (f *participation) agree(person id.Person) {
	f.t.Helper()
	letter, err := f.Consents.Current(f.t.Context(), f.study.ID, "company", "nb")
	f.must(err)
	answers := map[string]bool{}
	for _, item := range letter.Items {
		answers[item.Purpose] = true
	}
	f.must(f.Consents.Record(f.t.Context(), audit.Participant(person), consents.Act{Study: f.study.ID, Person: person, Letter: letter.ID,
		Means: consents.OwnLink, Answers: answers}))
}

func (f *participation) staffBrowser() *browser.Browser {
	f.t.Helper()
	b := f.browser()
	f.must(b.Get("/sign-in"))
	f.must(b.Form("main form").Set("email", "ingrid@example.org").Set("password", testPassword).Submit())
	return b
}

func TestANewLetterIsToldOfToThoseWhoSaidYes(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		ctx := t.Context()
		var people []id.Person
		var links []string
		for i := range 6 {
			person, link := f.informant(fmt.Sprintf("A%d", i+1))
			people, links = append(people, person), append(links, link)
			if i != 5 { // the sixth has not answered
				f.agree(person)
			}
		}
		restrict := func(i int) {
			f.must(f.stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
				return f.Consents.RestrictTx(ctx, tx, audit.Staff(f.staff), f.study.ID, people[i], consents.Restrict)
			}))
		}
		restrict(4)
		f.sendMail()
		letter := f.renew("Å forstå noe helt annet.")
		b := f.staffBrowser()
		path := "/studies/" + string(f.study.ID)
		s := f.stage
		s.must(b.Get(path + "/letters"))
		s.must(b.Follow("/changes"))
		if !says(b, "#proposal ~ .b .lead", "Spør på nytt") || !says(b, "#proposal ~ .b", "Formålet eller forskningsspørsmålene er endret.") {
			t.Errorf("the proposal reads %q", b.Text("#proposal ~ .b"))
		}
		if !strings.Contains(b.Text("ins"), "noe helt annet.") || !strings.Contains(b.Text("del"), "samskaping.") {
			t.Errorf("new %q, gone %q", b.Text("ins"), b.Text("del"))
		}
		if !says(b, "main", "4 personer har svart ja til et eldre brev.") {
			t.Errorf("the page does not say whom it reaches: %s", b.Text("#proposal ~ .b"))
		}
		s.kept(b, "main form", "do", "ask")
		s.speaks(b, path+"/letter/"+string(letter.ID)+"/changes")
		s.must(b.Form("main form").Submit())
		if !says(b, "main", "4 e-poster.") || !says(b, "main", "venter 4") {
			t.Errorf("the round is shown as %q", b.Text("#proposal ~ .b"))
		}
		// Meanwhile one answers to the new letter, one withdraws and one is restricted.
		f.agree(people[0])
		s.must(s.People.Withdraw(ctx, audit.Participant(people[1]), f.study.ID, people[1]))
		restrict(2)
		got := map[string]string{}
		f.deliver(func(m mail.Message) error {
			if m.Kind == consents.ChangedKind {
				got[m.To.Email] = m.Subject + m.Text
			}
			return nil
		})
		s.sendMail()
		if text := got["a4@example.org"]; len(got) != 1 || !strings.Contains(text, "svare på nytt") || !strings.Contains(text, "/p/") {
			t.Errorf("mails went to %v", got)
		}
		s.must(b.Get(path + "/letters"))
		if !says(b, "main", "Sendt 1, venter 0, feilet 0, ikke lenger aktuelle 3.") {
			t.Errorf("the round is counted as %q", b.Text("main"))
		}
		// Whoever follows the link is asked again.
		p := f.browser()
		s.must(p.Get(links[3]))
		s.must(p.Form("main form").Submit())
		s.must(p.Get("/my/consent"))
		if p.Has("main input[checked]") || p.Page.Find("main fieldset").Length() == 0 {
			t.Error("the answers to the old letter stand in the form of the new one")
		}
	})
}

func TestARoundIsForTheNewestLetterAndForSomebody(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		person, _ := f.informant("A1")
		f.agree(person)
		old := f.renew("Å forstå mer.")
		path := "/studies/" + string(f.study.ID) + "/letter/" + string(old.ID) + "/changes"
		b := f.staffBrowser()
		f.must(b.Get(path))
		f.stage.refused(b, b.Form("main form").Only("do"), 422, "do")
		stale := b.Form("main form").Set("do", "inform")
		f.renew("Å forstå enda mer.")
		if err := stale.Submit(); err == nil || b.Status != http.StatusConflict {
			t.Errorf("a round about an old letter: status %d, want 409", b.Status)
		}
		f.must(b.Get(path))
		if b.Has(`main form[action*="/changes"]`) {
			t.Error("an old letter offers a round")
		}
		f.agree(person)
		newest, err := f.Consents.Current(t.Context(), f.study.ID, "company", "nb")
		f.must(err)
		_, err = f.Consents.Tell(t.Context(), audit.Staff(f.staff), f.study.ID, "company", newest.Version, true)
		if !strings.Contains(fmt.Sprint(err), "nobody_to_tell") {
			t.Errorf("a round for nobody: %v", err)
		}
		if rounds, err := f.Consents.Rounds(t.Context(), f.study.ID); err != nil || len(rounds) != 0 {
			t.Errorf("%d rounds, %v", len(rounds), err)
		}
	})
}

// Every language that was published is shown as it was sent.
func TestPublishedLetterShowsEveryLanguage(t *testing.T) {
	inParticipation(t, func(f *participation) {
		letter, err := f.Consents.Current(f.t.Context(), f.study.ID, "company", "nn")
		f.must(err)
		b := f.staffBrowser()
		f.must(b.Get("/studies/" + string(f.study.ID) + "/letter/" + string(letter.ID)))
		var langs []string
		b.Page.Find(".beside > div").Each(func(_ int, one *browser.Selection) { langs = append(langs, one.AttrOr("lang", "")) })
		if !slices.Equal(langs, []string{"nn", "nb", "en"}) {
			t.Errorf("the page shows %q, the one that was asked for first", langs)
		}
		versions, err := f.Consents.Versions(f.t.Context(), f.study.ID)
		f.must(err)
		for _, l := range versions {
			if !strings.Contains(b.Text(".beside"), l.Hash) {
				t.Errorf("the hash of %s is not there", l.Language)
			}
		}
	})
}
