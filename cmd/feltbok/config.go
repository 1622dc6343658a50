package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
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
		if m.MailFrom != "" || m.SMTPUser != "" || m.SMTPPassword != "" {
			return nil, errors.New("mail is half configured: --smtp-host is missing")
		}
		return nil, nil
	}
	if m.MailFrom == "" {
		return nil, errors.New("mail is half configured: --mail-from is missing")
	}
	if sender, err := netmail.ParseAddress(m.MailFrom); err != nil || sender.Address != m.MailFrom {
		return nil, fmt.Errorf("--mail-from %s: want an address alone, such as felt@example.org", m.MailFrom)
	}
	if (m.SMTPUser == "") != (m.SMTPPassword == "") {
		return nil, errors.New("mail is half configured: --smtp-user and --smtp-password belong together")
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
	if a.BaseURL, err = checkBase(a.BaseURL); err != nil {
		return err
	}
	if a.secure() && !strings.HasPrefix(a.BaseURL, "https:") {
		return fmt.Errorf("--base-url %s: want https, as the service is reached over TLS", a.BaseURL)
	}
	return nil
}

// checkBase returns the address that people type without a slash at the end. The pages' own addresses begin at the root
// of a host, so it has no path.
func checkBase(text string) (string, error) {
	base, err := url.Parse(text)
	if err != nil || base.Hostname() == "" || base.User != nil || base.Scheme != "http" && base.Scheme != "https" {
		return "", fmt.Errorf("--base-url %s: want an address such as https://felt.example.org", text)
	}
	if strings.Trim(base.Path, "/") != "" || base.RawQuery != "" || base.Fragment != "" {
		return "", fmt.Errorf("--base-url %s: want the root of a host, without a path, such as %s://%s", text, base.Scheme, base.Host)
	}
	return base.Scheme + "://" + base.Host, nil
}

func (a *address) secure() bool { return a.TLSCert != "" || len(a.Proxy) > 0 }

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
