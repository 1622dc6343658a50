package handlers

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
)

// invitePage is who would get a letter, who would not and why, and how it would look.
type invitePage struct {
	asking
	Action  string
	Named   bool // chosen one by one
	Chosen  int
	Going   []audienceCount // who gets one whatever is answered below
	Out     []leftOut
	Has     *leftOut // who has the letter already; nil if nobody
	Full    *leftOut // who finds no room in a quota
	Letters []letterSample
	open    []openPerson
	sure    int
}

// openPerson is somebody who may get a letter: whoever nothing stands against, and whom the team decides on.
type openPerson struct {
	id  id.Person
	why Hindrance
}

type audienceCount struct {
	Audience string
	N        int
}

// leftOut is how many people a hindrance keeps from getting a letter, with the first of their codes.
type leftOut struct {
	Why   Hindrance
	N     int
	Codes []string
}

// Hidden is how many codes are not shown.
func (o leftOut) Hidden() int { return o.N - len(o.Codes) }

// mostCodesShown is how many codes stand beside a reason.
const mostCodesShown = 20

// letterSample is what an audience gets in one language.
type letterSample struct {
	Audience, Language string
	mail.Message
	Letter id.Letter
}

// Sure is how many get a letter whatever is chosen; Most, how many at most.
func (p invitePage) Sure() int { return p.sure }
func (p invitePage) Most() int { return len(p.open) }

// Seen is what the visitor was shown, to be told if it has changed when they send.
func (p invitePage) Seen() string {
	counts := map[Hindrance]int{}
	for _, one := range p.open {
		counts[one.why]++
	}
	return fmt.Sprintf("%d-%d-%d", counts[""], counts[HasLetter], counts[QuotaFull])
}

// Again and Crowd ask about those whom only the team can decide on; nothing is chosen beforehand.
func (p invitePage) Again() field { return p.either("again", p.Has.N) }
func (p invitePage) Crowd() field { return p.either("crowd", p.Full.N) }

func (p invitePage) either(name string, n int) field {
	choices := []choice{{Value: "yes", Label: p.N("invite."+name+".yes", n)}, {Value: "no", Label: p.N("invite."+name+".no", n)}}
	return p.Radio(name, choices, "label=invite."+name+".question", "hint=invite."+name+".hint")
}

// usualPerHour is the pace that stands in the form: slow enough for any mail server.
const usualPerHour = 60

func (s *Server) invite(v *visit) error {
	p, err := s.invitePageOf(v)
	if err != nil {
		return err
	}
	if v.form == nil {
		p.Form.Values = url.Values{"per_hour": {strconv.Itoa(usualPerHour)}}
		return v.show("staff/invite_people", p)
	}
	batch, err := s.sendInvitations(v, p)
	if mendable(err) {
		p.Form = v.againForm(err)
		return v.again(err, "staff/invite_people", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.batchPath(batch), "invite_sent")
}

// sendInvitations does what the page asks for.
func (s *Server) sendInvitations(v *visit, p invitePage) (id.Batch, error) {
	if err := s.Repeated(v.ctx()); err != nil {
		return "", err // what it asked for has changed what the page would ask
	}
	batch, err := v.typedBatch()
	if err := gatherFaults(p.undecided(v), err); err != nil {
		return "", err
	}
	if v.value("seen") != p.Seen() {
		return "", errOtherSelection
	}
	wanted := map[Hindrance]bool{"": true, HasLetter: v.value("again") == "yes", QuotaFull: v.value("crowd") == "yes"}
	batch.Anyway = wanted[QuotaFull]
	var persons []id.Person // by code: who sends to the same people at the same time takes them in the same order
	for _, one := range p.open {
		if wanted[one.why] {
			persons = append(persons, one.id)
		}
	}
	if len(persons) == 0 {
		return "", errNobodyToInvite
	}
	if err := s.People.SendLetters(v.ctx(), v.actor(), &batch, persons); err != nil {
		return "", err
	}
	if batch.Size == 0 { // everybody said no in this very moment
		return "", errOtherSelection
	}
	return batch.ID, nil
}

// undecided is a fault for each question that was left.
func (p invitePage) undecided(v *visit) error {
	var check errs.Check
	if p.Has != nil && v.value("again") != "yes" && v.value("again") != "no" {
		check.Add("again", "invite.choose_again")
	}
	if p.Full != nil && v.value("crowd") != "yes" && v.value("crowd") != "no" {
		check.Add("crowd", "invite.choose_crowd")
	}
	return check.Err()
}

// typedBatch reads when the letters are to leave.
func (v *visit) typedBatch() (recruitment.Batch, error) {
	batch := recruitment.Batch{ID: id.New[id.Batch](), Study: v.study.ID, FirstAt: v.now().UnixMilli(), PerHour: digitsOr(v.value("per_hour"), 0)}
	first, err := v.nextTry("first")
	if first != 0 && first <= batch.FirstAt {
		err = faultAt(errs.Invalid, "first", "recruitment.past")
	}
	batch.FirstAt = max(first, batch.FirstAt)
	return batch, gatherFaults(batch.Check(), err)
}

// invitePageOf sorts the people in the address.
func (s *Server) invitePageOf(v *visit) (invitePage, error) {
	p := invitePage{asking: asking{v.page("invite.title")}, Action: v.selectionPath(), Named: len(v.QueryArray("person")) > 0}
	p.Here, p.Path = "candidates", p.Action
	people, err := s.selection(v)
	if err != nil {
		return p, err
	}
	sieve, err := s.People.Sieve(v.ctx(), v.study)
	if err != nil {
		return p, err
	}
	p.Chosen = len(people)
	going, out := map[string]int{}, map[Hindrance]*leftOut{}
	for some := range slices.Chunk(people, 500) {
		found, err := sieve(some)
		if err != nil {
			return p, err
		}
		for i, one := range some {
			p.sort(one, found[i], going, out)
		}
	}
	for _, a := range p.Audiences() {
		if n := going[a.Value]; n > 0 {
			p.Going = append(p.Going, audienceCount{a.Value, n})
		}
	}
	p.Has, p.Full = out[HasLetter], out[QuotaFull]
	for _, why := range hindrances {
		if out[why] != nil {
			p.Out = append(p.Out, *out[why])
		}
	}
	p.Letters, err = s.letterSamples(v, p.Audiences())
	return p, err
}

// sort puts one person where they belong.
func (p *invitePage) sort(one recruitment.Participant, why Hindrance, going map[string]int, out map[Hindrance]*leftOut) {
	if why == "" || why == HasLetter || why == QuotaFull {
		p.open = append(p.open, openPerson{one.ID, why})
	}
	if why == "" {
		p.sure++
		going[one.Audience]++
		return
	}
	o := out[why]
	if o == nil {
		o = &leftOut{Why: why}
		out[why] = o
	}
	if o.N++; o.N <= mostCodesShown {
		o.Codes = append(o.Codes, one.Code)
	}
}

// letterSamples are the mail and the published letter of each audience in each language, as they are sent, with the name
// and the links left open.
func (s *Server) letterSamples(v *visit, audiences []choice) ([]letterSample, error) {
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return nil, err
	}
	var samples []letterSample
	for _, a := range audiences {
		for _, l := range lettersOf(a.Value, v.study.Languages, nil, versions).Current {
			samples = append(samples, letterSample{a.Value, l.Language, s.sampleLetter(v, l.Language), l.ID})
		}
	}
	return samples, nil
}

// sampleLetter writes the first mail as Render does.
func (s *Server) sampleLetter(v *visit, lang string) mail.Message {
	text := s.languages.Text(lang)
	l := &draft{row: mail.Row{Mail: mail.Mail{Kind: MailLetter}}, study: v.study, text: text,
		fields: map[string]any{"Link": text.T("invite.sample_link"), "Refusal": text.T("invite.sample_link"), "Whence": text.T("invite.sample_whence")}}
	l.To.Name = text.T("invite.sample_name")
	l.fill()
	return l.Message
}
