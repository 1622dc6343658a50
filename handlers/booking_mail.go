package handlers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/keys"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/scheduling/ical"
	"example.org/feltbok/studies"
)

// told is an appointment as a mail tells of it.
type told struct {
	scheduling.Booking
	kind           scheduling.Type
	where, message string // the words that the vault holds about it; "" where there are none
}

// writeBooking tells of an appointment as it stands now. What has changed since has a mail of its own.
func (s *Server) writeBooking(ctx context.Context, l *draft) error {
	b, err := s.Scheduling.Get(ctx, l.study.ID, id.Booking(l.row.Params["booking"]))
	if err != nil {
		return err
	}
	kind, err := s.Scheduling.TypeOf(ctx, l.study.ID, b.Audience)
	if err != nil {
		return err
	}
	current, err := s.current(ctx, l.row, kind, b)
	if err != nil {
		return err
	}
	if !current {
		return mail.ErrStale
	}
	if l.row.Account != "" {
		return s.writeStaffBooking(ctx, l, told{Booking: b, kind: kind})
	}
	return s.writeOwnBooking(ctx, l, told{Booking: b, kind: kind})
}

// current says whether a mail about an appointment still says what is so.
func (s *Server) current(ctx context.Context, row mail.Row, kind scheduling.Type, b scheduling.Booking) (bool, error) {
	now := s.Now()
	switch {
	case row.Kind == scheduling.MailReminder:
		hours, err := strconv.Atoi(row.Params["hours"])
		return kind.Reminds(b, hours, startsAt(row, b.StartsAt), now), err
	case row.Kind == scheduling.MailAgain:
		all, err := s.Scheduling.Of(ctx, b.Study, b.Person)
		return b.State == scheduling.NoShow && !slices.ContainsFunc(all, func(other scheduling.Booking) bool {
			return other.State == scheduling.Booked || other.State == scheduling.Done && other.StartsAt > b.StartsAt
		}), err
	case letOff(row, b):
		return now.UnixMilli() < startsAt(row, b.StartsAt), nil
	}
	want := scheduling.Booked
	if row.Kind == scheduling.MailCancelled {
		want = scheduling.Cancelled
	}
	return b.State == want && row.Params["sequence"] == strconv.Itoa(sequenceFor(row, b)) && now.UnixMilli() < b.EndsAt, nil
}

// letOff says whether a mail takes an appointment that goes on, or went on for a while, from an interviewer who has it no more.
// Whatever became of it since, their calendar has to hear.
func letOff(row mail.Row, b scheduling.Booking) bool {
	return row.Kind == scheduling.MailCancelled && row.Account != "" && !slices.Contains(b.Interviewers, row.Account)
}

// startsAt is the start that a mail is about, in UTC milliseconds, and otherwise where it does not say.
func startsAt(row mail.Row, otherwise int64) int64 {
	if at, err := strconv.ParseInt(row.Params["starts_at"], 10, 64); err == nil {
		return at
	}
	return otherwise
}

// sequenceFor is the SEQUENCE of the copy that a mail is to bring.
func sequenceFor(row mail.Row, b scheduling.Booking) int {
	if row.Person != "" {
		return b.OwnSequence()
	}
	return b.Sequence
}

// ownStyle tells those mails of a kind apart that read otherwise.
func ownStyle(row mail.Row, b scheduling.Booking) string {
	switch {
	case row.Params["time"] == "same" && row.Kind == scheduling.MailMoved:
		return ".same"
	case row.Kind == scheduling.MailCancelled && row.Params["by"] != "":
		return "." + row.Params["by"]
	case row.Kind == scheduling.MailAgain && b.Mode == scheduling.Email:
		return ".written"
	}
	return ""
}

// writeOwnBooking is the participant's mail. What only the vault knows of the appointment is opened for it.
func (s *Server) writeOwnBooking(ctx context.Context, l *draft, a told) (err error) {
	l.style, l.ReplyTo = ownStyle(l.row, a.Booking), l.answers()
	when, short := l.when(a.Booking)
	l.fields["When"], l.fields["At"], l.fields["Title"] = when, short, l.text.T("scheduling.title."+string(a.Title))
	if l.row.Kind == scheduling.MailAgain {
		l.fields["Link"], err = s.link(ctx, l, links.Participant, "")
		return err
	}
	if l.row.Kind != scheduling.MailReminder {
		if a.message, err = s.words(ctx, audit.System, "mail", a.Booking, a.Message); err != nil {
			return err
		}
	}
	l.fields["Message"] = l.quoted(a.message)
	if l.row.Kind == scheduling.MailCancelled {
		if l.fields["Choose"], err = s.chooseAgain(ctx, l, a.Booking); err != nil {
			return err
		}
		l.Calendar, err = s.calendar(l, a.Booking, ical.Cancel, ownCopy(l.text, a))
		return err
	}
	if a.where, err = s.words(ctx, audit.System, "mail", a.Booking, a.Where); err != nil {
		return err
	}
	l.fields["How"] = l.how(a)
	if l.fields["Change"], err = s.changing(ctx, l, a); err != nil {
		return err
	}
	if l.row.Kind != scheduling.MailReminder { // what is in the calendar is right already
		l.Calendar, err = s.calendar(l, a.Booking, ical.Request, ownCopy(l.text, a))
	}
	return err
}

// words opens what was said about an appointment. A note that is gone said nothing: a later change has dropped it.
func (s *Server) words(ctx context.Context, actor audit.Actor, purpose string, b scheduling.Booking, note id.Note) (string, error) {
	if note == "" {
		return "", nil
	}
	n, err := s.Vault.OpenNote(ctx, actor, purpose, b.Study, b.Person, note)
	if errs.KindOf(err) == errs.NotFound {
		return "", nil
	}
	return n.Text, err
}

// quoted sets apart what the team wrote.
func (l *draft) quoted(message string) string {
	if message == "" {
		return ""
	}
	return "\n\n" + l.text.T("mail.booking.message") + "\n\n" + message
}

// answers is where an answer to a mail goes, instead of to the program.
func (l *draft) answers() mail.Address {
	return mail.Address{Name: l.study.Institution, Email: contactMail(l.study)}
}

func (l *draft) contact() string { return strings.TrimSpace(l.study.ProjectContact) }

// contactMail is the first e-mail address that a team gives as its own; "" where it gives none.
func contactMail(study studies.Study) (address string) {
	for _, p := range parts(study.ProjectContact) {
		address = cmp.Or(address, p.Mail)
	}
	return address
}

// when says the time of an appointment in full, and in short for a subject. Who chose it in another zone reads their own clock
// first.
func (l *draft) when(b scheduling.Booking) (full, short string) {
	start := b.Start()
	if b.Mode == scheduling.Email {
		return l.text.T("mail.booking.due", "Day", l.text.Date(start, i18n.Full)), l.text.T("mail.booking.due_short", "Day", l.text.Date(start, i18n.Weekday))
	}
	own, elsewhere := ownClock(b, start)
	if !elsewhere {
		return l.text.T("mail.booking.when", "When", l.text.Date(start, i18n.FullTime), "Zone", l.text.Zone(b.Zone)), l.text.Date(start, i18n.WeekdayTime)
	}
	here := i18n.Clock
	if own.Format(time.DateOnly) != start.Format(time.DateOnly) {
		here = i18n.WeekdayTime
	}
	return l.text.T("mail.booking.both", "Own", l.text.Date(own, i18n.FullTime), "OwnPlace", placeName(l.text, b.PersonZone),
		"Here", l.text.Date(start, here), "Place", placeName(l.text, b.Zone)), onOwnClock(l.text, b, start)
}

// onOwnClock says a moment about an appointment on the clock that its participant reads.
func onOwnClock(text i18n.Text, b scheduling.Booking, at time.Time) string {
	own, elsewhere := ownClock(b, at)
	switch {
	case !elsewhere && at.Format(time.TimeOnly) == "00:00:00": // of which day is midnight?
		return text.T("mail.booking.midnight", "Day", text.Date(at.Add(-time.Minute), i18n.Weekday))
	case !elsewhere:
		return text.Date(at, i18n.WeekdayTime)
	}
	return text.T("mail.booking.at", "When", text.Date(own, i18n.WeekdayTime), "Place", placeName(text, b.PersonZone))
}

// ownClock is a moment in the zone in which the participant chose, and whether clocks show something else there.
func ownClock(b scheduling.Booking, at time.Time) (time.Time, bool) {
	zone, err := time.LoadLocation(b.PersonZone)
	if b.PersonZone == "" || err != nil {
		return at, false
	}
	own := at.In(zone)
	return own, own.Format(time.DateTime) != at.Format(time.DateTime)
}

// placeName is where a zone's clocks hang: "Norge", otherwise its city.
func placeName(text i18n.Text, zone string) string {
	if key := "mail.place." + zone; text.Has(key) {
		return text.T(key)
	}
	return strings.ReplaceAll(zone[strings.LastIndexByte(zone, '/')+1:], "_", " ")
}

// theyRing says whether the participant rings the team. One who said which number to ring is rung.
func (a told) theyRing() bool { return a.kind.OurNumber != "" && a.Where == "" }

// directions are how to find the usual place; to another nobody wrote any.
func (a told) directions() string {
	if a.Mode != scheduling.InPerson || a.Place != a.kind.Place {
		return ""
	}
	return strings.TrimSpace(a.kind.Directions)
}

// how says how the two meet, to the participant.
func (l *draft) how(a told) string {
	fields := map[string]any{"Place": cmp.Or(a.Place, a.where), "Where": a.where, "Number": a.kind.OurNumber, "Contact": l.contact(),
		"Mail": cmp.Or(contactMail(l.study), l.contact()), "Questions": strings.TrimSpace(a.kind.Questions),
		"Minutes": (a.EndsAt - a.StartsAt) / time.Minute.Milliseconds()}
	lines := []string{l.text.T("mail.booking.how."+l.way(a), fields)}
	lines = append(lines, a.directions())
	if a.Place != "" {
		lines = append(lines, a.where)
	}
	if a.Mode != scheduling.Email {
		lines = append(lines, l.text.T("mail.booking.lasts", fields))
	}
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return line == "" }), "\n")
}

// way names how the two meet, and what is known of it.
func (l *draft) way(a told) string {
	switch {
	case a.Mode == scheduling.Phone && a.theyRing():
		return "phone_ours"
	case a.Mode == scheduling.Phone && a.where == "" && l.rings:
		return "phone_known"
	case a.Mode == scheduling.Phone && a.where == "":
		return "phone_unknown"
	case (a.Mode == scheduling.InPerson || a.Mode == scheduling.Visit) && a.Place == "" && a.where == "":
		return string(a.Mode) + "_open"
	}
	return string(a.Mode)
}

// untilRead is how long before the deadline a mail no longer speaks of it: nobody reads it at once.
const untilRead = 15 * time.Minute

// changing says until when the participant can move or cancel, and how; afterwards, whom to ask.
func (s *Server) changing(ctx context.Context, l *draft, a told) (string, error) {
	link, err := s.link(ctx, l, links.Participant, "")
	if err != nil {
		return "", err
	}
	deadline := a.kind.Deadline(a.Booking)
	if s.Now().Add(untilRead).After(deadline) {
		return l.text.T("mail.booking.late", "Contact", l.contact(), "Link", link), nil
	}
	return l.text.T("mail.booking.change", "Deadline", onOwnClock(l.text, a.Booking, deadline), "Link", link), nil
}

// chooseAgain leads to another time after a cancellation, where the person may still be asked for one: not one who is leaving, has
// taken their yes back or has another appointment, and not at the end of the study.
func (s *Server) chooseAgain(ctx context.Context, l *draft, b scheduling.Booking) (string, error) {
	over := l.text.T("mail.booking.over")
	if l.study.ClosedAt > 0 {
		return over, nil
	}
	open, err := s.Intents.Open(ctx, l.study.ID)
	if err != nil || open[b.Person] {
		return over, err
	}
	if err := s.Consents.MayBeforeYesNow(ctx, b.Study, b.Person, consents.Interview); consents.Refused(err) {
		return over, nil
	} else if err != nil {
		return "", err
	}
	all, err := s.Scheduling.Of(ctx, b.Study, b.Person)
	if err != nil || slices.ContainsFunc(all, func(other scheduling.Booking) bool { return other.State == scheduling.Booked }) {
		return over, err
	}
	link, err := s.link(ctx, l, links.Participant, "")
	return l.text.T("mail.booking.choose", "Link", link), err
}

// writeStaffBooking is an interviewer's mail. It says whom it is about by code and, where the team has decided so, by name. Words
// from the vault are never in it: they may be an address or a number at home, and are opened on the page, in the log.
func (s *Server) writeStaffBooking(ctx context.Context, l *draft, a told) error {
	p, err := s.Recruitment.Get(ctx, l.study.ID, a.Person)
	if err != nil {
		return err
	}
	name, err := s.named(ctx, a)
	if err != nil {
		return err
	}
	if l.style = ".staff"; letOff(l.row, a.Booking) {
		l.style = ".staff.off"
		a.EndsAt += startsAt(l.row, a.StartsAt) - a.StartsAt
		a.StartsAt = startsAt(l.row, a.StartsAt)
	}
	if l.row.Kind == scheduling.MailMoved && l.row.Params["time"] == "same" {
		l.style = ".staff.same"
	}
	a.PersonZone = "" // theirs are the clocks of the place
	when, short := l.when(a.Booking)
	way := l.text.T("mail.booking.way." + string(a.Mode))
	l.fields["When"], l.fields["At"], l.fields["Code"], l.fields["Who"] = when, short, p.Code, p.Code
	details := l.staffDetails(a)
	l.fields["Way"], l.fields["Details"] = way, strings.TrimSpace(a.Place+"\n"+details)
	l.fields["Link"] = s.BaseURL + "/studies/" + string(l.study.ID) + "/bookings/" + string(a.ID)
	summary := l.text.T("mail.calendar.staff", "Code", p.Code, "Way", way)
	if name != "" {
		l.fields["Who"] = p.Code + " (" + name + ")"
		summary = l.text.T("mail.calendar.staff_named", "Code", p.Code, "Name", name, "Way", way)
	}
	method := ical.Request
	if l.row.Kind == scheduling.MailCancelled {
		method = ical.Cancel
	}
	l.Calendar, err = s.calendar(l, a.Booking, method, scheduling.Copy{Summary: summary, Location: a.Place,
		Description: strings.TrimSpace(details + "\n" + l.fields["Link"].(string))})
	return err
}

// named opens who it is, where interviewers' own calendars show that. Somebody who has left has no name any more.
func (s *Server) named(ctx context.Context, a told) (string, error) {
	if !a.kind.Named {
		return "", nil
	}
	who, err := s.Vault.Open(ctx, audit.System, "mail", a.Study, a.Person)
	if errs.KindOf(err) == errs.NotFound || errors.Is(err, keys.ErrErased) {
		return "", nil
	}
	return who.Name, err
}

// staffDetails is what an interviewer needs beside time, way and place.
func (l *draft) staffDetails(a told) string {
	switch {
	case a.Mode == scheduling.Phone && a.theyRing():
		return l.text.T("mail.booking.they_ring", "Number", a.kind.OurNumber)
	case a.Mode == scheduling.Phone && a.Where == "":
		return l.text.T("mail.booking.we_ring")
	case a.Mode == scheduling.Phone:
		return l.text.T("mail.booking.we_ring_there")
	case a.Where != "":
		return l.text.T("mail.booking.inside")
	}
	return ""
}

// ownCopy is what a participant's own calendar shows: their own word for it, where, and until when it can be changed. Calendars
// are shared: there is no link in it that lets anybody in, no topic, and no number of theirs.
func ownCopy(text i18n.Text, a told) scheduling.Copy {
	lines := []string{text.T("mail.calendar.how." + string(a.Mode))}
	c := scheduling.Copy{Summary: text.T("scheduling.title." + string(a.Title)), Location: a.Place}
	switch {
	case a.Mode == scheduling.Phone && a.theyRing():
		lines[0] = text.T("mail.calendar.how.phone_ours", "Number", a.kind.OurNumber)
	case a.Mode == scheduling.Visit, a.Mode == scheduling.InPerson:
		c.Location = cmp.Or(a.Place, a.where)
	}
	if way := a.directions(); way != "" {
		lines = append(lines, way)
	}
	if a.State == scheduling.Booked {
		lines = append(lines, text.T("mail.calendar.change", "Deadline", onOwnClock(text, a.Booking, a.kind.Deadline(a.Booking))))
	}
	c.Description = strings.Join(lines, "\n")
	return c
}

// calendar writes the invitation or cancellation for the reader of a mail.
func (s *Server) calendar(l *draft, b scheduling.Booking, method ical.Method, c scheduling.Copy) (*mail.Calendar, error) {
	c.Sequence = sequenceFor(l.row, b)
	data, err := scheduling.Invite(b, method, s.organizer(l.study), ical.Address{Name: l.To.Name, Email: l.To.Email}, c)
	if err != nil {
		return nil, err
	}
	return &mail.Calendar{Method: string(method), Data: data}, nil
}

// organizer is whom a calendar names: the address that the mail comes from, since calendars believe no other (RFC 6047 §2.2),
// and, where no mail is set up, the team's.
func (s *Server) organizer(study studies.Study) ical.Address {
	return ical.Address{Name: study.Institution, Email: cmp.Or(s.MailFrom, contactMail(study))}
}
