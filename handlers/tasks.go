package handlers

import (
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/identities"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// tasksPage is what members of the team have to do by hand: what people asked for, and what a withdrawal left.
type tasksPage struct {
	base
	Open []taskLine
	Done []taskLine
	Note *identities.Note // opened for this one showing, with
	Of   id.Task          // whose it is
}

// taskLine is one task by the code of whom it is about.
type taskLine struct {
	consents.Task
	Over   bool // its day has passed
	Soon   bool // or is near
	Person bool // they have a page
	By     string
}

// nearDay is how long before its day a task stands among what is to be done today.
const nearDay = 7 * 24 * time.Hour

// tasks shows the list; doing anything with it is the team's, the officer sees by code that it is done.
func (s *Server) tasks(v *visit) error {
	p, err := s.tasksPage(v)
	if err != nil {
		return err
	}
	return v.show("staff/tasks", p)
}

func (s *Server) tasksPage(v *visit) (p tasksPage, err error) {
	p = tasksPage{base: v.page("tasks.title")}
	p.Here = "tasks"
	open, err := s.Consents.OpenTasks(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	done, err := s.Consents.DoneTasks(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	var actors []audit.Actor
	var persons []id.Person
	for _, t := range slices.Concat(open, done) {
		actors, persons = append(actors, t.DoneBy), append(persons, t.Person)
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsOf(actors...), nil)
	if err != nil {
		return p, err
	}
	here, err := s.Recruitment.Codes(v.ctx(), v.study.ID, persons)
	for _, t := range open {
		p.Open = append(p.Open, v.taskLine(t, here))
	}
	for _, t := range done {
		line := v.taskLine(t, here)
		line.By = actorName(v.text, t.DoneBy, names)
		p.Done = append(p.Done, line)
	}
	p.Status = v.text.N("tasks.open", len(p.Open))
	return p, err
}

func (v *visit) taskLine(t consents.Task, here map[id.Person]string) taskLine {
	now := v.now().UnixMilli()
	return taskLine{Task: t, Over: t.DueAt > 0 && t.DueAt < now, Soon: t.DueAt > 0 && t.DueAt < now+nearDay.Milliseconds(),
		Person: t.Person != "" && here[t.Person] != ""}
}

// Late says whether the request may be given more time: once, and before its day.
func (l taskLine) Late() bool { return l.Requested() && !l.Extended && !l.Over && l.Task.Person != "" }

// What says what is to be done.
func (p tasksPage) What(l taskLine) string {
	key := "tasks.do." + l.Kind
	if l.Kind == consents.AnswerObject && p.Study.LegalBasis == studies.PublicInterest {
		key += "_interest"
	}
	if !p.Has(key) {
		return l.Kind // nothing is left out of a list of duties
	}
	return p.T(key)
}

// Whose is the code of whom it is about.
func (p tasksPage) Whose(l taskLine) string {
	if l.Code == "" {
		return p.T("tasks.erased")
	}
	return l.Code
}

// taskActed answers a form of the list.
func (s *Server) taskActed(v *visit, err error, done string) error {
	if err == nil {
		return v.seeOther(v.studyPath("/tasks"), done)
	}
	if !mendable(err) {
		return err
	}
	p, failed := s.tasksPage(v)
	if failed != nil {
		return failed
	}
	p.Form = v.againForm(err)
	return v.again(err, "staff/tasks", p)
}

func (v *visit) task() id.Task { return id.Task(v.Param("task")) }

func (s *Server) taskDone(v *visit) error {
	return s.taskActed(v, s.People.FinishTask(v.ctx(), v.actor(), v.study.ID, v.task(), true), "task_done")
}

func (s *Server) taskReopen(v *visit) error {
	return s.taskActed(v, s.People.FinishTask(v.ctx(), v.actor(), v.study.ID, v.task(), false), "task_reopened")
}

func (s *Server) taskExtend(v *visit) error {
	return s.taskActed(v, s.People.ExtendTask(v.ctx(), v.actor(), v.study, v.task()), "task_extended")
}

// taskOpen opens what somebody wrote, for this one showing. It is noted, as every opening is; who they are stays closed.
func (s *Server) taskOpen(v *visit) error {
	t, err := s.Consents.Task(v.ctx(), v.study.ID, v.task())
	if err != nil {
		return err
	}
	if t.Person == "" || t.Note == "" {
		return consents.ErrNoTask
	}
	note, err := s.Vault.OpenNote(v.ctx(), v.actor(), "request", v.study.ID, t.Person, t.Note)
	if err != nil {
		return s.taskActed(v, err, "")
	}
	p, err := s.tasksPage(v)
	if err != nil {
		return err
	}
	p.Note, p.Of = &note, t.ID
	// Without a script: the browser leaves this page by itself, and the words with it.
	v.Header("Refresh", fmt.Sprintf("%d; url=%s", nameOpen, v.studyPath("/tasks")))
	return v.show("staff/tasks", p)
}

// personRelease ends a restriction. The person hears of it a day before, by the mail that the same act writes.
func (s *Server) personRelease(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	return s.personActed(v, s.People.Release(v.ctx(), v.actor(), v.study.ID, one.ID), v.onePath(one.ID), "person_released")
}

// asked are the open tasks on the study's home: those with a day that is near first.
func (st standing) asked(b base) (tasks []task) {
	for _, t := range st.duties {
		one := task{Mark: "open", What: b.T("tasks.home", "Code", t.Code, "What", b.T("tasks.short."+t.Kind)), Address: b.At("/tasks"), Act: b.T("tasks.see")}
		if t.Code == "" {
			one.What = b.T("tasks.short." + t.Kind)
		}
		if t.DueAt > 0 {
			one.When = plainDay(b, time.UnixMilli(t.DueAt))
			if t.DueAt < b.Now.UnixMilli()+nearDay.Milliseconds() {
				one.Mark = "warn"
			}
		}
		if t.DueAt > 0 && t.DueAt < b.Now.UnixMilli() {
			one.Stamp = b.T("tasks.over")
		}
		tasks = append(tasks, one)
	}
	return tasks
}
