package handlers

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Only an address that changes with the bytes may be kept for good.
func TestStaticFilesAreKeptByVersion(t *testing.T) {
	ask := func(path, etag string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		staticFiles().ServeHTTP(w, r)
		return w
	}
	for path, want := range map[string]string{
		"/static/feltbok.css?v=" + styleVersion: keptForGood,
		"/static/feltbok.css?v=older":           keptAWhile,
		"/static/feltbok.css":                   keptAWhile,
		"/static/fonts/inter.woff2":             keptAWhile,
	} {
		w := ask(path, "")
		if got := w.Header().Get("Cache-Control"); w.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d, %q; want 200, %q", path, w.Code, got, want)
		}
		if again := ask(path, w.Header().Get("ETag")); again.Code != http.StatusNotModified {
			t.Errorf("%s asked for again: %d, want 304", path, again.Code)
		}
	}
	for _, path := range []string{"/static/", "/static/fonts", "/static/fonts/", "/static/none.css", "/static/../server.go"} {
		if w := ask(path, ""); w.Code != http.StatusNotFound || w.Header().Get("ETag") != "" {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}
