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
		draft := consents.Draft{Audience: audience, Language: language, Basis: basis, Title: title, Body: body}
		if gaps := draft.Gaps(consents.Setting{MinimumAge: 18, Signature: "typed"}); title == "" || len(gaps) > 0 {
			t.Errorf("title %q, gaps %q", title, gaps)
		}
		letter, err := consents.Preview("study", basis, draft, fields())
		if err != nil {
			t.Fatal(err)
		}
		body = letter.Body
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
			consent, public := shown(t, audience, language, consents.Consent, fields()), shown(t, audience, language, consents.PublicInterest, fields())
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
		for _, basis := range []string{consents.PublicInterest, consents.Consent} {
			found := errs.FieldsOf(publish(basis, allLanguages()))
			for _, want := range []string{"body letter_basis", "purpose letter_gap", "recording letter_gap"} {
				name, code, _ := strings.Cut(want, " ")
				has := slices.ContainsFunc(found, func(f errs.Field) bool { return f.Name == name && f.Code == code && f.Args["Language"] == "nb" })
				if has != (basis == consents.PublicInterest || code == "letter_gap") {
					t.Errorf("%s: refused with %v, which has %q: %v", basis, found, want, has)
				}
			}
		}
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
		if got, want := drafts["nn"].Gaps(consents.Setting{}), consents.Needed(consents.Company, consents.Setting{}); len(got) != len(want)-2 {
			t.Errorf("gaps %q, want all of %q but what the short lines tell", got, want)
		}
		if kind := errs.KindOf(consents.ErrUnknown); kind != errs.NotFound {
			t.Errorf("kind %v", kind)
		}
	})
}

// shown is the starter as it would be published.
func shown(t *testing.T, audience, language, basis string, f consents.Fields) string {
	t.Helper()
	title, body, _ := consents.Starter(audience, language, basis)
	letter, err := consents.Preview("study", basis, consents.Draft{Audience: audience, Language: language, Basis: basis, Title: title, Body: body}, f)
	if err != nil {
		t.Fatal(err)
	}
	return letter.Title + fmt.Sprint(letter.Brief) + letter.Body + fmt.Sprint(letter.Items)
}

// settings is every combination of what a study can choose and a letter tells.
func settings() (all []consents.Setting) {
	for _, unrecorded := range []bool{false, true} {
		for _, special := range []bool{false, true} {
			for _, age := range []int{0, 16} {
				for _, signature := range []string{"", "typed", "drawn"} {
					for _, leaving := range []string{"delete", "anonymise"} {
						for _, end := range []string{"delete", "anonymise"} {
							for _, proof := range []string{"", "12 måneder"} {
								all = append(all, consents.Setting{Unrecorded: unrecorded, Special: special, MinimumAge: age, Signature: signature,
									OnWithdrawal: leaving, AtEnd: end, Proof: proof})
							}
						}
					}
				}
			}
		}
	}
	return all
}

// Whatever a study has chosen, its starter tells everything, and leaves no field, mark or double space.
func TestStartersTellEverythingWhateverTheStudyChose(t *testing.T) {
	eachStarter(t, func(t *testing.T, audience, language, basis string) {
		for _, setting := range settings() {
			f := fields()
			f.AgeReason, f.Setting = "Grunnen.", setting
			words, err := f.Words(audience, language, basis)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range consents.Needed(audience, setting) {
				if strings.TrimSpace(words[name]) == "" {
					t.Errorf("%+v: nothing is said of %s", setting, name)
				}
			}
			text := shown(t, audience, language, basis, f)
			for _, bad := range []string{"{{", "}}", "  ", "\n\n\n", "\n["} {
				if strings.Contains(text, bad) {
					t.Fatalf("%+v: %q in the letter:\n%s", setting, bad, text)
				}
			}
		}
	})
}

// What the system does is what the letter says.
func TestStartersFollowTheSetting(t *testing.T) {
	for _, test := range []struct {
		name    string
		setting func(*consents.Setting)
		says    map[string]string // by language, and only where it is chosen
	}{
		{"no recording", func(s *consents.Setting) { s.Unrecorded = true }, map[string]string{"nb": "Vi tar ikke opptak", "nn": "Vi tek ikkje opptak", "en": "do not record"}},
		{"special", func(s *consents.Setting) { s.Special = true }, map[string]string{"nb": "artikkel 9", "nn": "artikkel 9", "en": "Article 9"}},
		{"age", func(s *consents.Setting) { s.MinimumAge = 18 }, map[string]string{"nb": "fylt 18 år", "nn": "fylt 18 år", "en": "at least 18 years"}},
		{"typed", func(s *consents.Setting) { s.Signature = "typed" }, map[string]string{"nb": "skriver navnet ditt", "nn": "skriv namnet ditt", "en": "write your name"}},
		{"drawn", func(s *consents.Setting) { s.Signature = "drawn" }, map[string]string{"nb": "tegner underskriften", "nn": "teiknar underskrifta", "en": "draw your signature"}},
		{"leaver anonymised", func(s *consents.Setting) { s.OnWithdrawal = "anonymise" }, map[string]string{"nb": "beholder vi uten noe", "nn": "tek vi vare på utan noko", "en": "without anything that could lead"}},
		{"end anonymised", func(s *consents.Setting) { s.AtEnd = "anonymise" }, map[string]string{"nb": "Da sletter vi navn", "nn": "Då slettar vi namn", "en": "then delete names"}},
		{"proof", func(s *consents.Setting) { s.Proof = "tolv månader" }, map[string]string{"nb": "i tolv månader etter", "nn": "i tolv månader etter", "en": "for tolv månader after"}},
	} {
		for language, words := range test.says {
			f := fields()
			without := shown(t, consents.Company, language, consents.Consent, f)
			test.setting(&f.Setting)
			if with := shown(t, consents.Company, language, consents.Consent, f); !strings.Contains(with, words) || strings.Contains(without, words) {
				t.Errorf("%s in %s: %q is said %v, and without %v", test.name, language, words, strings.Contains(with, words), strings.Contains(without, words))
			}
		}
	}
	f := fields()
	f.Setting.Unrecorded = true
	for _, item := range mustPreview(t, f).Items {
		if item.Purpose == consents.Recording {
			t.Error("a study that records nothing asks whether it may")
		}
	}
}

func mustPreview(t *testing.T, f consents.Fields) consents.Letter {
	t.Helper()
	title, body, _ := consents.Starter(consents.Company, "nb", consents.Consent)
	letter, err := consents.Preview("study", consents.Consent, consents.Draft{Audience: consents.Company, Language: "nb", Basis: consents.Consent, Title: title, Body: body}, f)
	if err != nil {
		t.Fatal(err)
	}
	return letter
}

func TestOwnWordsTakeThePlaceOfOurs(t *testing.T) {
	f := fields()
	f.Own = map[string]string{"uses": "Vi *lager* en film.", "withdrawal": "Du kan ikke trekke deg.", "rights": "Ingen."}
	text := mustPreview(t, f).Body
	if !strings.Contains(text, `Vi \*lager\* en film.`) || strings.Contains(text, "gir dem ikke videre") {
		t.Errorf("the team's words are not there, or ours still are:\n%s", text)
	}
	if strings.Contains(text, "Du kan ikke trekke deg") || strings.Contains(text, "Ingen.") {
		t.Error("what the law and the system do was worded anew")
	}
}

func TestDraftsLoseTheirHTML(t *testing.T) {
	for _, test := range []struct{ body, want, removed string }{
		{"Hei <b>du</b> & <br/> co", "Hei du &  co", "<b> <br>"},
		{"En\n\n<div class=x>\nTekst\n</div>\n\nTo", "En\n\n\nTekst\n\n\nTo", "<div>"},
		{"A<script>alert(1)</script>B", "AB", "<script>"},
		{"<scr<b>ipt>alert(1)</scr</b>ipt>", "alert(1)", "<b> <script>"},
		{"<img src=x onerror=alert(1)>\n\nx", "\n\nx", "<img>"},
		{"a <!-- skjult --> b", "a  b", "<!-- -->"},
		{"Skriv `<b>` slik, og 3 < 4 > 2", "Skriv `<b>` slik, og 3 < 4 > 2", ""},
		{"[her](javascript:alert(1)) og [der](https://example.org)", "her) og [der](https://example.org)", "javascript:"},
		{"![bilde](data:text/html,x)", "bilde", "data:"},
		{"[x]\n\n[x]: vbscript:y\n", "[x]\n\n\n", "vbscript:"},
		{"<javascript:x> og <post@example.org>", " og <post@example.org>", "javascript:"},
		{"<style>p{}</style>\n\nx", "\n\nx", "<style>"},
	} {
		got, removed := consents.Strip(test.body)
		if got != test.want || strings.Join(removed, " ") != test.removed {
			t.Errorf("%q became %q without %q, want %q without %q", test.body, got, removed, test.want, test.removed)
		}
	}
}

func TestSavedDraftSaysWhatItLost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		d := consents.Draft{Audience: consents.Company, Language: "nb", Basis: consents.Consent, Title: "Hei",
			Body: "Om <i>{{title}}</i>\n\n<script>alert(1)</script>", Told: []string{"uses", "no_field"}}
		if err := w.SaveDraft(t.Context(), staff, w.study, d); err != nil {
			t.Fatal(err)
		}
		drafts, err := w.Drafts(t.Context(), w.study, consents.Company, consents.Consent)
		if err != nil {
			t.Fatal(err)
		}
		got := drafts["nb"]
		if strings.Contains(got.Body, "<") || fmt.Sprint(got.Removed) != "[<i> <script>]" || fmt.Sprint(got.Told) != "[uses]" {
			t.Errorf("kept %q, removed %q, told %q", got.Body, got.Removed, got.Told)
		}
		if slices.Contains(got.Gaps(consents.Setting{}), "uses") || !slices.Contains(got.Gaps(consents.Setting{}), "access") {
			t.Errorf("gaps %q", got.Gaps(consents.Setting{}))
		}
		d.Body = "<script>alert(1)</script>"
		wantFields(t, w.SaveDraft(t.Context(), staff, w.study, d), "body letter_html")
	})
}
