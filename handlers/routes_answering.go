package handlers

// answeringRoutes are a survey's pages for whoever answers it.
func (s *Server) answeringRoutes() []route {
	return []route{}
}
