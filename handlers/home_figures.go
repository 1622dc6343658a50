package handlers

import (
	"cmp"
	"slices"
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/natural"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// goalTable is the sample: cases by cells, and who is in them.
type goalTable struct {
	Kinds                            []kind // those that some case has a goal for
	Rows                             []goalCells
	Goal, Done, Booked, Asked, Short int
	Ranges                           bool     // some cell may have more than it must
	Outside                          []string // codes of those who count in no cell
}

// Scrolls says whether the table is wider than the page may be.
func (t goalTable) Scrolls() bool { return len(t.Kinds) > mostAbreast }

const (
	mostAbreast = 5
	mostBadges  = 12
)

type goalCells struct {
	Code, Name string
	Cells      []goalCell
}

type goalCell struct {
	People  []placed
	More    int // who are not shown
	Missing int
}

// placed is one person in a cell.
type placed struct {
	Person     id.Person
	Code, When string
	Stage      recruitment.Stage
}

// GoalParts say how far the sample is, without what is none.
func (p homePage) GoalParts() (parts []string) {
	for _, part := range []struct {
		key string
		n   int
	}{{"done", p.Goals.Done}, {"booked", p.Goals.Booked}, {"asked", p.Goals.Asked}, {"missing", p.Goals.Short}} {
		if part.n > 0 {
			parts = append(parts, p.N("home.part."+part.key, part.n))
		}
	}
	return parts
}

func (st standing) goalTable(b base) goalTable {
	var t goalTable
	for _, k := range st.kinds {
		if slices.ContainsFunc(st.cells, func(c recruitment.Cell) bool { return c.Kind == k.Kind }) {
			t.Kinds = append(t.Kinds, k)
		}
	}
	open := st.openBookings()
	for _, c := range b.Study.Cases {
		row := goalCells{Code: c.Code, Name: c.Name, Cells: make([]goalCell, len(t.Kinds))}
		known := false
		for _, cell := range st.cells {
			if cell.Case != c.ID {
				continue
			}
			known = true
			i := slices.IndexFunc(t.Kinds, func(k kind) bool { return k.Kind == cell.Kind })
			if i < 0 {
				for _, p := range cell.Persons {
					t.Outside = append(t.Outside, p.Code)
				}
				continue
			}
			row.Cells[i] = st.goalCell(b, cell, open)
			t.count(cell)
		}
		if known {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func (t *goalTable) count(cell recruitment.Cell) {
	t.Goal, t.Short = t.Goal+cell.Goal, t.Short+cell.Missing()
	t.Done, t.Booked, t.Asked = t.Done+cell.Done, t.Booked+cell.Booked-cell.Done, t.Asked+cell.Asked-cell.Booked
	t.Ranges = t.Ranges || cell.Most != cell.Goal
}

func (st standing) goalCell(b base, cell recruitment.Cell, open map[id.Person]scheduling.Booking) goalCell {
	shown := cell.Persons[:min(len(cell.Persons), mostBadges)]
	g := goalCell{More: len(cell.Persons) - len(shown), Missing: cell.Missing()}
	for _, p := range shown {
		g.People = append(g.People, st.place(b, p, open))
	}
	return g
}

// openBookings is each person's next open appointment.
func (st standing) openBookings() map[id.Person]scheduling.Booking {
	open := map[id.Person]scheduling.Booking{}
	for _, k := range slices.Backward(st.bookings) {
		if k.State == scheduling.Booked {
			open[k.Person] = k
		}
	}
	return open
}

func (st standing) place(b base, p recruitment.Participant, open map[id.Person]scheduling.Booking) placed {
	at := placed{Person: p.ID, Code: p.Code, Stage: p.Stage()}
	k, booked := open[p.ID]
	switch {
	case !booked || at.Stage != recruitment.StageBooked:
	case daysBetween(st.today, k.Start().In(b.Zone)) == 0:
		at.When = b.T("home.today")
	default:
		at.When = plainDay(b, k.Start())
	}
	return at
}

// funnelBar is one stage with those who were lost or wait before it. Widths are in per cent.
type funnelBar struct {
	Stage       recruitment.Stage
	Count       int
	Width, Lost string
	Why         []string
}

// funnel is one drawn funnel, without bars before anybody was asked.
type funnel struct {
	i18n.Text
	Bars []funnelBar
}

const funnelWidth = 86.0 // leaves room for the number

func drawFunnel(b base, f recruitment.Funnel) (drawn funnel) {
	drawn.Text = b.Text
	if f.Asked == 0 {
		return drawn
	}
	width := func(n int) string { return across(funnelWidth * float64(n) / float64(f.Asked)) }
	stages := []struct {
		stage recruitment.Stage
		count int
		wait  string
	}{
		{recruitment.StageAsked, f.Asked, ""},
		{recruitment.StageYes, f.Yes, "home.wait.answer"},
		{recruitment.StageBooked, f.Booked, "home.wait.time"},
		{recruitment.StageDone, f.Done, "home.wait.interview"},
	}
	for i, at := range stages {
		bar := funnelBar{Stage: at.stage, Count: at.count, Width: width(at.count)}
		if i > 0 {
			before := stages[i-1]
			waiting := before.count - at.count
			if waiting > 0 {
				bar.Lost = width(waiting)
			}
			for _, loss := range f.Losses {
				if loss.After == before.stage {
					bar.Why = append(bar.Why, b.N("home.loss."+string(loss.Reason), loss.Count))
					waiting -= loss.Count
				}
			}
			if waiting > 0 {
				bar.Why = append(bar.Why, b.N(at.wait, waiting))
			}
		}
		drawn.Bars = append(drawn.Bars, bar)
	}
	return drawn
}

// timeline is the study's interviews by week, held and booked, to its end.
type timeline struct {
	Finding, Summary      string
	Height, Axis, Below   int
	Today, TodayX, TodayW string // the running week's middle, left and width; "" outside
	EndDay                string
	Lines                 []milestone
	Dots                  []dot
	Months                []monthMark
	Weeks                 []weekRow
	Labels                bool
}

type dot struct {
	X, LabelX string
	Y, LabelY int
	Code      string
	Held      bool
}

type monthMark struct {
	X, Name string
	Wide    bool // shown only where there is room
}

type weekRow struct {
	Week         int
	Held, Booked []string
}

const (
	dotStep     = 17 // pixels from one dot to the one above
	mostLabels  = 26 // weeks; with more the codes would overlap
	leastMonths = 22 // per cent between two names of months on a telephone
	leastWide   = 9  // and where there is room
)

type meeting struct {
	monday time.Time
	code   string
	held   bool
}

// meetings are what was held, and what stands in the calendar.
func (st standing) meetings(zone *time.Location) (all []meeting) {
	for _, h := range st.held {
		if day, err := time.ParseInLocation(time.DateOnly, h.HeldOn, zone); err == nil {
			all = append(all, meeting{mondayOf(day), st.people[h.Person].Code, true})
		}
	}
	for _, k := range st.bookings {
		if k.State == scheduling.Booked {
			all = append(all, meeting{mondayOf(k.Start().In(zone)), st.people[k.Person].Code, false})
		}
	}
	slices.SortStableFunc(all, func(a, b meeting) int {
		return cmp.Or(a.monday.Compare(b.monday), natural.Compare(a.code, b.code))
	})
	return all
}

// mondayOf returns the first instant of the week that a moment is in, by its own clocks.
func mondayOf(t time.Time) time.Time { return midnightAfter(t, 1-numberOf(t.Weekday())) }

// timeline draws the meetings; nil where there are none.
func (st standing) timeline(b base) *timeline {
	all := st.meetings(b.Zone)
	if len(all) == 0 {
		return nil
	}
	end := b.Study.End().In(b.Zone).AddDate(0, 0, -1)
	first, last := all[0].monday, mondayOf(end)
	if newest := all[len(all)-1].monday; newest.After(last) {
		last = newest
	}
	weeks := daysBetween(first, last)/7 + 1
	place := func(t time.Time) float64 { return 100 * (float64(daysBetween(first, t)) + 3.5) / float64(7*weeks) }
	l := &timeline{Labels: weeks <= mostLabels, EndDay: plainDay(b, end)}
	l.Lines = b.milestones(func(t time.Time) float64 { return min(99.5, max(0, place(t.In(b.Zone))-50/float64(weeks))) })
	l.stack(all, place)
	l.Below = l.Axis + 26
	l.Height = l.Axis + 32
	if monday := mondayOf(st.today); !monday.Before(first) && !monday.After(last) {
		l.Today, l.TodayX, l.TodayW = across(place(monday)), across(place(monday)-50/float64(weeks)), across(100/float64(weeks))
	}
	l.months(b, first, weeks, place)
	l.words(b, st, all, end)
	return l
}

// stack puts the dots of one week on top of each other, and the axis below the highest pile.
func (l *timeline) stack(all []meeting, place func(time.Time) float64) {
	highest, pile := 0, 0
	for i, m := range all {
		if i == 0 || !m.monday.Equal(all[i-1].monday) {
			pile = 0
			_, week := m.monday.ISOWeek()
			l.Weeks = append(l.Weeks, weekRow{Week: week})
		}
		x := place(m.monday)
		l.Dots = append(l.Dots, dot{X: across(x), LabelX: across(x + 0.9), Y: pile, Code: m.code, Held: m.held})
		row := &l.Weeks[len(l.Weeks)-1]
		if m.held {
			row.Held = append(row.Held, m.code)
		} else {
			row.Booked = append(row.Booked, m.code)
		}
		pile++
		highest = max(highest, pile)
	}
	l.Axis = 31 + labelRow*len(l.Lines) + dotStep*max(3, highest)
	for i := range l.Dots {
		l.Dots[i].Y = l.Axis - 12 - dotStep*l.Dots[i].Y
		l.Dots[i].LabelY = l.Dots[i].Y + 5
	}
}

// months names each month at its first week.
func (l *timeline) months(b base, first time.Time, weeks int, place func(time.Time) float64) {
	shown, wide := -100.0, -100.0
	for week := range weeks {
		monday := first.AddDate(0, 0, 7*week)
		if week > 0 && monday.Month() == monday.AddDate(0, 0, -7).Month() {
			continue
		}
		x := max(0.6, place(monday)-50/float64(weeks))
		if x-wide < leastWide {
			continue
		}
		wide = x
		mark := monthMark{X: across(x), Name: b.Month(monday.Month()), Wide: x-shown < leastMonths || x > 100-leastMonths}
		if !mark.Wide {
			shown = x
		}
		l.Months = append(l.Months, mark)
	}
}

// words says what the drawing shows.
func (l *timeline) words(b base, st standing, all []meeting, end time.Time) {
	held := 0
	for _, m := range all {
		if m.held {
			held++
		}
	}
	l.Summary = b.T("home.timeline_summary", "Held", held, "Booked", len(all)-held, "End", l.EndDay)
	var last time.Time
	for _, k := range st.bookings {
		if k.State == scheduling.Booked && k.StartsAt >= st.today.UnixMilli() {
			last = k.Start().In(b.Zone)
		}
	}
	left := daysBetween(last, end)
	switch {
	case last.IsZero():
		l.Finding = b.T("home.nothing_booked")
	case left < 0:
		l.Finding = b.N("home.too_late", -left, "Day", plainDay(b, last))
	default:
		l.Finding = b.N("home.on_plan", left, "Day", plainDay(b, last))
	}
}
