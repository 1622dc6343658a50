package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// participation is a study under way, made without the team's pages: published letters, one interviewer with weekdays from 9 to
// 12, and the clock on Monday 1 April 2019 at 08:00 in Oslo.
type participation struct {
	*stage
	study studies.Study
	staff id.Account
	kase  id.Case
}

func eachParticipation(t *testing.T, fn func(t *testing.T, f *participation)) {
	t.Helper()
	eachStage(t, func(t *testing.T, s *stage) { fn(t, newParticipation(s)) })
}

// inParticipation is for what does not depend on the engine.
func inParticipation(t *testing.T, fn func(f *participation)) {
	t.Helper()
	fn(newParticipation(newStage(t, nil)))
}

func newParticipation(s *stage) *participation {
	s.t.Helper()
	ctx := context.Background()
	s.clock.set(time.Date(2019, 4, 1, 6, 0, 0, 0, time.UTC))
	f := &participation{stage: s}
	var err error
	f.staff, err = s.Auth.CreateAccount(ctx, audit.System, "ingrid@example.org", "Ingrid Oppdikt", "et langt nok passord", "nb")
	s.must(err)
	study, err := s.Studies.Create(ctx, audit.Staff(f.staff), f.staff, studies.Study{Title: "Samskaping i næringsklynger",
		Purpose: "Å forstå samskaping.", Questions: "Hva driver den?", Institution: "Nordfjord universitet",
		ProjectContact: "Ingrid Oppdikt, klynger@example.org", Supervisor: "Vera Veileder", SupervisorContact: "vera@example.org",
		Officer: "Per Personvern", OfficerContact: "per@example.org", Assessment: "Prøve 1", LegalBasis: studies.Consent,
		Languages: []string{"nb", "nn", "en"}, Zone: "Europe/Oslo", StartsOn: "2019-02-01", EndsOn: "2019-12-31", Duration: 60, Recording: true,
		Audiences: []studies.Audience{{Key: "company"}, {Key: "administration"}}})
	s.must(err)
	f.kase, err = s.Studies.AddCase(ctx, audit.Staff(f.staff), study, "A", "Klynge A")
	s.must(err)
	f.study, err = s.Studies.Get(ctx, study)
	s.must(err)
	f.publish("nb", "nn", "en")
	var week []scheduling.Window
	for day := time.Monday; day <= time.Friday; day++ {
		week = append(week, scheduling.Window{Weekday: day, From: 9 * 60, To: 12 * 60})
	}
	s.must(s.Scheduling.SetWeek(ctx, audit.Staff(f.staff), study, scheduling.Week{Account: f.staff, Zone: "Europe/Oslo", Windows: week}))
	s.must(s.Scheduling.SaveType(ctx, audit.Staff(f.staff), scheduling.Type{Study: study, Audience: "company", Minutes: 60, Grid: 60,
		NoticeHours: 24, HorizonDays: 60, DeadlineHours: 24, Modes: []scheduling.Mode{scheduling.InPerson, scheduling.Phone}, Interviewers: 1, Place: "Hos deg"}))
	return f
}

func (f *participation) publish(languages ...string) {
	f.t.Helper()
	f.publishFor("company", languages...)
}

func (f *participation) publishFor(audience string, languages ...string) {
	f.t.Helper()
	fields := map[string]consents.Fields{}
	for _, lang := range languages {
		fields[lang] = consents.Fields{Title: f.study.Title, Purpose: f.study.Purpose, Questions: []string{f.study.Questions},
			Institution: f.study.Institution, ProjectContact: f.study.ProjectContact, Supervisor: f.study.Supervisor,
			SupervisorContact: f.study.SupervisorContact, Officer: f.study.Officer, OfficerContact: f.study.OfficerContact,
			Assessment: f.study.Assessment, EndsOn: "31. desember 2019", Duration: "60 minutter"}
	}
	_, err := f.Consents.Publish(context.Background(), f.staff, f.study.ID, audience, string(f.study.LegalBasis), fields)
	f.must(err)
}

// informant enrols somebody and returns them with the path of their link.
func (f *participation) informant(code string) (id.Person, string) {
	f.t.Helper()
	ctx := context.Background()
	person, err := f.People.Enrol(ctx, audit.Staff(f.staff), identities.Identity{Name: "Arne Finnesikke", Email: strings.ToLower(code) + "@example.org",
		Phone: "+47 22 00 00 01", Organisation: "Eksempel Turbin AS", Title: "Senioringeniør drift", Language: "nb"},
		recruitment.Participant{Study: f.study.ID, Code: code, Case: f.kase, Audience: "company", Relation: recruitment.Member,
			Size: recruitment.Small, Title: "Ingeniør", Source: recruitment.MemberList})
	f.must(err)
	return person, f.linkOf(person)
}

func (f *participation) linkOf(person id.Person) string {
	f.t.Helper()
	link, err := f.Links.Ensure(f.t.Context(), f.study.ID, person, links.Participant, "", f.study.End())
	f.must(err)
	token, err := f.Links.Token(f.t.Context(), link)
	f.must(err)
	return "/p/" + token
}

// enter opens a link and presses its button.
func (f *participation) enter(link string) *browser.Browser {
	f.t.Helper()
	b := f.browser()
	f.must(b.Get(link))
	f.must(b.Form("main form").Submit())
	return b
}

var everyPurpose = []string{"interview", "recording", "quotation", "job_title", "follow_up", "survey_contact"}

// answerAll fills in the open consent form: yes to all, except for those named.
func answerAll(b *browser.Browser, no ...string) *browser.Form {
	form := b.Form("main form")
	for _, purpose := range everyPurpose {
		form.Set("consent_"+purpose, "yes")
	}
	for _, purpose := range no {
		form.Set("consent_"+purpose, "no")
	}
	return form
}

func (f *participation) consented(link string) *browser.Browser {
	f.t.Helper()
	b := f.enter(link)
	f.must(b.Get("/my/consent"))
	f.must(answerAll(b).Submit())
	return b
}

func slotOn(day int, hour int) string {
	return strconv.FormatInt(time.Date(2019, 4, day, hour-2, 0, 0, 0, time.UTC).UnixMilli(), 10) // summer time in Oslo
}

func (f *participation) booked(link string, day, hour int) *browser.Browser {
	f.t.Helper()
	b := f.consented(link)
	f.must(b.Get("/my/time?mode=phone&from=" + fmt.Sprintf("2019-04-%02d", day)))
	f.must(b.Form("main form").Set("slot", slotOn(day, hour)).Submit())
	return b
}

func (f *participation) at(b *browser.Browser, path string, words ...string) {
	f.t.Helper()
	if got, _, _ := strings.Cut(b.Address(), "?"); got != path {
		f.t.Errorf("at %s, want %s", b.Address(), path)
	}
	text := b.Text("body")
	for _, want := range words {
		if !strings.Contains(text, want) {
			f.t.Errorf("%s does not say %q:\n%s", b.Address(), want, text)
		}
	}
}

// refused hands in a form that is to be refused with a status.
func (f *participation) refused(form *browser.Form, b *browser.Browser, status int) {
	f.t.Helper()
	if err := form.Submit(); err == nil || b.Status != status {
		f.t.Fatalf("status %d (%v), want %d", b.Status, err, status)
	}
}

func (f *participation) of(person id.Person) []scheduling.Booking {
	f.t.Helper()
	all, err := f.Scheduling.Of(context.Background(), f.study.ID, person)
	f.must(err)
	return all
}

func (f *participation) said(person id.Person) consents.State {
	f.t.Helper()
	state, err := f.Consents.State(context.Background(), f.study.ID, person)
	f.must(err)
	return state
}

func TestParticipantsWay(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		person, link := f.informant("A2")
		b := f.browser()
		f.must(b.Get(link))
		for _, word := range []string{"Samskaping", "Arne"} {
			if strings.Contains(string(b.Body), word) {
				t.Errorf("the landing page says %q", word)
			}
		}
		if strings.Contains(b.Text("head, body"), "A2") { // a token in an attribute may hold it by chance
			t.Error("the landing page says the code")
		}
		f.must(b.Form("main form").Submit())
		f.at(b, "/my/letter", "Vil du være med?", "Slettes", "Hele brevet", "Du har ikke svart ennå")
		if strings.Contains(b.Text("title"), "Samskaping") {
			t.Errorf("the title names the topic: %q", b.Text("title"))
		}
		f.must(b.Follow("/my/consent"))
		if b.Has("input:checked, input[checked]") {
			t.Error("an answer is chosen in advance")
		}
		f.must(answerAll(b, "recording").Submit())
		f.at(b, "/my/time", "Velg en tid", "norsk tid (Oslo)")
		f.must(b.Follow("Telefon"))
		f.must(b.Form("main form").Set("slot", slotOn(4, 10)).Submit())
		f.at(b, "/my/booking", "torsdag", "4. april", "kl. 10:00 til 11:00", "Vi ringer deg", "til onsdag 3. april kl. 10:00")
		if state, _ := f.Recruitment.Get(t.Context(), f.study.ID, person); state.State != recruitment.Booked {
			t.Errorf("state %s, want booked", state.State)
		}

		f.must(b.Get("/my/move?from=2019-04-08"))
		f.must(b.Form("main form").Set("slot", slotOn(9, 9)).Submit())
		f.at(b, "/my/booking", "Avtalen er flyttet.", "tirsdag", "9. april")

		f.must(b.Form("main form").Set("title", "meeting").Submit())
		f.at(b, "/my/booking", "Lagret.")
		f.must(b.Get("/my/booking.ics"))
		for _, want := range []string{"METHOD:PUBLISH", "SUMMARY:Møte", "SEQUENCE:2", "ORGANIZER"} {
			if !strings.Contains(string(b.Body), want) {
				t.Errorf("calendar lacks %q:\n%s", want, b.Body)
			}
		}
		if strings.Contains(string(b.Body), "Samskaping") {
			t.Error("the calendar names the topic")
		}

		f.must(b.Get("/my/cancel"))
		f.must(b.Form("main form").Set("choice", "keep").Submit())
		f.at(b, "/my/booking")
		f.must(b.Get("/my/cancel"))
		f.must(b.Form("main form").Set("choice", "cancel").Submit())
		f.at(b, "/my", "Avtalen er avlyst.", "Du er med", "Vil du velge en ny tid?")

		f.must(b.Form(`form[action="/my/done"]`).Submit())
		f.at(b, "/my/bye")
		if err := b.Get("/my"); err == nil || b.Status != http.StatusUnauthorized {
			t.Errorf("after leaving the device: status %d", b.Status)
		}
	})
}

func TestDeadLinksAreAllTheSame(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, revoked := f.informant("A2")
		f.must(f.People.Withdraw(t.Context(), audit.Staff(f.staff), f.study.ID, person))
		_, expired := f.informant("A3")
		b := f.browser()
		f.clock.set(f.study.End().Add(-time.Hour))
		f.must(b.Get(expired))
		form := b.Form("main form")
		f.clock.set(f.study.End())
		f.refused(form, b, http.StatusNotFound)
		var pages []string
		for _, link := range []string{revoked, expired, "/p/unknown", "/p/" + strings.Repeat("A", 43)} {
			if err := b.Get(link); err == nil || b.Status != http.StatusNotFound {
				t.Errorf("%s: status %d, want 404", link, b.Status)
			}
			pages = append(pages, strings.ReplaceAll(string(b.Body), link, "LINK"))
		}
		for i, page := range pages {
			if page != pages[0] {
				t.Errorf("dead link %d looks different", i)
			}
		}
	})
}

func TestConsentRefusedKeepsAnswers(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, link := f.informant("A2")
		b := f.enter(link)
		f.must(b.Get("/my/consent"))
		form := b.Form("main form").Set("consent_interview", "yes").Set("consent_quotation", "no")
		f.refused(form, b, http.StatusUnprocessableEntity)
		f.at(b, "/my/consent", "4 svar mangler", "Velg ja eller nei til lydopptak.")
		for _, want := range []string{`input[name="consent_interview"][value="yes"][checked]`, `input[name="consent_quotation"][value="no"][checked]`,
			`.errors[autofocus] a[href="#f-consent_recording"]`, `#f-consent_recording[value="yes"]`, `#f-consent_recording-error`} {
			if !b.Has(want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		if b.Has(`input[name="consent_recording"][checked]`) || !strings.HasPrefix(b.Text("title"), "Feil: ") {
			t.Errorf("an unanswered question has an answer, or the title %q does not begin with Feil", b.Text("title"))
		}
		if len(f.said(person).Acts) != 0 {
			t.Error("half an answer was kept")
		}
		f.must(answerAll(b).Submit())
		f.at(b, "/my/time")

		f.must(b.Get("/my/consent"))
		again := answerAll(b, "quotation")
		f.must(again.Submit())
		f.must(again.Submit()) // a double click
		f.at(b, "/my", "Dette har du svart")
		if n := len(f.said(person).Acts); n != 2 {
			t.Errorf("%d acts, want 2", n)
		}
	})
}

func TestNoIsTakenForANo(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, link := f.informant("A2")
		b := f.enter(link)
		f.must(b.Get("/my/consent"))
		f.must(b.Form("main form").Set("consent_interview", "no").Submit())
		f.at(b, "/my", "Takk for svaret", "Vi spør deg ikke igjen.", "Slett det dere har om meg")
		if text := b.Text(".said dd"); b.Page.Find(".said dd").Length() != 1 || !strings.HasPrefix(text, "Samtale") || !strings.HasSuffix(text, "Endre svaret: Samtale") {
			t.Errorf("answers shown: %q", b.Text(".said dd"))
		}
		f.must(b.Get("/my/time"))
		f.at(b, "/my")
		if p, _ := f.Recruitment.Get(t.Context(), f.study.ID, person); p.State != recruitment.Declined {
			t.Errorf("state %s, want declined", p.State)
		}
	})
}

func TestLetterChangedMeanwhileIsAskedAgain(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, link := f.informant("A2")
		b := f.enter(link)
		f.must(b.Get("/my/consent"))
		form := answerAll(b, "recording")
		f.publish("nb")
		f.refused(form, b, http.StatusConflict)
		f.at(b, "/my/consent", "Brevet er endret siden du åpnet det.", "Du valgte nei for litt siden.", "Brev 2, bokmål")
		if b.Has("input[checked]") || len(f.said(person).Acts) != 0 {
			t.Error("an answer to the old letter was taken for one to the new")
		}
		f.must(answerAll(b, "recording").Submit())
		f.at(b, "/my/time")

		f.publish("nb", "en")
		f.must(b.Get("/my"))
		f.at(b, "/my", "Brevet er endret siden du svarte.", "Brev 2, besvart 1. april 2019")
		f.must(b.Get("/my/letter?read=1"))
		f.at(b, "/my/letter", "Dette er brevet du svarte på.", "Brev 2, bokmål")
		f.must(b.Get("/my/consent"))
		if b.Has("input[checked]") || !strings.Contains(b.Text("main"), "Du svarte nei 1. april 2019.") {
			t.Error("answers to another letter are chosen in advance, or not said")
		}
		f.must(b.Get("/my/letter?lang=nn"))
		f.at(b, "/my/letter", "Brevet finst ikkje på språket du har valt.")
		if !b.Has(`article[lang="nb"]`) {
			t.Error("the letter in another language does not say which")
		}
	})
}

// A letter to somebody else, or of another study, is not what was shown.
func TestAnothersLetterIsNoLetter(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, link := f.informant("A2")
		b := f.enter(link)
		f.must(b.Get("/my/consent"))
		f.refused(answerAll(b).Set("letter", "nobody's"), b, http.StatusConflict)
		f.publishFor("administration", "nb")
		other, err := f.Consents.Current(t.Context(), f.study.ID, "administration", "nb")
		f.must(err)
		f.refused(answerAll(b).Set("letter", string(other.ID)), b, http.StatusConflict)
		if len(f.said(person).Acts) != 0 {
			t.Error("an answer to an unknown letter was kept")
		}
	})
}

func TestChangingAnswers(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		person, link := f.informant("A2")
		b := f.booked(link, 4, 10)
		f.must(b.Get("/my/consent"))
		if n := b.Page.Find(`input[value="yes"][checked]`).Length(); n != len(everyPurpose) {
			t.Errorf("%d earlier answers shown, want %d", n, len(everyPurpose))
		}
		f.must(b.Form("main form").Submit())
		f.at(b, "/my", "Ingenting er endret.")
		if n := len(f.said(person).Acts); n != 1 {
			t.Fatalf("handing in the same answers made %d acts", n)
		}
		f.must(b.Get("/my/consent"))
		f.must(b.Form("main form").Set("consent_interview", "no").Submit())
		f.at(b, "/my", "Du er ikke med lenger", "De nye svarene er lagret.")
		if got := f.of(person)[0].State; got != scheduling.Cancelled {
			t.Errorf("the appointment is %s after the no", got)
		}
	})
}

func TestTakenTimeLeadsToTheNearest(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		_, first := f.informant("A2")
		_, second := f.informant("A3")
		b := f.consented(second)
		f.must(b.Get("/my/time?mode=phone&from=2019-04-04"))
		form := b.Form("main form").Set("slot", slotOn(4, 10))
		f.booked(first, 4, 10)
		f.refused(form, b, http.StatusConflict)
		f.at(b, "/my/time", "Den tiden ble nettopp tatt.", "torsdag 4. april kl. 09:00", "torsdag 4. april kl. 11:00")
		if n := b.Page.Find(".near input").Length(); n != 3 {
			t.Errorf("%d nearest times, want 3", n)
		}
		for _, want := range []string{`input[name="mode"][value="phone"]`, `form[action*="from=2019-04-04"]`, `.errors[autofocus]`, `.near input#f-slot`} {
			if !b.Has(want) {
				t.Errorf("the page lacks %s", want)
			}
		}
		if strings.Contains(string(b.Body), slotOn(4, 10)) {
			t.Error("the taken time is still on offer")
		}
		f.must(b.Form("main form").Set("slot", slotOn(4, 11)).Submit())
		f.at(b, "/my/booking", "kl. 11:00 til 12:00")
		f.must(b.Get("/my/time")) // one appointment each
		f.at(b, "/my/booking")
	})
}

func TestTimeRefusals(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, link := f.informant("A2")
		b := f.enter(link)
		f.must(b.Get("/my/time"))
		f.at(b, "/my/letter") // no answer yet
		b = f.consented(link)
		f.must(b.Get("/my/time?mode=in_person&from=2019-04-05"))
		f.at(b, "/my/time", "Hos deg")
		f.refused(b.Form("main form"), b, http.StatusUnprocessableEntity)
		f.at(b, "/my/time", "Velg en tid.")
		if !b.Has(`input[name="mode"][value="in_person"]`) || !b.Has(`#f-slot`) || !b.Has(`.errors a[href="#f-slot"]`) {
			t.Error("the mode is forgotten, or the error leads nowhere")
		}
		if b.Has(`input[type="radio"][checked]`) {
			t.Error("a time is chosen in advance")
		}
		f.must(b.Get("/my/time?from=2019-05-29"))
		if !strings.Contains(b.Text("main"), "Fra den første ledige dagen") {
			t.Error("no way back from late days")
		}
		f.must(b.Get("/my/time?from=2039-01-01&mode=fax"))
		f.at(b, "/my/time", "Det er ingen ledige tider fra denne dagen og utover.")
		if len(f.of(person)) != 0 {
			t.Error("a booking was made")
		}
	})
}

func TestDeadlinePassed(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, link := f.informant("A2")
		f.booked(link, 4, 10)
		f.clock.set(time.Date(2019, 4, 3, 8, 0, 0, 0, time.UTC))
		b := f.enter(link)
		f.must(b.Get("/my/cancel"))
		form := b.Form("main form").Set("choice", "cancel")
		f.clock.set(time.Date(2019, 4, 3, 8, 1, 0, 0, time.UTC))
		f.must(form.Submit())
		f.at(b, "/my/booking", "Det er for sent å flytte eller avlyse her.", "klynger@example.org")
		f.must(b.Get("/my/move"))
		f.at(b, "/my/booking")
		if got := f.of(person)[0].State; got != scheduling.Booked {
			t.Errorf("the appointment is %s", got)
		}
	})
}

func TestOwnData(t *testing.T) {
	inParticipation(t, func(f *participation) {
		_, link := f.informant("A2")
		b := f.booked(link, 4, 10)
		f.must(b.Get("/my/data"))
		f.at(b, "/my/data", "Arne Finnesikke", "a2@example.org", "Eksempel Turbin AS", "A2", "Klynge A", "Vil du delta i en samtale?", "torsdag 4. april kl. 10:00")
		f.must(b.Get("/my/data.json"))
		var file struct {
			You          identities.Identity
			Answers      []struct{ Items []struct{ Purpose string } }
			Appointments []struct{ Mode string }
		}
		f.must(json.Unmarshal(b.Body, &file))
		if file.You.Name != "Arne Finnesikke" || len(file.Answers) != 1 || len(file.Answers[0].Items) != 6 || len(file.Appointments) != 1 {
			t.Errorf("the file holds %+v", file)
		}
		if !strings.HasPrefix(b.Header.Get("Content-Disposition"), "attachment") || b.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", b.Header)
		}
	})
}

func TestWithdrawingOnePurpose(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		person, link := f.informant("A2")
		b := f.booked(link, 4, 10)
		f.must(b.Get("/my/withdraw"))
		if b.Has("input[checked]") {
			t.Error("a choice is made in advance")
		}
		f.refused(b.Form("main form"), b, http.StatusUnprocessableEntity)
		f.at(b, "/my/withdraw", "Velg ett av svarene.", "torsdag 4. april")
		f.must(b.Form("main form").Set("choice", "stay").Submit())
		f.at(b, "/my")
		f.must(b.Get("/my/withdraw"))
		f.must(b.Form("main form").Set("choice", "recording").Submit())
		f.at(b, "/my", "Det er trukket.", "Du er med")
		if got := f.of(person)[0].State; got != scheduling.Booked {
			t.Errorf("the appointment is %s", got)
		}
		f.must(b.Get("/my/withdraw"))
		if b.Has(`input[value="recording"]`) {
			t.Error("what is withdrawn can be withdrawn again")
		}
		f.must(b.Form("main form").Set("choice", "interview").Submit())
		f.at(b, "/my", "Du er ikke med lenger")
		if got := f.of(person)[0].State; got != scheduling.Cancelled {
			t.Errorf("the appointment is %s after the withdrawal", got)
		}
		if said := f.said(person).ByPurpose; said["interview"] != "no" || said["recording"] != "no" || said["quotation"] != "yes" {
			t.Errorf("answers are %v", said)
		}
	})
}

func TestWithdrawingAltogether(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		person, link := f.informant("A2")
		b := f.booked(link, 4, 10)
		f.must(b.Get("/my/withdraw"))
		f.must(b.Form("main form").Set("choice", "all").Submit())
		f.at(b, "/my/left", "Du er ute av studien.", "Dette har vi gjort")
		if err := b.Get("/my"); err == nil || b.Status != http.StatusUnauthorized {
			t.Errorf("the session lives on: status %d", b.Status)
		}
		if err := b.Get(link); err == nil || b.Status != http.StatusNotFound {
			t.Errorf("the link lives on: status %d", b.Status)
		}
		if known, err := f.Vault.Exists(t.Context(), person); err != nil || known {
			t.Errorf("the name is still there (%v)", err)
		}
		if _, err := f.Recruitment.Get(t.Context(), f.study.ID, person); errs.KindOf(err) != errs.NotFound {
			t.Errorf("the participant is still there: %v", err)
		}
		mails, err := filepath.Glob(filepath.Join(f.folder, "mail", "*withdrawn*.eml"))
		if err != nil || len(mails) != 1 {
			t.Errorf("%d last mails (%v), want 1", len(mails), err)
		}
	})
}

var rawKey = regexp.MustCompile(`\b(my|done|field|error|label|hint|form)\.[a-z_]+[a-z_.]*\b`)

func TestPagesAreCompleteInEveryLanguage(t *testing.T) {
	inParticipation(t, func(f *participation) {
		_, link := f.informant("A2")
		_, booked := f.informant("A3")
		fresh, other := f.enter(link), f.booked(booked, 4, 10)
		for _, lang := range []string{"nb", "nn", "en"} {
			for path, b := range map[string]*browser.Browser{link: f.browser(), "/p/dead": f.browser(), "/my/left": f.browser(), "/my/bye": f.browser(),
				"/my/letter": fresh, "/my/consent": fresh, "/my": other, "/my/booking": other, "/my/move": other, "/my/cancel": other,
				"/my/withdraw": other, "/my/data": other, "/my/contact": other} {
				_ = b.Get(path + "?lang=" + lang)
				if found := rawKey.FindString(b.Text("body")); found != "" || !b.Has(`html[lang="`+lang+`"]`) || !b.Has("h1") {
					t.Errorf("%s in %s: a text is missing (%s), or it is no page in that language", path, lang, found)
				}
				if n := b.Page.Find("[style], script:not([src]), [onclick]").Length(); n > 0 {
					t.Errorf("%s: %d things that the policy forbids", path, n)
				}
			}
		}
	})
}

// What a scanner does that opens a link, presses every button it finds and follows every link from there.
func TestRobotsChangeNothing(t *testing.T) {
	inParticipation(t, func(f *participation) {
		person, link := f.informant("A2")
		_, booked := f.informant("A3")
		other := f.booked(booked, 4, 10)
		b := f.enter(link)
		for _, path := range []string{"/my/letter", "/my/consent", "/my/time", "/my/booking", "/my/move", "/my/cancel", "/my/withdraw", "/my/data", "/my"} {
			for _, browser := range []*browser.Browser{b, other} {
				_ = browser.Get(path)
				_ = browser.Form("main form").Submit() // as it stands, whatever comes of it
			}
		}
		if len(f.said(person).Acts) != 0 || len(f.of(person)) != 0 {
			t.Error("a robot answered or booked")
		}
		f.must(other.Get("/my"))
		f.at(other, "/my", "Du er med", "torsdag 4. april kl. 10:00")
	})
}
