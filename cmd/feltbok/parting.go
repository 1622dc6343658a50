package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/intents"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"
)

// byHandWithin is how long the team has for what has to be done by hand.
const byHandWithin = 30 * 24 * time.Hour

// leaver is what is to be known of somebody who takes something back, before the transaction in which they do.
type leaver struct {
	study    studies.Study
	person   id.Person
	code     string
	exported bool         // a file that may hold them was handed out
	team     []id.Account // who does by hand what has to be done
}

// leaver reads it. Somebody who is not there has no code, and is refused by the transaction.
func (p *people) leaver(ctx context.Context, study id.Study, person id.Person) (who leaver, err error) {
	who.person = person
	if who.study, err = p.Studies.Get(ctx, study); err != nil {
		return who, err
	}
	members, err := p.Studies.Members(ctx, study)
	if err != nil {
		return who, err
	}
	for _, m := range members {
		if m.Role == studies.Owner || m.Role == studies.Researcher {
			who.team = append(who.team, m.Account)
		}
	}
	since := int64(0)
	if who.code, since, err = p.knownAs(ctx, study, person); err != nil || since == 0 {
		return who, err
	}
	last, err := p.Audit.Last(ctx, study, "export.made")
	who.exported = last >= since
	return who, err
}

// knownAs is a person's code, and since when a workbook may hold something under it; 0 where none can.
func (p *people) knownAs(ctx context.Context, study id.Study, person id.Person) (code string, since int64, err error) {
	one, err := p.Recruitment.Get(ctx, study, person)
	switch {
	case err == nil:
		return one.Code, one.CreatedAt, nil
	case errs.KindOf(err) == errs.NotFound:
		return p.Surveys.AskedAs(ctx, study, person)
	}
	return "", 0, err
}

// leavings is what somebody leaves behind that no program can delete.
type leavings struct {
	held      bool // an interview
	recording bool // was agreed to
	awaited   bool // an appointment stands in calendars
	exported  bool
}

// leavings asks in the transaction that ends it, before anything is changed.
func (p *people) leavings(ctx context.Context, q database.Querier, who leaver) (l leavings, err error) {
	standing, err := p.Consents.Standing(ctx, q, who.study.ID, who.person, consents.Recording)
	if err != nil {
		return l, err
	}
	l.recording, l.exported = standing == consents.Yes, who.exported
	if l.held, err = p.Interviews.Has(ctx, q, who.study.ID, who.person); err != nil {
		return l, err
	}
	l.awaited, err = p.Scheduling.Awaited(ctx, q, who.study.ID, who.person)
	return l, err
}

// after is what has to be done by hand once these purposes are taken back.
func (l leavings) after(ended ...string) (tasks []string) {
	talk := slices.Contains(ended, consents.Interview)
	if l.held && l.recording && (talk || slices.Contains(ended, consents.Recording)) {
		tasks = append(tasks, consents.DeleteRecording)
	}
	if l.held && talk || l.exported && (talk || slices.Contains(ended, consents.Survey)) {
		tasks = append(tasks, consents.DeleteFiles)
	}
	if l.awaited && talk {
		tasks = append(tasks, consents.CheckCalendar)
	}
	return tasks
}

// Parting says what would become of somebody who withdrew now. It changes nothing.
func (p *people) Parting(ctx context.Context, study id.Study, person id.Person) (handlers.Parting, error) {
	who, err := p.leaver(ctx, study, person)
	if err != nil {
		return handlers.Parting{}, err
	}
	return p.parting(ctx, p.db, who)
}

func (p *people) parting(ctx context.Context, q database.Querier, who leaver) (parting handlers.Parting, err error) {
	left, err := p.leavings(ctx, q, who)
	if err != nil {
		return parting, err
	}
	parting = handlers.Parting{Fate: who.study.OnWithdrawal, ByHand: left.after(consents.Purposes...), Due: p.now().Add(byHandWithin)}
	answered, err := p.Consents.HasAnswered(ctx, q, who.study.ID, who.person)
	if answered {
		parting.ProofUntil = who.study.ProofUntil(p.now())
	}
	return parting, err
}

// handOver notes what the team has to do by hand, and writes to them. The mail names the tasks by their ids: what they say is
// read when it is sent, so that no code of somebody erased lies in the outbox.
func (p *people) handOver(ctx context.Context, tx *database.Tx, who leaver, kinds []string) error {
	if len(kinds) == 0 {
		return nil
	}
	var tasks []consents.Task
	var named []string
	for _, kind := range kinds {
		task := consents.Task{ID: id.New[id.Task](), Study: who.study.ID, Person: who.person, Code: who.code, Kind: kind,
			DueAt: p.now().Add(byHandWithin).UnixMilli()}
		tasks, named = append(tasks, task), append(named, string(task.ID))
	}
	if err := p.Consents.AddTaskTx(ctx, tx, tasks...); err != nil {
		return err
	}
	for _, account := range who.team {
		err := p.Outbox.Enqueue(ctx, tx, mail.Mail{Study: who.study.ID, Account: account, Kind: handlers.MailByHand,
			Params: map[string]string{"tasks": strings.Join(named, ",")}})
		if err != nil {
			return err
		}
	}
	return nil
}

// keepProof is the step that comes before the person's key is destroyed.
func (p *people) keepProof(ctx context.Context, in intents.Intent) error {
	a, err := readAct(in)
	if err != nil || a.Proof == "" {
		return err
	}
	return p.keepProofOf(ctx, a.By, in.Study, in.Person, a.Proof, time.UnixMilli(a.Until))
}

// keepProofOf keeps the proof of one person's consent until a time, under the id given: doing it again is doing it once. It is for
// every act that erases somebody, before their key is destroyed. Who never answered anything leaves none.
func (p *people) keepProofOf(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, proof id.Proof, until time.Time) error {
	state, err := p.Consents.State(ctx, study, person)
	if err != nil || len(state.Acts) == 0 {
		return err
	}
	acts := slices.Clone(state.Acts)
	for i := range acts {
		// The random id would tie the entries of the chain to a name.
		if acts[i].Actor == audit.Participant(person) {
			acts[i].Actor = handlers.Themselves
		}
		acts[i].Person = ""
	}
	return p.Vault.KeepProof(ctx, actor, study, person, proof, until, acts)
}
