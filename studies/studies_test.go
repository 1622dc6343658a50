package studies_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var at = time.Date(2018, 11, 1, 9, 0, 0, 0, time.UTC)

func now() time.Time { return at }

type fixture struct {
	*studies.Studies
	db  *database.DB
	log *audit.Log
}

func each(t *testing.T, fn func(t *testing.T, f fixture)) {
	t.Helper()
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		log := audit.New(db, now)
		fn(t, fixture{studies.New(db, log, now), db, log})
	})
}

func example() studies.Study {
	return studies.Study{
		Title: "Samskaping i næringsklynger", Purpose: "Å forstå samskaping.", Questions: "Hva driver?\nHva hindrer?",
		Institution: "Nordfjord universitet", Department: "Institutt for økonomi", ProjectContact: "Prosjektgruppen, prosjekt@example.org",
		Supervisor: "Veileder", SupervisorContact: "veileder@example.org", Officer: "Ombud", OfficerContact: "ombud@example.org",
		Assessment: "Sikt, 123456", LegalBasis: studies.Consent, Languages: []string{"nb", "en"}, Zone: "Europe/Oslo",
		StartsOn: "2018-11-01", EndsOn: "2019-06-04", Duration: 60, Recording: true,
		InterviewsBy: "2019-03-31", SurveyOpens: "2019-04-08", SurveyCloses: "2019-04-30",
		Special: true, MinimumAge: 18, AgeReason: "Spør om arbeidsforhold.", Signature: studies.ByName, OnWithdrawal: studies.Anonymise,
		AtEnd: studies.Delete, ProofMonths: 6,
		Cases:     []studies.Case{{Code: "a", Name: "Energi"}, {Code: "B", Name: "Velferd"}, {Code: "X", Name: "Forstudie", Pilot: true}},
		Audiences: []studies.Audience{{Key: "administration", Name: "Administrasjonen"}, {Key: "company"}},
	}
}

func (f fixture) create(t *testing.T, owner id.Account) id.Study {
	t.Helper()
	study, err := f.Create(t.Context(), audit.Staff(owner), owner, example())
	if err != nil {
		t.Fatal(err)
	}
	return study
}

func TestAStudyIsReadAsWritten(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		given := example()
		study, err := f.Create(t.Context(), audit.System, "kari", given)
		if err != nil {
			t.Fatal(err)
		}
		if given.Cases[0].Code != "a" {
			t.Error("the caller's cases were changed")
		}
		want := example()
		want.ID, want.CreatedAt = study, at.UnixMilli()
		want.Cases = []studies.Case{{Code: "A", Name: "Energi", Position: 1}, {Code: "B", Name: "Velferd", Position: 2}, {Code: "X", Name: "Forstudie", Pilot: true, Position: 3}}
		noIDs := cmpopts.IgnoreFields(studies.Case{}, "ID")
		got, err := f.Get(t.Context(), study)
		if diff := cmp.Diff(want, got, noIDs); err != nil || diff != "" {
			t.Errorf("Get: %v, -want +got\n%s", err, diff)
		}
		want = got
		want.Title, want.Languages, want.Zone, want.EndsOn = "Ny tittel", []string{"nn"}, "America/St_Johns", "2019-12-31"
		want.LegalBasis, want.Recording, want.Duration = studies.PublicInterest, false, 45
		want.InterviewsBy, want.SurveyOpens, want.SurveyCloses = "2019-10-01", "", ""
		want.Audiences = []studies.Audience{{Key: "respondent", Name: "Svarere"}}
		if err := f.Update(t.Context(), audit.System, want); err != nil {
			t.Fatal(err)
		}
		mine, err := f.List(t.Context(), "kari")
		if diff := cmp.Diff([]studies.Mine{{Study: want, Role: studies.Owner}}, mine); err != nil || diff != "" {
			t.Errorf("List: %v, -want +got\n%s", err, diff)
		}
		entries, err := f.log.Newest(t.Context(), study, 9)
		if err != nil || len(entries) != 2 || entries[0].Action != "study.changed" || entries[1].Action != "study.created" {
			t.Errorf("audit: %+v, %v", entries, err)
		}
	})
}

func TestStudyInputIsChecked(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for name, c := range map[string]struct {
			spoil func(*studies.Study)
			want  string
		}{
			"nothing": {func(s *studies.Study) { *s = studies.Study{} },
				"title required, institution required, legal_basis studies.choose, languages studies.choose, duration studies.duration, zone studies.zone, starts_on studies.date, ends_on studies.date"},
			"too long":                     {func(s *studies.Study) { s.Title = strings.Repeat("ø", 301); s.Officer = s.Title }, "officer too_long, title too_long"},
			"zone of nowhere":              {func(s *studies.Study) { s.Zone = "Europe/Nordfjord" }, "zone studies.zone"},
			"zone of the server":           {func(s *studies.Study) { s.Zone = "Local" }, "zone studies.zone"},
			"zone of a path":               {func(s *studies.Study) { s.Zone = "../../etc/passwd" }, "zone studies.zone"},
			"no such day":                  {func(s *studies.Study) { s.EndsOn = "2019-02-29" }, "ends_on studies.date"},
			"backwards":                    {func(s *studies.Study) { s.EndsOn = "2018-10-31" }, "ends_on studies.ends_before_start"},
			"interviews too early":         {func(s *studies.Study) { s.InterviewsBy = "2018-10-31" }, "interviews_by studies.outside"},
			"survey too late":              {func(s *studies.Study) { s.SurveyCloses = "2019-06-05" }, "survey_closes studies.outside"},
			"survey before the interviews": {func(s *studies.Study) { s.SurveyOpens = "2019-03-30" }, "survey_opens studies.opens_early"},
			"survey backwards":             {func(s *studies.Study) { s.SurveyCloses = "2019-04-07" }, "survey_closes studies.closes_early"},
			"survey that never closes":     {func(s *studies.Study) { s.SurveyCloses = "" }, "survey_closes studies.both_days"},
			"survey that never opens":      {func(s *studies.Study) { s.SurveyOpens = "" }, "survey_opens studies.both_days"},
			"milestone of nonsense":        {func(s *studies.Study) { s.InterviewsBy = "i mars" }, "interviews_by studies.date"},
			"language twice":               {func(s *studies.Study) { s.Languages = []string{"nb", "nb"} }, "languages studies.choose"},
			"unknown language":             {func(s *studies.Study) { s.Languages = []string{"nb", "da,sv"} }, "languages studies.choose"},
			"unknown audience":             {func(s *studies.Study) { s.Audiences[0].Key = "press" }, "audiences studies.choose"},
			"audience twice":               {func(s *studies.Study) { s.Audiences[0].Key = "company" }, "audiences studies.choose"},
			"cases alike":                  {func(s *studies.Study) { s.Cases[1].Code = " A " }, "code studies.case_codes"},
			"case with a digit":            {func(s *studies.Study) { s.Cases[1].Code = "B2" }, "code studies.letters"},
			"case without name":            {func(s *studies.Study) { s.Cases[1].Name = " " }, "name required"},
			"long interview":               {func(s *studies.Study) { s.Duration = 481 }, "duration studies.duration"},
		} {
			s := example()
			c.spoil(&s)
			_, err := f.Create(t.Context(), audit.System, "kari", s)
			var got []string
			for _, field := range errs.FieldsOf(err) {
				got = append(got, field.Name+" "+field.Code)
			}
			if strings.Join(got, ", ") != c.want || errs.KindOf(err) != errs.Invalid {
				t.Errorf("%s: %q (%v), want %q", name, strings.Join(got, ", "), err, c.want)
			}
		}
		if mine, err := f.List(t.Context(), "kari"); err != nil || len(mine) != 0 {
			t.Errorf("refused studies are there: %v, %v", mine, err)
		}
	})
}

func TestAudiencesByDefault(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		s := example()
		s.Audiences, s.Cases = nil, nil
		study, err := f.Create(t.Context(), audit.System, "kari", s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Get(t.Context(), study)
		if err != nil || len(got.Audiences) != 3 || got.Audiences[0].Key != "company" {
			t.Fatalf("audiences = %+v, %v; want all three", got.Audiences, err)
		}
		got.Audiences = nil
		if err := f.Update(t.Context(), audit.System, got); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Get(t.Context(), study); err != nil || len(got.Audiences) != 3 {
			t.Errorf("audiences after an update that names none: %+v, %v", got.Audiences, err)
		}
	})
}

func TestCases(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ctx := t.Context()
		study, other := f.create(t, "kari"), f.create(t, "ola")
		if _, err := f.AddCase(ctx, audit.System, study, "æ", "Finans"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.AddCase(ctx, audit.System, study, "b", "Igjen"); !errors.Is(err, studies.ErrCaseTaken) {
			t.Errorf("code in use: %v, want ErrCaseTaken", err)
		}
		if _, err := f.AddCase(ctx, audit.System, study, "A1", ""); len(errs.FieldsOf(err)) != 2 {
			t.Errorf("digit and no name: %v", err)
		}
		if _, err := f.AddCase(ctx, audit.System, "nowhere", "D", "Ingen"); !errors.Is(err, studies.ErrUnknown) {
			t.Errorf("unknown study: %v, want ErrUnknown", err)
		}
		s, err := f.Get(ctx, study)
		if err != nil || len(s.Cases) != 4 || s.Cases[3].Code != "Æ" || s.Cases[3].Position != 4 {
			t.Fatalf("cases = %+v, %v", s.Cases, err)
		}
		last := s.Cases[3]
		last.Code, last.Name, last.Pilot = "C", "Finansteknologi", true
		if err := f.EditCase(ctx, audit.System, other, last); !errors.Is(err, studies.ErrUnknown) {
			t.Errorf("case of another study: %v, want ErrUnknown", err)
		}
		if err := f.EditCase(ctx, audit.System, study, last); err != nil {
			t.Error(err)
		}
		if s, err := f.Get(ctx, study); err != nil || s.Cases[3] != last {
			t.Errorf("edited case = %+v, %v", s.Cases, err)
		} else if got := s.Pilots(); len(got) != 2 || got[0] != s.Cases[2].ID || got[1] != last.ID {
			t.Errorf("pre-studies %v, want X and C", got)
		}
		last.Code = "A"
		if err := f.EditCase(ctx, audit.System, study, last); !errors.Is(err, studies.ErrCaseTaken) {
			t.Errorf("edit to a code in use: %v, want ErrCaseTaken", err)
		}
	})
}

func TestCasesAddedAtOnceHavePlacesOfTheirOwn(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		study := f.create(t, "kari")
		var wg sync.WaitGroup
		for _, code := range strings.Split("C D E F G H I J", " ") {
			wg.Go(func() {
				if _, err := f.AddCase(t.Context(), audit.System, study, code, "Klynge"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s, err := f.Get(t.Context(), study)
		if err != nil || len(s.Cases) != 11 {
			t.Fatalf("%d cases, %v", len(s.Cases), err)
		}
		for i, c := range s.Cases {
			if c.Position != i+1 {
				t.Errorf("case %d is at %d", i+1, c.Position)
			}
		}
	})
}

func TestTeam(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ctx := t.Context()
		study, other := f.create(t, "kari"), f.create(t, "ola")
		set := func(account id.Account, role studies.Role) error {
			return f.SetMember(ctx, "account:kari", study, account, role)
		}
		for _, role := range []studies.Role{studies.Researcher, studies.Supervisor, studies.Officer} {
			if err := set("per", role); err != nil {
				t.Fatal(err)
			}
			if got, err := f.RoleOf(ctx, study, "per"); err != nil || got != role {
				t.Errorf("RoleOf = %v, %v; want %v", got, err, role)
			}
		}
		for name, err := range map[string]error{
			"demote": set("kari", studies.Researcher), "remove": f.RemoveMember(ctx, audit.System, study, "kari"),
		} {
			if !errors.Is(err, studies.ErrLastOwner) {
				t.Errorf("%s the last owner: %v, want ErrLastOwner", name, err)
			}
		}
		if err := set("per", "chief"); errs.KindOf(err) != errs.Invalid {
			t.Errorf("unknown role: %v", err)
		}
		if err := f.SetMember(ctx, audit.System, "nowhere", "per", studies.Owner); !errors.Is(err, studies.ErrUnknown) {
			t.Errorf("unknown study: %v", err)
		}
		if err := f.RemoveMember(ctx, audit.System, study, "ola"); !errors.Is(err, studies.ErrUnknown) {
			t.Errorf("somebody else's member: %v", err)
		}
		if role, err := f.RoleOf(ctx, other, "kari"); !errors.Is(err, studies.ErrUnknown) || role != "" {
			t.Errorf("RoleOf in another's study = %q, %v; want ErrUnknown", role, err)
		}
		if _, err := f.Get(ctx, "nowhere"); !errors.Is(err, studies.ErrUnknown) {
			t.Errorf("Get of nothing: %v", err)
		}
		team, err := f.Members(ctx, study)
		if diff := cmp.Diff([]studies.Member{{Account: "kari", Role: studies.Owner}, {Account: "per", Role: studies.Officer}}, team); err != nil || diff != "" {
			t.Errorf("Members: %v\n%s", err, diff)
		}
		if err := set("per", studies.Owner); err != nil {
			t.Fatal(err)
		}
		if err := f.RemoveMember(ctx, audit.System, study, "kari"); err != nil {
			t.Errorf("one of two owners leaves: %v", err)
		}
		if mine, err := f.List(ctx, "kari"); err != nil || len(mine) != 0 {
			t.Errorf("List after leaving = %v, %v", mine, err)
		}
		if _, err := f.log.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

// Owners who take the role from each other at the same moment must leave one.
func TestRacingOwnersLeaveOne(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		study := f.create(t, "0")
		owners := []id.Account{"0", "1", "2", "3", "4", "5"}
		for range 5 {
			for _, owner := range owners {
				if err := f.SetMember(t.Context(), audit.System, study, owner, studies.Owner); err != nil {
					t.Fatal(err)
				}
			}
			var refused atomic.Int64
			var wg sync.WaitGroup
			for _, owner := range owners {
				wg.Go(func() {
					err := f.SetMember(t.Context(), audit.System, study, owner, studies.Researcher)
					if errors.Is(err, studies.ErrLastOwner) {
						refused.Add(1)
					} else if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if refused.Load() != 1 {
				t.Fatalf("%d refused, want the last one", refused.Load())
			}
		}
	})
}

func TestEndIsAfterTheLastDay(t *testing.T) {
	for name, c := range map[string]struct {
		zone, day string
		want      time.Time
	}{
		"Oslo":                        {"Europe/Oslo", "2019-06-04", time.Date(2019, 6, 4, 22, 0, 0, 0, time.UTC)},
		"the night the clock goes on": {"Europe/Oslo", "2019-03-31", time.Date(2019, 3, 31, 22, 0, 0, 0, time.UTC)},
		"Kiritimati":                  {"Pacific/Kiritimati", "2019-12-31", time.Date(2019, 12, 31, 10, 0, 0, 0, time.UTC)},
	} {
		if got := (studies.Study{Zone: c.zone, EndsOn: c.day}).End(); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got.UTC(), c.want)
		}
	}
}

// eraser stands for a package: it deletes members, so that what it did can be seen and undone.
type eraser struct {
	table string
	fail  error
	calls *[]string
}

func (e eraser) Tables() []string { return []string{e.table} }

func (e eraser) Erase(ctx context.Context, tx *database.Tx, person id.Person) error {
	*e.calls = append(*e.calls, e.table)
	if _, err := tx.Exec(ctx, "delete from "+e.table+" where account_id = $1", person); err != nil {
		return err
	}
	return e.fail
}

func TestErasureIsWholeAndToldOnce(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		ctx := t.Context()
		study := f.create(t, "kari")
		if err := f.SetMember(ctx, audit.System, study, "person", studies.Officer); err != nil {
			t.Fatal(err)
		}
		var calls []string
		boom := errors.New("boom")
		broken := studies.NewErasure(f.db, f.log, now, eraser{"member", nil, &calls}, eraser{"session", nil, &calls}, eraser{"member", boom, &calls})
		if got := strings.Join(broken.Tables(), " "); got != "member session member" {
			t.Errorf("Tables = %s", got)
		}
		if err := broken.Do(ctx, study, "person", studies.Delete); err == nil {
			t.Error("an eraser failed and nobody heard")
		}
		told := func() (n int) {
			t.Helper()
			entries, err := f.log.Newest(ctx, study, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Action == "person.erased" && e.Person == "person" {
					n++
				}
			}
			return n
		}
		if _, err := f.RoleOf(ctx, study, "person"); err != nil || told() != 0 {
			t.Errorf("after a failed erasure: %v, told %d times; want nothing changed", err, told())
		}
		whole := studies.NewErasure(f.db, f.log, now, eraser{"member", nil, &calls})
		for range 3 {
			if err := whole.Do(ctx, study, "person", studies.Delete); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := f.RoleOf(ctx, study, "person"); !errors.Is(err, studies.ErrUnknown) || told() != 1 {
			t.Errorf("after the erasure: %v, told %d times; want gone, told once", err, told())
		}
		if n, err := f.log.Verify(ctx); err != nil {
			t.Errorf("chain breaks at %d: %v", n, err)
		}
	})
}
