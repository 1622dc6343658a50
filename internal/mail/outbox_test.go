package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
)

// clock is a time that only tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2019, 4, 1, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// renderer writes to an address made of the row's person, unless the test decides otherwise.
type renderer struct {
	decide func(row Row) error
}

func (r renderer) Render(_ context.Context, row Row) (Message, error) {
	if r.decide != nil {
		if err := r.decide(row); err != nil {
			return Message{}, err
		}
	}
	return Message{To: Address{"", fmt.Sprintf("%s@example.org", row.Person+id.Person(row.Account))}, Subject: row.Kind, Text: "Hei.\n"}, nil
}

// memory is a transport that keeps what it is given, unless it has an error to give back.
type memory struct {
	mu   sync.Mutex
	err  error
	sent []string // kind and Message-ID
}

func (m *memory) Name() string { return "memory" }
func (m *memory) Close() error { return nil }

func (m *memory) Send(_ context.Context, message Message, messageID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.sent = append(m.sent, message.Kind+" "+messageID)
	return nil
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// kinds lists what went, in order.
func (m *memory) kinds() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var kinds []string
	for _, one := range m.sent {
		kinds = append(kinds, strings.Fields(one)[0])
	}
	return strings.Join(kinds, " ")
}

const study, kari, ola = id.Study("study"), id.Person("kari"), id.Person("ola")

var installation = Address{"Feltbok", "feltbok@example.org"}

type bench struct {
	t         *testing.T
	db        *database.DB
	clock     *clock
	outbox    *Outbox
	transport *memory
	renderer  *renderer
	sender    *Sender
}

func newBench(t *testing.T, db *database.DB) *bench {
	b := &bench{t: t, db: db, clock: newClock(), transport: &memory{}, renderer: &renderer{}}
	b.outbox = New(db, b.clock.now)
	b.sender = NewSender(b.outbox, b.renderer, b.transport, installation)
	return b
}

func each(t *testing.T, fn func(b *bench)) {
	t.Helper()
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) { fn(newBench(t, db)) })
}

func (b *bench) tx(fn func(tx *database.Tx) error) {
	b.t.Helper()
	if err := b.db.Tx(b.t.Context(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) enqueue(mails ...Mail) {
	b.t.Helper()
	b.tx(func(tx *database.Tx) error {
		for _, m := range mails {
			m.Study = study
			if err := b.outbox.Enqueue(b.t.Context(), tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) sendDue(want int) {
	b.t.Helper()
	sent, err := b.sender.SendDue(b.t.Context())
	if err != nil || sent != want {
		b.t.Errorf("SendDue = %d, %v; want %d", sent, err, want)
	}
}

// counts is what Counts says, written short.
func (b *bench) wantCounts(want map[State]int) {
	b.t.Helper()
	got, err := b.outbox.Counts(b.t.Context(), study)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("Counts = %v, %v; want %v", got, err, want)
	}
}

func (b *bench) only() Row {
	b.t.Helper()
	rows, err := b.outbox.Status(b.t.Context(), study)
	if err != nil || len(rows) != 1 {
		b.t.Fatalf("Status = %+v, %v; want one row", rows, err)
	}
	return rows[0]
}

func TestEnqueueAndSend(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(
			Mail{Person: kari, Kind: "first", Params: map[string]string{"booking": "abc", "sequence": "0"}},
			Mail{Account: "anna", Kind: "second"},
			Mail{Person: kari, Kind: "later", NotBefore: b.clock.now().Add(time.Hour).UnixMilli()},
			Mail{Person: kari, Kind: "once", Key: "k"},
			Mail{Person: kari, Kind: "once", Key: "k"},
		)
		var seen []Row
		b.renderer.decide = func(row Row) error { seen = append(seen, row); return nil }
		b.sendDue(3)
		b.sendDue(0)
		if got, want := b.transport.kinds(), "first second once"; got != want {
			t.Errorf("went %q, want %q", got, want)
		}
		if r := seen[0]; r.Params["booking"] != "abc" || r.Person != kari || r.Study != study || r.MessageID != string(r.ID)+"@example.org" {
			t.Errorf("rendered row %+v", r)
		}
		b.clock.move(time.Hour)
		b.sendDue(1)
		b.enqueue(Mail{Person: kari, Kind: "once", Key: "k"}) // still one mail after it went
		b.sendDue(0)
		b.wantCounts(map[State]int{Sent: 4})
	})
}

func TestEnqueueRefuses(t *testing.T) {
	each(t, func(b *bench) {
		for _, tc := range []struct {
			name string
			mail Mail
		}{
			{"nobody", Mail{Kind: "a"}},
			{"two recipients", Mail{Kind: "a", Person: kari, Account: "anna"}},
			{"to one and about another", Mail{Kind: "a", Person: kari, About: ola}},
			{"no kind", Mail{Person: kari}},
			{"an address", Mail{Kind: "a", Person: kari, Params: map[string]string{"to": "kari@example.org"}}},
			{"a name", Mail{Kind: "a", Person: kari, Params: map[string]string{"name": "Kari Prøve"}}},
			{"a name as key", Mail{Kind: "a", Person: kari, Key: "Kari Prøve"}},
		} {
			err := b.db.Tx(t.Context(), func(tx *database.Tx) error { return b.outbox.Enqueue(t.Context(), tx, tc.mail) })
			if err == nil {
				t.Errorf("%s was accepted", tc.name)
			} else if strings.Contains(err.Error(), "Prøve") || strings.Contains(err.Error(), "example.org") {
				t.Errorf("%s: the error repeats it: %v", tc.name, err)
			}
		}
		b.wantCounts(map[State]int{})
	})
}

func TestMailOfAFailedTransactionIsNoMail(t *testing.T) {
	each(t, func(b *bench) {
		fault := errors.New("no booking after all")
		err := b.db.Tx(t.Context(), func(tx *database.Tx) error {
			if err := b.outbox.Enqueue(t.Context(), tx, Mail{Study: study, Person: kari, Kind: "a"}); err != nil {
				return err
			}
			return fault
		})
		if !errors.Is(err, fault) {
			t.Fatal(err)
		}
		b.sendDue(0)
	})
}

func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		name          string
		render, send  error
		state         State
		attempts      int
		reason        string
		status        int
		after, atMost time.Duration // of the next attempt
	}{
		{"stale", fmt.Errorf("cancelled: %w", ErrStale), nil, Stale, 0, "", 0, 0, 0},
		{"act under way", ErrNotYet, nil, Waiting, 0, "not_yet", 0, time.Minute, time.Minute},
		{"no address", ErrNoAddress, nil, Failed, 0, "no_address", 0, 0, 0},
		{"text broken", errors.New("template"), nil, Waiting, 1, "render", 0, 54 * time.Second, 66 * time.Second},
		{"later", nil, &Failure{Extent: Later, Code: "later", Status: 450}, Waiting, 1, "later", 450, 54 * time.Second, 66 * time.Second},
		{"never", nil, &Failure{Extent: Never, Code: "recipient_refused", Status: 550}, Failed, 1, "recipient_refused", 550, 0, 0},
		{"unknown error", nil, errors.New("?"), Waiting, 1, "transport", 0, 54 * time.Second, 66 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			each(t, func(b *bench) {
				b.enqueue(Mail{Person: kari, Kind: "a"}, Mail{Person: ola, Kind: "b"})
				b.renderer.decide = func(row Row) error {
					if row.Kind == "a" {
						b.transport.fail(tc.send)
						return tc.render
					}
					b.transport.fail(nil)
					return nil
				}
				b.sendDue(1) // the other one goes
				b.wantCounts(map[State]int{Sent: 1, tc.state: 1})
				if tc.state == Stale {
					return
				}
				r := b.only()
				if r.State != tc.state || r.Attempts != tc.attempts || r.Reason != tc.reason || r.Status != tc.status {
					t.Errorf("row %+v", r)
				}
				pause := time.Duration(r.NextAt-b.clock.now().UnixMilli()) * time.Millisecond
				if tc.state == Waiting && (pause < tc.after || pause > tc.atMost) {
					t.Errorf("next attempt in %v, want %v to %v", pause, tc.after, tc.atMost)
				}
			})
		})
	}
}

func TestAPanicFailsAlone(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "a"}, Mail{Person: ola, Kind: "b"})
		b.renderer.decide = func(row Row) error {
			if row.Kind == "a" {
				panic("nil map")
			}
			return nil
		}
		b.sendDue(1)
		if r := b.only(); r.Reason != "render" || r.Attempts != 1 {
			t.Errorf("row %+v", r)
		}
	})
}

func TestGivesUpAfterFiveDaysAndRetries(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "a"})
		b.transport.fail(&Failure{Extent: Later, Code: "later", Status: 450})
		start := b.clock.now()
		for b.clock.now().Before(start.Add(10 * 24 * time.Hour)) {
			b.sendDue(0)
			r := b.only()
			if r.State == Failed {
				break
			}
			b.clock.move(time.UnixMilli(r.NextAt).Sub(b.clock.now()))
		}
		days := b.clock.now().Sub(start).Hours() / 24
		if r := b.only(); r.State != Failed || days < 4 || days > 6 {
			t.Fatalf("row %+v after %.1f days, want failed after about 5", r, days)
		}
		failed := b.only()
		b.transport.fail(nil)
		b.sendDue(0)
		if err := b.outbox.Retry(t.Context(), audit.Staff("anna"), "other study", failed.ID); !errors.Is(err, ErrNotFailed) {
			t.Errorf("retry from another study: %v, want ErrNotFailed", err)
		}
		if err := b.outbox.Retry(t.Context(), audit.Staff("anna"), study, failed.ID); err != nil {
			t.Fatal(err)
		}
		if err := b.outbox.Retry(t.Context(), audit.Staff("anna"), study, failed.ID); !errors.Is(err, ErrNotFailed) {
			t.Errorf("retry of one that waits: %v, want ErrNotFailed", err)
		}
		b.sendDue(1)
		entries, err := audit.New(b.db, b.clock.now).Newest(t.Context(), study, 9)
		if err != nil || len(entries) != 1 || entries[0].Action != "mail.retried" {
			t.Errorf("audit %+v, %v", entries, err)
		}
	})
}

// TestNoStaleMailAfterAnOutage is promise 6: the server is away for 72 hours while the world goes on.
func TestNoStaleMailAfterAnOutage(t *testing.T) {
	each(t, func(b *bench) {
		b.transport.fail(&Failure{Extent: Outage, Code: "unreachable"})
		cancelled := map[string]bool{}
		b.renderer.decide = func(row Row) error {
			if cancelled[row.Params["booking"]] {
				return ErrStale
			}
			return nil
		}
		for n := range 20 {
			person := id.Person(fmt.Sprint("p", n))
			b.enqueue(Mail{Person: person, Kind: "booking_confirmed", Params: map[string]string{"booking": fmt.Sprint(n)}})
		}
		for hour := range 72 {
			if _, err := b.sender.SendDue(t.Context()); !errors.Is(err, ErrOutage) {
				t.Fatalf("hour %d: %v, want ErrOutage", hour, err)
			}
			switch {
			case hour < 5:
				cancelled[fmt.Sprint(hour)] = true
			case hour < 10:
				b.tx(func(tx *database.Tx) error { return b.outbox.Erase(t.Context(), tx, id.Person(fmt.Sprint("p", hour))) })
			case hour < 15:
				b.tx(func(tx *database.Tx) error { return b.outbox.Drop(t.Context(), tx, id.Person(fmt.Sprint("p", hour))) })
			}
			b.clock.move(time.Hour)
		}
		b.transport.fail(nil)
		for range 10 {
			if _, err := b.sender.SendDue(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.clock.move(time.Minute)
		}
		b.wantCounts(map[State]int{Sent: 5, Stale: 5, Dropped: 5})
		if n := len(b.transport.sent); n != 5 {
			t.Errorf("%d mails went, want the 5 that are still true, once", n)
		}
	})
}

func TestOutageBlamesNoMail(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "a"}, Mail{Person: ola, Kind: "b"})
		b.transport.fail(&Failure{Extent: Outage, Code: "unreachable"})
		for range 100 {
			if _, err := b.sender.SendDue(t.Context()); !errors.Is(err, ErrOutage) {
				t.Fatalf("%v, want ErrOutage", err)
			}
			b.clock.move(2 * time.Minute)
		}
		rows, err := b.outbox.Status(t.Context(), study)
		if err != nil || len(rows) != 2 || rows[0].Attempts+rows[1].Attempts != 0 || rows[0].Reason != "unreachable" {
			t.Errorf("rows %+v, %v; want no attempt counted, and the reason said", rows, err)
		}
		b.transport.fail(nil)
		b.sendDue(2)
	})
}

func TestNewest(t *testing.T) {
	each(t, func(b *bench) {
		newest := func(account id.Account, kind string) string {
			row, found, err := b.outbox.Newest(t.Context(), study, account, kind)
			if err != nil || found != (row.ID != "") {
				t.Errorf("newest %s to %s: %+v, %v, %v", kind, account, row, found, err)
			}
			return row.Params["n"]
		}
		b.enqueue(Mail{Account: "anna", Kind: "trial", Params: map[string]string{"n": "1"}}, Mail{Account: "anna", Kind: "trial", Params: map[string]string{"n": "2"}},
			Mail{Account: "bo", Kind: "trial", Params: map[string]string{"n": "3"}}, Mail{Account: "anna", Kind: "other", Params: map[string]string{"n": "4"}})
		b.sendDue(4)
		if got := newest("anna", "trial") + newest("bo", "trial") + newest("bo", "other"); got != "23" {
			t.Errorf("newest %q, want 23", got)
		}
		if _, found, err := b.outbox.Newest(t.Context(), "elsewhere", "anna", "trial"); found || err != nil {
			t.Errorf("another study's: %v, %v", found, err)
		}
	})
}

func TestDropSparesSomeKinds(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "reminder"}, Mail{Person: kari, Kind: "receipt"}, Mail{Person: ola, Kind: "reminder"},
			Mail{Account: "anna", About: kari, Kind: "reminder"}, Mail{Account: "anna", About: kari, Kind: "receipt"}, Mail{Account: "anna", Kind: "reminder"})
		b.tx(func(tx *database.Tx) error { return b.outbox.Drop(t.Context(), tx, kari, "receipt") })
		b.sendDue(4)
		b.wantCounts(map[State]int{Sent: 4, Dropped: 2})
		if got, want := b.transport.kinds(), "receipt reminder receipt reminder"; got != want {
			t.Errorf("went %q, want %q", got, want)
		}
	})
}

func TestDropAndEraseWhileSending(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "dropped"}, Mail{Person: ola, Kind: "erased"})
		b.renderer.decide = func(row Row) error {
			return b.db.Tx(t.Context(), func(tx *database.Tx) error {
				if row.Kind == "erased" {
					return b.outbox.Erase(t.Context(), tx, row.Person)
				}
				return b.outbox.Drop(t.Context(), tx, row.Person)
			})
		}
		b.sendDue(2)
		b.wantCounts(map[State]int{Sent: 1}) // it went, so that is what the row says; the other row is gone
		b.transport.fail(&Failure{Extent: Later, Code: "later"})
		b.enqueue(Mail{Person: kari, Kind: "dropped"})
		b.sendDue(0)
		b.wantCounts(map[State]int{Sent: 1, Dropped: 1})
	})
}

func TestEraseLeavesNothing(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "a"}, Mail{Person: ola, Kind: "a"}, Mail{Account: "anna", About: kari, Kind: "a"})
		for range 2 {
			b.tx(func(tx *database.Tx) error { return b.outbox.Erase(t.Context(), tx, kari) })
		}
		b.wantCounts(map[State]int{Waiting: 1})
	})
}

func TestSendPerson(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "withdrawn"}, Mail{Person: ola, Kind: "other"}, Mail{Account: "anna", About: kari, Kind: "cancelled"},
			Mail{Account: "anna", About: ola, Kind: "other"},
			Mail{Person: kari, Kind: "reminder", NotBefore: b.clock.now().Add(time.Hour).UnixMilli()})
		b.transport.fail(&Failure{Extent: Outage, Code: "unreachable"})
		b.sender.SendDue(t.Context()) // the next attempt is a minute away
		if left, err := b.sender.SendPerson(t.Context(), kari, time.Millisecond); err != nil || left != 2 {
			t.Errorf("during an outage: %d left, %v; want 2", left, err)
		}
		b.transport.fail(nil)
		if left, err := b.sender.SendPerson(t.Context(), kari, time.Minute); err != nil || left != 0 {
			t.Errorf("%d left, %v; want 0", left, err)
		}
		if got, want := b.transport.kinds(), "withdrawn cancelled"; got != want {
			t.Errorf("went %q, want %q", got, want)
		}
	})
}

func TestSeveralSendersSendOnce(t *testing.T) {
	each(t, func(b *bench) {
		const mails, senders = 60, 4
		var all []Mail
		for range mails {
			all = append(all, Mail{Person: kari, Kind: "a"})
		}
		b.enqueue(all...)
		var wg sync.WaitGroup
		for range senders {
			wg.Go(func() {
				if _, err := NewSender(b.outbox, renderer{}, b.transport, installation).SendDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		distinct := map[string]bool{}
		for _, one := range b.transport.sent {
			distinct[one] = true
		}
		if len(b.transport.sent) != mails || len(distinct) != mails {
			t.Errorf("%d mails went, %d distinct; want %d", len(b.transport.sent), len(distinct), mails)
		}
	})
}

func TestLease(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "a"})
		claim := func(want bool) {
			t.Helper()
			rows, err := b.outbox.due(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if (len(rows) == 1) != want {
				t.Fatalf("%d mails are due, want one: %v", len(rows), want)
			}
			if want {
				if word, err := b.outbox.claim(t.Context(), rows[0], false); err != nil || word == "" {
					t.Fatalf("claim = %q, %v", word, err)
				}
				// The same row again, as somebody else who had read it before.
				if word, err := b.outbox.claim(t.Context(), rows[0], false); err != nil || word != "" {
					t.Fatalf("second claim = %q, %v; want none", word, err)
				}
			}
		}
		claim(true)
		b.clock.move(lease - time.Millisecond)
		claim(false)
		b.clock.move(time.Millisecond)
		claim(true)
		if err := b.outbox.Reclaim(t.Context()); err != nil {
			t.Fatal(err)
		}
		claim(true)
	})
}

func TestRunStops(t *testing.T) {
	each(t, func(b *bench) {
		b.enqueue(Mail{Person: kari, Kind: "a"}, Mail{Person: kari, Kind: "b"})
		ctx, stop := context.WithCancel(t.Context())
		b.renderer.decide = func(Row) error { stop(); return nil } // in the middle of the first mail
		b.sender.Run(ctx)
		b.wantCounts(map[State]int{Sent: 1, Waiting: 1})
	})
}
