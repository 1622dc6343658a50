package consents

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// What Standing answers.
const (
	Yes     = "yes"
	No      = "no"
	Unasked = "unasked"
)

// Answer is one item as it was shown and answered.
type Answer struct {
	Purpose, Text, Hint string
	Yes                 bool
	Implied             bool // left open after a no to taking part, and so a no
}

// Given is one act as it is kept.
type Given struct {
	ID         id.Consent
	Study      id.Study
	Person     id.Person
	Letter     id.Letter
	Hash       string // the letter's
	Language   string // in which it was read
	Means      string
	Reference  string
	Withdrawal bool // made by WithdrawTx: its items hold only what was taken back
	Actor      audit.Actor
	At         int64  // when it was kept, UTC milliseconds
	Signed     string // Typed or Drawn: a name lies in the vault
	Explicit   string // the sentence that was said yes to besides; "" where none was
	OfAge      int    // years that the person said they have reached; 0 where it was not asked
	GivenOn    string // the day it was given, 2006-01-02, where that was before it was entered
	Items      []Answer
}

// State is what a person has answered.
type State struct {
	ByPurpose  map[string]string // Yes or No; a purpose never asked about is missing
	Acts       []Given           // oldest first
	InformedAt int64             // when they last answered to a letter, UTC milliseconds; 0 never
	Letter     id.Letter         // that letter
}

// State returns what a person has answered; without acts it is empty.
func (c *Consents) State(ctx context.Context, study id.Study, person id.Person) (State, error) {
	acts, err := actsOf(ctx, c.db, study, person)
	if err != nil {
		return State{}, err
	}
	state := State{ByPurpose: map[string]string{}, Acts: acts}
	for purpose, answer := range newest(acts) {
		state.ByPurpose[purpose] = word(answer.Yes)
	}
	for _, act := range acts {
		if !act.Withdrawal {
			state.InformedAt, state.Letter = act.At, act.Letter
		}
	}
	return state, nil
}

// Standing says whether a purpose may go ahead for a person now: Yes, No or Unasked; only Yes is a yes. Asked within a
// transaction the answer holds until its end: an act of that person waits. Ask before touching other rows of that
// person, save their place in the study: whoever takes two turns in the other order can lock out whoever withdraws.
func (c *Consents) Standing(ctx context.Context, q database.Querier, study id.Study, person id.Person, purpose string) (string, error) {
	if tx, ok := q.(*database.Tx); ok {
		if err := c.hold(ctx, tx, person); err != nil {
			return "", err
		}
	}
	var yes bool
	err := q.QueryRow(ctx, `select answer from consent_item where study_id = $1 and person_id = $2 and purpose = $3
		order by number desc limit 1`, study, person, purpose).Scan(&yes)
	if errors.Is(err, database.ErrNoRows) {
		return Unasked, nil
	}
	if err != nil {
		return "", fmt.Errorf("read consent: %w", err)
	}
	return word(yes), nil
}

// hold makes acts of a person wait for the end of the transaction. SQLite has one writer, who waits for nobody;
// PostgreSQL's row must be touched.
func (c *Consents) hold(ctx context.Context, tx *database.Tx, person id.Person) error {
	if !c.db.Postgres() {
		return nil
	}
	if _, err := tx.Exec(ctx, "update consent_turn set acts = acts where person_id = $1", person); err != nil {
		return fmt.Errorf("hold consent: %w", err)
	}
	return nil
}

// HasAnswered says whether a person has ever answered a letter in a study.
func (c *Consents) HasAnswered(ctx context.Context, q database.Querier, study id.Study, person id.Person) (answered bool, err error) {
	err = q.QueryRow(ctx, "select exists (select 1 from consent_act where study_id = $1 and person_id = $2)", study, person).Scan(&answered)
	if err != nil {
		return false, fmt.Errorf("ask for answers: %w", err)
	}
	return answered, nil
}

// StatesOf returns, for everybody in a study who has answered, what stands for each purpose.
func (c *Consents) StatesOf(ctx context.Context, study id.Study) (map[id.Person]map[string]string, error) {
	states := map[id.Person]map[string]string{}
	err := database.Each(ctx, c.db, func(row database.Scanner) error {
		var person id.Person
		var purpose string
		var yes bool
		if err := row.Scan(&person, &purpose, &yes); err != nil {
			return err
		}
		if states[person] == nil {
			states[person] = map[string]string{}
		}
		states[person][purpose] = word(yes)
		return nil
	}, "select person_id, purpose, answer from consent_item where study_id = $1 order by person_id, number", study)
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	return states, nil
}

// Count is how many people stand at yes and at no.
type Count struct{ Yes, No int }

// Counts returns the count for each purpose that somebody has answered.
func (c *Consents) Counts(ctx context.Context, study id.Study) (map[string]Count, error) {
	counts := map[string]Count{}
	err := database.Each(ctx, c.db, func(row database.Scanner) error {
		var purpose string
		var count Count
		err := row.Scan(&purpose, &count.Yes, &count.No)
		counts[purpose] = count
		return err
	}, `select purpose, sum(case when answer then 1 else 0 end), sum(case when answer then 0 else 1 end) from consent_item i where study_id = $1
		and not exists (select 1 from consent_item n where n.study_id = i.study_id and n.purpose = i.purpose and n.person_id = i.person_id and n.number > i.number)
		group by purpose`, study)
	if err != nil {
		return nil, fmt.Errorf("count consents: %w", err)
	}
	return counts, nil
}

// answersOf returns what stands for each purpose of one person.
func answersOf(ctx context.Context, q database.Querier, study id.Study, person id.Person) (map[string]string, error) {
	standing := map[string]string{}
	err := database.Each(ctx, q, func(row database.Scanner) error {
		var purpose string
		var yes bool
		err := row.Scan(&purpose, &yes)
		standing[purpose] = word(yes)
		return err
	}, "select purpose, answer from consent_item where study_id = $1 and person_id = $2 order by number", study, person)
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	return standing, nil
}

// actsOf returns a person's acts with their items, oldest first, in one query.
func actsOf(ctx context.Context, q database.Querier, study id.Study, person id.Person) (acts []Given, err error) {
	err = database.Each(ctx, q, func(row database.Scanner) error {
		var g Given
		var a Answer
		if err := row.Scan(&g.ID, &g.Study, &g.Person, &g.Letter, &g.Hash, &g.Language, &g.Means, &g.Reference, &g.Withdrawal,
			&g.Actor, &g.At, &g.Signed, &g.Explicit, &g.OfAge, &g.GivenOn, &a.Purpose, &a.Text, &a.Hint, &a.Yes, &a.Implied); err != nil {
			return err
		}
		if len(acts) == 0 || acts[len(acts)-1].ID != g.ID {
			acts = append(acts, g)
		}
		last := &acts[len(acts)-1]
		last.Items = append(last.Items, a)
		return nil
	}, `select a.id, a.study_id, a.person_id, a.letter_id, a.letter_hash, a.language, a.means, a.reference, a.withdrawal,
		a.actor, a.at, a.signed, a.explicit, a.of_age, a.given_on, i.purpose, i.text, i.hint, i.answer, i.implied
		from consent_act a join consent_item i on i.person_id = a.person_id and i.number = a.number
		where a.study_id = $1 and a.person_id = $2 order by a.number`, study, person)
	if err != nil {
		return nil, fmt.Errorf("read acts: %w", err)
	}
	for _, act := range acts {
		sortAnswers(act.Items)
	}
	return acts, nil
}

// newest returns the answer that stands for each purpose.
func newest(acts []Given) map[string]Answer {
	answers := map[string]Answer{}
	for _, act := range acts {
		for _, answer := range act.Items {
			answers[answer.Purpose] = answer
		}
	}
	return answers
}

func sortAnswers(answers []Answer) {
	slices.SortFunc(answers, func(a, b Answer) int {
		return slices.Index(Purposes, a.Purpose) - slices.Index(Purposes, b.Purpose)
	})
}

func word(yes bool) string {
	if yes {
		return Yes
	}
	return No
}
