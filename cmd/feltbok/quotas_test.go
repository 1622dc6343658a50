package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

const (
	goalForm = `form[action$="/quotas"]`
	kindForm = `form[action$="/kinds"]`
)

func TestSampleTakesRangesAndKindsOfItsOwn(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newField(s)
		s.must(s.Recruitment.SetAttributes(t.Context(), f.actor, f.study, []recruitment.Attribute{{Name: "Bransje", Values: []string{"Energi", "Helse"}}}))
		attributes, err := s.Recruitment.Attributes(t.Context(), f.study)
		s.must(err)
		business := "attribute_" + attributes[0].Key
		f.open(f.path + "/sample")
		s.refused(f.Browser, f.Form(kindForm).Set("kind_name", strings.Repeat("x", 41)), 422, "relation", "kind_name")
		s.kept(f.Browser, kindForm, "kind_name", strings.Repeat("x", 41))
		s.must(f.Form(kindForm).Set("kind_name", "").Set("size", "micro").Set(business, "Energi").Submit())
		s.refused(f.Browser, f.Form(kindForm).Set("size", "micro").Set(business, "Energi"), 422, "relation")
		s.kept(f.Browser, kindForm, "size", "micro", business, "Energi")

		profiles, err := s.Recruitment.Profiles(t.Context(), f.study)
		s.must(err)
		own := "kind_" + string(profiles[4].Kind)
		f.open(f.path + "/sample?case=" + string(f.cases["A"]))
		s.refused(f.Browser, f.Form(goalForm).Set("sme", "3–1").Set(own, "mange").Set("any", "2-"), 422, "sme", own)
		s.kept(f.Browser, goalForm, "sme", "3–1", own, "mange", "any", "2-")
		if got := f.Text(".errors"); !strings.Contains(got, "Mikrobedrift, bransje: Energi: skriv det som") {
			t.Errorf("the summary does not name the goal: %s", got)
		}
		s.must(f.Form(goalForm).Set("sme", "1-3").Set(own, "2").Set("administration", "0").Submit())
		f.open(f.path + "/sample?case=" + string(f.cases["A"]))
		s.kept(f.Browser, goalForm, "administration", "0", "sme", "1–3", "large", "0", "any", "2–", own, "2")
		if got, want := f.Text("tbody tr"), "A Klynge A–1–3–2–25–Endre mål A"; !strings.HasPrefix(got, want) {
			t.Errorf("row %q, want %q", got, want)
		}

		f.enrol("A1", recruitment.Member, recruitment.Micro, "Leder")
		s.must(s.Recruitment.Edit(t.Context(), f.actor, f.study, f.people["A1"], recruitment.Details{Code: "A1", Case: f.cases["A"], Audience: "company",
			Relation: recruitment.Member, Size: recruitment.Micro, Source: recruitment.Website, Attributes: map[string]string{attributes[0].Key: "Energi"}}))
		s.must(s.Recruitment.SetState(t.Context(), f.actor, f.study, f.people["A1"], recruitment.Contacted, false))
		f.open(f.path)
		if got, want := f.Text("table.quota"), "Mikrobedrift, bransje: Energi"; !strings.Contains(got, want) || !strings.Contains(got, "A1") || strings.Contains(got, "Administrasjon") {
			t.Errorf("home shows %q", got)
		}

		f.open(f.path + "/sample")
		s.must(f.Follow("Fjern Mikrobedrift, bransje: Energi"))
		if got := f.Text("main"); !strings.Contains(got, "Case A: 2. Én teller her nå.") {
			t.Errorf("what goes: %q", got)
		}
		f.refused(f.send("main form"), 422, []string{"choice"})
		s.must(f.send("main form", "choice", "keep"))
		s.must(f.Follow("Fjern Mikrobedrift, bransje: Energi"))
		form := f.Form("main form").Set("choice", "remove")
		s.must(form.Submit())
		s.must(form.Submit()) // a second click
		if f.Address() != f.path+"/sample" || f.Has(`a[href*="/kinds/"]`) {
			t.Errorf("at %s; the goal is still there: %v", f.Address(), f.Has(`a[href*="/kinds/"]`))
		}
		for _, lang := range []string{"nn", "en", "nb"} {
			for _, page := range []string{"/sample", "/quotas"} {
				f.open(f.path + page + "?lang=" + lang)
				if keys := untranslatedQuotas(f.Text("body")); keys != "" {
					t.Errorf("%s in %s has no text for %s", page, lang, keys)
				}
			}
		}
	})
}

func untranslatedQuotas(text string) string {
	for _, word := range strings.Fields(text) {
		for _, area := range []string{"quotas.", "sample.", "kind.", "recruit.", "home."} {
			if strings.HasPrefix(word, area) {
				return word
			}
		}
	}
	return ""
}

// Asking for a full cell asks first, in each form that can ask: refused with everything typed, then done with a choice that
// has no default.
func TestAskingForAFullCellIsAChoice(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 4, 0, noMark)
	actor := audit.Staff(c.owner)
	s.must(s.Recruitment.SetQuota(t.Context(), actor, c.study.ID, c.study.Cases[0].ID, recruitment.QuotaSME, 1))
	s.must(s.Recruitment.SetState(t.Context(), actor, c.study.ID, c.persons[0], recruitment.Contacted, false))
	b := c.staff(c.owner)
	for i, tc := range []struct {
		form   string
		fields []string
		want   recruitment.State
	}{
		{"/contact", []string{"channel", "phone", "direction", "out", "outcome", "interested", "next_on", "15.4.2030 12:00"}, recruitment.Interested},
		{"/letter", nil, recruitment.Informed},
		{"/state", []string{"state", "contacted"}, recruitment.Contacted},
	} {
		person := c.persons[i+1]
		page := "/studies/" + string(c.study.ID) + "/people/" + string(person)
		selector := `form[action="` + page + tc.form + `"]`
		s.must(b.Get(page))
		if !strings.Contains(b.Text("main"), "Målene for dette caset er nådd.") || b.Has("#f-anyway") {
			t.Errorf("%s: the page says %q", tc.form, b.Text("main"))
		}
		form := b.Form(selector)
		for k := 0; k+1 < len(tc.fields); k += 2 {
			form.Set(tc.fields[k], tc.fields[k+1])
		}
		s.refused(b, form, http.StatusConflict, "anyway")
		if got, want := b.Text(".errors"), "Målene for SMB i case A er nådd. Spør likevel?"; !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", tc.form, got, want)
		}
		if b.Page.Find("#f-anyway").Length() != 1 || !b.Has(selector+" #f-anyway") || b.Has("#f-anyway[checked]") {
			t.Errorf("%s: the choice is not in the form that was handed in, or made already", tc.form)
		}
		s.kept(b, selector, tc.fields...)
		state := func() recruitment.State {
			p, err := s.Recruitment.Get(t.Context(), c.study.ID, person)
			s.must(err)
			return p.State
		}
		if got := state(); got != recruitment.Candidate {
			t.Errorf("%s: refused, and %s", tc.form, got)
		}
		if err := b.Form(selector).Submit(); err == nil || b.Status != http.StatusConflict {
			t.Errorf("%s: again without the choice: %d, want 409", tc.form, b.Status)
		}
		s.must(b.Form(selector).Check("anyway", "yes").Submit())
		if got := state(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.form, got, tc.want)
		}
	}
}

// Of 20 letters sent at once for the last place, one goes out.
func TestLettersForTheLastPlace(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 20, 0, func(i int) string { return fmt.Sprint("p", i) })
		s.must(s.Recruitment.SetQuota(t.Context(), audit.Staff(c.owner), c.study.ID, c.study.Cases[0].ID, recruitment.QuotaSME, 1))
		var sending sync.WaitGroup
		var sent atomic.Int32
		start := make(chan struct{})
		for _, person := range c.persons {
			sending.Go(func() {
				<-start
				switch err := c.people.SendLetter(t.Context(), audit.Staff(c.owner), c.study.ID, person, false); {
				case err == nil:
					sent.Add(1)
				case !errors.Is(err, recruitment.ErrFull):
					t.Error(err)
				}
			})
		}
		close(start)
		sending.Wait()
		waiting, err := s.Outbox.Counts(t.Context(), c.study.ID)
		s.must(err)
		mails := 0
		for _, n := range waiting {
			mails += n
		}
		if sent.Load() != 1 || mails != 1 {
			t.Errorf("%d letters sent, %d mails; want one", sent.Load(), mails)
		}
	})
}

func TestGoalsAndFunnelShowNobody(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	f.open(f.path + "/quotas")
	if got := f.Text("main"); !strings.Contains(got, "Ingen mål ennå.") || !strings.Contains(got, "Ingen er spurt ennå.") {
		t.Errorf("an empty study says %q", got)
	}
	s.must(s.Recruitment.SetQuotas(t.Context(), f.actor, f.study, f.cases["A"], map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {Least: 2, Most: 3}, recruitment.QuotaAdministration: {Least: 1}}))
	for code, state := range map[string]recruitment.State{"A1": recruitment.Contacted, "A2": "", "A3": "", "A4": recruitment.NoAnswer, "B1": recruitment.Interested, "X1": recruitment.Contacted} {
		f.enrol(code, recruitment.Member, recruitment.Small, "Leder")
		if state != "" {
			s.must(s.Recruitment.SetState(t.Context(), f.actor, f.study, f.people[code], state, false))
		}
	}
	f.enrol("A5", recruitment.Board, "", "Leder")
	s.must(s.Recruitment.SetState(t.Context(), f.actor, f.study, f.people["A5"], recruitment.Contacted, true))
	s.must(s.Recruitment.SetState(t.Context(), f.actor, f.study, f.people["B1"], recruitment.Contacted, true))
	s.must(s.People.Withdraw(t.Context(), f.actor, f.study, f.people["B1"]))
	for _, role := range []studies.Role{"", studies.Supervisor, studies.Officer} {
		b := f.Browser
		if role != "" {
			b = f.as(f.member(string(role)+"@example.org", role))
		}
		s.must(b.Get(f.path + "/quotas"))
		cells := b.Text(`[aria-labelledby="cells"] tbody`)
		want := "A Administrasjon1–0000" + "1" + "0" + "A SMB231000" + "1" + "2 kandidater som ikke er spurt, SMB i case A" + "A Utenom––1000––"
		if strings.Join(strings.Fields(cells), "") != strings.Join(strings.Fields(want), "") {
			t.Errorf("%s reads %q, want %q", role, cells, want)
		}
		funnel := b.Text(`[aria-labelledby="funnel"] tbody`)
		want = "A, Klynge A2 2 0 0 0 0" + "Slettet0 1 0 0 0 1" + "I alt2 3 0 0 0 1" + "X, Klynge X, forstudie0 1 0 0 0 0"
		if strings.Join(strings.Fields(funnel), "") != strings.Join(strings.Fields(want), "") {
			t.Errorf("%s reads %q, want %q", role, funnel, want)
		}
		if strings.Contains(b.Text("main"), "A5") || b.Has(`main a[href*="/people/"]`) {
			t.Errorf("%s reads who somebody is", role)
		}
		if got := b.Page.Find(`a[href*="state=not_asked"]`).AttrOr("href", ""); got != f.path+"/candidates?case=A&relation=member&size=SMB&state=not_asked" {
			t.Errorf("the list is at %q", got)
		}
		if (role == "") != b.Has(`a[href$="/sample#goals"]`) {
			t.Errorf("%s may change the goals: %v", role, b.Has(`a[href$="/sample#goals"]`))
		}
	}
}
