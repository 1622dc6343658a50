package handlers

// participationRoutes are an informant's own pages.
func (s *Server) participationRoutes() []route {
	return []route{}
}

// answeringRoutes are a survey's pages for whoever answers it.
func (s *Server) answeringRoutes() []route {
	return []route{}
}
