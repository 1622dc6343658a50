package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"

	"filippo.io/age"
)

// site is a running installation with a place for its backups.
type site struct {
	*stage
	at      *place // for commands beside it
	data    string // folders of archives
	keys    string
	keyFile string
	public  string
}

// eachSite runs fn on an empty installation of each engine. elsewhere makes an empty place of the other one.
func eachSite(t *testing.T, fn func(t *testing.T, s *site, elsewhere func() *place)) {
	t.Helper()
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		fn(t, newSite(t, dsn), func() *place { return newPlace(t, otherEngine(t)) })
	})
}

// otherEngine makes addresses of the engine that this test does not run on; of the same where there is no other.
func otherEngine(t *testing.T) func(database.Store) string {
	return engine(t, !strings.Contains(t.Name(), "/postgres"))
}

func engine(t *testing.T, postgres bool) func(database.Store) string {
	server := os.Getenv("FELTBOK_TEST_POSTGRES")
	if server == "" || !postgres {
		folder := t.TempDir()
		return func(store database.Store) string { return filepath.Join(folder, string(store)+".db") }
	}
	return func(store database.Store) string { return dbtest.Schema(t, server, store) }
}

func newSite(t *testing.T, dsn func(database.Store) string) *site {
	t.Helper()
	addresses := map[database.Store]string{}
	for _, store := range database.Stores {
		addresses[store] = dsn(store)
	}
	s := &site{stage: newStage(t, func(store database.Store) string { return addresses[store] }),
		data: filepath.Join(t.TempDir(), "data"), keys: filepath.Join(t.TempDir(), "keys"), keyFile: filepath.Join(t.TempDir(), "key.txt")}
	s.at = &place{t: t, folder: filepath.Join(s.folder, "stores"), key: filepath.Join(s.folder, "master.key")}
	for _, store := range database.Stores {
		s.at.dsns = append(s.at.dsns, "--"+string(store)+"-dsn", addresses[store])
	}
	var out bytes.Buffer
	s.must(run(t.Context(), []string{"backup-key", s.keyFile}, stdio{&out, &out}))
	s.public = strings.TrimSpace(out.String())
	return s
}

// turn sets the clock of the installation and of the commands on it.
func (s *site) turn(at time.Time) {
	s.clock.set(at)
	s.must(savedClock{time.Until(at).Milliseconds()}.write(s.at.folder))
}

// backUp makes both archives and returns them.
func (s *site) backUp() (data, keys string) {
	s.t.Helper()
	s.at.must("backup", s.data, "--keys", s.keys, "--recipient", s.public)
	return s.newest()
}

func (s *site) newest() (data, keys string) {
	s.t.Helper()
	data, err := backup.Newest(backup.Data, s.data)
	s.must(err)
	keys, err = backup.Newest(backup.Keys, s.keys)
	s.must(err)
	return data, keys
}

// restore makes an installation at a place, with a copy of the master key.
func (s *site) restore(to *place, data, keys string) string {
	s.t.Helper()
	s.lend(to)
	return to.must("restore", data, "--keys", keys, "--identity", s.keyFile)
}

func (s *site) lend(to *place) {
	s.t.Helper()
	s.must(os.WriteFile(to.key, []byte(readFile(s.t, s.at.key)), 0o600))
}

// address is where a store of a place is.
func (p *place) address(store database.Store) string {
	if i := slices.Index(p.dsns, "--"+string(store)+"-dsn"); i >= 0 {
		return p.dsns[i+1]
	}
	return filepath.Join(p.folder, string(store)+".db")
}

// open opens what was restored, as a server does. Mail goes into memory.
func (p *place) open(now func() time.Time) *stage {
	p.t.Helper()
	at := storage{Data: p.folder, MasterKey: p.key, StudyDSN: p.address(database.Study), IdentityDSN: p.address(database.Identity), KeysDSN: p.address(database.Keys)}
	a, err := openApp(p.t.Context(), options{storage: at, transport: post{func(mail.Message) error { return nil }}, from: demoMailbox,
		pages: handlers.Config{BaseURL: testBase, Now: now, Unlimited: true}}, stdio{io.Discard, io.Discard})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := a.close(); err != nil {
			p.t.Error(err)
		}
	})
	return &stage{app: a, t: p.t, clock: &clock{}, folder: p.t.TempDir()}
}

// contents says what stands in the stores of an installation now, table by table.
func contents(t *testing.T, a *app) map[string]backup.Content {
	t.Helper()
	nobody, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]backup.Content{}
	for _, store := range database.Stores {
		snapshots, err := a.snapshots(t.Context(), []database.Store{store})
		if err != nil {
			t.Fatal(err)
		}
		found, err := backup.Write(t.Context(), io.Discard, []age.Recipient{nobody.Recipient()}, backup.Manifest{}, a.mark, snapshots...)
		snapshots[0].Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found {
			all[string(store)+"."+c.Table] = c
		}
	}
	return all
}

// restoreChanges are the tables that a restore itself writes to: what it did, that mail waits, and that nobody is signed in.
var restoreChanges = []string{"study.audit_entry", "study.audit_head", "study.quarantine", "study.session", "study.one_time_link"}

// Promise 17: what is restored elsewhere, on the other engine, has the same counts and the same content, table by table; and
// is as good as the first: names open, links in old mails open, and the whole verifies.
func TestRestoreElsewhere(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site, elsewhere func() *place) {
		c := everyMail(t, s.stage)
		c.call(c.persons[0], "Snakket lenge")
		c.upload(memberList(3, "liste"), "")
		path := c.path(c.persons[2], links.Participant)
		s.turn(s.clock.now().Add(time.Hour))
		want := contents(t, s.app)
		data, keyed := s.backUp()
		for _, to := range []*place{elsewhere(), newPlace(t, engine(t, strings.Contains(t.Name(), "/postgres")))} {
			out := s.restore(to, data, keyed)
			if !strings.Contains(out, "erased again 0, lists dropped 0, half-known dropped 0, loose keys destroyed 0") {
				t.Errorf("a quiet copy was not whole: %s", out)
			}
			if out := to.must("verify"); !strings.Contains(out, "persons in the vault 5, lists to be imported 1") {
				t.Errorf("verify says %s", out)
			}
			again := to.open(s.clock.now)
			got := contents(t, again.app)
			compared := 0
			for table := range want {
				if !slices.Contains(restoreChanges, table) {
					if got[table] != want[table] {
						t.Errorf("%s: want %+v, got %+v", table, want[table], got[table])
					}
					compared += int(want[table].Rows)
				}
			}
			if again.stores[database.Study].Postgres() == s.stores[database.Study].Postgres() { // engines write values differently
				sameRows(t, s.app, again.app)
			}
			if compared < 100 || len(got) != len(want) {
				t.Errorf("%d rows in %d tables were compared with %d tables", compared, len(want), len(got))
			}
			who, err := again.Vault.Open(t.Context(), audit.Staff(c.owner), "call", c.study.ID, c.persons[1])
			if err != nil || who.Name != "Navn "+noMark(1) {
				t.Errorf("a restored name reads %q, %v", who.Name, err)
			}
			b := again.browser()
			s.must(b.Get(path))
			s.must(b.Form("main form").Submit())
			if b.Address() != "/my/letter" && b.Address() != "/my" {
				t.Errorf("the link of an old mail leads to %s", b.Address())
			}
		}
	})
}

// sameRows compares value by value, and not by the hashes that archives are made with.
func sameRows(t *testing.T, one, other *app) {
	t.Helper()
	for _, store := range database.Stores {
		var except []string
		for _, table := range restoreChanges {
			except = append(except, strings.TrimPrefix(table, "study."))
		}
		before, after := dump(t, one.stores[store], except...), dump(t, other.stores[store], except...)
		if before != after {
			t.Errorf("the %s store was, and is:\n%s\n%s", store, difference(after, before), difference(before, after))
		}
	}
}

// Promise 17: a backup made while people come, answer and leave restores as often as it is made, and is one whole.
func TestBackupUnderLoad(t *testing.T) {
	rounds := 2
	if os.Getenv("FELTBOK_TEST_FULL") != "" {
		rounds = 30
	}
	eachSite(t, func(t *testing.T, s *site, elsewhere func() *place) {
		c := newCrowd(s.stage, 4, 2, noMark)
		var mu sync.Mutex
		in, leaving, out := slices.Clone(c.persons), []id.Person{}, []id.Person{} // the first and the last acknowledged
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for i := 100; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				person := c.enrol(i, func(i int) string { return fmt.Sprintf("last%d", i) })
				c.consent(person)
				c.call(person, "Snakket med en til")
				mu.Lock()
				in = append(in, person)
				mu.Unlock()
				if i%3 == 0 {
					mu.Lock()
					leaving = append(leaving, person)
					mu.Unlock()
					if err := c.people.Withdraw(context.Background(), audit.Participant(person), c.study.ID, person); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					out = append(out, person)
					mu.Unlock()
				}
			}
		}()
		defer func() { close(stop); <-stopped }()
		for round := range rounds {
			s.turn(s.clock.now().Add(time.Minute))
			mu.Lock()
			inBefore, outBefore := slices.Clone(in), slices.Clone(out)
			mu.Unlock()
			data, keyed := s.backUp()
			mu.Lock()
			maybeOut := slices.Clone(leaving)
			mu.Unlock()
			to := elsewhere()
			s.restore(to, data, keyed)
			to.must("verify")
			s.at.must("verify", "--backup", data, "--keys", keyed, "--identity", s.keyFile)
			again := to.open(s.clock.now)
			for _, person := range inBefore {
				known, err := again.Vault.Exists(t.Context(), person)
				left, maybeLeft := slices.Contains(outBefore, person), slices.Contains(maybeOut, person)
				if err != nil || known && left || !known && !maybeLeft {
					t.Errorf("round %d: in the vault %v, left before %v, perhaps meanwhile %v (%v)", round, known, left, maybeLeft, err)
				}
			}
			if n, err := again.Intents.Count(t.Context()); n != 0 || err != nil {
				t.Errorf("round %d: %d acts are open (%v)", round, n, err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if len(in) < 4+rounds || len(out) == 0 {
			t.Errorf("only %d came and %d left meanwhile: there was no load", len(in), len(out))
		}
	})
}

// Promise 12: a restore brings back nobody who was erased, before the copy or after, whatever they were.
func TestARestoreBringsBackNobody(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site, elsewhere func() *place) {
		c := newCrowd(s.stage, 4, 2, func(i int) string { return fmt.Sprintf("kanarifugl%02d", i) })
		ctx, owner := t.Context(), audit.Staff(c.owner)
		for _, person := range c.persons {
			c.call(person, "Snakket om kanarifugler")
			c.consent(person)
		}
		list, running := c.upload(memberList(3, "liste"), ""), c.upload(memberList(3, "andre"), "")
		act := c.begin(running)
		s.must(c.people.AddTip(ctx, owner, c.study.ID, c.persons[3], identity(40, func(int) string { return "tipset" }), 14))
		tips, err := s.Vault.Tips(ctx, c.study.ID)
		s.must(err)
		before, after, asked := c.persons[0], c.persons[1], c.asked[0]
		s.must(c.people.Withdraw(ctx, owner, c.study.ID, before))

		s.turn(s.clock.now().Add(time.Hour))
		data, oldKeys := s.backUp()

		s.must(c.people.Withdraw(ctx, owner, c.study.ID, after))
		s.must(c.people.Withdraw(ctx, owner, c.study.ID, asked))
		s.must(c.people.DropTip(ctx, owner, c.study.ID, tips[0].Person))
		s.must(c.people.Discard(ctx, owner, c.study.ID, list.ID))
		s.must(s.Intents.Finish(ctx, act))                     // three are taken in, who in the copy are not yet
		late := c.enrol(20, func(int) string { return "sen" }) // came after the copy
		s.turn(s.clock.now().Add(time.Hour))
		s.at.must("backup", "--keys", s.keys, "--recipient", s.public)
		_, newKeys := s.newest()
		if newKeys == oldKeys {
			t.Fatal("no newer keys were written")
		}

		to := elsewhere()
		out := s.restore(to, data, s.keys) // the newest of the folder
		if !strings.Contains(out, "erased again 3, lists dropped 1, half-known dropped 0, loose keys destroyed 4") {
			t.Errorf("the restore says %s", out)
		}
		again := to.open(s.clock.now)
		study, vault := dump(t, again.stores[database.Study], append(outliving, "participant")...), dump(t, again.stores[database.Identity])
		for name, person := range map[string]id.Person{"erased before": before, "erased after": after, "a respondent": asked, "a tip": tips[0].Person,
			"a list": id.Person(list.ID), "who came later": late} {
			if strings.Contains(study, string(person)) || strings.Contains(vault, string(person)) {
				t.Errorf("%s is back:\n%s", name, difference("", study+vault))
			}
			if err := again.keys.Create(ctx, person); err == nil {
				t.Errorf("%s gets a key again", name)
			}
		}
		if in, err := again.Imports.Get(ctx, c.study.ID, running.ID); err != nil || in.State != imports.Failed {
			t.Errorf("an import whose list is gone is %q (%v)", in.State, err)
		}
		for _, person := range []id.Person{c.persons[2], c.persons[3], c.asked[1]} {
			if _, err := again.Vault.Open(ctx, owner, "call", c.study.ID, person); err != nil {
				t.Errorf("who stayed does not open: %v", err)
			}
		}
		if n, err := again.Intents.Count(ctx); n != 0 || err != nil {
			t.Errorf("%d acts are open (%v)", n, err)
		}
		funnel, err := again.Recruitment.Funnel(ctx, c.study.ID, nil)
		if err != nil || len(funnel.Losses) != 1 || funnel.Losses[0].Count != 2 {
			t.Errorf("the funnel no longer counts both who left: %+v, %v", funnel, err)
		}

		// With keys as old as the copy they come back: that is why keys older than seven days go.
		window := elsewhere()
		s.restore(window, data, oldKeys)
		if _, err := window.open(s.clock.now).Vault.Open(ctx, owner, "call", c.study.ID, after); err != nil {
			t.Errorf("within seven days, with the old keys: %v; the test sees nobody where somebody is", err)
		}
		if !strings.Contains(string(unlocked(t, oldKeys, s.keyFile)), encodedKeyOf(after)) {
			t.Error("the old keys do not have the key of who was erased since: the test looks for something else")
		}
		s.turn(s.clock.now().Add(7 * 24 * time.Hour))
		if out := s.at.must("backup", "--keys", s.keys, "--recipient", s.public); !strings.Contains(out, oldKeys+": deleted, older than seven days") {
			t.Errorf("the rotation says %s", out)
		}
		found, err := backup.Find(backup.Keys, s.keys)
		s.must(err)
		for _, path := range found {
			if strings.Contains(string(unlocked(t, path, s.keyFile)), encodedKeyOf(after)) {
				t.Errorf("%s still has the key of who was erased", path)
			}
		}
		if len(found) != 1 || !isMissing(oldKeys) || isMissing(data) {
			t.Errorf("left are %v", found)
		}
	})
}

// A study that was ended after the copy was made is ended again: the keys know.
func TestARestoreEndsAgain(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site, elsewhere func() *place) {
		c := newCrowd(s.stage, 2, 1, noMark)
		c.consent(c.persons[0])
		s.turn(s.clock.now())
		data, _ := s.backUp()
		s.must(s.people.End(t.Context(), audit.Staff(c.owner), c.study.ID, studies.Delete, false))
		s.people.works.Wait()
		s.turn(s.clock.now().Add(time.Hour))
		s.at.must("backup", "--keys", s.keys, "--recipient", s.public)
		to := elsewhere()
		if out := s.restore(to, data, s.keys); !strings.Contains(out, "studies ended again 1") {
			t.Errorf("the restore says %s", out)
		}
		again := to.open(s.clock.now)
		e, err := again.Studies.Ending(t.Context(), c.study.ID)
		known, failed := again.Vault.Persons(t.Context())
		if err != nil || e.FinishedAt == 0 || failed != nil || len(known) > 0 {
			t.Errorf("ended %+v (%v), %d in the vault (%v)", e, err, len(known), failed)
		}
	})
}

// encodedKeyOf stands in a row of data_key that is somebody's: their id, and bytes behind it. A row of erased ends with the id.
func encodedKeyOf(person id.Person) string {
	return fmt.Sprintf("t%c%sb", len(person), person)
}

// unlocked is what an archive holds, both layers off.
func unlocked(t *testing.T, path, keyFile string) []byte {
	t.Helper()
	with, err := backup.Identities(keyFile, "")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := age.Decrypt(strings.NewReader(readFile(t, path)), with...)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// Promises 10 and 11: whoever steals the archives, and even the key that opens them, finds nobody's name: neither in the data
// nor in the keys, without the master key.
func TestStolenBackupsGiveNoNames(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site, _ func() *place) {
		mark := func(i int) string { return fmt.Sprintf("kanarifugl%04d", i) }
		c := newCrowd(s.stage, 40, 10, mark)
		for i, person := range c.persons {
			c.call(person, "Snakket om "+mark(i))
		}
		c.upload(memberList(50, "kanarifuglliste"), "")
		log := listenToLog(t)
		data, keyed := s.backUp()
		master, err := keys.LoadMaster(s.at.key)
		s.must(err)
		places := map[string]string{"data": readFile(t, data), "keys": readFile(t, keyed), "data without its lock": string(unlocked(t, data, s.keyFile)),
			"keys without their lock": string(unlocked(t, keyed, s.keyFile)), "log": log.String()}
		for i := range 50 {
			for encoding, canary := range encodings(mark(i)) {
				for name, text := range places {
					if strings.Contains(text, canary) {
						t.Errorf("%s hold person %d in %s", name, i, encoding)
					}
				}
			}
		}
		for name, text := range places {
			if strings.Contains(text, string(master[:])) || strings.Contains(text, "kanarifuglliste") {
				t.Errorf("%s hold the master key, or a list", name)
			}
		}
		if !strings.Contains(places["data without its lock"], string(c.persons[0])) || !strings.Contains(places["keys without their lock"], string(c.persons[0])) {
			t.Error("the archives do not hold the people at all: the test looks in the wrong place")
		}
		for _, path := range []string{data, keyed} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s is %v, %v", path, info.Mode(), err)
			}
		}
		for _, folder := range []string{s.data, s.keys} {
			if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
				t.Errorf("%s holds %v, %v: want the archive alone", folder, entries, err)
			}
		}
	})
}

// Promise 17: what is damaged is refused in words before anything is made, and a restore that is broken off leaves nothing
// that opens.
func TestABrokenRestoreLeavesNothing(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site, elsewhere func() *place) {
		newCrowd(s.stage, 2, 1, noMark)
		s.turn(s.clock.now())
		data, keyed := s.backUp()
		to := elsewhere()
		s.lend(to)
		whole := []byte(readFile(t, data))
		broken := filepath.Join(t.TempDir(), "broken.age")
		for i := 1; i < 6; i++ {
			at := len(whole) * i / 6
			flipped := bytes.Clone(whole)
			flipped[at] ^= 4
			for what, text := range map[string][]byte{"cut": whole[:at], "flipped": flipped} {
				s.must(os.WriteFile(broken, text, 0o600))
				_, err := to.try("restore", broken, "--keys", keyed, "--identity", s.keyFile)
				if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), broken) {
					t.Errorf("%s at %d of %d bytes: %v", what, at, len(whole), err)
				}
				_, err = to.try("verify", "--backup", broken, "--identity", s.keyFile)
				if err == nil || !strings.Contains(err.Error(), "damaged") {
					t.Errorf("verify, %s at %d of %d bytes: %v", what, at, len(whole), err)
				}
			}
		}
		to.refused([]string{"verify"}, "there is no key store")

		// As a kill leaves it.
		version, err := database.Newest(database.Keys)
		s.must(err)
		half, err := database.BeginRestore(t.Context(), to.address(database.Keys), database.Keys, version)
		s.must(err)
		s.must(half.Close())
		to.refused([]string{"migrate"}, "a restore was broken off", "feltbok restore")
		s.restore(to, data, keyed)
		to.must("verify")
		to.refused([]string{"restore", data, "--keys", keyed, "--identity", s.keyFile}, "is not empty", "new place")

		// What is whole and does not verify is taken away again.
		s.must(s.stores[database.Study].Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(t.Context(), "update audit_entry set action = 'nothing.happened' where seq = 2")
			return err
		}))
		s.turn(s.clock.now().Add(time.Hour))
		data, keyed = s.backUp()
		last := elsewhere()
		s.lend(last)
		last.refused([]string{"restore", data, "--keys", keyed, "--identity", s.keyFile}, "audit chain at entry 2")
		for _, store := range database.Stores {
			if made, err := database.Exists(t.Context(), last.address(store)); made || err != nil {
				t.Errorf("the %s store is left (%v)", store, err)
			}
		}
	})
}

func TestWhatBackupAndRestoreRefuse(t *testing.T) {
	s := newSite(t, engine(t, false))
	c := newCrowd(s.stage, 1, 0, noMark)
	own := []string{"--recipient", s.public}
	for _, r := range []struct {
		args  []string
		words []string
	}{
		{[]string{"backup", s.data, "--keys", s.keys}, []string{"always encrypted", "backup-key"}},
		{append([]string{"backup"}, own...), []string{"give a folder"}},
		{append([]string{"backup", s.data, "--keys", s.data}, own...), []string{"keep them apart"}},
		{append([]string{"backup", s.data, "--keys", filepath.Join(s.data, "keys")}, own...), []string{"keep them apart"}},
		{append([]string{"backup", filepath.Join(s.keys, "data"), "--keys", s.keys}, own...), []string{"keep them apart"}},
		{append([]string{"backup", filepath.Join(s.at.folder, "backup")}, own...), []string{"lies in the data folder"}},
		{append([]string{"backup", s.data, "--keep=-1"}, own...), []string{"negative"}},
	} {
		s.at.refused(r.args, r.words...)
	}
	if !isMissing(s.data) || !isMissing(s.keys) {
		t.Error("something was made all the same")
	}
	s.turn(s.clock.now())
	data, keyed := s.backUp()
	s.at.refused(append([]string{"backup", s.data}, own...), "is there already")

	to := newPlace(t, otherEngine(t))
	restore := func(words []string, args ...string) {
		t.Helper()
		to.refused(append([]string{"restore"}, args...), words...)
	}
	restore([]string{"master key is missing", "in no backup"}, data, "--keys", keyed, "--identity", s.keyFile)
	s.must(os.WriteFile(to.key, []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0o600))
	restore([]string{"not made with this master key"}, data, "--keys", keyed, "--identity", s.keyFile)
	s.lend(to)
	restore([]string{"an archive of keys", "of data is needed"}, keyed, "--keys", keyed, "--identity", s.keyFile)
	restore([]string{"give what opens"}, data, "--keys", keyed)
	other := filepath.Join(t.TempDir(), "other.txt")
	s.must(run(t.Context(), []string{"backup-key", other}, stdio{io.Discard, io.Discard}))
	restore([]string{"does not open the archive"}, data, "--keys", keyed, "--identity", other)
	if err := run(t.Context(), []string{"backup-key", other}, stdio{io.Discard, io.Discard}); err == nil {
		t.Error("a key was made in the place of another")
	}
	s.turn(s.clock.now().Add(time.Hour))
	if out := s.at.must(append([]string{"backup", s.data, "--keep", "1"}, own...)...); !strings.Contains(out, "no name in this one") {
		t.Errorf("a backup without keys says %q", out)
	}
	if found, err := backup.Find(backup.Data, s.data); err != nil || len(found) != 1 {
		t.Errorf("kept %v, %v", found, err)
	}
	data, _ = s.newest()
	restore([]string{"is older than", "--older-keys"}, data, "--keys", keyed, "--identity", s.keyFile)
	to.refused([]string{"verify"}, "there is no key store")
	to.must("restore", data, "--keys", keyed, "--identity", s.keyFile, "--older-keys")
	if _, err := to.open(s.clock.now).Vault.Open(t.Context(), audit.Staff(c.owner), "call", c.study.ID, c.persons[0]); err != nil {
		t.Errorf("with older keys: %v", err)
	}
}

// A passphrase does in the place of keys.
func TestBackupWithAPassphrase(t *testing.T) {
	s := newSite(t, engine(t, false))
	newCrowd(s.stage, 1, 0, noMark)
	word := filepath.Join(t.TempDir(), "word")
	s.must(os.WriteFile(word, []byte("ni bjørner i en furuskog\n"), 0o600))
	s.at.must("backup", s.data, "--passphrase-file", word)
	if out := s.at.must("verify", "--backup", s.data, "--passphrase-file", word); !strings.Contains(out, "whole") {
		t.Errorf("verify says %s", out)
	}
}

// Promise 17: a restored server sends nothing until an owner has said what becomes of the queue.
func TestARestoredServerSendsNothingUntilTold(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site, elsewhere func() *place) {
		c := newCrowd(s.stage, 3, 2, noMark) // two invitations wait
		ctx, waits := t.Context(), s.clock.now().Add(48*time.Hour)
		c.enter(c.persons[0], links.Participant)
		signIn := s.signIn(c.owner)
		s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Person: c.persons[0], Kind: "letter"}))
		s.must(s.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Person: c.persons[1], Kind: "letter", NotBefore: waits.UnixMilli()}))
		s.turn(s.clock.now().Add(time.Hour))
		data, keyed := s.backUp()
		for _, fate := range []mail.Fate{mail.DropOverdue, mail.SendOverdue} {
			to := elsewhere()
			s.restore(to, data, keyed)
			now := s.clock.now().Add(2 * time.Hour)
			again := to.open(func() time.Time { return now })
			s.signedOut(again, signIn)
			var went []string
			again.deliver(func(m mail.Message) error { went = append(went, m.Kind); return nil })
			send := func() {
				t.Helper()
				_, err := again.sender.SendDue(ctx)
				s.must(err)
			}
			s.must(again.Outbox.Send(ctx, mail.Mail{Study: c.study.ID, Account: c.owner, Kind: "test"}))
			send()
			if _, err := again.sender.SendPerson(ctx, c.persons[0], 0); err != nil || len(went) > 0 {
				t.Fatalf("untold it sent %v (%v)", went, err)
			}
			decide(t, again, c, fate)
			send()
			want := map[mail.Fate]string{mail.DropOverdue: "test", mail.SendOverdue: "letter survey_invitation survey_invitation test"}[fate]
			if slices.Sort(went); strings.Join(went, " ") != want {
				t.Errorf("told to %s it sent %q, want %q", fate, strings.Join(went, " "), want)
			}
			went, now = nil, waits.Add(time.Minute)
			if send(); strings.Join(went, " ") != "letter" {
				t.Errorf("told to %s, what was due later went as %q", fate, strings.Join(went, " "))
			}
		}
	})
}

// decide chooses on the mail page what becomes of the queue, after some slips.
func decide(t *testing.T, again *stage, c *crowd, fate mail.Fate) {
	t.Helper()
	page := "/studies/" + string(c.study.ID) + "/mail"
	b := (&crowd{stage: again}).staff(c.owner)
	again.must(b.Get("/studies/" + string(c.study.ID)))
	if !strings.Contains(b.Text("main"), "E-post venter: Studien er gjenopprettet") {
		t.Errorf("the study's home says %q", b.Text("main"))
	}
	again.must(b.Get(page))
	if !strings.Contains(b.Text("main"), "3 e-poster skulle vært sendt før gjenopprettingen") {
		t.Errorf("the mail page says %q", b.Text("main"))
	}
	release := `form[action$="/mail/release"]`
	again.refused(b, b.Form(release), 422, "fate")
	again.must(b.Get(page))
	form := b.Form(release).Set("fate", string(fate))
	again.must(form.Submit())
	if b.Address() != page+"?done=mail_released" || b.Has(release) {
		t.Errorf("afterwards at %s: %s", b.Address(), b.Text("main"))
	}
	again.speaks(b, page)
	if err := again.Outbox.Release(t.Context(), audit.Staff(c.owner), c.study.ID, fate); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a second time: %v", err)
	}
	entries, err := again.Audit.Newest(t.Context(), c.study.ID, 100)
	again.must(err)
	var acts []string
	for _, e := range entries {
		acts = append(acts, e.Action)
	}
	if !slices.Contains(acts, "backup.restored") || !slices.Contains(acts, "mail.released") {
		t.Errorf("the log lacks what was done: %v", acts)
	}
}

// signedOut checks that nobody is signed in after a restore, and that no link that works once works again.
func (s *site) signedOut(again *stage, signIn string) {
	s.t.Helper()
	for _, table := range []string{"session", "one_time_link"} {
		var before, after int
		s.must(s.stores[database.Study].QueryRow(s.t.Context(), "select count(*) from "+table).Scan(&before))
		s.must(again.stores[database.Study].QueryRow(s.t.Context(), "select count(*) from "+table).Scan(&after))
		if before == 0 || after != 0 {
			s.t.Errorf("of %d rows of %s, %d are restored", before, table, after)
		}
	}
	b := again.browser()
	if b.Get("/sign-in/" + signIn); b.Status != 404 {
		s.t.Errorf("an old sign-in link answers with %d", b.Status)
	}
}

func (s *stage) signIn(account id.Account) string {
	s.t.Helper()
	token, err := s.Auth.NewLink(s.t.Context(), "sign_in", account, time.Hour)
	s.must(err)
	return token
}

// A copy of an older version's tables is restored as it was, and brought up to date then; one of a newer is refused.
func TestAnOlderCopyIsBroughtUpToDate(t *testing.T) {
	s := newSite(t, engine(t, false))
	elsewhere := func() *place { return newPlace(t, engine(t, true)) }
	ctx, old := t.Context(), elsewhere()
	s.lend(old)
	versions := map[database.Store]int64{database.Study: 13, database.Identity: 5, database.Keys: 1}
	stores := map[database.Store]*database.DB{}
	for store, version := range versions {
		s.must(os.MkdirAll(old.folder, 0o700))
		db, err := database.BeginRestore(ctx, old.address(store), store, version)
		s.must(err)
		defer db.Close()
		stores[store] = db
	}
	master, err := keys.LoadMaster(old.key)
	s.must(err)
	_, err = keys.New(ctx, stores[database.Keys], master, s.clock.now)
	s.must(err)
	s.must(stores[database.Study].Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "insert into quota (study_id, case_id, cell, goal) values ('s', 'a', 'sme', 3)") // a later version has another table
		return err
	}))
	with, err := backup.Identities(s.keyFile, "")
	s.must(err)
	to := []age.Recipient{with[0].(*age.X25519Identity).Recipient()}
	file := func(m backup.Manifest, dbs ...*database.DB) string {
		var snapshots []*database.Snapshot
		for _, db := range dbs {
			snapshot, err := db.Snapshot(ctx)
			s.must(err)
			defer snapshot.Close()
			snapshots = append(snapshots, snapshot)
		}
		path := filepath.Join(t.TempDir(), string(m.Kind)+".age")
		s.must(writeFile(path, func(w io.Writer) error {
			_, err := backup.Write(ctx, w, to, m, func(hash string) string { return master.Blind(markUse, hash) }, snapshots...)
			return err
		}))
		return path
	}
	data := file(backup.Manifest{Kind: backup.Data}, stores[database.Study], stores[database.Identity])
	keyed := file(backup.Manifest{Kind: backup.Keys}, stores[database.Keys])
	fresh := elsewhere()
	s.restore(fresh, data, keyed)
	fresh.must("verify")
	var least, most int
	s.must(fresh.open(s.clock.now).stores[database.Study].QueryRow(ctx, "select least, most from quota_cell where study_id = 's'").Scan(&least, &most))
	if least != 3 || most != 3 {
		t.Errorf("the goal of three became %d to %d", least, most)
	}

	s.must(stores[database.Identity].Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update goose_db_version set version_id = 90000 where version_id = 5")
		return err
	}))
	newer := file(backup.Manifest{Kind: backup.Data}, stores[database.Study], stores[database.Identity])
	last := elsewhere()
	s.lend(last)
	last.refused([]string{"restore", newer, "--keys", keyed, "--identity", s.keyFile}, "newer Feltbok")
}
