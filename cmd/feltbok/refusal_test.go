package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/surveys"
)

// barred says whether the study may not ask a person again.
func (c *crowd) barred(person id.Person) bool {
	c.t.Helper()
	reach, err := c.Vault.Reach(c.t.Context(), c.study.ID, person)
	c.must(err)
	return reach[person].Barred
}

func (c *crowd) stateOf(person id.Person) recruitment.State {
	c.t.Helper()
	p, err := c.Recruitment.Get(c.t.Context(), c.study.ID, person)
	c.must(err)
	return p.State
}

// waiting counts the mails in the queue.
func (c *crowd) waiting() int {
	c.t.Helper()
	counts, err := c.Outbox.Counts(c.t.Context(), c.study.ID)
	c.must(err)
	return counts[mail.Waiting]
}

// press does what a mail program does: no cookie, no key, and no word of any page.
func (c *crowd) press(path, body string, header ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, testBase+path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, request)
	return w
}

// The page in the mail changes nothing until something is chosen, does what is chosen, and leaves a date and a yes alone.
func TestRefusalPage(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		c := newCrowd(s, 3, 1, noMark)
		ctx, by := t.Context(), audit.Staff(c.owner)
		for _, person := range c.persons[:2] {
			s.must(s.people.SendLetter(ctx, by, c.study.ID, person, false))
		}
		asked, booked, respondent := c.persons[0], c.persons[2], c.asked[0]
		c.consent(booked)
		_, err := s.Scheduling.Book(ctx, by, scheduling.Request{Study: c.study.ID, Person: booked, Audience: consents.Company, Mode: scheduling.Phone,
			Start: s.clock.now().Add(72 * time.Hour), ByStaff: true})
		s.must(err)

		path := c.path(asked, links.Refusal)
		b := s.browser()
		s.must(b.Get(path + "?lang=nb"))
		for _, word := range []string{c.study.Title, "Navn", "pa@", "Samtale"} {
			if strings.Contains(string(b.Body), word) {
				t.Errorf("the page says %q", word)
			}
		}
		if b.Has("input[checked]") || b.Header.Get("Set-Cookie") != "" && strings.Contains(b.Header.Get("Set-Cookie"), "participant") {
			t.Error("something is chosen beforehand, or a session begins")
		}
		if err := b.Form("main form").Submit(); err == nil || b.Status != 422 || !b.Has(`a[href="#f-choice"]`) {
			t.Errorf("without a choice: %d %s", b.Status, b.Text("main"))
		}
		s.must(b.Form("main form").Set("choice", "nothing").Submit())
		if b.Text("h1") != "Alt er som før" || c.barred(asked) || c.stateOf(asked) != recruitment.Informed {
			t.Errorf("after «a mistake»: %s", b.Text("main"))
		}
		s.must(b.Get(path))
		values := b.Form("main form").Set("choice", "contact").Values()
		for range 2 {
			s.must(b.Post(path, values))
			if b.Address() != path || b.Text("h1") != "Vi kontakter deg ikke igjen" {
				t.Errorf("after refusing: %s at %s", b.Text("main"), b.Address())
			}
		}
		if !c.barred(asked) || c.stateOf(asked) != recruitment.Declined {
			t.Errorf("refused, and barred is %v, state %q", c.barred(asked), c.stateOf(asked))
		}
		if n := strings.Count(dump(t, s.stores[database.Study]), "person.refused"); n != 1 {
			t.Errorf("%d refusals in the chain, want 1", n)
		}
		if err := s.people.SendLetter(ctx, by, c.study.ID, asked, false); err == nil {
			t.Error("who refused was sent a letter")
		}

		own := c.enter(asked, links.Participant)
		s.must(own.Get("/my/data"))
		if !strings.Contains(own.Text("main"), "Vi kontakter deg ikke igjen.") {
			t.Error("their own data do not say so")
		}

		// Whoever said yes keeps it, and the date.
		s.must(s.people.Refuse(ctx, by, c.study.ID, booked))
		bookings, err := s.Scheduling.Of(ctx, c.study.ID, booked)
		if err != nil || bookings[0].State != scheduling.Booked || c.stateOf(booked) != recruitment.Booked || !c.barred(booked) {
			t.Errorf("with a date: %+v %v, state %q, barred %v", bookings, err, c.stateOf(booked), c.barred(booked))
		}
		if standing, err := s.Consents.Standing(ctx, s.stores[database.Study], c.study.ID, booked, consents.Interview); err != nil || standing != consents.Yes {
			t.Errorf("the consent stands at %q (%v)", standing, err)
		}
		s.must(s.people.Refuse(ctx, audit.Participant(respondent), c.study.ID, respondent))
		r, err := s.Surveys.RespondentOf(ctx, c.study.ID, c.survey, respondent)
		if err != nil || r.State != surveys.Out {
			t.Errorf("the respondent is %q (%v)", r.State, err)
		}

		// What went out: the other letter, and what was asked for.
		var sent []string
		s.deliver(func(m mail.Message) error {
			sent = append(sent, m.Kind+" "+m.To.Email)
			return nil
		})
		s.sendMail()
		if got := strings.Join(sent, ", "); strings.Contains(got, "letter pa@") || strings.Contains(got, "survey_invitation") || !strings.Contains(got, "letter pb@") ||
			!strings.Contains(got, "booking_confirmed pc@") {
			t.Errorf("sent %s", got)
		}

		// The same page can still delete everything; a second click ends where the first did.
		s.must(b.Get(path))
		values = b.Form("main form").Set("choice", "all").Values()
		for range 2 {
			s.must(b.Post(path, values))
			if !strings.HasPrefix(b.Address(), "/my/left") {
				t.Errorf("after deleting: %s", b.Address())
			}
		}
		if known, err := s.Vault.Exists(ctx, asked); known || err != nil {
			t.Errorf("the vault still knows them (%v)", err)
		}
		if b.Get(path) == nil || b.Status != 404 || !strings.Contains(b.Text("main"), "virker ikke") {
			t.Errorf("the link still opens: %d", b.Status)
		}
	})
}

// A mail program's own button works at that address and from outside every browser, and means the first choice.
func TestOneClick(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 2, 0, noMark)
	path, other := c.path(c.persons[0], links.Refusal), c.path(c.persons[1], links.Participant)
	const body = "List-Unsubscribe=One-Click"
	for _, tc := range []struct {
		name, path, body string
		header           []string
	}{
		{"another site's form", path, body, []string{"Sec-Fetch-Site", "cross-site"}},
		{"another site's form, older browser", path, body, []string{"Origin", "https://annen.example.org"}},
		{"a sandboxed frame", path, body, []string{"Origin", "null"}},
		{"a page of ours", path, body, []string{"Sec-Fetch-Site", "same-origin", "Origin", testBase}},
		{"another word", path, "List-Unsubscribe=Two-Clicks", nil},
		{"no word", path, "choice=contact", nil},
		{"another address", other, body, nil},
		{"sign-in", "/sign-in", body, nil},
		{"a forged link", "/u/" + strings.Repeat("a", 43), body, nil},
	} {
		before := dump(t, s.stores[database.Study], notStudyData...)
		if w := c.press(tc.path, tc.body, tc.header...); w.Code < 400 {
			t.Errorf("%s: status %d", tc.name, w.Code)
		}
		if after := dump(t, s.stores[database.Study], notStudyData...); after != before || c.barred(c.persons[0]) {
			t.Errorf("%s changed something:\n%s", tc.name, difference(before, after))
		}
	}
	s.must(s.people.SendLetter(t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[0], false))
	const multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n"
	for _, w := range []*httptest.ResponseRecorder{c.press(path, body), c.press(path, body), c.press(path, multipart, "Content-Type", "multipart/form-data; boundary=x")} {
		if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("status %d, body %q, cookie %q", w.Code, w.Body, w.Header().Get("Set-Cookie"))
		}
	}
	if !c.barred(c.persons[0]) || c.stateOf(c.persons[0]) != recruitment.Declined || c.waiting() != 0 {
		t.Errorf("barred %v, state %q, %d waiting", c.barred(c.persons[0]), c.stateOf(c.persons[0]), c.waiting())
	}
	if n := strings.Count(dump(t, s.stores[database.Study]), "person.refused"); n != 1 {
		t.Errorf("%d refusals in the chain, want 1", n)
	}
}

// Every mail that nobody asked for, and no other, offers the way out: in its text and to mail programs.
func TestUnaskedMailsOfferARefusal(t *testing.T) {
	s := newStage(t, nil)
	offers := map[string]bool{}
	c := everyMail(t, s)
	for name, text := range s.mails() {
		kind := strings.TrimSuffix(name[strings.Index(name, "-")+1:], ".eml")
		header, body, _ := strings.Cut(text, "\r\n\r\n")
		header = strings.ReplaceAll(header, "\r\n ", " ") // a long one goes on in the next line
		asked := strings.Contains(header, "List-Unsubscribe: <"+testBase+"/u/") && strings.Contains(header, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
		told := strings.Contains(body, "Ikke kontakt meg igjen: "+testBase+"/u/")
		if asked != told {
			t.Errorf("%s: headers %v, text %v\n%s", kind, asked, told, text)
		}
		offers[kind] = offers[kind] || asked
	}
	for kind, offered := range offers {
		if want := slices.Contains(handlers.Unasked, kind); offered != want {
			t.Errorf("%s offers a refusal: %v, want %v", kind, offered, want)
		}
	}
	if len(offers) < 7 || c.study.ID == "" {
		t.Errorf("only %v were looked at", offers)
	}
}

// Whoever leaves is not asked again by mistake: the fingerprint outlives them, and nothing else does.
func TestLeavingBars(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 1, noMark)
	for i, person := range []id.Person{c.persons[0], c.asked[0]} {
		s.must(s.people.Withdraw(t.Context(), audit.Participant(person), c.study.ID, person))
		who := identity(i, noMark)
		again, err := s.Vault.Barred(t.Context(), c.study.ID, who)
		if err != nil || !again[0] {
			t.Errorf("person %d may be asked again (%v)", i, err)
		}
		if text := dump(t, s.stores[database.Identity]); strings.Contains(text, string(person)) {
			t.Errorf("the vault still knows person %d", i)
		}
		// Taken in again by mistake, they are told apart before anything is sent.
		if !c.barred(c.enrol(i, noMark)) {
			t.Errorf("person %d, taken in again, counts as one who may be asked", i)
		}
	}
}

// The team enters what somebody said on the telephone.
func TestTeamEntersARefusal(t *testing.T) {
	f := newPeopleStudy(t, newStage(t, nil))
	one := f.enrolled()
	f.publish()
	f.must(f.act(one + "/letter"))
	f.must(f.owner.Follow("Ikke kontakt igjen"))
	if f.owner.Has("input[checked]") {
		t.Error("a choice is made beforehand")
	}
	f.refused(f.act(one+"/refuse"), 422, "Velg om personen skal kontaktes igjen", "", "")
	f.must(f.act(one+"/refuse", "choice", "keep"))
	if f.owner.Address() != one || strings.Contains(f.owner.Text("main"), "Har bedt om") {
		t.Errorf("after «no»: %s", f.owner.Text("main"))
	}
	f.must(f.owner.Get(one + "/refuse"))
	values := f.owner.Form(`form[action="`+one+`/refuse"]`).Set("choice", "refuse").Values()
	for range 2 {
		f.must(f.owner.Post(one+"/refuse", values))
		if !strings.Contains(f.owner.Text("main"), "Har bedt om ikke å bli kontaktet igjen") || f.owner.Text(".lead") != "Sa nei" {
			t.Errorf("after refusing, at %s: %s", f.owner.Address(), f.owner.Text("main"))
		}
	}
	if f.owner.Has(`a[href$="/refuse"]`) || f.owner.Has(`form[action$="/letter"]`) {
		t.Error("a refusal or a letter is still offered")
	}
	if sent, err := f.sender.SendDue(t.Context()); sent != 0 || err != nil {
		t.Errorf("%d mails went (%v)", sent, err)
	}
	// Set back by hand, they still get no letter.
	f.must(f.act(one+"/state", "state", "interested"))
	if f.owner.Has(`form[action$="/letter"]`) {
		t.Error("a letter is offered to somebody who asked not to be contacted again")
	}
}

// The number to invite says who will not be written to, and nobody of them is.
func TestSurveyCountsLeaveOutWhoRefused(t *testing.T) {
	s := newStage(t, nil)
	c := newCrowd(s, 1, 0, noMark)
	s.must(s.people.Refuse(t.Context(), audit.Staff(c.owner), c.study.ID, c.persons[0]))
	c.ask(0, noMark) // by the same address
	c.ask(1, noMark)
	b := c.staff(c.owner)
	s.must(b.Get("/studies/" + string(c.study.ID) + "/surveys/" + string(c.survey)))
	if text := b.Text("main"); !strings.Contains(text, "Én på listen har bedt om ikke å bli kontaktet igjen") || !strings.Contains(text, "Inviter én person") {
		t.Errorf("the page says %s", text)
	}
	s.must(b.Form(`form[action$="/invite"]`).Submit())
	var sent []string
	s.deliver(func(m mail.Message) error {
		sent = append(sent, m.To.Email)
		return nil
	})
	s.sendMail()
	if len(sent) != 1 || sent[0] != "pb@example.org" {
		t.Errorf("sent to %v", sent)
	}
}
