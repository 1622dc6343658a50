package ical

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rule is a recurrence rule (RFC 5545 §3.3.10). It works on what clocks show, in times labelled as UTC; whoever uses it
// says which instants they are. We expand rules ourselves since the work must have an end that we set: libraries look
// for the next time until they find one.
type rule struct {
	freq, interval                                              int
	count                                                       int     // 0: no end
	until                                                       stamp   // absent: no end
	second, minute, hour, monthDay, yearDay, week, month, place []int16 // small, since a file may have a great many
	weekday                                                     []nthDay
	weekStart                                                   time.Weekday
}

// nthDay is a day of the week: all of them, or the nth of the month or the year, from the end where n is negative.
type nthDay struct {
	n   int
	day time.Weekday
}

const (
	yearly = iota + 1
	monthly
	weekly
	daily
	hourly
	minutely
	secondly
)

var frequencies = map[string]int{
	"YEARLY": yearly, "MONTHLY": monthly, "WEEKLY": weekly, "DAILY": daily, "HOURLY": hourly, "MINUTELY": minutely, "SECONDLY": secondly,
}

// unit is how many seconds a period of a frequency has; years and months have no fixed number.
var unit = map[int]int64{weekly: 7 * 24 * 60 * 60, daily: 24 * 60 * 60, hourly: 60 * 60, minutely: 60, secondly: 1}

var weekdays = map[string]time.Weekday{
	"MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday, "TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday, "SU": time.Sunday,
}

// parseRule reads a rule. A local UNTIL is in the zone of the start.
func parseRule(text string) (rule, error) {
	r := rule{interval: 1, weekStart: time.Monday}
	for part := range strings.SplitSeq(strings.ToUpper(text), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if err := r.set(key, value); err != nil {
			return rule{}, err
		}
	}
	if r.freq == 0 {
		return rule{}, errValue
	}
	return r, nil
}

func (r *rule) set(key, value string) (err error) {
	switch key {
	case "FREQ":
		r.freq = frequencies[value]
	case "INTERVAL":
		r.interval, err = positive(value)
	case "COUNT":
		r.count, err = positive(value)
	case "UNTIL":
		r.until, err = parseStamp(value, "")
	case "WKST":
		var day nthDay
		day, err = parseNthDay(value)
		r.weekStart = day.day
	case "BYDAY":
		for day := range strings.SplitSeq(value, ",") {
			nth, fault := parseNthDay(day)
			if fault != nil {
				return fault
			}
			r.weekday = append(r.weekday, nth)
		}
		slices.SortFunc(r.weekday, func(a, b nthDay) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.day, b.day)) })
		r.weekday = slices.Compact(r.weekday)
	case "RSCALE":
		if value != "GREGORIAN" {
			return errValue
		}
	default:
		return r.setNumbers(key, value)
	}
	return err
}

func (r *rule) setNumbers(key, value string) (err error) {
	switch key {
	case "BYSECOND":
		r.second, err = numbers(value, 0, 60)
		for i := range r.second {
			r.second[i] = min(r.second[i], 59)
		}
	case "BYMINUTE":
		r.minute, err = numbers(value, 0, 59)
	case "BYHOUR":
		r.hour, err = numbers(value, 0, 23)
	case "BYMONTHDAY":
		r.monthDay, err = numbers(value, -31, 31)
	case "BYYEARDAY":
		r.yearDay, err = numbers(value, -366, 366)
	case "BYWEEKNO":
		r.week, err = numbers(value, -53, 53)
	case "BYMONTH":
		r.month, err = numbers(value, 1, 12)
	case "BYSETPOS":
		r.place, err = numbers(value, -366, 366)
	}
	return err
}

func positive(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, errValue
	}
	return int(n), nil
}

// numbers reads a list, each number once and in order. Where negative ones are allowed, they count from the end, and zero
// means nothing.
func numbers(text string, least, most int) ([]int16, error) {
	list := make([]int16, 0, strings.Count(text, ",")+1)
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < least || n > most || n == 0 && least < 0 {
			return nil, errValue
		}
		list = append(list, int16(n))
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

func parseNthDay(text string) (nthDay, error) {
	text = strings.TrimSpace(text)
	at := max(0, len(text)-2)
	day, known := weekdays[text[at:]]
	nth := nthDay{day: day}
	var err error
	if text[:at] != "" {
		nth.n, err = strconv.Atoi(text[:at])
	}
	if err != nil || !known || nth.n < -53 || nth.n > 53 {
		return nthDay{}, errValue
	}
	return nth, nil
}

// settled fills in what a rule leaves to its start.
func (r rule) settled(start time.Time) rule {
	if r.yearDay == nil && r.monthDay == nil && r.weekday == nil {
		switch {
		case r.freq == weekly || r.freq == yearly && r.week != nil:
			r.weekday = []nthDay{{day: start.Weekday()}}
		case r.freq == yearly && r.month == nil:
			r.month, r.monthDay = []int16{int16(start.Month())}, []int16{int16(start.Day())}
		case r.freq <= monthly:
			r.monthDay = []int16{int16(start.Day())}
		}
	}
	if r.freq > monthly {
		r.weekday = slices.Clone(r.weekday)
		for i := range r.weekday {
			r.weekday[i].n = 0 // only months and years have a first Monday
		}
	}
	if r.freq < hourly && r.hour == nil {
		r.hour = []int16{int16(start.Hour())}
	}
	if r.freq < minutely && r.minute == nil {
		r.minute = []int16{int16(start.Minute())}
	}
	if r.freq < secondly && r.second == nil {
		r.second = []int16{int16(start.Second())}
	}
	return r
}

// each hands on the starts that the rule makes, in their order, from some time before from on; without a COUNT, what
// comes before is not looked at. It ends after last, when yield says no, or when the meter has run out. The start itself
// always belongs to them and is counted, whether it fits the rule or not.
func (r rule) each(start, from, last time.Time, m *meter, yield func(time.Time) bool) {
	left := r.count
	take := func(t time.Time) bool {
		left--
		return yield(t) && left != 0
	}
	if !take(start) {
		return
	}
	after := func(t time.Time) bool { return !t.After(start) || take(t) }
	r = r.settled(start)
	lists := len(r.month) + len(r.monthDay) + len(r.yearDay) + len(r.weekday) + len(r.week) + len(r.hour) + len(r.minute) + len(r.second)
	e := expansion{rule: r, meter: m, start: start, clock: r.clock(m), look: 1 + lists/longList}
	for k := e.first(from); ; k = e.next {
		at := e.period(k)
		if at.After(last) || !m.step(e.look+len(e.place)) || !e.expand(at, k) || !e.pick(after) {
			return
		}
	}
}

const longList = 32 // numbers in a rule that take as long as a step

// clock returns the seconds into a day, or into the hour or minute of the more frequent rules, at which times are made.
func (r rule) clock(m *meter) []int32 {
	hours, minutes, seconds := r.hour, r.minute, r.second
	if r.freq >= hourly {
		hours = []int16{0}
	}
	if r.freq >= minutely {
		minutes = []int16{0}
	}
	if r.freq >= secondly {
		seconds = []int16{0}
	}
	n := len(hours) * len(minutes) * len(seconds)
	if !m.step(n) {
		return nil
	}
	clock := make([]int32, 0, n)
	for _, hour := range hours {
		for _, minute := range minutes {
			for _, second := range seconds {
				clock = append(clock, int32(hour)*60*60+int32(minute)*60+int32(second))
			}
		}
	}
	return clock
}

// expansion is a rule at work: period by period, each of which has days (or one hour, minute or second), each of which
// has times of the clock.
type expansion struct {
	rule
	meter *meter
	start time.Time
	clock []int32
	look  int         // steps that it takes to look at a day
	bases []time.Time // what clock is added to, in the current period
	next  int64       // the number of the next period worth looking at
}

// first returns the number of a period that is not after the one of from.
func (e *expansion) first(from time.Time) int64 {
	if e.count > 0 || from.Before(e.start) {
		return 0
	}
	var passed int64
	switch e.freq {
	case yearly:
		passed = int64(from.Year()-e.start.Year()) / int64(e.interval)
	case monthly:
		passed = int64(months(from)-months(e.start)) / int64(e.interval)
	default:
		passed = (from.Unix() - e.origin()) / e.step()
	}
	return max(0, passed-1)
}

func months(t time.Time) int { return t.Year()*12 + int(t.Month()) }

func (e *expansion) step() int64 { return unit[e.freq] * int64(e.interval) }

// origin is when the first period begins, in Unix seconds; years and months have their own way.
func (e *expansion) origin() int64 {
	at := e.start.Unix()
	if e.freq == weekly {
		sinceBegin := (e.start.Weekday() - e.weekStart + 7) % 7
		return midnight(e.start).AddDate(0, 0, -int(sinceBegin)).Unix()
	}
	return at - ((at%unit[e.freq])+unit[e.freq])%unit[e.freq]
}

// period returns when the kth period begins.
func (e *expansion) period(k int64) time.Time {
	n := int(k) * e.interval
	switch e.freq {
	case yearly:
		return time.Date(e.start.Year()+n, 1, 1, 0, 0, 0, 0, time.UTC)
	case monthly:
		return time.Date(e.start.Year(), e.start.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Unix(e.origin()+k*e.step(), 0).UTC()
}

// expand sets bases to what matches in the kth period, and next. It is false where the meter has run out.
func (e *expansion) expand(at time.Time, k int64) bool {
	e.bases, e.next = e.bases[:0], k+1
	switch e.freq {
	case yearly:
		for month := time.January; month <= time.December; month++ {
			if e.month == nil || slices.Contains(e.month, int16(month)) {
				e.addDays(time.Date(at.Year(), month, 1, 0, 0, 0, 0, time.UTC), daysIn(at.Year(), month))
			}
		}
	case monthly:
		e.addDays(at, daysIn(at.Year(), at.Month()))
	case weekly:
		e.addDays(at, 7)
	case daily:
		e.addDays(at, 1)
	default:
		if from := e.mismatch(at); from.IsZero() {
			e.bases = append(e.bases, at)
		} else {
			ahead := from.Unix() - e.origin()
			e.next = max(e.next, (ahead+e.step()-1)/e.step())
		}
	}
	return !e.meter.over()
}

func (e *expansion) addDays(first time.Time, n int) {
	for i := 0; i < n && e.meter.step(e.look); i++ {
		if day := first.AddDate(0, 0, i); e.onDay(day) {
			e.bases = append(e.bases, day)
		}
	}
}

// mismatch returns when the next hour or so begins in which a more frequent rule may match, zero where it matches at.
func (e *expansion) mismatch(at time.Time) time.Time {
	switch {
	case !e.onDay(midnight(at)):
		return midnight(at).AddDate(0, 0, 1)
	case e.hour != nil && !slices.Contains(e.hour, int16(at.Hour())):
		return at.Truncate(time.Hour).Add(time.Hour)
	case e.freq >= minutely && e.minute != nil && !slices.Contains(e.minute, int16(at.Minute())):
		return at.Truncate(time.Minute).Add(time.Minute)
	case e.freq >= secondly && e.second != nil && !slices.Contains(e.second, int16(at.Second())):
		return at.Add(time.Second)
	}
	return time.Time{}
}

// onDay says whether a day fits every part of the rule that is about days.
func (e *expansion) onDay(day time.Time) bool {
	year, month, n := day.Date()
	switch {
	case e.month != nil && !slices.Contains(e.month, int16(month)):
		return false
	case e.monthDay != nil && !among(e.monthDay, n, daysIn(year, month)):
		return false
	case e.yearDay != nil && !among(e.yearDay, day.YearDay(), daysInYear(year)):
		return false
	case e.weekday != nil && !e.onWeekday(day):
		return false
	}
	return e.week == nil || e.inWeek(day)
}

// among says whether a list has n, counted from 1 or, as a negative number, back from the last.
func among(list []int16, n, last int) bool {
	return slices.Contains(list, int16(n)) || slices.Contains(list, int16(n-last-1))
}

func (e *expansion) onWeekday(day time.Time) bool {
	n, last := day.Day(), daysIn(day.Year(), day.Month())
	if e.freq == yearly && e.month == nil {
		n, last = day.YearDay(), daysInYear(day.Year())
	}
	weekday, nth, fromEnd := day.Weekday(), (n-1)/7+1, -(last-n)/7-1
	return slices.ContainsFunc(e.weekday, func(w nthDay) bool {
		return w.day == weekday && (w.n == 0 || w.n == nth || w.n == fromEnd)
	})
}

// inWeek says whether the week of a day has one of the numbers asked for. A week belongs to the year that has its middle.
func (e *expansion) inWeek(day time.Time) bool {
	sinceBegin := int(day.Weekday()-e.weekStart+7) % 7
	middle := day.AddDate(0, 0, 3-sinceBegin)
	n := (middle.YearDay()-1)/7 + 1
	return among(e.week, n, n+(daysInYear(middle.Year())-middle.YearDay())/7)
}

// pick hands on the times of the current period: all, or those whose places are asked for. It is false where there is to
// be no more.
func (e *expansion) pick(yield func(time.Time) bool) bool {
	all := len(e.bases) * len(e.clock)
	at := func(i int) bool {
		base, seconds := e.bases[i/len(e.clock)], e.clock[i%len(e.clock)]
		return e.meter.step(1) && yield(base.Add(time.Duration(seconds)*time.Second))
	}
	if e.place == nil {
		for i := range all {
			if !at(i) {
				return false
			}
		}
		return true
	}
	for _, i := range places(e.place, all) {
		if !at(i) {
			return false
		}
	}
	return true
}

// places turns places counted from either end into indexes among n, in order.
func places(list []int16, n int) []int {
	var indexes []int
	for _, place := range list {
		i := int(place) - 1
		if place < 0 {
			i = n + int(place)
		}
		if i >= 0 && i < n {
			indexes = append(indexes, i)
		}
	}
	slices.Sort(indexes)
	return slices.Compact(indexes)
}

func midnight(t time.Time) time.Time { return t.Truncate(aDay) }

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func daysInYear(year int) int { return time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() }
