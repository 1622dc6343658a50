package database_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"example.org/feltbok/internal/database"
)

func TestBallastGivesRoomOnce(t *testing.T) {
	folder := t.TempDir()
	b := database.NewBallast(folder)
	there := func() bool {
		info, err := os.Stat(filepath.Join(folder, "ballast"))
		return err == nil && info.Size() > 1<<20
	}
	if err := b.Fill(); err != nil || !there() {
		t.Fatalf("no ballast (%v)", err)
	}
	boom := errors.New("boom")
	if err := b.Through(func() error { return boom }); !errors.Is(err, boom) || !there() {
		t.Errorf("another failure came back as %v, ballast there: %t", err, there())
	}
	tries := 0
	full := func() error {
		if tries++; there() {
			return fmt.Errorf("write: %w", database.ErrFull)
		}
		return nil
	}
	if err := b.Through(full); err != nil || tries != 2 {
		t.Errorf("%d tries, %v", tries, err)
	}
	if err := b.Through(func() error { tries++; return database.ErrFull }); !errors.Is(err, database.ErrFull) || tries != 3 {
		t.Errorf("without ballast: %d tries, %v", tries, err)
	}
	if err := b.Fill(); err != nil || !there() {
		t.Errorf("the ballast is not put back (%v)", err)
	}
	var none *database.Ballast
	if err := none.Through(func() error { return database.ErrFull }); !errors.Is(err, database.ErrFull) || none.Fill() != nil {
		t.Errorf("no ballast: %v", err)
	}
}
