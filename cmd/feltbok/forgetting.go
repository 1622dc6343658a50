package main

import (
	"context"
	"math"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/backup"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// forgotten is what a restore took away again.
type forgotten struct {
	erased    int // people who were erased after the copy was made
	lists     int // lists to be imported whose key is gone
	halfKnown int // in the vault and in no study: taken in while the copy was made
	looseKeys int // of nobody: taken in after the copy was made
	ended     int // studies that were ended after the copy was made
}

// forgetAgain erases whoever was erased after the copy was made, and takes away what is half of something. It goes by the
// list of destroyed keys: an id without a key that is not on it leads to nobody on purpose, as in answers that were kept
// without whom they came from.
func (p *people) forgetAgain(ctx context.Context) (f forgotten, err error) {
	for _, step := range []func(context.Context, *forgotten) error{p.dropKeylessLists, p.eraseAgain, p.dropHalfKnown, p.dropLooseKeys, p.endAgain} {
		if err := step(ctx, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// dropKeylessLists comes first, for a list's key looks like a person's.
func (p *people) dropKeylessLists(ctx context.Context, f *forgotten) error {
	drafts, err := p.allDrafts(ctx)
	if err != nil {
		return err
	}
	keyed, err := p.keyed(ctx, drafts)
	if err != nil {
		return err
	}
	for _, draft := range drafts {
		if keyed[draft] {
			continue
		}
		if _, err := p.Imports.Expire(ctx, id.Import(draft)); err != nil {
			return err
		}
		if err := p.Vault.DropDraft(ctx, id.Import(draft)); err != nil {
			return err
		}
		f.lists++
	}
	return nil
}

// allDrafts lists the lists to be imported by the ids of their keys.
func (p *people) allDrafts(ctx context.Context) ([]id.Person, error) {
	drafts, err := p.Vault.Drafts(ctx, time.UnixMilli(math.MaxInt64))
	keys := make([]id.Person, len(drafts))
	for i, draft := range drafts {
		keys[i] = id.Person(draft)
	}
	return keys, err
}

func (p *people) keyed(ctx context.Context, persons []id.Person) (map[id.Person]bool, error) {
	have, err := p.keys.Have(ctx, persons)
	keyed := make(map[id.Person]bool, len(have))
	for _, person := range have {
		keyed[person] = true
	}
	return keyed, err
}

// eraseAgain gives everybody who is known and has no key any more the same erasure as the first time.
func (p *people) eraseAgain(ctx context.Context, f *forgotten) error {
	gone, err := p.keyless(ctx)
	if err != nil {
		return err
	}
	for some := range database.Chunks(gone) {
		in, err := p.whereabouts(ctx, some)
		if err != nil {
			return err
		}
		for person, study := range in {
			if err := p.eraseOne(ctx, study, person); err != nil {
				return err
			}
		}
		known, err := p.Vault.Among(ctx, some) // tips, and whoever was on the way in
		if err != nil {
			return err
		}
		if len(known) > 0 {
			err = p.Vault.Erase(ctx, known...)
		}
		if err != nil {
			return err
		}
		f.erased += len(in) + len(known)
	}
	return nil
}

// keyless lists everybody whose key was destroyed, and whomever the vault knows without one, each once.
func (p *people) keyless(ctx context.Context) ([]id.Person, error) {
	known, err := p.Vault.Persons(ctx)
	if err != nil {
		return nil, err
	}
	keyed, err := p.keyed(ctx, known)
	if err != nil {
		return nil, err
	}
	gone := slices.DeleteFunc(known, func(person id.Person) bool { return keyed[person] })
	err = p.keys.Erased(ctx, func(person id.Person) error { gone = append(gone, person); return nil })
	slices.Sort(gone)
	return slices.Compact(gone), err
}

// eraseOne is the part of a withdrawal that comes after its first transaction.
func (p *people) eraseOne(ctx context.Context, study id.Study, person id.Person) error {
	var intent id.Intent
	err := p.db.Tx(ctx, func(tx *database.Tx) (err error) {
		intent, err = p.Intents.Begin(ctx, tx, study, person, withdraw, acted{By: audit.System})
		return err
	})
	if err != nil {
		return err
	}
	return p.Intents.Finish(ctx, intent)
}

// whereabouts says in which study each of some persons is, of those who are in one and were not erased from it.
func (p *people) whereabouts(ctx context.Context, persons []id.Person) (map[id.Person]id.Study, error) {
	tables, err := p.db.Tables(ctx, p.db)
	if err != nil {
		return nil, err
	}
	found, erasable := map[id.Person]id.Study{}, p.erasure.Tables()
	for _, table := range tables {
		if !slices.Contains(erasable, table.Name) || !has(table, "person_id") || !has(table, "study_id") {
			continue
		}
		list, args := database.In(persons)
		err := database.Each(ctx, p.db, func(row database.Scanner) error {
			var person id.Person
			var study id.Study
			err := row.Scan(&person, &study)
			found[person] = study
			return err
		}, "select distinct person_id, study_id from "+table.Name+" t where person_id in "+list+
			" and not exists (select 1 from erasure e where e.person_id = t.person_id)", args...)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func has(table database.Table, column string) bool {
	return slices.ContainsFunc(table.Columns, func(c database.Column) bool { return c.Name == column })
}

// dropHalfKnown takes out of the vault whom no study knows: they were taken in between the moments at which the two stores
// were read. A tip is known by the vault alone.
func (p *people) dropHalfKnown(ctx context.Context, f *forgotten) error {
	known, err := p.Vault.Persons(ctx)
	if err != nil {
		return err
	}
	for some := range database.Chunks(known) {
		in, err := p.whereabouts(ctx, some)
		if err != nil {
			return err
		}
		tips, err := p.Vault.TipsAmong(ctx, some)
		if err != nil {
			return err
		}
		half := slices.DeleteFunc(slices.Clone(some), func(person id.Person) bool { return in[person] != "" || tips[person] })
		if len(half) == 0 {
			continue
		}
		if err := p.keys.Destroy(ctx, half...); err != nil {
			return err
		}
		if err := p.Vault.Erase(ctx, half...); err != nil {
			return err
		}
		f.halfKnown += len(half)
	}
	return nil
}

// dropLooseKeys destroys the keys of those who came after the copy. A key that anything is kept under stays, whatever that is.
func (p *people) dropLooseKeys(ctx context.Context, f *forgotten) error {
	keys, err := p.keys.Persons(ctx)
	if err != nil {
		return err
	}
	loose := make(map[string]bool, len(keys))
	for _, key := range keys {
		loose[string(key)] = true
	}
	for _, store := range []database.Store{database.Identity, database.Study} {
		if err := backup.Unmentioned(ctx, p.stores[store], loose, "audit_entry", "erasure"); err != nil {
			return err
		}
	}
	var gone []id.Person
	for key := range loose {
		gone = append(gone, id.Person(key))
	}
	f.looseKeys = len(gone)
	return p.keys.Destroy(ctx, gone...)
}

// endAgain ends the studies that were ended after the copy was made: among the destroyed keys stand their ids. What became of
// their data then is not known; now they are deleted.
func (p *people) endAgain(ctx context.Context, f *forgotten) error {
	all, err := p.Studies.Open(ctx)
	if err != nil {
		return err
	}
	keys := make([]id.Person, len(all))
	for i, s := range all {
		keys[i] = id.Person(s.ID)
	}
	gone, err := p.keys.Gone(ctx, keys)
	if err != nil {
		return err
	}
	for _, s := range all {
		if !gone[id.Person(s.ID)] {
			continue
		}
		intent, err := p.beginEnd(ctx, audit.System, s.ID, studies.Delete, false)
		if err == nil {
			err = p.Intents.Finish(ctx, intent)
		}
		if err != nil {
			return err
		}
		f.ended++
	}
	return nil
}
