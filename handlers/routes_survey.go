package handlers

// surveyRoutes are the survey's making, its results, and what leaves the house.
func (s *Server) surveyRoutes() []route {
	return []route{}
}
