package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/identities"
	"example.org/feltbok/imports"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/tabular"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/surveys"
)

// sifter reads a list part by part and says what becomes of each row.
type sifter struct {
	*people
	in     imports.Import
	frame  imports.Frame
	secret []byte
	rows   map[mark]int    // rows that are new, by what they are recognised by
	codes  map[string]bool // the codes that they bring along
}

// mark is the beginning of a keyed hash: 96 bits.
type mark [16]byte

func markOf(hash string) (m mark) {
	copy(m[:], hash)
	return m
}

// sifted is a row with what becomes of it.
type sifted struct {
	imports.Line
	row    imports.Row
	person id.Person // whom it becomes
	who    identities.Identity
	marks  []string
}

func personsOf(part []sifted) []id.Person {
	persons := make([]id.Person, len(part))
	for i, one := range part {
		persons[i] = one.person
	}
	return persons
}

func (p *people) sift(ctx context.Context, in imports.Import) (*sifter, error) {
	frame, err := p.Frame(ctx, in.Study, in.Survey)
	if err != nil {
		return nil, err
	}
	secret, err := p.Vault.DraftSecret(ctx, in.ID)
	return &sifter{people: p, in: in, frame: frame, secret: secret, rows: map[mark]int{}, codes: map[string]bool{}}, err
}

// parts calls visit with the people in each part of the list, as they are read.
func (s *sifter) parts(ctx context.Context, visit func([]sifted) error) error {
	for part := 0; ; part++ {
		select {
		case <-s.stopping:
			return errStopping // an import is gone on with at the next start
		default:
		}
		var rows []tabular.Row
		known, err := s.Vault.DraftPart(ctx, s.in.Study, s.in.ID, s.in.Mapping.Sheet, part, &rows)
		if err != nil || !known {
			return err
		}
		people := make([]sifted, 0, len(rows))
		for _, row := range rows {
			if row.Number > s.in.Mapping.Header {
				people = append(people, s.read(row))
			}
		}
		if err := visit(people); err != nil {
			return err
		}
	}
}

// read makes somebody of a row: always the same, for nothing but the list's own key and the row decides who.
func (s *sifter) read(row tabular.Row) sifted {
	r := s.frame.Read(s.in.Mapping, row)
	h := hmac.New(sha256.New, s.secret)
	fmt.Fprint(h, row.Number)
	return sifted{Line: imports.Line{Row: row.Number}, row: r, person: id.Of[id.Person](h.Sum(nil)), who: identities.Identity{Name: r.Name,
		Email: r.Email, Phone: r.Phone, Organisation: r.Organisation, Title: r.ExactTitle, Language: r.Language}}
}

func (s *sifter) candidate(one sifted) recruitment.Participant {
	r := one.row
	return recruitment.Participant{ID: one.person, Study: s.in.Study, Code: r.Code, Case: r.Case, Audience: r.Audience, Relation: recruitment.Relation(r.Relation),
		Size: recruitment.Size(r.Size), Title: r.Title, Source: recruitment.Source(r.Source), Attributes: r.Attributes}
}

func (s *sifter) respondent(one sifted) surveys.Respondent {
	return surveys.Respondent{Person: one.person, Survey: s.in.Survey, Study: s.in.Study, Case: one.row.Case, Role: one.row.Title, Size: one.row.Size}
}

// faults are what the list's reader, the vault and the study would refuse, one for each field.
func (s *sifter) faults(one sifted) []errs.Field {
	all := one.row.Faults
	for _, f := range errs.FieldsOf(one.who.Check()) {
		if f.Name == "title" {
			f.Name = string(imports.ExactTitle)
		}
		all = addFault(all, f)
	}
	for _, f := range errs.FieldsOf(s.checkStudy(one)) {
		if f.Name == "role" {
			f.Name = string(imports.Title)
		}
		all = addFault(all, f)
	}
	return all
}

func addFault(all []errs.Field, f errs.Field) []errs.Field {
	if slices.ContainsFunc(all, func(known errs.Field) bool { return known.Name == f.Name }) {
		return all
	}
	return append(all, f)
}

func (s *sifter) checkStudy(one sifted) error {
	if s.in.Survey != "" {
		return s.respondent(one).Check()
	}
	c := s.candidate(one)
	return recruitment.Details{Code: cmp.Or(c.Code, "X"), Case: c.Case, Audience: c.Audience, Relation: c.Relation, Size: c.Size, Title: c.Title,
		Source: c.Source}.Check()
}

// holders are whom the stores know by what a part's rows are recognised by.
type holders struct {
	known  [][]id.Person
	barred []bool
	codes  map[id.Person]string
	asked  map[id.Person]string // by the code of one of the surveys
	taken  map[string]id.Person
	inside map[id.Person]bool // whom this import put into the vault already, before a crash
}

// judge says what becomes of a part's rows, in their order.
func (s *sifter) judge(ctx context.Context, part []sifted) error {
	for i := range part {
		one := &part[i]
		if one.Faults = s.faults(*one); len(one.Faults) == 0 {
			one.marks = s.Vault.Marks(one.who)
		}
	}
	h, err := s.holders(ctx, part)
	if err != nil {
		return err
	}
	for i := range part {
		one := &part[i]
		s.decide(one, h, i)
		if one.Outcome != imports.Fresh {
			continue
		}
		for _, hash := range one.marks {
			s.rows[markOf(hash)] = one.Row
		}
		if code := upper(one.row.Code); code != "" {
			s.codes[code] = true
		}
	}
	return nil
}

func upper(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

func (s *sifter) holders(ctx context.Context, part []sifted) (h holders, err error) {
	marks, whos := make([][]string, len(part)), make([]identities.Identity, len(part))
	var codes []string
	for i, one := range part {
		marks[i], whos[i] = one.marks, one.who
		if one.row.Code != "" {
			codes = append(codes, upper(one.row.Code))
		}
	}
	if h.known, err = s.Vault.Known(ctx, s.in.Study, marks...); err != nil {
		return h, err
	}
	if h.barred, err = s.Vault.Barred(ctx, s.in.Study, whos...); err != nil {
		return h, err
	}
	if h.inside, err = s.Vault.Held(ctx, s.in.Study, personsOf(part)); err != nil {
		return h, err
	}
	if h.taken, err = s.Recruitment.Holders(ctx, s.in.Study, codes); err != nil {
		return h, err
	}
	var others []id.Person
	for i, found := range h.known {
		for _, person := range found {
			if person != part[i].person {
				others = append(others, person)
			}
		}
	}
	if h.codes, err = s.Recruitment.Codes(ctx, s.in.Study, others); err != nil {
		return h, err
	}
	h.asked, err = s.Surveys.Codes(ctx, s.in.Study, others)
	return h, err
}

// decide says what becomes of row i of a part. Who is inside stays, whatever has happened since.
func (s *sifter) decide(one *sifted, h holders, i int) {
	switch {
	case h.inside[one.person]:
		one.Outcome, one.Faults = imports.Fresh, nil
	case len(one.Faults) > 0:
		one.Outcome = imports.Refused
	case s.earlier(one), known(one, h, i):
	case h.barred[i]:
		one.Outcome, one.Barred = imports.LeftOut, true
	case one.row.Code != "" && (h.taken[upper(one.row.Code)] != "" || s.codes[upper(one.row.Code)]):
		one.Outcome, one.Faults = imports.Refused, []errs.Field{{Name: string(imports.Code), Code: "people.code_taken"}}
	default:
		one.Outcome = imports.Fresh
	}
}

// earlier says whether a row above is the same person.
func (s *sifter) earlier(one *sifted) bool {
	for _, hash := range one.marks {
		if row := s.rows[markOf(hash)]; row > 0 {
			one.Outcome, one.Other = imports.SameList, row
			return true
		}
	}
	return false
}

// known says whether the study knows the person: a candidate is named by code.
func known(one *sifted, h holders, i int) bool {
	for _, person := range h.known[i] {
		switch {
		case person == one.person:
			continue
		case h.codes[person] != "":
			one.Outcome, one.Code = imports.Duplicate, h.codes[person]
			return true
		case h.asked[person] != "":
			one.Outcome = imports.Sampled
		case one.Outcome == "":
			one.Outcome = imports.LeftOut
		}
	}
	return one.Outcome != ""
}
