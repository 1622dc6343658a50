package handlers

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/studies"
)

//go:embed templates
var templates embed.FS

// parsePages parses every page together with what its side shares. A page is named by its path below templates without
// the ending, such as "staff/sign_in". They are embedded, and so parsed once for every server of a process: a test has many.
var parsePages = sync.OnceValues(func() (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	err := fs.WalkDir(templates, "templates", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Dir(file) == "templates/shared" {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), path.Ext(file))
		page, err := template.New(name).Funcs(functions).ParseFS(templates, "templates/shared/*.html", file)
		if err != nil {
			return fmt.Errorf("page %s: %w", name, err)
		}
		pages[name] = page
		return nil
	})
	return pages, err
})

var functions = template.FuncMap{
	"join": strings.Join,
	"add":  func(a, b int) int { return a + b },
	"dial": dial,
}

// dial is a telephone number as a machine dials it: what people put between the digits is left out (RFC 3966 §3).
func dial(number string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
}

// base is what every page shows around its content. Page structs embed it.
type base struct {
	i18n.Text
	Title       string // already translated
	Path        string // of this page, for the language links
	Style       string // versions of the files that every page loads
	Script      string
	House       string // the institution, on participant pages
	Participant bool
	Study       studies.Study
	Role        studies.Role
	Here        string // which entry of the study's menu this page belongs to
	SignedIn    bool
	Banner      string
	Notice      string // what was just done
	MailWaits   bool
	Form        form
	Status      string // where things stand, in the margin
	Zone        *time.Location
	Now         time.Time
}

// page starts a page with a translated title.
func (v *visit) page(title string, args ...any) base {
	s := v.server
	b := base{Text: v.text, Title: v.text.T(title, args...), Path: v.here(), Style: styleVersion, Script: scriptVersion, House: v.study.Institution,
		Participant: v.participantSide(), Study: v.study, Role: v.role, SignedIn: v.session.Token != "" || v.session.Kind != "",
		MailWaits: s.MailWaits, Form: v.newForm(nil), Zone: v.zone(), Now: v.now()}
	if s.Banner != "" {
		b.Banner = v.text.T(s.Banner, "Now", v.text.Date(v.now().In(b.Zone), i18n.PlainTime))
	}
	if done := "done." + v.Query("done"); v.text.Has(done) {
		b.Notice = v.text.T(done)
	}
	return b
}

// entry is one line of the study's menu.
type entry struct {
	Label, Address string
	Current        bool
}

// menus are what each role finds in the study's menu, by the last part of the address.
var menus = map[studies.Role][]string{
	studies.Owner:      {"", "candidates", "letters", "bookings", "interviews", "coding", "surveys", "export", "tasks", "settings"},
	studies.Researcher: {"", "candidates", "letters", "bookings", "interviews", "coding", "surveys", "export", "tasks", "settings"},
	studies.Supervisor: {"", "candidates", "letters", "interviews", "coding", "surveys", "protection"},
	studies.Officer:    {"", "consents", "letters", "tasks", "log", "evidence"},
}

// Menu is the study's menu for the visitor's role. The texts are "menu.<part>", "menu.home" for the first.
func (b base) Menu() []entry {
	var entries []entry
	for _, part := range menus[b.Role] {
		key, address := part, b.At("/"+part)
		if part == "" {
			key, address = "home", b.At("")
		}
		entries = append(entries, entry{b.T("menu." + key), address, b.Here == key})
	}
	return entries
}

// Writes says whether the account may change things in the study. Nobody may in one that was ended.
func (b base) Writes() bool {
	return b.Study.ClosedAt == 0 && (b.Role == studies.Owner || b.Role == studies.Researcher)
}

// At is an address within the study.
func (b base) At(rest string) string { return "/studies/" + string(b.Study.ID) + rest }

// Failed says whether a form is shown again.
func (b base) Failed() bool { return len(b.Form.Errors) > 0 }

// Instant shows UTC milliseconds as date and time in the study's zone; 0 is "".
func (b base) Instant(ms int64) string {
	if ms == 0 {
		return ""
	}
	return b.Date(time.UnixMilli(ms).In(b.Zone), i18n.WeekdayTime)
}

// Day shows UTC milliseconds as a date in the study's zone; 0 is "".
func (b base) Day(ms int64) string {
	if ms == 0 {
		return ""
	}
	return b.Date(time.UnixMilli(ms).In(b.Zone), i18n.Plain)
}

// Clock shows UTC milliseconds as a time of day in the study's zone.
func (b base) Clock(ms int64) string { return b.Date(time.UnixMilli(ms).In(b.Zone), i18n.Clock) }

// ISO is UTC milliseconds for a datetime attribute.
func (b base) ISO(ms int64) string { return time.UnixMilli(ms).In(b.Zone).Format("2006-01-02T15:04") }

// Language is another language of this page.
type language struct{ Code, Name, Address string }

// Languages are the others.
func (b base) Languages() []language {
	var others []language
	for _, code := range i18n.Languages {
		if code != b.Lang() {
			others = append(others, language{code, b.T("language." + code), withMore(b.Path, "lang", code)})
		}
	}
	return others
}

// field is one input with its label, hint, value and error.
type field struct {
	Name, ID, Label, Hint, Value, Error, Type string
	Optional                                  string // the word beside the label: that it may be left out or, among such, that it may not
	Autocomplete, Mode                        string
	List                                      string // id of the list that suggests values
	Rows                                      int
	Choices                                   []choice
	Radios                                    bool
	Small                                     bool
}

type choice struct {
	Value, Label, Hint string
	Chosen             bool
	ID                 string
}

// Input is a field whose label is the translation of "label.<name>" and whose hint, if there is one, "hint.<name>".
// Options: "optional", "type=email", "autocomplete=name", "inputmode=tel", "list=codes", "rows=4", "label=other.key".
func (b base) Input(name string, options ...string) field {
	f := field{Name: name, ID: "f-" + name, Type: "text", Value: b.Form.Values.Get(name), Error: b.Form.ErrorOf(name), Label: "label." + name}
	hint := "hint." + name
	for _, option := range options {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "optional":
			f.Optional = b.T("form.optional")
		case "type":
			f.Type = value
		case "autocomplete":
			f.Autocomplete = value
		case "inputmode":
			f.Mode = value
		case "list":
			f.List = value
		case "rows":
			fmt.Sscan(value, &f.Rows)
		case "label":
			f.Label = value
		case "hint":
			hint = value
		}
	}
	f.Label = b.T(f.Label)
	if b.Has(hint) {
		f.Hint = b.T(hint)
	}
	if f.Type == "password" {
		f.Value = ""
	}
	return f
}

// Select is a field with a list to choose from; nothing is chosen before the person chooses.
func (b base) Select(name string, choices []choice, options ...string) field {
	f := b.Input(name, options...)
	for _, c := range choices {
		c.Chosen = c.Value == f.Value && f.Value != ""
		f.Choices = append(f.Choices, c)
	}
	return f
}

// Radio is a field with every choice in sight.
func (b base) Radio(name string, choices []choice, options ...string) field {
	f := b.Select(name, choices, options...)
	f.Radios = true
	for i := range f.Choices {
		f.Choices[i].ID = f.ID
		if i > 0 {
			f.Choices[i].ID = fmt.Sprintf("%s-%d", f.ID, i)
		}
	}
	return f
}

// render executes a page into memory and then writes it, so that a fault in a template is a clean error page.
func (s *Server) render(v *visit, status int, name string, page any) error {
	t := s.pages[name]
	if t == nil {
		return fmt.Errorf("no page %q", name)
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "page", page); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	v.Data(status, "text/html; charset=utf-8", body.Bytes())
	return nil
}

// show renders a page with status 200.
func (v *visit) show(name string, page any) error { return v.server.render(v, 200, name, page) }

// again renders a form that was handed in and refused, with the status of its error.
func (v *visit) again(err error, name string, page any) error {
	return v.server.render(v, status(err), name, page)
}

// withMore adds one more pair to an address that may have a query already.
func withMore(path, name, value string) string {
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	return path + mark + name + "=" + url.QueryEscape(value)
}

func withQuery(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + q.Encode()
}
