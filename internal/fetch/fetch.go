// Package fetch reads a file at an address that somebody typed, such as the secret address of a calendar, without letting
// that address reach into the installation's own network. It keeps nothing, logs nothing, and gives what it read no
// meaning. Whoever knows such an address reads the calendar: no error of this package contains it, or any part of it.
//
// No proxy is used, whatever the environment says: a proxy connects in our place, and what it connects to cannot be
// checked.
package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"example.org/feltbok/internal/errs"
)

const (
	// MostBytes is how long a file may be, unpacked.
	MostBytes = 5 << 20
	// Deadline is how long a fetch may take, from looking up the name to the last byte.
	Deadline = 15 * time.Second
	// LongestWait bounds what a server may ask us to wait.
	LongestWait = 24 * time.Hour

	mostRedirects = 3
	mostHeader    = 64 << 10 // bytes, of all headers
	mostValidator = 1000     // bytes; a longer ETag is not worth keeping
	userAgent     = "Feltbok (reads calendars)"
)

// What is wrong with an address. All are Invalid: whoever typed it has to mend something.
var (
	ErrRefused     = errs.New(errs.Invalid, "fetch.refused")     // no address, or of a kind that is not read
	ErrInsecure    = errs.New(errs.Invalid, "fetch.insecure")    // http
	ErrCredentials = errs.New(errs.Invalid, "fetch.credentials") // has a user name or a password
	ErrPort        = errs.New(errs.Invalid, "fetch.port")        // has a port that is not read from
	ErrPrivate     = errs.New(errs.Invalid, "fetch.private")     // leads to what is not on the public internet
	ErrHost        = errs.New(errs.Invalid, "fetch.host")        // no server has this name
	ErrRedirect    = errs.New(errs.Invalid, "fetch.redirect")    // leads on too often, or to what is not read
	ErrCertificate = errs.New(errs.Invalid, "fetch.certificate") // the server does not prove that it is the one named
	ErrDenied      = errs.New(errs.Invalid, "fetch.denied")      // 401, 403
	ErrGone        = errs.New(errs.Invalid, "fetch.gone")        // 404, 410
	ErrUnexpected  = errs.New(errs.Invalid, "fetch.unexpected")  // another status
	ErrLarge       = errs.New(errs.Invalid, "fetch.large")
)

// What may pass by itself.
var (
	ErrUnreachable = errs.New(errs.Unavailable, "fetch.unreachable") // no connection, or one that broke off
	ErrSlow        = errs.New(errs.Unavailable, "fetch.slow")        // over the deadline
	ErrBusy        = errs.New(errs.Unavailable, "fetch.busy")        // 429
	ErrFailing     = errs.New(errs.Unavailable, "fetch.failing")     // 5xx
)

// Options are what tests and the demo set; the zero value is right for everybody else.
type Options struct {
	AllowLoopback bool           // read from this machine too, there at any port and by http
	Roots         *x509.CertPool // nil: the system's
}

// Fetcher fetches. It may be used by several goroutines.
type Fetcher struct {
	options  Options
	client   *http.Client
	deadline time.Duration
	now      func() time.Time
}

// Answer is what a server said.
type Answer struct {
	NotModified bool          // what was fetched before still holds; Body is empty
	Body        []byte        // at most MostBytes
	ETag        string        // as the server wrote it, to be handed to the next Get; empty if it gave none
	Modified    string        // Last-Modified, in the same way
	RetryAfter  time.Duration // how long the server asked us to stay away, with ErrBusy and ErrFailing; 0 if it did not
}

// New makes a Fetcher.
func New(o Options) *Fetcher {
	f := &Fetcher{options: o, deadline: Deadline, now: time.Now}
	dialer := &net.Dialer{Control: f.control}
	f.client = &http.Client{
		CheckRedirect: f.redirect,
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // the next visit is minutes away
			MaxResponseHeaderBytes: mostHeader,
		},
	}
	return f
}

// Get fetches the file at address, which is checked anew. etag and modified are from the Answer before, empty the first
// time. Its errors are those of this package, bare, and ctx's own; with ErrBusy and ErrFailing the Answer may say RetryAfter.
func (f *Fetcher) Get(ctx context.Context, address, etag, modified string) (Answer, error) {
	address, err := f.Check(address)
	if err != nil {
		return Answer{}, err
	}
	limited, cancel := context.WithTimeout(ctx, f.deadline)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodGet, address, nil)
	if err != nil {
		return Answer{}, ErrRefused
	}
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept", "text/calendar, */*;q=0.5")
	setUnlessEmpty(request.Header, "If-None-Match", etag)
	setUnlessEmpty(request.Header, "If-Modified-Since", modified)
	response, err := f.client.Do(request)
	if err != nil {
		return Answer{}, failure(ctx, err)
	}
	defer response.Body.Close()
	if err := refusal(response.StatusCode); err != nil {
		return Answer{RetryAfter: retryAfter(response.Header, f.now())}, err
	}
	answer := Answer{ETag: validator(response.Header, "ETag"), Modified: validator(response.Header, "Last-Modified")}
	if response.StatusCode == http.StatusNotModified {
		return unchanged(answer, etag, modified)
	}
	if answer.Body, err = body(response); err != nil {
		return Answer{}, failure(ctx, err)
	}
	return answer, nil
}

func setUnlessEmpty(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// unchanged keeps the validators that a 304 did not repeat (RFC 9110 §15.4.5). A server that says it without having been
// asked says nothing.
func unchanged(a Answer, etag, modified string) (Answer, error) {
	if etag == "" && modified == "" {
		return Answer{}, ErrUnexpected
	}
	return Answer{NotModified: true, ETag: cmp.Or(a.ETag, etag), Modified: cmp.Or(a.Modified, modified)}, nil
}

// body reads what there is. The limit counts what the transport has unpacked, so a small file cannot become a large one.
func body(r *http.Response) ([]byte, error) {
	if r.ContentLength > MostBytes {
		return nil, ErrLarge
	}
	read, err := io.ReadAll(io.LimitReader(r.Body, MostBytes+1))
	if len(read) > MostBytes {
		return nil, ErrLarge
	}
	return read, err
}

// refusal is what a status means, nil if the answer is to be used.
func refusal(status int) error {
	switch {
	case status == http.StatusOK, status == http.StatusNotModified:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrDenied
	case status == http.StatusNotFound, status == http.StatusGone:
		return ErrGone
	case status == http.StatusTooManyRequests:
		return ErrBusy
	case status >= 500:
		return ErrFailing
	}
	return ErrUnexpected
}

// retryAfter reads seconds or a date (RFC 9110 §10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, LongestWait)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), LongestWait)
	}
	return 0
}

func validator(h http.Header, name string) string {
	if value := h.Get(name); len(value) <= mostValidator {
		return value
	}
	return ""
}

// redirect checks each address that a server leads on to like the first. The address before is a secret, and the client
// would tell it to the next server.
func (f *Fetcher) redirect(next *http.Request, before []*http.Request) error {
	next.Header.Del("Referer")
	if len(before) > mostRedirects {
		return ErrRedirect
	}
	if next.URL.Scheme != "https" && before[len(before)-1].URL.Scheme == "https" {
		return ErrRedirect
	}
	err := f.check(next.URL)
	if err != nil && err != ErrPrivate {
		return ErrRedirect
	}
	return err
}

// failure names why there is no answer. What the cause says is left out, since it quotes the address.
func failure(ctx context.Context, cause error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ours, ok := errors.AsType[*errs.Error](cause); ok {
		return ours
	}
	if lookup, ok := errors.AsType[*net.DNSError](cause); ok && lookup.IsNotFound {
		return ErrHost
	}
	if waited, ok := errors.AsType[net.Error](cause); ok && waited.Timeout() {
		return ErrSlow
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](cause); ok {
		return ErrCertificate
	}
	return ErrUnreachable
}
