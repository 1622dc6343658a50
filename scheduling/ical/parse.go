package ical

import (
	"slices"
	"strconv"
	"strings"
)

// event is a VEVENT, or a VFREEBUSY, which has nothing but periods.
type event struct {
	uid        string
	sequence   int
	free       bool   // transparent, cancelled or otherwise nobody's time
	floats     string // the zone of its times without one, if the calendar says so
	start, end stamp
	lasts      *length
	replaces   stamp // RECURRENCE-ID: the start that this one stands for
	onwards    bool  // and for all that come after, RANGE=THISANDFUTURE
	rules      []rule
	dates      []period // RDATE
	except     []period // EXDATE
	busy       []period // FREEBUSY, only of a VFREEBUSY
	faulty     bool     // something in it could not be read
	lost       bool     // so that nobody knows when it is
	stray      bool     // or what it stands for
}

// parser gathers the events and the zones of a file.
type parser struct {
	meter   *meter
	events  []*event
	zones   map[string]*ownZone // by TZID; the first of a name counts
	kept    int                 // components that say something
	seen    int                 // events among them, also those that are lost
	skipped int                 // those that are faulty

	calendar bool     // one has begun
	path     []string // names of the open components
	floats   string   // X-WR-TIMEZONE of the open calendar
	// The last to begin of each, which a line belongs to where its component is open.
	event  *event
	zone   *ownZone
	offset *ownOffset
}

func (p *parser) parse(data []byte) error {
	if err := eachLine(data, p.line); err != nil {
		return err
	}
	switch {
	case !p.calendar:
		return ErrNotCalendar
	case len(p.path) > 1: // only the last line may be missing
		return ErrUnreadable
	}
	return nil
}

func (p *parser) line(l line) error {
	switch {
	case l.name == "BEGIN":
		return p.begin(strings.ToUpper(l.value))
	case l.name == "END":
		p.end(strings.ToUpper(l.value))
	case len(p.path) > 0:
		p.property(l)
	}
	if p.meter.over() {
		return ErrTooMany
	}
	return nil
}

// begin opens a component. A calendar or an event that begins where it cannot be ends what was left open.
func (p *parser) begin(name string) error {
	switch name {
	case "VCALENDAR":
		p.close(0)
		p.calendar, p.floats = true, ""
	case "VEVENT", "VFREEBUSY", "VTIMEZONE":
		p.close(1)
	}
	if name != "VCALENDAR" && len(p.path) == 0 {
		return nil // not in a calendar
	}
	if p.path = append(p.path, name); len(p.path) > maxDepth {
		return ErrTooMany
	}
	switch name {
	case "VEVENT", "VFREEBUSY":
		p.event = &event{floats: p.floats}
		p.seen++
	case "VTIMEZONE":
		p.zone = &ownZone{}
	case "STANDARD", "DAYLIGHT":
		p.offset = &ownOffset{}
	default:
		return nil
	}
	if p.kept++; p.kept > maxEvents {
		return ErrTooMany
	}
	return nil
}

// end closes a component and what was left open in it. An end without a beginning says nothing.
func (p *parser) end(name string) {
	for i, open := range slices.Backward(p.path) {
		if open == name {
			p.close(i)
			return
		}
	}
}

// close closes all but the outermost open components.
func (p *parser) close(keep int) {
	for len(p.path) > keep {
		last := len(p.path) - 1
		name := p.path[last]
		p.path = p.path[:last]
		switch {
		case name == "VEVENT" || name == "VFREEBUSY":
			p.closeEvent(name)
		case name == "VTIMEZONE" && p.zones[p.zone.name] == nil:
			p.zones[p.zone.name] = p.zone
		case (name == "STANDARD" || name == "DAYLIGHT") && p.path[last-1] == "VTIMEZONE":
			p.zone.offsets = append(p.zone.offsets, p.offset)
		}
	}
}

func (p *parser) closeEvent(name string) {
	e := p.event
	if name == "VEVENT" && e.start.form == absent {
		e.faulty, e.lost = true, true
	}
	if e.faulty {
		p.skipped++
	}
	if !e.lost {
		p.events = append(p.events, e)
	}
}

// property gives a line to the component that it stands in.
func (p *parser) property(l line) {
	switch p.path[len(p.path)-1] {
	case "VCALENDAR":
		if l.name == "X-WR-TIMEZONE" {
			p.floats = l.value
		}
	case "VEVENT":
		p.event.set(l, p.meter)
	case "VFREEBUSY":
		p.event.setFreeBusy(l, p.meter)
	case "VTIMEZONE":
		if l.name == "TZID" {
			p.zone.name = unquoted(l.value)
		}
	case "STANDARD", "DAYLIGHT":
		p.offset.set(l, p.meter)
	}
}

// unquoted takes away what some write around and within the names of zones.
func unquoted(tzid string) string { return strings.Trim(strings.ReplaceAll(tzid, `\`, ""), `" `) }

func (e *event) set(l line, m *meter) {
	if err := e.setTime(l, m); err != nil {
		e.faulty = true
	}
	switch l.name {
	case "UID":
		e.uid = clean(l.value)
	case "SEQUENCE":
		n, _ := strconv.Atoi(l.value) // none is zero
		e.sequence = max(0, n)
	case "TRANSP":
		e.free = e.free || strings.EqualFold(l.value, "TRANSPARENT")
	case "STATUS":
		e.free = e.free || strings.EqualFold(l.value, "CANCELLED")
	case "X-MICROSOFT-CDO-BUSYSTATUS":
		e.free = e.free || strings.EqualFold(l.value, "FREE") || strings.EqualFold(l.value, "WORKINGELSEWHERE") // at home, say
	}
}

// setTime takes what says when the event is. What cannot be read is left out of it, unless nothing is known without it.
func (e *event) setTime(l line, m *meter) (err error) {
	switch l.name {
	case "DTSTART":
		if e.start.form == absent {
			e.start, err = parseStamp(l.value, l.tzid)
		}
	case "DTEND":
		e.end, err = parseStamp(l.value, l.tzid)
		e.lost = e.lost || err != nil
	case "DURATION":
		var lasts length
		lasts, err = parseLength(l.value)
		e.lasts, e.lost = &lasts, e.lost || err != nil
	case "RECURRENCE-ID":
		e.replaces, err = parseStamp(l.value, l.tzid)
		e.onwards, e.stray = l.scope == "THISANDFUTURE", err != nil
	case "RRULE":
		e.rules, err = appendRule(e.rules, l, m)
	case "RDATE":
		e.dates, err = appendPeriods(e.dates, l, m)
	case "EXDATE":
		e.except, err = appendPeriods(e.except, l, m)
	}
	return err
}

func (e *event) setFreeBusy(l line, m *meter) {
	switch {
	case l.name == "UID":
		e.uid = clean(l.value)
	case l.name == "FREEBUSY" && l.fbtype != "FREE":
		var err error
		e.busy, err = appendPeriods(e.busy, l, m)
		e.faulty = e.faulty || err != nil
	}
}

func appendRule(rules []rule, l line, m *meter) ([]rule, error) {
	r, err := parseRule(l.value)
	if err != nil || !m.date() {
		return rules, err
	}
	return append(rules, r), nil
}

// appendPeriods adds those of a list that can be read, and says whether there were others.
func appendPeriods(periods []period, l line, m *meter) ([]period, error) {
	var wrong error
	for text := range strings.SplitSeq(l.value, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue // an empty list says nothing
		}
		if !m.date() {
			break
		}
		p, err := parsePeriod(text, l.tzid)
		if err != nil {
			wrong = err
			continue
		}
		periods = append(periods, p)
	}
	return periods, wrong
}
