//go:build wasip1

package component

import (
	"runtime"
	"runtime/debug"
)

// A component must not call the host while the host puts arguments into its memory. That memory is Go's, so a collection can begin
// there, and one that ends there asks for the time of day: the instance traps. Go therefore does not collect by itself; this
// package has it collect at the beginning of a call, when there is enough garbage. It is little: what a heap has grown by
// once stays the instance's, and there may be hundreds of them.
const (
	// callsBetweenLooks is how many calls go by between two looks at the heap, which are dearer than a call.
	callsBetweenLooks = 16
	// garbageMax is by how much the heap may grow until it is collected, in bytes.
	garbageMax = 32 << 10
	// memoryMax is the size, in bytes, from which Go collects by itself after all, for a call that allocates without end.
	memoryMax = 64 << 20
)

var (
	// calls is how many there were.
	calls uint
	// kept is what was left of the heap by the last collection, in bytes.
	kept  uint64
	stats runtime.MemStats
)

func init() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryMax)
}

// Collect collects garbage where there is enough of it. It is called where the host may be called.
func Collect() {
	calls++
	if calls%callsBetweenLooks != 0 {
		return
	}
	runtime.ReadMemStats(&stats)
	if stats.HeapAlloc < kept+garbageMax {
		return
	}
	runtime.GC()
	runtime.ReadMemStats(&stats)
	kept = stats.HeapAlloc
}
