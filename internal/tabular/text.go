package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// openText takes a file of delimited text, in whatever encoding and with whatever delimiter.
func openText(file io.ReaderAt, size int64, head []byte) ([]Table, error) {
	coding, skip, err := codingOf(file, size, head)
	if err != nil {
		return nil, err
	}
	text := func() *bufio.Reader {
		return bufio.NewReader(coding.NewDecoder().Reader(io.NewSectionReader(file, skip, size-skip)))
	}
	sample, err := text().Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	start := strings.ToLower(string(bytes.TrimSpace(sample)))
	switch {
	case start == "":
		return nil, ErrEmpty
	case strings.HasPrefix(start, "<"), strings.HasPrefix(start, "%pdf"), strings.HasPrefix(start, "{"):
		return nil, ErrKind // a web page that calls itself .xls, and the like
	}
	delimiter, declared := delimiterOf(string(sample))
	return []Table{{read: func(visit func(Row) error) error {
		return (&textReader{text: text(), delimiter: delimiter, declared: declared}).rows(visit)
	}}}, nil
}

// codingOf tells a file's encoding: by its mark, otherwise UTF-8 if it is all valid, otherwise Windows-1252, which
// ISO 8859-1 is a part of. A file that is valid UTF-8 in some places and not in others was pasted together.
func codingOf(file io.ReaderAt, size int64, head []byte) (coding encoding.Encoding, skip int64, err error) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return encoding.Nop, 3, checkMarked(file, size)
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), 2, nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), 2, nil
	}
	valid, invalid, err := survey(file, size)
	switch {
	case err != nil:
		return nil, 0, err
	case invalid == 0:
		return encoding.Nop, 0, nil
	case valid > 0:
		return nil, 0, ErrEncodings
	}
	return charmap.Windows1252, 0, nil
}

// checkMarked refuses a file that says it is UTF-8 and is not.
func checkMarked(file io.ReaderAt, size int64) error {
	_, invalid, err := survey(file, size)
	if err == nil && invalid > 0 {
		return ErrEncodings
	}
	return err
}

// survey counts the characters beyond ASCII that are valid UTF-8, and the bytes that are not. A zero byte is in no text.
func survey(file io.ReaderAt, size int64) (valid, invalid int, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 64<<10)
	for {
		r, n, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			return valid, invalid, nil
		}
		switch {
		case err != nil:
			return 0, 0, err
		case r == 0:
			return 0, 0, ErrKind
		case r == utf8.RuneError && n == 1:
			invalid++
		case n > 1:
			valid++
		}
	}
}

const delimiters = ";\t,|"

// delimiterOf finds the delimiter: what the line "sep=;" of Excel declares, otherwise what cuts the first rows into the most
// columns evenly.
func delimiterOf(sample string) (delimiter rune, declared bool) {
	first, _, _ := strings.Cut(strings.ReplaceAll(sample, "\r", "\n"), "\n")
	if rest, ok := strings.CutPrefix(strings.ToLower(first), "sep="); ok && len(rest) == 1 && strings.Contains(delimiters, rest) {
		return rune(rest[0]), true
	}
	best, most := rune(delimiters[0]), 0
	for _, candidate := range delimiters {
		if score := evenness(sample, candidate); score > most {
			best, most = candidate, score
		}
	}
	return best, false
}

// evenness is how many rows of the sample have as many columns as most rows have, times that number; 0 where that is one.
func evenness(sample string, delimiter rune) int {
	rows := map[int]int{}
	reader := textReader{text: bufio.NewReader(strings.NewReader(sample)), delimiter: delimiter}
	reader.rows(func(r Row) error { // a sample ends in the middle of something, which is no fault
		rows[len(r.Cells)]++
		return nil
	})
	best := 0
	for columns, n := range rows {
		if columns > 1 {
			best = max(best, n*(columns-1))
		}
	}
	return best
}

// textReader reads delimited text as spreadsheet programs do (RFC 4180, and what people make of it): a quotation mark
// quotes only at the start of a cell, any line ending ends a row, and an empty line is a row with a number too.
type textReader struct {
	text      *bufio.Reader
	delimiter rune
	declared  bool // the first line declares the delimiter
	number    int
	cell      strings.Builder
	row       []string
	quoted    bool // inside quotation marks
	opened    bool // this cell began with one
}

func (t *textReader) rows(visit func(Row) error) error {
	for {
		more, err := t.next()
		if err != nil {
			return err
		}
		if t.number++; !t.declared || t.number > 1 {
			if err := visit(Row{t.number, t.row}); err != nil {
				return err
			}
		}
		if t.row = nil; !more {
			return nil
		}
	}
}

// next reads up to the end of a row, and says whether anything follows.
func (t *textReader) next() (more bool, err error) {
	for {
		r, _, err := t.text.ReadRune()
		switch {
		case errors.Is(err, io.EOF) && t.quoted:
			return false, ErrQuote
		case errors.Is(err, io.EOF):
			return false, t.endCell()
		case err != nil:
			return false, err
		case t.quoted && r == '"':
			if t.quoted = t.follows('"'); t.quoted {
				t.write('"')
			}
		case t.quoted:
			t.write(r)
		case r == '"' && !t.opened && strings.TrimSpace(t.cell.String()) == "":
			t.cell.Reset()
			t.quoted, t.opened = true, true
		case r == t.delimiter:
			if err := t.endCell(); err != nil {
				return false, err
			}
		case r == '\r':
			t.follows('\n')
			return true, t.endCell()
		case r == '\n':
			return true, t.endCell()
		default:
			t.write(r)
		}
	}
}

// follows takes the next character if it is the wanted one.
func (t *textReader) follows(wanted byte) bool {
	next, err := t.text.Peek(1)
	if err != nil || next[0] != wanted {
		return false
	}
	t.text.Discard(1)
	return true
}

func (t *textReader) write(r rune) {
	if t.cell.Len() < mostCell {
		t.cell.WriteRune(r)
	}
}

func (t *textReader) endCell() error {
	if len(t.row) == MostColumns {
		return ErrColumns
	}
	t.row = append(t.row, strings.TrimSpace(t.cell.String()))
	t.cell.Reset()
	t.opened = false
	return nil
}
