package main

import (
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/keys"
)

// archives checks archives without restoring them.
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
