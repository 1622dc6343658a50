package handlers

// participationRoutes are an informant's own pages.
func (s *Server) participationRoutes() []route {
	return []route{}
}
