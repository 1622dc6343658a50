package exports

// Kept is what a workbook of s would hold, with Left saying what it would not. Answers are filtered as they are read, so
// Left says nothing of those. A page shows this before somebody downloads.
func (s Source) Kept() Source {
	s.keep()
	return s
}

// Informants lists the codes that are columns of the coding matrix, in their order.
func (s Source) Informants() []string { return (&book{Source: &s}).informants() }
