package consents

import (
	"regexp"
	"slices"
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
}

func (f Fields) values() map[string]string {
	return map[string]string{
		"title": f.Title, "purpose": f.Purpose, "questions": strings.Join(f.Questions, "\n"), "institution": f.Institution,
		"project_contact": f.ProjectContact, "supervisor": f.Supervisor, "supervisor_contact": f.SupervisorContact,
		"officer": f.Officer, "officer_contact": f.OfficerContact, "assessment": f.Assessment, "ends_on": f.EndsOn,
		"duration": f.Duration,
	}
}

// expected are the fields without which a letter hardly tells what GDPR articles 13 and 14 ask for.
var expected = []string{"purpose", "institution", "project_contact", "officer", "officer_contact", "ends_on"}

var fieldPattern = regexp.MustCompile(`\{\{(.*?)\}\}`)

// Missing names the fields that a letter should use and does not. It is advice: the same may stand there in plain words,
// so Publish does not refuse it.
func Missing(body string) []string {
	used := fieldsIn(body)
	return slices.DeleteFunc(slices.Clone(expected), func(name string) bool { return slices.Contains(used, name) })
}

// unknown lists what stands in braces and is no field, and braces that do not close.
func unknown(text string) []string {
	names := slices.DeleteFunc(fieldsIn(text), func(name string) bool {
		_, ok := Fields{}.values()[name]
		return ok
	})
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

// empty lists the fields that text uses and f leaves blank.
func (f Fields) empty(text string) []string {
	values := f.values()
	return slices.DeleteFunc(fieldsIn(text), func(name string) bool {
		value, ok := values[name]
		return !ok || strings.TrimSpace(value) != ""
	})
}

// plain fills the fields of a text that is shown as it is.
func (f Fields) plain(text string) string { return fill(text, f.values()) }

// markdown fills the fields of a letter's body: an asterisk in a project's title stays an asterisk.
func (f Fields) markdown(text string) string {
	values := f.values()
	for name, value := range values {
		values[name] = escapeMarkdown.Replace(strings.TrimSpace(value))
	}
	if values["questions"] != "" {
		values["questions"] = "- " + strings.ReplaceAll(values["questions"], "\n", "\n- ")
	}
	return fill(text, values)
}

// The underscore is left out: within a word it means nothing, and an e-mail address must stay one.
var escapeMarkdown = strings.NewReplacer(`\`, `\\`, "*", `\*`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`, "#", `\#`)

// fill replaces once, so that braces within a value are not taken for a field.
func fill(text string, values map[string]string) string {
	return fieldPattern.ReplaceAllStringFunc(text, func(match string) string {
		return values[strings.TrimSpace(match[2:len(match)-2])]
	})
}
