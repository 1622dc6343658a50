package recruitment

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// Range is how many people a cell shall have; the zero value is no cell.
type Range struct {
	Least int
	Most  int // 0: no upper limit
}

// String is the range as it is typed and shown: "1", "1–3", "2–"; no cell is "".
func (r Range) String() string {
	switch {
	case r == Range{}:
		return ""
	case r.Most == 0:
		return fmt.Sprintf("%d–", r.Least)
	case r.Least == r.Most:
		return strconv.Itoa(r.Least)
	}
	return fmt.Sprintf("%d–%d", r.Least, r.Most)
}

// Plus is how many two cells shall have together. What no cell wants adds nothing.
func (r Range) Plus(more Range) Range {
	switch {
	case r == Range{}:
		return more
	case more == Range{}:
		return r
	case r.Most == 0 || more.Most == 0:
		return Range{r.Least + more.Least, 0}
	}
	return Range{r.Least + more.Least, r.Most + more.Most}
}

const mostGoal = 1000

var rangeShape = regexp.MustCompile(`^(\d{1,4})(?:\s*([–—-])\s*(\d{0,4}))?$`)

// ParseRange reads what String writes, with any dash; a single number is both ends. It returns false for what is no range
// within 0 to 1000.
func ParseRange(text string) (Range, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Range{}, true
	}
	parts := rangeShape.FindStringSubmatch(text)
	if parts == nil {
		return Range{}, false
	}
	number := func(digits string) int {
		n, _ := strconv.Atoi(digits) // at most four digits; none is 0
		return n
	}
	r := Range{number(parts[1]), number(parts[3])}
	if parts[2] == "" {
		r.Most = r.Least
	}
	return r, r.valid() && (parts[3] == "" || r.Most > 0)
}

func (r Range) valid() bool {
	return r.Least >= 0 && r.Least <= mostGoal && r.Most <= mostGoal && (r.Most == 0 || r.Most >= r.Least)
}

// Place names one cell.
type Place struct {
	Case id.Case
	Kind Kind
}

// Cell is one cell with who is in it. The figures count those who came so far or further and are still in.
type Cell struct {
	Case                     id.Case
	Kind                     Kind
	Goal                     int // the least that are wanted
	Most                     int // the most, 0 if there is no upper limit
	Asked, Yes, Booked, Done int
	Persons                  []Participant // furthest first
}

// Wanted is how many the cell shall have.
func (c Cell) Wanted() Range { return Range{c.Goal, c.Most} }

// Missing is how many more must be asked.
func (c Cell) Missing() int { return max(0, c.Goal-c.Asked) }

// SetQuota sets how many of a kind a case shall have, no more and no less; none removes the cell.
func (r *Recruitment) SetQuota(ctx context.Context, actor audit.Actor, study id.Study, caseID id.Case, kind Kind, goal int) error {
	return r.SetQuotas(ctx, actor, study, caseID, map[Kind]Range{kind: {goal, goal}})
}

// SetQuotas sets the goals of some kinds in a case; a zero Range removes the cell. Faults are at the fields case, and the
// kind.
func (r *Recruitment) SetQuotas(ctx context.Context, actor audit.Actor, study id.Study, caseID id.Case, wanted map[Kind]Range) error {
	var c errs.Check
	if !id.Valid(caseID) {
		c.Add("case", "recruitment.choose")
	}
	for kind, goal := range wanted {
		if !goal.valid() {
			c.Add(string(kind), "recruitment.goal")
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		if err := turn(ctx, tx, study); err != nil {
			return err
		}
		present, err := presentGoals(ctx, tx, study, caseID)
		if err != nil {
			return err
		}
		for _, kind := range slices.Sorted(maps.Keys(wanted)) {
			was, known := present[kind]
			if !known {
				c.Add(string(kind), "recruitment.choose")
				return c.Err()
			}
			if wanted[kind] == was {
				continue
			}
			if err := r.setCell(ctx, tx, actor, study, Place{caseID, kind}, wanted[kind]); err != nil {
				return err
			}
		}
		return nil
	})
}

// presentGoals has an entry for each kind of the study.
func presentGoals(ctx context.Context, tx *database.Tx, study id.Study, caseID id.Case) (map[Kind]Range, error) {
	known, err := profiles(ctx, tx, study)
	if err != nil {
		return nil, err
	}
	cells, err := goals(ctx, tx, study)
	if err != nil {
		return nil, err
	}
	present := map[Kind]Range{}
	for _, p := range known {
		present[p.Kind] = Range{}
	}
	for _, cell := range cells {
		if cell.Case == caseID {
			present[cell.Kind] = cell.Wanted()
		}
	}
	return present, nil
}

func (r *Recruitment) setCell(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, at Place, goal Range) error {
	_, err := tx.Exec(ctx, "delete from quota_cell where study_id = $1 and case_id = $2 and kind = $3", study, at.Case, at.Kind)
	if err == nil && goal != (Range{}) {
		_, err = tx.Exec(ctx, "insert into quota_cell (study_id, case_id, kind, least, most) values ($1, $2, $3, $4, $5)",
			study, at.Case, at.Kind, goal.Least, goal.Most)
	}
	if err != nil {
		return fmt.Errorf("set quota: %w", err)
	}
	return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "quota.set", Study: study,
		Detail: fmt.Sprintf("%s %s %s", at.Case, at.Kind, cmp.Or(goal.String(), "0"))})
}

// Goals returns the cells that a goal was set for, with nobody in them.
func (r *Recruitment) Goals(ctx context.Context, study id.Study) ([]Cell, error) {
	return goals(ctx, r.db, study)
}

func goals(ctx context.Context, q database.Querier, study id.Study) ([]Cell, error) {
	cells, err := database.All(ctx, q, func(row database.Scanner) (c Cell, err error) {
		err = row.Scan(&c.Case, &c.Kind, &c.Goal, &c.Most)
		return c, err
	}, "select case_id, kind, least, most from quota_cell where study_id = $1", study)
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	return cells, nil
}

// Quotas returns the cells of every case that has quotas and is no pre-study, with an Outside cell where somebody found no
// place. Candidates not asked yet and those who were lost hold no place.
func (r *Recruitment) Quotas(ctx context.Context, study id.Study, pilots []id.Case) ([]Cell, error) {
	m, err := readMatrix(ctx, r.db, study, pilots)
	if err != nil || len(m.cells) == 0 {
		return nil, err
	}
	list, args := database.In(holding, study)
	people, err := database.All(ctx, r.db, scan, "select "+columns+" from participant where study_id = $1 and code <> '' and stage in "+list, args...)
	if err != nil {
		return nil, fmt.Errorf("read who holds a place: %w", err)
	}
	if len(m.asked) > 0 {
		if err := r.withValues(ctx, study, people); err != nil {
			return nil, err
		}
	}
	return m.fill(people), nil
}

// holding are the stages in which somebody holds a place.
var holding = []Stage{StageAsked, StageYes, StageBooked, StageDone}

// holds says whether somebody in this state holds a place.
func (s State) holds() bool { return s.rank() >= Contacted.rank() }

// matrix is the quotas of a study without its pre-studies, read once.
type matrix struct {
	profiles []Profile
	asked    []string // attributes that the profiles ask for
	cells    []Cell   // by case, the narrowest first
}

func readMatrix(ctx context.Context, q database.Querier, study id.Study, pilots []id.Case) (m matrix, err error) {
	if m.cells, err = goals(ctx, q, study); err != nil {
		return m, err
	}
	m.cells = slices.DeleteFunc(m.cells, func(c Cell) bool { return slices.Contains(pilots, c.Case) })
	if len(m.cells) == 0 {
		return m, nil
	}
	if m.profiles, err = profiles(ctx, q, study); err != nil {
		return m, err
	}
	m.asked = asked(m.profiles)
	m.cells = slices.DeleteFunc(m.cells, func(c Cell) bool { return m.row(c.Kind) < 0 }) // removed between two readings
	m.sort()
	return m, nil
}

func (m matrix) sort() {
	slices.SortFunc(m.cells, func(a, b Cell) int {
		i, k := m.row(a.Kind), m.row(b.Kind)
		return cmp.Or(cmp.Compare(a.Case, b.Case), cmp.Compare(m.profiles[k].narrow(), m.profiles[i].narrow()), cmp.Compare(i, k))
	})
}

// row is a kind's place in the order of the profiles.
func (m matrix) row(kind Kind) int {
	return slices.IndexFunc(m.profiles, func(p Profile) bool { return p.Kind == kind })
}

// of returns the cells of one case.
func (m matrix) of(caseID id.Case) []Cell {
	from, _ := slices.BinarySearchFunc(m.cells, caseID, func(c Cell, wanted id.Case) int { return cmp.Compare(c.Case, wanted) })
	to := from
	for to < len(m.cells) && m.cells[to].Case == caseID {
		to++
	}
	return m.cells[from:to]
}

// fits is the set of cells that a participant counts in: bit i for cell i.
func (m matrix) fits(cells []Cell, p Participant) (set uint64) {
	for i, c := range cells {
		if m.profiles[m.row(c.Kind)].Fits(p) {
			set |= 1 << i
		}
	}
	return set
}

func ranges(cells []Cell) []Range {
	all := make([]Range, len(cells))
	for i, c := range cells {
		all[i] = c.Wanted()
	}
	return all
}

// fill seats people, the furthest first, and returns the cells in the order of cases and profiles.
func (m matrix) fill(people []Participant) []Cell {
	slices.SortStableFunc(people, func(a, b Participant) int {
		return cmp.Or(cmp.Compare(b.State.rank(), a.State.rank()), natural.Compare(a.Code, b.Code))
	})
	inCase := map[id.Case][]Participant{}
	for _, p := range people {
		inCase[p.Case] = append(inCase[p.Case], p)
	}
	var outside []Cell
	for caseID, present := range inCase {
		cells := m.of(caseID)
		if len(cells) == 0 {
			continue
		}
		sets := make([]uint64, len(present))
		for i, p := range present {
			sets[i] = m.fits(cells, p)
		}
		without := Cell{Case: caseID, Kind: Outside}
		for i, at := range seat(ranges(cells), sets) {
			if at < 0 {
				without.seat(present[i])
			} else {
				cells[at].seat(present[i])
			}
		}
		if without.Asked > 0 {
			outside = append(outside, without)
		}
	}
	cells := append(m.cells, outside...)
	order := func(kind Kind) int {
		if kind == Outside {
			return math.MaxInt
		}
		return m.row(kind)
	}
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Case, b.Case), cmp.Compare(order(a.Kind), order(b.Kind)))
	})
	return cells
}

func (c *Cell) seat(p Participant) {
	c.Persons = append(c.Persons, p)
	c.Asked++
	if p.Stage() != StageAsked {
		c.Yes++
	}
	if p.State.rank() >= Booked.rank() {
		c.Booked++
	}
	if p.State.rank() >= Interviewed.rank() {
		c.Done++
	}
}
