package handlers

import (
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/surveys"
)

// questionView is a survey's question as it is shown: to whoever answers, and to the team before.
type questionView struct {
	field
	Kind     surveys.Type
	Required string   // the word to show, "" where it may be skipped
	Apart    []choice // "don't know" and the like, behind a line
}

// HasChoices says whether the question is answered from a list.
func (q questionView) HasChoices() bool { return q.Kind.HasChoices() }

// InputType is that of the list's inputs.
func (q questionView) InputType() string {
	if q.Kind == surveys.Multiple {
		return "checkbox"
	}
	return "radio"
}

// pageView is one page of a survey.
type pageView struct {
	Title, Note string
	Lang        string   // of the wordings, where it is not the page's
	Lead        []string // notes before the first question
	Questions   []questionView
}

// surveyPageView shows a page of the form with what stands in its inputs: what was typed, or what was saved.
func (b base) surveyPageView(form *surveys.Form, page int) pageView {
	lang := form.Language(b.Lang())
	in := func(t surveys.Text) string { return t.In(lang, form.Languages...) }
	view := pageView{Title: in(form.Pages[page].Title), Note: in(form.Pages[page].Note)}
	if lang != b.Lang() {
		view.Lang = lang
	}
	for _, q := range form.Pages[page].Questions {
		if q.Type == surveys.Note && len(view.Questions) == 0 {
			view.Lead = append(view.Lead, in(q.Label))
			continue
		}
		view.Questions = append(view.Questions, b.questionView(form, q, in))
	}
	return view
}

func (b base) questionView(form *surveys.Form, q surveys.Question, in func(surveys.Text) string) questionView {
	name := q.Input()
	view := questionView{Kind: q.Type, field: field{Name: name, ID: "f-" + name, Label: in(q.Label), Hint: in(q.Hint),
		Value: b.Form.Values.Get(name), Error: b.Form.ErrorOf(name), Type: "text"}}
	if q.Required {
		view.Required = b.T("answering.required")
	}
	switch {
	case q.Type.HasChoices():
		view.list(form.Lists[q.Scale], b.Form.Values[name], in)
	case q.Type == surveys.Integer:
		view.Mode = "numeric"
	case q.Type == surveys.LongText:
		view.Rows = 5
	}
	return view
}

// list parts a list of choices into the scale and what stands apart from it. The first input bears the field's own id:
// that is where the error summary leads.
func (q *questionView) list(list []surveys.Choice, chosen []string, in func(surveys.Text) string) {
	for i, c := range list {
		shown := choice{Value: c.Value, Label: in(c.Label), ID: q.ID, Chosen: slices.Contains(chosen, c.Value)}
		if i > 0 {
			shown.ID = fmt.Sprintf("%s-%d", q.ID, i)
		}
		if c.Missing {
			q.Apart = append(q.Apart, shown)
		} else {
			q.Choices = append(q.Choices, shown)
		}
	}
}

// answerText is an answer in words; "" where there is none.
func answerText(form *surveys.Form, q surveys.Question, answer any, lang string) string {
	var values []string
	switch given := answer.(type) {
	case nil:
		return ""
	case []string:
		values = given
	default:
		values = []string{fmt.Sprint(given)}
	}
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = value
		if c, ok := form.Choice(q, value); ok && q.Type.HasChoices() {
			words[i] = c.Label.In(lang, form.Languages...)
		}
	}
	return strings.Join(words, ", ")
}
