package main

import (
	"context"
	"errors"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// LogContact writes the note first and then the contact that points to it: a note that nothing points to, as a crash
// between the two leaves, hurts nobody and goes with the person.
func (p *people) LogContact(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, c recruitment.Contact, note string) error {
	if err := p.Repeated(ctx); err != nil {
		return err
	}
	var err error
	if c.Note, err = p.Vault.AddNote(database.WithoutOnce(ctx), actor, study, person, note); err != nil {
		return err
	}
	err = p.Recruitment.LogContact(ctx, actor, study, person, c)
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound: // surely not logged; of other errors nobody knows
		if c.Note != "" {
			err = errors.Join(err, p.Vault.DropNote(ctx, study, person, c.Note))
		}
	}
	return err
}

// UndoContact takes the contact back and then its note, so that no contact ever points to a note that is not there.
func (p *people) UndoContact(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, seq int64) error {
	note, err := p.Recruitment.UndoContact(ctx, actor, study, person, seq)
	if err != nil || note == "" {
		return err
	}
	return p.Vault.DropNote(ctx, study, person, note)
}
