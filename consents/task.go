package consents

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Kinds of Task.
const (
	// What a withdrawal leaves to be done by hand.
	DeleteRecording = "delete_recording" // of a conversation that was held
	DeleteFiles     = "delete_files"     // transcripts, coding and workbooks outside this system
	CheckCalendar   = "check_calendar"   // an appointment that may stand in somebody's own calendar
	// Requests that need a human, to be answered within a month (GDPR article 12 (3)).
	AnswerAccess     = "answer_access"     // more than the page shows (article 15)
	AnswerCorrection = "answer_correction" // article 16
	AnswerRestrict   = "answer_restrict"   // article 18
	AnswerObject     = "answer_object"     // article 21
	AnswerOther      = "answer_other"
)

// ErrNoTask is a NotFound: there is no such task, it is another study's, or it is done.
var ErrNoTask = errs.New(errs.NotFound, "consents.no_task")

// Task is something that a member of the team has to do by hand.
type Task struct {
	ID     id.Task
	Study  id.Study
	Person id.Person // empty once the person is erased
	Code   string    // the participant's, such as A3
	Kind   string
	MadeAt int64 // UTC milliseconds, as all here
	DueAt  int64 // 0 where no law sets a day
	DoneAt int64 // 0 is open
	DoneBy audit.Actor
}

// AddTaskTx notes tasks; MadeAt is set here, and an ID where there is none.
func (c *Consents) AddTaskTx(ctx context.Context, tx *database.Tx, tasks ...Task) error {
	for _, t := range tasks {
		_, err := tx.Exec(ctx, `insert into task (id, study_id, person_id, code, kind, made_at, due_at, done_at, done_by)
			values ($1, $2, $3, $4, $5, $6, $7, 0, '')`, cmp.Or(t.ID, id.New[id.Task]()), t.Study, t.Person, t.Code, t.Kind, c.now().UnixMilli(), t.DueAt)
		if err != nil {
			return fmt.Errorf("add task: %w", err)
		}
	}
	return nil
}

// DoneTaskTx notes that a task is done. Of somebody who is erased nothing stays then but the kind of the task.
func (c *Consents) DoneTaskTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, task id.Task) error {
	var person id.Person
	var kind string
	err := tx.QueryRow(ctx, `update task set done_at = $3, done_by = $4, code = case when person_id = '' then '' else code end
		where id = $1 and study_id = $2 and done_at = 0 returning person_id, kind`, task, study, c.now().UnixMilli(), actor).Scan(&person, &kind)
	if errors.Is(err, database.ErrNoRows) {
		return ErrNoTask
	}
	if err != nil {
		return fmt.Errorf("finish task: %w", err)
	}
	return c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "task.done", Study: study, Person: person, Detail: kind})
}

const taskColumns = "id, study_id, person_id, code, kind, made_at, due_at, done_at, done_by"

func scanTask(row database.Scanner) (t Task, err error) {
	err = row.Scan(&t.ID, &t.Study, &t.Person, &t.Code, &t.Kind, &t.MadeAt, &t.DueAt, &t.DoneAt, &t.DoneBy)
	return t, err
}

const doneShown = 50

// OpenTasks lists what is to be done in a study: what has a day first, by that day, then by age.
func (c *Consents) OpenTasks(ctx context.Context, study id.Study) ([]Task, error) {
	return database.All(ctx, c.db, scanTask, "select "+taskColumns+` from task where study_id = $1 and done_at = 0
		order by case when due_at = 0 then 1 else 0 end, due_at, made_at, id`, study)
}

// DoneTasks lists what was done last.
func (c *Consents) DoneTasks(ctx context.Context, study id.Study) ([]Task, error) {
	return database.All(ctx, c.db, scanTask, "select "+taskColumns+` from task where study_id = $1 and done_at > 0
		order by done_at desc, id limit $2`, study, doneShown)
}

// TasksOf lists a person's tasks, oldest first.
func (c *Consents) TasksOf(ctx context.Context, study id.Study, person id.Person) ([]Task, error) {
	return database.All(ctx, c.db, scanTask, "select "+taskColumns+` from task where study_id = $1 and person_id = $2 and person_id <> ''
		order by made_at, id`, study, person)
}
