package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

func noMark(i int) string { return "p" + string(rune('a'+i)) }

// actor is somebody who tries every route.
type actor struct {
	name    string
	role    studies.Role  // in the first study; "" is none
	staff   bool          // has an account
	purpose links.Purpose // a participant's session
	browser *browser.Browser
}

func (a actor) mayUse(r handlers.Rule) bool {
	switch {
	case r.Anyone:
		return true
	case r.Purpose != "":
		return a.purpose == r.Purpose
	case r.AnyStaff:
		return a.staff
	}
	return slices.Contains(r.Roles, a.role)
}

// Promise 9: every registered route, every method, every actor; nobody gets in whom the rule does not name.
func TestNobodyReachesWhatIsNotTheirs(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 1, noMark)
		actors := []actor{{name: "stranger", browser: s.browser()},
			{name: "participant", purpose: links.Participant, browser: c.enter(c.persons[0], links.Participant)},
			{name: "respondent", purpose: links.Survey, browser: c.enter(c.asked[0], links.Survey)},
			{name: "owner", role: studies.Owner, staff: true, browser: c.staff(c.owner)},
			{name: "other study's owner", staff: true, browser: c.staff(c.account("annen@example.org"))}}
		for _, role := range []studies.Role{studies.Researcher, studies.Supervisor, studies.Officer} {
			account := c.account(string(role) + "@example.org")
			s.must(s.Studies.SetMember(t.Context(), audit.Staff(c.owner), c.study.ID, account, role))
			actors = append(actors, actor{name: string(role), role: role, staff: true, browser: c.staff(account)})
		}
		tried, rules := 0, s.server.Rules()
		for _, rule := range rules {
			if strings.HasSuffix(rule.Path, "/sign-out") || strings.HasSuffix(rule.Path, "/done") {
				continue // would end the actor's session; both only ever end one's own
			}
			path := c.fill(rule.Path)
			for _, a := range actors {
				for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
					tried++
					status := c.try(a.browser, method, path)
					known := slices.ContainsFunc(rules, func(r handlers.Rule) bool { return r.Method == method && r.Path == rule.Path })
					if !known {
						if status != http.StatusMethodNotAllowed && status != http.StatusNotFound && status != http.StatusForbidden {
							t.Errorf("%s %s as %s: %d for a method that is not registered", method, rule.Path, a.name, status)
						}
						continue
					}
					if method != rule.Method {
						continue
					}
					refused := slices.Contains([]int{http.StatusSeeOther, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, status)
					if !a.mayUse(rule) && !refused {
						t.Errorf("%s %s as %s: %d, want a refusal", method, rule.Path, a.name, status)
					}
					if a.mayUse(rule) && (status == http.StatusUnauthorized || status == http.StatusForbidden) && !rule.Anyone && method == "GET" {
						t.Errorf("%s %s as %s: %d, want in", method, rule.Path, a.name, status)
					}
				}
			}
		}
		if tried < 500 {
			t.Errorf("only %d tries: are the routes there?", tried)
		}
	})
}

// fill puts real identifiers of the first study into a route.
func (c *crowd) fill(path string) string {
	return strings.NewReplacer(":study", string(c.study.ID), ":person", string(c.persons[0]), ":survey", string(c.survey),
		":letter", string(c.letter("company").ID), ":audience", "company", ":lang", "nb", ":n", "1",
		":batch", string(id.New[id.Batch]()), ":kind", string(id.New[recruitment.Kind]()), ":import", string(id.New[id.Import]()), ":task", string(id.New[id.Task]()), ":view", string(id.New[id.View]()), ":booking", string(id.New[id.Booking]()), ":token", strings.Repeat("a", 43)).Replace(path)
}

// try asks without a form key and without following redirects: the rule must decide before anything is read.
func (c *crowd) try(b *browser.Browser, method, path string) int {
	c.t.Helper()
	status, err := b.Try(method, path, url.Values{})
	c.must(err)
	return status
}

func TestEveryRouteHasARule(t *testing.T) {
	s := newStage(t, nil)
	if len(s.server.Rules()) < 50 {
		t.Fatalf("%d routes: want all of them", len(s.server.Rules()))
	}
	for _, r := range s.server.Rules() {
		if !r.Anyone && !r.AnyStaff && r.Purpose == "" && len(r.Roles) == 0 {
			t.Errorf("%s %s has no rule", r.Method, r.Path)
		}
		if strings.Contains(r.Path, ":study") && (r.Anyone || r.AnyStaff) {
			t.Errorf("%s %s is about a study and open to more than its members", r.Method, r.Path)
		}
	}
}

var changing = regexp.MustCompile(`<input type="hidden" name="form_key"[^>]*>|<span class="num">[a-z0-9]{26}</span>|value="[^"]*"`)

// Promise 9, its second half: the identifiers of another study answer like ones that do not exist.
func TestAnotherStudysIdentifiersDoNotExist(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 1, noMark)
	other, err := s.Studies.Create(t.Context(), audit.Staff(c.owner), c.owner, studies.Study{Title: "Annen", Purpose: "x", Questions: "x",
		Institution: "x", ProjectContact: "x", Supervisor: "x", SupervisorContact: "x", Officer: "x", OfficerContact: "x", Assessment: "x",
		LegalBasis: studies.Consent, Languages: []string{"nb"}, Zone: "Europe/Oslo", StartsOn: "2019-01-01", EndsOn: "2019-12-31", Duration: 60})
	s.must(err)
	booking, err := s.Scheduling.Book(t.Context(), audit.Staff(c.owner), scheduling.Request{Study: c.study.ID, Person: c.persons[0],
		Audience: "company", Mode: scheduling.Phone, Start: s.clock.now().AddDate(0, 0, 3), ByStaff: true})
	s.must(err)
	batch := recruitment.Batch{ID: id.New[id.Batch](), Study: c.study.ID, FirstAt: s.clock.now().UnixMilli(), PerHour: 60}
	s.must(s.people.SendLetters(t.Context(), audit.Staff(c.owner), &batch, c.persons))
	kind, err := s.Recruitment.AddKind(t.Context(), audit.Staff(c.owner), c.study.ID, recruitment.Profile{Size: "micro"})
	s.must(err)
	list := c.upload(memberList(1, "a"), "")
	s.must(s.Recruitment.SaveView(t.Context(), audit.Staff(c.owner), c.study.ID, "Vis", recruitment.Query{}))
	views, err := s.Recruitment.Views(t.Context(), c.study.ID)
	s.must(err)
	s.must(s.people.Request(t.Context(), audit.Participant(c.persons[0]), c.study, c.persons[0], consents.AnswerOther, "Noe"))
	tasks, err := s.Consents.OpenTasks(t.Context(), c.study.ID)
	s.must(err)
	owner := c.staff(c.owner)
	compared := 0
	for _, r := range s.server.Rules() {
		if !strings.HasPrefix(r.Path, "/studies/:study/") || strings.Count(r.Path, ":") < 2 || strings.Contains(r.Path, ":audience") {
			continue
		}
		page := func(person id.Person, letter id.Letter, survey id.Survey, booking id.Booking, batch id.Batch, kind recruitment.Kind, list id.Import, view id.View, task id.Task) (int, string) {
			path := strings.NewReplacer(":study", string(other), ":person", string(person), ":letter", string(letter), ":survey", string(survey),
				":booking", string(booking), ":batch", string(batch), ":kind", string(kind), ":import", string(list), ":view", string(view), ":task", string(task)).Replace(r.Path)
			status, err := owner.Try(r.Method, path, url.Values{"form_key": {"x"}})
			s.must(err)
			body := strings.NewReplacer(string(person), "ID", string(letter), "ID", string(survey), "ID", string(booking), "ID", string(batch), "ID", string(kind), "ID", string(list), "ID", string(view), "ID", string(task), "ID").Replace(string(owner.Body))
			return status, changing.ReplaceAllString(body, "")
		}
		foreign, foreignBody := page(c.persons[0], c.letter("company").ID, c.survey, booking.ID, batch.ID, kind, list.ID, views[0].ID, tasks[0].ID)
		missing, missingBody := page(id.New[id.Person](), id.New[id.Letter](), id.New[id.Survey](), id.New[id.Booking](), id.New[id.Batch](), id.New[recruitment.Kind](), id.New[id.Import](), id.New[id.View](), id.New[id.Task]())
		if foreign != missing || foreignBody != missingBody {
			t.Errorf("%s %s: %d for another study's, %d for what is not there", r.Method, r.Path, foreign, missing)
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("only %d routes compared", compared)
	}
}
