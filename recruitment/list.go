package recruitment

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// Order is what a list is sorted by.
type Order string

const (
	ByCode Order = "code"
	ByLast Order = "last" // what last happened; whom nothing has happened to comes behind, by code
	ByNext Order = "next" // the next try; whom none is planned for comes behind, by code
)

// Orders lists all orders.
func Orders() []Order { return []Order{ByCode, ByLast, ByNext} }

// Query asks for one page of a list. At most one of After and Before is read; what is no cursor is the first page.
type Query struct {
	Filter
	Order  Order // ByCode if empty
	Down   bool  // the highest code, or the latest time, first
	After  string
	Before string
}

// PageSize is how many people a page has.
const PageSize = 50

// Page is a part of a list.
type Page struct {
	People   []Participant
	Count    Count
	Waiting  int    // of all that are counted, who is not asked yet; known where the count is exact
	Next     string // Query.After of the page behind, "" on the last
	Previous string // Query.Before of the page in front, "" on the first
}

// Count is how many there are, counted no further than to MostCounted.
type Count struct {
	N    int
	Over bool // there are more, or may be
}

// MostCounted is where counting ends.
const MostCounted = 1000

const (
	mostSampled = 300  // of those who meet one condition, to say that at least so many meet all
	mostRead    = 2500 // of those who meet one condition: less than walking along the others' index would come to
	everybody   = math.MaxInt64
)

var readRather = int64(mostRead) // less in tests, where few people must do for every way

// Page returns one page. What it costs follows the page and not the study: the people who meet the filter's rarest condition
// are read where they are few, and otherwise the list is walked along the index of its order until the page is full. Only
// conditions that many meet and hardly anybody all make for a long walk.
func (r *Recruitment) Page(ctx context.Context, study id.Study, q Query) (Page, error) {
	p, err := r.plan(ctx, study, q.Filter)
	if err != nil || p.nobody {
		return Page{}, err
	}
	read := p.walkPage
	if p.few(q.Order) {
		read = p.readPage
	}
	page, err := read(ctx, q)
	if err != nil {
		return Page{}, err
	}
	return page, r.withValues(ctx, study, page.People)
}

// segment is a stretch of an order that one index lists: those with a time by it, then those without by code.
type segment struct {
	column  string // "" is the code alone
	only    string // who belongs to the stretch
	undated string // the column of the time that they do not have
	order   Order  // whose indexes list it
	down    bool
	span    *natural.Span // of codes
}

// timeColumn is that of the query's order, "" where it is by code alone.
func (q Query) timeColumn() string {
	return map[Order]string{ByLast: "last_at", ByNext: "next_at"}[q.Order]
}

func (q Query) segments() []segment {
	column := q.timeColumn()
	if column == "" {
		return []segment{{order: ByCode, down: q.Down}}
	}
	return []segment{{column: column, only: column + " > 0", order: q.Order, down: q.Down}, {undated: column, only: column + " = 0", order: ByCode}}
}

func (s segment) columns() []string {
	if s.column == "" {
		return []string{"code_order", "code"}
	}
	return []string{s.column, "code_order", "code"}
}

func (s segment) by() string {
	way := ""
	if s.down {
		way = " desc"
	}
	return " order by " + strings.Join(s.columns(), way+", ") + way
}

func (s segment) narrow(w *words, behind *cursor) (text string) {
	if s.only != "" {
		text += " and " + s.only
	}
	if s.span != nil {
		text += " and code_order >= " + w.of(s.span.From) + " and code_order < " + w.of(s.span.To)
	}
	if behind != nil {
		text += " and " + s.behind(w, behind)
	}
	return text
}

// cursor is a place in a list: that of a person, who need not be there any more.
type cursor struct {
	at   int64 // their time in the order, 0 in the order of codes
	code string
}

func (q Query) cursor(p spot) string {
	return strconv.FormatInt(p.at, 10) + "." + p.code
}

func (q Query) cursorOf(p Participant) string {
	return q.cursor(spot{at: map[Order]int64{ByLast: p.LastAt, ByNext: p.NextAt}[q.Order], code: p.Code})
}

// readCursor returns nil for what is none.
func readCursor(text string) *cursor {
	before, code, _ := strings.Cut(text, ".")
	at, err := strconv.ParseInt(before, 10, 64)
	if err != nil || at < 0 || !isCode(code) || code != asCode(code) {
		return nil
	}
	return &cursor{at, code}
}

// behind is the condition of a row behind the cursor in a segment.
func (s segment) behind(w *words, c *cursor) string {
	var places []string
	if s.column != "" {
		places = append(places, w.of(c.at))
	}
	places = append(places, w.of(natural.Key(c.code)), w.of(c.code))
	sign := " > "
	if s.down {
		sign = " < "
	}
	return "(" + strings.Join(s.columns(), ", ") + ")" + sign + "(" + strings.Join(places, ", ") + ")"
}

// plan is how a filter is carried out. It is made here and not left to the engines, which guess, and guess differently.
type plan struct {
	db       *database.DB
	study    id.Study
	criteria []criterion
	rarest   int // of the criteria; -1 if there are none
	nobody   bool
}

func (r *Recruitment) plan(ctx context.Context, study id.Study, f Filter) (p plan, err error) {
	p = plan{db: r.db, study: study, rarest: -1}
	if !f.possible() {
		p.nobody = true
		return p, nil
	}
	var titles []any
	if strings.TrimSpace(f.Text) != "" {
		if titles, err = titlesWith(ctx, r.db, study, f.Text); err != nil {
			return p, err
		}
	}
	for _, c := range f.criteria(titles) {
		if err := p.add(ctx, c); err != nil {
			return p, err
		}
	}
	return p, nil
}

// add counts who meets one more criterion, no further than to know whether it is the rarest.
func (p *plan) add(ctx context.Context, c criterion) error {
	w, most := &words{study: p.study}, int64(mostRead)
	if p.rarest >= 0 {
		most = min(most, p.criteria[p.rarest].many)
	}
	parts := c.met(w)
	for i, met := range parts {
		// Skipping is cheaper than counting.
		parts[i] = fmt.Sprintf("case when exists (select 1 from %s limit 1 offset %d) then %d else (select count(*) from %s) end", met, most, most+1, met)
	}
	if err := p.db.QueryRow(ctx, "select "+strings.Join(parts, " + "), w.args...).Scan(&c.many); err != nil {
		return fmt.Errorf("count participants: %w", err)
	}
	p.criteria = append(slices.Clip(p.criteria), c)
	if p.rarest < 0 || c.many < p.criteria[p.rarest].many {
		p.rarest = len(p.criteria) - 1
	}
	p.nobody = p.nobody || c.many == 0
	return nil
}

// alone says whether one criterion is all that the filter asks.
func (p plan) alone(i int) bool {
	for k, c := range p.criteria {
		if k != i && !c.implied {
			return false
		}
	}
	return i >= 0 && !p.criteria[i].implied
}

// few says whether those who meet the rarest criterion are better read and sorted than walked along.
func (p plan) few(order Order) bool {
	return p.rarest >= 0 && p.criteria[p.rarest].many <= readRather && !(p.alone(p.rarest) && p.leader(order) == p.rarest)
}

// leader is the criterion whose index lists an order, the rarest that can; -1 if none can.
func (p plan) leader(order Order) int {
	leader := -1
	for i, c := range p.criteria {
		if slices.Contains(c.leads, order) && (leader < 0 || c.many < p.criteria[leader].many) {
			leader = i
		}
	}
	return leader
}

// read returns at most so many of a segment, those behind a cursor if there is one.
func (p plan) read(ctx context.Context, s segment, behind *cursor, most int64) ([]Participant, error) {
	w := &words{study: p.study}
	leader, text := p.leader(s.order), ""
	if p.rarest < 0 || p.alone(leader) {
		text = p.along(w, s, leader, behind)
	} else {
		text = "person_id in (" + p.walked(w, s, leader, behind) + " limit " + w.of(most) + ")"
	}
	return p.rows(ctx, text+s.by()+" limit "+w.of(most), w.args)
}

func (p plan) rows(ctx context.Context, where string, args []any) ([]Participant, error) {
	all, err := database.All(ctx, p.db, scan, "select "+columns+" from participant where "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list participants: %w", err)
	}
	return all, nil
}

// along is the condition that an index lists in the segment's order: of those who meet one criterion, or of everybody.
func (p plan) along(w *words, s segment, leader int, behind *cursor) string {
	text := inStudy(w)
	if leader >= 0 {
		text += " and " + p.criteria[leader].test(w)
	}
	return text + s.narrow(w, behind)
}

// walked goes along such an index and tests the other criteria as it goes. The inner limit, which nothing reaches, keeps the
// engines from taking another way. PostgreSQL may test by a join that forgets the order, unless it is asked for outside too;
// SQLite keeps it, and would sort everybody if it were asked.
func (p plan) walked(w *words, s segment, leader int, behind *cursor) string {
	uses, undated, ordered := p.uses(), "", ""
	if p.db.Postgres() {
		uses, ordered = p.uses(s.columns()...), s.by()
	}
	if s.undated != "" && leader >= 0 {
		uses, undated, s.only = slices.Compact(slices.Sorted(slices.Values(append(uses, s.undated)))), " and "+s.only, "" // or the index of those without a time is taken
	}
	return "select person_id from (select " + strings.Join(uses, ", ") + " from participant where " + p.along(w, s, leader, behind) +
		s.by() + " limit " + w.of(int64(everybody)) + ") p where " + p.tests(w, leader) + undated + ordered
}

// uses are the columns that the criteria read, and those that more names.
func (p plan) uses(more ...string) []string {
	uses := append(more, "person_id")
	for _, c := range p.criteria {
		uses = append(uses, c.uses...)
	}
	slices.Sort(uses)
	return slices.Compact(uses)
}

// chosen is what follows "select ... from" to find those who meet the rarest criterion, at most so many of each of its
// parts, and the others too.
func (p plan) chosen(w *words, most int, columns ...string) string {
	c := p.criteria[p.rarest]
	parts := c.met(w)
	for i, met := range parts {
		if c.elsewhere {
			met = fmt.Sprintf("participant where person_id in (select person_id from (select person_id from %s limit %d) e)", met, most)
		}
		parts[i] = fmt.Sprintf("select * from (select %s from %s limit %d) m%d", strings.Join(p.uses(columns...), ", "), met, most, i)
	}
	return "(" + strings.Join(parts, " union all ") + ") p where " + p.tests(w, p.rarest)
}

// tests are all criteria but one that is seen to.
func (p plan) tests(w *words, but int) string {
	text := "1 = 1"
	for i, c := range p.criteria {
		if i != but && !c.implied {
			text += " and " + c.test(w)
		}
	}
	return text
}

// spot is where somebody stands in an order.
type spot struct {
	person id.Person
	stage  Stage
	at     int64
	order  []byte
	code   string
}

// compare says which of two comes first.
func (q Query) compare(a, b spot) int {
	way := 1
	if q.Down && (q.timeColumn() == "" || a.at > 0 && b.at > 0) {
		way = -1
	}
	if (a.at == 0) != (b.at == 0) {
		return cmp.Compare(b.at, a.at) // who has no time comes behind
	}
	return way * cmp.Or(cmp.Compare(a.at, b.at), bytes.Compare(a.order, b.order), cmp.Compare(a.code, b.code))
}

// places returns everybody who meets the filter, in order.
func (p plan) places(ctx context.Context, q Query) ([]spot, error) {
	w := &words{study: p.study}
	at := cmp.Or(q.timeColumn(), "0")
	all, err := database.All(ctx, p.db, func(row database.Scanner) (one spot, err error) {
		err = row.Scan(&one.person, &one.stage, &one.at, &one.order, &one.code)
		return one, err
	}, "select person_id, stage, "+at+", code_order, code from "+p.chosen(w, mostRead+1, "stage", "code_order", "code", "last_at", "next_at"), w.args...)
	if err != nil {
		return nil, fmt.Errorf("list participants: %w", err)
	}
	slices.SortFunc(all, q.compare)
	return all, nil
}

// readPage reads everybody who meets the filter, and those of the page in full.
func (p plan) readPage(ctx context.Context, q Query) (page Page, err error) {
	all, err := p.places(ctx, q)
	if err != nil {
		return page, err
	}
	from := 0
	if c := readCursor(q.After); c != nil {
		from = q.first(all, c, 1)
	}
	if c := readCursor(q.Before); c != nil {
		from = max(0, q.first(all, c, 0)-PageSize)
	}
	if from == len(all) {
		from = 0
	}
	shown := all[from:min(from+PageSize, len(all))]
	persons := make([]id.Person, len(shown))
	for i, one := range shown {
		persons[i] = one.person
	}
	if page.People, err = byIDs(ctx, p.db, p.study, persons); err != nil { // who went in between is left out
		return page, err
	}
	if len(shown) > 0 && from > 0 {
		page.Previous = q.cursor(shown[0])
	}
	if from+len(shown) < len(all) {
		page.Next = q.cursor(shown[len(shown)-1])
	}
	page.Count = counted(len(all))
	for _, one := range all {
		if one.stage == StageNotAsked {
			page.Waiting++
		}
	}
	return page, nil
}

// first returns the index of the first whose place compares to the cursor's as at least so much.
func (q Query) first(all []spot, c *cursor, least int) int {
	at := spot{at: c.at, order: natural.Key(c.code), code: c.code}
	if q.timeColumn() == "" {
		at.at = 0
	}
	i := slices.IndexFunc(all, func(one spot) bool { return q.compare(one, at) >= least })
	if i < 0 {
		return len(all)
	}
	return i
}

// walkPage walks along an index, to one person more than a page has, to know whether there is another.
func (p plan) walkPage(ctx context.Context, q Query) (page Page, err error) {
	if page, err = p.walkTo(ctx, q); err != nil {
		return page, err
	}
	if page.Count, err = p.count(ctx); err == nil && !page.Count.Over {
		page.Waiting, err = p.waiting(ctx)
	}
	return page, err
}

func (p plan) walkTo(ctx context.Context, q Query) (page Page, err error) {
	if c := readCursor(q.Before); c != nil {
		before, err := p.stretch(ctx, q, c, true)
		if err != nil {
			return page, err
		}
		// With less than a page in front, that is the first one, and it is shown full.
		if over := len(before) - PageSize; over >= 0 {
			page.People, page.Next = before[over:], q.cursorOf(before[len(before)-1])
			if over > 0 {
				page.Previous = q.cursorOf(page.People[0])
			}
			return page, nil
		}
	}
	after := readCursor(q.After)
	people, err := p.stretch(ctx, q, after, false)
	if err == nil && len(people) == 0 && after != nil {
		after = nil
		people, err = p.stretch(ctx, q, nil, false)
	}
	if err != nil {
		return page, err
	}
	page.People = people[:min(len(people), PageSize)]
	if len(people) > PageSize {
		page.Next = q.cursorOf(page.People[PageSize-1])
	}
	if after != nil && len(people) > 0 {
		page.Previous = q.cursorOf(page.People[0])
	}
	return page, nil
}

// stretch returns a page and one person more, in the list's order: those behind a cursor, or in front of it.
func (p plan) stretch(ctx context.Context, q Query, from *cursor, back bool) (all []Participant, err error) {
	segments := q.segments()
	if back {
		slices.Reverse(segments)
	}
	if from != nil && len(segments) > 1 && (segments[0].column != "") != (from.at > 0) {
		segments = segments[1:] // the cursor is in the other
	}
	for _, s := range segments {
		s.down = s.down != back
		for _, s := range p.split(s, from) {
			if len(all) > PageSize {
				break
			}
			more, err := p.read(ctx, s, from, int64(PageSize+1-len(all)))
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
		from = nil
	}
	if back {
		slices.Reverse(all)
	}
	return all, nil
}

// split cuts a segment in the order of codes into the spans where a searched code can lie.
func (p plan) split(s segment, behind *cursor) (parts []segment) {
	i := slices.IndexFunc(p.criteria, func(c criterion) bool { return len(c.spans) > 0 })
	if i < 0 || s.column != "" {
		return []segment{s}
	}
	for _, span := range p.criteria[i].spans {
		part := s
		part.span = &span
		parts = append(parts, part)
	}
	if s.down {
		slices.Reverse(parts)
	}
	return slices.DeleteFunc(parts, func(part segment) bool { return behind != nil && part.passed(natural.Key(behind.code)) })
}

// passed says whether a cursor has left the segment's span.
func (s segment) passed(key []byte) bool {
	if s.down {
		return bytes.Compare(s.span.From, key) >= 0
	}
	return bytes.Compare(s.span.To, key) <= 0
}

// count says how many the filter takes. A filter of several conditions that many meet is counted among some who meet the
// rarest of them, so that there may be more.
func (p plan) count(ctx context.Context) (Count, error) {
	w := &words{study: p.study}
	text := fmt.Sprintf("select count(*) from (select 1 from participant where %s limit %d) c", inStudy(w), MostCounted+1)
	switch {
	case p.alone(p.rarest):
		return counted(int(p.criteria[p.rarest].many)), nil
	case p.rarest >= 0:
		w = &words{study: p.study}
		text = "select count(*) from " + p.chosen(w, mostSampled)
	}
	var n int
	if err := p.db.QueryRow(ctx, text, w.args...).Scan(&n); err != nil {
		return Count{}, fmt.Errorf("count participants: %w", err)
	}
	c := counted(n)
	c.Over = c.Over || p.rarest >= 0 && p.criteria[p.rarest].many > mostSampled
	return c, nil
}

func counted(n int) Count { return Count{min(n, MostCounted), n > MostCounted} }

// waiting counts who of them is not asked yet.
func (p plan) waiting(ctx context.Context) (int, error) {
	if err := p.add(ctx, column("stage", StageNotAsked)); err != nil || p.nobody {
		return 0, err
	}
	c, err := p.count(ctx)
	return c.N, err
}
