package scheduling_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/fetch"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

// elsewhere answers as a server at the one address that there is; it stands in for the network alone.
type elsewhere struct {
	mu     sync.Mutex
	events []string // each "from/to" by the clocks of Oslo, as 2006-01-02T15:04
	etag   string
	fault  error
	wait   time.Duration
	asked  int    // how often
	with   string // the ETag of the last question
	during func() // called while it answers
}

const secretAddress = "https://calendar.example.org/secret/basic.ics"

var errPrivate = errs.New(errs.Invalid, "fetch.private")

func (e *elsewhere) Check(address string) (string, error) {
	if address != secretAddress {
		return "", errPrivate
	}
	return address, nil
}

func (e *elsewhere) Get(_ context.Context, _, etag, _ string) (fetch.Answer, error) {
	e.mu.Lock()
	e.asked++
	e.with = etag
	e.mu.Unlock()
	if e.during != nil {
		e.during()
	}
	if e.fault != nil {
		return fetch.Answer{RetryAfter: e.wait}, e.fault
	}
	if etag != "" && etag == e.etag {
		return fetch.Answer{NotModified: true, ETag: etag}, nil
	}
	var text strings.Builder
	text.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
	for i, event := range e.events {
		from, rest, _ := strings.Cut(event, "/")
		to, uid, _ := strings.Cut(rest, " ")
		if uid == "" {
			uid = fmt.Sprint("event", i)
		}
		fmt.Fprintf(&text, "BEGIN:VEVENT\r\nUID:%s\r\nSUMMARY:What nobody need know\r\nDTSTART:%s\r\nDTEND:%s\r\nEND:VEVENT\r\n", uid, zulu(from), zulu(to))
	}
	text.WriteString("END:VCALENDAR\r\n")
	return fetch.Answer{Body: []byte(text.String()), ETag: e.etag}, nil
}

func zulu(wall string) string { return at(wall).UTC().Format("20060102T150405Z") }

// sealer stands in for the key store, which has tests of its own.
type sealer struct{}

func (sealer) SealOwn(use string, text []byte) []byte {
	sealed := []byte(use + "|" + string(text))
	for i := range sealed {
		sealed[i] ^= 0x5a
	}
	return sealed
}

func (sealer) OpenOwn(use string, sealed []byte) ([]byte, error) {
	plain := bytes.Clone(sealed)
	for i := range plain {
		plain[i] ^= 0x5a
	}
	if !bytes.HasPrefix(plain, []byte(use+"|")) {
		return nil, errors.New("forged")
	}
	return plain[len(use)+1:], nil
}

// withCalendar runs a test in a world whose interviewer ada has a calendar elsewhere.
func withCalendar(t *testing.T, fn func(t *testing.T, w *world, e *elsewhere)) {
	t.Helper()
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		w.elsewhere.events, w.elsewhere.etag = []string{"2019-04-11T10:30/2019-04-11T11:30"}, `"1"`
		if err := w.AddCalendar(t.Context(), staff, "ada", "Work", secretAddress); err != nil {
			t.Fatal(err)
		}
		fn(t, w, w.elsewhere)
	})
}

// again lets some time pass and reads what is due.
func (w *world) again(t testing.TB, pass time.Duration) {
	t.Helper()
	w.mu.Lock()
	w.at = w.at.Add(pass)
	w.mu.Unlock()
	if err := w.ReadCalendars(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) calendar(t testing.TB) scheduling.Calendar {
	t.Helper()
	all, err := w.Calendars(t.Context(), "ada")
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	return all[0]
}

func TestBusyElsewhere(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		same(t, "free beside what is elsewhere", w.freeOn(t, "2019-04-11"), []string{"09:00"})
		_, err := w.own(t.Context(), person(), at("2019-04-11T10:00"))
		is(t, "booked into it", err, scheduling.ErrOutside)
		if _, err := w.byStaff(t.Context(), person(), at("2019-04-11T11:00")); err != nil {
			t.Errorf("staff know better: %v", err)
		}
		clashes, err := w.Clashes(t.Context(), w.study)
		if err != nil || len(clashes) != 1 || clashes[0].Account != "ada" || clashes[0].Outside {
			t.Errorf("clashes %v, %v", clashes, err)
		}

		e.events, e.etag = []string{"2019-04-12T00:00/2019-04-13T00:00"}, `"2"`
		w.again(t, 14*time.Minute)
		same(t, "not yet read again", w.freeOn(t, "2019-04-12"), []string{"09:00", "10:00", "11:00"})
		w.again(t, time.Minute)
		same(t, "read again", w.freeOn(t, "2019-04-12"), nil)
		same(t, "what is gone is forgotten", w.freeOn(t, "2019-04-11"), []string{"09:00", "10:00"})
		if c := w.calendar(t); c.ReadAt != at("2019-04-01T09:15").UnixMilli() || c.Fault != "" {
			t.Errorf("%+v", c)
		}
		w.again(t, 15*time.Minute)
		if e.with != `"2"` || e.asked != 3 {
			t.Errorf("asked %d times, last with %q", e.asked, e.with)
		}
		same(t, "unchanged", w.freeOn(t, "2019-04-12"), nil)
		is(t, "another's", w.RemoveCalendar(t.Context(), staff, "bo", w.calendar(t).ID), scheduling.ErrNotFound)
		is(t, "removed", w.RemoveCalendar(t.Context(), staff, "ada", w.calendar(t).ID), nil)
		same(t, "free again", w.freeOn(t, "2019-04-12"), []string{"09:00", "10:00", "11:00"})
		if n := w.count(t, "select count(*) from busy_time"); n != 0 {
			t.Errorf("%d busy times are left", n)
		}
	})
}

// Buffers are kept towards what is elsewhere too.
func TestBusyElsewhereWithBuffers(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		w.offer(t, func(k *scheduling.Type) { k.Minutes, k.Grid, k.BufferBefore, k.BufferAfter = 30, 15, 15, 30 })
		same(t, "around 10:30 to 11:30", w.freeOn(t, "2019-04-11"), []string{"09:00", "09:15", "09:30"})
	})
}

func TestCalendarThatFails(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		e.fault = errs.New(errs.Unavailable, "fetch.slow")
		w.again(t, 15*time.Minute)
		c := w.calendar(t)
		if c.Fault != "fetch.slow" || c.ReadAt != at("2019-04-01T09:00").UnixMilli() || c.TriedAt != at("2019-04-01T09:15").UnixMilli() {
			t.Errorf("%+v", c)
		}
		same(t, "the last good times count", w.freeOn(t, "2019-04-11"), []string{"09:00"})
		before := e.asked
		for range 24 * 4 {
			w.again(t, 15*time.Minute)
		}
		if n := e.asked - before; n < 5 || n > 20 {
			t.Errorf("asked %d times on a day of failing", n)
		}
		e.fault, e.etag = nil, `"2"`
		w.again(t, 6*time.Hour)
		if c := w.calendar(t); c.Fault != "" || c.ReadAt != w.at.UnixMilli() {
			t.Errorf("mended: %+v", c)
		}
		e.fault, e.wait = errs.New(errs.Unavailable, "fetch.busy"), 3*time.Hour
		w.again(t, 15*time.Minute)
		before = e.asked
		w.again(t, 2*time.Hour)
		if e.asked != before {
			t.Error("asked sooner than the server wants")
		}
		w.again(t, time.Hour)
		if e.asked == before {
			t.Error("not asked when the server's time is over")
		}
	})
}

func TestCalendarIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		add := func(name, address string) error { return w.AddCalendar(t.Context(), staff, "ada", name, address) }
		same(t, "nothing typed", faults(add("", "")), []string{"address: fetch.private", "name: required"})
		same(t, "long name", faults(add(strings.Repeat("😀", 61), secretAddress)), []string{"name: too_long"})
		w.elsewhere.fault = errs.New(errs.Invalid, "fetch.gone")
		same(t, "not there", faults(add("Work", secretAddress)), []string{"address: fetch.gone"})
		w.elsewhere.fault = errors.New("boom")
		same(t, "no word for it", faults(add("Work", secretAddress)), []string{"address: fetch.unreachable"})
		if n := w.count(t, "select count(*) from calendar"); n != 0 {
			t.Errorf("%d calendars are kept", n)
		}
		w.elsewhere.fault = nil
		for i := range 5 {
			is(t, "one more", add(fmt.Sprint("Work ", i), secretAddress), nil)
		}
		is(t, "the sixth", add("Work", secretAddress), scheduling.ErrCalendars)
	})
}

// An address opens the calendar to whoever has it, and titles are nobody's business.
func TestCalendarIsDiscreet(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		var kept strings.Builder
		for _, query := range []string{"select name, cast(skipped as text), etag from calendar", "select calendar_id, cast(from_ms as text), cast(to_ms as text) from busy_time",
			"select actor, action, detail from audit_entry"} {
			rows, err := database.All(t.Context(), w.db, func(row database.Scanner) (string, error) {
				var a, b, c string
				err := row.Scan(&a, &b, &c)
				return a + b + c, err
			}, query)
			if err != nil {
				t.Fatal(err)
			}
			kept.WriteString(strings.Join(rows, "\n"))
		}
		var sealed []byte
		if err := w.db.QueryRow(t.Context(), "select address from calendar").Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		kept.Write(sealed)
		for _, word := range []string{"secret", "calendar.example.org", "nobody need know"} {
			if strings.Contains(kept.String(), word) {
				t.Errorf("%q is kept: %s", word, kept.String())
			}
		}
	})
}

// Our own invitations in somebody's calendar are not in the way of moving what they are about.
func TestOwnAppointmentsAreNotBusy(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		p := person()
		b := w.mustOwn(t, p, "2019-04-12T10:00")
		e.events, e.etag = []string{"2019-04-12T10:00/2019-04-12T11:00 " + b.UID, "2019-04-12T09:00/2019-04-12T09:30 " + string(id.New[id.Booking]())}, `"2"`
		w.again(t, 15*time.Minute)
		is(t, "cancelled", w.Cancel(t.Context(), staff, w.study, b.ID, 0, "", true), nil)
		same(t, "free again at once", w.freeOn(t, "2019-04-12"), []string{"10:00", "11:00"})
	})
}

// Times are kept from yesterday on, and known far enough ahead although the calendar does not change.
func TestBusyTimesAreKeptNoLonger(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		w.again(t, 11*24*time.Hour+3*time.Hour) // 12 April, noon
		if n := w.count(t, "select count(*) from busy_time"); n != 0 {
			t.Errorf("%d times of yesterday are kept", n)
		}
		if e.with != `"1"` {
			t.Errorf("asked with %q", e.with)
		}
		w.again(t, 70*24*time.Hour)
		if e.with != "" {
			t.Errorf("asked with %q, when what is kept reaches too short", e.with)
		}
	})
}

// Several processes read side by side; a calendar that was removed meanwhile stays so.
func TestCalendarReadOnce(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		e.etag = `"2"`
		before := e.asked
		e.during = func() {
			e.during = nil
			if err := w.ReadCalendars(t.Context()); err != nil {
				t.Error(err)
			}
			is(t, "removed while read", w.RemoveCalendar(t.Context(), staff, "ada", w.calendar(t).ID), nil)
		}
		w.again(t, 15*time.Minute)
		if e.asked != before+1 {
			t.Errorf("asked %d times", e.asked-before)
		}
		if n := w.count(t, "select count(*) from calendar") + w.count(t, "select count(*) from busy_time"); n != 0 {
			t.Errorf("%d rows came back", n)
		}
	})
}

// A stretch that reaches beyond what is kept goes with the rest when it is another.
func TestLongBusyTimesAreForgotten(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		e.events, e.etag = []string{"2019-04-12T00:00/2021-04-12T00:00"}, `"2"`
		w.again(t, 15*time.Minute)
		same(t, "away for two years", w.freeOn(t, "2019-05-02"), nil)
		e.events, e.etag = []string{"2019-04-12T00:00/2019-04-20T00:00"}, `"3"`
		w.again(t, 15*time.Minute)
		same(t, "away for a week", w.freeOn(t, "2019-05-02"), []string{"09:00", "10:00", "11:00"})
	})
}

// Another zone while a calendar is read makes it be read again.
func TestZoneChangesWhileACalendarIsRead(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		e.etag = `"2"`
		e.during = func() { e.during = nil; w.week(t, "ada", workdays(9, 12)...) }
		w.again(t, 15*time.Minute)
		before := e.asked
		w.again(t, time.Minute)
		if e.asked != before+1 || e.with != "" {
			t.Errorf("asked %d times more, with %q", e.asked-before, e.with)
		}
	})
}

// However many processes look at once, each calendar is asked once.
func TestCalendarsAreSharedOut(t *testing.T) {
	withCalendar(t, func(t *testing.T, w *world, e *elsewhere) {
		for range 4 {
			is(t, "one more", w.AddCalendar(t.Context(), staff, "ada", "Work", secretAddress), nil)
		}
		before := e.asked
		w.set("2019-04-01T10:00")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := w.ReadCalendars(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := e.asked - before; n != 5 {
			t.Errorf("five calendars were asked %d times", n)
		}
	})
}

func TestSubscription(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		w.week(t, "bo", workdays(9, 12)...)
		first, err := w.Subscribe(ctx, staff, "ada")
		is(t, "subscribe", err, nil)
		if account, err := w.Subscriber(ctx, first); account != "ada" || err != nil {
			t.Errorf("%q, %v", account, err)
		}
		second, err := w.Subscribe(ctx, staff, "ada")
		is(t, "subscribe anew", err, nil)
		_, err = w.Subscriber(ctx, first)
		is(t, "the former secret", err, scheduling.ErrNotFound)
		_, err = w.byStaff(ctx, person(), at("2019-04-11T10:00"), "ada")
		is(t, "book", err, nil)
		_, err = w.byStaff(ctx, person(), at("2019-04-11T10:00"), "bo")
		is(t, "book another's", err, nil)
		agenda, err := w.Agenda(ctx, "ada", []id.Study{w.study, id.New[id.Study]()}, at("2019-04-01T00:00"))
		if err != nil || len(agenda) != 1 || agenda[0].Interviewers[0] != "ada" {
			t.Errorf("%+v, %v", agenda, err)
		}
		if since, err := w.Subscribed(ctx, "ada"); since != w.at.UnixMilli() || err != nil {
			t.Errorf("since %d, %v", since, err)
		}
		is(t, "end", w.Unsubscribe(ctx, staff, "ada"), nil)
		is(t, "end twice", w.Unsubscribe(ctx, staff, "ada"), scheduling.ErrNotFound)
		_, err = w.Subscriber(ctx, second)
		is(t, "the last secret", err, scheduling.ErrNotFound)
		if n := w.count(t, "select count(*) from subscription"); n != 0 {
			t.Errorf("%d left", n)
		}
	})
}
