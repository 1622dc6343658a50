package scheduling_test

import (
	"testing"
	"time"

	"example.org/feltbok/scheduling"
)

// Easter Sundays as the Norwegian almanac has them.
func TestHolidays(t *testing.T) {
	for _, easter := range []string{"2018-04-01", "2019-04-21", "2020-04-12", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2030-04-21", "2038-04-25"} {
		sunday, err := time.Parse(time.DateOnly, easter)
		if err != nil {
			t.Fatal(err)
		}
		for days, want := range map[int]scheduling.Holiday{-4: "", -3: "easter", -2: "easter", -1: "", 0: "easter", 1: "easter", 2: "", 39: "ascension", 49: "pentecost", 50: "pentecost"} {
			day := sunday.AddDate(0, 0, days)
			if day.Month() == time.May && (day.Day() == 1 || day.Day() == 17) {
				continue // a holiday of its own
			}
			if got := scheduling.HolidayOn(day.Date()); got != want {
				t.Errorf("%s, %d days from Easter: %q, want %q", day.Format(time.DateOnly), days, got, want)
			}
		}
	}
	for date, want := range map[string]scheduling.Holiday{"2026-01-01": "new_year", "2026-05-01": "labour", "2026-05-17": "constitution", "2026-12-24": "",
		"2026-12-25": "christmas", "2026-12-26": "christmas", "2026-12-27": "", "2026-06-24": ""} {
		day, _ := time.Parse(time.DateOnly, date)
		if got := scheduling.HolidayOn(day.Date()); got != want {
			t.Errorf("%s: %q, want %q", date, got, want)
		}
	}
}

func TestHolidaysAreKeptFree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		week := scheduling.Week{Account: "ada", Zone: "Europe/Oslo", Holidays: true, Windows: workdays(9, 11)}
		is(t, "set week", w.SetWeek(t.Context(), staff, w.study, week), nil)
		same(t, "the Wednesday before Easter", w.freeOn(t, "2019-04-17"), []string{"09:00", "10:00"})
		same(t, "Maundy Thursday", w.freeOn(t, "2019-04-18"), nil)
		same(t, "Easter Monday", w.freeOn(t, "2019-04-22"), nil)
		if _, err := w.AddExtra(t.Context(), staff, w.study, "ada", "2019-04-22T10:00", "2019-04-22T11:00"); err != nil {
			t.Fatal(err)
		}
		same(t, "Easter Monday with an extra hour", w.freeOn(t, "2019-04-22"), []string{"10:00"})
		week.Holidays, week.Version = false, 1
		is(t, "work on holidays", w.SetWeek(t.Context(), staff, w.study, week), nil)
		same(t, "Maundy Thursday at work", w.freeOn(t, "2019-04-18"), []string{"09:00", "10:00"})
		is(t, "an old version", w.SetWeek(t.Context(), staff, w.study, week), scheduling.ErrChanged)
	})
}
