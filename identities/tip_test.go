package identities_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/id"
)

var tipped = identities.Identity{Name: "Tor Tenkt", Phone: "+47 22 00 00 77", Organisation: "Eksempel AS", Note: "Leder nettverket."}

func TestTips(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		ctx, now := t.Context(), time.Date(2019, 2, 4, 8, 0, 0, 0, time.UTC)
		v := identities.New(s.db, s.keys, s.log, func() time.Time { return now })
		from := s.person()
		tip := identities.Tip{Study: s.study, From: from}
		put := func(days int) id.Person {
			t.Helper()
			tip.Person = s.person()
			if err := v.PutTip(ctx, researcher, tip, tipped, days); err != nil {
				t.Fatal(err)
			}
			return tip.Person
		}
		long, short := put(90), put(14)
		all, err := v.Tips(ctx, s.study)
		if err != nil || len(all) != 2 || all[0].Person != short || all[0].From != from || all[0].ExpiresAt != now.AddDate(0, 0, 14).UnixMilli() {
			t.Errorf("tips %+v, %v", all, err)
		}
		if got := s.trail(); strings.Count(got, "identity.written") != 2 || strings.Contains(got, "Tor") {
			t.Errorf("trail %s", got)
		}
		if _, err := v.Tip(ctx, id.New[id.Study](), short); !errors.Is(err, identities.ErrNoTip) {
			t.Errorf("another study's tip: %v", err)
		}
		if found, err := v.Duplicates(ctx, s.study, "", "22000077"); err != nil || len(found) != 2 {
			t.Errorf("a tip is not recognised: %v, %v", found, err)
		}

		now = now.AddDate(0, 0, 14)
		if _, err := v.Tip(ctx, s.study, short); !errors.Is(err, identities.ErrNoTip) {
			t.Errorf("an expired tip is shown: %v", err)
		}
		if err := v.TakeTip(ctx, short); !errors.Is(err, identities.ErrNoTip) {
			t.Errorf("an expired tip is taken: %v", err)
		}
		over, err := v.ExpiredTips(ctx)
		if err != nil || len(over) != 1 || over[0].Person != short {
			t.Errorf("expired %+v, %v", over, err)
		}

		for range 2 {
			if err := v.TakeTip(ctx, long); err != nil {
				t.Error(err)
			}
		}
		now = now.AddDate(1, 0, 0)
		if err := v.TakeTip(ctx, long); err != nil {
			t.Errorf("a tip that is held expired: %v", err)
		}
		if err := v.EndTip(ctx, s.study, long); !errors.Is(err, identities.ErrNoTip) {
			t.Errorf("a tip that is held was ended: %v", err)
		}
		if over, err := v.ExpiredTips(ctx); err != nil || len(over) != 1 {
			t.Errorf("expired %+v, %v", over, err)
		}
		if err := v.LeaveTip(ctx, long); err != nil {
			t.Error(err)
		}
		if over, err := v.ExpiredTips(ctx); err != nil || len(over) != 2 {
			t.Errorf("a tip that was left is not swept: %+v, %v", over, err)
		}
		for range 2 {
			if err := v.KeepTip(ctx, long); err != nil {
				t.Error(err)
			}
		}
		if known, err := v.Exists(ctx, long); !known || err != nil {
			t.Errorf("a tip that was kept lost its identity (%v)", err)
		}

		ended := put(90)
		if err := v.EndTip(ctx, id.New[id.Study](), ended); !errors.Is(err, identities.ErrNoTip) {
			t.Errorf("another study ended a tip: %v", err)
		}
		if err := v.EndTip(ctx, s.study, ended); err != nil {
			t.Error(err)
		}
		if over, err := v.ExpiredTips(ctx); err != nil || len(over) != 2 {
			t.Errorf("an ended tip is not swept: %+v, %v", over, err)
		}
	})
}

func TestErasingForgetsWhoseTipItWas(t *testing.T) {
	each(t, func(t *testing.T, s *safe) {
		from, person := s.person(), s.person()
		s.put(from, identities.Identity{Name: "Anna Oppdiktet"})
		if err := s.PutTip(t.Context(), researcher, identities.Tip{Person: person, Study: s.study, From: from}, tipped, 14); err != nil {
			t.Fatal(err)
		}
		if err := s.Erase(t.Context(), from); err != nil {
			t.Fatal(err)
		}
		if tip, err := s.Tip(t.Context(), s.study, person); err != nil || tip.From != "" {
			t.Errorf("the tip still names an erased informant: %+v, %v", tip, err)
		}
		if err := s.Erase(t.Context(), person); err != nil {
			t.Fatal(err)
		}
		if tips, err := s.Tips(t.Context(), s.study); err != nil || len(tips) != 0 {
			t.Errorf("erased, and still a tip: %+v, %v", tips, err)
		}
	})
}

func TestCheckTip(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*identities.Identity)
		days  int
		want  string
	}{
		{"as it should be", func(*identities.Identity) {}, 14, ""},
		{"no way to reach them", func(i *identities.Identity) { i.Phone = "" }, 14, "phone: identities.reach"},
		{"an address is enough", func(i *identities.Identity) { i.Phone, i.Email = "", "tor@example.org" }, 14, ""},
		{"no reason", func(i *identities.Identity) { i.Note = " " }, 14, "note: required"},
		{"no end", func(*identities.Identity) {}, 0, "days: identities.days"},
		{"longer than a quarter", func(*identities.Identity) {}, 91, "days: identities.days"},
		{"everything", func(i *identities.Identity) { *i = identities.Identity{} }, -1,
			"name: required, phone: identities.reach, note: required, days: identities.days"},
	} {
		who := tipped
		tc.spoil(&who)
		got := ""
		if err := identities.CheckTip(who, tc.days); err != nil {
			got = strings.TrimSuffix(strings.TrimPrefix(err.Error(), "invalid ("), ")")
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
