package mail

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// compose makes the MIME message that every transport hands over. A message that cannot be made never passes.
func compose(m Message, messageID string) (*gomail.Msg, error) {
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	for header, address := range map[gomail.AddrHeader]Address{
		gomail.HeaderFrom: m.From, gomail.HeaderTo: m.To, gomail.HeaderReplyTo: m.ReplyTo,
	} {
		if header == gomail.HeaderReplyTo && address.Email == "" {
			continue
		}
		parsed, err := mailbox(address)
		if err != nil {
			return nil, &Failure{Extent: Never, Code: "bad_address"}
		}
		out.SetAddrHeaderFromMailAddress(header, parsed)
	}
	out.SetMessageIDWithValue(messageID)
	out.SetDateWithValue(m.Date)
	out.Subject(oneLine(m.Subject))
	// RFC 3834: absence notes and other robots do not answer.
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Language != "" {
		out.SetGenHeader(gomail.HeaderContentLang, m.Language)
	}
	for name, value := range m.Headers {
		out.SetGenHeader(gomail.Header(name), oneLine(value))
	}
	return out, body(out, m)
}

func body(out *gomail.Msg, m Message) error {
	out.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		out.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	if m.Calendar != nil {
		// RFC 6047 §2.4: the method stands in the type too. As the last alternative it is what a calendar program
		// takes; the same object as a file serves everybody else.
		kind := gomail.ContentType("text/calendar; method=" + m.Calendar.Method)
		out.AddAlternativeString(kind, string(m.Calendar.Data), gomail.WithPartEncoding(gomail.EncodingB64))
		if err := attach(out, Attachment{"invite.ics", "application/ics", m.Calendar.Data}); err != nil {
			return err
		}
	}
	for _, a := range m.Attachments {
		if err := attach(out, a); err != nil {
			return err
		}
	}
	return nil
}

func attach(out *gomail.Msg, a Attachment) error {
	err := out.AttachReader(oneLine(a.Name), bytes.NewReader(a.Data), gomail.WithFileContentType(gomail.ContentType(a.Type)))
	if err != nil {
		return fmt.Errorf("attach %s file: %w", a.Type, err)
	}
	return nil
}

// mailbox refuses an address that is more than one mailbox, so that a typed-in one cannot add recipients or headers.
func mailbox(a Address) (*netmail.Address, error) {
	parsed, err := netmail.ParseAddress(a.Email)
	if err != nil {
		return nil, err
	}
	return &netmail.Address{Name: oneLine(a.Name), Address: parsed.Address}, nil
}

// oneLine makes a space of every control character.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}
