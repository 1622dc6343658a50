package main

import (
	"io"
	"strings"
	"testing"

	"example.org/feltbok/studies"
)

// The operator ends a study without a server, and it is erased when the command returns.
func TestPurge(t *testing.T) {
	s := newStage(t, nil)
	c := fullCrowd(s)
	for _, half := range []purgeCommand{{Study: "x"}, {Fate: "delete"}, {Study: "x", Fate: "delete"}} {
		if err := half.Run(t.Context(), stdio{io.Discard, io.Discard}); err == nil {
			t.Errorf("%+v was taken", half)
		}
	}
	var out strings.Builder
	all := purgeCommand{Study: string(c.study.ID), Fate: string(studies.Delete), Yes: true}
	for range 2 { // a second time changes nothing
		out.Reset()
		s.must(all.purge(t.Context(), s.app, stdio{&out, &out}))
	}
	if !strings.Contains(out.String(), "0 in the vault  ended ") {
		t.Errorf("purge says %q", out.String())
	}
	if err := nothingLeft(t.Context(), s, c); err != nil {
		t.Error(err)
	}
}
