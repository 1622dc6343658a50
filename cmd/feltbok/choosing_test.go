package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// offerEverything lets participants meet in every way, and keeps holidays free.
func (f *participation) offerEverything() {
	f.t.Helper()
	kind, err := f.Scheduling.TypeOf(f.t.Context(), f.study.ID, "company")
	f.must(err)
	kind.Modes, kind.VideoRoom, kind.Questions = scheduling.Modes, "https://video.example.org/"+scheduling.RoomMark, "Hva driver den?"
	kind.Place, kind.Directions = "Rom 3", "Inngang fra parken"
	f.must(f.Scheduling.SaveType(f.t.Context(), audit.Staff(f.staff), kind))
	f.hours(9*60, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)
}

// hours are when the interviewer begins, for three hours, on some days of the week.
func (f *participation) hours(from int, days ...time.Weekday) {
	f.t.Helper()
	week, err := f.Scheduling.Week(f.t.Context(), f.study.ID, f.staff)
	f.must(err)
	week.Holidays, week.Windows = true, nil
	for _, day := range days {
		week.Windows = append(week.Windows, scheduling.Window{Weekday: day, From: from, To: from + 180})
	}
	f.must(f.Scheduling.SetWeek(f.t.Context(), audit.Staff(f.staff), f.study.ID, week))
}

// shows opens a page and looks for words on it.
func (f *participation) shows(b *browser.Browser, path string, words ...string) {
	f.t.Helper()
	f.must(b.Get(path))
	at, _, _ := strings.Cut(path, "?")
	f.at(b, at, words...)
}

// notes are the texts that the vault keeps about somebody.
func (f *participation) notes(person id.Person) (texts []string) {
	f.t.Helper()
	_, notes, err := f.Vault.OpenNoted(f.t.Context(), audit.Participant(person), "own_data", f.study.ID, person)
	f.must(err)
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	return texts
}

func (f *participation) staffMoves(b scheduling.Booking, day, hour int) {
	f.t.Helper()
	f.must(f.People.ChangeBooking(f.t.Context(), audit.Staff(f.staff), f.study.ID, b.ID, scheduling.Change{Start: aprilAt(day, hour)}, handlers.Words{}, true))
}

func aprilAt(day, hour int) time.Time { return time.Date(2019, 4, day, hour-2, 0, 0, 0, time.UTC) }

const whereabouts = "Eksempelveien 4, møterom «Fjord»"

// Where somebody wants to be visited is asked, kept when a time is refused, told back to them, and never in the study store.
func TestBeingVisited(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		f.offerEverything()
		person, link := f.informant("A2")
		_, other := f.informant("A3")
		b := f.consented(link)
		f.shows(b, "/my/time?mode=visit&from=2019-04-04&zone=America/New_York", "Hos deg, 60 min, norsk tid (Oslo)", "Hvor skal vi komme?")
		form := b.Form("main form").Set("slot", slotOn(4, 10)).Set("where", whereabouts)
		f.booked(other, 4, 10)
		f.refused(form, b, http.StatusConflict)
		f.at(b, "/my/time", "Den tiden ble nettopp tatt.", "torsdag 4. april kl. 09:00")
		again := b.Form("main form")
		if got := again.Values(); got.Get("where") != whereabouts || got.Get("mode") != "visit" || b.Page.Find(".near input").Length() != 3 {
			t.Errorf("the page forgot %v", got)
		}
		if !b.Has(`form[action*="from=2019-04-04"][action*="zone=America%2FNew_York"]`) || !b.Has(`nav a[href*="mode=phone"][href*="zone=America%2FNew_York"]`) {
			t.Error("the zone or the day is forgotten")
		}
		again.Set("slot", slotOn(4, 11))
		f.must(again.Submit())
		f.must(again.Submit()) // a double click
		f.at(b, "/my/booking", "4. april", "Vi kommer til deg.", whereabouts, "norsk tid (Oslo)")
		if all := f.of(person); len(all) != 1 || all[0].Mode != scheduling.Visit || all[0].PersonZone != "" || all[0].Where == "" {
			t.Fatalf("booked %+v", all)
		}
		if study := dump(t, f.stores[database.Study]); strings.Contains(study, "Eksempelveien") {
			t.Error("the study store knows where they are")
		}
		f.must(b.Get("/my/booking.ics"))
		if file := string(b.Body); !strings.Contains(file, `LOCATION:Eksempelveien 4\, møterom «Fjord»`) || !strings.Contains(file, "SUMMARY:Avtale") {
			t.Errorf("the calendar says %s", file)
		}
		f.shows(b, "/my/data", whereabouts)

		// Words alone: the time stays, and what was said before is gone.
		f.shows(b, "/my/move?mode=visit", "La det stå tomt, så gjelder det du skrev før: "+whereabouts)
		f.must(b.Form("main form").Set("slot", slotOn(4, 11)).Set("where", "Eksempelveien 6").Submit())
		f.at(b, "/my/booking", "Avtalen er endret.", "Eksempelveien 6")
		if got := f.notes(person); len(got) != 1 || got[0] != "Eksempelveien 6" {
			t.Errorf("the vault keeps %q", got)
		}
		f.must(b.Get("/my/move"))
		f.must(b.Form("main form").Set("slot", slotOn(5, 9)).Submit())
		f.at(b, "/my/booking", "Avtalen er flyttet.", "5. april", "Eksempelveien 6")
	})
}

// Whoever is elsewhere chooses by their own clock, and is told both.
func TestOwnZone(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		f.offerEverything()
		person, link := f.informant("A2")
		b := f.consented(link)
		f.shows(b, "/my/time?mode=phone&zone=Mars/Base", "norsk tid (Oslo)", "La det stå tomt, så ringer vi nummeret vi har.")
		f.must(b.Follow("tiden i Los Angeles")) // nine hours behind: the evening before
		f.at(b, "/my/time", "tiden i Los Angeles", "onsdag 3. april")
		f.must(b.Form("main form").Set("slot", slotOn(3, 9)).Set("where", "22 00 00 17").Submit())
		f.at(b, "/my/booking", "onsdag", "3. april", "kl. 00:00 til 01:00", "kl. 00:00 hos deg, kl. 09:00 norsk tid (Oslo)", "+47 22 00 00 17")
		if all := f.of(person); all[0].PersonZone != "America/Los_Angeles" || all[0].Zone != "Europe/Oslo" {
			t.Errorf("booked in %s for %s", all[0].Zone, all[0].PersonZone)
		}
		f.must(b.Get("/my/move"))
		f.at(b, "/my/move", "tiden i Los Angeles")
		f.must(b.Follow("Video"))
		f.at(b, "/my/move", "Video, 60 min, tiden i Los Angeles", "Samme tid som nå")
		f.must(b.Form("main form").Set("slot", slotOn(3, 9)).Submit())
		f.at(b, "/my/booking", "Avtalen er endret.", "https://video.example.org/", "hos deg")
		if got := f.notes(person); len(got) != 0 {
			t.Errorf("a number that nobody rings any more is kept: %q", got)
		}
		f.must(b.Get("/my/move?mode=in_person"))
		f.at(b, "/my/move", "Hos oss, Rom 3, 60 min, norsk tid (Oslo)", "Inngang fra parken")
		f.must(b.Form("main form").Set("slot", slotOn(8, 9)).Submit())
		f.at(b, "/my/booking", "kl. 09:00 til 10:00", "Rom 3", "Inngang fra parken")
		if f.of(person)[0].PersonZone != "" {
			t.Error("who comes to a place has its zone")
		}

		f.must(b.Get("/my/move?mode=email"))
		f.at(b, "/my/move", "Hvilken dag vil du svare innen?", "tirsdag 9. april")
		if b.Has(".times") || strings.Contains(b.Text("main form"), "kl. ") {
			t.Error("a day has a clock")
		}
		f.must(b.Form("main form").Set("slot", slotOn(10, 0)).Submit())
		f.at(b, "/my/booking", "10. april", "du svarer før denne dagen er over")
		f.must(b.Get("/my/booking.ics"))
		if file := string(b.Body); !strings.Contains(file, "DTSTART;VALUE=DATE:20190410") {
			t.Errorf("the calendar says %s", file)
		}
	})
}

// What was changed meanwhile is shown as it is now, by every form about an appointment.
func TestChangedWhileLookedAt(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		f.offerEverything()
		person, link := f.informant("A2")
		b := f.booked(link, 4, 10)
		for i, tc := range []struct {
			page, field, value string
			done               string
		}{
			{"/my/move?mode=phone&from=2019-04-08", "slot", slotOn(9, 9), "Avtalen er flyttet."},
			{"/my/booking", "title", "talk", "Lagret."},
			{"/my/cancel", "choice", "cancel", "Avtalen er avlyst."},
		} {
			f.must(b.Get(tc.page))
			form := b.Form("main form").Set(tc.field, tc.value)
			f.staffMoves(f.of(person)[0], 10+i, 11)
			f.refused(form, b, http.StatusConflict)
			text := b.Text(".errors[autofocus]")
			if want := strconv.Itoa(10+i) + ". april kl. 11:00"; !strings.Contains(text, "Avtalen ble endret mens du så på den. Slik er den nå:") || !strings.Contains(text, want) {
				t.Errorf("%s says %q, want %q", tc.page, text, want)
			}
			if got := f.of(person)[0]; !got.Start().Equal(aprilAt(10+i, 11)) || got.State != scheduling.Booked {
				t.Errorf("%s changed it all the same: %+v", tc.page, got)
			}
			f.must(b.Form("main form").Set(tc.field, tc.value).Submit())
			if !strings.Contains(b.Text(".notice"), tc.done) {
				t.Errorf("%s says %q, want %q", tc.page, b.Text(".notice"), tc.done)
			}
		}
	})
}

// Somebody may have several appointments. Each is a thing of its own, and another's does not exist.
func TestSeveralAppointments(t *testing.T) {
	eachParticipation(t, func(t *testing.T, f *participation) {
		person, link := f.informant("A2")
		stranger, otherLink := f.informant("A3")
		b := f.booked(link, 4, 10)
		f.booked(otherLink, 4, 9)
		second, err := f.People.Book(t.Context(), audit.Staff(f.staff), scheduling.Request{Study: f.study.ID, Person: person, Audience: "company",
			Mode: scheduling.InPerson, Start: aprilAt(11, 10), ByStaff: true, FollowUp: true}, handlers.Words{})
		f.must(err)
		f.shows(b, "/my", "torsdag 4. april kl. 10:00", "torsdag 11. april kl. 10:00")
		for _, path := range []string{"/my/booking", "/my/booking.ics", "/my/move", "/my/cancel"} {
			f.shows(b, path+"?booking="+string(second.ID))
			for _, no := range []string{string(f.of(stranger)[0].ID), "finnesikke"} {
				if err := b.Get(path + "?booking=" + no); err == nil || b.Status != http.StatusNotFound {
					t.Errorf("%s of %s: status %d, want 404", path, no, b.Status)
				}
			}
		}
		f.shows(b, "/my/booking?booking="+string(second.ID), "11. april")
		f.must(b.Follow("Flytt"))
		form := b.Form("main form").Set("slot", slotOn(8, 9))
		f.must(form.Submit())
		f.must(form.Submit()) // a double click leads to the same one
		f.at(b, "/my/booking", "8. april")
		f.must(b.Follow("Avlys"))
		f.must(b.Form("main form").Set("choice", "cancel").Submit())
		f.at(b, "/my", "torsdag 4. april kl. 10:00")
		if of := f.of(person); of[0].State != scheduling.Booked || of[1].State != scheduling.Cancelled {
			t.Errorf("the first is %s, the second %s", of[0].State, of[1].State)
		}

		f.clock.set(aprilAt(4, 12))
		b = f.enter(link)
		f.must(f.Scheduling.Missed(t.Context(), audit.Staff(f.staff), f.study.ID, f.of(person)[0].ID, 0, false))
		f.shows(b, "/my", "Vi fikk ikke snakket sammen. Vil du velge en ny tid?")
		f.must(b.Follow("Velg en ny tid"))
		f.must(b.Form("main form").Set("slot", slotOn(8, 9)).Submit())
		f.at(b, "/my/booking", "8. april")

		// After the conversation there is no other to choose a time for, unless one more came to nothing.
		f.clock.set(aprilAt(8, 12))
		b = f.enter(link)
		open := slices.IndexFunc(f.of(person), func(b scheduling.Booking) bool { return b.State == scheduling.Booked })
		_, err = f.Interviews.Record(t.Context(), audit.Staff(f.staff), interviews.Held{Study: f.study.ID, Person: person, Booking: f.of(person)[open].ID,
			Mode: "in_person", HeldOn: "2019-04-08", StartedAt: aprilAt(8, 9).UnixMilli(), Minutes: 50})
		f.must(err)
		if f.must(b.Get("/my/time")); b.Address() != "/my" {
			t.Errorf("after the conversation /my/time leads to %s", b.Address())
		}
		third, err := f.People.Book(t.Context(), audit.Staff(f.staff), scheduling.Request{Study: f.study.ID, Person: person, Audience: "company",
			Mode: scheduling.Phone, Start: aprilAt(12, 10), ByStaff: true, FollowUp: true}, handlers.Words{})
		f.must(err)
		f.must(f.Scheduling.Cancel(t.Context(), audit.Staff(f.staff), f.study.ID, third.ID, 0, "", true))
		f.shows(b, "/my/time", "Velg en tid")
	})
}

// reached enrols somebody who can be reached so, and not otherwise.
func (f *participation) reached(code, email, phone string) id.Person {
	f.t.Helper()
	person, err := f.People.Enrol(f.t.Context(), audit.Staff(f.staff), identities.Identity{Name: "Noen Oppdiktet", Email: email, Phone: phone},
		recruitment.Participant{Study: f.study.ID, Code: code, Case: f.kase, Audience: "company", Relation: recruitment.Member,
			Size: recruitment.Small, Source: recruitment.MemberList})
	f.must(err)
	return person
}

// Whatever is sent is refused beside its field, with all that was typed, and books nothing.
func TestChoosingRefusals(t *testing.T) {
	inParticipation(t, func(f *participation) {
		ctx := f.t.Context()
		f.offerEverything()
		person, link := f.informant("A2")
		b := f.consented(link)
		for _, tc := range []struct {
			name, mode, slot, where, wrong, says string
			status                               int
		}{
			{"nothing", "visit", "", "", "where", "Skriv hvor vi skal komme.", 422},
			{"no time", "visit", "", whereabouts, "slot", "Velg en tid.", 422},
			{"no place", "visit", slotOn(4, 9), " \t ", "where", "Skriv hvor vi skal komme.", 422},
			{"a long place", "visit", slotOn(4, 9), strings.Repeat("å", 300), "where", "Kan ha høyst 200 tegn.", 422},
			{"a place on two lines", "visit", slotOn(4, 9), "Vei 1\r\nBCC: x", "where", "Skriv på én linje", 422},
			{"a picture", "visit", slotOn(4, 9), "🏔️", "where", "Skriv stedet med bokstaver.", 422},
			{"no number", "phone", slotOn(4, 9), "ring meg 🙂", "where", "Skriv et telefonnummer.", 422},
			{"a long number", "phone", slotOn(4, 9), strings.Repeat("2", 300), "where", "Skriv et telefonnummer.", 422},
			{"no such way", "fax", slotOn(4, 9), "", "mode", "Velg hvordan samtalen skal foregå.", 422},
			{"not on the grid", "visit", slotOn(4, 9)[:9] + "0001", whereabouts, "slot", "", 0},
			{"the past", "visit", slotOn(1, 7), whereabouts, "slot", "Den tiden er ikke ledig lenger.", 409},
			{"at night", "visit", slotOn(4, 3), whereabouts, "slot", "Den tiden er ikke ledig lenger.", 409},
			{"the end of time", "visit", "9223372036854775807", whereabouts, "slot", "", 0},
			{"before time", "visit", "-9223372036854775808", whereabouts, "slot", "", 0},
		} {
			f.must(b.Get("/my/time?mode=visit&from=2019-04-04"))
			form := b.Form("main form")
			for name, value := range map[string]string{"mode": tc.mode, "slot": tc.slot, "where": tc.where} {
				form.Values().Set(name, value)
			}
			err := form.Submit()
			if err == nil || b.Status >= 500 || tc.status != 0 && b.Status != tc.status {
				t.Errorf("%s: status %d, want %d", tc.name, b.Status, tc.status)
			}
			if text := b.Text(".errors"); !strings.Contains(text, tc.says) || !b.Has("#f-"+tc.wrong) || !b.Has(`.errors a[href="#f-`+tc.wrong+`"]`) {
				t.Errorf("%s: the page says %q, and nothing is wrong with %s", tc.name, text, tc.wrong)
			}
			if got := b.Form("main form").Values().Get("where"); tc.mode != "fax" && got != strings.TrimSpace(tc.where) && got != tc.where && !strings.Contains(tc.where, "\r") {
				t.Errorf("%s: %q came back as %q", tc.name, tc.where, got)
			}
		}

		// Hours that are taken away while somebody chooses.
		f.must(b.Get("/my/time?mode=visit&from=2019-04-04"))
		form := b.Form("main form").Set("slot", slotOn(4, 9)).Set("where", whereabouts)
		f.hours(13*60, time.Thursday)
		f.refused(form, b, http.StatusConflict)
		f.at(b, "/my/time", "Den tiden er ikke ledig lenger.", "torsdag 4. april kl. 13:00")
		if b.Form("main form").Values().Get("where") != whereabouts {
			t.Error("what was typed is gone")
		}
		if len(f.of(person)) != 0 || len(f.notes(person)) != 0 {
			t.Errorf("something was booked or kept: %v, %q", f.of(person), f.notes(person))
		}

		// Easter is named, and whoever has given no number is asked for one.
		f.hours(9*60, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)
		f.shows(b, "/my/time?mode=in_person&from=2019-04-16", "18.–22. april er det ingen tider. Påske.")
		silent := f.reached("A9", "a9@example.org", "")
		if known, err := f.Vault.HasPhone(ctx, f.study.ID, silent); known || err != nil {
			t.Errorf("a number is known: %v, %v", known, err)
		}
		b = f.consented(f.linkOf(silent))
		f.shows(b, "/my/time?mode=phone", "Vi har ikke nummeret ditt.")
		f.refused(b.Form("main form").Set("slot", slotOn(4, 9)), b, http.StatusUnprocessableEntity)
		f.at(b, "/my/time", "Skriv nummeret vi skal ringe.")
		f.must(b.Form("main form").Set("where", "+46 8 123 456 78").Submit())
		f.at(b, "/my/booking", "Telefon. Vi ringer deg.", "+46 8 123 456 78")

		// Who has no address is not offered to answer by mail, and nobody is taken at a word that was not offered.
		b = f.consented(f.linkOf(f.reached("A10", "", "+47 22 00 00 18")))
		f.must(b.Get("/my/time?mode=email"))
		if strings.Contains(b.Text("nav"), "E-post") || b.Form("main form").Values().Get("mode") == "email" {
			t.Error("who has no address is offered mail")
		}
		form = b.Form("main form").Set("slot", slotOn(3, 9))
		form.Values().Set("mode", "email")
		f.refused(form, b, http.StatusUnprocessableEntity)
	})
}
