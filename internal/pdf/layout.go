package pdf

import (
	"strings"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// run is text in one style: "" plain, "B" bold, "I" italic or "BI". A line break within it is kept.
type run struct{ text, style string }

// block is what stands under itself: a heading, a paragraph, a point of a list.
type block struct {
	runs   []run
	mark   string  // before the first line: a bullet, a number, a term
	bold   bool    // the mark is
	size   float64 // of the letters
	before float64 // space above
	indent float64
	keep   bool // not the last thing on a page
	fresh  bool // the first thing on a page
	rule   bool // a line across
}

// line is one line of letters, placed on its page.
type line struct {
	words          []word
	size, indent   float64
	before, height float64
	y              float64 // of the letters' foot
	keep, fresh    bool
	rule           bool
}

// word is letters without a space between them, in one style.
type word struct {
	text, style string
	x, width    float64
}

const (
	termWidth = 30.0
	pointMM   = 25.4 / 72
	leading   = 1.42
)

// compose makes the lines of a document, in order.
func (p *printer) compose(d Document) (lines []line) {
	for _, part := range d.Parts {
		var blocks []block
		if part.Title != "" {
			title := block{runs: []run{{part.Title, "B"}}, size: titleSize, before: 8, keep: true}
			if part.Minor {
				title.size = headSize
			}
			blocks = append(blocks, title)
		}
		for _, f := range part.Facts {
			blocks = append(blocks, block{runs: []run{{f.Text, ""}}, mark: f.Term, bold: true, size: bodySize, before: 1.4, indent: termWidth})
		}
		for _, text := range part.Lines {
			blocks = append(blocks, block{runs: []run{{text, ""}}, mark: "–", size: bodySize, before: 1.4, indent: listStep})
		}
		blocks = append(blocks, parse(part.Body)...)
		if len(blocks) > 0 {
			blocks[0].fresh = part.Fresh
		}
		for _, b := range blocks {
			lines = append(lines, p.wrap(b)...)
		}
	}
	return lines
}

// wrap breaks a block into lines.
func (p *printer) wrap(b block) (lines []line) {
	height := b.size * pointMM * leading
	l := line{size: b.size, indent: b.indent, before: b.before, height: height, keep: b.keep, fresh: b.fresh, rule: b.rule}
	if b.mark != "" {
		l.words = p.marked(b)
	}
	x := left + b.indent
	end := func() {
		lines = append(lines, l)
		l, x = line{size: b.size, indent: b.indent, height: height, keep: b.keep}, left+b.indent
	}
	if b.bold && len(l.words) > 0 && l.words[0].width > b.indent-2 {
		end() // too long to stand beside its text
	}
	for _, t := range p.tokens(b.runs, b.size, right-left-b.indent) {
		switch {
		case t.breaks:
			end()
		case x > left+b.indent && x+t.space+t.width > right:
			end()
			fallthrough
		default:
			if x > left+b.indent {
				x += t.space
			}
			for _, w := range t.pieces {
				w.x = x
				x += w.width
				l.words = append(l.words, w)
			}
		}
	}
	end()
	return lines
}

// marked puts the mark of a block before its text: a term at the margin, a point's close to what it points at.
func (p *printer) marked(b block) []word {
	style, text := "", p.known.only(b.mark)
	if b.bold {
		style = "B"
		return []word{{text: text, style: style, x: left, width: p.width(text, style, b.size)}}
	}
	width := p.width(text+" ", style, b.size)
	return []word{{text: text, style: style, x: left + b.indent - width - 0.8, width: width}}
}

// token is a word with its pieces of different styles, or a line break.
type token struct {
	pieces       []word
	width, space float64 // its own, and of the space before it
	breaks       bool
}

// tokens cuts runs at spaces. What is wider than a line is cut wherever it must.
func (p *printer) tokens(runs []run, size, widest float64) (tokens []token) {
	var open token
	spaced := false
	end := func() {
		if len(open.pieces) > 0 {
			tokens = append(tokens, open)
		}
		open, spaced = token{}, true
	}
	for _, r := range runs {
		space := p.width(" ", r.style, size)
		for i, part := range strings.Split(p.known.only(r.text), "\n") {
			if i > 0 {
				end()
				tokens = append(tokens, token{breaks: true})
			}
			for j, text := range strings.Split(part, " ") {
				if j > 0 {
					end()
				}
				for _, text := range p.fitting(text, r.style, size, widest) {
					width := p.width(text, r.style, size)
					if open.width+width > widest {
						end()
						spaced = false
					}
					if len(open.pieces) == 0 && spaced {
						open.space = space
					}
					open.pieces, open.width = append(open.pieces, word{text: text, style: r.style, width: width}), open.width+width
				}
			}
		}
	}
	end()
	return tokens
}

// fitting cuts a word into pieces that each fit on a line; "" has none.
func (p *printer) fitting(text, style string, size, widest float64) (pieces []string) {
	if text == "" {
		return nil
	}
	if p.width(text, style, size) <= widest {
		return []string{text}
	}
	letters := []rune(text)
	for len(letters) > 0 {
		n := 1
		for n < len(letters) && p.width(string(letters[:n+1]), style, size) <= widest {
			n++
		}
		pieces, letters = append(pieces, string(letters[:n])), letters[n:]
	}
	return pieces
}

// paginate places lines on pages. A heading goes with what follows it.
func paginate(lines []line) (pages [][]line) {
	var page []line
	y := top
	for i, l := range lines {
		need := l.before + l.height
		for next := i; next+1 < len(lines) && lines[next].keep && !lines[next+1].fresh; next++ {
			need += lines[next+1].before + lines[next+1].height
		}
		if len(page) > 0 && (l.fresh || y+need > bottom) {
			pages, page, y = append(pages, page), nil, top
		}
		if len(page) > 0 {
			y += l.before
		}
		y += l.height
		l.y = y - l.height*0.28
		page = append(page, l)
	}
	return append(pages, page)
}

// coverage knows which letters the fonts have.
type coverage struct {
	font   *sfnt.Font
	buffer *sfnt.Buffer
}

func newCoverage() coverage {
	font, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		panic(err) // the font is part of the program
	}
	return coverage{font, &sfnt.Buffer{}}
}

// only returns a text as it can be printed: composed letters, spaces for tabs, no control characters, and a mark where the
// fonts have no letter, so that nothing is left out unseen.
func (c coverage) only(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r == 0xad:
			return -1
		case r > 0xffff: // the library writes no more than these
			return '\ufffd'
		}
		if glyph, err := c.font.GlyphIndex(c.buffer, r); err != nil || glyph == 0 {
			return '\ufffd'
		}
		return r
	}, norm.NFC.String(text))
}
