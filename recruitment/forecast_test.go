package recruitment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"

	"github.com/google/go-cmp/cmp"
)

// play is a study that is put together by the day: day 0 is its first.
type play struct {
	courses  []course
	arranged []Arranged
	goals    []Cell
	plan     Schedule
}

var dayZero = time.Date(2019, 1, 7, 0, 0, 0, 0, time.UTC)

func day(n float64) time.Time { return dayZero.Add(time.Duration(n * 24 * float64(time.Hour))) }

func instant(n float64) int64 { return day(n).UnixMilli() }

// twelve is a study of three cases with a seat of each kind.
func twelve() *play {
	s := &play{plan: Schedule{Interviews: day(84), Opens: day(91), Closes: day(112), End: day(150)}}
	for _, c := range []id.Case{"a", "b", "c"} {
		for _, kind := range Kinds() {
			s.goals = append(s.goals, Cell{Case: c, Kind: kind, Goal: 1, Most: 1})
		}
	}
	return s
}

// small is a study with one cell.
func small(goal int) *play {
	return &play{goals: []Cell{{Case: "a", Kind: QuotaSME, Goal: goal, Most: goal}},
		plan: Schedule{Interviews: day(60), Opens: day(67), Closes: day(88), End: day(120)}}
}

var details = map[Kind]Participant{
	QuotaAdministration: {Relation: Administration}, QuotaSME: {Relation: Member, Size: Small}, QuotaLarge: {Relation: Member, Size: Large},
	QuotaAny: {Relation: Board}, // fits any and nothing else
}

// person adds somebody asked on a day; then come states and their days in turn.
func (s *play) person(c id.Case, kind Kind, asked float64, then ...any) *course {
	p := details[kind]
	p.ID, p.Case, p.Code = id.Person(fmt.Sprintf("p%d", len(s.courses))), c, fmt.Sprintf("A%d", len(s.courses))
	way := course{Participant: p, first: Candidate, changes: []Change{{At: instant(asked), Was: Candidate, Now: Contacted}}}
	for i := 0; i < len(then); i += 2 {
		way.changes = append(way.changes, Change{At: instant(then[i+1].(float64)), Now: then[i].(State)})
	}
	last := way.changes[len(way.changes)-1].Now
	way.State = last
	s.courses = append(s.courses, way)
	return &s.courses[len(s.courses)-1]
}

func (s *play) appointment(person *course, made, on float64) {
	s.arranged = append(s.arranged, Arranged{Person: person.ID, From: instant(made), Starts: instant(on)})
}

func (s *play) history() history {
	m := matrix{profiles: builtIn(), cells: slices.Clone(s.goals)}
	m.sort()
	return history{s.courses, vacancies(m, nil)}
}

func (s *play) at(n float64) Forecast {
	s.plan.Arranged = s.arranged
	return s.history().forecast(s.plan, day(n), (&forecasts{}).warned)
}

// roughly is a forecast from few futures, for tests that make many.
func (s *play) roughly(n float64) Forecast {
	m, f := s.history().begin(s.plan, day(n))
	if f.Silence == "" {
		m.play(fewRuns, s.plan.targets(f.AsOf)...)
		f.judge(m, s.plan)
		f.detail(m, s.plan)
	}
	return f
}

func TestForecastOfWhatIsSpecial(t *testing.T) {
	asked := func(s *play) {
		for i := range 4 {
			s.person("a", QuotaSME, float64(i), Declined, float64(i)+5)
		}
	}
	interviewedAll := func(s *play, n int) {
		for i := range n {
			s.person("a", QuotaSME, float64(i), Interviewed, float64(i)+20)
		}
	}
	for _, test := range []struct {
		name  string
		study func() *play
		day   float64
		check func(t *testing.T, f Forecast)
	}{
		{"nobody asked", func() *play { return small(2) }, 20, func(t *testing.T, f Forecast) {
			if f.Silence != TooFew || f.Warns() || f.Help != nil || f.Basis.Contacts != 0 {
				t.Errorf("got %+v, want silence", f)
			}
		}},
		{"a clock before the first contact", func() *play { s := small(2); interviewedAll(s, 2); return s }, -10, func(t *testing.T, f Forecast) {
			if f.Silence != TooFew || f.Basis.Contacts != 0 || f.Done != 0 {
				t.Errorf("got %+v, want nothing known", f)
			}
		}},
		{"two asked", func() *play { s := small(5); interviewedAll(s, 2); return s }, 30, func(t *testing.T, f Forecast) {
			if f.Silence != TooFew || f.Basis.Contacts != 2 {
				t.Errorf("got %q after %d contacts, want too few", f.Silence, f.Basis.Contacts)
			}
		}},
		{"no goals", func() *play { s := small(1); s.goals = nil; asked(s); return s }, 30, func(t *testing.T, f Forecast) {
			if f.Silence != NoGoals {
				t.Errorf("got %q, want no goals", f.Silence)
			}
		}},
		{"everybody lost", func() *play { s := small(2); asked(s); return s }, 40, func(t *testing.T, f Forecast) {
			if f.Basis.Lost != 4 || f.Basis.Conversion.Median > 0.25 || f.Interviews.Verdict() != Misses || f.Done != 0 {
				t.Errorf("got %d lost, conversion %v, %v", f.Basis.Lost, f.Basis.Conversion, f.Interviews)
			}
			if f.Basis.Conversion.Low <= 0 {
				t.Error("four refusals are no proof that nobody ever says yes")
			}
		}},
		{"quota full", func() *play { s := small(3); interviewedAll(s, 3); return s }, 40, func(t *testing.T, f Forecast) {
			if !f.Full() || f.Interviews.P != 1 || f.Help != nil || f.Warns() || f.Survey.ByEnd.P != 1 {
				t.Errorf("got %+v, want full and no warning", f)
			}
			if got, want := f.Finish.Median, day(22); !got.Equal(want) || !f.Finish.Early.Equal(want) || !f.Places[0].Late.Equal(want) {
				t.Errorf("full on %s, want %s", got, want)
			}
		}},
		{"full, and the survey not opened for too long", func() *play { s := small(3); interviewedAll(s, 3); return s }, 110, func(t *testing.T, f Forecast) {
			if f.Survey.ByEnd.P != 0 || !f.Warns() || f.Since.IsZero() {
				t.Errorf("got %+v since %s, want a warning", f.Survey, f.Since)
			}
		}},
		{"more booked than needed", func() *play {
			s := small(1)
			for i := range 3 {
				p := s.person("a", QuotaSME, float64(i), Booked, float64(i)+4)
				s.appointment(p, float64(i)+4, 25)
			}
			return s
		}, 10, func(t *testing.T, f Forecast) {
			if f.Interviews.P < 0.97 || f.Places[0].UnderWay != 3 || f.Help != nil || f.Missing() > 0.03 {
				t.Errorf("got %v, %d under way, help %v: want near certainty", f.Interviews, f.Places[0].UnderWay, f.Help)
			}
			if !f.Finish.Median.Equal(day(25)) {
				t.Errorf("full on %s, want the day of the appointments", f.Finish.Median)
			}
		}},
		{"who found no seat steps in", func() *play {
			s := small(1)
			s.person("a", QuotaSME, 0, Interviewed, 20.0)
			s.person("a", QuotaSME, 1, Interviewed, 21.0)
			s.person("a", QuotaSME, 2, Declined, 3.0)
			return s
		}, 30, func(t *testing.T, f Forecast) {
			if f.Places[0].Done != 1 || f.Done != 1 || !f.Full() {
				t.Errorf("%d of 1 done", f.Places[0].Done)
			}
		}},
		{"one booked of one", func() *play {
			s := small(1)
			asked(s)
			s.appointment(s.person("a", QuotaSME, 4, Booked, 8.0), 8, 58)
			return s
		}, 30, func(t *testing.T, f Forecast) {
			if f.Interviews.P < 0.8 || f.Interviews.P > 0.97 {
				t.Errorf("got %v, want an appointment that falls through seldom", f.Interviews)
			}
		}},
		{"milestone in the past, not full", func() *play { s := small(4); interviewedAll(s, 3); return s }, 70, func(t *testing.T, f Forecast) {
			if f.Interviews.P != 0 || !f.Warns() || f.Help == nil || f.Help.Plan {
				t.Errorf("got %v, help %+v: want a certain miss, and help for the end", f.Interviews, f.Help)
			}
			if place := f.Places[0]; !place.Chance.By.Equal(day(92)) || place.Missing <= 0 || place.Missing >= 1 {
				t.Errorf("got %v, missing %v: want the last day that leaves room for the survey", place.Chance, place.Missing)
			}
		}},
		{"the study is over", func() *play { s := small(4); interviewedAll(s, 3); return s }, 120, func(t *testing.T, f Forecast) {
			if f.Silence != Over || f.Warns() {
				t.Errorf("got %q, want silence", f.Silence)
			}
		}},
		{"the study's last day", func() *play { s := small(4); interviewedAll(s, 3); return s }, 119, func(t *testing.T, f Forecast) {
			if f.Silence != "" || f.Help == nil || f.Help.More != 0 {
				t.Errorf("got %q, help %+v: want no number that helps", f.Silence, f.Help)
			}
		}},
		{"a pilot case", func() *play {
			s := small(2)
			interviewedAll(s, 1)
			for i := range 5 {
				s.person("x", QuotaSME, float64(i), Interviewed, float64(i)+2)
			}
			s.plan.Pilots = []id.Case{"x"}
			return s
		}, 40, func(t *testing.T, f Forecast) {
			if f.Silence != TooFew || f.Basis.Contacts != 1 {
				t.Errorf("got %q after %d contacts, want a pre-study that counts nowhere", f.Silence, f.Basis.Contacts)
			}
		}},
		{"erased people", func() *play {
			s := small(9)
			interviewedAll(s, 3)
			for _, reached := range []State{Contacted, Consented, Interviewed, Candidate} {
				s.courses = append(s.courses, course{Participant: Participant{State: Withdrawn, Reached: reached}, erased: true})
			}
			return s
		}, 40, func(t *testing.T, f Forecast) {
			if f.Basis.Contacts != 3 || f.Basis.Done != 4 || f.Basis.Lost != 2 || f.Done != 3 {
				t.Errorf("got %+v and %d done, want those erased in the conversion and in no cell", f.Basis, f.Done)
			}
		}},
		{"no milestones", func() *play { s := small(4); interviewedAll(s, 3); s.plan = Schedule{End: day(120)}; return s }, 40, func(t *testing.T, f Forecast) {
			if f.Survey != nil || !f.Interviews.By.Equal(day(120)) {
				t.Errorf("got %+v by %s, want the end and no survey", f.Survey, f.Interviews.By)
			}
		}},
		{"the survey is open already", func() *play { s := small(4); interviewedAll(s, 3); s.plan.Opened = day(95); return s }, 100, func(t *testing.T, f Forecast) {
			if f.Survey.ByPlan.P != 0 || f.Survey.ByEnd.P != 1 {
				t.Errorf("got %+v, want late by the plan and in time for the end", f.Survey)
			}
		}},
		{"the survey was opened after the day in question", func() *play { s := small(4); interviewedAll(s, 3); s.plan.Opened = day(95); return s }, 60, func(t *testing.T, f Forecast) {
			if !f.Survey.Opened.IsZero() {
				t.Error("the forecast looks into the future")
			}
		}},
		{"reported late", func() *play {
			s := small(9)
			for range 3 {
				p := s.person("a", QuotaSME, 0, Interviewed, 50.0)
				s.plan.Meetings = append(s.plan.Meetings, Meeting{p.ID, instant(10)})
			}
			return s
		}, 51, func(t *testing.T, f Forecast) {
			if f.Basis.Lead.Median > 20 {
				t.Errorf("lead %v: want the day it was held, not the day it was entered", f.Basis.Lead)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) { test.check(t, test.study().at(test.day)) })
	}
}

// Missing is how many lack in all cells by the milestone.
func (f Forecast) Missing() (sum float64) {
	for _, place := range f.Places {
		sum += place.Missing
	}
	return sum
}

// life is what a made-up study is made from.
type life struct{ share, lead, spread, loss, pace float64 }

func (l life) fate(rng *rand.Rand, asked float64) (done bool, at float64) {
	if rng.Float64() < l.share {
		return true, asked + l.lead*math.Exp(l.spread*rng.NormFloat64())
	}
	return false, asked + l.loss*rng.ExpFloat64()
}

// live plays a study to its end by its own rules: each day somebody may be asked for the cell that lacks most.
func (l life) live(rng *rand.Rand) (s *play, finish float64) {
	s = twelve()
	type seat struct{ gone []float64 } // when each who was asked leaves it; never for those who are interviewed
	seats := make([]seat, len(s.goals))
	last := make([]float64, len(s.goals))
	for n := 0.0; n < 1000; n += 0.25 {
		if rng.Float64() > l.pace/28 {
			continue
		}
		cell := -1
		for _, i := range rng.Perm(len(seats)) {
			taken := false
			for _, gone := range seats[i].gone {
				taken = taken || gone > n
			}
			if !taken {
				cell = i
				break
			}
		}
		if cell < 0 {
			continue
		}
		done, at := l.fate(rng, n)
		goal := s.goals[cell]
		if done {
			p := s.person(goal.Case, goal.Kind, n, Booked, (n+at)/2, Interviewed, at)
			s.arranged = append(s.arranged, Arranged{Person: p.ID, From: instant((n + at) / 2), Until: instant(at), Starts: instant(at)})
			seats[cell].gone, last[cell] = append(seats[cell].gone, math.Inf(1)), at
		} else {
			s.person(goal.Case, goal.Kind, n, Declined, at)
			seats[cell].gone = append(seats[cell].gone, at)
		}
	}
	for _, at := range last {
		finish = max(finish, at)
	}
	return s, finish
}

// The interval of 80 % holds the truth about as often as it says, in studies of many kinds and at several times.
func TestTheIntervalIsHonest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	between := func(low, high float64) float64 { return low + (high-low)*rng.Float64() }
	for _, asOf := range []float64{21, 42, 63} {
		held, early, told := 0, 0, 0
		for range 120 {
			l := life{between(0.5, 0.95), between(10, 35), between(0.2, 0.7), between(7, 30), between(0.8, 4)}
			s, finish := l.live(rng)
			if finish <= asOf {
				continue
			}
			s.plan.Arranged, s.plan.End = s.arranged, day(2000)
			f := s.roughly(asOf)
			if f.Silence != "" {
				continue
			}
			told++
			switch end := day(finish); {
			case end.Before(f.Finish.Early):
				early++
			case f.Finish.Late.IsZero() || !end.After(f.Finish.Late):
				held++
			}
		}
		share := float64(held) / float64(told)
		t.Logf("day %v: %d of %d held (%.0f %%), %d earlier", asOf, held, told, 100*share, early)
		if told < 80 || share < 0.7 || share > 0.95 {
			t.Errorf("day %v: the interval held the truth in %.0f %% of %d studies, want 70 to 95", asOf, 100*share, told)
		}
	}
}

// Early on nobody has been interviewed yet and those who say no have said so. Who is under way must not count as lost, nor
// be left out.
func TestThoseUnderWayAreNeitherWonNorLost(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const truth = 0.75
	sum, naive, n := 0.0, 0.0, 40
	for range n {
		s := small(60)
		yes, no := 0, 0
		for i := range 40 {
			asked := float64(i)
			l := life{share: truth, lead: 30, spread: 0.3, loss: 5}
			done, at := l.fate(rng, asked)
			if done {
				s.person("a", QuotaSME, asked, Interviewed, at)
			} else {
				s.person("a", QuotaSME, asked, Declined, at)
			}
			switch {
			case at <= 41 && done:
				yes++
			case at <= 41:
				no++
			}
		}
		f := s.roughly(41)
		sum += f.Basis.Conversion.Median
		naive += float64(yes) / float64(yes+no)
	}
	got, without := sum/float64(n), naive/float64(n)
	t.Logf("estimated %.2f, without those under way %.2f, truth %.2f", got, without, truth)
	if math.Abs(got-truth) > 0.1 {
		t.Errorf("conversion %.2f, want about %.2f", got, truth)
	}
	if math.Abs(without-truth) < 0.2 {
		t.Errorf("the test is too easy: leaving them out gives %.2f", without)
	}
}

// What happens later changes nothing about what was known.
func TestThePastCanBeAskedAgain(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	s, _ := life{0.8, 24, 0.4, 14, 2}.live(rng)
	s.plan.Arranged = s.arranged
	before := s.history().asOf(s.plan, day(35))
	cut := *s
	cut.courses = nil
	for _, c := range s.courses {
		if c.changes[0].At >= instant(35) {
			continue
		}
		for i, change := range c.changes {
			if change.At >= instant(35) {
				c.changes = c.changes[:i]
				break
			}
		}
		cut.courses = append(cut.courses, c)
	}
	cut.plan.Arranged = nil
	for _, a := range s.arranged {
		if a.From < instant(35) {
			a.Until = 0
			if a.Starts <= instant(35) {
				a.Until = a.Starts
			}
			cut.plan.Arranged = append(cut.plan.Arranged, a)
		}
	}
	after := cut.history().asOf(cut.plan, day(35))
	if diff := cmp.Diff(after, before); diff != "" {
		t.Errorf("the future changes it: %s", diff)
	}
	if diff := cmp.Diff(before, s.history().asOf(s.plan, day(35))); diff != "" {
		t.Errorf("the same data give another forecast: %s", diff)
	}
}

// The day is the first of the Mondays that have warned without a break, seen from any later day.
func TestWarnedSince(t *testing.T) {
	s := twelve()
	for i := range 9 { // a good beginning, then nobody is asked any more
		goal := s.goals[i]
		s.person(goal.Case, goal.Kind, float64(i), Interviewed, float64(i)+12)
	}
	var since time.Time
	calm, warned := 0, 0
	for n := 0.0; n < 90; n++ {
		f := s.at(n)
		if day(n).Weekday() == time.Monday {
			switch warns := s.history().warned(s.plan, endOf(day(n)), (&forecasts{}).warned); {
			case !warns:
				since = time.Time{}
			case since.IsZero():
				since = day(n)
			}
		}
		want := since
		switch {
		case !f.Warns():
			want = time.Time{}
			calm++
		case since.IsZero():
			want = day(n) // since today: on Monday it did not yet
		default:
			warned++
		}
		if !f.Since.Equal(want) {
			t.Errorf("day %v: warned since %v, want %v", n, f.Since, want)
		}
	}
	if calm < 20 || warned < 20 {
		t.Errorf("%d calm days and %d with a warning: want both", calm, warned)
	}
}

// The number that helps is the smallest: one fewer is not enough.
func TestWhatHelpsIsEnough(t *testing.T) {
	s := small(4)
	for i := range 2 {
		s.person("a", QuotaSME, float64(i), Declined, float64(i)+4)
	}
	for i := range 2 {
		s.person("a", QuotaSME, float64(i), Interviewed, float64(i)+15)
	}
	f := s.at(20)
	if f.Help == nil || f.Help.More < 3 || f.Help.Kind != QuotaSME || !f.Help.Target.Equal(s.plan.Interviews) {
		t.Fatalf("help %+v", f.Help)
	}
	m := s.history().model(s.plan, f.AsOf, &Forecast{})
	m.play(runs, s.plan.targets(f.AsOf)...)
	asked := int(daysFrom(f.AsOf, f.Help.AskBy.AddDate(0, 0, 1)))
	if enough := m.chance(0, f.Help.More, asked, 0); enough < sure {
		t.Errorf("%d asked on day %v: %.2f", f.Help.More, asked, enough)
	}
	if later := m.chance(0, f.Help.More, asked+1, 0); later >= sure {
		t.Errorf("a day later is early enough: %.2f", later)
	}
	if fewer := m.chance(0, f.Help.More-1, 7, 0); fewer >= sure {
		t.Errorf("one fewer is enough: %.2f", fewer)
	}
}

func TestAtLeast(t *testing.T) {
	for _, test := range []struct {
		successes, n int
		p, want      float64
	}{{0, 0, 0.5, 1}, {1, 0, 0.5, 0}, {1, 2, 0.5, 0.75}, {2, 2, 0.5, 0.25}, {2, 3, 1, 1}, {1, 3, 0, 0}, {3, 10, 0.2, 0.3222}} {
		if got := atLeast(test.successes, test.n, test.p); math.Abs(got-test.want) > 1e-4 {
			t.Errorf("%d of %d at %v: %v, want %v", test.successes, test.n, test.p, got, test.want)
		}
	}
}

// An appointment counts from when it was made to there until it was moved away or cancelled.
func TestAppointmentsAsTheyStood(t *testing.T) {
	moved := []Arranged{{Person: "p", From: 100, Until: 200}, {Person: "p", Starts: 900, From: 200, Until: 300}, {Person: "q", Starts: 800, From: 250}}
	for _, test := range []struct {
		at   int64
		want map[id.Person]int64
	}{{99, map[id.Person]int64{}}, {150, map[id.Person]int64{"p": 0}}, {200, map[id.Person]int64{"p": 900}}, {299, map[id.Person]int64{"p": 900, "q": 800}},
		{300, map[id.Person]int64{"q": 800}}} {
		got := map[id.Person]int64{}
		for person, a := range standingAt(moved, test.at) {
			got[person] = a.Starts
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("at %d: -want +got\n%s", test.at, diff)
		}
	}
}

// The candidates who wait are not read: their number must not be felt on the study's home.
func TestForecastFindsTheAskedByAnIndex(t *testing.T) {
	db := dbtest.Open(t, filepath.Join(t.TempDir(), "study.db"), database.Study)
	for query, index := range map[string]string{askedQuery: "participant_moved", changesQuery: "participant_change_study", contactsQuery: "contact_log_study"} {
		var a, b, c int
		var how string
		if err := db.QueryRow(t.Context(), "explain query plan "+query, "x").Scan(&a, &b, &c, &how); err != nil || !strings.Contains(how, index) {
			t.Errorf("%s: %s (%v), want it by %s", query, how, err, index)
		}
	}
}

func BenchmarkForecast(b *testing.B) {
	for _, people := range []int{14, 100, 1000} {
		b.Run(fmt.Sprint(people), func(b *testing.B) {
			s := small(people)
			for i := range people {
				s.person("a", QuotaSME, float64(i)*60/float64(people))
			}
			h := s.history()
			for b.Loop() {
				h.forecast(s.plan, day(60), (&forecasts{}).warned)
			}
		})
	}
	b.Run("twelve cells", func(b *testing.B) {
		s, _ := life{0.8, 24, 0.4, 14, 2}.live(rand.New(rand.NewPCG(5, 6)))
		s.plan.Arranged = s.arranged
		h := s.history()
		for b.Loop() {
			h.forecast(s.plan, day(70), (&forecasts{}).warned)
		}
	})
}
