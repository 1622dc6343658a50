package consents

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Standings lists what can stand for a purpose.
var Standings = []string{Yes, No, Unasked}

// RegisterQuery asks for one page of the register.
type RegisterQuery struct {
	Purpose, Standing string // both or neither: only people for whom this stands
	Audience          string // with Version: only people whose newest answer is to this letter
	Version           int
	After             string // Registered.Cursor of the last one seen; what is no cursor is the first page
	Limit             int
}

// Registered is what stands for one person, and what that rests on.
type Registered struct {
	Person     id.Person
	Standings  map[string]string // Yes or No; a purpose never asked about is missing
	Letter     id.Letter         // answered to last
	Audience   string
	Version    int
	Newest     int    // version for that audience
	Language   string // in which it was read
	Hash       string
	Means      string
	Withdrawal bool  // the newest act took a yes back
	At         int64 // of the newest act, UTC milliseconds
	Acts       int   // so far
}

// Outdated says whether a newer letter was published since.
func (r Registered) Outdated() bool { return r.Newest > r.Version }

// Cursor is where the register goes on behind this person.
func (r Registered) Cursor() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(r.At, 10) + " " + string(r.Person)))
}

func parseCursor(cursor string) (at int64, person string) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	first, last, found := strings.Cut(string(text), " ")
	at, wrong := strconv.ParseInt(first, 10, 64)
	if err != nil || wrong != nil || !found || !id.Valid(id.Person(last)) {
		return 1<<63 - 1, ""
	}
	return at, last
}

// Register lists whoever has answered anything in a study and is not erased, by when they last did, newest first. One
// statement reads a page: it walks an index until the page is full.
func (c *Consents) Register(ctx context.Context, study id.Study, q RegisterQuery) (page []Registered, err error) {
	query, args := q.statement(study)
	err = database.Each(ctx, c.db, func(row database.Scanner) error {
		var r Registered
		var purpose string
		var yes bool
		if err := row.Scan(&r.Person, &r.At, &r.Acts, &r.Means, &r.Withdrawal, &r.Letter, &r.Hash, &r.Audience, &r.Version, &r.Language,
			&r.Newest, &purpose, &yes); err != nil {
			return err
		}
		if len(page) == 0 || page[len(page)-1].Person != r.Person {
			r.Standings = map[string]string{}
			page = append(page, r)
		}
		page[len(page)-1].Standings[purpose] = word(yes)
		return nil
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read register: %w", err)
	}
	return page, nil
}

// statement takes the newest act of each person. A withdrawal names the letter that was answered to last, so every newest act
// says which letter stands.
func (q RegisterQuery) statement(study id.Study) (string, []any) {
	at, person := parseCursor(q.After)
	args := []any{study, at, person, q.Limit}
	arg := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	conditions := ""
	if q.Purpose != "" {
		stands := "(select answer from consent_item i where i.study_id = $1 and i.purpose = " + arg(q.Purpose) + " and i.person_id = a.person_id order by i.number desc limit 1)"
		switch q.Standing {
		case Yes:
			conditions += " and " + stands
		case No:
			conditions += " and not " + stands
		default:
			conditions += " and " + stands + " is null"
		}
	}
	if q.Version > 0 {
		conditions += " and l.audience = " + arg(q.Audience) + " and l.version = " + arg(q.Version)
	}
	return `with page as (
			select a.person_id, a.at, a.number, a.means, a.withdrawal, a.letter_id, a.letter_hash, l.audience, l.version, a.language
			from consent_act a join letter l on l.id = a.letter_id
			where a.study_id = $1 and (a.at, a.person_id) < ($2, $3)
			and not exists (select 1 from consent_act b where b.person_id = a.person_id and b.number > a.number)` + conditions + `
			order by a.at desc, a.person_id desc limit $4)
		select p.person_id, p.at, p.number, p.means, p.withdrawal, p.letter_id, p.letter_hash, p.audience, p.version, p.language,
			(select max(version) from letter n where n.study_id = $1 and n.audience = p.audience), i.purpose, i.answer
		from page p join consent_item i on i.person_id = p.person_id
		order by p.at desc, p.person_id desc, i.number`, args
}

// Answered returns how many people answered to each letter, whatever they answered later. Who is erased is not counted.
func (c *Consents) Answered(ctx context.Context, study id.Study) (map[id.Letter]int, error) {
	counts := map[id.Letter]int{}
	err := database.Each(ctx, c.db, func(row database.Scanner) error {
		var letter id.Letter
		var n int
		err := row.Scan(&letter, &n)
		counts[letter] = n
		return err
	}, `select l.id, count(distinct a.person_id) from letter l join consent_act a on a.letter_id = l.id
		where l.study_id = $1 and not a.withdrawal group by l.id`, study)
	if err != nil {
		return nil, fmt.Errorf("count answers to letters: %w", err)
	}
	return counts, nil
}
