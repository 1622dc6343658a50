package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// people carries the two acts that touch all three stores: somebody enters a study, somebody leaves it.
type people struct {
	*app
	db      *database.DB
	erasure *studies.Erasure
}

const (
	enrol    = "enrol"
	withdraw = "withdraw"
)

func newPeople(a *app, db *database.DB, now func() time.Time) *people {
	p := &people{app: a, db: db, erasure: studies.NewErasure(db, a.Audit, now, a.erasers()...)}
	a.Intents.Handle(enrol, p.settle)
	a.Intents.Handle(withdraw, p.lastWords, p.destroyKey, p.emptyVault, p.emptyStudy)
	return p
}

// entry is an enrolment's parameters: either a candidate or a respondent.
type entry struct {
	Candidate  *recruitment.Participant `json:",omitempty"`
	Respondent *surveys.Respondent      `json:",omitempty"`
}

var errNotEnrolled = errs.New(errs.Unavailable, "not_enrolled")

// Enrol takes a candidate into the study: an intent, a key, the sealed identity, and at last the row that others see.
// A crash before the identity is written leaves nothing of the person.
func (p *people) Enrol(ctx context.Context, actor audit.Actor, who identities.Identity, c recruitment.Participant) (id.Person, error) {
	c.ID = id.New[id.Person]()
	if err := p.Recruitment.Check(ctx, c); err != nil {
		return "", err
	}
	if err := p.enrol(ctx, actor, c.Study, c.ID, who, entry{Candidate: &c}); err != nil {
		return "", err
	}
	_, err := p.Recruitment.Get(ctx, c.Study, c.ID)
	return c.ID, enrolled(err)
}

// EnrolRespondent takes a respondent into a survey's sampling frame in the same way.
func (p *people) EnrolRespondent(ctx context.Context, actor audit.Actor, who identities.Identity, r surveys.Respondent) (id.Person, error) {
	r.Person = id.New[id.Person]()
	if err := p.enrol(ctx, actor, r.Study, r.Person, who, entry{Respondent: &r}); err != nil {
		return "", err
	}
	_, err := p.Surveys.RespondentOf(ctx, r.Study, r.Survey, r.Person)
	return r.Person, enrolled(err)
}

// enrolled tells the rare caller so slow that the reconciler gave the enrolment up.
func enrolled(err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return errNotEnrolled
	}
	return err
}

func (p *people) enrol(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, who identities.Identity, e entry) error {
	if err := who.Check(); err != nil {
		return err
	}
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		intent, err = p.Intents.Begin(ctx, tx, study, person, enrol, e)
		return err
	})
	if err != nil {
		return err
	}
	if err = p.keys.Create(ctx, person); err == nil {
		err = p.Vault.Put(ctx, actor, "enrol", study, person, who)
	}
	if settled := p.Intents.Finish(ctx, intent); err == nil {
		err = settled
	}
	return err
}

// settle ends an enrolment: with an identity in the vault the person becomes visible, without one nothing stays.
func (p *people) settle(ctx context.Context, in intents.Intent) error {
	var e entry
	if err := json.Unmarshal(in.Params, &e); err != nil {
		return fmt.Errorf("read enrolment: %w", err)
	}
	known, err := p.Vault.Exists(ctx, in.Person)
	if err != nil {
		return err
	}
	if !known {
		return p.keys.Destroy(ctx, in.Person)
	}
	err = p.db.Tx(ctx, func(tx *database.Tx) error {
		if e.Respondent != nil {
			return p.Surveys.InsertRespondentTx(ctx, tx, *e.Respondent)
		}
		return p.Recruitment.InsertTx(ctx, tx, *e.Candidate)
	})
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound:
		// It will never be taken, such as a code that somebody else got meanwhile: the person leaves no trace.
		return errors.Join(p.keys.Destroy(ctx, in.Person), p.Vault.Erase(ctx, in.Person))
	}
	return err
}

// ChangeConsent keeps what somebody answers to a letter. A yes to the conversation that becomes a no cancels the
// appointment; one to being asked later lets the person off the surveys.
func (p *people) ChangeConsent(ctx context.Context, actor audit.Actor, act consents.Act) error {
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		standing, err := p.Consents.Standing(ctx, tx, act.Study, act.Person, consents.Interview)
		if err != nil {
			return err
		}
		// Appointments first: their turn is taken before other rows of the person. A refused act takes this back too.
		if yes, answered := act.Answers[consents.Interview]; answered && !yes && standing == consents.Yes {
			if err := p.Scheduling.CancelAllTx(ctx, tx, actor, act.Study, act.Person); err != nil {
				return err
			}
		}
		receipt, err := p.Consents.RecordTx(ctx, tx, actor, act)
		if err != nil {
			return err
		}
		return p.letOff(ctx, tx, act.Study, act.Person, receipt.Ended)
	})
}

// WithdrawPurpose takes one yes back and stops what rested on it. The person stays in the study.
func (p *people) WithdrawPurpose(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, purpose string) error {
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := p.Consents.Standing(ctx, tx, study, person, purpose); err != nil {
			return err
		}
		if purpose == consents.Interview {
			if err := p.Scheduling.CancelAllTx(ctx, tx, actor, study, person); err != nil {
				return err
			}
		}
		if err := p.Consents.WithdrawTx(ctx, tx, actor, study, person, []string{purpose}); err != nil {
			return err
		}
		return p.letOff(ctx, tx, study, person, []string{purpose})
	})
}

// letOff ends what surveys build on a yes that is gone: answers need theirs, and so does asking for them.
func (p *people) letOff(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, ended []string) error {
	if slices.Contains(ended, consents.Survey) {
		return p.Surveys.WithdrawTx(ctx, tx, study, person)
	}
	if slices.Contains(ended, consents.SurveyContact) {
		return p.Surveys.LetOffTx(ctx, tx, study, person)
	}
	return nil
}

// Withdraw takes a person out of the study. In one transaction everything pending stops and the last mails are written;
// what follows sends those and erases the person from all three stores. It returns when the first is on disk, whatever
// becomes of the rest: that the reconciler finishes.
func (p *people) Withdraw(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if err := p.stop(ctx, tx, actor, study, person); err != nil {
			return err
		}
		intent, err = p.Intents.Begin(ctx, tx, study, person, withdraw, struct{}{})
		if err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "person.withdrawn", Study: study, Person: person})
	})
	if err != nil {
		return err
	}
	if err := p.Intents.Finish(ctx, intent); err != nil {
		slog.ErrorContext(ctx, "withdrawal goes on in the background", "err", err)
	}
	return nil
}

// stop ends whatever would still happen to the person. The bookings come first: see CancelAllTx.
func (p *people) stop(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) error {
	if err := p.Scheduling.CancelAllTx(ctx, tx, actor, study, person); err != nil {
		return err
	}
	if err := p.Consents.WithdrawTx(ctx, tx, actor, study, person, nil); err != nil {
		return err
	}
	if err := p.Surveys.WithdrawTx(ctx, tx, study, person); err != nil {
		return err
	}
	if err := p.Links.Revoke(ctx, tx, person); err != nil {
		return err
	}
	if err := p.Recruitment.Advance(ctx, tx, study, person, recruitment.Withdrawn, actor); err != nil {
		return err
	}
	// Last, so that the receipt of the consent goes too: the mail below says it, and nothing may hold up the last words.
	if err := p.Outbox.Drop(ctx, tx, person, scheduling.MailCancelled); err != nil {
		return err
	}
	return p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: study, Person: person, Kind: handlers.MailWithdrawn})
}

// patience bounds how long an erasure waits for a mail server.
const patience = 5 * time.Second

// lastWords sends the cancellation and the receipt while the address is still known. A mail server that is away does
// not keep anybody's data alive.
func (p *people) lastWords(ctx context.Context, in intents.Intent) error {
	if p.sender == nil {
		return nil
	}
	if left, err := p.sender.SendPerson(ctx, in.Person, patience); err != nil || left > 0 {
		slog.WarnContext(ctx, "last mails before an erasure were not sent", "intent", in.ID, "left", left, "err", err)
	}
	return nil
}

func (p *people) destroyKey(ctx context.Context, in intents.Intent) error {
	return p.keys.Destroy(ctx, in.Person)
}

func (p *people) emptyVault(ctx context.Context, in intents.Intent) error {
	return p.Vault.Erase(ctx, in.Person)
}

func (p *people) emptyStudy(ctx context.Context, in intents.Intent) error {
	return p.erasure.Do(ctx, in.Study, in.Person)
}
