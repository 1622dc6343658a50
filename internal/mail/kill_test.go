package mail

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/id"
)

// childVariable makes this test program a sender: "PORT DSN".
const childVariable = "FELTBOK_MAIL_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	if err := child(os.Getenv(childVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child sends everything that is due over SMTP, as a process of its own.
func child(task string) error {
	var port int
	var dsn string
	if _, err := fmt.Sscan(task, &port, &dsn); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := database.Open(ctx, dsn, database.Study)
	if err != nil {
		return err
	}
	outbox := New(db, time.Now)
	if err := outbox.Reclaim(ctx); err != nil {
		return err
	}
	transport, err := NewSMTP(Config{Host: "127.0.0.1", Port: port, TLS: NoTLS})
	if err != nil {
		return err
	}
	if _, err := NewSender(outbox, renderer{}, transport, installation).SendDue(ctx); err != nil {
		return err
	}
	return db.Close()
}

const kills, mailsPerKill = 20, 6

// TestKilledSendersLoseNothing is promise 5: a sender is killed 20 times while mails are leaving to a real SMTP server,
// before, while and after the server takes one.
func TestKilledSendersLoseNothing(t *testing.T) {
	dbtest.Ready(t, func(t *testing.T, dsn func(database.Store) string) {
		address := dsn(database.Study)
		b := newBench(t, dbtest.Open(t, address, database.Study))
		for range (kills + 1) * mailsPerKill {
			b.enqueue(Mail{Person: id.New[id.Person](), Kind: "survey_invitation"})
		}
		arrived := make(chan chan bool) // asks the parent whether to go on after a message was taken and before the child hears
		s := &server{received: func(received) error {
			verdict := make(chan bool)
			arrived <- verdict
			if !<-verdict {
				return fmt.Errorf("the sender is dead")
			}
			return nil
		}}
		s.start(t, nil, false)
		for range kills {
			killOne(t, strconv.Itoa(s.Port)+" "+address, arrived)
		}
		last := start(t, strconv.Itoa(s.Port)+" "+address)
		done := make(chan error)
		go func() { done <- last.Wait() }()
		for running := true; running; {
			select {
			case verdict := <-arrived:
				verdict <- true
			case err := <-done:
				if err != nil {
					t.Fatalf("the last sender: %v", err)
				}
				running = false
			}
		}
		count(t, s.messages())
	})
}

func start(t *testing.T, task string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childVariable+"="+task)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// killOne lets a sender send some mails and kills it: when the server has a message and has not said so, when it has
// taken the message and the sender may or may not have heard, or a moment later.
func killOne(t *testing.T, task string, arrived chan chan bool) {
	t.Helper()
	cmd := start(t, task)
	for range rand.N(mailsPerKill - 2) {
		(<-arrived) <- true
	}
	verdict := <-arrived
	kill := func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	switch rand.N(3) {
	case 0:
		kill()
		verdict <- false // not taken: the mail must come again
	case 1:
		kill()
		verdict <- true // taken, and nobody heard: it comes again, once
	case 2:
		verdict <- true // taken, and the sender may or may not have written so, or be at the next one
		time.Sleep(rand.N(10 * time.Millisecond))
		kill()
	}
}

func count(t *testing.T, messages []received) {
	t.Helper()
	times := map[string]int{}
	for _, m := range messages {
		times[m.id()]++
	}
	const mails = (kills + 1) * mailsPerKill
	if len(times) != mails {
		t.Errorf("%d of %d mails arrived", len(times), mails)
	}
	if repeats := len(messages) - len(times); repeats > kills {
		t.Errorf("%d repeats after %d kills", repeats, kills)
	}
	t.Logf("%d mails, %d repeats, %d kills", len(times), len(messages)-len(times), kills)
}
