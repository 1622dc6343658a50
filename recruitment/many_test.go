package recruitment_test

import (
	"errors"
	"strings"
	"testing"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
)

func (f *field) insertAll(people ...recruitment.Participant) error {
	return f.db.Tx(f.t.Context(), func(tx *database.Tx) error {
		return f.InsertAllTx(f.t.Context(), tx, f.study, people, map[id.Case]string{f.a: "A", f.c: "c"})
	})
}

func (f *field) codes() string {
	f.t.Helper()
	list, err := f.List(f.t.Context(), f.study, recruitment.Filter{})
	if err != nil {
		f.t.Fatal(err)
	}
	var codes []string
	for _, p := range list {
		codes = append(codes, p.Code)
	}
	return strings.Join(codes, " ")
}

func TestManyGetTheNextCodes(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		f.add(f.participant("A3"))
		odd := f.participant("A5") // a code of case A in another case: nobody else may get it
		odd.Case = f.c
		f.add(odd)
		erased := f.add(f.participant("A4"))
		f.erase(erased)
		inC := f.participant("")
		inC.Case = f.c
		own, late := f.participant("a7"), f.participant("")
		late.Title, late.Size = "Direktør", recruitment.Large
		if err := f.insertAll(f.participant(""), own, inC, late, f.participant("PILOT")); err != nil {
			t.Fatal(err)
		}
		if got, want := f.codes(), "A3 A5 A6 A7 A8 C6 PILOT"; got != want {
			t.Errorf("codes %q, want %q", got, want)
		}
		if p, err := f.ByCode(t.Context(), f.study, "A8"); err != nil || p.ID != late.ID || p.Title != "Direktør" || p.State != recruitment.Candidate ||
			p.Stage() != recruitment.StageNotAsked || p.Size != recruitment.Large {
			t.Errorf("A8 is %+v, %v", p, err)
		}
		if next, err := f.NextCode(t.Context(), f.study, f.a, "A"); err != nil || next != "A9" {
			t.Errorf("next %s, %v", next, err)
		}
	})
}

func TestManyAreAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		if err := f.SetAttributes(ctx, researcher, f.study, []recruitment.Attribute{{Name: "Region", Values: []string{"Vest"}}}); err != nil {
			t.Fatal(err)
		}
		own, err := f.Attributes(ctx, f.study)
		if err != nil {
			t.Fatal(err)
		}
		f.add(f.participant("A1"))
		with := func(value string) recruitment.Participant {
			p := f.participant("")
			p.Attributes = map[string]string{own[0].Key: value}
			return p
		}
		if err := f.insertAll(f.participant(""), f.participant("A1")); !errors.Is(err, recruitment.ErrCodeTaken) {
			t.Errorf("a code in use: %v", err)
		}
		if err := f.insertAll(f.participant("A8"), f.participant("A8")); !errors.Is(err, recruitment.ErrCodeTaken) {
			t.Errorf("a code twice: %v", err)
		}
		if err := f.insertAll(with("Vest"), with("Nord")); faults(err) != "attribute_"+own[0].Key+" recruitment.choose" {
			t.Errorf("a value that is not offered: %v", err)
		}
		bad := f.participant("")
		bad.Audience = "x"
		if err := f.insertAll(f.participant(""), bad); faults(err) != "audience recruitment.choose" {
			t.Errorf("an unknown audience: %v", err)
		}
		if got := f.codes(); got != "A1" {
			t.Errorf("codes %q, want nobody new", got)
		}
		p := with("Vest")
		if err := f.insertAll(p); err != nil {
			t.Fatal(err)
		}
		got, err := f.Get(ctx, f.study, p.ID)
		if err != nil || got.Attributes[own[0].Key] != "Vest" {
			t.Errorf("stored %+v, %v", got, err)
		}
		codes, err := f.Codes(ctx, f.study, []id.Person{p.ID, id.New[id.Person]()})
		if err != nil || len(codes) != 1 || codes[p.ID] != got.Code {
			t.Errorf("codes %v, %v", codes, err)
		}
		if holders, err := f.Holders(ctx, f.study, []string{got.Code, "A99"}); err != nil || len(holders) != 1 || holders[got.Code] != p.ID {
			t.Errorf("holders %v, %v", holders, err)
		}
	})
}
