package identities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

func formerPlace(study id.Study, person id.Person, former id.Note) keys.Place {
	return keys.Place{Study: study, Person: person, Field: "former " + string(former), Version: 1}
}

// Correct is Put by the person themselves; was is what they saw. Where it gives them another e-mail address, the one before
// is kept sealed under the id former, to be told so.
func (v *Vault) Correct(ctx context.Context, study id.Study, person id.Person, was, who Identity, former id.Note) error {
	who, err := who.clean()
	if err != nil {
		return err
	}
	also := func(*database.Tx) error { return nil }
	if was.Email != "" && !strings.EqualFold(was.Email, who.Email) {
		sealed, err := v.keys.Seal(ctx, formerPlace(study, person, former), []byte(was.Email))
		if err != nil {
			return fmt.Errorf("seal former address: %w", err)
		}
		also = func(tx *database.Tx) error {
			_, err := tx.Exec(ctx, "insert into former_address (id, person_id, study_id, sealed, at) values ($1, $2, $3, $4, $5)",
				former, person, study, sealed, v.now().UnixMilli())
			return err
		}
	}
	return v.put(ctx, audit.Participant(person), "own_correction", study, person, who, also)
}

// Left says whether an address was left under this id.
func (v *Vault) Left(ctx context.Context, study id.Study, person id.Person, former id.Note) (bool, error) {
	var n int
	err := v.db.QueryRow(ctx, "select count(*) from former_address where study_id = $1 and person_id = $2 and id = $3", study, person, former).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for former address: %w", err)
	}
	return n > 0, nil
}

// Former returns an address that somebody's mail no longer goes to, or ErrUnknown. Who reads it is noted.
func (v *Vault) Former(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, former id.Note) (string, error) {
	var sealed []byte
	err := v.db.QueryRow(ctx, "select sealed from former_address where study_id = $1 and person_id = $2 and id = $3", study, person, former).Scan(&sealed)
	if errors.Is(err, database.ErrNoRows) {
		return "", ErrUnknown
	}
	if err != nil {
		return "", fmt.Errorf("read former address: %w", err)
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "identity.opened", Study: study, Person: person, Detail: "mail"}); err != nil {
		return "", fmt.Errorf("open former address: %w", err)
	}
	address, err := v.keys.Open(ctx, formerPlace(study, person, former), sealed)
	return string(address), err
}

// FormerAddress is one that a person's mail no longer goes to.
type FormerAddress struct {
	Email string
	At    int64 // when it was left, UTC milliseconds
}

// FormerOf lists them for the person's own copy, oldest first. The audit entry is that of opening the identity.
func (v *Vault) FormerOf(ctx context.Context, study id.Study, person id.Person) ([]FormerAddress, error) {
	var ids []id.Note
	left, err := database.All(ctx, v.db, func(row database.Scanner) (f FormerAddress, err error) {
		var former id.Note
		err = row.Scan(&former, &f.Email, &f.At) // sealed yet
		ids = append(ids, former)
		return f, err
	}, "select id, sealed, at from former_address where study_id = $1 and person_id = $2 order by at, id", study, person)
	if err != nil {
		return nil, fmt.Errorf("read former addresses: %w", err)
	}
	for i, f := range left {
		address, err := v.keys.Open(ctx, formerPlace(study, person, ids[i]), []byte(f.Email))
		if err != nil {
			return nil, fmt.Errorf("open former address: %w", err)
		}
		left[i].Email = string(address)
	}
	return left, nil
}

// ForgetFormer deletes the addresses that were left before an instant: by then they are told, or never will be.
func (v *Vault) ForgetFormer(ctx context.Context, before time.Time) error {
	return v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "delete from former_address where at < $1", before.UnixMilli())
		return err
	})
}
