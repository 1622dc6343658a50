package consents

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Draft is a letter that is being written.
type Draft struct {
	Audience, Language string
	Basis              string   // the legal basis that the text was written for
	Title, Body        string   // Body in Markdown, with fields in braces
	Told               []string // what it tells in words of its own, without the field
	Removed            []string // what the latest saving took out of Body, such as "<script>"
	SavedAt            int64    // UTC milliseconds; 0 is a starter that nobody has saved
}

const (
	maxTitle = 200
	maxBody  = 20_000
)

// SaveDraft keeps a draft in place of the one before, without the HTML in it: Removed of the stored draft says what that was.
// Published letters do not change.
func (c *Consents) SaveDraft(ctx context.Context, actor audit.Actor, study id.Study, d Draft) error {
	if !known(d.Audience, d.Language, d.Basis) {
		return ErrUnknown
	}
	var check errs.Check
	check.Require("title", d.Title, maxTitle)
	check.Require("body", d.Body, maxBody)
	if len(unknown(d.Title)) > 0 {
		check.Add("title", "letter_field")
	}
	if len(unknown(d.Body)) > 0 {
		check.Add("body", "letter_field")
	}
	if err := check.Err(); err != nil {
		return err
	}
	body, removed := strip(strings.ReplaceAll(d.Body, "\r\n", "\n")) // as browsers send it
	if strings.TrimSpace(body) == "" {
		check.Add("body", "letter_html")
		return check.Err()
	}
	told := slices.DeleteFunc(slices.Clone(d.Told), func(name string) bool { return !isField(name) })
	return c.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, `insert into letter_draft (study_id, audience, language, basis, title, body, saved_at, saved_by, told, removed)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			on conflict (study_id, audience, language) do update set basis = excluded.basis, title = excluded.title,
				body = excluded.body, saved_at = excluded.saved_at, saved_by = excluded.saved_by,
				told = excluded.told, removed = excluded.removed`, study, d.Audience, d.Language, d.Basis, d.Title, body,
			c.now().UnixMilli(), actor, strings.Join(told, " "), strings.Join(removed, "\n")); err != nil {
			return fmt.Errorf("save draft: %w", err)
		}
		return c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "letter.drafted", Study: study, Detail: d.Audience + " " + d.Language})
	})
}

// Drafts returns the draft in each language; where none was saved, the starter for basis.
func (c *Consents) Drafts(ctx context.Context, study id.Study, audience, basis string) (map[string]Draft, error) {
	drafts := map[string]Draft{}
	for _, language := range Languages {
		s, err := starterOf(audience, language, basis, Setting{})
		if err != nil {
			return nil, err
		}
		drafts[language] = Draft{Audience: audience, Language: language, Basis: basis, Title: s.title, Body: s.body}
	}
	err := database.Each(ctx, c.db, func(row database.Scanner) error {
		d := Draft{Audience: audience}
		var told, removed string
		err := row.Scan(&d.Language, &d.Basis, &d.Title, &d.Body, &d.SavedAt, &told, &removed)
		d.Told, d.Removed = strings.Fields(told), strings.FieldsFunc(removed, func(r rune) bool { return r == '\n' })
		drafts[d.Language] = d
		return err
	}, "select language, basis, title, body, saved_at, told, removed from letter_draft where study_id = $1 and audience = $2", study, audience)
	if err != nil {
		return nil, fmt.Errorf("read drafts: %w", err)
	}
	return drafts, nil
}
