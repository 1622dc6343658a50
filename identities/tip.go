package identities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

const (
	// TipDays is how long a tip is kept if nobody says otherwise, and MostTipDays how long at most.
	TipDays     = 14
	MostTipDays = 90
)

// ErrNoTip is a NotFound: no such tip in this study, or not any more.
var ErrNoTip = errs.New(errs.NotFound, "identities.no_tip")

// Tip is somebody of whom an informant said that we could ring. Who that is lies sealed as every identity, with the
// reason as its note; the study store knows nothing of them until they are taken in.
type Tip struct {
	Person    id.Person
	Study     id.Study
	From      id.Person // the informant; empty once they are erased
	CreatedAt int64     // UTC milliseconds
	ExpiresAt int64     // UTC milliseconds; then it is deleted by itself
}

const tipColumns = "person_id, study_id, from_person_id, created_at, expires_at"

func scanTip(row database.Scanner) (t Tip, err error) {
	err = row.Scan(&t.Person, &t.Study, &t.From, &t.CreatedAt, &t.ExpiresAt)
	return t, err
}

// PutTip keeps a tip for a number of days. The person must have a key already, as for Put. Faults are at the fields of the
// identity and at "days"; without an address and a number there is nothing to use, and without a reason no ground to keep
// it.
func (v *Vault) PutTip(ctx context.Context, actor audit.Actor, t Tip, who Identity, days int) error {
	if err := CheckTip(who, days); err != nil {
		return err
	}
	now := v.now()
	return v.put(ctx, actor, "tip", t.Study, t.Person, who, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `insert into tip (person_id, study_id, from_person_id, created_at, expires_at, taken)
			values ($1, $2, $3, $4, $5, $6)`, t.Person, t.Study, t.From, now.UnixMilli(), now.Add(time.Duration(days)*24*time.Hour).UnixMilli(), false)
		return err
	})
}

// CheckTip says what PutTip would refuse.
func CheckTip(who Identity, days int) error {
	who, err := who.clean()
	c := errs.Check{}
	if who.Email == "" && who.Phone == "" {
		c.Add("phone", "identities.reach")
	}
	if who.Note == "" {
		c.Add("note", "required")
	}
	if days < 1 || days > MostTipDays {
		c.Add("days", "identities.days")
	}
	if own := c.Err(); own != nil {
		return &errs.Error{Kind: errs.Invalid, Code: "invalid", Fields: append(errs.FieldsOf(err), errs.FieldsOf(own)...)}
	}
	return err
}

// Tips lists a study's tips, the next to expire first. It opens none.
func (v *Vault) Tips(ctx context.Context, study id.Study) ([]Tip, error) {
	tips, err := database.All(ctx, v.db, scanTip, "select "+tipColumns+` from tip where study_id = $1 and expires_at > $2
		order by expires_at, person_id`, study, v.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list tips: %w", err)
	}
	return tips, nil
}

// TipsFrom lists the tips that came from somebody, oldest first. It opens none.
func (v *Vault) TipsFrom(ctx context.Context, study id.Study, from id.Person) ([]Tip, error) {
	return database.All(ctx, v.db, scanTip, "select "+tipColumns+` from tip where study_id = $1 and from_person_id = $2 and from_person_id <> ''
		order by created_at, person_id`, study, from)
}

// Tip returns one tip, or ErrNoTip. It opens nothing.
func (v *Vault) Tip(ctx context.Context, study id.Study, person id.Person) (Tip, error) {
	t, err := scanTip(v.db.QueryRow(ctx, "select "+tipColumns+" from tip where study_id = $1 and person_id = $2 and expires_at > $3",
		study, person, v.now().UnixMilli()))
	if errors.Is(err, database.ErrNoRows) {
		return t, ErrNoTip
	}
	if err != nil {
		return t, fmt.Errorf("read tip: %w", err)
	}
	return t, nil
}

// TakeTip holds a tip while it is made a candidate, so that it does not expire meanwhile; ErrNoTip where it is gone.
// Doing it twice is doing it once. KeepTip or LeaveTip ends it.
func (v *Vault) TakeTip(ctx context.Context, person id.Person) error {
	return v.changeTip(ctx, "update tip set taken = true where person_id = $1 and (taken or expires_at > $2)", person, v.now().UnixMilli())
}

// LeaveTip leaves a tip that was held as it was.
func (v *Vault) LeaveTip(ctx context.Context, person id.Person) error {
	return v.changeTip(ctx, "update tip set taken = false where person_id = $1", person)
}

// KeepTip ends a tip whose person is in the study now: the identity stays.
func (v *Vault) KeepTip(ctx context.Context, person id.Person) error {
	err := v.changeTip(ctx, "delete from tip where person_id = $1", person)
	if errors.Is(err, ErrNoTip) {
		return nil
	}
	return err
}

// EndTip makes a tip one that is over, for ExpiredTips to find; ErrNoTip where it is gone, or on its way into the study.
func (v *Vault) EndTip(ctx context.Context, study id.Study, person id.Person) error {
	return v.changeTip(ctx, "update tip set expires_at = 0 where person_id = $1 and study_id = $2 and not taken", person, study)
}

func (v *Vault) changeTip(ctx context.Context, statement string, args ...any) error {
	var n int64
	err := v.db.Tx(ctx, func(tx *database.Tx) (err error) {
		n, err = tx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("change tip: %w", err)
	}
	if n == 0 {
		return ErrNoTip
	}
	return nil
}

// TipsAmong says which of several people are tips.
func (v *Vault) TipsAmong(ctx context.Context, people []id.Person) (map[id.Person]bool, error) {
	tips := map[id.Person]bool{}
	for some := range database.Chunks(people) {
		list, args := database.In(some)
		found, err := database.Values[id.Person](ctx, v.db, "select person_id from tip where person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("look for tips: %w", err)
		}
		for _, person := range found {
			tips[person] = true
		}
	}
	return tips, nil
}

// ExpiredTips lists the tips of all studies whose time is over. Their keys are to be destroyed, and then Erase called.
func (v *Vault) ExpiredTips(ctx context.Context) ([]Tip, error) {
	tips, err := database.All(ctx, v.db, scanTip, "select "+tipColumns+" from tip where expires_at <= $1 and not taken order by person_id",
		v.now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list expired tips: %w", err)
	}
	return tips, nil
}
