package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

const canary = "kanarifugl"

func marked(i int) string { return canary + string(rune('a'+i)) }

// fullCrowd is a study with something in every corner: canaries in the vault, appointments, notes, a tip, a list, a link.
func fullCrowd(s *stage) *crowd {
	c := newCrowd(s, 3, 2, marked)
	c.policy(studies.Delete, 12)
	ctx := s.t.Context()
	c.call(c.persons[0], "Snakket med "+canary)
	for _, person := range c.persons[:2] {
		c.consent(person)
	}
	s.must(s.people.AddTip(ctx, audit.Staff(c.owner), c.study.ID, c.persons[0], identities.Identity{Name: canary + " Tips", Phone: "+4799000001",
		Note: "Kjenner " + canary, Language: "nb"}, 14))
	_, err := s.people.MakeCoupon(ctx, audit.Participant(c.persons[0]), c.study.ID, c.persons[0], true, 3)
	s.must(err)
	c.upload(strings.ReplaceAll(memberList(3, canary), "+4722", "+4633"), "")
	slots, err := s.Scheduling.Free(ctx, scheduling.Search{Study: c.study.ID, Audience: consents.Company}, s.clock.now(), s.clock.now().AddDate(0, 0, 7))
	s.must(err)
	_, err = s.Scheduling.Book(ctx, audit.Participant(c.persons[0]), scheduling.Request{Study: c.study.ID, Person: c.persons[0], Audience: consents.Company,
		Mode: scheduling.Phone, Start: slots[0].Start, Language: "nb"})
	s.must(err)
	s.sendMail()
	return c
}

// nothingLeft says what is left of an ended study's people.
func nothingLeft(ctx context.Context, s *stage, c *crowd) error {
	var all error
	if n, err := s.Intents.Count(ctx); n != 0 || err != nil {
		all = errors.Join(all, fmt.Errorf("%d acts are open (%v)", n, err))
	}
	keyed, err := s.keys.Persons(ctx)
	proofs, failed := s.Vault.Proofs(ctx)
	if fmt.Sprint(slices.Sorted(slices.Values(keyed))) != fmt.Sprint(slices.Sorted(slices.Values(proofs))) || len(proofs) != 2 || err != nil || failed != nil {
		all = errors.Join(all, fmt.Errorf("keys are left: %v, of %v, want the proofs of two (%v, %v)", keyed, proofs, err, failed))
	}
	for _, table := range []string{"identity", "identity_lookup", "note", "tip", "draft", "draft_part", "no_contact"} {
		var n int
		if err := s.stores[database.Identity].QueryRow(ctx, "select count(*) from "+table).Scan(&n); n != 0 || err != nil {
			all = errors.Join(all, fmt.Errorf("%d rows of %s are left (%v)", n, table, err))
		}
	}
	for _, table := range s.people.erasure.Tables() {
		var n int
		query := "select count(*) from " + table
		if table == "mail" {
			query += " where person_id <> '' or about_person_id <> ''"
		}
		if err := s.stores[database.Study].QueryRow(ctx, query).Scan(&n); (n != 0 && table != "session" && table != "task") || err != nil {
			all = errors.Join(all, fmt.Errorf("%d rows of %s are left (%v)", n, table, err))
		}
	}
	if _, err := s.Audit.Verify(ctx); err != nil {
		all = errors.Join(all, err)
	}
	return all
}

// Promise 13: one act; no byte of anybody is left, no link works, and a certificate says so without naming anybody.
func TestTheEndOfAStudyIsTheEnd(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := fullCrowd(s)
		paths := []string{c.path(c.persons[0], links.Participant), c.path(c.persons[1], links.Refusal), c.path(c.asked[0], links.Survey)}
		own, owner := c.enter(c.persons[0], links.Participant), c.staff(c.owner)
		// The test sees what it is about to miss.
		if text := s.bytesOf(database.Study); !s.stores[database.Study].Postgres() && !strings.Contains(text, string(c.persons[0])) {
			t.Fatalf("the file of the study store does not hold a person: %d bytes", len(text))
		}
		if !strings.Contains(dump(t, s.stores[database.Study]), "\tcode=A1\t") {
			t.Fatal("the study store does not hold A1: the test sees nothing")
		}
		before := len(s.mails())

		s.must(owner.Get("/studies/" + string(c.study.ID) + "/end"))
		if owner.Form(`form[action$="/end"]`).Submit(); owner.Status != 422 {
			t.Errorf("ended without a choice: %d", owner.Status)
		}
		s.must(owner.Form(`form[action$="/end"]`).Set("fate", "delete").Set("farewell", "yes").Submit())
		s.people.works.Wait()

		if err := nothingLeft(t.Context(), s, c); err != nil {
			t.Error(err)
		}
		for _, store := range database.Stores {
			if strings.Contains(s.bytesOf(store), canary) || strings.Contains(dump(t, s.stores[store]), canary) {
				t.Errorf("the %s store holds a canary", store)
			}
		}
		for _, path := range paths {
			if b := s.browser(); b.Get(path) == nil || b.Status != 404 {
				t.Errorf("%s still opens: %d", path[:3], b.Status)
			}
		}
		if own.Get("/my/data"); own.Status != 401 {
			t.Errorf("a session still opens: %d", own.Status)
		}
		mails := s.mails()
		var last []string
		for _, name := range slices.Sorted(maps.Keys(mails))[before:] {
			_, kind, _ := strings.Cut(strings.TrimSuffix(name, ".eml"), "-")
			last = append(last, kind)
		}
		if want := []string{"booking_cancelled", "booking_cancelled", "farewell", "farewell"}; !slices.Equal(last, want) {
			t.Errorf("last mails %q, want %q", last, want)
		}
		checkCertificate(t, c, owner.Get)
		s.must(owner.Get("/studies/" + string(c.study.ID) + "/certificate.txt"))
		for _, never := range []string{canary, "A1", "A2", string(c.persons[0])} {
			if strings.Contains(string(owner.Body), never) {
				t.Errorf("the certificate tells of %q", never)
			}
		}
		if err := s.people.End(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Delete, false); !errors.Is(err, studies.ErrClosed) {
			t.Errorf("ended twice: %v", err)
		}
	})
}

// An end that makes data anonymous keeps the figures and nothing that leads to anybody; the proofs of consent open for as long
// as the study says, and then are gone.
func TestTheEndKeepsFiguresAndProofs(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 2, marked)
		c.policy(studies.Delete, 12)
		for i := range 2 {
			c.interviewed(c.persons[i])
			c.answered(c.asked[i], canary)
		}
		before := c.figures()
		s.must(s.people.End(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Anonymise, false))
		s.people.works.Wait()
		if after := c.figures(); after != before {
			t.Errorf("the figures became\n%s\nfrom\n%s", after, before)
		}
		text := dump(t, s.stores[database.Study], append(outliving, "participant")...)
		for _, person := range append(c.persons, c.asked...) {
			if strings.Contains(text, string(person)) {
				t.Errorf("%s is left in the study store", person)
			}
		}
		for _, store := range database.Stores {
			if strings.Contains(s.bytesOf(store), canary) {
				t.Errorf("the %s store holds a canary", store)
			}
		}
		s.must(s.app.verify(t.Context(), stdio{io.Discard, io.Discard}))
		found, err := s.Vault.OpenProofs(t.Context(), audit.Staff(c.owner), "dispute", c.study.ID, marked(0)+"@example.org")
		if err != nil || len(found) != 1 {
			t.Errorf("%d proofs open, %v", len(found), err)
		}
		owner := c.staff(c.owner)
		s.must(owner.Get("/studies/" + string(c.study.ID) + "/proofs"))
		s.must(owner.Form("main form").Set("contact", marked(1)+"@example.org").Set("purpose", "complaint").Submit())
		s.clock.set(s.clock.now().AddDate(1, 0, 1))
		s.must(s.Vault.SweepProofs(t.Context()))
		if keyed, err := s.keys.Persons(t.Context()); len(keyed) != 0 || err != nil {
			t.Errorf("keys are left: %v (%v)", keyed, err)
		}
	})
}

// What is done at the moment in which a study is ended is refused, or goes with the rest.
func TestActsBesideTheEndLeaveNothing(t *testing.T) {
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		s := newStage(t, dsn)
		c := newCrowd(s, 0, 0, noMark)
		acts := c.staffActs()
		persons := make([]id.Person, len(acts))
		for i := range acts {
			persons[i] = c.enrol(i, func(i int) string { return fmt.Sprint("p", i) })
			c.consent(persons[i])
		}
		var done sync.WaitGroup
		refused := func(what string, err error) {
			if kind := errs.KindOf(err); err != nil && (kind == errs.Internal || kind == errs.Unavailable) {
				t.Errorf("%s beside the end: %v", what, err)
			}
		}
		for i, act := range acts {
			done.Go(func() { refused(act.name, act.do(c.study.ID, persons[i])) })
			done.Go(func() {
				_, err := s.people.Enrol(t.Context(), audit.Staff(c.owner), identity(100+i, noMark), recruitment.Participant{Study: c.study.ID, Code: fmt.Sprintf("A%d", 100+i),
					Case: c.study.Cases[0].ID, Audience: consents.Company, Relation: recruitment.Member, Title: "Leder", Source: recruitment.MemberList})
				if !errors.Is(err, errNotEnrolled) {
					refused("enrolling", err)
				}
			})
		}
		done.Go(func() {
			if err := s.people.End(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Delete, false); err != nil {
				t.Errorf("the end beside acts: %v", err)
			}
		})
		done.Wait()
		s.people.works.Wait()
		if left := dump(t, s.stores[database.Study], append(slices.Clone(outliving), "task")...); strings.Contains(left, "person_id=") {
			for _, line := range strings.Split(left, "\n") {
				if strings.Contains(line, "person_id=") && !strings.Contains(line, "person_id=\t") {
					t.Errorf("left behind: %s", line)
				}
			}
		}
		if n, tips, err := s.Vault.Total(t.Context(), c.study.ID); n+tips != 0 || err != nil {
			t.Errorf("%d in the vault, %v", n+tips, err)
		}
	})
}

func checkCertificate(t *testing.T, c *crowd, get func(string) error) {
	t.Helper()
	e, err := c.Studies.Ending(t.Context(), c.study.ID)
	c.must(err)
	want := studies.Counts{Participants: 3, Respondents: 2, Consents: 2, Bookings: 1, Mails: e.Counts.Mails, Identities: 6, Tips: 1, Lists: 1, Keys: 7, Told: 2}
	if e.Counts != want || e.FinishedAt == 0 || e.Hash != e.Digest() || e.Counts.Mails < 6 {
		t.Errorf("certificate %+v, want counts %+v", e, want)
	}
	forged := e
	forged.Counts.Keys--
	if forged.Digest() == e.Digest() {
		t.Error("another count has the same hash")
	}
	c.must(get("/studies/" + string(c.study.ID) + "/certificate"))
}

// A study that was ended is read and not written, by no page: every form of every route is refused.
func TestAnEndedStudyIsReadOnly(t *testing.T) {
	s := newStage(t, nil)
	c := fullCrowd(s)
	owner := c.staff(c.owner)
	s.must(owner.Get("/studies/" + string(c.study.ID) + "/settings"))
	settings := owner.Form(`form[action$="/settings"]`).Set("title", "Et annet navn")
	s.must(owner.Get("/studies/" + string(c.study.ID) + "/candidates/new"))
	s.must(s.people.End(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Delete, false))
	s.people.works.Wait()
	if settings.Submit(); owner.Status != 409 {
		t.Errorf("the setting was changed: %d", owner.Status)
	}
	if s, _ := s.Studies.Get(t.Context(), c.study.ID); s.Title != "Prøvestudie" {
		t.Errorf("the title is %q", s.Title)
	}
	actor := audit.Staff(c.owner)
	_, err := s.people.Enrol(t.Context(), actor, identity(1, noMark), recruitment.Participant{Study: c.study.ID, Code: "A50", Case: c.study.Cases[0].ID,
		Audience: consents.Company, Relation: recruitment.Member, Title: "Leder", Source: recruitment.MemberList})
	if !errors.Is(err, studies.ErrClosed) {
		t.Errorf("somebody was enrolled: %v", err)
	}
	if err := s.people.LogContact(t.Context(), actor, c.study.ID, c.persons[0], recruitment.Contact{Channel: recruitment.Phone,
		Direction: recruitment.Out, Outcome: recruitment.CallBack}, "x"); errs.KindOf(err) != errs.Conflict && errs.KindOf(err) != errs.NotFound {
		t.Errorf("a contact was logged: %v", err)
	}
	if err := nothingLeft(t.Context(), s, c); err != nil {
		t.Error(err)
	}
}

// A mail server that is away delays the end of a study by its patience, and no longer; who was not reached is counted.
func TestTheEndDoesNotWaitForMailForever(t *testing.T) {
	s := newStage(t, nil)
	c := fullCrowd(s)
	s.deliver(func(mail.Message) error { return &mail.Failure{Extent: mail.Outage, Code: "test"} })
	intent, err := s.people.beginEnd(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Delete, true)
	s.must(err)
	if err := s.Intents.Finish(t.Context(), intent); !errors.Is(err, errNotYet) {
		t.Fatalf("did not wait: %v", err)
	}
	if n, _, _ := s.Vault.Total(t.Context(), c.study.ID); n == 0 {
		t.Fatal("erased before the farewells went")
	}
	s.clock.set(s.clock.now().Add(farewellPatience + time.Minute))
	s.must(s.Intents.Finish(t.Context(), intent))
	e, err := s.Studies.Ending(t.Context(), c.study.ID)
	if err != nil || e.Counts.Told != 0 || e.Counts.Untold != 2 {
		t.Errorf("told %d, not %d (%v)", e.Counts.Told, e.Counts.Untold, err)
	}
	if err := nothingLeft(t.Context(), s, c); err != nil {
		t.Error(err)
	}
}

// warnings lists the warnings that were mailed, as what is in the outbox.
func (c *crowd) warnings() (kinds []string) {
	c.t.Helper()
	c.must(database.Each(c.t.Context(), c.stores[database.Study], func(row database.Scanner) error {
		var key string
		err := row.Scan(&key)
		_, rest, _ := strings.Cut(key, ":")
		which, _, _ := strings.Cut(rest, ":")
		kinds = append(kinds, which)
		return err
	}, "select key from mail where kind = 'end_warning' order by seq"))
	return kinds
}

func (c *crowd) watchAt(at time.Time) {
	c.t.Helper()
	c.clock.set(at)
	c.must(c.people.watchEnds(c.t.Context()))
	c.people.works.Wait()
}

func (c *crowd) closed() bool {
	c.t.Helper()
	s, err := c.Studies.Get(c.t.Context(), c.study.ID)
	c.must(err)
	return s.ClosedAt > 0
}

// Five warnings, each once, and then the study ends by itself on the first instant after its last day.
func TestAStudyWarnsAndEndsByItself(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := fullCrowd(s)
		end := c.study.End()
		for at := s.clock.now(); at.Before(end.AddDate(0, 0, -2)); at = at.Add(24 * time.Hour) {
			c.watchAt(at)
		}
		for at := end.AddDate(0, 0, -2); at.Before(end); at = at.Add(time.Hour) {
			c.watchAt(at)
		}
		if got, want := c.warnings(), []string{"6_months", "2_months", "1_month", "1_week", "1_day"}; !slices.Equal(got, want) {
			t.Errorf("warnings %q, want %q", got, want)
		}
		s.sendMail()
		if c.watchAt(end.Add(-time.Millisecond)); c.closed() {
			t.Error("ended before its last day was over")
		}
		if c.watchAt(end); !c.closed() {
			t.Fatal("did not end")
		}
		if err := nothingLeft(t.Context(), s, c); err != nil {
			t.Error(err)
		}
		e, err := s.Studies.Ending(t.Context(), c.study.ID)
		if err != nil || e.By != audit.System || e.Fate != studies.Delete || e.Counts.Told != 2 {
			t.Errorf("ended %+v (%v)", e, err)
		}
	})
}

// A clock that jumps deletes nothing: neither far ahead, nor back and ahead again.
func TestAClockThatJumpsEndsNothing(t *testing.T) {
	s := newStage(t, nil)
	c := fullCrowd(s)
	now, end := s.clock.now(), c.study.End()
	for _, jump := range []time.Duration{0, time.Hour, 400 * 24 * time.Hour, -300 * 24 * time.Hour, 1000 * 24 * time.Hour} {
		at := end.Add(jump)
		if c.watchAt(at); c.closed() {
			t.Fatalf("a jump to %s ended the study", at)
		}
		if c.watchAt(at.Add(time.Hour)); c.closed() {
			t.Fatalf("an hour after a jump to %s the study was ended", at)
		}
		c.watchAt(now)
	}
	// Ahead from a time at which the last warning was out for a moment only.
	c.watchAt(end.AddDate(0, 0, -1))
	if c.watchAt(end.AddDate(1, 0, 0)); c.closed() {
		t.Fatal("a jump past the end ended the study a moment after its last warning")
	}
}

// A server that was off over the end warns when it is back, and ends the study when that is a day old.
func TestAServerThatWasOffWarnsFirst(t *testing.T) {
	s := newStage(t, nil)
	c := fullCrowd(s)
	back := c.study.End().AddDate(0, 0, 3)
	for at := back; at.Before(back.Add(studies.Grace)); at = at.Add(time.Hour) {
		if c.watchAt(at); c.closed() {
			t.Fatalf("ended %s after it was back", at.Sub(back))
		}
	}
	if got := c.warnings(); !slices.Equal(got, []string{"1_day"}) {
		t.Errorf("warnings %q: want the last alone", got)
	}
	if c.watchAt(back.Add(studies.Grace)); !c.closed() {
		t.Error("did not end")
	}
}

// A later last day asks for a reason, tells those who said yes, moves the links, and is warned of anew.
func TestExtendingAStudy(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := fullCrowd(s)
		path := c.path(c.persons[0], links.Participant)
		c.watchAt(c.study.End().AddDate(0, 0, -1))
		s.sendMail()
		before := len(s.mails())
		owner := c.staff(c.owner)
		settings := "/studies/" + string(c.study.ID) + "/settings"
		s.must(owner.Get(settings))
		if owner.Form(`form[action$="/settings"]`).Set("ends_on", "2020-06-30").Submit(); owner.Status != 422 || !strings.Contains(string(owner.Body), "Hvorfor varer studien lenger?") {
			t.Errorf("extended without a reason: %d", owner.Status)
		}
		if owner.Form(`form[action$="/settings"]`).Set("ends_on", "2019-03-01").Submit(); owner.Status != 422 {
			t.Errorf("a last day that is over was taken: %d", owner.Status)
		}
		s.must(owner.Form(`form[action$="/settings"]`).Set("ends_on", "2020-06-30").Set("ends_reason", "To samtaler til, og sykdom.").Submit())
		s.people.works.Wait()
		s.sendMail()
		mails := s.mails()
		told := 0
		for _, name := range slices.Sorted(maps.Keys(mails))[before:] {
			if strings.HasSuffix(name, "-study_extended.eml") {
				told++
				if !strings.Contains(mails[name], "sykdom") || !strings.Contains(mails[name], "30. juni 2020") {
					t.Errorf("the mail says\n%s", mails[name])
				}
			}
		}
		if told != 2 {
			t.Errorf("%d were told, want the 2 who said yes", told)
		}
		c.watchAt(c.study.End().AddDate(0, 0, 1)) // the old last day is over, with all its warnings
		if c.closed() {
			t.Error("ended on the old day")
		}
		if b := s.browser(); b.Get(path) != nil {
			t.Errorf("the link died with the old day: %d", b.Status)
		}
		var err error
		c.study, err = s.Studies.Get(t.Context(), c.study.ID)
		s.must(err)
		before = len(c.warnings())
		c.watchAt(c.study.End().AddDate(0, 0, -1))
		if got := c.warnings(); len(got) != before+1 || got[before] != "1_day" {
			t.Errorf("warnings %q: the new day is not warned of", got)
		}
	})
}

// A large study ends in parts, and says how many are left meanwhile.
func TestALargeStudyEnds(t *testing.T) {
	if os.Getenv("FELTBOK_TEST_FULL") == "" {
		t.Skip("FELTBOK_TEST_FULL is not set")
	}
	s := newStage(t, nil)
	c := newCrowd(s, 0, 0, noMark)
	const people = 5000
	c.takeIn(c.upload(memberList(people, canary), ""))
	began := time.Now()
	s.must(s.people.End(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Delete, true))
	t.Logf("closed after %s", time.Since(began))
	s.people.works.Wait()
	t.Logf("%d erased after %s", people, time.Since(began))
	if err := nothingLeft(t.Context(), s, c); err != nil {
		t.Error(err)
	}
}
