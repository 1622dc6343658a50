package scheduling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Window is a stretch of every week in which an interviewer takes interviews.
type Window struct {
	Weekday  time.Weekday
	From, To int // minutes of the local day, 0 to 1440, multiples of five
}

// RangeID names one dated range.
type RangeID string

// Range is a dated stretch that adds to the week or is taken out of it.
type Range struct {
	ID       RangeID
	Extra    bool   // false: blocked
	From, To string // local wall times, 2006-01-02T15:04; To is not part of it
}

// Week is when one interviewer of a study has time, before bookings.
type Week struct {
	Account  id.Account
	Zone     string
	Holidays bool     // Norwegian public holidays are kept free; extra hours on one of them count all the same
	Windows  []Window // by weekday from Sunday, then time
	Ranges   []Range  // by time
	Version  int64    // rises with every change of zone, holidays and windows; 0 before there is any
}

const minutesPerDay = 24 * 60

// SetWeek makes w's account an interviewer of the study, or replaces zone, holidays and weekly hours; dated ranges are set
// elsewhere. Bookings stay. It is Invalid, with "zone" or the English weekday in lower case as the field, where zone or hours
// make no sense, and ErrChanged where they were set since the version that w names.
func (s *Scheduling) SetWeek(ctx context.Context, actor audit.Actor, study id.Study, w Week) error {
	if err := checkWeek(w.Zone, w.Windows); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `insert into interviewer (study_id, account_id, zone, holidays, version) values ($1, $2, $3, $4, cast($5 as bigint) + 1)
			on conflict (study_id, account_id) do update set zone = excluded.zone, holidays = excluded.holidays, version = excluded.version
			where interviewer.version = $5`, study, w.Account, w.Zone, w.Holidays, w.Version)
		if err != nil {
			return fmt.Errorf("set week: %w", err)
		}
		if n == 0 {
			return ErrChanged
		}
		if _, err := tx.Exec(ctx, "delete from week_window where study_id = $1 and account_id = $2", study, w.Account); err != nil {
			return fmt.Errorf("set week: %w", err)
		}
		rows := make([][]any, len(w.Windows))
		for i, hours := range w.Windows {
			rows[i] = []any{study, w.Account, int64(hours.Weekday), hours.From, hours.To}
		}
		if _, err := tx.Insert(ctx, "week_window (study_id, account_id, weekday, from_minute, to_minute)", rows, ""); err != nil {
			return fmt.Errorf("set week: %w", err)
		}
		// What lasts all day elsewhere is a day of the zone.
		if _, err := tx.Exec(ctx, "update calendar set etag = '', modified = '', next_at = 0 where account_id = $1", w.Account); err != nil {
			return fmt.Errorf("set week: %w", err)
		}
		return s.log.Append(ctx, tx, hoursSet(actor, study, w.Account))
	})
}

func checkWeek(zoneName string, windows []Window) error {
	var check errs.Check
	if _, err := zone(zoneName); err != nil {
		check.Add("zone", "scheduling.zone")
	}
	byTime := slices.SortedFunc(slices.Values(windows), func(a, b Window) int {
		return (int(a.Weekday)-int(b.Weekday))*minutesPerDay + a.From - b.From
	})
	for i, w := range byTime {
		field := strings.ToLower(w.Weekday.String())
		switch {
		case w.Weekday < time.Sunday || w.Weekday > time.Saturday || w.From < 0 || w.To > minutesPerDay || w.From >= w.To:
			check.Add(field, "scheduling.hours")
		case w.From%cellMinutes != 0 || w.To%cellMinutes != 0:
			check.Add(field, "scheduling.five")
		case i > 0 && byTime[i-1].Weekday == w.Weekday && byTime[i-1].To > w.From:
			check.Add(field, "scheduling.overlap")
		}
	}
	return check.Err()
}

// AddExtra offers a dated stretch beside the weekly hours, in the interviewer's zone. ErrNotFound: no week is set.
func (s *Scheduling) AddExtra(ctx context.Context, actor audit.Actor, study id.Study, account id.Account, from, to string) (RangeID, error) {
	return s.addRange(ctx, actor, study, account, Range{Extra: true, From: from, To: to})
}

// AddBlock offers nothing in a dated stretch, in the interviewer's zone. Bookings stay. ErrNotFound: no week is set.
func (s *Scheduling) AddBlock(ctx context.Context, actor audit.Actor, study id.Study, account id.Account, from, to string) (RangeID, error) {
	return s.addRange(ctx, actor, study, account, Range{From: from, To: to})
}

func (s *Scheduling) addRange(ctx context.Context, actor audit.Actor, study id.Study, account id.Account, r Range) (RangeID, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	r.ID = id.New[RangeID]()
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "insert into dated_range (id, study_id, account_id, extra, from_wall, to_wall) values ($1, $2, $3, $4, $5, $6)",
			r.ID, study, account, r.Extra, r.From, r.To)
		if errors.Is(err, database.ErrReferenced) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("add dated range: %w", err)
		}
		return s.log.Append(ctx, tx, hoursSet(actor, study, account))
	})
	return r.ID, err
}

func (r Range) check() error {
	var check errs.Check
	for field, wall := range map[string]string{"from": r.From, "to": r.To} {
		if at, err := time.Parse(wallLayout, wall); err != nil {
			check.Add(field, "scheduling.time")
		} else if at.Minute()%cellMinutes != 0 {
			check.Add(field, "scheduling.five")
		}
	}
	if err := check.Err(); err != nil {
		return err
	}
	if r.From >= r.To {
		check.Add("to", "scheduling.hours")
	}
	return check.Err()
}

// RemoveRange takes a dated range back. ErrNotFound: it is not there.
func (s *Scheduling) RemoveRange(ctx context.Context, actor audit.Actor, study id.Study, account id.Account, r RangeID) error {
	return s.remove(ctx, hoursSet(actor, study, account), "delete from dated_range where study_id = $1 and account_id = $2 and id = $3", study, account, r)
}

// Leave ends an account's part as an interviewer of the study: nothing of theirs is offered any more. Bookings stay.
// ErrNotFound: they were none.
func (s *Scheduling) Leave(ctx context.Context, actor audit.Actor, study id.Study, account id.Account) error {
	return s.remove(ctx, hoursSet(actor, study, account), "delete from interviewer where study_id = $1 and account_id = $2", study, account)
}

func hoursSet(actor audit.Actor, study id.Study, account id.Account) audit.Entry {
	return audit.Entry{Actor: actor, Action: "availability.set", Study: study, Detail: string(account)}
}

// remove deletes a row and notes it.
func (s *Scheduling) remove(ctx context.Context, entry audit.Entry, statement string, args ...any) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, statement, args...)
		if err != nil {
			return fmt.Errorf("%s: %w", entry.Action, err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return s.log.Append(ctx, tx, entry)
	})
}

// Week returns one interviewer's availability. ErrNotFound: they are none of this study.
func (s *Scheduling) Week(ctx context.Context, study id.Study, account id.Account) (Week, error) {
	weeks, err := s.Weeks(ctx, study)
	if err != nil {
		return Week{}, err
	}
	for _, w := range weeks {
		if w.Account == account {
			return w, nil
		}
	}
	return Week{}, ErrNotFound
}

// Weeks returns the availability of all interviewers of a study, by account.
func (s *Scheduling) Weeks(ctx context.Context, study id.Study) ([]Week, error) {
	weeks, err := database.All(ctx, s.db, func(row database.Scanner) (w Week, err error) {
		err = row.Scan(&w.Account, &w.Zone, &w.Holidays, &w.Version)
		return w, err
	}, "select account_id, zone, holidays, version from interviewer where study_id = $1", study)
	if err != nil {
		return nil, fmt.Errorf("list interviewers: %w", err)
	}
	slices.SortFunc(weeks, func(a, b Week) int { return strings.Compare(string(a.Account), string(b.Account)) })
	of := map[id.Account]*Week{}
	for i := range weeks {
		of[weeks[i].Account] = &weeks[i]
	}
	if err := s.addWindows(ctx, study, of); err != nil {
		return nil, fmt.Errorf("list weekly hours: %w", err)
	}
	if err := s.addRanges(ctx, study, of); err != nil {
		return nil, fmt.Errorf("list dated ranges: %w", err)
	}
	return weeks, nil
}

func (s *Scheduling) addWindows(ctx context.Context, study id.Study, of map[id.Account]*Week) error {
	return database.Each(ctx, s.db, func(row database.Scanner) error {
		var account id.Account
		var w Window
		if err := row.Scan(&account, &w.Weekday, &w.From, &w.To); err != nil {
			return err
		}
		// Whoever became an interviewer since the first query is not there yet.
		if week := of[account]; week != nil {
			week.Windows = append(week.Windows, w)
		}
		return nil
	}, "select account_id, weekday, from_minute, to_minute from week_window where study_id = $1 order by weekday, from_minute", study)
}

func (s *Scheduling) addRanges(ctx context.Context, study id.Study, of map[id.Account]*Week) error {
	err := database.Each(ctx, s.db, func(row database.Scanner) error {
		var account id.Account
		var r Range
		if err := row.Scan(&r.ID, &account, &r.Extra, &r.From, &r.To); err != nil {
			return err
		}
		if week := of[account]; week != nil {
			week.Ranges = append(week.Ranges, r)
		}
		return nil
	}, "select id, account_id, extra, from_wall, to_wall from dated_range where study_id = $1", study)
	for _, week := range of {
		slices.SortFunc(week.Ranges, func(a, b Range) int { return strings.Compare(a.From+string(a.ID), b.From+string(b.ID)) })
	}
	return err
}
