package handlers

import (
	"net/url"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// editPage corrects what is known about somebody. The vault's part shows only after it was opened.
type editPage struct {
	asking
	Person     recruitment.Participant
	Attributes []recruitment.Attribute // the study's own
	Who        bool                    // name and contact are open
}

func (s *Server) personEdit(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	return s.showEdit(v, one, nil)
}

func (s *Server) newEditPage(v *visit, one recruitment.Participant) (p editPage, err error) {
	p = editPage{asking: asking{v.page("people.edit.title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	p.Attributes, err = s.Recruitment.Attributes(v.ctx(), v.study.ID)
	return p, err
}

func (s *Server) showEdit(v *visit, one recruitment.Participant, who *identities.Identity) error {
	p, err := s.newEditPage(v, one)
	if err != nil {
		return err
	}
	p.Path = v.onePath(one.ID) + "/edit"
	p.Form.Values = url.Values{"code": {one.Code}, "case": {string(one.Case)}, "audience": {one.Audience}, "relation": {string(one.Relation)},
		"size": {string(one.Size)}, "title": {one.Title}, "source": {string(one.Source)}}
	for key, value := range one.Attributes {
		p.Form.Values.Set(attributeField+key, value)
	}
	if who != nil {
		p.Who = true
		for name, value := range map[string]string{"name": who.Name, "email": who.Email, "phone": who.Phone, "organisation": who.Organisation,
			"exact_title": who.Title, "note": who.Note, "language": who.Language} {
			p.Form.Values.Set(name, value)
		}
	}
	return v.show("staff/person_edit", p)
}

func (s *Server) personEdited(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	err = s.saveEdit(v, one)
	if mendable(err) {
		p, failed := s.newEditPage(v, one)
		if failed != nil {
			return failed
		}
		p.Form, p.Who = v.againForm(err), v.opened()
		return v.again(err, "staff/person_edit", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.onePath(one.ID), "person_edited")
}

// opened says whether name and contact are part of the form.
func (v *visit) opened() bool { return v.value("opened") == "yes" }

// saveEdit checks both stores' parts before it writes either.
func (s *Server) saveEdit(v *visit, one recruitment.Participant) error {
	d := recruitment.Details{Code: v.value("code"), Case: id.Case(v.value("case")), Audience: v.value("audience"),
		Relation: recruitment.Relation(v.value("relation")), Size: recruitment.Size(v.value("size")), Title: v.value("title"), Attributes: v.typedAttributes(),
		Source: recruitment.Source(v.value("source"))}
	as := recruitment.Participant{ID: one.ID, Study: v.study.ID, Code: d.Code, Case: d.Case, Audience: d.Audience, Relation: d.Relation,
		Size: d.Size, Title: d.Title, Source: d.Source, Attributes: d.Attributes}
	who := v.typedIdentity()
	var notWho error
	if v.opened() {
		notWho = identityFaults(who)
	}
	if err := gatherFaults(v.checkCase(d.Case), s.checkDetails(v, as), notWho); err != nil {
		return err
	}
	if err := codeField(s.Recruitment.Edit(v.ctx(), v.actor(), v.study.ID, one.ID, d)); err != nil || !v.opened() {
		return err
	}
	return s.Vault.Put(v.ctx(), v.actor(), "correction", v.study.ID, one.ID, who)
}
