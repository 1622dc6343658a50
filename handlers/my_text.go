package handlers

import (
	"regexp"
	"strings"
)

// part is a stretch of text; Mail is an address to write to, where the stretch is one.
type part struct{ Text, Mail string }

var mailAddress = regexp.MustCompile(`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+`)

// parts divides what a team wrote about how to reach them, so that the addresses can be touched on a telephone.
func parts(text string) (all []part) {
	for {
		at := mailAddress.FindStringIndex(text)
		if at == nil {
			break
		}
		all = append(all, part{Text: text[:at[0]]}, part{Text: text[at[0]:at[1]], Mail: text[at[0]:at[1]]})
		text = text[at[1]:]
	}
	return append(all, part{Text: strings.TrimRight(text, ", ")})
}
