package scheduling

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// Kinds of mail. Params are "booking", "sequence", "starts_at" (UTC milliseconds of the time that the mail is about) and
// "language". A mail whose sequence is no longer that of the reader's copy is stale, except a reminder, which is true for as long
// as the time is, and one to somebody who is let off.
const (
	MailConfirmed = "booking_confirmed"
	MailMoved     = "booking_moved"     // or its place, or how to meet: "time" is "same" then
	MailCancelled = "booking_cancelled" // "by" is who wanted that: "self" or "team"; without it, it follows from something else
	MailRetitled  = "booking_retitled"  // to the participant, who asked for it
	MailReminder  = "booking_reminder"  // "hours" before the start
	MailAgain     = "booking_again"     // to choose another time, after one at which they did not turn up
)

// remind puts the reminders of a booking into the queue. One whose hour has passed is none.
func (s *Scheduling) remind(ctx context.Context, tx *database.Tx, kind Type, b Booking) error {
	for _, hours := range kind.reminders(b.Mode) {
		m := mail.Mail{Person: b.Person, NotBefore: b.reminded(hours)}
		if m.NotBefore <= s.now().UnixMilli() {
			continue
		}
		if err := s.enqueue(ctx, tx, MailReminder, b, m, "hours", strconv.Itoa(hours)); err != nil {
			return err
		}
	}
	return nil
}

// remindAnew puts the reminders of all bookings of an audience into the queue that are still to come. Those at other hours find
// themselves no longer wanted; those that are there already stay one.
func (s *Scheduling) remindAnew(ctx context.Context, tx *database.Tx, kind Type) error {
	open, err := database.All(ctx, tx, scanBooking, "select "+bookingColumns+" from booking where study_id = $1 and audience = $2 and state = 'booked' and starts_at > $3",
		kind.Study, kind.Audience, s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("list open bookings: %w", err)
	}
	for _, b := range open {
		if err := s.remind(ctx, tx, kind, b); err != nil {
			return err
		}
	}
	return nil
}

// reminders are how many hours before the start a participant is reminded, the earliest first.
func (t Type) reminders(mode Mode) (hours []int) {
	hours = []int{t.RemindHours}
	if mode.Call() {
		hours = append(hours, t.RemindCallHours)
	}
	slices.Sort(hours)
	hours = slices.DeleteFunc(slices.Compact(hours), func(h int) bool { return h == 0 })
	slices.Reverse(hours)
	return hours
}

// morning is when somebody is reminded of a day.
const morning = 9 * time.Hour

// reminded is when a reminder so many hours before the start is due, in UTC milliseconds.
func (b Booking) reminded(hours int) int64 {
	at := b.Start().Add(-time.Duration(hours) * time.Hour)
	if b.Mode == Email {
		at = at.Add(morning)
	}
	return at.UnixMilli()
}

// Reminds says whether a reminder so many hours before the start, of a booking at startsAt, is still right to send: it stands at
// that time, which is to come, and no later reminder is due as well.
func (t Type) Reminds(b Booking, hours int, startsAt int64, now time.Time) bool {
	if b.State != Booked || b.StartsAt != startsAt || now.UnixMilli() >= b.StartsAt && b.Mode != Email || now.UnixMilli() >= b.EndsAt {
		return false
	}
	all := t.reminders(b.Mode)
	i := slices.Index(all, hours)
	return i >= 0 && !slices.ContainsFunc(all[i+1:], func(later int) bool { return b.reminded(later) <= now.UnixMilli() })
}

// tell writes to the participant and to every interviewer of the booking.
func (s *Scheduling) tell(ctx context.Context, tx *database.Tx, kind string, b Booking, further ...string) error {
	if err := s.enqueue(ctx, tx, kind, b, mail.Mail{Person: b.Person}, further...); err != nil {
		return err
	}
	return s.tellStaff(ctx, tx, kind, b, b.Interviewers)
}

func (s *Scheduling) tellStaff(ctx context.Context, tx *database.Tx, kind string, b Booking, accounts []id.Account, further ...string) error {
	for _, account := range accounts {
		if err := s.enqueue(ctx, tx, kind, b, mail.Mail{Account: account, About: b.Person}, further...); err != nil {
			return err
		}
	}
	return nil
}

// tellMove writes to the participant and to those who go on, to those who are let off and to those who step in.
func (s *Scheduling) tellMove(ctx context.Context, tx *database.Tx, before, after Booking) error {
	var same []string
	if before.StartsAt == after.StartsAt {
		same = []string{"time", "same"}
	}
	if err := s.enqueue(ctx, tx, MailMoved, after, mail.Mail{Person: after.Person}, same...); err != nil {
		return err
	}
	for _, account := range after.Interviewers {
		kind := MailConfirmed
		if slices.Contains(before.Interviewers, account) {
			kind = MailMoved
		}
		if err := s.tellStaff(ctx, tx, kind, after, []id.Account{account}, same...); err != nil {
			return err
		}
	}
	letOff := slices.DeleteFunc(slices.Clone(before.Interviewers), func(a id.Account) bool { return slices.Contains(after.Interviewers, a) })
	before.Sequence = after.Sequence
	return s.tellStaff(ctx, tx, MailCancelled, before, letOff)
}

// enqueue puts a mail into the queue; further are parameters of its own kind, name and value in turn. One reminder stands for
// each time that a booking has had.
func (s *Scheduling) enqueue(ctx context.Context, tx *database.Tx, kind string, b Booking, m mail.Mail, further ...string) error {
	sequence := b.Sequence
	if m.Person != "" {
		sequence = b.OwnSequence()
	}
	m.Study, m.Kind = b.Study, kind
	m.Params = map[string]string{"booking": string(b.ID), "sequence": strconv.Itoa(sequence), "starts_at": strconv.FormatInt(b.StartsAt, 10)}
	if b.Language != "" {
		m.Params["language"] = b.Language
	}
	m.Key = fmt.Sprintf("%s/%s/%d/%s", kind, b.ID, sequence, m.Account)
	switch kind {
	case MailReminder:
		m.Key = fmt.Sprintf("%s/%s/%d/%s", kind, b.ID, b.StartsAt, further[1])
	case MailAgain: // each time that staff ask is one
		m.Key = fmt.Sprintf("%s/%s/%d", kind, b.ID, b.Version)
	}
	for i := 0; i < len(further); i += 2 {
		m.Params[further[i]] = further[i+1]
	}
	if err := s.outbox.Enqueue(ctx, tx, m); err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return nil
}
