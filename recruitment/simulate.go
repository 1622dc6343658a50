package recruitment

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"example.org/feltbok/internal/id"
)

const (
	runs      = 2000 // futures of a forecast that is shown
	fewRuns   = 250  // of one that is only asked whether it warned
	burn      = 50   // rounds before the first future, until the parameters fit
	leastRuns = 100
	mostDraws = 60_000 // of a forecast in all: with many people there are fewer futures
	horizon   = 730    // days; what is later is never
	shortest  = 0.5    // days from contact to interview, at least

	// What is believed before anybody was asked.
	priorYes, priorNo        = 1, 1             // of two asked, one is interviewed
	priorLead, priorLeadN    = 21, 1            // one of them after three weeks
	priorShape, priorScale   = 2, 0.5           // with a spread of the logarithm around 0.7
	priorLost                = 21               // one lost after as many days
	priorHolds, priorFalls   = 9, 1             // of ten appointments one falls through
	priorAsked, priorExposed = 1, 7             // one contact in a week
	silentLosses             = 0.2              // the share of the lost that never say so
	seedHigh, seedLow        = 0x666f72, 0x6563 // the same data give the same forecast
)

type fate int

const (
	waiting  fate = iota // asked, and no date
	dated                // an appointment on a known day
	promised             // an appointment whose day is not known
)

// subject is one person who was asked. Times are days.
type subject struct {
	seat int // which place they hold, -1 for none
	fate fate
	age  float64 // since the first contact
	end  float64 // from the first contact to the interview, the appointment or the loss
}

// draw is one guess at the parameters that fits what was seen. Rates are per day.
type draw struct{ share, mu, sigma, loss, holds, pace float64 }

// tally is what the parameters are drawn from: how many, and sums of days or their logarithms.
type tally struct {
	yes, no              int
	logs, squares, leads float64 // leads counts those whose lead time is known
	lostDays, lost       float64
}

func (t *tally) interviewed(days float64) {
	x := math.Log(max(days, shortest))
	t.yes++
	t.leads++
	t.logs += x
	t.squares += x * x
}

func (t *tally) gone(days float64) {
	t.no++
	t.lost++
	t.lostDays += days
}

// cell is a place in the future at hand. Times are days from now.
type cell struct {
	goal   int
	had    []float64 // past interviews
	yes    []float64 // all interviews
	lost   []float64 // when the seats of those who will be lost become free; sorted while new people are asked
	freed  int       // how many of them are free
	filled []float64 // when the cell is full, one for each future, in the end sorted
	soon   [3][]int  // interviews by each target with those who were asked already, one for each future
	lack   [3]int    // how many are missing at each target, in all futures together
}

// lacks is how many must be asked, counting those under way as long as they are not known to be lost.
func (c *cell) lacks(now float64) int {
	if len(c.yes) >= c.goal {
		return 0
	}
	for c.freed < len(c.lost) && c.lost[c.freed] <= now {
		c.freed++
	}
	return c.goal - len(c.yes) - (len(c.lost) - c.freed)
}

// model is the state of a simulation.
type model struct {
	rng        *rand.Rand
	people     []subject // those whose fate is open; the others are in known and in the cells
	known      tally
	kept, fell int // appointments of the past
	contacts   int // first contacts in the window
	exposed    float64
	cells      []cell
	targets    []float64 // days at which it matters how many there are
	d          draw
	draws      []draw
	finish     []float64 // when all cells are full, one for each future, in the end sorted
}

// model gathers what was known at an instant, and fills in the counts of f.
func (h history) model(plan Schedule, asOf time.Time, f *Forecast) *model {
	now := asOf.UnixMilli() - 1
	m := &model{rng: rand.New(rand.NewPCG(seedHigh, seedLow)), exposed: paceDays}
	held := map[id.Person]int64{}
	for _, meeting := range plan.Meetings {
		held[meeting.Person] = meeting.At
	}
	appointments := standingAt(plan.Arranged, now)
	stand := make([]stood, len(h.courses))
	var people []Participant
	for i, c := range h.courses {
		if slices.Contains(plan.Pilots, c.Case) {
			continue
		}
		if c.erased {
			m.erased(c, f)
			continue
		}
		s, ok := c.at(now)
		if !ok {
			continue
		}
		if at := held[c.ID]; s.done > 0 && at > 0 && at < s.done {
			s.done = max(at, s.asked)
		}
		stand[i] = s
		p := c.Participant
		p.State, p.Reached = s.state, s.reached
		people = append(people, p)
	}
	seat := f.seat(h.seats(people))
	m.cells = make([]cell, len(f.Places))
	for i, place := range f.Places {
		m.cells[i].goal = place.Goal
	}
	first := int64(math.MaxInt64)
	for i, c := range h.courses {
		if stand[i].asked == 0 {
			continue
		}
		first = min(first, stand[i].asked)
		if daysFrom(time.UnixMilli(stand[i].asked), asOf) <= paceDays {
			m.contacts++
		}
		at, ok := seat[c.ID]
		if !ok {
			at = -1
		}
		m.add(stand[i], at, appointments[c.ID], asOf, f)
	}
	for i := range f.Places {
		place := &f.Places[i]
		place.Done = min(place.Done, place.Goal) // who waited for a seat in vain fills none
		f.Done += place.Done
	}
	// The first contact opens the window; it does not fall into it.
	if since := daysFrom(time.UnixMilli(first), asOf); f.Basis.Contacts > 0 && since < paceDays {
		m.exposed = max(0, since)
		m.contacts--
	}
	return m
}

// hash tells models apart before they are played.
func (m *model) hash(plan Schedule, asOf time.Time) uint64 {
	plan.Arranged, plan.Meetings, plan.Pilots = nil, nil, nil // gone into the model
	return hashOf(m.people, m.known, m.kept, m.fell, m.contacts, m.exposed, m.cells, plan, asOf)
}

// standingAt is each person's appointment as it stood at an instant.
func standingAt(all []Arranged, now int64) map[id.Person]Arranged {
	standing := map[id.Person]Arranged{}
	for _, a := range all {
		if a.From <= now && (a.Until == 0 || a.Until > now) {
			standing[a.Person] = a
		}
	}
	return standing
}

// seat notes the places and who sits where.
func (f *Forecast) seat(places []Vacancy) map[id.Person]int {
	seat := map[id.Person]int{}
	for i, place := range places {
		f.Goal += place.Goal
		f.Places = append(f.Places, Filling{Vacancy: place})
		for _, person := range place.Persons {
			seat[person] = i
		}
	}
	return seat
}

// erased counts a tombstone. It has no times.
func (m *model) erased(c course, f *Forecast) {
	switch {
	case c.Reached.rank() >= Interviewed.rank():
		m.known.yes++
		f.Basis.Done++
	case c.Reached.rank() >= Contacted.rank():
		m.known.no++
		f.Basis.Lost++
	}
}

func (m *model) add(s stood, seat int, a Arranged, asOf time.Time, f *Forecast) {
	since := func(ms int64) float64 { return daysFrom(time.UnixMilli(s.asked), time.UnixMilli(ms)) }
	age := daysFrom(time.UnixMilli(s.asked), asOf)
	f.Basis.Contacts++
	switch {
	case s.done > 0:
		f.Basis.Done++
		m.known.interviewed(since(s.done))
		if s.everBooked {
			m.kept++
		}
		if seat >= 0 {
			f.Places[seat].Done++
			m.cells[seat].had = append(m.cells[seat].had, since(s.done)-age)
		}
		return
	case s.lost > 0:
		f.Basis.Lost++
		m.known.gone(since(s.lost))
		if s.everBooked {
			m.fell++
		}
		return
	}
	f.Basis.UnderWay++
	if seat >= 0 {
		f.Places[seat].UnderWay++
	}
	p := subject{seat: seat, age: age}
	if s.state == Booked {
		f.Basis.Booked++
		p.fate = promised
		if a.Starts > 0 {
			p.fate, p.end = dated, max(age, since(a.Starts))
		}
	}
	m.people = append(m.people, p)
}

// play draws so many futures, or fewer where there are many people, and looks at each after so many days as the targets say.
func (m *model) play(futures int, targets ...float64) {
	m.targets = targets
	size := len(m.people) + 1
	for _, c := range m.cells {
		size += c.goal
	}
	futures = min(futures, max(leastRuns, mostDraws/size))
	m.d = draw{share: 0.5, mu: math.Log(priorLead), sigma: 0.7, loss: 1. / priorLost, holds: 0.9}
	for range burn {
		m.sweep()
	}
	for range futures {
		m.sweep()
		m.d.pace = m.gamma(float64(priorAsked+m.contacts)) / (priorExposed + m.exposed)
		m.draws = append(m.draws, m.d)
		for i := range m.cells {
			for k, target := range m.targets {
				m.cells[i].soon[k] = append(m.cells[i].soon[k], before(m.cells[i].yes, target))
			}
		}
		m.recruit()
		m.note()
	}
	for i := range m.cells {
		slices.Sort(m.cells[i].filled)
	}
	slices.Sort(m.finish)
}

// sweep gives everybody under way a fate that fits the parameters, then draws parameters that fit the fates.
func (m *model) sweep() {
	for i := range m.cells {
		c := &m.cells[i]
		c.yes, c.lost = append(c.yes[:0], c.had...), c.lost[:0]
	}
	t, kept, fell := m.known, m.kept, m.fell
	for _, p := range m.people {
		done, days := m.meet(p)
		switch {
		case done:
			t.interviewed(days)
		case m.silent(p):
			t.no++
		default:
			t.gone(days)
		}
		if p.fate != waiting && done {
			kept++
		} else if p.fate != waiting {
			fell++
		}
		if p.seat < 0 {
			continue
		}
		if c := &m.cells[p.seat]; done {
			c.yes = append(c.yes, days-p.age)
		} else {
			c.lost = append(c.lost, days-p.age)
		}
	}
	m.learn(t, kept, fell)
}

// meet says what becomes of somebody under way, and how many days after the first contact.
func (m *model) meet(p subject) (done bool, days float64) {
	later := m.d.lateness(p.age)
	switch p.fate {
	case dated:
		return m.rng.Float64() < m.d.holds, p.end
	case promised:
		done = m.rng.Float64() < m.d.holds
	default:
		yes := m.d.share * later
		no := (1 - m.d.share) * (silentLosses + (1-silentLosses)*math.Exp(-m.d.loss*p.age))
		done = m.rng.Float64()*(yes+no) < yes
	}
	if done {
		return true, m.lead(p.age, later)
	}
	return false, p.age + m.rng.ExpFloat64()/m.d.loss
}

// lateness is the share of the interviewed whose lead time is longer than so many days.
func (d draw) lateness(days float64) float64 {
	if days <= 0 {
		return 1
	}
	return math.Erfc((math.Log(days)-d.mu)/(d.sigma*math.Sqrt2)) / 2
}

// lead draws a lead time above an age, given the share that is later than it.
func (m *model) lead(age, later float64) float64 {
	z := math.Sqrt2 * math.Erfcinv(2*later*(1-m.rng.Float64()))
	days := math.Exp(m.d.mu + m.d.sigma*z)
	if math.IsNaN(days) || math.IsInf(days, 1) {
		return max(age, horizon) // so late that the normal curve has run out
	}
	return max(age, days)
}

// silent says of somebody lost and still under way whether they would ever have said so.
func (m *model) silent(p subject) bool {
	if p.fate == dated {
		return false
	}
	said := (1 - silentLosses) * math.Exp(-m.d.loss*p.age)
	return m.rng.Float64()*(silentLosses+said) < silentLosses
}

// learn draws the parameters from their conjugate posteriors: beta, normal with inverse gamma, gamma.
func (m *model) learn(t tally, kept, fell int) {
	d := &m.d
	d.share = m.beta(float64(priorYes+t.yes), float64(priorNo+t.no))
	d.holds = m.beta(float64(priorHolds+kept), float64(priorFalls+fell))
	d.loss = m.gamma(1+t.lost) / (priorLost + t.lostDays)
	prior, n := math.Log(priorLead), priorLeadN+t.leads
	centre := (priorLeadN*prior + t.logs) / n
	scale := priorScale + (t.squares+priorLeadN*prior*prior-n*centre*centre)/2
	d.sigma = math.Sqrt(scale / m.gamma(priorShape+t.leads/2))
	d.mu = centre + d.sigma/math.Sqrt(n)*m.rng.NormFloat64()
}

// recruit asks new people until every cell will be full, or the horizon is reached: each time for the cell that lacks most.
func (m *model) recruit() {
	for i := range m.cells {
		m.cells[i].freed = 0
		slices.Sort(m.cells[i].lost)
	}
	for now := 0.0; ; {
		now += m.rng.ExpFloat64() / m.d.pace
		c, next := m.lacking(now)
		if c == nil {
			now = next // nobody to ask before the next seat becomes free
		}
		if now > horizon {
			return
		}
		if c == nil {
			continue
		}
		if m.rng.Float64() < m.d.share {
			c.yes = append(c.yes, now+math.Exp(m.d.mu+m.d.sigma*m.rng.NormFloat64()))
			continue
		}
		free := now + m.rng.ExpFloat64()/m.d.loss
		i, _ := slices.BinarySearch(c.lost, free)
		c.lost = slices.Insert(c.lost, i, free)
	}
}

// lacking is the cell that lacks most at a time; nil where none does, and when the next seat becomes free.
func (m *model) lacking(now float64) (most *cell, next float64) {
	next = math.Inf(1)
	lack, ties := 0, 0
	for i := range m.cells {
		c := &m.cells[i]
		lacks := c.lacks(now)
		if len(c.yes) < c.goal && c.freed < len(c.lost) {
			next = min(next, c.lost[c.freed])
		}
		switch {
		case lacks <= 0 || lacks < lack:
			continue
		case lacks > lack:
			lack, ties = lacks, 0
		}
		ties++
		if ties == 1 || m.rng.IntN(ties) == 0 {
			most = c
		}
	}
	return most, next
}

// note keeps when each cell was full in the future at hand.
func (m *model) note() {
	finish := math.Inf(-1)
	for i := range m.cells {
		c := &m.cells[i]
		full := math.Inf(1)
		if len(c.yes) >= c.goal {
			slices.Sort(c.yes)
			full = c.yes[c.goal-1]
		}
		finish = max(finish, full)
		if len(m.targets) > 0 {
			c.filled = append(c.filled, full)
			for k, target := range m.targets {
				c.lack[k] += max(0, c.goal-before(c.yes, target))
			}
		}
	}
	m.finish = append(m.finish, finish)
}

func before(times []float64, days float64) (n int) {
	for _, at := range times {
		if at <= days {
			n++
		}
	}
	return n
}

// more is the smallest number of people who, asked within a week or at once, make a cell full by a target with 80 %
// certainty beside those already asked, and in how many days it is too late to ask them. 0: no number does.
func (m *model) more(cell, target int) (people, days int) {
	const aWeek = 7
	lacking := m.cells[cell].goal - before(m.cells[cell].had, 0)
	for _, days := range []int{aWeek, 1} {
		for people := 1; people <= mostHelp*lacking; people++ {
			if m.chance(cell, people, days, target) < sure {
				continue
			}
			for float64(days) < m.targets[target] && m.chance(cell, people, days+1, target) >= sure {
				days++
			}
			return people, days
		}
	}
	return 0, 0
}

// chance is that a cell is full by a target if so many people more are asked after so many days, and nobody else.
func (m *model) chance(cell, people, days, target int) float64 {
	const every = 4 // of the draws is enough here
	sum, n := 0.0, 0
	for i := 0; i < len(m.draws); i += every {
		d := m.draws[i]
		p := 0.0
		if left := m.targets[target] - float64(days); left > 0 {
			p = d.share * (1 - d.lateness(left))
		}
		sum += atLeast(m.cells[cell].goal-m.cells[cell].soon[target][i], people, p)
		n++
	}
	return sum / float64(n)
}

// atLeast is the probability of so many successes or more in n trials of probability p.
func atLeast(successes, n int, p float64) float64 {
	if successes <= 0 {
		return 1
	}
	if successes > n || p <= 0 {
		return 0
	}
	if p >= 1 {
		return 1
	}
	fewer, term := 0.0, math.Pow(1-p, float64(n))
	for k := range successes {
		fewer += term
		term *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
	return 1 - fewer
}

// gamma draws from the gamma distribution of rate 1 (Marsaglia and Tsang, "A simple method for generating gamma
// variables", ACM Trans. Math. Softw. 26, 2000). The shape is 1 at least.
func (m *model) gamma(shape float64) float64 {
	d := shape - 1./3
	c := 1 / math.Sqrt(9*d)
	for {
		x := m.rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if u := 1 - m.rng.Float64(); math.Log(u) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

func (m *model) beta(a, b float64) float64 {
	x, y := m.gamma(a), m.gamma(b)
	return x / (x + y)
}
