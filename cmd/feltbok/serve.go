package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/mail"
)

type serveCommand struct {
	storage
	address
	mailSettings
}

// Run serves until ctx ends. Half a configuration is refused before anything is opened.
func (c *serveCommand) Run(ctx context.Context, std stdio) error {
	if err := errors.Join(c.storage.check(), c.address.check()); err != nil {
		return err
	}
	transport, err := c.mailSettings.transport()
	if err != nil {
		return err
	}
	folder, err := database.LockFolder(c.Data)
	if err != nil {
		return err
	}
	defer folder.Close()
	return serve(ctx, c.options(transport), c.address, std, announceSetup)
}

func (c *serveCommand) options(transport mail.Transport) options {
	return options{storage: c.storage, transport: transport, from: mail.Address{Name: "Feltbok", Email: c.MailFrom}}
}

// serve opens the installation, listens, and says through announce how to get in.
func serve(ctx context.Context, o options, at address, std stdio, announce func(context.Context, *app, string, stdio) error) error {
	clock, own, err := loadClock(o.storage.Data)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", at.Addr)
	if err != nil {
		return err
	}
	if at.BaseURL == "" {
		at.BaseURL = "http://" + listener.Addr().String()
	}
	o.pages = handlers.Config{BaseURL: at.BaseURL, Secure: at.secure(), Proxies: at.Proxy, Unlimited: o.unlimited, Now: clock.now}
	if own {
		o.pages.Banner = "demo.banner"
	}
	a, err := openApp(ctx, o, std)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := a.recover(ctx); err != nil {
		return errors.Join(err, listener.Close(), a.close())
	}
	if err := announce(ctx, a, at.BaseURL, std); err != nil {
		return errors.Join(err, listener.Close(), a.close())
	}
	ctx, stop := context.WithCancel(ctx)
	wait := a.background(ctx)
	err = listen(ctx, listener, a.server, at)
	stop()
	wait()
	return errors.Join(err, a.close())
}

const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 10 * time.Second
	maxHeader     = 32 << 10
)

func listen(ctx context.Context, listener net.Listener, handler http.Handler, at address) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: newServerLog()}
	done := make(chan error, 1)
	go func() {
		if at.TLSCert != "" {
			done <- server.ServeTLS(listener, at.TLSCert, at.TLSKey)
			return
		}
		done <- server.Serve(listener)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	slog.Info("stopping", "drain", drainTimeout)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("requests were cut off after %s", drainTimeout), server.Close())
	}
	return err
}

const setupLifetime = 24 * time.Hour

// announceSetup prints the single-use link that makes the first account; there is no default one.
func announceSetup(ctx context.Context, a *app, base string, std stdio) error {
	fmt.Fprintf(std.out, "Feltbok is at %s\n", base)
	if a.sender == nil {
		fmt.Fprintln(std.out, "No mail server is set up (--smtp-host): mail waits in the outbox, and the pages say so.")
	}
	empty, err := a.Auth.Empty(ctx)
	if err != nil || !empty {
		return err
	}
	token, err := a.Auth.NewLink(ctx, auth.Setup, "", setupLifetime)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "Make the first account with this link, once, within a day:\n  %s/setup/%s\n", base, token)
	return nil
}
