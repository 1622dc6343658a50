package handlers

// Recruiting is the menu of the pages that find and ask people; what a role may not open is not in it.
func (b base) Recruiting() []entry {
	if !b.Writes() {
		return nil
	}
	var entries []entry
	for _, page := range []struct{ key, rest string }{
		{"recruit.list", "/candidates"},
		{"recruit.forecast", "/forecast"},
	} {
		entries = append(entries, entry{b.T(page.key), b.At(page.rest), b.Path == b.At(page.rest)})
	}
	return entries
}
