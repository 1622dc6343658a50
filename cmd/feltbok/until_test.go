package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/replay"
)

// asOf opens the demo as it was on a day; "" is the whole of it.
func asOf(t *testing.T, day string) (open func(email string) *browser.Browser, result replay.Result) {
	t.Helper()
	dir := ""
	if day == "" {
		dir = demo(t)
	} else {
		dir = play(t, "--until", day)
	}
	command := demoCommand{Dir: dir}
	text, err := os.ReadFile(command.linksFile())
	if err == nil {
		err = json.Unmarshal(text, &result)
	}
	if err != nil {
		t.Fatal(err)
	}
	clock, _, err := loadClock(filepath.Join(dir, "stores"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), options{storage: command.storage(), pages: handlers.Config{BaseURL: testBase, Now: clock.now, Unlimited: true}}, stdio{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close() })
	return func(email string) *browser.Browser {
		t.Helper()
		token, err := a.signInToken(t.Context(), email)
		if err != nil {
			t.Fatal(err)
		}
		b, err := browser.New(a.server, testBase)
		for _, step := range []func() error{func() error { return b.Get("/sign-in/" + token) }, func() error { return b.Form("main form").Submit() },
			func() error { return b.Get(result.StudyPath) }} {
			if err == nil {
				err = step()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}, result
}

var warning = regexp.MustCompile(`Har varslet siden [^.]+\. [a-z]+\.`)

// The study found in April that its survey had no time left. Set back, the demo shows when it would have been told.
func TestTheDemoWouldHaveWarned(t *testing.T) {
	t.Parallel()
	early, result := asOf(t, "2019-02-12")
	home := early("ingrid@example.org").Text("main")
	if !strings.Contains(home, "2 er spurt") || warning.MatchString(home) {
		t.Errorf("12 February: %s", home)
	}
	if result.SurveyPath != "" || len(result.Links) != 0 || result.Now.Format("2006-01-02") != "2019-02-12" {
		t.Errorf("12 February has %+v: want nothing of what came later", result)
	}
	later, _ := asOf(t, "2019-03-20")
	b := later("ingrid@example.org")
	home = b.Text("main")
	said := warning.FindString(home)
	if said == "" || !strings.Contains(home, "Rekker ikke: undersøkelsen før studien slutter 4. juni") || !strings.Contains(home, "Det som hjelper mest: Spør minst") {
		t.Errorf("20 March: %s", home)
	}
	if err := b.Follow("/forecast"); err != nil || b.Page.Find("table tbody tr").Length() != 12 || !b.Has(`svg[role="img"] title`) {
		t.Errorf("the page with the cells: %v\n%s", err, b.Text("main"))
	}
	if supervisor := later("vera@example.org"); !strings.Contains(supervisor.Text("main"), said) || supervisor.Has(`main a[href*="/candidates?"]`) {
		t.Error("the supervisor does not see the warning, or is sent to a list to work on")
	}
	if strings.Contains(later("per@example.org").Text("main"), "Prognose") {
		t.Error("the data protection officer sees a forecast")
	}
	whole, _ := asOf(t, "")
	if home = whole("ingrid@example.org").Text("main"); warning.FindString(home) != said {
		t.Errorf("on 20 March it said %q; in the end %q", said, warning.FindString(home))
	}
}

func TestUntilIsADayOfTheReplay(t *testing.T) {
	for _, day := range []string{"2018-11-04", "2019-05-14", "20. mars", "2019-02-29"} {
		dir := filepath.Join(t.TempDir(), "demo")
		if err := run(t.Context(), []string{"demo", "--once", "--dir", dir, "--until", day}, stdio{io.Discard, io.Discard}); err == nil {
			t.Errorf("%s was played", day)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s left a folder", day)
		}
	}
}
