package handlers

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/studies"

	"github.com/gin-gonic/gin"
)

// route is one line of a route map.
type route struct {
	methods []string
	path    string
	access  access
	handle  func(*visit) error
	back    string // where a form handed in twice leads, with the parameters of path; "" is its own address
	alone   bool   // nothing answers a GET of this address but the way back
	most    int64  // bytes that a body may have; 0 is maxBodyBytes
	lasting bool   // takes forms in a study that was ended too
}

// get is a page, or a file.
func get(path string, access access, handle func(*visit) error) route {
	return route{methods: []string{http.MethodGet}, path: path, access: access, handle: handle}
}

// file is what programs read, and ask for without its body.
func file(path string, access access, handle func(*visit) error) route {
	return route{methods: []string{http.MethodGet, http.MethodHead}, path: path, access: access, handle: handle}
}

// post takes a form. One that was handed in before is not done again: the visitor is sent back to see that it is done.
func post(path string, access access, handle func(*visit) error, back string) route {
	return route{methods: []string{http.MethodPost}, path: path, access: access, handle: handle, back: back}
}

// both is a page with the form that it takes: handle finds v.form filled in when it was handed in.
func both(path string, access access, handle func(*visit) error, back string) route {
	return route{methods: []string{http.MethodGet, http.MethodPost}, path: path, access: access, handle: handle, back: back}
}

// taking lets the form of a route carry a file of so many bytes.
func (r route) taking(file int64) route {
	r.most = file + maxBodyBytes
	return r
}

// afterEnd lets the forms of a route be handed in when the study was ended: all others are refused then.
func (r route) afterEnd() route {
	r.lasting = true
	return r
}

// body is how many bytes a route's body may have.
func (r route) body() int64 {
	if r.most > 0 {
		return r.most
	}
	return maxBodyBytes
}

// withWaysBack adds a GET to every address that takes forms alone: who reloads a refused form, or takes it in another
// language, comes to the page that the form stands on.
func withWaysBack(routes []route) []route {
	shown := map[string]bool{}
	for _, r := range routes {
		shown[r.path] = shown[r.path] || slices.Contains(r.methods, http.MethodGet)
	}
	for i, r := range routes {
		if !shown[r.path] {
			routes[i].alone = true
			routes = append(routes, get(r.path, r.access, func(v *visit) error { return v.seeOther(v.filled(r.back), "") }))
		}
	}
	return routes
}

// filled puts the address's own parameters into the pattern of another.
func (v *visit) filled(pattern string) string {
	for _, p := range v.Params {
		pattern = strings.Replace(pattern, ":"+p.Key, p.Value, 1)
	}
	return pattern
}

// wayBack is where a form that was handed in twice leads: to the same of a participant's appointments, where the address names one.
func (v *visit) wayBack() string {
	back := v.Request.URL.Path
	if v.route.back != "" {
		back = v.filled(v.route.back)
	}
	if booking := v.Query("booking"); booking != "" && v.participantSide() {
		back = withMore(back, "booking", booking)
	}
	return back
}

// here is where this page can be opened again.
func (v *visit) here() string {
	if v.route.alone {
		return v.wayBack()
	}
	return v.Request.URL.Path
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
	owner       = may(studies.Owner)
	team        = may(studies.Owner, studies.Researcher)
	everyMember = may(studies.Owner, studies.Researcher, studies.Supervisor, studies.Officer)
	// findings are read by whoever follows what the study finds; the data protection officer sees no answers.
	findings = may(studies.Owner, studies.Researcher, studies.Supervisor)
	// duties are what people asked for and what is to be done by hand: the officer sees, by code, that it is done.
	duties = may(studies.Owner, studies.Researcher, studies.Officer)
	// custodians open what is kept of those who are gone, where somebody disputes it.
	custodians = may(studies.Owner, studies.Officer)
	// watchers read what happened in a study.
	watchers   = may(studies.Owner, studies.Supervisor, studies.Officer)
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
	for _, r := range slices.Concat(withWaysBack(s.participantRoutes()), withWaysBack(s.staffRoutes())) {
		for _, method := range r.methods {
			rules = append(rules, Rule{method, r.path, r.access.public, r.access.staff, r.access.roles, r.access.purpose})
		}
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
	if err == nil && v.study.ClosedAt > 0 {
		return errNoSession
	}
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
		v.route = r
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, r.body())
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
		// Here and not in each page: what is added later is refused too. A form that was handed in before is no news to a closed study.
		if v.study.ClosedAt > 0 && v.role != "" && !r.lasting {
			return cmp.Or(s.Repeated(v.ctx()), error(studies.ErrClosed))
		}
	}
	return r.handle(v)
}
