package handlers

import (
	"net/http"
	"slices"

	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/studies"

	"github.com/gin-gonic/gin"
)

// route is one line of a route map.
type route struct {
	method, path string
	access       access
	handle       func(*visit) error
}

// access is who may use a route. The zero value admits nobody.
type access struct {
	public  bool           // no session needed
	staff   bool           // any signed-in account
	roles   []studies.Role // members of the study in the address who have one of these roles
	purpose links.Purpose  // a participant's session made by a link of this purpose
}

var (
	anyone      = access{public: true}
	signedIn    = access{staff: true}
	team        = may(studies.Owner, studies.Researcher)
	everyMember = may(studies.Owner, studies.Researcher, studies.Supervisor, studies.Officer)
	// findings are read by whoever follows what the study finds; the data protection officer sees no answers.
	findings   = may(studies.Owner, studies.Researcher, studies.Supervisor)
	informant  = access{purpose: links.Participant}
	respondent = access{purpose: links.Survey}
)

// Rule is one line of the route maps, for tests: who is let in.
type Rule struct {
	Method, Path string
	Anyone       bool
	AnyStaff     bool
	Roles        []studies.Role
	Purpose      links.Purpose
}

// Rules lists every route of both sides.
func (s *Server) Rules() []Rule {
	var rules []Rule
	for _, r := range slices.Concat(s.participantRoutes(), s.staffRoutes()) {
		rules = append(rules, Rule{r.method, r.path, r.access.public, r.access.staff, r.access.roles, r.access.purpose})
	}
	return rules
}

func may(roles ...studies.Role) access { return access{roles: roles} }

var (
	errNoPage = errs.New(errs.NotFound, "no_page")
	errMethod = errs.New(errs.NotFound, "no_method")
	// errNoSession sends staff to sign in and tells participants to open their link again.
	errNoSession = errs.New(errs.Unauthenticated, "no_session")
	errMayNot    = errs.New(errs.Forbidden, "may_not")
	errCrossSite = errs.New(errs.Forbidden, "cross_site")
)

// admit fills in who is visiting and refuses whom the rule does not name. A study that the account is no member of
// does not exist for it.
func (s *Server) admit(v *visit, rule access) error {
	if err := s.recognise(v, rule); err != nil {
		return err
	}
	switch {
	case rule.public:
		return nil
	case rule.purpose != "":
		return s.admitParticipant(v, rule.purpose)
	case v.session.Kind != auth.Staff:
		return errNoSession
	case rule.staff:
		return nil
	default:
		return s.admitMember(v, rule.roles)
	}
}

// recognise reads the session cookie of the route's side. No session is no error: the rule decides.
func (s *Server) recognise(v *visit, rule access) error {
	token := v.cookie(s.cookieName(v.participantSide()))
	if token == "" {
		return nil
	}
	session, err := s.Auth.Session(v.ctx(), token)
	if errs.KindOf(err) == errs.Unauthenticated {
		return nil
	}
	if err != nil {
		return err
	}
	v.session = session
	return nil
}

func (s *Server) admitParticipant(v *visit, purpose links.Purpose) error {
	if v.session.Kind != auth.Participant {
		return errNoSession
	}
	link, err := s.Links.Get(v.ctx(), v.session.Link)
	if errs.KindOf(err) == errs.NotFound || err == nil && link.Purpose != purpose {
		return errNoSession
	}
	if err != nil {
		return err
	}
	v.link = link
	v.study, err = s.Studies.Get(v.ctx(), link.Study)
	return err
}

func (s *Server) admitMember(v *visit, roles []studies.Role) error {
	study := id.Study(v.Param("study"))
	role, err := s.Studies.RoleOf(v.ctx(), study, v.session.Account)
	if err != nil {
		return err
	}
	if !slices.Contains(roles, role) {
		return errMayNot
	}
	v.role = role
	v.study, err = s.Studies.Get(v.ctx(), study)
	return err
}

// serve turns a route into a Gin handler: the visitor, the rule, the form's key, then the page; errors end in one place.
func (s *Server) serve(r route) gin.HandlerFunc {
	return func(c *gin.Context) {
		v := s.newVisit(c)
		if err := s.handle(v, r); err != nil {
			s.fail(v, err)
		}
	}
}

func (s *Server) handle(v *visit, r route) error {
	if s.crossSite.Check(v.Request) != nil {
		return errCrossSite
	}
	err := s.answer(v, r)
	if to := farewells[r.path]; err != nil && to != "" && v.Request.Method == http.MethodPost && s.left(v) {
		return v.seeOther(to+"?lang="+v.text.Lang(), "")
	}
	return err
}

func (s *Server) answer(v *visit, r route) error {
	if err := s.throttle(v, r.access); err != nil {
		return err
	}
	if err := s.admit(v, r.access); err != nil {
		return err
	}
	v.chooseLanguage()
	if v.Request.Method == http.MethodPost && r.path != "" {
		if err := v.readForm(); err != nil {
			return err
		}
	}
	return r.handle(v)
}
