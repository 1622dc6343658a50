package database

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"

	"example.org/feltbok/internal/errs"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrNoRows is a NotFound: the query found nothing.
	ErrNoRows = errs.New(errs.NotFound, "not_found")
	// ErrDuplicate is a Conflict: a unique key is taken.
	ErrDuplicate = errs.New(errs.Conflict, "duplicate")
	// ErrReferenced is a Conflict: another row depends on this one, or this one on a row that is gone.
	ErrReferenced = errs.New(errs.Conflict, "referenced")
	// ErrFull is Unavailable: the disk is full. Nothing was written; reading goes on.
	ErrFull = errs.New(errs.Unavailable, "disk_full")
	// ErrAway is Unavailable: the database does not answer, is busy beyond its timeout, or is shutting down.
	ErrAway = errs.New(errs.Unavailable, "store_away")
)

// translate gives a driver's error its kind. The driver's own error stays in the chain for operators.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoRows
	}
	if sentinel := sentinelOf(err); sentinel != nil {
		return errs.Wrap(err, sentinel.Kind, sentinel.Code)
	}
	return err
}

func sentinelOf(err error) *errs.Error {
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteSentinel(lite.Code())
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresSentinel(pg.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return ErrAway
	}
	return nil
}

const primaryCode = 0xff // SQLite's extended codes carry the primary one in the low byte

func sqliteSentinel(code int) *errs.Error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return ErrDuplicate
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return ErrReferenced
	}
	switch code & primaryCode {
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return ErrAway
	}
	return nil
}

// postgresSentinel reads SQLSTATE (PostgreSQL manual, appendix A).
func postgresSentinel(state string) *errs.Error {
	switch {
	case state == "23505":
		return ErrDuplicate
	case state == "23503":
		return ErrReferenced
	case state == "53100":
		return ErrFull
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "53"), strings.HasPrefix(state, "57"), strings.HasPrefix(state, "40"):
		return ErrAway
	}
	return nil
}

// endsTransaction says whether SQLite has undone the whole transaction by itself ("Response To Errors Within A
// Transaction" in its documentation of BEGIN).
func endsTransaction(err error) bool {
	lite, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch lite.Code() & primaryCode {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CORRUPT:
		return true
	}
	return false
}
