package scheduling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Mode is how an interview is held.
type Mode string

const (
	InPerson Mode = "in_person" // at the team's place
	Visit    Mode = "visit"     // in person, at the participant's place
	Phone    Mode = "phone"
	Video    Mode = "video"
	Email    Mode = "email" // in writing: the time is the day on which the answers are due, and takes nobody's hours
)

// Modes lists all of them.
var Modes = []Mode{InPerson, Visit, Phone, Video, Email}

// Call says whether the two talk without meeting.
func (m Mode) Call() bool { return m == Phone || m == Video }

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
	DailyMost                 int // interviews of one interviewer on one day that participants may fill; 0 is no limit
	Modes                     []Mode
	Interviewers              int    // who must be free at once: 1 or 2
	Place                     string // where interviews in person are held unless a booking says otherwise
	Directions                string // how to find it
	OurNumber                 string // by telephone: the participant rings this; empty: we ring the participant
	VideoRoom                 string // an https address; RoomMark in it becomes a name of its own for each booking
	Questions                 string // sent where the interview is in writing
	Named                     bool   // interviewers' own invitations show who it is, not the code alone
	RemindHours               int    // the participant is reminded so long before the start; 0 is not at all
	RemindCallHours           int    // ... and once more where it is a call
	Version                   int64  // rises with every change; 0 before there was any
}

// RoomMark stands in a video address for a name that nobody can guess.
const RoomMark = "{room}"

const (
	mostMinutes      = 480
	mostBuffer       = 240
	mostHours        = 24 * 90
	mostHorizonDays  = 366
	mostInterviewers = 2
	mostPlace        = 200 // characters
	mostDirections   = 1000
	mostQuestions    = 10_000
	mostDaily        = 20
	mostRemind       = 24 * 14 // hours
)

// usual is offered until the study says otherwise. Whoever is reminded can still move.
func usual(study id.Study, audience string) Type {
	return Type{Study: study, Audience: audience, Minutes: 60, BufferAfter: 15, Grid: 30, NoticeHours: 24, HorizonDays: 60,
		DeadlineHours: 12, Modes: []Mode{InPerson, Phone}, Interviewers: 1, RemindHours: 24, RemindCallHours: 1}
}

// SaveType sets what an audience is offered. Bookings stay as they are, and are reminded of at the new hours. It is Invalid with fields named like the columns, and
// ErrChanged where somebody saved it since the version that t names.
func (s *Scheduling) SaveType(ctx context.Context, actor audit.Actor, t Type) error {
	if err := t.Check(); err != nil {
		return err
	}
	modes, err := json.Marshal(t.Modes)
	if err != nil {
		return fmt.Errorf("save interview type: %w", err)
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, `insert into interview_type (`+typeColumns+`)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, cast($21 as bigint) + 1)
			on conflict (study_id, audience) do update set minutes = excluded.minutes, buffer_before = excluded.buffer_before,
			buffer_after = excluded.buffer_after, grid = excluded.grid, notice_hours = excluded.notice_hours,
			horizon_days = excluded.horizon_days, deadline_hours = excluded.deadline_hours, modes = excluded.modes,
			interviewers = excluded.interviewers, place = excluded.place, video_room = excluded.video_room,
			daily_most = excluded.daily_most, directions = excluded.directions, our_number = excluded.our_number,
			questions = excluded.questions, named = excluded.named, remind_hours = excluded.remind_hours,
			remind_call_hours = excluded.remind_call_hours, version = excluded.version
			where interview_type.version = $21`,
			t.Study, t.Audience, t.Minutes, t.BufferBefore, t.BufferAfter, t.Grid, t.NoticeHours, t.HorizonDays, t.DeadlineHours,
			string(modes), t.Interviewers, t.Place, t.VideoRoom, t.DailyMost, t.Directions, t.OurNumber, t.Questions, t.Named,
			t.RemindHours, t.RemindCallHours, t.Version)
		if err != nil {
			return fmt.Errorf("save interview type: %w", err)
		}
		if n == 0 {
			return ErrChanged
		}
		if err := s.remindAnew(ctx, tx, t); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, t.Study, "interview_type.saved", t.Audience)
	})
}

// Check is Invalid, with fields named like the columns, where what is offered makes no sense.
func (t Type) Check() error {
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
		{"daily_most", t.DailyMost, 0, mostDaily, false},
		{"remind_hours", t.RemindHours, 0, mostRemind, false},
		{"remind_call_hours", t.RemindCallHours, 0, mostRemind, false},
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
	check.AtMost("directions", t.Directions, mostDirections)
	check.AtMost("our_number", t.OurNumber, mostPlace)
	check.AtMost("questions", t.Questions, mostQuestions)
	if slices.Contains(t.Modes, Email) && strings.TrimSpace(t.Questions) == "" {
		check.Add("questions", "required")
	}
	if slices.Contains(t.Modes, Video) || t.VideoRoom != "" {
		checkRoom(&check, "video_room", t.VideoRoom)
	}
	return check.Err()
}

// checkRoom notes a fault where a text is no address of a video room.
func checkRoom(check *errs.Check, field, room string) {
	check.AtMost(field, room, mostPlace)
	if u, err := url.Parse(strings.ReplaceAll(room, RoomMark, "room")); err != nil || u.Scheme != "https" || u.Host == "" {
		check.Add(field, "scheduling.https")
	}
}

const typeColumns = "study_id, audience, minutes, buffer_before, buffer_after, grid, notice_hours, horizon_days, deadline_hours, modes, interviewers, place, video_room, daily_most, directions, our_number, questions, named, remind_hours, remind_call_hours, version"

// TypeOf returns what an audience is offered; where nothing was saved, an hour in person or by telephone.
func (s *Scheduling) TypeOf(ctx context.Context, study id.Study, audience string) (Type, error) {
	var t Type
	var modes string
	err := s.db.QueryRow(ctx, "select "+typeColumns+" from interview_type where study_id = $1 and audience = $2", study, audience).
		Scan(&t.Study, &t.Audience, &t.Minutes, &t.BufferBefore, &t.BufferAfter, &t.Grid, &t.NoticeHours, &t.HorizonDays, &t.DeadlineHours,
			&modes, &t.Interviewers, &t.Place, &t.VideoRoom, &t.DailyMost, &t.Directions, &t.OurNumber, &t.Questions, &t.Named,
			&t.RemindHours, &t.RemindCallHours, &t.Version)
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

// where says what a booking of this mode gives as its place. A room of its own gets a name that nobody can guess.
func (t Type) where(mode Mode) string {
	switch mode {
	case InPerson:
		return t.Place
	case Video:
		return ownRoom(t.VideoRoom)
	}
	return ""
}

func ownRoom(room string) string { return strings.ReplaceAll(room, RoomMark, id.New[string]()) }
