package handlers

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// meetingPage is what one audience is offered.
type meetingPage struct {
	base
	Audience string
	Version  int64
	Stands   []fact // what somebody changed since the form was shown
}

// fact is something with its name.
type fact struct{ Label, Value string }

// ModeBoxes are the ways of talking that are offered.
func (p meetingPage) ModeBoxes() field {
	return p.boxes("modes", modeChoices(p.base), "label=meeting.modes", "hint=meeting.modes_hint")
}

// NamedBox says whether interviewers' own invitations show names.
func (p meetingPage) NamedBox() field {
	return p.boxes("named", []choice{{Value: "yes", Label: p.T("hours.named_yes")}}, "label=hours.named", "hint=hours.named_hint")
}

// boxes are a field of which several may be chosen.
func (p meetingPage) boxes(name string, choices []choice, options ...string) field {
	f := p.Radio(name, choices, append(options, "type=checkbox")...)
	for i := range f.Choices {
		f.Choices[i].Chosen = slices.Contains(p.Form.Values[name], f.Choices[i].Value)
	}
	return f
}

// Rings is who rings whom.
func (p meetingPage) Rings() field {
	return p.Radio("rings", []choice{{Value: "we", Label: p.T("hours.rings_we")}, {Value: theyRing, Label: p.T("hours.rings_they")}}, "label=hours.rings")
}

// theyRing is the choice that the participant rings.
const theyRing = "they"

// Interviewers is how many meet one person.
func (p meetingPage) Interviewers() field {
	return p.Radio("interviewers", []choice{{Value: "1", Label: p.T("meeting.one")}, {Value: "2", Label: p.T("meeting.two")}}, "label=meeting.interviewers")
}

// modeChoices are the ways of talking, in the team's words.
func modeChoices(b base) []choice {
	var choices []choice
	for _, mode := range scheduling.Modes {
		choices = append(choices, choice{Value: string(mode), Label: b.T("field_work.mode." + string(mode))})
	}
	return choices
}

// audienceName is the study's word for an audience, or the interface's.
func (v *visit) audienceName(a studies.Audience) string {
	if a.Name != "" {
		return a.Name
	}
	return v.text.T("studies.audience." + a.Key)
}

func (s *Server) meeting(v *visit) error {
	i := slices.IndexFunc(v.study.Audiences, func(a studies.Audience) bool { return a.Key == v.Param("audience") && a.Key != consents.Respondent })
	if i < 0 {
		return errNoPage
	}
	audience := v.study.Audiences[i]
	kind, err := s.Scheduling.TypeOf(v.ctx(), v.study.ID, audience.Key)
	if err != nil {
		return err
	}
	p := meetingPage{base: v.page("meeting.title", "Audience", v.audienceName(audience)), Audience: audience.Key}
	p.Here, p.Form, p.Version = "settings", v.newForm(meetingValues(kind)), kind.Version
	if v.form == nil {
		return v.show("staff/meeting", p)
	}
	typed, err := v.meetingType(kind)
	if err == nil {
		err = s.Scheduling.SaveType(v.ctx(), v.actor(), typed)
	}
	if mendable(err) {
		if p.Form = v.againForm(err); errors.Is(err, scheduling.ErrChanged) {
			p.Stands = p.changed(meetingValues(kind))
		}
		return v.again(err, "staff/meeting", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/meeting/"+audience.Key), "meeting_saved")
}

// meetingLabels are the inputs of the form in order, with the texts beside them.
var meetingLabels = []struct{ name, label string }{
	{"minutes", "meeting.minutes"}, {"buffer_before", "meeting.buffer_before"}, {"buffer_after", "meeting.buffer_after"}, {"grid", "meeting.grid"},
	{"notice_hours", "meeting.notice_hours"}, {"horizon_days", "meeting.horizon_days"}, {"daily_most", "hours.daily_most"},
	{"deadline_hours", "meeting.deadline_hours"}, {"modes", "meeting.modes"}, {"place", "meeting.place"}, {"directions", "hours.directions"},
	{"rings", "hours.rings"}, {"our_number", "hours.our_number"}, {"video_room", "meeting.video_room"}, {"questions", "hours.questions"},
	{"interviewers", "meeting.interviewers"}, {"named", "hours.named"}, {"remind_hours", "hours.remind_hours"}, {"remind_call_hours", "hours.remind_call_hours"},
}

// changed lists what is kept otherwise than it was typed.
func (p meetingPage) changed(kept url.Values) (facts []fact) {
	for _, l := range meetingLabels {
		if slices.Equal(kept[l.name], p.Form.Values[l.name]) || kept.Get(l.name) == p.Form.Values.Get(l.name) && l.name != "modes" {
			continue
		}
		said := kept.Get(l.name)
		switch l.name {
		case "modes":
			var words []string
			for _, mode := range kept[l.name] {
				words = append(words, p.T("field_work.mode."+mode))
			}
			said = strings.Join(words, ", ")
		case "rings":
			said = p.T("hours.rings_" + said)
		case "named":
			said = p.T("form.no")
			if kept.Has(l.name) {
				said = p.T("form.yes")
			}
		}
		facts = append(facts, fact{p.T(l.label), cmp.Or(said, p.T("hours.empty"))})
	}
	return facts
}

// meetingNumbers are the inputs that hold numbers, with where they are kept.
func meetingNumbers(t *scheduling.Type) map[string]*int {
	return map[string]*int{"minutes": &t.Minutes, "buffer_before": &t.BufferBefore, "buffer_after": &t.BufferAfter, "grid": &t.Grid,
		"notice_hours": &t.NoticeHours, "horizon_days": &t.HorizonDays, "deadline_hours": &t.DeadlineHours, "daily_most": &t.DailyMost,
		"interviewers": &t.Interviewers, "remind_hours": &t.RemindHours, "remind_call_hours": &t.RemindCallHours}
}

// meetingTexts are those that hold text.
func meetingTexts(t *scheduling.Type) map[string]*string {
	return map[string]*string{"place": &t.Place, "directions": &t.Directions, "our_number": &t.OurNumber, "video_room": &t.VideoRoom, "questions": &t.Questions}
}

func meetingValues(t scheduling.Type) url.Values {
	values := url.Values{"rings": {"we"}}
	for name, n := range meetingNumbers(&t) {
		values.Set(name, strconv.Itoa(*n))
	}
	for name, text := range meetingTexts(&t) {
		values.Set(name, *text)
	}
	for _, mode := range t.Modes {
		values.Add("modes", string(mode))
	}
	if t.OurNumber != "" {
		values.Set("rings", theyRing)
	}
	if t.Named {
		values.Set("named", "yes")
	}
	return values
}

// meetingType reads the form. A number of ours is kept only where the participant rings it.
func (v *visit) meetingType(t scheduling.Type) (scheduling.Type, error) {
	for name, n := range meetingNumbers(&t) {
		*n = v.formNumber(name)
	}
	for name, text := range meetingTexts(&t) {
		*text = v.value(name)
	}
	t.Modes, t.Named, t.Version = nil, v.form.Has("named"), v.seen()
	for _, mode := range v.form["modes"] {
		t.Modes = append(t.Modes, scheduling.Mode(mode))
	}
	var check errs.Check
	if v.value("rings") != theyRing {
		t.OurNumber = ""
	} else if t.OurNumber == "" && slices.Contains(t.Modes, scheduling.Phone) {
		check.Add("our_number", "required")
	}
	return t, gatherFaults(check.Err(), t.Check())
}
