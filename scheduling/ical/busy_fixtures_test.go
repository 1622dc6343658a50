package ical_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/scheduling/ical"

	"github.com/google/go-cmp/cmp"
)

// fixtures returns the folder of calendars made by other programs, or skips.
func fixtures(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("FELTBOK_FIXTURES")
	if dir == "" {
		t.Skip("FELTBOK_FIXTURES names no folder with calendars of others")
	}
	return dir
}

// Two other programs agree on these instances: python-recurring-ical-events and ical.js.
func TestOthersReadTheSame(t *testing.T) {
	dir := fixtures(t)
	var truth map[string]struct {
		Agreed    bool
		Window    [2]string
		Instances []struct{ Start, End, Transp, Status string }
	}
	readJSON(t, filepath.Join(dir, "ical/truth/busy.json"), &truth)
	compared := 0
	for path, others := range truth {
		if !others.Agreed {
			continue
		}
		compared++
		from, to := others.Window[0], others.Window[1]
		var want []string
		for _, i := range others.Instances {
			if i.Transp != "TRANSPARENT" && i.Status != "CANCELLED" && i.Start != i.End {
				want = append(want, utc(t, i.Start)+"/"+utc(t, i.End))
			}
		}
		reading, err := ical.ReadBusy(readFile(t, filepath.Join(dir, path)), time.UTC, instant(t, from), instant(t, to))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		var got []string
		for _, b := range reading.Busy {
			got = append(got, b.Start.Format(layout)+"/"+b.End.Format(layout))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-others +we):\n%s", path, diff)
		}
	}
	if compared < 30 {
		t.Errorf("only %d files compared", compared)
	}
}

const layout = "20060102T150405Z"

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	for _, form := range []string{layout, "20060102T150405", "20060102"} {
		if at, err := time.Parse(form, text); err == nil {
			return at
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

func utc(t testing.TB, text string) string { return instant(t, text).Format(layout) }

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, path), into); err != nil {
		t.Fatal(err)
	}
}

// refused are the files of others that we do not take, and why: no calendar around the event, or no event with a start.
var refused = map[string]error{
	"example-2.ics": ical.ErrNotCalendar, "event_dt_long.ics": ical.ErrNotCalendar, "event_dt_two_tz.ics": ical.ErrNotCalendar,
	"event_dt_rrule_until_before_start.ics": ical.ErrNotCalendar, "calendar.eml": ical.ErrNotCalendar, "message-containing-event.eml": ical.ErrNotCalendar,
	"fuzz_testcase_0_char_in_component_name.ics": ical.ErrNotCalendar, "fuzz_testcase_invalid_month.ics": ical.ErrNotCalendar,
	"rfc_5545_RDATE_example.ics": ical.ErrUnreadable, "big_bad_calendar.ics": ical.ErrUnreadable, "broken_dtstart.ics": ical.ErrUnreadable,
	"invalid_duration.ics": ical.ErrUnreadable, "issue_1081_invalid_start_and_end.ics": ical.ErrUnreadable,
}

// The window is half a century, so that whatever is in a file takes place.
func TestEveryFileOfOthersIsReadOrRefused(t *testing.T) {
	dir, read := fixtures(t), 0
	for _, folder := range []string{"feeds", "invites", "broken", "timezones"} {
		err := filepath.WalkDir(filepath.Join(dir, "ical", folder), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			read++
			reading, err := ical.ReadBusy(readFile(t, path), time.UTC, instant(t, "19900101"), instant(t, "20400101"))
			if want := refused[filepath.Base(path)]; !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", path, err, want)
			}
			for _, b := range reading.Busy {
				if !b.End.After(b.Start) {
					t.Errorf("%s: %v", path, b)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 80 {
		t.Errorf("only %d files", read)
	}
}

// Every quarter of an hour around both changes of 2026 in Oslo, as Python's zoneinfo has it.
func TestWallTimesAroundTheChanges(t *testing.T) {
	dir := fixtures(t)
	var truth struct {
		Cases []struct {
			Local, Kind string
			UTC         []string
		}
	}
	readJSON(t, filepath.Join(dir, "ical/truth/dst_oslo_2026.json"), &truth)
	kinds := map[string]int{}
	for _, c := range truth.Cases {
		if c.Local == "" {
			continue
		}
		kinds[c.Kind]++
		wall, err := time.Parse("2006-01-02T15:04", c.Local)
		if err != nil {
			t.Fatal(err)
		}
		want := wall.Add(-time.Hour) // in the gap, by the offset before
		if c.Kind != "gap" {
			want = instant(t, c.UTC[0])
		}
		file := calendar(event("DTSTART;TZID=Europe/Oslo:"+wall.Format("20060102T150405"), "DURATION:PT1H"))
		reading, err := ical.ReadBusy(file, time.UTC, instant(t, "20260101"), instant(t, "20270101"))
		if err != nil || len(reading.Busy) != 1 || !reading.Busy[0].Start.Equal(want) {
			t.Errorf("%s (%s): %v %v, want %v", c.Local, c.Kind, reading, err, want)
		}
	}
	if kinds["normal"] == 0 || kinds["gap"] == 0 || kinds["ambiguous"] == 0 {
		t.Errorf("read %v", kinds)
	}
}

// What libical says of a zone and what the database says is the same around every change from 2022 on, since when all of
// libical's rules hold. The zones are given names that nobody knows, so that the definitions are used. Casablanca is left
// out: its clocks change with Ramadan, of which its definition says nothing.
func TestDefinitionsOfZonesAgreeWithTheDatabase(t *testing.T) {
	dir := filepath.Join(fixtures(t), "ical/timezones/libical-libical")
	for _, zone := range []string{"America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/Lisbon", "Europe/London", "Europe/Oslo", "Pacific/Apia"} {
		text := string(readFile(t, filepath.Join(dir, strings.ReplaceAll(zone, "/", "_")+".ics")))
		definition, _, _ := strings.Cut(strings.ReplaceAll(text, zone, "Elsewhere"), "END:VCALENDAR")
		_, tzid, _ := strings.Cut(definition, "TZID:")
		tzid = strings.Fields(tzid)[0]
		loc := in(t, zone)
		var own, known []string
		for at := time.Date(2022, 1, 15, 11, 30, 0, 0, time.UTC); at.Year() < 2033; at = at.AddDate(0, 6, 0) {
			begin, _ := at.In(loc).ZoneBounds()
			for quarter := -16; quarter < 16; quarter++ {
				wall := begin.Add(time.Duration(quarter) * 15 * time.Minute).In(loc).Format("20060102T150405")
				own = append(own, event("DTSTART;TZID="+tzid+":"+wall, "DURATION:PT1M"))
				known = append(known, event("DTSTART;TZID="+zone+":"+wall, "DURATION:PT1M"))
			}
		}
		from, to := instant(t, "20220101"), instant(t, "20330101")
		got, err := ical.ReadBusy([]byte(definition+strings.Join(own, "\n")+"\nEND:VCALENDAR"), time.UTC, from, to)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ical.ReadBusy(calendar(known...), time.UTC, from, to)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-database +definition):\n%s", zone, diff)
		}
	}
}
