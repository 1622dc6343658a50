package imports

import (
	"strings"
	"unicode"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/tabular"

	"golang.org/x/text/unicode/norm"
)

// Field is something that a column of a list can hold.
type Field string

const (
	Name         Field = "name" // the whole name, or what stands before the surname
	Surname      Field = "surname"
	Email        Field = "email"
	Phone        Field = "phone"
	Organisation Field = "organisation"
	ExactTitle   Field = "exact_title"
	Language     Field = "language"
	Case         Field = "case"
	Code         Field = "code"
	Relation     Field = "relation"
	Audience     Field = "audience"
	Title        Field = "title" // generalised
	Employees    Field = "employees"
	Size         Field = "size"
	Source       Field = "source"
)

// Frame is what a list is read for.
type Frame struct {
	Survey     bool // the sampling frame of a survey, otherwise the candidates of the study
	Cases      []CaseOption
	Attributes []Attribute
	SizeOf     func(employees int) string // by the study's scheme
}

// CaseOption is a case of the study. A list names it by its code or its name.
type CaseOption struct {
	ID         id.Case
	Code, Name string
}

// Attribute is something of its own that the study asks, with its closed list of values.
type Attribute struct {
	Key, Name string
	Values    []string
}

// Field is that of the attribute.
func (a Attribute) Field() Field { return Field("attribute_" + a.Key) }

// Vault lists the fields that only the vault keeps, in order.
func (f Frame) Vault() []Field {
	if f.Survey {
		return []Field{Name, Surname, Email, Organisation, Language}
	}
	return []Field{Name, Surname, Email, Phone, Organisation, ExactTitle, Language}
}

// Study lists the fields that the study keeps under the code, in order.
func (f Frame) Study() []Field {
	if f.Survey {
		return []Field{Case, Title, Employees, Size}
	}
	fields := []Field{Case, Relation, Audience, Source, Title, Employees, Size}
	for _, a := range f.Attributes {
		fields = append(fields, a.Field())
	}
	return append(fields, Code)
}

func (f Frame) fields() []Field { return append(f.Vault(), f.Study()...) }

// Needs says whether every row must have something in a field.
func (f Frame) Needs(field Field) bool {
	switch field {
	case Name, Case, Language:
		return true
	case Relation, Audience, Source:
		return !f.Survey
	case Email:
		return f.Survey
	}
	return false
}

// Values lists what a field can be where it is one of a few, otherwise nil.
func (f Frame) Values(field Field) []string {
	switch field {
	case Case:
		ids := []string{}
		for _, c := range f.Cases {
			ids = append(ids, string(c.ID))
		}
		return ids
	case Relation, Audience, Source, Language, Size:
		return values[field]
	}
	if a, ok := f.attribute(field); ok {
		return a.Values
	}
	return nil
}

func (f Frame) attribute(field Field) (Attribute, bool) {
	for _, a := range f.Attributes {
		if field == a.Field() {
			return a, true
		}
	}
	return Attribute{}, false
}

// words are how a value of a field may be written, folded.
func (f Frame) words(field Field, value string) []string {
	if field == Case {
		for _, c := range f.Cases {
			if string(c.ID) == value {
				return []string{fold(c.Code), fold(c.Name)}
			}
		}
	}
	return append([]string{fold(value)}, valueWords[field][value]...)
}

// fold leaves of a heading or a word what tells it from others: its letters and digits, small.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(s))
}

// Guess finds the row of headings among a table's first rows, and what its columns hold. What only one value fits, all have.
func (f Frame) Guess(first []tabular.Row) Mapping {
	header, most := 0, -1
	for _, row := range first {
		if n := len(f.headings(row.Cells)); n > most {
			header, most = row.Number, n
		}
	}
	return f.GuessAt(first, header)
}

// GuessAt is Guess where the row of headings is known.
func (f Frame) GuessAt(first []tabular.Row, header int) Mapping {
	m := Mapping{Header: header, Columns: map[Field]int{}, All: map[Field]string{}}
	for _, row := range first {
		if row.Number == header {
			m.Columns = f.headings(row.Cells)
		}
	}
	if len(f.Cases) == 1 {
		m.All[Case] = string(f.Cases[0].ID)
	}
	if !f.Survey {
		m.All[Source] = "member_list"
	}
	return m
}

// headings recognises the columns by their headings: each column is one thing, and a better word wins over a worse.
func (f Frame) headings(cells []string) map[Field]int {
	found, taken := map[Field]int{}, map[int]bool{}
	folded := make([]string, len(cells))
	for i, c := range cells {
		folded[i] = fold(c)
	}
	for rank := range mostWords {
		for _, field := range f.fields() {
			words := headingWords[field]
			if a, ok := f.attribute(field); ok {
				words = []string{fold(a.Name)}
			}
			if _, known := found[field]; known || rank >= len(words) {
				continue
			}
			for i, heading := range folded {
				if heading == words[rank] && !taken[i] {
					found[field], taken[i] = i, true
					break
				}
			}
		}
	}
	return found
}
