package handlers

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// homePage is how a study stands today.
type homePage struct {
	base
	Week     int
	Days     int  // until the last day
	Ends     bool // ... which is near enough to be said
	Lead     string
	Steps    []step // while the study is being set up
	Today    []task
	Goals    goalTable
	Funnel   funnel
	Timeline *timeline
	Outlook  *outlook
	Next     []nextBooking
	Free     []string // times on offer in the coming two weeks, for each audience
}

// step is one thing to do before the fieldwork can begin.
type step struct {
	Key, Address string
	Done         bool
}

// task is one line of the day.
type task struct {
	Mark    string // booked, done, open or warn
	When    string // in the margin
	ISO     string // where When is a time of day
	What    string
	Stamp   string // a consent that must not be overlooked
	Large   bool   // what comes next
	Address string
	Act     string
	More    []offer // what else may be done
}

type nextBooking struct {
	scheduling.Booking
	Code, Recording string
}

type consentCount struct {
	Purpose string
	consents.Count
}

// standing is all that the study home asks the domains, once.
type standing struct {
	people   map[id.Person]recruitment.Participant
	bookings []scheduling.Booking
	held     []interviews.Held
	agreed   consents.Answers
	kinds    []kind
	cells    []recruitment.Cell
	funnel   recruitment.Funnel
	due      []recruitment.Participant
	tries    map[id.Person]recruitment.Tries // with those who are due
	letters  []consents.Letter
	weeks    []scheduling.Week
	clashes  map[id.Booking][]clash
	mails    map[mail.State]int
	mailHeld *mail.Quarantine
	duties   []consents.Task // that are open
	today    time.Time       // its first instant
}

func (s *Server) standing(v *visit) (st standing, err error) {
	ctx, study := v.ctx(), v.study.ID
	st.today = startOfDay(v.now().In(v.zone()))
	if st.people, err = s.register(v); err != nil {
		return st, err
	}
	read := func(ask func() error) {
		if err == nil {
			err = ask()
		}
	}
	read(func() (e error) { st.bookings, e = s.Scheduling.All(ctx, study); return e })
	read(func() (e error) { st.held, e = s.Interviews.List(ctx, study); return e })
	read(func() (e error) { st.agreed, e = s.Consents.AnswersOf(ctx, study); return e })
	read(func() (e error) { st.kinds, e = s.kinds(ctx, study, v.text); return e })
	read(func() (e error) { st.cells, e = s.Recruitment.Quotas(ctx, study, v.study.Pilots()); return e })
	read(func() (e error) { st.funnel, e = s.Recruitment.Funnel(ctx, study, v.study.Pilots()); return e })
	read(func() (e error) {
		st.due, e = s.Recruitment.Due(ctx, study, st.today.AddDate(0, 0, 1).UnixMilli()-1)
		return e
	})
	read(func() (e error) { st.tries, e = s.Recruitment.Tries(ctx, study, idsOf(st.due)...); return e })
	read(func() (e error) { st.letters, e = s.Consents.Versions(ctx, study); return e })
	read(func() (e error) { st.weeks, e = s.Scheduling.Weeks(ctx, study); return e })
	read(func() (e error) { st.clashes, e = s.clashes(v, ""); return e })
	read(func() (e error) { st.mails, e = s.Outbox.Counts(ctx, study); return e })
	read(func() (e error) { st.mailHeld, e = s.Outbox.Held(ctx, study); return e })
	read(func() (e error) { st.duties, e = s.Consents.OpenTasks(ctx, study); return e })
	return st, err
}

func startOfDay(t time.Time) time.Time {
	return midnightAfter(t, 0)
}

// home is a data protection officer's overview where that is who comes.
func (s *Server) home(v *visit) error {
	if v.role == studies.Officer {
		return s.protection(v)
	}
	st, err := s.standing(v)
	if err != nil {
		return err
	}
	p := homePage{base: v.page("home.title", "Day", capital(v.text.Date(st.today, i18n.Weekday)))}
	p.Here = "home"
	_, p.Week = st.today.ISOWeek()
	p.Goals, p.Funnel = st.goalTable(p.base), drawFunnel(p.base, st.funnel)
	p.Lead = p.lead(st)
	p.Days, p.Ends = v.daysLeft()
	if v.study.ClosedAt > 0 { // what is still missing will stay so
		p.Goals, p.Lead = goalTable{}, ""
		return v.show("staff/home", p)
	}
	p.Timeline, p.Next = st.timeline(p.base), st.next()
	if p.Outlook, err = s.outlook(v, p.base, st); err != nil {
		return err
	}
	if !p.Writes() {
		return v.show("staff/home", p)
	}
	p.Steps, p.Today = st.steps(p.base), append(st.tasks(p.base), s.recordTasks(v)...)
	if p.Free, err = s.free(v, st); err != nil {
		return err
	}
	return v.show("staff/home", p)
}

const freeDays = 15

// free says for each audience that is interviewed how many times it can choose among.
func (s *Server) free(v *visit, st standing) (said []string, err error) {
	if len(st.weeks) == 0 {
		return nil, nil
	}
	for _, a := range v.study.Audiences {
		if a.Key == consents.Respondent {
			continue
		}
		slots, err := s.Scheduling.Free(v.ctx(), scheduling.Search{Study: v.study.ID, Audience: a.Key}, v.now(), st.today.AddDate(0, 0, freeDays))
		if err != nil {
			return nil, err
		}
		said = append(said, v.text.N("appointments.free", len(slots), "Audience", v.audienceName(a)))
	}
	return said, nil
}

// lowered is a word in the middle of a sentence; an abbreviation stays as it is.
func lowered(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if second, _ := utf8.DecodeRuneInString(text[size:]); unicode.IsUpper(second) {
		return text
	}
	return string(unicode.ToLower(first)) + text[size:]
}

// lead says how far the study is and how long it has left.
func (p homePage) lead(st standing) string {
	goal, done := 0, 0
	for _, cell := range st.cells { // those beyond a cell's minimum, or in no cell, bring the goal no nearer
		goal, done = goal+cell.Goal, done+min(cell.Done, cell.Goal)
	}
	lead := p.N("home.done", st.funnel.Done)
	if goal > 0 {
		lead = p.N("home.done_of", goal, "Done", done)
	}
	end := p.Study.End()
	left := daysBetween(st.today, startOfDay(end.In(p.Zone)).AddDate(0, 0, -1))
	day := plainDay(p.base, end.AddDate(0, 0, -1))
	switch {
	case left < 0:
		return lead + " " + p.T("home.over", "Day", day)
	case left == 0:
		return lead + " " + p.T("home.last_day")
	}
	return lead + " " + p.N("home.left", left, "Day", day)
}

func daysBetween(from, to time.Time) int {
	y, m, d := from.Date()
	y2, m2, d2 := to.Date()
	return int(time.Date(y2, m2, d2, 0, 0, 0, 0, time.UTC).Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}

// plainDay is a day, without its year where that is this one.
func plainDay(b base, t time.Time) string {
	t = t.In(b.Zone)
	if t.Year() != b.Now.In(b.Zone).Year() {
		return b.Date(t, i18n.Plain)
	}
	return b.T("home.day", "Day", t.Day(), "Month", b.Month(t.Month()))
}

// steps are what is left to do before the first letter can go out; none once that is done.
func (st standing) steps(b base) []step {
	published := map[string]bool{}
	for _, l := range st.letters {
		published[l.Audience] = true
	}
	// One letter is enough to begin: not every study asks both companies and administrations.
	letters := slices.ContainsFunc(b.Study.Audiences, func(a studies.Audience) bool { return a.Key != consents.Respondent && published[a.Key] })
	steps := []step{
		{"cases", b.At("/sample"), len(b.Study.Cases) > 0},
		{"quotas", b.At("/sample") + "#goals", len(st.cells) > 0},
		{"letters", b.At("/letters"), letters},
		{"times", b.At("/availability"), len(st.weeks) > 0},
		{"candidate", b.At("/candidates/new"), len(st.people) > 0},
	}
	if slices.ContainsFunc(steps, func(s step) bool { return !s.Done && s.Key != "quotas" }) {
		return steps
	}
	return nil
}

// tasks are today's appointments, whom to try again, and what is wrong.
func (st standing) tasks(b base) []task {
	tasks := slices.Concat(st.appointments(b), st.busy(b), st.asked(b))
	for _, p := range st.due {
		t := task{Mark: "open", What: b.T("calls.task", "Code", p.Code, "Who", kindOf(b, p), "Try", st.tries[p.ID].Made+1),
			Address: b.At("/calls?row=") + string(p.ID) + "#row", Act: b.T("home.log_contact")}
		if at := time.UnixMilli(p.NextAt).In(b.Zone); at.Before(st.today) {
			t.When = b.T("home.since", "Day", plainDay(b, at))
		} else {
			t.When = b.T("home.today")
		}
		tasks = append(tasks, t)
	}
	return append(tasks, st.warnings(b)...)
}

func kindOf(b base, p recruitment.Participant) string {
	if p.Size != "" && p.Relation == recruitment.Member {
		return lowered(b.T("recruitment.size." + string(p.Size)))
	}
	return lowered(b.T("recruitment.relation." + string(p.Relation)))
}

func (st standing) appointments(b base) (tasks []task) {
	tomorrow, now, large := st.today.AddDate(0, 0, 1).UnixMilli(), b.Now.UnixMilli(), true
	for _, k := range st.bookings {
		missed := k.State == scheduling.Booked && k.EndsAt <= st.today.UnixMilli()
		today := k.StartsAt >= st.today.UnixMilli() && k.StartsAt < tomorrow && k.State != scheduling.Cancelled
		if !missed && !today {
			continue
		}
		code := st.people[k.Person].Code
		see := offer{b.T("home.see_booking"), b.At("/bookings/") + string(k.ID)}
		t := task{Mark: "booked", When: b.Clock(k.StartsAt), ISO: b.ISO(k.StartsAt), Address: see.Address, Act: see.Label,
			What: b.T("home.appointment", "Code", code, "How", b.T("home.mode."+string(k.Mode)))}
		if k.Mode == scheduling.Email {
			t.When, t.ISO = b.T("home.today"), ""
		}
		switch {
		case missed:
			t = task{Mark: "warn", When: plainDay(b, k.Start()), What: b.T("home.not_recorded", "Code", code), More: begun(b, k)}
		case k.State == scheduling.Done:
			t.Mark = "done"
		case k.State == scheduling.NoShow:
			t.Mark, t.Stamp = "no", b.T("scheduling.state.no_show")
		case k.EndsAt <= now:
			t.More = begun(b, k)
		default:
			t.Stamp = recordingStamp(b, st.agreed.May(k.Person, consents.Recording))
			t.Large, large = large, false
			if k.StartsAt <= now {
				t.More = begun(b, k)
			}
		}
		if k.State == scheduling.Booked && k.EndsAt <= now { // what is left to do comes first
			t.Address, t.Act, t.More = t.More[0].Address, t.More[0].Label, t.More[1:]
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// begun are what may be said of an appointment once it has begun: it was held, or missed.
func begun(b base, k scheduling.Booking) []offer {
	return []offer{{b.T("home.record"), b.At("/people/") + string(k.Person) + "/interview?booking=" + string(k.ID)},
		{b.T("appointments.missed." + inWriting(k.Mode)), b.At("/bookings/") + string(k.ID) + "/missed"}}
}

// inWriting tells answers in writing from a meeting, for words about it.
func inWriting(mode scheduling.Mode) string {
	if mode == scheduling.Email {
		return "written"
	}
	return "met"
}

// busy are the appointments to come that collide with what is in an interviewer's other calendars.
func (st standing) busy(b base) (tasks []task) {
	for _, k := range st.bookings {
		for _, c := range st.clashes[k.ID] {
			if c.Outside {
				continue
			}
			t := task{Mark: "warn", When: plainDay(b, k.Start()), Address: b.At("/bookings/") + string(k.ID), Act: b.T("home.see_booking"),
				What: b.T("appointments.clash", "Clock", b.Clock(k.StartsAt), "Code", st.people[k.Person].Code, "What", lowered(c.Text))}
			if daysBetween(st.today, k.Start().In(b.Zone)) == 0 {
				t.When = b.T("home.today")
			}
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// recordingStamp says whether an interview may be recorded; nothing where the study records none.
func recordingStamp(b base, may error) string {
	if !b.Study.Recording {
		return ""
	}
	return b.T("home.stamp." + gateWord(may))
}

func (st standing) warnings(b base) (tasks []task) {
	warn := func(what, address, act string) {
		tasks = append(tasks, task{Mark: "warn", What: what, Address: b.At(address), Act: b.T(act)})
	}
	if b.MailWaits {
		warn(b.T("home.no_mail"), "/mail", "home.see_mail")
	}
	if st.mailHeld != nil {
		warn(b.T("home.mail_held"), "/mail", "home.see_mail")
	}
	if n := st.mails[mail.Failed]; n > 0 {
		warn(b.N("home.mail_failed", n), "/mail", "home.see_mail")
	}
	if len(st.people) == 0 {
		return tasks // nobody has begun to ask
	}
	for _, c := range b.Study.Cases {
		var kinds []string
		for _, cell := range st.cells {
			if cell.Case == c.ID && cell.Missing() > 0 {
				kinds = append(kinds, st.cellName(b, cell.Kind))
			}
		}
		if len(kinds) > 0 {
			warn(b.T("home.missing", "Case", c.Code, "Kinds", strings.Join(kinds, ", ")), "/candidates?case="+string(c.ID), "home.find")
		}
	}
	return tasks
}

// cellName is a kind in the middle of a sentence.
func (st standing) cellName(b base, kind recruitment.Kind) string {
	if key := "home.cell." + string(kind); b.Has(key) {
		return lowered(b.T(key))
	}
	return lowered(labelOf(st.kinds, kind))
}

// next are the appointments after today.
func (st standing) next() (next []nextBooking) {
	tomorrow := st.today.AddDate(0, 0, 1).UnixMilli()
	for _, k := range st.bookings {
		if k.State == scheduling.Booked && k.StartsAt >= tomorrow {
			next = append(next, nextBooking{k, st.people[k.Person].Code, gateWord(st.agreed.May(k.Person, consents.Recording))})
		}
	}
	return next
}
