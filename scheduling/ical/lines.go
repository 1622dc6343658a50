package ical

import (
	"bytes"
	"strings"
)

// line is one property (RFC 5545 §3.1) with those of its parameters that bear on time.
type line struct {
	name, value         string // the name in capitals
	tzid, fbtype, scope string // TZID, FBTYPE and RANGE; empty where absent
}

// wanted names the properties that say when something is and whether it occupies anybody. All others, and with them
// every title, place and person, are let go before they are put together.
var wanted = map[string]bool{
	"BEGIN": true, "END": true, "UID": true, "SEQUENCE": true, "RECURRENCE-ID": true,
	"DTSTART": true, "DTEND": true, "DURATION": true, "RRULE": true, "RDATE": true, "EXDATE": true, "FREEBUSY": true,
	"TRANSP": true, "STATUS": true, "X-MICROSOFT-CDO-BUSYSTATUS": true,
	"TZID": true, "TZOFFSETFROM": true, "TZOFFSETTO": true, "X-WR-TIMEZONE": true,
}

const longestName = 32 // octets; more than any wanted name has

// eachLine unfolds the wanted lines and hands them on until use fails. It ends with ErrLongLine where one of them is
// longer than maxLine. Line ends may be CRLF, LF or, in a file without any LF, CR.
func eachLine(data []byte, use func(line) error) error {
	var u unfolder
	end := byte('\n')
	if bytes.IndexByte(data, end) < 0 {
		end = '\r'
	}
	for len(data) > 0 {
		var raw []byte
		raw, data, _ = bytes.Cut(data, []byte{end})
		raw = bytes.TrimRight(raw, "\r")
		switch {
		case len(raw) == 0:
			continue
		case u.state != nothing && (raw[0] == ' ' || raw[0] == '\t'):
			raw = raw[1:]
		default:
			if err := u.flush(use); err != nil {
				return err
			}
			raw, u.state = bytes.TrimLeft(raw, " \t"), naming
		}
		if err := u.add(raw); err != nil {
			return err
		}
	}
	return u.flush(use)
}

// unfolder puts one line together.
type unfolder struct {
	kept  []byte
	state unfolding
}

type unfolding int

const (
	nothing unfolding = iota // no line has begun
	naming                   // its name is not complete: a fold may come anywhere
	keeping
	dropping
)

func (u *unfolder) add(part []byte) error {
	if u.state == naming {
		u.state = u.decide(part)
	}
	if u.state == dropping {
		return nil
	}
	if len(u.kept)+len(part) > maxLine {
		return ErrLongLine
	}
	u.kept = append(u.kept, part...)
	return nil
}

// decide says what is to become of the line whose name part goes on with.
func (u *unfolder) decide(part []byte) unfolding {
	name := make([]byte, 0, longestName)
	name = append(name, bytes.ToUpper(u.kept)...)
	for _, c := range part {
		switch {
		case (c == ':' || c == ';') && wanted[string(name)]:
			return keeping
		case c == ':' || c == ';' || len(name) == longestName:
			return dropping
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		name = append(name, c)
	}
	return naming
}

func (u *unfolder) flush(use func(line) error) error {
	kept, keep := u.kept, u.state == keeping
	u.kept, u.state = u.kept[:0], nothing
	if !keep {
		return nil
	}
	return use(parseLine(string(kept)))
}

// parseLine takes a line apart that has a name.
func parseLine(text string) line {
	at := strings.IndexAny(text, ":;")
	l := line{name: strings.ToUpper(text[:at])}
	for text = text[at:]; strings.HasPrefix(text, ";"); {
		var key, value string
		key, text, _ = strings.Cut(text[1:], "=")
		key = strings.ToUpper(key)
		value, text = parameter(text, key == "TZID" && l.name != "RRULE")
		l.set(key, value)
	}
	l.value = strings.TrimSpace(strings.TrimPrefix(text, ":"))
	return l
}

// parameter reads a parameter's value from the beginning of text. The zone of a time may go on to the last colon: Outlook
// writes TZID=(UTC+01:00) Amsterdam without quotes, and no time has a colon in it.
func parameter(text string, zone bool) (value, rest string) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		value, rest, _ = strings.Cut(quoted, `"`)
		return value, rest
	}
	end := strings.IndexAny(text, ";:")
	if zone {
		if end = strings.IndexByte(text, ';'); end < 0 {
			end = strings.LastIndexByte(text, ':')
		}
	}
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

func (l *line) set(key, value string) {
	switch key {
	case "TZID":
		l.tzid = value
	case "FBTYPE":
		l.fbtype = strings.ToUpper(value)
	case "RANGE":
		l.scope = strings.ToUpper(value)
	}
}
