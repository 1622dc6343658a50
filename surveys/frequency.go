package surveys

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Frequency is what was answered to one question. N, Missing and Unanswered add up to the responses whose form had it.
type Frequency struct {
	Question   Question
	N          int            // answers that say something
	Missing    int            // "don't know" and the like
	Unanswered int            // passed over
	Counts     map[string]int // by value, "don't know" included; nil for texts
	Mean       *float64       // this and the next two for scales and whole numbers, without "don't know"; nil where N is 0
	SD         *float64       // of a sample (divisor N-1); nil where N is below 2
	Median     *float64

	points map[float64]int // what those three are computed from
}

// Frequencies counts a survey's responses in one pass. Questions stand in the newest form's order, then those that only
// older versions had. A response counts for the questions of the version it answered.
// Those whose answers may not be used now are left out.
func (s *Surveys) Frequencies(ctx context.Context, study id.Study, survey id.Survey, without ...id.Person) ([]Frequency, error) {
	forms, err := s.versions(ctx, study, survey)
	if err != nil {
		return nil, err
	}
	tallies := tally{byName: map[string]*Frequency{}, missing: map[int]map[string]map[string]bool{}}
	for _, version := range slices.Backward(slices.Sorted(maps.Keys(forms))) {
		tallies.add(version, forms[version])
	}
	err = database.Each(ctx, s.db, func(row database.Scanner) error {
		var version int
		var text []byte
		var person id.Person
		if err := row.Scan(&version, &text, &person); err != nil || slices.Contains(without, person) {
			return err
		}
		var answers Answers
		if err := json.Unmarshal(text, &answers); err != nil {
			return err
		}
		tallies.count(version, answers)
		return nil
	}, "select version, answers, person_id from survey_response where survey_id = $1 and study_id = $2 and submitted_at > 0", survey, study)
	if err != nil {
		return nil, fmt.Errorf("count responses: %w", err)
	}
	return tallies.results(), nil
}

// tally counts responses of several versions together.
type tally struct {
	order   []string
	byName  map[string]*Frequency
	missing map[int]map[string]map[string]bool // by version and question: the values that stand apart
}

func (t *tally) add(version int, form *Form) {
	t.missing[version] = map[string]map[string]bool{}
	for _, q := range form.Questions() {
		if q.Type == Note {
			continue
		}
		apart := map[string]bool{}
		for _, choice := range form.Lists[q.Scale] {
			if choice.Missing {
				apart[choice.Value] = true
			}
		}
		t.missing[version][q.Name] = apart
		if t.byName[q.Name] != nil {
			continue
		}
		f := &Frequency{Question: q}
		if q.Type.HasChoices() || q.Type == Integer {
			f.Counts, f.points = map[string]int{}, map[float64]int{}
		}
		t.order, t.byName[q.Name] = append(t.order, q.Name), f
	}
}

func (t *tally) count(version int, answers Answers) {
	for name, apart := range t.missing[version] {
		t.byName[name].count(answers[name], apart)
	}
}

func (f *Frequency) count(answer any, apart map[string]bool) {
	var values []string
	switch v := answer.(type) {
	case string:
		values = []string{v}
	case int64:
		values = []string{strconv.FormatInt(v, 10)}
	case []string:
		values = v
	}
	switch {
	case len(values) == 0:
		f.Unanswered++
	case apart[values[0]]:
		f.Missing++
	default:
		f.N++
	}
	if f.Counts == nil {
		return
	}
	for _, v := range values {
		f.Counts[v]++
		if x, err := strconv.ParseFloat(v, 64); err == nil && !apart[v] {
			f.points[x]++
		}
	}
}

func (t *tally) results() []Frequency {
	results := make([]Frequency, 0, len(t.order))
	for _, name := range t.order {
		f := t.byName[name]
		if f.Question.Type == Likert || f.Question.Type == Integer {
			f.moments()
		}
		results = append(results, *f)
	}
	return results
}

// moments computes mean, spread and median from the counts, so that memory does not grow with the responses.
func (f *Frequency) moments() {
	values := slices.Sorted(maps.Keys(f.points)) // in order, so that the same answers give the same last digit
	n, sum := 0, 0.0
	for _, x := range values {
		n += f.points[x]
		sum += x * float64(f.points[x])
	}
	if n == 0 {
		return
	}
	mean, squares := sum/float64(n), 0.0
	for _, x := range values {
		squares += float64(f.points[x]) * (x - mean) * (x - mean)
	}
	median := (f.at(values, (n-1)/2) + f.at(values, n/2)) / 2
	f.Mean, f.Median = &mean, &median
	if n > 1 {
		sd := math.Sqrt(squares / float64(n-1))
		f.SD = &sd
	}
}

// at returns the i-th smallest answer, from 0; values are the distinct ones in order.
func (f *Frequency) at(values []float64, i int) float64 {
	for _, x := range values {
		if i < f.points[x] {
			return x
		}
		i -= f.points[x]
	}
	return math.NaN()
}
