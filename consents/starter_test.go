package consents_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
)

func eachStarter(t *testing.T, fn func(t *testing.T, audience, language, basis string)) {
	for _, audience := range []string{consents.Company, consents.Administration, consents.Respondent} {
		for _, basis := range []string{consents.Consent, consents.PublicInterest} {
			for _, language := range consents.Languages {
				t.Run(audience+" "+basis+" "+language, func(t *testing.T) { fn(t, audience, language, basis) })
			}
		}
	}
}

func TestStartersAreComplete(t *testing.T) {
	eachStarter(t, func(t *testing.T, audience, language, basis string) {
		title, body, items := consents.Starter(audience, language, basis)
		if title == "" || len(consents.Missing(body)) > 0 {
			t.Errorf("title %q, missing %q", title, consents.Missing(body))
		}
		article := map[string]string{"nb": "(artikkel %d)", "nn": "(artikkel %d)", "en": "(Article %d)"}[language]
		for _, number := range []int{15, 16, 17, 18, 20, 21, 77} {
			if !strings.Contains(body, fmt.Sprintf(article, number)) {
				t.Errorf("article %d is not named", number)
			}
		}
		if got := strings.Count(body, "## "); got != 10 {
			t.Errorf("%d headings, want 10", got)
		}
		for line := range strings.Lines(body) {
			if strings.HasPrefix(line, "[") || strings.HasPrefix(line, " ") {
				t.Errorf("line %q kept its mark", line)
			}
		}
		want := consents.Purposes[:6]
		if audience == consents.Respondent {
			want = consents.Purposes[6:]
		}
		var got []string
		for _, item := range items {
			got = append(got, item.Purpose)
			if item.Text == "" || item.Hint == "" || item.Required != (item.Purpose == want[0]) {
				t.Errorf("item %+v", item)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("items %q, want %q", got, want)
		}
	})
}

// The legal basis decides which rights are offered: data portability rests on consent (GDPR article 20(1)(a)).
func TestStartersFollowTheLegalBasis(t *testing.T) {
	for language, want := range map[string]string{"nb": "fordi du samtykker", "nn": "fordi du samtykkjer", "en": "because you consent"} {
		for _, audience := range []string{consents.Company, consents.Administration, consents.Respondent} {
			_, consent, _ := consents.Starter(audience, language, consents.Consent)
			_, public, _ := consents.Starter(audience, language, consents.PublicInterest)
			if !strings.Contains(consent, want) || strings.Contains(public, want) {
				t.Errorf("%s %s: %q belongs to consent alone", audience, language, want)
			}
		}
	}
}

func TestStarterOfNothingKnownIsEmpty(t *testing.T) {
	for _, at := range [][3]string{{"press", "nb", "consent"}, {"company", "sv", "consent"}, {"company", "nb", "contract"}, {"../company", "nb", "consent"}} {
		if title, body, items := consents.Starter(at[0], at[1], at[2]); title+body != "" || items != nil {
			t.Errorf("%q has a starter", at)
		}
	}
}

func TestStartersPublish(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, audience := range []string{consents.Company, consents.Administration, consents.Respondent} {
			for _, basis := range []string{consents.Consent, consents.PublicInterest} {
				letters, err := w.Publish(t.Context(), researcher, w.study, audience, basis, allLanguages())
				if err != nil || len(letters) != 3 {
					t.Fatalf("%s: %d letters, %v", audience, len(letters), err)
				}
				for _, l := range letters {
					all := l.Title + fmt.Sprint(l.Brief, l.Items) + l.Body
					if len(l.Brief) != 6 || strings.Contains(all, "{{") || strings.Contains(all, "}}") || strings.Contains(all, "  ") {
						t.Errorf("%s %s: %d facts, or braces or double spaces left", audience, l.Language, len(l.Brief))
					}
					html := string(consents.HTML(l.Body))
					for _, want := range []string{"<h2>", "<li>Hva hindrer?</li>", `href="mailto:prosjekt@example.org"`, "<br>"} {
						if !strings.Contains(html, want) {
							t.Errorf("%s %s: no %s in the page", audience, l.Language, want)
						}
					}
				}
			}
		}
	})
}

func TestHTMLIsHarmless(t *testing.T) {
	hostile := []string{
		"<script>alert(1)</script>", "[x](javascript:alert(1))", "[x](data:text/html,y)", "![x](https://example.org/x.png)",
		"<img src=x onerror=alert(1)>", `<a href="vbscript:x" onclick="y">z</a>`, `<p style="color:red">x</p>`, "<iframe src=x></iframe>",
		"[x]: javascript:alert(1)\n\n[x]", "<javascript:alert(1)>", "[x](ftp://example.org)", `<svg onload=alert(1)>`,
	}
	for _, text := range hostile {
		html := string(consents.HTML(text))
		for _, bad := range []string{"<script", "<img", "<iframe", "<svg", "style=", "onclick", "onerror", "href=\"javascript", "href=\"data", "href=\"vb", "href=\"ftp"} {
			if strings.Contains(html, bad) {
				t.Errorf("HTML(%q) = %q holds %s", text, html, bad)
			}
		}
	}
	if got := string(consents.HTML("[x](https://example.org/)")); !strings.Contains(got, "noreferrer") {
		t.Errorf("a link without noreferrer: %s", got)
	}
}

func TestFieldsAreNoMarkdown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := fields()
		f.Title, f.Purpose = "A*B* & {{officer}}", "Se [her](https://example.org) <b>nå</b>"
		letters, err := w.Publish(t.Context(), researcher, w.study, consents.Company, consents.Consent, map[string]consents.Fields{"nb": f})
		if err != nil {
			t.Fatal(err)
		}
		html := string(consents.HTML(letters[0].Body))
		for _, want := range []string{"A*B* &amp; {{officer}}", "Se [her](", "&lt;b&gt;nå&lt;/b&gt;"} {
			if !strings.Contains(html, want) {
				t.Errorf("no %q in %.400s", want, html)
			}
		}
		if got := letters[0].Brief[1].Text; got != f.Title {
			t.Errorf("short line %q, want the title as it is", got)
		}
	})
}

func TestPublishRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		f := fields()
		f.Assessment, f.OfficerContact, f.Questions = " ", "", nil
		publish := func(basis string, fields map[string]consents.Fields) error {
			_, err := w.Publish(ctx, researcher, w.study, consents.Company, basis, fields)
			return err
		}
		wantFields(t, publish(consents.Consent, map[string]consents.Fields{"nb": f}),
			"assessment letter_empty", "officer_contact letter_empty", "questions letter_empty")
		wantFields(t, publish(consents.Consent, nil), "languages required")
		wantErr(t, publish("contract", allLanguages()), consents.ErrUnknown)

		draft := consents.Draft{Audience: consents.Company, Language: "nb", Basis: consents.Consent, Title: "Hei", Body: "Kort {{title}}"}
		if err := w.SaveDraft(ctx, staff, w.study, draft); err != nil {
			t.Fatal(err)
		}
		wantFields(t, publish(consents.PublicInterest, allLanguages()), "body letter_basis")
		if letters, err := w.Versions(ctx, w.study); err != nil || len(letters) > 0 {
			t.Errorf("%d letters after refusals, %v", len(letters), err)
		}
	})
}

func TestSaveDraftChecks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		d := consents.Draft{Audience: consents.Company, Language: "nn", Basis: consents.Consent, Title: "Hei {{name}}", Body: "{{ title }} {{purpose"}
		wantFields(t, w.SaveDraft(ctx, staff, w.study, d), "title letter_field", "body letter_field")
		d.Title, d.Body = strings.Repeat("å", 201), " "
		wantFields(t, w.SaveDraft(ctx, staff, w.study, d), "title too_long", "body required")
		d.Language = "sv"
		wantErr(t, w.SaveDraft(ctx, staff, w.study, d), consents.ErrUnknown)

		d.Language, d.Title, d.Body = "nn", "Hei", "Om {{ title }}\r\nog meir"
		for range 2 {
			if err := w.SaveDraft(ctx, staff, w.study, d); err != nil {
				t.Fatal(err)
			}
		}
		drafts, err := w.Drafts(ctx, w.study, consents.Company, consents.Consent)
		if err != nil || len(drafts) != 3 {
			t.Fatalf("%d drafts, %v", len(drafts), err)
		}
		if got := drafts["nn"]; got.Body != "Om {{ title }}\nog meir" || got.SavedAt != noon.UnixMilli() {
			t.Errorf("draft %+v", got)
		}
		if drafts["nb"].SavedAt != 0 || drafts["nb"].Body == "" {
			t.Error("bokmål is not the starter")
		}
		other, err := w.Drafts(ctx, "other", consents.Company, consents.Consent)
		if err != nil || other["nn"].SavedAt != 0 {
			t.Errorf("another study sees the draft, %v", err)
		}
		if got := consents.Missing(drafts["nn"].Body); len(got) != 6 {
			t.Errorf("missing %q, want all six", got)
		}
		if kind := errs.KindOf(consents.ErrUnknown); kind != errs.NotFound {
			t.Errorf("kind %v", kind)
		}
	})
}
