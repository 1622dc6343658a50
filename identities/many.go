package identities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

// Newcomer is somebody whom the vault does not know yet.
type Newcomer struct {
	Person id.Person
	Who    Identity
}

// Add writes who several newcomers are, in one transaction and with an audit entry for each; whom the vault knows by then
// stays as they are. All must have keys: without one it is keys.ErrErased.
func (v *Vault) Add(ctx context.Context, actor audit.Actor, study id.Study, people []Newcomer) error {
	rows, lookups, err := v.sealAll(ctx, study, people)
	if err != nil || len(people) == 0 {
		return err
	}
	persons := make([]id.Person, len(people))
	entries := make([]audit.Entry, len(people))
	for i, p := range people {
		persons[i] = p.Person
		entries[i] = audit.Entry{Actor: actor, Action: "identity.written", Study: study, Person: p.Person, Detail: "enrol"}
	}
	if err := v.log.Record(ctx, entries...); err != nil {
		return fmt.Errorf("write identities: %w", err)
	}
	err = v.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Insert(ctx, "identity (person_id, study_id, version, sealed, updated_at, has_email, barred)", rows, "on conflict do nothing"); err != nil {
			return err
		}
		_, err := tx.Insert(ctx, "identity_lookup (study_id, hash, person_id)", lookups, "on conflict do nothing")
		return err
	})
	if err != nil {
		return fmt.Errorf("write identities: %w", err)
	}
	return v.keepOnlyKeyed(ctx, persons)
}

// sealAll makes the rows of people's identities and of what they are recognised by.
func (v *Vault) sealAll(ctx context.Context, study id.Study, people []Newcomer) (rows, lookups [][]any, err error) {
	places, texts, whos := make([]keys.Place, len(people)), make([][]byte, len(people)), make([]Identity, len(people))
	for i, p := range people {
		who, err := p.Who.clean()
		if err != nil {
			return nil, nil, err
		}
		whos[i] = who
		places[i] = sealed{study: study, person: p.Person, version: 1}.place()
		if texts[i], err = json.Marshal(who); err != nil {
			return nil, nil, fmt.Errorf("encode identity: %w", err)
		}
		for _, hash := range v.hashes(who.Email, who.Phone) {
			lookups = append(lookups, []any{study, hash, p.Person})
		}
	}
	barred, err := v.Barred(ctx, study, whos...)
	if err != nil {
		return nil, nil, err
	}
	bytes, err := v.keys.SealAll(ctx, places, texts)
	if err != nil {
		return nil, nil, fmt.Errorf("seal identities: %w", err)
	}
	for i, p := range people {
		rows = append(rows, []any{p.Person, study, 1, bytes[i], v.now().UnixMilli(), whos[i].Email != "", barred[i]})
	}
	return rows, lookups, nil
}

// keepOnlyKeyed takes back what an erasure overtook, as keepOnlyIfKeyed does for one.
func (v *Vault) keepOnlyKeyed(ctx context.Context, persons []id.Person) error {
	keyed, err := v.keys.Have(ctx, persons)
	if err != nil || len(keyed) == len(persons) {
		return err
	}
	slices.Sort(keyed)
	gone := slices.DeleteFunc(slices.Clone(persons), func(p id.Person) bool {
		_, has := slices.BinarySearch(keyed, p)
		return has
	})
	return errors.Join(keys.ErrErased, v.Erase(ctx, gone...))
}

// Among returns which of some persons the vault knows, in whichever study.
func (v *Vault) Among(ctx context.Context, persons []id.Person) (known []id.Person, err error) {
	for some := range database.Chunks(persons) {
		list, args := database.In(some)
		found, err := database.Values[id.Person](ctx, v.db, "select person_id from identity where person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("look for persons: %w", err)
		}
		known = append(known, found...)
	}
	return known, nil
}

// Held returns which of some persons the vault knows in a study.
func (v *Vault) Held(ctx context.Context, study id.Study, persons []id.Person) (map[id.Person]bool, error) {
	held := map[id.Person]bool{}
	for some := range database.Chunks(persons) {
		list, args := database.In(some, study)
		found, err := database.Values[id.Person](ctx, v.db, "select person_id from identity where study_id = $1 and person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("look for persons: %w", err)
		}
		for _, person := range found {
			held[person] = true
		}
	}
	return held, nil
}
