package database

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/errs"
)

// group commits many short transactions as one. SQLite has a single writer and a durable commit costs a disk flush;
// one goroutine takes everything that waits, runs each piece of work in a savepoint of its own, commits once and then
// acknowledges all. A piece that fails is undone alone.
type group struct {
	writer  *sql.DB
	waiting chan *work
	stopped chan struct{} // closed when run has returned
	closing sync.RWMutex  // held for reading while a piece of work is handed in
	closed  bool
}

type work struct {
	fn       func(*Tx) error
	err      error
	panicked any
	done     chan struct{}
}

const (
	queueLength = 256
	mostInGroup = 256
)

func newGroup(writer *sql.DB) *group {
	g := &group{writer: writer, waiting: make(chan *work, queueLength), stopped: make(chan struct{})}
	go g.run()
	return g
}

func (g *group) close() {
	g.closing.Lock()
	if !g.closed {
		g.closed = true
		close(g.waiting)
	}
	g.closing.Unlock()
	<-g.stopped
}

// do hands fn to the writing goroutine and waits for the commit. Once handed in, the work is done even if ctx ends:
// its caller must not be told "no" about a thing that then happens.
func (g *group) do(ctx context.Context, fn func(*Tx) error) error {
	w := &work{fn: fn, done: make(chan struct{})}
	if err := g.hand(ctx, w); err != nil {
		return err
	}
	<-w.done
	if w.panicked != nil {
		panic(w.panicked)
	}
	return w.err
}

func (g *group) hand(ctx context.Context, w *work) error {
	g.closing.RLock()
	defer g.closing.RUnlock()
	if g.closed {
		return errs.New(errs.Unavailable, "store_closed")
	}
	select {
	case g.waiting <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *group) run() {
	defer close(g.stopped)
	for first := range g.waiting {
		batch := g.commit(first)
		for _, w := range batch {
			close(w.done)
		}
	}
}

// commit runs first and whatever else waits, and returns all of them with their results.
func (g *group) commit(first *work) []*work {
	batch := []*work{first}
	tx, err := g.writer.Begin()
	if err != nil {
		first.err = fmt.Errorf("begin: %w", translate(err))
		return batch
	}
	defer tx.Rollback() // after a commit this does nothing
	shared := &Tx{tx: tx}
	for i := 0; ; i++ {
		batch[i].run(shared)
		if shared.dead != nil || len(batch) == mostInGroup {
			break
		}
		select {
		case w, open := <-g.waiting:
			if open {
				batch = append(batch, w)
				continue
			}
		default:
		}
		break
	}
	err = shared.dead
	if err == nil {
		crash.Point("commit")
		err = translate(tx.Commit())
		crash.Point("committed")
	}
	if err != nil {
		for _, w := range batch {
			if w.err == nil {
				w.err = fmt.Errorf("commit: %w", err)
			}
		}
	}
	return batch
}

// run does one piece of work in its savepoint.
func (w *work) run(tx *Tx) {
	defer func() {
		if w.panicked = recover(); w.panicked != nil {
			w.savepoint(tx, "rollback to piece")
		}
	}()
	if !w.savepoint(tx, "savepoint piece") {
		return
	}
	if w.err = w.fn(tx); w.err != nil {
		w.savepoint(tx, "rollback to piece")
	}
	w.savepoint(tx, "release piece")
}

// savepoint moves the savepoint; where even that fails, the whole group is undone.
func (w *work) savepoint(tx *Tx, statement string) bool {
	if tx.dead != nil {
		return false
	}
	if _, err := tx.tx.Exec(statement); err != nil {
		tx.dead = translate(err)
		return false
	}
	return true
}
