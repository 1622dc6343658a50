package replay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/internal/browser"
)

// unused is whom the invitation is for that nobody has used.
const unused = "nobody"

// networks is how many others each who passes something on says they know.
var networks = map[string]string{"B1": "30", "C1": "20", "B2": "12"}

// passOn lets an informant make an invitation on their own page. Those of B1 and B2 say whom they come from.
func (p *player) passOn(code, friend string) error {
	own, err := p.visit(code)
	if err != nil {
		return err
	}
	if err := own.Get("/my/pass"); err != nil {
		return err
	}
	show := "no"
	if code[0] == 'B' {
		show = "yes"
	}
	form := own.Form("main form").Set("show", show)
	if slices.Contains(own.FieldNames("main form"), "network") { // asked once
		form.Set("network", networks[code])
	}
	if err := form.Submit(); err != nil {
		return err
	}
	link, ours := strings.CutPrefix(own.Page.Find(`a[href*="/i/"]`).First().AttrOr("href", ""), p.Base)
	if !ours {
		return fmt.Errorf("%s: no link to pass on", own.Address())
	}
	p.passed[friend] = link
	p.counts["invitations passed on"]++
	return nil
}

// follow lets somebody open the invitation that they were passed and leave their own data. The researcher finds them in
// the list under the next code and fills in what the study needs to know.
func (p *player) follow(person row) error {
	code := person["code"]
	own, err := browser.New(p.Handler, p.Base)
	if err != nil {
		return err
	}
	if err := own.Get(p.passed[code]); err != nil {
		return err
	}
	err = own.Form("main form").Set("answer", "yes").Set("name", person["name"]).Set("email", address(code)).
		Set("phone", p.telephone(code)).Set("language", "nb").Submit()
	if err != nil {
		return err
	}
	if err := p.open(p.study + "/candidates?q=" + code); err != nil {
		return err
	}
	if err := p.researcher.Follow("/people/"); err != nil {
		return err
	}
	page := p.researcher.Address()
	p.people[code] = page
	if err := p.post(page+"/edit", action(page+"/name")); err != nil {
		return err
	}
	form := p.researcher.Form("#edit")
	fields := append(p.place(person), "size", sizeOf(person["employees"]))
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form.Submit()
}

// sizeOf is a company's size by Table 1 of the thesis.
func sizeOf(employees string) string {
	n, err := strconv.Atoi(employees)
	switch {
	case err != nil:
		return ""
	case n <= 10:
		return "micro"
	case n <= 50:
		return "small"
	case n <= 100:
		return "medium"
	}
	return "large"
}

// tip enters somebody whom an informant named, and who does not know of it.
func (p *player) tip() error {
	page := p.people["C2"] + "/tip"
	p.counts["tips"]++
	return p.post(page, action(page), "name", "Tuva Tenkt", "organisation", "Eksempel Lån AS", "phone", "+47 22 00 00 77",
		"note", "Ledet det første fellesprosjektet i klyngen.")
}
