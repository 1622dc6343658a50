package surveys_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/surveys"

	"github.com/google/go-cmp/cmp"
)

func themes() []surveys.Theme {
	var all []surveys.Theme
	for _, row := range []struct{ category, keys string }{
		{"driver", "knowledge_sharing networking visibility access_to_resources insight_into_new_markets cluster_management"},
		{"barrier", "time cost competition low_activity"},
		{"arena", "hackathon conference_or_fair course lab seminar ideation other_projects"},
	} {
		for key := range strings.FieldsSeq(row.keys) {
			label := strings.ToUpper(key[:1]) + strings.ReplaceAll(key[1:], "_", " ")
			all = append(all, surveys.Theme{Key: key, Category: row.category, Label: surveys.Text{"nb": label}})
		}
	}
	return all
}

func TestDraftFromCodingMatrix(t *testing.T) {
	cases := surveys.Background{Cases: []surveys.Choice{{Value: "A", Label: text("Klynge A")}, {Value: "B", Label: text("Klynge B")}}}
	f := surveys.Draft(surveys.Text{"nb": "Samskaping i klyngene"}, themes(), cases)
	var items, perPage []int
	seen := map[string]bool{}
	for page, q := range f.Questions() {
		if q.Type != surveys.Likert {
			continue
		}
		items = append(items, page)
		if q.Theme == "" || seen[q.Theme] || q.Scale != "importance" {
			t.Errorf("%s: theme %q, scale %q", q.Name, q.Theme, q.Scale)
		}
		seen[q.Theme] = true
	}
	for page := range f.Pages {
		perPage = append(perPage, len(slices.DeleteFunc(slices.Clone(items), func(p int) bool { return p != page })))
	}
	if !slices.Equal(perPage, []int{6, 4, 7, 0, 0}) {
		t.Errorf("items per page %v, want 6 drivers, 4 barriers, 7 arenas, words, background", perPage)
	}
	barrier := f.Pages[1].Questions[3].Label
	want := surveys.Text{
		"nb": "Hvor mye betyr low activity som hinder for samskaping i klyngen?",
		"nn": "Kor mykje har low activity å seie som hinder for samskaping i klynga?",
		"en": "How important do you find low activity as a barrier to co-creation in the cluster?",
	}
	if diff := cmp.Diff(want, barrier); diff != "" {
		t.Errorf("wording (-want +got):\n%s", diff)
	}
	scale := f.Lists["importance"]
	for i, choice := range scale {
		if choice.Missing != (i == len(scale)-1) || len(scale) != 6 {
			t.Errorf("choice %d of %d: %+v; only the last stands apart", i, len(scale), choice)
		}
	}
	if last := f.Lists["case"]; len(last) != 3 || last[2].Value != "other" || len(cases.Cases) != 2 {
		t.Errorf("cases %v", last)
	}
}

// A drafted form can be opened as it stands: names hold, and every wording is there in three languages.
func TestDraftCanBeOpened(t *testing.T) {
	odd := append(themes(), surveys.Theme{Key: "NCE og Øst", Category: "Støtte", Label: surveys.Text{"nb": "NCE-status"}})
	for name, drafted := range map[string]surveys.Form{
		"thesis":    surveys.Draft(text("Tittel"), themes(), surveys.Background{}),
		"odd":       surveys.Draft(surveys.Text{"en": "Title"}, odd, surveys.Background{}),
		"no themes": surveys.Draft(text("Tittel"), nil, surveys.Background{}),
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
				f := newField(t, db)
				survey, err := f.Create(t.Context(), staff, study, drafted)
				must(t, err)
				must(t, f.Open(t.Context(), staff, study, survey))
				read, err := f.FormAt(t.Context(), study, survey, 1)
				must(t, err)
				if diff := cmp.Diff(drafted, read); diff != "" {
					t.Errorf("drafted and read back (-drafted +read):\n%s", diff)
				}
			})
		})
	}
	last := surveys.Draft(text("Tittel"), odd, surveys.Background{}).Pages[3].Questions[0]
	if got := last.Label["nb"]; got != "Hvor mye betyr NCE-status for samskaping i klyngen?" {
		t.Errorf("an abbreviation under a category of its own: %q", got)
	}
}

// Languages differ in words only: same lists, same values, as many of each.
func TestWordingsDifferBetweenLanguages(t *testing.T) {
	f := surveys.Draft(text("Tittel"), themes(), surveys.Background{})
	for _, q := range f.Questions() {
		if words := slices.Compact(slices.Sorted(maps.Values(q.Label))); len(words) != 3 {
			t.Errorf("%s: %v", q.Name, words)
		}
	}
}
