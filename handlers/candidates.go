package handlers

import (
	"cmp"
	"context"
	"slices"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// candidatesPage is the list of everybody who may take part, by code.
type candidatesPage struct {
	asking
	Rows    []candidateRow
	Asked   int  // of the rows
	Waiting int  // not asked yet
	Any     bool // somebody is in the study, whatever the filter says
	Log     *logPanel
}

type candidateRow struct {
	recruitment.Participant
	Source string
	Last   int64 // what happened last
	Next   int64 // an appointment, or else the next try
	Here   bool  // whose log stands beside the list
}

// logPanel is the contact log of one person beside the list.
type logPanel struct {
	recruitment.Participant
	Full     bool // no quota of the case has room for them
	Contacts []recruitment.Contact
}

func (s *Server) candidates(v *visit) error {
	filter := v.candidateFilter()
	everybody, err := s.Recruitment.List(v.ctx(), v.study.ID, recruitment.Filter{})
	if err != nil {
		return err
	}
	chosen, err := s.Recruitment.List(v.ctx(), v.study.ID, filter)
	if err != nil {
		return err
	}
	next, err := s.bookedNext(v.ctx(), v)
	if err != nil {
		return err
	}
	p := candidatesPage{asking: asking{v.page("people.title")}, Any: len(everybody) > 0}
	p.Here, p.Form.Values = "candidates", v.Request.URL.Query()
	p.Form.Values.Set("case", string(filter.Case))
	for _, one := range chosen {
		p.add(one, next[one.ID], everybody)
	}
	if p.Writes() {
		if p.Log, err = s.logPanel(v, everybody); err != nil {
			return err
		}
	}
	p.mark()
	return v.show("staff/candidates", p)
}

// candidateFilter reads the address. A case is named by its id or its code, a state also by its stage.
func (v *visit) candidateFilter() recruitment.Filter {
	f := recruitment.Filter{Text: v.Query("q"), Group: v.Query("size"), Case: id.Case(v.Query("case"))}
	for _, c := range v.study.Cases {
		if c.Code == v.Query("case") {
			f.Case = c.ID
		}
	}
	state := v.Query("state")
	if slices.Contains(recruitment.Stages(), recruitment.Stage(state)) {
		f.Stage = recruitment.Stage(state)
	} else {
		f.State = recruitment.State(state)
	}
	return f
}

// bookedNext is when each person has their next appointment.
func (s *Server) bookedNext(ctx context.Context, v *visit) (map[id.Person]int64, error) {
	bookings, err := s.Scheduling.Between(ctx, v.study.ID, v.now(), v.study.End())
	if err != nil {
		return nil, err
	}
	next := map[id.Person]int64{}
	for _, b := range slices.Backward(bookings) {
		if b.State == scheduling.Booked {
			next[b.Person] = b.StartsAt
		}
	}
	return next, nil
}

func (p *candidatesPage) add(one recruitment.Participant, booked int64, everybody []recruitment.Participant) {
	if one.Stage() == recruitment.StageNotAsked {
		p.Waiting++
	} else {
		p.Asked++
	}
	row := candidateRow{Participant: one, Source: p.sourceOf(one, everybody), Next: cmp.Or(booked, one.NextAt)}
	if one.ContactedAt > 0 || one.StateAt > one.CreatedAt {
		row.Last = max(one.ContactedAt, one.StateAt)
	}
	p.Rows = append(p.Rows, row)
}

// sourceOf says how somebody was found; whom a participant led to, by that participant's code.
func (p *candidatesPage) sourceOf(one recruitment.Participant, everybody []recruitment.Participant) string {
	i := slices.IndexFunc(everybody, func(other recruitment.Participant) bool { return other.ID == one.Recruiter })
	if one.Recruiter == "" || i < 0 {
		return p.SourceOf(one, "")
	}
	return p.SourceOf(one, everybody[i].Code)
}

// mark shows in the list whose log stands beside it.
func (p *candidatesPage) mark() {
	for i := range p.Rows {
		p.Rows[i].Here = p.Log != nil && p.Rows[i].ID == p.Log.ID
	}
}

// logPanel is for the person in the address, or else for whoever is to be tried today.
func (s *Server) logPanel(v *visit, everybody []recruitment.Participant) (*logPanel, error) {
	wanted := id.Person(v.Query("log"))
	if wanted == "" {
		tonight := startOfDay(v.now().In(v.zone())).AddDate(0, 0, 1)
		due, err := s.Recruitment.Due(v.ctx(), v.study.ID, tonight.UnixMilli()-1)
		if err != nil || len(due) == 0 {
			return nil, err
		}
		wanted = due[0].ID
	}
	i := slices.IndexFunc(everybody, func(p recruitment.Participant) bool { return p.ID == wanted })
	if i < 0 {
		return nil, recruitment.ErrUnknown
	}
	panel := &logPanel{Participant: everybody[i]}
	var err error
	if panel.Contacts, err = s.Recruitment.Contacts(v.ctx(), v.study.ID, wanted); err != nil {
		return nil, err
	}
	panel.Full, err = s.noRoom(v, panel.Participant)
	return panel, err
}

// noRoom says, before somebody is asked, that no quota of their case has room for them.
func (s *Server) noRoom(v *visit, p recruitment.Participant) (bool, error) {
	if p.Stage() != recruitment.StageNotAsked {
		return false, nil
	}
	cells, err := s.Recruitment.Quotas(v.ctx(), v.study.ID, v.study.Pilots())
	if err != nil {
		return false, err
	}
	return recruitment.Full(cells, p), nil
}

// Shown are the states to filter by.
func (p candidatesPage) Shown() []choice {
	return worded(p.asking, "recruitment.stage.", recruitment.Stages())
}

// Groups are the sizes to filter by.
func (p candidatesPage) Groups() []choice {
	return worded(p.asking, "recruitment.group.", []string{"SMB", "STOR"})
}

// LogOf is the address of the list with somebody's log beside it.
func (p candidatesPage) LogOf(person id.Person) string {
	return withQuery(p.At("/candidates"), "log", string(person)) + "#log"
}

// One is the address of a person's page.
func (a asking) One(person id.Person) string { return a.At("/people/" + string(person)) }

// askedPerson returns whom the address is about: a person of this study, or ErrUnknown.
func (s *Server) askedPerson(v *visit) (recruitment.Participant, error) {
	person := id.Person(v.Param("person"))
	if !id.Valid(person) {
		return recruitment.Participant{}, recruitment.ErrUnknown
	}
	return s.Recruitment.Get(v.ctx(), v.study.ID, person)
}

func (v *visit) onePath(person id.Person) string { return v.studyPath("/people/" + string(person)) }

// checkCase says whether a case is the study's.
func (v *visit) checkCase(c id.Case) error {
	if _, known := v.study.Case(c); known {
		return nil
	}
	return faultAt(errs.Invalid, "case", "recruitment.choose")
}
