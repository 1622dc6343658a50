package handlers

import (
	"slices"
	"strings"

	"example.org/feltbok/studies"
)

// Recruiting is the menu of the pages that find and ask people; what a role may not open is not in it.
func (b base) Recruiting() []entry {
	readers := []studies.Role{studies.Supervisor, studies.Officer}
	var entries []entry
	for _, page := range []struct {
		key, rest string
		readers   []studies.Role // besides the team
	}{
		{"recruit.list", "/candidates", readers},
		{"calls.menu", "/calls", nil},
		{"recruit.invitations", "/invitations", nil},
		{"recruit.snowball", "/referrals", readers[:1]},
		{"recruit.tips", "/tips", nil},
		{"recruit.quotas", "/quotas", readers},
		{"recruit.forecast", "/forecast", readers[:1]},
		{"recruit.import", "/import", nil},
	} {
		if b.Writes() || slices.Contains(page.readers, b.Role) {
			address := b.At(page.rest)
			entries = append(entries, entry{b.T(page.key), address, b.Path == address || strings.HasPrefix(b.Path, address+"/")})
		}
	}
	return entries
}
