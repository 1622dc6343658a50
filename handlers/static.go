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

// staticFiles serves the embedded files. Their address carries a hash of the style sheet, so they may be kept.
func staticFiles() http.Handler {
	files := http.FileServerFS(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		if info, err := fs.Stat(static, r.URL.Path[1:]); err != nil || info.IsDir() {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		files.ServeHTTP(w, r)
	})
}

// styleVersion changes with the style sheet's bytes.
var styleVersion = func() string {
	css, err := static.ReadFile("static/feltbok.css")
	if err != nil {
		panic(err) // embedded: it is there or the build failed
	}
	sum := sha256.Sum256(css)
	return hex.EncodeToString(sum[:6])
}()
