package handlers

import (
	"testing"

	"example.org/feltbok/identities"
)

func TestTextsThatMayNameSomebody(t *testing.T) {
	k := vaultWords{words: map[string]bool{}}
	k.add(identities.Identity{Name: "Tor Tenkt", Organisation: "Fjordlaks AS"})
	for text, want := range map[string]string{
		"Daglig leder": "", "": "", "Leder i klyngen siden 2012": "", "Sjef i fjordlaks": "known", "Tenkt, leder": "known", "Tor": "",
		"Skriv til kari@example.org": "mail", "Ring 22 00 00 11": "phone", "+47 22000011": "phone",
		"Spør Kari Nordmann": "name", "Kafeen ved Åse Øy-Lund": "name",
	} {
		if got := k.in(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
