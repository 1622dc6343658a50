package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"
)

// watcher signs in somebody new with a role in the crowd's study.
func (c *crowd) watcher(role studies.Role) *browser.Browser {
	c.t.Helper()
	account := c.account(string(role) + "@example.org")
	c.must(c.Studies.SetMember(c.t.Context(), audit.Staff(c.owner), c.study.ID, account, role))
	return c.staff(account)
}

func (c *crowd) at(rest string) string { return "/studies/" + string(c.study.ID) + rest }

func TestRegisterPages(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 4, 1, noMark)
		for _, person := range c.persons[:3] {
			s.clock.set(s.clock.now().Add(time.Minute))
			c.consent(person)
		}
		s.must(s.people.WithdrawPurposes(t.Context(), audit.Participant(c.persons[1]), c.study.ID, c.persons[1], consents.Recording))
		s.must(s.people.Withdraw(t.Context(), audit.Participant(c.persons[2]), c.study.ID, c.persons[2]))
		c.publishAgain(consents.Company)
		b := c.watcher(studies.Officer)
		s.must(b.Get(c.at("/consents")))
		if rows := b.Text("#list ~ .b tbody tr"); !strings.Contains(rows, "A1") || !strings.Contains(rows, "A2") || strings.Contains(rows, "A3") || strings.Contains(rows, "A4") {
			t.Errorf("the register shows %q, want A1 and A2", rows)
		}
		page := string(b.Body)
		for _, want := range []string{"Nei: lydopptak", "nyere brev finnes", "Én person har trukket seg og er slettet.", "Egen lenke"} {
			if !strings.Contains(page, want) {
				t.Errorf("the register lacks %q", want)
			}
		}
		s.must(b.Form(`form[action$="/consents"]`).Set("standing", "recording:no").Submit())
		if rows := b.Text("#list ~ .b tbody tr"); strings.Contains(rows, "A1") || !strings.Contains(rows, "A2") {
			t.Errorf("no to recording: %q, want A2", rows)
		}
		s.must(b.Form(`form[action$="/consents"]`).Set("standing", "").Set("letter", "company:2").Submit())
		if !strings.Contains(string(b.Body), "Ingen passer med dette.") {
			t.Error("somebody answered to a letter that nobody was shown")
		}
		s.must(b.Get(c.at("/consents/" + string(c.persons[1]))))
		hash := c.letterHash(1)
		for _, want := range []string{"Samtykke, A2", "Trakk et ja tilbake", "Deltakeren selv", hash, "Kan vi ta lydopptak"} {
			if !strings.Contains(string(b.Body), want) {
				t.Errorf("one person's acts lack %q", want)
			}
		}
		if err := b.Get(c.at("/consents/" + string(c.persons[2]))); b.Status != 404 {
			t.Errorf("an erased person's acts: %d (%v), want 404", b.Status, err)
		}
		s.must(b.Get(c.at("/consents.csv")))
		rows := readCSV(t, b.Body)
		if len(rows) != 3 || rows[1][0] != "A2" || rows[2][0] != "A1" || !slices.Contains(rows[1], hash) || !slices.Contains(rows[1], "Nei") {
			t.Errorf("the file says %q", rows)
		}
	})
}

// A long register has pages: everybody is on one of them, once, and the counts stand on the first.
func TestRegisterGoesOn(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 53, 0, func(i int) string { return fmt.Sprint("p", i) })
	for _, person := range c.persons {
		c.consent(person)
	}
	b := c.watcher(studies.Supervisor)
	s.must(b.Get(c.at("/consents")))
	if counts := b.Text("#counts ~ .b"); !strings.Contains(counts, "53") {
		t.Errorf("the counts say %q", counts)
	}
	first := strings.Fields(b.Text("#list ~ .b a.code"))
	s.must(b.Follow("Neste 50"))
	if b.Has("#counts") || !b.Has(`a[rel="first"]`) || b.Has(`a[rel="next"]`) {
		t.Error("the second page looks like the first, or does not end")
	}
	if rows := strings.Count(string(b.Body), `<a class="code"`); rows != 3 || len(first) == 0 {
		t.Errorf("%d people on the second page, want 3", rows)
	}
}

func (c *crowd) letterHash(version int) string {
	c.t.Helper()
	versions, err := c.Consents.Versions(c.t.Context(), c.study.ID)
	c.must(err)
	for _, l := range versions {
		if l.Audience == consents.Company && l.Version == version && l.Language == "nb" {
			return l.Hash
		}
	}
	c.t.Fatalf("no letter %d", version)
	return ""
}

func readCSV(t *testing.T, data []byte) [][]string {
	t.Helper()
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	in.Comma = ';'
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func unpack(t *testing.T, data []byte) (names []string, files map[string][]byte) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, file := range archive.File {
		part, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		names, files[file.Name] = append(names, file.Name), text
	}
	return names, files
}

// The pack proves itself: whoever has nothing but the pack can recompute each letter's hash and each entry of the log. It
// holds nobody's name and no answer.
func TestEvidencePack(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		mark := func(i int) string { return fmt.Sprintf("kanarifugl%04d", i) }
		c := newCrowd(s, 6, 3, mark)
		for i, person := range c.persons {
			c.call(person, "Snakket om "+mark(i))
		}
		for _, person := range c.persons[:4] {
			c.consent(person)
		}
		answer := c.enter(c.asked[0], links.Survey)
		s.must(answer.Form(`form[action="/survey/consent"]`).Set("consent_survey", "yes").Submit())
		s.must(answer.Form("main form").Press("to", "next"))
		s.must(s.stores[database.Study].Tx(t.Context(), func(tx *database.Tx) error {
			n, err := tx.Exec(t.Context(), `update survey_response set answers = '{"t_barrier_time":"kanarisvar"}'`)
			if err == nil && n == 0 {
				t.Error("nobody has answered: the canary is nowhere")
			}
			return err
		}))
		s.must(s.people.Withdraw(t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[3]))
		owner := c.staff(c.owner)
		person := c.at("/people/" + string(c.persons[1]))
		s.must(owner.Get(person))
		s.must(owner.Form(`form[action="`+person+`/name"]`).Set("purpose", "call").Submit())
		s.sendMail()

		b := c.watcher(studies.Officer)
		s.must(b.Get(c.at("/evidence")))
		if err := b.Form(`form[action$="/evidence"]`).Submit(); b.Status != 422 || !strings.Contains(string(b.Body), "Velg språk for dokumentasjonen.") {
			t.Errorf("without a language: %d (%v)", b.Status, err)
		}
		download := func(lang string) ([]string, map[string][]byte) {
			s.must(b.Get(c.at("/evidence")))
			s.must(b.Form(`form[action$="/evidence"]`).Set("lang", lang).Submit())
			if b.Header.Get("Content-Type") != "application/zip" || !strings.Contains(b.Header.Get("Content-Disposition"), "feltbok-evidence-2019-02-04.zip") {
				t.Errorf("headers %v", b.Header)
			}
			return unpack(t, b.Body)
		}
		names, files := download("nb")
		again, _ := download("nb")
		if !slices.Equal(names, again) {
			t.Errorf("two packs have their parts in different orders:\n%q\n%q", names, again)
		}
		for _, name := range names {
			if bytes.Contains(files[name], []byte("kanarisvar")) {
				t.Errorf("%s holds an answer", name)
			}
			for i := range 9 {
				for encoding, canary := range encodings(mark(i)) {
					if bytes.Contains(files[name], []byte(canary)) {
						t.Errorf("%s holds person %d in %s", name, i, encoding)
					}
				}
			}
		}
		checkLetters(t, c, files)
		checkLog(t, c, files["log/log.csv"])
		for name, wants := range map[string][]string{
			"README.md":                 {"Prøvestudie", "9 brev og 4 svar stemmer", "hendelser, hel."},
			"rules.md":                  {"samtykke (personvernforordningen", "Prosjektet slutter 31. desember 2019", "ikke noe bevis"},
			"data-protection.md":        {"# For the data protection officer"},
			"settings/settings.json":    {`"legal_basis": "consent"`, `"title": "Prøvestudie"`},
			"access/team.csv":           {"Noen Oppdiktet;Eier", "Noen Oppdiktet;Personvernombud"},
			"access/names-opened.csv":   {"2019-02-04;Noen Oppdiktet;for å ringe;1"},
			"deletions/deletions.csv":   {"2019-02;1;1;"},
			"consents/counts.csv":       {"Samtale;3;0"},
			"consents/register.csv":     {"A1;", "A2;", "A3;"},
			"consents/questions.csv":    {"Kan vi ta lydopptak"},
			"flow/1-landing.png":        {"PNG"},
			"letters/company-1-en.md":   {"# "},
			"letters/company-1-nb.html": {`lang="nb"`, c.letterHash(1)},
		} {
			for _, want := range wants {
				if !strings.Contains(string(files[name]), want) {
					t.Errorf("%s lacks %q:\n%.600s", name, want, files[name])
				}
			}
		}
		if register := string(files["consents/register.csv"]); strings.Contains(register, "A4") {
			t.Error("the register holds somebody erased")
		}
		for lang, want := range map[string]string{"nn": "# Dokumentasjon: Prøvestudie", "en": "# Documentation: Prøvestudie"} {
			if _, files := download(lang); !strings.HasPrefix(string(files["README.md"]), want) {
				t.Errorf("%s: README begins %.40q", lang, files["README.md"])
			}
		}
		entries, err := s.Audit.Page(t.Context(), c.study.ID, audit.Query{Actions: []string{"evidence.made"}, Limit: 9})
		if err != nil || len(entries) != 4 || entries[0].Detail != "en" && entries[0].Detail != "nn" {
			t.Errorf("the chain says of the downloads: %+v, %v", entries, err)
		}
		if err := c.watcher(studies.Researcher).Get(c.at("/evidence")); err == nil {
			t.Error("a researcher opens the pack's page")
		}
	})
}

// checkLetters does what the README tells an officer to do.
func checkLetters(t *testing.T, c *crowd, files map[string][]byte) {
	t.Helper()
	checked := 0
	for name, file := range files {
		of, is := strings.CutSuffix(name, ".sha256")
		if !is {
			continue
		}
		sum := sha256.Sum256(files[of+".hashed"])
		want := hex.EncodeToString(sum[:])
		if got, _, _ := strings.Cut(string(file), "  "); got != want {
			t.Errorf("%s says %s, and the file hashes to %s", name, got, want)
		}
		if !strings.Contains(string(files["log/log.csv"]), want) || !strings.Contains(string(files["consents/questions.csv"]), want) {
			t.Errorf("%s is not in the log and beside the questions", want)
		}
		checked++
	}
	if checked != 9 {
		t.Errorf("%d letters checked, want three in three languages", checked)
	}
	if register := string(files["consents/register.csv"]); strings.Count(register, c.letterHash(1)) != 3 {
		t.Errorf("the register does not name the letter's hash:\n%s", register)
	}
}

// checkLog recomputes every entry's hash as the README says.
func checkLog(t *testing.T, c *crowd, file []byte) {
	t.Helper()
	rows := readCSV(t, file)
	at := map[string]int{}
	for i, head := range rows[0] {
		at[head] = i
	}
	for _, row := range rows[1:] {
		h := sha256.New()
		for _, column := range []string{"previous", "seq", "at", "actor", "action", "study", "person", "detail"} {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(row[at[column]]))))
			h.Write([]byte(row[at[column]]))
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != row[at["hash"]] {
			t.Errorf("entry %s hashes to %s, not to %s", row[at["seq"]], got, row[at["hash"]])
		}
	}
	end, err := c.Audit.Position(t.Context())
	if err != nil || len(rows) < 20 || int64(len(rows)-1) > end.Seq {
		t.Errorf("%d entries in the file, %+v (%v)", len(rows)-1, end, err)
	}
}

// Promise 16 where people meet it: the page says that the chain is whole, and after a change where it is not.
func TestLogIsCheckedOnItsPage(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		b := c.watcher(studies.Supervisor)
		verify := func(want string) {
			t.Helper()
			s.must(b.Get(c.at("/log")))
			s.must(b.Follow("Kontroller loggen"))
			if !strings.Contains(string(b.Body), want) {
				t.Errorf("the page says %q, want %q", b.Text("#chain ~ .b"), want)
			}
		}
		end, err := s.Audit.Position(t.Context())
		s.must(err)
		verify(fmt.Sprintf("Loggen er hel: %d hendelser er kontrollert", end.Seq))
		if !strings.Contains(string(b.Body), end.Hash) {
			t.Error("the page does not show the newest hash")
		}
		s.must(s.stores[database.Study].Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "update audit_entry set detail = 'annet' where seq = 5")
			return err
		}))
		verify("Loggen er brutt ved nummer 5.")
	})
}

func TestLogHasPages(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		const extra = 450
		entries := make([]audit.Entry, extra)
		for i := range entries {
			entries[i] = audit.Entry{Actor: audit.Staff(c.owner), Action: "identity.opened", Study: c.study.ID, Person: c.persons[0], Detail: "call"}
		}
		s.must(s.Audit.Record(t.Context(), entries...))
		b := c.staff(c.owner)
		for _, only := range []string{"", "?only=names"} {
			s.must(b.Get(c.at("/log" + only)))
			seen := map[string]bool{}
			for {
				for _, n := range strings.Fields(b.Text("#entries ~ .b tbody td.nil")) {
					if seen[n] {
						t.Errorf("entry %s twice", n)
					}
					seen[n] = true
				}
				if !b.Has(`a[rel="next"]`) {
					break
				}
				s.must(b.Follow("Eldre"))
			}
			if len(seen) < extra/200 {
				t.Errorf("%q: %d entries on all pages", only, len(seen))
			}
		}
		s.must(b.Get(c.at("/log.csv")))
		if rows := readCSV(t, b.Body); len(rows) < extra {
			t.Errorf("%d rows in the file, want all entries", len(rows))
		}
	})
}

// Promise 15 where people meet it.
func TestLettersAreCheckedOnTheirPage(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		c.consent(c.persons[0])
		b := c.watcher(studies.Officer)
		s.must(b.Get(c.at("/letters")))
		if page := string(b.Body); !strings.Contains(page, c.letterHash(1)) || !strings.Contains(page, "Én har svart på det.") || strings.Contains(page, "Stemmer") {
			t.Errorf("the letters' page lacks a hash, or says more than it looked at:\n%s", b.Text("main"))
		}
		s.must(b.Follow("Kontroller brevene"))
		if !strings.Contains(string(b.Body), "Alt stemmer med det som ble publisert: 9 brev og 1 svar er kontrollert.") {
			t.Errorf("the page says %q", b.Text(".intro"))
		}
		letter := c.letter(consents.Company)
		s.must(s.stores[database.Study].Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "update letter set body = replace(body, 'e', 'f') where id = $1", letter.ID)
			return err
		}))
		s.must(b.Get(c.at("/published?verify=1")))
		if n := strings.Count(string(b.Body), "Stemmer ikke med det som ble publisert"); n != 1 {
			t.Errorf("%d letters are marked, want the one that was changed", n)
		}
	})
}

// Each owner gets the newest hash by mail, once a day and where something happened; nobody else does.
func TestNewestHashIsMailed(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		other, err := s.Studies.Create(t.Context(), audit.Staff(c.owner), c.owner, func() studies.Study { o := c.study; o.Title, o.Cases = "Annen", nil; return o }())
		s.must(err)
		c.watcher(studies.Officer)
		s.sendMail()
		var sent []mail.Message
		s.deliver(func(m mail.Message) error {
			if m.Kind == "audit_hash" {
				sent = append(sent, m)
			}
			return nil
		})
		tell := func() {
			t.Helper()
			s.must(s.people.tellHash(t.Context(), s.clock.now()))
			s.sendMail()
		}
		end, err := s.Audit.Position(t.Context())
		s.must(err)
		tell()
		tell()
		if len(sent) != 1 || sent[0].To.Email != "eier@example.org" {
			t.Fatalf("%d mails, want one to the owner of two studies", len(sent))
		}
		for _, want := range []string{end.Hash, fmt.Sprintf("Antall hendelser: %d", end.Seq), "4. februar 2019"} {
			if !strings.Contains(sent[0].Text, want) {
				t.Errorf("the mail lacks %q:\n%s", want, sent[0].Text)
			}
		}
		s.clock.set(s.clock.now().AddDate(0, 0, 1))
		if tell(); len(sent) != 1 {
			t.Error("a mail though nothing was added")
		}
		c.consent(c.persons[0])
		if tell(); len(sent) != 2 {
			t.Errorf("%d mails after something was added on a new day, want 2", len(sent))
		}
		// Whoever has no open study any more hears nothing, also of what waits.
		s.clock.set(s.clock.now().AddDate(0, 0, 1))
		c.consent(c.persons[0])
		s.must(s.people.tellHash(t.Context(), s.clock.now()))
		s.must(s.stores[database.Study].Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "update study set closed_at = 1")
			return err
		}))
		s.sendMail()
		s.clock.set(s.clock.now().AddDate(0, 0, 1))
		s.must(s.Audit.Record(t.Context(), audit.Entry{Actor: audit.System, Action: "consent.recorded", Study: other}))
		if tell(); len(sent) != 2 {
			t.Errorf("%d mails, want none to owners of closed studies", len(sent))
		}
	})
}

// Promise 16: erasing a person leaves the chain valid.
func TestErasingLeavesTheChainValid(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 6, 0, noMark)
		s.sender = nil // nothing to wait for
		for i, person := range c.persons {
			c.consent(person)
			s.must(s.people.Withdraw(t.Context(), audit.Participant(person), c.study.ID, person))
			end, err := s.Audit.Position(t.Context())
			s.must(err)
			if n, err := s.Audit.Verify(t.Context()); err != nil || n != end.Seq {
				t.Errorf("after %d: Verify = %d, %v, want %d entries", i+1, n, err, end.Seq)
			}
		}
		b := c.watcher(studies.Officer)
		s.must(b.Get(c.at("")))
		if deleted := b.Text("#deleted ~ .b dl"); !strings.HasPrefix(strings.TrimSpace(deleted), "6") {
			t.Errorf("the overview says of deletions %q, want 6", deleted)
		}
	})
}
