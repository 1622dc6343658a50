package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// peopleStudy is a study with a team, and one browser per role.
type peopleStudy struct {
	*stage
	study                      studies.Study
	path                       string
	owner, supervisor, officer *browser.Browser
	account                    id.Account
}

func newPeopleStudy(t *testing.T, s *stage) *peopleStudy {
	t.Helper()
	f := &peopleStudy{stage: s}
	f.account = f.newAccount("eier@example.org", "Eier Oppdiktet")
	study, err := s.Studies.Create(t.Context(), audit.Staff(f.account), f.account, studies.Study{Title: "Samskaping i næringsklynger",
		Purpose: "Å prøve", Questions: "Virker det?", Institution: "Nordfjord universitet", ProjectContact: "Eier, eier@example.org",
		Supervisor: "Vera Veileder", SupervisorContact: "vera@example.org", Officer: "Per Personvern", OfficerContact: "per@example.org",
		Assessment: "Prøve 1", LegalBasis: studies.Consent, Languages: []string{"nb", "nn", "en"}, Zone: "Europe/Oslo", StartsOn: "2019-02-01",
		EndsOn: "2019-12-31", Duration: 60, Audiences: []studies.Audience{{Key: "company"}, {Key: "administration"}, {Key: "respondent"}},
		Cases: []studies.Case{{Code: "A", Name: "Klynge A"}, {Code: "B", Name: "Klynge B"}}})
	s.must(err)
	f.study, err = s.Studies.Get(t.Context(), study)
	s.must(err)
	f.path = "/studies/" + string(study)
	f.owner = f.signedIn(f.account)
	f.supervisor, f.officer = f.member("vera@example.org", studies.Supervisor), f.member("per@example.org", studies.Officer)
	return f
}

func (f *peopleStudy) newAccount(email, name string) id.Account {
	f.t.Helper()
	account, err := f.Auth.CreateAccount(f.t.Context(), audit.System, email, name, "et langt nok passord", "nb")
	f.must(err)
	return account
}

func (f *peopleStudy) member(email string, role studies.Role) *browser.Browser {
	f.t.Helper()
	account := f.newAccount(email, "Noen Oppdiktet")
	f.must(f.Studies.SetMember(f.t.Context(), audit.System, f.study.ID, account, role))
	return f.signedIn(account)
}

// signedIn opens a browser that has signed in already.
func (f *peopleStudy) signedIn(account id.Account) *browser.Browser {
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

func (f *peopleStudy) publish() { f.publishFor(f.study.ID, "company") }

func (f *peopleStudy) publishFor(study id.Study, audience string) id.Letter {
	f.t.Helper()
	texts := map[string]consents.Fields{}
	for _, lang := range consents.Languages {
		texts[lang] = consents.Fields{Title: f.study.Title, Purpose: "Å prøve", Questions: []string{"Virker det?"}, Institution: f.study.Institution,
			ProjectContact: "Eier", Supervisor: "Vera", SupervisorContact: "vera@example.org", Officer: "Per", OfficerContact: "per@example.org",
			Assessment: "Prøve 1", EndsOn: "31. desember 2019", Duration: "60 minutter"}
	}
	letters, err := f.Consents.Publish(f.t.Context(), f.account, study, audience, "consent", texts)
	f.must(err)
	return letters[0].ID
}

// candidate fills in the form for somebody.
func (f *peopleStudy) candidate(fields ...string) *browser.Form {
	f.t.Helper()
	f.must(f.owner.Get(f.path + "/candidates/new"))
	form := f.owner.Form("main form")
	all := append([]string{"case", string(f.study.Cases[0].ID), "audience", "company", "relation", "member", "employees", "22",
		"title", "Daglig leder", "source", "member_list", "name", "Anna Oppdiktet", "email", "anna@example.org",
		"phone", "22 22 22 01", "organisation", "Eksempel AS", "exact_title", "Daglig leder og gründer", "language", "nb"}, fields...)
	for i := 0; i+1 < len(all); i += 2 {
		form.Set(all[i], all[i+1])
	}
	return form
}

// enrolled takes somebody in and returns their page.
func (f *peopleStudy) enrolled(fields ...string) string {
	f.t.Helper()
	f.must(f.candidate(fields...).Submit())
	path, _, _ := strings.Cut(f.owner.Address(), "?")
	if !strings.HasPrefix(path, f.path+"/people/") {
		f.t.Fatalf("enrolled, and stand at %s: %s", f.owner.Address(), f.owner.Text("main"))
	}
	return path
}

// act fills in one of the forms of the page that the owner is at.
func (f *peopleStudy) act(action string, fields ...string) error {
	form := f.owner.Form(`form[action="` + action + `"]`)
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form.Submit()
}

// refused expects a form to come back with a status, a word in its summary, and what was typed.
func (f *peopleStudy) refused(err error, status int, word, name, value string) {
	f.t.Helper()
	b := f.owner
	if err == nil || b.Status != status {
		f.t.Fatalf("status %d (%v), want %d", b.Status, err, status)
	}
	if summary := b.Text(".errors"); !strings.Contains(summary, word) {
		f.t.Errorf("summary %q does not say %q", summary, word)
	}
	if title := b.Text("title"); !strings.HasPrefix(title, "Feil: ") {
		f.t.Errorf("title %q does not begin with the error", title)
	}
	b.Page.Find(".errors a").Each(func(_ int, a *browser.Selection) {
		if target := a.AttrOr("href", ""); !b.Has(target) {
			f.t.Errorf("the summary leads to %s, which is not there", target)
		}
	})
	if name != "" && b.Page.Find(`[name="`+name+`"][value="`+value+`"]`).Length() == 0 {
		f.t.Errorf("%s is not %q any more", name, value)
	}
}

func TestCandidate(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newPeopleStudy(t, s)
		s.must(f.owner.Get(f.path + "/candidates"))
		if !strings.Contains(f.owner.Text("main"), "Ingen kandidater ennå") {
			t.Errorf("empty list says %q", f.owner.Text("main"))
		}
		one := f.enrolled()
		if f.owner.Text("h1") != "A1" {
			t.Errorf("first code is %q, want A1", f.owner.Text("h1"))
		}
		page := string(f.owner.Body)
		for _, name := range []string{"Anna", "anna@example.org", "222222", "Eksempel AS", "gründer"} {
			if strings.Contains(page, name) {
				t.Errorf("the page shows %q without its being opened", name)
			}
		}
		p, err := s.Recruitment.ByCode(t.Context(), f.study.ID, "a1")
		s.must(err)
		if p.Size != recruitment.Small || p.Title != "Daglig leder" || p.State != recruitment.Candidate || one != f.path+"/people/"+string(p.ID) {
			t.Errorf("enrolled %+v", p)
		}
		for _, b := range []*browser.Browser{f.owner, f.supervisor, f.officer} {
			s.must(b.Get(f.path + "/candidates?case=A&state=not_asked&size=SMB&q=daglig"))
			if b.Text("tbody .code") != "A1" {
				t.Errorf("filtered list shows %q", b.Text("tbody"))
			}
			s.must(b.Get(f.path + "/candidates?case=B"))
			if b.Has("tbody .code") || !strings.Contains(b.Text("tbody"), "Ingen passer") {
				t.Errorf("list of another case shows %q", b.Text("tbody"))
			}
		}
		if f.supervisor.Has(`a[href*="/people/"]`) || f.supervisor.Has(`a[href$="/candidates/new"]`) {
			t.Error("the supervisor is offered what is the team's")
		}
	})
}

func TestCandidateRefused(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	f.enrolled("code", "a7")
	f.refused(f.candidate("name", "", "employees", "mange", "email", "ikke en adresse", "case", "").Submit(), 422, "Skriv navnet", "title", "Daglig leder")
	for _, name := range []string{"name", "employees", "email", "case"} {
		if !f.owner.Has(`a[href="#f-` + name + `"]`) {
			t.Errorf("nothing said about %s: %s", name, f.owner.Text(".errors"))
		}
	}
	f.refused(f.candidate("code", "A7", "email", "b@example.org", "phone", "").Submit(), 409, "har denne koden", "code", "A7")
	// The same address in other letters: only once it is confirmed to be somebody else.
	err := f.candidate("email", "ANNA@example.org", "phone", "").Submit()
	f.refused(err, 409, "samme e-postadresse", "email", "ANNA@example.org")
	if !strings.Contains(f.owner.Text("main"), "A7 har samme") {
		t.Errorf("the page does not say who: %s", f.owner.Text("main"))
	}
	f.must(f.owner.Form("main form").Check("same", "yes").Submit())
	if f.owner.Text("h1") != "A8" {
		t.Errorf("next code is %q, want A8", f.owner.Text("h1"))
	}
	// Handed in twice, it is one person.
	form := f.candidate("email", "c@example.org", "phone", "")
	f.must(form.Submit())
	f.must(form.Submit())
	if all, err := f.Recruitment.List(t.Context(), f.study.ID, recruitment.Filter{}); err != nil || len(all) != 3 {
		t.Errorf("%d candidates (%v), want 3", len(all), err)
	}
	if all, err := f.Vault.Persons(t.Context()); err != nil || len(all) != 3 {
		t.Errorf("the vault knows %d (%v), want 3", len(all), err)
	}
}

func TestPeopleContactLog(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newPeopleStudy(t, s)
		one := f.enrolled()
		f.refused(f.act(one+"/contact", "next_on", "en gang"), 422, "Velg hvordan dere var i kontakt", "next_on", "en gang")
		if n := f.owner.Page.Find(".errors li").Length(); n != 4 {
			t.Errorf("%d faults, want 4: %s", n, f.owner.Text(".errors"))
		}
		f.refused(f.act(one+"/contact", "channel", "phone", "direction", "out", "outcome", "call_back", "next_on", "3.2.2019"), 422,
			"fram i tid", "next_on", "3.2.2019")
		s.must(f.act(one+"/contact", "next_on", "4. februar kl. 14"))
		if !strings.Contains(f.owner.Text("main"), "Vi ringte: ring igjen") || !strings.Contains(f.owner.Text(".lead"), "i dag 14:00") {
			t.Errorf("after a call: %s", f.owner.Text("main"))
		}
		// Whoever is due today has their log beside the list, and saving leads back to it.
		s.must(f.owner.Get(f.path + "/candidates"))
		s.must(f.act(one+"/contact", "channel", "email", "direction", "in", "outcome", "interested"))
		if !strings.HasPrefix(f.owner.Address(), f.path+"/candidates?") || !strings.Contains(f.owner.Text("tbody"), "Interessert") {
			t.Errorf("back at %s: %s", f.owner.Address(), f.owner.Text("tbody"))
		}
		s.must(f.owner.Get(one))
		if events := f.owner.Page.Find(".event").Length(); events != 3 {
			t.Errorf("%d events, want 3: %s", events, f.owner.Text(".line-list"))
		}
	})
}

// A letter to somebody without an address has not gone, and somebody has to hear of it.
func TestPeopleLetterWithoutAnAddress(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	f.publish()
	person, err := f.People.Enrol(t.Context(), audit.System, identities.Identity{Name: "Uten Adresse", Language: "nb"}, recruitment.Participant{
		Study: f.study.ID, Code: "Q1", Case: f.study.Cases[0].ID, Audience: "company", Relation: recruitment.Member, Source: recruitment.Website})
	f.must(err)
	f.must(f.people.SendLetter(t.Context(), audit.System, f.study.ID, person, false))
	if _, err := f.sender.SendDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.must(f.owner.Get("/studies/" + string(f.study.ID) + "/mail"))
	if page := f.owner.Text("main"); !strings.Contains(page, "Mottakeren har ingen e-postadresse.") {
		t.Errorf("the outbox does not say that the letter had no address: %s", page)
	}
}

func TestPeopleLetter(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	one := f.enrolled()
	f.refused(f.act(one+"/letter"), 409, "ikke publisert", "", "")
	f.publish()
	f.must(f.owner.Get(one))
	form := f.owner.Form(`form[action="` + one + `/letter"]`)
	f.must(form.Submit())
	f.must(form.Submit()) // a double click sends one
	if f.owner.Text(".lead") != "Har fått brevet" {
		t.Errorf("state after the letter: %q", f.owner.Text(".lead"))
	}
	if sent, err := f.sender.SendDue(t.Context()); err != nil || sent != 1 {
		t.Errorf("sent %d mails (%v), want 1", sent, err)
	}
	f.must(f.owner.Get(one))
	f.must(f.act(one+"/state", "state", "declined"))
	if f.owner.Has(`form[action="` + one + `/letter"]`) {
		t.Error("who said no is offered another letter")
	}
	if err := f.people.SendLetter(t.Context(), audit.System, f.study.ID, id.Person(one[strings.LastIndex(one, "/")+1:]), false); err == nil {
		t.Error("who said no was sent another letter")
	}
}

func TestPeopleState(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	one := f.enrolled()
	f.refused(f.act(one+"/state"), 422, "Velg hvor det står", "", "")
	f.must(f.act(one+"/state", "state", "ineligible"))
	if f.owner.Text(".lead") != "Utenfor målgruppen" {
		t.Errorf("state: %q", f.owner.Text(".lead"))
	}
	if err := f.act(one+"/state", "state", "interviewed"); err == nil {
		t.Error("an interview can be claimed by hand")
	}
}

func TestNameIsOpenedAndLogged(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newPeopleStudy(t, s)
		one := f.enrolled()
		opened := func() (n int) {
			entries, err := s.Audit.Newest(t.Context(), f.study.ID, 100)
			s.must(err)
			for _, e := range entries {
				if e.Action == "identity.opened" && e.Actor == audit.Staff(f.account) {
					n++
				}
			}
			return n
		}
		f.refused(f.act(one+"/name"), 422, "Velg hvorfor", "", "")
		if opened() != 0 {
			t.Error("a refusal opened the name")
		}
		s.must(f.act(one+"/name", "purpose", "call"))
		if f.owner.Status != 200 || !strings.Contains(f.owner.Text(".opened"), "Anna Oppdiktet") || !strings.Contains(f.owner.Text(".opened"), "loggen") {
			t.Errorf("opened: %d %s", f.owner.Status, f.owner.Text("main"))
		}
		if strings.Contains(f.owner.Text("title"), "Anna") || f.owner.Header.Get("Refresh") != "60; url="+one || opened() != 1 {
			t.Errorf("title %q, refresh %q, %d entries", f.owner.Text("title"), f.owner.Header.Get("Refresh"), opened())
		}
		s.must(f.owner.Get(f.owner.Address())) // reloading leads back to the closed page
		if f.owner.Address() != one || strings.Contains(string(f.owner.Body), "Anna") {
			t.Errorf("reloaded at %s", f.owner.Address())
		}
	})
}

func TestOralConsent(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newPeopleStudy(t, s)
		one := f.enrolled()
		person := id.Person(one[strings.LastIndex(one, "/")+1:])
		if err := f.owner.Get(one + "/consent"); err == nil || f.owner.Status != 409 || !strings.Contains(f.owner.Text(".errors"), "ikke publisert") {
			t.Errorf("without a letter: %d %s", f.owner.Status, f.owner.Text("main"))
		}
		f.publish()
		s.must(f.owner.Get(one + "/consent"))
		if f.owner.Has("input[checked]") {
			t.Error("an answer is chosen beforehand")
		}
		f.refused(f.act(one+"/consent", "consent_recording", "no"), 422, "Velg hvordan svaret kom", "", "")
		if !f.owner.Has(`input[name="consent_recording"][value="no"][checked]`) || !f.owner.Has(`a[href="#f-consent_interview"]`) {
			t.Errorf("the answer is gone, or the missing one is not named: %s", f.owner.Text(".errors"))
		}
		answers := []string{"consent_interview", "yes", "consent_recording", "no", "consent_quotation", "yes", "consent_job_title", "yes",
			"consent_follow_up", "yes", "consent_survey_contact", "no"}
		f.refused(f.act(one+"/consent", append(answers, "means", "paper")...), 422, "Skriv arkivnummeret", "", "")
		s.must(f.act(one+"/consent", "reference", "2019/14"))
		text := f.owner.Text("main")
		if !strings.Contains(text, "Ja til samtale, sitat, stilling og kontakt om fakta.") || !strings.Contains(text, "På papir, 2019/14, av Eier Oppdiktet") {
			t.Errorf("timeline: %s", f.owner.Text(".line-list"))
		}
		// Taking the yes back cancels what was booked on it.
		byHand := f.owner.Form(`form[action="`+one+`/state"]`).Set("state", "cancelled")
		booking, err := s.Scheduling.Book(t.Context(), audit.Staff(f.account), scheduling.Request{Study: f.study.ID, Person: person, Audience: "company",
			Mode: scheduling.Phone, Start: s.clock.now().Add(48 * time.Hour), ByStaff: true, Interviewers: []id.Account{f.account}, Zone: "Europe/Oslo"})
		s.must(err)
		f.refused(byHand.Submit(), 409, "Avlys den", "", "")
		s.must(f.owner.Get(one))
		if !f.owner.Has(`a[href$="/bookings/`+string(booking.ID)+`"]`) || f.owner.Has(`form[action="`+one+`/state"]`) {
			t.Errorf("with an appointment: %s", f.owner.Text("main"))
		}
		s.must(f.owner.Get(one + "/consent"))
		s.must(f.act(one+"/consent", "means", "oral", "consent_interview", "no"))
		if b, err := s.Scheduling.Get(t.Context(), f.study.ID, booking.ID); err != nil || b.State != scheduling.Cancelled {
			t.Errorf("the appointment is %q (%v)", b.State, err)
		}
	})
}

// TestAnswersToAnotherLetter enters answers to a letter that was not written for the person.
func TestAnswersToAnotherLetter(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	one := f.enrolled()
	f.publish()
	other, err := f.Studies.Create(t.Context(), audit.Staff(f.account), f.account, f.study)
	f.must(err)
	for what, letter := range map[string]id.Letter{"another audience's": f.publishFor(f.study.ID, "administration"),
		"another study's": f.publishFor(other, "company"), "nobody's": id.New[id.Letter]()} {
		if err := f.owner.Get(one + "/consent?letter=" + string(letter)); err == nil || f.owner.Status != 404 {
			t.Errorf("%s letter has status %d, want 404", what, f.owner.Status)
		}
		f.must(f.owner.Get(one + "/consent"))
		if err := f.act(one+"/consent", "letter", string(letter), "means", "oral", "consent_interview", "no"); err == nil || f.owner.Status != 404 {
			t.Errorf("answers to %s letter have status %d, want 404", what, f.owner.Status)
		}
	}
	f.must(f.owner.Get(one + "/consent"))
	f.must(f.owner.Follow("Versjon 1, Nynorsk"))
	f.must(f.act(one+"/consent", "means", "oral", "consent_interview", "no"))
	state, err := f.Consents.State(t.Context(), f.study.ID, id.Person(one[strings.LastIndex(one, "/")+1:]))
	if err != nil || len(state.Acts) != 1 || state.Acts[0].Language != "nn" {
		t.Errorf("kept %+v (%v), want one answer to the letter in nynorsk", state.Acts, err)
	}
}

func TestPeopleEdit(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	f.enrolled("code", "B9", "email", "b@example.org", "phone", "")
	one := f.enrolled()
	f.must(f.owner.Get(one + "/edit"))
	if f.owner.Has(`[name="name"]`) || strings.Contains(string(f.owner.Body), "Anna") {
		t.Error("the name is open before anybody asked")
	}
	f.refused(f.act(one+"/edit", "code", "B9", "title", "Leder"), 409, "har denne koden", "title", "Leder")
	f.must(f.act(one+"/edit", "code", "A5"))
	if f.owner.Text("h1") != "A5" {
		t.Errorf("code is %q", f.owner.Text("h1"))
	}
	f.must(f.owner.Get(one + "/edit"))
	f.must(f.act(one + "/name"))
	f.refused(f.act(one+"/edit", "phone", "abc", "name", ""), 422, "Skriv navnet", "phone", "abc")
	f.must(f.act(one+"/edit", "phone", "+47 22 22 22 02", "name", "Anna Påfunn"))
	who, err := f.Vault.Open(t.Context(), audit.System, "support", f.study.ID, id.Person(one[strings.LastIndex(one, "/")+1:]))
	if err != nil || who.Name != "Anna Påfunn" || who.Phone != "+4722222202" || who.Title != "Daglig leder og gründer" {
		t.Errorf("the vault has %+v (%v)", who, err)
	}
}

func TestWithdrawByTeam(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newPeopleStudy(t, s)
		one := f.enrolled()
		s.must(f.owner.Get(one + "/withdraw"))
		if f.owner.Has("input[checked]") {
			t.Error("a choice is made beforehand")
		}
		f.refused(f.act(one+"/withdraw"), 422, "Velg om personen", "", "")
		s.must(f.act(one+"/withdraw", "choice", "keep"))
		if f.owner.Text("h1") != "A1" {
			t.Errorf("after keeping: %s", f.owner.Text("main"))
		}
		s.must(f.owner.Get(one + "/withdraw"))
		s.must(f.act(one+"/withdraw", "choice", "withdraw"))
		if !strings.Contains(f.owner.Text(".notice"), "ute av studien") {
			t.Errorf("after withdrawing: %s", f.owner.Text("main"))
		}
		if err := f.owner.Get(one); err == nil || f.owner.Status != 404 {
			t.Errorf("the page of an erased person has status %d", f.owner.Status)
		}
		if all, err := s.Vault.Persons(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("the vault still knows %d (%v)", len(all), err)
		}
	})
}

// TestPeopleRefuseOthers asks for everything about a person as everybody who may not, and through another study.
func TestPeopleRefuseOthers(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	one := f.enrolled()
	stranger := f.signedIn(f.newAccount("fremmed@example.org", "Fremmed Oppdiktet"))
	other, err := f.Studies.Create(t.Context(), audit.Staff(f.account), f.account, f.study)
	f.must(err)
	elsewhere := strings.Replace(one, string(f.study.ID), string(other), 1)
	for _, page := range []string{"", "/contact", "/letter", "/state", "/name", "/consent", "/edit", "/withdraw"} {
		for _, tc := range []struct {
			who    string
			b      *browser.Browser
			path   string
			status int
		}{
			{"stranger", stranger, one, 404}, {"supervisor", f.supervisor, one, 403}, {"officer", f.officer, one, 403},
			{"owner of another study", f.owner, elsewhere, 404}, {"owner, no such person", f.owner, f.path + "/people/" + string(id.New[id.Person]()), 404},
			{"owner, no id", f.owner, f.path + "/people/x", 404},
		} {
			if err := tc.b.Get(tc.path + page); err == nil || tc.b.Status != tc.status {
				t.Errorf("%s gets %d for %q, want %d", tc.who, tc.b.Status, page, tc.status)
			}
		}
	}
	if f.supervisor.Get(f.path+"/candidates/new") == nil || stranger.Get(f.path+"/candidates") == nil {
		t.Error("a supervisor may add candidates, or a stranger see the list")
	}
}

func TestPagesOfPeopleInEveryLanguage(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	one := f.enrolled()
	f.publish()
	f.must(f.act(one+"/contact", "channel", "phone", "direction", "out", "outcome", "interested"))
	for _, lang := range []string{"nb", "nn", "en"} {
		for _, page := range []string{f.path + "/candidates", f.path + "/candidates/new", one, one + "/consent", one + "/edit", one + "/withdraw"} {
			f.must(f.owner.Get(page + "?lang=" + lang))
			for _, key := range []string{"people.", "recruitment.", "field.", "label.", "consents.", "<no value>"} {
				if text := f.owner.Text("main") + f.owner.Text("title"); strings.Contains(text, key) {
					t.Errorf("%s in %s shows %q: %s", page, lang, key, text)
				}
			}
		}
	}
}
