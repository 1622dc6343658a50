package handlers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/exports"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/surveys"
)

type myDataPage struct {
	roomy
	Data ownData
}

func (s *Server) myData(v *visit) error {
	data, err := s.ownData(v)
	if err != nil {
		return err
	}
	p := myDataPage{roomy: v.roomy("my.data.title"), Data: data}
	if data.InStudy != nil {
		p.Status = v.text.T("my.status.data", "Code", data.InStudy.Code)
	}
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

// ownData asks every domain. Whoever is only asked in surveys has no place among the informants.
func (s *Server) ownData(v *visit) (d ownData, err error) {
	d = ownData{MadeAt: v.now().In(v.zone()).Truncate(time.Second), StudyTitle: v.study.Title, Institution: v.study.Institution}
	for _, part := range []func(*visit, *ownData) error{s.identityData, s.placeData, s.answerData, s.fieldData, s.snowballData, s.surveyData,
		s.requestData, s.trafficData} {
		if err := part(v, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// appointmentData is what was agreed, each with what was said about it.
func (s *Server) appointmentData(v *visit, notes []identities.Note) (all []dataAppointment, said []id.Note, err error) {
	bookings, err := s.Scheduling.Of(v.ctx(), v.study.ID, v.session.Person)
	text := map[id.Note]string{}
	for _, n := range notes {
		text[n.ID] = n.Text
	}
	for _, b := range bookings {
		all = append(all, dataAppointment{Starts: b.Start(), Ends: b.End(), Mode: string(b.Mode), Place: b.Place, Where: text[b.Where],
			Message: text[b.Message], Zone: b.PersonZone, Title: v.text.T("scheduling.title." + string(b.Title)), FollowUp: b.FollowUp,
			State: string(b.State), MadeAt: v.moment(b.CreatedAt)})
		said = append(said, b.Where, b.Message)
	}
	return all, said, err
}

// identityData is what the vault has, and what was agreed: what was said about that is there too.
func (s *Server) identityData(v *visit, d *ownData) error {
	study, person := v.study.ID, v.session.Person
	who, notes, err := s.Vault.OpenNoted(v.ctx(), v.actor(), "own_data", study, person)
	if err != nil {
		return err
	}
	d.You = who
	appointments, said, err := s.appointmentData(v, notes)
	if err != nil {
		return err
	}
	d.Appointments = appointments
	for _, n := range notes {
		if !slices.Contains(said, n.ID) {
			d.Notes = append(d.Notes, dataNote{v.moment(n.At), n.Text})
		}
	}
	left, err := s.Vault.FormerOf(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, one := range left {
		d.Former = append(d.Former, dataFormer{one.Email, v.moment(one.At)})
	}
	reach, err := s.Vault.Reach(v.ctx(), study, person)
	if err != nil {
		return err
	}
	d.Refused = reach[person].Barred
	tips, err := s.Vault.TipsFrom(v.ctx(), study, person)
	for _, t := range tips {
		d.Tips = append(d.Tips, dataTip{v.moment(t.CreatedAt), v.moment(t.ExpiresAt)})
	}
	return err
}

// placeData is an informant's place in the study, with the study's own attributes.
func (s *Server) placeData(v *visit, d *ownData) error {
	one, err := s.Recruitment.Get(v.ctx(), v.study.ID, v.session.Person)
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	own, err := s.Recruitment.Attributes(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	place := v.place(one)
	for _, a := range own {
		if value := one.Attributes[a.Key]; value != "" {
			place.Traits = append(place.Traits, dataTrait{a.Name, value})
		}
	}
	d.InStudy = &place
	return nil
}

// answerData is what they answered, with the letters they answered to, and whether their data are only kept.
func (s *Server) answerData(v *visit, d *ownData) error {
	said, err := s.Consents.State(v.ctx(), v.study.ID, v.session.Person)
	if err != nil {
		return err
	}
	read := map[id.Letter]bool{}
	names, err := s.Vault.Signatures(v.ctx(), v.actor(), "own_data", v.study.ID, v.session.Person)
	if err != nil {
		return err
	}
	for _, act := range said.Acts {
		d.Answers = append(d.Answers, v.dataAct(act, names))
		if read[act.Letter] {
			continue
		}
		read[act.Letter] = true
		l, err := s.Consents.Letter(v.ctx(), v.study.ID, act.Letter)
		if err != nil {
			return err
		}
		d.Letters = append(d.Letters, dataLetter{l.Hash, l.Version, l.Language, l.Title, l.Body})
	}
	restriction, err := s.Consents.RestrictionOf(v.ctx(), v.session.Person)
	if restriction.Kind != "" {
		d.Restriction = &dataRestriction{restriction.Kind, v.moment(restriction.At), v.moment(restriction.Lifts)}
	}
	return err
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

func (v *visit) place(o recruitment.Participant) dataPlace {
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
		d.Talks = append(d.Talks, dataTalk{exports.Date(t.HeldOn), t.Mode, max(t.Minutes, 0)})
	}
	matrix, err := s.Interviews.Matrix(v.ctx(), study)
	for _, theme := range matrix.Themes {
		if mark := matrix.Marks[theme.Key][person]; mark != interviews.None {
			d.Themes = append(d.Themes, dataTheme{theme.Label, string(mark)})
		}
	}
	return err
}

// surveyData is their part in each survey, with what they answered: drafts and what was sent. Whoever opens their link within
// its time sees it, as they see the rest of this page.
func (s *Server) surveyData(v *visit, d *ownData) error {
	parts, err := s.Surveys.PartsOf(v.ctx(), v.study.ID, v.session.Person)
	for _, p := range parts {
		d.Surveys = append(d.Surveys, v.dataSurvey(p))
	}
	return err
}

func (v *visit) dataSurvey(p surveys.Part) dataSurvey {
	lang := cmp.Or(p.Lang, v.text.Lang())
	in := func(t surveys.Text) string { return t.In(lang, p.Form.Languages...) }
	d := dataSurvey{Title: in(p.Title), Code: p.Code, Role: p.Role, Size: p.Size, State: string(p.State), Invited: v.moment(p.InvitedAt),
		Lang: p.Lang, Saved: v.moment(p.SavedAt), Sent: v.moment(p.SubmittedAt)}
	for _, q := range p.Form.Questions() {
		if value, answered := p.Answers[q.Name]; answered {
			d.Answers = append(d.Answers, dataSurveyLine{q.Name, in(q.Label), value, answerText(&p.Form, q, value, lang)})
		}
	}
	return d
}

// requestData is what they asked of the team.
func (s *Server) requestData(v *visit, d *ownData) error {
	tasks, err := s.Consents.TasksOf(v.ctx(), v.study.ID, v.session.Person)
	for _, t := range tasks {
		d.Requests = append(d.Requests, dataRequest{v.moment(t.MadeAt), t.Kind, v.moment(t.DueAt), t.Extended, v.moment(t.DoneAt)})
	}
	return err
}

// trafficData is what went to them and came from them, and what the log says.
func (s *Server) trafficData(v *visit, d *ownData) error {
	study, person := v.study.ID, v.session.Person
	mails, err := s.Outbox.To(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, m := range mails {
		d.Mails = append(d.Mails, dataMail{v.moment(m.CreatedAt), m.Kind, string(m.State), v.moment(m.DoneAt)})
	}
	all, err := s.Links.Of(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, l := range all {
		d.Links = append(d.Links, dataLink{string(l.Purpose), v.moment(l.ExpiresAt)})
	}
	visits, err := s.Auth.Visits(v.ctx(), study, person)
	if err != nil {
		return err
	}
	for _, one := range visits {
		d.Visits = append(d.Visits, dataVisit{v.moment(one.StartedAt), v.moment(one.SeenAt)})
	}
	return s.logData(v, d)
}

// logData names colleagues, as the letter does, and no other participant.
func (s *Server) logData(v *visit, d *ownData) error {
	entries, err := s.Audit.About(v.ctx(), v.study.ID, v.session.Person)
	if err != nil {
		return err
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsIn(entries), nil)
	if err != nil {
		return err
	}
	for _, e := range entries {
		who := v.text.T("rights.log.other")
		switch {
		case e.Actor == audit.Participant(v.session.Person):
			who = v.text.T("rights.log.you")
		case !strings.HasPrefix(string(e.Actor), personActor):
			who = actorName(v.text, e.Actor, names)
		}
		d.Log = append(d.Log, dataEntry{v.moment(e.At), who, e.Action, actionText(v.text, e, names)})
	}
	return nil
}

// Says is how a theme's mark reads to the person themselves.
func (p myDataPage) Says(mark string) string { return p.T("my.data.mark." + mark) }

// Asked says what somebody asked for, or what the team has to do for them.
func (p myDataPage) Asked(kind string) string {
	if key := "rights.asked." + kind; p.Has(key) {
		return p.T(key)
	}
	return p.T("tasks.short." + kind)
}

// Said is a moment in words.
func (p myDataPage) Said(at time.Time) string { return p.Day(at.UnixMilli()) }

// SaidFully is a moment in words, with its time of day.
func (p myDataPage) SaidFully(at time.Time) string { return p.Instant(at.UnixMilli()) }

// HeldOn is a date without a time, in words.
func (p myDataPage) HeldOn(date exports.Date) string {
	day, err := time.ParseInLocation(time.DateOnly, string(date), p.Zone)
	if err != nil {
		return string(date)
	}
	return p.Day(day.UnixMilli())
}
