package recruitment_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"

	"github.com/google/go-cmp/cmp"
)

// end is the last day of the test's study: far off.
var end = time.UnixMilli(1_000_000).AddDate(1, 0, 0)

func (f *field) coupon(person id.Person, until time.Time, network int) (c recruitment.Coupon, err error) {
	f.t.Helper()
	err = f.db.Tx(f.t.Context(), func(tx *database.Tx) error {
		c, err = f.MakeCouponTx(f.t.Context(), tx, researcher, f.study, person, true, network, until)
		return err
	})
	return c, err
}

func (f *field) give(person id.Person) recruitment.Coupon {
	f.t.Helper()
	c, err := f.coupon(person, end, recruitment.UnknownNetwork)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *field) use(c recruitment.Coupon, u recruitment.Use) error {
	return f.db.Tx(f.t.Context(), func(tx *database.Tx) error { return f.UseCouponTx(f.t.Context(), tx, f.study, c.ID, u) })
}

// next takes a friend in under the next code.
func (f *field) next(p recruitment.Participant, caseCode string) error {
	return f.db.Tx(f.t.Context(), func(tx *database.Tx) error { return f.InsertNextTx(f.t.Context(), tx, p, caseCode) })
}

func TestCouponsAreFiveAndLiveForAFortnight(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		informant := f.add(f.participant("A1"))
		for _, network := range []int{-2, 10_001} {
			if _, err := f.coupon(informant, end, network); faults(err) != "network recruitment.network" {
				t.Errorf("network of %d: %v", network, err)
			}
		}
		first, err := f.coupon(informant, end, 40)
		if err != nil || first.Number != 1 || first.ExpiresAt != f.now.Add(14*24*time.Hour).UnixMilli() {
			t.Errorf("first coupon %+v, %v", first, err)
		}
		soon := f.now.Add(time.Hour)
		second, err := f.coupon(informant, soon, 7)
		if err != nil || second.ExpiresAt != soon.UnixMilli() {
			t.Errorf("a coupon outlives its study: %+v, %v", second, err)
		}
		if p, _ := f.Get(t.Context(), f.study, informant); p.NetworkSize != 40 {
			t.Errorf("network size %d, want the first answer", p.NetworkSize)
		}
		for range 3 {
			f.give(informant)
		}
		if _, err := f.coupon(informant, end, 0); !errors.Is(err, recruitment.ErrManyCoupons) {
			t.Errorf("sixth coupon: %v", err)
		}
		all, err := f.Coupons(t.Context(), f.study, informant)
		if err != nil || len(all) != 5 || all[0].Number != 5 || all[4] != first {
			t.Errorf("coupons %+v, %v", all, err)
		}
		if _, err := f.coupon(id.New[id.Person](), end, 0); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("a stranger's coupon: %v", err)
		}
	})
}

func TestManyCouponsAtOnceAreNoMoreThanFive(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		informant := f.add(f.participant("A1"))
		var wait sync.WaitGroup
		results := make([]error, 20)
		for i := range results {
			wait.Go(func() {
				results[i] = f.db.Tx(t.Context(), func(tx *database.Tx) error {
					_, err := f.MakeCouponTx(t.Context(), tx, researcher, f.study, informant, false, 3, end)
					return err
				})
			})
		}
		wait.Wait()
		made := 0
		for _, err := range results {
			if err == nil {
				made++
			} else if !errors.Is(err, recruitment.ErrManyCoupons) {
				t.Error(err)
			}
		}
		if made != recruitment.MostCoupons {
			t.Errorf("%d coupons were made at once, want 5", made)
		}
	})
}

func TestACouponIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		informant := f.add(f.participant("A1"))
		yes := recruitment.Use{Answer: recruitment.Accepted, Friend: id.New[id.Person](), Language: "nn", Consent: "Ja til dette."}
		raced := f.give(informant)
		var wait sync.WaitGroup
		results := make([]error, 20)
		for i := range results {
			wait.Go(func() { results[i] = f.use(raced, yes) })
		}
		wait.Wait()
		used := 0
		for _, err := range results {
			if err == nil {
				used++
			} else if !errors.Is(err, recruitment.ErrCoupon) {
				t.Error(err)
			}
		}
		if used != 1 {
			t.Errorf("one coupon was used %d times", used)
		}
		said, came, err := f.AcceptanceOf(t.Context(), f.study, yes.Friend)
		if want := (recruitment.Acceptance{At: f.now.UnixMilli(), Language: "nn", Text: "Ja til dette."}); err != nil || !came || said != want {
			t.Errorf("acceptance %+v %v %v, want %+v", said, came, err, want)
		}

		refused := f.give(informant)
		no := yes
		no.Answer, no.Friend = recruitment.Refused, id.New[id.Person]()
		if err := f.use(refused, no); err != nil {
			t.Error(err)
		}
		if _, came, err := f.AcceptanceOf(t.Context(), f.study, no.Friend); came || err != nil {
			t.Errorf("a no kept more than that it was one (%v)", err)
		}
		if _, err := f.OpenCoupon(t.Context(), f.study, refused.ID); !errors.Is(err, recruitment.ErrCoupon) {
			t.Errorf("a used coupon opens: %v", err)
		}

		late := f.give(informant)
		if _, err := f.OpenCoupon(t.Context(), id.New[id.Study](), late.ID); !errors.Is(err, recruitment.ErrCoupon) {
			t.Errorf("another study's coupon opens: %v", err)
		}
		f.now = time.UnixMilli(late.ExpiresAt)
		if _, err := f.OpenCoupon(t.Context(), f.study, late.ID); !errors.Is(err, recruitment.ErrCoupon) {
			t.Errorf("an expired coupon opens: %v", err)
		}
		if err := f.use(late, yes); !errors.Is(err, recruitment.ErrCoupon) {
			t.Errorf("an expired coupon is used: %v", err)
		}
	})
}

func TestInsertNextFindsAFreeCode(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		recruiter := f.add(f.participant("B1"))
		other := f.participant("B2") // chosen by hand in another case
		other.Case = f.c
		f.add(other)
		friend := f.participant("")
		friend.Recruiter, friend.Coupon, friend.State, friend.NextAt, friend.Source = recruiter, 3, recruitment.Interested, 5, recruitment.Referral
		for range 2 { // doing it twice is doing it once
			if err := f.next(friend, "b"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := f.Get(t.Context(), f.study, friend.ID)
		if err != nil || got.Code != "B3" || got.Coupon != 3 || got.NextAt != 5 || got.State != recruitment.Interested || got.NetworkSize != recruitment.UnknownNetwork {
			t.Errorf("friend %+v, %v", got, err)
		}
		f.erase(recruiter)
		late := f.participant("")
		late.Recruiter, late.Coupon = recruiter, 4
		if err := f.next(late, "B"); err != nil {
			t.Fatal(err)
		}
		if got, _ := f.Get(t.Context(), f.study, late.ID); got.Code != "B4" || got.Recruiter != "" || got.Coupon != 0 {
			t.Errorf("whose recruiter left meanwhile: %+v", got)
		}
	})
}

func TestInsertNextAtOnceGivesEachACode(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		var wait sync.WaitGroup
		results := make([]error, 10)
		for i := range results {
			friend := f.participant("")
			wait.Go(func() { results[i] = f.next(friend, "B") })
		}
		wait.Wait()
		if err := errors.Join(results...); err != nil {
			t.Error(err)
		}
		if last, err := f.ByCode(t.Context(), f.study, "B10"); err != nil || last.Code != "B10" {
			t.Errorf("ten friends at once: %v", err)
		}
	})
}

// Who led to whom, drawn as text: code, wave and coupon.
func drawn(nodes []*recruitment.Node) string {
	var parts []string
	for _, n := range nodes {
		text := fmt.Sprintf("%s %d/%d", n.Code, n.Wave, n.Coupon)
		if len(n.Led) > 0 {
			text += " (" + drawn(n.Led) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func TestSnowball(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		empty, err := f.Snowball(t.Context(), f.study)
		if err != nil || len(empty.Seeds)+len(empty.Waves)+empty.Led() != 0 {
			t.Errorf("an empty study: %+v, %v", empty, err)
		}
		led := func(code string, by id.Person, coupon int) id.Person {
			p := f.participant(code)
			p.Recruiter, p.Coupon, p.Source = by, coupon, recruitment.Referral
			return f.add(p)
		}
		a1, a10 := f.add(f.participant("A1")), f.add(f.participant("A10"))
		f.add(f.participant("A2")) // never asked, in no chain
		f.advance(f.add(f.participant("A3")), recruitment.Contacted)
		a4 := led("A4", a1, 2)
		led("A5", a1, 1)
		led("A6", a1, 0)
		a7 := led("A7", a4, 1)
		led("A8", a7, 1)
		used, known, no, over := f.give(a10), f.give(a10), f.give(a10), f.give(a1)
		for _, u := range []struct {
			recruitment.Coupon
			recruitment.Answer
		}{{used, recruitment.Accepted}, {known, recruitment.NobodyNew}, {no, recruitment.Refused}} {
			if err := f.use(u.Coupon, recruitment.Use{Answer: u.Answer, Friend: id.New[id.Person]()}); err != nil {
				t.Fatal(err)
			}
		}
		f.now = time.UnixMilli(over.ExpiresAt)
		f.give(a1)
		s, err := f.Snowball(t.Context(), f.study)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := drawn(s.Seeds), "A1 0/0 (A5 1/1, A4 1/2 (A7 2/1 (A8 3/1)), A6 1/0), A10 0/0"; got != want {
			t.Errorf("tree\n got %s\nwant %s", got, want)
		}
		if got := drawn(s.Others); got != "A3 0/0" {
			t.Errorf("others %s", got)
		}
		if diff := cmp.Diff([]int{2, 3, 1, 1}, s.Waves); diff != "" || s.Led() != 5 || len(s.All()) != 8 {
			t.Errorf("waves %v, led %d, all %d", s.Waves, s.Led(), len(s.All()))
		}
		if diff := cmp.Diff(map[id.Case]recruitment.CouponCount{f.a: {Made: 5, Yes: 1, No: 1, Known: 1, Expired: 1, Out: 1}}, s.Coupons); diff != "" {
			t.Errorf("coupons: %s", diff)
		}

		f.erase(a1) // their chain falls apart, and says why
		if s, err = f.Snowball(t.Context(), f.study); err != nil {
			t.Fatal(err)
		}
		if got, want := drawn(s.Seeds), "A4 0/0 (A7 1/1 (A8 2/1)), A5 0/0, A6 0/0, A10 0/0"; got != want || !s.Seeds[0].Lost() || s.Seeds[3].Lost() {
			t.Errorf("after an erasure\n got %s\nwant %s", got, want)
		}
	})
}

func TestErasingForgetsCoupons(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		informant, friend := f.add(f.participant("A1")), f.add(f.participant("A2"))
		accepted := f.give(informant)
		f.give(informant)
		if err := f.use(accepted, recruitment.Use{Answer: recruitment.Accepted, Friend: friend, Language: "nb", Consent: "Ja."}); err != nil {
			t.Fatal(err)
		}
		f.erase(informant)
		if said, came, err := f.AcceptanceOf(t.Context(), f.study, friend); err != nil || !came || said.Text != "Ja." {
			t.Errorf("what the friend said yes to went with the informant: %+v, %v", said, err)
		}
		rows := func() (n int) {
			if err := f.db.QueryRow(t.Context(), "select count(*) from referral_coupon").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if rows() != 1 {
			t.Errorf("%d coupons left of an erased informant, want the friend's", rows())
		}
		f.erase(friend)
		if rows() != 0 {
			t.Errorf("%d coupons left of two who are erased", rows())
		}
		if err := f.use(accepted, recruitment.Use{Answer: recruitment.Refused}); errs.KindOf(err) != errs.Conflict {
			t.Errorf("a coupon of somebody erased: %v", err)
		}
	})
}
