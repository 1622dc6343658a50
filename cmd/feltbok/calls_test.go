package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/studies"
)

// due takes somebody into the study who is to be tried again in so many hours, after as many tries in vain as wanted.
func (f *fieldStudy) due(code, phone string, hours, tries int) string {
	f.t.Helper()
	person, err := f.People.Enrol(f.t.Context(), f.actor, identities.Identity{Name: "Navn " + code, Email: strings.ToLower(code) + "@example.org", Phone: phone, Language: "nb"},
		recruitment.Participant{Study: f.study, Code: code, Case: f.cases["A"], Audience: "company", Relation: recruitment.Member,
			Size: recruitment.Large, Title: "Leder", Source: recruitment.MemberList})
	f.must(err)
	f.people[code] = person
	for range tries {
		f.must(f.Recruitment.LogContact(f.t.Context(), f.actor, f.study, person, recruitment.Contact{Channel: recruitment.Phone,
			Direction: recruitment.Out, Outcome: recruitment.NotReached, NextAt: f.clock.now().Add(time.Duration(hours) * time.Hour).UnixMilli()}))
	}
	return f.path + "/calls/" + string(person)
}

// turn lets time pass and signs in anew, since a session does not wait for hours.
func (f *fieldStudy) turn(d time.Duration) {
	f.t.Helper()
	f.clock.set(f.clock.now().Add(d))
	f.Browser = f.as(f.account)
}

// kept checks that a form came back with what was typed.
func (f *fieldStudy) kept(form string, fields ...string) {
	f.t.Helper()
	values := f.Form(form).Values()
	for i := 0; i+1 < len(fields); i += 2 {
		if got := values.Get(fields[i]); got != fields[i+1] {
			f.t.Errorf("field %q came back as %q, not %q", fields[i], got, fields[i+1])
		}
	}
}

func (f *fieldStudy) contacts(code string) string {
	f.t.Helper()
	contacts, err := f.Recruitment.Contacts(f.t.Context(), f.study, f.people[code])
	f.must(err)
	var all []string
	for _, c := range contacts {
		all = append(all, fmt.Sprintf("%s %s %s %s %v", c.Channel, c.Direction, c.Outcome, f.local(c.NextAt), c.Note != ""))
	}
	return strings.Join(all, ", ")
}

func (f *fieldStudy) local(ms int64) string {
	oslo, err := time.LoadLocation("Europe/Oslo")
	f.must(err)
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).In(oslo).Format("2.1.15:04")
}

func (f *fieldStudy) notes(code string) (texts []string) {
	f.t.Helper()
	_, notes, err := f.Vault.OpenNoted(f.t.Context(), f.actor, "support", f.study, f.people[code])
	f.must(err)
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	return texts
}

func (f *fieldStudy) opened() int {
	f.t.Helper()
	entries, err := f.Audit.Newest(f.t.Context(), f.study, 1000)
	f.must(err)
	n := 0
	for _, e := range entries {
		if e.Action == "identity.opened" && e.Detail == "call" {
			n++
		}
	}
	return n
}

func TestCallsToday(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	calls := f.path + "/calls"
	if f.open(calls); !strings.Contains(f.Text("main"), "Ingen skal ringes i dag") {
		t.Errorf("empty page: %q", f.Text("main"))
	}
	f.due("A1", "+47 22 00 00 01", 26, 2)
	f.due("A2", "+47 22 00 00 02", 25, 1)
	f.due("A3", "+47 22 00 00 03", 24*6, 1)
	f.due("A4", "+47 22 00 00 04", 24*9, 1)
	s.must(s.Recruitment.SetQuota(t.Context(), f.actor, f.study, f.cases["A"], recruitment.QuotaLarge, 1))
	f.turn(25*time.Hour + time.Minute) // Tuesday, a minute past ten

	f.open(calls)
	if got, want := f.Text("ol.calls"), "10:00 A2 Stor bedrift, Klynge A 2. forsøk. Sist 4. februar: ikke svar Målene for dette caset er nådd. Vis nummeret til A2Loggfør A2"+
		"11:00 A1 Stor bedrift, Klynge A 3. forsøk. Sist 4. februar: ikke svar Vis nummeret til A1Loggfør A1"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("due:\n%s\nwant\n%s", got, want)
	}
	if got := f.Text("ul.dash"); !strings.Contains(got, "A3") || strings.Contains(got, "A4") {
		t.Errorf("later: %q, want A3 alone", got)
	}
	f.open(f.path)
	if got := f.Text("ol"); !strings.Contains(got, "Ring A1, stor bedrift (3. forsøk)") {
		t.Errorf("home says %q", got)
	}
	s.must(f.Follow("/calls?row=" + string(f.people["A1"])))
	if !f.Has("#row form button[value=no_answer]") || strings.Contains(string(f.Body), "Navn") || f.opened() != 0 {
		t.Error("the link of the study home does not lead to a closed form")
	}

	f.open(calls)
	show := f.Form(`form[action$="` + string(f.people["A1"]) + `/number"]`)
	s.must(show.Submit())
	if got := f.Text(".opened"); !strings.Contains(got, "Navn A1") || !f.Has(`.opened a[href="tel:+4722000001"]`) || strings.Contains(got, "Navn A2") {
		t.Errorf("opened: %q", got)
	}
	if got, want := f.Header.Get("Refresh"), "60; url="+calls+"?channel=phone&row="+string(f.people["A1"]); got != want {
		t.Errorf("Refresh %q, want %q", got, want)
	}
	if f.opened() != 1 || f.Has("main input[checked]") {
		t.Errorf("%d openings in the log, want one", f.opened())
	}
	s.must(show.Submit()) // the same form again opens nothing
	if f.opened() != 1 || strings.Contains(string(f.Body), "Navn A1") {
		t.Error("a form handed in twice opened the number twice")
	}
	supervisor := f.as(f.member("veileder@example.org", studies.Supervisor))
	if supervisor.Get(calls); supervisor.Status != http.StatusForbidden {
		t.Errorf("a supervisor gets %d", supervisor.Status)
	}
}

func TestQuickOutcomes(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	one := f.due("A1", "+47 22 00 00 01", 1, 2)
	f.turn(2 * time.Hour) // eleven: tomorrow after lunch is suggested
	page, form := f.path+"/calls?row="+string(f.people["A1"]), `form[action="`+one+`"]`
	before, err := s.Recruitment.Get(t.Context(), f.study, f.people["A1"])
	s.must(err)

	f.open(page)
	if got := f.Form(form).Values().Get("next_on"); got != "5. februar 13:00" {
		t.Errorf("suggested %q", got)
	}
	f.refused(f.send(form, "note", strings.Repeat("å", 2001), "next_on", "en gang"), 422, []string{"outcome", "note"})
	f.kept(form, "next_on", "en gang", "note", strings.Repeat("å", 2001))
	f.refused(f.Form(form).Set("note", "Borte.").Set("next_on", "3.2.2019").Press("outcome", "no_answer"), 422, []string{"next_on"})
	f.kept(form, "note", "Borte.", "next_on", "3.2.2019")
	f.refused(f.Form(form).Set("next_on", "31. mars kl. 02:30").Press("outcome", "call_back"), 422, []string{"next_on"})
	f.kept(form, "note", "Borte.", "next_on", "31. mars kl. 02:30")
	if got := f.Text(".errors"); !strings.Contains(got, "klokken stilles fram") {
		t.Errorf("summary %q", got)
	}
	if got := f.notes("A1"); len(got) != 0 {
		t.Errorf("refused forms left notes: %q", got)
	}

	f.open(page)
	slip := f.Form(form).Set("note", "Snakket med Kari\r\ni sentralbordet 🙂\x00")
	s.must(slip.Press("outcome", "declined"))
	if got := f.Text(".notice"); !strings.Contains(got, "A1: Nei takk.") || strings.Contains(got, "Nytt forsøk") {
		t.Errorf("notice %q", got)
	}
	s.must(slip.Press("outcome", "declined")) // a double click
	if got, want := f.contacts("A1"), "phone out declined - true, "; !strings.HasPrefix(got, want) || strings.Count(got, ",") != 2 {
		t.Errorf("contacts %q, want %q once", got, want)
	}
	if got := f.notes("A1"); len(got) != 1 || got[0] != "Snakket med Kari\ni sentralbordet 🙂" {
		t.Errorf("notes %q", got)
	}
	f.open(f.path + "/calls?did=" + string(f.people["A1"]))
	undo := f.Form(`form[action="` + one + `/undo"]`)
	s.must(undo.Submit())
	after, err := s.Recruitment.Get(t.Context(), f.study, f.people["A1"])
	s.must(err)
	if after.Version = before.Version; after.State != before.State || after.NextAt != before.NextAt || len(f.notes("A1")) != 0 {
		t.Errorf("after undoing %+v, notes %q; want %+v and none", after, f.notes("A1"), before)
	}
	if got := f.Text(".notice"); got != "Angret. Alt står som før." {
		t.Errorf("notice %q", got)
	}

	s.must(f.open(page).Form(form).Press("outcome", "interested"))
	if got, _, _ := strings.Cut(f.contacts("A1"), ","); got != "phone out interested - false" {
		t.Errorf("a yes was logged as %q: the suggestion beside it is nobody's plan", got)
	}
	if !f.Has(`.notice a.btn[href="` + f.path + `/people/` + string(f.people["A1"]) + `"]`) {
		t.Error("a yes does not lead on to the letter")
	}
	undo = f.Form(`form[action="` + one + `/undo"]`)
	s.clock.set(s.clock.now().Add(11 * time.Minute))
	f.refused(undo.Submit(), 409, nil)
	if f.open(f.path + "/calls?did=" + string(f.people["A1"])); f.Has(".notice") {
		t.Errorf("still offered: %q", f.Text(".notice"))
	}
}

func TestPutOffAndGiveUp(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	one := f.due("A5", "", 1, 2)
	page, later := f.path+"/calls?row="+string(f.people["A5"]), `form[action="`+one+`/later"]`
	f.open(page)
	if f.Has(`form[action$="/give-up"]`) {
		t.Error("giving up is suggested after two tries")
	}
	f.refused(f.send(later), 422, []string{"later_on"})
	f.refused(f.send(later, "later_on", "1.2.2019"), 422, []string{"later_on"})
	f.kept(later, "later_on", "1.2.2019")
	if got := f.Text(".errors"); !strings.Contains(got, "fram i tid") {
		t.Errorf("summary %q", got)
	}
	s.must(f.send(later, "later_on", "5. februar kl. 8"))
	if got := f.contacts("A5"); strings.Count(got, ",") != 1 {
		t.Errorf("putting off was logged as a contact: %s", got)
	}
	f.open(f.path + "/people/" + string(f.people["A5"]))
	if got := f.Text(".line-list"); !strings.Contains(got, "Utsatt til 5. februar 08:00av Ingrid Oppdikt") {
		t.Errorf("timeline %q", got)
	}

	f.turn(24 * time.Hour)
	s.must(f.open(f.path + "/calls").Form(`form[action="` + one + `/number"]`).Submit())
	if got := f.Text(".opened"); !strings.Contains(got, "Ingen nummer") || !f.Has(`.opened a[href="mailto:a5@example.org"]`) {
		t.Errorf("without a number: %q", got)
	}
	s.must(f.Form(`form[action="`+one+`"]`).Press("outcome", "no_answer"))
	if got := f.contacts("A5"); !strings.HasPrefix(got, "email out no_answer 6.2.13:00") {
		t.Errorf("contacts %s", got)
	}
	f.open(page)
	giveUp := f.Form(`form[action="` + one + `/give-up"]`)
	s.must(f.Recruitment.LogContact(t.Context(), f.actor, f.study, f.people["A5"], recruitment.Contact{Channel: recruitment.Phone, Direction: recruitment.In, Outcome: recruitment.CallBack}))
	f.refused(giveUp.Submit(), 409, nil) // rang back meanwhile
	c, _, err := s.Recruitment.Slip(t.Context(), f.actor, f.study, f.people["A5"])
	s.must(err)
	s.must(s.People.UndoContact(t.Context(), f.actor, f.study, f.people["A5"], c.Seq))
	s.must(f.open(page).Form(`form[action="` + one + `/give-up"]`).Submit())
	got, err := s.Recruitment.Get(t.Context(), f.study, f.people["A5"])
	if s.must(err); got.State != recruitment.NoAnswer || got.NextAt != 0 || f.Has("ol.calls") {
		t.Errorf("given up: %s, next %d", got.State, got.NextAt)
	}
}

// Two researchers at one person: the second is shown what the first did, and keeps what was typed.
func TestTwoLogOnePerson(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	one := f.due("A1", "+47 22 00 00 01", 1, 1)
	colleague := &fieldStudy{stage: f.stage, Browser: f.as(f.member("kollega@example.org", studies.Researcher)), study: f.study, path: f.path, people: f.people}
	person := f.path + "/people/" + string(f.people["A1"])
	for i, p := range []struct{ page, form, outcome string }{{f.path + "/calls?row=" + string(f.people["A1"]), one, ""}, {person, person + "/contact", "other"}} {
		colleague.open(p.page)
		s.must(f.open(f.path+"/calls?row="+string(f.people["A1"])).Form(`form[action="`+one+`"]`).Press("outcome", "call_back"))
		handIn := func(form *browser.Form) error {
			if p.outcome == "" {
				return form.Press("outcome", "no_answer")
			}
			return form.Set("channel", "phone").Set("direction", "out").Set("outcome", p.outcome).Submit()
		}
		form := colleague.Form(`form[action="`+p.form+`"]`).Set("note", "Mitt notat")
		for range 2 { // the old page, from the browser's memory, does not pass for done
			if err := handIn(form); err == nil || colleague.Status != http.StatusConflict {
				t.Fatalf("%s: status %d, %v; want 409", p.form, colleague.Status, err)
			}
		}
		if got := colleague.Text(".notice"); !strings.Contains(got, "Vi ringte: ring igjen") || !strings.Contains(got, "av Ingrid Oppdikt") {
			t.Errorf("%s: newer entry %q", p.form, got)
		}
		if got := colleague.notes("A1"); len(got) != i {
			t.Errorf("%s: a refused note stays: %q", p.form, got)
		}
		form = colleague.Form(`form[action="` + p.form + `"]`)
		if form.Values().Get("note") != "Mitt notat" {
			t.Errorf("%s: the note came back as %q", p.form, form.Values().Get("note"))
		}
		s.must(handIn(form)) // having seen it
		if got := colleague.notes("A1"); len(got) != i+1 {
			t.Errorf("%s: notes %q", p.form, got)
		}
	}
}

// The row is still on the screen, the person is not in the study any more.
func TestCallOfSomebodyErased(t *testing.T) {
	s := newStage(t, nil)
	f := newField(s)
	one := f.due("A1", "+47 22 00 00 01", 1, 3)
	f.open(f.path + "/calls?row=" + string(f.people["A1"]))
	key := f.Form(`form[action="` + one + `"]`).Values()
	s.must(s.People.Withdraw(t.Context(), f.actor, f.study, f.people["A1"]))
	for _, act := range []string{"", "/number", "/later", "/undo", "/give-up"} {
		values := url.Values{"form_key": key["form_key"], "outcome": {"no_answer"}, "channel": {"phone"}, "note": {"Et notat"}, "later_on": {"5.2."}, "seen": {"1"}}
		if f.Post(one+act, values); f.Status != http.StatusNotFound || strings.Contains(string(f.Body), "Navn") {
			t.Errorf("%s: status %d", act, f.Status)
		}
	}
	if f.open(f.path + "/calls?row=" + string(f.people["A1"])); f.Has("ol.calls") {
		t.Error("the row is still there")
	}
	if f.open(f.path + "/calls?row=" + string(id.New[id.Person]()) + "&did=x&channel=pigeon"); f.Status != 200 {
		t.Errorf("an address that names nobody: %d", f.Status)
	}
}
