package main

import "bench-host/sdk-go/bench"

// describe returns the descriptor. The driver specifies the scenario, and here are the arms that Go supports.
func describe() bench.Descriptor {
	summary := "Operators in Go, each of which copies what it sees to the next namespace."
	chain := bench.Uses("operator", "chain").InArms(bench.Wasm, bench.Process)
	return bench.NewDescriptor("operator-go", "0.1.0", summary, chain)
}
