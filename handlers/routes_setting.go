package handlers

import "example.org/feltbok/studies"

var (
	owner = may(studies.Owner)
	// watchers read what happened in a study.
	watchers = may(studies.Owner, studies.Supervisor, studies.Officer)
)

// settingRoutes set a study up and show how it stands.
func (s *Server) settingRoutes() []route {
	return []route{
		{"GET", "/studies", signedIn, s.studyList},
		{"GET", "/studies/new", signedIn, s.studyNew},
		{"POST", "/studies/new", signedIn, s.studyNew},
		{"GET", "/studies/:study", everyMember, s.home},
		{"GET", "/studies/:study/settings", team, s.settings},
		{"POST", "/studies/:study/settings", team, s.settings},
		{"GET", "/studies/:study/sample", team, s.sample},
		{"GET", "/studies/:study/cases", team, backTo("/sample")},
		{"POST", "/studies/:study/cases", team, s.caseAdd},
		{"GET", "/studies/:study/quotas", team, backTo("/sample")},
		{"POST", "/studies/:study/quotas", team, s.quotaSet},
		{"GET", "/studies/:study/team", everyMember, s.teamList},
		{"POST", "/studies/:study/team", owner, s.teamAdd},
		{"GET", "/studies/:study/team/remove", owner, backTo("/team")},
		{"POST", "/studies/:study/team/remove", owner, s.teamRemove},
		{"GET", "/studies/:study/letters", everyMember, s.letters},
		{"GET", "/studies/:study/letters/:audience/:lang", team, s.letterDraft},
		{"POST", "/studies/:study/letters/:audience/:lang", team, s.letterDraft},
		{"GET", "/studies/:study/letters/:audience/:lang/preview", may(studies.Owner, studies.Researcher, studies.Supervisor), s.letterPreview},
		{"GET", "/studies/:study/letters/:audience/publish", team, backTo("/letters")},
		{"POST", "/studies/:study/letters/:audience/publish", team, s.letterPublish},
		{"GET", "/studies/:study/letter/:letter", everyMember, s.letterFrozen},
		{"GET", "/studies/:study/mail", team, s.outbox},
		{"GET", "/studies/:study/mail/test", team, backTo("/mail")},
		{"POST", "/studies/:study/mail/test", team, s.outboxTest},
		{"GET", "/studies/:study/mail/retry", team, backTo("/mail")},
		{"POST", "/studies/:study/mail/retry", team, s.outboxRetry},
		{"GET", "/studies/:study/log", watchers, s.log},
	}
}
