package consents

// The tests look at these from outside.
var (
	DueIn        = dueIn
	Strip        = strip
	CompareTexts = compare
	OnlySpelling = onlySpelling
)
