package recruitment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Size is a company's size by its number of employees.
type Size string

const (
	Micro  Size = "micro"
	Small  Size = "small"
	Medium Size = "medium"
	Large  Size = "large"
)

// Sizes lists all sizes in order.
func Sizes() []Size { return []Size{Micro, Small, Medium, Large} }

// Group returns the size as it is published: SMB (small and medium), STOR (large), or nothing.
func (s Size) Group() string {
	switch s {
	case Micro, Small, Medium:
		return "SMB"
	case Large:
		return "STOR"
	}
	return ""
}

// Groups lists the sizes as they are published.
func Groups() []string { return []string{"SMB", "STOR"} }

// Scheme says by which numbers of employees sizes are told apart. A size whose most is 0 is not one of the scheme's.
type Scheme struct {
	Name                 string // one of Schemes, or OwnScheme
	Micro, Small, Medium int    // the most employees that a company of the size has; above Medium it is large
}

// OwnScheme is the name of bounds that a study sets itself.
const OwnScheme = "own"

// Schemes lists the named ones, the default first.
func Schemes() []Scheme {
	return []Scheme{
		{"thesis", 10, 50, 100}, // 10, 50 and 100 employees belong to the smaller size
		{"eu", 9, 49, 249},      // Recommendation 2003/361/EC, article 2: fewer than 10, 50 and 250
		{"us", 0, 0, 499},       // Small Business Administration, Office of Advocacy: fewer than 500
		{"nho", 0, 20, 100},     // Confederation of Norwegian Enterprise: up to 20, up to 100
	}
}

// SizeOf returns the size of a company with so many employees; a negative number is not known, and no size.
func (s Scheme) SizeOf(employees int) Size {
	switch {
	case employees < 0:
		return ""
	case s.Micro > 0 && employees <= s.Micro:
		return Micro
	case s.Small > 0 && employees <= s.Small:
		return Small
	case employees <= s.Medium:
		return Medium
	}
	return Large
}

// Sizes lists the sizes that the scheme tells apart, in order.
func (s Scheme) Sizes() []Size {
	return slices.DeleteFunc(Sizes(), func(size Size) bool {
		return size == Micro && s.Micro == 0 || size == Small && s.Small == 0
	})
}

const mostEmployees = 10_000_000

func (s Scheme) check() error {
	var c errs.Check
	bounds := []struct {
		name     string
		most, at int
	}{{"micro", s.Micro, 0}, {"small", s.Small, s.Micro}, {"medium", s.Medium, max(s.Micro, s.Small)}}
	for _, b := range bounds {
		if b.most < 0 || b.most > mostEmployees || b.most > 0 && b.most <= b.at {
			c.Add(b.name, "recruitment.bound")
		}
	}
	if s.Medium == 0 {
		c.Add("medium", "recruitment.bound")
	}
	return c.Err()
}

// Scheme returns a study's scheme, the default where it has chosen none.
func (r *Recruitment) Scheme(ctx context.Context, study id.Study) (s Scheme, err error) {
	err = r.db.QueryRow(ctx, "select name, micro, small, medium from size_scheme where study_id = $1", study).Scan(&s.Name, &s.Micro, &s.Small, &s.Medium)
	if errors.Is(err, database.ErrNoRows) {
		return Schemes()[0], nil
	}
	if err != nil {
		return s, fmt.Errorf("read size scheme: %w", err)
	}
	return s, nil
}

// SetScheme chooses a scheme by its name; bounds are taken for OwnScheme alone. Sizes that people have already stay, since
// the number of employees is not kept.
func (r *Recruitment) SetScheme(ctx context.Context, actor audit.Actor, study id.Study, s Scheme) error {
	if s.Name != OwnScheme {
		i := slices.IndexFunc(Schemes(), func(known Scheme) bool { return known.Name == s.Name })
		if i < 0 {
			var c errs.Check
			c.Add("scheme", "recruitment.choose")
			return c.Err()
		}
		s = Schemes()[i]
	}
	if err := s.check(); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, `insert into size_scheme (study_id, name, micro, small, medium) values ($1, $2, $3, $4, $5)
			on conflict (study_id) do update set name = excluded.name, micro = excluded.micro, small = excluded.small, medium = excluded.medium`,
			study, s.Name, s.Micro, s.Small, s.Medium); err != nil {
			return fmt.Errorf("set size scheme: %w", err)
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "study.sizes_set", Study: study, Detail: s.Name})
	})
}
