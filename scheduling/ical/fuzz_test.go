package ical_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/scheduling/ical"
)

// Whatever the bytes, there is a reading that keeps its word or one of our errors. Go keeps what has failed once in
// testdata/fuzz.
func FuzzReadBusy(f *testing.F) {
	own, err := filepath.Glob("testdata/*.ics")
	if err != nil || len(own) == 0 {
		f.Fatalf("%v: %v", own, err)
	}
	for _, path := range own {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("BEGIN:VCALENDAR\nX;A=b\n0;0=\nEND:VCALENDAR"))
	for _, more := range []string{
		"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU;UNTIL=20260501\nEXDATE;VALUE=DATE:20260309\nRDATE;VALUE=PERIOD:20260305T120000Z/PT1H,20260306T120000/20260306T130000",
		"RRULE:FREQ=YEARLY;BYWEEKNO=10,-43;BYDAY=TU;COUNT=9\nEXDATE:20260309T090000Z",
		"RRULE:FREQ=YEARLY;BYYEARDAY=-300,70;BYHOUR=7,9;BYMINUTE=0,30;BYSETPOS=1,-1",
		"RRULE:FREQ=MONTHLY;BYDAY=-1FR,2TU;BYMONTH=3\nRRULE:FREQ=MONTHLY;BYMONTHDAY=31,-2",
		"RRULE:FREQ=MINUTELY;INTERVAL=77;BYHOUR=9;BYSECOND=0,60\nSEQUENCE:2\nTRANSP:OPAQUE\nSTATUS:TENTATIVE",
		"X-MICROSOFT-CDO-BUSYSTATUS:OOF\nEND:VEVENT\nBEGIN:VEVENT\nUID:u\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260309T090000Z\nDTSTART:20260310T090000Z\nDURATION:P1DT2H3M4S",
		"END:VEVENT\nBEGIN:VFREEBUSY\nFREEBUSY;FBTYPE=BUSY-TENTATIVE:20260305T120000Z/PT1H,20260306T120000Z/20260306T130000Z\nEND:VFREEBUSY\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260310",
	} {
		for _, tzid := range []string{"Europe/Oslo", "\"W. Europe Standard Time\"", "/x/America/New_York", "own"} {
			f.Add(calendar("X-WR-TIMEZONE:Asia/Tokyo", event("UID:u", "DTSTART;TZID="+tzid+":20260302T100000", "DTEND;TZID="+tzid+":20260302T110000", more),
				"BEGIN:VTIMEZONE\nTZID:own\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+013020\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nRDATE:20260305T000000\nEND:STANDARD\nEND:VTIMEZONE"))
		}
	}
	oslo := in(f, "Europe/Oslo")
	from, to := instant(f, "20260301"), instant(f, "20260401")
	f.Fuzz(func(t *testing.T, data []byte) {
		reading, err := ical.ReadBusy(data, oslo, from, to)
		if err != nil {
			if e, ok := errors.AsType[*errs.Error](err); !ok || e.Kind != errs.Invalid || !strings.HasPrefix(e.Code, "scheduling.feed_") {
				t.Fatalf("%v is not one of our errors", err)
			}
			return
		}
		for i, b := range reading.Busy {
			if !b.End.After(b.Start) || !b.End.After(from) || !b.Start.Before(to) || i > 0 && b.Start.Before(reading.Busy[i-1].Start) {
				t.Fatalf("%d of %d: %v", i, len(reading.Busy), b)
			}
			if strings.ContainsFunc(b.UID, func(r rune) bool { return r < ' ' || r == '\ufffd' }) {
				t.Fatalf("UID %q", b.UID)
			}
		}
	})
}
