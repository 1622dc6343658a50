package replay

import (
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
)

//go:embed facts/*.csv
var files embed.FS

// row is one line of a table, by column.
type row map[string]string

type facts struct {
	people     []row // who was contacted, and what became of it
	interviews []row // Table 6
	themes     []row // Tables 7 and 8
}

func readFacts() (f facts, err error) {
	for name, into := range map[string]*[]row{"people": &f.people, "interviews": &f.interviews, "themes": &f.themes} {
		if *into, err = read(name); err != nil {
			return facts{}, err
		}
	}
	return f, nil
}

func read(name string) ([]row, error) {
	file, err := files.Open("facts/" + name + ".csv")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("facts %s: %w", name, err)
	}
	var rows []row
	for _, record := range records[1:] {
		r := row{}
		for i, column := range records[0] {
			r[column] = record[i]
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// interview returns a person's line of Table 6, nil for somebody who was not interviewed.
func (f facts) interview(code string) row {
	i := slices.IndexFunc(f.interviews, func(r row) bool { return r["informant"] == code })
	if i < 0 {
		return nil
	}
	return f.interviews[i]
}
