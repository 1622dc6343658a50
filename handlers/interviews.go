package handlers

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// heldPage writes down an interview that was held, or corrects it.
type heldPage struct {
	base
	Code     string
	Standing string               // of the interview, for who never said yes
	Record   bool                 // not yet written down
	Checks   []checkLine          // what may be done in the conversation, before it is written down
	Open     []scheduling.Booking // that may have been kept: those missed too, for somebody came after all
}

// noBooking stands for an interview that was not agreed on beforehand.
const noBooking = "none"

// Modes are the ways of talking.
func (p heldPage) Modes() field {
	var choices []choice
	for _, mode := range interviews.Modes {
		choices = append(choices, choice{Value: mode, Label: p.T("field_work.mode." + mode)})
	}
	return p.Radio("mode", choices, "label=held.mode")
}

// heldMode is how an interview that was booked like this is held.
func heldMode(mode scheduling.Mode) string {
	if mode == scheduling.Visit {
		mode = scheduling.InPerson
	}
	return string(mode)
}

// Booking asks which appointment was kept; only where there is one.
func (p heldPage) Booking() field {
	var choices []choice
	for _, b := range p.Open {
		c := choice{Value: string(b.ID), Label: capital(whenOf(p.base, b)), Hint: p.T("field_work.mode." + string(b.Mode))}
		if b.State == scheduling.NoShow {
			c.Hint += ", " + lowered(p.T("scheduling.state.no_show"))
		}
		choices = append(choices, c)
	}
	choices = append(choices, choice{Value: noBooking, Label: p.T("held.no_booking")})
	return p.Radio("booking", choices, "label=held.booking")
}

// heldInputs are the page's names for what interviews checks.
var heldInputs = map[string]string{"held_on": "day", "started_at": "time"}

func (s *Server) interviewRecord(v *visit) error {
	person, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	state, err := s.Consents.State(v.ctx(), v.study.ID, person.ID)
	if err != nil {
		return err
	}
	answers, err := s.answersOne(v, person.ID, state)
	if err != nil {
		return err
	}
	p := heldPage{base: v.page("held.title", "Code", person.Code), Code: person.Code, Record: true,
		Standing: gateWord(answers.May(person.ID, consents.Interview))}
	p.Here, p.Checks = "interviews", checklist(p.base, answers, person.ID)
	if p.Open, err = s.bookingsOf(v, person.ID, scheduling.Booked, scheduling.NoShow); err != nil {
		return err
	}
	if v.form == nil {
		p.Form = v.newForm(p.kept(v.now(), id.Booking(v.Query("booking"))))
		return v.show("staff/interview", p)
	}
	held, err := v.formHeld(interviews.Held{Study: v.study.ID, Person: person.ID})
	held.Booking, err = p.bookingOf(v, err)
	if err == nil {
		_, err = s.Interviews.Record(v.ctx(), v.actor(), held)
	}
	return v.heldDone(p, err, "interview_recorded")
}

// kept fills in the form from the appointment that was kept, as far as it is clear which: the one asked for, else the
// latest that has begun.
func (p heldPage) kept(now time.Time, asked id.Booking) url.Values {
	values := url.Values{}
	for _, b := range p.Open {
		if b.ID != asked && (asked != "" || b.Start().After(now) || b.State == scheduling.NoShow) {
			continue
		}
		values = wallValues(b.Start().In(p.Zone))
		if b.Mode == scheduling.Email {
			values = url.Values{"day": {b.Start().Format(time.DateOnly)}}
		}
		values.Set("booking", string(b.ID))
		values.Set("mode", heldMode(b.Mode))
	}
	return values
}

// bookingOf reads which appointment was kept. Only the person's own open ones are on offer; err keeps earlier faults.
func (p heldPage) bookingOf(v *visit, err error) (id.Booking, error) {
	chosen := id.Booking(v.value("booking"))
	known := slices.ContainsFunc(p.Open, func(b scheduling.Booking) bool { return b.ID == chosen })
	if known || len(p.Open) == 0 || chosen == noBooking {
		if !known {
			chosen = ""
		}
		return chosen, err
	}
	fault := errs.Field{Name: "booking", Code: "field_work.choose"}
	return "", &errs.Error{Kind: errs.Invalid, Code: "invalid", Fields: append(errs.FieldsOf(err), fault)}
}

// formHeld reads an interview from the form. Time and duration may be left out: one by e-mail has neither.
func (v *visit) formHeld(h interviews.Held) (interviews.Held, error) {
	var check errs.Check
	h.Mode, h.HeldOn, h.StartedAt, h.Minutes = v.value("mode"), "", 0, interviews.NoMinutes
	if !slices.Contains(interviews.Modes, h.Mode) {
		check.Add("mode", "interviews.mode")
	}
	if v.value("time") == "" {
		h.HeldOn = v.formDay(&check, "day")
	} else if at := v.formMoment(&check, v.study.Zone); !at.IsZero() {
		h.HeldOn, h.StartedAt = at.Format(time.DateOnly), at.UnixMilli()
	}
	if text := v.value("minutes"); text != "" {
		if h.Minutes = formMinutes(text); h.Minutes < 1 {
			check.Add("minutes", "interviews.minutes")
		}
	}
	return h, check.Err()
}

// heldDone answers the form for an interview.
func (v *visit) heldDone(p heldPage, err error, done string) error {
	if mendable(err) || consents.Refused(err) {
		p.Form = v.againForm(renamed(err, heldInputs))
		return v.again(err, "staff/interview", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/interviews"), done)
}

func (s *Server) interviewEdit(v *visit) error {
	held, err := s.Interviews.Get(v.ctx(), v.study.ID, id.Interview(v.Param("interview")))
	if err != nil {
		return err
	}
	person, err := s.Recruitment.Get(v.ctx(), v.study.ID, held.Person)
	if err != nil {
		return err
	}
	p := heldPage{base: v.page("held.edit_title", "Code", person.Code), Code: person.Code}
	p.Here, p.Form = "interviews", v.newForm(v.heldValues(held))
	if v.form == nil {
		return v.show("staff/interview", p)
	}
	held, err = v.formHeld(held)
	if err == nil {
		err = s.Interviews.Edit(v.ctx(), v.actor(), held)
	}
	return v.heldDone(p, err, "interview_edited")
}

func (v *visit) heldValues(h interviews.Held) url.Values {
	values := url.Values{"day": {h.HeldOn}}
	if h.StartedAt != 0 {
		values = wallValues(time.UnixMilli(h.StartedAt).In(v.zone()))
	}
	values.Set("mode", h.Mode)
	if h.Minutes != interviews.NoMinutes {
		values.Set("minutes", strconv.Itoa(h.Minutes))
	}
	return values
}

// tablePage is the list of interviews as a thesis prints it (Table 6): by case and code, sizes coarse, titles general.
type tablePage struct {
	base
	Lines   []tableLine
	Waiting int // appointments that are over, with nothing written down
	Times   int // interviews with a duration
	Total   string
	Mean    string
}

type tableLine struct {
	ID                               id.Interview
	Person                           id.Person
	Code, Case, Role, Size, Relation string
	Date, ISO, Duration              string
	Pilot                            bool // of the pre-study
	Gone                             bool // nobody's any more
}

func (s *Server) interviewTable(v *visit) error {
	held, err := s.Interviews.List(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	d, err := s.diaries(v)
	if err != nil {
		return err
	}
	if err := s.addAnonymous(v, d.people); err != nil {
		return err
	}
	p := tablePage{base: v.page("interviews.title")}
	p.Here = "interviews"
	held = slices.DeleteFunc(held, func(h interviews.Held) bool { return d.said.Restricted[h.Person].Kind != "" })
	inOrder := v.caseOrder(d.people)
	slices.SortStableFunc(held, func(a, b interviews.Held) int { return inOrder(a.Person, b.Person) })
	minutes := 0
	for _, h := range held {
		p.Lines = append(p.Lines, v.tableLine(d, h))
		if h.Minutes != interviews.NoMinutes {
			p.Times, minutes = p.Times+1, minutes+h.Minutes
		}
	}
	if p.Times > 0 {
		total := time.Duration(minutes) * time.Minute
		p.Total, p.Mean = i18n.HHMM(total), i18n.HHMM(total/time.Duration(p.Times))
	}
	if p.Writes() {
		if p.Waiting, err = s.waiting(v); err != nil {
			return err
		}
	}
	return v.show("staff/interviews", p)
}

// waiting counts the appointments that are over and not written down.
func (s *Server) waiting(v *visit) (n int, err error) {
	all, err := s.Scheduling.All(v.ctx(), v.study.ID)
	for _, b := range all {
		if b.State == scheduling.Booked && b.EndsAt <= v.now().UnixMilli() {
			n++
		}
	}
	return n, err
}

// caseOrder compares people by case, the pre-study first, and then by code.
func (v *visit) caseOrder(people map[id.Person]recruitment.Participant) func(a, b id.Person) int {
	place := func(person id.Person) int {
		c, known := v.study.Case(people[person].Case)
		switch {
		case !known:
			return -1
		case c.Pilot:
			return c.Position - len(v.study.Cases)
		}
		return c.Position
	}
	return func(a, b id.Person) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), natural.Compare(people[a].Code, people[b].Code))
	}
}

func (v *visit) tableLine(d diaries, h interviews.Held) tableLine {
	p := d.people[h.Person]
	of, _ := v.study.Case(p.Case)
	line := tableLine{ID: h.ID, Person: h.Person, Code: p.Code, Case: of.Code, Role: p.Title, ISO: h.HeldOn, Date: h.HeldOn, Pilot: of.Pilot, Gone: h.HeldOn == ""}
	if d.said.MayBeforeYes(h.Person, consents.JobTitle) != nil {
		line.Role = ""
	}
	switch p.Size.Group() {
	case "SMB":
		line.Size = v.text.T("export.size_group.sme")
	case "STOR":
		line.Size = v.text.T("export.size_group.large")
	}
	if p.Relation != "" {
		line.Relation = v.text.T("export.relation." + string(p.Relation))
	}
	if day, err := time.Parse(time.DateOnly, h.HeldOn); err == nil {
		line.Date = v.text.Date(day, i18n.Plain)
	}
	if h.Minutes != interviews.NoMinutes {
		line.Duration = i18n.HHMM(time.Duration(h.Minutes) * time.Minute)
	}
	return line
}
