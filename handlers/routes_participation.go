package handlers

import "example.org/feltbok/internal/links"

// participationRoutes are an informant's own pages.
func (s *Server) participationRoutes() []route {
	return []route{
		{"GET", "/p/:token", anyone, s.landing(links.Participant, "/my")},
		{"POST", "/p/:token", anyone, s.landing(links.Participant, "/my")},
		{"GET", "/my", informant, s.my},
		{"GET", "/my/letter", informant, s.myLetter},
		{"GET", "/my/consent", informant, s.myConsent},
		{"POST", "/my/consent", informant, s.myConsentGive},
		{"GET", "/my/time", informant, s.myTime},
		{"POST", "/my/time", informant, s.myTimeTake},
		{"GET", "/my/booking", informant, s.myBooking},
		{"GET", "/my/booking.ics", informant, s.myCalendar},
		{"GET", "/my/move", informant, s.myMove},
		{"POST", "/my/move", informant, s.myMoveTo},
		{"GET", "/my/cancel", informant, s.myCancel},
		{"POST", "/my/cancel", informant, s.myCancelDo},
		{"GET", "/my/contact", informant, s.myContact},
		{"GET", "/my/data", informant, s.myData},
		{"GET", "/my/data.json", informant, s.myDataFile},
		{"GET", "/my/withdraw", informant, s.myWithdraw},
		{"POST", "/my/withdraw", informant, s.myWithdrawDo},
		{"POST", "/my/done", informant, s.myDone},
		{"GET", "/my/bye", anyone, s.myBye},
		{"GET", "/my/left", anyone, s.myLeft},
	}
}
