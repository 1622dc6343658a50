// Package tabular reads the tables that people keep lists in: delimited text and Excel workbooks. It hands out rows one at
// a time with the numbers that the file's own program shows, gives no meaning to cells, writes no temporary file, and
// bounds what a hostile file can cost in time and memory before it reads it.
package tabular

import (
	"bytes"
	"errors"
	"io"

	"example.org/feltbok/internal/errs"
)

const (
	// MostRows is how many rows that say anything one table may have, headings included.
	MostRows = 20_000
	// MostColumns is how many columns a table may have.
	MostColumns = 256
	// MostBytes is how long a file may be.
	MostBytes = 10 << 20
	// mostCell is where a cell is cut, in bytes: more than any field takes, so that what was cut is refused as too long.
	mostCell = 8 << 10
)

// What is wrong with a file as a whole. All are Invalid, or TooLarge.
var (
	ErrEmpty     = errs.New(errs.Invalid, "tabular.empty")
	ErrKind      = errs.New(errs.Invalid, "tabular.kind")      // neither delimited text nor .xlsx
	ErrOld       = errs.New(errs.Invalid, "tabular.old")       // .xls, or a workbook with a password
	ErrMacros    = errs.New(errs.Invalid, "tabular.macros")    // carries a program
	ErrBroken    = errs.New(errs.Invalid, "tabular.broken")    // cut off or damaged
	ErrQuote     = errs.New(errs.Invalid, "tabular.quote")     // a quotation mark that never closes swallows the rest
	ErrEncodings = errs.New(errs.Invalid, "tabular.encodings") // parts are UTF-8 and parts are not
	ErrRows      = errs.New(errs.TooLarge, "tabular.rows")
	ErrColumns   = errs.New(errs.TooLarge, "tabular.columns")
	ErrUnpacked  = errs.New(errs.TooLarge, "tabular.unpacked") // small packed, huge unpacked
	ErrTooLarge  = errs.New(errs.TooLarge, "tabular.too_large")
)

// Row is one row that says something. What follows its last cell with text is not in it.
type Row struct {
	Number int      `json:"n"` // as the file's own program shows it, from 1
	Cells  []string `json:"c"`
}

// Table is one sheet, or the whole of a text file.
type Table struct {
	Name string // "" of a text file
	read func(visit func(Row) error) error
}

// Rows calls visit with every row that says something. What is wrong with the file comes back as one of this package's
// errors, after the rows before it.
func (t Table) Rows(visit func(Row) error) (err error) {
	defer func() {
		// The parsers below us have met hostile files before us, and we have not read all of them.
		if cause := recover(); cause != nil {
			err = ErrBroken
		}
	}()
	seen, last := 0, 0
	return t.read(func(r Row) error {
		if r.Number <= last {
			return ErrBroken // rows are told apart by their numbers
		}
		last = r.Number
		for len(r.Cells) > 0 && r.Cells[len(r.Cells)-1] == "" {
			r.Cells = r.Cells[:len(r.Cells)-1]
		}
		if len(r.Cells) == 0 {
			return nil
		}
		if seen++; seen > MostRows {
			return ErrRows
		}
		return visit(r)
	})
}

var (
	oleMagic = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") // [MS-CFB] 2.2
	zipMagic = []byte("PK\x03\x04")
)

// Open finds out what a file is by its content, whatever its name says, and returns its tables in the file's order.
func Open(file io.ReaderAt, size int64) (all []Table, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			all, err = nil, ErrBroken
		}
	}()
	if size > MostBytes {
		return nil, ErrTooLarge
	}
	head := make([]byte, 512)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:n]
	switch {
	case n == 0:
		return nil, ErrEmpty
	case bytes.HasPrefix(head, oleMagic):
		return nil, ErrOld
	case bytes.HasPrefix(head, zipMagic):
		return openWorkbook(file, size)
	case bytes.HasPrefix(head, []byte("PK")):
		return nil, ErrBroken
	}
	return openText(file, size, head)
}
