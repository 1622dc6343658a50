package handlers

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// candidatePage is the form that takes somebody into the study.
type candidatePage struct {
	asking
	Led        []string                // codes of who may have led to them
	Attributes []recruitment.Attribute // the study's own
	Same       string                  // who has the same address or number, "" if nobody: then it must be confirmed
	Barred     bool                    // asked not to be contacted: taken in only if they have asked for it since
}

func (s *Server) newCandidatePage(v *visit) (p candidatePage, err error) {
	p = candidatePage{asking: asking{v.page("people.new.title")}}
	p.Here = "candidates"
	if p.Led, err = s.Recruitment.InformantCodes(v.ctx(), v.study.ID); err != nil {
		return p, err
	}
	p.Attributes, err = s.Recruitment.Attributes(v.ctx(), v.study.ID)
	return p, err
}

func (s *Server) candidateNew(v *visit) error {
	p, err := s.newCandidatePage(v)
	if err != nil {
		return err
	}
	p.Form.Values = url.Values{"case": {v.Query("case")}}
	if len(v.study.Cases) == 1 { // nothing to choose between
		p.Form.Values.Set("case", string(v.study.Cases[0].ID))
	}
	if len(v.study.Languages) > 0 {
		p.Form.Values.Set("language", v.study.Languages[0])
	}
	return v.show("staff/candidate", p)
}

func (s *Server) candidateAdd(v *visit) error {
	person, same, err := s.enrolCandidate(v)
	if errs.KindOf(err) == errs.Conflict {
		// A second click finds the code and the address taken: by the first.
		err = cmp.Or(s.Repeated(v.ctx()), err)
	}
	switch {
	case mendable(err):
		p, failed := s.newCandidatePage(v)
		if failed != nil {
			return failed
		}
		p.Form, p.Same, p.Barred = v.againForm(err), same, v.barred(err)
		return v.again(err, "staff/candidate", p)
	case err != nil:
		return err
	}
	return v.seeOther(v.onePath(person), "person_added")
}

// enrolCandidate takes in whom the form is about. same says who else has their address or number.
func (s *Server) enrolCandidate(v *visit) (_ id.Person, same string, err error) {
	c, who := v.typedCandidate(), v.typedIdentity()
	scheme, err := s.Recruitment.Scheme(v.ctx(), v.study.ID)
	if err != nil {
		return "", "", err
	}
	var notNumber, notKnown error
	c.Size, notNumber = v.typedSize(scheme)
	if c.Recruiter, notKnown = s.typedRecruiter(v); notKnown != nil && !mendable(notKnown) {
		return "", "", notKnown
	}
	suggested := c.Code == ""
	if suggested {
		if c.Code, err = s.suggestCode(v, c.Case); err != nil {
			return "", "", err
		}
	}
	if err := gatherFaults(v.checkCase(c.Case), s.checkDetails(v, c), notNumber, notKnown, identityFaults(who)); err != nil {
		return "", "", err
	}
	if err := s.notBarred(v, who); err != nil {
		return "", "", err
	}
	if v.value("same") != "yes" {
		if same, err = s.sameAs(v, who); err != nil {
			return "", "", err
		}
		if same != "" {
			return "", same, faultAt(errs.Conflict, "same", "people.same")
		}
	}
	if err := s.comesBack(v, who); err != nil {
		return "", "", err
	}
	for range mostCodes {
		person, err := s.People.Enrol(v.ctx(), v.actor(), who, c)
		if !suggested || !errors.Is(err, recruitment.ErrCodeTaken) {
			return person, "", codeField(err)
		}
		if c.Code, err = s.suggestCode(v, c.Case); err != nil { // a colleague was faster
			return "", "", err
		}
	}
	return "", "", codeField(recruitment.ErrCodeTaken)
}

const mostCodes = 5

// typedCandidate reads what the study store keeps of the form.
func (v *visit) typedCandidate() recruitment.Participant {
	return recruitment.Participant{ID: id.New[id.Person](), Study: v.study.ID, Code: v.value("code"), Case: id.Case(v.value("case")),
		Audience: v.value("audience"), Relation: recruitment.Relation(v.value("relation")), Title: v.value("title"),
		Source: recruitment.Source(v.value("source")), Attributes: v.typedAttributes()}
}

// typedRecruiter is whom the typed code means, if there is one.
func (s *Server) typedRecruiter(v *visit) (id.Person, error) {
	if v.value("recruiter") == "" {
		return "", nil
	}
	led, err := s.Recruitment.ByCode(v.ctx(), v.study.ID, v.value("recruiter"))
	if errors.Is(err, recruitment.ErrUnknown) {
		err = faultAt(errs.Invalid, "recruiter", "list.recruiter")
	}
	return led.ID, err
}

// typedIdentity reads what the vault keeps.
func (v *visit) typedIdentity() identities.Identity {
	return identities.Identity{Name: v.value("name"), Email: v.value("email"), Phone: v.value("phone"),
		Organisation: v.value("organisation"), Title: v.value("exact_title"), Note: v.value("note"), Language: v.value("language")}
}

// identityInputs are the fields of the vault whose inputs have other names.
var identityInputs = map[string]string{"title": "exact_title"}

// identityFaults says what the vault would refuse, at the fields of our forms.
func identityFaults(who identities.Identity) error {
	if who.Name != "" {
		return renamed(who.Check(), identityInputs)
	}
	who.Name = "-" // said in its own words; the rest as the vault says it
	return gatherFaults(faultAt(errs.Invalid, "name", "people.name"), renamed(who.Check(), identityInputs))
}

const mostEmployees = 10_000_000

// typedSize reads the size of a company; only that is kept, the number could name it.
func (v *visit) typedSize(scheme recruitment.Scheme) (recruitment.Size, error) {
	if v.value("employees") == "" {
		return "", nil
	}
	n, err := strconv.Atoi(v.value("employees"))
	if err != nil || n < 0 || n > mostEmployees {
		return "", faultAt(errs.Invalid, "employees", "people.employees")
	}
	return scheme.SizeOf(n), nil
}

func (s *Server) suggestCode(v *visit, caseID id.Case) (string, error) {
	if c, known := v.study.Case(caseID); known {
		return s.Recruitment.NextCode(v.ctx(), v.study.ID, c.ID, c.Code)
	}
	return "X", nil // the case is refused with everything else
}

// checkDetails says what the register would refuse. Where the case is wrong that is said by checkCase.
func (s *Server) checkDetails(v *visit, c recruitment.Participant) error {
	if v.checkCase(c.Case) != nil && len(v.study.Cases) > 0 {
		c.Case = v.study.Cases[0].ID
	}
	return codeField(s.Recruitment.Check(v.ctx(), c))
}

// codeField says at the field what is wrong with a code.
func codeField(err error) error {
	switch {
	case errors.Is(err, recruitment.ErrCodeTaken):
		return faultAt(errs.Conflict, "code", "people.code_taken")
	case errors.Is(err, recruitment.ErrCodeFixed):
		return faultAt(errs.Conflict, "code", "people.code_fixed")
	}
	return err
}

// errBarred: nobody who asked not to be contacted again comes back by another door.
var errBarred = errs.New(errs.Conflict, "people.barred")

// cameBack is what the team says of whoever left, or wanted to hear no more, and has asked to take part since.
const cameBack = "again"

// notBarred is errBarred for whoever is not to be contacted, unless the team says that they came by themselves.
func (s *Server) notBarred(v *visit, who identities.Identity) error {
	if v.value(cameBack) == "yes" {
		return nil
	}
	barred, err := s.Vault.Barred(v.ctx(), v.study.ID, who)
	if err == nil && barred[0] {
		err = errBarred
	}
	return err
}

// barred says whether the form is to ask whether they came by themselves.
func (v *visit) barred(err error) bool { return errors.Is(err, errBarred) || v.value(cameBack) != "" }

// comesBack lets the study contact them again, when all else is right and they are about to be taken in anew.
func (s *Server) comesBack(v *visit, who identities.Identity) error {
	if v.value(cameBack) != "yes" {
		return nil
	}
	barred, err := s.Vault.Barred(v.ctx(), v.study.ID, who)
	if err != nil || !barred[0] {
		return err
	}
	return s.Vault.Unbar(v.Request.Context(), v.actor(), v.study.ID, who)
}

// sameAs says who else in the study has this address or number, by code.
func (s *Server) sameAs(v *visit, who identities.Identity) (string, error) {
	found, err := s.Vault.Duplicates(v.ctx(), v.study.ID, who.Email, who.Phone)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", nil
	}
	other, err := s.Recruitment.Get(v.ctx(), v.study.ID, found[0])
	if !errors.Is(err, recruitment.ErrUnknown) {
		return other.Code, err
	}
	_, err = s.Vault.Tip(v.ctx(), v.study.ID, found[0])
	switch {
	case err == nil:
		return v.text.T("tips.same"), nil
	case errors.Is(err, identities.ErrNoTip):
		return v.text.T("people.same_respondent"), nil
	}
	return "", err
}
