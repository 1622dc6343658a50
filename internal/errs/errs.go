// Package errs says of what kind an error is, so that handlers can answer with a status and a text without knowing who
// failed. Domain packages know no language: an error carries a code, and handlers translate "error.<code>".
package errs

import (
	"errors"
	"strings"
)

// Kind is what a caller can do about an error.
type Kind int

const (
	Internal        Kind = iota // nothing; the zero value, and the kind of every foreign error
	Invalid                     // mend the input
	NotFound                    // it is not there, or not for you: the answer is the same
	Conflict                    // somebody came first; look again
	Forbidden                   // you may not
	Unauthenticated             // sign in
	TooMany                     // wait
	Unavailable                 // try again later: disk full, database away, shutting down
	TooLarge                    // send less
)

// Error is an error with a kind and a code. Sentinels are made with New and compared with errors.Is.
type Error struct {
	Kind   Kind
	Code   string  // such as "scheduling.slot_taken": the translation key after "error."
	Fields []Field // what is wrong with which input, for Invalid
	cause  error
}

// Field is what is wrong with one input of a form.
type Field struct {
	Name string // the input's name in the form
	Code string // such as "required": the translation key after "field."
	Args map[string]any
}

// New makes a sentinel.
func New(kind Kind, code string) *Error { return &Error{Kind: kind, Code: code} }

// Wrap gives cause a kind and a code, keeping it in the chain for operators.
func Wrap(cause error, kind Kind, code string) *Error {
	return &Error{Kind: kind, Code: code, cause: cause}
}

func (e *Error) Error() string {
	text := e.Code
	if len(e.Fields) > 0 {
		names := make([]string, len(e.Fields))
		for i, f := range e.Fields {
			names[i] = f.Name + ": " + f.Code
		}
		text += " (" + strings.Join(names, ", ") + ")"
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Is holds two errors equal that have the same kind and code, whatever they wrap.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code
}

// KindOf returns the kind of the outermost Error in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// FieldsOf returns what is wrong with which input, nil if err says nothing about inputs.
func FieldsOf(err error) []Field {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Fields
	}
	return nil
}

// Check gathers what is wrong with a form, so that a person hears everything at once.
type Check struct{ fields []Field }

// Add notes one fault.
func (c *Check) Add(name, code string) { c.fields = append(c.fields, Field{Name: name, Code: code}) }

// Require notes a fault where value is blank, or longer than most characters.
func (c *Check) Require(name, value string, most int) {
	if strings.TrimSpace(value) == "" {
		c.Add(name, "required")
		return
	}
	c.AtMost(name, value, most)
}

// AtMost notes a fault where value is longer than most characters.
func (c *Check) AtMost(name, value string, most int) {
	if len([]rune(value)) > most {
		c.fields = append(c.fields, Field{Name: name, Code: "too_long", Args: map[string]any{"Most": most}})
	}
}

// Err returns nil where nothing was noted, otherwise one Invalid error with all faults.
func (c *Check) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: "invalid", Fields: c.fields}
}

// Gather makes one Invalid error of the faults that several checks found in one form. An error that is about no field
// stands alone.
func Gather(found ...error) error {
	var check Check
	for _, err := range found {
		if err != nil && len(FieldsOf(err)) == 0 {
			return err
		}
		check.fields = append(check.fields, FieldsOf(err)...)
	}
	return check.Err()
}
