package natural_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/internal/natural"
)

func TestCompare(t *testing.T) {
	want := []string{"", "2", "10", "A", "A01", "A1", "a1", "A2", "A10", "A10B2", "A10B10", "AB1", "B1", "R99", "R100", "Å1"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, natural.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The spans of a prefix hold every code that begins with it, and of the others only those with other leading zeros.
func TestSpans(t *testing.T) {
	codes := []string{"2", "10", "A", "A01", "A1", "A1-B", "A2", "A10", "A19B", "A20", "A100", "A1000", "A10B2", "AB1", "B1", "Å1", "Å12", "A-1", "AB0"}
	for prefix, also := range map[string]string{"": "", "A": "", "A1": "A01", "A10": "", "a1": "A01", "A1-": "A01", "A0": "A1 A1-B A2 A10 A19B A20 A100 A1000 A10B2",
		"1": "", "Å1": "", "A10B": "", "A-": "", "Z": "", "AB0": "AB1"} {
		for _, code := range codes {
			within := slices.ContainsFunc(natural.Spans(prefix, 12), func(s natural.Span) bool {
				return bytes.Compare(natural.Key(code), s.From) >= 0 && bytes.Compare(natural.Key(code), s.To) < 0
			})
			begins := prefix != "" && strings.HasPrefix(code, strings.ToUpper(prefix))
			if begins && !within || within && !begins && !slices.Contains(strings.Fields(also), code) {
				t.Errorf("spans of %q hold %q: %v", prefix, code, within)
			}
		}
	}
}
