package imports

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
)

// Of many imports into one study that begin at the same moment one does; the others begin when it has ended.
func TestImportsTakeTurns(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, study := t.Context(), id.New[id.Study]()
		s := New(db, audit.New(db, time.Now), time.Now)
		var all []Import
		for range 8 {
			in := Import{ID: id.New[id.Import](), Study: study}
			if err := errors.Join(s.Create(ctx, audit.System, in), s.SetMapping(ctx, in, Mapping{Header: 1}, 10)); err != nil {
				t.Fatal(err)
			}
			all = append(all, in)
		}
		start := func(in Import) error {
			return db.Tx(ctx, func(tx *database.Tx) error { return s.StartTx(ctx, tx, audit.System, in) })
		}
		var begun atomic.Int32
		var wg sync.WaitGroup
		for _, in := range all {
			wg.Go(func() {
				if err := start(in); err == nil {
					begun.Add(1)
				} else if !errors.Is(err, ErrBusy) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if begun.Load() != 1 {
			t.Errorf("%d began, want 1", begun.Load())
		}
		other := Import{ID: id.New[id.Import](), Study: id.New[id.Study]()}
		if err := errors.Join(s.Create(ctx, audit.System, other), s.SetMapping(ctx, other, Mapping{}, 1), start(other)); err != nil {
			t.Errorf("another study waits: %v", err)
		}
		for _, in := range all {
			at, err := s.Get(ctx, study, in.ID)
			if err != nil || at.State != Running {
				continue
			}
			// A part is counted once, whoever comes twice.
			for range 2 {
				if err := s.Advance(ctx, in.ID, 0, Counts{Rows: 5, Taken: 3, Refused: 2}); err != nil {
					t.Error(err)
				}
			}
			for _, err := range []error{start(in), s.SetMapping(ctx, in, Mapping{}, 1), s.Discard(ctx, audit.System, study, in.ID)} {
				if !errors.Is(err, ErrStarted) {
					t.Errorf("while it runs: %v, want ErrStarted", err)
				}
			}
			if gone, err := s.Expire(ctx, in.ID); gone || err != nil {
				t.Errorf("expired while it runs: %v, %v", gone, err)
			}
			for _, want := range []bool{true, false} {
				err := db.Tx(ctx, func(tx *database.Tx) error {
					ended, err := s.EndTx(ctx, tx, in, Done, "")
					if ended != want {
						t.Errorf("ended %v, want %v", ended, want)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
			if at, err = s.Get(ctx, study, in.ID); err != nil || at.State != Done || at.Counts != (Counts{Rows: 5, Taken: 3, Refused: 2}) || at.Total != 10 {
				t.Errorf("at the end %+v, %v", at, err)
			}
		}
		next := 0
		for _, in := range all {
			if err := start(in); err == nil {
				next++
			}
		}
		if next != 1 {
			t.Errorf("%d began afterwards, want 1", next)
		}
		if newest, err := s.Newest(ctx, study, "", 3); err != nil || len(newest) != 3 {
			t.Errorf("%d newest, %v", len(newest), err)
		}
		if _, err := s.Get(ctx, id.New[id.Study](), all[0].ID); !errors.Is(err, ErrUnknown) {
			t.Errorf("from another study: %v, want ErrUnknown", err)
		}
	})
}

func TestDiscardAndExpire(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		s := New(db, audit.New(db, time.Now), time.Now)
		in := Import{ID: id.New[id.Import](), Study: id.New[id.Study]()}
		if err := errors.Join(s.Create(ctx, audit.System, in), s.Discard(ctx, audit.System, in.Study, in.ID)); err != nil {
			t.Fatal(err)
		}
		if err := s.Discard(ctx, audit.System, in.Study, in.ID); !errors.Is(err, ErrUnknown) {
			t.Errorf("twice: %v, want ErrUnknown", err)
		}
		if gone, err := s.Expire(ctx, in.ID); !gone || err != nil {
			t.Errorf("what is gone has expired: %v, %v", gone, err)
		}
	})
}
