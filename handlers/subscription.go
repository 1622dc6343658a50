package handlers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"example.org/feltbok/internal/i18n"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"
	"example.org/feltbok/studies"
)

// feedFolder is where calendar programs read, and feedEnding what the address ends in: some ask for it.
const (
	feedFolder = "/calendar/"
	feedEnding = ".ics"
	feedBack   = 60 // days of appointments that are over
)

// secretAddress is the address of one's own feed, shown once.
type secretAddress struct {
	Address string
	Program template.URL // the same, for the program that a browser opens calendars with
}

// subscriptionMake makes the address, or another one in its place. It answers with the page itself: a redirect would need the
// secret in its address.
func (s *Server) subscriptionMake(v *visit) error {
	token, err := s.Scheduling.Subscribe(v.ctx(), v.actor(), v.session.Account)
	if err != nil {
		return err
	}
	p, err := s.availabilityPage(v)
	if err != nil {
		return err
	}
	address := s.BaseURL + feedFolder + token + feedEnding
	_, rest, _ := strings.Cut(address, "://")
	p.Secret = &secretAddress{address, template.URL("webcal://" + rest)} // of our own making: the operator's host and a token
	return v.show("staff/availability", p)
}

func (s *Server) subscriptionEnd(v *visit) error {
	err := s.Scheduling.Unsubscribe(v.ctx(), v.actor(), v.session.Account)
	if err != nil && !errors.Is(err, scheduling.ErrNotFound) {
		return err
	}
	return v.seeOther(v.studyPath("/availability"), "subscription_ended")
}

// feed answers a calendar program. It has no session: the secret in its address says whose appointments it gets, and what is no
// secret (any more) answers like any address that leads nowhere.
func (s *Server) feed(v *visit) error {
	token, whole := strings.CutSuffix(v.Param("token"), feedEnding)
	if !whole {
		return errNoPage
	}
	account, err := s.Scheduling.Subscriber(v.ctx(), token)
	if errors.Is(err, scheduling.ErrNotFound) {
		return errNoPage
	}
	if err != nil {
		return err
	}
	text, err := s.feedOf(v, account)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	v.Header("Content-Type", "text/calendar; charset=utf-8")
	v.Header("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	http.ServeContent(v.Writer, v.Request, "", time.Time{}, bytes.NewReader(text)) // 304 where the program has these bytes
	return nil
}

// feedOf writes an account's appointments in every open study whose team it is in, by code.
func (s *Server) feedOf(v *visit, account id.Account) ([]byte, error) {
	mine, err := s.Studies.List(v.ctx(), account)
	if err != nil {
		return nil, err
	}
	var open []id.Study
	for _, m := range mine {
		if m.ClosedAt == 0 && (m.Role == studies.Owner || m.Role == studies.Researcher) {
			open = append(open, m.ID)
		}
	}
	agenda, err := s.Scheduling.Agenda(v.ctx(), account, open, v.now().AddDate(0, 0, -feedBack))
	if err != nil {
		return nil, err
	}
	codes, err := s.Recruitment.CodesIn(v.ctx(), open, personsOf(agenda))
	if err != nil {
		return nil, err
	}
	reader, err := s.Auth.Account(v.ctx(), account)
	if err != nil {
		return nil, err
	}
	text := s.languages.Text(reader.Language)
	return scheduling.Feed(text.T("feed.name"), agenda, func(b scheduling.Booking) scheduling.Copy { return s.feedCopy(text, b, codes[b.Person]) })
}

// feedCopy is what a feed says of one appointment: who by code, how, the team's own room or link, and where to read more, which
// takes signing in.
func (s *Server) feedCopy(text i18n.Text, b scheduling.Booking, code string) scheduling.Copy {
	return scheduling.Copy{Summary: text.T("mail.calendar.staff", "Code", code, "Way", text.T("mail.booking.way."+string(b.Mode))),
		Description: s.BaseURL + "/studies/" + string(b.Study) + "/bookings/" + string(b.ID), Location: b.Place, Sequence: b.Sequence}
}
