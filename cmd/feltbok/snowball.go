package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/recruitment"
)

// MakeCoupon makes an informant's next invitation and its link, which dies with the coupon. Consent is asked for in the
// transaction that makes it.
func (p *people) MakeCoupon(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, showName bool, network int) (c recruitment.Coupon, err error) {
	of, err := p.Studies.Get(ctx, study)
	if err != nil {
		return c, err
	}
	err = p.db.Tx(ctx, func(tx *database.Tx) error {
		if err := p.present(ctx, tx, study, person); err != nil {
			return err
		}
		if err := p.Consents.May(ctx, tx, study, person, consents.Interview); consents.Refused(err) {
			return handlers.ErrNotJoined
		} else if err != nil {
			return err
		}
		c, err = p.Recruitment.MakeCouponTx(ctx, tx, actor, study, person, showName, network, of.End())
		return err
	})
	if err != nil {
		return c, err
	}
	_, err = p.Links.Ensure(ctx, study, person, links.Referral, string(c.ID), time.UnixMilli(c.ExpiresAt))
	return c, err
}

// AcceptCoupon takes a friend into the study. The coupon is used in the transaction in which the enrolment begins, so
// that of two at once one is taken in.
func (p *people) AcceptCoupon(ctx context.Context, c recruitment.Coupon, who identities.Identity, said recruitment.Acceptance) error {
	if err := who.Check(); err != nil {
		return err
	}
	known, tips, err := p.acquainted(ctx, c.Study, who)
	if err != nil {
		return err
	}
	if known {
		return p.useCoupon(ctx, c, recruitment.Use{Answer: recruitment.NobodyNew})
	}
	friend := id.New[id.Person]()
	e, err := p.friend(ctx, c, friend)
	if err != nil {
		return err
	}
	use := recruitment.Use{Answer: recruitment.Accepted, Friend: friend, Language: said.Language, Consent: said.Text}
	err = p.enrol(ctx, audit.Participant(friend), c.Study, friend, who, e, func(tx *database.Tx) error {
		if err := p.useCouponTx(ctx, tx, c, use); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: audit.Participant(friend), Action: "coupon.accepted", Study: c.Study, Person: friend})
	})
	if err != nil {
		return err
	}
	p.outdate(context.WithoutCancel(ctx), c.Study, tips)
	return nil
}

// outdate deletes what others said of somebody who has now spoken for themselves. What fails is swept.
func (p *people) outdate(ctx context.Context, study id.Study, tips []id.Person) {
	for _, tip := range tips {
		if err := p.DropTip(ctx, audit.System, study, tip); err != nil && !errors.Is(err, identities.ErrNoTip) {
			slog.ErrorContext(ctx, "a tip is deleted later", "err", err)
		}
	}
}

// friend is the entry of whom a coupon leads to: in the informant's case, interested, and to be called now.
func (p *people) friend(ctx context.Context, c recruitment.Coupon, friend id.Person) (entry, error) {
	informant, err := p.Recruitment.Get(ctx, c.Study, c.Person)
	if err != nil {
		return entry{}, err
	}
	study, err := p.Studies.Get(ctx, c.Study)
	if err != nil {
		return entry{}, err
	}
	of, _ := study.Case(informant.Case)
	return entry{CaseCode: of.Code, Candidate: &recruitment.Participant{ID: friend, Study: c.Study, Case: informant.Case, Audience: consents.Company,
		Relation: recruitment.Member, Source: recruitment.Referral, Recruiter: c.Person, Coupon: c.Number, State: recruitment.Interested,
		NextAt: p.now().UnixMilli()}}, nil
}

// acquainted says whether somebody with this address or number is in the study, or asked not to be contacted again. Who
// is only a tip, or only asked in a survey, is not in the study yet.
func (p *people) acquainted(ctx context.Context, study id.Study, who identities.Identity) (known bool, tips []id.Person, err error) {
	barred, err := p.Vault.Barred(ctx, study, who)
	if err != nil {
		return false, nil, err
	}
	found, err := p.Vault.Duplicates(ctx, study, who.Email, who.Phone)
	if err != nil {
		return false, nil, err
	}
	known = barred[0]
	for _, person := range found {
		_, err := p.Recruitment.Get(ctx, study, person)
		if err != nil && errs.KindOf(err) != errs.NotFound {
			return false, nil, err
		}
		known = known || err == nil
		if _, err := p.Vault.Tip(ctx, study, person); err == nil {
			tips = append(tips, person)
		}
	}
	return known, tips, nil
}

// RefuseCoupon ends a coupon with a no.
func (p *people) RefuseCoupon(ctx context.Context, c recruitment.Coupon) error {
	return p.useCoupon(ctx, c, recruitment.Use{Answer: recruitment.Refused})
}

func (p *people) useCoupon(ctx context.Context, c recruitment.Coupon, u recruitment.Use) error {
	return p.db.Tx(ctx, func(tx *database.Tx) error { return p.useCouponTx(ctx, tx, c, u) })
}

// useCouponTx is refused as well when the informant is leaving at this moment.
func (p *people) useCouponTx(ctx context.Context, tx *database.Tx, c recruitment.Coupon, u recruitment.Use) error {
	if err := p.present(ctx, tx, c.Study, c.Person); err != nil {
		return err
	}
	return p.Recruitment.UseCouponTx(ctx, tx, c.Study, c.ID, u)
}

// AddTip keeps a tip: a key, then the sealed identity and what a tip is besides, in the vault alone.
func (p *people) AddTip(ctx context.Context, actor audit.Actor, study id.Study, from id.Person, who identities.Identity, days int) error {
	if err := identities.CheckTip(who, days); err != nil {
		return err
	}
	tip := identities.Tip{Person: id.New[id.Person](), Study: study, From: from}
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if err := p.present(ctx, tx, study, from); err != nil {
			return err
		}
		intent, err = p.Intents.Begin(ctx, tx, study, tip.Person, keepTip, struct{}{})
		return err
	})
	if err != nil {
		return err
	}
	if err = p.keys.Create(ctx, tip.Person); err == nil {
		err = p.Vault.PutTip(ctx, actor, tip, who, days)
	}
	return errors.Join(err, p.Intents.Finish(ctx, intent))
}

// settleTip leaves nothing of a tip whose identity was not written.
func (p *people) settleTip(ctx context.Context, in intents.Intent) error {
	known, err := p.Vault.Exists(ctx, in.Person)
	if err != nil || known {
		return err
	}
	return p.keys.Destroy(ctx, in.Person)
}

// EnrolTip makes a tip a candidate, led here by whom the tip came from.
func (p *people) EnrolTip(ctx context.Context, actor audit.Actor, c recruitment.Participant) error {
	tip, err := p.Vault.Tip(ctx, c.Study, c.ID)
	if err != nil {
		return err
	}
	c.Source, c.Recruiter = recruitment.Tip, tip.From
	if err := p.Recruitment.Check(ctx, c); err != nil {
		return err
	}
	var intent id.Intent
	err = p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if intent, err = p.Intents.Begin(ctx, tx, c.Study, c.ID, takeTip, entry{Candidate: &c}); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "tip.taken", Study: c.Study, Person: c.ID})
	})
	if err != nil {
		return err
	}
	if err := p.Intents.Finish(ctx, intent); err != nil {
		return err
	}
	if _, err := p.Recruitment.Get(ctx, c.Study, c.ID); errs.KindOf(err) != errs.NotFound {
		return err
	}
	// The code was free when it was looked up.
	if err := p.Recruitment.Check(ctx, c); err != nil {
		return err
	}
	return errNotEnrolled
}

// enrolTip is EnrolTip's step. What the register refuses leaves the tip where it was.
func (p *people) enrolTip(ctx context.Context, in intents.Intent) error {
	var e entry
	if err := json.Unmarshal(in.Params, &e); err != nil {
		return fmt.Errorf("read enrolment: %w", err)
	}
	err := p.Vault.TakeTip(ctx, in.Person)
	if errors.Is(err, identities.ErrNoTip) {
		return nil // it is done, or was deleted
	}
	if err != nil {
		return err
	}
	err = p.db.Tx(ctx, func(tx *database.Tx) error { return p.Recruitment.InsertTx(ctx, tx, *e.Candidate) })
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound:
		return p.Vault.LeaveTip(ctx, in.Person)
	}
	if err != nil {
		return err
	}
	return p.Vault.KeepTip(ctx, in.Person)
}

// DropTip deletes a tip. First it is over, so that it is not taken in meanwhile, and found again after a crash.
func (p *people) DropTip(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	if err := p.Vault.EndTip(ctx, study, person); err != nil {
		return err
	}
	return p.forget(ctx, actor, study, person)
}

// sweepTips deletes what has expired.
func (p *people) sweepTips(ctx context.Context) error {
	over, err := p.Vault.ExpiredTips(ctx)
	for _, tip := range over {
		err = errors.Join(err, p.forget(ctx, audit.System, tip.Study, tip.Person))
	}
	return err
}

func (p *people) forget(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if intent, err = p.Intents.Begin(ctx, tx, study, person, forgetTip, struct{}{}); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "tip.deleted", Study: study, Person: person})
	})
	if err != nil {
		return err
	}
	return p.Intents.Finish(ctx, intent)
}
