package studies_test

import (
	"testing"
	"time"

	"example.org/feltbok/studies"
)

// Calendar months, in the study's zone: there is no 31 February, and a night in Oslo is the day before in UTC.
func TestProofUntil(t *testing.T) {
	for _, tc := range []struct {
		erased string
		months int
		want   string
	}{
		{"2019-02-04T08:00:00Z", 12, "2020-02-04T09:00:00+01:00"},
		{"2019-01-31T12:00:00Z", 1, "2019-02-28T13:00:00+01:00"},
		{"2019-12-31T12:00:00Z", 2, "2020-02-29T13:00:00+01:00"},
		{"2019-03-30T23:30:00Z", 1, "2019-04-30T00:30:00+02:00"},
		{"2019-08-31T12:00:00Z", 6, "2020-02-29T14:00:00+01:00"},
	} {
		erased, err := time.Parse(time.RFC3339, tc.erased)
		if err != nil {
			t.Fatal(err)
		}
		if got := (studies.Study{Zone: "Europe/Oslo", ProofMonths: tc.months}).ProofUntil(erased).Format(time.RFC3339); got != tc.want {
			t.Errorf("%s and %d months: %s, want %s", tc.erased, tc.months, got, tc.want)
		}
	}
	if got := (studies.Study{Zone: "Europe/Oslo"}).ProofUntil(time.Now()); !got.IsZero() {
		t.Errorf("no months: %s", got)
	}
}
