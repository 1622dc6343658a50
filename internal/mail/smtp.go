package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// TLS is how a connection to the mail server is protected.
type TLS string

const (
	StartTLS TLS = "starttls" // demanded, never skipped
	Implicit TLS = "tls"
	NoTLS    TLS = "none" // on loopback only
)

// Config says how to reach the mail server.
type Config struct {
	Host     string
	Port     int
	User     string // empty: no sign-in
	Password string
	Hello    string // the name to greet the server with; empty: localhost
	TLS      TLS
	Roots    *x509.CertPool // nil: the system's
}

// SMTP hands messages to a mail server, over one connection for as long as there are some.
type SMTP struct {
	client *gomail.Client
	dialed net.Conn // the latest connection, so that one that fails to open is closed
	open   *smtp.Client
}

// smtpTimeout is for opening a connection, and again for each message.
const smtpTimeout = 30 * time.Second

// NewSMTP checks a configuration. It does not connect.
func NewSMTP(c Config) (*SMTP, error) {
	if c.Host == "" || c.Port < 1 || c.Port > 65535 {
		return nil, errors.New("mail server: host and port are needed")
	}
	s := &SMTP{}
	tlsConfig := &tls.Config{ServerName: c.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	policy := gomail.TLSMandatory
	switch c.TLS {
	case StartTLS:
	case Implicit:
		// The connection that dial returns speaks TLS already; the client sees it and starts none.
		policy = gomail.TLSOpportunistic
	case NoTLS:
		if !loopback(c.Host) {
			return nil, fmt.Errorf("mail server %s: without TLS only loopback is allowed", c.Host)
		}
		policy = gomail.NoTLS
	default:
		return nil, fmt.Errorf("mail server: TLS is %q: want starttls, tls or none", c.TLS)
	}
	options := []gomail.Option{
		gomail.WithPort(c.Port), gomail.WithTimeout(smtpTimeout), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(tlsConfig),
		gomail.WithHELO(cmp.Or(c.Hello, "localhost")), // not the machine's own name, which is nobody's business
		gomail.WithoutNoop(),                          // connect asks already
		gomail.WithDialContextFunc(s.dial(c.TLS == Implicit, tlsConfig)),
	}
	if c.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(c.User), gomail.WithPassword(c.Password))
	}
	client, err := gomail.NewClient(c.Host, options...)
	s.client = client
	return s, err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *SMTP) dial(implicit bool, config *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		if implicit {
			conn, err = (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
		} else {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
		s.dialed = conn
		return conn, err
	}
}

// Name is for operators.
func (s *SMTP) Name() string { return "smtp" }

// Close says goodbye to the server.
func (s *SMTP) Close() error {
	if s.open == nil {
		return nil
	}
	err := s.client.CloseWithSMTPClient(s.open)
	s.hangUp()
	return err
}

// Send hands one message over.
func (s *SMTP) Send(ctx context.Context, m Message, messageID string) error {
	message, err := compose(m, messageID)
	if err != nil {
		return err
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	err = s.client.SendWithSMTPClient(s.open, message)
	if err == nil {
		return nil
	}
	s.hangUp()
	if message.IsDelivered() {
		return nil // the server has taken it; only the tidying up after it failed
	}
	return sendFailure(err)
}

// connect opens a connection where there is none that answers. A server may end one that rests.
func (s *SMTP) connect(ctx context.Context) error {
	if s.open != nil {
		if s.open.UpdateDeadline(smtpTimeout) == nil && s.open.Noop() == nil {
			return nil
		}
		s.hangUp()
	}
	opened, err := s.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		s.hangUp()
		return dialFailure(err)
	}
	s.open = opened
	return nil
}

func (s *SMTP) hangUp() {
	if s.dialed != nil {
		s.dialed.Close() // whatever it says, the connection is of no more use
	}
	s.dialed, s.open = nil, nil
}

// dialFailure gives a code to why no connection came about. All of them are outages: the configuration or the server
// has to be mended, and no mail is to blame.
func dialFailure(err error) error {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		if reply.Code >= 500 {
			return &Failure{Outage, "sign_in", reply.Code, err}
		}
		return &Failure{Outage, "unreachable", reply.Code, err}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &Failure{Outage, "certificate", 0, err}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return &Failure{Outage, "unreachable", 0, err}
	}
	return &Failure{Outage, "setup", 0, err}
}

const serviceNotAvailable = 421 // RFC 5321 §4.2.3: the server is closing, whatever the message

// sendFailure gives a code to why a message was not taken.
func sendFailure(err error) error {
	refused, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return &Failure{Extent: Later, Code: "transport"}
	}
	status := refused.ErrorCode()
	switch {
	case status == serviceNotAvailable:
		return &Failure{Extent: Outage, Code: "unreachable", Status: status}
	case status >= 500 && refused.Reason == gomail.ErrSMTPMailFrom:
		return &Failure{Extent: Outage, Code: "sender_refused", Status: status}
	case status >= 500 && refused.Reason == gomail.ErrSMTPRcptTo:
		return &Failure{Extent: Never, Code: "recipient_refused", Status: status}
	case status >= 500:
		return &Failure{Extent: Never, Code: "refused", Status: status}
	case status >= 400:
		return &Failure{Extent: Later, Code: "later", Status: status}
	}
	return &Failure{Extent: Later, Code: "interrupted"}
}
