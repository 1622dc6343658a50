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
	// Withdraw takes a person out of the study: stops what is pending, sends the last mails, erases the person.
	Withdraw(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error

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
