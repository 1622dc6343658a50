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

	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
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
		s.must(b.Form("main form").Set("email", " EIER@example.org ").Set("password", testPassword).Submit())
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
		s.must(b.Get("/sign-in/" + token)) // opening uses nothing up
		s.must(b.Form("main form").Submit())
		if b.Address() != "/studies" {
			t.Errorf("after the link at %s, want /studies", b.Address())
		}
		again := s.browser()
		if err := again.Get("/sign-in/" + token); err == nil || again.Status != 404 {
			t.Errorf("the used link answers with status %d, want 404", again.Status)
		}
		if err := again.Get("/invite/" + token); err == nil || again.Status != 404 {
			t.Errorf("a link of another kind answers with status %d, want 404", again.Status)
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
