package ical

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-ical"
)

// Feed is a calendar that a program reads again and again. It asks nothing of anybody: its events are all Publish.
type Feed struct {
	Name   string        // what the program calls it
	Every  time.Duration // how often it is worth reading, in whole minutes
	Events []Event
}

// Encode writes the feed in UTF-8 with CRLF line ends. The same events give the same bytes.
func (f Feed) Encode() ([]byte, error) {
	calendar := ical.NewCalendar()
	set(calendar.Component, ical.PropVersion, "2.0")
	set(calendar.Component, ical.PropProductID, productID)
	every := fmt.Sprintf("PT%dM", int(f.Every.Minutes()))
	for name, value := range map[string]string{ical.PropName: escape(f.Name), "X-WR-CALNAME": escape(f.Name), "X-PUBLISHED-TTL": every} {
		set(calendar.Component, name, value) // the name and the pause as RFC 7986 has them, and as older programs read them
	}
	refresh := ical.NewProp(ical.PropRefreshInterval)
	refresh.Params.Set(ical.ParamValue, string(ical.ValueDuration)) // RFC 7986 §5.7 wants it said
	refresh.Value = every
	calendar.Props.Set(refresh)
	events := make([]Event, len(f.Events))
	for i, e := range f.Events {
		events[i] = e.unambiguous()
	}
	calendar.Children = zonesOf(events)
	for _, e := range events {
		calendar.Children = append(calendar.Children, e.component())
	}
	if len(calendar.Children) == 0 {
		calendar.Children = append(calendar.Children, timezone(time.UTC, time.Time{}, time.Time{})) // RFC 5545 §3.6 wants a component
	}
	var unfolded bytes.Buffer
	if err := ical.NewEncoder(&unfolded).Encode(calendar); err != nil {
		return nil, fmt.Errorf("encode feed: %w", err)
	}
	return fold(unfolded.Bytes()), nil
}

// zonesOf describes each zone once, from the first event in it to the last, by name.
func zonesOf(events []Event) (all []*ical.Component) {
	type stretch struct {
		loc      *time.Location
		from, to time.Time
	}
	var zones []*stretch
	for _, e := range events {
		loc := e.Start.Location()
		if e.AllDay || !named(loc) {
			continue
		}
		i := slices.IndexFunc(zones, func(z *stretch) bool { return z.loc.String() == loc.String() })
		if i < 0 {
			i, zones = len(zones), append(zones, &stretch{loc, e.Start, e.End})
		}
		z := zones[i]
		if e.Start.Before(z.from) {
			z.from = e.Start
		}
		if e.End.After(z.to) {
			z.to = e.End
		}
	}
	slices.SortFunc(zones, func(a, b *stretch) int { return cmp.Compare(a.loc.String(), b.loc.String()) })
	for _, z := range zones {
		all = append(all, timezone(z.loc, z.from, z.to))
	}
	return all
}
