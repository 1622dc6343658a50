package handlers

import (
	"net/url"
	"testing"
	"time"

	"example.org/feltbok/internal/errs"
)

func TestFormMoment(t *testing.T) {
	oslo := "Europe/Oslo"
	for _, tc := range []struct {
		name, zone string
		form       url.Values
		want       string // UTC; "" where it is refused
		fault      string
	}{
		{"once", oslo, url.Values{"day": {"11.4.2019"}, "time": {"10.30"}}, "2019-04-11T08:30", ""},
		{"once, and asked for nothing", oslo, url.Values{"day": {"2019-04-11"}, "time": {"10:30"}, "which": {"last"}}, "2019-04-11T08:30", ""},
		{"never", oslo, url.Values{"day": {"2019-03-31"}, "time": {"02:30"}, "which": {"first"}}, "", "time: field_work.no_such_hour"},
		{"just after never", oslo, url.Values{"day": {"2019-03-31"}, "time": {"03:00"}}, "2019-03-31T01:00", ""},
		{"twice, and nothing said", oslo, url.Values{"day": {"2019-10-27"}, "time": {"02:30"}}, "", "which: field_work.which"},
		{"twice, the first", oslo, url.Values{"day": {"2019-10-27"}, "time": {"0230"}, "which": {"first"}}, "2019-10-27T00:30", ""},
		{"twice, the last", oslo, url.Values{"day": {"2019-10-27"}, "time": {"02:30"}, "which": {"last"}}, "2019-10-27T01:30", ""},
		{"twice, and a forged answer", oslo, url.Values{"day": {"2019-10-27"}, "time": {"02:30"}, "which": {"1"}}, "", "which: field_work.which"},
		{"twice somewhere else", "America/New_York", url.Values{"day": {"2019-10-27"}, "time": {"02:30"}}, "2019-10-27T06:30", ""},
		{"half an hour twice", "Australia/Lord_Howe", url.Values{"day": {"2019-04-07"}, "time": {"01:45"}, "which": {"last"}}, "2019-04-06T15:15", ""},
		{"the end of the day", oslo, url.Values{"day": {"2019-04-11"}, "time": {"24:00"}}, "2019-04-11T22:00", ""},
		{"picked", oslo, url.Values{"day": {"2019-04-11"}, "time": {"10:30"}, "pick": {"2019-04-12T09:00"}}, "2019-04-12T07:00", ""},
		{"picked by hand", oslo, url.Values{"day": {"2019-04-11"}, "time": {"10:30"}, "pick": {"x"}}, "", "day: field_work.day"},
		{"no zone", "Mars/Olympus", url.Values{"day": {"2019-04-11"}, "time": {"10:30"}}, "", "time: field_work.no_such_hour"},
	} {
		var check errs.Check
		got := (&visit{form: tc.form}).formMoment(&check, tc.zone)
		fault := ""
		for _, f := range errs.FieldsOf(check.Err()) {
			fault = f.Name + ": " + f.Code
			if tc.fault == "" || fault == tc.fault {
				break
			}
		}
		text := ""
		if !got.IsZero() {
			text = got.UTC().Format(wallLayout)
		}
		if text != tc.want || fault != tc.fault {
			t.Errorf("%s: got %q (%s), want %q (%s)", tc.name, text, fault, tc.want, tc.fault)
		}
	}
}

// What fills in a form is read back as the same moment, also in an hour that comes twice.
func TestWallValues(t *testing.T) {
	for _, zone := range []string{"Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "UTC"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for around := time.Date(2019, 1, 1, 12, 0, 0, 0, loc); !around.IsZero() && around.Year() == 2019; _, around = around.ZoneBounds() {
			for at := around.Add(-3 * time.Hour); at.Before(around.Add(3 * time.Hour)); at = at.Add(15 * time.Minute) {
				var check errs.Check
				if got := (&visit{form: wallValues(at)}).formMoment(&check, zone); !got.Equal(at) {
					t.Fatalf("%s came back as %s (%v)", at, got, check.Err())
				}
			}
		}
	}
}

func TestKeepOwn(t *testing.T) {
	was := url.Values{"day": {"2019-04-11"}, "place": {"Rom 1"}, "interviewers": {"a"}}
	form := url.Values{"day": {"2019-04-11"}, "place": {"Rom 2"}, "interviewers": {"a"}, "message": {"Hei"}, "was": {was.Encode()}}
	keepOwn(form, url.Values{"day": {"2019-04-12"}, "place": {"Rom 3"}, "interviewers": {"b", "c"}})
	for name, want := range map[string]string{"day": "2019-04-12", "place": "Rom 2", "interviewers": "b", "message": "Hei"} {
		if got := form.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	forged := url.Values{"day": {"x"}, "was": {"%zz"}}
	if keepOwn(forged, url.Values{"day": {"y"}}); forged.Get("day") != "x" {
		t.Error("a forged former state changed the form")
	}
}
