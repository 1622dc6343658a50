package surveys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"example.org/feltbok/internal/errs"
)

// Answers holds an answer per question's name: string for a scale point, a single choice or a text, []string for
// several choices in the list's order, int64 for a whole number. An unanswered question has no entry.
type Answers map[string]any

// largest is the largest whole number that a spreadsheet shows exactly.
const largest = 999_999_999_999_999

// Validate reads what was typed into a page's inputs, or for page -1 into all of them. It returns the answers that
// hold, and one Invalid error with every fault, named after the inputs. Inputs that the page does not have are passed by.
func Validate(form *Form, page int, raw map[string][]string) (Answers, error) {
	var r reading
	answers := Answers{}
	for i, q := range form.Questions() {
		if page >= 0 && i != page || q.Type == Note {
			continue
		}
		values := slices.DeleteFunc(clean(raw[q.Input()], q.Type == LongText), func(v string) bool { return v == "" })
		if len(values) == 0 {
			if q.Required {
				r.fault(q, missingCode(q.Type), nil)
			}
			continue
		}
		if answer := r.answer(form, q, values); answer != nil {
			answers[q.Name] = answer
		}
	}
	return answers, r.err()
}

func missingCode(t Type) string {
	switch t {
	case Multiple:
		return "surveys.choose_some"
	case Likert, Single:
		return "surveys.choose"
	}
	return "required"
}

// reading gathers the faults of what was typed.
type reading struct{ fields []errs.Field }

func (r *reading) fault(q Question, code string, args map[string]any) {
	r.fields = append(r.fields, errs.Field{Name: q.Input(), Code: code, Args: args})
}

func (r *reading) err() error {
	if len(r.fields) == 0 {
		return nil
	}
	return &errs.Error{Kind: errs.Invalid, Code: "invalid", Fields: r.fields}
}

// answer returns nil where the values hold no answer, and notes why.
func (r *reading) answer(form *Form, q Question, values []string) any {
	if q.Type == Multiple {
		return r.several(form, q, values)
	}
	if len(values) > 1 {
		r.fault(q, "surveys.only_one", nil)
		return nil
	}
	switch q.Type {
	case Integer:
		return r.integer(q, values[0])
	case ShortText, LongText:
		return r.text(q, values[0])
	}
	if _, ok := form.Choice(q, values[0]); !ok {
		r.fault(q, "surveys.not_offered", nil)
		return nil
	}
	return values[0]
}

func (r *reading) several(form *Form, q Question, values []string) any {
	var chosen []string
	apart := false
	for _, choice := range form.Lists[q.Scale] {
		if slices.Contains(values, choice.Value) {
			chosen = append(chosen, choice.Value)
			apart = apart || choice.Missing
		}
	}
	for _, v := range values {
		if !slices.Contains(chosen, v) {
			r.fault(q, "surveys.not_offered", nil)
			return nil
		}
	}
	if apart && len(chosen) > 1 { // "don't know" together with an answer says two things at once
		r.fault(q, "surveys.apart", nil)
		return nil
	}
	return chosen
}

func (r *reading) integer(q Question, value string) any {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil || n > largest || n < -largest:
		r.fault(q, "surveys.integer", nil)
	case q.Min != nil && n < int64(*q.Min):
		r.fault(q, "surveys.at_least", map[string]any{"Least": *q.Min})
	case q.Max != nil && n > int64(*q.Max):
		r.fault(q, "surveys.at_most", map[string]any{"Most": *q.Max})
	default:
		return n
	}
	return nil
}

func (r *reading) text(q Question, value string) any {
	if most := q.longest(); len([]rune(value)) > most {
		r.fault(q, "too_long", map[string]any{"Most": most})
		return nil
	}
	return value
}

// longest is how many characters a text may have.
func (q Question) longest() int {
	if q.MaxLength > 0 {
		return q.MaxLength
	}
	if q.Type == LongText {
		return mostLongText
	}
	return mostText
}

// clean drops what nobody types and a spreadsheet or PostgreSQL cannot hold: control characters and broken UTF-8.
func clean(values []string, lines bool) []string {
	cleaned := make([]string, len(values))
	for i, v := range values {
		v = strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\r\n", "\n")
		cleaned[i] = strings.TrimSpace(strings.Map(func(c rune) rune {
			switch {
			case c == '\n' && lines:
				return c
			case c == '\n', c == '\r', c == '\t':
				return ' '
			case unicode.IsControl(c):
				return -1
			}
			return c
		}, v))
	}
	return cleaned
}

// Raw turns answers back into what the inputs held, to show them again and to check them again.
func (a Answers) Raw() map[string][]string {
	raw := make(map[string][]string, len(a))
	for name, answer := range a {
		input := Question{Name: name}.Input()
		switch v := answer.(type) {
		case []string:
			raw[input] = v
		default:
			raw[input] = []string{fmt.Sprint(v)}
		}
	}
	return raw
}

// UnmarshalJSON gives the values the types that Answers promises.
func (a *Answers) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var loose map[string]any
	if err := decoder.Decode(&loose); err != nil {
		return fmt.Errorf("read answers: %w", err)
	}
	for name, value := range loose {
		switch v := value.(type) {
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return fmt.Errorf("read answer %s: %w", name, err)
			}
			loose[name] = n
		case []any:
			several := make([]string, len(v))
			for i := range v {
				several[i], _ = v[i].(string)
			}
			loose[name] = several
		}
	}
	*a = loose
	return nil
}
