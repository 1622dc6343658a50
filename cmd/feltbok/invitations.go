package main

import (
	"context"
	"errors"
	"slices"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// lettersAtOnce is how many letters one transaction writes: enough to be cheap, few enough to let others in between.
const lettersAtOnce = 500

// Sieve returns what says of some of a study's people why they would get no letter, without opening anybody. It may be
// asked about as many as there are, in portions.
func (p *people) Sieve(ctx context.Context, study studies.Study) (handlers.Sieve, error) {
	published := map[string]bool{}
	for _, audience := range []string{consents.Company, consents.Administration} {
		_, err := p.Consents.Current(ctx, study.ID, audience, "")
		if err != nil && !errors.Is(err, consents.ErrNoLetter) {
			return nil, err
		}
		published[audience] = err == nil
	}
	var asked []id.Person // those before, who take places from those behind
	return func(some []recruitment.Participant) ([]handlers.Hindrance, error) {
		persons := make([]id.Person, len(some))
		for i, one := range some {
			persons[i] = one.ID
		}
		reach, err := p.Vault.Reach(ctx, study.ID, persons...)
		if err != nil {
			return nil, err
		}
		holders, err := p.Outbox.Holders(ctx, study.ID, handlers.MailLetter, persons)
		if err != nil {
			return nil, err
		}
		stopped, err := p.Consents.Stopped(ctx, p.db, study.ID, consents.Interview, persons)
		if err != nil {
			return nil, err
		}
		found := make([]handlers.Hindrance, len(some))
		for i, one := range some {
			if found[i] = hindrance(one, reach[one.ID], stopped[one.ID], published[one.Audience], holders[one.ID]); found[i] == "" {
				asked = append(asked, one.ID)
			}
		}
		full, err := p.Recruitment.FullInOrder(ctx, study.ID, asked)
		for i, one := range some {
			if found[i] == "" && slices.Contains(full, one.ID) {
				found[i] = handlers.QuotaFull
			}
		}
		asked = slices.DeleteFunc(asked, func(person id.Person) bool { return slices.Contains(full, person) })
		return found, err
	}, nil
}

// hindrance is the gravest reason why somebody would get no letter, or "".
func hindrance(one recruitment.Participant, reach identities.Reach, stopped error, published, has bool) handlers.Hindrance {
	switch {
	case one.State == recruitment.Withdrawn:
		return handlers.IsOut
	case reach.Barred:
		return handlers.NoContact
	case errors.Is(stopped, consents.ErrRestricted):
		return handlers.OnlyKept
	case one.State == recruitment.Declined || stopped != nil:
		return handlers.SaidNo
	case one.State == recruitment.Ineligible:
		return handlers.NotEligible
	case one.State.Answered():
		return handlers.HasAnswered
	case !reach.Email:
		return handlers.NoAddress
	case !published:
		return handlers.NoLetter
	case has || one.State == recruitment.Informed:
		return handlers.HasLetter
	}
	return ""
}

// SendLetters puts letters of a batch into the queue, spread as the batch says, and notes that those people are informed.
// Whoever said no or left meanwhile gets none, nor, unless batch.Anyway, does whoever no goal has room for any more. It adds
// to batch.Size what it put there.
func (p *people) SendLetters(ctx context.Context, actor audit.Actor, batch *recruitment.Batch, persons []id.Person) error {
	for len(persons) > 0 {
		some := persons[:min(lettersAtOnce, len(persons))]
		persons = persons[len(some):]
		n, err := p.sendSome(ctx, actor, *batch, some)
		if err != nil {
			return err
		}
		batch.Size += n
	}
	return nil
}

func (p *people) sendSome(ctx context.Context, actor audit.Actor, batch recruitment.Batch, persons []id.Person) (sent int, err error) {
	err = p.db.Tx(ctx, func(tx *database.Tx) error {
		sent = 0
		var full []id.Person
		if !batch.Anyway {
			if full, err = p.Recruitment.Room(ctx, tx, batch.Study, persons); err != nil {
				return err
			}
		}
		// Before their rows are held: of a restriction that comes in between the letter itself hears, when it is sent.
		stopped, err := p.Consents.Stopped(ctx, tx, batch.Study, consents.Interview, persons)
		if err != nil {
			return err
		}
		for _, person := range persons {
			if slices.Contains(full, person) || stopped[person] != nil {
				continue
			}
			// Their row is held from here: a no that came meanwhile is seen, and one that comes now waits.
			may, err := p.Recruitment.InformTx(ctx, tx, actor, batch.Study, person)
			if err != nil {
				return err
			}
			if !may {
				continue
			}
			err = p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: batch.Study, Person: person, Kind: handlers.MailLetter, Batch: batch.ID,
				NotBefore: batch.LeavesAt(batch.Size + sent), Key: handlers.MailLetter + ":" + string(batch.ID) + ":" + string(person)})
			if err != nil {
				return err
			}
			sent++
		}
		if sent == 0 {
			return nil
		}
		return p.Recruitment.PutBatchTx(ctx, tx, actor, batch, sent)
	})
	return sent, err
}

// StopLetters takes back what of a batch has not left. Those people were not informed after all, unless something has
// happened since.
func (p *people) StopLetters(ctx context.Context, actor audit.Actor, study id.Study, batch id.Batch) error {
	if _, err := p.Recruitment.Batch(ctx, study, batch); err != nil {
		return err
	}
	for {
		persons, err := p.Outbox.BatchWaiting(ctx, batch, lettersAtOnce)
		if err != nil {
			return err
		}
		err = p.db.Tx(ctx, func(tx *database.Tx) error {
			if err := p.takeBack(ctx, tx, actor, study, batch, persons); err != nil {
				return err
			}
			return p.Recruitment.StopBatchTx(ctx, tx, actor, study, batch)
		})
		if err != nil || len(persons) < lettersAtOnce {
			return err
		}
	}
}

func (p *people) takeBack(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, batch id.Batch, persons []id.Person) error {
	if len(persons) == 0 {
		return nil
	}
	for _, person := range persons { // before their mails, as whoever leaves does
		if err := p.Recruitment.HoldTx(ctx, tx, study, person); err != nil && errs.KindOf(err) != errs.NotFound {
			return err
		}
	}
	spared, err := p.Outbox.DropBatch(ctx, tx, batch, persons)
	if err != nil {
		return err
	}
	for _, person := range spared {
		if err := p.Recruitment.UninformTx(ctx, tx, actor, study, person); err != nil {
			return err
		}
	}
	return nil
}
