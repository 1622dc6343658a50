package main

import (
	"context"
	"errors"
	"slices"

	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

// Book seals what is said about an appointment and then makes it, so that no appointment points to words that are not there.
// Words without an appointment, as a crash between the two leaves them, hurt nobody and go with the person.
func (p *people) Book(ctx context.Context, actor audit.Actor, r scheduling.Request, words handlers.Words) (b scheduling.Booking, err error) {
	err = p.saying(ctx, actor, r.Study, r.Person, words, func(where, message id.Note) error {
		r.Where, r.Message = where, message
		b, err = p.Scheduling.Book(ctx, actor, r)
		return err
	})
	return b, err
}

// ChangeBooking changes an appointment, and forgets the words that it no longer points to.
func (p *people) ChangeBooking(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, c scheduling.Change, words handlers.Words, byStaff bool) error {
	before, err := p.Scheduling.Get(ctx, study, booking)
	if err != nil {
		return err
	}
	var after scheduling.Booking
	err = p.saying(ctx, actor, study, before.Person, words, func(where, message id.Note) error {
		c.Where, c.Message = where, message
		after, err = p.Scheduling.Change(ctx, actor, study, booking, c, byStaff)
		return err
	})
	if err != nil {
		return err
	}
	return p.forgetWords(ctx, before, after.Where, after.Message)
}

// CancelBooking cancels an appointment, and forgets where it was to be.
func (p *people) CancelBooking(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, seen int64, words handlers.Words, byStaff bool) error {
	before, err := p.Scheduling.Get(ctx, study, booking)
	if err != nil {
		return err
	}
	var kept id.Note
	err = p.saying(ctx, actor, study, before.Person, words, func(_, message id.Note) error {
		kept = message
		return p.Scheduling.Cancel(ctx, actor, study, booking, seen, message, byStaff)
	})
	if err != nil {
		return err
	}
	return p.forgetWords(ctx, before, kept)
}

// saying seals words, hands their names to an act, and forgets them again if the act surely did not happen.
func (p *people) saying(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, words handlers.Words, act func(where, message id.Note) error) error {
	if err := p.Repeated(ctx); err != nil {
		return err
	}
	if err := errs.Gather(identities.CheckNote("where", words.Where), identities.CheckNote("message", words.Message)); err != nil {
		return err
	}
	where, err := p.Vault.AddNote(database.WithoutOnce(ctx), actor, study, person, words.Where)
	if err != nil {
		return err
	}
	message, err := p.Vault.AddNote(database.WithoutOnce(ctx), actor, study, person, words.Message)
	if err != nil {
		return err
	}
	err = act(where, message)
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.Forbidden, errs.NotFound: // of other errors nobody knows
		return errors.Join(err, p.dropNotes(ctx, study, person, where, message))
	}
	return err
}

// forgetWords drops what an appointment said before, except these.
func (p *people) forgetWords(ctx context.Context, before scheduling.Booking, kept ...id.Note) error {
	old := slices.DeleteFunc([]id.Note{before.Where, before.Message}, func(note id.Note) bool { return slices.Contains(kept, note) })
	return p.dropNotes(ctx, before.Study, before.Person, old...)
}

func (p *people) dropNotes(ctx context.Context, study id.Study, person id.Person, notes ...id.Note) error {
	for _, note := range notes {
		if note == "" {
			continue
		}
		if err := p.Vault.DropNote(ctx, study, person, note); err != nil {
			return err
		}
	}
	return nil
}

// unsaying forgets, after an act that may have cancelled somebody's appointments, what was said about those.
func (p *people) unsaying(ctx context.Context, study id.Study, person id.Person, act func() error) error {
	before, err := p.Scheduling.Of(ctx, study, person)
	if err != nil {
		return err
	}
	if err := act(); err != nil || len(before) == 0 {
		return err
	}
	after, err := p.Scheduling.Of(ctx, study, person)
	if err != nil {
		return err
	}
	var kept []id.Note
	for _, b := range after {
		kept = append(kept, b.Where, b.Message)
	}
	for _, b := range before {
		if err := p.forgetWords(ctx, b, kept...); err != nil {
			return err
		}
	}
	return nil
}
