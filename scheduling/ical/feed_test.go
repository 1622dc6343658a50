package ical_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.org/feltbok/scheduling/ical"

	"github.com/google/go-cmp/cmp"
)

// feed has two zones, one of them twice and across a change of the clock, an hour that comes twice, and a day.
func feed(t testing.TB) ical.Feed {
	oslo := in(t, "Europe/Oslo")
	f := ical.Feed{Name: "Feltbok; avtaler", Every: time.Hour}
	for i, start := range []time.Time{
		time.Date(2019, 2, 11, 10, 30, 0, 0, oslo), time.Date(2019, 4, 11, 10, 30, 0, 0, oslo), time.Date(2019, 4, 12, 9, 0, 0, 0, in(t, "America/New_York")),
		time.Date(2019, 10, 27, 1, 30, 0, 0, time.UTC).In(oslo), time.Date(2019, 4, 15, 0, 0, 0, 0, oslo),
	} {
		e := ical.Event{Method: ical.Publish, UID: string(rune('a' + i)), Stamp: time.Date(2019, 4, 1, 12, 0, 0, 0, time.UTC), Start: start, End: start.Add(time.Hour), Summary: "Avtale A1"}
		if start.Hour() == 0 {
			e.AllDay, e.End = true, start.AddDate(0, 0, 1)
		}
		f.Events = append(f.Events, e)
	}
	return f
}

func encodeFeed(t testing.TB, f ical.Feed) []byte {
	t.Helper()
	text, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFeedGolden(t *testing.T) {
	for name, f := range map[string]ical.Feed{"feed": feed(t), "feed_empty": {Name: "Feltbok", Every: time.Hour}} {
		got, path := encodeFeed(t, f), filepath.Join("testdata", name+".ics")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A program that compares bytes must not be told of changes that are none; one that reads zones must find each once, and come
// to the same instants.
func TestFeedReadsBack(t *testing.T) {
	f := feed(t)
	text := encodeFeed(t, f)
	if !bytes.Equal(text, encodeFeed(t, f)) {
		t.Error("the same events gave other bytes")
	}
	calendar, _ := decode(t, text)
	zones, events := map[string]int{}, 0
	for _, c := range calendar.Children {
		if c.Name == "VTIMEZONE" {
			zones[c.Props.Get("TZID").Value]++
			continue
		}
		e := f.Events[events]
		events++
		if got := c.Props.Get("UID").Value; got != e.UID {
			t.Errorf("event %d is %q, want %q", events, got, e.UID)
		}
		if c.Props.Get("ATTENDEE") != nil || c.Props.Get("ORGANIZER") != nil {
			t.Errorf("event %q names somebody", e.UID)
		}
		if prop := c.Props.Get("DTSTART"); !e.AllDay && prop.Params.Get("TZID") != "" {
			for _, zone := range calendar.Children {
				if zone.Name == "VTIMEZONE" && zone.Props.Get("TZID").Value == prop.Params.Get("TZID") && !readers(t, zone, prop).Equal(e.Start) {
					t.Errorf("event %q reads %v, want %v", e.UID, readers(t, zone, prop), e.Start)
				}
			}
		}
	}
	if diff := cmp.Diff(map[string]int{"Europe/Oslo": 1, "America/New_York": 1}, zones); diff != "" || events != len(f.Events) {
		t.Errorf("%d events, zones (-want +got):\n%s", events, diff)
	}
	if calendar.Props.Get("METHOD") != nil {
		t.Error("a feed is no message")
	}
}
