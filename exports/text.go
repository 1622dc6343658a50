package exports

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// mostText is how much a cell holds, in UTF-16 units (Excel's "specifications and limits").
const mostText = 32767

// mask stands for an underscore that excelize must not escape; zipped sheets get the underscore back (zip.go). It is a
// private-use character, and where somebody wrote it, it is escaped like a control character.
const mask = '\uF8FF'

// escaped writes text as a cell's string (ECMA-376 part 1, §22.9.2.19, ST_Xstring): what XML cannot hold becomes
// _xHHHH_, and what looks like that already is protected. A text too long for a cell ends in note, and cut says so.
//
// excelize does a part of this and loses the rest: it writes control characters as U+FFFD and drops _xD800_.
func escaped(text, note string) (cell string, cut bool) {
	if len(text) <= mostText && !strings.ContainsFunc(text, suspect) { // nearly every cell
		return text, false
	}
	var b strings.Builder
	room := mostText - units(note)
	used, fits := 0, 0
	for i, r := range text {
		token := string(r)
		switch {
		case r == '_' && isEscape(text[i:]):
			token = escape('_')
		case r != '_' && suspect(r):
			token = escape(r)
		}
		b.WriteString(token)
		used += units(token)
		if used <= room {
			fits = b.Len()
		}
		if used > mostText {
			return b.String()[:fits] + note, true
		}
	}
	return b.String(), false
}

// suspect says whether a character cannot stand in a cell as it is, or, the underscore, not everywhere.
func suspect(r rune) bool {
	return r == '_' || r < ' ' && r != '\t' && r != '\n' || r == '\uFFFE' || r == '\uFFFF' || r == mask
}

func escape(r rune) string { return fmt.Sprintf("%cx%04X%c", mask, r, mask) }

func units(s string) (n int) {
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// isEscape says whether s may read as an escape. What closes it is not asked: the underscore may come from the escape of
// the character that follows.
func isEscape(s string) bool {
	const opening = len("_x0041")
	return len(s) >= opening && s[1] == 'x' && strings.Trim(s[2:opening], "0123456789abcdefABCDEF") == ""
}

// natural orders A2 before A10.
func natural(a, b string) int {
	letters, number := split(a)
	otherLetters, otherNumber := split(b)
	if c := strings.Compare(letters, otherLetters); c != 0 {
		return c
	}
	if c := len(number) - len(otherNumber); c != 0 {
		return c
	}
	return strings.Compare(number, otherNumber)
}

// split parts a code into what stands before its last digits, and these without leading zeros.
func split(code string) (string, string) {
	letters := strings.TrimRight(code, "0123456789")
	return letters, strings.TrimLeft(code[len(letters):], "0")
}
