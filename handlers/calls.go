package handlers

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// callsPage is who is to be tried today, and soon. At most one of them has the form below it.
type callsPage struct {
	asking
	Due   []callRow
	Later []callRow
	Open  id.Person            // whose form is shown
	Who   *identities.Identity // whom the number was opened of, for this one showing
	Notes []noted              // opened with it
	Newer *happening           // what happened while somebody filled in the form
	Did   *loggedCall          // what was just logged here
}

type callRow struct {
	recruitment.Participant
	Tries recruitment.Tries
	Full  bool // the quotas of their case have no place for them
}

// loggedCall is a contact that can be taken back at once.
type loggedCall struct {
	Who  recruitment.Participant
	What recruitment.Contact
}

// noted is a note as the team reads it.
type noted struct {
	At   int64
	How  string // how the contact was made; empty where the note was never tied to one
	Text string
}

// soon is how many days after today are shown beneath.
const soon = 7

func (s *Server) calls(v *visit) error {
	p, err := s.callsPage(v, id.Person(v.Query("row")))
	if err != nil {
		return err
	}
	if slices.Contains(recruitment.Channels(), recruitment.Channel(v.Query("channel"))) {
		p.Form.Values.Set("channel", v.Query("channel"))
	}
	if p.Did, err = s.justLogged(v, id.Person(v.Query("did"))); err != nil {
		return err
	}
	return v.show("staff/calls", p)
}

// callsPage reads who is due, and puts in whose form is to be shown, if they are still in the study.
func (s *Server) callsPage(v *visit, open id.Person) (callsPage, error) {
	p := callsPage{asking: asking{v.page("calls.title")}}
	p.Here = "candidates"
	p.suggest()
	tomorrow := startOfDay(v.now().In(v.zone())).AddDate(0, 0, 1)
	people, err := s.Recruitment.Due(v.ctx(), v.study.ID, tomorrow.AddDate(0, 0, soon).UnixMilli()-1)
	if err != nil {
		return p, err
	}
	known := slices.ContainsFunc(people, func(one recruitment.Participant) bool { return one.ID == open })
	if !known && id.Valid(open) {
		one, err := s.Recruitment.Get(v.ctx(), v.study.ID, open)
		if err != nil && !errors.Is(err, recruitment.ErrUnknown) {
			return p, err
		}
		if known = err == nil; known {
			people = slices.Insert(people, 0, one)
		}
	}
	if known {
		p.Open = open
	}
	return p, s.callRows(v, &p, people, tomorrow)
}

func (s *Server) callRows(v *visit, p *callsPage, people []recruitment.Participant, tomorrow time.Time) error {
	if len(people) == 0 {
		return nil
	}
	tries, err := s.Recruitment.Tries(v.ctx(), v.study.ID, idsOf(people)...)
	if err != nil {
		return err
	}
	cells, err := s.Recruitment.Quotas(v.ctx(), v.study.ID, v.study.Pilots())
	if err != nil {
		return err
	}
	full, err := s.Recruitment.Full(v.ctx(), v.study.ID, idsOf(people)...)
	if err != nil {
		return err
	}
	for _, one := range people {
		// Who is not asked yet would find no place; who was asked found none, since others came further.
		row := callRow{one, tries[one.ID], full[one.ID] || outside(cells, one)}
		if one.NextAt < tomorrow.UnixMilli() || one.ID == p.Open {
			p.Due = append(p.Due, row)
		} else {
			p.Later = append(p.Later, row)
		}
	}
	return nil
}

func idsOf(people []recruitment.Participant) []id.Person {
	ids := make([]id.Person, len(people))
	for i, p := range people {
		ids[i] = p.ID
	}
	return ids
}

func outside(cells []recruitment.Cell, p recruitment.Participant) bool {
	return slices.ContainsFunc(cells, func(c recruitment.Cell) bool {
		return c.Kind == recruitment.Outside && slices.ContainsFunc(c.Persons, func(other recruitment.Participant) bool { return other.ID == p.ID })
	})
}

// justLogged is the latest contact with a person, if whoever looks logged it and may take it back.
func (s *Server) justLogged(v *visit, person id.Person) (*loggedCall, error) {
	if !id.Valid(person) {
		return nil, nil
	}
	contact, ok, err := s.Recruitment.Slip(v.ctx(), v.actor(), v.study.ID, person)
	if err != nil || !ok {
		return nil, err
	}
	one, err := s.Recruitment.Get(v.ctx(), v.study.ID, person)
	if err != nil {
		return nil, err
	}
	return &loggedCall{one, contact}, nil
}

// suggest fills in when to try again.
func (p *callsPage) suggest() {
	if !p.Form.Values.Has("next_on") {
		p.Form.Values.Set("next_on", p.NearTime(recruitment.NextTry(p.Now.In(p.Zone)).UnixMilli()))
	}
}

// When is the time at which somebody was to be tried; of other days than today, the day.
func (p callsPage) When(row callRow) string {
	at := time.UnixMilli(row.NextAt).In(p.Zone)
	switch today := startOfDay(p.Now.In(p.Zone)); {
	case row.NextAt == 0:
		return ""
	case at.Before(today):
		return p.T("home.since", "Day", plainDay(p.base, at))
	case at.Before(today.AddDate(0, 0, 1)):
		return p.Clock(row.NextAt)
	}
	return p.NearTime(row.NextAt)
}

// Describe says who a row is about without saying who it is.
func (p callsPage) Describe(row callRow) string {
	text := p.T("people.place." + string(row.Relation))
	if row.Size != "" && row.Relation == recruitment.Member {
		text = p.T("recruitment.size." + string(row.Size))
	}
	if of := p.Case(row.Participant); of.Name != "" {
		text += ", " + of.Name
	}
	return text
}

// Tried says which try is next and what came of the one before.
func (p callsPage) Tried(row callRow) string {
	text := p.T("calls.try", "Try", row.Tries.Made+1)
	if row.Tries.Last == "" {
		return text
	}
	return text + ". " + p.T("calls.last", "When", p.Near(row.Tries.LastAt), "What", lowered(p.Words(row.Tries.Last)))
}

// Outcomes are the buttons of the form.
func (p callsPage) Outcomes() []choice {
	return worded(p.asking, "calls.outcome.", []recruitment.Outcome{recruitment.NotReached, recruitment.CallBack, recruitment.SaidYes, recruitment.SaidNo})
}

// Words are what the form's button says of an outcome, or else the log.
func (p callsPage) Words(outcome recruitment.Outcome) string {
	if key := "calls.outcome." + string(outcome); p.Has(key) {
		return p.T(key)
	}
	return p.T("recruitment.outcome." + string(outcome))
}

// Channel is how whoever presses a button was in contact: on the telephone, or by mail where the vault has no number.
func (p callsPage) Channel() recruitment.Channel {
	switch {
	case p.Who != nil && p.Who.Phone == "" && p.Who.Email != "":
		return recruitment.Email
	case p.Form.Values.Get("channel") != "":
		return recruitment.Channel(p.Form.Values.Get("channel"))
	}
	return recruitment.Phone
}

// Closes is how many seconds a number stays on the screen.
func (p callsPage) Closes() int { return nameOpen }

// callNumber opens name, number and notes in one row of this one page.
func (s *Server) callNumber(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	who, notes, err := s.Vault.OpenNoted(v.ctx(), v.actor(), "call", v.study.ID, one.ID)
	if err != nil {
		return err
	}
	p, err := s.callsPage(v, one.ID)
	if err != nil {
		return err
	}
	p.Who = &who
	if p.Notes, err = s.noted(v, one.ID, notes); err != nil {
		return err
	}
	// Without a script: the browser leaves this page by itself, and the number with it.
	v.Header("Refresh", fmt.Sprintf("%d; url=%s", nameOpen, withQuery(v.studyPath("/calls"), "channel", string(p.Channel()), "row", string(one.ID))))
	return v.show("staff/calls", p)
}

// noted ties notes to the contacts that they are about.
func (s *Server) noted(v *visit, person id.Person, notes []identities.Note) ([]noted, error) {
	if len(notes) == 0 {
		return nil, nil
	}
	contacts, err := s.Recruitment.Contacts(v.ctx(), v.study.ID, person)
	if err != nil {
		return nil, err
	}
	var all []noted
	for _, n := range notes {
		line := noted{At: n.At, Text: n.Text}
		if i := slices.IndexFunc(contacts, func(c recruitment.Contact) bool { return c.Note == n.ID }); i >= 0 {
			line.How = lowered(v.text.T("recruitment.channel." + string(contacts[i].Channel)))
		}
		all = append(all, line)
	}
	return all, nil
}

// callLogged enters what came of a call. When to try again belongs to two of the answers; the suggestion that stands
// beside the others is nobody's plan.
func (s *Server) callLogged(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	var next int64
	switch recruitment.Outcome(v.value("outcome")) {
	case recruitment.NotReached, recruitment.CallBack:
		next, err = v.nextTry("next_on")
	}
	err = s.logContact(v, one.ID, recruitment.Out, next, err)
	return s.callActed(v, one.ID, err, withQuery(v.studyPath("/calls"), "did", string(one.ID)), "")
}

// callLater puts a call off to another day.
func (s *Server) callLater(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	next, err := v.nextTry("later_on")
	if err == nil {
		err = s.Recruitment.Postpone(v.ctx(), v.actor(), v.study.ID, one.ID, v.seen(), next)
	}
	return s.callActed(v, one.ID, renamed(err, map[string]string{"next": "later_on"}), v.studyPath("/calls"), "call_later")
}

// callUndone takes back what was logged by a slip of the hand.
func (s *Server) callUndone(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	err = s.People.UndoContact(v.ctx(), v.actor(), v.study.ID, one.ID, v.seen())
	return s.callActed(v, one.ID, err, v.studyPath("/calls"), "call_undone")
}

// callGivenUp stops trying somebody who does not answer. Whoever has answered meanwhile is not given up by an old page.
func (s *Server) callGivenUp(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	tries, err := s.Recruitment.Tries(v.ctx(), v.study.ID, one.ID)
	if err != nil {
		return err
	}
	if err = recruitment.ErrChanged; tries[one.ID].Enough() {
		err = s.setState(v, one.ID, recruitment.NoAnswer)
	}
	return s.callActed(v, one.ID, err, v.studyPath("/calls"), "call_given_up")
}

// callActed answers a form of this page: back to the list, or the list again with what was typed.
func (s *Server) callActed(v *visit, person id.Person, err error, path, done string) error {
	if err == nil {
		return v.seeOther(path, done)
	}
	if !mendable(err) {
		return err
	}
	p, failed := s.callsPage(v, person)
	if failed != nil {
		return failed
	}
	if errors.Is(err, recruitment.ErrChanged) {
		one, failed := s.personPage(v)
		if failed != nil {
			return failed
		}
		p.Newer = one.latest()
	}
	if i := slices.IndexFunc(p.Due, func(row callRow) bool { return row.ID == person }); i >= 0 {
		err = s.fullInWords(v, p.Due[i].Participant, err)
	}
	p.Form = v.againForm(err)
	p.suggest()
	return v.again(err, "staff/calls", p)
}
