package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html/template"
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/recruitment"
)

// friendPage is what somebody sees to whom an informant passed an invitation on. We do not know who that is, and the page
// is the whole of what they are asked.
type friendPage struct {
	base
	From    string           // who passed it on, if they chose to say so
	Letter  *consents.Letter // nil where none is published
	Body    template.HTML
	Foreign bool // there is no translation into the page's language
	Contact []part
	Terms   string // what a yes is to, word for word
	Proof   string // of the terms that were shown
}

var (
	errTermsChanged = errs.New(errs.Conflict, "friend.terms_changed")
	errNotTaken     = errs.New(errs.Unavailable, "friend.not_taken")
)

// friend answers /i/. A coupon that is used up, or was never there, looks like every dead link, before anything is asked.
func (s *Server) friend(v *visit) error {
	began := time.Now()
	link, err := s.Links.Resolve(v.ctx(), v.Param("token"), links.Referral)
	if err != nil {
		return s.deadIfGone(v, err)
	}
	coupon, unused := s.Recruitment.OpenCoupon(v.ctx(), link.Study, id.Coupon(link.Subject))
	study, err := s.Studies.Get(v.ctx(), link.Study)
	switch {
	case err != nil:
		return err
	case unused != nil && !errors.Is(unused, recruitment.ErrCoupon):
		return unused
	case !v.now().Before(study.End()), unused != nil && v.form == nil:
		return s.dead(v)
	}
	v.study = study
	v.chooseLanguage()
	switch {
	case v.form == nil:
		return s.friendShow(v, coupon, v.newForm(nil), nil)
	case unused != nil:
		return s.friendUsed(v)
	}
	return s.friendAnswer(v, coupon, began)
}

// deadIfGone shows the page of dead links for what is not there.
func (s *Server) deadIfGone(v *visit, err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return s.dead(v)
	}
	return err
}

// friendUsed answers who hands in a form for a coupon that is used: by this very form, in another click, or by somebody
// else while they typed.
func (s *Server) friendUsed(v *visit) error {
	if errors.Is(s.Repeated(v.ctx()), database.ErrRepeated) {
		return v.friendThanks()
	}
	p := friendPage{base: v.page("friend.used.title"), Contact: parts(v.study.ProjectContact)}
	return v.again(recruitment.ErrCoupon, "participant/friend_used", p)
}

// friendThanks is where both answers end. The address holds no secret, and the pages nothing of the study.
func (v *visit) friendThanks() error {
	to := "/i/end/no"
	if v.value("answer") == "yes" {
		to = "/i/end/thanks"
	}
	return v.seeOther(to+"?lang="+v.text.Lang(), "")
}

func (s *Server) friendYes(v *visit) error {
	return v.show("participant/friend_end", friendEnd{v.page("friend.thanks.title"), "thanks"})
}

func (s *Server) friendNo(v *visit) error {
	return v.show("participant/friend_end", friendEnd{v.page("friend.no.title"), "no"})
}

// friendEnd is the last page: the same for everybody who gave the same answer.
type friendEnd struct {
	base
	Place string
}

func (s *Server) friendShow(v *visit, c recruitment.Coupon, f form, cause error) error {
	p := friendPage{base: v.page("friend.title"), Contact: parts(v.study.ProjectContact), Terms: s.friendTerms(v, v.text.Lang())}
	p.Form, p.Proof, p.Status = f, proofOf(p.Terms), v.text.T("friend.status")
	if p.Form.Values.Get("language") == "" {
		p.Form.Values.Set("language", v.text.Lang())
	}
	var err error
	if p.From, err = s.friendFrom(v, c); err != nil {
		return err
	}
	letter, err := s.Consents.Current(v.ctx(), v.study.ID, consents.Company, v.text.Lang())
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return err
	}
	if err == nil {
		p.Letter, p.Body, p.Foreign = &letter, consents.HTML(letter.Body), letter.Language != v.text.Lang()
	}
	if cause != nil {
		return v.again(cause, "participant/friend", p)
	}
	return v.show("participant/friend", p)
}

// friendFrom is the informant's name, where they chose to be named. It is opened each time anew, and logged.
func (s *Server) friendFrom(v *visit, c recruitment.Coupon) (string, error) {
	if !c.ShowName {
		return "", nil
	}
	who, err := s.Vault.Open(v.Request.Context(), audit.System, "referral", c.Study, c.Person)
	if errs.KindOf(err) == errs.NotFound {
		return "", nil
	}
	return who.Name, err
}

// friendTerms is what a yes is to, in one language. It is kept as it was shown, and names nobody.
func (s *Server) friendTerms(v *visit, lang string) string {
	in := s.languages.Text(lang)
	return in.T("friend.terms", "Institution", v.study.Institution, "Study", v.study.Title,
		"Day", in.Date(v.study.End().AddDate(0, 0, -1), i18n.Plain))
}

// proofOf tells terms apart that were shown in other words, or in another language.
func proofOf(terms string) string {
	sum := sha256.Sum256([]byte(terms))
	return hex.EncodeToString(sum[:8])
}

// Answers are equal, and none is chosen beforehand.
func (p friendPage) Answers() field {
	return p.Radio("answer", []choice{{Value: "yes", Label: p.T("friend.answer.yes")}, {Value: "no", Label: p.T("friend.answer.no")}},
		"label=friend.answer", "hint=")
}

// Ask is a field of the friend's own.
func (p friendPage) Ask(name string, options ...string) field {
	return p.Input(name, append(options, "label=friend.label."+name, "hint=friend.hint."+name)...)
}

// Speaks are the languages in which the team answers.
func (p friendPage) Speaks() field {
	var choices []choice
	for _, lang := range p.Study.Languages {
		choices = append(choices, choice{Value: lang, Label: p.T("language." + lang)})
	}
	return p.Select("language", choices, "label=friend.label.language", "hint=")
}

func (s *Server) friendAnswer(v *visit, c recruitment.Coupon, began time.Time) error {
	err := s.friendSays(v, c)
	switch {
	case errors.Is(err, database.ErrRepeated):
		err = errNotTaken // it was handed in, and did not lead to anything: the coupon is open
	case errors.Is(err, recruitment.ErrCoupon):
		return s.friendUsed(v)
	case errs.KindOf(err) == errs.NotFound:
		return s.dead(v)
	}
	if mendable(err) {
		return s.friendShow(v, c, v.againForm(err), err)
	}
	if err != nil {
		return err
	}
	s.evenly(began)
	return v.friendThanks()
}

// friendSays does what was answered.
func (s *Server) friendSays(v *visit, c recruitment.Coupon) error {
	switch v.value("answer") {
	case "no":
		return s.People.RefuseCoupon(v.ctx(), c)
	case "yes":
	default:
		return faultAt(errs.Invalid, "answer", "friend.answer")
	}
	who := identities.Identity{Name: v.value("name"), Email: v.value("email"), Phone: v.value("phone"), Language: v.value("language")}
	if err := v.friendFaults(who); err != nil {
		return err
	}
	lang, ok := s.shownTerms(v)
	if !ok {
		return errTermsChanged
	}
	return s.People.AcceptCoupon(v.ctx(), c, who, recruitment.Acceptance{Language: lang, Text: s.friendTerms(v, lang)})
}

func (v *visit) friendFaults(who identities.Identity) error {
	faults := []error{identityFaults(who)}
	if who.Email == "" && who.Phone == "" {
		faults = append(faults, faultAt(errs.Invalid, "email", "friend.reach"))
	}
	if !slices.Contains(v.study.Languages, who.Language) {
		faults = append(faults, faultAt(errs.Invalid, "language", "identities.choose"))
	}
	return gatherFaults(faults...)
}

// shownTerms is the language in which the terms were shown that the form speaks of; false where they read otherwise now.
func (s *Server) shownTerms(v *visit) (string, bool) {
	for _, lang := range i18n.Languages {
		if proofOf(s.friendTerms(v, lang)) == v.value("terms") {
			return lang, true
		}
	}
	return "", false
}

// answerTakes is how long an answer takes at least: longer than taking somebody in, so that the wait does not tell who is
// known already.
const answerTakes = 400 * time.Millisecond

func (s *Server) evenly(began time.Time) {
	if !s.Unlimited {
		time.Sleep(answerTakes - time.Since(began))
	}
}
