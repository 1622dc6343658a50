package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/fetch"
	"example.org/feltbok/scheduling"
)

// outlook is a calendar as Outlook writes one: a weekly meeting in a zone of Windows', one of them moved, and a day off.
const outlook = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:Microsoft Exchange Server 2010
X-WR-CALNAME:Kalender
BEGIN:VEVENT
UID:a
SUMMARY:Styremøte
DTSTART;TZID=W. Europe Standard Time:20190205T090000
DTEND;TZID=W. Europe Standard Time:20190205T103000
RRULE:FREQ=WEEKLY;BYDAY=TU
END:VEVENT
BEGIN:VEVENT
UID:a
SUMMARY:Styremøte
RECURRENCE-ID;TZID=W. Europe Standard Time:20190212T090000
DTSTART;TZID=W. Europe Standard Time:20190213T090000
DTEND;TZID=W. Europe Standard Time:20190213T103000
END:VEVENT
BEGIN:VEVENT
UID:b
SUMMARY:Fri
DTSTART;VALUE=DATE:20190214
DTEND;VALUE=DATE:20190215
END:VEVENT
END:VCALENDAR
`

// A calendar on a server decides what is offered; when the server fails, in each of the ways that they do, the last good times go
// on counting and the page says why.
func TestCalendarOnAServer(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.week()
	var answer http.HandlerFunc
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	t.Cleanup(server.Close)
	fetcher := fetch.New(fetch.Options{AllowLoopback: true, Roots: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs})
	s.elsewhere.get = func(address string) (fetch.Answer, error) { return fetcher.Get(context.Background(), address, "", "") }
	answer = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, outlook) }
	s.must(f.open(f.path+"/availability/calendar").send("main form", "calendar_name", "Jobb", "address", server.URL+"/hemmelig.ics"))

	offers := func(day string) string {
		from, err := time.Parse(time.DateOnly, day)
		s.must(err)
		slots, err := s.Scheduling.Free(t.Context(), scheduling.Search{Study: f.study, Audience: consents.Company}, from, from.AddDate(0, 0, 1))
		s.must(err)
		var all []string
		for _, slot := range slots {
			all = append(all, slot.Start.Format("15:04"))
		}
		return strings.Join(all, " ")
	}
	check := func(when string) {
		t.Helper()
		for day, want := range map[string]struct{ taken, free string }{"2019-02-12": {"", "09:00"}, "2019-02-13": {"09:00", "10:30"}, "2019-02-14": {"11:00", ""},
			"2019-02-19": {"09:30", "11:00"}, "2019-04-02": {"09:30", "11:00"}} {
			got := strings.Fields(offers(day))
			if want.taken != "" && slices.Contains(got, want.taken) || want.free != "" && !slices.Contains(got, want.free) {
				t.Errorf("%s: on %s are offered %v", when, day, got)
			}
		}
	}
	check("as it was read")
	for says, fails := range map[string]http.HandlerFunc{
		"logger inn":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"ingen kalender": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"nettside": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<!doctype html><title>Logg inn</title>")
		},
	} {
		answer = fails
		f.turn(7 * time.Hour)
		s.must(s.Scheduling.ReadCalendars(t.Context()))
		if got := f.open(f.path + "/availability").Text("section[aria-labelledby=calendars]"); !strings.Contains(got, says) || !strings.Contains(got, "gjelder fortsatt") {
			t.Errorf("the list does not say %q: %s", says, got)
		}
		check(says)
	}
	if strings.Contains(dump(t, s.stores[database.Study]), "Styremøte") {
		t.Error("a title is kept")
	}
}
