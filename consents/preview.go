package consents

import "example.org/feltbok/internal/id"

// Preview fills a draft as Publish would, and freezes nothing. What Publish would refuse stays empty.
func Preview(study id.Study, basis string, d Draft, f Fields) (Letter, error) {
	letter, _, err := compose(d, study, basis, f)
	return letter, err
}
