package surveys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Survey is one questionnaire of a study.
type Survey struct {
	ID        id.Survey
	Study     id.Study
	Title     string // of the newest form, in its first language
	State     State
	Mode      Mode
	Version   int   // of the newest form
	CreatedAt int64 // this and the next two in UTC milliseconds
	OpenedAt  int64 // first opening; 0 before it
	ClosesAt  int64 // no answers from then on; 0 is no date
}

// State is where a survey stands.
type State string

const (
	StateDraft  State = "draft"  // being written
	StateOpen   State = "open"   // takes answers
	StateClosed State = "closed" // takes none; may be opened again
)

// Mode is who can be told apart.
type Mode string

// Linked ties each response to a pseudonym.
const Linked Mode = "linked"

// Takes says whether the survey takes answers at a time.
func (s Survey) Takes(at time.Time) bool {
	return s.State == StateOpen && (s.ClosesAt == 0 || at.UnixMilli() < s.ClosesAt)
}

// formKey names a version that can no longer change.
type formKey struct {
	study   id.Study
	survey  id.Survey
	version int
}

const mostFormsKept = 64

// Create keeps a new survey with its first form. A form with faults is Invalid.
func (s *Surveys) Create(ctx context.Context, actor audit.Actor, study id.Study, form Form) (id.Survey, error) {
	text, err := form.encode()
	if err != nil {
		return "", err
	}
	survey, now := id.New[id.Survey](), s.now().UnixMilli()
	return survey, s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `insert into survey (id, study_id, title, state, mode, version, last_code, created_at, opened_at, closes_at)
			values ($1, $2, $3, $4, $5, 1, 0, $6, 0, 0)`, survey, study, form.heading(), StateDraft, Linked, now)
		if err != nil {
			return fmt.Errorf("create survey: %w", err)
		}
		if err := s.insertForm(ctx, tx, formKey{study, survey, 1}, text); err != nil {
			return err
		}
		return s.append(ctx, tx, actor, study, "survey.created", string(survey))
	})
}

// SaveForm keeps a changed form and returns its version. Once the survey has been open, a change is a new version, and
// whoever has begun finishes on theirs.
func (s *Surveys) SaveForm(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, form Form) (version int, err error) {
	text, err := form.encode()
	if err != nil {
		return 0, err
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		var openedAt int64
		err := tx.QueryRow(ctx, `update survey set title = $3, version = version + case when opened_at = 0 then 0 else 1 end
			where id = $1 and study_id = $2 returning version, opened_at`, survey, study, form.heading()).Scan(&version, &openedAt)
		if err != nil {
			return notFound(err, ErrNotFound)
		}
		if openedAt == 0 {
			_, err = tx.Exec(ctx, "update survey_form set form = $3 where survey_id = $1 and version = $2", survey, version, text)
		} else if err = form.complete(); err == nil { // it is shown at once
			err = s.insertForm(ctx, tx, formKey{study, survey, version}, text)
		}
		if err != nil {
			return err
		}
		return s.append(ctx, tx, actor, study, "survey.form_saved", strconv.Itoa(version))
	})
	return version, err
}

func (s *Surveys) insertForm(ctx context.Context, tx *database.Tx, key formKey, text string) error {
	_, err := tx.Exec(ctx, "insert into survey_form (survey_id, study_id, version, form, created_at) values ($1, $2, $3, $4, $5)",
		key.survey, key.study, key.version, text, s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep form: %w", err)
	}
	return nil
}

// Open lets people answer. A form that lacks a wording in one of its languages is Invalid.
func (s *Surveys) Open(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		var version int
		err := tx.QueryRow(ctx, `update survey set state = $3, opened_at = case when opened_at = 0 then cast($4 as bigint) else opened_at end
			where id = $1 and study_id = $2 returning version`, survey, study, StateOpen, s.now().UnixMilli()).Scan(&version)
		if err != nil {
			return notFound(err, ErrNotFound)
		}
		form, err := readForm(ctx, tx, formKey{study, survey, version})
		if err != nil {
			return err
		}
		if err := form.complete(); err != nil {
			return err
		}
		return s.append(ctx, tx, actor, study, "survey.opened", string(survey))
	})
}

// Close stops taking answers. A survey that has not been open is ErrClosed.
func (s *Surveys) Close(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "update survey set state = $3 where id = $1 and study_id = $2 and state = $4", survey, study, StateClosed, StateOpen)
		if err != nil {
			return fmt.Errorf("close survey: %w", err)
		}
		if n == 0 {
			if _, err := get(ctx, tx, study, survey); err != nil {
				return err
			}
			return ErrClosed
		}
		return s.append(ctx, tx, actor, study, "survey.closed", string(survey))
	})
}

// SetClosing sets when the survey stops taking answers by itself; the zero time is never.
func (s *Surveys) SetClosing(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, at time.Time) error {
	var closesAt int64
	if !at.IsZero() {
		closesAt = at.UnixMilli()
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "update survey set closes_at = $3 where id = $1 and study_id = $2", survey, study, closesAt)
		if err != nil {
			return fmt.Errorf("set closing: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return s.append(ctx, tx, actor, study, "survey.closing_set", strconv.FormatInt(closesAt, 10))
	})
}

// Get returns one survey.
func (s *Surveys) Get(ctx context.Context, study id.Study, survey id.Survey) (Survey, error) {
	return get(ctx, s.db, study, survey)
}

const surveyColumns = "id, study_id, title, state, mode, version, created_at, opened_at, closes_at"

func scanSurvey(row database.Scanner) (v Survey, err error) {
	err = row.Scan(&v.ID, &v.Study, &v.Title, &v.State, &v.Mode, &v.Version, &v.CreatedAt, &v.OpenedAt, &v.ClosesAt)
	return v, err
}

func get(ctx context.Context, q database.Querier, study id.Study, survey id.Survey) (Survey, error) {
	v, err := scanSurvey(q.QueryRow(ctx, "select "+surveyColumns+" from survey where id = $1 and study_id = $2", survey, study))
	return v, notFound(err, ErrNotFound)
}

// List returns a study's surveys, oldest first.
func (s *Surveys) List(ctx context.Context, study id.Study) ([]Survey, error) {
	return database.All(ctx, s.db, scanSurvey, "select "+surveyColumns+" from survey where study_id = $1 order by created_at, id", study)
}

// FormAt returns one version of a survey's form, the caller's own to change.
func (s *Surveys) FormAt(ctx context.Context, study id.Study, survey id.Survey, version int) (Form, error) {
	form, err := readForm(ctx, s.db, formKey{study, survey, version})
	if err != nil {
		return Form{}, err
	}
	return *form, nil
}

func readForm(ctx context.Context, q database.Querier, key formKey) (*Form, error) {
	var text string
	err := q.QueryRow(ctx, "select form from survey_form where survey_id = $1 and study_id = $2 and version = $3",
		key.survey, key.study, key.version).Scan(&text)
	if err != nil {
		return nil, notFound(err, ErrNotFound)
	}
	form := &Form{}
	if err := json.Unmarshal([]byte(text), form); err != nil {
		return nil, fmt.Errorf("read form %s version %d: %w", key.survey, key.version, err)
	}
	return form, nil
}

// form returns a version of a survey that has been open, which no longer changes: it is read once and shared.
func (s *Surveys) form(ctx context.Context, key formKey) (*Form, error) {
	s.mu.Lock()
	form := s.forms[key]
	s.mu.Unlock()
	if form != nil {
		return form, nil
	}
	form, err := readForm(ctx, s.db, key)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.forms) >= mostFormsKept {
		clear(s.forms)
	}
	s.forms[key] = form
	return form, nil
}

// encode checks a form and writes it as JSON.
func (f *Form) encode() (string, error) {
	if err := f.check(); err != nil {
		return "", err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("encode form: %w", err)
	}
	if len(text) > mostFormBytes {
		return "", errs.New(errs.TooLarge, "surveys.form_too_large")
	}
	return string(text), nil
}

// heading is the title in the form's first language that has one.
func (f *Form) heading() string { return f.Title.In("", f.Languages...) }

func (s *Surveys) append(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, action, detail string) error {
	return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Study: study, Detail: detail})
}

// notFound puts the package's own sentinel in the place of a missing row.
func notFound(err error, sentinel error) error {
	if errors.Is(err, database.ErrNoRows) {
		return sentinel
	}
	return err
}
