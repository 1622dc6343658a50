package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// people carries the acts that touch several stores: somebody enters a study, a list of people does, somebody leaves it,
// wants to hear no more of it, or is only a tip.
type people struct {
	*app
	db       *database.DB
	erasure  *studies.Erasure
	patience time.Duration  // how long an erasure waits for a mail server
	farewell time.Duration  // ... and the end of a study
	works    sync.WaitGroup // what goes on in the background
	stopping chan struct{}  // closed when it is to end
	end      func()         // closes it, once
	now      func() time.Time
}

const (
	enrol     = "enrol"
	withdraw  = "withdraw"
	refuse    = "refuse"
	keepTip   = "keep_tip"
	takeTip   = "take_tip"
	forgetTip = "forget_tip"
	correct   = "correct"
)

func newPeople(a *app, db *database.DB, now func() time.Time) *people {
	p := &people{app: a, db: db, erasure: studies.NewErasure(db, a.Audit, now, a.erasers()...), patience: patience, farewell: farewellPatience, stopping: make(chan struct{}), now: now}
	p.end = sync.OnceFunc(func() { close(p.stopping) })
	a.Intents.Handle(enrol, p.settle)
	a.Intents.Handle(keepTip, p.settleTip)
	a.Intents.Handle(takeTip, p.enrolTip)
	a.Intents.Handle(forgetTip, p.destroyKey, p.emptyVault)
	a.Intents.Handle(withdraw, p.lastWords, p.bar, p.keepProof, p.destroyKey, p.emptyVault, p.emptyStudy)
	a.Intents.Handle(refuse, p.bar)
	a.Intents.MakeRoom(a.ballast.Through, withdraw, forgetTip, endStudy)
	a.Intents.Handle(correct, p.tellMoved)
	a.Intents.Handle(endStudy, p.endSteps()...)
	a.Intents.Handle(extendStudy, p.tellExtended)
	a.Intents.Handle(takeIn, p.sealList, p.enterList, p.dropList)
	return p
}

// close ends what goes on in the background: imports at the next part, to be gone on with at the next start.
func (p *people) close() {
	p.end()
	p.works.Wait()
}

// entry is an enrolment's parameters: either a candidate or a respondent.
type entry struct {
	Candidate  *recruitment.Participant `json:",omitempty"`
	Respondent *surveys.Respondent      `json:",omitempty"`
	CaseCode   string                   `json:",omitempty"` // the candidate gets the case's next code on entering
}

func (e entry) study() id.Study {
	if e.Respondent != nil {
		return e.Respondent.Study
	}
	return e.Candidate.Study
}

// nothingElse is for an enrolment that begins with no act of its own.
func nothingElse(*database.Tx) error { return nil }

var errNotEnrolled = errs.New(errs.Unavailable, "not_enrolled")

// Enrol takes a candidate into the study: an intent, a key, the sealed identity, and at last the row that others see.
// A crash before the identity is written leaves nothing of the person.
func (p *people) Enrol(ctx context.Context, actor audit.Actor, who identities.Identity, c recruitment.Participant) (id.Person, error) {
	c.ID = id.New[id.Person]()
	if err := p.Recruitment.Check(ctx, c); err != nil {
		return "", err
	}
	if err := p.enrol(ctx, actor, c.Study, c.ID, who, entry{Candidate: &c}, nothingElse); err != nil {
		return "", err
	}
	_, err := p.Recruitment.Get(ctx, c.Study, c.ID)
	return c.ID, enrolled(err)
}

// EnrolRespondent takes a respondent into a survey's sampling frame in the same way.
func (p *people) EnrolRespondent(ctx context.Context, actor audit.Actor, who identities.Identity, r surveys.Respondent) (id.Person, error) {
	r.Person = id.New[id.Person]()
	if err := p.enrol(ctx, actor, r.Study, r.Person, who, entry{Respondent: &r}, nothingElse); err != nil {
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

// enrol runs first in the transaction in which the enrolment begins: where it fails, nothing has begun.
func (p *people) enrol(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, who identities.Identity, e entry, first func(*database.Tx) error) error {
	if err := who.Check(); err != nil {
		return err
	}
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if err := p.Studies.OpenTx(ctx, tx, study); err != nil {
			return err
		}
		if err := first(tx); err != nil {
			return err
		}
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
		return errors.Join(p.keys.Destroy(ctx, in.Person), p.reopenCoupon(ctx, e))
	}
	err = p.db.Tx(ctx, func(tx *database.Tx) error { return p.insert(ctx, tx, e) })
	if e.CaseCode != "" && errors.Is(err, recruitment.ErrCodeTaken) {
		return err // there is another code the next time
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound:
		// It will never be taken, such as a code that somebody else got meanwhile: the person leaves no trace.
		return errors.Join(p.keys.Destroy(ctx, in.Person), p.Vault.Erase(ctx, in.Person), p.reopenCoupon(ctx, e))
	}
	return err
}

func (p *people) insert(ctx context.Context, tx *database.Tx, e entry) error {
	if err := p.Studies.OpenTx(ctx, tx, e.study()); err != nil {
		return err
	}
	switch {
	case e.Respondent != nil:
		return p.Surveys.InsertRespondentTx(ctx, tx, *e.Respondent)
	case e.CaseCode != "":
		return p.Recruitment.InsertNextTx(ctx, tx, *e.Candidate, e.CaseCode)
	}
	return p.Recruitment.InsertTx(ctx, tx, *e.Candidate)
}

// reopenCoupon gives the coupon back of somebody who was not taken in after all.
func (p *people) reopenCoupon(ctx context.Context, e entry) error {
	if e.Candidate == nil || e.Candidate.Coupon == 0 {
		return nil
	}
	return p.db.Tx(ctx, func(tx *database.Tx) error { return p.Recruitment.ReopenCouponTx(ctx, tx, e.Candidate.ID) })
}
