package handlers

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"
)

// Themselves is whom a kept proof names where the person acted.
const Themselves audit.Actor = "person"

// Parting is what becomes of somebody who leaves a study.
type Parting struct {
	Fate       studies.Fate
	ProofUntil time.Time // how long the proof of their consent is kept; zero where none is
	ByHand     []string  // kinds of consents.Task
	Due        time.Time // when those are to be done
}

// Keeps says whether what was said and answered stays without the person.
func (p Parting) Keeps() bool { return p.Fate == studies.Anonymise }

// byHand are the kinds of task that a parting can leave, in order.
var byHand = []string{consents.DeleteRecording, consents.DeleteFiles, consents.CheckCalendar}

// Params are a parting as codes and numbers, for a mail; and for the address of the page that says what was done, which knows
// nobody any more.
func (p Parting) Params() map[string]string {
	params := map[string]string{"fate": string(p.Fate)}
	if !p.ProofUntil.IsZero() {
		params["proof"] = strconv.FormatInt(p.ProofUntil.UnixMilli(), 10)
	}
	if len(p.ByHand) > 0 {
		params["hand"], params["due"] = strings.Join(p.ByHand, ","), strconv.FormatInt(p.Due.UnixMilli(), 10)
	}
	return params
}

// Query is Params for an address: days, since an hour would say when they left.
func (p Parting) Query(zone *time.Location) url.Values {
	query := url.Values{"fate": {string(p.Fate)}}
	if !p.ProofUntil.IsZero() {
		query.Set("proof", p.ProofUntil.In(zone).Format(time.DateOnly))
	}
	if len(p.ByHand) > 0 {
		query.Set("hand", strings.Join(p.ByHand, ","))
		query.Set("due", p.Due.In(zone).Format(time.DateOnly))
	}
	return query
}

// partingOf reads what Params or Query wrote; what is not theirs is passed over.
func partingOf(get func(string) string) (p Parting) {
	p.Fate = studies.Fate(get("fate"))
	p.ProofUntil, p.Due = momentOf(get("proof")), momentOf(get("due"))
	for _, kind := range byHand {
		if slices.Contains(strings.Split(get("hand"), ","), kind) && !p.Due.IsZero() {
			p.ByHand = append(p.ByHand, kind)
		}
	}
	return p
}

// momentOf reads milliseconds, or a day; anything else is no moment.
func momentOf(text string) time.Time {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms)
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}
	}
	return day.Add(12 * time.Hour) // the same day in every zone
}

// farewell is a parting in words.
type farewell struct {
	Parting
	Proof, By string   // days
	Hand      []string // what is done by hand
}

func farewellOf(text i18n.Text, zone *time.Location, p Parting) farewell {
	f := farewell{Parting: p}
	if !p.ProofUntil.IsZero() {
		f.Proof = text.Date(p.ProofUntil.In(zone), i18n.Plain)
	}
	if !p.Due.IsZero() {
		f.By = text.Date(p.Due.In(zone), i18n.Plain)
	}
	for _, kind := range p.ByHand {
		f.Hand = append(f.Hand, text.T("leaving.hand."+kind))
	}
	return f
}

// writeWithdrawn tells what was done, and what was promised, when they left.
func (l *draft) writeWithdrawn() {
	p := partingOf(func(name string) string { return l.row.Params[name] })
	l.fields["Left"], l.fields["Contact"] = farewellOf(l.text, l.zone, p), l.study.ProjectContact
}

// writeByHand tells the team what a withdrawal left to do, as far as nobody has done it yet.
func (s *Server) writeByHand(ctx context.Context, l *draft) error {
	open, err := s.Consents.OpenTasks(ctx, l.study.ID)
	if err != nil {
		return err
	}
	var lines []string
	for _, task := range open {
		if slices.Contains(strings.Split(l.row.Params["tasks"], ","), string(task.ID)) {
			l.fields["Code"], l.fields["Due"] = task.Code, l.text.Date(time.UnixMilli(task.DueAt).In(l.zone), i18n.Plain)
			lines = append(lines, "– "+l.text.T("leaving.todo."+task.Kind))
		}
	}
	if len(lines) == 0 {
		return mail.ErrStale
	}
	l.fields["Tasks"], l.fields["Link"] = strings.Join(lines, "\n"), s.BaseURL+"/studies/"+string(l.study.ID)+"/tasks"
	return nil
}
