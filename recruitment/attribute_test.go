package recruitment_test

import (
	"errors"
	"testing"

	"example.org/feltbok/recruitment"
)

func TestAttributes(t *testing.T) {
	each(t, func(t *testing.T, f *field) {
		ctx := t.Context()
		set := func(wanted ...recruitment.Attribute) error { return f.SetAttributes(ctx, researcher, f.study, wanted) }
		for name, bad := range map[string]recruitment.Attribute{"no name": {Values: []string{"a"}}, "no values": {Name: "Region", Values: []string{" "}}} {
			if err := set(bad); faults(err) == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := set(recruitment.Attribute{Name: "Region", Values: []string{"Vest"}}, recruitment.Attribute{Name: "region ", Values: []string{"Øst"}}); faults(err) != "attributes recruitment.attribute_twice" {
			t.Errorf("twice: %v", err)
		}
		if err := set(recruitment.Attribute{Name: "Region", Values: []string{" Vest ", "Øst"}}, recruitment.Attribute{Name: "Alder", Values: []string{"ung"}}); err != nil {
			t.Fatal(err)
		}
		own, err := f.Attributes(ctx, f.study)
		if err != nil || len(own) != 2 || own[0].Name != "Region" || own[0].Values[0] != "Vest" {
			t.Fatalf("attributes %+v, %v", own, err)
		}
		region := own[0].Key

		p := f.participant("A1")
		p.Attributes = map[string]string{region: "Nord"}
		if err := f.Check(ctx, p); faults(err) != "attribute_"+region+" recruitment.choose" {
			t.Errorf("a value that is not offered: %v", err)
		}
		p.Attributes = map[string]string{region: "Vest"}
		person := f.add(p)
		if got, err := f.Get(ctx, f.study, person); err != nil || got.Attributes[region] != "Vest" {
			t.Errorf("stored %+v, %v", got.Attributes, err)
		}
		if err := set(recruitment.Attribute{Name: "Region", Values: []string{"Øst"}}); !errors.Is(err, recruitment.ErrAttributeUsed) {
			t.Errorf("a value in use was dropped: %v", err)
		}
		if err := set(recruitment.Attribute{Name: "region", Values: []string{"Øst", "Vest", "Nord"}}); err != nil {
			t.Error(err)
		}
		d := recruitment.Details{Code: "A1", Case: p.Case, Audience: p.Audience, Relation: p.Relation, Size: p.Size, Title: p.Title, Source: p.Source,
			Attributes: map[string]string{region: "Nord"}}
		if err := f.Edit(ctx, researcher, f.study, person, d); err != nil {
			t.Fatal(err)
		}
		list, err := f.List(ctx, f.study, recruitment.Filter{})
		if err != nil || list[0].Attributes[region] != "Nord" {
			t.Errorf("after editing %+v, %v", list, err)
		}
		f.erase(person)
		if err := set(); err != nil {
			t.Errorf("nobody has a value any more: %v", err)
		}
	})
}
