package consents

import (
	"context"
	"fmt"
	"strconv"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// ChangedKind is the mail that tells of a new letter; its parameters are "audience", "version" and "ask".
const ChangedKind = "letter_changed"

// ErrNobody is a Conflict: nobody who stands at yes has answered to an older letter.
var ErrNobody = errs.New(errs.Conflict, "consents.nobody_to_tell")

// Round is one lot of mails about a new letter.
type Round struct {
	ID       id.Batch // of its mails
	Audience string
	Version  int
	Ask      bool // they were asked to answer again, not only told
	Size     int  // mails queued
	At       int64
	Actor    audit.Actor
}

const tellAtOnce = 500

// Tell queues a mail about the newest letter to everybody who answered to an older one, stands at yes and is not
// restricted: that they read it, or that they answer again. All or none; what they answered before stands until they do.
// ErrLetterChanged: version is not the newest. ErrNobody. ErrUnknown for respondents, whose page knows no second answer.
func (c *Consents) Tell(ctx context.Context, actor audit.Actor, study id.Study, audience string, version int, ask bool) (Round, error) {
	if audience == Respondent {
		return Round{}, ErrUnknown
	}
	r := Round{ID: id.New[id.Batch](), Audience: audience, Version: version, Ask: ask, At: c.now().UnixMilli(), Actor: actor}
	err := c.db.Tx(ctx, func(tx *database.Tx) error {
		r.Size = 0
		if err := isNewest(ctx, tx, study, audience, version); err != nil {
			return err
		}
		if err := c.tellEach(ctx, tx, study, &r); err != nil {
			return err
		}
		if r.Size == 0 {
			return ErrNobody
		}
		if _, err := tx.Exec(ctx, `insert into letter_round (id, study_id, audience, version, ask, size, at, actor)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`, r.ID, study, audience, version, ask, r.Size, r.At, actor); err != nil {
			return err
		}
		return c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "letter.round_" + r.word(), Study: study,
			Detail: fmt.Sprintf("%s %d", audience, version)})
	})
	if err != nil {
		return Round{}, fmt.Errorf("tell of letter: %w", err)
	}
	return r, nil
}

func (r Round) word() string { return either(r.Ask, AskAgain, InformAgain) }

func isNewest(ctx context.Context, tx *database.Tx, study id.Study, audience string, version int) error {
	var newest int
	err := tx.QueryRow(ctx, "select coalesce(max(version), 0) from letter where study_id = $1 and audience = $2", study, audience).Scan(&newest)
	if err != nil {
		return err
	}
	if newest == 0 {
		return ErrNoLetter
	}
	if newest != version {
		return ErrLetterChanged
	}
	return nil
}

func (c *Consents) tellEach(ctx context.Context, tx *database.Tx, study id.Study, r *Round) error {
	params := map[string]string{"audience": r.Audience, "version": strconv.Itoa(r.Version), "ask": r.word()}
	var last id.Person
	for {
		some, err := c.outdated(ctx, tx, study, r.Audience, r.Version, last)
		if err != nil {
			return err
		}
		for _, person := range some {
			if err := c.outbox.Enqueue(ctx, tx, mail.Mail{Study: study, Person: person, Kind: ChangedKind, Params: params, Batch: r.ID,
				Key: ChangedKind + ":" + string(r.ID) + ":" + string(person)}); err != nil {
				return err
			}
			last = person
		}
		if r.Size += len(some); len(some) < tellAtOnce {
			return nil
		}
	}
}

// outdated lists, in the order of their ids, some of those whom a round is for.
func (c *Consents) outdated(ctx context.Context, q database.Querier, study id.Study, audience string, version int, after id.Person) ([]id.Person, error) {
	return database.Values[id.Person](ctx, q, `select a.person_id from consent_act a join letter l on l.id = a.letter_id
		where a.study_id = $1 and l.audience = $3 and l.version < $4 and a.person_id > $5 and not a.withdrawal
			and not exists (select 1 from consent_act b where b.person_id = a.person_id and b.number > a.number and not b.withdrawal)
			and (select i.answer from consent_item i where i.study_id = $1 and i.person_id = a.person_id and i.purpose = $6
				order by i.number desc limit 1)
			and not exists (select 1 from restriction r where r.person_id = a.person_id and `+inForce+`)
		order by a.person_id limit $7`, study, c.now().UnixMilli(), audience, version, after, Interview, tellAtOnce)
}

// Outdated is how many a round about a version would reach now.
func (c *Consents) Outdated(ctx context.Context, study id.Study, audience string, version int) (n int, err error) {
	var last id.Person
	for {
		some, err := c.outdated(ctx, c.db, study, audience, version, last)
		if err != nil {
			return 0, fmt.Errorf("count outdated answers: %w", err)
		}
		if n += len(some); len(some) < tellAtOnce {
			return n, nil
		}
		last = some[len(some)-1]
	}
}

// Untold asks again, when a mail of a round leaves, whether its reason holds: the person stands at yes, nothing restricts
// it, and they have answered to nothing as new.
func (c *Consents) Untold(ctx context.Context, study id.Study, person id.Person, version int) (bool, error) {
	if err := c.MayNow(ctx, study, person, Interview); Refused(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	state, err := c.State(ctx, study, person)
	if err != nil || state.Letter == "" {
		return false, err
	}
	read, err := c.Letter(ctx, study, state.Letter)
	return read.Version < version, err
}

// Rounds lists a study's rounds, newest first.
func (c *Consents) Rounds(ctx context.Context, study id.Study) ([]Round, error) {
	rounds, err := database.All(ctx, c.db, func(row database.Scanner) (r Round, err error) {
		err = row.Scan(&r.ID, &r.Audience, &r.Version, &r.Ask, &r.Size, &r.At, &r.Actor)
		return r, err
	}, "select id, audience, version, ask, size, at, actor from letter_round where study_id = $1 order by at desc, id", study)
	if err != nil {
		return nil, fmt.Errorf("list rounds: %w", err)
	}
	return rounds, nil
}
