package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"example.org/feltbok/exports"
)

// myDataWorkbook is the copy for whoever would rather open it in a spreadsheet: what the other file holds, one sheet for each
// of its parts.
func (s *Server) myDataWorkbook(v *visit) error {
	data, err := s.ownData(v)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := exports.Copy(v.ctx(), &file, v.text, v.study.Zone, sheetsOf(v.text, data)); err != nil {
		return err
	}
	v.download("feltbok.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", file.Bytes())
	return nil
}

// dictionary is a language's catalogue.
type dictionary interface {
	Has(key string) bool
	T(key string, args ...any) string
}

// sheetsOf mirrors the data: whatever is a single value stands in the first sheet, every part and every list in a sheet of
// its own. It goes by the fields, so that nothing is in one file and not in the other.
func sheetsOf(text dictionary, data ownData) []exports.Table {
	first := exports.Table{Name: headed(text, "copy"), Columns: []string{headed(text, "what"), headed(text, "value")}}
	var others []exports.Table
	whole := reflect.ValueOf(data)
	for i := range whole.NumField() {
		name, value := jsonName(whole.Type().Field(i)), whole.Field(i)
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				continue
			}
			value = value.Elem()
		}
		switch {
		case value.Kind() == reflect.Slice && value.Len() > 0:
			others = append(others, tabled(text, name, value))
		case value.Kind() == reflect.Slice:
		case isRecord(value.Type()):
			others = append(others, spread(text, name, value)...)
		default:
			first.Rows = append(first.Rows, []any{headed(text, name), cell(value)})
		}
	}
	return append([]exports.Table{first}, others...)
}

var timeType = reflect.TypeFor[time.Time]()

func isRecord(t reflect.Type) bool { return t.Kind() == reflect.Struct && t != timeType }

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// headed is a name of the other file in words, and the name itself where there are none.
func headed(text dictionary, name string) string {
	if key := "rights.copy." + name; text.Has(key) {
		return text.T(key)
	}
	return name
}

// spread is a record with its fields one below the other; a list within it has a sheet of its own.
func spread(text dictionary, name string, record reflect.Value) []exports.Table {
	t := exports.Table{Name: headed(text, name), Columns: []string{headed(text, "what"), headed(text, "value")}}
	var lists []exports.Table
	for i := range record.NumField() {
		field, value := jsonName(record.Type().Field(i)), record.Field(i)
		if value.Kind() == reflect.Slice {
			if value.Len() > 0 {
				lists = append(lists, tabled(text, field, value))
			}
			continue
		}
		t.Rows = append(t.Rows, []any{headed(text, field), cell(value)})
	}
	return append([]exports.Table{t}, lists...)
}

// tabled is a list of records as rows. A list within a record makes a row of each of its entries, with what they share
// repeated; a record whose inner list is empty has one row.
func tabled(text dictionary, name string, list reflect.Value) exports.Table {
	t := exports.Table{Name: headed(text, name)}
	inner := -1
	record := list.Type().Elem()
	for i := range record.NumField() {
		field := record.Field(i)
		if field.Type.Kind() != reflect.Slice {
			t.Columns = append(t.Columns, headed(text, jsonName(field)))
			continue
		}
		inner = i
	}
	shared := len(t.Columns)
	if inner >= 0 {
		within := record.Field(inner).Type.Elem()
		for i := range within.NumField() {
			t.Columns = append(t.Columns, headed(text, jsonName(within.Field(i))))
		}
	}
	for i := range list.Len() {
		t.Rows = append(t.Rows, rowsOf(list.Index(i), inner, shared)...)
	}
	return t
}

func rowsOf(record reflect.Value, inner, shared int) [][]any {
	row := make([]any, 0, shared)
	for i := range record.NumField() {
		if i != inner {
			row = append(row, cell(record.Field(i)))
		}
	}
	if inner < 0 || record.Field(inner).Len() == 0 {
		return [][]any{row}
	}
	var rows [][]any
	for i := range record.Field(inner).Len() {
		entry := record.Field(inner).Index(i)
		long := append(make([]any, 0, shared+entry.NumField()), row...)
		for j := range entry.NumField() {
			long = append(long, cell(entry.Field(j)))
		}
		rows = append(rows, long)
	}
	return rows
}

// cell is a value as exports writes it. Answers of several choices are written as the other file writes them.
func cell(value reflect.Value) any {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return nil
		}
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case time.Time, exports.Date, string, bool, int, int64, float64, nil:
		return v
	case json.Number:
		return v.String()
	default:
		if text, err := json.Marshal(v); err == nil && value.Kind() != reflect.String {
			return string(text)
		}
		return fmt.Sprint(v)
	}
}
