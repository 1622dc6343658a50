package surveys

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"example.org/feltbok/internal/errs"
)

const (
	mostQuestions   = 1_000
	mostChoices     = 1_000
	mostLabel       = 5_000 // characters of one wording
	mostTitle       = 200
	mostFormBytes   = 4 << 20
	mostText        = 500
	mostLongText    = 5_000
	mostAnswerChars = 100_000 // what a form may allow at the very most
)

var (
	// nameShape is that of XLSForm's names, without the colon.
	nameShape      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)
	languagesKnown = []string{"nb", "nn", "en"}
)

// check says what keeps a form from being kept at all. Faults are named after the question's input, "list_<name>",
// "title" or "languages".
func (f *Form) check() error {
	var c errs.Check
	if len(f.Languages) == 0 {
		c.Add("languages", "required")
	}
	for i, lang := range f.Languages {
		if !slices.Contains(languagesKnown, lang) || slices.Contains(f.Languages[:i], lang) {
			c.Add("languages", "surveys.language")
			break
		}
	}
	c.Require("title", f.Title.In("", f.Languages...), mostTitle)
	f.checkLists(&c)
	f.checkQuestions(&c)
	return c.Err()
}

func (f *Form) checkQuestions(c *errs.Check) {
	seen := map[string]bool{}
	for _, q := range f.Questions() {
		if !nameShape.MatchString(q.Name) {
			c.Add(q.Input(), "surveys.name_shape")
		}
		if seen[q.Name] {
			c.Add(q.Input(), "surveys.name_taken")
		}
		seen[q.Name] = true
		f.checkQuestion(c, q)
	}
	if len(seen) == 0 {
		c.Add("pages", "surveys.no_questions")
	}
	if len(seen) > mostQuestions {
		c.Add("pages", "surveys.too_many")
	}
}

func (f *Form) checkQuestion(c *errs.Check, q Question) {
	switch q.Type {
	case Likert, Single, Multiple:
		if len(f.Lists[q.Scale]) == 0 {
			c.Add(q.Input(), "surveys.no_list")
		}
		if q.Type == Likert && !numeric(f.Lists[q.Scale]) {
			c.Add(q.Input(), "surveys.scale_numbers")
		}
	case Integer:
		if q.Min != nil && q.Max != nil && *q.Min > *q.Max {
			c.Add(q.Input(), "surveys.limits")
		}
	case ShortText, LongText:
		if q.MaxLength < 0 || q.MaxLength > mostAnswerChars {
			c.Add(q.Input(), "surveys.limits")
		}
	case Note:
	default:
		c.Add(q.Input(), "surveys.type")
	}
	for _, text := range []Text{q.Label, q.Hint} {
		for _, wording := range text {
			c.AtMost(q.Input(), wording, mostLabel)
		}
	}
}

func (f *Form) checkLists(c *errs.Check) {
	for _, name := range slices.Sorted(maps.Keys(f.Lists)) {
		list, seen := f.Lists[name], map[string]bool{}
		if len(list) > mostChoices {
			c.Add("list_"+name, "surveys.too_many")
		}
		for _, choice := range list {
			if choice.Value == "" || seen[choice.Value] {
				c.Add("list_"+name, "surveys.values")
				break
			}
			seen[choice.Value] = true
		}
	}
}

// numeric says whether every point of a scale is a number: without that it has no mean.
func numeric(scale []Choice) bool {
	return !slices.ContainsFunc(scale, func(c Choice) bool {
		_, err := strconv.ParseFloat(c.Value, 64)
		return err != nil && !c.Missing
	})
}

// complete says what is missing before a form can be shown to people: every wording in every language.
func (f *Form) complete() error {
	var c errs.Check
	require := func(field string, t Text) {
		for _, lang := range f.Languages {
			if t[lang] == "" {
				c.Add(field, "surveys.untranslated")
				return
			}
		}
	}
	require("title", f.Title)
	for i, page := range f.Pages {
		for _, t := range []Text{page.Title, page.Note} {
			if len(t) > 0 {
				require("page_"+strconv.Itoa(i+1), t)
			}
		}
	}
	for _, q := range f.Questions() {
		require(q.Input(), q.Label)
		if len(q.Hint) > 0 {
			require(q.Input(), q.Hint)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Lists)) {
		for _, choice := range f.Lists[name] {
			require("list_"+name, choice.Label)
		}
	}
	return c.Err()
}
