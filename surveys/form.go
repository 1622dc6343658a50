package surveys

import (
	"iter"
	"slices"
)

// Text is a wording by language.
type Text map[string]string

// In returns the wording in lang, or in the first of the other languages that has one.
func (t Text) In(lang string, others ...string) string {
	for _, l := range append([]string{lang}, others...) {
		if t[l] != "" {
			return t[l]
		}
	}
	return ""
}

// Form is one version of a questionnaire. It is kept as JSON, and an answer names the version it was given to.
type Form struct {
	Title     Text                `json:"title"`
	Languages []string            `json:"languages"` // the first one stands in where a person's own is missing
	Pages     []Page              `json:"pages"`
	Lists     map[string][]Choice `json:"lists"` // lists of choices by name; questions share them
}

// Page is what is shown at once.
type Page struct {
	Title     Text       `json:"title,omitempty"`
	Note      Text       `json:"note,omitempty"` // what to know before answering
	Questions []Question `json:"questions"`
}

// Question is one item of a page.
type Question struct {
	Name      string `json:"name"` // key of its answer; a letter or "_", then also digits, "-" and "."
	Type      Type   `json:"type"`
	Label     Text   `json:"label"`
	Hint      Text   `json:"hint,omitempty"`
	Required  bool   `json:"required,omitempty"`
	Scale     string `json:"scale,omitempty"`      // its list of choices, for Likert, Single and Multiple
	Min       *int   `json:"min,omitempty"`        // for Integer
	Max       *int   `json:"max,omitempty"`        // for Integer
	MaxLength int    `json:"max_length,omitempty"` // characters, for texts; 0 is the type's own limit
	Theme     string `json:"theme,omitempty"`      // key of the coding theme it was drafted from
}

// Type is a question's kind of answer.
type Type string

const (
	Likert    Type = "likert"    // one point of an ordered scale whose values are numbers
	Single    Type = "single"    // one of a list
	Multiple  Type = "multiple"  // any of a list
	Integer   Type = "integer"   // a whole number
	ShortText Type = "text"      // one line
	LongText  Type = "long_text" // several lines
	Note      Type = "note"      // words only; has no answer
)

// HasChoices says whether the type is answered from a list.
func (t Type) HasChoices() bool { return t == Likert || t == Single || t == Multiple }

// Choice is one answer of a list.
type Choice struct {
	Value   string `json:"value"`
	Label   Text   `json:"label"`
	Missing bool   `json:"missing,omitempty"` // "don't know": stands apart from the scale and counts in no mean
}

// Input is the name of the question's input. The prefix keeps a question from passing for an input of the page itself.
func (q Question) Input() string { return "q_" + q.Name }

// Questions yields all questions in order, with the page of each.
func (f *Form) Questions() iter.Seq2[int, Question] {
	return func(yield func(int, Question) bool) {
		for i, page := range f.Pages {
			for _, q := range page.Questions {
				if !yield(i, q) {
					return
				}
			}
		}
	}
}

// Language returns lang where the form has it, otherwise the form's first language.
func (f *Form) Language(lang string) string {
	if slices.Contains(f.Languages, lang) || len(f.Languages) == 0 {
		return lang
	}
	return f.Languages[0]
}

// Choice finds the choice of q with that value.
func (f *Form) Choice(q Question, value string) (Choice, bool) {
	i := slices.IndexFunc(f.Lists[q.Scale], func(c Choice) bool { return c.Value == value })
	if i < 0 {
		return Choice{}, false
	}
	return f.Lists[q.Scale][i], true
}
