package scheduling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Mode is how an interview is held.
type Mode string

const (
	InPerson Mode = "in_person"
	Phone    Mode = "phone"
	Video    Mode = "video"
	Email    Mode = "email" // in writing: the time is when the answers are due, and the interviewer's to read them
)

// Modes lists all of them.
var Modes = []Mode{InPerson, Phone, Video, Email}

// Type is what is offered to an audience of a study.
type Type struct {
	Study                     id.Study
	Audience                  string
	Minutes                   int // how long an interview is planned to last
	BufferBefore, BufferAfter int // minutes kept free around it
	Grid                      int // minutes from one offered start to the next, counted from the start of a window
	NoticeHours               int // a participant books at least this long ahead
	HorizonDays               int // ... and at most this long
	DeadlineHours             int // a participant moves and cancels until this long before the start
	Modes                     []Mode
	Interviewers              int    // who must be free at once: 1 or 2
	Place                     string // where interviews in person are held unless a booking says otherwise
	VideoRoom                 string // an https address
}

const (
	mostMinutes      = 480
	mostBuffer       = 240
	mostHours        = 24 * 90
	mostHorizonDays  = 366
	mostInterviewers = 2
	mostPlace        = 200 // characters
)

// usual is offered until the study says otherwise.
func usual(study id.Study, audience string) Type {
	return Type{Study: study, Audience: audience, Minutes: 60, BufferAfter: 15, Grid: 30, NoticeHours: 24, HorizonDays: 60,
		DeadlineHours: 24, Modes: []Mode{InPerson, Phone}, Interviewers: 1}
}

// SaveType sets what an audience is offered. Bookings stay as they are. It is Invalid with fields named like the columns.
func (s *Scheduling) SaveType(ctx context.Context, actor audit.Actor, t Type) error {
	if err := t.check(); err != nil {
		return err
	}
	modes, err := json.Marshal(t.Modes)
	if err != nil {
		return fmt.Errorf("save interview type: %w", err)
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `insert into interview_type (`+typeColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			on conflict (study_id, audience) do update set minutes = excluded.minutes, buffer_before = excluded.buffer_before,
			buffer_after = excluded.buffer_after, grid = excluded.grid, notice_hours = excluded.notice_hours,
			horizon_days = excluded.horizon_days, deadline_hours = excluded.deadline_hours, modes = excluded.modes,
			interviewers = excluded.interviewers, place = excluded.place, video_room = excluded.video_room`,
			t.Study, t.Audience, t.Minutes, t.BufferBefore, t.BufferAfter, t.Grid, t.NoticeHours, t.HorizonDays, t.DeadlineHours,
			string(modes), t.Interviewers, t.Place, t.VideoRoom)
		if err != nil {
			return fmt.Errorf("save interview type: %w", err)
		}
		return s.record(ctx, tx, actor, t.Study, "interview_type.saved", t.Audience)
	})
}

func (t Type) check() error {
	var check errs.Check
	check.Require("audience", t.Audience, 50)
	for _, n := range []struct {
		field             string
		value, least, top int
		inCells           bool
	}{
		{"minutes", t.Minutes, cellMinutes, mostMinutes, true},
		{"buffer_before", t.BufferBefore, 0, mostBuffer, true},
		{"buffer_after", t.BufferAfter, 0, mostBuffer, true},
		{"grid", t.Grid, cellMinutes, mostMinutes, true},
		{"notice_hours", t.NoticeHours, 0, mostHours, false},
		{"horizon_days", t.HorizonDays, 1, mostHorizonDays, false},
		{"deadline_hours", t.DeadlineHours, 0, mostHours, false},
		{"interviewers", t.Interviewers, 1, mostInterviewers, false},
	} {
		if n.value < n.least || n.value > n.top {
			check.Add(n.field, "scheduling.range")
		} else if n.inCells && n.value%cellMinutes != 0 {
			check.Add(n.field, "scheduling.five")
		}
	}
	if len(t.Modes) == 0 || slices.ContainsFunc(t.Modes, func(m Mode) bool { return !slices.Contains(Modes, m) }) {
		check.Add("modes", "scheduling.mode")
	}
	check.AtMost("place", t.Place, mostPlace)
	check.AtMost("video_room", t.VideoRoom, mostPlace)
	if slices.Contains(t.Modes, Video) || t.VideoRoom != "" {
		if u, err := url.Parse(t.VideoRoom); err != nil || u.Scheme != "https" || u.Host == "" {
			check.Add("video_room", "scheduling.https")
		}
	}
	return check.Err()
}

const typeColumns = "study_id, audience, minutes, buffer_before, buffer_after, grid, notice_hours, horizon_days, deadline_hours, modes, interviewers, place, video_room"

// TypeOf returns what an audience is offered; where nothing was saved, an hour in person or by telephone.
func (s *Scheduling) TypeOf(ctx context.Context, study id.Study, audience string) (Type, error) {
	var t Type
	var modes string
	err := s.db.QueryRow(ctx, "select "+typeColumns+" from interview_type where study_id = $1 and audience = $2", study, audience).
		Scan(&t.Study, &t.Audience, &t.Minutes, &t.BufferBefore, &t.BufferAfter, &t.Grid, &t.NoticeHours, &t.HorizonDays, &t.DeadlineHours,
			&modes, &t.Interviewers, &t.Place, &t.VideoRoom)
	if errors.Is(err, database.ErrNoRows) {
		return usual(study, audience), nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(modes), &t.Modes)
	}
	if err != nil {
		return Type{}, fmt.Errorf("read interview type: %w", err)
	}
	return t, nil
}

// offers narrows a stretch to what may be offered now.
func (t Type) offers(now, from, to time.Time) (time.Time, time.Time) {
	if earliest := now.Add(time.Duration(t.NoticeHours) * time.Hour); from.Before(earliest) {
		from = earliest
	}
	if latest := now.AddDate(0, 0, t.HorizonDays); to.After(latest) {
		to = latest
	}
	return from, to
}

// where says what a booking of this mode gives as its place.
func (t Type) where(mode Mode) string {
	switch mode {
	case InPerson:
		return t.Place
	case Video:
		return t.VideoRoom
	}
	return ""
}
