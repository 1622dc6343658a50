package handlers

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
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
	Empty     []choice // what keeps a letter from being published: label and address
	Counts    []recordCount
	Rounds    []roundLine
}

type audienceLetters struct {
	Key         string
	Drafts      []draftLine
	Current     []consents.Letter // the languages of the newest version
	Earlier     []consents.Letter
	Next        int // the version that would be published
	Unpublished int // drafts saved after the newest version
}

// Compares says whether there is a version before the one in use, in some language of it.
func (a audienceLetters) Compares() bool { return len(a.Earlier) > 0 }

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
	p.Counts = s.recordPageOf(v).Counts
	if p.Rounds, err = s.roundLines(v, p.base); err != nil {
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
	record := s.recordOf(study, lang)
	own := record.Own(audience, lang)
	return consents.Fields{Title: own["title"], Purpose: own["purpose"], Questions: lines(own["questions"]), Institution: own["institution"],
		ProjectContact: own["project_contact"], Supervisor: own["supervisor"], SupervisorContact: own["supervisor_contact"],
		Officer: own["officer"], OfficerContact: own["officer_contact"], Assessment: own["assessment"], AgeReason: own["age_reason"],
		EndsOn: text.Date(study.End().AddDate(0, 0, -1), i18n.Plain), Duration: text.N("letters.minutes", minutes),
		Setting: record.Setting, Own: own}
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
		p.Form, p.Empty = v.refusedLetter(audience, err)
		return v.again(err, "staff/letters", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/letters"), "letter_published")
}

// refusedLetter says why a letter cannot go out, and where each thing is mended. A field that the study leaves empty is
// missing in every language, and is said once.
func (v *visit) refusedLetter(audience string, err error) (form, []choice) {
	if len(errs.FieldsOf(err)) == 0 {
		return v.againForm(err), nil
	}
	f, wanting := v.newForm(nil), []choice(nil)
	gaps := map[string][]string{}
	say := func(text, label, address string) {
		if slices.ContainsFunc(f.Errors, func(e fieldError) bool { return e.Text == text }) {
			return
		}
		f.Errors = append(f.Errors, fieldError{"", text})
		if label != "" {
			wanting = append(wanting, choice{Label: label, Value: v.studyPath(address)})
		}
	}
	for _, fault := range errs.FieldsOf(err) {
		lang, _ := fault.Args["Language"].(string)
		label := v.fieldLabel(fault.Name)
		switch fault.Code {
		case "letter_gap":
			gaps[lang] = append(gaps[lang], "«"+label+"»")
		case "letter_empty":
			say(v.text.T("letters.empty", "Field", label), label, "/settings#f-"+inputOf(fault.Name))
		default:
			if lang != "" {
				fault.Args["Language"] = lowered(v.text.T("language." + lang))
			}
			say(v.fieldText(fault), "", "")
		}
	}
	for _, lang := range v.study.Languages {
		if language := v.text.T("language." + lang); len(gaps[lang]) > 0 {
			say(v.text.T("letters.gap", "Fields", strings.Join(gaps[lang], ", "), "Language", lowered(language)), language,
				"/letters/"+audience+"/"+lang+"#checks")
		}
	}
	return f, wanting
}

// fieldLabel is what a field of the record is called.
func (v *visit) fieldLabel(name string) string {
	if key := "record.field." + name; v.text.Has(key) {
		return v.text.T(key)
	}
	return v.text.T("study." + inputOf(name))
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
	OK            bool
	Unused        bool // the letter has no field for it
	Told          bool // ... and is said to tell it in words of its own
	Standing      string
}

// Field is how a letter takes it in.
func (c letterCheck) Field() string { return "{{" + c.Name + "}}" }

// checks compare a draft with what it has to tell, and with what the record says of it; what is missing comes first.
func (s *Server) checks(d consents.Draft, study studies.Study) (all []letterCheck) {
	r := s.recordOf(study, d.Language)
	gaps := d.Gaps(r.Setting)
	entries := r.Entries()
	for _, name := range consents.Needed(d.Audience, r.Setting) {
		c := letterCheck{Name: name, Unused: slices.Contains(gaps, name), Told: slices.Contains(d.Told, name), Standing: consents.InPlace}
		i := slices.IndexFunc(entries, func(e consents.Entry) bool {
			return e.Field == name && (e.Audience == "" || e.Audience == d.Audience)
		})
		if i >= 0 {
			c.Standing = r.Standing(d.Language, entries[i])
			c.Address = "/studies/" + string(study.ID) + recordInput(r, entries[i], d.Language)
		}
		c.OK = !c.Unused && (c.Standing == consents.InPlace || c.Told)
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b letterCheck) int { return rank(a) - rank(b) })
	return all
}

// rank puts what is missing first.
func rank(c letterCheck) int {
	switch {
	case c.Unused || c.Standing == consents.Gap:
		return 0
	case !c.OK:
		return 1
	}
	return 2
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
	s.check(&p, p.Draft)
	return p, nil
}

func (s *Server) check(p *draftPage, d consents.Draft) {
	p.Checks, p.InPlace = s.checks(d, p.Study), 0
	for _, c := range p.Checks {
		if c.OK {
			p.InPlace++
		}
	}
}

// Boxes are the ticks by which the team says that a letter tells something without the field.
func (p draftPage) Boxes() field {
	f := field{Name: "told", ID: "f-told", Type: "checkbox", Label: p.T("letters.told"), Hint: p.T("letters.told_hint")}
	for i, c := range p.Checks {
		if c.Unused || c.Told {
			f.Choices = append(f.Choices, choice{Value: c.Name, Label: p.T("record.field." + c.Name), Chosen: c.Told, ID: fmt.Sprintf("f-told-%d", i)})
		}
	}
	return f
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
		Title: v.value("title"), Body: v.form.Get("body"), Told: v.form["told"]}
	err = s.Consents.SaveDraft(v.ctx(), v.actor(), v.study.ID, d)
	if mendable(err) {
		s.check(&p, d)
		p.Form = v.refused("letters", err)
		return v.again(err, "staff/letter_draft", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(p.Action, "draft_saved")
}

// letterPage is one letter as it is read: a frozen version in every language that it was published in, or a draft filled in.
type letterPage struct {
	base
	Shown   []shownLetter // the one that was asked for comes first
	Preview bool
	Back    string
	By      string
	Changes string // where the changes from the version before are shown, if there is one
}

// First is the letter that was asked for.
func (p letterPage) First() consents.Letter { return p.Shown[0].Letter }

type shownLetter struct{ consents.Letter }

// HTML is the letter's body.
func (l shownLetter) HTML() template.HTML { return consents.HTML(l.Body) }

func (s *Server) letterPreview(v *visit) error {
	p, err := s.draftPageOf(v)
	if err != nil {
		return err
	}
	letter, err := consents.Preview(v.study.ID, string(v.study.LegalBasis), p.Draft, s.letterFields(v.study, p.Draft.Audience, p.Draft.Language))
	if err != nil {
		return err
	}
	page := letterPage{base: v.page("letters.preview_title"), Shown: []shownLetter{{letter}}, Preview: true, Back: p.Action}
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
	p := letterPage{base: v.page("letters.frozen_title", "Version", letter.Version), Shown: []shownLetter{{letter}}, Back: v.studyPath("/letters")}
	p.Here = "letters"
	for _, l := range versions {
		if l.Audience == letter.Audience && l.Version == letter.Version && l.ID != letter.ID {
			p.Shown = append(p.Shown, shownLetter{l})
		}
		if l.Audience == letter.Audience && l.Version < letter.Version {
			p.Changes = v.studyPath("/letter/" + string(letter.ID) + "/changes")
		}
	}
	by, err := s.Auth.Accounts(v.ctx(), letter.PublishedBy)
	p.By = by[letter.PublishedBy].Name
	if err != nil {
		return err
	}
	return v.show("staff/letter", p)
}
