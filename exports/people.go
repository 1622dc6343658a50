package exports

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

func (b *book) study() {
	s := b.sheet("study", b.head("field", 26), b.head("value", 90))
	line := func(key string, value any) { s.row(b.Text.T("export.study."+key), value) }
	line("title", b.Study.Title)
	line("purpose", b.Study.Purpose)
	line("questions", b.Study.Questions)
	line("institution", b.Study.Institution)
	line("legal_basis", b.word("basis", b.Study.LegalBasis))
	line("starts_on", b.day(b.Study.StartsOn))
	line("ends_on", b.day(b.Study.EndsOn))
	line("zone", b.Study.Zone)
	for _, c := range b.Study.Cases {
		line("case", strings.TrimSpace(c.Code+" "+c.Name))
	}
	line("made_at", b.moment(b.MadeAt.UnixMilli()))
	line("about", b.Text.T("export.about"))
	s.close()
}

func (b *book) funnel() {
	s := b.sheet("funnel", b.head("step", 30), b.head("persons", 12))
	f := b.Funnel
	for _, step := range []struct {
		key string
		n   int
	}{{"asked", f.Asked}, {"yes", f.Yes}, {"booked", f.Booked}, {"done", f.Done}} {
		s.row(b.Text.T("export.col."+step.key), step.n)
	}
	for _, loss := range f.Losses {
		s.row(b.word("state", loss.State), loss.N)
	}
	s.gap()
	s.headings(b.head("case", 0), b.head("asked", 0), b.head("yes", 0), b.head("booked", 0), b.head("done", 0), b.head("lost", 0))
	for _, f := range b.Funnels {
		s.row(cmp.Or(f.Case, b.Text.T("export.erased")), f.Asked, f.Yes, f.Booked, f.Done, f.Lost)
	}
	s.gap()
	s.headings(b.head("case", 0), b.head("quota", 0), b.head("least", 0), b.head("most", 0), b.head("asked", 0), b.head("yes", 0), b.head("booked", 0), b.head("done", 0))
	for _, q := range b.Quotas {
		var most any // an empty cell where there is no upper limit
		if q.Most > 0 {
			most = q.Most
		}
		s.row(q.Case, b.word("quota", q.Kind), q.Least, most, q.Asked, q.Yes, q.Booked, q.Done)
	}
	s.close()
}

func (b *book) participants() {
	headings := []heading{b.head("code", 12), b.head("case", 10), b.head("audience", 22), b.head("relation", 24), b.head("size", 20),
		b.head("role", 26), b.head("source", 24), b.head("recruiter", 14), b.head("state", 22), b.head("state_at", 18)}
	for _, name := range b.Traits {
		headings = append(headings, heading{name, 20})
	}
	s := b.sheet("participants", headings...)
	slices.SortStableFunc(b.Participants, b.order)
	for _, p := range b.Participants {
		s.grey = b.pilot(p.Case)
		row := []any{p.Code, p.Case, b.word("audience", p.Audience), b.word("relation", p.Relation), b.word("size", p.Size),
			p.Title, b.word("source", p.Source), p.Recruiter, b.word("state", p.State), b.moment(p.StateAt)}
		for _, value := range p.Traits {
			row = append(row, value)
		}
		s.row(row...)
	}
	s.close()
}

// referrals is who led to whom; those without a recruiter began a chain of their own and are not here.
func (b *book) referrals() {
	s := b.sheet("referrals", b.head("recruiter", 14), b.head("recruited", 14), b.head("case", 10), b.head("state", 22))
	for _, p := range b.Participants {
		if p.Recruiter != "" {
			s.row(p.Recruiter, p.Code, p.Case, b.word("state", p.State))
		}
	}
	s.close()
}

// purposes gives the columns of consents their order; others follow by name.
var purposes = []string{"interview", "recording", "quotation", "job_title", "follow_up", "survey_contact", "survey"}

func (b *book) consents() {
	slices.SortStableFunc(b.Consents, func(c, d Consent) int { return natural(c.Code, d.Code) })
	columns, counts := b.purposes(), map[string]map[string]int{"yes": {}, "no": {}, "unasked": {}}
	headings := []heading{b.head("code", 22)}
	for _, purpose := range columns {
		headings = append(headings, heading{b.word("purpose", purpose), 16})
	}
	s := b.sheet("consents", append(headings, b.head("means", 30), b.head("consented_at", 18))...)
	for _, c := range b.Consents {
		row := []any{c.Code}
		for _, purpose := range columns {
			standing := cmp.Or(c.Standings[purpose], "unasked")
			row = append(row, b.word("standing", standing))
			if counts[standing] != nil {
				counts[standing][purpose]++
			}
		}
		s.row(append(row, b.word("means", c.Means), b.moment(c.At))...)
	}
	s.gap()
	for _, standing := range []string{"yes", "no", "unasked"} {
		row := []any{b.Text.T("export.count", "What", b.word("standing", standing))}
		for _, purpose := range columns {
			row = append(row, counts[standing][purpose])
		}
		s.row(row...)
	}
	s.close()
}

func (b *book) purposes() []string {
	seen := map[string]bool{}
	for _, c := range b.Consents {
		for purpose := range c.Standings {
			seen[purpose] = true
		}
	}
	var columns []string
	for _, purpose := range purposes {
		if seen[purpose] {
			columns = append(columns, purpose)
			delete(seen, purpose)
		}
	}
	return append(columns, slices.Sorted(maps.Keys(seen))...)
}

// place is where a case stands among the study's; an unknown one comes last.
func (b *book) place(code string) int {
	if i := slices.IndexFunc(b.Study.Cases, func(c Case) bool { return c.Code == code }); i >= 0 {
		return i
	}
	return len(b.Study.Cases)
}

func (b *book) pilot(code string) bool {
	i := b.place(code)
	return i < len(b.Study.Cases) && b.Study.Cases[i].Pilot
}
