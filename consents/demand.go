package consents

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// How a name is given under an act.
const (
	Typed = "typed"
	Drawn = "drawn"
)

// ErrNotExplicit is a Conflict: nothing else is missing, but the yes was said once, and the study needs it twice.
var ErrNotExplicit = errs.New(errs.Conflict, "consents.not_explicit")

// Demands is what a study demands of whoever says yes to taking part. Of a no it demands nothing.
type Demands struct {
	Signature  string // Typed or Drawn: a name, from whoever answers themselves; what staff enter was signed elsewhere or not at all
	Explicit   bool   // to a sentence of its own too, after the answers
	MinimumAge int    // years that the person says they have reached; 0 is no limit
	Zone       *time.Location
}

// day is the day of an instant where the study is.
func (s Demands) day(at time.Time) string {
	if s.Zone != nil {
		return at.In(s.Zone).Format(time.DateOnly)
	}
	return at.UTC().Format(time.DateOnly)
}

// history is what a person's earlier acts say of a new one.
type history struct {
	ofAge  int    // the highest age that was confirmed
	newest string // the day of the newest answer
}

func historyOf(ctx context.Context, q database.Querier, act Act) (h history, err error) {
	err = database.Each(ctx, q, func(row database.Scanner) error {
		var at int64
		var on string
		var age int
		if err := row.Scan(&at, &on, &age); err != nil {
			return err
		}
		if on == "" {
			on = act.Demands.day(time.UnixMilli(at))
		}
		h.ofAge, h.newest = max(h.ofAge, age), max(h.newest, on)
		return nil
	}, "select at, given_on, of_age from consent_act where study_id = $1 and person_id = $2", act.Study, act.Person)
	if err != nil {
		return h, fmt.Errorf("read earlier acts: %w", err)
	}
	return h, nil
}

// AgeKnown says whether a person has said before that they have reached an age: nobody gets younger.
func (s State) AgeKnown(years int) bool {
	return slices.ContainsFunc(s.Acts, func(g Given) bool { return g.OfAge >= years })
}

// Check says what Record would refuse, and changes nothing. ErrNotExplicit is all that is left where the person has yet to
// say it a second time.
func (c *Consents) Check(ctx context.Context, actor audit.Actor, act Act) error {
	_, err := c.examine(ctx, c.db, actor, act)
	return err
}

// examined is an act that may be kept.
type examined struct {
	letter  Letter
	answers []Answer
	joins   bool // yes to taking part
	ofAge   int

	explicit, givenOn string
}

func (c *Consents) examine(ctx context.Context, q database.Querier, actor audit.Actor, act Act) (e examined, err error) {
	wrong := act.check(actor)
	if wrong != nil && len(errs.FieldsOf(wrong)) == 0 {
		return e, wrong
	}
	if e.letter, err = letterOf(ctx, q, act.Study, act.Letter); err != nil {
		return e, err
	}
	if err := act.isCurrent(ctx, q, e.letter); err != nil {
		return e, err
	}
	past, err := historyOf(ctx, q, act)
	if err != nil {
		return e, err
	}
	today := act.Demands.day(c.now())
	var open error
	e.answers, open = act.answer(e.letter.Items)
	if err := errs.Gather(wrong, open, act.day(past, today), act.meets(e.letter.Items, past)); err != nil {
		return e, err
	}
	if act.GivenOn != today {
		e.givenOn = act.GivenOn
	}
	if e.joins = act.joins(e.letter.Items); !e.joins {
		return e, nil
	}
	if act.Demands.MinimumAge > 0 {
		e.ofAge = max(act.Demands.MinimumAge, past.ofAge)
	}
	if act.Demands.Explicit {
		e.explicit = act.Explicit
	}
	if act.Demands.Explicit && act.Explicit == "" {
		return e, ErrNotExplicit
	}
	return e, nil
}

// joins says whether an act is a yes to taking part.
func (a Act) joins(items []Item) bool {
	return !a.tooYoung() && slices.ContainsFunc(items, func(item Item) bool { return item.Required && a.Answers[item.Purpose] })
}

// Refuses says whether an act is a no to a purpose, also by somebody who is too young.
func (a Act) Refuses(purpose string) bool {
	yes, answered := a.Answers[purpose]
	return a.tooYoung() || answered && !yes
}

// tooYoung: whoever has not reached the age cannot say yes. What is kept is a no, and nothing of an age.
func (a Act) tooYoung() bool { return a.Demands.MinimumAge > 0 && a.Age == No }

// meets says what of the study's demands a yes leaves open.
func (a Act) meets(items []Item, past history) error {
	if !a.joins(items) {
		return nil
	}
	var check errs.Check
	if a.Demands.MinimumAge > past.ofAge && a.Age != Yes {
		check.Add("age", "consent_age")
	}
	if a.own() && a.Demands.Signature != "" && a.Signed == "" {
		check.Add("signature", "consent_signature")
	}
	return check.Err()
}

// day says what is wrong with the day that an act was given. An answer that is older than what the person has said since
// would undo it.
func (a Act) day(past history, today string) error {
	if a.GivenOn == "" {
		return nil
	}
	var check errs.Check
	if _, err := time.Parse(time.DateOnly, a.GivenOn); err != nil {
		check.Add("given_on", "consent_day")
	} else if a.GivenOn > today {
		check.Add("given_on", "consent_future")
	} else if a.GivenOn < past.newest {
		check.Add("given_on", "consent_overtaken")
	}
	return check.Err()
}

// own says whether the person acts themselves.
func (a Act) own() bool { return a.Means == OwnLink || a.Means == BySurvey }

// NewID names an act before it is made, for what is bound to it.
func NewID() id.Consent { return id.New[id.Consent]() }
