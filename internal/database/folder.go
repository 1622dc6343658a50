package database

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Folder is a data folder held by this process alone.
type Folder struct {
	Path string
	lock *os.File
}

// ErrInUse is what LockFolder returns where another process holds the folder.
var ErrInUse = errors.New("another feltbok runs on this data folder: stop it first")

// LockFolder makes the folder if need be, readable by its owner only, and holds it until Close. It refuses places where
// SQLite would lose data: network shares, and folders that a cloud service copies while they are written.
func LockFolder(path string) (*Folder, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	if err := CheckFolder(abs); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(abs, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := lockFile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Folder{Path: abs, lock: file}, nil
}

// Close lets the folder go; the operating system does the same when the process ends in any way.
func (f *Folder) Close() error { return f.lock.Close() }

// SyncFolder makes the names in a folder survive a power cut.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // has no such call; NTFS journals names
	}
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// clouds are parts of paths that synchronising programs use by default.
var clouds = []string{"onedrive", "dropbox", "google drive", "googledrive", "icloud", "mobile documents", "cloudstorage",
	"nextcloud", "owncloud", "syncthing", "seafile", "jottacloud", "pcloud", "box sync"}

// CheckFolder refuses a path on a network share or in a synchronised folder, symbolic links followed.
func CheckFolder(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	for _, part := range strings.Split(strings.ToLower(filepath.ToSlash(real)), "/") {
		for _, cloud := range clouds {
			if strings.HasPrefix(part, cloud) {
				return fmt.Errorf("data folder %s lies in a folder that a cloud service copies (%s): choose one on a local disk", path, part)
			}
		}
	}
	kind, err := networkShare(real)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if kind != "" {
		return fmt.Errorf("data folder %s lies on a network share (%s): choose one on a local disk", path, kind)
	}
	return nil
}
