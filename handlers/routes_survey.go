package handlers

import "example.org/feltbok/studies"

// surveyReaders may be read by the supervisor too. The data protection officer sees no answers.
var surveyReaders = may(studies.Owner, studies.Researcher, studies.Supervisor)

// surveyRoutes are the survey's making, its results, and what leaves the house.
func (s *Server) surveyRoutes() []route {
	const survey = "/studies/:study/surveys/:survey"
	return []route{
		{"GET", "/studies/:study/surveys", surveyReaders, s.surveyList},
		{"GET", "/studies/:study/surveys/draft", team, s.surveyToList}, // where a form that was handed in twice ends up
		{"POST", "/studies/:study/surveys/draft", team, s.surveyDraft},
		{"GET", survey, surveyReaders, s.surveyShow},
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
		{"GET", survey + "/results", surveyReaders, s.surveyResults},
		{"GET", "/studies/:study/export", team, s.exportShow},
		{"POST", "/studies/:study/export", team, s.exportDownload},
	}
}
