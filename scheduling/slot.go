package scheduling

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Slot is a time that is offered.
type Slot struct {
	Start time.Time // in the zone
	Zone  string    // the interviewer's, IANA name
}

// Search is what times are looked for.
type Search struct {
	Study    id.Study
	Audience string
	Mode     Mode
	Moving   id.Booking // whose own time counts as free; empty: none
}

// Free returns the times offered to an audience that start in [from, to), in order: those at which as many interviewers
// as the type asks for have time, no sooner than the notice and no later than the horizon. In writing they are the days on
// which answers may be due, as their first instants.
func (s *Scheduling) Free(ctx context.Context, q Search, from, to time.Time) ([]Slot, error) {
	kind, loc, err := s.wanted(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.free(ctx, kind, q, loc, from, to)
}

// Nearest returns up to n free times, the nearest to around first.
func (s *Scheduling) Nearest(ctx context.Context, q Search, around time.Time, n int) ([]Slot, error) {
	kind, loc, err := s.wanted(ctx, q)
	if err != nil {
		return nil, err
	}
	now := s.now()
	slots, err := s.free(ctx, kind, q, loc, now, now.AddDate(0, 0, kind.HorizonDays))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(slots, func(a, b Slot) int {
		return cmp.Compare(a.Start.Sub(around).Abs(), b.Start.Sub(around).Abs())
	})
	return slots[:min(n, len(slots))], nil
}

// wanted is what is to be offered: for a booking that is moved as it is, on the days of its own zone.
func (s *Scheduling) wanted(ctx context.Context, q Search) (Type, *time.Location, error) {
	kind, err := s.TypeOf(ctx, q.Study, q.Audience)
	if err != nil || q.Moving == "" {
		return kind, nil, err
	}
	b, err := s.Get(ctx, q.Study, q.Moving)
	if err != nil {
		return kind, nil, err
	}
	return kind.as(b), b.Start().Location(), nil
}

// free finds times; loc is where days are days, nil where the first interviewer is.
func (s *Scheduling) free(ctx context.Context, kind Type, q Search, loc *time.Location, from, to time.Time) ([]Slot, error) {
	from, to = kind.offers(s.now(), from, to)
	if !from.Before(to) {
		return nil, nil
	}
	p, err := s.plan(ctx, kind, q.Moving, from, to)
	if err != nil {
		return nil, err
	}
	if q.Mode == Email {
		return p.dueDays(loc, from, to), nil
	}
	var slots []Slot
	for _, start := range slices.Sorted(maps.Keys(p.starts)) {
		if start < from.UnixMilli() || start >= to.UnixMilli() {
			continue
		}
		if able := p.able(start, (*diary).idle); len(able) >= kind.Interviewers {
			slots = append(slots, Slot{Start: time.UnixMilli(start).In(able[0].loc), Zone: able[0].Zone})
		}
	}
	return slots, nil
}

// plan is what a study's interviewers can offer around a stretch of time.
type plan struct {
	kind    Type
	starts  map[int64]bool // UTC milliseconds; on some interviewer's grid
	diaries []*diary       // by account
}

// diary is one interviewer's time. Spans are by time and do not overlap.
type diary struct {
	Week
	kind  Type
	loc   *time.Location
	hours []Span         // at work: the week without holidays and blocks, and extra hours
	busy  []Span         // by calendars elsewhere
	open  []Span         // hours in which no interview, with its buffers, would be in the way of what is elsewhere
	taken []Span         // bookings with their buffers
	days  map[string]int // interviews on each local date; nil where there is no limit
}

// plan reads everything once, however many interviewers and days. What one booking takes is left out.
func (s *Scheduling) plan(ctx context.Context, kind Type, but id.Booking, from, to time.Time) (*plan, error) {
	weeks, err := s.Weeks(ctx, kind.Study)
	if err != nil {
		return nil, err
	}
	taken, err := s.taken(ctx, kind.Study, but, from, to)
	if err != nil {
		return nil, err
	}
	busy, err := s.busy(ctx, kind.Study, from, to)
	if err != nil {
		return nil, err
	}
	p := &plan{kind: kind, starts: map[int64]bool{}}
	for _, week := range weeks {
		d, err := newDiary(kind, week, taken[week.Account], busy[week.Account])
		if err != nil {
			return nil, err
		}
		for _, o := range d.plan(from, to) {
			for start := o.From; start+kind.length() <= o.To; start += int64(kind.Grid) * minute {
				p.starts[start] = true
			}
		}
		p.diaries = append(p.diaries, d)
	}
	return p, nil
}

func newDiary(kind Type, week Week, taken, busy []Span) (*diary, error) {
	loc, err := zone(week.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone of interviewer %s: %w", week.Account, err)
	}
	d := &diary{Week: week, kind: kind, loc: loc, taken: taken, busy: merge(busy)}
	if kind.DailyMost > 0 {
		d.days = map[string]int{}
		for _, t := range taken {
			d.days[d.date(t.From)]++
		}
	}
	return d, nil
}

func (d *diary) date(at int64) string { return time.UnixMilli(at).In(d.loc).Format(time.DateOnly) }

// plan finds the hours around [from, to], and returns what is offered as it was entered: starts are counted from there.
func (d *diary) plan(from, to time.Time) (offered []Span) {
	offered = d.offered(from, to)
	var blocks, around []Span
	for _, r := range d.Ranges {
		if !r.Extra {
			blocks = append(blocks, d.span(r))
		}
	}
	d.hours = without(merge(offered), merge(blocks))
	for _, b := range d.busy {
		around = append(around, Span{b.From - int64(d.kind.BufferAfter)*minute, b.To + int64(d.kind.BufferBefore)*minute})
	}
	d.open = without(d.hours, merge(around))
	return offered
}

// dueDays are the days on which answers in writing may be due: those on which people are at work. loc is where; nil is where the
// first interviewer is.
func (p *plan) dueDays(loc *time.Location, from, to time.Time) (slots []Slot) {
	if len(p.diaries) == 0 {
		return nil
	}
	d := p.diaries[0]
	if loc == nil {
		loc = d.loc
	}
	for day := midnight(from.In(loc)); ; day = day.AddDate(0, 0, 1) {
		start, _, _ := readings(day, loc)
		if !start.Before(to) {
			return slots
		}
		if !start.Before(from) && d.workday(day) {
			slots = append(slots, Slot{Start: start, Zone: loc.String()})
		}
	}
}

func (d *diary) workday(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !d.holiday(day)
}

func (d *diary) holiday(day time.Time) bool { return d.Holidays && HolidayOn(day.Date()) != "" }

// reach is how far from its start the cells of an interview can lie, at its longest.
const reach = (mostMinutes + mostBuffer) * time.Minute

// taken returns when the study's interviewers are booked, by any study, in reach of [from, to], one booking left out.
func (s *Scheduling) taken(ctx context.Context, study id.Study, but id.Booking, from, to time.Time) (map[id.Account][]Span, error) {
	return s.spans(ctx, `select c.account_id, c.cell * 300000, (c.cell + c.span) * 300000 from interviewer i
		join booking_cell c on c.account_id = i.account_id
		where i.study_id = $1 and c.span > 0 and c.cell >= $2 and c.cell < $3 and c.booking_id <> $4 order by c.account_id, c.cell`,
		study, from.Add(-reach).UnixMilli()/cellLength, to.Add(reach).UnixMilli()/cellLength, but)
}

// spans reads an account and a stretch of time from each row.
func (s *Scheduling) spans(ctx context.Context, query string, args ...any) (map[id.Account][]Span, error) {
	of := map[id.Account][]Span{}
	err := database.Each(ctx, s.db, func(row database.Scanner) error {
		var account id.Account
		var t Span
		err := row.Scan(&account, &t.From, &t.To)
		of[account] = append(of[account], t)
		return err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list taken times: %w", err)
	}
	return of, nil
}

// able returns the interviewers for whom every test holds at a start.
func (p *plan) able(start int64, tests ...func(d *diary, start int64) bool) []*diary {
	var able []*diary
	for _, d := range p.diaries {
		if !slices.ContainsFunc(tests, func(test func(*diary, int64) bool) bool { return !test(d, start) }) {
			able = append(able, d)
		}
	}
	return able
}

// working says whether an interview lies within the interviewer's hours and in the way of nothing elsewhere.
func (d *diary) working(start int64) bool { return within(d.open, start, start+d.kind.length()) }

// idle says whether it does, no booking is in its way, and the day has room for it.
func (d *diary) idle(start int64) bool {
	first, after := d.kind.cells(start, start+d.kind.length())
	return d.working(start) && !meets(d.taken, first*cellLength, after*cellLength) && !d.full(start)
}

func (d *diary) full(start int64) bool {
	return d.days != nil && d.days[d.date(start)] >= d.kind.DailyMost
}

// offered returns the weekly and the extra hours around [from, to], overlapping as they were entered.
func (d *diary) offered(from, to time.Time) []Span {
	var spans []Span
	for day, last := midnight(from.In(d.loc)).AddDate(0, 0, -1), midnight(to.In(d.loc)).AddDate(0, 0, 1); !day.After(last); day = day.AddDate(0, 0, 1) {
		if d.holiday(day) {
			continue
		}
		for _, w := range d.Windows {
			if w.Weekday == day.Weekday() {
				spans = append(spans, d.between(day.Add(time.Duration(w.From)*time.Minute), day.Add(time.Duration(w.To)*time.Minute)))
			}
		}
	}
	for _, r := range d.Ranges {
		if r.Extra {
			spans = append(spans, d.span(r))
		}
	}
	return spans
}

// midnight of t's date, carried in UTC, where every day has 24 hours.
func midnight(t time.Time) time.Time {
	y, m, day := t.Date()
	return time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
}

// between turns wall times into instants. Where the end comes twice the first counts: nobody is kept an hour longer.
func (d *diary) between(from, to time.Time) Span {
	start, _, _ := readings(from, d.loc)
	end, _, _ := readings(to, d.loc)
	return Span{start.UnixMilli(), end.UnixMilli()}
}

// span turns a dated range into instants. A block lasts until the second reading of its end.
func (d *diary) span(r Range) Span {
	from, _ := time.Parse(wallLayout, r.From) // checked when it was added
	to, _ := time.Parse(wallLayout, r.To)
	hours := d.between(from, to)
	if !r.Extra {
		_, last, _ := readings(to, d.loc)
		hours.To = last.UnixMilli()
	}
	return hours
}

// Span is a half-open stretch of time in UTC milliseconds.
type Span struct{ From, To int64 }

// merge joins what overlaps or touches, so that an interview may run from one stretch into the next. A stretch that lay in a gap
// of the clock is none.
func merge(spans []Span) []Span {
	var merged []Span
	for _, s := range slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return cmp.Compare(a.From, b.From) }) {
		if s.From >= s.To {
			continue
		}
		if last := len(merged) - 1; last >= 0 && s.From <= merged[last].To {
			merged[last].To = max(merged[last].To, s.To)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// without takes blocks out of spans; both are by time and do not overlap.
func without(spans, blocks []Span) (left []Span) {
	next := 0
	for _, s := range spans {
		for next < len(blocks) && blocks[next].To <= s.From {
			next++
		}
		for i := next; i < len(blocks) && blocks[i].From < s.To; i++ {
			if s.From < blocks[i].From {
				left = append(left, Span{s.From, blocks[i].From})
			}
			s.From = max(s.From, blocks[i].To)
		}
		if s.From < s.To {
			left = append(left, s)
		}
	}
	return left
}

// after finds the first of the spans that ends after an instant.
func after(spans []Span, at int64) int {
	return sort.Search(len(spans), func(i int) bool { return spans[i].To > at })
}

// within says whether one of the spans holds all of [from, to).
func within(spans []Span, from, to int64) bool {
	i := after(spans, from)
	return i < len(spans) && spans[i].From <= from && to <= spans[i].To
}

// meets says whether one of the spans has something of [from, to).
func meets(spans []Span, from, to int64) bool {
	i := after(spans, from)
	return i < len(spans) && spans[i].From < to
}
