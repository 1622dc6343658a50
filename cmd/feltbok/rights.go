package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"
)

// Request keeps what a person asks of the team as a task that is due in a month, with a receipt. A restriction, and an
// objection, take effect in the same transaction. What they wrote goes into the vault first, as LogContact does it.
func (p *people) Request(ctx context.Context, actor audit.Actor, study studies.Study, person id.Person, kind, text string) error {
	if err := p.Repeated(ctx); err != nil {
		return err
	}
	zone, err := time.LoadLocation(study.Zone)
	if err != nil {
		return err
	}
	task := consents.Task{Study: study.ID, Person: person, Kind: kind}
	if task.Code, err = p.codeOf(ctx, study.ID, person); err != nil {
		return err
	}
	if task.Note, err = p.Vault.AddNote(database.WithoutOnce(ctx), actor, study.ID, person, text); err != nil {
		return err
	}
	err = p.request(ctx, actor, study, zone, task)
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound: // surely not kept; of other errors nobody knows
		if task.Note != "" {
			err = errors.Join(err, p.Vault.DropNote(ctx, study.ID, person, task.Note))
		}
	}
	return err
}

// request does what is asked for at once, as far as a program can. Under consent there is nothing to object to but being
// contacted: the use ends by taking the consent back.
func (p *people) request(ctx context.Context, actor audit.Actor, study studies.Study, zone *time.Location, task consents.Task) error {
	keep := func(tx *database.Tx) error { return p.keepRequest(ctx, tx, actor, zone, task) }
	switch {
	case task.Kind == consents.AnswerObject && study.LegalBasis != studies.PublicInterest:
		return p.refuseAnd(ctx, actor, study.ID, task.Person, keep)
	case task.Kind == consents.AnswerObject:
		return p.restrict(ctx, actor, task, consents.Object, keep)
	case task.Kind == consents.AnswerRestrict:
		return p.restrict(ctx, actor, task, consents.Restrict, keep)
	}
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		if err := p.present(ctx, tx, study.ID, task.Person); err != nil {
			return err
		}
		return keep(tx)
	})
}

// restrict stops everything but keeping: appointments are cancelled, and what nobody asked for is not sent.
func (p *people) restrict(ctx context.Context, actor audit.Actor, task consents.Task, kind string, also func(*database.Tx) error) error {
	restrict := func(tx *database.Tx) error {
		if err := p.present(ctx, tx, task.Study, task.Person); err != nil {
			return err
		}
		if err := p.Scheduling.CancelAllTx(ctx, tx, actor, task.Study, task.Person); err != nil {
			return err
		}
		if err := p.Consents.RestrictTx(ctx, tx, actor, task.Study, task.Person, kind); err != nil {
			return err
		}
		if _, err := p.Outbox.DropTo(ctx, tx, task.Person, handlers.Unasked...); err != nil {
			return err
		}
		return also(tx)
	}
	return p.unsaying(ctx, task.Study, task.Person, func() error { return p.db.Tx(ctx, restrict) })
}

func (p *people) keepRequest(ctx context.Context, tx *database.Tx, actor audit.Actor, zone *time.Location, task consents.Task) error {
	kept, err := p.Consents.RequestTx(ctx, tx, actor, zone, task)
	if err != nil {
		return err
	}
	return p.Outbox.Enqueue(ctx, tx, aboutTask(handlers.MailRequest, kept))
}

// aboutTask tells a person until when they are answered.
func aboutTask(kind string, t consents.Task) mail.Mail {
	return mail.Mail{Study: t.Study, Person: t.Person, Kind: kind, Key: kind + ":" + string(t.ID),
		Params: map[string]string{"request": t.Kind, "due": strconv.FormatInt(t.DueAt, 10)}}
}

// codeOf is what a person is called in the study, or in a survey of it.
func (p *people) codeOf(ctx context.Context, study id.Study, person id.Person) (string, error) {
	one, err := p.Recruitment.Get(ctx, study, person)
	if errs.KindOf(err) != errs.NotFound {
		return one.Code, err
	}
	codes, err := p.Surveys.Codes(ctx, study, []id.Person{person})
	return codes[person], err
}

// Release ends a restriction a day from now, and tells the person so.
func (p *people) Release(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		if err := p.present(ctx, tx, study, person); err != nil {
			return err
		}
		ends, err := p.Consents.ReleaseTx(ctx, tx, actor, study, person)
		if err != nil || !ends {
			return err
		}
		lifts := p.now().Add(consents.Notice).UnixMilli()
		return p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: study, Person: person, Kind: handlers.MailReleased,
			Params: map[string]string{"at": strconv.FormatInt(lifts, 10)}})
	})
}

// FinishTask notes that a task is done, or takes that back.
func (p *people) FinishTask(ctx context.Context, actor audit.Actor, study id.Study, task id.Task, done bool) error {
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		if !done {
			return p.Consents.ReopenTaskTx(ctx, tx, actor, study, task)
		}
		return p.Consents.DoneTaskTx(ctx, tx, actor, study, task)
	})
}

// ExtendTask gives a request two months more, and tells the person so in the same transaction.
func (p *people) ExtendTask(ctx context.Context, actor audit.Actor, study studies.Study, task id.Task) error {
	zone, err := time.LoadLocation(study.Zone)
	if err != nil {
		return err
	}
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		t, err := p.Consents.ExtendTaskTx(ctx, tx, actor, zone, study.ID, task)
		if err != nil {
			return err
		}
		return p.Outbox.Enqueue(ctx, tx, aboutTask(handlers.MailExtended, t))
	})
}

// Correct writes what a person corrects about themselves. Where that is the e-mail address, the old one and the new are
// told: by an intent, so that a crash right after the change keeps nobody in the dark.
func (p *people) Correct(ctx context.Context, study id.Study, person id.Person, was, who identities.Identity) error {
	if err := who.Check(); err != nil {
		return err
	}
	change := moved{Former: id.New[id.Note](), New: who.Email != ""}
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if err := p.present(ctx, tx, study, person); err != nil {
			return err
		}
		intent, err = p.Intents.Begin(ctx, tx, study, person, correct, change)
		return err
	})
	if err != nil {
		return err
	}
	err = p.Vault.Correct(ctx, study, person, was, who, change.Former)
	return errors.Join(err, p.Intents.Finish(ctx, intent))
}

// moved is a correction's parameters: by what the address that was left is found, and whether there is another.
type moved struct {
	Former id.Note
	New    bool
}

// tellMoved is Correct's step. Where nothing was left, there is nobody to tell.
func (p *people) tellMoved(ctx context.Context, in intents.Intent) error {
	var m moved
	if err := json.Unmarshal(in.Params, &m); err != nil {
		return fmt.Errorf("read correction: %w", err)
	}
	left, err := p.Vault.Left(ctx, in.Study, in.Person, m.Former)
	if err != nil || !left {
		return err
	}
	kinds := []string{handlers.MailAddressOld}
	if m.New {
		kinds = append(kinds, handlers.MailAddressNew)
	}
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		for _, kind := range kinds {
			err := p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: in.Study, Person: in.Person, Kind: kind,
				Params: map[string]string{"former": string(m.Former)}, Key: kind + ":" + string(m.Former)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// formerKept is how long an address that was left is kept to be told so: longer than a mail server is away.
const formerKept = 7 * 24 * time.Hour

func (p *people) sweepFormer(ctx context.Context, now time.Time) error {
	return p.Vault.ForgetFormer(ctx, now.Add(-formerKept))
}
