package recruitment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// ErrFull is a Conflict: every goal of the person's case that they would count in is reached, or none is for them. Whoever
// asks them knowingly says so.
var ErrFull = errs.New(errs.Conflict, "recruitment.full")

// turn makes whoever asks people in a study, or changes its goals, wait for each other until the transaction ends. It comes
// before anything that holds a person: see Room.
func turn(ctx context.Context, tx *database.Tx, study id.Study) error {
	_, err := tx.Exec(ctx, `insert into quota_turn (study_id, turn) values ($1, 0)
		on conflict (study_id) do update set turn = quota_turn.turn + 1`, study)
	if err != nil {
		return fmt.Errorf("take turn for the quotas: %w", err)
	}
	return nil
}

// Room says in the caller's transaction who of these would find no place if they were asked now, in this order: after
// everybody who holds one already, and after those before them in the list. Until the transaction ends nobody else can take
// a place by asking. Whoever holds a place, or is in a case without goals, is never among them.
//
// It must be the transaction's first look at any of these people: who holds a person and then waits here would wait forever
// for somebody who does it the other way round.
func (r *Recruitment) Room(ctx context.Context, tx *database.Tx, study id.Study, persons []id.Person) (full []id.Person, err error) {
	if err := turn(ctx, tx, study); err != nil {
		return nil, err
	}
	return r.full(ctx, tx, study, persons)
}

// admit is ErrFull where a change of state would give a place to somebody who has none and finds none.
func (r *Recruitment) admit(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, from, to State) error {
	if from.holds() || !to.holds() {
		return nil
	}
	full, err := r.full(ctx, tx, study, []id.Person{person})
	if err == nil && len(full) > 0 {
		err = ErrFull
	}
	return err
}

// FullInOrder is Room as a first look: nothing keeps others from being faster.
func (r *Recruitment) FullInOrder(ctx context.Context, study id.Study, persons []id.Person) ([]id.Person, error) {
	return r.full(ctx, r.db, study, persons)
}

func (r *Recruitment) full(ctx context.Context, q database.Querier, study id.Study, persons []id.Person) (full []id.Person, err error) {
	askers, err := r.askers(ctx, q, study, persons)
	refused := map[id.Person]bool{}
	for _, a := range askers {
		for i, at := range seat(a.cells, slices.Concat(a.held, a.sets))[len(a.held):] {
			if at < 0 {
				refused[a.persons[i]] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(persons), func(p id.Person) bool { return !refused[p] }), err
}

// Full is a first look at who of these would find no place if they were the only one who is asked.
func (r *Recruitment) Full(ctx context.Context, study id.Study, persons ...id.Person) (map[id.Person]bool, error) {
	askers, err := r.askers(ctx, r.db, study, persons)
	full := map[id.Person]bool{}
	for _, a := range askers {
		judged := map[uint64]bool{}
		for i, set := range a.sets {
			if _, known := judged[set]; !known {
				at := seat(a.cells, append(slices.Clone(a.held), set))
				judged[set] = at[len(a.held)] < 0
			}
			full[a.persons[i]] = judged[set]
		}
	}
	return full, err
}

// askers are those of one case who may be asked, beside those who hold a place there. Nobody who is seated is unseated by
// those behind, so it does not matter in which order the holders came, and counts of people alike are enough.
type askers struct {
	cells      []Range
	held, sets []uint64 // the cells that each fits
	persons    []id.Person
}

// askers reads what decides whether some people find a place: nothing where no goals are set.
func (r *Recruitment) askers(ctx context.Context, q database.Querier, study id.Study, persons []id.Person) (all []askers, err error) {
	pilots, err := r.pilots(ctx, q, study)
	if err != nil {
		return nil, fmt.Errorf("read pre-studies: %w", err)
	}
	m, err := readMatrix(ctx, q, study, pilots)
	if err != nil || len(m.cells) == 0 {
		return nil, err
	}
	wanted, err := newcomers(ctx, q, study, persons)
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	held, err := alike(ctx, q, study, holding, m.asked)
	if err != nil {
		return nil, err
	}
	for caseID, some := range wanted {
		cells := m.of(caseID)
		if len(cells) == 0 {
			continue
		}
		a := askers{cells: ranges(cells)}
		for _, group := range held {
			if group.Case == caseID {
				a.held = append(a.held, slices.Repeat([]uint64{m.fits(cells, group.Participant)}, group.count)...)
			}
		}
		for _, p := range some {
			a.sets, a.persons = append(a.sets, m.fits(cells, p)), append(a.persons, p.ID)
		}
		all = append(all, a)
	}
	return all, nil
}

// newcomers are those of a list who hold no place, by case, in the order of the list. Whoever was erased is not among them.
func newcomers(ctx context.Context, q database.Querier, study id.Study, persons []id.Person) (map[id.Case][]Participant, error) {
	people, err := byIDs(ctx, q, study, distinct(persons))
	if err != nil {
		return nil, err
	}
	people = slices.DeleteFunc(people, func(p Participant) bool { return p.State.holds() })
	if err := readValues(ctx, q, study, people); err != nil {
		return nil, err
	}
	found := map[id.Case][]Participant{}
	for _, p := range people {
		found[p.Case] = append(found[p.Case], p)
	}
	return found, nil
}

// distinct leaves the first of each.
func distinct(persons []id.Person) []id.Person {
	seen := make(map[id.Person]bool, len(persons))
	return slices.DeleteFunc(slices.Clone(persons), func(p id.Person) bool {
		twice := seen[p]
		seen[p] = true
		return twice
	})
}

// crowd counts people who are alike in all that the quotas ask for.
type crowd struct {
	Participant
	count int
}

// alike counts a study's people in some stages by case, audience, relation, size and the attributes asked for, in one
// statement: their number costs reading, not memory.
func alike(ctx context.Context, q database.Querier, study id.Study, stages []Stage, attributes []string) ([]crowd, error) {
	list, args := database.In(stages, study)
	by := []string{"p.case_id", "p.audience", "p.relation", "p.size"}
	var joins strings.Builder
	for i, key := range attributes {
		args = append(args, key)
		by = append(by, fmt.Sprintf("coalesce(a%d.value, '')", i))
		fmt.Fprintf(&joins, " left join participant_attribute a%d on a%[1]d.person_id = p.person_id and a%[1]d.key = $%d", i, len(args))
	}
	grouped := strings.Join(by, ", ")
	groups, err := database.All(ctx, q, func(row database.Scanner) (c crowd, err error) {
		values := make([]string, len(attributes))
		into := []any{&c.Case, &c.Audience, &c.Relation, &c.Size}
		for i := range values {
			into = append(into, &values[i])
		}
		err = row.Scan(append(into, &c.count)...)
		c.Attributes = map[string]string{}
		for i, key := range attributes {
			c.Attributes[key] = values[i]
		}
		return c, err
	}, "select "+grouped+", count(*) from participant p"+joins.String()+
		" where p.study_id = $1 and p.stage in "+list+" group by "+grouped, args...)
	if err != nil {
		return nil, fmt.Errorf("count people alike: %w", err)
	}
	return groups, nil
}

// Waiting counts for each cell the candidates not asked yet who would count in it. Somebody may be in several.
func (r *Recruitment) Waiting(ctx context.Context, study id.Study) (map[Place]int, error) {
	m, err := readMatrix(ctx, r.db, study, nil)
	if err != nil || len(m.cells) == 0 {
		return nil, err
	}
	groups, err := alike(ctx, r.db, study, []Stage{StageNotAsked}, m.asked)
	if err != nil {
		return nil, err
	}
	waiting := map[Place]int{}
	for _, g := range groups {
		for _, c := range m.of(g.Case) {
			if m.profiles[m.row(c.Kind)].Fits(g.Participant) {
				waiting[Place{c.Case, c.Kind}] += g.count
			}
		}
	}
	return waiting, nil
}
