package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// KeysFor is how long an archive of keys is kept: whoever is erased is unreadable in every backup after so long, where a
// backup is made daily. An hour less than the seven days that are promised, so that a daily run that begins a little early
// still counts.
const KeysFor = 7*24*time.Hour - time.Hour

const stamp = "20060102T150405Z"

// Name is the name of an archive.
func Name(kind Kind, at time.Time) string {
	return "feltbok-" + at.UTC().Format(stamp) + "-" + string(kind) + ".age"
}

// timeOf reads when an archive was made from its name; false for a file that is none.
func timeOf(kind Kind, name string) (time.Time, bool) {
	middle, ok := strings.CutPrefix(name, "feltbok-")
	middle, ours := strings.CutSuffix(middle, "-"+string(kind)+".age")
	at, err := time.Parse(stamp, middle)
	return at, ok && ours && err == nil
}

// Find lists the archives of a kind in a folder, the newest first.
func Find(kind Kind, folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		if _, ok := timeOf(kind, entry.Name()); ok && entry.Type().IsRegular() {
			paths = append(paths, filepath.Join(folder, entry.Name()))
		}
	}
	slices.Sort(paths) // as their times
	slices.Reverse(paths)
	return paths, nil
}

// Newest is the archive at a path: that file, or the newest of the kind in that folder.
func Newest(kind Kind, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, err
	}
	found, err := Find(kind, path)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no archive feltbok-…-%s.age in %s", kind, path)
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// Rotate deletes archives of keys that are too old, and returns them; and what a run that was killed has left of one. An old
// key gives back whom it was destroyed for.
func Rotate(folder string, now time.Time) (gone []string, err error) {
	found, err := Find(Keys, folder)
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		if at, _ := timeOf(Keys, filepath.Base(path)); now.Sub(at) < KeysFor {
			continue
		}
		if err := remove(path); err != nil {
			return gone, err
		}
		gone = append(gone, path)
	}
	return gone, removeHalves(folder)
}

// Half begins the name of a file that is not finished yet.
const Half = ".feltbok-"

// halfFor is longer than any run takes.
const halfFor = 24 * time.Hour

// removeHalves deletes what a run that was killed has left: half an archive of keys is old keys all the same. Such a file has
// no time in its name; the file system's clock is the real one.
func removeHalves(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !strings.HasPrefix(entry.Name(), Half) || time.Since(info.ModTime()) < halfFor {
			continue // one that is gone meanwhile was another run's
		}
		if err := remove(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Prune keeps the newest archives of data and deletes the others, and returns them.
func Prune(folder string, keep int) (gone []string, err error) {
	found, err := Find(Data, folder)
	if err != nil || len(found) <= keep {
		return nil, err
	}
	for _, path := range found[keep:] {
		if err := remove(path); err != nil {
			return gone, err
		}
		gone = append(gone, path)
	}
	return gone, nil
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
