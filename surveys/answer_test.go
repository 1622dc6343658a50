package surveys_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/surveys"

	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name    string
		page    int
		raw     map[string][]string
		answers surveys.Answers
		faults  []string
	}{
		{name: "everything", page: -1,
			raw:     map[string][]string{"q_importance": {"4"}, "q_arenas": {"lab", "course"}, "q_years": {" 12 "}, "q_title": {"to ord"}, "q_more": {"a\r\nb"}},
			answers: surveys.Answers{"importance": "4", "arenas": []string{"course", "lab"}, "years": int64(12), "title": "to ord", "more": "a\nb"}},
		{name: "nothing", page: -1, answers: surveys.Answers{}, faults: []string{"q_importance surveys.choose"}},
		{name: "a page asks for its own alone", page: 1, raw: map[string][]string{"q_importance": {"4"}, "q_years": {"0"}}, answers: surveys.Answers{"years": int64(0)}},
		{name: "don't know is an answer", page: 0, raw: map[string][]string{"q_importance": {"dk"}, "q_arenas": {"dk"}}, answers: surveys.Answers{"importance": "dk", "arenas": []string{"dk"}}},
		{name: "don't know stands alone", page: 0, raw: map[string][]string{"q_importance": {"1"}, "q_arenas": {"lab", "dk"}}, answers: surveys.Answers{"importance": "1"}, faults: []string{"q_arenas surveys.apart"}},
		{name: "not offered", page: 0, raw: map[string][]string{"q_importance": {"6"}, "q_arenas": {"lab", "Lab"}}, answers: surveys.Answers{}, faults: []string{"q_importance surveys.not_offered", "q_arenas surveys.not_offered"}},
		{name: "two of one", page: 0, raw: map[string][]string{"q_importance": {"1", "2"}}, answers: surveys.Answers{}, faults: []string{"q_importance surveys.only_one"}},
		{name: "blank is unanswered", page: 1, raw: map[string][]string{"q_years": {"  "}, "q_title": {"\x00\t"}, "q_more": {""}}, answers: surveys.Answers{}},
		{name: "no number", page: 1, raw: map[string][]string{"q_years": {"12,5"}}, answers: surveys.Answers{}, faults: []string{"q_years surveys.integer"}},
		{name: "too low", page: 1, raw: map[string][]string{"q_years": {"-1"}}, answers: surveys.Answers{}, faults: []string{"q_years surveys.at_least"}},
		{name: "too high", page: 1, raw: map[string][]string{"q_years": {"61"}}, answers: surveys.Answers{}, faults: []string{"q_years surveys.at_most"}},
		{name: "beyond any number", page: 1, raw: map[string][]string{"q_years": {strings.Repeat("9", 400)}}, answers: surveys.Answers{}, faults: []string{"q_years surveys.integer"}},
		{name: "too long by one character, not by bytes", page: 1, raw: map[string][]string{"q_title": {strings.Repeat("ø", 11)}}, answers: surveys.Answers{}, faults: []string{"q_title too_long"}},
		{name: "just short enough", page: 1, raw: map[string][]string{"q_title": {strings.Repeat("ø", 10)}}, answers: surveys.Answers{"title": strings.Repeat("ø", 10)}},
		{name: "a megabyte", page: 1, raw: map[string][]string{"q_more": {strings.Repeat("x", 1<<20)}}, answers: surveys.Answers{}, faults: []string{"q_more too_long"}},
		{name: "control characters and broken UTF-8", page: 1, raw: map[string][]string{"q_title": {"a\x00b\nc\x1b"}, "q_more": {"\xffok"}}, answers: surveys.Answers{"title": "ab c", "more": "\uFFFDok"}},
		{name: "inputs of the page itself", page: 1, raw: map[string][]string{"years": {"5"}, "form": {"key"}, "q_nothing": {"1"}}, answers: surveys.Answers{}},
		{name: "an answer to a note", page: 0, raw: map[string][]string{"q_intro": {"x"}, "q_importance": {"1"}}, answers: surveys.Answers{"importance": "1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := form()
			answers, err := surveys.Validate(&v, test.page, test.raw)
			if diff := cmp.Diff(test.answers, answers); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.faults, faults(err)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if (err != nil) != (errs.KindOf(err) == errs.Invalid) {
				t.Errorf("error %v is not Invalid", err)
			}
		})
	}
}

func faults(err error) (all []string) {
	for _, f := range errs.FieldsOf(err) {
		all = append(all, f.Name+" "+f.Code)
	}
	return all
}

func TestFormChecks(t *testing.T) {
	question := func(q surveys.Question) func(*surveys.Form) {
		return func(f *surveys.Form) { f.Pages[1].Questions = append(f.Pages[1].Questions, q) }
	}
	one, two := 1, 2
	tests := []struct {
		name   string
		change func(*surveys.Form)
		faults []string
	}{
		{"no languages", func(f *surveys.Form) { f.Languages = nil }, []string{"languages required", "title required"}},
		{"an unknown language", func(f *surveys.Form) { f.Languages = []string{"nb", "xx"} }, []string{"languages surveys.language"}},
		{"a language twice", func(f *surveys.Form) { f.Languages = []string{"nb", "nb"} }, []string{"languages surveys.language"}},
		{"no questions", func(f *surveys.Form) { f.Pages = nil }, []string{"pages surveys.no_questions"}},
		{"a name twice", question(surveys.Question{Name: "years", Type: surveys.Note}), []string{"q_years surveys.name_taken"}},
		{"a name with a blank", question(surveys.Question{Name: "a b", Type: surveys.Note}), []string{"q_a b surveys.name_shape"}},
		{"an unknown type", question(surveys.Question{Name: "x", Type: "geopoint"}), []string{"q_x surveys.type"}},
		{"a list that is not there", question(surveys.Question{Name: "x", Type: surveys.Single, Scale: "none"}), []string{"q_x surveys.no_list"}},
		{"a scale of words", question(surveys.Question{Name: "x", Type: surveys.Likert, Scale: "arenas"}), []string{"q_x surveys.scale_numbers"}},
		{"limits the wrong way round", question(surveys.Question{Name: "x", Type: surveys.Integer, Min: &two, Max: &one}), []string{"q_x surveys.limits"}},
		{"a value twice", func(f *surveys.Form) { f.Lists["arenas"][1].Value = "course" }, []string{"list_arenas surveys.values"}},
		{"a label of a megabyte", question(surveys.Question{Name: "x", Type: surveys.Note, Label: text(strings.Repeat("x", 1<<20))}), []string{"q_x too_long", "q_x too_long", "q_x too_long"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := form()
			test.change(&f)
			_, err := new(surveys.Surveys).Create(t.Context(), staff, study, f)
			if diff := cmp.Diff(test.faults, faults(err)); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever strangers type, the answers that hold survive storing and checking again unchanged.
func FuzzValidate(f *testing.F) {
	f.Add("4", "lab", "12", "to ord", "a\r\nb")
	f.Add("dk", "dk", "-0", "\x00", "\xff\u2028")
	f.Fuzz(func(t *testing.T, importance, arena, years, title, more string) {
		v := form()
		raw := map[string][]string{"q_importance": {importance}, "q_arenas": {arena, "lab"}, "q_years": {years}, "q_title": {title}, "q_more": {more}}
		answers, _ := surveys.Validate(&v, -1, raw)
		stored, err := json.Marshal(answers)
		must(t, err)
		var read surveys.Answers
		must(t, json.Unmarshal(stored, &read))
		again, err := surveys.Validate(&v, -1, read.Raw())
		if diff := cmp.Diff(answers, again); diff != "" {
			t.Errorf("checked again (-first +second):\n%s", diff)
		}
		if fields := faults(err); slices.ContainsFunc(fields, func(s string) bool { return s != "q_importance surveys.choose" }) {
			t.Errorf("faults in what held: %v", fields)
		}
	})
}
