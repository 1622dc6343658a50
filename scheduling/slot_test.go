package scheduling_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

// The facts come from another implementation of the zone database.
func TestInstantsAgreeWithTheTruth(t *testing.T) {
	var truth struct {
		Cases []struct {
			Local string
			UTC   []string
		}
	}
	text, err := os.ReadFile("testdata/dst_oslo_2026.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	for _, c := range truth.Cases {
		if c.Local == "" {
			continue
		}
		instants, err := scheduling.Instants(c.Local, "Europe/Oslo")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range instants {
			got = append(got, i.UTC().Format("20060102T150405Z"))
		}
		same(t, c.Local, got, c.UTC)
	}
}

func TestInstantsRefuse(t *testing.T) {
	for _, c := range []struct{ wall, zone, want string }{
		{"2026-02-30T10:00", "Europe/Oslo", "start: scheduling.time"},
		{"tomorrow", "Europe/Oslo", "start: scheduling.time"},
		{"2026-02-20T10:00", "Europe/Atlantis", "zone: scheduling.zone"},
		{"2026-02-20T10:00", "Local", "zone: scheduling.zone"},
		{"2026-02-20T10:00", "../../etc/passwd", "zone: scheduling.zone"},
	} {
		_, err := scheduling.Instants(c.wall, c.zone)
		same(t, c.wall+" "+c.zone, faults(err), []string{c.want})
	}
}

func TestFreeFollowsWeekAndRanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		ctx := t.Context()
		if _, err := w.AddBlock(ctx, staff, w.study, "ada", "2019-04-03T09:30", "2019-04-03T10:30"); err != nil {
			t.Fatal(err)
		}
		easter, err := w.AddBlock(ctx, staff, w.study, "ada", "2019-04-17T00:00", "2019-04-23T00:00")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.AddExtra(ctx, staff, w.study, "ada", "2019-04-06T18:30", "2019-04-06T20:30"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, day string
			want      []string
		}{
			{"today from now on", "2019-04-01", []string{"09:00", "10:00", "11:00"}},
			{"an ordinary day", "2019-04-02", []string{"09:00", "10:00", "11:00"}},
			{"blocked in the middle", "2019-04-03", []string{"11:00"}},
			{"extra on a Saturday", "2019-04-06", []string{"18:30", "19:30"}},
			{"Sunday", "2019-04-07", nil},
			{"Easter", "2019-04-18", nil},
			{"after Easter", "2019-04-23", []string{"09:00", "10:00", "11:00"}},
			{"yesterday", "2019-03-29", nil},
			{"beyond the horizon", "2019-06-03", nil},
		} {
			same(t, c.name, w.freeOn(t, c.day), c.want)
		}
		if err := w.RemoveRange(ctx, staff, w.study, "ada", easter); err != nil {
			t.Fatal(err)
		}
		same(t, "Easter given back", w.freeOn(t, "2019-04-18"), []string{"09:00", "10:00", "11:00"})
		is(t, "given back twice", w.RemoveRange(ctx, staff, w.study, "ada", easter), scheduling.ErrNotFound)
		if err := w.Leave(ctx, staff, w.study, "ada"); err != nil {
			t.Fatal(err)
		}
		same(t, "after leaving", w.freeOn(t, "2019-04-02"), nil)
		_, err = w.AddExtra(ctx, staff, w.study, "ada", "2019-04-06T18:30", "2019-04-06T20:30")
		is(t, "extra without a week", err, scheduling.ErrNotFound)
	})
}

func TestFreeKeepsNoticeBuffersAndPairs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.week(t, "ada", workdays(9, 13)...)
		w.week(t, "bo", workdays(10, 14)...)
		w.offer(t, func(k *scheduling.Type) { k.NoticeHours = 26 })
		same(t, "with notice", w.freeOn(t, "2019-04-02"), []string{"11:00", "12:00", "13:00"})
		w.offer(t, func(k *scheduling.Type) { k.Interviewers = 2 })
		same(t, "both", w.freeOn(t, "2019-04-02"), []string{"10:00", "11:00", "12:00"})
		if _, err := w.byStaff(t.Context(), person(), at("2019-04-02T11:00"), "bo"); err != nil {
			t.Fatal(err)
		}
		same(t, "both, one busy", w.freeOn(t, "2019-04-02"), []string{"10:00", "12:00"})
		w.offer(t, func(k *scheduling.Type) { k.Interviewers, k.BufferBefore, k.BufferAfter = 2, 5, 15 })
		same(t, "both, one busy, with buffers", w.freeOn(t, "2019-04-02"), nil)
		w.offer(t, nil)
		same(t, "either", w.freeOn(t, "2019-04-02"), []string{"09:00", "10:00", "11:00", "12:00", "13:00"})
	})
}

// Time is one person's, whatever the study.
func TestFreeKnowsOtherStudies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 11)...)
		w.mustOwn(t, person(), "2019-04-02T09:00")
		w.study = id.New[id.Study]()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 11)...)
		same(t, "second study", w.freeOn(t, "2019-04-02"), []string{"10:00"})
		_, err := w.own(t.Context(), person(), at("2019-04-02T09:00"))
		is(t, "the same hour in the second study", err, scheduling.ErrTaken)
	})
}

func TestFreeAcrossClockChanges(t *testing.T) {
	night := func(from, to int) []scheduling.Window {
		return []scheduling.Window{{Weekday: time.Sunday, From: from, To: to}}
	}
	each(t, func(t *testing.T, w *world) {
		w.offer(t, func(k *scheduling.Type) { k.Minutes, k.Grid = 30, 30 })
		for _, c := range []struct {
			name, now, day string
			windows        []scheduling.Window
			want           []string
		}{
			{"spring, over the gap", "2019-03-25T09:00", "2019-03-31", night(60, 240), []string{"01:00", "01:30", "03:00", "03:30"}},
			{"spring, into the gap", "2019-03-25T09:00", "2019-03-31", night(60, 150), []string{"01:00", "01:30"}},
			{"spring, within the gap", "2019-03-25T09:00", "2019-03-31", night(125, 175), nil},
			{"spring, out of the gap", "2019-03-25T09:00", "2019-03-31", night(150, 210), []string{"03:00"}},
			{"autumn, over both hours", "2019-10-21T09:00", "2019-10-27", night(60, 240), []string{"01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"}},
			{"autumn, until the first 02:30", "2019-10-21T09:00", "2019-10-27", night(60, 150), []string{"01:00", "01:30", "02:00"}},
			{"the whole day, 23 hours long", "2019-03-25T09:00", "2019-03-31", night(1320, 1440), []string{"22:00", "22:30", "23:00", "23:30"}},
		} {
			w.set(c.now)
			w.week(t, "ada", c.windows...)
			same(t, c.name, w.freeOn(t, c.day), c.want)
		}
		w.set("2019-10-21T09:00")
		w.week(t, "ada", night(60, 240)...)
		if _, err := w.AddBlock(t.Context(), staff, w.study, "ada", "2019-10-27T01:30", "2019-10-27T02:30"); err != nil {
			t.Fatal(err)
		}
		same(t, "autumn, blocked until the second 02:30", w.freeOn(t, "2019-10-27"), []string{"01:00", "02:30", "03:00", "03:30"})
	})
}

func TestNearest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 12)...)
		w.mustOwn(t, person(), "2019-04-03T10:00")
		slots, err := w.Nearest(t.Context(), w.search(""), at("2019-04-03T10:00"), 3)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range slots {
			got = append(got, s.Start.Format("02 15:04 ")+s.Zone)
		}
		same(t, "nearest", got, []string{"03 09:00 Europe/Oslo", "03 11:00 Europe/Oslo", "02 11:00 Europe/Oslo"})
	})
}

func TestWeekAndTypeComeBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kind, err := w.TypeOf(t.Context(), w.study, "company")
		if err != nil || kind.Minutes != 60 || len(kind.Modes) != 2 {
			t.Errorf("usual type: %+v, %v", kind, err)
		}
		w.offer(t, func(k *scheduling.Type) {
			k.Minutes, k.Modes, k.VideoRoom = 45, []scheduling.Mode{scheduling.Video}, "https://video.example.org/r"
		})
		if kind, err = w.TypeOf(t.Context(), w.study, "company"); err != nil || kind.Minutes != 45 || kind.Modes[0] != scheduling.Video || kind.VideoRoom == "" {
			t.Errorf("saved type: %+v, %v", kind, err)
		}
		w.week(t, "ada", workdays(9, 12)...)
		w.week(t, "ada", workdays(10, 11)[:2]...)
		week, err := w.Week(t.Context(), w.study, "ada")
		if err != nil || len(week.Windows) != 2 || week.Windows[1] != (scheduling.Window{Weekday: time.Tuesday, From: 600, To: 660}) || week.Zone != "Europe/Oslo" {
			t.Errorf("week: %+v, %v", week, err)
		}
		_, err = w.Week(t.Context(), id.New[id.Study](), "ada")
		is(t, "another study's week", err, scheduling.ErrNotFound)
	})
}

func TestSetUpRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		hours := func(from, to int) scheduling.Window {
			return scheduling.Window{Weekday: time.Friday, From: from, To: to}
		}
		for _, c := range []struct {
			name    string
			zone    string
			windows []scheduling.Window
			want    []string
		}{
			{"zone", "Oslo", nil, []string{"zone: scheduling.zone"}},
			{"backwards", "Europe/Oslo", []scheduling.Window{hours(600, 540)}, []string{"friday: scheduling.hours"}},
			{"past midnight", "Europe/Oslo", []scheduling.Window{hours(600, 1445)}, []string{"friday: scheduling.hours"}},
			{"odd minutes", "Europe/Oslo", []scheduling.Window{hours(601, 700)}, []string{"friday: scheduling.five"}},
			{"overlap", "Europe/Oslo", []scheduling.Window{hours(600, 700), hours(540, 605)}, []string{"friday: scheduling.overlap"}},
		} {
			same(t, c.name, faults(w.SetWeek(ctx, staff, w.study, scheduling.Week{Account: "ada", Zone: c.zone, Windows: c.windows})), c.want)
		}
		w.week(t, "ada")
		_, err := w.AddBlock(ctx, staff, w.study, "ada", "2019-04-18T12:02", "soon")
		same(t, "range", faults(err), []string{"from: scheduling.five", "to: scheduling.time"})
		_, err = w.AddBlock(ctx, staff, w.study, "ada", "2019-04-18T12:00", "2019-04-18T12:00")
		same(t, "empty range", faults(err), []string{"to: scheduling.hours"})
		err = w.SaveType(ctx, staff, scheduling.Type{Study: w.study, Minutes: 62, BufferAfter: -5, Grid: 0, NoticeHours: 1e6, HorizonDays: 0, Modes: []scheduling.Mode{"pigeon", scheduling.Video}, Interviewers: 3, VideoRoom: "javascript:alert(1)"})
		same(t, "type", faults(err), []string{"audience: required", "buffer_after: scheduling.range", "grid: scheduling.range", "horizon_days: scheduling.range",
			"interviewers: scheduling.range", "minutes: scheduling.five", "modes: scheduling.mode", "notice_hours: scheduling.range", "video_room: scheduling.https"})
	})
}
