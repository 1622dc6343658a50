package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"

	"github.com/xuri/excelize/v2"
)

// surveyStage is a stage with a study whose interviews are done and coded, ready to be followed up by a survey.
type surveyStage struct {
	*stage
	owner  id.Account
	study  studies.Study
	people map[string]id.Person // participants by code
	path   string               // of the study
}

// followUp makes a study with two interviewed (A1 agreed to a survey, A2 did not), a pilot X1, and two themes.
func followUp(s *stage) *surveyStage {
	s.t.Helper()
	ctx := s.t.Context()
	owner, err := s.Auth.CreateAccount(ctx, audit.System, "eier@example.org", "Eier Oppdiktet", "et langt nok passord", "nb")
	s.must(err)
	study, err := s.Studies.Create(ctx, audit.Staff(owner), owner, studies.Study{Title: "Prøvestudie", Purpose: "Å prøve", Questions: "Virker det?",
		Institution: "Nordfjord universitet", ProjectContact: "Eier, eier@example.org", Supervisor: "Vera Veileder", SupervisorContact: "vera@example.org",
		Officer: "Per Personvern", OfficerContact: "per@example.org", Assessment: "Prøve 1", LegalBasis: studies.Consent, Languages: []string{"nb", "nn", "en"},
		Zone: "Europe/Oslo", StartsOn: "2019-01-01", EndsOn: "2019-12-31", Duration: 60, Recording: true,
		Cases:     []studies.Case{{Code: "A", Name: "Klynge A"}, {Code: "X", Name: "Forstudie", Pilot: true}},
		Audiences: []studies.Audience{{Key: "company"}, {Key: "administration"}, {Key: "respondent"}}})
	s.must(err)
	f := &surveyStage{stage: s, owner: owner, people: map[string]id.Person{}, path: "/studies/" + string(study)}
	f.study, err = s.Studies.Get(ctx, study)
	s.must(err)
	s.must(s.Recruitment.SetQuota(ctx, f.by(), study, f.study.Cases[0].ID, recruitment.QuotaSME, 2))
	s.must(s.Interviews.SetThemes(ctx, f.by(), study, []interviews.Theme{
		{Key: "knowledge_sharing", Category: "driver", Label: "Kunnskapsdeling"}, {Key: "cost", Category: "barrier", Label: "Pris"}}))
	f.publish("company")
	f.interviewed("A1", 0, map[string]bool{"survey_contact": true, "job_title": true}, "x")
	f.interviewed("A2", 0, map[string]bool{"job_title": false}, "o")
	f.interviewed("X1", 1, nil, "")
	return f
}

func (f *surveyStage) by() audit.Actor { return audit.Staff(f.owner) }

func (f *surveyStage) publish(audience string) {
	f.t.Helper()
	fields := map[string]consents.Fields{}
	for _, lang := range consents.Languages {
		fields[lang] = consents.Fields{Title: "Prøvestudie", Purpose: "Å prøve", Questions: []string{"Virker det?"}, Institution: "Nordfjord universitet",
			ProjectContact: "Eier", Supervisor: "Vera", SupervisorContact: "vera@example.org", Officer: "Per", OfficerContact: "per@example.org",
			Assessment: "Prøve 1", EndsOn: "31.12.2019", Duration: "5 min"}
	}
	_, err := f.Consents.Publish(f.t.Context(), f.owner, f.study.ID, audience, "consent", fields)
	f.must(err)
}

func (f *surveyStage) interviewed(code string, of int, yes map[string]bool, cost interviews.Mark) {
	f.t.Helper()
	ctx := f.t.Context()
	person, err := f.People.Enrol(ctx, f.by(), identities.Identity{Name: "Hemmelig Navnesen " + code, Email: strings.ToLower(code) + "@example.org", Language: "nb"},
		recruitment.Participant{Study: f.study.ID, Code: code, Case: f.study.Cases[of].ID, Audience: "company", Relation: recruitment.Member,
			Size: recruitment.Small, Title: "Leder " + code, Source: recruitment.MemberList})
	f.must(err)
	f.people[code] = person
	letter, err := f.Consents.Current(ctx, f.study.ID, "company", "nb")
	f.must(err)
	answers := map[string]bool{}
	for _, item := range letter.Items {
		answers[item.Purpose] = item.Purpose == consents.Interview || yes[item.Purpose]
	}
	f.must(f.Consents.Record(ctx, f.by(), consents.Act{Study: f.study.ID, Person: person, Letter: letter.ID, Means: consents.Oral, Answers: answers}))
	_, err = f.Interviews.Record(ctx, f.by(), interviews.Held{Study: f.study.ID, Person: person, Mode: "phone", HeldOn: "2019-02-01", Minutes: 64})
	f.must(err)
	if cost != "" {
		f.must(f.Interviews.MarkAll(ctx, f.by(), f.study.ID, person, map[string]interviews.Mark{"knowledge_sharing": interviews.Mentioned, "cost": cost}))
	}
}

// staff opens a browser signed in as somebody of the team.
func (f *surveyStage) staff(account id.Account) *browser.Browser {
	f.t.Helper()
	session, err := f.Auth.StartStaff(f.t.Context(), account)
	f.must(err)
	b, err := browser.New(withCookie(f.server, "feltbok_staff", session.Token), testBase)
	f.must(err)
	return b
}

// withCookie lets every request carry a cookie.
func withCookie(h http.Handler, name, value string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
		h.ServeHTTP(w, r)
	})
}

// open drafts a survey through the pages, publishes its letter and opens it.
func (f *surveyStage) open(b *browser.Browser) (path string) {
	f.t.Helper()
	f.must(b.Get(f.path + "/surveys"))
	f.must(b.Form(`form[action$="/surveys/draft"]`).Submit())
	path, _, _ = strings.Cut(b.Address(), "?")
	f.publish("respondent")
	f.must(b.Get(path))
	f.must(b.Form(`form[action$="/open"]`).Submit())
	return path
}

func (f *surveyStage) addRespondent(b *browser.Browser, survey string, n int) {
	f.t.Helper()
	f.must(b.Get(survey + "/respondents/new"))
	f.must(b.Form("main form").Set("name", fmt.Sprintf("Respondent Oppdiktet %d", n)).Set("email", fmt.Sprintf("r%d@example.org", n)).
		Set("organisation", "Eksempel AS").Set("language", "nb").Set("case", string(f.study.Cases[0].ID)).Set("role", "Daglig leder").Set("size", "micro").Submit())
}

// link is a respondent's own address.
func (f *surveyStage) link(survey string, person id.Person) string {
	f.t.Helper()
	link, err := f.Links.Ensure(f.t.Context(), f.study.ID, person, links.Survey, surveyOf(survey), f.study.End())
	f.must(err)
	token, err := f.Links.Token(f.t.Context(), link)
	f.must(err)
	return "/s/" + token
}

func surveyOf(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// person finds a respondent by code.
func (f *surveyStage) person(survey, code string) id.Person {
	f.t.Helper()
	all, err := f.Surveys.Respondents(f.t.Context(), f.study.ID, id.Survey(surveyOf(survey)))
	f.must(err)
	i := slices.IndexFunc(all, func(r surveys.Respondent) bool { return r.Code == code })
	if i < 0 {
		f.t.Fatalf("no respondent %s among %v", code, all)
	}
	return all[i].Person
}

// enter opens somebody's link and presses its button.
func (f *surveyStage) enter(survey, code string) *browser.Browser {
	f.t.Helper()
	b := f.browser()
	f.must(b.Get(f.link(survey, f.person(survey, code))))
	f.must(b.Form("main form").Submit())
	return b
}

func (f *surveyStage) consent(b *browser.Browser, answer string) {
	f.t.Helper()
	f.must(b.Form(`form[action="/survey/consent"]`).Set("consent_survey", answer).Submit())
}

// answerAll takes the first choice of everything, and sends.
func (f *surveyStage) answerAll(b *browser.Browser, choice int) {
	f.t.Helper()
	for strings.HasPrefix(b.Address(), "/survey/page/") {
		form := b.Form("main form")
		for _, name := range b.FieldNames("main form") {
			if options := form.Options(name); len(options) > 0 {
				form.Set(name, options[choice%len(options)])
			}
		}
		f.must(form.Press("to", "next"))
	}
	f.must(b.Form(`form[action="/survey/submit"]`).Submit())
}

// refused expects a status of the last request.
func refused(t *testing.T, b *browser.Browser, err error, status int, says string) {
	t.Helper()
	if err == nil || b.Status != status || !strings.Contains(b.Text("main"), says) {
		t.Errorf("got %v, status %d: %s; want status %d saying %q", err, b.Status, b.Text("main"), status, says)
	}
}

func sees(t *testing.T, b *browser.Browser, address, says string) {
	t.Helper()
	if got, _, _ := strings.Cut(b.Address(), "?"); got != address || !strings.Contains(b.Text("main"), says) {
		t.Errorf("at %s: %s; want %s saying %q", b.Address(), b.Text("main"), address, says)
	}
}

func TestSurveyIsAnswered(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := followUp(s)
		team := f.staff(f.owner)
		survey := f.open(team)
		f.addRespondent(team, survey, 1)
		s.must(team.Get(survey))
		s.must(team.Form(`form[action$="/invite"]`).Submit())
		s.sendMail()

		b := s.browser()
		s.must(b.Get(f.link(survey, f.person(survey, "R1"))))
		if text := b.Text("body"); strings.Contains(text, "Prøvestudie") || strings.Contains(text, "Oppdiktet") {
			t.Errorf("the landing page gives away topic or person: %s", text)
		}
		s.must(b.Form("main form").Submit())
		sees(t, b, "/survey/letter", "Vil du svare på en undersøkelse?")
		if b.Has("input[type=radio][checked]") {
			t.Error("an answer to the letter is preselected")
		}
		refused(t, b, b.Form(`form[action="/survey/consent"]`).Submit(), http.StatusUnprocessableEntity, "Velg ja eller nei til å svare på undersøkelsen.")
		f.consent(b, "yes")
		sees(t, b, "/survey/page/1", "Side 1 av 4")

		first := b.Form("main form").Set("q_t_driver_knowledge_sharing", "4")
		values := first.Values()
		s.must(first.Press("to", "next"))
		sees(t, b, "/survey/page/2", "Side 2 av 4, lagret")
		s.must(b.Form("main form").Press("to", "back"))
		if got := b.Form("main form").Values().Get("q_t_driver_knowledge_sharing"); got != "4" {
			t.Errorf("going back shows %q, want the saved 4", got)
		}
		// The browser kept page 1 and shows it again, with its old key: a change on it is saved all the same.
		values.Set("q_t_driver_knowledge_sharing", "5")
		s.must(b.Post("/survey/page/1", values))
		s.must(b.Get("/survey/page/1"))
		if got := b.Form("main form").Values().Get("q_t_driver_knowledge_sharing"); got != "5" {
			t.Errorf("page 1 handed in again holds %q, want 5", got)
		}

		s.must(b.Get("/survey/page/4"))
		err := b.Form("main form").Set("q_years", "mange").Press("to", "back")
		refused(t, b, err, http.StatusUnprocessableEntity, "Skriv et helt tall")
		if got := b.Form("main form").Values().Get("q_years"); got != "mange" {
			t.Errorf("a refused page holds %q, want what was typed", got)
		}
		s.must(b.Form("main form").Set("q_years", "7").Press("to", "later"))
		sees(t, b, "/survey/later", "Åpne lenken i e-posten")
		if err := b.Get("/survey/review"); err == nil || b.Status != http.StatusUnauthorized {
			t.Errorf("after «continue later» the answers are still open: status %d", b.Status)
		}

		b = f.enter(survey, "R1") // another device
		sees(t, b, "/survey/review", "Svært mye")
		if !strings.Contains(b.Text("main"), "Ikke besvart") {
			t.Errorf("the review does not say what is open: %s", b.Text("main"))
		}
		sending := b.Form(`form[action="/survey/submit"]`)
		values = sending.Values()
		s.must(sending.Submit())
		sees(t, b, "/survey/thanks", "Svarene dine er levert")
		s.must(b.Post("/survey/submit", values))
		sees(t, b, "/survey/thanks", "Svarene dine er levert")
		s.must(b.Get("/survey/page/1"))
		sees(t, b, "/survey/thanks", "Svarene dine er levert")
		counts, err := f.Surveys.Counts(t.Context(), f.study.ID, id.Survey(surveyOf(survey)))
		s.must(err)
		if counts[surveys.Answered] != 1 {
			t.Errorf("counts are %v, want one answered", counts)
		}
		s.must(b.Form(`form[action="/survey/done"]`).Submit())
		sees(t, b, "/survey/bye", "Ferdig på denne enheten")
	})
}

func TestSurveyTurnsAway(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := followUp(s)
		team := f.staff(f.owner)
		survey := f.open(team)
		for n := range 3 {
			f.addRespondent(team, survey, n+1)
		}
		b := s.browser()
		for _, link := range []string{"/s/unknown", "/s/" + strings.Repeat("A", 43)} {
			refused(t, b, b.Get(link), http.StatusNotFound, "Denne lenken virker ikke")
		}
		refused(t, b, b.Get("/survey/page/1"), http.StatusUnauthorized, "Åpne lenken")

		no := f.enter(survey, "R1")
		s.must(no.Get("/survey/page/1"))
		sees(t, no, "/survey/letter", "Vil du svare")
		f.consent(no, "no")
		sees(t, no, "/survey", "Takk for svaret")
		s.must(no.Follow("/survey/letter"))
		f.consent(no, "yes") // thought better of it
		sees(t, no, "/survey/page/1", "Side 1 av 4")

		late := f.enter(survey, "R2")
		f.consent(late, "yes")
		page := late.Form("main form").Set("q_t_driver_knowledge_sharing", "2")
		s.must(team.Get(survey))
		s.must(team.Form(`form[action$="/close"]`).Submit())
		refused(t, late, page.Press("to", "next"), http.StatusConflict, "Undersøkelsen tar ikke imot svar nå.")
		if got := late.Form("main form").Values().Get("q_t_driver_knowledge_sharing"); got != "2" {
			t.Errorf("the page refused at closing holds %q, want 2", got)
		}
		s.must(late.Get("/survey"))
		sees(t, late, "/survey", "tar ikke imot svar nå")
		s.must(team.Get(survey))
		s.must(team.Form(`form[action$="/open"]`).Submit())

		person := f.person(survey, "R2")
		s.must(late.Get("/survey/withdraw"))
		refused(t, late, late.Form("main form").Submit(), http.StatusUnprocessableEntity, "Velg om du vil trekke deg")
		s.must(late.Form("main form").Set("choice", "stay").Submit())
		sees(t, late, "/survey/page/1", "Side 1 av 4")
		s.must(late.Get("/survey/withdraw"))
		s.must(late.Form("main form").Set("choice", "all").Submit())
		sees(t, late, "/survey/left", "Du er ute av studien")
		if known, err := f.Vault.Exists(t.Context(), person); err != nil || known {
			t.Errorf("after withdrawing the vault knows the person: %v, %v", known, err)
		}
	})
}

func TestInformantLeavesTheSurveyOnly(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := followUp(s)
		team := f.staff(f.owner)
		survey := f.open(team)
		s.must(team.Get(survey + "/respondents"))
		if !strings.Contains(team.Text("main"), "2 informanter har ikke sagt ja") {
			t.Errorf("the list does not say who is not asked: %s", team.Text("main"))
		}
		s.must(team.Form(`form[action$="/informants"]`).Submit())
		if text := team.Text("main"); !strings.Contains(text, "A1 informant") || strings.Contains(text, "A2") || strings.Contains(text, "Navnesen") {
			t.Errorf("the list is %s", text)
		}
		b := f.enter(survey, "A1")
		f.consent(b, "yes")
		f.answerAll(b, 0)
		s.must(b.Get("/survey/withdraw"))
		if !strings.Contains(b.Text("main"), "Samtalen du har hatt med oss, blir med") {
			t.Errorf("an informant is told %s", b.Text("main"))
		}
		s.must(b.Form("main form").Set("choice", "all").Submit())
		sees(t, b, "/survey", "Du er ute av undersøkelsen")
		counts, err := f.Surveys.Counts(t.Context(), f.study.ID, id.Survey(surveyOf(survey)))
		s.must(err)
		if counts[surveys.Answered] != 0 || counts[surveys.Out] != 1 {
			t.Errorf("counts are %v, want one out", counts)
		}
		state, err := f.Consents.State(t.Context(), f.study.ID, f.people["A1"])
		s.must(err)
		if state.ByPurpose["interview"] != "yes" || state.ByPurpose["survey_contact"] != "no" {
			t.Errorf("standing is %v, want the conversation kept and surveys ended", state.ByPurpose)
		}
	})
}

func TestRespondentFormKeepsWhatWasTyped(t *testing.T) {
	f := followUp(newStage(t, nil))
	team := f.staff(f.owner)
	survey := f.open(team)
	f.must(team.Get(survey + "/respondents/new"))
	err := team.Form("main form").Set("name", "Navn Navnesen").Set("email", "ikke en adresse").Submit()
	refused(t, team, err, http.StatusUnprocessableEntity, "3 ting må rettes")
	if got := team.Form("main form").Values(); got.Get("name") != "Navn Navnesen" || got.Get("email") != "ikke en adresse" {
		t.Errorf("the form holds %v", got)
	}
	err = team.Form("main form").Set("email", "a1@example.org").Set("language", "nb").Set("case", string(f.study.Cases[0].ID)).Submit()
	refused(t, team, err, http.StatusUnprocessableEntity, "Noen i studien har denne adressen")

	f.addRespondent(team, survey, 1)
	if !team.Has(`p[role="status"]`) {
		t.Error("nothing says that the respondent was added")
	}
	refused(t, team, team.Get(f.path+"/surveys/"+string(id.New[id.Survey]())), http.StatusNotFound, "Vi finner ikke denne undersøkelsen.")
}

func TestInvitingWaitsForTheLetter(t *testing.T) {
	f := followUp(newStage(t, nil))
	team := f.staff(f.owner)
	survey, err := f.Surveys.Create(t.Context(), f.by(), f.study.ID, surveys.Draft(surveys.Text{"nb": "Prøve"}, []surveys.Theme{{Key: "cost", Category: "barrier", Label: surveys.Text{"nb": "Pris"}}}, surveys.Background{}))
	f.must(err)
	path := f.path + "/surveys/" + string(survey)
	f.must(f.Surveys.Open(t.Context(), f.by(), f.study.ID, survey))
	f.addRespondent(team, path, 1)
	f.must(team.Get(path))
	if team.Has(`form[action$="/invite"]`) || !strings.Contains(team.Text("main"), "Det er ikke publisert ennå") {
		t.Errorf("without a letter the page says %s", team.Text("main"))
	}
	values := team.Form(`form[action$="/close"]`).Values()
	err = team.Post(path+"/invite", values)
	refused(t, team, err, http.StatusConflict, "Publiser brevet til respondentene først.")
}

func TestRolesOfTheSurvey(t *testing.T) {
	f := followUp(newStage(t, nil))
	survey := f.open(f.staff(f.owner))
	for _, tc := range []struct {
		role studies.Role
		may  []string
		not  []string
	}{
		{studies.Supervisor, []string{"/surveys", survey, survey + "/results"}, []string{survey + "/respondents", survey + "/respondents/new", "/export"}},
		{studies.Officer, nil, []string{"/surveys", survey, survey + "/results", survey + "/respondents", "/export"}},
	} {
		account, err := f.Auth.CreateAccount(t.Context(), f.by(), string(tc.role)+"@example.org", "Noen", "et langt nok passord", "nb")
		f.must(err)
		f.must(f.Studies.SetMember(t.Context(), f.by(), f.study.ID, account, tc.role))
		b := f.staff(account)
		at := func(path string) string {
			if strings.HasPrefix(path, "/studies/") {
				return path
			}
			return f.path + path
		}
		for _, path := range tc.may {
			f.must(b.Get(at(path)))
			if b.Has("main form") {
				t.Errorf("%s finds a form at %s", tc.role, path)
			}
		}
		for _, path := range tc.not {
			if err := b.Get(at(path)); err == nil || b.Status != http.StatusForbidden {
				t.Errorf("%s at %s: status %d, want 403", tc.role, path, b.Status)
			}
		}
	}
}

func TestResultsHideFewAnswers(t *testing.T) {
	f := followUp(newStage(t, nil))
	team := f.staff(f.owner)
	survey := f.open(team)
	answer := func(n, choice int) {
		f.addRespondent(team, survey, n)
		b := f.enter(survey, fmt.Sprintf("R%d", n))
		f.consent(b, "yes")
		f.answerAll(b, choice)
	}
	for n := range 4 {
		answer(n+1, n)
	}
	f.must(team.Get(survey + "/results"))
	if text := team.Text("main"); !strings.Contains(text, "For få svar til å vises") || team.Has("svg.chart") {
		t.Errorf("four answers show %s", text)
	}
	answer(5, 4)
	f.must(team.Get(survey + "/results"))
	text := team.Text("main")
	if !strings.Contains(text, "Kunnskapsdeling") || !strings.Contains(text, "Samtaler og undersøkelse") || !team.Has(".joint svg rect.full") {
		t.Errorf("five answers show %s", text)
	}
	if aria := team.Page.Find(".likerts svg[role=img]").First().AttrOr("aria-label", ""); aria != "Kunnskapsdeling: Ingenting 20, Lite 20, Noe 20, Mye 20, Svært mye 20, Vet ikke 0 prosent" {
		t.Errorf("the first bar says %q", aria)
	}
}

func TestExportGathersTheStudy(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := followUp(s)
		team := f.staff(f.owner)
		survey := f.open(team)
		f.addRespondent(team, survey, 1)
		b := f.enter(survey, "R1")
		f.consent(b, "yes")
		f.answerAll(b, 3)

		s.must(team.Get(f.path + "/export"))
		if text := team.Text("main"); !strings.Contains(text, "RolleA21Personen har sagt nei til dette.") {
			t.Errorf("the page says of what is left out: %s", text)
		}
		refused(t, team, team.Form("main form").Submit(), http.StatusUnprocessableEntity, "Velg språk i overskriftene.")
		form := team.Form("main form").Set("lang", "nb")
		values := form.Values()
		s.must(form.Submit())
		book := workbook(t, team)
		if strings.Contains(book, "Navnesen") || strings.Contains(book, "example.org") {
			t.Error("the workbook holds a name or an address")
		}
		for _, want := range []string{
			"Rekruttering\tSpurt\t2", // the pre-study's X1 is no part of the sample
			"Intervjuer\tA\tA1\tLeder A1",
			"Intervjuer\tA\tA2\t\t",
			"Temaer\tBarriere\tPris\tcost\tx\to\t1\t1",
			"Svar som koder\tR1\tnb\t1\t",
			"Samtykker\tR1\t",
			"Utelatt\tRolle\tA2\tPersonen har sagt nei til dette.\t1",
		} {
			if !strings.Contains(book, want) {
				t.Errorf("the workbook lacks %q", want)
			}
		}
		// The page stays after a download, and its button works again.
		s.must(team.Post(f.path+"/export", values))
		workbook(t, team)
		log, err := f.Audit.Newest(t.Context(), f.study.ID, 2)
		s.must(err)
		for _, entry := range log {
			if entry.Action != "export.made" || entry.Actor != f.by() {
				t.Errorf("the chain ends with %v, want two downloads", log)
			}
		}
		var file bytes.Buffer
		s.must(f.server.ExportWorkbook(t.Context(), &file, f.study.ID, "en"))
		if file.Len() == 0 {
			t.Error("the command line's workbook is empty")
		}
	})
}

// workbook reads the downloaded workbook as lines of sheet and cells.
func workbook(t *testing.T, b *browser.Browser) string {
	t.Helper()
	if kind := b.Header.Get("Content-Disposition"); !strings.HasPrefix(kind, "attachment; filename=\"feltbok-") {
		t.Fatalf("disposition %q, body %.200s", kind, b.Body)
	}
	file, err := excelize.OpenReader(bytes.NewReader(b.Body))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines strings.Builder
	for _, name := range file.GetSheetList() {
		rows, err := file.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			fmt.Fprintf(&lines, "%s\t%s\n", name, strings.Join(row, "\t"))
		}
	}
	return lines.String()
}
