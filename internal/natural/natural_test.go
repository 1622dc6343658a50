package natural_test

import (
	"slices"
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
