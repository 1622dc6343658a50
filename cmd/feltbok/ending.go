package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"
)

const endStudy = "end"

const (
	keysAtOnce   = 500 // persons whose keys and identities go together
	erasedAtOnce = 50  // ... and rows in the study store, which others write to meanwhile

	// farewellPatience is how long the end of a study waits for a mail server; each mail to be sent adds a little.
	farewellPatience = 15 * time.Minute
	perFarewell      = 100 * time.Millisecond
	// farewellTurn is for how long one turn sends, so that others get theirs.
	farewellTurn = 20 * time.Second
)

// errNotYet leaves an act for a later turn.
var errNotYet = errors.New("not yet")

// endSteps are what the end of a study does after the transaction that closed it. Each may be done twice, and where it touches
// many people it goes on where it stopped.
func (p *people) endSteps() []intents.Step {
	return []intents.Step{p.awaitOthers, p.writeFarewells, p.sendFarewells, p.countAll, p.keepProofs, p.destroyKeysOf, p.emptyVaultOf, p.emptyStudyOf, p.scrubAll, p.certify}
}

// End ends a study for good. When it returns, the study is closed: no link works, nothing more is written, what was to come is
// cancelled. The rest goes on in the background.
func (p *people) End(ctx context.Context, actor audit.Actor, study id.Study, fate studies.Fate, farewell bool) error {
	intent, err := p.beginEnd(ctx, actor, study, fate, farewell)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	p.works.Go(func() { p.carryOut(ctx, intent) })
	return nil
}

func (p *people) beginEnd(ctx context.Context, actor audit.Actor, study id.Study, fate studies.Fate, farewell bool) (intent id.Intent, err error) {
	err = p.roomyTx(ctx, func(tx *database.Tx) error {
		if _, err := p.Studies.CloseTx(ctx, tx, actor, study, fate, farewell); err != nil {
			return err
		}
		if err := p.Scheduling.CancelStudyTx(ctx, tx, actor, study); err != nil {
			return err
		}
		if err := p.Links.RevokeStudy(ctx, tx, study); err != nil {
			return err
		}
		if err := p.Auth.EndStudyTx(ctx, tx, study); err != nil {
			return err
		}
		// Last, so that nothing that the above wrote is forgotten, and the cancellations stay.
		if err := p.Outbox.DropStudy(ctx, tx, study, handlers.FarewellMails...); err != nil {
			return err
		}
		if intent, err = p.Intents.Begin(ctx, tx, study, "", endStudy, acted{By: actor}); err != nil {
			return err
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: actor, Action: "study.ended", Study: study, Detail: string(fate)})
	})
	if err != nil {
		return "", fmt.Errorf("end study: %w", err)
	}
	return intent, nil
}

// carryOut does the steps of an end, however often one of them has to wait for something. What fails is left to the reconciler.
func (p *people) carryOut(ctx context.Context, intent id.Intent) {
	for {
		err := p.Intents.Finish(ctx, intent)
		if err == nil {
			return
		}
		if !errors.Is(err, errNotYet) {
			slog.ErrorContext(ctx, "the end of a study goes on later", "err", err)
			return
		}
		select {
		case <-p.stopping:
			return
		case <-time.After(time.Second):
		}
	}
}

// between is called between the parts of a step: the act stays ours, unless the server is about to stop.
func (p *people) between(ctx context.Context, in intents.Intent) error {
	select {
	case <-p.stopping:
		return errNotYet
	default:
		return p.Intents.Renew(ctx, in)
	}
}

// awaitOthers lets what was under way in the study when it was closed come to its end: somebody's leaving, or a list, which is
// undone.
func (p *people) awaitOthers(ctx context.Context, in intents.Intent) error {
	if err := p.between(ctx, in); err != nil {
		return err
	}
	under, err := p.Intents.Of(ctx, in.Study)
	if err != nil {
		return err
	}
	for _, other := range under {
		if other.Kind != endStudy {
			return fmt.Errorf("%w: %s is under way", errNotYet, other.Kind)
		}
	}
	return nil
}

// writeFarewells writes a mail to everybody who has said yes.
func (p *people) writeFarewells(ctx context.Context, in intents.Intent) error {
	e, err := p.Studies.Ending(ctx, in.Study)
	if err != nil || !e.Farewell {
		return err
	}
	return p.tellEverybody(ctx, in, handlers.MailFarewell, handlers.MailFarewell, nil)
}

// tellEverybody writes one mail of a kind to everybody who has said yes, some at a time: once each, by their key.
func (p *people) tellEverybody(ctx context.Context, in intents.Intent, kind, key string, params map[string]string) error {
	told, err := p.Consents.SaidYes(ctx, in.Study)
	if err != nil {
		return err
	}
	for some := range database.Chunks(told) {
		err := p.db.Tx(ctx, func(tx *database.Tx) error {
			for _, person := range some {
				m := mail.Mail{Study: in.Study, Person: person, Kind: kind, Key: key + ":" + string(person), Params: params}
				if err := p.Outbox.Enqueue(ctx, tx, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		crash.Point(in.Kind + ".told")
		if err := p.between(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// sendFarewells sends the last mails while the addresses are still known. A mail server that is away does not keep anybody's
// data alive for long.
func (p *people) sendFarewells(ctx context.Context, in intents.Intent) error {
	if p.sender == nil {
		return nil
	}
	e, err := p.Studies.Ending(ctx, in.Study)
	if err != nil {
		return err
	}
	counts, err := p.Outbox.KindCounts(ctx, in.Study, handlers.MailFarewell)
	if err != nil {
		return err
	}
	if err := p.between(ctx, in); err != nil {
		return err
	}
	left, err := p.sender.SendStudy(ctx, in.Study, farewellTurn)
	if err != nil || left == 0 {
		return err
	}
	var mails int64
	for _, n := range counts {
		mails += n
	}
	until := time.UnixMilli(e.BegunAt).Add(p.farewell + time.Duration(mails)*perFarewell)
	if p.now().Before(until) {
		return fmt.Errorf("%w: %d mails wait", errNotYet, left)
	}
	slog.WarnContext(ctx, "last mails before the end of a study were not sent", "study", in.Study, "left", left)
	return nil
}

// countAll keeps what the study held, for the certificate.
func (p *people) countAll(ctx context.Context, in intents.Intent) (err error) {
	var c studies.Counts
	told, failed := p.Outbox.KindCounts(ctx, in.Study, handlers.MailFarewell)
	for state, n := range told {
		if state == mail.Sent {
			c.Told += n
		} else {
			c.Untold += n
		}
	}
	count := func(n int64, err error) int64 {
		failed = errors.Join(failed, err)
		return n
	}
	c.Participants, c.Consents = count(p.Recruitment.Present(ctx, in.Study)), count(p.Consents.Acts(ctx, in.Study))
	c.Bookings, c.Interviews = count(p.Scheduling.Total(ctx, in.Study)), count(p.Interviews.Total(ctx, in.Study))
	c.Mails = count(p.Outbox.ToPersons(ctx, in.Study))
	c.Respondents, c.Answers, err = p.Surveys.Totals(ctx, in.Study)
	failed = errors.Join(failed, err)
	c.Identities, c.Tips, err = p.Vault.Total(ctx, in.Study)
	failed = errors.Join(failed, err)
	lists, err := p.Vault.DraftsOf(ctx, in.Study)
	c.Lists, c.Keys = int64(len(lists)), c.Identities+int64(len(lists))
	if failed = errors.Join(failed, err); failed != nil {
		return failed
	}
	return p.Studies.Count(ctx, in.Study, c)
}

// listed goes through persons in the order of their ids, some at a time, without holding them all.
type listed func(ctx context.Context, study id.Study, after id.Person, most int) ([]id.Person, error)

func (p *people) each(ctx context.Context, in intents.Intent, list listed, most int, do func(persons []id.Person) error) error {
	for after := id.Person(""); ; {
		persons, err := list(ctx, in.Study, after, most)
		if err != nil || len(persons) == 0 {
			return err
		}
		if err := do(persons); err != nil {
			return err
		}
		if err := p.between(ctx, in); err != nil {
			return err
		}
		after = persons[len(persons)-1]
	}
}

// keepProofs keeps, for as long as the record says, that people agreed to what was done with their data. A proof's id comes of
// the person's key: doing it again is doing it once, and when the key is gone it leads to nobody.
func (p *people) keepProofs(ctx context.Context, in intents.Intent) error {
	e, err := p.Studies.Ending(ctx, in.Study)
	if err != nil || e.ProofUntil == 0 {
		return err
	}
	return p.each(ctx, in, p.Vault.PersonsAfter, keysAtOnce, func(persons []id.Person) error {
		for _, person := range persons {
			bits, err := p.keys.MAC(ctx, person, "proof", string(in.Study))
			if errs.KindOf(err) == errs.NotFound {
				continue // kept before the key went
			}
			if err == nil {
				err = p.keepProofOf(ctx, e.By, in.Study, person, id.Of[id.Proof](bits), time.UnixMilli(e.ProofUntil))
			}
			if err != nil {
				return err
			}
			crash.Point("end.proof")
		}
		return nil
	})
}

// destroyKeysOf ends the key of everybody who is in the vault or in the study, and of each list. After this what is sealed for
// them is unreadable, here and in every copy.
func (p *people) destroyKeysOf(ctx context.Context, in intents.Intent) error {
	destroy := func(persons []id.Person) error {
		crash.Point("end.keys")
		return p.keys.Destroy(ctx, persons...)
	}
	for _, list := range []listed{p.Vault.PersonsAfter, p.Recruitment.PersonsAfter} {
		if err := p.each(ctx, in, list, keysAtOnce, destroy); err != nil {
			return err
		}
	}
	lists, err := p.Vault.DraftsOf(ctx, in.Study)
	if err != nil {
		return err
	}
	// The study has no key; its id among the destroyed ones tells a restore of an older copy that it was ended.
	persons := []id.Person{id.Person(in.Study)}
	for _, list := range lists {
		persons = append(persons, id.Person(list))
	}
	return p.keys.Destroy(ctx, persons...)
}

// emptyVaultOf deletes who they were.
func (p *people) emptyVaultOf(ctx context.Context, in intents.Intent) error {
	err := p.each(ctx, in, p.Vault.PersonsAfter, keysAtOnce, func(persons []id.Person) error {
		crash.Point("end.vault")
		return p.Vault.Erase(ctx, persons...)
	})
	if err != nil {
		return err
	}
	lists, err := p.Vault.DraftsOf(ctx, in.Study)
	for _, list := range lists {
		err = errors.Join(err, p.Vault.DropDraft(ctx, list))
	}
	return errors.Join(err, p.Vault.Clear(ctx, in.Study))
}

// emptyStudyOf deletes what the study store has about them, or keeps of it what leads to nobody.
func (p *people) emptyStudyOf(ctx context.Context, in intents.Intent) error {
	e, err := p.Studies.Ending(ctx, in.Study)
	if err != nil {
		return err
	}
	persons, err := p.leftIn(ctx, in)
	if err != nil {
		return err
	}
	// In no order: what is kept of them is written anew, and must not lie in the order of a list.
	rand.Shuffle(len(persons), func(i, k int) { persons[i], persons[k] = persons[k], persons[i] })
	for len(persons) > 0 {
		some := persons[:min(erasedAtOnce, len(persons))]
		crash.Point("end.study")
		if err := p.erasure.DoAll(ctx, in.Study, some, e.Fate); err != nil {
			return err
		}
		if err := p.between(ctx, in); err != nil {
			return err
		}
		persons = persons[len(some):]
	}
	if e.Fate == studies.Anonymise {
		return nil
	}
	return p.erasure.Clear(ctx, in.Study)
}

// leftIn lists whose rows are still in the study store. What was kept of nobody's is not theirs: nobody never had a key.
func (p *people) leftIn(ctx context.Context, in intents.Intent) (left []id.Person, err error) {
	err = p.each(ctx, in, p.Recruitment.PersonsAfter, keysAtOnce, func(persons []id.Person) error {
		left = append(left, persons...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = p.each(ctx, in, p.Surveys.PersonsAfter, keysAtOnce, func(persons []id.Person) error {
		gone, err := p.keys.Gone(ctx, persons)
		for _, person := range persons {
			if gone[person] {
				left = append(left, person) // one who is both is erased twice
			}
		}
		return err
	})
	return left, err
}

func (p *people) scrubAll(ctx context.Context, _ intents.Intent) error { return p.erasure.Scrub(ctx) }

func (p *people) certify(ctx context.Context, in intents.Intent) error {
	return p.Studies.Certify(ctx, in.Study)
}

// watchEnds warns of ends that come near, and ends what is over. Several servers may do so at once.
func (p *people) watchEnds(ctx context.Context) error {
	open, err := p.Studies.Open(ctx)
	for _, s := range open {
		err = errors.Join(err, p.watchEnd(ctx, s))
	}
	return err
}

func (p *people) watchEnd(ctx context.Context, s studies.Study) error {
	due := s.Due(p.now())
	if due == "" {
		return nil
	}
	warned, err := p.Studies.Warned(ctx, s, due)
	if err == nil && !warned {
		err = p.warn(ctx, s, due)
	}
	if err != nil || due != studies.OneDay {
		return err
	}
	waited, err := p.Studies.Waited(ctx, s)
	if err != nil || waited < studies.Grace || p.now().Before(s.End()) {
		return err
	}
	err = p.End(ctx, audit.System, s.ID, s.AtEnd, true)
	if errors.Is(err, studies.ErrClosed) {
		return nil // another was first
	}
	return err
}

// warn writes to everybody who can do something about it.
func (p *people) warn(ctx context.Context, s studies.Study, which studies.Warning) error {
	team, err := p.Studies.Members(ctx, s.ID)
	if err != nil {
		return err
	}
	return p.db.Tx(ctx, func(tx *database.Tx) error {
		first, err := p.Studies.WarnTx(ctx, tx, s, which)
		if err != nil || !first {
			return err
		}
		for _, m := range team {
			if m.Role != studies.Owner && m.Role != studies.Researcher {
				continue
			}
			err := p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: s.ID, Account: m.Account, Kind: handlers.MailEndWarning,
				Key:    fmt.Sprintf("end_warning:%s:%s:%s:%s", which, s.EndsOn, m.Account, p.now().UTC().Format(time.DateOnly)),
				Params: map[string]string{"which": string(which), "ends_on": s.EndsOn}})
			if err != nil {
				return err
			}
		}
		return p.Audit.Append(ctx, tx, audit.Entry{Actor: audit.System, Action: "study.end_warned", Study: s.ID, Detail: string(which)})
	})
}

const watchEvery = 10 * time.Minute

// watch looks at the ends of studies until ctx ends.
func (a *app) watch(ctx context.Context) {
	for {
		if err := a.people.watchEnds(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "watch the ends of studies", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
	}
}

const extendStudy = "extend"

// Change changes a study's setting. Links live as long as the study does; where it goes on for longer than those who take part
// were told, they are told, with the reason.
func (p *people) Change(ctx context.Context, actor audit.Actor, s studies.Study, reason string) error {
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) error {
		was, err := p.Studies.UpdateTx(ctx, tx, actor, s, reason)
		if err != nil || was.EndsOn == s.EndsOn && was.Zone == s.Zone {
			return err
		}
		if err := p.Links.MoveTx(ctx, tx, s.ID, was.End(), s.End()); err != nil {
			return err
		}
		if reason == "" || s.EndsOn <= was.EndsOn {
			return nil
		}
		intent, err = p.Intents.Begin(ctx, tx, s.ID, "", extendStudy, acted{By: actor})
		return err
	})
	if err != nil || intent == "" {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	p.works.Go(func() { p.carryOut(ctx, intent) })
	return nil
}

// tellExtended writes to everybody who has said yes that the study goes on for longer.
func (p *people) tellExtended(ctx context.Context, in intents.Intent) error {
	s, err := p.Studies.Get(ctx, in.Study)
	if err != nil || s.ClosedAt > 0 {
		return err
	}
	return p.tellEverybody(ctx, in, handlers.MailProlonged, "extended:"+s.EndsOn, map[string]string{"ends_on": s.EndsOn})
}
