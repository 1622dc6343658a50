//go:build crashpoints && unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/crash"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/studies"
)

const endChild = "FELTBOK_TEST_END_CHILD"

// TestEndCrashChild is the process that is killed while it ends a study.
func TestEndCrashChild(t *testing.T) {
	place := os.Getenv(endChild)
	if place == "" {
		t.Skip("only as a child of TestACrashedEndGoesOn")
	}
	a, c := openChild(t, strings.Split(place, "|"))
	defer a.close()
	if err := a.recover(t.Context()); err != nil { // what a killed one before left
		t.Fatal(err)
	}
	err := a.people.End(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Delete, true)
	if err != nil && !errors.Is(err, studies.ErrClosed) {
		t.Fatal(err)
	}
	a.people.works.Wait()
}

// endPoints are where an end is killed: before and after every step, and within those that take long.
func endPoints() []string {
	points := []string{"end.told:1", "end.proof:1", "end.proof:2", "end.keys:1", "end.vault:1", "end.study:1"}
	for step := range 10 {
		points = append(points, fmt.Sprintf("end.%d:1", step), fmt.Sprintf("end.%d.done:1", step))
	}
	if os.Getenv("FELTBOK_TEST_FULL") != "" {
		for nth := 1; nth <= 52; nth += 2 {
			points = append(points, fmt.Sprintf("*:%d", nth))
		}
	}
	return points
}

// Promise 13: killed anywhere, the end of a study goes on, and nothing of anybody is left.
func TestACrashedEndGoesOn(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, dsn func(database.Store) string) {
		points := endPoints()
		if database.IsPostgres(dsn(database.Study)) && os.Getenv("FELTBOK_TEST_FULL") == "" {
			points = []string{"end.told:1", "end.proof:2", "end.keys:1", "end.vault:1", "end.study:1"} // 5 on the slower engine
		}
		killed := 0
		for _, point := range points {
			t.Run(point, func(t *testing.T) {
				if killEnd(t, dsn, point) {
					killed++
				}
			})
		}
		if killed < len(points)*9/10 {
			t.Errorf("only %d of %d were killed: the points are not reached", killed, len(points))
		}
	})
}

func killEnd(t *testing.T, dsn func(database.Store) string, point string) (killed bool) {
	addresses := map[database.Store]string{}
	s := newStage(t, func(store database.Store) string {
		if address := dsn(store); database.IsPostgres(address) {
			addresses[store] = address
		}
		return addresses[store] // in files, a new place for each: that of the engine is one for all
	})
	c := fullCrowd(s)
	child := exec.Command(os.Args[0], "-test.run=^TestEndCrashChild$")
	child.Env = append(os.Environ(), crash.Variable+"="+point, endChild+"="+strings.Join([]string{s.folder, addresses[database.Study],
		addresses[database.Identity], addresses[database.Keys], string(c.study.ID), string(c.survey), string(c.owner)}, "|"))
	output, err := child.CombinedOutput()
	status, _ := child.ProcessState.Sys().(syscall.WaitStatus)
	killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	if !killed && err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if _, err := s.Intents.Reconcile(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	closed, err := s.Studies.Get(t.Context(), c.study.ID)
	s.must(err)
	if closed.ClosedAt == 0 { // killed before the act was on disk: nothing has happened
		if n, _, _ := s.Vault.Total(t.Context(), c.study.ID); n != 6 {
			t.Errorf("%d in the vault of a study that goes on", n)
		}
		return killed
	}
	if err := nothingLeft(t.Context(), s, c); err != nil {
		t.Errorf("after a kill: %v\n%s", err, output)
	}
	for _, store := range database.Stores {
		if strings.Contains(s.bytesOf(store), canary) {
			t.Errorf("the %s store holds a canary", store)
		}
	}
	e, err := s.Studies.Ending(t.Context(), c.study.ID)
	if err != nil || e.FinishedAt == 0 || e.Counts.Identities != 6 || e.Counts.Keys != 7 || e.Counts.Participants != 3 {
		t.Errorf("certificate %+v (%v)", e, err)
	}
	return killed
}
