package handlers

import (
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/studies"
)

// followed returns the link in the address, and makes its study the visit's.
func (s *Server) followed(v *visit, purpose links.Purpose) (link links.Link, err error) {
	if link, err = s.Links.Resolve(v.ctx(), v.Param("token"), purpose); err != nil {
		return link, err
	}
	if v.study, err = s.Studies.Get(v.ctx(), link.Study); err == nil {
		v.chooseLanguage()
	}
	return link, err
}

// dead is the page of every dead link.
func (s *Server) dead(v *visit) error {
	v.study = studies.Study{} // whose it was is nobody's business
	return v.again(links.ErrDead, "participant/dead", v.page("my.dead.title"))
}

// landing says that this is a personal link and nothing else: who opens it may be somebody's colleague, or a robot. Only
// the button opens anything, and leads home. A link that is not for this purpose is as dead as one that never was.
func (s *Server) landing(purpose links.Purpose, home string) func(*visit) error {
	return func(v *visit) error {
		link, err := s.followed(v, purpose)
		if errs.KindOf(err) == errs.NotFound {
			return s.dead(v)
		}
		if err != nil {
			return err
		}
		if v.form == nil {
			return v.show("participant/landing", v.page("my.landing.title"))
		}
		// Not v.ctx(): pressing twice starts two sessions, which is kinder than a closed door.
		session, err := s.Auth.StartParticipant(v.Request.Context(), link.Study, link.Person, link.ID)
		if err != nil {
			return err
		}
		v.startSession(session)
		return v.seeOther(home, "")
	}
}
