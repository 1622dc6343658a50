package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"

	"github.com/google/go-cmp/cmp"
)

// mailOf returns the newest mail of a kind to an address.
func (s *stage) mailOf(kind, to string) string {
	s.t.Helper()
	return s.mails()[s.newestOf(kind, to)]
}

// newestOf names the newest mail of a kind to an address.
func (s *stage) newestOf(kind, to string) (newest string) {
	s.t.Helper()
	for name, mail := range s.mails() {
		if strings.Contains(name, kind) && strings.Contains(mail, "<"+to+">") && name > newest {
			newest = name
		}
	}
	if newest == "" {
		s.t.Fatalf("no mail %s to %s", kind, to)
	}
	return newest
}

// A mail about an appointment speaks the language in which it was made; the staff's their own. Its link opens the page in
// that language, and the pages after it stay in it.
func TestMailsSpeakTheLanguageOfThePage(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, func(int) string { return "kari" })
		ctx, person := t.Context(), c.persons[0]
		s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Person: person, Kind: handlers.MailLetter}))
		c.consent(person)
		slots, err := s.Scheduling.Free(ctx, scheduling.Search{Study: c.study.ID, Audience: consents.Company}, s.clock.now(), s.clock.now().AddDate(0, 0, 7))
		s.must(err)
		_, err = s.Scheduling.Book(ctx, audit.Participant(person), scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company,
			Mode: scheduling.Phone, Start: slots[0].Start, Language: "en"})
		s.must(err)
		s.sendMail()
		path := func(text string) string {
			_, body, _ := strings.Cut(text, "\r\n\r\n")
			match := linkPattern.FindStringSubmatch(body)
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
		if staff := s.mailOf("booking_confirmed", "eier@example.org"); !strings.Contains(staff, "telefon") {
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

// Promise 6: no mail gets out for 72 hours, while people book, move, cancel, withdraw, are erased, say no, and interviews
// pass. Within ten minutes of its recovery what is still true goes out, once, and nothing else: of two reminders that were due
// meanwhile the later. Those that are due afterwards go at their hour.
func TestNoStaleMailAfterAnOutageOfThreeDays(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		down, sent := true, []string(nil)
		s.deliver(func(m mail.Message) error {
			if down {
				return &mail.Failure{Extent: mail.Outage, Code: "unreachable"}
			}
			to, _, _ := strings.Cut(m.To.Email, "@")
			line := m.Kind + " " + to
			if m.Calendar != nil {
				line += " " + string(regexp.MustCompile(`SEQUENCE:\d+`).Find(m.Calendar.Data))
			}
			sent = append(sent, line)
			return nil
		})
		s.people.patience = time.Millisecond
		began := s.clock.now()
		after := func(hours time.Duration) time.Time { return began.Add(hours * time.Hour) }
		c := newCrowd(s, 15, 4, noMark) // pa to po, and pp to ps
		ctx, by, study := t.Context(), audit.Staff(c.owner), c.study.ID
		book := func(i int, hours time.Duration) scheduling.Booking {
			t.Helper()
			b, err := s.Scheduling.Book(ctx, by, scheduling.Request{Study: study, Person: c.persons[i], Audience: consents.Company,
				Mode: scheduling.Phone, Start: after(hours), ByStaff: true})
			s.must(err)
			return b
		}
		book(0, 100)
		moved, cancelled, passed := book(1, 102), book(2, 104), book(3, 10)
		c.consent(c.persons[4])
		book(4, 106)
		c.consent(c.persons[5])
		book(5, 108)
		book(13, 73)
		book(14, 80)
		for _, i := range []int{6, 7, 8} {
			s.must(s.people.SendLetter(ctx, by, study, c.persons[i], false))
		}
		batch := recruitment.Batch{ID: id.New[id.Batch](), Study: study, FirstAt: began.UnixMilli(), PerHour: 2}
		s.must(s.people.SendLetters(ctx, by, &batch, c.persons[9:13]))
		acts := map[time.Duration]func() error{
			5: func() error {
				_, err := s.Scheduling.Change(ctx, by, study, moved.ID, scheduling.Change{Start: after(110)}, true)
				return err
			},
			6: func() error { return s.people.Withdraw(ctx, by, study, c.persons[8]) },
			12: func() error {
				_, err := s.Interviews.Record(ctx, by, interviews.Held{Study: study, Person: c.persons[3], Booking: passed.ID, Mode: "phone", HeldOn: "2019-02-04", Minutes: 30})
				return err
			},
			20: func() error { return s.people.Withdraw(ctx, by, study, c.persons[4]) },
			30: func() error { return s.Scheduling.Cancel(ctx, by, study, cancelled.ID, 0, "", true) },
			40: func() error { return s.people.WithdrawPurposes(ctx, by, study, c.persons[5], consents.Interview) },
			45: func() error {
				return s.people.ChangeConsent(ctx, by, consents.Act{Study: study, Person: c.persons[6], Letter: c.letter(consents.Company).ID,
					Means: consents.Oral, Answers: map[string]bool{consents.Interview: false}})
			},
			50: func() error { return s.people.Withdraw(ctx, by, study, c.asked[1]) },
			55: func() error { return s.Surveys.Decline(ctx, study, c.survey, c.asked[2]) },
			57: func() error { return s.people.Refuse(ctx, audit.Participant(c.asked[3]), study, c.asked[3]) },
			58: func() error { return s.people.Refuse(ctx, audit.Participant(c.persons[9]), study, c.persons[9]) },
			59: func() error { // in the vault alone: sending asks by itself
				return s.Vault.Bar(ctx, by, study, c.persons[10])
			},
			61: func() error {
				c.consent(c.persons[11])
				return nil
			},
			60: func() error {
				_, err := s.Scheduling.Change(ctx, by, study, moved.ID, scheduling.Change{Start: after(112)}, true)
				return err
			},
		}
		for hour := range time.Duration(72) {
			s.clock.set(after(hour))
			if act := acts[hour]; act != nil {
				s.must(act())
			}
			if _, err := s.sender.SendDue(ctx); !errors.Is(err, mail.ErrOutage) {
				t.Fatalf("hour %d: %v, want an outage", hour, err)
			}
		}
		down = false
		for minute := range time.Duration(10) {
			s.clock.set(after(72).Add(minute * time.Minute))
			s.sendMail()
		}
		slices.Sort(sent)
		want := []string{
			"booking_cancelled eier SEQUENCE:1", "booking_cancelled eier SEQUENCE:1", "booking_cancelled pc SEQUENCE:1", "booking_cancelled pf SEQUENCE:1",
			"booking_confirmed eier SEQUENCE:0", "booking_confirmed eier SEQUENCE:0", "booking_confirmed eier SEQUENCE:0",
			"booking_confirmed pa SEQUENCE:0", "booking_confirmed pn SEQUENCE:0", "booking_confirmed po SEQUENCE:0",
			"booking_moved eier SEQUENCE:2", "booking_moved pb SEQUENCE:2", "booking_reminder pn", "booking_reminder po",
			"by_hand eier", "by_hand eier", // of those who left an appointment in the interviewer's calendar
			"consent_receipt pf", "consent_receipt pf", "consent_receipt pg", "consent_receipt pl", "letter ph", "letter pm", "survey_invitation pp",
		}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("after the outage (-want +got):\n%s", diff)
		}
		var later []string
		for hour := time.Duration(73); hour < 120; hour++ {
			sent = nil
			s.clock.set(after(hour))
			s.sendMail()
			for _, line := range sent {
				later = append(later, fmt.Sprintf("%d: %s", hour, line))
			}
		}
		want = []string{"76: booking_reminder pa", "79: booking_reminder po", "88: booking_reminder pb", "99: booking_reminder pa", "111: booking_reminder pb"}
		if diff := cmp.Diff(want, later); diff != "" {
			t.Errorf("in the days after (-want +got):\n%s", diff)
		}
		counts, err := s.Outbox.Counts(ctx, study)
		if err != nil || counts[mail.Waiting]+counts[mail.Failed] > 0 {
			t.Errorf("counts %v (%v)", counts, err)
		}
	})
}
