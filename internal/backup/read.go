package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"slices"

	"example.org/feltbok/internal/database"

	"filippo.io/age"
)

// Reader reads an archive from its beginning to its end, a row at a time.
type Reader struct {
	Manifest Manifest
	from     *bufio.Reader
	sum      hash.Hash
	payload  bytes.Buffer
	next     byte // kind of the record that was read ahead, which stands in payload
	table    tableRecord
	rows     Content
	digest   sum
	contents []Content
}

// mostInRecord bounds what one record may take of the memory. PostgreSQL gives no more in one value.
const mostInRecord = 1 << 30

// Open opens an archive with a key or a passphrase, and reads what it is.
func Open(file io.Reader, with ...age.Identity) (*Reader, error) {
	plain, err := age.Decrypt(file, with...)
	if _, locked := errors.AsType[*age.NoIdentityMatchError](err); locked {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, damaged("%v", err)
	}
	ahead := bufio.NewReader(plain) // of the packed bytes, none of which is to be left unread
	unpacked, err := gzip.NewReader(ahead)
	if err != nil {
		return nil, damaged("%v", err)
	}
	unpacked.Multistream(false)
	r := &Reader{from: bufio.NewReader(io.MultiReader(unpacked, nothingMore{ahead})), sum: sha256.New()}
	return r, r.begin()
}

// nothingMore reads on behind the gzip stream to the end of the age file, where age finds whether it is the right one.
type nothingMore struct{ plain io.Reader }

func (n nothingMore) Read([]byte) (int, error) {
	extra, err := n.plain.Read(make([]byte, 1))
	if extra > 0 {
		return 0, errors.New("something stands behind the end")
	}
	return 0, err
}

func (r *Reader) begin() error {
	word := make([]byte, len(magic))
	if _, err := io.ReadFull(r.from, word); err != nil {
		return damaged("%v", err)
	}
	if string(word) != magic {
		return damaged("it is no backup of Feltbok's")
	}
	r.sum.Write(word)
	if err := r.record(recordManifest, &r.Manifest); err != nil {
		return err
	}
	if r.Manifest.Format > format {
		return ErrNewer
	}
	if r.Manifest.Kind != Data && r.Manifest.Kind != Keys {
		return damaged("it is of no known kind")
	}
	return r.advance()
}

// advance reads the next record.
func (r *Reader) advance() error {
	kind, err := r.from.ReadByte()
	if err != nil {
		return damaged("%v", err)
	}
	size, err := binary.ReadUvarint(r.from)
	if err != nil || size > mostInRecord {
		return damaged("a record of %d bytes: %v", size, err)
	}
	r.payload.Reset()
	if _, err := io.CopyN(&r.payload, r.from, int64(size)); err != nil {
		return damaged("%v", err)
	}
	r.next = kind
	if kind == recordSeal {
		return nil // the hash inside is over everything before
	}
	r.sum.Write(binary.AppendUvarint([]byte{kind}, size))
	r.sum.Write(r.payload.Bytes())
	return nil
}

// record reads the next record, which is to be of a kind, into value.
func (r *Reader) record(kind byte, value any) error {
	if err := r.advance(); err != nil {
		return err
	}
	return r.take(kind, value)
}

func (r *Reader) take(kind byte, value any) error {
	if r.next != kind {
		return damaged("a record of kind %q where %q was due", r.next, kind)
	}
	if err := json.Unmarshal(r.payload.Bytes(), value); err != nil {
		return damaged("%v", err)
	}
	return nil
}

// nextTable goes on to the next table of a store, or says that there is none.
func (r *Reader) nextTable(of database.Store) (found bool, err error) {
	if r.next != recordTable {
		return false, nil
	}
	var table tableRecord
	if err := r.take(recordTable, &table); err != nil || table.Store != of {
		return false, err
	}
	r.table, r.rows, r.digest = table, Content{Store: table.Store, Table: table.Table}, sum{}
	return true, r.advance()
}

// nextRow returns the next row of the present table; nil after the last.
func (r *Reader) nextRow() ([]any, error) {
	if r.next != recordRow {
		r.rows.Hash = r.digest.String()
		r.contents = append(r.contents, r.rows)
		return nil, nil
	}
	r.rows.Rows++
	r.digest.add(r.payload.Bytes())
	row, err := readRow(r.payload.Bytes(), r.table.Columns)
	if err != nil {
		return nil, err
	}
	return row, r.advance()
}

// finish reads the end and compares it with what came before. mark is nil where no master key is at hand.
func (r *Reader) finish(mark func(string) string) error {
	var said []Content
	if err := r.take(recordContents, &said); err != nil {
		return err
	}
	if !slices.Equal(said, r.contents) {
		return damaged("its tables are not those that it ends with")
	}
	all := hex.EncodeToString(r.sum.Sum(nil))
	var seal sealRecord
	if err := r.record(recordSeal, &seal); err != nil {
		return err
	}
	if _, err := r.from.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged("it does not end at its end: %v", err)
	}
	if seal.Hash != all {
		return damaged("its hash is another")
	}
	if mark != nil && mark(all) != seal.Mark {
		return ErrForeign
	}
	return nil
}

// Check reads an archive to its end and returns what it holds. Where mark is nil it may be anybody's.
func (r *Reader) Check(mark func(string) string) ([]Content, error) {
	for _, store := range r.Manifest.Kind.Stores() {
		for {
			found, err := r.nextTable(store)
			if err != nil {
				return nil, err
			}
			if !found {
				break
			}
			for row := []any{}; row != nil; {
				if row, err = r.nextRow(); err != nil {
					return nil, err
				}
			}
		}
	}
	return r.contents, r.finish(mark)
}
