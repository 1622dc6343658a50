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
	var key []byte
	rest := strings.ToLower(code)
	for rest != "" {
		end := strings.IndexFunc(rest, func(r rune) bool { return !isDigit(r) })
		if end < 0 {
			end = len(rest)
		}
		if end > 0 {
			digits := strings.TrimLeft(rest[:end], "0")
			key = append(key, '0', byte(min(len(digits), 255)))
			key = append(key, digits...)
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
	return append(append(key, 0), code...)
}

func isDigit(r rune) bool { return r <= unicode.MaxASCII && unicode.IsDigit(r) }

// Compare orders two codes by their keys.
func Compare(a, b string) int { return bytes.Compare(Key(a), Key(b)) }
