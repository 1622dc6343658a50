package consents

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

// Checked is what a comparison of letters and acts with their hashes found.
type Checked struct {
	Letters, Acts  int          // looked at
	AlteredLetters []id.Letter  // not what was published
	AlteredActs    []id.Consent // not what the letter they name asks
}

// OK says that nothing was altered.
func (c Checked) OK() bool { return len(c.AlteredLetters)+len(c.AlteredActs) == 0 }

// Letter says whether a letter is what was published.
func (c Checked) Letter(letter id.Letter) bool { return !slices.Contains(c.AlteredLetters, letter) }

// Verify compares every stored letter with its hash, and every act with the letter that it names, and returns the
// number of letters. ErrAltered says that one is not what was published; its text names the row.
func (c *Consents) Verify(ctx context.Context) (letters int, err error) {
	found, _, err := c.check(ctx, "")
	switch {
	case err != nil:
		return 0, err
	case len(found.AlteredLetters) > 0:
		return 0, fmt.Errorf("letter %s: %w", found.AlteredLetters[0], ErrAltered)
	case len(found.AlteredActs) > 0:
		return found.Letters, fmt.Errorf("act %s: %w", found.AlteredActs[0], ErrAltered)
	}
	return found.Letters, nil
}

// VerifyStudy does that for one study, and compares the letters also with what the audit chain says was published: who edits a
// letter and its hash together is found there.
func (c *Consents) VerifyStudy(ctx context.Context, study id.Study) (Checked, error) {
	found, letters, err := c.check(ctx, " where study_id = $1", study)
	if err != nil {
		return found, err
	}
	const most = 10_000 // far above what anybody publishes
	entries, err := c.log.Page(ctx, study, audit.Query{Actions: []string{published}, Limit: most})
	if err != nil {
		return found, err
	}
	said := map[string]bool{}
	for _, e := range entries {
		said[e.Detail] = true
	}
	for _, l := range letters {
		if !said[l.publication()] && found.Letter(l.ID) {
			found.AlteredLetters = append(found.AlteredLetters, l.ID)
		}
	}
	return found, nil
}

// check returns what it found, and the letters that hold.
func (c *Consents) check(ctx context.Context, where string, args ...any) (found Checked, letters map[id.Letter]Letter, err error) {
	letters = map[id.Letter]Letter{}
	err = database.Each(ctx, c.db, func(row database.Scanner) error {
		l, err := scanRaw(row)
		if err != nil {
			return err
		}
		found.Letters++
		if !l.Holds() || json.Unmarshal([]byte(l.items), &l.Items) != nil {
			found.AlteredLetters = append(found.AlteredLetters, l.ID)
			return nil
		}
		l.Body = "" // read, and not needed again
		letters[l.ID] = l
		return nil
	}, "select "+letterColumns+" from letter"+where+" order by id", args...)
	if err != nil {
		return found, nil, err
	}
	return found, letters, c.checkActs(ctx, &found, letters, where, args)
}

// checkActs leaves out the wording of withdrawals: they repeat the words under which the yes was given, which may
// stand in an older letter.
func (c *Consents) checkActs(ctx context.Context, found *Checked, letters map[id.Letter]Letter, where string, args []any) error {
	var last id.Consent
	return database.Each(ctx, c.db, func(row database.Scanner) error {
		var act id.Consent
		var letter id.Letter
		var hash, purpose, text, hint string
		var withdrawal bool
		if err := row.Scan(&act, &letter, &hash, &withdrawal, &purpose, &text, &hint); err != nil {
			return err
		}
		if !found.Letter(letter) {
			return nil // nothing can be said of what it asked
		}
		if act != last {
			last = act
			found.Acts++
		}
		shown := letters[letter]
		asked := shown.item(purpose)
		if (hash != shown.Hash || !withdrawal && (text != asked.Text || hint != asked.Hint)) && !slices.Contains(found.AlteredActs, act) {
			found.AlteredActs = append(found.AlteredActs, act)
		}
		return nil
	}, `select a.id, a.letter_id, a.letter_hash, a.withdrawal, i.purpose, i.text, i.hint
		from (select * from consent_act`+where+`) a join consent_item i on i.person_id = a.person_id and i.number = a.number
		order by a.id, i.purpose`, args...)
}

func (l Letter) item(purpose string) Item {
	if i := slices.IndexFunc(l.Items, func(item Item) bool { return item.Purpose == purpose }); i >= 0 {
		return l.Items[i]
	}
	return Item{}
}

// Asks says whether a letter asks about a purpose.
func (l Letter) Asks(purpose string) bool { return l.item(purpose).Purpose != "" }
