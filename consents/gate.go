package consents

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrNo is Forbidden: the person said no to this purpose, or took the yes back.
	ErrNo = errs.New(errs.Forbidden, "consents.no")
	// ErrUnasked is Forbidden: the person was not asked yet.
	ErrUnasked = errs.New(errs.Forbidden, "consents.unasked")
	// ErrRestricted is Forbidden: the person's data are kept and nothing else (GDPR articles 18 and 21).
	ErrRestricted = errs.New(errs.Forbidden, "consents.restricted")
)

// May asks whether a purpose may go ahead for a person now: nil, ErrNo, ErrUnasked or ErrRestricted. Within a transaction
// the answer holds until its end, as Standing's does. It is asked at the moment of acting, and again when a mail leaves.
func (c *Consents) May(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) error {
	standing, err := c.Standing(ctx, q, study, person, purpose)
	if err != nil {
		return err
	}
	restricted, err := c.restrictionOf(ctx, q, person)
	switch {
	case err != nil:
		return err
	case restricted.Kind != "":
		return ErrRestricted
	case standing == No:
		return ErrNo
	case standing == Unasked:
		return ErrUnasked
	}
	return nil
}

// MayBeforeYes is May for what comes before anybody has answered: the first letter, an appointment made on the telephone.
// Only a no or a restriction stops it.
func (c *Consents) MayBeforeYes(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) error {
	err := c.May(ctx, q, study, person, purpose)
	if errors.Is(err, ErrUnasked) {
		return nil
	}
	return err
}

// MayNow is May outside a transaction: for what is about to leave, such as a mail.
func (c *Consents) MayNow(ctx context.Context, study id.Study, person id.Person, purpose string) error {
	return c.May(ctx, c.db, study, person, purpose)
}

// MayBeforeYesNow is MayBeforeYes outside a transaction.
func (c *Consents) MayBeforeYesNow(ctx context.Context, study id.Study, person id.Person, purpose string) error {
	return c.MayBeforeYes(ctx, c.db, study, person, purpose)
}

// Stopped returns whom of some people a no to a purpose or a restriction stops, with ErrNo or ErrRestricted: MayBeforeYes
// for many at once. A withdrawal beside it waits only for whoever holds the people's places.
func (c *Consents) Stopped(ctx context.Context, q database.Querier, study id.Study, purpose string, persons []id.Person) (map[id.Person]error, error) {
	stopped := map[id.Person]error{}
	for some := range database.Chunks(persons) {
		list, args := database.In(some, study, purpose)
		err := database.Each(ctx, q, func(row database.Scanner) error {
			var person id.Person
			var yes bool
			err := row.Scan(&person, &yes)
			if delete(stopped, person); !yes { // the newest answer comes last
				stopped[person] = ErrNo
			}
			return err
		}, "select person_id, answer from consent_item where study_id = $1 and purpose = $2 and person_id in "+list+" order by number", args...)
		if err != nil {
			return nil, fmt.Errorf("read consents: %w", err)
		}
	}
	restricted, err := c.restrictedIn(ctx, q, study)
	for _, person := range persons {
		if restricted[person].Kind != "" {
			stopped[person] = ErrRestricted
		}
	}
	return stopped, err
}

// Answers is what everybody in a study has answered and whose data are only kept, at one moment: May for lists and
// exports, which ask about everybody.
type Answers struct {
	Said       map[id.Person]map[string]string // as StatesOf returns it
	Restricted map[id.Person]Restriction
}

// AnswersOf reads a study's Answers.
func (c *Consents) AnswersOf(ctx context.Context, study id.Study) (a Answers, err error) {
	if a.Said, err = c.StatesOf(ctx, study); err == nil {
		a.Restricted, err = c.Restricted(ctx, study)
	}
	return a, err
}

// May answers as Consents.May does.
func (a Answers) May(person id.Person, purpose string) error {
	switch {
	case a.Restricted[person].Kind != "":
		return ErrRestricted
	case a.Said[person][purpose] == No:
		return ErrNo
	case a.Said[person][purpose] != Yes:
		return ErrUnasked
	}
	return nil
}

// MayBeforeYes answers as Consents.MayBeforeYes does.
func (a Answers) MayBeforeYes(person id.Person, purpose string) error {
	if err := a.May(person, purpose); !errors.Is(err, ErrUnasked) {
		return err
	}
	return nil
}

// Refused says whether an error is the gate's no rather than a fault.
func Refused(err error) bool {
	return errors.Is(err, ErrNo) || errors.Is(err, ErrUnasked) || errors.Is(err, ErrRestricted)
}

// Kinds of Restriction.
const (
	Restrict = "restrict" // the person asked that their data be kept and not used (article 18)
	Object   = "object"   // the person objects to the processing, which stops until that is settled (article 21)
)

// Restriction says since when a person's data are only kept.
type Restriction struct {
	Kind  string // "" where there is none
	At    int64  // UTC milliseconds
	Actor audit.Actor
	Lifts int64 // when it ends, once the person is told; 0 until then
}

// RestrictTx stops everything but keeping. A second one changes nothing, unless the first is about to end or has. The caller
// holds the person's place, so that whoever was let through before is done first.
func (c *Consents) RestrictTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person, kind string) error {
	if kind != Restrict && kind != Object {
		return ErrUnknown
	}
	if err := c.hold(ctx, tx, person); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `insert into restriction (person_id, study_id, kind, at, actor, lifts_at) values ($1, $2, $3, $4, $5, 0)
		on conflict (person_id) do update set kind = excluded.kind, at = excluded.at, actor = excluded.actor, lifts_at = 0
		where restriction.study_id = excluded.study_id and restriction.lifts_at > 0`, person, study, kind, c.now().UnixMilli(), actor)
	if err != nil || n == 0 {
		return err
	}
	return c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "person.restricted", Study: study, Person: person, Detail: kind})
}

// Notice is how long before a restriction ends the person is told: time to read a mail and to object.
const Notice = 24 * time.Hour

// ReleaseTx ends a restriction after Notice, and says whether there was one. The person is told before (article 18 (3)):
// that is the caller's, in the same transaction.
func (c *Consents) ReleaseTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) (bool, error) {
	n, err := tx.Exec(ctx, "update restriction set lifts_at = $3 where person_id = $1 and study_id = $2 and lifts_at = 0",
		person, study, c.now().Add(Notice).UnixMilli())
	if err != nil || n == 0 {
		return false, err
	}
	return true, c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "person.released", Study: study, Person: person})
}

// RestrictionOf returns a person's restriction, of Kind "" where there is none.
func (c *Consents) RestrictionOf(ctx context.Context, person id.Person) (Restriction, error) {
	return c.restrictionOf(ctx, c.db, person)
}

// inForce is the condition of a restriction that has not ended; $2 is now.
const inForce = "(lifts_at = 0 or lifts_at > $2)"

func (c *Consents) restrictionOf(ctx context.Context, q database.Querier, person id.Person) (r Restriction, err error) {
	err = q.QueryRow(ctx, "select kind, at, actor, lifts_at from restriction where person_id = $1 and "+inForce,
		person, c.now().UnixMilli()).Scan(&r.Kind, &r.At, &r.Actor, &r.Lifts)
	if errors.Is(err, database.ErrNoRows) {
		return Restriction{}, nil
	}
	if err != nil {
		return r, fmt.Errorf("read restriction: %w", err)
	}
	return r, nil
}

// Restricted returns whose data in a study are only kept, for lists and exports.
func (c *Consents) Restricted(ctx context.Context, study id.Study) (map[id.Person]Restriction, error) {
	return c.restrictedIn(ctx, c.db, study)
}

func (c *Consents) restrictedIn(ctx context.Context, q database.Querier, study id.Study) (map[id.Person]Restriction, error) {
	restricted := map[id.Person]Restriction{}
	err := database.Each(ctx, q, func(row database.Scanner) error {
		var person id.Person
		var r Restriction
		err := row.Scan(&person, &r.Kind, &r.At, &r.Actor, &r.Lifts)
		restricted[person] = r
		return err
	}, "select person_id, kind, at, actor, lifts_at from restriction where study_id = $1 and "+inForce, study, c.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read restrictions: %w", err)
	}
	return restricted, nil
}
