package handlers

import (
	"context"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
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

func (s *Server) namesOf(ctx context.Context, study id.Study, accounts []id.Account) (n namesOf, err error) {
	n = namesOf{accounts: map[id.Account]string{}, codes: map[id.Person]string{}}
	found, err := s.Auth.Accounts(ctx, accounts...)
	if err != nil {
		return n, err
	}
	for account, a := range found {
		n.accounts[account] = a.Name
		if a.Name == "" {
			n.accounts[account] = a.Email
		}
	}
	people, err := s.Recruitment.List(ctx, study, recruitment.Filter{})
	for _, p := range people {
		n.codes[p.ID] = p.Code
	}
	if err != nil {
		return n, err
	}
	all, err := s.Surveys.List(ctx, study)
	if err != nil {
		return n, err
	}
	for _, survey := range all {
		respondents, err := s.Surveys.Respondents(ctx, study, survey.ID)
		if err != nil {
			return n, err
		}
		for _, r := range respondents {
			if n.codes[r.Person] == "" {
				n.codes[r.Person] = r.Code
			}
		}
	}
	return n, nil
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
	for _, row := range rows {
		if row.Account != "" {
			accounts = append(accounts, row.Account)
		}
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accounts)
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
