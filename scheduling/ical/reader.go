package ical

import "time"

// reader turns events into the stretches that they occupy within its window.
type reader struct {
	from, to time.Time
	zones    zones
	meter    *meter
	busy     []Busy
	skipped  int
}

// byUID gathers the events that speak of one another, in the order of their first. Those without a UID speak for themselves.
func byUID(events []*event) [][]*event {
	var groups [][]*event
	places := map[string]int{}
	for _, e := range events {
		at, known := places[e.uid]
		if known && !e.stray {
			groups[at] = append(groups[at], e)
			continue
		}
		if e.uid != "" && !e.stray {
			places[e.uid] = len(groups)
		}
		groups = append(groups, []*event{e})
	}
	return groups
}

// read takes the events of one UID: those that repeat or stand alone, and those that replace one repetition.
func (r *reader) read(events []*event) {
	masters, replacing := r.current(events)
	for _, e := range masters {
		r.repeat(e, replacing)
	}
	for _, e := range replacing {
		e.rules, e.dates, e.except = nil, nil, nil
		r.repeat(e, nil)
	}
}

// current leaves out what a higher SEQUENCE has made old (RFC 5546 §2.1.4). Of masters with the same, all count: programs
// that use a UID twice mean two events. Of replacements with the same, the last does.
func (r *reader) current(events []*event) (masters, replacing []*event) {
	newest := 0
	places := map[int64]int{} // in replacing, by the start that they replace
	for _, e := range events {
		switch {
		case e.replaces.form != absent:
			key := r.zones.instant(e.replaces, r.zone(e)).Unix()
			if at, known := places[key]; !known {
				places[key], replacing = len(replacing), append(replacing, e)
			} else if e.sequence >= replacing[at].sequence {
				replacing[at] = e
			}
		case e.sequence > newest:
			masters, newest = []*event{e}, e.sequence
		case e.sequence == newest:
			masters = append(masters, e)
		}
	}
	return masters, replacing
}

// zone returns the zone in which an event repeats, and in which all of its times are that name none.
func (r *reader) zone(e *event) *time.Location {
	floating := r.zones.home
	if e.floats != "" {
		floating = r.zones.named(e.floats)
	}
	return r.zones.of(e.start, floating)
}

// length returns how long an event lasts. It is false where it ends before it starts. By RFC 5545 §3.8.5.3, repetitions
// last as many seconds as the first where the end is a time.
func (r *reader) length(e *event, zone *time.Location) (length, bool) {
	switch {
	case e.end.form == absent && e.lasts != nil:
		return *e.lasts, true
	case e.end.form == absent && e.start.form == date:
		return length{days: 1}, true
	case e.end.form == absent:
		return length{}, true
	case e.start.form == date && e.end.form == date:
		days := int((e.end.wall.Unix() - e.start.wall.Unix()) / unit[daily])
		return length{days: max(1, days)}, days >= 0 // some let a day end on itself
	}
	seconds := r.zones.instant(e.end, zone).Unix() - r.zones.instant(e.start, zone).Unix()
	return length{seconds: seconds}, seconds >= 0
}

// end returns when something ends that starts at a wall time.
func (l length) end(wall time.Time, zone *time.Location) time.Time {
	start := at(wall, zone)
	if l.days > 0 {
		start = at(wall.AddDate(0, 0, l.days), zone)
	}
	return time.Unix(start.Unix()+l.seconds, 0)
}

// before returns a time that much earlier, on a clock.
func (l length) before(wall time.Time) time.Time {
	return time.Unix(wall.Unix()-l.seconds, 0).UTC().AddDate(0, 0, -l.days)
}

func longer(a, b length) length { return length{max(a.days, b.days), max(a.seconds, b.seconds)} }

// add adds a stretch if it is within the window. It is false where there are too many.
func (r *reader) add(start, end time.Time, uid string) bool {
	if !end.After(start) || !end.After(r.from) || !start.Before(r.to) {
		return true
	}
	if !r.meter.instance() {
		return false
	}
	r.busy = append(r.busy, Busy{start.UTC(), end.UTC(), uid})
	return true
}

// repeat adds what an event and its repetitions occupy, but for those that are replaced.
func (r *reader) repeat(e *event, replacing []*event) {
	zone := r.zone(e)
	for _, p := range e.busy {
		r.add(r.zones.instant(p.start, zone), r.ends(p, zone), e.uid)
	}
	if e.free || e.start.form == absent {
		return
	}
	lasts, ok := r.length(e, zone)
	if !ok {
		r.skip(e)
		return
	}
	s := series{reader: r, event: e, zone: zone, lasts: lasts, longest: lasts}
	s.leaveOut(replacing)
	s.expand()
}

// skip counts an event that the parser had no fault to find with.
func (r *reader) skip(e *event) {
	if !e.faulty {
		e.faulty = true
		r.skipped++
	}
}

// ends returns when a period ends; one that is alone has no length.
func (r *reader) ends(p period, zone *time.Location) time.Time {
	if p.end.form != absent {
		return r.zones.instant(p.end, zone)
	}
	return p.length.end(p.start.wall, r.zones.of(p.start, zone))
}
