package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"example.org/feltbok/internal/id"
)

// Sender empties the outbox. Several may work on one store; each sends one mail at a time, so that a kill repeats one
// at most.
type Sender struct {
	outbox    *Outbox
	renderer  Renderer
	transport Transport
	from      Address
	domain    string
	turn      sync.Mutex // held for one attempt
}

// NewSender returns a sender. from is the installation's mailbox; its domain ends every Message-ID.
func NewSender(outbox *Outbox, renderer Renderer, transport Transport, from Address) *Sender {
	return &Sender{outbox: outbox, renderer: renderer, transport: transport, from: from,
		domain: from.Email[strings.LastIndexByte(from.Email, '@')+1:]}
}

const (
	poll        = 5 * time.Second
	outagePause = time.Minute
	notYetPause = time.Minute

	firstPause = time.Minute
	// Pauses double up to longestPause; mostAttempts of them last five days (RFC 5321 §4.5.4.1).
	longestPause = 6 * time.Hour
	mostAttempts = 28

	// attemptLimit ends an attempt whatever hangs, well before its lease does.
	attemptLimit = 2 * time.Minute
)

// Run sends what falls due until ctx ends. A mail under way then is finished first.
func (s *Sender) Run(ctx context.Context) {
	defer s.rest()
	for {
		wait := poll
		sent, err := s.SendDue(ctx)
		if sent == 0 {
			s.rest()
		}
		if errors.Is(err, ErrOutage) {
			wait = outagePause
		}
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "mail waits", "transport", s.transport.Name(), "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// rest ends the connection to the server; the next mail opens another.
func (s *Sender) rest() {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.transport.Close(); err != nil {
		slog.Debug("mail connection did not end well", "transport", s.transport.Name(), "err", err)
	}
}

// SendDue sends everything that is due and returns how many went. A mail that fails keeps no other from going; an
// outage ends the round with ErrOutage.
func (s *Sender) SendDue(ctx context.Context) (sent int, err error) {
	for {
		rows, err := s.outbox.due(ctx)
		if err != nil || len(rows) == 0 {
			return sent, err
		}
		for _, row := range rows {
			if ctx.Err() != nil {
				return sent, ctx.Err()
			}
			went, err := s.attempt(ctx, row, false)
			if went {
				sent++
			}
			if err != nil {
				return sent, err
			}
		}
	}
}

// personPause is between two rounds of SendPerson.
const personPause = time.Second

// SendPerson sends what a person still has to get and what staff have to get about them, for the last words before
// erasure, and returns how many mails are left after the given time, give or take an attempt. Mails for later, such as
// reminders, are not among them.
func (s *Sender) SendPerson(ctx context.Context, person id.Person, patience time.Duration) (left int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		// The deadline ends the trying and not the counting.
		rows, err := s.outbox.dueOf(context.WithoutCancel(ctx), person)
		if err != nil || len(rows) == 0 || ctx.Err() != nil {
			return len(rows), err
		}
		for _, row := range rows {
			_, err := s.attempt(context.WithoutCancel(ctx), row, true)
			if errors.Is(err, ErrOutage) || err == nil && ctx.Err() != nil {
				break
			}
			if err != nil {
				return len(rows), err
			}
		}
		if rows, err = s.outbox.dueOf(context.WithoutCancel(ctx), person); err != nil || len(rows) == 0 {
			return len(rows), err
		}
		select {
		case <-ctx.Done():
		case <-time.After(personPause):
		}
	}
}

// attempt claims, renders and sends one mail and writes what became of it. Once begun it runs to its end even if ctx
// does not.
func (s *Sender) attempt(ctx context.Context, row Row, anyTime bool) (sent bool, err error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	word, err := s.outbox.claim(ctx, row, anyTime)
	if err != nil || word == "" {
		return false, err
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptLimit)
	defer cancel()
	row.MessageID = string(row.ID) + "@" + s.domain
	failure := s.deliver(limited, row)
	s.outcome(&row, failure)
	if err := s.outbox.settle(context.WithoutCancel(ctx), row, word); err != nil {
		return failure == nil, err
	}
	f, failed := errors.AsType[*Failure](failure)
	if failed && f.Extent == Outage {
		return false, fmt.Errorf("%w: %w", ErrOutage, f)
	}
	if failed {
		slog.WarnContext(ctx, "mail was not sent", "mail", row.ID, "kind", row.Kind, "attempts", row.Attempts, "state", row.State, "err", f)
	}
	return failure == nil, nil
}

func (s *Sender) deliver(ctx context.Context, row Row) error {
	m, err := s.render(ctx, row)
	if err != nil {
		return err
	}
	m.Kind, m.Date = row.Kind, s.outbox.now()
	if m.From.Email == "" {
		m.From = s.from
	}
	return s.transport.Send(ctx, m, row.MessageID)
}

// render asks for the message. A text that panics fails alone.
func (s *Sender) render(ctx context.Context, row Row) (m Message, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			slog.ErrorContext(ctx, "mail cannot be rendered", "mail", row.ID, "kind", row.Kind, "panic", caught)
			err = &Failure{Extent: Later, Code: "render"}
		}
	}()
	m, err = s.renderer.Render(ctx, row)
	if err != nil && !errors.Is(err, ErrStale) && !errors.Is(err, ErrNotYet) && !errors.Is(err, ErrNoAddress) {
		slog.ErrorContext(ctx, "mail cannot be rendered", "mail", row.ID, "kind", row.Kind, "err", err)
		return m, &Failure{Extent: Later, Code: "render"}
	}
	return m, err
}

// outcome moves the row to where an attempt has brought it.
func (s *Sender) outcome(row *Row, failure error) {
	now := s.outbox.now()
	switch {
	case failure == nil:
		row.State, row.Reason, row.Status = Sent, "", 0
	case errors.Is(failure, ErrStale):
		row.State, row.Reason, row.Status = Stale, "", 0
	case errors.Is(failure, ErrNotYet):
		row.Reason, row.Status, row.NextAt = "not_yet", 0, now.Add(notYetPause).UnixMilli()
	case errors.Is(failure, ErrNoAddress):
		row.State, row.Reason, row.Status = Failed, "no_address", 0
	default:
		f, ok := errors.AsType[*Failure](failure)
		if !ok {
			f = &Failure{Extent: Later, Code: "transport"}
		}
		row.fail(f, now)
	}
}

func (r *Row) fail(f *Failure, now time.Time) {
	r.Reason, r.Status = f.Code, f.Status
	if f.Extent == Outage {
		r.NextAt = now.Add(outagePause).UnixMilli()
		return
	}
	r.Attempts++
	if f.Extent == Never || r.Attempts >= mostAttempts {
		r.State = Failed
		return
	}
	r.NextAt = now.Add(pause(r.Attempts)).UnixMilli()
}

// pause is the time before the next attempt, give or take a tenth, so that what failed together does not return
// together.
func pause(attempts int) time.Duration {
	long := longestPause
	if doublings := attempts - 1; doublings < 10 {
		long = min(firstPause<<doublings, longestPause)
	}
	return long - long/10 + rand.N(long/5)
}
