package replay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/internal/browser"
)

// fieldwork is every person's way: contact, letter, consent, booking, interview.
func (p *player) fieldwork() []event {
	var events []event
	for _, person := range p.facts.people {
		code := person["code"]
		events = append(events,
			event{at(person["contacted"], "09:00"), "first call to " + code, func() error { return p.contact(person) }},
			event{at(person["letter"], "09:10"), "letter to " + code, func() error { return p.sendLetter(code) }})
		if from := person["recruiter"]; from != "" {
			events = append(events, event{at(person["contacted"], "15:00").AddDate(0, 0, -3), from + " passes an invitation on",
				func() error { return p.passOn(from, code) }})
		}
		if held := p.facts.interview(code); held != nil {
			events = append(events, p.interviewed(person, held)...)
		}
	}
	return append(events,
		event{at("2019-05-06", "10:00"), "B2 passes an invitation on that nobody has used yet", func() error { return p.passOn("B2", unused) }},
		event{at("2019-05-07", "10:00"), "C2 says who could be called", p.tip},
		event{at("2019-03-06", "13:00"), "A5 does not answer", func() error { return p.called("A5", "no_answer", "") }},
		event{at("2019-03-13", "13:00"), "A5 does not answer again", func() error { return p.called("A5", "no_answer", "no_answer") }},
		event{at("2019-03-28", "13:00"), "C5 writes", func() error { return p.wrote("C5", "interested", "") }},
		event{at("2019-04-03", "13:00"), "C5 must travel and steps back", func() error { return p.wrote("C5", "other", "cancelled") }})
}

// moves says whose appointment was moved by whom, and whose was cancelled and booked anew, from an earlier day.
var moves = map[string]struct{ by, from string }{
	"A2": {"participant", "2019-03-08"},
	"B4": {"researcher", "2019-04-12"},
	"A4": {"anew", "2019-05-02"},
}

func (p *player) interviewed(person, held row) []event {
	code, date := person["code"], held["date"]
	first := date
	move, moved := moves[code]
	if moved {
		first = move.from
	}
	consented := at(person["consented"], "12:00")
	events := []event{
		{consented, code + " consents", func() error { return p.consent(person) }},
		{consented.Add(time.Hour), "appointment with " + code, func() error { return p.book(person, first, false) }},
	}
	if moved {
		events = append(events, event{consented.Add(48 * time.Hour), code + " changes the appointment", func() error { return p.change(person, date, move.by) }})
	}
	return append(events, event{at(date, "18:00"), "interview with " + code, func() error { return p.interview(person, held) }})
}

// contact enrols a person and logs the call. Whom an informant led to has left their own data, and is called back.
func (p *player) contact(person row) error {
	enter := p.enrol
	if person["recruiter"] != "" {
		enter = p.follow
	}
	if err := enter(person); err != nil {
		return err
	}
	p.counts["enrolled"]++
	return p.called(person["code"], person["outcome"], "")
}

// place is what the study knows of somebody besides the company: a title, which letter, and what they are in the case.
func (p *player) place(person row) (fields []string) {
	title, audience, relation := "Leder", "company", "member"
	if held := p.facts.interview(person["code"]); held != nil {
		title = held["role"]
		switch held["relation"] {
		case "Klyngeadministrasjon":
			audience, relation = "administration", "administration"
		case "Klyngestyret": // sits on the board and gets the administration's letter
			audience, relation = "administration", "board"
		}
	}
	return []string{"case", p.cases[person["code"][:1]], "audience", audience, "relation", relation, "title", title,
		"organisation", person["organisation"], "exact_title", person["exact_title"]}
}

func (p *player) enrol(person row) error {
	code := person["code"]
	err := p.post(p.study+"/candidates/new", "main form", append(p.place(person), "code", code, "employees", person["employees"],
		"source", person["source"], "name", person["name"], "email", address(code), "phone", p.telephone(code), "language", "nb")...)
	p.people[code] = strings.Split(p.researcher.Address(), "?")[0]
	return err
}

func address(code string) string { return strings.ToLower(code) + "@example.org" }

// telephone is a number in the shape of a Norwegian one that is nobody's.
func (p *player) telephone(code string) string {
	i := slices.IndexFunc(p.facts.people, func(r row) bool { return r["code"] == code })
	return fmt.Sprintf("+47 22 00 00 %02d", i)
}

func (p *player) called(code, outcome, state string) error {
	return p.logContact(code, "phone", "out", outcome, state)
}

func (p *player) wrote(code, outcome, state string) error {
	return p.logContact(code, "email", "in", outcome, state)
}

func (p *player) logContact(code, channel, direction, outcome, state string) error {
	page := p.people[code]
	if err := p.ask(page, action(page+"/contact"), "channel", channel, "direction", direction, "outcome", outcome); err != nil {
		return err
	}
	if state == "" {
		return nil
	}
	return p.post(page, action(page+"/state"), "state", state)
}

func (p *player) sendLetter(code string) error {
	return p.ask(p.people[code], action(p.people[code]+"/letter"))
}

// ask is post for what may ask somebody for whom no goal has room, as the study did with a member of the board: it says
// so the second time.
func (p *player) ask(page, form string, fields ...string) error {
	err := p.post(page, form, fields...)
	if err == nil || !p.researcher.Has(form+" #f-anyway") {
		return err
	}
	return p.researcher.Form(form).Check("anyway", "yes").Submit()
}

var purposes = []string{"recording", "quotation", "job_title", "follow_up", "survey_contact"}

func (p *player) consent(person row) error {
	code := person["code"]
	if person["means"] == "oral" {
		page := p.people[code] + "/consent"
		if err := p.open(page); err != nil {
			return err
		}
		p.counts["consented orally"]++
		return answer(p.researcher.Form("main form").Set("means", "oral"), person).Submit()
	}
	own, err := p.visit(code)
	if err != nil {
		return err
	}
	if err := own.Get("/my/letter"); err != nil {
		return err
	}
	if err := own.Get("/my/consent"); err != nil {
		return err
	}
	p.counts["consented through their link"]++
	return answer(own.Form("main form"), person).Submit()
}

func answer(form *browser.Form, person row) *browser.Form {
	form.Set("consent_interview", "yes")
	for _, purpose := range purposes {
		form.Set("consent_"+purpose, person[purpose])
	}
	return form
}

// visit opens the newest link in somebody's mail and presses its button, in a browser of their own.
func (p *player) visit(code string) (*browser.Browser, error) {
	return p.enter(address(code), "/p/")
}

func (p *player) enter(email, folder string) (*browser.Browser, error) {
	link, err := p.mailbox.link(email, folder)
	if err != nil {
		return nil, err
	}
	own, err := browser.New(p.Handler, p.Base)
	if err != nil {
		return nil, err
	}
	if err := own.Get(link); err != nil {
		return nil, err
	}
	return own, own.Form("main form").Submit()
}

// book makes an appointment: the participant picks a time on offer, or a researcher enters what was agreed on the
// telephone.
func (p *player) book(person row, date string, again bool) error {
	code := person["code"]
	p.counts["booked"]++
	if person["booked_by"] == "researcher" {
		return p.post(p.people[code]+"/book", "main form", append(p.venue(person), "day", date, "time", person["time"])...)
	}
	own, err := p.visit(code)
	if err != nil {
		return err
	}
	venue := p.venue(person)
	if err := own.Get("/my/time?mode=" + venue[1] + "&from=" + date); err != nil {
		return err
	}
	form := own.Form("main form").Set("slot", slot(date, person["time"]))
	if len(venue) > 2 {
		form.Set(venue[2], venue[3])
	}
	return form.Submit()
}

// venue is how and where they meet: in person the team comes to the informant's own place of work.
func (p *player) venue(person row) (fields []string) {
	if person["mode"] == "in_person" {
		return []string{"mode", "visit", "where", "Resepsjonen hos " + person["organisation"]}
	}
	return []string{"mode", person["mode"]}
}

func slot(date, clock string) string { return strconv.FormatInt(at(date, clock).UnixMilli(), 10) }

// change moves an appointment to its final day, or cancels it and books anew.
func (p *player) change(person row, date, by string) error {
	code := person["code"]
	if by == "researcher" {
		p.counts["moved"]++
		booking, err := p.booking(code)
		if err != nil {
			return err
		}
		return p.post(booking, action(booking+"/move"), "day", date, "time", person["time"])
	}
	own, err := p.visit(code)
	if err != nil {
		return err
	}
	if by == "participant" {
		p.counts["moved"]++
		if err := own.Get("/my/move?from=" + date); err != nil {
			return err
		}
		return own.Form("main form").Set("slot", slot(date, person["time"])).Submit()
	}
	p.counts["cancelled and booked anew"]++
	if err := own.Get("/my/cancel"); err != nil {
		return err
	}
	if err := own.Form("main form").Set("choice", "cancel").Submit(); err != nil {
		return err
	}
	if err := p.SendMail(p.ctx); err != nil {
		return err
	}
	return p.book(person, date, true)
}

// booking finds the open appointment on a person's page.
func (p *player) booking(code string) (string, error) {
	if err := p.open(p.people[code]); err != nil {
		return "", err
	}
	if err := p.researcher.Follow("/bookings/"); err != nil {
		return "", err
	}
	return p.researcher.Address(), nil
}

// interview enters what Table 6 says of it.
func (p *player) interview(person, held row) error {
	fields := []string{"mode", person["mode"], "day", held["date"]}
	if hours, minutes, ok := strings.Cut(held["duration"], ":"); ok {
		h, _ := strconv.Atoi(hours)
		m, _ := strconv.Atoi(minutes)
		fields = append(fields, "time", person["time"], "minutes", strconv.Itoa(h*60+m))
	}
	p.counts["interviewed"]++
	return p.post(p.people[person["code"]]+"/interview", "main form", fields...)
}
