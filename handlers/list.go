package handlers

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// What a list of candidates is asked for lives in its address, and in the saved views as what the address says. The fields
// are: q, case (id or code), size (or group of sizes), state (or stage), audience, relation, source, recruiter (a code), one
// "attribute_KEY" for each of the study's own, sort (an order, behind "-" if it is turned about), and after or before.

// downward stands before an order that begins with the highest.
const downward = "-"

// candidateFilter reads the filter in the address.
func (v *visit) candidateFilter() recruitment.Filter { return queryOf(v, v.Request.URL.Query()).Filter }

// queryOf reads what is asked for. What nobody can meet stays, and shows nobody; an order that is none is the usual one.
func queryOf(v *visit, values url.Values) (q recruitment.Query) {
	q.Text, q.Case = values.Get("q"), id.Case(values.Get("case"))
	for _, c := range v.study.Cases {
		if c.Code == values.Get("case") {
			q.Case = c.ID
		}
	}
	if size := values.Get("size"); slices.Contains(recruitment.Groups(), size) {
		q.Group = size
	} else {
		q.Size = recruitment.Size(size)
	}
	if state := values.Get("state"); slices.Contains(recruitment.Stages(), recruitment.Stage(state)) {
		q.Stage = recruitment.Stage(state)
	} else {
		q.State = recruitment.State(state)
	}
	q.Audience, q.Relation = values.Get("audience"), recruitment.Relation(values.Get("relation"))
	q.Source, q.Recruiter = recruitment.Source(values.Get("source")), strings.TrimSpace(values.Get("recruiter"))
	for name := range values {
		if key, own := strings.CutPrefix(name, attributeField); own && values.Get(name) != "" {
			if q.Attributes == nil {
				q.Attributes = map[string]string{}
			}
			q.Attributes[key] = values.Get(name)
		}
	}
	order, down := strings.CutPrefix(values.Get("sort"), downward)
	if slices.Contains(recruitment.Orders(), recruitment.Order(order)) {
		q.Order, q.Down = recruitment.Order(order), down
	}
	q.After, q.Before = values.Get("after"), values.Get("before")
	return q
}

// values are what an address says for a query, without the place in the list: the same for the same query.
func (b base) values(q recruitment.Query) url.Values {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("q", strings.TrimSpace(q.Text))
	set("case", string(q.Case))
	set("size", string(q.Size))
	set("size", q.Group)
	set("state", string(q.State))
	set("state", string(q.Stage))
	set("audience", q.Audience)
	set("relation", string(q.Relation))
	set("source", string(q.Source))
	set("recruiter", q.Recruiter)
	for key, value := range q.Attributes {
		set(attributeField+key, value)
	}
	switch {
	case q.Down:
		set("sort", downward+string(cmp.Or(q.Order, recruitment.ByCode)))
	case q.Order != recruitment.ByCode:
		set("sort", string(q.Order))
	}
	return values
}

// viewLink is a saved view as a link.
type viewLink struct {
	recruitment.View
	Address string
	Current bool
}

// link makes links of the study's views.
func (p *candidatesPage) link(views []recruitment.View) {
	here := p.list(p.Query)
	for _, view := range views {
		address := p.list(view.Query)
		p.Views = append(p.Views, viewLink{view, address, address == here})
	}
}

// CurrentView is the view that this list is, or nil.
func (p candidatesPage) CurrentView() *viewLink {
	if i := slices.IndexFunc(p.Views, func(l viewLink) bool { return l.Current }); i >= 0 {
		return &p.Views[i]
	}
	return nil
}

// Savable says whether the list is asked for something that a view can be made of.
func (p candidatesPage) Savable() bool {
	return p.Writes() && p.CurrentView() == nil && p.Query.Recruiter == "" && len(p.values(p.Query)) > 0
}

// Shown is the query in the form that saves it.
func (p candidatesPage) Shown() string { return p.values(p.Query).Encode() }

// typedQuery reads the query that a form was made for.
func (v *visit) typedQuery(name string) recruitment.Query {
	values, err := url.ParseQuery(v.value(name))
	if err != nil {
		values = nil
	}
	return queryOf(v, values)
}

// viewSave keeps the filter and order of the list under a name.
func (s *Server) viewSave(v *visit) error {
	q := v.typedQuery("list")
	q.After, q.Before = "", ""
	err := s.Recruitment.SaveView(v.ctx(), v.actor(), v.study.ID, v.value("name"), q)
	if mendable(err) {
		p, failed := s.candidatesPageOf(v, q, "")
		if failed != nil {
			return failed
		}
		values := p.Form.Values
		p.Form = v.againForm(err).about("name")
		for name := range values {
			p.Form.Values[name] = values[name]
		}
		return v.again(err, "staff/candidates", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.listPath(q), "view_saved")
}

// viewRemove forgets a view.
func (s *Server) viewRemove(v *visit) error {
	view := id.View(v.Param("view"))
	if !id.Valid(view) {
		return recruitment.ErrNoView
	}
	if err := s.Recruitment.RemoveView(v.ctx(), v.actor(), v.study.ID, view); err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/candidates"), "view_removed")
}

// listPath is the address of a list.
func (v *visit) listPath(q recruitment.Query) string {
	p := candidatesPage{asking: asking{base{Study: v.study}}, Query: q}
	return listPath(p.base, p.here())
}

// attributeField begins the names of the fields of the study's own attributes.
const attributeField = "attribute_"

// Own are the fields of the study's own attributes.
func (a asking) Own(attributes []recruitment.Attribute) (fields []field) {
	for _, one := range attributes {
		var choices []choice
		for _, value := range one.Values {
			choices = append(choices, choice{Value: value, Label: value})
		}
		f := a.Select(attributeField+one.Key, choices, "optional")
		f.Label = one.Name
		fields = append(fields, f)
	}
	return fields
}

// ownOf are a participant's own attributes, in the study's order.
func (a asking) ownOf(p recruitment.Participant, attributes []recruitment.Attribute) (values []string) {
	for _, one := range attributes {
		if value := p.Attributes[one.Key]; value != "" {
			values = append(values, value)
		}
	}
	return values
}

// typedAttributes reads the study's own attributes from a form.
func (v *visit) typedAttributes() map[string]string {
	typed := map[string]string{}
	for name := range v.form {
		if key, own := strings.CutPrefix(name, attributeField); own && v.value(name) != "" {
			typed[key] = v.value(name)
		}
	}
	return typed
}
