package handlers

import (
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/id"
)

// logPage is what happened in a study, in words.
type logPage struct {
	base
	Rows  []logRow
	Only  string // which part of it
	Parts []string
	Full  bool   // older entries are not shown
	Head  string // the newest hash of the chain
}

type logRow struct {
	audit.Entry
	Who, What, Whom string
}

const mostEntries = 500

// logParts are the actions that somebody looks for; "" is everything.
var logParts = map[string][]string{
	"names":    {"identity.opened", "identity.written"},
	"consents": {"consent.recorded", "consent.withdrawn"},
	"letters":  {"letter.drafted", "letter.published"},
	"erasures": {"person.withdrawn", "person.erased"},
	"exports":  {"export.made"},
}

func (s *Server) log(v *visit) error {
	p := logPage{base: v.page("log.title"), Only: v.Query("only"), Parts: []string{"", "names", "consents", "letters", "erasures", "exports"}}
	p.Here = "log"
	if v.role == "owner" {
		p.Here = "settings"
	}
	entries, err := s.Audit.Newest(v.ctx(), v.study.ID, mostEntries)
	if err != nil {
		return err
	}
	p.Full = len(entries) == mostEntries
	if actions, ok := logParts[p.Only]; ok {
		entries = slices.DeleteFunc(entries, func(e audit.Entry) bool { return !slices.Contains(actions, e.Action) })
	}
	names, err := s.namesOf(v.ctx(), v.study.ID, accountsIn(entries), personsIn(entries))
	if err != nil {
		return err
	}
	for _, e := range entries {
		p.Rows = append(p.Rows, logRow{e, actorName(p.base, e.Actor, names), actionText(p.base, e, names), names.codes[e.Person]})
	}
	if p.Head, err = s.Audit.Head(v.ctx()); err != nil {
		return err
	}
	return v.show("staff/log", p)
}

const (
	accountActor = "account:"
	personActor  = "person:"
)

func accountsIn(entries []audit.Entry) (accounts []id.Account) {
	add := func(account string) {
		if !slices.Contains(accounts, id.Account(account)) {
			accounts = append(accounts, id.Account(account))
		}
	}
	for _, e := range entries {
		if account, ok := strings.CutPrefix(string(e.Actor), accountActor); ok {
			add(account)
		}
		if strings.HasPrefix(e.Action, "study.member_") {
			account, _, _ := strings.Cut(e.Detail, " ")
			add(account)
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
func actorName(b base, actor audit.Actor, names namesOf) string {
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
	"identity.opened": "log.purpose.", "identity.written": "log.purpose.", "consent.recorded": "consents.means.",
	"consent.withdrawn": "consents.means.", "contact.logged": "recruitment.outcome.", "contact.undone": "recruitment.outcome.", "participant.state_set": "recruitment.state.",
}

// actionText says what was done. An action without words is shown as it is stored: nothing is left out of a log.
func actionText(b base, e audit.Entry, names namesOf) string {
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
