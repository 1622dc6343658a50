package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// secrets are what differs from one run to the next.
var secrets = regexp.MustCompile(`[A-Za-z0-9_-]{43}|\b[a-z2-7]{26}\b`)

// keptOfCalendar are the lines of a calendar object that our texts stand in.
var keptOfCalendar = regexp.MustCompile(`(?m)^(METHOD|SEQUENCE|SUMMARY|LOCATION|DESCRIPTION|TRIGGER|DTSTART.*?)[:;].*$`)

// said is a mail as its reader sees it, with what it does to their calendar.
func said(m mail.Message) string {
	text := fmt.Sprintf("To: %s\nReply-To: %s\nSubject: %s\n\n%s\n", m.To.Email, m.ReplyTo.Email, m.Subject, m.Text)
	if m.Calendar != nil {
		object := strings.ReplaceAll(strings.ReplaceAll(string(m.Calendar.Data), "\r\n ", ""), "\r\n", "\n")
		_, event, _ := strings.Cut(object, "BEGIN:VEVENT")
		text += fmt.Sprintf("\n[%s, %s]\n", m.Calendar.Method, strings.Join(keptOfCalendar.FindAllString(event, -1), "\n "))
	}
	return secrets.ReplaceAllString(text, "…")
}

// offer is what the study of a crowd offers, after change has had its way.
func (c *crowd) offer(change func(*scheduling.Type)) {
	c.t.Helper()
	kind, err := c.Scheduling.TypeOf(c.t.Context(), c.study.ID, consents.Company)
	c.must(err)
	change(&kind)
	c.must(c.Scheduling.SaveType(c.t.Context(), audit.Staff(c.owner), kind))
}

func everyWay(kind *scheduling.Type) {
	kind.Modes, kind.Place, kind.Directions = scheduling.Modes, "Rom 4.12, Nordfjord universitet", "Ring på ved hovedinngangen. Vi møter deg der."
	kind.VideoRoom, kind.Questions, kind.DeadlineHours = "https://meet.example.org/{room}", "1. Hva gjør dere sammen?\n2. Hva har det gitt?", 20
}

// Every mail about an appointment, in every language and way of meeting, as it is read. Read the golden file after a change.
func TestBookingMailsAsTheyAreRead(t *testing.T) {
	for _, lang := range []string{"nb", "nn", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, nil)
			c := newCrowd(s, len(scheduling.Modes)+1, 0, noMark)
			c.offer(func(kind *scheduling.Type) {
				everyWay(kind)
				kind.Named = lang == "nn"
				if lang == "en" {
					kind.OurNumber = "+47 22 00 00 99"
				}
			})
			var all strings.Builder
			s.deliver(func(m mail.Message) error {
				if strings.HasPrefix(m.Kind, "booking_") {
					fmt.Fprintf(&all, "---- %s\n%s\n", m.Kind, said(m))
				}
				return nil
			})
			c.courses(lang)
			path := filepath.Join("testdata", "booking_mails."+lang+".txt")
			if *update {
				s.must(os.MkdirAll("testdata", 0o755))
				s.must(os.WriteFile(path, []byte(all.String()), 0o644))
			}
			if diff := cmp.Diff(readFile(t, path), all.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
			if n := strings.Count(dump(t, s.stores[database.Study]), "note.opened"); n < 2 {
				t.Errorf("%d openings of words in the chain", n)
			}
		})
	}
}

// courses takes an appointment of each way through what can become of it.
func (c *crowd) courses(lang string) {
	c.t.Helper()
	ctx, by, study := c.t.Context(), audit.Staff(c.owner), c.study.ID
	act := func(err error) {
		c.t.Helper()
		c.must(err)
		c.sendMail()
	}
	interviewers := []id.Account{c.interviewer("bo", lang)}
	booked := map[scheduling.Mode]scheduling.Booking{}
	for i, mode := range scheduling.Modes {
		c.consent(c.persons[i])
		r := scheduling.Request{Study: study, Person: c.persons[i], Audience: consents.Company, Mode: mode, Language: lang, ByStaff: true,
			Interviewers: interviewers, Start: c.clock.now().Add(time.Duration(51+4*i) * time.Hour)}
		words := handlers.Words{}
		switch mode {
		case scheduling.Visit:
			words.Where = "Bruksvegen 3, andre etasje"
		case scheduling.Phone:
			if r.PersonZone = "America/New_York"; lang == "nn" {
				words.Where = "+47 22 00 00 17, sentralbordet"
			}
			words.Message = "Fint at du kan.\nVi ringes da."
		case scheduling.Video:
			r.PersonZone = "America/New_York"
		}
		b, err := c.people.Book(ctx, by, r, words)
		act(err)
		booked[mode] = b
	}
	own := func(mode scheduling.Mode) audit.Actor { return audit.Participant(booked[mode].Person) }
	act(c.Scheduling.Retitle(ctx, own(scheduling.Phone), study, booked[scheduling.Phone].ID, "talk", 0))
	move := func(mode scheduling.Mode, change scheduling.Change, message string) {
		act(c.people.ChangeBooking(ctx, by, study, booked[mode].ID, change, handlers.Words{Message: message}, true))
	}
	move(scheduling.Phone, scheduling.Change{Start: booked[scheduling.Phone].Start().Add(time.Hour)}, "")
	move(scheduling.Email, scheduling.Change{Start: booked[scheduling.Email].Start().AddDate(0, 0, 1)}, "")
	move(scheduling.InPerson, scheduling.Change{Place: "Kafé Fjord"}, "Rommet vårt er opptatt.")
	move(scheduling.InPerson, scheduling.Change{Interviewers: []id.Account{c.owner}}, "")
	act(c.people.CancelBooking(ctx, by, study, booked[scheduling.Visit].ID, 0, handlers.Words{Message: "Jeg er syk."}, true))
	act(c.people.CancelBooking(ctx, own(scheduling.Video), study, booked[scheduling.Video].ID, 0, handlers.Words{}, false))
	for _, at := range []time.Time{booked[scheduling.InPerson].Start().Add(-24 * time.Hour), booked[scheduling.Phone].Start()} { // reminders
		c.clock.set(at)
		c.sendMail()
	}
	c.clock.set(booked[scheduling.Email].Start().AddDate(0, 0, 2))
	for _, mode := range []scheduling.Mode{scheduling.InPerson, scheduling.Email} {
		act(c.Scheduling.Missed(ctx, by, study, booked[mode].ID, 0, true))
	}
}

// interviewer adds somebody who speaks a language.
func (c *crowd) interviewer(name, lang string) id.Account {
	c.t.Helper()
	ctx, by := c.t.Context(), audit.Staff(c.owner)
	account, err := c.Auth.CreateAccount(ctx, audit.System, name+"@example.org", "Noen Oppdiktet", "et langt nok passord", lang)
	c.must(err)
	c.must(c.Studies.SetMember(ctx, by, c.study.ID, account, studies.Researcher))
	c.must(c.Scheduling.SetWeek(ctx, by, c.study.ID, scheduling.Week{Account: account, Zone: "Europe/Oslo",
		Windows: []scheduling.Window{{Weekday: time.Monday, From: 0, To: 24 * 60}}}))
	return account
}

// What the vault holds about an appointment reaches its participant and nobody else; their number, no calendar.
func TestWordsAboutAnAppointmentReachOnlyWhomTheyConcern(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 2, 0, noMark)
	c.offer(everyWay)
	var got []mail.Message
	s.deliver(func(m mail.Message) error {
		got = append(got, m)
		return nil
	})
	for i, want := range []struct {
		mode       scheduling.Mode
		where      string
		inCalendar bool
	}{{scheduling.Visit, "Bruksvegen 3", true}, {scheduling.Phone, "+47 22 00 00 17", false}} {
		got = nil
		_, err := s.people.Book(t.Context(), audit.Staff(c.owner), scheduling.Request{Study: c.study.ID, Person: c.persons[i], Audience: consents.Company,
			Mode: want.mode, Start: s.clock.now().Add(time.Duration(50+i*4) * time.Hour), ByStaff: true}, handlers.Words{Where: want.where, Message: "Hilsen oss"})
		s.must(err)
		s.sendMail()
		if len(got) != 2 {
			t.Fatalf("%s: %d mails", want.mode, len(got))
		}
		for _, m := range got {
			own := m.To.Email != "eier@example.org"
			number := identity(i, noMark).Phone
			for _, said := range []struct {
				what       string
				text       string
				words      string
				toldInText bool
			}{{"the text", m.Text, want.where, own}, {"the text", m.Text, "Hilsen oss", own}, {"the calendar", string(m.Calendar.Data), want.where, own && want.inCalendar},
				{"the calendar", string(m.Calendar.Data), "Hilsen oss", false}, {"the text", m.Text, number, false}, {"the calendar", string(m.Calendar.Data), number, false},
				{"the calendar", string(m.Calendar.Data), "/p/", false}, {"the calendar", string(m.Calendar.Data), "Navn p", own}} {
				if strings.Contains(said.text, said.words) != said.toldInText {
					t.Errorf("%s, to %s: %s has %q: want %v\n%s", want.mode, m.To.Email, said.what, said.words, said.toldInText, said.text)
				}
			}
		}
	}
}

// posted tells what went out since it was asked last, as "kind name SEQUENCE".
func (s *stage) posted() func() []string {
	var sent []string
	s.deliver(func(m mail.Message) error {
		to, _, _ := strings.Cut(m.To.Email, "@")
		line := m.Kind + " " + to
		if m.Calendar != nil {
			line += fmt.Sprintf(" %s %s", m.Calendar.Method, bytes.TrimPrefix(sequence.Find(m.Calendar.Data), []byte("SEQUENCE:")))
		}
		sent = append(sent, line)
		return nil
	})
	return func() []string {
		s.t.Helper()
		s.sendMail()
		went := slices.DeleteFunc(sent, func(line string) bool { return !strings.HasPrefix(line, "booking_") })
		slices.Sort(went)
		sent = nil
		return went
	}
}

var sequence = regexp.MustCompile(`SEQUENCE:\d+`)

func (s *stage) went(what string, got, want []string) {
	s.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Calendars of those who come and go follow: whoever is let off hears it whatever happens next, each copy's SEQUENCE rises, and a
// new title is the participant's alone.
func TestEveryCopyFollows(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		ctx, by, study, person := t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[0]
		other := c.interviewer("bo", "nb")
		c.consent(person)
		mails := s.posted()
		b, err := s.Scheduling.Book(ctx, by, scheduling.Request{Study: study, Person: person, Audience: consents.Company, Mode: scheduling.Phone,
			Start: s.clock.now().Add(60 * time.Hour), ByStaff: true, Interviewers: []id.Account{c.owner}})
		s.must(err)
		change := func(to scheduling.Change) {
			t.Helper()
			_, err := s.Scheduling.Change(ctx, by, study, b.ID, to, true)
			s.must(err)
		}
		s.went("booked", mails(), []string{"booking_confirmed eier REQUEST 0", "booking_confirmed pa REQUEST 0"})
		change(scheduling.Change{Interviewers: []id.Account{other}})
		change(scheduling.Change{Start: b.Start().Add(time.Hour)})
		s.went("handed over, and moved before anybody heard", mails(), []string{"booking_cancelled eier CANCEL 2", "booking_moved bo REQUEST 2", "booking_moved pa REQUEST 2"})
		s.must(s.Scheduling.Retitle(ctx, audit.Participant(person), study, b.ID, "meeting", 0))
		s.went("a new title", mails(), []string{"booking_retitled pa REQUEST 3"})
		change(scheduling.Change{Interviewers: []id.Account{c.owner, other}})
		s.went("stepped in again", mails(), []string{"booking_confirmed eier REQUEST 3", "booking_moved bo REQUEST 3", "booking_moved pa REQUEST 4"})
		s.must(s.Scheduling.Cancel(ctx, by, study, b.ID, 0, "", true))
		s.went("cancelled", mails(), []string{"booking_cancelled bo CANCEL 4", "booking_cancelled eier CANCEL 4", "booking_cancelled pa CANCEL 5"})
	})
}

// After a cancellation one is asked for another time where somebody wanted that, and not when it follows from leaving.
func TestCancelledAppointmentsLeadToAnother(t *testing.T) {
	t.Parallel()
	s := newStage(t, nil)
	c := newCrowd(s, 9, 0, noMark)
	ctx, by, study := t.Context(), audit.Staff(c.owner), c.study.ID
	links := map[string]bool{}
	s.deliver(func(m mail.Message) error {
		if m.Kind == scheduling.MailCancelled {
			links[m.To.Email] = strings.Contains(m.Text, "/p/")
		}
		return nil
	})
	i := -1
	book := func(followUp bool) scheduling.Booking {
		i++
		person := c.persons[i]
		if followUp {
			person = c.persons[i-1]
		} else {
			c.consent(person)
		}
		b, err := s.Scheduling.Book(ctx, by, scheduling.Request{Study: study, Person: person, Audience: consents.Company, Mode: scheduling.Phone,
			Start: s.clock.now().Add(time.Duration(50+3*i) * time.Hour), ByStaff: true, FollowUp: followUp})
		s.must(err)
		s.sendMail()
		return b
	}
	for _, tc := range []struct {
		name string
		act  func(b scheduling.Booking) error
		want bool
	}{
		{"by the team", func(b scheduling.Booking) error { return s.Scheduling.Cancel(ctx, by, study, b.ID, 0, "", true) }, true},
		{"by themselves", func(b scheduling.Booking) error {
			return s.Scheduling.Cancel(ctx, audit.Participant(b.Person), study, b.ID, 0, "", false)
		}, true},
		{"by leaving", func(b scheduling.Booking) error { return s.people.Withdraw(ctx, by, study, b.Person) }, false},
		{"by taking the yes back", func(b scheduling.Booking) error {
			return s.people.WithdrawPurposes(ctx, by, study, b.Person, consents.Interview)
		}, false},
		{"by having their data only kept", func(b scheduling.Booking) error {
			return s.people.Request(ctx, audit.Participant(b.Person), c.study, b.Person, consents.AnswerRestrict, "")
		}, false},
		{"by the team, and then they said no", func(b scheduling.Booking) error {
			if err := s.Scheduling.Cancel(ctx, by, study, b.ID, 0, "", true); err != nil {
				return err
			}
			return s.people.WithdrawPurposes(ctx, by, study, b.Person, consents.Interview)
		}, false},
		{"one of two", func(b scheduling.Booking) error {
			book(true)
			return s.Scheduling.Cancel(ctx, by, study, b.ID, 0, "", true)
		}, false},
	} {
		b := book(false)
		to := noMark(i) + "@example.org"
		s.must(tc.act(b))
		s.sendMail()
		if got, heard := links[to]; !heard || got != tc.want {
			t.Errorf("%s: heard %v, a way to choose again %v, want %v", tc.name, heard, got, tc.want)
		}
	}
}

// Whoever did not turn up is asked once more, unless that is settled, or they want to hear nothing.
func TestAskingAgainAfterANoShow(t *testing.T) {
	t.Parallel()
	s := newStage(t, nil)
	c := newCrowd(s, 5, 0, noMark)
	ctx, by, study := t.Context(), audit.Staff(c.owner), c.study.ID
	mails := s.posted()
	book := func(person id.Person, hours time.Duration) scheduling.Booking {
		t.Helper()
		b, err := s.Scheduling.Book(ctx, by, scheduling.Request{Study: study, Person: person, Audience: consents.Company, Mode: scheduling.Phone,
			Start: s.clock.now().Add(hours * time.Hour), ByStaff: true})
		s.must(err)
		return b
	}
	var missed []scheduling.Booking
	for i, person := range c.persons {
		c.consent(person)
		missed = append(missed, book(person, time.Duration(1+2*i)))
	}
	s.clock.set(s.clock.now().Add(12 * time.Hour))
	mails()
	for i, b := range missed {
		s.must(s.Scheduling.Missed(ctx, by, study, b.ID, 0, i != 1))
	}
	book(c.persons[2], 50)
	s.must(s.Vault.Bar(ctx, by, study, c.persons[3]))
	s.must(s.people.WithdrawPurposes(ctx, by, study, c.persons[4], consents.Interview))
	got := slices.DeleteFunc(mails(), func(line string) bool { return !strings.HasPrefix(line, scheduling.MailAgain) })
	s.went("after five who did not turn up", got, []string{"booking_again pa"})
}

// A member of the team sends themselves an invitation, its move and its cancellation: one appointment all along. Then it can begin
// again.
func TestTrialInvitations(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 0, 0, noMark)
		var got []mail.Message
		s.deliver(func(m mail.Message) error {
			got = append(got, m)
			return nil
		})
		b, address := c.staff(c.owner), "/studies/"+string(c.study.ID)+"/trial"
		s.must(b.Get("/studies/" + string(c.study.ID) + "/mail"))
		s.must(b.Get(address))
		left := c.staff(c.owner) // a page left open since
		s.must(left.Get(address))
		for _, step := range []string{"invite", "move", "cancel", "invite"} {
			s.must(b.Form(`form[action$="/trial"]`).Press("step", step))
			s.sendMail()
			s.must(b.Get(address))
			if want := map[string]string{"invite": "move", "move": "cancel", "cancel": "invite"}[step]; !strings.Contains(string(b.Body), `name="step" value="`+want+`"`) {
				t.Errorf("after %s the next is not %s", step, want)
			}
		}
		s.must(left.Form(`form[action$="/trial"]`).Press("step", "invite"))
		s.sendMail()
		var lines []string
		uids := map[string]string{}
		for _, m := range got {
			uid := string(regexp.MustCompile(`UID:\w+`).Find(m.Calendar.Data))
			if uids[uid] == "" {
				uids[uid] = "UID " + strconv.Itoa(len(uids)+1)
			}
			start := regexp.MustCompile(`DTSTART;TZID=(\S+)`).FindSubmatch(m.Calendar.Data)[1]
			lines = append(lines, fmt.Sprintf("%s %s %s %s %s", m.To.Email, m.Calendar.Method, uids[uid], sequence.Find(m.Calendar.Data), start))
		}
		s.went("three steps, and the first again", lines, []string{"eier@example.org REQUEST UID 1 SEQUENCE:0 Europe/Oslo:20190205T100000",
			"eier@example.org REQUEST UID 1 SEQUENCE:1 Europe/Oslo:20190206T100000", "eier@example.org CANCEL UID 1 SEQUENCE:2 Europe/Oslo:20190206T100000",
			"eier@example.org REQUEST UID 2 SEQUENCE:0 Europe/Oslo:20190205T100000"})
	})
}

// Promise 5: an invitation that goes out again, since nobody knows whether it came, is the same to the last byte.
func TestARepeatedInvitationIsTheSame(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	c.consent(c.persons[0])
	_, err := s.Scheduling.Book(t.Context(), audit.Staff(c.owner), scheduling.Request{Study: c.study.ID, Person: c.persons[0], Audience: consents.Company,
		Mode: scheduling.Phone, Start: s.clock.now().Add(60 * time.Hour), ByStaff: true})
	s.must(err)
	sent := map[string][]string{}
	s.deliver(func(m mail.Message) error {
		if m.Calendar == nil {
			return nil
		}
		if sent[m.To.Email] = append(sent[m.To.Email], string(m.Calendar.Data)); len(sent[m.To.Email]) == 1 {
			return &mail.Failure{Extent: mail.Later, Code: "unknown"} // it went, and the answer got lost
		}
		return nil
	})
	for range 3 {
		s.sendMail()
		s.clock.set(s.clock.now().Add(10 * time.Minute))
	}
	if len(sent) != 2 {
		t.Errorf("invitations to %d, want the participant and the interviewer", len(sent))
	}
	for to, all := range sent {
		if len(all) != 2 || all[0] != all[1] {
			t.Errorf("to %s went %q", to, all)
		}
	}
}
