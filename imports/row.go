package imports

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/tabular"
)

// Mapping says what stands where in a list. It holds no text of the list.
type Mapping struct {
	Sheet   int              // from 0
	Header  int              // the row of headings, by the file's number; rows up to it are no people. 0: there are none
	Columns map[Field]int    // from 0
	All     map[Field]string // what those rows get that have nothing of their own
}

// Check says what is wrong with a mapping, at the inputs "column_" and "all_" with the field behind.
func (f Frame) Check(m Mapping, columns int) error {
	var c errs.Check
	taken := map[int]bool{}
	for _, field := range f.fields() {
		column, mapped := m.Columns[field]
		switch {
		case mapped && (column < 0 || column >= columns):
			c.Add("column_"+string(field), "import.no_column")
		case mapped && taken[column]:
			c.Add("column_"+string(field), "import.twice")
		case !mapped && f.Needs(field) && m.All[field] == "":
			c.Add("column_"+string(field), f.missing(field))
		}
		taken[column] = taken[column] || mapped
		if all := m.All[field]; all != "" && !slices.Contains(f.Values(field), all) {
			c.Add("all_"+string(field), "import.choose")
		}
	}
	return c.Err()
}

func (f Frame) missing(field Field) string {
	if f.Values(field) == nil {
		return "import.which_column" // a name is nothing that all can share
	}
	return "import.column_or_all"
}

// Row is what a row of a list says, as far as it could be read. What the vault or the study says to it is theirs.
type Row struct {
	Number                                  int
	Name, Email, Phone, Organisation        string
	ExactTitle, Language                    string
	Case                                    id.Case
	Code, Relation, Audience, Title, Source string
	Size                                    string
	Attributes                              map[string]string
	Faults                                  []errs.Field // named as the fields are
}

// reader reads one row.
type reader struct {
	frame   Frame
	mapping Mapping
	cells   []string
	faults  []errs.Field
}

// Read reads a row of a list. It refuses no row: what is wrong stands in Faults, at most one for each field.
func (f Frame) Read(m Mapping, row tabular.Row) Row {
	r := &reader{frame: f, mapping: m, cells: row.Cells}
	out := Row{Number: row.Number, Name: strings.TrimSpace(r.text(Name) + " " + r.text(Surname)), Email: r.email(), Phone: r.phone(),
		Organisation: r.text(Organisation), ExactTitle: r.text(ExactTitle), Language: r.choice(Language), Case: id.Case(r.choice(Case)),
		Code: r.plain(Code), Relation: r.choice(Relation), Audience: r.choice(Audience), Title: r.text(Title), Source: r.choice(Source), Size: r.size()}
	for _, a := range f.Attributes {
		if value := r.choice(a.Field()); value != "" {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[a.Key] = value
		}
	}
	for _, needed := range []struct {
		field Field
		value string
	}{{Name, out.Name}, {Email, out.Email}, {Case, string(out.Case)}, {Language, out.Language}, {Relation, out.Relation},
		{Audience, out.Audience}, {Source, out.Source}} {
		if needed.value == "" && f.Needs(needed.field) {
			r.fault(needed.field, "required")
		}
	}
	out.Faults = r.faults
	return out
}

// fault notes the first thing that is wrong with a field.
func (r *reader) fault(field Field, code string) {
	if !slices.ContainsFunc(r.faults, func(f errs.Field) bool { return f.Name == string(field) }) {
		r.faults = append(r.faults, errs.Field{Name: string(field), Code: code})
	}
}

// sheetErrors are what Excel and its kin show where a formula has failed.
var sheetErrors = []string{"#N/A", "#I/T", "#VALUE!", "#VERDI!", "#REF!", "#DIV/0!", "#NAME?", "#NAVN?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}

// plain is what a field's column says; a dash says nothing. What no person typed is refused.
func (r *reader) plain(field Field) string {
	column, mapped := r.mapping.Columns[field]
	if !mapped || column < 0 || column >= len(r.cells) || !slices.Contains(r.frame.fields(), field) {
		return ""
	}
	value := strings.TrimSpace(r.cells[column])
	switch {
	case value == "-" || value == "–" || value == "—":
		return ""
	case slices.Contains(sheetErrors, value):
		r.fault(field, "import.sheet_error")
		return ""
	case strings.HasPrefix(value, "="):
		r.fault(field, "import.formula")
		return ""
	case strings.ContainsFunc(value, func(c rune) bool { return unicode.IsControl(c) || c == unicode.ReplacementChar }):
		r.fault(field, "import.characters")
		return ""
	}
	return value
}

// text is a name or a title: one that begins as a formula does is none.
func (r *reader) text(field Field) string {
	value := strings.Join(strings.Fields(r.plain(field)), " ")
	if value != "" && strings.ContainsRune("+-@", rune(value[0])) {
		r.fault(field, "import.formula")
		return ""
	}
	return value
}

func (r *reader) email() string {
	value := strings.TrimSpace(strings.TrimPrefix(r.plain(Email), "mailto:"))
	if strings.Count(value, "@") > 1 && strings.ContainsAny(value, ",; /|") {
		r.fault(Email, "import.several_emails")
		return ""
	}
	return value
}

func (r *reader) phone() string {
	value := r.plain(Phone)
	if strings.ContainsAny(value, ",;/|") {
		r.fault(Phone, "import.several_phones")
		return ""
	}
	return value
}

// choice is one of a field's values, in whatever way it is written, otherwise what all rows get.
func (r *reader) choice(field Field) string {
	written := r.plain(field)
	if written == "" {
		return r.mapping.All[field]
	}
	folded := fold(written)
	for _, value := range r.frame.Values(field) {
		if slices.Contains(r.frame.words(field, value), folded) {
			return value
		}
	}
	r.fault(field, "import.no_such_value")
	return ""
}

const mostEmployees = 10_000_000

// size is by the number of employees where there is one, otherwise by its word.
func (r *reader) size() string {
	written := r.plain(Employees)
	if written == "" {
		return r.choice(Size)
	}
	n, err := strconv.Atoi(strings.Join(strings.Fields(written), "")) // Fields cuts at the narrow spaces of thousands too
	if err != nil || n < 0 || n > mostEmployees {
		r.fault(Employees, "import.employees")
		return ""
	}
	return r.frame.SizeOf(n)
}
