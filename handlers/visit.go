package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/studies"

	"github.com/gin-gonic/gin"
)

// visit is one request: who comes, to which study, in which language.
type visit struct {
	*gin.Context
	server  *Server
	route   route
	text    i18n.Text
	session auth.Session  // zero without one
	link    links.Link    // the participant's, on their side
	study   studies.Study // the study in the address, or the link's
	role    studies.Role  // the account's role in it
	once    context.Context
	form    url.Values // what was handed in, on POST
}

func (s *Server) newVisit(c *gin.Context) *visit {
	v := &visit{Context: c, server: s}
	v.chooseLanguage()
	return v
}

// ctx is the context for domain calls. On a POST its first change records the form's key, so that a replay is no second
// act.
func (v *visit) ctx() context.Context {
	if v.once != nil {
		return v.once
	}
	return v.Request.Context()
}

func (v *visit) now() time.Time { return v.server.Now() }

// actor is who acts, for the audit chain.
func (v *visit) actor() audit.Actor {
	if v.session.Kind == auth.Participant {
		return audit.Participant(v.session.Person)
	}
	return audit.Staff(v.session.Account)
}

func (v *visit) participantSide() bool { return isParticipantPath(v.Request.URL.Path) }

// value is a field of the form, trimmed; on GET it is "".
func (v *visit) value(name string) string { return strings.TrimSpace(v.form.Get(name)) }

// zone is the study's; UTC before there is one.
func (v *visit) zone() *time.Location {
	if zone, err := time.LoadLocation(v.study.Zone); err == nil && v.study.Zone != "" {
		return zone
	}
	return time.UTC
}

const languageCookie = "feltbok_lang"

// chooseLanguage follows the address, then the cookie, then the account or study, then the browser. The choice is kept
// in the visitor's own browser and nowhere else.
func (v *visit) chooseLanguage() {
	wanted := v.Query("lang")
	if slices.Contains(i18n.Languages, wanted) {
		v.setCookie(languageCookie, wanted, 365*24*time.Hour)
	}
	var own string
	if len(v.study.Languages) > 0 && v.participantSide() {
		own = v.study.Languages[0]
	}
	v.text = v.server.languages.Text(i18n.Negotiate(wanted, v.cookie(languageCookie), own, v.GetHeader("Accept-Language")))
}

func (s *Server) cookieName(participant bool) string {
	name := "feltbok_staff"
	if participant {
		name = "feltbok_participant"
	}
	if s.Secure {
		return "__Host-" + name
	}
	return name // browsers refuse Secure cookies on plain loopback addresses
}

func (v *visit) cookie(name string) string {
	cookie, err := v.Request.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie sets a cookie for this browser; a lifetime of 0 is until it closes, a negative one deletes.
func (v *visit) setCookie(name, value string, lifetime time.Duration) {
	http.SetCookie(v.Writer, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(lifetime.Seconds()),
		Secure: v.server.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (v *visit) startSession(session auth.Session) {
	v.setCookie(v.server.cookieName(session.Kind == auth.Participant), session.Token, 0)
}

// endSession does not use the form's key: ending twice is ending once.
func (v *visit) endSession() error {
	name := v.server.cookieName(v.participantSide())
	if err := v.server.Auth.End(v.Request.Context(), v.cookie(name)); err != nil {
		return err
	}
	v.forgetSession()
	return nil
}

// forgetSession makes the browser forget a session that is ended.
func (v *visit) forgetSession() {
	v.setCookie(v.server.cookieName(v.participantSide()), "", -time.Second)
}

// seeOther answers a POST that did its work. done names what to say on the next page ("done.<code>"); "" is nothing.
func (v *visit) seeOther(path, done string) error {
	if done != "" {
		path = withMore(path, "done", done)
	}
	v.Redirect(http.StatusSeeOther, path)
	return nil
}

// studyPath is an address within the study.
func (v *visit) studyPath(rest string) string { return "/studies/" + string(v.study.ID) + rest }
