// Package ical writes one appointment as a calendar object for a mail or a download (RFC 5545, 5546, 6047), and reads from
// a calendar file when its owner is busy. Of writing it owns the folding of lines, the time zone that travels with the
// event, and keeping text from forging lines. Of reading it owns what a file of whatever origin may cost, repetitions and
// zones; titles, places and people are let go unread. What the texts say, who gets them, the mail around them, how a file
// is fetched and how long what it says is kept are left to others. There is no clock in it and no network.
package ical

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-ical"
)

// Method is what the object asks of its reader (RFC 5546 §1.4).
type Method string

const (
	Request Method = "REQUEST" // a new or changed appointment
	Cancel  Method = "CANCEL"
	Publish Method = "PUBLISH" // a copy to keep, with no attendee
)

// Address names somebody who takes part.
type Address struct{ Name, Email string }

// Event is one appointment as one reader sees it: a single attendee, so that nobody learns of the others.
type Event struct {
	Method      Method
	UID         string        // never changes
	Sequence    int           // rises with every change
	Stamp       time.Time     // of the last change
	Start, End  time.Time     // in the zone of the place
	AllDay      bool          // Start and End are days, End the one after
	Alarm       time.Duration // before Start, when the calendar reminds its reader; 0 is not at all. A cancellation has none
	Summary     string
	Description string  // may have several lines; may be empty
	Location    string  // may be empty
	Organizer   Address // without an address it is left out: a copy to keep need not have one
	Attendee    Address // not used by Publish
}

const (
	productID   = "-//Feltbok//Feltbok//EN"
	usualBytes  = 2048 // of an object, before folding: room for it is made at once
	mostOfEvent = 16   // properties that an event may have
)

// Encode writes the object in UTF-8 with CRLF line ends.
func (e Event) Encode() ([]byte, error) {
	e = e.unambiguous()
	calendar := ical.NewCalendar()
	set(calendar.Component, ical.PropVersion, "2.0")
	set(calendar.Component, ical.PropProductID, productID)
	if e.Method != Publish || e.Organizer.Email != "" { // publishing wants an organizer (RFC 5546 §3.2.1); a mere file does not
		set(calendar.Component, ical.PropMethod, string(e.Method))
	}
	calendar.Children = append(calendar.Children, e.component())
	text, err := encode(calendar.Component)
	if err != nil {
		return nil, err
	}
	if !e.AllDay && named(e.Start.Location()) {
		zone, err := timezoneText(e.Start.Location(), e.Start, e.End)
		if err != nil {
			return nil, err
		}
		text = slices.Insert(text, bytes.Index(text, []byte("BEGIN:"+ical.CompEvent)), zone...)
	}
	return fold(text), nil
}

// encode writes a component without folding.
func encode(c *ical.Component) ([]byte, error) {
	var text bytes.Buffer
	text.Grow(usualBytes)
	if err := ical.NewEncoder(&text).Encode(&ical.Calendar{Component: c}); err != nil {
		return nil, fmt.Errorf("encode calendar object: %w", err)
	}
	return text.Bytes(), nil
}

// unambiguous writes an event in UTC where a local time would be read as the first of two.
func (e Event) unambiguous() Event {
	if !e.AllDay && (shownTwice(e.Start) || shownTwice(e.End.In(e.Start.Location()))) {
		e.Start = e.Start.UTC()
	}
	return e
}

func (e Event) component() *ical.Component {
	event := &ical.Component{Name: ical.CompEvent, Props: make(ical.Props, mostOfEvent)}
	set(event, ical.PropUID, clean(e.UID))
	set(event, ical.PropSequence, strconv.Itoa(e.Sequence))
	set(event, ical.PropDateTimeStamp, e.Stamp.UTC().Format(utcLayout))
	e.setTimes(event)
	set(event, ical.PropSummary, escape(e.Summary))
	set(event, ical.PropStatus, e.status())
	set(event, ical.PropClass, "PRIVATE") // colleagues who see the calendar see only that the time is taken
	for name, text := range map[string]string{ical.PropDescription: e.Description, ical.PropLocation: e.Location} {
		if text != "" {
			set(event, name, escape(text))
		}
	}
	if e.Organizer.Email != "" {
		setAddress(event, ical.PropOrganizer, e.Organizer, nil)
	}
	if e.Method != Publish {
		// The time was agreed before: nothing is asked, and an answer by mail would prove nothing.
		setAddress(event, ical.PropAttendee, e.Attendee, map[string]string{"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})
	}
	if e.Alarm > 0 && e.Method != Cancel { // RFC 5546 §3.2.5 has none in a cancellation
		event.Children = append(event.Children, e.alarm())
	}
	return event
}

func (e Event) setTimes(event *ical.Component) {
	if e.AllDay {
		setDay(event, ical.PropDateTimeStart, e.Start)
		setDay(event, ical.PropDateTimeEnd, e.End.In(e.Start.Location()))
		set(event, ical.PropTransparency, "TRANSPARENT") // a day on which something is due is not taken
		return
	}
	setTime(event, ical.PropDateTimeStart, e.Start)
	setTime(event, ical.PropDateTimeEnd, e.End.In(e.Start.Location()))
}

// alarm shows the event's own text (RFC 5545 §3.6.6).
func (e Event) alarm() *ical.Component {
	alarm := ical.NewComponent(ical.CompAlarm)
	set(alarm, ical.PropAction, "DISPLAY")
	trigger := fmt.Sprintf("-PT%dM", e.Alarm/time.Minute)
	if e.Alarm%time.Hour == 0 {
		trigger = fmt.Sprintf("-PT%dH", e.Alarm/time.Hour)
	}
	set(alarm, ical.PropTrigger, trigger)
	set(alarm, ical.PropDescription, escape(e.Summary))
	return alarm
}

func (e Event) status() string {
	if e.Method == Cancel {
		return "CANCELLED"
	}
	return "CONFIRMED"
}

// set writes a value as it stands: the setters of the library add VALUE parameters that clients stumble over.
func set(c *ical.Component, name, value string) {
	c.Props.Set(&ical.Prop{Name: name, Value: value})
}

const (
	utcLayout   = "20060102T150405Z"
	localLayout = "20060102T150405"
)

// setTime writes a time in its zone (RFC 5545 §3.3.5, form 3), or in UTC where the zone has no name.
func setTime(c *ical.Component, name string, t time.Time) {
	prop := ical.NewProp(name)
	if named(t.Location()) {
		prop.Params.Set(ical.ParamTimezoneID, t.Location().String())
		prop.Value = t.Format(localLayout)
	} else {
		prop.Value = t.UTC().Format(utcLayout)
	}
	c.Props.Set(prop)
}

// setDay writes a date (RFC 5545 §3.3.4).
func setDay(c *ical.Component, name string, t time.Time) {
	prop := ical.NewProp(name)
	prop.Params.Set(ical.ParamValue, string(ical.ValueDate))
	prop.Value = t.Format("20060102")
	c.Props.Set(prop)
}

func setAddress(c *ical.Component, name string, a Address, params map[string]string) {
	prop := ical.NewProp(name)
	prop.Value = "mailto:" + strings.ReplaceAll(clean(a.Email), " ", "")
	if a.Name != "" {
		// RFC 5545 §3.2 has no way to write a double quote in a parameter.
		prop.Params.Set(ical.ParamCommonName, strings.ReplaceAll(clean(a.Name), `"`, "'"))
	}
	for key, value := range params {
		prop.Params.Set(key, value)
	}
	c.Props.Set(prop)
}

// clean strips what could begin a line or is not text at all.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

var escapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`)

// escape writes a text value (RFC 5545 §3.3.11), keeping its lines.
func escape(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = escapes.Replace(clean(line))
	}
	return strings.Join(lines, `\n`)
}

const mostOctets = 75

// fold breaks lines after at most 75 octets (RFC 5545 §3.1), never inside a character.
func fold(text []byte) []byte {
	folded := make([]byte, 0, len(text)+len(text)/8)
	for line := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte("\r\n")), []byte("\r\n")) {
		for room := mostOctets; len(line) > room; room = mostOctets - 1 { // a continuation begins with a space
			at := room
			for !utf8.RuneStart(line[at]) {
				at--
			}
			folded = append(append(folded, line[:at]...), "\r\n "...)
			line = line[at:]
		}
		folded = append(append(folded, line...), "\r\n"...)
	}
	return folded
}
