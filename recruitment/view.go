package recruitment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

var (
	// ErrNoView is a NotFound: no such view in this study.
	ErrNoView = errs.New(errs.NotFound, "recruitment.no_view")
	// ErrManyViews is a Conflict: the study has as many views as it can.
	ErrManyViews = errs.New(errs.Conflict, "recruitment.many_views")
	// ErrViewFilter is an Invalid: a view of what nobody can meet, or of whom one person led to.
	ErrViewFilter = errs.New(errs.Invalid, "recruitment.view_filter")
)

const (
	mostViews    = 20 // the table's slots
	mostViewName = 60
)

// View is a filter and an order that a study's team has named.
type View struct {
	ID    id.View
	Name  string
	Query Query // without a place in the list
}

// Views returns a study's views by age.
func (r *Recruitment) Views(ctx context.Context, study id.Study) ([]View, error) {
	all, err := database.All(ctx, r.db, func(row database.Scanner) (v View, err error) {
		var filter string
		if err := row.Scan(&v.ID, &v.Name, &filter); err != nil {
			return v, err
		}
		return v, json.Unmarshal([]byte(filter), &v.Query)
	}, "select id, name, filter from saved_view where study_id = $1 order by slot", study)
	if err != nil {
		return nil, fmt.Errorf("read views: %w", err)
	}
	return all, nil
}

// SaveView keeps a query under a name for everybody in the study. A fault of the name is at the field "name".
func (r *Recruitment) SaveView(ctx context.Context, actor audit.Actor, study id.Study, name string, q Query) error {
	name = strings.Join(strings.Fields(name), " ")
	var c errs.Check
	c.Require("name", name, mostViewName)
	if err := c.Err(); err != nil {
		return err
	}
	if !q.possible() || q.Recruiter != "" || q.Order != "" && !slices.Contains(Orders(), q.Order) {
		return ErrViewFilter
	}
	q.After, q.Before = "", ""
	filter, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("encode view: %w", err)
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		view := id.New[id.View]()
		if err := putView(ctx, tx, study, view, name, string(filter)); err != nil {
			return err
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "study.view_saved", Study: study, Detail: string(view)})
	})
}

// putView takes the first free slot: their number is the limit, also for two who save at once.
func putView(ctx context.Context, tx *database.Tx, study id.Study, view id.View, name, filter string) error {
	for slot := range mostViews {
		n, err := tx.Exec(ctx, `insert into saved_view (study_id, slot, id, name, filter) values ($1, $2, $3, $4, $5)
			on conflict (study_id, slot) do nothing`, study, slot+1, view, name, filter)
		if errors.Is(err, database.ErrDuplicate) {
			var c errs.Check
			c.Add("name", "recruitment.view_name")
			return c.Err()
		}
		if err != nil {
			return fmt.Errorf("save view: %w", err)
		}
		if n == 1 {
			return nil
		}
	}
	return ErrManyViews
}

// RemoveView forgets a view, or says ErrNoView.
func (r *Recruitment) RemoveView(ctx context.Context, actor audit.Actor, study id.Study, view id.View) error {
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "delete from saved_view where study_id = $1 and id = $2", study, view)
		if err != nil {
			return fmt.Errorf("remove view: %w", err)
		}
		if n == 0 {
			return ErrNoView
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "study.view_removed", Study: study, Detail: string(view)})
	})
}
