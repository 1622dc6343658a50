package handlers

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	texttemplate "text/template"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/docs"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// pack is all that shows how a study informed people, asked them, and looked after their data. Its parts stand in one order,
// and each is written as it is read.
type pack struct {
	*dossier
	made     time.Time
	letters  []consents.Letter
	by       namesOf // who published them
	checked  consents.Checked
	verified *verified
	end      audit.Position
	pictures []string // file names
}

// evidencePack looks at everything that can fail before a byte is written, and walks the chain.
func (s *Server) evidencePack(v *visit, lang string) (*pack, error) {
	p := &pack{dossier: s.dossier(v, lang), made: s.Now()}
	var err error
	if p.letters, err = s.Consents.Versions(p.ctx, p.study.ID); err != nil {
		return nil, err
	}
	var by []id.Account
	for _, l := range p.letters {
		by = append(by, l.PublishedBy)
	}
	if p.by, err = s.namesOf(p.ctx, p.study.ID, by, nil); err != nil {
		return nil, err
	}
	if p.checked, err = s.Consents.VerifyStudy(p.ctx, p.study.ID); err != nil {
		return nil, err
	}
	if p.verified, err = s.verifyChain(p.ctx); err != nil {
		return nil, err
	}
	if p.end, err = s.Audit.Position(p.ctx); err != nil {
		return nil, err
	}
	p.pictures, err = fs.Glob(evidenceFiles, "evidence/flow/*.png")
	return p, err
}

// packPart is one file of the pack.
type packPart struct {
	name  string
	write func(io.Writer) error
}

func (p *pack) write(w io.Writer) error {
	out := zip.NewWriter(w)
	for _, part := range p.parts() {
		file, err := out.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: p.made.In(p.zone)})
		if err != nil {
			return err
		}
		if err := part.write(file); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return out.Close()
}

func (p *pack) parts() []packPart {
	parts := []packPart{
		{"README.md", func(w io.Writer) error { return p.page(w, "readme") }},
		{"rules.md", func(w io.Writer) error { return p.page(w, "rules") }},
		{"data-protection.md", writes(docs.DataProtection)},
	}
	for _, l := range p.letters {
		name := fmt.Sprintf("letters/%s-%d-%s", l.Audience, l.Version, l.Language)
		parts = append(parts, packPart{name + ".md", writes([]byte(letterText(l)))}, packPart{name + ".html", func(w io.Writer) error { return p.letterPage(w, l) }},
			packPart{name + ".hashed", writes(l.Hashed())}, packPart{name + ".sha256", writes([]byte(l.Hash + "  " + path.Base(name) + ".hashed\n"))})
	}
	parts = append(parts,
		packPart{"consents/questions.csv", func(w io.Writer) error { return p.consentTexts(w, p.letters) }},
		packPart{"consents/counts.csv", p.counts},
		packPart{"consents/register.csv", p.register},
		packPart{"settings/settings.json", p.settings},
		packPart{"settings/history.csv", p.changes},
		packPart{"access/team.csv", p.team},
		packPart{"access/names-opened.csv", p.namesOpened},
		packPart{"deletions/deletions.csv", p.deletions},
		packPart{"log/log.csv", p.log},
		packPart{"log/newest-hash.txt", writes(fmt.Appendf(nil, "%d %s\n", p.end.Seq, p.end.Hash))})
	for _, picture := range p.pictures {
		parts = append(parts, packPart{"flow/" + path.Base(picture), func(w io.Writer) error {
			data, err := evidenceFiles.ReadFile(picture)
			if err != nil {
				return err
			}
			_, err = w.Write(data)
			return err
		}})
	}
	return parts
}

func writes(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// page fills one of the pack's own pages.
func (p *pack) page(w io.Writer, name string) error {
	file := name + "." + p.text.Lang() + ".md"
	t, err := texttemplate.New(file).Option("missingkey=error").ParseFS(evidenceFiles, "evidence/"+file)
	if err != nil {
		return err
	}
	return t.Execute(w, packPage{p.study, p})
}

// packPage is what the pack's own pages can say.
type packPage struct {
	Study studies.Study
	pack  *pack
}

func (p packPage) Made() string   { return p.pack.day(p.pack.made) }
func (p packPage) Ends() string   { return p.pack.day(p.Study.End().Add(-time.Second)) }
func (p packPage) Head() string   { return p.pack.end.Hash }
func (p packPage) Entries() int64 { return p.pack.verified.N }
func (p packPage) Broken() bool   { return p.pack.verified.Broken }
func (p packPage) Letters() int   { return p.pack.checked.Letters }
func (p packPage) Acts() int      { return p.pack.checked.Acts }
func (p packPage) Altered() bool  { return !p.pack.checked.OK() }
func (p packPage) Pictures() int  { return len(p.pack.pictures) }
func (p packPage) Deletes(f studies.Fate) bool {
	return f == studies.Delete
}

// PublicInterest says whether that is the legal basis, and not consent.
func (p packPage) PublicInterest() bool { return p.Study.LegalBasis == studies.PublicInterest }

func (p *pack) day(t time.Time) string { return p.text.Date(t.In(p.zone), i18n.Plain) }

// letterText is a letter as its reader meets it, in Markdown.
func letterText(l consents.Letter) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\n\n", l.Title)
	for _, fact := range l.Brief {
		fmt.Fprintf(&text, "- %s: %s\n", fact.Term, fact.Text)
	}
	fmt.Fprintf(&text, "\n%s\n\n---\n\n", strings.TrimSpace(l.Body))
	for _, item := range l.Items {
		fmt.Fprintf(&text, "- **%s**\n", item.Text)
		if item.Hint != "" {
			fmt.Fprintf(&text, "  %s\n", item.Hint)
		}
	}
	return text.String()
}

// letterHTML needs nothing but a browser: no style, script or picture.
var letterHTML = template.Must(template.New("letter").Parse(`<!DOCTYPE html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title></head>
<body><h1>{{.Title}}</h1>
<dl>{{range .Brief}}<dt>{{.Term}}</dt><dd>{{.Text}}</dd>
{{end}}</dl>
{{.HTML}}
<hr><ul>{{range .Items}}<li>{{.Text}}{{if .Hint}}<br>{{.Hint}}{{end}}</li>
{{end}}</ul>
<hr><p>{{.Published}}</p><p>SHA-256: <code>{{.Hash}}</code></p></body></html>
`))

func (p *pack) letterPage(w io.Writer, l consents.Letter) error {
	var page bytes.Buffer
	published := p.text.T("evidence.published", "When", p.instant(l.PublishedAt), "Name", p.by.accounts[l.PublishedBy],
		"Audience", p.text.T("studies.audience."+l.Audience), "Version", l.Version)
	err := letterHTML.Execute(&page, struct {
		consents.Letter
		HTML      template.HTML
		Published string
	}{l, consents.HTML(l.Body), published})
	if err != nil {
		return err
	}
	_, err = w.Write(page.Bytes())
	return err
}

// record is the study's record as the pack has it. The names in it are those printed in the letters.
type record struct {
	Title             string        `json:"title"`
	Purpose           string        `json:"purpose"`
	Questions         []string      `json:"questions"`
	Institution       string        `json:"institution"`
	Department        string        `json:"department"`
	ProjectContact    string        `json:"project_contact"`
	Supervisor        string        `json:"supervisor"`
	SupervisorContact string        `json:"supervisor_contact"`
	Officer           string        `json:"officer"`
	OfficerContact    string        `json:"officer_contact"`
	Assessment        string        `json:"assessment"`
	LegalBasis        string        `json:"legal_basis"`
	Special           bool          `json:"special_categories"`
	MinimumAge        int           `json:"minimum_age"`
	AgeReason         string        `json:"age_reason"`
	Recording         bool          `json:"recording"`
	Signature         string        `json:"signature"`
	OnWithdrawal      string        `json:"on_withdrawal"`
	AtEnd             string        `json:"at_end"`
	ProofMonths       int           `json:"proof_months"`
	StartsOn          string        `json:"starts_on"`
	EndsOn            string        `json:"ends_on"`
	Zone              string        `json:"zone"`
	Languages         []string      `json:"languages"`
	Texts             studies.Texts `json:"texts"` // by language and field
	ClosedAt          int64         `json:"closed_at"`
}

func (p *pack) settings(w io.Writer) error {
	s := p.study
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(record{Title: s.Title, Purpose: s.Purpose, Questions: lines(s.Questions), Institution: s.Institution, Department: s.Department,
		ProjectContact: s.ProjectContact, Supervisor: s.Supervisor, SupervisorContact: s.SupervisorContact, Officer: s.Officer,
		OfficerContact: s.OfficerContact, Assessment: s.Assessment, LegalBasis: string(s.LegalBasis), Special: s.Special, MinimumAge: s.MinimumAge,
		AgeReason: s.AgeReason, Recording: s.Recording, Signature: string(s.Signature), OnWithdrawal: string(s.OnWithdrawal), AtEnd: string(s.AtEnd),
		ProofMonths: s.ProofMonths, StartsOn: s.StartsOn, EndsOn: s.EndsOn, Zone: s.Zone, Languages: s.Languages, Texts: s.Texts, ClosedAt: s.ClosedAt})
}
