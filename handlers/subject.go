package handlers

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/studies"
)

// subject is a base whose fields are named by one area of the catalogue: the label of a field is "<area>.<name>" and its
// hint "<area>.<name>_hint". The same field name means different things on different pages.
type subject struct {
	base
	area string
}

func (v *visit) subject(area, title string, args ...any) subject {
	return subject{v.page(title, args...), area}
}

func (p subject) named(name string, options []string) []string {
	return append([]string{"label=" + p.area + "." + name, "hint=" + p.area + "." + name + "_hint"}, options...)
}

// Ask is a field to type in.
func (p subject) Ask(name string, options ...string) field {
	return p.Input(name, p.named(name, options)...)
}

// Pick is a field with a list.
func (p subject) Pick(name string, choices []choice, options ...string) field {
	return p.Select(name, choices, p.named(name, options)...)
}

// Choose is a field with every choice in sight.
func (p subject) Choose(name string, choices []choice, options ...string) field {
	return p.Radio(name, choices, p.named(name, options)...)
}

// Owns says whether the visitor may change the team and read the log.
func (p subject) Owns() bool { return p.Role == studies.Owner }

// refused is againForm where each fault says which field it is about: "must be filled in" helps nobody in a summary.
func (v *visit) refused(area string, err error) form {
	f := v.againForm(err)
	for i, e := range f.Errors {
		if label := area + "." + e.Name; e.Name != "" && v.text.Has(label) {
			f.Errors[i].Text = aboutField(v.text.T(label), e.Text)
		}
	}
	return f
}

// aboutField puts the field before the fault; after a question the fault is a sentence of its own.
func aboutField(label, fault string) string {
	if strings.HasSuffix(label, "?") {
		return label + " " + fault
	}
	first, size := utf8.DecodeRuneInString(fault)
	return label + ": " + string(unicode.ToLower(first)) + fault[size:]
}

// about puts a fault that concerns the form as a whole beside the field that can mend it.
func (f form) about(name string) form {
	if len(f.Errors) == 1 && f.Errors[0].Name == "" {
		f.Errors[0].Name = name
	}
	return f
}

// chosen is a fault where a field to choose in was left, or holds what was not offered.
func (v *visit) chosen(name string, choices []choice) error {
	for _, c := range choices {
		if c.Value == v.value(name) {
			return nil
		}
	}
	return faultAt(errs.Invalid, name, "studies.choose")
}
