package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

const (
	moveForm   = `form[action$="/move"]`
	cancelForm = `form[action$="/cancel"]`
	wallTime   = "2006-01-02T15:04"
)

// agree enrols somebody, books them on their page and returns the path of the appointment.
func (f *fieldStudy) agree(code string, fields ...string) string {
	f.t.Helper()
	person := f.path + "/people/" + string(f.people[code])
	if f.people[code] == "" {
		person = f.enrol(code, recruitment.Member, recruitment.Small, "Leder")
	}
	f.must(f.open(person+"/book").send("main form", fields...))
	return f.appointment(code)
}

// appointment is the path of somebody's latest.
func (f *fieldStudy) appointment(code string) string {
	f.t.Helper()
	return f.path + "/bookings/" + string(f.booking(code).ID)
}

// later turns the clock, to UTC, and signs in anew.
func (f *fieldStudy) later(at time.Time) {
	f.t.Helper()
	f.clock.set(at)
	f.Browser = f.as(f.account)
}

// note opens what the vault keeps of an appointment.
func (f *fieldStudy) note(code string, note id.Note) string {
	f.t.Helper()
	opened, err := f.Vault.OpenNote(f.t.Context(), audit.System, "appointment", f.study, f.people[code], note)
	f.must(err)
	return opened.Text
}

// mailsTo counts the mails of a kind to somebody.
func (f *fieldStudy) mailsTo(code, kind string) (n int) {
	f.t.Helper()
	rows, err := f.Outbox.To(f.t.Context(), f.study, f.people[code])
	f.must(err)
	for _, row := range rows {
		if row.Kind == kind {
			n++
		}
	}
	return n
}

// A telephone agreement holds everything that was said, whatever the way of meeting; what names a home or a number is sealed.
func TestAgreedOnTheTelephone(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		colleague := f.member("jonas@example.org", studies.Researcher)
		f.week()
		const address, message = "Oppdiktveien 1 🏡", "Vi ringer på.\r\nHilsen oss"
		page := f.agree("A1", "mode", "visit", "day", "7.2.2019", "time", "10", "where", address, "message", message,
			"interviewers", string(colleague))
		b := f.booking("A1")
		if b.Mode != scheduling.Visit || b.Place != "" || !slices.Equal(b.Interviewers, []id.Account{colleague}) {
			t.Errorf("booked %+v", b)
		}
		if where, wrote := f.note("A1", b.Where), f.note("A1", b.Message); where != address || wrote != "Vi ringer på.\nHilsen oss" {
			t.Errorf("the vault keeps %q and %q", where, wrote)
		}
		if text := f.Text("body"); strings.Contains(text, "Oppdiktveien") || strings.Contains(text, "ringer på") || strings.Contains(text, "Navn A1") {
			t.Errorf("the page shows what is sealed: %q", text)
		}
		f.must(f.Form(`form[action$="/words"]`).Submit())
		if text := f.Text(".opened"); !strings.Contains(text, address) || !strings.Contains(text, "Hilsen oss") || strings.Contains(f.Text("body"), "Navn A1") {
			t.Errorf("opened: %q", f.Text("body"))
		}
		seen, err := s.Audit.About(t.Context(), f.study, f.people["A1"])
		s.must(err)
		own := 0
		for _, e := range seen {
			if e.Action == "note.opened" && e.Detail == "appointment" && e.Actor == f.actor {
				own++
			}
		}
		if own != 2 { // where and message
			t.Errorf("%d openings logged, want 2", own)
		}
		if f.open(page); strings.Contains(f.Text("body"), "Oppdiktveien") {
			t.Error("a second look still shows where")
		}

		f.agree("A2", "mode", "video", "day", "2019-02-07", "time", "13:00", "place", "https://teams.example.org/l/meetup?x=1")
		if b := f.booking("A2"); b.Place != "https://teams.example.org/l/meetup?x=1" {
			t.Errorf("the link is %q", b.Place)
		}
		f.agree("A3", "mode", "email", "day", "2019-02-14", "time", "99:99")
		if b := f.booking("A3"); b.Start().Format(wallTime) != "2019-02-14T00:00" || strings.Contains(f.Text(".date"), ":") {
			t.Errorf("answers are due %v, the page says %q", b.Start(), f.Text(".date"))
		}
		form := f.open(f.enrol("A4", recruitment.Member, recruitment.Small, "Leder") + "/book").Form("main form")
		form.Set("mode", "in_person").Set("day", "2019-02-16").Set("time", "20:00").Set("place", "Rom\r\n2").Only("interviewers", string(f.account), string(colleague))
		f.must(form.Submit())
		if b := f.booking("A4"); len(b.Interviewers) != 2 || b.Place != "Rom 2" {
			t.Errorf("booked with %v in %q", b.Interviewers, b.Place)
		}
		if got := f.Text(".intro"); !strings.Contains(got, "Utenom tidene dine.") {
			t.Errorf("a Saturday evening: %q", got)
		}
	})
}

// Whatever is wrong is said beside its field, and everything typed is kept.
func TestBookingsThatAreRefused(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	stranger := f.member("fremmed@example.org", "")
	f.week()
	person := f.enrol("A1", recruitment.Member, recruitment.Small, "Leder")
	long := strings.Repeat("🙂", 300)
	for _, tc := range []struct {
		name   string
		fields url.Values
		at     string
	}{
		{"a time in the past", url.Values{"time": {"08:55"}, "day": {"2019-02-04"}}, "time"},
		{"a day in the past, in writing", url.Values{"mode": {"email"}, "day": {"2019-02-04"}}, "day"},
		{"an hour that does not exist", url.Values{"day": {"2019-03-31"}, "time": {"02:30"}}, "time"},
		{"no multiple of five minutes", url.Values{"time": {"10:02"}}, "time"},
		{"a forged way", url.Values{"mode": {"telepathy"}}, "mode"},
		{"a forged interviewer", url.Values{"interviewers": {string(stranger)}}, "interviewers"},
		{"nobody's id", url.Values{"interviewers": {"'; drop table booking"}}, "interviewers"},
		{"three interviewers", url.Values{"interviewers": {"a", "b", "c"}}, "interviewers"},
		{"a link that is none", url.Values{"mode": {"video"}, "place": {"javascript:alert(1)"}}, "place"},
		{"a link without https", url.Values{"mode": {"video"}, "place": {"http://zoom.example.org"}}, "place"},
		{"300 characters of place", url.Values{"place": {long}}, "place"},
		{"a participant's address as the place", url.Values{"mode": {"visit"}, "place": {"Oppdiktveien 1"}}, "place"},
		{"too long a message", url.Values{"message": {strings.Repeat("æ", 2001)}}, "message"},
		{"too long an address", url.Values{"where": {strings.Repeat("æ", 2001)}}, "where"},
		{"a forged pick", url.Values{"pick": {"i morgen"}}, "day"},
	} {
		form := f.open(person + "/book").Form("main form")
		form.Set("mode", "phone").Set("day", "2019-02-07").Set("time", "10:00").Set("message", "Hei")
		for name, values := range tc.fields {
			form.Values()[name] = values
		}
		err := form.Submit()
		if err == nil || f.Status != http.StatusUnprocessableEntity || !f.Has(`.errors a[href="#f-`+tc.at+`"]`) || !f.Has("#f-"+tc.at) {
			t.Errorf("%s: status %d, %q", tc.name, f.Status, f.Text("main"))
			continue
		}
		kept := f.Form("main form").Values()
		for name, values := range tc.fields {
			if name != "interviewers" && name != "pick" && name != "mode" && kept.Get(name) != values[0] {
				t.Errorf("%s: %s came back as %q", tc.name, name, kept.Get(name))
			}
		}
	}
	if all, err := s.Scheduling.All(t.Context(), f.study); err != nil || len(all) > 0 {
		t.Errorf("booked all the same: %v, %v", all, err)
	}
}

// Promise 25: an hour that the clocks show twice is asked about, in each form with a time of day.
func TestTheHourThatComesTwice(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.week()
	person := f.enrol("A1", recruitment.Member, recruitment.Small, "Leder")
	first, last := time.Date(2019, 10, 27, 0, 30, 0, 0, time.UTC), time.Date(2019, 10, 27, 1, 30, 0, 0, time.UTC)
	f.open(person + "/book")
	if f.Has("#f-which") {
		t.Error("asked before there is a time")
	}
	f.refused(f.send("main form", "mode", "phone", "day", "27.10.2019", "time", "02.30", "message", "Nattskift"), 422, []string{"which"}, "day", "27.10.2019", "message", "Nattskift")
	if got := f.Form("main form"); got.Values().Get("which") != "" || !slices.Equal(got.Options("which"), []string{"first", "last"}) {
		t.Errorf("asked with %q of %q", got.Values().Get("which"), got.Options("which"))
	}
	if text := f.Text("main"); !strings.Contains(text, "02:30 sommertid (første gang)") || !strings.Contains(text, "02:30 normaltid (andre gang)") {
		t.Errorf("the hours are not told apart: %q", text)
	}
	f.must(f.send("main form", "which", "last"))
	if b := f.booking("A1"); b.StartsAt != last.UnixMilli() {
		t.Errorf("booked %v, want %v", b.Start().UTC(), last)
	}
	if got := f.Form(moveForm).Values().Get("which"); got != "last" {
		t.Errorf("the form to change it says %q", got)
	}
	f.must(f.send(moveForm, "which", "first"))
	if b := f.booking("A1"); b.StartsAt != first.UnixMilli() {
		t.Errorf("moved to %v, want %v", b.Start().UTC(), first)
	}
	f.later(last.Add(time.Hour))
	f.open(person + "/interview")
	if got := f.Form("main form").Values(); got.Get("which") != "first" || got.Get("time") != "02:30" {
		t.Errorf("the record begins with %v", got)
	}
	forged := f.Form("main form")
	forged.Values().Set("which", "both")
	f.refused(forged.Submit(), 422, []string{"which"}, "time", "02:30")
	f.must(f.send("main form", "which", "last"))
	held, err := s.Interviews.List(t.Context(), f.study)
	s.must(err)
	if len(held) != 1 || held[0].StartedAt != last.UnixMilli() {
		t.Errorf("recorded %v", held)
	}
}

// Two who change the same appointment: the second is told, keeps what they typed, and undoes nothing of the first.
func TestTwoChangeOneAppointment(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.week()
		page := f.agree("A1", "mode", "in_person", "day", "2019-02-07", "time", "10:00", "place", "Rom 1")
		first := f.as(f.member("jonas@example.org", studies.Researcher))
		s.must(first.Get(page))
		other := f.as(f.account)
		s.must(other.Get(page))
		s.must(first.Form(moveForm).Set("day", "2019-02-08").Set("time", "12:00").Submit())
		f.Browser = other
		form := f.Form(moveForm).Set("place", "Rom 9").Set("message", "Vi bytter rom")
		f.refused(form.Submit(), 409, nil)
		again := f.Form(moveForm)
		if got := again.Values(); got.Get("place") != "Rom 9" || got.Get("message") != "Vi bytter rom" || got.Get("day") != "2019-02-08" || got.Get("time") != "12:00" {
			t.Errorf("shown again with %v", got)
		}
		if text := f.Text("main"); !strings.Contains(text, "Noen endret avtalen mens du så på den") || !strings.Contains(f.Text(".date"), "fredag 8. februar") {
			t.Errorf("told %q", text)
		}
		f.must(again.Submit())
		b := f.booking("A1")
		if b.Start().Format(wallTime) != "2019-02-08T12:00" || b.Place != "Rom 9" || f.note("A1", b.Message) != "Vi bytter rom" {
			t.Errorf("now %v in %q", b.Start(), b.Place)
		}
		if got := f.Text(".facts"); !strings.Contains(got, "av Ingrid Oppdikt") || !strings.Contains(got, "Endret") {
			t.Errorf("who made and changed it: %q", got)
		}

		s.must(first.Get(page)) // and a cancellation of what is another by now
		f.must(f.open(page).send(moveForm, "mode", "phone"))
		f.Browser = first
		f.refused(f.send(cancelForm, "choice", "cancel", "farewell", "Vi utsetter"), 409, nil)
		if got := f.Form(cancelForm).Values(); got.Get("farewell") != "Vi utsetter" || got.Get("choice") != "cancel" {
			t.Errorf("the cancellation came back as %v", got)
		}
		if b := f.booking("A1"); b.State != scheduling.Booked || b.Mode != scheduling.Phone || b.Place != "" {
			t.Errorf("now %s by %s in %q", b.State, b.Mode, b.Place)
		}
		f.must(f.send(cancelForm))
		if b := f.booking("A1"); b.State != scheduling.Cancelled || f.note("A1", b.Message) != "Vi utsetter" {
			t.Errorf("now %s", b.State)
		}
	})
}

// Who did not turn up is said so from the study's home, asked again, and may have come after all.
func TestDidNotTurnUp(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.week()
		page := f.agree("A1", "mode", "visit", "day", "2019-02-07", "time", "10:00")
		if f.Has(`a[href$="/missed"]`) {
			t.Error("offered before it has begun")
		}
		f.open(page + "/missed")
		f.refused(f.send("main form", "again", "no"), 409, nil, "again", "no")
		f.later(time.Date(2019, 2, 7, 9, 5, 0, 0, time.UTC)) // five minutes in
		f.open(f.path)
		if !f.Has(`.entry a[href="`+page+`"]`) || !f.Has(`.entry a[href="`+page+`/missed"]`) || !f.Has(`.entry a[href*="/interview?booking="]`) {
			t.Errorf("the study's home offers %q", f.Text(".entry"))
		}
		f.must(f.Follow(page + "/missed"))
		f.refused(f.send("main form"), 422, []string{"again"})
		f.must(f.send("main form", "again", "yes"))
		if b := f.booking("A1"); b.State != scheduling.NoShow || f.mailsTo("A1", scheduling.MailAgain) != 1 {
			t.Errorf("the appointment is %s, %d mails", b.State, f.mailsTo("A1", scheduling.MailAgain))
		}
		person, err := s.Recruitment.Get(t.Context(), f.study, f.people["A1"])
		s.must(err)
		if person.State == recruitment.Booked {
			t.Error("the person still has an appointment")
		}
		f.open(f.path + "/people/" + string(f.people["A1"]))
		if got := f.Text(".lead"); !strings.HasPrefix(got, "Møtte ikke") || !strings.Contains(f.Text(".line-list"), "Møtte ikke") {
			t.Errorf("the person's page says %q", got)
		}
		if got := f.Text(".line-list"); strings.Contains(got, "Status:") { // where they stand again is nothing that happened
			t.Errorf("the person's history says %q", got)
		}
		f.must(f.Form(`form[action="` + page + `/again"]`).Submit())
		f.must(f.Form(`form[action="` + page + `/again"]`).Submit()) // another day, one more
		if n := f.mailsTo("A1", scheduling.MailAgain); n != 3 {
			t.Errorf("%d mails, want one each time", n)
		}
		if got := f.Text(".facts"); !strings.Contains(got, "Spurt igjen7. februar 2019 kl. 10:05") {
			t.Errorf("when they were asked: %q", got)
		}
		stale := f.open(f.path + "/people/" + string(f.people["A1"])).Form(`form[action="` + page + `/again"]`)
		f.must(f.open(page).Follow("Kom likevel"))
		if got := f.Form("main form").Values(); got.Get("booking") != string(f.booking("A1").ID) || got.Get("mode") != "in_person" {
			t.Errorf("the record begins with %v", got)
		}
		f.must(f.send("main form"))
		if b := f.booking("A1"); b.State != scheduling.Done {
			t.Errorf("the appointment is %s", b.State)
		}
		if err := stale.Submit(); err == nil || f.Status != http.StatusConflict || f.mailsTo("A1", scheduling.MailAgain) != 3 {
			t.Errorf("asked again after the interview: status %d", f.Status)
		}
	})
}

// What speaks against a time is said, and stops nobody.
func TestClashesAreSaid(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		colleague := f.member("jonas@example.org", studies.Researcher)
		f.week()
		kind, err := s.Scheduling.TypeOf(t.Context(), f.study, "company")
		s.must(err)
		kind.DailyMost = 1
		s.must(s.Scheduling.SaveType(t.Context(), f.actor, kind))
		f.elsewhere(time.Date(2019, 2, 8, 9, 0, 0, 0, time.UTC))
		me := string(f.account)
		f.agree("A1", "mode", "phone", "day", "2019-02-07", "time", "10:00", "interviewers", me)
		f.agree("A2", "mode", "phone", "day", "2019-02-07", "time", "13:00", "interviewers", me)
		if got := f.Text(".intro"); !strings.Contains(got, "Ingrid Oppdikt har 2 samtaler denne dagen. Grensen er 1.") {
			t.Errorf("a full day: %q", got)
		}
		f.agree("A3", "mode", "phone", "day", "2019-02-08", "time", "10:00", "interviewers", me)
		if got := f.Text(".intro"); !strings.Contains(got, "Du er opptatt i en annen kalender da.") {
			t.Errorf("busy elsewhere: %q", got)
		}
		f.agree("A4", "mode", "phone", "day", "2019-05-17", "time", "10:00", "interviewers", me)
		if got := f.Text(".intro"); !strings.Contains(got, "Dagen er en helligdag: 17. mai.") || !strings.Contains(got, "Utenom tidene dine.") {
			t.Errorf("a holiday: %q", got)
		}
		f.agree("B1", "mode", "phone", "day", "2019-02-11", "time", "10:00", "interviewers", string(colleague))

		f.open(f.path)
		if got := f.Text("ol"); !strings.Contains(got, "10:00 A3: du er opptatt i en annen kalender da.") || strings.Contains(got, "tidene dine") {
			t.Errorf("the study's home says %q", got)
		}
		f.open(f.path + "/bookings")
		coming := f.Text(`[aria-labelledby="coming"]`)
		if strings.Count(coming, "Du er opptatt") != 1 || strings.Count(coming, "Utenom tidene dine.") != 1 || !strings.Contains(coming, "Torsdag 7. februar") {
			t.Errorf("the agenda says %q", coming)
		}
		f.must(f.Follow("Bare mine"))
		if got := f.Text(`[aria-labelledby="coming"]`); !strings.Contains(got, "A4") || strings.Contains(got, "B1") {
			t.Errorf("only mine: %q", got)
		}
	})
}

// elsewhere makes the researcher busy for an hour in a calendar of their own.
func (f *fieldStudy) elsewhere(from time.Time) {
	f.t.Helper()
	calendar := id.New[string]()
	f.must(f.stores[database.Study].Tx(f.t.Context(), func(tx *database.Tx) error {
		if _, err := tx.Insert(f.t.Context(), "calendar (id, account_id, name, address, etag, modified, read_at, tried_at, fault, skipped, next_at, horizon)",
			[][]any{{calendar, f.account, "Privat", []byte("x"), "", "", 0, 0, "", 0, int64(1 << 60), 0}}, ""); err != nil {
			return err
		}
		_, err := tx.Insert(f.t.Context(), "busy_time (calendar_id, from_ms, to_ms)", [][]any{{calendar, from.UnixMilli(), from.Add(time.Hour).UnixMilli()}}, "")
		return err
	}))
}

// An agenda names days as one says them, and puts today first.
func TestAgenda(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.week()
	f.agree("A1", "mode", "phone", "day", "2019-02-04", "time", "10:00")
	f.agree("A2", "mode", "email", "day", "2019-02-05")
	f.agree("A3", "mode", "phone", "day", "2019-02-06", "time", "09:00")
	f.open(f.path + "/bookings")
	if got, want := f.Text("h3 strong"), "I dagI morgenOnsdag"; got != want {
		t.Errorf("days %q, want %q", got, want)
	}
	if got := f.Text(".agenda"); !strings.Contains(got, "Frist") || strings.Contains(got, "00:00") {
		t.Errorf("a day in writing: %q", got)
	}
	if !f.Has(`a[href="` + f.path + `/week"]`) {
		t.Error("no way to the week")
	}
}
