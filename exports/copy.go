package exports

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Table is one sheet of a person's own copy. A row's values are strings, whole numbers, booleans, time.Time, Date, or nil.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]any
}

// Date is a day without a time, 2006-01-02.
type Date string

// Copy writes tables as a workbook, one sheet each, with the guards of every other workbook: no text becomes a formula, and
// times are dates to Excel, on the clocks of zone (IANA).
func Copy(ctx context.Context, w io.Writer, text Text, zone string, tables []Table) (err error) {
	b := newBook(&Source{Text: text, Study: Study{Zone: zone}})
	defer func() {
		if closing := b.file.Close(); err == nil {
			err = closing
		}
	}()
	for _, t := range tables {
		b.copied(t)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := b.save(w); err != nil {
		return fmt.Errorf("write copy: %w", err)
	}
	return nil
}

func (b *book) copied(t Table) {
	headings := make([]heading, len(t.Columns))
	for i, name := range t.Columns {
		headings[i] = heading{name, 24}
	}
	s := b.named(t.Name, headings...)
	for _, row := range t.Rows {
		values := make([]any, len(row))
		for i, value := range row {
			values[i] = b.copiedValue(value)
		}
		s.row(values...)
	}
	s.close()
}

func (b *book) copiedValue(value any) any {
	switch v := value.(type) {
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return b.moment(v.UnixMilli())
	case Date:
		return b.day(string(v))
	case bool:
		if v {
			return b.Text.T("form.yes")
		}
		return b.Text.T("form.no")
	}
	return value
}
