package main

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-smtp"
)

// smtpServer is a mail server that keeps what it gets.
type smtpServer struct {
	mu  sync.Mutex
	got []letterbox
}

// letterbox is one message: to whom the server was told that it goes, and all of it.
type letterbox struct {
	to  []string
	raw []byte
}

func (i *smtpServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{server: i}, nil }

type delivery struct {
	server *smtpServer
	letterbox
}

func (d *delivery) Reset()                               { d.letterbox = letterbox{} }
func (d *delivery) Logout() error                        { return nil }
func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

func (d *delivery) Data(r io.Reader) (err error) {
	d.raw, err = io.ReadAll(r)
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	d.server.got = append(d.server.got, d.letterbox)
	return err
}

// smtp sends the stage's mail through a server on loopback.
func (s *stage) smtp() *smtpServer {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	i := &smtpServer{}
	server := smtp.NewServer(i)
	server.Domain = "mail.example.org"
	go server.Serve(listener)
	transport, err := mail.NewSMTP(mail.Config{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: mail.NoTLS})
	s.must(err)
	s.t.Cleanup(func() {
		transport.Close()
		server.Close()
	})
	s.sender = mail.NewSender(s.Outbox, s.server, transport, demoMailbox)
	return i
}

// calendarOf returns the calendar object that programs act on; nil in a mail without one.
func calendarOf(t *testing.T, kind string, body io.Reader) *ical.Calendar {
	t.Helper()
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		t.Fatalf("%q: %v", kind, err)
	}
	switch {
	case media == "text/calendar":
		calendar, err := ical.NewDecoder(body).Decode()
		if err != nil || !strings.EqualFold(calendar.Props.Get("METHOD").Value, params["method"]) || params["charset"] != "UTF-8" {
			t.Fatalf("%q: %v", kind, err)
		}
		return calendar
	case !strings.HasPrefix(media, "multipart/"):
		return nil
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err != nil {
			return nil
		}
		var content io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "base64" {
			content = base64.NewDecoder(base64.StdEncoding, part)
		}
		if calendar := calendarOf(t, part.Header.Get("Content-Type"), content); calendar != nil {
			return calendar
		}
	}
}

// Names, places and words such as nobody would wish for, through the vault, the outbox, the mail and the calendar to a mail server:
// each mail goes to one person, has only our headers, and its calendar one appointment with one attendee. What could break a line
// is refused where it is typed.
func TestHostileNamesAndWordsToAMailServer(t *testing.T) {
	t.Parallel()
	s := newStage(t, nil)
	c := newCrowd(s, 0, 0, noMark)
	ctx, by, study := t.Context(), audit.Staff(c.owner), c.study.ID
	const forged = "\r\nBcc: eve@example.org\r\nATTENDEE:mailto:eve@example.org\r\n\r\nX"
	long := strings.Repeat("å😀\"", 100)
	enrol := func(i int, who identities.Identity) error {
		who.Language = "nb"
		person, err := s.people.Enrol(ctx, by, who, recruitment.Participant{Study: study, Code: "A" + string(rune('1'+i)), Case: c.study.Cases[0].ID,
			Audience: consents.Company, Relation: recruitment.Member, Size: recruitment.Small, Source: recruitment.MemberList})
		if err == nil {
			c.persons = append(c.persons, person)
		}
		return err
	}
	for name, who := range map[string]identities.Identity{"a line in a name": {Name: "Kari" + forged, Email: "kari@example.org"}, "300 characters": {Name: long, Email: "kari@example.org"},
		"a line in an address": {Name: "Kari", Email: "kari@example.org" + forged}, "two addresses": {Name: "Kari", Email: "kari@example.org, eve@example.org"}} {
		if err := enrol(0, who); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	names := []string{`Kari "Kai" <eve@example.org>, "Eve`, "👩‍🔬 Ødegård; RSVP=TRUE:mailto:eve@example.org", string([]rune(long)[:200]), `back\slash, "quote" =?UTF-8?q?=0D=0ABcc:_eve?=`}
	for i, name := range names {
		s.must(enrol(i, identities.Identity{Name: name, Email: "p" + string(rune('a'+i)) + "+x@example.org"}))
	}
	c.offer(func(kind *scheduling.Type) {
		kind.Modes, kind.Place, kind.Directions, kind.Named = scheduling.Modes, "Rom"+forged, "Ned"+forged, true
		kind.VideoRoom, kind.Questions = "https://meet.example.org/{room}", "Hva?"+forged
	})
	inbox := s.smtp()
	for i, person := range c.persons {
		_, err := s.people.Book(ctx, by, scheduling.Request{Study: study, Person: person, Audience: consents.Company, Mode: scheduling.Modes[i],
			Start: s.clock.now().Add(time.Duration(50+3*i) * time.Hour), ByStaff: true}, handlers.Words{Where: "Hos" + forged + long, Message: "Hei" + forged + long})
		s.must(err)
	}
	s.sendMail()
	ours := []string{"Auto-Submitted", "Content-Language", "Date", "Mime-Version", "Message-Id", "Subject", "From", "To", "Reply-To", "Content-Type"}
	for _, one := range inbox.got {
		m, err := netmail.ReadMessage(bytes.NewReader(one.raw))
		s.must(err)
		for header := range m.Header {
			if !slices.Contains(ours, header) {
				t.Errorf("header %s: %s", header, m.Header.Get(header))
			}
		}
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 || len(one.to) != 1 || one.to[0] != to[0].Address {
			t.Fatalf("to %v and %v (%v)", one.to, to, err)
		}
		calendar := calendarOf(t, m.Header.Get("Content-Type"), m.Body)
		events := calendar.Events()
		if len(events) != 1 || len(events[0].Props.Values("ATTENDEE")) != 1 || events[0].Props.Get("ATTENDEE").Value != "mailto:"+to[0].Address {
			t.Errorf("%d events, attendees %v", len(events), events[0].Props.Values("ATTENDEE"))
		}
		if i := slices.Index([]string{"pa+x@example.org", "pb+x@example.org", "pc+x@example.org", "pd+x@example.org"}, to[0].Address); i >= 0 && to[0].Name != names[i] {
			t.Errorf("to %q, want %q", to[0].Name, names[i])
		}
		for line := range bytes.SplitSeq(one.raw, []byte("\r\n")) {
			if len(line) > 998 { // RFC 5322 §2.1.1
				t.Errorf("a line of %d octets", len(line))
			}
		}
	}
	if want := 2 * len(names); len(inbox.got) != want {
		t.Errorf("%d mails arrived, want %d", len(inbox.got), want)
	}
}
