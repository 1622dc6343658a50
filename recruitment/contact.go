package recruitment

import (
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

type (
	// Channel is how a contact was made.
	Channel string
	// Direction is who made it.
	Direction string
	// Outcome is what came of it.
	Outcome string
)

const (
	Phone    Channel = "phone"
	Email    Channel = "email"
	InPerson Channel = "in_person"
	Video    Channel = "video"
	Post     Channel = "letter"

	Out Direction = "out"
	In  Direction = "in"

	NotReached   Outcome = "no_answer"
	CallBack     Outcome = "call_back"
	SaidYes      Outcome = "interested"
	SaidNo       Outcome = "declined"
	LetterSent   Outcome = "letter_sent"
	Appointment  Outcome = "appointment"
	OtherOutcome Outcome = "other"
)

// Channels, Directions and Outcomes list what a form offers.
func Channels() []Channel { return []Channel{Phone, Email, InPerson, Video, Post} }

func Directions() []Direction { return []Direction{Out, In} }

func Outcomes() []Outcome {
	return []Outcome{NotReached, CallBack, SaidYes, SaidNo, LetterSent, Appointment, OtherOutcome}
}

// Contact is one call, mail or meeting. What was said is not in it: such a text is full of names and lies in the vault.
type Contact struct {
	Channel   Channel
	Direction Direction
	Outcome   Outcome
	NextAt    int64       // when to try again, UTC milliseconds; 0 if not planned
	Note      id.Note     // what the vault calls the note about it, empty if there is none
	Seen      int64       // the Participant.Version that whoever logs this has seen, 0 is not asked; not stored
	Anyway    bool        // the person may be asked though no goal has room for them; not stored
	Seq       int64       // which of the person's events it is; set by LogContact, as all below
	At        int64       // UTC milliseconds
	Actor     audit.Actor // who logged it
}

// CheckContact says what LogContact would refuse of the contact itself. Fields are named channel, direction, outcome, next.
func (r *Recruitment) CheckContact(c Contact) error { return c.check(r.now().UnixMilli()) }

func (c Contact) check(now int64) error {
	var check errs.Check
	if !slices.Contains(Channels(), c.Channel) {
		check.Add("channel", "recruitment.choose")
	}
	if !slices.Contains(Directions(), c.Direction) {
		check.Add("direction", "recruitment.choose")
	}
	if !slices.Contains(Outcomes(), c.Outcome) {
		check.Add("outcome", "recruitment.choose")
	}
	if c.NextAt != 0 && c.NextAt <= now {
		check.Add("next", "recruitment.past")
	}
	return check.Err()
}

// leads is the state that an outcome leads to from another. Ringing in vain, or posting something, asks a candidate but
// does not bring back somebody who was given up.
func (o Outcome) leads(from State) State {
	switch o {
	case SaidYes:
		return Interested
	case SaidNo:
		return Declined
	case CallBack, Appointment:
		return Contacted
	}
	if from.Lost() {
		return from
	}
	return Contacted
}

// LogContact notes a contact, plans the next try in place of the one before, and moves the person to contacted,
// interested or declined; nobody rings who said no. It is ErrChanged where the person is not any more as c.Seen says, and
// ErrFull where that would ask somebody for whom no goal has room, and not Anyway.
func (r *Recruitment) LogContact(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, c Contact) error {
	c.At, c.Actor = r.now().UnixMilli(), actor
	if err := c.check(c.At); err != nil {
		return err
	}
	if c.Outcome == SaidNo {
		c.NextAt = 0
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		if err := turn(ctx, tx, study); err != nil {
			return err
		}
		at, err := touch(ctx, tx, study, person)
		if err == nil {
			err = at.unseen(c.Seen)
		}
		if err != nil {
			return err
		}
		to := c.Outcome.leads(at.state)
		if !c.Anyway && advances(at.state, at.reached, to) {
			if err := r.admit(ctx, tx, study, person, at.state, to); err != nil {
				return err
			}
		}
		at.events++
		c.Seq = at.events
		if err := insertContact(ctx, tx, study, person, c, at, advances(at.state, at.reached, to)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `update participant set events = events + 1, contacted_at = $3, last_at = $3, next_at = $4
			where study_id = $1 and person_id = $2`, study, person, c.At, c.NextAt); err != nil {
			return fmt.Errorf("plan next contact: %w", err)
		}
		if err := r.advance(ctx, tx, study, person, at, to, actor); err != nil {
			return err
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "contact.logged", Study: study, Person: person, Detail: string(c.Outcome)})
	})
}

func insertContact(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, c Contact, was standing, moves bool) error {
	_, err := tx.Exec(ctx, `insert into contact_log (person_id, seq, study_id, at, channel, direction, outcome, next_at, actor, note,
		next_was, reached_was, moved) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, person, c.Seq, study, c.At,
		c.Channel, c.Direction, c.Outcome, c.NextAt, c.Actor, c.Note, was.next, was.reached, moves)
	if err != nil {
		return fmt.Errorf("log contact: %w", err)
	}
	return nil
}

const contactColumns = "channel, direction, outcome, next_at, note, seq, at, actor"

func (c *Contact) fields() []any {
	return []any{&c.Channel, &c.Direction, &c.Outcome, &c.NextAt, &c.Note, &c.Seq, &c.At, &c.Actor}
}

// Contacts returns the contacts with a person, newest first.
func (r *Recruitment) Contacts(ctx context.Context, study id.Study, person id.Person) ([]Contact, error) {
	return database.All(ctx, r.db, func(row database.Scanner) (c Contact, err error) {
		err = row.Scan(c.fields()...)
		return c, err
	}, "select "+contactColumns+" from contact_log where study_id = $1 and person_id = $2 order by seq desc", study, person)
}
