// Package docs carries the pages that the program hands out itself.
package docs

import _ "embed"

// DataProtection says what is stored about whom, who can see it, and how it ends.
//
//go:embed data-protection.md
var DataProtection []byte
