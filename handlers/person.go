package handlers

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
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
	Missed    *scheduling.Booking     // the last, if they did not turn up and no other was made
	Standing  []answerMark
	Checks    []checkLine          // what may be done in a conversation and with it
	Kept      consents.Restriction // of Kind "" where there is none
	Tasks     int                  // that are open about them
	Deeds     []deed
	Happened  []happening
	Newer     *happening           // what happened while somebody filled in a form here
	Traits    []string             // the study's own attributes of the person
	Who       *identities.Identity // opened for this one showing
	Notes     []noted              // opened with it
	Signed    []signed             // and the names under what they answered
	Why       string               // the purpose it was opened for
	Answered  bool
	Barred    bool   // asked not to be contacted again
	Refused   string // the form that is shown again, by the end of its address
	Joined    bool   // said yes to the interview
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
	own, err := s.Recruitment.Attributes(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	p.Traits = p.ownOf(one, own)
	if p.Full, err = s.noRoom(v, one); err != nil {
		return p, err
	}
	reach, err := s.Vault.Reach(v.ctx(), v.study.ID, one.ID)
	if err != nil {
		return p, err
	}
	p.Barred = reach[one.ID].Barred
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
	if err := s.personGate(v, &p, answered); err != nil {
		return p, err
	}
	bookings, err := s.Scheduling.Of(v.ctx(), v.study.ID, one.ID)
	if err != nil {
		return p, err
	}
	for _, b := range bookings {
		if b.State == scheduling.Booked {
			p.Open = append(p.Open, b)
		}
	}
	if last := len(bookings) - 1; last >= 0 && len(p.Open) == 0 && bookings[last].State == scheduling.NoShow && one.State.Stage() != recruitment.StageDone {
		p.Missed = &bookings[last]
	}
	p.Deeds = p.deeds()
	p.Happened, err = s.happened(v, p, answered, bookings)
	return p, err
}

// personGate says what the gate lets happen now, and what is to be done for the person.
func (s *Server) personGate(v *visit, p *personPage, answered consents.State) error {
	answers, err := s.answersOne(v, p.Person.ID, answered)
	if err != nil {
		return err
	}
	p.Kept, p.Joined = answers.Restricted[p.Person.ID], answers.May(p.Person.ID, consents.Interview) == nil
	if p.Answered || p.Kept.Kind != "" {
		p.Checks = checklist(p.base, answers, p.Person.ID)
	}
	tasks, err := s.Consents.TasksOf(v.ctx(), v.study.ID, p.Person.ID)
	for _, t := range tasks {
		if t.DoneAt == 0 {
			p.Tasks++
		}
	}
	return err
}

// stands puts what was answered into one line. The survey has a letter of its own and shows only once it was answered.
func (p *personPage) stands(answered consents.State) {
	p.Answered = len(answered.Acts) > 0
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

// Seen is the version of the participant that a form is shown with.
func (p personPage) Seen() int64 { return p.Person.Version }

// Lead says in one line what is next.
func (p personPage) Lead() string {
	next := p.Next()
	switch {
	case next != nil && next.EndsAt < p.Now.UnixMilli():
		return p.T("people.lead.held", "When", p.Appointed(*next))
	case next != nil:
		return p.T("people.lead.booked", "When", p.Appointed(*next), "How", p.T("home.mode."+string(next.Mode)))
	case p.Missed != nil:
		return p.T("appointments.lead_missed", "When", p.Appointed(*p.Missed))
	case p.Person.NextAt > 0 && !p.Person.State.Lost():
		return p.T("people.lead.try", "When", p.NearTime(p.Person.NextAt))
	}
	return p.StateWord(p.Person.State)
}

// Places are the person's attributes, for the margin.
func (p personPage) Places() []string {
	first := strings.Join(slices.DeleteFunc([]string{p.Person.Title, p.Group(p.Person)}, func(s string) bool { return s == "" }), ", ")
	places := []string{first, p.T("people.place." + string(p.Person.Relation)), p.Case(p.Person).Name, strings.Join(p.Traits, ", ")}
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
	kept := p.Kept.Kind != ""
	if p.Missed != nil && !state.Refuses() && !p.Barred && !kept {
		all = append(all, deed{Label: p.T("appointments.again_do"), Address: p.At("/bookings/" + string(p.Missed.ID) + "/again"), Post: true})
	}
	if !state.Refuses() && !p.Barred && !kept {
		all = append(all, letter)
	}
	all = append(all, deed{Label: p.T("people.do.consent"), Address: one + "/consent"})
	if (!state.Refuses() || next != nil) && !kept {
		all = append(all, book)
	}
	if (afterLetter(state) || next != nil) && !kept {
		all = append(all, interview)
	}
	if p.Joined {
		all = append(all, deed{Label: p.T("people.do.coupons"), Address: one + "/coupons"})
	}
	if !state.Lost() && afterLetter(state) {
		all = append(all, deed{Label: p.T("people.do.tip"), Address: one + "/tip"})
	}
	if state.Stage() == recruitment.StageDone && !kept {
		all = append(all, deed{Label: p.T("people.do.code"), Address: p.At("/coding/" + string(p.Person.ID))})
	}
	all = append(all, deed{Label: p.T("people.do.edit"), Address: one + "/edit"})
	if !p.Barred {
		all = append(all, deed{Label: p.T("people.do.refuse"), Address: one + "/refuse"})
	}
	all = append(all, deed{Label: p.T("rights.entered.do"), Address: one + "/request"}, deed{Label: p.T("people.do.withdraw"), Address: one + "/withdraw"})
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
	case p.Missed != nil:
		return "appointments.again_do"
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
	ErrSaidNo = errs.New(errs.Conflict, "people.said_no")
	// ErrOnlyKept is a Conflict: the person's data are only kept for now (GDPR articles 18 and 21).
	ErrOnlyKept = errs.New(errs.Conflict, "people.only_kept")
	// ErrRefused is a Conflict: the person asked not to be contacted again.
	ErrRefused     = errs.New(errs.Conflict, "people.refused")
	errOpenBooking = errs.New(errs.Conflict, "people.open_booking")
)

// personActed answers a form of the person's page: on to the page, or the page again with what was typed.
func (s *Server) personActed(v *visit, err error, onwards, done string) error {
	if err == nil {
		return v.seeOther(onwards, done)
	}
	if !mendable(err) {
		return err
	}
	p, failed := s.personPage(v)
	if failed != nil {
		return failed
	}
	if errors.Is(err, recruitment.ErrChanged) {
		p.Newer = p.latest()
	}
	err = s.fullInWords(v, p.Person, err)
	p.Form, p.Refused = v.againForm(err), path.Base(v.FullPath())
	return v.again(err, "staff/person", p)
}

func (s *Server) personContact(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	next, err := v.nextTry("next_on")
	onwards := v.onePath(one.ID)
	if v.value("back") == "list" {
		onwards = v.listPath(v.typedQuery("list"))
	}
	return s.personActed(v, s.logContact(v, one.ID, recruitment.Direction(v.value("direction")), next, err), onwards, "person_contact")
}

// logContact enters the contact of a form, with whom it is about, who made it, and when to try again, or what is wrong
// with that.
func (s *Server) logContact(v *visit, person id.Person, direction recruitment.Direction, next int64, wrong error) error {
	contact := recruitment.Contact{Channel: recruitment.Channel(v.value("channel")), Direction: direction,
		Outcome: recruitment.Outcome(v.value("outcome")), NextAt: next, Anyway: v.anyway(), Seen: v.seen()}
	err := gatherFaults(s.Recruitment.CheckContact(contact), wrong, identities.CheckNote("note", v.value("note")))
	if err == nil {
		err = s.People.LogContact(v.ctx(), v.actor(), v.study.ID, person, contact, v.value("note"))
	}
	return renamed(err, map[string]string{"next": "next_on"})
}

// seen is the version of a participant that the form was shown with; 0 where it does not say.
func (v *visit) seen() int64 {
	version, err := strconv.ParseInt(v.value("seen"), 10, 64)
	if err != nil {
		return 0
	}
	return version
}

func (s *Server) personLetter(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	err = s.People.SendLetter(v.ctx(), v.actor(), v.study.ID, one.ID, v.anyway())
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
	open, err := s.bookingsOf(v, person, scheduling.Booked)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		return errOpenBooking
	}
	return s.Recruitment.SetState(v.ctx(), v.actor(), v.study.ID, person, to, v.anyway())
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
	who, notes, err := s.Vault.OpenNoted(v.ctx(), v.actor(), why, v.study.ID, one.ID)
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
	if p.Notes, err = s.noted(v, one.ID, notes); err != nil {
		return err
	}
	if p.Signed, err = s.signed(v, why, one.ID); err != nil {
		return err
	}
	// Without a script: the browser leaves this page by itself, and the name with it.
	v.Header("Refresh", fmt.Sprintf("%d; url=%s", nameOpen, v.onePath(one.ID)))
	return v.show("staff/person", p)
}

// signed is the name under one act.
type signed struct {
	identities.Signature
	At int64 // UTC milliseconds
}

// signed opens the names under what a person answered, newest first.
func (s *Server) signed(v *visit, why string, person id.Person) (all []signed, err error) {
	names, err := s.Vault.Signatures(v.ctx(), v.actor(), why, v.study.ID, person)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	answered, err := s.Consents.State(v.ctx(), v.study.ID, person)
	for _, act := range slices.Backward(answered.Acts) {
		if name, ok := names[act.ID]; ok {
			all = append(all, signed{name, act.At})
		}
	}
	return all, err
}
