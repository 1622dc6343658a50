package consents

import (
	"context"
	"encoding/json"
	"fmt"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Verify compares every stored letter with its hash, and every act with the letter that it names, and returns the
// number of letters. ErrAltered says that one is not what was published; its text names the row.
func (c *Consents) Verify(ctx context.Context) (letters int, err error) {
	shown := map[id.Letter]map[string]Item{}
	hashes := map[id.Letter]string{}
	err = database.Each(ctx, c.db, func(row database.Scanner) error {
		l, err := scanRaw(row)
		if err != nil {
			return err
		}
		if l.digest() != l.Hash || json.Unmarshal([]byte(l.items), &l.Items) != nil {
			return fmt.Errorf("letter %s: %w", l.ID, ErrAltered)
		}
		hashes[l.ID], shown[l.ID] = l.Hash, map[string]Item{}
		for _, item := range l.Items {
			shown[l.ID][item.Purpose] = item
		}
		return nil
	}, "select "+letterColumns+" from letter order by id")
	if err != nil {
		return 0, err
	}
	return len(hashes), c.verifyActs(ctx, hashes, shown)
}

// verifyActs leaves out the wording of withdrawals: they repeat the words under which the yes was given, which may
// stand in an older letter.
func (c *Consents) verifyActs(ctx context.Context, hashes map[id.Letter]string, shown map[id.Letter]map[string]Item) error {
	return database.Each(ctx, c.db, func(row database.Scanner) error {
		var act id.Consent
		var letter id.Letter
		var hash, purpose, text, hint string
		var withdrawal bool
		if err := row.Scan(&act, &letter, &hash, &withdrawal, &purpose, &text, &hint); err != nil {
			return err
		}
		item := shown[letter][purpose]
		if hash != hashes[letter] || !withdrawal && (text != item.Text || hint != item.Hint) {
			return fmt.Errorf("act %s: %w", act, ErrAltered)
		}
		return nil
	}, `select a.id, a.letter_id, a.letter_hash, a.withdrawal, i.purpose, i.text, i.hint
		from consent_act a join consent_item i on i.person_id = a.person_id and i.number = a.number order by a.id, i.purpose`)
}
