package consents

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Fields is what a letter takes from the study record, each as the reader of one language is to see it.
type Fields struct {
	Title             string   // the project's, {{title}}
	Purpose           string   // {{purpose}}
	Questions         []string // research questions, {{questions}}: a list in the letter
	Institution       string   // who is responsible, {{institution}}
	ProjectContact    string   // {{project_contact}}
	Supervisor        string   // {{supervisor}}
	SupervisorContact string   // {{supervisor_contact}}
	Officer           string   // data protection officer, {{officer}}
	OfficerContact    string   // {{officer_contact}}
	Assessment        string   // who assessed the processing, and its reference, {{assessment}}
	EndsOn            string   // a date in words, {{ends_on}}
	Duration          string   // of the conversation or the survey, such as "60 minutter", {{duration}}
	AgeReason         string   // why there is a limit of age, {{age_reason}}
	Setting           Setting
	Own               map[string]string // what the team wrote for other fields, such as {{uses}}; what is not there is said in our words
}

// columns are the fields that the record holds for themselves.
func (f Fields) columns() map[string]string {
	values := map[string]string{
		"title": f.Title, "purpose": f.Purpose, "questions": strings.Join(f.Questions, "\n"), "institution": f.Institution,
		"project_contact": f.ProjectContact, "supervisor": f.Supervisor, "supervisor_contact": f.SupervisorContact,
		"officer": f.Officer, "officer_contact": f.OfficerContact, "assessment": f.Assessment, "ends_on": f.EndsOn,
		"duration": f.Duration, "age_reason": f.AgeReason, "proof": f.Setting.Proof, "minimum_age": "",
	}
	if f.Setting.MinimumAge > 0 {
		values["minimum_age"] = strconv.Itoa(f.Setting.MinimumAge)
	}
	return values
}

// worded are the fields that have words of ours.
var worded = []string{"uses", "why", "source", "methods", "other_sources", "recording", "age", "signature", "withdrawal", "access",
	"security", "processors", "transfers", "recognition", "after_end", "rights", "legal_basis"}

// sometimes are the fields that stand empty where the study has nothing of the kind.
var sometimes = []string{"age", "signature", "recording", "age_reason", "minimum_age", "proof"}

// Needed names what a letter to an audience has to tell (GDPR articles 13 and 14, and the guidance on information letters
// in research), in the order of the letter.
func Needed(audience string, s Setting) []string {
	needed := []string{"purpose", "questions", "uses", "institution", "why", "source", "methods", "duration", "other_sources", "withdrawal",
		"access", "security", "processors", "transfers", "recognition", "ends_on", "after_end", "rights", "legal_basis", "assessment",
		"project_contact", "supervisor", "officer", "officer_contact"}
	if audience != Respondent {
		needed = append(needed, "recording")
	}
	if s.MinimumAge > 0 {
		needed = append(needed, "age")
	}
	if s.Signature != "" {
		needed = append(needed, "signature")
	}
	return needed
}

var fieldPattern = regexp.MustCompile(`\{\{(.*?)\}\}`)

// Gaps names what a draft has to tell and neither has the field for nor is said to tell in words of its own. Publish
// refuses it.
func (d Draft) Gaps(s Setting) []string {
	st, err := starterOf(d.Audience, d.Language, d.Basis, s)
	if err != nil {
		return nil
	}
	used := fieldsIn(d.Title + d.Body + st.short())
	return slices.DeleteFunc(Needed(d.Audience, s), func(name string) bool {
		return slices.Contains(used, name) || slices.Contains(d.Told, name)
	})
}

func isField(name string) bool {
	_, column := Fields{}.columns()[name]
	return column || slices.Contains(worded, name)
}

// unknown lists what stands in braces and is no field, and braces that do not close.
func unknown(text string) []string {
	names := slices.DeleteFunc(fieldsIn(text), isField)
	rest := fieldPattern.ReplaceAllString(text, "")
	for _, brace := range []string{"{{", "}}"} {
		if strings.Contains(rest, brace) {
			names = append(names, brace)
		}
	}
	return names
}

func fieldsIn(text string) (names []string) {
	for _, match := range fieldPattern.FindAllStringSubmatch(text, -1) {
		if name := strings.TrimSpace(match[1]); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// empty lists the fields that text uses and values leave blank.
func empty(text string, values map[string]string) []string {
	return slices.DeleteFunc(fieldsIn(text), func(name string) bool {
		return !isField(name) || slices.Contains(sometimes, name) || strings.TrimSpace(values[name]) != ""
	})
}

// inMarkdown fills the fields of a letter's body: an asterisk in a project's title stays an asterisk.
func inMarkdown(text string, values map[string]string) string {
	escaped := make(map[string]string, len(values))
	for name, value := range values {
		escaped[name] = escapeMarkdown.Replace(strings.TrimSpace(value))
	}
	if escaped["questions"] != "" {
		escaped["questions"] = "- " + strings.ReplaceAll(escaped["questions"], "\n", "\n- ")
	}
	return blankLines.ReplaceAllString(strings.TrimSpace(fill(text, escaped)), "\n\n")
}

// blankLines that a field without words leaves behind.
var blankLines = regexp.MustCompile(`\n{3,}`)

// The underscore is left out: within a word it means nothing, and an e-mail address must stay one.
var escapeMarkdown = strings.NewReplacer(`\`, `\\`, "*", `\*`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`, "#", `\#`)

// fill replaces once, so that braces within a value are not taken for a field.
func fill(text string, values map[string]string) string {
	return fieldPattern.ReplaceAllStringFunc(text, func(match string) string {
		return values[strings.TrimSpace(match[2:len(match)-2])]
	})
}
