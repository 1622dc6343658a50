package handlers

// fieldRoutes are times, appointments, interviews and coding.
func (s *Server) fieldRoutes() []route {
	return []route{}
}
