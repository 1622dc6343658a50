package handlers

import (
	"fmt"
	"strings"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/recruitment"
)

// batchListPage is the letters that were sent together, the newest first.
type batchListPage struct {
	asking
	Rows []batchRow
}

// batchRow is a batch and what has become of its letters.
type batchRow struct {
	recruitment.Batch
	Counts map[mail.State]int
	By     string // who sent it
}

// In is how many letters are in a state.
func (b batchRow) In(state string) int { return b.Counts[mail.State(state)] }

// Gone is how many letters of the batch were forgotten with their recipients.
func (b batchRow) Gone() int {
	n := b.Size
	for _, count := range b.Counts {
		n -= count
	}
	return max(0, n)
}

// Done is how many letters wait no more.
func (b batchRow) Done() int { return b.Size - b.Counts[mail.Waiting] }

// mostBatches is how many the list shows.
const mostBatches = 100

func (s *Server) batchList(v *visit) error {
	p := batchListPage{asking: asking{v.page("invite.list_title")}}
	p.Here = "candidates"
	batches, err := s.Recruitment.Batches(v.ctx(), v.study.ID, mostBatches)
	if err != nil {
		return err
	}
	if p.Rows, err = s.batchRows(v, batches); err != nil {
		return err
	}
	return v.show("staff/batches", p)
}

// batchRows adds what has become of the letters, and who sent them.
func (s *Server) batchRows(v *visit, batches []recruitment.Batch) ([]batchRow, error) {
	var ids []id.Batch
	var accounts []id.Account
	for _, b := range batches {
		ids = append(ids, b.ID)
		if account, ok := strings.CutPrefix(string(b.Actor), accountActor); ok {
			accounts = append(accounts, id.Account(account))
		}
	}
	counts, err := s.Outbox.BatchCounts(v.ctx(), ids...)
	if err != nil {
		return nil, err
	}
	found, err := s.Auth.Accounts(v.ctx(), accounts...)
	rows := make([]batchRow, len(batches))
	for i, b := range batches {
		rows[i] = batchRow{b, counts[b.ID], found[id.Account(strings.TrimPrefix(string(b.Actor), accountActor))].Name}
	}
	return rows, err
}

// batchPage is how far one batch has come.
type batchPage struct {
	asking
	Batch  batchRow
	Ends   int64 // when the last waiting letter is due, 0 if none waits
	Failed []failedLetter
	More   int // failed ones that are not shown
}

type failedLetter struct {
	mail.Row
	Code string
}

const (
	mostFailed = 100
	// A page that shows itself again would keep a session alive for as long as it stands open: after some turns it waits
	// to be asked.
	batchRefresh = 15 // seconds
	batchTurns   = 40
)

func (s *Server) batchShow(v *visit) error {
	p, err := s.batchPageOf(v)
	if err != nil {
		return err
	}
	if turn := digitsOr(v.Query("turn"), 0); p.Batch.Counts[mail.Waiting] > 0 && turn >= 0 && turn < batchTurns {
		v.Header("Refresh", fmt.Sprintf("%d; url=%s?turn=%d", batchRefresh, v.batchPath(p.Batch.ID), turn+1))
	}
	return v.show("staff/batch", p)
}

func (v *visit) batchPath(batch id.Batch) string { return v.studyPath("/invitations/" + string(batch)) }

func (s *Server) batchPageOf(v *visit) (batchPage, error) {
	p := batchPage{asking: asking{v.page("invite.batch_title")}}
	p.Here = "candidates"
	batch, err := s.Recruitment.Batch(v.ctx(), v.study.ID, id.Batch(v.Param("batch")))
	if err != nil {
		return p, err
	}
	rows, err := s.batchRows(v, []recruitment.Batch{batch})
	if err != nil {
		return p, err
	}
	p.Batch = rows[0]
	if p.Ends, err = s.Outbox.BatchEnd(v.ctx(), batch.ID); err != nil {
		return p, err
	}
	failed, err := s.Outbox.BatchFailed(v.ctx(), batch.ID, mostFailed)
	if err != nil {
		return p, err
	}
	persons := make([]id.Person, len(failed))
	for i, row := range failed {
		persons[i] = row.Person
	}
	codes, err := s.Recruitment.Codes(v.ctx(), v.study.ID, persons)
	for _, row := range failed {
		p.Failed = append(p.Failed, failedLetter{row, codes[row.Person]})
	}
	p.More = p.Batch.Counts[mail.Failed] - len(p.Failed)
	return p, err
}

// Percent is how much of the batch waits no more.
func (b batchRow) Percent() int { return percentOf(b.Done(), max(1, b.Size)) }

// batchRetry puts one failed letter back into the queue, or all of the batch.
func (s *Server) batchRetry(v *visit) error {
	batch, err := s.Recruitment.Batch(v.ctx(), v.study.ID, id.Batch(v.Param("batch")))
	if err != nil {
		return err
	}
	if one := v.value("mail"); one != "" {
		err = s.Outbox.Retry(v.ctx(), v.actor(), v.study.ID, id.Mail(one))
	} else {
		_, err = s.Outbox.RetryBatch(v.ctx(), v.actor(), v.study.ID, batch.ID)
	}
	return s.batchActed(v, err, "mail_retried")
}

func (s *Server) batchStop(v *visit) error {
	err := s.People.StopLetters(v.ctx(), v.actor(), v.study.ID, id.Batch(v.Param("batch")))
	return s.batchActed(v, err, "invite_stopped")
}

func (s *Server) batchActed(v *visit, err error, done string) error {
	if err == nil {
		return v.seeOther(v.batchPath(id.Batch(v.Param("batch"))), done)
	}
	if !mendable(err) {
		return err
	}
	p, failed := s.batchPageOf(v)
	if failed != nil {
		return failed
	}
	p.Form = v.againForm(err)
	return v.again(err, "staff/batch", p)
}

// selection is whom a batch is about, by code: people named in the address, or whom the list's filter there finds.
func (s *Server) selection(v *visit) ([]recruitment.Participant, error) {
	named := v.QueryArray("person")
	if len(named) == 0 {
		return s.Recruitment.List(v.ctx(), v.study.ID, v.candidateFilter())
	}
	persons := make([]id.Person, len(named))
	for i, person := range named {
		persons[i] = id.Person(person)
	}
	return s.Recruitment.Some(v.ctx(), v.study.ID, persons)
}

// selectionPath is this page with whom it is about, and nothing that was asked of it once.
func (v *visit) selectionPath() string {
	query := v.Request.URL.Query()
	query.Del("lang")
	query.Del("done")
	return withValues(v.studyPath("/invitations/new"), query)
}

var (
	// errNobodyToInvite is a Conflict: the selection has nobody whom a letter could go to.
	errNobodyToInvite = errs.New(errs.Conflict, "invite.nobody")
	// errOtherSelection is a Conflict: it is not the selection that was shown any more.
	errOtherSelection = errs.New(errs.Conflict, "invite.changed")
)
