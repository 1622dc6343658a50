package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/surveys"

	"github.com/xuri/excelize/v2"
)

// errRefused stands for callers that leave somebody out and say nothing.
var errRefused = errors.New("left out")

// caller is somebody who asks the gate before they act. act is nil where it let them.
type caller struct {
	name string
	act  func(c *crowd, ctx context.Context, person, asked id.Person) error
}

// mailed renders a mail of a kind as it would leave now.
func mailed(kind string, params map[string]string) func(*crowd, context.Context, id.Person, id.Person) error {
	return func(c *crowd, ctx context.Context, person, asked id.Person) error {
		if kind == surveys.KindInvitation {
			person, params = asked, map[string]string{"survey": string(c.survey)}
		}
		_, err := c.server.Render(ctx, mail.Row{Mail: mail.Mail{Study: c.study.ID, Person: person, Kind: kind, Params: params}})
		return err
	}
}

func (c *crowd) slot(ctx context.Context) scheduling.Slot {
	slots, err := c.Scheduling.Free(ctx, scheduling.Search{Study: c.study.ID, Audience: consents.Company}, c.clock.now(), c.clock.now().AddDate(0, 0, 7))
	c.must(err)
	return slots[len(slots)/2]
}

func (c *crowd) book(ctx context.Context, person id.Person, actor audit.Actor, byStaff bool) error {
	b, err := c.Scheduling.Book(ctx, actor, scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company, Mode: scheduling.Phone,
		Start: c.slot(ctx).Start, Language: "nb", ByStaff: byStaff})
	if err == nil {
		c.must(c.Scheduling.Cancel(ctx, actor, c.study.ID, b.ID, 0, "", byStaff))
	}
	return err
}

// inSheet says whether a code has a row in a sheet of the study's workbook.
func (c *crowd) inSheet(ctx context.Context, sheet string, person id.Person) error {
	var workbook bytes.Buffer
	c.must(c.server.ExportWorkbook(ctx, &workbook, c.study.ID, "nb"))
	book, err := excelize.OpenReader(&workbook)
	c.must(err)
	rows, err := book.GetRows(sheet)
	c.must(err)
	code, err := c.people.codeOf(ctx, c.study.ID, person)
	c.must(err)
	for _, row := range rows[1:] {
		if slices.Contains(row, code) {
			return nil
		}
	}
	return errRefused
}

// checked is what a page of the person says to a purpose.
func checked(page, purpose string) func(*crowd, context.Context, id.Person, id.Person) error {
	return func(c *crowd, _ context.Context, person, _ id.Person) error {
		b := c.staff(c.owner)
		c.must(b.Get(fmt.Sprintf(page, c.study.ID, person)))
		if !strings.Contains(b.Text(".yeses"), purpose+": kan gjøres") {
			return errRefused
		}
		return nil
	}
}

// callers are all that act on somebody's data. A new one belongs here.
var callers = []caller{
	{"a letter", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		return c.people.SendLetter(ctx, audit.Staff(c.owner), c.study.ID, person, true)
	}},
	{"letters to many", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		batch := recruitment.Batch{ID: id.New[id.Batch](), Study: c.study.ID, FirstAt: c.clock.now().UnixMilli(), PerHour: 60, Anyway: true}
		if err := c.people.SendLetters(ctx, audit.Staff(c.owner), &batch, []id.Person{person}); err != nil {
			return err
		}
		if batch.Size == 0 {
			return errRefused
		}
		return nil
	}},
	{"an own booking", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		return c.book(ctx, person, audit.Participant(person), false)
	}},
	{"a booking by staff", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		return c.book(ctx, person, audit.Staff(c.owner), true)
	}},
	{"an invitation to pass on", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		_, err := c.people.MakeCoupon(ctx, audit.Participant(person), c.study.ID, person, false, 1)
		return err
	}},
	{"an interview written down", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		_, err := c.Interviews.Record(ctx, audit.Staff(c.owner), interviews.Held{Study: c.study.ID, Person: person, Mode: "phone", HeldOn: "2019-02-01", Minutes: 40})
		return err
	}},
	{"coding", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		return c.Interviews.Mark(ctx, audit.Staff(c.owner), c.study.ID, person, "time", interviews.Mentioned)
	}},
	{"a survey's list", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		code, err := c.people.codeOf(ctx, c.study.ID, person)
		c.must(err)
		return c.Surveys.AddInformant(ctx, audit.Staff(c.owner), surveys.Respondent{Person: person, Survey: c.survey, Study: c.study.ID, Code: code})
	}},
	{"an answer saved", func(c *crowd, ctx context.Context, _, asked id.Person) error {
		return c.Surveys.SavePage(ctx, c.study.ID, c.survey, asked, 1, 0, surveys.Answers{})
	}},
	{"an invitation's mail", mailed(surveys.KindInvitation, nil)}, // before the next, which puts them back on the list
	{"a survey's invitation", func(c *crowd, ctx context.Context, _, asked id.Person) error {
		other, err := c.people.EnrolRespondent(ctx, audit.Staff(c.owner), identity(90, noMark), surveys.Respondent{Study: c.study.ID, Survey: c.survey})
		c.must(err)
		defer func() { c.must(c.people.Withdraw(ctx, audit.Staff(c.owner), c.study.ID, other)) }()
		c.must(c.stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "update survey_respondent set state = 'listed' where person_id = $1", asked)
			return err
		}))
		if n, err := c.Surveys.Invite(ctx, audit.Staff(c.owner), c.study.ID, c.survey, []id.Person{asked, other}); err != nil || n != 2 {
			return errors.Join(errRefused, err)
		}
		return nil
	}},
	{"a letter's mail", mailed(handlers.MailLetter, nil)},
	{"the interviews of an export", func(c *crowd, ctx context.Context, person, _ id.Person) error {
		return c.inSheet(ctx, "Intervjuer", person)
	}},
	{"recording, on the person's page", checked("/studies/%s/people/%s", "Lydopptak")},
	{"quotation, on the person's page", checked("/studies/%s/people/%s", "Sitat")},
	{"recording, before the interview", checked("/studies/%s/people/%s/interview", "Lydopptak")},
}

// Every caller lets a person through who said yes, and none after they took it back, or asked that their data only be kept.
func TestEveryCallerAsksTheGate(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 3, 3, noMark)
		ctx := t.Context()
		s.must(s.Interviews.SetThemes(ctx, audit.Staff(c.owner), c.study.ID, []interviews.Theme{{Key: "time", Category: "barrier", Label: "Tid"}}))
		for i, person := range c.persons {
			c.consent(person)
			c.sayYes(c.asked[i])
			_, err := s.Interviews.Record(ctx, audit.Staff(c.owner), interviews.Held{Study: c.study.ID, Person: person, Mode: "phone", HeldOn: "2019-01-30", Minutes: 40})
			s.must(err)
		}
		s.must(s.people.WithdrawPurposes(ctx, audit.Participant(c.persons[1]), c.study.ID, c.persons[1], consents.Purposes...))
		s.must(s.people.WithdrawPurposes(ctx, audit.Participant(c.asked[1]), c.study.ID, c.asked[1], consents.Purposes...))
		for _, person := range []id.Person{c.persons[2], c.asked[2]} {
			s.must(s.people.Request(ctx, audit.Participant(person), c.study, person, consents.AnswerRestrict, ""))
		}
		for _, caller := range callers {
			if err := caller.act(c, ctx, c.persons[0], c.asked[0]); err != nil {
				t.Errorf("%s: refused after a yes: %v", caller.name, err)
			}
			for i, after := range []string{"", "a withdrawal", "a restriction"} {
				if i == 0 {
					continue
				}
				err := caller.act(c, ctx, c.persons[i], c.asked[i])
				refused := errors.Is(err, errRefused) || errors.Is(err, mail.ErrStale) || errs.KindOf(err) == errs.Forbidden ||
					errs.KindOf(err) == errs.Conflict
				if !refused {
					t.Errorf("%s: after %s %v, want a refusal", caller.name, after, err)
				}
			}
		}
		if err := c.inSheet(ctx, "Deltakere", c.persons[1]); err != nil {
			t.Error("who took back a yes to the interview is in the study still, and missing among its participants")
		}
		if err := c.inSheet(ctx, "Deltakere", c.persons[2]); err == nil {
			t.Error("an export has a row of somebody whose data are only kept")
		}
	})
}

// sayYes lets a respondent agree to answering.
func (c *crowd) sayYes(person id.Person) {
	c.t.Helper()
	letter := c.letter(consents.Respondent)
	answers := map[string]bool{}
	for _, item := range letter.Items {
		answers[item.Purpose] = true
	}
	c.must(c.Consents.Record(c.t.Context(), audit.Participant(person), consents.Act{Study: c.study.ID, Person: person, Letter: letter.ID,
		Means: consents.BySurvey, Answers: answers}))
}

// Receipts, cancellations and answers to what they asked for reach whoever asked that their data only be kept.
func TestRestrictedPersonsHearWhatTheyAskedFor(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		ctx, person := t.Context(), c.persons[0]
		c.consent(person)
		_, err := s.Scheduling.Book(ctx, audit.Participant(person), scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company,
			Mode: scheduling.Phone, Start: c.slot(ctx).Start, Language: "nb"})
		s.must(err)
		s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Person: person, Kind: handlers.MailLetter}))
		s.must(s.people.Request(ctx, audit.Participant(person), c.study, person, consents.AnswerRestrict, ""))
		s.sendMail()
		kinds := map[string]int{}
		for name := range s.mails() {
			_, kind, _ := strings.Cut(strings.TrimSuffix(name, ".eml"), "-")
			kinds[kind]++
		}
		if kinds["letter"] != 0 || kinds["booking_confirmed"] != 0 || kinds["booking_cancelled"] == 0 || kinds["request_received"] != 1 || kinds["consent_receipt"] != 1 {
			t.Errorf("mails %v", kinds)
		}
	})
}

// Of a booking and a restriction at the same moment one waits for the other: no appointment stands afterwards.
func TestNoAppointmentSlipsPastARestriction(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		const times = 8
		c := newCrowd(s, times, 0, noMark)
		ctx := t.Context()
		slots, err := s.Scheduling.Free(ctx, scheduling.Search{Study: c.study.ID, Audience: consents.Company}, s.clock.now(), s.clock.now().AddDate(0, 0, 7))
		s.must(err)
		for i, person := range c.persons {
			c.consent(person)
			var both sync.WaitGroup
			both.Go(func() {
				_, err := s.Scheduling.Book(ctx, audit.Participant(person), scheduling.Request{Study: c.study.ID, Person: person,
					Audience: consents.Company, Mode: scheduling.Phone, Start: slots[i*20].Start, Language: "nb"})
				if err != nil && errs.KindOf(err) != errs.Forbidden {
					t.Error(err)
				}
			})
			both.Go(func() {
				if err := s.people.Request(ctx, audit.Participant(person), c.study, person, consents.AnswerRestrict, ""); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			of, err := s.Scheduling.Of(ctx, c.study.ID, person)
			s.must(err)
			if slices.ContainsFunc(of, func(b scheduling.Booking) bool { return b.State == scheduling.Booked }) {
				t.Errorf("an appointment stands beside a restriction: %+v", of)
			}
		}
	})
}
