package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"example.org/feltbok/internal/mail"
)

type stdio struct{ out, err io.Writer }

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
