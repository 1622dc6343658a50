package handlers

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"example.org/feltbok/internal/errs"

	"golang.org/x/time/rate"
)

// limiter slows down whoever tries many links or forms without a session. It knows addresses by a keyed hash made with
// a key of this process, and forgets them.
type limiter struct {
	mu      sync.Mutex
	now     func() time.Time
	key     []byte
	buckets map[[sha256.Size]byte]*bucket
}

type bucket struct {
	rate *rate.Limiter
	seen time.Time
}

const (
	perSecond   = 10 // requests without a session from one address
	burst       = 100
	idleBuckets = 10 * time.Minute
	manyBuckets = 10_000
)

func newLimiter(now func() time.Time) *limiter {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return &limiter{now: now, key: key, buckets: map[[sha256.Size]byte]*bucket{}}
}

func (l *limiter) allow(address string) bool {
	h := hmac.New(sha256.New, l.key)
	h.Write([]byte(address))
	who, now := [sha256.Size]byte(h.Sum(nil)), l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[who]
	if b == nil {
		l.sweep(now)
		b = &bucket{rate: rate.NewLimiter(perSecond, burst)}
		l.buckets[who] = b
	}
	b.seen = now
	return b.rate.AllowN(now, 1)
}

// sweep keeps the table small under a flood of addresses.
func (l *limiter) sweep(now time.Time) {
	if len(l.buckets) < manyBuckets {
		return
	}
	for who, b := range l.buckets {
		if now.Sub(b.seen) > idleBuckets {
			delete(l.buckets, who)
		}
	}
}

var errTooFast = errs.New(errs.TooMany, "too_fast")

// throttle bounds what can be tried without a session.
func (s *Server) throttle(v *visit, rule access) error {
	if s.Unlimited || !rule.public || s.limits.allow(v.ClientIP()) {
		return nil
	}
	return errTooFast
}
