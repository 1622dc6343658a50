package i18n

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

func mustLoad(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)

// placeholders lists a text's distinct placeholders, in order. The singular may leave some out ("ett svar").
func placeholders(m *goi18n.Message) []string {
	found := placeholder.FindAllString(m.Other, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestEveryLanguageHasEveryKey(t *testing.T) {
	c := mustLoad(t)
	for _, lang := range Languages {
		for _, other := range Languages {
			for key, m := range c.texts[lang].messages {
				twin := c.texts[other].messages[key]
				if twin == nil {
					t.Errorf("%q is in %s and not in %s", key, lang, other)
					continue
				}
				if got, want := placeholders(twin), placeholders(m); !slices.Equal(got, want) {
					t.Errorf("%q: placeholders %v in %s, %v in %s", key, got, other, want, lang)
				}
				if (twin.One == "") != (m.One == "") {
					t.Errorf("%q has a singular in %s or %s only", key, lang, other)
				}
			}
		}
	}
}

func TestTextsArePlain(t *testing.T) {
	for lang, text := range mustLoad(t).texts {
		for key, m := range text.messages {
			for _, form := range []string{m.One, m.Other} {
				if form != strings.TrimSpace(form) || strings.Contains(form, "  ") || strings.Contains(form, "!") {
					t.Errorf("%s %q = %q: stray space or exclamation mark", lang, key, form)
				}
			}
		}
	}
}

func small(t *testing.T) *Catalogue {
	t.Helper()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	body := "\"a\" = \"Hei {{.Name}}\"\n\"plain\" = \"Hei\"\n[\"x.count\"]\none = \"ett svar\"\nother = \"{{.N}} svar fra {{.Who}}\"\n"
	c, err := load(fstest.MapFS{"catalogue/x.nb.toml": file(body), "catalogue/x.nn.toml": file(body), "catalogue/x.en.toml": file(body)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTexts(t *testing.T) {
	text := small(t).Text(Nynorsk)
	for _, tc := range []struct{ name, got, want string }{
		{"pairs", text.T("a", "Name", "<b>"), "Hei <b>"},
		{"map", text.T("a", map[string]any{"Name": 3}), "Hei 3"},
		{"map of strings", text.T("a", map[string]string{"Name": "du"}), "Hei du"},
		{"no placeholder", text.T("plain", "Name", "x"), "Hei"},
		{"missing value shows the key", text.T("a"), "a"},
		{"missing key", text.T("error.none", "x", 1), "error.none"},
		{"missing plural", text.N("error.none", 2), "error.none"},
		{"one", text.N("x.count", 1, "Who", "A"), "ett svar"},
		{"none", text.N("x.count", 0, "Who", "A"), "0 svar fra A"},
		{"many", text.N("x.count", 12, "Who", "A"), "12 svar fra A"},
		{"plural asked for without a number", text.T("x.count", "N", 2, "Who", "A"), "2 svar fra A"},
		{"unknown language", small(t).Text("fr").Lang(), "nb"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
}

func TestArgumentsAreNotChanged(t *testing.T) {
	given := map[string]any{"Who": "A"}
	small(t).Text(English).N("x.count", 2, given)
	if len(given) != 1 {
		t.Errorf("the caller's map became %v", given)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, tc := range []struct{ name, file, body, want string }{
		{"a language we do not have", "catalogue/x.fr.toml", `a = "b"`, "name"},
		{"no language", "catalogue/x.toml", `a = "b"`, "name"},
		{"an empty text", "catalogue/x.nb.toml", `a = ""`, "empty"},
		{"a plural without other", "catalogue/x.nb.toml", "[a]\none = \"b\"", "other"},
		{"a broken placeholder", "catalogue/x.nb.toml", `a = "{{.B"`, "template"},
		{"broken TOML", "catalogue/x.nb.toml", `a = `, "toml"},
		{"a key twice", "catalogue/y.nb.toml", `taken = "b"`, "another file"},
	} {
		files := fstest.MapFS{"catalogue/first.nb.toml": {Data: []byte(`taken = "a"`)}, tc.file: {Data: []byte(tc.body)}}
		if _, err := load(files); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one that says %q", tc.name, err, tc.want)
		}
	}
}

func TestDates(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	moment := time.Date(2019, 4, 11, 8, 30, 0, 0, time.UTC).In(oslo)
	c := mustLoad(t)
	for _, tc := range []struct {
		lang  string
		style Style
		want  string
	}{
		{"nb", Full, "torsdag 11. april 2019"},
		{"nb", FullTime, "torsdag 11. april 2019 kl. 10:30"},
		{"nb", Weekday, "torsdag 11. april"},
		{"nb", WeekdayTime, "torsdag 11. april kl. 10:30"},
		{"nb", Plain, "11. april 2019"},
		{"nb", PlainTime, "11. april 2019 kl. 10:30"},
		{"nb", Short, "11.04.2019"},
		{"nb", At, "kl. 10:30"},
		{"nb", Clock, "10:30"},
		{"en", FullTime, "Thursday 11 April 2019 at 10:30"},
		{"en", Short, "2019-04-11"},
	} {
		if got := c.Text(tc.lang).Date(moment, tc.style); got != tc.want {
			t.Errorf("%s %s: got %q, want %q", tc.lang, tc.style, got, tc.want)
		}
	}
	if got, want := c.Text("nn").Date(moment.AddDate(0, 0, 2), Weekday), "laurdag 13. april"; got != want {
		t.Errorf("nn: got %q, want %q", got, want)
	}
}

func TestNamesAndNumbers(t *testing.T) {
	c := mustLoad(t)
	nb, en := c.Text("nb"), c.Text("en")
	for _, tc := range []struct{ got, want string }{
		{nb.Zone("Europe/Oslo"), "norsk tid (Oslo)"},
		{nb.Zone("America/New_York"), "tiden i New York"},
		{en.Zone("Asia/Tokyo"), "Tokyo time"},
		{nb.Decimal(4.256, 2), "4,26"},
		{en.Decimal(4, 1), "4.0"},
		{HHMM(72 * time.Minute), "01:12"},
		{HHMM(25*time.Hour + 29*time.Second), "25:00"},
		{HHMM(0), "00:00"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		wishes []string
		want   string
	}{
		{"nothing", nil, "nb"},
		{"address before cookie", []string{"nn", "en", "nb"}, "nn"},
		{"empty address, cookie", []string{"", "en", "nb"}, "en"},
		{"plain Norwegian", []string{"", "", "no"}, "nb"},
		{"Norwegian with a place", []string{"", "", "no-NO,no;q=0.9"}, "nb"},
		{"nynorsk phone", []string{"nn-NO,nn;q=0.9,nb;q=0.8,en;q=0.5"}, "nn"},
		{"English phone", []string{"en-GB,en;q=0.9"}, "en"},
		{"foreign, English second", []string{"pl-PL,pl;q=0.9,en;q=0.8"}, "en"},
		{"foreign only", []string{"ja"}, "nb"},
		{"Danish", []string{"da"}, "nb"},
		{"hostile", []string{"../../etc", "\x00", "<script>", "en"}, "en"},
		{"unknown code, then a cookie", []string{"xx", "nn"}, "nn"},
	} {
		if got := Negotiate(tc.wishes...); got != tc.want {
			t.Errorf("%s: Negotiate(%q) = %q, want %q", tc.name, tc.wishes, got, tc.want)
		}
	}
}
