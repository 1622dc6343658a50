package handlers

import (
	"errors"

	"example.org/feltbok/internal/errs"
)

// gatherFaults joins what several checks say about the fields of one form. An error that is about no field comes first.
func gatherFaults(found ...error) error {
	all := &errs.Error{Kind: errs.Invalid, Code: "invalid"}
	for _, err := range found {
		if err == nil {
			continue
		}
		fields := errs.FieldsOf(err)
		if len(fields) == 0 {
			return err
		}
		if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind == errs.Conflict {
			all.Kind = errs.Conflict
		}
		all.Fields = append(all.Fields, fields...)
	}
	if len(all.Fields) == 0 {
		return nil
	}
	return all
}

// faultAt is one fault of one field.
func faultAt(kind errs.Kind, name, code string) error {
	return &errs.Error{Kind: kind, Code: "invalid", Fields: []errs.Field{{Name: name, Code: code}}}
}

// renamed puts what a domain found wrong at the inputs of this page. Names that are not listed stay.
func renamed(err error, inputs map[string]string) error {
	return eachField(err, func(f errs.Field) errs.Field {
		if input, ok := inputs[f.Name]; ok {
			f.Name = input
		}
		return f
	})
}

// eachField returns err with every field fault changed by fn; an error without faults is returned as it is.
func eachField(err error, fn func(errs.Field) errs.Field) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	changed := &errs.Error{Kind: e.Kind, Code: e.Code}
	for _, f := range e.Fields {
		changed.Fields = append(changed.Fields, fn(f))
	}
	return changed
}
