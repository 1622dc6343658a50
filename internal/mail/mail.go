// Package mail owns the outbox: what is to be mailed is a row written in the transaction that made it necessary, and is
// rendered when it is sent. A row holds a pseudonym and parameters; no address, no name, no answer.
package mail

import "example.org/feltbok/internal/id"

// Mail is one message to be sent, to a participant or to a member of staff.
type Mail struct {
	Study     id.Study
	Person    id.Person         // the recipient, or
	Account   id.Account        // the member of staff; exactly one of the two is set
	Kind      string            // names the text, such as "booking_confirmed"
	Params    map[string]string // identifiers, numbers and codes
	NotBefore int64             // UTC milliseconds; 0 is at once
	Key       string            // optional: mails with the same key are one mail
}
