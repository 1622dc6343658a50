package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/tabular"
	"example.org/feltbok/recruitment"

	"github.com/xuri/excelize/v2"
)

// sheetsOf is a workbook with sheets of rows.
func sheetsOf(t *testing.T, sheets map[string][][]any, order ...string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, name := range order {
		if i == 0 {
			f.SetSheetName("Sheet1", name)
		} else if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for k, row := range sheets[name] {
			f.SetSheetRow(name, fmt.Sprintf("A%d", k+1), &row)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A researcher takes in a member list from a workbook: chooses the sheet, says what stands where, looks, takes in.
func TestImportingOnPages(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	s.must(s.Recruitment.SetAttributes(t.Context(), audit.Staff(c.owner), c.study.ID, []recruitment.Attribute{{Name: "Bransje", Values: []string{"Havbruk", "Energi"}}}))
	b := c.staff(c.owner)
	start := "/studies/" + string(c.study.ID) + "/import"
	data := sheetsOf(t, map[string][][]any{"Om": {{"Denne boken"}}, "Medlemmer": {
		{"Fornavn", "Etternavn", "E-post", "Mobil", "Antall ansatte", "Bransje"},
		{"Ny", "Oppdiktet", "ny@example.org", 22000041, 12, "havbruk"},
		{"Feil", "Oppdiktet", "feil@example.org", 22000042, 300, "skogbruk"},
		{"Kjent", "Oppdiktet", "pa@example.org", "", "", ""},
	}}, "Om", "Medlemmer")

	s.must(b.Get(start))
	s.must(b.Form("main form").Attach("file", "liste.xlsx", data).Submit())
	draft := b.Address()
	s.must(b.Form("form[method=get]").Set("sheet", "1").Submit())
	form := b.Form("main form[method=post]")
	for field, column := range map[string]string{"name": "0", "surname": "1", "email": "2", "phone": "3", "employees": "4"} {
		if got := form.Values().Get("column_" + field); got != column {
			t.Errorf("%s is guessed in column %q, want %q", field, got, column)
		}
	}
	// A column for two things, and nothing for what is needed: said at the fields, and the rest is kept.
	form.Set("column_organisation", "2").Submit()
	if b.Status != http.StatusUnprocessableEntity || !strings.HasPrefix(b.Text("title"), "Feil: ") {
		t.Errorf("status %d, title %q", b.Status, b.Text("title"))
	}
	for _, field := range []string{"organisation", "relation", "audience"} {
		if !b.Has("#f-column_"+field+"-error") || !b.Has(`.errors a[href="#f-column_`+field+`"]`) {
			t.Errorf("no error beside %s or in the summary", field)
		}
	}
	if b.Has("#f-column_email-error") || b.Form("main form[method=post]").Values().Get("column_surname") != "1" {
		t.Error("the mapping is not kept")
	}
	s.must(b.Form("main form[method=post]").Set("column_organisation", "").Set("all_relation", "member").Set("all_audience", "company").Submit())

	if got := b.Text("h1"); got != "Én ny kandidat" || b.Address() != draft {
		t.Errorf("%s says %q", b.Address(), got)
	}
	if first := b.Text("[aria-labelledby=first] tbody"); first != "Rad 2Ny Oppdiktetny@example.org22000041Liten bedriftHavbruk" {
		t.Errorf("first %q", first)
	}
	if lines := b.Text("[aria-labelledby=lines] tbody"); lines != "Rad 3Kan ikke tas innBransje: Ordet er ikke et av valgene i studien. "+
		"Rad 4Har samme e-post eller telefon som A1" {
		t.Errorf("lines %q", lines)
	}
	s.must(b.Get(draft + "/report"))
	if want := "\ufeffRad;Hva;Hvorfor\n2;Ny;\n3;Kan ikke tas inn;Bransje: Ordet er ikke et av valgene i studien.\n" +
		"4;Har samme e-post eller telefon som A1;\n"; string(b.Body) != want {
		t.Errorf("report %q, want %q", b.Body, want)
	}
	s.must(b.Get(draft))
	s.must(b.Form(`form[action$="/start"]`).Submit())
	s.people.works.Wait()
	s.must(b.Get(draft))
	if got := b.Text("h1"); got != "Én kandidat er tatt inn" || b.Header.Get("Refresh") != "" {
		t.Errorf("at the end %q", got)
	}
	got, err := s.Recruitment.ByCode(t.Context(), c.study.ID, "A2")
	if err != nil || got.Size != recruitment.Small || len(got.Attributes) != 1 {
		t.Errorf("taken in %+v, %v", got, err)
	}
	if b.Get(draft + "/report"); b.Status != http.StatusNotFound {
		t.Errorf("the report answers %d after the end", b.Status)
	}
	s.must(b.Get(start))
	if !strings.Contains(b.Text("[aria-labelledby=earlier]"), "Tatt inn31") {
		t.Errorf("earlier lists: %q", b.Text("[aria-labelledby=earlier]"))
	}
}

// While a list is being taken in the page says how far it has come, and looks again by itself, without a script.
func TestAnImportShowsItsProgress(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 0, 0, noMark)
	in, other := c.upload(memberList(1_200, "a"), ""), c.upload(memberList(3, "b"), "")
	c.begin(in)
	s.must(s.Imports.Advance(t.Context(), in.ID, 0, imports.Counts{Rows: 500, Taken: 500}))
	b := c.staff(c.owner)
	page := "/studies/" + string(c.study.ID) + "/imports/"
	s.must(b.Get(page + string(in.ID)))
	if b.Header.Get("Refresh") == "" || !b.Has(`progress[max="1200"][value="500"]`) || !strings.Contains(b.Text("label"), "500 av 1200") {
		t.Errorf("progress %q, Refresh %q", b.Text("main"), b.Header.Get("Refresh"))
	}
	if list, err := s.Recruitment.List(t.Context(), c.study.ID, recruitment.Filter{}); err != nil || len(list) != 0 {
		t.Errorf("%d are seen before the end, %v", len(list), err)
	}
	// Another list waits, and its button says so.
	s.must(b.Get(page + string(other.ID)))
	b.Form(`form[action$="/start"]`).Submit()
	if b.Status != http.StatusConflict || !strings.Contains(b.Text(".errors"), "En annen liste") {
		t.Errorf("status %d: %q", b.Status, b.Text(".errors"))
	}
	s.must(b.Form(`form[action$="/discard"]`).Submit())
	if b.Get(page + string(other.ID)); b.Status != http.StatusNotFound || !strings.Contains(b.Text("main"), "her ikke lenger") {
		t.Errorf("after discarding: %d %q", b.Status, b.Text("main"))
	}
}

// What is wrong with a file is said in words, at the field, and nothing of it stays.
func TestBadFilesAreRefusedInWords(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 0, 0, noMark)
	b := c.staff(c.owner)
	start := "/studies/" + string(c.study.ID) + "/import"
	for _, tc := range []struct {
		name   string
		data   []byte
		status int
		want   string
	}{
		{"empty", []byte{}, http.StatusUnprocessableEntity, "Filen er tom."},
		{"only empty rows", []byte(";;\n;;\n"), http.StatusUnprocessableEntity, "Filen er tom."},
		{"old Excel", append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 600)...), http.StatusUnprocessableEntity, ".xls"},
		{"picture", append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 600)...), http.StatusUnprocessableEntity, "kan vi ikke lese"},
		{"cut off", sheetsOf(t, map[string][][]any{"A": {{"Navn"}}}, "A")[:900], http.StatusUnprocessableEntity, "skadet"},
		{"mixed encodings", []byte("Navn\nÅse\n\xc5se\n"), http.StatusUnprocessableEntity, "tegnsett"},
		{"too many rows", []byte("Navn;x\n" + strings.Repeat("a;b\n", tabular.MostRows)), http.StatusRequestEntityTooLarge, "20 000"},
		{"too many columns", []byte(strings.Repeat("a;", 300)), http.StatusRequestEntityTooLarge, "256"},
		{"too long", make([]byte, tabular.MostBytes+1), http.StatusRequestEntityTooLarge, "10 MB"},
	} {
		s.must(b.Get(start))
		b.Form("main form").Attach("file", "liste", tc.data).Submit()
		if b.Status != tc.status || !strings.Contains(b.Text("#f-file-error"), tc.want) || !b.Has(`.errors a[href="#f-file"]`) {
			t.Errorf("%s: status %d, %q", tc.name, b.Status, b.Text("main"))
		}
	}
	if b.Form("main form").Submit(); !strings.Contains(b.Text("#f-file-error"), "Velg en fil") {
		t.Errorf("without a file: %q", b.Text("main"))
	}
	kept, err := s.Vault.Drafts(t.Context(), s.clock.now().AddDate(1, 0, 0))
	earlier, failed := s.Imports.Newest(t.Context(), c.study.ID, "", 10)
	if err != nil || failed != nil || len(kept) != 0 || len(earlier) != 0 {
		t.Errorf("%d lists and %d imports stay, %v, %v", len(kept), len(earlier), err, failed)
	}
	if err := c.whole(); err != nil {
		t.Error(err)
	}
	// A list with headings alone, or with nobody new, has no button.
	for _, list := range []string{"Navn;E-post\n", "Navn;E-post\n;a@example.org\n"} {
		in := c.upload(list, "")
		s.must(b.Get("/studies/" + string(c.study.ID) + "/imports/" + string(in.ID)))
		if b.Text("h1") != "Ingen nye i listen" || b.Has(`form[action$="/start"]`) {
			t.Errorf("%q: %q", list, b.Text("main"))
		}
	}
}

// The larger body is a property of the one route: no other takes it.
func TestOnlyAnUploadMayBeLong(t *testing.T) {
	s := newStage(t, nil)
	form := "multipart/form-data; boundary=x"
	body := "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n" + strings.Repeat("x", 2<<20) + "\r\n--x--\r\n"
	if w := s.post("/sign-in", form, body); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MiB to another address: %d", w.Code)
	}
	c := newCrowd(s, 0, 0, noMark)
	b := c.staff(c.owner)
	s.must(b.Get("/studies/" + string(c.study.ID) + "/import"))
	b.Form("main form").Attach("file", "liste", make([]byte, tabular.MostBytes+2<<20)).Submit()
	if b.Status != http.StatusRequestEntityTooLarge || internals.Match(b.Body) {
		t.Errorf("12 MiB to this one: %d", b.Status)
	}
}

// Promises 10 and 12: names from a list are nowhere but sealed in the vault: not in the study store, the log, the report or a
// temporary file, and after the end the list's own bytes are gone.
func TestAListLeavesNoNames(t *testing.T) {
	eachStageInTurn(t, func(t *testing.T, s *stage) {
		temporary := t.TempDir()
		t.Setenv("TMPDIR", temporary)
		log := listenToLog(t)
		c := newCrowd(s, 0, 0, noMark)
		b := c.staff(c.owner)
		start := "/studies/" + string(c.study.ID) + "/import"
		search := func(when string) {
			t.Helper()
			places := map[string]string{"study store": dump(t, s.stores[database.Study]), "study files": s.bytesOf(database.Study),
				"vault": dump(t, s.stores[database.Identity]), "vault files": s.bytesOf(database.Identity), "log": log.String()}
			for encoding, canary := range encodings("kanarifugl") {
				for place, text := range places {
					if strings.Contains(text, canary) {
						t.Errorf("%s: the %s holds a name in %s", when, place, encoding)
					}
				}
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
				t.Errorf("%s: temporary files %v, %v", when, left, err)
			}
		}
		s.must(b.Get(start))
		// Longer than an ordinary form, so that a temporary file would be made if there were any.
		list := strings.ReplaceAll(memberList(600, "kanarifugl"), "kanarifugl7@", "kanarifugl7;")
		list = strings.ReplaceAll(list, "\n", ";"+strings.Repeat("kanarifugl ", 300)+"\n")
		s.must(b.Form("main form").Attach("file", "kanarifugl.csv", []byte(list)).Submit())
		draft := b.Address()
		if !strings.Contains(b.Text("main"), "kanarifugl.csv") {
			t.Error("the page does not say which file: the canary is not where it should be")
		}
		search("uploaded")
		s.must(b.Form("main form[method=post]").Set("all_relation", "member").Set("all_audience", "company").Set("all_language", "nb").Submit())
		if !strings.Contains(b.Text("main"), "kanarifugl Nr 0") {
			t.Error("the review does not show the first")
		}
		s.must(b.Get(draft + "/report"))
		if strings.Contains(string(b.Body), "kanarifugl") || strings.Count(string(b.Body), "\n") != 601 {
			t.Errorf("report %.300s", b.Body)
		}
		search("reviewed")
		s.must(b.Get(draft))
		s.must(b.Form(`form[action$="/start"]`).Submit())
		s.people.works.Wait()
		search("taken in")
		for _, table := range []string{"draft", "draft_part"} {
			var n int
			s.must(s.stores[database.Identity].QueryRow(t.Context(), "select count(*) from "+table).Scan(&n))
			if n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		if known, err := s.Vault.Persons(t.Context()); err != nil || len(known) != 599 {
			t.Errorf("%d in the vault, %v, want all but one", len(known), err)
		}
		if entries, err := s.Audit.Newest(t.Context(), c.study.ID, 5000); err != nil || len(slices.Collect(written(entries))) != 599 {
			t.Errorf("%d entries about names written, %v", len(slices.Collect(written(entries))), err)
		}
	})
}

func written(entries []audit.Entry) func(func(id.Person) bool) {
	return func(yield func(id.Person) bool) {
		for _, e := range entries {
			if e.Action == "identity.written" && !yield(e.Person) {
				return
			}
		}
	}
}

// Promise 19, the service's part: while a hostile file is refused, others are served.
func TestOthersAreServedWhileAFileIsRefused(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 0, 0, noMark)
	refused := make(chan error, 1)
	b := c.staff(c.owner)
	s.must(b.Get("/studies/" + string(c.study.ID) + "/import"))
	form := b.Form("main form").Attach("file", "liste", []byte("Navn;x\n"+strings.Repeat("a;b\n", 2_000_000)))
	go func() { refused <- form.Submit() }()
	for {
		select {
		case <-refused:
			if b.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d", b.Status)
			}
			return
		default:
		}
		began := time.Now()
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, httptest.NewRequest("GET", "/sign-in", nil))
		if took := time.Since(began); w.Code != http.StatusOK || took > 2*time.Second {
			t.Errorf("another visitor: %d after %s", w.Code, took)
		}
	}
}

// Who asked not to be contacted again is not taken in by hand either, and not as another person with the same address: only by the
// team's word that they came by themselves, see TestComingBackIsANewBeginning.
func TestTheBarredAreNotTakenInByHand(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	s.must(s.Vault.Bar(t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[0]))
	s.must(s.people.Withdraw(t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[0]))
	b := c.staff(c.owner)
	for _, tc := range []struct {
		page string
		fill func(f *browser.Form)
	}{
		{"/candidates/new", func(f *browser.Form) {
			f.Set("relation", "member").Set("audience", "company").Set("source", "website").Set("phone", "22 00 00 00")
		}},
		{"/surveys/" + string(c.survey) + "/respondents/new", func(f *browser.Form) {}},
	} {
		s.must(b.Get("/studies/" + string(c.study.ID) + tc.page))
		form := b.Form("main form").Set("name", "Sa Nei").Set("email", "PA@example.org").Set("language", "nb").Set("case", string(c.study.Cases[0].ID))
		tc.fill(form)
		form.Submit()
		if b.Status != http.StatusConflict || !strings.Contains(b.Text(".errors"), "ikke å bli kontaktet igjen") || b.Has("[name=same]") {
			t.Errorf("%s: status %d, %q", tc.page, b.Status, b.Text("main"))
		}
	}
	if known, err := s.Vault.Persons(t.Context()); err != nil || len(known) != 0 {
		t.Errorf("%d in the vault, %v", len(known), err)
	}
}
