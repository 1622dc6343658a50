package handlers

import (
	"context"
	"io"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// People carries the acts that touch several domains, or all three stores.
type People interface {
	// Enrol takes a candidate into the study.
	Enrol(ctx context.Context, actor audit.Actor, who identities.Identity, c recruitment.Participant) (id.Person, error)
	// EnrolRespondent takes a respondent into a survey's sampling frame.
	EnrolRespondent(ctx context.Context, actor audit.Actor, who identities.Identity, r surveys.Respondent) (id.Person, error)
	// LogContact notes a contact; what the team wrote about it goes into the vault. A blank note is none.
	LogContact(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, c recruitment.Contact, note string) error
	// UndoContact takes back a contact that was a slip, with its note.
	UndoContact(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, seq int64) error
	// SendLetter mails a person the letter and their own link, and notes that they are informed. Where no goal has room for
	// somebody who was not asked yet, they are asked only anyway.
	SendLetter(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, anyway bool) error
	// Sieve returns what says of some of a study's people why they would get no letter, without opening anybody.
	Sieve(ctx context.Context, study studies.Study) (Sieve, error)
	// SendLetters puts letters of a batch into the queue, spread as the batch says, and adds their number to its size.
	SendLetters(ctx context.Context, actor audit.Actor, batch *recruitment.Batch, persons []id.Person) error
	// StopLetters takes back what of a batch has not left.
	StopLetters(ctx context.Context, actor audit.Actor, study id.Study, batch id.Batch) error
	// Refuse keeps that a person does not want to be contacted again. What they said yes to stays.
	Refuse(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error
	// Request keeps what a person asks of the team as a task, sends a receipt, and does at once what restricts or stops. What
	// they wrote goes into the vault.
	Request(ctx context.Context, actor audit.Actor, study studies.Study, person id.Person, kind, text string) error
	// Release ends a restriction a day from now, and tells the person so.
	Release(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error
	// FinishTask notes that a task is done, or takes that back.
	FinishTask(ctx context.Context, actor audit.Actor, study id.Study, task id.Task, done bool) error
	// ExtendTask gives a request two months more, and tells the person so.
	ExtendTask(ctx context.Context, actor audit.Actor, study studies.Study, task id.Task) error
	// Correct writes what a person corrects about themselves; was is what they saw. A changed address is told to both.
	Correct(ctx context.Context, study id.Study, person id.Person, was, who identities.Identity) error
	// ChangeConsent keeps what somebody answers to a letter, and stops what rested on a yes that is now a no.
	ChangeConsent(ctx context.Context, actor audit.Actor, act consents.Act) error
	// SignConsent is ChangeConsent with a name under it, which goes into the vault; no name is none. Both ask what the study
	// demands: consents.ErrNotExplicit where the yes is still to be said in words of its own.
	SignConsent(ctx context.Context, actor audit.Actor, act consents.Act, name identities.Signature) error
	// WithdrawPurposes takes a yes back, or several, and stops what rested on it: without the one to a survey, its answers
	// are deleted.
	WithdrawPurposes(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, purposes ...string) error
	// MakeCoupon makes an informant's next invitation to pass on, with its link. Without their yes to the interview it is
	// ErrNotJoined; the rest is recruitment's word.
	MakeCoupon(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, showName bool, network int) (recruitment.Coupon, error)
	// AcceptCoupon takes in whom a coupon led to, as somebody to be called. Who is in the study already, or is not to be
	// contacted again, uses the coupon up and leaves nothing, without an error. Used meanwhile: recruitment.ErrCoupon; a
	// NotFound where the informant has left.
	AcceptCoupon(ctx context.Context, c recruitment.Coupon, who identities.Identity, said recruitment.Acceptance) error
	// RefuseCoupon ends a coupon with a no, and keeps nothing else.
	RefuseCoupon(ctx context.Context, c recruitment.Coupon) error
	// AddTip keeps in the vault alone whom an informant said we could ring.
	AddTip(ctx context.Context, actor audit.Actor, study id.Study, from id.Person, who identities.Identity, days int) error
	// EnrolTip makes a tip a candidate under the same person: the identity carries over. Whatever is refused leaves the tip.
	EnrolTip(ctx context.Context, actor audit.Actor, c recruitment.Participant) error
	// DropTip deletes a tip at once.
	DropTip(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error
	// Book makes an appointment; what is said about it goes into the vault.
	Book(ctx context.Context, actor audit.Actor, r scheduling.Request, words Words) (scheduling.Booking, error)
	// ChangeBooking is scheduling's Change. No words about where it is leave those that there are; a message is of one change.
	ChangeBooking(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, c scheduling.Change, words Words, byStaff bool) error
	// CancelBooking is scheduling's Cancel.
	CancelBooking(ctx context.Context, actor audit.Actor, study id.Study, booking id.Booking, seen int64, words Words, byStaff bool) error
	// Parting says what would become of somebody who withdrew now.
	Parting(ctx context.Context, study id.Study, person id.Person) (Parting, error)
	// Withdraw takes a person out of the study: stops what is pending, sends the last mails, keeps that they are not to be
	// contacted again, erases the person.
	Withdraw(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error
	// Change changes a study's setting; where it ends later, the reason goes to those who take part. A study that was ended is
	// studies.ErrClosed.
	Change(ctx context.Context, actor audit.Actor, s studies.Study, reason string) error
	// End ends a study for good: it is closed when this returns, and what follows goes on in the background: a farewell, the end
	// of all keys, the erasing, the certificate. One that was ended before is studies.ErrClosed.
	End(ctx context.Context, actor audit.Actor, study id.Study, fate studies.Fate, farewell bool) error

	// Frame is what a list is read for: the study's candidates, or with a survey those who are asked in it.
	Frame(ctx context.Context, study id.Study, survey id.Survey) (imports.Frame, error)
	// Upload keeps the rows of a file sealed, until the list is taken in, discarded or a day old.
	Upload(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, name string, file io.ReaderAt, size int64) (id.Import, error)
	// List says what is in a list that was handed in.
	List(ctx context.Context, actor audit.Actor, in imports.Import) (imports.List, error)
	// Review says what would become of a list now, row by row.
	Review(ctx context.Context, in imports.Import, visit func(imports.Line) error) (imports.Review, error)
	// TakeIn begins to take a list in. It goes on in the background; all of it becomes visible at once, or nothing.
	TakeIn(ctx context.Context, actor audit.Actor, study id.Study, draft id.Import) error
	// Discard forgets a list that nobody began to take in.
	Discard(ctx context.Context, actor audit.Actor, study id.Study, draft id.Import) error
}

// Words are what is said about an appointment and may name somebody or where they live: at most 2,000 characters each.
type Words struct {
	Where   string // where to come to, or which number to ring
	Message string // from the team to the participant, about what is done now
}

// Sieve says of each of several people why they would get no letter; "" for whoever would.
type Sieve func(some []recruitment.Participant) ([]Hindrance, error)

// Hindrance is why somebody would get no letter. HasLetter and QuotaFull are for the team to decide on.
type Hindrance string

const (
	IsOut       Hindrance = "out"
	NoContact   Hindrance = "no_contact" // asked not to be contacted again
	OnlyKept    Hindrance = "only_kept"  // their data are only kept for now
	SaidNo      Hindrance = "said_no"
	NotEligible Hindrance = "ineligible"
	HasAnswered Hindrance = "answered"
	NoAddress   Hindrance = "no_address"
	NoLetter    Hindrance = "no_letter" // nothing is published for their audience
	HasLetter   Hindrance = "has_letter"
	QuotaFull   Hindrance = "full"
)

// hindrances lists those that nobody is asked about, in the order in which they are shown.
var hindrances = []Hindrance{NoContact, OnlyKept, SaidNo, NotEligible, IsOut, HasAnswered, NoAddress, NoLetter}
