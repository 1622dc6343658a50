package id

import (
	"errors"
	"strings"
	"testing"
)

func TestNewIsValidAndFresh(t *testing.T) {
	seen := map[Person]bool{}
	for range 1000 {
		p := New[Person]()
		if !Valid(p) || seen[p] {
			t.Fatalf("New() = %q: want a valid identifier not seen before", p)
		}
		seen[p] = true
	}
}

func TestValid(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     bool
	}{
		{"made here", string(New[Study]()), true},
		{"empty", "", false},
		{"too short", "abc", false},
		{"upper case", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", false},
		{"digit outside base32", "abcdefghijklmnopqrstuvwxy1", false},
		{"path in it", "../../../../../etc/passwd/", false},
	} {
		if got := Valid(Study(tc.in)); got != tc.want {
			t.Errorf("%s: Valid(%q) = %v, want %v", tc.name, tc.in, got, tc.want)
		}
	}
}

func TestInventedCodesAreFreeAndDifferent(t *testing.T) {
	taken := map[string]bool{}
	for range 50 {
		codes, err := InventCodes(40, func(codes []string) (used []string, err error) {
			for _, code := range codes {
				if taken[code] || strings.HasSuffix(code, "7") {
					used = append(used, code)
				}
			}
			return used, nil
		})
		if err != nil || len(codes) != 40 {
			t.Fatalf("%v, %v", codes, err)
		}
		for _, code := range codes {
			if taken[code] || strings.HasSuffix(code, "7") || !strings.HasPrefix(code, Invented) {
				t.Errorf("%s is taken", code)
			}
			taken[code] = true
		}
	}
	if codes, err := InventCodes(1, func(codes []string) ([]string, error) { return codes, nil }); err == nil {
		t.Errorf("all are taken, and %v is free", codes)
	}
	away := errors.New("away")
	if _, err := InventCodes(1, func([]string) ([]string, error) { return nil, away }); !errors.Is(err, away) {
		t.Errorf("%v, want what taken returns", err)
	}
}
