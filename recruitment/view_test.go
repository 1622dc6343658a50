package recruitment_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"

	"github.com/google/go-cmp/cmp"
)

func TestViews(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		q := recruitment.Query{Filter: recruitment.Filter{Case: f.a, Group: "SMB", Stage: recruitment.StageNotAsked, Text: "50 % & mer",
			Attributes: map[string]string{string(f.c): "Øst"}}, Order: recruitment.ByNext, Down: true, After: "0.A1"}
		save := func(name string, q recruitment.Query) error { return f.SaveView(ctx, researcher, f.study, name, q) }
		if err := save("  Ring   i dag ", q); err != nil {
			t.Fatal(err)
		}
		views, err := f.Views(ctx, f.study)
		q.After = ""
		if err != nil || len(views) != 1 || views[0].Name != "Ring i dag" || cmp.Diff(q, views[0].Query) != "" {
			t.Fatalf("views %+v, %v; want one of %+v", views, err, q)
		}
		for name, tc := range map[string]struct {
			name  string
			query recruitment.Query
			want  string
		}{
			"no name":    {" ", q, "name required"},
			"long name":  {strings.Repeat("å", 61), q, "name too_long"},
			"same name":  {"Ring i dag", recruitment.Query{}, "name recruitment.view_name"},
			"no state":   {"B", recruitment.Query{Filter: recruitment.Filter{State: "x"}}, ""},
			"no order":   {"B", recruitment.Query{Order: "x"}, ""},
			"one person": {"B", recruitment.Query{Filter: recruitment.Filter{Recruiter: "A1"}}, ""},
		} {
			err := save(tc.name, tc.query)
			if tc.want == "" && !errors.Is(err, recruitment.ErrViewFilter) || tc.want != "" && faults(err) != tc.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		other := id.New[id.Study]()
		if err := f.RemoveView(ctx, researcher, other, views[0].ID); !errors.Is(err, recruitment.ErrNoView) {
			t.Errorf("through another study: %v, want ErrNoView", err)
		}
		if err := f.RemoveView(ctx, researcher, f.study, views[0].ID); err != nil {
			t.Error(err)
		}
		if err := f.RemoveView(ctx, researcher, f.study, views[0].ID); !errors.Is(err, recruitment.ErrNoView) {
			t.Errorf("a second time: %v, want ErrNoView", err)
		}
	})
}

func TestViewsAreTwentyAlsoAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		errs := make([]error, 30)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = f.SaveView(t.Context(), researcher, f.study, fmt.Sprint(i), recruitment.Query{}) })
		}
		wg.Wait()
		refused := 0
		for _, err := range errs {
			if errors.Is(err, recruitment.ErrManyViews) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		views, err := f.Views(t.Context(), f.study)
		if err != nil || len(views) != 20 || refused != 10 {
			t.Errorf("%d views, %d refused, %v; want 20 and 10", len(views), refused, err)
		}
	})
}
