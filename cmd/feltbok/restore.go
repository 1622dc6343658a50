package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"

	"filippo.io/age"
)

// opener is what opens archives.
type opener struct {
	Identity       string `type:"path" help:"File with the private key that opens the archives." placeholder:"FILE"`
	PassphraseFile string `type:"path" help:"File with the passphrase, if they were made with one." placeholder:"FILE"`
}

func (o opener) identities() ([]age.Identity, error) {
	return backup.Identities(o.Identity, o.PassphraseFile)
}

// reading opens the archive at path for as long as do takes.
func reading(path string, with []age.Identity, do func(*backup.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := backup.Open(file, with...)
	if err == nil {
		err = do(r)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

type restoreCommand struct {
	storage
	opener
	From      string `arg:"" type:"path" help:"Archive of data, or a folder with such: then the newest."`
	Keys      string `required:"" env:"-" type:"path" help:"Archive of keys, or a folder with such: then the newest. Always take the newest there is." placeholder:"PATH"`
	OlderKeys bool   `help:"Take keys that are older than the data, where no newer are left."`
	with      []age.Identity
}

// Run makes an installation of an archive of data and the newest archive of keys. Until everything is there, checked, and
// everybody forgotten who must be, no command opens it.
func (c *restoreCommand) Run(ctx context.Context, std stdio) (err error) {
	master, err := c.gather()
	if err != nil {
		return err
	}
	folder, err := database.LockFolder(c.Data)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := c.refuseFull(ctx); err != nil {
		return err
	}
	data, err := c.examine(master)
	if err != nil {
		return err
	}
	if err := c.restore(ctx, data, master, std); err != nil {
		return errors.Join(err, c.clear(context.WithoutCancel(ctx)))
	}
	fmt.Fprintf(std.out, "Restored as of %s. No mail goes out before an owner of each study has said on its mail page what becomes of the queue.\n",
		time.UnixMilli(data.MadeAt).UTC().Format(moment))
	return nil
}

// gather completes the settings and finds everything that a restore takes.
func (c *restoreCommand) gather() (master keys.Master, err error) {
	if err := c.storage.check(); err != nil {
		return master, err
	}
	if c.with, err = c.identities(); err != nil {
		return master, err
	}
	if c.From, err = backup.Newest(backup.Data, c.From); err != nil {
		return master, err
	}
	if c.Keys, err = backup.Newest(backup.Keys, c.Keys); err != nil {
		return master, err
	}
	return c.masterAtHand()
}

const moment = "2006-01-02 15:04:05 UTC"

// masterAtHand reads the master key and never makes one.
func (s *storage) masterAtHand() (keys.Master, error) {
	if s.MasterValue != "" {
		return keys.ParseMaster(s.MasterValue)
	}
	master, err := keys.LoadMaster(s.MasterKey)
	if errors.Is(err, keys.ErrNoMaster) {
		return master, fmt.Errorf("the master key is missing: there is no file %s. It is in no backup: put your copy there, or name its place with --master-key (%w)", s.MasterKey, err)
	}
	return master, err
}

func (c *restoreCommand) refuseFull(ctx context.Context) error {
	for _, store := range database.Stores {
		err := database.RefuseFull(ctx, c.dsn(store))
		if errors.Is(err, database.ErrNotEmpty) {
			return fmt.Errorf("the %s at %s is not empty: restore into a new place, and set the old one aside", title(store), c.where(store))
		}
		if err != nil {
			return c.explain(store, err)
		}
	}
	return nil
}

// examine reads both archives to their ends before anything is made of them.
func (c *restoreCommand) examine(master keys.Master) (data backup.Manifest, err error) {
	mark := func(hash string) string { return master.Blind(markUse, hash) }
	data, err = c.examineOne(c.From, backup.Data, mark)
	if err != nil {
		return data, err
	}
	keyed, err := c.examineOne(c.Keys, backup.Keys, mark)
	if err != nil {
		return data, err
	}
	if keyed.MadeAt < data.MadeAt && !c.OlderKeys {
		return data, fmt.Errorf("%s is older than %s: people erased between the two would come back, and those taken in between could not be read. "+
			"Take the newest keys you have; where these are, add --older-keys", c.Keys, c.From)
	}
	return data, nil
}

func (c *restoreCommand) examineOne(path string, kind backup.Kind, mark func(string) string) (m backup.Manifest, err error) {
	err = reading(path, c.with, func(r *backup.Reader) error {
		m = r.Manifest
		if m.Kind != kind {
			return fmt.Errorf("this is an archive of %s, and one of %s is needed here", m.Kind, kind)
		}
		if err := notNewer(m); err != nil {
			return err
		}
		_, err := r.Check(mark)
		return err
	})
	return m, err
}

// notNewer refuses what a newer program made.
func notNewer(m backup.Manifest) error {
	for _, store := range m.Kind.Stores() {
		newest, err := database.Newest(store)
		if err != nil {
			return err
		}
		if m.Versions[store] > newest {
			return backup.ErrNewer
		}
	}
	return nil
}

// restore fills the stores, brings them up to date, settles what they say of each other, and only then takes the marks away.
func (c *restoreCommand) restore(ctx context.Context, data backup.Manifest, master keys.Master, std stdio) error {
	for _, path := range []string{c.Keys, c.From} {
		if err := reading(path, c.with, func(r *backup.Reader) error { return c.fill(ctx, r, master) }); err != nil {
			return err
		}
	}
	if data.Shift != nil {
		if err := (savedClock{*data.Shift}).write(c.Data); err != nil {
			return err
		}
	}
	clock, _, err := loadClock(c.Data)
	if err != nil {
		return err
	}
	a, err := openApp(ctx, options{storage: c.storage, opening: restoring, pages: handlers.Config{Now: clock.now}}, std)
	if err != nil {
		return err
	}
	if err := a.settleRestored(ctx, data, std); err != nil {
		return errors.Join(err, a.close())
	}
	for _, store := range database.Stores {
		if err := a.stores[store].EndRestore(ctx); err != nil {
			return errors.Join(err, a.close())
		}
	}
	return a.close()
}

func (c *restoreCommand) fill(ctx context.Context, r *backup.Reader, master keys.Master) (err error) {
	into := map[database.Store]*database.DB{}
	defer func() {
		for _, db := range into {
			err = errors.Join(err, db.Close())
		}
	}()
	for _, store := range r.Manifest.Kind.Stores() {
		if into[store], err = database.BeginRestore(ctx, c.dsn(store), store, r.Manifest.Versions[store]); err != nil {
			delete(into, store)
			return c.explain(store, err)
		}
	}
	if _, err := r.Load(ctx, into, func(hash string) string { return master.Blind(markUse, hash) }); err != nil {
		return err
	}
	for store, db := range into {
		if err := db.Upgrade(ctx); err != nil {
			return c.explain(store, err)
		}
	}
	return nil
}

// clear takes away what a restore that failed has left.
func (c *restoreCommand) clear(ctx context.Context) (err error) {
	for _, store := range database.Stores {
		err = errors.Join(err, database.ClearRestore(ctx, c.dsn(store)))
	}
	return err
}

// settleRestored makes one whole of stores that were read at different moments, and of a copy that does not know what was
// done after it. First, that nothing is mailed and nobody signed in.
func (a *app) settleRestored(ctx context.Context, data backup.Manifest, std stdio) error {
	studies, err := a.studyIDs(ctx)
	if err != nil {
		return err
	}
	db := a.stores[database.Study]
	if end, err := audit.PositionIn(ctx, db); err != nil || end.Hash != data.AuditHash {
		return cmp.Or(err, fmt.Errorf("%w (its audit chain ends with another entry)", backup.ErrDamaged))
	}
	if err := db.Tx(ctx, func(tx *database.Tx) error { return a.Outbox.Hold(ctx, tx, data.MadeAt, studies) }); err != nil {
		return err
	}
	if err := a.Auth.EndEverything(ctx); err != nil {
		return err
	}
	if err := a.recover(ctx); err != nil {
		return err
	}
	forgotten, err := a.people.forgetAgain(ctx)
	if err != nil {
		return err
	}
	if err := a.noteRestored(ctx, data, studies); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "erased again %d, lists dropped %d, half-known dropped %d, loose keys destroyed %d, studies ended again %d\n",
		forgotten.erased, forgotten.lists, forgotten.halfKnown, forgotten.looseKeys, forgotten.ended)
	return a.verify(ctx, std)
}

// noteRestored tells each study's log, so that its team and officer read it there.
func (a *app) noteRestored(ctx context.Context, data backup.Manifest, studies []id.Study) error {
	if len(studies) == 0 {
		studies = []id.Study{""}
	}
	entries := make([]audit.Entry, len(studies))
	for i, study := range studies {
		entries[i] = audit.Entry{Actor: audit.System, Action: "backup.restored", Study: study, Detail: data.AuditHash}
	}
	return a.Audit.Record(ctx, entries...)
}

func (a *app) studyIDs(ctx context.Context) ([]id.Study, error) {
	all, err := a.Studies.All(ctx)
	ids := make([]id.Study, len(all))
	for i, study := range all {
		ids[i] = study.ID
	}
	return ids, err
}
