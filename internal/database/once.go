package database

import (
	"context"
	"errors"
	"time"

	"example.org/feltbok/internal/errs"
)

// ErrRepeated is a Conflict: the form was handed in before, and what it asked for is done. Nothing was changed now.
var ErrRepeated = errs.New(errs.Conflict, "repeated")

type onceKey struct{}

type once struct {
	form string
	at   time.Time
	used bool
}

// WithOnce makes the first transaction on the study store under the returned context record a form's key, so that a
// double click or a replay is one act: where the key was recorded before, that transaction changes nothing and returns
// ErrRepeated. A transaction that fails records nothing, and the form may be handed in again. The context belongs to
// one request and may not be shared between goroutines.
func WithOnce(ctx context.Context, form string, at time.Time) context.Context {
	return context.WithValue(ctx, onceKey{}, &once{form: form, at: at})
}

// WithoutOnce leaves the form of the context to a later transaction, for what comes before the form's own act.
func WithoutOnce(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, (*once)(nil))
}

// onceFirst returns what records the form's key and then does fn, and what is to be called once that is committed.
func (db *DB) onceFirst(ctx context.Context, fn func(*Tx) error) (first func(*Tx) error, committed func()) {
	o, _ := ctx.Value(onceKey{}).(*once)
	if o == nil || o.used || db.store != Study {
		return fn, func() {}
	}
	first = func(tx *Tx) error {
		_, err := tx.Exec(ctx, "insert into form_key (key, used_at) values ($1, $2)", o.form, o.at.UnixMilli())
		if errors.Is(err, ErrDuplicate) {
			return ErrRepeated
		}
		if err != nil {
			return err
		}
		return fn(tx)
	}
	return first, func() { o.used = true }
}

// ForgetForms deletes the keys of forms handed in before the given time; handlers refuse older forms by their date.
func (db *DB) ForgetForms(ctx context.Context, before time.Time) error {
	return db.Tx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "delete from form_key where used_at < $1", before.UnixMilli())
		return err
	})
}

// Repeated is ErrRepeated where the form of the context was handed in before, for a refusal that the first time itself
// brought about: somebody else has this code, namely who was just taken in.
func (db *DB) Repeated(ctx context.Context) error {
	o, _ := ctx.Value(onceKey{}).(*once)
	if o == nil || o.used {
		return nil
	}
	var one int
	err := db.QueryRow(ctx, "select 1 from form_key where key = $1", o.form).Scan(&one)
	if errors.Is(err, ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrRepeated
}
