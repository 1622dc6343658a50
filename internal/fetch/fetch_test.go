package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/errs"
)

const calendar = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

// secret stands in every address that these tests fetch.
const secret = "private-b2f3c4"

// serve starts a server with TLS and HTTP/2 on loopback, and a Fetcher that believes its certificate.
func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *Fetcher) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that are meant to fail
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, New(Options{AllowLoopback: true, Roots: roots})
}

func address(server *httptest.Server) string { return server.URL + "/ical/" + secret + "/basic.ics" }

// discreet fails if an error tells any of the address.
func discreet(t *testing.T, err error, address string) {
	t.Helper()
	if err == nil {
		return
	}
	for _, text := range []string{secret, "127.0.0.1", "localhost", "://", "10.0.0", address} {
		if strings.Contains(fmt.Sprintf("%v %+v %q", err, err, err), text) {
			t.Errorf("the error tells of the address: %v", err)
		}
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if _, ours := cause.(*errs.Error); !ours && cause != context.Canceled {
			t.Errorf("%v wraps %T", err, cause)
		}
	}
}

func TestGet(t *testing.T) {
	var seen *http.Request
	server, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("ETag", `W/"1"`)
		w.Header().Set("Last-Modified", "Thu, 11 Apr 2019 10:30:00 GMT")
		io.WriteString(w, calendar)
	})
	for range 2 {
		got, err := f.Get(t.Context(), address(server), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Body) != calendar || got.NotModified || got.ETag != `W/"1"` || got.Modified != "Thu, 11 Apr 2019 10:30:00 GMT" {
			t.Errorf("got %+v", got)
		}
		if seen.ProtoMajor != 2 || !strings.Contains(seen.UserAgent(), "Feltbok") {
			t.Errorf("asked by %s as %q, want HTTP/2 as Feltbok", seen.Proto, seen.UserAgent())
		}
		for _, name := range []string{"Cookie", "Referer", "If-None-Match", "If-Modified-Since"} {
			if value := seen.Header.Get(name); value != "" {
				t.Errorf("sent %s: %s", name, value)
			}
		}
	}
}

func TestUnchanged(t *testing.T) {
	const etag, modified = `"2"`, "Thu, 11 Apr 2019 10:30:00 GMT"
	for _, tc := range []struct {
		name           string
		etag, modified string // what we have
		repeats        string // the ETag that comes with the 304
		want           Answer
		err            error
	}{
		{"by ETag, repeated", etag, "", etag, Answer{NotModified: true, ETag: etag}, nil},
		{"by both, not repeated", etag, modified, "", Answer{NotModified: true, ETag: etag, Modified: modified}, nil},
		{"by date", "", modified, "", Answer{NotModified: true, Modified: modified}, nil},
		{"unasked", "", "", etag, Answer{}, ErrUnexpected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("If-None-Match") != tc.etag || r.Header.Get("If-Modified-Since") != tc.modified {
					t.Errorf("asked with %v", r.Header)
				}
				setUnlessEmpty(w.Header(), "ETag", tc.repeats)
				w.WriteHeader(http.StatusNotModified)
			})
			got, err := f.Get(t.Context(), address(server), tc.etag, tc.modified)
			if !errors.Is(err, tc.err) || fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("got %+v, %v, want %+v, %v", got, err, tc.want, tc.err)
			}
		})
	}
}

// What was handed out with one answer is taken by the server the next time.
func TestValidatorsGoAround(t *testing.T) {
	at := time.Date(2019, 4, 11, 10, 30, 0, 0, time.UTC)
	for _, etag := range []string{`"3"`, ""} {
		server, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
			setUnlessEmpty(w.Header(), "ETag", etag)
			http.ServeContent(w, r, "basic.ics", at, strings.NewReader(calendar))
		})
		first, err := f.Get(t.Context(), address(server), "", "")
		if err != nil || string(first.Body) != calendar {
			t.Fatalf("first: %+v, %v", first, err)
		}
		second, err := f.Get(t.Context(), address(server), first.ETag, first.Modified)
		if err != nil || !second.NotModified || second.Body != nil || second.ETag != first.ETag || second.Modified != first.Modified {
			t.Errorf("second: %+v, %v, want the first unchanged", second, err)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		status int
		after  string
		want   error
		wait   time.Duration
	}{
		{status: 204, want: ErrUnexpected},
		{status: 206, want: ErrUnexpected},
		{status: 300, want: ErrUnexpected},
		{status: 400, want: ErrUnexpected},
		{status: 401, want: ErrDenied},
		{status: 403, want: ErrDenied},
		{status: 404, want: ErrGone},
		{status: 410, want: ErrGone},
		{status: 418, want: ErrUnexpected},
		{status: 429, want: ErrBusy},
		{status: 429, after: "120", want: ErrBusy, wait: 2 * time.Minute},
		{status: 429, after: "Thu, 11 Apr 2019 10:40:00 GMT", want: ErrBusy, wait: 10 * time.Minute},
		{status: 429, after: "Thu, 11 Apr 2019 10:20:00 GMT", want: ErrBusy},
		{status: 429, after: "4000000000", want: ErrBusy, wait: LongestWait},
		{status: 429, after: "Thu, 11 Apr 2999 10:40:00 GMT", want: ErrBusy, wait: LongestWait},
		{status: 429, after: "-5", want: ErrBusy},
		{status: 429, after: "soon", want: ErrBusy},
		{status: 500, want: ErrFailing},
		{status: 503, after: "60", want: ErrFailing, wait: time.Minute},
	} {
		t.Run(fmt.Sprint(tc.status, " ", tc.after), func(t *testing.T) {
			server, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
				setUnlessEmpty(w.Header(), "Retry-After", tc.after)
				w.WriteHeader(tc.status)
			})
			f.now = func() time.Time { return time.Date(2019, 4, 11, 10, 30, 0, 0, time.UTC) }
			got, err := f.Get(t.Context(), address(server), "", "")
			if !errors.Is(err, tc.want) || got.RetryAfter != tc.wait || got.Body != nil {
				t.Errorf("got %+v, %v, want %v after %v", got, err, tc.want, tc.wait)
			}
			discreet(t, err, address(server))
		})
	}
}

func packed(t *testing.T, length int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.CopyN(z, zeros{}, length); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHostileServers(t *testing.T) {
	bomb, fits := packed(t, 4*MostBytes), packed(t, MostBytes)
	zipped := func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(data)
		}
	}
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		length  int
		want    error
	}{
		{"HTML", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, 6, nil},
		{"nothing", func(w http.ResponseWriter, r *http.Request) {}, 0, nil},
		{"as much as fits", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, MostBytes)) }, MostBytes, nil},
		{"one byte more", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, MostBytes+1)) }, 0, ErrLarge},
		{"said to be huge", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "9000000000")
			w.WriteHeader(http.StatusOK)
		}, 0, ErrLarge},
		{"endless", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, zeros{}) }, 0, ErrLarge},
		{"packed", zipped(fits), MostBytes, nil},
		{"gzip bomb", zipped(bomb), 0, ErrLarge},
		{"packed and broken", zipped(fits[:len(fits)/2]), 0, ErrUnreachable},
		{"not packed after all", zipped([]byte(calendar)), 0, ErrUnreachable},
		{"broken off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, calendar)
		}, 0, ErrUnreachable},
		{"huge headers", func(w http.ResponseWriter, r *http.Request) {
			for i := range 100 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("a", mostHeader/50))
			}
		}, 0, ErrUnreachable},
		{"says nothing", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, ErrSlow},
		{"drips", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}, 0, ErrSlow},
		{"hints without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusEarlyHints)
				time.Sleep(10 * time.Millisecond)
			}
		}, 0, ErrSlow},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, f := serve(t, tc.handler)
			if tc.want == ErrSlow {
				f.deadline = 300 * time.Millisecond
			}
			start := time.Now()
			got, err := f.Get(t.Context(), address(server), "", "")
			if !errors.Is(err, tc.want) || len(got.Body) != tc.length {
				t.Errorf("got %d bytes, %v, want %d bytes, %v", len(got.Body), err, tc.length, tc.want)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			discreet(t, err, address(server))
		})
	}
}

func TestLongValidatorIsNotKept(t *testing.T) {
	server, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+strings.Repeat("a", mostValidator)+`"`)
	})
	if got, err := f.Get(t.Context(), address(server), "", ""); err != nil || got.ETag != "" {
		t.Errorf("got an ETag of %d bytes, %v, want none", len(got.ETag), err)
	}
}

func TestEndedByCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := f.Get(ctx, address(server), "", "")
	if err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	discreet(t, err, address(server))
}

func TestCertificates(t *testing.T) {
	server, f := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, calendar) })
	for _, tc := range []struct {
		name    string
		fetcher *Fetcher
		address string
	}{
		{"signed by nobody", New(Options{AllowLoopback: true}), address(server)},
		{"of another name", f, strings.Replace(address(server), "127.0.0.1", "localhost", 1)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tc.fetcher.Get(t.Context(), tc.address, "", "")
			if !errors.Is(err, ErrCertificate) {
				t.Errorf("got %v, want %v", err, ErrCertificate)
			}
			discreet(t, err, tc.address)
		})
	}
}

func TestNobodyThere(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	f := New(Options{AllowLoopback: true})
	for _, tc := range []struct {
		name, address string
		want          error
	}{
		{"nobody listens", strings.Replace(address(closed), "http:", "https:", 1), ErrUnreachable},
		{"no TLS", strings.Replace(address(plain), "http:", "https:", 1), ErrUnreachable},
		{"plain HTTP on loopback", address(plain), ErrGone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := f.Get(t.Context(), tc.address, "", "")
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			discreet(t, err, tc.address)
		})
	}
}

// What the resolver and the dialer say quotes the address; what we say does not.
func TestFailures(t *testing.T) {
	name := secret + ".example.org"
	for _, tc := range []struct {
		name  string
		cause error
		want  error
	}{
		{"no such name", &net.DNSError{Name: name, IsNotFound: true}, ErrHost},
		{"resolver away", &net.DNSError{Name: name, IsTemporary: true}, ErrUnreachable},
		{"resolver slow", &net.DNSError{Name: name, IsTimeout: true}, ErrSlow},
		{"refused", &net.OpError{Op: "dial", Err: errors.New(name)}, ErrUnreachable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := failure(t.Context(), fmt.Errorf("https://%s: %w", name, tc.cause))
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			discreet(t, got, name)
		})
	}
}

func TestRedirects(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, tc := range []struct {
		name, to string
		want     error
	}{
		{"once", "/1", nil},
		{"three times", "/3", nil},
		{"four times", "/4", ErrRedirect},
		{"in a circle", "/circle", ErrRedirect},
		{"to http", plain.URL + "/", ErrRedirect},
		{"to another port", "https://calendar.example.org:22/", ErrRedirect},
		{"with a password", "https://a:b@calendar.example.org/", ErrRedirect},
		{"to a file", "file:///etc/passwd", ErrRedirect},
		{"to webcal", "webcal://calendar.example.org/", ErrRedirect},
		{"to a private address", "https://10.0.0.1/", ErrPrivate},
		{"to a cloud's metadata", "https://169.254.169.254/latest", ErrPrivate},
		{"to IPv4 within IPv6", "https://[::ffff:10.0.0.1]/", ErrPrivate},
		{"to nowhere", "", ErrUnexpected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server, f := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Referer") != "" || r.Header.Get("Authorization") != "" {
					t.Errorf("sent on with %v", r.Header)
				}
				steps := 0
				switch {
				case strings.Contains(r.URL.Path, secret) && tc.to == "":
					w.WriteHeader(http.StatusFound)
				case strings.Contains(r.URL.Path, secret):
					http.Redirect(w, r, tc.to, http.StatusFound)
				case r.URL.Path == "/circle":
					http.Redirect(w, r, "/circle", http.StatusMovedPermanently)
				default:
					if fmt.Sscanf(r.URL.Path, "/%d", &steps); steps > 1 {
						http.Redirect(w, r, fmt.Sprint("/", steps-1), http.StatusTemporaryRedirect)
						return
					}
					io.WriteString(w, calendar)
				}
			})
			got, err := f.Get(t.Context(), address(server), "", "")
			if !errors.Is(err, tc.want) || tc.want == nil && string(got.Body) != calendar {
				t.Errorf("got %q, %v, want %v", got.Body, err, tc.want)
			}
			discreet(t, err, address(server))
		})
	}
}

// A server at another host is not told where we came from.
func TestRedirectToAnotherHost(t *testing.T) {
	var asked http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header
		io.WriteString(w, calendar)
	}))
	defer other.Close()
	first := httptest.NewServer(http.RedirectHandler(strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound))
	defer first.Close()
	got, err := New(Options{AllowLoopback: true}).Get(t.Context(), address(first), "", "")
	if err != nil || string(got.Body) != calendar {
		t.Fatalf("got %q, %v", got.Body, err)
	}
	if strings.Contains(fmt.Sprint(asked), secret) || asked.Get("Referer") != "" {
		t.Errorf("the other server was told %v", asked)
	}
}

// Names and numbers of this machine lead nowhere, and nobody is connected to: not even where the port would do.
func TestNobodyIsConnectedToInPrivate(t *testing.T) {
	var connected atomic.Int32
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	server.Config.ConnState = func(net.Conn, http.ConnState) { connected.Add(1) }
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ports[port] = true
	defer delete(ports, port)
	for _, host := range []string{"localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"} {
		t.Run(host, func(t *testing.T) {
			address := "https://" + host + ":" + port + "/" + secret
			_, err := New(Options{}).Get(t.Context(), address, "", "")
			if !errors.Is(err, ErrPrivate) {
				t.Errorf("got %v, want %v", err, ErrPrivate)
			}
			discreet(t, err, address)
		})
	}
	if n := connected.Load(); n != 0 {
		t.Errorf("connected %d times", n)
	}
}

// A name that was harmless when it was checked may mean this machine when it is connected to.
func TestGuardSeesWhatIsConnectedTo(t *testing.T) {
	f := New(Options{})
	for address, want := range map[string]error{
		"127.0.0.1:443": ErrPrivate, "[::1]:443": ErrPrivate, "[fe80::1%eth0]:443": ErrPrivate, "169.254.169.254:443": ErrPrivate,
		"": ErrPrivate, "calendar.example.org:443": ErrPrivate, "193.157.1.1:443": nil, "[2001:700:100::1]:443": nil,
	} {
		if got := f.control("tcp", address, nil); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}

// What the environment says of proxies is not followed: the guard would see the proxy alone. Asked of the transport
// itself, since an environment is read once and never for this machine's own names.
func TestNoProxy(t *testing.T) {
	if transport := New(Options{}).client.Transport.(*http.Transport); transport.Proxy != nil {
		t.Error("a proxy is set")
	}
}

func TestPublic(t *testing.T) {
	for _, tc := range []struct {
		name, address string
		want          bool
	}{
		{"a university", "193.157.1.1", true},
		{"Google", "142.250.74.78", true},
		{"Outlook", "52.97.1.2", true},
		{"Apple", "17.248.1.2", true},
		{"before private", "9.255.255.255", true},
		{"after private", "11.0.0.0", true},
		{"before CGNAT", "100.63.255.255", true},
		{"after CGNAT", "100.128.0.0", true},
		{"before 172 private", "172.15.255.255", true},
		{"after 172 private", "172.32.0.0", true},
		{"last before multicast", "223.255.255.255", true},
		{"IPv6", "2001:700:100::1", true},
		{"Google's IPv6", "2a00:1450:400f::200e", true},

		{"unspecified", "0.0.0.0", false},
		{"this network", "0.1.2.3", false},
		{"private", "10.0.0.1", false},
		{"private, last", "10.255.255.255", false},
		{"CGNAT", "100.64.0.1", false},
		{"CGNAT, last", "100.127.255.255", false},
		{"Alibaba's metadata", "100.100.100.200", false},
		{"loopback", "127.0.0.1", false},
		{"loopback, another", "127.255.255.254", false},
		{"Azure's services", "168.63.129.16", false},
		{"link-local", "169.254.1.1", false},
		{"metadata", "169.254.169.254", false},
		{"private 172", "172.16.0.1", false},
		{"private 172, last", "172.31.255.255", false},
		{"Oracle's metadata", "192.0.0.192", false},
		{"documentation", "192.0.2.1", false},
		{"6to4 relay", "192.88.99.1", false},
		{"private 192", "192.168.1.1", false},
		{"benchmark", "198.18.0.1", false},
		{"benchmark, last", "198.19.255.255", false},
		{"documentation 2", "198.51.100.1", false},
		{"documentation 3", "203.0.113.1", false},
		{"multicast", "224.0.0.1", false},
		{"multicast, last", "239.255.255.255", false},
		{"future use", "240.0.0.1", false},
		{"broadcast", "255.255.255.255", false},

		{"IPv6 unspecified", "::", false},
		{"IPv6 loopback", "::1", false},
		{"IPv4-compatible", "::8.8.8.8", false},
		{"IPv4-mapped private", "::ffff:10.0.0.1", false},
		{"IPv4-mapped public", "::ffff:8.8.8.8", false},
		{"IPv4-translated", "::ffff:0:10.0.0.1", false},
		{"NAT64", "64:ff9b::10.0.0.1", false},
		{"NAT64, local", "64:ff9b:1::a00:1", false},
		{"discard", "100::1", false},
		{"Teredo", "2001::1", false},
		{"IPv6 benchmark", "2001:2::1", false},
		{"ORCHID", "2001:20::1", false},
		{"IPv6 documentation", "2001:db8::1", false},
		{"6to4", "2002:a00:1::1", false},
		{"IPv6 documentation 2", "3fff::1", false},
		{"segment routing", "5f00::1", false},
		{"unique-local", "fd12:3456::1", false},
		{"unique-local, first", "fc00::1", false},
		{"AWS's metadata", "fd00:ec2::254", false},
		{"IPv6 link-local", "fe80::1", false},
		{"site-local", "fec0::1", false},
		{"IPv6 multicast", "ff02::1", false},
		{"with a zone", "2001:700:100::1%eth0", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := public(netip.MustParseAddr(tc.address)); got != tc.want {
				t.Errorf("public(%s) = %v, want %v", tc.address, got, tc.want)
			}
		})
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestCheck(t *testing.T) {
	google := "https://calendar.google.com/calendar/ical/a%40group.calendar.google.com/private-0a1b/basic.ics"
	outlook := "https://outlook.office365.com/owa/calendar/0a1b@uni.example.org/2c3d/calendar.ics"
	for _, tc := range []struct {
		name, address, want string
		err                 error
	}{
		{"Google", google, google, nil},
		{"Outlook", outlook, outlook, nil},
		{"iCloud", "webcal://p52-caldav.icloud.com/published/2/0a1b", "https://p52-caldav.icloud.com/published/2/0a1b", nil},
		{"Nextcloud", "https://sky.example.org/remote.php/dav/public-calendars/0a1b?export", "https://sky.example.org/remote.php/dav/public-calendars/0a1b?export", nil},
		{"webcals", "webcals://a.example.org/b", "https://a.example.org/b", nil},
		{"blanks around", "  https://a.example.org/b\n", "https://a.example.org/b", nil},
		{"capitals", "HTTPS://A.Example.org/B", "https://a.example.org/B", nil},
		{"fragment", "https://a.example.org/b#c", "https://a.example.org/b", nil},
		{"port named for nothing", "https://a.example.org:443/b", "https://a.example.org/b", nil},
		{"port 8443", "https://a.example.org:8443/b", "https://a.example.org:8443/b", nil},
		{"letters beyond ASCII", "https://blåbær.example.org/kalender.ics", "https://bl%C3%A5b%C3%A6r.example.org/kalender.ics", nil},
		{"public number", "https://193.157.1.1/b", "https://193.157.1.1/b", nil},
		{"name of this machine", "https://localhost/b", "https://localhost/b", nil}, // Get finds out

		{"nothing", "", "", ErrRefused},
		{"words", "my calendar", "", ErrRefused},
		{"no scheme", "a.example.org/b", "", ErrRefused},
		{"no host", "https:///b", "", ErrRefused},
		{"port alone", "https://:443/b", "", ErrRefused},
		{"opaque", "https:a.example.org", "", ErrRefused},
		{"file", "file:///etc/passwd", "", ErrRefused},
		{"ftp", "ftp://a.example.org/b", "", ErrRefused},
		{"script", "javascript:alert(1)", "", ErrRefused},
		{"line break within", "https://a.example.org/b\r\nHost: c", "", ErrRefused},
		{"blank in the host", "https://a example.org/b", "", ErrRefused},
		{"too long", "https://a.example.org/" + strings.Repeat("b", mostAddress), "", ErrRefused},
		{"http", "http://a.example.org/b", "", ErrInsecure},
		{"http on this machine", "http://127.0.0.1/b", "", ErrInsecure},
		{"user", "https://kari@a.example.org/b", "", ErrCredentials},
		{"user and password", "https://kari:hemmelig@a.example.org/b", "", ErrCredentials},
		{"another port", "https://a.example.org:22/b", "", ErrPort},
		{"no port after all", "https://a.example.org:0443/b", "", ErrPort},
		{"private number", "https://192.168.1.1/b", "", ErrPrivate},
		{"this machine", "webcal://127.0.0.1/b", "", ErrPrivate},
		{"IPv6 of this machine", "https://[::1]/b", "", ErrPrivate},
		{"IPv6 with a zone", "https://[fe80::1%25eth0]/b", "", ErrPrivate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := New(Options{}).Check(tc.address)
			if got != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, tc.want, tc.err)
			}
			if again, err := New(Options{}).Check(got); tc.err == nil && (again != got || err != nil) {
				t.Errorf("checked again: %q, %v", again, err)
			}
		})
	}
}

// The option opens this machine and nothing else.
func TestAllowLoopback(t *testing.T) {
	f := New(Options{AllowLoopback: true})
	for address, want := range map[string]error{
		"http://127.0.0.1:8080/b": nil, "http://localhost:8080/b": nil, "https://[::1]:8080/b": nil,
		"http://a.example.org/b": ErrInsecure, "http://10.0.0.1/b": ErrInsecure, "https://10.0.0.1/b": ErrPrivate,
		"https://a.example.org:8080/b": ErrPort, "http://localhost.example.org/b": ErrInsecure,
	} {
		if _, err := f.Check(address); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", address, err, want)
		}
	}
}
