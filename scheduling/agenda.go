package scheduling

import (
	"context"
	"slices"
	"time"

	"example.org/feltbok/internal/id"
)

// Diary is an interviewer's time as a page draws it.
type Diary struct {
	Account id.Account
	Zone    string
	Hours   []Span // at work: the week without holidays and blocks, and extra hours
	Busy    []Span // by calendars elsewhere
}

// Diaries returns when the study's interviewers are at work and when they are busy elsewhere in [from, to), by account. Bookings
// are not in it.
func (s *Scheduling) Diaries(ctx context.Context, study id.Study, from, to time.Time) (all []Diary, err error) {
	weeks, err := s.Weeks(ctx, study)
	if err != nil {
		return nil, err
	}
	busy, err := s.busy(ctx, study, from, to)
	if err != nil {
		return nil, err
	}
	for _, week := range weeks {
		d, err := newDiary(Type{}, week, nil, busy[week.Account])
		if err != nil {
			return nil, err
		}
		d.plan(from, to)
		all = append(all, Diary{d.Account, d.Zone, stretches(d.hours, from, to), stretches(d.busy, from, to)})
	}
	return all, nil
}

// stretches are what of some spans lies in [from, to).
func stretches(spans []Span, from, to time.Time) (cut []Span) {
	for _, s := range spans {
		if c := (Span{max(s.From, from.UnixMilli()), min(s.To, to.UnixMilli())}); c.From < c.To {
			cut = append(cut, c)
		}
	}
	return cut
}

// Clash is an appointment to come at which one of its interviewers is busy elsewhere, or, where Outside, not at work: staff may
// have agreed on that, or the hours were changed since.
type Clash struct {
	Booking id.Booking
	Account id.Account
	Outside bool
}

// Clashes lists them, by appointment. Who is both busy and not at work is busy.
func (s *Scheduling) Clashes(ctx context.Context, study id.Study) (clashes []Clash, err error) {
	open, err := s.bookings(ctx, "study_id = $1 and state = 'booked' and ends_at > $2 and mode <> 'email'", study, s.now().UnixMilli())
	if err != nil || len(open) == 0 {
		return nil, err
	}
	last := slices.MaxFunc(open, func(a, b Booking) int { return int(a.EndsAt/minute - b.EndsAt/minute) })
	diaries, err := s.Diaries(ctx, study, time.UnixMilli(open[0].StartsAt), time.UnixMilli(last.EndsAt))
	if err != nil {
		return nil, err
	}
	for _, b := range open {
		for _, d := range diaries {
			if !slices.Contains(b.Interviewers, d.Account) {
				continue
			}
			if meets(d.Busy, b.StartsAt, b.EndsAt) {
				clashes = append(clashes, Clash{b.ID, d.Account, false})
			} else if !within(d.Hours, b.StartsAt, b.EndsAt) {
				clashes = append(clashes, Clash{b.ID, d.Account, true})
			}
		}
	}
	return clashes, nil
}
