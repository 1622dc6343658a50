package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// The kinds of mail that are written here; the domain packages name their own. The texts stand in the catalogue as
// "mail.<kind>.subject" and "mail.<kind>.text", with something such as ".staff" after the kind where others read another.
const (
	MailLetter    = "letter"       // the first mail, with the personal link
	MailWithdrawn = "withdrawn"    // what was done after a withdrawal
	MailInvite    = "staff_invite" // a colleague is asked into a study
	MailByHand    = "by_hand"      // what a withdrawal leaves to the team
	MailTest      = "test"         // to oneself
	MailTrial     = "invitation_trial"

	MailRequest    = "request_received"   // what somebody asked of the team, and until when it answers
	MailExtended   = "request_extended"   // that it takes longer
	MailReleased   = "restriction_lifted" // before the data are used again (GDPR article 18 (3))
	MailAddressOld = "address_left"       // to the address that somebody's mail no longer goes to
	MailAddressNew = "address_taken"      // to the one it goes to from now on
	MailAuditHash  = "audit_hash"         // the day's newest hash of the audit chain, to whoever owns a study
	MailFarewell   = "farewell"           // the study was ended
	MailProlonged  = "study_extended"     // the study goes on for longer than its letter said
	MailEndWarning = "end_warning"        // to staff: the end is near
)

// FarewellMails are those that may still go when a study was ended.
var FarewellMails = []string{scheduling.MailCancelled, MailWithdrawn, MailFarewell, MailTest, MailInvite, MailByHand}

// lastWords are the mails that a withdrawal itself makes; nothing else goes to somebody who is leaving.
var lastWords = []string{scheduling.MailCancelled, MailWithdrawn}

// Unasked are the mails that nobody asked for. Each carries a way to get no more of them, and none goes to somebody who
// took it.
var Unasked = []string{MailLetter, surveys.KindInvitation, scheduling.MailAgain}

// draft is a mail being written.
type draft struct {
	mail.Message
	row    mail.Row
	text   i18n.Text
	study  studies.Study
	zone   *time.Location
	style  string // "", or what distinguishes texts of a kind, such as ".staff"
	rings  bool   // we have a number of the recipient's
	fields map[string]any
}

// Render writes a mail at the moment of sending, with what is true then. It returns mail.ErrStale for what is no longer
// true and mail.ErrNotYet while an act of the recipient's is under way.
func (s *Server) Render(ctx context.Context, row mail.Row) (mail.Message, error) {
	l := &draft{row: row, zone: time.UTC, fields: map[string]any{}}
	if row.Study != "" {
		study, err := s.Studies.Get(ctx, row.Study)
		if err != nil {
			return mail.Message{}, staleIfGone(err)
		}
		if study.ClosedAt > 0 && !slices.Contains(FarewellMails, row.Kind) {
			return mail.Message{}, mail.ErrStale
		}
		l.study = study
		if l.zone, err = time.LoadLocation(study.Zone); err != nil {
			return mail.Message{}, err
		}
	}
	address := s.addressPerson
	if row.Account != "" {
		address = s.addressAccount
	}
	if err := address(ctx, l); err != nil {
		return mail.Message{}, staleIfGone(err)
	}
	if err := s.write(ctx, l); err != nil {
		return mail.Message{}, staleIfGone(err)
	}
	if l.unasked() {
		if err := s.offerRefusal(ctx, l); err != nil {
			return mail.Message{}, staleIfGone(err)
		}
	}
	l.fill()
	return l.Message, nil
}

// fill writes subject and text from the catalogue.
func (l *draft) fill() {
	key := "mail." + l.row.Kind + l.style
	l.fields["Name"], l.fields["Institution"], l.fields["Study"] = l.To.Name, l.study.Institution, l.study.Title
	l.Subject, l.Text, l.Language = l.text.T(key+".subject", l.fields), l.text.T(key+".text", l.fields), l.text.Lang()
	if l.unasked() {
		l.Text += "\n\n" + l.text.T("mail.refusal", l.fields)
	}
}

func (l *draft) unasked() bool { return slices.Contains(Unasked, l.row.Kind) }

// offerRefusal lets the recipient say that they want no more: by a link, and by their mail program (RFC 2369, RFC 8058).
func (s *Server) offerRefusal(ctx context.Context, l *draft) error {
	address, err := s.address(ctx, l, links.Refusal, "")
	if err != nil {
		return err
	}
	l.fields["Refusal"] = address + l.inLanguage()
	l.Headers = map[string]string{"List-Unsubscribe": "<" + address + ">", "List-Unsubscribe-Post": oneClickField + "=" + oneClick}
	return nil
}

// staleIfGone: what a mail was about no longer exists, so nor does its reason.
func staleIfGone(err error) error {
	if errors.Is(err, mail.ErrNoAddress) {
		return err // still true, and somebody has to mend it
	}
	if errs.KindOf(err) == errs.NotFound || errors.Is(err, keys.ErrErased) {
		return mail.ErrStale
	}
	return err
}

func (s *Server) addressPerson(ctx context.Context, l *draft) error {
	if !slices.Contains(lastWords, l.row.Kind) {
		open, err := s.Intents.Open(ctx, l.row.Study)
		if err != nil {
			return err
		}
		if open[l.row.Person] {
			return mail.ErrNotYet
		}
	}
	if err := s.mayLeave(ctx, l.row); err != nil {
		return err
	}
	who, err := s.Vault.Open(ctx, audit.System, "mail", l.row.Study, l.row.Person)
	if err != nil {
		return err
	}
	if who.Email == "" {
		return mail.ErrNoAddress
	}
	if l.unasked() {
		barred, err := s.Vault.Barred(ctx, l.row.Study, who)
		if err != nil {
			return err
		}
		if barred[0] {
			return mail.ErrStale
		}
	}
	l.To, l.rings = mail.Address{Name: who.Name, Email: who.Email}, who.Phone != ""
	if s.MailFrom != "" { // people know who asks them, not the program
		l.From = mail.Address{Name: l.study.Institution, Email: s.MailFrom}
	}
	// The language of the page where they booked is nearer than the one they were enrolled with.
	l.text = s.languages.Text(i18n.Negotiate(l.row.Params["language"], who.Language, l.study.Languages[0]))
	return nil
}

func (s *Server) addressAccount(ctx context.Context, l *draft) error {
	account, err := s.Auth.Account(ctx, l.row.Account)
	if err != nil {
		return err
	}
	l.To = mail.Address{Name: account.Name, Email: account.Email}
	l.text = s.languages.Text(account.Language)
	return nil
}

// write asks whether the mail is still true and fills in what its text needs.
func (s *Server) write(ctx context.Context, l *draft) error {
	switch l.row.Kind {
	case MailLetter:
		return s.writeLetter(ctx, l)
	case consents.ReceiptKind:
		return s.writeReceipt(ctx, l)
	case consents.ChangedKind:
		return s.writeChanged(ctx, l)
	case scheduling.MailConfirmed, scheduling.MailMoved, scheduling.MailCancelled, scheduling.MailRetitled, scheduling.MailReminder, scheduling.MailAgain:
		return s.writeBooking(ctx, l)
	case MailTrial:
		return s.writeTrial(l)
	case surveys.KindInvitation:
		return s.writeSurvey(ctx, l)
	case MailInvite:
		return s.writeInvite(ctx, l)
	case MailFarewell:
		return s.writeFarewell(ctx, l)
	case MailProlonged:
		return s.writeProlonged(ctx, l)
	case MailEndWarning:
		return s.writeEndWarning(ctx, l)
	case MailRequest, MailExtended:
		return s.writeRequest(ctx, l)
	case MailReleased:
		return s.writeRelease(ctx, l)
	case MailAddressOld, MailAddressNew:
		return s.writeAddress(ctx, l)
	case MailAuditHash:
		return s.writeAuditHash(ctx, l)
	case MailWithdrawn:
		l.writeWithdrawn()
		return nil
	case MailByHand:
		return s.writeByHand(ctx, l)
	case surveys.KindThanks, MailTest:
		return nil
	}
	return errs.New(errs.Internal, "mail.unknown_kind")
}

// link is the person's own address for a purpose. The page behind it speaks the language of the mail.
func (s *Server) link(ctx context.Context, l *draft, purpose links.Purpose, subject string) (string, error) {
	address, err := s.address(ctx, l, purpose, subject)
	return address + l.inLanguage(), err
}

// folders are where the links of each purpose lead.
var folders = map[links.Purpose]string{links.Participant: "/p/", links.Survey: "/s/", links.Refusal: "/u/", links.Referral: "/i/"}

// address is the same in every mail until the study ends.
func (s *Server) address(ctx context.Context, l *draft, purpose links.Purpose, subject string) (string, error) {
	link, err := s.Links.Ensure(ctx, l.study.ID, l.row.Person, purpose, subject, l.study.End())
	if err != nil {
		return "", err
	}
	token, err := s.Links.Token(ctx, link)
	return s.BaseURL + folders[purpose] + token, err
}

// inLanguage opens a page in the language of the mail; the browser keeps it.
func (l *draft) inLanguage() string { return "?lang=" + l.text.Lang() }

func (s *Server) writeLetter(ctx context.Context, l *draft) error {
	p, err := s.Recruitment.Get(ctx, l.study.ID, l.row.Person)
	if err != nil {
		return err
	}
	if p.State.Refuses() || l.row.Batch != "" && p.State.Answered() {
		return mail.ErrStale // a letter of a batch may have waited for days
	}
	l.fields["Whence"] = l.text.T("mail.whence." + whence(p))
	l.fields["Link"], err = s.link(ctx, l, links.Participant, "")
	return err
}

// writeChanged tells of a new letter whoever has not answered to it meanwhile.
func (s *Server) writeChanged(ctx context.Context, l *draft) error {
	p, err := s.Recruitment.Get(ctx, l.study.ID, l.row.Person)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(l.row.Params["version"])
	if err != nil {
		return err
	}
	wanted, err := s.Consents.Untold(ctx, l.study.ID, l.row.Person, version)
	if err != nil {
		return err
	}
	if !wanted || p.State.Refuses() {
		return mail.ErrStale
	}
	if l.row.Params["ask"] == consents.AskAgain {
		l.style = ".ask"
	}
	l.fields["Link"], err = s.link(ctx, l, links.Participant, "")
	return err
}

// whence names the sentence that says where we have somebody's address from: the first letter to anybody who did not
// give it themselves says so (GDPR article 14 (2) (f)).
func whence(p recruitment.Participant) string {
	if p.Source == recruitment.Referral && p.Coupon > 0 {
		return "themselves"
	}
	return string(p.Source)
}

// writeReceipt repeats what was answered, in the words that were shown, with the whole of it to keep as a file, and leads to
// where it is changed.
func (s *Server) writeReceipt(ctx context.Context, l *draft) error {
	act, err := s.Consents.Act(ctx, l.study.ID, id.Consent(l.row.Params["act"]))
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, item := range act.Items {
		answer := "form.no"
		if item.Yes {
			answer = "form.yes"
		}
		fmt.Fprintf(&lines, "– %s %s\n", item.Text, l.text.T(answer))
	}
	l.fields["Answers"] = lines.String()
	paper, err := s.receipt(ctx, l.text, l.study, l.zone, act)
	if err != nil {
		return err
	}
	l.Attachments = append(l.Attachments, paper)
	purpose, subject := links.Participant, ""
	if act.Means == consents.BySurvey {
		l.style, purpose, subject = ".survey", links.Survey, l.row.Params["survey"]
	}
	if purpose == links.Survey && subject == "" { // put into the queue before receipts led back to their survey
		l.fields["Link"] = ""
		return nil
	}
	l.fields["Link"], err = s.link(ctx, l, purpose, subject)
	return err
}

// writeSurvey asks everything again at the moment of sending: the survey takes answers, and the person may be asked.
func (s *Server) writeSurvey(ctx context.Context, l *draft) error {
	survey := id.Survey(l.row.Params["survey"])
	found, err := s.Surveys.Get(ctx, l.study.ID, survey)
	if err != nil {
		return err
	}
	r, err := s.Surveys.RespondentOf(ctx, l.study.ID, survey, l.row.Person)
	if err != nil {
		return err
	}
	if !found.Takes(s.Now()) || r.State != surveys.Invited && r.State != surveys.Started {
		return mail.ErrStale
	}
	l.fields["Link"], err = s.link(ctx, l, links.Survey, string(survey))
	return err
}

const inviteLifetime = 7 * 24 * time.Hour

// writeInvite makes the colleague's link at the moment of sending: a token in the outbox would lie there in the clear.
func (s *Server) writeInvite(ctx context.Context, l *draft) error {
	account, err := s.Auth.Account(ctx, l.row.Account)
	if err != nil {
		return err
	}
	l.fields["Link"] = s.BaseURL + "/studies"
	if account.Accepted {
		return nil
	}
	token, err := s.Auth.NewLink(ctx, auth.Invite, l.row.Account, inviteLifetime)
	l.fields["Link"] = s.BaseURL + "/invite/" + token + l.inLanguage()
	return err
}

// writeAuditHash says where the chain ended when the mail was made. Who owns no open study any more is not written to.
func (s *Server) writeAuditHash(ctx context.Context, l *draft) error {
	owners, err := s.Studies.Owners(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(owners, l.row.Account) {
		return mail.ErrStale
	}
	day, err := time.Parse(time.DateOnly, l.row.Params["day"])
	if err != nil {
		return err
	}
	l.fields["Day"], l.fields["Entries"], l.fields["Hash"] = l.text.Date(day, i18n.Plain), l.row.Params["entries"], l.row.Params["hash"]
	return nil
}
