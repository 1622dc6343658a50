package recruitment

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
	// MostCoupons is how many invitations one informant may pass on, used or not.
	MostCoupons = 5
	// CouponLifetime is how long each may be used.
	CouponLifetime = 14 * 24 * time.Hour
	// UnknownNetwork is the network size of who was not asked, or did not know.
	UnknownNetwork = -1
	mostNetwork    = 10_000
)

// Answer is how a coupon ended.
type Answer string

const (
	Unused    Answer = ""
	Accepted  Answer = "yes"   // the friend is in the study
	Refused   Answer = "no"    // and that is all that is kept
	NobodyNew Answer = "known" // used by somebody who is in the study, or is not to be contacted again
)

var (
	// ErrCoupon is a Conflict: the coupon is used, or its time is over.
	ErrCoupon = errs.New(errs.Conflict, "recruitment.coupon")
	// ErrManyCoupons is a Conflict: the informant has made as many as anybody may.
	ErrManyCoupons = errs.New(errs.Conflict, "recruitment.many_coupons")
)

// Coupon is one invitation that an informant passes on, for one use.
type Coupon struct {
	ID        id.Coupon
	Study     id.Study
	Person    id.Person // the informant
	Number    int       // 1, 2, 3 … among the informant's own
	ShowName  bool      // the friend may see who passed it on
	MadeAt    int64     // UTC milliseconds, as all below
	ExpiresAt int64
}

// MakeCouponTx makes the next coupon of an informant; it lives for CouponLifetime, and no longer than until. network is
// how many others the informant knows, and is kept with the first coupon only: it is asked once. The fifth is the last
// (ErrManyCoupons). Faults are at the field "network".
func (r *Recruitment) MakeCouponTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, person id.Person, showName bool, network int, until time.Time) (Coupon, error) {
	if network < UnknownNetwork || network > mostNetwork {
		var c errs.Check
		c.Add("network", "recruitment.network")
		return Coupon{}, c.Err()
	}
	if _, err := touch(ctx, tx, study, person); err != nil { // makes two at once take turns
		return Coupon{}, err
	}
	c := Coupon{ID: id.New[id.Coupon](), Study: study, Person: person, ShowName: showName, MadeAt: r.now().UnixMilli()}
	c.ExpiresAt = min(r.now().Add(CouponLifetime).UnixMilli(), until.UnixMilli())
	err := tx.QueryRow(ctx, "select count(*) + 1 from referral_coupon where study_id = $1 and person_id = $2", study, person).Scan(&c.Number)
	if err != nil {
		return Coupon{}, fmt.Errorf("count coupons: %w", err)
	}
	if c.Number > MostCoupons {
		return Coupon{}, ErrManyCoupons
	}
	if _, err := tx.Exec(ctx, `insert into referral_coupon (id, study_id, person_id, number, show_name, made_at, expires_at, answer,
		friend_person_id, answered_at, language, consent) values ($1, $2, $3, $4, $5, $6, $7, '', '', 0, '', '')`,
		c.ID, study, person, c.Number, showName, c.MadeAt, c.ExpiresAt); err != nil {
		return Coupon{}, fmt.Errorf("make coupon: %w", err)
	}
	if c.Number == 1 {
		if _, err := tx.Exec(ctx, "update participant set network_size = $3 where study_id = $1 and person_id = $2", study, person, network); err != nil {
			return Coupon{}, fmt.Errorf("note network size: %w", err)
		}
	}
	return c, r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "coupon.made", Study: study, Person: person, Detail: fmt.Sprint(c.Number)})
}

const couponColumns = "id, study_id, person_id, number, show_name, made_at, expires_at"

func scanCoupon(row database.Scanner) (c Coupon, err error) {
	err = row.Scan(&c.ID, &c.Study, &c.Person, &c.Number, &c.ShowName, &c.MadeAt, &c.ExpiresAt)
	return c, err
}

// Coupons returns an informant's coupons, the newest first. Whether they were used is not said: this is what the
// informant sees.
func (r *Recruitment) Coupons(ctx context.Context, study id.Study, person id.Person) ([]Coupon, error) {
	all, err := database.All(ctx, r.db, scanCoupon, "select "+couponColumns+` from referral_coupon
		where study_id = $1 and person_id = $2 order by number desc`, study, person)
	if err != nil {
		return nil, fmt.Errorf("read coupons: %w", err)
	}
	return all, nil
}

// OpenCoupon returns a coupon that can still be used; otherwise ErrCoupon.
func (r *Recruitment) OpenCoupon(ctx context.Context, study id.Study, coupon id.Coupon) (Coupon, error) {
	c, err := scanCoupon(r.db.QueryRow(ctx, "select "+couponColumns+` from referral_coupon
		where study_id = $1 and id = $2 and answer = '' and expires_at > $3`, study, coupon, r.now().UnixMilli()))
	if errors.Is(err, database.ErrNoRows) {
		return c, ErrCoupon
	}
	if err != nil {
		return c, fmt.Errorf("read coupon: %w", err)
	}
	return c, nil
}

// Use is what a coupon is used for. Friend, Language and Consent are of a yes alone.
type Use struct {
	Answer   Answer
	Friend   id.Person
	Language string
	Consent  string // what the friend said yes to, word for word
}

// UseCouponTx ends a coupon in the caller's transaction, once: of several at the same moment one succeeds, and the others
// get ErrCoupon.
func (r *Recruitment) UseCouponTx(ctx context.Context, tx *database.Tx, study id.Study, coupon id.Coupon, u Use) error {
	now := r.now().UnixMilli()
	var at int64
	if u.Answer == Accepted {
		at = now
	} else {
		u = Use{Answer: u.Answer}
	}
	n, err := tx.Exec(ctx, `update referral_coupon set answer = $4, friend_person_id = $5, answered_at = $6, language = $7, consent = $8
		where study_id = $1 and id = $2 and answer = '' and expires_at > $3`, study, coupon, now, u.Answer, u.Friend, at, u.Language, u.Consent)
	if err != nil {
		return fmt.Errorf("use coupon: %w", err)
	}
	if n == 0 {
		return ErrCoupon
	}
	return nil
}

// ReopenCouponTx gives a coupon back whose friend could not be taken in after all.
func (r *Recruitment) ReopenCouponTx(ctx context.Context, tx *database.Tx, friend id.Person) error {
	_, err := tx.Exec(ctx, `update referral_coupon set answer = '', friend_person_id = '', answered_at = 0, language = '', consent = ''
		where friend_person_id = $1`, friend)
	if err != nil {
		return fmt.Errorf("reopen coupon: %w", err)
	}
	return nil
}

// Acceptance is what somebody said yes to when they answered a coupon.
type Acceptance struct {
	At       int64 // UTC milliseconds
	Language string
	Text     string
}

// AcceptanceOf returns what somebody who came by a coupon said yes to; false for everybody else.
func (r *Recruitment) AcceptanceOf(ctx context.Context, study id.Study, person id.Person) (a Acceptance, came bool, err error) {
	err = r.db.QueryRow(ctx, "select answered_at, language, consent from referral_coupon where study_id = $1 and friend_person_id = $2",
		study, person).Scan(&a.At, &a.Language, &a.Text)
	if errors.Is(err, database.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("read acceptance: %w", err)
	}
	return a, true, nil
}

// InsertNextTx is InsertTx under the case's next free code. Somebody who chooses a code by hand at the same moment can
// make it ErrCodeTaken; trying again helps. A recruiter who has left the study meanwhile is forgotten: who was led here
// stays.
func (r *Recruitment) InsertNextTx(ctx context.Context, tx *database.Tx, p Participant, caseCode string) error {
	if errs.KindOf(p.checkRecruiter(ctx, tx)) == errs.Invalid {
		p.Recruiter, p.Coupon = "", 0
	}
	p.Code = ""
	one := []Participant{p}
	if err := giveCodes(ctx, tx, p.Study, one, map[id.Case]string{p.Case: caseCode}); err != nil {
		return err
	}
	return r.InsertTx(ctx, tx, one[0])
}
