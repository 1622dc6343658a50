package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/tabular"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

const (
	takeIn = "import"
	// atOnce is how many rows are in memory at a time, and how many go into a store in one transaction.
	atOnce = 500
)

var errStopping = errs.New(errs.Unavailable, "store_closed")

// Frame is what a list is read for: the study's candidates, or with a survey those who are asked in it.
func (p *people) Frame(ctx context.Context, study id.Study, survey id.Survey) (imports.Frame, error) {
	f := imports.Frame{Survey: survey != ""}
	found, err := p.Studies.Get(ctx, study)
	if err != nil {
		return f, err
	}
	for _, c := range found.Cases {
		f.Cases = append(f.Cases, imports.CaseOption{ID: c.ID, Code: c.Code, Name: c.Name})
	}
	scheme, err := p.Recruitment.Scheme(ctx, study)
	if err != nil {
		return f, err
	}
	f.SizeOf = func(employees int) string { return string(scheme.SizeOf(employees)) }
	if f.Survey {
		_, err := p.Surveys.Get(ctx, study, survey)
		return f, err
	}
	attributes, err := p.Recruitment.Attributes(ctx, study)
	for _, a := range attributes {
		f.Attributes = append(f.Attributes, imports.Attribute(a))
	}
	return f, err
}

// Upload reads a file and keeps its rows sealed in the vault, until the list is taken in, discarded or a day old. What is
// wrong with the file is an error of tabular, and nothing is kept.
func (p *people) Upload(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, name string, file io.ReaderAt, size int64) (id.Import, error) {
	sheets, err := tabular.Open(file, size)
	if err != nil {
		return "", err
	}
	in := imports.Import{ID: id.New[id.Import](), Study: study, Survey: survey}
	if err := p.Imports.Create(ctx, actor, in); err != nil {
		return "", err
	}
	if err := p.keepList(ctx, actor, in, name, sheets); err != nil {
		return "", errors.Join(err, p.Discard(context.WithoutCancel(ctx), actor, study, in.ID))
	}
	return in.ID, nil
}

func (p *people) keepList(ctx context.Context, actor audit.Actor, in imports.Import, name string, sheets []tabular.Table) error {
	if err := p.Vault.NewDraft(ctx, actor, in.Study, in.ID); err != nil {
		return err
	}
	list, rows := imports.List{Name: name}, 0
	for i, table := range sheets {
		sheet, err := p.keepSheet(ctx, in, i, table)
		if err != nil {
			return err
		}
		list.Sheets = append(list.Sheets, sheet)
		rows += sheet.Rows
	}
	if rows == 0 {
		return tabular.ErrEmpty
	}
	return p.Vault.DescribeDraft(ctx, in.Study, in.ID, list)
}

func (p *people) keepSheet(ctx context.Context, in imports.Import, number int, table tabular.Table) (imports.Sheet, error) {
	sheet := imports.Sheet{Name: table.Name}
	var part []tabular.Row
	parts := 0
	keep := func() error {
		err := p.Vault.PutDraft(ctx, in.Study, in.ID, number, parts, part)
		part, parts = part[:0], parts+1
		return err
	}
	err := table.Rows(func(row tabular.Row) error {
		sheet.Add(row)
		if part = append(part, row); len(part) < atOnce {
			return ctx.Err()
		}
		return keep()
	})
	if err == nil && len(part) > 0 {
		err = keep()
	}
	return sheet, err
}

// List says what is in a list that was handed in. It is full of names, so opening it is logged.
func (p *people) List(ctx context.Context, actor audit.Actor, in imports.Import) (list imports.List, err error) {
	err = p.Vault.OpenDraft(ctx, actor, in.Study, in.ID, &list)
	if errors.Is(err, identities.ErrUnknown) {
		err = imports.ErrUnknown
	}
	return list, err
}

// Discard forgets a list that nobody began to take in.
func (p *people) Discard(ctx context.Context, actor audit.Actor, study id.Study, draft id.Import) error {
	if err := p.Imports.Discard(ctx, actor, study, draft); err != nil {
		return err
	}
	return p.Vault.DropDraft(context.WithoutCancel(ctx), draft)
}

// sweepDrafts forgets lists that are too old.
func (p *people) sweepDrafts(ctx context.Context, now time.Time) error {
	old, err := p.Vault.Drafts(ctx, now)
	for _, draft := range old {
		gone, failed := p.Imports.Expire(ctx, draft)
		if failed == nil && gone {
			failed = p.Vault.DropDraft(ctx, draft)
		}
		err = errors.Join(err, failed)
	}
	return err
}

// mostShown is how many of those who are new the review shows.
const mostShown = 5

// Review says what would become of a list now, row by row. It changes nothing.
func (p *people) Review(ctx context.Context, in imports.Import, visit func(imports.Line) error) (review imports.Review, err error) {
	s, err := p.sift(ctx, in)
	if err != nil {
		return review, err
	}
	err = s.parts(ctx, func(part []sifted) error {
		if err := s.judge(ctx, part); err != nil {
			return err
		}
		for _, one := range part {
			review.Add(one.Line)
			if one.Outcome == imports.Fresh && len(review.First) < mostShown {
				review.First = append(review.First, one.row)
			}
			if err := visit(one.Line); err != nil {
				return err
			}
		}
		return nil
	})
	return review, err
}

// taking are the parameters of an import under way.
type taking struct{ Actor audit.Actor }

// TakeIn begins to take a list in, and goes on with it in the background.
func (p *people) TakeIn(ctx context.Context, actor audit.Actor, study id.Study, draft id.Import) error {
	in, err := p.Imports.Get(ctx, study, draft)
	if err != nil {
		return err
	}
	var intent id.Intent
	err = p.db.Tx(ctx, func(tx *database.Tx) error {
		if err := p.Imports.StartTx(ctx, tx, actor, in); err != nil {
			return err
		}
		intent, err = p.Intents.Begin(ctx, tx, study, id.Person(in.ID), takeIn, taking{actor})
		return err
	})
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	p.works.Go(func() {
		if err := p.Intents.Finish(ctx, intent); err != nil {
			slog.ErrorContext(ctx, "import goes on later", "err", err)
		}
	})
	return nil
}

// sealList is the first step: a key and a sealed identity for everybody who is new, part by part. Nobody sees them yet.
func (p *people) sealList(ctx context.Context, act intents.Intent) error {
	var params taking
	if err := json.Unmarshal(act.Params, &params); err != nil {
		return fmt.Errorf("read import: %w", err)
	}
	in, err := p.Imports.Get(ctx, act.Study, id.Import(act.Person))
	if err != nil || in.State != imports.Running {
		return err
	}
	s, err := p.sift(ctx, in)
	if errors.Is(err, keys.ErrErased) {
		return nil // the list is gone, as in a copy that was put back: the next step says so
	}
	if err != nil {
		return err
	}
	gone := 0
	err = s.parts(ctx, func(part []sifted) error {
		if err := p.Studies.OpenTx(ctx, p.db, act.Study); err != nil {
			return err
		}
		if err := s.judge(ctx, part); err != nil {
			return err
		}
		was := gone
		if gone += len(part); gone <= in.Rows {
			return nil // done before a crash
		}
		counts, err := s.seal(ctx, params.Actor, part)
		if err != nil {
			return err
		}
		crash.Point("import.part")
		return errors.Join(p.Imports.Advance(ctx, in.ID, was, counts), p.Intents.Renew(ctx, act))
	})
	if errors.Is(err, studies.ErrClosed) {
		return nil // the next step undoes it
	}
	return err
}

// seal puts a part's newcomers into the vault.
func (s *sifter) seal(ctx context.Context, actor audit.Actor, part []sifted) (counts imports.Counts, err error) {
	var newcomers []identities.Newcomer
	var persons, others []id.Person
	for _, one := range part {
		counts.Add(one.Line)
		if one.Outcome != imports.Fresh {
			others = append(others, one.person)
			continue
		}
		newcomers = append(newcomers, identities.Newcomer{Person: one.person, Who: one.who})
		persons = append(persons, one.person)
	}
	if err := s.keys.Create(ctx, persons...); err != nil {
		return counts, err
	}
	crash.Point("import.keys")
	if err := s.Vault.Add(ctx, actor, s.in.Study, newcomers); err != nil {
		return counts, err
	}
	// Before a crash these may have been new, and have got keys.
	spare, err := s.keys.Have(ctx, others)
	if err == nil {
		err = s.keys.Destroy(ctx, spare...)
	}
	return counts, err
}

// errEnded undoes the work of one who comes second.
var errEnded = errs.New(errs.Conflict, "imports.started")

// enterList is the second step: everybody whom the first put into the vault enters the study, in one transaction. If that
// can never be, everything is undone.
func (p *people) enterList(ctx context.Context, act intents.Intent) error {
	in, err := p.Imports.Get(ctx, act.Study, id.Import(act.Person))
	if err != nil || in.State == imports.Done {
		return err
	}
	s, err := p.sift(ctx, in)
	switch {
	case err != nil && !permanent(err):
		return err
	case in.State == imports.Failed:
		return s.undo(ctx)
	case err == nil:
		err = s.enter(ctx)
	}
	if permanent(err) {
		return s.giveUp(ctx, err)
	}
	return err
}

// permanent says that trying again does not help.
func permanent(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.NotFound:
		return true
	}
	return false
}

const mostEntries = 5

func (s *sifter) enter(ctx context.Context) error {
	var candidates []recruitment.Participant
	var respondents []surveys.Respondent
	if s.in.Survey != "" {
		respondents = make([]surveys.Respondent, 0, s.in.Taken)
	} else {
		candidates = make([]recruitment.Participant, 0, s.in.Taken)
	}
	err := s.inside(ctx, func(one sifted) {
		if s.in.Survey != "" {
			respondents = append(respondents, s.respondent(one))
			return
		}
		candidates = append(candidates, s.candidate(one))
	})
	if err != nil {
		return err
	}
	own := slices.ContainsFunc(candidates, func(c recruitment.Participant) bool { return c.Code != "" })
	for range mostEntries {
		err = s.db.Tx(ctx, func(tx *database.Tx) error { return s.enterTx(ctx, tx, candidates, respondents) })
		// A code that the study gives may be taken by a faster colleague, and then the next one does; the list's own may not.
		if own || !errors.Is(err, recruitment.ErrCodeTaken) {
			break
		}
		for i := range candidates {
			candidates[i].Code = ""
		}
	}
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

func (s *sifter) enterTx(ctx context.Context, tx *database.Tx, candidates []recruitment.Participant, respondents []surveys.Respondent) (err error) {
	if err := s.Studies.OpenTx(ctx, tx, s.in.Study); err != nil {
		return err
	}
	if s.in.Survey != "" {
		err = s.Surveys.InsertAllTx(ctx, tx, s.in.Study, s.in.Survey, respondents)
	} else {
		err = s.Recruitment.InsertAllTx(ctx, tx, s.in.Study, candidates, s.caseCodes())
	}
	if err != nil {
		return err
	}
	ended, err := s.Imports.EndTx(ctx, tx, s.in, imports.Done, "")
	if err == nil && !ended {
		err = errEnded
	}
	return err
}

func (s *sifter) caseCodes() map[id.Case]string {
	codes := map[id.Case]string{}
	for _, c := range s.frame.Cases {
		codes[c.ID] = c.Code
	}
	return codes
}

// inside calls visit with everybody whom this import put into the vault.
func (s *sifter) inside(ctx context.Context, visit func(sifted)) error {
	return s.parts(ctx, func(part []sifted) error {
		held, err := s.Vault.Held(ctx, s.in.Study, personsOf(part))
		for _, one := range part {
			if held[one.person] {
				visit(one)
			}
		}
		return err
	})
}

// giveUp says why nobody is taken in, and undoes the first step.
func (s *sifter) giveUp(ctx context.Context, because error) error {
	reason := "internal"
	if e, ok := errors.AsType[*errs.Error](because); ok {
		reason = e.Code
	}
	slog.WarnContext(ctx, "import is undone", "import", s.in.ID, "err", because)
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := s.Imports.EndTx(ctx, tx, s.in, imports.Failed, reason)
		return err
	})
	if err != nil {
		return err
	}
	return s.undo(ctx)
}

// undo takes everybody of the list out of the vault again. Doing it twice is doing it once.
func (s *sifter) undo(ctx context.Context) error {
	return s.parts(ctx, func(part []sifted) error {
		persons := personsOf(part)
		keyed, err := s.keys.Have(ctx, persons)
		if err != nil {
			return err
		}
		if err := s.keys.Destroy(ctx, keyed...); err != nil {
			return err
		}
		return s.Vault.Erase(ctx, persons...)
	})
}

// dropList is the last step: the list itself goes.
func (p *people) dropList(ctx context.Context, act intents.Intent) error {
	return p.Vault.DropDraft(ctx, id.Import(act.Person))
}
