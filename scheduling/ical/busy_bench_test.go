package ical_test

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/scheduling/ical"
)

// BenchmarkReadBusy reads a calendar of 1,000 events as programs write them, 50 of which repeat, over eight weeks. Its
// yardstick does no more than find the lines of the same file.
func BenchmarkReadBusy(b *testing.B) {
	file, oslo := busyCalendar(), in(b, "Europe/Oslo")
	from := instant(b, "20260301")
	to := from.AddDate(0, 0, 8*7)
	var yardstick time.Duration
	var lines, busy int
	for b.Loop() {
		b.StopTimer()
		began := time.Now()
		lines = 0
		for scan := bufio.NewScanner(bytes.NewReader(file)); scan.Scan(); lines++ {
		}
		yardstick += time.Since(began)
		b.StartTimer()
		reading, err := ical.ReadBusy(file, oslo, from, to)
		if err != nil {
			b.Fatal(err)
		}
		busy = len(reading.Busy)
	}
	b.SetBytes(int64(len(file)))
	b.ReportMetric(float64(b.Elapsed())/float64(yardstick), "times-lines")
	b.ReportMetric(float64(lines), "lines")
	b.ReportMetric(float64(busy), "busy")
}

func busyCalendar() []byte {
	start := time.Date(2025, 6, 2, 8, 0, 0, 0, time.UTC)
	events := []string{"BEGIN:VTIMEZONE\nTZID:Custom\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE"}
	for i := range 1000 {
		at := start.Add(time.Duration(i) * 9 * time.Hour)
		tzid := []string{"Europe/Oslo", "W. Europe Standard Time", "Custom"}[i%3]
		properties := []string{
			fmt.Sprintf("UID:040000008200E00074C5B7101A82E00800000000%032d@example.org", i), "DTSTAMP:20260101T000000Z", "SEQUENCE:1",
			"DTSTART;TZID=" + tzid + ":" + at.Format("20060102T150405"), "DTEND;TZID=" + tzid + ":" + at.Add(time.Hour).Format("20060102T150405"),
			"SUMMARY:Møte om planen", "LOCATION:Rom 4.12", "ORGANIZER;CN=Kari:mailto:kari@example.org", "STATUS:CONFIRMED", "TRANSP:OPAQUE",
		}
		for who := range 4 {
			properties = append(properties, fmt.Sprintf("ATTENDEE;CN=Deltaker %d;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;R\n SVP=TRUE:mailto:deltaker%d@example.org", who, who))
		}
		properties = append(properties, "DESCRIPTION:"+strings.Repeat("Vi går gjennom planen og ser hva som er igjen. \n ", 8), "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM")
		if i%20 == 0 {
			properties = append(properties, "RRULE:FREQ=WEEKLY;BYDAY=MO,WE", "EXDATE;TZID="+tzid+":"+at.AddDate(0, 0, 7).Format("20060102T150405"))
		}
		events = append(events, event(properties...))
	}
	return calendar(events...)
}
