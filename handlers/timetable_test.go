package handlers

import (
	"slices"
	"testing"
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"

	"github.com/google/go-cmp/cmp"
)

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestMondayIsTheFirstInstantOfTheWeek(t *testing.T) {
	oslo := zoneNamed(t, "Europe/Oslo")
	for _, tc := range []struct{ name, at, want string }{
		{"a Monday at midnight", "2019-04-08T00:00", "2019-04-08T00:00"},
		{"a Sunday late", "2019-04-14T23:59", "2019-04-08T00:00"},
		{"over the turn of the year", "2019-01-02T12:00", "2018-12-31T00:00"},
		{"the day the clocks go forward", "2019-03-31T12:00", "2019-03-25T00:00"},
	} {
		at, err := time.ParseInLocation(wallLayout, tc.at, oslo)
		if err != nil {
			t.Fatal(err)
		}
		if got := mondayOf(at).Format(wallLayout); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// Times are drawn where the clock on the wall shows them, on days of 23 and of 25 hours too.
func TestPiecesFollowTheClockOnTheWall(t *testing.T) {
	for _, tc := range []struct {
		name, zone, monday, from, to string // from and to in UTC
		want                         []piece
	}{
		{"an hour", "Europe/Oslo", "2019-04-08", "2019-04-11T08:30", "2019-04-11T09:30", []piece{{3, 630, 690}}},
		{"over midnight", "Europe/Oslo", "2019-04-08", "2019-04-11T21:00", "2019-04-11T23:00", []piece{{3, 1380, 1440}, {4, 0, 60}}},
		{"to midnight", "Europe/Oslo", "2019-04-08", "2019-04-11T21:00", "2019-04-11T22:00", []piece{{3, 1380, 1440}}},
		{"from the week before", "Europe/Oslo", "2019-04-08", "2019-04-07T20:00", "2019-04-07T23:00", []piece{{0, 0, 60}}},
		{"into the week after", "Europe/Oslo", "2019-04-08", "2019-04-14T21:00", "2019-04-15T06:00", []piece{{6, 1380, 1440}}},
		{"another week", "Europe/Oslo", "2019-04-08", "2019-04-15T06:00", "2019-04-15T07:00", nil},
		{"over the hour that is passed over", "Europe/Oslo", "2019-03-25", "2019-03-31T00:30", "2019-03-31T01:30", []piece{{6, 90, 120}, {6, 180, 210}}},
		{"after it", "Europe/Oslo", "2019-03-25", "2019-03-31T07:00", "2019-03-31T08:00", []piece{{6, 540, 600}}},
		{"the whole day of 23 hours", "Europe/Oslo", "2019-03-25", "2019-03-30T23:00", "2019-03-31T22:00", []piece{{6, 0, 120}, {6, 180, 1440}}},
		{"over the hour that comes twice", "Europe/Oslo", "2019-10-21", "2019-10-26T23:30", "2019-10-27T02:30", []piece{{6, 90, 210}}},
		{"from its first to its second time", "Europe/Oslo", "2019-10-21", "2019-10-27T00:45", "2019-10-27T01:15", []piece{{6, 120, 135}, {6, 165, 180}}},
		{"the whole day of 25 hours", "Europe/Oslo", "2019-10-21", "2019-10-26T22:00", "2019-10-27T23:00", []piece{{6, 0, 1440}}},
		{"half an hour forward", "Australia/Lord_Howe", "2019-09-30", "2019-10-05T15:00", "2019-10-05T16:00", []piece{{6, 90, 120}, {6, 150, 180}}},
		{"midnight twice", "America/Havana", "2019-10-28", "2019-11-03T03:30", "2019-11-03T05:30", []piece{{5, 1410, 1440}, {6, 0, 60}}},
		{"no midnight", "America/Sao_Paulo", "2018-10-29", "2018-11-04T02:30", "2018-11-04T04:00", []piece{{5, 1410, 1440}, {6, 60, 120}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			begin, err := time.ParseInLocation(time.DateOnly, tc.monday, zoneNamed(t, tc.zone))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, joined(begin, []scheduling.Span{spanOf(t, tc.from, tc.to)})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func spanOf(t testing.TB, from, to string) scheduling.Span {
	t.Helper()
	ms := func(text string) int64 {
		at, err := time.Parse(wallLayout, text)
		if err != nil {
			t.Fatal(err)
		}
		return at.UnixMilli()
	}
	return scheduling.Span{From: ms(from), To: ms(to)}
}

// weekWith is a timetable of one interviewer with an appointment.
func weekWith(t testing.TB, loc *time.Location, now string, appointment scheduling.Span, mode scheduling.Mode) timetable {
	t.Helper()
	catalogue, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	me := id.Account("i")
	at := spanOf(t, now, now)
	return timetable{base: base{Text: catalogue.Text("nb"), Now: time.UnixMilli(at.From)}, loc: loc, lanes: []scheduling.Diary{{Account: me}},
		meets: []entered{{Booking: scheduling.Booking{StartsAt: appointment.From, EndsAt: appointment.To, Zone: loc.String(), Mode: mode, Interviewers: []id.Account{me}}, Code: "A1", Way: "telefon"}}}
}

func TestDrawnWeekAroundChangesOfTheClock(t *testing.T) {
	oslo := zoneNamed(t, "Europe/Oslo")
	for _, tc := range []struct {
		name, monday, from, to string
		first, last            string // hours that are drawn
		y, height, gaps        int    // of the appointment
		note                   string // of Sunday
	}{
		{"an ordinary week", "2019-04-08", "2019-04-14T08:00", "2019-04-14T09:00", "08", "16", weekHead + 2*hourHeight, hourHeight, 0, ""},
		{"early and late", "2019-04-08", "2019-04-14T04:15", "2019-04-14T16:30", "06", "19", weekHead + 10, 12*hourHeight + 10, 0, ""},
		{"over the hour that is passed over", "2019-03-25", "2019-03-31T00:30", "2019-03-31T01:30", "01", "16", weekHead + 20, 2 * hourHeight, 1, "Klokken fram"},
		{"within the hour that comes twice", "2019-10-21", "2019-10-27T00:45", "2019-10-27T01:15", "02", "16", weekHead, hourHeight, 0, "Klokken tilbake"},
		{"the day after the night", "2019-10-21", "2019-10-27T09:00", "2019-10-27T10:00", "08", "16", weekHead + 2*hourHeight, hourHeight, 0, "Klokken tilbake"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			begin, err := time.ParseInLocation(time.DateOnly, tc.monday, oslo)
			if err != nil {
				t.Fatal(err)
			}
			w := weekWith(t, oslo, "2019-04-01T12:00", spanOf(t, tc.from, tc.to), scheduling.Phone).week(begin)
			if got, want := []string{w.Rows[0].Text, w.Rows[len(w.Rows)-1].Text}, []string{tc.first, tc.last}; !slices.Equal(got, want) {
				t.Errorf("drawn from and to %v, want %v", got, want)
			}
			if len(w.Meetings) != 1 || w.Meetings[0].Y != tc.y || w.Meetings[0].Height != tc.height || w.Meetings[0].X != w.Days[6].X {
				t.Errorf("drawn %+v, want one at %d of height %d on Sunday", w.Meetings, tc.y, tc.height)
			}
			if len(w.Gaps) != tc.gaps || w.Days[6].Note != tc.note || w.Now != nil {
				t.Errorf("gaps %v, want %d; Sunday says %q, want %q; now %v", w.Gaps, tc.gaps, w.Days[6].Note, tc.note, w.Now)
			}
			if len(w.Days[6].Meetings) != 1 || len(w.Days[5].Meetings) != 0 {
				t.Errorf("listed %v", w.Days)
			}
		})
	}
}

func TestDrawnWeekKnowsNowAndWhatIsDue(t *testing.T) {
	oslo := zoneNamed(t, "Europe/Oslo")
	begin := time.Date(2019, 4, 8, 0, 0, 0, 0, oslo)
	w := weekWith(t, oslo, "2019-04-11T08:30", spanOf(t, "2019-04-11T22:00", "2019-04-12T22:00"), scheduling.Email).week(begin)
	if w.Now == nil || w.Now.Y != weekHead+2*hourHeight+hourHeight/2 || w.Now.X != w.Days[3].X || !w.Days[3].Today || w.Days[4].Today {
		t.Errorf("now is drawn at %+v", w.Now)
	}
	if len(w.Meetings) != 0 || w.Days[4].Note != "Frist A1" || len(w.Days[4].Meetings) != 1 || w.Days[4].Meetings[0].Clock != "hele dagen" {
		t.Errorf("what is due is drawn as %v, and listed as %+v", w.Meetings, w.Days[4])
	}
	if w = weekWith(t, oslo, "2019-04-11T18:30", scheduling.Span{}, scheduling.Phone).week(begin); w.Now != nil {
		t.Errorf("an hour that is not drawn has a line: %+v", w.Now)
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"Ingrid Oppdikt": "IO", "Åse Marie von Oppdikt": "ÅO", "Ola": "O", "": ""} {
		if got := initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
