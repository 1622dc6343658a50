package scheduling

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/fetch"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling/ical"
)

// CalendarID names one calendar that is read for busy times.
type CalendarID string

// Calendar is a calendar that an interviewer has elsewhere. It is read for when they are busy; what they do then is never
// kept.
type Calendar struct {
	ID      CalendarID
	Account id.Account
	Name    string
	ReadAt  int64  // when its times were last known to be right, UTC milliseconds
	TriedAt int64  // UTC milliseconds
	Fault   string // error code of what went wrong since then; the last good times count until it is mended
	Skipped int    // events in it that could not be read
}

const (
	mostCalendars    = 5  // of one account
	mostCalendarName = 60 // characters
	// readEvery is how often a calendar is asked; one that fails is asked ever more seldom.
	readEvery   = 15 * time.Minute
	readSeldom  = 6 * time.Hour
	readPatient = 4 // parts of the time since it was last right
	// Times are kept from yesterday for longer than anything is offered, so that "not modified" can be believed for a while.
	keptAfter = 24 * time.Hour
	keptAhead = (mostHorizonDays + 60) * 24 * time.Hour
	needAhead = mostHorizonDays * 24 * time.Hour
	readLot   = 20 // calendars in one round
)

// Elsewhere reads calendars at addresses that staff gave.
type Elsewhere interface {
	// Check returns an address as it is fetched. It is an error with a code where nothing would be.
	Check(address string) (string, error)
	// Get fetches it; etag and modified are what came with the last answer, or empty.
	Get(ctx context.Context, address, etag, modified string) (fetch.Answer, error)
}

// Sealer keeps what belongs to the installation from whoever has the files alone.
type Sealer interface {
	SealOwn(use string, text []byte) []byte
	OpenOwn(use string, sealed []byte) ([]byte, error)
}

// sealedUse ties an address to the one calendar that it is of.
func (c CalendarID) sealedUse() string { return "calendar " + string(c) }

// AddCalendar begins to read a calendar of an account's; it is read at once, so that an address that does not work is refused
// here, as Invalid with the field "address" (and "name"). ErrCalendars: the account has as many as it can have.
func (s *Scheduling) AddCalendar(ctx context.Context, actor audit.Actor, account id.Account, name, address string) error {
	var check errs.Check
	check.Require("name", name, mostCalendarName)
	address, err := s.elsewhere.Check(address)
	if err != nil {
		check.Add("address", codeOf(err))
	}
	if err := check.Err(); err != nil {
		return err
	}
	have, err := s.Calendars(ctx, account)
	if err != nil {
		return err
	}
	if len(have) >= mostCalendars {
		return ErrCalendars
	}
	c := reading{Calendar: Calendar{ID: id.New[CalendarID](), Account: account, Name: strings.TrimSpace(name)}}
	if err := s.read(ctx, &c, address); err != nil {
		check.Add("address", codeOf(err))
		return check.Err()
	}
	sealed := s.sealer.SealOwn(c.ID.sealedUse(), []byte(address))
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `insert into calendar (id, account_id, name, address, etag, modified, read_at, tried_at, fault, skipped, next_at, horizon)
			values ($1, $2, $3, $4, $5, $6, $7, $7, '', $8, $9, $10)`, c.ID, account, c.Name, sealed, c.etag, c.modified, c.ReadAt, c.Skipped,
			s.now().Add(readEvery).UnixMilli(), c.horizon)
		if err != nil {
			return fmt.Errorf("add calendar: %w", err)
		}
		if err := keepBusy(ctx, tx, c); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, "", "calendar.added", string(c.ID))
	})
}

// codeOf says what went wrong in a word; what has none is a calendar that cannot be reached.
func codeOf(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Code
	}
	return "fetch.unreachable"
}

// Calendars lists an account's calendars by name.
func (s *Scheduling) Calendars(ctx context.Context, account id.Account) ([]Calendar, error) {
	all, err := database.All(ctx, s.db, func(row database.Scanner) (c Calendar, err error) {
		err = row.Scan(&c.ID, &c.Account, &c.Name, &c.ReadAt, &c.TriedAt, &c.Fault, &c.Skipped)
		return c, err
	}, "select id, account_id, name, read_at, tried_at, fault, skipped from calendar where account_id = $1", account)
	if err != nil {
		return nil, fmt.Errorf("list calendars: %w", err)
	}
	slices.SortFunc(all, func(a, b Calendar) int { return strings.Compare(a.Name+string(a.ID), b.Name+string(b.ID)) })
	return all, nil
}

// RemoveCalendar forgets a calendar with its times. ErrNotFound: it is not there, or another's.
func (s *Scheduling) RemoveCalendar(ctx context.Context, actor audit.Actor, account id.Account, calendar CalendarID) error {
	return s.remove(ctx, audit.Entry{Actor: actor, Action: "calendar.removed", Detail: string(calendar)},
		"delete from calendar where account_id = $1 and id = $2", account, calendar)
}

// reading is one calendar while it is read.
type reading struct {
	Calendar
	address        []byte // sealed
	etag, modified string
	horizon, next  int64
	wait           time.Duration // that the server asked for
	changed        bool
	times          []Span
}

// ReadCalendars reads those calendars whose turn it is. Several processes may do it at once. What a calendar answers is no error
// here: it is kept with the calendar, beside its last good times.
func (s *Scheduling) ReadCalendars(ctx context.Context) error {
	due, err := database.All(ctx, s.db, func(row database.Scanner) (c reading, err error) {
		err = row.Scan(&c.ID, &c.Account, &c.address, &c.etag, &c.modified, &c.ReadAt, &c.Skipped, &c.horizon, &c.next)
		return c, err
	}, `select id, account_id, address, etag, modified, read_at, skipped, horizon, next_at from calendar where next_at <= $1
		order by next_at, id limit $2`, s.now().UnixMilli(), readLot)
	if err != nil {
		return fmt.Errorf("list calendars to read: %w", err)
	}
	for _, c := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.readAgain(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scheduling) readAgain(ctx context.Context, c reading) error {
	now := s.now()
	pause := min(max(now.Sub(time.UnixMilli(c.ReadAt))/readPatient, readEvery), readSeldom)
	claimed, mine := now.Add(pause).UnixMilli(), false
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "update calendar set next_at = $3, tried_at = $4 where id = $1 and next_at = $2", c.ID, c.next, claimed, now.UnixMilli())
		mine = n == 1
		return err
	})
	if err != nil || !mine {
		return err
	}
	fault := ""
	address, err := s.sealer.OpenOwn(c.ID.sealedUse(), c.address)
	if err == nil {
		err = s.read(ctx, &c, string(address))
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the server is being stopped
	}
	if pause = max(pause, c.wait); err != nil {
		fault, c.changed = codeOf(err), false
	} else {
		pause = readEvery
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "update calendar set etag = $2, modified = $3, read_at = $4, fault = $5, skipped = $6, horizon = $7, next_at = $8 where id = $1 and next_at = $9",
			c.ID, c.etag, c.modified, c.ReadAt, fault, c.Skipped, c.horizon, now.Add(pause).UnixMilli(), claimed)
		if err != nil || n == 0 { // removed meanwhile, or to be read anew in another zone
			return err
		}
		return keepBusy(ctx, tx, c)
	})
}

// read fetches a calendar and finds the times.
func (s *Scheduling) read(ctx context.Context, c *reading, address string) error {
	now := s.now()
	if c.horizon < now.Add(needAhead).UnixMilli() {
		c.etag, c.modified = "", "" // unchanged it may be, but not read far enough
	}
	answer, err := s.elsewhere.Get(ctx, address, c.etag, c.modified)
	if c.wait = answer.RetryAfter; err != nil {
		return err
	}
	if !answer.NotModified {
		if err := s.find(ctx, c, answer.Body, now); err != nil {
			return err
		}
		c.etag, c.modified = answer.ETag, answer.Modified
	}
	c.ReadAt = now.UnixMilli()
	return nil
}

// find reads the busy times out of a calendar. Those of our own appointments are left out: a participant who moves one would
// otherwise find its old time busy.
func (s *Scheduling) find(ctx context.Context, c *reading, body []byte, now time.Time) error {
	loc, err := s.homeOf(ctx, c.Account)
	if err != nil {
		return err
	}
	found, err := ical.ReadBusy(body, loc, now.Add(-keptAfter), now.Add(keptAhead))
	if err != nil {
		return err
	}
	ours, err := s.ours(ctx, found.Busy)
	if err != nil {
		return err
	}
	for _, b := range found.Busy {
		if !ours[b.UID] {
			c.times = append(c.times, Span{b.Start.UnixMilli(), b.End.UnixMilli()})
		}
	}
	c.times, c.changed, c.Skipped, c.horizon = merge(c.times), true, found.Skipped, now.Add(keptAhead).UnixMilli()
	return nil
}

// homeOf is where an account's all-day events are days: the zone of their hours.
func (s *Scheduling) homeOf(ctx context.Context, account id.Account) (*time.Location, error) {
	var name string
	err := s.db.QueryRow(ctx, "select zone from interviewer where account_id = $1 order by study_id limit 1", account).Scan(&name)
	if errors.Is(err, database.ErrNoRows) {
		return time.UTC, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask for the interviewer's zone: %w", err)
	}
	return zone(name)
}

// ours says which events are appointments of this installation.
func (s *Scheduling) ours(ctx context.Context, events []ical.Busy) (map[string]bool, error) {
	ours := map[string]bool{}
	shaped := map[string]bool{} // like one of ours
	for _, e := range events {
		if id.Valid(e.UID) {
			shaped[e.UID] = true
		}
	}
	for some := range database.Chunks(slices.Sorted(maps.Keys(shaped))) {
		list, args := database.In(some)
		found, err := database.Values[string](ctx, s.db, "select uid from booking where uid in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("find own appointments: %w", err)
		}
		for _, uid := range found {
			ours[uid] = true
		}
	}
	return ours, nil
}

// keepBusy replaces a calendar's times where they were read anew, and forgets what is over.
func keepBusy(ctx context.Context, tx *database.Tx, c reading) error {
	if _, err := tx.Exec(ctx, "delete from busy_time where calendar_id = $1 and (to_ms < $2 or $3)", c.ID, c.ReadAt-keptAfter.Milliseconds(), c.changed); err != nil {
		return fmt.Errorf("forget busy times: %w", err)
	}
	rows := make([][]any, 0, len(c.times))
	for _, t := range c.times {
		rows = append(rows, []any{c.ID, t.From, t.To})
	}
	if !c.changed || len(rows) == 0 {
		return nil
	}
	if _, err := tx.Insert(ctx, "busy_time (calendar_id, from_ms, to_ms)", rows, "on conflict do nothing"); err != nil {
		return fmt.Errorf("keep busy times: %w", err)
	}
	return nil
}

// busy returns when the study's interviewers are busy elsewhere around [from, to].
func (s *Scheduling) busy(ctx context.Context, study id.Study, from, to time.Time) (map[id.Account][]Span, error) {
	return s.spans(ctx, `select c.account_id, b.from_ms, b.to_ms from interviewer i join calendar c on c.account_id = i.account_id
		join busy_time b on b.calendar_id = c.id where i.study_id = $1 and b.to_ms > $2 and b.from_ms < $3`,
		study, from.Add(-reach).UnixMilli(), to.Add(reach).UnixMilli())
}
