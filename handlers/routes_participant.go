package handlers

import "example.org/feltbok/internal/links"

// participantRoutes is everything that a participant or respondent can reach, with its rule.
func (s *Server) participantRoutes() []route {
	return []route{
		both("/p/:token", anyone, s.landing(links.Participant, "/my"), "/my"),
		get("/my", informant, s.my),
		get("/my/letter", informant, s.myLetter),
		get("/my/letter.pdf", informant, s.myLetterFile),
		get("/my/consent", informant, s.myConsent),
		post("/my/consent", informant, s.myConsentGive, "/my"),
		get("/my/time", informant, s.myTime),
		post("/my/time", informant, s.myTimeTake, "/my/booking"),
		get("/my/booking", informant, s.myBooking),
		get("/my/booking.ics", informant, s.myCalendar),
		get("/my/move", informant, s.myMove),
		post("/my/move", informant, s.myMoveTo, "/my/booking?done=my_moved"),
		get("/my/cancel", informant, s.myCancel),
		post("/my/cancel", informant, s.myCancelDo, "/my?done=my_cancelled"),
		get("/my/contact", informant, s.myContact),
		get("/my/data", informant, s.myData),
		get("/my/data.json", informant, s.myDataFile),
		get("/my/pass", informant, s.myPass),
		post("/my/pass", informant, s.myPassMake, ""),
		get("/my/withdraw", informant, s.myWithdraw),
		post("/my/withdraw", informant, s.myWithdrawDo, "/my?done=my_withdrawn"),
		post("/my/done", informant, s.myDone, "/my"),
		get("/my/bye", anyone, s.myBye),
		get("/my/left", anyone, s.myLeft),

		both(refusalPath, anyone, s.refusal, refusalPath),
		both("/i/:token", anyone, s.friend, ""),
		get("/i/end/thanks", anyone, s.friendYes),
		get("/i/end/no", anyone, s.friendNo),

		both("/s/:token", anyone, s.landing(links.Survey, "/survey"), "/survey"),
		get("/survey", respondent, s.surveyHere),
		get("/survey/letter", respondent, s.surveyLetter),
		get("/survey/letter.pdf", respondent, s.surveyLetterFile),
		post("/survey/consent", respondent, s.surveyConsent, "/survey"),
		get("/survey/page/:n", respondent, s.surveyPage),
		post("/survey/page/:n", respondent, s.surveySave, "/survey"),
		get("/survey/review", respondent, s.surveyReview),
		post("/survey/submit", respondent, s.surveySubmit, "/survey"),
		get("/survey/thanks", respondent, s.surveyThanks),
		get("/survey/withdraw", respondent, s.surveyWithdraw),
		post("/survey/withdraw", respondent, s.surveyLeave, "/survey"),
		get("/survey/done", anyone, s.surveyBye), // the session is over by then
		post("/survey/done", respondent, s.surveyDone, ""),
		get("/survey/bye", anyone, s.surveyBye),
		get("/survey/later", anyone, s.surveyLater),
		get("/survey/left", anyone, s.surveyLeft),
	}
}
