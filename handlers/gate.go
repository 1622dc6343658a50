package handlers

import (
	"context"
	"errors"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/surveys"
)

// mailRule asks the gate whether a mail to a participant may leave.
type mailRule func(s *Server, ctx context.Context, row mail.Row) error

// mailRules has every kind of mail that goes to a participant. What is not here is not sent: whoever makes a new kind says
// here what it rests on.
var mailRules = map[string]mailRule{
	MailLetter:               beforeYes(consents.Interview),
	consents.ChangedKind:     beforeYes(consents.Interview), // and to those at yes alone: writeChanged
	surveys.KindInvitation:   survey,
	scheduling.MailConfirmed: beforeYes(consents.Interview), // staff may book before the letter is answered
	scheduling.MailMoved:     beforeYes(consents.Interview),
	scheduling.MailRetitled:  beforeYes(consents.Interview),
	scheduling.MailReminder:  beforeYes(consents.Interview),
	scheduling.MailAgain:     beforeYes(consents.Interview),
	// Receipts of what the person did, cancellations, and answers to what they asked for reach everybody.
	consents.ReceiptKind:     always,
	surveys.KindThanks:       always,
	scheduling.MailCancelled: always,
	MailWithdrawn:            always,
	MailRequest:              always,
	MailExtended:             always,
	MailReleased:             always,
	MailFarewell:             always,
	MailProlonged:            beforeYes(consents.Interview), // goes to those at yes
	MailAddressOld:           always,
	MailAddressNew:           always,
}

func always(*Server, context.Context, mail.Row) error { return nil }

func beforeYes(purpose string) mailRule {
	return func(s *Server, ctx context.Context, row mail.Row) error {
		return s.Consents.MayBeforeYesNow(ctx, row.Study, row.Person, purpose)
	}
}

// survey is the rule for being asked in one: informants said beforehand whether they want to be, others hear of it here.
func survey(s *Server, ctx context.Context, row mail.Row) error {
	r, err := s.Surveys.RespondentOf(ctx, row.Study, id.Survey(row.Params["survey"]), row.Person)
	if err != nil {
		return err
	}
	if r.Informant {
		return s.Consents.MayNow(ctx, row.Study, row.Person, consents.SurveyContact)
	}
	return s.Consents.MayBeforeYesNow(ctx, row.Study, row.Person, consents.Survey)
}

// mayLeave is mail.ErrStale for a mail that the gate no longer lets out.
func (s *Server) mayLeave(ctx context.Context, row mail.Row) error {
	rule, known := mailRules[row.Kind]
	if !known {
		return errs.New(errs.Internal, "mail.unknown_kind")
	}
	if err := rule(s, ctx, row); !consents.Refused(err) {
		return err
	}
	return mail.ErrStale
}

// onlyKept is what lists show in place of an answer where a person's data are only kept.
const onlyKept = "restricted"

// gateWord is the gate's answer as lists show it: yes, no, unasked or restricted.
func gateWord(err error) string {
	switch {
	case errors.Is(err, consents.ErrRestricted):
		return onlyKept
	case errors.Is(err, consents.ErrNo):
		return consents.No
	case err != nil:
		return consents.Unasked
	}
	return consents.Yes
}

// answersOne is consents.Answers of one person.
func (s *Server) answersOne(v *visit, person id.Person, said consents.State) (consents.Answers, error) {
	restricted, err := s.Consents.RestrictionOf(v.ctx(), person)
	a := consents.Answers{Said: map[id.Person]map[string]string{person: said.ByPurpose}}
	if restricted.Kind != "" {
		a.Restricted = map[id.Person]consents.Restriction{person: restricted}
	}
	return a, err
}

// checkLine is one line of what to look at before a conversation: whether it may be recorded and quoted.
type checkLine struct{ Mark, What, Says string }

// checklist says what may be done in and with a conversation.
func checklist(b base, a consents.Answers, person id.Person) (lines []checkLine) {
	for _, purpose := range []string{consents.Recording, consents.Quotation, consents.JobTitle} {
		if purpose == consents.Recording && !b.Study.Recording {
			continue
		}
		word := gateWord(a.May(person, purpose))
		mark := map[string]string{consents.Yes: "check", consents.Unasked: "dash"}[word]
		if mark == "" {
			mark = "cross"
		}
		lines = append(lines, checkLine{mark, b.T("consents.purpose." + purpose), b.T("rights.check." + word)})
	}
	return lines
}
