// Package i18n speaks the interface's three languages: texts with placeholders and plurals, dates, numbers, and which
// language somebody wants. The texts stand in catalogue/<area>.<language>.toml, one area per package; a new file needs
// no line of Go. Letters and questionnaires have languages of their own and are not here.
package i18n

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"

	"github.com/BurntSushi/toml"
	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// The interface's languages, as they stand in lang attributes, cookies and rows.
const (
	Bokmal  = "nb"
	Nynorsk = "nn"
	English = "en"
)

// Languages lists them; the first is the default.
var Languages = []string{Bokmal, Nynorsk, English}

//go:embed catalogue/*.toml
var embedded embed.FS

// Catalogue holds every text in every language.
type Catalogue struct {
	texts map[string]Text
}

// Load reads the embedded catalogues. It fails on whatever would only show when somebody opens the page: a text that
// does not parse, is empty or stands in two files. That every language has every key is for a test to say.
func Load() (*Catalogue, error) { return loadOnce() }

// loadOnce reads what is embedded once: it never changes while the program runs.
var loadOnce = sync.OnceValues(func() (*Catalogue, error) { return load(embedded) })

func load(files fs.FS) (*Catalogue, error) {
	paths, err := fs.Glob(files, "catalogue/*.toml")
	if err != nil {
		return nil, err
	}
	bundle := goi18n.NewBundle(language.MustParse(Bokmal))
	messages := map[string]map[string]*goi18n.Message{}
	for _, lang := range Languages {
		messages[lang] = map[string]*goi18n.Message{}
	}
	for _, file := range paths {
		lang, found, err := read(files, file)
		if err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", path.Base(file), err)
		}
		for _, m := range found {
			if messages[lang][m.ID] != nil {
				return nil, fmt.Errorf("catalogue %s: %q stands in another file too", path.Base(file), m.ID)
			}
			messages[lang][m.ID] = m
		}
		if err := bundle.AddMessages(language.MustParse(lang), found...); err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", path.Base(file), err)
		}
	}
	c := &Catalogue{texts: map[string]Text{}}
	for _, lang := range Languages {
		c.texts[lang] = Text{lang, messages[lang], goi18n.NewLocalizer(bundle, lang)}
	}
	return c, nil
}

// read returns one file's language and texts.
func read(files fs.FS, file string) (string, []*goi18n.Message, error) {
	parts := strings.Split(path.Base(file), ".")
	if len(parts) != 3 || !slices.Contains(Languages, parts[1]) {
		return "", nil, fmt.Errorf("the name is not <area>.<%s>.toml", strings.Join(Languages, "|"))
	}
	data, err := fs.ReadFile(files, file)
	if err != nil {
		return "", nil, err
	}
	found, err := goi18n.ParseMessageBytes(data, toml.Unmarshal)
	if err != nil {
		return "", nil, err
	}
	for _, m := range found {
		if m.Other == "" {
			return "", nil, fmt.Errorf("%q is empty, or has no form \"other\"", m.ID)
		}
		for _, form := range []string{m.One, m.Other} {
			if _, err := texttemplate.New("").Parse(form); err != nil {
				return "", nil, fmt.Errorf("%q: %w", m.ID, err)
			}
		}
	}
	return parts[1], found, nil
}

// Text returns the texts of a language; one that is not ours is answered with the first.
func (c *Catalogue) Text(lang string) Text {
	if t, ok := c.texts[lang]; ok {
		return t
	}
	return c.texts[Languages[0]]
}

// Text is everything in one language. Its methods are made for templates: {{.T "key" "Name" .Value}}.
type Text struct {
	lang      string
	messages  map[string]*goi18n.Message
	localizer *goi18n.Localizer
}

// Lang returns the language's code, for lang attributes.
func (t Text) Lang() string { return t.lang }

// Has says whether there is a text under key. Tests look their keys up with it.
func (t Text) Has(key string) bool { return t.messages[key] != nil }

// T returns the text under key. args fills its placeholders: pairs of name and value, or one map. A text that is
// missing, or whose placeholders are, comes back as its key, so that it is seen. Values are not escaped: html/template
// does that to the whole.
func (t Text) T(key string, args ...any) string {
	m := t.messages[key]
	if m == nil {
		return key
	}
	if !strings.Contains(m.Other, "{{") {
		return m.Other
	}
	return t.localize(key, nil, fields(args))
}

// N returns the text under key in the plural form for n, which is the placeholder {{.N}}.
func (t Text) N(key string, n int, args ...any) string {
	data := fields(args)
	data["N"] = n
	return t.localize(key, n, data)
}

// strict makes a placeholder without a value an error instead of "<no value>".
var strict = &template.TextParser{Option: "missingkey=error"}

func (t Text) localize(key string, count any, data map[string]any) string {
	text, err := t.localizer.Localize(&goi18n.LocalizeConfig{
		MessageID: key, PluralCount: count, TemplateData: data, TemplateParser: strict,
	})
	if err != nil {
		return key
	}
	return text
}

// fields makes a map of pairs, or copies the one map given.
func fields(args []any) map[string]any {
	data := map[string]any{}
	if len(args) == 1 {
		switch given := args[0].(type) {
		case map[string]any:
			for name, value := range given {
				data[name] = value
			}
		case map[string]string:
			for name, value := range given {
				data[name] = value
			}
		}
		return data
	}
	for i := 0; i+1 < len(args); i += 2 {
		data[fmt.Sprint(args[i])] = args[i+1]
	}
	return data
}

// matcher knows the neighbours: "no" and Danish are answered in bokmål. Its tags stand in the order of Languages.
var matcher = language.NewMatcher([]language.Tag{language.MustParse(Bokmal), language.MustParse(Nynorsk), language.English})

// Negotiate returns the language for the first wish that names one of ours. A wish is a code, such as from the address
// or a cookie, or a whole Accept-Language header; empty and malformed ones are passed over.
func Negotiate(wishes ...string) string {
	for _, wish := range wishes {
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, index, confidence := matcher.Match(tags...); confidence > language.No {
			return Languages[index]
		}
	}
	return Languages[0]
}
