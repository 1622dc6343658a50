package handlers

import (
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
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

const (
	daysPerWeek = 7
	cellMinutes = 5 // times are kept in steps of so many
)

// availabilityPage is one's own time: the week, what differs from it, and calendars on both sides.
type availabilityPage struct {
	base
	Week       scheduling.Week
	HasWeek    bool
	ZoneName   string
	Change     string   // when the clocks are changed next, if that is soon
	Stands     []string // how the week is kept, after somebody changed it meanwhile
	Focus      string   // the input that was just added
	Ranges     []rangeLine
	Undo       *scheduling.Range // that was just removed
	Clashes    []meetingLink     // own appointments that are in the way of something
	Weeks      []*drawnWeek
	Calendars  []calendarLine
	Subscribed string         // since when the feed can be read; empty where it cannot
	Secret     *secretAddress // its address, right after it was made
	Meetings   []meetingLink
}

type meetingLink struct{ Label, Address, Clash string }

// weekdayFields is one line of the week.
type weekdayFields struct {
	Number int // 1 is Monday
	Name   string
	Pairs  []pairFields
	Room   bool // for one more pair
}

// pairFields are from when to when.
type pairFields struct {
	Number   int
	From, To field
}

// mostPairs is how many stretches a day can have.
const mostPairs = 6

// pairName is the input for one end of a day's stretch: from_1, from_1_2.
func pairName(end string, day, n int) string {
	if n == 1 {
		return fmt.Sprintf("%s_%d", end, day)
	}
	return fmt.Sprintf("%s_%d_%d", end, day, n)
}

// pairsOf counts the stretches that a form has for a day.
func pairsOf(values url.Values, day int) int {
	for n := mostPairs; n > 1; n-- {
		if values.Has(pairName("from", day, n)) || values.Has(pairName("to", day, n)) {
			return n
		}
	}
	return 1
}

// Days are the week's lines, from Monday.
func (p availabilityPage) Days() (days []weekdayFields) {
	for n := 1; n <= daysPerWeek; n++ {
		day := weekdayFields{Number: n, Name: capital(p.Weekday(weekdayOf(n)))}
		pairs := pairsOf(p.Form.Values, n)
		for k := 1; k <= pairs; k++ {
			day.Pairs = append(day.Pairs, pairFields{k, p.Input(pairName("from", n, k), "label=field_work.from"), p.Input(pairName("to", n, k), "label=field_work.to")})
		}
		day.Room = pairs < mostPairs
		days = append(days, day)
	}
	return days
}

// Zones are those to choose from: some that are near or often asked for, and whatever is set.
func (p availabilityPage) Zones() field {
	var choices []choice
	for _, name := range zonesWith("UTC", p.Study.Zone, p.Week.Zone) {
		choices = append(choices, choice{Value: name, Label: capital(p.Text.Zone(name))})
	}
	return p.Select("zone", choices, "label=availability.zone", "hint=availability.zone_hint")
}

// HolidaysNext names the two holidays that come next, on different occasions.
func (p availabilityPage) HolidaysNext() string {
	var days []string
	var last scheduling.Holiday
	for day := p.Now.In(p.Zone); len(days) < 2; day = day.AddDate(0, 0, 1) {
		h := scheduling.HolidayOn(day.Date())
		if h == "" || h == last {
			continue
		}
		text, name := p.Date(day, i18n.Weekday), p.T("scheduling.holiday."+string(h))
		if !strings.Contains(text, name) { // some are called by their date
			text = p.T("hours.holiday", "Day", text, "Name", name)
		}
		days, last = append(days, text), h
	}
	return p.T("hours.holidays_next", "First", days[0], "Second", days[1])
}

func weekdayOf(n int) time.Weekday { return time.Weekday(n % daysPerWeek) }

// numberOf is a weekday's line: 1 is Monday.
func numberOf(day time.Weekday) int { return (int(day)+daysPerWeek-1)%daysPerWeek + 1 }

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
		return scheduling.Week{Account: v.session.Account, Zone: v.study.Zone, Holidays: true}, false, nil
	}
	return week, err == nil, err
}

func (s *Server) availability(v *visit) error {
	p, err := s.availabilityPage(v)
	if err != nil {
		return err
	}
	if v.form == nil {
		p.Undo = v.undoable()
		return v.show("staff/availability", p)
	}
	if values, focus := v.rearranged(); values != nil {
		p.Form, p.Focus = v.newForm(values), focus
		return v.show("staff/availability", p)
	}
	week, err := v.typedWeek(p.Week.Account)
	if err == nil {
		err = s.Scheduling.SetWeek(v.ctx(), v.actor(), v.study.ID, week)
	}
	if mendable(err) {
		if p.Form = v.againForm(v.nameDays(err)); errors.Is(err, scheduling.ErrChanged) {
			p.Stands = v.weekInWords(p.Week)
		}
		return v.again(err, "staff/availability", p)
	}
	if err != nil {
		return err
	}
	done := "hours_saved"
	if p.HasWeek && week.Zone != p.Week.Zone {
		done = "zone_saved"
	}
	return v.seeOther(v.studyPath("/availability"), done)
}

func (s *Server) availabilityPage(v *visit) (p availabilityPage, err error) {
	p = availabilityPage{base: v.page("availability.title")}
	p.Here = "settings"
	if p.Week, p.HasWeek, err = s.ownWeek(v); err != nil {
		return p, err
	}
	p.Form, p.ZoneName = v.newForm(weekValues(p.Week)), capital(v.text.Zone(p.Week.Zone))
	loc := v.zoneOf(p.Week)
	p.Change = v.clockChange(v.now().In(loc))
	p.Ranges = v.rangeLines(p.Week, v.now().In(loc))
	for _, a := range v.study.Audiences {
		if a.Key != consents.Respondent {
			p.Meetings = append(p.Meetings, meetingLink{Label: v.audienceName(a), Address: v.studyPath("/meeting/" + a.Key)})
		}
	}
	if p.Clashes, err = s.ownClashes(v, loc); err != nil {
		return p, err
	}
	if p.Calendars, err = s.calendarLines(v); err != nil {
		return p, err
	}
	since, err := s.Scheduling.Subscribed(v.ctx(), v.session.Account)
	if err != nil {
		return p, err
	}
	p.Subscribed = p.Day(since)
	if p.HasWeek {
		p.Weeks, err = s.weeksAhead(v, loc)
	}
	return p, err
}

// zoneOf is where a week's hours are hours; the study's zone where nobody knows it any more.
func (v *visit) zoneOf(week scheduling.Week) *time.Location {
	loc, err := time.LoadLocation(week.Zone)
	if err != nil {
		return v.zone()
	}
	return loc
}

// drawnAhead is how many weeks are drawn below the hours, from this one on.
const drawnAhead = 2

func (s *Server) weeksAhead(v *visit, loc *time.Location) (weeks []*drawnWeek, err error) {
	first := mondayOf(v.now().In(loc))
	t, err := s.timetable(v, first, midnightAfter(first, drawnAhead*daysPerWeek), v.session.Account)
	for n := range drawnAhead {
		weeks = append(weeks, t.week(midnightAfter(first, n*daysPerWeek)))
	}
	return weeks, err
}

// ownClashes are the account's own appointments to come that are outside its hours, or at which it is busy elsewhere.
func (s *Server) ownClashes(v *visit, loc *time.Location) (links []meetingLink, err error) {
	said, err := s.clashes(v, v.session.Account)
	if err != nil || len(said) == 0 {
		return nil, err
	}
	agenda, err := s.Scheduling.Agenda(v.ctx(), v.session.Account, []id.Study{v.study.ID}, v.now().AddDate(0, 0, -1))
	if err != nil {
		return nil, err
	}
	codes, err := s.Recruitment.Codes(v.ctx(), v.study.ID, personsOf(agenda))
	for _, b := range agenda {
		if len(said[b.ID]) > 0 {
			label := capital(v.text.Date(b.Start().In(loc), i18n.WeekdayTime)) + ", " + codes[b.Person]
			links = append(links, meetingLink{label, v.bookingPath(b.ID), inWords(said[b.ID])})
		}
	}
	return links, err
}

// weekValues are a week as the form has it.
func weekValues(week scheduling.Week) url.Values {
	values := url.Values{"zone": {week.Zone}}
	if week.Holidays {
		values.Set("holidays", "yes")
	}
	next := map[int]int{}
	for _, w := range week.Windows {
		day := numberOf(w.Weekday)
		next[day]++
		values.Set(pairName("from", day, next[day]), clockOf(w.From))
		values.Set(pairName("to", day, next[day]), clockOf(w.To))
	}
	return values
}

// weekInWords is a week as it is kept, one line for each day with hours.
func (v *visit) weekInWords(week scheduling.Week) (lines []string) {
	said := map[time.Weekday][]string{}
	for _, w := range week.Windows {
		said[w.Weekday] = append(said[w.Weekday], clockOf(w.From)+"–"+clockOf(w.To))
	}
	for n := 1; n <= daysPerWeek; n++ {
		if day := weekdayOf(n); said[day] != nil {
			lines = append(lines, capital(v.text.Weekday(day))+" "+strings.Join(said[day], ", "))
		}
	}
	holidays := "hours.holidays_free"
	if !week.Holidays {
		holidays = "hours.holidays_offered"
	}
	return append(lines, capital(v.text.Zone(week.Zone)), v.text.T(holidays))
}

// changeSoon is how far ahead a change of the clocks is mentioned.
const changeSoon = 120 * 24 * time.Hour

// clockChange tells when the clocks are put forward or back next, if that is soon.
func (v *visit) clockChange(now time.Time) string {
	_, change := now.ZoneBounds()
	if change.IsZero() || change.Sub(now) > changeSoon {
		return ""
	}
	return v.tellChange(change)
}

// tellChange tells when the clocks are changed, which way, and what that means for hours.
func (v *visit) tellChange(change time.Time) string {
	key := "availability.clocks_back"
	if forward(change) {
		key = "availability.clocks_forward"
	}
	return v.text.T(key, "Day", v.text.Date(change, i18n.Full))
}

const clockLayout = "15:04"

// rearranged is what was typed after a button that only changes the form: the hours of the day above once more, or room for one
// more stretch, whose input is to have the focus. It is nil where the form is handed in.
func (v *visit) rearranged() (values url.Values, focus string) {
	if day, err := strconv.Atoi(v.value("copy")); err == nil && day > 1 && day <= daysPerWeek {
		return sameAsAbove(v.form, day), pairName("from", day, 1)
	}
	day, err := strconv.Atoi(v.value("more"))
	if err != nil || day < 1 || day > daysPerWeek {
		return nil, ""
	}
	values, n := maps.Clone(v.form), min(pairsOf(v.form, day)+1, mostPairs)
	for _, end := range []string{"from", "to"} {
		values.Set(pairName(end, day, n), values.Get(pairName(end, day, n)))
	}
	return values, pairName("from", day, n)
}

// sameAsAbove repeats the hours of the day before a day.
func sameAsAbove(typed url.Values, day int) url.Values {
	values := maps.Clone(typed)
	for _, end := range []string{"from", "to"} {
		for n := 1; n <= mostPairs; n++ {
			above := pairName(end, day-1, n)
			if values.Del(pairName(end, day, n)); typed.Has(above) {
				values.Set(pairName(end, day, n), typed.Get(above))
			}
		}
	}
	return values
}

// typedWeek reads the form of the week. A stretch without times is none.
func (v *visit) typedWeek(account id.Account) (scheduling.Week, error) {
	week := scheduling.Week{Account: account, Zone: v.value("zone"), Holidays: v.form.Has("holidays"), Version: v.seen()}
	var check errs.Check
	for day := 1; day <= daysPerWeek; day++ {
		for n := 1; n <= mostPairs; n++ {
			from, to := pairName("from", day, n), pairName("to", day, n)
			if v.value(from) == "" && v.value(to) == "" {
				continue
			}
			w := scheduling.Window{Weekday: weekdayOf(day), From: v.formClock(&check, from), To: v.formClock(&check, to)}
			// Scheduling says this too, but only once all times can be read; here everything is said at once.
			switch readable := w.From >= 0 && w.To >= 0; {
			case readable && w.From >= w.To:
				check.Add(from, "scheduling.hours")
			case readable && (w.From%cellMinutes != 0 || w.To%cellMinutes != 0):
				check.Add(from, "scheduling.five")
			}
			week.Windows = append(week.Windows, w)
		}
	}
	return week, check.Err()
}

// nameDays puts the day before each fault, and faults of a day as such at its first field: there are seven of each.
func (v *visit) nameDays(err error) error {
	first := map[string]string{}
	for n := 1; n <= daysPerWeek; n++ {
		first[strings.ToLower(weekdayOf(n).String())] = pairName("from", n, 1)
	}
	return eachField(renamed(err, first), func(f errs.Field) errs.Field {
		parts := strings.Split(f.Name, "_")
		if len(parts) < 2 {
			return f
		}
		day, err := strconv.Atoi(parts[1])
		if err != nil {
			return f
		}
		what := v.fieldText(errs.Field{Code: f.Code, Args: f.Args})
		return errs.Field{Name: f.Name, Code: "field_work.on_day", Args: map[string]any{"Day": capital(v.text.Weekday(weekdayOf(day))), "What": what}}
	})
}
