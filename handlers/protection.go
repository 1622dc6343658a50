package handlers

import (
	"cmp"
	"slices"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/studies"
)

// protectionPage is what a data protection officer looks for, with the way to each part: what was shown, who agreed to what,
// who saw a name and why, what was deleted, and one download of it all. Nobody's answers.
type protectionPage struct {
	base
	Counts   []consentCount
	Letters  []publishedLetter // those in use, one language of each
	Openings []openings
	Erased   int
	Took     int // times a yes was taken back
	Tasks    int // to be done by hand
	Late     int // of those, past their day
	End      audit.Position
}

// openings is how often somebody opened names for one purpose.
type openings struct {
	Who, Why string
	N        int // times
	Persons  int
	Last     int64
}

func (s *Server) protection(v *visit) error {
	p := protectionPage{base: v.page("protection.title")}
	p.Here = v.watching("protection")
	if v.role == studies.Officer {
		p.Here = "home"
	}
	if err := s.fillProtection(v, &p); err != nil {
		return err
	}
	return v.show("staff/protection", p)
}

// watching is the entry of the study's menu that a page about data protection belongs to: its own for an officer, one for all
// of them for others.
func (v *visit) watching(part string) string {
	switch v.role {
	case studies.Officer:
		return part
	case studies.Supervisor:
		return "protection"
	}
	return "settings"
}

func (s *Server) fillProtection(v *visit, p *protectionPage) error {
	counts, err := s.Consents.Counts(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p.Counts = countsInOrder(counts)
	if err := s.lettersInUse(v, p); err != nil {
		return err
	}
	tallies, err := s.Audit.Tallies(v.ctx(), v.study.ID, "identity.opened", "person.erased", "consent.withdrawn")
	if err != nil {
		return err
	}
	if err := s.countTallies(v, p, tallies); err != nil {
		return err
	}
	tasks, err := s.Consents.OpenTasks(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p.Tasks = len(tasks)
	for _, t := range tasks {
		if t.DueAt > 0 && t.DueAt < v.now().UnixMilli() {
			p.Late++
		}
	}
	p.End, err = s.Audit.Position(v.ctx())
	return err
}

func (s *Server) lettersInUse(v *visit, p *protectionPage) error {
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	answered, err := s.Consents.Answered(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	newest := map[string]*publishedLetter{}
	for _, l := range versions { // by audience, newest first
		if used := newest[l.Audience]; used != nil {
			if l.Version == used.Version {
				used.Answered += answered[l.ID]
			}
			continue
		}
		newest[l.Audience] = &publishedLetter{Letter: l, Answered: answered[l.ID]}
	}
	for _, a := range []string{consents.Company, consents.Administration, consents.Respondent} {
		if l := newest[a]; l != nil {
			p.Letters = append(p.Letters, *l)
		}
	}
	return nil
}

// countTallies sorts what the log counted. Participants who read about themselves are one line.
func (s *Server) countTallies(v *visit, p *protectionPage, tallies []audit.Tally) error {
	actors := make([]audit.Actor, len(tallies))
	for i, t := range tallies {
		actors[i] = t.Actor
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsOf(actors...), nil)
	if err != nil {
		return err
	}
	for _, t := range tallies {
		switch t.Action {
		case "person.erased":
			p.Erased += t.Persons
		case "consent.withdrawn":
			p.Took += t.N
		default:
			p.open(t, names)
		}
	}
	slices.SortFunc(p.Openings, func(a, b openings) int { return cmp.Compare(b.Last, a.Last) })
	return nil
}

func (p *protectionPage) open(t audit.Tally, names namesOf) {
	actor := t.Actor
	if len(personsIn([]audit.Entry{{Actor: actor}})) > 0 {
		actor = personActor
	}
	one := openings{openerIn(p.Text, actor, names), purposeText(p.Text, t.Detail), t.N, t.Persons, t.Last}
	i := slices.IndexFunc(p.Openings, func(o openings) bool { return o.Who == one.Who && o.Why == one.Why })
	if i < 0 {
		p.Openings = append(p.Openings, one)
		return
	}
	p.Openings[i].N += one.N
	p.Openings[i].Persons += one.Persons
	p.Openings[i].Last = max(p.Openings[i].Last, one.Last)
}
