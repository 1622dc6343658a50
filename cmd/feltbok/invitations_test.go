package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
)

func numbered(i int) string { return fmt.Sprintf("p%05d", i) }

// The page says who gets a letter, who does not and why, and asks about those whom only the team can decide on.
func TestInvitationsAreSorted(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 9, 0, numbered)
		ctx, by, study := t.Context(), audit.Staff(c.owner), c.study.ID
		s.must(s.Recruitment.SetState(ctx, by, study, c.persons[1], recruitment.Declined, false))
		s.must(s.Recruitment.SetState(ctx, by, study, c.persons[2], recruitment.Ineligible, false))
		s.must(s.people.Refuse(ctx, by, study, c.persons[3]))
		s.must(s.people.SendLetter(ctx, by, study, c.persons[4], false))
		c.consent(c.persons[5])
		s.must(s.Recruitment.Edit(ctx, by, study, c.persons[6], recruitment.Details{Code: "A7", Case: c.study.Cases[0].ID, Audience: consents.Company,
			Relation: recruitment.Member, Size: recruitment.Large, Source: recruitment.MemberList}))
		s.must(s.Recruitment.SetQuota(ctx, by, study, c.study.Cases[0].ID, recruitment.QuotaSME, 6)) // two have a place; large companies have no place
		_, err := s.people.Enrol(ctx, by, identities.Identity{Name: "Uten Adresse", Phone: "+4722009999", Language: "nb"}, recruitment.Participant{Study: study,
			Code: "A20", Case: c.study.Cases[0].ID, Audience: consents.Company, Relation: recruitment.Member, Size: recruitment.Small, Source: recruitment.Website})
		s.must(err)

		b := c.staff(c.owner)
		path := "/studies/" + string(study) + "/invitations/new"
		s.must(b.Get(path))
		page := b.Text("main")
		for _, want := range []string{"3 personer får brevet", "Utvalget er 10 personer", "1Har bedt om ikke å bli kontaktet igjen.A4", "1Har sagt nei.A2",
			"1Utenfor målgruppen.A3", "1Har alt sagt ja.A6", "1Har ingen e-postadresse.A20", "Send invitasjonene (3 til 5)", "[navn]", "Ikke kontakt meg igjen: [personlig lenke]"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q: %s", want, page)
			}
		}
		if !b.Has(`a[href*="/letter/"]`) || b.Has("input[type=radio][checked]") {
			t.Error("the letter cannot be read, or something is chosen beforehand")
		}
		for _, lang := range []string{"nn", "en", "nb"} {
			s.must(b.Get(path + "?state=not_asked&lang=" + lang))
			if text := b.Text("main"); strings.Contains(text, "invite.") || strings.Contains(text, "field.") {
				t.Errorf("in %s: %s", lang, text)
			}
			if !b.Has(`.langs a[href*="state=not_asked&lang="]`) {
				t.Error("another language of the page forgets whom it is about")
			}
		}

		named := path + "?person=" + string(c.persons[0]) + "&person=" + string(c.persons[1]) + "&person=" + string(id.New[id.Person]()) + "&person=x"
		s.must(b.Get(named))
		if text := b.Text("main"); !strings.Contains(text, "Valgt enkeltvis") || !strings.Contains(text, "Én person får brevet. Utvalget er 2 personer.") {
			t.Errorf("chosen one by one: %s", text)
		}
		s.must(b.Get(path + "?person=" + string(c.persons[4])))
		if err := b.Form("main form").Set("again", "no").Submit(); err == nil || b.Status != 409 || !strings.Contains(b.Text(".errors"), "ingen å sende til") {
			t.Errorf("sent to nobody: %d %s", b.Status, b.Text("main"))
		}
		s.must(b.Get(path + "?person=" + string(c.persons[1])))
		if b.Has("main form") {
			t.Error("a form that can send to nobody")
		}

		s.must(b.Get(path))
		if err := b.Form("main form").Set("per_hour", "mange").Set("first", "i går").Submit(); err == nil || b.Status != 422 {
			t.Fatalf("status %d", b.Status)
		}
		for _, field := range []string{"again", "crowd", "per_hour", "first"} {
			if !b.Has(`a[href="#f-` + field + `"]`) {
				t.Errorf("nothing said about %s: %s", field, b.Text(".errors"))
			}
		}
		if err := b.Form("main form").Set("per_hour", "30").Set("first", "3.2.2019").Set("again", "no").Set("crowd", "no").Submit(); err == nil || !strings.Contains(b.Text(".errors"), "passert") {
			t.Errorf("a start that has passed: %d %s", b.Status, b.Text(".errors"))
		}
		form := b.Form("main form").Set("per_hour", "30").Set("first", "5. februar kl. 9").Set("again", "yes").Set("crowd", "no")
		late := c.enrol(30, numbered)
		if err := form.Submit(); err == nil || b.Status != 409 || !strings.Contains(b.Text(".errors"), "endret") || !strings.Contains(b.Text("main"), "4 personer") {
			t.Errorf("with one more candidate: %d %s", b.Status, b.Text("main"))
		}
		form = b.Form("main form")
		values := form.Values()
		if values.Get("again") != "yes" || values.Get("first") != "5. februar kl. 9" {
			t.Errorf("what was typed is gone: %v", values)
		}
		s.must(form.Submit())
		first := b.Address()
		if !strings.Contains(b.Text("h1"), "5 invitasjoner") || b.Header.Get("Refresh") == "" {
			t.Errorf("sent, and at %s: %s", first, b.Text("main"))
		}
		s.must(b.Post(path, values))
		if !strings.HasSuffix(b.Address(), "/invitations") || b.Page.Find("tbody tr").Length() != 1 {
			t.Errorf("handed in twice: %s", b.Text("main"))
		}
		for person, want := range map[id.Person]recruitment.State{c.persons[0]: recruitment.Informed, late: recruitment.Informed, c.persons[1]: recruitment.Declined,
			c.persons[3]: recruitment.Declined, c.persons[5]: recruitment.Consented, c.persons[6]: recruitment.Candidate} {
			if got := c.stateOf(person); got != want {
				t.Errorf("somebody is %q, want %q", got, want)
			}
		}
	})
}

// letters sends the batch page's letters and returns it.
func (c *crowd) invite(b *browser.Browser, fields ...string) string {
	c.t.Helper()
	c.must(b.Get("/studies/" + string(c.study.ID) + "/invitations/new"))
	form := b.Form("main form")
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	c.must(form.Submit())
	path, _, _ := strings.Cut(b.Address(), "?")
	return path
}

// Letters leave at the pace asked for; the page says how far they have come; what has not left can be taken back, and those
// people stand where they stood.
func TestInvitationsLeaveAtAPaceAndStop(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 6, 0, numbered)
		b := c.staff(c.owner)
		page := c.invite(b, "per_hour", "60")
		var sent []string
		s.deliver(func(m mail.Message) error {
			name, _, _ := strings.Cut(m.To.Email, "@")
			if name == numbered(1) {
				return &mail.Failure{Extent: mail.Never, Code: "recipient_refused", Status: 550}
			}
			sent = append(sent, name)
			return nil
		})
		for range 3 { // at once, after a minute, after two
			s.sendMail()
			s.clock.set(s.clock.now().Add(time.Minute))
		}
		if got := strings.Join(sent, " "); got != numbered(0)+" "+numbered(2) {
			t.Errorf("after two minutes went %s", got)
		}
		s.must(b.Get(page))
		text := b.Text("main")
		for _, want := range []string{"3 av 6 er behandlet (50 %)", "Sendt2", "Venter3", "Kom ikke fram1", "E-posttjeneren avviste adressen", "A2", "Vi ser ikke hvem som har åpnet brevet.", "i dag 09:05"} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not say %q: %s", want, text)
			}
		}
		s.must(b.Form(`form[action$="/retry"]`).Press("mail", b.Page.Find(`button[name=mail]`).AttrOr("value", "")))
		if !strings.Contains(b.Text("main"), "Venter4") || strings.Contains(b.Text("main"), "avviste") {
			t.Errorf("tried again: %s", b.Text("main"))
		}
		s.must(b.Form(`form[action$="/stop"]`).Submit())
		if text := b.Text("main"); !strings.Contains(text, "Trukket tilbake før sending4") || !strings.Contains(text, "Stoppet i dag") || b.Has(`form[action$="/stop"]`) || b.Header.Get("Refresh") != "" {
			t.Errorf("stopped: %s", text)
		}
		s.clock.set(s.clock.now().Add(time.Hour))
		s.sendMail()
		if len(sent) != 2 {
			t.Errorf("after stopping went %v", sent)
		}
		for i, want := range []recruitment.State{recruitment.Informed, recruitment.Candidate, recruitment.Informed, recruitment.Candidate, recruitment.Candidate, recruitment.Candidate} {
			if got := c.stateOf(c.persons[i]); got != want {
				t.Errorf("A%d is %q, want %q", i+1, got, want)
			}
		}
		b = c.staff(c.owner) // an hour is longer than a session
		// They can be invited again, and whoever has the letter is asked about.
		s.must(b.Get("/studies/" + string(c.study.ID) + "/invitations/new"))
		if text := b.Text("main"); !strings.Contains(text, "4 personer får brevet") || !strings.Contains(text, "alle 2 på nytt") {
			t.Errorf("again: %s", text)
		}
		// Whoever is erased is forgotten by the batch too.
		s.must(s.people.Withdraw(t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[0]))
		s.must(b.Get(page))
		if text := b.Text("main"); !strings.Contains(text, "Slettet med personen1") {
			t.Errorf("after an erasure: %s", text)
		}
		if b.Get(page+"/stop") != nil || b.Address() != page {
			t.Errorf("a reloaded form leads to %s", b.Address())
		}
	})
}

// A withdrawal, a refusal or a stop beside a batch neither locks nor leaves a letter in the queue.
func TestInvitationsBesideLeaving(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		const people = 24
		c := newCrowd(s, people, 0, numbered)
		s.sender = nil
		by := audit.Staff(c.owner)
		batch := recruitment.Batch{ID: id.New[id.Batch](), Study: c.study.ID, FirstAt: s.clock.now().UnixMilli(), PerHour: 60}
		done := make(chan error, people+2)
		go func() { done <- s.people.SendLetters(t.Context(), by, &batch, c.persons) }()
		go func() {
			other := recruitment.Batch{ID: id.New[id.Batch](), Study: c.study.ID, FirstAt: batch.FirstAt, PerHour: 60}
			err := s.people.SendLetters(t.Context(), by, &other, c.persons)
			if err == nil && other.Size > 0 {
				err = s.people.StopLetters(t.Context(), by, c.study.ID, other.ID)
			}
			done <- err
		}()
		leave := []func(person id.Person) error{
			func(person id.Person) error { return s.people.Withdraw(t.Context(), by, c.study.ID, person) },
			func(person id.Person) error { return s.people.Refuse(t.Context(), by, c.study.ID, person) },
		}
		for i, person := range c.persons[:12] {
			go func() { done <- leave[i%2](person) }()
		}
		for range 2 + 12 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		for _, person := range c.persons[:12] {
			var n int
			s.must(s.stores[database.Study].QueryRow(t.Context(), "select count(*) from mail where person_id = $1 and state = 'waiting' and kind = 'letter'", person).Scan(&n))
			if n != 0 {
				t.Errorf("%d letters wait for somebody who left", n)
			}
		}
	})
}

// fillList lists so many more candidates with an identity that nobody will open.
func (c *crowd) fillList(n int) {
	c.t.Helper()
	ctx := c.t.Context()
	var persons []id.Person
	c.must(c.stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
		for i := range n {
			p := recruitment.Participant{ID: id.New[id.Person](), Study: c.study.ID, Code: fmt.Sprintf("A%d", 100+i), Case: c.study.Cases[0].ID,
				Audience: consents.Company, Relation: recruitment.Member, Size: recruitment.Small, Title: "Leder", Source: recruitment.MemberList}
			persons = append(persons, p.ID)
			if err := c.Recruitment.InsertTx(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	}))
	c.must(c.stores[database.Identity].Tx(ctx, func(tx *database.Tx) error {
		for _, person := range persons {
			if _, err := tx.Exec(ctx, "insert into identity (person_id, study_id, version, sealed, updated_at) values ($1, $2, 1, $3, 0)",
				person, c.study.ID, []byte{1}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// A long list is sent to in portions, and nobody falls between two of them.
func TestInvitationsToALongList(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 0, 0, noMark)
		const people = 2*lettersAtOnce + 100
		c.fillList(people)
		c.must(c.Recruitment.SetQuotas(t.Context(), "", c.study.ID, c.study.Cases[0].ID, map[recruitment.Kind]recruitment.Range{recruitment.QuotaSME: {Least: 900}}))
		b := c.staff(c.owner)
		c.must(b.Get("/studies/" + string(c.study.ID) + "/invitations/new?state=not_asked"))
		c.must(b.Form("main form").Submit())
		if c.waiting() != people {
			t.Errorf("%d of %d letters wait", c.waiting(), people)
		}
	})
}

// Goals are kept across the portions of a list: whoever finds no place is asked about, and left out where the answer is no.
func TestInvitationsStopAtTheGoal(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 0, 0, noMark)
	c.fillList(lettersAtOnce + 100)
	const goal = lettersAtOnce + 50
	c.must(c.Recruitment.SetQuota(t.Context(), "", c.study.ID, c.study.Cases[0].ID, recruitment.QuotaSME, goal))
	b := c.staff(c.owner)
	c.must(b.Get("/studies/" + string(c.study.ID) + "/invitations/new?state=not_asked"))
	c.must(b.Form("main form").Set("crowd", "no").Submit())
	if c.waiting() != goal {
		t.Errorf("%d letters wait, want %d", c.waiting(), goal)
	}
}
