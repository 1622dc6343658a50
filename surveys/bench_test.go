package surveys_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/surveys"
)

const benchAnswers = 40

func benchForm() (f surveys.Form, answers surveys.Answers) {
	f, answers = form(), surveys.Answers{}
	f.Pages = []surveys.Page{{}}
	for i := range benchAnswers {
		name := fmt.Sprintf("item_%02d", i)
		f.Pages[0].Questions = append(f.Pages[0].Questions, surveys.Question{Name: name, Type: surveys.Likert, Scale: "importance", Label: text("Hvor mye?")})
		answers[name] = fmt.Sprint(1 + i%5)
	}
	return f, answers
}

// BenchmarkSubmit sends drafts of 40 answers, with gate, validation, thanks and respondents included, beside a yardstick
// in the same run: the same bytes into a bare table through a bare group-commit writer. "of-yardstick" is our rate over
// its rate. "stored" is how many responses the survey holds before the first.
func BenchmarkSubmit(b *testing.B) {
	for _, run := range []struct{ clients, stored int }{{8, 0}, {64, 0}, {64, 100_000}} {
		b.Run(fmt.Sprintf("clients=%d/stored=%d", run.clients, run.stored), func(b *testing.B) {
			folder := b.TempDir()
			db, err := database.Open(b.Context(), filepath.Join(folder, "study.db"), database.Study)
			must(b, err)
			defer db.Close()
			f := newField(b, db)
			v, answers := benchForm()
			f.survey, err = f.Create(b.Context(), staff, study, v)
			must(b, err)
			must(b, f.Open(b.Context(), staff, study, f.survey))
			body, err := json.Marshal(answers)
			must(b, err)
			fill(b, f, run.stored, string(body), true)
			persons := fill(b, f, b.N, string(body), false)
			b.ResetTimer()
			ours := share(run.clients, b.N, func(i int) { must(b, f.submit(b, persons[i])) })
			b.StopTimer()
			yard := yardstick(b, filepath.Join(folder, "yardstick.db"), run.clients, string(body))
			b.ReportMetric(yard.Seconds()/ours.Seconds(), "of-yardstick")
		})
	}
}

// fill lists n respondents with a draft each, or with a response.
func fill(b *testing.B, f *field, n int, answers string, sent bool) []id.Person {
	persons := make([]id.Person, n)
	must(b, f.db.Tx(b.Context(), func(tx *database.Tx) error {
		for i := range persons {
			persons[i] = id.New[id.Person]()
			if err := fillOne(b.Context(), tx, f, persons[i], answers, sent); err != nil {
				return err
			}
		}
		return nil
	}))
	return persons
}

func fillOne(ctx context.Context, tx *database.Tx, f *field, p id.Person, answers string, sent bool) error {
	_, err := tx.Exec(ctx, `insert into survey_respondent (survey_id, person_id, study_id, code, code_order, case_id, role, size, informant, state, invited_at)
		values ($1, $2, $3, $4, $5, '', '', '', false, $6, 0)`, f.survey, p, study, p, []byte(p), surveys.Started)
	if err != nil {
		return err
	}
	var submittedAt int64
	if sent {
		submittedAt = 1
	}
	_, err = tx.Exec(ctx, `insert into survey_response (survey_id, person_id, study_id, version, page, answers, revision, saved_at, lang, submitted_at)
		values ($1, $2, $3, 1, 0, $4, 1, 0, '', $5)`, f.survey, p, study, answers, submittedAt)
	return err
}

// share lets clients do n pieces of work and returns how long it took.
func share(clients, n int, do func(i int)) time.Duration {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// yardstick stores b.N bodies through one goroutine that commits whatever waits.
func yardstick(b *testing.B, path string, clients int, body string) time.Duration {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	must(b, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec("create table response (id integer primary key, survey integer not null, at integer not null, answers text not null)")
	must(b, err)
	insert, err := db.Prepare("insert into response (survey, at, answers) values (1, $1, $2)")
	must(b, err)
	waiting := make(chan chan error, 1024)
	go func() {
		for first := range waiting {
			batch := []chan error{first}
			err := commit(db, insert, body, waiting, &batch)
			for _, done := range batch {
				done <- err
			}
		}
	}()
	defer close(waiting)
	return share(clients, b.N, func(int) {
		var answers map[string]json.RawMessage
		must(b, json.Unmarshal([]byte(body), &answers))
		done := make(chan error, 1)
		waiting <- done
		must(b, <-done)
	})
}

func commit(db *sql.DB, insert *sql.Stmt, body string, waiting chan chan error, batch *[]chan error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for {
		if _, err := tx.Stmt(insert).Exec(time.Now().UnixMilli(), body); err != nil {
			return err
		}
		select {
		case next := <-waiting:
			*batch = append(*batch, next)
			continue
		default:
		}
		return tx.Commit()
	}
}
