package backup

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"

	"example.org/feltbok/internal/database"
)

// A row is its values one after the other, each a byte that says what it is and then the value: a text or bytes with a
// length before, a number as a varint, a real as its eight bytes. The columns' types are the table's.
const (
	valueNull  = 'n'
	valueText  = 't'
	valueInt   = 'i'
	valueBytes = 'b'
	valueFalse = '0'
	valueTrue  = '1'
	valueReal  = 'f'
)

// cell is a column's value under a cursor. Engines differ in what they make of an untyped one.
type cell struct {
	kind    database.Type
	text    sql.Null[string]
	integer sql.Null[int64]
	bytes   sql.Null[[]byte]
	boolean sql.Null[bool]
	real    sql.Null[float64]
}

func (c *cell) target() any {
	switch c.kind {
	case database.Integer:
		return &c.integer
	case database.Bytes:
		return &c.bytes
	case database.Boolean:
		return &c.boolean
	case database.Real:
		return &c.real
	}
	return &c.text
}

// write appends the value to a row.
func (c *cell) write(row []byte) []byte {
	switch {
	case c.kind == database.Integer && c.integer.Valid:
		return binary.AppendVarint(append(row, valueInt), c.integer.V)
	case c.kind == database.Bytes && c.bytes.Valid:
		return append(binary.AppendUvarint(append(row, valueBytes), uint64(len(c.bytes.V))), c.bytes.V...)
	case c.kind == database.Boolean && c.boolean.Valid && c.boolean.V:
		return append(row, valueTrue)
	case c.kind == database.Boolean && c.boolean.Valid:
		return append(row, valueFalse)
	case c.kind == database.Real && c.real.Valid:
		return binary.BigEndian.AppendUint64(append(row, valueReal), math.Float64bits(c.real.V))
	case c.kind == database.Text && c.text.Valid:
		return append(binary.AppendUvarint(append(row, valueText), uint64(len(c.text.V))), c.text.V...)
	}
	return append(row, valueNull)
}

// readRow takes a row apart. Nothing but what its columns hold may stand in it.
func readRow(row []byte, columns []database.Column) ([]any, error) {
	values := make([]any, len(columns))
	for i, column := range columns {
		if len(row) == 0 {
			return nil, damaged("a row ends early")
		}
		value, rest, err := readValue(row[0], row[1:])
		if err != nil {
			return nil, err
		}
		if !fits(value, column.Type) {
			return nil, damaged("column %s holds a %T", column.Name, value)
		}
		values[i], row = value, rest
	}
	if len(row) > 0 {
		return nil, damaged("a row goes on behind its end")
	}
	return values, nil
}

func readValue(kind byte, row []byte) (value any, rest []byte, err error) {
	switch kind {
	case valueNull:
		return nil, row, nil
	case valueFalse, valueTrue:
		return kind == valueTrue, row, nil
	case valueInt:
		if n, size := binary.Varint(row); size > 0 {
			return n, row[size:], nil
		}
	case valueReal:
		if len(row) >= 8 {
			return math.Float64frombits(binary.BigEndian.Uint64(row)), row[8:], nil
		}
	case valueText, valueBytes:
		if n, size := binary.Uvarint(row); size > 0 && n <= uint64(len(row)-size) {
			part, rest := row[size:size+int(n)], row[size+int(n):]
			if kind == valueText {
				return string(part), rest, nil
			}
			return append([]byte{}, part...), rest, nil // never nil: empty is not missing
		}
	}
	return nil, nil, damaged("%s", fmt.Sprintf("a value of kind %q cannot be read", kind))
}

func fits(value any, column database.Type) bool {
	switch value.(type) {
	case nil:
		return true
	case string:
		return column == database.Text
	case int64:
		return column == database.Integer
	case []byte:
		return column == database.Bytes
	case bool:
		return column == database.Boolean
	case float64:
		return column == database.Real
	}
	return false
}
