package main

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// outliving are the tables that keep a person's random id on purpose, when it points nowhere: the audit chain, the acts
// that do the erasing, and the note that it was done.
var outliving = []string{"audit_entry", "intent", "erasure"}

func TestEveryTableWithAPersonHasAnEraser(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		db, erased := s.stores[database.Study], s.people.erasure.Tables()
		found := 0
		for _, table := range tables(t, db) {
			person := slices.ContainsFunc(columns(t, db, table), func(column string) bool { return strings.Contains(column, "person") })
			if !person {
				continue
			}
			found++
			if !slices.Contains(erased, table) && !slices.Contains(outliving, table) {
				t.Errorf("table %s holds a person and nobody erases it", table)
			}
		}
		if found < 10 {
			t.Errorf("only %d tables with a person: does the test see the schema?", found)
		}
		for _, table := range erased {
			if !slices.Contains(tables(t, db), table) {
				t.Errorf("an eraser names table %q, which is not there", table)
			}
		}
	})
}

// A withdrawal leaves nothing that was the person's in any live file, their link opens nothing, and the study goes on
// counting them.
func TestWithdrawalErases(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 1, func(i int) string { return "kanarifugl" + string(rune('a'+i)) })
		ctx, person := t.Context(), c.persons[0]
		c.call(person, "Snakket med kanarifugla")
		c.consent(person)
		path := c.path(person, links.Participant)
		slots, err := s.Scheduling.Free(ctx, scheduling.Search{Study: c.study.ID, Audience: consents.Company}, s.clock.now(), s.clock.now().AddDate(0, 0, 7))
		s.must(err)
		_, err = s.Scheduling.Book(ctx, audit.Participant(person), scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company,
			Mode: scheduling.Phone, Start: slots[0].Start, Language: "nb"})
		s.must(err)
		s.sendMail()
		own := c.enter(person, links.Participant)
		before := len(s.mails())
		var about int
		s.must(s.stores[database.Study].QueryRow(ctx, "select count(*) from mail where about_person_id = $1", person).Scan(&about))
		if about == 0 {
			t.Error("no mail to staff is about the person")
		}

		s.must(own.Get("/my/withdraw"))
		s.must(own.Form("main form").Set("choice", "all").Submit())

		if got := own.Address(); !strings.HasPrefix(got, "/my/left") {
			t.Errorf("after withdrawing the person stands at %s", got)
		}
		mails := s.mails()
		var last []string
		for _, name := range slices.Sorted(maps.Keys(mails))[before:] {
			_, kind, _ := strings.Cut(strings.TrimSuffix(name, ".eml"), "-")
			to, _, _ := strings.Cut(mails[name][strings.Index(mails[name], "\r\nTo: "):], "@")
			last = append(last, kind+" "+to[strings.LastIndex(to, "<")+1:])
		}
		if want := []string{"booking_cancelled kanarifugla", "booking_cancelled eier", "withdrawn kanarifugla"}; !slices.Equal(last, want) {
			t.Errorf("last mails %q, want %q", last, want)
		}
		if b := s.browser(); b.Get(path) == nil || b.Status != 404 {
			t.Errorf("the link still opens: %d", b.Status)
		}
		if own.Get("/my/data"); own.Status != 401 {
			t.Errorf("the session still opens: %d", own.Status)
		}
		if _, err := s.Vault.Open(ctx, audit.Staff(c.owner), "call", c.study.ID, person); errs.KindOf(err) != errs.NotFound {
			t.Errorf("the vault opens: %v", err)
		}
		if err := s.keys.Create(ctx, person); err == nil {
			t.Error("an erased person got a new key")
		}
		for _, store := range []database.Store{database.Identity, database.Study} {
			if strings.Contains(s.bytesOf(store), "kanarifugla") || strings.Contains(dump(t, s.stores[store]), "kanarifugla") {
				t.Errorf("the %s store holds the person", store)
			}
		}
		for _, line := range strings.Split(dump(t, s.stores[database.Study], append(outliving, "participant")...), "\n") {
			if strings.Contains(line, string(person)) {
				t.Errorf("left behind: %s", line)
			}
		}
		if _, err := s.Recruitment.Get(ctx, c.study.ID, person); !errors.Is(err, recruitment.ErrUnknown) {
			t.Errorf("the person is still in the study: %v", err)
		}
		funnel, err := s.Recruitment.Funnel(ctx, c.study.ID, nil)
		if err != nil || funnel.Yes != 1 || len(funnel.Losses) != 1 {
			t.Errorf("the funnel no longer counts who left: %+v, %v", funnel, err)
		}
		if n, err := s.Intents.Count(ctx); n != 0 || err != nil {
			t.Errorf("%d acts are open (%v)", n, err)
		}
		if _, err := s.Audit.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

// A mail server that is away keeps nobody's data alive.
func TestErasureDoesNotWaitForMail(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	s.sender = nil
	s.must(s.people.Withdraw(t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[0]))
	if known, err := s.Vault.Exists(t.Context(), c.persons[0]); known || err != nil {
		t.Errorf("still in the vault (%v)", err)
	}
}
