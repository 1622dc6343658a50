package handlers

import (
	"errors"
	"time"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/scheduling"
)

// calendarLine is one calendar that is read for when its owner is busy. Its address is a secret, and not here.
type calendarLine struct {
	ID            scheduling.CalendarID
	Name          string
	Mark          string // the badge: yes or warn
	State         string
	Skipped       string // how much of it could not be read, in words
	LastKnownHold bool   // the times read before still count
}

// calendarPage is the form for one more.
type calendarPage struct{ base }

// Places are the programs whose secret address is easy to miss.
func (p calendarPage) Places() []string { return []string{"google", "outlook", "icloud", "nextcloud"} }

func (s *Server) calendarLines(v *visit) (lines []calendarLine, err error) {
	all, err := s.Scheduling.Calendars(v.ctx(), v.session.Account)
	for _, c := range all {
		line := calendarLine{ID: c.ID, Name: c.Name, Mark: "yes", State: v.text.T("hours.read", "Ago", v.ago(c.ReadAt))}
		if c.Fault != "" {
			line.Mark, line.LastKnownHold = "warn", true
			line.State = v.text.T("hours.not_read", "When", v.text.Date(time.UnixMilli(c.ReadAt).In(v.zone()), i18n.WeekdayTime), "What", v.calendarFault(c.Fault))
		}
		if c.Skipped > 0 {
			line.Skipped = v.text.N("hours.skipped", c.Skipped)
		}
		lines = append(lines, line)
	}
	return lines, err
}

// calendarFault says what is wrong with a calendar.
func (v *visit) calendarFault(code string) string {
	if key := "error." + code; v.text.Has(key) {
		return v.text.T(key)
	}
	return v.text.T("hours.fault")
}

// ago says how long ago something was: in minutes, in hours, then as a day.
func (v *visit) ago(ms int64) string {
	switch past := v.now().Sub(time.UnixMilli(ms)); {
	case past < time.Minute:
		return v.text.T("hours.ago_now")
	case past < time.Hour:
		return v.text.N("hours.ago_minutes", int(past/time.Minute))
	case past < 24*time.Hour:
		return v.text.N("hours.ago_hours", int(past/time.Hour))
	}
	return v.text.Date(time.UnixMilli(ms).In(v.zone()), i18n.WeekdayTime)
}

// ownCalendar begins to read one of the account's own calendars. What is typed is handed back only where it is refused.
func (s *Server) ownCalendar(v *visit) error {
	p := calendarPage{v.page("hours.calendar_title")}
	p.Here = "settings"
	if v.form == nil {
		return v.show("staff/calendar", p)
	}
	err := s.Scheduling.AddCalendar(v.ctx(), v.actor(), v.session.Account, v.value("calendar_name"), v.value("address"))
	if mendable(err) {
		p.Form = v.againForm(eachField(renamed(err, map[string]string{"name": "calendar_name"}), func(f errs.Field) errs.Field {
			if f.Name == "address" {
				return errs.Field{Name: f.Name, Code: "hours.fault", Args: map[string]any{"What": v.calendarFault(f.Code)}}
			}
			return f
		}))
		return v.again(err, "staff/calendar", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/availability"), "calendar_added")
}

// calendarRemove forgets a calendar. One that is gone already is forgotten.
func (s *Server) calendarRemove(v *visit) error {
	err := s.Scheduling.RemoveCalendar(v.ctx(), v.actor(), v.session.Account, scheduling.CalendarID(v.value("calendar")))
	if err != nil && !errors.Is(err, scheduling.ErrNotFound) {
		return err
	}
	return v.seeOther(v.studyPath("/availability"), "calendar_removed")
}
