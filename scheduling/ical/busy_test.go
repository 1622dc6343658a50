package ical_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/scheduling/ical"

	"github.com/google/go-cmp/cmp"
)

// calendar puts components into a calendar as files have them.
func calendar(components ...string) []byte {
	text := "BEGIN:VCALENDAR\nVERSION:2.0\n" + strings.Join(components, "\n") + "\nEND:VCALENDAR\n"
	return []byte(strings.ReplaceAll(text, "\n", "\r\n"))
}

func event(properties ...string) string {
	return "BEGIN:VEVENT\n" + strings.Join(properties, "\n") + "\nEND:VEVENT"
}

// shown writes what is busy by the clocks of a zone: day, start and end.
func shown(busy []ical.Busy, zone *time.Location) []string {
	var all []string
	for _, b := range busy {
		start, end := b.Start.In(zone), b.End.In(zone)
		form := "15:04"
		if start.YearDay() != end.YearDay() {
			form = "0102T15:04"
		}
		all = append(all, start.Format("0102T15:04")+"-"+end.Format(form))
	}
	return all
}

// Every case is read in Oslo within March 2026 or the months around, and shown by the clocks there.
func TestReadBusy(t *testing.T) {
	oslo := in(t, "Europe/Oslo")
	weekly := func(more ...string) string {
		return event(append([]string{"UID:w", "DTSTART;TZID=Europe/Oslo:20260302T100000", "DTEND;TZID=Europe/Oslo:20260302T110000"}, more...)...)
	}
	for _, c := range []struct {
		name     string
		from, to string
		file     []byte
		want     []string
		skipped  int
	}{
		{"once, in a zone", "20260301", "20260401", calendar(weekly()), []string{"0302T10:00-11:00"}, 0},
		{"once, in UTC", "20260301", "20260401", calendar(event("DTSTART:20260302T100000Z", "DTEND:20260302T110000Z")), []string{"0302T11:00-12:00"}, 0},
		{"floating", "20260301", "20260401", calendar(event("DTSTART:20260302T100000", "DTEND:20260302T110000")), []string{"0302T10:00-11:00"}, 0},
		{"floating in the calendar's zone", "20260301", "20260401", calendar("X-WR-TIMEZONE:Europe/London", event("DTSTART:20260302T100000", "DTEND:20260302T110000")), []string{"0302T11:00-12:00"}, 0},
		{"a zone nobody knows", "20260301", "20260401", calendar(event("DTSTART;TZID=Nowhere:20260302T100000", "DTEND;TZID=Nowhere:20260302T110000")), []string{"0302T10:00-11:00"}, 0},
		{"from one zone to another", "20260301", "20260401", calendar(event("DTSTART;TZID=Europe/Oslo:20260302T100000", "DTEND;TZID=America/New_York:20260302T110000")), []string{"0302T10:00-17:00"}, 0},
		{"a duration", "20260301", "20260401", calendar(event("DTSTART:20260302T100000Z", "DURATION:PT1H30M")), []string{"0302T11:00-12:30"}, 0},
		{"a week", "20260301", "20260401", calendar(event("DTSTART:20260302T100000Z", "DURATION:P1W")), []string{"0302T11:00-0309T11:00"}, 0},
		{"a day across the change is a day by the calendar", "20260301", "20260401", calendar(event("DTSTART;TZID=Europe/Oslo:20260328T120000", "DURATION:P1DT1H")), []string{"0328T12:00-0329T13:00"}, 0},
		{"24 hours across the change are 24 hours", "20260301", "20260401", calendar(event("DTSTART;TZID=Europe/Oslo:20260328T120000", "DURATION:PT24H")), []string{"0328T12:00-0329T13:00"}, 0},
		{"no end is no time", "20260301", "20260401", calendar(event("DTSTART:20260302T100000Z")), nil, 0},
		{"a day", "20260301", "20260401", calendar(event("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303")), []string{"0302T00:00-0303T00:00"}, 0},
		{"a day without an end", "20260301", "20260401", calendar(event("DTSTART;VALUE=DATE:20260302")), []string{"0302T00:00-0303T00:00"}, 0},
		{"a day that ends on itself", "20260301", "20260401", calendar(event("DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260302")), []string{"0302T00:00-0303T00:00"}, 0},
		{"a day without saying so", "20260301", "20260401", calendar(event("DTSTART:20260302")), []string{"0302T00:00-0303T00:00"}, 0},
		{"days across the change", "20260301", "20260401", calendar(event("DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260330")), []string{"0328T00:00-0330T00:00"}, 0},
		{"transparent", "20260301", "20260401", calendar(weekly("TRANSP:TRANSPARENT")), nil, 0},
		{"cancelled", "20260301", "20260401", calendar(weekly("STATUS:cancelled")), nil, 0},
		{"tentative", "20260301", "20260401", calendar(weekly("STATUS:TENTATIVE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE")), []string{"0302T10:00-11:00"}, 0},
		{"free in Outlook", "20260301", "20260401", calendar(weekly("X-MICROSOFT-CDO-BUSYSTATUS:FREE")), nil, 0},
		{"working elsewhere", "20260301", "20260401", calendar(weekly("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE")), nil, 0},
		{"an alarm has its own times", "20260301", "20260401", calendar(weekly("BEGIN:VALARM", "TRIGGER:-PT15M", "DURATION:PT9H", "DTSTART:20260303T100000Z", "END:VALARM")), []string{"0302T10:00-11:00"}, 0},
		{"tasks are not busy", "20260301", "20260401", calendar("BEGIN:VTODO\nDTSTART:20260302T100000Z\nDURATION:PT1H\nEND:VTODO"), nil, 0},

		{"weekly across the change", "20260320", "20260407", calendar(weekly("RRULE:FREQ=WEEKLY")), []string{"0323T10:00-11:00", "0330T10:00-11:00", "0406T10:00-11:00"}, 0},
		{"weekly in another zone", "20260320", "20260407", calendar(event("DTSTART;TZID=America/New_York:20260302T080000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")), []string{"0323T13:00-14:00", "0330T14:00-15:00", "0406T14:00-15:00"}, 0},
		{"weekly since long", "20260320", "20260331", calendar(event("DTSTART;TZID=Europe/Oslo:19700105T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE")), []string{"0323T10:00-11:00", "0325T10:00-11:00", "0330T10:00-11:00"}, 0},
		{"every other week since long", "20260320", "20260331", calendar(event("DTSTART;TZID=Europe/Oslo:19700105T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;INTERVAL=2")), []string{"0330T10:00-11:00"}, 0},
		{"counted since long", "20260320", "20260401", calendar(event("DTSTART;TZID=Europe/Oslo:20200106T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=325")), []string{"0323T10:00-11:00"}, 0},
		{"the first counts although it does not fit", "20260301", "20260401", calendar(weekly("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=2")), []string{"0302T10:00-11:00", "0303T10:00-11:00"}, 0},
		{"until in UTC", "20260301", "20260401", calendar(weekly("RRULE:FREQ=WEEKLY;UNTIL=20260316T090000Z")), []string{"0302T10:00-11:00", "0309T10:00-11:00", "0316T10:00-11:00"}, 0},
		{"until by the clock", "20260301", "20260401", calendar(weekly("RRULE:FREQ=WEEKLY;UNTIL=20260316T095959")), []string{"0302T10:00-11:00", "0309T10:00-11:00"}, 0},
		{"until a day", "20260301", "20260401", calendar(weekly("RRULE:FREQ=WEEKLY;UNTIL=20260316")), []string{"0302T10:00-11:00", "0309T10:00-11:00", "0316T10:00-11:00"}, 0},
		{"two rules that meet", "20260301", "20260312", calendar(weekly("RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY;INTERVAL=7;COUNT=2")), []string{"0302T10:00-11:00", "0309T10:00-11:00"}, 0},
		{"last Friday of the month", "20260301", "20260501", calendar(weekly("RRULE:FREQ=MONTHLY;BYDAY=-1FR")), []string{"0302T10:00-11:00", "0327T10:00-11:00", "0424T10:00-11:00"}, 0},
		{"last working day", "20260301", "20260501", calendar(weekly("RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1")), []string{"0302T10:00-11:00", "0331T10:00-11:00", "0430T10:00-11:00"}, 0},
		{"the 31st, where there is one", "20260301", "20260701", calendar(event("DTSTART:20260131T100000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY")), []string{"0331T12:00-13:00", "0531T12:00-13:00"}, 0},
		{"29 February", "20260301", "20280601", calendar(event("DTSTART;VALUE=DATE:20240229", "RRULE:FREQ=YEARLY")), []string{"0229T00:00-0301T00:00"}, 0},
		{"at the gap, by the offset before", "20260328", "20260331", calendar(event("DTSTART;TZID=Europe/Oslo:20260301T023000", "DURATION:PT1H", "RRULE:FREQ=DAILY")), []string{"0328T02:30-03:30", "0329T03:30-04:30", "0330T02:30-03:30"}, 0},
		{"twice, the first", "20261024", "20261026", calendar(event("DTSTART;TZID=Europe/Oslo:20261001T023000", "DURATION:PT30M", "RRULE:FREQ=DAILY")), []string{"1024T02:30-03:00", "1025T02:30-02:00"}, 0},

		{"an exception", "20260301", "20260318", calendar(weekly("RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Oslo:20260309T100000")), []string{"0302T10:00-11:00", "0316T10:00-11:00"}, 0},
		{"an exception in UTC", "20260301", "20260318", calendar(weekly("RRULE:FREQ=WEEKLY", "EXDATE:20260309T090000Z,20260316T090000Z")), []string{"0302T10:00-11:00"}, 0},
		{"an exception by its day", "20260301", "20260318", calendar(weekly("RRULE:FREQ=WEEKLY", "EXDATE;VALUE=DATE:20260309")), []string{"0302T10:00-11:00", "0316T10:00-11:00"}, 0},
		{"an exception without a zone", "20260301", "20260318", calendar(event("DTSTART;TZID=Europe/London:20260302T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY", "EXDATE:20260309T100000")), []string{"0302T11:00-12:00", "0316T11:00-12:00"}, 0},
		{"a whole day's exception with a time", "20260301", "20260303T220000", calendar(event("DTSTART;VALUE=DATE:20260301", "RRULE:FREQ=DAILY", "EXDATE:20260301T230000Z")), []string{"0301T00:00-0302T00:00", "0303T00:00-0304T00:00"}, 0},
		{"other dates", "20260301", "20260401", calendar(weekly("RDATE;TZID=Europe/Oslo:20260305T120000,20260302T100000")), []string{"0302T10:00-11:00", "0305T12:00-13:00"}, 0},
		{"other days, at the same time", "20260301", "20260401", calendar(weekly("RDATE;VALUE=DATE:20260305")), []string{"0302T10:00-11:00", "0305T10:00-11:00"}, 0},
		{"other periods", "20260301", "20260401", calendar(weekly("RDATE;VALUE=PERIOD:20260305T120000Z/20260305T140000Z,20260306T120000Z/PT10M")), []string{"0302T10:00-11:00", "0305T13:00-15:00", "0306T13:00-13:10"}, 0},

		{"one is moved", "20260301", "20260318", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "RECURRENCE-ID;TZID=Europe/Oslo:20260309T100000", "DTSTART:20260310T120000Z", "DTEND:20260310T130000Z")), []string{"0302T10:00-11:00", "0310T13:00-14:00", "0316T10:00-11:00"}, 0},
		{"one is moved, which comes first in the file", "20260301", "20260310", calendar(event("UID:w", "RECURRENCE-ID:20260309T090000Z", "DTSTART:20260308T120000Z", "DTEND:20260308T130000Z"), weekly("RRULE:FREQ=WEEKLY")), []string{"0302T10:00-11:00", "0308T13:00-14:00"}, 0},
		{"one is moved out of the window", "20260301", "20260310", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "RECURRENCE-ID:20260309T090000Z", "DTSTART:20260510T120000Z", "DTEND:20260510T130000Z")), []string{"0302T10:00-11:00"}, 0},
		{"one is moved into the window", "20260301", "20260304", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "RECURRENCE-ID:20260511T080000Z", "DTSTART:20260303T120000Z", "DTEND:20260303T130000Z")), []string{"0302T10:00-11:00", "0303T13:00-14:00"}, 0},
		{"one is cancelled", "20260301", "20260318", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "RECURRENCE-ID;TZID=Europe/Oslo:20260309T100000", "DTSTART;TZID=Europe/Oslo:20260309T100000", "DURATION:PT1H", "STATUS:CANCELLED")), []string{"0302T10:00-11:00", "0316T10:00-11:00"}, 0},
		{"one of a free series is busy", "20260301", "20260318", calendar(weekly("RRULE:FREQ=WEEKLY", "TRANSP:TRANSPARENT"), event("UID:w", "RECURRENCE-ID:20260309T090000Z", "DTSTART:20260309T090000Z", "DURATION:PT1H")), []string{"0309T10:00-11:00"}, 0},
		{"one day is moved, by its time", "20260301", "20260303T220000", calendar(event("UID:d", "DTSTART;VALUE=DATE:20260301", "RRULE:FREQ=DAILY"), event("UID:d", "RECURRENCE-ID;TZID=W. Europe Standard Time:20260302T000000", "DTSTART;VALUE=DATE:20260401")), []string{"0301T00:00-0302T00:00", "0303T00:00-0304T00:00"}, 0},
		{"the newest replacement", "20260301", "20260304", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "SEQUENCE:2", "RECURRENCE-ID:20260302T090000Z", "DTSTART:20260302T120000Z", "DURATION:PT1H"), event("UID:w", "SEQUENCE:1", "RECURRENCE-ID:20260302T090000Z", "DTSTART:20260302T150000Z", "DURATION:PT1H")), []string{"0302T13:00-14:00"}, 0},
		{"the newest event", "20260301", "20260304", calendar(weekly("SEQUENCE:3"), event("UID:w", "SEQUENCE:4", "DTSTART:20260303T120000Z", "DURATION:PT1H")), []string{"0303T13:00-14:00"}, 0},
		{"two events with one UID", "20260301", "20260304", calendar(weekly(), event("UID:w", "DTSTART:20260303T120000Z", "DURATION:PT1H")), []string{"0302T10:00-11:00", "0303T13:00-14:00"}, 0},
		{"two events without a UID", "20260301", "20260304", calendar(event("SEQUENCE:3", "DTSTART:20260302T120000Z", "DURATION:PT1H"), event("DTSTART:20260303T120000Z", "DURATION:PT1H")), []string{"0302T13:00-14:00", "0303T13:00-14:00"}, 0},
		{"this and all that follow", "20260301", "20260324", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Oslo:20260309T100000", "DTSTART;TZID=Europe/Oslo:20260310T110000", "DURATION:PT2H")), []string{"0302T10:00-11:00", "0310T11:00-13:00", "0317T11:00-13:00"}, 0},
		{"none from here on", "20260301", "20260324", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Oslo:20260309T100000", "DTSTART;TZID=Europe/Oslo:20260309T100000", "STATUS:CANCELLED")), []string{"0302T10:00-11:00"}, 0},
		{"without the event that it belongs to", "20260301", "20260304", calendar(event("UID:w", "RECURRENCE-ID:20260302T090000Z", "DTSTART:20260302T120000Z", "DURATION:PT1H")), []string{"0302T13:00-14:00"}, 0},

		{"free and busy", "20260301", "20260304", calendar("BEGIN:VFREEBUSY\nDTSTART:20260301T000000Z\nDTEND:20260401T000000Z\nFREEBUSY:20260302T100000Z/20260302T110000Z,20260302T130000Z/PT30M\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260303T100000Z/PT1H\nFREEBUSY;FBTYPE=free:20260303T140000Z/PT1H\nEND:VFREEBUSY"), []string{"0302T11:00-12:00", "0302T14:00-14:30", "0303T11:00-12:00"}, 0},

		{"what reaches into the window", "20260302T093000", "20260302T094500", calendar(weekly()), []string{"0302T10:00-11:00"}, 0},
		{"what touches the window", "20260302T100000", "20260303", calendar(weekly()), nil, 0},
		{"what began long before", "20260302", "20260303", calendar(event("DTSTART:20250101T000000Z", "DTEND:20270101T000000Z")), []string{"0101T01:00-01:00"}, 0},
		{"repetitions that are longer than their interval", "20260302T120000", "20260302T120001", calendar(event("DTSTART:20200101T000000Z", "DURATION:P2D", "RRULE:FREQ=DAILY")), []string{"0301T01:00-0303T01:00", "0302T01:00-0304T01:00"}, 0},

		{"a broken event beside a sound one", "20260301", "20260304", calendar(event("DTSTART:20261399T100000Z", "DURATION:PT1H"), weekly()), []string{"0302T10:00-11:00"}, 1},
		{"half a second", "20260301", "20260304", calendar(event("DTSTART:20260302T100000.5Z", "DURATION:PT1H"), weekly()), []string{"0302T10:00-11:00"}, 1},
		{"no start", "20260301", "20260304", calendar(event("DTEND:20260302T100000Z"), weekly()), []string{"0302T10:00-11:00"}, 1},
		{"no colon", "20260301", "20260304", calendar(event("DTSTART;TZID=Europe/Oslo"), weekly()), []string{"0302T10:00-11:00"}, 1},
		{"an end that cannot be read", "20260301", "20260304", calendar(event("DTSTART:20260302T100000Z", "DTEND:soon"), weekly()), []string{"0302T10:00-11:00"}, 1},
		{"an end before the start", "20260301", "20260304", calendar(event("DTSTART:20260302T100000Z", "DTEND:20260302T090000Z"), weekly()), []string{"0302T10:00-11:00"}, 1},
		{"a rule that cannot be read leaves the first", "20260301", "20260401", calendar(weekly("RRULE:FREQ=SOMETIMES")), []string{"0302T10:00-11:00"}, 1},
		{"no interval", "20260301", "20260401", calendar(weekly("RRULE:FREQ=DAILY;INTERVAL=0")), []string{"0302T10:00-11:00"}, 1},
		{"an exception that cannot be read", "20260301", "20260310", calendar(weekly("RRULE:FREQ=WEEKLY", "EXDATE:x,20260309T090000Z")), []string{"0302T10:00-11:00"}, 1},
		{"a replacement of nobody knows what", "20260301", "20260304", calendar(weekly("RRULE:FREQ=WEEKLY"), event("UID:w", "SEQUENCE:9", "RECURRENCE-ID:once", "DTSTART:20260303T090000Z", "DURATION:PT1H")), []string{"0302T10:00-11:00", "0303T10:00-11:00"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			reading, err := ical.ReadBusy(c.file, oslo, instant(t, c.from), instant(t, c.to))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, shown(reading.Busy, oslo)); diff != "" || reading.Skipped != c.skipped {
				t.Errorf("skipped %d, want %d; busy (-want +got):\n%s", reading.Skipped, c.skipped, diff)
			}
		})
	}
}

// However a zone is called, ten o'clock there is the same instant.
func TestZonesByManyNames(t *testing.T) {
	custom := definition("Customized Time Zone", [2]string{"1SU;BYMONTH=11", "2SU;BYMONTH=3"})
	changed := definition("As it was and is", [2]string{"-1SU;BYMONTH=10;UNTIL=20061029T060000Z", "1SU;BYMONTH=4;UNTIL=20060402T070000Z"}, [2]string{"1SU;BYMONTH=11", "2SU;BYMONTH=3"})
	for tzid, zone := range map[string]string{
		"Europe/Oslo": "Europe/Oslo", `"Europe/Oslo"`: "Europe/Oslo", "/mozilla.org/20050126_1/Europe/Oslo": "Europe/Oslo", "/freeassociation.sourceforge.net/America/Argentina/Buenos_Aires": "America/Argentina/Buenos_Aires",
		"W. Europe Standard Time": "Europe/Berlin", "w. europe standard time": "Europe/Berlin", "tzone://Microsoft/Utc": "UTC", "Nepal Standard Time": "Asia/Kathmandu",
		`"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"`: "Europe/Berlin", "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna": "Europe/Berlin", `"(GMT-05:00) Eastern Time (US and Canada)"`: "America/New_York",
		"Customized Time Zone": "America/New_York", "As it was and is": "America/New_York", "US/Eastern": "America/New_York", "UTC": "UTC", "Local": "Europe/Oslo", "../../../etc/passwd": "Europe/Oslo", "": "Europe/Oslo",
	} {
		for _, day := range []string{"20260115", "20260310", "20260402", "20261027", "20301115"} {
			file := calendar(event("DTSTART;TZID="+tzid+":"+day+"T100000", "DURATION:PT1H"), custom, changed)
			reading, err := ical.ReadBusy(file, in(t, "Europe/Oslo"), instant(t, "20260101"), instant(t, "20310101"))
			if err != nil || len(reading.Busy) != 1 {
				t.Errorf("%q: %v %v", tzid, reading, err)
				continue
			}
			at := instant(t, day)
			want := time.Date(at.Year(), at.Month(), at.Day(), 10, 0, 0, 0, in(t, zone))
			if got := reading.Busy[0].Start; !got.Equal(want) {
				t.Errorf("%q on %s: %v, want %v", tzid, day, got, want.UTC())
			}
		}
	}
}

// definition defines the zone of New York by the days on which clocks are put back and forward, in one era or more.
func definition(tzid string, eras ...[2]string) string {
	text := "BEGIN:VTIMEZONE\nTZID:" + tzid + "\n"
	for _, era := range eras {
		text += "BEGIN:STANDARD\nDTSTART:16010101T020000\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=" + era[0] + "\nEND:STANDARD\n" +
			"BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:-0500\nTZOFFSETTO:-0400\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=" + era[1] + "\nEND:DAYLIGHT\n"
	}
	return text + "END:VTIMEZONE"
}

// A definition of which a part cannot be read is not used: it would be right for half of the year.
func TestHalfADefinitionIsNone(t *testing.T) {
	for _, wrong := range []string{"TZOFFSETTO:+99", "RRULE:FREQ=NEVER", "X:y"} {
		zone := "BEGIN:VTIMEZONE\nTZID:own\nBEGIN:STANDARD\nDTSTART:19701025T030000\nTZOFFSETFROM:+0600\nTZOFFSETTO:+0500\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:19700329T020000\nTZOFFSETFROM:+0500\n" + wrong + "\nEND:DAYLIGHT\nEND:VTIMEZONE"
		reading, err := ical.ReadBusy(calendar(zone, event("DTSTART;TZID=own:20260302T100000", "DURATION:PT1H")), time.UTC, instant(t, "20260301"), instant(t, "20260401"))
		if diff := cmp.Diff([]string{"0302T10:00-11:00"}, shown(reading.Busy, time.UTC)); diff != "" || err != nil {
			t.Errorf("%s: %v %s", wrong, err, diff)
		}
	}
}

// Files come with all sorts of line ends, and some are none.
func TestShapesOfFiles(t *testing.T) {
	file := calendar(event("UID:a", "DTSTART:20260302T100000Z", "DTEND:20260302T110000Z", "DESCRIPTION:"+strings.Repeat("x", 100_000), "ATTENDEE;CN=a\r\n b:mailto:c"))
	replaced := func(old, with string) []byte { return []byte(strings.ReplaceAll(string(file), old, with)) }
	for name, c := range map[string]struct {
		file []byte
		busy int
		err  error
	}{
		"as it should be":          {file, 1, nil},
		"a byte order mark":        {append([]byte("\ufeff"), file...), 1, nil},
		"LF":                       {replaced("\r\n", "\n"), 1, nil},
		"CR":                       {replaced("\r\n", "\r"), 1, nil},
		"CR within a text":         {replaced("DESCRIPTION:", "DESCRIPTION:a\rDTSTART:20270101T000000Z\r"), 1, nil},
		"CR CR LF":                 {replaced("\r\n", "\r\r\n"), 1, nil},
		"small letters":            {[]byte(strings.ToLower(string(file))), 1, nil},
		"folded everywhere":        {foldedEverywhere(replaced("DESCRIPTION:", "DESCRIPTION;X=\":\":")), 1, nil},
		"no end of the last line":  {file[:len(file)-2], 1, nil},
		"no last line":             {file[:len(file)-len("END:VCALENDAR\r\n")], 1, nil},
		"empty lines":              {replaced("\r\n", "\r\n\r\n"), 1, nil},
		"two calendars":            {append(replaced("20260302", "20260303"), file...), 2, nil},
		"the same calendar twice":  {append(replaced("", ""), file...), 1, nil},
		"two without an end":       {append(slices.Clip(file[:len(file)-len("END:VCALENDAR\r\n")]), replaced("20260302", "20260303")...), 2, nil},
		"an event without an end":  {replaced("END:VEVENT\r\n", ""), 1, nil},
		"cut within an event":      {file[:len(file)-40], 0, ical.ErrUnreadable},
		"cut within the second":    {append(slices.Clip(file[:len(file)-len("END:VCALENDAR\r\n")]), "BEGIN:VEVENT\r\nDTSTART:20260302T1"...), 0, ical.ErrUnreadable},
		"nothing in the calendar":  {calendar("X:y"), 0, nil},
		"nothing":                  {nil, 0, ical.ErrNotCalendar},
		"blank":                    {[]byte("\r\n \r\n"), 0, ical.ErrNotCalendar},
		"a page":                   {[]byte("<!doctype html>\n<title>Sign in</title>\n"), 0, ical.ErrNotCalendar},
		"a page about calendars":   {[]byte("<pre>BEGIN:VCALENDAR</pre>\n"), 0, ical.ErrNotCalendar},
		"an event in no calendar":  {[]byte(event("DTSTART:20260302T100000Z")), 0, ical.ErrNotCalendar},
		"garbage":                  {[]byte{0x1f, 0x8b, 8, 0, ';', ':', 0xff, 0, '\n', ':', ';', '\n', '\t'}, 0, ical.ErrNotCalendar},
		"garbage in an event":      {calendar(event("DTSTART:20260302T100000Z", "DURATION:PT1H", "X;A=b", "0;0=", ";", ":", "\x00\xff:", "UID")), 1, nil},
		"nothing that can be read": {calendar(event("DTSTART:now")), 0, ical.ErrUnreadable},
		"too large":                {make([]byte, ical.MaxBytes+1), 0, ical.ErrTooLarge},
		"a long line that matters": {calendar(event("EXDATE:" + strings.Repeat("20260302T100000Z,", 500))), 0, ical.ErrLongLine},
	} {
		reading, err := ical.ReadBusy(c.file, time.UTC, instant(t, "20260101"), instant(t, "20270101"))
		if !errors.Is(err, c.err) || len(reading.Busy) != c.busy {
			t.Errorf("%s: %v, %v, want %d, %v", name, reading, err, c.busy, c.err)
		}
	}
}

// foldedEverywhere begins a new line after every octet of every line.
func foldedEverywhere(file []byte) []byte {
	var folded strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(string(file), "\r\n"), "\r\n") {
		fmt.Fprintf(&folded, "%s\r\n", strings.Join(strings.Split(strings.ReplaceAll(line, "\r\n ", ""), ""), "\r\n "))
	}
	return []byte(folded.String())
}
