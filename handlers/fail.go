package handlers

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"

	"github.com/gin-gonic/gin"
)

var statusOf = map[errs.Kind]int{
	errs.Invalid:         http.StatusUnprocessableEntity,
	errs.NotFound:        http.StatusNotFound,
	errs.Conflict:        http.StatusConflict,
	errs.Forbidden:       http.StatusForbidden,
	errs.Unauthenticated: http.StatusUnauthorized,
	errs.TooMany:         http.StatusTooManyRequests,
	errs.Unavailable:     http.StatusServiceUnavailable,
	errs.TooLarge:        http.StatusRequestEntityTooLarge,
	errs.Internal:        http.StatusInternalServerError,
}

func status(err error) int {
	switch {
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed
	case errors.Is(err, errContentType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, database.ErrFull):
		return http.StatusInsufficientStorage
	}
	return statusOf[errs.KindOf(err)]
}

// fail is where every error ends that no page showed: a status and one plain page, the chain to the log.
func (s *Server) fail(v *visit, err error) {
	if errors.Is(err, database.ErrRepeated) {
		// What the form asked for is done already: show how things stand.
		v.Redirect(http.StatusSeeOther, v.wayBack())
		return
	}
	code := status(err)
	if code >= http.StatusInternalServerError {
		slog.ErrorContext(v.ctx(), "request failed", "request", requestID(v.ctx()), "route", v.FullPath(), "status", code, "err", err)
	}
	if errors.Is(err, errNoSession) && !v.participantSide() && v.Request.Method == http.MethodGet {
		v.Redirect(http.StatusSeeOther, "/sign-in")
		return
	}
	p := errorPage{base: v.page("error.title"), Text: v.errorText(err), Request: requestID(v.ctx()), Internal: errs.KindOf(err) == errs.Internal}
	if errors.Is(err, errFormKey) {
		p.Kept = v.form // what was typed is shown, to be copied
		p.Kept.Del(formKeyField)
		p.Kept.Del("password")
	}
	if err := s.render(v, code, "error", p); err != nil {
		http.Error(v.Writer, http.StatusText(code), code)
	}
}

type errorPage struct {
	base
	Text     string
	Request  string
	Internal bool
	Kept     url.Values
}

// errorText is an error in the visitor's language. An internal one says nothing of its cause.
func (v *visit) errorText(err error) string {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind == errs.Internal {
		return v.text.T("error.internal")
	}
	if key := "error." + e.Code; v.text.Has(key) {
		return v.text.T(key)
	}
	return v.text.T(fmt.Sprintf("error.kind.%d", status(err)))
}

// fieldText is what is wrong with one input.
func (v *visit) fieldText(f errs.Field) string {
	if own := "field." + f.Name + "." + f.Code; v.text.Has(own) {
		return v.text.T(own, f.Args)
	}
	return v.text.T("field."+f.Code, f.Args)
}

// observe recovers from panics and notes each request by its route, never by its address: that may hold a secret.
func (s *Server) observe(c *gin.Context) {
	start := time.Now()
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				panic(cause) // the server closes the connection without an end to the answer
			}
			slog.ErrorContext(c, "panic", "request", requestID(c.Request.Context()), "route", c.FullPath(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				s.fail(s.newVisit(c), errs.New(errs.Internal, "internal"))
			}
		}
		slog.DebugContext(c, "request", "request", requestID(c.Request.Context()), "method", c.Request.Method,
			"route", c.FullPath(), "status", c.Writer.Status(), "took", time.Since(start))
	}()
	c.Next()
}
