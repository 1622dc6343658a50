package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// clock is the time that everything obeys: the real one, or a demo folder's own.
type clock struct {
	shift  atomic.Int64 // nanoseconds ahead of the real time
	frozen atomic.Int64 // UTC milliseconds while a replay stands still; 0 otherwise
}

func (c *clock) now() time.Time {
	if at := c.frozen.Load(); at != 0 {
		return time.UnixMilli(at)
	}
	return time.Now().Add(time.Duration(c.shift.Load()))
}

// set stops the clock at a moment.
func (c *clock) set(at time.Time) { c.frozen.Store(at.UnixMilli()) }

// runFrom lets the clock go on from a moment.
func (c *clock) runFrom(at time.Time) {
	c.shift.Store(int64(time.Until(at)))
	c.frozen.Store(0)
}

const clockFile = "clock.json"

type savedClock struct {
	ShiftMillis int64 `json:"shift_ms"` // how far this folder's clock is ahead of the real one; negative is behind
}

// loadClock reads the folder's own clock; the real one where it has none.
func loadClock(folder string) (*clock, bool, error) {
	text, err := os.ReadFile(filepath.Join(folder, clockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return &clock{}, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read clock: %w", err)
	}
	var saved savedClock
	if err := json.Unmarshal(text, &saved); err != nil {
		return nil, false, fmt.Errorf("read clock: %w", err)
	}
	c := &clock{}
	c.shift.Store(saved.ShiftMillis * int64(time.Millisecond))
	return c, true, nil
}

func (c *clock) saved() savedClock { return savedClock{c.shift.Load() / int64(time.Millisecond)} }

func (c *clock) save(folder string) error { return c.saved().write(folder) }

func (s savedClock) write(folder string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, clockFile), text, 0o600)
}
