// Package intents carries acts that span stores. No transaction spans two stores, so such an act is a row in the study
// store and a list of steps, each of which may be done twice and means the same. A crash leaves the row; the reconciler
// goes on where it stopped. Mailing and exports treat a person with an open intent as "not yet".
package intents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Intent is one act under way.
type Intent struct {
	ID     id.Intent
	Study  id.Study
	Person id.Person
	Kind   string
	Params []byte // JSON; pseudonyms and study data only
	step   int    // steps done
}

// Step is one part of an act. It may be called again after it succeeded, and must then change nothing.
type Step func(ctx context.Context, in Intent) error

// Runner knows how each kind of act is done.
type Runner struct {
	db    *database.DB
	now   func() time.Time
	kinds map[string][]Step
	rooms map[string]Room
}

// Room tries a deed, and where the disk is full makes some and tries again.
type Room func(try func() error) error

// lease is how long an act is left to whoever began it before another worker takes it over.
const lease = time.Minute

// New returns a runner over the study store. Kinds are declared with Handle before anything begins.
func New(db *database.DB, now func() time.Time) *Runner {
	return &Runner{db: db, now: now, kinds: map[string][]Step{}, rooms: map[string]Room{}}
}

// Handle declares how a kind of act is done.
func (r *Runner) Handle(kind string, steps ...Step) { r.kinds[kind] = steps }

// MakeRoom declares the kinds of acts that go on where the disk is full, since they end in there being more.
func (r *Runner) MakeRoom(room Room, kinds ...string) {
	for _, kind := range kinds {
		r.rooms[kind] = room
	}
}

// Begin notes an act in the caller's transaction. The caller then calls Finish; after a crash the reconciler does.
func (r *Runner) Begin(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, kind string, params any) (id.Intent, error) {
	if r.kinds[kind] == nil {
		return "", fmt.Errorf("begin intent: nobody handles %q", kind)
	}
	encoded, err := json.Marshal(params)
	if err != nil {
		return "", fmt.Errorf("begin intent: %w", err)
	}
	in, now := id.New[id.Intent](), r.now()
	_, err = tx.Exec(ctx, `insert into intent (id, study_id, person_id, kind, params, step, started_at, leased_to, failures)
		values ($1, $2, $3, $4, $5, 0, $6, $7, 0)`, in, study, person, kind, string(encoded), now.UnixMilli(), now.Add(lease).UnixMilli())
	if err != nil {
		return "", fmt.Errorf("begin intent: %w", err)
	}
	return in, nil
}

// Finish does the steps that are left. An act that is already done is no error.
func (r *Runner) Finish(ctx context.Context, intent id.Intent) error {
	in, err := scan(r.db.QueryRow(ctx, "select "+columns+" from intent where id = $1", intent))
	if errors.Is(err, database.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finish intent: %w", err)
	}
	// Half an act is worse than a late answer: the caller's leaving does not stop it.
	return r.finish(context.WithoutCancel(ctx), in)
}

func (r *Runner) finish(ctx context.Context, in Intent) error {
	steps := r.kinds[in.Kind]
	if steps == nil {
		return fmt.Errorf("intent %s: nobody handles %q", in.ID, in.Kind)
	}
	try := func() error { return r.goOn(ctx, &in, steps) }
	if room := r.rooms[in.Kind]; room != nil {
		return room(try)
	}
	return try()
}

func (r *Runner) goOn(ctx context.Context, in *Intent, steps []Step) error {
	for ; in.step < len(steps); in.step++ {
		crash.Point(fmt.Sprintf("%s.%d", in.Kind, in.step))
		if err := steps[in.step](ctx, *in); err != nil {
			return fmt.Errorf("intent %s, %s step %d: %w", in.ID, in.Kind, in.step, err)
		}
		crash.Point(fmt.Sprintf("%s.%d.done", in.Kind, in.step))
		if err := r.advance(ctx, *in, in.step+1, len(steps)); err != nil {
			return err
		}
	}
	return nil
}

// Renew keeps an act with whoever is at it, for a step that takes longer than a lease: to be called between its parts.
func (r *Runner) Renew(ctx context.Context, in Intent) error {
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update intent set leased_to = $2 where id = $1", in.ID, r.now().Add(lease).UnixMilli())
		return err
	})
}

// advance notes how many steps are done, and forgets the act after its last one.
func (r *Runner) advance(ctx context.Context, in Intent, done, steps int) error {
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		if done == steps {
			_, err := tx.Exec(ctx, "delete from intent where id = $1", in.ID)
			return err
		}
		_, err := tx.Exec(ctx, "update intent set step = $2, leased_to = $3 where id = $1 and step < $2",
			in.ID, done, r.now().Add(lease).UnixMilli())
		return err
	})
}

// Reconcile goes on with every act whose lease is over and returns how many are done now. One that fails is logged,
// tried again next time, and keeps no other from being done. alone says that no other process can be at work on this
// store, as at the start of the only one: then leases are a dead predecessor's and do not count.
func (r *Runner) Reconcile(ctx context.Context, alone bool) (done int, err error) {
	due := r.now().UnixMilli()
	if alone {
		due = math.MaxInt64
	}
	open, err := database.All(ctx, r.db, scan, "select "+columns+" from intent where leased_to <= $1 order by started_at, id", due)
	if err != nil {
		return 0, fmt.Errorf("list open intents: %w", err)
	}
	for _, in := range open {
		claimed, err := r.claim(ctx, in, due)
		if err != nil {
			return done, err
		}
		if !claimed {
			continue
		}
		if err := r.finish(ctx, in); err != nil {
			slog.ErrorContext(ctx, "intent is still open", "err", err)
			continue
		}
		done++
	}
	return done, nil
}

func (r *Runner) claim(ctx context.Context, in Intent, due int64) (claimed bool, err error) {
	err = r.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "update intent set leased_to = $2, failures = failures + 1 where id = $1 and leased_to <= $3",
			in.ID, r.now().Add(lease).UnixMilli(), due)
		claimed = n == 1
		return err
	})
	return claimed, err
}

// Run reconciles every minute until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	for {
		if _, err := r.Reconcile(ctx, false); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "reconcile", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Minute):
		}
	}
}

// Open returns who has an act under way in a study. Mailing and exports leave them out.
func (r *Runner) Open(ctx context.Context, study id.Study) (map[id.Person]bool, error) {
	open := map[id.Person]bool{}
	err := database.Each(ctx, r.db, func(row database.Scanner) error {
		var p id.Person
		err := row.Scan(&p)
		open[p] = true
		return err
	}, "select person_id from intent where study_id = $1", study)
	return open, err
}

// Under says whether an act of a kind is under way for a person. Asked within the transaction that holds what such an act
// begins with, the answer holds until its end.
func (r *Runner) Under(ctx context.Context, q database.Querier, person id.Person, kind string) (under bool, err error) {
	err = q.QueryRow(ctx, "select exists (select 1 from intent where person_id = $1 and kind = $2)", person, kind).Scan(&under)
	return under, err
}

// Of lists the acts under way in a study, the oldest first.
func (r *Runner) Of(ctx context.Context, study id.Study) ([]Intent, error) {
	return database.All(ctx, r.db, scan, "select "+columns+" from intent where study_id = $1 order by started_at, id", study)
}

// Count returns how many acts are under way, for operators.
func (r *Runner) Count(ctx context.Context) (n int, err error) {
	err = r.db.QueryRow(ctx, "select count(*) from intent").Scan(&n)
	return n, err
}

const columns = "id, study_id, person_id, kind, params, step"

func scan(row database.Scanner) (in Intent, err error) {
	err = row.Scan(&in.ID, &in.Study, &in.Person, &in.Kind, &in.Params, &in.step)
	return in, err
}
