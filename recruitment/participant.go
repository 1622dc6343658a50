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
	p.State = cmp.Or(p.State, Candidate)
	now := r.now().UnixMilli()
	n, err := tx.Exec(ctx, `insert into participant (person_id, study_id, code, case_id, audience, relation, size, title, source,
		recruiter_id, state, reached, state_at, created_at, contacted_at, next_at, events, code_order, stage, coupon)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $12, 0, $15, 0, $13, $14, $16)
		on conflict (person_id) do nothing`,
		p.ID, p.Study, d.Code, d.Case, d.Audience, d.Relation, d.Size, d.Title, d.Source, p.Recruiter, p.State, now,
		natural.Key(d.Code), p.State.stage(p.State), p.NextAt, p.Coupon)
	if errors.Is(err, database.ErrDuplicate) {
		return ErrCodeTaken
	}
	if err != nil {
		return fmt.Errorf("insert participant: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := setValues(ctx, tx, p.Study, p.ID, d.Attributes); err != nil {
		return err
	}
	return noteNumber(ctx, tx, p.Study, d.Case, d.Code)
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
	d := Details{p.Code, p.Case, p.Audience, p.Relation, p.Size, p.Title, p.Source, p.Attributes}
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

// clean trims and checks; fields are named code, case, audience, relation, size, title, source.
func (d *Details) clean() error {
	d.Code = strings.ToUpper(strings.TrimSpace(d.Code))
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
			source = $9, code_order = $10 where study_id = $1 and person_id = $2`,
			study, person, d.Code, d.Case, d.Audience, d.Relation, d.Size, d.Title, d.Source, natural.Key(d.Code))
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
	state_at, created_at, contacted_at, next_at, last_at, network_size, coupon`

func scan(row database.Scanner) (p Participant, err error) {
	err = row.Scan(&p.ID, &p.Study, &p.Code, &p.Case, &p.Audience, &p.Relation, &p.Size, &p.Title, &p.Source, &p.Recruiter,
		&p.State, &p.Reached, &p.StateAt, &p.CreatedAt, &p.ContactedAt, &p.NextAt, &p.LastAt, &p.NetworkSize, &p.Coupon)
	return p, err
}

// Get returns one participant, or ErrUnknown.
func (r *Recruitment) Get(ctx context.Context, study id.Study, person id.Person) (Participant, error) {
	return r.one(ctx, "select "+columns+" from participant where study_id = $1 and person_id = $2 and code <> ''", study, person)
}

// ByCode returns the participant with a code, in upper or lower case, or ErrUnknown.
func (r *Recruitment) ByCode(ctx context.Context, study id.Study, code string) (Participant, error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	return r.one(ctx, "select "+columns+" from participant where study_id = $1 and code = $2 and code <> ''", study, code)
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

// Filter narrows a list; an empty field does not.
type Filter struct {
	Case     id.Case
	Audience string
	Group    string // SMB or STOR
	State    State
	Stage    Stage
	Text     string // somewhere in the code or the title, in any case
}

func (f Filter) takes(p Participant) bool {
	return (f.Case == "" || f.Case == p.Case) &&
		(f.Audience == "" || f.Audience == p.Audience) &&
		(f.Group == "" || f.Group == p.Size.Group()) &&
		(f.State == "" || f.State == p.State) &&
		(f.Stage == "" || f.Stage == p.Stage()) &&
		strings.Contains(strings.ToLower(p.Code+"\n"+p.Title), strings.ToLower(strings.TrimSpace(f.Text)))
}

// List returns a study's participants by code, A2 before A10. Who was erased is in the funnel only.
func (r *Recruitment) List(ctx context.Context, study id.Study, f Filter) ([]Participant, error) {
	all, err := database.All(ctx, r.db, scan, "select "+columns+" from participant where study_id = $1 and code <> ''", study)
	if err != nil {
		return nil, fmt.Errorf("list participants: %w", err)
	}
	all = slices.DeleteFunc(all, func(p Participant) bool { return !f.takes(p) })
	slices.SortFunc(all, func(a, b Participant) int { return natural.Compare(a.Code, b.Code) })
	return all, r.withValues(ctx, study, all)
}
