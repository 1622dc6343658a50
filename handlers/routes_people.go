package handlers

// peopleRoutes are about those who are asked to take part. Supervisors and officers see the list, by code; a person's own
// page is the team's.
func (s *Server) peopleRoutes() []route {
	const one = "/studies/:study/people/:person"
	return []route{
		{"GET", "/studies/:study/candidates", everyMember, s.candidates},
		{"GET", "/studies/:study/candidates/new", team, s.candidateNew},
		{"POST", "/studies/:study/candidates/new", team, s.candidateAdd},
		{"GET", one, team, s.person},
		{"POST", one + "/contact", team, s.personContact},
		{"POST", one + "/letter", team, s.personLetter},
		{"POST", one + "/state", team, s.personState},
		{"POST", one + "/name", team, s.personName},
		// Where a refused form of the page stands, also for its language links, and a repeated one is sent.
		{"GET", one + "/contact", team, s.personAgain},
		{"GET", one + "/letter", team, s.personAgain},
		{"GET", one + "/state", team, s.personAgain},
		{"GET", one + "/name", team, s.personAgain},
		{"GET", one + "/consent", team, s.personConsent},
		{"POST", one + "/consent", team, s.personConsented},
		{"GET", one + "/edit", team, s.personEdit},
		{"POST", one + "/edit", team, s.personEdited},
		{"GET", one + "/withdraw", team, s.personWithdraw},
		{"POST", one + "/withdraw", team, s.personWithdrawn},
	}
}
