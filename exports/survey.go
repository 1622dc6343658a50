package exports

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// answers writes every response twice, as codes and as labels, in one reading, and tallies them on the way.
func (b *book) answers(ctx context.Context) []*tally {
	survey := b.Survey
	if survey == nil {
		survey = &Survey{Answers: func(func(Answer, error) bool) {}}
	}
	about := []heading{b.head("code", 14), b.head("language", 10), b.head("version", 10), b.head("submitted_at", 18)}
	names, labels := slices.Clone(about), about
	var tallies []*tally
	for _, q := range survey.Questions {
		names, labels = append(names, heading{q.Name, 16}), append(labels, heading{q.Label, 24})
		tallies = append(tallies, newTally(q))
	}
	asCodes, asLabels := b.sheet("codes", names...), b.sheet("labels", labels...)
	foreign := map[string]int{}
	for a, err := range survey.Answers {
		b.note(err)
		b.note(ctx.Err())
		if b.err != nil {
			return nil
		}
		codes := []any{a.Code, a.Lang, a.Version, b.moment(a.SubmittedAt)}
		words := slices.Clone(codes)
		for _, t := range tallies {
			values := valuesOf(a.Values[t.question.Name])
			t.add(values)
			codes, words = append(codes, t.question.code(values)), append(words, t.question.words(values))
		}
		asCodes.row(codes...)
		asLabels.row(words...)
		countForeign(foreign, a, tallies)
	}
	asCodes.close()
	asLabels.close()
	for _, name := range slices.Sorted(maps.Keys(foreign)) {
		b.Left = append(b.Left, LeftOut{What: "question", Code: name, Reason: "not_in_form", N: foreign[name]})
	}
	return tallies
}

// countForeign notes answers to questions that this version of the form no longer has.
func countForeign(foreign map[string]int, a Answer, tallies []*tally) {
	for name := range a.Values {
		if !slices.ContainsFunc(tallies, func(t *tally) bool { return t.question.Name == name }) {
			foreign[name]++
		}
	}
}

// valuesOf returns an answer's values as text: none where it was not given, several where several may be chosen.
func valuesOf(answer any) []string {
	switch v := answer.(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return []string{v}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case json.Number:
		return []string{v.String()}
	case []string:
		return v
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, valuesOf(one)...)
		}
		return all
	default:
		return []string{fmt.Sprint(v)}
	}
}

// code returns an answer as it is stored: a number where it is one, several values with spaces between them.
func (q Question) code(values []string) any {
	joined := strings.Join(values, " ")
	if q.Type == "text" || q.Type == "long_text" || q.Type == "multiple" {
		return joined
	}
	if number, ok := whole(joined); ok {
		return number
	}
	return joined
}

// words returns an answer as people read it.
func (q Question) words(values []string) any {
	if len(q.Choices) == 0 {
		return q.code(values)
	}
	labels := make([]string, len(values))
	for i, value := range values {
		labels[i] = value
		for _, c := range q.Choices {
			if c.Value == value && c.Label != "" {
				labels[i] = c.Label
			}
		}
	}
	return strings.Join(labels, "; ")
}

// whole reads a whole number that is written as Excel would write it; 007 is text.
func whole(text string) (int64, bool) {
	number, err := strconv.ParseInt(text, 10, 64)
	const exact = 1 << 53 // beyond, a double loses digits
	return number, err == nil && strconv.FormatInt(number, 10) == text && -exact <= number && number <= exact
}

// codebook says what the columns and codes of the answers mean.
func (b *book) codebook() {
	s := b.sheet("codebook", b.head("variable", 26), b.head("question", 60), b.head("type", 16), b.head("theme_key", 24),
		b.head("value", 12), b.head("label", 30), b.head("missing", 12))
	if b.Survey == nil {
		s.close()
		return
	}
	for _, q := range b.Survey.Questions {
		about := []any{q.Name, q.Label, b.word("type", q.Type), q.Theme}
		for _, c := range q.Choices {
			s.row(append(slices.Clone(about), q.codeOf(c), c.Label, b.mark(c.Missing))...)
		}
		if len(q.Choices) == 0 {
			s.row(about...)
		}
	}
	s.close()
}

// codeOf returns a choice as it stands in the sheet of codes.
func (q Question) codeOf(c Choice) any { return q.code([]string{c.Value}) }

func (b *book) mark(yes bool) string {
	if yes {
		return b.Text.T("export.standing.yes")
	}
	return ""
}
