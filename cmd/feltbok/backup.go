package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/database"

	"filippo.io/age"
)

type backupCommand struct {
	storage
	Dir            string   `arg:"" optional:"" type:"path" help:"Folder for archives of the study and the identity store."`
	Keys           string   `type:"path" help:"Folder for archives of the key store, in another place; those older than seven days are deleted there." placeholder:"DIR"`
	Recipient      []string `help:"Public key to encrypt for, age1…; may be given several times." placeholder:"KEY"`
	RecipientsFile string   `type:"path" help:"File of public keys, one a line." placeholder:"FILE"`
	PassphraseFile string   `type:"path" help:"File with a passphrase, instead of keys." placeholder:"FILE"`
	Keep           int      `help:"How many archives of data to keep; 0 keeps all." placeholder:"N"`
	recipients     []age.Recipient
}

// Run writes archives beside a running server.
func (c *backupCommand) Run(ctx context.Context, std stdio) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	if c.recipients, err = backup.Recipients(c.Recipient, c.RecipientsFile, c.PassphraseFile); err != nil {
		return err
	}
	clock, own, err := loadClock(c.Data)
	if err != nil {
		return err
	}
	m := backup.Manifest{MadeAt: clock.now().UnixMilli()}
	if own {
		shift := clock.saved().ShiftMillis
		m.Shift = &shift
	}
	return c.beside(ctx, std, func(a *app) error { return c.write(ctx, a, m, std) })
}

func (c *backupCommand) check() error {
	if err := c.storage.check(); err != nil {
		return err
	}
	if c.Dir == "" && c.Keys == "" {
		return errors.New("give a folder for the data, --keys with another for the keys, or both")
	}
	if c.Keep < 0 {
		return errors.New("--keep cannot be negative")
	}
	for _, folder := range []string{c.Dir, c.Keys} {
		if folder != "" && inside(resolve(c.Data), resolve(folder)) {
			return fmt.Errorf("%s lies in the data folder: a backup there is lost with what it is a backup of", folder)
		}
	}
	if c.Dir == "" || c.Keys == "" {
		return nil
	}
	if dir, keys := resolve(c.Dir), resolve(c.Keys); inside(dir, keys) || inside(keys, dir) {
		return fmt.Errorf("the keys would lie in %s with the data in %s: keep them apart, for whoever has old keys and old data has those back who were erased since", c.Keys, c.Dir)
	}
	return nil
}

// write makes the archive of data first and that of keys afterwards, so that keys are never older than the data they belong
// to. Within the first, the study store is read before the identity store. So whoever is in the study's state has an identity
// in the later one, and a key in the last, unless they were erased meanwhile: then they have no key, and a restore forgets
// them. And whoever came meanwhile has at most a key and an identity that no study knows, which a restore takes away. Read the
// other way round, somebody could be in the study without a name, and nothing would say why.
func (c *backupCommand) write(ctx context.Context, a *app, m backup.Manifest, std stdio) error {
	if c.Dir != "" {
		if err := c.archive(ctx, a, c.Dir, backup.Data, m, std); err != nil {
			return err
		}
		if err := c.prune(std); err != nil {
			return err
		}
	}
	if c.Keys == "" {
		fmt.Fprintln(std.err, "The keys are in no archive of this run (--keys DIR). Without them no name in this one can be read again.")
		return nil
	}
	m.MadeAt = a.server.Now().UnixMilli()
	if err := c.archive(ctx, a, c.Keys, backup.Keys, m, std); err != nil {
		return err
	}
	return c.rotate(std, m)
}

func (c *backupCommand) archive(ctx context.Context, a *app, folder string, kind backup.Kind, m backup.Manifest, std stdio) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	m.Kind = kind
	snapshots, err := a.snapshots(ctx, kind.Stores())
	defer func() {
		for _, snapshot := range snapshots {
			snapshot.Close()
		}
	}()
	if err != nil {
		return err
	}
	if kind == backup.Data {
		end, err := audit.PositionIn(ctx, snapshots[0])
		if err != nil {
			return err
		}
		m.AuditSeq, m.AuditHash = end.Seq, end.Hash
	}
	path := filepath.Join(folder, backup.Name(kind, time.UnixMilli(m.MadeAt)))
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already", path)
	}
	var contents []backup.Content
	err = writeFile(path, func(w io.Writer) (err error) {
		contents, err = backup.Write(ctx, w, c.recipients, m, a.mark, snapshots...)
		return err
	})
	if err != nil {
		return fmt.Errorf("back up the %s: %w", kind, err)
	}
	fmt.Fprintf(std.out, "%s: %s\n", path, amount(contents))
	return nil
}

// snapshots begins to read several stores one after the other, a moment apart.
func (a *app) snapshots(ctx context.Context, stores []database.Store) (snapshots []*database.Snapshot, err error) {
	for _, store := range stores {
		snapshot, err := a.stores[store].Snapshot(ctx)
		if err != nil {
			return snapshots, err
		}
		snapshots = append(snapshots, snapshot)
	}
	return snapshots, nil
}

// markUse keeps the mark of an archive from passing as any other keyed hash.
const markUse = "backup"

func (a *app) mark(hash string) string { return a.keys.Blind(markUse, hash) }

func amount(contents []backup.Content) string {
	rows := int64(0)
	for _, content := range contents {
		rows += content.Rows
	}
	return fmt.Sprintf("%d rows in %d tables", rows, len(contents))
}

func (c *backupCommand) rotate(std stdio, m backup.Manifest) error {
	gone, err := backup.Rotate(c.Keys, time.UnixMilli(m.MadeAt))
	for _, path := range gone {
		fmt.Fprintf(std.out, "%s: deleted, older than seven days\n", path)
	}
	return err
}

func (c *backupCommand) prune(std stdio) error {
	if c.Keep == 0 {
		return nil
	}
	gone, err := backup.Prune(c.Dir, c.Keep)
	for _, path := range gone {
		fmt.Fprintf(std.out, "%s: deleted, the newest %d are kept\n", path, c.Keep)
	}
	return err
}

type backupKeyCommand struct {
	File string `arg:"" type:"path" help:"File to make; keep it where the server is not."`
}

// Run makes a key that opens archives, for whoever has no age at hand. The server needs its public half alone.
func (c *backupKeyCommand) Run(std stdio) error {
	if _, err := os.Stat(c.File); err == nil {
		return fmt.Errorf("%s is there already: another key would open none of the archives made for it", c.File)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	err = writeFile(c.File, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "# Opens Feltbok's backups. Keep it where the server is not, and a copy of it elsewhere.\n# public key: %s\n%s\n", key.Recipient(), key)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s\n", key.Recipient())
	return nil
}
