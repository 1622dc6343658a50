package handlers

import (
	"cmp"
	"context"
	"maps"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// outboxPage is the mail that waits or did not arrive. It shows codes, and no addresses.
type outboxPage struct {
	base
	Rows   []outboxRow
	Counts map[mail.State]int
	Email  string // the visitor's own, where the test goes
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
	n.accounts = map[id.Account]string{}
	found, err := s.Auth.Accounts(ctx, accounts...)
	if err != nil {
		return n, err
	}
	for account, a := range found {
		n.accounts[account] = cmp.Or(a.Name, a.Email)
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
	err := s.Outbox.Retry(v.ctx(), v.actor(), v.study.ID, id.Mail(v.value("mail")))
	if mendable(err) {
		p, readErr := s.outboxPageOf(v)
		if readErr != nil {
			return readErr
		}
		p.Form = v.againForm(err)
		return v.again(err, "staff/outbox", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/mail"), "mail_retried")
}
