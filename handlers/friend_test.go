package handlers

import (
	"testing"
	"time"
)

// An answer takes as long for somebody who is known already as for whoever is taken in.
func TestAnswersTakeTheirTime(t *testing.T) {
	for _, tc := range []struct {
		name string
		work time.Duration
	}{{"nothing to do", 0}, {"somebody taken in", answerTakes / 2}} {
		began := time.Now()
		time.Sleep(tc.work)
		(&Server{}).evenly(began)
		if took := time.Since(began); took < answerTakes {
			t.Errorf("%s: answered after %s, want at least %s", tc.name, took, answerTakes)
		}
	}
}
