package exports

import (
	"encoding/csv"
	"io"
	"strings"
)

// CSV writes delimited text in which no cell is what a spreadsheet program would take for a formula.
type CSV struct{ out *csv.Writer }

// NewCommaCSV begins a file as statistics programs read it (RFC 4180): with commas, and without a mark.
func NewCommaCSV(w io.Writer) *CSV { return &CSV{csv.NewWriter(w)} }

// NewCSV begins a file that spreadsheet programs open as it is: with a semicolon and a UTF-8 mark, as Excel in Norwegian
// expects.
func NewCSV(w io.Writer) (*CSV, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	out := csv.NewWriter(w)
	out.Comma = ';'
	return &CSV{out}, nil
}

// Row writes one row.
func (c *CSV) Row(cells ...string) error {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = neutral(cell)
	}
	return c.out.Write(safe)
}

// Close writes what is left.
func (c *CSV) Close() error {
	c.out.Flush()
	return c.out.Error()
}

// neutral puts an apostrophe before what would begin a formula, also behind spaces and in full width, which some programs
// overlook (OWASP, "CSV Injection").
func neutral(cell string) string {
	start := strings.TrimLeft(cell, " \u00a0")
	if strings.HasPrefix(cell, "\t") || strings.HasPrefix(cell, "\r") || strings.HasPrefix(cell, "\n") ||
		start != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(start)[0]) {
		return "'" + cell
	}
	return cell
}
