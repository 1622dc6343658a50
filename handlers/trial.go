package handlers

import (
	"slices"
	"strconv"
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/scheduling/ical"
)

// trialSteps are what one sends to one's own calendar, in this order; the place in it is the SEQUENCE. The texts of the mails stand
// in the catalogue after the step.
var trialSteps = []string{"invite", "move", "cancel"}

const (
	trialHour    = 10
	trialMinutes = 60
)

// trialPage lets a member of the team see what invitations do to a calendar before participants get any. What was sent stands in
// the outbox and nowhere else.
type trialPage struct {
	base
	Email string
	Steps []trialStep
}

// trialStep is one of the three. Marks: "done", "half" for the one whose turn it is, "open".
type trialStep struct {
	Key, Mark string
	Sent      mail.Row // the mail, if it was put into the queue
	Turn      bool
}

func (s *Server) trial(v *visit) error {
	newest, found, err := s.Outbox.Newest(v.ctx(), v.study.ID, v.session.Account, MailTrial)
	if err != nil {
		return err
	}
	if v.form != nil {
		return s.trialSend(v, newest, found)
	}
	p := trialPage{base: v.page("trial.title")}
	p.Here, p.Form = "settings", v.newForm(nil)
	own, err := s.Auth.Account(v.ctx(), v.session.Account)
	if err != nil {
		return err
	}
	p.Email = own.Email
	turn := s.turnOf(newest, found)
	for i, key := range trialSteps {
		step := trialStep{Key: key, Mark: "open", Turn: i == turn}
		switch {
		case i < turn, turn == 0 && found && newest.Params["step"] == last(trialSteps):
			step.Mark = "done"
		case i == turn:
			step.Mark = "half"
		}
		if found && key == newest.Params["step"] {
			step.Sent = newest
		}
		p.Steps = append(p.Steps, step)
	}
	return v.show("staff/trial", p)
}

func last(of []string) string { return of[len(of)-1] }

// turnOf is the place of the step that comes next: after the last, and after one whose time has passed, the first.
func (s *Server) turnOf(newest mail.Row, found bool) int {
	next := slices.Index(trialSteps, newest.Params["step"]) + 1
	if !found || next == len(trialSteps) || startsAt(newest, 0) <= s.Now().UnixMilli() {
		return 0
	}
	return next
}

// trialSend puts the next step into the queue. Another step than that, from a page that was left open, does nothing.
func (s *Server) trialSend(v *visit, newest mail.Row, found bool) error {
	turn := s.turnOf(newest, found)
	step := trialSteps[turn]
	if v.value("step") != step {
		return v.seeOther(v.studyPath("/trial"), "")
	}
	sample, start := newest.Params["sample"], time.UnixMilli(startsAt(newest, 0)).In(v.zone())
	switch step {
	case "invite":
		tomorrow := v.now().In(v.zone()).AddDate(0, 0, 1)
		sample, start = id.New[string](), time.Date(tomorrow.Year(), tomorrow.Month(), tomorrow.Day(), trialHour, 0, 0, 0, v.zone())
	case "move":
		start = start.AddDate(0, 0, 1)
	}
	err := s.Outbox.Send(v.ctx(), mail.Mail{Study: v.study.ID, Account: v.session.Account, Kind: MailTrial, Key: MailTrial + "/" + sample + "/" + step,
		Params: map[string]string{"sample": sample, "step": step, "starts_at": strconv.FormatInt(start.UnixMilli(), 10)}})
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/trial"), "trial_"+step)
}

// writeTrial writes an invitation like a real one, of an appointment that there is nowhere else.
func (s *Server) writeTrial(l *draft) (err error) {
	start, step := startsAt(l.row, 0), slices.Index(trialSteps, l.row.Params["step"])
	if start <= s.Now().UnixMilli() || step < 0 {
		return mail.ErrStale
	}
	method := ical.Request
	if l.row.Params["step"] == "cancel" {
		method = ical.Cancel
	}
	b := scheduling.Booking{UID: l.row.Params["sample"], Sequence: step, Mode: scheduling.InPerson, Zone: l.study.Zone,
		StartsAt: start, EndsAt: start + trialMinutes*time.Minute.Milliseconds(), ChangedAt: l.row.CreatedAt}
	l.style, l.fields["When"] = "."+l.row.Params["step"], l.text.Date(b.Start(), i18n.WeekdayTime)
	l.Calendar, err = s.calendar(l, b, method, scheduling.Copy{Summary: l.text.T("trial.summary"), Location: l.text.T("trial.place"),
		Description: l.text.T("trial.description")})
	return err
}
