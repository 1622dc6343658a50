package main

import (
	"fmt"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// crowd is a study with people in it, made through the domains: for tests that are about what comes after.
type crowd struct {
	*stage
	owner   id.Account
	study   studies.Study
	survey  id.Survey
	persons []id.Person // informants, candidates all
	asked   []id.Person // respondents, invited all
}

// newCrowd makes a study with published letters, hours, an open survey, and as many informants and respondents as asked.
// mark goes into every field of every identity.
func newCrowd(s *stage, informants, respondents int, mark func(i int) string) *crowd {
	s.t.Helper()
	ctx := s.t.Context()
	c := &crowd{stage: s}
	c.owner = c.account("eier@example.org")
	actor := audit.Staff(c.owner)
	study, err := s.Studies.Create(ctx, actor, c.owner, studies.Study{Title: "Prøvestudie", Purpose: "Å prøve", Questions: "Virker det?",
		Institution: "Nordfjord universitet", ProjectContact: "klynger@example.org", Supervisor: "Vera Veileder", SupervisorContact: "vera@example.org",
		Officer: "Per Personvern", OfficerContact: "per@example.org", Assessment: "Prøve 1", LegalBasis: studies.Consent,
		Languages: []string{"nb", "nn", "en"}, Zone: "Europe/Oslo", StartsOn: "2019-01-01", EndsOn: "2019-12-31", Duration: 60, Recording: true,
		Cases: []studies.Case{{Code: "A", Name: "Klynge A"}}})
	s.must(err)
	c.study, err = s.Studies.Get(ctx, study)
	s.must(err)
	fields := map[string]consents.Fields{}
	for _, lang := range consents.Languages {
		fields[lang] = consents.Fields{Title: "Prøvestudie", Purpose: "Å prøve", Questions: []string{"Virker det?"}, Institution: "Nordfjord universitet",
			ProjectContact: "klynger@example.org", Supervisor: "Vera", SupervisorContact: "vera@example.org", Officer: "Per",
			OfficerContact: "per@example.org", Assessment: "Prøve 1", EndsOn: "31.12.2019", Duration: "60"}
	}
	for _, audience := range []string{consents.Company, consents.Administration, consents.Respondent} {
		_, err := s.Consents.Publish(ctx, c.owner, study, audience, consents.Consent, fields)
		s.must(err)
	}
	var week []scheduling.Window
	for day := range 7 {
		week = append(week, scheduling.Window{Weekday: time.Weekday(day), From: 0, To: 24 * 60})
	}
	s.must(s.Scheduling.SetWeek(ctx, actor, study, scheduling.Week{Account: c.owner, Zone: "Europe/Oslo", Windows: week}))
	form := surveys.Draft(surveys.Text{"nb": "Prøve", "nn": "Prøve", "en": "Test"},
		[]surveys.Theme{{Key: "time", Category: "barrier", Label: surveys.Text{"nb": "Tid", "nn": "Tid", "en": "Time"}}}, surveys.Background{})
	c.survey, err = s.Surveys.Create(ctx, actor, study, form)
	s.must(err)
	s.must(s.Surveys.Open(ctx, actor, study, c.survey))
	for i := range informants {
		c.persons = append(c.persons, c.enrol(i, mark))
	}
	for i := range respondents {
		c.asked = append(c.asked, c.ask(informants+i, mark))
	}
	_, err = s.Surveys.InviteAll(ctx, actor, study, c.survey)
	s.must(err)
	return c
}

func (c *crowd) account(email string) id.Account {
	c.t.Helper()
	account, err := c.Auth.CreateAccount(c.t.Context(), audit.System, email, "Noen Oppdiktet", "et langt nok passord", "nb")
	c.must(err)
	return account
}

func identity(i int, mark func(int) string) identities.Identity {
	return identities.Identity{Name: "Navn " + mark(i), Email: fmt.Sprintf("%s@example.org", mark(i)), Phone: fmt.Sprintf("+4722%06d", i),
		Organisation: "Firma " + mark(i), Title: "Tittel " + mark(i), Note: "Notat " + mark(i), Language: "nb"}
}

func (c *crowd) enrol(i int, mark func(int) string) id.Person {
	c.t.Helper()
	person, err := c.people.Enrol(c.t.Context(), audit.Staff(c.owner), identity(i, mark), recruitment.Participant{Study: c.study.ID,
		Code: fmt.Sprintf("A%d", i+1), Case: c.study.Cases[0].ID, Audience: consents.Company, Relation: recruitment.Member,
		Size: recruitment.Small, Title: "Leder", Source: recruitment.MemberList})
	c.must(err)
	return person
}

func (c *crowd) ask(i int, mark func(int) string) id.Person {
	c.t.Helper()
	person, err := c.people.EnrolRespondent(c.t.Context(), audit.Staff(c.owner), identity(i, mark), surveys.Respondent{Study: c.study.ID,
		Survey: c.survey, Case: c.study.Cases[0].ID, Role: "Leder", Size: "small"})
	c.must(err)
	return person
}

// path is the address in a person's mail.
func (c *crowd) path(person id.Person, purpose links.Purpose) string {
	c.t.Helper()
	folder, subject := "/p/", ""
	switch purpose {
	case links.Survey:
		folder, subject = "/s/", string(c.survey)
	case links.Refusal:
		folder = "/u/"
	}
	link, err := c.Links.Ensure(c.t.Context(), c.study.ID, person, purpose, subject, c.study.End())
	c.must(err)
	token, err := c.Links.Token(c.t.Context(), link)
	c.must(err)
	return folder + token
}

// enter opens a person's link and presses its button.
func (c *crowd) enter(person id.Person, purpose links.Purpose) *browser.Browser {
	c.t.Helper()
	b := c.browser()
	c.must(b.Get(c.path(person, purpose)))
	c.must(b.Form("main form").Submit())
	return b
}

// staff signs an account in without its password.
func (c *crowd) staff(account id.Account) *browser.Browser {
	c.t.Helper()
	token, err := c.Auth.NewLink(c.t.Context(), auth.SignIn, account, time.Hour)
	c.must(err)
	b := c.browser()
	c.must(b.Get("/sign-in/" + token))
	c.must(b.Form("main form").Submit())
	return b
}

// call logs a call with a note, put off once, without pages.
func (c *crowd) call(person id.Person, note string) {
	c.t.Helper()
	actor, next := audit.Staff(c.owner), c.clock.now().Add(time.Hour).UnixMilli()
	c.must(c.people.LogContact(c.t.Context(), actor, c.study.ID, person, recruitment.Contact{Channel: recruitment.Phone,
		Direction: recruitment.Out, Outcome: recruitment.CallBack, NextAt: next}, note))
	c.must(c.Recruitment.Postpone(c.t.Context(), actor, c.study.ID, person, 0, next+1))
}

// letter is what a person with an audience reads now.
func (c *crowd) letter(audience string) consents.Letter {
	c.t.Helper()
	letter, err := c.Consents.Current(c.t.Context(), c.study.ID, audience, "nb")
	c.must(err)
	return letter
}

// consent lets a person say yes to everything, without pages.
func (c *crowd) consent(person id.Person) {
	c.t.Helper()
	letter := c.letter(consents.Company)
	answers := map[string]bool{}
	for _, item := range letter.Items {
		answers[item.Purpose] = true
	}
	c.must(c.Consents.Record(c.t.Context(), audit.Participant(person), consents.Act{Study: c.study.ID, Person: person, Letter: letter.ID,
		Means: consents.OwnLink, Answers: answers}))
}
