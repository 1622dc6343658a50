package pdf

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/internal/pdf/pdftest"
)

func example(body string) Document {
	return Document{Title: "Vil du være med?", Language: "nb", Foot: "Brev 3, bokmål", Made: time.Date(2019, 4, 1, 6, 0, 0, 0, time.UTC),
		Page:  func(page, of int) string { return "Side " + string(rune('0'+page)) + " av " + string(rune('0'+of)) },
		Parts: []Part{{Title: "Vil du være med?", Facts: []Fact{{"Hva", "Samtale, om lag en time"}}, Body: body}}}
}

func printed(t *testing.T, d Document) []byte {
	t.Helper()
	file, err := Bytes(d)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, d Document) string {
	t.Helper()
	return pdftest.Text(t, printed(t, d))
}

// Every letter of Norwegian and of the Sami languages comes out as itself, in every face.
func TestLettersAreIntact(t *testing.T) {
	letters := "æøå ÆØÅ éèêóòôü «ja» – — ’ … § čđŋšŧžáâïñö ČĐŊŠŦŽÁ 20 °"
	said := read(t, example(letters+"\n\n**"+letters+"**\n\n*"+letters+"*\n\n***"+letters+"***"))
	if got := strings.Count(said, letters); got != 4 {
		t.Errorf("the letters came out whole %d times, want 4:\n%s", got, said)
	}
	if !strings.Contains(said, "Vil du være med?") {
		t.Errorf("no title in %s", said)
	}
	for _, r := range letters { // and each has a shape: a code without one prints nothing
		glyph, err := newCoverage().font.GlyphIndex(newCoverage().buffer, r)
		if glyph == 0 || err != nil {
			t.Errorf("no shape for %q (%v)", r, err)
		}
	}
}

func TestMarkdownIsPrintedAsItIsShown(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"paragraph", "En **fet** og *skrå* tekst.", "En fet og skrå tekst."},
		{"line break", "Ingrid\nBergen", "Ingrid|Bergen"},
		{"heading", "## Hva\n\nTekst", "Hva|Tekst"},
		{"list", "- en\n- to", "– en|– to"},
		{"numbers", "2. to\n3. tre", "2. to|3. tre"},
		{"escapes", `\*ikke fet\* &amp; \&amp;`, "*ikke fet* & &amp;"},
		{"link", "[les](https://example.org/a)", "les (https://example.org/a)"},
		{"mail", "skriv til ingrid@example.org", "skriv til ingrid@example.org"},
		{"script", "a [b](javascript:alert(1)) <b>c</b>", "a b c"},
		{"picture", "a ![b](https://example.org/c.png)", "a"},
		{"code", "bruk `*a*`", "bruk *a*"},
		{"decomposed", "a\u030a", "å"},
		{"no shape", "smil 😀", "smil �"},
		{"joined", "**Ja**, det er (*rett*).", "Ja, det er (rett)."},
	} {
		p := newPrinter(example(""))
		var got []string
		for _, b := range parse(c.body) {
			for _, l := range p.wrap(b) {
				got = append(got, l.said())
			}
		}
		if text := strings.Join(got, "|"); text != c.want {
			t.Errorf("%s: got %q, want %q", c.name, text, c.want)
		}
	}
}

// said is a line as it is read: words that touch are one.
func (l line) said() string {
	var text strings.Builder
	for i, w := range l.words {
		if i > 0 && w.x > l.words[i-1].x+l.words[i-1].width+0.1 {
			text.WriteString(" ")
		}
		text.WriteString(w.text)
	}
	return text.String()
}

// Nothing runs over the edge, and every page says which it is.
func TestLongTextsBreak(t *testing.T) {
	long := strings.Repeat("Samskaping i næringsklynger er noe vi vil forstå. ", 150) + "\n\n" + strings.Repeat("å", 300)
	p := newPrinter(example(long))
	letters := 0
	for _, l := range p.compose(example(long)) {
		for _, w := range l.words {
			if w.x+w.width > right+0.01 {
				t.Errorf("%q ends at %.1f mm", w.text, w.x+w.width)
			}
		}
		letters += strings.Count(l.said(), "å")
	}
	if want := 450; letters != want {
		t.Errorf("%d letters å were printed, want %d", letters, want)
	}
	said := read(t, example(long))
	for _, want := range []string{"Side 1 av 3", "Side 2 av 3", "Side 3 av 3"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q", want)
		}
	}
	if got := strings.Count(said, "Brev 3, bokmål"); got != 3 {
		t.Errorf("the foot stands %d times, want 3", got)
	}
}

// A term that is too long for its place stands above its text.
func TestLongTermsStandAlone(t *testing.T) {
	d := example("")
	d.Parts = []Part{{Facts: []Fact{{"Hva", "Samtale"}, {"Behandlingsansvarlig institusjon", "Nordfjord universitet"}}, Lines: []string{"Vil du?"}}}
	var got []string
	for _, l := range newPrinter(d).compose(d) {
		got = append(got, l.said())
	}
	if want := "Hva Samtale|Behandlingsansvarlig institusjon|Nordfjord universitet|– Vil du?"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", strings.Join(got, "|"), want)
	}
}

func TestHeadingsGoWithWhatFollows(t *testing.T) {
	for fill := range 60 {
		body := strings.Repeat("linje\n", fill) + "\n\n## Overskrift\n\nTekst"
		pages := paginate(newPrinter(example(body)).compose(example(body)))
		for i, page := range pages {
			if last := page[len(page)-1]; last.keep {
				t.Errorf("%d lines: page %d ends with %q", fill, i+1, last.said())
			}
			for _, l := range page {
				if l.y > bottom {
					t.Errorf("%d lines: %q stands at %.1f mm", fill, l.said(), l.y)
				}
			}
		}
	}
	d := example("a")
	d.Parts = append(d.Parts, Part{Title: "Brevet", Fresh: true})
	if pages := paginate(newPrinter(d).compose(d)); len(pages) != 2 {
		t.Errorf("%d pages, want a fresh one", len(pages))
	}
}

func TestSameDocumentSameBytes(t *testing.T) {
	d := example("En *tekst* med **mye**.\n\n- a\n- b")
	first := printed(t, d)
	for range 10 {
		if !bytes.Equal(first, printed(t, d)) {
			t.Fatal("the bytes differ from print to print")
		}
	}
	other := d
	other.Foot = "Brev 4, bokmål"
	if bytes.Equal(first, printed(t, other)) {
		t.Error("another document has the same bytes")
	}
	for _, want := range []string{"/CreationDate (D:20190401060000", "/ModDate (D:20190401060000", "/Lang (nb)"} {
		if !bytes.Contains(first, []byte(want)) {
			t.Errorf("the properties lack %s", want)
		}
	}
	if bytes.Contains(first, []byte("/Author")) {
		t.Error("the properties name an author")
	}
}

func BenchmarkBytes(b *testing.B) {
	d := example(strings.Repeat("Samskaping i **næringsklynger** er noe *vi* vil forstå. ", 60))
	for b.Loop() {
		if _, err := Bytes(d); err != nil {
			b.Fatal(err)
		}
	}
}

// Whatever a team types can be printed.
func FuzzBytes(f *testing.F) {
	for _, seed := range []string{"", "# a", "- - a", "> 1. b\n\n   c", "[a](b \"c\")", "\x00\xff", "```\nx\n```", "***a*b**", "&#0;&#1114112;", strings.Repeat(">", 200) + "a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := Bytes(example(body)); err != nil {
			t.Fatal(err)
		}
	})
}
