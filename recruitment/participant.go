package recruitment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// Relation is what a participant is to the case.
type Relation string

const (
	Member         Relation = "member"         // works in a member company
	Administration Relation = "administration" // works in the cluster's administration
	Board          Relation = "board"          // sits on the cluster's board
)

// Relations lists all relations.
func Relations() []Relation { return []Relation{Member, Administration, Board} }

// Source is how the team found a candidate. It is a code and no text, which would say "tip from" and a name.
type Source string

const (
	MemberList   Source = "member_list"
	Website      Source = "website"
	Introduction Source = "introduction" // somebody outside the study made the first contact
	Referral     Source = "referral"     // another participant passed an invitation on, or spoke to them
	Tip          Source = "tip"          // another participant said that the team could ring them
	OwnNetwork   Source = "own_network"
	Other        Source = "other"
)

// Sources lists all sources.
func Sources() []Source {
	return []Source{MemberList, Website, Introduction, Referral, Tip, OwnNetwork, Other}
}

// audiences are the letters that an informant may get.
var audiences = []string{"company", "administration"}

// Participant is somebody asked, or to be asked, to take part.
type Participant struct {
	ID          id.Person
	Study       id.Study
	Code        string // upper case letters and digits, such as A3; unique within the study
	Case        id.Case
	Audience    string // which letter is theirs: company or administration
	Relation    Relation
	Size        Size   // empty where no company is behind
	Title       string // generalised, such as "Prosjektleder"
	Source      Source
	Recruiter   id.Person // the participant who led to this one, or empty; never changed, so the tree has no circles
	State       State
	Reached     State // how far along the main line they came, whatever happened then
	StateAt     int64 // UTC milliseconds, as all below
	CreatedAt   int64
	ContactedAt int64             // latest contact, 0 if none
	NextAt      int64             // when to try again, 0 if not planned
	LastAt      int64             // when something last happened, 0 if nothing has
	Version     int64             // rises with every contact, change of state and change of plan; at least 1
	Attributes  map[string]string // the study's own, by key; who lacks one is not in it
	NetworkSize int               // how many others they know who could take part; UnknownNetwork if nobody knows
	Coupon      int               // the number of the recruiter's coupon that they came by, 0 if none
}

// Stage is that of the state, except that somebody who has the letter and never said yes was only asked.
func (p Participant) Stage() Stage { return p.State.stage(p.Reached) }

const mostTitle = 80

// InsertTx adds a candidate in the caller's transaction. Doing it twice is doing it once, also after erasure. A code that
// somebody else has is ErrCodeTaken. State may be given up to Interested; empty is Candidate. NextAt and Coupon may be
// given. The caller's act is the audit entry.
func (r *Recruitment) InsertTx(ctx context.Context, tx *database.Tx, p Participant) error {
	d, err := p.check(ctx, tx)
	if err != nil {
		return err
	}
	n, err := insert(ctx, tx, [][]any{p.row(d, r.now().UnixMilli())})
	if err != nil || n == 0 {
		return err
	}
	if err := setValues(ctx, tx, p.Study, p.ID, d.Attributes); err != nil {
		return err
	}
	return noteNumber(ctx, tx, p.Study, d.Case, d.Code)
}

// insert writes rows as Participant.row makes them. Whoever is there already stays as they are.
func insert(ctx context.Context, tx *database.Tx, rows [][]any) (inserted int64, err error) {
	inserted, err = tx.Insert(ctx, `participant (person_id, study_id, code, case_id, audience, relation, size, title, source,
		recruiter_id, state, reached, state_at, created_at, contacted_at, next_at, events, code_order, stage, title_fold, coupon)`, rows,
		"on conflict (person_id) do nothing")
	if errors.Is(err, database.ErrDuplicate) {
		return 0, ErrCodeTaken
	}
	if err != nil {
		return 0, fmt.Errorf("insert participant: %w", err)
	}
	return inserted, nil
}

func (p Participant) row(d Details, now int64) []any {
	state := cmp.Or(p.State, Candidate)
	return []any{p.ID, p.Study, d.Code, d.Case, d.Audience, d.Relation, d.Size, d.Title, d.Source, p.Recruiter, state, state, now, now, 0, p.NextAt, 0,
		natural.Key(d.Code), state.stage(state), fold(d.Title), p.Coupon}
}

// Check says what InsertTx would refuse, before an enrolment begins that cannot end. It promises nothing: another may take
// the code before the insert.
func (r *Recruitment) Check(ctx context.Context, p Participant) error {
	d, err := p.check(ctx, r.db)
	if err != nil {
		return err
	}
	holder, err := r.ByCode(ctx, p.Study, d.Code)
	switch {
	case errors.Is(err, ErrUnknown):
		return nil
	case err == nil && holder.ID != p.ID:
		return ErrCodeTaken
	}
	return err
}

// check returns the details as they will be stored.
func (p Participant) check(ctx context.Context, q database.Querier) (Details, error) {
	d := p.details()
	if err := d.clean(); err != nil {
		return d, err
	}
	if err := checkValues(ctx, q, p.Study, d.Attributes); err != nil {
		return d, err
	}
	start := cmp.Or(p.State, Candidate)
	if !id.Valid(p.ID) || !id.Valid(p.Study) || start.rank() < 0 || start.rank() > Interested.rank() {
		return d, fmt.Errorf("participant %q of study %q cannot start as %q", p.ID, p.Study, start)
	}
	return d, p.checkRecruiter(ctx, q)
}

func (p Participant) details() Details {
	return Details{p.Code, p.Case, p.Audience, p.Relation, p.Size, p.Title, p.Source, p.Attributes}
}

func (p Participant) checkRecruiter(ctx context.Context, q database.Querier) error {
	if p.Recruiter == "" {
		return nil
	}
	var c errs.Check
	var one int
	err := q.QueryRow(ctx, "select 1 from participant where study_id = $1 and person_id = $2 and person_id <> $3 and code <> ''",
		p.Study, p.Recruiter, p.ID).Scan(&one)
	if errors.Is(err, database.ErrNoRows) {
		c.Add("recruiter", "recruitment.choose")
		return c.Err()
	}
	return err
}

// Details is what may be edited about a participant.
type Details struct {
	Code       string
	Case       id.Case
	Audience   string
	Relation   Relation
	Size       Size
	Title      string
	Source     Source
	Attributes map[string]string // the study's own, by key; "" is none
}

// Check says what is wrong with details as they stand, whatever others have.
func (d Details) Check() error { return d.clean() }

// clean trims and checks; fields are named code, case, audience, relation, size, title, source.
func (d *Details) clean() error {
	d.Code = asCode(d.Code)
	d.Title = strings.Join(strings.Fields(d.Title), " ")
	var c errs.Check
	c.Require("code", d.Code, mostCode)
	if d.Code != "" && !codeShape.MatchString(d.Code) {
		c.Add("code", "recruitment.code_shape")
	}
	choose := func(name string, ok bool) {
		if !ok {
			c.Add(name, "recruitment.choose")
		}
	}
	choose("case", id.Valid(d.Case))
	choose("audience", slices.Contains(audiences, d.Audience))
	choose("relation", slices.Contains(Relations(), d.Relation))
	choose("size", d.Size == "" || slices.Contains(Sizes(), d.Size))
	choose("source", slices.Contains(Sources(), d.Source))
	c.AtMost("title", d.Title, mostTitle)
	return c.Err()
}

// Edit changes what is known about a participant. The code is ErrCodeFixed once they were interviewed.
func (r *Recruitment) Edit(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, d Details) error {
	if err := d.clean(); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		at, err := touch(ctx, tx, study, person)
		if err != nil {
			return err
		}
		if d.Code != at.code && at.reached.rank() >= Interviewed.rank() {
			return ErrCodeFixed
		}
		if err := checkValues(ctx, tx, study, d.Attributes); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update participant set code = $3, case_id = $4, audience = $5, relation = $6, size = $7, title = $8,
			source = $9, code_order = $10, title_fold = $11 where study_id = $1 and person_id = $2`,
			study, person, d.Code, d.Case, d.Audience, d.Relation, d.Size, d.Title, d.Source, natural.Key(d.Code), fold(d.Title))
		if errors.Is(err, database.ErrDuplicate) {
			return ErrCodeTaken
		}
		if err != nil {
			return fmt.Errorf("edit participant: %w", err)
		}
		if err := setValues(ctx, tx, study, person, d.Attributes); err != nil {
			return err
		}
		if err := noteNumber(ctx, tx, study, d.Case, d.Code); err != nil {
			return err
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "participant.edited", Study: study, Person: person})
	})
}

const columns = `person_id, study_id, code, case_id, audience, relation, size, title, source, recruiter_id, state, reached,
	state_at, created_at, contacted_at, next_at, last_at, network_size, coupon, events + 1`

func scan(row database.Scanner) (p Participant, err error) {
	err = row.Scan(&p.ID, &p.Study, &p.Code, &p.Case, &p.Audience, &p.Relation, &p.Size, &p.Title, &p.Source, &p.Recruiter,
		&p.State, &p.Reached, &p.StateAt, &p.CreatedAt, &p.ContactedAt, &p.NextAt, &p.LastAt, &p.NetworkSize, &p.Coupon, &p.Version)
	return p, err
}

// Get returns one participant, or ErrUnknown.
func (r *Recruitment) Get(ctx context.Context, study id.Study, person id.Person) (Participant, error) {
	return r.one(ctx, "select "+columns+" from participant where study_id = $1 and person_id = $2 and code <> ''", study, person)
}

// ByCode returns the participant with a code, in upper or lower case, or ErrUnknown.
func (r *Recruitment) ByCode(ctx context.Context, study id.Study, code string) (Participant, error) {
	if !isCode(code) {
		return Participant{}, ErrUnknown
	}
	return r.one(ctx, "select "+columns+" from participant where study_id = $1 and code = $2 and code <> ''", study, asCode(code))
}

func (r *Recruitment) one(ctx context.Context, query string, args ...any) (Participant, error) {
	p, err := scan(r.db.QueryRow(ctx, query, args...))
	if errors.Is(err, database.ErrNoRows) {
		return Participant{}, ErrUnknown
	}
	if err != nil {
		return Participant{}, fmt.Errorf("read participant: %w", err)
	}
	people := []Participant{p}
	err = r.withValues(ctx, p.Study, people)
	return people[0], err
}

// List returns a study's participants by code, A2 before A10. Who was erased is in the funnel only.
func (r *Recruitment) List(ctx context.Context, study id.Study, f Filter) ([]Participant, error) {
	p, err := r.plan(ctx, study, f)
	if err != nil || p.nobody {
		return nil, err
	}
	all, err := p.read(ctx, segment{order: ByCode}, nil, everybody)
	if err != nil {
		return nil, err
	}
	return all, r.withValues(ctx, study, all)
}

// Some returns those of some persons who are in a study, by code.
func (r *Recruitment) Some(ctx context.Context, study id.Study, persons []id.Person) ([]Participant, error) {
	asked := slices.DeleteFunc(distinct(persons), func(p id.Person) bool { return !id.Valid(p) })
	people, err := byIDs(ctx, r.db, study, asked)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(people, func(a, b Participant) int { return natural.Compare(a.Code, b.Code) })
	return people, r.withValues(ctx, study, people)
}

// byIDs reads different persons of a study, in their order and without the study's own attributes. Who is not in the study,
// or not any more, is left out.
func byIDs(ctx context.Context, q database.Querier, study id.Study, persons []id.Person) (people []Participant, err error) {
	at := make(map[id.Person]int, len(persons))
	for i, person := range persons {
		at[person] = i
	}
	for chunk := range database.Chunks(persons) {
		list, args := database.In(chunk) // without the study, whose index an engine might take instead
		rows, err := database.All(ctx, q, scan, "select "+columns+" from participant where code <> '' and person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("read participants: %w", err)
		}
		people = append(people, rows...)
	}
	people = slices.DeleteFunc(people, func(p Participant) bool { return p.Study != study })
	slices.SortFunc(people, func(a, b Participant) int { return cmp.Compare(at[a.ID], at[b.ID]) })
	return people, nil
}

// Codes returns the codes of some persons, as far as they are participants of the study.
func (r *Recruitment) Codes(ctx context.Context, study id.Study, persons []id.Person) (map[id.Person]string, error) {
	return r.CodesIn(ctx, []id.Study{study}, persons)
}

// CodesIn is Codes for several studies.
func (r *Recruitment) CodesIn(ctx context.Context, studies []id.Study, persons []id.Person) (map[id.Person]string, error) {
	codes := map[id.Person]string{}
	for some := range database.Chunks(persons) {
		list, args := database.In(some) // without the study, whose index an engine might take instead
		err := database.Each(ctx, r.db, func(row database.Scanner) error {
			var person id.Person
			var of id.Study
			var code string
			err := row.Scan(&person, &of, &code)
			if slices.Contains(studies, of) && code != "" {
				codes[person] = code
			}
			return err
		}, "select person_id, study_id, code from participant where person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("read codes: %w", err)
		}
	}
	return codes, nil
}

const mostInformants = 200

// InformantCodes returns the codes of those who said yes, by code and no more than a form can offer: they may know others.
func (r *Recruitment) InformantCodes(ctx context.Context, study id.Study) (codes []string, err error) {
	var parts []string
	args := []any{study}
	for i, stage := range []Stage{StageDone, StageBooked, StageYes} {
		args = append(args, stage)
		parts = append(parts, fmt.Sprintf(`select code from (select code from participant where study_id = $1 and code <> '' and stage = $%d
			order by code_order, code limit %d) s%d`, i+2, mostInformants, i))
	}
	codes, err = database.Values[string](ctx, r.db, strings.Join(parts, " union all "), args...)
	if err != nil {
		return nil, fmt.Errorf("read informants: %w", err)
	}
	slices.SortFunc(codes, natural.Compare)
	return codes[:min(len(codes), mostInformants)], nil
}
