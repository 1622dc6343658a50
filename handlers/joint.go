package handlers

import (
	"fmt"
	"math"
	"strconv"

	"example.org/feltbok/exports"
	"example.org/feltbok/surveys"
)

// jointDisplay sets what interviews and survey say of the same theme side by side.
type jointDisplay struct {
	Informants int
	Groups     []jointGroup
	Heads      []label  // of the survey's drawing
	Cases      []square // where each case's squares begin, with its code
}

// jointGroup is one category of themes.
type jointGroup struct {
	Title string
	Rows  []jointRow
}

// jointRow is one theme, or one of several questions about it.
type jointRow struct {
	Theme                string
	Squares              []square
	Mentioned, Disagreed int
	Aria                 string
	Asked, Few           bool // asked about in the survey; by too few
	Bar                  bar
	Low, High            string // percent on either side of the middle
	Mean                 string
	N                    int
}

// square is one informant's: filled, a ring, or empty.
type square struct {
	Mark, Case string
	X, Y, Side string
	CX, CY, R  string
}

// The drawing of the squares: as wide as twelve informants of three cases need, and narrower squares for more.
const (
	squaresWide   = 240
	squarePitch   = 18
	squareShare   = 14.0 / squarePitch
	squaresMiddle = 20
)

func (t *telling) joint(src exports.Source) *jointDisplay {
	informants := src.Informants()
	if len(src.Themes) == 0 || len(informants) == 0 {
		return nil
	}
	cases := map[string]string{}
	for _, p := range src.Participants {
		cases[p.Code] = p.Case
	}
	places := placesOf(informants, cases)
	d := &jointDisplay{Informants: len(informants)}
	for i, p := range places {
		if i == 0 || p.Case != places[i-1].Case {
			d.Cases = append(d.Cases, p)
		}
	}
	a := t.jointAxis(src)
	for _, theme := range src.Themes {
		title := t.word("export.category.", theme.Category)
		if len(d.Groups) == 0 || d.Groups[len(d.Groups)-1].Title != title {
			d.Groups = append(d.Groups, jointGroup{Title: title})
		}
		g := &d.Groups[len(d.Groups)-1]
		row := t.interviewed(theme, src.Marks[theme.Key], informants, places)
		if len(t.byTheme[theme.Key]) == 0 {
			g.Rows = append(g.Rows, row)
		}
		for _, i := range t.byTheme[theme.Key] {
			if d.Heads == nil {
				d.Heads = i.heads(a, t.in)[:min(2, 2*len(i.left))]
			}
			g.Rows = append(g.Rows, t.surveyed(row, i, a))
		}
	}
	return d
}

func (t *telling) word(prefix, key string) string {
	if t.Has(prefix + key) {
		return t.T(prefix + key)
	}
	return key
}

// placesOf puts the squares in a row, with a gap between cases.
func placesOf(informants []string, cases map[string]string) []square {
	groups := 1
	for i := 1; i < len(informants); i++ {
		if cases[informants[i]] != cases[informants[i-1]] {
			groups++
		}
	}
	pitch := math.Min(squarePitch, squaresWide/(float64(len(informants))+float64(groups-1)/2))
	side, at := pitch*squareShare, 1.0
	places := make([]square, len(informants))
	for i, code := range informants {
		if i > 0 && cases[code] != cases[informants[i-1]] {
			at += pitch / 2
		}
		places[i] = square{Case: cases[code], X: short(at), Y: short(squaresMiddle - side/2), Side: short(side),
			CX: short(at + side/2), CY: short(squaresMiddle), R: short(side * 0.4)}
		at += pitch
	}
	return places
}

func short(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

func (t *telling) interviewed(theme exports.Theme, marks map[string]string, informants []string, places []square) jointRow {
	row := jointRow{Theme: theme.Label}
	for i, code := range informants {
		s := places[i]
		s.Mark = marks[code]
		switch s.Mark {
		case "x":
			row.Mentioned++
		case "o":
			row.Disagreed++
		}
		row.Squares = append(row.Squares, s)
	}
	row.Aria = t.T("surveys.joint.aria", "Theme", theme.Label, "X", row.Mentioned, "O", row.Disagreed, "Of", len(informants))
	return row
}

// jointAxis makes room for the longest bar on each side.
func (t *telling) jointAxis(src exports.Source) axis {
	left, right := float64(leastSide), float64(leastSide)
	for _, theme := range src.Themes {
		for _, i := range t.byTheme[theme.Key] {
			if !i.few() {
				left, right = max(left, i.percent(i.left...)), max(right, i.percent(i.right...))
			}
		}
	}
	unit := 100 / (left + right)
	return axis{zero: left * unit, unit: unit}
}

// surveyed sets a question's answers beside a theme's interviews: one bar for each side of the middle.
func (t *telling) surveyed(row jointRow, i item, a axis) jointRow {
	row.Asked, row.Few, row.N = true, i.few(), i.of
	if row.Few {
		return row
	}
	low, high := i.percent(i.left...), i.percent(i.right...)
	row.Low, row.High, row.Mean = whole(low), whole(high), t.number(i.figures.Mean, 1)
	row.Bar = bar{Zero: across(a.zero), Aria: i.Label + ": " + t.sides(i, row)}
	for _, half := range []struct {
		share, x float64
		class    string
	}{{low, a.zero - low*a.unit, "d1"}, {high, a.zero, "a1"}} {
		if half.share > 0 {
			row.Bar.Rects = append(row.Bar.Rects, rect{half.class, across(half.x), across(half.share * a.unit)})
		}
		if half.share >= leastForFigure {
			row.Bar.Labels = append(row.Bar.Labels, label{Class: "mid t" + half.class, X: across(half.x + half.share*a.unit/2), Text: whole(half.share)})
		}
	}
	return row
}

func (t *telling) sides(i item, row jointRow) string {
	names := func(choices []surveys.Choice) string {
		if len(choices) == 0 {
			return ""
		}
		return t.in(choices[0].Label)
	}
	return fmt.Sprintf("%s %s, %s %s %s", names(i.left), row.Low, names(i.right), row.High, t.T("surveys.results.percent"))
}
