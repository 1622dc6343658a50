package scheduling

import (
	"fmt"
	"time"
	_ "time/tzdata" // zones must be there on machines without them

	"example.org/feltbok/internal/errs"
)

// wallLayout writes a local wall time; its order as text is its order in time.
const wallLayout = "2006-01-02T15:04"

// zone loads an IANA zone by name. "Local" would mean another place on every machine.
func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is no zone", name)
	}
	return time.LoadLocation(name)
}

// Instants returns when a zone's clocks show a wall time, written 2006-01-02T15:04: once as a rule, never in the gap
// when they are put forward, twice when they are put back. It is Invalid where the text or the zone cannot be read.
func Instants(wall, zoneName string) ([]time.Time, error) {
	var check errs.Check
	at, err := time.Parse(wallLayout, wall)
	if err != nil {
		check.Add("start", "scheduling.time")
	}
	loc, err := zone(zoneName)
	if err != nil {
		check.Add("zone", "scheduling.zone")
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	first, last, exists := readings(at, loc)
	switch {
	case !exists:
		return nil, nil
	case first.Equal(last):
		return []time.Time{first}, nil
	}
	return []time.Time{first, last}, nil
}

// readings returns the first and the last instant at which clocks in loc show what wall shows in UTC. In a gap, exists
// is false and both are the moment of the change. time.Date alone does not say which reading it took.
func readings(wall time.Time, loc *time.Location) (first, last time.Time, exists bool) {
	const aDay = 24 * time.Hour // zones do not change twice within two days
	early := wall.Add(-offset(wall.Add(-aDay), loc)).In(loc)
	late := wall.Add(-offset(wall.Add(aDay), loc)).In(loc)
	shows := func(t time.Time) bool { return t.Format(wallLayout) == wall.Format(wallLayout) }
	switch {
	case shows(early) && shows(late):
		return early, late, true
	case shows(early):
		return early, early, true
	case shows(late):
		return late, late, true
	}
	change, _ := early.ZoneBounds() // by the old offset, a time in the gap comes after the change
	return change, change, false
}

func offset(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}
