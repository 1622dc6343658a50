package identities

import (
	"context"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Bar remembers that a person does not want to be contacted again by a study: a keyed hash of their e-mail address and
// one of their telephone number, kept for that purpose alone. It stays when the person is erased. Doing it twice is doing
// it once.
func (v *Vault) Bar(ctx context.Context, actor audit.Actor, study id.Study, person id.Person) error {
	sealed, err := v.read(ctx, study, person)
	if err != nil {
		return err
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "identity.barred", Study: study, Person: person}); err != nil {
		return fmt.Errorf("bar contact: %w", err)
	}
	who, err := v.unseal(ctx, sealed)
	if err != nil {
		return fmt.Errorf("bar contact: %w", err)
	}
	return v.db.Tx(ctx, func(tx *database.Tx) error {
		for _, hash := range v.refusals(who) {
			if _, err := tx.Exec(ctx, "insert into no_contact (study_id, hash) values ($1, $2) on conflict do nothing", study, hash); err != nil {
				return fmt.Errorf("bar contact: %w", err)
			}
		}
		return v.markBarred(ctx, tx, study, person, who)
	})
}

// markBarred says it of the person and of everybody else who has the address or the number now.
func (v *Vault) markBarred(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, who Identity) error {
	list, args := database.In(append(v.hashes(who.Email, who.Phone), ""), study, person)
	_, err := tx.Exec(ctx, `update identity set barred = true where study_id = $1 and not barred and (person_id = $2 or person_id in
		(select person_id from identity_lookup where study_id = $1 and hash in `+list+"))", args...)
	if err != nil {
		return fmt.Errorf("mark as barred: %w", err)
	}
	return nil
}

// anyRefused says whether one of the refusal hashes is known.
func anyRefused(ctx context.Context, q database.Querier, study id.Study, refusals []string) (known bool, err error) {
	if len(refusals) == 0 {
		return false, nil
	}
	list, args := database.In(refusals, study)
	err = q.QueryRow(ctx, "select exists (select 1 from no_contact where study_id = $1 and hash in "+list+")", args...).Scan(&known)
	return known, err
}

// Reach is whether somebody can be written to.
type Reach struct {
	Email  bool // there is an address
	Barred bool // somebody with their address or telephone number asked not to be contacted again
}

// Reach says of several people, without opening anybody, whether they can be written to. It is a hint for counting: an
// address may be barred a moment later, and sending asks Barred. Whom the vault does not know in this study is left out.
func (v *Vault) Reach(ctx context.Context, study id.Study, people ...id.Person) (map[id.Person]Reach, error) {
	reach := make(map[id.Person]Reach, len(people))
	for some := range database.Chunks(people) {
		list, args := database.In(some, study)
		err := database.Each(ctx, v.db, func(row database.Scanner) error {
			var person id.Person
			var r Reach
			err := row.Scan(&person, &r.Email, &r.Barred)
			reach[person] = r
			return err
		}, "select person_id, has_email, barred from identity where study_id = $1 and person_id in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("ask who can be reached: %w", err)
		}
	}
	return reach, nil
}

// HasPhone says, without opening anybody, whether a person's telephone number is known: each way to reach them has a look-up hash.
// Of somebody from before it was kept who has an address it may say no.
func (v *Vault) HasPhone(ctx context.Context, study id.Study, person id.Person) (has bool, err error) {
	err = v.db.QueryRow(ctx, `select count(*) > (select count(*) from identity where person_id = $1 and has_email) from identity_lookup
		where study_id = $2 and person_id = $1`, person, study).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("ask for a telephone number: %w", err)
	}
	return has, nil
}

// BarredPersons lists those of a study who are in the vault and asked not to be contacted again.
func (v *Vault) BarredPersons(ctx context.Context, study id.Study) ([]id.Person, error) {
	return database.Values[id.Person](ctx, v.db, "select person_id from identity where study_id = $1 and barred order by person_id", study)
}

// Barred says for each of several people, known or not yet, whether somebody with their e-mail address or telephone
// number asked not to be contacted again by this study.
func (v *Vault) Barred(ctx context.Context, study id.Study, people ...Identity) ([]bool, error) {
	var hashes []string
	for _, who := range people {
		hashes = append(hashes, v.refusals(who)...)
	}
	found := map[string]bool{}
	for some := range database.Chunks(hashes) {
		list, args := database.In(some, study)
		err := database.Each(ctx, v.db, func(row database.Scanner) error {
			var hash string
			err := row.Scan(&hash)
			found[hash] = true
			return err
		}, "select hash from no_contact where study_id = $1 and hash in "+list, args...)
		if err != nil {
			return nil, fmt.Errorf("look for refusals: %w", err)
		}
	}
	barred := make([]bool, len(people))
	for i, who := range people {
		for _, hash := range v.refusals(who) {
			barred[i] = barred[i] || found[hash]
		}
	}
	return barred, nil
}

// refusals are the hashes under which an identity's refusal is kept: others than those that tell duplicates, so that the
// two tables cannot be joined.
func (v *Vault) refusals(who Identity) []string {
	email, okEmail := address(who.Email)
	phone, okPhone := number(who.Phone)
	return v.blind("refused ", email, okEmail, phone, okPhone)
}

// Unbar lets a study talk again to whoever has an address or a number, because they asked for it themselves. That is on disk first.
func (v *Vault) Unbar(ctx context.Context, actor audit.Actor, study id.Study, who Identity) error {
	hashes := v.refusals(who)
	if len(hashes) == 0 {
		return nil
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "identity.unbarred", Study: study}); err != nil {
		return fmt.Errorf("unbar contact: %w", err)
	}
	list, args := database.In(hashes, study)
	return v.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "delete from no_contact where study_id = $1 and hash in "+list, args...); err != nil {
			return fmt.Errorf("unbar contact: %w", err)
		}
		return nil
	})
}
