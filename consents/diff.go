package consents

import (
	"slices"
	"strings"
	"unicode"
)

// Operations of a Piece.
const (
	Same    = "same"
	Added   = "added"
	Removed = "removed"
)

// Piece is a run of text that both versions have, or one of them.
type Piece struct{ Op, Text string }

// Line is one line of a letter, in pieces.
type Line []Piece

// Changed says whether the versions differ in the line.
func (l Line) Changed() bool {
	return slices.ContainsFunc(l, func(p Piece) bool { return p.Op != Same })
}

// compare lines up two texts: first by line, then, where lines were replaced, by word.
func compare(before, after string) (lines []Line) {
	for _, run := range runsOf(strings.Split(before, "\n"), strings.Split(after, "\n")) {
		for i := range max(len(run.gone), len(run.came)) {
			switch {
			case run.same:
				lines = append(lines, Line{{Same, run.gone[i]}})
			case i >= len(run.came):
				lines = append(lines, Line{{Removed, run.gone[i]}})
			case i >= len(run.gone):
				lines = append(lines, Line{{Added, run.came[i]}})
			default:
				lines = append(lines, compareWords(run.gone[i], run.came[i]))
			}
		}
	}
	return lines
}

func compareWords(before, after string) (line Line) {
	for _, run := range runsOf(wordsIn(before), wordsIn(after)) {
		gone, came := strings.Join(run.gone, ""), strings.Join(run.came, "")
		if run.same {
			line = append(line, Piece{Same, gone})
			continue
		}
		if gone != "" {
			line = append(line, Piece{Removed, gone})
		}
		if came != "" {
			line = append(line, Piece{Added, came})
		}
	}
	return line
}

// wordsIn cuts a line before each word, so that the words together are the line.
func wordsIn(line string) (words []string) {
	start, space := 0, false
	for i, r := range line {
		if space && !unicode.IsSpace(r) {
			words = append(words, line[start:i])
			start = i
		}
		space = unicode.IsSpace(r)
	}
	if start < len(line) {
		words = append(words, line[start:])
	}
	return words
}

// run is a stretch that both sides have, or what stands in its place on each side.
type run struct {
	gone, came []string
	same       bool
}

// mostCells bounds the table of the longest common subsequence; longer texts are replaced as a whole between what they
// begin and end with.
const mostCells = 4_000_000

func runsOf(before, after []string) (runs []run) {
	head := 0
	for head < len(before) && head < len(after) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < len(before)-head && tail < len(after)-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	runs = sameRun(runs, before[:head])
	runs = append(runs, middle(before[head:len(before)-tail], after[head:len(after)-tail])...)
	return sameRun(runs, before[len(before)-tail:])
}

func sameRun(runs []run, both []string) []run {
	if len(both) == 0 {
		return runs
	}
	if n := len(runs); n > 0 && runs[n-1].same {
		runs[n-1].gone = append(slices.Clip(runs[n-1].gone), both...)
		runs[n-1].came = runs[n-1].gone
		return runs
	}
	return append(runs, run{both, both, true})
}

func differing(runs []run, gone, came []string) []run {
	if n := len(runs); n > 0 && !runs[n-1].same {
		runs[n-1].gone = append(slices.Clip(runs[n-1].gone), gone...)
		runs[n-1].came = append(slices.Clip(runs[n-1].came), came...)
		return runs
	}
	return append(runs, run{gone: gone, came: came})
}

// middle walks the table of longest common subsequences.
func middle(before, after []string) (runs []run) {
	if len(before) == 0 && len(after) == 0 {
		return nil
	}
	if len(before)*len(after) > mostCells {
		return []run{{gone: before, came: after}}
	}
	longest := subsequences(before, after)
	i, j := 0, 0
	for i < len(before) && j < len(after) {
		switch {
		case before[i] == after[j]:
			runs = sameRun(runs, before[i:i+1])
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			runs = differing(runs, before[i:i+1], nil)
			i++
		default:
			runs = differing(runs, nil, after[j:j+1])
			j++
		}
	}
	if i < len(before) || j < len(after) {
		runs = differing(runs, before[i:], after[j:])
	}
	return runs
}

func subsequences(before, after []string) [][]int32 {
	longest := make([][]int32, len(before)+1)
	for i := range longest {
		longest[i] = make([]int32, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			if before[i] == after[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	return longest
}

// onlySpelling says whether two texts differ by no more than letters within words, case and punctuation. It is narrow: a
// word more or less, another figure, or a word that begins otherwise is a change of what is said.
func onlySpelling(before, after string) bool {
	changed := 0
	for _, line := range compare(before, after) {
		gone, came := line.sides()
		if len(gone) != len(came) {
			return false
		}
		for i := range gone {
			if gone[i] == came[i] {
				continue
			}
			if changed++; changed > mostSlips || !alike(gone[i], came[i]) {
				return false
			}
		}
	}
	return true
}

const mostSlips = 10

// sides are the words of the two versions, without case and punctuation.
func (l Line) sides() (gone, came []string) {
	for _, piece := range l {
		words := strings.FieldsFunc(strings.ToLower(piece.Text), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		if piece.Op != Added {
			gone = append(gone, words...)
		}
		if piece.Op != Removed {
			came = append(came, words...)
		}
	}
	return gone, came
}

// alike says whether one word may be a slip of the other: of four letters or more, no figures, the same first letter, and
// one letter apart, or two in a long word.
func alike(one, other string) bool {
	a, b := []rune(one), []rune(other)
	if min(len(a), len(b)) < 4 || a[0] != b[0] || strings.ContainsFunc(one+other, unicode.IsDigit) {
		return false
	}
	most := 1
	if min(len(a), len(b)) >= 8 {
		most = 2
	}
	return distance(a, b) <= most
}

// distance is Levenshtein's.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
