package replay

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mailbox finds what people were sent, in the folder that mail is written to.
type mailbox struct {
	folder, base string
	read         int // files read so far
	links        map[string][]string
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"]+`)

// link returns the newest link that somebody was sent to a path starting with prefix.
func (m *mailbox) link(to, prefix string) (string, error) {
	if err := m.refresh(); err != nil {
		return "", err
	}
	for _, link := range slices.Backward(m.links[to]) {
		if path, ours := strings.CutPrefix(link, m.base); ours && strings.HasPrefix(path, prefix) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s has no mail with a link to %s", to, prefix)
}

// refresh reads the mails that have come since.
func (m *mailbox) refresh() error {
	names, err := filepath.Glob(filepath.Join(m.folder, "*.eml"))
	if err != nil {
		return err
	}
	slices.Sort(names)
	if m.links == nil {
		m.links = map[string][]string{}
	}
	for _, name := range names[min(m.read, len(names)):] {
		if err := m.open(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m.read++
	}
	return nil
}

func (m *mailbox) open(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	message, err := mail.ReadMessage(file)
	if err != nil {
		return err
	}
	to, err := message.Header.AddressList("To")
	if err != nil {
		return err
	}
	text, err := plainText(message.Header.Get, message.Body)
	if err != nil {
		return err
	}
	m.links[to[0].Address] = append(m.links[to[0].Address], webAddress.FindAllString(text, -1)...)
	return nil
}

// plainText returns the first text/plain part of a message.
func plainText(header func(string) string, body io.Reader) (string, error) {
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err == io.EOF {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			if text, err := plainText(part.Header.Get, part); err != nil || text != "" {
				return text, err
			}
		}
	}
	if kind != "text/plain" {
		return "", nil
	}
	if strings.EqualFold(header("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	return string(text), err
}
