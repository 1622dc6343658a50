package handlers

import (
	"context"
	"errors"
	"slices"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/internal/natural"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// unfinished is what a study has not brought to its end.
type unfinished struct{ Appointments, Mails, Tasks, Unanswered, Surveys int }

// None says that nothing is left to do.
func (u unfinished) None() bool { return u == unfinished{} }

func (s *Server) unfinished(ctx context.Context, study id.Study) (u unfinished, err error) {
	bookings, err := s.Scheduling.All(ctx, study)
	if err != nil {
		return u, err
	}
	for _, b := range bookings {
		if b.State == scheduling.Booked {
			u.Appointments++
		}
	}
	waiting, err := s.Outbox.Counts(ctx, study)
	if err != nil {
		return u, err
	}
	u.Mails = waiting[mail.Waiting]
	tasks, err := s.Consents.OpenTasks(ctx, study)
	if err != nil {
		return u, err
	}
	u.Tasks = len(tasks)
	if u.Unanswered, err = s.Recruitment.At(ctx, study, recruitment.StageAsked); err != nil {
		return u, err
	}
	all, err := s.Surveys.List(ctx, study)
	for _, one := range all {
		if one.State == surveys.StateOpen {
			u.Surveys++
		}
	}
	return u, err
}

// fewest is below how many people a group can be recognised.
const fewest = 5

// smallGroup is one of the groups of a study in which people can be recognised.
type smallGroup struct {
	Case, Size string
	People     int
}

// endPage leads to the end of a study, shows how far it has come, and then to the certificate.
type endPage struct {
	subject
	Days       int // until the last day; below 0 it is over
	LastDay    string
	Left       unfinished
	Groups     []smallGroup
	ExportedAt int64 // UTC milliseconds; 0 never
	Stale      bool  // an answer has come since
	People     int   // who take part, in one way or another
	Checked    bool
	Found      []suspect
	More       bool // not all that was found is shown, or not all was looked at
	Ending     studies.Ending
	InVault    int64 // persons who are still there while it goes on
	InStudy    int64
}

// Fates are offered side by side; nothing is chosen beforehand.
func (p endPage) Fates() []choice {
	return p.worded("ending.fate", string(studies.Delete), string(studies.Anonymise))
}

// Promised is what the record, and so the letters, say will become of the data.
func (p endPage) Promised() string { return p.T("ending.promised." + string(p.Study.AtEnd)) }

func (p endPage) Farewells() []choice { return p.worded("ending.farewell", "yes", "no") }

func (s *Server) end(v *visit) error {
	p, err := s.endPage(v)
	if err != nil {
		return err
	}
	return v.show("staff/end", p)
}

func (s *Server) endPage(v *visit) (p endPage, err error) {
	p = endPage{subject: v.subject("ending", "ending.title"), LastDay: dayInWords(v.page(""), v.study.EndsOn)}
	p.Here = "settings"
	p.Days = daysBetween(v.now().In(v.zone()), v.study.Day(v.study.EndsOn))
	if v.study.ClosedAt > 0 {
		return p, s.fillEnded(v, &p)
	}
	if p.Left, err = s.unfinished(v.ctx(), v.study.ID); err != nil {
		return p, err
	}
	if p.ExportedAt, err = s.Audit.Last(v.ctx(), v.study.ID, "export.made"); err != nil {
		return p, err
	}
	last, err := s.Surveys.LastAnswerAt(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	p.Stale = p.ExportedAt > 0 && last > p.ExportedAt
	people, _, err := s.Vault.Total(v.ctx(), v.study.ID) // an informant may be a respondent too
	if err != nil {
		return p, err
	}
	p.People = int(people)
	groups, err := s.Recruitment.SmallGroups(v.ctx(), v.study.ID, fewest)
	for _, g := range groups {
		c, _ := v.study.Case(g.Case)
		size := ""
		if g.Size != "" {
			size = v.text.T("recruitment.size." + string(g.Size))
		}
		p.Groups = append(p.Groups, smallGroup{c.Code, size, g.People})
	}
	slices.SortStableFunc(p.Groups, func(a, b smallGroup) int { return natural.Compare(a.Case, b.Case) })
	return p, err
}

// taking counts who is in a study, as a candidate or as a respondent.
func (s *Server) taking(ctx context.Context, study id.Study) (int64, error) {
	present, err := s.Recruitment.Present(ctx, study)
	if err != nil {
		return 0, err
	}
	respondents, _, err := s.Surveys.Totals(ctx, study)
	return present + respondents, err
}

func (s *Server) fillEnded(v *visit, p *endPage) (err error) {
	if p.Ending, err = s.Studies.Ending(v.ctx(), v.study.ID); err != nil {
		return err
	}
	if p.InVault, _, err = s.Vault.Total(v.ctx(), v.study.ID); err != nil {
		return err
	}
	p.InStudy, err = s.Recruitment.Present(v.ctx(), v.study.ID)
	return err
}

// endNow ends the study for good.
func (s *Server) endNow(v *visit) error {
	p := endPage{subject: v.subject("ending", "ending.title")}
	err := gatherFaults(v.chosen("fate", p.Fates()), v.chosen("farewell", p.Farewells()))
	if err == nil {
		err = s.People.End(v.ctx(), v.actor(), v.study.ID, studies.Fate(v.value("fate")), v.value("farewell") == "yes")
	}
	if errs.KindOf(err) == errs.Invalid {
		full, broken := s.endPage(v)
		if broken != nil {
			return broken
		}
		full.Form = v.refused("ending", err)
		return v.again(err, "staff/end", full)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/end"), "study_ended")
}

// checkEnd is what is wrong with another last day: those who take part were told the old one.
func (s *Server) checkEnd(v *visit, changed studies.Study) error {
	if changed.EndsOn == v.study.EndsOn || changed.Day(changed.EndsOn).IsZero() {
		return nil
	}
	if !changed.End().After(v.now()) {
		return faultAt(errs.Invalid, "ends_on", "studies.ends_past")
	}
	var check errs.Check
	check.AtMost("ends_reason", v.value("ends_reason"), mostReason)
	if changed.EndsOn > v.study.EndsOn && v.value("ends_reason") == "" {
		people, err := s.taking(v.ctx(), v.study.ID)
		if err != nil {
			return err
		}
		if people > 0 {
			check.Add("ends_reason", "required")
		}
	}
	return check.Err()
}

const mostReason = 1000 // characters

func (s *Server) writeFarewell(ctx context.Context, l *draft) error {
	e, err := s.Studies.Ending(ctx, l.study.ID)
	if err != nil {
		return err
	}
	l.fields["What"] = l.text.T("mail.farewell.what." + string(e.Fate))
	return nil
}

// writeProlonged tells whoever still takes part; a later change has mails of its own.
func (s *Server) writeProlonged(ctx context.Context, l *draft) error {
	if l.row.Params["ends_on"] != l.study.EndsOn {
		return mail.ErrStale
	}
	state, err := s.Consents.State(ctx, l.study.ID, l.row.Person)
	if err != nil {
		return err
	}
	if !state.Agrees() {
		return mail.ErrStale
	}
	l.fields["Last"] = l.text.Date(l.study.Day(l.study.EndsOn), "date")
	l.fields["Reason"], err = s.Studies.EndReason(ctx, l.study.ID)
	return err
}

func (s *Server) writeEndWarning(ctx context.Context, l *draft) error {
	if l.row.Params["ends_on"] != l.study.EndsOn {
		return mail.ErrStale
	}
	left, err := s.unfinished(ctx, l.study.ID)
	if err != nil {
		return err
	}
	l.fields["Last"] = l.text.Date(l.study.Day(l.study.EndsOn), "date")
	l.fields["Fate"] = l.text.T("mail.end_warning.fate." + string(l.study.AtEnd))
	l.fields["Appointments"], l.fields["Mails"], l.fields["Tasks"], l.fields["Unanswered"] = left.Appointments, left.Mails, left.Tasks, left.Unanswered
	l.fields["Final"] = l.row.Params["which"] == string(studies.OneDay)
	path := s.BaseURL + "/studies/" + string(l.study.ID)
	l.fields["End"], l.fields["Settings"] = path+"/end", path+"/settings"
	return nil
}

// certificatePage is the deletion certificate: counts and rules, and nobody.
type certificatePage struct {
	base
	Ending studies.Ending
	By     string
	Whole  bool // it says what was certified
}

// count is one line of the certificate.
type count struct {
	Key string
	N   int64
}

// Lines are the counts in their order.
func (p certificatePage) Lines() []count {
	c := p.Ending.Counts
	lines := []count{{"participants", c.Participants}, {"respondents", c.Respondents}, {"identities", c.Identities}, {"tips", c.Tips}, {"lists", c.Lists},
		{"keys", c.Keys}, {"consents", c.Consents}, {"bookings", c.Bookings}, {"interviews", c.Interviews}, {"answers", c.Answers}, {"mails", c.Mails}}
	if p.Ending.Farewell {
		lines = append(lines, count{"told", c.Told}, count{"untold", c.Untold})
	}
	return lines
}

// LastDay is the last day that was promised, in words.
func (p certificatePage) LastDay() string { return dayInWords(p.base, p.Ending.EndsOn) }

var errNoCertificate = errs.New(errs.NotFound, "no_certificate")

func (s *Server) certificatePage(v *visit) (p certificatePage, err error) {
	p.base = v.page("certificate.title")
	p.Ending, err = s.Studies.Ending(v.ctx(), v.study.ID)
	if errors.Is(err, studies.ErrUnknown) || err == nil && p.Ending.FinishedAt == 0 {
		return p, errNoCertificate
	}
	if err != nil {
		return p, err
	}
	p.Here, p.Whole = "settings", p.Ending.Digest() == p.Ending.Hash
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsOf(p.Ending.By), nil)
	p.By = actorName(p.Text, p.Ending.By, names)
	return p, err
}

func (s *Server) certificate(v *visit) error {
	p, err := s.certificatePage(v)
	if err != nil {
		return err
	}
	return v.show("staff/certificate", p)
}

// certificateFile is the certificate as plain text, to be kept elsewhere.
func (s *Server) certificateFile(v *visit) error {
	p, err := s.certificatePage(v)
	if err != nil {
		return err
	}
	v.download("feltbok-certificate.txt", "text/plain; charset=utf-8", []byte(p.Plain()))
	return nil
}

// daysLeft is how many days a study has, to be shown from a month before its end; shown is false before that.
func (v *visit) daysLeft() (days int, shown bool) {
	now := v.now()
	if v.study.ClosedAt > 0 || now.Before(v.study.End().AddDate(0, -1, 0)) {
		return 0, false
	}
	return max(daysBetween(now.In(v.zone()), v.study.Day(v.study.EndsOn)), 0), true
}
