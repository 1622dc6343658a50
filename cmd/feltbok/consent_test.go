package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/pdf/pdftest"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// eachCrowd is a crowd of informants and respondents on each engine, in a study that demands something of a yes.
func eachCrowd(t *testing.T, informants, respondents int, demand func(*studies.Study), fn func(t *testing.T, c *crowd)) {
	t.Helper()
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, informants, respondents, func(i int) string { return "p" + string(rune('a'+i)) })
		c.demand(demand)
		fn(t, c)
	})
}

// inCrowd is eachCrowd for what does not depend on the engine.
func inCrowd(t *testing.T, informants, respondents int, demand func(*studies.Study), fn func(c *crowd)) {
	t.Helper()
	c := newCrowd(newStage(t, nil), informants, respondents, func(i int) string { return "p" + string(rune('a'+i)) })
	c.demand(demand)
	fn(c)
}

// demand changes what the study asks of whoever says yes.
func (c *crowd) demand(change func(*studies.Study)) {
	c.t.Helper()
	change(&c.study)
	c.must(c.Studies.Update(c.t.Context(), audit.Staff(c.owner), c.study))
	var err error
	c.study, err = c.Studies.Get(c.t.Context(), c.study.ID)
	c.must(err)
}

func nothing(*studies.Study)           {}
func byName(s *studies.Study)          { s.Signature = studies.ByName }
func byDrawing(s *studies.Study)       { s.Signature = studies.Drawing }
func explicitly(s *studies.Study)      { s.Special = true }
func fromFifteen(s *studies.Study)     { s.MinimumAge, s.AgeReason = 15, "Vi spør om helse." }
func everyDemand(s *studies.Study)     { byName(s); explicitly(s); fromFifteen(s) }
func (c *crowd) person() id.Person     { return c.persons[0] }
func (c *crowd) own() *browser.Browser { return c.enter(c.person(), links.Participant) }

func (c *crowd) acts(person id.Person) []consents.Given {
	c.t.Helper()
	state, err := c.Consents.State(c.t.Context(), c.study.ID, person)
	c.must(err)
	return state.Acts
}

// kept is the newest of so many acts.
func (c *crowd) kept(person id.Person, want int) consents.Given {
	c.t.Helper()
	acts := c.acts(person)
	if len(acts) != want {
		c.t.Fatalf("%d acts are kept, want %d", len(acts), want)
	}
	if want == 0 {
		return consents.Given{}
	}
	return acts[want-1]
}

// refused hands in a form that is to be refused, in these words, with nothing kept of the person.
func (c *crowd) refused(form *browser.Form, b *browser.Browser, status int, words ...string) {
	c.t.Helper()
	if err := form.Submit(); err == nil || b.Status != status {
		c.t.Fatalf("status %d (%v), want %d", b.Status, err, status)
	}
	for _, want := range words {
		if !strings.Contains(b.Text("main"), want) {
			c.t.Errorf("the page does not say %q:\n%s", want, b.Text("main"))
		}
	}
}

func (c *crowd) says(b *browser.Browser, words ...string) {
	c.t.Helper()
	for _, want := range words {
		if !strings.Contains(b.Text("body"), want) {
			c.t.Errorf("%s does not say %q:\n%s", b.Address(), want, b.Text("main"))
		}
	}
}

// Where a study demands a name, it lies in the vault alone, is shown to the person and to whoever of the team opens the
// person's name, and goes with the person.
func TestNameUnderAConsent(t *testing.T) {
	eachCrowd(t, 2, 0, byName, func(t *testing.T, c *crowd) {
		b := c.own()
		c.must(b.Get("/my/consent"))
		c.says(b, "Skriv navnet ditt", "må fylles ut")
		c.refused(answerAll(b), b, http.StatusUnprocessableEntity, "Skriv under, eller svar nei til å være med.")
		c.refused(answerAll(b).Set("signature", "1234"), b, http.StatusUnprocessableEntity, "Skriv navnet med bokstaver.")
		if !b.Has(`#f-signature[value="1234"][aria-invalid]`) || !b.Has(`.errors a[href="#f-signature"]`) {
			t.Error("what was typed is gone, or the summary does not lead to it")
		}
		c.kept(c.person(), 0)
		if dump := dump(t, c.stores[database.Identity]); strings.Contains(dump, "signature ") {
			t.Errorf("a refused name was sealed:\n%s", dump)
		}
		c.must(answerAll(b).Set("signature", "Åse Kanarifugl").Submit())
		act := c.kept(c.person(), 1)
		if act.Signed != "typed" || act.Means != consents.OwnLink {
			t.Errorf("kept %+v", act)
		}
		for _, store := range []database.Store{database.Study, database.Identity} {
			for encoding, canary := range encodings("Kanarifugl") {
				if strings.Contains(dump(t, c.stores[store])+c.bytesOf(store), canary) {
					t.Errorf("the %s store holds the name in %s", store, encoding)
				}
			}
		}
		c.must(b.Get("/my/data"))
		c.says(b, "Åse Kanarifugl")
		if c.must(b.Get("/my/data.json")); !strings.Contains(string(b.Body), `"typed": "Åse Kanarifugl"`) {
			t.Error("the copy to take along lacks the name")
		}
		owner, page := c.staff(c.owner), "/studies/"+string(c.study.ID)+"/people/"+string(c.person())
		c.must(owner.Get(page))
		if strings.Contains(string(owner.Body), "Kanarifugl") {
			t.Error("the name shows without being opened")
		}
		c.must(owner.Form(`form[action="`+page+`/name"]`).Set("purpose", "support").Submit())
		c.says(owner, "Åse Kanarifugl")
		c.must(owner.Get("/studies/" + string(c.study.ID) + "/log?only=names"))
		c.says(owner, "Ga underskrift: skrevet", "Åpnet underskriften: for å hjelpe")

		other := c.enter(c.persons[1], links.Participant)
		c.must(other.Get("/my/data"))
		if strings.Contains(string(other.Body), "Kanarifugl") {
			t.Error("somebody else sees the name")
		}
		c.must(other.Get("/my/consent"))
		c.must(other.Form("main form").Set("consent_interview", "no").Set("signature", "Unødvendig").Submit())
		if act := c.kept(c.persons[1], 1); act.Signed != "" {
			t.Errorf("a no was signed: %+v", act)
		}
		if names, err := c.Vault.Signatures(t.Context(), audit.System, "support", c.study.ID, c.persons[1]); len(names) > 0 || err != nil {
			t.Errorf("the name under a no was kept: %v, %v", names, err)
		}

		c.must(b.Get("/my/withdraw"))
		c.must(b.Form("main form").Set("choice", "all").Submit())
		if dump := dump(t, c.stores[database.Identity]); strings.Contains(dump, string(act.ID)) {
			t.Error("the name outlives the person")
		}
		if _, err := c.Audit.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

const drawnName = "M10,20L12,24L15,30L20,33L26,35M40,20L44,60L48,80L60,90"

// A drawn name is strokes and nothing else; whoever has no script writes it.
func TestDrawnName(t *testing.T) {
	inCrowd(t, 2, 0, byDrawing, func(c *crowd) {
		b := c.own()
		c.must(b.Get("/my/consent"))
		if !b.Has("[data-draw][hidden] svg path") || !b.Has(`input[name="drawing"]`) || !strings.Contains(string(b.Body), "<noscript><p class=\"hint\">Tegning krever JavaScript") {
			t.Error("there is nothing to draw on, or nothing said without a script")
		}
		for _, hostile := range []string{drawnName + `"><script>alert(1)</script>`, "url(https://example.org/x)", drawnName + "Z", strings.Repeat(drawnName, 300), "M1,1L2,2"} {
			c.refused(answerAll(b).Set("drawing", hostile), b, http.StatusUnprocessableEntity, "Underskriften")
			if strings.Contains(string(b.Body), "<script>alert") {
				t.Error("a stroke became markup")
			}
		}
		c.kept(c.person(), 0)
		c.must(answerAll(b).Set("drawing", drawnName).Set("signature", "").Submit())
		if act := c.kept(c.person(), 1); act.Signed != "drawn" {
			t.Errorf("kept %+v", act)
		}
		c.must(b.Get("/my/data"))
		if !b.Has(`path[d="` + drawnName + `"]`) {
			t.Error("the drawn name does not show")
		}
		other := c.enter(c.persons[1], links.Participant)
		c.must(other.Get("/my/consent"))
		c.refused(answerAll(other), other, http.StatusUnprocessableEntity, "Skriv under, eller svar nei")
		c.must(answerAll(other).Set("signature", "Åse Åsnes").Submit())
		if act := c.kept(c.persons[1], 1); act.Signed != "typed" {
			t.Errorf("kept %+v", act)
		}
	})
}

// A name goes where its act is not kept, and no act is kept without its name.
func TestNameAndActStandTogether(t *testing.T) {
	eachCrowd(t, 1, 0, byName, func(t *testing.T, c *crowd) {
		ctx, person, self := t.Context(), c.person(), audit.Participant(c.person())
		act := consents.Act{Study: c.study.ID, Person: person, Letter: c.letter(consents.Company).ID, Means: consents.OwnLink, Answers: yesTo(c.letter(consents.Company))}
		if err := c.people.ChangeConsent(ctx, self, act); errs.KindOf(err) != errs.Invalid {
			t.Errorf("a yes without a name: %v", err)
		}
		// What a crash between the two leaves: sealed, and under no act.
		c.must(c.Vault.Sign(ctx, self, c.study.ID, person, "lost", identities.Signature{Typed: "Åse"}))
		c.must(c.people.SignConsent(ctx, self, act, identities.Signature{Typed: "Åse"}))
		names := func() (acts []id.Consent) {
			names, err := c.Vault.Signatures(ctx, audit.System, "support", c.study.ID, person)
			c.must(err)
			for act := range names {
				acts = append(acts, act)
			}
			slices.Sort(acts)
			return acts
		}
		if got := names(); len(got) != 2 {
			t.Errorf("another act may be about to be kept, and yet of two names there are %v", got)
		}
		c.clock.set(c.clock.now().Add(2 * time.Hour))
		c.must(c.people.SignConsent(ctx, self, act, identities.Signature{Typed: "Åse"}))
		if got := names(); len(got) != 2 || slices.Contains(got, "lost") {
			t.Errorf("names under %v, want the two acts", got)
		}
		for _, kept := range c.acts(person) {
			if !slices.Contains(names(), kept.ID) {
				t.Errorf("act %s has no name", kept.ID)
			}
		}
		// The act is refused when its turn comes: the person is leaving.
		c.must(c.db().Tx(ctx, func(tx *database.Tx) error {
			_, err := c.Intents.Begin(ctx, tx, c.study.ID, person, withdraw, acted{By: self})
			return err
		}))
		if err := c.people.SignConsent(ctx, self, act, identities.Signature{Typed: "Åse"}); errs.KindOf(err) != errs.NotFound {
			t.Errorf("signed while leaving: %v", err)
		}
		if got := names(); len(got) != 2 {
			t.Errorf("the name of a refused act stays: %v", got)
		}
	})
}

func (c *crowd) db() *database.DB { return c.stores[database.Study] }

func yesTo(l consents.Letter) map[string]bool {
	answers := map[string]bool{}
	for _, item := range l.Items {
		answers[item.Purpose] = true
	}
	return answers
}

// Special categories need a yes in words of its own. Nothing is kept before it; a robot, a skipped step and a step about
// other answers lead nowhere; a no there is a no.
func TestExplicitConsent(t *testing.T) {
	eachCrowd(t, 2, 0, explicitly, func(t *testing.T, c *crowd) {
		b := c.own()
		c.must(b.Get("/my/consent"))
		skipped := answerAll(b).Set("letter", string(c.letter(consents.Company).ID)).Values()
		skipped.Set("explicit", "yes")
		if status, err := b.Try("POST", "/my/consent", skipped); err != nil || status != http.StatusOK {
			t.Errorf("the step was skipped: %d, %v", status, err)
		}
		c.kept(c.person(), 0)
		c.must(b.Get("/my/consent"))
		c.must(answerAll(b, "recording").Submit())
		c.says(b, "Bekreft at du samtykker", "Ingenting er lagret ennå", "Jeg samtykker uttrykkelig til at Nordfjord universitet behandler særlige kategorier", "Vil du delta i en samtale?")
		if strings.Contains(b.Text("main ul"), "lydopptak") || b.Has("input[checked]") {
			t.Error("a no stands among what was agreed to, or an answer is chosen")
		}
		c.kept(c.person(), 0)
		c.refused(b.Form("main form"), b, http.StatusUnprocessableEntity, "Velg ja eller nei til å samtykke uttrykkelig.")
		c.kept(c.person(), 0)

		forged := b.Form("main form").Set("explicit", "yes").Set("consent_recording", "yes") // other answers than were confirmed
		c.must(forged.Submit())
		c.says(b, "Bekreft at du samtykker", "Kan vi ta lydopptak?")
		c.kept(c.person(), 0)

		c.must(b.Form("main form").Press("change", "yes"))
		if !b.Has(`#f-consent_recording[value="yes"][checked]`) || !b.Has(`input[name="consent_quotation"][value="yes"][checked]`) {
			t.Error("going back loses the answers")
		}
		c.kept(c.person(), 0)
		c.must(answerAll(b, "recording").Submit())
		last := b.Form("main form").Set("explicit", "yes")
		c.must(last.Submit())
		c.must(last.Submit()) // a double click
		act := c.kept(c.person(), 1)
		if !strings.HasPrefix(act.Explicit, "Jeg samtykker uttrykkelig til at Nordfjord universitet") || act.Items[1].Yes {
			t.Errorf("kept %+v", act)
		}
		c.must(b.Get("/my/consent"))
		c.must(b.Form("main form").Submit())
		c.says(b, "Ingenting er endret.")

		other := c.enter(c.persons[1], links.Participant)
		c.must(other.Get("/my/consent"))
		c.must(answerAll(other).Submit())
		c.must(other.Form("main form").Set("explicit", "no").Submit())
		c.says(other, "Takk for svaret", "Vi spør deg ikke igjen.")
		if act := c.kept(c.persons[1], 1); act.Explicit != "" || act.Items[0].Yes || act.Items[0].Implied || !act.Items[1].Implied {
			t.Errorf("kept %+v", act)
		}
		// Promise 15: taking it back is one page and one choice, where giving it took two.
		c.must(b.Get("/my/withdraw"))
		c.must(b.Form("main form").Set("choice", consents.Interview).Submit())
		if act := c.kept(c.person(), 2); !act.Withdrawal || act.Explicit != "" {
			t.Errorf("kept %+v", act)
		}
	})
}

func TestMinimumAge(t *testing.T) {
	eachCrowd(t, 2, 0, fromFifteen, func(t *testing.T, c *crowd) {
		b := c.own()
		c.must(b.Get("/my/consent"))
		c.says(b, "Er du fylt 15 år?", "Vi spør om helse.", "Er svaret nei, kan du ikke være med")
		if b.Has("input:checked, input[checked]") {
			t.Error("an answer is chosen in advance")
		}
		c.refused(answerAll(b), b, http.StatusUnprocessableEntity, "Svar ja eller nei på om du er gammel nok.")
		c.kept(c.person(), 0)
		c.must(answerAll(b).Set("age", "yes").Submit())
		if act := c.kept(c.person(), 1); act.OfAge != 15 {
			t.Errorf("kept %+v", act)
		}
		if c.must(b.Get("/my/consent")); b.Has(`input[name="age"]`) {
			t.Error("the age is asked for again")
		}

		young := c.enter(c.persons[1], links.Participant)
		c.must(young.Get("/my/consent"))
		c.must(answerAll(young).Set("age", "no").Submit())
		c.says(young, "Takk for svaret", "Vi spør deg ikke igjen.")
		act := c.kept(c.persons[1], 1)
		if act.OfAge != 0 || slices.ContainsFunc(act.Items, func(a consents.Answer) bool { return a.Yes || !a.Implied }) {
			t.Errorf("kept %+v", act)
		}
		if p, err := c.Recruitment.Get(t.Context(), c.study.ID, c.persons[1]); err != nil || p.State != recruitment.Declined {
			t.Errorf("state %s, %v", p.State, err)
		}
	})
}

// A respondent is asked for the same at the start of a survey.
func TestSurveyDemandsTheSame(t *testing.T) {
	inCrowd(t, 0, 3, everyDemand, func(c *crowd) {
		b := c.enter(c.asked[0], links.Survey)
		form := func(b *browser.Browser) *browser.Form { return b.Form(`form[action="/survey/consent"]`) }
		c.must(b.Get("/survey/letter"))
		c.refused(form(b), b, http.StatusUnprocessableEntity, "Velg ja eller nei til å svare på undersøkelsen.")
		c.refused(form(b).Set("consent_survey", "yes"), b, http.StatusUnprocessableEntity, "gammel nok", "Skriv under")
		c.must(form(b).Set("consent_survey", "yes").Set("age", "yes").Set("signature", "Åse").Submit())
		c.says(b, "Bekreft at du samtykker")
		c.refused(form(b), b, http.StatusUnprocessableEntity, "samtykke uttrykkelig")
		c.kept(c.asked[0], 0)
		c.must(form(b).Set("explicit", "yes").Submit())
		if act := c.kept(c.asked[0], 1); act.Means != consents.BySurvey || act.Signed != "typed" || act.OfAge != 15 || act.Explicit == "" {
			t.Errorf("kept %+v", act)
		}
		if !strings.HasPrefix(b.Address(), "/survey/page/1") {
			t.Errorf("a yes leads to %s", b.Address())
		}
		for i, answer := range []func(*browser.Browser) error{
			func(b *browser.Browser) error { return form(b).Set("consent_survey", "yes").Set("age", "no").Submit() },
			func(b *browser.Browser) error {
				return joinErrors(form(b).Set("consent_survey", "yes").Set("age", "yes").Set("signature", "Åse").Submit, func() error { return form(b).Set("explicit", "no").Submit() })
			},
		} {
			person := c.asked[i+1]
			b := c.enter(person, links.Survey)
			c.must(b.Get("/survey/letter"))
			c.must(answer(b))
			c.says(b, "Takk for svaret")
			if r, err := c.Surveys.RespondentOf(c.t.Context(), c.study.ID, c.survey, person); err != nil || r.State != surveys.Declined {
				t.Errorf("way %d: %s, %v", i, r.State, err)
			}
			if act := c.kept(person, 1); act.Signed+act.Explicit != "" || act.Items[0].Yes {
				t.Errorf("way %d kept %+v", i, act)
			}
		}
	})
}

func joinErrors(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// An answer to a letter that was replaced while it lay open is asked for again, also in a survey; two tabs are two acts, of
// which the later stands.
func TestOldLettersAndTwoTabs(t *testing.T) {
	inCrowd(t, 1, 1, nothing, func(c *crowd) {
		b := c.enter(c.asked[0], links.Survey)
		c.must(b.Get("/survey/letter"))
		open := b.Form(`form[action="/survey/consent"]`).Set("consent_survey", "yes")
		c.publishAgain(consents.Respondent)
		c.refused(open, b, http.StatusConflict, "Brevet er endret siden du åpnet det.")
		if c.kept(c.asked[0], 0); b.Has("input[checked]") {
			t.Error("an answer to the old letter is chosen for the new")
		}

		one, two := c.own(), c.own()
		c.must(one.Get("/my/consent"))
		c.must(two.Get("/my/consent"))
		c.must(answerAll(one).Submit())
		c.must(answerAll(two, "recording").Submit())
		acts := c.acts(c.person())
		if len(acts) != 2 || !acts[0].Items[1].Yes || acts[1].Items[1].Yes {
			t.Fatalf("acts %+v", acts)
		}
		state, err := c.Consents.State(c.t.Context(), c.study.ID, c.person())
		if err != nil || state.ByPurpose[consents.Recording] != consents.No {
			t.Errorf("recording stands at %s, %v", state.ByPurpose[consents.Recording], err)
		}
	})
}

// publishAgain makes a new version of a letter.
func (c *crowd) publishAgain(audience string) {
	c.t.Helper()
	fields := map[string]consents.Fields{}
	for _, lang := range consents.Languages {
		fields[lang] = consents.Fields{Title: "Prøvestudie", Purpose: "Å prøve igjen", Questions: []string{"Virker det?"}, Institution: "Nordfjord universitet",
			ProjectContact: "klynger@example.org", Supervisor: "Vera", SupervisorContact: "vera@example.org", Officer: "Per",
			OfficerContact: "per@example.org", Assessment: "Prøve 1", EndsOn: "31.12.2019", Duration: "60"}
	}
	_, err := c.Consents.Publish(c.t.Context(), c.owner, c.study.ID, audience, consents.Consent, fields)
	c.must(err)
}

// The team enters what was said, signed or kept elsewhere, with the day; it is asked for the same, less the name.
func TestStaffEnterAnAct(t *testing.T) {
	inCrowd(t, 2, 0, everyDemand, func(c *crowd) {
		b, page := c.staff(c.owner), "/studies/"+string(c.study.ID)+"/people/"+string(c.person())
		c.must(b.Get(page + "/consent"))
		c.says(b, "Nettskjema", "TSD", "Når ble svaret gitt?", "Er personen fylt 15 år?", "Har personen samtykket uttrykkelig?", "Nordfjord universitet behandler særlige kategorier")
		c.refused(b.Form("main form"), b, http.StatusUnprocessableEntity, "Velg hvordan svaret kom.")
		paper := func(day string) *browser.Form {
			return answerAll(b).Set("means", "paper").Set("reference", "perm-2/14").Set("given_on", day)
		}
		c.refused(paper("i går"), b, http.StatusUnprocessableEntity, "Skriv datoen som", "Svar ja eller nei på om personen har samtykket")
		c.refused(paper("2019-02-05").Set("explicit", "yes"), b, http.StatusUnprocessableEntity, "Datoen kan ikke være frem i tid.", "Svar ja eller nei på om personen er gammel nok.")
		if !b.Has(`#f-given_on[value="2019-02-05"]`) || !b.Has(`#f-reference[value="perm-2/14"]`) {
			t.Error("what was typed is gone")
		}
		c.refused(paper("28.01.2019").Set("age", "yes").Set("explicit", "no"), b, http.StatusUnprocessableEntity, "Uten et uttrykkelig samtykke")
		c.kept(c.person(), 0)
		c.must(paper("28.01.2019").Set("age", "yes").Set("explicit", "yes").Submit())
		act := c.kept(c.person(), 1)
		if act.GivenOn != "2019-01-28" || act.Means != consents.Paper || act.OfAge != 15 || act.Signed != "" || act.Explicit == "" {
			t.Errorf("kept %+v", act)
		}
		c.says(b, "gitt 28. januar 2019")
		c.must(b.Get(page + "/consent"))
		c.refused(paper("27.01.2019").Set("explicit", "yes"), b, http.StatusUnprocessableEntity, "Personen har svart etter denne datoen.")
		c.refused(paper("").Set("reference", "Kari Nordmann").Set("explicit", "yes"), b, http.StatusUnprocessableEntity, "Ikke navn")

		c.must(b.Get("/studies/" + string(c.study.ID) + "/people/" + string(c.persons[1]) + "/consent"))
		c.must(answerAll(b).Set("means", "elsewhere").Set("reference", "NS-2019.1187").Set("age", "no").Submit())
		if act := c.kept(c.persons[1], 1); act.Items[0].Yes || act.OfAge != 0 || act.Reference != "NS-2019.1187" {
			t.Errorf("kept %+v", act)
		}
	})
}

var attachment = regexp.MustCompile(`(?s)filename="([^"]+\.pdf)".*?\r\n\r\n([A-Za-z0-9+/=\r\n]+)`)

// paperIn is the file that a mail carries, with its name.
func paperIn(t *testing.T, raw string) (name, text string) {
	t.Helper()
	found := attachment.FindStringSubmatch(raw)
	if found == nil {
		t.Fatalf("no PDF in the mail:\n%.2000s", raw)
	}
	file, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(found[2]))
	if err != nil {
		t.Fatal(err)
	}
	return found[1], pdftest.Text(t, file)
}

func (s *stage) rawMailOf(kind, to string) string {
	s.t.Helper()
	return s.rawMails()[s.newestOf(kind, to)]
}

// The receipt carries what was answered in the words that were shown, when, how, and to which letter by its hash, with the
// letter itself; and it leads to where it is changed.
func TestReceiptHasThePaper(t *testing.T) {
	inCrowd(t, 1, 1, everyDemand, func(c *crowd) {
		b := c.own()
		c.must(b.Get("/my/consent"))
		c.must(answerAll(b, "recording").Set("age", "yes").Set("signature", "Åse Kanarifugl").Submit())
		c.must(b.Form("main form").Set("explicit", "yes").Submit())
		c.sendMail()
		letter, act := c.letter(consents.Company), c.kept(c.person(), 1)
		name, text := paperIn(t, c.rawMailOf("consent_receipt", "pa@example.org"))
		if name != "kvittering.pdf" {
			t.Errorf("the file is called %q", name)
		}
		text = strings.Join(strings.Fields(text), " ")
		for _, want := range []string{"Kvittering for svaret ditt", "Prøvestudie", "4. februar 2019", "På nettsiden bak den personlige lenken", "Versjon 1, bokmål",
			"Ja Vil du delta i en samtale?", "Nei Kan vi ta lydopptak?", "Fylt 15 år", "Navnet er skrevet", "Jeg samtykker uttrykkelig til at Nordfjord universitet", letter.Title, "Formålet"} {
			if !strings.Contains(text, want) {
				t.Errorf("the paper does not say %q:\n%s", want, text)
			}
		}
		pages := strings.Count(text, "Side ")
		if whole := strings.ReplaceAll(text, " ", ""); strings.Count(whole, letter.Hash) != pages+1 || act.Hash != letter.Hash || pages < 3 {
			t.Errorf("the letter's hash is not on each of %d pages and once more", pages)
		}
		if strings.Contains(text, "Kanarifugl") {
			t.Error("the paper holds the name")
		}
		if mail := c.mailOf("consent_receipt", "pa@example.org"); !linkPattern.MatchString(mail) || !strings.Contains(mail, "/p/") {
			t.Errorf("the mail leads nowhere:\n%.1500s", mail)
		}

		c.must(b.Get("/my/withdraw"))
		c.must(b.Form("main form").Set("choice", consents.Quotation).Submit())
		c.sendMail()
		_, text = paperIn(t, c.rawMailOf("consent_receipt", "pa@example.org"))
		whole := strings.ReplaceAll(text, " ", "") // one page: the hash stands among the facts and in the foot
		if !strings.Contains(text, "samtykket er trukket") || strings.Contains(whole, "Formålet") || strings.Count(whole, letter.Hash) != 2 {
			t.Errorf("the paper of a withdrawal:\n%s", text)
		}

		answers := c.enter(c.asked[0], links.Survey)
		c.must(answers.Get("/survey/letter?lang=en"))
		form := func() *browser.Form { return answers.Form(`form[action="/survey/consent"]`) }
		c.must(form().Set("consent_survey", "yes").Set("age", "yes").Set("signature", "Åse").Submit())
		c.must(form().Set("explicit", "yes").Submit())
		c.sendMail()
		mail := c.mailOf("consent_receipt", "pb@example.org")
		link := linkPattern.FindStringSubmatch(mail)
		if link == nil || !strings.HasPrefix(link[1], "/s/") {
			t.Fatalf("the receipt of a survey leads nowhere:\n%.1500s", mail)
		}
		c.must(c.browser().Get(link[1]))
		if _, text := paperIn(t, c.rawMailOf("consent_receipt", "pb@example.org")); !strings.Contains(strings.Join(strings.Fields(text), " "), "Ved starten av undersøkelsen") {
			t.Errorf("the paper of a survey:\n%s", text)
		}
	})
}

// The letter comes as a file to whoever may read it: in their language, the one they answered to, and the same bytes for
// everybody.
func TestLetterAsAFile(t *testing.T) {
	inCrowd(t, 1, 1, nothing, func(c *crowd) {
		letter := c.letter(consents.Company)
		get := func(b *browser.Browser, path string) []byte {
			t.Helper()
			c.must(b.Get(path))
			if got := b.Header.Get("Content-Type"); got != "application/pdf" {
				t.Fatalf("%s is %s", path, got)
			}
			return bytes.Clone(b.Body)
		}
		b, owner := c.own(), c.staff(c.owner)
		c.must(b.Get("/my/letter"))
		if !b.Has(`a[href="/my/letter.pdf"]`) {
			t.Error("the page does not lead to the file")
		}
		mine := get(b, "/my/letter.pdf")
		text := strings.Join(strings.Fields(pdftest.Text(t, mine)), " ")
		for _, want := range []string{letter.Title, "«Prøvestudie»", letter.Hash, "Side 1 av", "Kan vi ta lydopptak?"} {
			if !strings.Contains(text, want) {
				t.Errorf("the file does not say %q:\n%s", want, text)
			}
		}
		staffPath := "/studies/" + string(c.study.ID) + "/letter/" + string(letter.ID)
		if !bytes.Equal(mine, get(owner, staffPath+"/pdf")) {
			t.Error("the team gets other bytes than the participant")
		}
		c.must(owner.Get(staffPath))
		if !owner.Has(`a[href="` + staffPath + `/pdf"]`) {
			t.Error("the team's page does not lead to the file")
		}
		if text := pdftest.Text(t, get(b, "/my/letter.pdf?lang=en")); !strings.Contains(text, "Page 1 of") {
			t.Errorf("the file is not in the page's language:\n%s", text)
		}
		c.must(b.Get("/my/letter?lang=nb"))
		c.must(b.Get("/my/consent"))
		c.must(answerAll(b).Submit())
		c.publishAgain(consents.Company)
		if !bytes.Equal(mine, get(b, "/my/letter.pdf?read=1")) || bytes.Equal(mine, get(b, "/my/letter.pdf")) {
			t.Error("the letter that was answered to is not the one of before, or the newest is")
		}
		if text := pdftest.Text(t, get(c.enter(c.asked[0], links.Survey), "/survey/letter.pdf")); !strings.Contains(text, "undersøkelsen") {
			t.Errorf("the survey's letter:\n%s", text)
		}
	})
}

// Promise 7 where a study demands most: a robot that hands in every form as it stands changes nothing.
func TestRobotsDoNotConsent(t *testing.T) {
	inCrowd(t, 2, 2, everyDemand, func(c *crowd) {
		c.consent(c.persons[1]) // with less than the study demands
		for _, person := range c.persons {
			c.path(person, links.Participant) // as in a mail
		}
		for _, person := range c.asked {
			c.path(person, links.Survey)
		}
		before, vault := dump(t, c.stores[database.Study], notStudyData...), dump(t, c.stores[database.Identity])
		for _, person := range c.persons {
			scan(t, c.stage, c.path(person, links.Participant))
			b := c.enter(person, links.Participant)
			c.must(b.Get("/my/consent"))
			submitAll(b, 2)
		}
		for _, person := range c.asked {
			b := c.enter(person, links.Survey)
			c.must(b.Get("/survey/letter"))
			submitAll(b, 2)
		}
		b := c.own() // and goes on to the second step
		c.must(b.Get("/my/consent"))
		c.must(answerAll(b).Set("age", "yes").Set("signature", "Robot").Submit())
		submitAll(b, 2)
		if after := dump(t, c.stores[database.Study], notStudyData...); after != before {
			t.Errorf("the study store changed:\n%s", difference(before, after))
		}
		if dump(t, c.stores[database.Identity]) != vault {
			t.Error("the vault changed")
		}
	})
}

// Promise 15: whatever a study demands of a yes, taking it back is never more pages to hand in than giving it was.
func TestWithdrawingTakesNoMoreSteps(t *testing.T) {
	for name, demand := range map[string]func(*studies.Study){"nothing": nothing, "a name": byName, "an explicit yes": explicitly, "everything": everyDemand} {
		inCrowd(t, 1, 0, demand, func(c *crowd) {
			b := c.own()
			c.must(b.Get("/my/consent"))
			given := 1
			form := answerAll(b)
			if b.Has("#f-age") {
				form.Set("age", "yes")
			}
			if b.Has("#f-signature") {
				form.Set("signature", "Åse")
			}
			for c.must(form.Submit()); len(c.acts(c.person())) == 0; given++ {
				form = b.Form("main form").Set("explicit", "yes")
				c.must(form.Submit())
			}
			c.must(b.Get("/my/withdraw"))
			taken := 1
			c.must(b.Form("main form").Set("choice", consents.Interview).Submit())
			if act := c.kept(c.person(), 2); !act.Withdrawal || taken > given {
				t.Errorf("%s: %d forms to say yes, %d to take it back, which left %+v", name, given, taken, act)
			}
		})
	}
}
