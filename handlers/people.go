package handlers

import (
	"context"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/surveys"
)

// People carries the acts that touch several domains, or all three stores.
type People interface {
	// Enrol takes a candidate into the study.
	Enrol(ctx context.Context, actor audit.Actor, who identities.Identity, c recruitment.Participant) (id.Person, error)
	// EnrolRespondent takes a respondent into a survey's sampling frame.
	EnrolRespondent(ctx context.Context, actor audit.Actor, who identities.Identity, r surveys.Respondent) (id.Person, error)
	// SendLetter mails a person the letter and their own link, and notes that they are informed.
	SendLetter(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error
	// ChangeConsent keeps what somebody answers to a letter, and stops what rested on a yes that is now a no.
	ChangeConsent(ctx context.Context, actor audit.Actor, act consents.Act) error
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
	// Withdraw takes a person out of the study: stops what is pending, sends the last mails, erases the person.
	Withdraw(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error
}
