package handlers

import (
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// asking is what the pages about people share: fields with the words of this area, choices, and dates as they are said
// in a list.
type asking struct{ base }

func (a asking) words(name string, options []string) []string {
	return append([]string{"label=people.label." + name, "hint=people.hint." + name}, options...)
}

// Ask is a field to type in.
func (a asking) Ask(name string, options ...string) field {
	return a.Input(name, a.words(name, options)...)
}

// Pick is a list to choose from.
func (a asking) Pick(name string, choices []choice, options ...string) field {
	return a.Select(name, choices, a.words(name, options)...)
}

// Ring is a list with every choice in sight.
func (a asking) Ring(name string, choices []choice, options ...string) field {
	return a.Radio(name, choices, a.words(name, options)...)
}

// worded makes choices of codes whose words stand in the catalogue after prefix.
func worded[T ~string](a asking, prefix string, codes []T) []choice {
	choices := make([]choice, len(codes))
	for i, code := range codes {
		choices[i] = choice{Value: string(code), Label: a.T(prefix + string(code))}
	}
	return choices
}

func (a asking) Channels() []choice {
	return worded(a, "recruitment.channel.", recruitment.Channels())
}

func (a asking) Directions() []choice {
	return worded(a, "recruitment.direction.", recruitment.Directions())
}

func (a asking) Outcomes() []choice {
	return worded(a, "recruitment.outcome.", recruitment.Outcomes())
}

func (a asking) Relations() []choice {
	return worded(a, "recruitment.relation.", recruitment.Relations())
}

func (a asking) Sources() []choice { return worded(a, "recruitment.source.", recruitment.Sources()) }

func (a asking) Sizes() []choice { return worded(a, "recruitment.size.", recruitment.Sizes()) }

// Audiences are the letters that somebody who is interviewed can get.
func (a asking) Audiences() []choice {
	return worded(a, "consents.audience.", []string{"company", "administration"})
}

func (a asking) Speaks() []choice { return worded(a, "language.", a.Study.Languages) }

func (a asking) Cases() []choice {
	choices := make([]choice, len(a.Study.Cases))
	for i, c := range a.Study.Cases {
		choices[i] = choice{Value: string(c.ID), Label: a.T("people.case", "Code", c.Code, "Name", c.Name)}
	}
	return choices
}

// Case is the case of a participant; one without a code where it is not the study's any more.
func (a asking) Case(p recruitment.Participant) studies.Case {
	c, _ := a.Study.Case(p.Case)
	return c
}

// Group is a company's size as it is published, or "".
func (a asking) Group(p recruitment.Participant) string {
	if p.Size.Group() == "" {
		return ""
	}
	return a.T("recruitment.group." + p.Size.Group())
}

// SourceOf says how somebody was found; whom a participant led to, by that participant's code.
func (a asking) SourceOf(p recruitment.Participant, recruiter string) string {
	switch {
	case recruiter == "":
		return a.T("people.source." + string(p.Source))
	case p.Coupon > 0:
		return a.T("people.source_coupon", "Code", recruiter, "Number", p.Coupon)
	}
	return a.T("people.source_from", "Code", recruiter)
}

// StateWord says where somebody stands.
func (a asking) StateWord(s recruitment.State) string { return a.T("recruitment.state." + string(s)) }

// Mark is the shape that goes with a state: see the template "pip".
func (a asking) Mark(s recruitment.State) string {
	switch s.Stage() {
	case recruitment.StageNotAsked:
		return "dash"
	case recruitment.StageBooked:
		return "half"
	case recruitment.StageDone:
		return "full"
	case recruitment.StageLost:
		return "cross"
	}
	return "ring"
}

// Near says UTC milliseconds as in a list: the year only where it is another, today by its clock. 0 is "".
func (a asking) Near(ms int64) string {
	if ms == 0 {
		return ""
	}
	at := time.UnixMilli(ms).In(a.Zone)
	now := a.Now.In(a.Zone)
	switch {
	case at.Year() != now.Year():
		return a.Date(at, i18n.Plain)
	case at.YearDay() == now.YearDay():
		return a.T("people.today", "Clock", a.Clock(ms))
	}
	return a.T("people.day", "Day", at.Day(), "Month", a.Month(at.Month()))
}

// NearTime is Near with the clock.
func (a asking) NearTime(ms int64) string {
	near, today := a.Near(ms), a.T("people.today", "Clock", a.Clock(ms))
	if ms == 0 || near == today {
		return near
	}
	return near + " " + a.Clock(ms)
}

// Appointed is when an appointment is: in writing, the day alone.
func (a asking) Appointed(k scheduling.Booking) string {
	if k.Mode == scheduling.Email {
		return plainDay(a.base, k.Start())
	}
	return a.NearTime(k.StartsAt)
}
