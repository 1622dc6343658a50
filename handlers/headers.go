package handlers

import (
	"context"
	"net/http"

	"example.org/feltbok/internal/id"
)

// policy admits this server's own files and nothing else; pages have no inline script or style.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// maxBodyBytes is what a form may be long; a route that takes a file allows more, see route.taking.
const maxBodyBytes = 1 << 20

type requestIDKey struct{}

// headers sets what every response carries, errors and downloads included.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := string(id.New[id.Intent]())
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		// Not no-referrer: without a Referer or Sec-Fetch-Site the cross-site check could not tell our own forms.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Request-Id", request)
		if s.Secure {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, request)))
	})
}

func requestID(ctx context.Context) string {
	request, _ := ctx.Value(requestIDKey{}).(string)
	return request
}
