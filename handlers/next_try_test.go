package handlers

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"

	"github.com/gin-gonic/gin"
)

func TestNextTry(t *testing.T) {
	languages, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{languages: languages, Config: Config{Now: func() time.Time { return time.Date(2019, 4, 10, 10, 0, 0, 0, oslo) }}}
	for _, tc := range []struct{ typed, want string }{ // want in Oslo; "" is refused
		{"15. april kl. 12", "2019-04-15 12:00"},
		{"15. April kl 12:30", "2019-04-15 12:30"},
		{"15 April at 9.15", "2019-04-15 09:15"},
		{"15. apr 2020", "2020-04-15 09:00"},
		{"15.4. 14", "2019-04-15 14:00"},
		{"15.04.2019, kl. 12", "2019-04-15 12:00"},
		{"15/4/2019", "2019-04-15 09:00"},
		{"2019-04-15 08:05", "2019-04-15 08:05"},
		{"  3. mars  ", "2020-03-03 09:00"},     // has been this year
		{"10. april kl. 9", "2019-04-10 09:00"}, // today; that it is past is for the register to say
		{"1. desember", "2019-12-01 09:00"},
		{"31. april", ""}, {"30.2.2020", ""}, {"2019-13-01", ""}, {"15. april kl. 25", ""}, {"15. april kl. 12:75", ""},
		{"29. mars 2020 kl. 02:30", ""}, {"29. mars 2020 kl. 3", "2020-03-29 03:00"}, // the clocks go from two to three
		{"i morgen", ""}, {"15", ""}, {"15. ma", ""}, {"15. xyz", ""}, {"0.0.0000", ""}, {"2019-04-15 08:05 x", ""},
	} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = httptest.NewRequest(http.MethodPost, "/", nil)
		v := &visit{Context: c, server: s, study: studies.Study{Zone: "Europe/Oslo"}, form: url.Values{"next_on": {tc.typed}}}
		ms, err := v.nextTry("next_on")
		got := ""
		if err == nil {
			got = time.UnixMilli(ms).In(oslo).Format("2006-01-02 15:04")
		}
		if got != tc.want {
			t.Errorf("%q: got %q (%v), want %q", tc.typed, got, err, tc.want)
		}
	}
	for _, lang := range i18n.Languages { // what a page suggests is read back in its own language
		for _, now := range []time.Time{s.Now(), time.Date(2019, 12, 30, 14, 0, 0, 0, oslo), time.Date(2019, 12, 31, 10, 0, 0, 0, oslo)} {
			p := callsPage{asking: asking{base{Text: languages.Text(lang), Form: form{Values: url.Values{}}, Zone: oslo, Now: now}}}
			p.suggest()
			at := &Server{languages: languages, Config: Config{Now: func() time.Time { return now }}}
			v := &visit{server: at, study: studies.Study{Zone: "Europe/Oslo"}, form: p.Form.Values}
			ms, err := v.nextTry("next_on")
			if want := recruitment.NextTry(now); err != nil || !time.UnixMilli(ms).Equal(want) {
				t.Errorf("%s: %q is read as %v, %v; want %v", lang, p.Form.Values.Get("next_on"), time.UnixMilli(ms).In(oslo), err, want)
			}
		}
	}
	v := &visit{form: url.Values{}}
	if ms, err := v.nextTry("next_on"); ms != 0 || err != nil {
		t.Errorf("nothing typed: %d, %v", ms, err)
	}
}
