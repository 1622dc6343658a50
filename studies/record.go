package studies

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Change is one field of the record as it was and as it became. A text of one language is "field.language".
type Change struct {
	At          int64 // UTC milliseconds
	Actor       audit.Actor
	Field       string
	Was, Became string
}

// Changes lists what was changed in a study's record, newest first.
func (st *Studies) Changes(ctx context.Context, study id.Study) ([]Change, error) {
	changes, err := database.All(ctx, st.db, func(row database.Scanner) (c Change, err error) {
		err = row.Scan(&c.At, &c.Actor, &c.Field, &c.Was, &c.Became)
		return c, err
	}, "select at, actor, field, was, became from study_change where study_id = $1 order by seq desc", study)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	return changes, nil
}

// SetTexts replaces the texts of one language. Those left out, or empty, are said in the starter letter's words again.
// A language that the study has not is ErrUnknown; too long a text is Invalid at its field.
func (st *Studies) SetTexts(ctx context.Context, actor audit.Actor, study id.Study, language string, texts map[string]string) error {
	var check errs.Check
	kept := map[string]string{}
	for field, text := range texts {
		if text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")); text != "" {
			kept[field] = text
		}
		check.AtMost(field, text, mostText)
	}
	if err := check.Err(); err != nil {
		return err
	}
	err := st.db.Tx(ctx, func(tx *database.Tx) error {
		was, err := st.open(ctx, tx, study)
		if err != nil {
			return err
		}
		if !slices.Contains(was.Languages, language) {
			return ErrUnknown
		}
		if _, err := tx.Exec(ctx, "delete from study_text where study_id = $1 and language = $2", study, language); err != nil {
			return err
		}
		changed := false
		before := was.Texts[language]
		for _, field := range slices.Sorted(maps.Keys(joined(before, kept))) {
			if kept[field] != "" {
				if _, err := tx.Exec(ctx, "insert into study_text (study_id, language, field, text) values ($1, $2, $3, $4)",
					study, language, field, kept[field]); err != nil {
					return err
				}
			}
			if before[field] != kept[field] {
				changed = true
				if err := st.keepChange(ctx, tx, actor, study, field+"."+language, before[field], kept[field]); err != nil {
					return err
				}
			}
		}
		if !changed {
			return nil
		}
		return st.note(ctx, tx, actor, "study.texts_changed", study, language)
	})
	if err != nil {
		return fmt.Errorf("set texts: %w", err)
	}
	return nil
}

// open reads a study for a change that waits for others; one that was ended is ErrClosed.
func (st *Studies) open(ctx context.Context, tx *database.Tx, study id.Study) (Study, error) {
	if err := lock(ctx, tx, study); err != nil {
		return Study{}, err
	}
	s, err := scan(tx.QueryRow(ctx, "select "+columns+" from study where id = $1", study))
	if err != nil {
		return s, err
	}
	if s.ClosedAt > 0 {
		return s, ErrClosed
	}
	return s, fill(ctx, tx, map[id.Study]*Study{study: &s}, "= $1", study)
}

// keepChanges notes each column that differs.
func (st *Studies) keepChanges(ctx context.Context, tx *database.Tx, actor audit.Actor, was, became Study) error {
	before, after := was.values(), became.values()
	for i, column := range strings.Split(strings.Join(strings.Fields(columns), ""), ",") {
		if column == "created_at" || column == "closed_at" || before[i] == after[i] {
			continue
		}
		if err := st.keepChange(ctx, tx, actor, was.ID, column, fmt.Sprint(before[i]), fmt.Sprint(after[i])); err != nil {
			return err
		}
	}
	return nil
}

func (st *Studies) keepChange(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, field, was, became string) error {
	_, err := tx.Exec(ctx, `insert into study_change (study_id, seq, at, actor, field, was, became)
		values ($1, (select coalesce(max(seq), 0) + 1 from study_change where study_id = $1), $2, $3, $4, $5, $6)`,
		study, st.now().UnixMilli(), actor, field, was, became)
	return err
}

func joined(one, other map[string]string) map[string]string {
	all := maps.Clone(other)
	maps.Copy(all, one)
	return all
}
