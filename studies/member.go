package studies

import (
	"context"
	"errors"
	"fmt"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Role is what a member of the team may do. What that means for each page stands beside its route.
type Role string

const (
	Owner      Role = "owner"      // everything, and the team
	Researcher Role = "researcher" // everything but the team
	Supervisor Role = "supervisor" // progress and findings; never a name
	Officer    Role = "officer"    // data protection: what was shown, seen and deleted; never a name, never an answer
)

// Member is one account of the team.
type Member struct {
	Account id.Account
	Role    Role
}

// SetMember adds an account to the team or changes its role. The last owner keeps theirs: ErrLastOwner.
func (st *Studies) SetMember(ctx context.Context, actor audit.Actor, study id.Study, account id.Account, role Role) error {
	var check errs.Check
	switch role {
	case Owner, Researcher, Supervisor, Officer:
	default:
		check.Add("role", "studies.choose")
	}
	if err := check.Err(); err != nil {
		return err
	}
	err := st.changeTeam(ctx, study, func(tx *database.Tx) error {
		return setMember(ctx, tx, study, account, role)
	}, audit.Entry{Actor: actor, Action: "study.member_set", Study: study, Detail: string(account) + " " + string(role)})
	if err != nil {
		return fmt.Errorf("set member: %w", err)
	}
	return nil
}

// RemoveMember takes an account off the team. The last owner stays: ErrLastOwner. Somebody who is no member is
// ErrUnknown.
func (st *Studies) RemoveMember(ctx context.Context, actor audit.Actor, study id.Study, account id.Account) error {
	err := st.changeTeam(ctx, study, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "delete from member where study_id = $1 and account_id = $2", study, account)
		if err == nil && n == 0 {
			return ErrUnknown
		}
		return err
	}, audit.Entry{Actor: actor, Action: "study.member_removed", Study: study, Detail: string(account)})
	if err != nil {
		return fmt.Errorf("remove member: %w", err)
	}
	return nil
}

// changeTeam makes a change and undoes it where no owner is left. Changes to one study's team take turns: otherwise two
// owners could each take the role from the other.
func (st *Studies) changeTeam(ctx context.Context, study id.Study, change func(*database.Tx) error, entry audit.Entry) error {
	return st.db.Tx(ctx, func(tx *database.Tx) error {
		if err := lock(ctx, tx, study); err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		var owned bool
		err := tx.QueryRow(ctx, "select exists (select 1 from member where study_id = $1 and role = $2)", study, Owner).Scan(&owned)
		if err != nil {
			return err
		}
		if !owned {
			return ErrLastOwner
		}
		return st.log.Append(ctx, tx, entry)
	})
}

func setMember(ctx context.Context, tx *database.Tx, study id.Study, account id.Account, role Role) error {
	_, err := tx.Exec(ctx, `insert into member (study_id, account_id, role) values ($1, $2, $3)
		on conflict (study_id, account_id) do update set role = excluded.role`, study, account, role)
	return err
}

// Members returns a study's team; empty for a study that does not exist.
func (st *Studies) Members(ctx context.Context, study id.Study) ([]Member, error) {
	return database.All(ctx, st.db, func(row database.Scanner) (m Member, err error) {
		err = row.Scan(&m.Account, &m.Role)
		return m, err
	}, "select account_id, role from member where study_id = $1 order by account_id", study)
}

// RoleOf returns an account's role in a study. Somebody who is no member hears ErrUnknown, as of a study that does not
// exist.
func (st *Studies) RoleOf(ctx context.Context, study id.Study, account id.Account) (role Role, err error) {
	err = st.db.QueryRow(ctx, "select role from member where study_id = $1 and account_id = $2", study, account).Scan(&role)
	if errors.Is(err, database.ErrNoRows) {
		return "", ErrUnknown
	}
	return role, err
}

// Owners lists whoever owns a study that is not closed, each once.
func (st *Studies) Owners(ctx context.Context) ([]id.Account, error) {
	return database.Values[id.Account](ctx, st.db, "select distinct account_id from member join study on study_id = id where role = $1 and closed_at = 0 order by account_id", Owner)
}
