package ical

import (
	"testing"
	"time"
)

func TestZonesOfWindowsAreThere(t *testing.T) {
	names := map[string]bool{}
	for _, z := range windowsZones {
		if loc, err := time.LoadLocation(z.iana); err != nil || windows(z.name).String() != loc.String() {
			t.Errorf("%s: %v, %v", z.name, windows(z.name), err)
		}
		names[z.name] = true
	}
	if len(names) != 139 { // in CLDR's list
		t.Errorf("%d names", len(names))
	}
}
