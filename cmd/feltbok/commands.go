package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// beside opens the installation for a command that may run beside a server, on the folder's own clock.
func (s *storage) beside(ctx context.Context, std stdio, do func(*app) error) error {
	return s.with(ctx, std, beside, do)
}

// held opens the installation alone, for a command that must not run beside a server. It makes what is missing and
// brings tables up to date.
func (s *storage) held(ctx context.Context, std stdio, do func(*app) error) error {
	if err := s.check(); err != nil {
		return err
	}
	folder, err := database.LockFolder(s.Data)
	if err != nil {
		return err
	}
	defer folder.Close()
	return s.with(ctx, std, alone, do)
}

func (s *storage) with(ctx context.Context, std stdio, how opening, do func(*app) error) error {
	if err := s.check(); err != nil {
		return err
	}
	clock, _, err := loadClock(s.Data)
	if err != nil {
		return err
	}
	a, err := openApp(ctx, options{storage: *s, opening: how, pages: handlers.Config{Now: clock.now}}, std)
	if err != nil {
		return err
	}
	return errors.Join(do(a), a.close())
}

type migrateCommand struct{ storage }

// Run brings the tables up to date: opening does that.
func (c *migrateCommand) Run(ctx context.Context, std stdio) error {
	return c.held(ctx, std, func(*app) error {
		fmt.Fprintln(std.out, "The stores are up to date.")
		return nil
	})
}

type exportCommand struct {
	storage
	Study string `help:"The study's identifier, as in its address; not needed where there is only one." placeholder:"ID"`
	Out   string `help:"File to write; .xlsx." required:"" placeholder:"FILE"`
	Lang  string `help:"Language of the headings." enum:"nb,nn,en" default:"nb"`
}

// Run writes a study's workbook beside a running server.
func (c *exportCommand) Run(ctx context.Context, std stdio) error {
	if !strings.EqualFold(filepath.Ext(c.Out), ".xlsx") {
		return fmt.Errorf("--out %s: only .xlsx can be written", c.Out)
	}
	return c.beside(ctx, std, func(a *app) error { return c.write(ctx, a) })
}

func (c *exportCommand) write(ctx context.Context, a *app) error {
	study, err := a.onlyStudy(ctx, id.Study(c.Study))
	if err != nil {
		return err
	}
	return writeFile(c.Out, func(w io.Writer) error { return a.server.ExportWorkbook(ctx, w, study, c.Lang) })
}

// onlyStudy is the study asked for, or the only one there is.
func (a *app) onlyStudy(ctx context.Context, study id.Study) (id.Study, error) {
	if study != "" {
		return study, nil
	}
	all, err := a.Studies.All(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", errors.New("there is no study yet")
	}
	if len(all) == 1 {
		return all[0].ID, nil
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = fmt.Sprintf("  %s  %s", s.ID, s.Title)
	}
	return "", fmt.Errorf("choose with --study one of %d studies:\n%s", len(all), strings.Join(names, "\n"))
}

// writeFile writes a file that only its owner can read, and leaves nothing half-written under its name.
func writeFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), backup.Half+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err = errors.Join(write(file), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	return database.SyncFolder(filepath.Dir(path))
}

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

func (a *app) verify(ctx context.Context, std stdio) error {
	entries, err := a.Audit.Verify(ctx)
	if err != nil {
		return fmt.Errorf("audit chain at entry %d: %w", entries, err)
	}
	letters, err := a.Consents.Verify(ctx)
	if err != nil {
		return err
	}
	keys, err := a.keys.Persons(ctx)
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
	proofs, err := a.Vault.Proofs(ctx)
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
	keys, lists := apart(keys, drafts) // without a key a list is about to begin, or to go
	keys, proven := apart(keys, proofs)
	fmt.Fprintf(std.out, "audit entries %d, letters %d, links %d, persons with a key %d, persons in the vault %d, lists to be imported %d, proofs of consent %d, acts under way %d\n",
		entries, letters, links, len(keys), len(identities), lists, proven, open)
	if open == 0 && !slices.Equal(slices.Sorted(slices.Values(keys)), slices.Sorted(slices.Values(identities))) {
		return errors.New("the stores disagree: every key belongs to a person in the vault, and the other way round")
	}
	return nil
}

// apart takes from the keys those that belong to others than persons, and counts them.
func apart[T ~string](keys []id.Person, others []T) (rest []id.Person, n int) {
	among := make(map[id.Person]bool, len(others))
	for _, other := range others {
		among[id.Person(other)] = true
	}
	rest = slices.DeleteFunc(keys, func(key id.Person) bool { return among[key] })
	return rest, len(keys) - len(rest)
}

type userCommand struct {
	storage
	Email   string `arg:"" optional:"" help:"Account to make a sign-in link for; without it, a set-up link for the first account."`
	BaseURL string `name:"base-url" help:"What people type to reach the service." default:"http://127.0.0.1:8080"`
}

const rescueLifetime = time.Hour

// Run makes a link that works once, for somebody who cannot sign in.
func (c *userCommand) Run(ctx context.Context, std stdio) (err error) {
	if c.BaseURL, err = checkBase(c.BaseURL); err != nil {
		return err
	}
	return c.beside(ctx, std, func(a *app) error { return c.link(ctx, a, std) })
}

func (c *userCommand) link(ctx context.Context, a *app, std stdio) error {
	kind, account, path := auth.Setup, id.Account(""), "/setup/"
	if c.Email != "" {
		found, err := a.Auth.ByEmail(ctx, c.Email)
		if err != nil {
			return err
		}
		kind, account, path = auth.SignIn, found.ID, "/sign-in/"
	}
	token, err := a.Auth.NewLink(ctx, kind, account, rescueLifetime)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Works once, within an hour:\n  %s%s%s\n", c.BaseURL, path, token)
	return nil
}
