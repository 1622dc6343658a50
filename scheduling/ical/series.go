package ical

import (
	"slices"
	"sort"
	"time"
)

// series is an event with its repetitions.
type series struct {
	*reader
	event    *event
	zone     *time.Location
	lasts    length
	gone     map[int64]bool // starts that are excepted or replaced, in Unix seconds
	goneDays map[int64]bool // days of which they are, where only the day is said
	onwards  []change       // by since
	longest  length         // of lasts and what changes it
	farthest time.Duration  // that a change moves something
}

// change is a replacement that stands for all later repetitions as well (RANGE=THISANDFUTURE, RFC 5545 §3.2.13).
type change struct {
	since time.Time
	by    time.Duration // on the clock
	lasts length
	free  bool
}

// leaveOut notes which repetitions do not take place as the rules have it.
func (s *series) leaveOut(replacing []*event) {
	const dear = 8 // steps that each takes, and for each event of the UID: some use one twice, nobody a thousand times
	if !s.meter.step(dear * len(replacing)) {
		return
	}
	for _, p := range s.event.except {
		s.except(p.start)
	}
	for _, e := range replacing {
		s.except(e.replaces)
		if e.onwards {
			s.change(e)
		}
	}
	slices.SortStableFunc(s.onwards, func(a, b change) int { return a.since.Compare(b.since) })
}

// except leaves one repetition out. Whole days know only dates, whatever is written.
func (s *series) except(start stamp) {
	if s.goneDays == nil {
		s.gone, s.goneDays = map[int64]bool{}, map[int64]bool{}
	}
	if start.form != date && s.event.start.form != date {
		s.gone[s.zones.instant(start, s.zone).Unix()] = true
		return
	}
	day := midnight(start.wall)
	if here := wallIn(start.wall, s.zone); start.form == utc && here.Equal(midnight(here)) {
		day = here
	}
	s.goneDays[day.Unix()] = true
}

func (s *series) change(e *event) {
	zone := s.reader.zone(e)
	lasts, ok := s.length(e, zone)
	if !ok {
		return
	}
	by := wallIn(s.zones.instant(e.start, zone), s.zone).Sub(wallIn(s.zones.instant(e.replaces, s.zone), s.zone))
	s.onwards = append(s.onwards, change{s.zones.instant(e.replaces, s.zone), by, lasts, e.free})
	s.longest, s.farthest = longer(s.longest, lasts), max(s.farthest, by.Abs())
}

// expand adds what of the series is within the window. Its start always belongs to it.
func (s *series) expand() {
	s.take(s.event.start.wall, s.lasts)
	from := s.longest.before(wallIn(s.from, s.zone)).Add(-s.farthest - aDay)
	to := wallIn(s.to, s.zone).Add(s.farthest + aDay)
	for _, r := range s.event.rules {
		until := s.until(r, to)
		last := earlier(to, wallIn(until, s.zone).Add(aDay))
		r.each(s.event.start.wall, from, last, s.meter, func(wall time.Time) bool {
			return !wall.After(last) && !at(wall, s.zone).After(until) && s.take(wall, s.lasts)
		})
	}
	for _, p := range s.event.dates {
		s.date(p)
	}
}

// until returns the last instant at which a rule may make a start. That it is in UTC where the start has a zone, or a day
// where the start is a day, is what many programs do not know.
func (s *series) until(r rule, to time.Time) time.Time {
	switch r.until.form {
	case absent:
		return at(to, s.zone)
	case date:
		return at(r.until.wall.AddDate(0, 0, 1), s.zone).Add(-time.Second)
	}
	return s.zones.instant(r.until, s.zone)
}

// date adds what RDATE lists. A mere day of an event with a time is meant at that time.
func (s *series) date(p period) {
	start := s.zones.instant(p.start, s.zone)
	wall, lasts := wallIn(start, s.zone), s.lasts
	if p.start.form == date {
		first := s.event.start.wall
		wall = p.start.wall.Add(first.Sub(midnight(first)))
	}
	if !p.alone {
		lasts = length{seconds: s.ends(p, s.zone).Unix() - start.Unix()}
	}
	s.take(wall, lasts)
}

// take adds one start with what has become of it. It is false where there are too many.
func (s *series) take(wall time.Time, lasts length) bool {
	start := at(wall, s.zone).Unix()
	if s.gone[start] || s.goneDays[midnight(wall).Unix()] {
		return true
	}
	if c := s.changed(start); c != nil {
		if c.free {
			return true
		}
		wall, lasts = wall.Add(c.by), c.lasts
	}
	return s.add(at(wall, s.zone), lasts.end(wall, s.zone), s.event.uid)
}

// changed returns the last change that a start comes after, if any.
func (s *series) changed(start int64) *change {
	later := sort.Search(len(s.onwards), func(i int) bool { return s.onwards[i].since.Unix() > start })
	if later == 0 {
		return nil
	}
	return &s.onwards[later-1]
}
