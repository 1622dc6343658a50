package handlers

import (
	"context"
	"maps"
	"slices"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// outboxPage is the mail that waits or did not arrive. It shows codes, and no addresses.
type outboxPage struct {
	base
	Rows   []outboxRow
	Counts map[mail.State]int
	Email  string           // the visitor's own, where the test goes
	Held   *mail.Quarantine // nil unless mail waits since a backup was put back
}

// Decides says whether the visitor may say what becomes of the queue.
func (p outboxPage) Decides() bool { return p.Role == studies.Owner }

// Fates are what can become of it. Neither is chosen beforehand: mail twice, or none, only the team can weigh.
func (p outboxPage) Fates() field {
	return p.Radio("fate", worded(asking{p.base}, "outbox.held.fate.", []mail.Fate{mail.SendOverdue, mail.DropOverdue}), "label=outbox.held.question", "hint=")
}

// Reminders says whether some mail waits that may turn out not to be needed.
func (p outboxPage) Reminders() bool {
	return slices.ContainsFunc(p.Rows, func(r outboxRow) bool { return r.Kind == scheduling.MailReminder && r.State == mail.Waiting })
}

type outboxRow struct {
	mail.Row
	Whom string
}

// namesOf maps what a log or an outbox points to onto what may be shown: the names of staff, the codes of participants.
type namesOf struct {
	accounts map[id.Account]string
	codes    map[id.Person]string
}

// namesOf looks up those who are named on a page, and nobody else.
func (s *Server) namesOf(ctx context.Context, study id.Study, accounts []id.Account, persons []id.Person) (n namesOf, err error) {
	if n.accounts, err = s.accountNames(ctx, accounts...); err != nil {
		return n, err
	}
	if n.codes, err = s.Surveys.Codes(ctx, study, persons); err != nil {
		return n, err
	}
	participants, err := s.Recruitment.Codes(ctx, study, persons)
	maps.Copy(n.codes, participants)
	return n, err
}

func (s *Server) outbox(v *visit) error {
	p, err := s.outboxPageOf(v)
	if err != nil {
		return err
	}
	return v.show("staff/outbox", p)
}

func (s *Server) outboxPageOf(v *visit) (outboxPage, error) {
	p := outboxPage{base: v.page("outbox.title")}
	p.Here = "settings"
	own, err := s.Auth.Account(v.ctx(), v.session.Account)
	if err != nil {
		return p, err
	}
	p.Email = own.Email
	if p.Counts, err = s.Outbox.Counts(v.ctx(), v.study.ID); err != nil {
		return p, err
	}
	if p.Held, err = s.Outbox.Held(v.ctx(), v.study.ID); err != nil {
		return p, err
	}
	rows, err := s.Outbox.Status(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	var accounts []id.Account
	var persons []id.Person
	for _, row := range rows {
		if row.Account != "" {
			accounts = append(accounts, row.Account)
		} else {
			persons = append(persons, row.Person)
		}
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accounts, persons)
	for _, row := range rows {
		p.Rows = append(p.Rows, outboxRow{row, names.accounts[row.Account] + names.codes[row.Person]})
	}
	return p, err
}

// outboxTest sends a mail to oneself.
func (s *Server) outboxTest(v *visit) error {
	err := s.Outbox.Send(v.ctx(), mail.Mail{Study: v.study.ID, Account: v.session.Account, Kind: MailTest})
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/mail"), "mail_tested")
}

func (s *Server) outboxRetry(v *visit) error {
	if err := s.Outbox.Retry(v.ctx(), v.actor(), v.study.ID, id.Mail(v.value("mail"))); err != nil {
		return s.outboxAgain(v, err)
	}
	return v.seeOther(v.studyPath("/mail"), "mail_retried")
}

// outboxRelease lets mail go again after a backup was put back.
func (s *Server) outboxRelease(v *visit) error {
	if err := s.Outbox.Release(v.ctx(), v.actor(), v.study.ID, mail.Fate(v.value("fate"))); err != nil {
		return s.outboxAgain(v, err)
	}
	return v.seeOther(v.studyPath("/mail"), "mail_released")
}

func (s *Server) outboxAgain(v *visit, cause error) error {
	if !mendable(cause) {
		return cause
	}
	p, err := s.outboxPageOf(v)
	if err != nil {
		return err
	}
	p.Form = v.againForm(cause)
	return v.again(cause, "staff/outbox", p)
}
