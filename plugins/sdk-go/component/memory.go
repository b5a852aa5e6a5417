//go:build wasip1

package component

import (
	"runtime"
	"runtime/metrics"
	"unsafe"
)

const (
	// arenaBytes is room for what the host hands over during a call, in bytes. What is bigger is allocated.
	arenaBytes = 16 << 10
	// callsBetweenLooks is how many calls go by between two looks at the heap, which are dearer than a call.
	callsBetweenLooks = 16
	// garbageMax is by how much the heap may grow until it is collected, in bytes.
	garbageMax = 128 << 10
	// memoryMax is the size, in bytes, from which Go collects by itself after all, for a call that allocates without end.
	memoryMax = 64 << 20
)

var (
	arena [arenaBytes / 8]uint64
	// used is how many bytes of it are taken, and beside is what did not find room.
	used   uintptr
	beside [][]uint64
	// isRunning says that Go's run-time system is there.
	isRunning bool

	// calls is how many there were, and kept what was left of the heap by the last collection, in bytes.
	calls uint
	kept  uint64
	heap  = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
)

// A component must not call the host while the host puts something into its memory. A collection that Go begins by itself goes on
// whenever there is a call, also in one for memory, and asks for the time of day when it ends: the instance traps. So Go does
// not collect by itself; it is told to at the beginning of a call, when there is enough garbage.
func init() {
	isRunning = true
	setGCPercent(-1)
	setMemoryLimit(memoryMax)
}

// collect collects garbage where there is enough of it.
func collect() {
	calls++
	if calls%callsBetweenLooks != 0 {
		return
	}
	if inUse() < kept+garbageMax {
		return
	}
	runtime.GC()
	kept = inUse()
}

func inUse() uint64 {
	metrics.Read(heap)
	return heap[0].Value.Uint64()
}

// What package runtime/debug calls. That package brings along a file system and all of formatting, whose tables would be in
// every instance.
//
//go:linkname setGCPercent runtime/debug.setGCPercent
func setGCPercent(percent int32) int32

//go:linkname setMemoryLimit runtime/debug.setMemoryLimit
func setMemoryLimit(bytes int64) int64

//go:linkname sbrk runtime.sbrk
func sbrk(size uintptr) unsafe.Pointer

//go:wasmimport wasi_snapshot_preview1 adapter_monotonic_clock_set_paused
func setClockPaused(paused bool)

// realloc is asked by the host for memory to put something into, and by the adapter of system calls before anything runs. What it
// gives to the host is the host's until the call ends.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if oldSize != 0 {
		panic("bench: the host wants memory to grow, which strings and lists do not")
	}
	if !isRunning {
		start := uintptr(sbrk(size + align))
		return unsafe.Pointer((start + align - 1) &^ (align - 1))
	}
	// A word is as much as anything is aligned to.
	words := (size + 7) / 8
	if used+words*8 <= arenaBytes {
		place := unsafe.Add(unsafe.Pointer(&arena), used)
		used += words * 8
		return place
	}
	setClockPaused(true)
	memory := make([]uint64, words)
	beside = append(beside, memory)
	setClockPaused(false)
	return unsafe.Pointer(unsafe.SliceData(memory))
}

// release takes back what the host was given.
func release() {
	used, beside = 0, nil
}

// restore takes back what the host was given for an answer that was read.
func restore(before uintptr) {
	used = before
}

// list is a list or a string in the memory of a component: where it is, and how many items or bytes it has.
type list struct {
	at, length uint32
}

// bytes are those of a list of bytes, which are the host's.
func (list list) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(list.at))), list.length)
}

// listOf is a slice, which must be kept while the list is used: memory in Go does not move.
func listOf[T any](items []T) list {
	return list{uint32(uintptr(unsafe.Pointer(unsafe.SliceData(items)))), uint32(len(items))}
}

func text(words string) list {
	return list{uint32(uintptr(unsafe.Pointer(unsafe.StringData(words)))), uint32(len(words))}
}
