package handlers

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// personPage is one participant, by code: where things stand, what to do next, what has happened.
type personPage struct {
	asking
	Person    recruitment.Participant
	Recruiter recruitment.Participant // who led to them; empty if nobody did
	Full      bool                    // no quota of the case has room for them
	Open      []scheduling.Booking    // appointments to come, or not yet written down
	Standing  []answerMark
	Deeds     []deed
	Happened  []happening
	Who       *identities.Identity // opened for this one showing
	Why       string               // the purpose it was opened for
	Answered  bool
	Joined    bool // said yes to the interview
}

// answerMark is what somebody has said to one purpose.
type answerMark struct{ Mark, Purpose, Answer string }

// deed is something the team may do now: a link, or a form without fields.
type deed struct {
	Label, Address string
	Post, First    bool
}

func (s *Server) person(v *visit) error {
	p, err := s.personPage(v)
	if err != nil {
		return err
	}
	return v.show("staff/person", p)
}

// personPage reads everything about the person in the address.
func (s *Server) personPage(v *visit) (personPage, error) {
	one, err := s.askedPerson(v)
	if err != nil {
		return personPage{}, err
	}
	p := personPage{asking: asking{v.page("people.person.title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	if p.Full, err = s.noRoom(v, one); err != nil {
		return p, err
	}
	if one.Recruiter != "" {
		p.Recruiter, err = s.Recruitment.Get(v.ctx(), v.study.ID, one.Recruiter)
		if err != nil && !errors.Is(err, recruitment.ErrUnknown) {
			return p, err
		}
	}
	answered, err := s.Consents.State(v.ctx(), v.study.ID, one.ID)
	if err != nil {
		return p, err
	}
	p.stands(answered)
	bookings, err := s.Scheduling.Of(v.ctx(), v.study.ID, one.ID)
	if err != nil {
		return p, err
	}
	for _, b := range bookings {
		if b.State == scheduling.Booked {
			p.Open = append(p.Open, b)
		}
	}
	p.Deeds = p.deeds()
	p.Happened, err = s.happened(v, p, answered, bookings)
	return p, err
}

// stands puts what was answered into one line. The survey has a letter of its own and shows only once it was answered.
func (p *personPage) stands(answered consents.State) {
	p.Answered, p.Joined = len(answered.Acts) > 0, answered.ByPurpose[consents.Interview] == consents.Yes
	for _, purpose := range consents.Purposes {
		answer, asked := answered.ByPurpose[purpose]
		mark := map[string]string{consents.Yes: "check", consents.No: "cross"}[answer]
		switch {
		case !asked && purpose == consents.Survey:
			continue
		case !asked:
			mark, answer = "dash", consents.Unasked
		}
		p.Standing = append(p.Standing, answerMark{mark, p.T("consents.purpose." + purpose), p.T("consents.standing." + answer)})
	}
}

// Next is the person's next appointment, or nil.
func (p personPage) Next() *scheduling.Booking {
	if len(p.Open) == 0 {
		return nil
	}
	return &p.Open[0]
}

// Lead says in one line what is next.
func (p personPage) Lead() string {
	next := p.Next()
	switch {
	case next != nil && next.EndsAt < p.Now.UnixMilli():
		return p.T("people.lead.held", "When", p.NearTime(next.StartsAt))
	case next != nil:
		return p.T("people.lead.booked", "When", p.NearTime(next.StartsAt), "How", strings.ToLower(p.T("people.mode."+string(next.Mode))))
	case p.Person.NextAt > 0 && !p.Person.State.Lost():
		return p.T("people.lead.try", "When", p.NearTime(p.Person.NextAt))
	}
	return p.StateWord(p.Person.State)
}

// Places are the person's attributes, for the margin.
func (p personPage) Places() []string {
	first := strings.Join(slices.DeleteFunc([]string{p.Person.Title, p.Group(p.Person)}, func(s string) bool { return s == "" }), ", ")
	places := []string{first, p.T("people.place." + string(p.Person.Relation)), p.Case(p.Person).Name}
	return slices.Compact(slices.DeleteFunc(places, func(s string) bool { return s == "" }))
}

// deeds lists what can be done now, the likeliest first.
func (p personPage) deeds() []deed {
	one, next, state := p.One(p.Person.ID), p.Next(), p.Person.State
	book := deed{Label: p.T("people.do.book"), Address: one + "/book"}
	interview := deed{Label: p.T("people.do.interview"), Address: one + "/interview"}
	letter := deed{Label: p.T("people.do.letter"), Address: one + "/letter", Post: true}
	if next != nil {
		book = deed{Label: p.T("people.do.booking"), Address: p.At("/bookings/" + string(next.ID))}
		interview.Address = withQuery(interview.Address, "booking", string(next.ID))
	}
	if afterLetter(state) {
		letter.Label = p.T("people.do.letter_again")
	}
	all := []deed{{Label: p.T("people.do.log"), Address: "#log"}}
	if !saidNo(state) {
		all = append(all, letter)
	}
	all = append(all, deed{Label: p.T("people.do.consent"), Address: one + "/consent"})
	if !saidNo(state) || next != nil {
		all = append(all, book)
	}
	if afterLetter(state) || next != nil {
		all = append(all, interview)
	}
	if p.Joined {
		all = append(all, deed{Label: p.T("people.do.coupons"), Address: one + "/coupons"})
	}
	if !state.Lost() && afterLetter(state) {
		all = append(all, deed{Label: p.T("people.do.tip"), Address: one + "/tip"})
	}
	if state.Stage() == recruitment.StageDone {
		all = append(all, deed{Label: p.T("people.do.code"), Address: p.At("/coding/" + string(p.Person.ID))})
	}
	all = append(all, deed{Label: p.T("people.do.edit"), Address: one + "/edit"}, deed{Label: p.T("people.do.withdraw"), Address: one + "/withdraw"})
	if i := slices.IndexFunc(all, func(d deed) bool { return d.Label == p.T(p.likeliest(next)) }); i >= 0 {
		all[i].First = true
		all = slices.Concat(all[i:i+1], all[:i], all[i+1:])
	}
	return all
}

// likeliest is the label of the next step, "" where there is none.
func (p personPage) likeliest(next *scheduling.Booking) string {
	switch {
	case next != nil && next.StartsAt <= p.Now.UnixMilli():
		return "people.do.interview"
	case next != nil:
		return "people.do.booking"
	}
	switch p.Person.State {
	case recruitment.Candidate, recruitment.Contacted, recruitment.NoAnswer:
		return "people.do.log"
	case recruitment.Interested:
		return "people.do.letter"
	case recruitment.Informed:
		return "people.do.consent"
	case recruitment.Consented, recruitment.Booked:
		return "people.do.book"
	case recruitment.Interviewed:
		return "people.do.code"
	}
	return ""
}

// saidNo says whether a letter would be asking again whom we promised not to.
func saidNo(state recruitment.State) bool {
	return slices.Contains([]recruitment.State{recruitment.Declined, recruitment.Withdrawn, recruitment.Ineligible}, state)
}

func afterLetter(state recruitment.State) bool {
	return slices.Contains([]recruitment.State{recruitment.Informed, recruitment.Consented, recruitment.Booked, recruitment.Interviewed,
		recruitment.Surveyed}, state)
}

// NextStates are what the team may set by hand. While there is an appointment it is cancelled first.
func (p personPage) NextStates() []choice {
	if len(p.Open) > 0 {
		return nil
	}
	return worded(p.asking, "recruitment.state.", p.Person.State.Next())
}

// Purposes are why the team may open a name here.
func (p personPage) Purposes() []choice {
	return worded(p.asking, "people.purpose.", []string{"call", "support", "correction"})
}

var (
	// ErrLetterMissing is a Conflict: nothing is published that could be sent to this person.
	ErrLetterMissing = errs.New(errs.Conflict, "people.letter_missing")
	// ErrSaidNo is a Conflict: the person said no, or is out of the study, and is not asked again.
	ErrSaidNo      = errs.New(errs.Conflict, "people.said_no")
	errOpenBooking = errs.New(errs.Conflict, "people.open_booking")
)

// personActed answers a form of the person's page: on to the page, or the page again with what was typed.
func (s *Server) personActed(v *visit, err error, path, done string) error {
	if err == nil {
		return v.seeOther(path, done)
	}
	if !mendable(err) {
		return err
	}
	p, failed := s.personPage(v)
	if failed != nil {
		return failed
	}
	p.Form = v.againForm(err)
	return v.again(err, "staff/person", p)
}

func (s *Server) personContact(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	next, err := v.nextTry("next_on")
	contact := recruitment.Contact{Channel: recruitment.Channel(v.value("channel")), Direction: recruitment.Direction(v.value("direction")),
		Outcome: recruitment.Outcome(v.value("outcome")), NextAt: next}
	if err = gatherFaults(notChosen(contact), err); err == nil {
		err = s.Recruitment.LogContact(v.ctx(), v.actor(), v.study.ID, one.ID, contact)
	}
	path := v.onePath(one.ID)
	if v.value("back") == "list" {
		path = v.studyPath("/candidates")
	}
	return s.personActed(v, renamed(err, contactInputs), path, "person_contact")
}

// contactInputs are the fields of a contact whose inputs have other names.
var contactInputs = map[string]string{"next": "next_on"}

// notChosen says what the register would, beside what it cannot know of: a day that cannot be read.
func notChosen(c recruitment.Contact) error {
	var check errs.Check
	if !slices.Contains(recruitment.Channels(), c.Channel) {
		check.Add("channel", "recruitment.choose")
	}
	if !slices.Contains(recruitment.Directions(), c.Direction) {
		check.Add("direction", "recruitment.choose")
	}
	if !slices.Contains(recruitment.Outcomes(), c.Outcome) {
		check.Add("outcome", "recruitment.choose")
	}
	return check.Err()
}

func (s *Server) personLetter(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	err = s.People.SendLetter(v.ctx(), v.actor(), v.study.ID, one.ID)
	return s.personActed(v, err, v.onePath(one.ID), "person_letter")
}

func (s *Server) personState(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	return s.personActed(v, s.setState(v, one.ID, recruitment.State(v.value("state"))), v.onePath(one.ID), "person_state")
}

func (s *Server) setState(v *visit, person id.Person, to recruitment.State) error {
	if !slices.Contains(recruitment.States(), to) {
		return faultAt(errs.Invalid, "state", "people.choose_state")
	}
	open, err := s.openBookings(v, person)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		return errOpenBooking
	}
	return s.Recruitment.SetState(v.ctx(), v.actor(), v.study.ID, person, to)
}

// nameOpen is how many seconds an opened name stays on the screen.
const nameOpen = 60

// personName opens the name for this one page. To correct it, the form with everything opens instead.
func (s *Server) personName(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	why := v.value("purpose")
	if why != "" && why != "call" && why != "support" && why != "correction" {
		return s.personActed(v, faultAt(errs.Invalid, "purpose", "identities.choose"), "", "")
	}
	who, err := s.Vault.Open(v.ctx(), v.actor(), why, v.study.ID, one.ID)
	if err != nil {
		return s.personActed(v, err, v.onePath(one.ID), "")
	}
	if why == "correction" {
		return s.showEdit(v, one, &who)
	}
	p, err := s.personPage(v)
	if err != nil {
		return err
	}
	p.Who, p.Why = &who, p.T("people.purpose."+why)
	// Without a script: the browser leaves this page by itself, and the name with it.
	v.Header("Refresh", fmt.Sprintf("%d; url=%s", nameOpen, v.onePath(one.ID)))
	return v.show("staff/person", p)
}
