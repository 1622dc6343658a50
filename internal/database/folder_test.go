package database_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"example.org/feltbok/internal/database"
)

func TestASecondServerIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	first, err := database.LockFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := database.LockFolder(path); !errors.Is(err, database.ErrInUse) {
		t.Errorf("second lock: %v, want ErrInUse", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder is %v (%v), want 0700", info.Mode().Perm(), err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := database.LockFolder(path)
	if err != nil {
		t.Fatalf("after the first is gone: %v", err)
	}
	again.Close()
}

func TestSynchronisedFoldersAreRefused(t *testing.T) {
	for _, name := range []string{"OneDrive - Universitetet", "Dropbox", "Nextcloud"} {
		root := t.TempDir()
		if _, err := database.LockFolder(filepath.Join(root, name, "feltbok")); err == nil {
			t.Errorf("%s was accepted", name)
		}
		// A link with an innocent name does not help.
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(root, "data")); err != nil {
			t.Fatal(err)
		}
		if _, err := database.LockFolder(filepath.Join(root, "data")); err == nil {
			t.Errorf("%s was accepted through a link", name)
		}
	}
}
