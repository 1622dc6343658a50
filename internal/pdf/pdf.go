// Package pdf prints a text on A4: headings, short facts, and a body in Markdown. The page on the screen stays the record;
// this is the copy to keep. The same document gives the same bytes, and nothing in its properties names anybody. It knows
// nothing of letters or consent.
package pdf

import (
	"bytes"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/goregular"
)

// Document is what is printed.
type Document struct {
	Title    string // in the document's properties
	Language string // "nb", "nn" or "en"
	Parts    []Part
	Foot     string                    // at the foot of every page
	Page     func(page, of int) string // beside it
	Made     time.Time                 // when the text came to be, not when it was printed
}

// Part is a heading and what stands under it; whatever is empty is left out.
type Part struct {
	Title string
	Minor bool // a heading within the part before
	Fresh bool // begins on a page of its own
	Facts []Fact
	Lines []string // points of a list, as they are
	Body  string   // Markdown
}

// Fact is a short line beside its term.
type Fact struct{ Term, Text string }

// All lengths are in millimetres, sizes of letters in points.
const (
	pageHeight = 297.0
	left       = 30.0
	right      = 210.0 - 45.0 // short lines: some seventy letters
	top        = 25.0
	bottom     = pageHeight - 28.0
	footAt     = pageHeight - 16.0

	bodySize, titleSize, headSize, footSize = 11.0, 19.0, 12.5, 7.0

	family = "go"
)

// faces are the Go fonts (Bigelow & Holmes, BSD licence): they have every letter of Norwegian and of the Sami languages.
var faces = map[string][]byte{"": goregular.TTF, "B": gobold.TTF, "I": goitalic.TTF, "BI": gobolditalic.TTF}

// Bytes prints a document.
func Bytes(d Document) ([]byte, error) {
	p := newPrinter(d)
	pages := paginate(p.compose(d))
	for i, lines := range pages {
		p.AddPage()
		p.foot(d, i+1, len(pages))
		for _, l := range lines {
			p.draw(l)
		}
	}
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	return out.Bytes(), nil
}

// printer is a document being made. A face is loaded when it is first used.
type printer struct {
	*fpdf.Fpdf
	loaded map[string]bool
	known  coverage
}

func newPrinter(d Document) *printer {
	p := &printer{fpdf.New("P", "mm", "A4", ""), map[string]bool{}, newCoverage()}
	p.SetTitle(d.Title, true)
	p.SetLang(d.Language)
	p.SetCreator("Feltbok", true)
	p.SetProducer("Feltbok", true)
	p.SetCreationDate(d.Made.UTC())
	p.SetModificationDate(d.Made.UTC())
	p.SetCatalogSort(true) // the same order in every file
	p.SetAutoPageBreak(false, 0)
	return p
}

func (p *printer) face(style string, size float64) {
	if !p.loaded[style] {
		p.AddUTF8FontFromBytes(family, style, faces[style])
		p.loaded[style] = true
	}
	p.SetFont(family, style, size)
}

func (p *printer) width(text, style string, size float64) float64 {
	p.face(style, size)
	return p.GetStringWidth(text)
}

func (p *printer) foot(d Document, page, of int) {
	p.face("", footSize)
	p.Line(left, footAt-4, right, footAt-4)
	p.Text(left, footAt, p.known.only(d.Foot))
	if d.Page != nil {
		number := p.known.only(d.Page(page, of))
		p.Text(right-p.GetStringWidth(number), footAt, number)
	}
}

func (p *printer) draw(l line) {
	if l.rule {
		p.Line(left+l.indent, l.y, right, l.y)
	}
	for _, w := range l.words {
		p.face(w.style, l.size)
		p.Text(w.x, l.y, w.text)
	}
}
