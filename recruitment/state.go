package recruitment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// State is where a person stands.
type State string

// The main line, in order.
const (
	Candidate   State = "candidate" // known, not asked
	Contacted   State = "contacted"
	Interested  State = "interested" // said yes to hearing more
	Informed    State = "informed"   // has the information letter
	Consented   State = "consented"
	Booked      State = "booked"
	Interviewed State = "interviewed"
	Surveyed    State = "surveyed" // answered the follow-up survey as well
)

// The ways to leave it.
const (
	NoAnswer   State = "no_answer"
	Declined   State = "declined"
	Cancelled  State = "cancelled" // said yes and backed out before the interview
	Withdrawn  State = "withdrawn" // took the consent back, or was erased
	Ineligible State = "ineligible"
)

var (
	line   = []State{Candidate, Contacted, Interested, Informed, Consented, Booked, Interviewed, Surveyed}
	losses = []State{NoAnswer, Declined, Cancelled, Withdrawn, Ineligible}
)

// States lists all states: the main line in order, then the losses.
func States() []State { return slices.Concat(line, losses) }

func (s State) rank() int { return slices.Index(line, s) }

// Lost says whether the state is off the main line.
func (s State) Lost() bool { return slices.Contains(losses, s) }

// settled says whether nobody need be tried any more: they are lost, or have a date.
func (s State) settled() bool { return s.Lost() || s.rank() >= Booked.rank() }

// Stage is a state as the funnel and the filters see it.
type Stage string

const (
	StageNotAsked Stage = "not_asked"
	StageAsked    Stage = "asked"
	StageYes      Stage = "yes"
	StageBooked   Stage = "booked"
	StageDone     Stage = "done"
	StageLost     Stage = "lost"
)

// Stages lists all stages in order.
func Stages() []Stage {
	return []Stage{StageNotAsked, StageAsked, StageYes, StageBooked, StageDone, StageLost}
}

// Stage returns the stage that the state belongs to.
func (s State) Stage() Stage {
	switch {
	case s.Lost():
		return StageLost
	case s.rank() < Contacted.rank():
		return StageNotAsked
	case s.rank() < Interested.rank():
		return StageAsked
	case s.rank() < Booked.rank():
		return StageYes
	case s.rank() < Interviewed.rank():
		return StageBooked
	}
	return StageDone
}

// stage is that of the state for somebody who came so far: whoever has the letter and never said yes was only asked.
func (s State) stage(reached State) Stage {
	if s == Informed && reached.rank() < Interested.rank() {
		return StageAsked
	}
	return s.Stage()
}

// advances says whether an event that happened elsewhere moves a person on. Events come late, twice and out of order:
// one that is behind the present state changes nothing.
func advances(from, reached, to State) bool {
	switch {
	case to == Withdrawn:
		return from != Withdrawn
	case from == Withdrawn:
		return to == Consented // nobody else's act brings them back
	case to.Lost():
		return to != from && (from.Lost() || from.rank() < Interviewed.rank())
	case to == Surveyed:
		return from == Interviewed // an answer without an interview is no interview done
	case from == Ineligible:
		return false
	case from.Lost():
		return to == Interested || to.rank() >= Consented.rank() || to.rank() >= reached.rank()
	}
	return to.rank() > from.rank()
}

// Next lists what a researcher may set by hand. Consent, booking, interview and withdrawal are acts of their own, with
// consequences that a change of state would not have.
func (s State) Next() []State {
	switch s {
	case Candidate:
		return []State{Contacted, Interested, NoAnswer, Declined, Ineligible}
	case Contacted:
		return []State{Candidate, Interested, Informed, NoAnswer, Declined, Cancelled, Ineligible}
	case Interested:
		return []State{Contacted, Informed, NoAnswer, Declined, Cancelled, Ineligible}
	case Informed:
		return []State{Interested, NoAnswer, Declined, Cancelled, Ineligible}
	case Consented:
		return []State{NoAnswer, Cancelled, Ineligible}
	case Booked: // back without a date, as somebody who has or has not consented yet
		return []State{Interested, Consented, NoAnswer, Cancelled, Ineligible}
	case NoAnswer, Declined, Cancelled, Ineligible:
		return []State{Candidate, Contacted, Interested, NoAnswer, Declined, Cancelled, Ineligible}
	}
	return nil
}

// standing is what a change of one person is decided on.
type standing struct {
	code           string
	state, reached State
	events, next   int64
}

// unseen is ErrChanged where something happened since somebody was shown a version of the participant; 0 is not asked.
func (at standing) unseen(version int64) error {
	if version != 0 && version != at.events+1 {
		return ErrChanged
	}
	return nil
}

// reaches is how far along the line a state takes them. Being sent the letter unasked is not saying yes.
func (at standing) reaches(to State) State {
	if to == Informed && at.reached.rank() < Interested.rank() {
		return Contacted
	}
	return to
}

// touch locks a participant's row until the transaction ends and reads where they stand; ErrUnknown if there is none.
func touch(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) (at standing, err error) {
	// Writing a value onto itself makes writers take turns on PostgreSQL; SQLite has one writer anyway.
	err = tx.QueryRow(ctx, `update participant set events = events where study_id = $1 and person_id = $2 and code <> ''
		returning code, state, reached, events, next_at`, study, person).Scan(&at.code, &at.state, &at.reached, &at.events, &at.next)
	if errors.Is(err, database.ErrNoRows) {
		return at, ErrUnknown
	}
	if err != nil {
		return at, fmt.Errorf("lock participant: %w", err)
	}
	return at, nil
}

// HoldTx holds a participant's place in the study until the transaction ends: whoever erases them waits. ErrUnknown for
// somebody who is not in this study, or not any more.
func (r *Recruitment) HoldTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	_, err := touch(ctx, tx, study, person)
	return err
}

// Advance notes in the caller's transaction what happened to a person elsewhere. It moves forward along the main line or
// to a loss, and does nothing for somebody who is further already, was erased, or is no participant (a respondent of a
// survey). It appends nothing to the audit chain: the caller's act is one entry.
func (r *Recruitment) Advance(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, to State, actor audit.Actor) error {
	if to.rank() < 0 && !to.Lost() {
		return fmt.Errorf("advance participant: no state %q", to)
	}
	at, err := touch(ctx, tx, study, person)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.advance(ctx, tx, study, person, at, to, actor)
}

func (r *Recruitment) advance(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, at standing, to State, actor audit.Actor) error {
	if !advances(at.state, at.reached, to) {
		return nil
	}
	reached := at.reaches(to)
	if reached.rank() < at.reached.rank() {
		reached = at.reached
	}
	return r.move(ctx, tx, study, person, at, to, reached, actor)
}

// Unbook notes in the caller's transaction that somebody has no appointment any more: who stood at that stands where they stood
// before. It does nothing for anybody else.
func (r *Recruitment) Unbook(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, actor audit.Actor) error {
	at, err := touch(ctx, tx, study, person)
	if errors.Is(err, ErrUnknown) || err == nil && at.state != Booked {
		return nil
	}
	if err != nil {
		return err
	}
	var was State
	err = tx.QueryRow(ctx, `select was from participant_change where study_id = $1 and person_id = $2 and became = 'booked'
		order by seq desc limit 1`, study, person).Scan(&was)
	if err != nil {
		return fmt.Errorf("find where a participant stood: %w", err)
	}
	if was.Lost() || was.rank() < Interested.rank() {
		was = Interested // who agreed on a time has said that much
	}
	return r.move(ctx, tx, study, person, at, was, at.reached, actor)
}

// SetState is a researcher's own word on where a person stands, also a correction backwards. What Next does not list is
// ErrTransition. ErrFull: that would ask somebody for whom no goal has room, and not anyway.
func (r *Recruitment) SetState(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, to State, anyway bool) error {
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		if err := turn(ctx, tx, study); err != nil {
			return err
		}
		at, err := touch(ctx, tx, study, person)
		if err != nil {
			return err
		}
		if at.state == to {
			return nil
		}
		if !slices.Contains(at.state.Next(), to) {
			return ErrTransition
		}
		if !anyway {
			if err := r.admit(ctx, tx, study, person, at.state, to); err != nil {
				return err
			}
		}
		reached := at.reached
		if !to.Lost() {
			reached = at.reaches(to) // a correction: they never were further
		}
		if err := r.move(ctx, tx, study, person, at, to, reached, actor); err != nil {
			return err
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "participant.state_set", Study: study, Person: person, Detail: string(to)})
	})
}

// move writes a decided change and its history. A try that is planned falls away with those who are lost or have a date.
func (r *Recruitment) move(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, at standing, to, reached State, actor audit.Actor) error {
	now := r.now().UnixMilli()
	if _, err := tx.Exec(ctx, `update participant set state = $3, reached = $4, state_at = $5, last_at = $5, stage = $7, events = events + 1,
		next_at = case when cast($6 as boolean) then 0 else next_at end where study_id = $1 and person_id = $2`,
		study, person, to, reached, now, to.settled(), to.stage(reached)); err != nil {
		return fmt.Errorf("move participant: %w", err)
	}
	if _, err := tx.Exec(ctx, `insert into participant_change (person_id, seq, study_id, at, was, became, actor)
		values ($1, $2, $3, $4, $5, $6, $7)`, person, at.events+1, study, now, at.state, to, actor); err != nil {
		return fmt.Errorf("note participant's change: %w", err)
	}
	return nil
}

// Change is one step of a person's way.
type Change struct {
	At       int64 // UTC milliseconds
	Was, Now State
	Actor    audit.Actor
}

// History returns a person's changes of state, oldest first.
func (r *Recruitment) History(ctx context.Context, study id.Study, person id.Person) ([]Change, error) {
	return database.All(ctx, r.db, func(row database.Scanner) (c Change, err error) {
		err = row.Scan(&c.At, &c.Was, &c.Now, &c.Actor)
		return c, err
	}, "select at, was, became, actor from participant_change where study_id = $1 and person_id = $2 order by seq", study, person)
}
