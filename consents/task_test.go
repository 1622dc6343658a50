package consents_test

import (
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// A month is a calendar month where the study is, to the end of the day.
func TestDueIn(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ made, want string }{
		{"2019-01-10 09:00", "2019-02-10 23:59"},
		{"2019-01-31 09:00", "2019-02-28 23:59"},
		{"2020-01-31 09:00", "2020-02-29 23:59"},
		{"2019-12-31 23:30", "2020-01-31 23:59"},
		{"2019-03-01 00:30", "2019-04-01 23:59"}, // summer time begins between them
		{"2019-02-28 22:30", "2019-03-28 23:59"},
	} {
		made, err := time.ParseInLocation("2006-01-02 15:04", c.made, oslo)
		if err != nil {
			t.Fatal(err)
		}
		if got := time.UnixMilli(consents.DueIn(made, 1)).In(oslo).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("made %s: due %s, want %s", c.made, got, c.want)
		}
	}
}

func (w *world) request(t *testing.T, person id.Person, kind string, note id.Note) (task consents.Task) {
	t.Helper()
	w.inTx(t, func(tx *database.Tx) (err error) {
		task, err = w.RequestTx(t.Context(), tx, audit.Participant(person), time.UTC, consents.Task{Study: w.study, Person: person, Code: "A3", Kind: kind, Note: note})
		return err
	})
	return task
}

func (w *world) tasks(t *testing.T) (open, done []consents.Task) {
	t.Helper()
	open, err := w.OpenTasks(t.Context(), w.study)
	if err == nil {
		done, err = w.DoneTasks(t.Context(), w.study)
	}
	if err != nil {
		t.Fatal(err)
	}
	return open, done
}

func TestTasksAreDoneAndUndone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, person := t.Context(), id.New[id.Person]()
		w.inTx(t, func(tx *database.Tx) error {
			return w.AddTaskTx(ctx, tx, consents.Task{Study: w.study, Person: person, Code: "A3", Kind: consents.DeleteRecording})
		})
		asked := w.request(t, person, consents.AnswerAccess, "")
		if again := w.request(t, person, consents.AnswerAccess, ""); again.ID != asked.ID {
			t.Error("asking again for the same made a second task")
		}
		if written := w.request(t, person, consents.AnswerAccess, "note"); written.ID == asked.ID {
			t.Error("what was written the second time is lost")
		}
		open, _ := w.tasks(t)
		if len(open) != 3 || open[0].ID != asked.ID && open[1].ID != asked.ID || open[2].Kind != consents.DeleteRecording {
			t.Fatalf("open %+v: want what has a day first", open)
		}
		finish := func(study id.Study) error {
			return w.db.Tx(ctx, func(tx *database.Tx) error { return w.DoneTaskTx(ctx, tx, staff, study, asked.ID) })
		}
		wantErr(t, finish("other"), consents.ErrNoTask)
		wantErr(t, finish(w.study), nil)
		wantErr(t, finish(w.study), consents.ErrNoTask)
		if open, done := w.tasks(t); len(open) != 2 || len(done) != 1 || done[0].DoneBy != staff || done[0].DoneAt != noon.UnixMilli() || done[0].Code != "A3" {
			t.Errorf("open %+v, done %+v", open, done)
		}
		w.inTx(t, func(tx *database.Tx) error { return w.ReopenTaskTx(ctx, tx, staff, w.study, asked.ID) })
		if open, done := w.tasks(t); len(open) != 3 || len(done) != 0 || open[0].DoneBy != "" {
			t.Errorf("after undoing: open %+v, done %+v", open, done)
		}
	})
}

func TestARequestIsExtendedOnceAndInTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, person := t.Context(), id.New[id.Person]()
		asked := w.request(t, person, consents.AnswerObject, "")
		extend := func(at time.Duration, task id.Task) (got consents.Task, err error) {
			c := w.later(at)
			err = w.db.Tx(ctx, func(tx *database.Tx) (err error) {
				got, err = c.ExtendTaskTx(ctx, tx, staff, time.UTC, w.study, task)
				return err
			})
			return got, err
		}
		_, err := extend(40*24*time.Hour, asked.ID)
		wantErr(t, err, consents.ErrNotExtended)
		got, err := extend(20*24*time.Hour, asked.ID)
		if err != nil || !got.Extended || got.DueAt != consents.DueIn(noon, 3) {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = extend(21*24*time.Hour, asked.ID)
		wantErr(t, err, consents.ErrNotExtended)
		w.inTx(t, func(tx *database.Tx) error {
			return w.AddTaskTx(ctx, tx, consents.Task{Study: w.study, Person: person, Code: "A3", Kind: consents.DeleteFiles, DueAt: noon.AddDate(0, 1, 0).UnixMilli()})
		})
		open, _ := w.tasks(t)
		_, err = extend(0, open[0].ID)
		wantErr(t, err, consents.ErrNotExtended) // what nobody asked for
		if open, _ := w.tasks(t); open[0].Extended {
			t.Error("a refused extension left its mark")
		}
	})
}

// Of somebody who is erased the team still sees what to delete elsewhere, by the code it is labelled with, until it is done.
func TestTasksOutliveTheirPersonByCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, person := t.Context(), id.New[id.Person]()
		w.inTx(t, func(tx *database.Tx) error {
			return w.AddTaskTx(ctx, tx, consents.Task{Study: w.study, Person: person, Code: "A3", Kind: consents.DeleteRecording})
		})
		w.request(t, person, consents.AnswerOther, "note")
		w.inTx(t, func(tx *database.Tx) error { return w.Erase(ctx, tx, person) })
		open, _ := w.tasks(t)
		if len(open) != 2 {
			t.Fatalf("open %+v", open)
		}
		for _, task := range open {
			if task.Person != "" || task.Note != "" || task.Code != "A3" {
				t.Errorf("after erasing: %+v", task)
			}
			w.inTx(t, func(tx *database.Tx) error { return w.DoneTaskTx(ctx, tx, staff, w.study, task.ID) })
		}
		if _, done := w.tasks(t); len(done) != 2 || done[0].Code != "" || done[1].Code != "" {
			t.Errorf("done %+v: want no code left", done)
		}
		if of, err := w.TasksOf(ctx, w.study, ""); err != nil || len(of) != 0 {
			t.Errorf("tasks of nobody: %+v, %v", of, err)
		}
	})
}
