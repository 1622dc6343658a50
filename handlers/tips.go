package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// errTipBarred is a Conflict: who asked not to be contacted again is not kept as a tip either.
var errTipBarred = errs.New(errs.Conflict, "tips.barred")

// tipsPage lists whom informants said we could ring: when, from whom and until when, and no name.
type tipsPage struct {
	asking
	Rows []tipRow
}

type tipRow struct {
	identities.Tip
	From string // the informant's code; "" once they are erased
	Days int    // until it is deleted
}

func (s *Server) tips(v *visit) error {
	p := tipsPage{asking: asking{v.page("tips.title")}}
	p.Here = "candidates"
	all, err := s.Vault.Tips(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	from := make([]id.Person, len(all))
	for i, t := range all {
		from[i] = t.From
	}
	codes, err := s.Recruitment.Codes(v.ctx(), v.study.ID, from)
	if err != nil {
		return err
	}
	for _, t := range all {
		p.Rows = append(p.Rows, tipRow{t, codes[t.From], v.daysUntil(t.ExpiresAt)})
	}
	return v.show("staff/tips", p)
}

// daysUntil counts the days that are left, a begun one as a day.
func (v *visit) daysUntil(ms int64) int {
	const day = 24 * 60 * 60 * 1000
	return int((ms - v.now().UnixMilli() + day - 1) / day)
}

// One is the address of a tip's page.
func (p tipsPage) One(person id.Person) string { return p.At("/tips/" + string(person)) }

// tipNewPage takes a tip from an informant.
type tipNewPage struct {
	asking
	Person recruitment.Participant // the informant
}

// Say is a field whose words are those of tips.
func (p tipNewPage) Say(name string, options ...string) field {
	return p.Input(name, append(options, "label=tips.label."+name, "hint=tips.hint."+name)...)
}

func (s *Server) tipNew(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	p := tipNewPage{asking: asking{v.page("tips.new.title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	if v.form == nil {
		p.Form.Values = url.Values{"days": {strconv.Itoa(identities.TipDays)}}
		return v.show("staff/tip_new", p)
	}
	err = s.addTip(v, one)
	if errs.KindOf(err) == errs.Conflict {
		err = cmp.Or(s.Repeated(v.ctx()), err) // a second click finds them known: by the first
	}
	if mendable(err) {
		p.Form = v.againForm(err)
		return v.again(err, "staff/tip_new", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/tips"), "tip_added")
}

// addTip keeps a tip of somebody who is not known already, and did not ask us to leave them alone.
func (s *Server) addTip(v *visit, from recruitment.Participant) error {
	who := identities.Identity{Name: v.value("name"), Email: v.value("email"), Phone: v.value("phone"), Organisation: v.value("organisation"), Note: v.value("note")}
	days, err := strconv.Atoi(v.value("days"))
	if err != nil {
		days = 0 // refused with the rest
	}
	if err := identities.CheckTip(who, days); err != nil {
		return eachField(err, nameInWords)
	}
	barred, err := s.Vault.Barred(v.ctx(), v.study.ID, who)
	if err != nil {
		return err
	}
	if barred[0] {
		return errTipBarred
	}
	same, err := s.sameAs(v, who)
	if err != nil {
		return err
	}
	if same != "" {
		return &errs.Error{Kind: errs.Conflict, Code: "invalid", Fields: []errs.Field{{Name: "name", Code: "tips.known", Args: map[string]any{"Code": same}}}}
	}
	return s.People.AddTip(v.ctx(), v.actor(), v.study.ID, from.ID, who, days)
}

// nameInWords says that a name is missing as our other forms do.
func nameInWords(f errs.Field) errs.Field {
	if f.Name == "name" && f.Code == "required" {
		f.Code = "people.name"
	}
	return f
}

// tipPage is one tip, closed or opened for this one showing, and the form that takes it into the study.
type tipPage struct {
	asking
	Tip    identities.Tip
	From   string
	Days   int
	Who    *identities.Identity
	Why    string
	Folded bool // the form is not in use
}

func (p tipPage) Address(rest string) string { return p.At("/tips/" + string(p.Tip.Person) + rest) }

// Purposes are why the team may open a tip.
func (p tipPage) Purposes() []choice {
	return worded(p.asking, "people.purpose.", tipPurposes)
}

var tipPurposes = []string{"call", "support"}

func (s *Server) tip(v *visit) error {
	p, err := s.tipPage(v)
	if err != nil {
		return err
	}
	return v.show("staff/tip", p)
}

func (s *Server) tipPage(v *visit) (p tipPage, err error) {
	p = tipPage{asking: asking{v.page("tips.one.title")}, Folded: true}
	p.Here = "candidates"
	if p.Tip, err = s.askedTip(v); err != nil {
		return p, err
	}
	p.Days = v.daysUntil(p.Tip.ExpiresAt)
	from, err := s.Recruitment.Get(v.ctx(), v.study.ID, p.Tip.From)
	if err != nil && !errors.Is(err, recruitment.ErrUnknown) {
		return p, err
	}
	p.From = from.Code
	p.Form.Values = url.Values{"case": {string(from.Case)}}
	return p, nil
}

// askedTip returns the tip in the address: one of this study, or ErrNoTip.
func (s *Server) askedTip(v *visit) (identities.Tip, error) {
	person := id.Person(v.Param("person"))
	if !id.Valid(person) {
		return identities.Tip{}, identities.ErrNoTip
	}
	return s.Vault.Tip(v.ctx(), v.study.ID, person)
}

// tipOpen opens the name for this one page.
func (s *Server) tipOpen(v *visit) error {
	p, err := s.tipPage(v)
	if err != nil {
		return err
	}
	why := v.value("purpose")
	if !slices.Contains(tipPurposes, why) {
		return s.tipRefused(v, p, faultAt(errs.Invalid, "purpose", "required"))
	}
	who, err := s.Vault.Open(v.ctx(), v.actor(), why, v.study.ID, p.Tip.Person)
	if err != nil {
		return err
	}
	p.Who, p.Why = &who, p.T("people.purpose."+why)
	v.Header("Refresh", fmt.Sprintf("%d; url=%s", nameOpen, p.Address("")))
	return v.show("staff/tip", p)
}

func (s *Server) tipRefused(v *visit, p tipPage, err error) error {
	p.Form = v.againForm(err)
	return v.again(err, "staff/tip", p)
}

// tipEnrol makes the tip a candidate. What is refused leaves it as it was.
func (s *Server) tipEnrol(v *visit) error {
	p, err := s.tipPage(v)
	if errors.Is(err, identities.ErrNoTip) {
		return cmp.Or(s.Repeated(v.ctx()), err) // a second click finds a candidate
	}
	if err != nil {
		return err
	}
	c := v.typedCandidate()
	c.ID, c.Source, c.Recruiter = p.Tip.Person, recruitment.Tip, p.Tip.From
	scheme, err := s.Recruitment.Scheme(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	size, notNumber := v.typedSize(scheme)
	c.Size = size
	if c.Code == "" {
		if c.Code, err = s.suggestCode(v, c.Case); err != nil {
			return err
		}
	}
	err = gatherFaults(v.checkCase(c.Case), s.checkDetails(v, c), notNumber)
	if err == nil {
		err = codeField(s.People.EnrolTip(v.ctx(), v.actor(), c))
	}
	if mendable(err) {
		p.Folded = false
		return s.tipRefused(v, p, err)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.onePath(c.ID), "tip_enrolled")
}

func (s *Server) tipDelete(v *visit) error {
	err := s.People.DropTip(v.ctx(), v.actor(), v.study.ID, id.Person(v.Param("person")))
	if errors.Is(err, identities.ErrNoTip) {
		err = cmp.Or(s.Repeated(v.ctx()), err) // a second click finds it deleted
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/tips"), "tip_deleted")
}
