package consents

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// What a Difference proposes.
const (
	AskAgain    = "ask"    // for a new answer
	InformAgain = "inform" // without asking
	Leave       = "leave"  // nothing that matters to anybody has changed
)

// Difference is how two versions of a letter differ in one language.
type Difference struct {
	Title, Brief, Body, Items []Line
	Reasons                   []string // codes of what changed, the gravest first
	Proposal                  string
}

// Reasons of a Difference, the gravest first; those before textChanged call for a new answer.
var reasons = []string{"items", "basis", "purpose", "uses", "recording", "special", "age", "untold", textChanged, "spelling"}

const textChanged = "text"

// Weigh proposes what one of several reasons calls for.
func Weigh(found []string) string {
	switch {
	case len(found) == 0:
		return Leave
	case slices.ContainsFunc(found, func(reason string) bool {
		return slices.Index(reasons, reason) < slices.Index(reasons, textChanged)
	}):
		return AskAgain
	case slices.Contains(found, textChanged):
		return InformAgain
	}
	return Leave
}

// Compare says what is different in after. Both are published versions of one study's letter; ErrUnknown where they are not
// for the same audience and in the same language.
func (c *Consents) Compare(ctx context.Context, study id.Study, before, after Letter) (Difference, error) {
	if before.Audience != after.Audience || before.Language != after.Language || before.Study != study || after.Study != study {
		return Difference{}, ErrUnknown
	}
	words, err := c.wordsAt(ctx, study, before.ID, after.ID)
	if err != nil {
		return Difference{}, err
	}
	return difference(before, after, words[before.ID], words[after.ID]), nil
}

func difference(before, after Letter, was, is map[string]string) Difference {
	d := Difference{Title: compare(before.Title, after.Title), Brief: compare(before.briefText(), after.briefText()),
		Body: compare(before.Body, after.Body), Items: compare(before.itemText(), after.itemText())}
	for _, reason := range reasons {
		said := len(d.Reasons) > 0 && slices.Contains(reasons[slices.Index(reasons, textChanged):], reason) // goes without saying
		if !said && d.has(reason, before, after, was, is) {
			d.Reasons = append(d.Reasons, reason)
		}
	}
	d.Proposal = Weigh(d.Reasons)
	return d
}

// has says whether one reason holds. What the letters say beyond spelling is only looked into where it differs at all.
func (d Difference) has(reason string, before, after Letter, was, is map[string]string) bool {
	rest := before.Title + "\n" + before.briefText() + "\n" + before.Body
	now := after.Title + "\n" + after.briefText() + "\n" + after.Body
	kept := was != nil && is != nil
	switch reason {
	case "items":
		return !samePurposes(before.Items, after.Items) || !onlySpelling(before.itemText(), after.itemText())
	case "basis":
		return before.Basis != after.Basis
	case "purpose":
		return kept && !onlySpelling(was["purpose"]+"\n"+was["questions"], is["purpose"]+"\n"+is["questions"])
	case "special":
		return kept && !onlySpelling(was["legal_basis"], is["legal_basis"]) && before.Basis == after.Basis
	case "uses", "recording", "age":
		return kept && !onlySpelling(was[reason], is[reason])
	case "untold": // a letter from before the words were kept
		return !kept && !onlySpelling(rest, now)
	case textChanged:
		return !onlySpelling(rest, now)
	}
	return rest != now || before.itemText() != after.itemText()
}

func samePurposes(one, other []Item) bool {
	return slices.EqualFunc(one, other, func(a, b Item) bool { return a.Purpose == b.Purpose && a.Required == b.Required })
}

func (l Letter) briefText() string {
	var lines []string
	for _, fact := range l.Brief {
		lines = append(lines, fact.Term+": "+fact.Text)
	}
	return strings.Join(lines, "\n")
}

func (l Letter) itemText() string {
	var lines []string
	for _, item := range l.Items {
		lines = append(lines, item.Text, item.Hint)
	}
	return strings.Join(lines, "\n")
}

// wordsAt returns the record's words at the publication of letters; a letter older than they are kept has none.
func (c *Consents) wordsAt(ctx context.Context, study id.Study, letters ...id.Letter) (map[id.Letter]map[string]string, error) {
	words := map[id.Letter]map[string]string{}
	list, args := database.In(letters, study)
	err := database.Each(ctx, c.db, func(row database.Scanner) error {
		var letter id.Letter
		var raw string
		if err := row.Scan(&letter, &raw); err != nil {
			return err
		}
		own := map[string]string{}
		words[letter] = own
		return json.Unmarshal([]byte(raw), &own)
	}, "select letter_id, words from letter_words where study_id = $1 and letter_id in "+list, args...)
	if err != nil {
		return nil, fmt.Errorf("read words of letters: %w", err)
	}
	return words, nil
}
