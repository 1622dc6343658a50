package main

import (
	"context"
	"log/slog"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Refuse keeps that a person does not want to be contacted again. In one transaction whatever they did not ask for stops;
// what follows keeps the fingerprint of their address. What they said yes to stays, and so does an appointment. Doing it
// twice is doing it once. It returns when the first is on disk, as Withdraw does.
func (p *people) Refuse(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	return p.refuseAnd(ctx, actor, study, person, nothingElse)
}

// refuseAnd is Refuse with what else is written in the same transaction.
func (p *people) refuseAnd(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, also func(*database.Tx) error) error {
	reach, err := p.Vault.Reach(ctx, study, person)
	if err != nil {
		return err
	}
	var intent id.Intent
	err = p.db.Tx(ctx, func(tx *database.Tx) error {
		if err := p.present(ctx, tx, study, person); err != nil {
			return err
		}
		fresh, err := p.silence(ctx, tx, actor, study, person)
		if err != nil {
			return err
		}
		if err := also(tx); err != nil || !fresh && reach[person].Barred {
			return err
		}
		if intent, err = p.Intents.Begin(ctx, tx, study, person, refuse, acted{By: actor}); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "person.refused", Study: study, Person: person})
	})
	if err != nil || intent == "" {
		return err
	}
	if err := p.Intents.Finish(ctx, intent); err != nil {
		slog.ErrorContext(ctx, "refusal goes on in the background", "err", err)
	}
	return nil
}

// silence ends what would still be said to the person unasked, and says whether there was anything to end.
func (p *people) silence(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) (fresh bool, err error) {
	moved, err := p.Recruitment.RefuseTx(ctx, tx, study, person, actor)
	if err != nil {
		return false, err
	}
	put, err := p.Surveys.RefuseTx(ctx, tx, study, person)
	if err != nil {
		return false, err
	}
	dropped, err := p.Outbox.DropTo(ctx, tx, person, handlers.Unasked...)
	return moved || put || dropped, err
}

// mayAsk is handlers.ErrRefused for somebody who asked not to be contacted again.
func (p *people) mayAsk(ctx context.Context, study id.Study, person id.Person) error {
	reach, err := p.Vault.Reach(ctx, study, person)
	if err == nil && reach[person].Barred {
		return handlers.ErrRefused
	}
	return err
}
