package pdf

import (
	"bufio"
	"bytes"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	rendered "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// The same grammar as on the screen: addresses are links, and line breaks are kept.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Linkify))

// parse makes blocks of Markdown. Pictures and raw HTML are left out, as they are on the screen.
func parse(body string) []block {
	r := reader{source: []byte(body)}
	r.children(markdown.Parser().Parse(text.NewReader(r.source)), 0)
	return r.blocks
}

type reader struct {
	source []byte
	blocks []block
}

const (
	paragraph = 2.6 // space above one, in millimetres
	listStep  = 6.0
	deepest   = 10 * listStep
)

func (r *reader) children(of ast.Node, indent float64) {
	for n := of.FirstChild(); n != nil; n = n.NextSibling() {
		r.node(n, indent)
	}
}

func (r *reader) node(n ast.Node, indent float64) {
	switch n := n.(type) {
	case *ast.Heading:
		r.add(block{runs: r.runs(n, "B"), size: headSize, before: 5, indent: indent, keep: true})
	case *ast.Paragraph:
		r.add(block{runs: r.runs(n, ""), size: bodySize, before: paragraph, indent: indent})
	case *ast.TextBlock:
		r.add(block{runs: r.runs(n, ""), size: bodySize, before: 1, indent: indent})
	case *ast.List:
		r.list(n, indent+listStep)
	case *ast.Blockquote:
		r.children(n, indent+listStep)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		r.add(block{runs: []run{{strings.TrimSuffix(string(n.Lines().Value(r.source)), "\n"), ""}}, size: bodySize, before: paragraph, indent: indent + listStep})
	case *ast.ThematicBreak:
		r.add(block{size: bodySize, before: paragraph, indent: indent, rule: true})
	case *ast.HTMLBlock:
	default:
		r.children(n, indent)
	}
}

// add keeps room for text, however deep a list goes.
func (r *reader) add(b block) {
	b.indent = min(b.indent, deepest)
	r.blocks = append(r.blocks, b)
}

// list puts the mark of each point before its first line.
func (r *reader) list(of *ast.List, indent float64) {
	number := of.Start
	for item := of.FirstChild(); item != nil; item = item.NextSibling() {
		first := len(r.blocks)
		r.children(item, indent)
		if first == len(r.blocks) {
			r.add(block{size: bodySize, before: 1, indent: indent})
		}
		r.blocks[first].mark = "–"
		if of.IsOrdered() {
			r.blocks[first].mark = strconv.Itoa(number) + "."
			number++
		}
	}
}

// runs reads the text within a node.
func (r *reader) runs(of ast.Node, style string) (runs []run) {
	for n := of.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			runs = append(runs, run{r.said(n.Segment.Value(r.source), n.IsRaw()), style})
			if n.SoftLineBreak() || n.HardLineBreak() {
				runs = append(runs, run{"\n", style})
			}
		case *ast.String:
			runs = append(runs, run{r.said(n.Value, n.IsRaw() || n.IsCode()), style})
		case *ast.CodeSpan:
			runs = append(runs, r.raw(n, style)...)
		case *ast.Emphasis:
			runs = append(runs, r.runs(n, with(style, n.Level))...)
		case *ast.AutoLink:
			runs = append(runs, run{string(n.Label(r.source)), style})
		case *ast.Link:
			runs = append(runs, r.link(n, style)...)
		case *ast.Image, *ast.RawHTML:
		default:
			runs = append(runs, r.runs(n, style)...)
		}
	}
	return runs
}

// raw is code, where nothing is escaped.
func (r *reader) raw(of ast.Node, style string) (runs []run) {
	for n := of.FirstChild(); n != nil; n = n.NextSibling() {
		if t, ok := n.(*ast.Text); ok {
			runs = append(runs, run{strings.ReplaceAll(string(t.Segment.Value(r.source)), "\n", " "), style})
		}
	}
	return runs
}

// link prints where a link leads, unless its text says it.
func (r *reader) link(n *ast.Link, style string) []run {
	runs := r.runs(n, style)
	var said strings.Builder
	for _, part := range runs {
		said.WriteString(part.text)
	}
	address := r.said(n.Destination, false)
	parsed, err := url.Parse(address)
	if err != nil || !slices.Contains([]string{"http", "https", "mailto"}, parsed.Scheme) {
		return runs
	}
	address = strings.TrimPrefix(address, "mailto:")
	if said.String() == address {
		return runs
	}
	return append(runs, run{" (" + address + ")", style})
}

// said resolves escapes and entities, by the writer that the screen's pages are made with.
func (r *reader) said(segment []byte, raw bool) string {
	var out bytes.Buffer
	writer := bufio.NewWriter(&out)
	if raw {
		rendered.DefaultWriter.RawWrite(writer, segment)
	} else {
		rendered.DefaultWriter.Write(writer, segment)
	}
	writer.Flush()
	return html.UnescapeString(out.String())
}

// with adds an emphasis to a style: one star is italic, two are bold.
func with(style string, level int) string {
	bold, italic := strings.Contains(style, "B") || level > 1, strings.Contains(style, "I") || level == 1
	switch {
	case bold && italic:
		return "BI"
	case bold:
		return "B"
	}
	return "I"
}
