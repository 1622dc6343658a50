package handlers

import "example.org/feltbok/internal/links"

// answeringRoutes are a survey's pages for whoever answers it.
func (s *Server) answeringRoutes() []route {
	return []route{
		{"GET", "/s/:token", anyone, s.landing(links.Survey, "/survey")},
		{"POST", "/s/:token", anyone, s.landing(links.Survey, "/survey")},
		{"GET", "/survey", respondent, s.surveyHere},
		{"GET", "/survey/letter", respondent, s.surveyLetter},
		{"GET", "/survey/consent", respondent, s.surveyBack}, // where a form that was handed in twice ends up
		{"POST", "/survey/consent", respondent, s.surveyConsent},
		{"GET", "/survey/page/:n", respondent, s.surveyPage},
		{"POST", "/survey/page/:n", respondent, s.surveySave},
		{"GET", "/survey/review", respondent, s.surveyReview},
		{"GET", "/survey/submit", respondent, s.surveyBack},
		{"POST", "/survey/submit", respondent, s.surveySubmit},
		{"GET", "/survey/thanks", respondent, s.surveyThanks},
		{"GET", "/survey/withdraw", respondent, s.surveyWithdraw},
		{"POST", "/survey/withdraw", respondent, s.surveyLeave},
		{"GET", "/survey/done", anyone, s.surveyBye},
		{"POST", "/survey/done", respondent, s.surveyDone},
		{"GET", "/survey/bye", anyone, s.surveyBye},
		{"GET", "/survey/later", anyone, s.surveyLater},
		{"GET", "/survey/left", anyone, s.surveyLeft},
	}
}
