package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/internal/replay"
)

type demoCommand struct {
	Dir       string `help:"Folder for the demo; a new one if it is not given." placeholder:"DIR"`
	Once      bool   `help:"Replay, write DIR/study.xlsx, print a summary and stop."`
	Responses int    `help:"Survey answers to make." default:"60"`
	Addr      string `help:"Address to serve on; the next free port is taken if it is in use." default:"127.0.0.1:8080"`
	Until     string `help:"Play to the end of this day, such as 2019-03-20, and look around as it was then." placeholder:"DATE"`
	until     time.Time
	JSON      bool `name:"json" help:"Print the links as one line of JSON."`
}

// The parts of a demo folder. The stores have a folder of their own, so that the master key lies outside of it.
func (c *demoCommand) storage() storage {
	return storage{Data: filepath.Join(c.Dir, "stores"), MasterKey: filepath.Join(c.Dir, "master.key")}
}

func (c *demoCommand) mailFolder() string { return filepath.Join(c.Dir, "mail") }

// linksFile remembers where a replayed demo begins, so that the folder can be served again.
func (c *demoCommand) linksFile() string { return filepath.Join(c.Dir, "links.json") }

// Run replays the study in a fresh folder, or opens one that was replayed before, and serves it.
func (c *demoCommand) Run(ctx context.Context, std stdio) error {
	if c.Responses < 0 {
		return errors.New("--responses cannot be negative")
	}
	if c.Until != "" {
		var err error
		if c.until, err = replay.Until(c.Until); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
	}
	if c.Dir == "" {
		dir, err := os.MkdirTemp("", "feltbok-demo-")
		if err != nil {
			return err
		}
		c.Dir = dir
	}
	abs, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	c.Dir = abs
	store := c.storage()
	folder, err := database.LockFolder(store.Data)
	if err != nil {
		return err
	}
	defer folder.Close()
	transport, err := mail.NewFolder(c.mailFolder())
	if err != nil {
		return err
	}
	at, err := c.address()
	if err != nil {
		return err
	}
	result, err := c.replayed(ctx, store, transport, at, std)
	if err != nil || c.Once {
		return err
	}
	return serve(ctx, options{storage: store, transport: transport, from: demoMailbox}, at, std, func(ctx context.Context, a *app, base string, std stdio) error {
		return c.announce(ctx, a, base, result, std)
	})
}

// address finds a free port, from the wished one upwards. The replay needs it before serving: links in mails name it.
func (c *demoCommand) address() (address, error) {
	at := address{Addr: c.Addr}
	if err := at.check(); err != nil {
		return at, err
	}
	wished, err := net.ResolveTCPAddr("tcp", c.Addr)
	if err != nil {
		return at, err
	}
	const tries = 50
	for port := wished.Port; port < wished.Port+tries; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort(wished.IP.String(), fmt.Sprint(port)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return at, err
		}
		at.Addr = listener.Addr().String()
		at.BaseURL = "http://" + at.Addr
		return at, listener.Close()
	}
	return at, fmt.Errorf("no free port from %s on", c.Addr)
}

// replayed plays the study if the folder is new, and reads what an earlier replay left if not.
func (c *demoCommand) replayed(ctx context.Context, store storage, transport mail.Transport, at address, std stdio) (replay.Result, error) {
	var result replay.Result
	text, err := os.ReadFile(c.linksFile())
	if err == nil {
		if c.Once || c.Until != "" {
			return result, fmt.Errorf("%s holds a demo already: choose a new folder", c.Dir)
		}
		return result, json.Unmarshal(text, &result)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return result, err
	}
	if result, err = c.play(ctx, store, transport, at, std); err != nil {
		return result, fmt.Errorf("replay: %w", err)
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "study.xlsx"), result.Workbook, 0o600); err != nil {
		return result, err
	}
	result.Workbook = nil
	if text, err = json.Marshal(result); err != nil {
		return result, err
	}
	return result, os.WriteFile(c.linksFile(), text, 0o600)
}

func (c *demoCommand) play(ctx context.Context, store storage, transport mail.Transport, at address, std stdio) (result replay.Result, err error) {
	began := time.Now()
	clock := &clock{}
	clock.set(replay.Start)
	config := handlers.Config{BaseURL: at.BaseURL, Now: clock.now, Unlimited: true, Banner: "demo.banner"}
	a, err := openApp(ctx, options{storage: store, pages: config, transport: transport, from: demoMailbox}, std)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	token, err := a.Auth.NewLink(ctx, auth.Setup, "", setupLifetime)
	if err != nil {
		return result, err
	}
	result, err = replay.Run(ctx, replay.Stage{Handler: http.Handler(a.server), Base: at.BaseURL, SetupToken: token, MailFolder: c.mailFolder(),
		SetClock: clock.set, Responses: c.Responses, Progress: c.progress(std), Until: c.until,
		SignIn:   a.signInToken,
		SendMail: func(ctx context.Context) error { _, err := a.sender.SendDue(ctx); return err }})
	if err != nil {
		return result, err
	}
	clock.runFrom(result.Now)
	if err := clock.save(store.Data); err != nil {
		return result, err
	}
	if !c.JSON {
		c.summarise(result, time.Since(began), std)
	}
	return result, nil
}

// progress shows one dot an event; a terminal needs no more.
func (c *demoCommand) progress(std stdio) func(string) {
	if c.JSON {
		return nil
	}
	return func(string) { fmt.Fprint(std.err, ".") }
}

func (c *demoCommand) summarise(result replay.Result, took time.Duration, std stdio) {
	fmt.Fprintf(std.err, "\n")
	fmt.Fprintf(std.out, "Replayed the study in %s (%.1f s)\n\n", c.Dir, took.Seconds())
	for _, line := range result.Summary {
		fmt.Fprintf(std.out, "  %-28s %4d\n", line.What, line.N)
	}
	fmt.Fprintf(std.out, "\n  workbook  %s\n  mail      %s\n  stores    %s\n", filepath.Join(c.Dir, "study.xlsx"), c.mailFolder(), filepath.Join(c.Dir, "stores"))
}

// demoMailbox is where the demo says its mail comes from.
var demoMailbox = mail.Address{Name: "Feltbok", Email: "feltbok@demo.example.org"}

const demoSignIn = 24 * time.Hour

// signInToken makes a link that signs an account in once.
func (a *app) signInToken(ctx context.Context, email string) (string, error) {
	account, err := a.Auth.ByEmail(ctx, email)
	if err != nil {
		return "", err
	}
	return a.Auth.NewLink(ctx, auth.SignIn, account.ID, demoSignIn)
}

// announce prints how to look around: a sign-in link for the researcher and the supervisor, and the participants' links.
func (c *demoCommand) announce(ctx context.Context, a *app, base string, result replay.Result, std stdio) error {
	researcher, err := a.signInToken(ctx, result.Researcher)
	if err != nil {
		return err
	}
	supervisor, err := a.signInToken(ctx, result.Supervisor)
	if err != nil {
		return err
	}
	researcher, supervisor = base+"/sign-in/"+researcher, base+"/sign-in/"+supervisor
	participants := map[string]string{}
	for _, link := range result.Links {
		participants[link.Kind] = base + link.Path
	}
	if c.JSON {
		return json.NewEncoder(std.out).Encode(map[string]any{"url": base, "researcher": researcher, "supervisor": supervisor,
			"participants": participants, "study": result.StudyPath, "survey": result.SurveyPath})
	}
	now := result.Now
	if now.IsZero() {
		now = replay.End // a folder from before a demo could end earlier
	}
	fmt.Fprintf(std.out, "\nFeltbok is at %s. The demo's clock runs on from %s; all people are invented.\n\n", base, now.Format("2 January 2006"))
	fmt.Fprintf(std.out, "  researcher   %s\n  supervisor   %s\n", researcher, supervisor)
	for _, link := range result.Links {
		fmt.Fprintf(std.out, "  %-12s %s\n", link.Kind, participants[link.Kind])
	}
	fmt.Fprintf(std.out, "\n  mail is written to %s\n  stop with Ctrl+C; start again with --dir %s\n", c.mailFolder(), c.Dir)
	return nil
}
