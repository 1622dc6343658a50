package interviews

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrNoTheme is a NotFound: the study has no such theme.
	ErrNoTheme = errs.New(errs.NotFound, "interviews.no_theme")
	// ErrThemeMarked is a Conflict: the theme would go and take its marks with it. Clear them first.
	ErrThemeMarked = errs.New(errs.Conflict, "interviews.theme_marked")
)

// Mark says what an informant made of a theme.
type Mark string

const (
	None      Mark = ""  // did not mention it
	Mentioned Mark = "x" // mentioned it as such
	Disagreed Mark = "o" // mentioned it, and disagreed
)

// Theme is one thing that a study looks for in its interviews.
type Theme struct {
	Key      string // lower-case letters, digits and underscores; marks and survey questions hang on it
	Category string // of the same shape: driver, barrier, arena, or what a study calls its own
	Label    string // the researchers' word
	Position int    // place in the list, from 0; set by SetThemes
}

// Matrix is who mentioned what. A pair without a mark is absent.
type Matrix struct {
	Themes []Theme
	Marks  map[string]map[id.Person]Mark // by the theme's key
}

const (
	mostThemes = 200
	mostLabel  = 200
)

var themeKey = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// SetThemes makes themes the study's whole list, in the order given. A theme is the same one while its key is; leaving
// out one that has marks is ErrThemeMarked. The fields of an Invalid are key_0, category_0, label_0 and so on, and
// themes for the list as such.
func (s *Interviews) SetThemes(ctx context.Context, actor audit.Actor, study id.Study, themes []Theme) error {
	if err := checkThemes(themes); err != nil {
		return err
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		if err := replaceThemes(ctx, tx, study, themes); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "themes.set", Study: study, Detail: strconv.Itoa(len(themes))})
	})
	if err != nil {
		return fmt.Errorf("set themes: %w", err)
	}
	return nil
}

func replaceThemes(ctx context.Context, tx *database.Tx, study id.Study, themes []Theme) error {
	// Touched first, this row makes writers of the list take turns on PostgreSQL: two lists are never mixed.
	if _, err := tx.Exec(ctx, `insert into coding_scheme (study_id, version) values ($1, 1)
		on conflict (study_id) do update set version = coding_scheme.version + 1`, study); err != nil {
		return err
	}
	keep := map[string]bool{}
	for i, t := range themes {
		keep[t.Key] = true
		if _, err := tx.Exec(ctx, `insert into coding_theme (study_id, key, category, label, position) values ($1, $2, $3, $4, $5)
			on conflict (study_id, key) do update set category = excluded.category, label = excluded.label, position = excluded.position`,
			study, t.Key, t.Category, t.Label, i); err != nil {
			return err
		}
	}
	stored, err := listThemes(ctx, tx, study)
	if err != nil {
		return err
	}
	for _, t := range stored {
		if keep[t.Key] {
			continue
		}
		_, err := tx.Exec(ctx, "delete from coding_theme where study_id = $1 and key = $2", study, t.Key)
		if errors.Is(err, database.ErrReferenced) {
			return ErrThemeMarked
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkThemes(themes []Theme) error {
	var c errs.Check
	if len(themes) > mostThemes {
		c.Add("themes", "interviews.too_many")
	}
	seen := map[string]bool{}
	for i, t := range themes {
		at := "_" + strconv.Itoa(i)
		switch {
		case !themeKey.MatchString(t.Key):
			c.Add("key"+at, "interviews.key")
		case seen[t.Key]:
			c.Add("key"+at, "interviews.taken")
		}
		seen[t.Key] = true
		if !themeKey.MatchString(t.Category) {
			c.Add("category"+at, "interviews.key")
		}
		c.Require("label"+at, t.Label, mostLabel)
	}
	return c.Err()
}

// Themes returns a study's themes in their order.
func (s *Interviews) Themes(ctx context.Context, study id.Study) ([]Theme, error) {
	return listThemes(ctx, s.db, study)
}

func listThemes(ctx context.Context, q database.Querier, study id.Study) ([]Theme, error) {
	return database.All(ctx, q, func(row database.Scanner) (t Theme, err error) {
		err = row.Scan(&t.Key, &t.Category, &t.Label, &t.Position)
		return t, err
	}, "select key, category, label, position from coding_theme where study_id = $1 order by position, key", study)
}

// Mark notes what a person made of one theme; None takes a mark away. A mark on a theme that the study lacks is
// ErrNoTheme; a person who is not in the study a NotFound.
func (s *Interviews) Mark(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, theme string, mark Mark) error {
	return s.MarkAll(ctx, actor, study, person, map[string]Mark{theme: mark})
}

// MarkAll notes what a person made of several themes, by key; themes that are not named stay as they are. The fields of
// an Invalid are the keys with mark_ before them. The gate's Forbidden comes back for somebody who said no, or whose data
// are only kept.
func (s *Interviews) MarkAll(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, marks map[string]Mark) error {
	themes := slices.Sorted(maps.Keys(marks)) // in one order for everybody, so that no two wait for each other
	var c errs.Check
	for _, theme := range themes {
		if mark := marks[theme]; mark != None && mark != Mentioned && mark != Disagreed {
			c.Add("mark_"+theme, "interviews.mark")
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		if err := s.present(ctx, tx, study, person); err != nil {
			return err
		}
		if err := s.gate.MayBeforeYes(ctx, tx, study, person, purpose); err != nil {
			return err
		}
		for _, theme := range themes {
			if err := s.mark(ctx, tx, study, person, theme, marks[theme]); err != nil {
				return err
			}
		}
		// What was marked is a finding and stays out of the log.
		return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "coding.marked", Study: study, Person: person, Detail: strconv.Itoa(len(marks))})
	})
	if err != nil {
		return fmt.Errorf("mark themes: %w", err)
	}
	return nil
}

func (s *Interviews) mark(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, theme string, mark Mark) error {
	if mark == None {
		_, err := tx.Exec(ctx, "delete from coding_mark where study_id = $1 and theme_key = $2 and person_id = $3", study, theme, person)
		return err
	}
	_, err := tx.Exec(ctx, `insert into coding_mark (study_id, theme_key, person_id, mark, marked_at) values ($1, $2, $3, $4, $5)
		on conflict (study_id, theme_key, person_id) do update set mark = excluded.mark, marked_at = excluded.marked_at`,
		study, theme, person, mark, s.now().UnixMilli())
	if errors.Is(err, database.ErrReferenced) {
		return ErrNoTheme
	}
	return err
}

// Matrix returns a study's whole coding matrix.
func (s *Interviews) Matrix(ctx context.Context, study id.Study) (Matrix, error) {
	themes, err := s.Themes(ctx, study)
	if err != nil {
		return Matrix{}, fmt.Errorf("read matrix: %w", err)
	}
	m := Matrix{themes, map[string]map[id.Person]Mark{}}
	err = database.Each(ctx, s.db, func(row database.Scanner) error {
		var theme string
		var person id.Person
		var mark Mark
		if err := row.Scan(&theme, &person, &mark); err != nil {
			return err
		}
		if m.Marks[theme] == nil {
			m.Marks[theme] = map[id.Person]Mark{}
		}
		m.Marks[theme][person] = mark
		return nil
	}, "select theme_key, person_id, mark from coding_mark where study_id = $1", study)
	if err != nil {
		return Matrix{}, fmt.Errorf("read matrix: %w", err)
	}
	return m, nil
}
