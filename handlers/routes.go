package handlers

import "slices"

// participantRoutes is everything that a participant or respondent can reach, with its rule.
func (s *Server) participantRoutes() []route {
	return slices.Concat(s.participationRoutes(), s.answeringRoutes())
}

// staffRoutes is everything that the team can reach, with its rule.
func (s *Server) staffRoutes() []route {
	return slices.Concat(s.accountRoutes(), s.settingRoutes(), s.peopleRoutes(), s.fieldRoutes(), s.surveyRoutes(), s.operatorRoutes())
}

func (s *Server) operatorRoutes() []route {
	return []route{
		{"GET", "/healthz", anyone, s.healthz},
		{"GET", "/readyz", anyone, s.readyz},
	}
}

// healthz says that the process answers.
func (s *Server) healthz(v *visit) error {
	v.String(200, "ok\n")
	return nil
}

// readyz says whether the stores answer too.
func (s *Server) readyz(v *visit) error {
	if err := s.Ready(); err != nil {
		v.String(503, "not ready\n")
		return nil
	}
	v.String(200, "ready\n")
	return nil
}
