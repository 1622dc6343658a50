package exports

import (
	"cmp"
	"slices"
)

// interviews is one row per interview held: case, informant, generalised role, size, relation, date, duration.
func (b *book) interviews() {
	s := b.sheet("interviews", b.head("case", 10), b.head("informant", 12), b.head("role", 26), b.head("size_group", 12),
		b.head("relation", 24), b.head("date", 14), b.head("duration", 12))
	people := b.people()
	slices.SortStableFunc(b.Interviews, func(i, j Interview) int {
		return cmp.Or(b.order(people[i.Code], people[j.Code]), cmp.Compare(i.HeldOn, j.HeldOn))
	})
	for _, i := range b.Interviews {
		p := people[i.Code]
		s.grey = b.pilot(p.Case)
		var duration any
		if i.Minutes >= 0 {
			const minutesPerDay = 24 * 60
			duration = span(float64(i.Minutes) / minutesPerDay)
		}
		s.row(p.Case, i.Code, p.Title, b.word("size_group", sizeGroup(p.Size)), b.word("relation", p.Relation), b.day(i.HeldOn), duration)
	}
	s.close()
}

// sizeGroup is the coarser size that is published: companies of up to 100 employees, or more.
func sizeGroup(size string) string {
	switch size {
	case "micro", "small", "medium":
		return "sme"
	}
	return size
}

func (b *book) people() map[string]Participant {
	people := map[string]Participant{}
	for _, i := range b.Interviews {
		people[i.Code] = Participant{Code: i.Code}
	}
	for _, p := range b.Participants {
		people[p.Code] = p
	}
	return people
}

func (b *book) order(p, q Participant) int {
	return cmp.Or(b.place(p.Case)-b.place(q.Case), natural(p.Code, q.Code))
}

// informants are the columns of the matrix: whoever was interviewed for the study proper, and whoever has a mark.
func (b *book) informants() []string {
	people, in := b.people(), map[string]bool{}
	for _, i := range b.Interviews {
		in[i.Code] = !b.pilot(people[i.Code].Case)
	}
	for _, marks := range b.Marks {
		for code := range marks {
			in[code] = true
		}
	}
	var codes []string
	for code, belongs := range in {
		if belongs {
			codes = append(codes, code)
		}
	}
	slices.SortFunc(codes, func(c, d string) int { return cmp.Or(b.order(people[c], people[d]), natural(c, d)) })
	return codes
}

const (
	mentioned = "x"
	disagreed = "o"
)

// count is how many informants gave a theme each mark.
func (b *book) count(theme string) (x, o int) {
	for _, mark := range b.Marks[theme] {
		switch mark {
		case mentioned:
			x++
		case disagreed:
			o++
		}
	}
	return x, o
}

func (b *book) themes() {
	informants := b.informants()
	headings := []heading{b.head("category", 14), b.head("theme", 30), b.head("key", 26)}
	for _, code := range informants {
		headings = append(headings, heading{code, 6})
	}
	s := b.sheet("themes", append(headings, b.head("mentioned", 12), b.head("disagreed", 12))...)
	for _, t := range b.Themes {
		row := []any{b.word("category", t.Category), t.Label, t.Key}
		for _, code := range informants {
			row = append(row, b.Marks[t.Key][code])
		}
		x, o := b.count(t.Key)
		s.row(append(row, x, o)...)
	}
	s.close()
}

// jointDisplay sets what interviews and survey say of the same theme side by side. A theme that several questions ask
// about has several rows; one that none asks about has one.
func (b *book) jointDisplay(tallies []*tally) {
	s := b.sheet("joint", b.head("category", 14), b.head("theme", 30), b.head("mentioned", 12), b.head("disagreed", 12),
		b.head("informants", 12), b.head("question", 60), b.head("n", 8), b.head("mean", 10), b.head("sd", 10), b.head("dont_know", 12))
	informants := len(b.informants())
	for _, t := range b.Themes {
		x, o := b.count(t.Key)
		interviews := []any{b.word("category", t.Category), t.Label, x, o, informants}
		asked := false
		for _, of := range tallies {
			if of.question.Theme == t.Key {
				asked = true
				mean, sd, _ := of.figures()
				s.row(append(slices.Clone(interviews), of.question.Label, of.answered, mean, sd, of.missing)...)
			}
		}
		if !asked {
			s.row(interviews...)
		}
	}
	s.close()
}
