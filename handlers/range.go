package handlers

import (
	"cmp"
	"time"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/scheduling"
)

// rangeLine is a stretch of days or hours that differs from the week.
type rangeLine struct {
	ID    scheduling.RangeID
	Day   string
	Hours string
	Extra bool
}

// rangeLines says the dated stretches that are not over.
func (v *visit) rangeLines(week scheduling.Week, now time.Time) []rangeLine {
	var lines []rangeLine
	for _, r := range week.Ranges {
		from, errFrom := time.Parse(wallLayout, r.From)
		to, errTo := time.Parse(wallLayout, r.To)
		if errFrom != nil || errTo != nil || r.To <= now.Format(wallLayout) {
			continue
		}
		lines = append(lines, v.rangeLine(r, from, to))
	}
	return lines
}

func (v *visit) rangeLine(r scheduling.Range, from, to time.Time) rangeLine {
	last := to.Add(-time.Minute) // the end is not part of it: midnight belongs to the day before
	until := v.text.Date(to, i18n.Clock)
	if to.Format(clockLayout) == "00:00" {
		until = "24:00"
	}
	line := rangeLine{ID: r.ID, Extra: r.Extra, Day: capital(v.text.Date(from, i18n.Full)), Hours: v.text.Date(from, i18n.Clock) + "–" + until}
	sameDay := from.Format(time.DateOnly) == last.Format(time.DateOnly)
	if !sameDay {
		line.Day += " – " + v.text.Date(last, i18n.Full)
		line.Hours = v.text.T("hours.from_to", "From", v.text.Date(from, i18n.Clock), "To", until)
	}
	switch allDay := from.Format(clockLayout) == "00:00" && until == "24:00"; {
	case allDay && sameDay:
		line.Hours = v.text.T("availability.whole_day")
	case allDay:
		line.Hours = v.text.T("hours.whole_days")
	}
	return line
}

// rangePage is the form for one dated stretch.
type rangePage struct {
	base
	Extra   bool
	HasWeek bool
}

func (s *Server) availabilityExtra(v *visit) error { return s.availabilityRange(v, true) }

func (s *Server) availabilityBlock(v *visit) error { return s.availabilityRange(v, false) }

func (s *Server) availabilityRange(v *visit, extra bool) error {
	kind, add := rangeKind(extra), s.Scheduling.AddBlock
	if extra {
		add = s.Scheduling.AddExtra
	}
	week, set, err := s.ownWeek(v)
	if err != nil {
		return err
	}
	p := rangePage{base: v.page("availability." + kind + "_title"), Extra: extra, HasWeek: set}
	p.Here = "settings"
	if v.form == nil {
		return v.show("staff/range", p)
	}
	from, to, err := v.formRange(week.Zone, extra)
	if err == nil {
		_, err = add(v.ctx(), v.actor(), v.study.ID, v.session.Account, from, to)
	}
	if mendable(err) {
		p.Form = v.againForm(err)
		return v.again(err, "staff/range", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/availability"), kind+"_added")
}

// formRange reads days and times as wall times. To block days without times is to block them whole.
func (v *visit) formRange(zoneName string, extra bool) (from, to string, err error) {
	var check errs.Check
	day := v.formDay(&check, "day")
	last := day
	if !extra && v.value("last") != "" {
		last = v.formDay(&check, "last")
	}
	first, end := 0, minutesPerDay
	if extra || v.value("from") != "" || v.value("to") != "" {
		first, end = v.formClock(&check, "from"), v.formClock(&check, "to")
	}
	zone, err := time.LoadLocation(cmp.Or(zoneName, v.study.Zone))
	if err != nil {
		return "", "", err
	}
	switch today := v.now().In(zone).Format(time.DateOnly); {
	case day == "" || last == "":
	case last < day:
		check.Add("last", "scheduling.hours")
	case last < today:
		check.Add("day", "scheduling.past")
	}
	if err := check.Err(); err != nil {
		return "", "", err
	}
	return wallOf(day, first), wallOf(last, end), nil
}

// availabilityRemove takes a dated stretch back, and leads to where that can be undone.
func (s *Server) availabilityRemove(v *visit) error {
	week, _, err := s.ownWeek(v)
	if err != nil {
		return err
	}
	wanted := scheduling.RangeID(v.value("range"))
	if err := s.Scheduling.RemoveRange(v.ctx(), v.actor(), v.study.ID, v.session.Account, wanted); err != nil {
		return err
	}
	for _, r := range week.Ranges {
		if r.ID == wanted {
			return v.seeOther(withQuery(v.studyPath("/availability"), "removed", rangeKind(r.Extra), "from", r.From, "to", r.To), "")
		}
	}
	return v.seeOther(v.studyPath("/availability"), "")
}

// rangeKind names what a dated stretch does, in addresses and texts.
func rangeKind(extra bool) string {
	if extra {
		return "extra"
	}
	return "block"
}

// undoable is the dated stretch that was just removed, as the address says; nil where it says nothing that makes sense.
func (v *visit) undoable() *scheduling.Range {
	r := &scheduling.Range{Extra: v.Query("removed") == rangeKind(true), From: v.Query("from"), To: v.Query("to")}
	for _, wall := range []string{r.From, r.To} {
		if _, err := time.Parse(wallLayout, wall); err != nil || v.Query("removed") == "" {
			return nil
		}
	}
	return r
}

// availabilityRestore brings back what was just removed.
func (s *Server) availabilityRestore(v *visit) error {
	add, kind := s.Scheduling.AddBlock, v.value("kind")
	if kind == rangeKind(true) {
		add = s.Scheduling.AddExtra
	}
	if _, err := add(v.ctx(), v.actor(), v.study.ID, v.session.Account, v.value("from"), v.value("to")); err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/availability"), "range_restored")
}
