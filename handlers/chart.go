package handlers

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"example.org/feltbok/surveys"
)

// enough is how many answers a figure rests on at least; below, it could point at somebody.
const enough = 5

// rect and label are parts of a drawing. Lengths are in percent of its width, so that text keeps its size at every width.
type rect struct{ Class, X, Width string }

type label struct {
	Class, X string
	Dx       int // pixels
	Text     string
}

func across(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }

// scale is a list of choices as a line: what lies left of its middle, the middle, what lies right, what stands apart.
type scale struct {
	left, right []surveys.Choice // from the middle outwards
	middle      *surveys.Choice
	apart       []surveys.Choice
}

func scaleOf(list []surveys.Choice) (s scale) {
	var points []surveys.Choice
	for _, c := range list {
		if c.Missing {
			s.apart = append(s.apart, c)
		} else {
			points = append(points, c)
		}
	}
	half := len(points) / 2
	for i := range half {
		s.left = append(s.left, points[half-1-i])
		s.right = append(s.right, points[len(points)-half+i])
	}
	if len(points)%2 == 1 {
		s.middle = &points[half]
	}
	return s
}

// shares are an item's answers in percent of all who answered it, "don't know" among them.
type shares struct {
	of     int
	counts map[string]int
}

func sharesOf(f surveys.Frequency) shares { return shares{f.N + f.Missing, f.Counts} }

func (s shares) few() bool { return s.of < enough }

func (s shares) percent(choices ...surveys.Choice) float64 {
	n := 0
	for _, c := range choices {
		n += s.counts[c.Value]
	}
	if s.of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(s.of)
}

// axis says where the columns of a Likert drawing begin, so that all items of a page can be compared.
type axis struct {
	zero, middle, apart float64 // in percent of the width
	unit                float64 // width of one percent of the answers
}

// The least room of each column, and the gaps that hold the figures beside the bars, in percent of the answers.
const (
	leastSide, leastMiddle, leastApart = 20, 12, 10
	gap                                = 20
	lastGap                            = 22
)

// axisFor gives each column the room that its longest bar needs.
func axisFor(items []item) axis {
	left, right, middle, apart := float64(leastSide), float64(leastSide), float64(leastMiddle), float64(leastApart)
	for _, i := range items {
		if i.few() {
			continue
		}
		left, right = max(left, i.percent(i.left...)), max(right, i.percent(i.right...))
		apart = max(apart, i.percent(i.apart...))
		if i.middle != nil {
			middle = max(middle, i.percent(*i.middle))
		}
	}
	unit := 100 / (left + right + gap + middle + gap + apart + lastGap)
	return axis{unit: unit, zero: left * unit, middle: (left + right + gap) * unit, apart: (left + right + gap + middle + gap) * unit}
}

// item is one question on a scale with its answers.
type item struct {
	shares
	scale
	Label, Wording string // in short, and as it was asked
	figures        surveys.Frequency
}

// bar is an item's drawing: low answers left of the zero line, high ones right, what says neither in columns of its own.
type bar struct {
	Label  string
	Aria   string
	N      int
	Few    bool
	Rects  []rect
	Labels []label
	Zero   string
}

// A figure needs some room to stand in its segment, and more on a narrow screen.
const (
	leastForFigure = 4
	leastOnNarrow  = 13
)

func (i item) bar(a axis, in func(surveys.Text) string, unit string) bar {
	b := bar{Label: i.Label, N: i.of, Few: i.few(), Zero: across(a.zero)}
	if b.Few {
		return b
	}
	for side, choices := range [][]surveys.Choice{i.left, i.right} {
		b.side(i, choices, a, side == 1)
	}
	if i.middle != nil {
		b.column(i.percent(*i.middle), a.middle, a.unit, "ne")
	}
	if len(i.apart) > 0 {
		b.column(i.percent(i.apart...), a.apart, a.unit, "dk")
	}
	b.Aria = i.Label + ": " + i.inWords(in, unit)
	return b
}

// side draws the segments of one side from the zero line outwards.
func (b *bar) side(i item, choices []surveys.Choice, a axis, right bool) {
	at := a.zero
	for n, c := range choices {
		share := i.percent(c)
		width := share * a.unit
		class := "d"
		x := at - width
		if right {
			class, x = "a", at
		}
		class += strconv.Itoa(1 + min(1, (n+1)/len(choices))) // the outermost is the darkest
		if share > 0 {
			b.Rects = append(b.Rects, rect{class, across(x), across(width)})
		}
		if share >= leastForFigure {
			text := label{Class: "mid t" + class, X: across(x + width/2), Text: whole(share)}
			if share < leastOnNarrow {
				text.Class += " wide"
			}
			b.Labels = append(b.Labels, text)
		}
		if right {
			at += width
		} else {
			at -= width
		}
	}
}

// column draws a bar of its own, with its figure beside it.
func (b *bar) column(share, x, unit float64, class string) {
	if share > 0 {
		b.Rects = append(b.Rects, rect{class, across(x), across(share * unit)})
	}
	b.Labels = append(b.Labels, label{Class: "q", X: across(x + share*unit), Dx: 5, Text: whole(share)})
}

func whole(share float64) string { return strconv.Itoa(int(math.Round(share))) }

// inWords is what the drawing shows, for whoever hears it.
func (i item) inWords(in func(surveys.Text) string, unit string) string {
	var parts []string
	add := func(c surveys.Choice) { parts = append(parts, in(c.Label)+" "+whole(i.percent(c))) }
	for n := range i.left {
		add(i.left[len(i.left)-1-n])
	}
	if i.middle != nil {
		add(*i.middle)
	}
	for _, c := range append(i.right[:len(i.right):len(i.right)], i.apart...) {
		add(c)
	}
	return fmt.Sprintf("%s %s", strings.Join(parts, ", "), unit)
}

// longHead is the most characters that a column's name may have on a narrow screen, in all columns together.
const longHead = 24

// caption names the columns in words, for a screen too narrow for their names; "" where they fit.
func caption(heads []label) string {
	var names []string
	n := 0
	for _, h := range heads {
		names = append(names, h.Text)
		n += len([]rune(h.Text))
	}
	if n <= longHead {
		return ""
	}
	if len(names) > 1 {
		names = append([]string{"← " + names[0] + " | " + names[1] + " →"}, names[2:]...)
	}
	return strings.Join(names, ", ")
}

// heads names the columns by the choices beside the middle.
func (s scale) heads(a axis, in func(surveys.Text) string) []label {
	var heads []label
	if len(s.left) > 0 {
		heads = append(heads, label{"q end", across(a.zero), -8, strings.ToLower(in(s.left[0].Label))},
			label{"q", across(a.zero), 8, strings.ToLower(in(s.right[0].Label))})
	}
	if s.middle != nil {
		heads = append(heads, label{"q", across(a.middle), 0, strings.ToLower(in(s.middle.Label))})
	}
	if len(s.apart) > 0 {
		heads = append(heads, label{"q", across(a.apart), 0, strings.ToLower(in(s.apart[0].Label))})
	}
	return heads
}
