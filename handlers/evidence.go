package handlers

import (
	"embed"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
)

// evidenceFiles are the pack's own pages, in each language, and pictures of a participant's way, which the browser test takes.
//
//go:embed evidence
var evidenceFiles embed.FS

const evidenceMade = "evidence.made"

// evidencePage says what the pack holds, before it is downloaded.
type evidencePage struct {
	base
	Langs []choice
	File  string
}

func (v *visit) evidencePage() evidencePage {
	p := evidencePage{base: v.page("evidence.title"), File: v.evidenceName()}
	p.Here = v.watching("evidence")
	for _, lang := range i18n.Languages {
		p.Langs = append(p.Langs, choice{Value: lang, Label: v.text.T("language." + lang)})
	}
	return p
}

func (v *visit) evidenceName() string {
	return "feltbok-evidence-" + v.now().In(v.zone()).Format("2006-01-02") + ".zip"
}

func (s *Server) evidence(v *visit) error { return v.show("staff/evidence", v.evidencePage()) }

// evidenceDownload sends the pack. As with the workbook each time is an entry in the chain, written before a byte leaves, and
// the form's key is not used.
func (s *Server) evidenceDownload(v *visit) error {
	lang := v.value("lang")
	if !slices.Contains(i18n.Languages, lang) {
		err := faultAt(errs.Invalid, "lang", "evidence_lang")
		p := v.evidencePage()
		p.Form = v.againForm(err)
		return v.again(err, "staff/evidence", p)
	}
	err := s.Audit.Record(v.Request.Context(), audit.Entry{Actor: v.actor(), Action: evidenceMade, Study: v.study.ID, Detail: lang})
	if err != nil {
		return err
	}
	pack, err := s.evidencePack(v, lang)
	if err != nil {
		return err
	}
	return pack.write(&download{v.Writer, v.evidenceName(), "application/zip", false})
}
