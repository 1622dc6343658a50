package exports

import (
	"maps"
	"slices"
)

// keep decides what may leave, before any sheet is written: nothing of those withheld, no interview without consent to
// it, no job title against a no. Only a no keeps things back; what nobody asked rests on the study's legal basis.
func (s *Source) keep() {
	s.Left = slices.Clone(s.Left)
	for _, code := range slices.Sorted(maps.Keys(s.Withheld)) {
		s.Left = append(s.Left, LeftOut{What: "person", Code: code, Reason: s.Withheld[code]})
	}
	refused := s.refusals()
	s.Participants = kept(s.Participants, func(p *Participant) bool {
		if p.Title != "" && refused["job_title"][p.Code] && s.Withheld[p.Code] == "" {
			p.Title = ""
			s.leave("title", p.Code)
		}
		if s.Withheld[p.Recruiter] != "" {
			p.Recruiter = ""
		}
		return s.Withheld[p.Code] == ""
	})
	s.Interviews = kept(s.Interviews, func(i *Interview) bool {
		if s.Withheld[i.Code] != "" {
			return false
		}
		if refused["interview"][i.Code] {
			s.leave("interview", i.Code)
			return false
		}
		return true
	})
	s.keepMarks(refused["interview"])
	s.Consents = kept(s.Consents, func(c *Consent) bool { return s.Withheld[c.Code] == "" })
	s.keepAnswers(refused["survey"])
}

// refusals is who said no, by purpose and code.
func (s *Source) refusals() map[string]map[string]bool {
	refused := map[string]map[string]bool{"interview": {}, "job_title": {}, "survey": {}}
	for _, c := range s.Consents {
		for purpose, of := range refused {
			if c.Standings[purpose] == "no" {
				of[c.Code] = true
			}
		}
	}
	return refused
}

func (s *Source) leave(what, code string) {
	s.Left = append(s.Left, LeftOut{What: what, Code: code, Reason: "no_consent"})
}

func (s *Source) keepMarks(refused map[string]bool) {
	marks, left := map[string]map[string]string{}, map[string]bool{}
	for theme, of := range s.Marks {
		marks[theme] = map[string]string{}
		for code, mark := range of {
			switch {
			case s.Withheld[code] != "":
			case refused[code]:
				left[code] = true
			default:
				marks[theme][code] = mark
			}
		}
	}
	for _, code := range slices.SortedFunc(maps.Keys(left), natural) {
		s.leave("coding", code)
	}
	s.Marks = marks
}

// keepAnswers filters the answers as they come by; those left out are noted then.
func (s *Source) keepAnswers(refused map[string]bool) {
	if s.Survey == nil {
		return
	}
	survey := *s.Survey
	all := survey.Answers
	survey.Answers = func(yield func(Answer, error) bool) {
		for a, err := range all {
			if err == nil && s.Withheld[a.Code] != "" {
				continue
			}
			if err == nil && refused[a.Code] {
				s.leave("answers", a.Code)
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
	s.Survey = &survey
}

// kept copies what stays, so that the caller's own slice is left alone.
func kept[T any](all []T, stays func(*T) bool) []T {
	var some []T
	for _, one := range all {
		if stays(&one) {
			some = append(some, one)
		}
	}
	return some
}
