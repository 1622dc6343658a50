// # The forecast
//
// When will the quotas be full? A study asks a dozen people, so little is known and much of it is not over yet. The model
// is small, says how little it knows, and counts who is still under way as neither won nor lost.
//
// Of those asked a share p ends interviewed, after a log-normal time from the first contact; the others are lost after an
// exponential one, and some of them never say so. This is the mixture cure model with log-normal times (Boag, "Maximum
// likelihood estimates of the proportion of patients cured by cancer therapy", J. R. Stat. Soc. B 11, 1949; Farewell, "The
// use of mixture models for the analysis of survival data with long-term survivors", Biometrics 38, 1982). New people are
// asked as a Poisson process whose rate is gamma distributed, as in Anisimov and Fedorov, "Modelling, prediction and
// adaptive adjustment of recruitment in multicentre trials", Statistics in Medicine 26, 2007. An appointment is a fixed
// date that seldom falls through. Priors are conjugate and worth one or two people each, ten for the appointments.
//
// The posterior is drawn by data augmentation (Tanner and Wong, J. Am. Stat. Assoc. 82, 1987): given the parameters, each
// person under way gets a fate that fits how long they have been under way; given the fates, the parameters are drawn
// anew. Each round is at once one simulated future: those under way meet their fates, and whenever a cell lacks somebody
// the next contact goes to the cell that lacks most.
//
// What it does not know: holidays, that the easy ones may have been asked first, that a team may ask faster when it sees
// the forecast. Cells, milestones and people's kinds are today's also when the past is asked; histories and appointments
// are as they stood. Who was erased has no times left and counts as asked, and as interviewed or lost.
package recruitment

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"time"

	"example.org/feltbok/internal/id"
)

const (
	fewestContacts = 3   // first contacts; with fewer nothing is said
	sure           = 0.8 // from here on something will do
	even           = 0.5 // below, it will not
	mostHelp       = 6   // more people than that for each who lacks are no advice
	mostMondays    = 60  // how far back a warning is followed
	paceDays       = 42  // how far back the pace is counted
)

// Schedule is what a study intends. Instants in the study's zone; a zero one is not set.
type Schedule struct {
	Interviews    time.Time // when interviews shall be done: the first instant after that day
	Opens, Closes time.Time // of the survey: the first instant, and the first after its last day
	End           time.Time // the first instant after the study's last day
	Opened        time.Time // when the survey was opened in fact
	Arranged      []Arranged
	Meetings      []Meeting
	Cases         []id.Case // in their order
	Pilots        []id.Case // pre-studies, which count nowhere
}

// due is by when interviews are wanted.
func (p Schedule) due() time.Time {
	switch {
	case !p.Interviews.IsZero():
		return p.Interviews
	case !p.Opens.IsZero():
		return p.Opens
	}
	return p.End
}

// survey says whether the plan has one.
func (p Schedule) survey() bool { return !p.Opens.IsZero() && !p.Closes.IsZero() }

// gap and length are days: from the interviews to the survey, and that it is open.
func (p Schedule) gap() float64    { return max(0, math.Round(daysFrom(p.due(), p.Opens))) }
func (p Schedule) length() float64 { return math.Round(daysFrom(p.Opens, p.Closes)) }

// last is the latest end of the interviews that leaves room for the rest of the plan.
func (p Schedule) last() time.Time {
	if !p.survey() {
		return p.End
	}
	return p.End.AddDate(0, 0, -int(p.gap()+p.length()))
}

// bounds are what a cell should be full by, the strictest first.
func (p Schedule) bounds() []time.Time { return []time.Time{p.due(), p.last(), p.End} }

func (p Schedule) targets(asOf time.Time) (days []float64) {
	for _, bound := range p.bounds() {
		days = append(days, daysFrom(asOf, bound))
	}
	return days
}

func daysFrom(a, b time.Time) float64 { return b.Sub(a).Hours() / 24 }

// Silence is why a forecast says nothing; "" where it does.
type Silence string

const (
	TooFew  Silence = "few"   // hardly anybody was asked yet
	NoGoals Silence = "goals" // no quota to be filled
	Over    Silence = "over"  // the study is over
)

// Verdict is a probability in a word.
type Verdict string

const (
	Fits   Verdict = "fits"
	Unsure Verdict = "unsure"
	Misses Verdict = "misses"
)

// Chance is how likely something is done by an instant.
type Chance struct {
	By time.Time
	P  float64 // 0 to 1
}

// Verdict judges a chance: from 80 % it fits, below 50 % it does not.
func (c Chance) Verdict() Verdict {
	switch {
	case c.P >= sure:
		return Fits
	case c.P >= even:
		return Unsure
	}
	return Misses
}

// Outlook is a date that is not known yet. A zero instant is further away than two years.
type Outlook struct {
	Early, Median, Late time.Time // with 10, 50 and 90 %
}

// Interval is a number that is not known exactly, with an interval of 80 %.
type Interval struct{ Low, Median, High float64 }

// Vacancy is a cell of the quotas as far as the forecast needs it: how many are wanted, and who holds a seat.
type Vacancy struct {
	Case    id.Case
	Kind    Kind
	Goal    int
	Persons []id.Person // asked or further, and not lost
}

// Filling is when one cell will be full.
type Filling struct {
	Vacancy
	Done, UnderWay int
	Outlook                // in the past where it is full already
	Chance         Chance  // to be full by the milestone, or what comes after it where that is over
	Missing        float64 // how many will lack then, on average
}

// Full says whether nobody lacks any more.
func (f Filling) Full() bool { return f.Done >= f.Goal }

// Basis is what a forecast is computed from.
type Basis struct {
	Contacts, Done, Lost, UnderWay, Booked int
	Conversion                             Interval // share of those asked who are interviewed
	Lead                                   Interval // median days from first contact to interview
	Pace                                   Interval // first contacts a week
}

// SurveyOutlook is what becomes of the survey if the gap before it, and the time that it is open, stay as planned.
type SurveyOutlook struct {
	Opened        time.Time // zero while it is not open
	Opens, Closes Outlook   // first and last day; not set once it is open
	ByPlan, ByEnd Chance    // that it closes in time
}

// Help is the least that would make a cell full in time: so many more people, asked by the end of a day.
type Help struct {
	Vacancy
	More   int       // 0: however many are asked, it is too late
	AskBy  time.Time // the last day on which asking them is enough
	Target time.Time // the cell would be full by then
	Plan   bool      // the target is the milestone, not the study's end
}

// Forecast is what can be said on one day.
type Forecast struct {
	AsOf       time.Time // everything until this instant is known
	Silence    Silence
	Basis      Basis
	Places     []Filling
	Goal, Done int
	Finish     Outlook
	Interviews Chance         // all cells full by the milestone, or else by the end
	Survey     *SurveyOutlook // nil where none is planned
	Help       *Help          // nil where nothing is needed
	Since      time.Time      // the day since which it has warned without a break; zero where it does not
}

// Full says whether every cell is.
func (f Forecast) Full() bool { return f.Silence == "" && f.Done >= f.Goal }

// Warns says whether something will not be done in time.
func (f Forecast) Warns() bool {
	if f.Silence != "" {
		return false
	}
	late := !f.Full() && f.Interviews.Verdict() == Misses
	return late || f.Survey != nil && f.Survey.ByEnd.Verdict() == Misses
}

// history is all that a forecast is computed from, apart from the plan.
type history struct {
	courses []course
	seats   func([]Participant) []Vacancy
}

// Forecast says what can be said at the end of a day, given everything that is stored. day is any instant of it, in the
// study's zone.
func (r *Recruitment) Forecast(ctx context.Context, study id.Study, plan Schedule, day time.Time) (Forecast, error) {
	courses, err := r.courses(ctx, study)
	if err != nil {
		return Forecast{}, err
	}
	m, err := readMatrix(ctx, r.db, study, plan.Pilots)
	if err != nil {
		return Forecast{}, err
	}
	return r.forecasts.of(study, history{courses, vacancies(m, plan.Cases)}, plan, m, day), nil
}

// vacancies seats people in the quotas' cells that somebody is wanted for, by case and kind. Who found no place waits for one
// in the narrowest cell that they fit, in case somebody before them is lost.
func vacancies(m matrix, cases []id.Case) func([]Participant) []Vacancy {
	var wanted []Vacancy
	for _, c := range m.cells {
		if c.Goal > 0 {
			wanted = append(wanted, Vacancy{Case: c.Case, Kind: c.Kind, Goal: c.Goal})
		}
	}
	slices.SortStableFunc(wanted, func(a, b Vacancy) int {
		return cmp.Or(cmp.Compare(slices.Index(cases, a.Case), slices.Index(cases, b.Case)), cmp.Compare(m.row(a.Kind), m.row(b.Kind)))
	})
	return func(people []Participant) []Vacancy {
		places := slices.Clone(wanted)
		put := func(at Place, p Participant) bool {
			i := slices.IndexFunc(places, func(v Vacancy) bool { return v.Case == at.Case && v.Kind == at.Kind })
			if i >= 0 {
				places[i].Persons = append(places[i].Persons, p.ID)
			}
			return i >= 0
		}
		fresh := m
		fresh.cells = slices.Clone(m.cells) // filling writes into them
		for _, cell := range fresh.fill(people) {
			for _, p := range cell.Persons {
				if cell.Kind != Outside {
					put(Place{cell.Case, cell.Kind}, p)
					continue
				}
				for _, c := range m.of(p.Case) {
					if m.profiles[m.row(c.Kind)].Fits(p) && put(Place{c.Case, c.Kind}, p) {
						break
					}
				}
			}
		}
		return places
	}
}

// forecasts keeps each study's latest forecast for as long as nothing changes that it rests on, and whether it warned on
// the Mondays before. It holds numbers and days, nobody's.
type forecasts struct {
	mu      sync.Mutex
	latest  map[id.Study]keptForecast
	mondays map[uint64]bool // by what was known then
}

type keptForecast struct {
	of       uint64 // hash of what it was computed from
	forecast Forecast
}

// More is forgotten together: a study asks for sixty Mondays at most.
const mostStudies, mostKnown = 500, 20_000

var hashSeed = maphash.MakeSeed()

func hashOf(values ...any) uint64 {
	var hash maphash.Hash
	hash.SetSeed(hashSeed)
	fmt.Fprint(&hash, values...)
	return hash.Sum64()
}

func (k *forecasts) of(study id.Study, h history, plan Schedule, m matrix, day time.Time) Forecast {
	sum := hashOf(h.courses, m, plan, endOf(day))
	k.mu.Lock()
	kept, ok := k.latest[study]
	k.mu.Unlock()
	if ok && kept.of == sum {
		return kept.forecast
	}
	f := h.forecast(plan, day, k.warned)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.latest == nil || len(k.latest) >= mostStudies {
		k.latest = map[id.Study]keptForecast{}
	}
	k.latest[study] = keptForecast{sum, f}
	return f
}

// warned remembers what was found. A new contact today changes nothing about what was known on a Monday before.
func (k *forecasts) warned(sum uint64, find func() bool) bool {
	k.mu.Lock()
	warned, ok := k.mondays[sum]
	k.mu.Unlock()
	if ok {
		return warned
	}
	warned = find()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mondays == nil || len(k.mondays) >= mostKnown {
		k.mondays = map[uint64]bool{}
	}
	k.mondays[sum] = warned
	return warned
}

// forecast is the forecast at the end of a day with the date since which it has warned.
func (h history) forecast(plan Schedule, day time.Time, warned func(sum uint64, find func() bool) bool) Forecast {
	f := h.asOf(plan, endOf(day))
	if !f.Warns() {
		return f
	}
	f.Since = startOf(day)
	monday := f.Since.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	for range mostMondays {
		if !h.warned(plan, endOf(monday), warned) {
			break
		}
		f.Since, monday = monday, monday.AddDate(0, 0, -7)
	}
	return f
}

func startOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

func endOf(t time.Time) time.Time { return startOf(t).AddDate(0, 0, 1) }

// begin gathers what was known at an instant, or says why nothing can be said.
func (h history) begin(plan Schedule, asOf time.Time) (*model, Forecast) {
	f := Forecast{AsOf: asOf}
	m := h.model(plan, asOf, &f)
	switch {
	case !asOf.AddDate(0, 0, -1).Before(plan.End):
		f.Silence = Over
	case f.Goal == 0:
		f.Silence = NoGoals
	case f.Basis.Contacts < fewestContacts && f.Done < f.Goal:
		f.Silence = TooFew
	}
	return m, f
}

// asOf is the forecast as it was at an instant, from what was known by then.
func (h history) asOf(plan Schedule, asOf time.Time) Forecast {
	m, f := h.begin(plan, asOf)
	if f.Silence != "" {
		return f
	}
	m.play(runs, plan.targets(asOf)...)
	f.judge(m, plan)
	f.detail(m, plan)
	return f
}

// warned says whether the forecast warned at an instant. known may remember it by what was known then.
func (h history) warned(plan Schedule, asOf time.Time, known func(sum uint64, find func() bool) bool) bool {
	m, f := h.begin(plan, asOf)
	return f.Silence == "" && known(m.hash(plan, asOf), func() bool {
		m.play(fewRuns)
		f.judge(m, plan)
		return f.Warns()
	})
}

// judge reads from the simulated futures when all is done.
func (f *Forecast) judge(m *model, plan Schedule) {
	f.Finish = f.outlook(m.finish)
	f.Interviews = Chance{plan.due(), atMost(m.finish, daysFrom(f.AsOf, plan.due()))}
	if plan.survey() {
		f.Survey = f.survey(m, plan)
	}
}

// detail reads the rest.
func (f *Forecast) detail(m *model, plan Schedule) {
	next := max(0, slices.IndexFunc(m.targets, func(days float64) bool { return days >= 0 })) // a milestone of the past is none
	for i := range f.Places {
		place, filled := &f.Places[i], m.cells[i].filled
		place.Chance = Chance{plan.bounds()[next], atMost(filled, m.targets[next])}
		place.Missing = float64(m.cells[i].lack[next]) / float64(len(filled))
		place.Outlook = f.outlook(filled)
	}
	f.Basis.Conversion = rangeOf(m.draws, func(d draw) float64 { return d.share })
	f.Basis.Lead = rangeOf(m.draws, func(d draw) float64 { return math.Exp(d.mu) })
	f.Basis.Pace = rangeOf(m.draws, func(d draw) float64 { return 7 * d.pace })
	if f.Done < f.Goal {
		f.Help = f.help(m, plan)
	}
}

// survey moves the planned survey behind the interviews.
func (f *Forecast) survey(m *model, plan Schedule) *SurveyOutlook {
	if opened := plan.Opened; !opened.IsZero() && opened.Before(f.AsOf) {
		closes := startOf(opened.In(plan.Opens.Location())).AddDate(0, 0, int(plan.length()))
		return &SurveyOutlook{Opened: opened, ByPlan: certain(closes, plan.Closes), ByEnd: certain(closes, plan.End)}
	}
	// The day of the last interview ends at midnight; what is opened today is open from this morning.
	today := f.AsOf.AddDate(0, 0, -1)
	opening := func(finish float64) float64 {
		return max(math.Ceil(finish)+plan.gap(), daysFrom(f.AsOf, plan.Opens), daysFrom(f.AsOf, today))
	}
	closing := make([]float64, len(m.finish))
	for i, finish := range m.finish {
		closing[i] = opening(finish) + plan.length()
	}
	slices.Sort(closing)
	const hours = 2. / 24 // a change of clocks moves midnight
	s := &SurveyOutlook{
		ByPlan: Chance{plan.Closes, atMost(closing, daysFrom(f.AsOf, plan.Closes)+hours)},
		ByEnd:  Chance{plan.End, atMost(closing, daysFrom(f.AsOf, plan.End)+hours)}}
	for _, q := range []struct {
		share         float64
		opens, closes *time.Time
	}{{0.1, &s.Opens.Early, &s.Closes.Early}, {0.5, &s.Opens.Median, &s.Closes.Median}, {0.9, &s.Opens.Late, &s.Closes.Late}} {
		if at := quantile(closing, q.share); !math.IsInf(at, 1) {
			*q.closes = f.AsOf.AddDate(0, 0, int(math.Round(at))-1)
			*q.opens = q.closes.AddDate(0, 0, 1-int(plan.length()))
		}
	}
	return s
}

func certain(closes, by time.Time) Chance {
	if closes.After(by) {
		return Chance{by, 0}
	}
	return Chance{by, 1}
}

// help finds what would help the cell that is least likely to be full: by the milestone, or where no number of people is
// enough for that, by the last day that leaves room for the rest of the plan.
func (f *Forecast) help(m *model, plan Schedule) *Help {
	var worst int
	for target, at := range plan.bounds()[:2] {
		in := func(cell int) float64 { return atMost(m.cells[cell].filled, m.targets[target]) }
		worst = slices.MinFunc(f.open(), func(a, b int) int {
			return cmp.Or(cmp.Compare(in(a), in(b)), cmp.Compare(f.Places[b].Missing, f.Places[a].Missing))
		})
		if in(worst) >= sure {
			return nil
		}
		if more, days := m.more(worst, target); more > 0 {
			return &Help{f.Places[worst].Vacancy, more, f.AsOf.AddDate(0, 0, days-1), at, at.Equal(plan.due())}
		}
	}
	return &Help{Vacancy: f.Places[worst].Vacancy, Target: plan.last()}
}

// open are the cells that are not full.
func (f *Forecast) open() (open []int) {
	for i, place := range f.Places {
		if !place.Full() {
			open = append(open, i)
		}
	}
	return open
}

// outlook reads a sorted list of days from now on.
func (f *Forecast) outlook(days []float64) Outlook {
	at := func(share float64) time.Time {
		day := quantile(days, share)
		if math.IsInf(day, 1) {
			return time.Time{}
		}
		return f.AsOf.Add(time.Duration(day * 24 * float64(time.Hour)))
	}
	return Outlook{at(0.1), at(0.5), at(0.9)}
}

// quantile is the value below which a share of a sorted list lies.
func quantile(sorted []float64, share float64) float64 {
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

// atMost is the share of a sorted list that is not above a value.
func atMost(sorted []float64, most float64) float64 {
	n, _ := slices.BinarySearchFunc(sorted, most, func(value, most float64) int {
		if value <= most {
			return -1
		}
		return 1
	})
	return float64(n) / float64(len(sorted))
}

func rangeOf(draws []draw, of func(draw) float64) Interval {
	values := make([]float64, len(draws))
	for i, d := range draws {
		values[i] = of(d)
	}
	slices.Sort(values)
	return Interval{quantile(values, 0.1), quantile(values, 0.5), quantile(values, 0.9)}
}
