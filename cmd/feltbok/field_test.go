package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// fieldStudy is a study with its cases and team, made through the domains, and a researcher's browser.
type fieldStudy struct {
	*stage
	*browser.Browser
	study   id.Study
	account id.Account
	actor   audit.Actor
	path    string
	cases   map[string]id.Case
	people  map[string]id.Person
}

// newField makes the study; its clock says Monday 4 February 2019, nine o'clock in Oslo.
func newField(s *stage) *fieldStudy {
	s.t.Helper()
	return newFieldIn(s, "Europe/Oslo")
}

func newFieldIn(s *stage, zone string) *fieldStudy {
	s.t.Helper()
	f := &fieldStudy{stage: s, cases: map[string]id.Case{}, people: map[string]id.Person{}}
	f.account = f.member("eier@example.org", "")
	f.actor = audit.Staff(f.account)
	var err error
	f.study, err = s.Studies.Create(s.t.Context(), f.actor, f.account, studies.Study{Title: "Prøvestudie", Purpose: "Å prøve", Questions: "Virker det?",
		Institution: "Nordfjord universitet", ProjectContact: "eier@example.org", Supervisor: "Vera Veileder", SupervisorContact: "vera@example.org",
		Officer: "Per Personvern", OfficerContact: "per@example.org", Assessment: "Prøve 1", LegalBasis: studies.Consent,
		Languages: []string{"nb", "nn", "en"}, Zone: zone, StartsOn: "2018-11-01", EndsOn: "2019-12-31", Duration: 60, Recording: true,
		Audiences: []studies.Audience{{Key: "company"}, {Key: "administration"}, {Key: "respondent"}}})
	s.must(err)
	for _, code := range []string{"A", "B", "C", "X"} {
		f.cases[code], err = s.Studies.AddCase(s.t.Context(), f.actor, f.study, code, "Klynge "+code)
		s.must(err)
	}
	s.must(s.Studies.EditCase(s.t.Context(), f.actor, f.study, studies.Case{ID: f.cases["X"], Code: "X", Name: "Klynge X", Pilot: true}))
	f.path = "/studies/" + string(f.study)
	f.Browser = f.as(f.account)
	return f
}

// member makes an account, in the study if a role is given.
func (f *fieldStudy) member(email string, role studies.Role) id.Account {
	f.t.Helper()
	account, err := f.Auth.CreateAccount(f.t.Context(), audit.System, email, "Ingrid Oppdikt", "et langt nok passord", "nb")
	f.must(err)
	if role != "" {
		f.must(f.Studies.SetMember(f.t.Context(), f.actor, f.study, account, role))
	}
	return account
}

// as opens the browser of somebody who is signed in.
func (f *fieldStudy) as(account id.Account) *browser.Browser {
	f.t.Helper()
	session, err := f.Auth.StartStaff(f.t.Context(), account)
	f.must(err)
	b, err := browser.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "feltbok_staff", Value: session.Token})
		f.server.ServeHTTP(w, r)
	}), testBase)
	f.must(err)
	return b
}

// enrol takes somebody into the study under a code and returns the path of their page.
func (f *fieldStudy) enrol(code string, relation recruitment.Relation, size recruitment.Size, title string) string {
	f.t.Helper()
	person, err := f.People.Enrol(f.t.Context(), f.actor, identities.Identity{Name: "Navn " + code, Email: strings.ToLower(code) + "@example.org", Language: "nb"},
		recruitment.Participant{Study: f.study, Code: code, Case: f.cases[code[:1]], Audience: "company", Relation: relation, Size: size, Title: title, Source: recruitment.MemberList})
	f.must(err)
	f.people[code] = person
	return f.path + "/people/" + string(person)
}

// open gets a page.
func (f *fieldStudy) open(path string) *fieldStudy {
	f.t.Helper()
	f.must(f.Get(path))
	return f
}

// send hands in the first form of the page with these fields.
func (f *fieldStudy) send(selector string, fields ...string) error {
	f.t.Helper()
	form := f.Form(selector)
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form.Submit()
}

// refused checks that a form came back with a status, a summary that links to the inputs, and what was typed.
func (f *fieldStudy) refused(err error, status int, inputs []string, kept ...string) {
	f.t.Helper()
	if err == nil || f.Status != status {
		f.t.Fatalf("status %d, error %v, want %d: %s", f.Status, err, status, f.Text("main"))
	}
	if !strings.HasPrefix(f.Text("title"), "Feil: ") {
		f.t.Errorf("title %q does not begin with the fault", f.Text("title"))
	}
	for _, input := range inputs {
		if !f.Has(`.errors a[href="#f-`+input+`"]`) || !f.Has("#f-"+input) {
			f.t.Errorf("no summary for input %q: %s", input, f.Text(".errors"))
		}
	}
	for i := 0; i+1 < len(kept); i += 2 {
		form := f.Form(`main form[method="post"]`)
		if !slices.Contains(form.Values()[kept[i]], kept[i+1]) {
			f.t.Errorf("field %q came back as %q, not %q", kept[i], form.Values()[kept[i]], kept[i+1])
		}
	}
}

// week gives the researcher every weekday from eight to four.
func (f *fieldStudy) week() {
	f.t.Helper()
	f.open(f.path + "/availability")
	var fields []string
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		fields = append(fields, "from_"+n, "8", "to_"+n, "16.00")
	}
	f.must(f.send("main form", fields...))
}

func (f *fieldStudy) booking(code string) scheduling.Booking {
	f.t.Helper()
	all, err := f.Scheduling.Of(f.t.Context(), f.study, f.people[code])
	f.must(err)
	if len(all) == 0 {
		f.t.Fatalf("%s has no booking", code)
	}
	return all[len(all)-1]
}

func TestAvailability(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.open(f.path + "/availability")
		f.refused(f.send("main form", "from_1", "åtte", "to_1", "16:00", "from_2", "10:00", "from_3", "12:00", "to_3", "11:00"), 422,
			[]string{"from_1", "to_2", "from_3"}, "from_1", "åtte", "from_2", "10:00", "to_3", "11:00")
		f.refused(f.send("main form", "from_1", "8:00", "to_1", "16:00", "to_2", "12:03", "from_3", "12:00"), 422, []string{"from_2", "from_3"}, "to_2", "12:03")
		if got := f.Text(".errors"); !strings.Contains(got, "Onsdag: Slutt må være etter start") {
			t.Errorf("summary %q does not name the day", got)
		}
		f.must(f.Form("main form").Set("from_1", "07.30").Set("to_1", "15").Press("copy", "2"))
		if got := f.Form("main form").Values(); got.Get("from_2") != "07.30" || got.Get("to_2") != "15" || f.Failed() {
			t.Errorf("same as above gave %v", got)
		}
		f.week()
		if want := "Uken er lagret."; f.Text(".notice") != want || f.Form("main form").Values().Get("to_5") != "16:00" {
			t.Errorf("notice %q, want %q, Friday until %q", f.Text(".notice"), want, f.Form("main form").Values().Get("to_5"))
		}
		week, err := s.Scheduling.Week(t.Context(), f.study, f.account)
		s.must(err)
		if len(week.Windows) != 5 || week.Zone != "Europe/Oslo" || week.Windows[4] != (scheduling.Window{Weekday: time.Friday, From: 480, To: 960}) {
			t.Errorf("stored week %v", week)
		}
	})
}

func TestSingleDays(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	if f.open(f.path + "/availability/block"); f.Has(`main form`) {
		t.Error("a day can be blocked before there is a week")
	}
	f.week()
	f.open(f.path + "/availability/block")
	f.refused(f.send("main form", "day", "2019-02-30", "from", "9", "to", ""), 422, []string{"day", "to"}, "day", "2019-02-30", "from", "9")
	f.refused(f.send("main form", "day", "2019-02-03", "from", "", "to", ""), 422, []string{"day"}, "day", "2019-02-03")
	f.refused(f.send("main form", "day", "2019-02-06", "from", "12", "to", "9:00"), 422, []string{"to"}, "from", "12")
	f.must(f.send("main form", "day", "6.2.2019", "from", "", "to", ""))
	f.open(f.path + "/availability/extra")
	f.refused(f.send("main form", "day", "2019-02-09"), 422, []string{"from", "to"}, "day", "2019-02-09")
	f.must(f.send("main form", "from", "10:00", "to", "24:00"))
	if got, want := f.Text("tbody"), "Onsdag 6. februar 2019hele dagenOpptatt Fjern Onsdag 6. februar 2019Lørdag 9. februar 201910:00–24:00Ekstra tid Fjern Lørdag 9. februar 2019"; got != want {
		t.Errorf("days %q, want %q", got, want)
	}
	remove := f.Form(`form[action$="/remove"]`)
	s.must(remove.Submit())
	if got := f.Text("tbody"); strings.Contains(got, "Onsdag") || !strings.Contains(got, "Lørdag") {
		t.Errorf("after removal: %q", got)
	}
	s.must(remove.Submit()) // the same form again: the same page, no second act
}

func TestMeeting(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		if err := f.Get(f.path + "/meeting/respondent"); err == nil || f.Status != 404 {
			t.Errorf("respondents have no interviews, status %d", f.Status)
		}
		f.open(f.path + "/meeting/company")
		form := f.Form("main form").Set("minutes", "").Set("grid", "7").Set("horizon_days", "900").Set("notice_hours", "snart").Only("modes", "video")
		f.refused(form.Submit(), 422, []string{"minutes", "grid", "horizon_days", "notice_hours", "video_room"}, "notice_hours", "snart", "modes", "video", "grid", "7")
		f.refused(f.Form("main form").Only("modes").Submit(), 422, []string{"modes"})
		form = f.Form("main form").Set("minutes", "45").Set("grid", "30").Set("horizon_days", "30").Set("notice_hours", "12").Set("interviewers", "2").
			Set("place", "Rom 3").Set("video_room", "https://video.example.org/rom").Only("modes", "phone", "video")
		s.must(form.Submit())
		got, err := s.Scheduling.TypeOf(t.Context(), f.study, "company")
		s.must(err)
		if got.Minutes != 45 || got.Interviewers != 2 || got.Place != "Rom 3" || !slices.Equal(got.Modes, []scheduling.Mode{scheduling.Phone, scheduling.Video}) {
			t.Errorf("stored %+v", got)
		}
	})
}

func TestStaffBooking(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		person := f.enrol("A1", recruitment.Member, recruitment.Small, "Daglig leder")
		other := f.enrol("A2", recruitment.Member, recruitment.Small, "Daglig leder")
		f.open(person + "/book")
		f.refused(f.send("main form", "mode", "phone", "day", "2019-02-07", "time", "10:00", "place", "Rom 2"), 409, []string{"interviewers"}, "place", "Rom 2", "time", "10:00", "mode", "phone")
		f.week()
		f.open(person + "/book")
		if f.Page.Find("[aria-labelledby=offers] a").Length() != 6 {
			t.Errorf("offers: %q", f.Text("[aria-labelledby=offers]"))
		}
		f.refused(f.send("main form"), 422, []string{"mode", "day", "time"})
		f.refused(f.send("main form", "mode", "video", "day", "7. februar", "time", "25:00"), 422, []string{"day", "time"}, "mode", "video", "day", "7. februar")
		f.refused(f.send("main form", "day", "2019-02-01", "time", "10:00"), 422, []string{"time"}, "day", "2019-02-01")
		f.refused(f.send("main form", "day", "2019-03-31", "time", "02:30"), 422, []string{"time"})
		f.must(f.send("main form", "mode", "phone", "day", "7.2.2019", "time", "10.00"))
		if b := f.booking("A1"); b.StartsAt != time.Date(2019, 2, 7, 9, 0, 0, 0, time.UTC).UnixMilli() || f.Address() != f.path+"/bookings/"+string(b.ID)+"?done=appointment_made" {
			t.Errorf("booked %v, at %s", b.Start(), f.Address())
		}
		if got := f.Text(".date"); !strings.Contains(got, "torsdag 7. februar") || strings.Contains(f.Text("body"), "Navn A1") {
			t.Errorf("appointment says %q", got)
		}

		f.open(other + "/book")
		f.refused(f.send("main form", "mode", "video", "day", "2019-02-07", "time", "10:30"), 409, []string{"pick"}, "time", "10:30", "mode", "video")
		offers := f.Form("main form").Options("pick")
		if len(offers) != 4 || offers[3] != "" || !strings.Contains(f.Text(".errors"), "Den tiden ble nettopp tatt.") {
			t.Errorf("taken: %q, offers %q", f.Text(".errors"), offers)
		}
		f.must(f.send("main form", "pick", offers[0]))
		if b := f.booking("A2"); b.Start().Format("2006-01-02T15:04") != offers[0] || b.Mode != scheduling.Video {
			t.Errorf("picked %s, booked %v by %s", offers[0], b.Start(), b.Mode)
		}

		f.open(person + "/book")
		f.refused(f.send("main form", "mode", "phone", "day", "2019-02-08", "time", "10:00"), 409, nil, "day", "2019-02-08")
		f.must(f.Form("main form").Check("follow_up", "yes").Submit())
		if b := f.booking("A1"); !b.FollowUp {
			t.Error("the second appointment is no follow-up")
		}
	})
}

func TestMoveAndCancel(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.week()
		f.must(f.open(f.enrol("A1", recruitment.Member, recruitment.Small, "Leder")+"/book").send("main form", "mode", "phone", "day", "2019-02-07", "time", "10:00"))
		f.must(f.open(f.enrol("A2", recruitment.Member, recruitment.Small, "Leder")+"/book").send("main form", "mode", "phone", "day", "2019-02-07", "time", "13:00"))
		page := f.path + "/bookings/" + string(f.booking("A1").ID)
		move, cancel := `form[action$="/move"]`, `form[action$="/cancel"]`
		f.open(page)
		f.refused(f.send(move, "day", "", "time", "13:30"), 422, []string{"day"}, "time", "13:30")
		f.refused(f.send(move, "day", "2019-02-07"), 409, []string{"pick"}, "time", "13:30", "day", "2019-02-07")
		if got := f.Form(move).Options("pick"); len(got) != 4 {
			t.Errorf("offers after a taken time: %q", got)
		}
		f.must(f.send(move, "day", "08.02.2019", "time", "9"))
		if b := f.booking("A1"); b.Start().Format("2006-01-02 15:04") != "2019-02-08 09:00" || b.Sequence != 1 {
			t.Errorf("moved to %v, sequence %d", b.Start(), b.Sequence)
		}

		f.refused(f.send(cancel), 422, []string{"choice"})
		f.must(f.send(cancel, "choice", "keep"))
		if b := f.booking("A1"); b.State != scheduling.Booked {
			t.Errorf("kept, and it is %s", b.State)
		}
		f.open(page)
		form := f.Form(cancel).Set("choice", "cancel")
		f.must(form.Submit())
		if b := f.booking("A1"); b.State != scheduling.Cancelled || f.Has(move) {
			t.Errorf("state %s, forms %v", b.State, f.Has(move))
		}
		f.must(form.Submit()) // handed in twice: shown as it is
		if !strings.Contains(f.Text(".status"), "Avlyst") {
			t.Errorf("status %q", f.Text(".status"))
		}

		f.open(f.path + "/bookings")
		if got := f.Text(`[aria-labelledby="coming"] .agenda`); !strings.Contains(got, "A2") || strings.Contains(got, "A1") {
			t.Errorf("coming: %q", got)
		}
		s.clock.set(time.Date(2019, 2, 7, 18, 0, 0, 0, time.UTC))
		f.Browser = f.as(f.account)
		f.open(f.path + "/bookings")
		if got := f.Text(`[aria-labelledby="waiting"] .agenda`); !strings.Contains(got, "A2") {
			t.Errorf("waiting: %q", got)
		}
	})
}

func TestInterviews(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		f.week()
		s.must(s.Recruitment.SetQuota(t.Context(), f.actor, f.study, f.cases["A"], recruitment.QuotaAny, 4))
		person := f.enrol("A2", recruitment.Member, recruitment.Small, "Senioringeniør")
		f.must(f.open(person+"/book").send("main form", "mode", "phone", "day", "2019-02-07", "time", "10:00"))
		s.clock.set(time.Date(2019, 2, 7, 18, 0, 0, 0, time.UTC))
		f.Browser = f.as(f.account)

		f.open(person + "/interview")
		if got := f.Form("main form").Values(); got.Get("booking") != string(f.booking("A2").ID) || got.Get("day") != "2019-02-07" || got.Get("mode") != "phone" {
			t.Errorf("not filled in from the appointment: %v", got)
		}
		f.refused(f.send("main form", "day", "i går", "minutes", "en time", "time", "1000000"), 422, []string{"day", "time", "minutes"}, "day", "i går", "minutes", "en time")
		f.refused(f.send("main form", "day", "2019-02-12", "minutes", "58", "time", ""), 422, []string{"day"}, "minutes", "58")
		f.must(f.send("main form", "day", "2019-02-07", "minutes", "0:58", "time", "10:05"))
		if b := f.booking("A2"); b.State != scheduling.Done {
			t.Errorf("the appointment is %s", b.State)
		}
		p, err := s.Recruitment.Get(t.Context(), f.study, f.people["A2"])
		s.must(err)
		if p.State != recruitment.Interviewed {
			t.Errorf("A2 is %s", p.State)
		}

		f.must(f.open(f.enrol("X2", recruitment.Member, recruitment.Micro, "Sivilingeniør")+"/interview").send("main form", "mode", "email", "day", "22.11.2018"))
		if got, want := f.Text("table tbody"), "XX2SivilingeniørSMBMedlemsbedrift22. november 2018–Rett X2"+"AA2SenioringeniørSMBMedlemsbedrift7. februar 201900:58Rett A2"; got != want {
			t.Errorf("Table 6 %q, want %q", got, want)
		}
		f.must(f.Follow("Rett X2"))
		f.refused(f.send("main form", "minutes", "0"), 422, []string{"minutes"}, "minutes", "0", "day", "2018-11-22")
		f.must(f.send("main form", "mode", "phone", "minutes", "64"))
		if got := f.Text(".intro"); !strings.Contains(got, "02:02") || !strings.Contains(got, "01:01") {
			t.Errorf("sums: %q", got)
		}
	})
}

func TestInterviewTakesOwnAppointmentsOnly(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.week()
	f.must(f.open(f.enrol("A1", recruitment.Member, recruitment.Small, "Leder")+"/book").send("main form", "mode", "phone", "day", "2019-02-07", "time", "10:00"))
	f.must(f.open(f.enrol("A2", recruitment.Member, recruitment.Small, "Leder")+"/book").send("main form", "mode", "phone", "day", "2019-02-07", "time", "13:00"))
	f.open(f.path + "/people/" + string(f.people["A1"]) + "/interview")
	form := f.Form("main form").Set("mode", "phone").Set("day", "2019-02-04")
	form.Values().Set("booking", string(f.booking("A2").ID))
	f.refused(form.Submit(), 422, []string{"booking"}, "day", "2019-02-04")
	f.must(f.send("main form", "booking", "none"))
	if f.booking("A1").State != scheduling.Booked || f.booking("A2").State != scheduling.Booked {
		t.Error("an interview without an appointment ended one")
	}
}

const threeThemes = "driver; networking; Nettverksbygging\nbarrier; cost; Kostnad\n\narena; lab; Lab; med semikolon\n"

func TestThemesAndCoding(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		s.must(s.Recruitment.SetQuota(t.Context(), f.actor, f.study, f.cases["A"], recruitment.QuotaAny, 4))
		for _, code := range []string{"A1", "A10", "A2", "X1"} {
			f.must(f.open(f.enrol(code, recruitment.Member, recruitment.Small, "Leder")+"/interview").send("main form", "mode", "phone", "day", "2019-02-01"))
		}
		if f.open(f.path + "/coding"); !strings.Contains(f.Text("main"), "ingen temaer ennå") {
			t.Errorf("empty matrix: %q", f.Text("main"))
		}
		f.open(f.path + "/themes")
		wrong := "driver; networking; Nettverk\ndriver Tid\ndriver; Ny Nøkkel; Navn\n"
		f.refused(f.send("main form", "themes", wrong), 422, []string{"themes"}, "themes", wrong)
		f.refused(f.send("main form", "themes", "driver; networking; Nettverk\n\nDriver; networking; Igjen"), 422, []string{"themes"})
		if got := f.Text(".errors"); !strings.Contains(got, "Linje 3: Et annet tema har denne nøkkelen.") {
			t.Errorf("faults %q", got)
		}
		f.must(f.send("main form", "themes", threeThemes))

		one := f.path + "/coding/" + string(f.people["A10"])
		f.must(f.open(one).send("main form", "mark_networking", "x", "mark_cost", "o"))
		if got, want := f.Text(".grid thead"), "Case A TemaA1A2A10xo"; got != want {
			t.Errorf("columns %q, want %q", got, want)
		}
		if got, want := f.Text(".grid tbody:nth-of-type(2)"), "Barrierer Kostnad·ikke nevnt·ikke nevnto–1"; got != want {
			t.Errorf("row %q, want %q", got, want)
		}
		if got, want := f.Text(".intro"), "3 temaer, 3 informanter. Noen har vært uenig i ett tema: Kostnad."; !strings.Contains(got, want) {
			t.Errorf("summary %q, want %q", got, want)
		}

		f.open(f.path + "/themes")
		f.refused(f.send("main form", "themes", "driver; networking; Nettverksbygging"), 409, nil, "themes", "driver; networking; Nettverksbygging")
		f.must(f.open(f.path+"/coding/"+string(f.people["X1"])).send("main form", "mark_lab", "x"))
		if got, want := f.Text(".grid thead"), "Case XCase A TemaX1A1A2A10xo"; got != want {
			t.Errorf("columns %q, want %q", got, want)
		}
	})
}

// Two researchers who code the same interview at once do not undo each other's marks.
func TestCodingSavesOnlyChanges(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.enrol("A1", recruitment.Member, recruitment.Small, "Leder")
	f.must(f.open(f.path+"/themes").send("main form", "themes", threeThemes))
	one := f.path + "/coding/" + string(f.people["A1"])
	first := f.open(one).Form("main form").Set("mark_networking", "x")
	f.must(f.open(one).send("main form", "mark_cost", "o"))
	f.must(first.Submit())
	f.must(first.Submit()) // and once more
	matrix, err := s.Interviews.Matrix(t.Context(), f.study)
	s.must(err)
	if matrix.Marks["networking"][f.people["A1"]] != interviews.Mentioned || matrix.Marks["cost"][f.people["A1"]] != interviews.Disagreed {
		t.Errorf("marks %v", matrix.Marks)
	}
	forged := f.open(one).Form("main form").Set("mark_lab", "x")
	forged.Values().Set("mark_lab", "y")
	f.refused(forged.Submit(), 422, []string{"mark_lab"})
}

// Nobody outside the team reaches a page of the field, whoever knows its address; readers see only findings.
func TestFieldAccess(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.week()
	person := f.enrol("A1", recruitment.Member, recruitment.Small, "Leder")
	f.must(f.open(person+"/book").send("main form", "mode", "phone", "day", "2019-02-07", "time", "10:00"))
	f.must(f.open(person+"/interview").send("main form", "booking", "none", "mode", "phone", "day", "2019-02-04"))
	held, err := s.Interviews.List(t.Context(), f.study)
	s.must(err)
	findings := []string{"/interviews", "/coding"}
	writing := []string{"/availability", "/availability/extra", "/availability/block", "/meeting/company", "/bookings", "/bookings/" + string(f.booking("A1").ID),
		person[len(f.path):] + "/book", person[len(f.path):] + "/interview", "/interviews/" + string(held[0].ID), "/themes", "/coding/" + string(f.people["A1"]), "/week", "/availability/calendar"}
	for _, tc := range []struct {
		name    string
		browser *browser.Browser
		may     []string
		status  int
	}{
		{"researcher", f.as(f.member("r@example.org", studies.Researcher)), slices.Concat(findings, writing), 403},
		{"supervisor", f.as(f.member("v@example.org", studies.Supervisor)), findings, 403},
		{"officer", f.as(f.member("o@example.org", studies.Officer)), nil, 403},
		{"stranger", f.as(f.member("s@example.org", "")), nil, 404},
	} {
		for _, path := range slices.Concat(findings, writing) {
			want := tc.status
			if slices.Contains(tc.may, path) {
				want = 200
			}
			if err := tc.browser.Get(f.path + path); tc.browser.Status != want || (err == nil) != (want == 200) {
				t.Errorf("%s gets %d from %s, want %d", tc.name, tc.browser.Status, path, want)
			}
			if tc.name == "supervisor" && want == 200 && tc.browser.Has(`main a[href*="/people/"], main a[href*="/coding/"], main form`) {
				t.Errorf("a supervisor is offered to change things on %s", path)
			}
		}
	}
	// Another study's people, appointments and interviews do not exist in this one.
	elsewhere := &fieldStudy{stage: s, account: f.account, actor: f.actor, people: map[string]id.Person{}}
	elsewhere.study, err = s.Studies.Create(t.Context(), f.actor, f.account, likeStudy(s, f.study))
	s.must(err)
	for _, path := range []string{writing[5], writing[6], writing[7], writing[8], writing[10]} {
		if err := f.Get("/studies/" + string(elsewhere.study) + path); err == nil || f.Status != 404 {
			t.Errorf("%s of another study: status %d", path, f.Status)
		}
	}
}

// likeStudy is a study's setting, to make another with it.
func likeStudy(s *stage, study id.Study) studies.Study {
	s.t.Helper()
	found, err := s.Studies.Get(s.t.Context(), study)
	s.must(err)
	found.ID, found.Cases = "", nil
	return found
}

// Failed says whether a form came back.
func (f *fieldStudy) Failed() bool { return f.Has(".errors") }
