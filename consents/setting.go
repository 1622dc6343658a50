package consents

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Setting is what a study has chosen, where a letter tells of it. The zero value records, deletes and keeps no proof.
type Setting struct {
	Unrecorded   bool
	Special      bool   // special categories of data
	MinimumAge   int    // years; 0 is no limit
	Signature    string // "", "typed" or "drawn"
	OnWithdrawal string // "anonymise"; anything else deletes
	AtEnd        string // the same, of everybody
	Proof        string // how long the proof of a consent outlives the person's data, in words; "" not at all
}

// marks are what a line of a starter may ask for in brackets.
func (s Setting) marks(audience, basis string) []string {
	return []string{audience, basis, either(audience == Respondent, Respondent, "interview"), either(s.Unrecorded, "unrecorded", "recorded"),
		either(s.Special, "special", ""), either(s.MinimumAge > 0, "age", ""), s.Signature,
		either(s.OnWithdrawal == anonymise, "leaver_anonymised", "leaver_deleted"),
		either(s.AtEnd == anonymise, "end_anonymised", "end_deleted"), either(s.Proof != "", "proof", "no_proof")}
}

const anonymise = "anonymise"

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// A file of words says, for each field of a letter that no column of the study fills, what the letter says until the team
// has written it. A section begins with "# field"; lines are marked as in a starter.
//
//go:embed words/*.md
var wordFiles embed.FS

// wordsOf returns our words for each field that has some, with the fields in them not yet filled. The map is the caller's.
func wordsOf(audience, language, basis string, s Setting) (map[string]string, error) {
	marks := s.marks(audience, basis)
	key := language + " " + strings.Join(marks, " ")
	if words, ok := readWords.Load(key); ok {
		return maps.Clone(words.(map[string]string)), nil
	}
	raw, err := wordFiles.ReadFile("words/" + language + ".md")
	if err != nil {
		return nil, fmt.Errorf("read words: %w", err)
	}
	words := map[string]string{}
	for section := range strings.SplitSeq("\n"+only(string(raw), marks), "\n# ") {
		name, text, _ := strings.Cut(section, "\n")
		if name != "" {
			words[name] = strings.TrimSpace(text)
		}
	}
	readWords.Store(key, words)
	return maps.Clone(words), nil
}

// readWords keeps what was read: a page asks for the same words some hundred times, and there are few combinations.
var readWords sync.Map

// Words returns what a letter says in each of its fields: the record's columns, the team's own words, and ours for the
// rest.
func (f Fields) Words(audience, language, basis string) (map[string]string, error) {
	words, err := wordsOf(audience, language, basis, f.Setting)
	if err != nil {
		return nil, err
	}
	columns := f.columns()
	for name, text := range words {
		words[name] = strings.TrimSpace(fill(text, columns))
		if own := f.Own[name]; own != "" && !slices.Contains(settled, name) {
			words[name] = own
		}
	}
	maps.Copy(words, columns)
	return words, nil
}

// settled are the fields that tell what the system does, or the law, and that no team words anew.
var settled = []string{"withdrawal", "rights", "legal_basis", "age", "signature"}
