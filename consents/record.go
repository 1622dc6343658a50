package consents

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Standing of one field of the study record in one language.
const (
	InPlace      = "in_place"
	Proposed     = "proposed"     // said in our words, which nobody has confirmed
	Untranslated = "untranslated" // said in the main language's words
	Gap          = "gap"          // nothing is said
)

// Record is what a study has told about itself, for its letters.
type Record struct {
	Basis     string
	Languages []string // the main one first
	Audiences []string
	Setting   Setting
	Main      map[string]string            // columns, in the main language, by field
	Texts     map[string]map[string]string // by language and Entry.Key; Confirmed holds what Confirm returns
}

// Confirmed is the text in which the main language keeps which of our words the team has confirmed.
const Confirmed = "confirmed"

// Kinds of Entry.
const (
	Fixed      = "fixed"      // the same in every language, such as a name
	Translated = "translated" // a column, and its translations
	Worded     = "worded"     // said in our words until the team has written its own
	Settled    = "settled"    // follows from the study's choices
)

// Entry is one field of the record.
type Entry struct {
	Field, Kind string
	Audience    string // "" is a field of all letters
	Key         string // under which Record.Texts has it
}

var (
	fixed      = []string{"institution", "project_contact", "supervisor", "supervisor_contact", "officer", "officer_contact", "assessment"}
	translated = []string{"title", "purpose", "questions"}
	// Those that differ from audience to audience come after the others.
	forAll  = []string{"uses", "recording", "access", "security", "processors", "transfers", "after_end"}
	forEach = []string{"why", "source", "methods", "other_sources", "recognition"}
	chosen  = []string{"legal_basis", "duration", "ends_on", "withdrawal", "rights"}
)

// Entries lists everything that the study's letters take from the record.
func (r Record) Entries() (entries []Entry) {
	add := func(kind, audience string, fields ...string) {
		for _, field := range fields {
			entries = append(entries, Entry{field, kind, audience, keyOf(audience, field)})
		}
	}
	add(Translated, "", translated...)
	if r.Setting.MinimumAge > 0 {
		add(Translated, "", "age_reason")
	}
	add(Fixed, "", fixed...)
	add(Worded, "", forAll...)
	for _, audience := range r.Audiences {
		add(Worded, audience, forEach...)
	}
	add(Settled, "", chosen...)
	return entries
}

func keyOf(audience, field string) string {
	if audience == "" {
		return field
	}
	return field + "_" + audience
}

// Says is what the team wrote for a field, in language or else in the main language; "" is nothing.
func (r Record) Says(language string, e Entry) (text string, own bool) {
	main := r.Languages[0]
	if text = r.Texts[language][e.Key]; language != main && text != "" {
		return text, true
	}
	if text = r.Texts[main][e.Key]; text == "" {
		text = r.Main[e.Field]
	}
	return text, language == main && text != ""
}

// Standing says how a field stands in a language.
func (r Record) Standing(language string, e Entry) string {
	text, own := r.Says(language, e)
	switch {
	case e.Kind == Settled || own || e.Kind == Fixed && text != "":
		return InPlace
	case text != "":
		return Untranslated
	case e.Kind == Worded && r.confirmed(e):
		return InPlace
	case e.Kind == Worded:
		return Proposed
	}
	return Gap
}

// Own is what the team wrote for a letter to an audience, for Fields.
func (r Record) Own(audience, language string) map[string]string {
	own := map[string]string{}
	for _, e := range r.Entries() {
		if e.Audience == "" || e.Audience == audience {
			own[e.Field], _ = r.Says(language, e)
		}
	}
	return own
}

// Confirm notes that our words for the fields with these keys are true of this study. They are confirmed as they are now:
// other words, after another choice or with a newer version of the program, are proposed again.
func (r Record) Confirm(keys []string) string {
	var confirmed []string
	for _, e := range r.Entries() {
		if e.Kind == Worded && slices.Contains(keys, e.Key) {
			confirmed = append(confirmed, r.seal(e))
		}
	}
	return strings.Join(confirmed, " ")
}

// IsConfirmed says whether the team confirmed our words for a field.
func (r Record) IsConfirmed(e Entry) bool { return e.Kind == Worded && r.confirmed(e) }

func (r Record) confirmed(e Entry) bool {
	return slices.Contains(strings.Fields(r.Texts[r.Languages[0]][Confirmed]), r.seal(e))
}

// seal names the field and the words.
func (r Record) seal(e Entry) string {
	audiences := r.Audiences
	if e.Audience != "" {
		audiences = []string{e.Audience}
	}
	h := sha256.New()
	for _, audience := range audiences {
		if words, err := wordsOf(audience, r.Languages[0], r.Basis, r.Setting); err == nil {
			h.Write([]byte(words[e.Field] + "\x00"))
		}
	}
	return e.Key + ":" + hex.EncodeToString(h.Sum(nil)[:8])
}
