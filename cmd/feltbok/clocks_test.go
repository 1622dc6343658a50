package main

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/handlers"
	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"

	"github.com/emersion/go-ical"
	"github.com/xuri/excelize/v2"
)

// Promise 25: around a change of the clocks page, mail, calendar and workbook show one time.
func TestClockChanges(t *testing.T) {
	for _, name := range []string{"Europe/Oslo", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Auckland"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			c := &clocks{fieldStudy: newFieldIn(newStage(t, nil), name), zone: zone, starts: map[string]time.Time{}}
			c.must(c.Scheduling.SetWeek(t.Context(), c.actor, c.study, scheduling.Week{Account: c.account, Zone: name}))
			kind, err := c.Scheduling.TypeOf(t.Context(), c.study, consents.Company)
			c.must(err)
			kind.Minutes, kind.BufferAfter = 30, 0
			c.must(c.Scheduling.SaveType(t.Context(), c.actor, kind))
			at := c.clock.now().In(zone)
			for range 3 {
				_, at = at.ZoneBounds()
				for quarters := -8; quarters < 8; quarters += 2 {
					c.book(at.Add(time.Duration(quarters) * 15 * time.Minute))
				}
			}
			c.agree()
		})
	}
}

// clocks is a study in a zone, with a person for each start.
type clocks struct {
	*fieldStudy
	zone   *time.Location
	starts map[string]time.Time // by code
}

func (c *clocks) book(start time.Time) {
	c.t.Helper()
	code := fmt.Sprintf("A%d", len(c.starts)+1)
	c.enrol(code, recruitment.Member, recruitment.Small, "Leder")
	_, err := c.People.Book(c.t.Context(), c.actor, scheduling.Request{Study: c.study, Person: c.people[code], Audience: consents.Company,
		Mode: scheduling.Phone, Start: start, Zone: c.zone.String(), ByStaff: true}, handlers.Words{})
	c.must(err)
	c.starts[code] = start
}

// agree compares what each reader is shown.
func (c *clocks) agree() {
	c.t.Helper()
	c.sendMail()
	mails := map[string]string{}
	for _, text := range c.rawMails() {
		to, _, _ := strings.Cut(readCalendarMail(c.t, text).to, "@")
		mails[to] = text
	}
	for _, code := range slices.Sorted(maps.Keys(c.starts)) {
		start := c.starts[code].In(c.zone)
		c.open(c.path + "/bookings/" + string(c.booking(code).ID))
		if !c.Has(`time[datetime="`+start.Format("2006-01-02T15:04")+`"]`) || !strings.Contains(c.Text(".date"), start.Format("15:04")) {
			c.t.Errorf("%s: the page says %q, want %s", code, c.Text(".date"), start)
		}
		text := mails[strings.ToLower(code)]
		if !strings.Contains(text, start.Format("kl. 15:04")) {
			c.t.Errorf("%s: the mail does not say %s:\n%s", code, start, text)
		}
		c.sameInstant(code, readCalendarMail(c.t, text).object, start)
	}
	c.inWorkbook()
}

// inWorkbook has the interviews held, and compares their dates as a reader of the workbook sees them.
func (c *clocks) inWorkbook() {
	c.t.Helper()
	c.clock.set(slices.MaxFunc(slices.Collect(maps.Values(c.starts)), time.Time.Compare).Add(time.Hour))
	for code, start := range c.starts {
		_, err := c.Interviews.Record(c.t.Context(), c.actor, interviews.Held{Study: c.study, Person: c.people[code], Booking: c.booking(code).ID,
			Mode: "phone", HeldOn: start.In(c.zone).Format(time.DateOnly), StartedAt: start.UnixMilli(), Minutes: 30})
		c.must(err)
	}
	var workbook bytes.Buffer
	c.must(c.server.ExportWorkbook(c.t.Context(), &workbook, c.study, "nb"))
	book, err := excelize.OpenReader(&workbook)
	c.must(err)
	rows, err := book.GetRows("Intervjuer")
	c.must(err)
	for code, start := range c.starts {
		i := slices.IndexFunc(rows, func(row []string) bool { return slices.Contains(row, code) })
		if i < 0 || !slices.Contains(rows[i], start.In(c.zone).Format(time.DateOnly)) {
			c.t.Errorf("%s: the workbook has not the date of %s: %v", code, start.In(c.zone), rows[max(i, 0)])
		}
	}
}

// sameInstant reads an object's start as a calendar program with the database of zones does; that programs without one come to the
// same is tested where the object is written.
func (c *clocks) sameInstant(code string, object []byte, want time.Time) {
	c.t.Helper()
	calendar, err := ical.NewDecoder(bytes.NewReader(object)).Decode()
	c.must(err)
	prop := calendar.Events()[0].Props.Get(ical.PropDateTimeStart)
	got, err := prop.DateTime(nil)
	c.must(err)
	if !got.Equal(want) {
		c.t.Errorf("%s: the calendar says %s, want %s", code, got, want)
	}
}
