// Package component implements the canonical ABI of `operator.wit` (in this folder) for plug-ins that are components.
//
// It is written by hand because generated bindings allocate several times per event, and a Go heap that has once grown or was once
// collected stays as large: hundreds of kilobytes for each of hundreds of operators. Here an event allocates nothing. The encoder of the
// component checks the signatures against the WIT.
package component

import "bench-host/sdk-go/bench"

// Describe returns the descriptor of the module.
var Describe func() bench.Descriptor

// Operator is the operator of this instance, created before any call.
var Operator bench.Operator
