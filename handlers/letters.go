package handlers

import (
	"cmp"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// lettersPage is every audience's letter: what is in use and what is being written.
type lettersPage struct {
	base
	Audiences []audienceLetters
	Empty     []choice // fields of the study that a letter needs: label and address
}

type audienceLetters struct {
	Key         string
	Drafts      []draftLine
	Current     []consents.Letter // the languages of the newest version
	Earlier     []consents.Letter
	Next        int // the version that would be published
	Unpublished int // drafts saved after the newest version
}

type draftLine struct {
	consents.Draft
	Changed bool // saved since it was published
}

// letters shows what is written and published; who may not write sees what was published, and its hashes.
func (s *Server) letters(v *visit) error {
	if !(base{Role: v.role}).Writes() {
		return s.published(v)
	}
	p, err := s.lettersPageOf(v)
	if err != nil {
		return err
	}
	return v.show("staff/letters", p)
}

func (s *Server) lettersPageOf(v *visit) (lettersPage, error) {
	p := lettersPage{base: v.page("letters.list_title")}
	p.Here = "letters"
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	for _, a := range v.study.Audiences {
		drafts, err := s.Consents.Drafts(v.ctx(), v.study.ID, a.Key, string(v.study.LegalBasis))
		if err != nil {
			return p, err
		}
		p.Audiences = append(p.Audiences, lettersOf(a.Key, v.study.Languages, drafts, versions))
	}
	return p, nil
}

func lettersOf(audience string, languages []string, drafts map[string]consents.Draft, versions []consents.Letter) audienceLetters {
	a := audienceLetters{Key: audience, Next: 1}
	for _, l := range versions { // newest first
		switch {
		case l.Audience != audience:
		case len(a.Current) == 0 || l.Version == a.Current[0].Version:
			a.Current, a.Next = append(a.Current, l), l.Version+1
		default:
			a.Earlier = append(a.Earlier, l)
		}
	}
	for _, lang := range languages {
		line := draftLine{Draft: drafts[lang]}
		line.Changed = len(a.Current) > 0 && line.SavedAt > a.Current[0].PublishedAt
		if line.Changed {
			a.Unpublished++
		}
		a.Drafts = append(a.Drafts, line)
	}
	return a
}

// surveyMinutes is what the letter to respondents says a survey takes.
const surveyMinutes = 5

// letterFields is what a letter takes from the study, in the words of its language.
func (s *Server) letterFields(study studies.Study, audience, lang string) consents.Fields {
	text, minutes := s.languages.Text(lang), study.Duration
	if audience == consents.Respondent {
		minutes = surveyMinutes
	}
	return consents.Fields{Title: study.Title, Purpose: study.Purpose, Questions: lines(study.Questions), Institution: study.Institution,
		ProjectContact: study.ProjectContact, Supervisor: study.Supervisor, SupervisorContact: study.SupervisorContact, Officer: study.Officer,
		OfficerContact: study.OfficerContact, Assessment: study.Assessment, EndsOn: text.Date(study.End().AddDate(0, 0, -1), i18n.Plain),
		Duration: text.N("letters.minutes", minutes)}
}

func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// letterPublish freezes an audience's letter in every language of the study.
func (s *Server) letterPublish(v *visit) error {
	audience := v.Param("audience")
	fields := map[string]consents.Fields{}
	for _, lang := range v.study.Languages {
		fields[lang] = s.letterFields(v.study, audience, lang)
	}
	_, err := s.Consents.Publish(v.ctx(), v.session.Account, v.study.ID, audience, string(v.study.LegalBasis), fields)
	if mendable(err) {
		p, readErr := s.lettersPageOf(v)
		if readErr != nil {
			return readErr
		}
		p.Form, p.Empty = v.refusedLetter(err)
		return v.again(err, "staff/letters", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/letters"), "letter_published")
}

// refusedLetter says why a letter cannot go out. A field that the study leaves empty is missing in every language, and
// is said once.
func (v *visit) refusedLetter(err error) (form, []choice) {
	if len(errs.FieldsOf(err)) == 0 {
		return v.againForm(err), nil
	}
	f, empty, seen := v.newForm(nil), []choice(nil), map[string]bool{}
	for _, fault := range errs.FieldsOf(err) {
		if fault.Code == "letter_empty" {
			if !seen[fault.Name] {
				label := v.text.T("study." + inputOf(fault.Name))
				empty = append(empty, choice{Label: label, Value: v.studyPath("/settings#f-" + inputOf(fault.Name))})
				f.Errors = append(f.Errors, fieldError{"", v.text.T("letters.empty", "Field", label)})
			}
			seen[fault.Name] = true
			continue
		}
		if lang, ok := fault.Args["Language"].(string); ok {
			fault.Args["Language"] = v.text.T("language." + lang)
		}
		f.Errors = append(f.Errors, fieldError{"", v.fieldText(fault)})
	}
	return f, empty
}

// inputOf is the input in which a field of the study is filled in.
func inputOf(name string) string { return cmp.Or(inputNames[name], name) }

// draftPage is one letter being written.
type draftPage struct {
	subject
	Draft     consents.Draft
	Next      int
	Using     int // the version in use, 0 for none
	Others    []draftLine
	Checks    []letterCheck
	InPlace   int
	Foreign   bool // written for another legal basis
	Example   string
	Action    string
	Published bool // nothing was saved since
}

// letterCheck is one thing that a letter should tell.
type letterCheck struct {
	Name, Address string
	OK, Unused    bool // Unused: the letter does not mention it
}

var fieldInText = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)

// checks compare a letter with what it should tell, and with what the study record holds.
func checks(body string, study studies.Study) (all []letterCheck) {
	unused := consents.Missing(body)
	names := consents.Missing("") // everything that a letter should tell
	for _, match := range fieldInText.FindAllStringSubmatch(body, -1) {
		if !slices.Contains(names, match[1]) {
			names = append(names, match[1])
		}
	}
	values := studyValues(study)
	for _, name := range names {
		input := inputOf(name)
		if !values.Has(input) {
			continue // no field of the study: saving refuses it
		}
		c := letterCheck{Name: input, Unused: slices.Contains(unused, name)}
		c.OK = !c.Unused && values.Get(input) != ""
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b letterCheck) int { return rank(a) - rank(b) })
	return all
}

// rank puts what is missing first.
func rank(c letterCheck) int {
	if c.OK {
		return 1
	}
	return 0
}

// draftPageOf reads a letter that is being written; ErrUnknown where the study has no such audience or language.
func (s *Server) draftPageOf(v *visit) (draftPage, error) {
	audience, lang := v.Param("audience"), v.Param("lang")
	p := draftPage{Action: v.studyPath("/letters/" + audience + "/" + lang), Example: "{{institution}}"}
	all, err := s.lettersPageOf(v)
	if err != nil {
		return p, err
	}
	i := slices.IndexFunc(all.Audiences, func(a audienceLetters) bool { return a.Key == audience })
	if i < 0 || !slices.Contains(v.study.Languages, lang) {
		return p, consents.ErrUnknown
	}
	a := all.Audiences[i]
	p.subject = v.subject("letters", "letters.draft_title", "Version", a.Next)
	p.Here = "letters"
	p.Others, p.Next, p.Using = a.Drafts, a.Next, a.Next-1
	for _, d := range a.Drafts {
		if d.Language == lang {
			p.Draft, p.Published = d.Draft, p.Using > 0 && !d.Changed
		}
	}
	p.Foreign = p.Draft.Basis != string(v.study.LegalBasis)
	p.check(p.Draft.Body)
	return p, nil
}

func (p *draftPage) check(body string) {
	p.Checks, p.InPlace = checks(body, p.Study), 0
	for i, c := range p.Checks {
		if c.OK {
			p.InPlace++
		} else if !c.Unused {
			p.Checks[i].Address = p.At("/settings#f-" + c.Name)
		}
	}
}

func (s *Server) letterDraft(v *visit) error {
	p, err := s.draftPageOf(v)
	if err != nil {
		return err
	}
	if v.form == nil {
		p.Form = v.newForm(url.Values{"title": {p.Draft.Title}, "body": {p.Draft.Body}})
		return v.show("staff/letter_draft", p)
	}
	d := consents.Draft{Audience: p.Draft.Audience, Language: p.Draft.Language, Basis: string(v.study.LegalBasis),
		Title: v.value("title"), Body: v.form.Get("body")}
	err = s.Consents.SaveDraft(v.ctx(), v.actor(), v.study.ID, d)
	if mendable(err) {
		p.check(d.Body)
		p.Form = v.refused("letters", err)
		return v.again(err, "staff/letter_draft", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(p.Action, "draft_saved")
}

// letterPage is one letter as it is read: a frozen version, or a draft filled in.
type letterPage struct {
	base
	Shown    consents.Letter
	Preview  bool
	Back     string
	By       string
	Siblings []consents.Letter
}

// HTML is the letter's body.
func (p letterPage) HTML() template.HTML { return consents.HTML(p.Shown.Body) }

func (s *Server) letterPreview(v *visit) error {
	p, err := s.draftPageOf(v)
	if err != nil {
		return err
	}
	letter, err := consents.Preview(v.study.ID, string(v.study.LegalBasis), p.Draft, s.letterFields(v.study, p.Draft.Audience, p.Draft.Language))
	if err != nil {
		return err
	}
	page := letterPage{base: v.page("letters.preview_title"), Shown: letter, Preview: true, Back: p.Action}
	page.Here = "letters"
	return v.show("staff/letter", page)
}

func (s *Server) letterFrozen(v *visit) error {
	letter, err := s.Consents.Letter(v.ctx(), v.study.ID, id.Letter(v.Param("letter")))
	if err != nil {
		return err
	}
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	p := letterPage{base: v.page("letters.frozen_title", "Version", letter.Version), Shown: letter, Back: v.studyPath("/letters")}
	p.Here = "letters"
	for _, l := range versions {
		if l.Audience == letter.Audience && l.Version == letter.Version {
			p.Siblings = append(p.Siblings, l)
		}
	}
	by, err := s.Auth.Accounts(v.ctx(), letter.PublishedBy)
	p.By = by[letter.PublishedBy].Name
	if err != nil {
		return err
	}
	return v.show("staff/letter", p)
}
