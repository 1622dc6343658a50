package database

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// Ballast is room in the data folder that only erasing may use: deleting from a database needs some too, for its log. Without
// it a full disk would keep people's data alive.
type Ballast struct {
	path string
	mu   sync.Mutex
}

// ballastBytes is what erasing one person writes many times over.
const ballastBytes = 8 << 20

// NewBallast returns the ballast of a data folder. A nil one, as where the stores are elsewhere, releases nothing.
func NewBallast(folder string) *Ballast { return &Ballast{path: filepath.Join(folder, "ballast")} }

// Fill puts the ballast in place where it is missing, unless it would take half of what is free.
func (b *Ballast) Fill() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if info, err := os.Stat(b.path); err == nil && info.Size() == ballastBytes {
		return nil
	}
	free, err := freeBytes(filepath.Dir(b.path))
	if err != nil || free < 2*ballastBytes {
		return err
	}
	file, err := os.OpenFile(b.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("make ballast: %w", err)
	}
	// Random, since a file system may store a hole, or what compresses well, as next to nothing.
	_, err = io.CopyN(file, rand.Reader, ballastBytes)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("make ballast: %w", err), os.Remove(b.path))
	}
	return nil
}

// Through does what may use the ballast: where the disk is full, it is released and the deed tried once more.
func (b *Ballast) Through(do func() error) error {
	err := do()
	if b == nil || !errors.Is(err, ErrFull) {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if removed := os.Remove(b.path); errors.Is(removed, fs.ErrNotExist) {
		return err
	} else if removed != nil {
		return errors.Join(err, removed)
	}
	slog.Warn("the disk is full: the room kept for erasing is in use")
	return do()
}
