package recruitment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// InsertAllTx adds candidates who are new to a study, in their order, in the caller's transaction. Who has no code gets the
// next one of their case, which begins with the case's own code as in cases, and has it in people then. The caller's act is
// the audit entry. A code that somebody else has is ErrCodeTaken, whatever else is wrong is Invalid.
func (r *Recruitment) InsertAllTx(ctx context.Context, tx *database.Tx, study id.Study, people []Participant, cases map[id.Case]string) error {
	if err := giveCodes(ctx, tx, study, people, cases); err != nil {
		return err
	}
	own := make([]map[string]string, len(people))
	for i, p := range people {
		own[i] = p.Attributes
	}
	if err := checkValues(ctx, tx, study, own...); err != nil {
		return err
	}
	last := map[id.Case]string{} // the code with the highest number
	for some := range slices.Chunk(people, mostAtOnce) {
		if err := r.insertSome(ctx, tx, study, some); err != nil {
			return err
		}
		for _, p := range some {
			if number(p.Code) > number(last[p.Case]) {
				last[p.Case] = p.Code
			}
		}
	}
	for _, caseID := range slices.Sorted(maps.Keys(last)) {
		if err := noteNumber(ctx, tx, study, caseID, last[caseID]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recruitment) insertSome(ctx context.Context, tx *database.Tx, study id.Study, some []Participant) error {
	now := r.now().UnixMilli()
	var rows, own [][]any
	for i := range some {
		p := &some[i]
		d := p.details()
		if err := d.clean(); err != nil {
			return err
		}
		p.Study, p.Code = study, d.Code
		rows = append(rows, p.row(d, now))
		own = append(own, valueRows(study, p.ID, p.Attributes)...)
	}
	if _, err := insert(ctx, tx, rows); err != nil {
		return err
	}
	return insertValues(ctx, tx, own)
}

// number is that at the end of a code, 0 where there is none.
func number(code string) int64 {
	n, _ := strconv.ParseInt(codeNumber.FindString(code), 10, 64)
	return n
}

// giveCodes gives the next codes of each case, passing over those that somebody has.
func giveCodes(ctx context.Context, tx *database.Tx, study id.Study, people []Participant, cases map[id.Case]string) error {
	wanting := map[id.Case][]*Participant{}
	own := map[string]bool{}
	for i := range people {
		p := &people[i]
		if p.Code == "" {
			wanting[p.Case] = append(wanting[p.Case], p)
		}
		own[asCode(p.Code)] = true
	}
	for _, caseID := range slices.Sorted(maps.Keys(wanting)) {
		var highest int64
		// Touching the row makes those who give codes in this case take turns.
		err := tx.QueryRow(ctx, `insert into code_number (study_id, case_id, highest) values ($1, $2, 0)
			on conflict (study_id, case_id) do update set highest = code_number.highest returning highest`, study, caseID).Scan(&highest)
		if err != nil {
			return fmt.Errorf("next codes: %w", err)
		}
		rest := wanting[caseID]
		for len(rest) > 0 {
			free, err := freeCodes(ctx, tx, study, cases[caseID], &highest, min(len(rest), mostAtOnce), own)
			if err != nil {
				return err
			}
			for i, code := range free {
				rest[i].Code = code
			}
			rest = rest[len(free):]
		}
	}
	return nil
}

const mostAtOnce = 500

// freeCodes returns up to n codes behind highest that neither anybody nor the list itself has.
func freeCodes(ctx context.Context, q database.Querier, study id.Study, caseCode string, highest *int64, n int, own map[string]bool) ([]string, error) {
	var codes []string
	for range n {
		*highest++
		if code := codeOf(caseCode, *highest); !own[code] {
			codes = append(codes, code)
		}
	}
	taken, err := holders(ctx, q, study, codes)
	return slices.DeleteFunc(codes, func(code string) bool { return taken[code] != "" }), err
}

// Holders returns who in a study has each of some codes, written in upper case.
func (r *Recruitment) Holders(ctx context.Context, study id.Study, codes []string) (map[string]id.Person, error) {
	return holders(ctx, r.db, study, codes)
}

func holders(ctx context.Context, q database.Querier, study id.Study, codes []string) (map[string]id.Person, error) {
	found := map[string]id.Person{}
	for some := range database.Chunks(codes) {
		list, args := database.In(some, study)
		err := database.Each(ctx, q, func(row database.Scanner) error {
			var code string
			var person id.Person
			err := row.Scan(&code, &person)
			found[code] = person
			return err
		}, "select code, person_id from participant where study_id = $1 and code <> '' and code in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("read codes: %w", err)
		}
	}
	return found, nil
}
