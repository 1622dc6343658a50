package handlers

import (
	"errors"
	"net/url"
	"slices"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// answersPage is where the team enters what somebody said on the telephone or signed.
type answersPage struct {
	asking
	Person  recruitment.Participant
	Letter  consents.Letter
	Others  []consents.Letter // other versions and languages that may have been read
	Items   []field
	Changes bool // there are answers already
	OfAge   bool // they have said before that they are old enough
}

func (s *Server) personConsent(v *visit) error {
	p, err := s.answersPage(v, v.Query("letter"), nil)
	if errors.Is(err, ErrLetterMissing) {
		return s.personActed(v, err, "", "")
	}
	if err != nil {
		return err
	}
	return v.show("staff/person_consent", p)
}

func (s *Server) personConsented(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	err = s.recordAnswers(v, one)
	if err == nil {
		return v.seeOther(v.onePath(one.ID), "person_consent")
	}
	if !mendable(err) {
		return err
	}
	again := v.againForm(err)
	p, failed := s.answersPage(v, v.value("letter"), &again)
	if failed != nil {
		return failed
	}
	return v.again(err, "staff/person_consent", p)
}

// recordAnswers enters an answer to every item of the letter that was read. Who entered it, and how it was given, is
// part of it.
func (s *Server) recordAnswers(v *visit, one recruitment.Participant) error {
	letter, err := s.letterRead(v, one, v.value("letter"))
	if err != nil {
		return err
	}
	f := v.consentForm(letter)
	act := consents.Act{Study: v.study.ID, Person: one.ID, Letter: letter.ID, Means: v.value("means"), Reference: v.value("reference"),
		Answers: f.answers, Age: f.age}
	var missing []error
	if !slices.Contains(consentMeans, act.Means) {
		missing = append(missing, faultAt(errs.Invalid, "means", "people.choose_means"))
	}
	if act.Reference == "" && (act.Means == consents.Paper || act.Means == consents.Elsewhere) {
		missing = append(missing, faultAt(errs.Invalid, "reference", "people.reference"))
	}
	missing = append(missing, v.givenOn(&act), v.explicitlyGiven(f, &act), unanswered(letter.Items, act.Answers))
	if err := gatherFaults(missing...); err != nil {
		return err
	}
	return recoded(s.People.ChangeConsent(v.ctx(), v.actor(), act), map[string]string{"consent_age": "act_staff_age"})
}

// givenOn reads the day on which an answer was given, where that was before it is entered.
func (v *visit) givenOn(act *consents.Act) error {
	typed := v.value("given_on")
	if typed == "" {
		return nil
	}
	day, ok := readDay(typed)
	if !ok {
		return faultAt(errs.Invalid, "given_on", "consent_day")
	}
	act.GivenOn = day
	return nil
}

// explicitlyGiven reads whether somebody consented explicitly, where the study needs that. Without it there is no yes.
func (v *visit) explicitlyGiven(f consentForm, act *consents.Act) error {
	if !v.study.Special || !f.joins() {
		return nil
	}
	switch v.value("explicit") {
	case consents.Yes:
		act.Explicit = v.sentence()
		return nil
	case consents.No:
		return faultAt(errs.Invalid, "explicit", "act_staff_not_explicit")
	}
	return faultAt(errs.Invalid, "explicit", "act_staff_explicit")
}

// recoded says the same faults in the words of this page.
func recoded(err error, codes map[string]string) error {
	return eachField(err, func(f errs.Field) errs.Field {
		if code, ok := codes[f.Code]; ok {
			f.Code = code
		}
		return f
	})
}

var consentMeans = []string{consents.Oral, consents.Paper, consents.Elsewhere}

// unanswered names the items left open, so that everything that is missing is said at once. After a no to taking part
// nothing more is asked.
func unanswered(items []consents.Item, answers map[string]bool) error {
	var check errs.Check
	for _, item := range items {
		yes, answered := answers[item.Purpose]
		if item.Required && answered && !yes {
			return nil
		}
		if !answered {
			check.Add("consent_"+item.Purpose, "choose_"+item.Purpose)
		}
	}
	return check.Err()
}

// letterRead is the letter an answer rests on: the one named, which must have been written for people like this, or else
// the newest in the study's main language.
func (s *Server) letterRead(v *visit, one recruitment.Participant, named string) (consents.Letter, error) {
	if named != "" {
		letter, err := s.Consents.Letter(v.ctx(), v.study.ID, id.Letter(named))
		if err == nil && letter.Audience != one.Audience {
			err = consents.ErrNoLetter
		}
		return letter, err
	}
	main := ""
	if len(v.study.Languages) > 0 {
		main = v.study.Languages[0]
	}
	letter, err := s.Consents.Current(v.ctx(), v.study.ID, one.Audience, main)
	if errors.Is(err, consents.ErrNoLetter) {
		err = ErrLetterMissing
	}
	return letter, err
}

func (s *Server) answersPage(v *visit, named string, again *form) (answersPage, error) {
	one, err := s.askedPerson(v)
	if err != nil {
		return answersPage{}, err
	}
	p := answersPage{asking: asking{v.page("people.consent.title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	if p.Letter, err = s.letterRead(v, one, named); err != nil {
		return p, err
	}
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	p.Others = slices.DeleteFunc(versions, func(l consents.Letter) bool { return l.Audience != one.Audience || l.ID == p.Letter.ID })
	answered, err := s.Consents.State(v.ctx(), v.study.ID, one.ID)
	if err != nil {
		return p, err
	}
	p.Changes, p.OfAge = len(answered.Acts) > 0, answered.AgeKnown(v.study.MinimumAge)
	p.Form.Values = url.Values{}
	if again != nil {
		p.Form = *again
	}
	p.ask(answered)
	return p, nil
}

// ask makes a field of each item, in the letter's words. What stood before is said, never chosen.
func (p *answersPage) ask(answered consents.State) {
	for _, item := range p.Letter.Items {
		f := p.Radio("consent_"+item.Purpose, []choice{{Value: "yes", Label: p.T("form.yes")}, {Value: "no", Label: p.T("form.no")}})
		f.Label, f.Hint, f.Optional = item.Text, item.Hint, p.T("act.required")
		if standing, ok := answered.ByPurpose[item.Purpose]; ok {
			f.Hint += " " + p.T("people.consent.before", "Answer", p.T("consents.standing."+standing))
		}
		p.Items = append(p.Items, f)
	}
}

// Means are how an answer can have reached the team.
func (p answersPage) Means() []choice {
	choices := worded(p.asking, "consents.means.", consentMeans)
	for i := range choices {
		choices[i].Hint = p.T("act.means." + choices[i].Value)
	}
	return choices
}

// Reference is where the answer lies.
func (p answersPage) Reference() field {
	return p.Ask("reference", "autocomplete=off", "hint=act.staff.reference")
}

// Demands are what the study asks of whoever says yes, as the team is asked about it.
func (p answersPage) Demands() (asked []field) {
	yesNo := []choice{{Value: consents.Yes, Label: p.T("form.yes")}, {Value: consents.No, Label: p.T("form.no")}}
	if p.Study.MinimumAge > 0 && !p.OfAge {
		f := p.Radio("age", yesNo)
		f.Label, f.Hint = p.T("act.staff.age", "Years", p.Study.MinimumAge), p.T("act.staff.age_hint")
		f.Optional = p.T("act.required")
		asked = append(asked, f)
	}
	if p.Study.Special {
		f := p.Radio("explicit", yesNo)
		sentence := p.T("act.explicit.sentence", "Institution", p.Study.Institution, "Title", p.Study.Title)
		f.Label, f.Hint = p.T("act.staff.explicit"), p.T("act.staff.explicit_hint", "Sentence", sentence)
		f.Optional = p.T("act.required")
		asked = append(asked, f)
	}
	return asked
}

// Version is a letter as the team speaks of it.
func (p answersPage) Version(l consents.Letter) string {
	return p.T("people.consent.version", "Version", l.Version, "Language", p.T("language."+l.Language))
}

// Read is the address of this form for another letter.
func (p answersPage) Read(l consents.Letter) string {
	return withQuery(p.One(p.Person.ID)+"/consent", "letter", string(l.ID))
}
