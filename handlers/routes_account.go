package handlers

// accountRoutes are how staff get in and out.
func (s *Server) accountRoutes() []route {
	return []route{}
}
