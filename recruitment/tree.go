package recruitment

import (
	"context"
	"fmt"
	"slices"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// Node is one participant in the tree of who led to whom.
type Node struct {
	Participant
	Wave int // 0 for who starts a chain, and one more for each step
	Led  []*Node
}

// Lost says that somebody led to this participant whom we do not know any more: the chain begins here, and not by choice.
func (n *Node) Lost() bool {
	return n.Recruiter == "" && (n.Source == Referral || n.Source == Tip)
}

// CouponCount is what became of coupons. Still out are those that may yet be used.
type CouponCount struct{ Made, Yes, No, Known, Expired, Out int }

// Ended are those whose outcome is known.
func (c CouponCount) Ended() int { return c.Made - c.Out }

// Snowball is who led to whom in a study. It knows no outcome of one informant's coupons but whom they brought.
type Snowball struct {
	Seeds   []*Node // who starts a chain, or was given coupons; by code
	Others  []*Node // asked, and in no chain; by code
	Waves   []int   // people per wave, the seeds first; empty without seeds
	Coupons map[id.Case]CouponCount
}

// Snowball returns the tree, and the coupons by the informant's case.
func (r *Recruitment) Snowball(ctx context.Context, study id.Study) (s Snowball, err error) {
	people, err := database.All(ctx, r.db, scan, "select "+columns+` from participant where study_id = $1 and code <> ''
		and (stage <> 'not_asked' or recruiter_id <> '' or source in ('referral', 'tip')
			or person_id in (select recruiter_id from participant where study_id = $1 and recruiter_id <> '')
			or person_id in (select person_id from referral_coupon where study_id = $1))
		order by code_order, code`, study)
	if err != nil {
		return s, fmt.Errorf("read snowball: %w", err)
	}
	givers := map[id.Person]bool{}
	if s.Coupons, err = r.countCoupons(ctx, study, people, givers); err != nil {
		return s, err
	}
	s.grow(people, givers)
	return s, nil
}

// countCoupons counts by case, and notes who was given coupons.
func (r *Recruitment) countCoupons(ctx context.Context, study id.Study, people []Participant, givers map[id.Person]bool) (map[id.Case]CouponCount, error) {
	in := map[id.Person]id.Case{}
	for _, p := range people {
		in[p.ID] = p.Case
	}
	counts, now := map[id.Case]CouponCount{}, r.now().UnixMilli()
	err := database.Each(ctx, r.db, func(row database.Scanner) error {
		var person id.Person
		var answer Answer
		var expires int64
		if err := row.Scan(&person, &answer, &expires); err != nil {
			return err
		}
		givers[person] = true
		count := counts[in[person]]
		count.add(answer, expires <= now)
		counts[in[person]] = count
		return nil
	}, "select person_id, answer, expires_at from referral_coupon where study_id = $1 and person_id <> ''", study)
	if err != nil {
		return nil, fmt.Errorf("count coupons: %w", err)
	}
	return counts, nil
}

func (c *CouponCount) add(answer Answer, over bool) {
	c.Made++
	switch {
	case answer == Accepted:
		c.Yes++
	case answer == Refused:
		c.No++
	case answer == NobodyNew:
		c.Known++
	case over:
		c.Expired++
	default:
		c.Out++
	}
}

// Plus adds two counts.
func (c CouponCount) Plus(d CouponCount) CouponCount {
	return CouponCount{c.Made + d.Made, c.Yes + d.Yes, c.No + d.No, c.Known + d.Known, c.Expired + d.Expired, c.Out + d.Out}
}

// grow makes the tree of people who stand in the order of their codes. A recruiter is there before whom they lead to and
// never changes, so there are no circles.
func (s *Snowball) grow(people []Participant, givers map[id.Person]bool) {
	nodes := make(map[id.Person]*Node, len(people))
	for _, p := range people {
		nodes[p.ID] = &Node{Participant: p}
	}
	for _, p := range people {
		if recruiter := nodes[p.Recruiter]; recruiter != nil {
			recruiter.Led = append(recruiter.Led, nodes[p.ID])
		}
	}
	for _, p := range people {
		node := nodes[p.ID]
		switch {
		case nodes[p.Recruiter] != nil:
		case len(node.Led) > 0 || givers[p.ID] || node.Lost():
			s.Seeds = append(s.Seeds, node)
		case node.Stage() != StageNotAsked:
			s.Others = append(s.Others, node)
		}
	}
	for wave, at := 0, s.Seeds; len(at) > 0; wave++ {
		s.Waves = append(s.Waves, len(at))
		var next []*Node
		for _, node := range at {
			node.Wave = wave
			slices.SortStableFunc(node.Led, byCoupon)
			next = append(next, node.Led...)
		}
		at = next
	}
}

// byCoupon puts those who came by a coupon first, in the order of the coupons.
func byCoupon(a, b *Node) int {
	switch {
	case a.Coupon == b.Coupon:
		return natural.Compare(a.Code, b.Code)
	case a.Coupon == 0:
		return 1
	case b.Coupon == 0:
		return -1
	}
	return a.Coupon - b.Coupon
}

// Led is how many people somebody led to.
func (s Snowball) Led() int {
	led := 0
	for _, people := range s.Waves[min(1, len(s.Waves)):] {
		led += people
	}
	return led
}

// All lists everybody, each before whom they led to: the chains first, then the others.
func (s Snowball) All() []*Node {
	var all []*Node
	var walk func(nodes []*Node)
	walk = func(nodes []*Node) {
		for _, node := range nodes {
			all = append(all, node)
			walk(node.Led)
		}
	}
	walk(s.Seeds)
	return append(all, s.Others...)
}

// Total is the sum of all cases' coupons.
func (s Snowball) Total() (total CouponCount) {
	for _, count := range s.Coupons {
		total = total.Plus(count)
	}
	return total
}
