package handlers

import (
	"errors"
	"html/template"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/studies"
)

// myLetterPage is the six short lines and then the whole letter.
type myLetterPage struct {
	base
	Letter  consents.Letter
	Body    template.HTML
	Foreign bool // there is no translation into the page's language
	Answers bool // they have answered before
	Changed bool // ... and to an older version
	Earlier bool // this is that older version
	Newest  bool // this is the newest version, as whoever has not answered sees
}

// myLetter shows the newest letter, or with ?read=1 the one that was answered to.
func (s *Server) myLetter(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	letter, err := s.letterFor(v, o)
	if err != nil {
		return err
	}
	p := myLetterPage{base: v.page("my.letter.title"), Answers: o.said.InformedAt > 0}
	p.Status, p.Newest = v.text.T("my.status.unanswered"), v.Query("read") == ""
	if p.Answers {
		if p.Status, p.Changed, err = s.readLetter(v, o); err != nil {
			return err
		}
		if v.Query("read") != "" {
			p.Earlier = p.Changed
			if letter, err = s.Consents.Letter(v.ctx(), v.study.ID, o.said.Letter); err != nil {
				return err
			}
		}
	}
	p.Title, p.Letter, p.Body, p.Foreign = letter.Title, letter, consents.HTML(letter.Body), letter.Language != v.text.Lang()
	return v.show("participant/letter", p)
}

func (s *Server) letterFor(v *visit, o own) (consents.Letter, error) {
	return s.Consents.Current(v.ctx(), v.study.ID, o.Audience, v.text.Lang())
}

// Fingerprint is the beginning of the letter's hash, in groups that can be read aloud.
func (p myLetterPage) Fingerprint() string { return fingerprint(p.Letter) }

func fingerprint(l consents.Letter) string {
	return strings.Join([]string{l.Hash[:4], l.Hash[4:8], l.Hash[8:12]}, " ")
}

// myConsentPage is one question per purpose.
type myConsentPage struct {
	base
	Letter  consents.Letter
	Items   []consentItem
	Foreign bool
	Answers bool // they have answered before
	Changed bool // the letter was replaced while they read it
	OfAge   bool // they have said before that they are old enough
}

// Demands are what else the study asks.
func (p myConsentPage) Demands() demands { return p.demands(p.OfAge) }

// consentItem is one question. Its answers are chosen in advance only where somebody changes earlier ones.
type consentItem struct {
	Name, ID, Text, Hint, Error string
	Yes                         string // the word for yes
	Earlier                     string // what was answered before, in words
	ChoseYes, ChoseNo           bool
}

func (p myConsentPage) Fingerprint() string { return fingerprint(p.Letter) }

func (s *Server) myConsent(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	letter, err := s.letterFor(v, o)
	if err != nil {
		return err
	}
	form := v.newForm(nil)
	same, err := s.answeredTo(v, o, letter)
	if err != nil {
		return err
	}
	if same {
		for _, answer := range o.latest() {
			if !answer.Implied {
				form.Values.Set("consent_"+answer.Purpose, word(answer.Yes))
			}
		}
	}
	return v.show("participant/consent", v.myConsentPage(o, letter, form))
}

// answeredTo says whether somebody's earlier answers were to the same text, in whichever language.
func (s *Server) answeredTo(v *visit, o own, letter consents.Letter) (bool, error) {
	if o.said.Letter == "" {
		return false, nil
	}
	read, err := s.Consents.Letter(v.ctx(), v.study.ID, o.said.Letter)
	return read.Audience == letter.Audience && read.Version == letter.Version, err
}

func word(yes bool) string {
	if yes {
		return consents.Yes
	}
	return consents.No
}

func (v *visit) myConsentPage(o own, letter consents.Letter, f form) myConsentPage {
	p := myConsentPage{base: v.page("my.consent.title"), Letter: letter, Foreign: letter.Language != v.text.Lang(), Answers: o.said.InformedAt > 0,
		OfAge: o.said.AgeKnown(v.study.MinimumAge)}
	p.Form = f
	switch {
	case p.Failed() && f.Errors[0].Name != "":
		p.Status = v.text.N("my.status.missing", len(f.Errors))
	case p.Answers:
		p.Status = v.text.T("my.status.answered")
	default:
		p.Status = v.text.T("my.status.letter_read")
	}
	earlier := map[string]string{}
	for _, answer := range o.latest() {
		if !answer.Implied {
			day := v.text.Date(time.UnixMilli(answer.At).In(v.zone()), i18n.Plain)
			earlier[answer.Purpose] = v.text.T("my.consent.earlier."+word(answer.Yes), "Day", day)
		}
	}
	for _, item := range letter.Items {
		name := "consent_" + item.Purpose
		chosen := f.Values.Get(name)
		yes := v.text.T("form.yes")
		if item.Purpose == consents.Interview && letter.Basis == consents.PublicInterest {
			yes = v.text.T("my.consent.join") // there the yes is to taking part, and no consent in the law's sense
		}
		p.Items = append(p.Items, consentItem{Name: name, ID: "f-" + name, Text: item.Text, Hint: item.Hint, Error: f.ErrorOf(name),
			Yes: yes, Earlier: earlier[item.Purpose], ChoseYes: chosen == consents.Yes, ChoseNo: chosen == consents.No})
	}
	return p
}

// myConsentGive keeps the answers to the letter that was shown, whatever language the page has by now.
func (s *Server) myConsentGive(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	letter, err := s.letterOfForm(v, o.Audience)
	if errors.Is(err, consents.ErrLetterChanged) {
		return s.letterChanged(v, o, err)
	}
	if err != nil {
		return err
	}
	f := v.consentForm(letter)
	if v.value("change") != "" { // back from the second step, with what was answered
		return v.show("participant/consent", v.myConsentPage(o, letter, v.newForm(v.form)))
	}
	if same, err := s.answeredTo(v, o, letter); err != nil || same && o.repeats(v.study, f) {
		if err != nil {
			return err
		}
		return v.seeOther("/my", "my_same")
	}
	joined, err := s.giveConsent(v, f, consents.Act{Person: v.session.Person, Means: consents.OwnLink})
	err = settled(err)
	if asked, shown := v.askTwice(err, f, "/my/consent"); asked {
		return shown
	}
	switch {
	case errors.Is(err, consents.ErrLetterChanged):
		return s.letterChanged(v, o, err)
	case mendable(err):
		return v.again(err, "participant/consent", v.myConsentPage(o, letter, v.againForm(err)))
	case err != nil:
		return err
	}
	switch {
	case joined && len(o.open()) == 0 && !o.interviewed():
		return v.seeOther("/my/time", "")
	case o.said.InformedAt == 0: // the page itself says what a first answer led to
		return v.seeOther("/my", "")
	}
	return v.seeOther("/my", "my_answers")
}

func (v *visit) consentAnswers(letter consents.Letter) map[string]bool {
	answers := map[string]bool{}
	for _, item := range letter.Items {
		switch v.value("consent_" + item.Purpose) {
		case consents.Yes:
			answers[item.Purpose] = true
		case consents.No:
			answers[item.Purpose] = false
		}
	}
	return answers
}

// repeats says whether answers to the same text change nothing, so that handing them in again is no act.
func (o own) repeats(study studies.Study, f consentForm) bool {
	for purpose, yes := range f.answers {
		if o.standing(purpose) != word(yes) {
			return false
		}
	}
	interview, answered := f.answers[consents.Interview]
	return answered && !interview || len(f.answers) == len(f.letter.Items) && o.meets(study)
}

// meets says whether the newest answers were given as the study demands by now.
func (o own) meets(study studies.Study) bool {
	var last consents.Given
	for _, act := range o.said.Acts {
		if !act.Withdrawal {
			last = act
		}
	}
	return (study.Signature == studies.ByAct || last.Signed != "") && (!study.Special || last.Explicit != "") && last.OfAge >= study.MinimumAge
}

// letterChanged asks again about the newest letter. What was chosen is said in words and not chosen in advance: it was
// an answer to something else.
func (s *Server) letterChanged(v *visit, o own, cause error) error {
	letter, err := s.letterFor(v, o)
	if err != nil {
		return err
	}
	form := v.againForm(cause)
	chosen := map[string]string{}
	for _, item := range letter.Items {
		name := "consent_" + item.Purpose
		if answer := v.value(name); answer == consents.Yes || answer == consents.No {
			chosen[name] = v.text.T("my.consent.chose." + answer)
		}
	}
	form.unchoose()
	p := v.myConsentPage(o, letter, form)
	p.Status, p.Changed = v.text.T("my.status.changed"), true
	for i := range p.Items {
		if was := chosen[p.Items[i].Name]; was != "" {
			p.Items[i].Earlier = was
		}
	}
	return v.again(cause, "participant/consent", p)
}
