package main

import (
	"context"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
)

// ChangeConsent records what somebody answered. A yes to the conversation that becomes a no cancels their appointments in
// the same transaction, and before the answer: that is the order in which booking takes its turns.
func (p *people) ChangeConsent(ctx context.Context, actor audit.Actor, act consents.Act) error {
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		standing, err := p.Consents.Standing(ctx, tx, act.Study, act.Person, consents.Interview)
		if err != nil {
			return err
		}
		if yes, asked := act.Answers[consents.Interview]; asked && !yes && standing == consents.Yes {
			if err := p.Scheduling.CancelAllTx(ctx, tx, actor, act.Study, act.Person); err != nil {
				return err
			}
		}
		_, err = p.Consents.RecordTx(ctx, tx, actor, act)
		return err
	})
}
