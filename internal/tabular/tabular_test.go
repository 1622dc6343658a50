package tabular

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"example.org/feltbok/internal/heap"

	"github.com/xuri/excelize/v2"
)

// read reads a whole file: each row as "number:cell|cell".
func read(data []byte) (sheets map[string][]string, err error) {
	all, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	sheets = map[string][]string{}
	for _, t := range all {
		sheets[t.Name] = nil
		if err := t.Rows(func(r Row) error {
			sheets[t.Name] = append(sheets[t.Name], fmt.Sprintf("%d:%s", r.Number, strings.Join(r.Cells, "|")))
			return nil
		}); err != nil {
			return sheets, err
		}
	}
	return sheets, nil
}

func utf16Of(text string, big bool) []byte {
	out := []byte{0xff, 0xfe}
	if big {
		out = []byte{0xfe, 0xff}
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return out
}

func TestText(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"comma", "Navn,E-post\nKari,k@example.org\n", []string{"1:Navn|E-post", "2:Kari|k@example.org"}},
		{"semicolon with commas inside", "Navn;Sted\nDahl, Kari;Bergen, Norge\n", []string{"1:Navn|Sted", "2:Dahl, Kari|Bergen, Norge"}},
		{"tab", "a\tb\r\nc\td", []string{"1:a|b", "2:c|d"}},
		{"pipe", "a|b\nc|d", []string{"1:a|b", "2:c|d"}},
		{"declared", "sep=|\na|b;c\n", []string{"2:a|b;c"}},
		{"one column", "Navn\nKari\n", []string{"1:Navn", "2:Kari"}},
		{"old line endings", "a;b\rc;d\r", []string{"1:a|b", "2:c|d"}},
		{"empty rows count", "a;b\n\n;;\nc;d\n", []string{"1:a|b", "4:c|d"}},
		{"quotes", "a;b\n\"x;\"\"y\"\"\";\"two\nlines\"\nz;w\n", []string{"1:a|b", "2:x;\"y\"|two\nlines", "3:z|w"}},
		{"a quote within a cell is a character", "a;b\n12\" skjerm;x\n", []string{"1:a|b", "2:12\" skjerm|x"}},
		{"text after a closing quote", "a;b\n\"x\"y;z\n", []string{"1:a|b", "2:xy|z"}},
		{"UTF-8 mark", "\xef\xbb\xbfNavn;x\nÅse;y\n", []string{"1:Navn|x", "2:Åse|y"}},
		{"UTF-8", "Navn;x\nÅse Šćepan;y\n", []string{"1:Navn|x", "2:Åse Šćepan|y"}},
		{"Windows-1252", "Navn;x\n\xc5se \x96 \xd8;y\n", []string{"1:Navn|x", "2:Åse – Ø|y"}},
		{"UTF-16 little", string(utf16Of("Navn;x\nÅse;y\n", false)), []string{"1:Navn|x", "2:Åse|y"}},
		{"UTF-16 big", string(utf16Of("Navn;x\nÅse;y\n", true)), []string{"1:Navn|x", "2:Åse|y"}},
		{"trailing cells", "a;b;;;\nc;d;;;\n", []string{"1:a|b", "2:c|d"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := read([]byte(tc.in))
			if err != nil || !slices.Equal(got[""], tc.want) {
				t.Errorf("got %q, %v, want %q", got[""], err, tc.want)
			}
		})
	}
}

func TestALongCellIsCut(t *testing.T) {
	got, err := read([]byte("a;b\n" + strings.Repeat("å", 40_000) + ";x\n"))
	if err != nil || len(got[""]) != 2 || len(got[""][1]) > mostCell+10 || !strings.HasSuffix(got[""][1], "|x") {
		t.Errorf("%d rows, %v", len(got[""]), err)
	}
}

// workbookOf makes a workbook with excelize, as people's programs do.
func workbookOf(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWorkbook(t *testing.T) {
	data := workbookOf(t, func(f *excelize.File) {
		f.SetSheetRow("Sheet1", "A1", &[]any{"Navn", "Telefon", "Ansatte"})
		f.SetSheetRow("Sheet1", "A3", &[]any{"Kari <Dahl> & co", 4722000012, 12.5, true})
		f.SetCellRichText("Sheet1", "A4", []excelize.RichTextRun{{Text: "Åse "}, {Text: "Vik", Font: &excelize.Font{Bold: true}}})
		f.SetCellStr("Sheet1", "C5", "bell\x07")
		f.NewSheet("Ark 2")
		f.SetSheetRow("Ark 2", "B2", &[]any{"bare her"})
	})
	want := map[string][]string{"Sheet1": {"1:Navn|Telefon|Ansatte", "3:Kari <Dahl> & co|4722000012|12.5|1", "4:Åse Vik", "5:||bell\ufffd"},
		"Ark 2": {"2:|bare her"}}
	got, err := read(data)
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s: got %q, want %q", name, got[name], want[name])
		}
	}
}

// parts packs a workbook by hand, for what no program would write.
func parts(t testing.TB, sheet string, more ...string) []byte {
	t.Helper()
	all := []string{"_rels/.rels", `<Relationships><Relationship Id="r" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook><sheets><sheet name="S" r:id="s"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="s" Type="x/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="t" Type="x/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", sheet}
	if !slices.Contains(more, "xl/sharedStrings.xml") {
		more = append(more, "xl/sharedStrings.xml", "<sst/>")
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for i := 0; i+1 < len(all)+len(more); i += 2 {
		pair := append(all, more...)[i : i+2]
		part, err := archive.Create(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, pair[1])
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWorkbookByHand(t *testing.T) {
	for _, tc := range []struct{ name, sheet, strings, want string }{
		{"inline text", `<row r="4"><c r="B4" t="inlineStr"><is><t>x</t></is></c></row>`, "<sst/>", "4:|x"},
		{"formula", `<row><c><f>1+1</f><v>2</v></c><c t="str"><f>A1</f><v>y</v></c></row>`, "<sst/>", "1:2|y"},
		{"error", `<row><c t="e"><v>#N/A</v></c></row>`, "<sst/>", "1:#N/A"},
		{"escape", `<row><c t="s"><v>0</v></c></row>`, `<sst><si><t>a_x0009_b_x1_</t></si></sst>`, "1:a\tb_x1_"},
		{"pronunciation", `<row><c t="s"><v>0</v></c></row>`, `<sst><si><t>a</t><rPh><t>ah</t></rPh></si></sst>`, "1:a"},
		{"CDATA", `<row><c t="s"><v>0</v></c></row>`, `<sst><si><t><![CDATA[<a>]]></t></si></sst>`, "1:<a>"},
		{"a large number", `<row><c><v>4.722000012E9</v></c></row>`, "<sst/>", "1:4722000012"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := read(parts(t, "<worksheet><sheetData>"+tc.sheet+"</sheetData></worksheet>", "xl/sharedStrings.xml", tc.strings))
			if err != nil || strings.Join(got["S"], "\n") != tc.want {
				t.Errorf("got %q, %v, want %q", got["S"], err, tc.want)
			}
		})
	}
}

// Promise 19: what would cost much time or memory is refused in 2 s within 64 MiB.
func TestHostileFiles(t *testing.T) {
	if raced {
		t.Skip("measures time and memory: see check.sh")
	}
	sheet := func(body string) string { return "<worksheet><sheetData>" + body + "</sheetData></worksheet>" }
	sst := func(body string) []byte { return parts(t, sheet(""), "xl/sharedStrings.xml", body) }
	good := workbookOf(t, func(f *excelize.File) { f.SetSheetRow("Sheet1", "A1", &[]any{"Navn"}) })
	var many bytes.Buffer
	archive := zip.NewWriter(&many)
	for i := range 100_000 {
		archive.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i)})
	}
	archive.Close()
	var columns strings.Builder
	for range 1_000_000 {
		columns.WriteString("<c><v>1</v></c>")
	}
	for _, tc := range []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, ErrEmpty},
		{"only space", []byte(" \n\r\n\t "), ErrEmpty},
		{"old workbook", slices.Concat(oleMagic, make([]byte, 4096)), ErrOld},
		{"macros", parts(t, sheet(""), "xl/vbaProject.bin", "x"), ErrMacros},
		{"some other archive", func() []byte {
			var out bytes.Buffer
			a := zip.NewWriter(&out)
			a.Create("mimetype")
			a.Close()
			return out.Bytes()
		}(), ErrBroken},
		{"cut off", good[:len(good)/2], ErrBroken},
		{"cut off early", good[:30], ErrBroken},
		{"a page that calls itself a table", []byte("<html><table><tr><td>Navn</table>"), ErrKind},
		{"a picture", slices.Concat([]byte("\x89PNG\r\n"), make([]byte, 100)), ErrKind},
		{"mixed encodings", []byte("Navn;x\nÅse;y\n\xc5se;z\n"), ErrEncodings},
		{"a quote that never closes", []byte("Navn;x\n\"Kari;y\nOla;z\n"), ErrQuote},
		{"a million columns", parts(t, sheet("<row>"+columns.String()+"</row>")), ErrColumns},
		{"the last column there is", parts(t, sheet(`<row><c r="XFD1"><v>1</v></c></row>`)), ErrColumns},
		{"a million columns of text", []byte(strings.Repeat("a;", 1_000_000)), ErrColumns},
		{"too many rows", []byte(strings.Repeat("a;b\n", MostRows+1)), ErrRows},
		{"too many rows in a workbook", parts(t, sheet(strings.Repeat("<row><c><v>1</v></c></row>", MostRows+1))), ErrRows},
		{"rows out of order", parts(t, sheet(`<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row>`)), ErrBroken},
		{"bomb", parts(t, sheet(strings.Repeat("<row/>", 10<<20))), ErrUnpacked},
		{"bomb just small enough", parts(t, sheet(strings.Repeat("<row></row>", 5<<19))), nil},
		{"one long text", parts(t, sheet(`<row><c t="str"><v>`+strings.Repeat("x", 24<<20)+`</v></c></row>`)), ErrUnpacked},
		{"one long tag", parts(t, sheet(`<row `+strings.Repeat(`a="" `, 5<<20)+`/>`)), ErrUnpacked},
		{"one long comment", parts(t, sheet(`<!--`+strings.Repeat("x", 24<<20)+`-->`)), ErrUnpacked},
		{"deep", parts(t, sheet(strings.Repeat("<a>", 10<<20))), nil},
		{"many empty texts", sst("<sst>" + strings.Repeat("<si/>", 6<<20) + "</sst>"), ErrUnpacked},
		{"entities", sst(`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><sst><si><t>&b;&b;</t></si></sst>`), ErrBroken},
		{"an entity that nobody declared", sst(`<sst><si><t>&b;</t></si></sst>`), ErrBroken},
		{"a text that is not there", parts(t, sheet(`<row><c t="s"><v>7</v></c></row>`)), ErrBroken},
		{"100,000 parts", many.Bytes(), ErrUnpacked},
		{"too long", make([]byte, MostBytes+1), ErrTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var err error
			before, most, took := heap.Peak(func() { _, err = read(tc.data) })
			if !errors.Is(err, tc.want) || tc.want == nil && err != nil {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if took > 2*time.Second || most-before > 64<<20 {
				t.Errorf("took %s and %d MiB, want at most 2 s and 64 MiB", took, (most-before)>>20)
			}
		})
	}
}

// Promise 20: whatever the bytes, reading ends in rows or in one of our errors.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("Navn;E-post\nKari;kari@example.org\n\"a\"\"b\";c\n"))
	f.Add([]byte("sep=|\na|b\r\nc|\"d\ne\"\n"))
	f.Add([]byte("\xef\xbb\xbfNavn\tTelefon\rÅse\t+47 22 00 00 12\r"))
	f.Add(utf16Of("Navn,Ansatte\nÅse,12\n", true))
	f.Add([]byte("Navn;x\n\xc5se;y\n"))
	f.Add(parts(f, `<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c t="inlineStr"><is><t>x_x0041_</t></is></c></row></sheetData></worksheet>`,
		"xl/sharedStrings.xml", `<sst><si><r><t>a</t></r><rPh><t>b</t></rPh></si></sst>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := Open(bytes.NewReader(data), int64(len(data)))
		for _, table := range all {
			last := 0
			err = table.Rows(func(r Row) error {
				if r.Number <= last || len(r.Cells) == 0 || len(r.Cells) > MostColumns || r.Cells[len(r.Cells)-1] == "" {
					t.Errorf("row %+v after row %d", r, last)
				}
				last = r.Number
				for _, c := range r.Cells {
					if len(c) > mostCell+4 {
						t.Errorf("a cell of %d bytes", len(c))
					}
				}
				return nil
			})
		}
		known := []error{nil, ErrEmpty, ErrKind, ErrOld, ErrMacros, ErrBroken, ErrQuote, ErrEncodings, ErrRows, ErrColumns, ErrUnpacked, ErrTooLarge}
		if !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) || err == k }) {
			t.Errorf("error %v is not ours", err)
		}
	})
}
