package surveys

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
)

// untimed is stored as the time of a response that was sent at a time which is not kept.
const untimed = 1

// LeaveTx takes a person out of all surveys of a study and forgets their drafts. What they sent is left for Detach or Erase.
func (s *Surveys) LeaveTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	_, err := s.putOut(ctx, tx, study, person, "1 = 1")
	return err
}

// AskedAs returns under which code somebody is asked in a study and since when, in UTC milliseconds: 0 before any invitation,
// and "" for whoever is asked in no survey.
func (s *Surveys) AskedAs(ctx context.Context, study id.Study, person id.Person) (code string, since int64, err error) {
	err = database.Each(ctx, s.db, func(row database.Scanner) error {
		var at int64
		if err := row.Scan(&code, &at); err != nil {
			return err
		}
		if at > 0 && (since == 0 || at < since) {
			since = at
		}
		return nil
	}, "select code, invited_at from survey_respondent where study_id = $1 and person_id = $2 order by invited_at desc", study, person)
	if err != nil {
		return "", 0, fmt.Errorf("ask who is asked: %w", err)
	}
	return code, since, nil
}

// sent is a response that is kept without whoever sent it.
type sent struct {
	survey  id.Survey
	person  id.Person // nobody
	code    string
	place   id.Case
	version int
	answers string
}

// Detach keeps what people sent, under ids and codes that lead to nobody, other ones in each survey: the points of scales and
// what was chosen from lists. What they wrote, and numbers, which may tell who it is, go; so do role, size, language, times and
// drafts. The rows are written anew and in the order of their random ids: see Interviews.Detach.
func (s *Surveys) Detach(ctx context.Context, tx *database.Tx, study id.Study, nobodies map[id.Person]id.Person) error {
	bySurvey, forms := map[id.Survey][]sent{}, map[formKey]*Form{}
	for some := range database.Chunks(slices.Collect(maps.Keys(nobodies))) {
		list, args := database.In(some, study)
		theirs, err := sentBy(ctx, tx, "r.study_id = $1 and d.submitted_at > 0 and r.person_id in "+list, args...)
		if err != nil {
			return err
		}
		for _, one := range theirs {
			key := formKey{study, one.survey, one.version}
			if forms[key] == nil {
				if forms[key], err = readForm(ctx, tx, key); err != nil {
					return err
				}
			}
			if err := one.strip(forms[key]); err != nil {
				return err
			}
			one.person = id.New[id.Person]()
			bySurvey[one.survey] = append(bySurvey[one.survey], one)
		}
	}
	for person := range nobodies {
		if err := s.Erase(ctx, tx, person); err != nil {
			return err
		}
	}
	for survey, theirs := range bySurvey {
		if err := join(ctx, tx, study, survey, theirs); err != nil {
			return err
		}
	}
	return nil
}

func sentBy(ctx context.Context, tx *database.Tx, where string, args ...any) ([]sent, error) {
	all, err := database.All(ctx, tx, func(row database.Scanner) (r sent, err error) {
		err = row.Scan(&r.survey, &r.person, &r.code, &r.place, &r.version, &r.answers)
		return r, err
	}, `select r.survey_id, r.person_id, r.code, r.case_id, d.version, d.answers from survey_respondent r
		join survey_response d on d.survey_id = r.survey_id and d.person_id = r.person_id where `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read responses to detach: %w", err)
	}
	return all, nil
}

// strip leaves of the answers what was chosen from what the form offered.
func (r *sent) strip(form *Form) error {
	var all Answers
	if err := json.Unmarshal([]byte(r.answers), &all); err != nil {
		return fmt.Errorf("detach response: %w", err)
	}
	kept := Answers{}
	for _, q := range form.Questions() {
		if answer, ok := all[q.Name]; ok && q.Type.HasChoices() {
			kept[q.Name] = answer
		}
	}
	text, err := json.Marshal(kept)
	r.answers = string(text)
	return err
}

// mostMixed is among how many others a response is mixed: enough to hide it, few enough to be written anew each time.
const mostMixed = 500

// join puts responses among those of their survey that were detached before.
func join(ctx context.Context, tx *database.Tx, study id.Study, survey id.Survey, some []sent) error {
	codes, err := id.InventCodes(len(some), func(codes []string) ([]string, error) {
		list, args := database.In(codes, survey)
		return database.Values[string](ctx, tx, "select code from survey_respondent where survey_id = $1 and code in "+list, args...)
	})
	if err != nil {
		return err
	}
	for i := range some {
		some[i].code = codes[i]
	}
	before, err := sentBy(ctx, tx, "r.survey_id = $1 and r.study_id = $2 and d.submitted_at = $3 order by r.person_id limit $4",
		survey, study, untimed, mostMixed)
	if err != nil {
		return err
	}
	for chunk := range database.Chunks(before) {
		persons := make([]id.Person, len(chunk))
		for i, one := range chunk {
			persons[i] = one.person
		}
		list, args := database.In(persons, survey)
		if _, err := tx.Exec(ctx, "delete from survey_respondent where survey_id = $1 and person_id in "+list, args...); err != nil {
			return fmt.Errorf("detach response: %w", err)
		}
	}
	all := append(before, some...)
	slices.SortFunc(all, func(a, b sent) int { return cmp.Compare(a.person, b.person) })
	people, responses := make([][]any, len(all)), make([][]any, len(all))
	for i, one := range all {
		people[i] = []any{one.survey, one.person, study, one.code, natural.Key(one.code), one.place, "", "", false, Out, 0}
		responses[i] = []any{one.survey, one.person, study, one.version, 0, one.answers, 0, 0, "", untimed}
	}
	if _, err := tx.Insert(ctx, "survey_respondent (survey_id, person_id, study_id, code, code_order, case_id, role, size, informant, state, invited_at)",
		people, ""); err != nil {
		return fmt.Errorf("detach respondent: %w", err)
	}
	_, err = tx.Insert(ctx, "survey_response (survey_id, person_id, study_id, version, page, answers, revision, saved_at, lang, submitted_at)", responses, "")
	if err != nil {
		return fmt.Errorf("detach response: %w", err)
	}
	return nil
}
