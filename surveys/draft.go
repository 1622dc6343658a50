package surveys

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/BurntSushi/toml"
)

// Theme is one row of the coding matrix: something that informants mentioned.
type Theme struct {
	Key      string
	Category string // driver, barrier and arena have wordings of their own
	Label    Text   // a noun phrase, such as "Kunnskapsdeling"
}

// Background is what the study knows that the background questions ask about.
type Background struct {
	Cases []Choice // the clusters; "another" is added
}

// DontKnow is the value that stands apart from a drafted scale. It is no number, so that no spreadsheet takes its mean.
const DontKnow = "dk"

const mostYears = 100

// starter holds the wordings of one language.
type starter struct {
	About      string
	Importance []string
	DontKnow   string `toml:"dont_know"`
	Category   map[string]struct{ Title, Item string }
	Open       struct{ Title, Label, Hint string }
	Background struct {
		Title, Note, Case, Role, Size, Years string
		OtherCase                            string `toml:"other_case"`
		YearsHint                            string `toml:"years_hint"`
	}
	Roles, Sizes map[string]string
}

//go:embed starters/*.toml
var starterFiles embed.FS

var starters = loadStarters()

func loadStarters() map[string]*starter {
	all := map[string]*starter{}
	for _, lang := range languagesKnown {
		all[lang] = &starter{}
		if _, err := toml.DecodeFS(starterFiles, "starters/"+lang+".toml", all[lang]); err != nil {
			panic(fmt.Sprintf("surveys: wordings in %s: %v", lang, err)) // embedded: a fault of the build
		}
	}
	return all
}

// inAll makes a text in every language.
func inAll(wording func(lang string, w *starter) string) Text {
	t := Text{}
	for _, lang := range languagesKnown {
		t[lang] = wording(lang, starters[lang])
	}
	return t
}

// Draft drafts a follow-up survey from the coding matrix, in bokmål, nynorsk and English, for the researcher to edit:
// a page of importance items per category, one open question, and the background last, where it costs least goodwill.
func Draft(title Text, themes []Theme, background Background) Form {
	f := Form{Languages: slices.Clone(languagesKnown), Lists: background.lists()}
	f.Title = inAll(func(lang string, _ *starter) string { return title.In(lang, languagesKnown...) })
	pages := map[string]int{}
	for _, theme := range themes {
		at, ok := pages[theme.Category]
		if !ok {
			at = len(f.Pages)
			pages[theme.Category] = at
			f.Pages = append(f.Pages, Page{Title: inAll(func(_ string, w *starter) string { return w.category(theme.Category).Title })})
		}
		f.Pages[at].Questions = append(f.Pages[at].Questions, theme.item())
	}
	f.Pages = append(f.Pages, openPage(), backgroundPage())
	about := Question{Name: "about", Type: Note, Label: inAll(func(_ string, w *starter) string { return w.About })}
	f.Pages[0].Questions = slices.Insert(f.Pages[0].Questions, 0, about)
	return f
}

func (w *starter) category(key string) struct{ Title, Item string } {
	if c, ok := w.Category[key]; ok {
		return c
	}
	return w.Category["other"]
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// item asks how much a theme matters. The wording keeps clear of "is" and "are", so that any noun fits.
func (t Theme) item() Question {
	return Question{
		Name:  "t_" + notInNames.ReplaceAllString(strings.ToLower(t.Category+"_"+t.Key), "_"),
		Type:  Likert,
		Scale: "importance",
		Theme: t.Key,
		Label: inAll(func(lang string, w *starter) string {
			return fmt.Sprintf(w.category(t.Category).Item, inSentence(t.Label.In(lang, languagesKnown...)))
		}),
	}
}

// inSentence lowers a heading's capital, unless the word is an abbreviation.
func inSentence(label string) string {
	letters := []rune(label)
	if len(letters) > 1 && !unicode.IsUpper(letters[1]) {
		letters[0] = unicode.ToLower(letters[0])
	}
	return string(letters)
}

func openPage() Page {
	return Page{
		Title: inAll(func(_ string, w *starter) string { return w.Open.Title }),
		Questions: []Question{{
			Name: "anything_else", Type: LongText,
			Label: inAll(func(_ string, w *starter) string { return w.Open.Label }),
			Hint:  inAll(func(_ string, w *starter) string { return w.Open.Hint }),
		}},
	}
}

func backgroundPage() Page {
	least, most := 0, mostYears
	return Page{
		Title: inAll(func(_ string, w *starter) string { return w.Background.Title }),
		Note:  inAll(func(_ string, w *starter) string { return w.Background.Note }),
		Questions: []Question{
			{Name: "case", Type: Single, Scale: "case", Label: inAll(func(_ string, w *starter) string { return w.Background.Case })},
			{Name: "role", Type: Single, Scale: "role", Label: inAll(func(_ string, w *starter) string { return w.Background.Role })},
			{Name: "size", Type: Single, Scale: "size", Label: inAll(func(_ string, w *starter) string { return w.Background.Size })},
			{
				Name: "years", Type: Integer, Min: &least, Max: &most,
				Label: inAll(func(_ string, w *starter) string { return w.Background.Years }),
				Hint:  inAll(func(_ string, w *starter) string { return w.Background.YearsHint }),
			},
		},
	}
}

func (b Background) lists() map[string][]Choice {
	lists := map[string][]Choice{"case": slices.Clone(b.Cases)}
	for i := range starters["nb"].Importance {
		point := inAll(func(_ string, w *starter) string { return w.Importance[i] })
		lists["importance"] = append(lists["importance"], Choice{Value: strconv.Itoa(i + 1), Label: point})
	}
	dontKnow := inAll(func(_ string, w *starter) string { return w.DontKnow })
	lists["importance"] = append(lists["importance"], Choice{Value: DontKnow, Label: dontKnow, Missing: true})
	another := inAll(func(_ string, w *starter) string { return w.Background.OtherCase })
	lists["case"] = append(lists["case"], Choice{Value: "other", Label: another})
	for _, key := range []string{"management", "project", "specialist", "other"} {
		lists["role"] = append(lists["role"], Choice{Value: key, Label: inAll(func(_ string, w *starter) string { return w.Roles[key] })})
	}
	for _, key := range []string{"micro", "small", "medium", "large"} {
		lists["size"] = append(lists["size"], Choice{Value: key, Label: inAll(func(_ string, w *starter) string { return w.Sizes[key] })})
	}
	return lists
}
