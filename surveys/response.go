package surveys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
)

// Saved is a respondent's draft.
type Saved struct {
	Version int // the form that they are on; the newest one where nothing is saved
	Page    int // saved last, from 0
	Answers Answers
	SavedAt int64 // UTC milliseconds; 0 where nothing is saved
}

// standing is all that decides about saving and sending, read at once.
type standing struct {
	survey    Survey
	informant bool
	answered  bool
	saved     Saved
	revision  int64 // of the draft; 0 where there is none
}

func (s *Surveys) standing(ctx context.Context, q database.Querier, study id.Study, survey id.Survey, person id.Person) (st standing, err error) {
	var answers string
	var submittedAt int64
	st.survey.ID, st.survey.Study = survey, study
	err = q.QueryRow(ctx, `select v.state, v.closes_at, r.informant, coalesce(d.version, v.version), coalesce(d.page, 0),
			coalesce(d.answers, '{}'), coalesce(d.revision, 0), coalesce(d.saved_at, 0), coalesce(d.submitted_at, 0)
		from survey_respondent r join survey v on v.id = r.survey_id
		left join survey_response d on d.survey_id = r.survey_id and d.person_id = r.person_id
		where r.survey_id = $1 and r.study_id = $2 and r.person_id = $3`, survey, study, person).Scan(
		&st.survey.State, &st.survey.ClosesAt, &st.informant, &st.saved.Version, &st.saved.Page,
		&answers, &st.revision, &st.saved.SavedAt, &submittedAt)
	if err != nil {
		return st, notFound(err, ErrNotRespondent)
	}
	if submittedAt > 0 { // what is sent is no draft: it is not shown again to whoever holds the link
		st.answered, st.saved = true, Saved{Version: st.saved.Version, Answers: Answers{}}
		return st, nil
	}
	return st, json.Unmarshal([]byte(answers), &st.saved.Answers)
}

// refuse says why nothing more is taken from a respondent, nil if it is.
func (s *Surveys) refuse(st standing) error {
	switch {
	case st.answered:
		return ErrAnswered
	case !st.survey.Takes(s.now()):
		return ErrClosed
	}
	return nil
}

// SavedOf returns a respondent's draft, to go on where they stopped.
func (s *Surveys) SavedOf(ctx context.Context, study id.Study, survey id.Survey, person id.Person) (Saved, error) {
	st, err := s.standing(ctx, s.db, study, survey, person)
	return st.saved, err
}

// SavePage keeps one page's answers, as Validate returned them, in the respondent's draft: they take the place of
// whatever the page held before. Pages may be saved in any order and half filled; Submit checks the whole.
// The errors are ErrNotRespondent, ErrAnswered, ErrClosed, ErrNoConsent and ErrOtherVersion.
func (s *Surveys) SavePage(ctx context.Context, study id.Study, survey id.Survey, person id.Person, version, page int, answers Answers) error {
	st, err := s.standing(ctx, s.db, study, survey, person)
	if err != nil {
		return err
	}
	if err := s.refuse(st); err != nil {
		return err
	}
	form, err := s.form(ctx, formKey{study, survey, version})
	if err != nil {
		return err
	}
	if page < 0 || page >= len(form.Pages) {
		return ErrNotFound
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		// Touching the respondent makes savers and withdrawal take turns.
		_, err := tx.Exec(ctx, `update survey_respondent set state = case when state in ('listed', 'invited', 'declined') then 'started' else state end
			where survey_id = $1 and study_id = $2 and person_id = $3`, survey, study, person)
		if err != nil {
			return fmt.Errorf("save page: %w", err)
		}
		st, err := s.standing(ctx, tx, study, survey, person)
		if err != nil {
			return err
		}
		if err := s.refuse(st); err != nil {
			return err
		}
		if err := s.allowed(ctx, tx, study, person, purposeAnswer); err != nil {
			return err
		}
		if st.revision > 0 && st.saved.Version != version {
			return ErrOtherVersion
		}
		form.merge(st.saved.Answers, page, answers)
		st.saved.Version, st.saved.Page = version, page
		return s.keepDraft(ctx, tx, person, st)
	})
}

// merge puts one page's answers in the place of those that all had for it.
func (f *Form) merge(all Answers, page int, answers Answers) {
	for _, q := range f.Pages[page].Questions {
		delete(all, q.Name)
		if answer, ok := answers[q.Name]; ok {
			all[q.Name] = answer
		}
	}
}

func (s *Surveys) keepDraft(ctx context.Context, tx *database.Tx, person id.Person, st standing) error {
	text, err := json.Marshal(st.saved.Answers)
	if err != nil {
		return fmt.Errorf("encode draft: %w", err)
	}
	// Sending does not wait for savers: whoever comes too late must not write over what was sent.
	n, err := tx.Exec(ctx, `insert into survey_response (survey_id, person_id, study_id, version, page, answers, revision, saved_at, lang, submitted_at)
		values ($1, $2, $3, $4, $5, $6, 1, $7, '', 0) on conflict (survey_id, person_id) do update
		set page = excluded.page, answers = excluded.answers, revision = survey_response.revision + 1, saved_at = excluded.saved_at
		where survey_response.submitted_at = 0`,
		st.survey.ID, person, st.survey.Study, st.saved.Version, st.saved.Page, string(text), s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep draft: %w", err)
	}
	if n == 0 {
		return ErrAnswered
	}
	return nil
}

// mostRounds is how often a submission begins again because the draft changed meanwhile, on another device.
const mostRounds = 8

// errMoved ends a round of Submit whose draft changed after it was checked.
var errMoved = errors.New("the draft changed meanwhile")

// Submit sends a respondent's draft: checks it against the version they began on, stores it as one response, and mails
// thanks. lang is the language it was answered in. Faults are Invalid, named after the inputs; the other errors are
// ErrNotRespondent, ErrAnswered, ErrClosed, ErrNoConsent, ErrEmpty and ErrChanged.
//
// There is no audit entry: the response is its own record, and the chain would make all who send take turns.
func (s *Surveys) Submit(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, person id.Person, lang string) error {
	for range mostRounds {
		err := s.submit(ctx, actor, study, survey, person, lang)
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return ErrChanged
}

// submit reads and checks before the transaction, so that the single writer is not kept waiting for it; the draft's
// revision sees to it that what was checked is what is stored.
func (s *Surveys) submit(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, person id.Person, lang string) error {
	st, err := s.standing(ctx, s.db, study, survey, person)
	if err != nil {
		return err
	}
	if err := s.refuse(st); err != nil {
		return err
	}
	if len(st.saved.Answers) == 0 {
		if err := s.allowed(ctx, s.db, study, person, purposeAnswer); err != nil {
			return err // withdrawing took the draft along
		}
		return ErrEmpty
	}
	form, err := s.form(ctx, formKey{study, survey, st.saved.Version})
	if err != nil {
		return err
	}
	answers, err := Validate(form, -1, st.saved.Answers.Raw())
	if err != nil {
		return err
	}
	text, err := json.Marshal(answers)
	if err != nil {
		return fmt.Errorf("encode answers: %w", err)
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		if st.informant { // before consent and response, as withdrawal does it: in the same order nobody waits in a circle
			if err := s.advance(ctx, tx, study, person, "surveyed", actor); err != nil {
				return err
			}
		}
		if err := s.take(ctx, tx, st, person, form.Language(lang), string(text)); err != nil {
			return err
		}
		return s.outbox.Enqueue(ctx, tx, mail.Mail{Study: study, Person: person, Kind: KindThanks,
			Params: map[string]string{"survey": string(survey)}, Key: KindThanks + ":" + string(survey) + ":" + string(person)})
	})
}

// take turns a draft into a response.
func (s *Surveys) take(ctx context.Context, tx *database.Tx, st standing, person id.Person, lang, answers string) error {
	// Asking holds the consent: a withdrawal either is seen here or waits, and then deletes what was sent.
	if err := s.allowed(ctx, tx, st.survey.Study, person, purposeAnswer); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `update survey_response set answers = $5, lang = $6, submitted_at = $7
		where survey_id = $1 and study_id = $2 and person_id = $3 and revision = $4 and submitted_at = 0
		and exists (select 1 from survey where id = $1 and state = 'open' and (closes_at = 0 or closes_at > $7))`,
		st.survey.ID, st.survey.Study, person, st.revision, answers, lang, s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	if n == 0 {
		return errMoved // changed, sent, closed or erased meanwhile: the next round says which
	}
	return nil
}

// Part is one person's part in one survey, with everything they wrote there.
type Part struct {
	Respondent
	Title       Text
	Form        Form // the version they were on
	Lang        string
	Answers     Answers // nil where nothing is saved
	SavedAt     int64   // UTC milliseconds, as the next
	SubmittedAt int64   // 0: a draft
}

// PartsOf returns a person's part in every survey of a study, for their own copy. Drafts and what was sent are both in it:
// it is shown to nobody else.
func (s *Surveys) PartsOf(ctx context.Context, study id.Study, person id.Person) ([]Part, error) {
	return database.All(ctx, s.db, func(row database.Scanner) (p Part, err error) {
		r := &p.Respondent
		var answers, form string
		if err := row.Scan(&r.Person, &r.Survey, &r.Study, &r.Code, &r.Case, &r.Role, &r.Size, &r.Informant, &r.InvitedAt, &r.State,
			&p.Lang, &answers, &p.SavedAt, &p.SubmittedAt, &form); err != nil {
			return p, err
		}
		if err := json.Unmarshal([]byte(form), &p.Form); err != nil {
			return p, fmt.Errorf("read form: %w", err)
		}
		p.Title = p.Form.Title
		return p, json.Unmarshal([]byte(answers), &p.Answers)
	}, "select "+respondentColumns+`, coalesce(d.lang, ''), coalesce(d.answers, 'null'), coalesce(d.saved_at, 0), coalesce(d.submitted_at, 0), f.form
		from survey_respondent r join survey v on v.id = r.survey_id
		left join survey_response d on d.survey_id = r.survey_id and d.person_id = r.person_id
		join survey_form f on f.survey_id = r.survey_id and f.version = coalesce(d.version, v.version)
		where r.study_id = $1 and r.person_id = $2 order by r.survey_id`, study, person)
}

// Response is what one respondent sent.
type Response struct {
	Code        string
	Person      id.Person
	Version     int // of the form that was answered
	Lang        string
	SubmittedAt int64 // UTC milliseconds; 0 of somebody who is anonymous now
	Answers     Answers
}

// errStop ends a reading that its caller has had enough of.
var errStop = errors.New("stop")

// Responses yields a survey's responses by code, holding one at a time. A non-nil error is the last that is yielded.
func (s *Surveys) Responses(ctx context.Context, study id.Study, survey id.Survey) iter.Seq2[Response, error] {
	return func(yield func(Response, error) bool) {
		err := database.Each(ctx, s.db, func(row database.Scanner) error {
			var r Response
			var answers []byte
			if err := row.Scan(&r.Code, &r.Person, &r.Version, &r.Lang, &r.SubmittedAt, &answers); err != nil {
				return err
			}
			if err := json.Unmarshal(answers, &r.Answers); err != nil {
				return fmt.Errorf("response of %s: %w", r.Person, err)
			}
			if r.SubmittedAt == untimed {
				r.SubmittedAt = 0
			}
			if !yield(r, nil) {
				return errStop
			}
			return nil
		}, `select d.code, r.person_id, r.version, r.lang, r.submitted_at, r.answers
			from survey_respondent d join survey_response r on r.survey_id = d.survey_id and r.person_id = d.person_id
			where d.survey_id = $1 and d.study_id = $2 and r.submitted_at > 0 order by d.code_order`, survey, study)
		if err != nil && !errors.Is(err, errStop) {
			yield(Response{}, err)
		}
	}
}

// versions returns all forms of a survey by version.
func (s *Surveys) versions(ctx context.Context, study id.Study, survey id.Survey) (map[int]*Form, error) {
	forms := map[int]*Form{}
	err := database.Each(ctx, s.db, func(row database.Scanner) error {
		var version int
		var text []byte
		if err := row.Scan(&version, &text); err != nil {
			return err
		}
		forms[version] = &Form{}
		return json.Unmarshal(text, forms[version])
	}, "select version, form from survey_form where survey_id = $1 and study_id = $2", survey, study)
	if err == nil && len(forms) == 0 {
		err = ErrNotFound
	}
	return forms, err
}
