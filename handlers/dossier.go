package handlers

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/exports"
	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/studies"
)

// dossier writes tables about a study for those who look after its data protection: by code, never a name of anybody who takes
// part, never an answer to a survey. Each table is read in parts, so that no read holds up an erasure while the file goes
// out.
type dossier struct {
	*Server
	ctx   context.Context
	text  i18n.Text
	study studies.Study
	zone  *time.Location
}

func (s *Server) dossier(v *visit, lang string) *dossier {
	return &dossier{s, v.Request.Context(), s.languages.Text(lang), v.study, v.zone()}
}

const dossierPart = 500

// table begins a file with headings "dossier.col.<name>".
func (d *dossier) table(w io.Writer, columns ...string) (*exports.CSV, error) {
	table, err := exports.NewCSV(w)
	if err != nil {
		return nil, err
	}
	heads := make([]string, len(columns))
	for i, column := range columns {
		heads[i] = d.text.T("dossier.col." + column)
	}
	return table, table.Row(heads...)
}

// instant is a time as tables have it, in the study's zone.
func (d *dossier) instant(ms int64) string {
	return time.UnixMilli(ms).In(d.zone).Format("2006-01-02 15:04:05")
}

// register is who answered what, by code.
func (d *dossier) register(w io.Writer) error {
	columns := append([]string{"code", "audience"}, consents.Purposes...)
	table, err := d.table(w, append(columns, "version", "language", "newer", "means", "when", "acts", "hash")...)
	if err != nil {
		return err
	}
	q := consents.RegisterQuery{Limit: dossierPart}
	for {
		page, err := d.Consents.Register(d.ctx, d.study.ID, q)
		if err != nil || len(page) == 0 {
			return cmp.Or(err, table.Close())
		}
		if err := d.registerRows(table, page); err != nil {
			return err
		}
		q.After = page[len(page)-1].Cursor()
	}
}

func (d *dossier) registerRows(table *exports.CSV, page []consents.Registered) error {
	persons := make([]id.Person, len(page))
	for i, r := range page {
		persons[i] = r.Person
	}
	names, err := d.namesOf(d.ctx, d.study.ID, nil, persons)
	if err != nil {
		return err
	}
	for _, r := range page {
		row := []string{names.codes[r.Person], d.text.T("studies.audience." + r.Audience)}
		for _, purpose := range consents.Purposes {
			row = append(row, d.text.T("consents.standing."+cmp.Or(r.Standings[purpose], consents.Unasked)))
		}
		row = append(row, strconv.Itoa(r.Version), d.text.T("language."+r.Language), d.yesNo(r.Outdated()), d.text.T("consents.means."+r.Means),
			d.instant(r.At), strconv.Itoa(r.Acts), r.Hash)
		if err := table.Row(row...); err != nil {
			return err
		}
	}
	return nil
}

func (d *dossier) yesNo(yes bool) string {
	if yes {
		return d.text.T("form.yes")
	}
	return d.text.T("form.no")
}

// counts is how many said yes and no to each purpose.
func (d *dossier) counts(w io.Writer) error {
	table, err := d.table(w, "purpose", "yes", "no")
	if err != nil {
		return err
	}
	counts, err := d.Consents.Counts(d.ctx, d.study.ID)
	if err != nil {
		return err
	}
	for _, c := range countsInOrder(counts) {
		if err := table.Row(d.text.T("consents.purpose."+c.Purpose), strconv.Itoa(c.Yes), strconv.Itoa(c.No)); err != nil {
			return err
		}
	}
	return table.Close()
}

// logHead are the columns of the log. What is hashed stands as it is hashed, under names that do not change with the
// language: see the pack's README. The words and the code beside it are for reading.
var logHead = []string{"seq", "at", "actor", "action", "study", "person", "detail", "previous", "hash"}

// log is the study's part of the audit chain.
func (d *dossier) log(w io.Writer) error {
	table, err := exports.NewCSV(w)
	if err != nil {
		return err
	}
	heads := slices.Clone(logHead)
	for _, column := range []string{"when", "who", "what", "code"} {
		heads = append(heads, d.text.T("dossier.col."+column))
	}
	if err := table.Row(heads...); err != nil {
		return err
	}
	var seq int64
	for {
		part, err := d.Audit.After(d.ctx, d.study.ID, seq, dossierPart)
		if err != nil || len(part) == 0 {
			return cmp.Or(err, table.Close())
		}
		if err := d.logRows(table, part); err != nil {
			return err
		}
		seq = part[len(part)-1].Seq
	}
}

func (d *dossier) logRows(table *exports.CSV, part []audit.Linked) error {
	entries := make([]audit.Entry, len(part))
	for i, e := range part {
		entries[i] = e.Entry
	}
	names, err := d.namesOf(d.ctx, d.study.ID, accountsIn(entries), personsIn(entries))
	if err != nil {
		return err
	}
	for _, e := range part {
		err := table.Row(strconv.FormatInt(e.Seq, 10), strconv.FormatInt(e.At, 10), string(e.Actor), e.Action, string(e.Study), string(e.Person), e.Detail,
			e.Previous, e.Hash, d.instant(e.At), actorName(d.text, e.Actor, names), actionText(d.text, e.Entry, names), names.codes[e.Person])
		if err != nil {
			return err
		}
	}
	return nil
}

// eachEntry visits a study's entries of some kinds, newest first, in parts.
func (d *dossier) eachEntry(visit func(audit.Entry), actions ...string) error {
	q := audit.Query{Actions: actions, Limit: dossierPart}
	for {
		part, err := d.Audit.Page(d.ctx, d.study.ID, q)
		if err != nil || len(part) == 0 {
			return err
		}
		for _, e := range part {
			visit(e)
		}
		q.Before = part[len(part)-1].Seq
	}
}

// opening is one day on which somebody opened names for one purpose.
type opening struct {
	day     string
	actor   audit.Actor
	purpose string
}

// namesOpened is who opened how many names, on which day and what for. Participants who read their own data are counted
// together: by whom is in the log.
func (d *dossier) namesOpened(w io.Writer) error {
	table, err := d.table(w, "day", "who", "purpose", "names")
	if err != nil {
		return err
	}
	counts, actors := map[opening]int{}, []audit.Actor(nil)
	err = d.eachEntry(func(e audit.Entry) {
		o := opening{time.UnixMilli(e.At).In(d.zone).Format(time.DateOnly), e.Actor, e.Detail}
		if strings.HasPrefix(string(e.Actor), personActor) {
			o.actor = personActor
		}
		if counts[o]++; counts[o] == 1 {
			actors = append(actors, o.actor)
		}
	}, "identity.opened")
	if err != nil {
		return err
	}
	names, err := d.namesOf(d.ctx, d.study.ID, accountsOf(actors...), nil)
	if err != nil {
		return err
	}
	for _, o := range slices.SortedFunc(maps.Keys(counts), func(a, b opening) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.actor, b.actor), cmp.Compare(a.purpose, b.purpose))
	}) {
		if err := table.Row(o.day, openerIn(d.text, o.actor, names), purposeText(d.text, o.purpose), strconv.Itoa(counts[o])); err != nil {
			return err
		}
	}
	return table.Close()
}

// openerIn is who opened a name.
func openerIn(text i18n.Text, actor audit.Actor, names namesOf) string {
	if actor == personActor {
		return text.T("dossier.themselves")
	}
	return actorName(text, actor, names)
}

// purposeText is what a name was opened for.
func purposeText(text i18n.Text, purpose string) string {
	if key := "log.purpose." + purpose; text.Has(key) {
		return text.T(key)
	}
	return purpose
}

// deletionActions are the columns of the table of deletions.
var deletionActions = []string{"person.withdrawn", "person.erased", "consent.withdrawn"}

// deletions is how many left and were erased, month by month.
func (d *dossier) deletions(w io.Writer) error {
	table, err := d.table(w, "month", "withdrawn", "erased", "taken_back")
	if err != nil {
		return err
	}
	months := map[string][]int{}
	err = d.eachEntry(func(e audit.Entry) {
		month := time.UnixMilli(e.At).In(d.zone).Format("2006-01")
		if months[month] == nil {
			months[month] = make([]int, len(deletionActions))
		}
		months[month][slices.Index(deletionActions, e.Action)]++
	}, deletionActions...)
	if err != nil {
		return err
	}
	for _, month := range slices.Sorted(maps.Keys(months)) {
		row := []string{month}
		for _, n := range months[month] {
			row = append(row, strconv.Itoa(n))
		}
		if err := table.Row(row...); err != nil {
			return err
		}
	}
	return table.Close()
}

// team is who works on the study, and as what.
func (d *dossier) team(w io.Writer) error {
	table, err := d.table(w, "name", "role")
	if err != nil {
		return err
	}
	members, err := d.Studies.Members(d.ctx, d.study.ID)
	if err != nil {
		return err
	}
	accounts := make([]id.Account, len(members))
	for i, m := range members {
		accounts[i] = m.Account
	}
	names, err := d.namesOf(d.ctx, d.study.ID, accounts, nil)
	if err != nil {
		return err
	}
	slices.SortFunc(members, func(a, b studies.Member) int {
		return cmp.Or(cmp.Compare(slices.Index(roles, a.Role), slices.Index(roles, b.Role)), cmp.Compare(names.accounts[a.Account], names.accounts[b.Account]))
	})
	for _, m := range members {
		if err := table.Row(names.accounts[m.Account], d.text.T("studies.role."+string(m.Role))); err != nil {
			return err
		}
	}
	return table.Close()
}

// changes is the history of the study's record.
func (d *dossier) changes(w io.Writer) error {
	table, err := d.table(w, "when", "who", "field", "was", "became")
	if err != nil {
		return err
	}
	changes, err := d.Studies.Changes(d.ctx, d.study.ID)
	if err != nil {
		return err
	}
	actors := make([]audit.Actor, len(changes))
	for i, c := range changes {
		actors[i] = c.Actor
	}
	names, err := d.namesOf(d.ctx, d.study.ID, accountsOf(actors...), nil)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := table.Row(d.instant(c.At), actorName(d.text, c.Actor, names), c.Field, c.Was, c.Became); err != nil {
			return err
		}
	}
	return table.Close()
}

// consentTexts is every question that was ever asked, in the words of each letter.
func (d *dossier) consentTexts(w io.Writer, letters []consents.Letter) error {
	table, err := d.table(w, "audience", "version", "language", "purpose", "text", "hint", "hash")
	if err != nil {
		return err
	}
	for _, l := range letters {
		for _, item := range l.Items {
			err := table.Row(d.text.T("studies.audience."+l.Audience), strconv.Itoa(l.Version), d.text.T("language."+l.Language),
				d.text.T("consents.purpose."+item.Purpose), item.Text, item.Hint, l.Hash)
			if err != nil {
				return err
			}
		}
	}
	return table.Close()
}

const csvType = "text/csv; charset=utf-8"

// registerFile and logFile are two of these tables by themselves.
func (s *Server) registerFile(v *visit) error {
	return s.dossier(v, v.text.Lang()).register(&download{v.Writer, "feltbok-consents.csv", csvType, false})
}

func (s *Server) logFile(v *visit) error {
	return s.dossier(v, v.text.Lang()).log(&download{v.Writer, "feltbok-log.csv", csvType, false})
}
