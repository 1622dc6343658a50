package ical_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/scheduling/ical"

	"github.com/google/go-cmp/cmp"
	"github.com/teambition/rrule-go"
)

// starts reads the starts of one repeated event within a window.
func starts(t *testing.T, from, to time.Time, properties ...string) []string {
	t.Helper()
	reading, err := ical.ReadBusy(calendar(event(append(properties, "DURATION:PT1S")...)), time.UTC, from, to)
	if err != nil || reading.Skipped > 0 {
		t.Fatalf("%v: %v, %d skipped", properties, err, reading.Skipped)
	}
	var all []string
	for _, b := range reading.Busy {
		all = append(all, b.Start.Format(layout))
	}
	return all
}

// fewer returns how many of n rules to try.
func fewer(n uint64) uint64 {
	if raced {
		return n / 10
	}
	return n
}

var days = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// Daily and weekly rules of every sort make what somebody with a wall calendar would find, day after day, also across the
// changes of the clock.
func TestRepetitionsAreThoseOfAWallCalendar(t *testing.T) {
	zones := []string{"Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"}
	for seed := range fewer(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		loc := in(t, zones[r.IntN(len(zones))])
		first := time.Date(2024, time.Month(1+r.IntN(24)), 1+r.IntN(28), r.IntN(24), 15*r.IntN(4), 0, 0, time.UTC)
		from := time.Date(2026, time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, time.UTC)
		interval, weekly, count := 1+r.IntN(4), r.IntN(2) == 0, 0
		rule := fmt.Sprintf("FREQ=DAILY;INTERVAL=%d", interval)
		on := []string{days[first.Weekday()]}
		if weekly {
			for range r.IntN(4) {
				on = append(on, days[r.IntN(7)])
			}
			rule = fmt.Sprintf("FREQ=WEEKLY;INTERVAL=%d;BYDAY=%s", interval, strings.Join(on, ","))
		}
		if r.IntN(2) == 0 {
			count = 1 + r.IntN(400)
			rule += fmt.Sprintf(";COUNT=%d", count)
		}
		var want []string
		monday := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
		for day, n := first, 0; day.Before(from.AddDate(0, 3, 0)); day = day.AddDate(0, 0, 1) {
			passed := int(day.Sub(first).Hours() / 24)
			if weekly {
				passed = int(day.Sub(monday).Hours() / 24 / 7)
			}
			if passed%interval != 0 || weekly && !slices.Contains(on, days[day.Weekday()]) {
				continue
			}
			if n++; count > 0 && n > count {
				break
			}
			if at := search(day, loc); !at.Before(from) && at.Before(from.AddDate(0, 2, 0)) {
				want = append(want, at.UTC().Format(layout))
			}
		}
		got := starts(t, from, from.AddDate(0, 2, 0), "DTSTART;TZID="+loc.String()+":"+first.Format("20060102T150405"), "RRULE:"+rule)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s from %v in %v (-want +got):\n%s", seed, rule, first, loc, diff)
		}
	}
}

// search looks through the quarters of an hour for the first at which clocks show a time. Where none does, the clock has
// skipped it by an hour or half of one: it is that much after the time that the clock showed before.
func search(wall time.Time, loc *time.Location) time.Time {
	const form = "20060102T1504"
	for at := wall.Add(-15 * time.Hour); at.Before(wall.Add(15 * time.Hour)); at = at.Add(15 * time.Minute) {
		if at.In(loc).Format(form) == wall.Format(form) {
			return at
		}
	}
	return search(wall.Add(-time.Hour), loc).Add(time.Hour)
}

// Rules of all kinds make what another library makes of them. Left out are those on which it never ends, or where it does
// not take from the start what the rule leaves open.
func TestRepetitionsAreThoseOfAnotherLibrary(t *testing.T) {
	compared := 0
	for seed := range fewer(250) {
		r := rand.New(rand.NewPCG(seed, 7))
		text := randomRule(r)
		first := time.Date(2020, time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
		option, err := rrule.StrToROption(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		option.Dtstart = first
		theirs, err := rrule.NewRRule(*option)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		start, any := theirs.Iterator()()
		if !any {
			continue
		}
		theirs.DTStart(start) // we always count the start in, so it must fit
		if again, any := theirs.Iterator()(); !any || !again.Equal(start) {
			continue
		}
		from := start.AddDate(r.IntN(4), r.IntN(12), 0)
		to := from.AddDate(0, 2, 0)
		if option.Freq <= rrule.MONTHLY {
			to = from.AddDate(3, 0, 0)
		}
		var want []string
		for _, at := range theirs.Between(from, to.Add(-time.Second), true) {
			want = append(want, at.Format(layout))
		}
		compared++
		if diff := cmp.Diff(want, starts(t, from, to, "DTSTART:"+start.Format(layout), "RRULE:"+text)); diff != "" {
			t.Fatalf("seed %d: %s from %v (-theirs +ours):\n%s", seed, text, start, diff)
		}
	}
	if least := fewer(200); compared < int(least) {
		t.Errorf("only %d rules compared", compared)
	}
}

func randomRule(r *rand.Rand) string {
	list := func(n, least, most int) string {
		var all []string
		for range 1 + r.IntN(n) {
			if x := fmt.Sprint(least + r.IntN(most-least+1)); (x != "0" || least == 0) && !slices.Contains(all, x) {
				all = append(all, x) // the other library counts double what is there twice
			}
		}
		if all == nil {
			return "1"
		}
		return strings.Join(all, ",")
	}
	weekdays := func(nth int) string {
		var all []string
		nth *= r.IntN(2) // the other library does not take MO,1TU for either of them
		for range 1 + r.IntN(4) {
			n := ""
			if nth > 0 {
				n = []string{"1", "2", "4", "-1", "-3", "+3"}[r.IntN(6)]
			}
			if x := n + days[r.IntN(7)]; !slices.Contains(all, x) {
				all = append(all, x)
			}
		}
		return strings.Join(all, ",")
	}
	freq := []string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"}[r.IntN(6)]
	parts := []string{"FREQ=" + freq}
	maybe := func(part string) {
		if r.IntN(3) == 0 {
			parts = append(parts, part)
		}
	}
	maybe("WKST=" + days[r.IntN(7)])
	maybe("BYMONTH=" + list(4, 1, 12))
	switch freq {
	case "YEARLY":
		switch r.IntN(4) {
		case 0:
			parts = append(parts, "BYWEEKNO="+list(4, 2, 50), "BYDAY="+weekdays(0))
		case 1:
			parts = append(parts, "BYYEARDAY="+list(5, -366, 366))
		case 2:
			parts = append(parts, "BYDAY="+weekdays(1))
		}
		maybe(fmt.Sprintf("COUNT=%d", 1+r.IntN(20)))
	case "MONTHLY":
		maybe("BYMONTHDAY=" + list(5, -31, 31))
		maybe("BYDAY=" + weekdays(1))
		maybe(fmt.Sprintf("COUNT=%d", 1+r.IntN(100)))
	case "WEEKLY", "DAILY":
		maybe("BYDAY=" + weekdays(0))
		maybe(fmt.Sprintf("COUNT=%d", 1+r.IntN(1000)))
	case "HOURLY", "MINUTELY":
		parts = append(parts, fmt.Sprintf("INTERVAL=%d", 30+r.IntN(300)))
		maybe("BYDAY=" + weekdays(0))
		maybe("BYSECOND=" + list(3, 0, 59))
		return strings.Join(parts, ";")
	}
	maybe(fmt.Sprintf("INTERVAL=%d", 1+r.IntN(4)))
	maybe("BYHOUR=" + list(3, 0, 23))
	maybe("BYMINUTE=" + list(3, 0, 59))
	maybe("BYSETPOS=" + list(3, -4, 4))
	return strings.Join(parts, ";")
}
