package studies

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"example.org/feltbok/internal/errs"

	"golang.org/x/text/unicode/norm"
)

const (
	mostLine     = 300    // characters of a field of one line
	mostText     = 10_000 // characters of a field of many
	mostMinutes  = 480
	mostCases    = 100
	mostCaseCode = 8 // characters
	mostAge      = 120
	mostProof    = 120 // months
)

// check says what is wrong with a study, and tidies what nobody would call wrong.
func (s *Study) check() error {
	var check errs.Check
	s.checkTexts(&check)
	s.checkChoices(&check)
	s.checkDates(&check)
	s.checkParts(&check)
	return check.Err()
}

func (s *Study) checkTexts(check *errs.Check) {
	for _, f := range []struct {
		name  string
		value *string
		most  int
	}{
		{"purpose", &s.Purpose, mostText},
		{"questions", &s.Questions, mostText},
		{"department", &s.Department, mostLine},
		{"project_contact", &s.ProjectContact, mostText},
		{"supervisor", &s.Supervisor, mostLine},
		{"supervisor_contact", &s.SupervisorContact, mostText},
		{"officer", &s.Officer, mostLine},
		{"officer_contact", &s.OfficerContact, mostText},
		{"assessment", &s.Assessment, mostText},
		{"age_reason", &s.AgeReason, mostText},
	} {
		*f.value = strings.TrimSpace(*f.value)
		check.AtMost(f.name, *f.value, f.most)
	}
	// The rest may come later: a letter that needs it is not published without.
	s.Title, s.Institution = strings.TrimSpace(s.Title), strings.TrimSpace(s.Institution)
	check.Require("title", s.Title, mostLine)
	check.Require("institution", s.Institution, mostLine)
}

func (s *Study) checkChoices(check *errs.Check) {
	if s.LegalBasis != Consent && s.LegalBasis != PublicInterest {
		check.Add("legal_basis", "studies.choose")
	}
	known := func(language string) bool { return slices.Contains([]string{"nb", "nn", "en"}, language) }
	if len(s.Languages) == 0 || repeats(s.Languages) || slices.ContainsFunc(s.Languages, func(l string) bool { return !known(l) }) {
		check.Add("languages", "studies.choose")
	}
	s.OnWithdrawal, s.AtEnd = cmp.Or(s.OnWithdrawal, Delete), cmp.Or(s.AtEnd, Delete)
	if s.OnWithdrawal != Delete && s.OnWithdrawal != Anonymise {
		check.Add("on_withdrawal", "studies.choose")
	}
	if s.AtEnd != Delete && s.AtEnd != Anonymise {
		check.Add("at_end", "studies.choose")
	}
	if s.Signature != ByAct && s.Signature != ByName && s.Signature != Drawing {
		check.Add("signature", "studies.choose")
	}
	if s.MinimumAge < 0 || s.MinimumAge > mostAge {
		check.Add("minimum_age", "studies.age")
	}
	if s.MinimumAge > 0 {
		check.Require("age_reason", s.AgeReason, mostText)
	}
	if s.ProofMonths < 0 || s.ProofMonths > mostProof {
		check.Add("proof_months", "studies.months")
	}
	if s.Duration < 1 || s.Duration > mostMinutes {
		check.Add("duration", "studies.duration")
	}
}

func (s *Study) checkDates(check *errs.Check) {
	// LoadLocation takes "" for UTC and "Local" for wherever the server stands.
	if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "" || s.Zone == "Local" {
		check.Add("zone", "studies.zone")
	}
	start, startErr := time.Parse(time.DateOnly, s.StartsOn)
	if startErr != nil {
		check.Add("starts_on", "studies.date")
	}
	end, endErr := time.Parse(time.DateOnly, s.EndsOn)
	if endErr != nil {
		check.Add("ends_on", "studies.date")
	}
	known := startErr == nil && endErr == nil
	if known && end.Before(start) {
		check.Add("ends_on", "studies.ends_before_start")
		known = false
	}
	s.checkMilestones(check, known)
}

// checkMilestones holds them in their order, within the study where its days are known. Days written alike sort as text.
func (s *Study) checkMilestones(check *errs.Check, known bool) {
	before := s.StartsOn
	for _, m := range []struct{ name, day, order string }{
		{"interviews_by", s.InterviewsBy, "studies.outside"},
		{"survey_opens", s.SurveyOpens, "studies.opens_early"},
		{"survey_closes", s.SurveyCloses, "studies.closes_early"},
	} {
		if m.day == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, m.day); err != nil {
			check.Add(m.name, "studies.date")
			continue
		}
		switch {
		case known && (m.day < s.StartsOn || m.day > s.EndsOn):
			check.Add(m.name, "studies.outside")
		case known && m.day < before:
			check.Add(m.name, m.order)
		}
		before = m.day
	}
	if (s.SurveyOpens == "") != (s.SurveyCloses == "") {
		name := "survey_opens"
		if s.SurveyCloses == "" {
			name = "survey_closes"
		}
		check.Add(name, "studies.both_days")
	}
}

func (s *Study) checkParts(check *errs.Check) {
	keys := make([]string, len(s.Audiences))
	for i, a := range s.Audiences {
		keys[i] = a.Key
		check.AtMost("audiences", a.Name, mostLine)
	}
	if repeats(keys) || slices.ContainsFunc(keys, func(k string) bool { return !slices.Contains(audienceKeys, k) }) {
		check.Add("audiences", "studies.choose")
	}
	codes := make([]string, len(s.Cases))
	for i := range s.Cases {
		s.Cases[i].check(check)
		codes[i] = s.Cases[i].Code
	}
	if repeats(codes) || len(codes) > mostCases {
		check.Add("code", "studies.case_codes")
	}
}

// check folds a case's code to capitals and allows letters only: a participant's code is the case's and a number.
func (c *Case) check(check *errs.Check) {
	c.Code, c.Name = strings.ToUpper(norm.NFC.String(strings.TrimSpace(c.Code))), strings.TrimSpace(c.Name)
	check.Require("code", c.Code, mostCaseCode)
	if strings.ContainsFunc(c.Code, func(r rune) bool { return !unicode.IsLetter(r) }) {
		check.Add("code", "studies.letters")
	}
	check.Require("name", c.Name, mostLine)
}

func repeats(values []string) bool {
	sorted := slices.Sorted(slices.Values(values))
	return len(slices.Compact(sorted)) < len(values)
}

// Check says what Create and Update would refuse, for a form that has more to say.
func (s Study) Check() error {
	s.Cases = slices.Clone(s.Cases) // their codes are folded
	return s.check()
}
