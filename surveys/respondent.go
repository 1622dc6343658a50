package surveys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/internal/natural"
)

// Respondent is somebody asked in one survey.
type Respondent struct {
	Person    id.Person
	Survey    id.Survey
	Study     id.Study
	Code      string // unique in the survey; an informant keeps the code of the interview
	Case      id.Case
	Role      string // generalised
	Size      string
	Informant bool // was interviewed too
	State     Progress
	InvitedAt int64 // UTC milliseconds; 0 before the invitation
}

// Progress is how far a respondent has come.
type Progress string

const (
	Listed   Progress = "listed"   // not yet invited
	Invited  Progress = "invited"  // the invitation is on its way or there
	Started  Progress = "started"  // has a draft
	Answered Progress = "answered" // has sent the answers; never stored, see progress
	Declined Progress = "declined" // has said no
	Out      Progress = "out"      // has withdrawn, or may no longer be asked: is not written to
)

const mostRole = 80

// Check says what is wrong with what is known of a respondent, at the field "role".
func (r Respondent) Check() error {
	var c errs.Check
	c.AtMost("role", r.Role, mostRole)
	return c.Err()
}

// InsertRespondentTx lists a respondent. It is idempotent by person. Without a code they get the survey's next one: R1,
// R2 … A code that somebody else has is ErrCodeTaken.
func (s *Surveys) InsertRespondentTx(ctx context.Context, tx *database.Tx, r Respondent) error {
	// Touching the survey makes inserters take turns and gives the next number.
	var number int64
	err := tx.QueryRow(ctx, `update survey set last_code = last_code + case when $3 = '' and not exists
		(select 1 from survey_respondent where survey_id = $1 and person_id = $4) then 1 else 0 end
		where id = $1 and study_id = $2 returning last_code`, r.Survey, r.Study, r.Code, r.Person).Scan(&number)
	if err != nil {
		return notFound(err, ErrNotFound)
	}
	if r.Code == "" {
		r.Code = "R" + strconv.FormatInt(number, 10)
	}
	_, err = tx.Exec(ctx, `insert into survey_respondent (survey_id, person_id, study_id, code, code_order, case_id, role, size, informant, state, invited_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0) on conflict (survey_id, person_id) do nothing`,
		r.Survey, r.Person, r.Study, r.Code, natural.Key(r.Code), r.Case, r.Role, r.Size, r.Informant, Listed)
	if errors.Is(err, database.ErrDuplicate) {
		return ErrCodeTaken
	}
	if err != nil {
		return fmt.Errorf("list respondent: %w", err)
	}
	return nil
}

// InsertAllTx lists people who are new to a survey, none of them an informant, in their order and under its next codes.
func (s *Surveys) InsertAllTx(ctx context.Context, tx *database.Tx, study id.Study, survey id.Survey, people []Respondent) error {
	var last int64
	err := tx.QueryRow(ctx, "update survey set last_code = last_code + $3 where id = $1 and study_id = $2 returning last_code",
		survey, study, len(people)).Scan(&last)
	if err != nil {
		return notFound(err, ErrNotFound)
	}
	rows := make([][]any, len(people))
	for i, r := range people {
		code := "R" + strconv.FormatInt(last-int64(len(people)-i-1), 10)
		rows[i] = []any{survey, r.Person, study, code, natural.Key(code), r.Case, r.Role, r.Size, false, Listed, 0}
	}
	_, err = tx.Insert(ctx, "survey_respondent (survey_id, person_id, study_id, code, code_order, case_id, role, size, informant, state, invited_at)",
		rows, "on conflict (survey_id, person_id) do nothing")
	if errors.Is(err, database.ErrDuplicate) {
		return ErrCodeTaken
	}
	if err != nil {
		return fmt.Errorf("list respondents: %w", err)
	}
	return nil
}

// AddInformant lists an interviewed person, under the code and attributes they have in the study. Without their yes to
// being asked it is ErrNoConsent.
func (s *Surveys) AddInformant(ctx context.Context, actor audit.Actor, r Respondent) error {
	r.Informant = true
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		// First the row and then the consent, as inviting and withdrawing do.
		if err := s.InsertRespondentTx(ctx, tx, r); err != nil {
			return err
		}
		if err := s.allowed(ctx, tx, r.Study, r.Person, purposeContact); err != nil {
			return err
		}
		return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "survey.informant_added", Study: r.Study, Person: r.Person, Detail: string(r.Survey)})
	})
}

const respondentColumns = "r.person_id, r.survey_id, r.study_id, r.code, r.case_id, r.role, r.size, r.informant, r.invited_at, " + progress

// progress is how far respondent r has come: who has answered is said by the response alone.
const progress = `case when exists (select 1 from survey_response s where s.survey_id = r.survey_id and s.person_id = r.person_id and s.submitted_at > 0)
	then 'answered' else r.state end`

func scanRespondent(row database.Scanner) (r Respondent, err error) {
	err = row.Scan(&r.Person, &r.Survey, &r.Study, &r.Code, &r.Case, &r.Role, &r.Size, &r.Informant, &r.InvitedAt, &r.State)
	return r, err
}

// Respondents returns everybody asked in a survey, by code.
func (s *Surveys) Respondents(ctx context.Context, study id.Study, survey id.Survey) ([]Respondent, error) {
	return database.All(ctx, s.db, scanRespondent, "select "+respondentColumns+
		" from survey_respondent r where r.survey_id = $1 and r.study_id = $2 order by r.code_order", survey, study)
}

// Codes returns the codes of some persons, as far as a survey of the study has them on its list. Who is on several has one.
func (s *Surveys) Codes(ctx context.Context, study id.Study, persons []id.Person) (map[id.Person]string, error) {
	codes := map[id.Person]string{}
	for some := range database.Chunks(persons) {
		list, args := database.In(some, study)
		err := database.Each(ctx, s.db, func(row database.Scanner) error {
			var person id.Person
			var code string
			err := row.Scan(&person, &code)
			codes[person] = code
			return err
		}, "select person_id, code from survey_respondent where study_id = $1 and person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("read codes: %w", err)
		}
	}
	return codes, nil
}

// RespondentOf returns one of them, or ErrNotRespondent.
func (s *Surveys) RespondentOf(ctx context.Context, study id.Study, survey id.Survey, person id.Person) (Respondent, error) {
	r, err := scanRespondent(s.db.QueryRow(ctx, "select "+respondentColumns+
		" from survey_respondent r where r.survey_id = $1 and r.study_id = $2 and r.person_id = $3", survey, study, person))
	return r, notFound(err, ErrNotRespondent)
}

// Counts returns how many respondents have come how far.
func (s *Surveys) Counts(ctx context.Context, study id.Study, survey id.Survey) (map[Progress]int, error) {
	counts := map[Progress]int{}
	err := database.Each(ctx, s.db, func(row database.Scanner) error {
		var p Progress
		var n int
		err := row.Scan(&p, &n)
		counts[p] = n
		return err
	}, "select "+progress+" as far, count(*) from survey_respondent r where r.survey_id = $1 and r.study_id = $2 group by far", survey, study)
	return counts, err
}

// inviteAtOnce is how many invitations one transaction writes: enough to be cheap, few enough to let others in between.
const inviteAtOnce = 500

// Invite mails those of the given persons who are listed and not yet invited, and returns how many. An informant who no
// longer agrees to being asked is put out instead; whose data are only kept for now stays listed. ErrClosed unless the survey
// takes answers.
func (s *Surveys) Invite(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, persons []id.Person) (invited int, err error) {
	for chunk := range slices.Chunk(persons, inviteAtOnce) {
		n, err := s.inviteChunk(ctx, actor, study, survey, chunk)
		invited += n
		if err != nil {
			return invited, err
		}
	}
	return invited, nil
}

// InviteAll invites everybody who is listed and not yet invited. Memory does not grow with their number.
func (s *Surveys) InviteAll(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey) (invited int, err error) {
	after := place{order: []byte{}}
	for {
		// Whom the gate stops stays listed: each round goes on behind the one before.
		next, err := database.All(ctx, s.db, scanPlace, `select code_order, person_id from survey_respondent
			where survey_id = $1 and study_id = $2 and state = $3 and (code_order, person_id) > ($5, $6)
			order by code_order, person_id limit $4`, survey, study, Listed, inviteAtOnce, after.order, after.person)
		if err != nil || len(next) == 0 {
			return invited, err
		}
		persons := make([]id.Person, len(next))
		for i, one := range next {
			persons[i], after = one.person, one
		}
		n, err := s.inviteChunk(ctx, actor, study, survey, persons)
		invited += n
		if err != nil {
			return invited, err
		}
	}
}

// place is where somebody stands in a survey's list.
type place struct {
	order  []byte
	person id.Person
}

func scanPlace(row database.Scanner) (p place, err error) {
	err = row.Scan(&p.order, &p.person)
	return p, err
}

func (s *Surveys) inviteChunk(ctx context.Context, actor audit.Actor, study id.Study, survey id.Survey, persons []id.Person) (invited int, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		invited = 0
		if err := s.lockOpen(ctx, tx, study, survey); err != nil {
			return err
		}
		claimed, err := s.claim(ctx, tx, study, survey, persons)
		if err != nil {
			return err
		}
		if claimed, err = s.passOver(ctx, tx, study, survey, claimed); err != nil {
			return err
		}
		for _, r := range claimed {
			mailed, err := s.inviteOne(ctx, tx, r)
			if err != nil {
				return err
			}
			if mailed {
				invited++
			}
		}
		if len(claimed) == 0 {
			return nil
		}
		return s.append(ctx, tx, actor, study, "survey.invited", strconv.Itoa(invited))
	})
	if err != nil {
		return 0, fmt.Errorf("invite: %w", err)
	}
	return invited, nil
}

// lockOpen makes inviters of one survey take turns, and refuses one that takes no answers.
func (s *Surveys) lockOpen(ctx context.Context, tx *database.Tx, study id.Study, survey id.Survey) error {
	v, err := scanSurvey(tx.QueryRow(ctx, "update survey set version = version where id = $1 and study_id = $2 returning "+surveyColumns, survey, study))
	if err != nil {
		return notFound(err, ErrNotFound)
	}
	if !v.Takes(s.now()) {
		return ErrClosed
	}
	return nil
}

// claim moves the listed among persons to Invited and returns them by code.
func (s *Surveys) claim(ctx context.Context, tx *database.Tx, study id.Study, survey id.Survey, persons []id.Person) ([]Respondent, error) {
	list, args := database.In(persons, survey, study, Listed, Invited, s.now().UnixMilli())
	claimed, err := database.All(ctx, tx, func(row database.Scanner) (Respondent, error) {
		r := Respondent{Survey: survey, Study: study, State: Invited}
		err := row.Scan(&r.Person, &r.Code, &r.Informant)
		return r, err
	}, `update survey_respondent set state = $4, invited_at = $5
		where survey_id = $1 and study_id = $2 and state = $3 and person_id in `+list+` returning person_id, code, informant`, args...)
	slices.SortFunc(claimed, func(a, b Respondent) int { return natural.Compare(a.Code, b.Code) })
	return claimed, err
}

// passOver puts those back whom a no to answering or a restriction stops. It comes when their rows are held, so that a
// restriction at the same moment is seen here, or sees the invitation.
func (s *Surveys) passOver(ctx context.Context, tx *database.Tx, study id.Study, survey id.Survey, claimed []Respondent) ([]Respondent, error) {
	persons := make([]id.Person, len(claimed))
	for i, r := range claimed {
		persons[i] = r.Person
	}
	stopped, err := s.gate.Stopped(ctx, tx, study, purposeAnswer, persons)
	if err != nil || len(stopped) == 0 {
		return claimed, err
	}
	list, args := database.In(slices.Collect(maps.Keys(stopped)), survey, study, Listed)
	_, err = tx.Exec(ctx, "update survey_respondent set state = $3, invited_at = 0 where survey_id = $1 and study_id = $2 and person_id in "+list, args...)
	return slices.DeleteFunc(claimed, func(r Respondent) bool { return stopped[r.Person] != nil }), err
}

func (s *Surveys) inviteOne(ctx context.Context, tx *database.Tx, r Respondent) (mailed bool, err error) {
	if r.Informant {
		err := s.allowed(ctx, tx, r.Study, r.Person, purposeContact)
		if errors.Is(err, ErrNoConsent) {
			_, err = tx.Exec(ctx, "update survey_respondent set state = $3, invited_at = 0 where survey_id = $1 and person_id = $2", r.Survey, r.Person, Out)
			return false, err
		}
		if err != nil {
			return false, err
		}
	}
	return true, s.outbox.Enqueue(ctx, tx, mail.Mail{Study: r.Study, Person: r.Person, Kind: KindInvitation,
		Params: map[string]string{"survey": string(r.Survey)}, Key: KindInvitation + ":" + string(r.Survey) + ":" + string(r.Person)})
}

// HoldTx holds a respondent's places in a study's surveys until the transaction ends: whoever erases them waits.
// ErrNotRespondent for somebody who is asked in none, or not any more.
func (s *Surveys) HoldTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	n, err := tx.Exec(ctx, "update survey_respondent set state = state where study_id = $1 and person_id = $2", study, person)
	if err != nil {
		return fmt.Errorf("hold respondent: %w", err)
	}
	if n == 0 {
		return ErrNotRespondent
	}
	return nil
}

// Decline notes that a respondent has said no, and forgets their draft. Answers that were sent stay: taking those back
// is withdrawing.
func (s *Surveys) Decline(ctx context.Context, study id.Study, survey id.Survey, person id.Person) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "update survey_respondent set state = $4 where survey_id = $1 and study_id = $2 and person_id = $3", survey, study, person, Declined)
		if err != nil {
			return fmt.Errorf("decline: %w", err)
		}
		_, err = tx.Exec(ctx, "delete from survey_response where survey_id = $1 and study_id = $2 and person_id = $3 and submitted_at = 0", survey, study, person)
		return err
	})
}

// WithdrawTx takes a person out of all surveys of a study and deletes their drafts and answers. That they were asked
// stays, so that the response rate remains true.
func (s *Surveys) WithdrawTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	// The respondent's row first: saving holds it too, so that no draft slips in behind the deletion.
	for _, statement := range []string{
		"update survey_respondent set state = 'out' where study_id = $1 and person_id = $2",
		"delete from survey_response where study_id = $1 and person_id = $2",
	} {
		if _, err := tx.Exec(ctx, statement, study, person); err != nil {
			return fmt.Errorf("withdraw from surveys: %w", err)
		}
	}
	return nil
}

// LetOffTx puts an informant who no longer wants to be asked out of the study's surveys, and forgets a draft. Answers that
// were sent stay: taking those back is withdrawing.
func (s *Surveys) LetOffTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	_, err := s.putOut(ctx, tx, study, person, "informant")
	return err
}

// RefuseTx is LetOffTx for whoever does not want to be asked by this study again, informant or not, and says whether that
// is new. Who declined a survey already is counted as that.
func (s *Surveys) RefuseTx(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) (moved bool, err error) {
	return s.putOut(ctx, tx, study, person, "state <> 'declined'")
}

func (s *Surveys) putOut(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, whom string) (moved bool, err error) {
	n, err := tx.Exec(ctx, "update survey_respondent set state = 'out' where study_id = $1 and person_id = $2 and state <> 'out' and "+whom, study, person)
	if err == nil {
		_, err = tx.Exec(ctx, "delete from survey_response where study_id = $1 and person_id = $2 and submitted_at = 0", study, person)
	}
	if err != nil {
		return false, fmt.Errorf("put out of surveys: %w", err)
	}
	return n > 0, nil
}

// ListedAmong says how many of some people are listed in a survey and not yet invited.
func (s *Surveys) ListedAmong(ctx context.Context, study id.Study, survey id.Survey, people []id.Person) (listed int, err error) {
	for some := range database.Chunks(people) {
		list, args := database.In(some, survey, study, Listed)
		var n int
		err := s.db.QueryRow(ctx, `select count(*) from survey_respondent
			where survey_id = $1 and study_id = $2 and state = $3 and person_id in `+list, args...).Scan(&n)
		if err != nil {
			return 0, fmt.Errorf("count listed: %w", err)
		}
		listed += n
	}
	return listed, nil
}
