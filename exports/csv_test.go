package exports

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

// Promise 21 for text files: no cell is a formula, and what was neutralised reads back exactly behind its apostrophe.
func TestCSVHoldsNoFormulas(t *testing.T) {
	hostile := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "＋1", "－1", "＠x", `=HYPERLINK("http://x";"y")`,
		"=cmd|' /C calc'!A0", "a;b", `a"b`, "a\nb", "plain", "", "A5", "3"}
	var file bytes.Buffer
	out, err := NewCSV(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range hostile {
		if err := out.Row("1", cell); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(file.String(), "\ufeff")
	in := csv.NewReader(strings.NewReader(text))
	in.Comma = ';'
	rows, err := in.ReadAll()
	if err != nil || !marked || len(rows) != len(hostile) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		want := hostile[i]
		if i < 15 {
			want = "'" + want
		}
		if row[1] != want {
			t.Errorf("%q reads back as %q, want %q", hostile[i], row[1], want)
		}
	}
}
