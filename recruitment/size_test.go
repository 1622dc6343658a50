package recruitment_test

import (
	"slices"
	"testing"

	"example.org/feltbok/recruitment"
)

func TestSchemes(t *testing.T) {
	sizes := map[string][]recruitment.Size{}
	for _, scheme := range recruitment.Schemes() {
		for _, employees := range []int{-1, 0, 9, 10, 20, 49, 50, 100, 101, 249, 250, 499, 500} {
			sizes[scheme.Name] = append(sizes[scheme.Name], scheme.SizeOf(employees))
		}
	}
	const mi, s, m, l = recruitment.Micro, recruitment.Small, recruitment.Medium, recruitment.Large
	for name, want := range map[string][]recruitment.Size{
		"thesis": {"", mi, mi, mi, s, s, s, m, l, l, l, l, l},
		"eu":     {"", mi, mi, s, s, s, m, m, m, m, l, l, l},
		"us":     {"", m, m, m, m, m, m, m, m, m, m, m, l},
		"nho":    {"", s, s, s, s, m, m, m, l, l, l, l, l},
	} {
		if !slices.Equal(sizes[name], want) {
			t.Errorf("%s: %q, want %q", name, sizes[name], want)
		}
	}
}

func TestSetScheme(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		if s, err := f.Scheme(ctx, f.study); err != nil || s.Name != "thesis" {
			t.Errorf("a new study has %+v, %v", s, err)
		}
		for _, bad := range []recruitment.Scheme{{Name: "mars"}, {Name: "own"}, {Name: "own", Micro: 20, Small: 10, Medium: 100}, {Name: "own", Medium: -1}} {
			if err := f.SetScheme(ctx, researcher, f.study, bad); faults(err) == "" {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		for _, want := range []recruitment.Scheme{{Name: "own", Small: 30, Medium: 300}, recruitment.Schemes()[1]} {
			if err := f.SetScheme(ctx, researcher, f.study, want); err != nil {
				t.Fatal(err)
			}
			if got, err := f.Scheme(ctx, f.study); err != nil || got != want {
				t.Errorf("scheme %+v, %v; want %+v", got, err, want)
			}
		}
	})
}
