package exports

import (
	"maps"
	"math"
	"slices"
	"strconv"
)

// tally counts the answers to one question. It holds a number per distinct value, not per answer.
type tally struct {
	question   Question
	answered   int // on the scale: "don't know" not among them
	missing    int // "don't know"
	unanswered int
	counts     map[string]int  // by value, for choices and numbers
	apart      map[string]bool // values that are "don't know"
}

func newTally(q Question) *tally {
	t := &tally{question: q, counts: map[string]int{}, apart: map[string]bool{}}
	for _, c := range q.Choices {
		t.apart[c.Value] = c.Missing
	}
	return t
}

func (t *tally) add(values []string) {
	if len(values) == 0 {
		t.unanswered++
		return
	}
	if slices.ContainsFunc(values, func(value string) bool { return t.apart[value] }) {
		t.missing++
	} else {
		t.answered++
	}
	if len(t.question.Choices) == 0 && t.question.Type != "integer" {
		return // what people wrote is not counted
	}
	for _, value := range values {
		t.counts[value]++
	}
}

// figures returns mean, sample standard deviation and median of a scale or a number, not a number where there is none.
func (t *tally) figures() (mean, sd, median float64) {
	nothing := math.NaN()
	if t.question.Type != "likert" && t.question.Type != "integer" {
		return nothing, nothing, nothing
	}
	values := map[float64]int{}
	n, sum := 0, 0.0
	for text, count := range t.counts {
		if x, err := strconv.ParseFloat(text, 64); err == nil && !t.apart[text] {
			values[x] += count
			n += count
		}
	}
	if n == 0 {
		return nothing, nothing, nothing
	}
	inOrder := slices.Sorted(maps.Keys(values)) // also so that two runs add up in one order, to the last digit
	for _, x := range inOrder {
		sum += x * float64(values[x])
	}
	mean = sum / float64(n)
	squares := 0.0
	for _, x := range inOrder {
		squares += (x - mean) * (x - mean) * float64(values[x])
	}
	sd = math.Sqrt(squares / float64(n-1)) // of a single answer: not a number
	return mean, sd, (at(inOrder, values, (n-1)/2) + at(inOrder, values, n/2)) / 2
}

// at returns the value in a place, from 0, of all values in order.
func at(inOrder []float64, counts map[float64]int, place int) float64 {
	for _, x := range inOrder {
		if place -= counts[x]; place < 0 {
			return x
		}
	}
	return math.NaN()
}

func (b *book) frequencies(tallies []*tally) {
	s := b.sheet("frequencies", b.head("variable", 26), b.head("question", 60), b.head("value", 12), b.head("label", 30), b.head("count", 10),
		b.head("percent", 12), b.head("valid_percent", 14), b.head("n", 8), b.head("dont_know", 12), b.head("unanswered", 12),
		b.head("mean", 10), b.head("sd", 10), b.head("median", 10))
	for _, t := range tallies {
		mean, sd, median := t.figures()
		figures := []any{t.answered, t.missing, t.unanswered, mean, sd, median}
		if len(t.question.Choices) == 0 {
			s.row(append([]any{t.question.Name, t.question.Label, nil, nil, nil, nil, nil}, figures...)...)
		}
		for i, c := range t.question.Choices {
			row := append([]any{t.question.Name, t.question.Label, t.question.codeOf(c), c.Label}, t.shares(c)...)
			if i == 0 {
				row = append(row, figures...) // once per question
			}
			s.row(row...)
		}
	}
	s.close()
}

// shares returns how often a choice was taken: times, percent of everybody, percent of those on the scale.
func (t *tally) shares(c Choice) []any {
	n := t.counts[c.Value]
	of := func(base int) float64 { return math.Round(1000*float64(n)/float64(base)) / 10 }
	all, valid := of(t.answered+t.missing+t.unanswered), of(t.answered)
	if c.Missing {
		valid = math.NaN()
	}
	return []any{n, all, valid}
}
