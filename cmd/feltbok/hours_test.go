package main

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/fetch"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"

	"github.com/google/go-cmp/cmp"
)

// ownWeek is the researcher's week as it is kept.
func (f *fieldStudy) ownWeek() scheduling.Week {
	f.t.Helper()
	week, err := f.Scheduling.Week(f.t.Context(), f.study, f.account)
	f.must(err)
	return week
}

// booked lets the researcher meet somebody at a local time of the study.
func (f *fieldStudy) booked(code, wall string, mode scheduling.Mode, with ...id.Account) scheduling.Booking {
	f.t.Helper()
	f.enrol(code, recruitment.Member, recruitment.Small, "Leder")
	at, err := scheduling.Instants(wall, "Europe/Oslo")
	f.must(err)
	b, err := f.People.Book(f.t.Context(), f.actor, scheduling.Request{Study: f.study, Person: f.people[code], Audience: consents.Company, Mode: mode,
		Start: at[0], Interviewers: with, ByStaff: true}, handlers.Words{})
	f.must(err)
	return b
}

func TestWeekTakesSeveralStretchesOfADay(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.open(f.path + "/availability")
		s.must(f.Form("main form").Set("from_1", "8").Set("to_1", "11.30").Press("more", "1"))
		if !f.Has(`#f-from_1_2[autofocus]`) || f.Failed() || f.Form("main form").Values().Get("to_1") != "11.30" {
			t.Fatalf("no room for a second stretch: %s", f.Text(".week"))
		}
		s.must(f.Form("main form").Set("from_1_2", "1230").Set("to_1_2", "16").Press("copy", "2"))
		if got := f.Form("main form").Values(); got.Get("from_2_2") != "1230" || got.Get("to_2") != "11.30" {
			t.Errorf("same as above gave %v", got)
		}
		f.refused(f.Form("main form").Set("from_2_2", "11:00").Set("to_1_2", "").Submit(), 422, []string{"to_1_2"}, "from_2_2", "11:00", "from_1_2", "1230")
		f.refused(f.Form("main form").Set("to_1_2", "16").Submit(), 422, []string{"from_2"}, "from_2_2", "11:00")
		if got := f.Text(".errors"); !strings.Contains(got, "Tirsdag: Tidene denne dagen overlapper") {
			t.Errorf("summary %q does not say which day overlaps", got)
		}
		s.must(f.send("main form", "from_2", "", "to_2", "", "from_2_2", "", "to_2_2", ""))
		want := []scheduling.Window{{Weekday: time.Monday, From: 480, To: 690}, {Weekday: time.Monday, From: 750, To: 960}}
		if week := f.ownWeek(); !slices.Equal(week.Windows, want) || !week.Holidays || week.Version != 1 {
			t.Errorf("kept %+v, want %v", week, want)
		}
		if got := f.Form("main form").Values(); got.Get("from_1_2") != "12:30" || got.Has("from_2_2") {
			t.Errorf("the form has %v", got)
		}
		for range 5 {
			s.must(f.Form("main form").Press("more", "3"))
		}
		if n := len(f.Form("main form").Values()); !f.Has("#f-from_3_6") || f.Has("#f-from_3_7") || f.Has(`button[name="more"][value="3"]`) {
			t.Errorf("a day grows without end: %d fields", n)
		}
	})
}

func TestWeekFollowsItsZoneAndKeepsHolidays(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.week()
	if got, want := f.Text("#f-holidays-hint"), "De neste er torsdag 18. april (påske) og onsdag 1. mai."; got != want {
		t.Errorf("holidays %q, want %q", got, want)
	}
	b := f.booked("A1", "2019-03-20T10:00", scheduling.Phone)
	f.refused(f.open(f.path+"/availability").send("main form", "zone", ""), 422, []string{"zone"})
	form := f.open(f.path+"/availability").Form("main form").Set("zone", "America/New_York").Only("holidays")
	s.must(form.Submit())
	if week := f.ownWeek(); week.Zone != "America/New_York" || week.Holidays || week.Version != 2 || week.Windows[0].From != 480 {
		t.Errorf("kept %+v", week)
	}
	if got := f.Text(".notice"); !strings.Contains(got, "nye tidssonen") {
		t.Errorf("notice %q says nothing of the zone", got)
	}
	if after := f.booking("A1"); after.StartsAt != b.StartsAt || after.Zone != "Europe/Oslo" {
		t.Errorf("the appointment moved to %v %s", after.Start(), after.Zone)
	}
	// ... which is before dawn by the new hours.
	if got := f.Text("section[aria-labelledby=clashes] li"); !strings.Contains(got, "A1") || !strings.Contains(got, "Utenom tidene dine") {
		t.Errorf("clashes %q do not name the appointment", got)
	}
}

// What somebody else saved meanwhile is said, not written over unseen.
func TestWeekChangedMeanwhile(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.week()
		stale := f.open(f.path+"/availability").Form("main form").Set("from_1", "10:00")
		other := f.as(f.account)
		s.must(other.Get(f.path + "/availability"))
		s.must(other.Form("main form").Set("from_1", "9:00").Submit())
		f.refused(stale.Submit(), 409, nil, "from_1", "10:00")
		if got := f.Text("section[aria-labelledby=stands]"); !strings.Contains(got, "Mandag 09:00–16:00") || !strings.Contains(got, "Norsk tid (Oslo)") {
			t.Errorf("the page does not say how it stands: %q", got)
		}
		s.must(f.Form("main form").Submit()) // knowing that
		if got := f.ownWeek(); got.Windows[0].From != 600 || got.Version != 3 {
			t.Errorf("kept %+v", got)
		}
	})
}

func TestExceptionsLastSeveralDays(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.week()
	f.open(f.path + "/availability/block")
	f.refused(f.send("main form", "day", "8.7.2019", "last", "7.7.2019"), 422, []string{"last"}, "day", "8.7.2019")
	f.refused(f.send("main form", "day", "8.7.2019", "last", "i juli"), 422, []string{"last"}, "last", "i juli")
	f.refused(f.send("main form", "day", "1.2.2019", "last", "3.2.2019"), 422, []string{"day"})
	s.must(f.send("main form", "day", "2019-07-08", "last", "2019-07-21"))
	s.must(f.open(f.path+"/availability/block").send("main form", "day", "1.3.2019", "last", "3.3.2019", "from", "12", "to", "18.30"))
	want := []string{"2019-03-01T12:00 2019-03-03T18:30", "2019-07-08T00:00 2019-07-22T00:00"}
	kept := func() (all []string) {
		for _, r := range f.ownWeek().Ranges {
			all = append(all, r.From+" "+r.To)
		}
		return all
	}
	if got := kept(); !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	text := f.Text("section[aria-labelledby=dates] tbody")
	for _, want := range []string{"Mandag 8. juli 2019 – søndag 21. juli 2019", "hele dager", "fra 12:00 den første dagen til 18:30 den siste"} {
		if !strings.Contains(text, want) {
			t.Errorf("the list %q does not say %q", text, want)
		}
	}
	s.must(f.Form(`form[action$="/availability/remove"]`).Submit())
	if got := kept(); len(got) != 1 || !f.Has(`form[action$="/restore"]`) {
		t.Fatalf("after removal: %v, and no way back", got)
	}
	s.must(f.Form(`form[action$="/restore"]`).Submit())
	if got := kept(); !slices.Equal(got, want) {
		t.Errorf("after undoing: %v, want %v", got, want)
	}
	for _, query := range []string{"?removed=block", "?removed=block&from=x&to=2019-07-08T00:00", "?from=2019-07-08T00:00&to=2019-07-08T01:00"} {
		if f.open(f.path + "/availability" + query); f.Has(`form[action$="/restore"]`) {
			t.Errorf("%s offers to undo what was not done", query)
		}
	}
}

const busyCalendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:tannlege\r\nDTSTAMP:20190201T000000Z\r\nDTSTART:20190207T090000Z\r\nDTEND:20190207T100000Z\r\nSUMMARY:Tannlege\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestCalendarsElsewhere(t *testing.T) {
	const secret = "https://kalender.example.org/hemmelig-7f3a9c/basic.ics"
	eachStageInTurn(t, func(t *testing.T, s *stage) {
		log := listenToLog(t)
		f := newField(s)
		f.week()
		page := f.path + "/availability/calendar"
		f.refused(f.open(page).send("main form", "calendar_name", "", "address", "kalenderen min"), 422, []string{"calendar_name", "address"}, "address", "kalenderen min")
		f.refused(f.send("main form", "calendar_name", "Jobb", "address", secret), 422, []string{"address"}, "calendar_name", "Jobb")
		if got := f.Text("#f-address-error"); got == "" || strings.Contains(got, "fetch.") || strings.Contains(got, "hours.") {
			t.Errorf("the fault is %q: not in words", got)
		}
		s.elsewhere.get = func(string) (fetch.Answer, error) { return fetch.Answer{Body: []byte(busyCalendar), ETag: `"1"`}, nil }
		s.must(f.send("main form", "address", secret))
		section := "section[aria-labelledby=calendars]"
		if got := f.Text(section); !strings.Contains(got, "Jobb") || !strings.Contains(got, "Lest nå nettopp.") {
			t.Errorf("the list says %q", got)
		}
		f.waits(5 * time.Minute)
		if got := f.open(f.path + "/availability").Text(section); !strings.Contains(got, "Lest for 5 minutter siden.") {
			t.Errorf("the list says %q", got)
		}
		for code, want := range map[string]string{"scheduling.taken": "Den tiden ble nettopp tatt.", "of.no.such.text": "Kalenderen kan ikke leses."} {
			s.elsewhere.get = func(string) (fetch.Answer, error) { return fetch.Answer{}, errs.New(errs.Unavailable, code) }
			f.waits(24 * time.Hour)
			s.must(s.Scheduling.ReadCalendars(t.Context()))
			f.Browser = f.as(f.account) // the session is over
			got := f.open(f.path + "/availability").Text(section)
			if !strings.Contains(got, "Ikke lest siden mandag 4. februar kl. 09:00.") || !strings.Contains(got, "gjelder fortsatt") || !strings.Contains(got, want) || strings.Contains(got, code) {
				t.Errorf("%s: the list says %q", code, got)
			}
		}
		colleague := f.member("kollega@example.org", studies.Researcher)
		other := f.as(colleague)
		s.must(other.Get(f.path + "/availability"))
		if strings.Contains(other.Text("main"), "Jobb") {
			t.Error("a colleague sees the calendar")
		}
		mine, err := s.Scheduling.Calendars(t.Context(), f.account)
		s.must(err)
		s.must(other.Post(f.path+"/availability/calendar/remove", map[string][]string{"form_key": other.Form(`form[action$="/subscription"]`).Values()["form_key"], "calendar": {string(mine[0].ID)}}))
		if again, err := s.Scheduling.Calendars(t.Context(), f.account); err != nil || len(again) != 1 {
			t.Errorf("a colleague removed the calendar: %v, %v", again, err)
		}
		f.open(f.path + "/availability")
		for _, place := range []struct{ name, text string }{{"page", string(f.Body)}, {"log", log.String()}, {"study store", dump(t, s.stores[database.Study])}} {
			if strings.Contains(place.text, "hemmelig-7f3a9c") || strings.Contains(place.text, "Tannlege") {
				t.Errorf("the address, or what the calendar says, is in the %s", place.name)
			}
		}
		s.must(f.Form(`form[action$="/calendar/remove"]`).Submit())
		if strings.Contains(f.Text(section), "Jobb") {
			t.Error("the calendar is still there")
		}
	})
}

// waits turns the clock on.
func (f *fieldStudy) waits(by time.Duration) { f.clock.set(f.clock.now().Add(by)) }

func TestNoMoreCalendarsThanAreRead(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	s.elsewhere.get = func(string) (fetch.Answer, error) { return fetch.Answer{Body: []byte(busyCalendar)}, nil }
	for range 5 {
		s.must(f.open(f.path+"/availability/calendar").send("main form", "calendar_name", "Jobb", "address", "https://kalender.example.org/a.ics"))
	}
	f.refused(f.open(f.path+"/availability/calendar").send("main form", "calendar_name", "Til", "address", "https://kalender.example.org/a.ics"), 409, nil)
	if got := f.Text(".errors"); !strings.Contains(got, "fem kalendere") {
		t.Errorf("the refusal says %q", got)
	}
}

func TestWhatIsOffered(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		page := f.path + "/meeting/company"
		form := f.open(page).Form("main form").Set("daily_most", "21").Set("remind_hours", "400").Set("remind_call_hours", "x").Set("rings", "they").Only("modes", "phone", "email")
		f.refused(form.Submit(), 422, []string{"daily_most", "remind_hours", "remind_call_hours", "our_number", "questions"}, "daily_most", "21", "rings", "they")
		for _, code := range []string{"scheduling.", "field."} {
			if strings.Contains(f.Text(".errors"), code) {
				t.Errorf("a fault is not in words: %s", f.Text(".errors"))
			}
		}
		f.refused(f.Form("main form").Only("modes", "phone").Set("video_room", "http://video.example.org/rom").Submit(), 422, []string{"video_room"})
		s.must(f.open(page).Form("main form").Set("daily_most", "3").Set("directions", "Andre etasje").Set("rings", "they").Set("our_number", "+47 22 00 00 01").
			Set("video_room", "https://video.example.org/{room}").Set("questions", "Hva gjør dere?\nHvorfor?").Set("remind_hours", "48").Set("remind_call_hours", "0").
			Only("named", "yes").Only("modes", "visit", "phone", "video", "email").Submit())
		got, err := s.Scheduling.TypeOf(t.Context(), f.study, consents.Company)
		s.must(err)
		want := scheduling.Type{Study: f.study, Audience: consents.Company, Minutes: 60, BufferAfter: 15, Grid: 30, NoticeHours: 24, HorizonDays: 60, DeadlineHours: 12,
			DailyMost: 3, Interviewers: 1, Directions: "Andre etasje", OurNumber: "+47 22 00 00 01", VideoRoom: "https://video.example.org/{room}",
			Questions: got.Questions, Named: true, RemindHours: 48, Version: 1, Modes: []scheduling.Mode{scheduling.Visit, scheduling.Phone, scheduling.Video, scheduling.Email}}
		if diff := cmp.Diff(want, got); diff != "" || !strings.Contains(got.Questions, "Hvorfor?") {
			t.Errorf("kept otherwise (-want +got):\n%s", diff)
		}
		stale := f.Form("main form").Set("minutes", "45")
		// Who rings the participant has no number of their own there.
		s.must(f.open(page).Form("main form").Set("rings", "we").Only("named").Submit())
		if got, err = s.Scheduling.TypeOf(t.Context(), f.study, consents.Company); err != nil || got.OurNumber != "" || got.Named {
			t.Errorf("kept %+v, %v", got, err)
		}
		f.refused(stale.Submit(), 409, nil, "minutes", "45")
		if got := f.Text("section[aria-labelledby=stands] dl"); !strings.Contains(got, "i minutter?60") || !strings.Contains(got, "Hvem ringer?Vi ringer deltakeren") || strings.Contains(got, "Påminnelse") {
			t.Errorf("what was changed is said as %q", got)
		}
		s.must(f.Form("main form").Submit())
		if got, err = s.Scheduling.TypeOf(t.Context(), f.study, consents.Company); err != nil || got.Minutes != 45 || got.Version != 3 {
			t.Errorf("kept %+v, %v", got, err)
		}
	})
}

func TestWeekShowsHoursBusyTimesAndAppointments(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.week()
		colleague := f.member("kollega@example.org", studies.Researcher)
		week := f.ownWeek()
		week.Account, week.Version, week.Windows = colleague, 0, week.Windows[:1]
		s.must(s.Scheduling.SetWeek(t.Context(), audit.Staff(colleague), f.study, week))
		early := f.booked("A1", "2019-02-06T10:00", scheduling.Phone, f.account)
		f.booked("A2", "2019-02-07T19:00", scheduling.InPerson, colleague)
		gone := f.booked("A3", "2019-02-08T10:00", scheduling.Phone, f.account)
		s.must(s.Scheduling.Cancel(t.Context(), f.actor, f.study, gone.ID, gone.Version, "", true))
		f.busy(f.account, "2019-02-06T10:30", "2019-02-06T11:30")
		f.open(f.path + "/week")
		if got, want := f.Text("svg.weekly > title"), "Uke 6: 2 avtaler. 2 av dem kolliderer."; got != want {
			t.Errorf("finding %q, want %q", got, want)
		}
		s.speaksAll(f, "/week", "/availability", "/availability/calendar", "/availability/block", "/meeting/company")
		f.open(f.path + "/week")
		days := f.Text("tbody")
		for _, want := range []string{"Onsdag 6. februar", "Ingrid Oppdikt: 08:00–16:00", "Ingrid Oppdikt: 10:30–11:30", "10:00–11:00 A1, telefon", "19:00–20:00 A2, møte", "Du er opptatt i en annen kalender", "Utenom tidene til"} {
			if !strings.Contains(days, want) {
				t.Errorf("the list %q does not say %q", days, want)
			}
		}
		if strings.Contains(days, "A3") || !f.Has(`tbody a[href="`+f.path+`/bookings/`+string(early.ID)+`"]`) || strings.Contains(string(f.Body), "Navn A1") {
			t.Errorf("the list is wrong: %s", days)
		}
		s.must(f.open(f.path + "/week?who=" + string(colleague)).Follow("Neste uke"))
		if got := f.Text("h1"); got != "Uke 7" || !strings.Contains(f.Address(), "who=") {
			t.Errorf("the next week is %q at %s", got, f.Address())
		}
		f.open(f.path + "/week?from=2019-02-09&who=" + string(colleague))
		if got := f.Text("tbody"); f.Text("h1") != "Uke 6" || strings.Contains(got, "A1") || !strings.Contains(got, "A2") {
			t.Errorf("the colleague's week is %q", got)
		}
		for _, query := range []string{"?from=i%20g%C3%A5r", "?from=0001-01-01", "?from=9999-12-31", "?who=" + string(id.New[id.Account]())} {
			if f.open(f.path + "/week" + query); f.Text("h1") != "Uke 6" {
				t.Errorf("%s shows %q", query, f.Text("h1"))
			}
		}
		f.open(f.path + "/week?from=2019-04-01")
		if got := f.Text("main"); strings.Contains(got, "Klokken") {
			t.Errorf("a week without a change of the clock speaks of one: %q", got)
		}
		f.open(f.path + "/week?from=2019-03-25")
		if got := f.Text("main"); !strings.Contains(got, "Klokken stilles en time fram søndag 31. mars 2019") || !strings.Contains(f.Text("tbody"), "Klokken fram") {
			t.Errorf("the week with a change of the clock says %q", got)
		}
		if f.open(f.path + "/week?from=2019-04-15"); !strings.Contains(f.Text("tbody"), "Påske") {
			t.Errorf("Easter is not named: %q", f.Text("tbody"))
		}
	})
}

// speaksAll checks pages of a study in every language.
func (s *stage) speaksAll(f *fieldStudy, pages ...string) {
	s.t.Helper()
	for _, page := range pages {
		s.speaks(f.Browser, f.path+page)
		if keys := regexp.MustCompile(`\b(hours|week|availability|meeting|feed|scheduling)\.[a-z_]+`).FindAllString(f.Text("body"), -1); keys != nil {
			s.t.Errorf("%s has no text for %q", page, keys)
		}
	}
}

// busy makes an account busy elsewhere, as a calendar that was read would.
func (f *fieldStudy) busy(account id.Account, from, to string) {
	f.t.Helper()
	ms := func(wall string) int64 {
		at, err := scheduling.Instants(wall, "Europe/Oslo")
		f.must(err)
		return at[0].UnixMilli()
	}
	f.must(f.stores[database.Study].Tx(f.t.Context(), func(tx *database.Tx) error {
		calendar := id.New[scheduling.CalendarID]()
		_, err := tx.Exec(f.t.Context(), `insert into calendar (id, account_id, name, address, etag, modified, read_at, tried_at, fault, skipped, next_at, horizon)
			values ($1, $2, 'Jobb', $3, '', '', $4, $4, '', 0, $4, $4)`, calendar, account, []byte{1}, ms(from))
		if err != nil {
			return err
		}
		_, err = tx.Exec(f.t.Context(), "insert into busy_time (calendar_id, from_ms, to_ms) values ($1, $2, $3)", calendar, ms(from), ms(to))
		return err
	}))
}

func TestFeedOfOnesOwnAppointments(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.week()
		colleague := f.member("kollega@example.org", studies.Researcher)
		s.must(s.Scheduling.SetWeek(t.Context(), audit.Staff(colleague), f.study, scheduling.Week{Account: colleague, Zone: "Europe/Oslo"}))
		f.booked("A1", "2019-02-06T10:00", scheduling.Phone, f.account)
		f.booked("A2", "2019-02-07T10:00", scheduling.Phone, colleague)
		s.must(f.open(f.path + "/availability").Form(`form[action$="/subscription"]`).Submit())
		path := f.feed()
		if want := "webcal://" + strings.TrimPrefix(testBase, "http://") + path; !slices.Contains(f.Links(), want) {
			t.Errorf("no link to %s", want)
		}
		if f.open(f.path + "/availability"); f.Has("#secret") || !strings.Contains(f.Text("section[aria-labelledby=feed]"), "4. februar 2019") {
			t.Errorf("the address is shown again, or not said to be there: %s", f.Text("section[aria-labelledby=feed]"))
		}
		stranger := s.browser()
		s.must(stranger.Get(path))
		text, tag := string(stranger.Body), stranger.Header.Get("ETag")
		if got := stranger.Header.Get("Content-Type"); got != "text/calendar; charset=utf-8" || stranger.Header.Get("Set-Cookie") != "" || stranger.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", stranger.Header)
		}
		if !strings.Contains(text, "SUMMARY:Intervju A1\\, telefon") || strings.Contains(text, "A2") || strings.Contains(text, "Navn") || strings.Contains(text, "METHOD") || strings.Count(text, "BEGIN:VTIMEZONE") != 1 {
			t.Errorf("the feed is\n%s", text)
		}
		s.must(stranger.Get(path))
		if string(stranger.Body) != text {
			t.Error("nothing happened, and the bytes are others")
		}
		for _, tc := range []struct {
			method, match string
			want          int
		}{{"GET", tag, 304}, {"GET", "*", 304}, {"GET", `"x", ` + tag, 304}, {"GET", `"x"`, 200}, {"HEAD", "", 200}, {"HEAD", tag, 304}, {"POST", "", 405}, {"PUT", "", 405}} {
			status, body := s.knock(tc.method, path, tc.match)
			if status != tc.want || status != 200 && strings.Contains(body, "VCALENDAR") {
				t.Errorf("%s with %q: status %d, want %d", tc.method, tc.match, status, tc.want)
			}
		}
		if _, body := s.knock("GET", path+"x", ""); strings.Contains(body, "VCALENDAR") {
			t.Error("another address answers too")
		}
		s.feedRevoked(f, colleague, path)
	})
}

var feedAddress = regexp.MustCompile(`^/calendar/[\w-]{43}\.ics$`)

// feed is the secret address on the page.
func (f *fieldStudy) feed() string {
	f.t.Helper()
	path, ours := strings.CutPrefix(f.Page.Find("#secret").AttrOr("value", ""), testBase)
	if !ours || !feedAddress.MatchString(path) {
		f.t.Fatalf("no address on the page but %q: %s", path, f.Text("section[aria-labelledby=feed]"))
	}
	return path
}

// feedRevoked checks what ends a feed, and what ends parts of it.
func (s *stage) feedRevoked(f *fieldStudy, colleague id.Account, path string) {
	s.t.Helper()
	t, stranger := s.t, s.browser()
	// Without what differs from one answer to the next: the address itself in the links to other languages, the number of the request.
	answer := func(path string) (int, string) {
		status, body := s.knock("GET", path, "")
		return status, changing.ReplaceAllString(strings.ReplaceAll(body, path, "ADDRESS"), "")
	}
	nowhere, page := answer("/calendar/" + strings.Repeat("a", 43) + ".ics")
	gone := func(path string) {
		t.Helper()
		if status, body := answer(path); status != nowhere || status != 404 || body != page {
			t.Errorf("an address that is over answers %d, and not like one that never was: %s", status, cmp.Diff(page, body))
		}
	}
	gone(strings.TrimSuffix(path, ".ics"))
	f.open(f.path + "/availability")
	s.must(f.Form(`form[action$="/subscription"]`).Submit())
	gone(path)
	path = f.feed()
	s.must(stranger.Get(path))
	// Whoever is in the team no longer has none of its appointments.
	s.must(s.Studies.SetMember(t.Context(), f.actor, f.study, colleague, studies.Owner))
	s.must(s.Studies.SetMember(t.Context(), audit.Staff(colleague), f.study, f.account, studies.Supervisor))
	s.must(stranger.Get(path))
	if strings.Contains(string(stranger.Body), "VEVENT") {
		t.Errorf("a supervisor's feed has appointments:\n%s", stranger.Body)
	}
	s.must(s.Studies.SetMember(t.Context(), audit.Staff(colleague), f.study, f.account, studies.Owner))
	s.must(stranger.Get(path))
	if !strings.Contains(string(stranger.Body), "VEVENT") {
		t.Error("back in the team, and no appointments")
	}
	s.must(f.open(f.path + "/availability").Form(`form[action$="/subscription/end"]`).Submit())
	gone(path)
}

// knock asks without a browser.
func (s *stage) knock(method, path, match string) (status int, body string) {
	s.t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, path, nil)
	if match != "" {
		r.Header.Set("If-None-Match", match)
	}
	s.server.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
