package backup

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strings"

	"example.org/feltbok/internal/database"

	"filippo.io/age"
)

// Write writes snapshots into w as an archive for the recipients, row by row, and returns what it wrote. mark makes of a
// hash what only somebody with the installation's master key can.
func Write(ctx context.Context, w io.Writer, to []age.Recipient, m Manifest, mark func(string) string, snapshots ...*database.Snapshot) ([]Content, error) {
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	// The fastest: most of what there is are sealed bytes and random ids.
	packed, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	out := &writer{to: packed, sum: sha256.New()}
	if err := out.archive(ctx, m, mark, snapshots); err != nil {
		return nil, err
	}
	// Both ends are part of the archive: without them it is one that was cut short.
	if err := packed.Close(); err != nil {
		return nil, err
	}
	return out.contents, sealed.Close()
}

type writer struct {
	to       io.Writer
	sum      hash.Hash
	head     []byte
	row      []byte
	contents []Content
}

func (w *writer) archive(ctx context.Context, m Manifest, mark func(string) string, snapshots []*database.Snapshot) error {
	m.Format, m.Versions = format, map[database.Store]int64{}
	for _, snapshot := range snapshots {
		version, err := database.Version(ctx, snapshot)
		if err != nil {
			return err
		}
		m.Versions[snapshot.Store()] = version
	}
	if _, err := io.WriteString(io.MultiWriter(w.to, w.sum), magic); err != nil {
		return err
	}
	if err := w.json(recordManifest, m); err != nil {
		return err
	}
	for _, snapshot := range snapshots {
		if err := w.store(ctx, snapshot); err != nil {
			return err
		}
	}
	if err := w.json(recordContents, w.contents); err != nil {
		return err
	}
	all := hex.EncodeToString(w.sum.Sum(nil))
	return w.json(recordSeal, sealRecord{all, mark(all)})
}

func (w *writer) store(ctx context.Context, snapshot *database.Snapshot) error {
	tables, err := snapshot.Tables(ctx)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if err := w.table(ctx, snapshot, table); err != nil {
			return fmt.Errorf("write table %s: %w", table.Name, err)
		}
	}
	return nil
}

func (w *writer) table(ctx context.Context, snapshot *database.Snapshot, table database.Table) error {
	if err := w.json(recordTable, tableRecord{snapshot.Store(), table.Name, table.Columns}); err != nil {
		return err
	}
	content, rows := Content{Store: snapshot.Store(), Table: table.Name}, sum{}
	cells, targets := make([]cell, len(table.Columns)), make([]any, len(table.Columns))
	for i, column := range table.Columns {
		cells[i].kind = column.Type
		targets[i] = cells[i].target()
	}
	err := database.Each(ctx, snapshot, func(row database.Scanner) error {
		if err := row.Scan(targets...); err != nil {
			return err
		}
		w.row = w.row[:0]
		for i := range cells {
			w.row = cells[i].write(w.row)
		}
		content.Rows++
		rows.add(w.row)
		return w.record(recordRow, w.row)
	}, "select "+names(table.Columns)+" from "+table.Name)
	content.Hash = rows.String()
	w.contents = append(w.contents, content)
	return err
}

func names(columns []database.Column) string {
	all := make([]string, len(columns))
	for i, column := range columns {
		all[i] = column.Name
	}
	return strings.Join(all, ", ")
}

func (w *writer) json(kind byte, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return w.record(kind, text)
}

func (w *writer) record(kind byte, payload []byte) error {
	w.head = binary.AppendUvarint(append(w.head[:0], kind), uint64(len(payload)))
	for _, part := range [][]byte{w.head, payload} {
		w.sum.Write(part)
		if _, err := w.to.Write(part); err != nil {
			return err
		}
	}
	return nil
}
