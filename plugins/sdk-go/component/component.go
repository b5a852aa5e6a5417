// Package component is the boundary of a plug-in that is a component: what `operator.wit` beside it says, as the canonical ABI has it.
// It translates, and must not know what any plug-in does.
//
// It is written by hand because what bindings generate allocates with every event, several times, and a heap in Go that has once
// grown, or was once collected, stays as big: hundreds of kilobytes for each of hundreds of operators. Here an event
// allocates nothing. The encoder of the component holds the signatures to the WIT.
package component

import "bench-host/sdk-go/bench"

// Describe says what the module is.
var Describe func() bench.Descriptor

// Operator is this instance's, made before anything is called.
var Operator bench.Operator
