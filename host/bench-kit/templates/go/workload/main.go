// What is measured, and how its result is checked.
package main

import (
	"bench-host/sdk-go/bench"
	"bench-host/sdk-go/workload"
)

func describe() bench.Descriptor {
	n := bench.NewParameter("n", 4096, "How many numbers").In(bench.Count).Between(1, 1<<20)
	sum := bench.NewWorkload("sum", "example", "Adds numbers that lie in memory.").WithParameters(n)
	// The column `limit` then says how far it is from what the machine can read.
	sum.Limit = "memory-read"
	return bench.NewDescriptor("{{name}}", "0.1.0", "Adds numbers.", sum)
}

// open prepares everything that is not to be timed.
func open(_ string, arguments bench.Values, _ bench.Host) (bench.Session, error) {
	n, err := arguments.Integer("n")
	if err != nil {
		return nil, err
	}
	numbers := make([]uint64, n)
	for index := range numbers {
		numbers[index] = uint64(index) + 1
	}
	return &sum{numbers: numbers}, nil
}

type sum struct {
	numbers []uint64
	found   uint64
}

// Iterate is timed: `times` operations and nothing else.
func (sum *sum) Iterate(times uint64) (bench.Outcome, error) {
	for range times {
		sum.found = add(sum.numbers)
	}
	bytes := times * uint64(len(sum.numbers)) * 8
	return bench.Outcome{Operations: times, Bytes: bytes, Checksum: sum.found}, nil
}

// add is not inlined, so that the compiler cannot compute one sum for all operations.
//
//go:noinline
func add(numbers []uint64) (total uint64) {
	for _, number := range numbers {
		total += number
	}
	return total
}

// Verify compares the result with one that was found in another way. A figure counts only if this passes.
func (sum *sum) Verify() ([]bench.Check, error) {
	n := uint64(len(sum.numbers))
	return []bench.Check{bench.Equal("sum", n*(n+1)/2, sum.found)}, nil
}

func init() { workload.Export(describe, open) }

func main() {}
