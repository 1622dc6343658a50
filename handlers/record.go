package handlers

import (
	"net/url"
	"slices"

	"example.org/feltbok/consents"
	"example.org/feltbok/studies"
)

// recordOf is what a study has told about itself, for its letters. Its setting is said in one language.
func (s *Server) recordOf(study studies.Study, lang string) consents.Record {
	r := consents.Record{Basis: string(study.LegalBasis), Languages: study.Languages, Texts: study.Texts,
		Main: map[string]string{"title": study.Title, "purpose": study.Purpose, "questions": study.Questions,
			"institution": study.Institution, "project_contact": study.ProjectContact, "supervisor": study.Supervisor,
			"supervisor_contact": study.SupervisorContact, "officer": study.Officer, "officer_contact": study.OfficerContact,
			"assessment": study.Assessment, "age_reason": study.AgeReason},
		Setting: consents.Setting{Unrecorded: !study.Recording, Special: study.Special, MinimumAge: study.MinimumAge,
			Signature: string(study.Signature), OnWithdrawal: string(study.OnWithdrawal), AtEnd: string(study.AtEnd)}}
	if study.ProofMonths > 0 {
		r.Setting.Proof = s.languages.Text(lang).N("record.months", study.ProofMonths)
	}
	for _, a := range study.Audiences {
		r.Audiences = append(r.Audiences, a.Key)
	}
	return r
}

// recordPage lists every field of the record and how it stands in each language.
type recordPage struct {
	base
	Groups []recordGroup
	Counts []recordCount
}

type recordGroup struct {
	Key   string // "" is for all letters, "settled" what follows from the setting, otherwise an audience
	Lines []recordLine
}

type recordLine struct {
	Label string
	Cells []recordCell
	Same  bool // one cell for every language
}

type recordCell struct{ Lang, Standing, Address string }

// Mark is the shape that goes with a standing: see the template "pip".
func (c recordCell) Mark() string {
	switch c.Standing {
	case consents.InPlace:
		return "check"
	case consents.Gap:
		return "bang"
	case consents.Untranslated:
		return "half"
	}
	return "ring"
}

type recordCount struct {
	Standing string
	N        int
}

func (s *Server) record(v *visit) error {
	p := s.recordPageOf(v)
	return v.show("staff/record", p)
}

func (s *Server) recordPageOf(v *visit) recordPage {
	p := recordPage{base: v.page("record.title")}
	p.Here = "settings"
	r := s.recordOf(v.study, v.study.Languages[0])
	counts := map[string]int{}
	for _, e := range r.Entries() {
		line := recordLine{Label: v.text.T("record.field." + e.Field), Same: e.Kind == consents.Fixed || e.Kind == consents.Settled}
		for _, lang := range r.Languages {
			cell := recordCell{lang, r.Standing(lang, e), v.studyPath(recordInput(r, e, lang))}
			if cell.Standing != consents.Proposed || lang == r.Languages[0] { // confirmed once, for every language
				counts[cell.Standing]++
			}
			if line.Cells = append(line.Cells, cell); line.Same {
				break
			}
		}
		p.add(e, line)
	}
	for _, standing := range []string{consents.Gap, consents.Untranslated, consents.Proposed} {
		if counts[standing] > 0 {
			p.Counts = append(p.Counts, recordCount{standing, counts[standing]})
		}
	}
	return p
}

// recordTasks are what a letter cannot do without: what is only suggested, or not translated, hurries nobody.
func (s *Server) recordTasks(v *visit) []task {
	p := s.recordPageOf(v)
	if len(p.Counts) == 0 || p.Counts[0].Standing != consents.Gap || !p.Writes() {
		return nil
	}
	what := v.text.T("home.record_wants", "What", lowered(v.text.N("record.count.gap", p.Counts[0].N)))
	return []task{{Mark: "warn", What: what, Address: p.At("/record"), Act: v.text.T("letters.see_record")}}
}

func (p *recordPage) add(e consents.Entry, line recordLine) {
	key := e.Audience
	if e.Kind == consents.Settled {
		key = consents.Settled
	}
	i := slices.IndexFunc(p.Groups, func(g recordGroup) bool { return g.Key == key })
	if i < 0 {
		i, p.Groups = len(p.Groups), append(p.Groups, recordGroup{Key: key})
	}
	p.Groups[i].Lines = append(p.Groups[i].Lines, line)
}

// settledInputs are the inputs that decide what the fields say which no team words.
var settledInputs = map[string]string{"withdrawal": "on_withdrawal", "rights": "legal_basis"}

// recordInput is where a field is filled in.
func recordInput(r consents.Record, e consents.Entry, lang string) string {
	switch {
	case r.Standing(lang, e) == consents.Proposed:
		return "/record/" + r.Languages[0] + "#f-" + e.Key
	case e.Kind == consents.Worded, e.Kind == consents.Translated && lang != r.Languages[0]:
		return "/record/" + lang + "#f-" + e.Key
	case settledInputs[e.Field] != "":
		return "/settings#f-" + settledInputs[e.Field]
	}
	return "/settings#f-" + inputOf(e.Field)
}

// recordTextPage is the record's texts in one language.
type recordTextPage struct {
	base
	Spoken string // the language of the texts
	Main   bool
	Groups []recordTextGroup
	Tabs   []choice
	Action string
}

type recordTextGroup struct {
	Key  string
	Asks []recordAsk
}

// recordAsk is one text to write, and what the letter says without it.
type recordAsk struct {
	Field     field
	Says      string
	SaysIn    string // its language
	Standing  string
	Confirm   bool // our words can be confirmed
	Key       string
	Confirmed bool
}

func (s *Server) recordText(v *visit) error {
	lang := v.Param("lang")
	if !slices.Contains(v.study.Languages, lang) {
		return studies.ErrUnknown
	}
	r := s.recordOf(v.study, lang)
	if v.form == nil {
		p, err := s.recordTextPageOf(v, r, lang, v.newForm(recordValues(r, lang)))
		if err != nil {
			return err
		}
		return v.show("staff/record_text", p)
	}
	texts := map[string]string{}
	for _, e := range recordAsks(r, lang) {
		texts[e.Key] = v.value(e.Key)
	}
	if lang == r.Languages[0] {
		texts[consents.Confirmed] = r.Confirm(v.form[consents.Confirmed])
	}
	err := s.Studies.SetTexts(v.ctx(), v.actor(), v.study.ID, lang, texts)
	if mendable(err) {
		p, readErr := s.recordTextPageOf(v, r, lang, v.againForm(err))
		if readErr != nil {
			return readErr
		}
		return v.again(err, "staff/record_text", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/record"), "record_saved")
}

// recordAsks are the fields that are written on the page of a language; the others stand in the setting.
func recordAsks(r consents.Record, lang string) []consents.Entry {
	return slices.DeleteFunc(r.Entries(), func(e consents.Entry) bool {
		switch e.Kind {
		case consents.Worded:
			return false
		case consents.Translated:
			return lang == r.Languages[0]
		case consents.Fixed: // names that may have a form in another language
			return lang == r.Languages[0] || e.Field != "institution" && e.Field != "assessment"
		}
		return true
	})
}

func recordValues(r consents.Record, lang string) url.Values {
	values := url.Values{}
	for key, text := range r.Texts[lang] {
		values.Set(key, text)
	}
	values.Del(consents.Confirmed)
	for _, e := range r.Entries() {
		if r.IsConfirmed(e) {
			values.Add(consents.Confirmed, e.Key)
		}
	}
	return values
}

func (s *Server) recordTextPageOf(v *visit, r consents.Record, lang string, f form) (recordTextPage, error) {
	p := recordTextPage{base: v.page("record.text_title", "Language", lowered(v.text.T("language."+lang))), Spoken: lang,
		Main: lang == r.Languages[0], Action: v.studyPath("/record/" + lang)}
	p.Here, p.Form = "settings", f
	for _, other := range r.Languages {
		p.Tabs = append(p.Tabs, choice{Value: v.studyPath("/record/" + other), Label: v.text.T("language." + other), Chosen: other == lang})
	}
	words := map[string]map[string]string{}
	for _, e := range recordAsks(r, lang) {
		audience := e.Audience
		if audience == "" {
			audience = r.Audiences[0]
		}
		if words[audience] == nil {
			fields := s.letterFields(v.study, audience, lang)
			var err error
			if words[audience], err = fields.Words(audience, lang, r.Basis); err != nil {
				return p, err
			}
		}
		p.add(e, p.ask(r, e, words[audience][e.Field]))
	}
	return p, nil
}

func (p *recordTextPage) add(e consents.Entry, ask recordAsk) {
	i := slices.IndexFunc(p.Groups, func(g recordTextGroup) bool { return g.Key == e.Audience })
	if i < 0 {
		i, p.Groups = len(p.Groups), append(p.Groups, recordTextGroup{Key: e.Audience})
	}
	p.Groups[i].Asks = append(p.Groups[i].Asks, ask)
}

func (p *recordTextPage) ask(r consents.Record, e consents.Entry, says string) recordAsk {
	a := recordAsk{Key: e.Key, Standing: r.Standing(p.Spoken, e), SaysIn: p.Spoken, Confirmed: slices.Contains(p.Form.Values[consents.Confirmed], e.Key),
		Field: p.Input(e.Key, "rows=4", "optional", "label=record.field."+e.Field, "hint=record.hint."+e.Field)}
	if e.Field == "title" || e.Kind == consents.Fixed {
		a.Field.Rows = 1
	}
	if _, own := r.Says(p.Spoken, e); !own {
		a.Says = says
		a.Confirm = p.Main && e.Kind == consents.Worded
	}
	if a.Standing == consents.Untranslated || e.Kind == consents.Fixed {
		a.SaysIn = r.Languages[0]
	}
	return a
}
