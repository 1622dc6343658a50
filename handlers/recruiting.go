package handlers

import "example.org/feltbok/studies"

// Recruiting is the menu of the pages that find and ask people; what a role may not open is not in it.
func (b base) Recruiting() []entry {
	if !b.Writes() && b.Role != studies.Supervisor {
		return nil
	}
	var entries []entry
	for _, page := range []struct {
		key, rest string
		followed  bool // by supervisors too
	}{
		{"recruit.list", "/candidates", true},
		{"recruit.snowball", "/referrals", true},
		{"recruit.tips", "/tips", false},
	} {
		if b.Writes() || page.followed {
			entries = append(entries, entry{b.T(page.key), b.At(page.rest), b.Path == b.At(page.rest)})
		}
	}
	return entries
}
