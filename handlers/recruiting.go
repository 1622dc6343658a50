package handlers

import (
	"slices"
	"strings"
)

// Recruiting is the menu of the pages that find and ask people; what a role may not open is not in it.
func (b base) Recruiting() []entry {
	everybodys := []string{"/candidates", "/quotas"}
	var entries []entry
	for _, page := range []struct{ key, rest string }{
		{"recruit.list", "/candidates"},
		{"calls.menu", "/calls"},
		{"recruit.quotas", "/quotas"},
		{"recruit.invitations", "/invitations"},
		{"recruit.import", "/import"},
		{"recruit.forecast", "/forecast"},
	} {
		if !b.Writes() && !slices.Contains(everybodys, page.rest) {
			continue
		}
		address := b.At(page.rest)
		entries = append(entries, entry{b.T(page.key), address, b.Path == address || strings.HasPrefix(b.Path, address+"/")})
	}
	return entries
}
