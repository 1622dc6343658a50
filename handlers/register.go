package handlers

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// registerPage is who answered what, by code. Who is erased is a number.
type registerPage struct {
	base
	Rows    []registerRow
	Counts  []consentCount
	Left    int // withdrew from the study, and are erased
	Query   consents.RegisterQuery
	Next    string // the address of the page behind
	letters []consents.Letter
}

type registerRow struct {
	consents.Registered
	Code             string
	Yes, No, Unasked []string // purposes in words
}

const registerSize = 50

func (s *Server) consentRegister(v *visit) error {
	p := registerPage{base: v.page("register.title")}
	p.Here, p.Form.Values = v.watching("consents"), v.Request.URL.Query()
	var err error
	if p.letters, err = s.Consents.Versions(v.ctx(), v.study.ID); err != nil {
		return err
	}
	p.Query = registerQuery(p.Form.Values)
	p.Query.Limit = registerSize + 1
	page, err := s.Consents.Register(v.ctx(), v.study.ID, p.Query)
	if err != nil {
		return err
	}
	if len(page) > registerSize {
		page = page[:registerSize]
		p.Next = p.address(page[registerSize-1].Cursor())
	}
	if err := s.fillRegister(v, &p, page); err != nil {
		return err
	}
	return v.show("staff/register", p)
}

// registerQuery reads what is asked for from the address: standing is "recording:yes", letter "company:2".
func registerQuery(values url.Values) (q consents.RegisterQuery) {
	purpose, standing, _ := strings.Cut(values.Get("standing"), ":")
	if slices.Contains(consents.Purposes, purpose) && slices.Contains(consents.Standings, standing) {
		q.Purpose, q.Standing = purpose, standing
	}
	audience, version, _ := strings.Cut(values.Get("letter"), ":")
	if n, err := strconv.Atoi(version); err == nil && n > 0 {
		q.Audience, q.Version = audience, n
	}
	q.After = values.Get("after")
	return q
}

// fillRegister looks up codes and counts.
func (s *Server) fillRegister(v *visit, p *registerPage, page []consents.Registered) error {
	persons := make([]id.Person, len(page))
	for i, r := range page {
		persons[i] = r.Person
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, nil, persons)
	if err != nil {
		return err
	}
	for _, r := range page {
		p.Rows = append(p.Rows, p.row(r, names.codes[r.Person]))
	}
	if p.Query.After != "" {
		return nil // the counts stand on the first page
	}
	counts, err := s.Consents.Counts(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p.Counts = countsInOrder(counts)
	p.Left, err = s.leftStudy(v, v.study.ID)
	return err
}

func countsInOrder(counts map[string]consents.Count) (all []consentCount) {
	for _, purpose := range consents.Purposes {
		if n, ok := counts[purpose]; ok {
			all = append(all, consentCount{purpose, n})
		}
	}
	return all
}

// leftStudy is how many were erased from a study.
func (s *Server) leftStudy(v *visit, study id.Study) (n int, err error) {
	tallies, err := s.Audit.Tallies(v.ctx(), study, "person.erased")
	for _, t := range tallies {
		n += t.Persons
	}
	return n, err
}

// row puts purposes in words. What the newest letter asks and the person was never asked is said too.
func (p registerPage) row(r consents.Registered, code string) registerRow {
	row := registerRow{Registered: r, Code: cmp.Or(code, "–")}
	for _, purpose := range consents.Purposes {
		word := lowered(p.T("consents.purpose." + purpose))
		switch {
		case r.Standings[purpose] == consents.Yes:
			row.Yes = append(row.Yes, word)
		case r.Standings[purpose] == consents.No:
			row.No = append(row.No, word)
		case slices.ContainsFunc(p.letters, func(l consents.Letter) bool {
			return l.Audience == r.Audience && l.Version == r.Newest && l.Asks(purpose)
		}):
			row.Unasked = append(row.Unasked, word)
		}
	}
	return row
}

// address is this list from a place on, or from its beginning.
func (p registerPage) address(after string) string {
	values := url.Values{}
	for _, name := range []string{"standing", "letter"} {
		if value := p.Form.Values.Get(name); value != "" {
			values.Set(name, value)
		}
	}
	if after != "" {
		values.Set("after", after)
	}
	return withValues(p.At("/consents"), values)
}

// First is the address of the first page where this is another.
func (p registerPage) First() string {
	if p.Query.After == "" {
		return ""
	}
	return p.address("")
}

// Filters are what the list can be narrowed by.
func (p registerPage) Filters() []filterField {
	var standings []choiceGroup
	for _, purpose := range p.asked() {
		group := choiceGroup{Label: p.T("consents.purpose." + purpose)}
		for _, standing := range consents.Standings {
			group.Choices = append(group.Choices, choice{Value: purpose + ":" + standing,
				Label: group.Label + ": " + lowered(p.T("consents.standing."+standing))})
		}
		standings = append(standings, group)
	}
	var letters []choice
	for _, l := range p.letters {
		value := fmt.Sprintf("%s:%d", l.Audience, l.Version)
		if !slices.ContainsFunc(letters, func(c choice) bool { return c.Value == value }) {
			letters = append(letters, choice{Value: value, Label: p.LetterName(l.Audience, l.Version)})
		}
	}
	all := p.T("register.all")
	return []filterField{p.filter("standing", p.T("register.standing"), all, standings...),
		p.filter("letter", p.T("register.letter"), all, choiceGroup{Choices: letters})}
}

// asked are the purposes that any letter of the study asked about.
func (p registerPage) asked() (purposes []string) {
	for _, purpose := range consents.Purposes {
		if slices.ContainsFunc(p.letters, func(l consents.Letter) bool { return l.Asks(purpose) }) {
			purposes = append(purposes, purpose)
		}
	}
	return purposes
}

// LetterName names a letter: "Bedrift, brev 2".
func (b base) LetterName(audience string, version int) string {
	return b.T("register.letter_name", "Audience", b.T("consents.audience."+audience), "Version", version)
}

// LetterOf is the letter that somebody answered to last.
func (p registerPage) LetterOf(r registerRow) string {
	return p.LetterName(r.Audience, r.Version) + ", " + p.T("my.letter.language."+r.Language)
}

// registeredPage is everything that one person answered, in order.
type registeredPage struct {
	base
	Code     string
	Acts     []registeredAct
	Standing []answerMark
}

type registeredAct struct {
	consents.Given
	By     string // by role: colleagues are named where they work, not here
	Letter consents.Letter
}

func (s *Server) consentActs(v *visit) error {
	person := id.Person(v.Param("person"))
	if !id.Valid(person) {
		return consents.ErrNoAct
	}
	state, err := s.Consents.State(v.ctx(), v.study.ID, person)
	if err != nil {
		return err
	}
	if len(state.Acts) == 0 {
		return consents.ErrNoAct
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, nil, []id.Person{person})
	if err != nil {
		return err
	}
	code := cmp.Or(names.codes[person], "–")
	p := registeredPage{base: v.page("register.one_title", "Code", code), Code: code}
	p.Here = v.watching("consents")
	for _, purpose := range consents.Purposes {
		if standing := state.ByPurpose[purpose]; standing != "" {
			p.Standing = append(p.Standing, answerMark{standing, p.T("consents.purpose." + purpose), p.T("consents.standing." + standing)})
		}
	}
	if p.Acts, err = s.actsInWords(v, p.base, state.Acts); err != nil {
		return err
	}
	return v.show("staff/registered", p)
}

// actsInWords adds to acts the letters they were made to, and who entered them.
func (s *Server) actsInWords(v *visit, b base, acts []consents.Given) (all []registeredAct, err error) {
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return nil, err
	}
	roles, err := s.rolesIn(v)
	if err != nil {
		return nil, err
	}
	for _, act := range acts {
		one := registeredAct{Given: act, By: b.enteredBy(act.Actor, roles)}
		if i := slices.IndexFunc(versions, func(l consents.Letter) bool { return l.ID == act.Letter }); i >= 0 {
			one.Letter = versions[i]
		}
		all = append(all, one)
	}
	return all, nil
}

// rolesIn are the roles of the study's team.
func (s *Server) rolesIn(v *visit) (map[audit.Actor]studies.Role, error) {
	members, err := s.Studies.Members(v.ctx(), v.study.ID)
	roles := map[audit.Actor]studies.Role{}
	for _, m := range members {
		roles[audit.Staff(m.Account)] = m.Role
	}
	return roles, err
}

func (b base) enteredBy(actor audit.Actor, roles map[audit.Actor]studies.Role) string {
	switch role := roles[actor]; {
	case strings.HasPrefix(string(actor), personActor):
		return b.T("register.by_self")
	case role != "":
		return b.T("studies.role." + string(role))
	case actor == audit.System:
		return b.T("log.system")
	}
	return b.T("register.by_former")
}
