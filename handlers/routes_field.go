package handlers

// fieldRoutes are times, appointments, interviews and coding. What only takes a POST answers a GET with the page that
// its form stands on: there a form that was handed in twice ends.
func (s *Server) fieldRoutes() []route {
	return []route{
		{"GET", "/studies/:study/availability", team, s.availability},
		{"POST", "/studies/:study/availability", team, s.availability},
		{"GET", "/studies/:study/availability/extra", team, s.availabilityExtra},
		{"POST", "/studies/:study/availability/extra", team, s.availabilityExtra},
		{"GET", "/studies/:study/availability/block", team, s.availabilityBlock},
		{"POST", "/studies/:study/availability/block", team, s.availabilityBlock},
		{"GET", "/studies/:study/availability/remove", team, s.availability},
		{"POST", "/studies/:study/availability/remove", team, s.availabilityRemove},
		{"GET", "/studies/:study/meeting/:audience", team, s.meeting},
		{"POST", "/studies/:study/meeting/:audience", team, s.meeting},

		{"GET", "/studies/:study/bookings", team, s.staffBookings},
		{"GET", "/studies/:study/bookings/:booking", team, s.staffBooking},
		{"GET", "/studies/:study/bookings/:booking/move", team, s.staffBooking},
		{"POST", "/studies/:study/bookings/:booking/move", team, s.staffMove},
		{"GET", "/studies/:study/bookings/:booking/cancel", team, s.staffBooking},
		{"POST", "/studies/:study/bookings/:booking/cancel", team, s.staffCancel},
		{"GET", "/studies/:study/people/:person/book", team, s.staffBook},
		{"POST", "/studies/:study/people/:person/book", team, s.staffBook},

		{"GET", "/studies/:study/people/:person/interview", team, s.interviewRecord},
		{"POST", "/studies/:study/people/:person/interview", team, s.interviewRecord},
		{"GET", "/studies/:study/interviews", findings, s.interviewTable},
		{"GET", "/studies/:study/interviews/:interview", team, s.interviewEdit},
		{"POST", "/studies/:study/interviews/:interview", team, s.interviewEdit},
		{"GET", "/studies/:study/themes", team, s.themes},
		{"POST", "/studies/:study/themes", team, s.themes},
		{"GET", "/studies/:study/coding", findings, s.coding},
		{"GET", "/studies/:study/coding/:person", team, s.codingOne},
		{"POST", "/studies/:study/coding/:person", team, s.codingOne},
	}
}
