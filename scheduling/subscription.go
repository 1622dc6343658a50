package scheduling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/secret"
)

// Subscribe makes the secret with which an account's calendar program reads its appointments, and ends the former one. It is
// told here alone; only a hash is kept.
func (s *Scheduling) Subscribe(ctx context.Context, actor audit.Actor, account id.Account) (token string, err error) {
	token = secret.New()
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `insert into subscription (account_id, hash, made_at) values ($1, $2, $3)
			on conflict (account_id) do update set hash = excluded.hash, made_at = excluded.made_at`, account, secret.Hash(token), s.now().UnixMilli())
		if err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		return s.record(ctx, tx, actor, "", "subscription.made", string(account))
	})
	return token, err
}

// Subscribed says since when an account's appointments can be read with a secret, in UTC milliseconds; 0: they cannot.
func (s *Scheduling) Subscribed(ctx context.Context, account id.Account) (since int64, err error) {
	err = s.db.QueryRow(ctx, "select made_at from subscription where account_id = $1", account).Scan(&since)
	if err != nil && !errors.Is(err, database.ErrNoRows) {
		return 0, fmt.Errorf("read subscription: %w", err)
	}
	return since, nil
}

// Unsubscribe ends an account's secret. ErrNotFound: there is none.
func (s *Scheduling) Unsubscribe(ctx context.Context, actor audit.Actor, account id.Account) error {
	return s.remove(ctx, audit.Entry{Actor: actor, Action: "subscription.ended", Detail: string(account)},
		"delete from subscription where account_id = $1", account)
}

// Subscriber is whose appointments a secret opens. ErrNotFound: nobody's (any more).
func (s *Scheduling) Subscriber(ctx context.Context, token string) (account id.Account, err error) {
	err = s.db.QueryRow(ctx, "select account_id from subscription where hash = $1", secret.Hash(token)).Scan(&account)
	if errors.Is(err, database.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read subscription: %w", err)
	}
	return account, nil
}

// Agenda returns an account's bookings in some studies that start at from or later, cancelled ones left out, by time.
func (s *Scheduling) Agenda(ctx context.Context, account id.Account, studies []id.Study, from time.Time) (all []Booking, err error) {
	for some := range database.Chunks(studies) {
		list, args := database.In(some, from.UnixMilli())
		found, err := s.bookings(ctx, "starts_at >= $1 and state <> 'cancelled' and study_id in "+list, args...)
		if err != nil {
			return nil, err
		}
		for _, b := range found {
			if slices.Contains(b.Interviewers, account) {
				all = append(all, b)
			}
		}
	}
	return all, nil
}
