package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/PuerkitoBio/goquery"
)

// Form is a form of the page, as it stands.
type Form struct {
	browser *Browser
	node    *goquery.Selection
	values  url.Values
	files   []file
	err     error // the first thing that no person could have done
}

// file is one that goes along with a form.
type file struct {
	field, name string
	data        []byte
}

// Attach chooses a file for a file field.
func (f *Form) Attach(field, name string, data []byte) *Form {
	if f.err == nil && f.node.Find(fmt.Sprintf("input[type=file][name=%q]", field)).Length() == 0 {
		f.err = fmt.Errorf("%s: no file field %q", f.browser.Address(), field)
	}
	f.files = append(f.files, file{field, name, data})
	return f
}

// Form returns the first form that the selector finds, with the values that stand in it: `form[action="/sign-in"]`,
// or "main form".
func (b *Browser) Form(selector string) *Form {
	f := b.form(b.find(selector).First())
	if f.node.Length() == 0 {
		f.err = fmt.Errorf("%s: no form %q", b.Address(), selector)
	}
	return f
}

// Forms returns every form of the page, as it stands.
func (b *Browser) Forms() []*Form {
	var forms []*Form
	for i := range b.find("form").Length() {
		forms = append(forms, b.form(b.find("form").Eq(i)))
	}
	return forms
}

func (b *Browser) form(node *goquery.Selection) *Form {
	f := &Form{browser: b, node: node, values: url.Values{}}
	node.Find("input[name], select[name], textarea[name]").Each(func(_ int, input *goquery.Selection) {
		if value, stands := standing(input); stands {
			f.values.Add(input.AttrOr("name", ""), value)
		}
	})
	return f
}

// standing is the value that an input hands in if nobody touches it.
func standing(input *goquery.Selection) (string, bool) {
	switch goquery.NodeName(input) {
	case "textarea":
		return input.Text(), true
	case "select":
		if chosen := input.Find("option[selected]").First(); chosen.Length() > 0 {
			return optionValue(chosen), true
		}
		if first := input.Find("option").First(); first.Length() > 0 {
			return optionValue(first), true
		}
		return "", false
	}
	switch input.AttrOr("type", "text") {
	case "radio", "checkbox":
		_, checked := input.Attr("checked")
		return input.AttrOr("value", "on"), checked
	case "submit", "button", "image", "reset", "file":
		return "", false
	}
	return input.AttrOr("value", ""), true
}

func optionValue(option *goquery.Selection) string { return option.AttrOr("value", option.Text()) }

// Set types text into a field, or chooses a value of a list or of radio buttons. A field that is not there, or a value
// that is not on offer, is an error of Submit.
func (f *Form) Set(name, value string) *Form {
	if f.err != nil {
		return f
	}
	inputs := f.node.Find(fmt.Sprintf("[name=%q]", name))
	if inputs.Length() == 0 {
		f.err = fmt.Errorf("%s: no field %q", f.browser.Address(), name)
		return f
	}
	if offered := offers(inputs); offered != nil && !slices.Contains(offered, value) {
		f.err = fmt.Errorf("%s: field %q offers %q, not %q", f.browser.Address(), name, offered, value)
		return f
	}
	f.values.Set(name, value)
	return f
}

// Check ticks one box of several with the same name.
func (f *Form) Check(name, value string) *Form {
	if f.err == nil && !slices.Contains(offers(f.node.Find(fmt.Sprintf("[name=%q]", name))), value) {
		f.err = fmt.Errorf("%s: no box %q with %q", f.browser.Address(), name, value)
		return f
	}
	f.values.Add(name, value)
	return f
}

// offers lists the values to choose from; nil for a field to type in.
func offers(inputs *goquery.Selection) []string {
	var values []string
	inputs.Each(func(_ int, input *goquery.Selection) {
		if goquery.NodeName(input) == "select" {
			input.Find("option").Each(func(_ int, option *goquery.Selection) { values = append(values, optionValue(option)) })
		}
		if kind := input.AttrOr("type", ""); kind == "radio" || kind == "checkbox" {
			values = append(values, input.AttrOr("value", "on"))
		}
	})
	return values
}

// Options lists the values that a field offers.
func (f *Form) Options(name string) []string {
	return offers(f.node.Find(fmt.Sprintf("[name=%q]", name)))
}

// Values is what would be handed in.
func (f *Form) Values() url.Values { return f.values }

// Submit hands the form in and goes to the page that answers. Redirects are followed.
func (f *Form) Submit() error { return f.Press("", "") }

// Press hands the form in by a button of that name and value.
func (f *Form) Press(name, value string) error {
	if f.err != nil {
		return f.err
	}
	target, err := f.browser.at.Parse(f.node.AttrOr("action", ""))
	if err != nil {
		return err
	}
	if name != "" {
		if f.node.Find(fmt.Sprintf("button[name=%q][value=%q]", name, value)).Length() == 0 {
			return fmt.Errorf("%s: no button %s=%s", f.browser.Address(), name, value)
		}
		f.values.Set(name, value)
	}
	if f.node.AttrOr("method", "get") != "post" {
		target.RawQuery = f.values.Encode()
		return f.browser.send(http.MethodGet, target, nil)
	}
	if f.node.AttrOr("enctype", "") == "multipart/form-data" {
		return f.browser.sendFiles(target, f.values, f.files)
	}
	return f.browser.send(http.MethodPost, target, f.values)
}

// Only ticks exactly the given boxes of a name.
func (f *Form) Only(name string, values ...string) *Form {
	f.values.Del(name)
	for _, value := range values {
		f.Check(name, value)
	}
	return f
}

// FieldNames lists the visible fields of a form, each once, in the page's order.
func (b *Browser) FieldNames(selector string) []string {
	var names []string
	b.find(selector).First().Find("input[name], select[name], textarea[name]").Each(func(_ int, input *goquery.Selection) {
		name := input.AttrOr("name", "")
		if input.AttrOr("type", "") != "hidden" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// Selection is a part of a page.
type Selection = goquery.Selection
