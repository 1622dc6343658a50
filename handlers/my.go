package handlers

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
)

// own is what an informant's pages are made of: where they stand, what they answered, when they meet.
type own struct {
	recruitment.Participant
	kept     bool // what is known of them is only kept for now
	said     consents.State
	bookings []scheduling.Booking
}

func (s *Server) own(v *visit) (o own, err error) {
	study, person := v.study.ID, v.session.Person
	if o.Participant, err = s.Recruitment.Get(v.ctx(), study, person); err != nil {
		return o, err
	}
	if o.said, err = s.Consents.State(v.ctx(), study, person); err != nil {
		return o, err
	}
	kept, err := s.Consents.RestrictionOf(v.ctx(), person)
	if err != nil {
		return o, err
	}
	o.kept = kept.Kind != ""
	o.bookings, err = s.Scheduling.Of(v.ctx(), study, person)
	return o, err
}

func (o own) standing(purpose string) string {
	return cmp.Or(o.said.ByPurpose[purpose], consents.Unasked)
}

// open returns the appointments that are agreed, by time: also those whose hour has passed and of which nobody has said yet how
// they went.
func (o own) open() []scheduling.Booking {
	return slices.DeleteFunc(slices.Clone(o.bookings), func(b scheduling.Booking) bool { return b.State != scheduling.Booked })
}

// lately is the appointment that ended last; without a state if none has.
func (o own) lately() (last scheduling.Booking) {
	for _, b := range o.bookings {
		if b.State != scheduling.Booked && b.ChangedAt >= last.ChangedAt {
			last = b
		}
	}
	return last
}

// interviewed says whether somebody has had the conversation, and is not to have another that came to nothing.
func (o own) interviewed() bool {
	last := o.lately()
	again := last.FollowUp && (last.State == scheduling.NoShow || last.State == scheduling.Cancelled)
	return (o.State == recruitment.Interviewed || o.State == recruitment.Surveyed) && !again
}

// latest is the newest answer for each purpose, with when it was given.
func (o own) latest() []dated {
	var answers []dated
	for _, purpose := range consents.Purposes {
		for _, act := range slices.Backward(o.said.Acts) {
			i := slices.IndexFunc(act.Items, func(a consents.Answer) bool { return a.Purpose == purpose })
			if i >= 0 {
				answers = append(answers, dated{act.Items[i], act.At, act.Letter})
				break
			}
		}
	}
	return answers
}

// dated is an answer and when it was given, in UTC milliseconds.
type dated struct {
	consents.Answer
	At     int64
	Letter id.Letter // that was answered to
}

// meetingLine is an appointment that is no longer to come.
type meetingLine struct{ When, How, State string }

func (o own) past(v *visit) (lines []meetingLine) {
	for _, b := range o.bookings {
		if b.State != scheduling.Booked {
			lines = append(lines, meetingLine{v.appointment(b, scheduling.Type{}).When, v.text.T("my.mode." + string(b.Mode)), v.text.T("scheduling.state." + string(b.State))})
		}
	}
	return lines
}

// settled holds a form that was handed in twice to be done: what it asked for is.
func settled(err error) error {
	if errors.Is(err, database.ErrRepeated) {
		return nil
	}
	return err
}

// myDone ends the session on this device; the link opens another.
func (s *Server) myDone(v *visit) error {
	if err := v.endSession(); err != nil {
		return err
	}
	return v.seeOther("/my/bye?lang="+v.text.Lang(), "")
}

func (s *Server) myBye(v *visit) error { return v.show("participant/bye", v.page("my.bye.title")) }

// myPage is an informant's own front page.
type myPage struct {
	roomy
	rightsNow
	Stands       string // joined, declined or left
	Answers      []dated
	Appointments []*appointment
	Time         bool             // they may choose a time
	Lately       scheduling.State // of the appointment that ended last
	Interviewed  bool
	Changed      bool // a newer letter was published since they answered
	Meetings     []meetingLine
}

func (s *Server) my(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	if o.standing(consents.Interview) == consents.Unasked {
		return v.seeOther("/my/letter", "")
	}
	p := myPage{Stands: o.stands(), Interviewed: o.interviewed(), Time: o.elsewhere() == "", Lately: o.lately().State}
	p.roomy = v.roomy("my.title." + p.Stands)
	if p.rightsNow, err = s.rightsNow(v); err != nil {
		return err
	}
	p.Meetings = o.past(v)
	for _, answer := range o.latest() {
		if !answer.Implied { // what was never asked is not shown as if it had been answered
			p.Answers = append(p.Answers, answer)
		}
	}
	if p.Appointments, err = s.appointments(v, o.open()); err != nil {
		return err
	}
	if p.Status, p.Changed, err = s.readLetter(v, o); err != nil {
		return err
	}
	return v.show("participant/my", p)
}

// stands says whether somebody is in, said no, or said yes and took it back.
func (o own) stands() string {
	if o.standing(consents.Interview) == consents.Yes {
		return "joined"
	}
	for _, act := range o.said.Acts {
		if slices.ContainsFunc(act.Items, func(a consents.Answer) bool { return a.Purpose == consents.Interview && a.Yes }) {
			return "left"
		}
	}
	return "declined"
}

// readLetter says which letter somebody answered to, and whether there is a newer one.
func (s *Server) readLetter(v *visit, o own) (status string, changed bool, err error) {
	read, err := s.Consents.Letter(v.ctx(), v.study.ID, o.said.Letter)
	if err != nil {
		return "", false, err
	}
	newest, err := s.Consents.Current(v.ctx(), v.study.ID, o.Audience, v.text.Lang())
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return "", false, err
	}
	day := v.text.Date(time.UnixMilli(o.said.InformedAt).In(v.zone()), i18n.Plain)
	return v.text.T("my.status.read", "Version", read.Version, "Day", day), newest.Audience == read.Audience && newest.Version > read.Version, nil
}

// myContactPage says whom to ask, and where to complain.
type myContactPage struct {
	roomy
	Contact, Officer []part
}

// myContact is for whoever finds no time, finds a mistake, or wants to ask or complain.
func (s *Server) myContact(v *visit) error {
	p := myContactPage{roomy: v.roomy("my.contact.title"), Contact: parts(v.study.ProjectContact),
		Officer: parts(v.study.Officer + ", " + v.study.OfficerContact)}
	return v.show("participant/contact", p)
}
