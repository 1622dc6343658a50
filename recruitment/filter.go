package recruitment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// Filter narrows a list; an empty field does not. What nobody can meet, such as a state that is none, gives an empty list.
type Filter struct {
	Case       id.Case
	Audience   string
	Relation   Relation
	Source     Source
	Recruiter  string // the code of who led to them
	Size       Size
	Group      string // SMB or STOR
	State      State
	Stage      Stage
	Attributes map[string]string // the study's own, by key
	Text       string            // how the code begins, or somewhere in the title, in any case
}

// Empty says whether the filter takes everybody.
func (f Filter) Empty() bool { return len(f.criteria(nil)) == 0 }

// possible says whether anybody can meet the filter. It keeps from the engines what they would take as an error.
func (f Filter) possible() bool {
	for key, value := range f.Attributes {
		if !id.Valid(key) || !storable(value, mostValue) {
			return false
		}
	}
	return (f.Case == "" || id.Valid(f.Case)) && (f.Recruiter == "" || isCode(f.Recruiter)) &&
		(f.Audience == "" || slices.Contains(audiences, f.Audience)) &&
		(f.Relation == "" || slices.Contains(Relations(), f.Relation)) &&
		(f.Source == "" || slices.Contains(Sources(), f.Source)) &&
		(f.Size == "" || slices.Contains(Sizes(), f.Size)) &&
		(f.Group == "" || slices.Contains(Groups(), f.Group)) &&
		(f.State == "" || slices.Contains(States(), f.State)) &&
		(f.Stage == "" || slices.Contains(Stages(), f.Stage)) &&
		storable(f.Text, mostTitle)
}

// storable says whether a stored text of at most so many characters can hold this one.
func storable(text string, most int) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0) && utf8.RuneCountInString(text) <= most
}

// words are the arguments of one statement, in the order in which its text was written.
type words struct {
	study id.Study
	args  []any
}

// of adds an argument and returns its place in the text.
func (w *words) of(arg any) string {
	w.args = append(w.args, arg)
	return fmt.Sprintf("$%d", len(w.args))
}

func (w *words) list(args []any) string {
	places := make([]string, len(args))
	for i, arg := range args {
		places[i] = w.of(arg)
	}
	return "(" + strings.Join(places, ", ") + ")"
}

// criterion is one condition of a filter.
type criterion struct {
	// test is the condition on a row p of participant.
	test func(w *words) string
	// uses are the columns that test reads, apart from person_id.
	uses []string
	// met are what follows "select ... from" to find whoever meets it, each once and along an index.
	met func(w *words) []string
	// elsewhere says that met is not in participant.
	elsewhere bool
	// leads are the orders in which an index lists those who meet it.
	leads []Order
	// spans, if there are any, are where the codes lie of those who meet it.
	spans []natural.Span
	// implied says that another criterion asks for more: this one is there for its index.
	implied bool
	// many is how many meet it, as far as they were counted.
	many int64
}

func inStudy(w *words) string { return "study_id = " + w.of(w.study) + " and code <> ''" }

// column is a criterion on one column with an index.
func column(name string, value any, leads ...Order) criterion {
	return leading(tested(func(w *words) string { return name + " = " + w.of(value) }, name), leads...)
}

// leading is a criterion whose index lists the codes too, and maybe other orders.
func leading(c criterion, orders ...Order) criterion {
	c.leads = append(orders, ByCode)
	return c
}

// ledBy is a criterion on the code of who led to them. The index has nobody whom nobody led to, and has to hear so.
func ledBy(code string) criterion {
	return leading(tested(func(w *words) string {
		return "recruiter_id <> '' and recruiter_id = (select l.person_id from participant l where l.study_id = " + w.of(w.study) +
			" and l.code <> '' and l.code = " + w.of(code) + ")"
	}, "recruiter_id"))
}

// tested is a criterion whose test is what an index is asked for.
func tested(test func(w *words) string, uses string) criterion {
	return criterion{test: test, uses: []string{uses}, met: func(w *words) []string {
		return []string{"participant where " + inStudy(w) + " and " + test(w)}
	}}
}

// criteria are the filter's conditions, those that few meet as a rule first. titles are those that the text is found in, nil
// where too many are to be listed.
func (f Filter) criteria(titles []any) (all []criterion) {
	add := func(name, value string, leads ...Order) {
		if value != "" {
			all = append(all, column(name, value, leads...))
		}
	}
	if f.Recruiter != "" {
		all = append(all, ledBy(asCode(f.Recruiter)))
	}
	if strings.TrimSpace(f.Text) != "" {
		all = append(all, ofText(f.Text, titles))
	}
	for _, key := range slices.Sorted(maps.Keys(f.Attributes)) {
		if f.Attributes[key] != "" {
			all = append(all, ofValue(key, f.Attributes[key]))
		}
	}
	add("case_id", string(f.Case), ByLast, ByNext)
	add("stage", string(f.Stage), ByLast, ByNext)
	if f.State != "" {
		if f.Stage == "" && f.State != Informed { // which is of two stages
			add("stage", string(f.State.Stage()), ByLast, ByNext)
			all[len(all)-1].implied = true
		}
		add("state", string(f.State))
	}
	add("source", string(f.Source))
	add("relation", string(f.Relation))
	add("audience", f.Audience)
	add("size", string(f.Size))
	if f.Group != "" {
		all = append(all, ofGroup(f.Group))
	}
	return all
}

// ofGroup is a criterion on the size as it is published.
func ofGroup(group string) criterion {
	var sizes []any
	for _, size := range Sizes() {
		if size.Group() == group {
			sizes = append(sizes, size)
		}
	}
	if len(sizes) == 1 {
		return column("size", sizes[0])
	}
	return tested(func(w *words) string { return "size in " + w.list(sizes) }, "size")
}

// ofValue is a criterion on one of the study's own attributes.
func ofValue(key, value string) criterion {
	return criterion{
		elsewhere: true,
		test: func(w *words) string {
			return "exists (select 1 from participant_attribute a where a.person_id = p.person_id and a.key = " + w.of(key) +
				" and a.value = " + w.of(value) + ")"
		},
		met: func(w *words) []string {
			return []string{"participant_attribute where study_id = " + w.of(w.study) + " and key = " + w.of(key) + " and value = " + w.of(value)}
		},
	}
}

// ofText is a criterion on the code's beginning or the title. No pattern is built from the text, so that % is a percent.
func ofText(text string, titles []any) criterion {
	var spans []natural.Span
	begins := asCode(text)
	if isCode(text) {
		spans = natural.Spans(begins, mostCode)
	}
	coded := func(w *words) string {
		if len(spans) == 0 {
			return "1 = 0"
		}
		return "substr(code, 1, cast(" + w.of(utf8.RuneCountInString(begins)) + " as integer)) = " + w.of(begins) // not A01 for A1
	}
	titled := func(w *words) string {
		switch {
		case titles == nil:
			return "title_fold <> '' and replace(title_fold, " + w.of(fold(text)) + ", '') <> title_fold"
		case len(titles) == 0:
			return "1 = 0"
		}
		return "title_fold <> '' and title_fold in " + w.list(titles)
	}
	c := criterion{uses: []string{"code", "title_fold"}}
	c.test = func(w *words) string { return "(" + coded(w) + " or " + titled(w) + ")" }
	c.met = func(w *words) []string {
		all := []string{"participant where " + inStudy(w) + " and " + titled(w)}
		for _, s := range spans {
			all = append(all, "participant where "+inStudy(w)+" and code_order >= "+w.of(s.From)+" and code_order < "+w.of(s.To)+
				" and "+coded(w)+" and not ("+titled(w)+")")
		}
		return all
	}
	if titles != nil && len(titles) == 0 {
		c.spans = spans
	}
	return c
}

// fold is how titles are compared.
func fold(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

const (
	mostTitlesRead   = 5000 // different ones in a study; beyond, a search goes along the list
	mostTitlesListed = 100  // in one statement
)

// titlesWith returns the study's different titles that hold a text, nil where they are more than to be listed. Titles are
// general ones, so that a study has tens or hundreds of them however many candidates: each costs one step in their index.
func titlesWith(ctx context.Context, q database.Querier, study id.Study, text string) ([]any, error) {
	wanted, found, read := fold(text), []any{}, 0
	err := database.Each(ctx, q, func(row database.Scanner) error {
		var title string
		err := row.Scan(&title)
		if read++; strings.Contains(title, wanted) {
			found = append(found, title)
		}
		return err
	}, `with recursive other (title) as (
			select * from (select title_fold from participant where study_id = $1 and title_fold <> '' order by title_fold limit 1) f
			union all
			select (select n.title_fold from participant n where n.study_id = $1 and n.title_fold <> '' and n.title_fold > other.title
				order by n.title_fold limit 1) from other where other.title is not null)
		select title from other where title is not null limit $2`, study, mostTitlesRead)
	if err != nil {
		return nil, fmt.Errorf("read titles: %w", err)
	}
	if read == mostTitlesRead || len(found) > mostTitlesListed {
		return nil, nil
	}
	return found, nil
}
