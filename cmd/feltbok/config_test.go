package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
)

// A link with an innocent name does not hide that the key lies among the data.
func TestTheMasterKeyLiesOutsideThroughLinksToo(t *testing.T) {
	root := t.TempDir()
	data, link := filepath.Join(root, "data"), filepath.Join(root, "elsewhere")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(data, link); err != nil {
		t.Skip(err)
	}
	for _, s := range []storage{{Data: data, MasterKey: filepath.Join(link, "new", "master.key")}, {Data: link, MasterKey: filepath.Join(data, "master.key")},
		{Data: filepath.Join(link, "new"), MasterKey: filepath.Join(data, "new", "master.key")}} {
		if err := s.check(); err == nil || !strings.Contains(err.Error(), "keep it elsewhere") {
			t.Errorf("data %s, key %s: %v", s.Data, s.MasterKey, err)
		}
	}
	apart := storage{Data: link, MasterKey: filepath.Join(root, "master.key")}
	if err := apart.check(); err != nil {
		t.Error(err)
	}
}

func TestUsersLinkHasOneSlash(t *testing.T) {
	p := newPlace(t, func(database.Store) string { return "" })
	p.must("migrate")
	if out := p.must("user", "--base-url", "https://felt.example.org/"); !strings.Contains(out, "https://felt.example.org/setup/") {
		t.Errorf("the link is %q", out)
	}
	p.refused([]string{"user", "--base-url", "felt.example.org"}, "want an address")
}

func TestServeRefusesHalfAConfiguration(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	key := filepath.Join(t.TempDir(), "master.key")
	base := []string{"serve", "--data", data, "--master-key", key}
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no data folder", []string{"serve"}, "--data"},
		{"master key among the data", []string{"serve", "--data", data, "--master-key", filepath.Join(data, "master.key")}, "keep it elsewhere"},
		{"open to others in the clear", append(base, "--addr", "0.0.0.0:0"), "--tls-cert"},
		{"certificate without key", append(base, "--tls-cert", "cert.pem"), "belong together"},
		{"proxy without a name", append(base, "--addr", "0.0.0.0:0", "--proxy", "10.0.0.1"), "--base-url"},
		{"proxy that is no address", append(base, "--proxy", "nginx"), "want an address"},
		{"name in the clear behind TLS", append(base, "--proxy", "10.0.0.1", "--base-url", "http://felt.example.org"), "https"},
		{"sender without a server", append(base, "--mail-from", "felt@example.org"), "--smtp-host"},
		{"server without a sender", append(base, "--smtp-host", "mail.example.org"), "--mail-from"},
		{"sender that is no address", append(base, "--smtp-host", "mail.example.org", "--mail-from", "felt at example.org"), "want an address"},
		{"sender with a name", append(base, "--smtp-host", "mail.example.org", "--mail-from", "Felt <felt@example.org>"), "want an address"},
		{"password without a server", append(base, "--smtp-password", "secret"), "--smtp-host"},
		{"user without a password", append(base, "--smtp-host", "mail.example.org", "--mail-from", "f@example.org", "--smtp-user", "f"), "belong together"},
		{"name with a path", append(base, "--base-url", "http://felt.example.org/felt"), "without a path"},
		{"two stores in one schema", append(base, "--study-dsn", "postgres://a@db/felt?search_path=x", "--keys-dsn", "postgresql://a@db:5432/felt?search_path=x"), "of its own"},
		{"two stores in one file", append(base, "--study-dsn", filepath.Join(data, "keys.db")), "of its own"},
		{"unknown database", append(base, "--study-dsn", "mysql://db/felt"), "postgres://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := run(t.Context(), tc.args, stdio{io.Discard, io.Discard})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that names %q", err, tc.want)
			}
		})
	}
}
