package handlers

import (
	"slices"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// changesPage is what is different between two versions of a letter, and what that calls for.
type changesPage struct {
	subject
	Before, After consents.Letter
	Parts         []changedPart
	Tongues       []changedLanguage // the versions in every language that both have
	Earlier       []consents.Letter // versions to compare with instead
	Reasons       []string
	Proposal      string
	Newest        bool
	Outdated      int // who would get a mail
	Rounds        []roundLine
	Action        string
}

type changedPart struct {
	Name  string
	Lines []consents.Line
}

// Changed says whether anything of the part is different.
func (p changedPart) Changed() bool { return slices.ContainsFunc(p.Lines, consents.Line.Changed) }

type changedLanguage struct {
	Language, Address string
	Here              bool
}

// roundLine is one round of mails about a new letter.
type roundLine struct {
	consents.Round
	Sent, Waiting, Failed, Spared int
	By                            string
}

func (p changesPage) Answers() []choice {
	return p.worded("changes.do", consents.AskAgain, consents.InformAgain)
}

func (s *Server) letterChanges(v *visit) error {
	p, err := s.changesPageOf(v)
	if err != nil {
		return err
	}
	if p.Proposal != consents.Leave && len(p.Rounds) == 0 { // a second round is nobody's proposal
		p.Form.Values.Set("do", p.Proposal)
	}
	return v.show("staff/changes", p)
}

// changesPageOf compares a published letter with the version of ?from, or else with the one before it.
func (s *Server) changesPageOf(v *visit) (changesPage, error) {
	p := changesPage{}
	var err error
	if p.After, err = s.Consents.Letter(v.ctx(), v.study.ID, id.Letter(v.Param("letter"))); err != nil {
		return p, err
	}
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	versions = slices.DeleteFunc(versions, func(l consents.Letter) bool { return l.Audience != p.After.Audience })
	p.subject = v.subject("changes", "changes.title", "Version", p.After.Version)
	p.Here, p.Action = "letters", v.studyPath("/letter/"+string(p.After.ID)+"/changes")
	p.Newest = versions[0].Version == p.After.Version
	if p.Before, p.Earlier, err = earlier(versions, p.After, v.Query("from")); err != nil {
		return p, err
	}
	if err := s.weigh(v, &p, versions); err != nil {
		return p, err
	}
	return p, s.rounds(v, &p)
}

// earlier picks the version to compare with: the one of that id, or the newest before in the same language.
func earlier(versions []consents.Letter, after consents.Letter, from string) (before consents.Letter, others []consents.Letter, err error) {
	others = slices.DeleteFunc(slices.Clone(versions), func(l consents.Letter) bool {
		return l.Language != after.Language || l.Version >= after.Version
	})
	for _, l := range others {
		if from == "" || string(l.ID) == from {
			return l, others, nil
		}
	}
	return before, others, consents.ErrNoLetter
}

// weigh compares the two versions in every language that both have: they are told of together.
func (s *Server) weigh(v *visit, p *changesPage, versions []consents.Letter) error {
	for _, after := range versions {
		i := slices.IndexFunc(versions, func(l consents.Letter) bool {
			return l.Version == p.Before.Version && l.Language == after.Language
		})
		if after.Version != p.After.Version || i < 0 {
			continue
		}
		d, err := s.Consents.Compare(v.ctx(), v.study.ID, versions[i], after)
		if err != nil {
			return err
		}
		for _, reason := range d.Reasons {
			if !slices.Contains(p.Reasons, reason) {
				p.Reasons = append(p.Reasons, reason)
			}
		}
		here := after.ID == p.After.ID
		p.Tongues = append(p.Tongues, changedLanguage{after.Language,
			withQuery(v.studyPath("/letter/"+string(after.ID)+"/changes"), "from", string(versions[i].ID)), here})
		if here {
			p.Parts = []changedPart{{"title", d.Title}, {"brief", d.Brief}, {"body", d.Body}, {"items", d.Items}}
		}
	}
	p.Proposal = consents.Weigh(p.Reasons)
	return nil
}

// rounds adds what was sent about this version, and whom a new round would reach.
func (s *Server) rounds(v *visit, p *changesPage) error {
	all, err := s.roundLines(v, p.base)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Audience == p.After.Audience && r.Version == p.After.Version {
			p.Rounds = append(p.Rounds, r)
		}
	}
	if p.Newest && p.After.Audience != consents.Respondent {
		p.Outdated, err = s.Consents.Outdated(v.ctx(), v.study.ID, p.After.Audience, p.After.Version)
	}
	return err
}

func (s *Server) roundLines(v *visit, b base) (lines []roundLine, err error) {
	rounds, err := s.Consents.Rounds(v.ctx(), v.study.ID)
	if err != nil || len(rounds) == 0 {
		return nil, err
	}
	ids := make([]id.Batch, len(rounds))
	actors := make([]audit.Actor, len(rounds))
	for i, r := range rounds {
		ids[i], actors[i] = r.ID, r.Actor
	}
	counts, err := s.Outbox.BatchCounts(v.ctx(), ids...)
	if err != nil {
		return nil, err
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsOf(actors...), nil)
	if err != nil {
		return nil, err
	}
	for _, r := range rounds {
		n := counts[r.ID]
		lines = append(lines, roundLine{r, n[mail.Sent], n[mail.Waiting], n[mail.Failed], r.Size - n[mail.Sent] - n[mail.Waiting] - n[mail.Failed], actorName(b.Text, r.Actor, names)})
	}
	return lines, nil
}

// letterTell starts a round about the newest letter.
func (s *Server) letterTell(v *visit) error {
	p, err := s.changesPageOf(v)
	if err != nil {
		return err
	}
	if err = v.chosen("do", p.Answers()); err == nil {
		_, err = s.Consents.Tell(v.ctx(), v.actor(), v.study.ID, p.After.Audience, p.After.Version, v.value("do") == consents.AskAgain)
	}
	if mendable(err) {
		p.Form = v.refused("changes", err).about("do")
		return v.again(err, "staff/changes", p)
	}
	if err != nil {
		if errs.KindOf(err) == errs.NotFound {
			return consents.ErrNoLetter
		}
		return err
	}
	return v.seeOther(p.Action, "letter_round")
}
