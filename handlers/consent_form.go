package handlers

import (
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// consentForm is what somebody handed in about a letter.
type consentForm struct {
	letter  consents.Letter
	answers map[string]bool
	age     string
	name    identities.Signature
}

// consentForm reads what was handed in. Of whoever is too young it holds a no and nothing else; of a no, no name.
func (v *visit) consentForm(letter consents.Letter) consentForm {
	f := consentForm{letter: letter, answers: v.consentAnswers(letter)}
	if v.study.MinimumAge > 0 {
		f.age = v.value("age")
	}
	if f.age == consents.No {
		f.answers = refusal(letter)
	}
	if v.study.Signature != studies.ByAct && f.joins() {
		f.name.Typed = v.value("signature")
	}
	if v.study.Signature == studies.Drawing && f.joins() {
		f.name.Drawn = v.value("drawing")
	}
	return f
}

// joins says whether it is a yes to taking part.
func (f consentForm) joins() bool {
	return slices.ContainsFunc(f.letter.Items, func(item consents.Item) bool { return item.Required && f.answers[item.Purpose] })
}

// refusal is a no to taking part, which is all that is asked of whoever says it.
func refusal(letter consents.Letter) map[string]bool {
	answers := map[string]bool{}
	for _, item := range letter.Items {
		if item.Required {
			answers[item.Purpose] = false
		}
	}
	return answers
}

// giveConsent keeps what was handed in, and says whether it came to a yes to taking part. Where the study needs a yes in
// words of its own, consents.ErrNotExplicit says that this is still to be asked, and nothing is kept before. A no there is a
// no to taking part.
func (s *Server) giveConsent(v *visit, f consentForm, act consents.Act) (joined bool, err error) {
	if v.stated(f) {
		switch v.value("explicit") {
		case consents.Yes:
			act.Explicit = v.sentence()
		case consents.No:
			f.answers, f.name = refusal(f.letter), identities.Signature{}
		default:
			return false, faultAt(errs.Invalid, "explicit", "consent_explicit")
		}
	}
	act.Study, act.Letter, act.Answers, act.Age = v.study.ID, f.letter.ID, f.answers, f.age
	return f.joins(), s.People.SignConsent(v.ctx(), v.actor(), act, f.name)
}

// sentence is what somebody says yes to besides. It is kept with the act, as it was shown.
func (v *visit) sentence() string {
	return v.text.T("act.explicit.sentence", "Institution", v.study.Institution, "Title", v.study.Title)
}

// stamp binds the second step to the answers of the first, to this letter, these words and this visitor: whoever has not
// been shown the sentence after these very answers has no such stamp.
func (v *visit) stamp(f consentForm) string {
	parts := []string{"explicit", string(f.letter.ID), v.sentence(), f.age, f.name.Typed, f.name.Drawn}
	for _, item := range f.letter.Items {
		answer := ""
		if yes, ok := f.answers[item.Purpose]; ok {
			answer = word(yes)
		}
		parts = append(parts, item.Purpose, answer)
	}
	return hex.EncodeToString(v.signForm([]byte(strings.Join(parts, "\x00"))))
}

// stated says whether this is the second step.
func (v *visit) stated(f consentForm) bool {
	return v.study.Special && f.joins() && hmac.Equal([]byte(v.value("stated")), []byte(v.stamp(f)))
}

// explicitPage is the second step: one sentence, and yes or no to it.
type explicitPage struct {
	base
	Action  string // where the forms of both steps go
	Letter  consents.Letter
	Says    string // the sentence
	Agreed  []consents.Item
	Carried []carried // the first step's answers
}

type carried struct{ Name, Value string }

// Sentence is the question of the second step; nothing is chosen before.
func (p explicitPage) Sentence() field {
	f := p.Radio("explicit", []choice{{Value: consents.Yes, Label: p.T("act.explicit.yes")}, {Value: consents.No, Label: p.T("act.explicit.no")}})
	f.Label, f.Optional = p.Says, p.T("act.required")
	return f
}

// Fingerprint is the beginning of the letter's hash, in groups that can be read aloud.
func (p explicitPage) Fingerprint() string { return fingerprint(p.Letter) }

// askTwice shows the second step where err says that it is what is missing, and says whether it was.
func (v *visit) askTwice(err error, f consentForm, action string) (asked bool, shown error) {
	unchosen := slices.ContainsFunc(errs.FieldsOf(err), func(field errs.Field) bool { return field.Name == "explicit" })
	if !errors.Is(err, consents.ErrNotExplicit) && !unchosen {
		return false, nil
	}
	p := explicitPage{base: v.page("act.explicit.title"), Action: action, Letter: f.letter, Says: v.sentence()}
	p.Status = v.text.T("act.explicit.status")
	for _, item := range f.letter.Items {
		if f.answers[item.Purpose] {
			p.Agreed = append(p.Agreed, item)
		}
		p.Carried = append(p.Carried, carried{"consent_" + item.Purpose, v.value("consent_" + item.Purpose)})
	}
	p.Carried = append(p.Carried, carried{"letter", string(f.letter.ID)}, carried{"age", f.age}, carried{"signature", f.name.Typed},
		carried{"drawing", f.name.Drawn}, carried{"stated", v.stamp(f)})
	if unchosen {
		p.Form = v.againForm(err)
		return true, v.again(err, "participant/explicit", p)
	}
	return true, v.show("participant/explicit", p)
}

// demands are what a study asks of whoever says yes, besides the answers.
type demands struct {
	Age  *field
	Name *nameField
}

// nameField is where somebody writes or draws their name.
type nameField struct {
	field
	Draws         bool
	Drawn         string
	Width, Height int
}

// demands are made when the page is shown, when the form's errors are known.
func (b base) demands(ageKnown bool) (d demands) {
	if b.Study.MinimumAge > 0 && !ageKnown {
		age := b.Radio("age", []choice{{Value: consents.Yes, Label: b.T("form.yes")}, {Value: consents.No, Label: b.T("form.no")}})
		age.Label = b.T("act.age", "Years", b.Study.MinimumAge)
		age.Hint, age.Optional = strings.TrimSpace(b.Study.AgeReason+" "+b.T("act.age_hint")), b.T("act.required")
		d.Age = &age
	}
	if b.Study.Signature != studies.ByAct {
		name := b.Input("signature", "autocomplete=name", "label=act.name", "hint=act.name_hint")
		d.Name = &nameField{field: name, Width: identities.SheetWidth, Height: identities.SheetHeight}
		d.Name.Optional = b.T("act.required")
		if b.Study.Signature == studies.Drawing {
			d.Name.Label, d.Name.Draws, d.Name.Drawn = b.T("act.name_instead"), true, b.Form.Values.Get("drawing")
		}
	}
	return d
}

// letterOfForm finds the letter that a form was about. One that is nobody's, or for others, is as good as an old one.
func (s *Server) letterOfForm(v *visit, audience string) (consents.Letter, error) {
	letter, err := s.Consents.Letter(v.ctx(), v.study.ID, id.Letter(v.value("letter")))
	if errs.KindOf(err) == errs.NotFound || err == nil && letter.Audience != audience {
		return letter, consents.ErrLetterChanged
	}
	return letter, err
}

// unchoose takes the answers out of a form about a letter that was replaced: they were answers to something else.
func (f form) unchoose() {
	for name := range f.Values {
		if strings.HasPrefix(name, "consent_") || name == "stated" || name == "explicit" {
			f.Values.Del(name)
		}
	}
}
