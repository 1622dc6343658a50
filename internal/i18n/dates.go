package i18n

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Style is how much of a moment is said. The texts stand in the catalogue as "date.<style>".
type Style string

const (
	Full        Style = "full"         // torsdag 11. april 2019
	FullTime    Style = "full_time"    // torsdag 11. april 2019 kl. 10:30
	Weekday     Style = "weekday"      // torsdag 11. april
	WeekdayTime Style = "weekday_time" // torsdag 11. april kl. 10:30
	Plain       Style = "date"         // 11. april 2019
	PlainTime   Style = "date_time"    // 11. april 2019 kl. 10:30
	Short       Style = "short"        // 11.04.2019
	At          Style = "at"           // kl. 10:30
	Clock       Style = "clock"        // 10:30
)

// Date says a moment in the zone that it carries: convert with In first.
func (t Text) Date(moment time.Time, style Style) string {
	year, month, day := moment.Date()
	return t.T("date."+string(style), map[string]any{
		"Weekday": t.Weekday(moment.Weekday()), "Month": t.Month(month),
		"Day": day, "Year": year, "DD": fmt.Sprintf("%02d", day), "MM": fmt.Sprintf("%02d", int(month)),
		"Clock": moment.Format("15:04"),
	})
}

// Weekday names a day of the week.
func (t Text) Weekday(day time.Weekday) string { return t.T("weekday." + strconv.Itoa(int(day))) }

// Month names a month.
func (t Text) Month(month time.Month) string { return t.T("month." + strconv.Itoa(int(month))) }

// Zone names an IANA zone for people: "norsk tid (Oslo)", otherwise by its city.
func (t Text) Zone(name string) string {
	if key := "zone." + name; t.Has(key) {
		return t.T(key)
	}
	city := name[strings.LastIndexByte(name, '/')+1:]
	return t.T("zone.other", "City", strings.ReplaceAll(city, "_", " "))
}

// HHMM writes a duration as hours and minutes, rounded to the minute: "01:12".
func HHMM(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}

// Decimal writes a number with the language's decimal mark.
func (t Text) Decimal(x float64, digits int) string {
	return strings.Replace(strconv.FormatFloat(x, 'f', digits, 64), ".", t.T("number.decimal"), 1)
}
