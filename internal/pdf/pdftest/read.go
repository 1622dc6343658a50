// Package pdftest reads back what internal/pdf prints, for tests.
package pdftest

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
)

var (
	streams = regexp.MustCompile(`(?s)<<([^>]*)>>\s*stream\n(.*?)\nendstream`)
	shows   = regexp.MustCompile(`(?s)\(((?:[^()\\]|\\.)*)\) Tj`)
	escapes = strings.NewReplacer(`\\`, `\`, `\(`, `(`, `\)`, `)`, `\r`, "\r")
)

// Text is what the pages of a file show, with a space between the words that are placed one by one. The codes in a file of
// ours stand for themselves in Unicode, as its ToUnicode map says; a file without that map is a fault of the test.
func Text(t testing.TB, file []byte) string {
	t.Helper()
	for _, want := range []string{"%PDF-", "/ToUnicode", "/Encoding /Identity-H", "1 beginbfrange\n<0000> <FFFF> <0000>\nendbfrange"} {
		if !bytes.Contains(file, []byte(want)) {
			t.Fatalf("the file does not say which letters its codes stand for: no %s", want)
		}
	}
	var words []string
	for _, stream := range streams.FindAllSubmatch(file, -1) {
		if !bytes.Contains(stream[1], []byte("FlateDecode")) {
			continue
		}
		for _, show := range shows.FindAllSubmatch(inflate(t, stream[2]), -1) {
			words = append(words, decode(escapes.Replace(string(show[1]))))
		}
	}
	return strings.Join(words, " ")
}

func inflate(t testing.TB, data []byte) []byte {
	t.Helper()
	inflated, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(inflated)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decode(raw string) string {
	var units []uint16
	for i := 0; i+1 < len(raw); i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	return string(utf16.Decode(units))
}
