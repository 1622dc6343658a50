package main

import (
	"regexp"
	"strings"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/scheduling"
)

// mailOf returns the newest mail of a kind to an address.
func (s *stage) mailOf(kind, to string) string {
	s.t.Helper()
	newest, text := "", ""
	for name, mail := range s.mails() {
		if strings.Contains(name, kind) && strings.Contains(mail, "<"+to+">") && name > newest {
			newest, text = name, mail
		}
	}
	if text == "" {
		s.t.Fatalf("no mail %s to %s", kind, to)
	}
	return text
}

// A mail about an appointment speaks the language in which it was made; the staff's their own. Its link opens the page in
// that language, and the pages after it stay in it.
func TestMailsSpeakTheLanguageOfThePage(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, func(int) string { return "kari" })
		ctx, person := t.Context(), c.persons[0]
		s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Person: person, Kind: handlers.MailLetter}))
		c.consent(person)
		slots, err := s.Scheduling.Free(ctx, c.study.ID, consents.Company, s.clock.now(), s.clock.now().AddDate(0, 0, 7))
		s.must(err)
		_, err = s.Scheduling.Book(ctx, audit.Participant(person), scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company,
			Mode: scheduling.Phone, Start: slots[0].Start, Language: "en"})
		s.must(err)
		s.sendMail()
		path := func(text string) string {
			match := linkPattern.FindStringSubmatch(text)
			if match == nil {
				t.Fatalf("no link in\n%s", text)
			}
			return match[1]
		}
		if letter := path(s.mailOf("letter", "kari@example.org")); !strings.HasSuffix(letter, "?lang=nb") {
			t.Errorf("the letter's link is …%s, want the vault's language", letter[len("/p/")+43:])
		}
		confirmed := s.mailOf("booking_confirmed", "kari@example.org")
		if !regexp.MustCompile(`Subject: .*Appointment`).MatchString(confirmed) {
			t.Errorf("the confirmation is not in English:\n%s", confirmed)
		}
		if staff := s.mailOf("booking_confirmed", "eier@example.org"); !strings.Contains(staff, "samtale") {
			t.Errorf("the interviewer's is not in their own language:\n%s", staff)
		}
		b := s.browser()
		s.must(b.Get(path(confirmed)))
		english := func(where string) {
			t.Helper()
			if !strings.Contains(string(b.Body), `<html lang="en"`) {
				t.Errorf("%s is not in English", where)
			}
		}
		english("the landing page")
		s.must(b.Form("main form").Submit())
		english("the page behind it")
	})
}
