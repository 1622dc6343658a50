package scheduling

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// Kinds of mail. Params are "booking", "sequence", "starts_at" (UTC milliseconds of the time that the mail is about) and
// "language". A mail whose sequence is no longer the booking's is stale.
const (
	MailConfirmed = "booking_confirmed"
	MailMoved     = "booking_moved"
	MailCancelled = "booking_cancelled"
)

// tell writes to the participant and to every interviewer of the booking.
func (s *Scheduling) tell(ctx context.Context, tx *database.Tx, kind string, b Booking) error {
	if err := s.enqueue(ctx, tx, kind, b, mail.Mail{Person: b.Person}); err != nil {
		return err
	}
	return s.tellStaff(ctx, tx, kind, b, b.Interviewers)
}

func (s *Scheduling) tellStaff(ctx context.Context, tx *database.Tx, kind string, b Booking, accounts []id.Account) error {
	for _, account := range accounts {
		if err := s.enqueue(ctx, tx, kind, b, mail.Mail{Account: account, About: b.Person}); err != nil {
			return err
		}
	}
	return nil
}

// tellMove writes to the participant and to those who go on, to those who are let off and to those who step in.
func (s *Scheduling) tellMove(ctx context.Context, tx *database.Tx, before, after Booking) error {
	if err := s.enqueue(ctx, tx, MailMoved, after, mail.Mail{Person: after.Person}); err != nil {
		return err
	}
	for _, account := range after.Interviewers {
		kind := MailConfirmed
		if slices.Contains(before.Interviewers, account) {
			kind = MailMoved
		}
		if err := s.tellStaff(ctx, tx, kind, after, []id.Account{account}); err != nil {
			return err
		}
	}
	letOff := slices.DeleteFunc(slices.Clone(before.Interviewers), func(a id.Account) bool { return slices.Contains(after.Interviewers, a) })
	before.Sequence = after.Sequence
	return s.tellStaff(ctx, tx, MailCancelled, before, letOff)
}

func (s *Scheduling) enqueue(ctx context.Context, tx *database.Tx, kind string, b Booking, m mail.Mail) error {
	m.Study, m.Kind = b.Study, kind
	m.Params = map[string]string{"booking": string(b.ID), "sequence": strconv.Itoa(b.Sequence), "starts_at": strconv.FormatInt(b.StartsAt, 10)}
	if b.Language != "" {
		m.Params["language"] = b.Language
	}
	m.Key = fmt.Sprintf("%s/%s/%d/%s", kind, b.ID, b.Sequence, m.Account)
	if err := s.outbox.Enqueue(ctx, tx, m); err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return nil
}
