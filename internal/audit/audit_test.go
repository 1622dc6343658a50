package audit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
)

func entry(i int) audit.Entry {
	return audit.Entry{
		Actor: audit.Participant(id.Person(fmt.Sprint("p", i))), Action: "consent.given", Study: "s",
		Person: id.Person(fmt.Sprint("p", i)), Detail: fmt.Sprint(i),
	}
}

func TestChain(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, log := t.Context(), audit.New(db, func() time.Time { return time.UnixMilli(42) })
		if n, err := log.Verify(ctx); n != 0 || err != nil {
			t.Errorf("empty chain: %d, %v", n, err)
		}
		if err := log.Record(ctx, entry(1), entry(2)); err != nil {
			t.Fatal(err)
		}
		if err := log.Record(ctx); err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		err := db.Tx(ctx, func(tx *database.Tx) error { return errors.Join(log.Append(ctx, tx, entry(3)), boom) })
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if err := log.Record(ctx, audit.Entry{Actor: audit.System, Action: "other.study", Study: "t"}); err != nil {
			t.Fatal(err)
		}
		if n, err := log.Verify(ctx); n != 3 || err != nil {
			t.Errorf("Verify = %d, %v; want 3: what was undone is not in it", n, err)
		}
		newest, err := log.Newest(ctx, "s", 5)
		if err != nil || len(newest) != 2 || newest[0].Seq != 2 || newest[0].At != 42 || newest[0].Detail != "2" {
			t.Errorf("Newest = %+v, %v", newest, err)
		}
		head, err := log.Position(ctx)
		if other, _ := log.Newest(ctx, "t", 1); err != nil || len(other) != 1 || other[0].Hash != head.Hash || other[0].Seq != head.Seq {
			t.Errorf("Position = %+v, %v; want the newest of all studies, %+v", head, err, other)
		}
	})
}

func TestConcurrentAppendsKeepTheChain(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		const clients, acts = 20, 5
		log := audit.New(db, time.Now)
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				for range acts {
					if err := log.Record(context.Background(), entry(i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		// A walk beside the writers sees a whole chain each time.
		for range 20 {
			if n, err := log.Verify(t.Context()); err != nil {
				t.Errorf("Verify beside writers = %d, %v", n, err)
			}
		}
		wg.Wait()
		if n, err := log.Verify(t.Context()); n != clients*acts || err != nil {
			t.Errorf("Verify = %d, %v; want %d", n, err, clients*acts)
		}
	})
}

const length = 12 // of the chain that is tampered with

// tamper is one way to change the store, and where that must be found.
type tamper struct {
	name       string
	place      int64
	statements []string
}

func set(column, value string, seq int64) string {
	return fmt.Sprintf("update audit_entry set %s = %s where seq = %d", column, value, seq)
}

// tampers returns one act of each kind at random places, and the round's kind of edit.
func tampers(random *rand.Rand, round int) []tamper {
	at := 1 + random.Int64N(length)
	other := 1 + random.Int64N(length)
	for other == at {
		other = 1 + random.Int64N(length)
	}
	edits := []string{
		set("at", "at + 1", at), set("actor", "'account:x'", at), set("action", "'consent.refused'", at), set("study_id", "'t'", at),
		set("person_id", "person_id || 'x'", at), set("detail", "''", at), set("hash", "'00'", at),
		// the same letters, parted elsewhere
		fmt.Sprintf("update audit_entry set person_id = person_id || detail, detail = '' where seq = %d", at),
	}
	const spare = 500 // sequence numbers from here on are free to shift through
	forge := func(seq int64) string {
		return fmt.Sprintf(`insert into audit_entry (seq, at, actor, action, study_id, person_id, detail, hash)
			select %d, at, actor, action, study_id, person_id, 'forged', hash from audit_entry where seq = 1`, seq)
	}
	shift := func(by int, from int64) string {
		return fmt.Sprintf("update audit_entry set seq = seq + %d where seq >= %d", by, from)
	}
	drop := fmt.Sprintf("delete from audit_entry where seq = %d", at)
	return []tamper{
		{"edit", at, []string{edits[round%len(edits)]}},
		{"delete", at, []string{drop}},
		{"delete and close the gap", at, []string{drop, shift(spare, at+1), shift(-spare-1, spare)}},
		{"insert", at, []string{shift(spare, at), shift(1-spare, spare), forge(at)}},
		{"add at the end", length + 1, []string{forge(length + 1)}},
		{"swap", min(at, other), []string{
			set("seq", "999", at), set("seq", fmt.Sprint(at), other), set("seq", fmt.Sprint(other), 999)}},
		{"cut the end", at, []string{fmt.Sprintf("delete from audit_entry where seq >= %d", at)}},
		{"move the head", length, []string{"update audit_head set hash = 'x'"}},
		{"head back", length, []string{fmt.Sprintf("update audit_head set seq = %d", length-1)}},
		{"head on", length + 1, []string{fmt.Sprintf("update audit_head set seq = %d", length+3)}},
	}
}

// size is a promise's figure on every change, or at full size where FELTBOK_TEST_FULL is set.
func size(everyChange, full int) int {
	if os.Getenv("FELTBOK_TEST_FULL") != "" {
		return full
	}
	return everyChange
}

// Promise 16: random edits, deletions, insertions and swaps, 200 on every change, all found at the right place.
func TestTamperingIsFoundAtItsPlace(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, log := t.Context(), audit.New(db, time.Now)
		for i := range length {
			if err := log.Record(ctx, entry(i)); err != nil {
				t.Fatal(err)
			}
		}
		keep(t, db)
		random := rand.New(rand.NewPCG(16, 200))
		for round := range size(200, 10_000) / len(tampers(random, 0)) {
			for _, tamper := range tampers(random, round) {
				run(t, db, tamper.statements...)
				place, err := log.Verify(ctx)
				if !errors.Is(err, audit.ErrBroken) || place != tamper.place {
					t.Errorf("%s: found at %d (%v), want %d\n%s", tamper.name, place, err, tamper.place, strings.Join(tamper.statements, "\n"))
				}
				restore(t, db)
			}
		}
		if n, err := log.Verify(ctx); n != length || err != nil {
			t.Errorf("restored: %d, %v", n, err)
		}
	})
}

// Who hashes an altered entry anew is found where the next one misses the old hash; at the end, by the head.
func TestRehashedEditIsFound(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, log := t.Context(), audit.New(db, time.Now)
		for i := range length {
			if err := log.Record(ctx, entry(i)); err != nil {
				t.Fatal(err)
			}
		}
		keep(t, db)
		for _, tc := range []struct{ altered, found int64 }{{3, 4}, {length, length}} {
			// The chain up to the altered entry, made anew with another detail, is put in place of the old one.
			run(t, db, fmt.Sprintf("delete from audit_entry where seq >= %d", tc.altered),
				fmt.Sprintf("update audit_head set seq = %d, hash = (select hash from audit_entry where seq = %d)", tc.altered-1, tc.altered-1))
			if err := log.Record(ctx, audit.Entry{Actor: audit.System, Action: "consent.given", Study: "s", Detail: "forged"}); err != nil {
				t.Fatal(err)
			}
			run(t, db, fmt.Sprintf("insert into audit_entry select * from kept_entry where seq > %d", tc.altered),
				"delete from audit_head", "insert into audit_head select * from kept_head")
			if place, err := log.Verify(ctx); !errors.Is(err, audit.ErrBroken) || place != tc.found {
				t.Errorf("entry %d altered: found at %d (%v), want %d", tc.altered, place, err, tc.found)
			}
			restore(t, db)
		}
	})
}

func keep(t *testing.T, db *database.DB) {
	t.Helper()
	run(t, db, "create table kept_entry as select * from audit_entry", "create table kept_head as select * from audit_head")
}

func restore(t *testing.T, db *database.DB) {
	t.Helper()
	run(t, db, "delete from audit_entry", "insert into audit_entry select * from kept_entry",
		"delete from audit_head", "insert into audit_head select * from kept_head")
}

func run(t *testing.T, db *database.DB, statements ...string) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *database.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(t.Context(), s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each study's entries come in pages, all of them or those of some kinds, and each can be checked by itself.
func TestPagesAndParts(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, log := t.Context(), audit.New(db, func() time.Time { return time.UnixMilli(42) })
		for i := range 12 {
			e := entry(i)
			if i%2 == 1 {
				e.Study = "other"
			}
			if i%3 == 0 {
				e.Action = "name.opened"
			}
			if err := log.Record(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
		for _, tc := range []struct {
			actions []string
			want    []int64
		}{{nil, []int64{11, 9, 7, 5, 3, 1}}, {[]string{"name.opened"}, []int64{7, 1}}, {[]string{"consent.given", "name.opened"}, []int64{11, 9, 7, 5, 3, 1}},
			{[]string{"none"}, nil}} {
			for limit := 1; limit < 8; limit++ {
				var got []int64
				for q := (audit.Query{Actions: tc.actions, Limit: limit}); ; {
					page, err := log.Page(ctx, "s", q)
					if err != nil {
						t.Fatal(err)
					}
					if len(page) == 0 {
						break
					}
					for _, e := range page {
						got = append(got, e.Seq)
					}
					q.Before = page[len(page)-1].Seq
				}
				if !slices.Equal(got, tc.want) {
					t.Errorf("%v in pages of %d: %v, want %v", tc.actions, limit, got, tc.want)
				}
			}
		}
		first, err := log.After(ctx, "s", 0, 4)
		if err != nil || len(first) != 4 || first[0].Previous != "" {
			t.Fatalf("%+v, %v", first, err)
		}
		rest, err := log.After(ctx, "s", first[3].Seq, 4)
		if err != nil || len(rest) != 2 {
			t.Fatalf("%+v, %v", rest, err)
		}
		for _, e := range append(first, rest...) {
			if !e.Holds() {
				t.Errorf("entry %d does not hold", e.Seq)
			}
			if e.Detail += "x"; e.Holds() {
				t.Errorf("entry %d holds with another detail", e.Seq)
			}
		}
		tallies, err := log.Tallies(ctx, "s", "name.opened")
		if err != nil || len(tallies) != 2 || tallies[0].N != 1 || tallies[0].Persons != 1 {
			t.Errorf("%+v, %v", tallies, err)
		}
	})
}

// The newest hash is told once a day, however many ask at once, and not where nothing was added.
func TestTellOncePerDay(t *testing.T) {
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		ctx, log := t.Context(), audit.New(db, time.Now)
		tell := func(day string) (told int) {
			var mu sync.Mutex
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					err := db.Tx(ctx, func(tx *database.Tx) error {
						p, due, err := log.TellTx(ctx, tx, day)
						if due && (p.Seq == 0 || p.Hash == "") {
							t.Errorf("told nothing: %+v", p)
						}
						if due {
							mu.Lock()
							told++
							mu.Unlock()
						}
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			return told
		}
		add := func() {
			if err := log.Record(ctx, entry(1)); err != nil {
				t.Fatal(err)
			}
		}
		steps := []struct {
			day  string
			add  bool
			want int
		}{{"2019-03-01", false, 0}, {"2019-03-01", true, 1}, {"2019-03-01", true, 0}, {"2019-03-02", false, 1}, {"2019-03-03", false, 0},
			{"2019-03-01", true, 0}, {"2019-03-04", false, 1}}
		for i, step := range steps {
			if step.add {
				add()
			}
			if got := tell(step.day); got != step.want {
				t.Errorf("step %d, %s: told %d times, want %d", i, step.day, got, step.want)
			}
		}
	})
}
