package consents

// The tests look at these from outside.
var (
	Strip        = strip
	CompareTexts = compare
	OnlySpelling = onlySpelling
)
