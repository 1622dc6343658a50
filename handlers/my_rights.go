package handlers

import (
	"context"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/studies"
)

// roomy is a page that informants and respondents share: Room is the folder of whoever reads it.
type roomy struct {
	base
	Room string // "/my" or "/survey"
	Mine string // the page about themselves that the others lead back to
}

func (v *visit) roomy(title string, args ...any) roomy {
	room, mine := v.room()
	return roomy{v.page(title, args...), room, mine}
}

// room is where the visitor's own pages lie.
func (v *visit) room() (room, mine string) {
	if v.link.Purpose == links.Survey {
		return "/survey", "/survey/mine"
	}
	return "/my", "/my"
}

// rightsNow is what somebody has asked for, and what that means now: shown on their own page.
type rightsNow struct {
	Restriction consents.Restriction
	Open        []consents.Task // what they wait for
}

func (s *Server) rightsNow(v *visit) (r rightsNow, err error) {
	if r.Restriction, err = s.Consents.RestrictionOf(v.ctx(), v.session.Person); err != nil {
		return r, err
	}
	tasks, err := s.Consents.TasksOf(v.ctx(), v.study.ID, v.session.Person)
	for _, t := range tasks {
		if t.DoneAt == 0 && t.Requested() {
			r.Open = append(r.Open, t)
		}
	}
	return r, err
}

// readPage is a letter as somebody answered to it.
type readPage struct {
	roomy
	Letter consents.Letter
	Body   template.HTML
}

// Fingerprint is the beginning of the letter's hash, in groups that can be read aloud.
func (p readPage) Fingerprint() string { return fingerprint(p.Letter) }

// myRead shows a letter that the visitor has answered to, whole. Any other does not exist for them.
func (s *Server) myRead(v *visit) error {
	said, err := s.Consents.State(v.ctx(), v.study.ID, v.session.Person)
	if err != nil {
		return err
	}
	wanted := id.Letter(v.Param("letter"))
	if !slices.ContainsFunc(said.Acts, func(g consents.Given) bool { return g.Letter == wanted }) {
		return consents.ErrNoLetter
	}
	letter, err := s.Consents.Letter(v.ctx(), v.study.ID, wanted)
	if err != nil {
		return err
	}
	p := readPage{v.roomy("my.letter.title"), letter, consents.HTML(letter.Body)}
	p.Title = letter.Title
	return v.show("participant/read", p)
}

// correctPage is the person's own name and how to reach them.
type correctPage struct{ roomy }

// Speaks are the languages that mails come in.
func (p correctPage) Speaks() []choice {
	choices := make([]choice, len(i18n.Languages))
	for i, lang := range i18n.Languages {
		choices[i] = choice{Value: lang, Label: p.T("language." + lang)}
	}
	return choices
}

// corrected are the fields that somebody may correct themselves; what else the team noted goes as a request.
var corrected = []string{"name", "email", "phone", "organisation", "language"}

func (s *Server) myCorrect(v *visit) error {
	was, err := s.Vault.Open(v.ctx(), v.actor(), "own_data", v.study.ID, v.session.Person)
	if err != nil {
		return err
	}
	p := correctPage{v.roomy("rights.correct.title")}
	if v.form == nil {
		p.Form.Values = url.Values{"name": {was.Name}, "email": {was.Email}, "phone": {was.Dial()}, "organisation": {was.Organisation}, "language": {was.Language}}
		return v.show("participant/correct", p)
	}
	if err = s.correct(v, was); err == nil {
		return v.seeOther(p.Mine, "my_corrected")
	}
	if !mendable(err) {
		return err
	}
	p.Form = v.againForm(err)
	return v.again(err, "participant/correct", p)
}

// correct writes what was typed, where it changes anything. Their mail leads here: without an address or a number nobody
// could reach them about their own data.
func (s *Server) correct(v *visit, was identities.Identity) error {
	who := was
	who.Name, who.Email, who.Phone = v.value("name"), v.value("email"), v.value("phone")
	who.Organisation, who.Language = v.value("organisation"), v.value("language")
	if who.Phone == was.Dial() {
		who.Phone = was.Phone
	}
	var check errs.Check
	if who.Email == "" && was.Email != "" {
		check.Add("email", "rights_email")
	}
	if err := inOrder(corrected, check.Err(), who.Check()); err != nil || who == was {
		return err
	}
	return settled(s.People.Correct(v.ctx(), v.study.ID, v.session.Person, was, who))
}

// requestPage is where somebody asks for what needs a human.
type requestPage struct {
	roomy
	rightsNow
}

// Kinds are what can be asked for. What objecting leads to goes by what the study rests on.
func (p requestPage) Kinds() field {
	var choices []choice
	for _, kind := range consents.Requests {
		key := "rights.request." + kind
		if kind == consents.AnswerObject && p.Study.LegalBasis == studies.PublicInterest {
			key += "_interest"
		}
		choices = append(choices, choice{Value: kind, Label: p.T(key), Hint: p.T(key + "_hint")})
	}
	return p.Radio("kind", choices, "label=rights.request.kind", "hint=")
}

func (s *Server) myRequest(v *visit) (err error) {
	p := requestPage{roomy: v.roomy("rights.request.title")}
	if p.rightsNow, err = s.rightsNow(v); err != nil {
		return err
	}
	if v.form == nil {
		return v.show("participant/request", p)
	}
	if err = s.request(v, v.session.Person); err == nil {
		return v.seeOther(p.Mine, "my_request")
	}
	if !mendable(err) {
		return err
	}
	p.Form = v.againForm(err)
	return v.again(err, "participant/request", p)
}

// request hands on what was asked. To correct something, or for something else, there must be a word of what.
func (s *Server) request(v *visit, person id.Person) error {
	kind, text := v.value("kind"), v.value("note")
	var check errs.Check
	if !slices.Contains(consents.Requests, kind) {
		check.Add("kind", "rights_choose")
	}
	if text == "" && (kind == consents.AnswerCorrection || kind == consents.AnswerOther) {
		check.Add("note", "required")
	}
	if err := gatherFaults(check.Err(), identities.CheckNote("note", text)); err != nil {
		return err
	}
	return settled(s.People.Request(v.ctx(), v.actor(), v.study, person, kind, text))
}

// surveyMinePage is a respondent's own page: what an informant's has, less appointments and invitations.
type surveyMinePage struct {
	roomy
	rightsNow
	Answers   []dated
	Sent      bool // they have answered the survey
	Informant bool // were interviewed too: that has a page of its own, behind another link
}

func (s *Server) surveyMine(v *visit) error {
	a, err := s.answering(v)
	if err != nil {
		return err
	}
	said, err := s.Consents.State(v.ctx(), v.study.ID, v.link.Person)
	if err != nil {
		return err
	}
	p := surveyMinePage{roomy: v.roomy("rights.mine.title"), Sent: a.place() == atThanks, Informant: a.respondent.Informant, Answers: own{said: said}.latest()}
	p.Status = v.text.T("answering.letter.status_" + answeredWord(a.standing))
	if p.rightsNow, err = s.rightsNow(v); err != nil {
		return err
	}
	return v.show("participant/survey_mine", p)
}

// writeRequest tells what was asked for and until when it is answered.
func (s *Server) writeRequest(ctx context.Context, l *draft) error {
	kind := l.row.Params["request"]
	if !slices.Contains(consents.Requests, kind) {
		return consents.ErrNoTask
	}
	l.fields["Asked"], l.fields["Day"] = l.text.T("rights.asked."+kind), l.day("due")
	l.fields["Contact"] = strings.TrimSpace(l.study.ProjectContact)
	return nil
}

// writeRelease says from when the data are used again.
func (s *Server) writeRelease(_ context.Context, l *draft) error {
	l.fields["Contact"], l.fields["Day"] = strings.TrimSpace(l.study.ProjectContact), l.day("at")
	return nil
}

// day is a parameter in milliseconds as a day in the study's zone.
func (l *draft) day(param string) string {
	ms, err := strconv.ParseInt(l.row.Params[param], 10, 64)
	if err != nil {
		return ""
	}
	return l.text.Date(time.UnixMilli(ms).In(l.zone), i18n.Plain)
}

// writeAddress tells the address that mail goes to now, or the one that it no longer goes to: there without a link, for
// somebody else may read it by now, and with whom to write to if this was not the person's own doing.
func (s *Server) writeAddress(ctx context.Context, l *draft) error {
	l.fields["Contact"] = strings.TrimSpace(l.study.ProjectContact)
	if l.row.Kind == MailAddressNew {
		return nil
	}
	former, err := s.Vault.Former(ctx, audit.System, l.study.ID, l.row.Person, id.Note(l.row.Params["former"]))
	l.To.Email = former
	return err
}
