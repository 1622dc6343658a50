package mail

import (
	"errors"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

func letter() Message {
	return Message{To: Address{"Kari Prøve", "kari@example.org"}, From: Address{"Feltbok", "feltbok@example.org"},
		Subject: "Spørsmål om et intervju", Text: "Hei.\n", Date: time.Date(2019, 4, 11, 10, 30, 0, 0, time.UTC)}
}

func mustSMTP(t *testing.T, c Config) *SMTP {
	t.Helper()
	s, err := NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.hangUp() })
	return s
}

func TestSMTPSends(t *testing.T) {
	certificate, roots := selfSigned(t)
	for _, tc := range []struct {
		name string
		tls  TLS
		user string
	}{
		{"plain on loopback", NoTLS, ""},
		{"STARTTLS", StartTLS, ""},
		{"STARTTLS and sign-in", StartTLS, "feltbok"},
		{"implicit TLS and sign-in", Implicit, "feltbok"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &server{user: tc.user}
			if tc.tls == NoTLS {
				s.start(t, nil, false)
			} else {
				s.start(t, certificate, tc.tls == Implicit)
			}
			out := mustSMTP(t, Config{Host: s.Host, Port: s.Port, TLS: tc.tls, User: tc.user, Password: password, Roots: roots})
			for range 2 { // the second over the same connection
				if err := out.Send(t.Context(), letter(), "abc@example.org"); err != nil {
					t.Fatal(err)
				}
			}
			if err := out.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			got := s.messages()
			if len(got) != 2 {
				t.Fatalf("the server has %d messages, want 2", len(got))
			}
			m := got[0]
			if m.From != "feltbok@example.org" || m.To != "kari@example.org" || m.id() != "abc@example.org" || m.TLS != (tc.tls != NoTLS) {
				t.Errorf("got %+v", m)
			}
			if date := m.Header.Get("Date"); date != "Thu, 11 Apr 2019 10:30:00 +0000" {
				t.Errorf("Date = %q", date)
			}
		})
	}
}

// The headers by which a mail program takes somebody off the list arrive whole and on one line (RFC 2369, RFC 8058).
func TestSMTPKeepsUnsubscribeHeaders(t *testing.T) {
	s := (&server{}).start(t, nil, false)
	out := mustSMTP(t, Config{Host: s.Host, Port: s.Port, TLS: NoTLS})
	m := letter()
	address := "<https://a-rather-long-name.felt.example.org/u/" + strings.Repeat("aB3-_", 9)[:43] + ">"
	m.Headers = map[string]string{"List-Unsubscribe": address, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
	if err := out.Send(t.Context(), m, "abc@example.org"); err != nil {
		t.Fatal(err)
	}
	for name, want := range m.Headers {
		if got := s.messages()[0].Header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestSMTPWithoutTLSOnlyOnLoopback(t *testing.T) {
	for _, tc := range []struct {
		host string
		tls  TLS
		want bool
	}{
		{"127.0.0.1", NoTLS, true}, {"::1", NoTLS, true}, {"localhost", NoTLS, true},
		{"mail.example.org", NoTLS, false}, {"10.0.0.1", NoTLS, false}, {"localhost.example.org", NoTLS, false},
		{"mail.example.org", StartTLS, true}, {"mail.example.org", Implicit, true},
		{"mail.example.org", "", false}, {"", StartTLS, false},
	} {
		if _, err := NewSMTP(Config{Host: tc.host, Port: 587, TLS: tc.tls}); (err == nil) != tc.want {
			t.Errorf("%s with TLS %q: error %v, want accepted %v", tc.host, tc.tls, err, tc.want)
		}
	}
}

// wantFailure checks the code and that nothing about the recipient is said.
func wantFailure(t *testing.T, err error, want Failure) {
	t.Helper()
	f, ok := errors.AsType[*Failure](err)
	if !ok || f.Extent != want.Extent || f.Code != want.Code || f.Status != want.Status {
		t.Errorf("failure %v, want %v", err, &want)
	}
	if err != nil && strings.Contains(err.Error(), "kari") {
		t.Errorf("the error tells the address: %v", err)
	}
}

func TestSMTPNoConnection(t *testing.T) {
	certificate, roots := selfSigned(t)
	plain, signIn := (&server{}).start(t, nil, false), (&server{user: "feltbok"}).start(t, certificate, false)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, tc := range []struct {
		name   string
		config Config
		want   Failure
	}{
		{"nobody listens", Config{Host: "127.0.0.1", Port: gone.Addr().(*net.TCPAddr).Port, TLS: NoTLS}, Failure{Extent: Outage, Code: "unreachable"}},
		{"STARTTLS not offered", Config{Host: plain.Host, Port: plain.Port, TLS: StartTLS}, Failure{Extent: Outage, Code: "setup"}},
		{"certificate nobody knows", Config{Host: signIn.Host, Port: signIn.Port, TLS: StartTLS}, Failure{Extent: Outage, Code: "certificate"}},
		{"wrong password", Config{Host: signIn.Host, Port: signIn.Port, TLS: StartTLS, Roots: roots, User: "feltbok", Password: "x"},
			Failure{Extent: Outage, Code: "sign_in", Status: 535}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantFailure(t, mustSMTP(t, tc.config).Send(t.Context(), letter(), "a@example.org"), tc.want)
		})
	}
	if n := len(plain.messages()); n != 0 {
		t.Errorf("%d messages went without the TLS that was demanded", n)
	}
}

func TestSMTPRefusals(t *testing.T) {
	refuse := func(status int) error {
		return &smtp.SMTPError{Code: status, EnhancedCode: smtp.EnhancedCode{status / 100, 1, 1}, Message: "no kari@example.org here"}
	}
	for _, tc := range []struct {
		name       string
		rcpt, data int
		want       Failure
	}{
		{"unknown recipient", 550, 0, Failure{Extent: Never, Code: "recipient_refused", Status: 550}},
		{"greylisted", 450, 0, Failure{Extent: Later, Code: "later", Status: 450}},
		{"content refused", 0, 554, Failure{Extent: Never, Code: "refused", Status: 554}},
		{"disk full over there", 0, 452, Failure{Extent: Later, Code: "later", Status: 452}},
		{"closing down", 421, 0, Failure{Extent: Outage, Code: "unreachable", Status: 421}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &server{}
			if tc.rcpt != 0 {
				s.onRcpt = func(string) error { return refuse(tc.rcpt) }
			}
			if tc.data != 0 {
				s.received = func(received) error { return refuse(tc.data) }
			}
			s.start(t, nil, false)
			out := mustSMTP(t, Config{Host: s.Host, Port: s.Port, TLS: NoTLS})
			wantFailure(t, out.Send(t.Context(), letter(), "a@example.org"), tc.want)
			s.onRcpt, s.received = nil, nil
			if err := out.Send(t.Context(), letter(), "b@example.org"); err != nil {
				t.Errorf("the next message: %v", err)
			}
		})
	}
}

// dying serves one connection that ends in the middle of the message, or right after taking it.
func dying(t *testing.T, takes bool) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		text := textproto.NewConn(conn)
		text.PrintfLine("220 ready")
		for {
			line, err := text.ReadLine()
			if err != nil {
				return
			}
			if line != "DATA" {
				text.PrintfLine("250 ok")
				continue
			}
			text.PrintfLine("354 go on")
			if !takes {
				text.ReadLine()
				return
			}
			text.ReadDotLines()
			text.PrintfLine("250 taken")
			return
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func TestSMTPServerDies(t *testing.T) {
	out := mustSMTP(t, Config{Host: "127.0.0.1", Port: dying(t, false), TLS: NoTLS})
	wantFailure(t, out.Send(t.Context(), letter(), "a@example.org"), Failure{Extent: Later, Code: "interrupted"})

	out = mustSMTP(t, Config{Host: "127.0.0.1", Port: dying(t, true), TLS: NoTLS})
	if err := out.Send(t.Context(), letter(), "a@example.org"); err != nil {
		t.Errorf("a message that was taken before the server died counts as not sent: %v", err)
	}
}

func TestSMTPReconnects(t *testing.T) {
	s := (&server{}).start(t, nil, false)
	out := mustSMTP(t, Config{Host: s.Host, Port: s.Port, TLS: NoTLS})
	for range 2 {
		if err := out.Send(t.Context(), letter(), "a@example.org"); err != nil {
			t.Fatal(err)
		}
		out.dialed.Close() // as a server does with one that rests
	}
}
