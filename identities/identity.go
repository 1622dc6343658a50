package identities

import (
	"net/mail"
	"strings"
	"unicode"

	"example.org/feltbok/internal/errs"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"
)

// Identity is who somebody is and how to reach them. It is stored as one sealed value.
type Identity struct {
	Name         string `json:"name"`
	Email        string `json:"email,omitempty"`
	Phone        string `json:"phone,omitempty"` // E.164, such as +4722222201
	Organisation string `json:"organisation,omitempty"`
	Title        string `json:"title,omitempty"` // exact, which the study store's is not
	Note         string `json:"note,omitempty"`  // what the team wrote about the person
	Language     string `json:"language,omitempty"`
}

// Dial is the telephone number in groups, as people read it.
func (i Identity) Dial() string {
	parsed, err := phonenumbers.Parse(i.Phone, "")
	if err != nil {
		return i.Phone
	}
	return phonenumbers.Format(parsed, phonenumbers.INTERNATIONAL)
}

const (
	mostLine  = 200
	mostEmail = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
	mostNote  = 4000
)

// Check says what Put would refuse. Fields are named name, email, phone, organisation, title, note, language.
func (i Identity) Check() error {
	_, err := i.clean()
	return err
}

// clean returns the identity as it is stored, or what is wrong with it.
func (i Identity) clean() (Identity, error) {
	var c errs.Check
	i.Name, i.Organisation, i.Title = line(i.Name), line(i.Organisation), line(i.Title)
	i.Note = norm.NFC.String(strings.TrimSpace(i.Note))
	c.Require("name", i.Name, mostLine)
	c.AtMost("organisation", i.Organisation, mostLine)
	c.AtMost("title", i.Title, mostLine)
	c.AtMost("note", i.Note, mostNote)
	for _, input := range [][2]string{{"name", i.Name}, {"organisation", i.Organisation}, {"title", i.Title}} {
		// A line break in a name would write headers of its own in a mail.
		if strings.ContainsFunc(input[1], unicode.IsControl) {
			c.Add(input[0], "identities.characters")
		}
	}
	var ok bool
	if i.Email, ok = address(i.Email); !ok {
		c.Add("email", "identities.email")
	}
	if i.Phone, ok = number(i.Phone); !ok {
		c.Add("phone", "identities.phone")
	}
	switch i.Language {
	case "", "nb", "nn", "en":
	default:
		c.Add("language", "identities.choose")
	}
	return i, c.Err()
}

func line(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// address returns an e-mail address as it is written to, and whether it looks like one; nothing is fine.
func address(s string) (string, bool) {
	s = line(s)
	if s == "" {
		return "", true
	}
	parsed, err := mail.ParseAddress(s)
	// What has a display name or a comment parses too, and is not an address.
	if err != nil || parsed.Address != s || len(s) > mostEmail {
		return s, false
	}
	_, domain, _ := strings.Cut(s, "@")
	return s, strings.Contains(strings.Trim(domain, "."), ".")
}

// number returns a telephone number in E.164 form, and whether it can be one; nothing is fine, and a number without a
// country is Norwegian. Whether it was ever given to anybody is not asked: new series come faster than our tables.
func number(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", true
	}
	parsed, err := phonenumbers.Parse(s, "NO")
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
		return s, false
	}
	return phonenumbers.Format(parsed, phonenumbers.E164), true
}

// Callable returns a telephone number on which somebody may be rung, in groups, as people read it. It is Invalid with the field
// where the text is none; a blank one is "".
func Callable(field, text string) (string, error) {
	phone, ok := number(text)
	if !ok {
		var c errs.Check
		c.Add(field, "identities.phone")
		return "", c.Err()
	}
	return Identity{Phone: phone}.Dial(), nil
}

// CheckPlace says whether a text can be where to come to: one line, with something to read in it.
func CheckPlace(field, text string) error {
	var c errs.Check
	text = line(text)
	c.AtMost(field, text, mostLine)
	switch {
	case strings.ContainsFunc(text, unicode.IsControl):
		c.Add(field, "identities.characters")
	case !strings.ContainsFunc(text, unicode.IsLetter):
		c.Add(field, "identities.place")
	}
	return c.Err()
}
