package handlers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

// timetable is what some of a study's interviewers do in some weeks: what the pages about hours draw and list.
type timetable struct {
	base
	loc   *time.Location     // whose clocks are shown
	lanes []scheduling.Diary // whose, side by side within each day
	names map[id.Account]string
	meets []entered // by time
}

// entered is one appointment in a week, by code.
type entered struct {
	scheduling.Booking
	Code  string
	Way   string // how, in a word
	Clash string // what it is in the way of, in words; empty: nothing
}

// timetable reads the time of one interviewer, or of all, in [from, to).
func (s *Server) timetable(v *visit, from, to time.Time, who id.Account) (t timetable, err error) {
	t = timetable{base: v.page("menu.bookings"), loc: from.Location()}
	diaries, err := s.Scheduling.Diaries(v.ctx(), v.study.ID, from, to)
	if err != nil {
		return t, err
	}
	bookings, err := s.Scheduling.Between(v.ctx(), v.study.ID, from, to)
	if err != nil {
		return t, err
	}
	bookings = slices.DeleteFunc(bookings, func(b scheduling.Booking) bool {
		return b.State == scheduling.Cancelled || who != "" && !slices.Contains(b.Interviewers, who)
	})
	t.lanes = lanesOf(diaries, bookings, who)
	if err := s.fillMeetings(v, &t, bookings, who); err != nil {
		return t, err
	}
	t.names, err = s.accountNames(v.ctx(), t.accounts()...)
	return t, err
}

// lanesOf are the interviewers to show: one, or all who have hours or an appointment.
func lanesOf(diaries []scheduling.Diary, bookings []scheduling.Booking, who id.Account) []scheduling.Diary {
	if who != "" {
		i := slices.IndexFunc(diaries, func(d scheduling.Diary) bool { return d.Account == who })
		if i < 0 {
			return []scheduling.Diary{{Account: who}}
		}
		return diaries[i : i+1]
	}
	for _, b := range bookings {
		for _, account := range b.Interviewers {
			if !slices.ContainsFunc(diaries, func(d scheduling.Diary) bool { return d.Account == account }) {
				diaries = append(diaries, scheduling.Diary{Account: account})
			}
		}
	}
	return diaries
}

func (t timetable) accounts() (all []id.Account) {
	for _, lane := range t.lanes {
		all = append(all, lane.Account)
	}
	return all
}

func (s *Server) fillMeetings(v *visit, t *timetable, bookings []scheduling.Booking, who id.Account) error {
	codes, err := s.Recruitment.Codes(v.ctx(), v.study.ID, personsOf(bookings))
	if err != nil {
		return err
	}
	clashes, err := s.clashes(v, who)
	for _, b := range bookings {
		t.meets = append(t.meets, entered{b, codes[b.Person], v.text.T("week.way." + string(b.Mode)), inWords(clashes[b.ID])})
	}
	return err
}

// drawnWeek is one week of a timetable, drawn and as a list. Lengths across are in percent.
type drawnWeek struct {
	ID       string // of the Monday: parts of a drawing refer to each other
	Title    string
	Span     string // from when to when, in words
	Finding  string // what it holds
	Days     []drawnDay
	Names    []laneName
	NamesY   int
	Top      int // of the hours
	Bottom   int
	Height   int
	Rows     []hourRow
	Hours    []block
	Busy     []block
	Gaps     []block
	Meetings []appointmentBlock
	Now      *nowLine
}

// drawnDay is one column, and one line of the list.
type drawnDay struct {
	X, Middle, Width string
	Name, Date       string
	Note             string // a holiday, the clock, what is due
	Whole            string // the date in full
	Today            bool
	Notes            []string
	Hours, Busy      []dayStretches
	Meetings         []dayAppointment
}

// dayStretches are from when to when, with whose they are where there are several.
type dayStretches struct {
	Who    string
	Pieces []string
}

type dayAppointment struct {
	entered
	Clock string
	Who   string
}

type laneName struct{ X, Text string }

type hourRow struct {
	Y    int
	Text string
}

type block struct {
	X, Width  string
	Y, Height int
}

type appointmentBlock struct {
	block
	entered
	Over bool
}

// nowLine goes across today.
type nowLine struct {
	X, End string
	Y      int
}

// Two says whether there is room for a second line.
func (b appointmentBlock) Two() bool { return b.Height >= twoLines }

// Measures of the drawing: across in percent, down in pixels.
const (
	weekGutter = 4.0
	weekHead   = 66
	laneHead   = 18
	hourHeight = 40
	weekFoot   = 8
	twoLines   = 36
	leastBlock = 20
	// Hours that are drawn even where nothing is in them.
	firstHour, lastHour = 8, 16
)

// midnightAfter returns the first instant of a day that comes so many days after another. In some zones clocks pass over
// midnight, or come back to it.
func midnightAfter(day time.Time, n int) time.Time {
	y, m, d := day.Date()
	at := time.Date(y, m, d+n, 0, 0, 0, 0, day.Location())
	if _, change := at.ZoneBounds(); at.Day() != time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC).Day() {
		at = change
	}
	const quarter = 15 * time.Minute
	for at.Add(-quarter).Day() == at.Day() {
		at = at.Add(-quarter)
	}
	return at
}

// piece is a stretch of one day of the week by the clock on the wall, in minutes.
type piece struct{ Day, From, To int }

// pieces cuts a stretch of time at midnights and where the clock is changed, so that each piece runs as the clock does. What the
// clock shows twice is drawn where it shows it.
func pieces(monday time.Time, span scheduling.Span) (all []piece) {
	for day := range daysPerWeek {
		start, end := midnightAfter(monday, day), midnightAfter(monday, day+1)
		cuts := []time.Time{start}
		if _, change := start.ZoneBounds(); !change.IsZero() && change.After(start) && change.Before(end) {
			cuts = append(cuts, change)
		}
		cuts = append(cuts, end)
		for i := range len(cuts) - 1 {
			from, to := max(span.From, cuts[i].UnixMilli()), min(span.To, cuts[i+1].UnixMilli())
			if from >= to {
				continue
			}
			at := time.UnixMilli(from).In(monday.Location())
			minute := at.Hour()*60 + at.Minute()
			all = append(all, piece{day, minute, min(minute+int((to-from)/time.Minute.Milliseconds()), minutesPerDay)})
		}
	}
	return all
}

// joined are the pieces of some spans, by day and time, those that touch in one.
func joined(monday time.Time, spans []scheduling.Span) (all []piece) {
	var cut []piece
	for _, span := range spans {
		cut = append(cut, pieces(monday, span)...)
	}
	slices.SortFunc(cut, func(a, b piece) int { return cmp.Or(a.Day-b.Day, a.From-b.From) })
	for _, p := range cut {
		if last := len(all) - 1; last >= 0 && all[last].Day == p.Day && p.From <= all[last].To {
			all[last].To = max(all[last].To, p.To)
		} else {
			all = append(all, p)
		}
	}
	return all
}

// inOne is an appointment's piece of its first day, gaps and hours that come twice included: it is one thing, with one label.
func inOne(monday time.Time, m entered) (p piece, ok bool) {
	for _, one := range pieces(monday, scheduling.Span{From: m.StartsAt, To: m.EndsAt}) {
		switch {
		case !ok:
			p, ok = one, true
		case one.Day == p.Day:
			p.From, p.To = min(p.From, one.From), max(p.To, one.To)
		}
	}
	return p, ok
}

// week draws and lists the week that begins on a Monday.
func (t timetable) week(monday time.Time) *drawnWeek {
	_, number := monday.ISOWeek()
	w := &drawnWeek{ID: monday.Format("20060102"), Title: t.T("week.title", "Week", number),
		Span: t.Date(monday, i18n.Plain) + " – " + t.Date(midnightAfter(monday, daysPerWeek-1), i18n.Plain)}
	var meets []entered
	for _, m := range t.meets {
		if m.StartsAt >= monday.UnixMilli() && m.StartsAt < midnightAfter(monday, daysPerWeek).UnixMilli() {
			meets = append(meets, m)
		}
	}
	w.Finding = t.finding(meets)
	t.list(w, monday, meets)
	t.draw(w, monday, meets)
	return w
}

// finding says what a week holds.
func (t timetable) finding(meets []entered) string {
	if len(meets) == 0 {
		return t.T("week.finding_none")
	}
	text, clashing := t.N("week.finding", len(meets)), 0
	for _, m := range meets {
		if m.Clash != "" {
			clashing++
		}
	}
	if clashing > 0 {
		text += " " + t.N("week.clashing", clashing)
	}
	return text
}

// list says in words what is drawn.
func (t timetable) list(w *drawnWeek, monday time.Time, meets []entered) {
	wide := (100 - weekGutter) / daysPerWeek
	for n := range daysPerWeek {
		day := midnightAfter(monday, n)
		x := weekGutter + wide*float64(n)
		d := drawnDay{X: across(x), Middle: across(x + wide/2), Width: across(wide), Name: capital(t.Weekday(day.Weekday())),
			Date: t.T("people.day", "Day", day.Day(), "Month", t.Month(day.Month())), Whole: capital(t.Date(day, i18n.Weekday)),
			Today: day.Format(time.DateOnly) == t.Now.In(t.loc).Format(time.DateOnly)}
		d.Notes = t.notes(day)
		for _, m := range meets {
			if m.Start().In(t.loc).Format(time.DateOnly) == day.Format(time.DateOnly) {
				d.Meetings = append(d.Meetings, t.dayAppointment(m))
				if m.Mode == scheduling.Email {
					d.Notes = append(d.Notes, t.T("week.due", "Code", m.Code))
				}
			}
		}
		for _, lane := range t.lanes {
			d.Hours = append(d.Hours, t.said(lane.Account, joined(monday, lane.Hours), n)...)
			d.Busy = append(d.Busy, t.said(lane.Account, joined(monday, lane.Busy), n)...)
		}
		d.Note = strings.Join(d.Notes, ", ")
		w.Days = append(w.Days, d)
	}
}

// notes are what a day has of its own: a holiday, a change of the clock.
func (t timetable) notes(day time.Time) (all []string) {
	if holiday := scheduling.HolidayOn(day.Date()); holiday != "" {
		all = append(all, capital(t.T("scheduling.holiday."+string(holiday))))
	}
	if _, change := day.ZoneBounds(); !change.IsZero() && change.Before(midnightAfter(day, 1)) {
		key := "week.clock_back"
		if forward(change) {
			key = "week.clock_forward"
		}
		all = append(all, t.T(key))
	}
	return all
}

// forward says whether clocks are put forward at a change.
func forward(change time.Time) bool {
	_, before := change.Add(-time.Second).Zone()
	_, after := change.Zone()
	return after > before
}

func (t timetable) dayAppointment(m entered) dayAppointment {
	line := dayAppointment{entered: m, Clock: t.clocks(m)}
	if len(t.lanes) > 1 {
		var who []string
		for _, account := range m.Interviewers {
			who = append(who, t.names[account])
		}
		line.Who = strings.Join(who, ", ")
	}
	return line
}

func (t timetable) clocks(m entered) string {
	if m.Mode == scheduling.Email {
		return t.T("week.all_day")
	}
	return t.Date(m.Start().In(t.loc), i18n.Clock) + "–" + t.Date(m.End().In(t.loc), i18n.Clock)
}

// said are the pieces of one day in words; none where there are none.
func (t timetable) said(account id.Account, all []piece, day int) []dayStretches {
	var line dayStretches
	for _, p := range all {
		if p.Day == day {
			line.Pieces = append(line.Pieces, clockOf(p.From)+"–"+clockOf(p.To))
		}
	}
	if line.Pieces == nil {
		return nil
	}
	if len(t.lanes) > 1 {
		line.Who = t.names[account]
	}
	return []dayStretches{line}
}

// draw lays the week out: one column for each day, in it one lane for each interviewer.
func (t timetable) draw(w *drawnWeek, monday time.Time, meets []entered) {
	hours, busy := make([][]piece, len(t.lanes)), make([][]piece, len(t.lanes))
	first, last := firstHour*60, lastHour*60
	reach := func(p piece) { first, last = min(first, p.From), max(last, p.To) }
	for i, lane := range t.lanes {
		hours[i], busy[i] = joined(monday, lane.Hours), joined(monday, lane.Busy)
		for _, p := range hours[i] {
			reach(p)
		}
	}
	for _, m := range meets {
		if p, ok := inOne(monday, m); ok && m.Mode != scheduling.Email {
			reach(p)
		}
	}
	c := canvas{lanes: max(1, len(t.lanes)), first: first / 60 * 60, last: (last + 59) / 60 * 60, top: weekHead}
	t.nameLanes(w, &c)
	for hour := c.first / 60; hour <= c.last/60; hour++ {
		w.Rows = append(w.Rows, hourRow{c.y(hour * 60), fmt.Sprintf("%02d", hour)})
	}
	w.NamesY, w.Top, w.Bottom = weekHead+laneHead/2, c.top, c.y(c.last)
	w.Height = w.Bottom + weekFoot
	for i := range t.lanes {
		w.Hours, w.Busy = append(w.Hours, c.blocks(i, hours[i])...), append(w.Busy, c.blocks(i, busy[i])...)
	}
	w.Gaps = c.gaps(monday)
	t.drawMeetings(w, c, monday, meets)
	w.Now = t.now(c, monday)
}

// nameLanes writes initials above the lanes where there are several.
func (t timetable) nameLanes(w *drawnWeek, c *canvas) {
	if len(t.lanes) < 2 {
		return
	}
	c.top += laneHead
	for day := range daysPerWeek {
		for i, lane := range t.lanes {
			x, wide := c.lane(day, i)
			w.Names = append(w.Names, laneName{across(x + wide/2), initials(t.names[lane.Account])})
		}
	}
}

// initials are the first letters of a name's first and last part.
func initials(name string) string {
	parts := strings.Fields(name)
	if len(parts) > 2 {
		parts = []string{parts[0], parts[len(parts)-1]}
	}
	text := ""
	for _, part := range parts {
		text += string([]rune(part)[:1])
	}
	return text
}

func (t timetable) drawMeetings(w *drawnWeek, c canvas, monday time.Time, meets []entered) {
	for _, m := range meets {
		p, ok := inOne(monday, m)
		if !ok || m.Mode == scheduling.Email {
			continue
		}
		for i, lane := range t.lanes {
			if slices.Contains(m.Interviewers, lane.Account) {
				b := c.block(i, p)
				b.Height = max(b.Height, leastBlock)
				w.Meetings = append(w.Meetings, appointmentBlock{b, m, m.EndsAt <= t.Now.UnixMilli()})
			}
		}
	}
}

// now is a line at this hour across today; nil in other weeks and outside the hours that are drawn.
func (t timetable) now(c canvas, monday time.Time) *nowLine {
	ms := t.Now.UnixMilli()
	for _, p := range pieces(monday, scheduling.Span{From: ms, To: ms + time.Minute.Milliseconds()}) {
		if p.From >= c.first && p.From <= c.last {
			x, wide := c.lane(p.Day, 0)
			return &nowLine{across(x), across(x + wide*float64(c.lanes)), c.y(p.From)}
		}
	}
	return nil
}

// canvas is where things stand in the drawing.
type canvas struct {
	lanes, first, last, top int
}

func (c canvas) y(minute int) int { return c.top + (minute-c.first)*hourHeight/60 }

// lane is the left edge and the width of an interviewer's part of a day.
func (c canvas) lane(day, lane int) (x, wide float64) {
	column := (100 - weekGutter) / daysPerWeek
	wide = column / float64(c.lanes)
	return weekGutter + column*float64(day) + wide*float64(lane), wide
}

func (c canvas) block(lane int, p piece) block {
	x, wide := c.lane(p.Day, lane)
	return block{across(x), across(wide), c.y(p.From), c.y(p.To) - c.y(p.From)}
}

// blocks are pieces as far as the hours that are drawn go.
func (c canvas) blocks(lane int, all []piece) (blocks []block) {
	for _, p := range all {
		p.From, p.To = max(p.From, c.first), min(p.To, c.last)
		if p.From < p.To {
			blocks = append(blocks, c.block(lane, p))
		}
	}
	return blocks
}

// gaps are the hours that clocks pass over, where they are put forward.
func (c canvas) gaps(monday time.Time) []block {
	c.lanes = 1
	for day := range daysPerWeek {
		start := midnightAfter(monday, day)
		if _, change := start.ZoneBounds(); !change.IsZero() && change.Before(midnightAfter(monday, day+1)) && forward(change) {
			before := change.Add(-time.Minute)
			return c.blocks(0, []piece{{day, before.Hour()*60 + before.Minute() + 1, change.Hour()*60 + change.Minute()}})
		}
	}
	return nil
}
