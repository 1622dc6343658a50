// Package secret makes the secrets that stand in an address or a cookie, and what is stored of them. It keeps none.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

const size = 32 // bytes

// New returns 256 random bits.
func New() string {
	var raw [size]byte
	rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// Hash is what is stored of a token, in hex. A token has 256 bits of its own, so a fast hash without salt is enough.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
