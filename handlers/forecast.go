package handlers

import (
	"slices"
	"time"

	"example.org/feltbok/interviews"
	"example.org/feltbok/recruitment"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
	"example.org/feltbok/surveys"
)

// forecastPage tells when the quotas will be full, and how that was found.
type forecastPage struct {
	base
	*outlook
}

// outlook is a forecast in words, on the home page in short.
type outlook struct {
	base
	recruitment.Forecast
	kinds    []kind
	Finding  string
	Interval string
	Verdicts []verdict
	Dates    string // of the survey, planned and probable
	Warning  string // since when it has warned
	Help     string
	HelpAt   string // an address, "" for those who change nothing
	HelpAct  string
	Caveat   string
	Unset    bool // no milestone was set
	Cells    []fillingRow
	Chart    *fillingChart
}

// verdict is a probability in a word.
type verdict struct{ Mark, Word, Text string }

// fillingRow is one cell in the table.
type fillingRow struct {
	recruitment.Filling
	Name, When, Interval, Chance, Missing string
}

func (s *Server) forecast(v *visit) error {
	st := standing{today: startOfDay(v.now().In(v.zone()))}
	var err error
	if st.bookings, err = s.Scheduling.All(v.ctx(), v.study.ID); err != nil {
		return err
	}
	if st.held, err = s.Interviews.List(v.ctx(), v.study.ID); err != nil {
		return err
	}
	p := forecastPage{base: v.page("forecast.title")}
	p.Here = "candidates"
	if p.outlook, err = s.outlook(v, p.base, st); err != nil {
		return err
	}
	p.rows()
	return v.show("staff/forecast", p)
}

// outlook asks for the forecast of today and puts it in words.
func (s *Server) outlook(v *visit, b base, st standing) (*outlook, error) {
	all, err := s.Surveys.List(v.ctx(), v.study.ID)
	if err != nil {
		return nil, err
	}
	plan := planOf(v.study, all)
	plan.Arranged, plan.Meetings = arranged(st.bookings), meetings(v.study, st.held)
	f, err := s.Recruitment.Forecast(v.ctx(), v.study.ID, plan, st.today)
	if err != nil {
		return nil, err
	}
	kinds, err := s.kinds(v.ctx(), v.study.ID, v.text)
	if err != nil {
		return nil, err
	}
	o := &outlook{base: b, kinds: kinds, Forecast: f, Unset: plan.Interviews.IsZero() && plan.Opens.IsZero()}
	o.words()
	return o, nil
}

func planOf(study studies.Study, all []surveys.Survey) recruitment.Schedule {
	plan := recruitment.Schedule{Interviews: study.After(study.InterviewsBy), Opens: study.Day(study.SurveyOpens),
		Closes: study.After(study.SurveyCloses), End: study.End(), Pilots: study.Pilots()}
	for _, c := range study.Cases {
		plan.Cases = append(plan.Cases, c.ID)
	}
	for _, survey := range all {
		if opened := time.UnixMilli(survey.OpenedAt); survey.OpenedAt > 0 && (plan.Opened.IsZero() || opened.Before(plan.Opened)) {
			plan.Opened = opened
		}
	}
	return plan
}

func arranged(bookings []scheduling.Booking) (all []recruitment.Arranged) {
	for _, k := range bookings {
		for _, stand := range k.Stands() {
			all = append(all, recruitment.Arranged{Person: k.Person, Starts: stand.Starts, From: stand.From, Until: stand.Until})
		}
	}
	return all
}

func meetings(study studies.Study, held []interviews.Held) (all []recruitment.Meeting) {
	for _, h := range held {
		if day := study.Day(h.HeldOn); !day.IsZero() {
			all = append(all, recruitment.Meeting{Person: h.Person, At: day.Add(12 * time.Hour).UnixMilli()})
		}
	}
	return all
}

// Speaks says whether there is a forecast in numbers.
func (o *outlook) Speaks() bool { return o.Silence == "" }

// Shown says whether the home page has something to tell.
func (o *outlook) Shown() bool {
	return o.Speaks() || o.Silence == recruitment.TooFew && o.Basis.Contacts > 0
}

func (o *outlook) words() {
	o.finding()
	if !o.Speaks() {
		return
	}
	o.verdicts()
	if !o.Since.IsZero() {
		o.Warning = o.T("forecast.since", "Day", plainDay(o.base, o.Since))
	}
	o.helping()
	o.Caveat = o.N("forecast.caveat", o.Basis.Contacts)
	if o.Basis.Contacts < manyContacts {
		o.Caveat = o.N("forecast.caveat_few", o.Basis.Contacts)
	}
}

// manyContacts is from where on the number of contacts needs no warning of its own.
const manyContacts = 50

func (o *outlook) day(t time.Time) string { return plainDay(o.base, t) }

// last is the day before an instant at which something ends.
func (o *outlook) last(t time.Time) string { return o.day(t.In(o.Zone).AddDate(0, 0, -1)) }

func (o *outlook) finding() {
	switch f := o.Finish; {
	case !o.Speaks() && o.Silence == recruitment.TooFew:
		o.Finding = o.N("forecast.few", o.Basis.Contacts)
	case !o.Speaks():
		o.Finding = o.T("forecast.silence." + string(o.Silence))
	case o.Full():
		o.Finding = o.T("forecast.full", "Day", o.day(f.Median))
	case f.Median.IsZero():
		o.Finding = o.T("forecast.never")
	default:
		o.Finding = o.T("forecast.finish", "Day", o.day(f.Median))
		o.Interval = o.interval(f, "forecast.between", "forecast.from")
	}
}

// interval says a range of dates; one that ends nowhere only says where it begins.
func (o *outlook) interval(f recruitment.Outlook, between, from string) string {
	switch {
	case f.Early.IsZero():
		return o.T("forecast.later")
	case f.Late.IsZero():
		return o.T(from, "Early", o.day(f.Early))
	case o.day(f.Early) == o.day(f.Late):
		return o.day(f.Early)
	}
	return o.T(between, "Early", o.day(f.Early), "Late", o.day(f.Late))
}

var marks = map[recruitment.Verdict]string{recruitment.Fits: "yes", recruitment.Unsure: "half", recruitment.Misses: "warn"}

func (o *outlook) judge(c recruitment.Chance, key string, args ...any) {
	word := c.Verdict()
	tense := ""
	if c.By.Before(o.AsOf) { // over: no probability any more
		tense = "_past"
	}
	args = append(args, "Day", o.last(c.By), "Percent", o.percent(c.P))
	o.Verdicts = append(o.Verdicts, verdict{marks[word], o.T("forecast.verdict." + string(word) + tense), o.T(key+tense, args...)})
}

func (o *outlook) verdicts() {
	switch {
	case o.Full():
	case o.Unset:
		o.judge(o.Interviews, "forecast.line.before_end")
	default:
		o.judge(o.Interviews, "forecast.line.interviews")
	}
	if o.Survey == nil {
		return
	}
	if !o.Survey.Opened.IsZero() {
		o.judge(o.Survey.ByEnd, "forecast.line.opened", "Opened", o.day(o.Survey.Opened))
		return
	}
	from := o.day(o.Study.Day(o.Study.SurveyOpens))
	if o.Full() || o.Interviews.Verdict() != o.Survey.ByPlan.Verdict() { // otherwise the line before says it
		o.judge(o.Survey.ByPlan, "forecast.line.by_plan", "From", from)
	}
	o.judge(o.Survey.ByEnd, "forecast.line.by_end")
	if s := o.Survey; !s.Opens.Median.IsZero() && s.ByPlan.Verdict() != recruitment.Fits {
		o.Dates = o.T("forecast.dates", "From", from, "To", o.last(s.ByPlan.By), "Opens", o.day(s.Opens.Median), "Closes", o.day(s.Closes.Median))
	}
}

// percent is a probability; what is nearly certain is not called certain.
func (o *outlook) percent(p float64) string {
	switch {
	case p < 0.01:
		return o.T("forecast.under", "N", 1)
	case p > 0.99:
		return o.T("forecast.over", "N", 99)
	}
	return o.T("forecast.percent", "N", whole(100*p))
}

func (o *outlook) helping() {
	h := o.Forecast.Help
	if h == nil {
		return
	}
	name := o.name(h.Vacancy)
	switch {
	case h.More == 0:
		o.Help, o.HelpAt, o.HelpAct = o.T("forecast.help_none", "Cell", name), o.At("/settings"), "forecast.to_settings"
	case h.Plan:
		o.Help = o.N("forecast.help", h.More, "Cell", name, "AskBy", o.day(h.AskBy), "Day", o.last(h.Target))
	default:
		key := "forecast.help_end"
		if o.Survey != nil {
			key = "forecast.help_survey"
		}
		o.Help = o.N(key, h.More, "Cell", name, "AskBy", o.day(h.AskBy), "Day", o.last(h.Target))
	}
	if h.More > 0 {
		o.HelpAt, o.HelpAct = o.At("/candidates?")+o.filterOf(h.Vacancy), "home.find"
	}
	if !o.Writes() {
		o.HelpAt = ""
	}
}

// filterOf is the list of those who could still be asked for a cell.
func (o *outlook) filterOf(p recruitment.Vacancy) string {
	c, _ := o.Study.Case(p.Case)
	for _, k := range o.kinds {
		if k.Kind == p.Kind {
			return listOf(c, k.Profile)
		}
	}
	return listOf(c, recruitment.Profile{})
}

// name tells a cell: its case's code and its kind.
func (o *outlook) name(p recruitment.Vacancy) string {
	c, _ := o.Study.Case(p.Case)
	return o.T("forecast.cell", "Case", c.Code, "Kind", lowered(labelOf(o.kinds, p.Kind)))
}

// rows are the table of the cells, and their drawing.
func (o *outlook) rows() {
	if !o.Speaks() {
		return
	}
	for _, c := range o.Study.Cases {
		for _, filling := range o.Places {
			if filling.Case == c.ID {
				o.Cells = append(o.Cells, o.row(filling))
			}
		}
	}
	o.Chart = o.draw()
}

func (o *outlook) row(filling recruitment.Filling) fillingRow {
	row := fillingRow{Filling: filling, Name: capital(o.name(filling.Vacancy))}
	row.When = o.T("forecast.later")
	if !filling.Median.IsZero() {
		row.When = o.day(filling.Median)
	}
	row.Interval = o.interval(filling.Outlook, "forecast.range", "forecast.range_from")
	row.Chance, row.Missing = o.percent(filling.Chance.P), o.Decimal(filling.Missing, 1)
	if filling.Full() {
		row.Interval, row.Chance, row.Missing = "", o.T("forecast.is_full"), "0"
	}
	return row
}

// By is the last day of the milestone that chances are for.
func (o *outlook) By() string { return o.last(o.Places[0].Chance.By) }

// Share, Days and Rate say the model's inputs with their intervals.
func (o *outlook) Share() string {
	c := o.Basis.Conversion
	return o.T("forecast.share_value", "N", whole(100*c.Median), "Low", whole(100*c.Low), "High", whole(100*c.High))
}

func (o *outlook) Days() string {
	l := o.Basis.Lead
	return o.T("forecast.days_value", "N", whole(l.Median), "Low", whole(l.Low), "High", whole(l.High))
}

func (o *outlook) Rate() string {
	p := o.Basis.Pace
	return o.T("forecast.rate_value", "N", o.Decimal(p.Median, 1), "Low", o.Decimal(p.Low, 1), "High", o.Decimal(p.High, 1))
}

// fillingChart draws when each cell will be full: a line over 80 % with a dot at the median, and the milestones across.
type fillingChart struct {
	Title               string
	Height, Top, Bottom int
	TodayX              string
	TodayEnd            bool
	Lines               []milestone
	Months              []monthMark
	Bars                []fillingBar
}

// milestone is a planned day in a drawing.
type milestone struct {
	X, Label string
	Y        int  // of the label
	End      bool // the label stands left of the line
}

type fillingBar struct {
	Name             string
	Y, LabelY        int
	From, To, Median string // "" where it lies outside
	Full             bool
}

const (
	chartRow   = 44  // pixels for a cell
	labelRow   = 18  // and for the label of a milestone
	mostAfter  = 45  // days after the study's end that are drawn
	leastShown = 0.5 // per cent, the left edge
)

func (o *outlook) draw() *fillingChart {
	first, last := o.AsOf.AddDate(0, 0, -1), o.Study.End()
	for _, place := range o.Cells {
		if place.Full() && place.Median.Before(first) {
			first = place.Median
		}
		if late := place.Late; late.After(last) {
			last = late
		}
	}
	if latest := o.Study.End().AddDate(0, 0, mostAfter); last.After(latest) {
		last = latest
	}
	first = first.AddDate(0, 0, -2)
	span := last.Sub(first).Hours()
	place := func(t time.Time) float64 { return min(100, max(leastShown, 100*t.Sub(first).Hours()/span)) }
	today := place(o.AsOf.Add(-12 * time.Hour))
	c := &fillingChart{Title: o.Finding + " " + o.Interval, TodayX: across(today), TodayEnd: today > 50}
	c.Lines = o.milestones(place)
	c.Top = labelRow*(len(c.Lines)+1) + 6
	c.Bottom = c.Top + chartRow*len(o.Cells)
	c.Height = c.Bottom + 30
	for i, filling := range o.Cells {
		bar := fillingBar{Name: filling.Name, Y: c.Top + chartRow*i + 32, LabelY: c.Top + chartRow*i + 17, Full: filling.Full()}
		if !filling.Early.IsZero() && filling.Early.Before(last) {
			bar.From, bar.To = across(place(filling.Early)), across(100)
			if !filling.Late.IsZero() {
				bar.To = across(place(filling.Late))
			}
		}
		if !filling.Median.IsZero() && filling.Median.Before(last) {
			bar.Median = across(place(filling.Median))
		}
		c.Bars = append(c.Bars, bar)
	}
	c.Months = monthsBetween(o.base, first, last, place)
	return c
}

// milestones are the study's, each with its label on a row of its own. Labels left of their lines stand lower the earlier
// they are, so that none is crossed by a line.
func (b base) milestones(place func(time.Time) float64) (lines []milestone) {
	for _, m := range []struct {
		key     string
		at, day time.Time
	}{
		{"forecast.mark.interviews", b.Study.After(b.Study.InterviewsBy), b.Study.Day(b.Study.InterviewsBy)},
		{"forecast.mark.opens", b.Study.Day(b.Study.SurveyOpens), b.Study.Day(b.Study.SurveyOpens)},
		{"forecast.mark.closes", b.Study.After(b.Study.SurveyCloses), b.Study.Day(b.Study.SurveyCloses)},
		{"home.end", b.Study.End(), b.Study.Day(b.Study.EndsOn)},
	} {
		if !m.at.IsZero() {
			x := place(m.at)
			lines = append(lines, milestone{X: across(x), Label: b.T(m.key, "Day", plainDay(b, m.day)), End: x > 50})
		}
	}
	left := slices.IndexFunc(lines, func(m milestone) bool { return m.End })
	for i := range lines {
		row := i
		if left >= 0 && i >= left {
			row = left + len(lines) - 1 - i
		}
		lines[i].Y = labelRow * (row + 2)
	}
	return lines
}

// monthsBetween names each month where it begins, unless the names would touch.
func monthsBetween(b base, first, last time.Time, place func(time.Time) float64) (marks []monthMark) {
	shown, wide := -100.0, -100.0
	month := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, first.Location())
	for ; month.Before(last); month = month.AddDate(0, 1, 0) {
		x := max(leastShown, place(month))
		if x-wide < leastWide || x > 100-leastWide {
			continue
		}
		wide = x
		mark := monthMark{X: across(x), Name: b.Month(month.Month()), Wide: x-shown < leastMonths || x > 100-leastMonths}
		if !mark.Wide {
			shown = x
		}
		marks = append(marks, mark)
	}
	return marks
}
