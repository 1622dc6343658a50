package handlers

import (
	"slices"
	"time"

	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

// weekPage is a week of one interviewer or of all.
type weekPage struct {
	base
	Week             *drawnWeek
	Drawn            bool // there is somebody whose week it is
	Before, After    string
	ThisWeek         string // empty where it is this one
	People           []entry
	ZoneName, Change string
}

func (s *Server) week(v *visit) error {
	weeks, err := s.Scheduling.Weeks(v.ctx(), v.study.ID)
	if err != nil {
		return err
	}
	who, zone := id.Account(""), v.study.Zone
	if i := slices.IndexFunc(weeks, func(w scheduling.Week) bool { return string(w.Account) == v.Query("who") }); i >= 0 {
		who, zone = weeks[i].Account, weeks[i].Zone
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = v.zone()
	}
	begin := v.weekAsked(loc)
	t, err := s.timetable(v, begin, midnightAfter(begin, daysPerWeek), who)
	if err != nil {
		return err
	}
	p := weekPage{Week: t.week(begin), Drawn: len(t.lanes) > 0, ZoneName: capital(v.text.Zone(zone)), Change: v.changeIn(begin)}
	p.base = v.page("menu.bookings")
	p.Here, p.Title = "bookings", p.Week.Title
	p.Before, p.After = v.weekPath(midnightAfter(begin, -daysPerWeek), who), v.weekPath(midnightAfter(begin, daysPerWeek), who)
	if here := mondayOf(v.now().In(loc)); !here.Equal(begin) {
		p.ThisWeek = v.weekPath(here, who)
	}
	p.People, err = s.weekPeople(v, weeks, begin, who)
	if err != nil {
		return err
	}
	return v.show("staff/week", p)
}

// weekAsked is the Monday of the week in the address; of this week where that cannot be read.
func (v *visit) weekAsked(loc *time.Location) time.Time {
	day, _ := readDay(v.Query("from"))
	at, err := time.ParseInLocation(time.DateOnly, day, loc)
	if err != nil || at.Year() < 1970 || at.Year() > 9000 {
		at = v.now().In(loc)
	}
	return mondayOf(at)
}

func (v *visit) weekPath(monday time.Time, who id.Account) string {
	path := withQuery(v.studyPath("/week"), "from", monday.Format(time.DateOnly))
	if who != "" {
		path = withMore(path, "who", string(who))
	}
	return path
}

// changeIn tells of a change of the clocks in a week.
func (v *visit) changeIn(monday time.Time) string {
	_, change := monday.ZoneBounds()
	if change.IsZero() || !change.Before(midnightAfter(monday, daysPerWeek)) {
		return ""
	}
	return v.tellChange(change)
}

// weekPeople are the interviewers to choose from, where there are several.
func (s *Server) weekPeople(v *visit, weeks []scheduling.Week, monday time.Time, who id.Account) ([]entry, error) {
	if len(weeks) < 2 {
		return nil, nil
	}
	var ids []id.Account
	for _, w := range weeks {
		ids = append(ids, w.Account)
	}
	names, err := s.accountNames(v.ctx(), ids...)
	if err != nil {
		return nil, err
	}
	people := []entry{{v.text.T("week.everybody"), v.weekPath(monday, ""), who == ""}}
	for _, account := range ids {
		people = append(people, entry{names[account], v.weekPath(monday, account), who == account})
	}
	return people, nil
}
