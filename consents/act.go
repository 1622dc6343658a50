package consents

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// Means by which an answer was given.
const (
	OwnLink   = "own_link"  // by the person, on the page behind their link
	BySurvey  = "survey"    // by the person, at the start of a survey
	Oral      = "oral"      // said to a member of staff, who enters it
	Paper     = "paper"     // signed; Reference says where the paper lies
	Elsewhere = "elsewhere" // kept in another system; Reference is its number there
)

// Act is what somebody answers to a letter.
type Act struct {
	ID        id.Consent // of NewID where something is bound to it beforehand; "" makes one
	Study     id.Study
	Person    id.Person
	Letter    id.Letter // the version and language that was shown
	Means     string
	Answers   map[string]bool // purpose to yes or no
	Reference string          // for Paper and Elsewhere: letters, digits and . / _ -, with a digit. No room for a name.
	GivenOn   string          // of what staff enter, the day it was given, 2006-01-02; "" is today
	Survey    id.Survey       // where it was given at the start of one: the receipt leads there
	Demands   Demands         // what the study demands, and
	Age       string          // Yes or No to having reached its age
	Signed    string          // Typed or Drawn: a name was given and lies in the vault under ID
	Explicit  string          // the sentence that was shown and said yes to besides
}

// Receipt is what an act did.
type Receipt struct {
	ID    id.Consent
	Ended []string // purposes that stood at yes and now stand at no: what rests on them must stop
}

// ReceiptKind is the mail that tells a person what they answered; its parameter "act" is the act's id.
const ReceiptKind = "consent_receipt"

// Record keeps an answer to every item of a letter: an immutable row with what was shown, and in the same transaction
// the person's state and a receipt by mail. An item without an answer makes it Invalid, at the input "consent_" and the
// purpose; so does what the study demands, at "age" and "signature", and a wrong day, at "given_on".
// ErrNotExplicit, ErrNoLetter, ErrLetterChanged, ErrMeans; a NotFound for a person who is not in the study.
func (c *Consents) Record(ctx context.Context, actor audit.Actor, act Act) error {
	return c.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := c.RecordTx(ctx, tx, actor, act)
		return err
	})
}

// RecordTx is Record within a larger act: an answer can turn a yes into a no, and the receipt says what must then stop.
func (c *Consents) RecordTx(ctx context.Context, tx *database.Tx, actor audit.Actor, act Act) (Receipt, error) {
	if err := act.check(actor); err != nil {
		return Receipt{}, err
	}
	if err := c.present(ctx, tx, act.Study, act.Person); err != nil {
		return Receipt{}, err
	}
	number, err := takeTurn(ctx, tx, act.Study, act.Person)
	if err != nil {
		return Receipt{}, err
	}
	e, err := c.examine(ctx, tx, actor, act)
	if err != nil {
		return Receipt{}, err
	}
	given := Given{ID: cmp.Or(act.ID, NewID()), Study: act.Study, Person: act.Person, Letter: e.letter.ID, Hash: e.letter.Hash,
		Language: e.letter.Language, Means: act.Means, Reference: act.Reference, Actor: actor, Items: e.answers,
		Signed: act.Signed, Explicit: e.explicit, OfAge: e.ofAge, GivenOn: e.givenOn}
	return c.keep(ctx, tx, number, given, act.Survey)
}

// A reference with letters alone could be a name, and names have no place in this store.
var referencePattern = regexp.MustCompile(`^[0-9A-Za-z./_-]*[0-9][0-9A-Za-z./_-]*$`)

const maxReference = 40

func (a Act) check(actor audit.Actor) error {
	if a.own() != (actor == audit.Participant(a.Person)) || !a.own() && strings.HasPrefix(string(actor), string(audit.Participant(""))) {
		return ErrMeans
	}
	// A name under what somebody else enters would be nobody's signature, and one without an act's id is none.
	if a.Signed != "" && (!a.own() || a.ID == "") || a.own() && a.GivenOn != "" {
		return ErrMeans
	}
	var check errs.Check
	switch a.Means {
	case OwnLink, BySurvey, Oral:
		check.AtMost("reference", a.Reference, 0)
	case Paper, Elsewhere:
		check.Require("reference", a.Reference, maxReference)
		if a.Reference != "" && !referencePattern.MatchString(a.Reference) {
			check.Add("reference", "consent_reference")
		}
	default:
		check.Add("means", "required")
	}
	return check.Err()
}

// isCurrent refuses an answer to a letter that was replaced while the person read it. What staff enter may rest on an
// older one: the paper was signed then.
func (a Act) isCurrent(ctx context.Context, q database.Querier, letter Letter) error {
	if !a.own() {
		return nil
	}
	var newest int
	err := q.QueryRow(ctx, "select max(version) from letter where study_id = $1 and audience = $2", a.Study, letter.Audience).Scan(&newest)
	if err != nil {
		return fmt.Errorf("read newest version: %w", err)
	}
	if newest != letter.Version {
		return ErrLetterChanged
	}
	return nil
}

// answer puts each answer beside its words. Saying no to taking part says no to what belongs to it, so that nobody is
// held up by questions about a conversation they do not want. So does not being old enough, whatever was chosen.
func (a Act) answer(items []Item) ([]Answer, error) {
	young := a.tooYoung()
	ended := young || slices.ContainsFunc(items, func(item Item) bool {
		yes, answered := a.Answers[item.Purpose]
		return item.Required && answered && !yes
	})
	var check errs.Check
	answers := make([]Answer, len(items))
	asked := map[string]bool{}
	for i, item := range items {
		yes, answered := a.Answers[item.Purpose]
		asked[item.Purpose] = true
		if young {
			yes, answered = false, false
		}
		if !answered && !ended {
			check.Add("consent_"+item.Purpose, "choose_"+item.Purpose)
		}
		answers[i] = Answer{Purpose: item.Purpose, Text: item.Text, Hint: item.Hint, Yes: yes, Implied: !answered}
	}
	for purpose := range a.Answers {
		if !asked[purpose] {
			return nil, ErrLetterChanged
		}
	}
	return answers, check.Err()
}

// takeTurn numbers the person's next act. The row it touches makes acts of one person wait for each other.
func takeTurn(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) (number int64, err error) {
	err = tx.QueryRow(ctx, `insert into consent_turn (person_id, study_id, acts) values ($1, $2, 1)
		on conflict (person_id) do update set acts = consent_turn.acts + 1 where consent_turn.study_id = excluded.study_id
		returning acts`, person, study).Scan(&number)
	if errors.Is(err, database.ErrNoRows) {
		return 0, ErrNoAct // the person belongs to another study
	}
	if err != nil {
		return 0, fmt.Errorf("take turn: %w", err)
	}
	return number, nil
}

// WithdrawTx turns a person's yes into a no, for the given purposes or (nil) for all, as an act of its own. Where nothing
// stood at yes it does nothing. What rests on a yes is the caller's to stop, in the same transaction; the caller holds
// the person's place and asks Standing first, so that whoever books or submits at the same moment waits, and then finds
// the no.
func (c *Consents) WithdrawTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person, purposes []string) error {
	acts, err := actsOf(ctx, tx, study, person)
	if err != nil || len(acts) == 0 {
		return err
	}
	number, err := takeTurn(ctx, tx, study, person)
	if err != nil {
		return err
	}
	// Read again: another act may have finished while this one waited for its turn.
	if acts, err = actsOf(ctx, tx, study, person); err != nil || len(acts) == 0 {
		return err
	}
	given := acts[len(acts)-1]
	given.ID, given.Means, given.Reference, given.Actor, given.Withdrawal = NewID(), Oral, "", actor, true
	given.Signed, given.Explicit, given.OfAge, given.GivenOn = "", "", 0, "" // taking back demands nothing
	if actor == audit.Participant(person) {
		given.Means = OwnLink
	}
	given.Items = nil
	for purpose, answer := range newest(acts) {
		if answer.Yes && (purposes == nil || slices.Contains(purposes, purpose)) {
			answer.Yes, answer.Implied = false, false
			given.Items = append(given.Items, answer)
		}
	}
	if len(given.Items) == 0 {
		return nil
	}
	sortAnswers(given.Items)
	_, err = c.keep(ctx, tx, number, given, "")
	return err
}

// keep writes an act and what follows from it. The receipt of one that was made in a survey leads back there.
func (c *Consents) keep(ctx context.Context, tx *database.Tx, number int64, g Given, survey id.Survey) (Receipt, error) {
	before, err := answersOf(ctx, tx, g.Study, g.Person)
	if err != nil {
		return Receipt{}, err
	}
	g.At = c.now().UnixMilli()
	if err := g.insert(ctx, tx, number); err != nil {
		return Receipt{}, fmt.Errorf("keep act: %w", err)
	}
	receipt := Receipt{ID: g.ID}
	for _, answer := range g.Items {
		if !answer.Yes && before[answer.Purpose] == Yes {
			receipt.Ended = append(receipt.Ended, answer.Purpose)
		}
		if answer.Purpose == Interview {
			if err := c.advance(ctx, tx, g.Study, g.Person, stateAfter(answer.Yes, before[Interview]), g.Actor); err != nil {
				return Receipt{}, fmt.Errorf("advance: %w", err)
			}
		}
	}
	params := map[string]string{"act": string(g.ID)}
	if survey != "" {
		params["survey"] = string(survey)
	}
	if err := c.outbox.Enqueue(ctx, tx, mail.Mail{Study: g.Study, Person: g.Person, Kind: ReceiptKind, Params: params,
		Key: ReceiptKind + ":" + string(g.ID)}); err != nil {
		return Receipt{}, fmt.Errorf("enqueue receipt: %w", err)
	}
	action := "consent.recorded"
	if g.Withdrawal {
		action = "consent.withdrawn"
	}
	return receipt, c.log.Append(ctx, tx, audit.Entry{Actor: g.Actor, Action: action, Study: g.Study, Person: g.Person, Detail: g.Means})
}

// stateAfter names recruitment's state after an answer about the conversation.
func stateAfter(yes bool, before string) string {
	switch {
	case yes:
		return "consented"
	case before == Yes:
		return "withdrawn"
	default:
		return "declined"
	}
}

func (g Given) insert(ctx context.Context, tx *database.Tx, number int64) error {
	_, err := tx.Exec(ctx, `insert into consent_act (id, study_id, person_id, number, letter_id, letter_hash, language, means,
		reference, withdrawal, actor, at, signed, explicit, of_age, given_on)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		g.ID, g.Study, g.Person, number, g.Letter, g.Hash, g.Language, g.Means, g.Reference, g.Withdrawal, g.Actor, g.At,
		g.Signed, g.Explicit, g.OfAge, g.GivenOn)
	for _, a := range g.Items {
		if err != nil {
			break
		}
		_, err = tx.Exec(ctx, `insert into consent_item (person_id, number, purpose, study_id, text, hint, answer, implied)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`, g.Person, number, a.Purpose, g.Study, a.Text, a.Hint, a.Yes, a.Implied)
	}
	return err
}

// Act returns one kept act, for the receipt; ErrNoAct where the study has none by that id.
func (c *Consents) Act(ctx context.Context, study id.Study, act id.Consent) (Given, error) {
	var person id.Person
	err := c.db.QueryRow(ctx, "select person_id from consent_act where study_id = $1 and id = $2", study, act).Scan(&person)
	if errors.Is(err, database.ErrNoRows) {
		return Given{}, ErrNoAct
	}
	if err != nil {
		return Given{}, fmt.Errorf("find act: %w", err)
	}
	acts, err := actsOf(ctx, c.db, study, person)
	if err != nil {
		return Given{}, err
	}
	if i := slices.IndexFunc(acts, func(g Given) bool { return g.ID == act }); i >= 0 {
		return acts[i], nil
	}
	return Given{}, ErrNoAct // erased between the two reads
}
