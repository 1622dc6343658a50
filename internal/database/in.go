package database

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// mostInList is how many values one statement lists: far below what either engine takes.
const mostInList = 500

// Chunks cuts values into lists short enough for one statement.
func Chunks[T any](values []T) iter.Seq[[]T] { return slices.Chunk(values, mostInList) }

// In writes the list of an "in" for values that follow the other arguments of a statement: "($3, $4)" after two. The
// arguments come back with the values behind them.
func In[T any](values []T, before ...any) (list string, args []any) {
	args = slices.Clone(before)
	marks := make([]string, len(values))
	for i, value := range values {
		args = append(args, value)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	return "(" + strings.Join(marks, ", ") + ")", args
}
