package handlers

import (
	"slices"
	"testing"

	"example.org/feltbok/imports"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/tabular"
	"example.org/feltbok/recruitment"
)

func words[T ~string](all []T) []string {
	var out []string
	for _, one := range all {
		out = append(out, string(one))
	}
	return out
}

// What a list may say is what the study's packages have, and the words of our own pages are read in every language.
func TestListsSpeakTheWordsOfThePages(t *testing.T) {
	catalogue, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	frame := imports.Frame{SizeOf: func(int) string { return "" }}
	for field, want := range map[imports.Field][]string{imports.Relation: words(recruitment.Relations()), imports.Source: words(recruitment.Sources()),
		imports.Size: words(recruitment.Sizes()), imports.Audience: {"company", "administration"}, imports.Language: i18n.Languages} {
		got := frame.Values(field)
		if !slices.Equal(got, want) {
			t.Errorf("%s can be %q, the study has %q", field, got, want)
		}
		for _, lang := range i18n.Languages {
			for _, value := range got {
				word := catalogue.Text(lang).T(importWords[field] + value)
				row := frame.Read(imports.Mapping{Columns: map[imports.Field]int{field: 0}}, tabular.Row{Cells: []string{word}})
				read := map[imports.Field]string{imports.Relation: row.Relation, imports.Source: row.Source, imports.Size: row.Size,
					imports.Audience: row.Audience, imports.Language: row.Language}[field]
				if read != value {
					t.Errorf("%s in %s: %q is read as %q, want %q", field, lang, word, read, value)
				}
			}
		}
	}
	// Every field, hint, outcome, state and fault has its words.
	for _, lang := range i18n.Languages {
		text := catalogue.Text(lang)
		for _, survey := range []bool{true, false} {
			frame.Survey = survey
			for _, field := range slices.Concat(frame.Vault(), frame.Study()) {
				if !text.Has("import.field." + string(field)) {
					t.Errorf("no text for the field %s in %s", field, lang)
				}
			}
		}
		for _, outcome := range []imports.Outcome{imports.Fresh, imports.Duplicate, imports.Sampled, imports.SameList, imports.LeftOut, imports.Refused} {
			if !text.Has("import.outcome." + string(outcome)) {
				t.Errorf("no text for the outcome %s in %s", outcome, lang)
			}
		}
	}
}
