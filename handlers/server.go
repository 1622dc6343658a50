// Package handlers is the HTTP side: route maps, forms and pages. It holds no SQL and no rules; it asks the domain
// packages and shows what they say.
//
// Participants and staff meet two routers that share no route (routes_participant.go, routes_staff.go). A route's
// access rule stands beside it.
package handlers

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"

	"github.com/gin-gonic/gin"
)

// Config is how the service is reached.
type Config struct {
	BaseURL    string   // such as https://felt.example.org, without a slash at the end
	Secure     bool     // served over TLS, here or at a declared proxy: cookies say so, and HSTS is sent
	Proxies    []string // addresses whose X-Forwarded-For is believed
	FormSecret []byte   // signs forms shown to somebody without a session; the same on every replica
	Banner     string   // a translation key shown on every page, for the demo; "" elsewhere
	MailFrom   string   // the installation's own address, the organizer of invitations
	MailWaits  bool     // no mail server is set up: pages say that mail is waiting
	Unlimited  bool     // no rate limits, for the replay
	Now        func() time.Time
}

// Services are the domains behind the pages.
type Services struct {
	Auth        *auth.Auth
	Links       *links.Links
	Audit       *audit.Log
	Intents     *intents.Runner
	Studies     *studies.Studies
	Recruitment *recruitment.Recruitment
	Vault       *identities.Vault
	Consents    *consents.Consents
	Scheduling  *scheduling.Scheduling
	Interviews  *interviews.Interviews
	Surveys     *surveys.Surveys
	Imports     *imports.Imports
	Outbox      *mail.Outbox
	People      People
	Ready       func() error // says why the service cannot answer
	// Repeated is database.ErrRepeated where the form of the context was handed in before.
	Repeated func(context.Context) error
}

// Server answers both sides.
type Server struct {
	Config
	Services
	languages *i18n.Catalogue
	pages     map[string]*template.Template
	limits    *limiter
	crossSite *http.CrossOriginProtection
	handler   http.Handler
}

// New parses the pages and builds both routers. A bad template or catalogue is an error here, never at a request.
func New(config Config, services Services) (*Server, error) {
	languages, err := i18n.Load()
	if err != nil {
		return nil, err
	}
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	s := &Server{Config: config, Services: services, languages: languages, pages: pages, limits: newLimiter(config.Now),
		crossSite: http.NewCrossOriginProtection()}
	participant, err := s.router(s.participantRoutes())
	if err != nil {
		return nil, err
	}
	staff, err := s.router(s.staffRoutes())
	if err != nil {
		return nil, err
	}
	s.handler = s.split(participant, staff)
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// participantFolders are the first parts of every address that a participant meets.
var participantFolders = []string{"p", "s", "u", "i", "my", "survey"}

// split sends each request to its router, behind the headers that both sides share.
func (s *Server) split(participant, staff http.Handler) http.Handler {
	assets := staticFiles()
	return s.headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, staticPrefix):
			assets.ServeHTTP(w, r)
		case isParticipantPath(r.URL.Path):
			participant.ServeHTTP(w, r)
		default:
			staff.ServeHTTP(w, r)
		}
	}))
}

func isParticipantPath(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return slices.Contains(participantFolders, first)
}

func init() { gin.SetMode(gin.ReleaseMode) } // no route table on the terminal

// router builds one side from its route map.
func (s *Server) router(routes []route) (*gin.Engine, error) {
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	engine.RemoveExtraSlash = false
	if err := engine.SetTrustedProxies(s.Proxies); err != nil {
		return nil, err
	}
	engine.Use(s.observe)
	for _, r := range withWaysBack(routes) {
		engine.Match(r.methods, r.path, s.serve(r))
	}
	engine.NoRoute(s.serve(route{access: anyone, handle: func(*visit) error { return errNoPage }}))
	engine.NoMethod(s.serve(route{access: anyone, handle: func(*visit) error { return errMethod }}))
	return engine, nil
}
