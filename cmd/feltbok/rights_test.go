package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"

	"github.com/xuri/excelize/v2"
)

// newest is the latest mail of a kind.
func (s *stage) newest(kind string) string {
	s.t.Helper()
	s.sendMail()
	var latest string
	mails := s.mails()
	for name := range mails {
		if strings.HasSuffix(name, "-"+kind+".eml") && name > latest {
			latest = name
		}
	}
	if latest == "" {
		s.t.Fatalf("no mail of kind %s", kind)
	}
	return mails[latest]
}

func TestAParticipantCorrectsThemselves(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 1, noMark)
		for _, who := range []struct {
			person  id.Person
			purpose links.Purpose
			room    string
		}{{c.persons[0], links.Participant, "/my"}, {c.asked[0], links.Survey, "/survey"}} {
			c.correct(who.person, who.purpose, who.room)
		}
	})
}

func (c *crowd) correct(person id.Person, purpose links.Purpose, room string) {
	t, ctx, path := c.t, c.t.Context(), c.path(person, purpose)
	b := c.enter(person, purpose)
	c.must(b.Get(room + "/correct"))
	before := dump(c.t.(*testing.T), c.stores[database.Identity])
	c.must(b.Form("main form").Submit()) // as it stands
	if dump(c.t.(*testing.T), c.stores[database.Identity]) != before {
		t.Error("handing the form in as it stands wrote something")
	}
	c.must(b.Get(room + "/correct"))
	c.stage.refused(b, b.Form("main form").Set("name", " ").Set("email", "nei").Set("phone", "x"), 422, "name", "email", "phone")
	c.stage.kept(b, "main form", "email", "nei", "phone", "x")
	c.stage.refused(b, b.Form("main form").Set("name", "Ny Navnesen").Set("email", "").Set("phone", ""), 422, "email")
	was, err := c.Vault.Open(ctx, audit.Staff(c.owner), "support", c.study.ID, person)
	c.must(err)
	other, err := c.Vault.Open(ctx, audit.Staff(c.owner), "support", c.study.ID, c.persons[1])
	c.must(err)
	// Another's address is no way to what is theirs, and nobody is told that it is in the study.
	c.must(b.Form("main form").Set("name", "Ny Navnesen").Set("email", other.Email).Set("phone", "22 22 22 22").Submit())
	now, err := c.Vault.Open(ctx, audit.Staff(c.owner), "support", c.study.ID, person)
	c.must(err)
	if now.Name != "Ny Navnesen" || now.Email != other.Email || now.Phone != "+4722222222" || now.Title != was.Title || now.Note != was.Note {
		t.Errorf("corrected to %+v", now)
	}
	if same, err := c.Vault.Open(ctx, audit.Staff(c.owner), "support", c.study.ID, c.persons[1]); err != nil || same != other {
		t.Errorf("the other is %+v now, %v", same, err)
	}
	if next := c.browser(); next.Get(path) != nil {
		t.Error("their own link no longer opens")
	}
	old := c.newest(handlers.MailAddressOld)
	if !strings.Contains(old, "<"+was.Email+">") || strings.Contains(old, testBase) || strings.Contains(old, other.Email) {
		t.Errorf("the old address reads %s", old)
	}
	if taken := c.newest(handlers.MailAddressNew); !strings.Contains(taken, "<"+other.Email+">") || strings.Contains(taken, was.Email) {
		t.Errorf("the new address reads %s", taken)
	}
	entries, err := c.Audit.About(ctx, c.study.ID, person)
	c.must(err)
	if !slices.ContainsFunc(entries, func(e audit.Entry) bool {
		return e.Action == "identity.written" && e.Actor == audit.Participant(person) && e.Detail == "own_correction"
	}) {
		t.Error("the log does not say that the person corrected themselves")
	}
	if c.must(b.Get(room + "/data")); !strings.Contains(b.Text("main"), was.Email) {
		t.Error("the address that is kept to be told is not among their data")
	}
	c.must(c.people.sweepFormer(ctx, c.clock.now().Add(formerKept+time.Hour)))
	if left, err := c.Vault.FormerOf(ctx, c.study.ID, person); err != nil || len(left) != 0 {
		t.Errorf("addresses left: %v, %v", left, err)
	}
}

// A crash after the address was changed and before the mails were written keeps nobody in the dark; one before it tells
// nobody of what did not happen.
func TestACorrectionIsToldAfterACrash(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 0, noMark)
		ctx := t.Context()
		for i, person := range c.persons {
			change := moved{Former: id.New[id.Note](), New: true}
			s.must(s.stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
				_, err := s.Intents.Begin(ctx, tx, c.study.ID, person, correct, change)
				return err
			}))
			if i == 0 {
				was, err := s.Vault.Open(ctx, audit.System, "mail", c.study.ID, person)
				s.must(err)
				who := was
				who.Email = "ny@example.org"
				s.must(s.Vault.Correct(ctx, c.study.ID, person, was, who, change.Former))
			}
		}
		_, err := s.Intents.Reconcile(ctx, true)
		s.must(err)
		for i, person := range c.persons {
			mails, err := s.Outbox.To(ctx, c.study.ID, person)
			s.must(err)
			mails = slices.DeleteFunc(mails, func(m mail.Row) bool { return !strings.HasPrefix(m.Kind, "address_") })
			if want := 2 - 2*i; len(mails) != want {
				t.Errorf("person %d is told by %d mails, want %d", i, len(mails), want)
			}
		}
	})
}

func TestRequestsBecomeTasksWithADay(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 1, noMark)
		c.consent(c.persons[0])
		owner, list := c.staff(c.owner), "/studies/"+string(c.study.ID)+"/tasks"
		for _, who := range []struct {
			person  id.Person
			purpose links.Purpose
			room    string
			code    string
		}{{c.persons[0], links.Participant, "/my", "A1"}, {c.asked[0], links.Survey, "/survey", "R1"}} {
			b := c.enter(who.person, who.purpose)
			s.must(b.Get(who.room + "/request"))
			if b.Has("main form input[checked]") {
				t.Error("something is chosen beforehand")
			}
			s.refused(b, b.Form("main form").Set("note", "Kanarifuglen er feil"), 422, "kind")
			s.kept(b, "main form", "note", "Kanarifuglen er feil")
			s.refused(b, b.Form("main form").Set("kind", consents.AnswerCorrection).Set("note", " "), 422, "note")
			s.must(b.Form("main form").Set("kind", consents.AnswerCorrection).Set("note", "Kanarifuglen er feil").Submit())
			if text := b.Text("main"); !strings.Contains(text, "Å få rettet noe. Du får svar senest 4. mars 2019") {
				t.Errorf("%s says %q", b.Address(), text)
			}
			if receipt := s.newest(handlers.MailRequest); !strings.Contains(receipt, "4. mars 2019") {
				t.Errorf("the receipt reads %s", receipt)
			}
			if strings.Contains(dump(t, s.stores[database.Study]), "anarifugl") || strings.Contains(dump(t, s.stores[database.Identity]), "anarifugl") {
				t.Error("what they wrote lies open in a store")
			}
			s.must(owner.Get(list))
			if !says(owner, "main", who.code+". Vil ha noe rettet") || strings.Contains(owner.Text("body"), "anarifugl") {
				t.Errorf("the list says %q", owner.Text("main"))
			}
			s.must(owner.Form(`form[action$="/open"]`).Submit())
			if !strings.Contains(owner.Text(".opened"), "Kanarifuglen er feil") || strings.Contains(owner.Text("body"), "Navn ") {
				t.Errorf("opened: %q", owner.Text("main"))
			}
			entries, err := s.Audit.About(t.Context(), c.study.ID, who.person)
			s.must(err)
			if last := entries[len(entries)-1]; last.Action != "note.opened" || last.Detail != "request" || last.Actor != audit.Staff(c.owner) {
				t.Errorf("the opening is noted as %+v", last)
			}
			s.must(owner.Get(list))
			s.must(owner.Form(`form[action$="/extend"]`).Submit())
			if told := s.newest(handlers.MailExtended); !strings.Contains(told, "4. mai 2019") || !strings.Contains(told, "datatilsynet.no") {
				t.Errorf("told of more time: %s", told)
			}
			if owner.Has(`form[action$="/extend"]`) {
				t.Error("it can be extended twice")
			}
			s.must(owner.Form(`form[action$="/done"]`).Submit())
			s.must(owner.Form(`form[action$="/reopen"]`).Submit())
			s.must(owner.Form(`form[action$="/done"]`).Submit())
			if !says(owner, "main", "Ingen oppgaver venter") || !says(owner, "main", who.code+". rett opplysninger") {
				t.Errorf("after it is done the list says %q", owner.Text("main"))
			}
			if s.must(b.Get(who.room + "/request")); strings.Contains(b.Text("main"), "Det du har bedt om") {
				t.Error("a request that is answered waits still")
			}
		}
	})
}

func TestTasksAreOverdueOnTheListAndAtHome(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		ctx := t.Context()
		s.must(s.people.Request(ctx, audit.Participant(c.persons[0]), c.study, c.persons[0], consents.AnswerAccess, ""))
		s.must(s.stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
			return s.Consents.AddTaskTx(ctx, tx, consents.Task{Study: c.study.ID, Person: c.persons[0], Code: "A1", Kind: consents.DeleteRecording})
		}))
		s.clock.set(time.Date(2019, 3, 5, 8, 0, 0, 0, time.UTC))
		home := "/studies/" + string(c.study.ID)
		owner := c.staff(c.owner)
		s.must(owner.Get(home))
		if !says(owner, "main", "A1: svar på innsyn Fristen er ute") || !says(owner, "main", "A1: slett opptaket") {
			t.Errorf("home says %q", owner.Text("main"))
		}
		s.must(owner.Get(home + "/tasks"))
		if !says(owner, "main li:first-child", "Fristen er ute") || owner.Has(`form[action$="/extend"]`) || !says(owner, "main", "Slett opptaket av samtalen") {
			t.Errorf("the list says %q", owner.Text("main"))
		}
		account := c.account("ombud@example.org")
		s.must(s.Studies.SetMember(ctx, audit.Staff(c.owner), c.study.ID, account, studies.Officer))
		officer := c.staff(account)
		s.must(officer.Get(home + "/tasks"))
		if !says(officer, "main", "A1. Vil vite mer") || officer.Has("main form") || officer.Has(`main a[href*="/people/"]`) {
			t.Errorf("the officer sees %q", officer.Text("main"))
		}
		for _, page := range []string{home, home + "/tasks", home + "/people/" + string(c.persons[0])} {
			s.speaks(owner, page)
		}
	})
}

func TestRestrictingTakesEffectAtOnceAndEndsWithNotice(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 1, noMark)
		ctx, person := t.Context(), c.persons[0]
		c.consent(person)
		_, err := s.Scheduling.Book(ctx, audit.Participant(person), scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company,
			Mode: scheduling.Phone, Start: c.slot(ctx).Start, Language: "nb"})
		s.must(err)
		b := c.enter(person, links.Participant)
		s.must(b.Get("/my/request"))
		f := b.Form("main form").Set("kind", consents.AnswerRestrict)
		s.must(f.Submit())
		s.must(f.Submit()) // twice is once
		if text := b.Text("main"); !strings.Contains(text, "Vi bare oppbevarer det vi har om deg") || strings.Contains(text, "Velg en tid") {
			t.Errorf("the page says %q", text)
		}
		if tasks, err := s.Consents.OpenTasks(ctx, c.study.ID); err != nil || len(tasks) != 1 {
			t.Errorf("tasks %+v, %v", tasks, err)
		}
		of, err := s.Scheduling.Of(ctx, c.study.ID, person)
		if err != nil || len(of) != 1 || of[0].State != scheduling.Cancelled {
			t.Errorf("appointments %+v, %v", of, err)
		}
		page := "/studies/" + string(c.study.ID) + "/people/" + string(person)
		owner := c.staff(c.owner)
		s.must(owner.Get(page))
		if !says(owner, "main", "Opplysningene kan bare oppbevares. Det gjelder fra 4. februar 2019.") || owner.Has(`form[action="`+page+`/letter"]`) {
			t.Errorf("the team reads %q", owner.Text("main"))
		}
		s.must(owner.Form(`form[action$="/release"]`).Submit())
		if told := s.newest(handlers.MailReleased); !strings.Contains(told, "5. februar 2019") {
			t.Errorf("told: %s", told)
		}
		if err := s.Consents.MayNow(ctx, c.study.ID, person, consents.Interview); !errors.Is(err, consents.ErrRestricted) {
			t.Errorf("before its end: %v", err)
		}
		s.clock.set(s.clock.now().Add(consents.Notice + time.Minute))
		if err := s.Consents.MayNow(ctx, c.study.ID, person, consents.Interview); err != nil {
			t.Errorf("after its end: %v", err)
		}
		asked := c.enter(c.asked[0], links.Survey)
		c.sayYes(c.asked[0])
		s.must(asked.Get("/survey/request"))
		s.must(asked.Form("main form").Set("kind", consents.AnswerRestrict).Submit())
		s.must(asked.Get("/survey"))
		if !strings.Contains(asked.Text("main"), "Svarene dine blir bare oppbevart") {
			t.Errorf("the survey says %q", asked.Text("main"))
		}
		for _, at := range []string{"/survey/mine", "/survey/request", "/survey/contact", "/survey/data"} {
			s.speaks(asked, at)
		}
	})
}

// Under consent an objection is to being contacted, and what was agreed to stands; under public interest it is to the use.
func TestObjectingGoesByTheLegalBasis(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 0, noMark)
		ctx := t.Context()
		for i, basis := range []studies.LegalBasis{studies.Consent, studies.PublicInterest} {
			person, study := c.persons[i], c.study
			study.LegalBasis = basis
			c.consent(person)
			s.must(s.people.Request(ctx, audit.Participant(person), study, person, consents.AnswerObject, ""))
			reach, err := s.Vault.Reach(ctx, c.study.ID, person)
			s.must(err)
			restriction, err := s.Consents.RestrictionOf(ctx, person)
			s.must(err)
			if public := basis == studies.PublicInterest; reach[person].Barred == public || (restriction.Kind == consents.Object) != public {
				t.Errorf("%s: barred %v, restriction %+v", basis, reach[person].Barred, restriction)
			}
			if tasks, err := s.Consents.TasksOf(ctx, c.study.ID, person); err != nil || len(tasks) != 1 || tasks[0].DueAt == 0 {
				t.Errorf("%s: tasks %+v, %v", basis, tasks, err)
			}
		}
	})
}

// Promise 7 for the pages behind the links: whatever a robot opens there, and hands in as it stands, changes nothing but the
// log of what was read.
func TestOpeningOnesOwnPagesChangesNothing(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 1, noMark)
		c.consent(c.persons[0])
		c.sayYes(c.asked[0])
		s.sendMail()
		s.clock.set(s.clock.now())
		known := append([]string{"audit_entry", "audit_head"}, notStudyData...)
		before, vault := dump(t, s.stores[database.Study], known...), dump(t, s.stores[database.Identity])
		opened := 0
		for _, side := range []struct {
			person  id.Person
			purpose links.Purpose
		}{{c.persons[0], links.Participant}, {c.asked[0], links.Survey}} {
			for _, r := range s.server.Rules() {
				if r.Purpose != side.purpose || r.Method != http.MethodGet || strings.HasSuffix(r.Path, "/done") {
					continue
				}
				b := c.enter(side.person, side.purpose)
				if b.Get(c.fill(r.Path)); b.Status == http.StatusOK {
					opened++
				}
				if strings.HasPrefix(b.Address(), "/survey/page/") {
					continue // keeps an empty draft once somebody has said yes to answering
				}
				for i := range b.Forms() {
					b := c.enter(side.person, side.purpose)
					b.Get(c.fill(r.Path))
					b.Forms()[i].Submit()
				}
			}
		}
		if opened < 20 {
			t.Errorf("only %d pages opened", opened)
		}
		if after := dump(t, s.stores[database.Study], known...); after != before {
			t.Errorf("the study store changed:\n%s", difference(before, after))
		}
		if dump(t, s.stores[database.Identity]) != vault {
			t.Error("the vault changed")
		}
	})
}

// copied says where the rows of a table about a person stand in their copy; technical is why they do not.
var copied = map[string]string{
	"participant": "in_the_study", "participant_attribute": "in_the_study.attributes", "participant_change": "changes",
	"contact_log": "contacts", "contact_plan": "postponed", "consent_act": "answers", "consent_item": "answers.items",
	"restriction": "only_kept", "task": "requests", "booking": "appointments", "interview": "conversations", "coding_mark": "themes",
	"survey_respondent": "surveys", "survey_response": "surveys.answers", "session": "visits", "link": "links", "mail": "mails",
	"referral_coupon": "invitations_made", "audit_entry": "log",
	"identity": "you", "note": "notes", "signature": "answers.signature", "tip": "tips_given", "former_address": "addresses_left",
}

var technical = map[string]string{
	"consent_turn":    "counts acts, so that two wait for each other",
	"person_turn":     "counts bookings, so that two wait for each other",
	"anonymous":       "is written when nobody is left to read it, with an id that was never theirs",
	"intent":          "an act that is under way, for seconds",
	"erasure":         "is written when nobody is left to read it",
	"identity_lookup": "keyed hashes of the address and number in identity",
	"data_key":        "the key that opens the rest",
	"erased":          "is written when nobody is left to read it",
}

// The copy has something from every table that holds a person: a new table must be given a place in it, or a reason.
func TestTheCopyIsComplete(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 2, 0, noMark)
		person := c.persons[0]
		c.fillAll(person)
		b := c.enter(person, links.Participant)
		s.must(b.Get("/my/data.json"))
		var file map[string]any
		s.must(json.Unmarshal(b.Body, &file))
		for _, store := range []database.Store{database.Study, database.Identity, database.Keys} {
			db := s.stores[store]
			for _, table := range tables(t, db) {
				held := slices.DeleteFunc(columns(t, db, table), func(column string) bool { return !strings.Contains(column, "person") })
				if len(held) == 0 || technical[table] != "" {
					continue
				}
				place, mapped := copied[table]
				if !mapped {
					t.Errorf("table %s holds a person and has no place in the copy", table)
					continue
				}
				if n := c.rowsOf(db, table, held, person); n == 0 {
					t.Errorf("the test put nothing into %s", table)
				}
				if !present(file, strings.Split(place, ".")) {
					t.Errorf("the copy has nothing from %s: %s is empty", table, place)
				}
			}
		}
		c.workbookMirrors(b, file)
		c.leavesNothing(person)
	})
}

// leavesNothing withdraws somebody who has a row in every table: none is left but those that stay on purpose, and what is to
// be done by hand, without the person.
func (c *crowd) leavesNothing(person id.Person) {
	c.t.Helper()
	c.must(c.people.Withdraw(c.t.Context(), audit.Participant(person), c.study.ID, person))
	t := c.t.(*testing.T)
	for _, store := range database.Stores {
		for _, table := range tables(t, c.stores[store]) {
			held := slices.DeleteFunc(columns(t, c.stores[store], table), func(column string) bool { return !strings.Contains(column, "person") })
			if len(held) == 0 || slices.Contains(outliving, table) || table == "participant" || table == "erased" {
				continue
			}
			if n := c.rowsOf(c.stores[store], table, held, person); n > 0 {
				t.Errorf("%s has %d rows of somebody who has left", table, n)
			}
		}
	}
	open, err := c.Consents.OpenTasks(t.Context(), c.study.ID)
	if err != nil || len(open) != 3 { // what they asked for, the recording, the files
		t.Errorf("tasks after leaving: %+v, %v", open, err)
	}
	for _, task := range open {
		if task.Code != "A1" || task.Note != "" || task.Person != "" {
			t.Errorf("task after leaving: %+v", task)
		}
	}
}

// What somebody asks for on the telephone is entered by the team, and is the same to them.
func TestTheTeamEntersARequest(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 1, 0, noMark)
		page := "/studies/" + string(c.study.ID) + "/people/" + string(c.persons[0])
		owner := c.staff(c.owner)
		s.must(owner.Get(page + "/request"))
		s.refused(owner, owner.Form("main form").Set("note", "Ringte"), 422, "kind")
		s.kept(owner, "main form", "note", "Ringte")
		s.must(owner.Form("main form").Set("kind", consents.AnswerRestrict).Submit())
		if !says(owner, "main", "Opplysningene kan bare oppbevares.") || !says(owner, "main", "Én oppgave venter") {
			t.Errorf("the person's page says %q", owner.Text("main"))
		}
		r, err := s.Consents.RestrictionOf(t.Context(), c.persons[0])
		if err != nil || r.Actor != audit.Staff(c.owner) {
			t.Errorf("restricted by %+v, %v", r, err)
		}
		own := c.enter(c.persons[0], links.Participant)
		s.must(own.Get("/my/data"))
		if !strings.Contains(own.Text("main"), "Ringte") {
			t.Error("the person does not see what was written")
		}
		s.speaks(owner, page+"/request")
	})
}

func (c *crowd) rowsOf(db *database.DB, table string, held []string, person id.Person) (n int) {
	c.t.Helper()
	c.must(db.QueryRow(c.t.Context(), "select count(*) from "+table+" where "+strings.Join(held, " = $1 or ")+" = $1", person).Scan(&n))
	return n
}

// present says whether there is something at a place of the file, in a list in any of its records.
func present(at any, place []string) bool {
	switch v := at.(type) {
	case map[string]any:
		if len(place) == 0 {
			return len(v) > 0
		}
		return present(v[place[0]], place[1:])
	case []any:
		if len(place) == 0 {
			return len(v) > 0
		}
		return slices.ContainsFunc(v, func(one any) bool { return present(one, place) })
	}
	return at != nil && len(place) == 0
}

// workbookMirrors checks that the workbook has a sheet for every part of the file, that texts are no formulas, and that times
// are dates.
func (c *crowd) workbookMirrors(b *browser.Browser, file map[string]any) {
	t := c.t
	c.must(b.Get("/my/data.xlsx"))
	book, err := excelize.OpenReader(bytes.NewReader(b.Body))
	c.must(err)
	parts := 1
	for _, part := range file {
		switch v := part.(type) {
		case []any:
			if len(v) > 0 {
				parts++
			}
		case map[string]any:
			parts++
		}
	}
	parts++ // the attributes within the place in the study
	if got := len(book.GetSheetList()); got != parts {
		t.Errorf("%d sheets, want %d: %v", got, parts, book.GetSheetList())
	}
	notes, err := book.GetRows("Notater")
	c.must(err)
	if len(notes) != 3 || !slices.ContainsFunc(notes, func(row []string) bool { return row[1] == "=1+1" }) {
		t.Errorf("notes %q", notes)
	}
	for _, row := range []string{"A2", "A3"} {
		if kind, err := book.GetCellType("Notater", row); err != nil || kind != excelize.CellTypeUnset {
			t.Errorf("the time of a note is of type %v, %v: want a number shown as a date", kind, err)
		}
		if formula, err := book.GetCellFormula("Notater", "B"+row[1:]); err != nil || formula != "" {
			t.Errorf("a note became the formula %q, %v", formula, err)
		}
	}
	answers, err := book.GetRows("Svar")
	c.must(err)
	if len(answers) < 7 {
		t.Errorf("answers %q: want a row for each item", answers)
	}
}

// fillAll gives a person a row in every table, through the domains.
func (c *crowd) fillAll(person id.Person) {
	c.t.Helper()
	ctx, staff, own := c.t.Context(), audit.Staff(c.owner), audit.Participant(person)
	c.must(c.Recruitment.SetAttributes(ctx, staff, c.study.ID, []recruitment.Attribute{{Name: "Region", Values: []string{"Øst"}}}))
	all, err := c.Recruitment.Attributes(ctx, c.study.ID)
	c.must(err)
	c.must(c.Recruitment.Edit(ctx, staff, c.study.ID, person, recruitment.Details{Code: "A1", Case: c.study.Cases[0].ID, Audience: consents.Company,
		Relation: recruitment.Member, Size: recruitment.Small, Title: "Leder", Source: recruitment.MemberList, Attributes: map[string]string{all[0].Key: "Øst"}}))
	c.call(person, "=1+1")
	c.consent(person)
	said, err := c.Consents.State(ctx, c.study.ID, person)
	c.must(err)
	c.must(c.Vault.Sign(ctx, own, c.study.ID, person, said.Acts[0].ID, identities.Signature{Typed: "Navn Navnesen"}))
	_, err = c.Scheduling.Book(ctx, own, scheduling.Request{Study: c.study.ID, Person: person, Audience: consents.Company, Mode: scheduling.Phone,
		Start: c.slot(ctx).Start, Language: "nb"})
	c.must(err)
	_, err = c.people.MakeCoupon(ctx, own, c.study.ID, person, false, 1)
	c.must(err)
	c.must(c.people.AddTip(ctx, staff, c.study.ID, person, identities.Identity{Name: "Tipset", Phone: "22 33 44 55", Note: "Kjenner feltet"}, 7))
	_, err = c.Interviews.Record(ctx, staff, interviews.Held{Study: c.study.ID, Person: person, Mode: "phone", HeldOn: "2019-02-01", Minutes: 40})
	c.must(err)
	c.must(c.Interviews.SetThemes(ctx, staff, c.study.ID, []interviews.Theme{{Key: "time", Category: "barrier", Label: "Tid"}}))
	c.must(c.Interviews.Mark(ctx, staff, c.study.ID, person, "time", interviews.Mentioned))
	c.must(c.Surveys.AddInformant(ctx, staff, surveys.Respondent{Person: person, Survey: c.survey, Study: c.study.ID, Code: "A1"}))
	c.sayYes(person)
	form, err := c.Surveys.FormAt(ctx, c.study.ID, c.survey, 1)
	c.must(err)
	for page := range form.Pages {
		raw := map[string][]string{}
		for _, q := range form.Pages[page].Questions {
			if q.Type.HasChoices() {
				raw[q.Input()] = []string{form.Lists[q.Scale][0].Value}
			}
		}
		answers, err := surveys.Validate(&form, page, raw)
		c.must(err)
		c.must(c.Surveys.SavePage(ctx, c.study.ID, c.survey, person, 1, page, answers))
	}
	c.must(c.Surveys.Submit(ctx, own, c.study.ID, c.survey, person, "nb"))
	was, err := c.Vault.Open(ctx, staff, "support", c.study.ID, person)
	c.must(err)
	who := was
	who.Email = "ny@example.org"
	c.must(c.people.Correct(ctx, c.study.ID, person, was, who))
	c.must(c.people.Request(ctx, own, c.study, person, consents.AnswerRestrict, "Vent litt"))
	c.sendMail()
	if _, err := c.Recruitment.Get(ctx, c.study.ID, person); errs.KindOf(err) == errs.NotFound {
		c.t.Fatal("the person is gone")
	}
}
