package handlers

import (
	"example.org/feltbok/consents"
	"example.org/feltbok/internal/id"
)

// publishedPage is every letter that was ever published, with its hash.
type publishedPage struct {
	base
	Audiences []publishedAudience
	Verified  bool
	Checked   consents.Checked
}

type publishedAudience struct {
	Key     string
	Letters []publishedLetter
}

type publishedLetter struct {
	consents.Letter
	By       string
	Answered int
	Altered  bool // meaningful where the page is Verified
}

// published is what supervisors and officers see as the letters; with "verify" in its address it compares them with what was
// published.
func (s *Server) published(v *visit) error {
	p := publishedPage{base: v.page("published.title"), Verified: v.Query("verify") != ""}
	p.Here = "letters"
	versions, err := s.Consents.Versions(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	if p.Verified {
		if p.Checked, err = s.Consents.VerifyStudy(v.ctx(), v.study.ID); err != nil {
			return err
		}
	}
	answered, err := s.Consents.Answered(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	var by []id.Account
	for _, l := range versions {
		by = append(by, l.PublishedBy)
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, by, nil)
	if err != nil {
		return err
	}
	for _, l := range versions {
		if n := len(p.Audiences); n == 0 || p.Audiences[n-1].Key != l.Audience {
			p.Audiences = append(p.Audiences, publishedAudience{Key: l.Audience})
		}
		last := &p.Audiences[len(p.Audiences)-1]
		last.Letters = append(last.Letters, publishedLetter{l, names.accounts[l.PublishedBy], answered[l.ID], !p.Checked.Letter(l.ID)})
	}
	return v.show("staff/published", p)
}
