package handlers

import (
	"bytes"
	"fmt"
	"strconv"

	"example.org/feltbok/consents"
	"example.org/feltbok/exports"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// referralsPage is who led to whom, by code: a list, a picture and figures.
type referralsPage struct {
	asking
	Snow    recruitment.Snowball
	Total   recruitment.CouponCount
	Cases   []caseCoupons
	Drawing drawing
}

// caseCoupons is what became of the coupons of one case's informants.
type caseCoupons struct {
	studies.Case
	recruitment.CouponCount
}

func (s *Server) referrals(v *visit) error {
	p := referralsPage{asking: asking{v.page("referrals.title")}}
	p.Here = "candidates"
	var err error
	if p.Snow, err = s.Recruitment.Snowball(v.ctx(), v.study.ID); err != nil {
		return err
	}
	p.Total, p.Drawing = p.Snow.Total(), draw(p.Snow)
	for _, c := range v.study.Cases {
		if count := p.Snow.Coupons[c.ID]; count.Made > 0 {
			p.Cases = append(p.Cases, caseCoupons{c, count})
		}
	}
	return v.show("staff/referrals", p)
}

// Longest is how many people the longest chain has.
func (p referralsPage) Longest() int { return len(p.Snow.Waves) }

// Finding says in a sentence what the picture shows.
func (p referralsPage) Finding() string {
	if p.Snow.Led() == 0 {
		return p.N("referrals.finding_none", len(p.Snow.Seeds))
	}
	return p.N("referrals.finding", p.Snow.Led(), "Seeds", p.N("referrals.from", len(p.Snow.Seeds)), "Waves", p.N("referrals.in_waves", len(p.Snow.Waves)-1))
}

// WaveName names a wave.
func (p referralsPage) WaveName(wave int) string {
	if wave == 0 {
		return p.T("referrals.seeds")
	}
	return p.T("referrals.wave", "N", wave)
}

// Came says in words where somebody stands in the tree.
func (p referralsPage) Came(n *recruitment.Node) string {
	switch {
	case n.Lost():
		return p.T("referrals.lost")
	case n.Wave == 0:
		return p.T("referrals.seed")
	case n.Coupon > 0:
		return p.T("referrals.by_coupon", "Wave", n.Wave, "Coupon", n.Coupon)
	}
	return p.T("referrals.by_word", "Wave", n.Wave)
}

// branch is a list within the list, for the template that draws one.
type branch struct {
	Page  referralsPage
	Nodes []*recruitment.Node
}

func (p referralsPage) Branch(nodes []*recruitment.Node) branch { return branch{p, nodes} }

// Share is how many of the coupons that came to an end brought somebody, in per cent; "" where none has.
func (p referralsPage) Share(c recruitment.CouponCount) string {
	if c.Ended() == 0 {
		return ""
	}
	return p.T("referrals.percent", "N", whole(100*float64(c.Yes)/float64(c.Ended())))
}

// figure is a number with its name, for screens on which a table is a list.
type figure struct{ Label, Value string }

// Counted lists what became of coupons, in the order of the table's columns.
func (p referralsPage) Counted(c recruitment.CouponCount) []figure {
	n := func(key string, n int) figure { return figure{p.T("referrals." + key), strconv.Itoa(n)} }
	return []figure{n("made", c.Made), n("yes", c.Yes), n("no", c.No), n("known", c.Known), n("expired", c.Expired), n("out", c.Out),
		{p.T("referrals.share"), p.Share(c)}}
}

// referralsHead are the columns that as.rds.data.frame of the R package RDS is told of, and what a study codes besides.
var referralsHead = []string{"id", "recruiter.id", "network.size", "coupon", "wave", "seed", "case", "relation", "size", "source", "state"}

// seedRecruiter stands for the recruiter of who has none: the package wants one word for all of them. No code is in
// lower case.
const seedRecruiter = "seed"

// referralsFile is the tree as a table. Everybody is in it who was asked, or stands in a chain.
func (s *Server) referralsFile(v *visit) error {
	snow, err := s.Recruitment.Snowball(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	kept, err := s.Consents.Restricted(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	file, err := v.referralsTable(snow, kept)
	if err != nil {
		return err
	}
	v.download("referrals.csv", "text/csv; charset=utf-8", file)
	return nil
}

// referralsTable has of those whose data are only kept no more than that somebody stands there: without them the chain breaks.
func (v *visit) referralsTable(snow recruitment.Snowball, kept map[id.Person]consents.Restriction) ([]byte, error) {
	rows := [][]string{referralsHead}
	var walk func(nodes []*recruitment.Node, recruiter, seed string)
	walk = func(nodes []*recruitment.Node, recruiter, seed string) {
		for _, n := range nodes {
			from := seed
			if from == "" {
				from = n.Code
			}
			row := v.referralsRow(n, recruiter, from)
			if kept[n.ID].Kind != "" {
				row = append(row[:2], make([]string, len(row)-2)...)
			}
			rows = append(rows, row)
			walk(n.Led, n.Code, from)
		}
	}
	walk(snow.Seeds, seedRecruiter, "")
	walk(snow.Others, seedRecruiter, "")
	var file bytes.Buffer
	table := exports.NewCommaCSV(&file)
	for _, row := range rows {
		if err := table.Row(row...); err != nil {
			return nil, fmt.Errorf("write referrals: %w", err)
		}
	}
	if err := table.Close(); err != nil {
		return nil, fmt.Errorf("write referrals: %w", err)
	}
	return file.Bytes(), nil
}

func (v *visit) referralsRow(n *recruitment.Node, recruiter, seed string) []string {
	of, _ := v.study.Case(n.Case)
	return []string{n.Code, recruiter, known(n.NetworkSize, recruitment.UnknownNetwork), known(n.Coupon, 0), strconv.Itoa(n.Wave), seed, of.Code,
		string(n.Relation), string(n.Size), string(n.Source), string(n.State)}
}

// known leaves a cell empty for what is not known.
func known(n, unknown int) string {
	if n == unknown {
		return ""
	}
	return strconv.Itoa(n)
}
