package errs

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestSentinelSurvivesWrapping(t *testing.T) {
	taken := New(Conflict, "slot_taken")
	err := fmt.Errorf("book: %w", taken)
	if !errors.Is(err, taken) {
		t.Errorf("errors.Is(%v, sentinel) = false, want true", err)
	}
	if got := KindOf(err); got != Conflict {
		t.Errorf("KindOf = %v, want Conflict", got)
	}
	if errors.Is(err, New(Conflict, "other")) {
		t.Error("another code is held equal")
	}
}

func TestForeignErrorIsInternal(t *testing.T) {
	if got := KindOf(io.EOF); got != Internal {
		t.Errorf("KindOf(io.EOF) = %v, want Internal", got)
	}
	if got := Wrap(io.EOF, Unavailable, "disk_full"); !errors.Is(got, io.EOF) {
		t.Error("the cause left the chain")
	}
}

func TestCheckTellsEverythingAtOnce(t *testing.T) {
	var c Check
	if err := c.Err(); err != nil {
		t.Fatalf("empty check: %v", err)
	}
	c.Require("name", "  ", 10)
	c.Require("title", "blåbærsyltetøy", 5)
	c.AtMost("note", "æøå", 3)
	got := FieldsOf(fmt.Errorf("wrapped: %w", c.Err()))
	if len(got) != 2 || got[0].Code != "required" || got[1].Code != "too_long" || got[1].Args["Most"] != 5 {
		t.Errorf("fields = %+v", got)
	}
}
