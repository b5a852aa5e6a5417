// Package abi has what all components share of the canonical ABI: the memory that is passed to and from the host, and the descriptor.
//
// It is written by hand because generated bindings allocate several times per call, and a Go heap that has once grown stays as large. The
// encoder of the component checks the signatures against the WIT.
package abi

import "bench-host/sdk-go/bench"

// Describe returns the descriptor of the module.
var Describe func() bench.Descriptor
