// Package guard holds the tests that keep the tree in shape: who may import whom is the data-protection map.
package guard

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "example.org/feltbok/"

// domain packages own a researcher's words; none imports another.
var domain = []string{"consents", "identities", "imports", "interviews", "recruitment", "scheduling", "studies", "surveys"}

// shipped calls fn with each Go file of the tree that is no test: its package's folder and its path.
func shipped(t *testing.T, fn func(pkg, file string) error) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		return fn(filepath.ToSlash(rel), file)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// imports returns, for every package of the tree, which of our packages its shipped code imports.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	shipped(t, func(importer, file string) error {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		found[importer] = append(found[importer], "")
		for _, spec := range parsed.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if ours, ok := strings.CutPrefix(name, module); ok {
				found[importer] = append(found[importer], ours)
			}
		}
		return nil
	})
	if len(found) < 10 {
		t.Fatalf("only %d packages found", len(found))
	}
	return found
}

// Passwords are hashed at full cost wherever people sign in: what makes that cheap is named where it is written alone.
func TestOnlyTestsHashCheaply(t *testing.T) {
	var named []string
	shipped(t, func(pkg, file string) error {
		text, err := os.ReadFile(file)
		if strings.Contains(string(text), "HashCheaply") {
			named = append(named, pkg+"/"+filepath.Base(file))
		}
		return err
	})
	if want := []string{"internal/auth/password.go"}; !slices.Equal(named, want) {
		t.Errorf("HashCheaply is named in %v, want in %v and in tests", named, want)
	}
}

func TestOnlyCommandAndPagesReachNames(t *testing.T) {
	allowed := []string{"cmd/feltbok", "handlers"}
	for importer, imported := range imports(t) {
		if slices.Contains(imported, "identities") && !slices.Contains(allowed, importer) {
			t.Errorf("%s imports identities: only %v may open names", importer, allowed)
		}
	}
}

func TestOnlyTheirOwnersReachKeys(t *testing.T) {
	allowed := []string{"cmd/feltbok", "handlers", "identities", "interviews", "internal/links"}
	for importer, imported := range imports(t) {
		if slices.Contains(imported, "internal/keys") && !slices.Contains(allowed, importer) {
			t.Errorf("%s imports internal/keys: only %v may", importer, allowed)
		}
	}
}

// layer numbers grow from what stands alone to what knows everyone; an import may only point downwards.
func layer(pkg string) int {
	top, _, _ := strings.Cut(pkg, "/")
	switch {
	case top == "internal", top == "docs":
		return 0
	case slices.Contains(domain, top):
		return 1
	case top == "exports":
		return 2
	case top == "handlers":
		return 3
	case top == "cmd":
		return 4
	}
	return -1
}

func TestLayers(t *testing.T) {
	for importer, imported := range imports(t) {
		if layer(importer) < 0 {
			t.Errorf("%s: a new top-level folder needs a noun that a researcher would say, and a place in this test", importer)
		}
		for _, used := range imported {
			if used == "" {
				continue
			}
			if layer(used) > layer(importer) {
				t.Errorf("%s imports %s, which stands above it", importer, used)
			}
			if layer(importer) == 1 && layer(used) == 1 && !strings.HasPrefix(used, strings.SplitN(importer, "/", 2)[0]) {
				t.Errorf("%s imports %s: domain packages do not know one another", importer, used)
			}
		}
	}
}

func TestNothingBelowErrorsAndIdentifiers(t *testing.T) {
	found := imports(t)
	for _, pkg := range []string{"internal/errs", "internal/id", "internal/crash"} {
		for _, used := range found[pkg] {
			if used != "" {
				t.Errorf("%s imports %s: want nothing of ours", pkg, path.Base(used))
			}
		}
	}
}
