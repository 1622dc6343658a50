package studies

import (
	"context"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Eraser is a package that stores something under a pseudonym. Erasing twice is erasing once.
type Eraser interface {
	Erase(ctx context.Context, tx *database.Tx, person id.Person) error
	Tables() []string // those it erases from
}

// Detacher is an Eraser that can keep what people said or answered without them: it moves those rows to an id that leads to
// nobody, given for each, and takes out of them what could. All are asked before the first erases, and where it was done
// before there is nothing to move. One transaction of a study does it at a time.
type Detacher interface {
	Detach(ctx context.Context, tx *database.Tx, study id.Study, nobodies map[id.Person]id.Person) error
}

// Erasure takes one person out of the study store. Keys and identities have their own stores and steps.
type Erasure struct {
	db      *database.DB
	log     *audit.Log
	now     func() time.Time
	erasers []Eraser
}

// NewErasure returns an erasure that asks every eraser, in the order given.
func NewErasure(db *database.DB, log *audit.Log, now func() time.Time, erasers ...Eraser) *Erasure {
	return &Erasure{db: db, log: log, now: now, erasers: erasers}
}

// Tables names every table that is erased from.
func (e *Erasure) Tables() (tables []string) {
	for _, eraser := range e.erasers {
		tables = append(tables, eraser.Tables()...)
	}
	return tables
}

// Do erases a person everywhere in the study store, all or nothing, and then from the files; Anonymise keeps what every
// Detacher keeps. It may be called again, and has to be where the files were busy (Unavailable): the audit chain tells of it
// once.
func (e *Erasure) Do(ctx context.Context, study id.Study, person id.Person, fate Fate) error {
	err := e.db.Tx(ctx, func(tx *database.Tx) error {
		if err := e.do(ctx, tx, study, []id.Person{person}, fate); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "insert into erasure (person_id, study_id, erased_at) values ($1, $2, $3) on conflict do nothing",
			person, study, e.now().UnixMilli())
		if err != nil || n == 0 {
			return err
		}
		return e.log.Append(ctx, tx, audit.Entry{Actor: audit.System, Action: "person.erased", Study: study, Person: person})
	})
	if err != nil {
		return fmt.Errorf("erase person: %w", err)
	}
	return e.db.Scrub(ctx, e.Tables()...)
}

// do asks all who keep something before the first erases.
func (e *Erasure) do(ctx context.Context, tx *database.Tx, study id.Study, persons []id.Person, fate Fate) error {
	if fate == Anonymise {
		if err := e.detach(ctx, tx, study, persons); err != nil {
			return err
		}
	}
	for _, person := range persons {
		for _, eraser := range e.erasers {
			if err := eraser.Erase(ctx, tx, person); err != nil {
				return fmt.Errorf("from %v: %w", eraser.Tables(), err)
			}
		}
	}
	return nil
}

// detach comes first in its transaction: whoever mixes rows with those from before waits for others who do, and for those who
// write meanwhile in a study that they found open.
func (e *Erasure) detach(ctx context.Context, tx *database.Tx, study id.Study, persons []id.Person) error {
	if e.db.Postgres() { // SQLite has one writer
		if _, err := tx.Exec(ctx, "select 1 from study where id = $1 for no key update", study); err != nil {
			return fmt.Errorf("wait to detach: %w", err)
		}
	}
	nobodies := make(map[id.Person]id.Person, len(persons))
	for _, person := range persons {
		nobodies[person] = id.New[id.Person]()
	}
	for _, eraser := range e.erasers {
		if detacher, ok := eraser.(Detacher); ok {
			if err := detacher.Detach(ctx, tx, study, nobodies); err != nil {
				return fmt.Errorf("detach from %v: %w", eraser.Tables(), err)
			}
		}
	}
	return nil
}

// Clearer is an Eraser that knows what of a study's persons may be left when each of them is erased: tombstones, and what was
// kept of nobody's.
type Clearer interface {
	Clear(ctx context.Context, tx *database.Tx, study id.Study) error
}

// DoAll erases several persons of a study that is being ended, all or nothing. The certificate tells of it, and not the audit
// chain for each; the files are scrubbed when all is done.
func (e *Erasure) DoAll(ctx context.Context, study id.Study, persons []id.Person, fate Fate) error {
	err := e.db.Tx(ctx, func(tx *database.Tx) error {
		return e.do(ctx, tx, study, persons, fate)
	})
	if err != nil {
		return fmt.Errorf("erase persons: %w", err)
	}
	return nil
}

// Clear deletes what is left of a study's persons when all are erased and nothing is to be kept.
func (e *Erasure) Clear(ctx context.Context, study id.Study) error {
	err := e.db.Tx(ctx, func(tx *database.Tx) error {
		for _, eraser := range e.erasers {
			if clearer, ok := eraser.(Clearer); ok {
				if err := clearer.Clear(ctx, tx, study); err != nil {
					return fmt.Errorf("from %v: %w", eraser.Tables(), err)
				}
			}
		}
		_, err := tx.Exec(ctx, "delete from erasure where study_id = $1", study)
		return err
	})
	if err != nil {
		return fmt.Errorf("clear study: %w", err)
	}
	return nil
}

// Scrub takes what was deleted out of the files.
func (e *Erasure) Scrub(ctx context.Context) error { return e.db.Scrub(ctx, e.Tables()...) }
