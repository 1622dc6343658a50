package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/scheduling"
)

const (
	daysPerWeek = 7
	cellMinutes = 5 // times are kept in steps of so many
)

// availabilityPage is one's own week and what differs from it.
type availabilityPage struct {
	base
	ZoneName string
	Change   string // when the clocks are changed next, if that is soon
	Ranges   []rangeLine
	HasWeek  bool
	Meetings []meetingLink
}

type rangeLine struct {
	ID    scheduling.RangeID
	Day   string
	Hours string
	Extra bool
}

type meetingLink struct{ Label, Address string }

// weekdayFields is one line of the week.
type weekdayFields struct {
	Number   int // 1 is Monday
	Name     string
	From, To field
}

// Days are the week's lines, from Monday.
func (p availabilityPage) Days() []weekdayFields {
	var days []weekdayFields
	for n := 1; n <= daysPerWeek; n++ {
		days = append(days, weekdayFields{n, capital(p.Weekday(weekdayOf(n))),
			p.Input(fmt.Sprintf("from_%d", n), "label=field_work.from"), p.Input(fmt.Sprintf("to_%d", n), "label=field_work.to")})
	}
	return days
}

func weekdayOf(n int) time.Weekday { return time.Weekday(n % daysPerWeek) }

// capital makes the first letter of a day or heading large.
func capital(text string) string {
	first := []rune(text)
	if len(first) == 0 {
		return ""
	}
	return strings.ToUpper(string(first[0])) + string(first[1:])
}

// ownWeek is the account's week; an empty one in the study's zone before there is any.
func (s *Server) ownWeek(v *visit) (week scheduling.Week, set bool, err error) {
	week, err = s.Scheduling.Week(v.ctx(), v.study.ID, v.session.Account)
	if errors.Is(err, scheduling.ErrNotFound) {
		return scheduling.Week{Account: v.session.Account, Zone: v.study.Zone}, false, nil
	}
	return week, err == nil, err
}

func (s *Server) availability(v *visit) error {
	week, set, err := s.ownWeek(v)
	if err != nil {
		return err
	}
	p := s.availabilityPage(v, week, set)
	if v.form == nil {
		return v.show("staff/availability", p)
	}
	if n, err := strconv.Atoi(v.value("copy")); err == nil {
		p.Form = v.newForm(sameAsAbove(v.form, n))
		return v.show("staff/availability", p)
	}
	windows, err := v.weekWindows()
	if err == nil {
		err = s.Scheduling.SetWeek(v.ctx(), v.actor(), v.study.ID, v.session.Account, week.Zone, windows)
	}
	if mendable(err) {
		p.Form = v.againForm(v.nameDays(err))
		return v.again(err, "staff/availability", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/availability"), "hours_saved")
}

func (s *Server) availabilityPage(v *visit, week scheduling.Week, set bool) availabilityPage {
	p := availabilityPage{base: v.page("availability.title"), ZoneName: capital(v.text.Zone(week.Zone)), HasWeek: set}
	p.Here = "settings"
	values := url.Values{}
	for _, w := range week.Windows {
		n := (int(w.Weekday)+daysPerWeek-1)%daysPerWeek + 1
		values.Set(fmt.Sprintf("from_%d", n), clockOf(w.From))
		values.Set(fmt.Sprintf("to_%d", n), clockOf(w.To))
	}
	p.Form = v.newForm(values)
	zone, err := time.LoadLocation(week.Zone)
	if err != nil {
		zone = v.zone()
	}
	p.Change = v.clockChange(v.now().In(zone))
	p.Ranges = v.rangeLines(week, v.now().In(zone))
	for _, a := range v.study.Audiences {
		if a.Key != consents.Respondent {
			p.Meetings = append(p.Meetings, meetingLink{v.audienceName(a), v.studyPath("/meeting/" + a.Key)})
		}
	}
	return p
}

// changeSoon is how far ahead a change of the clocks is mentioned.
const changeSoon = 120 * 24 * time.Hour

// clockChange tells when the clocks are put forward or back next, if that is soon.
func (v *visit) clockChange(now time.Time) string {
	_, change := now.ZoneBounds()
	if change.IsZero() || change.Sub(now) > changeSoon {
		return ""
	}
	_, before := change.Add(-time.Second).Zone()
	_, after := change.Zone()
	key := "availability.clocks_back"
	if after > before {
		key = "availability.clocks_forward"
	}
	return v.text.T(key, "Day", v.text.Date(change, i18n.Full))
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
		line := rangeLine{ID: r.ID, Extra: r.Extra, Day: capital(v.text.Date(from, i18n.Full))}
		last := to.Add(-time.Minute) // the end is not part of it: midnight belongs to the day before
		until := v.text.Date(to, i18n.Clock)
		if to.Format(clockLayout) == "00:00" {
			until = "24:00"
		}
		switch sameDay := from.YearDay() == last.YearDay() && from.Year() == last.Year(); {
		case sameDay && r.From[11:] == "00:00" && until == "24:00":
			line.Hours = v.text.T("availability.whole_day")
		case sameDay:
			line.Hours = v.text.Date(from, i18n.Clock) + "–" + until
		default:
			line.Hours = v.text.Date(from, i18n.Clock) + " – " + v.text.Date(last, i18n.Plain) + " " + until
		}
		lines = append(lines, line)
	}
	return lines
}

const clockLayout = "15:04"

// sameAsAbove repeats the hours of the day before day n.
func sameAsAbove(typed url.Values, n int) url.Values {
	values := maps.Clone(typed)
	for _, end := range []string{"from", "to"} {
		values.Set(fmt.Sprintf("%s_%d", end, n), typed.Get(fmt.Sprintf("%s_%d", end, n-1)))
	}
	return values
}

// weekWindows reads the week. A day without times is a day without interviews.
func (v *visit) weekWindows() ([]scheduling.Window, error) {
	var check errs.Check
	var windows []scheduling.Window
	for n := 1; n <= daysPerWeek; n++ {
		from, to := fmt.Sprintf("from_%d", n), fmt.Sprintf("to_%d", n)
		if v.value(from) == "" && v.value(to) == "" {
			continue
		}
		w := scheduling.Window{Weekday: weekdayOf(n), From: v.formClock(&check, from), To: v.formClock(&check, to)}
		// Scheduling says this too, but only once all times can be read; here everything is said at once.
		switch readable := w.From >= 0 && w.To >= 0; {
		case readable && w.From >= w.To:
			check.Add(from, "scheduling.hours")
		case readable && (w.From%cellMinutes != 0 || w.To%cellMinutes != 0):
			check.Add(from, "scheduling.five")
		}
		windows = append(windows, w)
	}
	return windows, check.Err()
}

// nameDays puts the day before each fault, and faults of a day as such at its first field: there are seven of each.
func (v *visit) nameDays(err error) error {
	return eachField(err, func(f errs.Field) errs.Field {
		for n := 1; n <= daysPerWeek; n++ {
			day := weekdayOf(n)
			if f.Name == strings.ToLower(day.String()) {
				f.Name = fmt.Sprintf("from_%d", n)
			}
			if strings.HasSuffix(f.Name, fmt.Sprintf("_%d", n)) {
				what := v.fieldText(errs.Field{Code: f.Code, Args: f.Args})
				return errs.Field{Name: f.Name, Code: "field_work.on_day", Args: map[string]any{"Day": capital(v.text.Weekday(day)), "What": what}}
			}
		}
		return f
	})
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
	kind, add := "block", s.Scheduling.AddBlock
	if extra {
		kind, add = "extra", s.Scheduling.AddExtra
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

// formRange reads day, from and to as wall times. To block a day without times is to block it whole.
func (v *visit) formRange(zoneName string, extra bool) (from, to string, err error) {
	var check errs.Check
	day := v.formDay(&check, "day")
	first, last := 0, minutesPerDay
	if extra || v.value("from") != "" || v.value("to") != "" {
		first, last = v.formClock(&check, "from"), v.formClock(&check, "to")
	}
	zone, err := time.LoadLocation(cmp.Or(zoneName, v.study.Zone))
	if err != nil {
		return "", "", err
	}
	if day != "" && day < v.now().In(zone).Format(time.DateOnly) {
		check.Add("day", "scheduling.past")
	}
	if err := check.Err(); err != nil {
		return "", "", err
	}
	return wallOf(day, first), wallOf(day, last), nil
}

func (s *Server) availabilityRemove(v *visit) error {
	err := s.Scheduling.RemoveRange(v.ctx(), v.actor(), v.study.ID, v.session.Account, scheduling.RangeID(v.value("range")))
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/availability"), "range_removed")
}
