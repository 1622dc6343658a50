// Package audit keeps one chain of who did what to which pseudonym and when. Each entry is hashed onto the one before,
// so that an edit, a deletion or a swap is found at its place. Entries hold no names, addresses, answers or tokens; a
// person's random id stays after erasure, when it points nowhere.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Actor is who acts: a member of staff, a participant through a link, or the program itself.
type Actor string

// System acts in background tasks.
const System Actor = "system"

// Operator acts on the command line.
const Operator Actor = "operator"

// Staff is a signed-in account.
func Staff(a id.Account) Actor { return Actor("account:" + string(a)) }

// Participant is a person acting through their own link.
func Participant(p id.Person) Actor { return Actor("person:" + string(p)) }

// Entry is one act.
type Entry struct {
	Seq    int64 // 1, 2, 3 … without gaps; set by Append
	At     int64 // UTC milliseconds; set by Append
	Actor  Actor
	Action string // noun.verb, such as "identity.opened"
	Study  id.Study
	Person id.Person // empty where the act concerns nobody in particular
	Detail string    // a code or a number, never text that somebody typed
	Hash   string    // hex SHA-256 over the previous hash and all fields above; set by Append
}

// ErrBroken is what Verify returns where the chain does not hold.
var ErrBroken = errs.New(errs.Internal, "audit.broken")

// Log is the chain in the study store.
type Log struct {
	db  *database.DB
	now func() time.Time
}

// New returns the chain kept in db.
func New(db *database.DB, now func() time.Time) *Log { return &Log{db, now} }

// Record appends entries in a transaction of its own: when it returns nil, they are on disk.
func (l *Log) Record(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return l.db.Tx(ctx, func(tx *database.Tx) error { return l.Append(ctx, tx, entries...) })
}

// Append adds entries in the caller's transaction. The head's row makes writers take turns, so append last.
func (l *Log) Append(ctx context.Context, tx *database.Tx, entries ...Entry) error {
	var seq int64
	var hash string
	// Touching the row locks it on PostgreSQL before its hash is read.
	err := tx.QueryRow(ctx, "update audit_head set seq = seq + $1 returning seq, hash", len(entries)).Scan(&seq, &hash)
	if err != nil {
		return fmt.Errorf("lock audit head: %w", err)
	}
	seq -= int64(len(entries))
	at := l.now().UnixMilli()
	rows := make([][]any, len(entries))
	for i, e := range entries {
		e.Seq, e.At = seq+int64(i)+1, at
		hash = e.chain(hash)
		rows[i] = []any{e.Seq, e.At, e.Actor, e.Action, e.Study, e.Person, e.Detail, hash}
	}
	if _, err := tx.Insert(ctx, "audit_entry (seq, at, actor, action, study_id, person_id, detail, hash)", rows, ""); err != nil {
		return fmt.Errorf("append audit entries: %w", err)
	}
	if _, err := tx.Exec(ctx, "update audit_head set hash = $1", hash); err != nil {
		return fmt.Errorf("move audit head: %w", err)
	}
	return nil
}

// chain hashes the entry onto the previous hash; lengths keep one field's end from passing as the next one's start.
func (e Entry) chain(previous string) string {
	h := sha256.New()
	for _, field := range []string{previous, fmt.Sprint(e.Seq), fmt.Sprint(e.At), string(e.Actor), e.Action, string(e.Study), string(e.Person), e.Detail} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		h.Write([]byte(field))
	}
	return hex.EncodeToString(h.Sum(nil))
}

const columns = "seq, at, actor, action, study_id, person_id, detail, hash"

func scan(row database.Scanner) (e Entry, err error) {
	err = row.Scan(&e.Seq, &e.At, &e.Actor, &e.Action, &e.Study, &e.Person, &e.Detail, &e.Hash)
	return e, err
}

// Newest returns a study's latest entries, newest first.
func (l *Log) Newest(ctx context.Context, study id.Study, limit int) ([]Entry, error) {
	return l.Page(ctx, study, Query{Limit: limit})
}

// About returns what is noted of one person in a study, oldest first.
func (l *Log) About(ctx context.Context, study id.Study, person id.Person) ([]Entry, error) {
	return database.All(ctx, l.db, scan, "select "+columns+` from audit_entry
		where person_id = $2 and person_id <> '' and study_id = $1 order by seq`, study, person)
}

// Verify walks the chain and returns the number of entries. Where it does not hold, the error is ErrBroken and the
// number is that of the first entry that is missing, added or altered. Of two neighbours that no longer fit, that is the
// later: who altered the earlier one and hashed it anew is found where the old hash is missed.
func (l *Log) Verify(ctx context.Context) (int64, error) {
	var seq, headSeq int64
	var previous, headHash string
	// One statement is one moment: entries that arrive meanwhile belong to the next walk.
	err := database.Each(ctx, l.db, func(row database.Scanner) error {
		var e Entry
		if err := row.Scan(&headSeq, &headHash, &e.Seq, &e.At, &e.Actor, &e.Action, &e.Study, &e.Person, &e.Detail, &e.Hash); err != nil {
			return err
		}
		if e.Seq == 0 {
			return nil // the head alone
		}
		seq++
		if seq > headSeq || e.Seq != seq || e.Hash != e.chain(previous) {
			return ErrBroken
		}
		previous = e.Hash
		return nil
	}, `select h.seq, h.hash, coalesce(e.seq, 0), coalesce(e.at, 0), coalesce(e.actor, ''), coalesce(e.action, ''),
		coalesce(e.study_id, ''), coalesce(e.person_id, ''), coalesce(e.detail, ''), coalesce(e.hash, '')
		from audit_head h left join audit_entry e on true order by e.seq`)
	if err != nil {
		return seq, err
	}
	if headSeq > seq {
		return seq + 1, ErrBroken // the newest are missing
	}
	if headHash != previous {
		return seq, ErrBroken
	}
	return seq, nil
}
