package handlers

// accountRoutes are how staff get in and out.
func (s *Server) accountRoutes() []route {
	return []route{
		{"GET", "/", anyone, s.front},
		{"GET", "/setup/:token", anyone, s.setup},
		{"POST", "/setup/:token", anyone, s.setup},
		{"GET", "/sign-in", anyone, s.signIn},
		{"POST", "/sign-in", anyone, s.signIn},
		{"GET", "/sign-in/:token", anyone, s.signInLink},
		{"POST", "/sign-in/:token", anyone, s.signInLink},
		{"GET", "/invite/:token", anyone, s.invited},
		{"POST", "/invite/:token", anyone, s.invited},
		{"POST", "/sign-out", anyone, s.signOut},
	}
}
