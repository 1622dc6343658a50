package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
)

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
