package ical

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"example.org/feltbok/internal/errs"
)

var (
	// ErrNotCalendar is Invalid: there is no calendar in the file; often it is a web page.
	ErrNotCalendar = errs.New(errs.Invalid, "scheduling.feed_not_calendar")
	// ErrTooLarge is Invalid: the file has more than MaxBytes.
	ErrTooLarge = errs.New(errs.Invalid, "scheduling.feed_too_large")
	// ErrLongLine is Invalid: a line that says when something is has more than 8 KiB.
	ErrLongLine = errs.New(errs.Invalid, "scheduling.feed_long_line")
	// ErrTooMany is Invalid: more events or repetitions than a person has.
	ErrTooMany = errs.New(errs.Invalid, "scheduling.feed_too_many")
	// ErrUnreadable is Invalid: the file ends in the middle of something, or none of its events can be read.
	ErrUnreadable = errs.New(errs.Invalid, "scheduling.feed_unreadable")
)

// MaxBytes is how large a calendar file may be. Whoever fetches one need not read further.
const MaxBytes = 5 << 20

const (
	maxLine      = 8 << 10   // octets of an unfolded line that matters; others may be longer
	maxDepth     = 8         // of components within one another
	maxEvents    = 20_000    // in a file, also those that are free, with the zones that it defines
	maxDates     = 50_000    // listed in a file: RRULE, RDATE, EXDATE, FREEBUSY
	maxInstances = 50_000    // near the window, and changes of the clock
	maxZones     = 100       // named in a file
	maxSteps     = 2_000_000 // days and times that rules look at
)

// Busy is a stretch in which somebody is occupied.
type Busy struct {
	Start, End time.Time // UTC; the end is after the start
	UID        string    // of its event, the same for all repetitions; may be empty
}

// Reading is what a calendar file says.
type Reading struct {
	Busy    []Busy // by start, none twice; they may overlap
	Skipped int    // events that could not be read, or of which a part could not
}

// ReadBusy reads a calendar file and returns what is busy at some time within [from, to), each stretch at its full length.
// zone is the owner's: all-day events and times without a zone are in it. What is free, transparent or cancelled is left
// out. The work it does is limited whatever the file holds. It returns one of the errors above.
func ReadBusy(data []byte, zone *time.Location, from, to time.Time) (Reading, error) {
	if len(data) > MaxBytes {
		return Reading{}, ErrTooLarge
	}
	m := &meter{steps: maxSteps, instances: maxInstances, dates: maxDates}
	p := parser{meter: m, zones: map[string]*ownZone{}}
	if err := p.parse(bytes.TrimPrefix(data, []byte("\ufeff"))); err != nil {
		return Reading{}, err
	}
	r := reader{
		from: from, to: to, meter: m, skipped: p.skipped,
		zones: zones{home: zone, until: to.AddDate(1, 0, 0), own: p.zones, found: map[string]*time.Location{}, meter: m},
	}
	for _, events := range byUID(p.events) {
		r.read(events)
	}
	switch {
	case m.over():
		return Reading{}, ErrTooMany
	case p.seen > 0 && len(p.events) == 0:
		return Reading{}, ErrUnreadable
	}
	slices.SortFunc(r.busy, func(a, b Busy) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.UID, b.UID))
	})
	return Reading{slices.Compact(r.busy), r.skipped}, nil
}

// meter measures the work on one file, so that it has an end.
type meter struct{ steps, instances, dates int }

func (m *meter) step(n int) bool { m.steps -= n; return m.steps >= 0 }
func (m *meter) instance() bool  { m.instances--; return m.instances >= 0 }
func (m *meter) date() bool      { m.dates--; return m.dates >= 0 }
func (m *meter) exceed()         { m.steps = -1 }
func (m *meter) over() bool      { return m.steps < 0 || m.instances < 0 || m.dates < 0 }
