package scheduling_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/feltbok/internal/audit"
	"example.org/feltbok/internal/database"
	"example.org/feltbok/internal/id"
	"example.org/feltbok/scheduling"

	"github.com/anishathalye/porcupine"
)

// times returns the first n times offered in the week's hours of 9 to 13, from Tuesday on.
func times(n int) []time.Time {
	var all []time.Time
	for day := at("2019-04-02T09:00"); len(all) < n; day = day.AddDate(0, 0, 1) {
		for hour := 0; hour < 4 && len(all) < n && day.Weekday() != time.Saturday && day.Weekday() != time.Sunday; hour++ {
			all = append(all, day.Add(time.Duration(hour)*time.Hour))
		}
	}
	return all
}

// size is a promise's figure on every change, or at full size where FELTBOK_TEST_FULL is set.
func size(everyChange, full int) int {
	if os.Getenv("FELTBOK_TEST_FULL") != "" {
		return full
	}
	return everyChange
}

// Promise 4: a time is never given twice.
func TestCrowd(t *testing.T) {
	const clients, slots, interviewers = 50, 20, 3
	attempts := int64(size(1_000, 10_000))
	each(t, func(t *testing.T, w *world) {
		w.offer(t, func(k *scheduling.Type) { k.BufferAfter, k.Grid, k.Minutes = 15, 60, 45 })
		for i := range interviewers {
			w.week(t, id.Account(fmt.Sprint("interviewer", i)), workdays(9, 13)...)
		}
		var given, refused, next atomic.Int64
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				for n := next.Add(1); n <= attempts; n = next.Add(1) {
					switch _, err := w.own(t.Context(), person(), times(slots)[n%slots]); {
					case err == nil:
						given.Add(1)
					case errors.Is(err, scheduling.ErrTaken):
						refused.Add(1)
					default:
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if given.Load() != slots*interviewers || refused.Load() != attempts-slots*interviewers {
			t.Errorf("%d given, %d refused of %d", given.Load(), refused.Load(), attempts)
		}
		if n := w.count(t, "select count(*) from booking"); n != slots*interviewers {
			t.Errorf("%d bookings, want %d", n, slots*interviewers)
		}
		// 45 minutes and 15 after them are 12 cells.
		if n := w.count(t, "select count(*) from booking_cell"); n != slots*interviewers*12 {
			t.Errorf("%d cells", n)
		}
		slots, err := w.Nearest(t.Context(), w.search(""), times(1)[0], 3)
		if err != nil || len(slots) != 3 {
			t.Errorf("alternatives: %v, %v", slots, err)
		}
	})
}

// Staff overlap in every way that five-minute starts allow, with pairs taken in either order.
func TestOverlappingCrowd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 13)...)
		w.week(t, "bo", workdays(9, 13)...)
		pairs := [][]id.Account{{"ada"}, {"bo"}, {"ada", "bo"}, {"bo", "ada"}}
		var wg sync.WaitGroup
		for i := range 120 {
			wg.Go(func() {
				start := at("2019-04-02T09:00").Add(time.Duration(rand.IntN(48)) * 5 * time.Minute)
				if _, err := w.byStaff(t.Context(), person(), start, pairs[i%len(pairs)]...); err != nil && !errors.Is(err, scheduling.ErrTaken) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		all, err := w.All(t.Context(), w.study)
		if err != nil {
			t.Fatal(err)
		}
		until := map[id.Account]int64{}
		for _, b := range all { // by time
			for _, a := range b.Interviewers {
				if b.StartsAt < until[a] {
					t.Errorf("%s is booked twice at %v", a, b.Start())
				}
				until[a] = b.EndsAt
			}
		}
	})
}

// One person clicking in many windows has one booking.
func TestOnePersonManyWindows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 13)...)
		var given atomic.Int64
		var wg sync.WaitGroup
		for _, start := range times(20) {
			wg.Go(func() {
				_, err := w.own(t.Context(), p, start)
				if err == nil {
					given.Add(1)
				} else if !errors.Is(err, scheduling.ErrHasBooking) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if given.Load() != 1 {
			t.Errorf("%d bookings", given.Load())
		}
	})
}

// A withdrawal that begins after the gate said yes and before the booking is committed leaves none open.
func TestWithdrawalBesideABooking(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p, withdrawn := person(), make(chan error, 1)
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 13)...)
		w.asked = func() {
			go func() {
				withdrawn <- w.db.Tx(t.Context(), func(tx *database.Tx) error { return w.CancelAllTx(t.Context(), tx, audit.Participant(p), w.study, p) })
			}()
			select {
			case err := <-withdrawn:
				t.Errorf("the withdrawal did not wait (%v)", err)
				withdrawn <- err
			case <-time.After(100 * time.Millisecond): // it waits for the person's turn
			}
		}
		w.mustOwn(t, p, "2019-04-02T09:00")
		if err := <-withdrawn; err != nil {
			t.Fatal(err)
		}
		if n := w.count(t, "select (select count(*) from booking where state = 'booked') + (select count(*) from booking_cell)"); n != 0 {
			t.Errorf("%d rows of a person who withdrew", n)
		}
	})
}

// Whoever cancels in one window and books the very time to which the other window moves the old booking hears that it is
// cancelled, not that somebody took the time.
func TestMoveOfABookingCancelledMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := person()
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 13)...)
		b := w.mustOwn(t, p, "2019-04-11T10:00")
		w.looked = func() {
			w.looked = nil
			if err := w.Cancel(t.Context(), audit.Participant(p), w.study, b.ID, 0, "", false); err != nil {
				t.Error(err)
			}
			w.mustOwn(t, p, "2019-04-11T11:00")
		}
		_, err := w.Change(t.Context(), audit.Participant(p), w.study, b.ID, scheduling.Change{Start: at("2019-04-11T11:00")}, false)
		is(t, "move", err, scheduling.ErrNotOpen)
	})
}

// step is one operation of the random history, on one lane: a few people who share a few times.
type step struct {
	lane, person, slot int
	op                 string     // book, move, cancel
	booking            id.Booking // for move and cancel
}

type result struct {
	err     error
	booking id.Booking
}

const seats = 2 // interviewers

// held is the model's state: for each person the open booking and its time. It is never changed in place.
type held map[int]struct {
	booking id.Booking
	slot    int
}

func (h held) full(slot, but int) bool {
	n := 0
	for p, b := range h {
		if b.slot == slot && p != but {
			n++
		}
	}
	return n == seats
}

// calendar is what booking, moving and cancelling mean.
var calendar = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		lanes := map[int][]porcupine.Operation{}
		for _, op := range history {
			lane := op.Input.(step).lane
			lanes[lane] = append(lanes[lane], op)
		}
		var all [][]porcupine.Operation
		for _, lane := range lanes {
			all = append(all, lane)
		}
		return all
	},
	Init:  func() any { return held{} },
	Equal: func(a, b any) bool { return maps.Equal(a.(held), b.(held)) },
	Step: func(state, input, output any) (bool, any) {
		h, in, out := state.(held), input.(step), output.(result)
		own, has := h[in.person]
		open := has && own.booking == in.booking
		next := maps.Clone(h)
		switch {
		case errors.Is(out.err, scheduling.ErrHasBooking):
			return in.op == "book" && has, h
		case errors.Is(out.err, scheduling.ErrNotOpen):
			return in.op != "book" && !open, h
		case errors.Is(out.err, scheduling.ErrTaken):
			return in.op == "book" && h.full(in.slot, -1) || in.op == "move" && h.full(in.slot, in.person), h
		case out.err != nil:
			return false, h
		case in.op == "cancel":
			delete(next, in.person)
			return open, next
		case in.op == "book" && (has || h.full(in.slot, -1)), in.op == "move" && (!open || h.full(in.slot, in.person)):
			return false, h
		}
		next[in.person] = struct {
			booking id.Booking
			slot    int
		}{out.booking, in.slot}
		return true, next
	},
}

// Promise 4: every history of booking, moving and cancelling is one that a single clerk with one book could have made.
func TestHistoryIsLinearizable(t *testing.T) {
	const clients, lanes, slotsPerLane, peoplePerLane = 32, 10, 3, 8
	operations := int64(size(2_000, 100_000))
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		for i := range seats {
			w.week(t, id.Account(fmt.Sprint("interviewer", i)), workdays(9, 13)...)
		}
		offered := times(lanes * slotsPerLane)
		var people [lanes][peoplePerLane]id.Person
		var latest [lanes][peoplePerLane]atomic.Value // the last booking that this person is known to have got
		for l := range lanes {
			for p := range peoplePerLane {
				people[l][p] = person()
				latest[l][p].Store(id.Booking(""))
			}
		}
		var mu sync.Mutex
		var history []porcupine.Operation
		var next atomic.Int64
		var wg sync.WaitGroup
		began := time.Now() // intervals from here are monotonic, whatever happens to the machine's clock
		for c := range clients {
			random := rand.New(rand.NewPCG(uint64(c), 1))
			wg.Go(func() {
				for next.Add(1) <= operations {
					in := step{lane: random.IntN(lanes), person: random.IntN(peoplePerLane), slot: random.IntN(slotsPerLane)}
					in.booking = latest[in.lane][in.person].Load().(id.Booking)
					if in.op = []string{"book", "move", "cancel"}[random.IntN(3)]; in.booking == "" {
						in.op = "book"
					}
					call := int64(time.Since(began))
					out := w.do(t.Context(), in, people[in.lane][in.person], offered[in.lane*slotsPerLane+in.slot])
					op := porcupine.Operation{ClientId: c, Input: in, Call: call, Output: out, Return: int64(time.Since(began))}
					if in.op == "book" && out.err == nil {
						latest[in.lane][in.person].Store(out.booking)
					}
					mu.Lock()
					history = append(history, op)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		outcomes := map[string]int{}
		for _, op := range history {
			outcomes[fmt.Sprint(op.Input.(step).op, " ", op.Output.(result).err)]++
		}
		t.Log(outcomes)
		if got := porcupine.CheckOperationsTimeout(calendar, history, 5*time.Minute); got != porcupine.Ok {
			t.Errorf("history of %d operations: %s", len(history), got)
		}
	})
}

// do is what somebody does who looks again where the appointment was changed meanwhile.
func (w *world) do(ctx context.Context, in step, p id.Person, start time.Time) result {
	r := w.once(ctx, in, p, start)
	for errors.Is(r.err, scheduling.ErrChanged) {
		r = w.once(ctx, in, p, start)
	}
	return r
}

func (w *world) once(ctx context.Context, in step, p id.Person, start time.Time) result {
	var b scheduling.Booking
	var err error
	switch in.op {
	case "book":
		b, err = w.own(ctx, p, start)
	case "move":
		b, err = w.Change(ctx, audit.Participant(p), w.study, in.booking, scheduling.Change{Start: start}, false)
	case "cancel":
		err = w.Cancel(ctx, audit.Participant(p), w.study, in.booking, 0, "", false)
	}
	return result{err, b.ID}
}

// Of many who change what they all saw, one does; the others are told.
func TestOneOfManyChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.offer(t, nil)
		w.week(t, "ada", workdays(9, 13)...)
		b := w.mustOwn(t, person(), "2019-04-11T09:00")
		var changed, told atomic.Int64
		var wg sync.WaitGroup
		for _, start := range times(16) {
			wg.Go(func() {
				switch _, err := w.Change(t.Context(), staff, w.study, b.ID, scheduling.Change{Start: start, Seen: b.Version}, true); {
				case err == nil:
					changed.Add(1)
				case errors.Is(err, scheduling.ErrChanged):
					told.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if changed.Load() != 1 || told.Load() != 15 {
			t.Errorf("%d changed, %d told", changed.Load(), told.Load())
		}
	})
}

// The last place of a day is taken once, whatever the hour.
func TestCrowdOnAFullDay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const most = 2
		w.offer(t, func(k *scheduling.Type) { k.DailyMost = most })
		w.week(t, "ada", workdays(8, 24)...)
		var given atomic.Int64
		var wg sync.WaitGroup
		for hour := range 16 {
			wg.Go(func() {
				switch _, err := w.own(t.Context(), person(), at("2019-04-11T08:00").Add(time.Duration(hour)*time.Hour)); {
				case err == nil:
					given.Add(1)
				case !errors.Is(err, scheduling.ErrTaken):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if given.Load() != most {
			t.Errorf("%d given, want %d", given.Load(), most)
		}
	})
}
