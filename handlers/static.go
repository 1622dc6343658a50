package handlers

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
)

//go:embed static
var static embed.FS

const staticPrefix = "/static/"

const (
	keptForGood = "public, max-age=31536000, immutable"
	keptAWhile  = "public, max-age=3600"
)

// staticFiles serves the embedded files. An address with the file's version (?v=) names these bytes and no others, so it
// may be kept for good; any other is kept a while and then asked for again by its ETag: after an upgrade, or while
// replicas differ, the same address has other bytes.
func staticFiles() http.Handler {
	files := http.FileServerFS(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		version, ok := staticVersions[r.URL.Path[1:]]
		if !ok {
			http.NotFound(w, r)
			return
		}
		kept := keptAWhile
		if r.URL.Query().Get("v") == version {
			kept = keptForGood
		}
		w.Header().Set("Cache-Control", kept)
		w.Header().Set("ETag", `"`+version+`"`)
		files.ServeHTTP(w, r)
	})
}

// staticVersions are the embedded files by path; a file's version changes with its bytes.
var staticVersions = func() map[string]string {
	all := map[string]string{}
	err := fs.WalkDir(static, "static", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := static.ReadFile(path)
		sum := sha256.Sum256(text)
		all[path] = hex.EncodeToString(sum[:6])
		return err
	})
	if err != nil {
		panic(err) // embedded: it is there or the build failed
	}
	return all
}()

var (
	styleVersion  = staticVersions["static/feltbok.css"]
	scriptVersion = staticVersions["static/feltbok.js"]
)
