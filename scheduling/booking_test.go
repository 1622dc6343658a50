package scheduling_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/scheduling/ical"
)

// A booking remembers the time that it has; where it stood before is not made up.
func TestStands(t *testing.T) {
	const starts, made, changed = 900, 100, 500
	for name, c := range map[string]struct {
		state scheduling.State
		moves int
		want  []scheduling.Stand
	}{
		"open":                  {scheduling.Booked, 0, []scheduling.Stand{{Starts: starts, From: made}}},
		"kept":                  {scheduling.Done, 0, []scheduling.Stand{{Starts: starts, From: made, Until: changed}}},
		"nobody came":           {scheduling.NoShow, 0, []scheduling.Stand{{Starts: starts, From: made, Until: changed}}},
		"cancelled":             {scheduling.Cancelled, 0, []scheduling.Stand{{Starts: starts, From: made, Until: changed}}},
		"moved and open":        {scheduling.Booked, 2, []scheduling.Stand{{From: made, Until: changed}, {Starts: starts, From: changed}}},
		"moved, then kept":      {scheduling.Done, 1, []scheduling.Stand{{From: made, Until: changed}}},
		"moved, then cancelled": {scheduling.Cancelled, 1, []scheduling.Stand{{From: made, Until: changed}}},
	} {
		b := scheduling.Booking{StartsAt: starts, CreatedAt: made, MovedAt: changed, ChangedAt: changed, State: c.state, Moves: c.moves}
		if got := b.Stands(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestBookMoveCancel(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		if b.State != scheduling.Booked || b.Zone != "Europe/Oslo" || b.End().Format("15:04") != "11:00" || b.Language != "nb" ||
			!slices.Equal(b.Interviewers, []id.Account{"ada"}) || b.MadeBy != audit.Participant(p) || w.states[p] != "booked" {
			t.Errorf("booked %+v, state %q", b, w.states[p])
		}
		same(t, "mails on booking", w.sent(), []string{"booking_confirmed person 0", "booking_confirmed ada 0"})

		moved, err := w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-12T09:00")}, false)
		if err != nil || moved.UID != b.UID || moved.Sequence != 1 || !moved.Start().Equal(at("2019-04-12T09:00")) {
			t.Errorf("moved to %+v, %v", moved, err)
		}
		same(t, "mails on moving", w.sent(), []string{"booking_moved person 1", "booking_moved ada 1"})
		same(t, "the old day", w.freeOn(t, "2019-04-11"), []string{"09:00", "10:00", "11:00"})
		same(t, "the new day", w.freeOn(t, "2019-04-12"), []string{"10:00", "11:00"})
		if again, err := w.Change(ctx, staff, w.study, b.ID, scheduling.Change{Start: at("2019-04-12T09:00")}, true); err != nil || again.Sequence != 1 || len(w.sent()) > 0 {
			t.Errorf("moved to where it is: %+v, %v", again, err)
		}

		if err := w.Cancel(ctx, staff, w.study, b.ID, 0, "", true); err != nil {
			t.Fatal(err)
		}
		same(t, "mails on cancelling", w.sent(), []string{"booking_cancelled person 2", "booking_cancelled ada 2"})
		same(t, "the day after cancelling", w.freeOn(t, "2019-04-12"), []string{"09:00", "10:00", "11:00"})
		is(t, "cancelled twice", w.Cancel(ctx, staff, w.study, b.ID, 0, "", true), scheduling.ErrNotOpen)
		_, err = w.Change(ctx, staff, w.study, b.ID, scheduling.Change{Start: at("2019-04-12T10:00")}, true)
		is(t, "moved after cancelling", err, scheduling.ErrNotOpen)

		anew := w.mustOwn(t, p, "2019-04-11T10:00")
		all, err := w.Of(ctx, w.study, p)
		if err != nil || len(all) != 2 || all[0].ID != anew.ID || all[1].State != scheduling.Cancelled || all[1].Sequence != 2 {
			t.Errorf("of the person: %+v, %v", all, err)
		}
		between, err := w.Between(ctx, w.study, at("2019-04-11T10:00"), at("2019-04-12T00:00"))
		if err != nil || len(between) != 1 {
			t.Errorf("between: %+v, %v", between, err)
		}
		next, err := w.NextOf(ctx, w.study, at("2019-04-10T00:00"), []id.Person{p, person()})
		if err != nil || len(next) != 1 || next[p] != anew.StartsAt {
			t.Errorf("next: %v, %v; want %d of one", next, err, anew.StartsAt)
		}
		for name, study := range map[string]id.Study{"past": w.study, "another study": id.New[id.Study]()} {
			if next, err := w.NextOf(ctx, study, at("2019-04-11T10:01"), []id.Person{p}); err != nil || len(next) != 0 {
				t.Errorf("%s: %v, %v", name, next, err)
			}
		}
		if n, err := w.log.Verify(ctx); err != nil || n != 6 { // type, week, booked, moved, cancelled, booked
			t.Errorf("audit chain: %d entries, %v", n, err)
		}
	})
}

func TestParticipantsAreHeldToTheOffer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, func(k *scheduling.Type) { k.NoticeHours = 24 })
		w.week(t, "ada", workdays(9, 12)...)
		for name, start := range map[string]string{"outside the hours": "2019-04-11T13:00", "off the grid": "2019-04-11T09:30", "too soon": "2019-04-01T10:00",
			"past": "2019-03-29T10:00", "beyond the horizon": "2019-06-07T10:00", "runs over": "2019-04-11T12:00"} {
			_, err := w.own(ctx, p, at(start))
			is(t, name, err, scheduling.ErrOutside)
		}
		_, err := w.own(ctx, p, at("2019-04-11T10:00").Add(time.Minute))
		same(t, "odd minute", faults(err), []string{"start: scheduling.five"})
		w.mustOwn(t, person(), "2019-04-11T10:00")
		_, err = w.own(ctx, p, at("2019-04-11T10:00"))
		is(t, "taken", err, scheduling.ErrTaken)
		w.mustOwn(t, p, "2019-04-11T11:00")
		_, err = w.own(ctx, p, at("2019-04-11T09:00"))
		is(t, "second", err, scheduling.ErrHasBooking)
		_, err = w.Book(ctx, audit.Participant(p), scheduling.Request{Study: w.study, Person: person(), Audience: "company", Mode: scheduling.Phone, Start: at("2019-04-11T09:00")})
		is(t, "for somebody else", err, scheduling.ErrNotAllowed)
		_, err = w.Book(ctx, audit.Participant(p), scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Video, Language: "tlh", Zone: "Nowhere"})
		same(t, "form", faults(err), []string{"language: scheduling.language", "mode: scheduling.mode", "start: required", "zone: scheduling.zone"})
		if n := w.count(t, "select count(*) from booking"); n != 2 {
			t.Errorf("%d bookings stored, want 2", n)
		}
	})
}

func TestConsentIsAskedWhenActing(t *testing.T) {
	for _, c := range []struct {
		standing     string
		byStaff      bool
		book, change error
	}{
		{"yes", false, nil, nil}, {"yes", true, nil, nil},
		{"unasked", false, scheduling.ErrNotAllowed, scheduling.ErrNotAllowed}, {"unasked", true, nil, nil},
		{"no", false, scheduling.ErrNotAllowed, scheduling.ErrNotAllowed}, {"no", true, scheduling.ErrNotAllowed, scheduling.ErrNotAllowed},
	} {
		t.Run(c.standing, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				p, actor := person(), staff
				if !c.byStaff {
					actor = audit.Participant(p)
				}
				w.offer(t, nil)
				w.week(t, "ada", workdays(9, 12)...)
				w.standing[p] = c.standing
				b, err := w.Book(t.Context(), actor, scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Phone, Start: at("2019-04-11T10:00"), ByStaff: c.byStaff})
				is(t, "book", err, c.book)
				if err != nil {
					w.standing[p] = "yes"
					b = w.mustOwn(t, p, "2019-04-11T10:00")
					w.standing[p] = c.standing
				}
				_, err = w.Change(t.Context(), actor, w.study, b.ID, scheduling.Change{Start: at("2019-04-11T11:00")}, c.byStaff)
				is(t, "move", err, c.change)
				is(t, "cancel needs no consent", w.Cancel(t.Context(), actor, w.study, b.ID, 0, "", c.byStaff), nil)
			})
		})
	}
}

func TestStaffBookFreely(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.offer(t, nil)
		_, err := w.byStaff(ctx, person(), at("2019-04-11T20:00"))
		is(t, "nobody there", err, scheduling.ErrNobody)
		_, err = w.byStaff(ctx, person(), at("2019-04-11T20:00"), "guest")
		same(t, "no zone known", faults(err), []string{"zone: required"})
		w.week(t, "ada", workdays(9, 12)...)
		w.week(t, "bo", workdays(14, 16)...)
		if b, err := w.byStaff(ctx, person(), at("2019-04-11T14:00")); err != nil || !slices.Equal(b.Interviewers, []id.Account{"bo"}) {
			t.Errorf("who works then: %v, %v", b.Interviewers, err)
		}
		first, err := w.byStaff(ctx, person(), at("2019-04-11T20:00"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := w.byStaff(ctx, person(), at("2019-04-11T20:00"))
		if err != nil || first.Interviewers[0] == second.Interviewers[0] {
			t.Errorf("two in the evening: %v and %v, %v", first.Interviewers, second.Interviewers, err)
		}
		_, err = w.byStaff(ctx, person(), at("2019-04-11T20:30"))
		is(t, "both busy", err, scheduling.ErrTaken)
		_, err = w.byStaff(ctx, person(), at("2019-03-29T10:00"), "ada")
		same(t, "past", faults(err), []string{"start: scheduling.past"})
		_, err = w.byStaff(ctx, person(), at("2019-04-12T10:00"), "ada", "bo", "cy")
		same(t, "a crowd", faults(err), []string{"interviewers: scheduling.interviewers"})

		p := person()
		guest, err := w.Book(ctx, staff, scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.InPerson, Start: at("2019-04-12T10:00"),
			ByStaff: true, Interviewers: []id.Account{"guest", "ada"}, Zone: "Europe/London"})
		if err != nil || guest.Zone != "Europe/London" || guest.Place != "Rom 4.12" || !slices.Equal(guest.Interviewers, []id.Account{"ada", "guest"}) {
			t.Errorf("with a guest: %+v, %v", guest, err)
		}
		again := scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Email, Start: at("2019-04-25T10:00"), ByStaff: true}
		_, err = w.Book(ctx, staff, again)
		is(t, "second by staff", err, scheduling.ErrHasBooking)
		again.FollowUp = true
		if _, err = w.Book(ctx, staff, again); err != nil {
			t.Errorf("follow-up: %v", err)
		}
	})
}

func TestOneMayChangeOnlyOnesOwnUntilTheDeadline(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p, eve := t.Context(), person(), audit.Participant(person())
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		_, err := w.Change(ctx, eve, w.study, b.ID, scheduling.Change{Start: at("2019-04-12T10:00")}, false)
		is(t, "another's move", err, scheduling.ErrNotFound)
		is(t, "another's cancel", w.Cancel(ctx, eve, w.study, b.ID, 0, "", false), scheduling.ErrNotFound)
		is(t, "another study's cancel", w.Cancel(ctx, staff, id.New[id.Study](), b.ID, 0, "", true), scheduling.ErrNotFound)
		_, err = w.Get(ctx, id.New[id.Study](), b.ID)
		is(t, "another study's get", err, scheduling.ErrNotFound)

		w.set("2019-04-10T10:00")
		moved, err := w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-11T11:00")}, false)
		if err != nil || moved.Sequence != 1 {
			t.Errorf("at the deadline: %v", err)
		}
		w.set("2019-04-10T11:05")
		_, err = w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-12T10:00")}, false)
		is(t, "late move", err, scheduling.ErrTooLate)
		is(t, "late cancel", w.Cancel(ctx, audit.Participant(p), w.study, b.ID, 0, "", false), scheduling.ErrTooLate)
		is(t, "staff cancel late", w.Cancel(ctx, staff, w.study, b.ID, 0, "", true), nil)
	})
}

// Who moves may meet another interviewer; each hears what concerns them.
func TestMoveToAnotherInterviewer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		w.week(t, "bo", workdays(9, 16)...)
		same2 := func(what string, b scheduling.Booking, err error, want ...id.Account) {
			t.Helper()
			if err != nil || !slices.Equal(b.Interviewers, want) {
				t.Errorf("%s: %v, %v, want %v", what, b.Interviewers, err, want)
			}
		}
		moved, err := w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-11T11:00")}, false)
		same2("kept where possible", moved, err, "ada")
		w.sent()
		moved, err = w.Change(ctx, audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-11T14:00")}, false)
		same2("another where not", moved, err, "bo")
		same(t, "mails", w.sent(), []string{"booking_moved person 2", "booking_confirmed bo 2", "booking_cancelled ada 2"})
		if n := w.count(t, "select count(*) from booking_cell where account_id = 'ada'"); n != 0 {
			t.Errorf("ada still holds %d cells", n)
		}
		if _, err := w.byStaff(ctx, person(), at("2019-04-12T14:00"), "bo"); err != nil {
			t.Fatal(err)
		}
		_, err = w.Change(ctx, staff, w.study, b.ID, scheduling.Change{Start: at("2019-04-12T14:00")}, true)
		is(t, "staff move keeps the interviewer", err, scheduling.ErrTaken)
		moved, err = w.Change(ctx, staff, w.study, b.ID, scheduling.Change{Start: at("2019-04-11T14:30")}, true)
		same2("half over its own time", moved, err, "bo")
	})
}

func TestWithdrawalCancelsEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p, other := t.Context(), person(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		past := w.mustOwn(t, p, "2019-04-02T09:00")
		w.mustOwn(t, other, "2019-04-11T10:00")
		if _, err := w.Book(ctx, staff, scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Phone, Start: at("2019-04-12T10:00"), ByStaff: true, FollowUp: true}); err != nil {
			t.Fatal(err)
		}
		w.set("2019-04-10T09:00")
		w.sent()
		if err := w.db.Tx(ctx, func(tx *database.Tx) error { return w.CancelAllTx(ctx, tx, audit.Participant(p), w.study, p) }); err != nil {
			t.Fatal(err)
		}
		same(t, "mails about what is to come", w.sent(), []string{"booking_cancelled person 1", "booking_cancelled ada 1"})
		if b, err := w.Get(ctx, w.study, past.ID); err != nil || b.State != scheduling.Cancelled {
			t.Errorf("past booking: %+v, %v", b, err)
		}
		if n := w.count(t, "select count(*) from booking where state = 'booked'"); n != 1 {
			t.Errorf("%d open bookings, want the other person's", n)
		}
		for range 2 { // erasing is repeatable
			if err := w.db.Tx(ctx, func(tx *database.Tx) error { return w.Erase(ctx, tx, p) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range []string{"booking", "person_turn"} {
			if n := w.count(t, "select count(*) from "+table+" where person_id = $1", p); n != 0 || !slices.Contains(w.Tables(), table) {
				t.Errorf("%s: %d rows left", table, n)
			}
		}
		if n := w.count(t, "select count(*) from booking_cell"); n != 12 {
			t.Errorf("%d cells left, want the other person's 12", n)
		}
	})
}

// Nobody's act brings back the rows of somebody who has left.
func TestWhoHasLeftIsNotBooked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T09:00")
		w.gone = map[id.Person]bool{p: true}
		_, err := w.byStaff(t.Context(), p, at("2019-04-12T09:00"))
		is(t, "booked by staff", err, errGone)
		_, err = w.Change(t.Context(), staff, w.study, b.ID, scheduling.Change{Start: at("2019-04-12T09:00")}, true)
		is(t, "moved by staff", err, errGone)
		is(t, "cancelled by staff", w.Cancel(t.Context(), staff, w.study, b.ID, 0, "", true), errGone) // their place is held first
		if n := w.count(t, "select count(*) from booking where starts_at > $1", b.StartsAt); n != 0 {
			t.Errorf("%d bookings were made", n)
		}
	})
}

func TestEraseFreesTheTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 10)...)
		w.mustOwn(t, p, "2019-04-11T09:00")
		if err := w.db.Tx(t.Context(), func(tx *database.Tx) error { return w.Erase(t.Context(), tx, p) }); err != nil {
			t.Fatal(err)
		}
		w.mustOwn(t, person(), "2019-04-11T09:00")
	})
}

func TestDone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, p := t.Context(), person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		end := func(study id.Study, state scheduling.State) error {
			return w.db.Tx(ctx, func(tx *database.Tx) error { return w.DoneTx(ctx, tx, study, b.Person, b.ID, state) })
		}
		is(t, "another study", end(id.New[id.Study](), scheduling.Done), scheduling.ErrNotOpen)
		if err := end(w.study, scheduling.Cancelled); err == nil {
			t.Error("ended as cancelled without freeing its time")
		}
		is(t, "no show", end(w.study, scheduling.NoShow), nil)
		is(t, "done after all", end(w.study, scheduling.Done), nil)
		is(t, "cancelled afterwards", w.Cancel(ctx, staff, w.study, b.ID, 0, "", true), scheduling.ErrNotOpen)
		w.mustOwn(t, p, "2019-04-12T10:00") // a held interview is in nobody's way
	})
}

// A failure after the cells are taken leaves nothing behind.
func TestFailedBookingLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		boom := errors.New("boom")
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		failing := scheduling.New(w.db, w.log, scheduling.Needs{Present: w.present, Gate: w, Advance: w.advance, Outbox: failingOutbox{boom}, Now: func() time.Time { return w.at }})
		p := person()
		_, err := failing.Book(t.Context(), audit.Participant(p), scheduling.Request{Study: w.study, Person: p, Audience: "company", Mode: scheduling.Phone, Start: at("2019-04-11T10:00")})
		is(t, "book", err, boom)
		if n := w.count(t, "select (select count(*) from booking) + (select count(*) from booking_cell)"); n != 0 {
			t.Errorf("%d rows left", n)
		}
	})
}

func TestInviteIsStable(t *testing.T) {
	b := scheduling.Booking{UID: "k2o7wq", Sequence: 2, StartsAt: at("2019-04-11T10:30").UnixMilli(), EndsAt: at("2019-04-11T11:30").UnixMilli(), Zone: "Europe/Oslo", Place: "Rom 4.12", ChangedAt: at("2019-04-01T09:00").UnixMilli()}
	invite := func() []byte {
		text, err := scheduling.Invite(b, ical.Cancel, ical.Address{Email: "prosjekt@example.org"}, ical.Address{Email: "kari@example.org"}, scheduling.Copy{Summary: "Avtale", Sequence: b.Sequence})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := invite()
	if !bytes.Equal(first, invite()) {
		t.Error("two invitations of one booking differ")
	}
	for _, want := range []string{"METHOD:CANCEL", "SEQUENCE:2", "UID:k2o7wq", "DTSTART;TZID=Europe/Oslo:20190411T103000", "DTSTAMP:20190401T070000Z", "SUMMARY:Avtale"} {
		if !bytes.Contains(first, []byte(want+"\r\n")) {
			t.Errorf("no %s in\n%s", want, first)
		}
	}
}
