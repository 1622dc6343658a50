package ical_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"example.org/feltbok/scheduling/ical"

	goical "github.com/emersion/go-ical"
)

// plain is what the library makes of an appointment in UTC: no zone, no alarm, no folding. It is the yardstick.
func plain(tb testing.TB, i int, w *bytes.Buffer) {
	tb.Helper()
	c := goical.NewCalendar()
	c.Props.SetText(goical.PropVersion, "2.0")
	c.Props.SetText(goical.PropProductID, "-//bench//EN")
	c.Props.SetText(goical.PropMethod, "REQUEST")
	e := goical.NewEvent()
	at := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Hour)
	e.Props.SetText(goical.PropUID, fmt.Sprintf("booking-%d@bench.example", i))
	e.Props.SetDateTime(goical.PropDateTimeStamp, at)
	e.Props.SetDateTime(goical.PropDateTimeStart, at)
	e.Props.SetDateTime(goical.PropDateTimeEnd, at.Add(45*time.Minute))
	e.Props.SetText(goical.PropSummary, "Interview: Work and wellbeing, round 2")
	e.Props.SetText(goical.PropDescription, "Thank you for taking part; the interview takes about 45 minutes, by phone, and you may stop at any time.")
	e.Props.SetText(goical.PropLocation, "Room 4.12, Institute of Psychology")
	o := goical.NewProp(goical.PropOrganizer)
	o.Value = "mailto:team@bench.example"
	e.Props.Set(o)
	a := goical.NewProp(goical.PropAttendee)
	a.Value = fmt.Sprintf("mailto:p%d@bench.example", i)
	a.Params.Set("RSVP", "TRUE")
	e.Props.Set(a)
	c.Children = append(c.Children, e.Component)
	if err := goical.NewEncoder(w).Encode(c); err != nil {
		tb.Fatal(err)
	}
}

// invitation is a whole one: zone, alarm, both names, and a text of several lines to fold.
func invitation(loc *time.Location, i int) ical.Event {
	e := sample(loc)
	e.UID, e.Alarm = fmt.Sprintf("booking-%d@bench.example", i), 15*time.Minute
	e.Start = time.Date(2026, 12, 1, 9, 0, 0, 0, loc).Add(time.Duration(i) * time.Hour)
	e.End = e.Start.Add(45 * time.Minute)
	return e
}

const bunch = 1000

// BenchmarkInvitations writes a thousand invitations and as many of the yardstick in turn, and tells how many times as long they took.
func BenchmarkInvitations(b *testing.B) {
	loc := in(b, "Europe/Oslo")
	var ours, theirs time.Duration
	var w bytes.Buffer
	for b.Loop() {
		began := time.Now()
		for i := range bunch {
			w.Reset()
			plain(b, i, &w)
		}
		between := time.Now()
		for i := range bunch {
			if _, err := invitation(loc, i).Encode(); err != nil {
				b.Fatal(err)
			}
		}
		theirs, ours = theirs+between.Sub(began), ours+time.Since(between)
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "x-yardstick")
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N*bunch), "µs/invitation")
}
