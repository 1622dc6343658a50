package handlers

// peopleRoutes are about those who are asked to take part.
func (s *Server) peopleRoutes() []route {
	return []route{}
}
