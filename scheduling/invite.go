package scheduling

import (
	"time"

	"example.org/feltbok/scheduling/ical"
)

// Copy is a booking as one reader's calendar shows it: as little as the reader chose.
type Copy struct {
	Summary     string // such as "Avtale"; no topic
	Description string // such as how to move or cancel; no notes
	Location    string
	Sequence    int // the booking's, or its OwnSequence for the participant
}

// Invite writes a booking as a calendar object for one reader. The stamp is the booking's last change, so that a
// repeated mail carries the same bytes. Whoever is let off a booking that goes on gets ical.Cancel as well.
func Invite(b Booking, method ical.Method, organizer, attendee ical.Address, c Copy) ([]byte, error) {
	e := b.event(method, c)
	e.Alarm, e.Organizer, e.Attendee = b.alarm(), organizer, attendee
	return e.Encode()
}

func (b Booking) event(method ical.Method, c Copy) ical.Event {
	start, end := b.Start(), b.End()
	if b.Mode == Email { // a whole day, also of what was agreed on when that still had an hour
		day := midnight(start)
		start, _, _ = readings(day, start.Location())
		end, _, _ = readings(day.AddDate(0, 0, 1), start.Location())
	}
	return ical.Event{Method: method, UID: b.UID, Sequence: c.Sequence, Stamp: time.UnixMilli(b.ChangedAt), Start: start, End: end,
		AllDay: b.Mode == Email, Summary: c.Summary, Description: c.Description, Location: c.Location}
}

// feedEvery is how often a calendar program may want to read a feed again.
const feedEvery = time.Hour

// Feed writes bookings as a calendar to subscribe to; say gives each its words. It rings no alarms: whoever subscribes has an
// invitation for each that does.
func Feed(name string, bookings []Booking, say func(Booking) Copy) ([]byte, error) {
	feed := ical.Feed{Name: name, Every: feedEvery}
	for _, b := range bookings {
		feed.Events = append(feed.Events, b.event(ical.Publish, say(b)))
	}
	return feed.Encode()
}

const (
	alarmBeforeCall  = 15 * time.Minute
	alarmBeforeTrip  = time.Hour
	alarmBeforeDayIs = 15 * time.Hour // nine in the morning of the day before
)

// alarm is how long before the start the calendar itself reminds its reader.
func (b Booking) alarm() time.Duration {
	switch {
	case b.Mode.Call():
		return alarmBeforeCall
	case b.Mode == Email:
		return alarmBeforeDayIs
	}
	return alarmBeforeTrip
}
