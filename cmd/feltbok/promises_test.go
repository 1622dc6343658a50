package main

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// notStudyData are tables that a visit may write to: that somebody came, and that a form was handed in.
var notStudyData = []string{"session", "form_key"}

func readFile(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unquote undoes what quoted-printable does to links.
var unquote = strings.NewReplacer("=\r\n", "", "=3D", "=")

// mails returns every mail written so far, by file name.
func (s *stage) mails() map[string]string {
	s.t.Helper()
	all := s.rawMails()
	for name, text := range all {
		all[name] = unquote.Replace(text)
	}
	return all
}

// rawMails is mails as they lie in the folder.
func (s *stage) rawMails() map[string]string {
	s.t.Helper()
	names, err := filepath.Glob(filepath.Join(s.folder, "mail", "*.eml"))
	s.must(err)
	all := map[string]string{}
	for _, name := range names {
		all[filepath.Base(name)] = readFile(s.t, name)
	}
	return all
}

// everyMail makes one mail of every kind and returns the crowd they went to.
func everyMail(t *testing.T, s *stage) *crowd {
	t.Helper()
	c := newCrowd(s, 3, 2, noMark)
	ctx := t.Context()
	s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Person: c.persons[0], Kind: "letter"}))
	colleague, err := s.Auth.Invite(ctx, audit.Staff(c.owner), "kollega@example.org", "Kollega Oppdiktet", "nb")
	s.must(err)
	s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Account: colleague, Kind: "staff_invite"}))
	s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Account: c.owner, Kind: "test"}))
	s.must(s.people.tellHash(ctx, s.clock.now()))
	for _, person := range c.persons[:2] {
		c.consent(person)
	}
	slots, err := s.Scheduling.Free(ctx, scheduling.Search{Study: c.study.ID, Audience: consents.Company}, s.clock.now(), s.clock.now().AddDate(0, 0, 7))
	s.must(err)
	book := func(person id.Person, i int) scheduling.Booking {
		b, err := s.Scheduling.Book(ctx, audit.Participant(person), scheduling.Request{Study: c.study.ID, Person: person,
			Audience: consents.Company, Mode: scheduling.Phone, Start: slots[i].Start, Language: "nb"})
		s.must(err)
		return b
	}
	first, second := book(c.persons[0], 0), book(c.persons[1], 10)
	s.sendMail()
	_, err = s.Scheduling.Change(ctx, audit.Participant(c.persons[0]), c.study.ID, first.ID, scheduling.Change{Start: slots[20].Start}, false)
	s.must(err)
	s.must(s.Scheduling.Cancel(ctx, audit.Participant(c.persons[1]), c.study.ID, second.ID, 0, "", false))
	s.must(s.Scheduling.Retitle(ctx, audit.Participant(c.persons[0]), c.study.ID, first.ID, "talk", 0))
	s.sendMail()
	c.missed(c.persons[1])
	c.trial(s.clock.now().AddDate(0, 0, 1))
	s.clock.set(slots[20].Start.Add(-time.Hour)) // when the former is reminded
	s.sendMail()
	c.rights(c.persons[2])
	s.sendMail()
	return c
}

// missed makes the mail to somebody who did not turn up.
func (c *crowd) missed(person id.Person) {
	c.t.Helper()
	b, err := c.Scheduling.Book(c.t.Context(), audit.Staff(c.owner), scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company,
		Mode: scheduling.Phone, Start: c.clock.now().Add(time.Hour), ByStaff: true})
	c.must(err)
	c.clock.set(b.Start())
	c.must(c.Scheduling.Missed(c.t.Context(), audit.Staff(c.owner), c.study.ID, b.ID, 0, true))
}

// trial makes a mail to try one's own calendar with.
func (c *crowd) trial(start time.Time) {
	c.t.Helper()
	c.must(c.Outbox.Send(c.t.Context(), mail.Mail{Study: c.study.ID, Account: c.owner, Kind: handlers.MailTrial,
		Params: map[string]string{"sample": id.New[string](), "step": "invite", "starts_at": strconv.FormatInt(start.UnixMilli(), 10)}}))
}

// rights makes the mails that follow from what somebody asks for and corrects.
func (c *crowd) rights(person id.Person) {
	c.t.Helper()
	ctx, own, staff := c.t.Context(), audit.Participant(person), audit.Staff(c.owner)
	was, err := c.Vault.Open(ctx, staff, "support", c.study.ID, person)
	c.must(err)
	who := was
	who.Email = "flyttet@example.org"
	c.must(c.people.Correct(ctx, c.study.ID, person, was, who))
	c.must(c.people.Request(ctx, own, c.study, person, consents.AnswerRestrict, ""))
	tasks, err := c.Consents.TasksOf(ctx, c.study.ID, person)
	c.must(err)
	c.must(c.people.ExtendTask(ctx, staff, c.study, tasks[0].ID))
	c.must(c.people.Release(ctx, staff, c.study.ID, person))
}

// lateMails makes those that a study gets in its course: a purpose is taken back, the letter changes, the end comes near and is
// put off.
func (c *crowd) lateMails() {
	c.t.Helper()
	ctx, staff, person := c.t.Context(), audit.Staff(c.owner), c.persons[0]
	_, err := c.Interviews.Record(ctx, staff, interviews.Held{Study: c.study.ID, Person: person, Mode: "phone", HeldOn: "2019-02-01", Minutes: 40})
	c.must(err)
	c.must(c.people.WithdrawPurposes(ctx, audit.Participant(person), c.study.ID, person, consents.Recording))
	c.publishAgain(consents.Company)
	_, err = c.Consents.Tell(ctx, staff, c.study.ID, consents.Company, 2, true)
	c.must(err)
	longer := c.study
	longer.EndsOn = "2020-03-31"
	c.must(c.people.Change(ctx, staff, longer, "Vi trenger mer tid."))
	c.people.works.Wait()
	c.must(c.people.warn(ctx, longer, studies.OneMonth))
	c.sendMail()
}

var linkPattern = regexp.MustCompile(regexp.QuoteMeta(testBase) + `(/[^\s<>"]+)`)

// Promise 7: a scanner that opens every link of every mail kind, and hands in every form as it stands, two levels deep,
// changes nothing and uses no link up.
func TestOpeningLinksChangesNothing(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		everyMail(t, s).lateMails()
		s.clock.set(s.clock.now()) // the scanner comes at once
		before := dump(t, s.stores[database.Study], notStudyData...)
		vault := dump(t, s.stores[database.Identity])
		paths := map[string]bool{}
		kinds := map[string]bool{}
		for name, text := range s.mails() {
			kinds[name[strings.Index(name, "-")+1:]] = true
			for _, match := range linkPattern.FindAllStringSubmatch(text, -1) {
				paths[match[1]] = true
			}
		}
		refusals := 0
		for path := range paths {
			if strings.HasPrefix(path, "/u/") {
				refusals++
			}
		}
		if len(kinds) < 20 || len(paths) < 6 || refusals < 6 { // of three people, in the text and for mail programs
			t.Fatalf("kinds %v with %d links: want all kinds", kinds, len(paths))
		}
		for path := range paths {
			scan(t, s, path)
		}
		if after := dump(t, s.stores[database.Study], notStudyData...); after != before {
			t.Errorf("the study store changed:\n%s", difference(before, after))
		}
		if dump(t, s.stores[database.Identity]) != vault {
			t.Error("the vault changed")
		}
		for path := range paths { // no link is used up
			if b := s.browser(); b.Get(path) != nil {
				t.Errorf("%s no longer opens: %d", path[:4], b.Status)
			}
		}
	})
}

// scan does what a mail robot does with one link.
func scan(t *testing.T, s *stage, path string) {
	t.Helper()
	for _, method := range []string{"HEAD", "GET"} {
		if _, err := s.browser().Try(method, path, nil); err != nil {
			t.Fatal(err)
		}
	}
	b := s.browser()
	b.Get(path)
	submitAll(b, 2)
}

// submitAll hands in every form of a page as it stands, by every button, and goes on from each answer.
func submitAll(b *browser.Browser, depth int) {
	if depth == 0 {
		return
	}
	page := b.Address()
	for i := range b.Forms() {
		b.Get(page)
		if forms := b.Forms(); i < len(forms) {
			forms[i].Submit()
			for _, link := range b.Links() {
				b.Get(link)
				submitAll(b, depth-1)
			}
		}
	}
}

func difference(before, after string) string {
	old := strings.Split(before, "\n")
	var changed []string
	for _, line := range strings.Split(after, "\n") {
		if !slices.Contains(old, line) {
			changed = append(changed, "+ "+line)
		}
	}
	return strings.Join(changed, "\n")
}

// listen collects what is logged while the test runs.
func listenToLog(t *testing.T) *bytes.Buffer {
	t.Helper()
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &log
}

// Promise 8: 10,000 forged tokens open nothing, and a real one turns up nowhere but in its mail.
func TestLinksAreNotGuessedAndDoNotLeak(t *testing.T) {
	eachStageInTurn(t, func(t *testing.T, s *stage) {
		log := listenToLog(t)
		c := newCrowd(s, 1, 1, noMark)
		b := s.browser()
		const forged = 10_000
		for i := range forged {
			raw := make([]byte, 32)
			rand.Read(raw)
			folder, ending := []string{"/p/", "/s/", "/u/", "/i/", "/calendar/"}[i%5], []string{"", "", "", "", ".ics"}[i%5]
			if status, err := b.Try("GET", folder+base64.RawURLEncoding.EncodeToString(raw)+ending, nil); err != nil || status != 404 {
				t.Fatalf("forged link %d: status %d, %v", i, status, err)
			}
		}
		real := c.path(c.persons[0], links.Participant)
		for _, folder := range []string{"/s/", "/u/"} {
			if status, err := b.Try("GET", folder+real[len("/p/"):], nil); err != nil || status != 404 {
				t.Errorf("a link of another purpose at %s: status %d, %v", folder, status, err)
			}
		}
		own := c.enter(c.persons[0], links.Participant)
		token := real[len("/p/"):]
		c.must(own.Get("/my/letter"))
		if own.Get("/my/nowhere"); strings.Contains(string(own.Body), token) {
			t.Error("the token stands on an error page")
		}
		own.Try("GET", real+"x", nil)
		feed, err := s.Scheduling.Subscribe(t.Context(), audit.Staff(c.owner), c.owner)
		s.must(err)
		reader := s.browser()
		s.must(reader.Get("/calendar/" + feed + ".ics"))
		if strings.Contains(string(reader.Body), feed) {
			t.Error("the feed says its own secret")
		}
		for _, path := range []string{feed, feed + "x.ics", feed + ".ics/x"} {
			reader.Try("GET", "/calendar/"+path, nil)
		}
		for _, place := range []struct{ name, text string }{{"log", log.String()}, {"study store", dump(t, s.stores[database.Study])},
			{"address", own.Address()}, {"headers", fmt.Sprint(own.Header, reader.Header)}} {
			if strings.Contains(place.text, token) || strings.Contains(place.text, feed) {
				t.Errorf("the token is in the %s", place.name)
			}
		}
		if log.Len() == 0 {
			t.Error("nothing was logged: the test looks in the wrong place")
		}
		if got := own.Header.Get("Referrer-Policy"); got != "same-origin" {
			t.Errorf("Referrer-Policy %q", got)
		}
	})
}

// encodings are the shapes in which a text could lie in a file.
func encodings(text string) map[string]string {
	var wide []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	return map[string]string{"UTF-8": text, "UTF-16": string(wide), "hex": hex.EncodeToString([]byte(text)),
		"base64": base64.StdEncoding.EncodeToString([]byte(text))[:len(text)]}
}

// Promise 10: canaries in every identity field of 50 persons are nowhere in the study store, the export, the log or the
// audit chain. Promise 11's search: nor in the vault or key store, without the key.
func TestStudyDataHoldNoIdentity(t *testing.T) {
	eachStageInTurn(t, func(t *testing.T, s *stage) {
		log := listenToLog(t)
		mark := func(i int) string { return fmt.Sprintf("kanarifugl%04d", i) }
		c := newCrowd(s, 40, 10, mark)
		for i, person := range c.persons {
			c.call(person, "Snakket om "+mark(i))
		}
		for _, person := range c.persons[:10] {
			c.consent(person)
		}
		own := c.enter(c.persons[0], links.Participant)
		c.must(own.Get("/my/data"))
		if !strings.Contains(string(own.Body), mark(0)) || !strings.Contains(string(own.Body), "Snakket om "+mark(0)) {
			t.Error("a participant does not see their own data: the canary is not where it should be")
		}
		if c.must(own.Get("/my/data.json")); !strings.Contains(string(own.Body), `"text": "Snakket om `+mark(0)) {
			t.Error("the copy to take along lacks the note")
		}
		owner := c.staff(c.owner)
		page := "/studies/" + string(c.study.ID) + "/people/" + string(c.persons[1])
		c.must(owner.Get(page))
		c.must(owner.Form(`form[action="`+page+`/name"]`).Set("purpose", "call").Submit())
		if !strings.Contains(string(owner.Body), mark(1)) || !strings.Contains(owner.Text(".opened .dash"), "telefonSnakket om "+mark(1)) {
			t.Error("an opened name does not show")
		}
		s.sendMail()
		var workbook bytes.Buffer
		c.must(s.server.ExportWorkbook(t.Context(), &workbook, c.study.ID, "nb"))
		places := map[string]string{"study store": dump(t, s.stores[database.Study]), "study files": s.bytesOf(database.Study),
			"vault": dump(t, s.stores[database.Identity]), "vault files": s.bytesOf(database.Identity), "key files": s.bytesOf(database.Keys),
			"workbook": unzip(t, workbook.Bytes()), "log": log.String()}
		for i := range 50 {
			for encoding, canary := range encodings(mark(i)) {
				for name, text := range places {
					if strings.Contains(text, canary) {
						t.Errorf("%s holds person %d in %s", name, i, encoding)
					}
				}
			}
		}
		if len(places["workbook"]) < 1000 || len(places["study store"]) < 1000 {
			t.Error("the places searched are empty")
		}
	})
}

// Promise 10 for those who may never see a name: supervisor and officer on every page they can open.
func TestSupervisorAndOfficerSeeNoNames(t *testing.T) {
	s := newStage(t, nil)
	mark := func(i int) string { return fmt.Sprintf("kanarifugl%04d", i) }
	c := newCrowd(s, 3, 2, mark)
	c.call(c.persons[0], "Snakket med kanarifuglen")
	c.consent(c.persons[0])
	for _, role := range []string{"supervisor", "officer"} {
		account := c.account(role + "@example.org")
		s.must(s.Studies.SetMember(t.Context(), audit.Staff(c.owner), c.study.ID, account, studies.Role(role)))
		b := c.staff(account)
		seen := 0
		for _, r := range s.server.Rules() {
			if r.Method != "GET" || !slices.Contains(r.Roles, studies.Role(role)) {
				continue
			}
			if b.Get(c.fill(r.Path)); b.Status == 200 {
				seen++
			}
			if strings.Contains(string(b.Body), "kanarifugl") {
				t.Errorf("%s sees a name at %s", role, r.Path)
			}
		}
		if seen < 2 {
			t.Errorf("%s could open %d pages", role, seen)
		}
	}
}

func unzip(t *testing.T, data []byte) string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range archive.File {
		part, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, part); err != nil {
			t.Fatal(err)
		}
		part.Close()
	}
	return all.String()
}
