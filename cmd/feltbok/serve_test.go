package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// certificate makes a certificate of no worth and returns its two files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// lines is a writer for several goroutines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Whoever knocks without speaking TLS is noted, and not with their address.
func TestTheServersLogHoldsNoAddress(t *testing.T) {
	said := &lines{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(said, nil)))
	defer slog.SetDefault(before)
	var at address
	at.TLSCert, at.TLSKey = certificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- listen(ctx, listener, http.NotFoundHandler(), at) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "this is not TLS\n\n"); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, conn) // until the server gives up
	conn.Close()
	for range 200 {
		if strings.Contains(said.String(), "handshake") {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if text := said.String(); !strings.Contains(text, "TLS handshake error from (address)") || strings.Contains(text, "127.0.0.1") {
		t.Errorf("the log says %q", text)
	}
}

func TestAddressesLeaveTheText(t *testing.T) {
	for text, want := range map[string]string{
		"http: TLS handshake error from 192.0.2.7:5123: EOF":                                "http: TLS handshake error from (address): EOF",
		"http: TLS handshake error from [2001:db8::7]:5123: EOF":                            "http: TLS handshake error from (address): EOF",
		"http: TLS handshake error from [fe80::1%eth0]:5123: EOF":                           "http: TLS handshake error from (address): EOF",
		"read tcp 198.51.100.1:443->192.0.2.7:5123: read: connection reset by peer":         "read tcp (address)->(address): read: connection reset by peer",
		"http: panic serving 2001:db8::7: boom at server.go:1947 +0xbe":                     "http: panic serving (address): boom at server.go:1947 +0xbe",
		"tls: client offered only unsupported versions: [302 301], at 10:30:00, go1.26.1":   "tls: client offered only unsupported versions: [302 301], at 10:30:00, go1.26.1",
		"http: Accept error: accept tcp [::]:8080: too many open files; retrying in 1.28s":  "http: Accept error: accept tcp (address): too many open files; retrying in 1.28s",
		"http2: server connection error from 192.0.2.7:5123: connection error: PROTOCOL_ER": "http2: server connection error from (address): connection error: PROTOCOL_ER",
	} {
		if got := withoutAddresses(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// Ctrl-C lets a request under way come to its end, and takes no new ones.
func TestStoppingDrains(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	began := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		if err := r.Context().Err(); err != nil {
			t.Errorf("the request was cut off: %v", err)
		}
		io.WriteString(w, "all of it")
	})
	done := make(chan error, 1)
	go func() { done <- listen(ctx, listener, slow, address{}) }()
	answer := make(chan string, 1)
	go func() { answer <- get(t, "http://"+listener.Addr().String()) }()
	<-began
	stop()
	if got := <-answer; got != "all of it" {
		t.Errorf("the request got %q", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		conn.Close()
		t.Error("somebody still listens")
	}
}
