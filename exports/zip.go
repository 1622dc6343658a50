package exports

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
)

// parts writes the workbook's parts straight to its destination (excelize alone would gather them in memory first) and
// puts right in sheets what can only be known or said now: their dimension, and the underscores of escapes.
type parts struct {
	*zip.Writer
	dimensions map[string]string // by part
}

// everywhere is the dimension that a sheet declares until its last row is known.
const everywhere = "A1:XFD1048576"

func (p parts) Create(name string) (io.Writer, error) {
	w, err := p.Writer.Create(name)
	if err != nil || !strings.HasPrefix(name, "xl/worksheets/sheet") {
		return w, err
	}
	// The transformer holds back only a character cut in two, and a sheet ends in ">".
	return &opening{transform.NewWriter(w, runes.Map(unmask)), p.dimensions[name], false}, nil
}

func unmask(r rune) rune {
	if r == mask {
		return '_'
	}
	return r
}

// opening replaces the dimension in the first piece written: the whole of a small sheet, the first 32 kB of a large one.
type opening struct {
	io.Writer
	dimension string
	past      bool
}

func (o *opening) Write(piece []byte) (int, error) {
	if o.past {
		return o.Writer.Write(piece)
	}
	o.past = true
	if _, err := o.Writer.Write(bytes.Replace(piece, []byte(everywhere), []byte(o.dimension), 1)); err != nil {
		return 0, err
	}
	return len(piece), nil
}
