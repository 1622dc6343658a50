package imports

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/tabular"
)

var (
	caseA, caseB = id.New[id.Case](), id.New[id.Case]()
	frame        = Frame{Cases: []CaseOption{{caseA, "A", "Klynge Vest"}, {caseB, "B", "Klynge Øst"}},
		Attributes: []Attribute{{"k1", "Bransje", []string{"Havbruk", "Olje og gass"}}},
		SizeOf: func(n int) string {
			if n > 100 {
				return "large"
			}
			return "small"
		}}
	sampling = Frame{Survey: true, Cases: frame.Cases, SizeOf: frame.SizeOf}
)

func faultsOf(fields []errs.Field) string {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name+":"+f.Code)
	}
	return strings.Join(all, " ")
}

func TestGuess(t *testing.T) {
	rows := func(lines ...string) (all []tabular.Row) {
		for i, line := range lines {
			all = append(all, tabular.Row{Number: i + 1, Cells: strings.Split(line, ";")})
		}
		return all
	}
	for _, tc := range []struct {
		name  string
		frame Frame
		first []tabular.Row
		want  string
	}{
		{"bokmål", frame, rows("Navn;E-postadresse;Mobil;Bedrift;Stilling;Antall ansatte;Klynge"), "1 case=6 email=1 employees=5 exact_title=4 name=0 organisation=3 phone=2"},
		{"nynorsk", frame, rows("Førenamn;Etternamn;E-post;Tlf.;Verksemd;Tilsette;Kjelde;Målform"), "1 email=2 employees=5 language=7 name=0 organisation=4 phone=3 source=6 surname=1"},
		{"English", frame, rows("First name;Last name;E-mail address;Phone number;Company;Job title;Number of employees;Code"), "1 code=7 email=2 employees=6 exact_title=5 name=0 organisation=4 phone=3 surname=1"},
		{"headings below a title", frame, rows("Medlemsliste 2019", "Navn;Epost", "Kari;k@example.org"), "2 email=1 name=0"},
		{"a better word wins", frame, rows("Kontakt;Navn;Mail;E-post"), "1 email=3 name=1"},
		{"an own attribute", frame, rows("Navn;BRANSJE"), "1 attribute_k1=1 name=0"},
		{"an exact title is never the general one", sampling, rows("Navn;E-post;Stilling;Tittel"), "1 email=1 name=0"},
		{"a respondent's role", sampling, rows("Name;E-mail;Role;Size"), "1 email=1 name=0 size=3 title=2"},
		{"nothing known", frame, rows("x;y", "1;2"), "1"},
		{"nothing", frame, nil, "0"},
	} {
		m := tc.frame.Guess(tc.first)
		got := fmt.Sprint(m.Header)
		for _, field := range slices.Sorted(maps.Keys(m.Columns)) {
			got += fmt.Sprintf(" %s=%d", field, m.Columns[field])
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestCheckMapping(t *testing.T) {
	all := map[Field]string{Relation: "member", Audience: "company", Source: "member_list", Language: "nb", Case: string(caseA)}
	for _, tc := range []struct {
		name  string
		frame Frame
		m     Mapping
		want  string
	}{
		{"right", frame, Mapping{Columns: map[Field]int{Name: 0}, All: all}, ""},
		{"no name column", frame, Mapping{Columns: map[Field]int{Email: 0}, All: all}, "column_name:import.which_column"},
		{"twice", frame, Mapping{Columns: map[Field]int{Name: 0, Email: 0}, All: all}, "column_email:import.twice"},
		{"a column that is not there", frame, Mapping{Columns: map[Field]int{Name: 0, Phone: 9}, All: all}, "column_phone:import.no_column"},
		{"a column that is none", frame, Mapping{Columns: map[Field]int{Name: -1}, All: all}, "column_name:import.no_column"},
		{"nothing for all", frame, Mapping{Columns: map[Field]int{Name: 0}}, "column_language:import.column_or_all column_case:import.column_or_all " +
			"column_relation:import.column_or_all column_audience:import.column_or_all column_source:import.column_or_all"},
		{"not on offer", frame, Mapping{Columns: map[Field]int{Name: 0}, All: map[Field]string{Relation: "x", Audience: "company", Source: "member_list",
			Language: "de", Case: "x"}}, "all_language:import.choose all_case:import.choose all_relation:import.choose"},
		{"a respondent needs an address", sampling, Mapping{Columns: map[Field]int{Name: 0}, All: all}, "column_email:import.which_column"},
		{"a respondent needs no relation", sampling, Mapping{Columns: map[Field]int{Name: 0, Email: 1}, All: map[Field]string{Language: "nb", Case: string(caseB)}}, ""},
	} {
		if got := faultsOf(errs.FieldsOf(tc.frame.Check(tc.m, 3))); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestRead(t *testing.T) {
	m := Mapping{All: map[Field]string{Relation: "member", Audience: "company", Source: "member_list", Language: "nb", Case: string(caseA)}, Columns: map[Field]int{}}
	order := []Field{Name, Surname, Email, Phone, Case, Employees, Size, "attribute_k1", Title}
	for i, field := range order {
		m.Columns[field] = i
	}
	plain := func(r Row) string {
		return strings.Join([]string{r.Name, r.Email, r.Phone, string(r.Case), r.Size, r.Attributes["k1"], r.Title}, "|")
	}
	long := strings.Repeat("x", 40_000)
	for _, tc := range []struct{ name, in, want, faults string }{
		{"all", "Kari;Dahl;k@example.org;22 00 00 12;b;150;;havbruk;Leder", "Kari Dahl|k@example.org|22 00 00 12|" + string(caseB) + "|large|Havbruk|Leder", ""},
		{"a short row", "Kari", "Kari|||" + string(caseA) + "|||", ""},
		{"only a surname", ";Dahl", "Dahl|||" + string(caseA) + "|||", ""},
		{"dashes are nothing", "Kari;-;–;—", "Kari|||" + string(caseA) + "|||", ""},
		{"space is folded", "  Kari \u00a0 Dahl ", "Kari Dahl|||" + string(caseA) + "|||", ""},
		{"a hyperlink", "K;;mailto:k@example.org", "K|k@example.org||" + string(caseA) + "|||", ""},
		{"case by name", "K;;;;klynge ØST", "K|||" + string(caseB) + "|||", ""},
		{"thousands", "K;;;;;1 200", "K|||" + string(caseA) + "|large||", ""},
		{"size by word", "K;;;;;;Mellomstor bedrift", "K|||" + string(caseA) + "|medium||", ""},
		{"employees before size", "K;;;;;12;stor", "K|||" + string(caseA) + "|small||", ""},
		{"no name", ";;k@example.org", "|k@example.org||" + string(caseA) + "|||", "name:required"},
		{"several addresses", "K;;a@example.org, b@example.org", "K|||" + string(caseA) + "|||", "email:import.several_emails"},
		{"several numbers", "K;;;22000012/22000013", "K|||" + string(caseA) + "|||", "phone:import.several_phones"},
		{"control characters", "K\x00;;a\x1b@example.org", "|||" + string(caseA) + "|||", "name:import.characters email:import.characters"},
		{"a header in a name", "K\r\nBcc: x", "|||" + string(caseA) + "|||", "name:import.characters"},
		{"formula", "=cmd|' /C calc'!A0;@SUM(1);;;;;;;+1", "|||" + string(caseA) + "|||", "name:import.formula surname:import.formula title:import.formula"},
		{"errors of the sheet", "#N/A;;#VERDI!", "|||" + string(caseA) + "|||", "name:import.sheet_error email:import.sheet_error"},
		{"unknown words", "K;;;;C;mange;diger;Fiske", "K||||||", "case:import.no_such_value attribute_k1:import.no_such_value"},
		{"not a number", "K;;;;;12,5", "K|||" + string(caseA) + "|||", "employees:import.employees"},
		{"negative", "K;;;;;-5", "K|||" + string(caseA) + "|||", "employees:import.employees"},
		{"long", long, long + "|||" + string(caseA) + "|||", ""}, // the vault refuses it
	} {
		got := frame.Read(m, tabular.Row{Number: 7, Cells: strings.Split(tc.in, ";")})
		faults := faultsOf(got.Faults)
		if tc.name == "unknown words" { // the size is refused for its employees first
			faults = strings.ReplaceAll(faults, " employees:import.employees", "")
			faults = strings.ReplaceAll(faults, "employees:import.employees ", "")
		}
		if plain(got) != tc.want || faults != tc.faults || got.Number != 7 {
			t.Errorf("%s: got %.200q, %q, want %.200q, %q", tc.name, plain(got), faults, tc.want, tc.faults)
		}
	}
}

// Promise 20: whatever stands in the cells, reading them ends in values of the study's lists, or in faults.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"Kari;Dahl;k@example.org;22 00 00 12;A;12;liten;Havbruk;Leder", "=1+1;@x;a@b, c@d;1/2;#N/A;-;–;\x00;+", "\u00a0;\ufffd;mailto:;;Klynge Øst;1 200;STOR;olje og gass;"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, line string, shift int) {
		cells := strings.Split(line, ";")
		m := Mapping{Columns: map[Field]int{}, All: map[Field]string{Case: string(caseA)}}
		for i, field := range frame.fields() {
			m.Columns[field] = i*7 + shift
		}
		row := frame.Read(m, tabular.Row{Number: 1, Cells: cells})
		if row.Case != "" && row.Case != caseA && row.Case != caseB || row.Size != "" && !slices.Contains(values[Size], row.Size) {
			t.Errorf("case %q, size %q", row.Case, row.Size)
		}
		for key, value := range row.Attributes {
			if key != "k1" || !slices.Contains(frame.Attributes[0].Values, value) {
				t.Errorf("attribute %q %q", key, value)
			}
		}
		seen := map[string]bool{}
		for _, fault := range row.Faults {
			if seen[fault.Name] || !slices.Contains(frame.fields(), Field(fault.Name)) {
				t.Errorf("fault %+v of %+v", fault, row.Faults)
			}
			seen[fault.Name] = true
		}
		if strings.ContainsAny(row.Name+row.Email+row.Phone+row.Title, "\x00\n\r\x1b") {
			t.Errorf("control characters in %+v", row)
		}
		guessed := frame.Guess([]tabular.Row{{Number: 1, Cells: cells}})
		for field, column := range guessed.Columns {
			if column < 0 || column >= len(cells) {
				t.Errorf("%s guessed in column %d of %d", field, column, len(cells))
			}
		}
	})
}
