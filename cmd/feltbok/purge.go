package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

type purgeCommand struct {
	storage
	Study string `help:"End this study for good." placeholder:"ID"`
	Fate  string `help:"What becomes of the study data: delete or anonymise." enum:"delete,anonymise," default:""`
	Yes   bool   `help:"Needed with --study: this cannot be undone."`
}

// Run finishes what is under way; with --study it ends a study at the operator's hand, and returns when it is erased. It must
// not run beside a server.
func (c *purgeCommand) Run(ctx context.Context, std stdio) error {
	if (c.Study != "") != (c.Fate != "") {
		return errors.New("--study and --fate belong together")
	}
	if c.Study != "" && !c.Yes {
		return errors.New("this ends the study for good, and nothing brings its data back: say --yes as well")
	}
	return c.held(ctx, std, func(a *app) error { return c.purge(ctx, a, std) })
}

func (c *purgeCommand) purge(ctx context.Context, a *app, std stdio) error {
	if err := a.recover(ctx); err != nil {
		return err
	}
	if c.Study != "" {
		intent, err := a.people.beginEnd(ctx, audit.Operator, id.Study(c.Study), studies.Fate(c.Fate), false)
		if err != nil && !errors.Is(err, studies.ErrClosed) {
			return err
		}
		if err == nil {
			err = a.Intents.Finish(ctx, intent)
		} else {
			err = nil // it was ended before, and finished above
		}
		if err != nil {
			return err
		}
	}
	return a.listEnds(ctx, std)
}

// listEnds says of every study until when it lasts and who is still in it.
func (a *app) listEnds(ctx context.Context, std stdio) error {
	all, err := a.Studies.All(ctx)
	if err != nil {
		return err
	}
	for _, one := range all {
		s, err := a.Studies.Get(ctx, one.ID)
		if err != nil {
			return err
		}
		people, _, err := a.Vault.Total(ctx, s.ID)
		if err != nil {
			return err
		}
		state := "open"
		if e, err := a.Studies.Ending(ctx, s.ID); err == nil && e.FinishedAt > 0 {
			state = "ended " + time.UnixMilli(e.FinishedAt).UTC().Format(time.DateOnly) + ", certificate " + e.Hash
		} else if err == nil {
			state = "being ended"
		}
		fmt.Fprintf(std.out, "%s  last day %s  %d in the vault  %s  %s\n", s.ID, s.EndsOn, people, state, s.Title)
	}
	return nil
}
