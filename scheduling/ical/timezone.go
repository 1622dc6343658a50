package ical

import (
	"fmt"
	"sync"
	"time"

	"github.com/emersion/go-ical"
)

// named says whether a location can be written as a TZID. UTC needs none.
func named(loc *time.Location) bool {
	return loc != time.UTC && loc.String() != "Local" && loc.String() != "UTC"
}

// shownTwice says whether the clock shows this time twice, on the night when it is put back. RFC 5545 §3.3.5 means the first of the
// two; not every program does.
func shownTwice(t time.Time) bool {
	begin, end := t.ZoneBounds()
	return !begin.IsZero() && t.Before(begin.Add(-lost(begin))) || !end.IsZero() && !t.Before(end.Add(lost(end)))
}

// lost is by how much the clock is put forward at a change; it is negative where it is put back.
func lost(change time.Time) time.Duration {
	_, before := change.Add(-time.Second).Zone()
	_, after := change.Zone()
	return time.Duration(after-before) * time.Second
}

// written are the descriptions of zones that were made before: all events of a season share one.
var written sync.Map // of stretch to []byte

// stretch is what a description of a zone depends on.
type stretch struct {
	zone     string
	from, to int64 // when the offsets of an event's start and end came into force, Unix time
}

// timezoneText is timezone as it is written.
func timezoneText(loc *time.Location, from, to time.Time) ([]byte, error) {
	since := func(t time.Time) int64 {
		begin, _ := t.In(loc).ZoneBounds()
		return begin.Unix()
	}
	key := stretch{loc.String(), since(from), since(to)}
	if text, ok := written.Load(key); ok {
		return text.([]byte), nil
	}
	text, err := encode(timezone(loc, from, to))
	if err == nil {
		written.Store(key, text)
	}
	return text, err
}

// timezone describes a zone around an event: the observances that it touches and the one after, each with its single
// onset. Rules are not needed for one event, and the database of zones gives none.
func timezone(loc *time.Location, from, to time.Time) *ical.Component {
	zone := ical.NewComponent(ical.CompTimezone)
	set(zone, ical.PropTimezoneID, loc.String())
	for at := from.In(loc); ; {
		zone.Children = append(zone.Children, observance(at))
		_, end := at.ZoneBounds()
		if end.IsZero() || at.After(to) {
			return zone
		}
		at = end
	}
}

// observance describes the offset in force at a time and the moment since when it is (RFC 5545 §3.6.5).
func observance(at time.Time) *ical.Component {
	name := ical.CompTimezoneStandard
	if at.IsDST() {
		name = ical.CompTimezoneDaylight
	}
	abbreviation, seconds := at.Zone()
	onset, before := "19700101T000000", seconds // in force since before anybody counts
	if begin, _ := at.ZoneBounds(); !begin.IsZero() {
		_, before = begin.Add(-time.Second).Zone()
		onset = begin.UTC().Add(time.Duration(before) * time.Second).Format(localLayout) // by the clock that is about to change
	}
	c := ical.NewComponent(name)
	set(c, ical.PropDateTimeStart, onset)
	set(c, ical.PropTimezoneOffsetFrom, utcOffset(before))
	set(c, ical.PropTimezoneOffsetTo, utcOffset(seconds))
	set(c, ical.PropTimezoneName, abbreviation)
	return c
}

// utcOffset writes an offset (RFC 5545 §3.3.14).
func utcOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf("%02d", seconds%60)
	}
	return text
}
