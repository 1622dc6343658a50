package handlers

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.org/feltbok/internal/i18n"
)

// uses are the ways in which templates and code name a text; what comes before the name is put in front of it.
var uses = []struct {
	pattern *regexp.Regexp
	prefix  string
}{
	{regexp.MustCompile(`\.[TN] "([^"]+)"`), ""},
	{regexp.MustCompile(`\.[TN]\("([^"]+)"[,)]`), ""},
	{regexp.MustCompile(`v\.page\("([^"]+)"`), ""},
	{regexp.MustCompile(`seeOther\([^\n]*, "(\w+)"\)`), "done."},
	{regexp.MustCompile(`errs\.New\(errs\.\w+, "([^"]+)"\)`), "error."},
}

// internalErrors have no text of their own: people read one apology, operators the chain.
var internalErrors = regexp.MustCompile(`errs\.New\(errs\.Internal,`)

// Every text that a page, a redirect or an error names exists in every language.
func TestEveryTextThatIsNamedExists(t *testing.T) {
	catalogue, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	err = filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(file, "_test.go") || !strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, ".html") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, line := range strings.Split(string(text), "\n") {
			if internalErrors.MatchString(line) || strings.HasPrefix(strings.TrimSpace(line), "//") {
				continue
			}
			for _, use := range uses {
				for _, match := range use.pattern.FindAllStringSubmatch(line, -1) {
					if strings.HasSuffix(match[1], ".") {
						continue // the rest of the key comes from a value
					}
					checked++
					for _, lang := range i18n.Languages {
						if key := use.prefix + match[1]; !catalogue.Text(lang).Has(key) {
							t.Errorf("%s: no text %q in %s", file, key, lang)
						}
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 100 {
		t.Errorf("only %d texts found: the patterns no longer see them", checked)
	}
}
