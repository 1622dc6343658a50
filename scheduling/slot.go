package scheduling

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Slot is a time that is offered.
type Slot struct {
	Start time.Time // in the zone
	Zone  string    // the interviewer's, IANA name
}

// Free returns the times offered to an audience that start in [from, to), in order: those at which as many interviewers
// as the type asks for have time, no sooner than the notice and no later than the horizon.
func (s *Scheduling) Free(ctx context.Context, study id.Study, audience string, from, to time.Time) ([]Slot, error) {
	kind, err := s.TypeOf(ctx, study, audience)
	if err != nil {
		return nil, err
	}
	return s.free(ctx, kind, from, to)
}

// Nearest returns up to n free times, the nearest to around first.
func (s *Scheduling) Nearest(ctx context.Context, study id.Study, audience string, around time.Time, n int) ([]Slot, error) {
	kind, err := s.TypeOf(ctx, study, audience)
	if err != nil {
		return nil, err
	}
	now := s.now()
	slots, err := s.free(ctx, kind, now, now.AddDate(0, 0, kind.HorizonDays))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(slots, func(a, b Slot) int {
		return cmp.Compare(a.Start.Sub(around).Abs(), b.Start.Sub(around).Abs())
	})
	return slots[:min(n, len(slots))], nil
}

func (s *Scheduling) free(ctx context.Context, kind Type, from, to time.Time) ([]Slot, error) {
	from, to = kind.offers(s.now(), from, to)
	if !from.Before(to) {
		return nil, nil
	}
	p, err := s.plan(ctx, kind, from, to)
	if err != nil {
		return nil, err
	}
	var slots []Slot
	for _, start := range slices.Sorted(maps.Keys(p.starts)) {
		able := p.able(start, (*diary).idle)
		if start >= from.UnixMilli() && start < to.UnixMilli() && len(able) >= kind.Interviewers {
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

// diary is one interviewer's time.
type diary struct {
	Week
	kind  Type
	loc   *time.Location
	open  []span         // hours, extra ones included, blocked ones taken out
	taken map[int64]bool // cells of bookings
}

// plan reads everything once, however many interviewers and days.
func (s *Scheduling) plan(ctx context.Context, kind Type, from, to time.Time) (*plan, error) {
	weeks, err := s.Weeks(ctx, kind.Study)
	if err != nil {
		return nil, err
	}
	taken, err := s.taken(ctx, kind.Study, from, to)
	if err != nil {
		return nil, err
	}
	p := &plan{kind: kind, starts: map[int64]bool{}}
	for _, week := range weeks {
		loc, err := zone(week.Zone)
		if err != nil {
			return nil, fmt.Errorf("zone of interviewer %s: %w", week.Account, err)
		}
		d := &diary{Week: week, kind: kind, loc: loc, taken: taken[week.Account]}
		offered := d.offered(from, to)
		d.open = merge(offered)
		for _, r := range week.Ranges {
			if !r.Extra {
				d.open = subtract(d.open, d.span(r))
			}
		}
		for _, o := range offered {
			for start := o.from; start+kind.length() <= o.to; start += int64(kind.Grid) * minute {
				p.starts[start] = true
			}
		}
		p.diaries = append(p.diaries, d)
	}
	return p, nil
}

// reach is how far from its start the cells of an interview can lie, at its longest.
const reach = (mostMinutes + mostBuffer) * time.Minute

// taken returns the cells in which the study's interviewers are booked, by any study, in reach of [from, to].
func (s *Scheduling) taken(ctx context.Context, study id.Study, from, to time.Time) (map[id.Account]map[int64]bool, error) {
	taken := map[id.Account]map[int64]bool{}
	err := database.Each(ctx, s.db, func(row database.Scanner) error {
		var account id.Account
		var cell int64
		if err := row.Scan(&account, &cell); err != nil {
			return err
		}
		if taken[account] == nil {
			taken[account] = map[int64]bool{}
		}
		taken[account][cell] = true
		return nil
	}, `select c.account_id, c.cell from interviewer i join booking_cell c on c.account_id = i.account_id
		where i.study_id = $1 and c.cell >= $2 and c.cell < $3`,
		study, from.Add(-reach).UnixMilli()/cellLength, to.Add(reach).UnixMilli()/cellLength)
	if err != nil {
		return nil, fmt.Errorf("list booked cells: %w", err)
	}
	return taken, nil
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

// working says whether an interview lies within the interviewer's hours.
func (d *diary) working(start int64) bool {
	end := start + d.kind.length()
	return slices.ContainsFunc(d.open, func(o span) bool { return o.from <= start && end <= o.to })
}

// idle says whether it does and no booking is in its way.
func (d *diary) idle(start int64) bool {
	if !d.working(start) {
		return false
	}
	first, end := d.kind.cells(start, start+d.kind.length())
	for cell := first; cell < end; cell++ {
		if d.taken[cell] {
			return false
		}
	}
	return true
}

// offered returns the weekly and the extra hours around [from, to], overlapping as they were entered.
func (d *diary) offered(from, to time.Time) []span {
	var spans []span
	midnight := func(t time.Time) time.Time { // of the local date, carried in UTC, where every day has 24 hours
		y, m, day := t.In(d.loc).Date()
		return time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
	}
	for day, last := midnight(from).AddDate(0, 0, -1), midnight(to).AddDate(0, 0, 1); !day.After(last); day = day.AddDate(0, 0, 1) {
		for _, w := range d.Windows {
			if w.Weekday == day.Weekday() {
				spans = append(spans, d.hours(day.Add(time.Duration(w.From)*time.Minute), day.Add(time.Duration(w.To)*time.Minute)))
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

// hours turns wall times into instants. Where the end comes twice the first counts: nobody is kept an hour longer.
func (d *diary) hours(from, to time.Time) span {
	start, _, _ := readings(from, d.loc)
	end, _, _ := readings(to, d.loc)
	return span{start.UnixMilli(), end.UnixMilli()}
}

// span turns a dated range into instants. A block lasts until the second reading of its end.
func (d *diary) span(r Range) span {
	from, _ := time.Parse(wallLayout, r.From) // checked when it was added
	to, _ := time.Parse(wallLayout, r.To)
	hours := d.hours(from, to)
	if !r.Extra {
		_, last, _ := readings(to, d.loc)
		hours.to = last.UnixMilli()
	}
	return hours
}

// span is a half-open stretch of time in UTC milliseconds.
type span struct{ from, to int64 }

// merge joins what overlaps or touches, so that an interview may run from one stretch into the next.
func merge(spans []span) []span {
	var merged []span
	for _, s := range slices.SortedFunc(slices.Values(spans), func(a, b span) int { return cmp.Compare(a.from, b.from) }) {
		if last := len(merged) - 1; last >= 0 && s.from <= merged[last].to {
			merged[last].to = max(merged[last].to, s.to)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

func subtract(spans []span, block span) []span {
	if block.from >= block.to { // it lay in a gap
		return spans
	}
	var left []span
	for _, s := range spans {
		for _, rest := range []span{{s.from, min(s.to, block.from)}, {max(s.from, block.to), s.to}} {
			if rest.from < rest.to {
				left = append(left, rest)
			}
		}
	}
	return left
}
