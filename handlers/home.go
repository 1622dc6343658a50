package handlers

func (s *Server) home(v *visit) error { return v.show("staff/home", v.page("home.title")) }
