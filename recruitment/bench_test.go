package recruitment_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

const (
	smallList, largeList = 1_000, 100_000
	inOneTx              = 2_000
)

// BenchmarkFirstPage reads the first page of a study of 1,000 and of one of 100,000 candidates, in turns, and tells how many
// times the cost of the small one the large one's is. Both are of the same making: what is rare is rare in both.
func BenchmarkFirstPage(b *testing.B) {
	for _, engine := range engines(b) {
		b.Run(engine.name, func(b *testing.B) {
			db, err := database.Open(b.Context(), engine.dsn, database.Study)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			r := recruitment.New(db, audit.New(db, time.Now), noPilots, time.Now)
			small, large := populate(b, db, r, smallList), populate(b, db, r, largeList)
			if db.Postgres() { // as a server does by itself within a minute of an import
				if err := db.Scrub(b.Context(), "analyze participant, participant_attribute"); err != nil {
					b.Fatal(err)
				}
			}
			for _, ask := range asks {
				b.Run(ask.name, func(b *testing.B) { compare(b, r, small, large, ask.query) })
			}
		})
	}
}

type made struct {
	study  id.Study
	cases  []id.Case
	region string
	seed   string // the code of who led to five others
}

var asks = []struct {
	name  string
	query func(m made) recruitment.Query
}{
	{"everybody", func(made) recruitment.Query { return recruitment.Query{} }},
	{"everybody,last", func(made) recruitment.Query { return recruitment.Query{Order: recruitment.ByLast, Down: true} }},
	{"everybody,next", func(made) recruitment.Query { return recruitment.Query{Order: recruitment.ByNext} }},
	{"case", func(m made) recruitment.Query { return recruitment.Query{Filter: recruitment.Filter{Case: m.cases[2]}} }},
	{"not asked,last", func(made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Stage: recruitment.StageNotAsked}, Order: recruitment.ByLast, Down: true}
	}},
	{"asked,next", func(made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Stage: recruitment.StageAsked}, Order: recruitment.ByNext}
	}},
	{"SMB,case,not asked", func(m made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Case: m.cases[1], Group: "SMB", Stage: recruitment.StageNotAsked}}
	}},
	{"selective: led by one", func(m made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Recruiter: m.seed, Stage: recruitment.StageNotAsked}, Order: recruitment.ByLast, Down: true}
	}},
	{"text: one code", func(m made) recruitment.Query { return recruitment.Query{Filter: recruitment.Filter{Text: "a999"}} }},
	{"text: title", func(made) recruitment.Query { return recruitment.Query{Filter: recruitment.Filter{Text: "økonomi"}} }},
	{"text: title,not asked", func(made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Text: "leder", Stage: recruitment.StageNotAsked}}
	}},
	{"text: nobody", func(made) recruitment.Query { return recruitment.Query{Filter: recruitment.Filter{Text: "astronaut"}} }},
	// Here a small study shows a few rows and a large one a full page, or reads up to 2,500 to find it.
	{"hard: region,large", func(m made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Size: recruitment.Large, Attributes: map[string]string{m.region: "Nord"}}}
	}},
	{"hard: on the board and declined", func(made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Relation: recruitment.Board, State: recruitment.Declined}, Order: recruitment.ByLast}
	}},
	{"hard: title,case,last", func(m made) recruitment.Query {
		return recruitment.Query{Filter: recruitment.Filter{Text: "leder", Case: m.cases[3]}, Order: recruitment.ByLast}
	}},
	{"hard: code", func(made) recruitment.Query { return recruitment.Query{Filter: recruitment.Filter{Text: "b1"}} }},
}

// compare takes turns, so that what else the machine does falls on both, and tells the ratio of the medians.
func compare(b *testing.B, r *recruitment.Recruitment, small, large made, query func(made) recruitment.Query) {
	var few, many []time.Duration
	read := func(m made) time.Duration {
		start := time.Now()
		if _, err := r.Page(b.Context(), m.study, query(m)); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	read(small)
	read(large)
	for b.Loop() {
		few, many = append(few, read(small)), append(many, read(large))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(few).Microseconds()), "µs-of-1,000")
	b.ReportMetric(float64(median(many).Microseconds()), "µs-of-100,000")
	b.ReportMetric(float64(median(many))/float64(median(few)), "ratio")
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// populate makes a study. Most are not asked yet, as after an import; the others are everywhere on their way.
func populate(b *testing.B, db *database.DB, r *recruitment.Recruitment, many int) made {
	b.Helper()
	ctx, dice := b.Context(), rand.New(rand.NewPCG(3, 4))
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	m := made{study: id.New[id.Study]()}
	for range 10 {
		m.cases = append(m.cases, id.New[id.Case]())
	}
	must(r.SetAttributes(ctx, researcher, m.study, []recruitment.Attribute{{Name: "Region", Values: []string{"Sør", "Vest", "Øst", "Midt", "Nord"}}}))
	own, err := r.Attributes(ctx, m.study)
	must(err)
	m.region = own[0].Key
	var first id.Person
	var titles []string
	for _, field := range []string{"Prosjekt", "Utviklings", "Avdelings", "Økonomi", "Salgs", "Personal", "Markeds", "Drifts", "Forsknings", "Innkjøps"} {
		for _, work := range []string{"leder", "sjef", "rådgiver", "ansvarlig", "koordinator", "medarbeider"} {
			titles = append(titles, field+work)
		}
	}
	pick := func(parts ...int) (at int) { // at gets its part of all
		n := dice.IntN(sum(parts))
		for n >= parts[at] {
			n, at = n-parts[at], at+1
		}
		return at
	}
	for from := 0; from < many; from += inOneTx {
		must(db.Tx(ctx, func(tx *database.Tx) error {
			for i := from; i < min(from+inOneTx, many); i++ {
				in := pick(20, 20, 15, 10, 10, 10, 5, 5, 4, 1)
				p := recruitment.Participant{ID: id.New[id.Person](), Study: m.study, Code: fmt.Sprintf("%c%d", 'A'+rune(in), 100_000+i), Case: m.cases[in],
					Audience: []string{"company", "administration"}[pick(95, 5)], Relation: recruitment.Relations()[pick(90, 8, 2)],
					Size: recruitment.Sizes()[pick(40, 30, 20, 10)], Title: titles[dice.IntN(len(titles))],
					Source: recruitment.Sources()[pick(80, 10, 4, 3, 2, 1)], Attributes: map[string]string{m.region: own[0].Values[pick(40, 30, 20, 8, 2)]}}
				if m.seed == "" {
					m.seed, first = p.Code, p.ID
				} else if i <= 5 {
					p.Recruiter = first
				}
				if err := r.InsertTx(ctx, tx, p); err != nil {
					return err
				}
				if to := ways[pick(75, 8, 4, 3, 3, 2, 3, 2)]; to != recruitment.Candidate {
					if err := r.Advance(ctx, tx, m.study, p.ID, to, researcher); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	}
	// Of those who were rung half are to be tried again, at times that differ.
	must(db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `update participant set last_at = last_at + length(title) * 1000, next_at = last_at + length(code) * 1000
			where study_id = $1 and state = 'contacted' and size in ('micro', 'large')`, m.study)
		return err
	}))
	return m
}

var ways = []recruitment.State{recruitment.Candidate, recruitment.Contacted, recruitment.Interested, recruitment.Informed, recruitment.Booked,
	recruitment.Interviewed, recruitment.NoAnswer, recruitment.Declined}

func sum(parts []int) (all int) {
	for _, part := range parts {
		all += part
	}
	return all
}

type engine struct{ name, dsn string }

// engines are those to measure: PostgreSQL only where the tests have one.
func engines(b *testing.B) []engine {
	all := []engine{{"sqlite", filepath.Join(b.TempDir(), "study.db")}}
	if server := os.Getenv("FELTBOK_TEST_POSTGRES"); server != "" {
		all = append(all, engine{"postgres", dbtest.Schema(b, server, database.Study)})
	}
	return all
}
