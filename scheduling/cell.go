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
	values := ""
	var args []any
	for i, a := range sorted(accounts) {
		if i > 0 {
			values += ", "
		}
		values += fmt.Sprintf("($%d, 1)", i+1)
		args = append(args, a)
	}
	_, err := tx.Exec(ctx, "insert into interviewer_turn (account_id, turn) values "+values+
		" on conflict (account_id) do update set turn = interviewer_turn.turn + 1", args...)
	if err != nil {
		return fmt.Errorf("take interviewers' turn: %w", err)
	}
	return nil
}

// pick returns the first want of the accounts that nobody but this booking holds in the cells; ErrTaken if they are
// fewer.
func pick(ctx context.Context, tx *database.Tx, accounts []id.Account, want int, booking id.Booking, first, after int64) ([]id.Account, error) {
	in, args := list(4, accounts)
	busy, err := database.Values[id.Account](ctx, tx, "select distinct account_id from booking_cell where cell >= $1 and cell < $2 and booking_id <> $3 and account_id in ("+in+")",
		append([]any{first, after, booking}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("find who is free: %w", err)
	}
	var free []id.Account
	for _, a := range accounts {
		if !slices.Contains(busy, a) && len(free) < want {
			free = append(free, a)
		}
	}
	if len(free) < want {
		return nil, ErrTaken
	}
	return sorted(free), nil
}

// take writes the booking's cells in one statement. The primary key is what makes double booking impossible; whoever
// took a cell first keeps it.
func take(ctx context.Context, tx *database.Tx, b Booking, first, after int64) error {
	values := ""
	args := []any{b.Study, b.ID}
	for _, account := range b.Interviewers {
		args = append(args, account)
		who := len(args)
		for cell := first; cell < after; cell++ {
			args = append(args, cell)
			if values != "" {
				values += ", "
			}
			values += fmt.Sprintf("($%d, cast($%d as bigint), $1, $2)", who, len(args))
		}
	}
	n, err := tx.Exec(ctx, "insert into booking_cell (account_id, cell, study_id, booking_id) values "+values+" on conflict do nothing", args...)
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
