package main

import (
	"context"
	"errors"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
)

// SendLetter queues the first mail to a person, or the same again, and notes that they are informed. Whoever said no, or
// is out of the study, gets none: handlers.ErrSaidNo; nor does anybody whose data are only kept: handlers.ErrOnlyKept; nor
// does whoever asked not to be contacted again: handlers.ErrRefused.
// handlers.ErrLetterMissing: nothing is published for them. recruitment.ErrFull: that would ask somebody for whom no goal
// has room, and not anyway.
func (p *people) SendLetter(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, anyway bool) error {
	who, err := p.Recruitment.Get(ctx, study, person)
	if err != nil {
		return err
	}
	if who.State.Refuses() {
		return handlers.ErrSaidNo
	}
	if err := p.mayAsk(ctx, study, person); err != nil {
		return err
	}
	if _, err := p.Consents.Current(ctx, study, who.Audience, ""); errors.Is(err, consents.ErrNoLetter) {
		return handlers.ErrLetterMissing
	} else if err != nil {
		return err
	}
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		full, err := p.Recruitment.Room(ctx, tx, study, []id.Person{person})
		if err != nil {
			return err
		}
		if len(full) > 0 && !anyway {
			return recruitment.ErrFull
		}
		if err := p.present(ctx, tx, study, person); err != nil {
			return err
		}
		// Holding their consent: a no that came meanwhile is not overtaken.
		if err := p.mayWrite(ctx, tx, study, person); err != nil {
			return err
		}
		may, err := p.Recruitment.InformTx(ctx, tx, actor, study, person)
		if err == nil && !may {
			err = handlers.ErrSaidNo
		}
		if err != nil {
			return err
		}
		if err := p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: study, Person: person, Kind: handlers.MailLetter}); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "letter.sent", Study: study, Person: person})
	})
}

// mayWrite asks the gate about the first letter, in the words of the person's page.
func (p *people) mayWrite(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	err := p.Consents.MayBeforeYes(ctx, tx, study, person, consents.Interview)
	switch {
	case errors.Is(err, consents.ErrNo):
		return handlers.ErrSaidNo
	case errors.Is(err, consents.ErrRestricted):
		return handlers.ErrOnlyKept
	}
	return err
}
