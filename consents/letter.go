package consents

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Item is one question that is answered yes or no.
type Item struct {
	Purpose  string `json:"purpose"`
	Text     string `json:"text"`
	Hint     string `json:"hint"`
	Required bool   `json:"required"` // taking part at all: a no ends the matter, and the other items need no answer
}

// Fact is one of the short lines above a letter.
type Fact struct {
	Term string `json:"term"`
	Text string `json:"text"`
}

// Letter is one published version in one language, never changed.
type Letter struct {
	ID          id.Letter
	Study       id.Study
	Audience    string
	Language    string
	Basis       string // the legal basis it speaks of
	Version     int    // 1, 2, 3 … per study and audience, the same for all languages published together
	Title       string
	Brief       []Fact
	Body        string // Markdown, filled
	Items       []Item
	Hash        string // hex SHA-256 over study, audience and everything a person reads
	PublishedAt int64  // UTC milliseconds
	PublishedBy id.Account

	brief, items string            // as stored and hashed
	words        map[string]string // of the record, as they were when it was published: to say what a later version changes
}

// Hashed is what the hash is taken over: each field as it is stored, behind its length in bytes as eight bytes. Lengths keep
// one field's end from passing as the next one's start. Letters from Versions, Letter and Current have it; others do not.
func (l Letter) Hashed() (all []byte) {
	for _, field := range []string{string(l.Study), l.Audience, l.Language, l.Basis, strconv.Itoa(l.Version), l.Title, l.brief, l.Body, l.items} {
		all = binary.BigEndian.AppendUint64(all, uint64(len(field)))
		all = append(all, field...)
	}
	return all
}

// Holds says whether the letter is the one that its hash was taken of.
func (l Letter) Holds() bool { return l.digest() == l.Hash }

func (l Letter) digest() string {
	sum := sha256.Sum256(l.Hashed())
	return hex.EncodeToString(sum[:])
}

// Publish freezes the drafts of the languages that fields has, under one version number. Where a draft uses an unknown
// field, or one that fields leaves empty, or was written for another legal basis, nothing is published and the Invalid
// error says which. ErrPublished: somebody did so at the same moment.
func (c *Consents) Publish(ctx context.Context, by id.Account, study id.Study, audience, basis string, fields map[string]Fields) ([]Letter, error) {
	letters, err := c.compose(ctx, study, audience, basis, fields)
	if err != nil {
		return nil, err
	}
	err = c.db.Tx(ctx, func(tx *database.Tx) error {
		var version int
		if err := tx.QueryRow(ctx, "select coalesce(max(version), 0) + 1 from letter where study_id = $1 and audience = $2",
			study, audience).Scan(&version); err != nil {
			return err
		}
		for i := range letters {
			letters[i].Version, letters[i].PublishedBy, letters[i].PublishedAt = version, by, c.now().UnixMilli()
			letters[i].Hash = letters[i].digest()
			if err := errors.Join(letters[i].insert(ctx, tx), letters[i].keepWords(ctx, tx)); err != nil {
				return err
			}
		}
		for _, l := range letters {
			// The hash goes into the chain too: who edits a letter and its hash together is found there.
			entry := audit.Entry{Actor: audit.Staff(by), Action: published, Study: study, Detail: l.publication()}
			if err := c.log.Append(ctx, tx, entry); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, database.ErrDuplicate) {
		return nil, ErrPublished
	}
	if err != nil {
		return nil, fmt.Errorf("publish letter: %w", err)
	}
	return letters, nil
}

// published is the action under which the audit chain says what was published.
const published = "letter.published"

func (l Letter) publication() string {
	return fmt.Sprintf("%s %d %s %s", l.Audience, l.Version, l.Language, l.Hash)
}

// compose fills the drafts, and gathers what is wrong with all of them.
func (c *Consents) compose(ctx context.Context, study id.Study, audience, basis string, fields map[string]Fields) ([]Letter, error) {
	drafts, err := c.Drafts(ctx, study, audience, basis)
	if err != nil {
		return nil, err
	}
	var letters []Letter
	var faults []errs.Field
	for _, language := range Languages {
		values, ok := fields[language]
		if !ok {
			continue
		}
		letter, wrong, err := compose(drafts[language], study, basis, values)
		if err != nil {
			return nil, err
		}
		letters, faults = append(letters, letter), append(faults, wrong...)
	}
	if len(letters) == 0 {
		faults = append(faults, errs.Field{Name: "languages", Code: "required"})
	}
	if len(faults) > 0 {
		return nil, &errs.Error{Kind: errs.Invalid, Code: "invalid", Fields: faults}
	}
	return letters, nil
}

func compose(d Draft, study id.Study, basis string, f Fields) (l Letter, faults []errs.Field, err error) {
	s, err := starterOf(d.Audience, d.Language, basis, f.Setting)
	if err != nil {
		return l, nil, err
	}
	values, err := f.Words(d.Audience, d.Language, basis)
	if err != nil {
		return l, nil, err
	}
	l = Letter{ID: id.New[id.Letter](), Study: study, Audience: d.Audience, Language: d.Language, Basis: basis,
		Title: fill(d.Title, values), Body: inMarkdown(d.Body, values), words: values}
	for _, fact := range s.brief {
		l.Brief = append(l.Brief, Fact{fact.Term, fill(fact.Text, values)})
	}
	for _, item := range s.items {
		item.Text, item.Hint = fill(item.Text, values), fill(item.Hint, values)
		l.Items = append(l.Items, item)
	}
	return l, d.faults(basis, f.Setting, d.Title+d.Body+s.short(), values), l.encode()
}

// faults are what keeps a draft from being published.
func (d Draft) faults(basis string, s Setting, all string, values map[string]string) (faults []errs.Field) {
	fault := func(name, code, field string) {
		faults = append(faults, errs.Field{Name: name, Code: code, Args: map[string]any{"Field": field, "Language": d.Language}})
	}
	if d.Basis != basis {
		fault("body", "letter_basis", "")
	}
	for _, name := range unknown(all) {
		fault("body", "letter_unknown", name)
	}
	for _, name := range empty(all, values) {
		fault(name, "letter_empty", name)
	}
	for _, name := range d.Gaps(s) {
		fault(name, "letter_gap", name)
	}
	return faults
}

func (l *Letter) encode() error {
	brief, err := json.Marshal(l.Brief)
	if err != nil {
		return err
	}
	items, err := json.Marshal(l.Items)
	l.brief, l.items = string(brief), string(items)
	return err
}

// keepWords stores the record's words beside a letter. They are not part of what was shown, and not hashed.
func (l Letter) keepWords(ctx context.Context, tx *database.Tx) error {
	words, err := json.Marshal(l.words)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "insert into letter_words (letter_id, study_id, words) values ($1, $2, $3)", l.ID, l.Study, string(words))
	return err
}

func (l Letter) insert(ctx context.Context, tx *database.Tx) error {
	_, err := tx.Exec(ctx, "insert into letter ("+letterColumns+") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		l.ID, l.Study, l.Audience, l.Language, l.Basis, l.Version, l.Title, l.brief, l.Body, l.items, l.Hash, l.PublishedAt, l.PublishedBy)
	return err
}

const letterColumns = "id, study_id, audience, language, basis, version, title, brief, body, items, hash, published_at, published_by"

// scanRaw leaves the JSON unread, so that Verify can look at what does not parse.
func scanRaw(row database.Scanner) (l Letter, err error) {
	err = row.Scan(&l.ID, &l.Study, &l.Audience, &l.Language, &l.Basis, &l.Version, &l.Title, &l.brief, &l.Body, &l.items,
		&l.Hash, &l.PublishedAt, &l.PublishedBy)
	return l, err
}

func scanLetter(row database.Scanner) (Letter, error) {
	l, err := scanRaw(row)
	if err != nil {
		return l, err
	}
	if err := errors.Join(json.Unmarshal([]byte(l.brief), &l.Brief), json.Unmarshal([]byte(l.items), &l.Items)); err != nil {
		return l, fmt.Errorf("letter %s: %w: %w", l.ID, ErrAltered, err)
	}
	return l, nil
}

// Current returns the newest version for an audience: in language, else in bokmål, else in what there is. The letter
// says which language it is in. Where nothing is published: ErrNoLetter.
func (c *Consents) Current(ctx context.Context, study id.Study, audience, language string) (Letter, error) {
	letters, err := database.All(ctx, c.db, scanLetter, "select "+letterColumns+` from letter where study_id = $1 and audience = $2
		and version = (select max(version) from letter where study_id = $1 and audience = $2) order by language`, study, audience)
	if err != nil {
		return Letter{}, fmt.Errorf("read current letter: %w", err)
	}
	if len(letters) == 0 {
		return Letter{}, ErrNoLetter
	}
	for _, wanted := range []string{language, Languages[0]} {
		if i := slices.IndexFunc(letters, func(l Letter) bool { return l.Language == wanted }); i >= 0 {
			return letters[i], nil
		}
	}
	return letters[0], nil
}

// Letter returns one published letter; ErrNoLetter where the study has none by that id.
func (c *Consents) Letter(ctx context.Context, study id.Study, letter id.Letter) (Letter, error) {
	return letterOf(ctx, c.db, study, letter)
}

func letterOf(ctx context.Context, q database.Querier, study id.Study, letter id.Letter) (Letter, error) {
	l, err := scanLetter(q.QueryRow(ctx, "select "+letterColumns+" from letter where study_id = $1 and id = $2", study, letter))
	if errors.Is(err, database.ErrNoRows) {
		return l, ErrNoLetter
	}
	return l, err
}

// Versions lists a study's published letters: by audience, newest first, in the order of Languages.
func (c *Consents) Versions(ctx context.Context, study id.Study) ([]Letter, error) {
	letters, err := database.All(ctx, c.db, scanLetter, "select "+letterColumns+` from letter where study_id = $1
		order by audience, version desc`, study)
	if err != nil {
		return nil, fmt.Errorf("list letters: %w", err)
	}
	slices.SortStableFunc(letters, func(a, b Letter) int {
		if a.Audience != b.Audience || a.Version != b.Version {
			return 0 // sorted already
		}
		return slices.Index(Languages, a.Language) - slices.Index(Languages, b.Language)
	})
	return letters, nil
}
