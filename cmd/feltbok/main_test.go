package main

import (
	"errors"
	"fmt"
	"testing"

	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/errs"
)

// Operators read sentences; the chain after them says where.
func TestErrorsAreSaidInWords(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("no data folder"), "no data folder"},
		{fmt.Errorf("find x@example.org: %w", auth.ErrNoAccount), "There is no such account.\n  find x@example.org: auth.no_account"},
		{errors.Join(errs.Wrap(errors.New("dial"), errs.Unavailable, "store_away"), errors.New("close")),
			"We cannot save right now. Try again in a little while.\n  store_away: dial\n  close"},
		{errs.New(errs.Internal, "nobody.wrote_this"), "nobody.wrote_this"},
	} {
		if got := sentence(tc.err); got != tc.want {
			t.Errorf("%v is said as %q, want %q", tc.err, got, tc.want)
		}
	}
}
