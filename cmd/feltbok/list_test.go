package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

// A list of more than a page: on and back, sorted by its headings, narrowed, kept as a view and forgotten again; the log
// leads back to where one was.
func TestCandidateList(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 0, 0, noMark)
		s.must(s.stores[database.Study].Tx(t.Context(), func(tx *database.Tx) error {
			for i := range 60 {
				if err := s.Recruitment.InsertTx(t.Context(), tx, recruitment.Participant{ID: id.New[id.Person](), Study: c.study.ID, Code: fmt.Sprint("A", i+1),
					Case: c.study.Cases[0].ID, Audience: "company", Relation: recruitment.Member, Title: []string{"Økonomisjef", "Prosjektleder"}[i%2],
					Source: recruitment.MemberList}); err != nil {
					return err
				}
			}
			return nil
		}))
		b, list := c.staff(c.owner), "/studies/"+string(c.study.ID)+"/candidates"
		first := func(want string) {
			t.Helper()
			if got := b.Page.Find("tbody .code").First().Text(); got != want {
				t.Errorf("%s begins with %q, want %q", b.Address(), got, want)
			}
		}
		s.must(b.Get(list))
		first("A1")
		if n := b.Page.Find(`tbody input[name="person"]`).Length(); n != 50 || !strings.Contains(b.Text("caption"), "60 kandidater 0 spurt, 60 ikke spurt") {
			t.Errorf("%d rows, %q", n, b.Text("caption"))
		}
		s.must(b.Follow("Neste 50"))
		first("A51")
		s.must(b.Follow("Forrige"))
		first("A1")
		s.must(b.Follow("sort=-code"))
		first("A60")
		if b.Page.Find(`th[aria-sort="descending"]`).Text() != "Kode" {
			t.Error("the heading does not say how the list is sorted")
		}
		s.must(b.Get(list + "?sort=-code&q=%C3%98KO"))
		first("A59")
		s.must(b.Form(`form[action$="/views"]`).Set("name", "Økonomer").Submit())
		first("A59")
		if !b.Has(`a[aria-current="page"][href*="sort=-code"]`) || !strings.Contains(b.Text("main"), "Visningen er lagret") {
			t.Errorf("the view is not there: %s", b.Text("main"))
		}
		s.must(b.Get(list + "?sort=next"))
		if err := b.Form(`form[action$="/views"]`).Set("name", "Økonomer").Submit(); err == nil || !strings.Contains(b.Text(".errors"), "dette navnet") || !b.Has("#f-name") {
			t.Errorf("the same name again: %d %s", b.Status, b.Text(".errors"))
		}
		s.must(b.Get(list))
		s.must(b.Follow("Økonomer"))
		first("A59")
		s.must(b.Form(`form[action$="/remove"]`).Submit())
		if b.Has(`a[href*="sort=-code&"]`) || !strings.Contains(b.Text("main"), "Visningen er fjernet") {
			t.Errorf("the view stayed: %s", b.Text("main"))
		}
		s.must(b.Get(list + "?q=prosjekt&after=0.A20&log=" + b.Page.Find(`tbody input[name="person"]`).First().AttrOr("value", "")))
		first("A22")
		s.must(b.Form(`form[action$="/contact"]`).Set("channel", "phone").Set("direction", "out").Set("outcome", "no_answer").Submit())
		first("A22")
	})
}

func TestHostileListAddresses(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		b, list := c.staff(c.owner), "/studies/"+string(c.study.ID)+"/candidates?"
		for _, name := range []string{"q", "case", "size", "state", "audience", "relation", "source", "recruiter", "sort", "after", "before", "attribute_x"} {
			for _, value := range []string{"x", strings.Repeat("å", 10_000), "a\x00b", "\xff", "' or 1=1 --", "../../x?y=z#"} {
				if err := b.Get(list + url.Values{name: {value}}.Encode()); err != nil || internals.MatchString(string(b.Body)) {
					t.Errorf("%s=%.20q: %d %.200s", name, value, b.Status, b.Text("main"))
				}
			}
		}
		// What is saved as a view leads to the list and nowhere else.
		s.must(b.Get(list + "sort=next"))
		form := b.Form(`form[action$="/views"]`).Set("name", "Ut").Values()
		form.Set("list", "https://example.com/?case=A&q=//example.com")
		s.must(b.Post("/studies/"+string(c.study.ID)+"/views", form))
		if href := b.Page.Find(`nav a[href*="q=%2F%2Fexample.com"]`).AttrOr("href", ""); !strings.HasPrefix(href, list) {
			t.Errorf("the view leads to %q", href)
		}
	})
}

// A scheme and attributes of the study's own, from their page into the form, the list, the person's page and the filter.
func TestSizesAndAttributes(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		f := newPeopleStudy(t, s)
		page := f.path + "/attributes"
		s.must(f.owner.Get(page))
		f.refused(f.act(f.path+"/sizes", "scheme", "own", "micro", "20", "small", "10", "medium", ""), 422, "høyere enn grensen", "micro", "20")
		s.must(f.act(f.path+"/sizes", "scheme", "eu"))
		f.refused(f.act(page, "attributes", "Region"), 422, "mellom én og 50 verdier", "", "")
		s.must(f.act(page, "attributes", "Region: Vest, Øst\n\n Alder : Ny"))
		s.must(f.owner.Get(page))
		if got := f.owner.Text("textarea"); got != "Region: Vest, Øst Alder: Ny" || !f.owner.Has(`input[value="eu"][checked]`) {
			t.Errorf("kept %q", got)
		}
		own, err := s.Recruitment.Attributes(t.Context(), f.study.ID)
		s.must(err)
		region := "attribute_" + own[0].Key
		one := f.enrolled("employees", "200", region, "Øst")
		if !strings.Contains(f.owner.Text(".status"), "Øst") {
			t.Errorf("margin says %q", f.owner.Text(".status"))
		}
		s.must(f.owner.Get(one + "/edit"))
		s.must(f.act(one+"/edit", region, "Vest"))
		for address, want := range map[string]bool{"?" + region + "=Vest": true, "?" + region + "=%C3%98st": false, "?size=medium": true, "?size=STOR": false} {
			s.must(f.owner.Get(f.path + "/candidates" + address))
			if got := strings.Contains(f.owner.Text("tbody"), "Vest"); got != want {
				t.Errorf("%s finds them: %v, want %v", address, got, want)
			}
		}
		s.must(f.owner.Get(page))
		f.refused(f.act(page, "attributes", "Region: Øst"), 409, "Noen har en verdi", "", "")
		f.refused(f.candidate("recruiter", "Z99", "email", "b@example.org", "phone", "").Submit(), 422, "Ingen i studien har denne koden", "recruiter", "Z99")
		s.must(f.candidate("recruiter", "a1", "email", "b@example.org", "phone", "").Submit())
		if !strings.Contains(f.owner.Text("main"), "Tips fra A1") {
			t.Errorf("who led to them is not said: %s", f.owner.Text("main"))
		}
	})
}
