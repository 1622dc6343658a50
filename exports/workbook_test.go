package exports_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"
	"unicode/utf8"

	"example.org/feltbok/exports"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// language is the real catalogue of one language.
type language struct {
	name  string
	texts map[string]string
}

func (l language) Lang() string        { return l.name }
func (l language) Has(key string) bool { _, ok := l.texts[key]; return ok }
func (l language) T(key string, args ...any) string {
	fields := map[string]any{}
	for i := 0; i+1 < len(args); i += 2 {
		fields[args[i].(string)] = args[i+1]
	}
	var b strings.Builder
	if err := template.Must(template.New("").Option("missingkey=error").Parse(l.texts[key])).Execute(&b, fields); err != nil || !l.Has(key) {
		return key
	}
	return b.String()
}

func texts(t testing.TB, lang string) language {
	t.Helper()
	l := language{lang, map[string]string{}}
	if _, err := toml.DecodeFile(filepath.Join("..", "internal", "i18n", "catalogue", "exports."+lang+".toml"), &l.texts); err != nil {
		t.Fatal(err)
	}
	return l
}

func table(t testing.TB, name string) [][]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

var relations = map[string]string{"Medlemsbedrift": "member", "Klyngeadministrasjon": "administration", "Klyngestyret": "board"}

// thesis is the study of testdata, backwards, so that nothing stands right by accident.
func thesis(t testing.TB) exports.Source {
	t.Helper()
	src := exports.Source{
		Text: texts(t, "nb"), MadeAt: time.Date(2019, 5, 13, 7, 0, 0, 0, time.UTC), AuditHead: strings.Repeat("ab", 32),
		Study: exports.Study{Title: "Samskaping", LegalBasis: "consent", Zone: "Europe/Oslo", StartsOn: "2018-11-01", EndsOn: "2019-06-04",
			Cases: []exports.Case{{Code: "X", Name: "Forstudie", Pilot: true}, {Code: "A"}, {Code: "B"}, {Code: "C"}}},
		Marks: map[string]map[string]string{},
	}
	for _, row := range table(t, "table6_interviews.csv")[1:] {
		p := exports.Participant{Case: row[0], Code: row[1], Title: row[2], Relation: relations[row[4]], State: "interviewed",
			Size: map[string]string{"SMB": "small", "STOR": "large"}[row[3]]}
		i := exports.Interview{Code: row[1], HeldOn: row[5], Minutes: -1}
		if at, err := time.Parse("15:04", row[6]); err == nil {
			i.Minutes = at.Hour()*60 + at.Minute()
		}
		if p.Case == "B" && p.Code != "B1" {
			p.Recruiter = "B1"
		}
		src.Participants = append([]exports.Participant{p}, src.Participants...)
		src.Interviews = append([]exports.Interview{i}, src.Interviews...)
	}
	for _, name := range []string{"table7_drivers_barriers.csv", "table8_arenas.csv"} {
		rows := table(t, name)
		for _, row := range rows[1:] {
			src.Themes = append(src.Themes, exports.Theme{Category: row[0], Label: row[1], Key: row[2]})
			src.Marks[row[2]] = map[string]string{}
			for i, mark := range row[3:] {
				if mark != "" {
					src.Marks[row[2]][rows[0][3+i]] = mark
				}
			}
		}
	}
	return src
}

func answers(all ...exports.Answer) iter.Seq2[exports.Answer, error] {
	return func(yield func(exports.Answer, error) bool) {
		for _, a := range all {
			if !yield(a, nil) {
				return
			}
		}
	}
}

func write(t testing.TB, src exports.Source) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := exports.Workbook(context.Background(), &b, src); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// rows reads a sheet as a person sees it, every row as wide as the first.
func rows(t testing.TB, f *excelize.File, sheet string) [][]string {
	t.Helper()
	all, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		for len(all[i]) < len(all[0]) {
			all[i] = append(all[i], "")
		}
	}
	return all
}

func TestTable6CellForCell(t *testing.T) {
	f := open(t, write(t, thesis(t)))
	want := table(t, "table6_interviews.csv")
	want[0] = []string{"Klynge", "Informant", "Rolle", "Størrelse", "Tilknytning", "Dato", "Varighet"}
	if diff := cmp.Diff(want, rows(t, f, "Intervjuer")); diff != "" {
		t.Errorf("Table 6 (-want +got):\n%s", diff)
	}
	for cell, want := range map[string]string{"F2": "43424", "G2": "0.0444444444444444"} { // 2018-11-20, 64 minutes
		got, err := f.GetCellValue("Intervjuer", cell, excelize.Options{RawCellValue: true})
		if kind, _ := f.GetCellType("Intervjuer", cell); !strings.HasPrefix(got, want) || kind != excelize.CellTypeUnset || err != nil {
			t.Errorf("%s holds %q of type %v (%v), want the number %s", cell, got, kind, err, want)
		}
	}
}

func TestTables7And8CellForCell(t *testing.T) {
	got := rows(t, open(t, write(t, thesis(t))), "Temaer")
	words := map[string]string{"driver": "Driver", "barrier": "Barriere", "arena": "Arena"}
	var want [][]string
	for _, name := range []string{"table7_drivers_barriers.csv", "table8_arenas.csv"} {
		for i, row := range table(t, name) {
			x, o := 0, 0
			for _, mark := range row[3:] {
				x += strings.Count(mark, "x")
				o += strings.Count(mark, "o")
			}
			row[0] = words[row[0]]
			switch {
			case i > 0:
				want = append(want, append(row, fmt.Sprint(x), fmt.Sprint(o)))
			case want == nil:
				want = append(want, append([]string{"Kategori", "Tema", "Nøkkel"}, append(row[3:], "Nevnt (x)", "Uenig (o)")...))
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Tables 7 and 8 (-want +got):\n%s", diff)
	}
}

func TestReferrals(t *testing.T) {
	got := rows(t, open(t, write(t, thesis(t))), "Henvisninger")
	want := [][]string{{"Henvist av", "Henvist", "Klynge", "Status"}, {"B1", "B2", "B", "Intervjuet"}, {"B1", "B3", "B", "Intervjuet"}, {"B1", "B4", "B", "Intervjuet"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheStudysOwnAttributesAreColumns(t *testing.T) {
	src := thesis(t)
	src.Traits = []string{"Region", "=1+1"}
	for i := range src.Participants {
		src.Participants[i].Traits = []string{[]string{"Vest", ""}[i%2], "ja"}
	}
	got := rows(t, open(t, write(t, src)), "Deltakere")
	if len(got) < 3 || len(got[0]) != 12 || got[0][10] != "Region" || got[0][11] != "=1+1" {
		t.Fatalf("headings %q", got[0])
	}
	for _, row := range got[1:] {
		if len(row) != 12 || row[10] != "Vest" && row[10] != "" || row[11] != "ja" {
			t.Errorf("row %q", row)
		}
	}
}

func survey(all ...exports.Answer) *exports.Survey {
	scale := []exports.Choice{{Value: "1", Label: "Ikke viktig"}, {Value: "2", Label: "Lite viktig"}, {Value: "3", Label: "Viktig"}, {Value: "9", Label: "Vet ikke", Missing: true}}
	return &exports.Survey{Title: "Oppfølging", Answers: answers(all...), Questions: []exports.Question{
		{Name: "time", Label: "Tid", Type: "likert", Theme: "time", Choices: scale},
		{Name: "sizes", Label: "Størrelser", Type: "multiple", Choices: []exports.Choice{{Value: "s", Label: "Små"}, {Value: "l", Label: "Store"}}},
		{Name: "years", Label: "År", Type: "integer"},
		{Name: "more", Label: "Mer?", Type: "long_text"},
	}}
}

func smallSurvey() *exports.Survey {
	at := time.Date(2019, 4, 30, 22, 30, 0, 0, time.UTC).UnixMilli() // past midnight in Oslo
	return survey(
		exports.Answer{Code: "R1", Lang: "nb", Version: 1, SubmittedAt: at, Values: map[string]any{"time": "3", "sizes": []any{"s", "l"}, "years": 7.0, "more": "007"}},
		exports.Answer{Code: "R2", Lang: "nn", Version: 1, SubmittedAt: at, Values: map[string]any{"time": "2", "years": 4.0, "gone": "x"}},
		exports.Answer{Code: "R3", Lang: "en", Version: 2, SubmittedAt: at, Values: map[string]any{"time": "9", "sizes": []any{"s"}, "more": ""}},
		exports.Answer{Code: "R4", Lang: "nb", Version: 2, SubmittedAt: at, Values: map[string]any{"time": "3"}},
	)
}

func TestSurveySheets(t *testing.T) {
	src := thesis(t)
	src.Survey = smallSurvey()
	f := open(t, write(t, src))
	about := []string{"Kode", "Språk", "Versjon", "Levert"}
	for sheet, want := range map[string][][]string{
		"Svar som koder": {
			append(about, "time", "sizes", "years", "more"),
			{"R1", "nb", "1", "2019-05-01 00:30", "3", "s l", "7", "007"},
			{"R2", "nn", "1", "2019-05-01 00:30", "2", "", "4", ""},
			{"R3", "en", "2", "2019-05-01 00:30", "9", "s", "", ""},
			{"R4", "nb", "2", "2019-05-01 00:30", "3", "", "", ""},
		},
		"Svar som tekst": {
			append(about, "Tid", "Størrelser", "År", "Mer?"),
			{"R1", "nb", "1", "2019-05-01 00:30", "Viktig", "Små; Store", "7", "007"},
			{"R2", "nn", "1", "2019-05-01 00:30", "Lite viktig", "", "4", ""},
			{"R3", "en", "2", "2019-05-01 00:30", "Vet ikke", "Små", "", ""},
			{"R4", "nb", "2", "2019-05-01 00:30", "Viktig", "", "", ""},
		},
		"Kodebok": {
			{"Variabel", "Spørsmål", "Type", "Temanøkkel", "Verdi", "Tekst", "Utenfor skalaen"},
			{"time", "Tid", "Skala", "time", "1", "Ikke viktig", ""},
			{"time", "Tid", "Skala", "time", "2", "Lite viktig", ""},
			{"time", "Tid", "Skala", "time", "3", "Viktig", ""},
			{"time", "Tid", "Skala", "time", "9", "Vet ikke", "Ja"},
			{"sizes", "Størrelser", "Flere valg", "", "s", "Små", ""},
			{"sizes", "Størrelser", "Flere valg", "", "l", "Store", ""},
			{"years", "År", "Heltall", "", "", "", ""},
			{"more", "Mer?", "Lang tekst", "", "", "", ""},
		},
		"Frekvenser": {
			{"Variabel", "Spørsmål", "Verdi", "Tekst", "Antall", "Prosent av alle", "Prosent på skalaen", "n", "Vet ikke", "Ubesvart", "Gjennomsnitt", "Standardavvik", "Median"},
			{"time", "Tid", "1", "Ikke viktig", "0", "0.00", "0.00", "3", "1", "0", "2.67", "0.58", "3.00"},
			{"time", "Tid", "2", "Lite viktig", "1", "25.00", "33.30", "", "", "", "", "", ""},
			{"time", "Tid", "3", "Viktig", "2", "50.00", "66.70", "", "", "", "", "", ""},
			{"time", "Tid", "9", "Vet ikke", "1", "25.00", "", "", "", "", "", "", ""},
			{"sizes", "Størrelser", "s", "Små", "2", "50.00", "100.00", "2", "0", "2", "", "", ""},
			{"sizes", "Størrelser", "l", "Store", "1", "25.00", "50.00", "", "", "", "", "", ""},
			{"years", "År", "", "", "", "", "", "2", "0", "2", "5.50", "2.12", "5.50"},
			{"more", "Mer?", "", "", "", "", "", "1", "0", "3", "", "", ""},
		},
		"Utelatt": {{"Hva", "Kode", "Hvorfor", "Ganger"}, {"Svar på et spørsmål", "gone", "Spørsmålet er ikke med i denne utgaven av skjemaet.", "1"}},
	} {
		if diff := cmp.Diff(want, rows(t, f, sheet)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sheet, diff)
		}
	}
	if kind, err := f.GetCellType("Svar som koder", "E2"); kind != excelize.CellTypeUnset || err != nil {
		t.Errorf("a code on the scale is of type %v (%v), want a number", kind, err)
	}
}

func TestJointDisplay(t *testing.T) {
	src := thesis(t)
	src.Survey = smallSurvey()
	got := map[string][]string{}
	for _, row := range rows(t, open(t, write(t, src)), "Intervju og undersøkelse") {
		got[row[1]] = row
	}
	for theme, want := range map[string][]string{
		"Tid":     {"Barriere", "Tid", "7", "0", "12", "Tid", "3", "2.67", "0.58", "1"},
		"Kostnad": {"Barriere", "Kostnad", "4", "5", "12", "", "", "", "", ""},
	} {
		if diff := cmp.Diff(want, got[theme]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", theme, diff)
		}
	}
}

func TestWhatSomebodyRefusedStaysOut(t *testing.T) {
	src := thesis(t)
	src.Survey = survey(exports.Answer{Code: "R1", Values: map[string]any{"more": "hold"}}, exports.Answer{Code: "R2", Values: map[string]any{"more": "stay"}})
	src.Consents = []exports.Consent{
		{Code: "A2", Standings: map[string]string{"interview": "no"}},
		{Code: "A3", Standings: map[string]string{"interview": "yes", "job_title": "no"}},
		{Code: "R1", Standings: map[string]string{"survey": "no"}},
	}
	src.Withheld = map[string]string{"B1": "pending"}
	src.Left = []exports.LeftOut{{What: "person", Reason: "withdrawn", N: 2}}
	data := write(t, src)
	f := open(t, data)
	want := [][]string{
		{"Hva", "Kode", "Hvorfor", "Ganger"},
		{"Alt om en person", "", "Personen har trukket seg.", "2"},
		{"Alt om en person", "B1", "En endring for personen er ikke ferdig. Last ned på nytt om litt.", "1"},
		{"Rolle", "A3", "Personen har sagt nei til dette.", "1"},
		{"Intervju", "A2", "Personen har sagt nei til dette.", "1"},
		{"Koding av intervju", "A2", "Personen har sagt nei til dette.", "1"},
		{"Svar på undersøkelsen", "R1", "Personen har sagt nei til dette.", "1"},
	}
	if diff := cmp.Diff(want, rows(t, f, "Utelatt")); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	all := map[string]string{}
	for _, sheet := range f.GetSheetList() {
		all[sheet] = fmt.Sprint(rows(t, f, sheet))
	}
	for _, absent := range []struct{ sheet, text string }{
		{"Intervjuer", "A2"}, {"Temaer", "A2"}, {"Deltakere", "B1"}, {"Intervjuer", "B1"}, {"Temaer", "B1"}, {"Henvisninger", "B1"},
		{"Svar som koder", "hold"}, {"Svar som tekst", "hold"}, {"Deltakere", "Sjefsingeniør"}, {"Intervjuer", "Sjefsingeniør"},
	} {
		if strings.Contains(all[absent.sheet], absent.text) {
			t.Errorf("%s holds %q", absent.sheet, absent.text)
		}
	}
	if !strings.Contains(all["Svar som koder"], "stay") || !strings.Contains(all["Intervjuer"], "A3") {
		t.Error("what nobody refused is missing")
	}
	if len(src.Left) != 1 || src.Interviews[0].Code != "C4" || src.Marks["networking"]["A2"] != "x" {
		t.Error("the caller's source was changed")
	}
}

func TestConsents(t *testing.T) {
	src := thesis(t)
	src.Consents = []exports.Consent{
		{Code: "A10", Standings: map[string]string{"interview": "yes", "survey_contact": "no"}, Means: "oral", At: 1554971400000},
		{Code: "A2", Standings: map[string]string{"interview": "yes", "own": "yes"}, Means: "own_link"},
	}
	want := [][]string{
		{"Kode", "Intervju", "Tilsendt undersøkelse", "own", "Måte", "Sist svart"},
		{"A2", "Ja", "Ikke spurt", "Ja", "Egen lenke", ""},
		{"A10", "Ja", "Nei", "Ikke spurt", "Muntlig", "2019-04-11 10:30"},
		{"", "", "", "", "", ""},
		{"Antall: Ja", "2", "0", "1", "", ""}, {"Antall: Nei", "0", "1", "0", "", ""}, {"Antall: Ikke spurt", "0", "1", "1", "", ""},
	}
	if diff := cmp.Diff(want, rows(t, open(t, write(t, src)), "Samtykker")); diff != "" {
		t.Error(diff)
	}
}

// Promise 21: what participants type stays text, and is read back as it was.
func TestHostileTextIsTextAndComesBackExactly(t *testing.T) {
	hostile := []string{
		"=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"https://example.org\")", "\t=1", "\r=1", "\n=1", " =1", "'=1",
		"{=1}", "=DDE(\"x\")", "%0A=1", "＝1", "https://example.org/?a=b&c=d", "mailto:a@example.org", "file:///etc/passwd", "\\\\host\\share", "#REF!",
		"_x0041_", "_x0041_x0042_", "_x005F_", "_x005f_x0041_", "_xD800_", "_x000D_", "__x0041__", "_x00g1_", "_x", "_",
		"\x00", "\x01", "a\x01x0041_", "_\x08x0041_", "\x1b[31m", "\x7f", "\r\n", "a\rb", "\uFFFE", "\uFFFF", "\uF8FF", "\uF8FFx0041\uF8FF",
		"<b>&amp;</b>", "]]>", "<!--", "<?xml?>", "\"quoted\"", "&#x41;", "</t></is>", "<f>1+1</f>",
		"  to sider  ", "\u202Egnp.exe", "e\u0301", "😀", "\u00A0", "\u2028", "1e309", "007", "TRUE", "2019-04-11", "0x10",
		strings.Repeat("å", 32767), strings.Repeat("😀", 16383) + "x", strings.Repeat("_x0041_", 2340),
	}
	alphabet := []string{"_", "x", "0041", "005F", "_", "\x02", "\uF8FF", "d800", "=", "\r", "å", "_x000A_"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var b strings.Builder
		for range random.IntN(12) + 1 {
			b.WriteString(alphabet[random.IntN(len(alphabet))])
		}
		hostile = append(hostile, b.String())
	}
	var all []exports.Answer
	for i, text := range hostile {
		all = append(all, exports.Answer{Code: fmt.Sprint("R", i), Values: map[string]any{"more": text}})
	}
	src := thesis(t)
	src.Survey = survey(all...)
	data := write(t, src)
	f := open(t, data)
	for _, sheet := range []string{"Svar som koder", "Svar som tekst"} {
		for i, want := range hostile {
			got, err := f.GetCellValue(sheet, fmt.Sprint("H", i+2))
			if got != want || err != nil {
				t.Errorf("%s: wrote %.60q, read %.60q (%v)", sheet, want, got, err)
			}
		}
	}
	if left := rows(t, f, "Utelatt"); len(left) != 1 {
		t.Errorf("left out: %v", left)
	}
	for name, content := range unzip(t, data) {
		for _, bad := range []string{"<f>", "<f ", "<hyperlink", "externalLink", "TargetMode", "vbaProject", string('\uF8FF')} {
			if strings.Contains(content, bad) {
				t.Errorf("%s holds %s", name, bad)
			}
		}
	}
}

func TestTextTooLongForACellSaysSo(t *testing.T) {
	for _, long := range []string{strings.Repeat("å", 32768), strings.Repeat("😀", 20000), strings.Repeat("\x01", 9000), strings.Repeat("a", 32766) + "\x01"} {
		src := thesis(t)
		src.Survey = survey(exports.Answer{Code: "R1", Values: map[string]any{"more": long}})
		f := open(t, write(t, src))
		got, err := f.GetCellValue("Svar som koder", "H2")
		kept, note := strings.CutSuffix(got, " [kuttet]")
		if err != nil || !note || !strings.HasPrefix(long, kept) || kept == "" || !utf8.ValidString(got) {
			t.Errorf("of %.12q… remains %.12q…%q (%v)", long, got, got[max(0, len(got)-12):], err)
		}
		want := []string{"Slutten av en lang tekst", "", "En celle i Excel rommer 32 767 tegn.", "2"}
		if left := rows(t, f, "Utelatt"); len(left) != 2 || !cmp.Equal(left[1], want) {
			t.Errorf("left out: %v, want %v", left, want)
		}
	}
}

func unzip(t testing.TB, data []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if contents[file.Name] != "" {
			t.Errorf("%s is there twice", file.Name)
		}
		contents[file.Name] = string(content)
	}
	return contents
}

func TestTwoRunsAreEqual(t *testing.T) {
	src := thesis(t)
	src.Survey = smallSurvey()
	if diff := cmp.Diff(unzip(t, write(t, src)), unzip(t, write(t, src))); diff != "" {
		t.Error(diff)
	}
}

func TestPropertiesAndSheets(t *testing.T) {
	src := thesis(t)
	src.Survey = smallSurvey()
	data := write(t, src)
	f := open(t, data)
	p, err := f.GetDocProps()
	if err != nil || p.Creator != "Feltbok" || p.LastModifiedBy != "Feltbok" || p.Identifier != src.AuditHead || p.Created != "2019-05-13T07:00:00Z" || p.Language != "nb" {
		t.Errorf("properties: %+v, %v", p, err)
	}
	for _, sheet := range f.GetSheetList() {
		panes, err := f.GetPanes(sheet)
		if err != nil || !panes.Freeze || panes.YSplit != 1 {
			t.Errorf("%s: panes %+v, %v", sheet, panes, err)
		}
	}
	if got, err := f.GetSheetDimension("Svar som koder"); got != "A1:H5" || err != nil {
		t.Errorf("dimension %q, %v, want A1:H5", got, err)
	}
	for name, content := range unzip(t, data) {
		if strings.HasPrefix(name, "xl/worksheets/") && strings.Contains(content, "XFD1048576") {
			t.Errorf("%s still claims to fill everything", name)
		}
	}
}

// No key without a text, in any language; names of sheets that Excel accepts.
func TestEveryLanguageIsComplete(t *testing.T) {
	reference := texts(t, "nb")
	for _, lang := range []string{"nb", "nn", "en"} {
		src := thesis(t)
		l := texts(t, lang)
		src.Text, src.Survey = l, smallSurvey()
		src.Consents = []exports.Consent{{Code: "A1", Standings: map[string]string{"interview": "yes"}}}
		src.Quotas, src.Funnel.Losses = []exports.Quota{{Case: "A", Kind: "any", Least: 1, Most: 1}}, []exports.Loss{{State: "no_answer", N: 1}}
		src.Funnels = []exports.Funnel{{Asked: 1}}
		f := open(t, write(t, src))
		if n := len(f.GetSheetList()); n != 13 {
			t.Errorf("%s: %d sheets, want 13: two share a name?", lang, n)
		}
		for _, sheet := range f.GetSheetList() {
			for _, row := range rows(t, f, sheet) {
				for _, cell := range row {
					if strings.Contains(cell, "export.") {
						t.Errorf("%s, %s: no text for %s", lang, sheet, cell)
					}
				}
			}
		}
		for key := range reference.texts {
			if l.texts[key] == "" {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
		if len(l.texts) != len(reference.texts) {
			t.Errorf("%s has %d texts, nb %d", lang, len(l.texts), len(reference.texts))
		}
	}
}

func TestAnEmptyStudyIsAWorkbookToo(t *testing.T) {
	f := open(t, write(t, exports.Source{Text: texts(t, "en")}))
	if got := rows(t, f, "Answers as codes"); len(got) != 1 {
		t.Errorf("answers of nobody: %v", got)
	}
}

func TestAFailingReadWritesNothing(t *testing.T) {
	boom := errors.New("boom")
	src := thesis(t)
	src.Survey = survey()
	src.Survey.Answers = func(yield func(exports.Answer, error) bool) {
		if yield(exports.Answer{Code: "R1"}, nil) {
			yield(exports.Answer{}, boom)
		}
	}
	var b bytes.Buffer
	if err := exports.Workbook(t.Context(), &b, src); !errors.Is(err, boom) || b.Len() > 0 {
		t.Errorf("Workbook = %v with %d bytes, want the reader's error and none", err, b.Len())
	}
}

func TestACancelledExportStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := thesis(t)
	src.Survey = survey()
	read := 0
	src.Survey.Answers = func(yield func(exports.Answer, error) bool) {
		for yield(exports.Answer{Code: "R"}, nil) {
			if read++; read == 3 {
				cancel()
			}
		}
	}
	var b bytes.Buffer
	if err := exports.Workbook(ctx, &b, src); !errors.Is(err, context.Canceled) || b.Len() > 0 || read > 4 {
		t.Errorf("Workbook = %v with %d bytes after %d answers", err, b.Len(), read)
	}
}

// Temporary files hold answers: none may stay behind, whether the export succeeds or not.
func TestLongSheetsLeaveNoTemporaryFile(t *testing.T) {
	boom := errors.New("boom")
	for name, end := range map[string]error{"success": nil, "failure": boom} {
		t.Run(name, func(t *testing.T) {
			src := thesis(t)
			src.Folder = t.TempDir()
			src.Survey = survey()
			during := 0
			src.Survey.Answers = func(yield func(exports.Answer, error) bool) {
				long := map[string]any{"more": strings.Repeat("langt ", 5000)}
				for range 600 { // 18 MB: excelize keeps the first 16 of each sheet in memory
					if !yield(exports.Answer{Code: "R", Values: long}, nil) {
						return
					}
				}
				files, _ := os.ReadDir(src.Folder)
				during = len(files)
				if end != nil {
					yield(exports.Answer{}, end)
				}
			}
			err := exports.Workbook(t.Context(), io.Discard, src)
			files, readErr := os.ReadDir(src.Folder)
			if !errors.Is(err, end) || len(files) != 0 || readErr != nil || during != 2 {
				t.Errorf("Workbook = %v; %d temporary files while writing, %d after (%v); want %v, 2, 0", err, during, len(files), readErr, end)
			}
		})
	}
}

func many(n int) *exports.Survey {
	s := survey()
	for i := range 40 {
		q := s.Questions[0]
		q.Name = fmt.Sprint("q", i)
		s.Questions = append(s.Questions, q)
	}
	s.Answers = func(yield func(exports.Answer, error) bool) {
		for i := range n {
			a := exports.Answer{Code: fmt.Sprint("R", i), Lang: "nb", Version: 1, SubmittedAt: 1556662200000, Values: map[string]any{"more": "et kort svar"}}
			for q := range 40 {
				a.Values[fmt.Sprint("q", q)] = []string{"1", "2", "3", "9"}[(i+q)%4]
			}
			if !yield(a, nil) {
				return
			}
		}
	}
	return s
}

func BenchmarkWorkbook(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				src := thesis(b)
				src.Survey = many(n)
				if err := exports.Workbook(b.Context(), io.Discard, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
