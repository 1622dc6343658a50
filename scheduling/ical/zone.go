package ical

import (
	"cmp"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must be there on machines without them
)

// at returns the instant at which clocks in loc show wall. As RFC 5545 §3.3.5 has it, a time that they show twice is the
// first, and one that they skip is read by the offset before the change.
func at(wall time.Time, loc *time.Location) time.Time {
	if loc == time.UTC {
		return wall
	}
	before := wall.Add(-offset(wall.Add(-aDay), loc))
	if shows(before, wall, loc) {
		return before
	}
	if after := wall.Add(-offset(wall.Add(aDay), loc)); shows(after, wall, loc) {
		return after
	}
	return before
}

func shows(t, wall time.Time, loc *time.Location) bool { return t.Add(offset(t, loc)).Equal(wall) }

func offset(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// wallIn returns what clocks in loc show at an instant.
func wallIn(t time.Time, loc *time.Location) time.Time { return t.Add(offset(t, loc)).UTC() }

// zones finds the zones that a file names.
type zones struct {
	home  *time.Location
	until time.Time // nothing after it matters
	own   map[string]*ownZone
	found map[string]*time.Location
	meter *meter
}

// of returns the zone of a stamp, which is floating where it names none. Days are at home.
func (z *zones) of(s stamp, floating *time.Location) *time.Location {
	switch {
	case s.form == utc:
		return time.UTC
	case s.form == date:
		return z.home
	case s.tzid == "":
		return floating
	}
	return z.named(s.tzid)
}

func (z *zones) instant(s stamp, floating *time.Location) time.Time {
	return at(s.wall, z.of(s, floating))
}

// named returns the zone of a name. One that nobody knows is taken for home: the owner of a calendar is mostly where it is,
// and a time that is busy an hour off is better than one that is given away.
func (z *zones) named(tzid string) *time.Location {
	if loc, ok := z.found[tzid]; ok {
		return loc
	}
	if len(z.found) == maxZones {
		z.meter.exceed()
		return z.home
	}
	z.found[tzid] = cmp.Or(z.find(unquoted(tzid)), z.home)
	return z.found[tzid]
}

// find looks a name up: IANA's, also at the end of a path as Mozilla and libical write it, then that of Windows, then the
// file's own definition, and at last the cities that Outlook on the web puts where a name should be.
func (z *zones) find(name string) *time.Location {
	parts := strings.Split(name, "/")
	for first := max(0, len(parts)-mostParts); first < max(1, len(parts)-1); first++ {
		if loc := iana(strings.Join(parts[first:], "/")); loc != nil {
			return loc
		}
	}
	if loc := windows(parts[len(parts)-1]); loc != nil {
		return loc
	}
	if own, ok := z.own[name]; ok {
		return own.location(z.until, z.meter)
	}
	return windows(cities(name))
}

const mostParts = 3 // of a zone's name, such as America/Indiana/Knox

// ianaName is what their zones are called. Anything else is not looked for, since the search may go through folders.
var ianaName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]{0,30}(/[A-Z][A-Za-z0-9_+-]{0,30}){0,2}$`)

func iana(name string) *time.Location {
	if !ianaName.MatchString(name) || name == "Local" {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}

// windowsNames finds the zones of windowsZones by name and by cities, in small letters.
var windowsNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{"utc": "UTC", "coordinated universal time": "UTC"}
	for _, z := range windowsZones {
		names[strings.ToLower(z.name)] = z.iana
		names[strings.ToLower(z.cities)] = z.iana
	}
	return names
})

func windows(name string) *time.Location { return iana(windowsNames()[strings.ToLower(name)]) }

// cities takes the offset away that precedes them: (UTC-05:00) Eastern Time (US and Canada).
func cities(name string) string {
	_, rest, _ := strings.Cut(name, ") ")
	return strings.ReplaceAll(rest, " and Canada", " & Canada")
}

// ownZone is a zone that a file defines (RFC 5545 §3.6.5).
type ownZone struct {
	name    string
	offsets []*ownOffset
}

// ownOffset is an offset and when it comes into force, by the clock that is about to change.
type ownOffset struct {
	start    stamp
	from, to int  // seconds east of UTC, before and since
	known    bool // to is there
	faulty   bool // something else could not be read
	rules    []rule
	dates    []period
}

func (o *ownOffset) set(l line, m *meter) {
	var err error
	switch l.name {
	case "DTSTART":
		o.start, err = parseStamp(l.value, "")
	case "TZOFFSETFROM":
		o.from, err = parseOffset(l.value)
	case "TZOFFSETTO":
		o.to, err = parseOffset(l.value)
		o.known = true
	case "RRULE":
		o.rules, err = appendRule(o.rules, l, m)
	case "RDATE":
		o.dates, err = appendPeriods(o.dates, l, m)
	}
	o.faulty = o.faulty || err != nil
}

// onset is the instant, in Unix seconds, since when an offset is in force.
type onset struct {
	at       int64
	from, to int
}

// beforeAppointments is when zones begin to be looked at: the rules of Exchange go back to 1601.
var beforeAppointments = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// location makes the zone usable like those of the database, until a time; nil where it says nothing, or not all of it can
// be read: half a zone is wrong for half of the year.
func (z *ownZone) location(until time.Time, m *meter) *time.Location {
	var all []onset
	for _, o := range z.offsets {
		if o.start.form == absent || !o.known || o.faulty {
			return nil
		}
		all = o.onsets(all, until, m)
	}
	slices.SortStableFunc(all, func(a, b onset) int { return cmp.Compare(a.at, b.at) })
	if len(all) == 0 || m.over() {
		return nil
	}
	loc, err := time.LoadLocationFromTZData(z.name, compiled(all))
	if err != nil {
		return nil
	}
	return loc
}

func (o *ownOffset) onsets(all []onset, until time.Time, m *meter) []onset {
	add := func(wall time.Time) bool {
		all = append(all, onset{wall.Unix() - int64(o.from), o.from, o.to})
		return m.instance()
	}
	add(o.start.wall)
	for _, r := range o.rules {
		last := until
		if r.until.form != absent {
			last = r.until.wall.Add(time.Duration(o.from) * time.Second) // UNTIL is in UTC
		}
		r.each(o.start.wall, beforeAppointments, earlier(last, until), m, func(t time.Time) bool { return !t.After(last) && add(t) })
	}
	for _, p := range o.dates {
		add(p.start.wall)
	}
	return all
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// compiled writes onsets, in their order, in the format of the zone database (RFC 8536): a first block of the old version
// with nothing in it, then times of 64 bits. What holds before the first onset is the first type, which no onset has.
func compiled(all []onset) []byte {
	types := []int{all[0].from}
	var times, indexes, infos []byte
	for _, o := range all {
		i := 1 + slices.Index(types[1:], o.to)
		if i == 0 && len(types) < mostTypes {
			i, types = len(types), append(types, o.to)
		}
		times = binary.BigEndian.AppendUint64(times, uint64(o.at))
		indexes = append(indexes, byte(i))
	}
	for _, seconds := range types {
		infos = append(binary.BigEndian.AppendUint32(infos, uint32(seconds)), 0, 0) // not daylight saving; the only abbreviation
	}
	empty, full := tzHeader(0, 0, 0), tzHeader(len(all), len(types), 1)
	return slices.Concat(empty, full, times, indexes, infos, []byte{0})
}

const mostTypes = 256 // their index is an octet

func tzHeader(times, types, letters int) []byte {
	header := append([]byte("TZif2"), make([]byte, 15)...)
	for _, n := range []int{0, 0, 0, times, types, letters} {
		header = binary.BigEndian.AppendUint32(header, uint32(n))
	}
	return header
}
