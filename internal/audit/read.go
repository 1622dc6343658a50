package audit

import (
	"context"
	"fmt"
	"strings"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Query asks for some of a study's entries, newest first.
type Query struct {
	Actions []string // none is all
	Before  int64    // only entries with a lower number; 0 is no limit
	Limit   int
}

// Page returns a study's entries, newest first. What it costs follows the limit and not the chain: each action has its
// stretch of an index, and no more than the limit is read of any.
func (l *Log) Page(ctx context.Context, study id.Study, q Query) ([]Entry, error) {
	if q.Before <= 0 {
		q.Before = 1<<63 - 1
	}
	query, args := "select "+columns+" from audit_entry where study_id = $1 and seq < $2 order by seq desc limit $3", []any{study, q.Before, q.Limit}
	if len(q.Actions) > 0 {
		parts := make([]string, len(q.Actions))
		for i, action := range q.Actions {
			args = append(args, action)
			parts[i] = fmt.Sprintf(`select * from (select %s from audit_entry where study_id = $1 and action = $%d and seq < $2
				order by seq desc limit $3) part%d`, columns, len(args), i)
		}
		query = "select * from (" + strings.Join(parts, " union all ") + ") entry order by seq desc limit $3"
	}
	entries, err := database.All(ctx, l.db, scan, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read audit entries: %w", err)
	}
	return entries, nil
}

// Linked is an entry with the hash that it was hashed onto, so that it can be checked by itself.
type Linked struct {
	Entry
	Previous string // "" for the first of the chain
}

// Holds says whether an entry's hash is that of its fields and of the hash before.
func (e Linked) Holds() bool { return e.Hash == e.chain(e.Previous) }

// After returns a study's entries behind a number, oldest first. Whoever wants all reads them in parts: one long read
// would hold up an erasure, which has to empty the log that a reader still needs.
func (l *Log) After(ctx context.Context, study id.Study, seq int64, limit int) ([]Linked, error) {
	return database.All(ctx, l.db, func(row database.Scanner) (e Linked, err error) {
		err = row.Scan(&e.Seq, &e.At, &e.Actor, &e.Action, &e.Study, &e.Person, &e.Detail, &e.Hash, &e.Previous)
		return e, err
	}, `select e.seq, e.at, e.actor, e.action, e.study_id, e.person_id, e.detail, e.hash, coalesce(p.hash, '')
		from audit_entry e left join audit_entry p on p.seq = e.seq - 1
		where e.study_id = $1 and e.seq > $2 order by e.seq limit $3`, study, seq, limit)
}

// Tally is how often an actor did something with the same detail.
type Tally struct {
	Actor   Actor
	Action  string
	Detail  string
	N       int
	Persons int   // how many people that was about
	Last    int64 // UTC milliseconds
}

// Tallies counts a study's entries of some kinds by actor, kind and detail.
func (l *Log) Tallies(ctx context.Context, study id.Study, actions ...string) ([]Tally, error) {
	in, args := database.In(actions, study)
	return database.All(ctx, l.db, func(row database.Scanner) (t Tally, err error) {
		err = row.Scan(&t.Actor, &t.Action, &t.Detail, &t.N, &t.Persons, &t.Last)
		return t, err
	}, `select actor, action, detail, count(*), count(distinct person_id), max(at) from audit_entry where study_id = $1 and action in `+in+`
		group by actor, action, detail order by action, actor, detail`, args...)
}

// Position is where a chain ends.
type Position struct {
	Seq  int64  // the number of entries
	Hash string // of the newest; "" before the first
}

// Position returns where the chain ends now.
func (l *Log) Position(ctx context.Context) (Position, error) { return PositionIn(ctx, l.db) }

// PositionIn returns where the chain ends in a state of the study store: a transaction's, or a snapshot's.
func PositionIn(ctx context.Context, q database.Querier) (p Position, err error) {
	if err := q.QueryRow(ctx, "select seq, hash from audit_head").Scan(&p.Seq, &p.Hash); err != nil {
		return p, fmt.Errorf("read audit head: %w", err)
	}
	return p, nil
}

// TellTx returns where the chain ends, and whether that is to be told on a day (2006-01-02): once a day at most, and only
// where something was added since it was told last. Whoever gets a yes tells it in the same transaction.
func (l *Log) TellTx(ctx context.Context, tx *database.Tx, day string) (p Position, due bool, err error) {
	if p, err = PositionIn(ctx, tx); err != nil {
		return p, false, err
	}
	n, err := tx.Exec(ctx, "update audit_told set day = $1, seq = $2 where day < $1 and seq < $2", day, p.Seq)
	if err != nil {
		return p, false, fmt.Errorf("note told head: %w", err)
	}
	return p, n > 0, nil
}
