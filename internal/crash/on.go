//go:build crashpoints && unix

// Package crash lets tests kill the process at a named point.
package crash

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
)

// Variable holds "NAME" or "NAME:N": the process kills itself at the Nth passing of the point NAME ("*" is any point).
const Variable = "FELTBOK_CRASH_AT"

var passed atomic.Int64

// Point kills the process, as kill -9 would, if the test asked for this point and passing.
func Point(name string) {
	at, nth := parse(os.Getenv(Variable))
	if at != name && at != "*" {
		return
	}
	if passed.Add(1) == nth {
		fmt.Fprintln(os.Stderr, "crash point", name)
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func parse(value string) (name string, nth int64) {
	nth = 1
	for i := len(value) - 1; i > 0; i-- {
		if value[i] == ':' {
			fmt.Sscan(value[i+1:], &nth)
			return value[:i], nth
		}
	}
	return value, nth
}
