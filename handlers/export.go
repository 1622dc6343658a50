package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"example.org/feltbok/consents"
	"example.org/feltbok/exports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// ExportWorkbook writes a study's workbook, with headings in a language and the answers to the newest survey. It writes
// nothing to the stores, since the command line runs it beside a server.
func (s *Server) ExportWorkbook(ctx context.Context, w io.Writer, study id.Study, lang string) error {
	watch, err := s.watchLeaving(ctx, study)
	if err != nil {
		return err
	}
	src, err := s.exportSource(ctx, study, "", s.languages.Text(lang))
	if err != nil {
		return err
	}
	if err := watch.workbook(w, src); errors.Is(err, errLeft) {
		return fmt.Errorf("somebody left the study while its workbook was made, and would be in it; run the export again: %w", err)
	} else if err != nil {
		return err
	}
	return nil
}

// gathering fills a Source: each domain is read once for the whole study, and people are put down by code.
type gathering struct {
	*Server
	ctx   context.Context
	text  i18n.Text
	study studies.Study
	src   exports.Source

	codes    map[id.Person]string // participants, and the survey's respondents
	answered consents.Answers     // of everybody, read once
}

// exportSource gathers what a workbook is made of. Without a survey it takes the newest one that has been open.
func (s *Server) exportSource(ctx context.Context, study id.Study, survey id.Survey, text i18n.Text) (exports.Source, error) {
	found, err := s.Studies.Get(ctx, study)
	if err != nil {
		return exports.Source{}, err
	}
	g := &gathering{Server: s, ctx: ctx, text: text, study: found, codes: map[id.Person]string{}}
	g.src = exports.Source{Text: text, MadeAt: s.Now()}
	if g.answered, err = s.Consents.AnswersOf(ctx, study); err != nil {
		return exports.Source{}, err
	}
	end, err := s.Audit.Position(ctx)
	if err != nil {
		return exports.Source{}, err
	}
	g.src.AuditHead = end.Hash
	for _, part := range []func() error{g.quotas, g.setting, g.participants, g.conversations,
		func() error { return g.survey(survey) }, g.consents, g.withheld} {
		if err := part(); err != nil {
			return exports.Source{}, err
		}
	}
	return g.src, nil
}

func (g *gathering) quotas() error {
	cells, err := g.Recruitment.Quotas(g.ctx, g.study.ID, g.study.Pilots())
	if err != nil {
		return err
	}
	kinds, err := g.kinds(g.ctx, g.study.ID, g.text)
	if err != nil {
		return err
	}
	// In the order of the cases' codes: identifiers are random, and the same study must give the same workbook.
	slices.SortStableFunc(cells, func(a, b recruitment.Cell) int { return cmp.Compare(g.caseCode(a.Case), g.caseCode(b.Case)) })
	for _, c := range cells {
		if c.Kind == recruitment.Outside {
			continue
		}
		q := exports.Quota{Case: g.caseCode(c.Case), Kind: string(c.Kind), Least: c.Goal, Most: c.Most,
			Asked: c.Asked, Yes: c.Yes, Booked: c.Booked, Done: c.Done}
		if !slices.Contains(recruitment.Kinds(), c.Kind) {
			q.Kind = labelOf(kinds, c.Kind)
		}
		g.src.Quotas = append(g.src.Quotas, q)
	}
	return nil
}

// caseCode is "" for a case that is not the study's.
func (g *gathering) caseCode(wanted id.Case) string {
	c, _ := g.study.Case(wanted)
	return c.Code
}

func (g *gathering) setting() error {
	st := g.study
	g.src.Study = exports.Study{Title: st.Title, Purpose: st.Purpose, Questions: st.Questions, Institution: st.Institution,
		LegalBasis: string(st.LegalBasis), Zone: st.Zone, StartsOn: st.StartsOn, EndsOn: st.EndsOn}
	for _, c := range st.Cases {
		g.src.Study.Cases = append(g.src.Study.Cases, exports.Case{Code: c.Code, Name: c.Name, Pilot: c.Pilot})
	}
	return nil
}

func (g *gathering) participants() error {
	all, err := g.Recruitment.List(g.ctx, g.study.ID, recruitment.Filter{})
	if err != nil {
		return err
	}
	own, err := g.Recruitment.Attributes(g.ctx, g.study.ID)
	if err != nil {
		return err
	}
	for _, a := range own {
		g.src.Traits = append(g.src.Traits, a.Name)
	}
	for _, p := range all {
		g.codes[p.ID] = p.Code
	}
	for _, p := range all {
		g.src.Participants = append(g.src.Participants, exports.Participant{Code: p.Code, Case: g.caseCode(p.Case), Audience: p.Audience,
			Relation: string(p.Relation), Size: string(p.Size), Title: p.Title, Source: g.src.Text.T("recruitment.source." + string(p.Source)),
			Recruiter: g.codes[p.Recruiter], State: string(p.State), StateAt: p.StateAt, Traits: traitsOf(p, own)})
	}
	if err := g.anonymous(); err != nil {
		return err
	}
	return g.funnels()
}

// anonymous are those who left a study that keeps what they said without them: a case and an invented code.
func (g *gathering) anonymous() error {
	all, err := g.Recruitment.Anonymous(g.ctx, g.study.ID)
	for _, a := range all {
		g.codes[a.ID] = a.Code
		g.src.Participants = append(g.src.Participants, exports.Participant{Code: a.Code, Case: g.caseCode(a.Case), State: string(recruitment.Withdrawn),
			Traits: make([]string, len(g.src.Traits))})
	}
	return err
}

// funnels are those of the whole, of each case, and of who was erased.
func (g *gathering) funnels() error {
	all, err := g.Recruitment.Funnels(g.ctx, g.study.ID)
	if err != nil {
		return err
	}
	whole := recruitment.Total(all, g.study.Pilots())
	g.src.Funnel = exportFunnel("", whole)
	for _, state := range recruitment.States() {
		if n := lost(whole, state); n > 0 {
			g.src.Funnel.Losses = append(g.src.Funnel.Losses, exports.Loss{State: string(state), N: n})
		}
	}
	for _, c := range g.study.Cases {
		if f := all[c.ID]; !c.Pilot && f.Asked > 0 {
			g.src.Funnels = append(g.src.Funnels, exportFunnel(c.Code, f))
		}
	}
	if erased := all[""]; erased.Asked > 0 {
		g.src.Funnels = append(g.src.Funnels, exportFunnel("", erased))
	}
	return nil
}

func exportFunnel(caseCode string, f recruitment.Funnel) exports.Funnel {
	return exports.Funnel{Case: caseCode, Asked: f.Asked, Yes: f.Yes, Booked: f.Booked, Done: f.Done, Lost: f.Lost()}
}

// traitsOf are the values of the study's own attributes in their order, "" for none.
func traitsOf(p recruitment.Participant, own []recruitment.Attribute) []string {
	values := make([]string, len(own))
	for i, a := range own {
		values[i] = p.Attributes[a.Key]
	}
	return values
}

// lost is how many left for a reason, after whichever stage.
func lost(f recruitment.Funnel, reason recruitment.State) (n int) {
	for _, l := range f.Losses {
		if l.Reason == reason {
			n += l.Count
		}
	}
	return n
}

// conversations are the interviews held and what was coded in them.
func (g *gathering) conversations() error {
	held, err := g.Interviews.List(g.ctx, g.study.ID)
	if err != nil {
		return err
	}
	for _, h := range held {
		if code := g.codes[h.Person]; code != "" { // erased between two readings
			g.src.Interviews = append(g.src.Interviews, exports.Interview{Code: code, HeldOn: h.HeldOn, Minutes: h.Minutes})
		}
	}
	matrix, err := g.Interviews.Matrix(g.ctx, g.study.ID)
	if err != nil {
		return err
	}
	g.src.Marks = map[string]map[string]string{}
	for _, t := range matrix.Themes {
		g.src.Themes = append(g.src.Themes, exports.Theme{Key: t.Key, Category: t.Category, Label: t.Label})
		marks := map[string]string{}
		for person, mark := range matrix.Marks[t.Key] {
			if code := g.codes[person]; code != "" {
				marks[code] = string(mark)
			}
		}
		g.src.Marks[t.Key] = marks
	}
	return nil
}

// survey takes the survey asked for, or the newest that has been open. Others are named as left out.
func (g *gathering) survey(wanted id.Survey) error {
	all, err := g.Surveys.List(g.ctx, g.study.ID)
	if err != nil {
		return err
	}
	opened := slices.DeleteFunc(all, func(s surveys.Survey) bool { return s.OpenedAt == 0 })
	at := len(opened) - 1
	if wanted != "" {
		if at = slices.IndexFunc(opened, func(s surveys.Survey) bool { return s.ID == wanted }); at < 0 {
			return surveys.ErrNotFound
		}
	}
	for i, s := range opened {
		if i != at {
			g.src.Left = append(g.src.Left, exports.LeftOut{What: "survey", Code: s.Title, Reason: "one_survey"})
		}
	}
	if at < 0 {
		return nil
	}
	return g.answers(opened[at])
}

func (g *gathering) answers(survey surveys.Survey) error {
	respondents, err := g.Surveys.Respondents(g.ctx, g.study.ID, survey.ID)
	if err != nil {
		return err
	}
	for _, r := range respondents {
		g.codes[r.Person] = r.Code
	}
	form, err := g.Surveys.FormAt(g.ctx, g.study.ID, survey.ID, survey.Version)
	if err != nil {
		return err
	}
	g.src.Survey = exportForm(form, g.text.Lang())
	g.src.Survey.Answers = exportAnswers(g.Surveys.Responses(g.ctx, g.study.ID, survey.ID))
	return nil
}

func exportForm(form surveys.Form, lang string) *exports.Survey {
	in := func(t surveys.Text) string { return t.In(lang, form.Languages...) }
	survey := &exports.Survey{Title: in(form.Title)}
	for _, q := range form.Questions() {
		if q.Type == surveys.Note {
			continue
		}
		question := exports.Question{Name: q.Name, Label: in(q.Label), Type: string(q.Type), Theme: q.Theme}
		if q.Type.HasChoices() {
			for _, c := range form.Lists[q.Scale] {
				question.Choices = append(question.Choices, exports.Choice{Value: c.Value, Label: in(c.Label), Missing: c.Missing})
			}
		}
		survey.Questions = append(survey.Questions, question)
	}
	return survey
}

// exportAnswers passes the responses on one at a time.
func exportAnswers(responses iter.Seq2[surveys.Response, error]) iter.Seq2[exports.Answer, error] {
	return func(yield func(exports.Answer, error) bool) {
		for r, err := range responses {
			if !yield(exports.Answer{Code: r.Code, Lang: r.Lang, Version: r.Version, SubmittedAt: r.SubmittedAt, Values: r.Answers}, err) {
				return
			}
		}
	}
}

// consents come after everybody's code is known. Who only answered another survey has none here.
func (g *gathering) consents() error {
	latest, err := g.Consents.LatestOf(g.ctx, g.study.ID)
	if err != nil {
		return err
	}
	for person, standings := range g.answered.Said {
		if code := g.codes[person]; code != "" {
			g.src.Consents = append(g.src.Consents, exports.Consent{Code: code, Standings: standings,
				Means: latest[person].Means, At: latest[person].At})
		}
	}
	// A map's order is chance, and two people may bear one code: a participant R1 of a case R and a respondent R1.
	slices.SortFunc(g.src.Consents, func(a, b exports.Consent) int {
		if c := natural.Compare(a.Code, b.Code); c != 0 {
			return c
		}
		return int(a.At - b.At)
	})
	return nil
}

// withheld keeps out whoever has an act under way, such as a withdrawal that is not finished, and whose data are only kept.
func (g *gathering) withheld() error {
	open, err := g.Intents.Open(g.ctx, g.study.ID)
	if err != nil {
		return err
	}
	g.src.Withheld = map[string]string{}
	for person := range open {
		if code := g.codes[person]; code != "" {
			g.src.Withheld[code] = "pending"
		}
	}
	for person := range g.answered.Restricted {
		if code := g.codes[person]; code != "" {
			g.src.Withheld[code] = onlyKept
		}
	}
	return nil
}

// exportMade notes a download in the chain.
func (s *Server) exportMade(v *visit) error {
	return s.Audit.Record(v.Request.Context(), audit.Entry{Actor: v.actor(), Action: "export.made", Study: v.study.ID, Detail: v.text.Lang()})
}
