package handlers

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"example.org/feltbok/internal/auth"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/mail"
	"example.org/feltbok/studies"
)

// teamPage is who works on a study. The names here are those of staff.
type teamPage struct {
	subject
	Members []teammate
	Link    string // to hand over oneself, where no mail goes out
	For     string // whom the link is for
}

type teammate struct {
	auth.Account
	Role studies.Role
	Self bool
}

var roles = []studies.Role{studies.Owner, studies.Researcher, studies.Supervisor, studies.Officer}

// Roles are those to choose from, with what each may do.
func (p teamPage) Roles() []choice {
	var values []string
	for _, role := range roles {
		values = append(values, string(role))
	}
	return p.worded("team.role", values...)
}

func (s *Server) teamPageOf(v *visit) (teamPage, error) {
	p := teamPage{subject: v.subject("team", "team.title")}
	p.Here = "settings"
	members, err := s.Studies.Members(v.ctx(), v.study.ID)
	if err != nil {
		return p, err
	}
	ids := make([]id.Account, len(members))
	for i, m := range members {
		ids[i] = m.Account
	}
	accounts, err := s.Auth.Accounts(v.ctx(), ids...)
	for _, m := range members {
		p.Members = append(p.Members, teammate{accounts[m.Account], m.Role, m.Account == v.session.Account})
	}
	slices.SortFunc(p.Members, func(a, b teammate) int {
		return cmp.Or(cmp.Compare(slices.Index(roles, a.Role), slices.Index(roles, b.Role)), strings.Compare(a.Name, b.Name))
	})
	return p, err
}

func (s *Server) teamList(v *visit) error {
	p, err := s.teamPageOf(v)
	if err != nil {
		return err
	}
	return v.show("staff/team", p)
}

func (s *Server) teamAgain(v *visit, refused error) error {
	p, err := s.teamPageOf(v)
	if err != nil {
		return err
	}
	p.Form = v.refused("team", refused)
	return v.again(refused, "staff/team", p)
}

// teamAdd takes a colleague into the study or gives them another role.
func (s *Server) teamAdd(v *visit) error {
	err := v.chosen("role", teamPage{subject: v.subject("team", "team.title")}.Roles())
	if err != nil {
		// The rest is looked at too, so that everything is heard at once.
		err = gatherFaults(auth.CheckInvited(v.value("email"), v.value("name"), v.value("language")), err)
		return s.teamAgain(v, err)
	}
	account, err := s.Auth.Invite(v.ctx(), v.actor(), v.value("email"), v.value("name"), v.value("language"))
	if err == nil {
		err = s.Studies.SetMember(v.ctx(), v.actor(), v.study.ID, account, studies.Role(v.value("role")))
	}
	if mendable(err) {
		return s.teamAgain(v, err)
	}
	if err != nil {
		return err
	}
	if s.MailWaits {
		return s.handOver(v, account)
	}
	if err := s.Outbox.Send(v.ctx(), mail.Mail{Study: v.study.ID, Account: account, Kind: MailInvite}); err != nil {
		return err
	}
	return v.seeOther(v.studyPath("/team"), "team_invited")
}

// handOver shows a colleague's link to whoever invited them: without a mail server there is no other way.
func (s *Server) handOver(v *visit, account id.Account) error {
	p, err := s.teamPageOf(v)
	if err != nil {
		return err
	}
	invited, err := s.Auth.Account(v.ctx(), account)
	if err != nil {
		return err
	}
	if invited.Accepted {
		return v.seeOther(v.studyPath("/team"), "team_set")
	}
	token, err := s.Auth.NewLink(v.ctx(), auth.Invite, account, inviteLifetime)
	if err != nil {
		return err
	}
	p.Link, p.For = s.BaseURL+"/invite/"+token, cmp.Or(invited.Name, invited.Email)
	return v.show("staff/team", p)
}

func (s *Server) teamRemove(v *visit) error {
	account := id.Account(v.value("account"))
	err := s.Studies.RemoveMember(v.ctx(), v.actor(), v.study.ID, account)
	if mendable(err) {
		return s.teamAgain(v, err)
	}
	if err != nil {
		return err
	}
	if err := s.Scheduling.Leave(v.ctx(), v.actor(), v.study.ID, account); err != nil && errs.KindOf(err) != errs.NotFound {
		return err
	}
	if account == v.session.Account {
		return v.seeOther("/studies", "team_left")
	}
	return v.seeOther(v.studyPath("/team"), "team_removed")
}

// accountNames are what members of the team are called: by their address until they have a name.
func (s *Server) accountNames(ctx context.Context, ids ...id.Account) (map[id.Account]string, error) {
	accounts, err := s.Auth.Accounts(ctx, ids...)
	names := make(map[id.Account]string, len(accounts))
	for account, a := range accounts {
		names[account] = cmp.Or(a.Name, a.Email)
	}
	return names, err
}
