package recruitment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// InsertAllTx adds candidates who are new to a study, in their order, in the caller's transaction. Who has no code gets the
// next one of their case, which begins with the case's own code as in cases, and has it in people then. The caller's act is the audit entry. A code
// that somebody else has is ErrCodeTaken, whatever else is wrong is Invalid.
func (r *Recruitment) InsertAllTx(ctx context.Context, tx *database.Tx, study id.Study, people []Participant, cases map[id.Case]string) error {
	if err := giveCodes(ctx, tx, study, people, cases); err != nil {
		return err
	}
	if err := checkAll(ctx, tx, study, people); err != nil {
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
	var rows, values [][]any
	for i := range some {
		p := &some[i]
		d := p.details()
		if err := d.clean(); err != nil {
			return err
		}
		p.Study, p.Code = study, d.Code
		rows = append(rows, p.row(d, now))
		for key, value := range p.Attributes {
			values = append(values, []any{p.ID, key, study, value})
		}
	}
	if _, err := insert(ctx, tx, rows); err != nil {
		return err
	}
	if _, err := tx.Insert(ctx, "participant_attribute (person_id, key, study_id, value)", values, ""); err != nil {
		return fmt.Errorf("set attributes: %w", err)
	}
	return nil
}

// number is that at the end of a code, 0 where there is none.
func number(code string) int64 {
	n, _ := strconv.ParseInt(codeNumber.FindString(code), 10, 64)
	return n
}

// checkAll refuses attributes and values that the study does not have any more.
func checkAll(ctx context.Context, q database.Querier, study id.Study, people []Participant) error {
	known, err := attributes(ctx, q, study)
	if err != nil {
		return err
	}
	offered := map[string][]string{}
	for _, a := range known {
		offered[a.Key] = a.Values
	}
	var c errs.Check
	for _, p := range people {
		for key, value := range p.Attributes {
			if !slices.Contains(offered[key], value) {
				c.Add("attribute_"+key, "recruitment.choose")
				return c.Err()
			}
		}
	}
	return nil
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
		own[strings.ToUpper(strings.TrimSpace(p.Code))] = true
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
			free, err := freeCodes(ctx, tx, study, strings.ToUpper(cases[caseID]), &highest, min(len(rest), mostAtOnce), own)
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
func freeCodes(ctx context.Context, q database.Querier, study id.Study, prefix string, highest *int64, n int, own map[string]bool) ([]string, error) {
	var codes []string
	for range n {
		*highest++
		if code := prefix + strconv.FormatInt(*highest, 10); !own[code] {
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
