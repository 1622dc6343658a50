//go:build !linux

package database

import "strings"

// networkShare knows a share by its UNC path; mounted ones are not recognised on this system.
func networkShare(path string) (kind string, err error) {
	if strings.HasPrefix(path, `\\`) || strings.HasPrefix(path, "//") {
		return "UNC path", nil
	}
	return "", nil
}
