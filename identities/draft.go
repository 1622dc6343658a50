package identities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
)

// A draft is a list of people on its way into a study: nobody's identity yet, but full of names. It is sealed part by part
// with a data key of its own, and its end is the end of that key.

// DraftLifetime is how long a list lies here that nobody takes in.
const DraftLifetime = 24 * time.Hour

// draftKey is the data key of a draft: it is kept like a person's.
func draftKey(draft id.Import) id.Person { return id.Person(draft) }

func draftPlace(study id.Study, draft id.Import, sheet, part int) keys.Place {
	return keys.Place{Study: study, Person: draftKey(draft), Field: fmt.Sprintf("draft.%d.%d", sheet, part), Version: 1}
}

// index is the sheet that a draft's own description is kept under.
const index = -1

// NewDraft begins a draft and gives it its key.
func (v *Vault) NewDraft(ctx context.Context, actor audit.Actor, study id.Study, draft id.Import) error {
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "draft.written", Study: study, Detail: string(draft)}); err != nil {
		return fmt.Errorf("begin draft: %w", err)
	}
	// The row first: a key that belongs to nothing would stay.
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "insert into draft (id, study_id, expires_at) values ($1, $2, $3)",
			draft, study, v.now().Add(DraftLifetime).UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("begin draft: %w", err)
	}
	return v.keys.Create(ctx, draftKey(draft))
}

// DescribeDraft keeps what is to be known of a draft as a whole.
func (v *Vault) DescribeDraft(ctx context.Context, study id.Study, draft id.Import, about any) error {
	return v.PutDraft(ctx, study, draft, index, 0, about)
}

// PutDraft keeps one part of one sheet of a draft, as JSON.
func (v *Vault) PutDraft(ctx context.Context, study id.Study, draft id.Import, sheet, part int, content any) error {
	text, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode draft: %w", err)
	}
	sealed, err := v.keys.Seal(ctx, draftPlace(study, draft, sheet, part), text)
	if err != nil {
		return fmt.Errorf("seal draft: %w", err)
	}
	return v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "insert into draft_part (draft_id, sheet, part, sealed) values ($1, $2, $3, $4)", draft, sheet, part, sealed)
		return err
	})
}

// OpenDraft reads what DescribeDraft kept. That it was opened and by whom is on disk first. A draft that was taken in,
// discarded or has expired is ErrUnknown.
func (v *Vault) OpenDraft(ctx context.Context, actor audit.Actor, study id.Study, draft id.Import, about any) error {
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "draft.opened", Study: study, Detail: string(draft)}); err != nil {
		return fmt.Errorf("open draft: %w", err)
	}
	known, err := v.DraftPart(ctx, study, draft, index, 0, about)
	if err == nil && !known {
		return ErrUnknown
	}
	return err
}

// DraftPart reads one part, and says whether there is such a one. It is for whoever opened the draft, and for taking it in.
func (v *Vault) DraftPart(ctx context.Context, study id.Study, draft id.Import, sheet, part int, content any) (known bool, err error) {
	var sealed []byte
	err = v.db.QueryRow(ctx, `select p.sealed from draft_part p join draft d on d.id = p.draft_id
		where d.id = $1 and d.study_id = $2 and p.sheet = $3 and p.part = $4`, draft, study, sheet, part).Scan(&sealed)
	if errors.Is(err, database.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read draft: %w", err)
	}
	text, err := v.keys.Open(ctx, draftPlace(study, draft, sheet, part), sealed)
	if errors.Is(err, keys.ErrErased) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open draft: %w", err)
	}
	return true, json.Unmarshal(text, content)
}

// DraftSecret returns bits that stand for a draft as long as it is there and that nobody can guess.
func (v *Vault) DraftSecret(ctx context.Context, draft id.Import) ([]byte, error) {
	return v.keys.MAC(ctx, draftKey(draft), "import", "people")
}

// DropDraft destroys a draft's key and removes its bytes from the files. Doing it twice is doing it once.
func (v *Vault) DropDraft(ctx context.Context, draft id.Import) error {
	if err := v.keys.Destroy(ctx, draftKey(draft)); err != nil {
		return err
	}
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		for _, statement := range []string{"delete from draft_part where draft_id = $1", "delete from draft where id = $1"} {
			if _, err := tx.Exec(ctx, statement, draft); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("drop draft: %w", err)
	}
	return v.db.Scrub(ctx, "draft_part", "draft")
}

// Drafts lists the drafts that expire before a time.
func (v *Vault) Drafts(ctx context.Context, before time.Time) ([]id.Import, error) {
	return database.Values[id.Import](ctx, v.db, "select id from draft where expires_at < $1 order by id", before.UnixMilli())
}
