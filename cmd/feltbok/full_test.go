//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/browser"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"

	"golang.org/x/sys/unix"
)

// fullChild names the folder in which the child mounts a disk of its own.
const fullChild = "FELTBOK_TEST_FULL_CHILD"

const tinyDisk = "size=40m"

// Promise 18: wherever the disk becomes full, the answer is a clear 507 (or 503), nothing acknowledged is lost, reading and
// erasing go on, and once there is room again so does the rest, without a restart. The disk is a small one of the child's own,
// in a namespace of its own.
func TestAFullDiskIsSurvivable(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestFullDiskChild$", "-test.v")
	child.Env = append(os.Environ(), fullChild+"="+t.TempDir(), "FELTBOK_TEST_POSTGRES=")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		child.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		child.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	output, err := child.CombinedOutput()
	if errors.Is(err, unix.EPERM) || strings.Contains(string(output), noDisk) {
		t.Skipf("this machine lets nobody mount a small disk: %v\n%s", err, output)
	}
	if err != nil || !strings.Contains(string(output), "--- PASS") {
		t.Fatalf("%v\n%s", err, output)
	}
}

const noDisk = "no disk of its own"

func TestFullDiskChild(t *testing.T) {
	folder := os.Getenv(fullChild)
	if folder == "" {
		t.Skip("only as a child of TestAFullDiskIsSurvivable")
	}
	// Private, so that the mount stays in this namespace.
	if err := errors.Join(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("tmpfs", folder, "tmpfs", 0, tinyDisk)); err != nil {
		t.Fatalf("%s: %v", noDisk, err)
	}
	t.Setenv("TMPDIR", folder)
	points := 3
	if os.Getenv("FELTBOK_TEST_FULL") != "" {
		points = 100
	}
	d := newFullDisk(t, folder)
	for point := range points {
		d.survive(point)
		if t.Failed() {
			t.Fatalf("at point %d", point)
		}
	}
}

// fullDisk is an installation on a disk that is filled up and cleared again.
type fullDisk struct {
	*crowd
	filler string
	said   map[id.Person]int // acts that were acknowledged
}

func newFullDisk(t *testing.T, folder string) *fullDisk {
	c := newCrowd(newStage(t, nil), 4, 0, noMark)
	return &fullDisk{crowd: c, filler: filepath.Join(folder, "filler"), said: map[id.Person]int{}}
}

func (d *fullDisk) survive(point int) {
	d.t.Helper()
	if err := d.ballast.Fill(); err != nil {
		d.t.Fatal(err)
	}
	leaver := d.crowd.enrol(100+point, noMark)
	d.persons = append(d.persons[:4:4], leaver)
	own := map[id.Person]*browser.Browser{}
	for _, person := range d.persons {
		own[person] = d.enter(person, links.Participant)
	}
	staff := d.staff(d.owner)
	d.fill(rand.IntN(64 << 10))

	d.answerUntilRefused(own)
	d.reads(own[d.persons[0]], staff)
	d.leaves(own[leaver], leaver)
	d.kept()

	d.must(os.Remove(d.filler))
	d.answer(own[d.persons[1]], d.persons[1])
	d.kept()
}

// fill leaves little more than the given bytes.
func (d *fullDisk) fill(leave int) {
	d.t.Helper()
	file, err := os.OpenFile(d.filler, os.O_CREATE|os.O_WRONLY, 0o600)
	d.must(err)
	defer file.Close()
	var info unix.Statfs_t
	d.must(unix.Statfs(d.filler, &info))
	_, err = file.Write(make([]byte, int64(info.Bavail)*info.Bsize-int64(leave)))
	d.must(err)
}

const mostTries = 400

// answerUntilRefused lets people change their answers until the disk is full, and counts what was acknowledged.
func (d *fullDisk) answerUntilRefused(own map[id.Person]*browser.Browser) {
	d.t.Helper()
	for try := range mostTries {
		person := d.persons[try%4]
		if d.try(own[person], person) == nil {
			continue
		}
		b := own[person]
		if b.Status != http.StatusInsufficientStorage && b.Status != http.StatusServiceUnavailable {
			d.t.Errorf("on a full disk the answer is %d: %s", b.Status, b.Text("main"))
		}
		if !strings.Contains(b.Text("main"), "disken") || b.Form("main form").Values().Get("consent_interview") != "yes" {
			d.t.Errorf("on a full disk the page says %q, with %v", b.Text(".errors"), b.Form("main form").Values())
		}
		return
	}
	d.t.Errorf("%d answers went onto a full disk", mostTries)
}

// try hands all answers in.
func (d *fullDisk) try(b *browser.Browser, person id.Person) error {
	if err := b.Get("/my/consent"); err != nil {
		return err
	}
	f := b.Form("main form")
	for _, item := range d.letter(consents.Company).Items {
		f.Set("consent_"+item.Purpose, "yes")
	}
	f.Set("consent_"+consents.Quotation, []string{"yes", "no"}[d.said[person]%2]) // or it would be no new answer
	if err := f.Submit(); err != nil {
		return err
	}
	d.said[person]++
	return nil
}

func (d *fullDisk) answer(b *browser.Browser, person id.Person) {
	d.t.Helper()
	d.must(d.try(b, person))
}

// reads looks at pages of both sides.
func (d *fullDisk) reads(own, staff *browser.Browser) {
	d.t.Helper()
	d.must(own.Get("/my")) // their own data open with an entry in the log, which needs room
	d.must(own.Get("/my/letter"))
	d.must(staff.Get("/studies/" + string(d.study.ID)))
	d.must(staff.Get("/studies/" + string(d.study.ID) + "/candidates"))
}

// leaves takes somebody out while there is no room.
func (d *fullDisk) leaves(b *browser.Browser, person id.Person) {
	d.t.Helper()
	d.must(b.Get("/my/withdraw"))
	d.must(b.Form("main form").Set("choice", "all").Submit())
	if open, err := d.Intents.Count(d.t.Context()); err != nil || open != 0 {
		d.t.Errorf("on a full disk a withdrawal stays open: %d, %v", open, err)
	}
	if known, err := d.Vault.Exists(d.t.Context(), person); err != nil || known {
		d.t.Errorf("on a full disk somebody who left is still known (%v)", err)
	}
	for _, line := range strings.Split(dump(d.t.(*testing.T), d.stores[database.Study], append(outliving, "participant")...), "\n") {
		if strings.Contains(line, string(person)) {
			d.t.Errorf("on a full disk this stays of somebody who left: %s", line)
		}
	}
}

// kept looks for every act that was acknowledged.
func (d *fullDisk) kept() {
	d.t.Helper()
	for _, person := range d.persons[:4] {
		state, err := d.Consents.State(d.t.Context(), d.study.ID, person)
		if err != nil || len(state.Acts) < d.said[person] {
			d.t.Errorf("%d acts were acknowledged, %d are kept (%v)", d.said[person], len(state.Acts), err)
		}
	}
	if n, err := d.Audit.Verify(d.t.Context()); err != nil {
		d.t.Error(fmt.Errorf("audit entry %d: %w", n, err))
	}
}
