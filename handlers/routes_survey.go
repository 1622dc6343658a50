package handlers

// surveyRoutes are the survey's making, its results, and what leaves the house.
func (s *Server) surveyRoutes() []route {
	const survey = "/studies/:study/surveys/:survey"
	return []route{
		{"GET", "/studies/:study/surveys", findings, s.surveyList},
		{"GET", "/studies/:study/surveys/draft", team, s.surveyToList}, // where a form that was handed in twice ends up
		{"POST", "/studies/:study/surveys/draft", team, s.surveyDraft},
		{"GET", survey, findings, s.surveyShow},
		{"GET", survey + "/open", team, s.surveyToShow},
		{"POST", survey + "/open", team, s.surveyOpen},
		{"GET", survey + "/close", team, s.surveyToShow},
		{"POST", survey + "/close", team, s.surveyClose},
		{"GET", survey + "/invite", team, s.surveyToShow},
		{"POST", survey + "/invite", team, s.surveyInvite},
		{"GET", survey + "/respondents", team, s.respondentList},
		{"GET", survey + "/respondents/new", team, s.respondentNew},
		{"POST", survey + "/respondents/new", team, s.respondentAdd},
		{"GET", survey + "/informants", team, s.respondentToList},
		{"POST", survey + "/informants", team, s.informantsAdd},
		{"GET", survey + "/results", findings, s.surveyResults},
		{"GET", "/studies/:study/export", team, s.exportShow},
		{"POST", "/studies/:study/export", team, s.exportDownload},
	}
}
