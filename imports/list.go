package imports

import (
	"slices"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/tabular"
)

// List describes a file that was handed in. It is kept in the vault, with the file's rows.
type List struct {
	Name   string
	Sheets []Sheet
}

// Sheet is one table of it.
type Sheet struct {
	Name          string // "" of a text file
	Rows, Columns int
	First         []tabular.Row // as many as show where the headings are
}

// mostFirst is how many rows First has.
const mostFirst = 10

// Add counts a row of the sheet.
func (s *Sheet) Add(row tabular.Row) {
	s.Rows++
	s.Columns = max(s.Columns, len(row.Cells))
	if len(s.First) < mostFirst {
		s.First = append(s.First, row)
	}
}

// Behind is how many rows follow the row of headings.
func (s Sheet) Behind(header int) int {
	return s.Rows - len(slices.DeleteFunc(slices.Clone(s.First), func(r tabular.Row) bool { return r.Number > header }))
}

// Outcome is what becomes of a row.
type Outcome string

const (
	Fresh     Outcome = "new"
	Duplicate Outcome = "duplicate" // Code is a candidate with the same address or number
	Sampled   Outcome = "sampled"   // somebody asked in a survey has it
	SameList  Outcome = "same_list" // row Other of the same list has it
	// LeftOut is what is said of who asked not to be contacted again, and of others whom the study knows and does not show.
	LeftOut Outcome = "left_out"
	Refused Outcome = "refused" // Faults say why
)

// Line is the report of one row. It names nobody.
type Line struct {
	Row     int // by the file's own number
	Outcome Outcome
	Code    string
	Other   int
	Faults  []errs.Field
	Barred  bool // counted, and not to be shown
}

// Add counts a line.
func (c *Counts) Add(l Line) {
	c.Rows++
	switch {
	case l.Outcome == Fresh:
		c.Taken++
	case l.Outcome == Refused:
		c.Refused++
	case l.Barred:
		c.Barred++
	default:
		c.Duplicates++
	}
}

// Review is what would become of a list now.
type Review struct {
	Counts
	First []Row // the first who are new
}
