package exports

import (
	"archive/zip"
	"fmt"
	"io"
	"math"
	"time"

	"example.org/feltbok/internal/errs"

	"github.com/xuri/excelize/v2"
)

// ErrTooMany is a TooLarge: more rows or questions than a sheet holds.
var ErrTooMany = errs.New(errs.TooLarge, "exports.too_many")

// Cells that are numbers shown as something else: days since 1899-12-30, as Excel counts them.
type (
	day    float64 // shown as 2019-04-11
	span   float64 // shown as 01:04
	moment float64 // shown as 2019-04-11 10:30
)

// heading is one column's name and width in characters.
type heading struct {
	name  string
	width float64
}

// book is a workbook being written. Its first error stays, and whatever follows does nothing.
type book struct {
	*Source
	file       *excelize.File
	zone       *time.Location
	styles     [2]styles // plain, greyed
	header     int
	sheets     int
	dimensions map[string]string
	cutNote    string
	cut        int // cells that were too long
	err        error
}

type styles struct{ text, figure, day, span, moment int }

// sheet is one sheet being written, top to bottom.
type sheet struct {
	*book
	stream  *excelize.StreamWriter
	rows    int
	columns int
	grey    bool // the rows that follow belong to the pre-study
}

func newBook(src *Source) *book {
	b := &book{Source: src, file: excelize.NewFile(excelize.Options{TmpDir: src.Folder}), dimensions: map[string]string{}, cutNote: " " + src.Text.T("export.cut")}
	var err error
	if b.zone, err = time.LoadLocation(src.Study.Zone); err != nil {
		b.zone = time.UTC
	}
	b.header = b.style(excelize.Style{
		Font:      &excelize.Font{Bold: true},
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8EDF2"}},
		Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"},
	})
	for i, font := range []*excelize.Font{nil, {Color: "767676"}} {
		of := func(format string) int {
			style := excelize.Style{Font: font}
			if format != "" {
				style.CustomNumFmt = &format
			}
			return b.style(style)
		}
		b.styles[i] = styles{of(""), of("0.00"), of("yyyy-mm-dd"), of("hh:mm"), of("yyyy-mm-dd hh:mm")}
	}
	return b
}

func (b *book) style(s excelize.Style) int {
	number, err := b.file.NewStyle(&s)
	b.note(err)
	return number
}

func (b *book) note(err error) {
	if b.err == nil {
		b.err = err
	}
}

// sheet begins the next sheet with its headings, which stay in sight.
func (b *book) sheet(key string, headings ...heading) *sheet {
	return b.named(b.Text.T("export.sheet."+key), headings...)
}

// named is sheet for one whose name is not in the catalogue.
func (b *book) named(name string, headings ...heading) *sheet {
	s := &sheet{book: b}
	b.sheets++
	if b.sheets == 1 {
		b.note(b.file.SetSheetName("Sheet1", name))
	} else {
		_, err := b.file.NewSheet(name)
		b.note(err)
	}
	b.note(b.file.SetSheetDimension(name, everywhere))
	if b.err == nil {
		s.stream, b.err = b.file.NewStreamWriter(name)
	}
	if b.err != nil {
		return s
	}
	for i, h := range headings {
		b.note(s.stream.SetColWidth(i+1, i+1, h.width))
	}
	b.note(s.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	s.headings(headings...)
	return s
}

// headings writes a row of column names.
func (s *sheet) headings(headings ...heading) {
	row := make([]any, len(headings))
	for i, h := range headings {
		row[i] = excelize.Cell{StyleID: s.header, Value: s.cell(h.name)}
	}
	s.write(row)
}

// row writes values: strings, numbers, day, span, moment. nil, an empty string and a number that is none stay blank.
func (s *sheet) row(values ...any) {
	row := make([]any, len(values))
	style := s.styles[0]
	if s.grey {
		style = s.styles[1]
	}
	for i, value := range values {
		switch v := value.(type) {
		case nil:
		case string:
			if v != "" {
				row[i] = excelize.Cell{StyleID: style.text, Value: s.cell(v)}
			}
		case float64:
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				row[i] = excelize.Cell{StyleID: style.figure, Value: v}
			}
		case day:
			row[i] = excelize.Cell{StyleID: style.day, Value: float64(v)}
		case span:
			row[i] = excelize.Cell{StyleID: style.span, Value: float64(v)}
		case moment:
			row[i] = excelize.Cell{StyleID: style.moment, Value: float64(v)}
		default:
			row[i] = excelize.Cell{StyleID: style.text, Value: v}
		}
	}
	s.write(row)
}

func (s *sheet) write(row []any) {
	if s.err != nil {
		return
	}
	if s.rows == excelize.TotalRows || len(row) > excelize.MaxColumns {
		s.err = ErrTooMany
		return
	}
	s.rows++
	s.columns = max(s.columns, len(row))
	s.note(s.stream.SetRow(fmt.Sprintf("A%d", s.rows), row))
}

// gap leaves a row empty.
func (s *sheet) gap() { s.rows++ }

func (s *sheet) close() {
	if s.err != nil {
		return
	}
	corner, err := excelize.CoordinatesToCellName(max(s.columns, 1), s.rows)
	s.note(err)
	index, err := s.file.GetSheetIndex(s.stream.Sheet)
	s.note(err)
	s.dimensions[fmt.Sprintf("xl/worksheets/sheet%d.xml", index+1)] = "A1:" + corner
	s.note(s.stream.Flush())
}

func (b *book) cell(text string) string {
	cell, cut := escaped(text, b.cutNote)
	if cut {
		b.cut++
	}
	return cell
}

// word translates a key of one kind. One without a translation is a study's own, and stands as it is.
func (b *book) word(kind, key string) string {
	if full := "export." + kind + "." + key; key != "" && b.Text.Has(full) {
		return b.Text.T(full)
	}
	return key
}

func (b *book) head(key string, width float64) heading {
	return heading{b.Text.T("export.col." + key), width}
}

// day returns a date as a cell, or the text as it stands where it is none.
func (b *book) day(date string) any {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return day(serial(t))
}

// moment returns an instant as the study's local time.
func (b *book) moment(milliseconds int64) any {
	if milliseconds == 0 {
		return nil
	}
	return moment(serial(time.UnixMilli(milliseconds).In(b.zone)))
}

// serial counts days, and parts of them on the wall clock, from Excel's beginning.
func serial(t time.Time) float64 {
	_, offset := t.Zone()
	const secondsPerDay, epoch = 24 * 60 * 60, 25569 // 1970-01-01
	return float64(t.Unix()+int64(offset))/secondsPerDay + epoch
}

// save writes the workbook.
func (b *book) save(w io.Writer) error {
	if b.err != nil {
		return b.err
	}
	b.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return parts{zip.NewWriter(w), b.dimensions} })
	_, err := b.file.WriteToBuffer()
	return err
}
