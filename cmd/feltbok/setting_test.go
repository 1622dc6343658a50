package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

const testPassword = "et langt nok passord"

// refused hands a form in that is to be refused with a status, and shown again.
func (s *stage) refused(b *browser.Browser, f *browser.Form, status int, wrong ...string) {
	s.t.Helper()
	if err := f.Submit(); err == nil || b.Status != status {
		s.t.Fatalf("%s: status %d, error %v, want status %d", b.Address(), b.Status, err, status)
	}
	if !strings.HasPrefix(b.Text("title"), "Feil: ") || !b.Has("main [autofocus]") {
		s.t.Errorf("%s: the title is %q, and the summary has no focus", b.Address(), b.Text("title"))
	}
	for _, name := range wrong {
		if !b.Has("#f-"+name) || !b.Has(`.errors a[href="#f-`+name+`"]`) {
			s.t.Errorf("%s: the summary does not lead to %s: %s", b.Address(), name, b.Text(".errors"))
		}
	}
}

// kept checks that a form shown again holds what was typed.
func (s *stage) kept(b *browser.Browser, form string, pairs ...string) {
	s.t.Helper()
	values := b.Form(form).Values()
	for i := 0; i+1 < len(pairs); i += 2 {
		if got := values.Get(pairs[i]); got != pairs[i+1] {
			s.t.Errorf("%s: field %s holds %q, want %q", b.Address(), pairs[i], got, pairs[i+1])
		}
	}
}

// mailed finds the newest link with a path in the mails that were sent.
func (s *stage) mailed(path string) string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.folder, "mail", "*.eml"))
	s.must(err)
	slices.Sort(files)
	pattern := regexp.MustCompile(regexp.QuoteMeta(path) + `[A-Za-z0-9_=\r\n-]+`)
	for _, file := range slices.Backward(files) {
		raw, err := os.ReadFile(file)
		s.must(err)
		text := strings.NewReplacer("=\r\n", "", "=\n", "").Replace(string(raw))
		if link := pattern.FindString(text); link != "" {
			return strings.Fields(link)[0]
		}
	}
	s.t.Fatalf("no mail has a link with %s", path)
	return ""
}

func TestFirstAccountIsMadeOnce(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		token := s.setupToken()
		b := s.browser()
		s.must(b.Get("/setup/" + token))
		f := b.Form("main form").Set("email", "ikke en adresse").Set("name", "Eier Oppdiktet").Set("password", "kort")
		s.refused(b, f, 422, "email", "password")
		s.kept(b, "main form", "email", "ikke en adresse", "name", "Eier Oppdiktet", "password", "", "language", "nb")
		s.must(b.Form("main form").Set("email", "eier@example.org").Set("password", testPassword).Submit())
		if b.Address() != "/studies/new" {
			t.Errorf("after the set-up at %s, want /studies/new", b.Address())
		}
		late := s.browser()
		if err := late.Get("/setup/" + token); err == nil || late.Status != http.StatusNotFound {
			t.Errorf("the used set-up link answers with status %d, want 404", late.Status)
		}
	})
}

func TestSignInSaysTheSameToKnownAndUnknown(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		own := s.owner()
		s.must(own.Get("/studies"))
		s.must(own.Form(`form[action="/sign-out"]`).Submit())
		if own.Address() != "/sign-in?done=signed_out" {
			t.Errorf("after signing out at %s", own.Address())
		}
		var said []string
		for _, email := range []string{"eier@example.org", "ukjent@example.org"} {
			b := s.browser()
			s.must(b.Get("/studies"))
			if b.Address() != "/sign-in" {
				t.Fatalf("a stranger at /studies is sent to %s, want /sign-in", b.Address())
			}
			s.refused(b, b.Form("main form").Set("email", email).Set("password", "et helt feil passord"), 401, "email")
			s.kept(b, "main form", "email", email, "password", "")
			said = append(said, b.Text(".errors"))
		}
		if said[0] != said[1] {
			t.Errorf("a known address hears %q, an unknown one %q", said[0], said[1])
		}
		b := s.browser()
		s.must(b.Get("/sign-in"))
		f := b.Form("main form").Set("email", " EIER@example.org ")
		if err := f.Set("password", "et helt feil passord").Submit(); err == nil {
			t.Error("a wrong password signs in")
		}
		s.must(f.Set("password", testPassword).Submit()) // the very same form, as after going back
		if b.Address() != "/studies" {
			t.Errorf("after signing in at %s, want /studies", b.Address())
		}
	})
}

func TestSignInLinkWorksOnceAndOnlyWithItsButton(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		s.owner()
		account, err := s.Auth.ByEmail(t.Context(), "eier@example.org")
		s.must(err)
		token, err := s.Auth.NewLink(t.Context(), auth.SignIn, account.ID, time.Hour)
		s.must(err)
		b := s.browser()
		s.must(b.Get("/sign-in/" + token))
		for _, other := range []string{"/invite/", "/setup/"} {
			if err := b.Get(other + token); err == nil || b.Status != 404 {
				t.Errorf("at %s a sign-in link answers with status %d, want 404", other, b.Status)
			}
		}
		s.must(b.Get("/sign-in/" + token)) // opening uses nothing up
		s.must(b.Form("main form").Submit())
		if b.Address() != "/studies" {
			t.Errorf("after the link at %s, want /studies", b.Address())
		}
		again := s.browser()
		if err := again.Get("/sign-in/" + token); err == nil || again.Status != 404 {
			t.Errorf("the used link answers with status %d, want 404", again.Status)
		}
	})
}

func TestStudyKeepsWhatWasTypedUntilItIsRight(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		s.must(b.Get("/studies/new"))
		f := b.Form("main form").Set("title", "Prøvestudie").Set("zone", "Mars/Olympus").Set("starts_on", "1.2.2019").
			Set("ends_on", "i morgen").Set("duration", "en time").Set("questions", "Hva?\nHvorfor?")
		s.refused(b, f, 422, "institution", "legal_basis", "zone", "ends_on", "duration", "recording")
		s.kept(b, "main form", "title", "Prøvestudie", "zone", "Mars/Olympus", "starts_on", "1.2.2019", "ends_on", "i morgen",
			"duration", "en time", "questions", "Hva?\nHvorfor?")
		s.must(b.Form("main form").Set("zone", "Europe/Oslo").Set("ends_on", "31.12.2019").Set("duration", "45").
			Set("institution", "Nordfjord universitet").Set("legal_basis", "consent").Set("recording", "no").Submit())
		path, _, _ := strings.Cut(b.Address(), "?")
		s.must(b.Get(path + "/settings"))
		s.kept(b, "main form", "starts_on", "2019-02-01", "ends_on", "2019-12-31", "duration", "45", "recording", "no", "questions", "Hva?\nHvorfor?")
		s.must(b.Form("main form").Set("contact", "Eier, eier@example.org").Submit())
		study, err := s.Studies.Get(t.Context(), id.Study(strings.TrimPrefix(path, "/studies/")))
		s.must(err)
		if study.ProjectContact != "Eier, eier@example.org" || len(study.Audiences) != 3 || len(study.Languages) != 3 {
			t.Errorf("the study is %+v", study)
		}
	})
}

func TestSampleRefusesACodeTwiceAndGoalsThatAreNoNumbers(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/sample"))
		s.refused(b, b.Form(`form[action$="/cases"]`).Set("code", "a").Set("name", "En annen"), 409, "code")
		s.kept(b, `form[action$="/cases"]`, "code", "a", "name", "En annen")
		unit := b.Form(`form[action$="/quotas"]`).Options("case")[1]
		s.refused(b, b.Form(`form[action$="/quotas"]`).Set("sme", "noen").Set("any", "1"), 422, "case", "sme")
		s.kept(b, `form[action$="/quotas"]`, "sme", "noen", "any", "1")
		s.must(b.Form(`form[action$="/quotas"]`).Set("case", unit).Set("sme", "2").Submit())
		s.must(b.Get(path + "/sample?case=" + unit))
		s.kept(b, `form[action$="/quotas"]`, "case", unit, "administration", "0", "sme", "2", "any", "1")
		if !strings.Contains(b.Text("tbody tr"), "Klynge A") || !strings.HasPrefix(b.Text(".status"), "3 ") {
			t.Errorf("the sample shows %q and %q", b.Text("tbody tr"), b.Text(".status"))
		}
		s.must(b.Form(`form[action$="/quotas"]`).Check("pilot", "yes").Submit())
		s.must(b.Get(path + "/sample?case=" + unit))
		s.kept(b, `form[action$="/quotas"]`, "pilot", "yes", "sme", "2")
		if !strings.Contains(b.Text("tbody tr"), "Forstudie") || b.Text(".status") != "Uten mål" {
			t.Errorf("with a pre-study alone the sample shows %q and %q", b.Text("tbody tr"), b.Text(".status"))
		}
	})
}

func TestColleaguesAreInvitedWithARole(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/team"))
		s.refused(b, b.Form(`form[action$="/team"]`).Set("email", "vera"), 422, "email", "role", "language")
		s.kept(b, `form[action$="/team"]`, "email", "vera")
		s.must(b.Form(`form[action$="/team"]`).Set("email", "vera@example.org").Set("name", "Vera Veileder").Set("role", "supervisor").Set("language", "nn").Submit())
		s.sendMail()
		link := s.mailed("/invite/")
		vera := s.browser()
		s.must(vera.Get(link))
		s.refused(vera, vera.Form("main form").Set("password", "kort"), 422, "password")
		s.kept(vera, "main form", "name", "Vera Veileder", "password", "")
		s.must(vera.Form("main form").Set("password", testPassword).Submit())
		s.must(vera.Get(path + "/team"))
		if vera.Has(`form[action$="/team"]`) {
			t.Error("a supervisor is shown the form that invites")
		}
		for _, closed := range []string{"/settings", "/sample"} {
			if err := vera.Get(path + closed); err == nil || vera.Status != http.StatusForbidden {
				t.Errorf("%s answers a supervisor with status %d, want 403", closed, vera.Status)
			}
		}
		again := s.browser()
		if err := again.Get(link); err == nil || again.Status != 404 {
			t.Errorf("the used invitation answers with status %d, want 404", again.Status)
		}
	})
}

func TestStudyIsNeverWithoutAnOwner(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/team"))
		account := b.Page.Find(`button[name="account"]`).AttrOr("value", "")
		if err := b.Form(`form[action$="/team/remove"]`).Press("account", account); err == nil || b.Status != http.StatusConflict {
			t.Errorf("removing the last owner answers with status %d, want 409", b.Status)
		}
		s.must(b.Get(path))
		s.must(b.Get(path + "/team/remove")) // reloading a refused form leads back
		if b.Address() != path+"/team" {
			t.Errorf("at %s, want the team", b.Address())
		}
	})
}

// untranslated is what a text looks like whose key is missing.
var untranslated = regexp.MustCompile(`\b(account|study|studies|setting|sample|team|home|letters|outbox|log|done|menu|field|error|recruitment|mail)\.[a-z_]+(\.[a-z_]+)*\b`)

// speaks checks that a page has every text in every language.
func (s *stage) speaks(b *browser.Browser, path string) {
	s.t.Helper()
	for _, lang := range []string{"nn", "en", "nb"} {
		s.must(b.Get(path + "?lang=" + lang))
		if b.Text("html") == "" || b.Page.Find("html").AttrOr("lang", "") != lang {
			s.t.Errorf("%s is not in %s", path, lang)
		}
		if keys := untranslated.FindAllString(b.Text("body"), -1); keys != nil {
			s.t.Errorf("%s in %s has no text for %q", path, lang, keys)
		}
	}
}

// says looks for words in a part of the page, whatever the space between elements.
func says(b *browser.Browser, selector, words string) bool {
	return strings.Contains(strings.Join(strings.Fields(b.Text(selector)), ""), strings.Join(strings.Fields(words), ""))
}

// account is whoever s.owner made.
func (s *stage) account() id.Account {
	s.t.Helper()
	found, err := s.Auth.ByEmail(s.t.Context(), "eier@example.org")
	s.must(err)
	return found.ID
}

// candidate enrols somebody in the study's first case.
func (s *stage) candidate(study id.Study, code string) id.Person {
	s.t.Helper()
	found, err := s.Studies.Get(s.t.Context(), study)
	s.must(err)
	person, err := s.People.Enrol(s.t.Context(), audit.Staff(s.account()), identities.Identity{Name: "Oppdiktet Navnesen", Email: "navnesen@example.org", Language: "nb"},
		recruitment.Participant{Study: study, Code: code, Case: found.Cases[0].ID, Audience: "company", Relation: recruitment.Member,
			Size: recruitment.Small, Title: "Leder", Source: recruitment.MemberList})
	s.must(err)
	return person
}

// colleague adds a member with a role and returns their browser, signed in.
func (s *stage) colleague(study id.Study, role studies.Role) *browser.Browser {
	s.t.Helper()
	email := string(role) + "@example.org"
	account, err := s.Auth.CreateAccount(s.t.Context(), audit.System, email, "Kollega "+string(role), testPassword, "nb")
	s.must(err)
	s.must(s.Studies.SetMember(s.t.Context(), audit.System, study, account, role))
	b := s.browser()
	s.must(b.Get("/sign-in"))
	s.must(b.Form("main form").Set("email", email).Set("password", testPassword).Submit())
	return b
}

func TestNewStudyLeadsThroughItsSetup(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		study := id.Study(strings.TrimPrefix(path, "/studies/"))
		s.must(b.Get(path))
		if got := b.Page.Find("#begin ~ ol li").Length(); got != 5 {
			t.Errorf("a new study shows %d steps, want 5: %s", got, b.Text("main"))
		}
		if b.Page.Find("main .btn.first").Length() != 1 {
			t.Error("not exactly one step is next")
		}
		for _, audience := range []string{"company", "administration"} {
			s.must(b.Get(path + "/letters"))
			s.must(b.Form(`form[action$="/` + audience + `/publish"]`).Submit())
		}
		week := []scheduling.Window{{Weekday: time.Monday, From: 8 * 60, To: 16 * 60}}
		s.must(s.Scheduling.SetWeek(t.Context(), audit.Staff(s.account()), study, scheduling.Week{Account: s.account(), Zone: "Europe/Oslo", Windows: week}))
		s.candidate(study, "A1")
		s.must(b.Get(path))
		if b.Has("#begin") || !strings.Contains(b.Text("main"), "Ingenting haster.") {
			t.Errorf("a study that is set up says %q", b.Text("main"))
		}
	})
}

func TestStudyHomeShowsTodayAndTheWayAhead(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		study := id.Study(strings.TrimPrefix(path, "/studies/"))
		unit := b.Form(`form[action$="/quotas"]`).Options("case")[1]
		s.must(b.Form(`form[action$="/quotas"]`).Set("case", unit).Set("sme", "2").Set("large", "1").Submit())
		me := audit.Staff(s.account())
		s.must(s.Scheduling.SetWeek(t.Context(), me, study, scheduling.Week{Account: s.account(), Zone: "Europe/Oslo", Windows: []scheduling.Window{{Weekday: time.Monday, From: 8 * 60, To: 16 * 60}}}))
		first, second := s.candidate(study, "A1"), s.candidate(study, "A2")
		book := func(person id.Person, at time.Time) {
			_, err := s.Scheduling.Book(t.Context(), me, scheduling.Request{Study: study, Person: person, Audience: "company", Mode: scheduling.Phone, Start: at, ByStaff: true})
			s.must(err)
		}
		book(first, time.Date(2019, 2, 4, 12, 0, 0, 0, time.UTC)) // the stage's clock shows this day, 08:00 UTC
		book(second, time.Date(2019, 2, 11, 12, 0, 0, 0, time.UTC))
		s.must(b.Get(path))
		for _, want := range []string{"Mandag 4. februar", "Uke 6", "13:00 A1, telefon", "Ikke spurt om opptak", "A1, i dag", "A2, 11.\u00a0februar", "Case A mangler stor bedrift",
			"den siste 11.\u00a0februar, 323 dager før slutt", "mandag 11. februar 13:00 A2"} {
			if !says(b, "main", want) {
				t.Errorf("the home page lacks %q: %s", want, b.Text("main"))
			}
		}
		s.speaks(b, path)
		officer := s.colleague(study, studies.Officer)
		s.must(officer.Get(path))
		if text := officer.Text("main"); strings.Contains(text, "A1") || !strings.Contains(text, "Last ned dokumentasjonen") {
			t.Errorf("the officer reads %q", text)
		}
		s.speaks(officer, path)
		s.speaks(s.colleague(study, studies.Supervisor), path)
		s.clock.set(time.Date(2019, 2, 5, 8, 0, 0, 0, time.UTC))
		s.must(b.Get("/sign-in"))
		s.must(b.Form("main form").Set("email", "eier@example.org").Set("password", testPassword).Submit())
		s.must(b.Get(path))
		if !strings.Contains(b.Text("main"), "Samtalen med A1 er ikke ført") {
			t.Errorf("yesterday's appointment is forgotten: %s", b.Text("main"))
		}
	})
}

func TestPublishedLettersStayAsTheyWere(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.must(b.Get(path + "/settings"))
		s.must(b.Form("main form").Set("officer", "").Submit())
		s.must(b.Get(path + "/letters"))
		publish := `form[action="` + path + `/letters/company/publish"]`
		s.refused(b, b.Form(publish), 422)
		if !b.Has(`a[href="`+path+`/settings#f-officer"]`) || b.Page.Find(".errors li").Length() != 1 {
			t.Errorf("the refusal says %q", b.Text(".errors"))
		}
		s.must(b.Get(path + "/settings"))
		s.must(b.Form("main form").Set("officer", "Per Personvern").Submit())
		s.must(b.Get(path + "/letters"))
		s.must(b.Form(publish).Submit())
		s.must(b.Follow("/letter/"))
		frozen, before := b.Address(), b.Text("main")
		if !strings.Contains(before, "Per Personvern") {
			t.Errorf("the letter does not name the officer: %s", before)
		}
		s.must(b.Get(path + "/letters/company/nb"))
		typed := "Kom til {{ingensteds}}, så får du vite mer om {{purpose}}."
		s.refused(b, b.Form("main form").Set("title", " ").Set("body", typed), 422, "title", "body")
		s.kept(b, "main form", "body", typed)
		s.must(b.Form("main form").Set("title", "Et nytt brev").Set("body", "Bare {{purpose}}.").Submit())
		if !strings.Contains(b.Text(".panel"), "Brevet har ikke {{officer}}") {
			t.Errorf("the checklist says %q", b.Text(".panel"))
		}
		s.must(b.Get(path + "/letters/company/nb/preview"))
		if !strings.Contains(b.Text(".letter"), "Bare Å prøve.") {
			t.Errorf("the preview reads %q", b.Text(".letter"))
		}
		s.must(b.Get(path + "/letters"))
		s.refused(b, b.Form(publish), 422)
		if !b.Has(`a[href="`+path+`/letters/company/nb#checks"]`) || !strings.Contains(b.Text(".errors"), "Personvernombud") {
			t.Errorf("the refusal says %q", b.Text(".errors"))
		}
		s.must(b.Get(path + "/letters/company/nb"))
		s.must(b.Form("main form").Only("told", boxes(b, "told")...).Submit())
		s.must(b.Get(path + "/letters"))
		s.must(b.Form(publish).Submit())
		s.must(b.Get(frozen))
		if b.Text("main") != before {
			t.Errorf("the published letter changed to %q", b.Text("main"))
		}
		for _, page := range []string{"/letters", "/letters/company/nb", "/letters/respondent/en/preview"} {
			s.speaks(b, path+page)
		}
		s.speaks(b, frozen)
		for _, none := range []string{"/letters/nobody/nb", "/letters/company/de", "/letter/" + string(id.New[id.Letter]())} {
			if err := b.Get(path + none); err == nil || b.Status != http.StatusNotFound {
				t.Errorf("%s answers with status %d, want 404", none, b.Status)
			}
		}
		officer := s.colleague(id.Study(strings.TrimPrefix(path, "/studies/")), studies.Officer)
		s.must(officer.Get(frozen))
		s.must(officer.Get(path + "/letters"))
		if officer.Has("main form") {
			t.Error("the officer is offered to publish")
		}
		other := s.study(b)
		if err := b.Get(other + "/letter/" + frozen[strings.LastIndex(frozen, "/")+1:]); err == nil || b.Status != http.StatusNotFound {
			t.Errorf("another study shows the letter, status %d", b.Status)
		}
	})
}

func TestMailPageShowsNoAddresses(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		s.candidate(id.Study(strings.TrimPrefix(path, "/studies/")), "A1")
		s.must(b.Get(path + "/mail"))
		s.must(b.Form(`form[action$="/mail/test"]`).Submit())
		if !says(b, "tbody tr", "Prøvemelding Eier Oppdiktet Venter") {
			t.Errorf("the queue shows %q", b.Text("tbody tr"))
		}
		s.speaks(b, path+"/mail")
		s.sendMail()
		s.must(b.Get(path + "/mail"))
		if b.Has("tbody") || strings.Contains(b.Text("body"), "navnesen") {
			t.Errorf("after sending the page shows %q", b.Text("main"))
		}
	})
}

func TestLogTellsInWordsWhoDidWhat(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.owner()
		path := s.study(b)
		study := id.Study(strings.TrimPrefix(path, "/studies/"))
		person := s.candidate(study, "A1")
		_, err := s.Vault.Open(t.Context(), audit.Staff(s.account()), "call", study, person)
		s.must(err)
		s.must(b.Get(path + "/log?only=names"))
		if !says(b, "tbody tr:first-child", "Eier Oppdiktet Åpnet navnet: for å ringe A1") {
			t.Errorf("the log says %q", b.Text("tbody tr:first-child"))
		}
		if b.Page.Find("tbody tr").Length() != 2 || strings.Contains(b.Text("body"), "Navnesen") {
			t.Errorf("the names' part shows %q", b.Text("tbody"))
		}
		s.speaks(b, path+"/log")
		for role, want := range map[studies.Role]int{studies.Researcher: 403, studies.Supervisor: 200, studies.Officer: 200} {
			member := s.colleague(study, role)
			if _ = member.Get(path + "/log"); member.Status != want {
				t.Errorf("the log answers a %s with status %d, want %d", role, member.Status, want)
			}
		}
	})
}

func TestEveryPageOfTheSettingSpeaksThreeLanguages(t *testing.T) {
	s := newStage(t, nil)
	b := s.browser()
	setup := "/setup/" + s.setupToken()
	s.speaks(b, setup)
	s.speaks(b, "/sign-in")
	b = s.owner()
	s.speaks(b, "/studies")
	s.speaks(b, "/studies/new")
	path := s.study(b)
	for _, page := range []string{"", "/settings", "/sample", "/team", "/letters", "/mail", "/log"} {
		s.speaks(b, path+page)
	}
	s.speaks(b, "/studies")
}
