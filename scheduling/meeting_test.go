package scheduling_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

func (w *world) meet(ctx context.Context, p id.Person, mode scheduling.Mode, wall string, change func(*scheduling.Request)) (scheduling.Booking, error) {
	r := scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: mode, Start: at(wall), Language: "nb"}
	if change != nil {
		change(&r)
	}
	return w.Book(ctx, audit.Participant(p), r)
}

func everyMode(k *scheduling.Type) {
	k.Modes, k.VideoRoom, k.Questions = scheduling.Modes, "https://meet.example.org/{room}", "Hva er et samarbeid for deg?"
}

func TestWaysOfMeeting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.offer(t, everyMode)
		w.week(t, "ada", workdays(9, 12)...)
		video, err := w.meet(ctx, person(), scheduling.Video, "2019-04-11T09:00", func(r *scheduling.Request) { r.PersonZone = "America/New_York" })
		if err != nil || !strings.HasPrefix(video.Place, "https://meet.example.org/") || strings.Contains(video.Place, "{") || video.PersonZone != "America/New_York" {
			t.Errorf("video: %+v, %v", video, err)
		}
		other, err := w.meet(ctx, person(), scheduling.Video, "2019-04-11T10:00", func(r *scheduling.Request) { r.PersonZone = "Europe/Oslo" })
		if err != nil || other.Place == video.Place || other.PersonZone != "" {
			t.Errorf("another's video: %+v, %v", other, err)
		}
		_, err = w.meet(ctx, person(), scheduling.Visit, "2019-04-11T11:00", nil)
		same(t, "a visit to nowhere", faults(err), []string{"where: required"})
		visit, err := w.meet(ctx, person(), scheduling.Visit, "2019-04-11T11:00", func(r *scheduling.Request) { r.Where, r.PersonZone = "note", "America/New_York" })
		if err != nil || visit.Place != "" || visit.Where != "note" || visit.PersonZone != "" {
			t.Errorf("visit: %+v, %v", visit, err)
		}
		_, err = w.meet(ctx, person(), scheduling.Phone, "2019-04-12T09:00", func(r *scheduling.Request) { r.PersonZone = "Mars/Olympus" })
		same(t, "no such zone", faults(err), []string{"person_zone: scheduling.zone"})
	})
}

// In writing a person chooses a day, which takes nobody's hours.
func TestInWriting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.offer(t, func(k *scheduling.Type) { everyMode(k); k.NoticeHours, k.HorizonDays = 72, 24 })
		is(t, "set week", w.SetWeek(ctx, staff, w.study, scheduling.Week{Account: "ada", Zone: "Europe/Oslo", Holidays: true}), nil)
		var days []string
		slots, err := w.Free(ctx, w.search(scheduling.Email), at("2019-04-01T00:00"), at("2019-07-01T00:00"))
		for _, s := range slots {
			days = append(days, s.Start.Format("01-02T15:04"))
		}
		if err != nil {
			t.Fatal(err)
		}
		same(t, "days", days, []string{"04-05T00:00", "04-08T00:00", "04-09T00:00", "04-10T00:00", "04-11T00:00", "04-12T00:00", "04-15T00:00",
			"04-16T00:00", "04-17T00:00", "04-23T00:00", "04-24T00:00", "04-25T00:00"})
		for range 3 { // as many as like
			b, err := w.meet(ctx, person(), scheduling.Email, "2019-04-10T00:00", nil)
			if err != nil || b.End().Format("2006-01-02T15:04") != "2019-04-11T00:00" || !slices.Equal(b.Interviewers, []id.Account{"ada"}) {
				t.Errorf("in writing: %+v, %v", b, err)
			}
		}
		if n := w.count(t, "select count(*) from booking_cell"); n != 0 {
			t.Errorf("%d cells are taken", n)
		}
		for _, wall := range []string{"2019-04-10T10:00", "2019-04-13T00:00", "2019-04-19T00:00", "2019-04-02T00:00", "2019-06-03T00:00"} {
			_, err := w.meet(ctx, person(), scheduling.Email, wall, nil)
			is(t, "in writing by "+wall, err, scheduling.ErrOutside)
		}
		b, err := w.Book(ctx, staff, scheduling.Request{Study: w.study, Person: person(), Audience: "company", Mode: scheduling.Email, ByStaff: true,
			Zone: "Europe/Oslo", Start: at("2019-04-13T14:30")})
		if err != nil || b.Start().Format("2006-01-02T15:04") != "2019-04-13T00:00" {
			t.Errorf("staff, by Saturday: %+v, %v", b, err)
		}
	})
}

func TestDailyMost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, func(k *scheduling.Type) { k.DailyMost = 2 })
		w.week(t, "ada", workdays(9, 13)...)
		w.mustOwn(t, person(), "2019-04-11T09:00")
		same(t, "room for one more", w.freeOn(t, "2019-04-11"), []string{"10:00", "11:00", "12:00"})
		p := person()
		second := w.mustOwn(t, p, "2019-04-11T12:00")
		same(t, "a full day", w.freeOn(t, "2019-04-11"), nil)
		_, err := w.own(t.Context(), person(), at("2019-04-11T10:00"))
		is(t, "a third", err, scheduling.ErrTaken)
		if _, err := w.Change(t.Context(), audit.Participant(p), w.study, second.ID, scheduling.Change{Start: at("2019-04-11T10:00")}, false); err != nil {
			t.Errorf("the second moves within the day: %v", err)
		}
		if _, err := w.byStaff(t.Context(), person(), at("2019-04-11T12:00")); err != nil {
			t.Errorf("staff book as they like: %v", err)
		}
		same(t, "the next day", w.freeOn(t, "2019-04-12"), []string{"09:00", "10:00", "11:00", "12:00"})
	})
}

func TestChangeWhatIsThere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, everyMode)
		w.week(t, "ada", workdays(9, 12)...)
		w.week(t, "bo", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		w.sent()
		change := func(what string, c scheduling.Change, byStaff bool) scheduling.Booking {
			t.Helper()
			actor := staff
			if !byStaff {
				actor = audit.Participant(p)
			}
			c.Seen = b.Version
			changed, err := w.Change(ctx, actor, w.study, b.ID, c, byStaff)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			b = changed
			return changed
		}
		if got := change("nothing", scheduling.Change{Start: b.Start(), Mode: b.Mode}, false); got.Version != 1 || len(w.sent()) > 0 {
			t.Errorf("nothing: %+v", got)
		}
		if got := change("way", scheduling.Change{Mode: scheduling.InPerson}, false); got.Place != "Rom 4.12" || got.Sequence != 1 || got.Moves != 0 || got.Version != 2 {
			t.Errorf("way: %+v", got)
		}
		same(t, "mails on another way", w.sent(), []string{"booking_moved person 1", "booking_moved ada 1"})
		if got := change("place", scheduling.Change{Place: "Rom 5"}, true); got.Place != "Rom 5" || got.Mode != scheduling.InPerson {
			t.Errorf("place: %+v", got)
		}
		w.sent()
		if got := change("interviewers", scheduling.Change{Interviewers: []id.Account{"bo"}}, true); !slices.Equal(got.Interviewers, []id.Account{"bo"}) {
			t.Errorf("interviewers: %+v", got)
		}
		same(t, "mails on another interviewer", w.sent(), []string{"booking_moved person 3", "booking_confirmed bo 3", "booking_cancelled ada 3"})
		if got := change("message", scheduling.Change{Message: "note"}, true); got.Message != "note" || got.Sequence != 4 {
			t.Errorf("message: %+v", got)
		}
		if got := change("time", scheduling.Change{Start: at("2019-04-12T09:00")}, true); got.Message != "" || got.Moves != 1 || got.Place != "Rom 5" {
			t.Errorf("time: %+v", got)
		}
		if got := change("in writing", scheduling.Change{Mode: scheduling.Email, Start: at("2019-04-15T08:00")}, true); got.Start().Format("15:04") != "00:00" || got.Place != "" {
			t.Errorf("in writing: %+v", got)
		}
		if n := w.count(t, "select count(*) from booking_cell"); n != 0 {
			t.Errorf("%d cells are held in writing", n)
		}
		_, err := w.Change(ctx, staff, w.study, b.ID, scheduling.Change{Mode: scheduling.Phone}, true)
		same(t, "a day is no hour", faults(err), []string{"start: required"})
		if got := change("by telephone again", scheduling.Change{Mode: scheduling.Phone, Start: at("2019-04-16T11:00")}, true); got.End().Sub(got.Start()) != time.Hour {
			t.Errorf("by telephone again: %+v", got)
		}
		same(t, "the time that is held", w.freeOn(t, "2019-04-16"), []string{"09:00", "10:00", "11:00"}) // ada's; bo's is taken
		_, err = w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Place: "https://eve.example.org", Interviewers: []id.Account{"eve"}}, false)
		is(t, "a participant changes neither place nor interviewers", err, nil)
		if got, _ := w.Get(ctx, w.study, b.ID); got.Place != "" || got.Version != b.Version {
			t.Errorf("changed all the same: %+v", got)
		}
	})
}

// Whoever changes something has seen what it is.
func TestOldVersionsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		if _, err := w.Change(ctx, staff, w.study, b.ID, scheduling.Change{Start: at("2019-04-12T09:00"), Seen: b.Version}, true); err != nil {
			t.Fatal(err)
		}
		_, err := w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-11T09:00"), Seen: b.Version}, false)
		is(t, "a move of what it was", err, scheduling.ErrChanged)
		is(t, "a cancellation of what it was", w.Cancel(ctx, audit.Participant(p), w.study, b.ID, b.Version, "", false), scheduling.ErrChanged)
		is(t, "a title for what it was", w.Retitle(ctx, audit.Participant(p), w.study, b.ID, "talk", b.Version), scheduling.ErrChanged)
		is(t, "cancelled as it is", w.Cancel(ctx, audit.Participant(p), w.study, b.ID, b.Version+1, "", false), nil)
		kind, err := w.TypeOf(ctx, w.study, "company")
		is(t, "type", err, nil)
		is(t, "saved", w.SaveType(ctx, staff, kind), nil)
		is(t, "saved over", w.SaveType(ctx, staff, kind), scheduling.ErrChanged)
	})
}

func TestRetitle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		w.sent()
		same(t, "no such title", faults(w.Retitle(ctx, audit.Participant(p), w.study, b.ID, "secret study", 0)), []string{"title: scheduling.title"})
		is(t, "another's", w.Retitle(ctx, audit.Participant(person()), w.study, b.ID, "talk", 0), scheduling.ErrNotFound)
		is(t, "retitled", w.Retitle(ctx, audit.Participant(p), w.study, b.ID, "talk", b.Version), nil)
		is(t, "again the same", w.Retitle(ctx, audit.Participant(p), w.study, b.ID, "talk", 0), nil)
		same(t, "mails", w.sent(), []string{"booking_retitled person 1"}) // the interviewers' copy stays as it was
		got, err := w.Get(ctx, w.study, b.ID)
		if err != nil || got.Title != "talk" || got.Sequence != 0 || got.OwnSequence() != 1 {
			t.Errorf("retitled: %+v, %v", got, err)
		}
		if _, err := w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-12T10:00")}, false); err != nil {
			t.Fatal(err)
		}
		same(t, "both copies rise", w.sent(), []string{"booking_moved person 2", "booking_moved ada 1"})
	})
}

func TestMissed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		w.sent()
		is(t, "before the start", w.Missed(ctx, staff, w.study, b.ID, 0, true), scheduling.ErrNotBegun)
		w.set("2019-04-11T10:20")
		is(t, "missed", w.Missed(ctx, staff, w.study, b.ID, b.Version, true), nil)
		same(t, "mails", w.sent(), []string{"booking_again person 0"})
		if got, _ := w.Get(ctx, w.study, b.ID); got.State != scheduling.NoShow || w.states[p] != "consented" {
			t.Errorf("%+v, %s", got, w.states[p])
		}
		is(t, "twice", w.Missed(ctx, staff, w.study, b.ID, 0, true), scheduling.ErrNotOpen)
		again := w.mustOwn(t, p, "2019-04-12T11:00")
		if again.ID == b.ID || w.states[p] != "booked" {
			t.Errorf("booked again: %+v, %s", again, w.states[p])
		}
		w.sent()
		w.set("2019-04-12T11:30")
		is(t, "missed quietly", w.Missed(ctx, staff, w.study, again.ID, 0, false), nil)
		same(t, "no mails", w.sent(), nil)
	})
}

// Reminders are put into the queue once for each time that a booking has, and only those whose hour is to come.
func TestReminders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reminded = true
		ctx, p := t.Context(), person()
		w.offer(t, func(k *scheduling.Type) { everyMode(k); k.RemindHours, k.RemindCallHours = 24, 1 })
		w.week(t, "ada", workdays(9, 12)...)
		reminders := func() (all []string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, m := range w.mails {
				if m.Kind == scheduling.MailReminder {
					all = append(all, m.Params["hours"]+" "+time.UnixMilli(m.NotBefore).In(at("2019-04-01T09:00").Location()).Format("01-02T15:04"))
				}
			}
			w.mails = nil
			return all
		}
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		same(t, "by telephone", reminders(), []string{"24 04-10T10:00", "1 04-11T09:00"})
		if _, err := w.Change(ctx, staff, w.study, b.ID, scheduling.Change{Start: at("2019-04-02T08:00"), Mode: scheduling.InPerson}, true); err != nil {
			t.Fatal(err)
		}
		same(t, "in person, tomorrow at eight", reminders(), nil)
		if _, err := w.meet(ctx, person(), scheduling.Email, "2019-04-15T00:00", nil); err != nil {
			t.Fatal(err)
		}
		same(t, "in writing", reminders(), []string{"24 04-14T09:00"})
	})
}

func TestRemindersThatAreRight(t *testing.T) {
	kind := scheduling.Type{RemindHours: 24, RemindCallHours: 1}
	start := at("2019-04-11T10:00")
	b := scheduling.Booking{Mode: scheduling.Phone, State: scheduling.Booked, Zone: "Europe/Oslo", StartsAt: start.UnixMilli(), EndsAt: start.Add(time.Hour).UnixMilli()}
	cancelled, moved := b, b
	cancelled.State = scheduling.Cancelled
	moved.StartsAt += 3_600_000
	for name, c := range map[string]struct {
		b     scheduling.Booking
		hours int
		at    string
		want  bool
	}{
		"a day before":              {b, 24, "2019-04-10T10:00", true},
		"late, after an outage":     {b, 24, "2019-04-11T08:59", true},
		"so late that the next one": {b, 24, "2019-04-11T09:00", false},
		"the next one":              {b, 1, "2019-04-11T09:00", true},
		"when it has begun":         {b, 1, "2019-04-11T10:00", false},
		"cancelled":                 {cancelled, 24, "2019-04-10T10:00", false},
		"moved":                     {moved, 24, "2019-04-10T10:00", false},
		"no longer wanted":          {b, 48, "2019-04-10T10:00", false},
	} {
		if got := kind.Reminds(c.b, c.hours, start.UnixMilli(), at(c.at)); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A cancelled appointment takes a person back only where it was their last.
func TestOneOfTwoIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		first := w.mustOwn(t, p, "2019-04-11T10:00")
		second, err := w.Book(ctx, staff, scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Phone, Start: at("2019-04-18T10:00"), ByStaff: true, FollowUp: true})
		is(t, "a follow-up", err, nil)
		is(t, "cancel one", w.Cancel(ctx, staff, w.study, first.ID, 0, "", true), nil)
		if w.states[p] != "booked" {
			t.Errorf("with one left: %s", w.states[p])
		}
		is(t, "cancel the other", w.Cancel(ctx, staff, w.study, second.ID, 0, "", true), nil)
		if w.states[p] != "consented" {
			t.Errorf("with none left: %s", w.states[p])
		}
	})
}

// The zone of hours may change after a booking: the booking stays when and where it is.
func TestZoneChangedAfterBooking(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, person(), "2019-04-11T10:00")
		is(t, "move to New York", w.SetWeek(t.Context(), staff, w.study, scheduling.Week{Account: "ada", Zone: "America/New_York", Windows: workdays(9, 12), Version: 1}), nil)
		got, err := w.Get(t.Context(), w.study, b.ID)
		if err != nil || got.Zone != "Europe/Oslo" || got.Start().Format("15:04") != "10:00" {
			t.Errorf("%+v, %v", got, err)
		}
		same(t, "hours there, by its clocks", w.freeOn(t, "2019-04-11"), []string{"09:00", "10:00", "11:00"})
		clashes, err := w.Clashes(t.Context(), w.study)
		if err != nil || len(clashes) != 1 || clashes[0] != (scheduling.Clash{Booking: b.ID, Account: "ada", Outside: true}) {
			t.Errorf("clashes %v, %v", clashes, err)
		}
	})
}

// Who moves an appointment may take half an hour of it.
func TestOwnTimeIsNotInTheWayOfMoving(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, func(k *scheduling.Type) { k.Grid, k.DailyMost = 30, 1 })
		w.week(t, "ada", workdays(9, 11)...)
		p := person()
		b := w.mustOwn(t, p, "2019-04-11T09:00")
		same(t, "for others the day is full", w.freeOn(t, "2019-04-11"), nil)
		q := w.search(scheduling.Phone)
		q.Moving = b.ID
		slots, err := w.Free(t.Context(), q, at("2019-04-11T00:00"), at("2019-04-12T00:00"))
		var free []string
		for _, s := range slots {
			free = append(free, s.Start.Format("15:04"))
		}
		if err != nil {
			t.Fatal(err)
		}
		same(t, "for whoever moves it", free, []string{"09:00", "09:30", "10:00"})
		if _, err := w.Change(t.Context(), audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-11T09:30")}, false); err != nil {
			t.Error(err)
		}
	})
}

// Other hours in the offer are those of appointments that there are, too.
func TestRemindersFollowTheOffer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.reminded = true
		w.offer(t, func(k *scheduling.Type) { k.RemindHours = 24 })
		w.week(t, "ada", workdays(9, 12)...)
		w.mustOwn(t, person(), "2019-04-11T10:00")
		w.sent()
		w.offer(t, func(k *scheduling.Type) { k.RemindHours = 48 })
		same(t, "reminders", w.sent(), []string{"booking_reminder person 0"})
	})
}

// What keeps its time keeps its cells, though buffers have grown since.
func TestChangeThatKeepsTheTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, everyMode)
		w.week(t, "ada", workdays(9, 12)...)
		first := w.mustOwn(t, person(), "2019-04-11T09:00")
		w.mustOwn(t, person(), "2019-04-11T10:00")
		w.offer(t, func(k *scheduling.Type) { everyMode(k); k.BufferAfter = 15 })
		got, err := w.Change(t.Context(), staff, w.study, first.ID, scheduling.Change{Mode: scheduling.InPerson, Place: "Rom 5"}, true)
		if err != nil || got.Place != "Rom 5" || got.EndsAt != first.EndsAt {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = w.Change(t.Context(), staff, w.study, first.ID, scheduling.Change{Start: at("2019-04-11T09:05")}, true)
		is(t, "into the next", err, scheduling.ErrTaken)
	})
}

// Moving is offered what moving can have: times for as many interviewers, and as long.
func TestMovingIsOfferedWhatItCanHave(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		w.week(t, "bo", workdays(11, 14)...)
		p := person()
		b, err := w.byStaff(t.Context(), p, at("2019-04-10T11:00"), "ada", "bo")
		is(t, "book two", err, nil)
		q := w.search(scheduling.Phone)
		q.Moving = b.ID
		slots, err := w.Free(t.Context(), q, at("2019-04-11T00:00"), at("2019-04-12T00:00"))
		if err != nil || len(slots) != 1 || !slots[0].Start.Equal(at("2019-04-11T11:00")) {
			t.Errorf("offered %v, %v", slots, err)
		}
		_, err = w.Change(t.Context(), audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-11T11:00")}, false)
		is(t, "moved", err, nil)
	})
}

// A day is the same day in mail, page and calendar, wherever the interviewer is who reads the answers.
func TestInWritingInTwoZones(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, everyMode)
		is(t, "ada", w.SetWeek(t.Context(), staff, w.study, scheduling.Week{Account: "ada", Zone: "Europe/Oslo", Windows: workdays(9, 12)}), nil)
		is(t, "bo", w.SetWeek(t.Context(), staff, w.study, scheduling.Week{Account: "bo", Zone: "Europe/London", Windows: workdays(9, 12)}), nil)
		w.mustOwn(t, person(), "2019-04-10T09:00") // ada is the busier
		p := person()
		b, err := w.meet(t.Context(), p, scheduling.Email, "2019-04-10T00:00", nil)
		if err != nil || b.Start().Format("2006-01-02T15:04") != "2019-04-10T00:00" || b.End().Sub(b.Start()) != 24*time.Hour {
			t.Fatalf("%+v, %v", b, err)
		}
		q := w.search(scheduling.Email)
		q.Moving = b.ID
		slots, err := w.Free(t.Context(), q, at("2019-04-11T00:00"), at("2019-04-12T00:00"))
		if err != nil || len(slots) != 1 {
			t.Fatalf("offered %v, %v", slots, err)
		}
		b, err = w.Change(t.Context(), audit.Participant(p), w.study, b.ID, scheduling.Change{Start: slots[0].Start}, false)
		if err != nil || b.Start().Format("2006-01-02T15:04") != "2019-04-11T00:00" {
			t.Errorf("moved to %+v, %v", b, err)
		}
	})
}
