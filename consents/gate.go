package consents

import (
	"context"
	"errors"
	"fmt"

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
	restricted, err := restrictionOf(ctx, q, person)
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
}

// RestrictTx stops everything but keeping. A second one changes nothing.
func (c *Consents) RestrictTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person, kind string) error {
	if kind != Restrict && kind != Object {
		return ErrUnknown
	}
	n, err := tx.Exec(ctx, `insert into restriction (person_id, study_id, kind, at, actor) values ($1, $2, $3, $4, $5)
		on conflict (person_id) do nothing`, person, study, kind, c.now().UnixMilli(), actor)
	if err != nil || n == 0 {
		return err
	}
	return c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "person.restricted", Study: study, Person: person, Detail: kind})
}

// ReleaseTx lifts a restriction. The person is to be told before (article 18 (3)): that is the caller's.
func (c *Consents) ReleaseTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person) error {
	n, err := tx.Exec(ctx, "delete from restriction where person_id = $1 and study_id = $2", person, study)
	if err != nil || n == 0 {
		return err
	}
	return c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "person.released", Study: study, Person: person})
}

// RestrictionOf returns a person's restriction, of Kind "" where there is none.
func (c *Consents) RestrictionOf(ctx context.Context, person id.Person) (Restriction, error) {
	return restrictionOf(ctx, c.db, person)
}

func restrictionOf(ctx context.Context, q database.Querier, person id.Person) (r Restriction, err error) {
	err = q.QueryRow(ctx, "select kind, at, actor from restriction where person_id = $1", person).Scan(&r.Kind, &r.At, &r.Actor)
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
	restricted := map[id.Person]Restriction{}
	err := database.Each(ctx, c.db, func(row database.Scanner) error {
		var person id.Person
		var r Restriction
		err := row.Scan(&person, &r.Kind, &r.At, &r.Actor)
		restricted[person] = r
		return err
	}, "select person_id, kind, at, actor from restriction where study_id = $1", study)
	if err != nil {
		return nil, fmt.Errorf("read restrictions: %w", err)
	}
	return restricted, nil
}
