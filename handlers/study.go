package handlers

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

type studiesPage struct {
	base
	Studies []studies.Mine
}

func (s *Server) studyList(v *visit) error {
	mine, err := s.Studies.List(v.ctx(), v.session.Account)
	if err != nil {
		return err
	}
	return v.show("staff/studies", studiesPage{v.page("studies.title"), mine})
}

// LastDay is a study's end in words.
func (p studiesPage) LastDay(s studies.Study) string { return dayInWords(p.base, s.EndsOn) }

// studyPage is the form of a study's setting, new or known.
type studyPage struct {
	subject
	New    bool
	Action string
}

func (p studyPage) Bases() []choice {
	return p.worded("study.basis", string(studies.Consent), string(studies.PublicInterest))
}

// Setup is the menu of a study's settings; empty for those who may not change them. What concerns data protection has a menu of
// its own behind one entry, and is what stays of a study that was ended.
func (b base) Setup() []entry {
	if b.Role != studies.Owner && b.Role != studies.Researcher {
		return nil
	}
	guarding := b.guarding()
	if b.Study.ClosedAt > 0 {
		return guarding
	}
	if slices.ContainsFunc(guarding, func(e entry) bool { return e.Current }) {
		return append([]entry{b.entry("menu.settings", "/settings")}, guarding...)
	}
	entries := []entry{b.entry("study.here", "/settings"), b.entry("record.title", "/record"), b.entry("study.sample", "/sample"),
		b.entry("study.attributes", "/attributes"), b.entry("study.team", "/team"), b.entry("study.availability", "/availability")}
	for _, a := range b.Study.Audiences {
		if a.Key != consents.Respondent { // each that is interviewed has its kind of meeting
			entries = append(entries, b.entry("study.meeting."+a.Key, "/meeting/"+a.Key))
		}
	}
	door := guarding[0]
	door.Label = b.T("menu.protection")
	return append(entries, b.entry("study.mail", "/mail"), door)
}

// guarding is what was answered, seen and deleted, and the study's end.
func (b base) guarding() (entries []entry) {
	if b.Role == studies.Owner {
		entries = append(entries, b.entry("menu.overview", "/protection"))
	}
	entries = append(entries, b.entry("menu.consents", "/consents"))
	if b.Role == studies.Owner {
		entries = append(entries, b.entry("menu.log", "/log"), b.entry("proofs.title", "/proofs"), b.entry("menu.evidence", "/evidence"))
	}
	return append(entries, b.entry("ending.title", "/end"))
}

// entry leads to a part of the study, and is current on its pages.
func (b base) entry(key, rest string) entry {
	address := b.At(rest)
	return entry{b.T(key), address, b.Path == address || strings.HasPrefix(b.Path, address+"/")}
}

// byAct is the form's word for a signature that is the act itself: a choice needs a value.
const byAct = "act"

func (p studyPage) Signatures() []choice {
	return p.worded("study.signed", byAct, string(studies.ByName), string(studies.Drawing))
}

func (p studyPage) Leavers() []choice {
	return p.worded("study.leaver", string(studies.Delete), string(studies.Anonymise))
}

func (p studyPage) Ends() []choice {
	return p.worded("study.after", string(studies.Delete), string(studies.Anonymise))
}

func (p subject) YesNo() []choice { return p.worded("form", "yes", "no") }

// choices lists values with their texts "<key>.<value>" and, where there is one, "<key>.<value>_hint".
func (b base) worded(key string, values ...string) []choice {
	var choices []choice
	for _, value := range values {
		c := choice{Value: value, Label: b.T(key + "." + value)}
		if hint := key + "." + value + "_hint"; b.Has(hint) {
			c.Hint = b.T(hint)
		}
		choices = append(choices, c)
	}
	return choices
}

const (
	usualZone    = "Europe/Oslo"
	usualMinutes = 60
	usualProof   = 12 // months
)

// studyLanguages are those that starter letters exist in.
var studyLanguages = []string{"nb", "nn", "en"}

func (s *Server) studyNew(v *visit) error {
	p := studyPage{v.subject("study", "study.new_title"), true, "/studies/new"}
	if v.form == nil {
		p.Form = v.newForm(studyValues(studies.Study{Zone: usualZone, Duration: usualMinutes, ProofMonths: usualProof,
			OnWithdrawal: studies.Delete, AtEnd: studies.Delete}))
		p.Form.Values.Del("recording") // to be chosen
		return v.show("staff/study", p)
	}
	var study id.Study
	made, err := p.read(v, studies.Study{Languages: studyLanguages})
	if err == nil {
		study, err = s.Studies.Create(v.ctx(), v.actor(), v.session.Account, made)
	}
	if mendable(err) {
		p.Form = v.refused("study", err)
		return v.again(err, "staff/study", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther("/studies/"+string(study), "study_made")
}

func (s *Server) settings(v *visit) error {
	p := studyPage{v.subject("study", "study.settings_title"), false, v.studyPath("/settings")}
	p.Here = "settings"
	if v.form == nil {
		p.Form = v.newForm(studyValues(v.study))
		return v.show("staff/study", p)
	}
	changed, err := p.read(v, v.study)
	err = gatherFaults(err, s.checkEnd(v, changed))
	if err == nil {
		err = s.People.Change(v.ctx(), v.actor(), changed, v.value("ends_reason"))
	}
	if mendable(err) {
		p.Form = v.refused("study", err)
		return v.again(err, "staff/study", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath(""), "setting_saved")
}

// inputNames are the fields of a study whose inputs have other names.
var inputNames = map[string]string{"project_contact": "contact"}

// read fills a study from the form and says everything that is wrong with it.
func (p studyPage) read(v *visit, s studies.Study) (studies.Study, error) {
	s.Title, s.Purpose, s.Questions, s.Institution = v.value("title"), v.value("purpose"), v.value("questions"), v.value("institution")
	s.ProjectContact, s.Assessment = v.value("contact"), v.value("assessment")
	s.Supervisor, s.SupervisorContact = v.value("supervisor"), v.value("supervisor_contact")
	s.Officer, s.OfficerContact = v.value("officer"), v.value("officer_contact")
	s.LegalBasis, s.Zone = studies.LegalBasis(v.value("legal_basis")), v.value("zone")
	s.StartsOn, s.EndsOn = isoDay(v.value("starts_on")), isoDay(v.value("ends_on"))
	s.InterviewsBy, s.SurveyOpens, s.SurveyCloses = isoDay(v.value("interviews_by")), isoDay(v.value("survey_opens")), isoDay(v.value("survey_closes"))
	s.Recording = v.value("recording") == "yes"
	s.Duration, _ = strconv.Atoi(v.value("duration")) // 0 is refused with the rest
	s.Special, s.AgeReason = v.value("special") == "yes", v.value("age_reason")
	s.MinimumAge, s.ProofMonths = countIn(v.value("minimum_age")), countIn(v.value("proof_months"))
	s.OnWithdrawal, s.AtEnd = studies.Fate(v.value("on_withdrawal")), studies.Fate(v.value("at_end"))
	if s.Signature = studies.Signature(v.value("signature")); s.Signature == byAct {
		s.Signature = studies.ByAct
	}
	return s, gatherFaults(renamed(s.Check(), inputNames), v.chosen("recording", p.YesNo()), v.chosen("special", p.YesNo()),
		v.chosen("signature", p.Signatures()), v.chosen("on_withdrawal", p.Leavers()), v.chosen("at_end", p.Ends()))
}

// countIn reads a number where none is none; what is no number is refused with the rest.
func countIn(text string) int {
	if text == "" {
		return 0
	}
	return digitsOr(text, -1)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func studyValues(s studies.Study) url.Values {
	age := ""
	if s.MinimumAge > 0 {
		age = strconv.Itoa(s.MinimumAge)
	}
	values := url.Values{}
	for name, value := range map[string]string{"title": s.Title, "purpose": s.Purpose, "questions": s.Questions, "institution": s.Institution,
		"contact": s.ProjectContact, "supervisor": s.Supervisor, "supervisor_contact": s.SupervisorContact, "officer": s.Officer,
		"officer_contact": s.OfficerContact, "assessment": s.Assessment, "legal_basis": string(s.LegalBasis), "zone": s.Zone,
		"starts_on": s.StartsOn, "ends_on": s.EndsOn, "interviews_by": s.InterviewsBy,
		"survey_opens": s.SurveyOpens, "survey_closes": s.SurveyCloses, "duration": strconv.Itoa(s.Duration), "recording": yesNo(s.Recording),
		"special": yesNo(s.Special), "minimum_age": age, "age_reason": s.AgeReason, "signature": cmp.Or(string(s.Signature), byAct),
		"on_withdrawal": string(s.OnWithdrawal), "at_end": string(s.AtEnd), "proof_months": strconv.Itoa(s.ProofMonths)} {
		values.Set(name, value)
	}
	return values
}

// isoDay reads a date as people here write it, 4.6.2019; anything else is passed on as it is, and refused with the rest.
func isoDay(typed string) string {
	if day, ok := readDay(typed); ok {
		return day
	}
	return typed
}

// dayInWords says a date that is stored as 2006-01-02.
func dayInWords(b base, day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return b.Date(t, "date")
}
