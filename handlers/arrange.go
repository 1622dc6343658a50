package handlers

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// arranging is what the pages share on which the team says when, how and with whom somebody is met.
type arranging struct {
	base
	Team  []choice // who can have the interview
	Near  []choice // the free times nearest to one that was taken
	Usual string   // where it is held if nothing is said; "" where that is not asked

	Stands scheduling.Booking // the appointment that is changed; zero for a new one
}

// Modes are the ways of meeting.
func (p arranging) Modes() field { return p.Radio("mode", modeChoices(p.base), "label=booking.mode") }

// Place is a room or an address to meet at on screen.
func (p arranging) Place() field {
	f := p.Input("place", "label=appointments.place", "hint=appointments.place_hint", "optional", "autocomplete=off")
	if p.Usual != "" {
		f.Hint = p.T("book.place_usual", "Place", p.Usual) + " " + f.Hint
	}
	return f
}

// Where is what the vault keeps. What it keeps already is not shown here, and stays where nothing is typed.
func (p arranging) Where() field {
	hint := "appointments.where_hint"
	if p.Stands.Where != "" {
		hint = "appointments.where_keep"
	}
	return p.Input("where", "label=appointments.where", "hint="+hint, "optional", "rows=2")
}

// Interviewers are boxes, one for each who can have the interview.
func (p arranging) Interviewers() field {
	hint := "appointments.interviewers_hint"
	if p.Stands.ID != "" {
		hint = "appointments.interviewers_keep"
	}
	f := p.Radio("interviewers", p.Team, "type=checkbox", "label=appointments.interviewers", "hint="+hint, "optional")
	for i, c := range f.Choices {
		f.Choices[i].Chosen = slices.Contains(p.Form.Values["interviewers"], c.Value)
	}
	return f
}

// Nearest offers times for one that was taken; nil where none was.
func (p arranging) Nearest() *field {
	if len(p.Near) == 0 {
		return nil
	}
	f := p.Radio("pick", append(slices.Clone(p.Near), choice{Label: p.T("appointments.other_time")}), "label=book.nearest")
	return &f
}

// interviewers are whom an appointment can be given to: those who work on the study, and those who have it already.
func (s *Server) interviewers(v *visit, holders ...id.Account) ([]choice, error) {
	members, err := s.Studies.Members(v.ctx(), v.study.ID)
	if err != nil {
		return nil, err
	}
	accounts := slices.Clone(holders)
	for _, m := range members {
		if m.Role == studies.Owner || m.Role == studies.Researcher {
			accounts = append(accounts, m.Account)
		}
	}
	names, err := s.accountNames(v.ctx(), accounts...)
	var choices []choice
	for account, name := range names {
		choices = append(choices, choice{Value: string(account), Label: name})
	}
	slices.SortFunc(choices, func(a, b choice) int { return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value)) })
	return choices, err
}

// terms are what a form says of an appointment.
type terms struct {
	Mode         scheduling.Mode
	Start        time.Time
	Place        string
	Interviewers []id.Account
	Words
}

// terms reads the form. What is missing is said all at once, before anything is asked of the domain.
func (v *visit) terms(p arranging) (terms, error) {
	var check errs.Check
	t := terms{Mode: scheduling.Mode(v.value("mode")), Place: strings.Join(strings.Fields(v.form.Get("place")), " "),
		Words: Words{Where: v.value("where"), Message: v.value("message")}}
	if !slices.Contains(scheduling.Modes, t.Mode) {
		check.Add("mode", "scheduling.mode")
	}
	if t.Mode == scheduling.Email {
		t.Start = v.formDue(&check, p.Zone.String())
	} else {
		t.Start = v.formMoment(&check, p.Zone.String())
	}
	if t.Mode == scheduling.Visit && t.Place != p.Stands.Place {
		check.Add("place", "appointments.sealed") // this store holds no participant's address
	}
	for _, chosen := range v.form["interviewers"] {
		if !slices.ContainsFunc(p.Team, func(c choice) bool { return c.Value == chosen }) {
			check.Add("interviewers", "appointments.interviewer")
		}
		t.Interviewers = append(t.Interviewers, id.Account(chosen))
	}
	return t, gatherFaults(check.Err(), identities.CheckNote("where", t.Where), identities.CheckNote("message", t.Message))
}

// atInputs puts what scheduling refuses at the inputs of these forms.
func (t terms) atInputs(err error) error {
	switch {
	case errors.Is(err, scheduling.ErrNobody):
		return faultAt(errs.Conflict, "interviewers", "appointments.nobody")
	case errors.Is(err, scheduling.ErrHasBooking):
		return faultAt(errs.Conflict, "follow_up", "appointments.has_booking")
	}
	return eachField(err, func(f errs.Field) errs.Field {
		switch {
		case f.Name == "start" && t.Mode == scheduling.Email && f.Code == "scheduling.past":
			f.Name, f.Code = "day", "appointments.due"
		case f.Name == "start" && t.Mode == scheduling.Email:
			f.Name = "day"
		case f.Name == "start":
			f.Name = "time"
		}
		return f
	})
}

// arrangeAgain is the form with what was typed, and after a time that was taken with the nearest that are free.
func (s *Server) arrangeAgain(v *visit, p *arranging, audience string, t terms, refused error) error {
	p.Form = v.againForm(t.atInputs(refused))
	if !errors.Is(refused, scheduling.ErrTaken) {
		return nil
	}
	slots, err := s.nearest(v, audience, t.Mode, t.Start, fewOffers)
	for _, slot := range slots {
		start := slot.Start.In(p.Zone)
		p.Near = append(p.Near, choice{Value: start.Format(wallLayout), Label: capital(v.text.Date(start, i18n.WeekdayTime))})
	}
	if len(p.Near) > 0 {
		p.Form = p.Form.about("pick")
	}
	return err
}

const (
	fewOffers = 3 // after a time that was taken
	someTimes = 6 // where nobody has asked for one yet
)

// nearest are the free times nearest to a moment, by time.
func (s *Server) nearest(v *visit, audience string, mode scheduling.Mode, around time.Time, n int) ([]scheduling.Slot, error) {
	slots, err := s.Scheduling.Nearest(v.ctx(), scheduling.Search{Study: v.study.ID, Audience: audience, Mode: mode}, around, n)
	slices.SortFunc(slots, func(a, b scheduling.Slot) int { return a.Start.Compare(b.Start) })
	return slots, err
}

// whenOf says when an appointment is: in writing, the day alone.
func whenOf(b base, k scheduling.Booking) string {
	if k.Mode == scheduling.Email {
		return b.Date(k.Start(), i18n.Weekday)
	}
	return b.Date(k.Start(), i18n.WeekdayTime)
}

// bookingValues fill in the form with an appointment as it is. What is in the vault stays there.
func bookingValues(b scheduling.Booking) url.Values {
	values := wallValues(b.Start())
	if b.Mode == scheduling.Email {
		values = url.Values{"day": {b.Start().Format(time.DateOnly)}}
	}
	values.Set("mode", string(b.Mode))
	values.Set("place", b.Place)
	for _, account := range b.Interviewers {
		values.Add("interviewers", string(account))
	}
	return values
}

// change is what a form makes of an appointment: only what it says otherwise.
func (t terms) change(b scheduling.Booking, seen int64) scheduling.Change {
	c := scheduling.Change{Seen: seen}
	if t.Mode != b.Mode {
		c.Mode = t.Mode
	}
	if t.Start.UnixMilli() != b.StartsAt || (t.Mode == scheduling.Email) != (b.Mode == scheduling.Email) {
		c.Start = t.Start
	}
	if t.Place != b.Place {
		c.Place = t.Place
	}
	slices.Sort(t.Interviewers)
	if !slices.Equal(t.Interviewers, b.Interviewers) {
		c.Interviewers = t.Interviewers
	}
	return c
}
