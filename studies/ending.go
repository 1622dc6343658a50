package studies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Counts is what an ended study held when its data were about to go.
type Counts struct {
	Participants int64 // asked or not, without those who had left before
	Respondents  int64
	Consents     int64 // acts of consent and of withdrawal
	Bookings     int64
	Interviews   int64
	Answers      int64 // that were sent in
	Mails        int64 // to participants
	Identities   int64 // persons in the vault, tips among them
	Tips         int64
	Lists        int64 // handed in and not taken into the study
	Keys         int64 // data keys destroyed: of persons and of lists
	Told         int64 // those who got the farewell
	Untold       int64 // those whom it did not reach
}

// Ending is how a study was ended for good. Once it is finished it is the deletion certificate: nobody's name, id or code.
type Ending struct {
	Study      id.Study
	Fate       Fate
	By         audit.Actor
	Farewell   bool   // those who took part were to be told
	EndsOn     string // the last day that the record promised
	ProofUntil int64  // until when proofs of consent are kept, UTC milliseconds; 0 where none are
	BegunAt    int64  // UTC milliseconds, as all here
	FinishedAt int64  // 0 while it goes on
	Counts     Counts
	Counted    bool
	AuditHash  string // the newest of the audit chain when it was finished
	Hash       string // of the certificate; see Digest
}

// Digest is the hash of what the certificate says, in a writing that no language changes.
func (e Ending) Digest() string {
	counts, err := json.Marshal(e.Counts)
	if err != nil {
		panic(err) // numbers
	}
	var text strings.Builder
	for _, line := range []any{"feltbok deletion certificate 1", e.Study, e.Fate, e.By, e.Farewell, e.EndsOn, e.ProofUntil, e.BegunAt, e.FinishedAt, string(counts), e.AuditHash} {
		fmt.Fprintln(&text, line)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}

// CloseTx ends a study for good: from the end of the caller's transaction on it is read, and no longer written. One that was
// ended before is ErrClosed.
func (st *Studies) CloseTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, fate Fate, farewell bool) (Study, error) {
	s, err := st.open(ctx, tx, study)
	if err != nil {
		return s, err
	}
	now := st.now()
	s.ClosedAt = now.UnixMilli()
	if _, err := tx.Exec(ctx, "update study set closed_at = $2 where id = $1", study, s.ClosedAt); err != nil {
		return s, fmt.Errorf("close study: %w", err)
	}
	var proof int64
	if until := s.ProofUntil(now); !until.IsZero() {
		proof = until.UnixMilli()
	}
	_, err = tx.Exec(ctx, `insert into ending (study_id, fate, actor, farewell, ends_on, proof_until, begun_at, finished_at, counts, audit_hash, hash)
		values ($1, $2, $3, $4, $5, $6, $7, 0, '', '', '')`, study, fate, actor, farewell, s.EndsOn, proof, s.ClosedAt)
	if err != nil {
		return s, fmt.Errorf("close study: %w", err)
	}
	return s, nil
}

// OpenTx is ErrClosed for a study that was ended, as q sees it. Within a transaction the answer holds until its end: CloseTx
// waits. Ask before touching other rows.
func (st *Studies) OpenTx(ctx context.Context, q database.Querier, study id.Study) error {
	query := "select closed_at from study where id = $1"
	// SQLite has one writer, who waits for nobody.
	if _, writes := q.(*database.Tx); writes && st.db.Postgres() {
		query += " for share"
	}
	var closed int64
	err := q.QueryRow(ctx, query, study).Scan(&closed)
	switch {
	case errors.Is(err, database.ErrNoRows):
		return ErrUnknown
	case err != nil:
		return fmt.Errorf("ask whether the study is open: %w", err)
	case closed > 0:
		return ErrClosed
	}
	return nil
}

const endingColumns = "study_id, fate, actor, farewell, ends_on, proof_until, begun_at, finished_at, counts, audit_hash, hash"

func scanEnding(row database.Scanner) (e Ending, err error) {
	var counts string
	err = row.Scan(&e.Study, &e.Fate, &e.By, &e.Farewell, &e.EndsOn, &e.ProofUntil, &e.BegunAt, &e.FinishedAt, &counts, &e.AuditHash, &e.Hash)
	if err != nil || counts == "" {
		return e, err
	}
	e.Counted = true
	return e, json.Unmarshal([]byte(counts), &e.Counts)
}

// Ending returns how a study was ended; ErrUnknown for one that goes on.
func (st *Studies) Ending(ctx context.Context, study id.Study) (Ending, error) {
	return ending(ctx, st.db, study)
}

func ending(ctx context.Context, q database.Querier, study id.Study) (Ending, error) {
	e, err := scanEnding(q.QueryRow(ctx, "select "+endingColumns+" from ending where study_id = $1", study))
	if errors.Is(err, database.ErrNoRows) {
		return e, ErrUnknown
	}
	if err != nil {
		return e, fmt.Errorf("read ending: %w", err)
	}
	return e, nil
}

// Count keeps what the study held, once: later numbers would be of what is half gone.
func (st *Studies) Count(ctx context.Context, study id.Study, c Counts) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return st.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update ending set counts = $2 where study_id = $1 and counts = ''", study, string(text))
		return err
	})
}

// Certify ends the ending: it writes the certificate, and its hash into the audit chain. Doing it twice is doing it once.
func (st *Studies) Certify(ctx context.Context, study id.Study) error {
	err := st.db.Tx(ctx, func(tx *database.Tx) error {
		e, err := ending(ctx, tx, study)
		if err != nil || e.FinishedAt > 0 {
			return err
		}
		entry := audit.Entry{Actor: audit.System, Action: "study.erased", Study: study, Detail: string(e.Fate)}
		if err := st.log.Append(ctx, tx, entry); err != nil {
			return err
		}
		end, err := audit.PositionIn(ctx, tx)
		if err != nil {
			return err
		}
		e.AuditHash, e.FinishedAt = end.Hash, st.now().UnixMilli()
		e.Hash = e.Digest()
		if _, err := tx.Exec(ctx, "update ending set finished_at = $2, audit_hash = $3, hash = $4 where study_id = $1",
			study, e.FinishedAt, e.AuditHash, e.Hash); err != nil {
			return err
		}
		return st.note(ctx, tx, audit.System, "study.certified", study, e.Hash)
	})
	if err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	return nil
}

// Warning names one warning of a study's end.
type Warning string

const (
	SixMonths Warning = "6_months"
	TwoMonths Warning = "2_months"
	OneMonth  Warning = "1_month"
	OneWeek   Warning = "1_week"
	OneDay    Warning = "1_day"
)

// warnings lists them, the first that is due first, with how long before the end that is.
var warnings = []struct {
	Warning
	months, days int
}{{SixMonths, 6, 0}, {TwoMonths, 2, 0}, {OneMonth, 1, 0}, {OneWeek, 0, 7}, {OneDay, 0, 1}}

// warnAt is when a warning of the study's end is due.
func (s Study) warnAt(months, days int) time.Time { return s.End().AddDate(0, -months, -days) }

// Due is the warning that stands at a moment: the last whose time has come. One whose time was over before the study was made
// is none. After the end it is the last in any case: nothing ends without it.
func (s Study) Due(now time.Time) (due Warning) {
	if !now.Before(s.End()) {
		return OneDay
	}
	for _, w := range warnings {
		if at := s.warnAt(w.months, w.days); !now.Before(at) && at.UnixMilli() >= s.CreatedAt {
			due = w.Warning
		}
	}
	return due
}

// Grace is for how long the last warning has been out, as the server has seen time pass, before a study ends by itself.
const Grace = 20 * time.Hour

// longestUnseen is how much of a time is believed in which nobody looked: a night in which the server was off, and not a
// clock that jumped.
const longestUnseen = 6 * time.Hour

// WarnTx notes that a warning is given, and says whether this is the first time: of several servers one gives it. One from the
// future was given by a clock that was wrong, and does not count.
func (st *Studies) WarnTx(ctx context.Context, tx *database.Tx, s Study, which Warning) (first bool, err error) {
	now := st.now().UnixMilli()
	n, err := tx.Exec(ctx, `insert into end_warning (study_id, ends_on, which, at, seen_at, waited) values ($1, $2, $3, $4, $4, 0)
		on conflict (study_id, ends_on, which) do update set at = excluded.at, seen_at = excluded.at, waited = 0 where end_warning.at > excluded.at`,
		s.ID, s.EndsOn, which, now)
	if err != nil {
		return false, fmt.Errorf("warn of the end: %w", err)
	}
	return n == 1, nil
}

// Warned says whether a warning was given of the day on which a study ends.
func (st *Studies) Warned(ctx context.Context, s Study, which Warning) (warned bool, err error) {
	err = st.db.QueryRow(ctx, "select exists (select 1 from end_warning where study_id = $1 and ends_on = $2 and which = $3 and at <= $4)",
		s.ID, s.EndsOn, which, st.now().UnixMilli()).Scan(&warned)
	return warned, err
}

// Waited looks at the last warning, and says for how long it has been out as the server has seen time pass. A warning from the
// future was given by a clock that was wrong: it is forgotten, and will be given again.
func (st *Studies) Waited(ctx context.Context, s Study) (waited time.Duration, err error) {
	now := st.now().UnixMilli()
	err = st.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "delete from end_warning where study_id = $1 and seen_at > $2", s.ID, now); err != nil {
			return err
		}
		var ms int64
		err := tx.QueryRow(ctx, `update end_warning set seen_at = $4, waited = waited + case when cast($4 as bigint) - seen_at > $5 then $5 else cast($4 as bigint) - seen_at end
			where study_id = $1 and ends_on = $2 and which = $3 returning waited`, s.ID, s.EndsOn, OneDay, now, longestUnseen.Milliseconds()).Scan(&ms)
		waited = time.Duration(ms) * time.Millisecond
		if errors.Is(err, database.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look at the last warning: %w", err)
	}
	return waited, nil
}

// Open lists the studies that were not ended, oldest first.
func (st *Studies) Open(ctx context.Context) ([]Study, error) {
	return database.All(ctx, st.db, func(row database.Scanner) (Study, error) { return scan(row) },
		"select "+columns+" from study where closed_at = 0 order by created_at, id")
}
