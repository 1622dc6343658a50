package handlers

import (
	"net/url"
	"strconv"
	"strings"

	"example.org/feltbok/recruitment"
)

// attributesPage is how a study tells companies apart, and what else it wants to know of its candidates.
type attributesPage struct {
	subject
	Scheme recruitment.Scheme
}

func (s *Server) attributes(v *visit) error {
	p, err := s.attributesPageOf(v)
	if err != nil {
		return err
	}
	return v.show("staff/attributes", p)
}

// attributesPageOf fills both forms with what holds now.
func (s *Server) attributesPageOf(v *visit) (p attributesPage, err error) {
	p = attributesPage{subject: v.subject("traits", "traits.title")}
	p.Here = "settings"
	if p.Scheme, err = s.Recruitment.Scheme(v.ctx(), v.study.ID); err != nil {
		return p, err
	}
	own, err := s.Recruitment.Attributes(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	values := url.Values{"scheme": {p.Scheme.Name}, "attributes": {attributeLines(own)}}
	if p.Scheme.Name == recruitment.OwnScheme {
		for name, most := range map[string]int{"micro": p.Scheme.Micro, "small": p.Scheme.Small, "medium": p.Scheme.Medium} {
			if most > 0 {
				values.Set(name, strconv.Itoa(most))
			}
		}
	}
	p.Form = v.newForm(values)
	return p, nil
}

// Schemes are the ways to tell sizes apart, each with its bounds.
func (p attributesPage) Schemes() []choice {
	var names []string
	for _, scheme := range recruitment.Schemes() {
		names = append(names, scheme.Name)
	}
	return p.worded("traits.scheme", append(names, recruitment.OwnScheme)...)
}

// attributesAgain shows the page with what was typed into one of its forms, and the other as it is.
func (s *Server) attributesAgain(v *visit, refused error, about string) error {
	p, err := s.attributesPageOf(v)
	if err != nil {
		return err
	}
	values := p.Form.Values
	p.Form = v.refused("traits", refused).about(about)
	for name := range values {
		if _, typed := p.Form.Values[name]; !typed {
			p.Form.Values[name] = values[name]
		}
	}
	return v.again(refused, "staff/attributes", p)
}

func (s *Server) sizesSet(v *visit) error {
	scheme := recruitment.Scheme{Name: v.value("scheme"), Micro: v.bound("micro"), Small: v.bound("small"), Medium: v.bound("medium")}
	err := s.Recruitment.SetScheme(v.ctx(), v.actor(), v.study.ID, scheme)
	if mendable(err) {
		return s.attributesAgain(v, err, "scheme")
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/attributes"), "sizes_set")
}

// bound reads a number of employees; an empty field is 0, for a size that the scheme has not, and what is no number is
// refused with the rest.
func (v *visit) bound(name string) int {
	if v.value(name) == "" {
		return 0
	}
	return digitsOr(v.value(name), -1)
}

func (s *Server) attributesSet(v *visit) error {
	err := s.Recruitment.SetAttributes(v.ctx(), v.actor(), v.study.ID, readAttributes(v.value("attributes")))
	if mendable(err) {
		return s.attributesAgain(v, err, "attributes")
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/attributes"), "attributes_set")
}

// readAttributes reads lines as they are shown: "Region: Vest, Øst".
func readAttributes(text string) (all []recruitment.Attribute) {
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, values, _ := strings.Cut(line, ":")
		all = append(all, recruitment.Attribute{Name: name, Values: strings.Split(values, ",")})
	}
	return all
}

func attributeLines(all []recruitment.Attribute) string {
	lines := make([]string, len(all))
	for i, a := range all {
		lines[i] = a.Name + ": " + strings.Join(a.Values, ", ")
	}
	return strings.Join(lines, "\n")
}
