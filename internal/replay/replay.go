// Package replay plays a real study's fieldwork through the real pages, as its people would: the researchers sign in
// and fill in forms, the participants open the links in their mail. It knows addresses and field names and nothing of
// what lies behind them. What happened when stands in facts/ (the thesis' published tables; the people are invented).
package replay

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"example.org/feltbok/internal/browser"
)

// Stage is an empty installation to play on.
type Stage struct {
	Handler    http.Handler
	Base       string // the address that links in mails start with
	SetupToken string
	SignIn     func(ctx context.Context, email string) (token string, err error) // a one-time link: passwords are slow on purpose
	MailFolder string
	SetClock   func(time.Time)
	SendMail   func(context.Context) error // sends what is due
	Responses  int                         // survey answers to make
	Progress   func(step string)
	Until      time.Time // nothing from then on is played; zero plays everything
}

// Result is what a newcomer needs to look around, and what the replay left.
type Result struct {
	StudyPath  string // such as /studies/abc
	SurveyPath string
	Workbook   []byte
	Researcher string // e-mail addresses of the accounts
	Supervisor string
	Links      []Link
	Summary    []Line
	Now        time.Time // the moment from which the clock runs on
}

// Link is the path of one participant's link, and what it shows.
type Link struct{ Kind, Code, Path string }

// Line is one line of the summary.
type Line struct {
	What string
	N    int
}

// Start is the moment at which the replay begins.
var Start = at("2018-11-05", "08:00")

// End is the moment from which the demo's clock runs on once everything was played.
var End = time.Date(2019, 5, 13, 9, 0, 0, 0, oslo)

var oslo = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		panic(err) // the program embeds the zones
	}
	return zone
}()

// evening is when the clock runs on from a day of the replay: after all that happened on it.
const evening = 21 * time.Hour

// Until reads the last day to be played, 2006-01-02, as the first instant that is not.
func Until(day string) (time.Time, error) {
	last, err := time.ParseInLocation(time.DateOnly, day, oslo)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date such as 2019-03-20", day)
	}
	first, end := Start.Format(time.DateOnly), End.Format(time.DateOnly)
	if day < first || day > end {
		return time.Time{}, fmt.Errorf("the replay goes from %s to %s", first, end)
	}
	return last.AddDate(0, 0, 1), nil
}

// now is when the clock runs on.
func (s Stage) now() time.Time {
	if s.Until.IsZero() || s.Until.After(End) {
		return End
	}
	return s.Until.AddDate(0, 0, -1).Add(evening)
}

// player is a replay under way.
type player struct {
	Stage
	ctx        context.Context
	facts      facts
	researcher *browser.Browser
	signedIn   bool              // the researcher, for the event at hand
	study      string            // path
	survey     string            // path
	cases      map[string]string // code to id
	people     map[string]string // code to path
	mailbox    mailbox
	counts     map[string]int
	passed     map[string]string // path of an invitation that an informant passed on, by whom it is for
}

// event is one thing that happened.
type event struct {
	at   time.Time
	what string
	do   func() error
}

// Run plays everything, or until a day, and leaves the clock where it shall run on.
func Run(ctx context.Context, stage Stage) (Result, error) {
	f, err := readFacts()
	if err != nil {
		return Result{}, err
	}
	p := &player{Stage: stage, ctx: ctx, facts: f, cases: map[string]string{}, people: map[string]string{}, counts: map[string]int{},
		passed: map[string]string{}, mailbox: mailbox{folder: stage.MailFolder, base: stage.Base}}
	if p.researcher, err = browser.New(stage.Handler, stage.Base); err != nil {
		return Result{}, err
	}
	events := slices.Concat(p.preparation(), p.fieldwork(), p.memberLists(), p.analysis())
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })
	for _, e := range events {
		if e.at.After(stage.now()) {
			break
		}
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		if err := p.play(e); err != nil {
			return Result{}, fmt.Errorf("%s, %s: %w", e.at.Format("2006-01-02 15:04"), e.what, err)
		}
	}
	p.SetClock(stage.now())
	if err := p.SendMail(ctx); err != nil {
		return Result{}, err
	}
	return p.result()
}

// play does one thing at its time, with the mail that it causes.
func (p *player) play(e event) error {
	p.SetClock(e.at)
	if p.Progress != nil {
		p.Progress(e.what)
	}
	p.signedIn = false
	if err := e.do(); err != nil {
		return err
	}
	return p.SendMail(p.ctx)
}

const password = "et langt passord til demoen"

// awake signs the researcher in again where the session is over, as it is from one day to the next.
func (p *player) awake() error {
	if p.study == "" || p.signedIn {
		return nil
	}
	p.signedIn = true
	if p.researcher.Get("/studies") == nil && p.researcher.Has(`form[action="/sign-out"]`) {
		return nil
	}
	token, err := p.SignIn(p.ctx, researcher)
	if err != nil {
		return err
	}
	if err := p.researcher.Get("/sign-in/" + token); err != nil {
		return err
	}
	return p.researcher.Form("main form").Submit()
}

// open goes to a page of the researcher's.
func (p *player) open(page string) error {
	if err := p.awake(); err != nil {
		return err
	}
	return p.researcher.Get(page)
}

// post opens a page of the researcher's, fills in its form and hands it in.
func (p *player) post(page, form string, fields ...string) error {
	if err := p.open(page); err != nil {
		return err
	}
	f := p.researcher.Form(form)
	for i := 0; i+1 < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	return f.Submit()
}

// action selects the form that is handed in to a path.
func action(path string) string { return fmt.Sprintf("form[action=%q]", path) }

func at(date, clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", date+" "+clock, oslo)
	if err != nil {
		panic(err) // a fault in facts/, found by the first test
	}
	return t
}
