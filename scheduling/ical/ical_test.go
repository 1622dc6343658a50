package ical_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode/utf8"

	"example.org/feltbok/scheduling/ical"

	goical "github.com/emersion/go-ical"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func in(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func sample(loc *time.Location) ical.Event {
	start := time.Date(2019, 4, 11, 10, 30, 0, 0, loc)
	return ical.Event{
		Method: ical.Request, UID: "k2o7wq", Stamp: time.Date(2019, 4, 1, 12, 0, 0, 0, time.UTC), Start: start, End: start.Add(time.Hour),
		Alarm: 15 * time.Minute, Summary: "Avtale", Location: "Rom 4.12, Høgskulen", Description: "Du kan flytte eller avlyse til onsdag 10. april kl. 10:30.\nSvar ikke på denne; bruk lenken.",
		Organizer: ical.Address{Name: "Prosjektgruppa", Email: "prosjekt@example.org"}, Attendee: ical.Address{Name: "Kari Åsnes-Ødegård", Email: "kari@example.org"},
	}
}

func encode(t testing.TB, e ical.Event) []byte {
	t.Helper()
	text, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGolden(t *testing.T) {
	oslo := in(t, "Europe/Oslo")
	moved, cancelled, published, universal, autumn := sample(oslo), sample(oslo), sample(oslo), sample(time.UTC), sample(oslo)
	moved.Sequence, moved.Start, moved.End = 1, moved.Start.AddDate(0, 0, 1), moved.End.AddDate(0, 0, 1)
	cancelled.Method, cancelled.Sequence = ical.Cancel, 2
	published.Method = ical.Publish
	autumn.Start = time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).In(oslo) // 02:30 for the first time
	autumn.End = autumn.Start.Add(time.Hour)                               // 02:30 again
	day := sample(oslo)
	day.AllDay, day.Alarm = true, 15*time.Hour
	day.Start = time.Date(2019, 3, 31, 0, 0, 0, 0, oslo) // of 23 hours
	day.End = day.Start.AddDate(0, 0, 1)
	dayOff := day
	dayOff.Method, dayOff.Sequence = ical.Cancel, 1
	for name, e := range map[string]ical.Event{"request": sample(oslo), "moved": moved, "cancel": cancelled, "publish": published, "utc": universal, "autumn": autumn,
		"day": day, "day_cancel": dayOff} {
		got, path := encode(t, e), filepath.Join("testdata", name+".ics")
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

func decode(t testing.TB, text []byte) (*goical.Calendar, *goical.Component) {
	t.Helper()
	calendar, err := goical.NewDecoder(bytes.NewReader(text)).Decode()
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return calendar, calendar.Children[len(calendar.Children)-1]
}

func TestRoundTrip(t *testing.T) {
	e := sample(in(t, "Europe/Oslo"))
	e.Sequence = 3
	calendar, event := decode(t, encode(t, e))
	for name, want := range map[string]string{"UID": e.UID, "SEQUENCE": "3", "SUMMARY": e.Summary, "DESCRIPTION": e.Description, "LOCATION": e.Location, "STATUS": "CONFIRMED"} {
		prop := event.Props.Get(name)
		if got, err := prop.Text(); name != "SEQUENCE" && (err != nil || got != want) || name == "SEQUENCE" && prop.Value != want {
			t.Errorf("%s = %q (%v), want %q", name, got, err, want)
		}
		if len(prop.Params) > 0 {
			t.Errorf("%s has parameters %v", name, prop.Params)
		}
	}
	if method := calendar.Props.Get("METHOD").Value; method != "REQUEST" {
		t.Errorf("METHOD = %q", method)
	}
	for name, want := range map[string]time.Time{"DTSTART": e.Start, "DTEND": e.End, "DTSTAMP": e.Stamp} {
		if got, err := event.Props.Get(name).DateTime(nil); err != nil || !got.Equal(want) {
			t.Errorf("%s = %v (%v), want %v", name, got, err, want)
		}
	}
	attendee := event.Props.Get("ATTENDEE")
	if attendee.Value != "mailto:kari@example.org" || attendee.Params.Get("CN") != e.Attendee.Name || attendee.Params.Get("VALUE") != "" {
		t.Errorf("ATTENDEE = %+v", attendee)
	}
}

func TestPublishNamesNoAttendee(t *testing.T) {
	e := sample(time.UTC)
	e.Method = ical.Publish
	if text := encode(t, e); bytes.Contains(text, []byte("kari")) {
		t.Errorf("a published copy names the attendee:\n%s", text)
	}
}

func TestNoOrganizerWithoutAnAddress(t *testing.T) {
	e := sample(in(t, "Europe/Oslo"))
	e.Method, e.Organizer.Email = ical.Publish, ""
	text := encode(t, e)
	calendar, event := decode(t, text)
	if event.Props.Get("ORGANIZER") != nil || calendar.Props.Get("METHOD") != nil || bytes.Contains(text, []byte("mailto:")) {
		t.Errorf("a copy to keep without an organizer:\n%s", text)
	}
}

// What people type must stay within its property.
func TestHostileTextForgesNothing(t *testing.T) {
	for name, hostile := range map[string]string{
		"line": "x\r\nATTENDEE:mailto:eve@example.org", "bare CR": "x\rATTENDEE:mailto:eve@example.org", "bare LF": "x\nATTENDEE:mailto:eve@example.org",
		"parameter": `x";EVIL="y`, "colon": "x:ATTENDEE;y,z", "controls": "x\x00\x07\x1b\u0085\u009b", "next line": "x\u2028y", "broken": "x\xff\xfe", "end": "x\\", "fold": "x\r\n ATTENDEE:y",
	} {
		e := sample(in(t, "Europe/Oslo"))
		e.Summary, e.Description, e.Location, e.UID = hostile, hostile, hostile, hostile
		e.Attendee = ical.Address{Name: hostile, Email: hostile}
		e.Organizer = e.Attendee
		text := encode(t, e)
		calendar, event := decode(t, text)
		if got, want := len(calendar.Children), 2; got != want {
			t.Errorf("%s: %d components, want %d", name, got, want)
		}
		if got := len(event.Props); got != 12 || len(event.Props.Values("ATTENDEE")) != 1 || len(event.Props.Get("ATTENDEE").Params) != 4 {
			t.Errorf("%s: %d properties, attendee %v\n%s", name, got, event.Props.Values("ATTENDEE"), text)
		}
	}
}

// A text of any length and kind comes out as it went in, on lines of at most 75 octets, and calendars get no line of its own.
func TestLongTexts(t *testing.T) {
	long := func(s string) string { return string([]rune(strings.Repeat(s, 300))[:300]) }
	for name, text := range map[string]string{"letters": long("x"), "emoji": long("👩‍🔬🇳🇴"), "quotes": long(`"Kari" `), "escapes": long(`\;,`), "lines": long("a\n"),
		"windows": long("a\r\n"), "wide": long("漢字æøå")} {
		e := sample(in(t, "Europe/Oslo"))
		e.Summary, e.Description, e.Location = text, text, text
		e.Attendee.Name, e.Organizer.Name = text, text
		written := encode(t, e)
		for line := range bytes.SplitSeq(written, []byte("\r\n")) {
			if len(line) > 75 || !utf8.Valid(line) {
				t.Errorf("%s: line of %d octets: %q", name, len(line), line)
			}
		}
		_, event := decode(t, written)
		lines := strings.ReplaceAll(text, "\r\n", "\n")
		for _, prop := range []string{"SUMMARY", "DESCRIPTION", "LOCATION"} {
			if got, err := event.Props.Get(prop).Text(); err != nil || got != lines {
				t.Errorf("%s: %s = %q (%v), want %q", name, prop, got, err, lines)
			}
		}
		want := strings.ReplaceAll(strings.ReplaceAll(lines, "\n", ""), `"`, "'")
		for _, prop := range []string{"ATTENDEE", "ORGANIZER"} {
			if got := event.Props.Get(prop); got.Params.Get("CN") != want || !strings.HasPrefix(got.Value, "mailto:") {
				t.Errorf("%s: %s = %+v, want CN %q", name, prop, got, want)
			}
		}
	}
}

func TestNoAlarmInACancellation(t *testing.T) {
	for method, want := range map[ical.Method]int{ical.Request: 1, ical.Publish: 1, ical.Cancel: 0} {
		e := sample(in(t, "Europe/Oslo"))
		e.Method = method
		if _, event := decode(t, encode(t, e)); len(event.Children) != want {
			t.Errorf("%s: %d alarms, want %d", method, len(event.Children), want)
		}
	}
}

func TestLinesFoldBetweenCharacters(t *testing.T) {
	e := sample(time.UTC)
	for n := range 80 { // every alignment of two-, three- and four-octet characters
		e.Summary = strings.Repeat("x", n) + strings.Repeat("ø€😀", 40)
		text := encode(t, e)
		for line := range bytes.SplitSeq(text, []byte("\r\n")) {
			if len(line) > 75 || !utf8.Valid(line) {
				t.Fatalf("%d: line of %d octets: %q", n, len(line), line)
			}
		}
		_, event := decode(t, text)
		if got, _ := event.Props.Get("SUMMARY").Text(); got != e.Summary {
			t.Fatalf("%d: %q, want %q", n, got, e.Summary)
		}
	}
}

// A reader who knows only the VTIMEZONE must come to the same offsets as the database of zones.
func TestTimezoneAgreesWithTheDatabase(t *testing.T) {
	for _, zone := range []string{"Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Dubai", "Africa/Casablanca", "Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Etc/GMT+5"} {
		loc := in(t, zone)
		for _, at := range around(loc) {
			e := sample(loc)
			e.Start, e.End = at.In(loc), at.In(loc).Add(3*time.Hour)
			calendar, event := decode(t, encode(t, e))
			for name, want := range map[string]time.Time{"DTSTART": e.Start, "DTEND": e.End} {
				if got := readers(t, calendar.Children[0], event.Props.Get(name)); !got.Equal(want) {
					t.Fatalf("%s: %s at %v reads %v", zone, name, want, got)
				}
			}
		}
	}
}

// around returns the middle of every month of two years and every quarter of an hour near the changes of the clock.
func around(loc *time.Location) []time.Time {
	var all []time.Time
	for at := time.Date(2026, 1, 15, 11, 30, 0, 0, time.UTC); at.Year() < 2028; at = at.AddDate(0, 1, 0) {
		all = append(all, at)
		begin, _ := at.In(loc).ZoneBounds()
		for quarter := -16; quarter < 12 && begin.Year() > 2020; quarter++ {
			all = append(all, begin.Add(time.Duration(quarter)*15*time.Minute))
		}
	}
	return all
}

// readers turns a local time into an instant by the observances alone: the one with the latest onset not after it.
func readers(t *testing.T, zone *goical.Component, prop *goical.Prop) time.Time {
	t.Helper()
	const layout = "20060102T150405"
	if at, err := time.Parse(layout+"Z", prop.Value); err == nil {
		return at
	}
	local, err := time.Parse(layout, prop.Value)
	if err != nil || zone.Name != "VTIMEZONE" || zone.Props.Get("TZID").Value != prop.Params.Get("TZID") {
		t.Fatalf("%v: %v in zone %v", err, prop, zone)
	}
	var latest, read time.Time
	for _, observance := range zone.Children {
		value := observance.Props.Get("DTSTART").Value
		onset, err := time.Parse(layout, value)
		if err != nil {
			t.Fatal(err)
		}
		if !onset.After(local) && onset.After(latest) {
			latest, read = onset, local.Add(-seconds(t, observance.Props.Get("TZOFFSETTO").Value))
		}
	}
	return read
}

func seconds(t *testing.T, offset string) time.Duration {
	t.Helper()
	hours, err := strconv.Atoi(offset[1:3])
	if err != nil {
		t.Fatal(err)
	}
	minutes, err := strconv.Atoi(offset[3:5])
	if err != nil {
		t.Fatal(err)
	}
	d := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if offset[0] == '-' {
		return -d
	}
	return d
}
