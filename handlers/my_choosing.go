package handlers

import (
	"slices"
	"time"

	"example.org/feltbok/identities"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
)

// choosing is what a page with times is about: what its address says, which goes with every link and form, and what may be chosen
// there.
type choosing struct {
	path    string
	booking id.Booking      // that is moved
	mode    scheduling.Mode // of those offered
	zone    string          // that the participant asked for, "" for none
	from    string          // the first day to show, "" for the first free one

	kind     scheduling.Type
	modes    []scheduling.Mode
	place    *time.Location // where interviewers are
	holidays bool           // some of them keep public holidays
	moving   *appointment
	needs    need
}

// need is what somebody has to say beside the time.
type need struct {
	What string // "place": where to come to; "number": which to ring; "": nothing
	Must bool
	Kept string // what they said before, which stands if they say nothing now
}

// choosing reads the address, and what an audience is offered. moving is the appointment that is moved, nil for a new one.
func (s *Server) choosing(v *visit, audience string, moving *appointment) (c choosing, err error) {
	c = choosing{path: v.Request.URL.Path, moving: moving, zone: v.zoneAsked(), from: v.Query("from"), place: v.zone()}
	if c.kind, err = s.Scheduling.TypeOf(v.ctx(), v.study.ID, audience); err != nil {
		return c, err
	}
	if c.modes, err = s.modes(v, c.kind, moving); err != nil {
		return c, err
	}
	c.mode = c.modes[0]
	if moving != nil {
		c.booking, c.mode = moving.ID, moving.Mode
		if c.zone == "" {
			c.zone = moving.PersonZone
		}
	}
	if asked := scheduling.Mode(v.Query("mode")); slices.Contains(c.modes, asked) {
		c.mode = asked
	}
	if asked := scheduling.Mode(v.value("mode")); slices.Contains(c.modes, asked) {
		c.mode = asked
	}
	if moving != nil && c.mode == moving.Mode {
		c.kind.Minutes = int((moving.EndsAt - moving.StartsAt) / time.Minute.Milliseconds())
	}
	if _, err := c.firstDay(); err != nil {
		c.from = ""
	}
	if err := s.interviewersHours(v, &c); err != nil {
		return c, err
	}
	c.needs, err = s.need(v, c)
	return c, err
}

// modes are the ways of meeting that somebody may choose: those offered, the one that they have, and nothing in writing for whoever
// has no address.
func (s *Server) modes(v *visit, kind scheduling.Type, moving *appointment) ([]scheduling.Mode, error) {
	modes := slices.Clone(kind.Modes)
	if moving != nil && !slices.Contains(modes, moving.Mode) {
		modes = append(modes, moving.Mode)
	}
	if len(modes) == 1 || !slices.Contains(modes, scheduling.Email) {
		return modes, nil
	}
	reach, err := s.Vault.Reach(v.Request.Context(), v.study.ID, v.session.Person)
	if !reach[v.session.Person].Email {
		modes = slices.DeleteFunc(modes, func(m scheduling.Mode) bool { return m == scheduling.Email })
	}
	return modes, err
}

// interviewersHours finds where interviewers are, if all are in one zone, and whether they keep holidays.
func (s *Server) interviewersHours(v *visit, c *choosing) error {
	weeks, err := s.Scheduling.Weeks(v.ctx(), v.study.ID)
	if err != nil || len(weeks) == 0 {
		return err
	}
	c.holidays = slices.ContainsFunc(weeks, func(w scheduling.Week) bool { return w.Holidays })
	apart := slices.ContainsFunc(weeks, func(w scheduling.Week) bool { return w.Zone != weeks[0].Zone })
	if place, err := time.LoadLocation(weeks[0].Zone); err == nil && !apart {
		c.place = place
	}
	return nil
}

// need says what is to be typed for a way of meeting.
func (s *Server) need(v *visit, c choosing) (n need, err error) {
	switch {
	case c.mode == scheduling.Visit:
		n.What, n.Must = "place", true
	case c.mode == scheduling.Phone && c.kind.OurNumber == "":
		known, err := s.Vault.HasPhone(v.Request.Context(), v.study.ID, v.session.Person)
		if err != nil {
			return n, err
		}
		n.What, n.Must = "number", !known
	default:
		return n, nil
	}
	if c.moving != nil && c.moving.Mode == c.mode {
		n.Kept, err = s.said(v, c.moving.Booking)
		n.Must = n.Must && n.Kept == ""
	}
	return n, err
}

// said opens what the participant said about an appointment; "" where nothing was said, or it is kept no longer. It is no part of
// the form's act.
func (s *Server) said(v *visit, b scheduling.Booking) (string, error) {
	return s.words(v.Request.Context(), v.actor(), "own_data", b, b.Where)
}

// chosen reads the form: a time, and what the way of meeting needs.
func (c choosing) chosen(v *visit) (time.Time, Words, error) {
	var mode error
	if !slices.Contains(c.modes, scheduling.Mode(v.value("mode"))) {
		mode = faultAt(errs.Invalid, "mode", "scheduling.mode")
	}
	start, missing := v.slot()
	where, wrong := c.needs.read(v.value("where"))
	return start, Words{Where: where}, gatherFaults(mode, missing, wrong)
}

// read checks what was typed.
func (n need) read(text string) (string, error) {
	switch {
	case n.What == "" || text == "" && !n.Must:
		return "", nil
	case text == "":
		return "", faultAt(errs.Invalid, "where", "my_"+n.What)
	case n.What == "number":
		return identities.Callable("where", text)
	}
	return text, identities.CheckPlace("where", text)
}

// Where is the field to type it in, nil where there is none.
func (p myTimePage) Where() *field {
	if p.needs.What == "" {
		return nil
	}
	options := []string{"label=choosing." + p.needs.What, "hint=choosing." + p.needs.What + "_hint"}
	if p.needs.What == "number" {
		options = append(options, "type=tel", "autocomplete=tel")
	}
	f := p.Input("where", options...)
	switch {
	case p.needs.Kept != "":
		f.Hint = p.T("choosing.kept", "Text", p.needs.Kept)
	case p.needs.What == "number" && p.needs.Must:
		f.Hint = p.T("choosing.number_unknown")
	}
	return &f
}

// address is where the same page is found again.
func (c choosing) address() string {
	pairs := []string{"mode", string(c.mode)}
	for _, more := range [][2]string{{"booking", string(c.booking)}, {"zone", c.zone}, {"from", c.from}} {
		if more[1] != "" {
			pairs = append(pairs, more[0], more[1])
		}
	}
	return withQuery(c.path, pairs...)
}

// starting is the page with the days from another on.
func (c choosing) starting(from string) choosing {
	c.from = from
	return c
}

// tabs are the ways of meeting, as links: reading changes nothing.
func (c choosing) tabs() (tabs []modeTab) {
	for _, mode := range c.modes {
		other := c
		other.mode = mode
		tabs = append(tabs, modeTab{mode, other.address(), mode == c.mode})
	}
	return tabs
}

// keepsTime says whether an appointment may stay where it is while something else about it changes.
func (c choosing) keepsTime() bool {
	if c.moving == nil || c.mode == scheduling.Email || c.moving.Mode == scheduling.Email {
		return false
	}
	return c.mode != c.moving.Mode || c.needs.What != ""
}

func (c choosing) firstDay() (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, c.from, c.shown())
}

// begin is the moment from which times are shown.
func (c choosing) begin(now time.Time) time.Time {
	if day, err := c.firstDay(); err == nil && day.After(now) {
		return day
	}
	return now
}

// shown is the zone of the times: where somebody is who talks from there, otherwise the place's.
func (c choosing) shown() *time.Location {
	if zone, err := time.LoadLocation(c.zone); err == nil && c.zone != "" && c.mode.Call() {
		return zone
	}
	return c.place
}

// zoneAsked is the zone that the address asks for, "" where it names none.
func (v *visit) zoneAsked() string {
	asked := v.Query("zone")
	if _, err := time.LoadLocation(asked); err != nil || asked == "Local" {
		return ""
	}
	return asked
}

// zoneLink shows the times in another zone. Now is what its clocks show, to know one's own by.
type zoneLink struct {
	Name, Address, Now string
	Current            bool
}

// zonesOffered are some in which people are, from west to east. Whoever is elsewhere names it in the address, or lets the machine.
var zonesOffered = []string{"America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York", "America/Sao_Paulo",
	"Atlantic/Reykjavik", "Europe/London", "Europe/Oslo", "Europe/Helsinki", "Asia/Dubai", "Asia/Kolkata", "Asia/Bangkok", "Asia/Shanghai",
	"Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland"}

// zonesWith are those, with some that are in use.
func zonesWith(used ...string) []string {
	names := zonesOffered
	for _, name := range used {
		if !slices.Contains(names, name) {
			names = append([]string{name}, names...)
		}
	}
	return names
}

// zones are the zones to choose from, none where people meet or write.
func (c choosing) zones(v *visit) (all []zoneLink) {
	if !c.mode.Call() {
		return nil
	}
	for _, name := range zonesWith(c.place.String(), c.shown().String()) {
		other := c
		other.zone = name
		now := v.now().In(other.shown())
		all = append(all, zoneLink{v.text.Zone(name), other.address(), v.text.Date(now, i18n.Clock), name == c.shown().String()})
	}
	return all
}

// search is what times are looked for. The one that is moved is not in its own way.
func (c choosing) search() scheduling.Search {
	return scheduling.Search{Study: c.kind.Study, Audience: c.kind.Audience, Mode: c.mode, Moving: c.booking}
}
