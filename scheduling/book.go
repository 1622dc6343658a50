package scheduling

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/errs"
	"example.org/feltbok/internal/id"
)

// Request asks for an interview.
type Request struct {
	Study        id.Study
	Person       id.Person
	Audience     string
	Mode         Mode
	Start        time.Time
	Language     string       // of the mails: nb, nn, en, or empty where it is not known here
	PersonZone   string       // in which the participant chose, where that is another than the place's
	Where        id.Note      // where to come to, or which number to ring, in the vault
	ByStaff      bool         // staff book any free time; what follows is theirs alone
	Interviewers []id.Account // one or two; empty lets the program choose
	Place        string       // instead of the type's; the study store holds no participant's address
	Zone         string       // instead of the first interviewer's
	FollowUp     bool         // beside an open booking
	Message      id.Note      // what the team writes to the participant, in the vault
}

// purpose is what a person must have agreed to.
const purpose = "interview"

// Book gives a time to a person. Participants (ByStaff false) book for themselves one of the times that Free returns,
// and need a yes to the interview; staff book any time that is free, and are refused only on a no or a restriction.
//
// It returns Invalid with fields "start", "mode", "language", "zone", "person_zone", "place", "where" or "interviewers", ErrOutside, ErrTaken,
// ErrNotAllowed, ErrHasBooking or ErrNobody; and the NotFound of whoever knows the people for somebody who has left.
func (s *Scheduling) Book(ctx context.Context, actor audit.Actor, r Request) (Booking, error) {
	if !r.ByStaff {
		if actor != audit.Participant(r.Person) {
			return Booking{}, ErrNotAllowed
		}
		if err := s.gone(ctx, r.Study, r.Mode, r.Start); err != nil {
			return Booking{}, err
		}
	}
	kind, err := s.TypeOf(ctx, r.Study, r.Audience)
	if err != nil {
		return Booking{}, err
	}
	if err := r.check(kind, s.now()); err != nil {
		return Booking{}, err
	}
	if r.Mode == Email && r.ByStaff {
		r.Start = dueDay(r.Start, r.Zone)
	}
	p, err := s.plan(ctx, kind, "", r.Start, r.Start)
	if err != nil {
		return Booking{}, err
	}
	b := r.booking(kind, actor, s.now())
	from, err := s.who(p, r, b)
	if err != nil {
		return Booking{}, err
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error { return s.book(ctx, tx, kind, &b, from, p, r) })
	if err != nil {
		return Booking{}, err
	}
	return b, nil
}

func (r Request) check(kind Type, now time.Time) error {
	var check errs.Check
	switch start := r.Start.UnixMilli(); {
	case r.Start.IsZero():
		check.Add("start", "required")
	case start%cellLength != 0 || r.Start.Nanosecond() != 0:
		check.Add("start", "scheduling.five")
	case r.ByStaff && r.Start.Before(now):
		check.Add("start", "scheduling.past")
	}
	offered := kind.Modes
	if r.ByStaff {
		offered = Modes
	}
	if !slices.Contains(offered, r.Mode) {
		check.Add("mode", "scheduling.mode")
	}
	if !slices.Contains([]string{"", "nb", "nn", "en"}, r.Language) {
		check.Add("language", "scheduling.language")
	}
	for field, name := range map[string]string{"zone": r.Zone, "person_zone": r.PersonZone} {
		if _, err := zone(name); name != "" && err != nil {
			check.Add(field, "scheduling.zone")
		}
	}
	if r.Mode == Visit && r.Where == "" && !r.ByStaff {
		check.Add("where", "required")
	}
	if r.Mode == Video && r.Place != "" {
		checkRoom(&check, "place", r.Place)
	} else {
		check.AtMost("place", r.Place, mostPlace)
	}
	if len(sorted(r.Interviewers)) > mostInterviewers {
		check.Add("interviewers", "scheduling.interviewers")
	}
	return check.Err()
}

func (r Request) booking(kind Type, actor audit.Actor, now time.Time) Booking {
	b := Booking{
		ID: id.New[id.Booking](), Study: r.Study, Person: r.Person, Audience: r.Audience, Language: r.Language, Mode: r.Mode,
		StartsAt: r.Start.UnixMilli(), Place: kind.where(r.Mode), Where: r.Where, Title: Titles[0], State: Booked, UID: id.New[string](),
		MovedAt: now.UnixMilli(), Version: 1, MadeBy: actor, CreatedAt: now.UnixMilli(), ChangedAt: now.UnixMilli(),
	}
	if r.Mode.Call() {
		b.PersonZone = r.PersonZone
	}
	if r.ByStaff {
		b.FollowUp, b.Zone, b.Place, b.Message = r.FollowUp, r.Zone, cmp.Or(ownRoom(r.Place), b.Place), r.Message
	}
	return b
}

// dueDay is the day of a moment, as its first instant.
func dueDay(at time.Time, zoneName string) time.Time {
	loc, err := zone(zoneName)
	if err != nil {
		loc = at.Location()
	}
	first, _, _ := readings(midnight(at.In(loc)), loc)
	return first
}

// ends finds the end of a booking whose zone is known: in writing that of the day.
func (b *Booking) ends(kind Type) {
	b.EndsAt = b.StartsAt + kind.length()
	if b.Mode == Email {
		start := b.Start()
		next, _, _ := readings(midnight(start).AddDate(0, 0, 1), start.Location())
		b.EndsAt = next.UnixMilli()
	}
}

// cast is from whom a booking takes its interviewers: the first want of the accounts that are free. With a limit on
// interviews in a day, date is the local date of a cell.
type cast struct {
	accounts []id.Account
	want     int
	daily    int
	date     func(account id.Account, cell int64) string
}

// who finds the interviewers to ask. What participants want is checked against what is offered, and refused here where
// it is gone, without waiting for anybody's turn; the transaction looks again.
func (s *Scheduling) who(p *plan, r Request, b Booking) (cast, error) {
	if !r.ByStaff {
		from, err := s.offered(p, b)
		if err == nil && b.Mode != Email && len(p.able(b.StartsAt, (*diary).idle)) < p.kind.Interviewers {
			err = ErrTaken
		}
		return from, err
	}
	if chosen := sorted(r.Interviewers); len(chosen) > 0 {
		return cast{accounts: chosen, want: len(chosen)}, nil
	}
	// Those at work come first, but staff may agree on a time outside everybody's hours.
	everybody := byEase(p.able(b.StartsAt, (*diary).working))
	for _, a := range byEase(p.diaries) {
		if !slices.Contains(everybody, a) {
			everybody = append(everybody, a)
		}
	}
	if len(everybody) < p.kind.Interviewers {
		return cast{}, ErrNobody
	}
	return cast{accounts: everybody, want: p.kind.Interviewers}, nil
}

// gone returns ErrTaken where every interviewer of the study is booked at a start. After a mail-out most requests for a
// popular time end here, at the price of one query.
func (s *Scheduling) gone(ctx context.Context, study id.Study, mode Mode, start time.Time) error {
	if mode == Email {
		return nil
	}
	var all, busy int
	err := s.db.QueryRow(ctx, `select count(*), count(c.account_id) from interviewer i
		left join booking_cell c on c.account_id = i.account_id and c.cell = $2
		where i.study_id = $1`, study, start.UnixMilli()/cellLength).Scan(&all, &busy)
	if err != nil {
		return fmt.Errorf("ask who is free: %w", err)
	}
	if all > 0 && busy == all {
		return ErrTaken
	}
	return nil
}

// offered returns the interviewers who offer a time, booked or not. ErrOutside: it is none of those that Free returns or
// returned.
func (s *Scheduling) offered(p *plan, b Booking) (cast, error) {
	start := time.UnixMilli(b.StartsAt)
	from, to := p.kind.offers(s.now(), start, start.Add(time.Millisecond))
	able, onGrid := p.able(b.StartsAt, (*diary).working), p.starts[b.StartsAt]
	if b.Mode == Email {
		loc, err := zone(b.Zone)
		if err != nil {
			loc = nil // a new one has none yet
		}
		able, onGrid = p.diaries, len(p.dueDays(loc, start, to)) > 0
	}
	if !onGrid || from.After(start) || !start.Before(to) || len(able) < p.kind.Interviewers {
		return cast{}, ErrOutside
	}
	all := cast{accounts: byEase(able), want: p.kind.Interviewers, daily: p.kind.DailyMost}
	if all.daily > 0 && b.Mode != Email {
		all.date = p.date
	}
	return all, nil
}

// date is the local date of a cell where an interviewer is.
func (p *plan) date(account id.Account, cell int64) string {
	i := slices.IndexFunc(p.diaries, func(d *diary) bool { return d.Account == account })
	return p.diaries[i].date(cell * cellLength)
}

// byEase puts whoever has the emptier day first.
func byEase(diaries []*diary) []id.Account {
	var accounts []id.Account
	for _, d := range slices.SortedStableFunc(slices.Values(diaries), func(a, b *diary) int { return len(a.taken) - len(b.taken) }) {
		accounts = append(accounts, d.Account)
	}
	return accounts
}

func (s *Scheduling) book(ctx context.Context, tx *database.Tx, kind Type, b *Booking, from cast, p *plan, r Request) error {
	if err := s.admit(ctx, tx, b.Study, b.Person, r.ByStaff); err != nil {
		return err
	}
	first, after := kind.cells(b.StartsAt, b.StartsAt+kind.length())
	if err := seat(ctx, tx, b, from, first, after); err != nil {
		return err
	}
	if b.Zone == "" {
		if b.Zone = p.zoneOf(*b); b.Zone == "" {
			return &errs.Error{Kind: errs.Invalid, Code: "invalid", Fields: []errs.Field{{Name: "zone", Code: "required"}}}
		}
	}
	b.ends(kind)
	if b.PersonZone == b.Zone {
		b.PersonZone = ""
	}
	if err := insert(ctx, tx, *b); err != nil {
		return err
	}
	if err := take(ctx, tx, *b, first, after); err != nil {
		return err
	}
	if err := s.advance(ctx, tx, b.Study, b.Person, "booked", b.MadeBy); err != nil {
		return fmt.Errorf("advance person: %w", err)
	}
	if err := s.tell(ctx, tx, MailConfirmed, *b); err != nil {
		return err
	}
	if err := s.remind(ctx, tx, kind, *b); err != nil {
		return err
	}
	return s.note(ctx, tx, b.MadeBy, "booking.made", *b)
}

// admit holds the person's place in the study, asks the gate, which holds their consent until the end of the transaction,
// and then waits for the person's turn. A withdrawal does the same in the same order: so it either is seen here or, in
// CancelAllTx, sees the booking, and the two never wait for each other.
func (s *Scheduling) admit(ctx context.Context, tx *database.Tx, study id.Study, person id.Person, byStaff bool) error {
	if err := s.present(ctx, tx, study, person); err != nil {
		return err
	}
	ask := s.gate.May
	if byStaff {
		ask = s.gate.MayBeforeYes
	}
	err := ask(ctx, tx, study, person, purpose)
	if errs.KindOf(err) == errs.Forbidden {
		return errs.Wrap(err, ErrNotAllowed.Kind, ErrNotAllowed.Code)
	}
	if err != nil {
		return fmt.Errorf("ask for consent: %w", err)
	}
	return personTurn(ctx, tx, study, person)
}

func personTurn(ctx context.Context, tx *database.Tx, study id.Study, person id.Person) error {
	_, err := tx.Exec(ctx, `insert into person_turn (person_id, study_id, turn) values ($1, $2, 1)
		on conflict (person_id) do update set turn = person_turn.turn + 1`, person, study)
	if err != nil {
		return fmt.Errorf("take person's turn: %w", err)
	}
	return nil
}

// seat gives the booking its interviewers, once it is their turn. In writing nobody need be free.
func seat(ctx context.Context, tx *database.Tx, b *Booking, from cast, first, after int64) (err error) {
	if b.Mode == Email {
		b.Interviewers = sorted(from.accounts[:from.want])
		return nil
	}
	if err := takeTurn(ctx, tx, from.accounts); err != nil {
		return err
	}
	b.Interviewers, err = pick(ctx, tx, from, b.ID, first, after)
	return err
}

// zoneOf returns the zone of a booking's first interviewer who has a week here, empty if none has. Due days are those of the first
// interviewer of all.
func (p *plan) zoneOf(b Booking) string {
	for _, d := range p.diaries {
		if b.Mode == Email || slices.Contains(b.Interviewers, d.Account) {
			return d.Zone
		}
	}
	return ""
}

func (s *Scheduling) note(ctx context.Context, tx *database.Tx, actor audit.Actor, action string, b Booking) error {
	return s.log.Append(ctx, tx, audit.Entry{Actor: actor, Action: action, Study: b.Study, Person: b.Person, Detail: string(b.ID)})
}
