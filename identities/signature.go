package identities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"

	"golang.org/x/text/unicode/norm"
)

// Signature is the name under an act of consent.
type Signature struct {
	Typed string `json:"typed,omitempty"` // letters, or
	Drawn string `json:"drawn,omitempty"` // strokes as an SVG path of M and L on a sheet of SheetWidth by SheetHeight
}

// The sheet that a name is drawn on.
const (
	SheetWidth  = 600
	SheetHeight = 200
)

const (
	mostSignature = 100  // characters of a typed name
	mostPath      = 8000 // bytes of a drawn one
	leastPoints   = 8    // fewer are a slip of the finger
)

// Nothing but strokes: whatever else a path could hold has no place in a page.
var pathPattern = regexp.MustCompile(`^(M\d{1,3},\d{1,3}(L\d{1,3},\d{1,3})*)+$`)

var pointPattern = regexp.MustCompile(`(\d+),(\d+)`)

// Given says whether there is one at all.
func (s Signature) Given() bool { return s.Kind() != "" }

// Kind is "typed", "drawn" or "", as the study store keeps it.
func (s Signature) Kind() string {
	switch {
	case s.Drawn != "":
		return "drawn"
	case strings.TrimSpace(s.Typed) != "":
		return "typed"
	}
	return ""
}

// Check says what Sign would refuse; the field is named signature.
func (s Signature) Check() error {
	_, err := s.clean()
	return err
}

// clean returns a signature as it is stored. What is drawn stands before what is typed.
func (s Signature) clean() (Signature, error) {
	var c errs.Check
	switch s.Kind() {
	case "":
		c.Add("signature", "required")
	case "drawn":
		s.Typed = ""
		if code := faultOfPath(s.Drawn); code != "" {
			c.Add("signature", code)
		}
	case "typed":
		s.Typed = norm.NFC.String(strings.TrimSpace(s.Typed))
		c.AtMost("signature", s.Typed, mostSignature)
		if !isName(s.Typed) {
			c.Add("signature", "identities.signature_letters")
		}
	}
	return s, c.Err()
}

// isName says whether a text is letters, with what joins and shortens names.
func isName(s string) bool {
	other := strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune(" -'’.", r)
	})
	return !other && strings.ContainsFunc(s, unicode.IsLetter)
}

func faultOfPath(path string) string {
	if len(path) > mostPath || !pathPattern.MatchString(path) {
		return "identities.signature_drawing"
	}
	points := pointPattern.FindAllStringSubmatch(path, -1)
	for _, point := range points {
		x, _ := strconv.Atoi(point[1]) // at most three digits
		y, _ := strconv.Atoi(point[2])
		if x > SheetWidth || y > SheetHeight {
			return "identities.signature_drawing"
		}
	}
	if len(points) < leastPoints {
		return "identities.signature_short"
	}
	return ""
}

func signaturePlace(study id.Study, person id.Person, act id.Consent) keys.Place {
	return keys.Place{Study: study, Person: person, Field: "signature " + string(act), Version: 1}
}

// Sign seals the name under an act that is about to be kept, bound to it. Whom the vault does not know in this study is
// ErrUnknown. Until the act is kept nobody sees it; DropSignature takes it back, and otherwise it goes with the person.
func (v *Vault) Sign(ctx context.Context, actor audit.Actor, study id.Study, person id.Person, act id.Consent, s Signature) error {
	s, err := s.clean()
	if err != nil {
		return err
	}
	if _, err := v.read(ctx, study, person); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode signature: %w", err)
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "signature.written", Study: study, Person: person, Detail: s.Kind()}); err != nil {
		return fmt.Errorf("write signature: %w", err)
	}
	at := signaturePlace(study, person, act)
	sealed, err := v.keys.Seal(ctx, at, text)
	if err != nil {
		return fmt.Errorf("seal signature: %w", err)
	}
	err = v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "insert into signature (act_id, person_id, study_id, sealed, signed_at) values ($1, $2, $3, $4, $5)",
			act, person, study, sealed, v.now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("write signature: %w", err)
	}
	return v.keepOnlyIfKeyed(ctx, at, sealed)
}

// DropSignature deletes the name under an act that was not kept. Doing it twice is doing it once.
func (v *Vault) DropSignature(ctx context.Context, study id.Study, person id.Person, act id.Consent) error {
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "delete from signature where study_id = $1 and person_id = $2 and act_id = $3", study, person, act)
		return err
	})
	if err != nil {
		return fmt.Errorf("drop signature: %w", err)
	}
	return nil
}

// PruneSignatures deletes what a crash left of a person's: names that are under none of their acts, and were written
// before an instant after which none can still be about to be kept.
func (v *Vault) PruneSignatures(ctx context.Context, study id.Study, person id.Person, acts []id.Consent, before time.Time) error {
	under, args := database.In(append([]id.Consent{""}, acts...), study, person, before.UnixMilli())
	err := v.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "delete from signature where study_id = $1 and person_id = $2 and signed_at < $3 and act_id not in "+under, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("prune signatures: %w", err)
	}
	return nil
}

// Signatures opens the names under a person's acts. That they were opened, by whom and why is on disk first. For a person
// who has signed nothing it is empty, and nothing is noted.
func (v *Vault) Signatures(ctx context.Context, actor audit.Actor, purpose string, study id.Study, person id.Person) (map[id.Consent]Signature, error) {
	if err := checkPurpose(purpose); err != nil {
		return nil, err
	}
	type row struct {
		act    id.Consent
		sealed []byte
	}
	rows, err := database.All(ctx, v.db, func(s database.Scanner) (r row, err error) {
		err = s.Scan(&r.act, &r.sealed)
		return r, err
	}, "select act_id, sealed from signature where study_id = $1 and person_id = $2 order by act_id", study, person)
	if err != nil {
		return nil, fmt.Errorf("read signatures: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if err := v.log.Record(ctx, audit.Entry{Actor: actor, Action: "signature.opened", Study: study, Person: person, Detail: purpose}); err != nil {
		return nil, fmt.Errorf("open signatures: %w", err)
	}
	opened := map[id.Consent]Signature{}
	for _, r := range rows {
		text, err := v.keys.Open(ctx, signaturePlace(study, person, r.act), r.sealed)
		if errors.Is(err, keys.ErrErased) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("open signature: %w", err)
		}
		var s Signature
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, fmt.Errorf("read signature: %w", err)
		}
		opened[r.act] = s
	}
	return opened, nil
}
