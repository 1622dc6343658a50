package handlers

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// happening is one entry of a person's timeline.
type happening struct {
	At    int64
	Day   bool // the hour is not known
	Said  bool // a contact or an answer
	Mark  string
	Title string
	Lines []string
}

// happened puts together what several domains know of a person, newest first.
func (s *Server) happened(v *visit, p personPage, answered consents.State, bookings []scheduling.Booking) ([]happening, error) {
	contacts, err := s.Recruitment.Contacts(v.ctx(), v.study.ID, p.Person.ID)
	if err != nil {
		return nil, err
	}
	changes, err := s.Recruitment.History(v.ctx(), v.study.ID, p.Person.ID)
	if err != nil {
		return nil, err
	}
	plans, err := s.Recruitment.Plans(v.ctx(), v.study.ID, p.Person.ID)
	if err != nil {
		return nil, err
	}
	held, err := s.Interviews.Of(v.ctx(), v.study.ID, p.Person.ID)
	if err != nil {
		return nil, err
	}
	var actors []audit.Actor
	for _, c := range contacts {
		actors = append(actors, c.Actor)
	}
	for _, c := range changes {
		actors = append(actors, c.Actor)
	}
	for _, plan := range plans {
		actors = append(actors, plan.Actor)
	}
	for _, a := range answered.Acts {
		actors = append(actors, a.Actor)
	}
	for _, b := range bookings {
		actors = append(actors, b.MadeBy)
	}
	by, err := s.actorNames(v, p, actors)
	if err != nil {
		return nil, err
	}
	accepted, came, err := s.Recruitment.AcceptanceOf(v.ctx(), v.study.ID, p.Person.ID)
	if err != nil {
		return nil, err
	}
	t := personLine{asking: p.asking, by: by}
	t.add(happening{At: p.Person.CreatedAt, Title: p.T("people.event.added"), Lines: []string{p.whence()}})
	if came {
		t.add(happening{At: accepted.At, Said: true, Title: p.T("people.event.accepted"), Lines: []string{accepted.Text}})
	}
	for _, c := range slices.Backward(contacts) {
		t.contact(c)
	}
	for _, plan := range plans {
		t.add(happening{At: plan.At, Title: p.T("calls.event.postponed", "When", p.NearTime(plan.NextAt)), Lines: []string{by[plan.Actor]}})
	}
	for _, act := range answered.Acts {
		t.answer(act)
	}
	for _, b := range bookings {
		t.booking(b)
	}
	for _, h := range held {
		t.interview(h)
	}
	for _, c := range changes {
		t.change(c)
	}
	slices.Reverse(t.all) // of what has one time, the later stands first
	slices.SortStableFunc(t.all, func(a, b happening) int { return cmp.Compare(b.At, a.At) })
	return t.all, nil
}

// whence says how the person was found, at more length than in a list.
func (p personPage) whence() string {
	if p.Recruiter.Code != "" {
		return p.SourceOf(p.Person, p.Recruiter.Code)
	}
	return p.T("recruitment.source." + string(p.Person.Source))
}

// actorNames says who did what: colleagues by name, the person by code.
func (s *Server) actorNames(v *visit, p personPage, actors []audit.Actor) (map[audit.Actor]string, error) {
	by := map[audit.Actor]string{audit.Participant(p.Person.ID): p.T("people.by_self", "Code", p.Person.Code)}
	var accounts []id.Account
	for _, actor := range actors {
		if account, ok := strings.CutPrefix(string(actor), string(audit.Staff(""))); ok {
			accounts = append(accounts, id.Account(account))
		}
	}
	found, err := s.Auth.Accounts(v.ctx(), accounts...)
	for account, a := range found {
		by[audit.Staff(account)] = p.T("people.by", "Name", cmp.Or(a.Name, a.Email))
	}
	return by, err
}

type personLine struct {
	asking
	by  map[audit.Actor]string
	all []happening
}

// add puts an entry in, without its empty lines.
func (t *personLine) add(h happening) {
	h.Mark = cmp.Or(h.Mark, "full")
	h.Lines = slices.DeleteFunc(h.Lines, func(line string) bool { return line == "" })
	t.all = append(t.all, h)
}

func (t *personLine) contact(c recruitment.Contact) {
	h := happening{At: c.At, Said: true, Title: t.T("people.event.contact", "How", t.T("people.contact."+string(c.Direction)+"."+string(c.Channel)),
		"What", strings.ToLower(t.T("recruitment.outcome."+string(c.Outcome))))}
	if c.NextAt > 0 {
		h.Lines = append(h.Lines, t.T("people.event.next", "When", t.NearTime(c.NextAt)))
	}
	if c.Note != "" {
		h.Lines = append(h.Lines, t.T("people.label.note"))
	}
	h.Lines = append(h.Lines, t.by[c.Actor])
	t.add(h)
}

// answer says what somebody agreed to, and how we know.
func (t *personLine) answer(act consents.Given) {
	var yes, no []string
	for _, item := range act.Items {
		word := strings.ToLower(t.T("consents.purpose." + item.Purpose))
		if item.Yes {
			yes = append(yes, word)
		} else {
			no = append(no, word)
		}
	}
	h := happening{At: act.At, Said: true, Title: t.T("people.event.answered")}
	if act.Withdrawal {
		h.Title = t.T("people.event.took_back")
	}
	if len(yes) > 0 {
		h.Lines = append(h.Lines, t.T("people.event.yes", "List", t.list(yes)))
	}
	if len(no) > 0 {
		h.Lines = append(h.Lines, t.T("people.event.no", "List", t.list(no)))
	}
	means := t.T("consents.means." + act.Means)
	if act.Reference != "" {
		means += ", " + act.Reference
	}
	if act.GivenOn != "" {
		means += ", " + t.T("people.event.given", "Day", t.Day(t.Study.Day(act.GivenOn).UnixMilli()))
	}
	if act.Means != consents.OwnLink && act.Means != consents.BySurvey {
		means += ", " + t.by[act.Actor]
	}
	h.Lines = append(h.Lines, means)
	t.add(h)
}

// list writes "a, b and c".
func (t *personLine) list(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return t.T("people.and", "First", strings.Join(words[:last], ", "), "Last", words[last])
}

// booking is when it was made, what became of it, and, while it is open, when it is.
func (t *personLine) booking(b scheduling.Booking) {
	how := t.T("home.mode." + string(b.Mode))
	when := t.T("people.event.when", "When", t.Appointed(b), "How", how)
	made := happening{At: b.CreatedAt, Title: t.T("people.event.booked"), Lines: []string{when, t.by[b.MadeBy]}}
	if b.Sequence > 0 {
		made.Lines = made.Lines[1:] // where a changed appointment once was is not kept
	}
	if b.Retitled > 0 {
		made.Lines = append(made.Lines, t.T("appointments.event.retitled"))
	}
	t.add(made)
	if b.Moves > 0 && b.State != scheduling.Cancelled {
		t.add(happening{At: b.MovedAt, Title: t.T("people.event.moved"), Lines: []string{when}})
	}
	switch {
	case b.State == scheduling.Cancelled:
		t.add(happening{At: b.ChangedAt, Mark: "cross", Title: t.T("people.event.cancelled"), Lines: []string{when}})
	case b.State == scheduling.NoShow:
		t.add(happening{At: b.StartsAt, Mark: "cross", Title: t.T("people.event.no_show"), Lines: []string{when}})
	case b.State == scheduling.Booked && b.Sequence > 0 && b.ChangedAt != b.MovedAt:
		t.add(happening{At: b.ChangedAt, Title: t.T("appointments.event.changed"), Lines: []string{when}})
	}
	if b.State != scheduling.Booked {
		return
	}
	lines := []string{b.Place}
	if b.Mode != scheduling.Email {
		lines = []string{t.T("people.event.agreed", "Minutes", int((b.EndsAt-b.StartsAt)/time.Minute.Milliseconds()), "Place", b.Place)}
	}
	t.add(happening{At: b.StartsAt, Day: b.Mode == scheduling.Email, Mark: "half", Title: t.T("people.event.interview", "How", how), Lines: lines})
}

func (t *personLine) interview(h interviews.Held) {
	e := happening{At: h.StartedAt, Title: t.T("people.event.held", "How", strings.ToLower(t.T("people.mode."+h.Mode)))}
	if e.At == 0 {
		noon, err := time.ParseInLocation("2006-01-02 15:04", h.HeldOn+" 12:00", t.Zone)
		if err != nil {
			return // the register refuses such a date
		}
		e.At, e.Day = noon.UnixMilli(), true
	}
	if h.Minutes != interviews.NoMinutes {
		e.Lines = append(e.Lines, t.N("people.minutes", h.Minutes))
	}
	t.add(e)
}

// together is how close a change of state is to the act that led to it.
const together = 2 * time.Second

// change stands by itself where the team set it by hand. What a contact or an answer led to is said there already, and an
// appointment has an entry of its own, also where it came to nothing and somebody stands where they stood before; an interview has
// one too, of when it was held and not of who entered it.
func (t *personLine) change(c recruitment.Change) {
	if c.Was == recruitment.Booked && slices.Contains([]recruitment.State{recruitment.Interested, recruitment.Informed, recruitment.Consented}, c.Now) {
		return
	}
	switch c.Now {
	case recruitment.Booked:
		return
	case recruitment.Interviewed:
		t.add(happening{At: c.At, Title: t.T("calls.event.recorded"), Lines: []string{t.by[c.Actor]}})
		return
	case recruitment.Informed:
		t.add(happening{At: c.At, Title: t.T("people.event.letter"), Lines: []string{t.by[c.Actor]}})
		return
	}
	h := happening{At: c.At, Title: t.T("people.event.state", "State", t.StateWord(c.Now)), Lines: []string{t.by[c.Actor]}}
	if c.Now.Lost() {
		h.Mark = "cross"
	}
	if said := slices.Contains(spoken, c.Now); !said || !t.near(c.At) {
		t.add(h)
	}
}

// spoken are the states that a contact or an answer names in its own words.
var spoken = []recruitment.State{recruitment.Contacted, recruitment.Interested, recruitment.Declined, recruitment.Consented, recruitment.Withdrawn}

// near says whether a contact or an answer was entered at this moment.
func (t *personLine) near(at int64) bool {
	return slices.ContainsFunc(t.all, func(h happening) bool {
		return h.Said && at >= h.At && at-h.At <= together.Milliseconds()
	})
}

// latest is what happened last; what is yet to come stands above it.
func (p personPage) latest() *happening {
	i := slices.IndexFunc(p.Happened, func(h happening) bool { return h.At <= p.Now.UnixMilli() })
	if i < 0 {
		return nil
	}
	return &p.Happened[i]
}

// When is the time of an entry.
func (p personPage) When(h happening) string {
	if h.Day {
		return plainDay(p.base, time.UnixMilli(h.At))
	}
	return p.NearTime(h.At)
}
