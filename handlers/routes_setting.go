package handlers

// settingRoutes set a study up and show how it stands.
func (s *Server) settingRoutes() []route {
	return []route{}
}
