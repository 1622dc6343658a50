package ical

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// errValue says that a value is not what its property takes. It stays in this package: its event is counted as skipped.
var errValue = errors.New("unreadable value")

// stamp is a DATE or a DATE-TIME as it is written (RFC 5545 §3.3.4, §3.3.5).
type stamp struct {
	wall time.Time // what the clock shows, labelled as UTC
	form form
	tzid string // empty for floating times
}

type form int

const (
	absent form = iota
	date
	local
	utc
)

// parseStamp reads a stamp. Its shape decides, whatever VALUE says.
func parseStamp(text, tzid string) (stamp, error) {
	text = strings.ToUpper(text)
	s := stamp{form: local, tzid: tzid}
	if zulu, ok := strings.CutSuffix(text, "Z"); ok {
		text, s.form, s.tzid = zulu, utc, ""
	}
	layout := localLayout
	if len(text) == len(dateLayout) { // Google has written days with a Z
		layout, s.form, s.tzid = dateLayout, date, ""
	}
	if minute, leap := strings.CutSuffix(text, "60"); leap && s.form != date {
		text = minute + "59" // the leap second counts as the one before (§3.3.12)
	}
	var err error
	if s.wall, err = time.Parse(layout, text); err != nil || len(text) != len(layout) { // Parse would take fractions too
		return stamp{}, errValue
	}
	return s, nil
}

const dateLayout = "20060102"

// length is how long something lasts: days by the calendar, then seconds by the clock (RFC 5545 §3.3.6).
type length struct {
	days    int
	seconds int64
}

const (
	aDay        = 24 * time.Hour
	mostDays    = 200 * 366
	mostSeconds = mostDays * 24 * 60 * 60
)

// parseLength reads a DURATION that is not negative.
func parseLength(text string) (length, error) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(strings.ToUpper(text), "+"), "P")
	days, clock, timed := strings.Cut(rest, "T")
	if !ok || days == "" && clock == "" || timed && clock == "" {
		return length{}, errValue
	}
	n, err := amount(days, "WD", 7, 1)
	seconds, clockErr := amount(clock, "HMS", 60*60, 60, 1)
	if err != nil || clockErr != nil || n > mostDays || seconds > mostSeconds {
		return length{}, errValue
	}
	return length{int(n), seconds}, nil
}

// amount adds numbers up that are followed by one of units each, in that order.
func amount(text, units string, worth ...int64) (int64, error) {
	var sum int64
	for text != "" {
		digits := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 1 {
			return 0, errValue
		}
		unit := strings.IndexByte(units, text[digits])
		n, err := strconv.ParseInt(text[:digits], 10, 32)
		if unit < 0 || err != nil {
			return 0, errValue
		}
		sum += n * worth[unit]
		text, units, worth = text[digits+1:], units[unit+1:], worth[unit+1:]
	}
	return sum, nil
}

// period is a stretch of time (RFC 5545 §3.3.9), or a mere start.
type period struct {
	start, end stamp  // end is absent where it is said how long it lasts
	length     length // zero where an end is given
	alone      bool   // neither: it lasts as long as its event does
}

func parsePeriod(text, tzid string) (period, error) {
	first, second, both := strings.Cut(text, "/")
	start, err := parseStamp(first, tzid)
	p := period{start: start, alone: !both}
	if err != nil || !both {
		return p, err
	}
	if strings.HasPrefix(strings.ToUpper(second), "P") {
		p.length, err = parseLength(second)
	} else {
		p.end, err = parseStamp(second, tzid)
	}
	return p, err
}

// parseOffset reads a UTC-OFFSET (RFC 5545 §3.3.14) as seconds.
func parseOffset(text string) (int, error) {
	if len(text) != len("+hhmm") && len(text) != len("+hhmmss") || text[0] != '+' && text[0] != '-' {
		return 0, errValue
	}
	n, err := strconv.ParseUint((text + "00")[1:len("+hhmmss")], 10, 32)
	hours, minutes, seconds := int(n/10000), int(n/100%100), int(n%100)
	if err != nil || hours > 23 || minutes > 59 || seconds > 59 {
		return 0, errValue
	}
	sum := hours*60*60 + minutes*60 + seconds
	if text[0] == '-' {
		sum = -sum
	}
	return sum, nil
}
