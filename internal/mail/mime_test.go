package mail

import (
	"bytes"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func written(t *testing.T, m Message) []byte {
	t.Helper()
	message, err := compose(m, "abc@example.org")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := message.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func invitation() Message {
	m := letter()
	m.HTML, m.Language = "<p>Hei.</p>", "nb"
	m.ReplyTo = Address{"Prosjektet", "prosjekt@example.org"}
	m.Headers = map[string]string{"List-Unsubscribe": "<https://feltbok.example.org/p/out>"}
	m.Calendar = &Calendar{"REQUEST", []byte("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Avtale, blåbær\r\nEND:VCALENDAR\r\n")}
	return m
}

var boundary = regexp.MustCompile(`[0-9a-f]{60}`)

func TestInvitationGolden(t *testing.T) {
	names := map[string]string{}
	got := boundary.ReplaceAllFunc(written(t, invitation()), func(b []byte) []byte {
		if names[string(b)] == "" {
			names[string(b)] = strings.Repeat(string(rune('a'+len(names))), 8)
		}
		return []byte(names[string(b)])
	})
	path := filepath.Join("testdata", "invitation.eml")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// parts lists a message's parts by media type.
func parts(t *testing.T, contentType string, body io.Reader) (types []string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("Content-Type %q: %v", contentType, err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return []string{mime.FormatMediaType(kind, params)}
	}
	types = append(types, kind)
	for reader := multipart.NewReader(body, params["boundary"]); ; {
		part, err := reader.NextPart()
		if err == io.EOF {
			return types
		}
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, parts(t, part.Header.Get("Content-Type"), part)...)
	}
}

func TestInvitationStructure(t *testing.T) {
	m, err := netmail.ReadMessage(bytes.NewReader(written(t, invitation())))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(parts(t, m.Header.Get("Content-Type"), m.Body), "\n")
	want := `multipart/mixed
multipart/alternative
text/plain; charset=UTF-8
text/html; charset=UTF-8
text/calendar; charset=UTF-8; method=REQUEST
application/ics; name=invite.ics`
	if got != want {
		t.Errorf("parts\n%s\nwant\n%s", got, want)
	}
}

func TestHostileInputForgesNothing(t *testing.T) {
	m := letter()
	m.Subject = "Hei\r\nBcc: other@example.org\r\n\r\nbody"
	m.To.Name = "Kari\r\nBcc: other@example.org\" <other@example.org>, \""
	m.Headers = map[string]string{"List-Unsubscribe": "<x>\r\nBcc: other@example.org"}
	m.Attachments = []Attachment{{"a\r\nBcc: other@example.org\".txt", "text/plain", []byte("x")}}
	parsed, err := netmail.ReadMessage(bytes.NewReader(written(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	if bcc := parsed.Header.Get("Bcc"); bcc != "" {
		t.Errorf("a header was forged: Bcc: %s", bcc)
	}
	to, err := parsed.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != "kari@example.org" {
		t.Errorf("To = %v (%v), want kari@example.org alone", to, err)
	}
	for _, address := range []string{"", "kari", "a@example.org, b@example.org", "a@example.org\r\nBcc: b@example.org", "a@example.org>\nRCPT TO:<b@example.org"} {
		m.To.Email = address
		_, err := compose(m, "abc@example.org")
		wantFailure(t, err, Failure{Extent: Never, Code: "bad_address"})
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	for range 2 { // the second goes on where the first stopped
		f, err := NewFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"survey_invitation", "booking_confirmed"} {
			m := letter()
			m.Kind = kind
			if err := f.Send(t.Context(), m, "abc@example.org"); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v (%v), want 0600", e.Name(), info.Mode(), err)
		}
		names = append(names, e.Name())
	}
	got := strings.Join(names, " ")
	want := "0001-survey_invitation.eml 0002-booking_confirmed.eml 0003-survey_invitation.eml 0004-booking_confirmed.eml"
	if got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	content, err := os.ReadFile(filepath.Join(dir, names[0]))
	if err != nil || !bytes.Equal(content, written(t, letter())) {
		t.Errorf("the file is not what SMTP hands over (%v):\n%s", err, content)
	}
}
