package handlers

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/scheduling"
)

const minutesPerDay = 24 * 60

// wallLayout is how scheduling writes a local wall time.
const wallLayout = "2006-01-02T15:04"

// readDay reads a date as people here write it, and returns it as 2006-01-02.
func readDay(text string) (string, bool) {
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2. 1. 2006"} {
		if day, err := time.Parse(layout, text); err == nil {
			return day.Format(time.DateOnly), true
		}
	}
	return "", false
}

// readClock reads a time of day as people here write it, and returns its minutes since midnight; 24:00 is the day's end.
func readClock(text string) (int, bool) {
	if text == "24:00" || text == "24.00" || text == "24" {
		return minutesPerDay, true
	}
	for _, layout := range []string{"15:04", "15.04", "1504", "15"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Hour()*60 + at.Minute(), true
		}
	}
	return 0, false
}

func clockOf(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// wallOf joins a day and minutes since its midnight, as scheduling writes local times.
func wallOf(day string, minutes int) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day // readDay made it, so it parses; scheduling refuses anything else
	}
	return at.Add(time.Duration(minutes) * time.Minute).Format(wallLayout)
}

// formDay reads a field as a date; "" where something is wrong, which check then knows.
func (v *visit) formDay(check *errs.Check, name string) string {
	if v.value(name) == "" {
		check.Add(name, "required")
		return ""
	}
	day, ok := readDay(v.value(name))
	if !ok {
		check.Add(name, "field_work.day")
	}
	return day
}

// formClock reads a field as minutes since midnight; -1 where something is wrong, which check then knows.
func (v *visit) formClock(check *errs.Check, name string) int {
	if v.value(name) == "" {
		check.Add(name, "required")
		return -1
	}
	minutes, ok := readClock(v.value(name))
	if !ok {
		check.Add(name, "field_work.clock")
		return -1
	}
	return minutes
}

// formMoment reads the fields day and time on the clocks of a zone and, where they show that time twice, which. A time that was
// picked from those nearest counts for what is typed.
func (v *visit) formMoment(check *errs.Check, zone string) time.Time {
	if picked := v.value("pick"); picked != "" {
		day, clock, _ := strings.Cut(picked, "T")
		v.form.Set("day", day)
		v.form.Set("time", clock)
		v.form.Del("pick")
	}
	day, clock := v.formDay(check, "day"), v.formClock(check, "time")
	if day == "" || clock < 0 {
		return time.Time{}
	}
	at, err := scheduling.Instants(wallOf(day, clock), zone)
	switch {
	case err != nil || len(at) == 0:
		check.Add("time", "field_work.no_such_hour")
	case len(at) == 1:
		return at[0]
	default:
		if i := slices.Index(readings, v.value("which")); i >= 0 {
			return at[i]
		}
		check.Add("which", "field_work.which")
	}
	return time.Time{}
}

// readings are the answers to which of two equal times is meant.
var readings = []string{"first", "last"}

// Which asks that, where the clocks show the day and time in the form twice; elsewhere it is nil.
func (b base) Which() *field {
	day, isDay := readDay(strings.TrimSpace(b.Form.Values.Get("day")))
	clock, isClock := readClock(strings.TrimSpace(b.Form.Values.Get("time")))
	if !isDay || !isClock {
		return nil
	}
	at, err := scheduling.Instants(wallOf(day, clock), b.Zone.String())
	if err != nil || len(at) < len(readings) {
		return nil
	}
	var choices []choice
	for _, reading := range readings {
		choices = append(choices, choice{Value: reading, Label: b.T("field_work.reading."+reading, "Clock", clockOf(clock))})
	}
	f := b.Radio("which", choices, "label=field_work.which")
	return &f
}

// wallValues are the fields that formMoment reads as this moment in its zone.
func wallValues(at time.Time) url.Values {
	values := url.Values{"day": {at.Format(time.DateOnly)}, "time": {at.Format(clockLayout)}}
	if both, err := scheduling.Instants(at.Format(wallLayout), at.Location().String()); err == nil && len(both) == len(readings) {
		values.Set("which", readings[slices.IndexFunc(both, at.Equal)])
	}
	return values
}

// formDue reads the field day as the day on which answers in writing are due.
func (v *visit) formDue(check *errs.Check, zone string) time.Time {
	day := v.formDay(check, "day")
	if day == "" {
		return time.Time{}
	}
	at, err := scheduling.Instants(wallOf(day, 0), zone)
	if err != nil || len(at) == 0 {
		check.Add("day", "field_work.day")
		return time.Time{}
	}
	return at[0]
}

// formNumber reads a field as a whole number of at least 0; -1, which every domain refuses, where it is none.
func (v *visit) formNumber(name string) int {
	n, err := strconv.Atoi(v.value(name))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// formMinutes reads a duration as minutes or as hours and minutes; -1 where it is neither.
func formMinutes(text string) int {
	if hours, minutes, ok := strings.Cut(text, ":"); ok {
		h, errH := strconv.Atoi(hours)
		m, errM := strconv.Atoi(minutes)
		if errH != nil || errM != nil || h < 0 || m < 0 || m > 59 || h > minutesPerDay/60 {
			return -1
		}
		return h*60 + m
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
