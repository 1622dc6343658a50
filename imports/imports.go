// Package imports takes lists of people on their way into a study: what stands in which column, what each row becomes, and
// how far the taking in has come. A list is read for a frame: the candidates of a study, or those asked in one survey. The
// package passes names on and keeps none: the list lies in the vault, and its own table holds numbers and codes.
package imports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrUnknown is a NotFound: no such import in this study, or one that was discarded or has expired.
	ErrUnknown = errs.New(errs.NotFound, "imports.unknown")
	// ErrStarted is a Conflict: the list is being taken in, or was.
	ErrStarted = errs.New(errs.Conflict, "imports.started")
	// ErrBusy is a Conflict: another list is being taken into this study. They take turns, so that nobody comes in twice.
	ErrBusy = errs.New(errs.Conflict, "imports.busy")
)

// State is how far an import has come.
type State string

const (
	Draft   State = "draft"   // the list lies in the vault, nobody is taken in
	Running State = "running" // is being taken in; nobody sees any of it before all of it
	Done    State = "done"
	Failed  State = "failed" // nobody was taken in; Reason says why
)

// Counts are what became of rows.
type Counts struct {
	Rows       int // of the list, without headings and empty ones
	Taken      int // who are new: taken in, or to be
	Duplicates int // who are in the study already, or earlier in the same list
	Barred     int // who asked not to be contacted again
	Refused    int // in which something is wrong
}

// Import is one list.
type Import struct {
	ID        id.Import
	Study     id.Study
	Survey    id.Survey // the survey whose frame it goes into; empty for candidates
	State     State
	Mapping   Mapping
	Mapped    bool // somebody has said what stands where
	Total     int  // rows to go through, headings and empty ones left out
	Counts         // of the rows gone through: Rows of Total
	Reason    string
	CreatedAt int64 // UTC milliseconds
	EndedAt   int64 // 0 before the end
}

// Imports keeps the imports of all studies.
type Imports struct {
	db  *database.DB
	log *audit.Log
	now func() time.Time
}

// New returns the imports kept in db.
func New(db *database.DB, log *audit.Log, now func() time.Time) *Imports {
	return &Imports{db, log, now}
}

// Create notes a list that is about to be put into the vault.
func (s *Imports) Create(ctx context.Context, actor audit.Actor, in Import) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `insert into import (id, study_id, survey_id, state, mapping, total, gone, taken, duplicates, barred, refused,
			reason, created_at, ended_at) values ($1, $2, $3, 'draft', '', 0, 0, 0, 0, 0, 0, '', $4, 0)`, in.ID, in.Study, in.Survey, s.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("create import: %w", err)
		}
		return s.note(ctx, tx, actor, "import.uploaded", in)
	})
}

func (s *Imports) note(ctx context.Context, tx *database.Tx, actor audit.Actor, action string, in Import) error {
	return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Study: in.Study, Detail: string(in.ID)})
}

const columns = "id, study_id, survey_id, state, mapping, total, gone, taken, duplicates, barred, refused, reason, created_at, ended_at"

func scan(row database.Scanner) (in Import, err error) {
	var mapping string
	err = row.Scan(&in.ID, &in.Study, &in.Survey, &in.State, &mapping, &in.Total, &in.Rows, &in.Taken, &in.Duplicates, &in.Barred, &in.Refused,
		&in.Reason, &in.CreatedAt, &in.EndedAt)
	if err != nil || mapping == "" {
		return in, err
	}
	in.Mapped = true
	return in, json.Unmarshal([]byte(mapping), &in.Mapping)
}

// Get returns one import, or ErrUnknown.
func (s *Imports) Get(ctx context.Context, study id.Study, one id.Import) (Import, error) {
	in, err := scan(s.db.QueryRow(ctx, "select "+columns+" from import where study_id = $1 and id = $2", study, one))
	if errors.Is(err, database.ErrNoRows) {
		return in, ErrUnknown
	}
	if err != nil {
		return in, fmt.Errorf("read import: %w", err)
	}
	return in, nil
}

// Newest returns the latest imports of a study into one frame, newest first.
func (s *Imports) Newest(ctx context.Context, study id.Study, survey id.Survey, limit int) ([]Import, error) {
	return database.All(ctx, s.db, scan, "select "+columns+" from import where study_id = $1 and survey_id = $2 order by created_at desc, id limit $3",
		study, survey, limit)
}

// SetMapping keeps what stands where. ErrStarted once the list is being taken in.
func (s *Imports) SetMapping(ctx context.Context, in Import, m Mapping, total int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode mapping: %w", err)
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "update import set mapping = $3, total = $4 where study_id = $1 and id = $2 and state = 'draft'",
			in.Study, in.ID, string(text), total)
		return one(n, err, ErrStarted)
	})
}

// one is otherwise unless exactly one row was touched.
func one(n int64, err, otherwise error) error {
	if err == nil && n != 1 {
		return otherwise
	}
	return err
}

// StartTx begins the taking in. ErrBusy while another list is being taken into the study, ErrStarted the second time.
func (s *Imports) StartTx(ctx context.Context, tx *database.Tx, actor audit.Actor, in Import) error {
	n, err := tx.Exec(ctx, "update import set state = 'running' where study_id = $1 and id = $2 and state = 'draft' and mapping <> ''", in.Study, in.ID)
	if errors.Is(err, database.ErrDuplicate) {
		return ErrBusy
	}
	if err := one(n, err, ErrStarted); err != nil {
		return err
	}
	return s.note(ctx, tx, actor, "import.started", in)
}

// Advance notes that the rows up to and including a further part are gone through. It counts a part once, whoever else
// may be at it.
func (s *Imports) Advance(ctx context.Context, one id.Import, was int, part Counts) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `update import set gone = gone + $3, taken = taken + $4, duplicates = duplicates + $5, barred = barred + $6,
			refused = refused + $7 where id = $1 and gone = $2 and state = 'running'`,
			one, was, part.Rows, part.Taken, part.Duplicates, part.Barred, part.Refused)
		return err
	})
}

// EndTx ends the taking in, as Done or Failed, and says false where it had ended.
func (s *Imports) EndTx(ctx context.Context, tx *database.Tx, in Import, state State, reason string) (ended bool, err error) {
	n, err := tx.Exec(ctx, "update import set state = $2, reason = $3, ended_at = $4 where id = $1 and state = 'running'", in.ID, state, reason, s.now().UnixMilli())
	if err != nil || n == 0 {
		return false, err
	}
	return true, s.note(ctx, tx, audit.System, "import."+string(state), in)
}

// Discard forgets an import that nobody began to take in. ErrStarted for another, ErrUnknown for none.
func (s *Imports) Discard(ctx context.Context, actor audit.Actor, study id.Study, draft id.Import) error {
	in, err := s.Get(ctx, study, draft)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "delete from import where id = $1 and state = 'draft'", in.ID)
		if err := one(n, err, ErrStarted); err != nil {
			return err
		}
		return s.note(ctx, tx, actor, "import.discarded", in)
	})
}

// Expire forgets an import whose list is too old. It says false where the list is being taken in and is still needed.
func (s *Imports) Expire(ctx context.Context, draft id.Import) (gone bool, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "delete from import where id = $1 and state = 'draft'", draft); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "select not exists (select 1 from import where id = $1 and state = 'running')", draft).Scan(&gone)
	})
	return gone, err
}
