package handlers

import (
	"errors"
	"net/url"
	"time"

	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
)

// accountPage is a page for somebody who is not in yet.
type accountPage struct {
	subject
	Action string
	Email  string // of the invited
}

// Tongues are the languages of the interface, each in its own.
func (p subject) Tongues() []choice {
	var choices []choice
	for _, code := range i18n.Languages {
		choices = append(choices, choice{Value: code, Label: p.T("language." + code)})
	}
	return choices
}

func (s *Server) front(v *visit) error {
	if v.session.Kind == auth.Staff {
		return v.seeOther("/studies", "")
	}
	return v.seeOther("/sign-in", "")
}

// enter starts a session and goes to a page. The browser keeps the account's language where it has none of its own yet.
func (s *Server) enter(v *visit, account id.Account, path string) error {
	session, err := s.Auth.StartStaff(v.ctx(), account)
	if err != nil {
		return err
	}
	v.startSession(session)
	if v.cookie(languageCookie) == "" {
		found, err := s.Auth.Account(v.ctx(), account)
		if err != nil {
			return err
		}
		v.setCookie(languageCookie, found.Language, languageLifetime)
	}
	return v.seeOther(path, "")
}

const languageLifetime = 365 * 24 * time.Hour

// peek returns a one-time link of a kind without using it.
func (s *Server) peek(v *visit, kind auth.LinkKind) (auth.OneTime, error) {
	link, err := s.Auth.PeekLink(v.ctx(), v.Param("token"))
	if err == nil && link.Kind != kind {
		err = auth.ErrLinkDead
	}
	return link, err
}

func (s *Server) setup(v *visit) error {
	if _, err := s.peek(v, auth.Setup); err != nil {
		return err
	}
	p := accountPage{subject: v.subject("account", "account.setup_title"), Action: v.Request.URL.Path}
	if v.form == nil {
		p.Form = v.newForm(url.Values{"language": {v.text.Lang()}})
		return v.show("staff/setup", p)
	}
	account, err := s.Auth.Setup(v.ctx(), v.Param("token"), v.value("email"), v.value("name"), v.form.Get("password"), v.value("language"))
	if mendable(err) {
		p.Form = v.refused("account", err)
		return v.again(err, "staff/setup", p)
	}
	if err != nil {
		return err
	}
	return s.enter(v, account, "/studies/new")
}

func (s *Server) signIn(v *visit) error {
	p := accountPage{subject: v.subject("account", "account.sign_in_title"), Action: "/sign-in"}
	if v.form == nil {
		if v.session.Kind == auth.Staff {
			return v.seeOther("/studies", "")
		}
		return v.show("staff/sign_in", p)
	}
	// Not v.ctx(): a try that failed is written down, and the form may be handed in again.
	account, err := s.Auth.SignIn(v.Request.Context(), v.value("email"), v.form.Get("password"))
	if mendable(err) || errors.Is(err, auth.ErrSignIn) {
		p.Form = v.refused("account", err).about("email")
		return v.again(err, "staff/sign_in", p)
	}
	if err != nil {
		return err
	}
	return s.enter(v, account, "/studies")
}

// signInLink signs in by a link that works once. Opening it changes nothing: mail programs open links too.
func (s *Server) signInLink(v *visit) error {
	if v.form == nil {
		if _, err := s.peek(v, auth.SignIn); err != nil {
			return err
		}
		return v.show("staff/sign_in_link", accountPage{subject: v.subject("account", "account.link_title"), Action: v.Request.URL.Path})
	}
	link, err := s.Auth.UseLink(v.ctx(), v.Param("token"))
	if err != nil {
		return err
	}
	return s.enter(v, link.Account, "/studies")
}

func (s *Server) invited(v *visit) error {
	link, err := s.peek(v, auth.Invite)
	if err != nil {
		return err
	}
	account, err := s.Auth.Account(v.ctx(), link.Account)
	if err != nil {
		return err
	}
	p := accountPage{subject: v.subject("account", "account.invite_title"), Action: v.Request.URL.Path, Email: account.Email}
	if v.form == nil {
		p.Form = v.newForm(url.Values{"name": {account.Name}})
		return v.show("staff/invite", p)
	}
	accepted, err := s.Auth.Accept(v.ctx(), v.Param("token"), v.value("name"), v.form.Get("password"))
	if mendable(err) {
		p.Form = v.refused("account", err)
		return v.again(err, "staff/invite", p)
	}
	if err != nil {
		return err
	}
	return s.enter(v, accepted, "/studies")
}

func (s *Server) signOut(v *visit) error {
	if err := v.endSession(); err != nil {
		return err
	}
	return v.seeOther("/sign-in", "signed_out")
}
