// Package studies owns what a study is: its setting, cases, audiences and team, when it begins and ends, and the erasure
// of one person from the study store. It does not know who takes part, and nothing of accounts but their ids.
package studies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a zone is valid or not everywhere alike

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrUnknown is a NotFound: no such study, case or member, or not of this study.
	ErrUnknown = errs.New(errs.NotFound, "studies.unknown")
	// ErrCaseTaken is a Conflict: another case of the study has this code.
	ErrCaseTaken = errs.New(errs.Conflict, "studies.case_taken")
	// ErrClosed is a Conflict: the study was ended for good.
	ErrClosed = errs.New(errs.Conflict, "studies.closed")
	// ErrLastOwner is a Conflict: a study is never without an owner.
	ErrLastOwner = errs.New(errs.Conflict, "studies.last_owner")
)

// LegalBasis is what allows the study to use personal data (GDPR article 6). It changes letters, buttons and rights.
type LegalBasis string

const (
	Consent        LegalBasis = "consent"         // article 6(1)(a)
	PublicInterest LegalBasis = "public_interest" // article 6(1)(e)
)

// Signature is what a study demands besides the act of answering.
type Signature string

const (
	ByAct   Signature = ""      // the answer itself is the signature
	ByName  Signature = "typed" // a typed name, kept in the vault
	Drawing Signature = "drawn" // a drawn name, kept in the vault
)

// Fate is what becomes of data.
type Fate string

const (
	Delete    Fate = "delete"
	Anonymise Fate = "anonymise" // what was said and answered stays, and can be traced to nobody
)

// Texts are the record's texts as letters print them, by language and field. What is not there, or empty, is said in the
// words of the starter letter.
type Texts map[string]map[string]string

// Study is one study's setting. Names and contacts in it are those of the team and printed in its letters.
type Study struct {
	ID                id.Study
	Title             string
	Purpose           string
	Questions         string // research questions, one per line
	Institution       string
	Department        string
	ProjectContact    string // name, e-mail and telephone of the team
	Supervisor        string
	SupervisorContact string
	Officer           string // data protection officer
	OfficerContact    string
	Assessment        string // who assessed the processing, and under which reference
	LegalBasis        LegalBasis
	Languages         []string // of letters and surveys: "nb", "nn", "en"; the main one first
	Zone              string   // IANA
	StartsOn, EndsOn  string   // first and last day in that zone, as 2006-01-02
	InterviewsBy      string   // milestones between those two, "" where none is set: last day of interviews,
	SurveyOpens       string   // first day of the survey
	SurveyCloses      string   // and its last
	Duration          int      // of an interview, in minutes
	Recording         bool     // interviews are recorded where the person agrees
	Special           bool     // special categories of data (GDPR article 9): consent is explicit
	MinimumAge        int      // years; 0 is no limit
	AgeReason         string   // why there is one
	Signature         Signature
	OnWithdrawal      Fate  // of the data of whoever withdraws
	AtEnd             Fate  // of everybody's when the study ends
	ProofMonths       int   // how long the proof of a consent outlives the person's data; 0 not at all
	ClosedAt          int64 // when the study was ended for good, UTC milliseconds; 0 is open
	Texts             Texts
	Cases             []Case // in their order
	Audiences         []Audience
	CreatedAt         int64 // UTC milliseconds
}

// Audience is one kind of recipient, with a letter of its own.
type Audience struct {
	Key  string // "company", "administration" or "respondent"
	Name string // empty: the interface's own word
}

// audienceKeys lists every audience; a study without a choice of its own has them all.
var audienceKeys = []string{"company", "administration", "respondent"}

// End returns the first instant after the study's last day. Nothing of the study outlives it.
func (s Study) End() time.Time { return s.After(s.EndsOn) }

// ProofUntil returns when the proof of the consent of somebody erased at an instant has served its time; zero where the study
// keeps none.
func (s Study) ProofUntil(erased time.Time) time.Time {
	if s.ProofMonths == 0 {
		return time.Time{}
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC
	}
	local := erased.In(zone)
	then := local.AddDate(0, s.ProofMonths, 0)
	if then.Day() != local.Day() { // there is no 31st in that month: its last day
		then = then.AddDate(0, 0, -then.Day())
	}
	return then
}

// Day returns the first instant of a day that is written 2006-01-02, in the study's zone; zero for "".
func (s Study) Day(day string) time.Time {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC // only for a study that was never stored
	}
	first, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return time.Time{}
	}
	return first
}

// After returns the first instant after such a day; zero for "".
func (s Study) After(day string) time.Time {
	first := s.Day(day)
	if first.IsZero() {
		return first
	}
	return first.AddDate(0, 0, 1)
}

// Case returns one of the study's cases; ok is false where it has no such case.
func (s Study) Case(c id.Case) (_ Case, ok bool) {
	i := slices.IndexFunc(s.Cases, func(own Case) bool { return own.ID == c })
	if i < 0 {
		return Case{}, false
	}
	return s.Cases[i], true
}

// Pilots are the cases that are pre-studies.
func (s Study) Pilots() (pilots []id.Case) {
	for _, c := range s.Cases {
		if c.Pilot {
			pilots = append(pilots, c.ID)
		}
	}
	return pilots
}

// Studies keeps them in the study store.
type Studies struct {
	db  *database.DB
	log *audit.Log
	now func() time.Time
}

// New returns the studies kept in db, which is the study store.
func New(db *database.DB, log *audit.Log, now func() time.Time) *Studies {
	return &Studies{db: db, log: log, now: now}
}

// Create makes a study with its cases and audiences, and its first owner. Invalid input is named by field.
func (st *Studies) Create(ctx context.Context, actor audit.Actor, owner id.Account, s Study) (id.Study, error) {
	if len(s.Audiences) == 0 {
		for _, key := range audienceKeys {
			s.Audiences = append(s.Audiences, Audience{Key: key})
		}
	}
	s.Cases = slices.Clone(s.Cases) // its codes are folded below
	if err := s.check(); err != nil {
		return "", err
	}
	s.ID, s.CreatedAt = id.New[id.Study](), st.now().UnixMilli()
	err := st.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "insert into study ("+columns+`) values
			($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)`, s.values()...); err != nil {
			return err
		}
		for i, c := range s.Cases {
			if _, err := tx.Exec(ctx, "insert into study_case (id, study_id, code, name, pilot, position) values ($1, $2, $3, $4, $5, $6)",
				id.New[id.Case](), s.ID, c.Code, c.Name, c.Pilot, i+1); err != nil {
				return err
			}
		}
		if err := setAudiences(ctx, tx, s); err != nil {
			return err
		}
		if err := setMember(ctx, tx, s.ID, owner, Owner); err != nil {
			return err
		}
		return st.note(ctx, tx, actor, "study.created", s.ID, "")
	})
	if err != nil {
		return "", fmt.Errorf("create study: %w", err)
	}
	return s.ID, nil
}

// Update changes a study's setting and audiences. Cases have their own methods, and what was made from the old setting
// (published letters, links) is not touched.
func (st *Studies) Update(ctx context.Context, actor audit.Actor, s Study) error {
	return st.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := st.UpdateTx(ctx, tx, actor, s, "")
		return err
	})
}

// UpdateTx is Update in the caller's transaction; it returns the study as it was. A reason, for a later last day, is kept with
// the change.
func (st *Studies) UpdateTx(ctx context.Context, tx *database.Tx, actor audit.Actor, s Study, reason string) (was Study, err error) {
	s.Cases = nil
	if err := s.check(); err != nil {
		return was, err
	}
	err = func() error {
		if was, err = st.open(ctx, tx, s.ID); err != nil {
			return err
		}
		s.ClosedAt, s.CreatedAt = was.ClosedAt, was.CreatedAt
		values := s.values()
		_, err = tx.Exec(ctx, `update study set title = $2, purpose = $3, questions = $4, institution = $5, department = $6,
			project_contact = $7, supervisor = $8, supervisor_contact = $9, officer = $10, officer_contact = $11,
			assessment = $12, legal_basis = $13, languages = $14, zone = $15, starts_on = $16, ends_on = $17,
			duration = $18, recording = $19, interviews_by = $20, survey_opens = $21, survey_closes = $22,
			special_categories = $23, minimum_age = $24, age_reason = $25, signature = $26, on_withdrawal = $27, at_end = $28,
			proof_months = $29 where id = $1`, values[:len(values)-2]...)
		if err != nil {
			return err
		}
		if err := setAudiences(ctx, tx, s); err != nil {
			return err
		}
		if err := st.keepChanges(ctx, tx, actor, was, s); err != nil {
			return err
		}
		if reason = strings.TrimSpace(reason); reason != "" && was.EndsOn != s.EndsOn {
			if err := st.keepChange(ctx, tx, actor, s.ID, endReason, "", reason); err != nil {
				return err
			}
		}
		return st.note(ctx, tx, actor, "study.changed", s.ID, "")
	}()
	if err != nil {
		return was, fmt.Errorf("update study: %w", err)
	}
	return was, nil
}

// endReason is the field under which it is kept why a study goes on for longer.
const endReason = "ends_on_reason"

// EndReason is why the last day of a study was moved when it was last moved; "" where nobody had to say.
func (st *Studies) EndReason(ctx context.Context, study id.Study) (reason string, err error) {
	err = st.db.QueryRow(ctx, "select became from study_change where study_id = $1 and field = $2 order by seq desc limit 1", study, endReason).Scan(&reason)
	if errors.Is(err, database.ErrNoRows) {
		return "", nil
	}
	return reason, err
}

// setAudiences replaces a study's audiences; where s names none they stay.
func setAudiences(ctx context.Context, tx *database.Tx, s Study) error {
	if len(s.Audiences) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, "delete from audience where study_id = $1", s.ID); err != nil {
		return err
	}
	for i, a := range s.Audiences {
		if _, err := tx.Exec(ctx, "insert into audience (study_id, key, name, position) values ($1, $2, $3, $4)",
			s.ID, a.Key, strings.TrimSpace(a.Name), i+1); err != nil {
			return err
		}
	}
	return nil
}

func (st *Studies) note(ctx context.Context, tx *database.Tx, actor audit.Actor, action string, study id.Study, detail string) error {
	return st.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Study: study, Detail: detail})
}

// columns, values and scan keep one order; created_at is last because Update leaves it alone.
const columns = `id, title, purpose, questions, institution, department, project_contact, supervisor, supervisor_contact,
	officer, officer_contact, assessment, legal_basis, languages, zone, starts_on, ends_on, duration, recording, interviews_by,
	survey_opens, survey_closes, special_categories, minimum_age, age_reason, signature, on_withdrawal, at_end, proof_months,
	closed_at, created_at`

func (s Study) values() []any {
	return []any{s.ID, s.Title, s.Purpose, s.Questions, s.Institution, s.Department, s.ProjectContact, s.Supervisor,
		s.SupervisorContact, s.Officer, s.OfficerContact, s.Assessment, s.LegalBasis, strings.Join(s.Languages, ","),
		s.Zone, s.StartsOn, s.EndsOn, s.Duration, s.Recording, s.InterviewsBy, s.SurveyOpens, s.SurveyCloses,
		s.Special, s.MinimumAge, s.AgeReason, s.Signature, s.OnWithdrawal, s.AtEnd, s.ProofMonths, s.ClosedAt, s.CreatedAt}
}

func scan(row database.Scanner, more ...any) (s Study, err error) {
	var languages string
	err = row.Scan(append([]any{&s.ID, &s.Title, &s.Purpose, &s.Questions, &s.Institution, &s.Department, &s.ProjectContact,
		&s.Supervisor, &s.SupervisorContact, &s.Officer, &s.OfficerContact, &s.Assessment, &s.LegalBasis, &languages,
		&s.Zone, &s.StartsOn, &s.EndsOn, &s.Duration, &s.Recording, &s.InterviewsBy, &s.SurveyOpens, &s.SurveyCloses,
		&s.Special, &s.MinimumAge, &s.AgeReason, &s.Signature, &s.OnWithdrawal, &s.AtEnd, &s.ProofMonths, &s.ClosedAt,
		&s.CreatedAt}, more...)...)
	s.Languages = strings.Split(languages, ",")
	return s, err
}

// Get returns one study with its cases and audiences, or ErrUnknown.
func (st *Studies) Get(ctx context.Context, study id.Study) (Study, error) {
	s, err := scan(st.db.QueryRow(ctx, "select "+columns+" from study where id = $1", study))
	if errors.Is(err, database.ErrNoRows) {
		return Study{}, ErrUnknown
	}
	if err != nil {
		return Study{}, fmt.Errorf("get study: %w", err)
	}
	if err := fill(ctx, st.db, map[id.Study]*Study{study: &s}, "= $1", study); err != nil {
		return Study{}, fmt.Errorf("get study: %w", err)
	}
	return s, nil
}

// Title is a study's name beside its identifier.
type Title struct {
	ID    id.Study
	Title string
}

// All names every study of the installation, oldest first, for the operator's commands.
func (st *Studies) All(ctx context.Context) ([]Title, error) {
	return database.All(ctx, st.db, func(row database.Scanner) (t Title, err error) {
		err = row.Scan(&t.ID, &t.Title)
		return t, err
	}, "select id, title from study order by created_at, id")
}

// Mine is a study and what an account may do in it.
type Mine struct {
	Study
	Role Role
}

// List returns the studies an account belongs to, newest first.
func (st *Studies) List(ctx context.Context, account id.Account) ([]Mine, error) {
	mine, err := database.All(ctx, st.db, func(row database.Scanner) (m Mine, err error) {
		m.Study, err = scan(row, &m.Role)
		return m, err
	}, "select "+columns+", role from study join member on study_id = id where account_id = $1 order by created_at desc, id", account)
	if err != nil {
		return nil, fmt.Errorf("list studies: %w", err)
	}
	byID := make(map[id.Study]*Study, len(mine))
	for i := range mine {
		byID[mine[i].ID] = &mine[i].Study
	}
	if err := fill(ctx, st.db, byID, "in (select study_id from member where account_id = $1)", account); err != nil {
		return nil, fmt.Errorf("list studies: %w", err)
	}
	return mine, nil
}

// fill adds cases, texts and audiences to the studies that which picks, in three queries however many there are. A study that
// joined between the queries is left out.
func fill(ctx context.Context, q database.Querier, studies map[id.Study]*Study, which string, arg any) error {
	err := database.Each(ctx, q, func(row database.Scanner) error {
		var study id.Study
		var c Case
		err := row.Scan(&study, &c.ID, &c.Code, &c.Name, &c.Pilot, &c.Position)
		if s := studies[study]; s != nil {
			s.Cases = append(s.Cases, c)
		}
		return err
	}, "select study_id, id, code, name, pilot, position from study_case where study_id "+which+" order by position, code", arg)
	if err != nil {
		return err
	}
	err = database.Each(ctx, q, func(row database.Scanner) error {
		var study id.Study
		var language, field, text string
		err := row.Scan(&study, &language, &field, &text)
		if s := studies[study]; s != nil {
			if s.Texts == nil {
				s.Texts = Texts{}
			}
			if s.Texts[language] == nil {
				s.Texts[language] = map[string]string{}
			}
			s.Texts[language][field] = text
		}
		return err
	}, "select study_id, language, field, text from study_text where study_id "+which, arg)
	if err != nil {
		return err
	}
	return database.Each(ctx, q, func(row database.Scanner) error {
		var study id.Study
		var a Audience
		err := row.Scan(&study, &a.Key, &a.Name)
		if s := studies[study]; s != nil {
			s.Audiences = append(s.Audiences, a)
		}
		return err
	}, "select study_id, key, name from audience where study_id "+which+" order by position", arg)
}
