package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// present holds a person's place in a study until the transaction ends: the participant's row, and the respondent's in
// each survey. It is a NotFound for somebody of another study, who is erased, or whose withdrawal is under way. Every act
// that writes rows about a person begins with it, and so do withdrawing and erasing: of two at the same moment one waits
// and then sees what the other did, so that nothing is written about somebody who has left. In a study that was ended it is
// studies.ErrClosed.
func (p *people) present(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	if err := p.Studies.OpenTx(ctx, tx, study); err != nil {
		return err
	}
	err := p.Recruitment.HoldTx(ctx, tx, study, person)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return err
	}
	asked := p.Surveys.HoldTx(ctx, tx, study, person)
	if asked != nil && (err != nil || errs.KindOf(asked) != errs.NotFound) {
		return asked
	}
	leaving, err := p.Intents.Under(ctx, tx, person, withdraw)
	if err == nil && leaving {
		return recruitment.ErrUnknown
	}
	return err
}

// WithdrawPurposes takes a yes back, or several, and stops what rested on it. The person stays in the study.
func (p *people) WithdrawPurposes(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, purposes ...string) error {
	known, err := p.leaver(ctx, study, person)
	if err != nil {
		return err
	}
	end := func(tx *database.Tx) error {
		if err := p.present(ctx, tx, study, person); err != nil {
			return err
		}
		var ended []string
		for _, purpose := range purposes {
			// Answers being sent at this moment are seen below, or find the no.
			standing, err := p.Consents.Standing(ctx, tx, study, person, purpose)
			if err != nil {
				return err
			}
			if standing == consents.Yes {
				ended = append(ended, purpose)
			}
		}
		left, err := p.leavings(ctx, tx, known)
		if err != nil {
			return err
		}
		if slices.Contains(purposes, consents.Interview) {
			if err := p.Scheduling.CancelAllTx(ctx, tx, actor, study, person); err != nil {
				return err
			}
		}
		if err := p.Consents.WithdrawTx(ctx, tx, actor, study, person, purposes); err != nil {
			return err
		}
		if err := p.letOff(ctx, tx, study, person, purposes); err != nil {
			return err
		}
		return p.handOver(ctx, tx, known, left.after(ended...))
	}
	return p.unsaying(ctx, study, person, func() error { return p.roomyTx(ctx, end) })
}

// roomyTx is a transaction that ends in there being less: on a full disk it may use the room kept for that.
func (p *people) roomyTx(ctx context.Context, fn func(*database.Tx) error) error {
	return p.ballast.Through(func() error { return p.db.Tx(ctx, fn) })
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

// Withdraw takes a person out of the study. In one transaction everything pending stops, the last mails are written, and so is
// what the team has to do by hand; what follows sends the mails, keeps the proof of consent and erases the person from all
// three stores, as the study's policy was at that moment. It returns when the first is on disk, whatever becomes of the rest:
// that the reconciler finishes. For somebody who is on the way out it does nothing.
func (p *people) Withdraw(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	known, err := p.leaver(ctx, study, person)
	if err != nil {
		return err
	}
	var intent id.Intent
	err = p.roomyTx(ctx, func(tx *database.Tx) error {
		err := p.present(ctx, tx, study, person)
		if errs.KindOf(err) == errs.NotFound {
			if leaving, asked := p.Intents.Under(ctx, tx, person, withdraw); leaving || asked != nil {
				return asked
			}
		}
		if err != nil {
			return err
		}
		parting, err := p.parting(ctx, tx, known)
		if err != nil {
			return err
		}
		if err := p.stop(ctx, tx, actor, known, parting); err != nil {
			return err
		}
		if intent, err = p.Intents.Begin(ctx, tx, study, person, withdraw, actOf(actor, parting)); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "person.withdrawn", Study: study, Person: person})
	})
	if err != nil || intent == "" {
		return err
	}
	if err := p.Intents.Finish(ctx, intent); err != nil {
		slog.ErrorContext(ctx, "withdrawal goes on in the background", "err", err)
	}
	return nil
}

// stop ends whatever would still happen to the person. The bookings come first: see CancelAllTx.
func (p *people) stop(ctx context.Context, tx *database.Tx, actor audit.Actor, who leaver, parting handlers.Parting) error {
	study, person := who.study.ID, who.person
	if err := p.Scheduling.CancelAllTx(ctx, tx, actor, study, person); err != nil {
		return err
	}
	if err := p.stopAnswers(ctx, tx, actor, who, parting.Fate); err != nil {
		return err
	}
	if err := p.Links.Revoke(ctx, tx, person); err != nil {
		return err
	}
	if err := p.Recruitment.Advance(ctx, tx, study, person, recruitment.Withdrawn, actor); err != nil {
		return err
	}
	if err := p.handOver(ctx, tx, who, parting.ByHand); err != nil {
		return err
	}
	// Last, so that the receipt of the consent goes too: the mail below says it, and nothing may hold up the last words.
	if err := p.Outbox.Drop(ctx, tx, person, scheduling.MailCancelled); err != nil {
		return err
	}
	return p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: study, Person: person, Kind: handlers.MailWithdrawn, Params: parting.Params()})
}

// stopAnswers takes every yes back, and deletes at once what is deleted in any case: answers where the study deletes, and what
// was said in a conversation that the person had taken back before.
func (p *people) stopAnswers(ctx context.Context, tx *database.Tx, actor audit.Actor, who leaver, fate studies.Fate) error {
	standing, err := p.Consents.Standing(ctx, tx, who.study.ID, who.person, consents.Interview)
	if err != nil {
		return err
	}
	if err := p.Consents.WithdrawTx(ctx, tx, actor, who.study.ID, who.person, nil); err != nil {
		return err
	}
	if standing == consents.No {
		if err := p.Interviews.Erase(ctx, tx, who.person); err != nil {
			return err
		}
	}
	if fate == studies.Anonymise {
		return p.Surveys.LeaveTx(ctx, tx, who.study.ID, who.person)
	}
	return p.Surveys.WithdrawTx(ctx, tx, who.study.ID, who.person)
}

const patience = 5 * time.Second

// lastWords sends the cancellations, to the person and to the interviewers, and the receipt while the address is still
// known. A mail server that is away does
// not keep anybody's data alive.
func (p *people) lastWords(ctx context.Context, in intents.Intent) error {
	if p.sender == nil {
		return nil
	}
	if left, err := p.sender.SendPerson(ctx, in.Person, p.patience); err != nil || left > 0 {
		slog.WarnContext(ctx, "last mails before an erasure were not sent", "intent", in.ID, "left", left, "err", err)
	}
	return nil
}

// acted is at whose word an act across stores is done, and what was promised then: a later change of the setting does not
// matter. The proof's id is here, so that a step that is done twice keeps one.
type acted struct {
	By    audit.Actor
	Fate  studies.Fate `json:",omitempty"`
	Proof id.Proof     `json:",omitempty"`
	Until int64        `json:",omitempty"` // how long the proof is kept, UTC milliseconds
}

func actOf(actor audit.Actor, parting handlers.Parting) acted {
	a := acted{By: actor, Fate: parting.Fate}
	if !parting.ProofUntil.IsZero() {
		a.Proof, a.Until = id.New[id.Proof](), parting.ProofUntil.UnixMilli()
	}
	return a
}

func readAct(in intents.Intent) (a acted, err error) {
	if err := json.Unmarshal(in.Params, &a); err != nil {
		return a, fmt.Errorf("read act: %w", err)
	}
	a.By, a.Fate = cmp.Or(a.By, audit.System), cmp.Or(a.Fate, studies.Delete)
	return a, nil
}

// bar remembers the person's address and number, as a fingerprint that nobody can read back, so that they are not asked
// again by mistake. It comes before the key is destroyed: nothing can be opened afterwards.
func (p *people) bar(ctx context.Context, in intents.Intent) error {
	a, err := readAct(in)
	if err != nil {
		return err
	}
	err = p.Vault.Bar(ctx, a.By, in.Study, in.Person)
	if errs.KindOf(err) == errs.NotFound {
		return nil // done before, and the key is gone
	}
	return err
}

func (p *people) destroyKey(ctx context.Context, in intents.Intent) error {
	return p.keys.Destroy(ctx, in.Person)
}

func (p *people) emptyVault(ctx context.Context, in intents.Intent) error {
	return p.Vault.Erase(ctx, in.Person)
}

func (p *people) emptyStudy(ctx context.Context, in intents.Intent) error {
	a, err := readAct(in)
	if err != nil {
		return err
	}
	return p.erasure.Do(ctx, in.Study, in.Person, a.Fate)
}
