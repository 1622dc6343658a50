package consents

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

// A starter file holds all that a person reads, in three parts between lines of ---: the title and the short lines, the
// letter, the items as "- purpose | question | hint". A line that begins with marks such as [company] or [consent] is for
// studies and audiences that have them all: see Setting.marks. Each paragraph is one line, since line breaks are kept.
//
//go:embed starters/*.md
var starterFiles embed.FS

type starter struct {
	title, body string
	brief       []Fact
	items       []Item
}

// Starter is the text that a team begins with, its fields not yet filled. For an unknown audience, language or legal
// basis it is empty.
func Starter(audience, language, basis string) (title, body string, items []Item) {
	s, err := starterOf(audience, language, basis, Setting{})
	if err != nil {
		return "", "", nil
	}
	return s.title, s.body, s.items
}

func starterOf(audience, language, basis string, setting Setting) (starter, error) {
	if !known(audience, language, basis) {
		return starter{}, ErrUnknown
	}
	file := "interview"
	if audience == Respondent {
		file = Respondent
	}
	raw, err := starterFiles.ReadFile("starters/" + file + "." + language + ".md")
	if err != nil {
		return starter{}, fmt.Errorf("read starter: %w", err)
	}
	return parseStarter(only(string(raw), setting.marks(audience, basis)))
}

// only keeps the lines that have no marks or none but these; of blank lines that meet, it keeps one.
func only(text string, marks []string) string {
	var kept []string
	for line := range strings.Lines(text) {
		line, wanted := unmarked(strings.TrimSuffix(line, "\n"), marks)
		if !wanted || line == "" && len(kept) > 0 && kept[len(kept)-1] == "" {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

// unmarked takes the marks off a line, and says whether the line is wanted.
func unmarked(line string, marks []string) (rest string, wanted bool) {
	for strings.HasPrefix(line, "[") {
		mark, rest, marked := strings.Cut(line[1:], "] ")
		if !marked {
			break
		}
		if !slices.Contains(marks, mark) {
			return "", false
		}
		line = rest
	}
	return line, true
}

// short is everything of a starter but the letter itself.
func (s starter) short() string {
	var all strings.Builder
	for _, fact := range s.brief {
		all.WriteString(fact.Text)
	}
	for _, item := range s.items {
		all.WriteString(item.Text + item.Hint)
	}
	return all.String()
}

func parseStarter(text string) (s starter, err error) {
	parts := strings.Split(text, "\n---\n")
	if len(parts) != 3 {
		return s, fmt.Errorf("starter has %d parts, want 3", len(parts))
	}
	for line := range strings.Lines(parts[0]) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "# "); ok {
			s.title = title
		} else if term, fact, ok := strings.Cut(strings.TrimPrefix(line, "- "), ": "); ok {
			s.brief = append(s.brief, Fact{term, fact})
		}
	}
	s.body = strings.TrimSpace(parts[1])
	for line := range strings.Lines(strings.TrimSpace(parts[2])) {
		cells := strings.Split(strings.TrimPrefix(strings.TrimSpace(line), "- "), " | ")
		if len(cells) != 3 {
			return s, fmt.Errorf("starter item %q has %d parts, want 3", line, len(cells))
		}
		purpose := cells[0]
		s.items = append(s.items, Item{Purpose: purpose, Text: cells[1], Hint: cells[2], Required: purpose == Interview || purpose == Survey})
	}
	return s, nil
}
