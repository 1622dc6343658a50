package replay

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"example.org/feltbok/internal/browser"
)

// analysis is what the study planned and had no time for: the coding, and a survey made from it.
func (p *player) analysis() []event {
	return []event{
		{at("2019-05-09", "20:00"), "themes", p.themes},
		{at("2019-05-10", "08:00"), "coding", p.code},
		{at("2019-05-10", "10:00"), "survey drafted from the coding", p.draft},
		{at("2019-05-10", "10:30"), "the survey's respondents", p.respondents},
		{at("2019-05-10", "12:00"), "survey sent", p.send},
		{at("2019-05-11", "12:00"), "survey answered", p.answers},
		{at("2019-05-12", "20:00"), "workbook", p.export},
	}
}

func (p *player) themes() error {
	var lines strings.Builder
	for _, theme := range p.facts.themes {
		fmt.Fprintf(&lines, "%s; %s; %s\n", theme["category"], theme["key"], theme["label_nb"])
	}
	p.counts["themes"] = len(p.facts.themes)
	return p.post(p.study+"/themes", "main form", "themes", lines.String())
}

func (p *player) code() error {
	for _, person := range p.facts.people {
		code := person["code"]
		if p.facts.interview(code) == nil || code[0] == 'X' {
			continue
		}
		if err := p.open(p.study + "/coding/" + p.people[code][strings.LastIndex(p.people[code], "/")+1:]); err != nil {
			return err
		}
		form := p.researcher.Form("main form")
		for _, theme := range p.facts.themes {
			mark := theme[code]
			if mark == "" {
				mark = "none"
			}
			form.Set("mark_"+theme["key"], mark)
		}
		if err := form.Submit(); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) draft() error {
	if err := p.post(p.study+"/surveys", action(p.study+"/surveys/draft")); err != nil {
		return err
	}
	p.survey = strings.Split(p.researcher.Address(), "?")[0]
	return p.post(p.survey, action(p.survey+"/open"))
}

// unanswered is how many more are asked than answer: one in six, and never none.
func unanswered(answers int) int { return max(answers/6, 1) }

func email(respondent int) string { return fmt.Sprintf("r%04d@example.org", respondent) }

var (
	cases = []string{"A", "B", "C"}
	roles = []string{"Daglig leder", "Prosjektleder", "Utviklingssjef", "Fagansvarlig"}
	sizes = []string{"micro", "small", "medium", "large"}
)

// respondents fills the survey's own frame with people of further member companies, and those informants who agreed.
func (p *player) respondents() error {
	for i := range p.Responses + unanswered(p.Responses) {
		err := p.post(p.survey+"/respondents/new", "main form",
			"case", p.cases[cases[i%len(cases)]], "role", roles[i%len(roles)], "size", sizes[i/2%len(sizes)],
			"name", fmt.Sprintf("Respondent Oppdiktet %d", i+1), "email", email(i+1),
			"organisation", fmt.Sprintf("Eksempel Medlem %d AS", i+1), "language", []string{"nb", "nn", "en"}[i%3])
		if err != nil {
			return err
		}
		p.counts["respondents"]++
	}
	return p.post(p.survey+"/respondents", action(p.survey+"/informants"))
}

func (p *player) send() error { return p.post(p.survey, action(p.survey+"/invite")) }

// answers lets the respondents answer, by chance that is the same every time. What the interviews mentioned often is
// held important more often, as one would expect and so that the joint display has something to show.
func (p *player) answers() error {
	chance := rand.New(rand.NewPCG(2019, 513))
	for i := range p.Responses {
		own, err := p.enter(email(i+1), "/s/")
		if err != nil {
			return err
		}
		if err := p.answerOne(own, chance); err != nil {
			return fmt.Errorf("respondent %d: %w", i+1, err)
		}
		p.counts["survey answers"]++
		if i%25 == 24 { // thanks go out as they would: meanwhile
			if err := p.SendMail(p.ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *player) answerOne(own *browser.Browser, chance *rand.Rand) error {
	if err := own.Form(`form[action="/survey/consent"]`).Set("consent_survey", "yes").Submit(); err != nil {
		return err
	}
	for strings.HasPrefix(own.Address(), "/survey/page/") {
		form := own.Form("main form")
		for _, name := range own.FieldNames("main form") {
			if value := p.choose(name, form.Options(name), chance); value != "" {
				form.Set(name, value)
			}
		}
		if err := form.Press("to", "next"); err != nil {
			return err
		}
	}
	return own.Form(`form[action="/survey/submit"]`).Submit()
}

var remarks = []string{"", "", "", "Mer tid til felles prosjekter.", "Klyngen gjør det lettere å prøve noe nytt.", "Vi savner flere små bedrifter på møtene."}

// choose picks an answer. A theme's own mentions in the interviews shift the scale.
func (p *player) choose(name string, options []string, chance *rand.Rand) string {
	switch {
	case len(options) == 0 && strings.Contains(name, "years"):
		return fmt.Sprint(1 + chance.IntN(20))
	case len(options) == 0:
		return remarks[chance.IntN(len(remarks))]
	case len(options) == 6 && chance.IntN(12) == 0:
		return options[5] // don't know
	case len(options) == 6:
		level := 2 + float64(p.mentions(name))/6 + chance.NormFloat64()
		return options[min(max(int(level), 0), 4)]
	}
	return options[chance.IntN(len(options))]
}

// mentions is in how many interviews a theme came up.
func (p *player) mentions(question string) int {
	n := 0
	for _, theme := range p.facts.themes {
		if !strings.HasSuffix(question, theme["key"]) {
			continue
		}
		for _, held := range p.facts.interviews {
			if theme[held["informant"]] == "x" {
				n++
			}
		}
	}
	return n
}

func (p *player) export() error {
	if err := p.post(p.study+"/export", action(p.study+"/export"), "lang", "nb"); err != nil {
		return err
	}
	return nil
}

// result gathers what a newcomer needs.
func (p *player) result() (Result, error) {
	p.signedIn = false
	if err := p.export(); err != nil {
		return Result{}, fmt.Errorf("export: %w", err)
	}
	r := Result{StudyPath: p.study, SurveyPath: p.survey, Workbook: p.researcher.Body, Researcher: researcher, Supervisor: supervisor, Now: p.now()}
	for _, want := range []struct{ kind, code, email, folder string }{
		{"invited", "A5", "a5@example.org", "/p/"}, {"took part", "B3", "b3@example.org", "/p/"},
		{"survey", "", email(p.Responses + 1), "/s/"}} {
		link, err := p.mailbox.link(want.email, want.folder)
		if err != nil && p.now().Before(End) {
			continue // not written to by then
		}
		if err != nil {
			return Result{}, err
		}
		r.Links = append(r.Links, Link{want.kind, want.code, link})
	}
	if link := p.passed[unused]; link != "" {
		r.Links = append(r.Links, Link{"passed on", "", link})
	}
	for _, what := range []string{"enrolled", "candidates from a member list", "invitations passed on", "tips", "consented through their link", "consented orally", "booked", "moved",
		"cancelled and booked anew", "interviewed", "themes", "respondents", "survey answers"} {
		if n := p.counts[what]; n > 0 {
			r.Summary = append(r.Summary, Line{what, n})
		}
	}
	return r, nil
}
