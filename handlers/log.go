package handlers

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
)

// logPage is what happened in a study, in words.
type logPage struct {
	base
	Rows     []logRow
	Only     string // which part of it
	Parts    []string
	Older    string         // the address of the entries before these
	Newer    string         // of the newest, where these are not
	End      audit.Position // of the whole installation's chain
	Verified *verified      // where it was asked for
}

type logRow struct {
	audit.Entry
	Who, What, Whom string
}

// verified is what a walk along the chain found: so many entries are whole, or the number of the first that is not.
type verified struct {
	N      int64
	Broken bool
}

// Count is N for plurals.
func (r verified) Count() int { return int(r.N) }

const logSize = 200

// logParts are the actions that somebody looks for; "" is everything.
var logParts = map[string][]string{
	"names":    {"identity.opened", "identity.written", "signature.opened", "signature.written"},
	"consents": {"consent.recorded", "consent.withdrawn"},
	"letters":  {"letter.drafted", "letter.published", "letter.round_ask", "letter.round_inform"},
	"erasures": {"person.withdrawn", "person.erased", "proof.kept", "proof.sought", "proof.opened"},
	"exports":  {"export.made", evidenceMade},
}

// log shows entries newest first; with "verify" in its address it walks the whole chain too.
func (s *Server) log(v *visit) error {
	p := logPage{base: v.page("log.title"), Only: v.Query("only"), Parts: []string{"", "names", "consents", "letters", "erasures", "exports"}}
	p.Here = v.watching("log")
	before, err := strconv.ParseInt(v.Query("before"), 10, 64)
	if err != nil {
		before = 0
	}
	entries, err := s.Audit.Page(v.ctx(), v.study.ID, audit.Query{Actions: logParts[p.Only], Before: before, Limit: logSize + 1})
	if err != nil {
		return err
	}
	if before > 0 {
		p.Newer = p.address(0)
	}
	if len(entries) > logSize {
		entries = entries[:logSize]
		p.Older = p.address(entries[logSize-1].Seq)
	}
	if p.Rows, err = s.logRows(v, p.base, entries); err != nil {
		return err
	}
	if v.Query("verify") != "" {
		if p.Verified, err = s.verifyChain(v.ctx()); err != nil {
			return err
		}
	}
	if p.End, err = s.Audit.Position(v.ctx()); err != nil {
		return err
	}
	return v.show("staff/log", p)
}

func (s *Server) logRows(v *visit, b base, entries []audit.Entry) (rows []logRow, err error) {
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsIn(entries), personsIn(entries))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		rows = append(rows, logRow{e, actorName(b.Text, e.Actor, names), actionText(b.Text, e, names), names.codes[e.Person]})
	}
	return rows, nil
}

func (s *Server) verifyChain(ctx context.Context) (*verified, error) {
	n, err := s.Audit.Verify(ctx)
	if errors.Is(err, audit.ErrBroken) {
		return &verified{n, true}, nil
	}
	return &verified{N: n}, err
}

// address is this part of the log, before an entry or from the newest on.
func (p logPage) address(before int64) string {
	values := url.Values{}
	if p.Only != "" {
		values.Set("only", p.Only)
	}
	if before > 0 {
		values.Set("before", strconv.FormatInt(before, 10))
	}
	return withValues(p.At("/log"), values)
}

// Verify is this page with the chain walked.
func (p logPage) Verify() string { return withMore(p.address(0), "verify", "1") + "#chain" }

const (
	accountActor = "account:"
	personActor  = "person:"
)

func accountsIn(entries []audit.Entry) []id.Account {
	var actors []audit.Actor
	for _, e := range entries {
		actors = append(actors, e.Actor)
		if strings.HasPrefix(e.Action, "study.member_") {
			account, _, _ := strings.Cut(e.Detail, " ")
			actors = append(actors, audit.Staff(id.Account(account)))
		}
	}
	return accountsOf(actors...)
}

// accountsOf are the accounts among those who acted, each once.
func accountsOf(actors ...audit.Actor) (accounts []id.Account) {
	for _, actor := range actors {
		if account, ok := strings.CutPrefix(string(actor), accountActor); ok && !slices.Contains(accounts, id.Account(account)) {
			accounts = append(accounts, id.Account(account))
		}
	}
	return accounts
}

// personsIn are whom entries are about, and who acted.
func personsIn(entries []audit.Entry) (persons []id.Person) {
	for _, e := range entries {
		if e.Person != "" {
			persons = append(persons, e.Person)
		}
		if person, ok := strings.CutPrefix(string(e.Actor), personActor); ok {
			persons = append(persons, id.Person(person))
		}
	}
	slices.Sort(persons)
	return slices.Compact(persons)
}

// actorName is who acted: the name of staff, the code of a participant, nothing of who was erased.
func actorName(b i18n.Text, actor audit.Actor, names namesOf) string {
	if account, ok := strings.CutPrefix(string(actor), accountActor); ok {
		return names.accounts[id.Account(account)]
	}
	if person, ok := strings.CutPrefix(string(actor), personActor); ok {
		if code := names.codes[id.Person(person)]; code != "" {
			return code
		}
		return b.T("log.erased")
	}
	if actor == audit.Operator {
		return b.T("log.operator")
	}
	return b.T("log.system")
}

// detailWords are the actions whose detail is a code with a text under this key.
var detailWords = map[string]string{
	"proof.sought": "proofs.purpose.", "proof.opened": "proofs.purpose.",
	"identity.opened": "log.purpose.", "identity.written": "log.purpose.", "signature.opened": "log.purpose.", "signature.written": "act.signed.", "consent.recorded": "consents.means.",
	"consent.withdrawn": "consents.means.", "contact.logged": "recruitment.outcome.", "contact.undone": "recruitment.outcome.", "participant.state_set": "recruitment.state.",
}

// actionText says what was done. An action without words is shown as it is stored: nothing is left out of a log.
func actionText(b i18n.Text, e audit.Entry, names namesOf) string {
	text := e.Action
	if b.Has("log.act." + e.Action) {
		text = b.T("log.act." + e.Action)
	}
	if prefix, ok := detailWords[e.Action]; ok && b.Has(prefix+e.Detail) {
		return text + ": " + strings.ToLower(b.T(prefix+e.Detail))
	}
	words := strings.Fields(e.Detail)
	switch {
	case strings.HasPrefix(e.Action, "study.member_") && len(words) > 0:
		text += ": " + names.accounts[id.Account(words[0])]
		if len(words) > 1 && b.Has("studies.role."+words[1]) {
			text += ", " + strings.ToLower(b.T("studies.role."+words[1]))
		}
	case strings.HasPrefix(e.Action, "letter.") && len(words) > 1 && b.Has("studies.audience."+words[0]):
		text += ": " + strings.ToLower(b.T("studies.audience."+words[0]))
		for _, word := range words[1:] {
			switch {
			case b.Has("language." + word):
				text += ", " + strings.ToLower(b.T("language."+word))
			case len(word) < 4: // the version; the hash stands on the letter's own page
				text += ", " + b.T("letters.version", "Version", word)
			}
		}
	}
	return text
}
