//go:build !linux

package database

import (
	"math"
	"strings"
)

// networkShare knows a share by its UNC path; mounted ones are not recognised on this system.
func networkShare(path string) (kind string, err error) {
	if strings.HasPrefix(path, `\\`) || strings.HasPrefix(path, "//") {
		return "UNC path", nil
	}
	return "", nil
}

// freeBytes is not known on this system.
func freeBytes(string) (uint64, error) { return math.MaxUint64, nil }
