package handlers

import (
	"net/url"
	"slices"
	"strconv"

	"example.org/feltbok/consents"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// meetingPage is what one audience is offered.
type meetingPage struct {
	base
	Audience string
}

// ModeBoxes are the ways of talking that are offered.
func (p meetingPage) ModeBoxes() field {
	f := p.Radio("modes", modeChoices(p.base), "type=checkbox", "label=meeting.modes", "hint=meeting.modes_hint")
	for i := range f.Choices {
		f.Choices[i].Chosen = slices.Contains(p.Form.Values["modes"], f.Choices[i].Value)
	}
	return f
}

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
	p.Here, p.Form = "settings", v.newForm(meetingValues(kind))
	if v.form == nil {
		return v.show("staff/meeting", p)
	}
	err = s.Scheduling.SaveType(v.ctx(), v.actor(), v.meetingType(audience.Key))
	if mendable(err) {
		p.Form = v.againForm(err)
		return v.again(err, "staff/meeting", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/meeting/"+audience.Key), "meeting_saved")
}

func meetingValues(t scheduling.Type) url.Values {
	values := url.Values{"place": {t.Place}, "video_room": {t.VideoRoom}}
	for name, n := range map[string]int{"minutes": t.Minutes, "buffer_before": t.BufferBefore, "buffer_after": t.BufferAfter, "grid": t.Grid,
		"notice_hours": t.NoticeHours, "horizon_days": t.HorizonDays, "deadline_hours": t.DeadlineHours, "interviewers": t.Interviewers} {
		values.Set(name, strconv.Itoa(n))
	}
	for _, mode := range t.Modes {
		values.Add("modes", string(mode))
	}
	return values
}

func (v *visit) meetingType(audience string) scheduling.Type {
	t := scheduling.Type{Study: v.study.ID, Audience: audience, Minutes: v.formNumber("minutes"), BufferBefore: v.formNumber("buffer_before"),
		BufferAfter: v.formNumber("buffer_after"), Grid: v.formNumber("grid"), NoticeHours: v.formNumber("notice_hours"),
		HorizonDays: v.formNumber("horizon_days"), DeadlineHours: v.formNumber("deadline_hours"), Interviewers: v.formNumber("interviewers"),
		Place: v.value("place"), VideoRoom: v.value("video_room")}
	for _, mode := range v.form["modes"] {
		t.Modes = append(t.Modes, scheduling.Mode(mode))
	}
	return t
}
