package handlers

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

const (
	mostOpened   = 2000 // identities that are compared with; without them what looks like a name is found all the same
	mostSuspects = 200  // shown
	shortestName = 4    // letters of a part of a name that is looked for alone
)

// suspect is a text in the study data that may still say who somebody is.
type suspect struct {
	Code, Field, Text string
	Why               string // "known": it is in the vault; "mail", "phone", "name": it looks like one
	Address           string // where it is mended; "" where it cannot be
}

// endCheck looks for names in what would stay when the data are made anonymous. It opens names, so it is an act.
func (s *Server) endCheck(v *visit) error {
	found, more, err := s.suspects(v)
	if err != nil {
		return err
	}
	p, err := s.endPage(v)
	if err != nil {
		return err
	}
	p.Checked, p.Found, p.More = true, found, more
	return v.show("staff/end", p)
}

func (s *Server) suspects(v *visit) (found []suspect, more bool, err error) {
	// On the form's key: looking again is a new form.
	if err := s.Audit.Record(v.ctx(), audit.Entry{Actor: v.actor(), Action: "study.texts_checked", Study: v.study.ID}); err != nil {
		return nil, false, err
	}
	known, all, err := s.knownWords(v)
	if err != nil {
		return nil, false, err
	}
	look := func(code, field, text, address string) {
		if why := known.in(text); why != "" {
			found = append(found, suspect{code, field, text, why, address})
		}
	}
	if err := s.lookAtPeople(v, look); err != nil {
		return nil, false, err
	}
	if err := s.lookAtAnswers(v, look); err != nil {
		return nil, false, err
	}
	more = !all || len(found) > mostSuspects
	return found[:min(len(found), mostSuspects)], more, nil
}

// lookAtPeople looks at titles and at places of appointments.
func (s *Server) lookAtPeople(v *visit, look func(code, field, text, address string)) error {
	codes := map[id.Person]string{}
	for after := id.Person(""); ; {
		persons, err := s.Recruitment.PersonsAfter(v.ctx(), v.study.ID, after, 500)
		if err != nil {
			return err
		}
		if len(persons) == 0 {
			break
		}
		people, err := s.Recruitment.Some(v.ctx(), v.study.ID, persons)
		if err != nil {
			return err
		}
		for _, p := range people {
			codes[p.ID] = p.Code
			look(p.Code, v.text.T("ending.field.title"), p.Title, v.studyPath("/people/"+string(p.ID)+"/edit"))
		}
		after = persons[len(persons)-1]
	}
	bookings, err := s.Scheduling.All(v.ctx(), v.study.ID)
	for _, b := range bookings {
		look(codes[b.Person], v.text.T("ending.field.place"), b.Place, v.studyPath("/bookings/"+string(b.ID)))
	}
	return err
}

// lookAtAnswers looks at what respondents wrote in their own words.
func (s *Server) lookAtAnswers(v *visit, look func(code, field, text, address string)) error {
	all, err := s.Surveys.List(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	for _, survey := range all {
		form, err := s.Surveys.FormAt(v.ctx(), v.study.ID, survey.ID, survey.Version)
		if err != nil {
			return err
		}
		written := map[string]bool{}
		for _, q := range form.Questions() {
			written[q.Name] = q.Type == surveys.ShortText || q.Type == surveys.LongText
		}
		for r, err := range s.Surveys.Responses(v.ctx(), v.study.ID, survey.ID) {
			if err != nil {
				return err
			}
			for name, answer := range r.Answers {
				if text, ok := answer.(string); ok && written[name] {
					look(r.Code, survey.Title+", "+name, text, "")
				}
			}
		}
	}
	return nil
}

// vaultWords are what the vault calls those of the study.
type vaultWords struct{ words map[string]bool }

var (
	mailLike  = regexp.MustCompile(`[^\s@]+@[^\s@]+\.\p{L}{2,}`)
	phoneLike = regexp.MustCompile(`(?:\+\d{1,3}[\s]?)?\d(?:[\s.-]?\d){7,}`)
	nameLike  = regexp.MustCompile(`\p{Lu}\p{Ll}{2,}(?:-\p{Lu}\p{Ll}+)?(?:\s\p{Lu}\.)?\s\p{Lu}\p{Ll}+`)
	wordLike  = regexp.MustCompile(`[\p{L}-]+`)
)

// knownWords opens those of the study, as many as can be, with an entry in the chain for each.
func (s *Server) knownWords(v *visit) (k vaultWords, all bool, err error) {
	k.words = map[string]bool{}
	persons, err := s.Vault.PersonsAfter(v.ctx(), v.study.ID, "", mostOpened)
	if err != nil {
		return k, false, err
	}
	opened, err := s.Vault.OpenAll(v.ctx(), v.actor(), "end_check", v.study.ID, persons)
	for _, who := range opened {
		k.add(who)
	}
	return k, len(persons) < mostOpened, err
}

func (k vaultWords) add(who identities.Identity) {
	for _, text := range []string{who.Name, who.Organisation} {
		for _, word := range wordLike.FindAllString(strings.ToLower(text), -1) {
			if len([]rune(word)) >= shortestName {
				k.words[word] = true
			}
		}
	}
}

// in says why a text may tell who somebody is; "" where nothing in it does.
func (k vaultWords) in(text string) string {
	known := slices.ContainsFunc(wordLike.FindAllString(strings.ToLower(text), -1), func(word string) bool { return k.words[word] })
	switch {
	case mailLike.MatchString(text):
		return "mail"
	case phoneLike.MatchString(text):
		return "phone"
	case known:
		return "known"
	case nameLike.MatchString(text):
		return "name"
	}
	return ""
}

// Plain is the certificate as text.
func (p certificatePage) Plain() string {
	var text strings.Builder
	line := func(parts ...string) { text.WriteString(strings.Join(parts, " ") + "\n") }
	line(p.T("certificate.title"))
	line(p.Study.Title + ", " + p.Study.Institution)
	line()
	line(p.T("certificate.lead." + string(p.Ending.Fate)))
	line(p.T("certificate.by")+":", p.By)
	line(p.T("certificate.promised")+":", p.LastDay())
	line(p.T("certificate.begun")+":", p.Day(p.Ending.BegunAt)+", "+p.Clock(p.Ending.BegunAt))
	line(p.T("certificate.finished")+":", p.Day(p.Ending.FinishedAt)+", "+p.Clock(p.Ending.FinishedAt))
	line(p.T("certificate.proof")+":", cmp.Or(p.Day(p.Ending.ProofUntil), p.T("certificate.no_proof")))
	line()
	for _, one := range p.Lines() {
		line(p.T("certificate.count."+one.Key)+":", strconv.FormatInt(one.N, 10))
	}
	line()
	line(p.T("certificate.chain")+":", p.Ending.AuditHash)
	line(p.T("certificate.hash")+":", p.Ending.Hash)
	return text.String()
}
