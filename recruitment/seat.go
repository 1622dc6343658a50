package recruitment

// seat gives people places in the cells of one case. Cells come with the most specific first; fits has a set of cells for
// each person, bit i for cell i, the furthest person first. It returns each person's cell, -1 for who is outside.
//
// First as many minima are met as can be, then the rest is seated up to the maxima. Somebody takes the first cell with room
// that they fit, and where there is none, others move to cells that they fit as well if that makes room (an augmenting path
// of a bipartite matching). Nobody who has a place loses it to somebody behind them: outside is exactly who would have added
// no seat to those before.
func seat(cells []Range, fits []uint64) (at []int) {
	s := &seating{fits: fits, at: make([]int, len(fits)), in: make([][]int, len(cells))}
	for p := range s.at {
		s.at[p] = -1
	}
	for _, c := range cells {
		s.room = append(s.room, c.Least)
	}
	s.everybody()
	for i, c := range cells {
		s.room[i] = c.Most
		if c.Most == 0 {
			s.room[i] = len(fits) // no upper limit
		}
	}
	s.everybody()
	return s.at
}

type seating struct {
	room []int    // places by cell
	fits []uint64 // cells by person
	at   []int    // cell by person, -1 without one
	in   [][]int  // persons by cell, in the order they came
}

// everybody seats whoever has no place yet. Once there is no way for one set of cells there is none later either, so each
// set fails once.
func (s *seating) everybody() {
	hopeless := map[uint64]bool{}
	for p, cell := range s.at {
		if cell < 0 && !hopeless[s.fits[p]] {
			hopeless[s.fits[p]] = !s.place(p)
		}
	}
}

// place finds the nearest cell with room for p, moving others as far as need be.
func (s *seating) place(p int) bool {
	mover := make([]int, len(s.room)) // who would move into a cell, -1 for one that is not reached
	for i := range mover {
		mover[i] = -1
	}
	var queue []int
	asked := map[uint64]bool{}
	reach := func(person int) {
		if asked[s.fits[person]] {
			return // somebody alike reached the same cells
		}
		asked[s.fits[person]] = true
		for c := range s.room {
			if s.fits[person]&(1<<c) != 0 && mover[c] < 0 {
				mover[c] = person
				queue = append(queue, c)
			}
		}
	}
	for reach(p); len(queue) > 0; queue = queue[1:] {
		c := queue[0]
		if len(s.in[c]) < s.room[c] {
			s.move(mover, c)
			return true
		}
		for i := len(s.in[c]) - 1; i >= 0; i-- { // who came last is moved first
			reach(s.in[c][i])
		}
	}
	return false
}

// move lets everybody on the way to a cell move up by one.
func (s *seating) move(mover []int, c int) {
	for c >= 0 {
		p := mover[c]
		left := s.at[p]
		s.at[p], s.in[c] = c, append(s.in[c], p)
		if left >= 0 {
			s.in[left] = without(s.in[left], p)
		}
		c = left
	}
}

func without(persons []int, p int) []int {
	kept := persons[:0]
	for _, other := range persons {
		if other != p {
			kept = append(kept, other)
		}
	}
	return kept
}
