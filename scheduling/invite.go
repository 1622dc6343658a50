package scheduling

import (
	"time"

	"example.org/feltbok/scheduling/ical"
)

// Texts is what a calendar shows of a booking: as little as the reader chose.
type Texts struct {
	Summary     string // such as "Avtale"; no topic
	Description string // such as how to move or cancel; no notes and no telephone number
}

// Invite writes a booking as a calendar object for one reader. The stamp is the booking's last change, so that a
// repeated mail carries the same bytes. Whoever is let off a booking that goes on gets ical.Cancel as well.
func Invite(b Booking, method ical.Method, organizer, attendee ical.Address, t Texts) ([]byte, error) {
	return ical.Event{
		Method: method, UID: b.UID, Sequence: b.Sequence, Stamp: time.UnixMilli(b.ChangedAt), Start: b.Start(), End: b.End(),
		Summary: t.Summary, Description: t.Description, Location: b.Place, Organizer: organizer, Attendee: attendee,
	}.Encode()
}
