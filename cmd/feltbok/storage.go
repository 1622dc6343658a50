package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/keys"
)

// storage says where the stores and the master key are. Every command that touches data has these flags.
type storage struct {
	Data        string `help:"Folder for the stores." placeholder:"DIR"`
	StudyDSN    string `name:"study-dsn" help:"PostgreSQL address of the study store, instead of a file." placeholder:"postgres://…"`
	IdentityDSN string `name:"identity-dsn" help:"PostgreSQL address of the identity store." placeholder:"postgres://…"`
	KeysDSN     string `name:"keys-dsn" help:"PostgreSQL address of the key store." placeholder:"postgres://…"`
	MasterKey   string `help:"File with the master key, outside the data folder; made on first start." type:"path" placeholder:"FILE"`
	MasterValue string `hidden:"" env:"FELTBOK_MASTER_KEY_VALUE" name:"master-key-value"`
}

func (s *storage) dsn(store database.Store) string {
	own := map[database.Store]string{database.Study: s.StudyDSN, database.Identity: s.IdentityDSN, database.Keys: s.KeysDSN}[store]
	if own != "" {
		return own
	}
	return filepath.Join(s.Data, string(store)+".db")
}

// inFolder says whether a store is a file in the data folder.
func (s *storage) inFolder() bool {
	return slices.ContainsFunc(database.Stores, func(store database.Store) bool { return !database.IsPostgres(s.dsn(store)) })
}

// check completes the settings or says what is missing.
func (s *storage) check() error {
	if s.Data == "" {
		return errors.New("no data folder: give --data DIR or set FELTBOK_DATA")
	}
	abs, err := filepath.Abs(s.Data)
	if err != nil {
		return err
	}
	s.Data = abs
	for _, store := range database.Stores {
		if dsn := s.dsn(store); strings.Contains(dsn, "://") && !database.IsPostgres(dsn) {
			return fmt.Errorf("--%s-dsn must start with postgres://", store)
		}
	}
	if err := s.completeMaster(); err != nil {
		return err
	}
	if err := s.checkApart(); err != nil {
		return err
	}
	if s.MasterValue == "" && inside(resolve(s.Data), resolve(s.MasterKey)) {
		return fmt.Errorf("the master key %s lies in the data folder: keep it elsewhere, or a stolen backup opens itself", s.MasterKey)
	}
	return nil
}

// completeMaster says where the master key is if nobody else does.
func (s *storage) completeMaster() error {
	if s.MasterKey != "" || s.MasterValue != "" {
		return nil
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return fmt.Errorf("no place for the master key: give --master-key FILE: %w", err)
	}
	s.MasterKey = filepath.Join(folder, "feltbok", "master.key")
	return nil
}

// checkApart refuses two stores in one place: their tables would mix.
func (s *storage) checkApart() error {
	for i, one := range database.Stores {
		for _, other := range database.Stores[:i] {
			if database.SamePlace(s.dsn(one), s.dsn(other)) {
				return fmt.Errorf("the %s and the %s are both at %s: each needs a file, a database or a schema (search_path) of its own",
					title(other), title(one), s.where(one))
			}
		}
	}
	return nil
}

// resolve follows symbolic links as far as the path is there already.
func resolve(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real
	}
	parent := filepath.Dir(path)
	if parent == path {
		return path
	}
	return filepath.Join(resolve(parent), filepath.Base(path))
}

func inside(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return path != "" && err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// title names a store for people.
func title(store database.Store) string {
	if store == database.Keys {
		return "key store"
	}
	return string(store) + " store"
}

// where names a store's place for people: never with a password.
func (s *storage) where(store database.Store) string {
	dsn := s.dsn(store)
	if !database.IsPostgres(dsn) {
		return dsn
	}
	address, err := url.Parse(dsn)
	if err != nil {
		return fmt.Sprintf("the address in --%s-dsn", store)
	}
	place := address.Host + address.Path
	if schema := address.Query().Get("search_path"); schema != "" {
		place += ", schema " + schema
	}
	return "PostgreSQL " + place
}

// whereKey names the master key's place for people.
func (s *storage) whereKey() string {
	if s.MasterValue != "" {
		return "FELTBOK_MASTER_KEY_VALUE"
	}
	return s.MasterKey
}

// opening is how the stores are opened.
type opening int

const (
	alone     opening = iota // what is missing is made, and what is old brought up to date
	beside                   // a server may be running: make nothing, change no tables
	restoring                // they were filled from a backup a moment ago, and nobody else may open them yet
)

// openStores opens all stores, and says whether they are new. Only alone it makes any.
func (s *storage) openStores(ctx context.Context, how opening) (stores map[database.Store]*database.DB, fresh bool, err error) {
	stores = map[database.Store]*database.DB{}
	open := database.OpenBeside
	switch how {
	case restoring:
		open = database.OpenRestoring
	case alone:
		open = database.Open
		if fresh, err = s.fresh(ctx); err != nil {
			return stores, false, err
		}
	}
	for _, store := range database.Stores {
		if stores[store], err = open(ctx, s.dsn(store), store); err != nil {
			delete(stores, store)
			return stores, false, s.explain(store, err)
		}
	}
	return stores, fresh, nil
}

// fresh says that no store was made yet. One that is missing while a later one is there was lost, for they are made in
// a fixed order: an empty one in its place would hide that.
func (s *storage) fresh(ctx context.Context) (bool, error) {
	var missing database.Store
	for _, store := range database.Stores {
		made, err := database.Exists(ctx, s.dsn(store))
		if err != nil {
			return false, s.explain(store, err)
		}
		if made && missing != "" {
			return false, fmt.Errorf("the %s is missing: nothing is at %s, while the %s is at %s. Put it back: an empty one in its place would not fit",
				title(missing), s.where(missing), title(store), s.where(store))
		}
		if !made && missing == "" {
			missing = store
		}
	}
	return missing == database.Stores[0], nil
}

// explain says to an operator why a store does not open.
func (s *storage) explain(store database.Store, err error) error {
	at := s.where(store)
	switch {
	case errors.Is(err, database.ErrNoStore):
		return fmt.Errorf("there is no %s at %s: are --data and the DSNs right? Only serve, migrate and demo make a new installation", title(store), at)
	case errors.Is(err, database.ErrUnfinished):
		return fmt.Errorf("the %s at %s is half of one: a restore was broken off. Run feltbok restore again, with the same places or with new ones; it begins anew", title(store), at)
	case errors.Is(err, database.ErrOlder):
		return fmt.Errorf("the %s at %s is older than this program: stop the server and run feltbok migrate", title(store), at)
	case errors.Is(err, database.ErrNewer):
		return fmt.Errorf("the %s at %s was brought up to date by a newer Feltbok: use that one", title(store), at)
	}
	return fmt.Errorf("%s at %s: %w", title(store), at, err)
}

// openKeys unlocks the key store with the master key.
func (s *storage) openKeys(ctx context.Context, db *database.DB, how opening, now func() time.Time) (*keys.Store, error) {
	master, made, err := s.master(ctx, db, how)
	if err != nil {
		return nil, err
	}
	store, err := keys.New(ctx, db, master, now)
	if errors.Is(err, keys.ErrWrongMaster) {
		err = fmt.Errorf("the master key in %s is not the one that the key store at %s was made with. Put the right one there, or name its place "+
			"with --master-key: no other opens this installation", s.whereKey(), s.where(database.Keys))
		if made { // another replica was first; a key of no use must not be taken for the right one later
			err = errors.Join(err, os.Remove(s.MasterKey))
		}
		return nil, err
	}
	if err != nil {
		return nil, s.explain(database.Keys, err)
	}
	return store, nil
}

// master reads the master key. It makes one only for a key store that never had one: another key opens nothing, and
// would only hide that the right one is lost.
func (s *storage) master(ctx context.Context, db *database.DB, how opening) (master keys.Master, made bool, err error) {
	if s.MasterValue != "" {
		if master, err = keys.ParseMaster(s.MasterValue); err != nil {
			return master, false, fmt.Errorf("FELTBOK_MASTER_KEY_VALUE: %w", err)
		}
		return master, false, nil
	}
	master, err = keys.LoadMaster(s.MasterKey)
	if !errors.Is(err, keys.ErrNoMaster) {
		return master, false, err
	}
	fresh, err := keys.Fresh(ctx, db)
	if err != nil {
		return master, false, s.explain(database.Keys, err)
	}
	if !fresh || how != alone {
		return master, false, fmt.Errorf("the master key is missing: there is no file %s, and the key store at %s was made with one. Put your copy there, "+
			"or name its place with --master-key. Without it no name, note, transcript or participant's link can be read, and no new key can take its place",
			s.MasterKey, s.where(database.Keys))
	}
	master, err = keys.MakeMaster(s.MasterKey)
	return master, err == nil, err
}

// welcome says where a new installation is.
func (s *storage) welcome(std stdio) {
	fmt.Fprintln(std.err, "New installation:")
	for _, store := range []database.Store{database.Study, database.Identity, database.Keys} {
		fmt.Fprintf(std.err, "  %-15s %s\n", title(store), s.where(store))
	}
	fmt.Fprintf(std.err, "  %-15s %s\n", "master key", s.whereKey())
	fmt.Fprintln(std.err, "Keep a copy of the master key apart from the data. Without it no name, note or transcript can be read again.")
}
