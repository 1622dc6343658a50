package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/secret"
)

const goodPassword = "blåbær på fjellet"

// clock is one that the test sets.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.UnixMilli(c.at.Load()) }
func (c *clock) pass(d time.Duration) { c.at.Add(d.Milliseconds()) }
func (c *clock) set(at int64)         { c.at.Store(at) }
func codes(err error) (got []string) {
	for _, f := range errs.FieldsOf(err) {
		got = append(got, f.Name+" "+f.Code)
	}
	return got
}

// each runs fn per engine with a hasher that costs next to nothing.
func each(t *testing.T, fn func(t *testing.T, a *Auth, c *clock)) {
	t.Helper()
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		c := &clock{}
		c.set(time.Date(2019, 4, 11, 8, 0, 0, 0, time.UTC).UnixMilli())
		a := New(db, audit.New(db, c.now), c.now)
		HashCheaply(a)
		fn(t, a, c)
	})
}

func account(t *testing.T, a *Auth, email string) id.Account {
	t.Helper()
	made, err := a.CreateAccount(t.Context(), audit.System, email, "Kari Forsker", goodPassword, "nb")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func link(t *testing.T, a *Auth, kind LinkKind, account id.Account) string {
	t.Helper()
	token, err := a.NewLink(t.Context(), kind, account, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func count(t *testing.T, a *Auth, table string) (n int) {
	t.Helper()
	if err := a.db.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAccountInputIsChecked(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		long := strings.Repeat("å", 300)
		for name, c := range map[string]struct{ email, name, password, language, want string }{
			"nothing":        {"", "", "", "", "email required, language auth.language, name required, password auth.password_short"},
			"no address":     {"kari", "Kari", goodPassword, "nb", "email auth.email"},
			"name in it":     {"Kari <kari@example.org>", "Kari", goodPassword, "nb", "email auth.email"},
			"header in it":   {"kari@example.org\r\nBcc: x@example.org", "Kari", goodPassword, "nb", "email auth.email"},
			"long":           {"kari@example.org", long, long, "nn", "name too_long, password too_long"},
			"eleven letters": {"kari@example.org", "Kari", "ååååååååååå", "en", "password auth.password_short"},
		} {
			_, err := a.CreateAccount(t.Context(), audit.System, c.email, c.name, c.password, c.language)
			if got := strings.Join(codes(err), ", "); got != c.want || errs.KindOf(err) != errs.Invalid {
				t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
			}
		}
		if empty, err := a.Empty(t.Context()); err != nil || !empty {
			t.Errorf("Empty = %v, %v after refused input", empty, err)
		}
	})
}

func TestAnAddressIsOneAccount(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		kari := account(t, a, " Kari@Example.org ")
		_, err := a.CreateAccount(t.Context(), audit.System, "kari@example.ORG", "Kari", goodPassword, "nb")
		if !errors.Is(err, ErrEmailTaken) {
			t.Errorf("same address: %v, want ErrEmailTaken", err)
		}
		same, err := a.Invite(t.Context(), audit.System, "kari@example.org", "", "nn")
		if err != nil || same != kari {
			t.Errorf("Invite = %v, %v; want the account there is, %v", same, err, kari)
		}
		ola, err := a.Invite(t.Context(), audit.System, "ola@example.org", "", "nn")
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Accounts(t.Context(), kari, ola, "nobody")
		if err != nil || len(got) != 2 || !got[kari].Accepted || got[ola].Accepted || got[kari].Email != "Kari@Example.org" {
			t.Errorf("Accounts = %+v, %v", got, err)
		}
		if none, err := a.Accounts(t.Context()); err != nil || len(none) != 0 {
			t.Errorf("Accounts() = %v, %v", none, err)
		}
		if _, err := a.Account(t.Context(), "nobody"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("unknown account: %v", err)
		}
		if empty, err := a.Empty(t.Context()); err != nil || empty {
			t.Errorf("Empty = %v, %v", empty, err)
		}
	})
}

func TestSignInTellsNobodyWhoHasAnAccount(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, c *clock) {
		ctx := t.Context()
		kari := account(t, a, "kari@example.org")
		if _, err := a.Invite(ctx, audit.System, "ola@example.org", "", "nb"); err != nil {
			t.Fatal(err)
		}
		for _, email := range []string{"kari@example.org", "nobody@example.org", "ola@example.org"} {
			for try := range mostTries + 2 {
				if _, err := a.SignIn(ctx, email, ""); errs.KindOf(err) != errs.Invalid {
					t.Errorf("%q without a password: %v, want Invalid", email, err)
				}
				_, err := a.SignIn(ctx, email, "et galt passord")
				want := ErrSignIn
				if try >= mostTries {
					want = ErrTooMany
				}
				if !errors.Is(err, want) {
					t.Errorf("%q, try %d: %v, want %v", email, try+1, err, want)
				}
			}
		}
		if _, err := a.SignIn(ctx, "kari@example.org", goodPassword); !errors.Is(err, ErrTooMany) {
			t.Errorf("right password after too many: %v, want ErrTooMany", err)
		}
		c.pass(tryWindow)
		for range 2 * mostTries { // success clears the count; å typed as two characters is the same å
			got, err := a.SignIn(ctx, "KARI@example.org", strings.ReplaceAll(goodPassword, "å", "a\u030a"))
			if err != nil || got != kari {
				t.Fatalf("SignIn = %v, %v; want %v", got, err, kari)
			}
		}
		if got := count(t, a, "sign_in_try"); got != 2 {
			t.Errorf("%d counts left, want 2: success deletes its own", got)
		}
		if _, err := a.log.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

// Promise 23 at 500 guesses: a crowd gets no more tries than one.
func TestGuessesAreFewHoweverManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		account(t, a, "kari@example.org")
		var tried, refused atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for range 10 {
					_, err := a.SignIn(t.Context(), "kari@example.org", "a guess that is wrong")
					switch {
					case errors.Is(err, ErrSignIn):
						tried.Add(1)
					case errors.Is(err, ErrTooMany):
						refused.Add(1)
					default:
						t.Errorf("guess: %v", err)
					}
				}
			})
		}
		wg.Wait()
		if tried.Load() != mostTries || refused.Load() != 500-mostTries {
			t.Errorf("%d tried, %d refused of 500; want %d tried", tried.Load(), refused.Load(), mostTries)
		}
	})
}

func TestSetupHappensOnce(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		ctx := t.Context()
		first, token := link(t, a, Setup, ""), link(t, a, Setup, "")
		if _, err := a.Setup(ctx, first, "x@example.org", "X", goodPassword, "nb"); !errors.Is(err, ErrLinkDead) {
			t.Errorf("replaced link: %v, want ErrLinkDead", err)
		}
		if _, err := a.Setup(ctx, token, "x@example.org", "X", "short", "nb"); errs.KindOf(err) != errs.Invalid {
			t.Errorf("short password: %v, want Invalid and the link unused", err)
		}
		if _, err := a.UseLink(ctx, token); !errors.Is(err, ErrLinkDead) {
			t.Errorf("UseLink of a set-up link: %v, want ErrLinkDead and the link unused", err)
		}
		var made, dead atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := a.Setup(ctx, token, string(rune('a'+i))+"@example.org", "X", goodPassword, "nb")
				if err == nil {
					made.Add(1)
				} else if errors.Is(err, ErrLinkDead) {
					dead.Add(1)
				} else {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made.Load() != 1 || dead.Load() != 7 || count(t, a, "account") != 1 {
			t.Errorf("%d made, %d dead, %d accounts; want 1, 7, 1", made.Load(), dead.Load(), count(t, a, "account"))
		}
		if _, err := a.NewLink(ctx, Setup, "", time.Hour); !errors.Is(err, ErrSetUp) {
			t.Errorf("set-up link for an installation in use: %v, want ErrSetUp", err)
		}
	})
}

func TestAnAccountEndsSetup(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		token := link(t, a, Setup, "")
		account(t, a, "kari@example.org")
		if _, err := a.Setup(t.Context(), token, "x@example.org", "X", goodPassword, "nb"); !errors.Is(err, ErrLinkDead) {
			t.Errorf("Setup beside an account: %v, want ErrLinkDead", err)
		}
	})
}

func TestAnInvitationGivesTheFirstPasswordOnly(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		ctx := t.Context()
		ola, err := a.Invite(ctx, audit.System, "ola@example.org", "", "nn")
		if err != nil {
			t.Fatal(err)
		}
		one, two := link(t, a, Invite, ola), link(t, a, Invite, ola)
		if _, err := a.Accept(ctx, one, "", "kort"); len(errs.FieldsOf(err)) != 2 {
			t.Errorf("Accept without name and password: %v", err)
		}
		if got, err := a.Accept(ctx, one, " Ola ", goodPassword); err != nil || got != ola {
			t.Fatalf("Accept = %v, %v", got, err)
		}
		late := link(t, a, Invite, ola)
		for name, token := range map[string]string{"used": one, "second": two, "after it": late, "sign-in": link(t, a, SignIn, ola)} {
			if _, err := a.Accept(ctx, token, "Thief", "another password"); !errors.Is(err, ErrLinkDead) {
				t.Errorf("%s link: %v, want ErrLinkDead", name, err)
			}
		}
		got, err := a.Account(ctx, ola)
		if err != nil || got.Name != "Ola" || !got.Accepted || got.Language != "nn" {
			t.Errorf("account = %+v, %v", got, err)
		}
		if _, err := a.SignIn(ctx, "ola@example.org", goodPassword); err != nil {
			t.Errorf("first password: %v", err)
		}
	})
}

func TestASignInLinkWorksOnceAndInTime(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, c *clock) {
		ctx := t.Context()
		kari := account(t, a, "kari@example.org")
		token := link(t, a, SignIn, kari)
		for range 3 { // looking uses nothing up
			if got, err := a.PeekLink(ctx, token); err != nil || got.Account != kari || got.Kind != SignIn {
				t.Errorf("PeekLink = %+v, %v", got, err)
			}
		}
		var used atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if got, err := a.UseLink(ctx, token); err == nil && got.Account == kari {
					used.Add(1)
				} else if !errors.Is(err, ErrLinkDead) {
					t.Errorf("UseLink = %+v, %v", got, err)
				}
			})
		}
		wg.Wait()
		if used.Load() != 1 {
			t.Errorf("used %d times, want once", used.Load())
		}
		late := link(t, a, SignIn, kari)
		c.pass(time.Hour)
		for name, token := range map[string]string{"used": token, "expired": late, "invented": secret.New(), "empty": "", "the stored hash": secret.Hash(late)} {
			if _, err := a.PeekLink(ctx, token); !errors.Is(err, ErrLinkDead) {
				t.Errorf("PeekLink, %s: %v", name, err)
			}
			if _, err := a.UseLink(ctx, token); !errors.Is(err, ErrLinkDead) {
				t.Errorf("UseLink, %s: %v", name, err)
			}
		}
		if _, err := a.NewLink(ctx, SignIn, "nobody", time.Hour); !errors.Is(err, ErrNoAccount) {
			t.Errorf("link for nobody: %v", err)
		}
	})
}

func TestSessionsEndIdleAndOld(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, c *clock) {
		ctx := t.Context()
		kari, person := account(t, a, "kari@example.org"), id.New[id.Person]()
		for kind, start := range map[string]func() (Session, error){
			Staff:       func() (Session, error) { return a.StartStaff(ctx, kari) },
			Participant: func() (Session, error) { return a.StartParticipant(ctx, "study", person, "link") },
		} {
			idle, err := start()
			if err != nil {
				t.Fatal(err)
			}
			c.pass(limits[kind].idle - time.Millisecond)
			got, err := a.Session(ctx, idle.Token)
			if err != nil || got.Kind != kind || string(got.Form) != string(idle.Form) || len(got.Form) != 32 || got.Token != "" {
				t.Fatalf("%s: %+v, %v", kind, got, err)
			}
			if want := c.now().Add(limits[kind].idle).UnixMilli(); got.ExpiresAt != want {
				t.Errorf("%s expires at %d, want %d: it is in use", kind, got.ExpiresAt, want)
			}
			c.pass(limits[kind].idle)
			if _, err := a.Session(ctx, idle.Token); !errors.Is(err, ErrNoSession) {
				t.Errorf("%s, idle: %v, want ErrNoSession", kind, err)
			}
			busy, err := start()
			if err != nil {
				t.Fatal(err)
			}
			began := c.now()
			for c.now().Before(began.Add(limits[kind].whole)) {
				if _, err := a.Session(ctx, busy.Token); err != nil {
					t.Fatalf("%s, in use after %v: %v", kind, c.now().Sub(began), err)
				}
				c.pass(20 * time.Minute)
			}
			if _, err := a.Session(ctx, busy.Token); !errors.Is(err, ErrNoSession) {
				t.Errorf("%s after its whole time: %v, want ErrNoSession", kind, err)
			}
		}
		live, err := a.StartStaff(ctx, kari)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Sweep(ctx); err != nil || count(t, a, "session") != 1 {
			t.Errorf("Sweep: %v, %d sessions left, want the live one", err, count(t, a, "session"))
		}
		if _, err := a.Session(ctx, live.Token); err != nil {
			t.Errorf("live session after Sweep: %v", err)
		}
	})
}

func TestPageViewsCostFewWrites(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, c *clock) {
		s, err := a.StartStaff(t.Context(), account(t, a, "kari@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int64]bool{}
		for range 30 {
			if _, err := a.Session(t.Context(), s.Token); err != nil {
				t.Fatal(err)
			}
			var at int64
			if err := a.db.QueryRow(t.Context(), "select seen_at from session").Scan(&at); err != nil {
				t.Fatal(err)
			}
			seen[at] = true
			c.pass(10 * time.Second)
		}
		if len(seen) != 5 {
			t.Errorf("seen_at took %d values in 30 views of 5 minutes, want 5", len(seen))
		}
	})
}

func TestSessionsCanBeEnded(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		ctx := t.Context()
		kari, ola := account(t, a, "kari@example.org"), account(t, a, "ola@example.org")
		person, other := id.New[id.Person](), id.New[id.Person]()
		start := func(s Session, err error) string {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return s.Token
		}
		one, two, olas := start(a.StartStaff(ctx, kari)), start(a.StartStaff(ctx, kari)), start(a.StartStaff(ctx, ola))
		theirs, others := start(a.StartParticipant(ctx, "s", person, "l")), start(a.StartParticipant(ctx, "s", other, "m"))
		alive := func(want ...string) {
			t.Helper()
			for _, token := range []string{one, two, olas, theirs, others} {
				_, err := a.Session(ctx, token)
				if wanted := strings.Contains(strings.Join(want, " "), token); wanted != (err == nil) {
					t.Errorf("session: %v, want alive %v", err, wanted)
				}
			}
		}
		alive(one, two, olas, theirs, others)
		if err := a.End(ctx, one); err != nil {
			t.Fatal(err)
		}
		alive(two, olas, theirs, others)
		if err := a.EndAll(ctx, kari); err != nil {
			t.Fatal(err)
		}
		alive(olas, theirs, others)
		for range 2 {
			if err := a.db.Tx(ctx, func(tx *database.Tx) error { return a.Erase(ctx, tx, person) }); err != nil {
				t.Fatal(err)
			}
		}
		alive(olas, others)
		if _, err := a.StartStaff(ctx, "nobody"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("session for nobody: %v", err)
		}
	})
}

// Tokens and passwords must not be readable in the store: whoever copies it can become nobody.
func TestTheStoreHoldsNoSecret(t *testing.T) {
	each(t, func(t *testing.T, a *Auth, _ *clock) {
		ctx := t.Context()
		kari := account(t, a, "kari@example.org")
		s, err := a.StartStaff(ctx, kari)
		if err != nil {
			t.Fatal(err)
		}
		secrets := []string{goodPassword, s.Token, string(s.Form), link(t, a, SignIn, kari)}
		for _, query := range []string{"select hash from session", "select hash from one_time_link", "select password from account"} {
			var stored string
			if err := a.db.QueryRow(ctx, query).Scan(&stored); err != nil {
				t.Fatal(err)
			}
			for _, goodPassword := range secrets {
				if strings.Contains(stored, goodPassword) {
					t.Errorf("%s: holds a goodPassword", query)
				}
			}
			if _, err := a.Session(ctx, stored); !errors.Is(err, ErrNoSession) {
				t.Errorf("what is stored opens a session: %v", err)
			}
		}
	})
}

func TestPasswordsCostWhatTheyShould(t *testing.T) {
	h := newHasher()
	hash, err := h.hash(t.Context(), goodPassword)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=3,p=1$") {
		t.Fatalf("hash = %q, %v", hash, err)
	}
	h.cost = cost{memory: 8, passes: 1} // a hash carries its own cost
	if right, err := h.verify(t.Context(), goodPassword, hash); err != nil || !right {
		t.Errorf("right password: %v, %v", right, err)
	}
	for name, c := range map[string][2]string{"wrong": {goodPassword + "!", hash}, "empty": {"", hash}, "no hash": {"", ""}} {
		if right, err := h.verify(t.Context(), c[0], c[1]); err != nil || right {
			t.Errorf("%s: %v, %v", name, right, err)
		}
	}
	for _, broken := range []string{"x", "$argon2i$v=19$m=8,t=1,p=1$AA$AA", "$argon2id$v=18$m=8,t=1,p=1$AA$AA", "$argon2id$v=19$m=8,t=1,p=9$AA$AA", "$argon2id$v=19$m=8,t=1,p=1$!$AA"} {
		if _, err := h.verify(t.Context(), goodPassword, broken); err == nil {
			t.Errorf("stored hash %q is taken", broken)
		}
	}
}

func TestPasswordsWaitInAQueueThatEnds(t *testing.T) {
	h := newHasher()
	h.cost = cost{memory: 8, passes: 1}
	for range atATime {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := h.hash(ctx, goodPassword); done <- err }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("third at a time: %v, want it to wait until its caller leaves", err)
	}
	for range cap(h.queue) {
		h.queue <- struct{}{}
	}
	if _, err := h.hash(t.Context(), goodPassword); !errors.Is(err, ErrBusy) {
		t.Errorf("behind a full queue: %v, want ErrBusy", err)
	}
}
