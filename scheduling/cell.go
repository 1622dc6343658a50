package scheduling

import (
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

const (
	minute      = int64(60_000) // in milliseconds
	cellMinutes = 5
	cellLength  = cellMinutes * minute
)

// length is the interview's in milliseconds.
func (t Type) length() int64 { return int64(t.Minutes) * minute }

// cells returns the half-open range of cells that an interview takes up with the buffers around it.
func (t Type) cells(start, end int64) (first, after int64) {
	first = (start - int64(t.BufferBefore)*minute) / cellLength
	after = (end + int64(t.BufferAfter)*minute + cellLength - 1) / cellLength
	return first, after
}

// takeTurn makes writers who want any of these interviewers follow each other. PostgreSQL locks the rows in the order
// in which they are listed, which is the same for everybody.
func takeTurn(ctx context.Context, tx *database.Tx, accounts []id.Account) error {
	var rows [][]any
	for _, a := range sorted(accounts) {
		rows = append(rows, []any{a, 1})
	}
	if _, err := tx.Insert(ctx, "interviewer_turn (account_id, turn)", rows, "on conflict (account_id) do update set turn = interviewer_turn.turn + 1"); err != nil {
		return fmt.Errorf("take interviewers' turn: %w", err)
	}
	return nil
}

// pick returns the first of those to choose from that nobody but this booking holds in the cells and whose day has room, as many as
// are wanted; ErrTaken if they are fewer.
func pick(ctx context.Context, tx *database.Tx, from cast, booking id.Booking, first, after int64) ([]id.Account, error) {
	in, args := database.In(from.accounts, booking, first, after)
	busy, err := database.Values[id.Account](ctx, tx, `select distinct account_id from booking_cell where booking_id <> $1 and cell >= $2 and cell < $3
		and account_id in `+in, args...)
	if err == nil && from.date != nil {
		busy, err = from.full(ctx, tx, booking, first, busy)
	}
	if err != nil {
		return nil, fmt.Errorf("find who is free: %w", err)
	}
	free := slices.DeleteFunc(slices.Clone(from.accounts), func(a id.Account) bool { return slices.Contains(busy, a) })
	if len(free) < from.want {
		return nil, ErrTaken
	}
	return sorted(free[:from.want]), nil
}

// aDay is in cells.
const aDay = 24 * 60 / cellMinutes

// full adds those whose day holds as many interviews as it may, this one not counted.
func (from cast) full(ctx context.Context, tx *database.Tx, booking id.Booking, first int64, busy []id.Account) ([]id.Account, error) {
	in, args := database.In(from.accounts, booking, first-aDay, first+aDay)
	days := map[id.Account]int{}
	err := database.Each(ctx, tx, func(row database.Scanner) error {
		var account id.Account
		var cell int64
		err := row.Scan(&account, &cell)
		if from.date(account, cell) == from.date(account, first) {
			if days[account]++; days[account] >= from.daily {
				busy = append(busy, account)
			}
		}
		return err
	}, "select account_id, cell from booking_cell where span > 0 and booking_id <> $1 and cell >= $2 and cell < $3 and account_id in "+in, args...)
	return busy, err
}

// take writes the booking's cells. The primary key is what makes double booking impossible; whoever
// took a cell first keeps it.
func take(ctx context.Context, tx *database.Tx, b Booking, first, after int64) error {
	if b.Mode == Email {
		return nil // answers in writing take nobody's hours
	}
	var rows [][]any
	for _, account := range b.Interviewers {
		span := after - first
		for cell := first; cell < after; cell++ {
			rows, span = append(rows, []any{account, cell, span, b.Study, b.ID}), 0
		}
	}
	n, err := tx.Insert(ctx, "booking_cell (account_id, cell, span, study_id, booking_id)", rows, "on conflict do nothing")
	if err != nil {
		return fmt.Errorf("take cells: %w", err)
	}
	if n < (after-first)*int64(len(b.Interviewers)) {
		return ErrTaken
	}
	return nil
}

// release gives the booking's cells back.
func release(ctx context.Context, tx *database.Tx, b Booking) error {
	if _, err := tx.Exec(ctx, "delete from booking_cell where study_id = $1 and booking_id = $2", b.Study, b.ID); err != nil {
		return fmt.Errorf("release cells: %w", err)
	}
	return nil
}
