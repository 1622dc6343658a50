package handlers

// accountRoutes are how staff get in and out.
func (s *Server) accountRoutes() []route {
	return []route{}
}

// settingRoutes set a study up.
func (s *Server) settingRoutes() []route {
	return []route{}
}

// peopleRoutes are about those who are asked to take part.
func (s *Server) peopleRoutes() []route {
	return []route{}
}

// fieldRoutes are times, appointments, interviews and coding.
func (s *Server) fieldRoutes() []route {
	return []route{}
}

// surveyRoutes are the survey's making, and what leaves the house.
func (s *Server) surveyRoutes() []route {
	return []route{}
}
