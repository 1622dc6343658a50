package recruitment_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// The quotas of 500 people who hold a place, beside so many who were not asked: only Waiting counts those.
func BenchmarkQuotas(b *testing.B) {
	for _, candidates := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(candidates), func(b *testing.B) {
			ctx, study, caseID := context.Background(), id.New[id.Study](), id.New[id.Case]()
			db, err := database.Open(ctx, filepath.Join(b.TempDir(), "study.db"), database.Study)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			r := recruitment.New(db, audit.New(db, time.Now), noPilots, time.Now)
			var last id.Person
			err = db.Tx(ctx, func(tx *database.Tx) error {
				for i := range candidates + 500 {
					p := recruitment.Participant{ID: id.New[id.Person](), Study: study, Code: fmt.Sprint("A", i), Case: caseID, Audience: "company",
						Relation: recruitment.Member, Size: recruitment.Sizes()[i%4], Source: recruitment.MemberList}
					if i < 500 {
						p.State = recruitment.Contacted
					}
					if err := r.InsertTx(ctx, tx, p); err != nil {
						return err
					}
					last = p.ID
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			wanted := map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {Least: 300, Most: 400}, recruitment.QuotaLarge: {Least: 100, Most: 150}, recruitment.QuotaAny: {Least: 50, Most: 50}}
			if err := r.SetQuotas(ctx, researcher, study, caseID, wanted); err != nil {
				b.Fatal(err)
			}
			for name, ask := range map[string]func() error{
				"cells":   func() error { _, err := r.Quotas(ctx, study, nil); return err },
				"full":    func() error { _, err := r.Full(ctx, study, last); return err },
				"waiting": func() error { _, err := r.Waiting(ctx, study); return err },
				"funnels": func() error { _, err := r.Funnels(ctx, study); return err },
			} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						if err := ask(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}
