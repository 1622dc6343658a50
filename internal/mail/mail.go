// Package mail owns the outbox: what is to be mailed is a row written in the transaction that made it necessary, and is
// rendered when it is sent. A row holds a pseudonym and parameters; no address, no name, no answer.
//
// Delivery is at least once. The Message-ID is derived from the row, so that a repeat is recognised. Who the recipient
// is, what the text says and whether it is still true are asked of a Renderer just before sending; this package knows
// none of it.
package mail

import (
	"context"
	"fmt"
	"time"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Mail is one message to be sent, to a participant or to a member of staff.
type Mail struct {
	Study     id.Study
	Person    id.Person         // the recipient, or
	Account   id.Account        // the member of staff; exactly one of the two is set
	About     id.Person         // whom a mail to staff is about; empty where it is about nobody
	Kind      string            // names the text, such as "booking_confirmed"
	Params    map[string]string // identifiers, numbers and codes
	NotBefore int64             // UTC milliseconds; 0 is at once
	Key       string            // optional: mails of a study with the same key are one mail
	Batch     id.Batch          // optional: put into the queue together, to be counted and stopped together
}

// State is where a row has come to.
type State string

const (
	Waiting State = "waiting"
	Sent    State = "sent"
	Stale   State = "stale"   // no longer true when its turn came
	Failed  State = "failed"  // given up; Retry begins anew
	Dropped State = "dropped" // whom it is to, or about, has withdrawn
)

// Row is one mail in the outbox.
type Row struct {
	ID id.Mail
	Mail
	State     State
	Attempts  int    // that failed because of this very mail; an outage counts for nobody
	Reason    string // code of the latest failure: the translation key after "mail.reason."
	Status    int    // SMTP reply that came with it, 0 if none
	CreatedAt int64  // UTC milliseconds
	NextAt    int64  // UTC milliseconds: when it is to be tried (again)
	DoneAt    int64  // UTC milliseconds: when it left the state Waiting, 0 before
	MessageID string // without angle brackets; the same at every attempt; set by the Sender
}

// Address is a mailbox.
type Address struct{ Name, Email string }

// Message is a mail as its recipient sees it. It exists while it is sent and is never stored.
type Message struct {
	To          Address
	From        Address // empty: the installation's own
	ReplyTo     Address // empty: none
	Subject     string
	Text        string // always there
	HTML        string // optional alternative
	Calendar    *Calendar
	Attachments []Attachment
	Headers     map[string]string // such as List-Unsubscribe
	Language    string            // "nb", "nn" or "en"
	Kind        string            // the row's; set by the Sender
	Date        time.Time         // set by the Sender
}

// Calendar is an invitation or cancellation that a calendar program acts on (RFC 6047).
type Calendar struct {
	Method string // REQUEST or CANCEL, as inside Data
	Data   []byte
}

// Attachment is a file sent along.
type Attachment struct {
	Name, Type string
	Data       []byte
}

var (
	// ErrStale is what a Renderer returns for a mail that is no longer true: it is not sent.
	ErrStale = errs.New(errs.Conflict, "mail.stale")
	// ErrNotYet is what a Renderer returns while an act concerning the person is under way: the mail waits.
	ErrNotYet = errs.New(errs.Conflict, "mail.not_yet")
	// ErrNoAddress is what a Renderer returns where the recipient has no e-mail address: the mail fails at once.
	ErrNoAddress = errs.New(errs.NotFound, "mail.no_address")
	// ErrNotFailed is a Conflict: the mail to be retried is not there, or has not failed.
	ErrNotFailed = errs.New(errs.Conflict, "mail.not_failed")
	// ErrOutage is Unavailable: the transport takes nothing at present. Everything waits.
	ErrOutage = errs.New(errs.Unavailable, "mail.outage")
)

// Renderer makes the message of a row. It may be called again for the same row.
type Renderer interface {
	Render(ctx context.Context, row Row) (Message, error)
}

// Transport hands one message over. Errors are Failures; any other error counts as one that may pass. It is used by one
// goroutine at a time.
type Transport interface {
	Send(ctx context.Context, m Message, messageID string) error
	Name() string
	Close() error
}

// Failure is why a message was not handed over. It carries codes and never the server's words about a message, which
// repeat the address.
type Failure struct {
	Extent Extent
	Code   string // the translation key after "mail.reason."
	Status int    // SMTP reply, 0 if none
	Cause  error  // for operators; only what came before any recipient was named
}

func (f *Failure) Error() string {
	text := "mail." + f.Code
	if f.Status != 0 {
		text += fmt.Sprintf(" (%d)", f.Status)
	}
	if f.Cause != nil {
		text += ": " + f.Cause.Error()
	}
	return text
}

func (f *Failure) Unwrap() error { return f.Cause }

// Extent is what a failure says about the next attempt.
type Extent int

const (
	Later  Extent = iota // this message may pass later
	Never                // this message will not pass
	Outage               // nothing passes at present
)
