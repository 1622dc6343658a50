package consents

import (
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// strip takes HTML out of Markdown and names what it took: elements, and links that lead elsewhere than to a page or a
// mailbox. Between the tags of an element that shows nothing of itself, the content goes too.
func strip(body string) (rest string, removed []string) {
	for _, silent := range silentElements {
		body = silent.ReplaceAllStringFunc(body, func(match string) string {
			removed = append(removed, nameTag(match))
			return ""
		})
	}
	for { // what is left may be a tag again, as in <scr<b>ipt>: each round is shorter
		next, tags := withoutTags(body)
		removed = append(removed, tags...)
		if next == body {
			break
		}
		body = next
	}
	body, links := withoutForeignLinks(body)
	slices.Sort(removed)
	return body, append(slices.Compact(removed), links...)
}

var silentElements = func() (all []*regexp.Regexp) {
	for _, name := range []string{"script", "style", "iframe", "object", "svg", "template", "noscript"} {
		all = append(all, regexp.MustCompile(`(?is)<`+name+`\b[^>]*>.*?</`+name+`\s*>`))
	}
	return all
}()

// withoutTags removes what Markdown takes for HTML. An example in a code span is none.
func withoutTags(body string) (rest string, removed []string) {
	source := []byte(body)
	var cuts []text.Segment
	_ = ast.Walk(markdown.Parser().Parse(text.NewReader(source)), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			switch n := node.(type) {
			case *ast.RawHTML:
				cuts = append(cuts, n.Segments.Sliced(0, n.Segments.Len())...)
			case *ast.HTMLBlock:
				cuts = append(cuts, tagsOf(n, source)...)
			}
		}
		return ast.WalkContinue, nil
	})
	slices.SortFunc(cuts, func(a, b text.Segment) int { return a.Start - b.Start })
	var kept strings.Builder
	at := 0
	for _, cut := range cuts {
		removed = append(removed, nameTag(string(source[cut.Start:cut.Stop])))
		kept.Write(source[at:max(at, cut.Start)])
		at = max(at, cut.Stop)
	}
	kept.Write(source[at:])
	return kept.String(), removed
}

var tagPattern = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>`)

// tagsOf finds the tags within a block of HTML, whose text stays; a block that closes none goes as a whole.
func tagsOf(block *ast.HTMLBlock, source []byte) (tags []text.Segment) {
	lines := block.Lines()
	start, stop := lines.At(0).Start, lines.At(lines.Len()-1).Stop
	if block.HasClosure() {
		stop = max(stop, block.ClosureLine.Stop)
	}
	for _, at := range tagPattern.FindAllIndex(source[start:stop], -1) {
		tags = append(tags, text.NewSegment(start+at[0], start+at[1]))
	}
	if len(tags) == 0 {
		tags = append(tags, text.NewSegment(start, stop))
	}
	return tags
}

var tagName = regexp.MustCompile(`^</?([A-Za-z][A-Za-z0-9-]*)`)

// nameTag says what was removed without repeating it.
func nameTag(tag string) string {
	if match := tagName.FindStringSubmatch(tag); match != nil {
		return "<" + strings.ToLower(match[1]) + ">"
	}
	return "<!-- -->"
}

var (
	linkPattern   = regexp.MustCompile(`!?\[([^\]]*)\]\(\s*<?\s*([A-Za-z][A-Za-z0-9+.-]*):[^)]*\)`)
	targetPattern = regexp.MustCompile(`(?m)^ {0,3}\[([^\]]+)\]:\s*<?\s*([A-Za-z][A-Za-z0-9+.-]*):.*$`)
	autoPattern   = regexp.MustCompile(`<([A-Za-z][A-Za-z0-9+.-]{1,31}):[^\s<>]*>`)
	schemes       = []string{"http", "https", "mailto"}
)

// withoutForeignLinks leaves the words of a link whose scheme no letter shows.
func withoutForeignLinks(body string) (rest string, removed []string) {
	for _, p := range []struct {
		pattern        *regexp.Regexp
		words, schemed int
	}{{linkPattern, 1, 2}, {targetPattern, 0, 2}, {autoPattern, 0, 1}} {
		body = p.pattern.ReplaceAllStringFunc(body, func(match string) string {
			parts := p.pattern.FindStringSubmatch(match)
			scheme := strings.ToLower(parts[p.schemed])
			if slices.Contains(schemes, scheme) {
				return match
			}
			removed = append(removed, scheme+":")
			if p.words == 0 {
				return ""
			}
			return parts[p.words]
		})
	}
	slices.Sort(removed)
	return body, slices.Compact(removed)
}
