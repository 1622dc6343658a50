package handlers

import (
	"encoding/json"
	"fmt"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
)

// ownData is everything that is kept about somebody, for them: the page shows it and the file holds it. What others said
// about others is not in it, so a recruiter is named by nothing but the source.
type ownData struct {
	MadeAt       time.Time           `json:"made_at"`
	StudyTitle   string              `json:"study"`
	Institution  string              `json:"institution"`
	You          identities.Identity `json:"you"`
	Refused      bool                `json:"not_to_be_contacted_again"`
	InStudy      dataPlace           `json:"in_the_study"`
	Answers      []dataAct           `json:"answers"`
	Appointments []dataAppointment   `json:"appointments"`
	Contacts     []dataContact       `json:"contacts"`
	Notes        []dataNote          `json:"notes"`
	Postponed    []dataPlan          `json:"postponed"`
	Changes      []dataChange        `json:"changes"`
	Talks        []dataTalk          `json:"conversations"`
	Themes       []dataTheme         `json:"themes"`
	Surveys      []dataSurvey        `json:"surveys"`
	Invited      *dataInvited        `json:"contact_agreed,omitempty"`
	PassedOn     []dataCoupon        `json:"invitations_made,omitempty"`
}

type dataPlace struct {
	Code      string    `json:"code"`
	Case      string    `json:"case"`
	Audience  string    `json:"letter_for"`
	Relation  string    `json:"relation,omitempty"`
	Size      string    `json:"company_size,omitempty"`
	Title     string    `json:"job_title_in_general,omitempty"`
	Source    string    `json:"found_through"`
	State     string    `json:"state"`
	CreatedAt time.Time `json:"since"`
	NextAt    time.Time `json:"next_contact_planned,omitzero"`
	Network   *int      `json:"others_known,omitempty"`
}

type dataAct struct {
	At         time.Time             `json:"at"`
	Means      string                `json:"means"`
	Reference  string                `json:"reference,omitempty"`
	Language   string                `json:"language"`
	Letter     string                `json:"letter_hash"`
	Withdrawal bool                  `json:"withdrawal"`
	Items      []dataAnswer          `json:"items"`
	GivenOn    string                `json:"given_on,omitempty"`
	OfAge      int                   `json:"has_turned,omitempty"`
	Explicit   string                `json:"explicitly_consented_to,omitempty"`
	Signature  *identities.Signature `json:"signature,omitempty"`
}

type dataAnswer struct {
	Purpose string `json:"purpose"`
	Text    string `json:"text"`
	Yes     bool   `json:"yes"`
	Implied bool   `json:"left_open,omitempty"`
}

type dataAppointment struct {
	Starts time.Time `json:"starts"`
	Ends   time.Time `json:"ends"`
	Mode   string    `json:"mode"`
	Place  string    `json:"place,omitempty"`
	State  string    `json:"state"`
	MadeAt time.Time `json:"made_at"`
}

type dataContact struct {
	At        time.Time `json:"at"`
	Channel   string    `json:"channel"`
	Direction string    `json:"direction"`
	Outcome   string    `json:"outcome"`
}

type dataNote struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

type dataPlan struct {
	At   time.Time `json:"at"`
	Next time.Time `json:"next_contact_planned"`
}

type dataChange struct {
	At  time.Time `json:"at"`
	Now string    `json:"state"`
}

type dataTalk struct {
	HeldOn  string `json:"date"`
	Mode    string `json:"mode"`
	Minutes int    `json:"minutes,omitempty"`
}

type dataTheme struct {
	Label string `json:"theme"`
	Mark  string `json:"mark"` // x: mentioned, o: disagreed
}

type dataSurvey struct {
	Title   string    `json:"title"`
	Code    string    `json:"code"`
	Role    string    `json:"role,omitempty"`
	Size    string    `json:"size,omitempty"`
	State   string    `json:"state"`
	Invited time.Time `json:"invited_at,omitzero"`
}

// dataInvited is what somebody said yes to when an invitation was passed on to them.
type dataInvited struct {
	At       time.Time `json:"at"`
	Language string    `json:"language"`
	Text     string    `json:"text"`
}

// dataCoupon is an invitation that somebody passed on. What became of it is the friend's.
type dataCoupon struct {
	Number   int       `json:"number"`
	ShowName bool      `json:"names_you"`
	MadeAt   time.Time `json:"made_at"`
	Expires  time.Time `json:"expires_at"`
}

type myDataPage struct {
	base
	Data ownData
}

func (s *Server) myData(v *visit) error {
	data, err := s.ownData(v)
	if err != nil {
		return err
	}
	p := myDataPage{base: v.page("my.data.title"), Data: data}
	p.Status = v.text.T("my.status.data", "Code", data.InStudy.Code)
	return v.show("participant/data", p)
}

// myDataFile is the copy to take along (GDPR article 20), in a form that programs read.
func (s *Server) myDataFile(v *visit) error {
	data, err := s.ownData(v)
	if err != nil {
		return err
	}
	file, err := json.MarshalIndent(data, "", "  ")
	if err != nil {
		return fmt.Errorf("write own data: %w", err)
	}
	v.download("feltbok.json", "application/json", append(file, '\n'))
	return nil
}

func (s *Server) ownData(v *visit) (d ownData, err error) {
	o, err := s.own(v)
	if err != nil {
		return d, err
	}
	d = ownData{MadeAt: v.now().In(v.zone()).Truncate(time.Second), StudyTitle: v.study.Title, Institution: v.study.Institution, InStudy: v.place(o)}
	who, notes, err := s.Vault.OpenNoted(v.ctx(), v.actor(), "own_data", v.study.ID, v.session.Person)
	if err != nil {
		return d, err
	}
	d.You = who
	for _, n := range notes {
		d.Notes = append(d.Notes, dataNote{v.moment(n.At), n.Text})
	}
	reach, err := s.Vault.Reach(v.ctx(), v.study.ID, v.session.Person)
	if err != nil {
		return d, err
	}
	d.Refused = reach[v.session.Person].Barred
	names, err := s.Vault.Signatures(v.ctx(), v.actor(), "own_data", v.study.ID, v.session.Person)
	if err != nil {
		return d, err
	}
	for _, act := range o.said.Acts {
		d.Answers = append(d.Answers, v.dataAct(act, names))
	}
	for _, b := range o.bookings {
		d.Appointments = append(d.Appointments, dataAppointment{b.Start(), b.End(), string(b.Mode), b.Place, string(b.State), v.moment(b.CreatedAt)})
	}
	if err := s.fieldData(v, &d); err != nil {
		return d, err
	}
	if err := s.snowballData(v, &d); err != nil {
		return d, err
	}
	return d, s.surveyData(v, &d)
}

// snowballData is how somebody came here by an invitation, and those that they passed on.
func (s *Server) snowballData(v *visit, d *ownData) error {
	accepted, came, err := s.Recruitment.AcceptanceOf(v.ctx(), v.study.ID, v.session.Person)
	if err != nil {
		return err
	}
	if came {
		d.Invited = &dataInvited{v.moment(accepted.At), accepted.Language, accepted.Text}
	}
	made, err := s.Recruitment.Coupons(v.ctx(), v.study.ID, v.session.Person)
	for _, c := range made {
		d.PassedOn = append(d.PassedOn, dataCoupon{c.Number, c.ShowName, v.moment(c.MadeAt), v.moment(c.ExpiresAt)})
	}
	return err
}

// moment is UTC milliseconds on the study's clocks; 0 is the zero time.
func (v *visit) moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).In(v.zone())
}

func (v *visit) place(o own) dataPlace {
	p := dataPlace{Code: o.Code, Audience: o.Audience, Relation: string(o.Relation), Size: string(o.Size), Title: o.Title,
		Source: string(o.Source), State: string(o.State), CreatedAt: v.moment(o.CreatedAt), NextAt: v.moment(o.NextAt)}
	of, _ := v.study.Case(o.Case)
	p.Case = of.Name
	if o.NetworkSize != recruitment.UnknownNetwork {
		p.Network = &o.NetworkSize
	}
	return p
}

func (v *visit) dataAct(act consents.Given, names map[id.Consent]identities.Signature) dataAct {
	d := dataAct{At: v.moment(act.At), Means: act.Means, Reference: act.Reference, Language: act.Language, Letter: act.Hash, Withdrawal: act.Withdrawal,
		GivenOn: act.GivenOn, OfAge: act.OfAge, Explicit: act.Explicit}
	if name, ok := names[act.ID]; ok {
		d.Signature = &name
	}
	for _, item := range act.Items {
		d.Items = append(d.Items, dataAnswer{item.Purpose, item.Text, item.Yes, item.Implied})
	}
	return d
}

// fieldData is what the team noted: contacts, how far it came, the conversations and their themes.
func (s *Server) fieldData(v *visit, d *ownData) error {
	study, person := v.study.ID, v.session.Person
	contacts, err := s.Recruitment.Contacts(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, c := range contacts {
		d.Contacts = append(d.Contacts, dataContact{v.moment(c.At), string(c.Channel), string(c.Direction), string(c.Outcome)})
	}
	plans, err := s.Recruitment.Plans(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, p := range plans {
		d.Postponed = append(d.Postponed, dataPlan{v.moment(p.At), v.moment(p.NextAt)})
	}
	changes, err := s.Recruitment.History(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, c := range changes {
		d.Changes = append(d.Changes, dataChange{v.moment(c.At), string(c.Now)})
	}
	talks, err := s.Interviews.Of(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, t := range talks {
		d.Talks = append(d.Talks, dataTalk{t.HeldOn, t.Mode, max(t.Minutes, 0)})
	}
	matrix, err := s.Interviews.Matrix(v.ctx(), study)
	for _, theme := range matrix.Themes {
		if mark := matrix.Marks[theme.Key][person]; mark != interviews.None {
			d.Themes = append(d.Themes, dataTheme{theme.Label, string(mark)})
		}
	}
	return err
}

// surveyData says which surveys somebody was asked in. Answers that were sent are not shown again to whoever holds a
// link; the team hands them out.
func (s *Server) surveyData(v *visit, d *ownData) error {
	all, err := s.Surveys.List(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	for _, survey := range all {
		r, err := s.Surveys.RespondentOf(v.ctx(), v.study.ID, survey.ID, v.session.Person)
		if errs.KindOf(err) == errs.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		d.Surveys = append(d.Surveys, dataSurvey{survey.Title, r.Code, r.Role, r.Size, string(r.State), v.moment(r.InvitedAt)})
	}
	return nil
}

// Says is how a theme's mark reads to the person themselves.
func (p myDataPage) Says(mark string) string { return p.T("my.data.mark." + mark) }

// Said is a moment in words.
func (p myDataPage) Said(at time.Time) string { return p.Day(at.UnixMilli()) }

// SaidFully is a moment in words, with its time of day.
func (p myDataPage) SaidFully(at time.Time) string { return p.Instant(at.UnixMilli()) }

// HeldOn is a date without a time, in words.
func (p myDataPage) HeldOn(date string) string {
	day, err := time.ParseInLocation(time.DateOnly, date, p.Zone)
	if err != nil {
		return date
	}
	return p.Day(day.UnixMilli())
}
