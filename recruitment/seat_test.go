package recruitment

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSeat(t *testing.T) {
	// cells: micro, SME, any
	for name, tc := range map[string]struct {
		cells []Range
		fits  []uint64
		want  []int
	}{
		"the narrowest first":                {[]Range{{1, 1}, {1, 1}, {1, 1}}, []uint64{0b111, 0b110, 0b100}, []int{0, 1, 2}},
		"moved on to make room":              {[]Range{{0, 0}, {1, 1}, {1, 1}}, []uint64{0b100, 0b110, 0b010}, []int{2, 1, -1}},
		"moved over two cells":               {[]Range{{1, 1}, {1, 1}, {1, 1}}, []uint64{0b011, 0b110, 0b001}, []int{1, 2, 0}},
		"who came last is moved":             {[]Range{{2, 2}, {1, 1}}, []uint64{0b11, 0b11, 0b01}, []int{0, 1, 0}},
		"minima before the rest":             {[]Range{{1, 3}, {1, 1}}, []uint64{0b11, 0b11, 0b11}, []int{0, 1, 0}},
		"up to the maximum, then outside":    {[]Range{{1, 2}}, []uint64{1, 1, 1}, []int{0, 0, -1}},
		"no upper limit":                     {[]Range{{1, 0}}, []uint64{1, 1, 1}, []int{0, 0, 0}},
		"who fits nowhere":                   {[]Range{{1, 0}}, []uint64{0}, []int{-1}},
		"no cells":                           {nil, []uint64{0}, []int{-1}},
		"a minimum is met by moving the far": {[]Range{{1, 2}, {1, 1}}, []uint64{0b11, 0b01, 0b01}, []int{1, 0, 0}},
	} {
		if got := seat(tc.cells, tc.fits); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// Against every way of seating a few people: nobody is where they do not fit, no cell has too many, as many minima are met
// as can be, and whoever is outside would have added no seat to those before them.
func TestSeatIsAsGoodAsAnyOther(t *testing.T) {
	random := rand.New(rand.NewPCG(20190604, 3))
	for round := range 4000 {
		cells := make([]Range, 1+random.IntN(4))
		for i := range cells {
			cells[i].Least = random.IntN(3)
			if cells[i].Most = cells[i].Least + random.IntN(2); random.IntN(8) == 0 {
				cells[i].Most = 0
			} else if cells[i].Most == 0 {
				cells[i].Most = 1
			}
		}
		fits := make([]uint64, random.IntN(7))
		for i := range fits {
			fits[i] = uint64(random.IntN(1 << len(cells)))
		}
		at := seat(cells, fits)
		if fault := worse(cells, fits, at); fault != "" {
			t.Fatalf("round %d: %v for %b: %v: %s", round, cells, fits, at, fault)
		}
		if again := seat(cells, fits); !slices.Equal(at, again) {
			t.Fatalf("round %d: %v, then %v", round, at, again)
		}
	}
}

func worse(cells []Range, fits []uint64, at []int) string {
	in := make([]int, len(cells))
	for p, c := range at {
		if c >= 0 {
			in[c]++
			if fits[p]&(1<<c) == 0 {
				return fmt.Sprintf("person %d does not fit cell %d", p, c)
			}
		}
	}
	for i, c := range cells {
		if c.Most > 0 && in[i] > c.Most {
			return fmt.Sprintf("cell %d has %d", i, in[i])
		}
	}
	if got, want := met(cells, in), best(cells, fits, make([]int, len(cells)), met); got != want {
		return fmt.Sprintf("%d places of the minima are filled, want %d", got, want)
	}
	before := 0
	for p := range fits {
		seats := best(cells, fits[:p+1], make([]int, len(cells)), seated)
		if (seats > before) != (at[p] >= 0) {
			return fmt.Sprintf("person %d is at %d; %d seats with them, %d without", p, at[p], seats, before)
		}
		before = seats
	}
	return ""
}

// best tries every way of seating people and returns the highest worth.
func best(cells []Range, fits []uint64, in []int, worth func([]Range, []int) int) int {
	if len(fits) == 0 {
		return worth(cells, in)
	}
	highest := best(cells, fits[1:], in, worth)
	for c := range cells {
		if fits[0]&(1<<c) != 0 && (cells[c].Most == 0 || in[c] < cells[c].Most) {
			in[c]++
			highest = max(highest, best(cells, fits[1:], in, worth))
			in[c]--
		}
	}
	return highest
}

func met(cells []Range, in []int) (n int) {
	for i, c := range cells {
		n += min(c.Least, in[i])
	}
	return n
}

func seated(_ []Range, in []int) (n int) {
	for _, people := range in {
		n += people
	}
	return n
}
