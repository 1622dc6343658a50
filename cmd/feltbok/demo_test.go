package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// played is a demo's folder as the first test that wanted one left it.
var (
	played     fstest.MapFS
	playedTurn sync.Mutex
)

// demo returns a folder of the test's own in which the study was replayed. All tests copy one replay: it takes a while.
func demo(t *testing.T) string {
	t.Helper()
	playedTurn.Lock()
	defer playedTurn.Unlock()
	if played == nil {
		played = filesOf(t, play(t))
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, played); err != nil {
		t.Fatal(err)
	}
	return dir
}

// play replays the study anew and returns the folder.
func play(t *testing.T, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	var out bytes.Buffer
	args := append([]string{"demo", "--once", "--dir", dir, "--responses", "3", "--addr", "127.0.0.1:0"}, more...)
	if err := run(t.Context(), args, stdio{&out, io.Discard}); err != nil {
		t.Fatalf("demo: %v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "interviewed") {
		t.Errorf("no summary: %s", out.String())
	}
	return dir
}

// filesOf reads the files below a folder.
func filesOf(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, nameErr := filepath.Rel(dir, path)
		text, readErr := os.ReadFile(path)
		files[filepath.ToSlash(name)] = &fstest.MapFile{Data: text, Mode: 0o600}
		return errors.Join(nameErr, readErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func table(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "internal", "replay", "facts", name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// sheets reads every cell of a workbook, formatted as a person sees it.
func sheets(t *testing.T, path string) map[string][][]string {
	t.Helper()
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	all := map[string][][]string{}
	for _, name := range book.GetSheetList() {
		rows, err := book.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = rows
	}
	return all
}

// rowOf finds the row whose cells contain every one of the wanted texts, in order.
func rowOf(rows [][]string, want ...string) bool {
	return slices.ContainsFunc(rows, func(row []string) bool {
		i := 0
		for _, cell := range row {
			if i < len(want) && cell == want[i] {
				i++
			}
		}
		return i == len(want)
	})
}

// The study's published tables come out of the replay cell for cell.
func TestDemoGivesTheStudysTables(t *testing.T) {
	t.Parallel()
	dir := demo(t)
	book := sheets(t, filepath.Join(dir, "study.xlsx"))
	interviews, themes := book["Intervjuer"], book["Temaer"]
	if interviews == nil || themes == nil {
		t.Fatalf("sheets %v", slices.Sorted(maps.Keys(book)))
	}
	for _, want := range table(t, "interviews")[1:] {
		date, err := time.Parse(time.DateOnly, want[5])
		if err != nil {
			t.Fatal(err)
		}
		cells := slices.DeleteFunc([]string{want[0], want[1], want[2], want[3], want[4], date.Format(time.DateOnly), want[6]}, func(s string) bool { return s == "" })
		if !rowOf(interviews, cells...) {
			t.Errorf("Table 6 lacks %q", cells)
		}
	}
	// The pre-study, X, is in Table 6 and not in the funnel.
	for _, want := range [][]string{{"Spurt", "14"}, {"Sagt ja", "13"}, {"Avtalt", "12"}, {"Intervjuet", "12"}} {
		if !rowOf(book["Rekruttering"], want...) {
			t.Errorf("the funnel lacks %q: %q", want, book["Rekruttering"])
		}
	}
	records := table(t, "themes")
	header := slices.IndexFunc(themes, func(row []string) bool { return slices.Contains(row, "A1") && slices.Contains(row, "C4") })
	if header < 0 {
		t.Fatalf("no row of informants in %v", themes)
	}
	for _, want := range records[1:] {
		at := slices.IndexFunc(themes, func(row []string) bool { return slices.Contains(row, want[1]) })
		if at < 0 {
			t.Errorf("no theme %q", want[1])
			continue
		}
		for i, informant := range records[0][3:] {
			column := slices.Index(themes[header], informant)
			got := ""
			if column < len(themes[at]) {
				got = themes[at][column]
			}
			if got != want[3+i] {
				t.Errorf("%s, %s: %q, want %q", want[1], informant, got, want[3+i])
			}
		}
	}
}

func TestTwoReplaysGiveTheSameWorkbook(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(sheets(t, filepath.Join(demo(t), "study.xlsx")), sheets(t, filepath.Join(play(t), "study.xlsx"))); diff != "" {
		t.Error(diff)
	}
}

// A folder that was replayed is served again, and every command on it obeys its clock.
func TestADemoFolderIsServedAgain(t *testing.T) {
	t.Parallel()
	dir := demo(t)
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"demo", "--dir", dir, "--json", "--addr", "127.0.0.1:0"}, stdio{in, io.Discard})
		in.Close()
	}()
	var said struct {
		URL, Researcher, Supervisor string
		Participants                map[string]string
	}
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	for kind, link := range said.Participants {
		if got := get(t, link); !strings.Contains(got, "13. mai 2019") {
			t.Errorf("%s: the banner does not tell the demo's day: %.300s", kind, got)
		}
	}
	if len(said.Participants) < 3 || get(t, said.Researcher) == "" || get(t, said.Supervisor) == "" {
		t.Errorf("links: %+v", said)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("serving ended with %v", err)
	}
	var verified bytes.Buffer
	store := []string{"--data", filepath.Join(dir, "stores"), "--master-key", filepath.Join(dir, "master.key")}
	if err := run(t.Context(), append([]string{"verify"}, store...), stdio{&verified, io.Discard}); err != nil {
		t.Errorf("verify: %v", err)
	}
	book := filepath.Join(dir, "again.xlsx")
	if err := run(t.Context(), append([]string{"export", "--out", book, "--lang", "en"}, store...), stdio{io.Discard, io.Discard}); err != nil {
		t.Errorf("export: %v", err)
	}
	if text := fmt.Sprint(sheets(t, book)); !strings.Contains(text, "2019-05-13") {
		t.Error("the export does not obey the folder's clock")
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", address, response.StatusCode, err)
	}
	return string(body)
}
