package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/recruitment"

	"github.com/emersion/go-ical"
)

// calendarMail is what a mail says to a calendar program.
type calendarMail struct {
	to       string
	method   string
	uid      string
	sequence int
	object   []byte
}

// kept is the object as a calendar keeps it: the method belongs to the mail (RFC 4791 §4.1).
func (m calendarMail) kept() []byte {
	return bytes.Replace(m.object, []byte("METHOD:"+m.method+"\r\n"), nil, 1)
}

const cancelMethod = "CANCEL"

// testCalendars are those that the programs keep: the participant's, the interviewer's, and one whose mails come in the wrong order.
var testCalendars = []string{"participant", "interviewer", "disorder"}

// An appointment that is made, moved and cancelled leaves one, the moved, and none in calendar programs that we did not
// write, whoever's calendar it is. The move is across a change of clocks, and a calendar on the other side of the sea shows
// the same instant.
func TestCalendarPrograms(t *testing.T) {
	for _, tc := range []struct{ zone, elsewhere, first, second string }{
		{"Europe/Oslo", "America/New_York", "2019-03-29 10:00", "2019-04-02 14:00"},
		{"America/New_York", "Europe/Oslo", "2019-03-08 10:00", "2019-03-11 14:30"},
	} {
		t.Run(filepath.Base(tc.zone), func(t *testing.T) {
			t.Parallel() // they wait for other programs
			programs := newPrograms(t, tc.zone, tc.elsewhere)
			f := newFieldIn(newStage(t, nil), tc.zone)
			inbox := newInbox(f, programs)
			zone, err := time.LoadLocation(tc.zone)
			f.must(err)
			at := func(wall string) (day, clock string, start time.Time) {
				day, clock, _ = strings.Cut(wall, " ")
				start, err := time.ParseInLocation("2006-01-02 15:04", wall, zone)
				f.must(err)
				return day, clock, start
			}
			f.week()

			day, clock, first := at(tc.first)
			f.must(f.open(f.enrol("A1", recruitment.Member, recruitment.Small, "Leder")+"/book").send("main form", "mode", "phone", "day", day, "time", clock))
			made := inbox.fetch()
			length := time.Duration(f.booking("A1").EndsAt-f.booking("A1").StartsAt) * time.Millisecond
			inbox.deliver("participant", made["a1@example.org"])
			inbox.deliver("interviewer", made["eier@example.org"])
			inbox.holds(first, length, "participant", "interviewer")

			page := f.path + "/bookings/" + string(f.booking("A1").ID)
			day, clock, second := at(tc.second)
			f.must(f.open(page).send(`form[action$="/move"]`, "day", day, "time", clock))
			moved := inbox.fetch()
			inbox.deliver("participant", moved["a1@example.org"], made["a1@example.org"]) // the second time it comes it is old
			inbox.deliver("interviewer", moved["eier@example.org"], moved["eier@example.org"])
			inbox.deliver("disorder", moved["a1@example.org"], made["a1@example.org"])
			inbox.holds(second, length, testCalendars...)

			f.must(f.open(page).send(`form[action$="/cancel"]`, "choice", "cancel"))
			cancelled := inbox.fetch()
			inbox.deliver("participant", cancelled["a1@example.org"])
			inbox.deliver("interviewer", cancelled["eier@example.org"])
			inbox.deliver("disorder", cancelled["a1@example.org"], moved["a1@example.org"], made["a1@example.org"])
			inbox.empty(testCalendars...)
		})
	}
}

// inbox is the mail program before each of the calendars: it reads mails, and knows which are old.
type inbox struct {
	f        *fieldStudy
	read     map[string]bool
	newest   map[string]int // highest sequence seen, by calendar and UID
	programs map[string]calendarProgram
}

func newInbox(f *fieldStudy, programs map[string]calendarProgram) *inbox {
	return &inbox{f: f, read: map[string]bool{}, newest: map[string]int{}, programs: programs}
}

// fetch sends what waits and returns what came with it for calendars, the newest by recipient.
func (b *inbox) fetch() map[string]calendarMail {
	b.f.t.Helper()
	b.f.sendMail()
	mails, found := b.f.rawMails(), map[string]calendarMail{}
	for _, name := range slices.Sorted(maps.Keys(mails)) {
		if b.read[name] {
			continue
		}
		b.read[name] = true
		if m := readCalendarMail(b.f.t, mails[name]); m.object != nil {
			found[m.to] = m
		}
	}
	for _, to := range []string{"a1@example.org", "eier@example.org"} {
		if found[to].object == nil {
			b.f.t.Fatalf("no calendar came to %s", to)
		}
	}
	return found
}

// deliver hands mails to a calendar in the order in which they come. One with a lower sequence than was seen is old and
// changes nothing, whether the appointment is there or not (RFC 5546 §2.1.5); programs leave that to whoever reads the mail.
func (b *inbox) deliver(calendar string, mails ...calendarMail) {
	for _, m := range mails {
		key := calendar + " " + m.uid
		if newest, seen := b.newest[key]; seen && m.sequence < newest {
			continue
		}
		b.newest[key] = m.sequence
		for _, program := range b.programs {
			program.take(calendar, m)
		}
	}
}

// holds checks that some calendars hold one appointment, neither earlier nor later than it is, in each program.
func (b *inbox) holds(start time.Time, length time.Duration, calendars ...string) {
	b.f.t.Helper()
	end := start.Add(length)
	for _, span := range []struct {
		name     string
		from, to time.Time
		want     int
	}{
		{"in the year", start.AddDate(0, -6, 0), start.AddDate(0, 6, 0), 1},
		{"in the hours before", start.Add(-6 * time.Hour), start, 0},
		{"in its first minute", start, start.Add(time.Minute), 1},
		{"in its last minute", end.Add(-time.Minute), end, 1},
		{"in the hours after", end, end.Add(6 * time.Hour), 0},
	} {
		b.counts(span.name, span.from, span.to, span.want, calendars)
	}
}

// empty checks that some calendars hold nothing.
func (b *inbox) empty(calendars ...string) {
	b.f.t.Helper()
	b.counts("at all", b.f.clock.now().AddDate(-1, 0, 0), b.f.clock.now().AddDate(1, 0, 0), 0, calendars)
}

func (b *inbox) counts(when string, from, to time.Time, want int, calendars []string) {
	b.f.t.Helper()
	for _, calendar := range calendars {
		for name, program := range b.programs {
			if got := program.count(calendar, from, to); got != want {
				b.f.t.Errorf("%s: the calendar %q has %d appointments %s (%v to %v), want %d", name, calendar, got, when, from, to, want)
			}
		}
	}
}

// readCalendarMail reads a mail as a mail program does, and checks that what a calendar program takes from the text and
// what a person opens as a file are the same. A mail without a calendar has no object.
func readCalendarMail(t testing.TB, text string) (m calendarMail) {
	t.Helper()
	message, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	to, err := netmail.ParseAddress(message.Header.Get("To"))
	if err != nil {
		t.Fatal(err)
	}
	m.to = to.Address
	var inText, asFile [][]byte
	eachPart(t, textproto.MIMEHeader(message.Header), message.Body, func(kind string, params map[string]string, content []byte) {
		switch kind {
		case "text/calendar":
			inText, m.method = append(inText, content), params["method"]
		case "application/ics":
			asFile = append(asFile, content)
		}
	})
	if len(inText) == 0 && len(asFile) == 0 {
		return m
	}
	if len(inText) != 1 || len(asFile) != 1 || !bytes.Equal(inText[0], asFile[0]) {
		t.Fatalf("%d calendars in the text, %d as files, not the same one:\n%s", len(inText), len(asFile), text)
	}
	m.object = inText[0]
	m.readObject(t)
	return m
}

func (m *calendarMail) readObject(t testing.TB) {
	t.Helper()
	calendar, err := ical.NewDecoder(bytes.NewReader(m.object)).Decode()
	if err != nil {
		t.Fatal(err)
	}
	if method := calendar.Props.Get(ical.PropMethod); method == nil || method.Value != m.method {
		t.Fatalf("the part's method is %q, the object's %v", m.method, method)
	}
	events := calendar.Events()
	if len(events) != 1 {
		t.Fatalf("%d events in a mail, want one:\n%s", len(events), m.object)
	}
	if m.uid, err = events[0].Props.Text(ical.PropUID); err != nil || m.uid == "" {
		t.Fatalf("UID %q, %v", m.uid, err)
	}
	if m.sequence, err = events[0].Props.Get(ical.PropSequence).Int(); err != nil {
		t.Fatal(err)
	}
}

// eachPart calls visit with every part of a mail that is not made of parts.
func eachPart(t testing.TB, header textproto.MIMEHeader, body io.Reader, visit func(kind string, params map[string]string, content []byte)) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		visit(kind, params, content)
		return
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		eachPart(t, part.Header, part, visit)
	}
}
