package consents

import (
	"bytes"
	"html/template"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

// Line breaks are kept: a contact's address is written as it is to be read.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Linkify), goldmark.WithRendererOptions(html.WithHardWraps()))

// policy lets through what a letter needs. No pictures, since a page loads nothing from elsewhere, and no h1, since the
// page has its own.
var policy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("h2", "h3", "h4", "p", "br", "ul", "ol", "li", "strong", "em", "blockquote", "hr")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}()

// HTML shows a letter's body. Whatever the Markdown holds, the result has no script, style, picture or foreign scheme.
func HTML(body string) template.HTML {
	var out bytes.Buffer
	if err := markdown.Convert([]byte(body), &out); err != nil {
		// Only a failing writer makes Convert fail, and a buffer does not.
		return template.HTML(template.HTMLEscapeString(body))
	}
	return template.HTML(policy.SanitizeBytes(out.Bytes()))
}
