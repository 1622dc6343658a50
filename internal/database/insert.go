package database

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// mostInInsert is how many rows one statement inserts: as many as cut its cost to a small part, and no more parameters than
// either engine takes, with 20 columns.
const mostInInsert = 100

// Insert inserts many rows with few statements: into is "table (columns)", behind what follows the values, such as
// "on conflict do nothing". It returns how many rows went in.
func (t *Tx) Insert(ctx context.Context, into string, rows [][]any, behind string) (inserted int64, err error) {
	for some := range slices.Chunk(rows, mostInInsert) {
		var query strings.Builder
		query.WriteString("insert into " + into + " values ")
		args := make([]any, 0, len(some)*len(some[0]))
		for i, row := range some {
			if i > 0 {
				query.WriteString(", ")
			}
			for k, value := range row {
				query.WriteByte("(,"[min(k, 1)])
				args = append(args, value)
				query.WriteString("$" + strconv.Itoa(len(args)))
			}
			query.WriteByte(')')
		}
		n, err := t.Exec(ctx, query.String()+" "+behind, args...)
		if err != nil {
			return inserted, err
		}
		inserted += n
	}
	return inserted, nil
}
