package recruitment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Kind names a row of the quotas, which is a cell in each case: one of Kinds, or one that the study added.
type Kind string

const (
	QuotaAdministration Kind = "administration"
	QuotaSME            Kind = "sme"
	QuotaLarge          Kind = "large"
	QuotaAny            Kind = "any"
	// Outside is no cell that a goal can be set for: who found no place in the others.
	Outside Kind = "outside"
)

// Kinds lists the kinds that every study has, in order.
func Kinds() []Kind { return []Kind{QuotaAdministration, QuotaSME, QuotaLarge, QuotaAny} }

// Profile says who counts in the cells of a kind. Every condition holds that is not empty; without any, everybody counts.
type Profile struct {
	Kind       Kind   // set by AddKind
	Name       string // the team's own; empty for one that is named by its conditions
	Audience   string
	Relation   Relation
	Size       string            // a Size, or one of Groups
	Attributes map[string]string // the study's own, by key
}

// builtIn are the profiles of Kinds. Somebody on the board runs nothing and stands for no company: they fit no cell but any.
func builtIn() []Profile {
	return []Profile{
		{Kind: QuotaAdministration, Relation: Administration},
		{Kind: QuotaSME, Relation: Member, Size: "SMB"},
		{Kind: QuotaLarge, Relation: Member, Size: "STOR"},
		{Kind: QuotaAny},
	}
}

// Own says whether the study added the kind.
func (p Profile) Own() bool { return !slices.Contains(Kinds(), p.Kind) }

// Fits says whether a participant counts in the cells of the kind.
func (p Profile) Fits(who Participant) bool {
	if p.Audience != "" && p.Audience != who.Audience || p.Relation != "" && p.Relation != who.Relation ||
		p.Size != "" && p.Size != string(who.Size) && p.Size != who.Size.Group() {
		return false
	}
	for key, value := range p.Attributes {
		if who.Attributes[key] != value {
			return false
		}
	}
	return true
}

// narrow is how much the profile asks for: the narrower cell is filled first.
func (p Profile) narrow() int {
	n := len(p.Attributes)
	for _, condition := range []string{p.Audience, string(p.Relation), p.Size} {
		if condition != "" {
			n++
		}
	}
	if slices.Contains(Sizes(), Size(p.Size)) {
		n++ // one size is less than a group of them
	}
	return n
}

func (p Profile) same(as Profile) bool {
	return p.Audience == as.Audience && p.Relation == as.Relation && p.Size == as.Size && maps.Equal(p.Attributes, as.Attributes)
}

const (
	mostKinds    = 20 // of a study's own; with those of Kinds they fit the bits of one set
	mostKindName = 40
)

var (
	// ErrKind is a NotFound: the study has no such kind of its own.
	ErrKind = errs.New(errs.NotFound, "recruitment.kind")
	// ErrAttributeWanted is a Conflict: a kind of the quotas asks for a value that would go.
	ErrAttributeWanted = errs.New(errs.Conflict, "recruitment.attribute_wanted")
)

// Profiles returns the rows of the quotas: those of Kinds, then the study's own in the order they were added.
func (r *Recruitment) Profiles(ctx context.Context, study id.Study) ([]Profile, error) {
	return profiles(ctx, r.db, study)
}

func profiles(ctx context.Context, q database.Querier, study id.Study) ([]Profile, error) {
	own, err := database.All(ctx, q, func(row database.Scanner) (p Profile, err error) {
		var attributes string
		if err := row.Scan(&p.Kind, &p.Name, &p.Audience, &p.Relation, &p.Size, &attributes); err != nil {
			return p, err
		}
		return p, json.Unmarshal([]byte(attributes), &p.Attributes)
	}, "select kind, name, audience, relation, size, attributes from quota_kind where study_id = $1 order by position, kind", study)
	if err != nil {
		return nil, fmt.Errorf("read kinds: %w", err)
	}
	return append(builtIn(), own...), nil
}

// asked are the attributes that any of the profiles asks for, in order.
func asked(profiles []Profile) []string {
	keys := map[string]bool{}
	for _, p := range profiles {
		for key := range p.Attributes {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// AddKind adds a row to the quotas, without goals. Faults are at the fields name, audience, relation, size and "attribute_"
// with the attribute's key; a row without a condition, or with those of another, is a fault at relation.
func (r *Recruitment) AddKind(ctx context.Context, actor audit.Actor, study id.Study, p Profile) (Kind, error) {
	p.Kind, p.Name = id.New[Kind](), strings.Join(strings.Fields(p.Name), " ")
	p.Attributes = maps.Clone(p.Attributes)
	maps.DeleteFunc(p.Attributes, func(_, value string) bool { return value == "" })
	if err := p.check(); err != nil {
		return "", err
	}
	attributes, err := json.Marshal(p.Attributes)
	if err != nil {
		return "", fmt.Errorf("encode kind: %w", err)
	}
	return p.Kind, r.db.Tx(ctx, func(tx *database.Tx) error {
		if err := turn(ctx, tx, study); err != nil {
			return err
		}
		if err := checkValues(ctx, tx, study, p.Attributes); err != nil {
			return err
		}
		present, err := profiles(ctx, tx, study)
		if err != nil {
			return err
		}
		if err := p.isNew(present); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into quota_kind (study_id, kind, name, audience, relation, size, attributes, position)
			select cast($1 as text), cast($2 as text), cast($3 as text), cast($4 as text), cast($5 as text), cast($6 as text),
			cast($7 as text), coalesce(max(position), 0) + 1 from quota_kind where study_id = $1`,
			study, p.Kind, p.Name, p.Audience, p.Relation, p.Size, string(attributes)); err != nil {
			return fmt.Errorf("add kind: %w", err)
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "quota.kind_added", Study: study, Detail: string(p.Kind)})
	})
}

func (p Profile) check() error {
	var c errs.Check
	c.AtMost("name", p.Name, mostKindName)
	choose := func(name string, ok bool) {
		if !ok {
			c.Add(name, "recruitment.choose")
		}
	}
	choose("audience", p.Audience == "" || slices.Contains(audiences, p.Audience))
	choose("relation", p.Relation == "" || slices.Contains(Relations(), p.Relation))
	choose("size", p.Size == "" || slices.Contains(Groups(), p.Size) || slices.Contains(Sizes(), Size(p.Size)))
	if p.narrow() == 0 {
		c.Add("relation", "recruitment.kind_empty")
	}
	return c.Err()
}

func (p Profile) isNew(present []Profile) error {
	var c errs.Check
	if slices.ContainsFunc(present, p.same) {
		c.Add("relation", "recruitment.kind_twice")
	}
	if len(present) >= len(Kinds())+mostKinds {
		c.Add("relation", "recruitment.many_kinds")
	}
	return c.Err()
}

// RemoveKind takes a row of the study's own out of the quotas, with its goals in every case. Whoever counted there counts
// in another cell from then on, or outside.
func (r *Recruitment) RemoveKind(ctx context.Context, actor audit.Actor, study id.Study, kind Kind) error {
	return r.db.Tx(ctx, func(tx *database.Tx) error {
		if err := turn(ctx, tx, study); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "delete from quota_kind where study_id = $1 and kind = $2", study, kind)
		if err != nil {
			return fmt.Errorf("remove kind: %w", err)
		}
		if n == 0 {
			return ErrKind
		}
		if _, err := tx.Exec(ctx, "delete from quota_cell where study_id = $1 and kind = $2", study, kind); err != nil {
			return fmt.Errorf("remove goals of a kind: %w", err)
		}
		return r.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: "quota.kind_removed", Study: study, Detail: string(kind)})
	})
}
