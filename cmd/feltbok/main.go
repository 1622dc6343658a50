// Command feltbok is the whole product in one program. This package reads flags and environment, wires the parts
// together and runs them; rules stand in the domain packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // zones on machines without any

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"

	"github.com/alecthomas/kong"
)

type commands struct {
	Demo    demoCommand      `cmd:"" help:"Replay the thesis study in a fresh folder and serve it on this machine."`
	Serve   serveCommand     `cmd:"" help:"Run the service."`
	Export  exportCommand    `cmd:"" help:"Write a study's workbook."`
	Backup  backupCommand    `cmd:"" help:"Write encrypted archives of the stores, beside a running server."`
	Key     backupKeyCommand `cmd:"" name:"backup-key" help:"Make a key that opens archives."`
	Restore restoreCommand   `cmd:"" help:"Make an installation of archives."`
	Migrate migrateCommand   `cmd:"" help:"Bring the stores up to date and stop."`
	Verify  verifyCommand    `cmd:"" help:"Check the stores, the audit chain and the letters against each other."`
	Purge   purgeCommand     `cmd:"" help:"List the ends of studies; end one for good; finish what is under way."`
	User    userCommand      `cmd:"" help:"Make a sign-in link for an account, or a new set-up link."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, os.Args[1:], stdio{os.Stdout, os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, "feltbok:", sentence(err))
		os.Exit(1)
	}
}

// sentence says an error in words where it carries a code, and keeps the chain after them: it says where, and why.
func sentence(err error) string {
	coded, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return err.Error()
	}
	catalogue, loading := i18n.Load()
	if loading != nil {
		return err.Error()
	}
	text, key := catalogue.Text(i18n.English), "error."+coded.Code
	if !text.Has(key) {
		return err.Error()
	}
	return text.T(key) + "\n  " + strings.ReplaceAll(err.Error(), "\n", "\n  ")
}

// run is the whole program, callable from tests.
func run(ctx context.Context, args []string, std stdio) error {
	slog.SetDefault(slog.New(slog.NewTextHandler(std.err, nil)))
	var c commands
	parser, err := kong.New(&c, kong.Name("feltbok"), kong.UsageOnError(), kong.DefaultEnvars("FELTBOK"),
		kong.Description("Interviews with a follow-up survey, from the first call to the last table."),
		kong.Writers(std.out, std.err), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(std))
	if err != nil {
		return err
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return chosen.Run()
}
