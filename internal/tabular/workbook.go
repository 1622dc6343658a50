package tabular

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf16"
)

// We read a workbook (ECMA-376 part 1, §18) ourselves, token by token: excelize unpacks each part whole and writes what is
// large to temporary files, where names must not lie.

const (
	mostUnpacked = 32 << 20 // bytes of all parts that we read
	mostParts    = 2000
	mostSheets   = 50
	mostStrings  = 1 << 20
	// mostToken is how many bytes may pass without a new tag: Excel's longest cell is 32,767 characters, and each can be
	// an entity.
	mostToken = 512 << 10
)

var directoryEntry = []byte("PK\x01\x02")

// workbook is an open one.
type workbook struct {
	parts   map[string]*zip.File
	left    int64 // bytes that may still be unpacked
	strings sharedStrings
}

func openWorkbook(file io.ReaderAt, size int64) ([]Table, error) {
	if n, err := count(file, size, directoryEntry); err != nil || n > mostParts {
		return nil, errors.Join(err, ErrUnpacked) // the directory alone would fill the memory
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, damaged(err)
	}
	w := &workbook{parts: map[string]*zip.File{}, left: mostUnpacked}
	for _, part := range archive.File {
		name := strings.ToLower(strings.ReplaceAll(part.Name, "\\", "/"))
		if strings.Contains(name, "vbaproject") || strings.HasPrefix(name, "xl/macrosheets/") {
			return nil, ErrMacros
		}
		w.parts[name] = part
	}
	return w.tables()
}

// damaged is ErrBroken for whatever a library says about a damaged file, and our own errors as they are.
func damaged(err error) error {
	if err == nil || errors.Is(err, ErrUnpacked) || errors.Is(err, ErrRows) || errors.Is(err, ErrColumns) {
		return err
	}
	return ErrBroken
}

// count counts a pattern in a file.
func count(file io.ReaderAt, size int64, pattern []byte) (n int, err error) {
	window := make([]byte, 64<<10)
	for at := int64(0); at < size; at += int64(len(window) - len(pattern) + 1) {
		read, err := file.ReadAt(window, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		n += bytes.Count(window[:read], pattern)
	}
	return n, nil
}

// related is what a part points to: the kinds by the last word of their type, which the two variants of the standard share.
type related struct {
	target, kind string
}

// relations reads what a part points to, by identifier.
func (w *workbook) relations(part string) (map[string]related, error) {
	all := map[string]related{}
	folder, name := path.Split(part)
	err := w.tokens(folder+"_rels/"+name+".rels", func(token xml.Token) error {
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "Relationship" {
			return nil
		}
		target := attribute(start, "Target")
		if !strings.HasPrefix(target, "/") {
			target = "/" + folder + target
		}
		all[attribute(start, "Id")] = related{strings.TrimPrefix(path.Clean(target), "/"), path.Base(attribute(start, "Type"))}
		if len(all) > mostParts {
			return ErrUnpacked
		}
		return nil
	})
	return all, err
}

// tables lists the sheets, and reads the texts that they share.
func (w *workbook) tables() ([]Table, error) {
	root, err := w.relations("")
	if err != nil {
		return nil, err
	}
	main := ""
	for _, r := range root {
		if r.kind == "officeDocument" {
			main = r.target
		}
	}
	if main == "" {
		return nil, ErrKind
	}
	found, err := w.relations(main)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		if r.kind == "sharedStrings" {
			if err := w.readStrings(r.target); err != nil {
				return nil, err
			}
		}
	}
	return w.sheets(main, found)
}

func (w *workbook) sheets(main string, found map[string]related) (all []Table, err error) {
	err = w.tokens(main, func(token xml.Token) error {
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "sheet" {
			return nil
		}
		r := found[attribute(start, "id")]
		if r.kind != "worksheet" { // a chart, say
			return nil
		}
		if len(all) == mostSheets {
			return ErrUnpacked
		}
		name := cut(attribute(start, "name"))
		all = append(all, Table{name, func(visit func(Row) error) error { return w.readSheet(r.target, visit) }})
		return nil
	})
	if err == nil && len(all) == 0 {
		err = ErrKind
	}
	return all, err
}

// tokens reads a part's XML. Without a check that tags match, nothing grows with how deep they nest.
func (w *workbook) tokens(name string, visit func(xml.Token) error) error {
	part := w.parts[strings.ToLower(name)]
	if part == nil {
		return ErrBroken
	}
	if part.UncompressedSize64 > uint64(w.left) {
		return ErrUnpacked
	}
	in, err := part.Open()
	if err != nil {
		return damaged(err)
	}
	defer in.Close()
	decoder := xml.NewDecoder(&bounded{in: in, book: w})
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		if directive, ok := token.(xml.Directive); ok && bytes.HasPrefix(bytes.ToUpper(directive), []byte("DOCTYPE")) {
			return ErrBroken // declares entities; no spreadsheet program writes one
		}
		if err := visit(token); err != nil {
			return err
		}
	}
}

// bounded keeps a part from being longer than it may, whatever its directory says, and any tag or text from being so long
// that the parser's buffer grows with it.
type bounded struct {
	in   io.Reader
	book *workbook
	run  int // bytes since the last tag began
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if b.book.left -= int64(n); b.book.left < 0 {
		return 0, ErrUnpacked
	}
	if last := bytes.LastIndexByte(p[:n], '<'); last >= 0 {
		b.run = n - last
	} else {
		b.run += n
	}
	if b.run > mostToken {
		return 0, ErrUnpacked
	}
	return n, err
}

func attribute(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// cut shortens a text to mostCell bytes.
func cut(text string) string {
	if len(text) > mostCell {
		return strings.ToValidUTF8(text[:mostCell], "")
	}
	return text
}

// sharedStrings are the texts of all cells, end to end: one slice each would cost more than the texts.
type sharedStrings struct {
	bytes []byte
	ends  []uint32
}

func (s *sharedStrings) at(i int) (string, bool) {
	if i < 0 || i >= len(s.ends) {
		return "", false
	}
	from := uint32(0)
	if i > 0 {
		from = s.ends[i-1]
	}
	return string(s.bytes[from:s.ends[i]]), true
}

func (w *workbook) readStrings(name string) error {
	var text gather
	return w.tokens(name, func(token xml.Token) error {
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "si" {
			text.reset()
		}
		text.take(token)
		if end, ok := token.(xml.EndElement); ok && end.Name.Local == "si" {
			if len(w.strings.ends) == mostStrings {
				return ErrUnpacked
			}
			w.strings.bytes = append(w.strings.bytes, text.String()...)
			w.strings.ends = append(w.strings.ends, uint32(len(w.strings.bytes)))
		}
		return nil
	})
}

// gather puts a text's runs together, without how it is pronounced (rPh, §18.4.6).
type gather struct {
	text     []byte
	inText   bool
	phonetic bool
}

func (g *gather) reset() { *g = gather{text: g.text[:0]} }

func (g *gather) take(token xml.Token) {
	switch t := token.(type) {
	case xml.StartElement:
		g.inText = g.inText || t.Name.Local == "t"
		g.phonetic = g.phonetic || t.Name.Local == "rPh"
	case xml.EndElement:
		g.inText = g.inText && t.Name.Local != "t"
		g.phonetic = g.phonetic && t.Name.Local != "rPh"
	case xml.CharData:
		if g.inText && !g.phonetic && len(g.text) < mostCell {
			g.text = append(g.text, t...)
		}
	}
}

// String is the text, with what XML cannot hold put back (ST_Xstring, §22.9.2.19).
func (g *gather) String() string {
	text := cut(string(g.text))
	before, rest, found := strings.Cut(text, "_x")
	if !found {
		return text
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		unit, err := uint64(0), errors.New("not an escape")
		if len(rest) > 4 && rest[4] == '_' {
			unit, err = strconv.ParseUint(rest[:4], 16, 16)
		}
		if err == nil {
			b.WriteString(string(utf16.Decode([]uint16{uint16(unit)})))
			rest = rest[5:]
		} else {
			b.WriteString("_x")
		}
		before, rest, found = strings.Cut(rest, "_x")
	}
	b.WriteString(before)
	return b.String()
}

// cell is one that is being read.
type cell struct {
	column int // from 0
	kind   string
	value  []byte
	inV    bool
	text   gather
}

// readSheet reads a sheet's rows.
func (w *workbook) readSheet(name string, visit func(Row) error) error {
	var row Row
	var c cell
	return w.tokens(name, func(token xml.Token) error {
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "row":
				row = Row{Number: row.Number + 1}
				if n, err := strconv.Atoi(attribute(t, "r")); err == nil && n > 0 {
					row.Number = n
				}
				c.column = -1
			case "c":
				c.begin(t)
			case "v":
				c.inV = true
			}
		case xml.CharData:
			if c.inV && len(c.value) < mostCell {
				c.value = append(c.value, t...)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "v":
				c.inV = false
			case "c":
				return w.put(&row, &c)
			case "row":
				return visit(row)
			}
		}
		c.text.take(token)
		return nil
	})
}

func (c *cell) begin(start xml.StartElement) {
	c.kind, c.value, c.inV = attribute(start, "t"), c.value[:0], false
	c.text.reset()
	c.column++
	if at, ok := columnOf(attribute(start, "r")); ok {
		c.column = at
	}
}

// put adds a cell that says something to its row.
func (w *workbook) put(row *Row, c *cell) error {
	text := c.text.String()
	switch c.kind {
	case "inlineStr":
	case "s":
		i, err := strconv.Atoi(string(c.value))
		known := false
		if text, known = w.strings.at(i); err != nil || !known {
			return ErrBroken
		}
	case "", "n":
		text = number(string(c.value))
	default: // a formula's text, a truth value, an error, a date
		text = cut(string(c.value))
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	if c.column >= MostColumns {
		return ErrColumns
	}
	for len(row.Cells) <= c.column {
		row.Cells = append(row.Cells, "")
	}
	row.Cells[c.column] = text
	return nil
}

// columnOf reads the letters of a cell's place, such as AB12: 0 is A.
func columnOf(place string) (column int, ok bool) {
	for _, r := range place {
		if r < 'A' || r > 'Z' {
			break
		}
		if column = column*26 + int(r-'A') + 1; column > 1<<20 {
			break
		}
	}
	return column - 1, column > 0
}

// number writes a number as people would: a telephone number is not 4.722E9.
func number(text string) string {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != float64(int64(n)) || n > 1e15 || n < -1e15 {
		return cut(text)
	}
	return strconv.FormatInt(int64(n), 10)
}
