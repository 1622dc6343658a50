// Package backup writes stores into archives and reads them back, the same for both engines: an archive of one is restored
// into the other. It knows tables and columns and gives them no meaning; who is to be forgotten after a restore is a matter
// of whoever restores.
//
// An archive is a stream. Inside an age file (https://age-encryption.org/v1) lies a gzip stream of records: what the archive
// is, then each table with its rows, then how many rows of which content there were, then a hash of everything before and
// that hash under the installation's master key. age finds a flipped bit or a missing end; the counts and hashes find what
// was lost or changed before it was encrypted; the last record finds an archive that somebody else made for the same key.
package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"

	"example.org/feltbok/internal/database"
)

// Kind says which stores an archive holds. Data and keys are kept apart, for old keys have to go (see Rotate).
type Kind string

const (
	Data Kind = "data" // the study and the identity store
	Keys Kind = "keys" // the key store
)

// Stores lists what an archive of the kind holds, in the order in which it does.
func (k Kind) Stores() []database.Store {
	if k == Keys {
		return []database.Store{database.Keys}
	}
	return []database.Store{database.Study, database.Identity}
}

const format = 1 // of archives; rises when an older program could not read them

// Manifest is the first record of an archive: what it is.
type Manifest struct {
	Format    int                      `json:"format"`
	Kind      Kind                     `json:"kind"`
	MadeAt    int64                    `json:"made_at"` // UTC milliseconds
	Versions  map[database.Store]int64 `json:"versions"`
	AuditSeq  int64                    `json:"audit_seq,omitempty"`      // the newest entry of the audit chain, of an archive of data
	AuditHash string                   `json:"audit_hash,omitempty"`     // its hash, which stands for the whole chain
	Shift     *int64                   `json:"clock_shift_ms,omitempty"` // how far the folder's own clock is ahead; only a demo has one
}

// Content is how much stands in a table and what, whatever the order of its rows.
type Content struct {
	Store database.Store `json:"store"`
	Table string         `json:"table"`
	Rows  int64          `json:"rows"`
	Hash  string         `json:"hash"` // the sum of the rows' SHA-256, modulo 2^256, in hex
}

var (
	// ErrDamaged is what reading returns for an archive that is cut short or changed, or is none.
	ErrDamaged = errors.New("the archive is damaged or cut short: take another copy")
	// ErrNewer is what reading returns for an archive that a newer Feltbok made.
	ErrNewer = errors.New("the archive was made by a newer Feltbok: use that one")
	// ErrForeign is what reading returns for an archive that was not made under the master key at hand.
	ErrForeign = errors.New("the archive was not made with this master key: it is another installation's, or forged")
	// ErrLocked is what reading returns where the key or passphrase at hand does not open the archive.
	ErrLocked = errors.New("this key or passphrase does not open the archive: it belongs to another one, or the archive's beginning is damaged")
)

// damaged keeps what was found for operators.
func damaged(why string, args ...any) error {
	return fmt.Errorf("%w (%s)", ErrDamaged, fmt.Sprintf(why, args...))
}

// The kinds of record. Each is this byte, a length and so many bytes.
const (
	recordManifest = 'm'
	recordTable    = 't'
	recordRow      = 'r'
	recordContents = 'c'
	recordSeal     = 's'
)

const magic = "feltbok backup\n"

// tableRecord begins a table.
type tableRecord struct {
	Store   database.Store    `json:"store"`
	Table   string            `json:"table"`
	Columns []database.Column `json:"columns"`
}

// sealRecord ends an archive.
type sealRecord struct {
	Hash string `json:"hash"` // hex SHA-256 over all records before
	Mark string `json:"mark"` // that hash under the master key
}

// sum is a content hash under way: four 64-bit digits, the lowest first.
type sum [4]uint64

// add adds a row's digest. Addition and not exclusive or: two equal rows do not cancel out.
func (s *sum) add(row []byte) {
	digest, carry := sha256.Sum256(row), uint64(0)
	for i := range s {
		var digit uint64
		for _, b := range digest[i*8 : i*8+8] {
			digit = digit<<8 | uint64(b)
		}
		s[i], carry = bits.Add64(s[i], digit, carry)
	}
}

func (s *sum) String() string {
	var all []byte
	for _, digit := range s {
		for shift := 56; shift >= 0; shift -= 8 {
			all = append(all, byte(digit>>shift))
		}
	}
	return hex.EncodeToString(all)
}
