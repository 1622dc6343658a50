package keys

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"example.org/feltbok/internal/database"
)

// Master is the installation's key. It wraps every data key and is never stored in a database.
type Master [32]byte

// ParseMaster reads the 44 base64 characters of a master key; lines starting with # are comments.
func ParseMaster(text string) (Master, error) {
	var m Master
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != len(m) {
			return m, errors.New("a master key is 32 bytes in base64")
		}
		return Master(raw), nil
	}
	return m, errors.New("no master key in it")
}

// ErrNoMaster is what LoadMaster returns where there is no file.
var ErrNoMaster = errors.New("there is no master key")

// LoadMaster reads the master key at path; where there is none, ErrNoMaster.
func LoadMaster(path string) (m Master, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, ErrNoMaster
	}
	if err != nil {
		return m, fmt.Errorf("read master key: %w", err)
	}
	if m, err = ParseMaster(string(text)); err != nil {
		return m, fmt.Errorf("master key %s: %w", path, err)
	}
	return m, nil
}

const masterNote = "# Feltbok master key. Without it no name, note or transcript can be read again. Keep a copy apart from\n" +
	"# the data folder and its backups.\n"

// MakeMaster makes a master key at path, readable by its owner only. It never replaces one.
func MakeMaster(path string) (m Master, err error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return m, fmt.Errorf("make folder for master key: %w", err)
	}
	rand.Read(m[:])
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return m, fmt.Errorf("make master key: %w", err)
	}
	_, err = file.WriteString(masterNote + base64.StdEncoding.EncodeToString(m[:]) + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		// Half a key would be taken for a damaged one at the next start; nothing is sealed with it yet.
		return m, errors.Join(fmt.Errorf("write master key: %w", err), os.Remove(path))
	}
	return m, database.SyncFolder(folder) // a database that outlives its key is lost
}
