// Package heap measures, for tests and benchmarks, how much memory something takes.
package heap

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

const every = 5 * time.Millisecond

// Peak runs fn with a diligent collector, and returns the bytes that were on the heap before, the most that were seen
// meanwhile, and how long it took.
func Peak(fn func()) (before, most uint64, took time.Duration) {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	var seen atomic.Uint64
	look := func() uint64 {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		seen.Store(max(seen.Load(), now.HeapAlloc))
		return now.HeapAlloc
	}
	before = look()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			look()
			select {
			case <-stop:
				return
			case <-time.After(every):
			}
		}
	}()
	began := time.Now()
	fn()
	took = time.Since(began)
	close(stop)
	<-stopped
	return before, seen.Load(), took
}
