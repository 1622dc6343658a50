//go:build crashpoints && unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/studies"
)

const signingChild = "FELTBOK_TEST_SIGNING_CHILD"

// TestSigningCrashChild is the process that is killed while somebody signs.
func TestSigningCrashChild(t *testing.T) {
	place := os.Getenv(signingChild)
	if place == "" {
		t.Skip("only as a child of TestCrashWhileSigning")
	}
	a, c := openChild(t, strings.Split(place, "|"))
	defer a.close()
	person, letter := c.persons[0], c.letter(consents.Company)
	err := a.people.SignConsent(t.Context(), audit.Participant(person), consents.Act{Study: c.study.ID, Person: person, Letter: letter.ID,
		Means: consents.OwnLink, Answers: yesTo(letter)}, identities.Signature{Typed: "Åse"})
	if err != nil {
		t.Fatal(err)
	}
}

// Promise 3 for a name under a consent: wherever the process is killed, no act is without its name.
func TestCrashWhileSigning(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		addresses := map[database.Store]string{}
		s := newStage(t, func(store database.Store) string {
			addresses[store] = dsn(store)
			return addresses[store]
		})
		c := newCrowd(s, 1, 0, noMark)
		c.demand(func(study *studies.Study) { study.Signature = studies.ByName })
		place := strings.Join([]string{s.folder, addresses[database.Study], addresses[database.Identity], addresses[database.Keys],
			string(c.study.ID), string(c.survey), string(c.owner)}, "|")
		killed, parted := 0, 0
		for round := 1; ; round++ {
			point := "sign.sealed"
			if round > 1 {
				point = fmt.Sprintf("*:%d", round-1)
			}
			child := exec.Command(os.Args[0], "-test.run=^TestSigningCrashChild$")
			child.Env = append(os.Environ(), signingChild+"="+place, crash.Variable+"="+point)
			output, err := child.CombinedOutput()
			names, failed := c.Vault.Signatures(t.Context(), audit.System, "support", c.study.ID, c.persons[0])
			s.must(failed)
			acts := c.acts(c.persons[0])
			for _, act := range acts {
				if _, signed := names[act.ID]; !signed {
					t.Errorf("after a kill at %s an act is without its name", point)
				}
			}
			if len(names) > len(acts) {
				parted++
			}
			status, _ := child.ProcessState.Sys().(syscall.WaitStatus)
			if !status.Signaled() {
				if err != nil {
					t.Fatalf("%s: %v\n%s", point, err, output)
				}
				break // it came to its end: there are no more points
			}
			killed++
		}
		if killed == 0 || parted == 0 {
			t.Errorf("killed %d times, of which a name was left alone %d: the points are not reached", killed, parted)
		}
	})
}
