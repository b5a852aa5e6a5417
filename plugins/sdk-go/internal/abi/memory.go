//go:build wasip1

package abi

import (
	"runtime"
	"runtime/metrics"
	"unsafe"
)

const (
	// arenaBytes is the size of the memory for data that the host passes during a call, in bytes. Larger data is allocated.
	arenaBytes = 16 << 10
	// callsBetweenLooks is the number of calls between two checks of the heap, which are slower than a call.
	callsBetweenLooks = 16
	// garbageMax is the growth of the heap, in bytes, from which on it is collected.
	garbageMax = 128 << 10
	// memoryMax is the memory size, in bytes, from which on Go collects by itself, for a call that allocates without end.
	memoryMax = 64 << 20
)

var (
	arena [arenaBytes / 8]uint64
	// used is the number of used bytes of the arena, and beside holds data that did not fit.
	used   uintptr
	beside [][]uint64
	// isRunning says that the Go runtime is initialised.
	isRunning bool

	// calls is how many there were, and kept what was left of the heap by the last collection, in bytes.
	calls uint
	kept  uint64
	heap  = []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
)

// A component must not call the host while the host writes into its memory. A collection that Go starts by itself continues in every
// call, also in one for memory, and reads the time of day at its end, which makes the instance trap. So Go does not collect by itself;
// this package starts a collection at the beginning of a call when there is enough garbage.
func init() {
	isRunning = true
	setGCPercent(-1)
	setMemoryLimit(memoryMax)
}

// Collect collects garbage if there is enough of it.
func Collect() {
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

// The functions that package runtime/debug calls. The package itself would add a file system and formatting, whose tables would be in
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

// realloc returns memory to the host for passing data, and to the adapter of system calls before anything runs. The memory belongs to
// the host until the call ends.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if oldSize != 0 {
		panic("bench: the host requested to grow memory, which strings and lists never need")
	}
	if !isRunning {
		start := uintptr(sbrk(size + align))
		return unsafe.Pointer((start + align - 1) &^ (align - 1))
	}
	// The maximum alignment is a word.
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

// Release takes back the memory that the host was given.
func Release() {
	used, beside = 0, nil
}

// Restore takes back the memory that the host was given for an answer, after the answer was read.
func Restore(before uintptr) {
	used = before
}

// List is a list or a string in the memory of a component: its address, and its number of items or bytes.
type List struct {
	at, length uint32
}

// Bytes are those of a list of bytes, which are the host's.
func (list List) Bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(list.at))), list.length)
}

// ListOf returns a slice, which must be kept while the list is used: memory in Go does not move.
func ListOf[T any](items []T) List {
	return List{uint32(uintptr(unsafe.Pointer(unsafe.SliceData(items)))), uint32(len(items))}
}

// Text returns a text, which must be kept while the list is used.
func Text(words string) List {
	return List{uint32(uintptr(unsafe.Pointer(unsafe.StringData(words)))), uint32(len(words))}
}

// Used returns how much memory the host has been given so far in this call, for Restore.
func Used() uintptr {
	return used
}

// ListAt returns the list that a word is: its address in the lower half, and its length in the upper one.
func ListAt(word uint64) List {
	return List{uint32(word), uint32(word >> 32)}
}
