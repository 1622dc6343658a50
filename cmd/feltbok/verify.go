package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

type verifyCommand struct {
	storage
	opener
	Backup string `env:"-" type:"path" help:"Check this archive instead, or the newest in this folder; needs no installation." placeholder:"PATH"`
	Keys   string `env:"-" type:"path" help:"The same for an archive of keys." placeholder:"PATH"`
}

// Run checks what the stores say of each other, the audit chain, every letter's hash and every link, beside a running server;
// or archives, without restoring them.
func (c *verifyCommand) Run(ctx context.Context, std stdio) error {
	if c.Backup != "" || c.Keys != "" {
		return c.archives(std)
	}
	return c.beside(ctx, std, func(a *app) error { return a.verify(ctx, std) })
}

func (c *verifyCommand) archives(std stdio) error {
	with, err := c.identities()
	if err != nil {
		return err
	}
	mark, err := c.ownMark(std)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		kind backup.Kind
		path string
	}{{backup.Data, c.Backup}, {backup.Keys, c.Keys}} {
		if one.path == "" {
			continue
		}
		path, err := backup.Newest(one.kind, one.path)
		if err != nil {
			return err
		}
		if err := reading(path, with, func(r *backup.Reader) error { return report(r, path, mark, std) }); err != nil {
			return err
		}
	}
	return nil
}

// ownMark says by what an archive of one's own is known; without the master key that cannot be asked.
func (c *verifyCommand) ownMark(std stdio) (func(string) string, error) {
	if err := c.completeMaster(); err != nil {
		return nil, err
	}
	master, err := c.masterAtHand()
	if errors.Is(err, keys.ErrNoMaster) {
		fmt.Fprintf(std.err, "There is no master key at %s: whether an archive is this installation's own is not checked.\n", c.MasterKey)
		return nil, nil
	}
	return func(hash string) string { return master.Blind(markUse, hash) }, err
}

// report checks one archive and says what it holds.
func report(r *backup.Reader, path string, mark func(string) string, std stdio) error {
	contents, err := r.Check(mark)
	if err != nil {
		return err
	}
	m := r.Manifest
	fmt.Fprintf(std.out, "%s: whole, of %s, %s", path, time.UnixMilli(m.MadeAt).UTC().Format(moment), amount(contents))
	if m.Kind == backup.Data {
		fmt.Fprintf(std.out, ", audit entry %d %s", m.AuditSeq, m.AuditHash)
	}
	fmt.Fprintln(std.out)
	return nil
}

func (a *app) verify(ctx context.Context, std stdio) error {
	entries, err := a.Audit.Verify(ctx)
	if err != nil {
		return fmt.Errorf("audit chain at entry %d: %w", entries, err)
	}
	letters, err := a.Consents.Verify(ctx)
	if err != nil {
		return err
	}
	keyed, err := a.keys.Persons(ctx)
	if err != nil {
		return err
	}
	identities, err := a.Vault.Persons(ctx)
	if err != nil {
		return err
	}
	drafts, err := a.Vault.Drafts(ctx, time.UnixMilli(math.MaxInt64))
	if err != nil {
		return err
	}
	open, err := a.Intents.Count(ctx)
	if err != nil {
		return err
	}
	links := 0
	if open == 0 { // an erasure under way has destroyed the key and not yet the links
		if links, err = a.Links.Verify(ctx); err != nil {
			return err
		}
	}
	lists := 0 // that have a key: without one a list is about to begin, or to go
	keyed = slices.DeleteFunc(keyed, func(key id.Person) bool {
		list := slices.Contains(drafts, id.Import(key))
		if list {
			lists++
		}
		return list
	})
	fmt.Fprintf(std.out, "audit entries %d, letters %d, links %d, persons with a key %d, persons in the vault %d, lists to be imported %d, acts under way %d\n",
		entries, letters, links, len(keyed), len(identities), lists, open)
	if open == 0 && !slices.Equal(slices.Sorted(slices.Values(keyed)), slices.Sorted(slices.Values(identities))) {
		return errors.New("the stores disagree: every key belongs to a person in the vault, and the other way round")
	}
	return nil
}
