package handlers

import (
	"slices"
	"testing"
	"time"

	"example.org/feltbok/scheduling"
)

func TestIdle(t *testing.T) {
	for _, tc := range []struct {
		name, before, day, first, last string
		holidays                       []string
	}{
		{"Easter", "2019-04-16", "2019-04-23", "2019-04-17", "2019-04-22", []string{"easter"}},
		{"a holiday before a weekend", "2019-05-16", "2019-05-20", "2019-05-17", "2019-05-17", []string{"constitution"}},
		{"two holidays and a turn of the month", "2020-04-29", "2020-05-22", "2020-04-30", "2020-05-21", []string{"labour", "ascension"}},
		{"Christmas and New Year", "2018-12-24", "2019-01-02", "2018-12-25", "2019-01-01", []string{"christmas", "new_year"}},
		{"days that are merely full", "2019-04-08", "2019-04-11", "2019-04-09", "2019-04-10", nil},
		{"a weekend with a holiday in it", "2020-05-15", "2020-05-18", "", "", nil},
		{"the next day", "2019-04-17", "2019-04-18", "", "", nil},
	} {
		first, last, holidays := idle(date(t, tc.before), date(t, tc.day))
		if !slices.Equal(holidays, tc.holidays) || !first.Equal(date(t, tc.first)) || !last.Equal(date(t, tc.last)) {
			t.Errorf("%s: %v to %v, %v, want %s to %s, %v", tc.name, first, last, holidays, tc.first, tc.last, tc.holidays)
		}
	}
}

func date(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// Everything that was chosen goes with every link; the zone is the place's wherever people meet.
func TestChoosingAddress(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	c := choosing{path: "/my/move", booking: "b1", mode: scheduling.Phone, modes: scheduling.Modes, zone: "Asia/Tokyo", from: "2019-04-08", place: oslo}
	if got, want := c.address(), "/my/move?booking=b1&from=2019-04-08&mode=phone&zone=Asia%2FTokyo"; got != want {
		t.Errorf("address %s, want %s", got, want)
	}
	for _, tab := range c.tabs() {
		other := c
		other.mode = tab.Mode
		want := oslo.String()
		if tab.Mode == scheduling.Phone || tab.Mode == scheduling.Video {
			want = c.zone
		}
		if tab.Address != other.address() || tab.Current != (tab.Mode == c.mode) || other.shown().String() != want {
			t.Errorf("%s: address %s, zone %s, want %s", tab.Mode, tab.Address, other.shown(), want)
		}
	}
}

func TestDial(t *testing.T) {
	if got, want := dial("+47 22 00 00 05 (Ingrid)"), "+4722000005"; got != want {
		t.Errorf("dialled %s, want %s", got, want)
	}
}
