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
	// SendLetter mails a person the letter and their own link, and notes that they are informed. Where no goal has room for
	// somebody who was not asked yet, they are asked only anyway.
	SendLetter(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, anyway bool) error
	// ChangeConsent keeps what somebody answers to a letter, and stops what rested on a yes that is now a no.
	ChangeConsent(ctx context.Context, actor audit.Actor, act consents.Act) error
	// WithdrawPurposes takes a yes back, or several, and stops what rested on it: without the one to a survey, its answers
	// are deleted.
	WithdrawPurposes(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, purposes ...string) error
	// Withdraw takes a person out of the study: stops what is pending, sends the last mails, erases the person.
	Withdraw(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error
}
