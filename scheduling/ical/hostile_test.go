package ical_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/internal/heap"
	"example.org/feltbok/scheduling/ical"
)

// filled repeats what makes returns until a calendar is nearly as large as it may be.
func filled(makes func(i int) string) []byte {
	var body strings.Builder
	for i := 0; body.Len() < ical.MaxBytes-10_000; i++ {
		body.WriteString(makes(i))
	}
	return []byte("BEGIN:VCALENDAR\n" + body.String() + "\nEND:VCALENDAR\n")
}

// counting is a list of numbers.
func counting(from, to int) string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return strings.Join(list, ",")
}

// What somebody made to keep us busy is read or refused within two seconds and 64 MiB.
func TestHostileFilesCostLittle(t *testing.T) {
	if raced {
		t.Skip("the race detector costs more than the files")
	}
	rules := func(rule string) []byte {
		return filled(func(int) string {
			return event("DTSTART;TZID=Europe/Oslo:19700101T000000", "DURATION:PT1S", "RRULE:"+rule) + "\n"
		})
	}
	one := func(rule string) []byte {
		return calendar(event("DTSTART:19700101T000000Z", "DURATION:PT1S", "RRULE:"+rule))
	}
	every := "BYHOUR=" + counting(0, 23) + ";BYMINUTE=" + counting(0, 59) + ";BYSECOND=" + counting(0, 59)
	everyDay := "BYMONTHDAY=" + counting(1, 31) + ";BYYEARDAY=" + counting(1, 366) + ";BYWEEKNO=" + counting(1, 53)
	var days []string
	for n := -53; n <= 53; n++ {
		for _, day := range []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"} {
			days = append(days, fmt.Sprint(n)+day)
		}
	}
	everyWeekday := "BYDAY=" + strings.Join(days, ",")
	for name, c := range map[string]struct {
		file []byte
		err  error
	}{
		"every second since 1970":            {one("FREQ=SECONDLY"), ical.ErrTooMany},
		"two thousand million seconds":       {one("FREQ=SECONDLY;COUNT=2147483647"), ical.ErrTooMany},
		"two thousand million days":          {one("FREQ=DAILY;COUNT=2147483647"), nil},
		"the longest interval":               {one("FREQ=YEARLY;INTERVAL=2147483647;COUNT=2147483647"), nil},
		"the longest interval of weeks":      {one("FREQ=WEEKLY;INTERVAL=2147483647"), nil},
		"no interval":                        {one("FREQ=SECONDLY;INTERVAL=0"), nil},
		"30 February":                        {one("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2"), nil},
		"seconds on 30 February":             {one("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"), nil},
		"odd seconds that are even":          {one("FREQ=SECONDLY;INTERVAL=2;BYSECOND=1"), ical.ErrTooMany},
		"many events every second":           {rules("FREQ=SECONDLY"), ical.ErrTooMany},
		"many events counted every second":   {rules("FREQ=SECONDLY;COUNT=2147483647"), ical.ErrTooMany},
		"many events counted every day":      {rules("FREQ=DAILY;COUNT=2147483647"), ical.ErrTooMany},
		"many events on 30 February":         {rules("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9"), ical.ErrTooMany},
		"many events at all times":           {rules("FREQ=YEARLY;COUNT=9;" + every), ical.ErrTooMany},
		"many events at the last of all":     {rules("FREQ=YEARLY;BYSETPOS=-1,1;COUNT=2147483647;" + every), ical.ErrTooMany},
		"many events at places every second": {rules("FREQ=SECONDLY;COUNT=2147483647;BYSETPOS=" + counting(2, 366)), ical.ErrTooMany},
		"many events on all days":            {rules("FREQ=YEARLY;COUNT=2147483647;" + everyDay), ical.ErrTooMany},
		"many events on all weekdays":        {rules("FREQ=MONTHLY;COUNT=2147483647;" + everyWeekday), ical.ErrTooMany},
		"one event with many rules":          {[]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:19700101T000000Z\n" + strings.Repeat("RRULE:FREQ=DAILY\n", 250_000) + "END:VEVENT\nEND:VCALENDAR"), ical.ErrTooMany},
		"rules with long lists": {filled(func(int) string {
			return "BEGIN:VEVENT\nRRULE:FREQ=DAILY;BYDAY=" + strings.Repeat("MO,", 2700) + "MO\nEND:VEVENT\n"
		}), ical.ErrUnreadable},
		"many events": {filled(func(i int) string { return "BEGIN:VEVENT\nEND:VEVENT\n" }), ical.ErrTooMany},
		"many zones": {filled(func(i int) string {
			return fmt.Sprintf("BEGIN:VTIMEZONE\nTZID:%d\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE\n", i)
		}), ical.ErrTooMany},
		"many names of zones": {filled(func(i int) string {
			return event(fmt.Sprintf("DTSTART;TZID=A/B%d:20260302T100000", i), "DURATION:PT1H") + "\n"
		}), ical.ErrTooMany},
		"long names of zones": {filled(func(i int) string {
			return event(fmt.Sprintf("DTSTART;TZID=%d%s:20260302T100000", i, strings.Repeat("/A", 4000)), "DURATION:PT1H") + "\n"
		}), ical.ErrTooMany},
		"a zone that changes every second": {calendar("BEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=SECONDLY\nEND:STANDARD\nEND:VTIMEZONE", event("DTSTART;TZID=x:20260302T100000", "DURATION:PT1H")), ical.ErrTooMany},
		"many exceptions": {filled(func(i int) string {
			return "BEGIN:VEVENT\nDTSTART:20260302T100000Z\nEXDATE:" + strings.Repeat("20260302,", 900) + "\nEND:VEVENT\n"
		}), ical.ErrTooMany},
		"many busy times": {filled(func(i int) string {
			return "BEGIN:VFREEBUSY\nFREEBUSY:" + strings.Repeat("20260302T100000Z/PT1H,", 300) + "\nEND:VFREEBUSY\n"
		}), ical.ErrTooMany},
		"many with one UID": {calendar(many(9_500, func(i int) string {
			return event("UID:a", fmt.Sprintf("DTSTART:202603%02dT%02d%02d00Z", 1+i%28, i%24, i%60), "DURATION:PT1S") + "\n" + event("UID:a", "RECURRENCE-ID:"+time.Unix(int64(1_800_000_000+60*i), 0).UTC().Format(layout), "DTSTART:20260302T100000Z") + "\n"
		})), ical.ErrTooMany},
		"many changes of one event": {[]byte("BEGIN:VCALENDAR\n" + event("UID:a", "DTSTART:20200101T000000Z", "DURATION:PT1S", "RRULE:FREQ=MINUTELY;INTERVAL=2") + "\n" + many(19_000, func(i int) string {
			return event("UID:a", "RECURRENCE-ID;RANGE=THISANDFUTURE:"+time.Unix(int64(1_800_000_000+60*i), 0).UTC().Format(layout), "DTSTART:20260302T100000Z") + "\n"
		}) + "END:VCALENDAR"), nil},
		"nested":                          {filled(func(int) string { return "BEGIN:VALARM\n" }), ical.ErrTooMany},
		"ends without a beginning":        {filled(func(int) string { return "END:X\n" }), nil},
		"one long line":                   {filled(func(int) string { return "DESCRIPTION" + strings.Repeat("x", 1000) }), nil},
		"one long parameter":              {calendar(event("DTSTART:20260302T100000Z", "X;A="+strings.Repeat("a", 4_000_000)+":")), nil},
		"one long parameter that matters": {calendar(event("DTSTART;A=" + strings.Repeat("a", 4_000_000) + ":20260302T100000Z")), ical.ErrLongLine},
		"many parameters":                 {filled(func(int) string { return "BEGIN:VEVENT\nDTSTART" + strings.Repeat(";TZID=", 1300) + "\nEND:VEVENT\n" }), ical.ErrUnreadable},
		"folded after each octet":         {filled(func(int) string { return "X\n :\n x\n" }), nil},
		"only line ends":                  {filled(func(int) string { return "\n" }), nil},
		"only folds":                      {filled(func(int) string { return "\n " }), nil},
		"only colons":                     {filled(func(int) string { return ":" }), nil},
		"only semicolons":                 {filled(func(int) string { return ";\n" }), nil},
		"only times":                      {[]byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + strings.Repeat("DTSTART:20260302T100000Z\n", 200_000) + "END:VEVENT\nEND:VCALENDAR"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			before, most, took := heap.Peak(func() {
				_, err = ical.ReadBusy(c.file, in(t, "Europe/Oslo"), instant(t, "20260201"), instant(t, "20260401"))
			})
			if !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			t.Logf("%d bytes: %v, %.1f MiB", len(c.file), took.Round(time.Millisecond), float64(most-before)/(1<<20))
			if took > 2*time.Second || most-before+uint64(len(c.file)) > 64<<20 {
				t.Errorf("took %v and %d MiB", took, (most-before)>>20)
			}
		})
	}
}

func many(n int, makes func(i int) string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(makes(i))
	}
	return all.String()
}
