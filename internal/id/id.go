// Package id makes and types the identifiers that everything else is keyed by.
//
// An identifier is 128 random bits written as 26 lower-case base32 characters: opaque, safe in an address, the same on
// every engine. A type per kind keeps a person from being passed where a study is meant.
package id

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type (
	// Study names one study.
	Study string
	// Person names one participant or respondent of one study: the pseudonym's opaque half, never changed.
	Person string
	// Account names one member of staff.
	Account string
	// Case names one unit of a multiple-case study.
	Case string
	// Booking names one interview appointment.
	Booking string
	// Interview names one conducted interview.
	Interview string
	// Survey names one questionnaire of one study.
	Survey string
	// Link names one capability given to one person.
	Link string
	// Letter names one published version of an information letter.
	Letter string
	// Consent names one act of consent or withdrawal.
	Consent string
	// Mail names one row of the outbox.
	Mail string
	// Batch names one lot of letters sent together.
	Batch string
	// Intent names one act that spans stores.
	Intent string
	// Note names what the team wrote about one contact with a person.
	Note string
	// Import names one member list on its way in, and the data key that it is sealed with.
	Import string
	// View names one saved view of the list of candidates.
	View string
	// Task names one thing that a member of the team has to do by hand.
	Task string
	// Coupon names one invitation that an informant passes on.
	Coupon string
	// Proof names the kept proof of one person's consent, and the data key that it is sealed with.
	Proof string
)

// Invented is what the codes begin with that were never anybody's.
const Invented = "ANON-"

const (
	inventable = 100_000 // codes
	mostDraws  = 20
)

// InventCodes draws n different codes for what is left of people without them. Drawn and not counted, they tell of no order.
// taken says which of some codes there are already.
func InventCodes(n int, taken func(codes []string) ([]string, error)) ([]string, error) {
	free := map[string]bool{}
	for range mostDraws {
		for range n - len(free) {
			var raw [4]byte
			rand.Read(raw[:])
			free[fmt.Sprintf("%s%05d", Invented, binary.BigEndian.Uint32(raw[:])%inventable)] = true
		}
		used, err := taken(slices.Collect(maps.Keys(free)))
		if err != nil {
			return nil, fmt.Errorf("draw codes: %w", err)
		}
		for _, code := range used {
			delete(free, code)
		}
		if len(free) == n {
			return slices.Collect(maps.Keys(free)), nil
		}
	}
	return nil, fmt.Errorf("draw codes: fewer than %d are free in %d draws", n, mostDraws)
}

const bytesPerID = 16

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// New returns a fresh random identifier.
func New[T ~string]() T {
	var raw [bytesPerID]byte
	rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return T(encoding.EncodeToString(raw[:]))
}

// Of makes an identifier of bits that cannot be guessed, at least 128: the same bits make the same one.
func Of[T ~string](bits []byte) T { return T(encoding.EncodeToString(bits[:bytesPerID])) }

// Valid says whether s has the shape of an identifier. It does not say that anything bears it.
func Valid[T ~string](s T) bool {
	if len(s) != encoding.EncodedLen(bytesPerID) {
		return false
	}
	return strings.Trim(string(s), "abcdefghijklmnopqrstuvwxyz234567") == ""
}
