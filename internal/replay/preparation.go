package replay

import (
	"fmt"
	"strings"

	"example.org/feltbok/internal/browser"
)

// The team; nobody of them exists.
const (
	researcher = "ingrid@example.org"
	colleague  = "jonas@example.org"
	supervisor = "vera@example.org"
	officer    = "per@example.org"
)

// preparation sets the study up from an empty server.
func (p *player) preparation() []event {
	return []event{
		{at("2018-11-05", "09:00"), "first account and study", p.setUp},
		{at("2018-11-05", "09:30"), "study record", p.record},
		{at("2018-11-05", "10:00"), "cases and quotas", p.sample},
		{at("2018-11-05", "11:00"), "team", p.team},
		{at("2018-11-06", "09:00"), "letters", p.letters},
		{at("2018-11-06", "10:00"), "hours and meetings", p.hours},
	}
}

func (p *player) setUp() error {
	page := "/setup/" + p.SetupToken
	if err := p.post(page, "main form", "email", researcher, "name", "Ingrid Oppdikt", "password", password, "language", "nb"); err != nil {
		return err
	}
	err := p.post("/studies/new", "main form",
		"title", "Samskaping i næringsklynger",
		"purpose", "Vi vil forstå hva som får bedrifter i en næringsklynge til å skape noe digitalt sammen, og hva som hindrer dem.",
		"questions", "Hva driver samskaping i klynger?\nHva hindrer samskaping?\nHvordan virker samskaping på digitaliseringen?",
		"institution", "Nordfjord universitet (oppdiktet)",
		"contact", "Ingrid Oppdikt og Jonas Påfunn, klynger@example.org",
		"supervisor", "Vera Veileder", "supervisor_contact", "vera@example.org",
		"officer", "Per Personvern", "officer_contact", "per@example.org",
		"assessment", "Demo 000000", "legal_basis", "consent", "zone", "Europe/Oslo",
		"starts_on", "2018-11-05", "ends_on", "2019-06-04", "duration", "60", "recording", "yes",
		"interviews_by", "2019-03-31", "survey_opens", "2019-04-08", "survey_closes", "2019-04-30")
	if err != nil {
		return err
	}
	p.study = strings.Split(p.researcher.Address(), "?")[0]
	return nil
}

// texts are what the team wrote for its letters, by language; for the rest it found our words true.
var texts = map[string][]string{
	"nb": {
		"uses", "Vi bruker opplysningene i en masteroppgave og i en artikkel om samskaping, og gir dem ikke videre.",
		"processors", "Sikker Drift AS (oppdiktet) drifter serveren for oss, og universitetet driver e-posten. Begge har databehandleravtale med universitetet.",
		"security", "Navn og kontaktopplysninger er kryptert og ligger for seg selv. Opptakene ligger kryptert på universitetets eget område.",
	},
	"nn": {
		"title", "Samskaping i næringsklynger",
		"purpose", "Vi vil forstå kva som får bedrifter i ei næringsklynge til å skape noko digitalt saman, og kva som hindrar dei.",
		"questions", "Kva driv samskaping i klynger?\nKva hindrar samskaping?\nKorleis verkar samskaping på digitaliseringa?",
		"uses", "Vi bruker opplysningane i ei masteroppgåve og i ein artikkel om samskaping, og gir dei ikkje vidare.",
		"processors", "Sikker Drift AS (oppdikta) driftar tenaren for oss, og universitetet driv e-posten. Begge har databehandlaravtale med universitetet.",
		"security", "Namn og kontaktopplysningar er krypterte og ligg for seg sjølve. Opptaka ligg krypterte på universitetet sitt eige område.",
	},
	"en": {
		"title", "Co-creation in business clusters",
		"purpose", "We want to understand what makes companies in a business cluster create something digital together, and what holds them back.",
		"questions", "What drives co-creation in clusters?\nWhat holds co-creation back?\nHow does co-creation affect digitalisation?",
		"institution", "Nordfjord University (invented)",
		"uses", "We use the data in a master’s thesis and in an article about co-creation, and do not pass them on.",
		"processors", "Sikker Drift AS (invented) runs the server for us, and the university runs the e-mail. Both have a data processing agreement with the university.",
		"security", "Names and contact details are encrypted and kept apart. Recordings lie encrypted on the university’s own storage.",
	},
}

func (p *player) record() error {
	for _, lang := range []string{"nb", "nn", "en"} {
		if err := p.post(p.study+"/record/"+lang, "main form", texts[lang]...); err != nil {
			return err
		}
	}
	return p.confirm("nb")
}

// confirm ticks every suggestion that is left on the page of the main language.
func (p *player) confirm(lang string) error {
	if err := p.open(p.study + "/record/" + lang); err != nil {
		return err
	}
	var suggested []string
	p.researcher.Page.Find(`input[name="confirmed"]`).Each(func(_ int, box *browser.Selection) {
		suggested = append(suggested, box.AttrOr("value", ""))
	})
	return p.researcher.Form("main form").Only("confirmed", suggested...).Submit()
}

func (p *player) sample() error {
	for _, c := range []struct{ code, name string }{{"A", "Klynge A, energi og maritim"}, {"B", "Klynge B, velferdsteknologi"},
		{"C", "Klynge C, finansteknologi"}, {"X", "Forstudie"}} {
		if err := p.post(p.study+"/sample", action(p.study+"/cases"), "code", c.code, "name", c.name); err != nil {
			return err
		}
	}
	if err := p.readCases(); err != nil {
		return err
	}
	for _, code := range []string{"A", "B", "C"} {
		if err := p.post(p.study+"/sample", action(p.study+"/quotas"), "case", p.cases[code],
			"administration", "1", "sme", "1", "large", "1", "any", "1"); err != nil {
			return err
		}
	}
	return p.post(p.study+"/sample", action(p.study+"/quotas"), "case", p.cases["X"], "pilot", "yes")
}

// readCases finds the cases' identifiers where a person would see their codes: in the list of a form.
func (p *player) readCases() error {
	if err := p.open(p.study + "/sample"); err != nil {
		return err
	}
	p.researcher.Page.Find(`select[name="case"] option`).Each(func(_ int, option *browser.Selection) {
		code, _, _ := strings.Cut(strings.TrimSpace(option.Text()), " ")
		p.cases[strings.TrimSuffix(code, ",")] = option.AttrOr("value", "")
	})
	if len(p.cases) < 4 {
		return fmt.Errorf("found cases %v, want A, B, C and X", p.cases)
	}
	return nil
}

func (p *player) team() error {
	for _, m := range []struct{ email, name, role string }{{colleague, "Jonas Påfunn", "researcher"},
		{supervisor, "Vera Veileder", "supervisor"}, {officer, "Per Personvern", "officer"}} {
		if err := p.post(p.study+"/team", action(p.study+"/team"), "email", m.email, "name", m.name, "role", m.role, "language", "nb"); err != nil {
			return err
		}
		if err := p.SendMail(p.ctx); err != nil {
			return err
		}
		if err := p.accept(m.email, m.name); err != nil {
			return err
		}
	}
	return nil
}

// accept lets a colleague choose a password through the link in their mail.
func (p *player) accept(email, name string) error {
	link, err := p.mailbox.link(email, "/invite/")
	if err != nil {
		return err
	}
	own, err := browser.New(p.Handler, p.Base)
	if err != nil {
		return err
	}
	if err := own.Get(link); err != nil {
		return err
	}
	return own.Form("main form").Set("name", name).Set("password", password).Submit()
}

// letters publishes the starter letters as they stand.
func (p *player) letters() error {
	for _, audience := range []string{"company", "administration", "respondent"} {
		if err := p.post(p.study+"/letters", action(p.study+"/letters/"+audience+"/publish")); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) hours() error {
	var week []string
	for day := 1; day <= 5; day++ {
		week = append(week, fmt.Sprintf("from_%d", day), "08:00", fmt.Sprintf("to_%d", day), "16:00")
	}
	if err := p.post(p.study+"/availability", action(p.study+"/availability"), week...); err != nil {
		return err
	}
	for _, audience := range []string{"company", "administration"} {
		if err := p.open(p.study + "/meeting/" + audience); err != nil {
			return err
		}
		f := p.researcher.Form("main form").Set("minutes", "60").Set("buffer_before", "0").Set("buffer_after", "15").Set("grid", "30").
			Set("notice_hours", "24").Set("horizon_days", "60").Set("deadline_hours", "24").Set("interviewers", "1").
			Set("place", "Møterom 2 på biblioteket, Nordfjord universitet (oppdiktet)").
			Set("directions", "Gå inn hovedinngangen. Rommet ligger til venstre i første etasje.").
			Set("video_room", "https://video.example.org/{room}")
		if err := f.Only("modes", "in_person", "visit", "phone", "video").Submit(); err != nil {
			return err
		}
	}
	return nil
}
