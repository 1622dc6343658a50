package handlers

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
)

// clockPart is a time of day at the end: "kl. 12", "12:30", "at 9.15".
const clockPart = `(?:[\s,]+(?:(?:kl\.?|at)\s*)?(\d{1,2})(?:[:.](\d{2}))?)?$`

var dateShapes = []struct {
	shape            *regexp.Regexp
	year, month, day int // which group holds it
}{
	{regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})` + clockPart), 1, 2, 3},
	{regexp.MustCompile(`^(\d{1,2})[./](\d{1,2})[./](\d{4})` + clockPart), 3, 2, 1},
	{regexp.MustCompile(`^(\d{1,2})[./](\d{1,2})()\.?` + clockPart), 3, 2, 1},
	{regexp.MustCompile(`^(\d{1,2})\.?\s+(\p{L}+)\.?(?:\s+(\d{4}))?` + clockPart), 3, 2, 1},
}

// morning is when something without a time of day is planned for.
const morning = 9

// nextTry reads when somebody wants to try again, as people write a day: 15. april kl. 12, 15.04.2019 12:00,
// 2019-04-15. Without a year it is the next such day. Nothing is 0.
func (v *visit) nextTry(name string) (ms int64, err error) {
	text := strings.ToLower(v.value(name))
	if text == "" {
		return 0, nil
	}
	for _, form := range dateShapes {
		found := form.shape.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		at, ok := v.dated(found[form.year], found[form.month], found[form.day], found[4], found[5])
		switch {
		case ok && (at.Hour() != digitsOr(found[4], morning) || at.Minute() != digitsOr(found[5], 0)):
			return 0, faultAt(errs.Invalid, name, "calls.no_such_hour") // the clocks are put forward over it
		case ok:
			return at.UnixMilli(), nil
		}
	}
	return 0, faultAt(errs.Invalid, name, "people.date")
}

func (v *visit) dated(year, month, day, hour, minute string) (time.Time, bool) {
	now := v.now().In(v.zone())
	y, m := digitsOr(year, now.Year()), time.Month(digitsOr(month, 0))
	if m == 0 {
		m = v.monthNamed(month)
	}
	d, h, min := digitsOr(day, 0), digitsOr(hour, morning), digitsOr(minute, 0)
	at := time.Date(y, m, d, h, min, 0, 0, v.zone())
	if at.Month() != m || at.Day() != d || h > 23 || min > 59 {
		return at, false
	}
	if today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, v.zone()); year == "" && at.Before(today) {
		at = time.Date(y+1, m, d, h, min, 0, 0, v.zone())
	}
	return at, at.Day() == d
}

// monthNamed finds a month by its name in any of our languages, or by three letters or more of it. 0 is none.
func (v *visit) monthNamed(word string) time.Month {
	if len(word) < 3 {
		return 0
	}
	for _, lang := range i18n.Languages {
		text := v.server.languages.Text(lang)
		for m := time.January; m <= time.December; m++ {
			if strings.HasPrefix(strings.ToLower(text.Month(m)), word) {
				return m
			}
		}
	}
	return 0
}

// digitsOr reads digits; what is none is otherwise.
func digitsOr(digits string, otherwise int) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return otherwise
	}
	return n
}
