package recruitment

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Attribute is something that a study wants to know of its candidates besides case, relation and size. Its values are a
// closed list, so that nobody can be named in one.
type Attribute struct {
	Key    string // never shown, kept when the name changes; empty for a new one
	Name   string
	Values []string
}

const (
	mostAttributes = 20
	mostValues     = 50
	mostValue      = 60
)

// ErrAttributeUsed is a Conflict: somebody has a value that would go.
var ErrAttributeUsed = errs.New(errs.Conflict, "recruitment.attribute_used")

// Attributes returns a study's own attributes in their order.
func (r *Recruitment) Attributes(ctx context.Context, study id.Study) ([]Attribute, error) {
	return attributes(ctx, r.db, study)
}

func attributes(ctx context.Context, q database.Querier, study id.Study) ([]Attribute, error) {
	all, err := database.All(ctx, q, func(row database.Scanner) (a Attribute, err error) {
		var options string
		if err := row.Scan(&a.Key, &a.Name, &options); err != nil {
			return a, err
		}
		return a, json.Unmarshal([]byte(options), &a.Values)
	}, "select key, name, options from attribute where study_id = $1 order by position", study)
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	return all, nil
}

// SetAttributes puts a list in place of the present one; an attribute with the name of a present one keeps its key. What
// somebody has cannot go: ErrAttributeUsed; nor what the quotas ask for: ErrAttributeWanted. Faults are at the field
// "attributes".
func (r *Recruitment) SetAttributes(ctx context.Context, actor audit.Actor, study id.Study, wanted []Attribute) error {
	present, err := r.Attributes(ctx, study)
	if err != nil {
		return err
	}
	wanted = slices.Clone(wanted)
	if err := cleanAttributes(wanted, present); err != nil {
		return err
	}
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		for i, a := range wanted {
			options, err := json.Marshal(a.Values)
			if err != nil {
				return fmt.Errorf("encode attribute: %w", err)
			}
			if _, err := tx.Exec(ctx, `insert into attribute (study_id, key, name, options, position) values ($1, $2, $3, $4, $5)
				on conflict (study_id, key) do update set name = excluded.name, options = excluded.options, position = excluded.position`,
				study, a.Key, a.Name, string(options), i); err != nil {
				return fmt.Errorf("set attribute: %w", err)
			}
		}
		if err := dropAttributes(ctx, tx, study, wanted, present); err != nil {
			return err
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "study.attributes_set", Study: study, Detail: fmt.Sprint(len(wanted))})
	})
}

// dropAttributes deletes those that are no longer wanted, and refuses where somebody would lose a value.
func dropAttributes(ctx context.Context, tx *database.Tx, study id.Study, wanted, present []Attribute) error {
	held := map[string][]string{}
	err := database.Each(ctx, tx, func(row database.Scanner) error {
		var key, value string
		err := row.Scan(&key, &value)
		held[key] = append(held[key], value)
		return err
	}, "select distinct key, value from participant_attribute where study_id = $1", study)
	if err != nil {
		return fmt.Errorf("read attributes in use: %w", err)
	}
	kinds, err := profiles(ctx, tx, study)
	if err != nil {
		return err
	}
	for _, was := range present {
		i := slices.IndexFunc(wanted, func(a Attribute) bool { return a.Key == was.Key })
		for _, value := range held[was.Key] {
			if i < 0 || !slices.Contains(wanted[i].Values, value) {
				return ErrAttributeUsed
			}
		}
		for _, p := range kinds {
			if value, asks := p.Attributes[was.Key]; asks && (i < 0 || !slices.Contains(wanted[i].Values, value)) {
				return ErrAttributeWanted
			}
		}
		if i >= 0 {
			continue
		}
		if _, err := tx.Exec(ctx, "delete from attribute where study_id = $1 and key = $2", study, was.Key); err != nil {
			return fmt.Errorf("drop attribute: %w", err)
		}
	}
	return nil
}

// cleanAttributes trims names and values, checks them, and gives keys.
func cleanAttributes(wanted, present []Attribute) error {
	var c errs.Check
	fault := func(code string) { c.Add("attributes", code) }
	if len(wanted) > mostAttributes {
		fault("recruitment.many_attributes")
	}
	names := map[string]bool{}
	for i := range wanted {
		a := &wanted[i]
		a.Name = strings.Join(strings.Fields(a.Name), " ")
		for k, value := range a.Values {
			a.Values[k] = strings.Join(strings.Fields(value), " ")
		}
		a.Values = slices.DeleteFunc(a.Values, func(value string) bool { return value == "" })
		folded := strings.ToLower(a.Name)
		switch {
		case a.Name == "" || len([]rune(a.Name)) > mostValue:
			fault("recruitment.attribute_name")
		case names[folded]:
			fault("recruitment.attribute_twice")
		case len(a.Values) == 0 || len(a.Values) > mostValues || slices.ContainsFunc(a.Values, func(v string) bool { return len([]rune(v)) > mostValue }):
			fault("recruitment.attribute_values")
		}
		names[folded] = true
		a.Key = string(id.New[string]())
		if k := slices.IndexFunc(present, func(p Attribute) bool { return strings.ToLower(p.Name) == folded }); k >= 0 {
			a.Key = present[k].Key
		}
	}
	return c.Err()
}

// setValues writes a participant's own attributes, which checkValues has seen, in place of what stood there.
func setValues(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, values map[string]string) error {
	if _, err := tx.Exec(ctx, "delete from participant_attribute where person_id = $1", person); err != nil {
		return fmt.Errorf("set attributes: %w", err)
	}
	return insertValues(ctx, tx, valueRows(study, person, values))
}

func valueRows(study id.Study, person id.Person, values map[string]string) (rows [][]any) {
	for key, value := range values {
		if value != "" {
			rows = append(rows, []any{person, key, study, value})
		}
	}
	return rows
}

func insertValues(ctx context.Context, tx *database.Tx, rows [][]any) error {
	if _, err := tx.Insert(ctx, "participant_attribute (person_id, key, study_id, value)", rows, ""); err != nil {
		return fmt.Errorf("set attributes: %w", err)
	}
	return nil
}

// checkValues refuses what is none of the study's attributes and values, in the first of several people's that has such:
// faults are at the field "attribute_" and the attribute's key.
func checkValues(ctx context.Context, q database.Querier, study id.Study, people ...map[string]string) error {
	var offered map[string][]string
	for _, values := range people {
		var c errs.Check
		for key, value := range values {
			if value == "" {
				continue
			}
			if offered == nil {
				known, err := attributes(ctx, q, study)
				if err != nil {
					return err
				}
				offered = map[string][]string{}
				for _, a := range known {
					offered[a.Key] = a.Values
				}
			}
			if !slices.Contains(offered[key], value) {
				c.Add("attribute_"+key, "recruitment.choose")
			}
		}
		if err := c.Err(); err != nil {
			return err
		}
	}
	return nil
}

// withValues fills in the own attributes of people of a study who were read.
func (r *Recruitment) withValues(ctx context.Context, study id.Study, people []Participant) error {
	return readValues(ctx, r.db, study, people)
}

func readValues(ctx context.Context, q database.Querier, study id.Study, people []Participant) error {
	at := make(map[id.Person]int, len(people))
	persons := make([]id.Person, len(people))
	for i, p := range people {
		at[p.ID], persons[i] = i, p.ID
	}
	fill := func(where string, args ...any) error {
		err := database.Each(ctx, q, func(row database.Scanner) error {
			var person id.Person
			var key, value string
			if err := row.Scan(&person, &key, &value); err != nil {
				return err
			}
			i, asked := at[person]
			if !asked {
				return nil
			}
			if people[i].Attributes == nil {
				people[i].Attributes = map[string]string{}
			}
			people[i].Attributes[key] = value
			return nil
		}, "select person_id, key, value from participant_attribute where "+where, args...)
		if err != nil {
			return fmt.Errorf("read attributes: %w", err)
		}
		return nil
	}
	if len(people) > MostCounted { // nearly everybody: one reading of the whole study
		return fill("study_id = $1", study)
	}
	for some := range database.Chunks(persons) {
		list, args := database.In(some) // without the study, whose index an engine might take instead
		if err := fill("person_id in "+list, args...); err != nil {
			return err
		}
	}
	return nil
}
