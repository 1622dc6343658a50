package interviews_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/dbtest"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/interviews"

	"github.com/google/go-cmp/cmp"
)

const actor = audit.Actor("account:test")

// now is late on 9 May in UTC, when it is the 10th in Norway.
func now() time.Time { return time.Date(2019, 5, 9, 22, 30, 0, 0, time.UTC) }

// neighbours stands in for the owners of states and bookings, and notes what they are told.
type neighbours struct {
	mu       sync.Mutex
	advanced []string
	kept     []id.Booking
	refuse   error
	gone     id.Person // has left the study
	stopped  id.Person // the gate refuses them
}

var errStopped = errs.New(errs.Forbidden, "stopped")

func (n *neighbours) MayBeforeYes(_ context.Context, _ database.Querier, _ id.Study, person id.Person, purpose string) error {
	if person == n.stopped && purpose == "interview" {
		return errStopped
	}
	return nil
}

func (n *neighbours) keep(_ context.Context, _ *database.Tx, _ id.Study, _ map[id.Person]id.Person) error {
	return nil
}

var errGone = errs.New(errs.NotFound, "gone")

func (n *neighbours) present(_ context.Context, _ *database.Tx, _ id.Study, person id.Person) error {
	if person == n.gone {
		return errGone
	}
	return nil
}

func (n *neighbours) advance(_ context.Context, _ *database.Tx, _ id.Study, person id.Person, state string, _ audit.Actor) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.advanced = append(n.advanced, string(person)+" "+state)
	return nil
}

func (n *neighbours) done(_ context.Context, _ *database.Tx, _ id.Study, _ id.Person, booking id.Booking) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept = append(n.kept, booking)
	return n.refuse
}

func each(t *testing.T, fn func(t *testing.T, db *database.DB, s *interviews.Interviews, n *neighbours)) {
	t.Helper()
	dbtest.Each(t, database.Study, func(t *testing.T, db *database.DB) {
		n := &neighbours{}
		fn(t, db, interviews.New(db, audit.New(db, now), n.present, n, n.advance, n.done, n.keep, now), n)
	})
}

func held(study id.Study) interviews.Held {
	return interviews.Held{Study: study, Person: id.New[id.Person](), Mode: "phone", HeldOn: "2019-04-11", StartedAt: 1554971400000, Minutes: 34}
}

func TestRecordKeepsTheInterviewAndMovesItsPersonOn(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, s *interviews.Interviews, n *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		want := held(study)
		want.Booking = id.New[id.Booking]()
		var err error
		if want.ID, err = s.Record(ctx, actor, want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, study, want.ID); err != nil || got != want {
			t.Errorf("Get = %+v, %v, want %+v", got, err, want)
		}
		if got := []string{string(want.Person) + " interviewed"}; !slices.Equal(n.advanced, got) {
			t.Errorf("advanced %v, want %v", n.advanced, got)
		}
		if !slices.Equal(n.kept, []id.Booking{want.Booking}) {
			t.Errorf("bookings kept: %v", n.kept)
		}
		newest, err := audit.New(db, now).Newest(ctx, study, 1)
		if err != nil || len(newest) != 1 || newest[0].Action != "interview.recorded" || newest[0].Person != want.Person {
			t.Errorf("audit: %+v, %v", newest, err)
		}
	})
}

// The gate is asked when an interview is written down and when it is coded.
func TestNothingIsWrittenAboutWhomTheGateStops(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, s *interviews.Interviews, n *neighbours) {
		ctx, h := t.Context(), held(id.New[id.Study]())
		n.stopped = h.Person
		if err := s.SetThemes(ctx, actor, h.Study, []interviews.Theme{{Key: "time", Category: "barrier", Label: "Tid"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Record(ctx, actor, h); !errors.Is(err, errStopped) {
			t.Errorf("recorded: %v", err)
		}
		if err := s.Mark(ctx, actor, h.Study, h.Person, "time", interviews.Mentioned); !errors.Is(err, errStopped) {
			t.Errorf("coded: %v", err)
		}
	})
}

// Nobody's act brings back the rows of somebody who has left.
func TestNothingIsWrittenAboutWhoHasLeft(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, s *interviews.Interviews, n *neighbours) {
		ctx, h := t.Context(), held(id.New[id.Study]())
		n.gone = h.Person
		if err := s.SetThemes(ctx, actor, h.Study, []interviews.Theme{{Key: "time", Category: "barrier", Label: "Tid"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Record(ctx, actor, h); !errors.Is(err, errGone) {
			t.Errorf("recorded: %v", err)
		}
		if err := s.Mark(ctx, actor, h.Study, h.Person, "time", interviews.Mentioned); !errors.Is(err, errGone) {
			t.Errorf("marked: %v", err)
		}
		for _, table := range s.Tables() {
			var rows int
			if err := db.QueryRow(ctx, "select count(*) from "+table).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("%s has %d rows (%v)", table, rows, err)
			}
		}
	})
}

func TestAnInterviewByMailHasNoDuration(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		h := held(study)
		h.Mode, h.StartedAt, h.Minutes = "email", 0, interviews.NoMinutes
		if _, err := s.Record(ctx, actor, h); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Of(ctx, study, h.Person); err != nil || len(got) != 1 || got[0].Minutes != interviews.NoMinutes {
			t.Errorf("Of = %+v, %v", got, err)
		}
	})
}

func TestOneBookingIsOneInterview(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, n *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		h := held(study)
		h.Booking = id.New[id.Booking]()
		results := make([]error, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { _, results[i] = s.Record(ctx, actor, h) })
		}
		wg.Wait()
		recorded := 0
		for _, err := range results {
			if err == nil {
				recorded++
			} else if !errors.Is(err, interviews.ErrRecorded) {
				t.Errorf("Record = %v, want ErrRecorded", err)
			}
		}
		if list, err := s.List(ctx, study); recorded != 1 || len(list) != 1 || len(n.kept) != 1 || err != nil {
			t.Errorf("%d recorded, %d stored, booking told %d times, %v; want 1, 1, 1", recorded, len(list), len(n.kept), err)
		}
	})
}

func TestARefusedBookingLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, s *interviews.Interviews, n *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		n.refuse = errs.New(errs.NotFound, "foreign")
		h := held(study)
		h.Booking = id.New[id.Booking]()
		if _, err := s.Record(ctx, actor, h); !errors.Is(err, n.refuse) {
			t.Errorf("Record = %v, want the booking's refusal", err)
		}
		list, err := s.List(ctx, study)
		head, headErr := audit.New(db, now).Position(ctx)
		if len(list) != 0 || head.Hash != "" || err != nil || headErr != nil {
			t.Errorf("left behind: %+v, audit head %+v (%v, %v)", list, head, err, headErr)
		}
	})
}

func TestHeldIsChecked(t *testing.T) {
	study := id.New[id.Study]()
	for _, tc := range []struct {
		name   string
		change func(*interviews.Held)
		want   string // field: code
	}{
		{"today, where the day began already", func(h *interviews.Held) { h.HeldOn = "2019-05-10" }, ""},
		{"tomorrow", func(h *interviews.Held) { h.HeldOn = "2019-05-11" }, "held_on: interviews.in_future"},
		{"no date", func(h *interviews.Held) { h.HeldOn = "" }, "held_on: required"},
		{"Norwegian date", func(h *interviews.Held) { h.HeldOn = "11.4.2019" }, "held_on: interviews.date"},
		{"day that is not", func(h *interviews.Held) { h.HeldOn = "2019-02-30" }, "held_on: interviews.date"},
		{"no mode", func(h *interviews.Held) { h.Mode = "" }, "mode: interviews.mode"},
		{"foreign mode", func(h *interviews.Held) { h.Mode = "telepathy" }, "mode: interviews.mode"},
		{"no minutes", func(h *interviews.Held) { h.Minutes = 0 }, "minutes: interviews.minutes"},
		{"more than half a day", func(h *interviews.Held) { h.Minutes = 721 }, "minutes: interviews.minutes"},
		{"starts next month", func(h *interviews.Held) { h.StartedAt = now().AddDate(0, 1, 0).UnixMilli() }, "started_at: interviews.in_future"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
				h := held(study)
				tc.change(&h)
				_, err := s.Record(t.Context(), actor, h)
				got := ""
				for _, f := range errs.FieldsOf(err) {
					got += f.Name + ": " + f.Code
				}
				if got != tc.want || (err == nil) != (tc.want == "") {
					t.Errorf("fields %q (%v), want %q", got, err, tc.want)
				}
			})
		})
	}
}

func TestEditCorrectsWithinTheStudy(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		h := held(study)
		var err error
		if h.ID, err = s.Record(ctx, actor, h); err != nil {
			t.Fatal(err)
		}
		h.Mode, h.HeldOn, h.Minutes = "video", "2019-04-12", 58
		if err := s.Edit(ctx, actor, h); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, study, h.ID); err != nil || got != h {
			t.Errorf("Get = %+v, %v, want %+v", got, err, h)
		}
		foreign := h
		foreign.Study, foreign.Minutes = id.New[id.Study](), 1
		if err := s.Edit(ctx, actor, foreign); !errors.Is(err, interviews.ErrNotFound) {
			t.Errorf("Edit through another study = %v, want ErrNotFound", err)
		}
		if _, err := s.Get(ctx, foreign.Study, h.ID); !errors.Is(err, interviews.ErrNotFound) {
			t.Errorf("Get through another study = %v, want ErrNotFound", err)
		}
	})
}

func TestThemesAreOneOrderedList(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
		ctx, study, person := t.Context(), id.New[id.Study](), id.New[id.Person]()
		time, cost, lab := interviews.Theme{Key: "time", Category: "barrier", Label: "Tid"}, interviews.Theme{Key: "cost", Category: "barrier", Label: "Kostnad"}, interviews.Theme{Key: "lab", Category: "arena", Label: "Lab"}
		for _, list := range [][]interviews.Theme{{time, cost, lab}, {lab, time, cost}} {
			if err := s.SetThemes(ctx, actor, study, list); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Mark(ctx, actor, study, person, "cost", interviews.Disagreed); err != nil {
			t.Fatal(err)
		}
		cost.Label = "Pris"
		if err := s.SetThemes(ctx, actor, study, []interviews.Theme{cost, lab}); err != nil {
			t.Fatal(err)
		}
		lab.Position = 1
		m, err := s.Matrix(ctx, study)
		if diff := cmp.Diff([]interviews.Theme{cost, lab}, m.Themes); diff != "" || m.Marks["cost"][person] != interviews.Disagreed {
			t.Errorf("matrix %+v, %v:\n%s", m, err, diff)
		}
		if err := s.SetThemes(ctx, actor, study, []interviews.Theme{lab}); !errors.Is(err, interviews.ErrThemeMarked) {
			t.Errorf("leaving out a marked theme = %v, want ErrThemeMarked", err)
		}
		if got, err := s.Themes(ctx, study); err != nil || len(got) != 2 {
			t.Errorf("after the refusal: %+v, %v", got, err)
		}
	})
}

func TestThemesAreChecked(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
		err := s.SetThemes(t.Context(), actor, id.New[id.Study](), []interviews.Theme{
			{Key: "time", Category: "barrier", Label: "Tid"}, {Key: "time", Category: "Barriere", Label: " "}, {Key: "Å", Category: "arena", Label: "Lab"}})
		var got []string
		for _, f := range errs.FieldsOf(err) {
			got = append(got, f.Name+" "+f.Code)
		}
		if want := []string{"key_1 interviews.taken", "category_1 interviews.key", "label_1 required", "key_2 interviews.key"}; !slices.Equal(got, want) {
			t.Errorf("fields %v, want %v", got, want)
		}
	})
}

// Two lists set at once are one or the other, never both.
func TestListsOfThemesDoNotMix(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		var wg sync.WaitGroup
		for i := range 6 {
			list := []interviews.Theme{}
			for j := range 4 {
				list = append(list, interviews.Theme{Key: fmt.Sprintf("t%d_%d", i, j), Category: "driver", Label: "x"})
			}
			wg.Go(func() {
				if err := s.SetThemes(ctx, actor, study, list); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.Themes(ctx, study)
		if err != nil || len(got) != 4 || got[0].Key[:2] != got[3].Key[:2] {
			t.Errorf("themes after six lists: %+v, %v", got, err)
		}
	})
}

func TestMarks(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
		ctx, study, person := t.Context(), id.New[id.Study](), id.New[id.Person]()
		if err := s.SetThemes(ctx, actor, study, []interviews.Theme{{Key: "cost", Category: "barrier", Label: "Kostnad"}, {Key: "time", Category: "barrier", Label: "Tid"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.MarkAll(ctx, actor, study, person, map[string]interviews.Mark{"time": "x", "cost": "o"}); err != nil {
			t.Fatal(err)
		}
		if err := s.MarkAll(ctx, actor, study, person, map[string]interviews.Mark{"time": "", "cost": "x"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Mark(ctx, actor, study, person, "nothing", "x"); !errors.Is(err, interviews.ErrNoTheme) {
			t.Errorf("unknown theme: %v, want ErrNoTheme", err)
		}
		if err := s.Mark(ctx, actor, id.New[id.Study](), person, "cost", "x"); !errors.Is(err, interviews.ErrNoTheme) {
			t.Errorf("another study's theme: %v, want ErrNoTheme", err)
		}
		err := s.MarkAll(ctx, actor, study, person, map[string]interviews.Mark{"cost": "o", "time": "?"})
		if f := errs.FieldsOf(err); len(f) != 1 || f[0].Name != "mark_time" {
			t.Errorf("foreign mark: %v", err)
		}
		want := map[string]map[id.Person]interviews.Mark{"cost": {person: "x"}}
		if m, err := s.Matrix(ctx, study); err != nil || !cmp.Equal(m.Marks, want) {
			t.Errorf("marks %v, %v, want %v", m.Marks, err, want)
		}
	})
}

// The published Tables 7 and 8 go in mark by mark and come out as they were.
func TestMatrixOfTheThesis(t *testing.T) {
	each(t, func(t *testing.T, _ *database.DB, s *interviews.Interviews, _ *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		var themes []interviews.Theme
		persons, marks, want := map[string]id.Person{}, map[id.Person]map[string]interviews.Mark{}, map[string]map[id.Person]interviews.Mark{}
		for _, table := range []string{"table7_drivers_barriers.csv", "table8_arenas.csv"} {
			rows := readCSV(t, table)
			for _, row := range rows[1:] {
				themes = append(themes, interviews.Theme{Category: row[0], Label: row[1], Key: row[2], Position: len(themes)})
				want[row[2]] = map[id.Person]interviews.Mark{}
				for i, mark := range row[3:] {
					code := rows[0][3+i]
					if persons[code] == "" {
						persons[code] = id.New[id.Person]()
						marks[persons[code]] = map[string]interviews.Mark{}
					}
					marks[persons[code]][row[2]] = interviews.Mark(mark)
					if mark != "" {
						want[row[2]][persons[code]] = interviews.Mark(mark)
					}
				}
			}
		}
		if err := s.SetThemes(ctx, actor, study, themes); err != nil {
			t.Fatal(err)
		}
		for person, all := range marks {
			if err := s.MarkAll(ctx, actor, study, person, all); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Matrix(ctx, study)
		if diff := cmp.Diff(interviews.Matrix{Themes: themes, Marks: want}, got); diff != "" || err != nil {
			t.Errorf("matrix (-want +got), %v:\n%s", err, diff)
		}
	})
}

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "exports", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestEraseForgetsOnePerson(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB, s *interviews.Interviews, _ *neighbours) {
		ctx, study := t.Context(), id.New[id.Study]()
		if err := s.SetThemes(ctx, actor, study, []interviews.Theme{{Key: "cost", Category: "barrier", Label: "Kostnad"}}); err != nil {
			t.Fatal(err)
		}
		gone, stays := held(study), held(study)
		for _, h := range []interviews.Held{gone, stays} {
			if _, err := s.Record(ctx, actor, h); err != nil {
				t.Fatal(err)
			}
			if err := s.Mark(ctx, actor, study, h.Person, "cost", "x"); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := db.Tx(ctx, func(tx *database.Tx) error { return s.Erase(ctx, tx, gone.Person) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range s.Tables() {
			var left, others int
			if err := db.QueryRow(ctx, "select count(*) filter (where person_id = $1), count(*) filter (where person_id = $2) from "+table,
				gone.Person, stays.Person).Scan(&left, &others); err != nil || left != 0 || others != 1 {
				t.Errorf("%s: %d rows of the erased, %d of the other (%v); want 0, 1", table, left, others, err)
			}
		}
	})
}
