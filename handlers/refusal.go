package handlers

import (
	"net/http"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/links"
)

// refusalPath is where somebody says that they want to hear no more. The address is the capability: there is no session.
const refusalPath = "/u/:token"

// What a mail program hands in where its reader pressed its own button (RFC 8058 §3.1).
const (
	oneClickField = "List-Unsubscribe"
	oneClick      = "One-Click"
)

// oneClick says whether this is a mail program at work. It has no page to take a form's key from, and none is needed: a
// browser on another site's behalf says so in Sec-Fetch-Site or Origin, and what names neither is no browser.
func (v *visit) oneClick() bool {
	return v.route.path == refusalPath && v.form.Get(oneClickField) == oneClick && !v.form.Has(formKeyField) &&
		v.GetHeader("Sec-Fetch-Site") == "" && v.GetHeader("Origin") == ""
}

// refusalPage asks what to stop. It names neither topic nor person: who opens it may be somebody's colleague.
type refusalPage struct {
	base
	Barred bool // they said it before
}

const (
	refuseContact = "contact"
	refuseAll     = "all"
	refuseNothing = "nothing"
)

// Choices stand side by side; nothing is chosen beforehand.
func (p refusalPage) Choices() field {
	offered := []string{refuseContact, refuseAll, refuseNothing}
	legend := "refusal.question"
	if p.Barred {
		offered, legend = []string{refuseAll, refuseNothing}, "refusal.question_again"
	}
	var choices []choice
	for _, code := range offered {
		key := "refusal.choice." + code
		one := choice{Value: code, Label: p.T(key), Hint: p.T(key + "_hint")}
		if p.Barred {
			one = choice{Value: code, Label: p.T(key + "_again")}
		}
		choices = append(choices, one)
	}
	return p.Radio("choice", choices, "label="+legend, "hint=")
}

// refusal is the page, its form, and the button of a mail program. Opening it changes nothing.
func (s *Server) refusal(v *visit) error {
	link, err := s.followed(v, links.Refusal)
	if errs.KindOf(err) == errs.NotFound {
		if v.form != nil && s.left(v) {
			return v.seeOther(farewells[refusalPath]+"?lang="+v.text.Lang(), "")
		}
		return s.dead(v)
	}
	if err != nil {
		return err
	}
	if v.form != nil && v.oneClick() {
		if err := s.refuse(v, link); err != nil {
			return err
		}
		v.Status(http.StatusOK)
		return nil
	}
	reach, err := s.Vault.Reach(v.ctx(), link.Study, link.Person)
	if err != nil {
		return err
	}
	p := refusalPage{base: v.page("refusal.title"), Barred: reach[link.Person].Barred}
	if p.Barred {
		p.Title = v.text.T("refusal.title_done")
	}
	if v.form == nil {
		return v.show("participant/refusal", p)
	}
	return s.refusalChosen(v, link, p)
}

func (s *Server) refuse(v *visit, link links.Link) error {
	return s.People.Refuse(v.ctx(), audit.Participant(link.Person), link.Study, link.Person)
}

func (s *Server) refusalChosen(v *visit, link links.Link, p refusalPage) error {
	var err error
	switch v.value("choice") {
	case refuseContact:
		if err = s.refuse(v, link); err == nil {
			return v.seeOther(v.Request.URL.Path, "")
		}
	case refuseAll:
		if err = s.People.Withdraw(v.apart(leave), audit.Participant(link.Person), link.Study, link.Person); err == nil {
			return v.seeOther(farewells[refusalPath]+"?lang="+v.text.Lang(), "")
		}
	case refuseNothing:
		return v.show("participant/refusal_kept", v.page("refusal.kept_title"))
	default:
		err = faultAt(errs.Invalid, "choice", "refusal_choose")
	}
	if !mendable(err) {
		return err
	}
	p.Form = v.againForm(err)
	return v.again(err, "participant/refusal", p)
}
