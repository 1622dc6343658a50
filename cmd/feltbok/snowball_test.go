package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
)

// joined is an informant who has said yes, in their own browser.
func (f *participation) joined(code string) (id.Person, *browser.Browser) {
	f.t.Helper()
	person, link := f.informant(code)
	return person, f.consented(link)
}

// coupon makes an invitation of an informant's and returns the friend's address.
func (f *participation) coupon(informant id.Person, showName bool) (recruitment.Coupon, string) {
	f.t.Helper()
	ctx := context.Background()
	c, err := f.People.MakeCoupon(ctx, audit.Participant(informant), f.study.ID, informant, showName, recruitment.UnknownNetwork)
	f.must(err)
	link, err := f.Links.Ensure(ctx, f.study.ID, informant, links.Referral, string(c.ID), time.UnixMilli(c.ExpiresAt))
	f.must(err)
	token, err := f.Links.Token(ctx, link)
	f.must(err)
	return c, "/i/" + token
}

// friend opens an invitation and fills in a yes.
func (f *participation) friend(path, name, email, phone string) (*browser.Browser, *browser.Form) {
	f.t.Helper()
	b := f.browser()
	f.must(b.Get(path))
	return b, b.Form("main form").Set("answer", "yes").Set("name", name).Set("email", email).Set("phone", phone).Set("language", "nn")
}

// everybody lists who is in the study and who is in the vault.
func (f *participation) everybody() (in []recruitment.Participant, known []id.Person) {
	f.t.Helper()
	in, err := f.Recruitment.List(context.Background(), f.study.ID, recruitment.Filter{})
	f.must(err)
	known, err = f.Vault.Persons(context.Background())
	f.must(err)
	return in, known
}

// sweepNow does what the hour brings.
func (f *participation) sweepNow() {
	f.t.Helper()
	f.must(f.people.sweepTips(context.Background()))
}

// An informant passes an invitation on, a friend leaves their own data, and the team finds somebody to call.
func TestSnowball(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		informant, own := f.joined("A2")
		f.must(own.Get("/my"))
		f.must(own.Follow("/my/pass"))
		f.at(own, "/my/pass", "5 av 5 igjen", "Omtrent hvor mange andre")
		if own.Has("main input:checked, main input[checked]") {
			t.Error("whether to be named is chosen in advance")
		}
		f.refused(own.Form("main form").Set("network", "mange"), own, http.StatusUnprocessableEntity)
		if !own.Has("#f-network-error") || !own.Has("#f-show-error") || own.Form("main form").Values().Get("network") != "mange" {
			t.Errorf("faults: %s", own.Text(".errors"))
		}
		made := own.Form("main form").Set("network", "1 200").Set("show", "yes")
		f.must(made.Submit())
		f.must(made.Submit()) // a double click
		f.at(own, "/my/pass", "4 av 5 igjen", "Til én person, og gjelder til 15. april 2019. Sier hvem den kom fra.")
		if own.Has("[name=network]") {
			t.Error("the size of the network is asked twice")
		}
		for _, lang := range []string{"nb", "nn", "en"} {
			if text := own.Page.Find(`textarea[lang="` + lang + `"]`).Text(); !strings.Contains(text, testBase+"/i/") || !strings.HasSuffix(text, "?lang="+lang) {
				t.Errorf("text in %s: %q", lang, text)
			}
		}
		if p, _ := f.Recruitment.Get(t.Context(), f.study.ID, informant); p.NetworkSize != 1200 {
			t.Errorf("network size %d", p.NetworkSize)
		}
		f.must(own.Get("/my/pass")) // without the notice
		before := changing.ReplaceAllString(string(own.Body), "")
		path := strings.TrimPrefix(own.Page.Find(`a[href*="/i/"]`).AttrOr("href", ""), testBase)

		friend := f.browser()
		f.must(friend.Get(path))
		f.at(friend, strings.Split(path, "?")[0], "Arne Finnesikke er med i et forskningsprosjekt ved Nordfjord universitet", "Vi vet ikke hvem du er", "klynger@example.org")
		if title := friend.Text("title"); strings.Contains(title, "Samskaping") || strings.Contains(title, "Arne") {
			t.Errorf("the title says %q", title)
		}
		terms := friend.Text(".terms")
		f.refused(friend.Form("main form"), friend, http.StatusUnprocessableEntity)
		f.refused(friend.Form("main form").Set("answer", "yes").Set("name", "Frida Tenkt").Set("email", "a@b.no, c@d.no").Set("phone", "x\x01"), friend, http.StatusUnprocessableEntity)
		if again := friend.Form("main form").Values(); again.Get("name") != "Frida Tenkt" || again.Get("email") != "a@b.no, c@d.no" || !friend.Has(`.errors a[href="#f-phone"]`) {
			t.Errorf("came back as %v: %s", again, friend.Text(".errors"))
		}
		f.refused(friend.Form("main form").Set("email", "").Set("phone", ""), friend, http.StatusUnprocessableEntity)
		if !strings.Contains(friend.Text("#f-email-error"), "Skriv en e-postadresse eller et telefonnummer") {
			t.Errorf("neither address nor number: %s", friend.Text(".errors"))
		}
		f.must(friend.Form("main form").Set("email", "frida@example.org").Set("language", "nn").Submit())
		f.at(friend, "/i/end/thanks", "Takk. Vi tar kontakt.")

		in, known := f.everybody()
		if len(in) != 2 || len(known) != 2 {
			t.Fatalf("%d in the study, %d in the vault", len(in), len(known))
		}
		got := in[1]
		now := f.clock.now().UnixMilli()
		if got.Code != "A3" || got.Recruiter != informant || got.Coupon != 1 || got.Source != recruitment.Referral || got.State != recruitment.Interested ||
			got.NextAt != now || got.Audience != "company" || got.Relation != recruitment.Member {
			t.Errorf("taken in as %+v", got)
		}
		if due, err := f.Recruitment.Due(t.Context(), f.study.ID, now); err != nil || len(due) != 1 {
			t.Errorf("%d to be called (%v)", len(due), err)
		}
		said, came, err := f.Recruitment.AcceptanceOf(t.Context(), f.study.ID, got.ID)
		if err != nil || !came || said.Text != terms || said.Language != "nb" || !strings.Contains(said.Text, "31. desember 2019") {
			t.Errorf("agreed to %+v (%v), was shown %q", said, err, terms)
		}
		f.must(own.Get("/my/pass"))
		if after := changing.ReplaceAllString(string(own.Body), ""); after != before {
			t.Errorf("the informant's page tells what became of the invitation:\n%s", difference(before, after))
		}
		if friend.Get(path); friend.Status != http.StatusNotFound {
			t.Errorf("a used invitation opens: %d", friend.Status)
		}
		f.tells(got.ID, "Du lét oss få kontaktopplysningane dine då du svarte på ein invitasjon.")
	})
}

// tells checks that the first letter to somebody says where their address came from.
func (f *participation) tells(person id.Person, want string) {
	f.t.Helper()
	message, err := f.server.Render(context.Background(), mail.Row{Mail: mail.Mail{Study: f.study.ID, Person: person, Kind: handlers.MailLetter}})
	f.must(err)
	if !strings.Contains(message.Text, want) {
		f.t.Errorf("the letter does not say %q:\n%s", want, message.Text)
	}
}

// Whoever is known already, and whoever is not to be contacted again, reads what a new friend reads, and leaves nothing.
func TestKnownFriendsGetTheSameAnswer(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx, staff := t.Context(), audit.Staff(f.staff)
		informant, _ := f.joined("A2")
		enrol := func(code, email, phone string) id.Person {
			t.Helper()
			person, err := f.People.Enrol(ctx, staff, identities.Identity{Name: "Kjent Oppdiktet", Email: email, Phone: phone},
				recruitment.Participant{Study: f.study.ID, Code: code, Case: f.kase, Audience: "company", Relation: recruitment.Member, Source: recruitment.MemberList})
			f.must(err)
			return person
		}
		enrol("A5", "enrolled@example.org", "+47 22 00 00 05")
		gone := enrol("A6", "gone@example.org", "+47 22 00 00 06")
		f.must(f.Vault.Bar(ctx, staff, f.study.ID, gone))
		f.must(f.People.Withdraw(ctx, staff, f.study.ID, gone))
		_, before := f.everybody()
		var first string
		for i, tc := range []struct {
			name, email, phone string
			fresh              bool
		}{
			{"new", "new@example.org", "", true},
			{"enrolled, by address", "Enrolled@EXAMPLE.org", "", false},
			{"enrolled, by number", "other@example.org", "22 00 00 05", false},
			{"withdrawn and erased", "gone@example.org", "", false},
			{"erased, by number", "", "004722000006", false},
		} {
			c, path := f.coupon(informant, false)
			b, form := f.friend(path, "Frida Tenkt", tc.email, tc.phone)
			if strings.Contains(b.Text("main"), "Arne") {
				t.Errorf("%s: the informant is named against their choice", tc.name)
			}
			f.must(form.Submit())
			answer := fmt.Sprintln(b.Status, b.Address(), string(b.Body))
			if first == "" {
				first = answer
			}
			if answer != first {
				t.Errorf("%s: another answer:\n%s", tc.name, answer)
			}
			if _, err := f.Recruitment.OpenCoupon(ctx, f.study.ID, c.ID); !errors.Is(err, recruitment.ErrCoupon) {
				t.Errorf("%s: the coupon is still open", tc.name)
			}
			in, known := f.everybody()
			if len(known) != len(before)+1 || len(in) != 3 || i == 0 && !tc.fresh {
				t.Errorf("%s: %d in the vault, %d in the study", tc.name, len(known), len(in))
			}
		}
		snow, err := f.Recruitment.Snowball(ctx, f.study.ID)
		if want := (recruitment.CouponCount{Made: 5, Yes: 1, Known: 4}); err != nil || snow.Total() != want {
			t.Errorf("coupons %+v (%v), want %+v", snow.Total(), err, want)
		}
	})
}

// One coupon, two friends at once: one is taken in, the other is told kindly, and nothing of theirs is kept. The same form
// twice is one act.
func TestOneCouponTakesOneFriend(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		informant, _ := f.joined("A2")
		_, path := f.coupon(informant, false)
		const friends = 6
		browsers, forms := make([]*browser.Browser, friends), make([]*browser.Form, friends)
		for i := range friends {
			browsers[i], forms[i] = f.friend(path, fmt.Sprintf("Frida Tenkt %d", i), fmt.Sprintf("frida%d@example.org", i), "")
		}
		var wait sync.WaitGroup
		for _, form := range forms {
			wait.Go(func() { form.Submit() })
		}
		wait.Wait()
		taken := 0
		for i, b := range browsers {
			switch {
			case b.Status == http.StatusOK && strings.HasPrefix(b.Address(), "/i/end/thanks"):
				taken++
				f.must(forms[i].Submit())
				f.at(b, "/i/end/thanks")
			case b.Status != http.StatusConflict || !strings.Contains(b.Text("main"), "Vi har ikke tatt vare på noe") || strings.Contains(b.Text("main"), "Frida"):
				t.Errorf("friend %d: %d %s", i, b.Status, b.Text("main"))
			}
		}
		if in, known := f.everybody(); taken != 1 || len(in) != 2 || len(known) != 2 {
			t.Errorf("%d were taken in; %d in the study, %d in the vault", taken, len(in), len(known))
		}
		if n, err := f.Intents.Count(t.Context()); n != 0 || err != nil {
			t.Errorf("%d acts are open (%v)", n, err)
		}
	})
}

// A no keeps nothing but that it was one.
func TestANoToAnInvitation(t *testing.T) {
	inParticipation(t, func(f *participation) {
		informant, _ := f.joined("A2")
		_, path := f.coupon(informant, false)
		b, form := f.friend(path, "Frida Tenkt", "frida@example.org", "")
		entries, err := f.Audit.Newest(t.Context(), f.study.ID, 1)
		f.must(err)
		f.must(form.Set("answer", "no").Submit())
		f.at(b, "/i/end/no", "Takk for svaret")
		if strings.Contains(dump(t, f.stores[database.Study])+dump(t, f.stores[database.Identity]), "frida") {
			t.Error("something of the friend was kept")
		}
		if after, err := f.Audit.Newest(t.Context(), f.study.ID, 1); err != nil || after[0].Seq != entries[0].Seq {
			t.Errorf("the chain tells of it: %+v (%v)", after[0], err)
		}
		if in, known := f.everybody(); len(in) != 1 || len(known) != 1 {
			t.Errorf("%d in the study, %d in the vault", len(in), len(known))
		}
	})
}

// An invitation that is expired, forged, revoked, used, of an ended study or for another purpose looks like every dead link.
func TestDeadInvitationsLookAlike(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx := t.Context()
		informant, _ := f.joined("A2")
		leaver, _ := f.joined("A3")
		_, revoked := f.coupon(leaver, true)
		_, refused := f.coupon(informant, false)
		_, expired := f.coupon(informant, false)
		own, err := f.Links.Ensure(ctx, f.study.ID, informant, links.Participant, "", f.study.End())
		f.must(err)
		token, err := f.Links.Token(ctx, own)
		f.must(err)
		b, form := f.friend(refused, "", "", "")
		f.must(form.Set("answer", "no").Submit())
		f.must(f.People.Withdraw(ctx, audit.Staff(f.staff), f.study.ID, leaver))
		pages := map[string]string{}
		look := func(name, path string) {
			if b.Get(path); b.Status != http.StatusNotFound {
				t.Errorf("%s: status %d", name, b.Status)
			}
			pages[name] = strings.ReplaceAll(string(b.Body), path, "LINK")
		}
		look("forged", "/i/"+strings.Repeat("A", 43))
		look("malformed", "/i/x")
		look("another purpose", "/i/"+token)
		look("used", refused)
		look("revoked", revoked)
		_, late := f.friend(expired, "Frida Tenkt", "frida@example.org", "")
		f.clock.set(f.clock.now().Add(recruitment.CouponLifetime))
		if err := late.Submit(); err == nil {
			t.Error("an expired invitation takes somebody in")
		}
		look("expired", expired)
		f.clock.set(f.study.End().Add(-time.Hour))
		_, cut := f.coupon(informant, false)
		_, ended := f.coupon(informant, false)
		f.must(b.Get(ended))
		f.clock.set(f.study.End())
		look("ended study", ended)
		f.clock.set(f.study.End().Add(-time.Hour))
		cutShort := f.study
		cutShort.EndsOn = "2019-12-30"
		f.must(f.Studies.Update(ctx, audit.Staff(f.staff), cutShort))
		look("a study that was cut short", cut)
		for name, page := range pages {
			if page != pages["forged"] {
				t.Errorf("%s looks different from a forged one", name)
			}
		}
		if in, _ := f.everybody(); len(in) != 1 {
			t.Errorf("%d in the study", len(in))
		}
	})
}

// Promise 7 for what an informant passes on: a robot that opens the page and hands in every form as it stands changes
// nothing. Where the informant is named, the log alone says that the name was opened.
func TestOpeningAnInvitationChangesNothing(t *testing.T) {
	inParticipation(t, func(f *participation) {
		informant, _ := f.joined("A2")
		_, unnamed := f.coupon(informant, false)
		_, named := f.coupon(informant, true)
		look := func(except ...string) string {
			return dump(t, f.stores[database.Study], append(except, notStudyData...)...) + dump(t, f.stores[database.Identity])
		}
		for _, tc := range []struct {
			path   string
			except []string
		}{{unnamed, nil}, {named, []string{"audit_entry", "audit_head"}}} {
			before := look(tc.except...)
			scan(t, f.stage, tc.path)
			if after := look(tc.except...); after != before {
				t.Errorf("something changed:\n%s", difference(before, after))
			}
			f.must(f.browser().Get(tc.path))
		}
		entries, err := f.Audit.Newest(t.Context(), f.study.ID, 1)
		if err != nil || entries[0].Action != "identity.opened" || entries[0].Detail != "referral" || entries[0].Person != informant || entries[0].Actor != audit.System {
			t.Errorf("opening the name is logged as %+v (%v)", entries, err)
		}
	})
}

// Whoever has not said yes to the interview passes nothing on, and nobody more than five.
func TestWhoMayPassOn(t *testing.T) {
	inParticipation(t, func(f *participation) {
		stranger, link := f.informant("A2")
		_, err := f.People.MakeCoupon(t.Context(), audit.Staff(f.staff), f.study.ID, stranger, true, 3)
		if !errors.Is(err, handlers.ErrNotJoined) {
			t.Errorf("before any yes: %v", err)
		}
		own := f.enter(link)
		f.must(own.Get("/my/pass"))
		f.at(own, "/my/letter") // first they are asked themselves
		informant, own := f.joined("A3")
		for range recruitment.MostCoupons {
			f.must(own.Get("/my/pass"))
			f.must(own.Form("main form").Set("show", "no").Submit())
		}
		f.at(own, "/my/pass", "0 av 5 igjen", "Du har laget alle 5.")
		if own.Has(`form[action="/my/pass"]`) {
			t.Error("a sixth is offered")
		}
		if _, err := f.People.MakeCoupon(t.Context(), audit.Staff(f.staff), f.study.ID, informant, true, 3); !errors.Is(err, recruitment.ErrManyCoupons) {
			t.Errorf("a sixth by the team: %v", err)
		}
		f.must(f.People.WithdrawPurposes(t.Context(), audit.Participant(informant), f.study.ID, informant, "interview"))
		f.must(own.Get("/my/pass"))
		f.at(own, "/my")
	})
}

// A crash between using a coupon and writing the identity leaves nothing of the friend and gives the coupon back.
func TestAnEnrolmentThatFailsGivesTheCouponBack(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx := t.Context()
		informant, _ := f.joined("A2")
		c, path := f.coupon(informant, false)
		friend := id.New[id.Person]()
		e, err := f.people.friend(ctx, c, friend)
		f.must(err)
		f.must(f.stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
			if err := f.people.useCouponTx(ctx, tx, c, recruitment.Use{Answer: recruitment.Accepted, Friend: friend, Language: "nb", Consent: "Ja."}); err != nil {
				return err
			}
			_, err := f.Intents.Begin(ctx, tx, f.study.ID, friend, enrol, e)
			return err
		}))
		if b := f.browser(); b.Get(path) == nil {
			t.Error("a coupon that is being used opens")
		}
		_, err = f.Intents.Reconcile(ctx, true)
		f.must(err)
		b, form := f.friend(path, "Frida Tenkt", "frida@example.org", "")
		f.must(form.Submit())
		f.at(b, "/i/end/thanks")
		if in, _ := f.everybody(); len(in) != 2 {
			t.Errorf("%d in the study", len(in))
		}
	})
}

// Promises 10 and 12: a friend and a tip are in the vault alone, and an erasure leaves nothing of them or of whom they came
// from.
func TestFriendsAndTipsAreInTheVaultAlone(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		log := listenToLog(t)
		ctx, staff := t.Context(), audit.Staff(f.staff)
		informant, _ := f.joined("A2")
		_, path := f.coupon(informant, true)
		_, form := f.friend(path, "Kanarifugl Venn", "kanarifuglvenn@example.org", "+47 22 00 00 61")
		f.must(form.Submit())
		f.must(f.People.AddTip(ctx, staff, f.study.ID, informant, identities.Identity{Name: "Kanarifugl Tips", Phone: "+47 22 00 00 62",
			Organisation: "Kanarifugl AS", Note: "Kanarifugl synger."}, 14))
		for name, text := range map[string]string{"study store": dump(t, f.stores[database.Study]), "study files": f.bytesOf(database.Study),
			"vault": dump(t, f.stores[database.Identity]), "vault files": f.bytesOf(database.Identity), "log": log.String()} {
			for _, canary := range []string{"Kanarifugl", "kanarifugl", "22000061", "22000062"} {
				for encoding, shape := range encodings(canary) {
					if strings.Contains(text, shape) {
						t.Errorf("%s holds %q in %s", name, canary, encoding)
					}
				}
			}
		}
		if token := strings.TrimPrefix(path, "/i/"); strings.Contains(log.String()+dump(t, f.stores[database.Study]), token) {
			t.Error("the invitation's token is in the log or the store")
		}
		in, _ := f.everybody()
		friend := in[1].ID
		f.must(f.People.Withdraw(ctx, staff, f.study.ID, friend))
		for _, line := range strings.Split(dump(t, f.stores[database.Study], append(outliving, "participant")...), "\n") {
			if strings.Contains(line, string(friend)) || strings.Contains(line, "Jeg har ikke sagt ja") {
				t.Errorf("left of the friend: %s", line)
			}
		}
		_, second := f.coupon(informant, true)
		f.must(f.People.Withdraw(ctx, staff, f.study.ID, informant))
		if b := f.browser(); b.Get(second) == nil {
			t.Error("an invitation of somebody erased opens")
		}
		if left := dump(t, f.stores[database.Study], append(outliving, "participant")...) + dump(t, f.stores[database.Identity]); strings.Contains(left, string(informant)) {
			t.Error("something still names the informant")
		}
		if tips, err := f.Vault.Tips(ctx, f.study.ID); err != nil || len(tips) != 1 || tips[0].From != "" {
			t.Errorf("tips after the informant's erasure: %+v (%v)", tips, err)
		}
		f.must(f.verify(ctx, stdio{new(bytes.Buffer), new(bytes.Buffer)}))
	})
}

// team signs the owner of the study in.
func (f *participation) team() *browser.Browser {
	f.t.Helper()
	return (&fieldStudy{stage: f.stage}).as(f.staff)
}

// A tip is entered from the informant's page, opened with a purpose, becomes a candidate, or goes by itself.
func TestTips(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx := t.Context()
		informant, _ := f.informant("A2")
		b, study := f.team(), "/studies/"+string(f.study.ID)
		page := study + "/people/" + string(informant) + "/tip"
		enter := func(name, phone, email string) *browser.Form {
			t.Helper()
			f.must(b.Get(page))
			return b.Form("main form").Set("name", name).Set("phone", phone).Set("email", email).Set("note", "Leder nettverket.")
		}
		f.refused(enter("", "", "").Set("note", "").Set("days", "91"), b, http.StatusUnprocessableEntity)
		for _, name := range []string{"name", "phone", "note", "days"} {
			if !b.Has(`.errors a[href="#f-`+name+`"]`) || !b.Has("#f-"+name+"-error") {
				t.Errorf("no fault at %s: %s", name, b.Text(".errors"))
			}
		}
		f.refused(enter("Arne", "22 00 00 01", ""), b, http.StatusConflict)
		if !strings.Contains(b.Text(".errors"), "A2 har samme") || b.Form("main form").Values().Get("note") != "Leder nettverket." {
			t.Errorf("somebody known: %s", b.Text(".errors"))
		}
		sent := enter("Tor Tenkt", "+47 22 00 00 71", "tor@example.org")
		f.must(sent.Submit())
		f.must(sent.Submit()) // a double click
		f.at(b, study+"/tips", "A2", "14 dager")
		if strings.Contains(string(b.Body), "Tor") {
			t.Error("the list names a tip")
		}
		f.refused(enter("Tor igjen", "", "TOR@example.org"), b, http.StatusConflict)
		f.must(enter("Eva Tenkt", "22000072", "").Set("days", "3").Submit())
		tips, err := f.Vault.Tips(ctx, f.study.ID)
		f.must(err)
		if len(tips) != 2 {
			t.Fatalf("%d tips", len(tips))
		}
		eva, tor := tips[0].Person, tips[1].Person
		one := study + "/tips/" + string(tor)
		f.must(b.Get(one))
		f.refused(b.Form(`form[action$="/open"]`), b, http.StatusUnprocessableEntity)
		f.must(b.Form(`form[action$="/open"]`).Set("purpose", "call").Submit())
		f.at(b, one+"/open", "Tor Tenkt", "+4722000071", "Leder nettverket.")
		if b.Header.Get("Refresh") != "60; url="+one {
			t.Errorf("an opened tip stays open: %q", b.Header.Get("Refresh"))
		}
		take := func(code string) *browser.Form {
			f.must(b.Get(one))
			return b.Form(`form[action$="/enrol"]`).Set("code", code).Set("relation", "member").Set("audience", "company").Set("title", "Leder").Set("employees", "40")
		}
		f.refused(take("A2"), b, http.StatusConflict) // a taken code leaves the tip alone
		if who, err := f.Vault.Open(ctx, audit.System, "support", f.study.ID, tor); err != nil || who.Name != "Tor Tenkt" {
			t.Fatalf("a taken code destroyed the tip: %v", err)
		}
		taken := take("")
		f.must(taken.Submit())
		f.must(taken.Submit()) // a double click
		f.at(b, study+"/people/"+string(tor), "A3")
		got, err := f.Recruitment.Get(ctx, f.study.ID, tor)
		if err != nil || got.Source != recruitment.Tip || got.Recruiter != informant || got.Size != recruitment.Small || got.State != recruitment.Candidate {
			t.Errorf("taken in as %+v (%v)", got, err)
		}
		if left, err := f.Vault.Tips(ctx, f.study.ID); err != nil || len(left) != 1 || left[0].Person != eva {
			t.Errorf("tips beside a candidate: %+v (%v)", left, err)
		}
		f.tells(tor, "fordi en deltaker i prosjektet mente du kunne ha noe å bidra med")
		f.tells(informant, "Vi fant kontaktopplysningene dine i en åpen medlemsliste.")

		f.sweepNow()
		if known, _ := f.Vault.Exists(ctx, eva); !known {
			t.Error("a tip went before its time")
		}
		f.clock.set(f.clock.now().AddDate(0, 0, 3))
		f.sweepNow()
		f.sweepNow()
		if known, _ := f.Vault.Exists(ctx, eva); known {
			t.Error("an expired tip is still in the vault")
		}
		if err := f.keys.Create(ctx, eva); err == nil {
			t.Error("an expired tip's key was not destroyed")
		}
		f.clock.set(f.clock.now().AddDate(1, 0, 0))
		f.sweepNow()
		if known, _ := f.Vault.Exists(ctx, tor); !known {
			t.Error("a tip that became a candidate was swept")
		}
		f.must(f.verify(ctx, stdio{new(bytes.Buffer), new(bytes.Buffer)}))
	})
}

func TestATipIsDeletedAtOnceOrRefused(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx, staff := t.Context(), audit.Staff(f.staff)
		informant, _ := f.informant("A2")
		f.must(f.People.AddTip(ctx, staff, f.study.ID, informant, identities.Identity{Name: "Tor Tenkt", Phone: "22000071", Note: "Vet mye."}, 14))
		tips, err := f.Vault.Tips(ctx, f.study.ID)
		f.must(err)
		b, study := f.team(), "/studies/"+string(f.study.ID)
		f.must(b.Get(study + "/tips/" + string(tips[0].Person)))
		form := b.Form(`form[action$="/delete"]`)
		f.must(form.Submit())
		f.must(form.Submit()) // a double click
		f.at(b, study+"/tips", "Ingen tips.")
		if known, _ := f.Vault.Exists(ctx, tips[0].Person); known {
			t.Error("a deleted tip is in the vault")
		}
		if b.Get(study + "/tips/" + string(tips[0].Person)); b.Status != http.StatusNotFound {
			t.Errorf("a deleted tip opens: %d", b.Status)
		}
		err = f.People.EnrolTip(ctx, staff, recruitment.Participant{ID: tips[0].Person, Study: f.study.ID, Code: "A9", Case: f.kase, Audience: "company",
			Relation: recruitment.Member})
		if !errors.Is(err, identities.ErrNoTip) {
			t.Errorf("a deleted tip is taken in: %v", err)
		}

		f.must(f.Vault.Bar(ctx, staff, f.study.ID, informant)) // with their own number
		f.must(b.Get(study + "/people/" + string(informant) + "/tip"))
		f.refused(b.Form("main form").Set("name", "Noen").Set("phone", "22000001").Set("note", "Vet mye."), b, http.StatusConflict)
		if !strings.Contains(b.Text(".errors"), "bedt om ikke å bli kontaktet igjen") {
			t.Errorf("somebody who asked to be left alone: %s", b.Text(".errors"))
		}
		if tips, _ := f.Vault.Tips(ctx, f.study.ID); len(tips) != 0 {
			t.Error("a refused tip was kept")
		}
	})
}

// A code that a colleague takes at the last moment leaves a tip as it was.
func TestATakenCodeLeavesTheTip(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx := t.Context()
		informant, _ := f.informant("A2")
		f.must(f.People.AddTip(ctx, audit.Staff(f.staff), f.study.ID, informant, identities.Identity{Name: "Tor Tenkt", Phone: "22000071", Note: "Vet mye."}, 14))
		tips, err := f.Vault.Tips(ctx, f.study.ID)
		f.must(err)
		f.must(f.stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
			_, err := f.Intents.Begin(ctx, tx, f.study.ID, tips[0].Person, takeTip, entry{Candidate: &recruitment.Participant{ID: tips[0].Person,
				Study: f.study.ID, Code: "A2", Case: f.kase, Audience: "company", Relation: recruitment.Member, Source: recruitment.Tip, Recruiter: informant}})
			return err
		}))
		_, err = f.Intents.Reconcile(ctx, true)
		f.must(err)
		if who, err := f.Vault.Open(ctx, audit.System, "support", f.study.ID, tips[0].Person); err != nil || who.Name != "Tor Tenkt" {
			t.Errorf("the tip is gone: %v", err)
		}
		f.clock.set(f.clock.now().AddDate(0, 0, 14))
		f.sweepNow()
		if known, _ := f.Vault.Exists(ctx, tips[0].Person); known {
			t.Error("a tip that was not taken in no longer expires")
		}
	})
}

// Somebody who was only a tip and then speaks for themselves is taken in, and the tip goes.
func TestATipWhoAnswersAnInvitation(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx := t.Context()
		informant, _ := f.joined("A2")
		f.must(f.People.AddTip(ctx, audit.Staff(f.staff), f.study.ID, informant, identities.Identity{Name: "Tor", Phone: "22000071", Note: "Vet mye."}, 14))
		_, path := f.coupon(informant, false)
		b, form := f.friend(path, "Tor Tenkt", "", "+47 22 00 00 71")
		f.must(form.Submit())
		f.at(b, "/i/end/thanks")
		tips, err := f.Vault.Tips(ctx, f.study.ID)
		in, known := f.everybody()
		if err != nil || len(tips) != 0 || len(in) != 2 || len(known) != 2 {
			t.Errorf("%d tips, %d in the study, %d in the vault (%v)", len(tips), len(in), len(known), err)
		}
	})
}

// What the friend agrees to is what was shown: where it reads otherwise by now, they are asked again.
func TestTermsThatChangedAreAskedAgain(t *testing.T) {
	inParticipation(t, func(f *participation) {
		informant, _ := f.joined("A2")
		_, path := f.coupon(informant, false)
		b, form := f.friend(path, "Frida Tenkt", "frida@example.org", "")
		changed := f.study
		changed.EndsOn = "2019-11-30"
		f.must(f.Studies.Update(t.Context(), audit.Staff(f.staff), changed))
		f.refused(form, b, http.StatusConflict)
		f.at(b, path, "Det du sier ja til, er endret", "30. november 2019")
		f.must(b.Form("main form").Submit())
		f.at(b, "/i/end/thanks")
	})
}

// The tree's page and table: who may follow the findings sees codes, and R reads the table.
func TestReferralsPage(t *testing.T) {
	inParticipation(t, func(f *participation) {
		b, study := f.team(), "/studies/"+string(f.study.ID)
		f.must(b.Get(study + "/referrals"))
		f.at(b, study+"/referrals", "Ingen har ført til andre ennå.")
		informant, _ := f.joined("A2")
		_, path := f.coupon(informant, false)
		_, form := f.friend(path, "Frida Tenkt", "frida@example.org", "")
		f.must(form.Submit())
		f.must(b.Get(study + "/referrals"))
		f.at(b, study+"/referrals", "Én startperson førte til én person, i ett ledd", "ledd 1, kupong 1", "100 %")
		if b.Text(`svg[role="img"] title`) != "Én startperson førte til én person, i ett ledd" || strings.Contains(string(b.Body), "Frida") {
			t.Errorf("picture: %q", b.Text(`svg[role="img"] title`))
		}
		f.must(b.Get(study + "/candidates"))
		if !strings.Contains(b.Text("table"), "A2, kupong 1") {
			t.Errorf("the list does not say how A3 came: %s", b.Text("table"))
		}
		f.must(b.Get(study + "/referrals.csv"))
		rows, err := csv.NewReader(bytes.NewReader(b.Body)).ReadAll()
		if err != nil || len(rows) != 3 || !slices.Equal(rows[1][:7], []string{"A2", "seed", "", "", "0", "A2", "A"}) || !slices.Equal(rows[2][:7], []string{"A3", "A2", "", "1", "1", "A2", "A"}) {
			t.Errorf("table %q (%v)", rows, err)
		}
	})
}

// A friend's form by hand: fields that are not on offer, and a key that is not theirs.
func TestFriendsFormByHand(t *testing.T) {
	inParticipation(t, func(f *participation) {
		informant, _ := f.joined("A2")
		_, path := f.coupon(informant, false)
		b, form := f.friend(path, "Frida Tenkt", "frida@example.org", "")
		for name, spoil := range map[string]func(url.Values){
			"answer":   func(v url.Values) { v.Set("answer", "maybe") },
			"language": func(v url.Values) { v.Set("language", "tlh") },
			"terms":    func(v url.Values) { v.Set("terms", "else") },
			"key":      func(v url.Values) { v.Set("form_key", "x") },
			"name":     func(v url.Values) { v.Set("name", "Frida\r\nBcc: x@example.org") },
		} {
			values := url.Values{}
			for key, all := range form.Values() {
				values[key] = slices.Clone(all)
			}
			spoil(values)
			if err := b.Post(path, values); err == nil || errs.KindOf(err) != errs.Internal || b.Status >= 500 {
				t.Errorf("%s: %d %v", name, b.Status, err)
			}
		}
		if in, known := f.everybody(); len(in) != 1 || len(known) != 1 {
			t.Errorf("%d in the study, %d in the vault", len(in), len(known))
		}
	})
}
