// Package natural orders codes as people count: A2 before A10, A10 before B1.
package natural

import (
	"bytes"
	"strings"
	"unicode"
)

// Key returns bytes that sort as the codes do, whatever an engine's collation: a number's length stands before its
// digits, and the code itself parts those that differ only in case or leading zeros.
func Key(code string) []byte {
	return append(append(tokens(strings.ToLower(code)), 0), code...)
}

func tokens(rest string) (key []byte) {
	for rest != "" {
		end := strings.IndexFunc(rest, func(r rune) bool { return !isDigit(r) })
		if end < 0 {
			end = len(rest)
		}
		if end > 0 {
			digits := strings.TrimLeft(rest[:end], "0")
			key = append(number(key, len(digits)), digits...)
			rest = rest[end:]
			continue
		}
		end = strings.IndexFunc(rest, isDigit)
		if end < 0 {
			end = len(rest)
		}
		key = append(key, rest[:end]...)
		rest = rest[end:]
	}
	return key
}

const digitMark = '0'

func number(key []byte, digits int) []byte { return append(key, digitMark, byte(min(digits, 255))) }

func isDigit(r rune) bool { return r <= unicode.MaxASCII && unicode.IsDigit(r) }

// Compare orders two codes by their keys.
func Compare(a, b string) int { return bytes.Compare(Key(a), Key(b)) }

// Span is a range of keys, with From and without To.
type Span struct{ From, To []byte }

// Spans returns where the keys lie of the codes that begin with prefix, for numbers of at most so many digits: the codes
// that begin with A1 are A1, A10 to A19, A100 to A199 and so on. Codes that differ only in leading zeros lie there too.
// An empty prefix has none.
func Spans(prefix string, digits int) []Span {
	if prefix == "" {
		return nil
	}
	prefix = strings.ToLower(prefix)
	head := strings.TrimRightFunc(prefix, isDigit)
	begun, key := strings.TrimLeft(prefix[len(head):], "0"), tokens(head)
	switch {
	case head == prefix:
		return []Span{spanOf(key)}
	case begun == "": // zeros, which no key holds: any number may follow
		return []Span{spanOf(append(key, digitMark))}
	}
	var spans []Span
	for n := len(begun); n <= max(digits, len(begun)); n++ {
		spans = append(spans, spanOf(append(number(bytes.Clone(key), n), begun...)))
	}
	return spans
}

// spanOf is where the keys lie that begin with some bytes; the last is no 0xff, since keys are made of UTF-8.
func spanOf(from []byte) Span {
	to := bytes.Clone(from)
	to[len(to)-1]++
	return Span{from, to}
}
