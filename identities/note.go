package identities

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"

	"golang.org/x/text/unicode/norm"
)

// Note is a text about one event with a person: what the team wrote about a contact, or where an appointment is to be.
type Note struct {
	ID   id.Note
	At   int64 // when it was written, UTC milliseconds
	Text string
}

// mostContactNote is in characters: a call is summed up, not written out.
const mostContactNote = 2000

// CheckNote says what AddNote would refuse of the text of a field.
func CheckNote(field, text string) error {
	var c errs.Check
	c.AtMost(field, cleanNote(text), mostContactNote)
	return c.Err()
}

// cleanNote returns a note as it is stored. Control characters are nothing that anybody typed.
func cleanNote(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(text, "�"))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
	return norm.NFC.String(strings.TrimSpace(text))
}

func notePlace(study id.Study, person id.Person, note id.Note) keys.Place {
	return keys.Place{Study: study, Person: person, Field: "note " + string(note), Version: 1}
}

// AddNote seals a note about a person and returns its id, for the study store; a blank text is no note, and "". Whom the
// vault does not know in this study is ErrUnknown. Until somebody keeps the id, nobody misses the note: it goes with the
// person.
func (v *Vault) AddNote(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, text string) (id.Note, error) {
	if err := CheckNote("note", text); err != nil {
		return "", err
	}
	if text = cleanNote(text); text == "" {
		return "", nil
	}
	if _, err := v.read(ctx, study, person); err != nil {
		return "", err
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "note.written", Study: study, Person: person}); err != nil {
		return "", fmt.Errorf("write note: %w", err)
	}
	note := id.New[id.Note]()
	at := notePlace(study, person, note)
	sealed, err := v.keys.Seal(ctx, at, []byte(text))
	if err != nil {
		return "", fmt.Errorf("seal note: %w", err)
	}
	now := v.now().UnixMilli()
	err = v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "insert into note (note_id, person_id, study_id, sealed, written_at) values ($1, $2, $3, $4, $5)",
			note, person, study, sealed, now)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("write note: %w", err)
	}
	return note, v.keepOnlyIfKeyed(ctx, at, sealed)
}

// DropNote deletes a note that nothing points to any more. Doing it twice is doing it once.
func (v *Vault) DropNote(ctx context.Context, study id.Study, person id.Person, note id.Note) error {
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "delete from note where study_id = $1 and person_id = $2 and note_id = $3", study, person, note)
		return err
	})
	if err != nil {
		return fmt.Errorf("drop note: %w", err)
	}
	return nil
}

// OpenNote returns one note without who the person is. That it was opened, by whom and why is on disk first. ErrUnknown
// where there is none.
func (v *Vault) OpenNote(ctx context.Context, actor audit.Actor, purpose string, study id.Study, person id.Person, note id.Note) (Note, error) {
	if err := checkPurpose(purpose); err != nil {
		return Note{}, err
	}
	n := Note{ID: note}
	var sealed []byte
	err := v.db.QueryRow(ctx, "select written_at, sealed from note where study_id = $1 and person_id = $2 and note_id = $3", study, person, note).Scan(&n.At, &sealed)
	if errors.Is(err, database.ErrNoRows) {
		return Note{}, ErrUnknown
	}
	if err != nil {
		return Note{}, fmt.Errorf("read note: %w", err)
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "note.opened", Study: study, Person: person, Detail: purpose}); err != nil {
		return Note{}, fmt.Errorf("open note: %w", err)
	}
	text, err := v.keys.Open(ctx, notePlace(study, person, note), sealed)
	n.Text = string(text)
	return n, err
}

// OpenNoted is Open with the notes about the person, newest first. One audit entry stands for both.
func (v *Vault) OpenNoted(ctx context.Context, actor audit.Actor, purpose string, study id.Study, person id.Person) (Identity, []Note, error) {
	who, err := v.Open(ctx, actor, purpose, study, person)
	if err != nil {
		return Identity{}, nil, err
	}
	notes, err := database.All(ctx, v.db, func(row database.Scanner) (n Note, err error) {
		err = row.Scan(&n.ID, &n.At, &n.Text) // sealed yet
		return n, err
	}, "select note_id, written_at, sealed from note where study_id = $1 and person_id = $2 order by written_at desc, note_id", study, person)
	if err != nil {
		return Identity{}, nil, fmt.Errorf("read notes: %w", err)
	}
	for i, n := range notes {
		text, err := v.keys.Open(ctx, notePlace(study, person, n.ID), []byte(n.Text))
		if err != nil {
			return Identity{}, nil, fmt.Errorf("open note: %w", err)
		}
		notes[i].Text = string(text)
	}
	return who, notes, nil
}
