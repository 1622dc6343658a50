package exports

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

type keys struct{}

func (keys) Lang() string                  { return "en" }
func (keys) Has(string) bool               { return false }
func (keys) T(key string, _ ...any) string { return key[max(0, len(key)-31):] }

func TestASheetThatIsFullSaysSo(t *testing.T) {
	for name, fill := range map[string]func(*sheet){
		"rows":    func(s *sheet) { s.rows = excelize.TotalRows; s.row("one more") },
		"columns": func(s *sheet) { s.row(make([]any, excelize.MaxColumns+1)...) },
	} {
		b := newBook(&Source{Text: keys{}})
		s := b.sheet("study", b.head("code", 10))
		fill(s)
		s.close()
		if err := b.save(io.Discard); !errors.Is(err, ErrTooMany) {
			t.Errorf("%s: %v, want ErrTooMany", name, err)
		}
		if err := b.file.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNaturalOrder(t *testing.T) {
	got := []string{"B1", "A10", "A2", "A1", "A02", "", "12", "X"}
	slices.SortStableFunc(got, natural)
	if want := []string{"", "12", "A1", "A2", "A02", "A10", "B1", "X"}; !slices.Equal(got, want) {
		t.Errorf("sorted %q, want %q", got, want)
	}
}

func TestSerialIsTheWallClock(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		at   time.Time
		want float64
	}{
		{time.Date(2019, 4, 11, 0, 0, 0, 0, time.UTC), 43566},
		{time.Date(2019, 4, 11, 12, 0, 0, 0, oslo), 43566.5}, // summer time
		{time.Date(2019, 1, 1, 6, 0, 0, 0, oslo), 43466.25},  // winter time
		{time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC), 0},
	} {
		if got := serial(tc.at); got != tc.want {
			t.Errorf("serial(%v) = %v, want %v", tc.at, got, tc.want)
		}
	}
}

func TestFiguresNeedNumbersOnTheScale(t *testing.T) {
	one := newTally(Question{Type: "integer"})
	one.add([]string{"4"})
	one.add([]string{"mange"})
	if mean, sd, median := one.figures(); mean != 4 || sd == sd || median != 4 {
		t.Errorf("of one number: %v, %v, %v; want 4, not a number, 4", mean, sd, median)
	}
}
