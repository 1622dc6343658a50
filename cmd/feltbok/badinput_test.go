package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/links"
)

// internals are words that no page may show.
var internals = regexp.MustCompile(`(?i)goroutine|\.go:\d|sqlstate|select .* from|panic|runtime error|<no value>`)

// post sends a raw body, past what a form would do.
func (s *stage) post(path, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	return w
}

func TestBadInputIsAnsweredPlainly(t *testing.T) {
	s := newStage(t, nil)
	form := "application/x-www-form-urlencoded"
	for _, tc := range []struct {
		name, path, kind, body string
		want                   int
	}{
		{"unknown page", "/nowhere", form, "", http.StatusNotFound},
		{"wrong content type", "/sign-in", "application/json", "{}", http.StatusUnsupportedMediaType},
		{"no content type", "/sign-in", "", "email=x", http.StatusUnsupportedMediaType},
		{"body too large", "/sign-in", form, "email=" + strings.Repeat("x", 2<<20), http.StatusRequestEntityTooLarge},
		{"too many fields", "/sign-in", form, strings.Repeat("x=1&", 1500), http.StatusRequestEntityTooLarge},
		{"form without a key", "/sign-in", form, "email=x&password=y", http.StatusConflict},
		{"forged key", "/sign-in", form, "form_key=" + strings.Repeat("A", 75) + "&email=x", http.StatusConflict},
		{"broken encoding", "/sign-in", form, "email=%zz", http.StatusUnsupportedMediaType},
		{"dead link", "/p/" + strings.Repeat("A", 43), form, "", http.StatusConflict}, // no key, so nothing is looked up
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := s.post(tc.path, tc.kind, tc.body)
			page := w.Body.String()
			if w.Code != tc.want {
				t.Errorf("status %d, want %d: %.400s", w.Code, tc.want, page)
			}
			if !strings.Contains(page, "<h1") || internals.MatchString(page) {
				t.Errorf("page: %.600s", page)
			}
			if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("headers: %v", w.Header())
			}
		})
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	s := newStage(t, nil)
	r := httptest.NewRequest("POST", "/sign-in", strings.NewReader("email=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "<h1") {
		t.Errorf("status %d: %.300s", w.Code, w.Body)
	}
}

// A form handed in twice is one act, and the second time shows how things stand.
func TestAFormSentTwiceIsOneAct(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		own := c.enter(c.persons[0], links.Participant)
		s.must(own.Get("/my/consent"))
		form := own.Form("main form")
		for _, name := range own.FieldNames("main form") {
			form.Set(name, "yes")
		}
		values := form.Values()
		for range 3 {
			status, err := own.Try("POST", "/my/consent", values)
			if err != nil || status != http.StatusSeeOther {
				t.Errorf("status %d, %v", status, err)
			}
		}
		state, err := s.Consents.State(t.Context(), c.study.ID, c.persons[0])
		if err != nil || len(state.Acts) != 1 {
			t.Errorf("%d acts (%v), want 1", len(state.Acts), err)
		}
	})
}

// What was typed into a refused form stands in it again, with the reason beside the field.
func TestARefusedFormKeepsWhatWasTyped(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 0, 0, noMark)
	owner := c.staff(c.owner)
	page := "/studies/" + string(c.study.ID) + "/candidates/new"
	s.must(owner.Get(page))
	owner.Form("main form").Set("name", "Navn Oppdiktet").Set("email", "ikke en adresse").Set("organisation", strings.Repeat("å", 300)).Submit()
	if owner.Status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", owner.Status)
	}
	if !strings.HasPrefix(owner.Text("title"), "Feil: ") {
		t.Errorf("title %q", owner.Text("title"))
	}
	again := owner.Form("main form").Values()
	if again.Get("name") != "Navn Oppdiktet" || again.Get("email") != "ikke en adresse" || len([]rune(again.Get("organisation"))) != 300 {
		t.Errorf("kept %v", again)
	}
	for _, name := range []string{"email", "organisation"} {
		if !owner.Has("#f-"+name+"-error") || !owner.Has(`.errors a[href="#f-`+name+`"]`) {
			t.Errorf("no error beside %s or in the summary", name)
		}
	}
	if known, err := s.Vault.Persons(t.Context()); err != nil || len(known) != 0 {
		t.Errorf("%d people were stored (%v)", len(known), err)
	}
}

// A link that is expired or revoked answers like one that never was.
func TestDeadLinksLookAlike(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	path := c.path(c.persons[0], links.Participant)
	pages := map[string]string{}
	look := func(name, path string) {
		b := s.browser()
		if b.Get(path); b.Status != http.StatusNotFound {
			t.Errorf("%s: status %d", name, b.Status)
		}
		pages[name] = b.Text("main")
	}
	look("unknown", "/p/"+strings.Repeat("A", 43))
	look("malformed", "/p/x")
	look("foreign", "/s/"+path[len("/p/"):])
	s.must(s.stores[database.Study].Tx(t.Context(), func(tx *database.Tx) error { return s.Links.Revoke(t.Context(), tx, c.persons[0]) }))
	look("revoked", path)
	fresh := c.path(c.persons[0], links.Participant)
	s.clock.set(c.study.End())
	look("expired", fresh)
	for name, text := range pages {
		if text != pages["unknown"] || text == "" {
			t.Errorf("%s says %q, unknown says %q", name, text, pages["unknown"])
		}
	}
}
