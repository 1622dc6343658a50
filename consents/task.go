package consents

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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

// Requests lists the kinds of Task that a person asks for, in the order in which they are offered.
var Requests = []string{AnswerAccess, AnswerCorrection, AnswerRestrict, AnswerObject, AnswerOther}

var (
	// ErrNoTask is a NotFound: there is no such task, it is another study's, or it is not as it has to be.
	ErrNoTask = errs.New(errs.NotFound, "consents.no_task")
	// ErrNotExtended is a Conflict: a request takes longer once, and the person is told within the first month.
	ErrNotExtended = errs.New(errs.Conflict, "consents.not_extended")
)

// Task is something that a member of the team has to do by hand.
type Task struct {
	ID       id.Task
	Study    id.Study
	Person   id.Person // empty once the person is erased
	Code     string    // the participant's, such as A3
	Kind     string
	Note     id.Note // what they wrote, in the vault; empty if nothing
	MadeAt   int64   // UTC milliseconds, as all here
	DueAt    int64   // 0 where no law sets a day
	Extended bool
	DoneAt   int64 // 0 is open
	DoneBy   audit.Actor
}

// Requested says whether the person asked for it, and so waits for an answer.
func (t Task) Requested() bool { return slices.Contains(Requests, t.Kind) }

// Months that a request may take, and may take once the person was told why (GDPR article 12 (3)).
const (
	monthsToAnswer = 1
	monthsExtended = 3
)

// dueIn is the last millisecond of the day so many calendar months after an instant, in its zone. A month that lacks the
// day ends on its last one: what comes on 31 January is due on 28 February.
func dueIn(at time.Time, months int) int64 {
	y, m, d := at.Date()
	last := time.Date(y, m+time.Month(months)+1, 0, 0, 0, 0, 0, at.Location()).Day()
	return time.Date(y, m+time.Month(months), min(d, last)+1, 0, 0, 0, 0, at.Location()).UnixMilli() - 1
}

// AddTaskTx notes tasks that are open; an ID and MadeAt are set here where there is none.
func (c *Consents) AddTaskTx(ctx context.Context, tx *database.Tx, tasks ...Task) error {
	rows := make([][]any, len(tasks))
	for i, t := range tasks {
		rows[i] = []any{cmp.Or(t.ID, id.New[id.Task]()), t.Study, t.Person, t.Code, t.Kind, t.Note, cmp.Or(t.MadeAt, c.now().UnixMilli()), t.DueAt, false, 0, ""}
	}
	if _, err := tx.Insert(ctx, "task ("+taskColumns+")", rows, ""); err != nil {
		return fmt.Errorf("add tasks: %w", err)
	}
	return nil
}

// RequestTx notes what a person asks for as a task that is due in a month by the clocks of zone, and returns it. Asking
// again for the same while it is open adds nothing, unless there is something written.
func (c *Consents) RequestTx(ctx context.Context, tx *database.Tx, actor audit.Actor, zone *time.Location, t Task) (Task, error) {
	if !t.Requested() {
		return Task{}, ErrUnknown
	}
	if t.Note == "" {
		open, err := database.All(ctx, tx, scanTask, "select "+taskColumns+` from task
			where study_id = $1 and person_id = $2 and kind = $3 and done_at = 0 order by due_at, id`, t.Study, t.Person, t.Kind)
		if err != nil || len(open) > 0 {
			return append(open, Task{})[0], err
		}
	}
	now := c.now()
	t.ID, t.MadeAt, t.DueAt = id.New[id.Task](), now.UnixMilli(), dueIn(now.In(zone), monthsToAnswer)
	if err := c.AddTaskTx(ctx, tx, t); err != nil {
		return Task{}, err
	}
	return t, c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "request.made", Study: t.Study, Person: t.Person, Detail: t.Kind})
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

// ReopenTaskTx takes back that a task is done. The code of somebody who is erased is gone for good.
func (c *Consents) ReopenTaskTx(ctx context.Context, tx *database.Tx, actor audit.Actor, study id.Study, task id.Task) error {
	var person id.Person
	var kind string
	err := tx.QueryRow(ctx, `update task set done_at = 0, done_by = '' where id = $1 and study_id = $2 and done_at > 0
		returning person_id, kind`, task, study).Scan(&person, &kind)
	if errors.Is(err, database.ErrNoRows) {
		return ErrNoTask
	}
	if err != nil {
		return fmt.Errorf("reopen task: %w", err)
	}
	return c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "task.reopened", Study: study, Person: person, Detail: kind})
}

// ExtendTaskTx gives a request two months more, once and before its day has passed, and returns it. That the person is told
// is the caller's. ErrNotExtended for any other.
func (c *Consents) ExtendTaskTx(ctx context.Context, tx *database.Tx, actor audit.Actor, zone *time.Location, study id.Study, task id.Task) (Task, error) {
	t, err := taskOf(ctx, tx, study, task)
	if err != nil {
		return t, err
	}
	due := dueIn(time.UnixMilli(t.MadeAt).In(zone), monthsExtended)
	n, err := tx.Exec(ctx, `update task set extended = true, due_at = $4
		where id = $1 and study_id = $2 and done_at = 0 and person_id <> '' and not extended and due_at >= $3`, task, study, c.now().UnixMilli(), due)
	if err != nil {
		return t, fmt.Errorf("extend task: %w", err)
	}
	if n == 0 || !t.Requested() {
		return t, ErrNotExtended
	}
	t.Extended, t.DueAt = true, due
	return t, c.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "task.extended", Study: study, Person: t.Person, Detail: t.Kind})
}

const taskColumns = "id, study_id, person_id, code, kind, note, made_at, due_at, extended, done_at, done_by"

func scanTask(row database.Scanner) (t Task, err error) {
	err = row.Scan(&t.ID, &t.Study, &t.Person, &t.Code, &t.Kind, &t.Note, &t.MadeAt, &t.DueAt, &t.Extended, &t.DoneAt, &t.DoneBy)
	return t, err
}

// Task returns one task of a study, or ErrNoTask.
func (c *Consents) Task(ctx context.Context, study id.Study, task id.Task) (Task, error) {
	return taskOf(ctx, c.db, study, task)
}

func taskOf(ctx context.Context, q database.Querier, study id.Study, task id.Task) (Task, error) {
	t, err := scanTask(q.QueryRow(ctx, "select "+taskColumns+" from task where study_id = $1 and id = $2", study, task))
	if errors.Is(err, database.ErrNoRows) {
		return Task{}, ErrNoTask
	}
	if err != nil {
		return Task{}, fmt.Errorf("read task: %w", err)
	}
	return t, nil
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
