package scheduling

import "time"

// Holiday names a Norwegian public holiday: a code whose word stands in the catalogue after "scheduling.holiday.".
type Holiday string

// HolidayOn returns the Norwegian public holiday that a date is, "" for an ordinary one (lov om helligdager og helligdagsfred
// § 2; lov om 1 og 17 mai som høgtidsdager § 1).
func HolidayOn(year int, month time.Month, day int) Holiday {
	switch date := (dayOfYear{month, day}); date {
	case dayOfYear{time.January, 1}:
		return "new_year"
	case dayOfYear{time.May, 1}:
		return "labour"
	case dayOfYear{time.May, 17}:
		return "constitution"
	case dayOfYear{time.December, 25}, dayOfYear{time.December, 26}:
		return "christmas"
	}
	easter := easterSunday(year)
	days := int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Sub(easter) / (24 * time.Hour))
	return movable[days]
}

type dayOfYear struct {
	month time.Month
	day   int
}

// movable are the holidays that follow Easter, by days after its Sunday.
var movable = map[int]Holiday{-3: "easter", -2: "easter", 0: "easter", 1: "easter", 39: "ascension", 49: "pentecost", 50: "pentecost"}

// easterSunday of a year of the Gregorian calendar, as midnight in UTC (the algorithm printed in Nature, 20 April 1876, p. 487).
func easterSunday(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month, day := (h+l-7*m+114)/31, (h+l-7*m+114)%31+1
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}
