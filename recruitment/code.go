package recruitment

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
)

const mostCode = 12

var (
	codeShape  = regexp.MustCompile(`^[\p{Lu}\d][\p{Lu}\d-]*$`)
	codeNumber = regexp.MustCompile(`\d{1,9}$`)
)

// asCode is how a code is stored that somebody has typed.
func asCode(typed string) string { return strings.ToUpper(strings.TrimSpace(typed)) }

// isCode says whether something typed has the shape of a code.
func isCode(typed string) bool {
	code := asCode(typed)
	return utf8.RuneCountInString(code) <= mostCode && codeShape.MatchString(code)
}

// NextCode suggests a code for a new participant of a case: the case's own code and a number that nobody has had. Another
// may take it first; inserting then says ErrCodeTaken.
func (r *Recruitment) NextCode(ctx context.Context, study id.Study, caseID id.Case, caseCode string) (string, error) {
	var highest int64
	err := r.db.QueryRow(ctx, "select highest from code_number where study_id = $1 and case_id = $2", study, caseID).Scan(&highest)
	if err != nil && !errors.Is(err, database.ErrNoRows) {
		return "", fmt.Errorf("next code: %w", err)
	}
	return codeOf(caseCode, highest+1), nil
}

func codeOf(caseCode string, number int64) string {
	return strings.ToUpper(caseCode) + strconv.FormatInt(number, 10)
}

// noteNumber keeps a code's number from being suggested again.
func noteNumber(ctx context.Context, tx *database.Tx, study id.Study, caseID id.Case, code string) error {
	number, err := strconv.ParseInt(codeNumber.FindString(code), 10, 64)
	if err != nil {
		return nil // a code without a number, such as PILOT
	}
	if _, err := tx.Exec(ctx, `insert into code_number (study_id, case_id, highest) values ($1, $2, $3)
		on conflict (study_id, case_id) do update set highest = excluded.highest where code_number.highest < excluded.highest`,
		study, caseID, number); err != nil {
		return fmt.Errorf("note code's number: %w", err)
	}
	return nil
}
