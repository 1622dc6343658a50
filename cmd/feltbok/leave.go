package main

import (
	"context"
	"fmt"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// LeaveSurveys takes an informant out of the study's surveys and deletes their answers; the conversation stays. Whoever
// has only been asked in a survey withdraws from the study instead.
func (p *people) LeaveSurveys(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	err := p.db.Tx(ctx, func(tx *database.Tx) error {
		// First, so that answers being sent at this moment are seen here or find the no.
		if _, err := p.Consents.Standing(ctx, tx, study, person, consents.Survey); err != nil {
			return err
		}
		if err := p.Surveys.WithdrawTx(ctx, tx, study, person); err != nil {
			return err
		}
		purposes := []string{consents.Survey, consents.SurveyContact}
		if err := p.Consents.WithdrawTx(ctx, tx, actor, study, person, purposes); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "survey.left", Study: study, Person: person})
	})
	if err != nil {
		return fmt.Errorf("leave surveys: %w", err)
	}
	return nil
}
