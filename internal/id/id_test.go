package id

import "testing"

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
