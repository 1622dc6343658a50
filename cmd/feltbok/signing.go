package main

import (
	"context"
	"errors"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// ChangeConsent keeps what somebody answers to a letter, and stops what rested on a yes that becomes a no.
func (p *people) ChangeConsent(ctx context.Context, actor audit.Actor, act consents.Act) error {
	return p.SignConsent(ctx, actor, act, identities.Signature{})
}

// SignConsent is ChangeConsent with a name under it. The name is sealed first, bound to an act that is not there yet, and
// the act is kept then: so no act is without its name, wherever the process dies. A name without its act, which a crash
// between the two leaves, is seen by nobody and goes when the person signs again, or with the person.
func (p *people) SignConsent(ctx context.Context, actor audit.Actor, act consents.Act, name identities.Signature) error {
	if err := p.Repeated(ctx); err != nil {
		return err
	}
	study, err := p.Studies.Get(ctx, act.Study)
	if err != nil {
		return err
	}
	act.Demands = demands(study)
	if !name.Given() {
		return p.keepConsent(ctx, actor, act)
	}
	act.ID, act.Signed = consents.NewID(), name.Kind()
	if err := p.maySign(ctx, actor, act, name); err != nil {
		return err
	}
	if err := p.Vault.Sign(database.WithoutOnce(ctx), actor, act.Study, act.Person, act.ID, name); err != nil {
		return err
	}
	crash.Point("sign.sealed")
	err = p.keepConsent(ctx, actor, act)
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound, errs.Forbidden: // surely not kept; of other errors nobody knows
		return errors.Join(err, p.Vault.DropSignature(ctx, act.Study, act.Person, act.ID))
	}
	if err != nil {
		return err
	}
	return p.pruneSignatures(ctx, act.Study, act.Person)
}

// maySign says beforehand what would be refused, so that a name is sealed only for an act that will be kept.
func (p *people) maySign(ctx context.Context, actor audit.Actor, act consents.Act, name identities.Signature) error {
	err, wrong := p.Consents.Check(ctx, actor, act), name.Check()
	if errors.Is(err, consents.ErrNotExplicit) && wrong != nil {
		return wrong
	}
	return errs.Gather(err, wrong)
}

// about is how long an act can be on its way at most.
const about = time.Hour

func (p *people) pruneSignatures(ctx context.Context, study id.Study, person id.Person) error {
	state, err := p.Consents.State(ctx, study, person)
	if err != nil {
		return err
	}
	var acts []id.Consent
	for _, act := range state.Acts {
		acts = append(acts, act.ID)
	}
	return p.Vault.PruneSignatures(ctx, study, person, acts, p.now().Add(-about))
}

// demands are what a study demands of an act of consent, in the words of that domain.
func demands(s studies.Study) consents.Demands {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC // only for a study that was never stored
	}
	return consents.Demands{Signature: string(s.Signature), Explicit: s.Special, MinimumAge: s.MinimumAge, Zone: zone}
}

// keepConsent writes an act and stops what rested on a yes that becomes a no; what is to be done by hand becomes a task.
func (p *people) keepConsent(ctx context.Context, actor audit.Actor, act consents.Act) error {
	known, err := p.leaver(ctx, act.Study, act.Person)
	if err != nil {
		return err
	}
	keep := func(tx *database.Tx) error {
		if err := p.present(ctx, tx, act.Study, act.Person); err != nil {
			return err
		}
		left, err := p.leavings(ctx, tx, known)
		if err != nil {
			return err
		}
		standing, err := p.Consents.Standing(ctx, tx, act.Study, act.Person, consents.Interview)
		if err != nil {
			return err
		}
		// Appointments first: their turn is taken before other rows of the person. A refused act takes this back too.
		if act.Refuses(consents.Interview) && standing == consents.Yes {
			if err := p.Scheduling.CancelAllTx(ctx, tx, actor, act.Study, act.Person); err != nil {
				return err
			}
		}
		receipt, err := p.Consents.RecordTx(ctx, tx, actor, act)
		if err != nil {
			return err
		}
		if err := p.letOff(ctx, tx, act.Study, act.Person, receipt.Ended); err != nil {
			return err
		}
		return p.handOver(ctx, tx, known, left.after(receipt.Ended...))
	}
	return p.unsaying(ctx, act.Study, act.Person, func() error { return p.db.Tx(ctx, keep) })
}
