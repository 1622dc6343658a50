package exports

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/xuri/excelize/v2"
)

// Workbook writes everything in src as an Excel workbook. Answers are read once and go row by row to temporary files in
// src.Folder, so memory does not grow with them; w sees its first byte when all has been read.
// It stops when ctx ends, returns an error of src.Survey.Answers as it is, and ErrTooMany for more than a sheet holds.
func Workbook(ctx context.Context, w io.Writer, src Source) (err error) {
	src.keep()
	b := newBook(&src)
	defer func() {
		if closing := b.file.Close(); err == nil {
			err = closing
		}
	}()
	b.study()
	b.funnel()
	b.participants()
	b.interviews()
	b.themes()
	b.referrals()
	b.consents()
	tallies := b.answers(ctx)
	b.codebook()
	b.frequencies(tallies)
	b.jointDisplay(tallies)
	b.left()
	b.properties()
	if err := b.save(w); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

// properties sets what the file says of itself. The active sheet is the first without being told: telling excelize
// makes it read every sheet back into memory.
func (b *book) properties() {
	made := b.MadeAt.UTC().Format(time.RFC3339)
	b.note(b.file.SetDocProps(&excelize.DocProperties{
		Creator: "Feltbok", LastModifiedBy: "Feltbok", Title: b.Study.Title, Identifier: b.AuditHead,
		Created: made, Modified: made, Language: b.Text.Lang(),
	}))
	b.note(b.file.SetAppProps(&excelize.AppProperties{Application: "Feltbok"}))
}

// left tells what is not in the workbook.
func (b *book) left() {
	s := b.sheet("left", b.head("what", 34), b.head("code", 20), b.head("reason", 60), b.head("times", 10))
	all := b.Left
	if b.cut > 0 {
		all = append(all, LeftOut{What: "text", Reason: "too_long", N: b.cut})
	}
	for _, l := range all {
		s.row(b.word("left", l.What), l.Code, b.word("reason", l.Reason), max(l.N, 1))
	}
	s.close()
}
