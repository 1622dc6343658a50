package handlers

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"example.org/feltbok/consents"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/internal/links"
	"example.org/feltbok/recruitment"
)

// ErrNotJoined is a Conflict: only somebody who has said yes to the interview passes invitations on.
var ErrNotJoined = errs.New(errs.Conflict, "coupons.not_joined")

// coupons are an informant's invitations as they themselves may see them: that they were made, and until when they can be
// used. Whether one was used is on neither side's page, since both are shown to the informant.
type coupons struct {
	Coupons []couponShown
	Left    int // how many more can be made
}

type couponShown struct {
	recruitment.Coupon
	Live bool
	Link string // as pasted; "" when it is over
	QR   qrCode
	Says []pasted // the text to send, the page's own language first
}

// pasted is the text that goes with a link, in one language.
type pasted struct{ ID, Lang, Text string }

// Most is how many coupons anybody gets.
func (c coupons) Most() int { return recruitment.MostCoupons }

// First says that none was made yet: with the first the size of the network is asked.
func (c coupons) First() bool { return len(c.Coupons) == 0 }

func (s *Server) coupons(v *visit, person id.Person) (c coupons, err error) {
	made, err := s.Recruitment.Coupons(v.ctx(), v.study.ID, person)
	if err != nil {
		return c, err
	}
	c.Left = recruitment.MostCoupons - len(made)
	for _, one := range made {
		shown := couponShown{Coupon: one, Live: one.ExpiresAt > v.now().UnixMilli()}
		if shown.Live {
			if err := s.showCoupon(v, &shown); err != nil {
				return c, err
			}
		}
		c.Coupons = append(c.Coupons, shown)
	}
	return c, nil
}

// showCoupon fills in what is sent. The link is the one that was made with the coupon.
func (s *Server) showCoupon(v *visit, c *couponShown) error {
	address, err := s.couponAddress(v.Request.Context(), c.Coupon)
	if err != nil {
		return err
	}
	c.Link = address + "?lang=" + v.text.Lang()
	if c.QR, err = drawQR(c.Link); err != nil {
		return err
	}
	day := time.UnixMilli(c.ExpiresAt).In(v.zone())
	for _, lang := range ownFirst(v.text.Lang()) {
		in := s.languages.Text(lang)
		text := in.T("coupons.says", "Day", in.Date(day, i18n.Plain)) + "\n\n" + address + "?lang=" + lang
		c.Says = append(c.Says, pasted{"says-" + strconv.Itoa(c.Number) + "-" + lang, lang, text})
	}
	return nil
}

// couponAddress is the friend's link.
func (s *Server) couponAddress(ctx context.Context, c recruitment.Coupon) (string, error) {
	link, err := s.Links.Ensure(ctx, c.Study, c.Person, links.Referral, string(c.ID), time.UnixMilli(c.ExpiresAt))
	if err != nil {
		return "", err
	}
	token, err := s.Links.Token(ctx, link)
	return s.BaseURL + folders[links.Referral] + token, err
}

// ownFirst lists the languages, the page's own first.
func ownFirst(own string) []string {
	all := []string{own}
	for _, lang := range i18n.Languages {
		if lang != own {
			all = append(all, lang)
		}
	}
	return all
}

// makeCoupon makes what the form asks for.
func (s *Server) makeCoupon(v *visit, person id.Person) error {
	network, err := v.typedNetwork()
	if show := v.value("show"); show != "yes" && show != "no" {
		err = gatherFaults(err, faultAt(errs.Invalid, "show", "coupons.show"))
	}
	if err != nil {
		return err
	}
	_, err = s.People.MakeCoupon(v.ctx(), v.actor(), v.study.ID, person, v.value("show") == "yes", network)
	return err
}

// typedNetwork reads how many others somebody knows; nothing is that they do not know.
func (v *visit) typedNetwork() (int, error) {
	typed := strings.Join(strings.Fields(v.value("network")), "")
	if typed == "" {
		return recruitment.UnknownNetwork, nil
	}
	n, err := strconv.Atoi(typed)
	if err != nil || n < 0 {
		return 0, faultAt(errs.Invalid, "network", "recruitment.network")
	}
	return n, nil
}

// passPage is where an informant makes invitations and takes them along.
type passPage struct {
	base
	coupons
}

func (p passPage) Show() field { return showName(p.base, "coupons.show") }

// showName asks whether the friend may see whom the invitation came from.
func showName(b base, question string) field {
	return b.Radio("show", []choice{{Value: "yes", Label: b.T(question + ".yes")}, {Value: "no", Label: b.T(question + ".no")}}, "label="+question, "hint=")
}

func (s *Server) myPass(v *visit) error {
	o, err := s.own(v)
	if err != nil {
		return err
	}
	if o.standing(consents.Interview) != consents.Yes {
		return v.seeOther("/my", "")
	}
	p, err := s.passPage(v)
	if err != nil {
		return err
	}
	return v.show("participant/pass", p)
}

func (s *Server) passPage(v *visit) (p passPage, err error) {
	p.base = v.page("coupons.title")
	p.coupons, err = s.coupons(v, v.session.Person)
	p.Status = v.text.T("coupons.left", "N", p.Left, "Most", p.Most())
	return p, err
}

func (s *Server) myPassMake(v *visit) error {
	err := settled(s.makeCoupon(v, v.session.Person))
	switch {
	case errors.Is(err, ErrNotJoined):
		return v.seeOther("/my", "")
	case mendable(err):
		p, failed := s.passPage(v)
		if failed != nil {
			return failed
		}
		p.Form = v.againForm(err)
		return v.again(err, "participant/pass", p)
	case err != nil:
		return err
	}
	return v.seeOther("/my/pass", "coupon_made")
}

// personCouponsPage is the same for the team, to hand over at the end of an interview.
type personCouponsPage struct {
	asking
	coupons
	Person recruitment.Participant
}

func (p personCouponsPage) Show() field { return showName(p.base, "coupons.staff_show") }

func (s *Server) personCoupons(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	p, err := s.personCouponsPage(v, one)
	if err != nil {
		return err
	}
	return v.show("staff/coupons", p)
}

func (s *Server) personCouponsPage(v *visit, one recruitment.Participant) (p personCouponsPage, err error) {
	p = personCouponsPage{asking: asking{v.page("coupons.staff_title", "Code", one.Code)}, Person: one}
	p.Here = "candidates"
	p.coupons, err = s.coupons(v, one.ID)
	return p, err
}

func (s *Server) personCouponsMake(v *visit) error {
	one, err := s.askedPerson(v)
	if err != nil {
		return err
	}
	err = s.makeCoupon(v, one.ID)
	if mendable(err) {
		p, failed := s.personCouponsPage(v, one)
		if failed != nil {
			return failed
		}
		p.Form = v.againForm(err)
		return v.again(err, "staff/coupons", p)
	}
	if err != nil {
		return err
	}
	return v.seeOther(v.onePath(one.ID)+"/coupons", "coupon_made")
}
