// Package browser is a browser without a screen: it keeps cookies, follows redirects, reads forms from the page and
// hands them in with what a person could have put there, and nothing else. The demo and the tests use it to go through
// the real handlers as people do.
package browser

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// Browser is one person's browser, at one page at a time.
type Browser struct {
	client *http.Client
	at     *url.URL
	Status int
	Header http.Header
	Body   []byte
	Page   *goquery.Document // nil unless the response was HTML
}

// New opens a browser on a handler, without a network. base is the address that the handler believes to have.
func New(handler http.Handler, base string) (*Browser, error) {
	return newBrowser(inProcess{handler}, base)
}

// NewOverNetwork opens a browser that speaks HTTP to base.
func NewOverNetwork(base string) (*Browser, error) { return newBrowser(http.DefaultTransport, base) }

func newBrowser(transport http.RoundTripper, base string) (*Browser, error) {
	at, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Browser{client: &http.Client{Transport: transport, Jar: jar}, at: at}, nil
}

// Address is the page's path and query.
func (b *Browser) Address() string { return b.at.RequestURI() }

// Get opens an address, relative to the page. A status of 400 or more is an error; the page can still be read.
func (b *Browser) Get(address string) error {
	target, err := b.at.Parse(address)
	if err != nil {
		return err
	}
	return b.send(http.MethodGet, target, nil)
}

// Follow opens the first link whose text or address contains what is given.
func (b *Browser) Follow(what string) error {
	link := b.find("a[href]").FilterFunction(func(_ int, a *goquery.Selection) bool {
		return strings.Contains(a.Text(), what) || strings.Contains(a.AttrOr("href", ""), what)
	}).First()
	if link.Length() == 0 {
		return fmt.Errorf("%s: no link %q", b.Address(), what)
	}
	return b.Get(link.AttrOr("href", ""))
}

// Text is the text of what the selector finds, white space folded.
func (b *Browser) Text(selector string) string {
	return strings.Join(strings.Fields(b.find(selector).Text()), " ")
}

// Has says whether the page has what the selector describes.
func (b *Browser) Has(selector string) bool { return b.find(selector).Length() > 0 }

func (b *Browser) find(selector string) *goquery.Selection {
	if b.Page == nil {
		return &goquery.Selection{}
	}
	return b.Page.Find(selector)
}

// Post hands in values without asking whether the page offers them: a form handed in twice, or by somebody who makes
// requests by hand. The values need a form's key.
func (b *Browser) Post(address string, values url.Values) error {
	target, err := b.at.Parse(address)
	if err != nil {
		return err
	}
	return b.send(http.MethodPost, target, values)
}

func (b *Browser) send(method string, target *url.URL, form url.Values) error {
	if form == nil {
		return b.request(method, target, "", nil)
	}
	return b.request(method, target, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// sendFiles hands in a form that files go along with; one that takes files goes this way without any, too.
func (b *Browser) sendFiles(target *url.URL, form url.Values, files []file) error {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			if err := w.WriteField(name, value); err != nil {
				return err
			}
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile(f.field, f.name)
		if err != nil {
			return err
		}
		if _, err := part.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return b.request(http.MethodPost, target, w.FormDataContentType(), &body)
}

// request sends a body of a kind; without a kind there is none.
func (b *Browser) request(method string, target *url.URL, kind string, body io.Reader) error {
	request, err := http.NewRequest(method, target.String(), body)
	if err != nil {
		return err
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.Header.Set("Accept-Language", "nb")
	if kind != "" {
		request.Header.Set("Content-Type", kind)
		request.Header.Set("Origin", target.Scheme+"://"+target.Host)
	}
	response, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if b.Body, err = io.ReadAll(response.Body); err != nil {
		return err
	}
	b.at, b.Status, b.Header, b.Page = response.Request.URL, response.StatusCode, response.Header, nil
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		if b.Page, err = goquery.NewDocumentFromReader(bytes.NewReader(b.Body)); err != nil {
			return err
		}
	}
	if b.Status >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: status %d: %s", method, b.at.Path, b.Status, b.Text("main"))
	}
	return nil
}

// inProcess hands requests to a handler.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &response{header: http.Header{}}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	incoming := r.Clone(r.Context())
	incoming.RequestURI, incoming.RemoteAddr, incoming.Host = r.URL.RequestURI(), "127.0.0.1:1", r.URL.Host
	t.handler.ServeHTTP(w, incoming)
	w.WriteHeader(http.StatusOK)
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(w.body.Len()), Body: io.NopCloser(&w.body)}, nil
}

type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Try sends one request as this browser would and does not follow where it leads. The page stays where it was; Body is
// the answer's.
func (b *Browser) Try(method, address string, form url.Values) (status int, err error) {
	target, err := b.at.Parse(address)
	if err != nil {
		return 0, err
	}
	follow := b.client.CheckRedirect
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.client.CheckRedirect = follow }()
	at := b.at
	defer func() { b.at = at }()
	if method == http.MethodGet || method == http.MethodHead {
		form = nil
	}
	b.send(method, target, form) // a refusal is an answer here, and its status says so
	return b.Status, nil
}

// Links lists the addresses that the page links to.
func (b *Browser) Links() []string {
	return b.find("a[href]").Map(func(_ int, a *goquery.Selection) string { return a.AttrOr("href", "") })
}
