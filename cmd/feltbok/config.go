package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/mail"
)

type stdio struct{ out, err io.Writer }

// storage says where the stores and the master key are. Every command that touches data has these flags.
type storage struct {
	Data        string `help:"Folder for the stores." placeholder:"DIR"`
	StudyDSN    string `name:"study-dsn" help:"PostgreSQL address of the study store, instead of a file." placeholder:"postgres://…"`
	IdentityDSN string `name:"identity-dsn" help:"PostgreSQL address of the identity store." placeholder:"postgres://…"`
	KeysDSN     string `name:"keys-dsn" help:"PostgreSQL address of the key store." placeholder:"postgres://…"`
	MasterKey   string `help:"File with the master key, outside the data folder; made on first start." type:"path" placeholder:"FILE"`
	MasterValue string `hidden:"" env:"FELTBOK_MASTER_KEY_VALUE" name:"master-key-value"`
}

func (s *storage) dsn(store database.Store) string {
	own := map[database.Store]string{database.Study: s.StudyDSN, database.Identity: s.IdentityDSN, database.Keys: s.KeysDSN}[store]
	if own != "" {
		return own
	}
	return filepath.Join(s.Data, string(store)+".db")
}

// check completes the settings or says what is missing.
func (s *storage) check() error {
	if s.Data == "" {
		return errors.New("no data folder: give --data DIR or set FELTBOK_DATA")
	}
	abs, err := filepath.Abs(s.Data)
	if err != nil {
		return err
	}
	s.Data = abs
	for _, store := range database.Stores {
		if dsn := s.dsn(store); strings.Contains(dsn, "://") && !database.IsPostgres(dsn) {
			return fmt.Errorf("--%s-dsn must start with postgres://", store)
		}
	}
	if s.MasterKey == "" && s.MasterValue == "" {
		folder, err := os.UserConfigDir()
		if err != nil {
			return fmt.Errorf("no place for the master key: give --master-key FILE: %w", err)
		}
		s.MasterKey = filepath.Join(folder, "feltbok", "master.key")
	}
	if inside(s.Data, s.MasterKey) {
		return fmt.Errorf("the master key %s lies in the data folder: keep it elsewhere, or a stolen backup opens itself", s.MasterKey)
	}
	return nil
}

func inside(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return path != "" && err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// master reads the master key, or makes it and says where it is.
func (s *storage) master(std stdio) (keys.Master, error) {
	if s.MasterValue != "" {
		return keys.ParseMaster(s.MasterValue)
	}
	master, made, err := keys.LoadMaster(s.MasterKey)
	if made {
		fmt.Fprintf(std.err, "Made the master key: %s\nKeep a copy apart from the data. Without it no name, note or transcript can be read again.\n", s.MasterKey)
	}
	return master, err
}

// mailSettings are how mail leaves. Without a host it waits in the outbox, and the pages say so.
type mailSettings struct {
	SMTPHost     string `name:"smtp-host" help:"Mail server." placeholder:"HOST"`
	SMTPPort     int    `name:"smtp-port" help:"Its port." default:"587"`
	SMTPUser     string `name:"smtp-user" help:"User, if the server wants one."`
	SMTPPassword string `name:"smtp-password" help:"Password; better in FELTBOK_SMTP_PASSWORD than on the command line."`
	SMTPTLS      string `name:"smtp-tls" help:"starttls, tls, or none (on this machine only)." enum:"starttls,tls,none" default:"starttls"`
	MailFrom     string `help:"Sender's address." placeholder:"ADDRESS"`
}

func (m *mailSettings) transport() (mail.Transport, error) {
	if m.SMTPHost == "" {
		if m.MailFrom != "" || m.SMTPUser != "" {
			return nil, errors.New("mail is half configured: --smtp-host is missing")
		}
		return nil, nil
	}
	if m.MailFrom == "" {
		return nil, errors.New("mail is half configured: --mail-from is missing")
	}
	return mail.NewSMTP(mail.Config{Host: m.SMTPHost, Port: m.SMTPPort, User: m.SMTPUser, Password: m.SMTPPassword, TLS: mail.TLS(m.SMTPTLS)})
}

// address says where the service listens and what it is called from outside.
type address struct {
	Addr    string   `help:"Address to listen on." default:"127.0.0.1:8080"`
	BaseURL string   `name:"base-url" help:"What people type, such as https://felt.example.org." placeholder:"URL"`
	TLSCert string   `name:"tls-cert" help:"Certificate file." type:"path"`
	TLSKey  string   `name:"tls-key" help:"Its key file." type:"path"`
	Proxy   []string `help:"Addresses of the proxy that ends TLS in front of this service." placeholder:"ADDRESS"`
}

// check refuses to serve in the clear to anybody but this machine.
func (a *address) check() error {
	host, _, err := net.SplitHostPort(a.Addr)
	if err != nil {
		return fmt.Errorf("--addr %s: %w", a.Addr, err)
	}
	if (a.TLSCert == "") != (a.TLSKey == "") {
		return errors.New("TLS is half configured: --tls-cert and --tls-key belong together")
	}
	for _, proxy := range a.Proxy {
		_, cidr := netip.ParsePrefix(proxy)
		_, single := netip.ParseAddr(proxy)
		if cidr != nil && single != nil {
			return fmt.Errorf("--proxy %s: want an address or a range such as 10.0.0.0/8", proxy)
		}
	}
	if !a.secure() && !loopback(host) {
		return fmt.Errorf("--addr %s is open to others: give --tls-cert and --tls-key, or --proxy with the address of the proxy that ends TLS", a.Addr)
	}
	if a.BaseURL == "" {
		if a.secure() {
			return errors.New("--base-url is missing: links in mails need it")
		}
		return nil
	}
	base, err := url.Parse(a.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return fmt.Errorf("--base-url %s: want an address such as https://felt.example.org", a.BaseURL)
	}
	if a.secure() && base.Scheme != "https" {
		return fmt.Errorf("--base-url %s: want https, as the service is reached over TLS", a.BaseURL)
	}
	a.BaseURL = strings.TrimSuffix(a.BaseURL, "/")
	return nil
}

func (a *address) secure() bool { return a.TLSCert != "" || len(a.Proxy) > 0 }

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
