package mail

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Folder writes messages as files, for the demo and for trying things out.
type Folder struct {
	dir  string
	next int
}

// NewFolder returns a transport that writes into dir, going on after the files that are there.
func NewFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("mail folder: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "[0-9][0-9][0-9][0-9]*-*.eml"))
	if err != nil {
		return nil, fmt.Errorf("mail folder: %w", err)
	}
	f := &Folder{dir: dir, next: 1}
	for _, file := range files {
		var number int
		if _, err := fmt.Sscanf(filepath.Base(file), "%d-", &number); err == nil {
			f.next = max(f.next, number+1)
		}
	}
	return f, nil
}

// Name is for operators.
func (f *Folder) Name() string { return "folder" }

// Close does nothing.
func (f *Folder) Close() error { return nil }

// Send writes one message, the same bytes that SMTP hands over, into a file named by number and kind.
func (f *Folder) Send(_ context.Context, m Message, messageID string) error {
	message, err := compose(m, messageID)
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if _, err := message.WriteTo(&content); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	// Under its own name only when whole: somebody may be watching the folder.
	path := filepath.Join(f.dir, fmt.Sprintf("%04d-%s.eml", f.next, filepath.Base(m.Kind)))
	if err := os.WriteFile(path+".part", content.Bytes(), 0o600); err != nil {
		return &Failure{Outage, "folder", 0, err}
	}
	if err := os.Rename(path+".part", path); err != nil {
		return &Failure{Outage, "folder", 0, err}
	}
	f.next++
	return nil
}
